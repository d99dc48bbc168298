"""Django's expressions (`F`, `Value`, `Lower`, `Case` ...) to SQL, for indexes, constraints, defaults and generated columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.columns import Column, database_type
from dbguard.reading.django.defaults import adapted
from dbguard.reading.django.fields import field_of
from dbguard.reading.django.literals import Unfit, literal, plain
from dbguard.reading.django.models import Model
from dbguard.reading.django.names import quoted
from dbguard.reading.django.state import Missing
from dbguard.reading.python.values import Attribute, Called, Operator, Symbol, Unknown, Value, is_known


class Sql(Record):
    """An expression as SQL. `kind` is the internal type of its value where that matters, `columns` what it mentions."""

    text: str
    kind: str = ""
    columns: tuple[str, ...] = ()
    column: Column | None = None  # of a plain column
    conditional: bool = False


class Unreadable(Exception):  # noqa: N818 - reads better where it is caught
    """An expression that is not followed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_FUNCTIONS = {
    "Abs": "ABS", "ACos": "ACOS", "ASin": "ASIN", "ATan": "ATAN", "Ceil": "CEILING", "Chr": "CHR", "Coalesce": "COALESCE", "Cos": "COS",
    "Exp": "EXP", "Floor": "FLOOR", "Greatest": "GREATEST", "Least": "LEAST", "Left": "LEFT", "Length": "LENGTH", "Ln": "LN", "Log": "LOG",
    "Lower": "LOWER", "LPad": "LPAD", "LTrim": "LTRIM", "MD5": "MD5", "Mod": "MOD", "NullIf": "NULLIF", "Ord": "ASCII", "Pi": "PI", "Power": "POWER",
    "Random": "RANDOM", "Repeat": "REPEAT", "Replace": "REPLACE", "Reverse": "REVERSE", "Right": "RIGHT", "Round": "ROUND", "RPad": "RPAD",
    "RTrim": "RTRIM", "Sign": "SIGN", "Sin": "SIN", "Sqrt": "SQRT", "StrIndex": "STRPOS", "Substr": "SUBSTRING", "Tan": "TAN", "Trim": "TRIM",
    "Upper": "UPPER", "RandomUUID": "GEN_RANDOM_UUID", "TransactionNow": "CURRENT_TIMESTAMP", "Now": "STATEMENT_TIMESTAMP", "DateRange": "DATERANGE",
    "TsTzRange": "TSTZRANGE", "Degrees": "DEGREES", "Radians": "RADIANS", "Cot": "COT", "Count": "COUNT", "UUID4": "GEN_RANDOM_UUID",
}  # fmt: skip
_TEXTS = frozenset(
    ["Chr", "Concat", "Left", "Lower", "LPad", "LTrim", "MD5", "Repeat", "Replace", "Reverse", "Right", "RPad", "RTrim", "Substr", "Trim", "Upper"]
)
_DIGESTS = {"SHA1": "SHA1", "SHA224": "SHA224", "SHA256": "SHA256", "SHA384": "SHA384", "SHA512": "SHA512"}
_PARTS = {
    "ExtractYear": "YEAR", "ExtractMonth": "MONTH", "ExtractDay": "DAY", "ExtractHour": "HOUR", "ExtractMinute": "MINUTE", "ExtractSecond": "SECOND",
    "ExtractWeek": "WEEK", "ExtractQuarter": "QUARTER", "ExtractIsoYear": "ISOYEAR", "ExtractIsoWeekDay": "ISODOW",
}  # fmt: skip
_ORDERS = {"asc": "ASC", "desc": "DESC"}
_WRAPPERS = frozenset(["OrderBy", "OpClass", "Collate"])
_MODULES = ("django.db.models", "django.contrib.postgres")
_DEEPEST = 60


def named(value: Value) -> str:
    """The name of Django's class that a call makes; empty for anything else."""
    if isinstance(value, Called) and isinstance(value.target, Symbol) and value.target.path.startswith(_MODULES):
        return value.target.path.rpartition(".")[2]
    return ""


def compiled(value: Value, model: Model, depth: int = 0) -> Sql:
    """An expression as SQL; column names are not qualified."""
    if depth > _DEEPEST:
        raise Unreadable("an expression nested too deeply")
    if isinstance(value, Operator):
        return _operated(value, model, depth)
    if isinstance(value, Called) and isinstance(value.target, Attribute):
        return _method(value, value.target, model, depth)
    name = named(value)
    if not name:
        return _value(value)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(value, model, depth)
    if name in _FUNCTIONS:
        function = _FUNCTIONS[name]
        if name == "TransactionNow":
            return Sql(function, "DateTimeField")
        return _joined(f"{function}({{}})", _arguments(value, model, depth), "TextField" if name in _TEXTS else "")
    if name in _DIGESTS:
        inner = _arguments(value, model, depth)
        return _joined(f"ENCODE(DIGEST({{}}, '{name.lower()}'), 'hex')", inner, "TextField")
    if name in _PARTS:
        return _joined(f"EXTRACT({_PARTS[name]} FROM {{}})", _arguments(value, model, depth), "IntegerField")
    raise Unreadable(f"the expression `{name}` is not followed")


def indexed(value: Value, model: Model) -> Sql:
    """An expression as a key of an index: in parentheses, then collation, operator class and order."""
    order = opclass = collation = ""
    inner: Value = value
    for _ in range(4):
        name = named(inner)
        if isinstance(inner, Called) and isinstance(inner.target, Attribute) and inner.target.name in _ORDERS:
            order = _order(inner.target.name, inner.kwargs)
            inner = inner.target.base
        elif name == "OrderBy":
            order = _order("desc" if _argument(inner, 1, "descending") is True else "asc", inner.kwargs)
            inner = _argument(inner, 0, "expression")
        elif name == "OpClass":
            opclass = f" {_word(_argument(inner, 1, 'name'))}"
            inner = _argument(inner, 0, "expression")
        elif name == "Collate":
            collation = f" COLLATE {quoted(_word(_argument(inner, 1, 'collation')))}"
            inner = _argument(inner, 0, "expression")
        else:
            break
    found = _field(inner, model) if isinstance(inner, str) else compiled(inner, model)
    text = found.text if found.column is not None else f"({found.text})"
    return found._replace(text=f"{text}{collation}{opclass}{order}")


def _order(direction: str, kwargs: dict[str, Value]) -> str:
    nulls = " NULLS FIRST" if kwargs.get("nulls_first") is True else " NULLS LAST" if kwargs.get("nulls_last") is True else ""
    return f" {_ORDERS[direction]}{nulls}"


def _word(value: Value) -> str:
    if not isinstance(value, str):
        raise Unreadable("a name that is not known")
    return value


def _argument(call: Value, index: int, name: str, default: Value = None) -> Value:
    if len(call.args) > index:
        return call.args[index]
    return call.kwargs.get(name, default)


def _field(name: str, model: Model) -> Sql:
    try:
        column = model.get(name)
    except Missing as missing:
        raise Unreadable(missing.reason) from None
    return Sql(quoted(column.column), column.field.kind, (column.column,), column, column.field.kind == "BooleanField")


def _value(value: Value) -> Sql:
    """A literal that stands where an expression is expected."""
    try:
        known = plain(value)
        return Sql(literal(known), "TextField" if isinstance(known, str) else "")
    except Unfit as unfit:
        if isinstance(value, Unknown):
            raise Unreadable(value.reason) from None
        raise Unreadable(f"`{unfit}` is not known") from None


def _source(value: Value, model: Model, depth: int) -> Sql:
    """An argument of a function: a text is the name of a field."""
    return _field(value, model) if isinstance(value, str) else compiled(value, model, depth + 1)


def _arguments(call: Called, model: Model, depth: int) -> list[Sql]:
    return [_source(one, model, depth) for one in call.args]


def _joined(template: str, parts: list[Sql], kind: str = "", glue: str = ", ") -> Sql:
    columns = tuple(dict.fromkeys(column for part in parts for column in part.columns))
    return Sql(template.replace("{}", glue.join(part.text for part in parts)), kind or (parts[0].kind if parts else ""), columns)


def _operated(value: Operator, model: Model, depth: int) -> Sql:
    from dbguard.reading.django.conditions import condition

    if value.name in {"&", "|", "^", "~"}:
        return condition(value, model)
    if value.name == "-" and len(value.operands) == 1:
        inner = compiled(value.operands[0], model, depth + 1)
        return inner._replace(text=f"-{inner.text}", column=None)
    if value.name in {"+", "-", "*", "/", "%", "**"} and len(value.operands) == 2:
        left, right = (compiled(one, model, depth + 1) for one in value.operands)
        if value.name == "+" and "SearchVector" in (left.kind, right.kind):
            return _joined("({})", [left, right], "SearchVector", " || ")
        sign = {"**": "^"}.get(value.name, value.name)
        return _joined("({})", [left, right], left.kind or right.kind, f" {sign} ")
    raise Unreadable(f"`{value.name}` between expressions is not followed")


def _method(call: Called, target: Attribute, model: Model, depth: int) -> Sql:
    """`F("a").desc()`, `F("flags").bitand(4)`."""
    if target.name in _ORDERS:
        inner = compiled(target.base, model, depth + 1)
        return inner._replace(text=inner.text + _order(target.name, call.kwargs), column=None)
    signs = {"bitand": "&", "bitor": "|", "bitxor": "#", "bitleftshift": "<<", "bitrightshift": ">>"}
    if target.name in signs and len(call.args) == 1:
        left = compiled(target.base, model, depth + 1)
        right = compiled(call.args[0], model, depth + 1)
        return _joined("({})", [left, right], left.kind, f" {signs[target.name]} ")
    raise Unreadable(f"`{target.name}()` of an expression is not followed")


def _f(call: Called, model: Model, _depth: int) -> Sql:
    return _field(_word(_argument(call, 0, "name")), model)


def _literal(call: Called, model: Model, _depth: int) -> Sql:
    value = _argument(call, 0, "value")
    output = call.kwargs.get("output_field")
    try:
        known = plain(value)
        if output is None:
            return Sql(literal(known), "TextField" if isinstance(known, str) else "")
        field = field_of(output, model.within.settings)
        return Sql(literal(adapted(field.kind, known, None, model.within.settings)), field.kind)
    except Unfit as unfit:
        raise Unreadable(f"`{unfit}` is not known") from None


def _cast(call: Called, model: Model, depth: int) -> Sql:
    inner = _source(_argument(call, 0, "expression"), model, depth)
    field = field_of(_argument(call, 1, "output_field"), model.within.settings)
    type_, unread = database_type(field, model.within.settings)
    if not type_:
        raise Unreadable(unread)
    return Sql(f"({inner.text})::{type_}", field.kind, inner.columns)


def _as_text(part: Sql) -> Sql:
    return part if part.kind in {"CharField", "TextField"} else part._replace(text=f"({part.text})::text", kind="TextField", column=None)


def _concat(call: Called, model: Model, depth: int) -> Sql:
    """Pairs from the right: a || (b || c), nulls as empty texts."""
    parts = [_as_text(one) for one in _arguments(call, model, depth)]
    if len(parts) < 2:
        raise Unreadable("`Concat` with fewer than two arguments")
    whole = parts[-1]
    for part in reversed(parts[:-1]):
        whole = _joined("({})", [_joined("COALESCE({}, '')", [one], "TextField") for one in (part, whole)], "TextField", " || ")
    return whole


def _vector(call: Called, model: Model, depth: int) -> Sql:
    parts = [_joined("COALESCE({}, '')", [_as_text(one)], "TextField") for one in _arguments(call, model, depth)]
    config, weight = call.kwargs.get("config"), call.kwargs.get("weight")
    first = "" if config is None else f"{_config(config, model, depth)}, "
    found = _joined(f"to_tsvector({first}{{}})", parts, "SearchVector", " || ' ' || ")
    return found if weight is None else found._replace(text=f"setweight({found.text}, {compiled(weight, model, depth + 1).text})")


def _config(value: Value, model: Model, depth: int) -> str:
    if named(value) == "SearchConfig":
        value = _argument(value, 0, "config")
    return f"{literal(value) if isinstance(value, str) else compiled(value, model, depth + 1).text}::regconfig"


def _case(call: Called, model: Model, depth: int) -> Sql:
    parts: list[Sql] = []
    text = "CASE"
    for when in call.args:
        if named(when) != "When":
            raise Unreadable("a `Case` that is not followed")
        tested, then = _when(when, model, depth)
        parts += [tested, then]
        text += f" WHEN {tested.text} THEN {then.text}"
    default = compiled(call.kwargs["default"], model, depth + 1) if call.kwargs.get("default") is not None else Sql("NULL")
    whole = _joined("", [*parts, default], default.kind)
    return whole._replace(text=f"{text} ELSE {default.text} END")


def _when(when: Called, model: Model, depth: int) -> tuple[Sql, Sql]:
    from dbguard.reading.django.conditions import condition, of_lookups

    kwargs = {name: one for name, one in when.kwargs.items() if name not in {"then", "condition"}}
    tested = when.args[0] if when.args else when.kwargs.get("condition")
    then = when.kwargs["then"] if "then" in when.kwargs else when.args[1] if len(when.args) > 1 else None
    found = condition(tested, model) if tested is not None else of_lookups(kwargs, model)
    return found, compiled(then, model, depth + 1)


def _wrapped(call: Called, model: Model, depth: int) -> Sql:
    return compiled(_argument(call, 0, "expression"), model, depth + 1)


def _func(call: Called, model: Model, depth: int) -> Sql:
    function, template = call.kwargs.get("function"), call.kwargs.get("template")
    glue = call.kwargs.get("arg_joiner", ", ")
    parts = _arguments(call, model, depth)
    if not isinstance(glue, str) or not (isinstance(function, str) or isinstance(template, str)):
        raise Unreadable("a `Func` without a known function")
    inner = glue.join(part.text for part in parts)
    if isinstance(template, str):
        text = template.replace("%(function)s", function if isinstance(function, str) else "").replace("%(expressions)s", inner).replace("%%", "%")
    else:
        text = f"{function}({inner})"
    return _joined("", parts)._replace(text=text, kind="")


def _raw(call: Called, _model: Model, _depth: int) -> Sql:
    sql, params = _argument(call, 0, "sql"), _argument(call, 1, "params", ())
    if not isinstance(sql, str) or not is_known(params):
        raise Unreadable("a `RawSQL` that is not known")
    try:
        return Sql(f"({sql % tuple(literal(one) for one in params or ())})")
    except (TypeError, ValueError):
        raise Unreadable("a `RawSQL` whose parameters do not fit") from None


def _condition(call: Called, model: Model, _depth: int) -> Sql:
    from dbguard.reading.django.conditions import condition

    return condition(call, model)


def _boundary(call: Called, _model: Model, _depth: int) -> Sql:
    lower = "[" if _argument(call, 0, "inclusive_lower", default=True) is True else "("
    upper = "]" if _argument(call, 1, "inclusive_upper", default=False) is True else ")"
    return Sql(f"'{lower}{upper}'")


def _extract(call: Called, model: Model, depth: int) -> Sql:
    part = _word(_argument(call, 1, "lookup_name"))
    name = {"iso_year": "ISOYEAR", "iso_week_day": "ISODOW"}.get(part, part.upper())
    return _joined(f"EXTRACT({name} FROM {{}})", [_source(_argument(call, 0, "expression"), model, depth)], "IntegerField")


_SPECIAL: dict[str, Callable[[Any, Model, int], Sql]] = {
    "F": _f, "Value": _literal, "Cast": _cast, "Concat": _concat, "ConcatPair": _concat, "SearchVector": _vector, "Case": _case,
    "ExpressionWrapper": _wrapped, "Func": _func, "RawSQL": _raw, "Q": _condition, "RangeBoundary": _boundary, "Extract": _extract,
    **dict.fromkeys(
        ["Exact", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual", "IsNull", "In", "Contains", "StartsWith", "EndsWith", "Regex",
         "IExact", "IContains", "Range"],
        _condition,
    ),
}  # fmt: skip
