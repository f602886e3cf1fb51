"""Append-only journals: JSON lines with a hash chain over commitments.

A line is `{n, at, kind, ref, prev, commit, salt, body}`. `commit` is the SHA-256 of the salt and the canonical body;
`prev` is the SHA-256 of the line before without its salt and body, so that a purge can take those away and the chain
still holds. Lines are written under a lock and fsynced; a batch is one write, of which a crash may leave the first lines.
A torn last line after a crash is cut off, said, and the chain goes on; only its length and hash are kept, for its text may
name a person. A chain alone cannot show that whole lines were cut from its end: compare it with a head that was printed.
"""

from __future__ import annotations

import fcntl
import gc
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from pipeline.problems import FailedError, Problem

Body = dict[str, Any]
START = "0" * 64
State = TypeVar("State")


@dataclass(frozen=True)
class Entry:
    """One line of a journal; `salt` and `body` are None once purged."""

    n: int
    at: str
    kind: str
    ref: str
    prev: str
    commit: str
    salt: str | None
    body: Body | None

    def link(self) -> str:
        """What the next line names as `prev`."""
        return _hash([self.n, self.at, self.kind, self.ref, self.prev, self.commit])

    def head(self) -> list[Any]:
        """What the commitment covers beside the body."""
        return [self.n, self.at, self.kind, self.ref, self.prev]

    def text(self) -> str:
        """The line as it stands in the file, without its end."""
        return json.dumps(self.__dict__, ensure_ascii=False, separators=(",", ":"))


def _hash(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def commitment(salt: str, head: Sequence[Any], body: Body) -> str:
    """The commitment to a body and to its head (n, at, kind, ref, prev), which the last line has no other guard for."""
    return _hash([salt, *head, body])


class Journal:
    """One journal file. It is read when opened and again whenever another process has added to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._entries: list[Entry] = []
        self._seen: tuple[int, ...] = ()
        self._torn = False
        self.reads = 0
        self._load()

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        self._load()
        return self._entries

    def head(self) -> str:
        """The hash that a next entry would name: print it, and a rewritten chain disagrees with the paper."""
        entries = self.entries()
        return entries[-1].link() if entries else START

    def append(self, kind: str, ref: str, body: Body, at: datetime | None = None) -> Entry:
        """Add one entry, fsynced."""
        return self.append_all([(kind, ref, body)], at)[0]

    def append_all(self, events: Sequence[tuple[str, str, Body]], at: datetime | None = None) -> list[Entry]:
        """Add several entries with one write, fsynced once."""
        if not events:
            return []
        stamp = (at or datetime.now(UTC)).isoformat(timespec="microseconds")
        with self._locked():
            self._load(mend=True)
            added = list(_chain(self._entries, events, stamp))
            text = "".join(entry.text() + "\n" for entry in added)
            with self.path.open("ab") as stream:
                stream.write(text.encode("utf-8", "surrogatepass"))
                stream.flush()
                os.fsync(stream.fileno())
            self._entries = self._entries + added
            self._seen = self._stamp()
        return added

    def purge(self, numbers: Iterable[int], why: str, at: datetime | None = None) -> list[int]:
        """Take body and salt from the entries of these numbers; an entry `purged` names them. Gives those taken."""
        gone = set(numbers)
        with self._locked():
            self._load(mend=True)
            if faults := self.verify():
                raise FailedError(*faults)  # writing it again would hide what was done to it
            taken = [e.n for e in self._entries if e.n in gone and e.body is not None and e.kind != "purged"]
            if not taken:
                return []
            kept = [Entry(e.n, e.at, e.kind, e.ref, e.prev, e.commit, None, None) if e.n in set(taken) else e
                    for e in self._entries]
            stamp = (at or datetime.now(UTC)).isoformat(timespec="microseconds")
            kept += _chain(kept, [("purged", "", {"numbers": taken, "why": why})], stamp)
            self._rewrite(kept)
        return taken

    def verify(self, head: str | None = None) -> list[Problem]:
        """A problem for each entry that does not hold, with its line; `head`: a head once printed, which must occur."""
        faults: list[Problem] = []
        raw = self.path.read_bytes().split(b"\n") if self.path.exists() else [b""]
        if raw[-1]:
            faults.append(self._fault(len(raw), "is torn: the last line has no end"))
        previous, heads, nulls, purged = START, {START}, set(), set()
        for number, line in enumerate(raw[:-1], 1):
            entry = _parsed(line)
            if entry is None:
                faults.append(self._fault(number, "is not an entry"))
                continue
            faults += [self._fault(number, what) for what in _faults(entry, number, previous, line)]
            previous = entry.link()
            heads.add(previous)
            if entry.body is None:
                nulls.add(entry.n)
            elif entry.kind == "purged":
                purged |= _numbers(entry.body)
        faults += [self._fault(n, "has lost its body, and no purge names it") for n in sorted(nulls - purged)]
        if head is not None and head not in heads:
            faults.append(Problem(str(self.path), "does not hold the head that was printed", "a backup of that date"))
        return faults

    def _fault(self, number: int, what: str) -> Problem:
        return Problem(f"{self.path}, line {number}", what, "comparing with a backup; do not edit registers by hand")

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _load(self, mend: bool = False) -> None:
        """Read the file again if it is not as last seen; `mend` (under the lock) cuts a torn last line off."""
        stamp = self._stamp()  # taken before reading: what is added meanwhile is read next time
        if stamp == self._seen and not (mend and self._torn):
            return
        data = self.path.read_bytes() if stamp else b""
        whole = data.rfind(b"\n") + 1
        self._torn = whole != len(data)
        if self._torn and mend:
            self._cut(data, whole)
            stamp, self._torn = self._stamp(), False
        self.reads += 1
        with _uncollected():
            parsed = [_parsed(line) for line in data[:whole].split(b"\n")[:-1]]
            self._entries = [entry for entry in parsed if entry is not None]
        self._seen = stamp

    def _cut(self, data: bytes, whole: int) -> None:
        """Cut a torn last line off; its text is not kept, for it may name a person."""
        with self.path.open("r+b") as stream:
            stream.truncate(whole)
            os.fsync(stream.fileno())
        torn = data[whole:]
        self.problems.append(Problem(str(self.path), f"had a torn last line of {len(torn)} bytes after a crash (SHA-256 "
                                     f"{hashlib.sha256(torn).hexdigest()[:16]}); it was cut off",
                                     "nothing: the entry had not been made"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not self.path.exists()
        with os.fdopen(os.open(self.path.with_name("." + self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if new and not self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
                _sync_folder(self.path.parent)
            self._half().unlink(missing_ok=True)  # of a purge that was cut short: it may hold what a later one erases
            yield

    def _half(self) -> Path:
        return self.path.with_name("." + self.path.name + ".half")

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        half = self._half()
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write("".join(entry.text() + "\n" for entry in entries).encode("utf-8", "surrogatepass"))
            stream.flush()
            os.fsync(stream.fileno())
        half.rename(self.path)
        _sync_folder(self.path.parent)
        self._entries, self._seen = list(entries), self._stamp()
        self.reads += 1


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: what is read here stays, and the collector would walk it again and again for nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class Folded(Generic[State]):
    """What the entries of a journal come to, each folded once; all of them anew only when the file was read again.

    `begin` makes the state of no entries, `step` takes one entry into it. What `now` gives is the state itself: read it only.
    """

    def __init__(self, journal: Journal, begin: Callable[[], State], step: Callable[[State, Entry], None]) -> None:
        self.journal, self._begin, self._step = journal, begin, step
        self._state, self._done, self._reads = begin(), 0, 0

    def now(self) -> State:
        """The state after every entry there is."""
        entries = self.journal.entries()
        if self._reads != self.journal.reads:
            self._state, self._done, self._reads = self._begin(), 0, self.journal.reads
        with _uncollected():
            for entry in entries[self._done:]:
                self._step(self._state, entry)
        self._done = len(entries)
        return self._state


def _chain(entries: Sequence[Entry], events: Sequence[tuple[str, str, Body]], at: str) -> Iterator[Entry]:
    number, previous = (entries[-1].n, entries[-1].link()) if entries else (0, START)
    for kind, ref, given in events:
        salt = secrets.token_hex(16)
        body = json.loads(json.dumps(given))  # as it will be read back, so that its hash is the same
        number += 1
        entry = Entry(number, at, kind, ref, previous, commitment(salt, [number, at, kind, ref, previous], body), salt, body)
        previous = entry.link()
        yield entry


def _parsed(line: bytes) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    words = (entry.at, entry.kind, entry.ref, entry.prev, entry.commit)
    fits = type(entry.n) is int and all(isinstance(word, str) for word in words)
    fits = fits and isinstance(entry.salt, str | None) and isinstance(entry.body, dict | None)
    return entry if fits else None


def _numbers(body: Body) -> set[int]:
    """The entries that a `purged` entry names."""
    named = body.get("numbers")
    return {n for n in named if isinstance(n, int)} if isinstance(named, list) else set()


def _faults(entry: Entry, number: int, previous: str, line: bytes) -> Iterator[str]:
    if entry.n != number:
        yield f"has number {entry.n} where {number} belongs"
    if entry.prev != previous:
        yield "does not follow the line before it"
    if entry.text().encode("utf-8", "surrogatepass") != line:
        yield "is not written as the program writes it"
    if (entry.body is None) != (entry.salt is None) or (
            entry.body is not None and commitment(entry.salt or "", entry.head(), entry.body) != entry.commit):
        yield "is not the entry it was made as"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
