"""The annual report to governors: the figures of an academic year beside those that earlier reports printed."""

from __future__ import annotations

from pipeline import periods
from pipeline.pages.annual import AREAS, ASK, HOW, AnnualPage, Fact, YearRow
from pipeline.pages.parts import Count, Plain, counted
from pipeline.pages.wording import number
from pipeline.periods import Period
from pipeline.publishing.desk import Desk, Sheet, overdue, ref
from pipeline.publishing.figures import Figures
from pipeline.publishing.followed import checks, concerns, places, tests
from pipeline.publishing.leadership import duties, failures, health, limits, plain_versions, questions, trust, ways
from pipeline.schoolday import academic_year

YEARS = 3  # a governor's term is four years: three can be compared by somebody who saw them
ROLES = {"dsl": "Designated safeguarding lead", "deputy_dsl": "Deputy safeguarding lead", "principal": "Principal"}


def annual_sheet(desk: Desk, period: Period) -> Sheet:
    """The report of an academic year, from what has been decided."""
    ledger = desk.ledger("governors", "annual", period)
    figures = Figures(desk, period, ledger)
    now, policy = figures.numbers(), desk.rules.policy
    few = "withheld"
    year = academic_year(period.first)
    page = AnnualPage(
        title=Plain("Annual report to governors"), school=Plain(desk.rules.school.name), year=Plain(period.title),
        first=period.first, last=period.last, until=figures.until, notice=Plain(overdue(desk.rules, figures.until)),
        small=figures.small,
        roles=tuple(Fact(Plain(title), Plain("yes" if role in desk.rules.school.roles.values() else "not yet"))
                    for role, title in ROLES.items()),
        duties=duties(desk, figures.until), how=HOW, trust=trust(desk, period, figures),
        years=tuple(Plain(one.name) for one in _years(period)), rows=_rows(desk, figures, period),
        decided=(Fact(Plain("Pupils with a confirmed incident"), Plain(few if now.pupils is None else number(now.pupils))),
                 Fact(Plain("School days until an incident was decided, the middle one"),
                      Plain("too few to say" if now.triage is None else f"{now.triage:.0f}")),
                 Fact(Plain("Incidents open over ten school days"), Plain(few if now.late is None else number(now.late)))),
        waits=now.late != 0, health=health(desk, period, figures.until), checks=checks(desk, period),
        places=places(desk, period), tests=tests(desk, period), concerns=concerns(figures), failures=failures(figures),
        ways=ways(figures),
        learning_blocked=figures.blocked_learning(), help_blocked=figures.help_blocked(), themes=figures.leading(),
        questions=questions(desk, figures),
        decisions=tuple(Fact(Plain(q.id), Plain(f"{q.text} Decided: {q.decision}")) for q in policy.questions.values()
                        if q.decision and q.decided_on and academic_year(q.decided_on) == year),
        ask=ASK, limits=limits(desk, figures), versions=plain_versions(desk))
    return Sheet("governors", "annual", period, page, facts=ledger.fresh)


def _years(period: Period) -> list[Period]:
    """The year and those before it."""
    found = [period]
    while len(found) < YEARS:
        found.append(periods.year(found[-1].first.replace(year=found[-1].first.year - 1)))
    return found


def _rows(desk: Desk, figures: Figures, period: Period) -> tuple[YearRow, ...]:
    counts = {one.name: _confirmed(desk, figures, one) for one in _years(period)}
    area = {row: name for name, rows in AREAS.items() for row in rows}
    rows = [YearRow(Plain(row.id), Plain(row.text), Plain(area.get(row.id, "Conduct")),
                    tuple(of[row.id] for of in counts.values())) for row in desk.rules.policy.sanctions.values()]
    return tuple(sorted(rows, key=lambda row: (list(AREAS).index(row.area), row.id)))


def _confirmed(desk: Desk, figures: Figures, period: Period) -> dict[str, Count]:
    """Confirmed incidents by row: as the year's own report printed them, for incidents are purged; else while they are kept."""
    rows = list(desk.rules.policy.sanctions)
    page = ref("governors", "annual", period)
    issued = desk.registers.issued()
    if period == figures.period or (page not in issued.pages and desk.judged(period)):
        counts = Figures(desk, period, figures.ledger).by_row(("confirmed",))
        return {row: counts[row, "confirmed"] for row in rows}
    if page not in issued.pages:
        return dict.fromkeys(rows, Count(Plain(), Plain("–"), None))
    printed = {fact.series: fact.value for fact in issued.facts if fact.page == page}
    return {row: counted("", printed.get(f"{row} confirmed")) for row in rows}
