"""Rows grouped by several columns at once, by the codes of their values: for millions of rows quicker than a GROUP BY over words.

The codes of a row make one number; equal numbers are one group. Sums, leasts and greatest are then taken by the group's place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded

WIDEST = 1 << 62
NARROW = 1 << 16
FEW = 3                    # codes: to compare with so many takes less than to look up
Ints = npt.NDArray[np.int64]
Yes = npt.NDArray[np.bool_]


class Codes(NamedTuple):
    """A number from 0 for each row, and how many different ones there may be."""

    codes: npt.NDArray[np.integer[Any]] | Yes
    size: int


@dataclass(frozen=True)
class Words:
    """A column of words: the code of each row (one more than there are values: none), and the values."""

    codes: npt.NDArray[np.int32]
    values: pa.Array

    def coded(self) -> Codes:
        """Their codes."""
        return Codes(self.codes, len(self.values) + int(bool(len(self.codes)) and int(self.codes.max()) == len(self.values)))

    def are(self, test: Callable[[str], bool]) -> Yes:
        """Which rows hold a word that passes `test`."""
        fits = np.array([value is not None and test(value) for value in [*self.values.to_pylist(), None]], bool)
        few = np.flatnonzero(fits)
        if len(few) > FEW:
            return fits.take(self.codes)
        return reduce(np.logical_or, [self.codes == code for code in few.tolist()], np.zeros(len(self.codes), bool))

    def none(self) -> Yes:
        """Which rows hold no word."""
        none: Yes = self.codes == len(self.values)
        return none

    def at(self, rows: Ints) -> Words:
        """These rows of it."""
        return Words(self.codes.take(rows), self.values)

    def array(self) -> pa.DictionaryArray:
        """The words as a coded column."""
        return pa.DictionaryArray.from_arrays(pa.array(self.codes, mask=self.none()), self.values)


def words_of(column: pa.ChunkedArray | pa.Array) -> Words:
    """The words of a column of text, coded already or not."""
    words = coded.code(column)
    codes = pc.fill_null(words.indices, len(words.dictionary)) if words.indices.null_count else words.indices
    return Words(codes.to_numpy(zero_copy_only=False), words.dictionary)


def whole(column: pa.ChunkedArray) -> Ints:
    """The whole numbers of a column, 0 where there is none; of a time its microseconds."""
    found = pc.cast(coded.whole(column), pa.int64())
    numbers: Ints = (pc.fill_null(found, 0) if found.null_count else found).to_numpy(zero_copy_only=False)
    return numbers


def yes(facts: Yes) -> Codes:
    """The codes of what is true or not."""
    return Codes(facts, 2)


def dense(numbers: Ints) -> Codes:
    """Codes for numbers that may be far from 0."""
    if not len(numbers):
        return Codes(numbers, 1)
    least = numbers.min()
    return Codes(numbers - least, int(numbers.max() - least) + 1)


@dataclass(frozen=True)
class Groups:
    """The group of each row, from 0, and how many there are."""

    of: Ints
    size: int

    def counts(self, which: Yes | None = None) -> Ints:
        """How many rows each has; how many of those that `which` is true of."""
        return np.bincount(self.of if which is None else self.of[which], minlength=self.size)

    def any_row(self) -> Ints:
        """One row of each."""
        row = np.zeros(self.size, np.int64)
        row[self.of] = np.arange(len(self.of))
        return row

    def take(self, how: np.ufunc, values: Ints, least: int = 0) -> Ints:
        """The values of each group in one (their sum, their greatest, their bits), beginning from `least`."""
        made = np.full(self.size, least, np.int64)
        how.at(made, self.of, values)
        return made

    def first(self, by: Ints, then: Ints) -> Ints:
        """The row of each group with the least `by`; where that is the same, with the least `then`."""
        order = np.arange(len(then)) if (then[1:] >= then[:-1]).all() else np.argsort(then, kind="stable")
        codes, size = dense(by)
        if size > WIDEST // max(1, len(order)):
            codes = np.unique(by, return_inverse=True)[1]
        least = np.full(self.size, WIDEST)
        np.minimum.at(least, self.of[order], codes[order] * len(order) + np.arange(len(order)))
        row: Ints = order[least % max(1, len(order))]
        return row


def grouped(columns: Sequence[Codes]) -> Groups:
    """The groups of rows that agree in all columns."""
    key, bound = np.zeros(len(columns[0].codes), np.int64), 1
    for codes, size in columns:
        if size == 1:
            continue
        if bound * size > WIDEST:                      # too wide for one number: what is there so far is numbered anew
            found = _distinct(key, bound)
            key, bound = found.of, found.size
        key, bound = key * size + codes, bound * size
    return _distinct(key, bound)


def cases(columns: Sequence[pa.ChunkedArray | pa.Array]) -> tuple[list[list[Any]], Ints]:
    """The distinct rows of several columns of text of one length, a list of values a column, and each row's place among them."""
    words = [words_of(column) for column in columns]
    found = grouped([column.coded() for column in words])
    row = found.any_row()
    return [column.at(row).array().to_pylist() for column in words], found.of


def _distinct(keys: Ints, bound: int) -> Groups:
    if bound <= NARROW:
        there = np.bincount(keys, minlength=bound) > 0
        return Groups((np.cumsum(there) - 1)[keys], int(there.sum()))
    found = pa.array(keys).dictionary_encode()
    return Groups(found.indices.to_numpy(zero_copy_only=False).astype(np.int64), len(found.dictionary))
