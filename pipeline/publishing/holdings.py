"""The tables of the evidence for inspection: policy, questions, roles, coverage, looks, destruction, registers, versions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline import render
from pipeline.periods import Period
from pipeline.policy import in_force
from pipeline.policy.printed import printed
from pipeline.proving import Proven
from pipeline.publishing.desk import Desk
from pipeline.tables import COVERAGE

ROLES = {"dsl": "Designated safeguarding lead", "deputy_dsl": "Deputy safeguarding lead", "principal": "Principal",
         "principal_slt": "Senior leader", "technical_services_manager": "Technical Services Manager",
         "dpo": "Data protection officer", "chair_of_governors": "Chair of governors"}
ASKED = ("id", "question", "readings", "in_use_until_decided", "decides", "decision", "decided_on")
COVERED = ("day", "logs_heard", "lines", "requests", "rejects", "repeats", "name_a_person_percent", "show_a_page_percent",
           "longest_silence_minutes")
COUNTED = ("lines", "requests", "rejects", "repeats")


def holdings(desk: Desk, period: Period, known: Mapping[str, Proven]) -> dict[str, str]:
    """Each table as a file by its name; `known`: what is known of each register."""
    policy = in_force(desk.rules.policy, period.last)
    asked = ([q.id, q.text, " / ".join(q.readings), q.default, q.owner, q.decision, q.decided_on]
             for q in policy.questions.values())
    heads = ([name, found.entries, found.head] for name, found in known.items())
    return {
        "policy.txt": "\n".join(printed(policy, period.last)) + "\n",
        "questions.csv": render.csv_text(ASKED, asked),
        "roles.csv": render.csv_text(("role", "people"), ([title, count] for title, count in held(desk).items())),
        "coverage.csv": render.csv_text(COVERED, _coverage(desk, period)),
        "access.csv": render.csv_text(("month", "what", "of", "times"), looks(desk, period)),
        "destruction.csv": render.csv_text(("on", "what", "count"), destroyed(desk, period)),
        "registers.csv": render.csv_text(("register", "entries", "head"), heads),
        "versions.json": json.dumps(desk.versions, indent=2, ensure_ascii=False) + "\n"}


def held(desk: Desk) -> dict[str, int]:
    """How many people hold each role of the settings."""
    many = Counter(desk.rules.school.roles.values())
    return {title: many[role] for role, title in ROLES.items()}


def _coverage(desk: Desk, period: Period) -> Iterator[list[Any]]:
    """A row a school day, silent ones too."""
    rows = desk.rows(COVERAGE, desk.judged(period))
    for day in sorted({*desk.open_days(period), *(row["day"] for row in rows)}):
        of = [row for row in rows if row["day"] == day and row["lines"]]
        total = {name: sum(row[name] for row in of) for name in (*COUNTED, "unattributed", "paged")}
        asked = total["requests"]
        shares = [round(100 * part / asked) if asked else None for part in (asked - total["unattributed"], total["paged"])]
        silence = max((row["gap_minutes"] or 0 for row in of), default=None)
        yield [day, len(of), *(total[name] for name in COUNTED), *shares, silence]


def looks(desk: Desk, period: Period) -> list[list[Any]]:
    """How often names were shown or files made, by month: never who looked at whom."""
    times = Counter[tuple[str, str, str]]()
    for entry in desk.registers["access"].entries():
        if entry.body is not None and period.holds(desk.date(entry.at)):
            times[entry.at[:7], entry.kind, str(entry.body.get("page") or entry.body.get("what") or "file")] += 1
    return [[*of, count] for of, count in sorted(times.items())]


def destroyed(desk: Desk, period: Period) -> list[list[Any]]:
    """What the purges of the period removed."""
    return [[desk.date(entry.at), what, count] for entry in desk.registers["destruction"].entries()
            if entry.kind == "destroyed" and entry.body and period.holds(desk.date(entry.at))
            for what, count in entry.body["counts"].items() if count]
