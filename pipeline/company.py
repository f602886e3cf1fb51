"""What came with a stay: who began one on its site in the same minute, where its person was before, the background around it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.groups import Codes, Ints, Words, dense, grouped, whole, words_of

SECOND, MINUTE = 1_000_000, 60_000_000
AFTER = 10                 # seconds after the end of a stay in which background still belongs to it
NEVER = np.iinfo(np.int64).max
LANE = ("client", "person")


def crowds(stays: pa.Table) -> Ints:
    """How many people began a stay on the site and category of each within a minute of it. Who is there already, or comes all
    day, is no crowd."""
    size, near = len(stays), (-1, 0, 1)
    minute = whole(stays["started"]) // MINUTE
    where = grouped([_thrice(words_of(stays["site"])), _thrice(words_of(stays["category"])),
                     dense(np.concatenate([minute + apart for apart in near]))])
    comers = grouped([Codes(where.of, where.size), _thrice(words_of(stays["subject"]))])
    crowd = np.bincount(where.of[comers.any_row()], minlength=where.size)
    return crowd[where.of[size:2 * size]]


def _thrice(words: Words) -> Codes:
    return Codes(np.concatenate([words.codes] * 3), len(words.values) + 1)


def since(stays: pa.Table) -> Ints:
    """Milliseconds since the person of each stay began the last one on another site before it, on the same device; NEVER: none.
    `stays` stand in the order of their first requests."""
    lane = grouped([words_of(stays[name]).coded() for name in LANE]).of
    site, started = words_of(stays["site"]).codes, whole(stays["started"])
    order = np.argsort(lane, kind="stable")
    lane, site = lane[order], site[order]
    new, moved = np.ones(len(order), bool), np.zeros(len(order), bool)
    new[1:] = lane[1:] != lane[:-1]
    moved[1:] = ~new[1:] & (site[1:] != site[:-1])
    last = np.maximum.accumulate(np.where(new | moved, np.arange(len(order)), 0))
    apart = np.full(len(order), NEVER)
    known = np.flatnonzero(moved[last])
    apart[order[known]] = (started[order[known]] - started[order[last[known] - 1]]) // 1000
    return apart


def background(stays: pa.Table, seconds: pa.Table) -> Ints:
    """How many requests for background (client, person, second, n) fall in each stay, or up to ten seconds behind it; what falls
    in several belongs to the one that began last. `stays` stand in the order of their first requests."""
    size = len(stays)
    words = [words_of(pa.chunked_array([*_texts(stays[name]), *_texts(seconds[name])], pa.string())) for name in LANE]
    lanes = grouped([column.coded() for column in words])
    begins, ends = whole(stays["started"]) // SECOND, whole(stays["ended"]) // SECOND + AFTER
    second, owner = whole(seconds["second"]), np.full(len(seconds), size)
    there, here = (_by_lane(of, lanes.size) for of in (lanes.of[:size], lanes.of[size:]))
    for lane, rows in here.items():
        if lane in there:
            owner[rows] = _owners(second[rows], there[lane], begins, ends, size)
    taken = np.bincount(owner, weights=whole(seconds["n"]), minlength=size + 1)
    return taken[:size].astype(np.int64)


def _owners(second: Ints, stays: Ints, begins: Ints, ends: Ints, nobody: int) -> Ints:
    """The stay, of these, that each second belongs to; else `nobody`. Later ones are put over earlier ones."""
    opens = begins[stays[0]]
    line = np.full(ends[stays].max() - opens + 2, nobody)
    for stay in stays.tolist():
        line[begins[stay] - opens:ends[stay] - opens + 1] = stay
    at = second - opens
    return line[np.where((at < 0) | (at >= len(line)), len(line) - 1, at)]


def _by_lane(lanes: Ints, size: int) -> dict[int, Ints]:
    """The rows of each lane that has any, in their order."""
    order = np.argsort(lanes.astype(np.min_scalar_type(size)), kind="stable")   # of narrow numbers: by radix
    ends = np.cumsum(np.bincount(lanes, minlength=size))
    return {lane: rows for lane, rows in enumerate(np.split(order, ends[:-1])) if len(rows)}


def _texts(column: pa.ChunkedArray) -> list[pa.Array]:
    return list(column.cast(pa.string()).chunks)
