"""Which rules are on, at which severity, and from which folders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.book import BOOK, ROOT

from dbguard.config import Config
from dbguard.errors import ConfigError, UsageError
from dbguard.model.finding import Flag, Severity
from dbguard.rulebook import Rulebook
from dbguard.rulebook.select import from_config, select

ADVICE = next(rule.name for rule in BOOK.rules.values() if not rule.header.default)
PAGE = (ROOT / "rules" / "create-index-blocking.md").read_text()


def test_the_default_set_has_no_advice():
    rules = select(BOOK).rules.values()
    assert rules
    assert all(rule.severity > Severity.ADVICE and rule.header.status == "stable" for rule in rules)


def test_select_replaces():
    assert {name for name in select(BOOK, selected=["vacuum-full"]).rules if not name.startswith("allow-")} == {"vacuum-full"}


def test_select_keeps_judging_exceptions():
    assert select(BOOK, selected=["vacuum-full"]).is_on("allow-unused")


def test_a_category_is_all_of_its_stable_rules():
    rules = select(BOOK, selected=["schema"]).rules
    assert {name for name, rule in BOOK.rules.items() if rule.category == "schema" and rule.header.status == "stable"} <= rules.keys()


def test_all_is_everything():
    assert select(BOOK, selected=["all"]).rules.keys() == BOOK.rules.keys()


def test_extend_adds_and_ignore_wins():
    assert select(BOOK, extended=[ADVICE]).is_on(ADVICE)
    assert not select(BOOK, extended=[ADVICE], ignored=[ADVICE]).is_on(ADVICE)
    assert not select(BOOK, ignored=["locks"]).is_on("create-index-blocking")


def test_a_severity_switches_on_and_off():
    selection = select(BOOK, severities={ADVICE: Severity.ERROR, "create-index-blocking": Severity.OFF})
    assert selection.rules[ADVICE].severity is Severity.ERROR
    assert not selection.is_on("create-index-blocking")


def test_a_name_that_is_no_rule_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean `create-index-blocking`"):
        select(BOOK, ignored=["create-index-blockin"])
    with pytest.raises(UsageError, match="here it is `create-index-blocking`"):
        select(BOOK, ignored=["require-concurrent-index-creation"])


def test_configuration_names_the_key_of_a_wrong_name():
    with pytest.raises(ConfigError, match="severity: there is no rule `nope`"):
        from_config(Config(severity={"nope": Severity.ERROR}))


def test_options_are_checked():
    with pytest.raises(ConfigError, match="has no option `colour`"):
        select(BOOK, options={"create-index-blocking": {"colour": 1}})


def team(folder: Path, check: str = "def check(index, step):\n    return iter(())\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "our-rule.md").write_text(PAGE.replace("create-index-blocking", "our-rule"))
    (folder / "our_rule.py").write_text(check)
    return folder


def test_a_team_brings_its_own_rules(tmp_path: Path):
    team(tmp_path / "house")
    selection = from_config(Config(root=str(tmp_path), rule_folders=("house",)))
    rule = selection.rules["our-rule"]
    assert rule in selection.woken()["CreateIndex"]
    assert "`i`" in rule.wording(Flag({"index": "i", "table": "t"})).message


def test_a_page_without_a_check_is_refused(tmp_path: Path):
    (team(tmp_path) / "our_rule.py").unlink()
    with pytest.raises(ConfigError, match=r"our_rule\.py does not exist"):
        Rulebook.load([tmp_path])


def test_a_title_that_is_not_the_file_name_is_refused(tmp_path: Path):
    (team(tmp_path) / "our-rule.md").rename(tmp_path / "other.md")
    with pytest.raises(ConfigError, match="other"):
        Rulebook.load([tmp_path])


def test_two_pages_of_one_name_are_refused(tmp_path: Path):
    (tmp_path / "create-index-blocking.md").write_text(PAGE)
    (tmp_path / "create_index_blocking.py").write_text("")
    with pytest.raises(ConfigError, match="two pages"):
        Rulebook.load([tmp_path])


def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="does not exist"):
        Rulebook.load([tmp_path / "nowhere"])


def test_an_installed_package_brings_rules(tmp_path: Path):
    site = tmp_path / "site-packages"
    team(site / "house_rules")
    (site / "house_rules" / "__init__.py").write_text("")
    (site / "house-1.0.dist-info").mkdir()
    (site / "house-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
    (site / "house-1.0.dist-info" / "entry_points.txt").write_text("[dbguard.checks]\nhouse = house_rules\n")
    code = f"import sys; sys.path.insert(0, {str(site)!r})\nfrom dbguard.rulebook import Rulebook\nassert 'our-rule' in Rulebook.load().rules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_pages_there_is_no_run(tmp_path: Path):
    """The package, copied to where no pages are."""
    copy = tmp_path / "lib" / "dbguard"
    code = (
        f"import shutil; shutil.copytree({str(ROOT / 'src/dbguard')!r}, {str(copy)!r}, ignore=shutil.ignore_patterns('__pycache__'))\n"
        f"import sys; sys.path.insert(0, {str(copy.parent)!r})\n"
        "from dbguard.rulebook import Rulebook\n"
        "try:\n    Rulebook.load()\nexcept Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert str(copy / "_rules") in done.stdout
    assert str(tmp_path / "rules") in done.stdout
