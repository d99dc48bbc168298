"""`Q` objects to SQL, for check constraints and partial indexes."""

from __future__ import annotations

from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.columns import Column
from dbguard.reading.django.defaults import adapted
from dbguard.reading.django.expressions import Sql, Unreadable, compiled, named
from dbguard.reading.django.literals import Unfit, is_list, literal, plain
from dbguard.reading.django.models import Model
from dbguard.reading.django.names import quoted
from dbguard.reading.django.state import Missing
from dbguard.reading.python.values import Attribute, Called, Operator, Value

_COMPARED = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIKE = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_CLASSES = {
    "Exact": "exact", "GreaterThan": "gt", "GreaterThanOrEqual": "gte", "LessThan": "lt", "LessThanOrEqual": "lte", "IsNull": "isnull", "In": "in",
    "Contains": "contains", "StartsWith": "startswith", "EndsWith": "endswith", "Regex": "regex", "IExact": "iexact", "IContains": "icontains",
    "Range": "range",
}  # fmt: skip
_TRANSFORMS: dict[str, tuple[str, str]] = {
    "lower": ("LOWER({})", "TextField"), "upper": ("UPPER({})", "TextField"), "length": ("LENGTH({})", "IntegerField"),
    "trim": ("TRIM({})", "TextField"), "abs": ("ABS({})", ""), "date": ("({})::date", "DateField"),
    "len": ("CASE WHEN {} IS NULL THEN NULL ELSE COALESCE(array_length({}, 1), 0) END", "IntegerField"),
    "year": ("EXTRACT(YEAR FROM {})", "IntegerField"), "month": ("EXTRACT(MONTH FROM {})", "IntegerField"),
    "day": ("EXTRACT(DAY FROM {})", "IntegerField"), "hour": ("EXTRACT(HOUR FROM {})", "IntegerField"),
    "startswith": ("lower({})", ""), "endswith": ("upper({})", ""), "isempty": ("isempty({})", "BooleanField"),
    "lower_inc": ("lower_inc({})", "BooleanField"), "upper_inc": ("upper_inc({})", "BooleanField"),
    "lower_inf": ("lower_inf({})", "BooleanField"), "upper_inf": ("upper_inf({})", "BooleanField"),
}  # fmt: skip
_RANGES = {"contained_by": "<@", "contains": "@>", "overlap": "&&", "fully_lt": "<<", "fully_gt": ">>", "adjacent_to": "-|-"}
_KNOWN_LOOKUPS = frozenset(
    [*_COMPARED, *_LIKE, "iexact", "icontains", "istartswith", "iendswith", "in", "isnull", "range", "regex", "iregex", *_RANGES]
)
_DEEPEST = 60


class _Group(Record):
    """Conditions under one connector. `children` are groups and SQL."""

    connector: str
    children: tuple[Any, ...]
    negated: bool = False


def condition(value: Value, model: Model) -> Sql:
    """A `Q`, or another expression that is true or false."""
    mentioned: dict[str, None] = {}
    group = _group(value, model, mentioned, negated=False, depth=0)
    return Sql(_written(group, outer=True), "BooleanField", tuple(mentioned), conditional=True)


def of_lookups(lookups: dict[str, Value], model: Model) -> Sql:
    """Lookups as keyword arguments: `status="paid", total__gt=0`."""
    mentioned: dict[str, None] = {}
    children = tuple(_leaf(name, one, model, mentioned, negated=False) for name, one in sorted(lookups.items()))
    return Sql(_written(_Group("AND", children), outer=True), "BooleanField", tuple(mentioned), conditional=True)


def _group(value: Value, model: Model, mentioned: dict[str, None], *, negated: bool, depth: int) -> _Group:
    if depth > _DEEPEST:
        raise Unreadable("a condition nested too deeply")
    tree = _tree(value, depth)
    if not isinstance(tree, _Group):
        found = _expression(tree, model)
        mentioned.update(dict.fromkeys(found.columns))
        return _Group("AND", (found.text,))
    negated ^= tree.negated
    whole = _Group(tree.connector, (), tree.negated)
    for child in tree.children:
        if isinstance(child, tuple) and len(child) == 2 and isinstance(child[0], str):
            part = _leaf(child[0], child[1], model, mentioned, negated=negated)
        else:
            part = _group(child, model, mentioned, negated=negated, depth=depth + 1)
        whole = _with(whole, part)
    return whole


def _with(group: _Group, part: _Group) -> _Group:
    """Flattened as Django's nodes are: what has the same connector, or one child only, is taken in."""
    if not part.children and not part.negated:
        return group
    if not part.negated and (part.connector == group.connector or len(part.children) == 1):
        return group._replace(children=(*group.children, *part.children))
    return group._replace(children=(*group.children, part))


def _tree(value: Value, depth: int) -> Value:
    """A `Q` as a group of lookups and of other values; anything else as it is."""
    if isinstance(value, _Group) or depth > _DEEPEST:
        return value
    if isinstance(value, Operator) and value.name in {"&", "|", "^"}:
        connector = {"&": "AND", "|": "OR", "^": "XOR"}[value.name]
        parts = [_tree(one, depth + 1) for one in value.operands]
        parts = [part if isinstance(part, _Group) else _Group("AND", (part,)) for part in parts]
        if any(not part.children for part in parts):
            return next((part for part in parts if part.children), parts[0])
        whole = _Group(connector, ())
        for part in parts:
            whole = _with(whole, part)
        return whole
    if isinstance(value, Operator) and value.name == "~":
        inner = _tree(value.operands[0], depth + 1)
        if isinstance(inner, _Group):
            return inner._replace(negated=not inner.negated)
        return _Group("AND", (inner,), negated=True)
    if named(value) == "Q":
        kwargs = dict(value.kwargs)
        connector, negated = kwargs.pop("_connector", "AND"), kwargs.pop("_negated", False)
        if "**" in kwargs or not isinstance(connector, str):
            raise Unreadable("a `Q` whose parts are not known")
        return _Group(connector.upper(), (*value.args, *sorted(kwargs.items())), negated is True)
    return value


def _written(group: Any, *, outer: bool = False) -> str:
    if not isinstance(group, _Group):
        return str(group)
    parts = [_written(child) for child in group.children]
    if not parts:
        raise Unreadable("an empty condition")
    if group.connector == "XOR":
        counted = " + ".join(f"CASE WHEN {part} THEN 1 ELSE 0 END" for part in parts)
        text = f"(({' OR '.join(parts)}) AND 1 = {f'MOD({counted}, 2)' if len(parts) > 2 else f'({counted})'})"
    else:
        text = f" {group.connector} ".join(parts)
    if group.negated:
        return f"NOT ({text})"
    return f"({text})" if len(parts) > 1 and not outer else text


def _expression(value: Value, model: Model) -> Sql:
    """A condition that is no `Q`: a lookup class, or an expression of boolean type."""
    name = named(value)
    if name not in _CLASSES or name == "Range":
        return compiled(value, model)
    left, right = value.args[0], value.args[1] if len(value.args) > 1 else value.kwargs.get("rhs")
    lhs = compiled(left, model) if not isinstance(left, str) else Sql(literal(left))
    text = _looked(_CLASSES[name], lhs, right, model)
    more = compiled(right, model).columns if isinstance(right, Called | Operator) else ()
    return Sql(text, "BooleanField", (*lhs.columns, *more))


def _leaf(lookup: str, value: Value, model: Model, mentioned: dict[str, None], *, negated: bool) -> _Group:
    lhs, name, column = _left(lookup, model)
    mentioned[column.column] = None
    if isinstance(value, Called | Operator):
        mentioned.update(dict.fromkeys(_right(value, model).columns))
    if name == "exact" and value is None:
        name, value = "isnull", True
    children: tuple[str, ...] = (_looked(name, lhs, value, model),)
    if negated and (name != "isnull" or value is False) and value is not None and name != "isnull":
        if column.field.null:
            children += (f"{quoted(column.column)} IS NOT NULL",)
        if isinstance(value, Called) and (other := _right(value, model)).column is not None and other.column.field.null:
            children += (f"{other.text} IS NOT NULL",)
    return _Group("AND", children)


def _right(value: Value, model: Model) -> Sql:
    return compiled(value, model)


def _left(lookup: str, model: Model) -> tuple[Sql, str, Column]:
    """The left side of a lookup, what it asks, and the column it is about."""
    first, *rest = lookup.split("__")
    try:
        column = model.get(first)
    except Missing as missing:
        raise Unreadable(missing.reason) from None
    if not column.type:
        raise Unreadable(f"`{first}` is no column")
    found = Sql(quoted(column.column), column.field.kind, (column.column,), column, column.field.kind == "BooleanField")
    if column.field.relation and rest and column.target is not None and rest[0] in {"id", "pk", column.target.name}:
        rest = rest[1:]
    name = rest.pop() if rest and rest[-1] in _KNOWN_LOOKUPS and not (len(rest) == 1 and rest[-1] not in _KNOWN_LOOKUPS) else "exact"
    for transform in rest:
        if transform not in _TRANSFORMS or column.field.kind in {"JSONField", "ForeignKey", "OneToOneField"}:
            raise Unreadable(f"the lookup `{lookup}` is not followed")
        template, kind = _TRANSFORMS[transform]
        found = Sql(template.replace("{}", found.text), kind, found.columns)
    return found, name, column


def _looked(name: str, lhs: Sql, value: Value, model: Model) -> str:
    """One comparison."""
    if name == "isnull":
        return f"{lhs.text} IS {'NULL' if value is True else 'NOT NULL'}"
    if name == "exact" and isinstance(value, bool) and (lhs.conditional or lhs.kind == "BooleanField"):
        return lhs.text if value else f"NOT {lhs.text}"
    if name in _COMPARED:
        return f"{lhs.text} {_COMPARED[name]} {_side(value, lhs, model)}"
    if name == "in":
        return f"{lhs.text} IN ({', '.join(_members(value, lhs, model))})"
    if name == "range":
        low, high = _pair(value)
        return f"{lhs.text} BETWEEN {_side(low, lhs, model)} AND {_side(high, lhs, model)}"
    if lhs.kind in {"ArrayField", "JSONField", "Other", "HStoreField"}:
        raise Unreadable(f"the lookup `{name}` on a {lhs.kind} is not followed")
    return _matched(name, lhs, value)


def _matched(name: str, lhs: Sql, value: Value) -> str:
    """A comparison of text with a pattern."""
    if not isinstance(value, str):
        raise Unreadable(f"the lookup `{name}` with a value that is no text is not followed")
    side = f"HOST({lhs.text})" if lhs.kind in {"GenericIPAddressField", "IPAddressField"} else f"{lhs.text}::text"
    if name in {"regex", "iregex"}:
        return f"{side} {'~' if name == 'regex' else '~*'} {literal(value)}"
    if name == "iexact":
        return f"UPPER({side}) = UPPER({literal(value)})"
    folded = name.startswith("i")
    pattern = _LIKE.get(name[1:] if folded else name)
    if pattern is None:
        raise Unreadable(f"the lookup `{name}` is not followed")
    for special in ("\\", "%", "_"):
        value = value.replace(special, f"\\{special}")
    text = literal(pattern.replace("{}", value))
    return f"UPPER({side}) LIKE UPPER({text})" if folded else f"{side} LIKE {text}"


def _side(value: Value, lhs: Sql, model: Model) -> str:
    if isinstance(value, Called | Operator) and not _is_plain(value):
        return compiled(value, model).text
    try:
        column = lhs.column
        return literal(adapted(_compared_as(lhs), plain(value), column, model.within.settings))
    except Unfit as unfit:
        raise Unreadable(f"`{unfit}` is not known") from None


def _compared_as(lhs: Sql) -> str:
    return lhs.kind if lhs.kind not in {"", "Other"} else "Any"


def _is_plain(value: Value) -> bool:
    """Whether a call makes a value of Python rather than an expression of Django."""
    return isinstance(value, Called) and not isinstance(value.target, Attribute) and not named(value)


def _members(value: Value, lhs: Sql, model: Model) -> list[str]:
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if not is_list(value):
        raise Unreadable("an `__in` with members that are not known")
    found = list(dict.fromkeys(_side(one, lhs, model) for one in value if one is not None))
    if not found:
        raise Unreadable("an `__in` without members")
    return found


def _pair(value: Value) -> tuple[Value, Value]:
    if is_list(value) and len(value) == 2:
        return value[0], value[1]
    raise Unreadable("a range that is not known")
