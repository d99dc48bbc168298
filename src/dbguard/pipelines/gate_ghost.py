"""The ghost of a snapshot as the gate asks it: queries as they are now, and after a prefix of the pending statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from dbguard.errors import ServerError, UsageError
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.gate_queries import Answer, Asker, Refused

if TYPE_CHECKING:
    from dbguard.planning.hidden_columns import Hidden
    from dbguard.postgres.explain import Prepared
    from dbguard.postgres.ghost import Ghost


class Ghosts:
    """`lost` says what does not plan as in production. `hidden` is what the snapshot has no values of."""

    def __init__(self, ghost: Ghost, hidden: Hidden | None = None) -> None:
        self._ghost = ghost
        self._hidden = hidden
        self._known: dict[str, Prepared] = {}
        self.lost = tuple(ghost.lost)

    def before(self) -> AbstractContextManager[Asker]:
        return _asker(self._ghost, self._known, self._hidden)

    def assumed(self, sql: str) -> tuple[str, ...]:
        """What was assumed of a query that was planned."""
        return self._known[sql].assumes if sql in self._known else ()

    @contextmanager
    def after(self, statements: Sequence[str]) -> Iterator[Asker]:
        """Raises `Refused` where the server does not take a statement."""
        try:
            changed = self._ghost.what_if(statements)
            ghost = changed.__enter__()
        except ServerError as error:
            raise Refused(str(error)) from error
        try:
            with _asker(ghost, self._known, self._hidden) as ask:
                yield ask
        finally:
            changed.__exit__(None, None, None)


@contextmanager
def ghost_of(snapshot: Snapshot, *, scale: float = 1.0, hidden: Hidden | None = None) -> Iterator[Ghosts]:
    """With `scale` times the rows. Raises `ServerError` if no server starts."""
    from dbguard.postgres.ghost import open_ghost

    with open_ghost(snapshot, scale=scale) as ghost:
        yield Ghosts(ghost, hidden)


@contextmanager
def _asker(ghost: Ghost, known: dict[str, Prepared], hidden: Hidden | None) -> Iterator[Asker]:
    """`known` keeps what was found out about the types of parameters: the next database is asked in the same words."""
    from dbguard.postgres.explain import NotPlannedError, plan, planning, prepared_on_ghost
    from dbguard.postgres.session import open_read_only

    with open_read_only(ghost.dsn()) as connection, planning(connection):

        def ask(sql: str) -> Answer:
            try:
                if sql in known:
                    with suppress(NotPlannedError):
                        return plan(connection, known[sql])
                found = prepared_on_ghost(connection, sql, hidden)
                answer = plan(connection, found)
            except UsageError as error:
                return str(error).removeprefix("PostgreSQL does not plan it: ")
            known.setdefault(sql, found)
            return answer

        yield ask
