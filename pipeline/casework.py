"""What people do with incidents at the command line: list, look, enter, and move on. Who they are is their computer login.

What is decided is the incident as it stands when the decision is written: every move is made under the lock of the registers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipeline import correcting, keyboard, register, rulefiles, schoolfolder
from pipeline.policy import Policy, in_force, read_policy
from pipeline.privacy import fits, login_key, pseudonym
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register import APART, OPENS, Card, IncidentState, Standing, Table
from pipeline.register.clocks import due
from pipeline.ruleset import Rules
from pipeline.school import School
from pipeline.school.people import Person
from pipeline.schoolday import day_bounds, school_day
from pipeline.vault import Vault, load_keys

STAFF = ("staff", "technical_staff", "governor")


@dataclass(frozen=True)
class Desk:
    """Who sits at the keyboard, and the rules they work by."""

    folder: Path
    rules: Rules
    who: str
    role: str

    @property
    def today(self) -> date:
        """The school day of the clock."""
        return today(self.rules.school)

    @property
    def clocks(self) -> Mapping[str, int]:
        """School days until something is due, by tier."""
        clocks: Mapping[str, int] = self.rules.policy.more.get("clocks", {})
        return clocks

    def key_of(self, login: str) -> str:
        """The pseudonym of a login."""
        return pseudonym(load_keys(self.folder / self.rules.school.keys).pseudonym, "p", login_key(login))

    def policy(self, state: IncidentState) -> Policy:
        """The policy of the day of an incident."""
        return in_force(self.rules.policy, date.fromisoformat(state.day) if state.day else self.today)


def today(school: School) -> date:
    """The school day of the clock."""
    return school_day(datetime.now(UTC), school.calendar.timezone)


def sit(folder: Path, needs_role: bool = True) -> Desk:
    """The desk of whoever is at the keyboard; RefusedError when they have no role in this school and one is needed."""
    rules = schoolfolder.rules(folder)
    who = keyboard.login()
    role = rules.school.roles.get(who, "")
    if needs_role and not role:
        raise RefusedError(Problem(who, "has no role in this school, so may not decide",
                                   f"a line `{who} = \"dsl\"` under [roles]"))
    return Desk(folder, rules, who, role)


def table_of(policy: Policy) -> Table:
    """What the moves need of a policy."""
    more = policy.more
    return Table({row.id: (row.definite, row.possible) for row in policy.sanctions.values()}, policy.overlay,
                 {column: tuple(roles) for column, roles in more.get("gates", {}).items()}, policy.columns,
                 str(more.get("parents", {}).get("column", "")))


def states_of(folder: Path) -> Standing:
    """Every incident by its reference."""
    return schoolfolder.incidents(folder)


def found(states: Mapping[str, IncidentState], ref: str) -> IncidentState:
    """One of them; UsageError when there is no such reference."""
    if ref not in states:
        raise UsageError(Problem(ref, "is no incident here", "schoolgate incident list"))
    return states[ref]


@dataclass(frozen=True)
class Filter:
    """Which incidents a list is for; what is not given lets all through."""

    overdue: bool = False
    state: str = ""
    route: str = ""
    tier: str = ""
    day: date | None = None

    def through(self, cards: Iterable[Card]) -> list[Card]:
        """Those that it lets through, but for when they are due; nothing of what has been purged."""
        asked = {"state": self.state, "route": self.route, "tier": self.tier, "day": str(self.day or "")}
        wanted = [(name, value) for name, value in asked.items() if value]
        return [card for card in cards if not card.purged and all(getattr(card, name) == value for name, value in wanted)]


def incidents(folder: Path, only: Filter | None = None) -> list[str]:
    """A line an incident, without names: reference, state, day, tier, who reads it, categories, and when it is due.

    What a welfare or staff matter is about is left out for roles that may not open it.
    """
    wanted, school = only or Filter(), schoolfolder.settings(folder)
    clocks, now = _clocks(folder), today(school)
    cards = [(card, due(card, school.calendar, clocks)) for card in wanted.through(states_of(folder).cards())]
    closed = [tier for tier in APART if school.roles.get(keyboard.login(), "") not in OPENS[tier]]
    return [_line(card._replace(what="") if card.tier in closed else card, when, now) for card, when in cards
            if not wanted.overdue or (when is not None and when < now)]


def _clocks(folder: Path) -> Mapping[str, int]:
    """School days until something is due, by tier; of the rules only the policy is read, for a list needs no more."""
    policy, faults = read_policy(rulefiles.texts(folder, ["rules/*.csv", "rules/*.toml"]))
    if policy is None:
        raise UsageError(*faults)
    clocks: Mapping[str, int] = policy.more.get("clocks", {})
    return clocks


def _line(card: Card, when: date | None, now: date) -> str:
    said = "" if when is None else f"  {'overdue since' if when < now else 'due'} {when}"
    gone = "" if card.detected else "(no longer detected) "
    told = "" if card.source == "log" else f"  told by {card.source}"
    return f"{card.ref}  {card.state:9} {gone}{card.day}  {card.tier}  {card.route:11} {card.what}{told}{said}"


def act(folder: Path, ref: str, kind: str, reason: str, **facts: Any) -> str:
    """Make one move on one incident; UsageError or RefusedError says why not, and then nothing is written."""
    desk = sit(folder)
    with rulefiles.entering(folder):
        state = found(states_of(folder), ref)
        if kind == "corrected":
            facts["pages"] = correcting.issued(folder, ref)
        if facts.get("code") == "filter_check" and facts.get("reference"):
            _is_check(folder, str(facts["reference"]))
        event = move(desk, state, kind, reason, **facts)
        schoolfolder.journal(folder, "incidents").append(*event)
    if kind == "corrected":
        correcting.mark(folder, desk.rules.school.groups, ref, facts["pages"], desk.today)
    return f"{ref} is {kind.replace('_', ' ')}, by {desk.who} ({desk.role})."


def move(desk: Desk, state: IncidentState, kind: str, reason: str, **facts: Any) -> register.Event:
    """The entry of a move by whoever sits at the desk, about anybody but themselves."""
    person = str(state.summary.get("person") or "")
    if person and kind != "noted" and person == desk.key_of(desk.who):
        raise RefusedError(Problem(state.ref, "is about you: somebody else decides"))
    return register.move(state, kind, who=desk.who, role=desk.role, reason=reason, table=table_of(desk.policy(state)),
                         subject_role=_role_of(desk, person), **facts)


def _role_of(desk: Desk, person: str) -> str:
    """The role of the person an incident is about: the Principal's matters are the chair of governors'."""
    heads = [login for login, role in desk.rules.school.roles.items() if role == "principal"]
    return "principal" if person and person in {desk.key_of(login) for login in heads} else ""


def _is_check(folder: Path, ref: str) -> None:
    """UsageError unless there is such a check: what the filter said is a test only where one is on record."""
    if ref not in {entry.ref for entry in schoolfolder.journal(folder, "checks").entries() if entry.ref}:
        raise UsageError(Problem(ref, "is no check here", "schoolgate checks list"))


def identify(folder: Path, ref: str, login: str, reason: str) -> str:
    """Say who it was, by login; what table 7.2 may say of it is asked anew."""
    desk = sit(folder)
    with rulefiles.entering(folder):
        state = found(states_of(folder), ref)
        body = who_was(desk, login, date.fromisoformat(state.day), str(state.summary["tier"]))
        student = body["actor"] == "student" and body["route"] == "student"
        told = state.summary["rows"] if state.source != "log" else []  # what somebody said it was outlives who it was
        rows = list(dict.fromkeys([*told, *_rows_of(desk.policy(state), state)])) if student else []
        event = move(desk, state, "identified", reason, rows=rows, **body)
        _remember(desk, login)
        schoolfolder.journal(folder, "incidents").append(*event)
    return f"{ref} is about {login}, says {desk.who} ({desk.role})."


def _rows_of(policy: Policy, state: IncidentState) -> list[str]:
    """The rows that the incident's categories may propose for a student."""
    known = [policy.categories[name] for name in state.summary["categories"] if name in policy.categories]
    return list(dict.fromkeys(line.row for each in known for line in each.propose if line.row != "no_row"))


def who_was(desk: Desk, login: str, day: date, tier: str) -> dict[str, str]:
    """Whose login it is on a day: pseudonym, actor, year and route."""
    key = login_key(login)
    school = desk.rules.school
    person: Person | None = next((each for each in desk.rules.people if login_key(each.username) == key and each.on(day)), None)
    patterns = [(account.pattern, account.actor) for account in school.accounts]
    actor = person.role if person else fits(patterns)(key) or "unknown"
    route = "staff" if actor in STAFF else actor if actor in ("student", "guest") else "attribution"
    name = desk.key_of(login)
    return {"subject": name, "person": name, "actor": actor, "year": person.year if person else "",
            "route": "welfare" if tier == "T1" and route != "staff" else route}


def _remember(desk: Desk, login: str) -> None:
    """Keep the way back from the pseudonym to the login."""
    keys = load_keys(desk.folder / desk.rules.school.keys)
    Vault(desk.folder / "var/vault/names", keys.vault).add({desk.key_of(login): login_key(login)})


@dataclass(frozen=True)
class Told:
    """What somebody tells of an incident that no log shows."""

    what: str
    source: str
    day: date
    rows: tuple[str, ...] = ()
    login: str = ""
    at: time | None = None
    welfare: bool = False


def add(folder: Path, told: Told) -> str:
    """Enter an incident by hand, suspected until somebody has looked at it."""
    desk = sit(folder)
    policy = in_force(desk.rules.policy, told.day)
    faults = [Problem(row, "is no row of table 7.2", "schoolgate policy") for row in told.rows if row not in policy.sanctions]
    faults += [Problem(str(told.day), "has not come yet", "the day it happened")] if told.day > desk.today else []
    if faults:
        raise UsageError(*faults)
    serious = set(told.rows) & set(policy.more.get("by_hand", {}).get("serious", ()))
    tier = "T1" if told.welfare else "T2" if serious else "T3"
    body = _story(desk, told, tier)
    with rulefiles.entering(folder):
        ref = next(register.numbers("I", states_of(folder)))
        event = register.enter(ref, body, told.source, who=desk.who, role=desk.role, reason=told.what)
        if told.login:
            _remember(desk, told.login)
        schoolfolder.journal(folder, "incidents").append(*event)
    return f"{ref} is entered, suspected, by {desk.who} ({desk.role})."


def _story(desk: Desk, told: Told, tier: str) -> dict[str, Any]:
    """The summary of an incident that was told, in the words of one that was detected."""
    zone = desk.rules.school.calendar.timezone
    begin = day_bounds(told.day, zone)[0]
    at = begin if told.at is None else begin + _since_cut(told.at)
    route = "welfare" if told.welfare else "attribution"
    nobody = {"subject": "", "person": None, "actor": "unknown", "year": "", "route": route}
    who: Mapping[str, Any] = who_was(desk, told.login, told.day, tier) if told.login else nobody
    staff = who["actor"] in STAFF
    return {"day": str(told.day), "story": "", "keys": [], "client": "", **who, "tier": "TS" if staff else tier,
            "started": at.isoformat(), "ended": at.isoformat(), "categories": [], "sites": [], "outcome": "unknown",
            "intent": "unclear", "rows": list(told.rows) if who["actor"] in ("student", "unknown") else [], "questions": [],
            "visits": 0, "requests": 0} | ({} if told.at else {"time": register.UNTOLD})


def _since_cut(at: time) -> timedelta:
    """From 04:00 to a time of the school's clock."""
    minutes = at.hour * 60 + at.minute - 240
    return timedelta(minutes=minutes % 1440)
