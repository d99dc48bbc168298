"""Snapshots from strangers, snapshots of what is not here, and a cache that somebody else has touched."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from dbguard.model.names import Name
from dbguard.model.snapshot import ColumnStatistics, ExtendedStatistics, Relation, Snapshot
from dbguard.postgres.ghost import cache, open_ghost, pack

TABLE = "CREATE TABLE t (id int PRIMARY KEY, name text, tags text[]);"
T = Name("public", "t")


def opened(schema: str = TABLE, **fields):
    relations = fields.pop("relations", (Relation(T, "r", 100, 5000.0), Relation(Name("public", "t_pkey"), "i", 20, 5000.0, method="btree", table=T)))
    return open_ghost(Snapshot(schema=schema, relations=relations, **fields), cache=False)


def plan(ghost, query: str):
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        return connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()[0][0]["Plan"]


def test_a_schema_cannot_leave_its_database(tmp_path):
    file = tmp_path / "made"
    attempts = [
        f"COPY (SELECT 1) TO PROGRAM 'touch {file}'",
        f"COPY (SELECT 1) TO '{file}'",
        "COPY t FROM '/etc/passwd'",
        f"ALTER SYSTEM SET archive_command = 'touch {file}'",
        "CREATE FUNCTION leave() RETURNS int LANGUAGE c AS 'libc', 'system'",
        "CREATE EXTENSION IF NOT EXISTS plpython3u WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS dblink WITH SCHEMA public",
        "LOAD '$libdir/auto_explain'",
        "SET ROLE dbguard",
        "SET SESSION AUTHORIZATION dbguard",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/x')",
    ]
    with opened(TABLE + ";\n".join(attempts) + ";\nCREATE TABLE after (id int);") as ghost:
        assert len([sentence for sentence in ghost.lost if "did not run" in sentence]) == len(attempts) - 3
        assert all(any(name in sentence for sentence in ghost.lost) for name in ("plpython3u", "file_fdw", "dblink"))
        assert plan(ghost, "SELECT * FROM t, after")["Node Type"] == "Nested Loop"
    assert not file.exists()


def test_functions_that_call_themselves_superuser_are_not(tmp_path):
    schema = (
        TABLE
        + f"""
        CREATE FUNCTION sneak() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN COPY (SELECT 1) TO PROGRAM 'touch {tmp_path}/made'; RETURN NULL; END $$;
        CREATE TRIGGER a BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION sneak();
        CREATE FUNCTION pure(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN COPY (SELECT 1) TO PROGRAM 'touch {tmp_path}/made'; RETURN 1; END $$;
        CREATE INDEX ON t (pure(id));
        CREATE TABLE pg_class (oid oid, relkind text); CREATE FUNCTION format(text, regclass) RETURNS text LANGUAGE sql AS 'SELECT pure(1)::text';
        """
    )
    with opened(schema) as ghost, ghost.what_if("CREATE INDEX ON t (name) WHERE pure(id) = 1") as other:
        assert plan(other, "SELECT * FROM t")["Plan Rows"] == 5000
    assert not (tmp_path / "made").exists()


def test_only_settings_of_the_planner_are_taken():
    given = (
        ("session_preload_libraries", "evil"),
        ("local_preload_libraries", "evil"),
        ("archive_command", "touch /tmp/x"),
        ("dynamic_library_path", "/tmp"),
        ("work_mem", "lots"),
        ("random_page_cost", "2"),
        ("no_such_setting", "1"),
        ("default_transaction_read_only", "off"),
        ("x'; DROP TABLE t; --", "1"),
    )
    with opened(settings=given) as ghost, psycopg.connect(ghost.dsn()) as connection:
        assert any("work_mem" in sentence for sentence in ghost.lost)
        for name, value in (("random_page_cost", "2"), ("default_transaction_read_only", "on")):
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,)
        given_to_roles = connection.execute("SELECT setconfig::text FROM pg_db_role_setting").fetchall()
        assert not any(word in text for (text,) in given_to_roles for word in ("preload", "archive", "library_path"))


def test_names_of_roles_give_no_rights():
    roles = ("postgres", "dbguard", "ghost", "pg_execute_server_program", 'a"; DROP ROLE ghost; --', "public", "reader")
    with opened(roles=roles) as ghost, psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        rights = "SELECT rolsuper, pg_has_role('ghost', 'pg_execute_server_program', 'USAGE') FROM pg_roles WHERE rolname = 'ghost'"
        assert connection.execute(rights).fetchone() == (False, False)
        connection.execute("SET ROLE reader")
        for role in ("postgres", "dbguard", "pg_execute_server_program"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {role}")


def test_numbers_out_of_bounds_are_bounded():
    relations = (
        Relation(T, "r", 2**33, float("nan"), all_visible=2**50, height=99),
        Relation(Name("public", "t_pkey"), "i", 2**40, -7.0, method="btree", table=T, height=2_000_000),
        Relation(Name("public", "nobody"), "r", 5, 1e300),
    )
    with opened(relations=relations) as ghost:
        assert any("too large" in sentence for sentence in ghost.lost)
        assert any("nobody" in sentence for sentence in ghost.lost)
        assert plan(ghost, "SELECT * FROM t WHERE id = 1")["Total Cost"] > 0
        assert plan(ghost, "SELECT max(id) FROM t")["Total Cost"] > 0


def test_statistics_that_do_not_fit_are_left_out_alone():
    columns = (
        ColumnStatistics(T, "id", most_common_vals="{1,two}", most_common_freqs="{0.5,0.5}"),
        ColumnStatistics(T, "name", null_frac=0.25, n_distinct=4, most_common_vals="{a,b}", most_common_freqs="{0.5,0.25}"),
        ColumnStatistics(T, "tags", histogram_bounds="not an array"),
        ColumnStatistics(T, "gone", n_distinct=3),
        ColumnStatistics(Name("pg_catalog", "pg_class"), "relname", n_distinct=3),
        ColumnStatistics(T, "name'; DROP TABLE t; --", n_distinct=3),
    )
    with opened(columns=columns) as ghost:
        assert sorted(sentence.split()[2] for sentence in ghost.lost) == ["public.t.id", "public.t.tags"]
        assert plan(ghost, "SELECT * FROM t WHERE name = 'a'")["Plan Rows"] == 2500
        assert plan(ghost, "SELECT * FROM t WHERE name IS NULL")["Plan Rows"] == 1250


def test_extended_statistics_that_are_none_are_left_out():
    texts = ["[]", '{"1, 2": "x"}', '{"1": 5}', "{" * 5000, '{"1, 2, 3, 4, 5, 6, 7, 8, 9": 2}', "", '{"99999, 2": 4}', '{"1, 2": 4000}']
    schema = TABLE + "".join(f"CREATE STATISTICS s{number} (ndistinct, dependencies) ON id, name FROM t;" for number in range(len(texts)))
    given = tuple(ExtendedStatistics(Name("public", f"s{number}"), T, n_distinct=text) for number, text in enumerate(texts))
    with opened(schema, extended=given) as ghost:
        assert len([sentence for sentence in ghost.lost if "extended statistics public.s" in sentence]) == len(texts) - 1
        assert plan(ghost, "SELECT id, name, count(*) FROM t GROUP BY 1, 2")["Plan Rows"] > 0


def test_extensions_that_are_not_here_are_stubbed():
    schema = """
        CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;
        CREATE EXTENSION IF NOT EXISTS nothing_like_it WITH SCHEMA ext;
        CREATE TABLE public.places (id uuid DEFAULT public.uuid_generate_v4() PRIMARY KEY, spot public.geometry(Point,4326), area public.geography, name ext.fancy_text NOT NULL);
        CREATE INDEX places_spot ON public.places USING gist (spot);
        CREATE INDEX places_name ON public.places (name);
        CREATE INDEX places_words ON public.places USING gin (name ext.fancy_ops);
        CREATE VIEW public.near AS SELECT id, public.st_distance(spot, public.st_makepoint(1, 2)) AS far FROM public.places;
        CREATE VIEW public.inside AS SELECT id FROM public.places WHERE spot OPERATOR(public.&&) area;
        CREATE TABLE public.plain (id int PRIMARY KEY);
    """
    places = Name("public", "places")
    relations = (Relation(places, "r", 1000, 90_000.0), Relation(Name("public", "places_spot"), "i", 500, 90_000.0, method="gist", table=places))
    columns = (ColumnStatistics(places, "name", n_distinct=9, most_common_vals="{a}", most_common_freqs="{0.5}"),)
    with opened(schema, relations=relations, columns=columns) as ghost:
        assert [sentence.split()[1] for sentence in ghost.lost if "extension" in sentence] == ["postgis", "uuid-ossp", "nothing_like_it"]
        assert not [sentence for sentence in ghost.lost if "did not run" in sentence]
        assert plan(ghost, "SELECT * FROM places WHERE name = 'a'")["Plan Rows"] == 45_000
        assert plan(ghost, "SELECT * FROM near, plain")["Node Type"] == "Nested Loop"


def test_an_index_method_that_is_not_here_costs_only_that_index():
    with opened(TABLE + "CREATE INDEX t_rum ON t USING rum (tags); CREATE TABLE after (id int);") as ghost:
        assert any("t_rum" in sentence and "rum" in sentence for sentence in ghost.lost)
        assert plan(ghost, "SELECT * FROM after")["Node Type"] == "Seq Scan"


def test_an_extension_that_is_here_is_created():
    schema = "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;\n" + TABLE + "CREATE INDEX t_trgm ON t USING gin (name public.gin_trgm_ops);"
    trgm = Relation(Name("public", "t_trgm"), "i", 500, 5000.0, method="gin", table=T)
    with opened(schema, relations=(Relation(T, "r", 5000, 500_000.0), trgm)) as ghost:
        assert ghost.lost == ()
        assert plan(ghost, "SELECT * FROM t WHERE name LIKE '%needle%'")["Node Type"] == "Bitmap Heap Scan"


def test_a_collation_that_is_not_here_is_said_and_does_not_make_like_faster():
    locale = (("encoding", "UTF8"), ("collate", "xx_XX.UTF-8"), ("ctype", "xx_XX.UTF-8"), ("provider", "c"))
    with opened(TABLE + "CREATE INDEX t_name ON t (name);", locale=locale) as ghost:
        assert any("xx_XX" in sentence for sentence in ghost.lost)
        assert plan(ghost, "SELECT * FROM t WHERE name LIKE 'abc%'")["Node Type"] == "Seq Scan"


class TestCache:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        clusters = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbguard" / "clusters"
        clusters.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / "dbguard").mkdir(parents=True)
        (tmp_path / "cache" / "dbguard" / "clusters").symlink_to(clusters)  # what `initdb` makes is not what is tested here
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return tmp_path / "cache" / "dbguard" / "ghosts"

    snapshot = Snapshot(schema=TABLE, relations=(Relation(T, "r", 100, 5000.0),))

    def rows(self, snapshot=snapshot):
        with open_ghost(snapshot) as ghost:
            return plan(ghost, "SELECT * FROM t")["Plan Rows"]

    def test_a_ghost_is_kept_and_used_again(self, home):
        assert self.rows() == 5000
        (kept,) = home.iterdir()
        before = kept.stat().st_ino
        assert self.rows(self.snapshot._replace(taken="later")) == 5000
        assert [entry.stat().st_ino for entry in home.iterdir()] == [before]
        assert kept.stat().st_mode & 0o077 == 0
        assert kept.stat().st_size < 10e6

    def test_another_snapshot_is_another_ghost(self, home):
        assert self.rows() == 5000
        assert self.rows(self.snapshot._replace(relations=(Relation(T, "r", 100, 7000.0),))) == 7000
        assert len(list(home.iterdir())) == 2

    def test_a_damaged_one_is_made_again(self, home):
        self.rows()
        (kept,) = home.iterdir()
        whole = kept.read_bytes()
        for damaged in (b"", b"{}\n", b'{"form": "dbguard ghost 2"}\n', bytes(5000), whole[: len(whole) // 2], whole[:-9000] + bytes(9000)):
            kept.write_bytes(damaged)
            assert cache.find(kept) is None
        assert self.rows() == 5000
        assert cache.find(kept) is not None

    def test_one_that_does_not_start_is_made_again(self, home):
        self.rows()
        (kept,) = home.iterdir()
        found = pack.load(kept)
        broken = [(name, b"x" if name == "global/pg_control" else data) for name, data in found.cluster]
        pack.save(kept, found._replace(cluster=broken))
        assert self.rows() == 5000
        assert dict(pack.load(kept).cluster)["global/pg_control"] != b"x"

    def test_names_in_a_pack_cannot_lead_out_of_its_folder(self, home):
        self.rows()
        (kept,) = home.iterdir()
        found = pack.load(kept)
        for name in ("../out", "/etc/out", "a/../../out"):
            pack.save(kept, found._replace(cluster=[(name, b"x")]))
            assert cache.find(kept) is None

    def test_one_that_others_may_write_is_not_used(self, home):
        self.rows()
        (kept,) = home.iterdir()
        kept.chmod(0o666)
        assert cache.find(kept) is None
        assert self.rows() == 5000
        assert kept.stat().st_mode & 0o022 == 0

    def test_few_are_kept_and_not_for_long(self, home):
        home.mkdir(parents=True, mode=0o700)
        for number in range(20):
            (home / f"{number}.pack").write_bytes(b"x")
            os.utime(home / f"{number}.pack", (1e9, 1e9) if number < 3 else None)
        self.rows()
        assert len(list(home.iterdir())) == cache.MOST
        assert not (home / "0.pack").exists()

    def test_a_place_that_cannot_be_written_is_no_error(self, home):
        home.write_text("a file where the folder should be")
        assert self.rows() == 5000
