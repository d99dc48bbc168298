"""The height that a btree of so many pages has, held against real ones."""

from __future__ import annotations

import psycopg
import pytest

from dbguard.postgres.ghost.pages import BLOCK, btree_level, btree_spine
from dbguard.postgres.ghost.sizes import key_bytes

INDEXES = {
    "small": "CREATE INDEX small ON keys (id) WHERE id < 100",
    "middle": "CREATE INDEX middle ON keys (id) WHERE id < 30000",
    "number": "CREATE INDEX number ON keys (id)",
    "few": "CREATE INDEX few ON keys (few)",
    "text": "CREATE INDEX text ON keys (word)",
    "long": "CREATE INDEX long ON keys (long)",
    "two": "CREATE INDEX two ON keys (few, word)",
    "three": "CREATE INDEX three ON keys (id, few, word)",
    "wide": "CREATE INDEX wide ON keys (long, word, id) WHERE id < 20000",
}


@pytest.fixture(scope="module")
def connection(server):
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pageinspect")
        connection.execute("CREATE TABLE keys (id bigint, few int, word text, long text)")
        connection.execute("INSERT INTO keys SELECT i, i % 9, md5(i::text), repeat(md5(i::text), 6) FROM generate_series(1, 120000) i")
        for ddl in INDEXES.values():
            connection.execute(ddl)
        connection.execute("ANALYZE keys")
        yield connection
    server.drop_database(name)


@pytest.mark.parametrize("index", INDEXES)
def test_the_height_is_that_of_the_real_index(connection, index):
    oid, pages, level = connection.execute(
        "SELECT %s::regclass::oid, pg_relation_size(%s::regclass) / 8192, level FROM bt_metap(%s)", (index, index, index)
    ).fetchone()
    assert btree_level(pages, key_bytes(connection)[oid]) == level


def test_more_pages_are_never_less_high():
    levels = [btree_level(pages, 8) for pages in (1, 2, 3, 280, 300, 80_000, 90_000, 25_000_000, 2**31)]
    assert levels == sorted(levels)
    assert levels[:3] == [0, 0, 1]


@pytest.mark.parametrize("key", [0, 1, 8, 2700, 10**9])
def test_keys_of_any_size_have_a_height(key):
    assert 0 <= btree_level(10_000, key) <= 10


def test_a_spine_leads_from_the_root_to_one_leaf():
    pages = dict(btree_spine(bytes(BLOCK), 2))
    assert sorted(pages) == [0, 1, 2, 3]
    assert all(len(page) == BLOCK for page in pages.values())


def test_the_server_itself_finds_nothing_wrong_with_a_spine(connection):
    """amcheck reads every page of an index and holds it against what a btree must be."""
    from dbguard.model.names import Name
    from dbguard.model.snapshot import Relation, Snapshot
    from dbguard.postgres.ghost import open_ghost

    table = Name("public", "t")
    relations = (Relation(table, "r", 100_000, 1e7), Relation(Name("public", "t_id_idx"), "i", 90_000, 1e7, method="btree", table=table))
    with open_ghost(Snapshot(schema="CREATE TABLE t (id int); CREATE INDEX ON t (id);", relations=relations), cache=False) as ghost:
        with psycopg.connect(ghost._origin.access.superuser("ghost"), autocommit=True) as inside:
            inside.execute("CREATE EXTENSION amcheck SCHEMA public; CREATE EXTENSION pageinspect SCHEMA public")
            assert inside.execute("SELECT level FROM public.bt_metap('public.t_id_idx')").fetchone() == (3,)
            inside.execute("SELECT public.bt_index_parent_check('public.t_id_idx', false, true)")
        with psycopg.connect(ghost.dsn()) as caller:
            caller.execute("SET enable_seqscan = off")
            assert caller.execute("SELECT id FROM t WHERE id > 5 ORDER BY id DESC").fetchall() == []
