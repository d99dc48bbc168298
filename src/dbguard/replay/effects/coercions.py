"""Whether values of one type are stored as values of another without touching a byte.

ATColumnChangeRequiresRewrite in src/backend/commands/tablecmds.c, after the planner has dropped length coercions that can
change nothing (varchar_support, numeric_support, varbit_support, TemporalSimplify, interval_support in src/backend/utils/adt).
"""

from __future__ import annotations

from functools import cache

from dbguard.model.record import Record
from dbguard.model.state import State
from dbguard.model.types import CATALOG, DataType
from dbguard.replay.effects import builtins
from dbguard.replay.effects.types import base_type, is_constrained_domain, user_type

_MAX_TIME_PRECISION = 6
_UTC = frozenset(
    {"utc", "gmt", "etc/utc", "etc/gmt", "zulu", "uct", "universal", "etc/zulu", "etc/uct", "etc/universal", "0", "z", "greenwich", "gmt0"}
)
_TEMPORAL = frozenset({"time", "timetz", "timestamp", "timestamptz"})
_TEXTS = frozenset({"text", "varchar", "bpchar"})
_STRINGS = frozenset({*_TEXTS, "name"})
_WITH_MODIFIERS = frozenset({*_TEMPORAL, "varchar", "bpchar", "bit", "varbit", "numeric", "interval"})


class Conversion(Record):
    rewrites: bool = False
    impossible: bool = False  # needs a USING
    wrong_length: bool = False  # every row is refused
    unknown: tuple[str, ...] = ()


def convert(old: DataType, new: DataType, state: State) -> Conversion:
    """How ALTER COLUMN TYPE gets from `old` to `new`."""
    old, new = _full(old, state), _full(new, state)
    if old == new:
        return Conversion()
    if is_constrained_domain(new, state):
        return Conversion(rewrites=True)
    source, target = base_type(old, state), base_type(new, state)
    if source.array or target.array:
        return Conversion(
            rewrites=source != target, impossible=bool(source.array) and not target.array and (target.builtin or "text") not in _STRINGS
        )
    if source.name == target.name:
        return Conversion(rewrites=not _same_length(source, target), wrong_length=source.builtin == "bit" and source.modifiers != target.modifiers)
    if {source.builtin, target.builtin} == {"timestamp", "timestamptz"}:
        return _time_zone(target, state)
    if _is_binary(source, target):
        shortened = target.builtin in _WITH_MODIFIERS and target.modifiers and not _is_widest(target)
        return Conversion(rewrites=bool(shortened))
    return Conversion(rewrites=True, impossible=_needs_using(source, target), unknown=_unseen(source, target, state))


def opclass(data_type: DataType, state: State) -> DataType | str:
    """What stands for the default operator class of a type: equal for types whose indexes are alike."""
    base = base_type(_full(data_type, state), state)
    if base.array:
        return base._replace(modifiers=())
    return {"varchar": "text", "cidr": "inet"}.get(base.builtin or "", base.builtin or base.name.name)


def _full(data_type: DataType, state: State) -> DataType:
    if data_type.name.schema is not None:
        return data_type
    return data_type._replace(name=state.resolve_type(data_type.name))


def _is_binary(source: DataType, target: DataType) -> bool:
    if "citext" in {source.name.name, target.name.name}:
        return (source.builtin or source.name.name) in {"text", "varchar", "citext"} and (target.builtin or target.name.name) in {*_TEXTS, "citext"}
    if target.builtin == "bpchar":
        return not target.modifiers and (source.builtin or "") in _TEXTS
    return f"{source.builtin}>{target.builtin}" in _casts(builtins.BINARY_CASTS)


def _needs_using(source: DataType, target: DataType) -> bool:
    """Without a cast for assignment only conversions to text are implicit (find_coercion_pathway in parse_coerce.c)."""
    if source.builtin is None or target.builtin is None or target.builtin in _STRINGS:
        return False
    return f"{source.builtin}>{target.builtin}" not in _casts(builtins.ASSIGNMENT_CASTS)


def _time_zone(target: DataType, state: State) -> Conversion:
    """The same bytes if the session's TimeZone is UTC (TimestampTimestampTzRequiresRewrite), which is not known unless it was SET."""
    zone = state.settings.get("timezone")
    if target.modifiers and not _is_widest(target):
        return Conversion(rewrites=True)
    if zone is None:
        return Conversion(rewrites=True, unknown=("the session's TimeZone is not known: taken not to be UTC",))
    return Conversion(rewrites=zone.strip("'").lower() not in _UTC)


def _is_widest(data_type: DataType) -> bool:
    return data_type.builtin in _TEMPORAL and _number(data_type.modifiers[0]) >= _MAX_TIME_PRECISION


def _same_length(source: DataType, target: DataType) -> bool:
    """Whether every value of `source` fits `target`, both of one type, as far as the planner sees it."""
    old, new = source.modifiers, target.modifiers
    if old == new or not new:
        return True
    match source.builtin:
        case "varchar" | "varbit":
            return bool(old) and _number(new[0]) >= _number(old[0])
        case "numeric":
            return bool(old) and _scale(old) == _scale(new) and _number(new[0]) >= _number(old[0])
        case "time" | "timetz" | "timestamp" | "timestamptz":
            return _is_widest(target) or (bool(old) and _number(new[0]) >= _number(old[0]))
        case "interval":
            return _same_interval(old, new)
        case _:
            return False


def _same_interval(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Fields are words (`day to second`), a precision is a number."""
    old_fields, new_fields = (tuple(one for one in modifiers if not one.isdigit()) for modifiers in (old, new))
    old_precision, new_precision = (next((int(one) for one in modifiers if one.isdigit()), None) for modifiers in (old, new))
    if new_fields and new_fields != old_fields:
        return False
    if new_precision is None or new_precision >= _MAX_TIME_PRECISION:
        return True
    return old_precision is not None and new_precision >= old_precision


def _scale(modifiers: tuple[str, ...]) -> int:
    return _number(modifiers[1]) if len(modifiers) > 1 else 0


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _unseen(source: DataType, target: DataType, state: State) -> tuple[str, ...]:
    """A type that was never seen may be a domain over the other one, which would need no rewrite."""
    return tuple(
        f"type `{one.name}` was not seen being created: taken to need a rewrite"
        for one in (source, target)
        if one.name.schema != CATALOG and user_type(one, state) is None and one.name not in state.schema.tables
    )


@cache
def _casts(text: str) -> frozenset[str]:
    return frozenset(text.split())
