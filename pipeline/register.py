"""The life of incidents, breaches and changes, as folds of the events in their journals. Nothing here reads or writes.

Code writes that it saw something (`opened`, `seen`, `gone`, `blocked`); only `decide` and `explain`, which a person calls
by name and role, make the events that move an incident on or explain a change. A reference is allotted once, even when
what it stood for has been purged. A day that is judged again finds its references by the keys of the detections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from pipeline.problems import Problem, UsageError

Body = dict[str, Any]
State = TypeVar("State", "IncidentState", "BreachState", "ChangeState")
Event = tuple[str, str, Body]  # kind, reference, body: what a journal appends

CODE_KINDS = ("opened", "seen", "gone", "blocked")
PEOPLE_KINDS = ("confirmed", "dismissed", "reopened", "noted")
DISMISSALS = ("false_positive", "background", "authorised", "duplicate", "out_of_scope", "filter_check")
NEAR = timedelta(minutes=60)

# What the register keeps of a story; its reasons and visits stay in the lake, with the lake's shorter retention.
KEPT = ("day", "story", "keys", "subject", "person", "client", "actor", "year", "route", "tier", "started", "ended",
        "categories", "sites", "outcome", "intent", "rows", "questions", "visits", "requests")
BREACH = ("key", "part", "site", "profile", "category", "method")
CHANGE = ("object", "kind", "before", "after", "size", "mark")
BREACH_DAY = ("day", "worked", "people", "visits", "first_seen", "last_seen", "first_blocked")


class Written(Protocol):
    """What is read of a journal's entry."""

    @property
    def at(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def body(self) -> Body | None: ...


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
class Happened:
    """One thing in the life of a reference."""

    at: str
    kind: str
    body: Body


@dataclass(frozen=True)
class IncidentState:
    """An incident as its events leave it: `suspected`, `confirmed`, `dismissed`, or `purged`."""

    ref: str
    story: str = ""
    day: str = ""
    keys: tuple[str, ...] = ()
    summary: Body = field(default_factory=dict)   # what KEPT names, as last detected
    state: str = "suspected"
    detected: bool = False                        # False: no longer detected
    rows: tuple[str, ...] = ()                    # 7.2 rows: those confirmed; until then those it may be
    intent: str = ""                              # what the log points to; what the person decided once confirmed
    decided_by: str = ""
    decided_role: str = ""
    decided_at: str = ""
    reason: str = ""
    touched: bool = False                         # a person has acted on it
    keys_decided: tuple[str, ...] = ()            # what was known when it was decided
    history: tuple[Happened, ...] = ()

    @property
    def purged(self) -> bool:
        """Whether what it stood for has been erased; the reference stays taken."""
        return self.state == "purged"

    @property
    def added(self) -> tuple[str, ...]:
        """Detections that came after the decision: a person should look again."""
        return tuple(key for key in self.keys if key not in self.keys_decided) if self.decided_by else ()


def _with(state: State, /, **changes: Any) -> State:
    """`state` with some fields changed: `dataclasses.replace` without its checks, for this runs for every entry there is."""
    changed = object.__new__(type(state))
    changed.__dict__.update(state.__dict__, **changes)
    return changed


def fold_incidents(entries: Iterable[Written]) -> dict[str, IncidentState]:
    """Each incident by its reference, in the order of their opening."""
    states: dict[str, IncidentState] = {}
    for entry in entries:
        live_incident(states, entry)
    return states


def live_incident(states: dict[str, IncidentState], entry: Written) -> None:
    """Take one more entry into the incidents."""
    if entry.ref:
        states[entry.ref] = _lived(states.get(entry.ref) or IncidentState(entry.ref), entry)


def _lived(state: IncidentState, entry: Written) -> IncidentState:
    """The state after one more event."""
    if entry.body is None or state.purged:
        return IncidentState(state.ref, state="purged")
    now = _with(state, history=(*state.history, Happened(entry.at, entry.kind, entry.body)))
    if entry.kind in {"opened", "seen"}:
        return _seen(now, entry.body)
    if entry.kind == "gone":
        return _with(now, detected=False)
    if entry.kind in PEOPLE_KINDS and _signed(entry.body):
        return _decided(_with(now, touched=True), entry.kind, entry.at, entry.body)
    return now


def _seen(state: IncidentState, body: Body) -> IncidentState:
    now = _with(state, story=body["story"], day=body["day"], keys=tuple(body["keys"]), summary=body, detected=True)
    return now if state.decided_by else _with(now, rows=tuple(body["rows"]), intent=body["intent"])


def _decided(state: IncidentState, kind: str, at: str, body: Body) -> IncidentState:
    if kind == "noted":
        return state
    if kind == "reopened":
        return _with(state, state="suspected", decided_by="", decided_role="", decided_at="", reason="", keys_decided=(),
                       rows=tuple(state.summary.get("rows", ())), intent=state.summary.get("intent", ""))
    rows = tuple(body.get("rows", ())) if kind == "confirmed" else ()
    return _with(state, state=kind, decided_by=body["who"], decided_role=body["role"], decided_at=at, reason=body["reason"],
                   keys_decided=state.keys, rows=rows, intent=body.get("intent") or state.intent)


def _signed(body: Body) -> bool:
    return all(isinstance(body.get(word), str) and body[word].strip() for word in ("who", "role", "reason"))


def decide(state: IncidentState, kind: str, *, who: str, role: str, reason: str, allowed_roles: Collection[str],
           rows: Sequence[str] = (), known_rows: Collection[str] = (), intent: str = "", code: str = "") -> Event:
    """The event of a person's decision on an incident; UsageError says why it cannot be taken."""
    faults = list(_refused(state, kind, rows, known_rows, code))
    faults += [f"needs a {word}" for word, text in (("person", who), ("role", role), ("reason", reason)) if not text.strip()]
    if role.strip() and role not in allowed_roles:
        faults.append(f"may not be {kind} by the role {role} (may: {', '.join(sorted(allowed_roles)) or 'nobody'})")
    if faults:
        raise UsageError(*(Problem(state.ref, fault) for fault in faults))
    body: Body = {"who": who.strip(), "role": role, "reason": reason.strip()}
    if kind == "confirmed":
        body |= {"rows": list(dict.fromkeys(rows)), "intent": intent}
    elif kind == "dismissed":
        body["code"] = code
    return kind, state.ref, body


def _refused(state: IncidentState, kind: str, rows: Sequence[str], known: Collection[str], code: str) -> Iterator[str]:
    """Why this kind of decision cannot be taken on this incident as it stands."""
    if kind not in PEOPLE_KINDS:
        yield f"cannot be {kind}: a person's decisions are {', '.join(PEOPLE_KINDS)}"
    if state.purged:
        yield "has been purged"
    if kind in {"confirmed", "dismissed"} and state.state != "suspected":
        yield f"is {state.state} already; reopen it first"
    if kind == "reopened" and state.state == "suspected":
        yield "is open"
    student = state.summary.get("actor") == "student"
    if rows and not (kind == "confirmed" and student):
        yield "takes no row of table 7.2: only a student's confirmed incident does"
    if kind == "confirmed" and student and state.summary.get("route") == "student" and not rows:
        yield "needs the rows of table 7.2 that are confirmed"
    if known and (strange := [row for row in rows if row not in known]):
        yield f"names rows that table 7.2 does not have: {', '.join(strange)}"
    if code and (kind != "dismissed" or code not in DISMISSALS):
        yield f"does not take the code {code} (for a dismissal: {', '.join(DISMISSALS)})"


def match_incidents(stories: pa.Table, states: Mapping[str, IncidentState], days: Iterable[date] = ()) -> list[Event]:
    """The events to append when `days` (and those of `stories`) have been judged: `opened`, `seen` and `gone`."""
    found = [_kept(row, KEPT) for row in stories.to_pylist()]
    judged = {day.isoformat() for day in days} | {body["day"] for body in found}
    there = {ref: state for ref, state in states.items() if state.day in judged and not state.purged}
    pairs, merged = _pairs(found, there)
    fresh = _numbers("I", states)
    events: list[Event] = []
    for at, body in enumerate(found):
        if at not in pairs:
            events.append(("opened", next(fresh), body))
        elif not there[pairs[at]].detected or there[pairs[at]].summary != body:
            events.append(("seen", pairs[at], body))
    taken = set(pairs.values())
    events += [("gone", ref, {"why": "no longer detected", "day": state.day, "into": merged.get(ref, "")})
               for ref, state in there.items() if ref not in taken and state.detected]
    return events


def _pairs(found: Sequence[Body], there: Mapping[str, IncidentState]) -> tuple[dict[int, str], dict[str, str]]:
    """Reference by story, and for references that lost a shared story to another: that other."""
    scored = _exact(found, there)
    pairs = _greedy(scored, there, {})
    left = [at for at in range(len(found)) if at not in pairs]
    free = {ref: state for ref, state in there.items() if ref not in pairs.values()}
    pairs = _greedy(_near(found, left, free), there, pairs)
    merged: dict[str, str] = {}
    for _, ref, at in sorted(scored, key=lambda s: (-s[0], s[2])):
        if pairs.get(at, ref) != ref and ref not in pairs.values():
            merged.setdefault(ref, pairs[at])
    return pairs, merged


def _greedy(scored: Iterable[tuple[int, str, int]], there: Mapping[str, IncidentState],
            pairs: dict[int, str]) -> dict[int, str]:
    """References with a person's decision first, then most shared keys, then the lower reference, then the earlier story."""
    pairs = dict(pairs)
    taken = set(pairs.values())
    for _, ref, at in sorted(scored, key=lambda s: (not there[s[1]].touched, -s[0], number(s[1]), s[2])):
        if at not in pairs and ref not in taken:
            pairs[at] = ref
            taken.add(ref)
    return pairs


def _exact(found: Sequence[Body], there: Mapping[str, IncidentState]) -> list[tuple[int, str, int]]:
    """How many detections each reference shares with each story of its day, where any."""
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for ref, state in there.items():
        for key in set(state.keys):
            holders[state.day, key].append(ref)
    shared: dict[tuple[str, int], int] = defaultdict(int)
    for at, body in enumerate(found):
        for key in set(body["keys"]):
            for ref in holders.get((body["day"], key), ()):
                shared[ref, at] += 1
    return [(count, ref, at) for (ref, at), count in shared.items()]


def _near(found: Sequence[Body], left: Sequence[int], free: Mapping[str, IncidentState]) -> list[tuple[int, str, int]]:
    """For what shares no key: same subject, day and route, a shared rule|subject|site, and no more than the pause apart.

    Without the last, a dismissal of the morning could swallow an afternoon that nobody has seen.
    """
    homes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for ref, state in free.items():
        homes[_home(state.summary)].append(ref)
    scored = []
    for at in left:
        for ref in homes.get(_home(found[at]), ()):
            count = len(_stems(found[at]) & _stems(free[ref].summary))
            if count and _apart(found[at], free[ref].summary) <= NEAR:
                scored.append((count, ref, at))
    return scored


def _home(body: Body) -> tuple[str, ...]:
    return body["subject"], body["day"], body["route"]


def _stems(body: Body) -> set[str]:
    return {key.rsplit("|", 1)[0] for key in body["keys"]}


def _apart(one: Body, two: Body) -> timedelta:
    """How long passes between two stories; none or less when they overlap."""
    def at(body: Body, name: str) -> datetime:
        return datetime.fromisoformat(body[name])
    return max(at(one, "started") - at(two, "ended"), at(two, "started") - at(one, "ended"))


def references(states: Mapping[str, IncidentState]) -> dict[tuple[str, str], str]:
    """Reference by day (ISO) and story, of what is detected now: the way from a row of `incidents` to its state."""
    return {(state.day, state.story): ref for ref, state in states.items() if state.detected and not state.purged}


@dataclass(frozen=True)
class BreachState:
    """A breach over all its days; times are ISO texts in UTC, or None."""

    ref: str
    key: str = ""
    summary: Body = field(default_factory=dict)          # what BREACH names
    days: Mapping[str, Body] = field(default_factory=dict)  # by day, what BREACH_DAY names; days still detected
    blocks: tuple[str, ...] = ()
    purged: bool = False

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
    states: dict[str, BreachState] = {}
    for entry in entries:
        live_breach(states, entry)
    return states


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
        return _with(state, key=body["key"], summary={name: body[name] for name in BREACH},
                       days=dict(state.days) | {body["day"]: of_day})
    if entry.kind == "gone":
        return _with(state, days={day: seen for day, seen in state.days.items() if day != body["day"]})
    if entry.kind == "blocked":
        return _with(state, blocks=(*state.blocks, body["at"]))
    return state


def match_breaches(breaches: pa.Table, states: Mapping[str, BreachState], days: Iterable[date] = (),
                   blocks: Mapping[str, Sequence[datetime]] | None = None) -> list[Event]:
    """The events to append when `days` have been judged; `blocks`: times of blocks by site or host, of any days.

    A site that was blocked overnight is only ever blocked from then on, so no row of `breaches` says so: `blocks` does.
    """
    found = [_kept(row, BREACH + BREACH_DAY) for row in breaches.to_pylist()]
    judged = {day.isoformat() for day in days} | {body["day"] for body in found}
    refs = {state.key: ref for ref, state in states.items() if not state.purged}
    fresh, now = _numbers("B", states), dict(states)
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
    times = [_plain(at) for at in blocks.get(state.summary["site"], ())]
    later = min((at for at in times if at > first), default=None)
    return later if later is not None and (known is None or later < known) else None


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
    states: dict[str, ChangeState] = {}
    for entry in entries:
        live_change(states, entry)
    return states


def live_change(states: dict[str, ChangeState], entry: Written) -> None:
    """Take one more entry into the changes."""
    if entry.ref:
        states[entry.ref] = _changed(states.get(entry.ref) or ChangeState(entry.ref), entry)


def _changed(state: ChangeState, entry: Written) -> ChangeState:
    body = entry.body
    if body is None or state.purged:
        return ChangeState(state.ref, purged=True)
    if entry.kind == "opened":
        return _with(state, opened_at=entry.at, **{name: body[name] for name in CHANGE})
    if entry.kind == "explained":
        return _with(state, who=body["who"], why=body["why"], approver=body["approver"], explained_at=entry.at)
    return state


def open_changes(changes: Iterable[Difference], states: Mapping[str, ChangeState]) -> list[Event]:
    """An `opened` event for each change that is not the last one known of its object (a night cut short sees it twice)."""
    last = {state.object: state for state in states.values() if not state.purged}
    fresh = _numbers("C", states)
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


def number(ref: str) -> int:
    """The number of a reference such as I-0001."""
    return int(ref.rpartition("-")[2])


def _numbers(letter: str, states: Iterable[str]) -> Iterator[str]:
    """References never yet allotted."""
    last = max((number(ref) for ref in states), default=0)
    while True:
        last += 1
        yield f"{letter}-{last:04d}"


def _kept(row: Mapping[str, Any], names: Iterable[str]) -> Body:
    """What the register keeps of a row, in words that JSON has."""
    return {name: _plain(row[name]) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
