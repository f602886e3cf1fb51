"""Imported lists on disk: one sorted Parquet a list in `var/lists`, with where it comes from in the file itself.

A list is written beside the old one, fsynced and renamed over it, so there is never half a list, nor a list without its
provenance. The list that it replaced stays in `before/`, for one update.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import sql
from pipeline.durable import sync
from pipeline.problems import FailedError, Problem, UsageError

STORED = pa.schema([("entry", pa.string()), ("path", pa.string()), ("category", pa.string()), ("excepted", pa.bool_()),
                    ("file", pa.string()), ("line", pa.int64())])
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
ABOUT = b"schoolgate"
MEMORY = "300MB"      # for one run of names, which takes some 150; what does not fit goes to disk
RUN = 500_000         # names that are sorted, or compared, at once
GROUP = 122_880       # names of a row group of a list: DuckDB's own measure
FINE = 20_000         # and of what was read, which is sorted a part at a time: a run is looked for in few groups of each part

# A run is from one name to before another, so of sorted row groups only those that touch it are read.
SORTED = """
SELECT entry, path, category, excepted, file, line FROM read_parquet($file)
WHERE entry >= $since AND ($until IS NULL OR entry < $until) ORDER BY ALL
"""
COUNTED = """
SELECT category, count(*) AS names FROM read_parquet($file) WHERE NOT excepted GROUP BY category ORDER BY category
"""
# An exception stands without a category: this list says nothing of the name and what is under it.
SPEAKING = """
SELECT DISTINCT entry, path, CASE WHEN excepted THEN '' ELSE category END AS category, parse_filename(filename, true) AS list
FROM read_parquet($files, filename = true) SEMI JOIN suffixes USING (entry) ORDER BY ALL
"""
LINES_OF = """
SELECT parse_filename(filename, true) AS list, file, line, entry, path, category, excepted
FROM read_parquet($files, filename = true) SEMI JOIN suffixes USING (entry) ORDER BY ALL
"""
# `side` 1: only the new list holds it; 0: only the old one did.
DIFFERING = """
WITH had AS (
    SELECT entry, path, category FROM read_parquet($old)
    WHERE NOT excepted AND entry >= $since AND ($until IS NULL OR entry < $until)
), has AS (
    SELECT entry, path, category FROM read_parquet($new)
    WHERE NOT excepted AND entry >= $since AND ($until IS NULL OR entry < $until)
)
SELECT 1 AS side, category, count(*) AS many,
       arg_min(entry || path, {'long': length(entry || path), 'name': entry || path}, 5) AS first
FROM has ANTI JOIN had USING (entry, path, category) GROUP BY category
UNION ALL
SELECT 0 AS side, category, count(*) AS many,
       arg_min(entry || path, {'long': length(entry || path), 'name': entry || path}, 5) AS first
FROM had ANTI JOIN has USING (entry, path, category) GROUP BY category
"""


class Lists:
    """The imported lists of a school folder."""

    def __init__(self, school: Path) -> None:
        self.folder = school / "var/lists"

    def path(self, name: str) -> Path:
        """Where a list is, or would be."""
        return self.folder / f"{name}.parquet"

    def before(self, name: str) -> Path:
        """Where the list is that the last update replaced."""
        return self.folder / "before" / f"{name}.parquet"

    def require(self, name: str) -> None:
        """UsageError when no list of that name is here."""
        if not NAME.fullmatch(name) or not self.path(name).exists():
            raise UsageError(Problem(name, "is no imported list here", "schoolgate lists show"))

    def about(self, name: str) -> dict[str, Any]:
        """Provenance and counts of a list; FailedError when its file is damaged."""
        return _about(self.path(name))

    def found(self) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
        """What is known of every list, by name, and a problem for each that is damaged."""
        known: dict[str, dict[str, Any]] = {}
        problems: list[Problem] = []
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                known[path.stem] = _about(path)
            except FailedError as error:
                problems += error.problems
        return known, problems

    def prepare(self, name: str, parts: Iterable[pa.Table]) -> tuple[Path, dict[str, int]]:
        """Write a new list of these STORED parts beside the old one, without provenance; its path, and names by category."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        read, half = self.folder / f"{name}.read.half", self.folder / f"{name}.half"
        with pq.ParquetWriter(read, STORED, compression="zstd", compression_level=1, write_statistics=["entry"]) as writer:
            for part in parts:
                writer.write_table(part.cast(STORED).sort_by("entry"), FINE)
        con = sql.connect(memory=MEMORY, spill=str(self.folder / ".spill"))
        with pq.ParquetWriter(half, STORED, compression="zstd", compression_level=1) as writer:
            for since, until in _runs(read):
                found = sql.run(SORTED, {"file": str(read), "since": since, "until": until}, con=con)
                writer.write_table(_once(found.cast(STORED)), GROUP)
        read.unlink()
        counts = {row["category"]: row["names"] for row in sql.run(COUNTED, {"file": str(half)}, con=con).to_pylist()}
        con.close()
        pa.default_memory_pool().release_unused()
        return half, counts

    def commit(self, name: str, half: Path, about: Mapping[str, Any]) -> None:
        """Put a prepared list in the place of the old one, with its provenance: whole, or not at all."""
        ready = self.folder / f"{name}.ready"
        file = pq.ParquetFile(half)
        with pq.ParquetWriter(ready, STORED, compression="zstd", write_statistics=["entry"]) as writer:
            for number in range(file.num_row_groups):
                writer.write_table(file.read_row_group(number))
            writer.add_key_value_metadata({ABOUT.decode(): json.dumps(dict(about), ensure_ascii=False, sort_keys=True)})
        half.unlink()
        sync(ready)
        if self.path(name).exists():
            self._keep(name)
        ready.rename(self.path(name))
        sync(self.folder)

    def _keep(self, name: str) -> None:
        """Keep the list that is about to be replaced, by a second name of the same file."""
        self.before(name).parent.mkdir(exist_ok=True, mode=0o700)
        link = self.before(name).with_suffix(".half")
        link.unlink(missing_ok=True)
        os.link(self.path(name), link)
        link.rename(self.before(name))
        sync(link.parent)

    def drop(self, name: str) -> None:
        """Remove a list, and the one before it."""
        self.before(name).unlink(missing_ok=True)
        self.path(name).unlink()
        sync(self.folder)

    def download(self, name: str) -> Path:
        """Where a download of this list may stand while it is read."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / f"{name}.part"

    def clean(self) -> None:
        """Remove what a command that was cut short has left."""
        for pattern in ("*.half", "*.ready", "*.part", "before/*.half"):
            for path in self.folder.glob(pattern):
                path.unlink()


def _once(entries: pa.Table) -> pa.Table:
    """Sorted entries, each with the first line that holds it."""
    one = entries.combine_chunks()
    if not len(one):
        return one
    same = [pc.equal(column.slice(1), column.slice(0, len(one) - 1)) for column in one.columns[:4]]
    again = pa.concat_arrays([pa.array([False]), pc.and_(pc.and_(same[0], same[1]), pc.and_(same[2], same[3])).combine_chunks()])
    return one.filter(pc.invert(again))


def _runs(*files: Path) -> Iterator[tuple[str, str | None]]:
    """From which name to before which, for runs of RUN names or so of these files, by what their row groups begin with."""
    groups = [file.row_group(n) for file in map(pq.read_metadata, files) for n in range(file.num_row_groups)]
    firsts = sorted(group.column(0).statistics.min for group in groups if group.num_rows)
    step = max(1, len(firsts) * RUN // max(1, sum(group.num_rows for group in groups)))
    bounds: list[str | None] = ["", *dict.fromkeys(firsts[step::step]), None]
    yield from ((since or "", until) for since, until in pairwise(bounds))


def _about(path: Path) -> dict[str, Any]:
    try:
        metadata = pq.read_metadata(path)
        return {"rows": metadata.num_rows} | dict(json.loads(metadata.metadata[ABOUT]))
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):
        raise FailedError(Problem(str(path), "is damaged, so this list is not used", f"schoolgate lists update {path.stem}, "
                                  "or lists remove and add")) from None


def speaking(files: Sequence[str], suffixes: pa.Table) -> pa.Table:
    """entry, path, category, list of every entry whose name is one of `suffixes` (entry); the lists are never loaded whole."""
    if not files:
        return pa.schema([(name, pa.string()) for name in ("entry", "path", "category", "list")]).empty_table()
    return sql.run(SPEAKING, {"files": list(files)}, suffixes=suffixes)


def lines_of(files: Sequence[str], suffixes: pa.Table) -> list[dict[str, Any]]:
    """Every line of these lists that speaks of one of `suffixes`: list, file, line, entry, path, category, excepted."""
    if not files:
        return []
    rows: list[dict[str, Any]] = sql.run(LINES_OF, {"files": list(files)}, suffixes=suffixes).to_pylist()
    return rows


def differing(old: Path, new: Path) -> list[dict[str, Any]]:
    """What only one of two lists holds: side (1 new, 0 old), category, many, first (the five shortest names)."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    con = sql.connect(memory=MEMORY, spill=str(new.parent / ".spill"))
    for since, until in _runs(old, new):
        for row in sql.run(DIFFERING, {"old": str(old), "new": str(new), "since": since, "until": until}, con=con).to_pylist():
            known = found.setdefault((row["category"], -row["side"]), row | {"many": 0, "first": []})
            known["many"] += row["many"]
            known["first"] = sorted([*known["first"], *row["first"]], key=lambda name: (len(name), name))[:5]
    con.close()
    return [found[key] for key in sorted(found)]
