"""A gate as annotations of GitHub Actions: the verdict first, then what is worst; ten of a kind are shown in a step."""

from __future__ import annotations

from dbguard.model.verdict import Gate
from dbguard.report import gate_words as words
from dbguard.report.gate_findings import as_result
from dbguard.report.github import annotation, commands
from dbguard.report.words import one_line

_COMMANDS = ("notice", "warning", "error")


def render(gate: Gate) -> str:
    """Workflow commands, one a line, and a last line for the log."""
    told = "\n".join([words.headline(gate), *words.reasons(gate)])
    first = annotation(_COMMANDS[words.severity(gate.verdict)], f"dbguard gate: {gate.verdict}", told)
    return "".join(f"{line}\n" for line in [*commands(as_result(gate), first), one_line(f"{gate.verdict}: {words.headline(gate)}")])
