"""Queries planned on the ghost of a snapshot: as production plans them, at larger sizes, and with indexes that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dbguard.config import Config
from dbguard.errors import ServerError, UsageError
from dbguard.model.explained import Explanation
from dbguard.model.names import Name
from dbguard.model.plan import Plan, Size
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.explain import MOST_SWEPT, Around, Planned, Wishes, finished, plan_all, schema_of, unswept
from dbguard.pipelines.explain_asked import Given
from dbguard.pipelines.explain_lost import concerning
from dbguard.pipelines.measure import programs_of, with_rates
from dbguard.planning.growth import SCALES
from dbguard.planning.hidden_columns import Hidden, hidden_in
from dbguard.planning.times import Times


def on_ghost(config: Config, given: Given, wishes: Wishes, times: Times) -> Explanation:
    """The explanation of the queries on a ghost of `wishes.snapshot`. Raises UnreadableSource, ServerError."""
    from dbguard.postgres.ghost import open_ghost
    from dbguard.reading.snapshots import load

    if wishes.analyze:
        raise UsageError("a ghost has no rows, so nothing can be executed on it: --analyze needs --database")
    assert wishes.snapshot is not None
    snapshot = load(Path(config.cwd, wishes.snapshot))
    schema = schema_of(snapshot)
    around = Around(sizes_in(snapshot, schema), schema, dict(snapshot.settings))
    hidden = hidden_in(snapshot, schema)
    given = with_rates_of(given, snapshot)
    notes: list[str] = []
    with open_ghost(snapshot, bin_dir=programs_of(config)) as ghost:
        planned = _plan_on(ghost.dsn(), given, wishes, hidden)
        notes += [*concerning(ghost.lost, [one.sql for one in given.queries], schema, snapshot), *unswept(planned, wishes)]
        grown = _grown(config, snapshot, planned, wishes, hidden, notes=notes) if wishes.grow else {}
        explanation = finished(config, given, planned, around, times, grown=grown, notes=notes)
        if wishes.advise:
            from dbguard.pipelines.explain_advice import advised

            explanation = advised(config, explanation, ghost, snapshot, wishes.budget, hidden=hidden)
    return explanation


def sizes_in(snapshot: Snapshot, schema: Schema) -> dict[str, Size]:
    """Rows and pages of tables, as EXPLAIN names them. Of a table that was never analyzed the rows are not known."""
    return {
        f"{one.name.schema}.{one.name.name}": Size(
            max(one.tuples, 0.0), one.pages, guessed=one.tuples < 0 and one.pages > 0, whole=_whole(schema, one.name)
        )
        for one in snapshot.relations
        if one.kind in {"r", "m"}
    }


def _whole(schema: Schema, name: Name) -> str:
    """The partitioned table at the top; "" for a table that is no partition."""
    table = schema.tables.get(name)
    for _ in range(50):
        above = schema.tables.get(table.parent) if table is not None and table.parent is not None else None
        if above is None or above.partition_by is None:
            break
        table = above
    if table is None or table.name == name:
        return ""
    return str(table.name._replace(schema=None) if table.name.schema == "public" else table.name)


def with_rates_of(given: Given, snapshot: Snapshot) -> Given:
    """With how often a second each query is executed, as far as the snapshot's pg_stat_statements has one of its shape."""
    from dbguard.parsing.query.shapes import shape_of

    if not snapshot.statements:
        return given
    rates = {one.shape: one.a_second for one in with_rates((), snapshot)}
    found = [one if one.a_second is not None else one._replace(a_second=rates.get(shape_of(one.sql).key)) for one in given.queries]
    return given._replace(queries=tuple(found))


def _plan_on(dsn: str, given: Given, wishes: Wishes, hidden: Hidden | None) -> list[Planned]:
    from dbguard.postgres.explain import PLANNING
    from dbguard.postgres.session import open_read_only

    with open_read_only(dsn, limits=PLANNING, application="dbguard explain") as connection:
        return plan_all(connection, given.queries, wishes, hidden=hidden)


def _grown(
    config: Config, snapshot: Snapshot, planned: Sequence[Planned], wishes: Wishes, hidden: Hidden | None, *, notes: list[str]
) -> dict[int, dict[float, Plan]]:
    """Plans at 10 and 100 times the data, by place of the query."""
    from dbguard.postgres.ghost import open_ghost

    places = [place for place, one in enumerate(planned) if one.plan is not None]
    if not places or len(places) > MOST_SWEPT:
        return {}
    queries = Given(tuple([planned[place].asked for place in places]))
    found: dict[int, dict[float, Plan]] = {place: {} for place in places}
    for scale in SCALES[1:]:
        try:
            with open_ghost(snapshot, bin_dir=programs_of(config), scale=scale) as ghost:
                again = _plan_on(ghost.dsn(), queries, wishes._replace(sweep=False), hidden)
        except ServerError as error:
            notes.append(f"growth is not known at {scale:g} times: {error}")
            break
        for place, one in zip(places, again, strict=True):
            if one.plan is not None:
                found[place][scale] = one.plan
    return {place: plans for place, plans in found.items() if plans}
