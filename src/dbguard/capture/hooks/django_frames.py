"""What Django's own frames say about a query: which relationship is loaded, of which model, and which line of a template asked.

In: the folder of Django. Out: watchers of frames (see frames.py). Frames are read, never changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from dbguard.capture import frames
from dbguard.capture.frames import Template, Walk

BUILT = "_dbguard_built"
_EVALUATES = ("_fetch_all", "iterator", "aiterator", "_iterator", "count", "exists", "aggregate", "update", "delete", "in_bulk", "explain")


def watch_frames(folder: str) -> None:
    files: dict[str, dict[str, frames.Watcher]] = {
        "db/models/query.py": {
            **dict.fromkeys(_EVALUATES, _queryset),
            "prefetch_one_level": _prefetch,
        },
        "db/models/fields/related_descriptors.py": {"__get__": _descriptor},
        "db/models/query_utils.py": {"__get__": _deferred},
        "db/models/base.py": {"refresh_from_db": _refresh},
        "contrib/contenttypes/fields.py": {"__get__": _generic},
        "contrib/contenttypes/models.py": dict.fromkeys(("get_for_id", "get_for_model", "get_by_natural_key", "get_for_models"), _content_type),
        "template/base.py": {"render_annotated": _tag},
        "template/defaulttags.py": {"render": _loop},
    }
    for name, watchers in files.items():
        frames.watch(os.path.join(folder, *name.split("/")), watchers)


def _queryset(frame: Any, walk: Walk) -> None:
    if walk.load is not None or walk.found:
        return
    queryset = frame.f_locals.get("self")
    model = getattr(queryset, "model", None)
    if model is None:
        return
    instance = (getattr(queryset, "_hints", None) or {}).get("instance")
    if instance is None:
        owner, name = _generic_relation(queryset)
        if owner:
            walk.loads("lazy", owner, name, True, "django")
        else:
            walk.loads("", model.__name__, "", False, "django", *_known(queryset.query))
        return
    walk.loads("lazy", type(instance).__name__, _relationship(queryset, instance), True, "django")


def _known(query: Any) -> tuple[tuple[str, Any], ...]:
    """Where a query was put together, and the paths of `select_related` with the class that each leads to."""
    place = getattr(query, BUILT, None)
    built = () if place is None else (("built", place),)
    if not isinstance(getattr(query, "select_related", None), dict):
        return built
    found = tuple(_related(query.get_meta(), query.select_related, ""))
    return (*built, ("related", found)) if found else built


def _related(options: Any, names: Any, before: str) -> Iterator[tuple[str, str]]:
    for name, below in names.items():
        field = next((one for one in options.get_fields() if name in {one.name, getattr(one, "get_accessor_name", str)()}), None)
        model = getattr(field, "related_model", None)
        if isinstance(model, type):
            yield f"{before}{name}", model.__name__
            yield from _related(model._meta, below, f"{before}{name}__")  # type: ignore[attr-defined]  # noqa: SLF001


def _relationship(queryset: Any, instance: Any) -> str:
    """The attribute of `instance` whose manager made this queryset; "" if it is not certain."""
    for field, objects in queryset._known_related_objects.items():  # noqa: SLF001 - nothing public tells
        if instance.pk in objects:
            return str(field.remote_field.get_accessor_name() or "")
    tables = set(queryset.query.alias_map) | {getattr(join, "table_name", "") for join in queryset.query.alias_map.values()}
    options, target = instance._meta, queryset.model._meta.concrete_model  # noqa: SLF001
    given = _compared(queryset)
    found = [
        field.name
        for field in options.many_to_many
        if field.remote_field.through._meta.db_table in tables and field.m2m_field_name() in given  # noqa: SLF001
    ]
    found += [
        relation.get_accessor_name()
        for relation in options.related_objects
        if relation.many_to_many and relation.through._meta.db_table in tables and relation.field.m2m_reverse_field_name() in given  # noqa: SLF001
    ]
    if not found:
        found = [field.name for field in options.private_fields if getattr(field, "related_model", None) is target and field.one_to_many]
    return str(found[0]) if len(found) == 1 else ""


def _compared(queryset: Any) -> dict[str, Any]:
    """The names of fields that a queryset compares with `=`, and what with."""
    todo = [queryset.query.where]
    given: dict[str, Any] = {}
    while todo and len(given) < 20:
        node = todo.pop()
        todo += getattr(node, "children", ())
        target = getattr(getattr(node, "lhs", None), "target", None)
        if target is not None and getattr(node, "lookup_name", "") == "exact":
            given[target.name] = node.rhs
    return given


def _generic_relation(queryset: Any) -> tuple[str, str]:
    """Owner and attribute of a GenericRelation, whose querysets carry no hint: they filter by content type and object."""
    keys = [field for field in queryset.model._meta.private_fields if hasattr(field, "ct_field") and hasattr(field, "fk_field")]  # noqa: SLF001
    if not keys:
        return "", ""
    given = _compared(queryset)
    for key in keys:
        if key.ct_field in given and key.fk_field in given:
            known = sys.modules["django.contrib.contenttypes.models"].ContentType.objects._cache  # noqa: SLF001 - asking would send a query
            types: Any = next((of_alias for of_alias in known.values() if given[key.ct_field] in of_alias), {})
            owner = types[given[key.ct_field]].model_class() if types else None
            fields = owner._meta.private_fields if owner is not None else ()  # noqa: SLF001
            names = [
                field.name for field in fields if getattr(field, "object_id_field_name", "") == key.fk_field and field.related_model is queryset.model
            ]
            if owner is not None and len(names) == 1:
                return owner.__name__, str(names[0])
    return "", ""


def _prefetch(frame: Any, walk: Walk) -> None:
    if walk.found:
        return
    names = frame.f_locals
    lookup, level, instances = names.get("lookup"), names.get("level", 0), names.get("instances")
    through = str(getattr(lookup, "prefetch_through", "")).split("__")
    owner = type(instances[0]).__name__ if instances else ""
    walk.loads("eager", owner, through[level] if level < len(through) else "", True, "django", final=True)


def _descriptor(frame: Any, walk: Walk) -> None:
    if walk.found:
        return
    names = frame.f_locals
    descriptor, instance = names.get("self"), names.get("instance")
    if instance is None:
        return
    related = getattr(descriptor, "related", None)
    name = related.get_accessor_name() if related is not None else descriptor.field.name
    walk.loads("lazy", type(instance).__name__, str(name), False, "django", final=True)


def _deferred(frame: Any, walk: Walk) -> None:
    if walk.found:
        return
    names = frame.f_locals
    descriptor, instance = names.get("self"), names.get("instance")
    field = getattr(descriptor, "field", None)
    if instance is not None and field is not None:
        walk.loads("column", type(instance).__name__, str(field.attname), False, "django", final=True)


def _refresh(frame: Any, walk: Walk) -> None:
    walk.loads("refresh", type(frame.f_locals.get("self")).__name__, "", False, "django")


def _generic(frame: Any, walk: Walk) -> None:
    if walk.found:
        return
    names = frame.f_locals
    instance = names.get("instance")
    if instance is not None:
        walk.loads("lazy", type(instance).__name__, str(getattr(names.get("self"), "name", "")), False, "django", ("generic", True), final=True)


def _content_type(_frame: Any, walk: Walk) -> None:
    walk.loads("", "ContentType", "", False, "django", final=True)


def _tag(frame: Any, walk: Walk) -> None:
    """The innermost tag or variable of a template; the ones around it are on the same way."""
    if walk.found and isinstance(walk.found[-1], Template):
        return
    node = frame.f_locals.get("self")
    origin, token = getattr(node, "origin", None), getattr(node, "token", None)
    line = getattr(token, "lineno", None)
    if origin is not None and line is not None and os.path.isabs(str(origin.name)):
        walk.passes(Template(str(origin.name), int(line), False))


def _loop(frame: Any, walk: Walk) -> None:
    """`{% for %}` renders what stands in it; before any tag was met it is only reading its sequence."""
    if walk.found and isinstance(walk.found[-1], Template) and type(frame.f_locals.get("self")).__name__ == "ForNode":
        walk.found[-1] = walk.key[-1] = walk.found[-1]._replace(in_loop=True)
