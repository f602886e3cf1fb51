"""Logs that should have been heard from and were not: silence is itself a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from pipeline import coverage, judging
from pipeline.lake import Lake
from pipeline.problems import Problem
from pipeline.school import School
from pipeline.schoolday import bands_table, school_days_before
from pipeline.tables import COVERAGE

Silences = Mapping[date, Mapping[str, date]]


def silences(lake: Lake, school: School, days: Iterable[date], today: date, now: datetime) -> Silences:
    """The logs that said nothing on each of these days and today, where school was open, and when each was last heard.

    `now`: today counts once school has closed.
    """
    logs = {source.source: source.path for source in lake.sources().values()}
    found = {}
    for day in sorted({*days, today}):
        if _is_over(school, day, today, now):
            before = school_days_before(school.calendar, day, coverage.REMEMBERED)
            found[day] = coverage.silent(lake.table(COVERAGE, [*before, day]), logs, day)
    return {day: silent for day, silent in found.items() if silent}


def problems(found: Silences) -> list[Problem]:
    """A problem for each log and day."""
    return [Problem(log, f"said nothing on {day}, a school day; it was last heard from on {last}",
                    "the filter, and whether it still writes that log")
            for day, silent in found.items() for log, last in sorted(silent.items())]


def _is_over(school: School, day: date, today: date, now: datetime) -> bool:
    """Whether the school was open on that day, and has closed by now if the day is today."""
    hours = judging.open_hours(bands_table(school.calendar, day, school.years), school, day)
    return hours is not None and (day != today or hours[1] <= now)
