"""What becomes of a snapshot that grows."""

from __future__ import annotations

import pytest

from dbguard.errors import UsageError
from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, ColumnStatistics, ExtendedStatistics, Relation, Snapshot
from dbguard.planning.scaling import grow

SCHEMA = """
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE TABLE tenants (id bigint PRIMARY KEY, name text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint REFERENCES tenants, country text REFERENCES countries, status text, placed date);
CREATE TABLE items (order_id bigint REFERENCES orders, line int, tenant_id bigint, PRIMARY KEY (order_id, line));
CREATE INDEX orders_tenant ON orders (tenant_id);
CREATE TABLE events (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE MATERIALIZED VIEW totals AS SELECT country, count(*) FROM orders GROUP BY country;
CREATE SCHEMA other;
CREATE TABLE other.items (id int PRIMARY KEY);
"""


def name(text: str) -> Name:
    schema, _, plain = text.rpartition(".")
    return Name(schema or "public", plain)


def relation(text: str, tuples: float, pages: int, kind: str = "r", **fields) -> Relation:
    return Relation(name(text), kind, pages, tuples, **fields)


RELATIONS = (
    relation("countries", 200, 2),
    relation("tenants", 100, 2),
    relation("orders", 100_000, 1000, all_visible=900),
    relation("orders_tenant", 100_000, 201, "i", method="btree", table=name("orders"), height=1),
    relation("items", 300_000, 2000),
    relation("events", 50_000, 0, "p"),
    relation("events_1", 49_900, 400),
    relation("events_2", 100, 1),
    relation("totals", 200, 2, "m"),
    relation("other.items", 5000, 50),
)


def column(table: str, text: str, **fields) -> ColumnStatistics:
    return ColumnStatistics(name(table), text, **fields)


def grown(scale, *columns: ColumnStatistics, **fields):
    result = grow(Snapshot(schema=SCHEMA, relations=RELATIONS, columns=columns, **fields), scale)
    return {str(one.name).removeprefix("public."): one for one in result.relations}, result.columns


def test_a_factor_of_one_changes_nothing():
    snapshot = Snapshot(schema=SCHEMA, relations=RELATIONS)
    assert grow(snapshot, 1) is snapshot
    assert grow(snapshot, {"orders": 1.0}) is snapshot


def test_tables_and_their_indexes_grow_and_lookups_do_not():
    relations, _ = grown(10)
    assert (relations["orders"].tuples, relations["orders"].pages, relations["orders"].all_visible) == (1_000_000, 10_000, 9000)
    assert (relations["orders_tenant"].tuples, relations["orders_tenant"].pages, relations["orders_tenant"].height) == (1_000_000, 2001, None)
    assert relations["countries"] == RELATIONS[0]


def test_a_small_table_whose_rows_are_dated_grows():
    assert grown(10)[0]["tenants"].tuples == 1000


def test_partitions_grow_with_their_siblings_however_small():
    relations, _ = grown(10)
    assert (relations["events"].tuples, relations["events_1"].tuples, relations["events_2"].tuples) == (500_000, 499_000, 1000)


def test_a_materialized_view_grows_with_what_it_reads():
    assert grown(10)[0]["totals"].tuples == 2000
    assert grown({"public.items": 10})[0]["totals"].tuples == 200


def test_counters_say_what_is_a_lookup():
    busy = Activity(name("countries"), inserts=5)
    relations, _ = grown(10, activity=(busy,), seconds=90_000.0)
    assert relations["countries"].tuples == 2000
    assert relations["tenants"].tuples == 100
    assert grown(10, activity=(busy,), seconds=60.0)[0]["countries"].tuples == 200


def test_one_table_grows_alone():
    relations, _ = grown({"orders": 100})
    assert relations["orders"].tuples == 10_000_000
    assert relations["orders_tenant"].tuples == 10_000_000
    assert {table: relations[table].tuples for table in ("items", "events_1", "tenants")} == {"items": 300_000, "events_1": 49_900, "tenants": 100}


def test_a_partitioned_table_is_scaled_by_its_name():
    assert grown({"events": 3})[0]["events_1"].tuples == 149_700


@pytest.mark.parametrize(
    ("scale", "message"),
    [({"nobody": 2}, "no table"), ({"items": 2, "x": 3}, "no table"), (0, "factor"), (-1, "factor"), (1e9, "factor"), (float("nan"), "factor")],
)
def test_a_scale_that_makes_no_sense_is_wrong_use(scale, message):
    with pytest.raises(UsageError, match="schema as well" if scale == {"items": 2, "x": 3} else message):
        grown(scale)


def test_a_table_is_named_with_its_schema_where_names_are_shared():
    relations, _ = grown({"public.items": 2})
    assert (relations["items"].tuples, relations["other.items"].tuples) == (600_000, 5000)


def test_values_that_are_no_keys_stay_what_they_are():
    given = (
        column("orders", "status", n_distinct=5, most_common_vals="{done,open}", most_common_freqs="{0.9,0.05}"),
        column("orders", "placed", n_distinct=365, histogram_bounds="{2024-01-01,2024-12-31}"),
        column("orders", "country", n_distinct=180, most_common_vals="{DE}", most_common_freqs="{0.4}"),
        column("countries", "code", n_distinct=-1.0, histogram_bounds="{AA,ZZ}"),
    )
    assert grown(10, *given)[1] == given


def test_a_key_of_whole_numbers_reaches_further():
    _, (key,) = grown(10, column("orders", "id", n_distinct=-1.0, histogram_bounds="{1,50000,100000}", correlation=1.0))
    assert (key.n_distinct, key.histogram_bounds, key.correlation) == (-1.0, "{1,499991,999991}", 1.0)


def test_a_reference_has_as_many_values_more_as_its_target():
    _, (one, other) = grown(10, column("items", "order_id", n_distinct=-0.33), column("orders", "tenant_id", n_distinct=100))
    assert one.n_distinct == pytest.approx(-0.33, rel=0.05)
    assert other.n_distinct == pytest.approx(1000, rel=0.01)
    _, (one, other) = grown({"orders": 10}, column("items", "order_id", n_distinct=9000), column("orders", "tenant_id", n_distinct=100))
    assert one.n_distinct == pytest.approx(90_000, rel=0.2)
    assert other.n_distinct == 100


def test_a_column_named_like_a_reference_is_one():
    _, (found,) = grown(10, column("items", "tenant_id", n_distinct=100))
    assert found.n_distinct == pytest.approx(1000, rel=0.01)


def test_common_values_of_a_key_get_rarer_and_chance_ones_are_let_go():
    _, (found,) = grown(100, column("orders", "tenant_id", n_distinct=100, most_common_vals="{7,8,9}", most_common_freqs="{0.5,0.2,0.003}"))
    assert found.most_common_vals == "{7,8}"
    assert shares_of(found) == pytest.approx([0.329, 0.131], rel=0.01)


def shares_of(found) -> list[float]:
    return [float(share) for share in found.most_common_freqs.strip("{}").split(",")]


def test_shares_fall_as_the_law_says_that_they_are_spread_by():
    """Values of rank r of n have (r/n)^a - ((r-1)/n)^a of the rows: ten times as many values leave each 10^-a of its share."""
    for power, values in ((0.25, 1000), (0.6, 100), (0.25, 40)):
        shares = [((rank + 1) / values) ** power - (rank / values) ** power for rank in range(min(values, 100))]
        text = "{" + ",".join(f"{share:.6f}" for share in shares) + "}"
        common = "{" + ",".join(map(str, range(1, len(shares) + 1))) + "}"
        _, (found,) = grown(10, column("orders", "tenant_id", n_distinct=values, most_common_vals=common, most_common_freqs=text))
        assert shares_of(found)[0] == pytest.approx(shares[0] * 10**-power, rel=0.03)


def test_a_value_that_few_share_the_rows_with_is_diluted_by_the_middle():
    for fields in ({"n_distinct": 1.0, "most_common_freqs": "{1}"}, {"n_distinct": -0.001, "most_common_freqs": "{0.6}", "null_frac": 1.0}):
        _, (found,) = grown(100, column("orders", "tenant_id", most_common_vals="{7}", **fields))
        assert found.most_common_freqs is None or shares_of(found)[0] == pytest.approx(float(fields["most_common_freqs"].strip("{}")) / 10)


def test_common_values_never_add_up_to_more_than_all():
    for factor in (0.01, 0.5, 3, 1000):
        _, (found,) = grown(factor, column("orders", "tenant_id", n_distinct=3, most_common_vals="{1,2,3}", most_common_freqs="{0.5,0.3,0.2}"))
        assert found.most_common_freqs is None or sum(map(float, found.most_common_freqs.strip("{}").split(","))) <= 1.0001


def test_combinations_grow_with_the_key_among_them():
    snapshot = Snapshot(
        schema=SCHEMA,
        relations=RELATIONS,
        extended=(ExtendedStatistics(name("s"), name("orders"), n_distinct='{"2, 4": 300, "3, 4": 50}', dependencies='{"2 => 4": 0.5}'),),
    )
    (found,) = grow(snapshot, 10).extended
    assert (found.n_distinct, found.dependencies) == ('{"2, 4": 3000, "3, 4": 50}', '{"2 => 4": 0.5}')


@pytest.mark.parametrize("text", ["{", "{}", "{a,b}", '{"1","2"}', "{1,2", "{NULL}", "{1,,2}"])
def test_arrays_that_are_none_are_left_as_they_are(text):
    _, (found,) = grown(10, column("orders", "id", n_distinct=-1.0, histogram_bounds=text))
    assert found.histogram_bounds == text


@pytest.mark.parametrize("freqs", ["{", "{}", "{x}", "{NULL,0.5}", "{1e999}"])
def test_shares_that_are_none_are_no_crash(freqs):
    grown(10, column("orders", "tenant_id", n_distinct=50, most_common_vals="{1,2}", most_common_freqs=freqs))
