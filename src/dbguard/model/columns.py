"""Questions about columns that several checks ask, and the SQL of the longer recipes for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote, quote_all, text_literal
from dbguard.model.operations import AddColumn, ConstraintDefinition, CreateIndex, DropConstraint, RenameColumn, RenameTable
from dbguard.model.schema import Constraint, Index, Table, UserType
from dbguard.model.sql import choose_name, constraint_clause, constraint_name, default_text, index_statement
from dbguard.model.state import State, Step
from dbguard.model.types import DataType

BATCH = 10000


def domain_of(data_type: DataType, state: State) -> UserType | None:
    """The domain that a type is; None if it is none, or was not seen being created."""
    if data_type.array or data_type.builtin is not None:
        return None
    found = state.schema.types.get(state.resolve_type(data_type.name))
    return found if found is not None and found.kind == "domain" else None


def constrained_domain(data_type: DataType, state: State) -> UserType | None:
    """The domain that a type is, if it has CHECK or NOT NULL: then every row is written to test a new column (tablecmds.c, ATExecAddColumn)."""
    domain = domain_of(data_type, state)
    return domain if domain is not None and (domain.not_null or domain.constraints) else None


def domain_conditions(domain: UserType, column: str) -> str:
    """What a domain asks of its values, asked of a column instead."""
    conditions = [f"{quote(column)} IS NOT NULL"] if domain.not_null else []
    for constraint in domain.constraints.values():
        if constraint.expression is not None:
            sql = re.sub(r"\bVALUE\b", lambda _: quote(column), constraint.expression.sql, flags=re.IGNORECASE)
            conditions.append(f"({sql})")
    return " AND ".join(conditions)


def is_rewriting_add(add: AddColumn, step: Step) -> bool:
    """Whether ADD COLUMN writes every row of a table in use."""
    return bool(step.effects.rewrites) and not step.is_new_or_empty(add.table)


def batched_update(table: Table, name: Name, assignment: str, where: str) -> str:
    """An UPDATE of a bounded number of rows, to be repeated until it finds none. It never overwrites what was set meanwhile."""
    key = table.primary_key
    columns = key.columns if key is not None else ("ctid",)
    left = quote_all(columns) if len(columns) == 1 else f"({quote_all(columns)})"
    return f"UPDATE {name} SET {assignment} WHERE {left} IN (SELECT {quote_all(columns)} FROM {name} WHERE {where} LIMIT {BATCH}) AND {where}"


def not_null_steps(table: Table, name: Name, column: str, *, unfilled: bool = False) -> str:
    """NOT NULL without a scan under a lock that blocks reads: a CHECK, validated in a later migration, proves it.

    `unfilled`: old rows can hold NULL, and have to be filled before the CHECK is validated.
    """
    when = ", after the rows that hold NULL are filled in batches" if unfilled else ""
    check = quote(choose_name(name.name, (column,), "check", table.constraints))
    plain = quote(column)
    return "\n".join(
        (
            f"ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({plain} IS NOT NULL) NOT VALID;",
            f"-- next migration, outside a transaction{when}",
            f"ALTER TABLE {name} VALIDATE CONSTRAINT {check};",
            f"ALTER TABLE {name} ALTER COLUMN {plain} SET NOT NULL;",
            f"ALTER TABLE {name} DROP CONSTRAINT {check};",
        )
    )


def unique_steps(table: Table, name: Name, column: str, constraint: ConstraintDefinition) -> tuple[str, str]:
    """A unique or primary key constraint of one column: the statement that builds its index, and that which makes it a constraint."""
    chosen = bare(constraint_name(constraint._replace(columns=(column,)), table))
    index = CreateIndex(name, (IndexKey(column),), chosen, unique=True, concurrently=True, nulls_not_distinct=constraint.nulls_not_distinct)
    using = constraint._replace(name=chosen, columns=(), using_index=chosen, nulls_not_distinct=False)
    return f"{index_statement(index, table)};", f"ALTER TABLE {name} ADD {constraint_clause(using, table)};"


def bare(quoted: str) -> str:
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def replacement(
    state: State, name: Name, column: str, new: str, *, value: str | None = None, to: DataType | None = None, keeps_name: bool = True
) -> dict[str, str]:
    """Facts for a recipe that fills column `new` beside `column` while both are written, and then swaps them.

    `value` is the expression of a USING clause, None for a plain conversion; `to` is the new type if it is another;
    `keeps_name` tells whether the new column gets the old one's name in the end. Further lines are what the old column has and
    the new one needs: `carry` before the swap, `finish` inside its transaction, `relink` after it.
    """
    table = state.table(name)
    record = f"(SELECT {value} FROM (SELECT NEW.*) AS {quote(name.name)})"
    carry, finish = _carried(state, table, name, column, new)
    carry += _sequences(state, name, column, quote(new), to)
    links = [(_written(state, child.name), as_defined(key, state), child) for child, key in _pointing_at(state, table, column)]
    carry += [
        f"-- next migration\nSET LOCAL lock_timeout = '2s';\nALTER TABLE {child} DROP CONSTRAINT {quote(key.name or '')};" for child, key, _ in links
    ]
    relink = ""
    for child, key, own in links:
        referenced = key.referenced_columns if keeps_name else tuple(new if c == column else c for c in key.referenced_columns)
        clause = constraint_clause(key._replace(valid=False, referenced_columns=referenced), own)
        relink += f"\n-- next migration\nALTER TABLE {child} ADD {clause};"
        relink += f"\n-- next migration\nALTER TABLE {child} VALIDATE CONSTRAINT {quote(key.name or '')};"
    return {
        "new": quote(new),
        "sync": str(Name(name.schema, choose_name(name.name, (column,), "sync"))),
        "trigger": quote(choose_name(name.name, (column,), "sync", table.triggers)),
        "trigger_value": f"NEW.{quote(column)}" if value is None else record,
        "backfill": batched_update(table, name, f"{quote(new)} = {value or quote(column)}", f"{quote(new)} IS NULL AND {quote(column)} IS NOT NULL"),
        "carry": "\n-- next migration, outside a transaction: what the old column has\n" + "\n".join(carry) if carry else "",
        "finish": "".join(f"{line}\n" for line in finish),
        "relink": relink,
    }


def free_name(table: Table, wanted: str) -> str:
    """`wanted`, numbered while the table has a column of that name. Not quoted."""
    name, number = wanted, 1
    while name in table.columns:
        number += 1
        name = f"{wanted}{number}"
    return name


def index_as_created(index: Index, name: Name) -> CreateIndex:
    """The CREATE INDEX that makes this index again, on the table written as `name`."""
    keys = index.keys
    return CreateIndex(
        name, keys, index.name.name, index.method, index.include, index.unique, nulls_not_distinct=index.nulls_not_distinct, where=index.where
    )


def _carried(state: State, table: Table, name: Name, column: str, new: str) -> tuple[list[str], list[str]]:
    """What the new column needs before it takes the old one's place, and what in the same transaction as that."""
    known = table.columns.get(column)
    if known is None:
        return [f"-- give {quote(new)} the NOT NULL, default, indexes and constraints that {quote(column)} has"], []
    alter, plain = f"ALTER TABLE {name}", quote(new)
    constraints = [c for c in table.constraints.values() if column in c.columns and c.kind != "not null"]
    carry = [not_null_steps(table, name, new)] if known.not_null else []
    finish = [f"{alter} ALTER COLUMN {plain} SET DEFAULT {default_text(known.default)};"] if known.default is not None and not known.generated else []
    if known.identity:
        finish.append(f"{alter} ALTER COLUMN {plain} ADD GENERATED {known.identity.upper()} AS IDENTITY;")
        finish.append(f"SELECT setval({sequence_of(name, new)}, coalesce(max({plain}), 1)) FROM {name};")
    for index in table.indexes.values():
        if column not in index.columns:
            continue
        create = _renamed(index, name, column, new)
        backed = next((c for c in constraints if c.name == index.constraint), None)
        if backed is not None and backed.kind in {"unique", "primary key"}:
            create = create._replace(name=choose_name(table.name.name, create_columns(create), "key", table.indexes))
            finish.append(f"{alter} ADD CONSTRAINT {quote(backed.name)} {backed.kind.upper()} USING INDEX {quote(create.name or '')};")
        if index.constraint is None or backed is not None:
            carry.append(f"{index_statement(create, table)};")
    for constraint in constraints:
        if constraint.kind == "foreign key":
            definition = as_defined(constraint, state)._replace(
                columns=tuple(new if c == column else c for c in constraint.columns),
                name=choose_name(table.name.name, (new,), "fkey", table.constraints),
                valid=False,
            )
            carry.append(f"{alter} ADD {constraint_clause(definition, table)};")
            carry.append(f"-- next migration\n{alter} VALIDATE CONSTRAINT {quote(definition.name or '')};")
            carry.append("-- next migration\nSET LOCAL lock_timeout = '2s';")
            carry.append(f"{alter} DROP CONSTRAINT {quote(constraint.name)};")
    others = [f"CHECK {quote(c.name)}" for c in table.constraints.values() if c.kind == "check" and c.expression and column in c.expression.columns]
    if others:
        carry.append(f"-- and the same for what else is on {quote(column)}: {', '.join(others)}")
    return carry, finish


def create_columns(index: CreateIndex) -> tuple[str, ...]:
    """The plain key columns of an index to be created."""
    return tuple(key.column for key in index.keys if key.column is not None)


def sequence_of(table: Name, column: str) -> str:
    """The call that finds the sequence of a column; the column's name is text in it, the table's is parsed."""
    return f"pg_get_serial_sequence({text_literal(str(table))}, {text_literal(column)})"


def as_defined(key: Constraint, state: State) -> ConstraintDefinition:
    """The definition of a foreign key, as it can be written here."""
    references = _written(state, key.references) if key.references is not None else None
    return ConstraintDefinition(
        "foreign key",
        key.name,
        key.columns,
        references=references,
        referenced_columns=key.referenced_columns,
        on_delete=key.on_delete,
        on_update=key.on_update,
        match_full=key.match_full,
        deferrable=key.deferrable,
        deferred=key.deferred,
    )


def _sequences(state: State, name: Name, column: str, new: str, to: DataType | None) -> list[str]:
    """The sequence of a serial column goes with the old column, unless the new one owns it by then."""
    widened = " AS bigint" if to is not None and to.builtin == "int8" else ""
    owned = (s for s in state.schema.sequences.values() if s.owner == (state.resolve(name), column) and not s.identity)
    return [f"ALTER SEQUENCE {_written(state, sequence.name)}{widened} OWNED BY {name}.{new};" for sequence in owned]


def _written(state: State, name: Name) -> Name:
    """A complete name as it can be written here: without its schema where `search_path` finds it anyway."""
    short = Name(None, name.name)
    return short if state.resolve(short) == name else name


def _pointing_at(state: State, table: Table, column: str) -> Iterator[tuple[Table, Constraint]]:
    primary = table.primary_key
    for child, key in state.schema.referencing(table.name):
        if column in (key.referenced_columns or (primary.columns if primary is not None else ())):
            yield child, key


def _renamed(index: Index, name: Name, column: str, new: str) -> CreateIndex:
    created = index_as_created(index, name)
    keys = tuple(key._replace(column=new) if key.column == column else key for key in created.keys)
    return created._replace(name=None, keys=keys, include=tuple(new if c == column else c for c in index.include), concurrently=True)


def proves_not_null(constraint: Constraint, column: str) -> bool:
    """Whether the constraint, once validated, tells PostgreSQL that the column has no nulls (NotNullImpliedByRelConstraints)."""
    if constraint.kind == "not null":
        return column in constraint.columns
    if constraint.kind != "check" or constraint.expression is None:
        return False
    tree = constraint.expression.tree
    return any(part == ("is_not_null", ("column", column)) for part in (tree[1:] if tree[0] == "and" else (tree,)))


def proof_dropped_with(one: Step, steps: tuple[Step, ...], column: str) -> Constraint | None:
    """The validated constraint that would have proved a SET NOT NULL, had the same statement not dropped it first."""
    for other in steps:
        if other.statement is one.statement and isinstance(other.operation, DropConstraint):
            dropped = other.table(other.operation.table).constraints.get(other.operation.name)
            if dropped is not None and dropped.valid and proves_not_null(dropped, column):
                return dropped
    return None


def columns_added(steps: tuple[Step, ...]) -> set[tuple[Name, str]]:
    """Columns that these steps added, by full table name: no released code knows them. Renames are followed."""
    added: set[tuple[Name, str]] = set()
    for step in steps:
        match step.operation:
            case AddColumn(table=table, column=column):
                full = step.before.resolve(table)
                if column.name not in step.before.schema.table(full).columns:
                    added.add((full, column.name))
            case RenameColumn(table=table, column=old, to=to):
                full = step.before.resolve(table)
                if (full, old) in added:
                    added.add((full, to))
            case RenameTable(table=table, to=to):
                full = step.before.resolve(table)
                added |= {(Name(full.schema, to), column) for owner, column in added if owner == full}
    return added
