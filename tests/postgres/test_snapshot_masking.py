"""What is in a snapshot of people's data, and what is not."""

from __future__ import annotations

import gzip

import psycopg
import pytest

from dbguard.model import arrays
from dbguard.postgres.masking import Choice
from dbguard.reading.snapshots import save
from tests.postgres.snapshots import by_column, run, taken

SECRETS = ("Ottokar", "zwiebel", "491700000", "geheim", "DE89370400", "87.123.45", "c0ffee", "f47ac10b-58cc", "77123", "1969-07", "57.52")
PEOPLE = """
CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN stage AS text CHECK (VALUE IN ('lead', 'deal'));
CREATE TYPE place AS (street text, town text);
CREATE TYPE words AS RANGE (subtype = text);
CREATE TABLE people (
    id integer PRIMARY KEY, name text, nick varchar(6), code char(2), sex "char", email mail UNIQUE, handle citext, born date, seen timestamptz,
    phone bigint, salary numeric(8,2), address_id integer, is_email_valid boolean, mood mood, state text CHECK (state IN ('new', 'old')), stage stage,
    plan text DEFAULT 'free', iban char(22), ip inet, mac macaddr, hash bytea, token uuid, doc jsonb, raw json, tags text[], numbers int[],
    place place, search tsvector, path ltree, attributes hstore, lat double precision, grade text COLLATE "C", odds words, stay daterange,
    age_of_account interval, shift time, total integer, pin_count integer,
    born_year integer GENERATED ALWAYS AS (77123 - id % 3) STORED);
INSERT INTO people SELECT i, 'Ottokar ' || i % 900, 'nick' || i % 90, chr(65 + i % 26) || 'x', chr(97 + i % 20)::"char", 'zwiebel' || i || '@x.example',
    'Handle' || i % 300, '1969-07-01'::date + i % 400, '2026-01-01 00:00:00+00'::timestamptz + i * interval '1 minute', 491700000000 + i % 500,
    771230 + i % 20, i % 50, i % 3 = 0, (ARRAY['calm', 'wild'])[1 + i % 2]::mood, (ARRAY['new', 'old'])[1 + i % 2],
    (ARRAY['lead', 'deal'])[1 + i % 2], (ARRAY['free', 'geheim1', 'geheim2'])[1 + i % 3], 'DE89370400' || lpad((i % 700)::text, 12, '0'),
    ('87.123.45.' || i % 250)::inet, ('c0:ff:ee:00:00:' || to_hex(16 + i % 200))::macaddr, ('\\xc0ffee' || lpad(to_hex(i % 999), 4, '0'))::bytea,
    ('f47ac10b-58cc-4372-a567-' || lpad(i::text, 12, '0'))::uuid, jsonb_build_object('k', 'geheim' || i % 60), '{"k": "geheim"}',
    ARRAY['zwiebel' || i % 40, 'zwiebel' || i % 7], ARRAY[i % 9, i % 5], ROW('Ottokarstrasse ' || i % 50, 'X')::place, to_tsvector('simple', 'zwiebel' || i % 50),
    ('geheim.a' || i % 30)::ltree, hstore('geheim', (i % 9)::text), 52.520 + i % 10, CASE i % 500 WHEN 7 THEN 'named' ELSE 'geheim' || i % 500 END, words('geheim' || i % 50, 'z'),
    daterange('2026-01-01'::date + i % 90, '2026-06-01'), i % 30 * interval '1 day', '08:00'::time + i % 60 * interval '1 minute', i % 700, i % 8
    FROM generate_series(1, 3000) i;
CREATE INDEX ON people (lower(name)); CREATE INDEX ON people ((salary * 2)); CREATE INDEX ON people ((doc->>'k')); CREATE INDEX ON people ((total + 1));
CREATE INDEX ON people (id) WHERE grade = 'named';
CREATE TABLE contacts (id integer PRIMARY KEY, who mail REFERENCES people (email), plan text, phone_of bigint);
INSERT INTO contacts SELECT i, 'zwiebel' || 1 + i % 200 || '@x.example', (ARRAY['free', 'geheim1', 'geheim2', 'geheim3'])[1 + i % 4], 491700000000 + i % 500
    FROM generate_series(1, 3000) i;
CREATE TABLE visits (person integer, place text, at date) PARTITION BY RANGE (at);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO visits SELECT i % 9, 'zwiebel ' || i % 20, '2026-01-01'::date + i % 90 FROM generate_series(1, 2000) i;
CREATE STATISTICS st (mcv) ON name, nick FROM people;
ANALYZE"""


@pytest.fixture(scope="module")
def people(server):
    dsn = server.dsn(server.create_database())
    run(dsn, PEOPLE)
    return dsn


@pytest.fixture(scope="module")
def masked(people):
    return taken(people)


@pytest.fixture(scope="module")
def full(people):
    return taken(people, values="full")


def data_of(snapshot, folder):
    """The file without the schema, which may name values."""
    save(snapshot._replace(schema=""), folder / "s.gz")
    return gzip.decompress((folder / "s.gz").read_bytes()).decode()


def test_the_secrets_are_in_a_full_snapshot(full, tmp_path):
    text = data_of(full, tmp_path)
    assert [secret for secret in SECRETS if secret not in text] == []


@pytest.mark.parametrize("mode", ["masked", "none"])
def test_no_secret_is_in_a_masked_snapshot_or_one_without_values(people, tmp_path, mode):
    text = data_of(taken(people, values=mode), tmp_path)
    assert [secret for secret in SECRETS if secret in text] == []


def test_without_values_there_is_not_one(people):
    for one in taken(people, values="none").columns:
        assert not any((one.most_common_vals, one.histogram_bounds, one.most_common_elems, one.range_bounds_histogram, one.most_common_freqs))


def test_masking_changes_no_number(masked, full):
    emptied = {"most_common_vals": "", "histogram_bounds": "", "most_common_elems": "", "masked": False}
    dropped = {"place", "attributes", "odds"}
    pairs = list(zip(masked.columns, full.columns, strict=True))
    assert all(a._replace(**emptied) == b._replace(**emptied) for a, b in pairs if a.column not in dropped)
    for a, b in pairs:
        if a.column not in dropped:
            for field in ("most_common_vals", "histogram_bounds", "most_common_elems"):
                assert len(arrays.parse(getattr(a, field) or "{}")) == len(arrays.parse(getattr(b, field) or "{}"))


@pytest.mark.parametrize("mode", ["masked", "none", "full"])
def test_postgres_takes_every_row_without_a_warning(server, people, mode):
    """Types, lengths and shapes are right: the functions that restore statistics warn about each array that they cannot read."""
    dsn = server.dsn(server.create_database())
    masked = taken(people, values=mode)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(masked.schema)
        connection.execute("ALTER DOMAIN public.mail DROP CONSTRAINT mail_check")  # it would look at tokens
        said = []
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary))
        for one in masked.columns:
            fields = {name: value for name, value in one._asdict().items() if name not in {"relation", "column", "masked"} and value is not None}
            kinds = {int: "integer", float: "real", bool: "boolean", str: "text"}
            listed = [
                "'schemaname', %s::text",
                "'relname', %s::text",
                "'attname', %s::text",
                *(f"'{name}', %s::{_kind(name, kinds[type(fields[name])])}" for name in fields),
            ]
            values = [one.relation.schema, one.relation.name, one.column, *fields.values()]
            connection.execute(f"SELECT pg_catalog.pg_restore_attribute_stats({', '.join(listed)})", values)
        assert said == []
        assert connection.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'").fetchone()[0] == len(masked.columns)


def _kind(name, kind):
    return "real[]" if name in {"most_common_freqs", "most_common_elem_freqs", "elem_count_histogram"} else kind


def test_histograms_ascend_as_the_server_sorts_them(people, masked):
    checked = 0
    with psycopg.connect(people) as connection:
        for one in masked.columns:
            if one.histogram_bounds and one.masked:
                kind = connection.execute(
                    "SELECT format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, a.atttypmod) FROM pg_attribute a"
                    " JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = %s::regclass AND a.attname = %s",
                    [str(one.relation), one.column],
                ).fetchone()[0]
                values = arrays.parse(one.histogram_bounds)
                query = f"SELECT array_agg(v ORDER BY v::{kind}, n) FROM unnest(%s::text[]) WITH ORDINALITY AS u(v, n)"
                assert connection.execute(query, [values]).fetchone()[0] == values, (one.relation, one.column)
                assert len(set(values)) == len(values)
                checked += 1
    assert checked > 10


def test_equal_values_stay_equal_over_a_foreign_key_and_between_columns_that_share_them(masked, full):
    for one, other in (("contacts.who", "people.email"), ("contacts.plan", "people.plan")):
        pairs = []
        for snapshot in (masked, full):
            columns = by_column(snapshot)
            common = [
                arrays.parse(columns[name].most_common_vals or "{}") + arrays.parse(columns[name].histogram_bounds or "{}") for name in (one, other)
            ]
            pairs.append([(i, j) for i, a in enumerate(common[0]) for j, b in enumerate(common[1]) if a == b])
        assert pairs[0] == pairs[1]
        assert pairs[0]


def test_words_that_the_schema_names_stay(masked):
    columns = by_column(masked)
    assert set(arrays.parse(columns["people.state"].most_common_vals)) == {"new", "old"}
    assert set(arrays.parse(columns["people.stage"].most_common_vals)) == {"lead", "deal"}
    assert set(arrays.parse(columns["people.mood"].most_common_vals)) == {"calm", "wild"}
    assert "free" in arrays.parse(columns["people.plan"].most_common_vals)
    assert not columns["people.state"].masked


def test_a_word_that_only_another_table_names_is_masked(server):
    dsn = server.dsn(server.create_database())
    run(
        dsn,
        "CREATE TABLE a (state text CHECK (state IN ('new', 'old'))); CREATE TABLE b (word text);"
        " INSERT INTO b SELECT (ARRAY['new', 'x', 'y', 'z'])[1 + i % 4] FROM generate_series(1, 100) i; ANALYZE",
    )
    assert "new" not in by_column(taken(dsn))["b.word"].most_common_vals


def test_numbers_times_and_booleans_stay(masked, full):
    masked_columns, full_columns = by_column(masked), by_column(full)
    for name in ("id", "seen", "address_id", "is_email_valid", "numbers", "age_of_account", "shift", "stay", "total", "pin_count"):
        assert masked_columns[f"people.{name}"] == full_columns[f"people.{name}"]


def test_personal_numbers_and_what_is_computed_from_masked_columns_do_not(masked, full):
    masked_columns, full_columns = by_column(masked), by_column(full)
    for name in ("people.born", "people.phone", "people.salary", "people.lat", "people.born_year", "contacts.phone_of", "people_expr_idx.expr"):
        assert masked_columns[name].masked, name
        assert masked_columns[name].most_common_vals != full_columns[name].most_common_vals
    assert not masked_columns["people_expr_idx2.expr"].masked
    assert masked_columns["people_expr_idx1.expr"].masked


def test_listed_columns_are_masked_in_every_partition_and_kept_ones_are_not(people):
    columns = by_column(taken(people, choice=Choice(("visits.person", "people.is_email_valid", "*.total"), ("people.nick", "public.visits*.place"))))
    assert columns["visits_1.person"].masked
    assert columns["people.total"].masked
    assert columns["people_expr_idx2.expr"].masked
    assert columns["people.is_email_valid"].most_common_vals is None
    assert "nick1" in columns["people.nick"].most_common_vals
    assert "zwiebel 1" in columns["visits_1.place"].most_common_vals
    assert "zwiebel" not in columns["people.email"].histogram_bounds


def test_what_has_no_tokens_is_left_out_and_named(masked):
    columns = by_column(masked)
    sentences = " ".join(masked.hidden)
    for name in ("place", "attributes", "odds"):
        assert columns[f"people.{name}"].most_common_vals is None
        assert f"values of {name} are left out" in sentences


def test_a_secret_in_an_error_of_the_server_is_not_repeated(people):
    from dbguard.postgres.connect import describe

    with psycopg.connect(people) as connection, pytest.raises(psycopg.Error) as error:
        connection.execute("SELECT name::int FROM people")
    assert "Ottokar" in str(error.value)
    assert "Ottokar" not in describe(error.value)
