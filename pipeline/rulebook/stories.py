"""The grammar of an example's lines: a visit in the manager's words.

    10:05 y9 playpark.example games allowed x12 lesson 3 for 20min 50MB crowd 2 after 300ms tunnel

Time, who (y7 to y13, or an actor; y9/b is somebody else), host, category, outcome; then, in any order, what `MORE` knows.
`at pc2` is another device; `on own` another network than the school's (own and guests are of people's own devices).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline.rulebook.vocabulary import ACTORS, OUTCOMES, UNITS
from pipeline.suggestions import offer

MORE: tuple[tuple[str, Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (r"x(\d+)", lambda m: {"requests": int(m[1])}),
    (r"for (\d+)min", lambda m: {"minutes": int(m[1])}),
    (r"(\d+)(KB|MB|GB) up", lambda m: {"bytes_out": int(m[1]) * UNITS[m[2]]}),
    (r"(\d+)(KB|MB|GB)", lambda m: {"bytes_in": int(m[1]) * UNITS[m[2]]}),
    (r"crowd (\d+)", lambda m: {"crowd": int(m[1])}),
    (r"slots (\d+)", lambda m: {"slots": int(m[1])}),
    (r"every (\d+)s", lambda m: {"step_s": int(m[1])}),
    (r"after (\d+)ms", lambda m: {"after_ms": int(m[1])}),
    (r"shows '([^']*)'", lambda m: {"notes": [m[1]]}),
    (r"at (\w+)", lambda m: {"client": m[1]}),
    (r"on (\w+)", lambda m: {"network": m[1]}),
    (r"tunnel", lambda m: {"kind": "tunnel"}),
    (r"(lesson|period) (\d)", lambda m: {"band": "lesson", "period": f"Period {m[2]}"}),
    (r"(before|after) school", lambda m: {"band": f"{m[1]}_school", "period": f"{m[1].title()} school"}),
    (r"(registration|break|lunch|study|closed)", lambda m: {"band": m[1], "period": m[1].title()}),
    (r"(within|against|conflict|not_evaluated)", lambda m: {"within": m[1]}),
)
START = re.compile(r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w* )?(\d\d?):(\d\d) ([\w/]+) (\S+) (\w+) (\w+)(?: (.*))?")
DAY = datetime(2026, 11, 3, tzinfo=UTC)
FORM = "10:05 y9 playpark.example games allowed x12"


def told(text: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What one line of an example says; or nothing, and each fault in it with what to write instead."""
    found = START.fullmatch(" ".join(text.split()))
    if found is None:
        return {}, [("is not time, who, host, category, outcome", FORM)]
    hour, minute, who, host, category, outcome, rest = found.groups()
    faults = list(_strange(hour, minute, who, outcome))
    more, odd = _further((rest or "").strip())
    faults += [(f"{odd!r} cannot be understood", "x12, for 20min, every 60s, 50MB, crowd 30, tunnel, lesson 3")] if odd else []
    if faults:
        return {}, faults
    return {"host": host, "category": category, "outcome": outcome, "who": who,
            "started": DAY.replace(hour=int(hour), minute=int(minute))} | more, []


def _strange(hour: str, minute: str, who: str, outcome: str) -> Iterator[tuple[str, str]]:
    if int(hour) > 23 or int(minute) > 59:
        yield f"{hour}:{minute} is no time", "10:05"
    plain = who.split("/", maxsplit=1)[0]
    if not re.fullmatch(r"y\d{1,2}", plain) and plain not in ACTORS:
        yield f"{plain!r} is nobody", offer(plain, ("y9", *ACTORS))
    if outcome not in (*OUTCOMES, "warned"):
        yield f"{outcome!r} is not an outcome", offer(outcome, OUTCOMES)


def _further(rest: str) -> tuple[dict[str, Any], str]:
    """What stands after the outcome, and the part of it from where it cannot be understood; empty when all can."""
    said: dict[str, Any] = {}
    while rest:
        part = next(((m, make) for form, make in MORE if (m := re.match(form + r"(?: |$)", rest))), None)
        if part is None:
            break
        said |= part[1](part[0])
        rest = rest[part[0].end():].strip()
    return said, rest
