"""How bad a finding is: category, page, configuration by rule, by path, the check's own doubt, known table size.

Category, page and the rule's own setting are already in the `Rule` of the selection; this is the rest of the order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from dbguard.config import Config
from dbguard.model.finding import Finding, Severity
from dbguard.reading.globs import matcher
from dbguard.rulebook.select import Selection, expand, resolve

SIZE_MATTERS = {"locks", "rewrites"}


def decide(findings: Iterable[Finding], selection: Selection, config: Config) -> Iterator[Finding]:
    """Findings with their final severity; those that are off for their path are left out."""
    on_path = _by_path(config, selection)
    small = {_last_names(name) for name in config.small_tables}
    for finding in findings:
        severity = finding.severity
        wanted = on_path(finding.path).get(finding.rule)
        if wanted is not None:
            doubted = finding.rule in selection.rules and severity < selection.rules[finding.rule].severity
            severity = min(wanted, severity) if doubted else wanted
        if severity is Severity.OFF:
            continue
        if severity > Severity.ADVICE and finding.category in SIZE_MATTERS and _is_small(finding.table, small):
            yield finding._replace(severity=Severity.ADVICE, lowered=True)
        else:
            yield finding if severity is finding.severity else finding._replace(severity=severity)


def _is_small(table: str, small: set[tuple[str, str]]) -> bool:
    return bool(small and table) and _last_names(table) in small


def _last_names(name: str) -> tuple[str, str]:
    """Schema and name, without quotes; `public` where there is no schema."""
    schema, _, table = name.replace('"', "").rpartition(".")
    return schema or "public", table


def _by_path(config: Config, selection: Selection) -> Callable[[str], Mapping[str, Severity]]:
    """The severities that `per-path` gives rules for a path; of two entries that match, the later one wins."""
    book = selection.book
    entries = []
    for entry in config.per_path:
        severities = {resolve(book, name): severity for name, severity in entry.severity.items()}
        severities |= dict.fromkeys(expand(book, entry.ignore), Severity.OFF)
        entries.append((matcher(entry.path), severities))
    if not entries:
        return lambda _path: {}
    known: dict[str, Mapping[str, Severity]] = {}

    def on_path(path: str) -> Mapping[str, Severity]:
        if path not in known:
            below = os.path.relpath(os.path.join(config.cwd, path), config.root).replace(os.sep, "/")  # noqa: PTH118
            found: dict[str, Severity] = {}
            for matches, severities in entries:
                if matches(below):
                    found |= severities
            known[path] = found
        return known[path]

    return on_path
