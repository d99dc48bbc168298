"""Bytes of a source, decompressed, in chunks: a path or "-" in, `Chunks` out. Nothing is ever read whole.

gzip (also several members in one file, also cut off) is recognised by its first bytes; UTF-16 by its mark.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from dbguard.errors import UnreadableSource

CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_OTHERS = ((b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04", "zip"))


class Chunks:
    """Chunks of bytes of one source. `trouble` says afterwards why it ended early."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self.trouble = ""
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        first = self._read()
        if first.startswith(_GZIP):
            yield from self._unzipped(first)
            return
        for mark, what in _OTHERS:
            if first.startswith(mark):
                self.trouble = f"it is compressed with {what}: decompress it and give it on standard input"
                return
        yield from self._plain(first)

    def _plain(self, first: bytes) -> Iterator[bytes]:
        encoding = "utf-16" if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
        decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        first = first.removeprefix(codecs.BOM_UTF8)
        while first:
            yield first if decoder is None else decoder.decode(first).encode("utf-8", "replace")
            first = self._read()

    def _read(self) -> bytes:
        try:
            return self._stream.read(CHUNK) or b""
        except OSError as error:
            self.trouble = f"reading ended early: {error.strerror or error}"
            return b""

    def _unzipped(self, raw: bytes) -> Iterator[bytes]:
        machine = zlib.decompressobj(wbits=31)
        try:
            while raw:
                data = machine.decompress(raw, CHUNK)
                if data:
                    yield data
                if machine.eof:
                    rest = machine.unused_data or self._read()
                    rest = rest.lstrip(b"\0")
                    if rest and not rest.startswith(_GZIP):
                        self.trouble = "what follows the gzip data is not gzip"
                        return
                    raw, machine = rest, zlib.decompressobj(wbits=31)
                else:
                    raw = machine.unconsumed_tail or self._read()
            if not machine.eof and machine.unconsumed_tail == b"" and self._started(machine):
                self.trouble = self.trouble or "the gzip data is cut off"
        except zlib.error:
            self.trouble = "the gzip data is damaged"

    @staticmethod
    def _started(machine: zlib._Decompress) -> bool:
        """A decompressor that was given nothing yet is between two members."""
        return machine.copy().flush() != b"" or not machine.eof


def open_source(path: str, stdin: BinaryIO | None = None) -> tuple[Chunks, BinaryIO | None]:
    """The chunks of a file, and the stream to close afterwards. Raises UnreadableSource with a reason that does not name the file."""
    if path == "-":
        if stdin is None:
            raise UnreadableSource("there is no standard input")
        return Chunks("<stdin>", stdin), None
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise UnreadableSource(str(getattr(error, "strerror", None) or error)) from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        os.close(descriptor)
        raise UnreadableSource("a folder, not a file")
    if not stat.S_ISREG(mode):
        os.set_blocking(descriptor, True)  # a pipe of the shell: <(zcat log.gz)
    stream = io.FileIO(descriptor)
    return Chunks(path, stream), stream
