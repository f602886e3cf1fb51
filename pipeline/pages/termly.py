"""The termly summary for senior leaders: a page that says what to do, and can identify nobody.

No type here has a place for a name, login, site, address or search term, and every text passes `anonymous`. Counts of people
and incidents under the small number are withheld, and one more where subtraction would give them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.pages.parts import Count, Grid, anonymous, long_day, number, several, versions_of, withhold

ACTION = "No action."


@dataclass(frozen=True)
class Trust:
    """Whether the term's numbers can be trusted: school days heard in full, and the share of traffic that names a person."""

    school_days: int
    days_heard: int
    days_with_gaps: int
    attributed: float | None
    paged: float | None
    silent_days: tuple[date, ...]


@dataclass(frozen=True)
class Measure:
    """One of the five numbers: what it is, this term's figure, what it means, and the figures it is compared with."""

    label: str
    figure: str
    note: str
    compared: str


@dataclass(frozen=True)
class PolicyRow:
    """One row of table 7.2 with its counts, withheld where small."""

    id: str
    text: str
    suspected: Count
    confirmed: Count
    dismissed: Count


@dataclass(frozen=True)
class Tally:
    """Distinct people by one thing (category, time of day, year group), withheld where small."""

    heading: str
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class Week:
    """One week of visits: blocked, and let through against the policy."""

    begins: date
    blocked: Count
    against: Count


@dataclass(frozen=True)
class Failures:
    """Filter failures by category, or ways round the filter by method: how many, how many still open, median hours to a block."""

    part: str
    what: str
    count: int
    still_open: int
    median_hours: float | None


@dataclass(frozen=True)
class Question:
    """A point on which the policy can be read two ways, and how much it touched this term."""

    id: str
    text: str
    readings: tuple[str, ...]
    default: str
    owner: str
    effect: Count


@dataclass(frozen=True)
class TermlyPage:
    """Everything the termly summary prints."""

    title: str
    term: str
    school: str
    first: date
    last: date
    notice: str
    small_number: int
    trust: Trust
    measures: tuple[Measure, ...]
    rows: tuple[PolicyRow, ...]
    row_totals: tuple[Count, Count, Count]
    tallies: tuple[Tally, ...]
    weeks: tuple[Week, ...]
    failures: tuple[Failures, ...]
    changes: tuple[tuple[str, int], ...]
    questions: tuple[Question, ...]
    duties: tuple[tuple[str, str, bool], ...]
    limits: tuple[str, ...]
    ends: Mapping[str, str]
    versions: tuple[tuple[str, str], ...]

    @property
    def coverage_grid(self) -> Grid:
        """The trust block as a table."""
        trust = self.trust
        return Grid("What the numbers rest on", ("Measure", "Figure"), (
            ("School days heard from", f"{trust.days_heard} of {trust.school_days}"),
            ("School days with a silence of an hour or more", str(trust.days_with_gaps)),
            ("Requests that name a person", _percent(trust.attributed)),
            ("Requests that show a page, not only a host", _percent(trust.paged))), frozenset({1}))

    @property
    def row_grid(self) -> Grid:
        """The rows of table 7.2 with their counts and totals."""
        rows = tuple((f"{row.id} {row.text}", row.suspected.shown, row.confirmed.shown, row.dismissed.shown)
                     for row in self.rows)
        return Grid("Incidents by row of table 7.2", ("Row", "Suspected", "Confirmed", "Dismissed"),
                    (*rows, ("Total", *(total.shown for total in self.row_totals))) if rows else (), frozenset({1, 2, 3}))

    @property
    def week_grid(self) -> Grid:
        """The figures of the chart."""
        return Grid("Visits by week", ("Week of", "Blocked", "Let through against the policy"),
                    tuple((_short(week.begins), week.blocked.shown, week.against.shown) for week in self.weeks),
                    frozenset({1, 2}))

    @property
    def failure_grid(self) -> Grid:
        """Failures and ways round the filter."""
        heads = ("Kind", "What", "How many", "Not blocked yet", "Median hours to block")
        return Grid("What got through and what got round", heads,
                    tuple((row.part, row.what, number(row.count), number(row.still_open),
                           "–" if row.median_hours is None else f"{row.median_hours:.1f}") for row in self.failures),
                    frozenset({2, 3, 4}))


def build(term: str, first: date, last: date, school_name: str, coverage: pa.Table, numbers: Sequence[Sequence[str]],
          by_row: Sequence[Sequence[Any]], breaches: Sequence[Mapping[str, Any]], changes: Mapping[str, int],
          questions: Sequence[Sequence[Any]], duties: Sequence[Sequence[Any]], limits: Sequence[str],
          small_number: int = 5, tallies: Sequence[Sequence[Any]] = (), *, school_days: Sequence[date] = (),
          by_day: Sequence[tuple[date, int, int]] = (), policy_overdue: str = "",
          versions: Mapping[str, object] | None = None) -> TermlyPage:
    """The summary of one term. `tallies` are (heading, of, people); `by_day` is (day, visits blocked, visits against)."""
    rows, totals = _rows(by_row, small_number)
    trust, failed = _trust(coverage, school_days), _failures(breaches)
    asked = _questions(questions, small_number)
    owed = tuple((anonymous(row[0]), anonymous(row[1]), bool(row[2])) for row in duties)
    return TermlyPage(
        title="Termly summary", term=anonymous(term), school=anonymous(school_name), first=first, last=last,
        notice=anonymous(policy_overdue), small_number=small_number, trust=trust,
        measures=tuple(Measure(*(anonymous(text) for text in row)) for row in numbers), rows=rows, row_totals=totals,
        tallies=_tallies(tallies, small_number), weeks=_weeks(by_day, small_number), failures=failed,
        changes=tuple((anonymous(kind).replace("_", " "), count) for kind, count in changes.items()),
        questions=asked, duties=owed, limits=tuple(anonymous(text) for text in limits),
        ends=_ends(trust, rows, failed, changes, asked, owed), versions=versions_of(versions or {}))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}%"


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _trust(coverage: pa.Table, school_days: Sequence[date]) -> Trust:
    frame = coverage.select(["day", "requests", "unattributed", "paged", "gap_minutes"]).to_pandas()
    days = frame.groupby("day").agg({"requests": "sum", "gap_minutes": "max"})
    heard = {pd.Timestamp(str(day)).date() for day in days.index[days["requests"] > 0]}
    gaps = {pd.Timestamp(str(day)).date() for day in days.index[days["gap_minutes"] >= 60]}
    expected = sorted(set(school_days) or heard)
    total = int(frame["requests"].sum())
    return Trust(len(expected), len(heard & set(expected)), len(gaps & set(expected)),
                 1 - int(frame["unattributed"].sum()) / total if total else None,
                 int(frame["paged"].sum()) / total if total else None,
                 tuple(day for day in expected if day not in heard))


def _rows(by_row: Sequence[Sequence[Any]], small: int) -> tuple[tuple[PolicyRow, ...], tuple[Count, Count, Count]]:
    """Each column is one group: its total is printed beside it, so each is withheld by itself; no row has a total."""
    columns = [withhold([(str(row[0]), int(row[at])) for row in by_row], small) for at in (2, 3, 4)]
    rows = tuple(PolicyRow(anonymous(row[0], 20), anonymous(row[1], 120), *(counts[at] for counts, _ in columns))
                 for at, row in enumerate(by_row))
    return rows, (columns[0][1], columns[1][1], columns[2][1])


def _tallies(tallies: Sequence[Sequence[Any]], small: int) -> tuple[Tally, ...]:
    """People overlap between the things counted, so no total is printed; small counts are withheld as if one were."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for heading, of, people in tallies:
        groups.setdefault(anonymous(heading), []).append((anonymous(str(of).replace("_", " "), 80), int(people)))
    return tuple(Tally(heading, withhold(rows, small)[0]) for heading, rows in groups.items())


def _weeks(by_day: Sequence[tuple[date, int, int]], small: int) -> tuple[Week, ...]:
    weeks: dict[date, tuple[int, int]] = {}
    for day, blocked, against in sorted(by_day):
        begins = day - timedelta(days=day.weekday())
        before = weeks.get(begins, (0, 0))
        weeks[begins] = (before[0] + blocked, before[1] + against)
    blocked_counts = withhold([(begins.isoformat(), pair[0]) for begins, pair in weeks.items()], small)[0]
    against_counts = withhold([(begins.isoformat(), pair[1]) for begins, pair in weeks.items()], small)[0]
    return tuple(Week(begins, one, two) for begins, one, two in zip(weeks, blocked_counts, against_counts, strict=True))


def _failures(breaches: Sequence[Mapping[str, Any]]) -> tuple[Failures, ...]:
    """Breaches by category or method: never by site or by who."""
    groups: dict[tuple[str, str], list[float | None]] = {}
    for row in breaches:
        failed = row["part"] == "failure"
        what = anonymous(str(row["category"] if failed else row["method"]).replace("_", " ").replace("-", " "), 60)
        hours = None
        if row.get("first_blocked") is not None and row.get("first_seen") is not None:
            hours = (row["first_blocked"] - row["first_seen"]).total_seconds() / 3600
        groups.setdefault(("Filter failure" if failed else "Way round the filter", what), []).append(hours)
    return tuple(Failures(part, what, len(hours), sum(1 for h in hours if h is None),
                          float(pd.Series([h for h in hours if h is not None]).median()) if any(h is not None for h in hours)
                          else None) for (part, what), hours in sorted(groups.items()))


def _questions(questions: Sequence[Sequence[Any]], small: int) -> tuple[Question, ...]:
    return tuple(Question(anonymous(id_, 20), anonymous(text), tuple(anonymous(reading) for reading in readings),
                          anonymous(default), anonymous(owner), withhold([("", int(effect))], small)[0][0])
                 for id_, text, readings, default, owner, effect in questions)


def _ends(trust: Trust, rows: Sequence[PolicyRow], failed: Sequence[Failures], changes: Mapping[str, int],
          questions: Sequence[Question], duties: Sequence[tuple[str, str, bool]]) -> dict[str, str]:
    """How each block ends: one decision at most, from the block's own figures."""
    still = sum(row.still_open for row in failed)
    late = sum(1 for row in duties if row[2])
    ends = dict.fromkeys(("trust", "numbers", "rows", "where", "filter", "questions", "duties", "limits"), ACTION)
    if trust.silent_days or trust.school_days == 0:
        ends["trust"] = (f"Decision needed: who finds out why {several(len(trust.silent_days), 'school day')} went unheard, "
                         "and by when.") if trust.silent_days else "Decision needed: why nothing was heard all term."
    if any(row.suspected.value != 0 for row in rows):
        ends["rows"] = "Decision needed: who sees that every suspected incident is looked at, and by when."
    if still:
        ends["filter"] = f"Decision needed: {several(still, 'matter')} not blocked yet; block, or record why not."
    elif not sum(changes.values()):
        ends["filter"] = "Decision needed: no change was logged all term, which is unlikely; ask how changes are made."
    if questions:
        ends["questions"] = f"Decision needed: choose a reading for {several(len(questions), 'question')}."
    if late:
        ends["duties"] = f"Decision needed: set a date for {several(late, 'overdue duty', 'overdue duties')}."
    return ends


def span(page: TermlyPage) -> str:
    """The days of the term in words."""
    return f"{long_day(page.first)} to {long_day(page.last)}"
