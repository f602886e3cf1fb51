"""The annual report to governors: numbers that can identify no child, what changed because of them, and what to ask.

Every type here is `Nameless`. No site stands in it, no quotation, and of incidents only those that a person has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.pages.charts import Bars, Picture
from pipeline.pages.leaders import Checks, Duty, Failures, Health, Question, Trust, Way, decided, ended, failures_grid
from pipeline.pages.parts import Count, Grid, Nameless, Plain
from pipeline.pages.wording import NONE, long_day, number, percent, sentence, several, titled

BLOCKS = {"roles": "Who is responsible, and what has been reviewed", "how": "How filtering and monitoring work here",
          "rows": "Confirmed incidents", "changed": "What was changed", "checks": "Checks of the filter",
          "failures": "Failures and fixes", "overblocking": "Over-blocking", "themes": "What to teach about",
          "concerns": "Concerns of parents and others", "questions": "Changes of the policy to consider",
          "ask": "Questions for governors to ask", "limits": "What this cannot see"}
# The four areas of risk of Keeping Children Safe in Education, and the rows of table 7.2 that fall in each: by what the row
# says a pupil saw (content), whom they met (contact) or did (conduct). No row of the table speaks of commerce.
AREAS = {"Content": ("IN-01", "IN-13", "IN-14"), "Contact": ("IN-09",),
         "Conduct": ("IN-02", "IN-03", "IN-04", "IN-05", "IN-06", "IN-07", "IN-08", "IN-10", "IN-11", "IN-12", "IN-15")}
HOW = tuple(map(Plain, (
    "The filter decides, as a page is asked for, whether it may be seen. Its own live alerts stay the first line of defence.",
    "Every night its logs are read, each line once, and judged by the school’s own e-safety policy of that day.",
    "What looks like an incident is only ever suspected. The designated safeguarding lead, a deputy or the Principal decides.",
    "People stand in the records under a code. Names are put to codes only on the pages of those who may see them, and that is "
    "recorded each time.",
    "Matters of welfare, of staff, and of the illegal-content list go to the one reader who may see them. They are not counted "
    "here.")))
ASK = tuple(map(Plain, (
    "Who on the governing body leads on filtering and monitoring, and when did they last see both at work?",
    "Are all networks and devices that pupils use filtered and logged, and how do we know?",
    "Was filtering reviewed this year with the DSL and those who run it, and what did the review change?",
    "How soon is a suspected incident looked at, and what happens in the holidays?",
    "Does the filter keep pupils from what they need to learn, or from help?",
    "Do pupils, parents and staff know what is logged, and whom to tell when it is wrong?")))


@dataclass(frozen=True)
class YearRow(Nameless):
    """One row of table 7.2 with its confirmed incidents, this year first."""

    id: Plain
    text: Plain
    area: Plain
    years: tuple[Count, ...]


@dataclass(frozen=True)
class Fact(Nameless):
    """A line of two columns."""

    what: Plain
    figure: Plain


@dataclass(frozen=True)
class TestRow(Nameless):
    """One kind of test: in how many checks of the year, when last, and how it went."""

    what: Plain
    checks: int
    last: Plain
    result: Plain


@dataclass(frozen=True)
class PlaceRow(Nameless):
    """One place that the settings name: when it was last tested, and how that went."""

    where: Plain
    last: Plain
    result: Plain


@dataclass(frozen=True)
class AnnualPage(Nameless):
    """Everything the annual report prints."""

    title: Plain
    school: Plain
    year: Plain
    first: date
    last: date
    until: date
    notice: Plain
    small: int
    roles: tuple[Fact, ...]
    duties: tuple[Duty, ...]
    how: tuple[Plain, ...]
    trust: Trust
    years: tuple[Plain, ...]
    rows: tuple[YearRow, ...]
    decided: tuple[Fact, ...]
    waits: bool
    health: Health
    checks: Checks
    places: tuple[PlaceRow, ...]
    tests: tuple[TestRow, ...]
    concerns: tuple[Count, ...]
    failures: tuple[Failures, ...]
    ways: tuple[Way, ...]
    learning_blocked: Count
    help_blocked: int
    themes: tuple[Count, ...]
    questions: tuple[Question, ...]
    decisions: tuple[Fact, ...]
    ask: tuple[Plain, ...]
    limits: tuple[Plain, ...]
    versions: tuple[tuple[Plain, Plain], ...]

    @property
    def day(self) -> str:
        """What it covers."""
        return f"{self.year}: {long_day(self.first)} to {long_day(min(self.until, self.last))}"

    @property
    def blocks(self) -> dict[str, str]:
        """The heading of each block."""
        return BLOCKS

    @property
    def ends(self) -> dict[str, str]:
        """How each block ends: with one decision at most."""
        return ended(BLOCKS, decisions(self))

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """The decisions asked for, each with its block."""
        return decided(decisions(self))

    @property
    def tables(self) -> dict[str, Grid]:
        """Its tables by name."""
        rows = tuple((row.area, f"{row.id} {row.text}", *(count.shown for count in row.years)) for row in self.rows)
        return {"roles": _facts("Who holds which part", ("Role", "Named in the settings"), self.roles),
                "trust": _facts("What the numbers rest on", ("Measure", "Figure"), self._trust()),
                "rows": Grid("Confirmed incidents of pupils by area of risk and row of table 7.2", ("Area", "Row", *self.years),
                             rows, frozenset(range(2, 2 + len(self.years)))),
                "decided": _facts("How incidents were followed up", ("Measure", "Figure"), self.decided),
                "places": Grid("Where the filter was tested last", ("Place", "Last tested", "Result"),
                               tuple((row.where, row.last, row.result) for row in self.places)),
                "tests": Grid("What was tested", ("Test", "Checks", "Last tested", "Result"),
                              tuple((row.what, number(row.checks), row.last, row.result) for row in self.tests), frozenset({1})),
                "concerns": Grid("Concerns, by when whoever reported them was contacted", ("Contacted", "Concerns"),
                                 tuple((count.label, count.shown) for count in self.concerns), frozenset({1})),
                "failures": failures_grid(self.failures),
                "ways": Grid("Ways round the filter, tried or used", ("Method", "Hosts", "Worked", "Not blocked yet"),
                             tuple((titled(way.method), number(way.hosts), number(way.worked), number(way.still_open))
                                   for way in self.ways), frozenset({1, 2, 3})),
                "themes": Grid("Pupils with a visit against the policy, on the busiest day", ("Theme", "Pupils"),
                               tuple((count.label, count.shown) for count in self.themes), frozenset({1})),
                "questions": Grid("Open questions of the policy", ("Question", "Decides", "In use until decided"),
                                  tuple((f"{q.id} {q.text}", q.owner, q.default) for q in self.questions))}

    @property
    def touched(self) -> Grid:
        """The rows of table 7.2 that have an incident in any year."""
        rows = self.tables["rows"]
        return Grid(rows.caption, rows.heads, tuple(row for row in rows.rows if set(row[2:]) - {"0", NONE}), rows.numbers)

    @property
    def untouched(self) -> str:
        """The rows that have none, by their ids."""
        return sentence(row.id for row in self.rows if not {count.shown for count in row.years} - {"0", NONE})

    @property
    def concerned(self) -> bool:
        """Whether any concern was recorded."""
        return any(count.value != 0 for count in self.concerns)

    @property
    def pictures(self) -> dict[str, Picture]:
        """Its one chart."""
        if not self.themes:
            return {}
        return {"themes": Bars("Bars: pupils with a visit against the policy by theme, on the busiest day.",
                               tuple((count.label, count.value, count.shown) for count in self.themes), "Pupils, busiest day")}

    def _trust(self) -> tuple[Fact, ...]:
        trust = self.trust
        return (Fact(Plain("School days heard from"), Plain(f"{trust.days_heard} of {trust.school_days}")),
                Fact(Plain("School days with a silence of an hour or more"), Plain(trust.days_with_gaps)),
                Fact(Plain("Requests that name a person"), Plain(percent(trust.attributed))),
                Fact(Plain("Requests that show a page, not only a host"), Plain(percent(trust.paged))))


def decisions(page: AnnualPage) -> dict[str, str]:
    """What governors are asked to decide, by block; empty: nothing."""
    lacking = [fact.what for fact in page.roles if fact.figure != "yes"]
    still = sum(row.still_open for row in page.failures) + sum(way.still_open for way in page.ways)
    late, heard = sum(duty.late for duty in page.duties), page.trust
    silent = heard.school_days - heard.days_heard
    return {
        "roles": f"name the {sentence(lacking).lower()}." if lacking else
                 f"set a date for {several(late, 'overdue duty', 'overdue duties')}." if late else "",
        "how": f"ask why {several(silent, 'school day')} went unheard." if silent else "",
        "rows": "ask when what has waited over ten school days will be decided." if page.waits else "",
        "changed": f"ask for the reason and approval of {several(page.health.without_reason, 'change')}."
                   if page.health.without_reason else "",
        "checks": _checks(page.checks),
        "failures": f"ask by when {several(still, 'matter')} will be blocked, or why not." if still else "",
        "overblocking": "ask who sees that help and support is not blocked." if page.help_blocked else "",
        "themes": "ask which lessons take up these themes." if page.themes else "",
        "concerns": "ask why not everybody who reported a concern was contacted in time."
                    if any(count.value != 0 for count in page.concerns[1:]) else "",
        "questions": f"have {several(len(page.questions), 'question')} of the policy decided." if page.questions else ""}


def _checks(checks: Checks) -> str:
    if not checks.made:
        return "ask why the filter was not tested."
    if checks.never or checks.late:
        return f"ask by when {several(checks.never + checks.late, 'place')} will be tested."
    return f"ask by when {several(checks.waiting, 'failure')} will be mended." if checks.waiting else ""


def _facts(caption: str, heads: tuple[str, str], facts: tuple[Fact, ...]) -> Grid:
    return Grid(caption, heads, tuple((fact.what, fact.figure) for fact in facts), frozenset({1}))
