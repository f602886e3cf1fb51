"""Which pages a night owes, and any page by its name and period.

A day's pages come with its judging; a week's on its last school day; who looked at whom in a month with the first day judged
after it; the termly summary runs with its term; the annual report comes with the year's last school day. A page whose night was
missed comes with the next night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from pipeline import periods
from pipeline.periods import Period
from pipeline.problems import Problem, UsageError
from pipeline.publishing import checking, governors, leadership, looking, named, technical
from pipeline.publishing.desk import Desk, Sheet, stem
from pipeline.schoolday import Calendar

Make = Callable[[Desk, Period], list[Sheet]]
Latest = Callable[[date, Calendar], Period | None]


def _daily(make: Callable[[Desk, date], Sheet]) -> Make:
    return lambda desk, period: [make(desk, day) for day in desk.judged(period)]


def _one(make: Callable[[Desk, Period], Sheet]) -> Make:
    return lambda desk, period: [make(desk, period)]


def _day(day: date, calendar: Calendar) -> Period:
    return periods.day(day)


def _week(day: date, calendar: Calendar) -> Period:
    return periods.week(day)


def _month(day: date, calendar: Calendar) -> Period:
    return periods.month(day)


def _year(day: date, calendar: Calendar) -> Period:
    return periods.year(day)


# Each report: how its pages are made of a period, the period that holds a day when none is named, and the kinds it may be of.
REPORTS: Mapping[str, tuple[Make, Latest, tuple[str, ...]]] = {
    "nightly": (_daily(technical.nightly_again), _day, ()),
    "dsl-list": (_daily(named.dsl_sheet), _day, ()),
    "principal": (_daily(named.principal_sheet), _day, ()),
    "dsl-week": (_one(named.week_sheet), _week, ()),
    "year-digest": (named.digest_sheets, _week, ()),
    "changes": (_one(technical.changes_sheet), periods.term, ()),
    "breaches": (_one(technical.breaches_sheet), periods.term, ()),
    "checks": (checking.checks_sheets, periods.term, ()),
    "termly": (_one(leadership.termly_sheet), periods.term, ()),
    "looks": (looking.looks_sheets, _month, ()),
    "annual": (_one(governors.annual_sheet), _year, ("year",)),
}


def report(desk: Desk, name: str, text: str) -> list[Path]:
    """Issue the pages of that name for a period as typed ('' for the latest there is); UsageError; the files written."""
    if name not in REPORTS:
        raise UsageError(Problem(name, "is no report", ", ".join(REPORTS)))
    make, latest, kinds = REPORTS[name]
    calendar, judged = desk.rules.school.calendar, desk.lake.judged()
    period = periods.parse(text, calendar) if text else _latest(latest, judged, calendar)
    if period is None:
        return []
    if not desk.judged(period) and name != looking.KIND:
        raise UsageError(Problem(f"{name} of {text or 'the latest day'}", "cannot be made: no day of it has been judged",
                                 "a period with nights in it, or schoolgate nightly LOG first"))
    if kinds and period.kind not in kinds:
        raise UsageError(Problem(f"{name} of {text}", f"is made of a whole {kinds[0]}", periods.year(period.first).name))
    before = len(desk.written)
    desk.issue(*make(desk, period))
    return desk.written[before:]


def _latest(latest: Latest, judged: Iterable[date], calendar: Calendar) -> Period | None:
    """The period of the latest judged day that has one: a Saturday after term has no term."""
    return next((found for day in sorted(judged, reverse=True) if (found := latest(day, calendar))), None)


def daily(desk: Desk, day: date, problems: Sequence[Problem], silent: Sequence[str], *, judged: bool) -> None:
    """The pages of one day; of one that is not judged, only the nightly page, which says that nothing was heard."""
    desk.issue(technical.nightly_sheet(desk, day, problems, silent), *(named.daily_sheets(desk, day) if judged else ()))
    technical.whole_logs(desk, day)


def periodic(desk: Desk, owed: Sequence[date]) -> None:
    """The pages of the weeks, terms and years that the days of this night belong to, as far as they are due."""
    if not owed:
        return
    calendar, last = desk.rules.school.calendar, max(desk.lake.judged(), default=max(owed))
    for week in _weeks(desk, owed):
        if (periods.last_open(week, calendar) or date.max) <= last:
            desk.issue(named.week_sheet(desk, week))
            for sheet in named.digest_sheets(desk, week):
                desk.issue(sheet)
    for term in {term.name: term for day in owed if (term := periods.term(day, calendar))}.values():
        desk.issue(technical.changes_sheet(desk, term), technical.breaches_sheet(desk, term), *checking.checks_sheets(desk, term))
        desk.issue(leadership.termly_sheet(desk, term))
    if month := looking.due(desk):
        desk.issue(*looking.looks_sheets(desk, month))
    for year in {year.name: year for year in map(periods.year, owed)}.values():
        if (periods.last_open(year, calendar) or date.max) <= last:
            desk.issue(governors.annual_sheet(desk, year))


def _weeks(desk: Desk, owed: Sequence[date]) -> list[Period]:
    """The weeks of these days; and of the last judged day before them, where its night did not write its list."""
    weeks = {week.name: week for week in map(periods.week, owed)}
    before = max((day for day in desk.lake.judged() if day < min(owed)), default=None)
    if before and not desk.has("safeguarding", stem("dsl-week", periods.week(before))):
        weeks[periods.week(before).name] = periods.week(before)
    return sorted(weeks.values(), key=lambda week: week.first)
