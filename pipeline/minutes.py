"""Requests by the minute: the rows that visits are made of, one for each person, device, host and minute.

The one step of judging that touches every line, so it works on the codes of words (`groups`), part by part. Background is only
counted, by the second: whose host it was no longer matters. What several parts have of one minute, which is little, bears one
mark, and `visits` puts it together.

Times are microseconds; a duration is held between 0 and one day, a number of bytes between 0 and half a terabyte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.groups import Ints, Words, Yes, cases, dense, grouped, whole, words_of

COLUMNS = ("source", "line", "fate", "client", "person", "account", "network", "host", "vendor_category", "action", "kind",
           "bytes_in", "bytes_out", "duration_ms", "time", "setup", "sealed")
COUNTING = ("allowed", "blocked", "warned")
KEPT = ("client", "person", "account", "network", "host")
KEYS = ("log_rank", "told", "second")   # what the requests of one row agree in, beside the words kept
COUNTED = {"blocked": ("action", "blocked"), "warned": ("action", "warned"), "tunnels": ("kind", "tunnel")}
HOW = {np.add: ("bytes_in", "bytes_out"), np.maximum: ("ended", "longest_ms"), np.bitwise_or: ("seconds",)}
OF_FIRST = ("log_rank", "told", "second", "started", "place")
WORD = pa.dictionary(pa.int32(), pa.string())
OWN = pa.schema([*((name, WORD) for name in KEPT), *((name, pa.int64()) for name in (*OF_FIRST, "n", *COUNTED)),
                 *((name, pa.int64()) for names in HOW.values() for name in names), ("mark", pa.uint64())])
BACKGROUND = pa.schema([("client", WORD), ("person", WORD), ("second", pa.int64()), ("n", pa.int64())])
DAY_MS = 86_400_000
HALF_TERABYTE = 1 << 39    # what no request comes to; ten million such numbers still have a sum
SECOND, MINUTE = 1_000_000, 60_000_000
LOG = 1 << 48              # a place is the number of a log and a line
MOST = 1 << 20             # rows of a part taken at a time: what is made on the way stays small
MIX = np.uint64(0x9E3779B97F4A7C15)
Marks = npt.NDArray[np.uint64]


class Told(NamedTuple):
    """What is told of a request beyond its host: the number of it, and whether it is background."""

    number: int
    background: bool


@dataclass(frozen=True)
class Shown:
    """The lines of one log whose address shows more than their host, in order, and what is told of each."""

    lines: Ints
    numbers: Ints
    background: Yes


@dataclass(frozen=True)
class Known:
    """What is known before requests are put together.

    logs: the number (from 1) and rank of each log. background: the hosts that are. said: what is told by host, log and the
    filter's own category; shown: what is told of single lines, by log, which goes before it.
    """

    logs: Mapping[str, tuple[int, int]]
    background: Collection[str] = ()
    said: Mapping[tuple[str, str, str], Told] = field(default_factory=dict)
    shown: Mapping[str, Shown] = field(default_factory=dict)


class Minutes(NamedTuple):
    """What a part comes to: OWN and BACKGROUND.

    told: 0 where nothing is. started, place: of the first request. seconds: bit n is set where there was one in second n. mark:
    the same for rows of all parts that agree in KEPT and KEYS, and hardly ever for others.
    """

    own: pa.Table
    background: pa.Table


def by_minute(part: pa.Table, known: Known) -> Minutes:
    """The requests of a part (COLUMNS, words coded) that count, put together."""
    rows = np.flatnonzero(counting(part))
    made = [_put_together(part, rows[at:at + MOST], known) for at in range(0, len(rows), MOST)]
    return Minutes(pa.concat_tables([OWN.empty_table(), *(own for own, _ in made)]),
                   pa.concat_tables([BACKGROUND.empty_table(), *(background for _, background in made)]))


def counting(part: pa.Table) -> Yes:
    """Which lines count: requests with a time that went through or were blocked, and are neither set-up nor sealed."""
    words = {name: words_of(part[name]) for name in ("fate", "action", "setup", "sealed")}
    fits = [words["fate"].are("request".__eq__), words["action"].are(COUNTING.__contains__), ~words["setup"].are(bool),
            ~words["sealed"].are(bool)]
    return reduce(np.logical_and, fits, coded.whole(part["time"]).is_valid().to_numpy(zero_copy_only=False))


def _put_together(part: pa.Table, rows: Ints, known: Known) -> Minutes:
    """At most MOST requests of a part."""
    told, background = _told({name: words_of(part[name]).at(rows) for name in ("host", "source", "vendor_category")},
                             whole(part["line"])[rows], known)
    return Minutes(_own(part, rows[~background], told[~background], known), _background(part, rows[background]))


def _times(part: pa.Table, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """When some requests began and ended, and how many milliseconds they took."""
    ended, took = whole(part["time"])[rows], np.clip(whole(part["duration_ms"])[rows], 0, DAY_MS)
    return np.maximum(ended - 1000 * took, 0), ended, took


def _own(part: pa.Table, here: Ints, told: Ints, known: Known) -> pa.Table:
    """OWN of requests that are no background."""
    words = {name: words_of(part[name]).at(here) for name in (*KEPT, "source", "action", "kind")}
    numbers = {name: np.clip(whole(part[name])[here], 0, HALF_TERABYTE) for name in ("bytes_in", "bytes_out")} | {"told": told}
    numbers["started"], numbers["ended"], numbers["longest_ms"] = _times(part, here)
    log, numbers["log_rank"] = _logs(words["source"], known)
    second = numbers["started"] // SECOND
    numbers |= {"place": log * LOG + whole(part["line"])[here], "second": second // 60 * 60,
                "seconds": np.left_shift(1, second % 60)}
    rows = grouped([*(words[name].coded() for name in KEPT), *(dense(numbers[name]) for name in KEYS)])
    first = rows.first(numbers["started"], numbers["place"])
    kept = {name: words[name].at(first) for name in KEPT}
    made: dict[str, Ints | Marks] = {name: numbers[name][first] for name in OF_FIRST}
    made |= {"n": rows.counts()} | {name: rows.counts(words[of].are(word.__eq__)) for name, (of, word) in COUNTED.items()}
    made |= {name: rows.take(how, numbers[name]) for how, names in HOW.items() for name in names}
    made["mark"] = _marks(kept.values(), [numbers[name][first] for name in KEYS])
    return pa.table([*(kept[name].array() for name in KEPT), *(made[name] for name in OWN.names[len(KEPT):])], schema=OWN)


def _background(part: pa.Table, here: Ints) -> pa.Table:
    """BACKGROUND of requests that are."""
    client, person = (words_of(part[name]).at(here) for name in ("client", "person"))
    second = _times(part, here)[0] // SECOND
    rows = grouped([client.coded(), person.coded(), dense(second)])
    row = rows.any_row()
    return pa.table([client.at(row).array(), person.at(row).array(), second[row], rows.counts()], schema=BACKGROUND)


def _marks(words: Iterable[Words], numbers: Iterable[Ints]) -> Marks:
    """The mark of each row: what it agrees in mixed into one number."""
    hashes = [_hashes(coded.tight(column.array())) for column in words]
    mark = np.zeros(len(hashes[0]), np.uint64)
    for values in (*hashes, *numbers):
        mark = mark * MIX + values.astype(np.uint64)
        mark ^= mark >> np.uint64(29)
    return mark


def _hashes(words: pa.DictionaryArray) -> Ints:
    """The hash of each row's word."""
    at = pc.fill_null(words.indices, len(words.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([hash(value) for value in [*words.dictionary.to_pylist(), None]], np.int64).take(at))


def _logs(sources: Words, known: Known) -> tuple[Ints, Ints]:
    """The number and the rank of the log of each request. A log of which no line is a request has none."""
    both = np.array([known.logs.get(source, (0, 0)) for source in sources.values.to_pylist()], np.int64).reshape(-1, 2)
    return both[sources.codes, 0], both[sources.codes, 1]


def _told(words: Mapping[str, Words], line: Ints, known: Known) -> tuple[Ints, Yes]:
    """What is told of each request (0: nothing), and which are background."""
    told, background = np.zeros(len(line), np.int64), words["host"].are(known.background.__contains__)
    if known.said:
        _say([words[name].array() for name in ("host", "source", "vendor_category")], known, told, background)
    for source, shown in known.shown.items():
        _show(np.flatnonzero(words["source"].are(source.__eq__)), line, shown, told, background)
    return told, background


def _say(words: Sequence[pa.DictionaryArray], known: Known, told: Ints, background: Yes) -> None:
    """Put in what the filter's own categories tell: looked up once for each host, log and category."""
    values, at = cases(words)
    found = [known.said.get((host or "", source, said or "")) for host, source, said in zip(*values, strict=True)]
    which = np.array([it is not None for it in found], bool)[at]
    told[which] = np.array([it.number if it else 0 for it in found], np.int64)[at][which]
    background[which] = np.array([bool(it and it.background) for it in found], bool)[at][which]


def _show(here: Ints, line: Ints, shown: Shown, told: Ints, background: Yes) -> None:
    """Put in what is told of single lines of one log, whose rows are `here`."""
    if not len(here):
        return
    order = here[np.argsort(line[here], kind="stable")]
    low, high = np.searchsorted(shown.lines, (line[order[0]], line[order[-1]] + 1))
    at = np.searchsorted(line[order], shown.lines[low:high])
    there = line[order[at]] == shown.lines[low:high]
    places = order[at[there]]
    told[places], background[places] = shown.numbers[low:high][there], shown.background[low:high][there]
