"""The log of concerns that parents and others report (clause 9.1): who looks after each, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipeline.problems import Problem, UsageError
from pipeline.register.words import Event, Happened, Written, changed, fold, signed

FROM = ("parent", "pupil", "staff", "other")


@dataclass(frozen=True)
class ConcernState:
    """A concern as its entries leave it: open, contacted, done, or purged."""

    ref: str
    state: str = "open"
    day: str = ""
    source: str = ""
    what: str = ""
    owner: str = ""
    due: str = ""
    incident: str = ""
    contacted_on: str = ""
    outcome: str = ""
    history: tuple[Happened, ...] = ()

    def overdue(self, today: date) -> bool:
        """Whether whoever reported it should have been contacted before `today`."""
        return self.state == "open" and bool(self.due) and self.due < str(today)


def fold_concerns(entries: Iterable[Written]) -> dict[str, ConcernState]:
    """Each concern by its reference."""
    return fold(entries, _live)


def _live(states: dict[str, ConcernState], entry: Written) -> None:
    if entry.ref:
        states[entry.ref] = _lived(states.get(entry.ref) or ConcernState(entry.ref), entry)


def _lived(state: ConcernState, entry: Written) -> ConcernState:
    if entry.body is None or state.state == "purged":
        return ConcernState(state.ref, state="purged")
    now, body = changed(state, history=(*state.history, Happened(entry.at, entry.kind, entry.body))), entry.body
    if not signed(body):
        return now
    if entry.kind == "added":
        return changed(now, day=body["day"], source=body["source"], what=body["reason"], owner=body["owner"], due=body["due"],
                       incident=body["incident"])
    if entry.kind == "contacted":
        return changed(now, state="contacted", contacted_on=body["on"])
    if entry.kind == "done":
        return changed(now, state="done", outcome=body["reason"])
    return now


def add(ref: str, day: date, source: str, due: date | None, *, what: str, owner: str, incident: str = "", who: str,
        role: str) -> Event:
    """The entry of a concern as it came in."""
    faults = [] if source in FROM else [f"needs source: {', '.join(FROM)}"]
    faults += [f"needs {word}" for word, text in (("what was said", what), ("an owner", owner)) if not text.strip()]
    _must(ref, faults)
    return "added", ref, {"who": who, "role": role, "reason": what.strip(), "day": str(day), "source": source,
                          "owner": owner.strip(), "due": str(due or ""), "incident": incident}


def contacted(state: ConcernState, on: date, *, who: str, role: str, reason: str) -> Event:
    """The entry that says whoever reported it was contacted."""
    faults = [] if state.state == "open" else [f"is {state.state} already"]
    faults += [f"cannot be contacted on {on}, before it was reported"] if state.day and str(on) < state.day else []
    _must(state.ref, faults + ([] if reason.strip() else ["needs what was said"]))
    return "contacted", state.ref, {"who": who, "role": role, "reason": reason.strip(), "on": str(on)}


def done(state: ConcernState, *, who: str, role: str, reason: str) -> Event:
    """The entry that ends a concern; whoever reported it has been contacted before."""
    why_not = {"contacted": [], "open": ["is done only after whoever reported it was contacted"]}
    faults = why_not.get(state.state, [f"is {state.state} already"])
    _must(state.ref, faults + ([] if reason.strip() else ["needs the outcome"]))
    return "done", state.ref, {"who": who, "role": role, "reason": reason.strip()}


def _must(ref: str, faults: Iterable[str]) -> None:
    problems = [Problem(ref, fault) for fault in faults]
    if problems:
        raise UsageError(*problems)
