"""A select whose answers are kept: for what a batch has few distinct rows of, and the next batch mostly has again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline import sql


class Known:
    """The answers of one select over distinct rows, kept from batch to batch: most of a batch's hosts and verdicts stood in
    the one before, and the start of a select costs as much as thousands of rows."""

    MOST = 100_000

    def __init__(self, select: sql.Prepared, types: Mapping[str, pa.DataType]) -> None:
        self.select, self.types = select, types
        self.place: dict[tuple[Any, ...], int] = {}
        self.answers = pa.table({})

    def of(self, values: Sequence[Sequence[Any]]) -> pa.Table:
        """The answer for each row, in order. `values`: a list of values a column, as `types` has the columns."""
        rows = list(zip(*values, strict=True))
        if len(self.place) > self.MOST:
            self.place, self.answers = {}, pa.table({})
        new = [row for row in rows if row not in self.place]
        if new or not self.place:
            self._learn(new)
        return self.answers.take(pa.array([self.place[row] for row in rows], pa.int64()))

    def _learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        columns = {name: pa.array([row[n] for row in rows], kind) for n, (name, kind) in enumerate(self.types.items())}
        found = self.select.run(pa.table({"our n": pa.array(range(len(rows)), pa.int64())} | columns))
        self.place |= {row: len(self.place) + n for n, row in enumerate(rows)}
        self.answers = (pa.concat_tables([self.answers, found]) if len(self.answers) else found).combine_chunks()
