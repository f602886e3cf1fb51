"""The policy's questions: what is open, what hangs on it, and what was decided, by whom and why.

A decision is an entry of the register `decisions`; `rules/decisions.csv`, by which the night judges, is written from it, so that
it can be read beside the policy and disagrees with the register where somebody has edited it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import keyboard, render, rulefiles, schoolfolder
from pipeline.policy import DECISION_COLUMNS, DECISIONS, Question, in_force
from pipeline.policy.printed import asked, printed
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.ruleset import Rules
from pipeline.schoolday import Calendar, read_date, school_day, term_of
from pipeline.tables import TALLIES
from pipeline.textfiles import put_text
from pipeline.vault import load_keys

MAY_RECORD = ("dsl", "deputy_dsl", "principal", "principal_slt", "technical_services_manager")


def policy(folder: Path, day: date | None = None) -> list[str]:
    """The policy as printed, with the readings in use on `day` (else today)."""
    rules = schoolfolder.rules(folder)
    day = day or _today(rules)
    return printed(in_force(rules.policy, day), day)


def questions(folder: Path, day: date | None = None) -> list[str]:
    """The questions that are open on `day` (else today): readings, default, who decides, and the last judged term's numbers."""
    rules = schoolfolder.rules(folder)
    day = day or _today(rules)
    waiting = [question for question in in_force(rules.policy, day).questions.values() if not question.decision]
    effects = _Effects(folder, rules, day)
    said = [f"{len(waiting)} of {len(rules.policy.questions)} questions are open on {day}. {effects.heard}"]
    for question in waiting:
        said += ["", *asked(question, list(effects.of(question)))]
    return said


class _Effects:
    """What the numbers of the last judged term owe to each question."""

    def __init__(self, folder: Path, rules: Rules, day: date) -> None:
        self.rules, self.policy = rules, in_force(rules.policy, day)
        self.touched, self.conflicts, self.incidents = Counter[str](), Counter[str](), Counter[str]()
        self.heard = "No judged day of any term is kept, so nothing can be said of numbers."
        days: list[date] = []
        if (folder / "var/lake").is_dir():
            lake = schoolfolder.open_lake(folder, load_keys(folder / rules.school.keys))
            term, days = last_term(rules.school.calendar, lake.judged(), day)
            self._count(lake.table(TALLIES, days).to_pylist())
            self.heard = f"Numbers are of the {term} term, {len(days)} judged days." if days else self.heard
        wanted = {str(day) for day in days}
        for state in schoolfolder.incidents(folder).values():
            self.incidents.update(state.summary.get("questions", []) if state.day in wanted and state.detected else [])

    def _count(self, tallies: Sequence[dict[str, Any]]) -> None:
        for row in tallies:
            self.touched[row["of"]] += row["count"] if row["measure"] == "visits by question" else 0
            self.conflicts[row["of"]] += row["count"] if row["measure"] == "policy conflicts by category" else 0

    def of(self, question: Question) -> Iterator[str]:
        """What hangs on one question, in sentences."""
        touched, incidents = self.touched[question.id], self.incidents[question.id]
        yield f"{touched:,} visits and {incidents:,} incidents touch it" if touched or incidents else "nothing in these numbers"
        about = [each for each in self.policy.categories.values() if question.id in each.questions]
        conflicts = sum(self.conflicts[each.name] for each in about)
        if question.contradiction and conflicts:
            yield f"{conflicts:,} visits are a conflict: " + "; ".join(self._would(question, row) for row in _rows_of(about))
        yield from (f"reading {n} sets {', '.join(f'{key} = {value}' for key, value in made.items())}"
                    for n, made in enumerate(question.sets, 1) if made)

    def _would(self, question: Question, row: str) -> str:
        number = next((n for n, reading in enumerate(question.readings, 1) if row in reading), 0)
        against = self.policy.actions[row].reading.startswith("unacceptable")
        return f"{'against' if against else 'within'} the policy under reading {number}"


def _rows_of(categories: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(row for each in categories for row in (each.row, each.also_row) if row))


def last_term(calendar: Calendar, judged: Iterable[date], day: date) -> tuple[str, list[date]]:
    """The name of the last term up to `day` that has judged days, and those days: both halves of it."""
    found = [(term, each) for each in judged if each <= day and (term := term_of(calendar, each))]
    if not found:
        return "", []
    last = max(found, key=lambda pair: pair[1])
    return last[0].name, [each for term, each in found if term.name == last[0].name and last[1] - each < timedelta(days=150)]


def decide(folder: Path, ref: str, reading: str, who: str, why: str, since: date | None = None) -> str:
    """Record which reading holds, from `since` (else today) on; UsageError, RefusedError: nothing was recorded."""
    rules = schoolfolder.rules(folder)
    login = keyboard.login()
    role = rules.school.roles.get(login, "")
    if role not in MAY_RECORD:
        raise RefusedError(Problem(login, f"may not record decisions: the role is {role or 'none'}",
                                   f"a line under [roles]; may: {', '.join(MAY_RECORD)}"))
    chosen = _chosen(rules, ref, reading)
    given = (("who", "who decided", who), ("why", "why", why))
    faults = [Problem(ref, f"needs {word}", f"--{name}") for name, word, text in given if not text.strip()]
    if faults:
        raise UsageError(*faults)
    today = _today(rules)
    body = {"reading": chosen, "from": str(since or today), "decided_on": str(today), "who": " ".join(who.split()),
            "why": " ".join(why.split()), "by": login, "role": role}
    with rulefiles.locked(folder):
        schoolfolder.journal(folder, "decisions").append("decided", ref, body)
        put_text(folder / "rules" / DECISIONS, _csv(folder), 0o644)
    return (f"{ref}: {chosen!r} holds from {body['from']}, decided by {body['who']}. Days that are judged already keep their "
            "judgement until a late line has them judged again.")


def _chosen(rules: Rules, ref: str, reading: str) -> str:
    """The reading in full, from its number or its words."""
    if ref not in rules.policy.questions:
        raise UsageError(Problem(ref, "is no question of this policy", "schoolgate policy questions"))
    readings = rules.policy.questions[ref].readings
    by_word = {str(n): text for n, text in enumerate(readings, 1)} | {text: text for text in readings}
    if reading.strip() not in by_word:
        raise UsageError(Problem(ref, f"has no reading {reading!r}", f"1 ({readings[0]}) or 2 ({readings[1]})"))
    return by_word[reading.strip()]


def _csv(folder: Path) -> str:
    """decisions.csv as the register has it."""
    rows = [{"id": entry.ref, **entry.body} for entry in schoolfolder.journal(folder, "decisions").entries() if entry.body]
    return render.csv_text(DECISION_COLUMNS, [[row[name] for name in DECISION_COLUMNS] for row in rows])


def faults(folder: Path) -> list[Problem]:
    """A problem where decisions.csv is not what the register says; for `verify`."""
    path = f"rules/{DECISIONS}"
    held = rulefiles.texts(folder).get(path, "")
    if _lines(held) == _lines(_csv(folder)):
        return []
    return [Problem(str(folder / path), "does not say what the register of decisions says", "recording decisions by `schoolgate "
                    "policy decide` alone, which writes it anew")]


def _lines(text: str) -> list[str]:
    return text.lstrip("\ufeff").splitlines()[1:]


def _today(rules: Rules) -> date:
    return school_day(datetime.now(UTC), rules.school.calendar.timezone)


def a_day(text: str) -> date:
    """A day that a person typed, as 2026-09-01 or 01/09/2026; UsageError when it is neither."""
    found = read_date(text.strip())
    if found is None:
        raise UsageError(Problem(repr(text), "is not a date", "2026-09-01 or 01/09/2026"))
    return found
