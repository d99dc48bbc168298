"""How many rows the UPDATEs, DELETEs and INSERTs of pending migrations reach: steps in, the planner's own numbers out.

The ghost plans them on the schema that production has; where only SET names a column that is still to come, the condition alone. What a
condition on such a column reaches no planner knows: planning/risk_rows.py does, since the column holds nothing yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.operations import Delete, Update
from dbguard.model.plan import Node
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.gate_ghost import Opening, hidden_of
from dbguard.planning.risk import Judged


class Reached(Record):
    rows: dict[str, float]  # by text of the statement
    assumes: tuple[str, ...] = ()


def reached(judged: Iterable[Judged], snapshot: Snapshot, opening: Opening) -> Reached:
    """The rows that each statement reaches, of those that plan. Raises `ServerError` if no server starts; asks for none where nothing is written."""
    writing = {one.text: one for one in judged if "rows" in one.work.kinds}
    if not writing:
        return Reached({})
    ghost = opening()
    ghost.hidden = hidden_of(snapshot)
    found: dict[str, float] = {}
    assumes: dict[str, None] = {}
    with ghost.before() as ask:
        for text, one in writing.items():
            for asked in (text, *_condition(one)):
                if not isinstance(plan := ask(asked), str):
                    found[text] = _written(plan.root)
                    assumes |= dict.fromkeys(ghost.assumed(asked))
                    break
    return Reached(found, tuple(assumes))


def _condition(judged: Judged) -> Iterator[str]:
    """A query for the rows that an UPDATE or DELETE of one table is about."""
    operation = judged.steps[0].operation
    if isinstance(operation, Update | Delete) and operation.where is not None and not operation.joined:
        yield f"SELECT FROM {judged.steps[0].before.resolve(operation.table)} WHERE {operation.where.sql}"


def _written(root: Node) -> float:
    """Rows that come to the node which changes them. It has none itself without RETURNING (set_plan_refs of ModifyTable in createplan.c)."""
    if root.kind != "ModifyTable":
        return root.rows
    return sum(child.rows for child in root.children if child.role in {"Outer", "Member"})
