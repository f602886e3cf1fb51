"""One log read exactly once into the lake: plan, parse two batches side by side, seal, mask, write, commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import ingest, logfiles, sealed
from pipeline.formats import Format
from pipeline.ingest import Masks, Parser, Seal
from pipeline.lake import Lake, Plan
from pipeline.logfiles import LogFile
from pipeline.problems import Problem
from pipeline.vault import Vault

WORKERS = 2


@dataclass
class Reading:
    """What came of one log: lines by fate, the school days it touched, and its problems."""

    name: str
    source: str = ""
    fates: Counter[str] = field(default_factory=Counter)
    days: set[date] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    said: str = ""
    consumed: int = 0

    @property
    def lines(self) -> int:
        """Physical lines read tonight."""
        return sum(self.fates.values())


@dataclass(frozen=True)
class Reader:
    """What reading needs of the school: its lake, vault and masks, the time zone, the sealed folder and its key."""

    lake: Lake
    vault: Vault
    masks: Masks
    zone: str
    sealed_folder: Path
    sealed_key: bytes

    def read(self, log: LogFile, form: Format, verdicts: tuple[str, ...], tick: Callable[[int], None]) -> Reading:
        """Read what is new of `log`. Nothing counts before the commit at the end; `tick` is told the lines of each batch."""
        reading = Reading(log.path.name)
        begin = logfiles.head(log)
        plan = self.lake.plan(begin, None if log.compressed else log.size, lambda end: logfiles.before(log, end), log.finished)
        if plan.refused:
            return self._refused(reading, log, plan)
        reading.source = plan.source
        work = _Work(self, log, plan, reading, tick, [Parser(form, verdicts) for _ in range(WORKERS)])
        work.run()
        reading.consumed = work.lines - plan.lines
        if work.end == plan.start:
            reading.said = "nothing new"
            return reading
        self._keep(work)
        self.lake.commit({"source": plan.source, "from": plan.start, "to": work.end, "lines": work.lines,
                          "fates": dict(reading.fates), "files": work.files, "name": log.path.name,
                          "path": str(log.path.absolute()), "format": form.name, "time_basis": form.time_basis},
                         logfiles.before(log, work.end), begin)
        return reading

    def _refused(self, reading: Reading, log: LogFile, plan: Plan) -> Reading:
        reading.said = plan.refused
        if plan.refused == "differs":
            reading.problems.append(Problem(str(log.path), "begins like a log read before but then differs, so it was not read",
                                            "giving the log that was read before, or removing the lines it repeats"))
        return reading

    def _keep(self, work: _Work) -> None:
        """All that must be on disk before the commit: names, the encrypted copy of sealed bytes, and older lines sealed too."""
        self.vault.add(self.masks.met)
        if not work.seals:
            return
        name = f"{work.plan.source}-{work.plan.start}-{work.end}.sealed"
        sealed.seal_copy(self.sealed_folder / name, self.sealed_key, logfiles.chunks(work.log, work.plan.start, work.end))
        seal_again(self.lake, ingest.one_item(work.seals), self.masks)


def seal_again(lake: Lake, found: list[Seal], masks: Masks) -> None:
    """Seal committed lines of the same client, near in time, that name the same host: they came in another log or night."""
    low, high = ingest.span(found)
    for path, file in lake.lines_files().items():
        rows = pq.read_table(lake.folder / path, partitioning=None)
        if not len(rows) or not _overlaps(rows, low, high):
            continue
        items = pa.repeat("", len(rows))
        micros = pc.cast(rows["time"], pa.int64())
        for seal in found:
            near = pc.and_(pc.equal(rows["client"], masks.client(seal.client)[0]), pc.equal(rows["host"], seal.host))
            near = pc.and_(near, pc.less_equal(pc.abs(pc.subtract(micros, seal.at)), ingest.NEAR))
            items = pc.if_else(pc.fill_null(near, False), seal.item, items)
        if pc.any(pc.not_equal(items, "")).as_py():
            lake.replace(file["path"], ingest.withheld(rows, items), "sealed: near a sealed item read later")


def _overlaps(rows: pa.Table, low: datetime, high: datetime) -> bool:
    span = pc.min_max(rows["time"]).as_py()
    return span["min"] is not None and span["min"] <= high and span["max"] >= low


@dataclass
class _Work:
    """One log on its way into the lake."""

    reader: Reader
    log: LogFile
    plan: Plan
    reading: Reading
    tick: Callable[[int], None]
    parsers: list[Parser]
    end: int = 0
    lines: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    seals: list[Seal] = field(default_factory=list)

    def run(self) -> None:
        """Parse and write every batch."""
        self.end, self.lines = self.plan.start, self.plan.lines
        last = datetime.fromtimestamp(self.log.changed, UTC)
        earlier = earlier_seals(self.reader.lake)
        for (raw, near), (start, end) in zip(ingest.windows(self._parsed()), self._bounds(), strict=False):
            rows = ingest.finish(raw, self.plan.source, near, self.reader.masks)
            rows = near_earlier(rows, earlier)
            self.seals += near
            for day, part in ingest.by_day(rows, self.reader.zone, last):
                self.files.append(self.reader.lake.write_lines(day, f"{self.plan.source}-{start}-{end}", part))
                self.reading.days.add(day)
            last = ingest.latest(raw, last)
            self.reading.fates.update(ingest.fates(rows))
            self.tick(len(rows))

    def _bounds(self) -> Iterator[tuple[int, int]]:
        while True:
            yield self._ends.pop(0)

    def _parsed(self) -> Iterator[pa.Table]:
        """Parsed batches in order, two at a time."""
        self._ends: list[tuple[int, int]] = []
        waiting: list[Future[pa.Table]] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            batches = logfiles.batches(self.log, self.plan.start, self.plan.lines + 1, self.reading.problems)
            for number, batch in enumerate(batches):
                self.end, self.lines = batch.end, batch.first_line + len(batch.texts) - 1
                self._ends.append((batch.start, batch.end))
                waiting.append(pool.submit(self.parsers[number % WORKERS].parse, batch.numbered()))
                if len(waiting) == WORKERS:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()


def earlier_seals(lake: Lake) -> pa.Table:
    """Client, time and item of every sealed row stored so far; its host is known to nobody."""
    return lake.sealed_rows()


def near_earlier(rows: pa.Table, earlier: pa.Table) -> pa.Table:
    """`rows` with those sealed whose client had a sealed row stored earlier within a minute: whether they name the same
    host can no longer be known, so they lose theirs."""
    if not len(earlier) or not len(rows):
        return rows
    items = rows["sealed"]
    micros = pc.cast(rows["time"], pa.int64())
    for row in earlier.to_pylist():
        near = pc.and_(pc.equal(rows["client"], row["client"]),
                       pc.less_equal(pc.abs(pc.subtract(micros, round(row["time"].timestamp() * 1e6))), ingest.NEAR))
        items = pc.if_else(pc.and_(pc.fill_null(near, False), pc.equal(items, "")), row["sealed"], items)
    return ingest.withheld(rows, items) if pc.any(pc.not_equal(items, rows["sealed"])).as_py() else rows
