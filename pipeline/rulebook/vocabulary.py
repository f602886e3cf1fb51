"""The words of `[when]` and the signals: the SQL that each stands for, a sentence about it, and what it may hold.

The README of `rules/` is printed from here.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pipeline.signals.acts import ACTS

ACTORS = ("student", "staff", "technical_staff", "governor", "guest", "shared", "unknown")
BANDS = ("lesson", "registration", "break", "lunch", "before_school", "after_school", "study", "closed")
OUTCOMES = ("blocked", "allowed", "mixed")
WITHIN = ("within", "against", "conflict", "not_evaluated")
KINDS = ("tunnel", "page")
ADDRESSES = ("shows", "plain")
TIERS = ("T0", "T1", "T2", "T3", "T4", "TS", "none")
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


class Word(NamedTuple):
    """A word of `[when]`: the SQL it stands for, a sentence about it, and what it may hold (none: a number)."""

    condition: str
    sentence: str
    holds: tuple[str, ...] | None = None


VOCABULARY: dict[str, Word] = {
    "actor": Word("v.actor IN ({})", "by {}", ACTORS),
    "band": Word("v.band IN ({})", "in {}", BANDS),
    "outcome": Word("d.outcome IN ({})", "the filter: {}", OUTCOMES),
    "within": Word("d.within IN ({})", "against the policy at that time: {}", WITHIN),
    "tier": Word("d.tier IN ({})", "of tier {}", TIERS),
    "kind": Word("CASE WHEN v.tunnels > 0 THEN 'tunnel' ELSE 'page' END IN ({})", "as {}", KINDS),
    "address": Word("CASE WHEN len(v.notes) > 0 THEN 'shows' ELSE 'plain' END IN ({})", "an address that {} more than its host",
                    ADDRESSES),
    "bytes_in_over": Word("v.bytes_in > {}", "more than {} came in"),
    "bytes_out_over": Word("v.bytes_out > {}", "more than {} went out"),
    "minutes_over": Word("epoch_us(v.ended) - epoch_us(v.started) > {} * 60000000", "for more than {} minutes"),
    "requests_over": Word("v.requests > {}", "more than {} requests of its own"),
    "slots_over": Word("v.slots > {}", "in more than {} five-minute slots"),
    "crowd_under": Word("v.crowd < {}", "fewer than {} people on it in one minute"),
    "chosen_ms": Word("(v.after_ms IS NULL OR v.after_ms > {} OR v.opened > 0 OR v.searched > 0 OR v.requests > 3)",
                      "not set off by another page within {} milliseconds, or asked for again later, or searched for, or more "
                      "than 3 requests of its own"),
}
TIMES = "times"
WORDS = (*VOCABULARY, TIMES)

SIGNALS: dict[str, Word] = {
    "filter_failure": Word("d.failure AND v.allowed >= {requests}", "let through where the filter is meant to block"),
}
SIGNALS |= {name: Word("true", act.sentence) for name, act in ACTS.items()}  # these are told of several visits together
NUMBERS = {"filter_failure": ("requests",)} | {name: act.numbers for name, act in ACTS.items()}


def amount(said: Any) -> float | None:
    """A number, or a size such as "50MB"; None where it is neither."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return said
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(KB|MB|GB)", str(said))
    return int(float(found[1]) * UNITS[found[2]]) if found else None


def many(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
