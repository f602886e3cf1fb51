"""Lines of plain columns: for the readers `columns`, `csv` and `w3c`.

A line is plain where it has just the columns that belong and nothing in it needs a second thought: a value stands in quotes as
a whole or not at all, quotes close, and no letter is a control character.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mode
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipeline import coded
from pipeline.formats import spans
from pipeline.formats.plainway import Column, Cut, contents, delimited
from pipeline.formats.spans import LINE_END, RETURN, Bytes, Ints, Yes

QUOTE, BACKSLASH, ZERO, MARK = 34, 92, 48, 0xEF   # the last begins a byte-order mark
SOME, MOST_SPACES = 100, 20   # lines that show how wide a column is; spaces that fill one up
TOLD = "\0"             # begins the name of a column that is read to tell the kind of line


@dataclass(frozen=True)
class Cells:
    """How the lines of one format are cut: what stands between columns, whether quotes are such, whether the second column is
    filled up with spaces before it, how many columns there are, the place of each field from 0, what says nothing in it, and
    whether a backslash has a meaning."""

    between: str
    quotes: bool
    padded: bool
    count: int
    places: Mapping[str, int]
    nulls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    escapes: bool = False

    def cut(self, texts: pa.StringArray, sound: Yes, words: Collection[str]) -> Cut:
        """The plain ones among the `sound` lines."""
        plain, filled, width = sound.copy(), [], self._width(texts)
        for first, size in spans.pieces(texts):
            data, starts = spans.block(texts.slice(first, size))
            plain[first:first + size] &= ~self._odd(data, starts)
            if self.padded:
                plain[first:first + size] &= self._filled(data, starts, width)
                filled.append(_as_lines(data, starts))
        texts = pa.concat_arrays(filled) if filled else texts
        if not plain.any():
            return Cut(plain, {})
        given = texts if plain.all() else texts.filter(pa.array(plain))
        coded_ones = {place for name, place in self.places.items() if name in words}
        unasked = set(range(self.count)).difference(self.places.values()) if self.padded else set()
        columns, odd = delimited(contents(given), self.between, self.quotes, self.count, coded_ones | unasked,
                                 set(self.places.values()) - coded_ones)
        if len(odd) + len(next(iter(columns.values()))) != len(given):   # a line is not cut as one: that is not known to be
            return Cut(np.zeros(len(plain), bool), {})
        plain[np.flatnonzero(plain)[np.array(odd, np.int64)]] = False
        cut = Cut(plain, {name: self._column(columns[place], name) for name, place in self.places.items()})
        return cut.some(_filled_so(columns, width)) if self.padded else cut

    def _odd(self, data: Bytes, starts: Ints) -> Yes:
        """Which lines have letters that need a second thought."""
        odd = spans.unlike(data, starts, self.between.encode()) | (data[starts] == MARK)
        if self.escapes:
            odd[spans.lines_of(np.flatnonzero(data == BACKSLASH), starts)] = True
        if self.quotes:
            odd |= _misquoted(data, starts, ord(self.between))
        return np.asarray(odd)

    def _width(self, texts: pa.StringArray) -> int:
        """How wide the first column is in most of the first lines."""
        return mode(line.find(self.between) for line in texts[:SOME].to_pylist()) if self.padded and len(texts) else 0

    def _filled(self, data: Bytes, starts: Ints, width: int) -> Yes:
        """Put zeros for the spaces that fill up the second column, behind a first one of that width; which lines have one."""
        behind = np.minimum(starts + width, len(data) - spans.PAD)
        sound = data[behind] == ord(self.between)
        at = behind[sound] + 1
        for _ in range(MOST_SPACES):
            at = at[data[at] == ord(self.between)]
            data[at] = ZERO
            at += 1
        return np.asarray(sound)

    def _column(self, column: pa.Array, name: str) -> Column:
        """A column without the values that say nothing."""
        nulls = self.nulls.get(name, ())
        if not pa.types.is_dictionary(column.type):
            texts = spans.texts(column)
            for null in nulls:
                nothing = texts.end - texts.begin == len(null)
                nothing &= spans.says(texts.data, texts.begin, null.encode())
                texts = texts._replace(begin=np.where(nothing, -1, texts.begin), end=np.where(nothing, -1, texts.end))
            return texts
        if not nulls:
            return column
        return coded.mapped(column, lambda text: None if text in nulls else text)


class Columns(NamedTuple):
    """The names of columns in order, how many of them lines have, and the place (from 0) and words that lines of this kind are
    told by; no words where they are told by how many columns they have."""

    names: Sequence[str]
    least: int
    most: int
    place: int = -1
    words: frozenset[str] = frozenset()

    def fits(self, row: Sequence[str]) -> bool:
        """Whether a line of these columns is of this kind."""
        return row[self.place] in self.words if self.place < len(row) and self.words else (
            not self.words and self.least <= len(row) <= self.most)


@dataclass(frozen=True)
class ManyCells:
    """Lines of several lists of columns. A batch is cut as its first line is."""

    between: str
    quotes: bool
    ways: Sequence[Columns]
    needs: Sequence[str]

    def cut(self, texts: pa.StringArray, sound: Yes, words: Collection[str]) -> Cut:
        """The plain ones among the `sound` lines."""
        first = texts[int(np.argmax(sound))].as_py().rstrip("\r\n") if sound.any() else ""
        row = self._row(first)
        way = next((way for way in self.ways if way.fits(row)), None)
        if way is None or not max(2, way.least) <= len(row) <= way.most:
            return Cut(np.zeros(len(texts), bool), {})
        places = {name: way.names.index(name) for name in self.needs if name in way.names[:len(row)]}
        tells = [each for each in self.ways[:self.ways.index(way) + 1] if each.words and each.place < len(row)]
        told = {f"{TOLD}{each.place}": each.place for each in tells}
        cut = Cells(self.between, self.quotes, False, len(row), places | told).cut(texts, sound, {*words, *told})
        for each in tells if cut.columns else ():
            alike = coded.fitting(cut.columns[f"{TOLD}{each.place}"], each.words.__contains__).to_numpy(zero_copy_only=False)
            cut = cut.some(alike if each is way else ~alike)
        return cut

    def _row(self, line: str) -> list[str]:
        """The columns of a line; none where it is no line of columns."""
        try:
            return next(csv.reader([line], delimiter=self.between), []) if self.quotes else line.split(self.between)
        except csv.Error:
            return []


def _filled_so(columns: Mapping[int, pa.Array], width: int) -> Yes:
    """Which lines have a first column of that width and nothing empty: then no spaces stand where none belong."""
    sizes = [_sizes(column) for _, column in sorted(columns.items())]
    return np.asarray(np.logical_and.reduce([sizes[0] == width, *(size > 0 for size in sizes[1:])]))


def _sizes(column: pa.Array) -> Ints:
    """How many bytes the text of each row has."""
    words = coded.whole(column)
    if pa.types.is_dictionary(words.type):
        return np.asarray(_sizes(words.dictionary).take(words.indices.to_numpy()))
    return np.diff(np.frombuffer(words.buffers()[1], np.int32)[words.offset:words.offset + len(words) + 1])


def _as_lines(data: Bytes, starts: Ints) -> pa.StringArray:
    """The lines of a block."""
    offsets = np.append(starts, len(data) - spans.PAD).astype(np.int32)
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(data))


def _misquoted(data: Bytes, starts: Ints, between: int) -> Yes:
    """Which lines have quotes that are not in pairs, or do not stand around whole values."""
    quotes = np.flatnonzero(data == QUOTE)
    if not len(quotes):
        return np.zeros(len(starts), bool)
    first = np.append(np.searchsorted(quotes, starts), len(quotes))
    odd = np.diff(first) & 1 == 1
    if odd.any():
        quotes = quotes[~np.repeat(odd, np.diff(first))]
    opens, closes = quotes[0::2], quotes[1::2]
    before, behind = data[opens - 1], data[closes + 1]
    sound = (before == between) | (before == LINE_END) | (opens == 0)
    sound &= (behind == between) | (behind == LINE_END) | ((behind == RETURN) & (data[closes + 2] == LINE_END))
    odd[spans.lines_of(opens[~sound], starts)] = True
    return np.asarray(odd)
