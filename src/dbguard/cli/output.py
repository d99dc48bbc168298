"""Where text goes: standard output, files, and the terminal's colours and width."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from dbguard.errors import UsageError


def is_colored() -> bool:
    """Whether standard output is a terminal that wants colour (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def width(narrowest: int = 72, widest: int = 140, otherwise: int = 100) -> int:
    """Columns of the terminal, within limits; `otherwise` where standard output is none."""
    if not sys.stdout.isatty():
        return otherwise
    import shutil

    return min(max(shutil.get_terminal_size((otherwise, 40)).columns, narrowest), widest)


def emit(text: str) -> None:
    """Text to standard output as UTF-8. Names of files that are no valid text are escaped, never an error."""
    data = text.encode("utf-8", errors="backslashreplace")
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(data.decode())
        return
    try:
        sys.stdout.flush()
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise UsageError(f"standard output cannot be written: {error.strerror}") from error


def discard_output() -> None:
    """Nobody can have the rest: keep Python from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse_outputs(values: Iterable[str], formats: Iterable[str]) -> list[tuple[str, Path]]:
    """`FORMAT=FILE` values as pairs."""
    known = list(formats)
    pairs = []
    for value in values:
        name, equals, file = value.partition("=")
        if not equals or not file or name not in known:
            raise UsageError(f"--output {value}: give FORMAT=FILE, where FORMAT is one of {', '.join(known)}")
        pairs.append((name, Path(file)))
    return pairs


def write(path: Path, text: str) -> None:
    """Text to a file, whole or not at all: written beside it and renamed."""
    import tempfile

    data = text.encode("utf-8", errors="backslashreplace")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device has no name to be renamed to
            path.write_bytes(data)
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o666 & ~_umask())  # noqa: PTH101
            os.replace(temporary, path)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
