"""What senior leaders are asked to decide, block by block, from the block's own figures: one decision at most in each."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.pages.heat import Heat
from pipeline.pages.leaders import Checks, Duty, Trust
from pipeline.pages.parts import Count
from pipeline.pages.termfigures import TermFigures
from pipeline.pages.wording import NONE, sentence, several


def decisions(page: TermFigures) -> dict[str, str]:
    """What is asked for, by block; empty: nothing."""
    return {"trust": _trust(page.trust), "rows": _rows(page), "where": _where(page.times), "years": _years(page),
            "repeats": _repeats(page.repeats), "filter": _filter(page), "overblocking": _over_blocking(page),
            "new": f"say of {several(len(page.fresh), 'new service')} whether it may be used." if page.fresh else "",
            "questions": f"choose a reading for {several(len(page.questions), 'question')}." if page.questions else "",
            "duties": _duties(page.duties)}


def _trust(trust: Trust) -> str:
    if not trust.days_heard:
        return "find out why nothing was heard."
    if trust.silent_days:
        return f"who finds out why {several(len(trust.silent_days), 'school day')} went unheard, and by when."
    if trust.quiet_networks:
        return f"say whether {sentence(trust.quiet_networks)} should be filtered and logged."
    return f"who looks into {several(len(trust.drops), 'day')} of little traffic." if trust.drops else ""


def _rows(page: TermFigures) -> str:
    asked = [what for what, some in (
        ("every suspected incident is looked at", any(row.suspected.value != 0 for row in page.rows)),
        ("every action still open is done", any(row.outstanding.value != 0 for row in page.rows))) if some]
    return f"who sees that {' and '.join(asked)}, and by when." if asked else ""


def _where(times: Heat) -> str:
    cells = [(cell.value or 0, line.label, column) for line in times.lines
             for column, cell in zip(times.columns, line.cells, strict=True)]
    count, part, weekday = max(cells, key=lambda cell: cell[0], default=(0, "", ""))
    return f"whether {part} needs more supervision; {weekday} had most pupils, {count}." if count else ""


def _years(page: TermFigures) -> str:
    told = [label for label, themes in page.themes if themes != NONE]
    which = "each year group" if len(told) > 3 else sentence(told)
    return f"which assembly or PSHE lesson takes up the themes of {which}." if told else ""


def _repeats(repeats: Count) -> str:
    return "" if repeats.value == 0 else "who asks the DSL that a next step is dated for each; the names are on the DSL’s list."


def _filter(page: TermFigures) -> str:
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


def _over_blocking(page: TermFigures) -> str:
    if page.help_blocked:
        return "who unblocks help and support, and by when; the nightly report names the sites."
    return f"who unblocks, or explains, {several(len(page.over_blocked), 'learning site')}." if page.over_blocked else ""


def _duties(duties: Sequence[Duty]) -> str:
    late = sum(duty.late for duty in duties)
    return f"set a date for {several(late, 'overdue duty', 'overdue duties')}." if late else ""
