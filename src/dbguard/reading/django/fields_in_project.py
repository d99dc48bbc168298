"""Classes and constants that a project defines and its migrations name: `shop.fields.MoneyField`, `shop.constants.MAX_LENGTH`.

What a field class means for the database (its `db_type`, what its `__init__` sets) is read by fields.py from what stands here.
"""

from __future__ import annotations

from dbguard.reading.django.migration import ProjectClass
from dbguard.reading.django.modules import Module, Modules
from dbguard.reading.python.interpret import Interrupted
from dbguard.reading.python.values import Local, Symbol, Value, is_known


def resolve_class(modules: Modules, path: str) -> ProjectClass | None:
    """The class at a dotted path. A name that stands for a class of somebody else is one that only inherits from it."""
    found = modules.find(path) if modules.knows(path) else None
    if type(found) is Symbol and found.path != path:
        return ProjectClass(path, (found,), {})
    if type(found) is not Local or not found.is_class:
        return None
    interpreter = found.interpreter
    defined = f"{interpreter.dotted}.{found.name}" if isinstance(interpreter, Module) else path
    try:
        bases = tuple([base for base in interpreter.bases(found) if base is not found])
        return ProjectClass(defined, bases, interpreter.members(found), interpreter)
    except Interrupted:
        return None


def resolve_value(modules: Modules, path: str) -> Value:
    """The literal at a dotted path, None if there is none."""
    found = modules.find(path) if modules.knows(path) else None
    return found if is_known(found) else None
