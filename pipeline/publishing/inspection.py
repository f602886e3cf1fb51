"""The evidence for inspection: what is recorded of a period, as files by name, and the page to read first.

Leaders' and governors' pages go in as they were issued, so that making a pack prints no count anew. What people typed (reasons,
actions) may hold a pupil's name: it is taken out of every text that is made here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date

from pipeline import folders, periods, render
from pipeline.pages.inspection import Answer, build
from pipeline.pages.wording import several
from pipeline.periods import Period
from pipeline.policy import in_force
from pipeline.proving import Proven
from pipeline.publishing import checking, technical
from pipeline.publishing.desk import Desk, Sheet, overdue, stem
from pipeline.publishing.holdings import destroyed, held, holdings, looks

WITHHELD = "(name withheld)"
LACKING = (
    "Training of staff and governors, and what pupils are taught: they are not recorded here. "
    "Put the school’s own record beside this.",
    "The data protection impact assessment, and the privacy notices with their dates: they are not recorded here.",
    "Cases, names, and what anybody looked for. What was sealed, matters of welfare and of staff are with those who may "
    "see them.",
    "What the filter’s log does not hold: phones on mobile data, apps, messages.")


def inspection(desk: Desk, period: Period, known: Mapping[str, Proven]) -> dict[str, bytes]:
    """Every file of the pack by its name, the page to read first among them as index.html; `known`: what is known of each
    register."""
    logs = {"checks": checking.checks_sheets(desk, period)[0], "breaches": technical.breaches_sheet(desk, period),
            "changes": technical.changes_sheet(desk, period)}
    made = {name: text for sheet in logs.values() for name, text in _printed(sheet).items()} | holdings(desk, period, known)
    clean, taken = _without_names(made, desk)
    issued = _issued(desk, period)
    clean["issued.csv"] = render.csv_text(("page", "sha256", "as_in_the_register"), _compared(desk, issued))
    typed = f"{several(taken, 'name')} of pupils that somebody had typed into a reason or an action."
    until = min(period.last, max(desk.judged(period), default=period.last))
    span = f"{period.first.day} {period.first:%B %Y} to {until.day} {until:%B %Y}"
    page = build(desk.rules.school.name, period.title, span, _answers(desk, period, logs, sorted(issued), until, known),
                 (*LACKING, typed) if taken else LACKING, desk.versions)
    clean["index.html"] = render.html(page)
    clean |= {f"index.{name}.csv": render.grid_csv(grid) for name, grid in page.tables.items()}
    return {name: text.encode() for name, text in clean.items()} | issued


def _printed(sheet: Sheet) -> dict[str, str]:
    """A page and its tables, by file name."""
    tables = {f"{sheet.kind}.{name}.csv": render.grid_csv(grid) for name, grid in render.tables(sheet.page).items()}
    return {f"{sheet.kind}.html": render.html(sheet.page, sheet.basis), **tables}


def _issued(desk: Desk, period: Period) -> dict[str, bytes]:
    """The termly and annual pages of the terms and years that the period touches, as they were issued."""
    terms = [term for term in periods.terms(desk.rules.school.calendar)
             if term.first <= period.last and period.first <= term.last]
    years = {periods.year(day).name: periods.year(day) for day in (period.first, period.last)}
    wanted = [("leadership", stem("termly", term)) for term in terms]
    wanted += [("governors", stem("annual", year)) for year in years.values()]
    return {name: data for reader, page in wanted for name, data in folders.as_issued(desk.folder, reader, page).items()}


def _compared(desk: Desk, issued: Mapping[str, bytes]) -> list[list[str]]:
    """Each page with its sum, and whether the register of pages has the same."""
    known = {ref.rpartition("/")[2]: body.get("sha256") for ref, body in desk.registers.issued().pages.items()}
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in issued.items() if name.endswith(".html")}
    return [[name, found, "yes" if known.get(name.removesuffix(".html")) == found else "no"] for name, found in sums.items()]


def _answers(desk: Desk, period: Period, logs: Mapping[str, Sheet], issued: list[str], until: date,
             known: Mapping[str, Proven]) -> Iterator[Answer]:
    """What an inspector asks, and what is recorded of it."""
    yield from _of_policy(desk, period, until)
    checks = logs["checks"].page
    owed = several(len(checks.owed), "point is", "points are") if checks.owed else "Nothing is"
    yield Answer("Was the filter tested, on which devices, for whom, and with what result?", f"{checks.lede} {owed} owed.",
                 ("checks.html", "checks.places.csv", "checks.tests.csv"))
    yield Answer("What did the filter let through, and how soon was that mended?", logs["breaches"].page.lede, ("breaches.html",))
    yield Answer("What was changed in the filtering, by whom and why?", logs["changes"].page.lede, ("changes.html",))
    yield Answer("Were the logs complete?", desk.basis(period).heard, ("coverage.csv",))
    yield from _of_pages([name for name in issued if name.endswith(".html")])
    yield from _of_records(desk, period, sum(len(found.faults) for found in known.values()))


def _of_policy(desk: Desk, period: Period, until: date) -> Iterator[Answer]:
    policy = in_force(desk.rules.policy, period.last)
    lacking = [title.lower() for title, count in held(desk).items() if not count]
    yield Answer("Who is responsible?", f"Named in the settings, but for: {', '.join(lacking)}." if lacking else
                 "Each role is named in the settings.", ("roles.csv",))
    review = overdue(desk.rules, until) or f"Its review is due in {policy.review_due:%B %Y}."
    yield Answer("Which policy is in force, and was it reviewed?", f"{policy.title}, issued {policy.issued:%B %Y}. {review}",
                 ("policy.txt",))
    decided = [q for q in policy.questions.values() if q.decision]
    yield Answer("Where can the policy be read two ways, and what was decided?",
                 f"{several(len(policy.questions), 'question')}, {len(decided) or 'none'} of them decided.", ("questions.csv",))


def _of_pages(issued: list[str]) -> Iterator[Answer]:
    termly, annual = (tuple(name for name in issued if name.startswith(kind)) for kind in ("termly", "annual"))
    yield Answer("How are incidents followed up, and what do leaders decide each term?",
                 f"{several(len(termly), 'termly summary', 'termly summaries')}, as issued." if termly else
                 "No termly summary has been issued yet.", termly)
    yield Answer("What do governors get, and was filtering and monitoring reviewed this year?",
                 f"{several(len(annual), 'annual report')}, as issued; parents’ concerns are counted there." if annual else
                 "No annual report has been issued yet: it comes with the last school day of the year.", annual)


def _of_records(desk: Desk, period: Period, faults: int) -> Iterator[Answer]:
    many = sum(row[-1] for row in looks(desk, period))
    yield Answer("Who looked at names, and how often?",
                 f"{several(many, 'look or file', 'looks and files')} of the period, each written down before it was made.",
                 ("access.csv",))
    kept, runs = desk.rules.school.retention, len({row[0] for row in destroyed(desk, period)})
    yield Answer("How long are records kept, and are they destroyed?",
                 f"Lines {kept.lines_days:,} days, visits {kept.visits_days:,}, incidents {kept.incidents_days:,}, pages "
                 f"{kept.pages_days:,}; summaries and registers {kept.summaries_years} and {kept.registers_years} years. "
                 + (f"Destroyed on {several(runs, 'day')} of the period." if runs else "Nothing was destroyed in the period."),
                 ("destruction.csv",))
    yield Answer("Can the records be trusted?", f"{several(faults, 'fault')} in the registers: schoolgate verify names each."
                 if faults else "Every register holds.", ("registers.csv", "issued.csv", "versions.json"))


def _without_names(files: Mapping[str, str], desk: Desk) -> tuple[dict[str, str], int]:
    """The texts without the names and logins of pupils, and how many stood in them."""
    pupils = [person for person in desk.rules.people if person.role == "student"]
    words = {word for person in pupils for word in (person.name, person.username) if len(word) > 3}
    taken, clean = 0, {}
    for name, text in files.items():
        low = text.lower().replace("&#39;", "'")
        there = [word for word in words if word.lower() in low]
        clean[name], count = _taken(text, there) if there else (text, 0)
        taken += count
    return clean, taken


def _taken(text: str, words: list[str]) -> tuple[str, int]:
    either = "|".join(re.escape(word).replace("'", "(?:'|&#39;)") for word in sorted(words, key=len, reverse=True))
    return re.subn(rf"(?<!\w)(?:{either})(?!\w)", WITHHELD, text, flags=re.IGNORECASE)
