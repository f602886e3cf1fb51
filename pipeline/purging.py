"""The purge: what has been kept as long as the retention table says goes, and a destruction record says what went.

Lines go first, then a day's tables but for its anonymous tallies and coverage, then closed incidents with the pages that
name people, then what the long registers hold. Names that nothing points to any more leave the vault. Sealed copies are
never purged, and an incident that waits for a person stays until somebody has decided.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import night, register, rulefiles
from pipeline.journal import Entry, Journal
from pipeline.lake import Lake
from pipeline.school import Retention
from pipeline.tables import DETECTIONS, INCIDENTS, VISITS
from pipeline.vault import Vault, load_keys

KEPT_LONG = ("tallies", "coverage")
NAMED_PAGES = ("safeguarding/dsl-list-*.html", "principal/principal-*.html")


@dataclass(frozen=True)
class Destroyed:
    """The destruction record: what went, a count each, and up to which day."""

    counts: dict[str, int]
    before: dict[str, str]
    waiting: int

    def text(self) -> str:
        """The record in plain lines."""
        lines = [f"destroyed   {count:,} {what}, of days before {self.before[what]}"
                 for what, count in self.counts.items() if count]
        if self.waiting:
            lines.append(f"kept        {self.waiting:,} older incidents that wait for a person's decision")
        return "\n".join(lines or ["nothing was old enough to be destroyed"])


def purge(folder: Path, today: date | None = None) -> Destroyed:
    """Purge a school folder by its retention table as of `today`; every step is committed by its journal first."""
    school = night.settings(folder)
    now = today or datetime.now(UTC).date()
    with rulefiles.locked(folder):
        keys = load_keys(folder / school.keys)
        lake = night.open_lake(folder, keys)
        lake.clean()
        limits = _limits(school.retention, now)
        waiting = _waiting(folder, limits["incidents"])
        counts = {"lines": lake.drop_lines([d for d in lake.days_with_lines() if d < limits["lines"]], "retention"),
                  "rows of visits and what was made of them": _tables(lake, limits["lines"], limits["visits"]),
                  "entries of incidents": _incidents(folder, limits["incidents"]),
                  "pages that name people": _pages(folder, limits["incidents"]),
                  "entries of breaches, changes and access": _registers(folder, limits["registers"])}
        counts["names in the vault"] = _names(folder, lake, Vault(folder / "var/vault/names", keys.vault))
        before = dict(zip(counts, (str(limits[name]) for name in
                                   ("lines", "visits", "incidents", "incidents", "registers", "lines")), strict=True))
        done = Destroyed(counts, before, waiting)
        if any(counts.values()):
            night.journal(folder, "destruction").append("destroyed", "", {"by": getpass.getuser(), "counts": counts,
                                                                          "before": before})
    return done


def _limits(retention: Retention, today: date) -> dict[str, date]:
    """The first day that is kept, for each tier."""
    return {"lines": today - timedelta(days=retention.lines_days), "visits": today - timedelta(days=retention.visits_days),
            "incidents": today - timedelta(days=retention.incidents_days),
            "registers": today - timedelta(days=round(365.25 * retention.registers_years))}


def _tables(lake: Lake, lines: date, visits: date) -> int:
    """Tables of days whose lines are gone too: while there are lines, a day may be judged again."""
    return sum(lake.keep_only(day, KEPT_LONG, "retention") for day in lake.judged() if day < min(lines, visits))


def _waiting(folder: Path, before: date) -> int:
    return sum(1 for state in _states(folder).values() if _old(state, before) and _open(state))


def _states(folder: Path) -> dict[str, register.IncidentState]:
    return register.fold_incidents(night.journal(folder, "incidents").entries())


def _old(state: register.IncidentState, before: date) -> bool:
    return bool(state.day) and date.fromisoformat(state.day) < before


def _open(state: register.IncidentState) -> bool:
    return state.state == "suspected" and state.detected


def _incidents(folder: Path, before: date) -> int:
    gone = {ref for ref, state in _states(folder).items() if _old(state, before) and not _open(state)}
    return _purge(night.journal(folder, "incidents"), lambda entry: entry.ref in gone)


def _registers(folder: Path, before: date) -> int:
    """Breaches whose last day is old, and changes and looks written before that day."""
    states = register.fold_breaches(night.journal(folder, "breaches").entries())
    gone = {ref for ref, state in states.items() if state.days and date.fromisoformat(max(state.days)) < before}
    count = _purge(night.journal(folder, "breaches"), lambda entry: entry.ref in gone)
    return count + sum(_purge(night.journal(folder, name), lambda entry: entry.at[:10] < str(before))
                       for name in ("changes", "access"))


def _purge(journal: Journal, is_gone: Callable[[Entry], bool]) -> int:
    numbers = [entry.n for entry in journal.entries() if entry.body is not None and is_gone(entry)]
    return len(journal.purge(numbers, "retention")) if numbers else 0


def _pages(folder: Path, before: date) -> int:
    """Pages with names of days before that."""
    old = [page for pattern in NAMED_PAGES for page in (folder / "reports").glob(pattern) if page.stem[-10:] < str(before)]
    return rulefiles.remove(old)


def _names(folder: Path, lake: Lake, vault: Vault) -> int:
    """Names that no line, table or incident points to any more."""
    used = set(_pointed(lake))
    for state in _states(folder).values():
        used |= {str(state.summary.get(word)) for word in ("person", "client")}
    return vault.forget(set(vault.names()) - used)


def _pointed(lake: Lake) -> Iterable[str]:
    tables: list[pa.Table] = [lake.people_of_lines()]
    tables += [lake.table(shape, lake.judged()).select(["person", "client"]) for shape in (VISITS, DETECTIONS, INCIDENTS)]
    for table in tables:
        for column in table.columns:
            yield from _texts(column)


def _texts(column: Any) -> list[str]:
    return [value for value in pc.unique(column).to_pylist() if value]
