"""The pages that name people: the DSL list and week, the Principal's page, the digests of Heads of Year and House.

Printing names is a reveal, written down before the page is issued. Help-seeking is on none of them, staff matters are on the
Principal's alone, and a digest holds confirmed incidents of its own cohort and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pipeline import periods, register
from pipeline.pages import digest, dsl, principal
from pipeline.periods import Period
from pipeline.policy import in_force
from pipeline.publishing.desk import Desk, Sheet, houses, stem
from pipeline.publishing.technical import hidden_on
from pipeline.tables import INCIDENTS

OVERLAY = {"dsl": "tell the DSL (safeguarding overlay)", "dsl_weekly_list": "the DSL's weekly list (safeguarding overlay)",
           "principal": "tell the Principal (safeguarding overlay)"}
SEALED_LIST = "the filter's illegal-content list"
PASTORAL = ("class_teacher", "hof_hoh", "inform_parents", "warning", "further_sanction", "confiscation")
EARLIER = timedelta(days=14)  # a digest repeats what was confirmed in the fortnight before its week: last week's may be undone


def daily_sheets(desk: Desk, day: date) -> list[Sheet]:
    """The DSL list and the Principal's page of one day."""
    return [dsl_sheet(desk, day), principal_sheet(desk, day)]


def dsl_sheet(desk: Desk, day: date) -> Sheet:
    """The DSL list of one day."""
    items, seals = _items(desk, periods.day(day)), _seals(desk, periods.day(day))
    page = dsl.build(day, desk.rules.school.name, items, seals, "", desk.versions, hidden_on(desk, [day]))
    return _named(desk, "safeguarding", "dsl-list", periods.day(day), page, items)


def principal_sheet(desk: Desk, day: date) -> Sheet:
    """The Principal's page of one day."""
    items, seals = _items(desk, periods.day(day)), _seals(desk, periods.day(day))
    page = principal.build(day, desk.rules.school.name, items, seals, desk.versions, hidden_on(desk, [day]))
    return _named(desk, "principal", "principal", periods.day(day), page, items)


def week_sheet(desk: Desk, period: Period) -> Sheet:
    """The DSL's weekly list: all that was suspected in the week or before it and still waits, oldest first."""
    items, seals = _items(desk, period, carried=True), _seals(desk, period)
    page = dsl.week(period.title, period.first, desk.rules.school.name, items, seals, desk.versions,
                    hidden_on(desk, desk.judged(period)))
    return _named(desk, "safeguarding", "dsl-week", period, page, items)


def _named(desk: Desk, reader: str, kind: str, period: Period, page: Any, items: Sequence[Mapping[str, Any]]) -> Sheet:
    """A sheet with names; the reveal is written down first."""
    mine = [item["ref"] for item in items if item["person"] and (item["route"] == "staff") == (reader == "principal")]
    if mine:
        body = {"page": kind, "day": period.name, "refs": mine, "by": "the night", "for": reader,
                "judged": max((desk.lake.generation(day) for day in desk.judged(period)), default=0)}
        desk.reveal(stem(kind, period), body)
    return Sheet(reader, kind, period, page, desk.basis(period), about={"refs": mine})


def digest_sheets(desk: Desk, period: Period) -> list[Sheet]:
    """A digest for each year group, and for each house that has a group: those with something to tell, or with a group."""
    since, of = period.first - EARLIER, houses(desk.rules, desk.key, period.last)
    cases = [state for state in _confirmed(desk) if since <= desk.date(state.decided_at) <= period.last]
    cohorts = [(f"year-{_slug(year)}", f"Year {year}", [case for case in cases if case.summary["year"] == year])
               for year in desk.rules.school.years]
    cohorts += [(f"house-{_slug(house)}", f"{house} house",
                 [case for case in cases if of.get(case.summary["person"] or "") == house])
                for house in sorted({house for house in of.values() if house})
                if f"house-{_slug(house)}" in desk.rules.school.groups]
    sheets = [_digest(desk, period, *cohort) for cohort in cohorts]
    return [sheet for sheet in sheets if sheet]


def _digest(desk: Desk, period: Period, reader: str, cohort: str, cases: Sequence[register.IncidentState]) -> Sheet | None:
    if not cases and reader not in desk.rules.school.groups:
        return None
    refs = [state.ref for state in cases]
    if refs:
        desk.reveal(f"{reader} {stem('year-digest', period)}", {"page": "year-digest", "day": period.name, "refs": refs,
                                                                "by": "the night", "for": reader})
    page = digest.build(cohort, period.title, period.first, desk.rules.school.name, [_case(desk, state) for state in cases],
                        desk.versions)
    return Sheet(reader, "year-digest", period, page, desk.basis(period), about={"refs": refs})


def _confirmed(desk: Desk) -> Iterable[register.IncidentState]:
    """Confirmed incidents of pupils: neither welfare, nor sealed, nor staff."""
    return (state for state in desk.registers.incidents().values()
            if state.verdict == "confirmed" and state.summary["actor"] == "student" and state.summary["route"] == "student"
            and state.summary["tier"] in {"T2", "T3"})


def _case(desk: Desk, state: register.IncidentState) -> dict[str, Any]:
    """A confirmed incident as a digest takes it: what was decided, and no site, term or reason of the log."""
    policy = in_force(desk.rules.policy, date.fromisoformat(state.day))
    rows = [policy.sanctions[row] for row in state.rows if row in policy.sanctions]
    actions = {policy.columns[name] for row in rows for name in row.definite if name in PASTORAL}
    return {"ref": state.ref, "who": desk.names.get(state.summary["person"] or "", "a pupil whose name is no longer kept"),
            "confirmed": desk.date(state.decided_at), "happened": date.fromisoformat(state.day), "intent": state.intent,
            "rows": [f"{row.id} {row.text}" for row in rows], "outcome": state.summary["outcome"],
            "actions": [text for name, text in policy.columns.items() if text in actions]}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _waiting(desk: Desk, period: Period, carried: bool) -> list[register.IncidentState]:
    """What is suspected and of the period; `carried`: or of any day before it."""
    first = date.min if carried else period.first
    return [s for s in desk.registers.incidents().values()
            if s.detected and s.waiting and str(first) <= s.day <= str(period.last)]


def _seals(desk: Desk, period: Period) -> list[dict[str, Any]]:
    return [{"ref": s.ref, "raised": desk.clock(s.summary["started"]), "subject": s.summary["actor"], "list": SEALED_LIST}
            for s in _waiting(desk, period, False) if s.summary["route"] == "sealed"]


def _items(desk: Desk, period: Period, carried: bool = False) -> list[dict[str, Any]]:
    states = [s for s in _waiting(desk, period, carried) if s.summary["route"] != "sealed"]
    days = sorted({date.fromisoformat(s.day) for s in states})
    reasons = {(str(row["day"]), row["story"]): row for row in desk.lake.table(INCIDENTS, days).to_pylist()}
    first = _first_days(desk)
    return [_item(desk, s, reasons.get((s.day, s.story), {}), first[s.summary["subject"]] == s.day) for s in states
            if carried or not s.story or (s.day, s.story) in reasons]


def _first_days(desk: Desk) -> dict[str, str]:
    """The first day on which each subject was on a list."""
    found: dict[str, str] = {}
    for state in desk.registers.incidents().values():
        if state.detected:
            subject = state.summary["subject"]
            found[subject] = min(state.day, found.get(subject, state.day))
    return found


def told(state: register.IncidentState) -> str:
    """What somebody told of an incident that no log shows; empty of one that was detected."""
    entered = (state.history[n].body for n, kind in enumerate(state.kinds) if kind == "entered")
    return next((f"told by {body['source']}: {body['reason']}" for body in entered), "")


def _when(desk: Desk, body: Mapping[str, Any]) -> str:
    """When it began; the day alone where whoever told of it named no time."""
    when = desk.clock(body["started"])
    return when.partition(",")[0] if body.get("time") == register.UNTOLD else when


def _item(desk: Desk, state: register.IncidentState, story: Mapping[str, Any], first_time: bool) -> dict[str, Any]:
    """One incident as the pages take it; `story` is empty once its day has been purged."""
    policy, body = in_force(desk.rules.policy, date.fromisoformat(state.day)), state.summary
    rows = [policy.sanctions[row] for row in body["rows"] if row in policy.sanctions]
    return {"ref": state.ref, "tier": body["tier"], "route": body["route"], "person": body["person"], "day": state.day,
            "who": desk.names.get(body["person"] or "", "an unnamed device"), "year": body["year"],
            "when": _when(desk, body), "period": story.get("period"), "network": story.get("network"),
            "categories": [policy.categories[c].title if c in policy.categories else c for c in body["categories"]],
            "outcome": body["outcome"], "visits": body["visits"], "requests": body["requests"],
            "reasons": story.get("reasons") or [told(state) or "what the log showed of it is no longer kept"],
            "rows": [{"id": row.id, "text": row.text, "definite": [policy.columns[c] for c in row.definite],
                      "possible": [policy.columns[c] for c in row.possible]} for row in rows],
            "overlay": sorted({OVERLAY.get(w, w.replace("_", " ")) for row in rows for w in policy.overlay.get(row.id, ())}),
            "questions": [f"{q}: {policy.questions[q].text}" for q in body["questions"] if q in policy.questions],
            "state": state.state, "first_time": first_time}
