"""The night's pages: what each reader gets, put together from the lake and the registers, and written whole or not at all.

reports/technical/    nightly breach report, breaches.csv, changes.csv: no names
reports/safeguarding/ DSL list, with names (a logged reveal)
reports/principal/    staff matters, with names (a logged reveal)
reports/leadership/   termly summary: nobody can be told from it

Each folder has an index of its pages, which is made from their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import folders, judging, precision, register, render, unlisted
from pipeline.inferred import KINDS
from pipeline.judging import Rules
from pipeline.lake import Lake
from pipeline.pages import dsl, failed, index, nightly, principal, termly
from pipeline.policy import in_force
from pipeline.privacy import login_key, pseudonym
from pipeline.problems import Problem
from pipeline.registers import Registers
from pipeline.school import School
from pipeline.schoolday import is_open, local, term_of
from pipeline.tables import COVERAGE, FILTER_NAMES, HOSTS, INCIDENTS, TALLIES

OVERLAY = {"dsl": "tell the DSL (safeguarding overlay)", "dsl_weekly_list": "the DSL's weekly list (safeguarding overlay)",
           "principal": "tell the Principal (safeguarding overlay)"}
SEALED = "sealed"
LIMITS = ("Phones on mobile data, apps, messages, and what is said inside permitted platforms are not in the filter's log.",
          "Without decryption the log names a host, not a page.",
          "This summary is made after the event and does not replace the filter's own live alerts.")

KEPT = {"technical": "Pages are kept for {0.pages_days:,} days, and then destroyed with a record. They name nobody.",
        "safeguarding": "Pages are kept for {1:,} days, and then destroyed with a record. They are for you and your deputies.",
        "principal": "Pages are kept for {1:,} days, and then destroyed with a record. They are for you alone.",
        "leadership": "Summaries are kept for {0.summaries_years} years, and then destroyed with a record. They name nobody."}


@dataclass(frozen=True)
class Desk:
    """All that the pages are made from."""

    folder: Path
    lake: Lake
    rules: Rules
    registers: Registers
    names: Mapping[str, str]
    versions: Mapping[str, object]
    groups: Mapping[str, int] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    @property
    def zone(self) -> str:
        """The school's time zone."""
        return self.rules.school.calendar.timezone

    def lacks(self, day: date) -> bool:
        """Whether a page of a judged day is not there, or says only that a night failed."""
        pages = (f"technical/nightly-{day}.html", f"safeguarding/dsl-list-{day}.html", f"principal/principal-{day}.html")
        there = all((self.folder / "reports" / page).exists() for page in pages)
        return not there or folders.says(self.folder / "reports" / pages[0], failed.TITLE)

    def write(self, reader: str, name: str, text: str) -> None:
        """Write one page of one reader, for the group that reads it."""
        place = self.folder / "reports" / reader / name
        folders.put_page(place, text, self.groups.get(reader))
        self.written.append(place)


def who_is(rules: Rules, key: bytes, vault: Mapping[str, str], day: date) -> dict[str, str]:
    """A name for each pseudonym: from people.csv, else the login itself."""
    named = {pseudonym(key, "p", login_key(person.username)): person.name for person in rules.people if person.on(day)}
    return {name: raw for name, raw in vault.items() if name.startswith("p")} | named


def overdue(rules: Rules, day: date) -> str:
    """The sentence that says the policy's review is overdue; empty when it is not."""
    due = rules.policy.review_due
    return f"The e-safety policy's review has been overdue since {due:%B %Y}." if due < day else ""


def nightly_page(desk: Desk, day: date, problems: Sequence[Problem], counts: Mapping[str, int],
                 silent: Sequence[str] = ()) -> None:
    """The nightly breach report of one day, and its two CSV files; `silent`: logs that said nothing and should have."""
    breaches = breach_rows(desk, day)
    changes = change_rows(desk)
    queue, seals = Counter[str](), []
    for state in desk.registers.incidents().values():
        if state.detected and state.waiting:
            queue[state.summary["route"]] += state.summary["route"] != "sealed"
            seals += [state.ref] if state.summary["route"] == "sealed" and state.day == str(day) else []
    page = nightly.build(day, desk.rules.school.name, desk.lake.table(COVERAGE, [day]), problems,
                         [row for row in breaches if row["last_day"] == str(day) or row["first_blocked"] is None],
                         [row for row in changes if not row["why"]], counts, queue, seals, overdue(desk.rules, day),
                         desk.versions, filter_names=desk.lake.table(FILTER_NAMES, [day]).to_pylist(), expected=silent,
                         zone=desk.zone, exceptions=_exceptions(desk, day), hidden=hidden_on(desk, day),
                         proposals=_proposals(desk, day),
                         unknown=unlisted.of_week(desk.lake, desk.rules, day)
                         if unlisted.ends_week(desk.rules.school.calendar, day) else (),
                         misplaced=judging.overblocked(desk.lake.table(HOSTS, [day]), desk.rules, day))
    desk.write("technical", f"nightly-{day}.html", render.html(page))
    desk.write("technical", "breaches.csv", _csv(breaches, ("ref", "part", "site", "profile", "category", "method", "worked",
                                                            "people", "opened_day", "first_seen", "first_blocked")))
    desk.write("technical", "changes.csv", _csv(changes, ("ref", "at", "object", "kind", "before", "after", "size", "who",
                                                          "why", "approver")))


def hidden_on(desk: Desk, day: date) -> dict[str, int]:
    """How many detections of a day are not shown, by why."""
    rows = desk.lake.table(TALLIES, [day]).to_pylist()
    return {row["of"]: row["count"] for row in rows if row["measure"] == "hidden detections"}


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
    for reader in folders.READERS:
        files, place = folders.pages(folder, reader), folder / "reports" / reader
        wrong = [file for file in files if reader == "technical" and folders.says(place / file, failed.TITLE)]
        page = index.build(reader, school.name, files, wrong, KEPT[reader].format(school.retention, min(
            school.retention.pages_days, school.retention.incidents_days)))
        folders.renew(place / folders.INDEX, render.html(page), groups.get(reader))


def _csv(rows: Sequence[Mapping[str, Any]], header: Sequence[str]) -> str:
    return render.csv_text(header, [[row[name] for name in header] for row in rows])


def breach_rows(desk: Desk, day: date) -> list[dict[str, Any]]:
    """Every breach still seen, oldest first."""
    states = desk.registers.breaches().values()
    return [_breach_row(state, day) for state in states if state.detected and not state.purged and min(state.days) <= str(day)]


def _breach_row(state: register.BreachState, day: date) -> dict[str, Any]:
    worked = {str(body["worked"]) for body in state.days.values()}
    opened = min(state.days)
    return dict(state.summary) | {
        "ref": state.ref, "worked": worked.pop() if len(worked) == 1 else "mixed", "people": state.people,
        "opened_day": date.fromisoformat(opened), "last_day": max(state.days), "days": tuple(state.days),
        "is_new": opened == str(day),
        "first_seen": _moment(state.first_seen), "first_blocked": _moment(state.blocked_at)}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def change_rows(desk: Desk) -> list[dict[str, Any]]:
    """Every change recorded, oldest first."""
    tiers = {name: category.tier for name, category in desk.rules.policy.categories.items()}
    return [{"inferred": c.kind in KINDS, "apart": c.kind in KINDS and tiers.get(c.mark[11:]) in ("T0", "T1"),
             "ref": c.ref, "at": c.opened_at, "object": c.object, "kind": c.kind, "before": c.before, "after": c.after,
             "size": c.size, "who": c.who, "why": c.why, "approver": c.approver}
            for c in desk.registers.changes().values() if not c.purged]


def named_pages(desk: Desk, day: date) -> None:
    """The DSL list and the Principal's page of one day. Printing names is a reveal, written down first."""
    states = [s for s in desk.registers.incidents().values()
              if s.day == str(day) and s.detected and s.waiting]
    reasons = {row["story"]: row for row in _stories(desk, day)} | {"": {"period": "", "network": "", "reasons": ()}}
    seen_before = {s.summary["subject"] for s in desk.registers.incidents().values()
                   if s.detected and s.day < str(day)}
    items = [_item(desk, s, reasons[s.story], seen_before) for s in states
             if s.summary["route"] != "sealed" and s.story in reasons]
    seals = [{"ref": s.ref, "raised": _when(desk, s.summary["started"]), "subject": s.summary["actor"],
              "list": "the filter's illegal-content list"} for s in states if s.summary["route"] == "sealed"]
    hidden = hidden_on(desk, day)
    for reader, name, page in (
            ("safeguarding", "dsl-list", dsl.build(day, desk.rules.school.name, items, seals, "", desk.versions, hidden)),
            ("principal", "principal", principal.build(day, desk.rules.school.name, items, seals, desk.versions, hidden))):
        shown = [item["ref"] for item in items if item["person"] and (item["route"] == "staff") == (reader == "principal")]
        if shown:
            reveal(desk, f"{name}-{day}", {"page": name, "day": str(day), "refs": shown, "by": "the night", "for": reader,
                                            "judged": desk.lake.generation(day)})
        desk.write(reader, f"{name}-{day}.html", render.html(page))


def reveal(desk: Desk, page: str, body: dict[str, Any]) -> None:
    """Write a reveal down, once for each judging of the day: a night cut short prints the same page again."""
    access = desk.registers["access"]
    last = [entry.body for entry in access.entries() if entry.ref == page][-1:]
    if last != [body]:
        access.append("reveal", page, body)


def _stories(desk: Desk, day: date) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = desk.lake.table(INCIDENTS, [day]).to_pylist()
    return rows


def _item(desk: Desk, state: register.IncidentState, story: Mapping[str, Any], seen_before: set[str]) -> dict[str, Any]:
    """One incident as the pages take it."""
    policy, body = in_force(desk.rules.policy, date.fromisoformat(state.day)), state.summary
    rows = [policy.sanctions[row] for row in body["rows"] if row in policy.sanctions]
    return {"ref": state.ref, "tier": body["tier"], "route": body["route"], "person": body["person"],
            "who": desk.names.get(body["person"] or "", "an unnamed device"), "year": body["year"],
            "when": _when(desk, body["started"]), "period": story["period"], "network": story["network"],
            "categories": [policy.categories[c].title if c in policy.categories else c for c in body["categories"]],
            "outcome": body["outcome"], "visits": body["visits"], "requests": body["requests"],
            "reasons": story["reasons"] or [told(state)],
            "rows": [{"id": row.id, "text": row.text, "definite": [policy.columns[c] for c in row.definite],
                      "possible": [policy.columns[c] for c in row.possible]} for row in rows],
            "overlay": sorted({OVERLAY.get(w, w.replace("_", " ")) for row in rows for w in policy.overlay.get(row.id, ())}),
            "questions": [f"{q}: {policy.questions[q].text}" for q in body["questions"] if q in policy.questions],
            "state": state.state, "first_time": body["subject"] not in seen_before}


def told(state: register.IncidentState) -> str:
    """What somebody told of an incident that no log shows; empty of one that was detected."""
    entered = (event.body for event in state.history if event.kind == "entered")
    return next((f"told by {body['source']}: {body['reason']}" for body in entered), "")


def _when(desk: Desk, started: str) -> str:
    at = local(datetime.fromisoformat(started), desk.zone)
    return f"{at:%a} {at.day} {at:%b %Y}, {at:%H:%M}"


def last_term(desk: Desk, day: date) -> None:
    """Write the summary of the term that holds `day`, else of the last one before it, as its incidents stand now."""
    within = [min(day, term.last) for term in desk.rules.school.calendar.terms if term.first <= day]
    if within:
        termly_page(desk, max(within))


def termly_page(desk: Desk, day: date) -> None:
    """The termly summary of the term that holds `day`, up to that day; nothing outside terms."""
    term = term_of(desk.rules.school.calendar, day)
    if term is None:
        return
    halves = [t for t in desk.rules.school.calendar.terms if t.name == term.name and abs((t.first - term.first).days) < 120]
    first, last = min(t.first for t in halves), max(t.last for t in halves)
    days = [d for d in desk.lake.judged() if first <= d <= last]
    until = max(days, default=day)
    school_days = [d for d in (first + timedelta(n) for n in range((until - first).days + 1))
                   if is_open(desk.rules.school.calendar, d)]
    page = termly.build(f"{term.name.capitalize()} term", first, last, desk.rules.school.name, desk.lake.table(COVERAGE, days),
                        _numbers(desk, days), _by_row(desk, days), _breaches(desk, days),
                        _changes(desk, first, last), _questions(desk, days), _duties(desk, day), (*LIMITS, *_hidden(desk, days)),
                        desk.rules.school.small_number, _tallies(desk, days), school_days=school_days, by_day=by_day(desk, days),
                        policy_overdue=overdue(desk.rules, day), versions=desk.versions)
    desk.write("leadership", f"termly-{first.year}-{term.name}.html", render.html(page))


def _numbers(desk: Desk, days: Sequence[date]) -> list[tuple[str, str, str, str]]:
    wanted = {str(day) for day in days}
    states = [s for s in desk.registers.incidents().values() if s.day in wanted]
    breaches = _breaches(desk, days)
    confirmed = {s.summary["subject"] for s in states if s.verdict == "confirmed" and s.summary["actor"] == "student"}
    waiting = sum(1 for s in states if s.waiting and s.detected)
    failures = [row for row in breaches if row["part"] == "failure"]
    worked = {row["method"] for row in breaches if row["part"] != "failure" and row["worked"] != "no"}
    roll, small = desk.rules.school.pupils_on_roll, desk.rules.school.small_number
    told = f"{len(confirmed) * 100 / roll:.1f}" if not 0 < len(confirmed) < small else f"fewer than {small} pupils"
    none = "No earlier term is kept yet."
    return [("Pupils with a confirmed incident, per 100 on roll", told, "Confirmed by a person.", none),
            ("Incidents that wait for a person", f"fewer than {small}" if 0 < waiting < small else str(waiting),
             "Suspected, not yet looked at.", none),
            ("Filter failures", str(len(failures)), "Sites let through where the filter is meant to block, by profile.", none),
            ("Failures not blocked yet", str(sum(1 for row in failures if row["first_blocked"] is None)), "As the log shows.",
             none),
            ("Ways round the filter that worked", str(len(worked)), "Kinds of method, not people.", none)]


def _breaches(desk: Desk, days: Sequence[date]) -> list[dict[str, Any]]:
    """The breaches seen on any of these days."""
    wanted = {str(day) for day in days}
    rows = breach_rows(desk, max(days, default=date.min))  # what was sealed is for the DSL and the Principal, not for this page
    return [row for row in rows if wanted.intersection(row["days"]) and row["site"] != SEALED]


def _changes(desk: Desk, first: date, last: date) -> Counter[str]:
    """How many changes of each kind came to light from `first` to `last`, by the school's clock."""
    found = ((local(datetime.fromisoformat(row["at"]), desk.zone).date(), row["kind"]) for row in change_rows(desk))
    return Counter(kind for day, kind in found if first <= day <= last)


def _by_row(desk: Desk, days: Sequence[date]) -> list[tuple[str, str, int, int, int]]:
    wanted, counts = {str(day) for day in days}, Counter[tuple[str, str]]()
    for state in desk.registers.incidents().values():
        if state.day in wanted and (state.detected or state.touched):
            counts.update((row, state.verdict or "suspected") for row in (state.rows or state.summary.get("rows", ())))
    return [(row.id, row.text, counts[row.id, "suspected"], counts[row.id, "confirmed"], counts[row.id, "dismissed"])
            for row in desk.rules.policy.sanctions.values()]


def _questions(desk: Desk, days: Sequence[date]) -> list[tuple[Any, ...]]:
    touched: Counter[str] = Counter()
    for row in desk.lake.table(TALLIES, days).to_pylist():
        touched[row["of"]] += row["count"] if row["measure"] == "visits by question" else 0
    return [(q.id, q.text, q.readings, q.default, q.owner, touched[q.id])
            for q in desk.rules.policy.questions.values() if touched[q.id] and not q.decision]


def _duties(desk: Desk, day: date) -> list[tuple[str, str, bool]]:
    due = desk.rules.policy.review_due
    return [("Review of the e-safety policy", f"due {due.day} {due:%B %Y}", due < day)]


def _hidden(desk: Desk, days: Sequence[date]) -> list[str]:
    """The sentence on what exceptions and rules on watch kept from the figures; none when they kept nothing."""
    many = sum(sum(hidden_on(desk, day).values()) for day in days)
    small = desk.rules.school.small_number
    told = f"fewer than {small}" if many < small else f"{many:,}"
    return [f"Exceptions of the school and rules on watch keep {told} detections out of these figures."] if many else []


def _tallies(desk: Desk, days: Sequence[date]) -> list[tuple[str, str, int]]:
    """People by time of day and by category, the widest day of each: people of several days cannot be added."""
    headings = {"visits by band": "People online by time of day, on the busiest day",
                "visits against by category": "People with a visit against the policy, on the busiest day"}
    most: dict[tuple[str, str], int] = {}
    for row in desk.lake.table(TALLIES, days).to_pylist():
        if row["measure"] in headings:
            key = (headings[row["measure"]], row["of"])
            most[key] = max(most.get(key, 0), row["people"] or 0)
    return [(heading, of, people) for (heading, of), people in sorted(most.items())]


def by_day(desk: Desk, days: Sequence[date]) -> list[tuple[date, int, int]]:
    """Visits against the policy by day: blocked, and let through. From the tallies, which outlive the visits."""
    found: dict[date, list[int]] = {day: [0, 0] for day in days}
    for row in desk.lake.table(TALLIES, days).to_pylist():
        if row["measure"] == "visits against by outcome":
            found[row["day"]][row["of"] != "blocked"] += row["count"]
    return [(day, blocked, through) for day, (blocked, through) in sorted(found.items())]
