"""Real SQLAlchemy and Alembic objects in, the SQL that Alembic sends to PostgreSQL out.

The only module here, with `constructs` and `column_types`, that imports SQLAlchemy and Alembic: it is imported when a revision has to be
interpreted. Alembic prints as `alembic upgrade --sql` does; values of DML that are not known before it runs become `$1`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic.operations import BatchOperations, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import CompileError

_BIND = re.compile(r"(?<![:\w\\]):\w+(?!:)|\\:")
_IN = re.compile(r"\b(IN)\s+(\$\d+)", re.IGNORECASE)  # a list, which the driver or SQLAlchemy writes out
_TYPE = re.compile(
    r"""\b(CREATE|DROP)\s+TYPE\s+(?:IF\s+EXISTS\s+)?(?:"?public"?\.)?"?([^\s";(]+)"?|\bALTER\s+TYPE\s+"?(\S+?)"?\s+RENAME\s+TO\s+"?([^\s";]+)""",
    re.IGNORECASE,
)


class Printer:
    """One `MigrationContext` that writes into a buffer. `types` are the named types that exist by now, as far as was printed."""

    def __init__(self, naming_convention: dict[str, Any] | None) -> None:
        self.buffer = io.StringIO()
        self.types: set[str] = set()
        dialect = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"as_sql": True, "output_buffer": self.buffer}
        if naming_convention:
            options["target_metadata"] = sa.MetaData(naming_convention=naming_convention)
        self.context = MigrationContext.configure(dialect=dialect, opts=options)
        self.operations = Operations(self.context)

    @property
    def bind(self) -> Any:
        """Alembic's connection that prints what it is given."""
        return self.context.bind

    def start_script(self) -> None:
        """Types that a table has created are remembered for one run only: each script may be the only one that runs."""
        self.context.impl.memo.clear()

    def take(self) -> str:
        """What was printed since the last call."""
        text = self.buffer.getvalue()
        if text:
            self.buffer.seek(0)
            self.buffer.truncate()
        text = text.strip()
        self.note_types(text)
        return text

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, str]:
        """What `op.<name>(...)` gives back and sends."""
        value = getattr(self.operations, name)(*args, **kwargs)
        sql = self.take()
        return value, _orderly(sql) if name in {"create_table", "add_column"} else sql

    def text(self, sql: str) -> str:
        """SQL of a string: its `:name` are parameters, as everywhere in SQLAlchemy."""
        if ":" in sql and _BIND.search(sql):
            sql = self.compiled(sa.text(sql))
        self.note_types(sql)
        return sql

    def compiled(self, construct: Any) -> str:
        """SQL of a construct, with its values where all are known and can be written down, else with parameters."""
        compiled = construct.compile(dialect=self.context.dialect)
        binds = getattr(compiled, "binds", {})
        if binds and not any(bind.required for bind in binds.values()):
            try:
                return str(construct.compile(dialect=self.context.dialect, compile_kwargs={"literal_binds": True})).strip()
            except (CompileError, NotImplementedError, TypeError, ValueError, AttributeError):
                pass
        return _IN.sub(r"\1 (\2)", str(compiled).strip())

    def insert(self, table: Any, columns: tuple[str, ...]) -> str:
        """What `bulk_insert` sends for each of its rows."""
        values = {name: sa.bindparam(name, type_=table.c[name].type) for name in columns}
        return str(table.insert().inline().values(**values).compile(dialect=self.context.dialect)).strip()

    def create_type(self, kind: Any, checkfirst: bool) -> str:
        if checkfirst and _named(kind) in self.types:
            return ""
        kind.create(self.bind, checkfirst=False)
        return self.take()

    def drop_type(self, kind: Any, checkfirst: bool) -> str:
        """With `checkfirst` Alembic asks the server; what no revision has created may still exist."""
        exists = not checkfirst or _named(kind) in self.types
        kind.drop(self.bind, checkfirst=False)
        sql = self.take()
        return sql if exists else sql.replace("DROP TYPE ", "DROP TYPE IF EXISTS ", 1).replace("DROP DOMAIN ", "DROP DOMAIN IF EXISTS ", 1)

    def note_types(self, sql: str) -> None:
        if "type" not in sql and "TYPE" not in sql:
            return
        for verb, name, before, after in _TYPE.findall(sql):
            if after:
                self.types.discard(before.lower())
                self.types.add(after.lower())
            elif verb.upper() == "CREATE":
                self.types.add(name.lower())
            else:
                self.types.discard(name.lower())


class Batch:
    """`batch_alter_table`: on PostgreSQL its calls run one after the other at the end of the block."""

    def __init__(self, printer: Printer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.printer = printer
        self.manager = printer.operations.batch_alter_table(*args, **kwargs)
        self.operations: BatchOperations = self.manager.__enter__()
        self.nodes: list[Any] = []
        self.table = str(args[0] if args else kwargs.get("table_name", ""))
        self.schema = kwargs.get("schema")

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: Any) -> str:
        """What a call sends before the end of the block: nothing, but for what is no alteration of the table."""
        getattr(self.operations, name)(*args, **kwargs)
        implementation: Any = self.operations.impl
        self.nodes += [node] * (len(implementation.batch) - len(self.nodes))
        return self.printer.take()

    def flush(self) -> Iterator[tuple[Any, str, Exception | None]]:
        """SQL of each call that waited, in order."""
        implementation: Any = self.operations.impl
        waiting = list(implementation.batch)
        for node, entry in zip(self.nodes, waiting, strict=False):
            implementation.batch = [entry]
            try:
                implementation.flush()
            except Exception as error:  # noqa: BLE001 - whatever Alembic says of a call belongs into the report
                yield node, self.printer.take(), error
            else:
                yield node, self.printer.take(), None


def _orderly(sql: str) -> str:
    """SQLAlchemy keeps the indexes and constraints of a table in a set: their order differs from run to run."""
    if sql.count(";\n\n") < 2:
        return sql
    parts = sql.removesuffix(";").split(";\n\n")
    for beginning in (("CREATE INDEX ", "CREATE UNIQUE INDEX "), ("ALTER TABLE ",)):
        places = [place for place, part in enumerate(parts) if place and part.startswith(beginning)]
        for place, part in zip(places, sorted(parts[place] for place in places), strict=True):
            parts[place] = part
    return ";\n\n".join(parts) + ";"


def _named(kind: Any) -> str:
    return str(getattr(kind, "name", "") or "").lower()
