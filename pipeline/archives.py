"""What a log may be packed in, known by its first bytes and never by its name: gz, bz2, xz, zst, zip, UTF-16, a JSON array, or a
database.

Everything is read as a stream: nothing is unpacked on disk, no link inside an archive is followed, and a stream that swells
beyond all measure is cut off (a log packs ten to a hundred times; a bomb a thousand).
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import shutil
import sqlite3
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from pipeline.formats import arrays, ftl
from pipeline.problems import Problem

MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst", b"PK\x03\x04": "zip",
         ftl.MAGIC: "sqlite"}
SWELL, FROM = 500, 1 << 30      # a stream may be this many times its file, once it is longer than a gibibyte
MEMBERS = 1_000
STEP = 1 << 18


class SwollenError(OSError):
    """A packed file that holds more than a log can."""


TORN = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, OSError, zipfile.BadZipFile, sqlite3.Error, pa.ArrowInvalid)


def packing(path: Path) -> str:
    """How the file is packed: a name of MAGIC's, or '' for a plain one."""
    with path.open("rb") as stream:
        begin = stream.read(16)
    return next((name for magic, name in MAGIC.items() if begin.startswith(magic)), "")


def members(path: Path) -> tuple[list[str], list[Problem]]:
    """The files inside a zip that can be logs, and a problem for each that is left out."""
    with zipfile.ZipFile(path) as box:
        inside = [info for info in box.infolist() if not info.is_dir()]
    problems = [Problem(f"{path}, {_name(info)}", why, "taking it out and giving it by itself")
                for info in inside if (why := _refused(info))]
    kept = [info.filename for info in inside if not _refused(info)]
    if len(kept) > MEMBERS:
        problems.append(Problem(str(path), f"holds {len(kept):,} files; the first {MEMBERS:,} were read", "smaller archives"))
    return kept[:MEMBERS], problems


def _name(info: zipfile.ZipInfo) -> str:
    return ascii(info.filename)[1:-1][:100]


def _refused(info: zipfile.ZipInfo) -> str:
    """Why a member is not read; '' when it is."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link, which is not followed"
    if info.flag_bits & 1:
        return "is locked by a password"
    if info.filename.lower().endswith((".zip", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar")):
        return "is an archive inside an archive, which is not opened"
    return ""


def opened(path: Path, packed: str, member: str = "", encoding: str = "", array: bool = False) -> BinaryIO:
    """The bytes of a log as a stream that can be read and sought from its start, UTF-16 as UTF-8, a JSON array as lines."""
    if not packed and not encoding and not array:
        return path.open("rb")
    most = max(FROM, SWELL * path.stat().st_size)

    def begin() -> Iterator[bytes]:
        pieces = _measured(_pieces(path, packed, member, encoding), most)
        return arrays.lines(pieces) if array else pieces
    return cast(BinaryIO, io.BufferedReader(_Forward(begin), STEP))


def encoding_of(begin: bytes) -> str:
    """utf-16-le or utf-16-be, by the byte-order mark or by a NUL in every second byte; '' for anything else."""
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if begin.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    some = begin[:512]
    for encoding, empty in (("utf-16-le", some[1::2]), ("utf-16-be", some[::2])):
        if len(empty) >= 8 and empty.count(0) > 0.9 * len(empty) and some.count(0) < 0.6 * len(some):
            return encoding
    return ""


def _pieces(path: Path, packed: str, member: str, encoding: str) -> Iterator[bytes]:
    """The unpacked bytes, a piece at a time."""
    if packed == "sqlite":
        yield from _rows(path)
        return
    decoder = codecs.getincrementaldecoder(encoding)("backslashreplace") if encoding else None
    with _unpacked(path, packed, member) as stream:
        while piece := _step(stream):
            yield decoder.decode(piece).encode("utf-8", "backslashreplace") if decoder else piece
    if decoder and (rest := decoder.decode(b"", True)):
        yield rest.encode("utf-8", "backslashreplace")


def _measured(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The pieces, while they are no more than `most` bytes."""
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise SwollenError("swells beyond what a log can be")
        yield piece


def _step(stream: Any) -> bytes:
    """The next bytes; those before the damage of a file come out before its damage does."""
    return bytes(stream.read1(STEP) if hasattr(stream, "read1") else stream.read(STEP))


def _unpacked(path: Path, packed: str, member: str) -> Any:
    openers: dict[str, Callable[[], Any]] = {
        "gz": lambda: gzip.open(path, "rb"), "bz2": lambda: bz2.open(path, "rb"), "xz": lambda: lzma.open(path, "rb"),
        "zst": lambda: pa.input_stream(str(path), compression="zstd"), "zip": lambda: zipfile.ZipFile(path).open(member),
        "": lambda: path.open("rb")}
    return openers[packed]()


def _rows(path: Path) -> Iterator[bytes]:
    """The rows of Pi-hole's database as lines, from a copy of it and its write-ahead log: it is written to all day."""
    with tempfile.TemporaryDirectory(prefix="schoolgate-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        for tail in ("-wal", "-shm"):
            if (beside := path.with_name(path.name + tail)).exists():
                shutil.copyfile(beside, copy.with_name(copy.name + tail))
        con = sqlite3.connect(copy)
        try:
            if con.execute(ftl.KNOWS).fetchone()[0] != ftl.COLUMNS:
                raise sqlite3.DatabaseError("no Pi-hole database")
            for (text,) in con.execute(ftl.ROWS, (0,)):
                yield text.encode("utf-8", "backslashreplace") + b"\n"
        finally:
            con.close()


class _Forward(io.RawIOBase):
    """A stream of pieces that can be sought: backwards by starting again."""

    def __init__(self, begin: Callable[[], Iterator[bytes]]) -> None:
        self._begin = begin
        self._start()

    def _start(self) -> None:
        self._source, self._held, self._at = self._begin(), b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if not self._held:
            self._held = next(self._source, b"")
        taken = min(len(buffer), len(self._held))
        buffer[:taken] = self._held[:taken]
        self._held = self._held[taken:]
        self._at += taken
        return taken

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            place += self._at
        if place < self._at:
            self._start()
        scratch = bytearray(STEP)
        while self._at < place and self.readinto(memoryview(scratch)[:min(STEP, place - self._at)]):
            pass
        return self._at
