"""A pattern that a B-tree index cannot follow: it begins with a wildcard, or ignores case."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree, walk
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateIndex
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions, open_accesses
from dbguard.model.sql import index_statement


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    found = {access.source for access, _ in open_accesses(step)}
    for _, condition in conditions(query):
        for node in walk(condition.tree):
            match node:
                case ("op", "~~" | "~~*" as symbol, ("at", int(number), str(column)), pattern) if number in found:
                    variant = "" if _begins_with_wildcard(pattern) else "case" if symbol == "~~*" else None
                    if variant is not None and not _has_trigrams(step, number, column):
                        yield _flag(step, number, column, variant)
                        return


def _begins_with_wildcard(pattern: Tree) -> bool:
    match pattern:
        case ("const", str(text)):
            return text[:1] in {"%", "_"} and text.strip("%_") != ""
        case ("op", "||", left, _) | ("cast", _, left) | ("call", Name(name="concat" | "format"), left, *_):
            return _begins_with_wildcard(left) or left in {("const", "%"), ("const", "%%")}
    return False


def _has_trigrams(step: QueryStep, number: int, column: str) -> bool:
    table = step.table(number)
    column = step.query.sources[number].renamed.get(column, column)
    return table is None or any(index.method in {"gin", "gist"} and column in index.mentioned for index in table.indexes.values())


def _flag(step: QueryStep, number: int, column: str, variant: str) -> Flag:
    source = step.query.sources[number]
    assert source.table is not None
    own = source.renamed.get(column, column)
    name = step.display(source.table)
    key = IndexKey(own, opclass=Name(None, "gin_trgm_ops"))
    index = CreateIndex(table=name, keys=(key,), method="gin", concurrently=True)
    return flag(variant=variant, table=name, column=quote(own), create_index=index_statement(index, step.state.schema.table(source.table)))
