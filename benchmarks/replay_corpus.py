"""Replays the migrations of real projects and sets the schema against a server's catalog after every file.

    PYTHONPATH=src python benchmarks/replay_corpus.py CORPUS [PROJECT ...] [--verbose]

CORPUS holds one folder per project. Only up parts run. A file that the server refuses is undone and left out of the replay.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from dbguard.model.schema import Schema
from dbguard.model.source import Parsed, Script, Source
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.postgres.catalog import read_schema
from dbguard.postgres.embedded import start
from dbguard.replay import final_state, runs_in_transaction
from dbguard.replay.describe import compare, describe_schema

DOWN = re.compile(r"^\s*--\s*(\+goose\s+Down|migrate:down)\b", re.IGNORECASE | re.MULTILINE)
NO_TRANSACTION = re.compile(r"^\s*--.*(NO TRANSACTION|NO_TRANSACTION|no-transaction|transaction:\s*false)", re.IGNORECASE | re.MULTILINE)
SCAFFOLDS = {
    "hasura-auth": """
        CREATE SCHEMA auth; CREATE FUNCTION public.gen_random_uuid() RETURNS uuid LANGUAGE sql AS 'SELECT pg_catalog.gen_random_uuid()';
        CREATE EXTENSION citext;
        CREATE TABLE auth.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
        """,
    "chatbot-ui": """
        CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, raw_user_meta_data jsonb);
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
        CREATE SCHEMA storage; CREATE TABLE storage.buckets (id text PRIMARY KEY, name text, public boolean);
        CREATE TABLE storage.objects (id uuid PRIMARY KEY, name text, bucket_id text, owner uuid, owner_id text);
        CREATE FUNCTION storage.foldername(text) RETURNS text[] LANGUAGE sql AS 'SELECT ARRAY[$1]';
        CREATE FUNCTION storage.filename(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        CREATE SCHEMA extensions; SET search_path = public, extensions;
        """,
}  # what a platform brings; it is replayed as well
SCAFFOLD = """
CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';
CREATE FUNCTION gen_random_bytes(int) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea';
CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea';
"""  # what extensions that the embedded server lacks would bring
ROLES = ("anon", "authenticated", "service_role", "hasura", "nhost_admin", "subway", "temporal", "mat_view_owners")


class Outcome(NamedTuple):
    name: str
    files: int
    applied: int
    refused: int
    differences: int
    statements: int
    unread: int
    seconds: float


def up_files(project: Path) -> list[Path]:
    def is_up(path: Path) -> bool:
        if (path.parent / "versioned").is_dir():
            return False  # the whole schema once more
        return not (path.name == "down.sql" or ".down." in path.name) and "functions" not in path.parts and "types" not in path.parts

    files = [path for path in project.rglob("*.sql") if is_up(path)]
    return sorted(files, key=lambda path: [in_order(part) for part in path.relative_to(project).parts])


def in_order(name: str) -> tuple[list[int], str]:
    """`V2__` before `V10__` and 3.9 before 3.10, repeatable ones last; other names as they are."""
    if name.startswith("R__"):
        return [10**20], name
    version = re.match(r"[vV]?(\d+(?:[._]\d+)*)(?=__|$)", name)
    return [int(part) for part in re.split(r"[._]", version[1])] if version else [], name.replace("-", "")


def parsed_file(path: Path) -> Parsed | None:
    try:
        text = path.read_text(encoding="utf-8-sig").replace("/* TEMPLATE: schema */", "")
    except UnicodeDecodeError:
        return None
    down = DOWN.search(text)
    end = down.start() if down else len(text)
    transaction = "none" if NO_TRANSACTION.search(text[:end]) else "auto"
    return parse(Script(Source(path.name, text), ((0, end),), transaction))


def run(connection: Any, one: Parsed) -> tuple[Parsed, str | None]:
    """What ran of it, and what the server says against the rest. Of a script in a transaction that is all or nothing."""
    wrapped = runs_in_transaction(one)
    done = 0
    try:
        if wrapped:
            connection.execute("BEGIN")
        for done, statement in enumerate(one.statements):  # noqa: B007
            text = one.script.source.text[statement.start : statement.end]
            execute(connection, text)
        if wrapped and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("COMMIT")
    except psycopg.Error as error:
        connection.execute("ROLLBACK")
        script = one.script._replace(transaction="none")
        return Parsed(script, () if wrapped else one.statements[:done]), str(error).strip().splitlines()[0]
    return one, None


def execute(connection: Any, text: str) -> None:
    if not re.match(r"\s*create\s+extension", text, re.IGNORECASE):
        connection.execute(text.encode())
        return
    wanted = re.sub(r"(?is)\s+version\s+\S+", "", text)
    idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    connection.execute("SELECT 1" if idle else "SAVEPOINT extension")
    try:
        connection.execute(wanted.encode())
    except psycopg.Error:
        if not idle:
            connection.execute("ROLLBACK TO extension")


def replay_project(server: Any, project: Path, *, verbose: bool) -> Outcome:
    database = server.create_database()
    state = State(schema=Schema(complete=True))
    counts: Counter[str] = Counter()
    known: set[str] = set()
    seconds = 0.0
    files = up_files(project)
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        state = prepared(connection, project.name, state)
        for path in files:
            one = parsed_file(path)
            if one is None:
                counts["refused"] += 1
                continue
            one, refused = run(connection, one)
            counts["refused" if refused else "applied"] += 1
            if refused and verbose:
                print(f"    refused: {path.relative_to(project)}: {refused}")
            counts["statements"] += len(one.statements)
            counts["unread"] += sum(len(statement.unread) for statement in one.statements)
            began = time.perf_counter()
            state = final_state([one], state, server.major)
            seconds += time.perf_counter() - began
            new = [line for line in compare(read_schema(connection), describe_schema(state.schema)) if line not in known]
            known.update(new)
            counts["differences"] += len(new)
            for line in new:
                print(f"    {path.relative_to(project)}: {line}")
    server.drop_database(database)
    return Outcome(
        project.name, len(files), counts["applied"], counts["refused"], counts["differences"], counts["statements"], counts["unread"], seconds
    )


def prepared(connection: Any, project: str, state: State) -> State:
    for name, text in SCAFFOLDS.items():
        if name in project:
            connection.execute(text)
            state = final_state([parse(Script(Source(name, text), ((0, len(text)),), "none"))], state, 18)
    connection.execute(SCAFFOLD)
    for role in ROLES:
        connection.execute(f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    connection.execute("SET client_min_messages = error")
    return state


def main(arguments: list[str]) -> Iterator[str]:
    verbose = "--verbose" in arguments
    corpus, *wanted = [argument for argument in arguments if not argument.startswith("--")]
    outcomes = []
    with start(settings={"max_locks_per_transaction": "4096"}) as server:
        for project in sorted(path for path in Path(corpus).iterdir() if path.is_dir()):
            if (not wanted or any(word in project.name for word in wanted)) and any(project.rglob("*.sql")):
                print(project.name, flush=True)
                outcomes.append(replay_project(server, project, verbose=verbose))
    yield f"{'project':48} {'files':>6} {'applied':>8} {'refused':>8} {'differ':>7} {'statements':>11} {'unread':>7} {'us/stmt':>8}"
    for one in outcomes:
        each = one.seconds * 1e6 / max(one.statements, 1)
        yield f"{one.name:48} {one.files:6} {one.applied:8} {one.refused:8} {one.differences:7} {one.statements:11} {one.unread:7} {each:8.1f}"
    yield f"total: {sum(o.applied for o in outcomes)} files compared, {sum(o.differences for o in outcomes)} differences"


if __name__ == "__main__":
    for row in main(sys.argv[1:]):
        print(row)
