"""Files beside a register that save reading all of it: what its first lines come to, or that they were walked and hold.

A kept file counts only for the very bytes it was made from, and only as this version of the program made it: it bears their
length and SHA-256, the version, and a MAC by a key of the school. (Whoever has the key can write a false one; they could write a
false register too.) Whatever is wrong with a kept file, it is as if there were none, and the next reader makes it anew. It is
written under the register's lock, and not where the register was written again meanwhile: what a purge took away cannot come
back by it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from io import BufferedReader
from typing import Any

from pipeline.durable import private, sync
from pipeline.journal import Journal

BLOCK = 1 << 20
Key = Callable[[], bytes]  # asked for only when there is something to open or to write


@dataclass(frozen=True)
class Kind:
    """One kind of kept file: its name, and a word that changes whenever what is in it may mean something else."""

    name: str
    version: str


def version(*modules: str) -> str:
    """A word that changes with the text of any of these modules of the program: `pipeline.chain`, …"""
    paths = (module.rpartition(".") for module in modules)
    texts = (resources.files(package).joinpath(f"{name}.py").read_bytes() for package, _, name in paths)
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


class Tape:
    """A register read from its first byte on, once, with the hash of what has been read so far.

    What another process purges meanwhile stays readable here; `current` says that it is not the register any more.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.at = 0  # bytes read: whole lines only
        self._stream: BufferedReader | None = None
        self._hash = hashlib.sha256()

    def current(self) -> bool:
        """Whether what was read is still the beginning of the register; a register that is not there has no beginning."""
        if self._stream is None:
            return not self.journal.path.exists()
        try:
            there = self.journal.path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._stream.fileno())
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino) and there.st_size >= self.at

    def open(self) -> bool:
        """Open the register where it is there; whether it is."""
        if self._stream is None and self.journal.path.exists():
            self._stream = self.journal.path.open("rb")
        return self._stream is not None

    def skip(self, length: int, digest: str) -> bool:
        """Go on to byte `length` if the bytes up to there have this SHA-256 (only from the first byte); whether they have."""
        seen, left = hashlib.sha256(), length
        if self.at or self._stream is None:
            return False
        self._stream.seek(0)
        while left and (block := self._stream.read(min(BLOCK, left))):
            seen.update(block)
            left -= len(block)
        if left or seen.hexdigest() != digest:
            return False
        self._hash, self.at = seen, length
        return True

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Every whole line that has not been read yet, without its end, and the byte it begins at."""
        if not self.open() or self._stream is None:
            return
        self._stream.seek(self.at)
        rest = b""
        while block := self._stream.read(BLOCK):
            whole, end, rest = (rest + block).rpartition(b"\n")
            if not end:
                continue
            self._hash.update(whole + end)
            begin, self.at = self.at, self.at + len(whole) + 1
            for line in whole.split(b"\n"):
                yield begin, line
                begin += len(line) + 1

    def line(self, begin: int, length: int) -> bytes:
        """One line that was read before."""
        return os.pread(self._stream.fileno(), length, begin) if self._stream else b""

    def digest(self) -> str:
        """SHA-256 of the bytes read."""
        return self._hash.hexdigest()

    def more(self) -> bool:
        """Whether bytes follow those read: another's write that is under way, or a line that was torn."""
        return self._stream is not None and os.fstat(self._stream.fileno()).st_size > self.at


def load(tape: Tape, kind: Kind, key: Key) -> list[bytes] | None:
    """The parts of the kept file, and the tape at the byte they reach to; None, and the tape as it was, where none counts."""
    path = tape.journal.kept(kind.name)
    if not tape.open():
        return None
    try:
        with path.open("rb") as stream:
            mac, head = stream.readline().strip(), stream.readline()
            if not hmac.compare_digest(mac, _mac(key(), head)):
                return None
            about: dict[str, Any] = json.loads(head)
            if about["version"] != kind.version:
                return None
            parts = [stream.read(length) for length, _ in about["parts"]]
    except OSError:  # there is none, or none that can be read
        return None
    if any(hashlib.sha256(part).hexdigest() != digest for part, (_, digest) in zip(parts, about["parts"], strict=True)):
        return None
    return parts if tape.skip(about["length"], about["sha256"]) else None


def save(tape: Tape, kind: Kind, key: Key, parts: Sequence[bytes]) -> bool:
    """Keep what the bytes read so far come to; whether it was kept: not where the folder cannot be written in."""
    about = {"version": kind.version, "length": tape.at, "sha256": tape.digest(),
             "parts": [(len(part), hashlib.sha256(part).hexdigest()) for part in parts]}
    head = json.dumps(about).encode() + b"\n"
    path = tape.journal.kept(kind.name)
    half = path.with_name(path.name + ".half")
    mac = _mac(key(), head)
    try:
        with tape.journal.locked():
            if not tape.current():
                return False
            with private(half) as stream:
                stream.writelines([mac + b"\n", head, *parts])
            half.rename(path)
            sync(path.parent)
    except OSError:  # a full disk, or a folder that is only to be read: the register itself is as it was
        half.unlink(missing_ok=True)
        return False
    return True


def _mac(key: bytes, head: bytes) -> bytes:
    return hmac.digest(key, b"kept\0" + head, "sha256").hex().encode()
