"""What the models of all apps look like between two operations, as migrations say it (Django's project state)."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.record import Record
from dbguard.reading.django.fields import Field
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import Settings
from dbguard.reading.python.values import Called, Symbol, Value

Key = tuple[str, str]
"""App label and name of a model, in lower case."""

_USER_SETTING = "django.conf.settings.AUTH_USER_MODEL"


class Missing(Exception):  # noqa: N818 - reads better where it is caught
    """A migration names a model, field, index or constraint that the migrations before it do not make."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelState(Record):
    """One model. `bases` are models of the project or of other apps; classes that are no models are left out."""

    app: str
    name: str
    fields: dict[str, Field]
    options: dict[str, Value] = {}  # noqa: RUF012
    bases: tuple[str, ...] = ()
    external: bool = False  # its migrations are not in the project: what it looks like is assumed

    @property
    def key(self) -> Key:
        return self.app, self.name.lower()

    @property
    def proxy(self) -> bool:
        return self.options.get("proxy") is True

    def listed(self, option: str) -> list[Value]:
        """An option that is a list, whatever the migration wrote there."""
        value = self.options.get(option)
        return list(value) if (is_list(value) or isinstance(value, set | frozenset)) else []


def reference(value: Value, key: Key, settings: Settings) -> Key | None:
    """The model that a relation of model `key` points to. None if that is not known."""
    if isinstance(value, Symbol):
        value = _of_symbol(value.path, settings)
    elif isinstance(value, Called):
        parts = [one for one in value.args if isinstance(one, str)]
        value = ".".join(parts) if len(parts) == len(value.args) == 2 and "get_model_name" in str(value.target) else None
    if not isinstance(value, str) or not value:
        return None
    if value == "self":
        return key
    app, dot, name = value.partition(".")
    return (app, name.lower()) if dot else (key[0], value.lower())


def _of_symbol(path: str, settings: Settings) -> Value:
    if path == _USER_SETTING or path.endswith(".get_user_model"):
        return settings.auth_user_model
    if path.startswith("django.conf.settings."):
        name = path.removeprefix("django.conf.settings.")
        return settings.swappable.get(name) or settings.values.get(name)
    from dbguard.reading.django.external import SWAPPABLE

    if path in SWAPPABLE:
        setting, usual = SWAPPABLE[path]
        return settings.swappable.get(setting) or settings.values.get(setting) or usual
    parts = path.split(".")  # a class, as in `to=shop.models.Order`
    if "models" in parts[1:-1]:
        return f"{parts[parts.index('models', 1) - 1]}.{parts[-1]}"
    return None


class State:
    """All models. A state is not changed: what an operation makes of it is another one."""

    __slots__ = ("_rendered", "models", "settings")

    def __init__(self, settings: Settings, models: dict[Key, ModelState]) -> None:
        self.settings = settings
        self.models = models
        self._rendered: dict[Key, object] = {}

    @property
    def rendered(self) -> dict[Key, object]:
        """What was worked out from this state, for those who work it out."""
        return self._rendered

    def get(self, key: Key) -> ModelState | None:
        return self.models.get(key)

    def need(self, key: Key) -> ModelState:
        found = self.models.get(key)
        if found is None:
            raise Missing(f"model `{key[0]}.{key[1]}` is not made by any migration before this one")
        return found

    def with_model(self, model: ModelState) -> State:
        return State(self.settings, {**self.models, model.key: model})

    def without(self, key: Key) -> State:
        return State(self.settings, {one: model for one, model in self.models.items() if one != key})

    def with_options(self, key: Key, **changes: Value) -> State:
        model = self.need(key)
        return self.with_model(model._replace(options={**model.options, **changes}))

    def with_field(self, key: Key, name: str, field: Field) -> State:
        model = self.need(key)
        return self.with_model(model._replace(fields={**model.fields, name: field}))

    def without_field(self, key: Key, name: str) -> State:
        model = self.need(key)
        found = actual(model.fields, name)
        if found is None:
            raise Missing(f"`{model.name}` has no field `{name}`")
        return self.with_model(model._replace(fields={one: field for one, field in model.fields.items() if one != found}))

    def renamed_field(self, key: Key, old: str, new: str) -> State:
        model = self.need(key)
        found = actual(model.fields, old)
        if found is None:
            raise Missing(f"`{model.name}` has no field `{old}`")
        fields = {name: field for name, field in model.fields.items() if name != found}
        fields[new] = model.fields[found]
        fields = {name: _renamed_parts(field, found, new) for name, field in fields.items()}
        options = dict(model.options)
        for option in ("unique_together", "index_together"):
            if option in options:
                options[option] = [[new if one == found else one for one in together] for together in together_of(options[option])]
        changed = self.with_model(model._replace(fields=fields, options=options))
        return changed.with_renamed_target(key, found, new)

    def with_renamed_target(self, key: Key, old: str, new: str) -> State:
        """With `to_field` of the keys that point to a field that has another name now."""
        models = dict(self.models)
        for model, name, field in self.relations():
            if field.options.get("to_field") == old and reference(field.options.get("to"), model.key, self.settings) == key:
                current = models[model.key]
                models[model.key] = current._replace(fields={**current.fields, name: field.with_options(to_field=new)})
        return State(self.settings, models)

    def renamed_model(self, key: Key, name: str) -> State:
        """With the model under its new name, and all that points to it pointing there."""
        old = self.need(key)
        new = f"{old.app}.{name}"
        models = {one: model for one, model in self.models.items() if one != key}
        renamed = old._replace(name=name)
        for one, model in [*models.items(), (renamed.key, renamed)]:
            fields = dict(model.fields)
            for field_name, field in model.fields.items():
                for option in ("to", "through"):
                    value = field.options.get(option)
                    if value is not None and reference(value, key if model is renamed else one, self.settings) == key:
                        field = field.with_options(**{option: new})  # noqa: PLW2901
                fields[field_name] = field
            models[one] = model._replace(fields=fields)
        return State(self.settings, models)

    def relations(self) -> Iterator[tuple[ModelState, str, Field]]:
        for model in self.models.values():
            for name, field in model.fields.items():
                if "to" in field.options:
                    yield model, name, field


def _renamed_parts(field: Field, old: str, new: str) -> Field:
    """A composite key whose part has another name."""
    if field.kind != "CompositePrimaryKey" or old not in field.options.get("field_names", ()):
        return field
    return field.with_options(field_names=tuple(new if one == old else one for one in field.options["field_names"]))


def actual(fields: dict[str, Field], name: str) -> str | None:
    """The name under which a field is known: operations may write it in other case."""
    if name in fields:
        return name
    lowered = name.lower()
    return next((one for one in fields if one.lower() == lowered), None)


def together_of(value: Value) -> list[tuple[str, ...]]:
    """`unique_together` in one form: a list of tuples of field names, whatever way it was written."""
    if not (is_list(value) or isinstance(value, set | frozenset)) or not value:
        return []
    rows = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)  # Django's order of a set differs from run to run
    if all(isinstance(one, str) for one in rows):
        return [tuple(rows)]
    return [tuple(one) for one in rows if is_list(one) and all(isinstance(name, str) for name in one)]
