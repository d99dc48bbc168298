"""Values in statistics, dropped, masked or kept: statistics with real values in, those for the file out.

Masked: words, bytes, addresses, documents and whatever dbguard does not know become tokens in the same order (see
`masking_tokens`) unless the schema names them; numbers, times and booleans stay unless they are personal by the name of their
column, listed, or computed from what is masked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dbguard.model import arrays
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.snapshot import ColumnStatistics
from dbguard.postgres.masking_groups import Column, alike, grouped, read_derived, read_ties, spread
from dbguard.postgres.masking_named import Named, read_named
from dbguard.postgres.masking_order import in_order
from dbguard.postgres.masking_personal import looks_personal
from dbguard.postgres.masking_tokens import Shape, tokens
from dbguard.postgres.masking_types import KEPT, Kind, read_kinds

if TYPE_CHECKING:
    from psycopg import Connection


class Choice(Record):
    """Columns that the user names, as `table.column` or `schema.table.column`, with `*` where any will do."""

    mask: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


class Facts(Record):
    """What has to be known of the catalog."""

    kinds: Mapping[tuple[Name, str], Kind]
    ties: Sequence[tuple[Column, Column]]
    derived: Sequence[tuple[Column, Column]]
    named: Named


class Meaning(Record):
    """What stands for the values of a group. Those that the schema names stay where order does not matter, or where nothing else is."""

    tokens: dict[str, str]  # in ascending order
    ranks: dict[str, int]  # of tokens
    named: set[str]

    def common(self, value: str) -> str:
        return value if value in self.named else self.tokens[value]

    def ordered(self, values: list[str]) -> list[str]:
        """What stands for values that the server sorted. Tokens and names do not mix; where dbguard sorts otherwise, the tokens give way."""
        return values if self.named.issuperset(values) else sorted((self.tokens[value] for value in values), key=self.ranks.__getitem__)


class Member(Record):
    """Statistics to mask, with their arrays read."""

    one: ColumnStatistics
    kind: Kind | None
    common: list[str]
    bounds: list[str]
    elements: list[str]

    @property
    def place(self) -> Column:
        return (self.kind.relation, self.kind.number) if self.kind is not None else (0, 0)


def without_values(columns: Iterable[ColumnStatistics]) -> list[ColumnStatistics]:
    """Fractions, widths and counts only."""
    return [_emptied(one) for one in columns]


def mask(connection: Connection[Any], columns: Sequence[ColumnStatistics], choice: Choice) -> tuple[list[ColumnStatistics], list[str]]:
    """The statistics with tokens in the place of values, and sentences about what could only be dropped."""
    facts = Facts(read_kinds(connection), read_ties(connection), read_derived(connection), read_named(connection))
    to_mask = _to_mask(columns, facts, choice)
    members: dict[int, Member] = {}
    for at, one in enumerate(columns):
        kind = facts.kinds.get((one.relation, one.column))
        if kind is None or (kind.relation, kind.number) in to_mask:
            members[at] = Member(one, kind, _texts(one.most_common_vals), _texts(one.histogram_bounds), _texts(one.most_common_elems))
    meanings = _meanings([member for member in members.values() if member.kind is not None], facts)
    done = list(columns)
    dropped: dict[str, None] = {}
    for at, member in members.items():
        masked = _masked(member, meanings)
        if masked is None:
            dropped[f"{member.one.relation}: values of {member.one.column} are left out: there are no tokens for their type"] = None
            masked = _emptied(member.one)._replace(masked=True)
        done[at] = masked
    return done, list(dropped)


def _to_mask(columns: Sequence[ColumnStatistics], facts: Facts, choice: Choice) -> set[Column]:
    """Columns whose values must not be in the file."""
    marked, kept, by_type = set(), set(), set()
    of = {(kind.relation, kind.number): kind for kind in facts.kinds.values()}
    for (relation, column), kind in facts.kinds.items():
        place = (kind.relation, kind.number)
        if _is_listed(relation, column, choice.keep):
            kept.add(place)
        elif _is_listed(relation, column, choice.mask) or looks_personal(column, kind.family):
            marked.add(place)
        elif kind.family not in KEPT:
            by_type.add(place)
    marked = spread(marked, facts.ties)
    hidden = (marked | by_type) - kept
    for computed, source in facts.derived:
        if source in hidden and computed not in kept and computed in of and of[computed].family not in {"bool", "enum"}:
            hidden.add(computed)
    known = {(one.relation, one.column) for one in columns}
    return {(kind.relation, kind.number) for key, kind in facts.kinds.items() if key in known} & hidden


def _is_listed(relation: Name, column: str, patterns: tuple[str, ...]) -> bool:
    texts = (f"{relation.name}.{column}", f"{relation.schema}.{relation.name}.{column}")
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in texts)


Place = tuple[Column, bool]  # and whether elements of its values are meant


def _meanings(members: list[Member], facts: Facts) -> dict[Place, Meaning | None]:
    """Tokens for the values of every column, and for the elements of its values."""
    found: dict[Place, Meaning | None] = {}
    for of_elements in (False, True):
        by_column: dict[Column, list[Member]] = defaultdict(list)
        for member in members:
            if member.elements if of_elements else member.common or member.bounds:
                by_column[member.place].append(member)
        common = {place: frozenset(_values(of_column, of_elements, most_common=True)) for place, of_column in by_column.items()}
        types = {place: (of_column[0].kind.family, of_column[0].kind.is_array) for place, of_column in by_column.items() if of_column[0].kind}
        ties = [(a, b) for a, b in facts.ties if types.get(a) == types.get(b)]
        ties += [(a, b) for a, b in alike({place: values for place, values in common.items() if values}) if types[a] == types[b]]
        for group in grouped(by_column, ties):
            meaning = _meaning([member for place in group for member in by_column[place]], facts, of_elements)
            found.update({(place, of_elements): meaning for place in group})
    return found


def _values(members: Iterable[Member], of_elements: bool, *, most_common: bool = False) -> set[str]:
    found: set[str] = set()
    for member in members:
        found.update(member.elements if of_elements else member.common)
        if not of_elements and not most_common:
            found.update(member.bounds)
    return found


def _meaning(group: list[Member], facts: Facts, of_elements: bool) -> Meaning | None:
    kinds = [member.kind for member in group if member.kind is not None]
    family = "word" if of_elements and kinds[0].family == "tsvector" else kinds[0].family
    ordered = in_order(_values(group, of_elements), family)
    words: set[str] = set()
    for kind in kinds if kinds[0].family == "word" else ():
        words |= facts.named.relations.get(kind.relation, set()).union(*(facts.named.domains.get(domain, ()) for domain in kind.domains))
    wraps = kinds[0].is_array and not of_elements
    made = _fresh(len(ordered), _shape(kinds, ordered, family), words)
    if made is None:
        return None
    if wraps:
        made = [f"{{{token}}}" if family == "word" else arrays.write([token]) for token in made]
    ranks = {token: rank for rank, token in enumerate(made)}
    named = {value for value in ordered if _all_named(value, words)} if wraps and words else words.intersection(ordered)
    return Meaning(dict(zip(ordered, made, strict=True)), ranks, named)


def _all_named(value: str, words: set[str]) -> bool:
    """Whether the schema names every element of an array."""
    if value[1:-1].partition(",")[0].strip('"') not in words and "\\" not in value:
        return False
    try:
        elements = arrays.parse(value)
    except ValueError:
        return False
    return all(element is not None and element in words for element in elements)


def _shape(kinds: list[Kind], values: list[str], family: str) -> Shape:
    limits = [kind.most for kind in kinds if kind.most]
    scales = [kind for kind in kinds if kind.scale is not None]
    scale = min((kind.scale or 0 for kind in scales), default=None)
    digits = min((kind.digits - (kind.scale or 0) for kind in scales), default=0) + (scale or 0)
    return Shape(family, sum(map(len, values)) // max(len(values), 1), min(limits, default=0), scale, digits)


def _fresh(count: int, shape: Shape, taken: set[str]) -> list[str] | None:
    """Tokens of which none is a word that the schema names."""
    for more in range(20):
        made = tokens(count + more, shape)
        if made is None or taken.isdisjoint(made):
            return None if made is None else made[:count]
    return None


def _masked(member: Member, meanings: Mapping[Place, Meaning | None]) -> ColumnStatistics | None:
    """The row with tokens; None if there are none for it."""
    one = member.one
    has_ranges = one.range_bounds_histogram is not None or one.range_length_histogram is not None
    if not (member.common or member.bounds or member.elements or has_ranges):
        return one
    values, elements = meanings.get((member.place, False)), meanings.get((member.place, True))
    if has_ranges or (values is None and (member.common or member.bounds)) or (elements is None and member.elements):
        return None
    masked = one._replace(
        most_common_vals=one.most_common_vals and values and arrays.write([values.common(value) for value in member.common]),
        histogram_bounds=one.histogram_bounds and values and arrays.write(values.ordered(member.bounds)),
        most_common_elems=one.most_common_elems and elements and arrays.write(elements.ordered(member.elements)),
    )
    return masked if masked == one else masked._replace(masked=True)


def _texts(array: str | None) -> list[str]:
    """No array of statistics holds NULL: ANALYZE counts them apart."""
    return [value for value in arrays.parse(array) if value is not None] if array else []


def _emptied(one: ColumnStatistics) -> ColumnStatistics:
    return one._replace(
        most_common_vals=None,
        most_common_freqs=None,
        histogram_bounds=None,
        most_common_elems=None,
        most_common_elem_freqs=None,
        range_length_histogram=None,
        range_empty_frac=None,  # the server takes it with the lengths only
        range_bounds_histogram=None,
    )
