"""Which frames are the user's, and which line runs inside a loop. Python's own grammar is the judge, so most cases are not loops."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import partial, reduce
from pathlib import Path
from typing import Any

import greenlet
import pytest

from dbguard.capture import frames
from dbguard.capture.source_map import source_map, template_loops

seen: list[frames.Stack] = []


def send(result: Any = None) -> Any:
    """Stands for a driver: notes the stack of its caller."""
    seen.append(frames.here(2)[0])
    return result


def loop_of(work: Callable[[], object]) -> str:
    """The source line that a stack calls a loop, "" if it calls none."""
    seen.clear()
    work()
    stack = seen[-1]
    if stack.loop is None:
        return ""
    path, line, _ = stack.frames[stack.loop]
    return Path(path).read_text().splitlines()[line - 1].strip()


def helper() -> None:
    send()


def in_a_body() -> None:
    for _ in range(1):
        send()  # body


def in_the_source_of_a_loop() -> None:
    for _ in send([1]):
        pass


def behind_a_loop() -> None:
    for _ in range(1):
        pass
    send()


def in_the_else_of_a_loop() -> None:
    for _ in range(1):
        pass
    else:  # noqa: PLW0120
        send()


def in_the_test_of_while() -> None:
    while send():
        pass


# fmt: off
def on_one_line() -> None:
    for _ in range(1): send()  # noqa: E701


def source_on_one_line() -> None:
    for _ in send([]): pass  # noqa: E701
# fmt: on


def through_a_helper() -> None:
    for _ in range(1):
        helper()  # calls the helper


def in_a_comprehension() -> None:
    [send() for _ in range(1)]


def in_the_source_of_a_comprehension() -> None:
    [number for number in send([1])]  # noqa: C416


def in_the_condition_of_a_comprehension() -> None:
    [number for number in (1,) if send(True)]


def in_the_second_source() -> None:
    [inner for outer in (1,) for inner in send([outer])]


def in_a_dict_comprehension() -> None:
    {number: send() for number in range(1)}


def in_a_generator_expression() -> None:
    sum(send(1) for _ in range(1))


def in_a_lambda_of_sorted() -> None:
    sorted([1], key=lambda number: send(number))  # noqa: PLW0108


def in_a_lambda_of_nothing() -> None:
    (lambda: send())()  # noqa: PLC3002, PLW0108


def below_map() -> None:
    list(map(one, [1]))


def one(number: int) -> int:
    return int(send(number))


def defined_in_a_loop() -> None:
    made = [partial(helper)]
    made[0]()


def over_many_lines() -> None:
    for number in (1,):
        send(
            number,
        )


def generated() -> Iterator[int]:
    for number in (1,):
        yield send(number)


def in_a_generator() -> None:
    next(generated())


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (in_a_body, "send()  # body"),
        (in_the_test_of_while, "while send():"),
        (on_one_line, "for _ in range(1): send()  # noqa: E701"),
        (through_a_helper, "helper()  # calls the helper"),
        (in_a_comprehension, "[send() for _ in range(1)]"),
        (in_the_condition_of_a_comprehension, "[number for number in (1,) if send(True)]"),
        (in_the_second_source, "[inner for outer in (1,) for inner in send([outer])]"),
        (in_a_dict_comprehension, "{number: send() for number in range(1)}"),
        (in_a_generator_expression, "sum(send(1) for _ in range(1))"),
        (in_a_lambda_of_sorted, "sorted([1], key=lambda number: send(number))  # noqa: PLW0108"),
        (below_map, "list(map(one, [1]))"),
        (over_many_lines, "send("),
        (in_a_generator, "yield send(number)"),
        (in_the_source_of_a_loop, ""),
        (source_on_one_line, ""),
        (behind_a_loop, ""),
        (in_the_else_of_a_loop, ""),
        (in_the_source_of_a_comprehension, ""),
        (in_a_lambda_of_nothing, ""),
        (defined_in_a_loop, ""),
        (helper, ""),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_a_line_is_in_a_loop_if_it_runs_once_per_round(work: Callable[[], None], line: str):
    assert loop_of(work) == line


STATES = (1, 2)


class Kind:
    values = (1, 2)


def rounds_of(source: str) -> str:
    """What the rounds of the loop around `send()` follow: "rows" unless the source says otherwise, "" if there is no loop."""
    seen.clear()
    path = Path(__file__).with_name("frames_source.py")
    space = {"send": send, "rows": [1], "STATES": STATES, "Kind": Kind, "reduce": reduce}
    tree = textwrap.dedent(source)
    known = source_map.__globals__["_maps"]
    known[str(path)] = source_map.__globals__["_map_of"](tree)
    try:
        exec(compile(tree, str(path), "exec"), space)
    finally:
        del known[str(path)]
    stack = seen[-1]
    return "" if stack.loop is None else stack.rounds or "rows"


@pytest.mark.parametrize(
    ("source", "rounds"),
    [
        ("for row in rows: send()", "rows"),
        ("[send() for row in rows]", "rows"),
        ("for row in range(len(rows)): send()", "rows"),
        ("for row in [*rows]: send()", "rows"),
        ("for row in list(rows): send()", "rows"),
        ("[send() for row in rows for state in STATES]", "rows"),
        ("for state in STATES:\n    for row in rows: send()", "rows"),
        ("for row in rows:\n    for state in STATES: send()", "rows"),
        ("reduce(lambda total, row: send(), rows, 0)", "rows"),
        ("todo = [1]\nwhile todo:\n    todo.pop()\n    send()", "rows"),
        ("for state in (1, 2): send()", "listed"),
        ("for state in [1, 2]: send()", "listed"),
        ("for state in STATES: send()", "listed"),
        ("for number, state in enumerate(STATES): send()", "listed"),
        ("for state in Kind.values: send()", "listed"),
        ("for state, other in {1: 2}.items(): send()", "listed"),
        ("for month in range(1, 13): send()", "listed"),
        ("{state: send() for state in STATES}", "listed"),
        ("[send() for word in 'a b'.split()]", "listed"),
        ("while send(): pass", "asked"),
        ("while (found := send()): pass", "asked"),
        ("for row in send([]): pass", ""),
    ],
)
def test_what_the_rounds_of_a_loop_follow(source: str, rounds: str):
    assert rounds_of(source) == rounds


def test_two_calls_on_one_line_have_columns_of_their_own():
    seen.clear()
    (send(), send())
    first, second = seen
    assert first.frames == second.frames
    assert 0 < first.column < second.column


def test_a_comprehension_is_one_place_with_its_function():
    loop_of(in_a_comprehension)

    assert [function for _, _, function in seen[-1].frames][:2] == ["in_a_comprehension", "loop_of"]


class Nested:
    def method(self) -> None:
        def inner() -> None:
            send()

        inner()


def test_functions_have_qualified_names():
    loop_of(Nested().method)

    assert [function for _, _, function in seen[-1].frames][:2] == ["Nested.method.inner", "Nested.method"]


def test_libraries_are_left_out():
    import functools

    space: dict[str, Any] = {"send": send}
    exec(compile("def below(work): return work()", "/x/site-packages/lib.py", "exec"), space)
    seen.clear()
    functools.reduce(lambda _, work: work(), [partial(space["below"], helper)], None)

    assert {path for path, _, _ in seen[-1].frames} == {__file__}


def test_at_most_eight_frames_are_kept_the_innermost():
    def down(left: int) -> None:
        if left:
            down(left - 1)
        else:
            send()

    seen.clear()
    down(30)

    assert len(seen[-1].frames) == 8


def test_greenlets_are_climbed():
    seen.clear()
    greenlet.greenlet(helper).switch()  # of the parent

    functions = [function for _, _, function in seen[-1].frames]
    assert functions[:2] == ["helper", "test_greenlets_are_climbed"]


def test_generators_and_recursion_end():
    def forever(left: int) -> None:
        send() if not left else forever(left - 1)

    seen.clear()
    forever(500)

    assert len(seen[-1].frames) == 8


def test_the_walk_ends_at_the_runner_of_the_tests():
    seen.clear()
    helper()

    assert [function for _, _, function in seen[-1].frames] == ["helper", "test_the_walk_ends_at_the_runner_of_the_tests"]


@pytest.mark.parametrize("text", [b"", b"def broken(:\n", b"\xff\xfe\x00", b"x = 1\0", b"(" * 5000], ids=["empty", "broken", "binary", "nul", "deep"])
def test_files_that_are_no_python_have_no_loops(tmp_path: Path, text: bytes):
    path = tmp_path / "file.py"
    path.write_bytes(text)

    assert source_map(str(path)).loops == ()


def test_a_file_that_is_gone_has_no_loops():
    assert source_map("/nowhere/at/all.py").loops == ()
    assert template_loops("/nowhere/at/all.html") == ()


def test_code_without_a_file_is_a_library():
    assert frames.kind_of("<string>") == frames.LIBRARY
    assert frames.kind_of(sys.modules["json"].__file__ or "") == frames.LIBRARY
    assert frames.kind_of(__file__) == frames.USER


def test_loops_of_templates(tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text("{% for a in b %}\n{{ a }}\n{% endfor %}\n{{ c }}\n{%- for d in e -%}{{ d }}{%- endfor -%}\n")

    assert template_loops(str(path)) == ((2, 3), (5, 5))
