"""Triggers that django-pgtrigger (and django-pghistory with it) puts into migrations."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dbguard.reading.django.arguments import Given, Unfollowed
from dbguard.reading.django.models import Model, concrete, model_of
from dbguard.reading.django.names import quoted
from dbguard.reading.python.values import Called, Value, is_known

if TYPE_CHECKING:
    from dbguard.reading.django.editor import Editor
    from dbguard.reading.django.operations import Project

_IGNORE = '"public"._pgtrigger_should_ignore'
_MAY_BE_IGNORED = """CREATE OR REPLACE FUNCTION {ignore}(trigger_name NAME) RETURNS BOOLEAN AS $$
DECLARE _pgtrigger_ignore TEXT[]; _result BOOLEAN;
BEGIN
  BEGIN SELECT INTO _pgtrigger_ignore CURRENT_SETTING('pgtrigger.ignore'); EXCEPTION WHEN OTHERS THEN END;
  IF _pgtrigger_ignore IS NOT NULL THEN SELECT trigger_name = ANY(_pgtrigger_ignore) INTO _result; RETURN _result; ELSE RETURN FALSE; END IF;
END; $$ LANGUAGE plpgsql"""
_FUNCTION = """CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
{declare} BEGIN
  IF ({ignore}(TG_NAME) IS TRUE) THEN IF (TG_OP = 'DELETE') THEN RETURN OLD; ELSE RETURN NEW; END IF; END IF;
  {func}
END; $$ LANGUAGE plpgsql"""


def add(project: Project, editor: Editor, model: Model, given: Given) -> None:
    """The function, and the trigger that calls it. A trigger of the same name goes first."""
    trigger = given.get("trigger")
    values = _values(trigger)
    name = trigger.kwargs.get("name")
    pgid, table = values["pgid"], quoted(values["table"])
    words = ["CREATE", values.get("constraint", ""), "TRIGGER", pgid, values["when"], values["operation"], "ON", table, values.get("timing", "")]
    words += [values.get("referencing", ""), "FOR EACH", values.get("level", "ROW"), values.get("condition", "")]
    words.append(f"EXECUTE PROCEDURE {values.get('execute', f'{pgid}()')}")
    create = " ".join(filter(None, words))
    options = [*model.state.listed("triggers"), (name, pgid, values["table"], create)]
    project.state = project.state.with_options(model.key, triggers=options)
    if not _migrated(project, model):
        return
    ignore = values.get("ignore_func_name", _IGNORE)
    editor.send(_MAY_BE_IGNORED.replace("{ignore}", ignore))
    body = _FUNCTION
    for word, value in (("ignore", ignore), ("pgid", pgid), ("declare", values.get("declare", "")), ("func", values["func"])):
        body = body.replace(f"{{{word}}}", value)
    editor.send(body)
    editor.send(f"DROP TRIGGER IF EXISTS {pgid} ON {table}")
    editor.send(create)
    comment = values.get("hash") or hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
    editor.send(f"COMMENT ON TRIGGER {pgid} ON {table} IS '{comment}'")


def around(model: Model, column: str, sql: str) -> list[str]:
    """A change of a column's type, with the triggers that name the column dropped before and created again after.

    PostgreSQL refuses to change the type under them; django-pgtrigger's schema editor (`DatabaseSchemaEditorMixin`) then does this.
    """
    held = [one for one in model.state.listed("triggers") if isinstance(one, tuple) and len(one) > 3 and f'"{column}"' in one[3]]
    return [*(f"DROP TRIGGER {one[1]} ON {quoted(one[2])}" for one in held), sql, *(one[3] for one in held)]


def remove(project: Project, editor: Editor, model: Model, given: Given) -> None:
    name = given.text("name")
    found = [one for one in model.state.listed("triggers") if isinstance(one, tuple) and one[0] == name]
    rest = [one for one in model.state.listed("triggers") if one not in found]
    project.state = project.state.with_options(model.key, triggers=rest)
    if not found:
        raise Unfollowed(f"the trigger `{name}` is not made by any migration before this one")
    if _migrated(project, model):
        editor.send(f"DROP TRIGGER IF EXISTS {found[0][1]} ON {quoted(found[0][2])}")


def _migrated(project: Project, model: Model) -> bool:
    """Triggers of a proxy stand on the table of its model."""
    return model_of(project.state, concrete(project.state, model.key)).migrated


def _values(trigger: Value) -> dict[str, str]:
    sql = trigger.kwargs.get("sql") if isinstance(trigger, Called) else None
    if not isinstance(sql, Called) or sql.args or not all(is_known(value) for value in sql.kwargs.values()):
        raise Unfollowed("the SQL of its trigger is not known")
    values = {name: str(value) for name, value in sql.kwargs.items() if value is not None}
    if not {"pgid", "table", "func", "when", "operation"} <= values.keys():
        raise Unfollowed("the SQL of its trigger is not known")
    return values


HANDLERS = {"add": add, "remove": remove}
