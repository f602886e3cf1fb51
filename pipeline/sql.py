"""One way to run SQL: a text over named tables, a table back.

Extensions are never loaded or fetched, time is UTC, and what does not fit in memory goes to the spill folder given.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

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
