"""Technical services' pages: the nightly breach report, the change log and the breach log. They name nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import folders, judging, periods, precision, register, render, unlisted
from pipeline.inferred import KINDS
from pipeline.pages import failed, index, logs, nightly
from pipeline.periods import Period
from pipeline.problems import Problem
from pipeline.publishing.desk import Desk, Sheet, overdue, ref
from pipeline.school import School
from pipeline.tables import COVERAGE, FILTER_NAMES, HOSTS, TALLIES

BREACHES = ("ref", "part", "site", "profile", "category", "method", "worked", "people", "opened_day", "first_seen",
            "first_blocked")
KEPT = {"technical": "Pages are kept for {0.pages_days:,} days, and then destroyed with a record. They name nobody.",
        "safeguarding": "Pages are kept for {1:,} days, and then destroyed with a record. They are for you and your deputies.",
        "access": "Lists are kept for {1:,} days, and then destroyed with a record. They name those who looked, nobody else.",
        "": "Pages are kept for {1:,} days, and then destroyed with a record. They are for you alone.",
        "leadership": "Summaries are kept for {0.summaries_years} years, and then destroyed with a record. They name nobody.",
        "governors": "Reports are kept for {0.summaries_years} years, and then destroyed with a record. They name nobody."}
NEVER = "no"  # what never worked was blocked whenever it was tried
CHANGES = ("ref", "at", "object", "kind", "before", "after", "size", "who", "why", "approver")


def nightly_sheet(desk: Desk, day: date, problems: Sequence[Problem], silent: Sequence[str]) -> Sheet:
    """The nightly breach report of one day; `silent`: logs that said nothing and should have."""
    breaches = breach_rows(desk, day)
    queue, seals = Counter[str](), []
    for state in desk.registers.incidents().values():
        if state.detected and state.waiting:
            queue[state.summary["route"]] += state.summary["route"] != "sealed"
            seals += [state.ref] if state.summary["route"] == "sealed" and state.day == str(day) else []
    counts = desk.lake.judged().get(day, {}).get("counts", {})
    page = nightly.build(day, desk.rules.school.name, desk.lake.table(COVERAGE, [day]), problems,
                         [row for row in breaches if row["last_day"] == str(day) or row["first_blocked"] is None],
                         [row for row in change_rows(desk) if not row["why"]], counts, queue, seals, overdue(desk.rules, day),
                         desk.versions, filter_names=desk.lake.table(FILTER_NAMES, [day]).to_pylist(), expected=silent,
                         zone=desk.zone, exceptions=_exceptions(desk, day), hidden=hidden_on(desk, [day]),
                         proposals=_proposals(desk, day),
                         unknown=unlisted.of_week(desk.lake, desk.rules, day)
                         if unlisted.ends_week(desk.rules.school.calendar, day) else (),
                         misplaced=judging.overblocked(desk.lake.table(HOSTS, [day]), desk.rules, day))
    about = {"problems": [[p.where, p.what, p.try_this] for p in problems], "silent": list(silent)}
    return Sheet("technical", "nightly", periods.day(day), page, desk.basis(periods.day(day)), about=about)


def nightly_again(desk: Desk, day: date) -> Sheet:
    """The nightly breach report of a past day, with what its night had met."""
    met = desk.registers.issued().pages.get(ref("technical", "nightly", periods.day(day)), {})
    return nightly_sheet(desk, day, [Problem(*texts) for texts in met.get("problems", ())], met.get("silent", ()))


def whole_logs(desk: Desk, day: date) -> None:
    """The breach log and the change log whole, as CSV files for a spreadsheet."""
    desk.write("technical", "breaches.csv", _csv(breach_rows(desk, day), BREACHES))
    desk.write("technical", "changes.csv", _csv(change_rows(desk), CHANGES))


def breaches_sheet(desk: Desk, period: Period) -> Sheet:
    """The breach log of a period."""
    rows = [row for row in breach_rows(desk, period.last) if any(period.holds(date.fromisoformat(day)) for day in row["days"])]
    page = logs.breaches(period.title, desk.rules.school.name, rows, desk.versions, desk.zone)
    return Sheet("technical", "breaches", period, page, desk.basis(period))


def changes_sheet(desk: Desk, period: Period) -> Sheet:
    """The change log of a period, by the day on which a change came to light."""
    rows = [row for row in change_rows(desk) if period.holds(desk.date(row["at"]))]
    page = logs.changes(period.title, desk.rules.school.name, rows, desk.versions, desk.zone)
    return Sheet("technical", "changes", period, page, desk.basis(period))


def hidden_on(desk: Desk, days: Sequence[date]) -> dict[str, int]:
    """How many detections of these days are not shown, by why."""
    hidden = Counter[str]()
    for row in desk.rows(TALLIES, days):
        if row["measure"] == "hidden detections":
            hidden[row["of"]] += row["count"]
    return hidden


def _proposals(desk: Desk, day: date) -> list[str]:
    """A sentence for each rule that people kept finding wrong in the four weeks up to a day."""
    triage = desk.rules.school.triage
    found = precision.records(precision.decisions(desk.registers.incidents().values()), day, triage.precision)
    return precision.proposals(found, [rule.name for rule in desk.rules.rules if rule.watch], triage.precision, triage.least)


def _exceptions(desk: Desk, day: date) -> list[dict[str, Any]]:
    """The exceptions in force on a day."""
    return [{"label": one.label, "owner": one.owner, "approver": one.approver, "until": one.until}
            for one in desk.rules.exceptions if day <= one.until]


def failed_page(folder: Path, school: School | None, day: date, causes: Sequence[Problem], problems: Sequence[Problem],
                versions: Mapping[str, object]) -> None:
    """Write the nightly page of a night that could not be finished, in the place of the breach report; OSError."""
    groups, more = folders.share(folder, school.groups if school else {})
    page = failed.build(day, school.name if school else "", causes, [*problems, *more], versions)
    folders.put_page(folder / "reports/technical" / f"nightly-{day}.html", render.html(page), groups.get("technical"))
    if school:
        indexes(folder, school, groups)


def indexes(folder: Path, school: School, groups: Mapping[str, int]) -> None:
    """Bring the index of each reader up to the pages that are there."""
    for reader in folders.readers(folder / "reports", school.groups):
        files, place = folders.pages(folder, reader), folder / "reports" / reader
        wrong = [file for file in files if reader == "technical" and folders.says(place / file, failed.TITLE)]
        days = min(school.retention.pages_days, school.retention.incidents_days)
        page = index.build(reader, school.name, files, wrong, KEPT.get(reader, KEPT[""]).format(school.retention, days))
        folders.renew(place / folders.INDEX, render.html(page), groups.get(reader))


def _csv(rows: Sequence[Mapping[str, Any]], header: Sequence[str]) -> str:
    return render.csv_text(header, [[row[name] for name in header] for row in rows])


def breach_rows(desk: Desk, day: date) -> list[dict[str, Any]]:
    """Every breach still seen, oldest first."""
    states = desk.registers.breaches().values()
    return [_breach_row(state, day) for state in states if state.detected and not state.purged and min(state.days) <= str(day)]


def _breach_row(state: register.BreachState, day: date) -> dict[str, Any]:
    outcomes = {str(body["worked"]) for body in state.days.values()}
    worked = outcomes.pop() if len(outcomes) == 1 else "mixed"
    opened = min(state.days)
    return dict(state.summary) | {
        "ref": state.ref, "worked": worked, "people": state.people,
        "opened_day": date.fromisoformat(opened), "last_day": max(state.days), "days": tuple(state.days),
        "is_new": opened == str(day),
        "first_seen": _moment(state.first_seen),
        "first_blocked": _moment(state.first_seen if worked == NEVER else state.blocked_at)}  # stopped from the first


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def change_rows(desk: Desk) -> list[dict[str, Any]]:
    """Every change recorded, oldest first."""
    tiers = {name: category.tier for name, category in desk.rules.policy.categories.items()}
    return [{"inferred": c.kind in KINDS, "apart": c.kind in KINDS and tiers.get(c.mark[11:]) in ("T0", "T1"),
             "ref": c.ref, "at": c.opened_at, "object": c.object, "kind": c.kind, "before": c.before, "after": c.after,
             "size": c.size, "who": c.who, "why": c.why, "approver": c.approver}
            for c in desk.registers.changes().values() if not c.purged]
