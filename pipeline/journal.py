"""Append-only journals: JSON lines in a hash chain (`chain`), written under a lock and fsynced.

A batch is one write, of which a crash may leave the first lines. A torn last line after a crash is cut off, said, and the chain
goes on; only its length and hash are kept, for its text may name a person. A chain alone cannot show that whole lines were cut
from its end: compare it with a head that was printed.

Beside a journal may stand files made from it (`kept`). What a purge takes from the journal it takes from them: they go first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.chain import START, Body, Entry, Walk, following, parsed, uncollected
from pipeline.durable import replacing, sync
from pipeline.problems import FailedError, Problem

State = TypeVar("State")
BLOCK = 1 << 16


class Journal:
    """One journal file. Its entries are read when they are asked for, and again whenever another process has added to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._entries: list[Entry] = []
        self._seen: tuple[int, ...] | None = None  # None: not read yet
        self.reads = 0

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        stamp = self._stamp()  # taken before reading: what is added meanwhile is read next time
        if stamp != self._seen:
            data = self.path.read_bytes() if stamp else b""
            with uncollected():
                self._take([entry for line in data.split(b"\n")[:-1] if (entry := parsed(line))], stamp)
        return self._entries

    def _take(self, entries: list[Entry], stamp: tuple[int, ...]) -> None:
        self._entries, self._seen = entries, stamp
        self.reads += 1

    def head(self) -> str:
        """The hash that a next entry would name: print it, and a rewritten chain disagrees with the paper."""
        last = self._last()
        return last.link() if last else START

    def _last(self) -> Entry | None:
        """The last entry, without reading those before it."""
        if self._seen is not None and self._stamp() == self._seen:
            return self._entries[-1] if self._entries else None
        return next((entry for line in _backwards(self.path) if (entry := parsed(line))), None) if self._stamp() else None

    def append(self, kind: str, ref: str, body: Body, at: datetime | None = None) -> Entry:
        """Add one entry, fsynced."""
        return self.append_all([(kind, ref, body)], at)[0]

    def append_all(self, events: Sequence[tuple[str, str, Body]], at: datetime | None = None) -> list[Entry]:
        """Add several entries with one write, fsynced once."""
        if not events:
            return []
        stamp = (at or datetime.now(UTC)).isoformat(timespec="microseconds")
        with self.locked():
            self._mend()
            known = self._stamp() == self._seen
            added = list(following(self._last(), events, stamp))
            text = "".join(entry.text() + "\n" for entry in added)
            with self.path.open("ab") as stream:
                stream.write(text.encode("utf-8", "surrogatepass"))
                stream.flush()
                os.fsync(stream.fileno())
            if known:  # what was read before stays read
                self._entries, self._seen = self._entries + added, self._stamp()
        return added

    def purge(self, numbers: Iterable[int], why: str, at: datetime | None = None) -> list[int]:
        """Take body and salt from the entries of these numbers; an entry `purged` names them. Gives those taken."""
        gone = set(numbers)
        with self.locked():
            self._mend()
            if faults := self.verify():
                raise FailedError(*faults)  # writing it again would hide what was done to it
            entries = self.entries()
            taken = {e.n for e in entries if e.n in gone and e.body is not None and e.kind != "purged"}
            if not taken:
                return []
            kept = [Entry(e.n, e.at, e.kind, e.ref, e.prev, e.commit, None, None) if e.n in taken else e for e in entries]
            stamp = (at or datetime.now(UTC)).isoformat(timespec="microseconds")
            kept += following(kept[-1], [("purged", "", {"numbers": sorted(taken), "why": why})], stamp)
            self._rewrite(kept)
        return sorted(taken)

    def verify(self, head: str | None = None) -> list[Problem]:
        """Walk the whole chain: a problem for each entry that does not hold, with its line.

        `head`: a head once printed, which must be the head that some line left.
        """
        raw = self.path.read_bytes().split(b"\n") if self.path.exists() else [b""]
        walk = Walk()
        faults = [self.fault(len(raw), "is torn: the last line has no end")] if raw[-1] else []
        faults += [self.fault(*said) for line in raw[:-1] for said in walk.step(line)]
        faults += [self.fault(*said) for said in walk.end()]
        if head is not None and head not in (START, *walk.heads):
            faults.append(Problem(str(self.path), "does not hold the head that was printed", "a backup of that date"))
        return faults

    def fault(self, number: int, what: str) -> Problem:
        """The problem of one line."""
        return Problem(f"{self.path}, line {number}", what, "comparing with a backup; do not edit registers by hand")

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _mend(self) -> None:
        """Under the lock: cut a torn last line off; its text is not kept, for it may name a person."""
        torn = next(iter(_backwards(self.path, torn=True)), b"")
        if not torn:
            return
        with self.path.open("r+b") as stream:
            stream.truncate(self.path.stat().st_size - len(torn))
            os.fsync(stream.fileno())
        self.problems.append(Problem(str(self.path), f"had a torn last line of {len(torn)} bytes after a crash (SHA-256 "
                                     f"{hashlib.sha256(torn).hexdigest()[:16]}); it was cut off",
                                     "nothing: the entry had not been made"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal, and what stands beside it, against every other writer."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not self.path.exists()
        with os.fdopen(os.open(self.path.with_name("." + self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if new and not self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
                sync(self.path.parent)
            for half in self.path.parent.glob(f".{self.path.name}.*half"):
                half.unlink(missing_ok=True)  # of a write that was cut short: it may hold what a later purge erases
            yield

    def kept(self, name: str) -> Path:
        """Where a file of that name beside the journal stands; a purge of the journal removes it."""
        return self.path.with_name(f".{self.path.name}.{name}.kept")

    def _rewrite(self, entries: Sequence[Entry]) -> None:
        for made in self.path.parent.glob(f".{self.path.name}.*.kept"):
            made.unlink()
        sync(self.path.parent)
        with replacing(self.path) as stream:
            stream.write("".join(entry.text() + "\n" for entry in entries).encode("utf-8", "surrogatepass"))
        self._take(list(entries), self._stamp())


def _backwards(path: Path, torn: bool = False) -> Iterator[bytes]:
    """The lines of a file from its last to its first, without their ends; `torn`: only what follows the last end."""
    with path.open("rb") as stream:
        at, rest = stream.seek(0, os.SEEK_END), b""
        ended = torn
        while at:
            size = min(BLOCK, at)
            at = stream.seek(at - size)
            lines = (stream.read(size) + rest).split(b"\n")
            rest = lines[0]
            for line in reversed(lines[1:]):
                if ended:
                    yield line
                if torn:
                    return
                ended = True  # what follows the last end is no line
        if ended:
            yield rest


class Folded(Generic[State]):
    """What the entries of a journal come to, each folded once; all of them anew only when the file was read again.

    `begin` makes the state of no entries, `step` takes one entry into it. What `now` gives is the state itself: read it only.
    """

    def __init__(self, journal: Journal, begin: Callable[[], State], step: Callable[[State, Entry], None]) -> None:
        self.journal, self._begin, self._step = journal, begin, step
        self._state, self._done, self._reads = begin(), 0, 0

    def now(self) -> State:
        """The state after every entry there is."""
        with uncollected():
            entries = self.journal.entries()
            if self._reads != self.journal.reads:
                self._state, self._done, self._reads = self._begin(), 0, self.journal.reads
            for entry in entries[self._done:]:
                self._step(self._state, entry)
        self._done = len(entries)
        return self._state
