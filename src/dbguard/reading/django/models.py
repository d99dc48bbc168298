"""A model of a state as Django's schema editor sees it: table, columns in order, tables of its many-to-many fields."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.record import Record
from dbguard.reading.django.columns import Column, Target, of_field, referenced
from dbguard.reading.django.external import assumed
from dbguard.reading.django.external import field as made
from dbguard.reading.django.fields import Field
from dbguard.reading.django.names import truncated
from dbguard.reading.django.state import Key, Missing, ModelState, State, actual, reference
from dbguard.reading.python.values import Value

_DEEPEST = 20


class Many(Record):
    """A many-to-many field, and the table of its rows if Django makes that itself."""

    name: str
    field: Field
    through: Model | None  # the model that Django makes for it
    own: str = ""  # name of the field in `through` that points to the model that has the many-to-many field
    other: str = ""
    unread: str = ""


class Model:
    """A model, with its fields in the order of the table's columns."""

    __slots__ = ("_columns", "fields", "key", "options", "state", "table", "within")

    def __init__(self, within: State, state: ModelState, table: str, fields: dict[str, Field]) -> None:
        self.within = within
        self.state = state
        self.key = state.key
        self.options = state.options
        self.table = table
        self.fields = fields
        self._columns: tuple[Column, ...] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        if self._columns is None:
            self._columns = tuple(column_of(self.within, self, name) for name in self.fields)
        return self._columns

    @property
    def migrated(self) -> bool:
        """Whether migrations touch its table."""
        vendor = self.options.get("required_db_vendor")
        return not self.state.proxy and self.options.get("managed") is not False and not self.swapped and vendor in {None, "postgresql"}

    @property
    def swapped(self) -> bool:
        """Whether the project uses another model in its place."""
        setting = self.options.get("swappable")
        if not isinstance(setting, str):
            return False
        settings = self.within.settings
        chosen = settings.auth_user_model if setting == "AUTH_USER_MODEL" else settings.swappable.get(setting) or settings.values.get(setting)
        return isinstance(chosen, str) and chosen.lower() != f"{self.key[0]}.{self.key[1]}".lower()

    @property
    def tablespace(self) -> str:
        value = self.options.get("db_tablespace", self.within.settings.default_tablespace)
        return value if isinstance(value, str) else ""

    @property
    def primary(self) -> str:
        return primary_of(self.fields)

    def get(self, name: str) -> Column:
        """A column by the name of its field, in this model or one that it inherits from."""
        found = self.find(name)
        if found is None:
            raise Missing(f"`{self.state.name}` has no field `{name}`")
        return found

    def find(self, name: str) -> Column | None:
        if name == "pk":
            name = self.primary
        found = actual(self.fields, name)
        for column in self.columns:
            if column.name == found:
                return column
        for column in self.columns:
            if column.column == name:
                return column
        for base in self.state.bases:
            key = reference(base, self.key, self.within.settings)
            if key is not None and key != self.key and (parent := self.within.get(key)) is not None:
                inherited = model_of(self.within, parent.key).find(name)
                if inherited is not None:
                    return inherited
        return None

    def many(self) -> list[Many]:
        return [_many(self, name, field) for name, field in self.fields.items() if field.many]

    def many_named(self, name: str) -> Many:
        found = actual(self.fields, name)
        if found is None or not self.fields[found].many:
            raise Missing(f"`{self.state.name}` has no many-to-many field `{name}`")
        return _many(self, found, self.fields[found])


def model_of(state: State, key: Key, depth: int = 0) -> Model:
    """The model of a key; one that no migration makes is assumed."""
    cached = state.rendered.get(key)
    if isinstance(cached, Model):
        return cached
    found = state.get(key) or assumed(key, state.settings)[0]
    fields = _ordered(state, found)
    model = Model(state, found, table_of(state, found, depth), fields)
    state.rendered[key] = model
    return model


def table_of(state: State, model: ModelState, depth: int = 0) -> str:
    if model.proxy and model.bases and depth < _DEEPEST:
        key = concrete(state, model.key)
        if key != model.key:
            return table_of(state, state.get(key) or assumed(key, state.settings)[0], depth + 1)
    written = model.options.get("db_table")
    if isinstance(written, str) and written:
        return written
    return truncated(f"{model.app}_{model.name.lower()}")


def concrete(state: State, key: Key) -> Key:
    """The model that has the table of a proxy."""
    for _ in range(_DEEPEST):
        model = state.get(key)
        if model is None or not model.proxy:
            return key
        base = next((found for one in model.bases if (found := reference(one, key, state.settings)) is not None), None)
        if base is None:
            return key
        key = base
    return key


def primary_of(fields: dict[str, Field]) -> str:
    return next((name for name, field in fields.items() if field.primary_key or field.kind == "CompositePrimaryKey"), "id")


def _ordered(state: State, model: ModelState) -> dict[str, Field]:
    """The fields in the order of the columns, with those that Django adds itself."""
    if model.proxy:
        return {}
    fields = dict(model.fields)
    bases = [key for base in model.bases if (key := reference(base, model.key, state.settings)) is not None]
    if not any(field.primary_key or field.kind == "CompositePrimaryKey" for field in fields.values()):
        link = next((name for name, field in fields.items() if field.flag("parent_link")), None)
        if link is not None:
            fields[link] = fields[link].with_options(primary_key=True)
        elif bases:
            options: dict[str, Value] = {"to": ".".join(bases[0]), "parent_link": True, "auto_created": True, "primary_key": True}
            pointer = made("OneToOneField", db_index=True, unique=True, **options)
            fields = {f"{bases[0][1]}_ptr": pointer, **fields}
        else:
            kind = state.settings.default_auto_field.rpartition(".")[2]
            fields = {"id": made(kind if kind in {"AutoField", "SmallAutoField"} else "BigAutoField", primary_key=True, auto_created=True), **fields}
    if model.options.get("order_with_respect_to") is not None and "_order" not in fields:
        fields["_order"] = made("IntegerField")
    first = [name for name, field in fields.items() if field.flag("auto_created")]
    return {name: fields[name] for name in [*reversed(first), *(one for one in fields if one not in first)]}


def column_of(state: State, model: Model, name: str, depth: int = 0) -> Column:
    field = model.fields[name]
    target = _target(state, model, field, depth) if field.relation else None
    return of_field(model.key, name, field, state.settings, target)


def _target(state: State, model: Model, field: Field, depth: int) -> Target | None:
    key = reference(field.options.get("to"), model.key, state.settings)
    if key is None or depth > _DEEPEST:
        return None
    real = concrete(state, key)
    remote = model_of(state, real) if real != model.key else model
    note = assumed(real, state.settings)[1] if state.get(real) is None and real != model.key else ""
    wanted = field.options.get("to_field")
    name = actual(remote.fields, wanted) if isinstance(wanted, str) else remote.primary
    if name is None or name not in remote.fields:
        return None
    column = column_of(state, remote, name, depth + 1)
    return Target(key, remote.table, name, column.column, referenced(column), column.collation, note, real)


def _many(model: Model, name: str, field: Field) -> Many:
    """A many-to-many field with the model of its rows, if Django makes one."""
    through = field.options.get("through")
    if through is not None:
        return Many(name, field, None)
    state = model.within
    to = reference(field.options.get("to"), model.key, state.settings)
    if to is None:
        return Many(name, field, None, unread=f"what `{name}` points to is not known")
    own, other = model.key[1], to[1]
    if own == other:
        own, other = f"from_{own}", f"to_{other}"
    title = f"{model.state.name}_{name}"
    common: dict[str, Value] = {"related_name": f"{title}+", "db_index": True}
    if not field.constrained:
        common["db_constraint"] = False
    if "db_tablespace" in field.options:
        common["db_tablespace"] = field.options["db_tablespace"]
    fields = {"sort_value": made("IntegerField")} if field.path.endswith(".SortedManyToManyField") and field.flag("sorted") else {}
    fields |= {own: made("ForeignKey", to=".".join(model.key), **common), other: made("ForeignKey", to=".".join(to), **common)}
    table = field.text("db_table") or truncated(f"{_stripped(model.table)}_{name}")
    options: dict[str, Value] = {"db_table": table, "unique_together": (own, other)}
    if model.tablespace:
        options["db_tablespace"] = model.tablespace
    state_of = ModelState(model.key[0], title, fields, options)
    rows = Model(state, state_of, table, _ordered(state, state_of))
    return Many(name, field, rows, own, other)


def _stripped(table: str) -> str:
    return table[1:-1] if table.startswith('"') and table.endswith('"') else table


def relations(state: State, key: Key) -> Iterator[tuple[str, Model, Column]]:
    """Foreign keys to a model, those of many-to-many tables included: the name they are sorted by, their model and column."""
    for owner in state.models.values():
        for name, field in owner.fields.items():
            if field.relation and not owner.proxy:
                to = reference(field.options.get("to"), owner.key, state.settings)
                if to is not None and concrete(state, to) == key:
                    yield _query_name(owner, field), model_of(state, owner.key), model_of(state, owner.key).get(name)
            elif field.many and "through" not in field.options:
                rows = _many(model_of(state, owner.key), name, field).through
                for column in rows.columns if rows is not None else ():
                    if rows is not None and column.target is not None and column.target.concrete == key:
                        yield f"{rows.state.name}+", rows, column


def _query_name(owner: ModelState, field: Field) -> str:
    name = field.text("related_query_name") or field.text("related_name")
    usual = owner.options.get("default_related_name")
    if not name and isinstance(usual, str):
        name = usual
    if not name:
        return owner.name.lower()
    values = {"class": owner.name.lower(), "model_name": owner.name.lower(), "app_label": owner.app.lower()}
    for word, value in values.items():
        name = name.replace(f"%({word})s", value)
    return name
