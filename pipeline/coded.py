"""Columns of few distinct values, worked on once per distinct value: code, map the values, spread back over the rows.

A coded column is an Arrow dictionary array. Parquet writes one as it stands, without hashing its values again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column in one piece."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()   # one chunk would be copied


def code(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """The column coded; one that is coded already is given back."""
    one = whole(column)
    return one if pa.types.is_dictionary(one.type) else pc.dictionary_encode(one)


def constant(value: str, size: int) -> pa.DictionaryArray:
    """`size` times one text."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([value], pa.string()))


def at(indices: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """The coded column that holds, in each row, the value with that number (values may be equal)."""
    mapped = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(mapped.indices.take(indices), mapped.dictionary)


def put(coded: pa.DictionaryArray, values: pa.Array) -> pa.DictionaryArray:
    """`values`, one for each distinct value of `coded`, in the place of them."""
    return at(coded.indices, values)


def changed(coded: pa.DictionaryArray, change: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """`change` of all distinct values at once, in the place of them; it gives back what it is given where nothing changes."""
    before = coded.dictionary
    after = change(before)
    return coded if after is before else put(coded, after)


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of the same columns as one: a column that is coded in one of them is coded."""
    words = {name for table in tables for name in table.column_names if pa.types.is_dictionary(table[name].type)}
    alike = [pa.table({name: code(table[name]) if name in words else table[name] for name in tables[0].column_names})
             for table in tables]
    return pa.concat_tables(alike).unify_dictionaries().combine_chunks()


def mapped(coded: pa.DictionaryArray, change: Callable[[str], str | None]) -> pa.DictionaryArray:
    """`change` of each distinct text, in the place of it."""
    values = [None if value is None else change(value) for value in coded.dictionary.to_pylist()]
    return put(coded, pa.array(values, pa.string()))


def spread(coded: pa.DictionaryArray, values: pa.Array) -> pa.Array:
    """`values`, one for each distinct value of `coded`, as a plain column."""
    return values.take(coded.indices)


def without(column: pa.Array | pa.ChunkedArray, gone: pa.Array) -> pa.Array:
    """The column, null where `gone` is true; what was there stands nowhere in it any more."""
    one = whole(column)
    if not pa.types.is_dictionary(one.type):
        return pc.if_else(gone, pa.scalar(None, one.type), one)
    kept = pc.if_else(gone, pa.scalar(None, one.indices.type), one.indices)
    return tight(pa.DictionaryArray.from_arrays(kept, one.dictionary))


def tight(coded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The coded column with no value that no row has: a value that was taken out of the rows must not stay behind."""
    size = len(coded.dictionary)
    if size == 0 or (size == 1 and coded.null_count < len(coded)):
        return coded
    used = np.bincount(coded.indices.drop_null().to_numpy(zero_copy_only=False), minlength=size)[:size] > 0
    if used.all():
        return coded
    number = pa.array((np.cumsum(used) - 1).astype(np.int32))
    return pa.DictionaryArray.from_arrays(number.take(coded.indices), coded.dictionary.filter(pa.array(used)))


def part(table: pa.Table, start: int, size: int) -> pa.Table:
    """`size` rows of the table from `start` on; no value of another row stays behind in a coded column."""
    if size == len(table):
        return table
    rows = table.slice(start, size)
    return pa.table({name: tight(whole(column)) if pa.types.is_dictionary(column.type) else column
                     for name, column in zip(rows.column_names, rows.columns, strict=True)})


def fitting(coded: pa.DictionaryArray, test: Callable[[Any], bool]) -> pa.Array:
    """Whether the value of each row passes `test`; false where there is none."""
    fits = pa.array([value is not None and test(value) for value in coded.dictionary.to_pylist()], pa.bool_())
    return pc.fill_null(spread(coded, fits), False)
