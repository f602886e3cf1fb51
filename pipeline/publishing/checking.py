"""The checks of the filter, for technical services and for the DSL: the same page in the folder of each."""

from __future__ import annotations

from datetime import date

from pipeline.pages import checks as page
from pipeline.periods import Period
from pipeline.publishing.desk import Desk, Sheet
from pipeline.publishing.technical import change_rows
from pipeline.register import tested
from pipeline.register.checks import PLACE, CheckState, fold_checks

READERS = ("technical", "safeguarding")
SINCE = ("school.toml networks", "school.toml accounts")  # what, once changed, asks for a check: who is filtered as whom


def checks_sheets(desk: Desk, period: Period) -> list[Sheet]:
    """The page of a period, once for each reader."""
    made = page.build(period.title, desk.rules.school.name, checked(desk, period), desk.versions, desk.zone)
    return [Sheet(reader, "checks", period, made, desk.basis(period)) for reader in READERS]


def states(desk: Desk) -> list[CheckState]:
    """Every check of the log that is kept."""
    return [state for state in fold_checks(desk.registers["checks"].entries()).values() if state.plan]


def checked(desk: Desk, period: Period) -> page.Checked:
    """What the log says of a period: its own checks, and how everything stood on its last judged day."""
    at, known = min(period.last, max(desk.lake.judged(), default=period.last)), states(desk)
    settings = desk.rules.school.checks
    made = [check for check in tested.recorded(known, period.last) if period.holds(date.fromisoformat(check.done_on))]
    return page.Checked(
        tested.by_place(known, [tuple(getattr(place, name) for name in PLACE) for place in settings.places], period.last),
        tested.by_test(known, period.last), made,
        [check for check in tested.missed(known, at) if period.holds(date.fromisoformat(check.plan["ends"][:10]))],
        tested.waiting(known, period.last), _changed(desk, known, period), at, settings.every_days)


def _changed(desk: Desk, known: list[CheckState], period: Period) -> list[str]:
    """Changes of the networks or accounts up to the end of the period that no later check has followed."""
    last = max((check.done_on for check in tested.recorded(known, period.last)), default="")
    return [row["ref"] for row in change_rows(desk)
            if row["object"] in SINCE and last < str(desk.date(row["at"])) <= str(period.last)]
