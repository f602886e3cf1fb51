"""When something is due: clocks run on school days, as the calendar has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from pipeline.schoolday import Calendar, is_open, school_day

FAR = 200  # days looked ahead for school days: longer than any holiday, so that a calendar that has run out is found out


class Clocked(Protocol):
    """What the clocks of an incident go by."""

    @property
    def state(self) -> str: ...
    @property
    def day(self) -> str: ...
    @property
    def tier(self) -> str: ...
    @property
    def opened_at(self) -> str: ...
    @property
    def review_on(self) -> str: ...
    @property
    def waiting(self) -> bool: ...


@lru_cache(maxsize=4096)
def after(calendar: Calendar, day: date, count: int) -> date | None:
    """The `count`-th school day after `day` (0: that day, or the next on which school is open); None where no calendar says."""
    ahead = (day + timedelta(days=n) for n in range(0 if count == 0 else 1, FAR))
    found = [each for each, _ in zip((each for each in ahead if is_open(calendar, each)), range(max(count, 1)), strict=False)]
    return found[-1] if len(found) == max(count, 1) else None


def due(state: Clocked, calendar: Calendar, clocks: Mapping[str, int]) -> date | None:
    """When an incident's next step is due: triage by its tier, what is held by its review; None where no clock runs."""
    if state.state == "parents_held":
        return date.fromisoformat(state.review_on)
    if not state.waiting or not state.opened_at or state.tier not in clocks:
        return None
    opened = max(date.fromisoformat(state.day), school_day(datetime.fromisoformat(state.opened_at), calendar.timezone))
    return after(calendar, opened, clocks[state.tier])


def overdue(state: Clocked, calendar: Calendar, clocks: Mapping[str, int], today: date) -> bool:
    """Whether its next step should have been made before `today`."""
    when = due(state, calendar, clocks)
    return when is not None and when < today
