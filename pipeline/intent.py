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
    "dwell_bytes": 5_000_000,  # both ways, over as many slots: more than one page, where a log shows host names alone
    "sites_tries": 3,  # tries of two sites or more of one category
    "gap_minutes": 10,  # how far "around it" reaches
    "own_tries": 5,  # tries of one visit that opened a burst: went on from page to page
    "tool_requests": 8,  # requests that went through a way round the filter: used
    "tool_minutes": 10,  # of one connection through it: used
    "few_tries": 2,  # no more than a page or two
    "bypass_then_same_minutes": 10,  # how soon a bypass tool follows
    "piece_requests": 10,  # requests that a piece of another page makes at most
    "loop_tries": 8,  # blocked tries in a row in equal steps
    "idle_tries": 12,  # tries of one day that a program makes
    "idle_hours": 6,  # different hours of that day
    "idle_bytes": 20_000,  # bytes in, a request
    "idle_span_hours": 11,  # hours from the first to the last of them
    "idle_far_hours": 5,  # different hours of a day so long
    "app_devices": 3,  # devices on which a program calls a host all day: then it is an app's host
    "app_bytes": 200_000,  # bytes in, a request, that an app fetches by itself
    "habit_days": 28,  # days before that are looked at
    "habit_tries": 20,  # tries of a site that teach something
    "habit_opened_percent": 10,  # of them that opened a burst, at most
    "habit_sites": 5,  # sites that set it off on one day
    "led_minutes": 10,  # after a teacher's visit in which a pupil's is with the class
    "led_pupils": 3,  # pupils of one year who come by one teacher's visit
    "room_people": 40,  # people of a network in a lesson that is a room
    "class_pupils": 15,  # pupils of one year who come together
    "class_minutes": 5,  # within which
    "test_categories": 4,  # kinds of blocked sites that one account asks for
    "test_minutes": 10,  # within which
    "test_blocked_percent": 80,  # of those requests were blocked
}


@dataclass(frozen=True)
class Facts:
    """What the log shows of one detection: counts only."""

    requests: int
    allowed: int
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
    near_opened: int = 0
    spreads: bool = False  # of a kind that people pass on, so that a crowd is no excuse
    tool: bool = False  # a way round the filter itself
    started: bool = False  # of a kind that a program does because somebody started it, so that even steps are no excuse
    blocks_before: int = 0
    longest_ms: int = 0
    tries: int = 1
    most_tries: int = 0
    opened: int = 1
    after_page: str = ""
    piece: bool = False
    brought: str = ""
    slip: str = ""
    step_s: int | None = None
    even_tries: int = 0
    day_tries: int = 0
    hours: int = 0
    span_hours: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


def number(numbers: Mapping[str, Any], name: str) -> int:
    """A number of intent.toml, or the one used where it is silent."""
    given = numbers.get(name)
    return NUMBERS[name] if given is None else int(getattr(given, "value", given))


def suggest(facts: Facts, numbers: Mapping[str, Any]) -> str:
    """What the log points to."""
    if facts.near_sites >= number(numbers, "several_sites") or facts.bypass or facts.near_searched:
        return "deliberate"
    crowded = facts.crowd >= number(numbers, "crowd_people") and not facts.spreads
    if crowded or is_machine(facts, numbers) or is_brought(facts, numbers):
        return "background"
    if any(shown(facts, numbers) for shown in (_retried, _stayed, _fetched, _went_on, _turned_to_others, _got_round)):
        return "deliberate"
    if _alone(facts) and _glanced(facts, numbers):
        return "accidental"
    return "unclear"


def is_slip(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """A glance at a site beside one of nearly the same name: a slip of the keyboard, or a name that lives by them."""
    return bool(facts.slip) and _alone(facts) and _brief(facts, numbers)


def is_machine(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """An open page or a program asks, and no person: a blocked page in equal steps, or check-ins all day long."""
    return not facts.started and (_loops(facts, numbers) or _idles(facts, numbers))


def _loops(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """A blocked page that loads itself again."""
    return facts.step_s is not None and facts.allowed == 0 and facts.even_tries >= number(numbers, "loop_tries")


def _idles(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Many tries over many hours, or some from early till late, a request or two each and nothing much in them."""
    often = facts.day_tries >= number(numbers, "idle_tries") and facts.hours >= number(numbers, "idle_hours")
    far = facts.span_hours >= number(numbers, "idle_span_hours") and facts.hours >= number(numbers, "idle_far_hours")
    return ((often or far) and facts.requests <= number(numbers, "few_requests") * max(1, facts.tries)
            and facts.bytes_in <= number(numbers, "idle_bytes") * facts.requests)


def is_brought(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Another page brought it along: nothing of it opened a burst, or it is a glance at what pages bring along."""
    if not _alone(facts):
        return False
    small = facts.requests <= number(numbers, "piece_requests")
    if facts.opened:
        return bool(facts.brought) and _brief(facts, numbers)
    return facts.piece or (bool(facts.brought) and small) or (_followed(facts, numbers) and _brief(facts, numbers))


def _alone(facts: Facts) -> bool:
    return facts.visits == 1 and facts.near_sites <= 1


def _brief(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    return facts.requests <= number(numbers, "few_requests")


def _followed(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    return facts.after_ms is not None and facts.after_ms <= number(numbers, "follow_ms")


def _retried(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Asked again and again after the block."""
    return facts.most_tries >= number(numbers, "retries")


def _stayed(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Came and stayed: more than one page, for longer than a glance."""
    return facts.slots >= number(numbers, "dwell_slots") and facts.allowed >= number(numbers, "dwell_requests")


def _went_on(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """From page to page: try after try opened a burst of its own, in no equal steps, and something went through."""
    own_pace = facts.step_s is None or facts.started
    return facts.allowed > 0 and own_pace and facts.opened >= number(numbers, "own_tries")


def _fetched(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """Stayed, as the bytes show: what a person opened, and more came or went than one page holds."""
    return (facts.allowed > 0 and facts.opened > 0 and facts.slots >= number(numbers, "dwell_slots")
            and facts.bytes_in + facts.bytes_out >= number(numbers, "dwell_bytes"))


def _turned_to_others(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """From site to site of one kind, and back or on: a link and its redirect make one try that nothing else set off."""
    return facts.near_sites > 1 and facts.near_opened >= number(numbers, "sites_tries")


def _got_round(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """A way round the filter that was used, or turned to straight after a block."""
    long = facts.longest_ms >= 60_000 * number(numbers, "tool_minutes")
    used = facts.allowed > 0 and (long or facts.allowed >= number(numbers, "tool_requests"))
    return facts.tool and (used or facts.blocks_before > 0)


def _glanced(facts: Facts, numbers: Mapping[str, Any]) -> bool:
    """A page or two, and left."""
    return facts.tries <= number(numbers, "few_tries") and (_brief(facts, numbers) or facts.slots <= 1)


def reasons(facts: Facts, title: str, numbers: Mapping[str, Any]) -> list[str]:
    """What the log shows, a short plain sentence each."""
    said = [_counts(facts, title)]
    if facts.near_searched:
        said.append(f"{facts.near_searched} search{'' if facts.near_searched == 1 else 'es'} for it among them")
    if not facts.started and _loops(facts, numbers):
        said.append(f"asked for {facts.even_tries} times in equal steps of {facts.step_s} seconds, "
                    "as a page left open does")
    elif not facts.started and _idles(facts, numbers):
        said.append(f"asked for {facts.day_tries} times that day in {facts.hours} different hours, a request or two each, "
                    "as a program does")
    elif _retried(facts, numbers):
        said.append("tried again after the block")
    if facts.tool and facts.blocks_before:
        blocks = f"{facts.blocks_before} blocked request{'' if facts.blocks_before == 1 else 's'}"
        said.append(f"within minutes of {blocks} for something else")
    if _went_on(facts, numbers) and not _stayed(facts, numbers):
        said.append(f"went on from page to page: {facts.opened} tries that nothing else set off")
    if _turned_to_others(facts, numbers) and facts.near_sites < number(numbers, "several_sites"):
        said.append(f"{facts.near_opened} tries at {facts.near_sites} sites that nothing else set off")
    if facts.bypass:
        said.append(f"{facts.bypass} in the next minutes")
    if _stayed(facts, numbers):
        said.append(f"{facts.allowed} requests went through, spread over {facts.slots} five-minute slots")
    elif _fetched(facts, numbers):
        moved = (facts.bytes_in + facts.bytes_out) // 1_000_000
        said.append(f"{moved} MB came and went, spread over {facts.slots} five-minute slots")
    return said + _company(facts) + _origin(facts, numbers)


def _company(facts: Facts) -> list[str]:
    """Who else came."""
    if facts.crowd <= 1:
        return []
    people = "1 other person" if facts.crowd == 2 else f"{facts.crowd - 1} other people"
    return [f"{people} came to the same site within a minute"]


def _origin(facts: Facts, numbers: Mapping[str, Any]) -> list[str]:
    """What it came from."""
    said = []
    if facts.after_page:
        said.append(f"{'a piece of' if facts.piece else 'came from'} a page of {facts.after_page}")
    if _followed(facts, numbers):
        said.append(f"began {facts.after_ms} ms after another visit")
    if facts.brought:
        said.append("a site that other pages bring along" + (", as earlier days show" if facts.brought == "habit" else ""))
    if is_slip(facts, numbers):
        said.append(f"a name like that of {facts.slip}, asked for within half a minute")
    return said


def _counts(facts: Facts, title: str) -> str:
    kind = "blocked " if facts.near_blocked == facts.near_requests else ""
    requests = f"{facts.near_requests} {kind}request{'' if facts.near_requests == 1 else 's'}"
    sites = f"{facts.near_sites} site{'' if facts.near_sites == 1 else 's'} ({title})"
    minutes = max(1, -(-facts.near_ms // 60000))
    some = f", {facts.near_blocked} of them blocked" if not kind and facts.near_blocked else ""
    return f"{requests} to {sites} in {minutes} minute{'' if minutes == 1 else 's'}{some}"
