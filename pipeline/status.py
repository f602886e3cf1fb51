"""How things stand: what ran last, what is due, what is stale, and what waits for people. Counts and dates, and no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline import missed, rulefiles, schoolfolder, silence
from pipeline.lake import Lake
from pipeline.liststore import Lists
from pipeline.missed import Due, moment
from pipeline.pages.wording import several
from pipeline.policy import read_policy
from pipeline.problems import Problem
from pipeline.register import Card
from pipeline.register.clocks import overdue
from pipeline.runs import known
from pipeline.school import School
from pipeline.schoolday import Calendar, is_open, school_day
from pipeline.vault import load_keys

CODES = {0: "done", 1: "done", 2: "could not be used", 3: "was refused", 4: "failed", 5: "done, with something to mend"}


def status(folder: Path, now: datetime | None = None) -> tuple[list[str], list[Problem]]:
    """How the school folder stands, in plain lines; a problem for each job that was missed or went wrong, and what is stale."""
    school, at = schoolfolder.settings(folder), now or datetime.now(UTC)
    zone, ran = school.calendar.timezone, known(folder)
    owed, today = missed.due(ran, school, at), school_day(at, zone)
    said = [_job(one, zone) for one in owed]
    problems = missed.problems(owed, zone)
    if "night" not in ran:
        return [*said, "No night has run here yet."], [Problem("the night job", "has never run", "`schoolgate schedule`")]
    lake = schoolfolder.open_lake(folder, load_keys(folder / school.keys))
    lists, damaged = Lists(folder).found()
    silent = silence.silences(lake, school, [], today, at)
    told, stale = _days(lake)
    states = schoolfolder.incidents(folder).cards()
    policy, faults = read_policy({name: text for name, text in rulefiles.texts(folder).items() if name.count("/") == 1})
    clocks = policy.more.get("clocks", {}) if policy else {}
    said += [*told, f"lists       {len(lists)} imported", *_people(states, school.calendar, clocks, today),
             _calendar(school, today)]
    return said, [*problems, *faults, *stale, *damaged, *silence.problems(silent), *_calendar_ended(school, today)]


def _job(one: Due, zone: str) -> str:
    """A job in a line: when it ran last, what came of it, when it is due next."""
    coming = f"next {moment(one.next, zone)}" if one.next else "not due before the calendar ends"
    return f"{one.job.name:11} {_last(one, zone)}; {coming}"


def _last(one: Due, zone: str) -> str:
    if one.run is None:
        return "never ran"
    began = moment(one.run.began, zone)
    if one.run.ended is None:
        return f"at work since {began}" if one.run.at_work else f"{began}, cut short"
    return f"{began}, {CODES.get(one.run.code or 0, 'failed')}"


def _days(lake: Lake) -> tuple[list[str], list[Problem]]:
    """The days of the lake, and those that the next night has to judge or tell again."""
    judged, purged = lake.judged(), lake.purged()
    days = sorted({*judged, *lake.days_with_lines()} - purged)
    torn = [day for day in days if not lake.whole(day) or day in lake.untold()]
    told = f"days        {len(days)} kept" + (f", {days[0]} to {days[-1]}" if days else "")
    if not torn:
        return [told], []
    are = "is" if len(torn) == 1 else "are"
    return [told], [Problem("the lake", f"has {several(len(torn), 'day')} that {are} not judged or not told, the first {torn[0]}",
                            "schoolgate nightly, which does both")]


def _people(states: Iterable[Card], calendar: Calendar, clocks: Mapping[str, int], today: date) -> list[str]:
    """What waits for a person, and since when: counts, and never a name."""
    waiting = [state for state in states if state.waiting and state.detected]
    kinds = Counter("sealed" if state.route == "sealed" else "waiting" for state in waiting)
    late = Counter("sealed" if state.route == "sealed" else "waiting" for state in waiting
                   if overdue(state, calendar, clocks, today))
    oldest = f", the oldest of {min(state.day for state in waiting)}" if waiting else ""
    return [f"waiting     {several(kinds['waiting'], 'incident')} for a person, {late['waiting']:,} of them overdue{oldest}",
            f"sealed      {several(kinds['sealed'], 'item')} for the DSL or the Principal, {late['sealed']:,} of them overdue"]


def _calendar(school: School, today: date) -> str:
    left = [day for day in (today + timedelta(n) for n in range(400)) if is_open(school.calendar, day)]
    return f"calendar    {len(left)} school days to come, the last {left[-1]}" if left else "calendar    no school day to come"


def _calendar_ended(school: School, today: date) -> list[Problem]:
    if any(term.last >= today for term in school.calendar.terms):
        return []
    return [Problem("school.toml, calendar.terms", "has no day to come, so nothing counts as school hours",
                    "the next year's terms")]
