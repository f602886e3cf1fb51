"""The lake: plain Parquet by school day, committed by journals. Only this file and `linefiles` read and write it.

`lines` files are named after the bytes they hold: `lines/day=2026-11-02/<source>-<from>-<to>.parquet`. A night writes
and fsyncs its files, then appends one entry to the `ingest` journal. The entry is the commit: a file that no entry names
is removed at the next start. Derived tables are one file a day, named by an entry of the `days` journal, written last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import coded, daylines, knownlogs, linefiles, tables
from pipeline.chain import Entry
from pipeline.daylines import Parts
from pipeline.durable import sync
from pipeline.journal import Folded, Journal
from pipeline.knownlogs import HEAD, Plan, Source, digest, heads
from pipeline.problems import FailedError, Problem


@dataclass
class Days:
    """What the journal of days comes to: the last entry of each judged day, and the days whose last judgement is untold."""

    judged: dict[date, dict[str, Any]] = field(default_factory=dict)
    order: dict[date, int] = field(default_factory=dict)  # number of that entry
    untold: set[date] = field(default_factory=set)


@dataclass
class Lake:
    """The lake of one school folder. `folder`: var/lake. `key`: for naming logs by their first bytes."""

    folder: Path
    ingest: Journal
    days: Journal
    key: bytes
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sources = Folded[dict[str, Source]](self.ingest, dict, knownlogs.take)
        self._files = Folded[dict[str, dict[str, dict[str, Any]]]](self.ingest, dict, _written)
        self._days = Folded[Days](self.days, Days, _judged)

    # --- logs -------------------------------------------------------------------------------------------------

    def sources(self) -> dict[str, Source]:
        """Every log read so far, by source."""
        return dict(self._sources.now())

    def plan(self, begin: bytes, size: int | None, tail_at: Callable[[int], bytes], finished: bool) -> Plan:
        """What to read of a log (see `knownlogs.plan`)."""
        return knownlogs.plan(self._sources.now(), self.key, begin, size, tail_at, finished)

    def write_lines(self, day: date, name: str, rows: pa.Table) -> dict[str, Any]:
        """Write one file of `lines`, fsynced; its entry for the journal."""
        return self._write(Path("lines") / f"day={day}" / f"{name}.parquet", rows)

    def commit(self, body: dict[str, Any], tail: bytes, begin: bytes) -> None:
        """The commit of one log: from here on its lines count.

        `body`: source, from, to, lines, fates, files, name, path, format, time_basis.
        """
        known = heads(self.key, begin[:body["to"]]) or {min(HEAD, body["to"]): digest(self.key, begin[:body["to"]])}
        self.ingest.append("read", body["source"], body | {
            "heads": {str(length): digest for length, digest in known.items()}, "tail": digest(self.key, tail)})

    def lines_files(self) -> dict[str, dict[str, Any]]:
        """Every committed file of `lines` by its path inside the lake: size, hash, rows, day."""
        return {path: file for of_day in self._files.now().values() for path, file in of_day.items()}

    def files_of(self, day: date) -> list[str]:
        """The committed files of `lines` of one school day, sorted."""
        return sorted(self._files.now().get(str(day), ()))

    def replace(self, old: str, rows: pa.Table | None, why: str) -> None:
        """Put `rows` in place of a committed file of `lines` (None: remove it), with an entry that says why."""
        path = Path(old)
        stem = path.stem.split("~")[0]
        new = [] if rows is None else [self._write(path.with_name(f"{stem}~{len(self.ingest.entries())}.parquet"), rows)]
        self.ingest.append("erased", path.stem, {"replaces": [old], "files": new, "why": why})
        (self.folder / old).unlink(missing_ok=True)

    def lines_of(self, path: str, columns: Sequence[str] = tables.LINES.schema.names,
                 only: list[tuple[str, str, str]] | None = None) -> pa.Table:
        """Columns of LINES of one file, of all its lines or of those that `only` holds for."""
        rows = pq.read_table(self.folder / path, columns=list(columns), partitioning=None, filters=only)
        # A file says of a column without a null that it has none; as rows of LINES all are alike.
        return rows.cast(pa.schema([tables.LINES.schema.field(name) for name in columns]))

    def sealed_rows(self) -> pa.Table:
        """Client, time and item of every sealed row stored; files without one are known by their journal entry."""
        parts = [self.lines_of(path, ["client", "time", "sealed"], [("sealed", "!=", "")])
                 for path, file in self.lines_files().items() if file.get("sealed") and (self.folder / path).is_file()]
        return pa.concat_tables(parts) if parts else tables.empty(tables.LINES).select(["client", "time", "sealed"])

    def people_of_lines(self, days: Collection[date]) -> pa.Table:
        """Every pair of person and client that the committed lines of these days hold."""
        parts = [self.lines_of(path, ["person", "client"]).group_by(["person", "client"]).aggregate([])
                 for path in self._lines_of(days)]
        return pa.concat_tables(parts) if parts else tables.empty(tables.LINES).select(["person", "client"])

    # --- days -------------------------------------------------------------------------------------------------

    def view(self, con: duckdb.DuckDBPyConnection, day: date) -> Parts:
        """Give `con` the view `lines` of one school day; the same lines part by part."""
        files = [str(self.folder / path) for path in self.files_of(day)]
        if not files:
            con.register("lines", tables.empty(tables.LINES))
            return daylines.of_view(con)
        con.read_parquet(files).create_view("lines", replace=True)
        return lambda columns: [partial(linefiles.part, file, list(columns)) for file in files]

    def inputs(self, day: date) -> str:
        """A fingerprint of the committed lines of a day: the same lines files, the same judgement."""
        files = self._files.now().get(str(day), {})
        return hashlib.sha256("\n".join(f"{p} {files[p]['sha256']}" for p in self.files_of(day)).encode()).hexdigest()[:16]

    def days_with_lines(self) -> list[date]:
        """Every school day that has committed lines."""
        return sorted(date.fromisoformat(day) for day, files in self._files.now().items() if files)

    def judged(self) -> dict[date, dict[str, Any]]:
        """The last entry of each judged day: inputs, rules, files by table."""
        return dict(self._days.now().judged)

    def untold(self) -> list[date]:
        """The judged days whose last judgement is not in the registers and on the pages yet; purged ones have nothing to tell."""
        return sorted(self._days.now().untold)

    def tell(self, days: Iterable[date]) -> None:
        """Write down that the judgement of these days is in the registers and on the pages."""
        self.days.append_all([("told", str(day), {}) for day in days])

    def blocked(self, sites: Collection[str], days: Iterable[date]) -> dict[str, list[datetime]]:
        """When each of these sites was blocked over `days`: the starts of visits with a block, where there are any."""
        judged, times = self.judged(), dict[str, list[datetime]]()
        files = [judged[day]["files"]["visits"]["path"] for day in sorted(days) if "visits" in judged[day]["files"]]
        for path in files if sites else ():
            rows = pq.read_table(self.folder / path, columns=["site", "started"], partitioning=None,
                                 filters=[("blocked", ">", 0), ("site", "in", list(sites))])
            for row in rows.to_pylist():
                times.setdefault(row["site"], []).append(row["started"])
        return times

    def hosts_before(self, day: date, days: int) -> list[str]:
        """The files of the hosts of the last judged days before one, at most so many."""
        judged = self.judged()
        known = [earlier for earlier in sorted(judged) if earlier < day and "hosts" in judged[earlier]["files"]]
        return [str(self.folder / judged[earlier]["files"]["hosts"]["path"]) for earlier in known[-days:]]

    def whole(self, day: date) -> bool:
        """Whether a day is judged, on the lines it has now, with all its files there."""
        body = self.judged().get(day)
        return body is not None and body["inputs"] == self.inputs(day) and all(self._there(f) for f in body["files"].values())

    def purged(self) -> set[date]:
        """Days whose lines or tables have been purged: what such a day was can no longer be told, so it is never judged again."""
        days = {date.fromisoformat(day) for entry in self.ingest.entries() if entry.kind == "erased" and entry.body
                for day in entry.body.get("days", ())}
        return days | {day for day, body in self.judged().items() if "purged" in body}

    def generation(self, day: date) -> int:
        """The number of the entry by which a day was last judged; 0 when it never was."""
        return max((entry.n for entry in self.days.entries() if entry.kind == "judged" and entry.ref == str(day)), default=0)

    def judged_after(self, day: date, others: Collection[date]) -> bool:
        """Whether one of `others` was last judged later than `day`."""
        order = self._days.now().order
        return any(order.get(other, 0) > order.get(day, 0) for other in others)

    def write_day(self, day: date, judged: Mapping[str, pa.Table], about: dict[str, Any]) -> None:
        """Write a day's derived tables, then its entry; files of an earlier judgement go afterwards."""
        before = self.judged().get(day)
        generation = len(self.days.entries()) + 1
        files = {name: self._write(Path(name) / f"day={day}" / f"{generation}.parquet", table) for name, table in judged.items()}
        self.days.append("judged", str(day), about | {"inputs": self.inputs(day), "files": files})
        for file in (before or {}).get("files", {}).values():
            (self.folder / file["path"]).unlink(missing_ok=True)

    def lines_rows(self, days: Collection[date]) -> int:
        """How many rows the lines of these days have."""
        return sum(file["rows"] for file in self._lines_of(days).values())

    def derived_rows(self, days: Collection[date], but: Collection[str]) -> int:
        """How many rows the derived tables of these days have, but for the tables named."""
        judged = self.judged()
        return sum(file["rows"] for day in days for name, file in judged[day]["files"].items() if name not in but)

    def _lines_of(self, days: Collection[date]) -> dict[str, dict[str, Any]]:
        return {path: file for path, file in self.lines_files().items() if date.fromisoformat(path.split("/")[1][4:]) in days}

    def drop_lines(self, days: Collection[date], why: str) -> None:
        """Remove the lines of these days, with one entry that names them and their files."""
        files = self._lines_of(days)
        if files:
            self.ingest.append("erased", "", {"replaces": sorted(files), "files": [], "why": why,
                                             "days": sorted({path.split("/")[1][4:] for path in files})})
        for path in files:
            (self.folder / path).unlink(missing_ok=True)

    def keep_only(self, day: date, names: Collection[str], why: str) -> None:
        """Remove a day's derived tables but those named, with an entry that says why."""
        body = self.judged()[day]
        gone = {name: file for name, file in body["files"].items() if name not in names}
        if gone:
            kept = {name: file for name, file in body["files"].items() if name in names}
            self.days.append("judged", str(day), body | {"files": kept, "purged": why})
        for file in gone.values():
            (self.folder / file["path"]).unlink(missing_ok=True)

    def table(self, shape: tables.Table, days: Iterable[date], sites: Collection[str] | None = None) -> pa.Table:
        """The rows of one derived table over `days`, in order of days, of all sites or of these; days not judged give none."""
        judged, only = self.judged(), None if sites is None else [("site", "in", list(sites))]
        parts = [pq.read_table(self.folder / judged[day]["files"][shape.name]["path"], partitioning=None, filters=only)
                 for day in sorted(days) if day in judged and shape.name in judged[day]["files"]]
        return pa.concat_tables([tables.widened(part, shape) for part in parts]) if parts else tables.empty(shape)

    def over(self, con: duckdb.DuckDBPyConnection, shape: tables.Table, days: Iterable[date]) -> list[date]:
        """Give `con` a view, named as the table, of one derived table over those of `days` that still have it; which they are."""
        judged = self.judged()
        kept = [day for day in sorted(days) if day in judged and shape.name in judged[day]["files"]]
        files = [str(self.folder / judged[day]["files"][shape.name]["path"]) for day in kept]
        if files:
            con.read_parquet(files, hive_partitioning=True).create_view(shape.name, replace=True)
        else:
            con.register(shape.name, tables.empty(shape).append_column("day", pa.array([], pa.date32())))
        return kept

    # --- files ------------------------------------------------------------------------------------------------

    def clean(self) -> list[Problem]:
        """Remove files that no entry names; a problem for each named file that is missing or of another size."""
        named = self._named()
        for path in self.folder.rglob("*"):
            if path.is_file() and path.relative_to(self.folder).as_posix() not in named:
                path.unlink()
        for path in sorted((p for p in self.folder.rglob("*") if p.is_dir()), reverse=True):
            if not any(path.iterdir()):
                path.rmdir()
        return self.missing()

    def missing(self) -> list[Problem]:
        """A problem for each file that an entry names and that is gone or of another size."""
        return [Problem(str(self.folder / file["path"]), "is missing or has another size than when it was written",
                        "putting it back from a backup")
                for file in self._named().values() if not self._there(file)]

    def _named(self) -> dict[str, Mapping[str, Any]]:
        named: dict[str, Mapping[str, Any]] = dict(self.lines_files())
        for body in self.judged().values():
            named.update({file["path"]: file for file in body["files"].values()})
        return named

    def _there(self, file: Mapping[str, Any]) -> bool:
        path = self.folder / file["path"]
        return bool(path.is_file() and path.stat().st_size == file["size"])

    def _write(self, path: Path, rows: pa.Table) -> dict[str, Any]:
        full = self.folder / path
        full.parent.mkdir(parents=True, exist_ok=True)
        half = full.with_name(full.name + ".half")
        try:
            if path.parts[0] == "lines":
                linefiles.store(rows, half)
            else:
                pq.write_table(rows, half, compression="zstd", compression_level=1, write_statistics=False)
            sync(half)
        except OSError as error:
            half.unlink(missing_ok=True)
            raise FailedError(Problem(str(full), f"could not be written ({error.strerror})",
                                      "free space and the mode of its folder")) from None
        half.rename(full)
        sync(full.parent)
        about = {"path": path.as_posix(), "size": full.stat().st_size, "sha256": _hash(full), "rows": len(rows)}
        if path.parts[0] == "lines":
            about["sealed"] = pc.sum(coded.fitting(coded.code(rows["sealed"]), bool)).as_py() or 0
        return about


def _written(files: dict[str, dict[str, dict[str, Any]]], entry: Entry) -> None:
    """Take one entry of the ingest journal into the files of `lines`, by day and path."""
    for gone in (entry.body or {}).get("replaces", ()):
        files.get(_day_of(gone), {}).pop(gone, None)
    for file in (entry.body or {}).get("files", ()):
        files.setdefault(_day_of(file["path"]), {})[file["path"]] = file


def _day_of(path: str) -> str:
    """The school day of a file of `lines`, from its path."""
    return path.split("/")[1].removeprefix("day=")


def _judged(days: Days, entry: Entry) -> None:
    """Take one entry of the journal of days into what is judged and what is untold."""
    if entry.kind == "told":
        days.untold.discard(date.fromisoformat(entry.ref))
    elif entry.kind == "judged" and entry.body:
        day = date.fromisoformat(entry.ref)
        days.judged[day], days.order[day] = entry.body, entry.n
        (days.untold.discard if "purged" in entry.body else days.untold.add)(day)


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
