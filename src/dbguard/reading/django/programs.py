"""A `RunPython` operation in, what can be said about it without running it out.

Its queries are not guessed: they depend on Python. What is said is whether it can be reversed, whether it takes models from the
application instead of the migration's own `apps`, whether it loads or saves a whole table row by row, and whether all that happens in a transaction.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dbguard.model.operations.programs import RunProgram
from dbguard.model.source import Block
from dbguard.reading.django.migration import MigrationModule
from dbguard.reading.django.modules import Module
from dbguard.reading.python.interpret import Interpreter
from dbguard.reading.python.values import Called, Local, Symbol, Value

MOST_FUNCTIONS = 20  # of a program, that are looked at
_LAZY = frozenset(
    [
        "filter",
        "exclude",
        "order_by",
        "select_related",
        "prefetch_related",
        "only",
        "defer",
        "using",
        "distinct",
        "annotate",
        "reverse",
        "select_for_update",
    ]
)
_MANAGERS = frozenset(["objects", "_default_manager", "_base_manager", "all_objects", "original_objects", "unfiltered_objects"])
_SAVES = frozenset(["save", "delete"])
_DOES_NOTHING = (ast.Pass, ast.Return)
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def run_python(called: Called, migration: MigrationModule) -> Block:
    """The block of a `RunPython`: what it is called, and why its queries are not known."""
    interpreter = migration.interpreter
    start, end = interpreter.span(called.node) if interpreter is not None else (0, 0)
    code = _argument(called, 0, "code")
    reverse = _argument(called, 1, "reverse_code")
    name = _name(code, interpreter, called)
    functions = _functions(code, interpreter)
    if _is_noop(code) or (functions and _is_empty(functions[0][1])):
        return Block(start, end, operations=(_program(name, called, migration, reverse, [], []),))
    imports = list(dict.fromkeys(one for owner, node in functions for one in _imported(owner, node)))
    unbatched = list(dict.fromkeys(one for owner, node in functions for one in _unbatched(owner, node)))
    program = _program(name, called, migration, reverse, imports, unbatched)
    return Block(start, end, operations=(program,), unread=f"RunPython `{name}`: its queries depend on Python")


def _program(name: str, called: Called, migration: MigrationModule, reverse: Value, imports: list[str], unbatched: list[str]) -> RunProgram:  # noqa: PLR0917
    in_transaction = migration.members.get("atomic", True) is not False or called.kwargs.get("atomic") is True
    return RunProgram(name, reverse is not None, tuple(imports), tuple(unbatched), in_transaction)


def _argument(called: Called, position: int, name: str) -> Value:
    return called.args[position] if len(called.args) > position else called.kwargs.get(name)


def _name(code: Value, interpreter: Interpreter | None, called: Called) -> str:
    if type(code) is Local:
        return code.name
    if type(code) is Symbol:
        return code.path.rpartition(".")[2]
    node = called.node
    if interpreter is not None and isinstance(node, ast.Call) and node.args:
        return interpreter.source(node.args[0])
    return "?"


def _is_noop(code: Value) -> bool:
    return type(code) is Symbol and code.path.endswith("RunPython.noop")


def _is_empty(function: _Function) -> bool:
    """Whether a function does nothing: a docstring, `pass`, a bare `return`."""
    if isinstance(function, ast.Lambda):
        return isinstance(function.body, ast.Constant)
    return all(
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, _DOES_NOTHING) and (not isinstance(node, ast.Return) or node.value is None or isinstance(node.value, ast.Constant)))
        for node in function.body
    )


def _functions(code: Value, interpreter: Interpreter | None) -> list[tuple[Interpreter, _Function]]:
    """The function that runs and the functions of its module that it calls."""
    if type(code) is Symbol and isinstance(interpreter, Module):
        code = interpreter.modules.literal(code)
    if type(code) is Called and code.args:  # functools.partial(forwards, ...)
        code = code.args[0]
    if type(code) is not Local or not isinstance(code.node, _Function):
        return []
    owner = code.interpreter
    found: dict[int, _Function] = {}
    waiting: list[_Function] = [code.node]
    while waiting and len(found) < MOST_FUNCTIONS:
        function = waiting.pop()
        if id(function) in found:
            continue
        found[id(function)] = function
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = owner.names.get(node.func.id)
                if type(called) is Local and isinstance(called.node, _Function):
                    waiting.append(called.node)
    return [(owner, function) for function in found.values()]


def _imported(owner: Interpreter, function: _Function) -> Iterator[str]:
    """Models of the application on whose managers or constructors the function calls, as written: `Order.objects`."""
    local = _local_imports(owner, function)
    bound = _bound(function)
    for node in ast.walk(function):
        model = None
        if isinstance(node, ast.Attribute) and (node.attr in _MANAGERS or node.attr.endswith("_objects")):
            model = node.value
        elif isinstance(node, ast.Call):
            model = node.func
        if isinstance(model, ast.Name | ast.Attribute) and (path := _path(model, owner, local, bound)) and _is_model(path, owner):
            yield owner.source(model)


def _local_imports(owner: Interpreter, function: _Function) -> dict[str, str]:
    found = {}
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for name in node.names:
                path = f"{prefix}{'' if prefix.endswith('.') else '.'}{name.name}"
                found[name.asname or name.name] = owner.absolute(path) if isinstance(owner, Module) else path
    return found


def _bound(function: _Function) -> set[str]:
    """Names that the function itself assigns."""
    names = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    return names | {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _path(node: ast.expr, owner: Interpreter, local: dict[str, str], bound: set[str]) -> str:
    """The dotted path of an imported name, `""` for anything else."""
    if isinstance(node, ast.Attribute):
        base = _path(node.value, owner, local, bound)
        return f"{base}.{node.attr}" if base else ""
    if not isinstance(node, ast.Name) or (node.id in bound and node.id not in local):
        return ""
    if node.id in local:
        return local[node.id]
    value = owner.names.get(node.id)
    if type(value) is not Symbol:
        return ""
    return owner.absolute(value.path) if isinstance(owner, Module) else value.path


def _is_model(path: str, owner: Interpreter) -> bool:
    """Whether a path names a class below a `models` module of the project."""
    *modules, name = path.split(".")
    if "models" not in modules or not name[:1].isupper() or name.isupper():
        return False
    if not isinstance(owner, Module):
        return modules[0] != "django"
    found = owner.modules.find(path) if owner.modules.knows(path) else Symbol(path)
    return found is None or (type(found) is Local and isinstance(found.node, ast.ClassDef) and bool(found.node.bases))


def _unbatched(owner: Interpreter, function: _Function) -> Iterator[str]:
    """Expressions that load all rows of a table at once, write all of them in one statement, or save them one by one."""
    assigned = _assigned(function)
    loops = [node for node in ast.walk(function) if isinstance(node, ast.For | ast.AsyncFor)]
    rows_of_loops = {name.id for loop in loops for name in ast.walk(loop.target) if isinstance(name, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.AsyncFor):
            yield from _looped(owner, node, assigned, rows_of_loops)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            for generator in node.generators:
                if _rows(generator.iter, assigned) == "all":
                    yield owner.source(_origin(generator.iter, assigned))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"list", "tuple", "set"} and node.args:
            if _rows(node.args[0], assigned) == "all":
                yield owner.source(_origin(node.args[0], assigned))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"update", "delete"}:
            target = node.func.value
            if _rows(target, assigned) == "all" or (node.func.attr == "update" and _is_manager(target)):
                yield owner.source(node)


def _depends_on(node: ast.expr, names: set[str]) -> bool:
    """Whether a queryset is about a row of a loop around it: `Item.objects.filter(order=order)`."""
    return any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(node))


def _looped(owner: Interpreter, loop: ast.For | ast.AsyncFor, assigned: dict[str, ast.expr], rows_of_loops: set[str]) -> Iterator[str]:
    rows = _rows(loop.iter, assigned)
    if rows == "all" or (rows and not _depends_on(loop.iter, rows_of_loops) and _saves_each(loop)):
        yield owner.source(_origin(loop.iter, assigned))


def _saves_each(loop: ast.For | ast.AsyncFor) -> bool:
    names = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _SAVES
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in names
        for part in loop.body
        for node in ast.walk(part)
    )


def _assigned(function: _Function) -> dict[str, ast.expr]:
    """Names that are assigned exactly once, and what."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _origin(node: ast.expr, assigned: dict[str, ast.expr]) -> ast.expr:
    return assigned[node.id] if isinstance(node, ast.Name) and node.id in assigned else node


def _rows(node: ast.expr, assigned: dict[str, ast.expr], depth: int = 0) -> str:
    """What a queryset brings when it is iterated: "all" rows at once, "streamed", "some" (filtered), `""` if it is none or is cut."""
    if depth > 10:
        return ""
    if isinstance(node, ast.Name):
        return _rows(assigned[node.id], assigned, depth + 1) if node.id in assigned else ""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    method, base = node.func.attr, node.func.value
    if method == "all" and _is_manager(base):
        return "all"
    if method == "all" or method in _LAZY:
        inner = "all" if _is_manager(base) else _rows(base, assigned, depth + 1)
        return "some" if inner and method in {"filter", "exclude"} and (node.args or node.keywords) else inner
    if method == "iterator":
        inner = "all" if _is_manager(base) else _rows(base, assigned, depth + 1)
        return "streamed" if inner else ""
    return ""


def _is_manager(node: ast.expr) -> bool:
    """`Order.objects`, also with `.using(alias)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"using", "db_manager"}:
        return _is_manager(node.func.value)
    return isinstance(node, ast.Attribute) and (node.attr in _MANAGERS or node.attr.endswith("_objects"))
