"""What refers to an object follows it to its new name. Names are complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dbguard.model.expression import Expression, Uses
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.schema import Column, Constraint, Function, Index, PartitionKey, Table
from dbguard.model.types import DataType
from dbguard.replay.advance.define import next_value
from dbguard.replay.advance.dependents import sequences_in
from dbguard.replay.advance.draft import Draft

Moves = Mapping[Name, Name]


def move(draft: Draft, moves: Moves) -> None:
    """Relations (tables, views, indexes, sequences, composite types) get new names."""
    if not moves:
        return
    moved_sequences = {old: new for old, new in moves.items() if old in draft.sequences}
    tables = {moves.get(name, name): _table(table, moves) for name, table in draft.tables.items()}
    draft.tables = tables
    draft.parents = draft.parents.union(new for old, new in moves.items() if old in draft.parents)
    draft.index_tables = {moves.get(index, index): moves.get(table, table) for index, table in draft.index_tables.items()}
    draft.sequences = {
        moves.get(name, name): s._replace(name=moves.get(name, name), owner=s.owner and (moves.get(s.owner[0], s.owner[0]), s.owner[1]))
        for name, s in draft.sequences.items()
    }
    if moved_sequences:
        _move_defaults(draft, moved_sequences)
    _move_functions(draft, moves)
    move_types(draft, moves)


def _table(table: Table, moves: Moves) -> Table:
    """The table with every name in it that moved; itself if there is none."""
    changes: dict[str, Any] = {}
    if table.name in moves:
        changes["name"] = moves[table.name]
    if table.parent is not None and table.parent in moves:
        changes["parent"] = moves[table.parent]
    if any(one in moves for one in table.inherits):
        changes["inherits"] = tuple(moves.get(one, one) for one in table.inherits)
    if any(c.references in moves or c.index_name in moves for c in table.constraints.values()):
        changes["constraints"] = {name: _constraint(c, moves) for name, c in table.constraints.items()}
    if table.name in moves or any(i.name in moves or i.parent in moves for i in table.indexes.values()):
        indexes = (_index(index, moves) for index in table.indexes.values())
        changes["indexes"] = {index.name.name: index for index in indexes}
    if any(t.references in moves for t in table.triggers.values()):
        changes["triggers"] = {name: t._replace(references=_optional(t.references, moves)) for name, t in table.triggers.items()}
    if any(one in moves for policy in table.policies.values() for one in policy.reads):
        changes["policies"] = {name: p._replace(reads=tuple(moves.get(one, one) for one in p.reads)) for name, p in table.policies.items()}
    if table.uses is not None and any(one in moves for one in (*table.uses.reads, *table.uses.row_locks, *table.uses.sequences)):
        changes["uses"] = _uses(table.uses, moves)
    return table._replace(**changes) if changes else table


def _optional(name: Name | None, moves: Moves) -> Name | None:
    return None if name is None else moves.get(name, name)


def _constraint(constraint: Constraint, moves: Moves) -> Constraint:
    return constraint._replace(references=_optional(constraint.references, moves), index_name=_optional(constraint.index_name, moves))


def _index(index: Index, moves: Moves) -> Index:
    return index._replace(name=moves.get(index.name, index.name), table=moves.get(index.table, index.table), parent=_optional(index.parent, moves))


def _uses(uses: Uses, moves: Moves) -> Uses:
    def moved(names: tuple[Name, ...]) -> tuple[Name, ...]:
        return tuple(moves.get(one, one) for one in names)

    only = frozenset(moves.get(one, one) for one in uses.only)
    return uses._replace(reads=moved(uses.reads), row_locks=moved(uses.row_locks), sequences=moved(uses.sequences), only=only)


def _move_defaults(draft: Draft, moves: Moves) -> None:
    """Defaults that take values from a sequence name it anew."""
    for table in tuple(draft.tables.values()):
        changed: dict[str, Column] = {}
        for column in table.columns.values():
            if column.default is None or column.generated:
                continue
            named = next((one for one in sequences_in(draft.state, column.default) if one in moves), None)
            if named is not None:
                changed[column.name] = column._replace(default=next_value(moves[named]))
        if changed:
            draft.put(table._replace(columns={**table.columns, **changed}))


def _move_functions(draft: Draft, moves: Moves) -> None:
    """What bodies are bound to."""
    for name, overloads in tuple(draft.functions.items()):
        if any(f.uses is not None and any(read in moves for read in f.uses.reads) for f in overloads):
            draft.own_functions()[name] = tuple(f if f.uses is None else f._replace(uses=_uses(f.uses, moves)) for f in overloads)


def move_types(draft: Draft, moves: Moves) -> None:
    """Types and row types get new names: columns, domains and functions follow."""
    if not moves:
        return
    if any(name in moves for name in draft.types) or any(t.base is not None and t.base.name in moves for t in draft.types.values()):
        draft.types = {
            moves.get(name, name): one._replace(name=moves.get(name, name), base=None if one.base is None else _type(one.base, moves))
            for name, one in draft.types.items()
        }
    for table in tuple(draft.tables.values()):
        changed = {c.name: c._replace(type=_type(c.type, moves)) for c in table.columns.values() if c.type.name in moves}
        if changed or table.of_type in moves:
            draft.put(table._replace(columns={**table.columns, **changed}, of_type=_optional(table.of_type, moves)))
    for name, overloads in tuple(draft.functions.items()):
        if any(_mentions(one, moves) for one in overloads):
            draft.own_functions()[name] = tuple(_function(one, moves) for one in overloads)


def _type(data_type: DataType, moves: Moves) -> DataType:
    return data_type._replace(name=moves[data_type.name]) if data_type.name in moves else data_type


def _mentions(function: Function, moves: Moves) -> bool:
    return any(one.name in moves for one in function.arguments) or (function.returns is not None and function.returns.name in moves)


def _function(function: Function, moves: Moves) -> Function:
    returns = None if function.returns is None else _type(function.returns, moves)
    return function._replace(arguments=tuple(_type(one, moves) for one in function.arguments), returns=returns)


def move_functions(draft: Draft, moves: Moves) -> None:
    """Functions get new names: triggers follow."""
    moves = {old: new for old, new in moves.items() if old in draft.functions}
    if not moves:
        return
    functions = draft.own_functions()
    for old, new in moves.items():
        moved = tuple(one._replace(name=new) for one in functions.pop(old))
        functions[new] = (*functions.get(new, ()), *moved)
    for table in tuple(draft.tables.values()):
        if any(t.function in moves for t in table.triggers.values()):
            triggers = {name: t._replace(function=moves.get(t.function, t.function)) for name, t in table.triggers.items()}
            draft.put(table._replace(triggers=triggers))


def rename_column_everywhere(draft: Draft, name: Name, old: str, new: str) -> None:
    """A column of one table, in everything that mentions it."""
    table = draft.tables[name]
    columns = {}
    for column in table.columns.values():
        renamed = column._replace(name=new) if column.name == old else column
        if renamed.generated and renamed.default is not None:
            renamed = renamed._replace(default=_renamed(renamed.default, old, new))
        columns[renamed.name] = renamed
    key = table.partition_by
    draft.put(
        table._replace(
            columns=columns,
            constraints={k: _constraint_renamed(c, old, new) for k, c in table.constraints.items()},
            indexes={k: _index_renamed(i, old, new) for k, i in table.indexes.items()},
            partition_by=None if key is None else PartitionKey(key.strategy, tuple(renamed_key(one, old, new) for one in key.keys)),
            triggers={
                k: t._replace(columns=_names(t.columns, old, new), when_columns=_name_set(t.when_columns, old, new))
                for k, t in table.triggers.items()
            },
            policies={k: p._replace(columns=_name_set(p.columns, old, new)) for k, p in table.policies.items()},
            published={k: _name_set(columns, old, new) for k, columns in table.published.items()},
        )
    )
    for other in tuple(draft.tables.values()):
        if any(c.references == name and old in c.referenced_columns for c in other.constraints.values()):
            constraints = {
                k: c._replace(referenced_columns=_names(c.referenced_columns, old, new)) if c.references == name else c
                for k, c in other.constraints.items()
            }
            draft.put(other._replace(constraints=constraints))
        if any(name in p.reads and old in p.columns for p in other.policies.values()):
            policies = {k: p._replace(columns=p.columns | {new}) if name in p.reads else p for k, p in draft.tables[other.name].policies.items()}
            draft.put(draft.tables[other.name]._replace(policies=policies))
        if other.uses is not None and name in other.uses.reads and old in other.uses.columns:
            another = any(read != name and old in draft.tables[read].columns for read in other.uses.reads if read in draft.tables)
            uses = other.uses._replace(columns=other.uses.columns | {new}, star=other.uses.star or another)  # whose column it was is not certain
            draft.put(draft.tables[other.name]._replace(uses=uses))
    for sequence in [s for s in draft.sequences.values() if s.owner == (name, old)]:
        draft.own_sequences()[sequence.name] = sequence._replace(owner=(name, new))


def _constraint_renamed(constraint: Constraint, old: str, new: str) -> Constraint:
    expression = None if constraint.expression is None else _renamed(constraint.expression, old, new)
    return constraint._replace(columns=_names(constraint.columns, old, new), expression=expression)


def _index_renamed(index: Index, old: str, new: str) -> Index:
    if old not in index.mentioned:
        return index
    return index._replace(
        keys=tuple(renamed_key(key, old, new) for key in index.keys),
        include=_names(index.include, old, new),
        where=None if index.where is None else _renamed(index.where, old, new),
    )


def renamed_key(key: IndexKey, old: str, new: str) -> IndexKey:
    if key.column == old:
        return key._replace(column=new)
    return key if key.expression is None else key._replace(expression=_renamed(key.expression, old, new))


def _names(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in names)


def _name_set(names: frozenset[str], old: str, new: str) -> frozenset[str]:
    return names - {old} | {new} if old in names else names


def _renamed(expression: Expression, old: str, new: str) -> Expression:
    """The expression with another column name, its text as far as that can be done word by word."""
    if old not in expression.columns:
        return expression
    pieces = re.split(r"('(?:[^']|'')*')", expression.sql)
    word = re.compile(rf'(?<![\w"$]){re.escape(old)}(?![\w"$(])|{re.escape(chr(34) + old + chr(34))}')
    pieces[::2] = (word.sub(lambda _: quote(new), piece) for piece in pieces[::2])
    return Expression("".join(pieces), _tree(expression.tree, old, new))


def _tree(tree: tuple[Any, ...], old: str, new: str) -> tuple[Any, ...]:
    """Without recursion: expressions of 2,000 terms are real."""
    done: list[Any] = []
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        node, built = stack.pop()
        if type(node) is not tuple or not node or type(node[0]) is not str:
            done.append(node)
        elif node[0] == "column":
            done.append(("column", new) if node[1] == old else node)
        elif built:
            start = len(done) - len(node) + 1
            done[start:] = [(node[0], *done[start:])]
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node[1:]))
    return done[0] if done else tree
