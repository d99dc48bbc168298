"""`[tool.dbguard]` of pyproject.toml, or `dbguard.toml`, and the command line in; a frozen `Config` out.

Every key, its type and what it means stands in `KEYS`; its default is the default of the field of `Config` with the same
name. Unknown keys and wrong types are errors that name file and key. Rule names are only collected here
(`Config.rule_names_used`): the rulebook knows which exist.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH100, PTH110, PTH113, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbguard.errors import ConfigError
from dbguard.model.finding import Severity
from dbguard.model.postgres import NEWEST, OLDEST
from dbguard.model.record import Record

TRANSACTIONS = ("auto", "one", "none")
TOOLS = (
    "golang-migrate", "goose", "dbmate", "flyway", "refinery", "sqlx", "diesel", "prisma", "drizzle", "supabase", "hasura", "sqitch",
    "node-pg-migrate", "atlas", "tern", "liquibase", "pop", "extension", "plain",
)  # fmt: skip


class Migrations(Record):
    """One configured history: a folder, or files that a glob finds. Empty values inherit from `Config`."""

    path: str
    tool: str = ""
    transaction: str = ""
    schema: str = ""
    postgres: tuple[int, int] | None = None
    start_after: str = ""
    deployed: str = ""


class PerPath(Record):
    """Severities for the files that a glob matches."""

    path: str
    severity: Mapping[str, Severity] = {}
    ignore: tuple[str, ...] = ()


class RuleName(Record):
    """A name that should be a rule (or, in `select`, a category or `all`), and the key where it stands."""

    name: str
    key: str


class Config(Record):
    """Effective settings. The defaults are these. Paths are relative to `root`, globs too."""

    paths: tuple[str, ...] = ()
    migrations: tuple[Migrations, ...] = ()
    exclude: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    postgres: tuple[int, int] = (14, 18)
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = {}
    per_path: tuple[PerPath, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = {}
    rule_folders: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    strict: bool = False
    transaction: str = "auto"
    lock_timeout: str = ""
    small_tables: tuple[str, ...] = ()
    start_after: str = ""
    deployed: str = ""
    schema: str = ""
    baseline: str = ""
    snapshot: str = ""
    postgres_bin: str = ""
    gate: Mapping[str, Any] = {}  # as written; pipelines/gate_settings.py reads it
    python: str = ""
    django_settings: str = ""
    alembic_config: str = ""
    render_timeout: int = 120
    snapshot_mask: tuple[str, ...] = ()
    snapshot_keep: tuple[str, ...] = ()
    cache: bool = True
    root: str = "."  # folder of the configuration file, else the working directory
    cwd: str = "."
    file: str = ""  # the configuration file, "" if there is none
    given: Mapping[str, str] = {}  # key -> who set it

    @staticmethod
    def load(cwd: str | os.PathLike[str] = ".", overrides: Mapping[str, Any] | None = None, file: str = "") -> Config:
        """Settings for a run in `cwd`. `overrides` are keys (with `-` or `_`) from the command line; None means not given.

        `file` is a configuration file to use instead of the nearest one.
        """
        cwd = os.path.abspath(cwd)
        file, table = _chosen(os.path.join(cwd, file)) if file else _find(cwd)
        settings = _read_table(table, KEYS, _shown(file, cwd), "")
        given = dict.fromkeys(settings, _shown(file, cwd))
        asked = {key.replace("_", "-"): value for key, value in (overrides or {}).items() if value is not None}
        from_command_line = _read_table(asked, KEYS, "the command line", "")
        settings |= from_command_line
        given |= dict.fromkeys(from_command_line, "the command line")
        root = os.path.dirname(file) if file else cwd
        return Config(**settings, root=root, cwd=cwd, file=file, given=given)

    @property
    def rule_names_used(self) -> tuple[RuleName, ...]:
        """Every name that the rulebook has to know, and where it stands."""
        names = [RuleName(name, key) for key in ("select", "extend-select", "ignore") for name in getattr(self, _field(key))]
        names += [RuleName(name, "severity") for name in self.severity]
        for index, entry in enumerate(self.per_path):
            names += [RuleName(name, f"per-path[{index}].severity") for name in entry.severity]
            names += [RuleName(name, f"per-path[{index}].ignore") for name in entry.ignore]
        names += [RuleName(name, "rules") for name in self.rules]
        return tuple(names)


class Key(Record):
    """How a key is read, and what it means."""

    read: Callable[[Any, str, str], Any]
    meaning: str


def describe(config: Config) -> str:
    """The effective settings as text for `dbguard config`, with who set each."""
    from dbguard.model.toml import toml

    where = _shown(config.file, config.cwd) if config.file else "no configuration file: defaults"
    lines = [f"# {where}"]
    for key in KEYS:
        value = getattr(config, _field(key))
        origin = config.given.get(_field(key))
        comment = f"from {origin}" if origin else "default"
        lines.append(f"{key} = {toml(value)}  # {comment}")
    return "\n".join(lines) + "\n"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most likely means."""
    from difflib import get_close_matches  # 4 ms, needed only for an error

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)`, or nothing when no known word is near."""
    near = nearest(word, known)
    return "" if near is None else f' (did you mean "{near}"?)'


def parse_postgres(value: Any, where: str, key: str) -> tuple[int, int]:
    """`16`, `"16"` or `"14..18"` as the oldest and newest major version."""
    low, dots, high = str(value).partition("..")
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not (low.isdecimal() and (high.isdecimal() if dots else not high)):
        raise _wrong(where, key, 'a PostgreSQL version such as 16, or a range such as "14..18"', value)
    first, last = int(low), int(high or low)
    if not OLDEST <= first <= last <= NEWEST:
        raise _refused(where, key, f"dbguard knows PostgreSQL {OLDEST} to {NEWEST}, oldest first", value)
    return first, last


def _find(cwd: str) -> tuple[str, dict[str, Any]]:
    """The nearest configuration file at or above `cwd`, not above the repository's root."""
    folder = cwd
    while True:
        own = os.path.join(folder, "dbguard.toml")
        if os.path.isfile(own):
            return own, _parse(own, _bytes(own))
        project = os.path.join(folder, "pyproject.toml")
        # Most pyproject.toml have nothing for us: do not pay for tomllib to learn that.
        if os.path.isfile(project) and b"dbguard" in (raw := _bytes(project)):
            tool = _parse(project, raw).get("tool")
            if isinstance(tool, dict) and "dbguard" in tool:
                table = tool["dbguard"]
                if not isinstance(table, dict):
                    raise _wrong(project, "tool.dbguard", "a table", table)
                return project, table
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return "", {}
        folder = parent


def _chosen(file: str) -> tuple[str, dict[str, Any]]:
    """The file that somebody names: the table [tool.dbguard] of a pyproject.toml, all of any other file."""
    table = _parse(file, _bytes(file))
    if os.path.basename(file) == "pyproject.toml":
        tool = table.get("tool")
        table = tool.get("dbguard", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise _wrong(file, "tool.dbguard", "a table", table)
    return file, table


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(path: str, raw: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply") from error


def _read_table(table: Mapping[str, Any], keys: Mapping[str, Key], where: str, prefix: str) -> dict[str, Any]:
    values = {}
    for name, value in table.items():
        key = keys.get(name)
        if key is None:
            raise ConfigError(f'{where}: unknown key "{prefix}{name}"{did_you_mean(name, keys)}')
        values[_field(name)] = key.read(value, where, prefix + name)
    return values


def _string(value: Any, where: str, key: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, key, "a string", value)
    return value


def _version(value: Any, where: str, key: str) -> str:
    """A migration version: `start-after = 42` is the same as "42"."""
    return str(value) if type(value) is int else _string(value, where, key)


def _seconds(value: Any, where: str, key: str) -> int:
    if type(value) is not int or not 1 <= value <= 86_400:
        raise _wrong(where, key, "a number of seconds, 1 to 86400", value)
    return value


def _strings(value: Any, where: str, key: str) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise _wrong(where, key, "a list of strings", value)
    return tuple(value)


def _boolean(value: Any, where: str, key: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, key, "true or false", value)
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[Any, str, str], str]:
    def read(value: Any, where: str, key: str) -> str:
        if value not in choices:
            hint = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise _refused(where, key, f"must be one of {', '.join(choices)}{hint}", value)
        return str(value)

    return read


def _severity(*choices: Severity) -> Callable[[Any, str, str], Severity]:
    read = _one_of(tuple(str(choice) for choice in choices))

    def severity(value: Any, where: str, key: str) -> Severity:
        return value if isinstance(value, Severity) else Severity[read(value, where, key).upper()]

    return severity


def _lock_timeout(value: Any, where: str, key: str) -> str:
    if value not in ("", "runner"):
        raise _refused(where, key, 'must be "runner" (the migration runner sets it) or ""', value)
    return str(value)


def _severities(value: Any, where: str, key: str) -> dict[str, Severity]:
    read = _severity(Severity.OFF, Severity.ADVICE, Severity.WARNING, Severity.ERROR)
    return {name: read(item, where, f"{key}.{name}") for name, item in _table(value, where, key).items()}


def _rules(value: Any, where: str, key: str) -> dict[str, dict[str, Any]]:
    return {name: dict(_table(item, where, f"{key}.{name}")) for name, item in _table(value, where, key).items()}


def _table(value: Any, where: str, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, key, "a table", value)
    return value


def _records(record: type[Any], keys: Mapping[str, Key]) -> Callable[[Any, str, str], tuple[Any, ...]]:
    def read(value: Any, where: str, key: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
            raise _wrong(where, key, f"a list of tables ([[{key}]])", value)
        entries = []
        for index, item in enumerate(value):
            fields = _read_table(item, keys, where, f"{key}[{index}].")
            if "path" not in fields:
                raise ConfigError(f"{where}: {key}[{index}] has no path")
            entries.append(record(**fields))
        return tuple(entries)

    return read


def _wrong(where: str, key: str, expected: str, value: Any) -> ConfigError:
    from dbguard.model.toml import toml

    return ConfigError(f"{where}: {key} must be {expected}, not {toml(value)}")


def _refused(where: str, key: str, why: str, value: Any) -> ConfigError:
    from dbguard.model.toml import toml

    return ConfigError(f"{where}: {key} = {toml(value)}: {why}")


def _field(key: str) -> str:
    return key.replace("-", "_")


def _shown(path: str, cwd: str) -> str:
    if not path:
        return ""
    below = os.path.relpath(path, cwd) if path.startswith(cwd.rstrip(os.sep) + os.sep) else path
    return below.replace(os.sep, "/")


_TRANSACTION = Key(_one_of(TRANSACTIONS), "how scripts run: auto (as the tool does), one (in a transaction), none")
_SCHEMA = Key(_string, "SQL file that creates the schema on which the first migration runs, such as db/structure.sql")
_POSTGRES = Key(parse_postgres, "versions that production runs: 16, or a range such as 14..18, judged as the worst of them")
_START_AFTER = Key(_version, "migrations up to this version give no findings")
_DEPLOYED = Key(_version, "newest version that production has: later ones are deployed together")

_MIGRATIONS_KEYS = {
    "path": Key(_string, "folder or glob"),
    "tool": Key(_one_of(TOOLS), "the tool that runs them, where dbguard does not recognise it"),
    "transaction": _TRANSACTION,
    "schema": _SCHEMA,
    "postgres": _POSTGRES,
    "start-after": _START_AFTER,
    "deployed": _DEPLOYED,
}
_PER_PATH_KEYS = {
    "path": Key(_string, "glob"),
    "severity": Key(_severities, "rule -> off, advice, warning or error"),
    "ignore": Key(_strings, "rules that are off there"),
}

KEYS: Mapping[str, Key] = {
    "paths": Key(_strings, "files, folders and globs that `dbguard check` looks at when none are given; [] finds migrations"),
    "migrations": Key(_records(Migrations, _MIGRATIONS_KEYS), "histories that dbguard does not find by itself, or that need settings"),
    "exclude": Key(_strings, "globs of files that are never looked at"),
    "queries": Key(_strings, "globs of files that hold queries, not migrations; they are checked on the schema of the migrations"),
    "postgres": _POSTGRES,
    "select": Key(_strings, "rules and categories instead of the default set; `all` for every rule"),
    "extend-select": Key(_strings, "rules and categories on top of the default set"),
    "ignore": Key(_strings, "rules that are off"),
    "severity": Key(_severities, "rule -> off, advice, warning or error"),
    "per-path": Key(_records(PerPath, _PER_PATH_KEYS), "severity and ignore for the files of a glob"),
    "rules": Key(_rules, "options of a rule"),
    "rule-folders": Key(_strings, "folders with rules of your own: a page and a check each"),
    "fail-on": Key(_severity(Severity.ADVICE, Severity.WARNING, Severity.ERROR), "the lowest severity that fails the run"),
    "strict": Key(_boolean, "statements that could not be read fail the run too"),
    "transaction": _TRANSACTION,
    "lock-timeout": Key(_lock_timeout, '"runner" when the migration runner (or its role) sets lock_timeout'),
    "small-tables": Key(_strings, "tables known to be small: what blocks them is advice"),
    "start-after": _START_AFTER,
    "deployed": _DEPLOYED,
    "schema": _SCHEMA,
    "snapshot": Key(_string, "snapshot of production, as `dbguard snapshot` writes it: sizes, rates, and which migrations are applied"),
    "postgres-bin": Key(_string, "the `bin` folder of a PostgreSQL of production's major, for ghosts; empty: that of `dbguard[embedded]`"),
    "gate": Key(_table, "what `dbguard gate` reads, and from when on it says review or stop"),
    "baseline": Key(_string, "file of the findings on queries that are known, as `dbguard baseline write` makes it"),
    "python": Key(_string, "interpreter of the project's environment, for `--render`; empty: it is found"),
    "django-settings": Key(_string, "Django's settings module, for `--render`; empty: as manage.py says"),
    "alembic-config": Key(_string, "Alembic's configuration file, for `--render`; empty: it is found"),
    "cache": Key(_boolean, "whether the schema of earlier migrations is remembered between runs"),
    "snapshot-mask": Key(_strings, "columns (`table.column`) whose values `dbguard snapshot` masks, whatever their type"),
    "snapshot-keep": Key(_strings, "columns (`table.column`) whose values `dbguard snapshot` keeps"),
    "render-timeout": Key(_seconds, "seconds that `--render` gives the project's environment"),
}
