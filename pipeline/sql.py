"""One way to run SQL: a text over named tables, a table back.

Extensions are never loaded or fetched, time is UTC, and what does not fit in memory goes to the spill folder given.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

_THREAD = threading.local()


def connect(*, threads: int = 2, memory: str = "1200MB", spill: str = "") -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory, held to `threads`, `memory`, and the folder `spill` (none: no spilling)."""
    con = duckdb.connect(":memory:", config={
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": threads,
        "memory_limit": memory,
        "temp_directory": spill,
    })
    con.execute("SET TimeZone = 'UTC'")
    return con


def _own() -> duckdb.DuckDBPyConnection:
    """The connection of this thread for small questions, which need no spilling; a forked process makes one of its own."""
    if getattr(_THREAD, "process", None) != os.getpid():
        # The parent's connection is kept and never used: to end it here would wait for threads that did not come along.
        _THREAD.left = getattr(_THREAD, "con", None)
        _THREAD.con, _THREAD.process = connect(), os.getpid()
    con: duckdb.DuckDBPyConnection = _THREAD.con
    return con


def aside() -> duckdb.DuckDBPyConnection:
    """A connection for several small questions that share temporary tables: to the database that `run` has in this thread, for
    to open another takes as long as a dozen questions. What is registered and temporary is its own, and goes with it."""
    con = _own().cursor()
    con.execute("SET TimeZone = 'UTC'")
    return con


def run(text: str, values: Mapping[str, Any] | None = None, *, con: duckdb.DuckDBPyConnection | None = None,
        **tables: pa.Table) -> pa.Table:
    """The answer of one SQL `text` as an Arrow table, over `tables` by their names and `values` as $name."""
    con = con or _own()
    for name, table in tables.items():
        con.register(name, table)
    try:
        return con.sql(text, params=dict(values) if values else None).to_arrow_table()
    finally:
        for name in tables:
            con.unregister(name)


def some(table: pa.Table, column: str, words: Collection[str]) -> bool:
    """Whether any row of `table` has one of these `words` in `column`. To plan a question takes longer than to look over a small
    day's rows, so a step that asks only about some rows looks first whether there are any."""
    return bool(pc.any(pc.is_in(table[column], pa.array(words, pa.string()))).as_py())


class Prepared:
    """One SQL text that is planned once and run over table after table of the same columns.

    To plan the select of a log's format takes as long as to run it over tens of thousands of lines. No join is put in the
    place of a list of words (`IN`) either: over lines, a few comparisons are quicker.
    """

    def __init__(self, text: str, con: duckdb.DuckDBPyConnection, table: str) -> None:
        self.text, self.con, self.table = text, con, table
        self.feed = _Feed()
        self.planned = False

    def run(self, table: pa.Table) -> pa.Table:
        """The answer over `table`, which the text knows by the name given at the start."""
        self.feed.table = table
        if not self.planned:
            self.con.execute("SET disabled_optimizers = 'in_clause'")
            self.con.register(self.table, self.feed)
            self.con.execute(f"PREPARE over_{self.table} AS {self.text}")
            self.planned = True
        answer = self.con.sql(f"EXECUTE over_{self.table}").to_arrow_table()
        self.feed.table = None
        return answer


class _Feed:
    """What DuckDB knows as one table, and holds another each time."""

    table: pa.Table | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if self.table is None:
            raise ValueError("nothing to read")
        return self.table.__arrow_c_stream__(requested_schema)
