"""Lines of plain pairs, read without any SQL: for the reader `pairs`.

A line is plain where it is laid out as lines before it (`pairtemplates.py`) and no letter has a meaning of its own: no control
character, and no backslash before a quote where the format has escapes. Any other line goes the way of `plainpairs.py` or of
`pairs.py`, and would come out the same there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipeline.formats import spans
from pipeline.formats.pairtemplates import ROOM, Lines, Signs, Template, template_of
from pipeline.formats.plainpairs import BACKSLASH, MARK, QUOTE, behind_priority
from pipeline.formats.plainway import Cut
from pipeline.formats.spans import LINE_END, RETURN, Ints, Texts, Yes

SPACE = 32
ENOUGH = 24              # lines of a piece that are worth a template
TRIES = 12               # new templates in one batch
MOST = 60                # templates that are kept


@dataclass
class PairLines:
    """How the lines of one format are cut: its signs, whether a backslash escapes a quote, and the keys of its fields; and the
    templates of the lines so far, the most used first."""

    signs: Signs
    escapes: bool
    fields: tuple[str, ...]
    known: list[Template] = field(default_factory=list)
    used: Counter[int] = field(default_factory=Counter)
    tries: int = 0

    def cut(self, texts: pa.StringArray, sound: Yes, words: Collection[str]) -> Cut:
        """The plain ones among the `sound` lines."""
        plain = np.zeros(len(texts), bool)
        if not len(texts):
            return Cut(plain, {})
        block = _Block(texts, len(self.fields))
        self.used, self.tries = Counter(), TRIES
        for first, size in spans.pieces(texts):
            rows = slice(first, first + size)
            plain[rows] = self._piece(block, rows, sound[rows])
        self.known = sorted(self.known, key=lambda template: -self.used[id(template)])[:MOST]
        return Cut(plain, {name: Texts(block.data, begin, end).some(plain)
                           for name, begin, end in zip(self.fields, block.begin, block.end, strict=True) if begin.max() >= 0})

    def _piece(self, block: _Block, rows: slice, sound: Yes) -> Yes:
        """Put down the fields of a run of lines; which of them are plain."""
        lines, count = block.lines(rows, self.signs.counted)
        left = sound & ~block.odd(rows, self.signs.between, self.escapes)
        plain = np.zeros(len(left), bool)
        for template in self.known:
            self._take(template, block, lines, left & (count == template.count), plain)
            left &= ~plain
        while self.tries and np.count_nonzero(left) >= ENOUGH:
            self.tries -= 1
            alike = left & (count == np.bincount(count[left]).argmax())
            row = int(np.argmax(alike))
            new = self._template(bytes(block.data[block.start[rows][row]:lines.end[row]]))
            if new is not None and self._take(new, block, lines, alike, plain) >= ENOUGH:
                self.known.append(new)
            left[row] = False
            left &= ~plain
        return plain

    def _template(self, line: bytes) -> Template | None:
        return template_of(line, self.signs, {name.encode(): n for n, name in enumerate(self.fields)})

    def _take(self, template: Template, block: _Block, lines: Lines, which: Yes, plain: Yes) -> int:
        """Put down the fields of those lines that are of a template, and that they are plain; how many they are."""
        if not which.any():
            return 0
        numbers, told = template.follow(lines if which.all() else lines.some(which))
        rows = slice(numbers[0], numbers[-1] + 1) if len(numbers) == len(which) else numbers
        for n, (begin, end) in told.items():
            block.begin[n, rows], block.end[n, rows] = begin, end
        plain[numbers - lines.number[0]] = True
        self.used[id(template)] += len(numbers)
        return len(numbers)


class _Block:
    """The bytes of a batch of lines, where each line begins, and where its fields begin (-1: it has none) and end."""

    def __init__(self, texts: pa.StringArray, fields: int) -> None:
        self.data, self.start = spans.block(texts, ROOM)
        self.size = len(self.data) - ROOM
        self.after = np.append(self.start[1:], self.size + (self.data[self.size - 1] != LINE_END))   # behind each line end
        self.begin, self.end = np.full((2, fields, len(texts)), -1)
        self.room = np.empty(0, bool)

    def lines(self, rows: slice, counted: int) -> tuple[Lines, Ints]:
        """A run of lines, and how often each has the byte that is counted."""
        start, end = self.start[rows], self.after[rows] - 1
        places = np.flatnonzero(self._are(rows, np.equal, counted)) + start[0]
        end = end - ((self.data[end - 1] == RETURN) & (end > start))
        begin, number = behind_priority(self.data, start), np.arange(rows.start, rows.stop)
        first = np.searchsorted(places, begin)
        return Lines(self.data, places, number, begin, end, first), np.searchsorted(places, end) - first

    def odd(self, rows: slice, between: int, escapes: bool) -> Yes:
        """Which lines of a run have a letter with a meaning of its own."""
        start, data = self.start[rows], self.data
        odd = data[start] == MARK
        low = self._are(rows, np.less, SPACE)
        if np.count_nonzero(low) != len(start):
            at = np.flatnonzero(low) + start[0]
            known = (data[at] == LINE_END) | (data[at] == between)
            known |= (data[at] == RETURN) & (data[at + 1] == LINE_END) & (at + 1 < self.size)
            odd[spans.lines_of(at[~known], start)] = True
        if escapes and (slashes := self._are(rows, np.equal, BACKSLASH)).any():
            at = np.flatnonzero(slashes) + start[0]
            odd[spans.lines_of(at[data[at + 1] == QUOTE], start)] = True
        return np.asarray(odd)

    def _are(self, rows: slice, how: np.ufunc, byte: int) -> Yes:
        """How the bytes of a run of lines compare with one: in the same room each time, which the next call takes again."""
        part = self.data[self.start[rows.start]:self.after[rows.stop - 1]]
        if len(self.room) < len(part):
            self.room = np.empty(len(part), bool)
        return np.asarray(how(part, byte, out=self.room[:len(part)]))
