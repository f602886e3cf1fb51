"""What the log points to: deliberate, accidental, background or unclear, with counts. A suggestion, never a decision.

The numbers stand in `rules/intent.toml`, each with its reason; the ones here are used where that file is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBERS: dict[str, int] = {
    "crowd_people": 8,  # people who asked for one host in one minute
    "follow_ms": 2000,  # a visit that begins this soon after another was begun by that other page
    "few_requests": 2,  # no more than a glance
    "several_sites": 3,  # sites of one category
    "retries": 3,  # blocked requests in one visit: tried again after the block
    "dwell_slots": 2,  # five-minute slots with requests: stayed
    "dwell_requests": 20,  # requests that went through: more than one page with its pictures
    "gap_minutes": 10,  # how far "around it" reaches
    "bypass_then_same_minutes": 10,  # how soon a bypass tool follows
}


@dataclass(frozen=True)
class Facts:
    """What the log shows of one detection: counts only."""

    requests: int
    allowed: int
    most_blocked: int
    slots: int
    visits: int
    crowd: int
    after_ms: int | None
    near_sites: int
    near_requests: int
    near_blocked: int
    near_ms: int
    bypass: str
    near_searched: int = 0


def number(numbers: Mapping[str, Any], name: str) -> int:
    """A number of intent.toml, or the one used where it is silent."""
    given = numbers.get(name)
    return NUMBERS[name] if given is None else int(getattr(given, "value", given))


def suggest(facts: Facts, numbers: Mapping[str, Any]) -> str:
    """What the log points to."""
    several = facts.near_sites >= number(numbers, "several_sites")
    retried = facts.most_blocked >= number(numbers, "retries")
    brief = facts.visits == 1 and facts.requests <= number(numbers, "few_requests")
    followed = facts.after_ms is not None and facts.after_ms <= number(numbers, "follow_ms")
    crowded = facts.crowd >= number(numbers, "crowd_people")
    stayed = _stayed(facts, numbers)
    if several or facts.bypass or facts.near_searched:
        return "deliberate"
    if crowded or (brief and followed and facts.near_sites <= 1):
        return "background"
    if retried or stayed:
        return "deliberate"
    if facts.near_sites <= 1 and facts.visits == 1 and (brief or facts.slots <= 1):
        return "accidental"
    return "unclear"


def reasons(facts: Facts, title: str, numbers: Mapping[str, Any]) -> list[str]:
    """What the log shows, a short plain sentence each."""
    said = [_counts(facts, title)]
    if facts.most_blocked >= number(numbers, "retries"):
        said.append("tried again after the block")
    if facts.near_searched:
        said.append(f"{facts.near_searched} search{'' if facts.near_searched == 1 else 'es'} for it among them")
    if facts.bypass:
        said.append(f"{facts.bypass} in the next minutes")
    if _stayed(facts, numbers):
        said.append(f"{facts.allowed} requests went through, spread over {facts.slots} five-minute slots")
    if facts.crowd > 1:
        others = facts.crowd - 1
        people = "1 other person" if others == 1 else f"{others} other people"
        said.append(f"{people} asked for the same host in the same minute")
    if facts.after_ms is not None and facts.after_ms <= number(numbers, "follow_ms"):
        said.append(f"began {facts.after_ms} ms after another visit")
    return said


def _stayed(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Came and stayed: more than one page, for longer than a glance."""
    return facts.slots >= number(numbers, "dwell_slots") and facts.allowed >= number(numbers, "dwell_requests")


def _counts(facts: Facts, title: str) -> str:
    kind = "blocked " if facts.near_blocked == facts.near_requests else ""
    requests = f"{facts.near_requests} {kind}request{'' if facts.near_requests == 1 else 's'}"
    sites = f"{facts.near_sites} site{'' if facts.near_sites == 1 else 's'} ({title})"
    minutes = max(1, -(-facts.near_ms // 60000))
    some = f", {facts.near_blocked} of them blocked" if not kind and facts.near_blocked else ""
    return f"{requests} to {sites} in {minutes} minute{'' if minutes == 1 else 's'}{some}"
