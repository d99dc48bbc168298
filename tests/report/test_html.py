"""The HTML report, as text and in a real Chromium: nothing is asked for, nothing is run, everybody can read it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.report import chromium
from tests.report.gates import CLEAN, GATE, HOSTILE, hostile, large
from tests.report.results import CLEAN as CLEAN_RESULT
from tests.report.results import RESULT
from tests.report.test_markdown import hostile_result

from dbguard.model.finding import Result
from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.state import Effects, Lock
from dbguard.model.verdict import Gate, Growth, Seconds, StepRisk
from dbguard.report import gate_html, html
from dbguard.report.html_page import asset
from dbguard.report.html_parts import Html, code, el, prose
from dbguard.report.html_plans import growth
from dbguard.report.html_timeline import tick, timeline

PAGES = {
    "gate": gate_html.render(GATE),
    "clean": gate_html.render(CLEAN),
    "empty": gate_html.render(Gate()),
    "hostile": gate_html.render(hostile()),
    "check": html.render(RESULT),
    "clean-check": html.render(CLEAN_RESULT),
    "hostile-check": html.render(hostile_result()),
}
ANY_PAGE = pytest.mark.parametrize("name", PAGES)
VOID = {"meta", "path", "rect", "circle"}


class Elements(HTMLParser):
    """Every element with its attributes; fails where one is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"{tag} has an attribute twice"
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def bare(text: str) -> str:
    return re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


@ANY_PAGE
def test_every_element_is_closed_and_none_is_of_the_user(name: str):
    ours = {tag for page in ("gate", "check") for tag, _ in Elements(PAGES[page]).found}
    assert {tag for tag, _ in Elements(PAGES[name]).found} <= ours
    assert ours.isdisjoint({"script", "iframe", "object", "embed", "link", "base", "form", "img", "input", "audio", "video"})


@ANY_PAGE
def test_no_attribute_runs_or_loads_anything(name: str):
    for tag, attributes in Elements(PAGES[name]).found:
        assert not [key for key in attributes if key.startswith("on") or key in {"src", "srcset", "style", "action", "xlink:href"}], tag
        assert (attributes.get("href") or "#").startswith("#")


@ANY_PAGE
def test_links_lead_to_something_on_the_page(name: str):
    found = Elements(PAGES[name]).found
    names = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in found:
        if "href" in attributes:
            assert (attributes["href"] or "")[1:] in names
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in names


@ANY_PAGE
def test_what_stands_above_the_style_allows_that_style_and_nothing_else(name: str):
    metas = [attributes for tag, attributes in Elements(PAGES[name]).found if tag == "meta"]
    policy = next(one["content"] for one in metas if one.get("http-equiv") == "Content-Security-Policy")
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'", policy or "")


def test_the_style_asks_for_nothing():
    assert not re.search(r"https?:|url\(|@import|@font-face", asset("report.css"))
    assert not re.search(r"https?:|data:", asset("signs.svg"))


def test_a_child_that_is_not_an_element_is_escaped():
    assert el("p", "<b>", Html("<i></i>"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;<i></i></p>'
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
    assert prose("odd ` <tick>") == "odd ` &lt;tick&gt;"
    assert "\u202e" not in code("a\u202eb")


def test_a_long_page_is_cut_and_says_so():
    text = gate_html.render(large(600, 900, 1_000))
    assert "and 390 more queries" in text or "more queries" in text
    assert "more findings" in text or "more queries" in text
    assert len(text) < 5_000_000


def test_safe_queries_are_counted_and_not_listed():
    assert "2 queries are as before" in PAGES["gate"]
    assert "aa00aa00" not in PAGES["gate"]


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0.006, 0.002), (0.9, 0.2), (4.9, 2), (38, 10), (75, 20), (91, 30), (300, 120), (3_600, 900), (86_400, 36_000), (1e-6, 2.5e-7)],
)
def test_marks_of_an_axis_stand_at_round_numbers(total: float, expected: float):
    assert tick(total) == pytest.approx(expected)


@pytest.mark.parametrize("total", [1e-6, 3e-5, 0.7, 1, 59, 60, 89.9, 90.1, 241, 14_401, 1e6, 1e9])
def test_an_axis_has_a_few_marks_whatever_its_length(total: float):
    assert 1 <= total / tick(total) <= 5


def lanes(steps: tuple[StepRisk, ...]) -> list[tuple[str, float, float]]:
    """Kind, left edge and width in percent of each shape in a timeline."""
    shapes = re.findall(r'<rect x="([\d.]+)%" y="2" width="([\d.]+)%"[^>]*class="([\w-]+)"', timeline(steps))
    return [(kind, float(left), float(width)) for left, width, kind in shapes]


def step(mode: LockMode, seconds: float, transaction: int, table: str = "t", **more: object) -> StepRisk:
    effects = Effects(locks=(Lock(Name("public", table), mode),))
    return StepRisk("a.sql", 1, "ALTER TABLE t", effects, Seconds(seconds / 2, seconds), transaction=transaction, **more)  # type: ignore[arg-type]


def test_a_lock_is_held_until_its_transaction_ends():
    told = lanes((step(LockMode.ACCESS_EXCLUSIVE, 1, 1), step(LockMode.SHARE, 3, 1, "u"), step(LockMode.SHARE, 4, 2, "u")))
    assert [one for one in told if one[0] in {"reads", "writes"}] == [("reads", 0, 50), ("writes", 12.5, 37.5), ("writes", 50, 50)]


def test_steps_of_no_transaction_release_their_locks_at_once():
    told = lanes((step(LockMode.ACCESS_EXCLUSIVE, 1, 0), step(LockMode.ACCESS_EXCLUSIVE, 1, 0)))
    assert [one for one in told if one[0] == "reads"] == [("reads", 0, 50), ("reads", 50, 50)]


def test_half_of_the_runs_are_the_solid_part():
    told = lanes((step(LockMode.SHARE, 4, 1),))
    assert told[:2] == [("later", 0, 100), ("usual", 0, 50)]


def test_the_time_until_a_lock_is_there_comes_once_per_lock():
    told = lanes((step(LockMode.SHARE, 4, 1, to_get_lock=2.0), step(LockMode.SHARE, 4, 1, to_get_lock=2.0)))
    assert [one for one in told if one[0] == "request"] == [("request", 0, 20), ("request", 0, 20)]  # at the step, and at its lock


def test_a_lock_is_shown_in_its_strongest_mode():
    told = lanes((step(LockMode.SHARE, 1, 1), step(LockMode.ACCESS_EXCLUSIVE, 1, 1)))
    assert [one[0] for one in told if one[0] in {"reads", "writes", "ddl"}] == ["reads"]


def test_steps_that_lock_nothing_have_no_timeline():
    assert timeline((StepRisk("a.sql", 1, "SELECT 1"),)) == ""


def test_locks_that_stop_nobody_have_no_lane():
    assert timeline((step(LockMode.ROW_EXCLUSIVE, 1, 1),)) == ""
    assert not [one for one in lanes((step(LockMode.SHARE, 1, 1), step(LockMode.ROW_EXCLUSIVE, 1, 1, "u"))) if one[0] == "ddl"]


def test_an_index_has_no_lane_beside_its_table():
    rewrite = step(LockMode.ACCESS_EXCLUSIVE, 1, 1)
    index = Name("public", "t_idx")
    effects = Effects((*rewrite.effects.locks, Lock(index, LockMode.ACCESS_EXCLUSIVE)), builds=(index,))

    assert [one[0] for one in lanes((rewrite._replace(effects=effects),))].count("reads") == 1
    alone = Effects((Lock(index, LockMode.ACCESS_EXCLUSIVE),), builds=(index,))
    assert [one[0] for one in lanes((rewrite._replace(effects=alone),))].count("reads") == 1


def test_the_longest_lock_is_not_known_where_one_is_not():
    assert "not known" in gate_html.render(GATE).split("</header>")[0]
    known = GATE._replace(steps=GATE.steps[:5])
    assert "71 s" in gate_html.render(known).split("</header>")[0]


def test_a_length_that_is_not_known_is_said_and_not_drawn_to_scale():
    figure = timeline((step(LockMode.SHARE, 1, 1)._replace(seconds=None),))
    assert "not to scale" in figure
    assert 'class="unknown"' in figure
    assert 'class="usual"' not in figure


def test_one_point_is_no_curve():
    assert growth((Growth(1, 10, 1, True),)) == ""
    assert growth((Growth(1, 0, 1, True), Growth(10, 5, 1, True))) == ""


def test_a_plan_that_changes_is_marked_with_a_shape_and_words():
    figure = growth((Growth(1, 10, 1, True), Growth(10, 5, 1, False)))
    assert figure.count("<circle") == 1
    assert "another plan" in figure


def variables(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


def schemes() -> dict[str, dict[str, str]]:
    light, dark = asset("report.css").split("@media (prefers-color-scheme: dark)")
    dark, printed = dark.split("@media print")
    return {"light": variables(light), "dark": variables(light) | variables(dark.split("\n}\n")[0]), "print": variables(light) | variables(printed)}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(
    ("letters", "ground"),
    [
        *((letters, ground) for letters in ("text", "muted", "link", "stop", "review", "safe") for ground in ("ground", "panel")),
        *((letters, ground) for letters in ("text", "stop") for ground in ("stop-ground",)),
        *((letters, ground) for letters in ("text", "review") for ground in ("review-ground",)),
        *((letters, ground) for letters in ("text", "safe") for ground in ("safe-ground",)),
    ],
)
def test_letters_can_be_read_on_every_ground(scheme: str, letters: str, ground: str):
    colors = schemes()[scheme]
    assert contrast(colors[letters], colors[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("shape", ["usual", "reads", "curve"])
def test_shapes_can_be_told_from_their_ground(scheme: str, shape: str):
    colors = schemes()[scheme]
    assert contrast(colors[shape], colors["ground"]) >= 3


# In a browser.


@pytest.fixture(scope="module")
def page() -> Iterator[chromium.Page]:
    program = chromium.find()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: apt-get install chromium")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with chromium.browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("html")
    for name, text in PAGES.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8", errors="backslashreplace")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("width", [1280, 360])
@ANY_PAGE
def test_the_console_is_silent_nothing_is_asked_for_and_nothing_sticks_out(page: chromium.Page, files: dict[str, Path], name: str, width: int):
    page.open(files[name], width=width)
    page.ask("document.querySelectorAll('details').forEach(one => one.open = true)")

    assert page.complaints() == []
    assert page.requests() == [files[name].as_uri()]
    assert page.ask("innerWidth") == width
    assert page.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert (
        page.ask("[...document.querySelectorAll('main *, header *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).length") == 0
    )


def test_the_browser_really_reports_a_request_and_a_violation(page: chromium.Page, tmp_path: Path):
    """What the test above finds absent would be seen if it were there."""
    broken = PAGES["clean"].replace("</main>", '<img src="https://evil.example/x.png"><p style="color: red"></p></main>')
    (tmp_path / "broken.html").write_text(broken)

    page.open(tmp_path / "broken.html")

    assert any("Content Security Policy" in one for one in page.complaints())


@pytest.mark.parametrize("name", ["hostile", "hostile-check"])
def test_a_hostile_name_is_shown_and_not_obeyed(page: chromium.Page, files: dict[str, Path], name: str):
    page.open(files[name])

    assert page.ask("document.querySelectorAll('script, img, iframe, main [onerror], main b b').length") == 0
    assert page.ask("document.title").startswith("dbguard")
    assert HOSTILE[:40] in page.ask("document.body.textContent")


def test_every_way_through_the_page_is_open_to_the_keyboard(page: chromium.Page, files: dict[str, Path]):
    page.open(files["gate"])
    wanted = page.ask("document.querySelectorAll('a[href], summary').length")
    seen = []
    for _ in range(wanted):
        page.press("Tab", 9)
        seen.append(
            page.ask(
                "(() => { const e = document.activeElement; const s = getComputedStyle(e); return [e.tagName, e.textContent.slice(0, 30), s.outlineStyle, parseFloat(s.outlineWidth)] })()"
            )
        )

    assert seen[0][:2] == ["A", "Skip to the report"]
    assert {tag for tag, *_ in seen} == {"A", "SUMMARY"}
    assert len({(tag, text) for tag, text, *_ in seen}) > wanted * 0.7
    assert all(style == "solid" and width >= 2 for _, _, style, width in seen)


def test_a_fold_opens_and_closes_by_key(page: chromium.Page, files: dict[str, Path]):
    page.open(files["gate"])
    page.ask("document.querySelector('details').open = false; document.querySelector('summary').focus()")

    page.press("Enter", 13, "\r")
    opened = page.ask("document.querySelector('details').open")
    page.press(" ", 32, " ")

    assert opened is True
    assert page.ask("document.querySelector('details').open") is False


def test_the_skip_link_leads_past_the_navigation(page: chromium.Page, files: dict[str, Path]):
    page.open(files["gate"])
    page.press("Tab", 9)
    page.press("Enter", 13, "\r")
    page.press("Tab", 9)

    assert page.ask("document.activeElement.closest('main') !== null") is True


def test_there_is_one_main_a_header_a_footer_and_headings_without_gaps(page: chromium.Page, files: dict[str, Path]):
    page.open(files["gate"])

    assert (
        page.ask("['main', 'body > header', 'body > footer', 'nav[aria-label]', 'h1'].map(one => document.querySelectorAll(one).length)") == [1] * 5
    )
    levels = page.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1])")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.ask("[...document.querySelectorAll('svg[role=img]')].every(one => one.getAttribute('aria-label'))") is True


def test_dark_is_dark_and_light_is_light(page: chromium.Page, files: dict[str, Path]):
    grounds = []
    for dark in (False, True):
        page.open(files["gate"], dark=dark)
        grounds.append(page.ask("getComputedStyle(document.body).backgroundColor"))

    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


@pytest.mark.parametrize("dark", [False, True])
def test_letters_as_they_are_drawn_can_be_read(page: chromium.Page, files: dict[str, Path], dark: bool):
    """The colours that Chromium computed for every element with text of its own, against the nearest ground behind it."""
    page.open(files["gate"], dark=dark)
    pairs = page.ask("""(() => {
      const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c } return 'rgb(255, 255, 255)' };
      const found = new Set();
      for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const s = getComputedStyle(e);
        found.add((e instanceof SVGElement ? s.fill : s.color) + '|' + ground(e));
      }
      return [...found];
    })()""")

    assert len(pairs) > 5
    for pair in pairs:
        one, other = ("#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", color)[:3]) for color in pair.split("|"))
        assert contrast(one, other) >= 4.5, pair


def test_a_picture_is_drawn_at_both_widths(page: chromium.Page, files: dict[str, Path], tmp_path: Path):
    sizes = []
    for width in (1280, 360):
        page.open(files["gate"], width=width)
        picture = page.picture(tmp_path / f"{width}.png", whole=False)
        sizes.append(int.from_bytes(picture[16:20], "big"))
        assert len(picture) > 10_000
        assert page.ask("[...document.querySelectorAll('.bar svg rect')].every(one => one.getBoundingClientRect().width >= 1)") is True

    assert sizes == [1280, 360]


def test_on_paper_what_is_folded_is_there(page: chromium.Page, files: dict[str, Path], tmp_path: Path):
    page.open(files["gate"])
    folded = page.paper(tmp_path / "folded.pdf")
    page.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    opened = page.paper(tmp_path / "opened.pdf")

    assert folded.startswith(b"%PDF")
    assert abs(folded.count(b"/Type /Page\n") - opened.count(b"/Type /Page\n")) <= 1


def test_an_empty_result_is_a_page():
    assert "nothing found" in html.render(Result())
