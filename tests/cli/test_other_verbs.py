"""`dbguard rule`, `locks`, `config` and the help texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.book import BOOK, ROOT

from dbguard.cli import SUMMARIES, VERBS, run


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(list(arguments)) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def schema(name: str) -> Draft202012Validator:
    document = json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def test_rules_as_json_follow_their_schema(capsys: pytest.CaptureFixture[str]):
    rules = json.loads(output(capsys, "rule", "--format", "json"))
    schema("rule").validate(rules)
    assert [rule["name"] for rule in rules] == sorted(BOOK.rules)


def test_one_rule_as_json_is_a_list_of_one(capsys: pytest.CaptureFixture[str]):
    (rule,) = json.loads(output(capsys, "rule", "create-index-blocking", "--format", "json"))
    assert rule["default"] is True
    assert rule["page"] == (ROOT / "rules" / "create-index-blocking.md").read_text()


def test_the_list_names_every_rule(capsys: pytest.CaptureFixture[str]):
    text = output(capsys, "rule")
    assert all(f"{name} " in text for name in BOOK.rules)


def test_a_page_for_people_hides_its_metadata(capsys: pytest.CaptureFixture[str]):
    for form in ("text", "markdown"):
        text = output(capsys, "rule", "create-index-blocking", "--format", form)
        assert "wakes" not in text
        assert "locks · error" in text
        assert "\x1b" not in text


def test_all_pages_at_once(capsys: pytest.CaptureFixture[str]):
    assert output(capsys, "rule", "--all", "--format", "markdown").count("## When to allow it") == len(BOOK.rules)


def test_every_verb_is_in_the_help(capsys: pytest.CaptureFixture[str]):
    assert VERBS.keys() == SUMMARIES.keys()
    text = output(capsys, "--help")
    assert all(f"  {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]):
    assert f"  dbguard {verb}" in output(capsys, verb, "--help")


def test_locks_as_json_follow_their_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    (tmp_path / "a.sql").write_text("ALTER TABLE orders ADD COLUMN note text;\nVACUUM FULL orders;\n")
    document = json.loads(output(capsys, "locks", "--schema", "schema.sql", "--postgres", "16", "--format", "json", "a.sql"))
    schema("locks").validate(document)
    assert document["postgres"] == 16
    assert [one["transaction"] for one in document["statements"]] == ["allowed", "forbidden"]
    assert document["statements"][0]["locks"] == [
        {"relation": "public.orders", "mode": "ACCESS EXCLUSIVE", "blocks": ["read", "lock_rows", "write", "maintenance"]}
    ]


def test_locks_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sql").write_text("ALTER TABLE orders ADD COLUMN note text;\n")
    assert "ACCESS EXCLUSIVE          public.orders  (blocks reads, row locks, writes, VACUUM and DDL)" in output(capsys, "locks", "a.sql")


def test_config_shows_settings_and_what_was_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.dbguard]\npostgres = 16\n")
    (tmp_path / "migrations").mkdir()
    for number in (1, 2):
        (tmp_path / "migrations" / f"00{number}_a.sql").write_text("SELECT 1;\n")
    text = output(capsys, "config")
    assert "postgres = 16" in text
    assert "2 " in text.splitlines()[-1]
    assert "migrations" in text.splitlines()[-1]


def test_config_in_an_empty_folder_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    assert "no migrations" in output(capsys, "config")
