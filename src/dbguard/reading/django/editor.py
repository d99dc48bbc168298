"""What Django's schema editor for PostgreSQL sends: tables, columns, and what it puts off to the end of the migration."""

from __future__ import annotations

from dbguard.model.record import Record
from dbguard.reading.django.additions import Addition
from dbguard.reading.django.catalog import Catalog
from dbguard.reading.django.columns import Column
from dbguard.reading.django.constraints import Made, constraint, index
from dbguard.reading.django.defaults import effective
from dbguard.reading.django.definitions import definition, inline_of
from dbguard.reading.django.expressions import Unreadable
from dbguard.reading.django.literals import is_list, literal
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.models import Model
from dbguard.reading.django.names import all_quoted, hashed, quoted, split
from dbguard.reading.django.state import Missing, together_of
from dbguard.reading.python.values import Symbol

_ON_DELETE = {"DB_CASCADE": " ON DELETE CASCADE", "DB_SET_NULL": " ON DELETE SET NULL", "DB_SET_DEFAULT": " ON DELETE SET DEFAULT"}


class Deferred(Record):
    """An index or constraint that Django adds at the end of the migration, and the number of the operation that wants it."""

    addition: Addition
    origin: int


class Editor:
    """Collects the statements of one operation after the other. `sent` is what the current operation has sent so far."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self.settings = settings
        self.catalog = catalog
        self.sent: list[str] = []
        self.unread: list[str] = []
        self.deferred: list[Deferred] = []
        self.origin = 0

    def send(self, sql: str) -> None:
        self.sent.append(sql)

    def doubt(self, reason: str) -> None:
        if reason and reason not in self.unread:
            self.unread.append(reason)

    def add(self, one: Addition) -> None:
        self.send(one.sql())
        self.catalog.add(one)

    def defer(self, one: Addition) -> None:
        self.deferred.append(Deferred(one, self.origin))

    def flush(self) -> list[tuple[int, str]]:
        """What was put off, each with the number of its operation."""
        found = []
        for one in self.deferred:
            found.append((one.origin, one.addition.sql()))
            self.catalog.add(one.addition)
        self.deferred = []
        return found

    def create_model(self, model: Model) -> None:
        table = model.table
        for fields in together_of(model.options.get("unique_together")):
            self.defer(unique(table, [model.get(name).column for name in fields]))
        has_parameters = False
        definitions = []
        inline: list[tuple[str, str]] = []
        for column in model.columns:
            if not column.type:
                continue
            self.doubt(column.unread)
            text, parameters = definition(self, model, column)
            has_parameters |= parameters
            definitions.append(f"{quoted(column.column)} {text}")
            inline += [(kind, column.column) for kind in inline_of(column)]
            if column.field.auto:
                self.catalog.add_sequence(table, column.column)
            if column.target is not None and column.field.constrained:
                self.defer(foreign_key(table, column))
        clauses, additions = self._constraints(model, has_parameters)
        definitions += clauses
        key = model.fields.get(model.primary)
        if key is not None and key.kind == "CompositePrimaryKey":
            parts = [model.get(str(name)).column for name in _parts(key.options, model)]
            definitions.append(f"PRIMARY KEY ({all_quoted(parts)})")
            inline.append(("primary key", "\0".join(parts)))
        space = f" TABLESPACE {quoted(model.tablespace)}" if model.tablespace else ""
        self.send(f"CREATE TABLE {quoted(table)} ({', '.join(definitions)}){space}")
        self.catalog.create_table(table)
        for kind, columns in inline:
            self.catalog.add_inline(table, kind, tuple(columns.split("\0")))
        for one in additions:
            self.catalog.add(one)
        self._comments(model)
        self._indexes(model)
        for many in model.many():
            self.doubt(many.unread)
            if many.through is not None:
                self.create_model(many.through)

    def _constraints(self, model: Model, has_parameters: bool) -> tuple[list[str], list[Addition]]:
        """Constraints of `Meta` that stand in CREATE TABLE; the others are put off."""
        clauses, additions = [], []
        for value in model.state.listed("constraints"):
            made = self.made(constraint, value, model)
            if made is None:
                continue
            if has_parameters or made.kind == "unique index" or (made.kind == "unique" and made.nulls):
                self.defer(made)
            else:
                clauses.append(made.clause())
                additions.append(made)
        return clauses, additions

    def made(self, maker: object, value: object, model: Model) -> Addition | None:
        """An index or constraint, or None and a doubt."""
        try:
            found = maker(value, model)  # type: ignore[operator]
        except (Unreadable, Missing) as error:
            self.doubt(error.reason)
            return None
        assert isinstance(found, Made)
        self.doubt(found.unread)
        return found.addition

    def _comments(self, model: Model) -> None:
        if self.settings.version < (4, 2):
            return
        comment = model.options.get("db_table_comment")
        if isinstance(comment, str) and comment:
            self.comment_table(model, comment)
        for column in model.columns:
            if column.type and (text := column.field.text("db_comment")):
                self.comment_column(model, column, text)

    def comment_table(self, model: Model, comment: str) -> None:
        self.send(f"COMMENT ON TABLE {quoted(model.table)} IS {literal(comment).strip()}")

    def comment_column(self, model: Model, column: Column, comment: str) -> None:
        self.send(f"COMMENT ON COLUMN {quoted(model.table)}.{quoted(column.column)} IS {literal(comment).strip()}")

    def _indexes(self, model: Model) -> None:
        for column in model.columns:
            for one in self.column_indexes(model, column):
                self.defer(one)
        if self.settings.version < (5, 1):
            for fields in together_of(model.options.get("index_together")):
                self.defer(plain_index(model, [model.get(name).column for name in fields], "_idx"))
        for value in model.state.listed("indexes"):
            made = self.made(index, value, model)
            if made is not None:
                self.defer(made)

    def column_indexes(self, model: Model, column: Column) -> list[Addition]:
        """The indexes of a field: that of `db_index`, and the one for LIKE."""
        found = []
        if column.field.kind == "Geometry" and column.type and column.field.options.get("spatial_index") is not False:
            found.append(spatial(model, column))
        elif column.type and column.field.indexed and not column.field.unique:
            found.append(plain_index(model, [column.column]))
        like = self.like_index(model, column)
        return [*found, like] if like is not None else found

    def like_index(self, model: Model, column: Column) -> Addition | None:
        if not column.type or not (column.field.indexed or column.field.unique) or "[" in column.type:
            return None
        if column.collation and column.collation not in {"C", "POSIX", "en_US", "ucs_basic"}:
            return None
        kind = "varchar" if column.type.startswith("varchar") else "text" if column.type.startswith("text") else ""
        if not kind:
            return None
        return plain_index(model, [column.column], "_like")._replace(opclasses=(f"{kind}_pattern_ops",))

    def delete_model(self, model: Model) -> None:
        for many in model.many():
            if many.through is not None:
                self.delete_model(many.through)
        self.send(f"DROP TABLE {quoted(model.table)} CASCADE")
        self.catalog.drop_table(model.table)
        self.deferred = [one for one in self.deferred if not one.addition.is_about_table(model.table)]

    def rename_table(self, old: str, new: str) -> None:
        if old == new:
            return
        self.send(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}")
        self.catalog.rename_table(old, new)
        self.deferred = [one._replace(addition=one.addition.with_table(old, new)) for one in self.deferred]

    def add_field(self, model: Model, column: Column) -> None:
        """A column is added to the table that `model` has before the operation."""
        table = model.table
        if not column.type:
            return
        self.doubt(column.unread)
        text, _ = definition(self, model, column, with_default=True)
        after = ""
        if column.target is not None and column.field.constrained:
            one = foreign_key(table, column)
            name = quoted(one.called)
            target = f"{quoted(one.to_table)}({quoted(one.to_column)})"
            text += f" CONSTRAINT {name} REFERENCES {target}{one.on_delete} DEFERRABLE INITIALLY DEFERRED"
            namespace = split(table)[0]
            after = f"; SET CONSTRAINTS {quoted(namespace) + '.' if namespace else ''}{name} IMMEDIATE"
            self.catalog.add(one)
        self.send(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column.column)} {text}{after}")
        for kind in inline_of(column):
            self.catalog.add_inline(table, kind, (column.column,))
        if column.field.auto:
            self.catalog.add_sequence(table, column.column)
        has_db_default = column.field.has_db_default and self.settings.version >= (5, 0)
        if not has_db_default and effective(column, self.settings).sql:
            self.send(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(column.column)} DROP DEFAULT")
        if comment := column.field.text("db_comment"):
            self.comment_column(model, column, comment)
        for index_ in self.column_indexes(model, column):
            self.defer(index_)

    def remove_field(self, model: Model, column: Column) -> None:
        if not column.type:
            return
        table = model.table
        if column.field.relation:
            for name in self.catalog.names(table, {"foreign key"}, [column.column]):
                self.drop_foreign_key(table, name)
        cascade = "" if self.settings.version >= (6, 0) else " CASCADE"
        self.send(f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(column.column)}{cascade}")
        self.catalog.drop_column(table, column.column)
        self.deferred = [one for one in self.deferred if not one.addition.is_about_column(table, column.column)]

    def drop_foreign_key(self, table: str, name: str) -> None:
        self.send(f"SET CONSTRAINTS {quoted(name)} IMMEDIATE; ALTER TABLE {quoted(table)} DROP CONSTRAINT {quoted(name)}")
        self.catalog.drop(table, name)

    def drop_constraint(self, table: str, name: str) -> None:
        self.send(f"ALTER TABLE {quoted(table)} DROP CONSTRAINT {quoted(name)}")
        self.catalog.drop(table, name)

    def drop_index(self, table: str, name: str, *, concurrently: bool = False) -> None:
        self.send(f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}IF EXISTS {quoted(name)}")
        self.catalog.drop(table, name)
        if self.settings.version >= (5, 1):
            self.deferred = [
                one
                for one in self.deferred
                if one.addition.table != table or one.addition.called != name or one.addition.kind not in {"index", "unique index"}
            ]


def foreign_key(table: str, column: Column, suffix: str = "") -> Addition:
    assert column.target is not None
    on_delete = column.field.options.get("on_delete")
    action = _ON_DELETE.get(on_delete.path.rpartition(".")[2], "") if isinstance(on_delete, Symbol) else ""
    return Addition(
        "foreign key", table, (column.column,), suffix=suffix, to_table=column.target.table, to_column=column.target.column, on_delete=action
    )


def unique(table: str, columns: list[str]) -> Addition:
    return Addition("unique", table, tuple(columns))


def plain_index(model: Model, columns: list[str], suffix: str = "") -> Addition:
    """An index that `db_index` or `index_together` makes."""
    space = model.tablespace
    if len(columns) == 1:
        own = next((column.field.text("db_tablespace") for column in model.columns if column.column == columns[0]), "")
        space = own or model.within.settings.default_index_tablespace or space
    else:
        space = model.within.settings.default_index_tablespace or space
    return Addition("index", model.table, tuple(columns), suffix=suffix, extra=f" TABLESPACE {quoted(space)}" if space else "")


def spatial(model: Model, column: Column) -> Addition:
    name = hashed(model.table, [column.column], "_id")
    if column.type == "raster":
        key = f"ST_ConvexHull({quoted(column.column)})"
        return Addition("index", model.table, name=name, using="GIST", expressions=(key,), mentions=(column.column,))
    opclasses = ("GIST_GEOMETRY_OPS_ND",) if column.field.options.get("dim") == 3 and not column.field.flag("geography") else ()
    return Addition("index", model.table, (column.column,), name=name, using="GIST", opclasses=opclasses)


def _parts(options: dict[str, object], model: Model) -> list[object]:
    """The fields of a composite primary key."""
    found = options.get("field_names")
    return list(found) if is_list(found) else [model.primary]
