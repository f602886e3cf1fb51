"""Log files in, numbered batches of lines out. Nothing here knows what a line means.

A file is read up to the size it had when it was measured, in blocks, from any byte on. Newlines are found with numpy and
the block is wrapped as Arrow strings without copying; only a block that is not UTF-8 is repaired, by backslash escapes.
The last line without its newline waits for the next night, unless the file is finished.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from glob import glob, has_magic
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import archives
from pipeline.archives import TORN, SwollenError
from pipeline.formats.arrays import is_array
from pipeline.problems import Problem

BLOCK = 16 << 20
LONGEST = 1 << 20  # a longer line is a reject
HEAD = 4096
SAMPLE = 64 << 10
FINISHED_AFTER = 86_400  # seconds without a change
ROTATED = re.compile(r"(\.\d+|-\d{8}(-\d+)?)(\.(gz|bz2|xz|zst|zip))?$")


@dataclass(frozen=True)
class LogFile:
    """One log on disk: its path, its size in bytes when measured, whether nothing more will be added to it, how it is packed
    (and which file of an archive it is), its encoding where that is not UTF-8, and whether it is a JSON array, whose elements
    are its lines."""

    path: Path
    size: int
    changed: float
    finished: bool
    packed: str = ""
    member: str = ""
    encoding: str = ""
    array: bool = False

    @property
    def compressed(self) -> bool:
        """Whether the bytes read are not those of the file, so that its size says nothing of the log's."""
        return bool(self.packed or self.encoding or self.array)

    @property
    def name(self) -> str:
        """Its file name, with the name inside an archive behind it."""
        return f"{self.path.name}:{self.member}" if self.member else self.path.name

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)


@dataclass(frozen=True)
class Batch:
    """Whole lines of one log: text with line ends (`texts`), where each begins (`bytes`), and which are too long."""

    first_line: int
    start: int
    end: int
    texts: pa.StringArray
    bytes: npt.NDArray[np.int64]
    long: npt.NDArray[np.bool_]

    def cut(self, rows: Collection[int]) -> Iterator[tuple[Batch, str]]:
        """The batch in parts that begin at these rows, and the first line of each part; '' for what begins before the first."""
        places = sorted({0, *rows})
        for first, after in zip(places, [*places[1:], len(self.texts)], strict=True):
            start = int(self.bytes[first]) if first else self.start
            end = int(self.bytes[after]) if after < len(self.texts) else self.end
            part = Batch(self.first_line + first, start, end, self.texts.slice(first, after - first),
                         self.bytes[first:after], self.long[first:after])
            yield part, self.texts[first].as_py() if first in rows else ""

    def numbered(self) -> pa.Table:
        """The batch as a table: line, byte, text, long."""
        lines = np.arange(self.first_line, self.first_line + len(self.texts), dtype=np.int64)
        return pa.table({"line": lines, "byte": self.bytes, "text": self.texts, "long": self.long})


def measure(path: Path, member: str = "") -> LogFile:
    """The file as it stands now."""
    found, packed = path.stat(), archives.packing(path)
    finished = (packed not in ("", "sqlite") or bool(ROTATED.search(path.name))
                or time.time() - found.st_mtime > FINISHED_AFTER)
    log = LogFile(path, found.st_size, found.st_mtime, finished, packed, member)
    if packed == "sqlite":
        return replace(log, finished=True)
    begin = head(log)
    if encoding := archives.encoding_of(begin):
        log = replace(log, encoding=encoding)
        begin = head(log)
    return replace(log, array=is_array(begin))


def whole(log: LogFile) -> LogFile:
    """The log as one to which nothing more will be added: its last line counts, with a line end or without."""
    return replace(log, finished=True)


def find(names: Sequence[str]) -> tuple[list[LogFile], list[Problem]]:
    """The logs that `names` (files, folders, globs) stand for, oldest change first, and a problem for each that is none."""
    paths: dict[Path, None] = {}
    problems = []
    for name in names:
        found = _expand(name)
        if not found:
            problems.append(Problem(name, "no log is there", "the path of a log, a folder of logs, or a pattern in quotes"))
        paths.update(dict.fromkeys(found))
    logs: list[LogFile] = []
    for path in paths:
        try:
            inside, more = archives.members(path) if archives.packing(path) == "zip" else ([""], [])
            problems += more
            logs += [measure(path, member) for member in inside]
        except OSError as error:
            problems.append(Problem(str(path), f"could not be read ({error.strerror})", "its owner and mode"))
        except BadZipFile:
            problems.append(Problem(str(path), "is damaged: nothing of it could be read", "copying the log again"))
    return sorted(logs, key=lambda log: (log.changed, str(log))), problems


def _expand(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.is_file() and ".log" in p.name and not p.name.startswith("."))
    if path.is_file():
        return [path]
    found = glob(name) if has_magic(name) else []  # noqa: PTH207 (a pattern may begin at the root)
    return sorted(Path(p) for p in found if Path(p).is_file())


def opened(log: LogFile) -> BinaryIO:
    """The log as a stream of its unpacked bytes."""
    return archives.opened(log.path, log.packed, log.member, log.encoding, log.array)


def head(log: LogFile) -> bytes:
    """Its first 4 KiB, or all of a shorter log; what can be read of a damaged one."""
    with opened(log) as stream:
        return _read(stream, HEAD if log.compressed else min(HEAD, log.size))[0]


def damaged(log: LogFile) -> bool:
    """Whether not even its beginning can be read."""
    with opened(log) as stream:
        try:
            stream.read(HEAD if log.compressed else 0)
        except TORN:
            return True
    return False


def before(log: LogFile, end: int, size: int = HEAD) -> bytes:
    """The `size` bytes before byte `end`; fewer when the log is shorter."""
    with opened(log) as stream:
        try:
            stream.seek(max(0, end - size))
        except TORN:
            return b""
        return _read(stream, min(size, end))[0]


def sample(log: LogFile, size: int = SAMPLE) -> list[str]:
    """Whole lines from the head, the middle and the tail of a log; of a packed one from its head."""
    lines: list[str] = []
    with opened(log) as stream:
        for place in [0] if log.compressed else sorted({0, max(0, log.size // 2 - size // 2), max(0, log.size - size)}):
            try:
                stream.seek(place)
            except TORN:
                break
            *whole, torn = _read(stream, size if log.compressed else min(size, log.size - place))[0].split(b"\n")
            whole = whole[1:] if place else whole or [torn]
            lines += [line.decode("utf-8", "backslashreplace") + "\n" for line in whole]
    return [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []


def chunks(log: LogFile, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` to `end`, a mebibyte at a time."""
    with opened(log) as stream:
        stream.seek(start)
        while start < end:
            chunk = stream.read(min(LONGEST, end - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk


def batches(log: LogFile, start: int, first_line: int, problems: list[Problem]) -> Iterator[Batch]:
    """Numbered batches of whole lines from byte `start` on, whose first line has the number `first_line`.

    A stream that ends in damage gives what stood before it, and a problem in `problems`.
    """
    limit = None if log.compressed else log.size - start
    carry, lost, position = b"", 0, start
    with opened(log) as stream:
        for block in _blocks(stream, start, limit, str(log), problems):
            data = carry + block
            cut = data.rfind(b"\n") + 1
            if cut:
                batch = _batch(memoryview(data)[:cut], first_line, position, lost)
                yield batch
                first_line, position, lost = first_line + len(batch.texts), batch.end, 0
            carry = data[cut:]
            if len(carry) > LONGEST:  # keep only as much of an endless line as says that it is one
                lost += len(carry) - LONGEST - 1
                carry = carry[:LONGEST + 1]
    if carry and log.finished and not any(p.where == str(log) for p in problems):
        yield _batch(memoryview(carry), first_line, position, lost)


def _blocks(stream: BinaryIO, start: int, limit: int | None, where: str, problems: list[Problem]) -> Iterator[bytes]:
    try:
        stream.seek(start)
        while limit is None or limit > 0:
            block, torn = _read(stream, BLOCK if limit is None else min(BLOCK, limit))
            if block:
                limit = None if limit is None else limit - len(block)
                yield block
            if torn is not None:
                raise torn
            if not block:
                return
    except SwollenError:
        problems.append(Problem(where, "swells beyond what a log can be; the rest of it was not read", "unpacking it by hand"))
    except TORN:
        problems.append(Problem(where, "is damaged or ends early; what stands before the damage was read",
                                "copying the log again; the next night reads on from there"))


def _read(stream: BinaryIO, size: int) -> tuple[bytes, Exception | None]:
    """The next `size` bytes, fewer at the end or before damage; and the damage. `read` would lose them all."""
    parts, left = [], size
    try:
        while left > 0 and (part := cast(BufferedReader, stream).read1(left)):
            parts.append(part)
            left -= len(part)
    except TORN as error:
        return b"".join(parts), error
    return b"".join(parts), None


def _batch(data: memoryview, first_line: int, position: int, lost: int) -> Batch:
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    places = position + offsets[:-1] + lost
    places[0] = position
    lengths = np.diff(offsets)
    return Batch(first_line, position, position + len(data) + lost, _strings(data, offsets), places, lengths > LONGEST)


def _strings(data: memoryview, offsets: npt.NDArray[np.int64]) -> pa.StringArray:
    texts = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data))
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        texts = pa.array([str(data[a:b], "utf-8", "backslashreplace") for a, b in pairwise(offsets)])
    return texts
