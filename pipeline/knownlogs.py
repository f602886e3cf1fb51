"""Logs as far as they were read, known again by their first bytes whatever their names: what there is to read of one."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.chain import Entry
from pipeline.formats import Layout

HEAD = 4096
SHORTER = "a shorter copy of a log that was read further"


@dataclass(frozen=True)
class Source:
    """A log as far as it was read: bytes and lines consumed, hashes of its beginning (by length) and of its last 4 KiB."""

    source: str
    end: int
    lines: int
    heads: dict[int, str]
    tail: str
    name: str
    path: str
    format: str
    layouts: tuple[Layout, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What to read of one log: from which byte and line on, as which source, and why nothing where nothing is read."""

    source: str
    start: int
    lines: int
    known: bool
    refused: str = ""


def digest(key: bytes, data: bytes) -> str:
    """A keyed hash of some bytes of a log."""
    return hmac.digest(key, data, "sha256").hex()[:32]


def heads(key: bytes, begin: bytes) -> dict[int, str]:
    """Keyed hashes of a log's beginning, by length: up to each line end of its first 4 KiB, and of the 4 KiB whole."""
    begin = begin[:HEAD]
    lengths = {i + 1 for i, byte in enumerate(begin) if byte == 10}
    if len(begin) == HEAD:
        lengths.add(HEAD)
    return {length: digest(key, begin[:length]) for length in sorted(lengths)}


def plan(known: Mapping[str, Source], key: bytes, begin: bytes, size: int | None, tail_at: Callable[[int], bytes], finished: bool
         ) -> Plan:
    """What to read of a log that begins with `begin` and has `size` bytes (None: not known, compressed).

    `tail_at(end)` gives the 4 KiB before a byte of the log.
    """
    mine = heads(key, begin)
    if not mine:  # no whole line yet
        mine = {len(begin): digest(key, begin)} if begin and finished else {}
    if not mine:
        return Plan("", 0, 0, False, "nothing to read yet")
    best = max((source for source in known.values() if _same(mine, source.heads)),
               key=lambda source: min(max(mine), max(source.heads)), default=None)
    if best is None:
        return Plan("s" + mine[max(mine)][:15], 0, 0, False)
    if size is not None and size < best.end:
        return Plan(best.source, best.end, best.lines, True, SHORTER)
    if digest(key, tail_at(best.end)) != best.tail:
        cut = len(tail_at(best.end)) < min(HEAD, best.end)
        return Plan(best.source, best.end, best.lines, True, SHORTER if cut else "differs")
    return Plan(best.source, best.end, best.lines, True)


def _same(mine: Mapping[int, str], theirs: Mapping[int, str]) -> bool:
    """Whether one beginning is the other, as far as both are known."""
    length = min(max(mine), max(theirs))
    return mine.get(length, "") == theirs.get(length)


def take(sources: dict[str, Source], entry: Entry) -> None:
    """Take one entry of the ingest journal into the logs read."""
    if entry.kind == "read" and (b := entry.body):
        sources[b["source"]] = Source(b["source"], b["to"], b["lines"], {int(k): v for k, v in b["heads"].items()},
                                      b["tail"], b["name"], b["path"], b["format"],
                                      tuple(map(_layout, b.get("layouts", ()))))


def _layout(told: Mapping[str, Any]) -> Layout:
    return Layout(**{**told, "header": tuple(told["header"])})
