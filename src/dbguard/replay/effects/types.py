"""What effects ask about types: domains with constraints, their defaults, and types that were never seen."""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.schema import UserType
from dbguard.model.state import State
from dbguard.model.types import CATALOG, DataType

# Types of extensions that are in wide use; none of them is a domain.
_OF_EXTENSIONS = frozenset(
    {"citext", "hstore", "ltree", "cube", "seg", "isn", "geometry", "geography", "vector", "halfvec", "sparsevec", "box2d", "box3d", "raster"}
)


def user_type(data_type: DataType, state: State) -> UserType | None:
    if data_type.name.schema == CATALOG:
        return None
    return state.schema.types.get(state.resolve_type(data_type.name))


def base_type(data_type: DataType, state: State) -> DataType:
    """The type below a domain, modifiers included (getBaseTypeAndTypmod in src/backend/utils/cache/lsyscache.c)."""
    for _ in range(32):
        found = None if data_type.array else user_type(data_type, state)
        if found is None or found.kind != "domain" or found.base is None:
            break
        data_type = found.base
    return data_type


def is_constrained_domain(data_type: DataType, state: State) -> bool:
    """Whether values have to be checked: a domain with a check or NOT NULL, its own or of a domain below it (DomainHasConstraints)."""
    for _ in range(32):
        found = None if data_type.array else user_type(data_type, state)
        if found is None or found.kind != "domain":
            return False
        if found.not_null or found.constraints:
            return True
        if found.base is None:
            return False
        data_type = found.base
    return False


def domain_default(data_type: DataType, state: State) -> Expression | None:
    """The default that a domain gives its columns; the outermost counts."""
    for _ in range(32):
        found = None if data_type.array else user_type(data_type, state)
        if found is None or found.kind != "domain":
            return None
        if found.default is not None or found.base is None:
            return found.default
        data_type = found.base
    return None


def unseen_type(data_type: DataType, state: State) -> tuple[str, ...]:
    """The sentence for a type that might be a domain with constraints but was never seen."""
    if data_type.name.schema == CATALOG or data_type.name.name in _OF_EXTENSIONS or state.schema.complete:
        return ()
    name = state.resolve_type(data_type.name)
    if name in state.schema.types or name in state.schema.tables:
        return ()
    return (f"type `{data_type.name}` was not seen being created: taken not to be a domain with constraints",)
