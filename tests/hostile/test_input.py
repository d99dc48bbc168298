"""Files that are no plain SQL: each has an answer, an exit code that says what it is, and no traceback."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

ALTER = "ALTER TABLE orders DROP COLUMN total;\n"


def dbguard(*arguments: str | bytes, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    """`dbguard` in a process of its own, which never shows a traceback."""
    command = [sys.executable, "-m", "dbguard", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=120, check=False, encoding="utf-8", errors="replace", **options)
    assert "Traceback" not in done.stdout + done.stderr
    assert "mistake in dbguard" not in done.stderr
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


CLEAN = {
    "empty": b"",
    "space": b" \n\t\r\n",
    "semicolons": b";;;\n;",
    "comment": b"-- nothing here\n/* nor /* here */ */\n",
    "comment without an end of line": b"-- nothing here",
    "only a mark": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("raw", CLEAN.values(), ids=CLEAN)
def test_nothing_to_read_is_clean(raw: bytes, folder: Path):
    (folder / "a.sql").write_bytes(raw)
    done = dbguard("check", "a.sql", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("nothing found in 1 ")


ENCODINGS = {
    "UTF-8 with a mark": b"\xef\xbb\xbf" + ALTER.encode(),
    "UTF-8 with a mark in the middle": ("SELECT 'é';\n\ufeff" + ALTER).encode(),
    "UTF-16": ALTER.encode("utf-16"),
    "UTF-16-LE": ALTER.encode("utf-16-le"),
    "UTF-16-BE": ALTER.encode("utf-16-be"),
    "UTF-32": ALTER.encode("utf-32"),
    "Latin-1": ("-- é\n" + ALTER).encode("latin-1"),
    "carriage returns": ALTER.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("raw", ENCODINGS.values(), ids=ENCODINGS)
def test_every_encoding_is_read(raw: bytes, folder: Path):
    (folder / "a.sql").write_bytes(raw)
    done = dbguard("check", "--format", "concise", "--select", "drop-column", "a.sql", cwd=folder)
    assert done.returncode == 1
    assert " drop-column: " in done.stdout


UNREADABLE = {
    "NUL bytes": (b"SELECT 1;\0\0 SELECT 2;", "contains NUL bytes (the first at byte 9): not text"),
    "an archive": (b"\x1f\x8b\x08\0" + bytes(range(256)) * 20, "not text"),
    "control bytes": (bytes(range(1, 32)) + b"\xff\xfe\xfd" * 30, "binary, not text"),
    "half of UTF-16": (b"\xff\xfe" + ALTER.encode("utf-16-le")[:-1], "is not UTF-16"),
    "NUL in UTF-16": ("\ufeffSELECT '\0';".encode("utf-16-le"), "NUL characters"),
}


@pytest.mark.parametrize(("raw", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_text_exits_3_and_the_others_are_still_checked(raw: bytes, reason: str, folder: Path):
    (folder / "a.sql").write_bytes(raw)
    (folder / "b.sql").write_text(ALTER)
    done = dbguard("check", "--format", "concise", "a.sql", "b.sql", cwd=folder)
    assert done.returncode == 3
    assert reason in next(line for line in done.stdout.splitlines() if line.startswith("a.sql:1:1 unreadable: "))
    assert "b.sql:1:1 drop-column: " in done.stdout


OPEN = {
    "string": ("SELECT 'abc", "unterminated quoted string"),
    "escaped string": ("SELECT E'abc\\'", "unterminated quoted string"),
    "dollar quote": ("DO $body$ BEGIN NULL; END $$", "unterminated dollar-quoted string"),
    "quoted name": ('SELECT "abc', "unterminated quoted identifier"),
    "comment": ("SELECT 1 /* abc /* */", "unterminated /* comment"),
}


@pytest.mark.parametrize(("sql", "reason"), OPEN.values(), ids=OPEN)
def test_what_is_not_closed_is_unread_with_a_short_reason(sql: str, reason: str, folder: Path):
    (folder / "a.sql").write_text(f"{ALTER}{sql};\n{ALTER * 1000}")
    done = dbguard("check", "--format", "concise", "a.sql", cwd=folder)
    assert done.returncode == 1
    assert "a.sql:1:1 drop-column: " in done.stdout
    line = next(line for line in done.stdout.splitlines() if " unread: " in line)
    assert line.startswith(f"a.sql:2:1 unread: {reason}")
    assert len(line) < 300
    assert dbguard("check", "--strict", "--select", "vacuum-full", "a.sql", cwd=folder).returncode == 1
    assert dbguard("check", "--select", "vacuum-full", "a.sql", cwd=folder).returncode == 0


DEEP = {
    "parentheses": "UPDATE t SET a = " + "(" * 5000 + "1" + ")" * 5000,
    "UNION ALL": "CREATE VIEW v AS SELECT 1" + " UNION ALL SELECT a FROM t" * 1000,
    "sum": "UPDATE t SET a = 1" + " + 1" * 2000,
    "sum in an index": "CREATE INDEX i ON t ((a" + " + 1" * 2000 + "))",
    "sum in a default": "ALTER TABLE t ADD COLUMN b int DEFAULT 1" + " + 1" * 2000,
    "AND": "ALTER TABLE t ADD CONSTRAINT c CHECK (" + " AND ".join(f"a > {i}" for i in range(2000)) + ")",
    "NOT": "DELETE FROM t WHERE " + "NOT " * 2000 + "b",
    "CASE": "ALTER TABLE t ADD COLUMN b int DEFAULT " + "CASE WHEN true THEN " * 500 + "1" + " END" * 500,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 500 + "t" + ") x" * 500,
    "calls": "UPDATE t SET a = " + "f(" * 1000 + "1" + ")" * 1000,
    "arrays": "SELECT " + "ARRAY[" * 1000 + "1" + "]" * 1000,
    "casts": "SELECT a" + "::text" * 3000,
    "WITH": "WITH " + ", ".join(f"c{i} AS (SELECT * FROM c{i - 1})" for i in range(1, 500)) + " SELECT * FROM c499",
    "comments": "/*" * 1000 + "*/" * 1000 + "SELECT 1",
    "IF in a block": "DO $$ BEGIN " + "IF true THEN " * 300 + "PERFORM 1; " + "END IF; " * 300 + "END $$",
    "views": "CREATE VIEW v0 AS SELECT 1;" + "".join(f"CREATE VIEW v{i} AS SELECT * FROM v{i - 1};" for i in range(1, 600)) + "DROP VIEW v0 CASCADE",
    "inheritance": "CREATE TABLE t0 ();" + "".join(f"CREATE TABLE t{i} () INHERITS (t{i - 1});" for i in range(1, 300)) + "ALTER TABLE t0 ADD b int",
    "domains": "CREATE DOMAIN d0 AS int;" + "".join(f"CREATE DOMAIN d{i} AS d{i - 1};" for i in range(1, 600)) + "ALTER TABLE t ADD b d599",
    "functions": "".join(f"CREATE FUNCTION f{i}() RETURNS int LANGUAGE sql AS 'SELECT f{i + 1}()';" for i in range(600)) + "SELECT f0()",
}


@pytest.mark.parametrize("sql", DEEP.values(), ids=DEEP)
def test_what_is_deep_is_understood(sql: str):
    import dbguard

    assert_answer(sql)
    assert not any("not understood" in reason for effects in dbguard.predict(sql) for reason in effects.unknown)


LOOPS = {
    "view of itself": "CREATE VIEW v AS SELECT * FROM v; DROP VIEW v CASCADE",
    "views of each other": "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a; INSERT INTO a VALUES (1); DROP VIEW b CASCADE",
    "child of itself": "CREATE TABLE t () INHERITS (t); ALTER TABLE t INHERIT t; ALTER TABLE t ADD a int; DROP TABLE t CASCADE",
    "children of each other": "CREATE TABLE a (); CREATE TABLE b () INHERITS (a); ALTER TABLE a INHERIT b; ALTER TABLE a ADD c int; TRUNCATE b CASCADE",
    "domain of itself": "CREATE DOMAIN d AS d; CREATE TABLE t (a d); ALTER TABLE t ADD b d; ALTER TABLE t ALTER a TYPE d",
    "table that refers to itself": "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE); DELETE FROM t WHERE id = 1; DROP TABLE t CASCADE",
    "function that calls itself": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT f()'; SELECT f()",
    "partition of itself": "CREATE TABLE p (a int) PARTITION BY LIST (a); ALTER TABLE p ATTACH PARTITION p DEFAULT; ALTER TABLE p ADD b int; TRUNCATE p",
    "names swapped": "CREATE TABLE a (); ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO a; ALTER TABLE a RENAME TO a",
}


@pytest.mark.parametrize("sql", LOOPS.values(), ids=LOOPS)
def test_what_runs_in_circles_ends(sql: str):
    assert_answer(sql)


def assert_answer(sql: str) -> None:
    import dbguard
    from dbguard.reading import StandardInput

    result = dbguard.check(dbguard.Config.load("/", {"select": ["all"]}), ["-"], stdin=StandardInput(sql.encode()))
    assert result.crashed == ()
    assert result.exit_code in {0, 1}
    assert dbguard.predict(sql)


TANGLED = {
    "braces": "{{" * 30_000,
    "template blocks": "{% " * 30_000,
    "quotes": "'" * 200_001,
    "dollars": "$" * 100_000,
    "dollar tags": "$a$ " + " ".join(f"$b{i}$" for i in range(20_000)),
    "backslashes": "\\" * 20_000,
    "commands of psql": "\\x\n" * 5_000,
    "dashes": "-" * 200_000,
    "parentheses": "(" * 50_000,
    "semicolons": ";" * 200_000,
    "syntax errors": "SELEC 1;\n" * 5_000,
    "every other a syntax error": "SELECT 1;\nSELEC 1;\n" * 2_500,
    "COPY without data": "COPY t FROM stdin;\n" * 2_000,
    "placeholders": "SELECT :" * 20_000,
    "long names": f'CREATE TABLE "{"x" * 100_000}" (a int)',
    "numbers": f"SET lock_timeout = '{'9' * 6000}'; ALTER TABLE t ALTER a TYPE varchar({'9' * 6000}); ALTER TABLE t ADD b int DEFAULT {'9' * 6000}",
    "equal indexes": "CREATE TABLE t (a int);" + "".join(f"CREATE INDEX i{i} ON t (a);" for i in range(400)),
}


@pytest.mark.parametrize("sql", TANGLED.values(), ids=TANGLED)
def test_tangled_text_takes_seconds_not_minutes(sql: str):
    import dbguard
    from dbguard.reading import StandardInput

    began = time.process_time()
    result = dbguard.check(dbguard.Config.load("/", {"select": ["all"]}), ["-"], stdin=StandardInput(sql.encode()))
    assert result.crashed == ()
    assert time.process_time() - began < 15
    assert all(len(part.reason) < 300 for part in result.unread)


def test_five_hundred_statements_of_each_kind(folder: Path):
    kinds = (
        "CREATE TABLE t{0} (id bigint PRIMARY KEY, a int, b text);",
        "ALTER TABLE t{0} ADD COLUMN c text DEFAULT 'x;y';",
        "INSERT INTO t{0} VALUES (1, 2, 'x');",
        "UPDATE t{0} SET b = 'y' WHERE id = 1;",
        "CREATE INDEX i{0} ON t{0} (a);",
    )
    (folder / "a.sql").write_text("\n".join(kind.format(number) for number in range(500) for kind in kinds))
    assert limited("check", "a.sql", cwd=folder) == 0


def test_ten_thousand_statements(folder: Path):
    (folder / "a.sql").write_text("".join(f"UPDATE orders SET total = {number} WHERE id = {number};\n" for number in range(10_000)))
    assert limited("check", "--select", "drop-column", "a.sql", cwd=folder) == 0


def write_megabytes(path: Path, megabytes: int) -> None:
    values = ",\n".join(f"({number}, 'some text; of a ''row''', now(), NULL, 3.14)" for number in range(1000))
    statement = f"INSERT INTO orders VALUES\n{values};\n"
    with path.open("w") as file:
        file.write(ALTER)
        for _ in range(megabytes * 1_000_000 // len(statement)):
            file.write(statement)


def test_ten_megabytes_take_little_memory(folder: Path):
    write_megabytes(folder / "a.sql", 10)
    assert limited("check", "--select", "drop-column", "a.sql", cwd=folder, megabytes=500) == 1


@pytest.mark.skipif("DBGUARD_LARGE" not in os.environ, reason="takes a minute: set DBGUARD_LARGE")
def test_fifty_megabytes_take_less_than_a_minute(folder: Path):
    write_megabytes(folder / "a.sql", 50)
    began = time.monotonic()
    assert limited("check", "--select", "drop-column", "a.sql", cwd=folder) == 1
    assert time.monotonic() - began < 60


def limited(*arguments: str, cwd: Path, megabytes: int = 1500) -> int:
    """The exit code of a process that may not use more memory than that."""
    limit = megabytes * 1_000_000
    done = dbguard(*arguments, cwd=cwd, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert done.stderr == ""
    return done.returncode
