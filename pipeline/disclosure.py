"""What may be printed of a count on a page that anyone may see, next to every page that was printed before.

A count from 1 to one under the threshold is never printed. No table that holds such a count has a total beside it, so within
one page there is nothing to subtract from. What is left is subtracting page from page: the year less two of its terms, this
week's page less last week's. Every count printed is therefore kept as a fact: its series (such as `IN-12 confirmed`), its first
and last day, its value. The facts of one series are the edges of a graph whose nodes are days: whatever a reader can work out
by adding and subtracting lies between two nodes that are joined. A new count may be printed only when nothing that becomes
known by it is a small number. Where it may not, what the same page last printed for a span that began the same day stands
again; so a page that is renewed night after night moves in steps of at least the threshold.

Counts that are the most of any one day (`most`) cannot be added or subtracted: they need only be large enough themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

Potentials = dict[date, tuple[int, int]]


@dataclass(frozen=True)
class Fact:
    """A count that stands on a page: its series, the first and last day it is of, how many, and how many people those are of."""

    page: str
    series: str
    first: date
    last: date
    value: int
    people: int

    @property
    def ends(self) -> tuple[date, date]:
        """The two nodes that it joins: the first day, and the day after the last."""
        return self.first, self.last + timedelta(days=1)

    @property
    def both(self) -> tuple[int, int]:
        """Value and people: both are held to the threshold."""
        return self.value, self.people


class Ledger:
    """The facts printed so far, and those that `page`, in the making, adds (`fresh`)."""

    def __init__(self, facts: Iterable[Fact], small: int, page: str = "") -> None:
        if small < 3:
            raise ValueError("small numbers are those under 3 at least")
        self.small, self.page = small, page
        self.fresh: list[Fact] = []
        self._of: Mapping[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            self._of[fact.series].append(fact)

    def count(self, series: str, first: date, last: date, value: int, people: int | None = None) -> int | None:
        """What may be printed of a count of `people` people (left out: the value is people); None: it is withheld."""
        new = Fact(self.page, series, first, last, value, value if people is None else people)
        if any(map(self._little, new.both)):
            return None
        return self._printed(new)

    def part(self, series: str, first: date, last: date, part: tuple[int, int], rest: tuple[int, int]) -> int | None:
        """What may be printed of a part (how many, people) of a count whose whole stands beside it.

        What is left can be worked out, on this page and against those before it: it is held to the threshold too.
        """
        new = Fact(self.page, series, first, last, *part)
        return self._printed(new, Fact(self.page, f"{series}: the rest", first, last, *rest))

    def _printed(self, new: Fact, *known: Fact) -> int | None:
        """The count of `new`, where it and whatever becomes known with it may stand; else what stood before."""
        facts = (new, *known)
        if any(self._little(count) for fact in facts for count in fact.both) or not all(
                self._allowed(self._of[fact.series], fact) for fact in facts):
            return self.before(new.series, new.first, new.last)
        for fact in facts:
            if not _same(_latest(self._of[fact.series]).get(fact.ends), fact):
                self._of[fact.series].append(fact)
                self.fresh.append(fact)
        return new.value

    def before(self, series: str, first: date, last: date) -> int | None:
        """What this page last printed of a series for a span that began the same day; None: nothing."""
        mine = [fact.value for fact in self._of[series] if (fact.page, fact.first) == (self.page, first) and fact.last <= last]
        return mine[-1] if mine else None

    def most(self, people: int) -> int | None:
        """What may be printed of the most people on any one day; None: it is withheld."""
        return None if self._little(people) else people

    def _little(self, count: int) -> bool:
        return 0 < abs(count) < self.small

    def _allowed(self, told: list[Fact], new: Fact) -> bool:
        """Whether nothing small can be worked out of the facts of one series once `new` is among them."""
        edges = _latest(told)
        if _same(edges.get(new.ends), new):
            return True
        same = [fact for fact in told if fact.ends == new.ends]
        if any(self._little(a - b) for fact in same for a, b in zip(fact.both, new.both, strict=True)):
            return False
        edges[new.ends] = new
        known = _potentials(edges, new.first)
        return not any(map(self._little, _derived(edges, known)))


def _same(old: Fact | None, new: Fact) -> bool:
    """Whether a fact says what is known already."""
    return old is not None and old.both == new.both


def _latest(told: Iterable[Fact]) -> dict[tuple[date, date], Fact]:
    """The latest fact of each span."""
    return {fact.ends: fact for fact in told}


def _potentials(edges: Mapping[tuple[date, date], Fact], start: date) -> Potentials:
    """For each day that is joined to `start`, the counts from there to it, along the facts."""
    near: dict[date, list[tuple[date, int, Fact]]] = defaultdict(list)
    for (a, b), fact in edges.items():
        near[a].append((b, 1, fact))
        near[b].append((a, -1, fact))
    known, walk = {start: (0, 0)}, [start]
    while walk:
        here = walk.pop()
        for there, sign, fact in near[here]:
            if there not in known:
                known[there] = (known[here][0] + sign * fact.value, known[here][1] + sign * fact.people)
                walk.append(there)
    return known


def _derived(edges: Mapping[tuple[date, date], Fact], known: Potentials) -> Iterator[int]:
    """Every number that can be worked out: of each span between two joined days, and by how much two ways to one differ."""
    days = sorted(known)
    for n, a in enumerate(days):
        for b in days[n + 1:]:
            yield from (known[b][k] - known[a][k] for k in (0, 1))
    for (a, b), fact in edges.items():
        if a in known and b in known:
            yield from (known[b][k] - known[a][k] - fact.both[k] for k in (0, 1))
