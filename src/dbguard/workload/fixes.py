"""What to write instead, with the names of the user's own models; SQL where no ORM is known to have sent the calls.

In: a `Group` or `Repeated`. Out: half a sentence. A relationship is named only if the capture named it.
"""

from __future__ import annotations

import re

from dbguard.model.calls import Call, Load
from dbguard.model.units import Group, Repeated, shown


def fix_of(group: Group) -> str:
    what, load = group.asked, group.load
    if what.command != "select":
        return _of_write(group)
    if load is not None and load.relationship and load.owner and load.event in {"lazy", "column", "eager"}:
        return _lazy(group, load)
    orm = load.orm if load is not None else group.calls[0].driver
    if what.counted or what.exists or what.aggregated:
        return f"ask once for all rows: {_grouped(group)}"
    column = _looked_up(group)
    if not column:
        return "ask once for all rows, with a join or a list of keys"
    if len(_varying(group)) > 1:
        return _by_several(group, orm)
    if load is not None and load.owner and orm == "sqlalchemy":
        return f"fetch them together: select({load.owner}).where({load.owner}.{column}.in_(...))"
    if load is not None and load.owner and orm == "django":
        return f"fetch them together: {load.owner}.objects.filter({column}__in=...)"
    return f"fetch them together: WHERE {column} = ANY($1) with all values, or join `{_table(group)}` to the query that gives them"


def _varying(group: Group) -> tuple[str, ...]:
    """The columns that each call compares with other values, if it compares several and nothing else."""
    columns = group.asked.equal
    given = [call.parameters or () for call in group.calls]
    if len(columns) < 2 or any(len(one) != len(columns) for one in given):
        return ()
    return columns if all(len({one[at] for one in given}) > 1 for at in range(len(columns))) else ()


def _by_several(group: Group, orm: str) -> str:
    columns, load = _varying(group), group.load
    if load is not None and load.owner and orm == "sqlalchemy":
        return f"fetch them together: select({load.owner}).where(tuple_({', '.join(f'{load.owner}.{one}' for one in columns)}).in_(...))"
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    keys = f"({', '.join(columns)}) IN (SELECT * FROM unnest({values}))"
    return f"fetch them together: WHERE {keys}, or join `{_table(group)}` to the query that gives them"


def _grouped(group: Group) -> str:
    column = _looked_up(group)
    return f"GROUP BY {column} with {column} = ANY($1)" if column else "GROUP BY, or a join"


def _looked_up(group: Group) -> str:
    return group.asked.equal[0] if group.asked.equal else ""


def _table(group: Group) -> str:
    return group.asked.tables[0] if group.asked.tables else "it"


def _lazy(group: Group, load: Load) -> str:
    at = f"at {_place(group.root)}, " if group.root is not None and not _is_unknown(group.root) else ""
    chain = group.chain or (load,)
    if load.orm == "django":
        return at + _django_lazy(group, load, chain)
    first = chain[0]
    entity = group.root.load.owner if group.root is not None and group.root.load is not None else ""
    if len(chain) == 1 and entity and entity != first.owner and entity in load.classes[_index(load) + 1 :]:
        below = f"selectin_polymorphic({entity}, [{first.owner}])"
        return f"{at}load it with its owner: .options({below if load.event == 'column' else f'{below}, {_options(chain)}'})"
    if not group.whole:
        return f"{at}load it with its owner: add .{_options(chain)} to the option that loads {first.owner}"
    if load.narrowed:
        return f"{at}load the column with the rest: take {load.owner}.{load.relationship} out of defer(), or put it into load_only()"
    what = "load the column with the rest" if load.event == "column" else "load it with its owner"
    return f"{at}{what}: .options({_options(chain)})"


def _index(load: Load) -> int:
    return load.classes.index(load.owner) if load.owner in load.classes else len(load.classes)


def _django_lazy(group: Group, load: Load, chain: tuple[Load, ...]) -> str:
    if load.event == "column":
        return f'load the column with the rest: take "{load.relationship}" out of defer(), or put it into only()'
    joined = group.root.load.related if group.root is not None and group.root.load is not None else ()
    ways = [path for path, name in joined if name == chain[0].owner]
    if not group.whole and len(ways) == 1:
        return _django(group, (*(load._replace(relationship=part, many=False) for part in ways[0].split("__")), *chain))
    if not group.whole:
        return f'load it with its owner: add "{"__".join(one.relationship for one in chain)}" to the path that loads {chain[0].owner}'
    return _django(group, chain)


def _place(call: Call) -> str:
    """The line that put a query together, as far as it is known; what a template asks for was put together in Python."""
    if call.load is not None and call.load.built is not None:
        return shown(call.load.built)
    return shown(next((frame for frame in call.frames if frame.function), call.frames[0] if call.frames else call.loop), call)


def _is_unknown(call: Call) -> bool:
    return not call.frames and call.loop is None


def _options(chain: tuple[Load, ...]) -> str:
    return ".".join(f"{_option(one)}({one.owner}.{one.relationship})" for one in chain)


def _option(load: Load) -> str:
    return "undefer" if load.event == "column" else "selectinload" if load.many else "joinedload"


def _django(group: Group, chain: tuple[Load, ...]) -> str:
    path = "__".join(one.relationship for one in chain)
    last = chain[-1]
    if last.many and (group.asked.counted or group.asked.exists or group.asked.aggregated):
        return _django_counted(group, path)
    if last.many and (_is_narrowed(group) or (group.loaded and last.event == "lazy")):
        why = "it is loaded already and this asks again: read .all() of it, or load it with" if group.loaded else "load it with its owner:"
        return f'{why} .prefetch_related(Prefetch("{path}", queryset=...)) with the filter, order and columns that this query has'
    single = not any(one.many or one.generic for one in chain)
    return f'load it with its owner: .{"select_related" if single else "prefetch_related"}("{path}")'


def _django_counted(group: Group, path: str) -> str:
    names = "__".join(part.removesuffix("_set") for part in path.split("__"))  # queries say `item` where objects say `item_set`
    if group.asked.counted:
        return f'count in the query of its owner: .annotate(Count("{names}"))'
    if group.asked.aggregated:
        return f'compute it in the query of its owner: .annotate(...) over "{names}"'
    return f'ask in the query of its owner: .annotate(Exists(...)), or load them with .prefetch_related("{path}")'


def _is_narrowed(group: Group) -> bool:
    """Whether the query has more conditions than the relationship, so that what is prefetched would not be used."""
    words = group.asked.asks_from.upper()
    where = words.partition(" WHERE ")[2]
    own = 2 if re.search(r"CONTENT_TYPE_ID\b", where) else 1
    return group.asked.limited or where.count(" AND ") + 1 > own


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
