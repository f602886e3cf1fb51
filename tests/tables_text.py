"""A table written as text, as Arrow: the first line names the columns, `|` parts the cells, `-` is no value.

What a row does not say is filled in from plain defaults, so that a test shows only what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa

from pipeline.tables import LINES, TIME, VISITS, Table, conform

DAY = date(2026, 11, 3)


def at(text: str, day: date = DAY) -> datetime:
    """`text` (10:05, 10:05:30 or 10:05:30.250) on `day`, UTC."""
    return datetime.combine(day, time.fromisoformat(text), UTC)


def rows(text: str) -> list[dict[str, Any]]:
    """The rows of a text table as dictionaries of text; `-` is None."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line.strip()]
    return [dict(zip(lines[0], [None if cell == "-" else cell for cell in line], strict=True)) for line in lines[1:]]


def _cell(value: Any, kind: pa.DataType) -> Any:
    if not isinstance(value, str):
        return value
    if pa.types.is_timestamp(kind):
        return at(value)
    if pa.types.is_integer(kind):
        return int(value)
    if pa.types.is_boolean(kind):
        return value == "yes"
    if pa.types.is_list(kind):
        return [part for part in value.split(",") if part]
    return value


def build(items: list[dict[str, Any]], shape: Table, defaults: Mapping[str, Any]) -> pa.Table:
    """`items` as a table of `shape`, gaps filled from `defaults`, then with '' or 0 or an empty list."""
    plain = {column.name: "" if column.type == pa.string() else [] if pa.types.is_list(column.type)
             else 0 if pa.types.is_integer(column.type) else None for column in shape.columns}
    full = [plain | dict(defaults) | item for item in items]
    arrays = [pa.array([_cell(row[c.name], c.type) for row in full], c.type) for c in shape.columns]
    return pa.table(arrays, schema=shape.schema)


def lines(text: str) -> pa.Table:
    """A text table as LINES: allowed http requests of source s1, numbered in order, unless it says otherwise."""
    defaults = {"source": "s1", "fate": "request", "action": "allowed", "kind": "http", "client": "d1", "person": None,
                "network": "", "status": 200}
    return build([{"line": str(n)} | row for n, row in enumerate(rows(text), 1)], LINES, defaults)


def visits(text: str) -> pa.Table:
    """A text table as VISITS: one pupil's visits in lessons unless it says otherwise; keys are s1:row number."""
    defaults = {"source": "s1", "client": "d1", "person": "p1", "actor": "student", "actor_from": "people",
                "year": "Y9", "network": "pupils", "band": "lesson", "period": "Period 3", "requests": 1,
                "slots": 1, "crowd": 1, "after_ms": None, "step_s": None, "piece": False, "opened": 1}
    items = []
    for n, given in enumerate(rows(text), 1):
        row = {"line": str(n), "visit": f"s1:{n}"} | given
        person = row.get("person", "p1")
        row.setdefault("subject", person or row.get("client", "d1"))
        row.setdefault("host", row.get("site", ""))
        row.setdefault("ended", row.get("started"))
        row.setdefault("requests", str(max(1, int(row.get("blocked") or 0) + int(row.get("allowed") or 0))))
        row.setdefault("tries", str(max(1, int(row.get("blocked") or 0))))
        items.append(row)
    return build(items, VISITS, defaults)


def bands(text: str) -> pa.Table:
    """A text table of bands: year | band | period | starts | ends."""
    items = rows(text)
    return pa.table({
        "year": pa.array([row["year"] or "" for row in items], pa.string()),
        "band": pa.array([row["band"] for row in items], pa.string()),
        "period": pa.array([row["period"] for row in items], pa.string()),
        "starts": pa.array([at(row["starts"]) for row in items], TIME),
        "ends": pa.array([at(row["ends"]) for row in items], TIME)})


def texts(text: str, *columns: str) -> pa.Table:
    """A text table whose columns are all text."""
    items = rows(text)
    return pa.table({name: pa.array([row[name] or "" for row in items], pa.string()) for name in columns})


def said(table: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of `table`, only those columns."""
    return [tuple(row[name] for name in columns) for row in table.select(list(columns)).to_pylist()]


__all__ = ["DAY", "at", "bands", "build", "conform", "lines", "rows", "said", "texts", "visits"]
