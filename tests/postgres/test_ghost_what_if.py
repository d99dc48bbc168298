"""What a ghost becomes after more DDL: candidate indexes and pending migrations."""

from __future__ import annotations

import psycopg
import pytest

from dbguard.errors import ServerError
from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take

SCHEMA = """
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, total numeric(10, 2) NOT NULL, code text NOT NULL, placed date NOT NULL, note text);
INSERT INTO orders SELECT i, i % 5000, CASE WHEN i % 50 = 0 THEN 'open' ELSE 'done' END, (i * 7919) % 100000 / 100.0, md5(i::text), date '2024-01-01' + i % 365, repeat('n', 40)
  FROM generate_series(1, 60000) i;
CREATE TABLE parts (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO parts SELECT i, date '2024-01-01' + i % 365 FROM generate_series(1, 30000) i;
CREATE INDEX orders_placed ON orders (placed);
"""
# Indexes of every kind, and by how much the estimate of their pages may be wrong.
CANDIDATES = {
    "by_total": ("CREATE INDEX by_total ON orders (total)", 0.15),
    "by_customer": ("CREATE INDEX by_customer ON orders (customer_id)", 0.15),
    "by_status": ("CREATE INDEX by_status ON orders (status)", 0.15),
    "by_code": ("CREATE UNIQUE INDEX by_code ON orders (code)", 0.15),
    "by_two": ("CREATE INDEX by_two ON orders (customer_id, placed DESC)", 0.15),
    "by_open": ("CREATE INDEX by_open ON orders (placed) WHERE status = 'open'", 0.5),
    "covering": ("CREATE INDEX covering ON orders (customer_id) INCLUDE (total)", 0.15),
    "hashed": ("CREATE INDEX hashed ON orders USING hash (code)", 0.3),
}


def plan(dsn: str, query: str):
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()[0][0]["Plan"]


def index_of(dsn: str, query: str) -> str | None:
    def find(found):
        return found.get("Index Name") or next((name for child in found.get("Plans", ()) if (name := find(child))), None)

    return find(plan(dsn, query))


@pytest.fixture(scope="module")
def source(server):
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("CHECKPOINT")  # VACUUM marks pages all-visible once the commit of their rows is on disk
        connection.execute("VACUUM (ANALYZE)")
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def ghost(source):
    with open_read_only(source) as connection:
        snapshot = take(connection, Wishes(values="full"))
    with open_ghost(snapshot, cache=False) as opened:
        yield opened


def test_a_candidate_is_used_there_and_only_there(ghost):
    query = "SELECT * FROM orders WHERE customer_id = 5"
    with ghost.what_if("CREATE INDEX candidate ON orders (customer_id)") as other:
        assert index_of(other.dsn(), query) == "candidate"
        assert index_of(ghost.dsn(), query) is None
    assert index_of(ghost.dsn(), query) is None


def test_a_candidate_is_as_large_as_the_real_index_and_plans_like_it(source, ghost):
    with psycopg.connect(source, autocommit=True) as connection, ghost.what_if([ddl for ddl, _ in CANDIDATES.values()]) as other:
        for name, (ddl, tolerance) in CANDIDATES.items():
            connection.execute(ddl)
            real = connection.execute("SELECT pg_relation_size(%s::regclass) / 8192", (name,)).fetchone()[0]
            connection.execute(f"DROP INDEX {name}")
            with psycopg.connect(other.dsn()) as asked:
                estimate = asked.execute("SELECT pg_relation_size(%s::regclass) / 8192", (name,)).fetchone()[0]
            assert estimate == pytest.approx(real, rel=tolerance), name


def test_costs_with_a_candidate_are_those_with_the_real_index(source, ghost):
    query = "SELECT * FROM orders WHERE total = 5"
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("CREATE INDEX by_total ON orders (total)")
        real = plan(source, query)
        connection.execute("DROP INDEX by_total")
    with ghost.what_if("CREATE INDEX by_total ON orders (total)") as other:
        assert plan(other.dsn(), query)["Total Cost"] == pytest.approx(real["Total Cost"], rel=0.01)


@pytest.mark.parametrize(
    "method", ["gin (to_tsvector('simple', note))", "brin (placed)", "gist (daterange(placed, placed + 1))", "spgist (code)", "hash (code)"]
)
def test_a_candidate_can_have_any_method(ghost, method):
    with ghost.what_if(f"CREATE INDEX candidate ON orders USING {method}") as other, psycopg.connect(other.dsn()) as connection:
        assert connection.execute("SELECT pg_relation_size('candidate') / 8192 BETWEEN 2 AND 3000").fetchone() == (True,)


def test_an_index_on_an_expression_has_as_many_values_as_its_column(ghost):
    query = "SELECT * FROM orders WHERE lower(code) = 'x'"
    assert plan(ghost.dsn(), query)["Plan Rows"] == 300
    with ghost.what_if("CREATE INDEX candidate ON orders (customer_id, lower(code))") as other:
        assert plan(other.dsn(), query)["Plan Rows"] == 1


def test_files_that_grow_in_place_plan_like_files_that_are_copied(ghost):
    ddl = "CREATE INDEX candidate ON orders (total, customer_id)"
    query = "SELECT * FROM orders WHERE total = 5 ORDER BY customer_id"
    with ghost.what_if(ddl) as in_place, ghost.what_if(["SELECT 1", ddl]) as copied:
        assert plan(in_place.dsn(), query) == plan(copied.dsn(), query)
        with psycopg.connect(in_place._origin.access.superuser("ghost"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        assert plan(in_place.dsn(), query) == plan(copied.dsn(), query)


def test_indexes_can_be_made_concurrently_and_on_partitioned_tables(ghost):
    ddl = ["CREATE INDEX CONCURRENTLY candidate ON orders (total)", "CREATE INDEX parts_id ON parts (id)"]
    with ghost.what_if(ddl) as other:
        assert index_of(other.dsn(), "SELECT * FROM orders WHERE total = 5") == "candidate"
        assert index_of(other.dsn(), "SELECT * FROM parts WHERE id = 5 AND at < '2024-02-01'") == "parts_1_id_idx"


def test_a_dropped_index_is_gone(ghost):
    query = "SELECT * FROM orders WHERE placed = '2024-05-05'"
    assert index_of(ghost.dsn(), query) == "orders_placed"
    with ghost.what_if("DROP INDEX orders_placed") as other:
        assert index_of(other.dsn(), query) is None
        assert plan(other.dsn(), query)["Plan Rows"] == plan(ghost.dsn(), query)["Plan Rows"]


def test_renamed_tables_and_columns_keep_their_statistics(ghost):
    with ghost.what_if("ALTER TABLE orders RENAME TO purchases; ALTER TABLE purchases RENAME COLUMN customer_id TO buyer") as other:
        assert plan(other.dsn(), "SELECT * FROM purchases WHERE buyer = 5") | {"Filter": "", "Relation Name": "", "Alias": ""} == plan(
            ghost.dsn(), "SELECT * FROM orders WHERE customer_id = 5"
        ) | {"Filter": "", "Relation Name": "", "Alias": ""}


def test_a_column_of_another_type_keeps_its_statistics(ghost):
    with ghost.what_if("ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint") as other:
        assert plan(other.dsn(), "SELECT * FROM orders WHERE customer_id = 5")["Plan Rows"] == 12


def test_a_table_that_is_written_again_has_no_visible_pages(ghost):
    def visible(other) -> int:
        with psycopg.connect(other.dsn(), autocommit=True) as connection:
            return connection.execute("SELECT relallvisible FROM pg_class WHERE relname = 'orders'").fetchone()[0]

    with ghost.what_if("ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint") as other:
        assert visible(other) == 0
    with ghost.what_if("ALTER TABLE orders ALTER COLUMN note TYPE varchar; ALTER TABLE orders ADD COLUMN more int DEFAULT 1") as other:
        assert visible(other) == visible(ghost) > 0


def test_a_column_whose_values_do_not_fit_the_new_type_is_said(ghost):
    with ghost.what_if("ALTER TABLE orders ALTER COLUMN code TYPE int USING 1") as other:
        assert any("orders.code" in sentence for sentence in other.lost)
        assert plan(other.dsn(), "SELECT * FROM orders")["Plan Rows"] == 60_000


def test_dropped_columns_added_columns_and_data_changes_run(ghost):
    ddl = """
        ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders ADD COLUMN paid boolean NOT NULL DEFAULT false;
        UPDATE orders SET paid = true WHERE status = 'done'; INSERT INTO parts VALUES (1, '2024-02-02');
        ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0); CREATE TABLE extra (id int PRIMARY KEY REFERENCES orders);
    """
    with ghost.what_if(ddl) as other:
        assert plan(other.dsn(), "SELECT * FROM orders")["Plan Rows"] == 60_000
        assert plan(other.dsn(), "SELECT * FROM parts")["Plan Rows"] == 30_000
        with psycopg.connect(other.dsn(), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("INSERT INTO extra VALUES (1)")


def test_changes_build_on_changes(ghost):
    with (
        ghost.what_if("ALTER TABLE orders RENAME COLUMN total TO amount") as renamed,
        renamed.what_if(["CREATE INDEX candidate ON orders (amount)"]) as other,
    ):
        assert index_of(other.dsn(), "SELECT * FROM orders WHERE amount = 5") == "candidate"
        assert index_of(renamed.dsn(), "SELECT * FROM orders WHERE amount = 5") is None


def test_a_statement_that_fails_is_named_and_leaves_nothing(ghost):
    with (
        pytest.raises(ServerError, match=r"(?s)no_such_column.*CREATE INDEX ON orders"),
        ghost.what_if(["CREATE INDEX ON orders (total)", "CREATE INDEX ON orders (no_such_column)"]),
    ):
        pass
    with psycopg.connect(ghost.dsn()) as connection:
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'ghost%'").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'touch {file}'",
        "COPY (SELECT 1) TO '{file}'",
        "ALTER SYSTEM SET archive_command = 'touch {file}'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '{file}', 'f'",
        "ALTER ROLE postgres SUPERUSER",
        "SET ROLE dbguard",
        "GRANT pg_execute_server_program TO postgres",
        "UPDATE pg_catalog.pg_class SET relpages = 0",
        "DROP DATABASE ghost",
    ],
)
def test_ddl_runs_without_superuser(ghost, tmp_path, statement):
    file = tmp_path / "made"
    with pytest.raises(ServerError), ghost.what_if(statement.replace("{file}", str(file))):
        pass
    assert not file.exists()


def test_a_ghost_can_begin_after_ddl(source):
    with open_read_only(source) as connection:
        snapshot = take(connection, Wishes(values="full"))
    with open_ghost(snapshot, ddl="CREATE INDEX candidate ON orders (total)", cache=False) as opened:
        assert index_of(opened.dsn(), "SELECT * FROM orders WHERE total = 5") == "candidate"
