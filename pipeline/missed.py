"""Jobs that were due and did not run: the next night says so, and catches up; `schoolgate status` says it at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline import schedule
from pipeline.problems import Problem
from pipeline.runs import DONE, Run
from pipeline.schedule import Job
from pipeline.school import School
from pipeline.schoolday import local, school_day

GRACE = timedelta(hours=1)   # a job that starts this late was on its way: a boot, a long night before it
LOOK_BACK = timedelta(days=31)   # how far back the days of weekly, termly and yearly jobs are named
WATCHED = ("lists", "purge", "mail")   # what the night speaks of beside itself


@dataclass(frozen=True)
class Due:
    """A job with its last run, when it was due since and did not run, and when it is due next."""

    job: Job
    run: Run | None
    missed: tuple[datetime, ...]
    next: datetime | None


def due(ran: Mapping[str, Run], school: School, now: datetime) -> list[Due]:
    """Every job of the schedule, by what has run. A job that never ran has been due since the first night."""
    zone, night = school.calendar.timezone, ran.get("night")
    since = school_day(now, zone) - LOOK_BACK
    return [_due(job, ran.get(job.name), night.first if night else None, zone, now) for job in schedule.jobs(school, since)]


def _due(job: Job, run: Run | None, first: datetime | None, zone: str, now: datetime) -> Due:
    began = run.began if run else first
    ahead = timedelta(days=2) if job.days is None else schedule.AHEAD
    missed = schedule.starts(job, zone, began, now - GRACE) if began else []
    return Due(job, run, tuple(missed), next(iter(schedule.starts(job, zone, now, now + ahead)), None))


def look_back(ran: Mapping[str, Run], school: School, now: datetime) -> tuple[list[date], list[Problem]]:
    """What a night finds: the school days whose night did not run, and a problem for each job of the morning that was missed."""
    zone, owed = school.calendar.timezone, [one for one in due(ran, school, now) if one.job.name in ("night", *WATCHED)]
    nights = [school_day(at, zone) for one in owed if one.job.name == "night" for at in one.missed]
    return nights, [problem for one in owed for problem in (
        _missed(one, zone, "; this one has caught up") if one.job.name == "night" else problems([one], zone))]


def problems(owed: Sequence[Due], zone: str) -> list[Problem]:
    """A problem for each job that was due and did not run, or whose last run did not do its work."""
    return [problem for one in owed if one.job.name != "lists" or one.run  # who imports no list need not update one
            for problem in (*_missed(one, zone), *_ended(one, zone))]


def _missed(one: Due, zone: str, after: str = "") -> list[Problem]:
    if not one.missed:
        return []
    times = f"{len(one.missed)} times, first" if len(one.missed) > 1 else "once,"
    what = f"was due {times} at {moment(one.missed[0], zone)}, and did not run{after}" if one.run else "is due, and has never run"
    return [Problem(f"the {one.job.name} job", what, "`schoolgate schedule`, and whether this machine was on")]


def _ended(one: Due, zone: str) -> list[Problem]:
    """What the last run came to, where that was not its work."""
    if one.run is None or one.run.at_work:
        return []
    began, words = moment(one.run.began, zone), " ".join(word for word in one.job.words if word.isalpha())
    if one.run.ended is None:
        return [Problem(f"the {one.job.name} job", f"began at {began} and was cut short", f"schoolgate {words}")]
    if one.run.code in DONE[:2]:
        return []
    what = "asked for something to be mended" if one.run.code in DONE else "did not do its work"
    return [Problem(f"the {one.job.name} job", f"of {began} {what} (exit code {one.run.code})", f"schoolgate {words}")]


def moment(at: datetime, zone: str) -> str:
    """A moment on the school's clock, such as Tue 10 Nov 2026, 03:15."""
    here = local(at, zone)
    return f"{here:%a} {here.day} {here:%b %Y}, {here:%H:%M}"
