"""What the pages for leaders and for governors are both made of: the measures they share, and how a block ends.

Every type here is `Nameless`: its texts have been through `anonymous`, and it holds no name, login, address or search term.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.pages.parts import Count, Grid, Nameless, Plain
from pipeline.pages.wording import hours, number, several, titled

ACTION = Plain("No action.")
DECIDE = "Decision needed: "


@dataclass(frozen=True)
class Trust(Nameless):
    """Whether the numbers can be trusted: school days heard, and the shares of traffic that name a person and show a page."""

    school_days: int
    days_heard: int
    days_with_gaps: int
    attributed: float | None
    paged: float | None
    silent_days: tuple[date, ...]
    drops: tuple[date, ...]
    quiet_networks: tuple[Plain, ...]


@dataclass(frozen=True)
class Failures(Nameless):
    """Filter failures of one category: how many, how many still open, median hours to a block."""

    what: Plain
    count: int
    still_open: int
    median_hours: float | None


@dataclass(frozen=True)
class Way(Nameless):
    """One way round the filter: hosts, those that worked, people on the busiest day, still open, median hours to a block."""

    method: Plain
    hosts: int
    worked: int
    people: Count
    still_open: int
    median_hours: float | None


@dataclass(frozen=True)
class Question(Nameless):
    """A point on which the policy can be read two ways, and how many visits it touched."""

    id: Plain
    text: Plain
    readings: tuple[Plain, ...]
    default: Plain
    owner: Plain
    effect: Count


@dataclass(frozen=True)
class Duty(Nameless):
    """Something owed: what, when, and whether it is late."""

    what: Plain
    due: Plain
    late: bool


@dataclass(frozen=True)
class Health(Nameless):
    """What was done to the filter: changes by kind, those without a reason, entries of the school's own list past their date."""

    changes: tuple[tuple[Plain, int], ...]
    without_reason: int
    expired: int


@dataclass(frozen=True)
class Checks(Nameless):
    """Checks of the filter: made, failed, not made, actions that wait; places, those never tested, and those due again."""

    made: int
    failed: int
    missed: int
    waiting: int
    places: int
    never: int
    late: int

    @property
    def told(self) -> str:
        """In a sentence."""
        said = f"Checks of the filter: {self.made} made, {self.failed} with a failure, {self.missed} planned and not made. "
        return said + (f"Of {several(self.places, 'place')} to test, {self.never} never tested and {self.late} due again."
                       if self.places else "No place to test is named.")


def ended(blocks: Iterable[str], asked: Mapping[str, str]) -> dict[str, str]:
    """How each block ends: with the one decision that is asked for in it, or with none."""
    return {name: DECIDE + asked[name] if asked.get(name) else ACTION for name in blocks}


def decided(asked: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The decisions asked for, each with its block."""
    return tuple((name, text) for name, text in asked.items() if text)


def failures_grid(failures: Sequence[Failures]) -> Grid:
    """Filter failures as a table."""
    return Grid("What the filter let through where it is meant to block, one a site and profile",
                ("Category", "How many", "Not blocked yet", "Median hours to a block"),
                tuple((titled(row.what), number(row.count), number(row.still_open), hours(row.median_hours)) for row in failures),
                frozenset({1, 2, 3}))
