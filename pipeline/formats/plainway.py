"""What a reader gives that has a way to plain lines without SQL, and the C++ that cuts them: Arrow's reader of delimited text.

That reader is let at nothing but lines of which it is known how it will cut them; what it says of a line it cannot cut is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from pipeline import coded
from pipeline.formats.spans import Bytes, Texts, Yes

UNSURE = "\0"            # what a reader says of a word that needs a second thought; no word of a plain line holds it
CODED = pa.dictionary(pa.int32(), pa.string())
BLOCK, LONGEST = 1 << 20, 1 << 20    # bytes at a time, and those of a line

Column: TypeAlias = "pa.DictionaryArray | Texts"


class Cut(NamedTuple):
    """Which lines of a batch are plain, and the fields of those: coded, or as texts."""

    plain: Yes
    columns: Mapping[str, Column]

    def some(self, which: Yes) -> Cut:
        """Only those of the plain lines that `which` says."""
        if which.all():
            return self
        plain = self.plain.copy()
        plain[np.flatnonzero(plain)[~which]] = False
        return Cut(plain, {name: some(column, which) for name, column in self.columns.items()})


class Cutter(Protocol):
    """What cuts lines: texts with their line ends, which of them may be cut, and the names of the fields wanted coded."""

    def cut(self, texts: pa.StringArray, sound: Yes, words: Collection[str]) -> Cut:
        """The plain lines and their fields."""


class Part(NamedTuple):
    """A field made of others: which those are, the SQL that makes it of them (as field_0 …), and whether it is just the first of
    them wherever that has something."""

    sources: tuple[str, ...]
    made: str
    first: bool


@dataclass(frozen=True)
class PlainWay:
    """How a reader cuts plain lines without SQL: its cutter, the fields that lines can have, what the text of a field says
    (null: nothing; UNSURE: that is for the select), and the fields that are made of others."""

    cutter: Cutter
    names: frozenset[str]
    read: Callable[[str, str], str | None]
    checked: tuple[str, ...] = ()   # fields that are looked at, asked for or not
    parts: Mapping[str, Part] = field(default_factory=dict)


def delimited(data: Bytes, between: str, quotes: bool, count: int, coded_ones: Collection[int],
              plain_ones: Collection[int]) -> tuple[dict[int, pa.Array], Sequence[int]]:
    """The columns of delimited text by their places from 0, and the rows (from 0) that have not `count` of them."""
    odd: list[int] = []
    asked = {f"{place}": CODED for place in coded_ones} | {f"{place}": pa.string() for place in plain_ones}

    def told(row: csv.InvalidRow) -> str:
        odd.append(row.number - 1)
        return "skip"
    table = csv.read_csv(
        pa.BufferReader(pa.py_buffer(data)),
        read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK + LONGEST, column_names=[f"{n}" for n in range(count)]),
        parse_options=csv.ParseOptions(delimiter=between, quote_char='"' if quotes else False, double_quote=False,
                                       ignore_empty_lines=False, invalid_row_handler=told),
        convert_options=csv.ConvertOptions(column_types=asked, include_columns=list(asked), strings_can_be_null=False,
                                           check_utf8=False))
    return {int(name): _one(table[name]) for name in asked}, odd


def some(column: Column, which: Yes) -> Column:
    """The rows of a column that `which` says."""
    if isinstance(column, Texts):
        return column.some(which)
    return column if which.all() else column.filter(pa.array(which))


def code(column: Column) -> pa.DictionaryArray:
    """A column coded."""
    if not isinstance(column, Texts):
        return column
    return pc.dictionary_encode(column.strings())


def _one(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type) and column.num_chunks > 1:
        return column.unify_dictionaries().combine_chunks()
    return coded.whole(column) if column.num_chunks else pa.array([], column.type)


def contents(texts: pa.StringArray) -> Bytes:
    """The bytes of lines one behind the other."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    return np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[texts.offset]:offsets[texts.offset + len(texts)]]
