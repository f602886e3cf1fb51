"""The school day and the calendar: the only place that knows the time zone.

A school day is a local day cut at 04:00, so that no evening is split. Bands are the parts of it that the policy speaks of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pyarrow as pa

CUT = time(4, 0)
CLOSED = ("closed", "Out of school hours")


@dataclass(frozen=True)
class Band:
    """A part of the school day, such as lesson or break, for some year groups (none named: all)."""

    band: str
    period: str
    start: time
    end: time
    years: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """A term, or a half of one: first and last day, both open."""

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Calendar:
    """When the school is open: its time zone, terms, days closed in term, and bands."""

    timezone: str
    terms: tuple[Term, ...]
    closed: frozenset[date]
    bands: tuple[Band, ...]


def local(at: datetime, zone: str) -> datetime:
    """`at` on the school's clock."""
    return at.astimezone(ZoneInfo(zone))


def school_day(at: datetime, zone: str) -> date:
    """The school day of an aware time: its local date, or the day before until 04:00."""
    here = local(at, zone)
    return here.date() if here.time() >= CUT else here.date() - timedelta(days=1)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The school day from its 04:00 to the next day's, in UTC: 23 to 25 hours."""
    return _utc(day, CUT, zone), _utc(day + timedelta(days=1), CUT, zone)


def _utc(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def term_of(calendar: Calendar, day: date) -> Term | None:
    """The term (or half) that holds a day."""
    return next((term for term in calendar.terms if term.first <= day <= term.last), None)


def is_open(calendar: Calendar, day: date) -> bool:
    """Whether pupils are in school that day."""
    return day.weekday() < 5 and day not in calendar.closed and term_of(calendar, day) is not None


def school_days_before(calendar: Calendar, day: date, count: int) -> list[date]:
    """The last `count` days before `day` on which pupils were in school, oldest first; holidays are looked across."""
    back = (day - timedelta(days=n) for n in range(1, 120))
    return sorted(islice((before for before in back if is_open(calendar, before)), count))


def academic_year(day: date) -> str:
    """The academic year of a day, from 1 September, such as 2026-27."""
    first = day.year if day.month >= 9 else day.year - 1
    return f"{first}-{(first + 1) % 100:02d}"


def bands_table(calendar: Calendar, day: date, years: list[str]) -> pa.Table:
    """The bands of a school day for each year group and for '' (people of none): year, band, period, starts, ends (UTC).

    They cover the day from cut to cut; what no band of the school covers is `closed`.
    """
    rows = [(year, *span) for year in ["", *years] for span in _spans(calendar, day, year)]
    names = ("year", "band", "period", "starts", "ends")
    types = (pa.string(), pa.string(), pa.string(), pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC"))
    return pa.table({name: pa.array([row[i] for row in rows], kind)
                     for i, (name, kind) in enumerate(zip(names, types, strict=True))})


def _spans(calendar: Calendar, day: date, year: str) -> list[tuple[str, str, datetime, datetime]]:
    at, end = day_bounds(day, calendar.timezone)
    spans = []
    for band in _bands_of(calendar, year) if is_open(calendar, day) else []:
        starts, ends = _utc(day, band.start, calendar.timezone), _utc(day, band.end, calendar.timezone)
        if starts > at:
            spans.append((*CLOSED, at, starts))
        if ends > at:
            spans.append((band.band, band.period, max(starts, at), ends))
            at = ends
    return [*spans, (*CLOSED, at, end)]


def _bands_of(calendar: Calendar, year: str) -> list[Band]:
    own = [band for band in calendar.bands if year in band.years]
    return sorted(own or [band for band in calendar.bands if not band.years], key=lambda band: band.start)


def read_date(text: str) -> date | None:
    """A date as 2026-09-01 or 01/09/2026, day first; None where it is neither."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None
