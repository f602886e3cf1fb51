"""`schoolgate read`: what the program understands of a log, as JSON lines, without a school folder and without writing."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, ingest, logfiles
from pipeline.formats import Format, Layout, bundled, recognise
from pipeline.logfiles import LogFile
from pipeline.parsing import WORKERS, Parsing
from pipeline.problems import Problem

KEYS = ("time", "client_ip", "user", "action", "kind", "method", "url", "host", "port", "status", "bytes_in", "bytes_out",
        "duration_ms", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule")


@dataclass(frozen=True)
class Readout:
    """How to read: a format's name ('': by what the lines look like), and for times that do not say it: zone, year of the last
    line, and order of day and month (dmy, mdy)."""

    form: str = ""
    zone: str = "Europe/London"
    year: int = 0
    dates: str = ""
    formats: Mapping[str, Format] = field(default_factory=bundled)

    def layouts(self, log: LogFile) -> tuple[list[Layout], list[Problem]]:
        """How a log is laid out, or none and why."""
        return recognise.recognise(logfiles.sample(log), self.formats, str(log), self.zone, log.changed, self.form,
                                   self.year, self.dates)


def read(log: LogFile, how: Readout, out: TextIO | None = None, err: TextIO | None = None) -> list[Problem]:
    """Write one JSON object per request of `log` to `out`; rejects (reason and shape) and counts by fate to `err` (None: the
    process's own).

    No night will come for a last line without its end, so it is read too.
    """
    out, err = out or sys.stdout, err or sys.stderr
    layouts, problems = how.layouts(log)
    if not layouts:
        return problems
    counts: Counter[str] = Counter()
    parsing = Parsing(logfiles.whole(log), layouts, how.formats, {}, how.zone, problems)
    with ThreadPoolExecutor(WORKERS) as pool:
        for piece, near in ingest.windows(parsing.pieces(pool)):
            counts.update(ingest.fates(piece.raw))
            for request in requests(piece.raw, near, log.name):
                out.write(json.dumps(request, ensure_ascii=False) + "\n")
            for reject in rejects(piece.raw):
                err.write(f"{log}, line {reject['line']}: {reject['reason']}: {reject['shape']}\n")
    err.write(f"{log} ({layouts[0].format}): " + ", ".join(f"{counts[fate]:,} {fate}" for fate in ingest.FATES) + "\n")
    return problems


def rejects(raw: pa.Table) -> list[dict[str, Any]]:
    """Line, reason and shape of each reject of a parsed batch."""
    rows: list[dict[str, Any]] = raw.filter(coded.fitting(coded.code(raw["fate"]), lambda fate: fate == "reject")).select(
        ["line", "reason", "shape"]).to_pylist()
    return rows


def requests(raw: pa.Table, near: Sequence[ingest.Seal], name: str) -> Iterator[dict[str, Any]]:
    """The requests of a parsed batch by the contract's keys; those near a sealed one lose their addresses."""
    hidden = coded.fitting(ingest.sealed_items(raw, near), bool)
    wanted = coded.fitting(coded.code(raw["fate"]), lambda fate: fate == "request")
    shown = raw.append_column("hidden", hidden).filter(pc.and_(wanted, pc.is_valid(raw["time"])))
    for row in shown.to_pylist():
        if row["hidden"]:
            told = row["host"] and row["host"] in (row["vendor_rule"] or "").lower()  # such as "Banned site: …"
            row.update(dict.fromkeys(("url", "host", "referrer", *(["vendor_rule"] if told else []))))
        row["time"] = row["time"].replace(tzinfo=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        yield {key: row[key] for key in KEYS} | {"source": name, "line": row["line"]}
