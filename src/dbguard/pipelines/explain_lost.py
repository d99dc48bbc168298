"""What a ghost lost, as far as queries care: sentences about tables that none of them touches are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dbguard.model.names import Name
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Snapshot

# The sentences of postgres/ghost that are about single relations: a statement of the schema, a table or index, statistics.
_ABOUT_ONE = re.compile(
    r"(?P<statement>(?:ALTER|CREATE)\s[\sA-Z]*?(?:INDEX|STATISTICS|TABLE|TRIGGER|VIEW)\s.*)\ did\ not\ run:\ .*"
    r"|(?P<relation>.*)\ is\ not\ in\ the\ ghost"
    r"|(?:extended\ )?statistics\ (?:of\ )?(?P<name>.*?)(?::|\ are\ left\ out).*",
    re.DOTALL,
)
_WORD = re.compile(r"\w+")


def concerning(lost: Iterable[str], queries: Iterable[str], schema: Schema, snapshot: Snapshot) -> tuple[str, ...]:
    """Those of the sentences that may matter to the queries; what is about everything, or about nothing known, may."""
    tables = _tables(schema, snapshot)
    words = set(_words(queries))
    words.update(_words(one.body for name, overloads in schema.functions.items() if name.name in words for one in overloads))
    touched = _behind({table for name, table in tables.items() if name in words}, schema)
    return tuple([sentence for sentence in lost if _matters(sentence, tables, touched)])


def _words(texts: Iterable[str]) -> Iterator[str]:
    return (word.lower() for text in texts for word in _WORD.findall(text))


def _tables(schema: Schema, snapshot: Snapshot) -> dict[str, frozenset[Name]]:
    """By the last name of a table, view, index or statistics: the tables that are meant."""
    found: dict[str, set[Name]] = {}
    named = [(name, name) for name in schema.tables]
    named += [(one.name, one.table or one.name) for one in snapshot.relations]
    named += [(one.name, one.relation) for one in snapshot.extended]
    for name, table in named:
        found.setdefault(name.name.lower(), set()).add(table)
    return {name: frozenset(some) for name, some in found.items()}


def _behind(touched: set[frozenset[Name]], schema: Schema) -> set[Name]:
    """With what views read, and with partitions and the tables above them."""
    found: set[Name] = set()
    waiting = [name for some in touched for name in some]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        table = schema.table(name)
        waiting += [child.name for child in schema.partitions(name)]
        waiting += table.uses.reads if table.uses is not None else ()
        waiting += [above for above in (table.parent, *table.inherits) if above is not None]
    return found


def _matters(sentence: str, tables: dict[str, frozenset[Name]], touched: set[Name]) -> bool:
    about = _ABOUT_ONE.fullmatch(sentence)
    if about is None:
        return True
    text = about["statement"] or about["relation"] or about["name"]
    meant = [name for word in _words((text,)) for name in tables.get(word, ())]
    return not meant or any(name in touched for name in meant)
