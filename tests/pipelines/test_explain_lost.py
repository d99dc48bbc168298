"""What a ghost lost is told only of tables that the queries touch."""

from __future__ import annotations

import pytest

from dbguard.model.names import Name
from dbguard.model.snapshot import ExtendedStatistics, Relation, Snapshot
from dbguard.pipelines.explain import schema_of
from dbguard.pipelines.explain_lost import concerning

SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, "text" text);
CREATE TABLE places (id int PRIMARY KEY, at text);
CREATE TABLE "text" (id int);
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE VIEW near AS SELECT * FROM places;
CREATE FUNCTION nearest() RETURNS int LANGUAGE sql AS 'SELECT min(id) FROM places';
"""
SNAPSHOT = Snapshot(
    schema=SCHEMA,
    major=18,
    relations=(Relation(Name("public", "places_at_idx"), "i", table=Name("public", "places")),),
    extended=(ExtendedStatistics(Name("public", "places_stats"), Name("public", "places")),),
)
ABOUT_PLACES = (
    'CREATE INDEX places_at_idx ON public.places USING gist (at) did not run: type "geometry" does not exist',
    "ALTER TABLE ONLY public.places ADD CONSTRAINT c CHECK (f(at)) did not run: function f(text) does not exist",
    "public.places_at_idx is not in the ghost",
    "statistics of public.places.at are left out: malformed array literal",
    "extended statistics public.places_stats are left out: they cannot be read",
    "extended statistics public.places_stats: their most common combinations of values are left out",
)
ABOUT_ALL = (
    "locale de_DE is not on the ghost's server: text is ordered by bytes",
    "setting x.y = 1 is not known to the ghost's server",
    "extension postgis is not on the ghost's server: what uses its types, functions or operators is planned with stand-ins or not at all",
    "CREATE FUNCTION public.far() RETURNS int AS 'SELECT 1 FROM public.places' did not run: language x does not exist",
    'CREATE TABLE public."Odd Ones" (id odd) did not run: type "odd" does not exist',
)


def told(*queries: str) -> tuple[str, ...]:
    return concerning((*ABOUT_PLACES, *ABOUT_ALL), queries, schema_of(SNAPSHOT), SNAPSHOT)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM places",
        'SELECT * FROM public."places" p',
        "SELECT * FROM orders o JOIN PLACES USING (id)",
        "SELECT * FROM near",
        "SELECT nearest()",
        "UPDATE places SET at = ''",
    ],
)
def test_all_is_told_of_a_table_that_is_touched(query: str) -> None:
    assert told("SELECT 1", query) == (*ABOUT_PLACES, *ABOUT_ALL)


@pytest.mark.parametrize("query", ["SELECT * FROM orders", "SELECT id, text FROM orders WHERE id = $1", "SELECT 1"])
def test_nothing_is_told_of_tables_that_are_not(query: str) -> None:
    assert told(query) == ABOUT_ALL


@pytest.mark.parametrize(("query", "matters"), [("SELECT * FROM events", True), ("SELECT * FROM events_1", True), ("SELECT * FROM orders", False)])
def test_partitions_belong_to_their_table(query: str, matters: bool) -> None:
    sentences = ("public.events_1 is not in the ghost", "statistics of public.events.day are left out: x")
    assert concerning(sentences, (query,), schema_of(SNAPSHOT), SNAPSHOT) == (sentences if matters else ())
