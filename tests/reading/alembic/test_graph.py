"""The order of revisions is Alembic's own, and what does not hang together is told, not raised."""

from __future__ import annotations

import random
import warnings

import pytest
from alembic.script.revision import Revision, RevisionMap

from dbguard.model.operations import HistoryProblem
from dbguard.reading.alembic.graph import Node, arrange

from .environments import ENV, INI, read, revision, write


def ids(nodes: list[Node]) -> list[str]:
    return [nodes[place].id for place in arrange(nodes).order]


def problems(nodes: list[Node]) -> dict[str, list[HistoryProblem]]:
    return {nodes[place].path or nodes[place].id: list(found) for place, found in arrange(nodes).problems.items()}


@pytest.mark.parametrize("seed", range(120))
def test_the_order_is_that_of_alembic(seed: int):
    chance = random.Random(seed)
    nodes = []
    for number in range(chance.randint(1, 20)):
        before = [f"r{one}" for one in range(number)]
        count = min(len(before), chance.choice([0, 1, 1, 1, 1, 2, 3]))
        parents = (f"r{number - 1}",) if count == 1 and chance.random() < 0.7 else tuple(chance.sample(before, count))
        depends = tuple(name for name in (chance.sample(before, 1) if before and chance.random() < 0.15 else ()) if name not in parents)
        nodes.append(Node(f"r{number}", parents, depends))
    chance.shuffle(nodes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = RevisionMap(lambda: [Revision(node.id, node.parents or None, node.depends or None) for node in nodes])
        expected = [one.revision for one in theirs.iterate_revisions("heads", "base", implicit_base=True)][::-1]
    assert ids(nodes) == expected


def test_a_merge_comes_after_both_of_its_branches():
    nodes = [Node("merge", ("left", "right")), Node("left", ("base",)), Node("right", ("base",)), Node("base")]
    order = ids(nodes)
    assert order[0] == "base"
    assert order[-1] == "merge"
    assert problems(nodes) == {}


def test_a_dependency_may_name_a_branch():
    nodes = [Node("app", depends=("auth",)), Node("users", labels=("auth",))]
    assert ids(nodes) == ["users", "app"]


def test_two_heads_are_told_at_both():
    nodes = [Node("base"), Node("left", ("base",)), Node("right", ("base",))]
    assert problems(nodes) == {"left": [HistoryProblem("heads", "left", ("right",))], "right": [HistoryProblem("heads", "right", ("left",))]}


def test_branches_with_labels_of_their_own_are_meant_to_have_heads():
    assert problems([Node("a1", labels=("a",)), Node("a2", ("a1",)), Node("b1", labels=("b",)), Node("b2", ("b1",))]) == {}


def test_a_label_on_one_branch_does_not_excuse_the_other():
    assert set(problems([Node("base", labels=("a",)), Node("left", ("base",)), Node("right", ("base",))])) == {"left", "right"}


def test_a_missing_parent_is_told_and_the_rest_still_runs():
    nodes = [Node("one"), Node("three", ("two",)), Node("four", ("three",)), Node("five", ("one", "four"))]
    assert problems(nodes) == {"three": [HistoryProblem("missing parent", "three", ("two",))]}
    order = ids(nodes)
    assert order.index("three") < order.index("four") < order.index("five")


def test_a_cycle_is_told_at_each_of_its_revisions_and_each_runs_once():
    nodes = [Node("base"), Node("a", ("c",)), Node("b", ("a",)), Node("c", ("b",)), Node("after", ("c", "base"))]
    found = problems(nodes)
    assert {name: [one.kind for one in told] for name, told in found.items()} == {"a": ["cycle"], "b": ["cycle"], "c": ["cycle"]}
    assert found["a"][0].others == ("a", "b", "c")
    assert sorted(ids(nodes)) == ["a", "after", "b", "base", "c"]


def test_a_revision_that_comes_after_itself_is_a_cycle():
    assert problems([Node("a", ("a",))]) == {"a": [HistoryProblem("cycle", "a", ("a",))]}


def test_of_two_files_with_one_id_the_last_runs_as_in_alembic():
    nodes = [Node("base", path="1.py"), Node("two", ("base",), path="2.py"), Node("two", ("base",), path="3.py")]
    graph = arrange(nodes)
    assert graph.shadowed == {1}
    assert graph.order == (0, 2, 1)
    assert problems(nodes) == {"2.py": [HistoryProblem("duplicate", "two", ("3.py",))], "3.py": [HistoryProblem("duplicate", "two", ("2.py",))]}


def test_ten_thousand_revisions_are_arranged_at_once():
    assert len(ids([Node(f"r{one}", (f"r{one - 1}",) if one else ()) for one in range(10_000)])) == 10_000


def test_file_names_do_not_say_the_order(tmp_path):
    write(tmp_path, {"0003_first": revision("aaa"), "0001_third": revision("ccc", "bbb"), "0002_second": revision("bbb", "aaa")})
    assert [script.version for script in read(tmp_path).scripts if script.direction == "up"] == ["aaa", "bbb", "ccc"]


def test_several_version_locations_are_one_history(tmp_path):
    ini = INI + "version_locations = %(here)s/migrations/versions %(here)s/billing\n"
    write(tmp_path, {"one": revision("one")}, ini=ini, billing__two=revision("two", "one"))
    (tmp_path / "billing/two").rename(tmp_path / "billing/two.py")
    assert [script.version for script in read(tmp_path, ["billing/two.py"]).scripts] == ["one", "two"]
    assert read(tmp_path, ["billing/two.py"]).asked == {"billing/two.py"}


@pytest.mark.parametrize("setting", ["recursive_version_locations = true\n", ""])
def test_folders_below_are_read_when_alembic_reads_them(tmp_path, setting: str):
    write(tmp_path, {"one": revision("one"), "2024/two": revision("two", "one")}, ini=INI + setting)
    histories = {script.version for script in read(tmp_path, ["migrations/versions/one.py"]).scripts}
    assert histories == ({"one", "two"} if setting else {"one"})


def test_a_problem_stands_where_the_file_names_its_parent(tmp_path):
    write(tmp_path, {"one": revision("one", "gone")})
    (script,) = read(tmp_path).scripts
    (block,) = [block for block in script.blocks if block.operations]
    assert script.source.text[block.start : block.end] == "down_revision = 'gone'"
    assert block.operations == (HistoryProblem("missing parent", "one", ("gone",)),)


def test_a_twin_that_does_not_run_is_said_not_to(tmp_path):
    write(tmp_path, {"one": revision("one", None, "op.drop_table('t')"), "two": revision("one", None, "op.drop_table('u')")}, ENV)
    scripts = [script for script in read(tmp_path).scripts if script.direction == "up"]
    assert [[block.sql for block in script.blocks if block.sql] for script in scripts] == [["DROP TABLE u;"], []]
    assert [block.unread for block in scripts[1].blocks][-1] == "another file with the same id runs instead"
