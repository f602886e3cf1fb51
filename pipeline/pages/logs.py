"""The change log and the breach log of a period, for technical services: what clause 8.1 asks to be recorded. No names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.pages.nightly import APART, WORKED
from pipeline.pages.parts import Grid, defang, defanged, said, versions_of
from pipeline.pages.wording import number, several
from pipeline.schoolday import local


@dataclass(frozen=True)
class LogPage:
    """Everything a log prints: a sentence, what is owed, its tables with their headings, and for whom it is."""

    title: str
    school: str
    day: str
    lede: str
    parts: tuple[tuple[str, str, Grid, str], ...]  # id, heading, table, what is said when it is empty
    versions: tuple[tuple[str, str], ...]
    owed: tuple[str, ...] = ()
    reader: str = "For technical services. It names nobody."

    @property
    def tables(self) -> dict[str, Grid]:
        """Its tables by name."""
        return {name: grid for name, _, grid, _ in self.parts}


def breaches(period: str, school_name: str, rows: Sequence[Mapping[str, Any]], versions: Mapping[str, object],
             zone: str) -> LogPage:
    """The breach log: part A, what the filter let through; part B, ways round it."""
    failures = [row for row in rows if row["part"] == "failure"]
    rounds = [row for row in rows if row["part"] != "failure"]
    still = sum(1 for row in rows if row["first_blocked"] is None)
    lede = (f"{several(len(failures), 'filter failure')} and "
            f"{several(len(rounds), 'way round the filter', 'ways round the filter')}; "
            f"{still or 'none'} not blocked as far as the log shows.")
    return LogPage("Breach log", said(school_name), said(period), lede, (
        ("failures", "A. What the filter let through", _failures(failures, zone), "No filter failure was seen."),
        ("rounds", "B. Ways round the filter, tried or used", _rounds(rounds, zone), "No way round the filter was seen.")),
        versions_of(versions))


def changes(period: str, school_name: str, rows: Sequence[Mapping[str, Any]], versions: Mapping[str, object],
            zone: str) -> LogPage:
    """The change log: each difference of rules, lists and settings, with who, why and whose approval, once somebody has said."""
    bare = sum(1 for row in rows if not row["why"])
    lede = f"{several(len(rows), 'change')}, {bare or 'none'} without a reason." if rows else \
        "No change was recorded. A change made at the filter itself and not entered would not show here."
    grid = Grid("Changes of rules, lists and settings, by the day they came to light",
                ("Ref", "When", "What", "Before", "After", "By", "Why", "Approved by"),
                tuple((said(row["ref"], 20), _day(row["at"], zone).rpartition("\u00a0")[0],
                       APART if row.get("apart") else defanged(row["object"]),
                       defanged(row["before"]) or "nothing",
                       defanged(row["after"]) or "removed", said(row["who"]) or "not said", defanged(row["why"]) or "not said",
                       said(row["approver"]) or "not said") for row in rows))
    return LogPage("Change log", said(school_name), said(period), lede,
                   (("changes", "What was changed", grid, "No change was recorded."),), versions_of(versions))


def _failures(rows: Sequence[Mapping[str, Any]], zone: str) -> Grid:
    return Grid("One row a site and profile",
                ("Ref", "Site", "Category", "Let through for", "People", "First seen", "First blocked", "Hours to a block"),
                tuple((said(row["ref"], 20), _site(row), _category(row), said(row["profile"]).replace("_", " "),
                       number(row["people"]), _day(row["first_seen"], zone), _blocked(row, zone), _hours(row))
                      for row in rows), frozenset({4, 7}))


def _rounds(rows: Sequence[Mapping[str, Any]], zone: str) -> Grid:
    return Grid("One row a method and host", ("Ref", "Host", "Method", "Outcome", "People", "First seen", "First blocked",
                                              "Hours to a block"),
                tuple((said(row["ref"], 20), _site(row), said(row["method"]).replace("_", " ").replace("-", " "),
                       WORKED.get(str(row["worked"]), said(row["worked"])), number(row["people"]), _day(row["first_seen"], zone),
                       _blocked(row, zone), _hours(row)) for row in rows), frozenset({4, 7}))


def _site(row: Mapping[str, Any]) -> str:
    return APART if row["people"] is None else defang(row["site"])


def _category(row: Mapping[str, Any]) -> str:
    return APART if row["people"] is None else said(row["category"]).replace("_", " ")


def _blocked(row: Mapping[str, Any], zone: str) -> str:
    return "not yet" if row["first_blocked"] is None else _day(row["first_blocked"], zone)


def _hours(row: Mapping[str, Any]) -> str:
    if row["first_blocked"] is None or row["first_seen"] is None:
        return "–"
    return f"{(row['first_blocked'] - row['first_seen']).total_seconds() / 3600:.1f}"


def _day(moment: datetime | str | None, zone: str) -> str:
    if moment is None:
        return "–"
    at = local(datetime.fromisoformat(moment) if isinstance(moment, str) else moment, zone)
    return f"{at.day}\u00a0{at:%b}\u00a0{at:%H:%M}"
