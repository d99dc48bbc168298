"""A setting that changes what later statements mean is changed for the session and not put back by the end of the script."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import ResetParameter, SessionCommand, SetParameter, SetRole
from dbguard.model.state import EndOfScript, Step

MEANING = {
    "search_path": "unqualified names of later migrations mean other tables",
    "session_replication_role": "foreign keys and triggers stay switched off for later migrations",
    "row_security": "later migrations read past row level security, or fail on it",
}


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    changed: dict[str, Step] = {}
    for one in script.steps:
        match one.operation:
            case SetParameter(name=name, value=value, local=False) if name in MEANING:
                if value is None or (name == "session_replication_role" and value == "origin"):
                    changed.pop(name, None)
                else:
                    changed[name] = one
            case SetRole(role=role, local=False):
                if role is None:
                    changed.pop("role", None)
                else:
                    changed["role"] = one
            case ResetParameter(name=None) | SessionCommand(command="discard"):
                changed.clear()
            case ResetParameter(name=str(name)):
                changed.pop(name, None)
    for name, one in changed.items():
        yield flag(at=one.statement, parameter=name, consequence=MEANING.get(name, "later migrations run with the rights of another role"))
