"""A format's split alone: lines of text in, a dictionary of the product's fields out, before anything is made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from pipeline import sql
from pipeline.formats import Format, Layout, parse
from pipeline.formats.places import MACROS
from pipeline.formats.readers import READERS
from pipeline.logfiles import LONGEST

TOML = """
name = "made-up"
title = "Made up"
reader = "{reader}"
time_basis = "utc"
verdicts = [{{ action = "allowed" }}]
{more}
[time]
from = ["{first}"]
as = ["iso"]
[fields]
vendor_rule = [{rest}]
"""


@cache
def connected() -> duckdb.DuckDBPyConnection:
    """One connection for all tests, with the small words that selects use."""
    con = sql.connect(threads=1)
    con.execute(MACROS)
    return con


@lru_cache(maxsize=64)
def _planned(select: str) -> sql.Prepared:
    con = connected().cursor()
    con.execute("SET TimeZone = 'UTC'")
    return sql.Prepared(select, con, "numbered")


def answer(select: str, numbered: pa.Table) -> pa.Table:
    """What the text of a split says of `numbered`: planned once and run again and again, as the program runs it over batches."""
    return _planned(select).run(numbered)


def form(reader: str, needs: Sequence[str], more: str = "") -> Format:
    """A format of that reader that needs these fields; `more` is what else its file says."""
    rest = ", ".join(json.dumps(name, ensure_ascii=False) for name in needs)
    made, faults = parse(TOML.format(reader=reader, first=needs[0], rest=rest, more=more), "made-up.toml")
    assert made is not None, faults
    return made


def rows(made: Format, lines: Sequence[str], **layout: Any) -> list[dict[str, Any]]:
    """What the split says of each line: `line`, `fault` and the fields; those that are null are left out."""
    table = pa.table({"line": pa.array(range(1, len(lines) + 1), pa.int64()), "byte": pa.array([0] * len(lines), pa.int64()),
                      "text": pa.array(lines, pa.string()), "long": pa.array([len(line) > LONGEST for line in lines], pa.bool_())})
    found = answer(READERS[made.file.reader](made, Layout(made.name, **layout)), table)
    assert set(found.column_names) == {"line", "byte", "text", "long", "fault", *made.needs}
    return [{key: value for key, value in row.items() if value is not None and key not in ("byte", "text", "long")}
            for row in found.to_pylist()]


def fields(made: Format, *lines: str, **layout: Any) -> list[dict[str, Any]]:
    """The fields of lines that are records, without their numbers."""
    found = rows(made, lines, **layout)
    assert not [row for row in found if "fault" in row], found
    return [{key: value for key, value in row.items() if key != "line"} for row in found]


def faults(made: Format, *lines: str, **layout: Any) -> list[str | None]:
    """What is wrong with each line; None for a record."""
    return [row.get("fault") for row in rows(made, lines, **layout)]


def told(made: Format, lines: Sequence[str], **layout: Any) -> None:
    """Hold a split to its promise for any text at all: it does not raise, and gives each line one row, in order."""
    assert [row["line"] for row in rows(made, lines, **layout)] == list(range(1, len(lines) + 1))
