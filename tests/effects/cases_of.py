"""Reads `cases/*.sql` and compares, for one case, what dbguard predicts with what a server does.

A file: setup shared by all of its cases up to the first `-- case: a sentence`; then per case an optional
`-- versions: 14..17` line, an optional `-- ignore: fails` (what PostgreSQL refuses for a reason that is not certain to
dbguard, which must not claim it), optional setup of its own, optionally a line `-- transaction` and what runs first in
the transaction of the statement, a line `-- statement`, and the one statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dbguard.model.postgres import NEWEST, OLDEST
from dbguard.model.schema import Schema
from dbguard.model.source import Script, Source
from dbguard.model.state import Effects, EndOfScript, EndOfTransaction, State
from dbguard.parsing import parse, parse_text
from dbguard.postgres.observe import observe, observe_within
from dbguard.replay import replay
from dbguard.replay.advance import advance
from dbguard.replay.effects import merge

CASES = Path(__file__).parent / "cases"
_CASE = re.compile(r"^-- case: *(.*)$", re.MULTILINE)
_TRANSACTION = re.compile(r"^-- transaction *$", re.MULTILINE)
_STATEMENT = re.compile(r"^-- statement *$", re.MULTILINE)
_HINT = re.compile(r"^-- (versions|ignore): *(.*?) *$", re.MULTILINE)


class Case(NamedTuple):
    file: str
    title: str
    setup: str
    statement: str
    versions: tuple[int, int] = (OLDEST, NEWEST)
    ignore: frozenset[str] = frozenset()
    opening: str = ""  # what ran in the statement's transaction before it

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
    setup, *opening = _TRANSACTION.split(parts[0])
    return Case(file, title, shared + setup, parts[1].strip(), (int(low or OLDEST), int(high or NEWEST)), ignore, "".join(opening))


def predict(case: Case, major: int) -> Effects:
    """The effects of the statement as `dbguard.predict` merges them, in the session that ran the setup: temporary tables are still there."""
    state = State(schema=Schema(complete=True))
    for operation in (operation for statement in parse_text(case.setup) for operation in statement.operations):
        state = advance(state, operation)
    text = f"{case.opening}\n{case.statement}"
    parsed = parse(Script(Source("case.sql", text), ((0, len(text)),), transaction="one" if case.opening else "auto"))
    last = parsed.statements[-1]
    if last.unread and not last.operations:
        return Effects(fails=last.unread[0].reason)
    moments = EndOfScript | EndOfTransaction
    steps = [step for step in replay([parsed], state, major) if step.statement is last and not isinstance(step.operation, moments)]
    if not steps:
        return Effects()
    found = merge([step.effects for step in steps], steps[0].before, steps[-1].before)
    transaction = steps[0].before.transaction
    held = {} if transaction is None else transaction.locks
    return found._replace(locks=tuple(lock for lock in found.locks if lock.mode > held.get(lock.relation, 0)))


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
    if not case.opening:
        return observe(connection, case.statement).effects
    try:
        connection.execute("BEGIN")
        connection.execute(case.opening)
        seen = observe_within(connection, case.statement)
        held = seen.held
        more = (lock for lock in seen.effects.locks if lock.mode > max(held.get(lock.relation, ()), default=0))
        return seen.effects._replace(locks=tuple(more))
    finally:
        connection.execute("ROLLBACK")


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
