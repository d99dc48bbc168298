"""Statements of a text: where they begin and end, and what becomes of those that cannot be read."""

import pytest

from dbguard.model.source import Script, Source
from dbguard.parsing import parse, parse_text


def texts(sql):
    return [sql[statement.start : statement.end] for statement in parse_text(sql)]


def reasons(sql):
    return [unread.reason for statement in parse_text(sql) for unread in statement.unread]


def kinds(sql):
    return [[type(operation).__name__ for operation in statement.operations] for statement in parse_text(sql)]


def test_a_statement_begins_at_its_first_token_and_ends_past_its_last():
    sql = "-- why\n/* a /* nested */ one */ SELECT 1 /* done */ ; -- trailing\n\n  DROP TABLE t -- gone"
    assert texts(sql) == ["SELECT 1", "DROP TABLE t"]


def test_offsets_count_code_points():
    sql = "-- é 😀\nSELECT 'ü€😀' FROM \"tä\" WHERE x = 1;\n UPDATE \"tä\" SET a = 'é' WHERE ß > 1 AND b"
    assert texts(sql) == ["SELECT 'ü€😀' FROM \"tä\" WHERE x = 1", "UPDATE \"tä\" SET a = 'é' WHERE ß > 1 AND b"]
    assert parse_text(sql)[1].operations[0].where.sql == "ß > 1 AND b"


def test_a_bad_statement_does_not_hide_the_others():
    sql = "SELECT 1; SELEC 2; DROP TABLE t;"
    assert kinds(sql) == [["Select"], [], ["DropTable"]]
    assert reasons(sql) == ['syntax error at or near "SELEC"']


def test_pieces_keep_the_offsets_of_their_source():
    text = "-- +up\nDROP TABLE a;\n-- +down\nDROP TABLE é;\n"
    pieces = ((7, 21), (30, len(text)))
    parsed = parse(Script(Source("x.sql", text), pieces))
    assert [text[s.start : s.end] for s in parsed.statements] == ["DROP TABLE a", "DROP TABLE é"]


@pytest.mark.parametrize("sql", ["", ";;", "  \n", "-- only a comment", "/* ; */", "\ufeff ; \u00a0\u200b"])
def test_nothing_is_no_statement(sql):
    assert parse_text(sql) == ()


def test_exotic_white_space_is_white_space_outside_of_quotes():
    assert kinds("ALTER TABLE\u00a0t ADD\u200bc int;\u00a0") == [["AddColumn"]]
    (statement,) = parse_text('\ufeffCREATE TABLE "a\u00a0b" (c int)')
    assert statement.start == 1
    assert statement.operations[0].name.name == "a\u00a0b"


def test_semicolons_inside_a_rule_or_an_atomic_body_do_not_split():
    rule = "CREATE RULE r AS ON INSERT TO a DO (INSERT INTO b VALUES (1); DELETE FROM c)"
    body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    assert texts(f"{rule}; nonsense; {body}; DROP TABLE q") == [rule, "nonsense", body, "DROP TABLE q"]


def test_an_unclosed_parenthesis_does_not_swallow_the_rest():
    assert kinds("CREATE TABLE t (a int; DROP TABLE q;") == [[], ["DropTable"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 'abc", "unterminated quoted string"),
        ("SELECT $$abc", "unterminated dollar-quoted string"),
        ("/* abc", "unterminated /* comment"),
        ("SELECT 1\0", "NUL byte"),
        ("CREATE TABLE `t` (id int AUTO_INCREMENT)", "syntax error"),
        ("ALTER TABLE a ADD b int ALTER TABLE c ADD d int", "syntax error"),
        ("SELECT " + "+".join("1" * 50000), "stack depth limit exceeded"),
    ],
)
def test_what_cannot_be_read_says_why(sql, reason):
    (statement,) = parse_text(sql)
    assert statement.operations == ()
    assert statement.unread[0].reason.startswith(reason)


@pytest.mark.parametrize(
    "placeholder",
    ["{{ schema }}", "${schema}", "@extschema@", ":schema", ':"schema"', "{schema}", "<%= schema %>", "#{schema}", "$(schema)"],
)
def test_a_template_is_named(placeholder):
    sql = f"SELECT 1; CREATE TABLE {placeholder}.t (a int); DROP TABLE q"
    assert reasons(sql) == [f"template placeholder {placeholder}"]
    assert kinds(sql) == [["Select"], [], ["DropTable"]]


@pytest.mark.parametrize("placeholder", ["%(name)s", "?", ":name", ":'name'", "%s", "{{ a; b }}"])
def test_a_bound_value_is_named(placeholder):
    assert reasons(f"INSERT INTO t VALUES ({placeholder})") == [f"template placeholder {placeholder}"]


def test_placeholders_in_strings_and_comments_are_text():
    assert reasons("SELECT '{{ x }}', ':y' /* ${z} */ -- :w") == []
    assert reasons("SELECT a[1:2], b::int, '12:30'::time, $1") == []


def test_commands_of_psql_are_shown_and_skipped():
    sql = "\\set ON_ERROR_STOP on\n\\ir other.sql\nSELECT 1;\n  \\connect db\nDROP TABLE t;"
    assert reasons(sql) == ["psql meta-command \\set", "psql meta-command \\ir", "psql meta-command \\connect"]
    assert kinds(sql) == [[], [], ["Select"], [], ["DropTable"]]


def test_commands_of_psql_that_do_nothing_are_silent():
    assert kinds("\\restrict abc\nSELECT 1;\n\\unrestrict abc\n\\echo 'done'") == [["Select"]]


def test_the_data_of_copy_is_skipped():
    sql = "COPY public.t (a, b) FROM stdin;\n1\tit's; x\n2\t$$\n\\.\n\nDROP TABLE t;"
    assert kinds(sql) == [["Copy"], ["DropTable"]]
    assert reasons(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "+".join(["a"] * 2000),
        " UNION ALL ".join(f"SELECT 1 FROM t{number}" for number in range(1000)),
        "SELECT " + "CASE WHEN a THEN " * 1500 + "1" + " END" * 1500,
        "CREATE VIEW v AS SELECT " + "CASE WHEN a THEN 1 ELSE " * 1500 + "1" + " END" * 1500,
        "UPDATE t SET a = 1 WHERE x = " + "+".join(["a"] * 2000),
        "ALTER TABLE t ADD CHECK (" + "NOT " * 3000 + "a)",
        "CREATE INDEX ON t ((" + "f(" * 2000 + "x" + ")" * 2000 + "))",
    ],
)
def test_deep_statements_are_read(sql):
    (statement,) = parse_text(sql)
    assert len(statement.operations) == 1
    assert statement.unread == ()


def test_a_thousand_arms_are_all_read():
    (statement,) = parse_text(" UNION ALL ".join(f"SELECT 1 FROM t{number}" for number in range(1000)))
    assert [name.name for name in statement.operations[0].uses.reads] == [f"t{number}" for number in range(1000)]


def test_comments_to_dbguard_are_found():
    text = "-- dbguard: allow a - b\nSELECT '-- dbguard: no'; /* dbguard: allow c - d */ SELECT $$ -- dbguard: no $$ -- dbguard:e"
    found = parse(Script(Source("x", text), ((0, len(text)),))).comments
    assert [comment.text for comment in found] == ["allow a - b", "allow c - d", "e"]
    assert text[found[0].start : found[0].end] == "-- dbguard: allow a - b"
