"""Showing many people's names is for two: one asks, and a second says yes beforehand, on record.

Where `[reveals] second_from` of school.toml says so, a reveal of that many people needs the approval of another login whose role
may give it. It holds for one login, one kind of reveal, named days, until a day, and once. Where the settings say nothing, a
reveal goes ahead, and the register of looks and the monthly list say that nobody approved it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipeline import casework, keyboard, rulefiles, schoolfolder
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register import approvals
from pipeline.register.approvals import APPROVED, APPROVERS, Approval
from pipeline.school import School

EXPORT = "export detections"
REVEALS = (EXPORT,)  # what shows many people at once; the other reveals show one incident, or are a reader's own page


def approve(folder: Path, login: str, what: str, days: tuple[date, date], until: date | None, reason: str) -> str:
    """Approve one reveal of another login, by whoever is at the keyboard; UsageError, RefusedError: nothing was written.

    `days`: the first and last school day it may show. `until`: the last day to use it on; None: a week from today.
    """
    desk = casework.sit(folder)
    given = Approval(0, desk.who, login.strip(), what, *days, until or desk.today + timedelta(days=7))
    if desk.role not in APPROVERS:
        raise RefusedError(Problem(desk.who, f"may not approve: the role is {desk.role}", f"one of {', '.join(APPROVERS)}"))
    if given.login == desk.who:
        raise RefusedError(Problem(desk.who, "may not approve for themselves", "another login whose role may"))
    faults = [Problem(what, "needs no approval", f"one of: {', '.join(REVEALS)}")] if what not in REVEALS else []
    faults += [] if given.login else [Problem("an approval", "needs the login it is for")]
    faults += [] if reason.strip() else [Problem("an approval", "needs a reason", "--reason")]
    faults += [Problem(str(given.last), "lies before the first day", "--from and --to")] if given.last < given.first else []
    faults += [Problem(str(given.until), "has passed", "--until with a day to come")] if given.until < desk.today else []
    if faults:
        raise UsageError(*faults)
    body = approvals.body(given, desk.role, " ".join(reason.split()))
    schoolfolder.journal(folder, "access").append(APPROVED, _ref(what), body)
    return (f"{given.login} may once run `{what} --names` for {given.first} to {given.last}, until {given.until}: "
            f"approved by {desk.who} ({desk.role}).")


def _ref(what: str) -> str:
    return what.replace(" ", "-")


def reveal(folder: Path, school: School, what: str, people: int, days: Iterable[date], body: dict[str, Any]) -> None:
    """Write down a reveal of `people` people before it is made, with the approval it uses; RefusedError: it may not be made.

    `body`: what the register keeps beside who, how many and by whose approval.
    """
    who, least = keyboard.login(), school.reveals.second_from
    with rulefiles.entering(folder):
        book, many = schoolfolder.journal(folder, "access"), people > 1
        today, span = casework.today(school), list(days)
        second = next((each for each in approvals.unused(book.entries()) if many and each.fits(who, what, span, today)), None)
        if second is None and least is not None and people >= least:
            raise RefusedError(Problem(
                f"{what} --names", f"shows {people:,} people: from {least:,} on a second person approves it first",
                f"`schoolgate access approve {who}{_from(span)}` by one of {', '.join(APPROVERS)}"))
        approved = {"second": second.by if second else "", **({"approval": second.n} if second else {})} if many else {}
        book.append("reveal", _ref(what), {"by": who, "what": f"{what} --names", "people": people, **approved, **body})


def _from(days: list[date]) -> str:
    return f" --from {min(days)} --to {max(days)}" if days else ""
