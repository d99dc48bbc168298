"""The ghost of a snapshot as the gate asks it: queries as they are now, and after a prefix of the pending statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from dbguard.errors import ServerError, UsageError
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.gate_steps import Answer, Asker, Refused

if TYPE_CHECKING:
    from dbguard.planning.hidden_columns import Hidden
    from dbguard.postgres.explain import Prepared
    from dbguard.postgres.ghost import Ghost


class Ghosts:
    """`lost` says what does not plan as in production. `hidden` is what the snapshot has no values of."""

    def __init__(self, ghost: Ghost, hidden: Hidden | None = None) -> None:
        self._ghost = ghost
        self.hidden = hidden
        self._known: dict[str, Prepared] = {}
        self.lost = tuple(ghost.lost)

    def before(self) -> AbstractContextManager[Asker]:
        return _asker(self._ghost, self._known, self.hidden)

    def assumed(self, sql: str) -> tuple[str, ...]:
        """What was assumed of a query that was planned."""
        return self._known[sql].assumes if sql in self._known else ()

    @contextmanager
    def after(self, statements: Sequence[str]) -> Iterator[Asker]:
        """Raises `Refused` where the server does not take a statement."""
        from dbguard.postgres.ghost.schema import RefusedError

        try:
            changed = self._ghost.what_if(statements)
            ghost = changed.__enter__()
        except RefusedError as error:
            raise Refused(str(error), error.statement) from error
        except ServerError as error:
            raise Refused(str(error)) from error
        try:
            with _asker(ghost, self._known, self.hidden) as ask:
                yield ask
        finally:
            changed.__exit__(None, None, None)


def hidden_of(snapshot: Snapshot, later: Schema | None = None) -> Hidden | None:
    """What the snapshot has no values of. Partial indexes of the schema that is `later` count as well."""
    if snapshot.values == "full":
        return None
    from dbguard.pipelines.explain import schema_of
    from dbguard.planning.hidden_columns import hidden_in

    return hidden_in(snapshot, schema_of(snapshot), later)


class Opening:
    """The ghost of a snapshot, started when it is first asked for and kept until `stack` ends. Raises `ServerError` if no server starts."""

    def __init__(self, snapshot: Snapshot, stack: ExitStack, programs: str | None = None) -> None:
        self._snapshot, self._stack, self._programs = snapshot, stack, programs
        self._ghost: Ghosts | None = None

    def __call__(self) -> Ghosts:
        if self._ghost is None:
            self._ghost = self._stack.enter_context(ghost_of(self._snapshot, programs=self._programs))
        return self._ghost


@contextmanager
def ghost_of(snapshot: Snapshot, *, scale: float = 1.0, hidden: Hidden | None = None, programs: str | None = None) -> Iterator[Ghosts]:
    """With `scale` times the rows, served by the PostgreSQL in the folder `programs`. Raises `ServerError` if no server starts."""
    from dbguard.postgres.ghost import open_ghost

    with open_ghost(snapshot, bin_dir=programs, scale=scale) as ghost:
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
            except NotPlannedError as error:
                return error.reason
            except UsageError as error:
                return str(error)
            known.setdefault(sql, found)
            return answer

        yield ask
