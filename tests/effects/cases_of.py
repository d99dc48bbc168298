"""Reads `cases/*.sql` and compares, for one case, what dbguard predicts with what a server does.

A file: setup shared by all of its cases up to the first `-- case: a sentence`; then per case an optional
`-- versions: 14..17` line, an optional `-- ignore: fails` (what PostgreSQL refuses for a reason that is not certain to
dbguard, which must not claim it), optional setup of its own, a line `-- statement`, and the one statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dbguard.model.postgres import NEWEST, OLDEST, Server
from dbguard.model.schema import Created, Schema
from dbguard.model.state import Effects, State
from dbguard.postgres.observe import observe

CASES = Path(__file__).parent / "cases"
_CASE = re.compile(r"^-- case: *(.*)$", re.MULTILINE)
_STATEMENT = re.compile(r"^-- statement *$", re.MULTILINE)
_HINT = re.compile(r"^-- (versions|ignore): *(.*?) *$", re.MULTILINE)


class Case(NamedTuple):
    file: str
    title: str
    setup: str
    statement: str
    versions: tuple[int, int] = (OLDEST, NEWEST)
    ignore: frozenset[str] = frozenset()

    def holds_on(self, major: int) -> bool:
        return self.versions[0] <= major <= self.versions[1]

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases(folder: Path = CASES) -> Iterator[Case]:
    for path in sorted(folder.glob("*.sql")):
        shared, *rest = _CASE.split(path.read_text())
        for title, text in zip(rest[::2], rest[1::2], strict=True):
            yield _case(path.stem, title.strip(), shared, text)


def _case(file: str, title: str, shared: str, text: str) -> Case:
    parts = _STATEMENT.split(text)
    if len(parts) != 2:
        raise ValueError(f"{file}: {title}: needs exactly one line `-- statement`")
    hints = dict(_HINT.findall(parts[0]))
    low, _, high = hints.get("versions", "..").partition("..")
    ignore = frozenset(hints.get("ignore", "").replace(",", " ").split())
    return Case(file, title, shared + parts[0], parts[1].strip(), (int(low or OLDEST), int(high or NEWEST)), ignore)


def predict(case: Case, major: int) -> Effects:
    """Parsing and replay of the setup, then the effects of the statement."""
    from dbguard.parsing import parse_text
    from dbguard.replay.advance import advance
    from dbguard.replay.effects import effects, merge

    state = State(schema=Schema(complete=True))
    for statement in parse_text(case.setup):
        for operation in statement.operations:
            state = advance(state, operation)
    state = state._replace(now=Created(1, 1))  # the statement is another migration: what the setup made is in use
    parts = []
    before = state
    for statement in parse_text(case.statement):
        if statement.unread and not statement.operations:
            return Effects(fails=statement.unread[0].reason)
        for operation in statement.operations:
            parts.append(effects(operation, state, Server(major)))
            last = state
            state = advance(state, operation)
    return merge(parts, before, last if parts else before)


def clean(connection: Any) -> None:
    """Everything that a case may leave behind, removed."""
    rows = connection.execute("SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'").fetchall()
    connection.execute("DROP SCHEMA " + ", ".join(row[0] for row in rows) + " CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC")
    connection.execute("DISCARD ALL")
    for (name,) in connection.execute("SELECT pubname FROM pg_publication").fetchall():
        connection.execute(f'DROP PUBLICATION "{name}"')


def watch(case: Case, connection: Any) -> Effects:
    """The effects that the server shows."""
    clean(connection)
    connection.execute(case.setup)
    return observe(connection, case.statement).effects


def differences(case: Case, predicted: Effects, observed: Effects) -> list[str]:
    """One line per difference, empty if they agree."""
    if observed.fails and "fails" in case.ignore:
        return []
    if predicted.fails or observed.fails:
        if bool(predicted.fails) == bool(observed.fails):
            return []
        return [f"fails: predicted {predicted.fails!r}, observed {observed.fails!r}"]
    found = []
    if "locks" not in case.ignore:
        mine = {str(lock.relation): str(lock.mode) for lock in predicted.locks}
        real = {str(lock.relation): str(lock.mode) for lock in observed.locks}
        for relation in sorted(mine.keys() | real.keys()):
            if mine.get(relation) != real.get(relation):
                found.append(f"lock on {relation}: predicted {mine.get(relation)}, observed {real.get(relation)}")
    for field in ("rewrites", "scans", "builds"):
        if field not in case.ignore and set(getattr(predicted, field)) != set(getattr(observed, field)):
            names = [", ".join(map(str, getattr(one, field))) or "nothing" for one in (predicted, observed)]
            found.append(f"{field}: predicted {names[0]}, observed {names[1]}")
    if predicted.transaction != observed.transaction:
        found.append(f"transaction: predicted {predicted.transaction}, observed {observed.transaction}")
    return found
