"""The life of a breach of the filter: seen by the night on its days, blocked in the end, and completed by people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from pipeline.problems import Problem, UsageError
from pipeline.register.words import Body, Event, Happened, Written, changed, fold, kept, numbers, plain, signed

BREACH = ("key", "part", "site", "profile", "category", "method")
BREACH_DAY = ("day", "worked", "people", "visits", "first_seen", "last_seen", "first_blocked")
CAUSES = ("miscategorised", "uncategorised_default_allow", "profile_misapplied", "unfiltered_device", "off_site_agent_down",
          "decryption_off", "safe_search_off", "mandatory_list_failing", "logging_gap", "encrypted_blind_spot", "supplier_outage",
          "new_method")
COMPLETED = ("cause", "fix", "fixed_on", "provider_reference", "reported_on", "verified_by", "change")
LISTED = "sealed"  # the place of a breach in which the filter let illegal content through: it has no other name


@dataclass(frozen=True)
class BreachState:
    """A breach over all its days; times are ISO texts in UTC, or None."""

    ref: str
    key: str = ""
    summary: Body = field(default_factory=dict)          # what BREACH names
    days: Mapping[str, Body] = field(default_factory=dict)  # by day, what BREACH_DAY names; days still detected
    blocks: tuple[str, ...] = ()
    completed: Mapping[str, str] = field(default_factory=dict)  # what COMPLETED names, as people have said
    history: tuple[Happened, ...] = ()
    purged: bool = False

    @property
    def days_to_fix(self) -> int | None:
        """Days from the first sight of it to the day a person says it was fixed; None until then."""
        fixed = self.completed.get("fixed_on")
        return (date.fromisoformat(fixed) - date.fromisoformat(self.first_seen[:10])).days if fixed and self.first_seen else None

    @property
    def detected(self) -> bool:
        """Whether any day still shows it."""
        return bool(self.days)

    @property
    def first_seen(self) -> str | None:
        """The first time, over all days."""
        return min((body["first_seen"] for body in self.days.values() if body["first_seen"]), default=None)

    @property
    def last_seen(self) -> str | None:
        """The last time, over all days."""
        return max((body["last_seen"] for body in self.days.values() if body["last_seen"]), default=None)

    @property
    def blocked_at(self) -> str | None:
        """The first block after it was first seen."""
        times = [body["first_blocked"] for body in self.days.values() if body["first_blocked"]] + list(self.blocks)
        return min((at for at in times if self.first_seen is not None and at > self.first_seen), default=None)

    @property
    def people(self) -> int | None:
        """Most people of any one day; None where no number may be given."""
        return max((body["people"] for body in self.days.values() if body["people"] is not None), default=None)


def fold_breaches(entries: Iterable[Written]) -> dict[str, BreachState]:
    """Each breach by its reference."""
    return fold(entries, live_breach)


def live_breach(states: dict[str, BreachState], entry: Written) -> None:
    """Take one more entry into the breaches."""
    if entry.ref:
        states[entry.ref] = _breached(states.get(entry.ref) or BreachState(entry.ref), entry)


def _breached(state: BreachState, entry: Written) -> BreachState:
    body = entry.body
    if body is None or state.purged:
        return BreachState(state.ref, purged=True)
    if entry.kind in {"opened", "seen"}:
        of_day = {name: body[name] for name in BREACH_DAY}
        return changed(state, key=body["key"], summary={name: body[name] for name in BREACH},
                       days=dict(state.days) | {body["day"]: of_day})
    if entry.kind == "gone":
        return changed(state, days={day: seen for day, seen in state.days.items() if day != body["day"]})
    if entry.kind == "blocked":
        return changed(state, blocks=(*state.blocks, body["at"]))
    if entry.kind == "completed" and signed(body):
        given = {name: body[name] for name in COMPLETED if name in body}
        return changed(state, completed={**state.completed, **given},
                       history=(*state.history, Happened(entry.at, entry.kind, body)))
    return state


def match_breaches(breaches: pa.Table, states: Mapping[str, BreachState], days: Iterable[date] = (),
                   blocks: Mapping[str, Sequence[datetime]] | None = None) -> list[Event]:
    """The events to append when `days` have been judged; `blocks`: times of blocks by site or host, of any days.

    A site that was blocked overnight is only ever blocked from then on, so no row of `breaches` says so: `blocks` does.
    """
    found = [kept(row, BREACH + BREACH_DAY) for row in breaches.to_pylist()]
    judged = {day.isoformat() for day in days} | {body["day"] for body in found}
    refs = {state.key: ref for ref, state in states.items() if not state.purged}
    fresh, now = numbers("B", states), dict(states)
    events: list[Event] = []

    def add(kind: str, ref: str, body: Body) -> None:
        events.append((kind, ref, body))
        now[ref] = _breached(now.get(ref) or BreachState(ref), _Made(kind, ref, body))

    for body in found:
        ref = refs.get(body["key"])
        if ref is None:
            refs[body["key"]] = ref = next(fresh)
            add("opened", ref, body)
        elif not _same_day(now[ref], body):
            add("seen", ref, body)
    there = {(body["key"], body["day"]) for body in found}
    for ref, state in list(now.items()):
        for day in sorted(judged & set(state.days)):
            if (state.key, day) not in there:
                add("gone", ref, {"why": "no longer detected", "day": day})
    for ref, state in list(now.items()):
        if (at := _first_block(state, blocks or {})) is not None:
            add("blocked", ref, {"at": at})
    return events


@dataclass(frozen=True)
class _Made:
    """An event that is not in a journal yet."""

    kind: str
    ref: str
    body: Body
    at: str = ""


def _same_day(state: BreachState, body: Body) -> bool:
    return (state.days.get(body["day"]) == {name: body[name] for name in BREACH_DAY}
            and state.summary == {name: body[name] for name in BREACH})


def _first_block(state: BreachState, blocks: Mapping[str, Sequence[datetime]]) -> str | None:
    """The first block after it was first seen, when earlier than any known."""
    first, known = state.first_seen, state.blocked_at
    if first is None:
        return None
    times = [plain(at) for at in blocks.get(state.summary["site"], ())]
    later = min((at for at in times if at > first), default=None)
    return later if later is not None and (known is None or later < known) else None


def complete(state: BreachState, *, who: str, role: str, reason: str, checks: Mapping[str, str] | None = None,
             **about: str) -> Event:
    """The entry in which a person completes a breach: cause, fix and its day, supplier's reference, the check that verified it.

    `checks`: the result of each check there is. What is not given stays as it was; UsageError says what will not do.
    """
    given = {name: value.strip() for name, value in about.items() if name in COMPLETED and value.strip()}
    faults = ["has been purged"] if state.purged else []
    faults += [] if given else [f"needs something to complete: {', '.join(COMPLETED)}"]
    faults += [] if reason.strip() else ["needs a reason"]
    if given.get("cause", CAUSES[0]) not in CAUSES:
        faults.append(f"needs cause: {', '.join(CAUSES)}, not {given['cause']}")
    first = (state.first_seen or "")[:10]
    if given.get("fixed_on", first) < first:
        faults.append(f"cannot have been fixed on {given['fixed_on']}, before it was first seen on {first}")
    if "verified_by" in given and (checks or {}).get(given["verified_by"]) != "pass":
        faults.append(f"is verified by a check that passed, and {given['verified_by']} is none")
    if faults:
        raise UsageError(*(Problem(state.ref, fault) for fault in faults))
    return "completed", state.ref, {"who": who, "role": role, "reason": reason.strip()} | given
