"""One school: its settings (`school.toml`, here) and its people (`people`), text in, values and every fault out.

    validators  what a single setting may hold
    timetable   terms, days without pupils, and the parts of a school day
    settings    every table of school.toml
    people      people.csv
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from pydantic import ValidationError

from pipeline.problems import Problem
from pipeline.school.settings import (
    Account,
    Checks,
    Log,
    Mail,
    Network,
    Retention,
    Reveals,
    Schedule,
    Settings,
    Triage,
)
from pipeline.schoolday import Calendar


@dataclass(frozen=True)
class School:
    """One school's settings; see the comments of school.toml for each."""

    name: str
    calendar: Calendar
    years: list[str]
    networks: list[Network]
    accounts: list[Account]
    logs: list[Log]
    sealed: dict[str, list[str]]
    roles: dict[str, str]
    groups: dict[str, str]
    retention: Retention
    checks: Checks
    reveals: Reveals
    schedule: Schedule
    mail: Mail
    keys: str
    triage: Triage
    small_number: int
    pupils_on_roll: int
    nominated: dict[str, list[str]]


def said_of(school: School, name: str) -> Log | None:
    """What school.toml says of a log of that file name: the first pattern that fits."""
    return next((log for log in school.logs if fnmatch(name, log.name)), None)


def read_school(text: str, where: str = "school.toml") -> tuple[School | None, list[Problem]]:
    """The school that `text` describes, or None and every fault in it."""
    try:
        says = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(where, f"is not TOML: {error}", "the line it names, for a quote or bracket left open")]
    try:
        file = Settings.model_validate(says)
    except ValidationError as error:
        return None, [_fault(where, fault) for fault in error.errors()]
    rest = {name: getattr(file, name) for name in School.__dataclass_fields__ if name != "calendar"}
    return School(calendar=file.calendar.calendar(), **rest), []


def _fault(where: str, fault: Any) -> Problem:
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"])
    what = str(fault["msg"]).removeprefix("Value error, ")
    what = what if fault["type"] == "value_error" else what[:1].lower() + what[1:]
    tips = {"missing": f"adding {key}", "extra_forbidden": "the names in the comments of `schoolgate init`"}
    return Problem(f"{where}, {key}", what, tips.get(fault["type"], "the comment beside it in the file"))
