"""The registers of a school folder as the night uses them: each journal read once, each entry folded once.

Three years of a school are tens of thousands of entries; a night that folded them for every day and every page would
spend its time on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pipeline import checking, register
from pipeline.chain import Entry, parsed, uncollected
from pipeline.disclosure import Fact
from pipeline.hosts import sites
from pipeline.journal import Folded, Journal
from pipeline.kept import Key, Kind, Tape, load, save, version
from pipeline.lake import Lake
from pipeline.register import checks
from pipeline.tables import BREACHES, INCIDENTS, VERDICTS, VISITS

FOLD = Kind("fold", version("pipeline.chain", "pipeline.register.incidents", "pipeline.register.past",
                            "pipeline.register.standing", "pipeline.register.words"))
MANY = 2000  # entries folded in a fifth of a second: fewer are folded again rather than kept


class Incidents:
    """The register of incidents as it stands: each entry folded once, and most of them by an earlier process (`kept`).

    `key`: the key that kept files are marked by; without one nothing is kept.
    """

    def __init__(self, journal: Journal, key: Key | None = None) -> None:
        self._journal, self._key = journal, key
        self._begin()

    def _begin(self) -> None:
        self._tape, self._new = Tape(self._journal), 0
        with uncollected():
            parts = load(self._tape, FOLD, self._key) if self._key else None
            self._standing = register.unpack(parts, self._tape.line) if parts else register.Standing()

    def now(self) -> register.Standing:
        """Each incident by its reference, after every entry there is. Read it only."""
        if not self._tape.current():
            self._begin()
        with uncollected():
            for begin, line in self._tape.lines():
                self._new += 1
                if entry := parsed(line):
                    self._standing.step(entry, begin, len(line))
        if self._key and self._new >= MANY:
            save(self._tape, FOLD, self._key, self._standing.pack())
            self._new = 0
        return self._standing


@dataclass
class Issued:
    """What the register of pages comes to: the last entry of each page, and every count that was printed where all may see it."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


class Registers(dict[str, Journal]):
    """The journals of a school folder by name, and what five of them come to: read the states, never change them."""

    def __init__(self, journals: Mapping[str, Journal], key: Key | None = None) -> None:
        super().__init__(journals)
        self._incidents = Incidents(self["incidents"], key)
        self._breaches = Folded[dict[str, register.BreachState]](self["breaches"], dict, register.live_breach)
        self._changes = Folded[dict[str, register.ChangeState]](self["changes"], dict, register.live_change)
        self._checks = Folded[dict[str, checks.CheckState]](self["checks"], dict, checks.live_check)
        self._issued = Folded[Issued](self["pages"], Issued, _issue)

    def incidents(self) -> register.Standing:
        """Each incident by its reference."""
        return self._incidents.now()

    def breaches(self) -> dict[str, register.BreachState]:
        """Each breach by its reference."""
        return self._breaches.now()

    def changes(self) -> dict[str, register.ChangeState]:
        """Each change by its reference."""
        return self._changes.now()

    def checks(self) -> dict[str, checks.CheckState]:
        """Each check of the filter by its reference."""
        return self._checks.now()

    def issued(self) -> Issued:
        """The pages issued."""
        return self._issued.now()


def _issue(issued: Issued, entry: Entry) -> None:
    """Take one more entry into the pages issued."""
    if entry.body is None or entry.kind != "issued":
        return
    issued.pages[entry.ref] = {name: value for name, value in entry.body.items() if name != "facts"}
    issued.facts += [Fact(entry.ref, series, date.fromisoformat(first), date.fromisoformat(last), value, people)
                     for series, first, last, value, people in entry.body.get("facts", ())]


def enter(registers: Registers, lake: Lake, days: Sequence[date]) -> None:
    """Bring the registers up to these days as they are judged now; adds nothing when they are."""
    if not days:
        return
    stories, rows = lake.table(INCIDENTS, days), lake.table(BREACHES, days)
    registers["incidents"].append_all(register.match_incidents(stories, registers.incidents(), days))
    names = {state.summary["site"] for state in registers.breaches().values() if state.detected}
    blocks = blocks_of(lake, names | set(rows["site"].to_pylist()), min(days))
    registers["breaches"].append_all(register.match_breaches(rows, registers.breaches(), days, blocks))
    registers["checks"].append_all(_seen(registers.checks(), lake, days))


def _seen(states: Mapping[str, checks.CheckState], lake: Lake, days: Sequence[date]) -> list[register.Event]:
    """What these days show of the checks of the filter: of those near them, so that most nights read nothing."""
    events = []
    for day in days:
        near = [state for state in states.values() if str(day) in state.seen or (state.plan and _near(state, day))]
        if near:
            found = checking.seen(lake.table(VISITS, [day]), lake.table(VERDICTS, [day]), [state.ref for state in near])
            events += [event for state in near for event in checks.saw(state, day, found.get(state.ref, {}))]
    return events


def _near(state: checks.CheckState, day: date) -> bool:
    """Whether a window touches a day or its neighbours, whatever the zone of the school's clock."""
    begins, ends = (datetime.fromisoformat(state.plan[name]).date() for name in ("begins", "ends"))
    return begins - timedelta(days=1) <= day <= ends + timedelta(days=1)


def blocks_of(lake: Lake, names: Iterable[str], since: date) -> dict[str, list[datetime]]:
    """When the site of each of these sites or hosts was blocked, on the judged days from `since` on.

    Earlier days have said their blocks when they were entered: a night reads the visits of its own days only, and a log
    that arrives late those of the days after it too.
    """
    site_of = sites(names)
    times = lake.blocked(set(site_of.values()), [day for day in lake.judged() if day >= since])
    return {name: times[site] for name, site in site_of.items() if site in times}
