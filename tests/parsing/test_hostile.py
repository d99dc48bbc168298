"""Whatever the text is: nothing raises, positions lie inside it, and a statement begins at a token."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dbguard.model.source import Script, Source
from dbguard.parsing import parse

SEEDS = (
    "CREATE TABLE t (a int DEFAULT 1 + (2) NOT NULL CHECK (a > 1) REFERENCES b (c) ON DELETE CASCADE, UNIQUE (a))",
    "ALTER TABLE ONLY s.t ADD COLUMN x text DEFAULT now(), DROP y, ALTER z TYPE int USING z::int, ALTER q SET DEFAULT 'x'",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t USING btree (lower(x), (a + b) DESC) INCLUDE (c) WHERE x > 1",
    "UPDATE t SET a = 'é' FROM b WHERE t.id IN (SELECT id FROM c LIMIT 3) RETURNING *",
    "INSERT INTO t (a) VALUES (1), (E'\\'') ON CONFLICT (a) DO UPDATE SET b = 2",
    "DO $x$ BEGIN EXECUTE 'DROP TABLE t'; PERFORM f(1); END $x$",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; END",
    "COPY t FROM stdin;\n1\t2\n\\.\n",
    "\\set x 1\n",
    "SELECT {{ x }}, :'y', ${z} -- dbguard: allow a - b\n",
    "/* /* */ */ WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a FOR UPDATE",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
)
NOISE = st.sampled_from([";", "'", '"', "$$", "(", ")", "/*", "*/", "--", "\n", "\\", "\0", "\u00a0", "é", "😀", "\udcff", "END", "CASE", ","])


@st.composite
def scripts(draw):
    text = ";\n".join(draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=4)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 8))
        text = text[:at] + draw(NOISE) + text[at + cut :]
    return text


@settings(max_examples=80, deadline=None)
@given(scripts())
def test_mutated_scripts_never_raise_and_positions_are_tokens(text):
    check(text)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80))
def test_any_text_never_raises(text):
    check(text)


def check(text):
    parsed = parse(Script(Source("x.sql", text), ((0, len(text)),)))
    last = 0
    for statement in parsed.statements:
        assert last <= statement.start < statement.end <= len(text)
        assert not text[statement.start].isspace()
        assert not text.startswith("--", statement.start)
        assert statement.operations or statement.unread
        assert all(statement.start <= unread.start <= statement.end for unread in statement.unread)
        last = statement.end
