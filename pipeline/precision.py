"""How often each rule was right, from what people decided: confirmed of looked at, over the last weeks.

A rule that stays wrong is proposed for watch: nothing is switched off by the program. Source: domain, false positives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.register import IncidentState

WEEKS = 4


@dataclass(frozen=True)
class Decision:
    """What came of one incident: its school day, its keys (rule|…), and whether a person confirmed or dismissed it; else ''."""

    day: date
    keys: tuple[str, ...]
    verdict: str


@dataclass(frozen=True)
class Record:
    """One rule over the last weeks: incidents it had a part in that a person looked at, those confirmed, and the weeks in which
    it was right too seldom, of those in which it was looked at."""

    rule: str
    looked_at: int
    confirmed: int
    weeks: int
    weeks_under: int

    @property
    def share(self) -> float:
        """Confirmed of looked at."""
        return self.confirmed / self.looked_at


def records(decisions: Iterable[Decision], until: date, least_share: float) -> list[Record]:
    """The rules that people looked at in the four weeks up to `until`, the least often right first."""
    since = until - timedelta(days=7 * WEEKS - 1)
    found: dict[str, dict[int, list[bool]]] = {}
    for one in decisions:
        if one.verdict and since <= one.day <= until:
            week = (one.day - since).days // 7
            for rule in {key.split("|", 1)[0] for key in one.keys}:
                found.setdefault(rule, {}).setdefault(week, []).append(one.verdict == "confirmed")
    return sorted((_record(rule, weeks, least_share) for rule, weeks in found.items()), key=lambda one: (one.share, one.rule))


def _record(rule: str, weeks: Mapping[int, list[bool]], least_share: float) -> Record:
    looked = [right for week in weeks.values() for right in week]
    under = sum(sum(week) / len(week) < least_share for week in weeks.values())
    return Record(rule, len(looked), sum(looked), len(weeks), under)


def proposals(found: Iterable[Record], watched: Collection[str], least_share: float, least: int) -> list[str]:
    """A sentence for each rule, not on watch, that was right too seldom in every one of the four weeks, and was looked at `least`
    times or more."""
    return [f"{one.rule}: {one.confirmed} of {one.looked_at} confirmed, under {least_share:.0%} in each of {WEEKS} weeks; "
            f"mend its [when] (schoolgate trial), or set watch = true in rules/detect/{one.rule}.toml"
            for one in found if one.weeks_under == WEEKS and one.looked_at >= least and one.rule not in watched]


def decisions(states: Iterable[IncidentState]) -> Iterator[Decision]:
    """What people decided of each incident: its last decision, unless it was opened again."""
    for state in states:
        if state.day and not state.purged:
            said = [kind for kind in state.kinds if kind in ("confirmed", "dismissed", "reopened")][-1:]
            verdict = said[0] if said and said[0] != "reopened" else ""
            yield Decision(date.fromisoformat(state.day), state.keys, verdict)
