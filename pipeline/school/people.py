"""`people.csv`, an export of the school's MIS: who has which login, in which role, from when until when."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date

from pipeline.problems import Problem
from pipeline.school.validators import ROLES
from pipeline.schoolday import read_date


@dataclass(frozen=True)
class Person:
    """One person of people.csv, valid from and until (both included; None: open)."""

    username: str
    name: str
    role: str
    year: str
    house: str
    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, day: date) -> bool:
        """Whether the row speaks of that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def read_people(text: str, where: str = "people.csv") -> tuple[list[Person], list[Problem]]:
    """The people of an MIS export, and a problem for each row that cannot be used; the other rows are kept."""
    people: list[Person] = []
    problems: list[Problem] = []
    earlier: dict[str, list[Person]] = {}
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), skipinitialspace=True)
    lacking = {"username", "name", "role"} - {(name or "").strip().lower() for name in rows.fieldnames or ()}
    if lacking:
        return [], [Problem(where, f"has no column {', '.join(sorted(lacking))}", "a first line with those names")]
    for row in rows:
        clean = {(k or "").strip().lower(): (v or "").strip() for k, v in row.items() if isinstance(v, str) or v is None}
        if not any(clean.values()):
            continue
        try:
            person = _person(clean)
            _alone(person, earlier.setdefault(person.username.lower(), []))
        except ValueError as error:
            problems.append(Problem(f"{where}, line {rows.line_num}", str(error), "mending that cell; the row was left out"))
        else:
            people.append(person)
            earlier[person.username.lower()].append(person)
    return people, problems


def _alone(person: Person, earlier: list[Person]) -> None:
    """One login is one person on one day: a second row for it needs other dates."""
    since, until = person.valid_from or date.min, person.valid_to or date.max
    if until < since:
        raise ValueError(f"valid_to {until} is before valid_from {since}")
    if any(since <= (other.valid_to or date.max) and (other.valid_from or date.min) <= until for other in earlier):
        raise ValueError("stands in an earlier line for the same dates")


def _person(row: dict[str, str]) -> Person:
    if not row["username"]:
        raise ValueError("has no username")
    if row["role"] not in ROLES:
        raise ValueError(f"role '{row['role']}' is not one of {', '.join(ROLES)}")
    return Person(row["username"], row["name"], row["role"], row.get("year", ""), row.get("house", ""),
                  _day(row.get("valid_from", "")), _day(row.get("valid_to", "")))


def _day(text: str) -> date | None:
    """A date as 2026-09-01 or 01/09/2026 (day first); None for an empty cell; ValueError says what else it is."""
    found = read_date(text)
    if text and found is None:
        raise ValueError(f"'{text}' is not a date such as 2026-09-01 or 01/09/2026")
    return found
