"""What to write instead, with the names of the user's own models; SQL where no ORM is known to have sent the calls.

In: a `Group` or `Repeated`. Out: half a sentence. A relationship is named only if the capture named it.
"""

from __future__ import annotations

import re

from dbguard.model.calls import Load
from dbguard.model.units import Group, Parent, Repeated, shown


def fix_of(group: Group) -> str:
    what, load = group.asked, group.load
    if what.command != "select":
        return _of_write(group)
    if load is not None and load.relationship and load.owner and load.event in {"lazy", "column"}:
        return _lazy(group, load)
    orm = load.orm if load is not None else group.calls[0].driver
    if what.counted or what.exists:
        return f"ask once for all rows: {_grouped(group)}"
    column = _looked_up(group)
    if not column:
        return "ask once for all rows, with a join or a list of keys"
    if load is not None and load.owner and orm == "sqlalchemy":
        return f"fetch them together: select({load.owner}).where({load.owner}.{column}.in_(...))"
    if load is not None and load.owner and orm == "django":
        return f"fetch them together: {load.owner}.objects.filter({column}__in=...)"
    return f"fetch them together: WHERE {column} = ANY($1) with all values, or join `{_table(group)}` to the query that gives them"


def _grouped(group: Group) -> str:
    column = _looked_up(group)
    return f"GROUP BY {column} with {column} = ANY($1)" if column else "GROUP BY, or a join"


def _looked_up(group: Group) -> str:
    return group.asked.equal[0] if group.asked.equal else ""


def _table(group: Group) -> str:
    return group.asked.tables[0] if group.asked.tables else "it"


def _lazy(group: Group, load: Load) -> str:
    parent = group.parent
    at = f"at {_place(parent)}, " if parent is not None and parent.group < 0 and not _is_unknown(parent) else ""
    if load.event == "column":
        if load.orm == "django":
            return f'{at}load the column with the rest: take "{load.relationship}" out of defer(), or put it into only()'
        return f"{at}load the column with the rest: undefer({load.owner}.{load.relationship})"
    chain = group.chain or (load,)
    if not group.whole:
        if load.orm == "django":
            return f'{at}load it with its owner: add "{"__".join(one.relationship for one in chain)}" to the path that loads {chain[0].owner}'
        return f"{at}load it with its owner: add .{_options(chain)} to the option that loads {chain[0].owner}"
    return f"{at}{_django(group, chain) if load.orm == 'django' else f'load it with its owner: .options({_options(chain)})'}"


def _place(parent: Parent) -> str:
    return shown(parent.call.frames[0] if parent.call.frames else parent.call.loop, parent.call)


def _is_unknown(parent: Parent) -> bool:
    return not parent.call.frames and parent.call.loop is None


def _options(chain: tuple[Load, ...]) -> str:
    return ".".join(f"{'selectinload' if one.many else 'joinedload'}({one.owner}.{one.relationship})" for one in chain)


def _django(group: Group, chain: tuple[Load, ...]) -> str:
    path = "__".join(one.relationship for one in chain)
    last = chain[-1]
    if last.many and (group.asked.counted or group.asked.exists):
        return _django_counted(group, path)
    if last.many and _is_narrowed(group):
        return f'load it with its owner: .prefetch_related(Prefetch("{path}", queryset=...)) with the filter and order that this query has'
    single = not any(one.many for one in chain) and not (len(chain) == 1 and _is_generic(group, last))
    return f'load it with its owner: .{"select_related" if single else "prefetch_related"}("{path}")'


def _django_counted(group: Group, path: str) -> str:
    if group.asked.counted:
        return f'count in the query of its owner: .annotate(Count("{path}"))'
    return f'ask in the query of its owner: .annotate(Exists(...)), or load them with .prefetch_related("{path}")'


def _is_narrowed(group: Group) -> bool:
    """Whether the query has more conditions than the relationship, so that what is prefetched would not be used."""
    words = group.asked.asks_from.upper()
    where = words.partition(" WHERE ")[2]
    own = 2 if re.search(r"CONTENT_TYPE_ID\b", where) else 1
    return group.asked.limited or where.count(" AND ") + 1 > own


def _is_generic(group: Group, load: Load) -> bool:
    """A generic foreign key: its owner is known by a content type, and the column is not named after the attribute."""
    parent = group.parent
    return parent is not None and "content_type_id" in parent.asked.sql and parent.column not in {f"{load.relationship}_id", "id"}


def fix_of_repeated(repeated: Repeated) -> str:
    load = repeated.load
    if load is not None and load.event == "lazy" and load.owner and load.relationship:
        name = f'"{load.relationship}"'
        if load.orm == "django":
            return f"load it with its owner: .{'prefetch' if load.many else 'select'}_related({name})"
        return f"load it with its owner: .options({'selectinload' if load.many else 'joinedload'}({load.owner}.{load.relationship}))"
    return "keep the first answer and hand it on"


def _of_write(group: Group) -> str:
    what, table = group.asked, _table(group)
    driver = group.calls[0].driver
    column = _looked_up(group) or "id"
    if what.command == "insert":
        if driver == "django":
            return "collect the objects and send them with one bulk_create()"
        if driver == "sqlalchemy":
            return f"send all rows with one execute(): session.execute(insert(...), [...]) into `{table}`"
        return "send all rows with one executemany() or INSERT ... SELECT FROM unnest(...), thousands with COPY"
    if what.command == "delete":
        if driver == "django":
            return f"delete them together: .filter({column}__in=...).delete()"
        return f"delete them together: DELETE FROM {table} WHERE {column} = ANY($1)"
    if driver == "django":
        return "collect the objects and send them with one bulk_update(), or one update() with an expression"
    return f"update them together: UPDATE {table} SET ... FROM unnest($1, $2) AS new({column}, ...) WHERE {table}.{column} = new.{column}"
