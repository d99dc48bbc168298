"""Real git repositories in folders of a test, and what `dbguard` reads of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from dbguard.config import Config
from dbguard.reading import History, Reading, read_all

WHO = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"), "a@example.org")
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | WHO | ALONE
    command = ("git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments)
    return subprocess.run(command, cwd=folder, env=environment, check=check, capture_output=True, text=True).stdout.strip()


def write(folder: Path, files: dict[str, str | bytes | None]) -> None:
    """Files by name; None deletes one."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def commit(folder: Path, files: dict[str, str | bytes | None] | None = None) -> str:
    write(folder, files or {})
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "more")
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, files: dict[str, str | bytes | None]) -> Path:
    """A repository whose `main` has the files, with `work` checked out on top of it."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    commit(folder, files)
    git(folder, "switch", "-q", "-c", "work")
    return folder


def since(folder: Path, *paths: str, ref: str = "main", **settings: object) -> Reading:
    return read_all(Config.load(folder, settings), paths, since=ref)


def staged(folder: Path, *paths: str, **settings: object) -> Reading:
    return read_all(Config.load(folder, settings), paths, staged=True)


def reported(reading: Reading) -> list[str]:
    """The paths that give findings, with what became of those that were merged."""
    return [
        script.source.path + (f" {script.merged.way}" if script.merged else "")
        for history in reading.histories
        for script in history.scripts
        if script.direction != "down" and history.asks_for(script)
    ]


def paths(history: History) -> list[str]:
    return [script.source.path for script in history.scripts]
