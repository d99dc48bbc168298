from __future__ import annotations

from pathlib import Path

import pytest

from dbguard.config import KEYS, Config, describe
from dbguard.errors import ConfigError
from dbguard.model.finding import Severity


def load(folder: Path, text: str, name: str = "dbguard.toml", **overrides: object) -> Config:
    (folder / name).write_text(text)
    return Config.load(folder, overrides)


def test_no_file_means_defaults(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    config = Config.load(tmp_path)
    assert (config.postgres, config.fail_on, config.transaction, config.file) == ((14, 18), Severity.ERROR, "auto", "")
    assert (config.root, config.cwd) == (str(tmp_path), str(tmp_path))


def test_every_key_has_a_field_with_a_default_and_a_meaning() -> None:
    defaults = Config()
    for name, key in KEYS.items():
        assert hasattr(defaults, name.replace("-", "_"))
        assert key.meaning


def test_every_key_is_read(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        paths = ["db"]
        exclude = ["db/old/**"]
        postgres = "15..17"
        select = ["locks"]
        extend-select = ["a-rule"]
        ignore = ["b-rule"]
        severity = { c-rule = "advice" }
        fail-on = "warning"
        strict = true
        transaction = "one"
        lock-timeout = "runner"
        small-tables = ["countries"]
        start-after = 42
        deployed = "43"
        schema = "db/structure.sql"
        [rules.d-rule]
        limit = 3
        [[per-path]]
        path = "db/legacy/**"
        ignore = ["e-rule"]
        severity = { f-rule = "off" }
        [[migrations]]
        path = "db/migrations"
        tool = "flyway"
        start-after = 7
        """,
    )
    assert (config.postgres, config.start_after, config.strict) == ((15, 17), "42", True)
    assert config.severity == {"c-rule": Severity.ADVICE}
    assert config.rules == {"d-rule": {"limit": 3}}
    assert (config.migrations[0].tool, config.migrations[0].start_after) == ("flyway", "7")
    assert [(used.name, used.key) for used in config.rule_names_used] == [
        ("locks", "select"),
        ("a-rule", "extend-select"),
        ("b-rule", "ignore"),
        ("c-rule", "severity"),
        ("f-rule", "per-path[0].severity"),
        ("e-rule", "per-path[0].ignore"),
        ("d-rule", "rules"),
    ]


def test_pyproject_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'dbguard-user'\n")
    (tmp_path / "pyproject.toml").write_text("[tool.dbguard]\npostgres = 16\n")
    config = Config.load(tmp_path / "a" / "b")
    assert (config.postgres, config.root) == ((16, 16), str(tmp_path))


def test_the_search_ends_at_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "dbguard.toml").write_text("postgres = 16")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    assert Config.load(tmp_path / "repository").file == ""


def test_dbguard_toml_wins_over_pyproject_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbguard]\npostgres = 15\n")
    assert load(tmp_path, "postgres = 16").postgres == (16, 16)


def test_the_command_line_wins_and_none_means_not_given(tmp_path: Path) -> None:
    config = load(tmp_path, "postgres = 16\nstrict = true", postgres="17", strict=None, fail_on="advice")
    assert (config.postgres, config.strict, config.fail_on) == ((17, 17), True, Severity.ADVICE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("postgress = 16", 'dbguard.toml: unknown key "postgress" \\(did you mean "postgres"\\?\\)'),
        ("fail_on = 'error'", 'did you mean "fail-on"'),
        ("zzz = 1", 'unknown key "zzz"$'),
        ("paths = 'db'", "paths must be a list of strings"),
        ("paths = [1]", "paths must be a list of strings"),
        ("strict = 'yes'", "strict must be true or false"),
        ("postgres = true", "postgres must be a PostgreSQL version"),
        ("postgres = '18..14'", "oldest first"),
        ("postgres = 9", "dbguard knows PostgreSQL 13 to 18"),
        ("postgres = '14..'", "postgres must be"),
        ("transaction = 'non'", 'must be one of auto, one, none \\(did you mean "none"\\?\\)'),
        ("transaction = ['one']", "must be one of"),
        ("fail-on = 'off'", "must be one of advice, warning, error"),
        ("severity = { x = 'fatal' }", "severity.x"),
        ("severity = 'error'", "severity must be a table"),
        ("lock-timeout = '2s'", "runner"),
        ("rules = { x = 1 }", "rules.x must be a table"),
        ("migrations = ['db']", "migrations must be a list of tables"),
        ("[[migrations]]\ntool = 'goose'", "migrations\\[0\\] has no path"),
        ("[[migrations]]\npath = 'x'\ntools = 'goose'", 'unknown key "migrations\\[0\\].tools" \\(did you mean "tool"'),
        ("[[migrations]]\npath = 'x'\ntool = 'gose'", 'did you mean "goose"'),
        ("start-after = 1.5", "start-after must be a string"),
        ("a = [", "dbguard.toml: not valid TOML"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_mistakes_on_the_command_line_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the command line: postgres"):
        load(tmp_path, "", postgres="latest")


def test_a_file_that_is_not_utf8_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "dbguard.toml").write_bytes(b"schema = '\xff'")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Config.load(tmp_path)


def test_a_pyproject_of_somebody_else_may_even_be_broken(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert load(tmp_path, "[[[", "pyproject.toml").file == ""


def test_describe_says_every_value_and_who_set_it(tmp_path: Path) -> None:
    text = describe(load(tmp_path, '[[migrations]]\npath = "db"\npostgres = 15\n', strict=True))
    assert text.startswith("# dbguard.toml\n")
    assert 'migrations = [{ path = "db", postgres = 15 }]  # from dbguard.toml' in text
    assert "strict = true  # from the command line" in text
    assert 'postgres = "14..18"  # default' in text
    assert text.count("\n") == len(KEYS) + 1
