"""Lines of one template cut by numpy: which lines are of its kind, and where the values of those stand.

A line is of the kind where it has as many quotes, all that stands between its values is the template's, byte by byte, and none
of it is a backslash or a control character. Part of a batch is cut at a time: what is made of it stays in the processor's cache.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.formats import spans
from pipeline.formats.plainway import Column
from pipeline.formats.spans import Bytes, Ints, Texts, Yes
from pipeline.formats.templates import Template

QUOTE, BACKSLASH, COMMA, SPACE = b'"\\, '
MARK = re.compile(b'(?=,")')   # stands once in most of what is between two values


class Lines(NamedTuple):
    """Some lines of a block: its bytes (room behind them), and where each begins and ends, with its line end."""

    data: Bytes
    begin: Ints
    end: Ints

    @classmethod
    def of(cls, texts: pa.StringArray) -> Lines:
        """Lines as a block of their own."""
        return cls(*spans.texts(texts))

    def some(self, which: Yes) -> Lines:
        """The lines that `which` says."""
        return self if which.all() else Lines(self.data, self.begin[which], self.end[which])

    def letters(self) -> Bytes:
        """Their bytes, which stand one behind the other."""
        return self.data[int(self.begin[0]):int(self.end[-1])]

    def parts(self) -> Iterator[Lines]:
        """Runs of whole lines."""
        first = 0
        while first < len(self.begin):
            after = max(first + 1, int(np.searchsorted(self.end, int(self.begin[first]) + spans.PIECE, side="right")))
            yield Lines(self.data, self.begin[first:after], self.end[first:after])
            first = after


class Run(NamedTuple):
    """What stands before, between or behind the values: the number of its first quote, its bytes from that to its last quote
    (of the first and the last run: from the line's begin, to its end), and how many marks stand before the first in it and
    where that is (a literal's comma stands before the run)."""

    quote: int
    text: bytes
    marks: int
    mark: int | None


class Part(NamedTuple):
    """Lines that were cut: which are of the kind; and of those, where each piece begins and ends, and the texts of some."""

    fits: Yes
    bounds: Mapping[int, Ints]
    words: Mapping[int, pa.StringArray]


@dataclass(frozen=True)
class Quoted:
    """How the lines of one template are cut: how many quotes and marks they have, the runs, the pieces between those (a piece
    begins behind the quote before it), and the line end."""

    quotes: int
    marks: int
    runs: Sequence[Run]
    pieces: Sequence[int]
    line_end: bytes

    @classmethod
    def of(cls, template: Template) -> Quoted:
        """How lines are cut that are of the template's kind."""
        line, quotes = template.line, template.quotes
        pieces = [template.column(spot) for spot in template.varies]
        line_end = line[len(line.rstrip(b"\r\n")):]
        begin = [0, *(quotes[n] if n < len(quotes) else len(line) - len(line_end) for n in pieces)]
        end = [*(quotes[n - 1] + 1 for n in pieces), len(line)]
        runs: list[Run] = []
        marks = 0
        behind = [0, *(spot.kind == "literal" for spot in template.varies)]   # then the comma before a run is in the piece
        for number, before, first, after in zip([0, *pieces], behind, begin, end, strict=True):
            found = [mark.start() - before for mark in MARK.finditer(line[first - before:after])]
            runs.append(Run(number, line[first:after], marks, found[0] if found else None))
            marks += len(found)
        return cls(len(quotes), marks, runs, pieces, line_end)

    def cut(self, lines: Lines, coded_ones: Collection[int], plain_ones: Collection[int]) -> tuple[Yes, dict[int, Column]]:
        """Which lines are of the kind, and of those the pieces asked for by their numbers, coded or as texts."""
        parts: list[Part] = []
        quick = all(run.mark is not None for run in self.runs[1:-1])
        for part in lines.parts():
            begins = self._at_marks(part) if quick else None
            quick = begins is not None
            fits, bounds = self._at_quotes(part) if begins is None else (np.ones(len(part.begin), bool), self._bounds(begins))
            words = spans.strings(part.data, [bounds[n] for n in coded_ones]) if coded_ones else []
            parts.append(Part(fits, {n: np.stack(bounds[n]) for n in plain_ones}, dict(zip(coded_ones, words, strict=True))))
        columns: dict[int, Column] = {n: _coded([part.words[n] for part in parts]) for n in coded_ones}
        columns |= {n: Texts(lines.data, *np.concatenate([part.bounds[n] for part in parts], axis=1)) for n in plain_ones}
        return np.concatenate([part.fits for part in parts]), columns

    def _at_marks(self, lines: Lines) -> list[Ints] | None:
        """Where the runs begin in a few lines that are all of the kind, as nearly always; none where not all are.

        A fourth of the places is looked at: there are no more quotes than the runs have, so that the values have none.
        """
        letters = lines.letters()
        quotes = letters == QUOTE
        if int(np.count_nonzero(quotes)) != self.quotes * len(lines.begin):
            return None
        fits, marks = _as_many(np.flatnonzero((letters[:-1] == COMMA) & quotes[1:]) + lines.begin[0], lines, self.marks)
        if not fits.all():
            return None
        begins = [lines.begin, *(marks[:, run.marks] - (run.mark or 0) for run in self.runs[1:-1]), self._tail(lines)]
        fitting = self._sound(lines, begins) & _plain(letters, lines, self.line_end)
        return begins if fitting.all() else None

    def _at_quotes(self, lines: Lines) -> tuple[Yes, dict[int, tuple[Ints, Ints]]]:
        """Which of a few lines are of the kind; and of those, where each piece begins and ends."""
        letters = lines.letters()
        fits, quotes = _as_many(np.flatnonzero(letters == QUOTE) + lines.begin[0], lines, self.quotes)
        some = lines.some(fits)
        begins = [some.begin, *(quotes[:, run.quote] for run in self.runs[1:-1]), self._tail(some)]
        sound = self._sound(some, begins) & _plain(letters, lines, self.line_end)[fits]
        fits[fits] = sound
        return fits, self._bounds([begin[sound] for begin in begins])

    def _tail(self, lines: Lines) -> Ints:
        """Where the last run begins."""
        return np.maximum(lines.end - len(self.runs[-1].text), lines.begin)

    def _sound(self, lines: Lines, begins: Sequence[Ints]) -> Yes:
        """In which lines all runs stand where they are said to begin, one behind the other."""
        sound, over = np.ones(len(lines.begin), bool), lines.begin
        for run, begin in zip(self.runs, begins, strict=True):
            inside = begin >= over
            over = begin + len(run.text)
            inside &= over <= lines.end
            sound &= inside & _reads(lines.data, begin if inside.all() else np.where(inside, begin, 0), run.text)
        return sound

    def _bounds(self, begins: Sequence[Ints]) -> dict[int, tuple[Ints, Ints]]:
        """Where the pieces begin and end, which stand between the runs."""
        return {piece: (begin + len(run.text), behind)
                for piece, run, (begin, behind) in zip(self.pieces, self.runs[:-1], pairwise(begins), strict=True)}


def _as_many(places: Ints, lines: Lines, count: int) -> tuple[Yes, Ints]:
    """Which lines have `count` of the places, and those of these, a row a line."""
    size = len(lines.begin)
    if len(places) == count * size:
        rows = places.reshape(size, count)
        if not count or bool(((rows[:, 0] >= lines.begin) & (rows[:, -1] < lines.end)).all()):
            return np.ones(size, bool), rows
    first = np.searchsorted(places, lines.begin)
    fits = np.diff(first, append=len(places)) == count
    return fits, places[first[fits, np.newaxis] + np.arange(count)]


def _plain(letters: Bytes, lines: Lines, line_end: bytes) -> Yes:
    """Which lines have the line end, and no backslash or other control character."""
    size = len(line_end)
    ended = lines.end - lines.begin >= size
    ended &= _reads(lines.data, np.maximum(lines.end - size, 0), line_end)
    low = letters < SPACE
    if int(np.count_nonzero(low)) != size * int(np.count_nonzero(ended)):
        ended &= np.bincount(_line_of(np.flatnonzero(low), lines), minlength=len(ended)) == size
    escapes = letters == BACKSLASH
    if escapes.any():
        ended[_line_of(np.flatnonzero(escapes), lines)] = False
    return ended


def _line_of(places: Ints, lines: Lines) -> Ints:
    """The line in which each place, counted from the first line on, is."""
    return spans.lines_of(places + lines.begin[0], lines.begin)


def _reads(data: Bytes, begin: Ints, text: bytes) -> Yes:
    """From which places on just these bytes stand, none of which is NUL."""
    size = len(text)
    if not size or size > len(data):
        return np.full(len(begin), not size)
    found = np.ndarray((len(data) - size + 1,), f"S{size}", data, strides=(1,))[begin]
    return np.ones(len(begin), bool) if bytes(found.data) == text * len(begin) else np.asarray(found == text)


def _coded(parts: Sequence[pa.StringArray]) -> pa.DictionaryArray:
    return coded.whole(pc.dictionary_encode(pa.chunked_array(parts, pa.string())).unify_dictionaries())
