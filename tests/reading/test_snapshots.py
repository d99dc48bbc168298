"""The snapshot file: what comes back, what git sees, and what is refused."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from dbguard.errors import CouldNotLook, UnreadableSource
from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, Applied, ColumnStatistics, ExtendedStatistics, Relation, Snapshot, StatementTotal
from dbguard.reading import snapshots
from dbguard.reading.snapshots import arrange, load, save, text
from tests.book import ROOT

ORDERS, ODD = Name("public", "orders"), Name("My schema", 'a."b" c=d')
WORDS = ("", "plain", "two words", "it's", 'say "hi"', "a=b", "back\\slash", "line\nend\r", "\x01\x7f", "é 𝄞 \u2028", "|", "end", "=")


def example() -> Snapshot:
    return Snapshot(
        major=16,
        server_version="16.4 (Debian 16.4-1)",
        database="shop",
        taken="2026-11-21T16:30:00Z",
        schema="CREATE TABLE orders (\n    id bigint\n);\n\nend\n|x\r\n\tCREATE FUNCTION f() AS 'é'",
        relations=(
            Relation(ORDERS, "r", 81920, 4.8e7, 81000, 12, relation_bytes=671088640),
            Relation(ORDERS, "t", 4),
            Relation(Name("public", "orders_pkey"), "i", 1200, 4.8e7, method="btree", table=ORDERS, height=2),
            Relation(ODD, "m", 1, 0.5),
        ),
        columns=(
            ColumnStatistics(ORDERS, "id", null_frac=0.25, n_distinct=-1.0, histogram_bounds="{1,2,3}", correlation=1.0),
            ColumnStatistics(ORDERS, "status", inherited=True, most_common_vals='{"a b",it\'s}', most_common_freqs="{0.5,0.25}", masked=True),
            *(ColumnStatistics(ODD, word, most_common_vals=word) for word in WORDS),
        ),
        extended=(ExtendedStatistics(Name("public", "st"), ORDERS, n_distinct='{"1, 2": 5}'),),
        settings=(("search_path", '"$user", public'), ("work_mem", "4MB"), ("empty", "")),
        role_settings=(("app", "work_mem", "64MB"),),
        roles=("reader",),
        extensions=(("citext", "1.6", "public"),),
        locale=(("encoding", "UTF8"),),
        activity=(Activity(ORDERS, 1, 2, 3, 4, 5, 6, 7),),
        seconds=86400.5,
        statements=(StatementTotal("SELECT * FROM orders WHERE id = $1", 10, 2.5, 10),),
        statements_seconds=3600.0,
        longest_transactions=(12.5, 0.25),
        applied=(Applied("django", Name("public", "django_migrations"), ("shop.0001_initial", "é \"x'")),),
        hidden=WORDS[1:],
    )


@pytest.mark.parametrize("name", ["s.dbguard", "s.dbguard.gz"])
def test_what_is_saved_is_loaded(tmp_path, name):
    save(example(), tmp_path / name)
    assert load(tmp_path / name) == arrange(example())


def test_an_empty_snapshot_is_one_too(tmp_path):
    save(Snapshot(), tmp_path / "s")
    assert load(tmp_path / "s") == Snapshot()


@pytest.mark.parametrize("name", ["s.dbguard", "s.dbguard.gz"])
def test_equal_snapshots_are_equal_files_in_whatever_order_they_were_read(tmp_path, name):
    one = example()
    other = one._replace(**{field: tuple(reversed(getattr(one, field))) for field in ("relations", "columns", "settings", "hidden")})
    save(one, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    save(other, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_a_changed_column_changes_one_line():
    one = example()
    other = one._replace(columns=(one.columns[0]._replace(null_frac=0.5), *one.columns[1:]))
    changed = [(a, b) for a, b in zip(text(one), text(other), strict=True) if a != b]
    assert len(changed) == 1
    assert changed[0][1].startswith("column public.orders id ")


def test_values_with_line_ends_stay_on_one_line():
    one = example()
    lines = list(text(one))
    schema = one.schema.count("\n") + 1
    records = [one.relations, one.columns, one.extended, one.settings, one.role_settings, one.roles, one.extensions, one.locale]
    records += [one.activity, one.statements, one.longest_transactions, one.applied, one.hidden]
    assert len(lines) == 4 + schema + sum(map(len, records))  # header, database, `schema`, `end`
    assert all(line.count("\n") == 1 for line in lines)


def test_a_file_that_git_gave_other_line_ends_is_the_same(tmp_path):
    save(example(), tmp_path / "s")
    (tmp_path / "s").write_bytes((tmp_path / "s").read_bytes().replace(b"\n", b"\r\n"))
    assert load(tmp_path / "s") == arrange(example())


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(UnreadableSource) as error:
        load(path)
    assert error.value.exit_code == 3
    return str(error.value)


def test_a_newer_format_is_refused_with_what_to_do(tmp_path):
    assert "update dbguard" in refused(tmp_path / "s", b"dbguard snapshot 2\nanything\n")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"SELECT 1;\n", b"dbguard snapshot x\n", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b", "dbguard snapshot １\n".encode()]
)
def test_what_is_no_snapshot_is_refused(tmp_path, data):
    refused(tmp_path / "s", data)


def test_every_cut_is_noticed(tmp_path):
    save(example(), tmp_path / "s")
    whole = (tmp_path / "s").read_bytes()
    for size in range(0, len(whole) - 1, 29):
        refused(tmp_path / "cut", whole[:size])


def test_a_cut_or_damaged_gzip_file_is_refused(tmp_path):
    save(example(), tmp_path / "s.gz")
    whole = (tmp_path / "s.gz").read_bytes()
    for size in range(2, len(whole), 97):
        refused(tmp_path / "cut.gz", whole[:size])
    for at in (20, len(whole) // 2, len(whole) - 6):
        refused(tmp_path / "bad.gz", whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("relation public.t", "kind"),
        ("relation", "name"),
        ("relation public.t kind=r pages=many", "many"),
        ("relation public.t kind=r tuples=inf", "number"),
        ("relation public.t kind=r tuples=nan", "number"),
        ("relation public.t kind=r size=4", "size"),
        ("relation public.t kind=r kind=r", "kind"),
        ("relation 'public.t kind=r", "character"),
        ("column public.t a masked=no", "yes"),
        ("column a.b.c.d a", "name"),
        ("setting work_mem", "2 values"),
        ("setting work_mem 4MB 8MB", "2 values"),
        ("applied x public.t versions={}", "list"),
        ("applied x public.t versions=" + "[" * 5000, ""),
        ("transaction soon", "soon"),
        ("future thing", "future"),
        ("hidden 'a\\qb'", "q"),
        ("relation public.t kind=r pages=" + "9" * 5000, "long"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path, line, why):
    message = refused(tmp_path / "s", f"dbguard snapshot 1\ndatabase major=16\n{line}\nschema\nend\n".encode())
    assert message.startswith(f"{tmp_path / 's'}:3: ")
    assert why in message
    assert len(message) < 400


def test_bytes_that_are_no_text_are_named(tmp_path):
    assert ":2: not UTF-8" in refused(tmp_path / "s", b"dbguard snapshot 1\ndatabase database=\xff\nend\n")


def test_damage_anywhere_is_refused_or_read_but_never_a_crash(tmp_path):
    save(example(), tmp_path / "s")
    whole = (tmp_path / "s").read_bytes()
    chance = random.Random(5)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(b"\n ='\\|x0\x00\xff")
        (tmp_path / "bad").write_bytes(data)
        with suppress(UnreadableSource):
            load(tmp_path / "bad")


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(snapshots, "MOST_LINE_BYTES", 1 << 16)
    with gzip.open(tmp_path / "line.gz", "wb") as file:
        file.write(b"dbguard snapshot 1\nhidden " + b"x" * (1 << 20))
    with pytest.raises(UnreadableSource, match=r":2: longer than any snapshot"):
        load(tmp_path / "line.gz")
    with gzip.open(tmp_path / "lines.gz", "wb") as file:
        file.write(b"dbguard snapshot 1\n" + b"hidden x\n" * (1 << 18))
    with pytest.raises(UnreadableSource, match="longer than any snapshot"):
        load(tmp_path / "lines.gz")


def test_a_file_that_is_missing_says_so(tmp_path):
    with pytest.raises(UnreadableSource, match="No such file"):
        load(tmp_path / "none")


def test_a_folder_that_cannot_take_it_leaves_nothing(tmp_path):
    with pytest.raises(CouldNotLook, match="cannot be written"):
        save(example(), tmp_path / "none" / "s")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    save(Snapshot(database="old"), tmp_path / "s")
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from dbguard.errors import CouldNotLook\nfrom dbguard.model.snapshot import Snapshot\nfrom dbguard.reading.snapshots import save\n"
        "try:\n    save(Snapshot(database='new', schema='x' * 100000), sys.argv[1])\n"
        "except CouldNotLook as error:\n    print(error)\n    sys.exit(error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "s"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert load(tmp_path / "s").database == "old"


def test_a_pipe_is_written_to(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        save(example(), tmp_path / "pipe")
        assert reader.communicate()[0].decode() == "".join(text(example()))
    assert (tmp_path / "pipe").is_fifo()
