"""`dbguard ghost`: the ghost of a snapshot file, served, detached, or lent to a command.

A detached ghost is a process of its own. It holds a lock on a file in `~/.cache/dbguard/ghosts-detached/`, in which its process id stands; `stop`
ends all whose lock is held. If it dies, even by kill -9, its server's watchdog stops the server and removes its files.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dbguard.errors import DbguardError, ServerError, UsageError
from dbguard.model.record import Record

if TYPE_CHECKING:
    from dbguard.postgres.ghost import Ghost

SECONDS_TO_STOP = 15.0
_BETWEEN_LOOKS = 0.5
# Of the caller's environment, what would send a client elsewhere than to the ghost (libpq, "Environment Variables").
_MISLEADING = (
    "PGHOSTADDR", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS", "PGSSLMODE", "PGREQUIRESSL", "PGCHANNELBINDING",
    "PGTARGETSESSIONATTRS", "PGREQUIREAUTH", "PGSSLNEGOTIATION", "PGROLE", "PGREQUIREPEER",
)  # fmt: skip


class Wanted(Record):
    file: str
    scale: float | Mapping[str, float] = 1.0
    programs: str | None = None
    cache: bool = True


def parse_scale(values: Sequence[str]) -> float | dict[str, float]:
    """`10`, or `orders=100` any number of times. Raises UsageError for anything else."""
    if not values:
        return 1.0
    factors: dict[str, float] = {}
    for value in values:
        name, equals, number = value.rpartition("=")
        try:
            factor = float(number)
        except ValueError:
            raise UsageError(f"--scale {value}: give a factor (10) or a table and a factor (orders=10)") from None
        if not equals:
            if len(values) > 1:
                raise UsageError("--scale: give one factor for all tables, or factors of tables")
            return factor
        factors[name] = factor
    return factors


@contextmanager
def opened(wanted: Wanted) -> Iterator[Ghost]:
    """The ghost of a snapshot file. Raises UnreadableSource, ServerError, UsageError.

    This process talks to no other server, so it forgets variables that would send it to one.
    """
    from dbguard.postgres.ghost import open_ghost
    from dbguard.reading.snapshots import load

    for name in _MISLEADING:
        os.environ.pop(name, None)
    with open_ghost(load(wanted.file), bin_dir=wanted.programs, scale=wanted.scale, cache=wanted.cache) as ghost:
        yield ghost


def serve(wanted: Wanted, announce: Callable[[Ghost], None]) -> None:
    """Serves until the process gets SIGINT, SIGTERM or SIGHUP. Raises ServerError if the server dies before."""
    with _until_signal(), opened(wanted) as ghost:
        announce(ghost)
        while ghost.is_running():
            time.sleep(_BETWEEN_LOOKS)
        raise ServerError("the ghost's server has died")


class _Stopped(BaseException):
    """A signal asked to stop. No Exception, so that nobody on the way takes it for a failure of their own."""


@contextmanager
def _until_signal() -> Iterator[None]:
    def stop(_number: int, _frame: Any) -> NoReturn:
        raise _Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except _Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def lend(wanted: Wanted, command: Sequence[str], tell: Callable[[Ghost], None]) -> int:
    """Runs a command with the ghost as its database; returns its exit code. Raises UsageError if it cannot be started."""
    with opened(wanted) as ghost:
        tell(ghost)
        environment = {**os.environ, **ghost.environment()}
        try:
            process = subprocess.Popen(list(command), env=environment)  # noqa: S603 - the user's own command
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be started: {error.strerror or error}") from error
        return _waited(process)


def _waited(process: subprocess.Popen[bytes]) -> int:
    def pass_on(number: int, _frame: Any) -> None:
        if number != signal.SIGINT and process.poll() is None:  # the terminal has sent an interrupt to the whole group already
            process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def detach(wanted: Wanted, tell: Callable[[Sequence[str]], None]) -> str:
    """Leaves a ghost behind that serves until `stop`; returns its connection string. Raises what opening it raises.

    `tell` gets the sentences about what is lost.
    """
    folder = _registry()
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _serve_detached(wanted, folder, send)
    os.close(send)
    with os.fdopen(receive, encoding="utf-8") as pipe:
        answer = pipe.read()
    if not answer:
        raise ServerError("the detached ghost ended before it was ready")
    said: dict[str, Any] = json.loads(answer)
    if "error" in said:
        os.waitpid(child, 0)
        raise _DETACHED_ERRORS.get(said["kind"], ServerError)(said["error"])
    tell(said["lost"])
    return str(said["uri"])


_DETACHED_ERRORS: dict[int, type[DbguardError]] = {2: UsageError, 3: ServerError}


def _serve_detached(wanted: Wanted, folder: Path, send: int) -> NoReturn:
    """The other process: speaks through `send` once, then is silent. Never returns."""
    code = 0
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        place = folder / f"{os.getpid()}.json"
        with place.open("w", encoding="utf-8") as entry:
            fcntl.flock(entry, fcntl.LOCK_EX)

            def announce(ghost: Ghost) -> None:
                json.dump({"pid": os.getpid(), "file": str(Path(wanted.file).resolve()), "uri": ghost.uri()}, entry)
                entry.flush()
                _answer(send, {"uri": ghost.uri(), "lost": list(ghost.lost)})

            try:
                serve(wanted, announce)
            finally:
                place.unlink(missing_ok=True)
    except DbguardError as error:
        _answer(send, {"error": str(error), "kind": error.exit_code})
        code = 3
    except BaseException as error:  # noqa: BLE001 - nobody is left to tell but the process that waits
        _answer(send, {"error": f"{type(error).__name__}: {error}", "kind": 3})
        code = 3
    finally:
        os._exit(code)


def _answer(send: int, said: dict[str, Any]) -> None:
    with suppress(OSError):
        os.write(send, json.dumps(said).encode())
        os.close(send)


def stop() -> int:
    """Ends all detached ghosts of this user; returns how many there were. Raises ServerError if one does not end."""
    stopped = 0
    for place in sorted(_registry().glob("*.json")):
        with suppress(FileNotFoundError), place.open("r+", encoding="utf-8") as entry:
            if _is_free(entry):
                place.unlink(missing_ok=True)
                continue
            try:
                pid = int(json.load(entry)["pid"])
            except (ValueError, KeyError, TypeError):
                pid = int(place.stem) if place.stem.isdigit() else 0  # it has not spoken yet
            if pid > 1:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + SECONDS_TO_STOP
            while not _is_free(entry):
                if time.monotonic() > deadline:
                    raise ServerError(f"the ghost of process {pid} does not end: kill {pid}")
                time.sleep(0.02)
            stopped += 1
    return stopped


def _is_free(entry: Any) -> bool:
    try:
        fcntl.flock(entry, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(entry, fcntl.LOCK_UN)
    return True


def _registry() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "dbguard" / "ghosts-detached"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}; a detached ghost is noted there, so that --stop finds it") from error
    return folder
