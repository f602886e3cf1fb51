"""What was found held against what was done: found, missed and false by category, intent, and who was wrongly named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SLACK = 120.0    # seconds by which a tunnel's end or a bell's edge may move the ends of a detection
SHORT = 7200.0   # an act shorter than this may be charged with a false naming of another category; a day-long one may not
NAMED = ("student", "welfare", "staff", "guest")   # routes of incidents that name a person
DSL = ("student", "welfare")
DEVICE = "tech"    # the route of what may be a device's matter, with nobody named


@dataclass(frozen=True)
class Label:
    """What somebody did: true, innocent or grey; times in UTC seconds. `lines`: how many lines of the log show it; `device`: the
    address at which it was done."""

    day: str
    who: str
    category: str
    began: float
    ended: float
    truth: str = "true"
    kind: str = ""
    intent: str = ""
    outcome: str = ""
    rows: tuple[str, ...] = ()
    route: str = ""
    also: tuple[str, ...] = ()
    lines: int = 0
    device: str = ""


@dataclass(frozen=True)
class Found:
    """One detection of the export that stands on an incident (`ref`)."""

    day: str
    who: str
    category: str
    began: float
    ended: float
    ref: str
    outcome: str = ""
    intent: str = ""
    rows: tuple[str, ...] = ()
    route: str = "student"

    @property
    def named(self) -> bool:
        """Whether it stands on an incident that names a person."""
        return bool(self.ref) and self.route in NAMED

    @property
    def unit(self) -> tuple[str, str, str, str]:
        """What a reader reads once: a category in one incident, however many rules say it."""
        return self.day, self.who, self.category, self.ref


@dataclass
class Tally:
    """One category's numbers. `true`: acts; `found`: those found; `right`, `false`: what was said, once an incident."""

    true: int = 0
    found: int = 0
    right: int = 0
    false: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was said, the share that is true; None when nothing was said."""
        return self.right / (self.right + self.false) if self.right + self.false else None

    @property
    def recall(self) -> float | None:
        """Of what is true, the share that was found; None when nothing is."""
        return self.found / self.true if self.true else None

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0 when either is nought or cannot be said."""
        both = (self.precision or 0.0), (self.recall or 0.0)
        return 2 * both[0] * both[1] / sum(both) if sum(both) else 0.0


@dataclass
class Score:
    """All that one run is measured by."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)         # intent, outcome, rows, route: found acts with an answer
    agreed: Counter[str] = field(default_factory=Counter)       # those of them on which the program agrees
    innocents: Counter[str] = field(default_factory=Counter)    # innocent acts, by kind
    wronged: Counter[str] = field(default_factory=Counter)      # those for which a person is named
    ordinary: int = 0                                           # false namings in traffic that nothing was planted in
    missed: list[Label] = field(default_factory=list)
    false: list[Found] = field(default_factory=list)
    blocked: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[int, int] = (0, 0)

    @property
    def macro_f1(self) -> float:
        """The mean of the F1 of every category in which something true was done; each weighs the same."""
        scores = [tally.f1 for tally in self.tallies.values() if tally.true]
        return sum(scores) / len(scores) if scores else 0.0


def meets(label: Label, found: Found) -> bool:
    """The same person, school day and time; what is told of a device alone is told of whoever was at it."""
    whose = label.who == found.who or (found.route == DEVICE and label.device == found.who)
    return (label.day == found.day and whose and found.began <= label.ended + SLACK
            and label.began <= found.ended + SLACK)


def score(labels: Sequence[Label], found: Iterable[Found]) -> Score:
    """Hold detections against labels."""
    result, near = Score(tallies=defaultdict(Tally)), defaultdict(list)
    for label in labels:
        for whose in {label.who, label.device}:
            near[label.day, whose].append(label)
        if label.truth == "true":
            result.tallies[label.category].true += 1
        if label.truth == "innocent":
            result.innocents[label.kind] += 1
    units: dict[tuple[str, str, str, str], list[Found]] = defaultdict(list)
    for one in found:
        if one.ref:
            units[one.unit].append(one)
    matched: dict[Label, list[Found]] = defaultdict(list)
    charged: set[Label] = set()
    for unit in units.values():
        _place(unit, near[unit[0].day, unit[0].who], result, matched, charged)
    for label in labels:
        if label.truth == "true":
            _settle(label, matched.get(label, []), result)
    result.wronged.update(label.kind for label in charged)
    return result


def _place(unit: list[Found], near: list[Label], result: Score, matched: dict[Label, list[Found]], charged: set[Label]) -> None:
    """Say of one unit whether it is right, fair, or false."""
    met = [(label, one) for label in near for one in unit if meets(label, one)]
    right = [(label, one) for label, one in met if label.truth == "true" and label.category == one.category]
    if right:
        result.tallies[unit[0].category].right += 1
        for label, one in right:
            matched[label].append(one)
        return
    if any(_fair(label, one) for label, one in met):
        return
    result.tallies[unit[0].category].false += 1
    result.false.append(unit[0])
    if not any(one.named for one in unit):
        return
    blamed = _blamed([(label, one) for label, one in met if label.truth == "innocent" and one.named])
    charged |= blamed
    result.ordinary += not blamed


def _fair(label: Label, one: Found) -> bool:
    """Whether it may be said beside what was done: another word for a true act, a grey one, or advice that names nobody."""
    if label.truth == "innocent":
        return one.category in label.also and not one.named
    return one.category in label.also or (label.truth == "grey" and label.category == one.category)


def _blamed(met: list[tuple[Label, Found]]) -> set[Label]:
    """The innocent acts that the person was named for: those of the category named, else short ones of that time."""
    alike = {label for label, one in met if label.category == one.category or _family(label.category) == _family(one.category)}
    return alike or {label for label, _ in met if label.ended - label.began < SHORT}


def _family(category: str) -> str:
    """Ways round the filter are taken for one another; nothing else is."""
    return "bypass" if category.startswith("bypass_") else category


def _settle(label: Label, found: list[Found], result: Score) -> None:
    """One true act: found or missed, and where found whether intent, outcome, rows and route agree."""
    if not found:
        result.missed.append(label)
        return
    result.tallies[label.category].found += 1
    best = max(found, key=lambda one: (min(one.ended, label.ended) - max(one.began, label.began), one.intent))
    outcomes = {one.outcome for one in found}
    outcome = outcomes.pop() if len(outcomes) == 1 else "mixed"
    answers = {"intent": (label.intent, best.intent == label.intent), "outcome": (label.outcome, outcome == label.outcome),
               "rows": (label.rows, set(label.rows) <= {row for one in found for row in one.rows}),
               "route": (label.route, best.route == label.route)}
    for name, (wanted, agrees) in answers.items():
        if wanted:
            result.said[name] += 1
            result.agreed[name] += agrees


def on_list(blocked: Iterable[tuple[str, str, float, bool]], found: Iterable[Found]) -> dict[str, int]:
    """Of the blocked hits (day, who, at, of a true act), how many stand on the DSL list: of all, and of those of no true act."""
    spans: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for one in found:
        if one.ref and one.route in DSL:
            spans[one.day, one.who].append((one.began - SLACK, one.ended + SLACK))
    counts = {"hits": 0, "listed": 0, "idle hits": 0, "idle listed": 0}
    for day, who, at, true in blocked:
        on = any(began <= at <= ended for began, ended in spans.get((day, who), ()))
        counts["hits"] += 1
        counts["listed"] += on
        counts["idle hits"] += not true
        counts["idle listed"] += on and not true
    return counts
