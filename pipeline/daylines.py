"""The lines of one school day in parts, with their words coded: how what touches every line reads them.

A part is a file of the lake, or all the lines that a connection calls `lines`. Each holds a batch of one log, so that what is
made of a part (a row a host, a row a minute) is small before it meets what other parts made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import duckdb
import pyarrow as pa

from pipeline import coded
from pipeline.tables import LINES, TEXT

WORKERS = 2
WORDS = [column.name for column in LINES.columns if column.type == TEXT]
Made = TypeVar("Made")
Read = Callable[[], pa.Table]
# The parts of a day, each still to be read, with the columns asked for.
Parts = Callable[[Sequence[str]], list[Read]]


def of_view(con: duckdb.DuckDBPyConnection) -> Parts:
    """One part: what `con` calls `lines`, read at once, for a connection answers one question at a time."""
    def parts(columns: Sequence[str]) -> list[Read]:
        rows = con.sql(f"SELECT {', '.join(columns)} FROM lines").to_arrow_table()
        return [partial(with_codes, rows)]
    return parts


def each(parts: Sequence[Read], make: Callable[[pa.Table], Made]) -> Iterator[Made]:
    """What `make` makes of each part, in their order; two are read and made at a time, and no more are held."""
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[Made]] = deque()
        for read in parts:
            waiting.append(pool.submit(_made, read, make))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _made(read: Read, make: Callable[[pa.Table], Made]) -> Made:
    return make(read())


def with_codes(rows: pa.Table) -> pa.Table:
    """The rows of lines with their words coded."""
    return pa.table({name: coded.code(rows[name]) if name in WORDS else rows[name] for name in rows.column_names})
