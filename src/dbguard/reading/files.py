"""Bytes of one file in, text or a reason why there is none out. Nothing here follows a name anywhere but to open it."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH114

from __future__ import annotations

import codecs
import os
import stat

from dbguard.errors import UnreadableSource
from dbguard.model.record import Record

# A named pipe must not make us wait for a writer; Windows needs to be told not to translate line ends.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = frozenset(range(32)) - set(b"\t\n\v\f\r\x1a\x1b")


class Text(Record):
    text: str
    note: str = ""  # what had to be guessed


def read(path: str) -> Text:
    """The text of a file. Raises UnreadableSource with a reason that does not name the file."""
    return decode(read_bytes(path))


def read_bytes(path: str) -> bytes:
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise UnreadableSource(_reason(path, error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
            raise UnreadableSource(f"{kind}, not a file")
        parts = []
        while part := os.read(descriptor, max(status.st_size + 1, 65536)):
            parts.append(part)
            if len(part) == status.st_size:
                break
        return b"".join(parts)
    except OSError as error:
        raise UnreadableSource(_reason(path, error)) from error
    finally:
        os.close(descriptor)


def decode(raw: bytes) -> Text:
    """UTF-8, UTF-16 or UTF-32 as the byte order mark or the bytes say, else Windows-1252, else Latin-1.

    A byte order mark in the middle of the text, which concatenated files have, becomes a space: offsets stay true.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _marked(raw, mark, encoding)
    return _unmarked(raw)


def _unmarked(raw: bytes) -> Text:
    if b"\0" in raw:
        return _without_mark(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return _one_byte(raw, error.start)
    if "\ufeff" in text:
        return Text(text.replace("\ufeff", " "), "a byte order mark in the middle of the text is taken for a space")
    return Text(text)


def _marked(raw: bytes, mark: bytes, encoding: str) -> Text:
    if encoding == "utf-8":
        return _unmarked(raw[len(mark) :])
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"begins with the mark of {encoding.upper()} and is not {encoding.upper()} (byte {error.start})") from error
    if "\0" in text:
        raise UnreadableSource("contains NUL characters, which PostgreSQL cannot take")
    return Text(text.replace("\ufeff", " "), f"read as {encoding.upper()}")


def _without_mark(raw: bytes) -> Text:
    """UTF-16 without a mark: in SQL nearly every other byte is zero."""
    sample = raw[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd * 5 > len(sample) and even * 20 < odd else "utf-16-be" if even * 5 > len(sample) and odd * 20 < even else ""
    if encoding:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return Text(text.replace("\ufeff", " "), f"read as {encoding.upper()} without a byte order mark")
    raise UnreadableSource(f"contains NUL bytes (the first at byte {raw.index(0)}): not text")


def _one_byte(raw: bytes, where: int) -> Text:
    if sum(byte in _BINARY for byte in raw[:8192]) * 100 > len(raw[:8192]):
        raise UnreadableSource("binary, not text")
    try:
        return Text(raw.decode("cp1252"), f"not UTF-8 (byte {where}): read as Windows-1252")
    except UnicodeDecodeError:
        return Text(raw.decode("latin-1"), f"not UTF-8 (byte {where}): read as Latin-1")


def _reason(path: str, error: OSError | ValueError) -> str:
    if not isinstance(error, OSError):
        return f"cannot be opened: {error}"
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return "a broken link"
    return f"cannot be read: {(error.strerror or str(error)).lower()}"
