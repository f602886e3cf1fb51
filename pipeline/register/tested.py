"""What has been tested of the filter, and what has not: the checks of the log laid out by place, and by what was tested.

A place is a device class, a user group and a site. The school names in `[checks]` the places that must be tested; where it names
none, every device class, group and site that stands in the log counts with every other, for a gap that nobody planned is still
a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from pipeline.register.checks import PLACE, TESTS, CheckState

CORE = ("illegal_csam_list", "terrorism_list", "adult")  # what every check must cover: DfE, filtering and monitoring standards
Place = tuple[str, ...]


@dataclass(frozen=True)
class Tested:
    """One place or one test: the check in which it was last tested, how that went, and whether it must be tested at all."""

    of: Place
    last: CheckState | None = None
    result: str = ""             # pass, fail or not_tested; empty where it never was tested
    wanted: bool = True
    planned: CheckState | None = None  # the next check planned there

    @property
    def on(self) -> date | None:
        """The day of its last test."""
        return date.fromisoformat(self.last.done_on) if self.last else None

    @property
    def gap(self) -> bool:
        """Whether it should have been tested, and never was."""
        return self.wanted and self.last is None

    def due(self, every: int) -> date | None:
        """The day on which it is to be tested again, `every` so many days; None where it never was tested."""
        return self.on + timedelta(days=every) if self.on else None

    def late(self, every: int, at: date) -> bool:
        """Whether it should have been tested again before `at`."""
        due = self.due(every)
        return self.wanted and due is not None and due < at


def place(of: CheckState) -> Place:
    """Where a check is, in one spelling."""
    return tuple(" ".join(str(of.plan[name]).split()).casefold() for name in PLACE)


def recorded(states: Iterable[CheckState], until: date) -> list[CheckState]:
    """The checks that were made up to a day, oldest first."""
    return sorted((s for s in states if s.plan and s.tests and s.done_on <= str(until)), key=lambda s: (s.done_on, s.ref))


def missed(states: Iterable[CheckState], at: date) -> list[CheckState]:
    """The checks whose window closed before `at`, and of which nothing was recorded."""
    return [s for s in states if s.state == "planned" and s.plan and s.plan["ends"][:10] < str(at)]


def waiting(states: Iterable[CheckState], at: date) -> list[CheckState]:
    """The checks that found something of which nobody has said by `at` that it is done."""
    return [s for s in recorded(states, at) if s.action and not (s.action_done and s.action_done <= str(at))]


def by_place(states: Sequence[CheckState], wanted: Iterable[Place], until: date) -> list[Tested]:
    """Each place with its last test up to a day: those that must be tested first, in the order of the settings."""
    must = {tuple(part.casefold() for part in each): tuple(each) for each in wanted}
    live = [s for s in states if s.plan and s.planned_at[:10] <= str(until)]
    seen: dict[Place, Place] = {}
    for check in live:
        seen.setdefault(place(check), tuple(str(check.plan[name]) for name in PLACE))
    every = {key: must.get(key) or seen[key] for key in (*must, *seen)} if must else _crossed(seen)
    last = {place(s): s for s in recorded(states, until)}
    coming = {place(s): s for s in reversed(live) if s.state == "planned" and s.plan["ends"][:10] >= str(until)}
    return [Tested(name, last.get(key), last[key].result if key in last else "", not must or key in must, coming.get(key))
            for key, name in every.items()]


def _crossed(seen: dict[Place, Place]) -> dict[Place, Place]:
    """Every device class, group and site with every other, each in its first spelling."""
    parts: list[dict[str, str]] = [{} for _ in PLACE]
    for key, name in seen.items():
        for part, word, said in zip(parts, key, name, strict=True):
            part.setdefault(word, said)
    return {key: tuple(part[word] for part, word in zip(parts, key, strict=True)) for key in product(*parts)}


def by_test(states: Iterable[CheckState], until: date) -> list[Tested]:
    """Each kind of test with the last check up to a day in which it passed or failed."""
    last = {test: s for s in recorded(states, until) for test, result in s.tests.items() if result != "not_tested"}
    return [Tested((test,), last.get(test), last[test].tests[test] if test in last else "") for test in TESTS]
