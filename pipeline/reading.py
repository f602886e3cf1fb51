"""One log read exactly once into the lake: plan, recognise, parse, seal, mask, write, commit."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, ingest, logfiles, repeats, sealed
from pipeline.formats import Format, Layout, bundled, recognise
from pipeline.ingest import Masks, Piece, Seal
from pipeline.knownlogs import Plan
from pipeline.lake import Lake
from pipeline.logfiles import LogFile
from pipeline.parsing import WORKERS, Parsing
from pipeline.problems import Problem
from pipeline.school import School, said_of
from pipeline.schoolday import school_day
from pipeline.vault import Vault

Tick = Callable[[int], None]


@dataclass
class Reading:
    """What came of one log: lines by fate, the school days it touched, and its problems."""

    name: str
    source: str = ""
    format: str = ""
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
    """What reading needs of the school: its lake, vault and masks, its settings, the sealed folder and its key, and the
    formats it knows."""

    lake: Lake
    vault: Vault
    masks: Masks
    school: School
    sealed_folder: Path
    sealed_key: bytes
    formats: Mapping[str, Format] = field(default_factory=bundled)

    @property
    def zone(self) -> str:
        """The zone of the school's clock."""
        return self.school.calendar.timezone

    def read(self, log: LogFile, tick: Tick, form: str = "") -> Reading:
        """Read what is new of `log`, by the format `form` or (none given) by what its lines look like.

        Nothing counts before the commit at the end; `tick` is told the lines of each batch.
        """
        reading = Reading(log.name)
        plan = self._plan(log)
        if log.array and not plan.known and (before := self._plan(replace(log, array=False))).known:
            log, plan = replace(log, array=False), before  # read line by line by a version that knew no arrays
        begin = logfiles.head(log)
        if plan.refused:
            return self._refused(reading, log, plan)
        reading.source = plan.source
        layouts = self._layouts(log, plan, form, reading)
        if not layouts:
            return reading
        reading.format = layouts[0].format
        parsing = Parsing(log, layouts, self.formats, self.school.sealed, self.zone, reading.problems)
        work = _Work(self, log, plan, reading, tick, parsing)
        work.run()
        reading.consumed = parsing.lines - plan.lines
        if parsing.end == plan.start:
            reading.said = "nothing new"
            return reading
        self._keep(work)
        self.lake.commit({"source": plan.source, "from": plan.start, "to": parsing.end, "lines": parsing.lines,
                          "fates": dict(reading.fates), "files": work.files, "name": log.name,
                          "path": str(log.path.absolute()), "format": reading.format, "undecided": parsing.undecided,
                          "time_basis": self.formats[reading.format].time_basis,
                          "layouts": [asdict(layout) for layout in parsing.layouts]},
                         logfiles.before(log, parsing.end), begin)
        return reading

    def _plan(self, log: LogFile) -> Plan:
        return self.lake.plan(logfiles.head(log), None if log.compressed else log.size, lambda end: logfiles.before(log, end),
                              log.finished)

    def _layouts(self, log: LogFile, plan: Plan, form: str, reading: Reading) -> list[Layout]:
        """How the log is laid out: as on the night before, or as its lines look; none, and a problem, where nothing fits."""
        said = said_of(self.school, log.path.name)
        form, zone, dates = form or (said.format if said else ""), said.zone if said else "", said.dates if said else ""
        known = self._still(self.lake.sources()[plan.source].layouts) if plan.known else ()
        if known and (not form or known[0].format == form):
            return recognise.dated(known, logfiles.sample(log), log.changed)
        found, problems = recognise.recognise(logfiles.sample(log), self.formats, str(log), zone or self.zone, log.changed,
                                              form, dates=dates)
        if not found and (before := self._before(log)):
            return recognise.dated(before, logfiles.sample(log), log.changed)
        reading.problems += problems
        if not found:
            reading.said = "not recognised"
        return found

    def _before(self, log: LogFile) -> tuple[Layout, ...]:
        """How the last log of the same path was laid out: a new one may have nothing yet that tells its format."""
        known = [source.layouts for source in self.lake.sources().values() if source.path == str(log.path.absolute())]
        return self._still(known[-1]) if known else ()

    def _still(self, layouts: tuple[Layout, ...]) -> tuple[Layout, ...]:
        """The layouts, where the formats are all there still."""
        return layouts if all(layout.format in self.formats for layout in layouts) else ()

    def _refused(self, reading: Reading, log: LogFile, plan: Plan) -> Reading:
        reading.said = plan.refused
        if plan.refused == "differs":
            reading.problems.append(Problem(str(log), "begins like a log read before but then differs, so it was not read",
                                            "giving the log that was read before, or removing the lines it repeats"))
        return reading

    def _keep(self, work: _Work) -> None:
        """All that must be on disk before the commit: names, the encrypted copy of sealed bytes, and older lines sealed too."""
        self.vault.add(self.masks.met)
        if not work.seals:
            return
        start, end = work.plan.start, work.parsing.end
        sealed.seal_copy(self.sealed_folder / f"{work.plan.source}-{start}-{end}.sealed", self.sealed_key,
                         logfiles.chunks(work.log, start, end))
        seal_again(self.lake, ingest.one_item(work.seals), self.masks, self.zone)


def seal_again(lake: Lake, found: list[Seal], masks: Masks, zone: str) -> None:
    """Seal committed lines of the same client, near in time, that name the same host: they came in another log or night."""
    low, high = ingest.span(found)
    days = {school_day(low, zone) + timedelta(days=n) for n in range((school_day(high, zone) - school_day(low, zone)).days + 1)}
    for path in [path for day in days for path in lake.files_of(day)]:
        rows = lake.lines_of(path)
        items = coded.whole(rows["sealed"])
        micros = pc.cast(rows["time"], pa.int64())
        for seal in found:
            near = pc.and_(pc.equal(rows["client"], masks.client(seal.client)[0]), pc.equal(rows["host"], seal.host))
            near = pc.and_(near, pc.less_equal(pc.abs(pc.subtract(micros, seal.at)), ingest.NEAR))
            items = pc.if_else(pc.fill_null(near, False), seal.item, items)
        if pc.any(pc.not_equal(items, rows["sealed"])).as_py():
            lake.replace(path, ingest.withheld(rows, items), "sealed: near a sealed item read later")


@dataclass
class _Work:
    """One log on its way into the lake."""

    reader: Reader
    log: LogFile
    plan: Plan
    reading: Reading
    tick: Tick
    parsing: Parsing
    files: list[dict[str, Any]] = field(default_factory=list)
    seals: list[Seal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._earlier = self.reader.lake.sealed_rows()
        self._overlaps = self.reader.formats[self.reading.format].file.overlaps
        self._exports: dict[date, tuple[Counter[int], Counter[int]]] = {}

    def run(self) -> None:
        """Parse, finish and write every batch: two threads do the work, this one keeps the order."""
        with ThreadPoolExecutor(WORKERS) as pool:
            waiting: deque[Future[_Done]] = deque()
            for piece, near in ingest.windows(self.parsing.pieces(pool, self.plan.start, self.plan.lines)):
                self.seals += near
                if self._overlaps:  # repeats are counted in order
                    self._take(self._finish(piece, near))
                    continue
                waiting.append(pool.submit(self._finish, piece, near))
                if len(waiting) > WORKERS:
                    self._take(waiting.popleft().result())
            for future in waiting:
                self._take(future.result())

    def _finish(self, piece: Piece, near: list[Seal]) -> _Done:
        rows = ingest.finish(piece.raw, self.plan.source, near, self.reader.masks)
        rows = near_earlier(rows, self._earlier)
        name, fates, written = f"{self.plan.source}-{piece.start}-{piece.end}", Counter[str](), {}
        for day, part in ingest.by_day(rows, self.reader.zone, piece.after):
            told = repeats.told(part, *self._told_before(day)) if self._overlaps else part
            written[day] = self.reader.lake.write_lines(day, name, told)
            fates.update(ingest.fates(told))
        return _Done(len(rows), fates, written)

    def _told_before(self, day: date) -> tuple[Counter[int], Counter[int]]:
        """What earlier exports of this format hold of a day, and what this one does so far."""
        if day not in self._exports:
            lake, sources = self.reader.lake, self.reader.lake.sources()
            by_source: dict[str, list[str]] = {}
            for path in lake.files_of(day):
                source = Path(path).name.partition("-")[0]
                if source in sources and sources[source].format == self.reading.format and source != self.plan.source:
                    by_source.setdefault(source, []).append(path)
            exports = (pa.concat_tables(map(lake.lines_of, paths)) for paths in by_source.values())
            self._exports[day] = repeats.known(exports), Counter()
        return self._exports[day]

    def _take(self, done: _Done) -> None:
        self.files += done.written.values()
        self.reading.days |= set(done.written)
        self.reading.fates.update(done.fates)
        self.tick(done.lines)


@dataclass(frozen=True)
class _Done:
    """One batch in the lake: how many lines, by fate, and the file of each day."""

    lines: int
    fates: Counter[str]
    written: dict[date, dict[str, Any]]


def near_earlier(rows: pa.Table, earlier: pa.Table) -> pa.Table:
    """`rows` with those sealed whose client had a sealed row stored earlier within a minute: whether they name the same
    host can no longer be known, so they lose theirs."""
    span = pc.min_max(rows["time"]).as_py()
    if not len(earlier) or span["min"] is None:
        return rows
    reach = timedelta(microseconds=ingest.NEAR)
    there = pc.and_(pc.greater_equal(earlier["time"], pa.scalar(span["min"] - reach, earlier["time"].type)),
                    pc.less_equal(earlier["time"], pa.scalar(span["max"] + reach, earlier["time"].type)))
    clients, items = pc.cast(coded.whole(rows["client"]), pa.string()), pc.cast(coded.whole(rows["sealed"]), pa.string())
    micros = pc.cast(rows["time"], pa.int64())
    for row in earlier.filter(there).to_pylist():
        near = pc.and_(pc.equal(clients, row["client"]),
                       pc.less_equal(pc.abs(pc.subtract(micros, round(row["time"].timestamp() * 1e6))), ingest.NEAR))
        items = pc.if_else(pc.and_(pc.fill_null(near, False), pc.equal(items, "")), row["sealed"], items)
    return ingest.withheld(rows, items)
