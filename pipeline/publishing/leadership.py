"""The termly summary: the figures of a term beside those of the term before and of the same term a year ago."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from pipeline import lists, periods
from pipeline.pages.leaders import Duty, Failures, Health, Question, Trust, Way
from pipeline.pages.parts import Count, Plain, shown, versions_of
from pipeline.pages.termfigures import Measure, PolicyRow
from pipeline.pages.termly import TermlyPage
from pipeline.pages.wording import hours, number
from pipeline.periods import Period
from pipeline.policy import SanctionRow
from pipeline.publishing.desk import LIMITS, Desk, Sheet, overdue
from pipeline.publishing.figures import STATES, UNNAMED, Figures, Numbers, hours_of, median
from pipeline.publishing.followed import Acted, checks, next_check
from pipeline.publishing.technical import change_rows, hidden_on
from pipeline.tables import COVERAGE

Say = Callable[[Numbers], str]
APART = "welfare, kept for the DSL"
GAP = 60    # minutes of school in which a log said nothing: a lesson
HALF = 0.5  # of the usual traffic: a day under it may be a filter that no longer sees what it did


def termly_sheet(desk: Desk, period: Period) -> Sheet:
    """The termly summary of a term, or of any period, up to its last judged day."""
    ledger = desk.ledger("leadership", "termly", period)
    figures = Figures(desk, period, ledger)
    years, themes = figures.years()
    blocked, fresh, since = figures.sites()
    counts = figures.by_row()
    acted = Acted(figures)
    rows = tuple(_row(row, [counts[row.id, state] for state in STATES], acted) for row in desk.rules.policy.sanctions.values())
    page = TermlyPage(
        title=Plain("Termly summary"), school=Plain(desk.rules.school.name), term=Plain(period.title), first=period.first,
        last=period.last, until=figures.until, notice=Plain(overdue(desk.rules, figures.until)), small=figures.small,
        trust=trust(desk, period, figures), measures=measures(desk, figures, period),
        rows=rows, departures=acted.kinds([row.id for row in rows if row.departed.value]), triage=figures.triage(),
        times=figures.times(), networks=figures.networks(), weeks=figures.weeks(),
        marks=_marks(desk, figures), years=years, themes=themes, repeats=figures.repeats(), failures=failures(figures),
        ways=ways(figures), fixes=figures.fixes(), health=health(desk, period, figures.until),
        checks=checks(desk, period), over_blocked=blocked,
        help_blocked=figures.help_blocked(), fresh=fresh, new_since=since, questions=questions(desk, figures),
        duties=duties(desk, figures.until), limits=limits(desk, figures), versions=plain_versions(desk))
    return Sheet("leadership", "termly", period, page, facts=ledger.fresh)


def _row(row: SanctionRow, counts: Sequence[Count], acted: Acted) -> PolicyRow:
    """One row of table 7.2: its incidents by state, and of those confirmed what is still open and what was departed from."""
    suspected, confirmed, accidental, dismissed = counts
    return PolicyRow(Plain(row.id), Plain(row.text), suspected, confirmed, accidental, dismissed,
                     acted.outstanding(row.id, confirmed), acted.departed(row.id, confirmed))


def limits(desk: Desk, figures: Figures) -> tuple[Plain, ...]:
    """What the logs cannot show, and what exceptions and rules on watch kept from the figures."""
    many = sum(hidden_on(desk, figures.days).values())
    if not many:
        return LIMITS
    told = f"fewer than {figures.small}" if many < figures.small else number(many)
    return (*LIMITS, Plain(f"Exceptions of the school and rules on watch keep {told} detections out of these figures."))


def plain_versions(desk: Desk) -> tuple[tuple[Plain, Plain], ...]:
    """What made the page."""
    return tuple((Plain(name), Plain(value)) for name, value in versions_of(desk.versions))


def trust(desk: Desk, period: Period, figures: Figures) -> Trust:
    """How complete the logs of a period were."""
    rows, expected = desk.rows(COVERAGE, figures.days), desk.open_days(period)
    heard = Counter[date]()
    for row in rows:
        heard[row["day"]] += row["requests"]
    gaps = {row["day"] for row in rows if row["gap_minutes"] >= GAP}
    spoke = [day for day in expected if heard[day]]
    usual = median(heard[day] for day in spoke) or 0
    total = heard.total()
    return Trust(len(expected), len(spoke), len(gaps & set(expected)),
                 1 - sum(row["unattributed"] for row in rows) / total if total else None,
                 sum(row["paged"] for row in rows) / total if total else None,
                 tuple(day for day in expected if not heard[day]),
                 tuple(day for day in spoke if heard[day] < HALF * usual), figures.quiet_networks())


def measures(desk: Desk, figures: Figures, period: Period) -> tuple[Measure, ...]:
    """The five numbers, each with what it was the term before and the same term a year ago, as far as those are kept."""
    calendar, roll = desk.rules.school.calendar, desk.rules.school.pupils_on_roll
    word = {"half": "half", "year": "year"}.get(period.kind, "term")
    others = [(title, Figures(desk, other, figures.ledger).numbers()) for title, other in
              ((f"{word} before", periods.before(period, calendar)),
               (f"same {word} last year", periods.year_before(period, calendar)))
              if other is not None and desk.judged(other)]
    now = figures.numbers()
    few = "withheld"
    told: list[tuple[str, str, Say]] = [
            ("Pupils with a confirmed incident, per 100 on roll", "Confirmed by a person.",
             lambda n: few if n.pupils is None else f"{n.pupils * 100 / roll:.1f}"),
            ("School days until an incident was decided", "The middle one of those decided.",
             lambda n: "too few to say" if n.triage is None else f"{n.triage:.0f}"),
            ("Incidents open over ten school days", "Suspected, and nobody has decided.",
             lambda n: few if n.late is None else number(n.late)),
            ("Filter failures", "Let through where the filter is meant to block, by site and profile.",
             lambda n: f"{n.failures}" + (f"; {hours(n.fix)} hours to a block" if n.fix is not None else "")),
            ("Ways round the filter that worked", "Kinds of method, not people.", lambda n: str(n.worked))]
    return tuple(Measure(Plain(label), Plain(say(now)), Plain(note), Plain(_compared(say, others))) for label, note, say in told)


def _compared(say: Say, others: Sequence[tuple[str, Numbers]]) -> str:
    return "; ".join(f"{title}: {say(numbers)}" for title, numbers in others) or "Nothing earlier is kept to compare with."


def failures(figures: Figures) -> tuple[Failures, ...]:
    """Filter failures by category: never by site or by who, and those of welfare as one, which the DSL knows of."""
    groups: dict[str, list[float | None]] = {}
    known = figures.desk.rules.policy.categories
    for row in figures.breaches():
        if row["part"] == "failure":
            category = known.get(row["category"])
            apart = row["people"] is None or (category is not None and category.tier in UNNAMED)
            what = APART if apart else category.title if category else row["category"]
            groups.setdefault(what, []).append(hours_of(row))
    return tuple(Failures(Plain(what), len(took), took.count(None), median(took)) for what, took in sorted(groups.items()))


def ways(figures: Figures) -> tuple[Way, ...]:
    """Ways round the filter by method."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in figures.breaches():
        if row["part"] != "failure":
            groups.setdefault(row["method"].replace("_", " ").replace("-", " "), []).append(row)
    return tuple(Way(Plain(method), len(rows), sum(row["worked"] != "no" for row in rows),
                     shown(method, figures.ledger.most(max((row["people"] or 0 for row in rows), default=0)), figures.small),
                     sum(row["first_blocked"] is None for row in rows), median(map(hours_of, rows)))
                 for method, rows in sorted(groups.items()))


def health(desk: Desk, period: Period, until: date) -> Health:
    """Changes that came to light in the period by kind, those without a reason, and own entries past their date."""
    rows = [row for row in change_rows(desk) if period.holds(desk.date(row["at"]))]
    kinds = Counter(row["kind"].replace("_", " ") for row in rows)
    expired = desk.rules.own.num_rows - lists.live(desk.rules.own, until).num_rows
    return Health(tuple((Plain(kind), count) for kind, count in sorted(kinds.items())), sum(not row["why"] for row in rows),
                  expired)


def questions(desk: Desk, figures: Figures) -> tuple[Question, ...]:
    """Open questions of the policy that touched a visit, those that touched most first."""
    touched = figures.questions()
    asked = [q for q in desk.rules.policy.questions.values() if touched[q.id] and not q.decision]
    return tuple(Question(Plain(q.id), Plain(q.text), tuple(map(Plain, q.readings)), Plain(q.default), Plain(q.owner),
                          figures.touched(q.id, touched[q.id]))
                 for q in sorted(asked, key=lambda q: (-touched[q.id], q.id)))


def duties(desk: Desk, day: date) -> tuple[Duty, ...]:
    """What is owed: the policy's review, the governors' report, checks, the impact assessment, the purge."""
    due = desk.rules.policy.review_due
    year = periods.year(day)
    last = periods.last_open(year, desk.rules.school.calendar) or year.last
    purged = [desk.date(entry.at) for entry in desk.registers["destruction"].entries() if entry.kind == "destroyed"]
    oldest, kept = min(desk.lake.days_with_lines(), default=day), desk.rules.school.retention.lines_days
    said = f"last {_long(max(purged))}" if purged else "none yet"
    return (Duty(Plain("Review of the e-safety policy"), Plain(f"due {_long(due)}"), due < day),
            Duty(Plain("Annual review of filtering, and report to governors"), Plain(f"due {_long(last)}"), False),
            next_check(desk, day),
            Duty(Plain("Review of the data protection impact assessment"), Plain("not recorded here"), False),
            Duty(Plain("Purge by the retention table"), Plain(said), (day - oldest).days > kept))


def _marks(desk: Desk, figures: Figures) -> tuple[tuple[date, Plain], ...]:
    """The weeks in which a half-term begins, but for the first of all."""
    starts = {periods.week(half.first).first for half in periods.halves(desk.rules.school.calendar)}
    weeks = [week for week in sorted({periods.week(day).first for day in figures.days}) if week in starts]
    return tuple((week, Plain("half-term begins")) for week in weeks if week > periods.week(figures.period.first).first)


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
