"""What followed: actions outstanding and departures of confirmed incidents by row, checks of the filter, concerns of parents.

A part of a count that stands beside it is held to the threshold on both sides: what is left of the whole may not be small either.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from pipeline.pages.annual import PlaceRow, TestRow
from pipeline.pages.checks import RESULTS, capital, day, title, where
from pipeline.pages.leaders import Checks, Duty
from pipeline.pages.parts import Count, Plain, counted
from pipeline.periods import Period
from pipeline.policy import in_force
from pipeline.publishing.checking import checked, states
from pipeline.publishing.desk import Desk
from pipeline.publishing.figures import Figures
from pipeline.register import IncidentState
from pipeline.register.checks import PLACE
from pipeline.register.concerns import fold_concerns
from pipeline.register.tested import by_place

States = Sequence[IncidentState]


class Acted:
    """Actions of the confirmed incidents of one period, by row of table 7.2."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.confirmed = [s for s in figures.states() if s.verdict == "confirmed"]
        self.policies = {at: in_force(figures.desk.rules.policy, date.fromisoformat(at))
                         for at in {s.day for s in self.confirmed}}

    def outstanding(self, row: str, whole: Count) -> Count:
        """Incidents confirmed on a row with a definite action of it that is neither done nor departed from."""
        return self._part(row, "outstanding", whole, [s for s in self._of(row) if self._open(s, row)])

    def departed(self, row: str, whole: Count) -> Count:
        """Incidents confirmed on a row of which somebody departed from the table, with a reason."""
        return self._part(row, "departed", whole, [s for s in self._of(row) if s.departures])

    def kinds(self, rows: Collection[str]) -> tuple[Plain, ...]:
        """What was departed from on these rows: the actions, left out or added; the reasons stay with the incidents."""
        found = {self._kind(s, body["action"]) for row in rows for s in self._of(row) for body in s.departures}
        return tuple(Plain(kind) for kind in sorted(found))

    def _kind(self, state: IncidentState, action: str) -> str:
        policy = self.policies[state.day]
        definite = {each for row in state.rows if row in policy.sanctions for each in policy.sanctions[row].definite}
        return f"{policy.columns.get(action, action)}, {'left out' if action in definite else 'added'}"

    def _of(self, row: str) -> list[IncidentState]:
        return [s for s in self.confirmed if row in s.rows]

    def _open(self, state: IncidentState, row: str) -> bool:
        """Whether a definite action of a row is open; telling parents is a step of its own, and held is not forgotten."""
        policy = self.policies[state.day]
        parents = policy.more.get("parents", {}).get("column", "")
        settled = {body["action"] for body in (*state.actions, *state.departures)} | ({parents} if state.parents else set())
        return row in policy.sanctions and not settled.issuperset(policy.sanctions[row].definite)

    def _part(self, row: str, name: str, whole: Count, part: States) -> Count:
        """What may stand of a part beside its whole; else what stood before, for a number that goes would tell why."""
        ledger, all_of = self.figures.ledger, self._of(row)
        series, first, last = f"{row} {name}", self.figures.period.first, self.figures.until
        if whole.value != len(all_of):
            return counted(name, ledger.before(series, first, last) if part else 0)
        rest = [s for s in all_of if s not in part]
        return counted(name, ledger.part(series, first, last, _size(part), _size(rest)))


def _size(of: States) -> tuple[int, int]:
    """How many incidents, and of how many pupils."""
    return len(of), len({s.summary["subject"] for s in of})


# --- checks of the filter ---------------------------------------------------------------------------------------------


def checks(desk: Desk, period: Period) -> Checks:
    """How the checks of a period stand, in counts: they are of devices and places, not of people."""
    of = checked(desk, period)
    late = sum(place.late(of.every, of.at) for place in of.places)
    return Checks(len(of.checks), sum(check.result == "fail" for check in of.checks), len(of.missed), len(of.waiting),
                  len(of.places), sum(place.gap for place in of.places), late)


def next_check(desk: Desk, at: date) -> Duty:
    """When the next check of the filter is due: where it never was tested, now."""
    settings = desk.rules.school.checks
    places = by_place(states(desk), [tuple(getattr(place, name) for name in PLACE) for place in settings.places], at)
    dues = [place.on + timedelta(days=settings.every_days) for place in places if place.wanted and place.on]
    if any(place.gap for place in places) or not dues:
        return Duty(Plain("Next check of the filter"), Plain("due now: not every place has been tested"), True)
    return Duty(Plain("Next check of the filter"), Plain(f"due {day(min(dues))}"), min(dues) < at)


def tests(desk: Desk, period: Period) -> tuple[TestRow, ...]:
    """Each kind of test: how often in the period, when last, and how it went."""
    of = checked(desk, period)
    return tuple(TestRow(Plain(capital(title(test.of[0]))), sum(test.of[0] in check.tests for check in of.checks),
                         Plain(day(test.on) if test.on else "never"), Plain(RESULTS.get(test.result, "–")))
                 for test in of.tests)


def places(desk: Desk, period: Period) -> tuple[PlaceRow, ...]:
    """Each place that the settings name; others were typed by hand, and are counted only."""
    return tuple(PlaceRow(Plain(where(place.of)), Plain(day(place.on) if place.on else "never"),
                          Plain(RESULTS.get(place.result, "–")))
                 for place in checked(desk, period).places if place.wanted and desk.rules.school.checks.places)


# --- concerns ---------------------------------------------------------------------------------------------------------


def concerns(figures: Figures) -> tuple[Count, ...]:
    """Concerns that came in the period, by when whoever reported them was contacted."""
    known = fold_concerns(figures.desk.registers["concerns"].entries()).values()
    mine = [one for one in known if one.day and figures.period.holds(date.fromisoformat(one.day))]
    parts = {"Contacted in time": [one for one in mine if one.contacted_on and one.contacted_on <= (one.due or one.contacted_on)],
             "Contacted late": [one for one in mine if one.contacted_on and one.due and one.contacted_on > one.due],
             "Not contacted yet": [one for one in mine if not one.contacted_on]}
    return tuple(counted(label, figures.ledger.count(f"concerns: {label}", figures.period.first, figures.until, len(found)))
                 for label, found in parts.items())
