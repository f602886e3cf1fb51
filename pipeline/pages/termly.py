"""The termly summary for senior leaders: twelve blocks, each of which ends with a decision to take or with none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.pages.charts import Bars, Picture, Trend
from pipeline.pages.leaders import decided, ended, failures_grid
from pipeline.pages.parts import Count, Grid, Service
from pipeline.pages.termdecisions import decisions
from pipeline.pages.termfigures import TermFigures
from pipeline.pages.wording import hours, long_day, number, percent, sentence, short, titled

BLOCKS = {"trust": "Can we trust this term’s numbers?", "numbers": "Five numbers", "rows": "Incidents by row of the policy",
          "where": "Where and when", "years": "By year group", "repeats": "Repeat cases", "filter": "Filter health",
          "overblocking": "Over-blocking", "new": "New this term", "questions": "Where the policy can be read two ways",
          "duties": "Duties", "limits": "What this cannot see"}


@dataclass(frozen=True)
class TermlyPage(TermFigures):
    """The figures of a term laid out in blocks, tables and pictures."""

    @property
    def day(self) -> str:
        """What of the term it covers."""
        if self.until >= self.last:
            return f"{self.term}: {long_day(self.first)} to {long_day(self.last)}"
        return f"{self.term}: {long_day(self.first)} to {long_day(self.until)}, so far"

    @property
    def blocks(self) -> dict[str, str]:
        """The heading of each block."""
        return BLOCKS

    @property
    def tables(self) -> dict[str, Grid]:
        """Its tables by name; the CSV files beside the page."""
        return {"trust": self._trust(), "numbers": self._numbers(), "rows": self._rows(), "triage": _counts(
            "School days until an incident was decided", "School days", "Incidents", self.triage), "times": self.times.grid,
            "networks": _counts("Pupils with a visit against the policy, on the busiest day", "Network", "Pupils", self.networks),
            "weeks": self._weeks(), "years": self.years.grid, "failures": failures_grid(self.failures), "ways": self._ways(),
            "fixes": _counts("Hours until the filter blocked what it had let through", "Hours", "Matters", self.fixes),
            "overblocked": _services("Learning sites that the filter blocked", self.over_blocked),
            "new": _services("Services not seen before this term", self.fresh), "questions": self._questions(),
            "duties": Grid("What is owed", ("Duty", "When"), tuple((duty.what, duty.due) for duty in self.duties))}

    @property
    def pictures(self) -> dict[str, Picture]:
        """Its charts by name; none where there is nothing to draw."""
        made: dict[str, Picture] = {}
        if sum(week.blocked.value is not None for week in self.weeks) > 1:
            made["weeks"] = self._trend()
        if self.times.seen:
            made["times"] = self.times.picture(f"Heat table: {self.times.caption}. The darker, the more.")
        if self.years.seen:
            made["years"] = self.years.picture(f"Heat table: {self.years.caption}. The darker, the more.")
        if any(way.people.value for way in self.ways):
            spread = tuple((titled(way.method), way.people.value, way.people.shown) for way in self.ways)
            made["ways"] = Bars("Bars: people on the busiest day for each way round the filter.", spread, "People, busiest day")
        if any(count.value for count in self.triage):
            made["triage"] = _bars("Bars: how many incidents were decided within how many school days.", self.triage, "Incidents")
        if any(count.value for count in self.fixes):
            made["fixes"] = _bars("Bars: within what time the filter blocked what it had let through.", self.fixes, "Matters")
        return made

    @property
    def ends(self) -> dict[str, str]:
        """How each block ends."""
        return ended(BLOCKS, decisions(self))

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """The decisions asked for, each with its block."""
        return decided(decisions(self))

    def _trust(self) -> Grid:
        trust = self.trust
        return Grid("What the numbers rest on", ("Measure", "Figure"), (
            ("School days heard from", f"{trust.days_heard} of {trust.school_days}"),
            ("School days with a silence of an hour or more", str(trust.days_with_gaps)),
            ("School days with less than half the usual traffic", str(len(trust.drops))),
            ("Requests that name a person", percent(trust.attributed)),
            ("Requests that show a page, not only a host", percent(trust.paged)),
            ("Networks of the school that nothing was heard of", sentence(trust.quiet_networks))), frozenset({1}))

    def _numbers(self) -> Grid:
        return Grid("Five numbers", ("What", "Figure", "Compared"),
                    tuple((it.label, it.figure, it.compared) for it in self.measures), frozenset({1}))

    def _rows(self) -> Grid:
        return Grid("Pupils’ incidents by row of table 7.2",
                    ("Row", "Suspected", "Confirmed", "Accident, reported", "Dismissed", "Actions open", "Departed from"),
                    tuple((f"{row.id} {row.text}", *(count.shown for count in row.counts)) for row in self.rows),
                    frozenset(range(1, 7)))

    @property
    def touched(self) -> Grid:
        """The rows of table 7.2 that have an incident."""
        rows = self._rows()
        return Grid(rows.caption, rows.heads, tuple(row for row in rows.rows if set(row[1:]) != {"0"}), rows.numbers)

    @property
    def untouched(self) -> str:
        """The rows that have none, by their ids."""
        return sentence(row.id for row in self.rows if {count.value for count in row.counts} == {0})

    def _weeks(self) -> Grid:
        return Grid("Pupils’ visits by week", ("Week of", "Blocked", "Let through against the policy"),
                    tuple((short(week.begins), week.blocked.shown, week.against.shown) for week in self.weeks), frozenset({1, 2}))

    def _trend(self) -> Trend:
        return Trend("Lines: pupils’ visits by week, blocked by the filter and let through against the policy.",
                     tuple(short(week.begins) for week in self.weeks),
                     (("Blocked", tuple(week.blocked.value for week in self.weeks)),
                      ("Let through against the policy", tuple(week.against.value for week in self.weeks))),
                     tuple((short(day), text) for day, text in self.marks))

    def _ways(self) -> Grid:
        return Grid("Ways round the filter, tried or used",
                    ("Method", "Hosts", "Worked", "People, busiest day", "Not blocked yet", "Median hours to a block"),
                    tuple((titled(way.method), number(way.hosts), number(way.worked), way.people.shown, number(way.still_open),
                           hours(way.median_hours)) for way in self.ways), frozenset({1, 2, 3, 4, 5}))

    def _questions(self) -> Grid:
        return Grid("Open questions of the policy", ("Question", "Readings", "In use until decided", "Decides", "Visits touched"),
                    tuple((f"{q.id} {q.text}", " / ".join(q.readings), q.default, q.owner, q.effect.shown)
                          for q in self.questions), frozenset({4}))


def _counts(caption: str, what: str, unit: str, counts: Sequence[Count]) -> Grid:
    return Grid(caption, (what, unit), tuple((count.label, count.shown) for count in counts), frozenset({1}))


def _services(caption: str, services: Sequence[Service]) -> Grid:
    return Grid(caption, ("Site", "What it is", "People"), tuple((it.site, it.what, number(it.people)) for it in services),
                frozenset({2}))


def _bars(alt: str, counts: Sequence[Count], unit: str) -> Bars:
    return Bars(alt, tuple((count.label, count.value, count.shown) for count in counts), unit)
