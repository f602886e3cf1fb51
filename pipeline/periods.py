"""The spans of time that a page may be of: a day, a week, a month, a half-term, a term, an academic year, or any range.

    2026-11-03                day              autumn-2026        term, by the year in which it begins
    2026-W45                  week             autumn-2026-2      its second half
    2026-11                   month            2026-27            academic year, from 1 September
    2026-11-02..2026-11-20    range, both days included

A term is what the calendar of school.toml says it is, never a number of months.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from pipeline.problems import Problem, UsageError
from pipeline.schoolday import Calendar, Term, academic_year, is_open

LONGEST_TERM = timedelta(days=130)  # two rows of one name that begin further apart are terms of two years
DAY_FORMS = {"day": r"\d{4}-\d\d-\d\d", "week": r"\d{4}-W\d\d", "month": r"\d{4}-(0[1-9]|1[0-2])", "year": r"\d{4}-\d\d",
             "range": r"\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d", "half": r"[a-z]+-\d{4}-\d", "term": r"[a-z]+-\d{4}"}
HOW = "2026-11-03, 2026-W45, 2026-11, autumn-2026, autumn-2026-2, 2026-27 or 2026-11-02..2026-11-20"


@dataclass(frozen=True)
class Period:
    """A span of school days: how it is typed, its kind, what people call it, and its first and last day."""

    name: str
    kind: str
    title: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day is in it."""
        return self.first <= day <= self.last

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def parse(text: str, calendar: Calendar) -> Period:
    """The period that a person typed; UsageError says what may be typed, and which terms the calendar has."""
    for kind, form in DAY_FORMS.items():
        if re.fullmatch(form, text):
            try:
                return READ[kind](text, calendar)
            except (ValueError, LookupError):
                break
    known = ", ".join(period.name for period in terms(calendar))
    raise UsageError(Problem(f"--period {text}", "is no period", f"{HOW}; the calendar has the terms {known}"))


def day(at: date) -> Period:
    """A day."""
    return Period(str(at), "day", f"{at:%A} {at.day} {at:%B %Y}", at, at)


def week(at: date) -> Period:
    """The week of a day, from Monday."""
    monday = at - timedelta(days=at.weekday())
    year, number, _ = monday.isocalendar()
    title = f"Week of Monday {monday.day} {monday:%B %Y}"
    return Period(f"{year}-W{number:02d}", "week", title, monday, monday + timedelta(days=6))


def month(at: date) -> Period:
    """The month of a day."""
    first = at.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period(f"{first:%Y-%m}", "month", f"{first:%B %Y}", first, last)


def year(at: date) -> Period:
    """The academic year of a day."""
    begins = date(at.year if at.month >= 9 else at.year - 1, 9, 1)
    return Period(academic_year(at), "year", f"Academic year {academic_year(at)}", begins, date(begins.year + 1, 8, 31))


def terms(calendar: Calendar) -> list[Period]:
    """Every term of the calendar, its halves as one, oldest first."""
    return sorted((Period(f"{name}-{rows[0].first.year}", "term", f"{name.capitalize()} term {rows[0].first.year}",
                          rows[0].first, rows[-1].last) for name, rows in _by_term(calendar)), key=lambda period: period.first)


def halves(calendar: Calendar) -> list[Period]:
    """Every half-term of the calendar, oldest first."""
    words = {1: "First", 2: "Second", 3: "Third"}
    return sorted((Period(f"{name}-{rows[0].first.year}-{n}", "half",
                          f"{words.get(n, f'Part {n}')} half of the {name} term {rows[0].first.year}", row.first, row.last)
                   for name, rows in _by_term(calendar) for n, row in enumerate(rows, 1)), key=lambda period: period.first)


def term(at: date, calendar: Calendar) -> Period | None:
    """The term that holds a day, its half-term break included; none in other holidays."""
    return next((period for period in terms(calendar) if period.holds(at)), None)


def before(period: Period, calendar: Calendar) -> Period | None:
    """The term before a term, the half before a half, the year before a year; none where the calendar has none before."""
    if period.kind == "year":
        return year(period.first - timedelta(days=1))
    return next((one for one in reversed(_alike(period, calendar)) if one.last < period.first), None)


def year_before(period: Period, calendar: Calendar) -> Period | None:
    """The same term, or half of it, a year earlier; none where the calendar does not go back so far."""
    name, *rest = period.name.split("-")
    wanted = "-".join([name, str(int(rest[0]) - 1), *rest[1:]]) if rest and rest[0].isdecimal() else ""
    return next((one for one in _alike(period, calendar) if one.name == wanted), None)


def last_open(period: Period, calendar: Calendar) -> date | None:
    """The last day of a period on which pupils are in school."""
    return next((at for at in reversed(period.days) if is_open(calendar, at)), None)


def _alike(period: Period, calendar: Calendar) -> list[Period]:
    return terms(calendar) if period.kind == "term" else halves(calendar) if period.kind == "half" else []


def _by_term(calendar: Calendar) -> list[tuple[str, list[Term]]]:
    """The rows of each term, in order."""
    rows = sorted(calendar.terms, key=lambda row: (row.name, row.first))
    found: list[tuple[str, list[Term]]] = []
    for name, group in groupby(rows, key=lambda row: row.name):
        for row in group:
            if found and found[-1][0] == name and row.first - found[-1][1][0].first < LONGEST_TERM:
                found[-1][1].append(row)
            else:
                found.append((name, [row]))
    return found


def _week(text: str) -> Period:
    return week(date.fromisocalendar(int(text[:4]), int(text[6:]), 1))


def _year(text: str) -> Period:
    found = year(date(int(text[:4]), 9, 1))
    if found.name != text:
        raise ValueError(text)
    return found


def _range(text: str) -> Period:
    first, last = (date.fromisoformat(part) for part in text.split(".."))
    if last < first:
        raise ValueError(text)
    return Period(text, "range", f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}", first, last)


def _named(text: str, among: list[Period]) -> Period:
    return {period.name: period for period in among}[text]


READ: dict[str, Callable[[str, Calendar], Period]] = {
    "day": lambda text, calendar: day(date.fromisoformat(text)),
    "week": lambda text, calendar: _week(text),
    "month": lambda text, calendar: month(date.fromisoformat(f"{text}-01")),
    "year": lambda text, calendar: _year(text),
    "range": lambda text, calendar: _range(text),
    "half": lambda text, calendar: _named(text, halves(calendar)),
    "term": lambda text, calendar: _named(text, terms(calendar)),
}
