"""One line per finding, `path:line:col rule: message`, for editors and for reading differences."""

from __future__ import annotations

from dbguard.model.finding import Result
from dbguard.report.words import one_line


def render(result: Result) -> str:
    """Findings, then what was not understood. Empty if there is neither."""
    lines = [f"{f.path}:{f.line}:{f.column} {f.rule}: {f.message}" for f in result.findings]
    lines += [f"{part.path}:{part.line}:1 {'unreadable' if part.fatal else 'unread'}: {part.reason}" for part in result.unread]
    lines += [f"crashed: {crash}" for crash in result.crashed]
    return "".join(f"{one_line(line)}\n" for line in lines)
