"""When the school's jobs run, and the lines that have cron or systemd run them. Reads settings, gives text; installs nothing.

Every time is on the school's clock, and none stands in an hour that a clock change skips or repeats. Days in term are named one
by one, for neither cron nor systemd knows a term: print the schedule again when school.toml has the next year's.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.problems import Problem, UsageError
from pipeline.school import School
from pipeline.school.validators import minute
from pipeline.schoolday import Calendar, academic_year, is_open

AHEAD = timedelta(days=364)       # days of term are named for a year less a day, so that no date stands twice
SETTLED = timedelta(days=7)       # after a term's last day: a week, in which people decide on its last incidents
NEW_YEAR = (8, 25)                # a week before the academic year begins: time to mend what `check` finds
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Job:
    """One job: its name, what it is for, its words of the command, when it starts, on which days (None: every day)."""

    name: str
    title: str
    words: tuple[str, ...]
    at: time
    days: tuple[date, ...] | None = None
    online: bool = False


def jobs(school: School, today: date) -> list[Job]:
    """The jobs of a school in the order of a morning, those on named days for a year from `today` on."""
    when, span = school.schedule, (today, today + AHEAD)
    every = [("lists", "import lists anew where they have changed", ("lists", "update"), when.lists, None, True),
             ("night", "read the logs, judge, write the pages", ("nightly", *when.logs), when.night, None, False),
             ("purge", "remove what was kept long enough", ("purge",), when.purge, None, False),
             ("weekly", "walk the chains of the registers, each week in term", ("verify",), when.upkeep,
              weekly_days(school.calendar, WEEKDAYS.index(when.weekday), *span), False),
             ("termly", "write the summary of the term that has ended, with what was decided since", ("report", "termly"),
              when.upkeep, termly_days(school.calendar, *span), False),
             ("annual", "write the governors' report of the year, with what was decided since", ("report", "annual"),
              when.upkeep, annual_days(school.calendar, *span), False),
             ("yearly", "check settings and rules a week before the academic year", ("check",), when.upkeep,
              yearly_days(*span), False),
             ("mail", "say that a report is ready", ("mail",), when.mail if school.mail.server else "", None, True)]
    return [Job(name, title, words, minute(at), days, online) for name, title, words, at, days, online in every if at]


def _steady(school: School, today: date) -> list[Job]:
    """The jobs; UsageError where one would start in an hour that a clock change skips or repeats."""
    made = jobs(school, today)
    faults = [fault for job in made for fault in _unsteady(job, school.calendar.timezone, today)]
    if faults:
        raise UsageError(*faults)
    return made


def _unsteady(job: Job, zone: str, today: date) -> list[Problem]:
    """A problem where a clock change of the year to come skips or repeats the job's time."""
    days = (today + timedelta(n) for n in range(AHEAD.days + 1))
    moved = next((day for day in days if len({_offset(day, job.at, zone, fold) for fold in (0, 1)}) > 1), None)
    if moved is None:
        return []
    return [Problem(f"school.toml, schedule, {job.name}",
                    f"{job.at:%H:%M} is skipped or comes twice on {moved}, by the clock of {zone}", "another hour")]


def _offset(day: date, at: time, zone: str, fold: int) -> timedelta | None:
    return datetime.combine(day, at.replace(fold=fold), ZoneInfo(zone)).utcoffset()


def weekly_days(calendar: Calendar, weekday: int, first: date, last: date) -> tuple[date, ...]:
    """That day of each week in which pupils are in school, Monday to Sunday."""
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return tuple(day for day in days if day.weekday() == weekday and any(
        is_open(calendar, day + timedelta(n - weekday)) for n in range(7)))


def termly_days(calendar: Calendar, first: date, last: date) -> tuple[date, ...]:
    """The day on which each term's summary is final: a week after its last half has ended."""
    return tuple(day for day in (end + SETTLED for end in term_ends(calendar)) if first <= day <= last)


def annual_days(calendar: Calendar, first: date, last: date) -> tuple[date, ...]:
    """The day on which a year's report is final: a week after the last school day of each academic year."""
    ends = {academic_year(end): end for end in term_ends(calendar)}
    return tuple(day for day in (end + SETTLED for end in ends.values()) if first <= day <= last)


def term_ends(calendar: Calendar) -> list[date]:
    """The last day of each term; a half that another of its name follows within the season ends no term."""
    return sorted(term.last for term in calendar.terms if not any(
        later.name == term.name and timedelta(0) < later.first - term.last < timedelta(days=60) for later in calendar.terms))


def yearly_days(first: date, last: date) -> tuple[date, ...]:
    """The day of the yearly job in each year."""
    days = (date(year, *NEW_YEAR) for year in range(first.year, last.year + 1))
    return tuple(day for day in days if first <= day <= last)


def starts(job: Job, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """When the job is to start, later than `after` and not later than `until`, in UTC."""
    days = job.days if job.days is not None else _every(after.date() - timedelta(days=2), until.date() + timedelta(days=2))
    moments = (datetime.combine(day, job.at, ZoneInfo(zone)).astimezone(UTC) for day in days)
    return [moment for moment in moments if after < moment <= until]


def _every(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(n) for n in range((last - first).days + 1))


def command(folder: Path) -> list[str]:
    """The words that run this program on a school folder from anywhere: the command beside this Python, else the package."""
    beside, package = Path(sys.executable).with_name("schoolgate"), Path(__file__).parent.parent
    words = [str(beside)] if beside.is_file() else ["/usr/bin/env", f"PYTHONPATH={package}", sys.executable, "-m", "pipeline"]
    return [*words, "--school", str(folder.resolve())]


def crontab(school: School, command: Sequence[str], today: date) -> str:
    """The jobs as lines of a crontab; `command` is what runs before each job's own words."""
    zone = school.calendar.timezone
    head = [f"# Schoolgate for {_flat(school.name)}. Times are those of {zone}, which must be the clock of this machine",
            f"# (timedatectl set-timezone {zone}) where cron does not follow CRON_TZ.", f"# {_ends(school, today)}", "",
            f"CRON_TZ={zone}"]
    return "\n".join([*head, *(line for job in _steady(school, today) for line in _cron_lines(job, command))]) + "\n"


def _cron_lines(job: Job, command: Sequence[str]) -> list[str]:
    """A comment and the job's lines: one, or where days are named one for each month that has some."""
    words = shlex.join([*command, *job.words]).replace("%", r"\%")  # cron ends a command at a bare %
    return ["", f"# {job.name}: {job.title}", *(f"{job.at.minute} {job.at.hour} {days} *  {words}" for days in _cron_days(job))]


def _cron_days(job: Job) -> list[str]:
    if job.days is None:
        return ["* *"]
    months = dict.fromkeys((day.year, day.month) for day in job.days)
    return [f"{','.join(str(day.day) for day in job.days if (day.year, day.month) == month)} {month[1]}" for month in months]


def units(school: School, command: Sequence[str], today: date, user: str, writes: Sequence[str]) -> str:
    """The jobs as systemd services and timers, each under the comment that names its file.

    `user` runs them; `writes` are the folders they may write in, the school folder first.
    """
    zone, groups = school.calendar.timezone, sorted(set(school.groups.values()))
    made = [job for job in _steady(school, today) if job.days != ()]
    head = [f"# Schoolgate for {_flat(school.name)}: a file for each heading. {_ends(school, today)}",
            "# Put the group that may read the logs into SupplementaryGroups, and then: systemctl daemon-reload;",
            "# systemctl enable --now " + " ".join(f"schoolgate-{job.name}.timer" for job in made)]
    parts = [text for n, job in enumerate(made)
             for text in (_service(job, made[:n], command, user, groups, writes), _timer(job, zone))]
    return "\n".join(["\n".join(head), *parts])


def _service(job: Job, earlier: Sequence[Job], command: Sequence[str], user: str, groups: Sequence[str],
             writes: Sequence[str]) -> str:
    """After a boot systemd starts all that was missed at once: each job waits for those `earlier` in the morning."""
    after = " ".join(f"schoolgate-{before.name}.service" for before in earlier)
    net = ["Wants=network-online.target", "After=network-online.target"] if job.online else []
    lines = [f"# /etc/systemd/system/schoolgate-{job.name}.service", "[Unit]", f"Description=Schoolgate: {job.title}",
             *([f"After={after}"] if after else []), *net, "", "[Service]", "Type=oneshot", f"User={user}",
             f"SupplementaryGroups={' '.join(groups)}", "UMask=0077", "NoNewPrivileges=yes",
             *([] if job.online else ["PrivateNetwork=yes"]), "PrivateTmp=yes", "ProtectSystem=strict",
             f"ReadWritePaths={' '.join(map(_unit_word, writes))}",
             f"ExecStart={' '.join(_unit_word(word).replace('$', '$$') for word in [*command, *job.words])}", ""]
    return "\n".join(lines)


def _timer(job: Job, zone: str) -> str:
    days = ["*-*-*"] if job.days is None else [str(day) for day in job.days]
    return "\n".join([f"# /etc/systemd/system/schoolgate-{job.name}.timer", "[Unit]", f"Description=When to {job.title}", "",
                      "[Timer]", *(f"OnCalendar={day} {job.at:%H:%M}:00 {zone}" for day in days), "Persistent=true", "",
                      "[Install]", "WantedBy=timers.target", ""])


def _unit_word(word: str) -> str:
    """A word of a unit's command line as systemd reads it back."""
    kept = word.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./$*-]+", kept, re.ASCII):
        return kept
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ends(school: School, today: date) -> str:
    last = max((term.last for term in school.calendar.terms), default=today)
    if last < today:
        return f"The calendar of school.toml ended on {last}: give it the next year's terms, and print this again."
    return f"Days in term are those of school.toml until {last}: print this again when it has the next year's."


def _flat(text: str) -> str:
    """A text that stays on its line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
