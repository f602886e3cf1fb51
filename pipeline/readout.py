"""`schoolgate read`: what the program understands of a log, as JSON lines, without a school folder and without writing."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import ingest, logfiles
from pipeline.formats import Format
from pipeline.ingest import Parser
from pipeline.logfiles import LogFile
from pipeline.problems import Problem

KEYS = ("time", "client_ip", "user", "action", "kind", "method", "url", "host", "port", "status", "bytes_in", "bytes_out",
        "duration_ms", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule")


def read(log: LogFile, form: Format, verdicts: tuple[str, ...],
         out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> list[Problem]:
    """Write one JSON object per request of `log` to `out`; rejects (reason and shape) and counts by fate to `err`."""
    problems: list[Problem] = []
    counts: Counter[str] = Counter()
    for rows, near in ingest.windows(_parsed(log, form, verdicts, problems)):
        counts.update(ingest.fates(rows))
        for request in requests(rows, near, log.path.name):
            out.write(json.dumps(request, ensure_ascii=False) + "\n")
        for reject in rows.filter(pc.equal(rows["fate"], "reject")).select(["line", "reason", "shape"]).to_pylist():
            err.write(f"{log.path}, line {reject['line']}: {reject['reason']}: {reject['shape']}\n")
    err.write(f"{log.path}: " + ", ".join(f"{counts[fate]:,} {fate}" for fate in ingest.FATES) + "\n")
    return problems


def _parsed(log: LogFile, form: Format, verdicts: tuple[str, ...], problems: list[Problem]) -> Iterator[pa.Table]:
    parser = Parser(form, verdicts)
    for batch in logfiles.batches(log, 0, 1, problems):
        yield parser.parse(batch.numbered())


def requests(raw: pa.Table, near: list[ingest.Seal], name: str) -> Iterator[dict[str, Any]]:
    """The requests of a parsed batch by the contract's keys; those near a sealed one lose their addresses."""
    hidden = pc.not_equal(ingest.sealed_items(raw, near), "")
    shown = raw.append_column("hidden", hidden).filter(pc.equal(raw["fate"], "request"))
    for row in shown.to_pylist():
        if row["hidden"]:
            row |= {"url": None, "host": None, "referrer": None}
        row["time"] = row["time"].replace(tzinfo=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        yield {key: row[key] for key in KEYS} | {"source": name, "line": row["line"]}
