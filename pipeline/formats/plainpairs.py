"""Lines of plain pairs, cut by numpy before any SQL: for the reader `pairs`, whose select over lists costs twice as much.

A line is plain where nothing needs a second thought: every word behind the first pair is a pair, a value stands in quotes as a
whole or not at all, quotes close, and no letter has a meaning of its own (escapes, our stand-ins). Any other line goes the way
of `pairs.py`, which knows all of it; a plain line comes out the same there. A field is a view into the block of text, no copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline import coded
from pipeline.formats import spans
from pipeline.formats.spans import FIRST, LINE_END, RETURN, Bytes, Ints, Words, Yes

LONGEST_KEY = 16
SPACES = np.frombuffer(b" \t\f", np.uint8)
QUOTE, BACKSLASH, LESS, MORE, MARK = 34, 92, 60, 62, 0xEF


class Found(NamedTuple):
    """The words of a piece of text: the line of each, where it begins, its sign of assignment (-1: none), its end, its quotes."""

    line: Ints
    start: Ints
    sign: Ints
    end: Ints
    quotes: Ints


@dataclass(frozen=True)
class Cutter:
    """How the lines of one format are cut: the bytes that stand between pairs and in a pair, whether quotes and escapes are such,
    whether a value may go on in words that are no pairs, and the keys asked for."""

    between: int
    sign: int
    quotes: bool
    escapes: bool
    spaces: bool
    keys: tuple[str, ...]

    def cut(self, numbered: pa.Table) -> tuple[pa.Array, pa.Table]:
        """Which lines are plain, and those as line, byte, text, long, and field_0 … in the order of the keys (null: absent)."""
        texts, asked, long = coded.whole(numbered["text"]), _Keys(self.keys), numbered["long"].to_numpy()
        pieces = [self._piece(texts.slice(first, size), long[first:first + size], asked) for first, size in spans.pieces(texts)]
        plain = np.concatenate([piece[0] for piece in pieces]) if pieces else np.zeros(0, bool)
        sound, given = pa.array(plain), numbered.select(["line", "byte", "text", "long"])
        rows = given if plain.all() else given.filter(sound)
        for n in range(len(self.keys)):
            rows = rows.append_column(f"field_{n}", pa.chunked_array([piece[1][n] for piece in pieces], pa.string_view()))
        return sound, rows

    def _piece(self, texts: pa.StringArray, long: Yes, asked: _Keys) -> tuple[Yes, list[pa.Array]]:
        """Which lines are plain, and the fields of those."""
        data, starts = spans.block(texts)
        found, plain = self._words(data, starts)
        quoted, pair = found.quotes == 2, found.sign >= 0
        both = np.flatnonzero(quoted)
        first, last = found.sign[both], found.end[both]
        odd = (found.quotes > 0) & ~(quoted & pair)
        odd[both] |= (data[first + 1] != QUOTE) | (data[last - 1] != QUOTE) | (last - first <= 2)
        if self.spaces and not pair.all():
            odd |= _behind(found.line, pair, len(plain))
        plain[found.line[odd]] = False
        plain &= ~long
        which = asked.of(data, found)
        hit = np.flatnonzero(which >= 0)
        begins = found.sign[hit] + 1 + quoted[hit]
        views = spans.views(data, begins, found.end[hit] - quoted[hit] - begins)
        places = _first(which[hit], found.line[hit], (len(self.keys), len(plain)))
        return plain, _arrays(data, views, places if plain.all() else places[:, plain])

    def _words(self, data: Bytes, starts: Ints) -> tuple[Found, Yes]:
        """The words of every line, and which lines have nothing in them that only `pairs.py` knows."""
        marks = data == self.between
        marks |= data == self.sign
        marks |= data == LINE_END
        if self.quotes:
            marks |= data == QUOTE
        at = np.flatnonzero(marks)
        signs = data[at]
        line_ends = np.flatnonzero(signs == LINE_END)
        quotes = np.cumsum(signs == QUOTE, dtype=np.int32) if self.quotes else np.zeros(len(at), np.int32)
        before = np.concatenate([quotes[:1] * 0, quotes[line_ends[:-1]]])
        inside = (quotes - np.repeat(before, np.diff(line_ends, prepend=-1))) & 1
        ends = np.flatnonzero(((signs == self.between) & (inside == 0)) | (signs == LINE_END))
        last = np.searchsorted(ends, line_ends)                                   # the last word of each line
        line = np.repeat(np.arange(len(starts)), np.diff(last, prepend=-1))
        behind, end = np.concatenate([[0], ends[:-1] + 1]), at[ends]              # the mark behind the end of the word before
        start = np.concatenate([end[:1] * 0, end[:-1] + 1])
        start[np.concatenate([[0], last[:-1] + 1])] = behind_priority(data, starts)
        sign = at[behind]
        sign = np.where((data[sign] == self.sign) & (sign >= start), sign, -1)
        end = end - ((data[end] == LINE_END) & (data[end - 1] == RETURN) & (end > start))
        plain = (quotes[line_ends] - before) & 1 == 0
        plain[spans.lines_of(self._odd(data), starts)] = False
        plain &= (data[starts] != MARK) & (data[start[np.concatenate([[0], last[:-1] + 1])]] != RETURN)
        plain[-1] &= data[len(data) - spans.PAD - 1] != RETURN    # that is no line end without the other byte
        return Found(line, start, sign, end, np.diff(quotes[ends], prepend=0)), plain

    def _odd(self, data: Bytes) -> Ints:
        """Where letters stand that have a meaning of their own: our stand-ins, and backslashes where there are escapes."""
        odd = np.flatnonzero((data - np.uint8(26)) < 6)
        return np.concatenate([odd, np.flatnonzero(data == BACKSLASH)]) if self.escapes else odd


class _Keys:
    """The keys asked for, found by their first sixteen bytes as two numbers."""

    def __init__(self, keys: Sequence[str]) -> None:
        parts = [key.encode().ljust(LONGEST_KEY, b"\0") for key in keys]
        self.low = np.array([int.from_bytes(part[:8], "little") for part in parts] + [0], np.uint64)
        self.high = np.array([int.from_bytes(part[8:], "little") for part in parts] + [0], np.uint64)
        self.size = np.array([len(key.encode()) for key in keys] + [1 << 30])
        self.factor = next(factor for factor in range(0x9E3779B97F4A7C15, 1 << 64, 2) if self._apart(np.uint64(factor)))
        self.table = np.full(1 << 16, len(keys), np.int64)
        self.table[self._slot(self.low[:-1], self.high[:-1], np.uint64(self.factor))] = np.arange(len(keys))

    def _apart(self, factor: np.uint64) -> bool:
        return len(np.unique(self._slot(self.low[:-1], self.high[:-1], factor))) == len(self.low) - 1

    @staticmethod
    def _slot(low: Words, high: Words, factor: np.uint64) -> Ints:
        return ((((low * factor) ^ high) * factor) >> np.uint64(48)).astype(np.int64)

    def of(self, data: Bytes, found: Found) -> Ints:
        """The number of each word's key; -1 for none of them."""
        size = found.sign - found.start
        eight = spans.eights(data)
        low = eight[found.start] & FIRST[np.clip(size, 0, 8)]
        high = np.zeros(len(low), np.uint64)
        long = np.flatnonzero((size > 8) & (size <= LONGEST_KEY))
        high[long] = eight[found.start[long] + 8] & FIRST[size[long] - 8]
        number = self.table[self._slot(low, high, np.uint64(self.factor))]
        same = (self.size[number] == size) & (self.low[number] == low) & (self.high[number] == high)
        return np.where(same, number, -1)


def behind_priority(data: Bytes, starts: Ints) -> Ints:
    """Where each line begins behind the <number> of syslog and the spaces that follow one."""
    begins = starts.copy()
    for digits in (1, 2, 3):
        fits = (data[starts] == LESS) & (data[starts + digits + 1] == MORE)
        for n in range(1, digits + 1):
            fits &= (data[starts + n] >= ord("0")) & (data[starts + n] <= ord("9"))
        begins[fits] = starts[fits] + digits + 2
    spaced = np.flatnonzero(begins > starts)
    while len(spaced := spaced[np.isin(data[begins[spaced]], SPACES)]):
        begins[spaced] += 1
    return begins


def _behind(line: Ints, pair: Yes, lines: int) -> Yes:
    """The words that are no pairs and stand behind one in their line."""
    places = np.append(np.flatnonzero(pair), len(line))
    first = places[np.searchsorted(line[places[:-1]], np.arange(lines))]
    return ~pair & (np.arange(len(line)) > first[line])


def _first(which: Ints, line: Ints, shape: tuple[int, int]) -> Ints:
    """For each key and line the first of its words; -1 where there is none."""
    places = np.full(shape, -1, np.int32)
    backwards = np.arange(len(which) - 1, -1, -1, dtype=np.int32)       # where a place is named twice, the last one stays
    places[which[backwards], line[backwards]] = backwards
    return places


def _arrays(data: Bytes, views: Words, places: Ints) -> list[pa.Array]:
    """A column for each key, of the views at its places."""
    text = pa.py_buffer(data)
    return [pa.Array.from_buffers(pa.string_view(), places.shape[1], [
        pa.py_buffer(np.packbits(row >= 0, bitorder="little")), pa.py_buffer(views[row]), text]) for row in places]
