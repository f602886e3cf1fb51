"""The termly summary for senior leaders: twelve blocks, each of which ends with a decision to take or with none.

Every type here is `Nameless`: its texts have been through `anonymous`, and it holds no name, login, address or search term.
A site may stand in two blocks alone, as a `Service` of enough people. Counts of people and incidents come from the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.pages.charts import NONE, Bars, Picture, Shades, Trend
from pipeline.pages.parts import Count, Grid, Nameless, Plain, Service, long_day, number, sentence, several

ACTION = Plain("No action.")
DECIDE = "Decision needed: "
BLOCKS = {"trust": "Can we trust this term’s numbers?", "numbers": "Five numbers", "rows": "Incidents by row of the policy",
          "where": "Where and when", "years": "By year group", "repeats": "Repeat cases", "filter": "Filter health",
          "overblocking": "Over-blocking", "new": "New this term", "questions": "Where the policy can be read two ways",
          "duties": "Duties", "limits": "What this cannot see"}


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
class Measure(Nameless):
    """One of the five numbers: what it is, its figure, what it means, and what it was last term and the same term last year."""

    label: Plain
    figure: Plain
    note: Plain
    compared: Plain


@dataclass(frozen=True)
class PolicyRow(Nameless):
    """One row of table 7.2 with its counts."""

    id: Plain
    text: Plain
    suspected: Count
    confirmed: Count
    accidental: Count
    dismissed: Count
    outstanding: Count
    departed: Count

    @property
    def counts(self) -> tuple[Count, ...]:
        """Its counts, in the order of the table."""
        return self.suspected, self.confirmed, self.accidental, self.dismissed, self.outstanding, self.departed


@dataclass(frozen=True)
class Line(Nameless):
    """A row of a heat table."""

    label: Plain
    cells: tuple[Count, ...]


@dataclass(frozen=True)
class Heat(Nameless):
    """A heat table: what it shows, the heads of its columns, and its rows."""

    caption: Plain
    corner: Plain
    columns: tuple[Plain, ...]
    lines: tuple[Line, ...]

    @property
    def grid(self) -> Grid:
        """The same as a table."""
        return Grid(self.caption, (self.corner, *self.columns),
                    tuple((line.label, *(cell.shown for cell in line.cells)) for line in self.lines),
                    frozenset(range(1, len(self.columns) + 1)))

    def picture(self, alt: str) -> Shades:
        """The same as a picture."""
        return Shades(alt, tuple(line.label for line in self.lines), tuple(self.columns),
                      tuple(tuple((_short_words(cell), cell.value) for cell in line.cells) for line in self.lines))

    @property
    def seen(self) -> bool:
        """Whether any cell holds something."""
        return any(cell.value != 0 for line in self.lines for cell in line.cells)


@dataclass(frozen=True)
class Week(Nameless):
    """One whole week of pupils' visits: blocked, and let through against the policy."""

    begins: date
    blocked: Count
    against: Count


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


@dataclass(frozen=True)
class TermlyPage(Nameless):
    """Everything the termly summary prints."""

    title: Plain
    school: Plain
    term: Plain
    first: date
    last: date
    until: date
    notice: Plain
    small: int
    trust: Trust
    measures: tuple[Measure, ...]
    rows: tuple[PolicyRow, ...]
    departures: tuple[Plain, ...]
    triage: tuple[Count, ...]
    times: Heat
    networks: tuple[Count, ...]
    weeks: tuple[Week, ...]
    marks: tuple[tuple[date, Plain], ...]
    years: Heat
    themes: tuple[tuple[Plain, Plain], ...]
    repeats: Count
    failures: tuple[Failures, ...]
    ways: tuple[Way, ...]
    fixes: tuple[Count, ...]
    health: Health
    checks: Checks
    over_blocked: tuple[Service, ...]
    help_blocked: int
    fresh: tuple[Service, ...]
    new_since: date | None
    questions: tuple[Question, ...]
    duties: tuple[Duty, ...]
    limits: tuple[Plain, ...]
    versions: tuple[tuple[Plain, Plain], ...]

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
            "weeks": self._weeks(), "years": self.years.grid, "failures": self._failures(), "ways": self._ways(),
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
        return decisions(self)

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """The decisions asked for, each with its block."""
        return tuple((name, text.removeprefix(DECIDE)) for name, text in self.ends.items() if text.startswith(DECIDE))

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

    def _failures(self) -> Grid:
        return Grid("What the filter let through where it is meant to block, one a site and profile",
                    ("Category", "How many", "Not blocked yet", "Median hours to a block"),
                    tuple((titled(row.what), number(row.count), number(row.still_open), hours(row.median_hours))
                          for row in self.failures), frozenset({1, 2, 3}))

    def _ways(self) -> Grid:
        return Grid("Ways round the filter, tried or used",
                    ("Method", "Hosts", "Worked", "People, busiest day", "Not blocked yet", "Median hours to a block"),
                    tuple((titled(way.method), number(way.hosts), number(way.worked), way.people.shown, number(way.still_open),
                           hours(way.median_hours)) for way in self.ways), frozenset({1, 2, 3, 4, 5}))

    def _questions(self) -> Grid:
        return Grid("Open questions of the policy", ("Question", "Readings", "In use until decided", "Decides", "Visits touched"),
                    tuple((f"{q.id} {q.text}", " / ".join(q.readings), q.default, q.owner, q.effect.shown)
                          for q in self.questions), frozenset({4}))


def decisions(page: TermlyPage) -> dict[str, str]:
    """How each block ends: one decision at most, from the block's own figures."""
    asked = {"trust": _trust(page.trust), "rows": _rows(page), "where": _where(page.times), "years": _years(page),
             "repeats": _repeats(page.repeats), "filter": _filter(page), "overblocking": _over_blocking(page),
             "new": f"say of {several(len(page.fresh), 'new service')} whether it may be used." if page.fresh else "",
             "questions": f"choose a reading for {several(len(page.questions), 'question')}." if page.questions else "",
             "duties": _duties(page.duties)}
    return {name: DECIDE + asked[name] if asked.get(name) else ACTION for name in BLOCKS}


def _trust(trust: Trust) -> str:
    if not trust.days_heard:
        return "find out why nothing was heard."
    if trust.silent_days:
        return f"who finds out why {several(len(trust.silent_days), 'school day')} went unheard, and by when."
    if trust.quiet_networks:
        return f"say whether {sentence(trust.quiet_networks)} should be filtered and logged."
    return f"who looks into {several(len(trust.drops), 'day')} of little traffic." if trust.drops else ""


def _rows(page: TermlyPage) -> str:
    asked = [what for what, some in (
        ("every suspected incident is looked at", any(row.suspected.value != 0 for row in page.rows)),
        ("every action still open is done", any(row.outstanding.value != 0 for row in page.rows))) if some]
    return f"who sees that {' and '.join(asked)}, and by when." if asked else ""


def _where(times: Heat) -> str:
    cells = [(cell.value or 0, line.label, column) for line in times.lines
             for column, cell in zip(times.columns, line.cells, strict=True)]
    count, part, weekday = max(cells, key=lambda cell: cell[0], default=(0, "", ""))
    return f"whether {part} needs more supervision; {weekday} had most pupils, {count}." if count else ""


def _years(page: TermlyPage) -> str:
    told = [label for label, themes in page.themes if themes != NONE]
    which = "each year group" if len(told) > 3 else sentence(told)
    return f"which assembly or PSHE lesson takes up the themes of {which}." if told else ""


def _repeats(repeats: Count) -> str:
    return "" if repeats.value == 0 else "who asks the DSL that a next step is dated for each; the names are on the DSL’s list."


def _filter(page: TermlyPage) -> str:
    still = sum(row.still_open for row in page.failures) + sum(way.still_open for way in page.ways)
    if still:
        return f"{several(still, 'matter')} not blocked yet; block, or record why not."
    if page.checks.never or page.checks.missed or page.checks.late:
        return f"who tests {_untested(page.checks)}, and by when."
    if page.health.without_reason:
        return f"who gives {several(page.health.without_reason, 'change')} its reason and approval."
    if page.health.expired:
        return f"renew or remove {several(page.health.expired, 'entry', 'entries')} of the school’s own list past its date."
    if not page.health.changes:
        return "no change was logged, which is unlikely; ask how changes are made."
    return ""


def _untested(checks: Checks) -> str:
    parts = [text for count, text in ((checks.never, f"{several(checks.never, 'place')} never tested"),
                                      (checks.late, f"{several(checks.late, 'place')} due again"),
                                      (checks.missed, f"what {several(checks.missed, 'planned check')} left out")) if count]
    return sentence(parts)


def _over_blocking(page: TermlyPage) -> str:
    if page.help_blocked:
        return "who unblocks help and support, and by when; the nightly report names the sites."
    return f"who unblocks, or explains, {several(len(page.over_blocked), 'learning site')}." if page.over_blocked else ""


def _duties(duties: Sequence[Duty]) -> str:
    late = sum(duty.late for duty in duties)
    return f"set a date for {several(late, 'overdue duty', 'overdue duties')}." if late else ""


def _counts(caption: str, what: str, unit: str, counts: Sequence[Count]) -> Grid:
    return Grid(caption, (what, unit), tuple((count.label, count.shown) for count in counts), frozenset({1}))


def _services(caption: str, services: Sequence[Service]) -> Grid:
    return Grid(caption, ("Site", "What it is", "People"), tuple((it.site, it.what, number(it.people)) for it in services),
                frozenset({2}))


def _bars(alt: str, counts: Sequence[Count], unit: str) -> Bars:
    return Bars(alt, tuple((count.label, count.value, count.shown) for count in counts), unit)


def _short_words(cell: Count) -> str:
    """A withheld cell in a picture, where there is no room for words: below the threshold."""
    return cell.shown.replace("fewer than ", "<")


def titled(text: str) -> str:
    """With a capital first, and the rest as it is; but for VPN, which the names of rules write small."""
    return re.sub(r"\bvpn\b", "VPN", text[:1].upper() + text[1:], flags=re.IGNORECASE)


def percent(share: float | None) -> str:
    """A share as a whole number of hundredths; a dash for none."""
    return NONE if share is None else f"{100 * share:.0f}%"


def hours(value: float | None) -> str:
    """Hours with one decimal; a dash for none."""
    return NONE if value is None else f"{value:,.1f}"


def short(day: date) -> str:
    """2 Nov."""
    return f"{day.day} {day:%b}"
