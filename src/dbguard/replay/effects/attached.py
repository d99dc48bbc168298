"""What hangs on a table: triggers, rules, policies, row security, publications, statistics, comments, privileges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import (
    AlterPolicy,
    AlterPublication,
    Comment,
    CreatePolicy,
    CreatePublication,
    CreateRule,
    CreateStatistics,
    CreateTrigger,
    DropOnTable,
    Grant,
    RenameOnTable,
    SetRowSecurity,
    SetRule,
    SetTrigger,
)
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AS, AX, SRX, SUE, add, assumed, family, lock, lock_all, refused, schema_knows
from dbguard.replay.effects.queries import plan_query
from dbguard.replay.effects.reading import ANALYSED, read, read_all

_RELATIONS = frozenset({"table", "view", "index", "sequence", "materialized view", "foreign table"})


def _with_partitions(state: State, table: Table, mode: LockMode, *, row: bool = True) -> Effects:
    """A row-level trigger of a partitioned table is cloned to every partition (manual, CREATE TRIGGER)."""
    tables = family(state, table.name, only=not row or table.kind != "partitioned table")
    return Effects(locks=lock_all(mode, tables), unknown=assumed(table))


def _create_trigger(trigger: CreateTrigger, state: State, server: Server) -> Effects:
    """CreateTriggerFiringOn in src/backend/commands/trigger.c."""
    table = state.table(trigger.table)
    if trigger.replace and not server.since(14):
        return refused("CREATE OR REPLACE TRIGGER is known from PostgreSQL 14")
    if trigger.name in table.triggers and not trigger.replace and schema_knows(state.schema, table):
        return refused(f"`{table.name}` has a trigger `{trigger.name}`")
    other = read(state, (trigger.references,)) if trigger.references is not None else Effects()
    return add(_with_partitions(state, table, SRX, row=trigger.row), other._replace(locks=other.locks[:1]))


def _set_trigger(change: SetTrigger, state: State, server: Server) -> Effects:
    """EnableDisableTrigger in src/backend/commands/trigger.c; ALL and USER reach partitions through their row triggers."""
    table = state.table(change.table)
    if schema_knows(state.schema, table) and not change.all and change.name not in {"all", "user", *table.triggers}:
        return refused(f'trigger "{change.name}" for table `{table.name}` does not exist')
    chosen = list(table.triggers.values()) if change.all else [table.triggers[change.name]] if change.name in table.triggers else []
    keys = (
        change.name == "all" and (any(table.foreign_keys()) or any(state.schema.referencing(table.name))) and server.since(15)
    )  # they work by row triggers
    return _with_partitions(state, table, SRX, row=keys or any(trigger.row for trigger in chosen) or not table.known)


def _create_rule(rule: CreateRule, state: State, server: Server) -> Effects:
    """DefineQueryRewrite in src/backend/rewrite/rewriteDefine.c."""
    table = state.table(rule.table)
    return add(Effects(locks=lock(AX, table.name), unknown=assumed(table)), plan_query(rule.uses, state, stage=ANALYSED))


def _exclusive(operation: Any, state: State, server: Server) -> Effects:
    """ACCESS EXCLUSIVE on the one table, for a moment (src/backend/commands/policy.c; ATExecEnableRowSecurity)."""
    table = state.table(operation.table)
    return Effects(locks=lock(AX, table.name), unknown=assumed(table))


def _policy(policy: CreatePolicy | AlterPolicy, state: State, server: Server) -> Effects:
    """Conditions are analysed, so tables in their sub-queries are opened."""
    return add(_exclusive(policy, state, server), *read_all(policy.uses, state, stage=ANALYSED))


def _drop_on_table(drop: DropOnTable, state: State, server: Server) -> Effects:
    table = state.table(drop.table)
    existing = {"trigger": table.triggers, "policy": table.policies, "rule": table.rules}.get(drop.kind, ())
    if drop.name not in existing and schema_knows(state.schema, table):
        return Effects() if drop.if_exists else refused(f"`{table.name}` has no {drop.kind} `{drop.name}`")
    trigger = table.triggers.get(drop.name)
    return _with_partitions(state, table, AX, row=drop.kind == "trigger" and (trigger is None or trigger.row))


def _rename_on_table(rename: RenameOnTable, state: State, server: Server) -> Effects:
    """renametrig in src/backend/commands/trigger.c renames the clones of partitions since 15."""
    table = state.table(rename.table)
    trigger = table.triggers.get(rename.name)
    return _with_partitions(state, table, AX, row=rename.kind == "trigger" and (trigger is None or trigger.row) and server.since(15))


def _create_publication(publication: CreatePublication, state: State, server: Server) -> Effects:
    return _published(publication.tables, state)


def _alter_publication(publication: AlterPublication, state: State, server: Server) -> Effects:
    effects = _published(publication.tables, state)
    if publication.change != "set":
        return effects
    return effects._replace(unknown=(*effects.unknown, f"tables that publication `{publication.name}` had before are locked too"))


def _published(names: tuple[Name, ...], state: State) -> Effects:
    """OpenTableList in src/backend/commands/publicationcmds.c: inheritance children too, partitions not."""
    parts = []
    for name in names:
        table = state.table(name)
        parts.append(Effects(locks=lock_all(SUE, family(state, name, only=table.kind == "partitioned table")), unknown=assumed(table)))
    return add(Effects(), *parts)


def _create_statistics(statistics: CreateStatistics, state: State, server: Server) -> Effects:
    """CreateStatistics in src/backend/commands/statscmds.c."""
    table = state.table(statistics.table)
    return Effects(locks=lock(SUE, table.name), unknown=assumed(table))


def _comment(comment: Comment, state: State, server: Server) -> Effects:
    """CommentObject in src/backend/commands/comment.c; of what belongs to a table only the table is opened."""
    if comment.kind in _RELATIONS:
        name = state.resolve(comment.name)
        is_other = name in state.schema.sequences or name in state.schema.index_tables or comment.kind in {"index", "sequence"}
        return Effects(locks=lock(SUE, name), unknown=() if is_other else assumed(state.table(name)))
    if comment.table is None or comment.kind == "domain constraint":
        return Effects()
    table = state.table(comment.table)
    return Effects(locks=lock(SUE if comment.kind == "column" else AS, table.name), unknown=assumed(table))


def _grant(grant: Grant, state: State, server: Server) -> Effects:
    """Since 18 the relations are locked, so that none is dropped meanwhile (objectNamesToOids in aclchk.c)."""
    if grant.kind not in {*_RELATIONS, "column"} or grant.all_in_schema or not server.since(18):
        return Effects()
    return Effects(locks=lock(AS, *map(state.resolve, grant.names)))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    CreateTrigger: _create_trigger,
    SetTrigger: _set_trigger,
    CreateRule: _create_rule,
    SetRule: _exclusive,
    CreatePolicy: _policy,
    AlterPolicy: _policy,
    SetRowSecurity: _exclusive,
    DropOnTable: _drop_on_table,
    RenameOnTable: _rename_on_table,
    CreatePublication: _create_publication,
    AlterPublication: _alter_publication,
    CreateStatistics: _create_statistics,
    Comment: _comment,
    Grant: _grant,
}
