"""The monthly list of who looked at whom, from the register of looks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pipeline import periods
from pipeline.pages import looks as page
from pipeline.pages.index import one_of, reader_of
from pipeline.periods import Period
from pipeline.publishing.desk import Desk, Sheet, stem
from pipeline.register.approvals import APPROVED

READER, KIND = "access", "looks"
NIGHT = "the night"
LOOKS = ("look", "reveal", "export")


def looks_sheets(desk: Desk, period: Period) -> list[Sheet]:
    """The list of a period."""
    made = page.build(period.title, desk.rules.school.name, _looks(desk, period), desk.versions)
    return [Sheet(READER, KIND, period, made)]


def due(desk: Desk) -> Period | None:
    """The month before that of the last judged day, when somebody or something showed people in it and it has no list yet."""
    last = max(desk.lake.judged(), default=None)
    before = periods.month(last.replace(day=1) - timedelta(days=1)) if last else None
    if before is None or desk.has(READER, stem(KIND, before)) or not any(True for _ in _entries(desk, before)):
        return None
    return before


def _entries(desk: Desk, period: Period) -> Iterator[Any]:
    return (entry for entry in desk.registers["access"].entries() if entry.body and period.holds(desk.date(entry.at)))


def _looks(desk: Desk, period: Period) -> page.Looks:
    by_people, approvals, pages = [], [], dict[tuple[str, str], tuple[int, int]]()
    for entry in _entries(desk, period):
        body = entry.body
        if entry.kind == APPROVED:
            approvals.append((desk.clock(entry.at), body["by"], body["role"], body["for"], body["what"],
                              f"{body['from']} to {body['to']}", body["until"], body["why"]))
        elif body.get("by") == NIGHT:
            of = one_of(str(body.get("page", ""))), reader_of(str(body.get("for", "")))
            times, named = pages.get(of, (0, 0))
            pages[of] = times + 1, named + len(body.get("refs", ()))
        elif entry.kind in LOOKS:
            by_people.append(_look(desk, entry.at, entry.kind, entry.ref, body))
    return page.Looks(by_people, dict(sorted(pages.items())), approvals)


def _look(desk: Desk, at: str, kind: str, ref: str, body: dict[str, Any]) -> page.Look:
    """One entry of the register as a look; entries of older versions do not say how many people, but how many rows."""
    refs = list(body.get("refs") or ([ref] if ref[:2] == "I-" else []))
    people = int(body.get("people") or (body.get("rows") if kind == "reveal" else 0) or len(refs))
    second = None if kind != "reveal" or people < 2 else str(body.get("second", ""))
    return page.Look(desk.clock(at), str(body.get("by", "")), str(body.get("what", kind)), refs, people,
                     str(body.get("why", "")), second)
