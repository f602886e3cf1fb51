"""`rules/exceptions.csv`: detections that a school has decided not to be shown, with reason, owner, approver and last day.

    rule,site_or_person,reason,owner,approver,until
    web-proxy,library.example,the county library's own proxy,tsm,dsl,2027-07-31
    games-in-lessons,login:mjones,makes games in his lessons,tsm,principal,2026-12-18

An exception hides and never deletes: what it hides stays in the detections with its reason, and every page counts it. None hides
a sealed or a welfare matter.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.hosts import normalise
from pipeline.problems import Problem
from pipeline.rulebook import Rule
from pipeline.schoolday import read_date
from pipeline.suggestions import nearest

COLUMNS = ("rule", "site_or_person", "reason", "owner", "approver", "until")
WHERE = "rules/exceptions.csv"
LOGIN = "login:"
NEVER_HIDDEN = ("T0", "T1")
WATCHED = "the rule is on watch"


@dataclass(frozen=True)
class Excepted:
    """One exception: a rule, and a host with all under it or a login."""

    rule: str
    host: str
    login: str
    reason: str
    owner: str
    approver: str
    until: date

    @property
    def label(self) -> str:
        """What pages say of it; a person is not named."""
        return f"{self.rule} on {self.host or 'one person'}, until {self.until}: {self.reason}"

    def covers(self, host: str) -> bool:
        """Whether a host is the one named, or under it."""
        return bool(self.host) and (host == self.host or host.endswith("." + self.host))


def read_exceptions(text: str, rules: Collection[str], logins: Collection[str] = ()) -> tuple[list[Excepted], list[Problem]]:
    """The exceptions of a file, and a problem for each row that cannot be used; `logins`: those of people.csv, lower case."""
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines(), skipinitialspace=True)
    names = [(name or "").strip() for name in reader.fieldnames or []]
    missing = [name for name in COLUMNS if name not in names]
    if text.strip() and missing:
        return [], [Problem(f"{WHERE}:1", f"has no column {', '.join(missing)}", ",".join(COLUMNS))]
    kept, problems = [], []
    for cells in reader:
        row = {(name or "").strip(): (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
        if any(row.values()):
            until = read_date(row.get("until", ""))
            faults = _faults(row, until, f"{WHERE}:{reader.line_num}", rules)
            problems += faults
            kept += [_excepted(row, until, logins)] if until and not faults else []
    return kept, problems


def _faults(row: Mapping[str, str], until: date | None, at: str, rules: Collection[str]) -> list[Problem]:
    faults = [Problem(at, f"has no {name}", f"fill in {name}") for name in COLUMNS if not row.get(name)]
    rule = row.get("rule", "")
    if rule and rule not in rules:
        faults.append(Problem(at, f"'{rule}' is no rule", nearest(rule, rules) or "the name of a file of rules/detect, no .toml"))
    if row.get("until") and until is None:
        faults.append(Problem(at, f"until is '{row['until']}', which is not a date", "2027-07-31"))
    if row.get("owner") and row.get("owner") == row.get("approver"):
        faults.append(Problem(at, "is approved by its own owner", "an approver who is somebody else"))
    return faults


def _excepted(row: Mapping[str, str], until: date, logins: Collection[str]) -> Excepted:
    name = row["site_or_person"]
    plain = name.removeprefix(LOGIN).strip()
    is_login = name.startswith(LOGIN) or name.lower() in logins or "." not in name
    return Excepted(row["rule"], "" if is_login else normalise(plain.removeprefix("*.")), plain.lower() if is_login else "",
                    row["reason"], row["owner"], row["approver"], until)


class Hiding:
    """Which visits of which rules are not shown on one day, and why. `people`: the pseudonym of each login excepted."""

    def __init__(self, rules: Sequence[Rule], exceptions: Sequence[Excepted], people: Mapping[str, str], day: date) -> None:
        self._watched = {rule.name for rule in rules if rule.watch}
        self._people = people
        self._live: dict[str, list[Excepted]] = {}
        for one in exceptions:
            if day <= one.until:
                self._live.setdefault(one.rule, []).append(one)

    def why(self, rule: str, host: str, subject: str, tier: str) -> str:
        """Why a visit that makes a rule fire is not shown; empty when it is."""
        if tier in NEVER_HIDDEN:
            return ""
        if rule in self._watched:
            return WATCHED
        return next((one.label for one in self._live.get(rule, ()) if one.covers(host)
                     or (one.login and self._people.get(one.login) == subject)), "")


HIDES_NOTHING = Hiding((), (), {}, date.min)
