"""`--render`: histories of Alembic and Django as they were read in, the same as their own frameworks send them out.

Every environment (an Alembic folder, a manage.py) is rendered once. Django needs a server to migrate: a throw-away one, which
is started here and handed into the reading room.
"""

# ruff: noqa: PTH113, PTH118, PTH120

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.record import Record
from dbguard.reading import History, Reading
from dbguard.reading.files import read
from dbguard.reading.render import Rendered, Request, Server, apply_rendered, failed, locate, render

KINDS = ("alembic", "django")
MOST_NAMES = 5
_OTHER_TEXT = "the file on disk is not the text that is checked"


class Environment(Record):
    """What is rendered in one go: the folder in which it runs, and a request that grows by each file."""

    kind: str
    root: str
    request: Request

    @property
    def key(self) -> tuple[str, ...]:
        asked = self.request
        return self.kind, self.root, asked.python, asked.ini, asked.section, asked.toml, asked.location, asked.manage


def rendered(reading: Reading, config: Config) -> Reading:
    """The histories with what their frameworks send; what they do not render stays as it was read, and the notes say so.

    Raises UsageError for an interpreter that is not there, and ServerError where Django has no server to migrate.
    """
    wanted, failures = _environments(reading.histories, config)
    results: list[Rendered] = []
    with ExitStack() as stack:
        server = _server(stack) if any(environment.kind == "django" for environment in wanted) else None
        for environment in wanted:
            request = environment.request._replace(server=server if environment.kind == "django" else None)
            results.append(render(environment.kind, environment.root, request))
    whole = _together(results, failures)
    histories, notes = [], list(whole.notes)
    for history in reading.histories:
        histories.append(apply_rendered(history, whole, config.cwd) if history.tool in KINDS else history)
        if history.tool in KINDS:
            notes += _grouped(failed(history, whole, config.cwd))
    return reading._replace(histories=tuple(histories), notes=(*reading.notes, *notes))


def _environments(histories: tuple[History, ...], config: Config) -> tuple[list[Environment], dict[str, str]]:
    """What to render, and why a file belongs to no environment."""
    wanted: dict[tuple[str, ...], Environment] = {}
    texts: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    failures: dict[str, str] = {}
    for history in histories:
        if history.tool not in KINDS:
            continue
        for script in history.scripts:
            path = os.path.normpath(os.path.join(config.cwd, script.source.path))
            if script.direction != "up":
                continue
            if not _is_on_disk(path, script.source.text):
                failures[path] = _OTHER_TEXT
                continue
            environment = _alembic(path, config) if history.tool == "alembic" else _django(path, config)
            if isinstance(environment, str):
                failures[path] = environment
            else:
                wanted.setdefault(environment.key, environment)
                texts[environment.key][path] = script.source.text
    return [one._replace(request=one.request._replace(texts=texts[key])) for key, one in wanted.items()], failures


def _alembic(path: str, config: Config) -> Environment | str:
    given = os.path.normpath(os.path.join(_base(config, "alembic_config"), config.alembic_config)) if config.alembic_config else ""
    if given and not os.path.isfile(given):
        raise UsageError(f"--alembic-config {config.alembic_config}: there is no such file")
    found = locate.alembic(path, given)
    if found is None:
        return "there is no env.py above it"
    return Environment(
        "alembic",
        found.root,
        _request(found.root, config)._replace(ini=found.ini, section=found.section, toml=found.toml, location=found.location),
    )


def _django(path: str, config: Config) -> Environment | str:
    manage = locate.manage(path)
    if not manage and not config.django_settings and not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return "there is no manage.py above it, and no --settings"
    root = os.path.dirname(manage) if manage else locate.import_root(path)
    return Environment("django", root, _request(root, config)._replace(manage=manage, settings=config.django_settings))


def _request(root: str, config: Config) -> Request:
    return Request(python=locate.interpreter(config.python, _base(config, "python"), root), timeout=config.render_timeout)


def _base(config: Config, key: str) -> str:
    """The folder to which a path is relative: it depends on who gave it."""
    return config.cwd if config.given.get(key) == "the command line" else config.root


def _is_on_disk(path: str, text: str) -> bool:
    """Whether the framework would run the text that is checked: it may come from git's index, or from standard input."""
    try:
        return read(path).text == text
    except UnreadableSource:
        return False


def _server(stack: ExitStack) -> Server:
    from dbguard.postgres.embedded import start

    return Server(str(stack.enter_context(start()).folder))


def _together(results: list[Rendered], failures: Mapping[str, str]) -> Rendered:
    """One answer for all environments. Two of them may name the same interpreter in their notes."""
    return Rendered(
        blocks={path: blocks for one in results for path, blocks in one.blocks.items()},
        down={path: blocks for one in results for path, blocks in one.down.items()},
        transaction={path: how for one in results for path, how in one.transaction.items()},
        failures=dict(failures) | {path: why for one in results for path, why in one.failures.items()},
        pythons={path: one.python for one in results for path in (*one.blocks, *one.failures)},
        notes=tuple(dict.fromkeys(note for one in results for note in one.notes)),
    )


def _grouped(failures: list[tuple[str, str]]) -> Iterator[str]:
    """A line for each reason, with the files by name."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for path, why in failures:
        by_reason[why].append(path)
    for why, paths in by_reason.items():
        more = f" and {len(paths) - MOST_NAMES:,} more" if len(paths) > MOST_NAMES else ""
        yield f"{', '.join(paths[:MOST_NAMES])}{more}: read, not rendered: {why}"
