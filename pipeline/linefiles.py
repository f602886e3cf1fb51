"""Files of `lines` as Parquet: how they are written, and how their columns are read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import coded, daylines

NUMBERS = ("line", "byte", "time", "bytes_in", "bytes_out", "duration_ms")   # stored as what they differ by


def store(rows: pa.Table, path: Path) -> None:
    """Write a table of lines. Its columns of words are coded, each with no value but those its rows have; places and times grow,
    numbers of bytes are small as a rule; a column without a null is said to have none, so that nothing is kept of each row."""
    words = [name for name in rows.column_names if pa.types.is_dictionary(rows.schema.field(name).type)]
    for name in words:
        rows = rows.set_column(rows.column_names.index(name), name, coded.tight(coded.code(rows[name])))
    rows = rows.cast(pa.schema([known.with_nullable(rows[known.name].null_count > 0) for known in rows.schema]))
    pq.write_table(rows, path, compression="zstd", compression_level=1, write_statistics=["line", "time"], store_schema=False,
                   use_dictionary=words, column_encoding=dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"))


def part(path: str, columns: list[str]) -> pa.Table:
    """Columns of a file of `lines`, its words coded. `read_table` takes four times as long over a file of one batch."""
    words = [name for name in columns if name in daylines.WORDS]
    return pq.ParquetFile(path, read_dictionary=words).read(columns, use_threads=False)
