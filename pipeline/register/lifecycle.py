"""How an incident moves: from which states, to which, by whom, and on what facts. Only what stands in MOVES can happen.

    suspected → in_triage → dismissed | accidental_reported | confirmed | welfare_handover | staff_referral | sealed_illegal
                          → needs_identification → in_triage
    confirmed → actions_recorded → parents_informed | parents_not_required | parents_held → closed
    whatever a person has decided → reopened (suspected again) | corrected

Every move has who, role, when and why, and a role moves only what it may open. Triage can be given in one step: a DSL who reads
the list with a pen confirms what is still `suspected`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.problems import Problem, UsageError
from pipeline.register.facts import FACTS, Given, Table, strange
from pipeline.register.incidents import CODE_KINDS, IncidentState
from pipeline.register.words import Body, Event

SOURCES = ("staff", "self", "parent", "provider", "police")

WAIT = ("suspected", "in_triage")
UNKNOWN = (*WAIT, "needs_identification")
TOLD = ("parents_informed", "parents_not_required", "parents_held")
ENDED = ("dismissed", "accidental_reported", "welfare_handover", "staff_referral", "sealed_illegal", "closed")
AFTER = ("confirmed", "actions_recorded", *TOLD, *ENDED)
STATES = (*UNKNOWN, *AFTER, "corrected")

DSLS = ("dsl", "deputy_dsl")
TRIAGERS = (*DSLS, "principal")
LEADERS = (*TRIAGERS, "principal_slt")
PASTORAL = (*LEADERS, "head_of_year", "head_of_faculty_or_house")
MANAGER = ("technical_services_manager",)
ROLES = (*PASTORAL, *MANAGER, "chair_of_governors", "dpo")

# Who may open what, and so move it (the domain's table of who sees what): welfare is the DSL's, staff matters the Principal's.
OPENS: Mapping[str, tuple[str, ...]] = {
    "T0": TRIAGERS, "T1": DSLS, "T2": PASTORAL, "T3": PASTORAL,
    "T4": ("principal", "principal_slt", *MANAGER), "TS": ("principal",)}
APART = ("T0", "T1", "TS")  # of these whoever may not open them sees no more than that there is one
CHAIR = ("chair_of_governors",)
STAFF = ("staff", "technical_staff", "governor")


@dataclass(frozen=True)
class Move:
    """One kind of move: the states it starts from, the one it ends in ('' stays), the routes and roles it is for."""

    kind: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    routes: tuple[str, ...] = ()  # none: any
    text: str = ""


STUDENT = ("student",)
PEOPLE = ("student", "staff", "attribution", "guest", "tech")
UNNAMED = ("attribution", "guest", "student", "welfare")
MOVES = {move.kind: move for move in (
    Move("triaged", ("suspected",), "in_triage", (*LEADERS, *MANAGER), text="taken up: somebody is looking at it"),
    Move("confirmed", WAIT, "confirmed", TRIAGERS, PEOPLE, "it happened, by this person"),
    Move("dismissed", UNKNOWN, "dismissed", (*LEADERS, *MANAGER), text="nothing follows, for the reason of its code"),
    Move("accidental_reported", WAIT, "accidental_reported", TRIAGERS, STUDENT, "an accident, reported: thanked, no sanction"),
    Move("welfare_handover", UNKNOWN, "welfare_handover", DSLS, ("welfare", "student", "attribution"),
         "handed to the child-protection record"),
    Move("staff_referral", (*UNKNOWN, "confirmed"), "staff_referral", ("principal", *CHAIR), ("staff", "attribution"),
         "a staff matter, referred"),
    Move("sealed_illegal", WAIT, "sealed_illegal", TRIAGERS, ("sealed",), "taken up under the sealed protocol"),
    Move("unidentified", WAIT, "needs_identification", (*TRIAGERS, *MANAGER), UNNAMED, "who it was has to be found out"),
    Move("identified", UNKNOWN, "in_triage", TRIAGERS, UNNAMED, "who it was has been found out"),
    Move("acted", ("confirmed", "actions_recorded"), "actions_recorded", PASTORAL, STUDENT, "actions done, or departed from"),
    Move("parents", ("actions_recorded", *TOLD), "parents_", PASTORAL, STUDENT, "parents informed, held or not required"),
    Move("told", (*UNKNOWN, *AFTER), "", (*TRIAGERS, *CHAIR), text="somebody outside the school was told"),
    Move("noted", STATES, "", (*PASTORAL, *MANAGER, *CHAIR), text="a note"),
    Move("settled", (*WAIT, "confirmed"), "closed", (*LEADERS, *MANAGER), ("tech", "guest"), "a technical or guest matter"),
    Move("closed", ("parents_informed", "parents_not_required", *ENDED[1:5]), "closed", (*LEADERS, *CHAIR),
         text="nothing is left to do"),
    Move("reopened", (*AFTER, "corrected"), "suspected", (*TRIAGERS, *MANAGER, *CHAIR), text="looked at again"),
    Move("corrected", AFTER, "corrected", (*TRIAGERS, *CHAIR), text="the record was wrong; every page issued says so"),
)}
PEOPLE_KINDS = tuple(MOVES)


def may(kind: str, state: IncidentState, subject_role: str = "") -> tuple[str, ...]:
    """The roles that may make this move on this incident; `subject_role`: the role of the person it is about, where known."""
    move = MOVES.get(kind)
    if move is None:
        return ()
    if subject_role == "principal":
        return CHAIR if CHAIR[0] in move.roles or kind in {"triaged", "dismissed", "confirmed", "sealed_illegal"} else ()
    tier = str(state.summary.get("tier", ""))
    about_staff = state.summary.get("actor") in STAFF
    opens = OPENS["TS"] if about_staff and tier in {"T0", "T1", "T2", "T3", "TS"} else OPENS.get(tier, TRIAGERS)
    return tuple(role for role in move.roles if role in opens)


def move(state: IncidentState, kind: str, *, who: str, role: str, reason: str, table: Table | None = None,
         allowed_roles: Collection[str] | None = None, subject_role: str = "", **facts: Any) -> Event:
    """The entry of one move of one person on one incident; UsageError says every reason why it cannot be made.

    `facts`: what the move is about, by its kind: rows, intent, reported, code, reference, done, departures, parents, why,
    review_on, agency, on, pages, and who it was (person, subject, actor, year, route).
    """
    faults = list(_out_of_turn(state, kind))
    faults += [f"needs a {word}" for word, text in (("person", who), ("role", role), ("reason", reason)) if not text.strip()]
    allowed = may(kind, state, subject_role) if allowed_roles is None else tuple(allowed_roles)
    if role.strip() and role not in allowed and kind in MOVES:
        faults.append(f"may not be {kind} by the role {role} (may: {', '.join(sorted(allowed)) or 'nobody'})")
    if "://" in reason or "www." in reason:
        faults.append("holds an address in its reason: addresses stay in the log")
    check = FACTS.get(kind)
    body, more = check(state, Given(facts, table or Table(), role, TRIAGERS)) if check else ({}, strange(facts, ()))
    faults += more
    if faults:
        raise UsageError(*(Problem(state.ref, fault) for fault in dict.fromkeys(faults)))
    return kind, state.ref, {"who": who.strip(), "role": role, "reason": reason.strip()} | body


def decide(state: IncidentState, kind: str, *, who: str, role: str, reason: str, allowed_roles: Collection[str],
           rows: Iterable[str] = (), known_rows: Collection[str] = (), intent: str = "", code: str = "") -> Event:
    """`move` with the roles given, and the rows of table 7.2 known by name alone."""
    table = Table(dict.fromkeys(known_rows, ((), ())))
    return move(state, kind, who=who, role=role, reason=reason, table=table, allowed_roles=allowed_roles, rows=tuple(rows),
                intent=intent, code=code)


def _out_of_turn(state: IncidentState, kind: str) -> Iterator[str]:
    """Why this move cannot be made from where the incident stands."""
    if kind not in MOVES:
        yield f"cannot be {kind}: a person's decisions are {', '.join(word for word in MOVES if word not in CODE_KINDS)}"
        return
    if state.purged:
        yield "has been purged"
        return
    made = MOVES[kind]
    route = str(state.summary.get("route", ""))
    if state.state not in made.sources:
        yield _why_not(state, made)
    if made.routes and route not in made.routes and state.summary:
        yield f"is for the route {route}, which cannot be {kind}"


def _why_not(state: IncidentState, made: Move) -> str:
    if made.kind == "reopened":
        return "is open"
    if made.kind in {"closed"} and state.state == "parents_held":
        return "cannot be closed while telling the parents is held"
    if state.state in AFTER and made.sources in (WAIT, UNKNOWN):
        return f"is {state.state} already; reopen it first"
    return f"is {state.state}; it can be {made.kind} only when it is {', '.join(made.sources)}"


def enter(ref: str, story: Body, source: str, *, who: str, role: str, reason: str) -> Event:
    """The entry of an incident that no log shows: told by staff, the pupil, a parent, the filter's provider or the police."""
    faults = [f"needs a {word}" for word, text in (("person", who), ("role", role), ("reason", reason)) if not text.strip()]
    faults += [] if source in SOURCES else [f"needs source: {', '.join(SOURCES)}"]
    faults += [] if role in PASTORAL else [f"may not be entered by the role {role} (may: {', '.join(PASTORAL)})"]
    faults += ["holds an address: addresses stay in the log"] if "://" in reason or "www." in reason else []
    if faults:
        raise UsageError(*(Problem("incident", fault) for fault in faults))
    return "entered", ref, {"who": who.strip(), "role": role, "reason": reason.strip(), "source": source, "story": story}
