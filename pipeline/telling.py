"""The story of one incident for the person who decides it: what is held, what the policy asks, what came before, and an hour of
context on each side. No names: people are pseudonyms.

Of welfare, staff matters and sealed items whoever may not open them sees that there is one, and no more. The context is a look at
somebody's browsing: it is shown to roles that may open the incident, and written down first. Rows of help, welfare and sealed
items are never in it, only counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import calling, casework, led, schoolfolder
from pipeline.casework import Desk
from pipeline.pages.parts import defang, defanged
from pipeline.register import APART, MOVES, IncidentState, may
from pipeline.register.clocks import due
from pipeline.register.proposals import Repeat, Rule, actions, asked, repeat
from pipeline.schoolday import local
from pipeline.tables import DETECTIONS, INCIDENTS, VERDICTS, VISITS
from pipeline.vault import load_keys

AROUND = timedelta(hours=1)
LEFT_OUT = ("T0", "T1")
CLOSED = "is for those who may open it"
LONGEST = 600  # of one key or word that is held


def incident(folder: Path, ref: str) -> list[str]:
    """One incident: what the register holds, what the policy says of it, its life, and the hour around it."""
    desk = casework.sit(folder, needs_role=False)
    states = casework.states_of(folder)
    state = casework.found(states, ref)
    if state.purged:
        return [f"{ref}  purged"]
    if state.tier in APART and desk.role not in may("noted", state):
        return [f"{ref}  {state.state}", f"day         {state.day}", f"tier        {state.tier}",
                f"what it is  {CLOSED}: {' or '.join(may('noted', state))}"]
    held = [f"{name:11} {_held(name, value)}" for name, value in state.summary.items() if value not in ("", None, [])]
    when = due(state, desk.rules.school.calendar, desk.clocks)
    parts = [[f"{ref}  {state.state}" + (f", due {when}" if when else ""), *held], list(policy_says(desk, state, states)),
             list(_done(desk, state)), [_event(event) for event in state.history], _next(desk, state), list(_around(desk, state))]
    return [line for n, part in enumerate(part for part in parts if part) for line in ([""] if n else []) + part]


def _held(name: str, value: Any) -> str:
    """One thing that is held, with sites that nobody can click by accident."""
    several = list(map(str, value)) if isinstance(value, list) else [str(value)]
    return ", ".join(map(defang, several) if name == "sites" else (defanged(text, LONGEST) for text in several))


def policy_says(desk: Desk, state: IncidentState, states: Mapping[str, IncidentState]) -> Iterator[str]:
    """Table 7.2 as questions while it waits, its printed actions for the rows confirmed, and the repeat rule."""
    if state.summary["actor"] != "student" or state.summary["route"] != "student":
        said = {"staff": "the Principal's; no sanction is printed for staff", "welfare": "the DSL's; no row and no sanction",
                "sealed": "the sealed protocol", "tech": "a technical matter", "guest": "no row: table 7.2 is for students"}
        yield f"policy      {said.get(str(state.summary['route']), 'nothing is proposed until somebody is identified')}"
        return
    policy = desk.policy(state)
    table, before = casework.table_of(policy), repeats(desk, state, states)
    for name in state.summary["categories"] if state.waiting else ():
        category = policy.categories.get(name)
        lines = [(line.row, line.when) for line in category.propose if line.row in (*state.rows, "no_row")] if category else []
        yield from (f"ask         {said}" for said in asked(lines, category.alternatives if category else ()))
    word = "may be" if state.waiting else "is"
    yield from (f"{word:11} {row}: {policy.sanctions[row].text}" for row in state.rows if row in policy.sanctions)
    rows = [*state.rows, *([before.row] if before and before.row else [])]
    if state.waiting:  # rows that exclude each other are not added up
        yield from (f"{row} would be  {said}" for row in rows for said in actions([row], table, before))
    else:
        yield from (f"then        {said}" for said in actions(rows, table, before))
    if before:
        yield f"repeat      {before.chain}"
    yield from (f"question    {name}: {policy.questions[name].text}" for name in state.summary["questions"]
                if name in policy.questions and not policy.questions[name].decision)


def repeats(desk: Desk, state: IncidentState, states: Mapping[str, IncidentState]) -> Repeat | None:
    """What the repeat rule of its day says of an incident."""
    return repeat(state, states.values(), Rule.of(desk.policy(state).more.get("repeat", {})))


def _done(desk: Desk, state: IncidentState) -> Iterator[str]:
    """What was done, left out, and told."""
    columns = desk.policy(state).columns
    yield from (f"done        {columns.get(body['action'], body['action'])}, {body['on']}, by {body['who']}"
                for body in state.actions)
    yield from (f"departed    {columns.get(body['action'], body['action'])}: {defanged(body['reason'])}, says {body['who']}"
                for body in state.departures)
    if state.parents:
        again = f", looked at again on {state.review_on}" if state.review_on else ""
        yield f"parents     {state.parents.replace('_', ' ')}{again}"
    yield from (f"told        {defanged(body['agency'])} {body['on']} {defanged(body['reference'])}".rstrip()
                for body in state.agencies)


def _event(event: Any) -> str:
    by = f" by {event.body['who']} ({event.body['role']}): {defanged(event.body['reason'])}" if "who" in event.body else ""
    return f"{event.at[:16]}  {event.kind}{by}"


def _next(desk: Desk, state: IncidentState) -> list[str]:
    """What may happen next, and who may do it."""
    moves = [kind for kind, made in MOVES.items() if state.state in made.sources and kind not in ("noted", "told")
             and (not made.routes or state.summary["route"] in made.routes)]
    mine = [kind for kind in moves if desk.role in may(kind, state)]
    you = f"; you ({desk.role}) may: {', '.join(mine) or 'none of it'}" if desk.role else ""
    return [f"next        {', '.join(moves) or 'nothing'}{you}"]


def _around(desk: Desk, state: IncidentState) -> Iterator[str]:
    """Visits of the same person (or device) within an hour of it, for whoever may open it."""
    if not may("noted", state) or desk.role not in may("noted", state) or desk.role == "technical_services_manager":
        yield f"context     {CLOSED}"
        return
    if state.summary["tier"] == "T0" or not state.summary["subject"] or not (desk.folder / "var/lake").is_dir():
        return
    schoolfolder.journal(desk.folder, "access").append("look", state.ref, {"by": desk.who, "what": "context", "day": state.day})
    lake = schoolfolder.open_lake(desk.folder, load_keys(desk.folder / desk.rules.school.keys))
    day = date.fromisoformat(state.day)
    own = {key for row in lake.table(INCIDENTS, [day]).to_pylist() if row["story"] == state.story for key in row["visit_keys"]}
    verdicts = lake.table(VERDICTS, [day]).to_pylist()
    tiers, with_whom = ({row["visit"]: row[name] for row in verdicts} for name in ("tier", "context"))
    near = [row for row in lake.table(VISITS, [day]).to_pylist() if _near(row, state)]
    open_rows = [row for row in near if row["visit"] in own or _may_be_shown(desk, row, tiers)]
    sealed = sum(1 for row in lake.table(DETECTIONS, [day]).to_pylist() if row["tier"] == "T0" and _near(row, state))
    zone = desk.rules.school.calendar.timezone
    left = len(near) - len(open_rows) + sealed
    yield f"context     {len(open_rows)} visits of the same person, an hour each side; {left} left out"
    for row in sorted(open_rows, key=lambda row: (row["started"], row["visit"])):
        mark = "*" if row["visit"] in own else " "
        yield (f"          {mark} {local(row['started'], zone):%H:%M:%S}  {row['category']}  {defang(row['site'])}  "
               f"{row['requests']} requests, {row['blocked']} blocked{_why(with_whom.get(row['visit'], ''))}")


def _why(context: str) -> str:
    """Why no rule speaks of a visit."""
    known = {"": "", led.CONTEXT: ", with the class of a member of staff", calling.CONTEXT: ", made by a program"}
    return known.get(context, f", part of {context}")


def _near(row: Mapping[str, Any], state: IncidentState) -> bool:
    begin, end = (datetime.fromisoformat(state.summary[name]) for name in ("started", "ended"))
    same: bool = row["subject"] == state.summary["subject"]
    return same and bool(row["ended"] >= begin - AROUND and row["started"] <= end + AROUND)


def _may_be_shown(desk: Desk, row: Mapping[str, Any], tiers: Mapping[str, str]) -> bool:
    category = desk.rules.policy.categories.get(row["category"])
    helps = row["category"] == "help_seeking" or (category is not None and category.help_seeking)
    return not helps and tiers.get(row["visit"]) not in LEFT_OUT
