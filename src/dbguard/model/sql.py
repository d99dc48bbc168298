"""Operations to SQL text, for recipes: the user's own names, and where none was given the one that PostgreSQL chooses.

`table` is the table before the statement; its indexes and constraints are the names that are taken. Texts have no semicolon.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.names import MAX_IDENTIFIER_BYTES, quote, quote_all
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.operations.tables import ColumnDefinition, ConstraintDefinition
from dbguard.model.schema import Table


def index_name(index: CreateIndex, table: Table) -> str:
    """The name of the index, quoted where needed and without its schema."""
    return quote(chosen_index_name(index, table))


def chosen_index_name(index: CreateIndex, table: Table) -> str:
    """The bare name of the index: the one written, else the one that PostgreSQL chooses."""
    if index.name is not None:
        return index.name
    return choose_name(table.name.name, key_names(index.keys, index.include), "idx", {table.name.name, *table.indexes})


def index_statement(index: CreateIndex, table: Table) -> str:
    """CREATE INDEX with a name, whether the user gave one or not."""
    words = ["CREATE", "UNIQUE" if index.unique else "", "INDEX", "CONCURRENTLY" if index.concurrently else ""]
    words += ["IF NOT EXISTS" if index.if_not_exists else "", index_name(index, table), "ON", "ONLY" if index.only else "", str(index.table)]
    words += [f"USING {quote(index.method)}" if index.method != "btree" else "", f"({', '.join(map(_key, index.keys))})"]
    words += _include(index.include)
    words.append("NULLS NOT DISTINCT" if index.nulls_not_distinct else "")
    words.append(f"WITH ({', '.join(f'{quote(name)} = {value}' for name, value in index.options)})" if index.options else "")
    words.append(f"TABLESPACE {quote(index.tablespace)}" if index.tablespace else "")
    words.append(f"WHERE {index.where.sql}" if index.where is not None else "")
    return " ".join(filter(None, words))


def constraint_name(definition: ConstraintDefinition, table: Table) -> str:
    """The name of the constraint, quoted where needed."""
    if definition.name is not None:
        return quote(definition.name)
    if definition.using_index is not None:
        return quote(definition.using_index)
    addition: Collection[str] = definition.columns
    match definition.kind:
        case "primary key":
            addition = ()
        case "unique":
            addition = (*definition.columns, *definition.include)
        case "exclusion":
            addition = key_names(definition.keys, definition.include)
        case "check" if definition.expression is not None:
            mentioned = definition.expression.columns
            addition = mentioned if len(mentioned) == 1 else ()
    return quote(choose_name(table.name.name, addition, _LABELS[definition.kind], _taken(table)))


def constraint_clause(definition: ConstraintDefinition, table: Table) -> str:
    """The constraint as it stands after ADD: `CONSTRAINT name ...`, NOT VALID included if it was written.

    The operators of an exclusion constraint are not kept by the parser, so its clause is for reading only.
    """
    return f"CONSTRAINT {constraint_name(definition, table)} {_constraint_body(definition, inline=False)}"


def column_clause(column: ColumnDefinition) -> str:
    """The column as it stands after ADD COLUMN, inline constraints included."""
    words = [quote(column.name), _SERIAL.get(column.type.name.name, str(column.type)) if column.serial else str(column.type)]
    words.append(f"STORAGE {column.storage}" if column.storage else "")
    words.append(f"COMPRESSION {column.compression}" if column.compression else "")
    words.append(f"COLLATE {column.collation}" if column.collation is not None else "")
    words.append(f"DEFAULT {default_text(column.default)}" if column.default is not None else "")
    if column.generated_expression is not None:
        kind = {"stored": "STORED", "virtual": "VIRTUAL"}.get(column.generated, "")
        words += [f"GENERATED ALWAYS AS ({column.generated_expression.sql})", kind]
    words.append(f"GENERATED {column.identity.upper()} AS IDENTITY" if column.identity else "")
    named = any(constraint.kind == "not null" for constraint in column.constraints)
    words.append("NOT NULL" if column.not_null and not named and not column.serial and not column.identity else "")
    for constraint in column.constraints:
        words.append(f"CONSTRAINT {quote(constraint.name)}" if constraint.name is not None else "")
        words.append(_constraint_body(constraint, inline=True))
    return " ".join(filter(None, words))


def default_text(expression: Expression) -> str:
    """An expression as it can stand after DEFAULT, where AND, IN and their like need parentheses (`b_expr` in gram.y)."""
    return f"({expression.sql})" if expression.tree[0] in {"and", "or", "not", "in", "is_null", "is_not_null", "other"} else expression.sql


def choose_name(table: str, addition: Iterable[str], label: str, taken: Container[str] = ()) -> str:
    """`table_addition_label`, numbered while it is taken (ChooseRelationName in src/backend/commands/indexcmds.c). Not quoted."""
    middle = ""
    for part in addition:
        middle += f"_{part}" if middle else part
        if len(middle.encode()) > MAX_IDENTIFIER_BYTES:
            break
    name, number = _object_name(table, middle, label), 0
    while name in taken:
        number += 1
        name = _object_name(table, middle, f"{label}{number}")
    return name


_LABELS = {"check": "check", "not null": "not_null", "unique": "key", "primary key": "pkey", "exclusion": "excl", "foreign key": "fkey"}
_SERIAL = {"int2": "smallserial", "int4": "serial", "int8": "bigserial"}


def _constraint_body(definition: ConstraintDefinition, *, inline: bool) -> str:
    words: list[str] = []
    match definition.kind:
        case "check":
            words += [f"CHECK ({definition.expression.sql if definition.expression else ''})", "NO INHERIT" if definition.no_inherit else ""]
        case "not null":
            words += ["NOT NULL", "" if inline else quote_all(definition.columns), "NO INHERIT" if definition.no_inherit else ""]
        case "foreign key":
            words += ["" if inline else f"FOREIGN KEY ({quote_all(definition.columns)})", *_references(definition)]
        case "exclusion":
            words += [f"EXCLUDE USING {quote(definition.method)} ({', '.join(map(_key, definition.keys))})", *_include(definition.include)]
            words.append(f"WHERE ({definition.where.sql})" if definition.where is not None else "")
        case kind:
            words += [kind.upper(), "NULLS NOT DISTINCT" if definition.nulls_not_distinct else ""]
            if definition.using_index is not None:
                words.append(f"USING INDEX {quote(definition.using_index)}")
            elif not inline:
                overlaps = " WITHOUT OVERLAPS" if definition.without_overlaps else ""
                words += [f"({quote_all(definition.columns)}{overlaps})", *_include(definition.include)]
    words.append("DEFERRABLE" if definition.deferrable else "")
    words.append("INITIALLY DEFERRED" if definition.deferred else "")
    words.append("NOT ENFORCED" if not definition.enforced else "")
    words.append("NOT VALID" if not definition.valid and definition.enforced else "")
    return " ".join(filter(None, words))


def _references(definition: ConstraintDefinition) -> Iterator[str]:
    columns = f" ({quote_all(definition.referenced_columns)})" if definition.referenced_columns else ""
    yield f"REFERENCES {definition.references}{columns}"
    if definition.match_full:
        yield "MATCH FULL"
    if definition.on_delete != "no action":
        yield f"ON DELETE {definition.on_delete.upper()}"
    if definition.on_update != "no action":
        yield f"ON UPDATE {definition.on_update.upper()}"


def _include(columns: tuple[str, ...]) -> list[str]:
    return [f"INCLUDE ({quote_all(columns)})"] if columns else []


def _key(key: IndexKey) -> str:
    words = [quote(key.column) if key.column is not None else _key_expression(key.expression)]
    words.append(f"COLLATE {key.collation}" if key.collation is not None else "")
    words.append(str(key.opclass) if key.opclass is not None else "")
    words.append("DESC" if key.descending else "")
    words.append({None: "", True: "NULLS FIRST", False: "NULLS LAST"}[key.nulls_first])
    return " ".join(filter(None, words))


def _key_expression(expression: Expression | None) -> str:
    """An expression in an index key: in parentheses, unless it is one plain function call."""
    if expression is None:
        return "()"
    sql = expression.sql.strip()
    return sql if expression.tree[0] == "call" and _is_one_call(sql) else f"({sql})"


def _is_one_call(sql: str) -> bool:
    head, bracket, rest = sql.partition("(")
    if not bracket or not head.replace(".", "").replace("_", "").isalnum() or "'" in rest or '"' in rest:
        return False
    depth = 1
    for position, character in enumerate(rest):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return position == len(rest) - 1
    return False


def key_names(keys: tuple[IndexKey, ...], include: tuple[str, ...]) -> list[str]:
    """ChooseIndexColumnNames in src/backend/commands/indexcmds.c: repeated names get a number."""
    found: list[str] = []
    for original in (*(key.column or key.name or "expr" for key in keys), *include):
        name, number = original, 0
        while name in found:
            number += 1
            name = f"{_clip(original, MAX_IDENTIFIER_BYTES - len(str(number)))}{number}"
        found.append(name)
    return found


def _taken(table: Table) -> set[str]:
    return {table.name.name, *table.indexes, *table.constraints}


def _object_name(first: str, second: str, label: str) -> str:
    """makeObjectName in src/backend/commands/indexcmds.c: what is too long is cut from the longer of the two names."""
    available = MAX_IDENTIFIER_BYTES - len(label.encode()) - 1 - (1 if second else 0)
    size1, size2 = len(first.encode()), len(second.encode())
    while size1 + size2 > available:
        if size1 > size2:
            size1 -= 1
        else:
            size2 -= 1
    return "_".join(filter(None, (_clip(first, size1), _clip(second, size2), label)))


def _clip(identifier: str, size: int) -> str:
    return identifier.encode()[:size].decode(errors="ignore")
