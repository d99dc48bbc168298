"""What dbguard reads out of Alembic revisions, against what Alembic prints when it really runs them offline.

    python benchmarks/compare_alembic.py [--projects FOLDER] [--python PYTHON] [--show N] [PROJECT ...]

`FOLDER` holds one folder per project (`owner+name`). `PYTHON` is an interpreter with alembic, sqlalchemy-utils, alembic-utils and
alembic-postgresql-enum: it imports the revisions in a process of its own, with stand-ins for the project's modules. A revision
that needs rows (offline there are none) is counted as not printable. SQL is compared statement by statement: DDL as PostgreSQL's
parser prints it back, DML by its fingerprint, statements that a loop repeats once.
"""

from __future__ import annotations

import argparse
import collections
import glob
import json
import os
import subprocess
import sys
import time
from typing import Any

PROJECTS = {
    "pypi+warehouse": "warehouse/migrations/versions",
    "polarsource+polar": "server/migrations/versions",
    "ethyca+fides": "src/fides/api/alembic/migrations/versions",
    "PrefectHQ+prefect": "src/prefect/server/database/_migrations/versions/postgresql",
}
CONVENTIONS = {
    "polarsource+polar": {
        "ix": "ix_%(column_0_N_label)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
}
ABSENT = {"warehouse", "polar", "fides", "fideslang", "prefect", "citext", "loguru", "networkx", "packaging", "pydantic", "cryptography"}
WITH_TYPES = ("warehouse.utils.db.types", "prefect.server.utilities.database", "citext", "fides.api.db.base_class")


# The other process: Alembic itself.


def print_real(folder: str, project: str) -> None:
    import importlib.util
    import io
    import warnings

    import sqlalchemy as sa
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.dialects.postgresql.base import PGDialect

    warnings.simplefilter("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr  # revisions print
    sys.meta_path.append(StandIns())
    for plugin in ("alembic_utils", "alembic_utils.reversible_op", "alembic_postgresql_enum"):
        __import__(plugin)
    found: dict[str, Any] = {}
    for path in sorted(glob.glob(folder + "/*.py")):
        answer: dict[str, str] = {}
        found[os.path.basename(path)] = answer
        try:
            spec = importlib.util.spec_from_file_location("revision_" + os.path.basename(path)[:-3].replace("-", "_"), path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        except BaseException as error:  # noqa: BLE001
            answer["import"] = repr(error)
            continue
        for name in ("upgrade", "downgrade"):
            buffer = io.StringIO()
            options: dict[str, Any] = {"as_sql": True, "output_buffer": buffer}
            if project in CONVENTIONS:
                options["target_metadata"] = sa.MetaData(naming_convention=CONVENTIONS[project])
            context = MigrationContext.configure(dialect=PGDialect(paramstyle="numeric_dollar"), opts=options)
            context.bind.commit = lambda buffer=buffer: buffer.write("COMMIT;\n\n")
            context.bind.connect = lambda context=context: context.bind
            try:
                with Operations.context(context):
                    getattr(module, name)()
                answer[name] = buffer.getvalue()
            except BaseException as error:  # noqa: BLE001
                answer[name + " error"] = f"{type(error).__name__}: {error}"[:300]
    json.dump(found, answers)


class StandIns:
    """Modules of the project, and packages that are not installed: anything may be imported from them."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        del path, target
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in ABSENT else None

    def create_module(self, spec: Any) -> Any:
        import types

        module = types.ModuleType(spec.name)
        module.__path__ = []
        kinds = project_types()
        if spec.name in WITH_TYPES:
            module.__dict__.update(kinds)
        module.__getattr__ = lambda name: self.attribute(f"{spec.name}.{name}")
        return module

    def exec_module(self, module: Any) -> None:
        pass

    def attribute(self, name: str) -> Any:
        import importlib

        return importlib.import_module(name) if any(one.startswith(name) for one in WITH_TYPES) else Anything(name)


class Anything:
    def __init__(self, name: str) -> None:
        self.__name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        return Anything("called")

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return (object,)


def project_types() -> dict[str, Any]:
    """What the projects' own column types are on PostgreSQL."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql

    def fixed(kind: Any) -> Any:
        return lambda *_, **__: kind

    return {
        "TZDateTime": fixed(sa.DateTime()),
        "Timestamp": fixed(sa.TIMESTAMP(timezone=True)),
        "UUID": fixed(postgresql.UUID()),
        "JSON": fixed(postgresql.JSONB(none_as_null=True)),
        "Pydantic": fixed(postgresql.JSONB(none_as_null=True)),
        "CIText": fixed(postgresql.CITEXT()),
        "JSONTypeOverride": fixed(sa.JSON()),
    }


# This process: dbguard, and the comparison.


def read(folder: str) -> tuple[Any, float]:
    from dbguard.config import Config
    from dbguard.reading import alembic
    from dbguard.reading.folders import Disk
    from dbguard.reading.history import Desk

    files = dict.fromkeys(sorted(glob.glob(folder + "/*.py")))
    start = time.perf_counter()
    histories = alembic.histories(Desk(Config(cwd=folder, root=folder), True), Disk(lambda _: False), files)
    return histories[0], time.perf_counter() - start


def text_of(script: Any) -> str:
    parts = []
    alone = False
    for block in script.blocks:
        if block.alone is not alone:
            parts.append("COMMIT" if block.alone else "BEGIN")
            alone = block.alone
        parts.append(block.sql)
    if alone:
        parts.append("BEGIN")
    return ";\n".join(part.rstrip().removesuffix(";") for part in parts if part.strip()) + ";"


def normal(sql: str) -> list[str]:
    """Statements, comparable."""
    import pglast
    from pglast.parser import fingerprint
    from pglast.stream import RawStream

    try:
        statements = pglast.split(sql)
    except pglast.parser.ParseError:
        return [" ".join(sql.split())]
    found: list[str] = []
    for statement in statements:
        if statement == "COMMIT" and found[-1:] == ["BEGIN"]:  # a transaction in which nothing happens
            found.pop()
            continue
        try:
            node = pglast.parse_sql(statement)[0].stmt
        except pglast.parser.ParseError:
            found.append(" ".join(statement.split()))
            continue
        kind = type(node).__name__
        if kind in {"InsertStmt", "UpdateStmt", "DeleteStmt", "SelectStmt"}:
            text = f"{kind} {fingerprint(statement)}"
            if text in found:
                continue
        else:
            text = " ".join(RawStream()(node).replace("DROP TYPE IF EXISTS", "DROP TYPE").split())
        found.append({"BEGIN TRANSACTION": "BEGIN", "COMMIT TRANSACTION": "COMMIT"}.get(text, text))
    return found


def compare(project: str, folder: str, python: str, show: int) -> None:
    history, seconds = read(folder)
    answer = subprocess.run([python, __file__, "--print-real", folder, project], capture_output=True, check=False, text=True)
    if answer.returncode:
        sys.exit(answer.stderr[-2000:])
    real = json.loads(answer.stdout)
    equal = compared = 0
    different: list[tuple[str, str, list[str], list[str]]] = []
    failing: collections.Counter[str] = collections.Counter()
    for script in history.scripts:
        name = "downgrade" if script.direction == "down" else "upgrade"
        said = real[os.path.basename(script.source.path)]
        if name not in said:
            failing[said.get("import") or said[name + " error"]] += 1
            continue
        compared += 1
        theirs, ours = normal(said[name]), normal(text_of(script))
        if theirs == ours:
            equal += 1
        else:
            different.append((script.source.path, name, theirs, ours))
    typed, unread, reasons = operations(history)
    print(f"{project}: {history.description}")
    print(
        f"  read in {seconds:.2f} s; {len(history.scripts)} scripts, {compared} that Alembic prints offline, {equal} equal ({equal / max(compared, 1):.1%})"
    )
    print(f"  schema operations: {typed} typed, {unread} unread ({typed / max(typed + unread, 1):.2%} typed)")
    for reason, count in reasons.most_common(show):
        print(f"    {count:4} {reason[:150]}")
    for reason, count in failing.most_common(show):
        print(f"    not printable: {count:4} {reason[:150]}")
    for path, name, theirs, ours in different[:show]:
        print(f"    different: {os.path.basename(path)} {name}")
        for line in [one for one in theirs if one not in ours][:3]:
            print(f"      alembic {line[:300]}")
        for line in [one for one in ours if one not in theirs][:3]:
            print(f"      dbguard {line[:300]}")
        if sorted(theirs) == sorted(ours):
            print("      another order")


def operations(history: Any) -> tuple[int, int, collections.Counter[str]]:
    """Calls that change the schema: those whose SQL is known, and those for which it is not."""
    import re

    call = re.compile(r"\s*(?:\w+\.)?(?:op|batch_op|context)\.(?!get_bind|get_context|f\b)\w+\(|.*\.(?:create|drop)\(", re.DOTALL)
    typed = unread = 0
    reasons: collections.Counter[str] = collections.Counter()
    for script in history.scripts:
        for block in script.blocks:
            text = script.source.text[block.start : block.end]
            if not call.match(text):
                continue
            if block.sql:
                typed += 1
            elif block.unread and not block.operations:
                unread += 1
                reasons[block.unread] += 1
    return typed, unread, reasons


def main() -> None:
    if sys.argv[1:2] == ["--print-real"]:
        print_real(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--projects", default="/work/corpus-py")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--show", type=int, default=8)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    for project, folder in PROJECTS.items():
        if not given.names or project in given.names:
            compare(project, os.path.join(given.projects, project, folder), given.python, given.show)


if __name__ == "__main__":
    main()
