"""Markdown as a real parser of GitHub's dialect reads it: what is ours becomes structure, what is the user's stays text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from tests.report.gates import GATE, HOSTILE, HOSTILE_LINES, hostile, large
from tests.report.results import CLEAN, FINDINGS, RESULT

from dbguard.model.finding import Finding, Result
from dbguard.model.verdict import Gate
from dbguard.report import gate_markdown, gate_summary, markdown, summary
from dbguard.report.markdown_parts import COMMENT_LIMIT, SUMMARY_LIMIT, Section, code, fence, page, row, sentence

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"h2", "h3", "p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details", "summary", "br", "strong", "em"}


class Tags(HTMLParser):
    """Elements in order, whether all of them are closed, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.prose = ""
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" not in self.open:
            self.prose += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def read(text: str) -> Tags:
    return Tags(GFM.render(text))


def hostile_result() -> Result:
    return Result(hostile().findings, hostile().unread, crashed=(HOSTILE,), recognised=(HOSTILE,), exit_code=3)


PAGES = [
    *(markdown.render(result) for result in (RESULT, CLEAN, Result(), hostile_result())),
    *(gate_markdown.render(gate) for gate in (GATE, Gate(), hostile(), large())),
]


@pytest.mark.parametrize("text", PAGES, ids=range(len(PAGES)))
def test_nothing_but_our_own_elements_appears_and_all_are_closed(text: str):
    page_read = read(text)

    assert set(page_read.tags) <= OURS
    assert page_read.open == []
    assert page_read.attributes <= {"class", "style", "start"}  # of the parser: the language of a fence, alignment of cells


@pytest.mark.parametrize("text", PAGES, ids=range(len(PAGES)))
def test_nobody_is_mentioned_and_nothing_is_referred_to(text: str):
    """GitHub and GitLab look for these in the text of the rendered page, code left out."""
    prose = read(text).prose

    assert not re.search(r"@\w|#\d|!\d|\$\w|~\w|&[\w\"]|GH-\d|://|www\.", prose)


@pytest.mark.parametrize("text", PAGES, ids=range(len(PAGES)))
def test_no_line_is_a_quick_action(text: str):
    assert not re.search(r"^/", text, re.MULTILINE)


@pytest.mark.parametrize("text", PAGES, ids=range(len(PAGES)))
def test_every_row_of_a_table_has_as_many_cells_as_its_head(text: str):
    tables = [block for block in text.split("\n\n") if block.startswith(("| ", "|-"))]
    for table in tables:
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


@pytest.mark.parametrize("text", ["a`b", "``", "`", "a``b``c", " ", "", "`x`", "a\nb", "back\\slash", "a|b", "x" * 999])
def test_code_is_what_it_was(text: str):
    shown = read(f"- {code(text, 2_000)}").text.strip()
    assert shown == " ".join(text.split())
    in_a_table = GFM.render(f"| a |\n|---|\n{row(code(text, 2_000))}")
    assert html.unescape(re.findall(r"<td><code>(.*?)</code></td>", in_a_table, re.DOTALL)[0]).strip() == " ".join(text.split())


@pytest.mark.parametrize(
    "text", ["a_b and __init__ and *x*", "1 < 2 & 3 > 2", "[a](b) ~~c~~ \\d", "`a` | `b|c`", "odd ` tick", "<b>", "&amp;", "100 %"]
)
def test_a_sentence_is_what_it_was(text: str):
    shown = read(f"- {sentence(text)}")
    assert shown.text.strip().replace("\u200b", "") == (text.replace("`", "") if text.count("`") % 2 == 0 else text)
    assert set(shown.tags) <= {"ul", "li", "code"}


def test_names_between_backticks_become_code():
    assert sentence("writes to `orders` wait") == "writes to `orders` wait"
    assert read("- " + sentence("writes to `or_ders` wait")).tags == ["ul", "li", "code"]


@pytest.mark.parametrize("text", [HOSTILE_LINES, "```\nx\n```", "~~~", "a\n\n\nb", "    indented"])
def test_a_fence_holds_whatever_is_in_it(text: str):
    shown = read(f"before\n\n{fence(text)}\n\nafter")
    assert shown.tags == ["p", "pre", "code", "p"]


def test_a_quick_action_in_a_fence_moves_by_one_space_and_sql_does_not():
    assert fence("/close\n/* comment */\n /assign me") == "```\n /close\n/* comment */\n  /assign me\n```"


def test_marks_that_turn_the_line_are_shown_as_what_they_are():
    assert "\u202e" not in sentence("a\u202eb") + code("a\u202eb") + fence("a\u202eb")


@pytest.mark.parametrize(("render", "limit"), [(gate_markdown.render, COMMENT_LIMIT), (gate_summary.render, SUMMARY_LIMIT)])
def test_a_long_gate_is_cut_between_blocks_and_says_so(render: object, limit: int):
    text = render(large(2_000, 3_000, 5_000))  # type: ignore[operator]

    assert limit * 0.8 < len(text.encode()) < limit
    assert re.search(r"\*Left out to keep this short: [\d,]+ rows .*The whole report is in the log of the job\.\*\n$", text)
    assert text.startswith("## dbguard: ⛔ stop\n")


def test_a_long_result_is_cut_too():
    many = Result(tuple(FINDINGS[0]._replace(path=f"{number}.sql", excerpt="ü" * 5_000) for number in range(3_000)), exit_code=1)

    text = markdown.render(many)

    assert len(text.encode()) < COMMENT_LIMIT
    assert "findings in full" in text.splitlines()[-1]
    assert COMMENT_LIMIT < len(summary.render(many).encode()) < SUMMARY_LIMIT


def test_one_enormous_statement_does_not_push_out_the_rest():
    gate = GATE._replace(steps=(GATE.steps[2]._replace(sql="x" * 10_000_000, reasons=("y" * 1_000_000,)), *GATE.steps))

    text = gate_markdown.render(gate._replace(reasons=("z" * 1_000_000,)))

    assert len(text.encode()) < COMMENT_LIMIT
    assert "orders_of_customer" in text


def test_a_short_page_says_nothing_of_a_cut():
    assert "Left out" not in gate_markdown.render(GATE)


def test_items_that_do_not_fit_are_counted():
    text = page("start", [Section("row", ["a" * 10] * 400, str, "head\n", many="rows")], 3_000, "See there.")

    shown = text.count("a" * 10)
    assert 0 < shown < 400
    assert f"*Left out to keep this short: {400 - shown} rows. See there.*" in text


def test_the_worst_finding_comes_first():
    reversed_findings = tuple(reversed(FINDINGS))

    rows = [line for line in markdown.render(Result(reversed_findings)).splitlines() if line.startswith("| ") and "`" in line]

    assert [line.split("|")[1].strip() for line in rows] == ["⛔ error", "⚠️ warning", "ℹ️ advice"]


def test_a_recipe_can_be_copied_as_it_is():
    finding: Finding = FINDINGS[0]
    blocks = [token.content for token in GFM.parse(markdown.render(Result((finding,)))) if token.type == "fence"]
    assert f"{finding.recipe}\n" in blocks
