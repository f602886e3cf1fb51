"""What people do with the logs beside the incidents: breaches completed, checks planned and recorded, concerns looked after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import casework, register, rulefiles, schoolfolder
from pipeline.casework import Desk
from pipeline.privacy import client_key, login_key, pseudonym
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register import breaches, checks, concerns
from pipeline.register.clocks import after
from pipeline.register.lifecycle import LEADERS, MANAGER, PASTORAL
from pipeline.vault import load_keys

KEEPERS = (*LEADERS, *MANAGER)


UNMATCHED = " Its traffic cannot be told from others': that needs --login or --address."


def _desk(folder: Path, roles: Sequence[str], what: str) -> Desk:
    desk = casework.sit(folder)
    if desk.role not in roles:
        raise RefusedError(Problem(desk.who, f"may not {what}: the role is {desk.role}", f"one of {', '.join(roles)}"))
    return desk


def _one(states: Mapping[str, Any], ref: str, what: str, try_this: str) -> Any:
    if ref not in states:
        raise UsageError(Problem(ref, f"is no {what} here", try_this))
    return states[ref]


def _by(desk: Desk, reason: str) -> dict[str, str]:
    return {"who": desk.who, "role": desk.role, "reason": reason}


def _breaches(folder: Path) -> dict[str, register.BreachState]:
    return register.fold_breaches(schoolfolder.journal(folder, "breaches").entries())


def _checks(folder: Path) -> dict[str, checks.CheckState]:
    return checks.fold_checks(schoolfolder.journal(folder, "checks").entries())


def _concerns(folder: Path) -> dict[str, concerns.ConcernState]:
    return concerns.fold_concerns(schoolfolder.journal(folder, "concerns").entries())


def breach_list(folder: Path, waiting: bool = False) -> list[str]:
    """A line a breach: reference, part, place, category, first seen and block, what a person has said; `waiting`: no fix yet."""
    return [_breach_line(state) for state in _breaches(folder).values()
            if not state.purged and not (waiting and "fixed_on" in state.completed)]


def _breach_line(state: register.BreachState) -> str:
    body, fixed = state.summary, state.days_to_fix
    place = str(body["site"]).replace(".", "[.]")
    said = f"fixed in {fixed} days" if fixed is not None else state.completed.get("cause", "not completed")
    block = f"blocked {state.blocked_at[:16]}" if state.blocked_at else "no block seen"
    return (f"{state.ref}  {body['part']:13} {place}  {body['profile'] or body['method']}  {body['category']}  first seen "
            f"{(state.first_seen or '')[:16]}  {block}  {said}")


def breach_show(folder: Path, ref: str) -> list[str]:
    """One breach: what the night saw of it, day by day, and what people have said."""
    state = _one(_breaches(folder), ref, "breach", "schoolgate breach list")
    days = [f"{day}  worked {body['worked']}, {body['visits']} visits" for day, body in sorted(state.days.items())]
    said = [f"{name.replace('_', ' '):19} {state.completed.get(name, '-')}" for name in breaches.COMPLETED]
    life = [f"{event.at[:16]}  {event.kind} by {event.body['who']} ({event.body['role']}): {event.body['reason']}"
            for event in state.history]
    return [_breach_line(state), "", *days, "", *said, *([""] if life else []), *life]


def breach_complete(folder: Path, ref: str, reason: str, **about: str) -> str:
    """Complete a breach with what a person knows of it."""
    desk = _desk(folder, KEEPERS, "complete breaches")
    with rulefiles.entering(folder):
        state = _one(_breaches(folder), ref, "breach", "schoolgate breach list")
        results = {name: check.result for name, check in _checks(folder).items()}
        schoolfolder.journal(folder, "breaches").append(*breaches.complete(state, checks=results, **_by(desk, reason), **about))
    return _breach_line(_breaches(folder)[ref])


def check_plan(folder: Path, begins: str, ends: str, reason: str, login: str = "", address: str = "", **about: Any) -> str:
    """Register the window of a check before it begins; times are those of the school's clock. `login`, `address`: whose traffic
    it will be; they are kept as pseudonyms."""
    desk = _desk(folder, KEEPERS, "plan checks")
    zone = desk.rules.school.calendar.timezone
    about |= _traffic(desk, login, address)
    with rulefiles.entering(folder):
        ref = next(register.numbers("K", _checks(folder)))
        now = datetime.now(ZoneInfo("UTC"))
        schoolfolder.journal(folder, "checks").append(*checks.plan(ref, _moment(begins, zone), _moment(ends, zone), now,
                                                            **_by(desk, reason), **about))
    return f"{ref} is planned, {begins} to {ends}." + ("" if login.strip() or address.strip() else UNMATCHED)


def _traffic(desk: Desk, login: str, address: str) -> dict[str, str]:
    """The pseudonyms of the account and the address of a test; UsageError for the account of a pupil, who is no tester."""
    pupils = {login_key(person.username) for person in desk.rules.people if person.role == "student"}
    if login.strip() and login_key(login) in pupils:
        raise UsageError(Problem(login, "is a pupil's own account: nothing of a pupil's may pass for a test",
                                 "an account for tests"))
    key = load_keys(desk.folder / desk.rules.school.keys).pseudonym
    given = (("person", "p", login_key(login)), ("client", "d", client_key(address.strip())))
    return {name: pseudonym(key, letter, text) for name, letter, text in given if text}


def _moment(text: str, zone: str) -> datetime:
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
        except ValueError:
            continue
    raise UsageError(Problem(repr(text), "is no time of the school's clock", "2026-11-05 10:00"))


def check_record(folder: Path, ref: str, reason: str, results: Mapping[str, str], on: date | None = None,
                 **about: str) -> list[str]:
    """Record how a check went, and name the sealed items inside its window: a person links them, code does not."""
    desk = _desk(folder, KEEPERS, "record checks")
    with rulefiles.entering(folder):
        state = _one(_checks(folder), ref, "check", "schoolgate checks list")
        event = checks.record(state, results, on or desk.today, **_by(desk, reason), **about)
        schoolfolder.journal(folder, "checks").append(*event)
    near = [each.ref for each in casework.states_of(folder).values() if each.summary.get("tier") == "T0" and each.waiting
            and state.holds(datetime.fromisoformat(each.summary["started"]))]
    return [f"{ref} is recorded: {event[2]['result']}.", *(
        f"{item} is sealed and inside its window. If it was this check, the DSL or the Principal links it: schoolgate incident "
        f"dismiss {item} --code filter_check --check {ref} --reason \"...\"" for item in near)]


def check_done(folder: Path, ref: str, reason: str, on: date | None = None) -> str:
    """Say that the action of a check is done."""
    desk = _desk(folder, KEEPERS, "end checks")
    with rulefiles.entering(folder):
        state = _one(_checks(folder), ref, "check", "schoolgate checks list")
        schoolfolder.journal(folder, "checks").append(*checks.finish(state, on or desk.today, **_by(desk, reason)))
    return f"The action of {ref} is done."


def check_list(folder: Path) -> list[str]:
    """A line a check, and the matrix: when each device class, user group and site was last tested, and how it went."""
    desk, states = casework.sit(folder, needs_role=False), _checks(folder)
    lines = [_check_line(state, desk.today) for state in states.values() if state.state != "purged"]
    table = sorted(checks.matrix(states.values()).items())
    head = f"{'device':16} {'group':16} {'site':16} last tested"
    when = [f"{device:16} {group:16} {site:16} {said or 'never'}" for (device, group, site), said in table]
    return [*lines, "", head, *when] if lines else []


def _check_line(state: checks.CheckState, today: date) -> str:
    plan = state.plan
    late = f"  overdue since {state.due}" if state.state == "recorded" and state.action and state.due < str(today) else ""
    tests = ", ".join(f"{test} {result}" for test, result in state.tests.items()) or ", ".join(plan["tests"])
    todo = f"  action: {state.action} ({state.owner}, {state.due})" if state.action and state.state == "recorded" else ""
    seen = f"  seen: {checks.outcome(state)}" if state.seen else ""
    return (f"{state.ref}  {state.state:8} {plan['begins'][:16]}  {plan['device_class']}, {plan['user_group']}, {plan['site']}  "
            f"{tests}  {state.result}{todo}{late}{seen}").rstrip()


def concern_add(folder: Path, what: str, source: str, owner: str, day: date | None = None, incident: str = "") -> str:
    """Take in a concern: who looks after it, and until when whoever reported it is contacted (`[clocks] concern`)."""
    desk = _desk(folder, PASTORAL, "take in concerns")
    if incident:
        casework.found(casework.states_of(folder), incident)
    with rulefiles.entering(folder):
        ref = next(register.numbers("P", _concerns(folder)))
        came, clock = day or desk.today, desk.clocks.get("concern")
        due = None if clock is None else after(desk.rules.school.calendar, came, clock)
        event = concerns.add(ref, came, source, due, what=what, owner=owner, incident=incident, who=desk.who, role=desk.role)
        schoolfolder.journal(folder, "concerns").append(*event)
    return f"{ref} is for {owner}" + (f", who contacts them by {due}." if due else ".")


def concern_contacted(folder: Path, ref: str, reason: str, on: date | None = None) -> str:
    """Say that whoever reported a concern was contacted."""
    desk = _desk(folder, PASTORAL, "look after concerns")
    with rulefiles.entering(folder):
        state = _one(_concerns(folder), ref, "concern", "schoolgate concern list")
        schoolfolder.journal(folder, "concerns").append(*concerns.contacted(state, on or desk.today, **_by(desk, reason)))
    return f"{ref}: contacted."


def concern_done(folder: Path, ref: str, reason: str) -> str:
    """End a concern with its outcome."""
    desk = _desk(folder, PASTORAL, "look after concerns")
    with rulefiles.entering(folder):
        state = _one(_concerns(folder), ref, "concern", "schoolgate concern list")
        schoolfolder.journal(folder, "concerns").append(*concerns.done(state, **_by(desk, reason)))
    return f"{ref} is done."


def concern_list(folder: Path, overdue: bool = False) -> list[str]:
    """A line a concern, oldest first: who looks after it, what is due, and its incident."""
    desk = casework.sit(folder, needs_role=False)
    return [_concern_line(state, desk.today) for state in _concerns(folder).values()
            if state.state != "purged" and (not overdue or state.overdue(desk.today))]


def _concern_line(state: concerns.ConcernState, today: date) -> str:
    due = f"due {state.due}" if state.state == "open" and state.due else ""
    when = f"overdue since {state.due}" if state.overdue(today) else due
    done = f"contacted {state.contacted_on}" if state.contacted_on else when
    about = f"  {state.incident}" if state.incident else ""
    return f"{state.ref}  {state.state:9} {state.day}  {state.source:6} {state.owner}  {done}{about}".rstrip()
