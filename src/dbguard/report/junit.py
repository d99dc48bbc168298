"""JUnit XML, as GitLab, GitHub actions, Jenkins and others read it: a test case for each file and rule.

A test case fails where the run fails: with exit code 0 what was found is told by test cases that are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dbguard.model.finding import Finding, Result, Severity
from dbguard.report.words import last_line, one_line, visible


def render(result: Result) -> str:
    return document(result, "dbguard check", last_line(result))


def document(result: Result, name: str, told: str) -> str:
    """`told` is what the first test case prints: it is always there, and passes unless something could not be looked at."""
    suites = Element("testsuites", name="dbguard")
    suite = SubElement(suites, "testsuite", name=name)
    first = _case(suite, "dbguard", name.removeprefix("dbguard "))
    if result.crashed:
        _say(first, "error", f"{len(result.crashed)} checks crashed", result.crashed, kind="crashed")
    SubElement(first, "system-out").text = _text(told)
    lowest = _lowest_that_fails(result)
    for findings in _groups(result.findings):
        _of_rule(suite, findings, lowest)
    for part in result.unread:
        case = _case(suite, part.path, f"{'unreadable' if part.fatal else 'unread'} at line {part.line}", part.path, part.line)
        _say(case, "error" if part.fatal else "skipped", part.reason, [part.reason] if part.fatal else (), kind="unreadable" if part.fatal else "")
    for element in (suites, suite):
        _count(element, result.summary.seconds)
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'


def _groups(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.path, finding.rule), []).append(finding)
    return groups.values()


def _of_rule(suite: Element, findings: list[Finding], lowest: float) -> None:
    worst = max(findings, key=lambda finding: finding.severity)
    case = _case(suite, worst.path, worst.rule, worst.path, worst.line)
    message = worst.message if len(findings) == 1 else f"{worst.message} (and {len(findings) - 1} more)"
    if worst.severity >= lowest:
        _say(case, "failure", message, [line for finding in findings for line in _lines(finding)], kind=str(worst.severity))
    else:  # consumers show the message of a skipped test case, and nothing else of it
        _say(case, "skipped", f"{worst.severity}: {message}", ())


def _lowest_that_fails(result: Result) -> float:
    """The severity from which a finding is a reason for the exit code, as far as that tells."""
    if result.exit_code == 0:
        return inf
    worst = max((finding.severity for finding in result.findings), default=Severity.ERROR)
    return worst if result.exit_code == 1 else Severity.ERROR


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.path}:{finding.line}:{finding.column} {finding.rule}: {finding.message}"
    yield from (f"  {line}" for line in finding.excerpt.splitlines()[:8])
    yield from (f"because  {sentence}" for sentence in (*finding.because, *(f"assumed: {one}" for one in finding.assumes)))
    yield from (f"from     {path}:{line} {function}".rstrip() for path, line, function in finding.places[1:])
    if finding.instead:
        yield f"instead  {finding.instead}"
    yield from (f"         {line}" for line in (finding.recipe or "").splitlines())


def _case(suite: Element, classname: str, name: str, path: str = "", line: int = 0) -> Element:
    place = {"file": _text(path), "line": str(max(line, 1))} if path else {}
    return SubElement(suite, "testcase", {"classname": _text(classname), "name": _text(name), **place, "time": "0"})


def _say(case: Element, tag: str, message: str, lines: Iterable[str], *, kind: str = "") -> None:
    element = SubElement(case, tag, {"message": _text(one_line(message)), **({"type": kind} if kind else {})})
    element.text = _text("\n".join(lines)) or None


def _count(element: Element, seconds: float) -> None:
    cases = list(element.iter("testcase"))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(key, str(sum(case.find(tag) is not None for case in cases)))
    element.set("tests", str(len(cases)))
    element.set("time", f"{seconds:.3f}")


def _text(text: str) -> str:
    """`text` without what XML 1.0 cannot hold even escaped: control characters, U+FFFE, U+FFFF, and half characters (section 2.2, "Characters")."""
    kept = visible(text).encode(errors="backslashreplace").decode()
    return "".join("\N{REPLACEMENT CHARACTER}" if c in "\ufffe\uffff" else c for c in kept)
