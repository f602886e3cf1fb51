"""The chain of a register: what an entry is, how it hangs on the one before it, and how a chain is walked. No files here.

A line is `{n, at, kind, ref, prev, commit, salt, body}`. `commit` is the SHA-256 of the salt and the canonical body;
`prev` is the SHA-256 of the line before without its salt and body, so that a purge can take those away and the chain
still holds.
"""

from __future__ import annotations

import gc
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
START = "0" * 64


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


def following(last: Entry | None, events: Iterable[tuple[str, str, Body]], at: str) -> Iterator[Entry]:
    """The entries that these events make after `last` (None: they are the first)."""
    number, previous = (last.n, last.link()) if last else (0, START)
    for kind, ref, given in events:
        salt = secrets.token_hex(16)
        body = json.loads(json.dumps(given))  # as it will be read back, so that its hash is the same
        number += 1
        entry = Entry(number, at, kind, ref, previous, commitment(salt, [number, at, kind, ref, previous], body), salt, body)
        previous = entry.link()
        yield entry


def parsed(line: bytes) -> Entry | None:
    """The entry of a line, without its end; None when it is no entry."""
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    words = (entry.at, entry.kind, entry.ref, entry.prev, entry.commit)
    fits = type(entry.n) is int and all(isinstance(word, str) for word in words)
    fits = fits and isinstance(entry.salt, str | None) and isinstance(entry.body, dict | None)
    return entry if fits else None


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: what is read here stays, and the collector would walk it again and again for nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@dataclass
class Walk:
    """A walk along a chain, line by line; it may begin after lines that are known to hold.

    `number`: lines walked. `previous`: the head they leave. `heads`: the head that each line left, in order.
    """

    number: int = 0
    previous: str = START
    heads: list[str] = field(default_factory=list)
    _nulls: set[int] = field(default_factory=set)
    _purged: set[int] = field(default_factory=set)

    def step(self, line: bytes) -> Iterator[tuple[int, str]]:
        """Walk one line: its number and what is wrong with it, for each thing that is."""
        self.number += 1
        entry = parsed(line)
        if entry is None:
            yield self.number, "is not an entry"
            return
        for fault in _faults(entry, self.number, self.previous, line):
            yield self.number, fault
        self.previous = entry.link()
        self.heads.append(self.previous)
        if entry.body is None:
            self._nulls.add(entry.n)
        elif entry.kind == "purged":
            self._purged |= _numbers(entry.body)

    def end(self) -> Iterator[tuple[int, str]]:
        """What can be said only once every line has been walked."""
        for number in sorted(self._nulls - self._purged):
            yield number, "has lost its body, and no purge names it"


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
