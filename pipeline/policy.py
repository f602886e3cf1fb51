"""The school's policy as values: its printed tables, its open questions, and what each category of site means under it.

The tables stand in `rules/` as they are printed. Every row is dated, so a visit is judged by the rows of its own day:
`in_force` gives the policy of one day. Reading finds every fault at once and says where it is.
"""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from pipeline.problems import Problem

FILES = ("acceptable_use.csv", "sanctions.csv", "communications.csv", "policy.toml", "questions.toml",
         "categories.toml", "intent.toml")
VERDICTS = ("acceptable", "certain_times", "nominated_users", "unacceptable", "unacceptable_illegal")
TIERS = ("T0", "T1", "T2", "T3", "T4", "TS", "none")
FILTERS = ("block", "allow", "times")
TICKS, QUERY = ("✓", "✔"), "?"
PROPOSAL_WORDS = {"actor": ("student",), "band": ("lesson",), "outcome": ("blocked", "allowed", "mixed"),
                  "intent": ("deliberate", "accidental", "background"), "reported": ("yes", "no"),
                  "authorised": ("yes", "no")}
SANCTIONS = ("class_teacher", "hof_hoh", "principal_slt", "police_pcso", "tech_support_ban", "inform_parents",
             "remove_access", "warning", "further_sanction", "confiscation")
# Table 4.2 has its own columns; read as a verdict, permission from staff is a nomination.
STUDENT_COLUMNS = {"student_allowed": "acceptable", "student_certain_times": "certain_times",
                   "student_staff_permission": "nominated_users", "student_not_allowed": "unacceptable"}
STAFF_COLUMNS = {"staff_allowed": "acceptable", "staff_certain_times": "certain_times",
                 "staff_selected_staff": "nominated_users", "staff_not_allowed": "unacceptable"}
COMMUNICATIONS = (*STAFF_COLUMNS, *STUDENT_COLUMNS)


@dataclass(frozen=True)
class ActionRow:
    """A row of table 6.1 or 4.2: the verdict printed, the reading in use, and when it holds."""

    id: str
    text: str
    printed: str
    reading: str
    clause: str
    from_: date
    until: date | None
    note: str = ""


@dataclass(frozen=True)
class SanctionRow:
    """A row of table 7.2: the actions ticked, and those with a question mark."""

    id: str
    text: str
    definite: tuple[str, ...]
    possible: tuple[str, ...]
    from_: date
    until: date | None


@dataclass(frozen=True)
class CommunicationRow:
    """A row of table 4.2 as printed: the mark in each column that has one."""

    id: str
    text: str
    marks: Mapping[str, str]
    from_: date
    until: date | None


@dataclass(frozen=True)
class Question:
    """An ambiguity of the policy: both readings, what is done until somebody decides, and the decision."""

    id: str
    text: str
    readings: tuple[str, str]
    default: str
    owner: str
    decision: str = ""
    decided_on: date | None = None
    decided_by: str = ""


@dataclass(frozen=True)
class Proposal:
    """A row of table 7.2 that an incident may be, or `no_row`, and on what facts."""

    row: str
    when: Mapping[str, str]


@dataclass(frozen=True)
class Category:
    """A kind of site or act: its row of the policy, its tier, what the filter does with it, what it may propose."""

    name: str
    title: str
    text: str
    row: str = ""
    also_row: str = ""
    gap: str = ""
    tier: str = "none"
    filter: str = "allow"
    filter_staff: str = "allow"
    propose: tuple[Proposal, ...] = ()
    questions: tuple[str, ...] = ()
    help_seeking: bool = False
    background: bool = False


@dataclass(frozen=True)
class Number:
    """A threshold, and why it stands where it does."""

    value: float
    reason: str


@dataclass(frozen=True)
class Policy:
    """The whole policy. `actions`, `sanctions` and `communications` hold one row an id; `rows` holds all dated ones."""

    title: str
    issued: date
    review_due: date
    actions: Mapping[str, ActionRow]
    sanctions: Mapping[str, SanctionRow]
    columns: Mapping[str, str]
    communications: Mapping[str, CommunicationRow]
    questions: Mapping[str, Question]
    categories: Mapping[str, Category]
    overlay: Mapping[str, tuple[str, ...]]
    intent: Mapping[str, Number]
    more: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[ActionRow | SanctionRow | CommunicationRow, ...] = ()

    @property
    def background(self) -> list[str]:
        """Names of the categories whose requests are background."""
        return [category.name for category in self.categories.values() if category.background]


class Dated(Protocol):
    """Anything with a first day and, perhaps, a last."""

    @property
    def from_(self) -> date: ...
    @property
    def until(self) -> date | None: ...


AnyRow = ActionRow | SanctionRow | CommunicationRow
Row = TypeVar("Row", ActionRow, SanctionRow, CommunicationRow)


def holds(row: Dated, day: date) -> bool:
    """Whether a dated row is in force that day; its last day counts."""
    return row.from_ <= day and (row.until is None or day <= row.until)


def in_force(policy: Policy, day: date) -> Policy:
    """The policy of one day: only the rows dated for it, and a question decided later is open."""
    rows = [row for row in policy.rows if holds(row, day)]
    asked = {name: q if q.decided_on is None or q.decided_on <= day else replace(q, decision="")
             for name, q in policy.questions.items()}
    return replace(policy, questions=asked, **_by_table(rows))


def _by_table(rows: Sequence[AnyRow]) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: row.from_)
    return {"actions": {row.id: row for row in ordered if isinstance(row, ActionRow)},
            "sanctions": {row.id: row for row in ordered if isinstance(row, SanctionRow)},
            "communications": {row.id: row for row in ordered if isinstance(row, CommunicationRow)}}


def read_policy(files: Mapping[str, str]) -> tuple[Policy | None, list[Problem]]:
    """The policy of these texts (by file name, with or without its folder), or none, and every fault found."""
    named = {path.rsplit("/", 1)[-1]: (path, text) for path, text in files.items()}
    faults = [Problem(name, "is missing", "copy it from the starter rules") for name in FILES if name not in named]
    if faults:
        return None, faults
    book = _Reading(named)
    printed = ("id", "text", *VERDICTS, "reading", "clause", "from", "until", "note")
    actions = book.table("acceptable_use.csv", _action, printed)
    sanctions = book.table("sanctions.csv", _sanction, ("id", "text", *SANCTIONS, "from", "until"))
    communications = book.table("communications.csv", _communication, ("id", "text", *COMMUNICATIONS, "from", "until"))
    rows: list[AnyRow] = [*actions, *sanctions, *communications, *(_permission(row) for row in communications)]
    book.overlaps(rows)
    plain = book.toml("policy.toml")
    questions = {name: q for name, body in book.toml("questions.toml").items() if (q := book.question(name, body))}
    known = {row.id for row in rows}
    categories = {name: book.category(name, body, known, questions)
                  for name, body in book.toml("categories.toml").items()}
    intent = {name: n for name, body in book.toml("intent.toml").items() if (n := book.number(name, body))}
    dates = [book.day("policy.toml", plain, name) for name in ("issued", "review_due")]
    if book.faults or dates[0] is None or dates[1] is None:
        return None, sorted(set(book.faults))
    return Policy(title=str(plain.get("title", "")), issued=dates[0], review_due=dates[1],
                  columns={name: str(plain.get("columns", {}).get(name, name)) for name in SANCTIONS},
                  questions=questions, categories={name: c for name, c in categories.items() if c}, intent=intent,
                  overlay={row: tuple(who) for row, who in plain.get("overlay", {}).items()},
                  more=plain, rows=tuple(rows), **_by_table(rows)), []


def _action(cells: dict[str, str], span: tuple[date, date | None]) -> ActionRow:
    printed = [name for name in VERDICTS if cells[name]]
    _must(len(printed) == 1, f"has {len(printed)} ticks, not one", "tick one column of table 6.1")
    _must(cells[printed[0]] in TICKS, f"{printed[0]} holds {cells[printed[0]]!r}", "✓")
    _must(cells["reading"] in VERDICTS, f"reading is {cells['reading']!r}", _nearest(cells["reading"], VERDICTS))
    return ActionRow(cells["id"], cells["text"], printed[0], cells["reading"], cells["clause"], *span, cells["note"])


def _sanction(cells: dict[str, str], span: tuple[date, date | None]) -> SanctionRow:
    for name in SANCTIONS:
        _must(cells[name] in ("", QUERY, *TICKS), f"{name} holds {cells[name]!r}", "✓, ? or nothing")
    return SanctionRow(cells["id"], cells["text"], tuple(name for name in SANCTIONS if cells[name] in TICKS),
                       tuple(name for name in SANCTIONS if cells[name] == QUERY), *span)


def _communication(cells: dict[str, str], span: tuple[date, date | None]) -> CommunicationRow:
    for name in COMMUNICATIONS:
        _must(cells[name] in ("", QUERY, *TICKS), f"{name} holds {cells[name]!r}", "✓, ? or nothing")
    marks = {name: cells[name] for name in COMMUNICATIONS if cells[name]}
    return CommunicationRow(cells["id"], cells["text"], marks, *span)


def _permission(row: CommunicationRow) -> ActionRow:
    """A row of table 4.2 as a verdict on students; staff times are nowhere defined, so staff are not judged by it."""
    verdict = next((said for name, said in STUDENT_COLUMNS.items() if row.marks.get(name) in TICKS), "acceptable")
    return ActionRow(row.id, row.text, verdict, verdict, f"4.2 {row.id}", row.from_, row.until)


def read_date(text: str) -> date | None:
    """A date as 2026-09-01 or 01/09/2026; None where it is neither."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


class _Fault(Exception):
    """What is wrong with a row, and what to try."""


def _must(sound: bool, what: str, try_this: str = "") -> None:
    if not sound:
        raise _Fault(what, try_this)


def _nearest(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return close[0] if close else ", ".join(sorted(known)) if len(known) < 8 else ""


def _named(body: Mapping[str, Any], proposals: Sequence[Mapping[str, Any]], rows: Collection[str],
           questions: Collection[str]) -> Iterator[tuple[str, Any, Collection[str]]]:
    """Each name that a category uses: the key it stands under, the name, and the names that may stand there."""
    yield "tier", body["tier"], TIERS
    yield "filter", body["filter"], FILTERS
    yield "filter_staff", body["filter_staff"], FILTERS
    yield from (("questions", question, questions) for question in body.get("questions", []))
    yield from ((key, body[key], rows) for key in ("row", "also_row") if body.get(key))
    for proposal in proposals:
        yield "propose", proposal.get("row", ""), [*rows, "no_row"]
        for word, said in proposal.get("when", {}).items():
            yield "propose", word, PROPOSAL_WORDS
            yield "propose", said, PROPOSAL_WORDS.get(word, (said,))


class _Reading:
    """Reads the files one by one and keeps every fault."""

    def __init__(self, files: Mapping[str, tuple[str, str]]) -> None:
        self.files = files
        self.faults: list[Problem] = []

    def say(self, name: str, line: int, what: str, try_this: str = "") -> None:
        """Keep one fault."""
        path = self.files[name][0]
        self.faults.append(Problem(f"{path}:{line}" if line else path, what, try_this))

    def table(self, name: str, make: Callable[[dict[str, str], tuple[date, date | None]], Row],
              columns: Sequence[str]) -> list[Row]:
        """The rows of a CSV file, forgiving what spreadsheets add."""
        reader = csv.reader(self.files[name][1].lstrip("\ufeff").splitlines(), skipinitialspace=True)
        heads: list[str] = [head.strip() for head in next(reader, [])]
        for head in columns:
            if head not in heads:
                self.say(name, 1, f"has no column {head}", f"{head} in the first line")
        for head in heads:
            if head and head not in columns:
                self.say(name, 1, f"has a column {head!r} that means nothing here", _nearest(head, columns))
        if set(columns) - set(heads):
            return []
        rows: list[Row] = []
        line: list[str]
        for line in reader:
            stripped: list[str] = [value.strip() for value in line]
            cells: dict[str, str] = dict(zip(heads, stripped + [""] * len(heads), strict=False))
            if any(cells.values()):
                rows += self._row(name, reader.line_num, cells, make)
        return rows

    def _row(self, name: str, line: int, cells: dict[str, str],
             make: Callable[[dict[str, str], tuple[date, date | None]], Row]) -> list[Row]:
        first, last = read_date(cells["from"]), read_date(cells["until"])
        for head, value in (("from", first), ("until", last)):
            if value is None and (cells[head] or head == "from"):
                self.say(name, line, f"{head} is {cells[head]!r}, which is not a date", "2026-09-01 or 01/09/2026")
        try:
            _must(bool(cells["id"]), "has no id")
            row = make(cells, (first or date.min, last))
        except _Fault as fault:
            self.say(name, line, f"{cells['id']} {fault.args[0]}".strip(), fault.args[1])
            return []
        return [row]

    def overlaps(self, rows: Sequence[AnyRow]) -> None:
        """Two rows of one id must not both hold on one day."""
        for i, row in enumerate(rows):
            for other in rows[i + 1:]:
                same = (type(row), row.id) == (type(other), other.id)
                if same and (holds(row, other.from_) or holds(other, row.from_)):
                    self.faults.append(Problem(row.id, "has two rows in force on one day",
                                               "end the old row with a date in `until`"))

    def toml(self, name: str) -> dict[str, Any]:
        """A TOML file, or nothing and its fault."""
        try:
            return tomllib.loads(self.files[name][1].lstrip("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            self.say(name, int(found[1]) if found else 0, f"cannot be read: {error}", "quotes around words")
            return {}

    def line(self, name: str, section: str, key: str = "") -> int:
        """The line of a section of a TOML file, or of a key in it."""
        inside = False
        for number, text in enumerate(self.files[name][1].splitlines(), 1):
            if text.lstrip().startswith("["):
                if inside:
                    break
                inside = text.strip().strip("[]").strip() == section
                start = number
                if inside and not key:
                    return number
            elif (inside or not section) and key and re.match(rf"\s*{re.escape(key)}\s*=", text):
                return number
        return start if inside else 0

    def day(self, name: str, body: Mapping[str, Any], key: str) -> date | None:
        """A date of a TOML file."""
        value = body.get(key)
        day = value if isinstance(value, date) else read_date(str(value))
        if day is None:
            self.say(name, self.line(name, "", key), f"{key} is {value!r}, which is not a date", f"{key} = 2026-09-01")
        return day

    def question(self, name: str, body: Any) -> Question | None:
        """One question of the policy."""
        file = "questions.toml"
        wanted = ("text", "readings", "default", "owner", "decision", "decided_on", "decided_by")
        if not self._known(file, name, body, wanted, ("text", "readings", "default", "owner")):
            return None
        readings = body["readings"]
        if not isinstance(readings, list) or len(readings) != 2:
            self.say(file, self.line(file, name, "readings"), f"{name} needs two readings", 'readings = ["...", "..."]')
            return None
        decided = body.get("decided_on")
        if body.get("decision") and not (decided and body.get("decided_by")):
            self.say(file, self.line(file, name, "decision"), f"{name} has a decision but not who made it and when",
                     "fill in decided_by and decided_on")
        day = decided if isinstance(decided, date) else read_date(str(decided))
        return Question(name, body["text"], (str(readings[0]), str(readings[1])), body["default"], body["owner"],
                        str(body.get("decision", "")), day, str(body.get("decided_by", "")))

    def number(self, name: str, body: Any) -> Number | None:
        """One number and its reason."""
        if not self._known("intent.toml", name, body, ("value", "reason"), ("value", "reason")):
            return None
        if not isinstance(body["value"], int | float) or isinstance(body["value"], bool):
            line = self.line("intent.toml", name, "value")
            self.say("intent.toml", line, f"{name} is {body['value']!r}, not a number", "value = 8")
            return None
        return Number(body["value"], str(body["reason"]))

    def category(self, name: str, body: Any, rows: Collection[str], questions: Collection[str]) -> Category | None:
        """One category, held to the rows and questions it names."""
        file = "categories.toml"
        fields = [key for key in Category.__dataclass_fields__ if key != "name"]
        if not self._known(file, name, body, fields, ("title", "text", "tier", "filter", "filter_staff")):
            return None
        proposals = body.get("propose", [])
        for key, value, known in _named(body, proposals, rows, questions):
            if value not in known:
                self.say(file, self.line(file, name, key), f"{name}: {key} names {value!r}, which is nothing here",
                         _nearest(str(value), known))
        if body["tier"] == "T1" and any(p.get("row") != "no_row" for p in proposals):
            self.say(file, self.line(file, name, "propose"),
                     f"{name} is for the DSL alone and may propose no sanction", "propose = []")
        plain = {key: value for key, value in body.items() if key not in ("propose", "questions")}
        return Category(name=name, questions=tuple(body.get("questions", ())), **plain,
                        propose=tuple(Proposal(str(p.get("row", "")), dict(p.get("when", {}))) for p in proposals))

    def _known(self, file: str, name: str, body: Any, known: Sequence[str], needed: Sequence[str]) -> bool:
        """Whether a section has the keys it needs; says every key missing or unknown."""
        if not isinstance(body, dict):
            self.say(file, self.line(file, "", name), f"{name} is not a section", f"[{name}]")
            return False
        odd, missing = [key for key in body if key not in known], [key for key in needed if key not in body]
        for key in odd:
            self.say(file, self.line(file, name, key), f"{name}: {key} is not a word of this file",
                     _nearest(key, known))
        for key in missing:
            self.say(file, self.line(file, name), f"{name} has no {key}", f"{key} = ...")
        return not odd and not missing
