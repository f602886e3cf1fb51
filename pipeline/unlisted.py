"""The sites on no list, from the lake: for the nightly page at the end of a week, and for `schoolgate lists unknown`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.judging import taught_bands
from pipeline.lake import Lake
from pipeline.ruleset import Rules
from pipeline.schoolday import Calendar, is_open
from pipeline.tables import HOSTS, VISITS
from pipeline.uncategorised import MOST, Unknown, dated, unknown

WEEK = 7  # days, the last one among them


def of_week(lake: Lake, rules: Rules, day: date) -> list[Unknown]:
    """The sites on no list that most people met in the week up to a day; of fewer people than the school's small number none."""
    return of_days(lake, rules, [day - timedelta(n) for n in range(WEEK)], rules.school.small_number)


def of_days(lake: Lake, rules: Rules, days: Sequence[date], least: int, most: int = MOST) -> list[Unknown]:
    """The sites on no list that most people met on those of these days that are judged, with the first day of each."""
    judged = sorted(lake.judged())
    known = [day for day in judged if day in days]
    if not known:
        return []
    parts = [lake.table(VISITS, [day]) for day in known]
    visits = pa.concat_tables(part.append_column("day", pa.array([day] * len(part), pa.date32()))
                              for day, part in zip(known, parts, strict=True))
    help_seeking = ["help_seeking", *(name for name, category in rules.policy.categories.items() if category.help_seeking)]
    found = unknown(visits, taught_bands(rules, known[-1]), help_seeking, least, most)
    return dated(found, _first(lake, {one.site for one in found}, judged))


def _first(lake: Lake, sites: set[str], days: Sequence[date]) -> dict[str, date]:
    """The first of these days on which each site was met; no day is read once all are found."""
    first: dict[str, date] = {}
    for day in days:
        if left := sites - first.keys():
            first |= dict.fromkeys(pc.unique(lake.table(HOSTS, [day], left)["site"]).to_pylist(), day)
    return first


def ends_week(calendar: Calendar, day: date) -> bool:
    """Whether a day is the last one of its week with pupils in school."""
    later = (day + timedelta(n) for n in range(1, 7 - day.weekday()))
    return is_open(calendar, day) and not any(is_open(calendar, other) for other in later)
