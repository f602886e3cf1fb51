"""The policy's files as text in, the policy as values out, every fault at once.

The tables stand in `rules/` as they are printed. Which columns table 7.2 has is said by `[columns]` of policy.toml; tables 6.1
and 4.2 may leave out columns that a school's policy does not print. `decisions.csv` (dated answers to the policy's questions)
and `guidance/*.toml` (what others expect beyond the policy) may be missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from pipeline.policy.book import Book, Span, must
from pipeline.policy.guidance import read_guidance
from pipeline.policy.values import (
    COMMUNICATIONS,
    FILTERS,
    PROPOSAL_WORDS,
    QUERY,
    STUDENT_COLUMNS,
    TICKS,
    TIERS,
    VERDICTS,
    ActionRow,
    AnyRow,
    Category,
    CommunicationRow,
    Decision,
    Guidance,
    Number,
    Policy,
    Proposal,
    Question,
    SanctionRow,
    as_decided,
    by_table,
)
from pipeline.problems import Problem
from pipeline.schoolday import read_date
from pipeline.suggestions import nearest_or_all

FILES = ("acceptable_use.csv", "sanctions.csv", "communications.csv", "policy.toml", "questions.toml",
         "categories.toml", "intent.toml")
DECISIONS = "decisions.csv"
DECISION_COLUMNS = ("id", "reading", "from", "decided_on", "who", "why")


def read_policy(files: Mapping[str, str]) -> tuple[Policy | None, list[Problem]]:
    """The policy of these texts (by file name, with or without its folder), or none, and every fault found."""
    named = {path.rsplit("/", 1)[-1]: (path, text) for path, text in files.items()}
    faults = [Problem(name, "is missing", "copy it from the starter rules") for name in FILES if name not in named]
    if faults:
        return None, faults
    book = Book(named)
    plain = book.toml("policy.toml")
    columns = _columns(book, plain)
    rows = _rows(book, columns)
    questions = {name: q for name, body in book.toml("questions.toml").items() if (q := _question(book, name, body))}
    known = {row.id for row in rows}
    categories = {name: _category(book, name, body, known, questions)
                  for name, body in book.toml("categories.toml").items()}
    intent = {name: n for name, body in book.toml("intent.toml").items() if (n := _number(book, name, body))}
    dates = [book.day("policy.toml", plain, name) for name in ("issued", "review_due")]
    decisions = book.table(DECISIONS, partial(_decision, questions), DECISION_COLUMNS) if DECISIONS in named else []
    guidance = [read_guidance(book, name, known) for name in sorted(named) if "guidance/" in named[name][0]]
    _repeat(book, plain, known)
    if book.faults or dates[0] is None or dates[1] is None:
        return None, sorted(set(book.faults))
    return Policy(title=str(plain.get("title", "")), issued=dates[0], review_due=dates[1], columns=columns,
                  questions=as_decided(questions, decisions), asked=questions, decisions=tuple(decisions),
                  categories={name: c for name, c in categories.items() if c}, intent=intent, overlay=_told(guidance),
                  guidance=tuple(guidance), more=plain, rows=tuple(rows), **by_table(rows)), []


def _columns(book: Book, plain: Mapping[str, Any]) -> dict[str, str]:
    """The columns of table 7.2 in order: their short names, and the headings printed."""
    columns = plain.get("columns")
    if not isinstance(columns, dict) or not columns:
        if plain:
            book.say("policy.toml", 0, "has no [columns]", "the headings of the table of sanctions, a line each")
        return {}
    return {name: str(heading) for name, heading in columns.items()}


def _rows(book: Book, columns: Collection[str]) -> list[AnyRow]:
    """The dated rows of all three tables."""
    ends = ("from", "until")
    actions = book.table("acceptable_use.csv", _action, ("id", "text", "reading", "clause", *ends), (*VERDICTS, "note"))
    wanted = ("id", "text", *columns, *ends)
    sanctions = book.table("sanctions.csv", partial(_sanction, tuple(columns)), wanted) if columns else []
    talks = book.table("communications.csv", _communication, ("id", "text", *ends), COMMUNICATIONS)
    rows: list[AnyRow] = [*actions, *sanctions, *talks, *(_permission(row) for row in talks)]
    book.overlaps(rows)
    return rows


def _action(cells: dict[str, str], span: Span) -> ActionRow:
    printed = [name for name in VERDICTS if cells[name]]
    must(len(printed) == 1, f"has {len(printed)} ticks, not one", "tick one column of table 6.1")
    must(cells[printed[0]] in TICKS, f"{printed[0]} holds {cells[printed[0]]!r}", "✓")
    must(cells["reading"] in VERDICTS, f"reading is {cells['reading']!r}", nearest_or_all(cells["reading"], VERDICTS))
    return ActionRow(cells["id"], cells["text"], printed[0], cells["reading"], cells["clause"], *span, cells["note"])


def _sanction(columns: Sequence[str], cells: dict[str, str], span: Span) -> SanctionRow:
    _marks(cells, columns)
    return SanctionRow(cells["id"], cells["text"], tuple(name for name in columns if cells[name] in TICKS),
                       tuple(name for name in columns if cells[name] == QUERY), *span)


def _communication(cells: dict[str, str], span: Span) -> CommunicationRow:
    _marks(cells, COMMUNICATIONS)
    return CommunicationRow(cells["id"], cells["text"], {name: cells[name] for name in COMMUNICATIONS if cells[name]}, *span)


def _marks(cells: Mapping[str, str], columns: Sequence[str]) -> None:
    for name in columns:
        must(cells[name] in ("", QUERY, *TICKS), f"{name} holds {cells[name]!r}", "✓, ? or nothing")


def _permission(row: CommunicationRow) -> ActionRow:
    """A row of table 4.2 as a verdict on students; staff times are nowhere defined, so staff are not judged by it."""
    verdict = next((said for name, said in STUDENT_COLUMNS.items() if row.marks.get(name) in TICKS), "acceptable")
    return ActionRow(row.id, row.text, verdict, verdict, f"4.2 {row.id}", row.from_, row.until)


def _decision(questions: Mapping[str, Question], cells: dict[str, str], span: Span) -> Decision:
    """One dated answer; the reading stands there in full, so that the file can be read beside the policy."""
    must(cells["id"] in questions, "is no question of questions.toml", nearest_or_all(cells["id"], questions))
    readings = questions[cells["id"]].readings
    must(cells["reading"] in readings, f"has the reading {cells['reading']!r}, which is neither of its two", readings[0])
    decided = read_date(cells["decided_on"])
    if decided is None:
        must(False, f"decided_on is {cells['decided_on']!r}, which is not a date", "2026-09-01 or 01/09/2026")
    must(bool(cells["who"] and cells["why"]), "does not say who decided and why", "schoolgate policy decide")
    return Decision(cells["id"], cells["reading"], span[0], decided or span[0], cells["who"], cells["why"])


def _told(guidance: Sequence[Guidance]) -> dict[str, tuple[str, ...]]:
    """Who is told beside whom the printed rows name, by row, as the guidance in use has it."""
    told: dict[str, tuple[str, ...]] = {}
    for each in guidance:
        for row, who in each.tell.items() if each.on else ():
            told[row] = tuple(dict.fromkeys((*told.get(row, ()), *who)))
    return told


def _repeat(book: Book, plain: Mapping[str, Any], rows: Collection[str]) -> None:
    """The repeat rule names rows that there are."""
    rule = plain.get("repeat", {})
    for row in [*([rule["row"]] if rule.get("row") else []), *rule.get("counts", [])]:
        if row not in rows:
            line = book.line("policy.toml", "repeat")
            book.say("policy.toml", line, f"repeat names {row!r}, which is no row", nearest_or_all(row, rows))


def _question(book: Book, name: str, body: Any) -> Question | None:
    """One question of the policy."""
    file = "questions.toml"
    wanted = ("text", "readings", "default", "owner", "contradiction", "sets", "decision", "decided_on", "decided_by")
    if not book.knows(file, name, body, wanted, ("text", "readings", "default", "owner")):
        return None
    readings = body["readings"]
    if not isinstance(readings, list) or len(readings) != 2:
        book.say(file, book.line(file, name, "readings"), f"{name} needs two readings", 'readings = ["...", "..."]')
        return None
    decided = body.get("decided_on")
    if body.get("decision") and not (decided and body.get("decided_by")):
        book.say(file, book.line(file, name, "decision"), f"{name} has a decision but not who made it and when",
                 "fill in decided_by and decided_on")
    if len(body.get("sets", [{}, {}])) != len(readings):
        book.say(file, book.line(file, name, "sets"), f"{name} needs what each of its two readings sets", "sets = [{ }, { }]")
    day = decided if isinstance(decided, date) else read_date(str(decided))
    return Question(name, body["text"], (str(readings[0]), str(readings[1])), body["default"], body["owner"],
                    str(body.get("decision", "")), day, str(body.get("decided_by", "")), body.get("contradiction", False) is True,
                    tuple(body.get("sets", ())))


def _number(book: Book, name: str, body: Any) -> Number | None:
    """One number and its reason."""
    if not book.knows("intent.toml", name, body, ("value", "reason"), ("value", "reason")):
        return None
    if not isinstance(body["value"], int | float) or isinstance(body["value"], bool):
        line = book.line("intent.toml", name, "value")
        book.say("intent.toml", line, f"{name} is {body['value']!r}, not a number", "value = 8")
        return None
    return Number(body["value"], str(body["reason"]))


def _category(book: Book, name: str, body: Any, rows: Collection[str], questions: Collection[str]) -> Category | None:
    """One category, held to the rows and questions it names."""
    file = "categories.toml"
    fields = [key for key in Category.__dataclass_fields__ if key != "name"]
    if not book.knows(file, name, body, fields, ("title", "text", "tier", "filter", "filter_staff")):
        return None
    proposals = body.get("propose", [])
    for key, value, known in _named(body, proposals, rows, questions):
        if value not in known:
            book.say(file, book.line(file, name, key), f"{name}: {key} names {value!r}, which is nothing here",
                     nearest_or_all(str(value), known))
    if body["tier"] == "T1" and any(p.get("row") != "no_row" for p in proposals):
        book.say(file, book.line(file, name, "propose"),
                 f"{name} is for the DSL alone and may propose no sanction", "propose = []")
    plain = {key: value for key, value in body.items() if key not in ("propose", "questions", "alternatives")}
    return Category(name=name, questions=tuple(body.get("questions", ())), alternatives=tuple(body.get("alternatives", ())),
                    **plain, propose=tuple(Proposal(str(p.get("row", "")), dict(p.get("when", {}))) for p in proposals))


def _named(body: Mapping[str, Any], proposals: Sequence[Mapping[str, Any]], rows: Collection[str],
           questions: Collection[str]) -> Iterator[tuple[str, Any, Collection[str]]]:
    """Each name that a category uses: the key it stands under, the name, and the names that may stand there."""
    yield "tier", body["tier"], TIERS
    yield "filter", body["filter"], FILTERS
    yield "filter_staff", body["filter_staff"], FILTERS
    yield from (("questions", question, questions) for question in body.get("questions", []))
    yield from (("alternatives", row, rows) for row in body.get("alternatives", []))
    yield from ((key, body[key], rows) for key in ("row", "also_row") if body.get(key))
    for proposal in proposals:
        yield "propose", proposal.get("row", ""), [*rows, "no_row"]
        for word, said in proposal.get("when", {}).items():
            yield "propose", word, PROPOSAL_WORDS
            yield "propose", said, PROPOSAL_WORDS.get(word, (said,))
