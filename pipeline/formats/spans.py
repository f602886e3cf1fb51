"""Texts as places in a block of bytes: what numpy needs to cut lines without any SQL.

A block is the bytes of whole lines, one behind the other; a text is where it begins in it and where it ends. A column of texts
is Arrow's views of the block, no copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.signedinteger[Any]]
Words = npt.NDArray[np.uint64]
Yes = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

PIECE = 1 << 20          # bytes taken at a time: what is made of them stays in the processor's cache
PAD = 32
LINE_END, RETURN = 10, 13
# The first n bytes of eight.
FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
ONES = np.uint64(int.from_bytes(b"\x01" * 8))
LETTERS = np.uint64(int.from_bytes(b"\x80" * 8))   # set where a byte is not ASCII


class Texts(NamedTuple):
    """A column of texts: the block that they are in, where each begins (-1: null) and ends."""

    data: Bytes
    begin: Ints
    end: Ints

    def part(self, first: int, after: int) -> Texts:
        """Some of the rows."""
        return Texts(self.data, self.begin[first:after], self.end[first:after])

    def some(self, which: Yes) -> Texts:
        """The rows that `which` says."""
        return self if which.all() else Texts(self.data, self.begin[which], self.end[which])

    def strings(self) -> pa.StringArray:
        """As Arrow's strings, a copy."""
        known = self.begin >= 0
        if known.all():
            return strings(self.data, [(self.begin, self.end)])[0]
        made = strings(self.data, [(np.maximum(self.begin, 0), np.maximum(self.end, 0))])[0]
        return pc.if_else(pa.array(known), made, None)

    def array(self) -> pa.Array:
        """As Arrow's views of the block."""
        known = self.begin >= 0
        valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
        made = views(self.data, np.maximum(self.begin, 0), self.end - self.begin)
        return pa.Array.from_buffers(pa.string_view(), len(self.begin), [valid, pa.py_buffer(made), pa.py_buffer(self.data)])


def strings(data: Bytes, columns: Sequence[tuple[Ints, Ints]]) -> list[pa.StringArray]:
    """Columns of texts of a block, copied, by where each begins and ends: every other one of what these cut the block into."""
    many, size = len(columns), len(columns[0][0])
    bounds = np.zeros(2 * many * size + 1, np.int32)
    rows = bounds[:-1].reshape(size, 2 * many)
    for n, (begin, end) in enumerate(columns):
        rows[:, 2 * n], rows[:, 2 * n + 1] = begin, end
    bounds[-1] = bounds.max()      # room is made by how much the bounds hold
    cut = pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(data))
    made = cut.take(pa.array(np.arange(0, 2 * many * size, 2, dtype=np.int32).reshape(size, many).T.ravel()))
    return [made.slice(n * size, size) for n in range(many)]


def texts(column: pa.StringArray) -> Texts:
    """A column as a block, with room behind it."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset:column.offset + len(column) + 1].astype(np.int64)
    data = np.zeros(int(offsets[-1] - offsets[0]) + PAD, np.uint8)
    if len(data) > PAD:
        data[:-PAD] = np.frombuffer(column.buffers()[2], np.uint8)[offsets[0]:offsets[-1]]
    offsets -= offsets[0]
    return Texts(data, offsets[:-1], offsets[1:])


def pieces(texts: pa.StringArray) -> Iterator[tuple[int, int]]:
    """Runs of whole lines of about a mebibyte: the first, and how many."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset:texts.offset + len(texts) + 1]
    first = 0
    while first < len(texts):
        after = max(first + 1, min(len(texts), int(np.searchsorted(offsets, int(offsets[first]) + PIECE))))
        yield first, after - first
        first = after


def block(texts: pa.StringArray, room: int = PAD) -> tuple[Bytes, Ints]:
    """The bytes of lines one behind the other, each with its line end, with room behind them; and where each begins."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset:texts.offset + len(texts) + 1].astype(np.int64)
    size = int(offsets[-1] - offsets[0])
    data = np.zeros(size + room, np.uint8)
    if size:
        data[:size] = np.frombuffer(texts.buffers()[2], np.uint8)[offsets[0]:offsets[-1]]
    if data[size - 1] != LINE_END:
        data[size] = LINE_END
    return data, offsets[:-1] - offsets[0]


def eights(data: Bytes) -> Words:
    """The eight bytes from each place on, as one number."""
    return np.ndarray((len(data) - 8,), np.dtype("<u8"), data, strides=(1,))


def following(data: Bytes, begin: Ints, end: Ints, byte: int) -> Ints:
    """Where a byte first stands from each place on; some place at `end` or behind it where it does not before."""
    eight, sign = eights(data), np.uint64(byte) * ONES
    found = _following(eight, begin, sign)
    left = np.flatnonzero((found - begin == 8) & (found < end))
    while len(left):
        at = found[left]
        found[left] = further = _following(eight, at, sign)
        left = left[(further - at == 8) & (further < end[left])]
    return found


def _following(eight: Words, at: Ints, sign: np.uint64) -> Ints:
    """Where the byte of a sign of eight alike first stands in the eight bytes from each place on; behind them where nowhere."""
    other = eight[at] ^ sign
    other = (other - ONES) & ~other & LETTERS       # the lowest bit that is set is that of the first such byte
    return at + (np.bitwise_count(~other & (other - np.uint64(1))) >> 3)


def unlike(data: Bytes, starts: Ints, allowed: bytes = b"") -> Yes:
    """Which lines hold a control character beside their line end, but for the `allowed` ones."""
    low, odd = data < 32, np.zeros(len(starts), bool)
    low[-PAD:] &= data[-PAD:] != 0
    for byte in allowed:
        low &= data != byte
    if int(np.count_nonzero(low)) > len(starts):
        at = np.flatnonzero(low)
        ends = data[at] == LINE_END
        ends |= (data[at] == RETURN) & (data[at + 1] == LINE_END)
        odd[lines_of(at[~ends], starts)] = True
    return odd


def lines_of(places: Ints, starts: Ints) -> Ints:
    """The line in which each place is."""
    return np.searchsorted(starts, places, side="right") - 1


def views(data: Bytes, begins: Ints, size: Ints) -> Words:
    """Arrow's views of texts: length and first bytes, then the rest of twelve bytes or (longer ones) where they stand. One more
    stands at the end, for nothing."""
    eight = eights(data)
    made = np.zeros((len(begins) + 1, 2), np.uint64)
    made[:-1, 0] = size.astype(np.uint64) | (eight[begins] & FIRST[np.minimum(size, 4)]) << np.uint64(32)
    short = np.flatnonzero((size > 4) & (size <= 12))
    made[short, 1] = eight[begins[short] + 4] & FIRST[size[short] - 4]
    long = np.flatnonzero(size > 12)
    made[long, 1] = begins[long].astype(np.uint64) << np.uint64(32)
    return made


def says(data: Bytes, at: Ints, text: bytes) -> Yes:
    """At which places just these bytes stand."""
    eight, found = eights(data), np.ones(len(at), bool)
    for n in range(0, len(text), 8):
        part = text[n:n + 8]
        found &= eight[np.minimum(at + n, len(eight) - 1)] & FIRST[len(part)] == np.uint64(int.from_bytes(part, "little"))
    return found
