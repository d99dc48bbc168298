"""Literals that statistics cannot tell anything about: a query and what a snapshot hides in, the query with parameters in their place out.

A snapshot has tokens for words, or no values at all. A literal compared with such a column would be planned as a value that the column does
not have, as one row. As a parameter it is planned as any value is. Literals stay where they decide more than a number of rows: which
partitions are read, which partial index may be used, where an index range of LIKE begins; and where the schema names them, as the snapshot
keeps those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbguard.model.expression import Tree, walk
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.query import Block, Query, Source
from dbguard.model.record import Record
from dbguard.model.state import State
from dbguard.parsing.explainable import Explainable
from dbguard.parsing.literals import Literal, operands
from dbguard.parsing.query import read_query
from dbguard.planning.hidden_columns import Column, Hidden, Key, elements, partition_keys, tree_of, words_of
from dbguard.queries.implication import implies, plain
from dbguard.queries.resolve import resolve

MOST = 2_000  # literals of one query
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "||", "->", "->>", "#>", "#>>", "&", "|", "#", "<->", "<#>", "<=>", "<+>"})
_EQUAL = frozenset({"=", "<>", "= ANY", "<> ALL"})
_SEARCHES = frozenset({"@@", "@@@", "@?"})  # the words and their AND and OR decide what an index costs; unknown words count as rare
_PATTERNS = frozenset({"~~", "~", "^@"})
_SAME_BYTES = frozenset({"text", "varchar"})  # a cast from one to the other keeps statistics (RelabelType)
_SHOWN = 5


class Opened(Record):
    """A query whose literals on hidden columns are parameters."""

    query: Explainable
    columns: tuple[Column, ...] = ()  # that they are compared with
    guessed: tuple[Column, ...] = ()  # whose literals stay, for an index, though nothing is known of such values


def opened(query: Explainable, hidden: Hidden) -> Opened:
    """The query with a parameter for each literal that hidden values are compared with. What cannot be read stays as it is."""
    literals = operands(query.sql)
    if not literals or len(literals) + query.parameters > MOST:
        return Opened(query)
    first = query.parameters + 1
    numbered = dict(enumerate(literals, first))
    read = read_query(_written(query.sql, numbered))
    found = resolve(read, State(schema=hidden.schema))
    if read.body is None or read.unread or found.unread:
        return Opened(query)
    work = _Work(found, hidden, numbered)
    chosen: dict[int, Column] = {}
    guessed: dict[Column, None] = {}
    for block in found.written:
        for number, key, symbol in work.compared(block):
            column = key[0], next((node[1] for node in walk(key[1]) if node[0] == "column"), "")
            if (symbol in _EQUAL and key in hidden.even) or work.is_known(number, column[0]):
                continue
            if symbol in _SEARCHES or work.begins_a_range(number, key, symbol) or work.decides(column, block):
                guessed[column] = None
            else:
                chosen.setdefault(number, column)
    left = {place: numbered[number] for place, number in enumerate(sorted(chosen), first)}
    columns = tuple(dict.fromkeys(chosen[number] for number in sorted(chosen)))
    changed = query._replace(sql=_written(query.sql, left), parameters=query.parameters + len(left)) if left else query
    return Opened(changed, columns, tuple(guessed))


def sentences(found: Opened, hidden: Hidden) -> tuple[str, ...]:
    """What is assumed of a query, for people."""
    said = []
    if found.columns:
        names, one = _names(found.columns), len(found.columns) == 1
        keep = " ".join(f"--keep {_name(column)}" for column in found.columns[:_SHOWN])
        way = f"`{keep}` keeps them" if hidden.masked else "one taken with --values masked has those of numbers and times"
        said.append(f"planned for any value of {names}: the snapshot holds no values of {'it' if one else 'them'}; {way}")
    if found.guessed:
        one = len(found.guessed) == 1
        said.append(f"how many rows are found in {_names(found.guessed)} is a guess: the snapshot holds no values of {'it' if one else 'them'}")
    return tuple(said)


def _names(columns: tuple[Column, ...]) -> str:
    shown = [f"`{_name(column)}`" for column in columns[:_SHOWN]]
    more = len(columns) - len(shown)
    last = [f"{more} more"] if more else [shown.pop()] if len(shown) > 1 else []
    return " and ".join([", ".join(shown), *last])


def _name(column: Column) -> str:
    relation, name = column
    return f"{relation.name}.{name}" if relation.schema in {None, "public"} else f"{relation.schema}.{relation.name}.{name}"


def _written(sql: str, numbered: Mapping[int, Literal]) -> str:
    """The text with `$n` for literals."""
    parts, position = [], 0
    for number, one in sorted(numbered.items(), key=lambda item: item[1].start):
        parts += [sql[position : one.start], f"${number}::{one.type}" if one.type else f"${number}"]
        before, after = sql[one.start - 1 : one.start], sql[one.end : one.end + 1]
        if before.isalnum() or before == "_":
            parts[-1] = f" {parts[-1]}"
        if after.isalnum() or after == "_":
            parts.append(" ")
        position = one.end
    return "".join((*parts, sql[position:]))


class _Work:
    """One query, in which $n stands for the literal `numbered[n]`."""

    def __init__(self, query: Query, hidden: Hidden, numbered: Mapping[int, Literal]) -> None:
        self._query, self._hidden, self._numbered = query, hidden, numbered
        self._words: dict[Name, frozenset[str]] = {}
        self._partial: dict[tuple[int, Name], frozenset[str]] = {}

    def compared(self, block: Block) -> Iterator[tuple[int, Key, str]]:
        """Numbers of literals with the hidden column or expression that each is compared with, and the operator."""
        trees = [*(one.tree for one in block.conditions), *([block.having] if block.having else []), *block.trees]
        for tree in trees:
            for node in walk(tree):
                for key, value, symbol in _sides(node):
                    numbers = self._literals(value)
                    for found in self._hidden_keys(key) if numbers else ():
                        yield from ((number, found, symbol) for number in numbers)

    def _literals(self, value: Tree) -> list[int]:
        """Literals of a side that no row and no other parameter decides on."""
        found = []
        for node in walk(value):
            if node[0] in {"at", "row of", "query"} or (node[0] == "param" and node[1] not in self._numbered):
                return []
            if node[0] == "param":
                found.append(node[1])
        return found

    def _hidden_keys(self, key: Tree) -> list[Key]:
        """Hidden columns, or a hidden expression of an index, that a side is."""
        key = self._bare(key)
        if key[0] == "at":
            return [(table, ("column", name)) for table, name in self._behind(key[1], key[2], set()) if (table, name) in self._hidden.columns]
        sources = {node[1] for node in walk(key) if node[0] == "at"}
        if len(sources) != 1 or not self._hidden.expressions:
            return []
        source = self._query.sources[sources.pop()]
        found = (source.table, plain(_named(key, source))) if source.table is not None else None
        return [found] if found in self._hidden.expressions and found is not None else []

    def _bare(self, key: Tree) -> Tree:
        """Without casts that leave the bytes as they are."""
        while key[0] in {"cast", "collate"}:
            inner = key[-1]
            if key[0] == "cast":
                kind = self._query.sources[inner[1]].columns.get(inner[2]) if inner[0] == "at" else None
                if kind is None or kind.array or key[1].array or not {kind.builtin, key[1].builtin} <= _SAME_BYTES:
                    return key
            key = inner
        return key

    def _behind(self, number: int, name: str, seen: set[tuple[int, int]]) -> Iterator[Column]:
        """Columns of tables that a column of a source is: sub-queries are looked into, as the planner does."""
        source = self._query.sources[number]
        own = source.renamed.get(name, name)
        is_kept = source.table is not None and self._hidden.schema.table(source.table).kind == "materialized view"
        if source.table is not None and (source.kind == "table" or is_kept):
            yield source.table, own
        elif source.inner is not None:
            outputs = self._query.blocks[source.inner].outputs
            at = next((place for place, output in enumerate(outputs) if output.name == own), None)
            if at is not None:
                yield from self._output(source.inner, at, seen)

    def _output(self, block: int, at: int, seen: set[tuple[int, int]]) -> Iterator[Column]:
        one = self._query.blocks[block]
        if (block, at) in seen:
            return
        seen.add((block, at))
        for arm in one.arms:
            yield from self._output(arm, at, seen)
        if not one.arms and at < len(one.outputs) and (tree := self._bare(one.outputs[at].tree))[0] == "at":
            yield from self._behind(tree[1], tree[2], seen)

    def begins_a_range(self, number: int, wanted: Key, symbol: str) -> bool:
        """Whether LIKE with a fixed beginning is a range of an index: with a parameter it would be none (like_support.c)."""
        pattern = self._numbered[number].value
        if symbol not in _PATTERNS or (symbol == "~" and not pattern.startswith("^")):
            return False
        if pattern.removeprefix("^" if symbol == "~" else "")[:1] in {"", "%", "_", ".", "(", "[", "\\"}:
            return False
        table = self._hidden.schema.table(wanted[0])
        own = table.columns.get(str(wanted[1][1])) if wanted[1][0] == "column" else None
        collation = own.collation if own is not None else None
        keys = [(index.method, key) for index in table.indexes.values() for key in index.keys if tree_of(key) == wanted[1]]
        return any(method == "spgist" or (method == "btree" and self._is_by_bytes(key, collation)) for method, key in keys)

    def _is_by_bytes(self, key: IndexKey, collation: Name | None) -> bool:
        used = key.collation or collation
        by_bytes = used.name in {"C", "POSIX"} if used is not None else self._hidden.c_collation
        return by_bytes or (key.opclass is not None and key.opclass.name.endswith("pattern_ops"))

    def is_known(self, number: int, relation: Name) -> bool:
        """Whether the schema names the value."""
        value, words = self._numbered[number].value, self._named(relation)
        parts = elements(value)
        return value in words or (bool(parts) and words.issuperset(parts))

    def decides(self, column: Column, block: Block) -> bool:
        """Whether literals of a column say which partitions are read, or that a partial index will do."""
        relation, name = column
        return name in partition_keys(self._hidden.schema, relation) or name in self._needed(relation, block)

    def _named(self, relation: Name) -> frozenset[str]:
        if relation not in self._words:
            self._words[relation] = words_of(self._hidden, relation)
        return self._words[relation]

    def _needed(self, relation: Name, block: Block) -> frozenset[str]:
        """Columns whose literals show that a partial index has every row that the query wants."""
        key = block.number, relation
        if key not in self._partial:
            found: set[str] = set()
            for source in self._query.sources:
                if source.table != relation or source.block != block.number:
                    continue
                known = [_named(self._with_values(one.tree), source) for one in block.conditions]
                blind = [_named(one.tree, source) for one in block.conditions]
                for table in (self._hidden.schema.table(relation), self._hidden.later.table(relation)):
                    for index in table.indexes.values():
                        wanted = index.where
                        if wanted is None or wanted.columns <= found or implies(blind, wanted.tree, table.columns):
                            continue
                        if implies(known, wanted.tree, table.columns):
                            found |= wanted.columns
            self._partial[key] = frozenset(found)
        return self._partial[key]

    def _with_values(self, tree: Tree) -> Tree:
        if tree[0] == "cast" and tree[-1][0] == "param" and tree[-1][1] in self._numbered and self._numbered[tree[-1][1]].type:
            return self._with_values(tree[-1])
        if tree[0] == "param" and tree[1] in self._numbered:
            literal = self._numbered[tree[1]]
            return ("const", int(literal.value)) if literal.type == "integer" else ("const", literal.value)
        return tuple([self._with_values(part) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])


def _sides(node: Tree) -> Iterator[tuple[Tree, Tree, str]]:
    """What a condition compares: both ways round, rows column by column."""
    match node:
        case ("op", str(symbol), left, right) if symbol not in _ARITHMETIC:
            yield from _pairs(left, right, symbol)
        case ("distinct from" | "not distinct from", left, right):
            yield from _pairs(left, right, "=")
        case ("in", left, *values):
            for value in values:
                yield from _pairs(left, value, "=")
        case ("other", "similar", left, *rest):
            for value in rest:
                yield left, value, "similar"


def _pairs(left: Tree, right: Tree, symbol: str) -> Iterator[tuple[Tree, Tree, str]]:
    if left[0] == right[0] == "row" and len(left) == len(right):
        for one, other in zip(left[1:], right[1:], strict=True):
            yield from _pairs(one, other, symbol)
        return
    yield left, right, symbol
    yield right, left, symbol


def _named(tree: Tree, source: Source) -> Tree:
    """With the columns of a source under their names in the table."""
    if tree[0] == "at":
        return ("column", source.renamed.get(tree[2], tree[2])) if tree[1] == source.number else tree
    return tuple([_named(part, source) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])
