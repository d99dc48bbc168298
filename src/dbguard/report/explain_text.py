"""An explanation for people: one sentence, the tree of the plan, what was found, what would help."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dbguard.model.explained import NOT_EXECUTED, Advised, Explained, Explanation
from dbguard.model.finding import Finding, Severity
from dbguard.model.plan import Measure, nodes
from dbguard.model.quantities import count, duration, number, size
from dbguard.planning.node_names import title
from dbguard.report.words import counted, one_line, visible

WIDTH = 100
_COLUMN = 13
_SHARE = 7
_BIG = 0.3
_ALIKE = 1.05  # costs that differ by less are told as one
_MOST_ALIKE = 3  # partitions that are shown one by one
_DIM, _BOLD, _RED, _YELLOW, _GREEN = "2", "1", "1;31", "1;33", "32"
_COLORS = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.ADVICE: "1;36"}
_SAID = ("Index Cond", "Recheck Cond", "Filter", "Hash Cond", "Merge Cond", "Join Filter", "Sort Key", "Group Key", "TID Cond", "Cache Key")
Paint = Callable[[str, str], str]


def render(explanation: Explanation, *, color: bool = False, width: int = WIDTH) -> str:
    """The report; with `color`, escape sequences for a terminal."""
    paint: Paint = (lambda text, code: f"\x1b[{code}m{text}\x1b[0m") if color else (lambda text, _: text)
    blocks = ["\n".join(_query(one, paint, width, alone=len(explanation.queries) == 1)) for one in explanation.queries]
    if explanation.advice and len(explanation.queries) > 1:
        blocks.append("\n".join(_advice(explanation.advice, paint, width, whom="all queries together")))
    if explanation.unread:
        blocks.append("\n".join(f"not read  {one_line(f'{part.path}:{part.line}  {part.reason}')}" for part in explanation.unread))
    if explanation.crashed:
        blocks.append("\n".join(f"crashed  {one_line(crash)}" for crash in explanation.crashed))
    told = [paint(line, _DIM) for note in explanation.notes for line in _wrapped(f"note: {visible(note)}", width, "      ")]
    return "\n\n".join([*blocks, "\n".join([*told, _last(explanation)])]) + "\n"


def _query(one: Explained, paint: Paint, width: int, *, alone: bool) -> Iterator[str]:
    asked = one.asked
    place = f"{asked.path}:{asked.line}" if asked.path else ""
    head = "  ".join(filter(None, [place, asked.name]))
    if head and not (alone and not place):
        yield paint(one_line(head), _BOLD)
    if not alone and asked.sql:
        yield paint(_cut("  " + " ".join(visible(asked.sql).split()), width), _DIM)
    if one.plan is None:
        yield from _wrapped(f"  not planned: {one_line(one.unread)}", width, "    ")
        return
    yield from _wrapped(f"{one.sentence[:1].upper()}{one.sentence[1:]}.", width, "")
    yield ""
    yield from _tree(one, paint, width)
    for finding in one.findings:
        yield ""
        yield from _finding(finding, paint, width)
    yield from _more(one, paint, width)
    if one.advice:
        yield ""
        yield from _advice(one.advice if alone else tuple(each._replace(migration="") for each in one.advice), paint, width)


def _tree(one: Explained, paint: Paint, width: int) -> Iterator[str]:
    assert one.plan is not None
    timed = one.plan.root.seconds is not None
    heads = ("rows", "expected", "time") if one.plan.executed else ("rows", "cost")
    if one.plan.executed and not timed:
        heads = ("rows", "expected")
    room = _room(heads, width)
    branches = _branches(one.measures)
    yield paint(" " * room + "".join(f"{head:>{_COLUMN}}" for head in heads) + f"{'share':>{_SHARE}}", _DIM)
    folded = _folded(one.measures)
    for measure in one.measures:
        if measure.number in folded:
            if folded[measure.number]:
                yield paint(f"{branches[measure.number][0].replace('├', '└')}{folded[measure.number]}", _DIM)
            continue
        yield from _node(measure, heads, width, branches[measure.number], paint)


def _room(heads: tuple[str, ...], width: int) -> int:
    """Columns for titles: what the numbers leave."""
    return max(width - len(heads) * _COLUMN - _SHARE - 2, 30)


def _node(measure: Measure, heads: tuple[str, ...], width: int, branch: tuple[str, str], paint: Paint) -> Iterator[str]:
    node = measure.node
    label = str(node.facts.get("Subplan Name", ""))
    name = f"{branch[0]}{f'{label}: ' if label else ''}{visible(title(node))}"
    shown = {
        "rows": count(measure.total_rows) if measure.node.loops is not None else count(node.rows),
        "expected": _expected(measure),
        "cost": number(node.total_cost),
        "time": "" if measure.own_seconds is None else duration(measure.own_seconds),
    }
    if node.loops == 0:
        shown = {"rows": "never", "expected": count(node.rows), "time": "", "cost": number(node.total_cost)}
    cells = "".join(f"{shown[head]:>{_COLUMN}}" for head in heads)
    share = f"{measure.share:.0%}".replace("%", " %") if measure.share >= 0.005 else ""
    room = _room(heads, width)
    line = f"{_cut(name, room):<{room}}{cells}{share:>{_SHARE}}".rstrip()
    yield paint(f"{line} <", _RED) if measure.share >= _BIG else line
    for key in _SAID:
        said = node.facts.get(key)
        if said and key != "Recheck Cond":
            text = ", ".join(map(str, said)) if isinstance(said, list | tuple) else str(said)
            yield paint(_cut(f"{branch[1]}{key.lower()}: {one_line(text)}", width), _DIM)


def _expected(measure: Measure) -> str:
    often = measure.node.loops or 1.0
    return count(measure.node.rows * often)


def _branches(measures: tuple[Measure, ...]) -> list[tuple[str, str]]:
    """For each node what stands before its title, and before the lines below it."""
    last: dict[int | None, int] = {one.parent: one.number for one in measures}
    found: list[tuple[str, str]] = []
    trunks: list[str] = []
    for one in measures:
        above = "" if one.parent is None else trunks[one.parent]
        ends = last[one.parent] == one.number
        has_children = one.number in last
        trunk = "" if one.parent is None else above + ("   " if ends else "│  ")
        trunks.append(trunk)
        found.append(("" if one.parent is None else above + ("└─ " if ends else "├─ "), f"{trunk}{'│  ' if has_children else '   '}"))
    return found


def _folded(measures: tuple[Measure, ...]) -> dict[int, str]:
    """Nodes that are left out, as they stand for one partition among many alike; the first has the words for all."""
    found: dict[int, str] = {}
    for measure in measures:
        if measure.node.kind not in {"Append", "Merge Append"} or measure.number in found:
            continue
        children = [one for one in measures if one.parent == measure.number]
        rest = [one for one in children[_MOST_ALIKE:] if one.node.kind == children[0].node.kind]
        if len(rest) < 2:
            continue
        rows = sum(one.total_rows for one in rest)
        for place, one in enumerate(rest):
            found[one.number] = f"and {len(rest)} more like these ({count(rows)} rows)" if place == 0 else ""
            below = len(list(nodes(one.node)))
            found |= {one.number + further: "" for further in range(1, below)}
    return found


def _finding(finding: Finding, paint: Paint, width: int) -> Iterator[str]:
    yield f"{paint(finding.rule, _COLORS[finding.severity])} ({finding.severity})"
    yield from _wrapped(f"  {one_line(finding.message)}", width, "  ")
    for sentence in finding.assumes:
        yield from _wrapped(f"  {paint('because', _DIM)}  assumed: {one_line(sentence)}", width, " " * 11)
    if finding.instead:
        yield from _wrapped(f"  {paint('instead', _DIM)}  {one_line(finding.instead)}", width, " " * 11)
    for line in (finding.recipe or "").splitlines():
        yield f"             {visible(line)}".rstrip()
    yield f"  {paint('more', _DIM)}     dbguard rule {finding.rule}"


def _more(one: Explained, paint: Paint, width: int) -> Iterator[str]:
    lines: list[str] = []
    not_run = tuple([sentence.removeprefix(NOT_EXECUTED) for sentence in one.assumes if sentence.startswith(NOT_EXECUTED)])
    assumed = tuple([sentence for sentence in one.assumes if not sentence.startswith(NOT_EXECUTED)])
    for label, sentences in (("not run", not_run), ("growth", one.grows), ("assumed", assumed), ("verdict", (_verdict(one),))):
        for place, sentence in enumerate(filter(None, sentences)):
            lines += _wrapped(f"{label if place == 0 else '':<10}{one_line(sentence)}", width, " " * 10)
    if one.seconds is not None and one.plan is not None and not one.plan.executed:
        lines += [f"{'time':<10}{_band(one.seconds)}"]
    lines += _samples(one, width)
    if lines:
        yield ""
        yield from (f"{paint(line[:10], _DIM)}{line[10:]}" if line[:1] != " " else line for line in lines)


def _samples(one: Explained, width: int) -> list[str]:
    if len(one.samples) < 2:
        return []
    costs = [sample.cost for sample in one.samples]
    own = [sample.cost for sample in one.samples if not sample.generic]
    if len({sample.shape for sample in one.samples}) == 1 and own and max(own) <= min(own) * _ALIKE:
        if max(costs) <= min(costs) * _ALIKE:
            return [f"{'values':<10}the same plan at the same cost for {counted(len(costs), 'choice')} of values"]
        return [f"{'values':<10}the same plan for {counted(len(own), 'choice')} of values, each at a cost of {number(max(own))}"]
    shapes: dict[str, str] = {}
    lines = []
    for sample in sorted(one.samples, key=lambda each: -each.cost):
        letter = shapes.setdefault(sample.shape, chr(ord("A") + min(len(shapes), 25)))
        words = " · ".join(sample.values)
        lines.append(f"{number(sample.cost):>14}  plan {letter}  {_cut(words, width - 26)}")
    kinds = "the same plan" if len(shapes) == 1 else counted(len(shapes), "different plan")
    head = f"{'values':<10}{kinds} for {counted(len(one.samples), 'choice')} of values; cost:"
    return [head, *lines]


def _band(band: tuple[float, float]) -> str:
    """Half of such plans take at most the first, nine of ten at most the second."""
    first, last = (duration(end) for end in band)
    middle = first if first.startswith("under") else f"about {first}"
    return first if first == last else f"{middle}; nine of ten such plans take at most {last}"


def _verdict(one: Explained) -> str:
    return "" if one.verdict == "safe" else f"{one.verdict}: {'; '.join(one.reasons)}" if one.reasons else one.verdict


def _advice(advised: tuple[Advised, ...], paint: Paint, width: int, whom: str = "") -> Iterator[str]:
    yield paint(f"what would help{f' {whom}' if whom else ''}, tried on the ghost", _GREEN)
    for one in advised:
        yield from _wrapped(f"  {visible(one.statement)};", width, "      ")
        facts = [f"cost {number(one.cost_before)} becomes {number(one.cost_after)}", f"about {size(one.bytes)}"]
        if " CONCURRENTLY " not in one.statement:
            facts.append("blocks writes to all partitions while it is built (`dbguard rule create-index-on-partitioned-table`)")
        if one.writes_a_second is not None:
            facts.append(f"{one.writes_a_second:,.1f} writes a second have to change it, too")
        if one.redundant:
            facts.append(f"makes {', '.join(f'`{name}`' for name in one.redundant)} superfluous")
        if len(one.queries) > 1:
            facts.append(f"serves {counted(len(one.queries), 'query', 'queries')}")
        yield from _wrapped(f"    {'; '.join(facts)}", width, "    ")
        for line in one.migration.splitlines():
            yield f"      {visible(line)}".rstrip()


def _last(explanation: Explanation) -> str:
    planned = [one for one in explanation.queries if one.plan is not None]
    found = sum(len(one.findings) for one in planned)
    missing = len(explanation.queries) - len(planned)
    told = [f"{counted(len(planned), 'plan')}, {counted(found, 'finding') if found else 'nothing found'}."] if planned or not missing else []
    told += [f"{counted(missing, 'query', 'queries')} could not be planned."] if missing else []
    return " ".join(told)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of at most `width`, broken between words; escape sequences count for nothing worth caring about."""
    import textwrap

    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(text.strip(), width, initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
