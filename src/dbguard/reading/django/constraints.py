"""`models.Index(...)`, `UniqueConstraint`, `CheckConstraint` and `ExclusionConstraint` to what they add to a table."""

from __future__ import annotations

from dbguard.model.record import Record
from dbguard.reading.django.additions import Addition
from dbguard.reading.django.conditions import condition
from dbguard.reading.django.expressions import Unreadable, indexed
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.models import Model
from dbguard.reading.django.names import of_index, quoted
from dbguard.reading.python.values import Called, Local, Symbol, Value

_METHODS = {
    "Index": "", "GinIndex": "gin", "GistIndex": "gist", "BrinIndex": "brin", "BTreeIndex": "btree", "HashIndex": "hash", "BloomIndex": "bloom",
    "SpGistIndex": "spgist", "HnswIndex": "hnsw", "IvfflatIndex": "ivfflat",
}  # fmt: skip
_STORAGE = (  # in the order in which Django writes them
    "length", "autosummarize", "pages_per_range", "buffering", "fillfactor", "deduplicate_items", "gin_pending_list_limit", "fastupdate", "m",
    "ef_construction", "lists",
)  # fmt: skip
_OPERATORS = {
    "EQUAL": "=", "NOT_EQUAL": "<>", "CONTAINS": "@>", "CONTAINED_BY": "<@", "OVERLAPS": "&&", "FULLY_LT": "<<", "FULLY_GT": ">>", "NOT_LT": "&>",
    "NOT_GT": "&<", "ADJACENT_TO": "-|-",
}  # fmt: skip
_UNREAD_CONDITION = "true"  # stands for a condition that is not followed: the index or constraint is there all the same


class Made(Record):
    """What is added, and why a part of it is not known."""

    addition: Addition
    unread: str = ""


def class_name(value: Value, settings: Settings) -> str:
    """The Django class of an index or constraint; also of a project's subclass of one that has no more than that."""
    target = value.target if isinstance(value, Called) else None
    for _ in range(6):
        if isinstance(target, Symbol):
            if target.path.startswith(("django.db.models.", "django.contrib.postgres.", "pgvector.django.")):
                return target.path.rpartition(".")[2]
            found = settings.resolve_class(target.path) if settings.resolve_class is not None else None
            if found is None or not found.bases or {"create_sql", "constraint_sql"} & found.members.keys():
                return ""
            target = found.bases[0]
        elif isinstance(target, Local) and target.is_class:
            bases = target.interpreter.bases(target)
            if not bases or {"create_sql", "constraint_sql"} & target.interpreter.members(target).keys():
                return ""
            target = bases[0]
        else:
            return ""
    return ""


def name_of(value: Value, model: Model) -> str:
    """The name of an index or constraint; Django computes it for an index that was given none."""
    if not isinstance(value, Called):
        return ""
    name = value.kwargs.get("name")
    if isinstance(name, str) and name:
        values = {"class": model.state.name.lower(), "app_label": model.key[0]}
        return name % values if "%(" in name else name
    if not value.args and value.target is not None and is_list(fields := value.kwargs.get("fields")) and fields:
        columns = [(model.get(str(one).removeprefix("-")).column, str(one).startswith("-")) for one in fields]
        return of_index(model.table, columns, _METHODS.get(class_name(value, model.within.settings), "") or "idx")
    return ""


def index(value: Value, model: Model, *, concurrently: bool = False) -> Made:
    kind = class_name(value, model.within.settings)
    if kind not in _METHODS or not isinstance(value, Called):
        raise Unreadable(f"the index class `{shown(value)}` is not known")
    name = name_of(value, model)
    if not name:
        raise Unreadable("an index whose name is not known")
    one = Addition("index", model.table, name=name, using=_METHODS[kind], concurrently=concurrently, extra=_extra(value, kind))
    one = _keys(one, value, model, value.args)
    tablespace = _tablespace(value, one, model)
    return _conditioned(one._replace(extra=one.extra + tablespace), value.kwargs.get("condition"), model)


def constraint(value: Value, model: Model) -> Made:
    kind = class_name(value, model.within.settings)
    if not isinstance(value, Called) or kind not in {"UniqueConstraint", "CheckConstraint", "ExclusionConstraint"}:
        raise Unreadable(f"the constraint class `{shown(value)}` is not known")
    name = name_of(value, model)
    if not name:
        raise Unreadable("a constraint whose name is not known")
    deferrable = _deferrable(value.kwargs.get("deferrable"))
    if kind == "CheckConstraint":
        tested = value.kwargs.get("condition", value.kwargs.get("check"))
        try:
            found = condition(tested, model)
        except Unreadable as unread:
            return Made(Addition("check", model.table, name=name, check=_UNREAD_CONDITION), unread.reason)
        return Made(Addition("check", model.table, found.columns, name=name, check=found.text))
    if kind == "ExclusionConstraint":
        return _exclusion(value, model, name, deferrable)
    one = _keys(Addition("unique", model.table, name=name, deferrable=deferrable), value, model, value.args)
    distinct = value.kwargs.get("nulls_distinct")
    one = one._replace(nulls=" NULLS NOT DISTINCT" if distinct is False else " NULLS DISTINCT" if distinct is True else "")
    made = _conditioned(one, value.kwargs.get("condition"), model)
    one = made.addition
    if one.condition or one.include or one.opclasses or one.expressions:
        return Made(one._replace(kind="unique index"), made.unread)
    return made


def shown(value: Value) -> str:
    if isinstance(value, Called):
        if isinstance(value.target, Symbol):
            return value.target.path
        return getattr(value.target, "name", "") or "a call"
    return "a value that is no call"


def _keys(one: Addition, call: Called, model: Model, expressions: tuple[Value, ...]) -> Addition:
    fields = call.kwargs.get("fields", ())
    if not is_list(fields) or not all(isinstance(field, str) for field in fields):
        raise Unreadable("fields that are not known")
    include = call.kwargs.get("include") or ()
    if not is_list(include):
        raise Unreadable("included fields that are not known")
    one = one._replace(include=tuple(model.get(str(field)).column for field in include))
    if expressions:
        found = [indexed(expression, model) for expression in expressions]
        mentions = tuple(dict.fromkeys(column for part in found for column in part.columns))
        return one._replace(expressions=tuple(part.text for part in found), mentions=mentions)
    opclasses = call.kwargs.get("opclasses") or ()
    if not is_list(opclasses) or not all(isinstance(name, str) for name in opclasses):
        raise Unreadable("operator classes that are not known")
    columns = tuple(model.get(field.removeprefix("-")).column for field in fields)
    return one._replace(columns=columns, descending=tuple(field.startswith("-") for field in fields), opclasses=tuple(opclasses))


def _conditioned(one: Addition, value: Value, model: Model) -> Made:
    if value is None:
        return Made(one)
    try:
        found = condition(value, model)
    except Unreadable as unread:
        return Made(one._replace(condition=_UNREAD_CONDITION), unread.reason)
    return Made(one._replace(condition=found.text))


def _exclusion(call: Called, model: Model, name: str, deferrable: str) -> Made:
    pairs = call.kwargs.get("expressions")
    if not is_list(pairs):
        raise Unreadable("the expressions of an exclusion constraint are not known")
    method = call.kwargs.get("index_type") or "GIST"
    texts: list[str] = []
    mentions: list[str] = []
    for pair in pairs:
        if not is_list(pair) or len(pair) != 2:
            raise Unreadable("an expression of an exclusion constraint is not known")
        found = indexed(pair[0], model)
        texts.append(f"{found.text} WITH {_operator(pair[1])}")
        mentions += found.columns
    include = call.kwargs.get("include") or ()
    one = Addition("exclusion", model.table, name=name, using=str(method), expressions=tuple(texts), mentions=tuple(mentions), deferrable=deferrable)
    one = one._replace(include=tuple(model.get(str(field)).column for field in include))
    return _conditioned(one, call.kwargs.get("condition"), model)


def _operator(value: Value) -> str:
    if isinstance(value, str):
        return value
    name = value.path.rpartition(".")[2] if isinstance(value, Symbol) else ""
    if name not in _OPERATORS:
        raise Unreadable("an operator that is not known")
    return _OPERATORS[name]


def _deferrable(value: Value) -> str:
    name = value.path.rpartition(".")[2].upper() if isinstance(value, Symbol) else ""
    if isinstance(value, Called) and value.args:
        name = str(value.args[0]).upper()  # Deferrable["DEFERRED"] or Deferrable("deferred")
    item = getattr(value, "key", None)
    name = item.upper() if isinstance(item, str) else name
    return f" DEFERRABLE INITIALLY {name}" if name in {"DEFERRED", "IMMEDIATE"} else ""


def _extra(call: Called, kind: str) -> str:
    words = []
    for name in _STORAGE:
        value = call.kwargs.get(name)
        if isinstance(value, bool | int):
            words.append(f"{name} = {'on' if value is True else 'off' if value is False else value}")
    if kind == "BloomIndex" and is_list(columns := call.kwargs.get("columns")):
        words += [f"col{number} = {bits}" for number, bits in enumerate(columns, start=1)]
    return f" WITH ({', '.join(words)})" if words else ""


def _tablespace(call: Called, one: Addition, model: Model) -> str:
    name = call.kwargs.get("db_tablespace")
    if name is None and len(one.columns) == 1:
        own = next((column.field.options.get("db_tablespace") for column in model.columns if column.column == one.columns[0]), None)
        name = own if isinstance(own, str) else None
    name = name or model.within.settings.default_index_tablespace or model.tablespace
    return f" TABLESPACE {quoted(name)}" if isinstance(name, str) and name else ""
