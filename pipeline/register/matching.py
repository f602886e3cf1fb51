"""Which reference a story takes when its day is judged again: the one with which it shares most detections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa

from pipeline.register.incidents import KEPT, IncidentState
from pipeline.register.words import Body, Event, kept, number, numbers

LOG = "log"
NEAR = timedelta(minutes=60)


def match_incidents(stories: pa.Table, states: Mapping[str, IncidentState], days: Iterable[date] = ()) -> list[Event]:
    """The events to append when `days` (and those of `stories`) have been judged: `opened`, `seen` and `gone`."""
    found = [kept(row, KEPT) for row in stories.to_pylist()]
    judged = {day.isoformat() for day in days} | {body["day"] for body in found}
    there = {ref: state for ref, state in states.items() if state.day in judged and not state.purged and state.source == LOG}
    pairs, merged = _pairs(found, there)
    fresh = numbers("I", states)
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
