"""The life of a change of rules, lists or settings: found by the night, explained by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pipeline.problems import Problem, UsageError
from pipeline.register.words import Event, Written, changed, fold, numbers

CHANGE = ("object", "kind", "before", "after", "size", "mark")


class Difference(Protocol):
    """What is read of a change."""

    @property
    def object(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mark(self) -> str: ...


@dataclass(frozen=True)
class ChangeState:
    """A change of rules, lists or settings, and who made it, why and with whose approval, once a person has said so."""

    ref: str
    opened_at: str = ""
    object: str = ""
    kind: str = ""
    before: str = ""
    after: str = ""
    size: int = 0
    mark: str = ""       # of what the file held after it
    who: str = ""
    why: str = ""
    approver: str = ""
    explained_at: str = ""
    purged: bool = False

    @property
    def explained(self) -> bool:
        """Whether a person has said who and why; until then it was changed without a reason."""
        return bool(self.explained_at)


def fold_changes(entries: Iterable[Written]) -> dict[str, ChangeState]:
    """Each change by its reference."""
    return fold(entries, live_change)


def live_change(states: dict[str, ChangeState], entry: Written) -> None:
    """Take one more entry into the changes."""
    if entry.ref:
        states[entry.ref] = _changed(states.get(entry.ref) or ChangeState(entry.ref), entry)


def _changed(state: ChangeState, entry: Written) -> ChangeState:
    body = entry.body
    if body is None or state.purged:
        return ChangeState(state.ref, purged=True)
    if entry.kind == "opened":
        return changed(state, opened_at=entry.at, **{name: body[name] for name in CHANGE})
    if entry.kind == "explained":
        return changed(state, who=body["who"], why=body["why"], approver=body["approver"], explained_at=entry.at)
    return state


def open_changes(changes: Iterable[Difference], states: Mapping[str, ChangeState]) -> list[Event]:
    """An `opened` event for each change that is not the last one known of its object (a night cut short sees it twice)."""
    last = {state.object: state for state in states.values() if not state.purged}
    fresh = numbers("C", states)
    events: list[Event] = []
    for change in changes:
        body = {name: getattr(change, name) for name in CHANGE}
        known = last.get(change.object)
        if known is None or any(getattr(known, name) != value for name, value in body.items()):
            events.append(("opened", next(fresh), body))
    return events


def explain(state: ChangeState, *, who: str, why: str, approver: str) -> Event:
    """The event of a person saying who made a change, why, and who approved it."""
    faults = [f"needs {word}" for word, text in (("who made it", who), ("why", why), ("who approved it", approver))
              if not text.strip()]
    if state.purged:
        faults.append("has been purged")
    if faults:
        raise UsageError(*(Problem(state.ref, fault) for fault in faults))
    return "explained", state.ref, {"who": who.strip(), "why": why.strip(), "approver": approver.strip()}
