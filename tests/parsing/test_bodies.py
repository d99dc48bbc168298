"""Bodies of DO blocks and functions."""

from dbguard.parsing import parse_text
from dbguard.parsing.plpgsql import statements_in


def do(body):
    (statement,) = parse_text(f"DO $x$ {body} $x$")
    return [type(operation).__name__ for operation in statement.operations], [unread.reason for unread in statement.unread]


def test_static_statements_follow_the_block_in_order():
    body = """DECLARE n int := (SELECT count(*) FROM a); r record;
    BEGIN
      IF EXISTS (SELECT 1 FROM b) THEN ALTER TABLE t ADD c int; ELSE DROP TABLE t; END IF;
      FOR r IN SELECT * FROM c LOOP UPDATE t SET a = 1; END LOOP;
      INSERT INTO t VALUES (1) RETURNING a INTO n;
    EXCEPTION WHEN others THEN DELETE FROM t;
    END"""
    kinds, reasons = do(body)
    assert kinds == ["Do", "Select", "Select", "AddColumn", "DropTable", "Select", "Update", "Insert", "Delete"]
    assert reasons == []


def test_a_constant_string_is_static():
    assert do("BEGIN EXECUTE 'DROP TABLE ' || 't'; END") == (["Do", "DropTable"], [])


def test_dynamic_sql_is_unread_once():
    assert do("BEGIN EXECUTE format('DROP TABLE %I', x); EXECUTE a || b; END") == (["Do"], ["dynamic SQL in EXECUTE"])


def test_assignments_without_tables_are_nothing():
    assert do("DECLARE a int; BEGIN a := f(1); IF a = g(2) THEN NULL; END IF; RAISE NOTICE '%', h(a); END") == (["Do"], [])


def test_perform_is_a_query():
    assert do("BEGIN PERFORM f(x) FROM t; END") == (["Do", "Select"], [])


def test_transaction_control_in_a_block_is_seen():
    assert do("BEGIN COMMIT; ROLLBACK; END") == (["Do", "Commit", "Rollback"], [])


def test_types_in_a_schema_do_not_hide_the_body():
    body = "DECLARE a s.t%ROWTYPE; b s.t.c%TYPE := 1; d s.e[]; BEGIN DELETE FROM s.t; UPDATE s.t SET a = 1; END"
    assert do(body) == (["Do", "Delete", "Update"], [])


def test_a_broken_body_is_unread():
    kinds, reasons = do("BEGIN x y z END")
    assert kinds == ["Do"]
    assert reasons[0].startswith("PL/pgSQL: ")


def test_another_language_is_unread():
    (statement,) = parse_text("DO LANGUAGE plpython3u 'pass'")
    assert [unread.reason for unread in statement.unread] == ["body in plpython3u"]


def test_a_function_body_does_not_run():
    (statement,) = parse_text("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN DROP TABLE t; END$$")
    assert [type(operation).__name__ for operation in statement.operations] == ["CreateFunction"]
    assert statement.operations[0].body == "BEGIN DROP TABLE t; END"


def test_statements_of_a_function_can_be_asked_for():
    assert [type(o).__name__ for o in statements_in("BEGIN arg := 1; DELETE FROM t WHERE a = arg; END", "plpgsql")] == ["Delete"]
    assert [type(o).__name__ for o in statements_in("BEGIN NEW.a := 1; UPDATE t SET b = 2; RETURN NEW; END", "plpgsql")] == ["Update"]
    assert [type(o).__name__ for o in statements_in("SELECT 1 FROM t; DELETE FROM t", "sql")] == ["Select", "Delete"]
    assert statements_in("nonsense", "plpgsql") == ()
    assert statements_in("pass", "plpython3u") == ()
