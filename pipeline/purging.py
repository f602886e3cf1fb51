"""The purge: what has been kept as long as the retention table says goes, and a destruction record says what went.

Lines go first, then a day's tables but for its anonymous tallies and coverage, then closed incidents and the pages of old days,
then what the long registers hold; each reader's index follows. Names that nothing points to any more leave the vault. Sealed
copies are never purged, and an incident that waits for a person stays until somebody has decided.

What is to go is counted and written down as `begun` before anything goes, so that a purge that is cut short is carried
out to its end by the next one, and its record counts all that went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import folders, keyboard, publishing, register, rulefiles, schoolfolder
from pipeline.chain import Entry
from pipeline.journal import Journal
from pipeline.lake import Lake
from pipeline.pages.index import beside, span_of
from pipeline.school import School
from pipeline.school.settings import Retention
from pipeline.tables import DETECTIONS, INCIDENTS, VISITS
from pipeline.vault import Vault, load_keys

KEPT_LONG = ("tallies", "coverage")
WHY = "retention"
# What can go, and the limit it goes by.
TIERS = {"lines": "lines", "rows of visits and what was made of them": "visits", "entries of incidents": "incidents",
         "pages that name people": "named", "pages that name nobody": "pages", "summaries of a term": "summaries",
         "entries of breaches, changes, access and pages": "registers", "names in the vault": "lines"}
PAGES = {"named": ("safeguarding/*", "principal/*", "year-*/*", "house-*/*", "access/*"), "pages": ("technical/*",),
         "summaries": ("leadership/*", "governors/*")}  # pages, and the tables beside them


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


@dataclass(frozen=True)
class _Plan:
    """What is to go: days of lines and of tables, entries by register, pages and names."""

    lines: list[date]
    tables: list[date]
    incidents: list[int]
    registers: dict[str, list[int]]
    pages: dict[str, list[Path]]
    names: set[str]
    counts: dict[str, int]


def purge(folder: Path, today: date | None = None) -> Destroyed:
    """Purge a school folder by its retention table as of `today`; every step is committed by its journal first."""
    school = schoolfolder.settings(folder)
    with rulefiles.locked(folder), rulefiles.entering(folder):
        keys = load_keys(folder / school.keys)
        lake, vault = schoolfolder.open_lake(folder, keys), Vault(folder / "var/vault/names", keys.vault)
        lake.clean()
        rulefiles.remove(list((folder / "reports").glob("*/*.half")))  # of a page that was cut short: it may name people
        record = schoolfolder.journal(folder, "destruction")
        counts = Counter(_finish(folder, school, lake, vault, record))
        limits = _limits(school.retention, today or datetime.now(UTC).date())
        plan = _plan(folder, lake, vault, limits)
        before = {what: str(limits[tier]) for what, tier in TIERS.items()}
        if any(plan.counts.values()):
            body = {"by": keyboard.login(), "counts": plan.counts, "before": before}
            record.append("begun", "", body)
            _carry_out(folder, school, lake, vault, plan)
            record.append("destroyed", "", body)
        counts.update(plan.counts)
        return Destroyed(dict(counts), before, _waiting(folder, limits["incidents"]))


def _finish(folder: Path, school: School, lake: Lake, vault: Vault, record: Journal) -> dict[str, int]:
    """Carry out what a purge that was cut short had begun; its counts, none when there was no such purge."""
    last = record.entries()[-1:]
    if not last or last[0].kind != "begun" or last[0].body is None:
        return {}
    body = last[0].body
    # A purge of an older version knew fewer kinds of pages: of the others it had begun nothing.
    limits = {tier: date.fromisoformat(body["before"].get(what, str(date.min))) for what, tier in TIERS.items()}
    _carry_out(folder, school, lake, vault, _plan(folder, lake, vault, limits))
    record.append("destroyed", "", body)
    return dict(body["counts"])


def _plan(folder: Path, lake: Lake, vault: Vault, limits: Mapping[str, date]) -> _Plan:
    """What is to go as things stand; nothing goes yet."""
    lines = [day for day in lake.days_with_lines() if day < limits["lines"]]
    tables = [day for day in lake.judged() if day < limits["visits"]]
    gone = {ref for ref, state in _states(folder).items() if _old(state, limits["incidents"]) and not _open(state)}
    incidents = _numbers(folder, "incidents", lambda entry: entry.ref in gone)
    registers = _registers(folder, limits["registers"])
    pages = {tier: _pages(folder, tier, limits[tier]) for tier in PAGES}
    names = set(vault.names()) - _pointed(folder, lake, set(lines), set(tables), gone)
    sizes = (lake.lines_rows(lines), lake.derived_rows(tables, KEPT_LONG), len(incidents),
             *(sum(not beside(page.name) for page in of) for of in pages.values()),
             sum(map(len, registers.values())), len(names))
    return _Plan(lines, tables, incidents, registers, pages, names, dict(zip(TIERS, sizes, strict=True)))


def _carry_out(folder: Path, school: School, lake: Lake, vault: Vault, plan: _Plan) -> None:
    lake.drop_lines(plan.lines, WHY)
    for day in plan.tables:
        lake.keep_only(day, KEPT_LONG, WHY)
    for name, numbers in {"incidents": plan.incidents, **plan.registers}.items():
        if numbers:
            schoolfolder.journal(folder, name).purge(numbers, WHY)
            schoolfolder.proven(folder, (name,))  # its proof went with it: walked now, it is there when somebody asks
    rulefiles.remove([page for pages in plan.pages.values() for page in pages])
    publishing.indexes(folder, school, folders.share(folder, school.groups)[0])
    vault.forget(plan.names)


def _limits(retention: Retention, today: date) -> dict[str, date]:
    """The first day that is kept, for each tier.

    While a day has lines it may be judged again, so nothing that is made of it goes before them.
    """
    lines = today - timedelta(days=retention.lines_days)
    visits = min(lines, today - timedelta(days=retention.visits_days))
    named = min(retention.pages_days, retention.incidents_days)
    days = {"incidents": retention.incidents_days, "named": named, "pages": retention.pages_days,
            "registers": round(365.25 * retention.registers_years), "summaries": round(365.25 * retention.summaries_years)}
    return {"lines": lines, "visits": visits} | {tier: min(visits, today - timedelta(days=kept)) for tier, kept in days.items()}


def _waiting(folder: Path, before: date) -> int:
    return sum(1 for state in _states(folder).values() if _old(state, before) and _open(state))


def _states(folder: Path) -> register.Standing:
    return schoolfolder.incidents(folder)


def _old(state: register.IncidentState, before: date) -> bool:
    return bool(state.day) and date.fromisoformat(state.day) < before


def _open(state: register.IncidentState) -> bool:
    return state.waiting and state.detected


def _registers(folder: Path, before: date) -> dict[str, list[int]]:
    """Entries of breaches whose last day is old, and of changes, looks and mails written before that day."""
    states = register.fold_breaches(schoolfolder.journal(folder, "breaches").entries())
    gone = {ref for ref, state in states.items() if state.days and date.fromisoformat(max(state.days)) < before}
    return {"breaches": _numbers(folder, "breaches", lambda entry: entry.ref in gone)} | {
        name: _numbers(folder, name, lambda entry: entry.at[:10] < str(before))
        for name in ("changes", "access", "checks", "concerns", "issued", "pages")}


def _numbers(folder: Path, name: str, is_gone: Callable[[Entry], bool]) -> list[int]:
    """The numbers of the entries of a register that are to go."""
    return [entry.n for entry in schoolfolder.journal(folder, name).entries()
            if entry.body is not None and entry.kind != "purged" and is_gone(entry)]


def _pages(folder: Path, tier: str, before: date) -> list[Path]:
    """Pages of a tier whose day or term lies before that day."""
    found = (page for pattern in PAGES[tier] for page in (folder / "reports").glob(pattern))
    return [page for page in found if (period := span_of(page.name)) and period.last < before]


def _pointed(folder: Path, lake: Lake, lines: set[date], days: set[date], gone: set[str]) -> set[str]:
    """Pseudonyms that something points to which stays: lines, tables and incidents but those named."""
    tables: list[pa.Table] = [lake.people_of_lines(set(lake.days_with_lines()) - lines)]
    kept = set(lake.judged()) - days
    tables += [lake.table(shape, kept).select(["person", "client"]) for shape in (VISITS, DETECTIONS, INCIDENTS)]
    found = {value for table in tables for column in table.columns for value in pc.unique(column).to_pylist() if value}
    states = [state for ref, state in _states(folder).items() if ref not in gone]
    return found | {str(state.summary.get(word)) for state in states for word in ("person", "client")}
