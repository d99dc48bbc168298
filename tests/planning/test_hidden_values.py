"""Literals on columns whose values a snapshot hides become parameters, and no others."""

from __future__ import annotations

import random
import time

import pytest

from dbguard.errors import UsageError
from dbguard.model.names import Name
from dbguard.model.snapshot import ColumnStatistics, Snapshot
from dbguard.parsing.explainable import explainable
from dbguard.pipelines.explain import schema_of
from dbguard.planning.hidden_columns import Hidden, hidden_in
from dbguard.planning.hidden_values import Opened, opened, sentences

SCHEMA = """
CREATE DOMAIN public.rank AS text CHECK (VALUE IN ('gold', 'iron'));
CREATE TABLE public.orders (
    id bigint PRIMARY KEY, status text DEFAULT 'new' CHECK (status <> 'never'), state text, kind varchar(20), code text, title text, token uuid,
    rank public.rank, total numeric, placed date, born date, tags text[], words tsvector, data jsonb, phone integer);
CREATE INDEX orders_open ON public.orders (id) WHERE state <> 'done';
CREATE INDEX orders_has_kind ON public.orders (kind) WHERE kind IS NOT NULL;
CREATE INDEX orders_title ON public.orders (title text_pattern_ops);
CREATE INDEX orders_lower ON public.orders (lower(code));
CREATE TABLE public.visits (region text NOT NULL, page text, at date NOT NULL) PARTITION BY LIST (region);
CREATE TABLE public.visits_north PARTITION OF public.visits FOR VALUES IN ('north');
CREATE TABLE ops."Jobs" (id bigint, queue text);
CREATE VIEW public.late AS SELECT id, status AS how FROM public.orders WHERE kind = 'late';
"""
WORDS = ("status", "state", "kind", "code", "title", "rank", "born", "tags", "words", "data", "phone")


def row(relation: str, column: str, *, masked: bool = True, common: bool = True, schema: str = "public") -> ColumnStatistics:
    shown = ("{11,22}", "{0.5,0.3}") if common else (None, None)
    return ColumnStatistics(
        Name(schema, relation), column, most_common_vals=shown[0], most_common_freqs=shown[1], histogram_bounds="{1,2}", masked=masked
    )


COLUMNS = (
    *(row("orders", name) for name in WORDS),
    *(row("orders", name, masked=False) for name in ("id", "total", "placed")),
    row("orders", "token", common=False),
    row("orders_lower", "lower"),
    row("visits_north", "region"),
    row("visits_north", "page"),
    row("Jobs", "queue", schema="ops"),
)
SNAPSHOT = Snapshot(schema=f"CREATE SCHEMA ops;\n{SCHEMA}", columns=COLUMNS)


@pytest.fixture(scope="module")
def hidden() -> Hidden:
    found = hidden_in(SNAPSHOT, schema_of(SNAPSHOT))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def without_values() -> Hidden:
    bare = tuple([one._replace(masked=False, most_common_vals=None, most_common_freqs=None, histogram_bounds=None) for one in COLUMNS])
    snapshot = SNAPSHOT._replace(values="none", columns=bare)
    found = hidden_in(snapshot, schema_of(snapshot))
    assert found is not None
    return found


def of(sql: str, hidden: Hidden) -> str:
    return opened(explainable(sql), hidden).query.sql


@pytest.mark.parametrize(
    ("condition", "changed"),
    [
        ("status = 'shipped'", "status = $1"),
        ("'shipped' = status", "$1 = status"),
        ("status <> 'shipped'", "status <> $1"),
        ("status IN ('a', 'b')", "status IN ($1, $2)"),
        ("status NOT IN ('a', 'b')", "status NOT IN ($1, $2)"),
        ("status = ANY (ARRAY['a', 'b'])", "status = ANY (ARRAY[$1, $2])"),
        ("status = ANY ('{a,b}')", "status = ANY ($1)"),
        ("status LIKE '%late%'", "status LIKE $1"),
        ("status LIKE 'late%'", "status LIKE $1"),
        ("status ILIKE 'late%' ESCAPE '!'", "status ILIKE $1 ESCAPE $2"),
        ("status SIMILAR TO 'a|b'", "status SIMILAR TO $1"),
        ("status ~ '^a'", "status ~ $1"),
        ("status > 'm'", "status > $1"),
        ("status BETWEEN 'a' AND 'c'", "status BETWEEN $1 AND $2"),
        ("status IS DISTINCT FROM 'x'", "status IS DISTINCT FROM $1"),
        ("(status, id) = ('x', 3)", "(status, id) = ($1, 3)"),
        ("(status, total) IN (('x', 1), ('y', 2))", "(status, total) IN (($1, 1), ($2, 2))"),
        ("status = 'x'::text", "status = $1::text"),
        ("status = CAST('x' AS text)", "status = CAST($1 AS text)"),
        ("kind::text = 'x'", "kind::text = $1"),
        ("kind = 'x'", "kind = $1"),
        ("status = 'a' || 'b'", "status = $1 || $2"),
        ("status = lower('A')", "status = lower($1)"),
        ("status = E'a\\'b'", "status = $1"),
        ("status = $q$a'b$q$", "status = $1"),
        ("status='x'AND id=3", "status=$1 AND id=3"),
        ("born < date '2001-02-03'", "born < $1::date"),
        ("born < date '2001-02-03' + interval '1' year", "born < $1::date + interval '1' year"),
        ("phone = 5551234", "phone = $1::integer"),
        ("phone = -5", "phone = $1::integer"),
        ("phone > 5551234567", "phone > $1::bigint"),
        ("phone = 1.5", "phone = $1::numeric"),
        ("tags @> ARRAY['a']", "tags @> ARRAY[$1]"),
        ("data @> '{\"a\": 1}'", "data @> $1"),
        ("lower(code) = 'x'", "lower(code) = $1"),
        ("token > '00000000-0000-0000-0000-000000000000'", "token > $1"),
        ("NOT (status = 'x' OR id = 1)", "NOT (status = $1 OR id = 1)"),
        ("id = 7 AND (total > 5 OR status = 'ü')", "id = 7 AND (total > 5 OR status = $1)"),
    ],
)
def test_a_literal_that_a_masked_column_is_compared_with_is_a_parameter(condition: str, changed: str, hidden: Hidden):
    assert of(f"SELECT * FROM orders WHERE {condition}", hidden) == f"SELECT * FROM orders WHERE {changed}"


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("SELECT 1 FROM orders o JOIN visits v ON v.page = 'x' AND o.status = v.page", "v.page = $1"),
        ("SELECT s FROM (SELECT status AS s, id FROM orders) q WHERE s = 'x'", "s = $1"),
        ("WITH q(s) AS (SELECT status FROM orders) SELECT * FROM q WHERE s = 'x'", "s = $1"),
        ("SELECT * FROM (SELECT status s FROM orders UNION ALL SELECT page FROM visits) q WHERE s = 'x'", "s = $1"),
        ("SELECT * FROM late WHERE how = 'x'", "how = $1"),
        ("SELECT status, count(*) FROM orders GROUP BY status HAVING status > 'x' AND count(*) > 3", "HAVING status > $1 AND count(*) > 3"),
        ("SELECT 1 WHERE EXISTS (SELECT FROM orders WHERE status = 'x')", "status = $1"),
        ("UPDATE orders SET state = 'y' WHERE status = 'x'", "SET state = 'y' WHERE status = $1"),
        ("DELETE FROM orders WHERE status = 'x' RETURNING 'z'", "status = $1 RETURNING 'z'"),
        ("SELECT * FROM ops.\"Jobs\" j WHERE j.queue = 'x'", "j.queue = $1"),
        ("SELECT * FROM orders WHERE id = $1 AND total < $2 AND status = 'x'", "id = $1 AND total < $2 AND status = $3"),
    ],
)
def test_wherever_the_comparison_stands(sql: str, changed: str, hidden: Hidden):
    assert changed in of(sql, hidden)


@pytest.mark.parametrize(
    "condition",
    [
        "id = 7",
        "total > 5 AND placed >= '2024-01-01'",
        "placed BETWEEN date '2024-01-01' AND date '2024-02-01'",
        "status = 'new'",  # the default
        "status = 'never'",  # a constraint
        "rank = 'gold'",  # its domain
        "rank = ANY ('{gold,iron}')",
        "state = 'done'",  # the predicate of an index
        "state = 'open'",  # shows that the partial index will do
        "state IN ('open', 'late')",
        "title LIKE 'Sm%'",  # a range of the index
        "token = '00000000-0000-0000-0000-000000000000'",  # no value is more common than another
        "token IN ('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001')",
        "words @@ to_tsquery('english', 'a & b')",
        "upper(status) = 'X'",  # nobody has statistics of it
        "status || 'x' = 'y'",
        "data ->> 'a' = 'x'",
        "length(status) > 3",
        "status = code || 'x'",
        "status = $1 || 'x'",
        "status IS NOT NULL AND status = kind",
        "status = (SELECT 'x')",
        "extract(year FROM placed) = 2024",
        "status = CASE WHEN id = 1 THEN 'x' ELSE 'y' END",
    ],
)
def test_a_literal_that_is_known_or_decides_more_than_rows_stays(condition: str, hidden: Hidden):
    query = explainable(f"SELECT * FROM orders WHERE {condition}")
    assert opened(query, hidden).query == query
    assert opened(query, hidden).columns == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'x' AS status, CASE WHEN status = 'x' THEN 'y' END FROM orders ORDER BY 2, 1 LIMIT 3 OFFSET 1",
        "SELECT count(*) FILTER (WHERE status = 'x') FROM orders GROUP BY kind || 'x'",
        "INSERT INTO orders (id, status) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET status = 'y'",
        "UPDATE orders SET status = 'x' WHERE id = 1",
        "SELECT * FROM visits WHERE region = 'north'",
        "SELECT * FROM nothing WHERE status = 'x'",
        "SELECT * FROM orders WHERE missing = 'x' AND status = 'y'",
        "SELECT * FROM generate_series(1, 3) AS g(status) WHERE status = 3",
        "VALUES ('a'), ('b')",
        "SELECT 1",
    ],
)
def test_what_is_no_comparison_with_a_hidden_column_stays(sql: str, hidden: Hidden):
    query = explainable(sql)
    assert opened(query, hidden) == Opened(query)


def test_a_predicate_that_any_value_fulfils_keeps_no_literal(hidden: Hidden):
    assert of("SELECT id FROM orders WHERE kind = 'x'", hidden).endswith("kind = $1")


def test_an_index_that_is_pending_keeps_the_literal_that_it_needs(hidden: Hidden):
    later = schema_of(SNAPSHOT._replace(schema=SNAPSHOT.schema + "CREATE INDEX soon ON orders (id) WHERE status = 'slow';"))
    sql = "SELECT id FROM orders WHERE status = 'slow'"
    assert of(sql, hidden).endswith("$1")
    assert of(sql, hidden._replace(later=later)) == sql


def test_a_pattern_becomes_a_parameter_where_no_index_could_begin_with_it(hidden: Hidden):
    assert of("SELECT id FROM orders WHERE title LIKE '%Sm'", hidden).endswith("LIKE $1")
    assert of("SELECT id FROM orders WHERE status LIKE 'Sm%'", hidden).endswith("LIKE $1")
    assert of("SELECT id FROM orders WHERE kind LIKE 'Sm%'", hidden).endswith("LIKE $1")
    assert of("SELECT id FROM orders WHERE kind LIKE 'Sm%'", hidden._replace(c_collation=True)).endswith("LIKE 'Sm%'")


def test_without_values_numbers_and_times_are_parameters_as_well(without_values: Hidden):
    found = of("SELECT * FROM orders WHERE total BETWEEN 3 AND 5 AND placed < date '2024-01-01' AND status = 'x'", without_values)
    assert found.endswith("total BETWEEN $1::integer AND $2::integer AND placed < $3::date AND status = $4")
    for stays in ("state = 'open'", "status = 'new'"):
        assert of(f"SELECT * FROM orders WHERE {stays}", without_values).endswith(stays)
    assert of("SELECT * FROM visits WHERE region = 'x'", without_values).endswith("'x'")
    assert of("SELECT * FROM orders WHERE token = '0'", without_values).endswith("$1")


def test_nothing_is_hidden_in_a_full_snapshot():
    full = SNAPSHOT._replace(values="full", columns=tuple([one._replace(masked=False) for one in COLUMNS]))
    assert hidden_in(full, schema_of(full)) is None


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT * FROM orders WHERE state = 'open'", "state"),
        ("SELECT * FROM orders WHERE title LIKE 'Sm%'", "title"),
        ("SELECT * FROM orders WHERE words @@ to_tsquery('english', 'a & b')", "words"),
        ("SELECT * FROM visits WHERE region = 'south'", "region"),
    ],
)
def test_a_literal_that_stays_though_nothing_is_known_of_it_is_said(sql: str, column: str, hidden: Hidden):
    assert [name for _, name in opened(explainable(sql), hidden).guessed] == [column]


@pytest.mark.parametrize("sql", ["SELECT * FROM orders WHERE state = 'done'", "SELECT * FROM visits WHERE region = 'north'"])
def test_nothing_is_said_of_a_word_that_the_schema_names(sql: str, hidden: Hidden):
    assert opened(explainable(sql), hidden) == Opened(explainable(sql))


def test_it_is_said_which_columns_and_how_to_keep_them(hidden: Hidden, without_values: Hidden):
    query = explainable("SELECT * FROM orders o JOIN ops.\"Jobs\" j ON j.queue = 'a' WHERE status = 'b' AND status > 'c'")
    (said,) = sentences(opened(query, hidden), hidden)
    assert said == (
        "planned for any value of `ops.Jobs.queue` and `orders.status`: the snapshot holds no values of them; "
        "`--keep ops.Jobs.queue --keep orders.status` keeps them"
    )
    (said,) = sentences(opened(query, without_values), without_values)
    assert "--keep" not in said
    assert "'" not in said
    guess = explainable("SELECT * FROM orders WHERE title LIKE 'Secret%'")
    assert sentences(opened(guess, hidden), hidden) == ("how many rows are found in `orders.title` is a guess: the snapshot holds no values of it",)
    assert sentences(opened(explainable("SELECT * FROM orders WHERE status = $1"), hidden), hidden) == ()


def test_nobody_breaks_it(hidden: Hidden):
    words = ("SELECT", "*", "orders", "WHERE", "status", "=", "'x'", "AND", "(", ")", "IN", ",", "$1", "''", "E'\\'", "$a$")
    pieces = (*words, "--", "/*", "*/", "date", "interval", "'1'", "day", "5", "-5", "1e9", "LIKE", "ü", "::", "text", "[", "]", "NOT", "OR")
    chance = random.Random(3)
    for _ in range(400):
        text = "SELECT * FROM orders WHERE status = 'x' AND " + " ".join(chance.choices(pieces, k=6))
        try:
            query = explainable(text)
        except UsageError:
            continue
        assert opened(query, hidden).query.parameters >= query.parameters
    many = ", ".join(f"'v{number}'" for number in range(5_000))
    wide = explainable(f"SELECT * FROM orders WHERE status IN ({many})")
    assert opened(wide, hidden) == Opened(wide)
    deep = explainable(f"SELECT * FROM orders WHERE {'NOT (' * 60}status = 'x'{')' * 60}")
    assert opened(deep, hidden).query.parameters == 1


def test_sub_queries_that_are_read_twice_again_and_again_take_no_time(hidden: Hidden):
    steps = ", ".join(f"c{n} AS (SELECT s FROM c{n - 1} UNION ALL SELECT s FROM c{n - 1})" for n in range(1, 40))
    query = explainable(f"WITH c0 AS (SELECT status AS s FROM orders), {steps} SELECT * FROM c39 WHERE s = 'x'")
    started = time.monotonic()
    assert opened(query, hidden).query.sql.endswith("s = $1")
    assert time.monotonic() - started < 2
