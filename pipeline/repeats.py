"""Exports of a console overlap by nature: a row that an earlier export held too is a repeat, and counts nothing.

A row is known by its content. One that an export holds twice happened twice, so a row is a repeat only as often as the
earlier export that holds it most has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.sql import run
from pipeline.tables import LINES, REQUEST

# What a row says, but for the random id of a sealed item.
CONTENT = tuple(column.name for column in REQUEST if column.name != "sealed")
MARKS = f"SELECT hash({', '.join(CONTENT)}) AS mark FROM held WHERE fate = 'request'"


def marks(rows: pa.Table) -> list[int]:
    """A mark of what each request of `rows` (LINES) says, in order."""
    return list(run(MARKS, held=rows)["mark"].to_pylist())


def known(exports: Iterable[pa.Table]) -> Counter[int]:
    """How often the requests of earlier exports stand in the one that has each most often."""
    most: Counter[int] = Counter()
    for rows in exports:
        most |= Counter(marks(rows))
    return most


def told(rows: pa.Table, earlier: Counter[int], here: Counter[int]) -> pa.Table:
    """`rows` of one export with the fate `repeat` where an earlier one has them; `here` goes on counting this export's."""
    if not earlier:
        return rows
    requests = np.flatnonzero(coded.fitting(coded.code(rows["fate"]), lambda fate: fate == "request").to_numpy(
        zero_copy_only=False))
    repeat = np.zeros(len(rows), bool)
    for place, mark in zip(requests.tolist(), marks(rows), strict=True):
        here[mark] += 1
        repeat[place] = here[mark] <= earlier[mark]
    return _blank(rows, pa.array(repeat)) if repeat.any() else rows


def _blank(rows: pa.Table, gone: pa.Array) -> pa.Table:
    """`rows` where `gone` keeps only its place and says `repeat`."""
    fates = pc.if_else(gone, "repeat", pc.cast(coded.whole(rows["fate"]), pa.string()))
    kept = {"source": rows["source"], "line": rows["line"], "byte": rows["byte"], "fate": coded.code(fates)}
    blank = {name: coded.without(rows[name], gone) for name in rows.column_names if name not in kept}
    for name in ("reason", "shape", "account", "network", "setup", "sealed", "sealed_list"):
        blank[name] = coded.code(pc.fill_null(pc.cast(blank[name], pa.string()), ""))
    return pa.table({column.name: (kept | blank)[column.name] for column in LINES.columns})
