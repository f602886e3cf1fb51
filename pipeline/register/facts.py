"""What each move of an incident must be given, and every reason why what was given will not do.

A definite action of table 7.2 is done or departed from with a reason; whatever goes beyond its rows needs a reason too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.register.incidents import IncidentState
from pipeline.register.words import Body

DISMISSALS = ("false_positive", "background", "authorised", "duplicate", "out_of_scope", "filter_check")
INTENTS = ("deliberate", "accidental", "background", "unclear")
REPORTED = ("yes", "no", "unknown")
PARENTS = ("informed", "not_required", "held")
HOLDS = ("police_advice", "dsl_advice", "risk_to_child", "no_safe_contact", "pupil_is_18")
CORRECTIONS = ("mistaken_identity", "new_evidence", "challenge_upheld")


@dataclass(frozen=True)
class Table:
    """What is needed of the policy in force on the incident's day: its rows' actions, and who may record an action as done."""

    rows: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)  # definite, possible, by row
    overlay: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    parents: str = ""  # the column that is done by telling parents: recorded as a move of its own

    def named(self, action: str) -> str:
        """The heading of a column."""
        return self.columns.get(action, action)

    def typed(self, action: str) -> str:
        """The heading of a column, with the name that it is typed by."""
        return f"{self.columns[action]} ({action})" if action in self.columns else action

    def definite(self, rows: Iterable[str]) -> tuple[str, ...]:
        """The printed ticks of these rows together, in the order of the columns."""
        wanted = {action for row in rows for action in self.rows.get(row, ((), ()))[0]}
        return tuple(action for action in self.columns if action in wanted)

    def possible(self, rows: Iterable[str]) -> tuple[str, ...]:
        """The printed queries of these rows together, without what another row makes definite."""
        rows = tuple(rows)
        wanted = {action for row in rows for action in self.rows.get(row, ((), ()))[1]} - set(self.definite(rows))
        return tuple(action for action in self.columns if action in wanted)


@dataclass(frozen=True)
class Given:
    """What a person gave with a move, and what it is held against."""

    facts: Mapping[str, Any]
    table: Table
    role: str
    holders: tuple[str, ...]  # who may hold that parents are told

    def word(self, name: str) -> str:
        """One fact as a stripped text."""
        return str(self.facts.get(name) or "").strip()


Checked = tuple[Body, list[str]]


def strange(facts: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Facts that do not belong to a move."""
    said = {name for name, value in facts.items() if value and name not in known}
    texts = {"rows": "takes no row of table 7.2: only a student's confirmed incident does",
             "code": f"does not take the code {facts.get('code')} (for a dismissal: {', '.join(DISMISSALS)})"}
    return [texts.get(name, f"takes no {name}") for name in sorted(said)]


def _one_of(given: Given, name: str, words: Collection[str], needed: bool = True) -> list[str]:
    """A fault unless the fact is one of these words."""
    said = given.word(name)
    if said in words or not (said or needed):
        return []
    return [f"needs {name}: {', '.join(words)}" + (f", not {said}" if said else "")]


def _date(given: Given, name: str, needed: bool = False) -> list[str]:
    """A fault unless the fact is a date (ISO)."""
    said = given.word(name)
    try:
        date.fromisoformat(said)
    except ValueError:
        return [f"needs {name}: a date such as 2026-11-09"] if said or needed else []
    return []


def _confirmed(state: IncidentState, given: Given) -> Checked:
    rows = list(dict.fromkeys(given.facts.get("rows") or ()))
    student = state.summary.get("actor") == "student"
    faults = strange({name: value for name, value in given.facts.items() if name != "rows"}, ("intent", "reported"))
    if rows and not student:
        faults.append("takes no row of table 7.2: only a student's confirmed incident does")
    if student and state.summary.get("route") == "student" and not rows:
        faults.append("needs the rows of table 7.2 that are confirmed")
    if given.table.rows and (unknown := [row for row in rows if row not in given.table.rows]):
        faults.append(f"names rows that table 7.2 does not have: {', '.join(unknown)}")
    faults += _one_of(given, "intent", INTENTS, needed=False) + _one_of(given, "reported", REPORTED, needed=False)
    return {"rows": rows, "intent": given.word("intent"), "reported": given.word("reported")}, faults


def _dismissed(state: IncidentState, given: Given) -> Checked:
    code = given.word("code")
    faults = strange({name: value for name, value in given.facts.items() if name != "code"}, ("reference",))
    if code and code not in DISMISSALS:
        faults.append(f"does not take the code {code} (for a dismissal: {', '.join(DISMISSALS)})")
    if state.summary.get("route") == "sealed" and (code != "filter_check" or not given.word("reference")):
        faults.append("is sealed: it is dismissed only as a filter_check, with the reference of the check")
    return {"code": code, "reference": given.word("reference")}, faults


def _accidental(state: IncidentState, given: Given) -> Checked:
    return {"intent": "accidental", "reported": "yes"}, strange(given.facts, ())


def _handed(state: IncidentState, given: Given) -> Checked:
    return {"reference": given.word("reference")}, strange(given.facts, ("reference",))


def _identified(state: IncidentState, given: Given) -> Checked:
    names = ("subject", "person", "actor", "year", "route")
    body: Body = {name: given.word(name) for name in names}
    student = body["actor"] == "student"
    faults = strange({name: value for name, value in given.facts.items() if name != "rows"}, names)
    if not body["person"]:
        faults.append("needs the login of the person it was")
    if not student and given.facts.get("rows"):
        faults.append("takes no row of table 7.2: only a student's confirmed incident does")
    return body | {"rows": list(given.facts.get("rows") or ()) if student else []}, faults


def _acted(state: IncidentState, given: Given) -> Checked:
    done, left = list(given.facts.get("done") or ()), list(given.facts.get("departures") or ())
    faults = strange(given.facts, ("done", "departures")) + list(_actions(state, given, done, left))
    return {"done": done, "departures": left}, faults


def _actions(state: IncidentState, given: Given, done: list[Body], left: list[Body]) -> Iterator[str]:
    """Every definite action is done or departed from with a reason, and so is whatever goes beyond the table."""
    table = given.table
    definite, possible = table.definite(state.rows), table.possible(state.rows)
    reasons = {body["action"] for body in (*state.departures, *left) if str(body.get("reason", "")).strip()}
    all_done = {body["action"] for body in (*state.actions, *done)}
    for action in dict.fromkeys(body["action"] for body in (*done, *left)):
        if table.columns and action not in table.columns:
            yield f"names {action!r}, which is no column of table 7.2 ({', '.join(table.columns)})"
    for body in (each for each in done if not table.columns or each["action"] in table.columns):
        gate = table.gates.get(body["action"], ())
        if gate and given.role not in gate:
            yield f"{table.typed(body['action'])} is recorded by {' or '.join(gate)}, not by {given.role}"
        if body["action"] not in (*definite, *possible) and body["action"] not in reasons:
            yield f"{table.typed(body['action'])} goes beyond what its rows print: a departure needs a reason"
    for action in definite:
        if action not in all_done and action not in reasons and action != table.parents:
            yield f"{table.typed(action)} is definite: done, or a departure with a reason"


def _parents(state: IncidentState, given: Given) -> Checked:
    faults = strange(given.facts, ("parents", "why", "review_on")) + _one_of(given, "parents", PARENTS)
    said, definite = given.word("parents"), given.table.parents in given.table.definite(state.rows)
    if said == "held":
        faults += _one_of(given, "why", HOLDS) + _date(given, "review_on", needed=True)
        if given.role not in given.holders:
            faults.append(f"telling parents is held by {' or '.join(given.holders)}, not by {given.role}")
    elif given.word("review_on"):
        faults.append("takes no review_on: only what is held is looked at again")
    departs = any(body["action"] == given.table.parents for body in state.departures)
    if said == "not_required" and definite and not departs:
        faults.append("informing parents is definite for its rows: a departure with a reason comes first")
    gate = given.table.gates.get(given.table.parents, ())
    if said == "informed" and gate and given.role not in gate:
        faults.append(f"parents are informed by {' or '.join(gate)}, not by {given.role}")
    return {"parents": said, "why": given.word("why"), "review_on": given.word("review_on")}, faults


def _told(state: IncidentState, given: Given) -> Checked:
    faults = strange(given.facts, ("agency", "reference", "on")) + _date(given, "on")
    faults += [] if given.word("agency") else ["needs the agency that was told"]
    return {name: given.word(name) for name in ("agency", "reference", "on")}, faults


def _corrected(state: IncidentState, given: Given) -> Checked:
    return ({"why": given.word("why"), "pages": list(given.facts.get("pages") or ())},
            strange(given.facts, ("why", "pages")) + _one_of(given, "why", CORRECTIONS))


FACTS: dict[str, Callable[[IncidentState, Given], Checked]] = {
    "confirmed": _confirmed, "dismissed": _dismissed, "accidental_reported": _accidental, "welfare_handover": _handed,
    "staff_referral": _handed, "identified": _identified, "acted": _acted, "parents": _parents, "told": _told,
    "corrected": _corrected}
