"""Requests by the minute: the rows that visits are made of, one for each person, device, host and minute.

The one step of judging that touches every line, so it works on the codes of words, part by part: the codes of a line make one
number, equal numbers are one row, and every sum and every least and most is taken by the row's place. Background is only counted,
by the second: whose host it was no longer matters. What several parts have of one minute, which is little, bears one mark, and
`visits` puts it together.

Times are microseconds; a duration is held between 0 and one day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded

COLUMNS = ("source", "line", "fate", "client", "person", "account", "network", "host", "vendor_category", "action", "kind",
           "bytes_in", "bytes_out", "duration_ms", "time", "setup", "sealed")
COUNTING = ("allowed", "blocked", "warned")
KEPT = ("client", "person", "account", "network", "host")
KEYS = (*KEPT, "log_rank", "told", "second")   # what the requests of one row agree in
HOW = {np.add: ("n", "blocked", "warned", "tunnels", "bytes_in", "bytes_out"), np.maximum: ("ended", "longest_ms"),
       np.bitwise_or: ("seconds",)}
OF_FIRST = ("log_rank", "told", "second", "started", "place")
WORD = pa.dictionary(pa.int32(), pa.string())
OWN = pa.schema([*((name, WORD) for name in KEPT), *((name, pa.int64()) for name in OF_FIRST),
                 *((name, pa.int64()) for names in HOW.values() for name in names), ("mark", pa.uint64())])
BACKGROUND = pa.schema([("client", WORD), ("person", WORD), ("second", pa.int64()), ("n", pa.int64())])
DAY_MS = 86_400_000
SECOND, MINUTE = 1_000_000, 60_000_000
LOG = 1 << 48              # a place is the number of a log and a line
MOST = 1 << 20             # rows of a part taken at a time: what is made on the way stays small
WIDEST = 1 << 62
MIX = np.uint64(0x9E3779B97F4A7C15)
Ints = npt.NDArray[np.int64]
Yes = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32] | npt.NDArray[np.int64]


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
    """What a part comes to: OWN (told: 0 where nothing is; started, place: of the first request; seconds: bit n is set where there
    was one in second n; mark: the same for rows of all parts that agree in KEYS, and hardly ever for others), and BACKGROUND."""

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
    words = {name: _words(part[name]) for name in ("fate", "action", "setup", "sealed")}
    fits = [words["fate"].are("request".__eq__), words["action"].are(COUNTING.__contains__), ~words["setup"].are(bool),
            ~words["sealed"].are(bool)]
    return reduce(np.logical_and, fits, coded.whole(part["time"]).is_valid().to_numpy(zero_copy_only=False))


class Words(NamedTuple):
    """A column of words: the code of each row (one more than there are values: none), and the values."""

    codes: npt.NDArray[np.int32]
    values: pa.Array

    @property
    def size(self) -> int:
        """How many codes there may be."""
        return len(self.values) + 1

    def are(self, test: Callable[[str], bool]) -> Yes:
        """Which rows hold a word that passes `test`."""
        fits: Yes = np.array([value is not None and test(value) for value in [*self.values.to_pylist(), None]], bool)[self.codes]
        return fits

    def only(self, rows: Ints) -> Words:
        """These rows of it."""
        return Words(self.codes[rows], self.values)

    def at(self, rows: Ints) -> pa.DictionaryArray:
        """The words of some rows."""
        codes = self.codes[rows]
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == len(self.values)), self.values)


def _words(column: pa.ChunkedArray | pa.Array) -> Words:
    words = coded.code(column)
    codes = pc.fill_null(words.indices, len(words.dictionary)) if words.indices.null_count else words.indices
    return Words(codes.to_numpy(zero_copy_only=False), words.dictionary)


def _whole(column: pa.ChunkedArray) -> Ints:
    """Whole numbers, 0 where there is none; a time as microseconds."""
    whole = pc.cast(coded.whole(column), pa.int64())
    numbers: Ints = (pc.fill_null(whole, 0) if whole.null_count else whole).to_numpy(zero_copy_only=False)
    return numbers


def _put_together(part: pa.Table, rows: Ints, known: Known) -> Minutes:
    """At most MOST requests of a part."""
    words = {name: _words(part[name]).only(rows) for name in (*KEPT, "source", "vendor_category", "action", "kind")}
    numbers = {name: _whole(part[name])[rows] for name in ("line", "bytes_in", "bytes_out")}
    ended, took = _whole(part["time"])[rows], np.clip(_whole(part["duration_ms"])[rows], 0, DAY_MS)
    numbers |= {"ended": ended, "longest_ms": took, "started": np.maximum(ended - 1000 * took, 0)}
    told, background = _told(words, numbers["line"], known)
    numbers["told"] = told
    own = np.flatnonzero(~background)
    kept = ({name: column.only(own) for name, column in words.items()}, {name: values[own] for name, values in numbers.items()})
    behind = np.flatnonzero(background)
    return Minutes(_own(*kept, known), _background(words["client"].only(behind), words["person"].only(behind), numbers["started"][behind]))


def _own(words: Mapping[str, Words], numbers: Mapping[str, Ints], known: Known) -> pa.Table:
    """OWN of requests that are no background."""
    number, rank = (column[words["source"].codes] for column in _logs(words["source"], known))
    second = numbers["started"] // SECOND
    one = np.ones(len(second), np.int64)
    columns: dict[str, Ints | Yes] = {
        **numbers, "n": one, "log_rank": rank, "place": number * LOG + numbers["line"], "second": second // 60 * 60,
        "seconds": one << second % 60, "blocked": words["action"].are("blocked".__eq__), "warned": words["action"].are("warned".__eq__),
        "tunnels": words["kind"].are("tunnel".__eq__)}
    row, rows = _numbered([*((words[name].codes, words[name].size) for name in KEPT),
                           *(_dense(columns[name]) for name in ("log_rank", "told", "second"))])
    first = _first(columns["started"], columns["place"], row, rows)
    made = {name: words[name].at(first) for name in KEPT} | {name: columns[name][first] for name in OF_FIRST}
    made |= {name: _into(rows, how, row, columns[name]) for how, names in HOW.items() for name in names}
    made["mark"] = _marks({name: words[name].only(first) for name in KEPT}, [made[name] for name in ("log_rank", "told", "second")])
    return pa.table({name: made[name] for name in OWN.names}, OWN)


def _background(client: Words, person: Words, started: Ints) -> pa.Table:
    """BACKGROUND of requests that are."""
    second = started // SECOND
    row, rows = _numbered([(client.codes, client.size), (person.codes, person.size), _dense(second)])
    one = np.zeros(rows, np.int64)
    one[row] = np.arange(len(row))                      # any request of each row
    return pa.table([client.at(one), person.at(one), second[one], np.bincount(row, minlength=rows)], schema=BACKGROUND)


def _marks(words: Mapping[str, Words], numbers: Sequence[Ints]) -> npt.NDArray[np.uint64]:
    """The mark of each row: what it agrees in mixed into one number."""
    hashes = [np.array([hash(value) for value in [*column.values.to_pylist(), None]], np.int64)[column.codes]
              for column in words.values()]
    mark = np.zeros(len(numbers[0]), np.uint64)
    for values in (*hashes, *numbers):
        mark = mark * MIX + values.astype(np.uint64)
        mark ^= mark >> np.uint64(29)
    return mark


def _into(rows: int, how: np.ufunc, row: Ints, values: Ints | Yes) -> Ints:
    """The values of each row in one: their sum, their greatest, their bits. No value is below 0."""
    made = np.zeros(rows, np.int64)
    if values.dtype == bool:                             # few are: they alone are looked at
        row, values = row[values], np.ones(1, np.int64)
    how.at(made, row, values)
    return made


def _dense(numbers: Ints) -> tuple[Ints, int]:
    """Codes for numbers that may be far from 0, and how many there may be."""
    if not len(numbers):
        return numbers, 1
    least = numbers.min()
    return numbers - least, int(numbers.max() - least) + 1


def _numbered(columns: Sequence[tuple[Codes, int]]) -> tuple[Ints, int]:
    """The place of each row among the distinct ones, by the codes of all columns, and how many are distinct."""
    key, bound = np.zeros(len(columns[0][0]), np.int64), 1
    for codes, size in columns:
        if bound * size > WIDEST:                      # too wide for one number: what is there so far is numbered anew
            key, bound = _distinct(key)
        key, bound = key * size + codes, bound * size
    return _distinct(key)


def _distinct(keys: Ints) -> tuple[Ints, int]:
    found = pa.array(keys).dictionary_encode()
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(found.dictionary)


def _first(started: Ints, place: Ints, row: Ints, rows: int) -> Ints:
    """Which of those that go to each row began first; of those that began at once the one whose place is first."""
    order = np.arange(len(place)) if (place[1:] >= place[:-1]).all() else np.argsort(place, kind="stable")
    began, span = _dense(started)
    if span > WIDEST // max(1, len(place)):
        began = np.unique(started, return_inverse=True)[1]
    least = np.full(rows, WIDEST)
    np.minimum.at(least, row[order], began[order] * len(order) + np.arange(len(order)))
    first: Ints = order[least % max(1, len(order))]
    return first


def _logs(sources: Words, known: Known) -> tuple[Ints, Ints]:
    """The number and the rank of each log by its code."""
    both = np.array([known.logs[source] for source in sources.values.to_pylist()], np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _told(words: Mapping[str, Words], line: Ints, known: Known) -> tuple[Ints, Yes]:
    """What is told of each request (0: nothing), and which are background."""
    told, background = np.zeros(len(line), np.int64), words["host"].are(known.background.__contains__)
    if known.said:
        _say(words, known, told, background)
    for source, shown in known.shown.items():
        _show(np.flatnonzero(words["source"].are(source.__eq__)), line, shown, told, background)
    return told, background


def _say(words: Mapping[str, Words], known: Known, told: Ints, background: Yes) -> None:
    """Put in what the filter's own categories tell: looked up once for each host, log and category."""
    columns = [words[name] for name in ("host", "source", "vendor_category")]
    place, many = _numbered([(column.codes, column.size) for column in columns])
    one = np.zeros(many, np.int64)
    one[place] = np.arange(len(place))                  # any row of each
    values = ([*column.values.to_pylist(), ""] for column in columns)
    cases = zip(*([known_as[code] or "" for code in column.codes[one].tolist()] for column, known_as in zip(columns, values, strict=True)),
                strict=True)
    found = [known.said.get(case) for case in cases]
    which = np.array([it is not None for it in found], bool)[place]
    told[which] = np.array([it.number if it else 0 for it in found], np.int64)[place][which]
    background[which] = np.array([bool(it and it.background) for it in found], bool)[place][which]


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
