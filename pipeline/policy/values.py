"""The school's policy as values: its printed tables, its open questions, and what each category of site means under it.

Every row is dated, so that a visit is judged by the rows of its own day: `in_force` gives the policy of one day, with the
questions that had been decided by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Protocol

VERDICTS = ("acceptable", "certain_times", "nominated_users", "unacceptable", "unacceptable_illegal")
TIERS = ("T0", "T1", "T2", "T3", "T4", "TS", "none")
FILTERS = ("block", "allow", "times")
TICKS, QUERY = ("✓", "✔"), "?"
PROPOSAL_WORDS = {"actor": ("student",), "band": ("lesson",), "outcome": ("blocked", "allowed", "mixed"),
                  "intent": ("deliberate", "accidental", "background"), "reported": ("yes", "no"),
                  "authorised": ("yes", "no")}
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
    contradiction: bool = False  # two rows say different things of one act: nothing is proposed until one is chosen
    sets: tuple[Mapping[str, Any], ...] = ()  # by reading: what it makes of rows (id = reading) and of policy.toml (dotted key)


@dataclass(frozen=True)
class Decision:
    """A dated answer to a question: the reading that holds from a day on, who decided it, when and why."""

    id: str
    reading: str
    from_: date
    decided_on: date
    who: str
    why: str


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
    alternatives: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    help_seeking: bool = False
    background: bool = False


@dataclass(frozen=True)
class Number:
    """A threshold, and why it stands where it does."""

    value: float
    reason: str


@dataclass(frozen=True)
class Duty:
    """One expectation that the policy does not hold: what it is, who says so, and why it is switched off where it is."""

    id: str
    text: str
    source: str
    on: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Guidance:
    """One set of guidance. `tell`: who is told beside whom the printed row names, by row."""

    name: str
    title: str
    as_at: date
    on: bool = True
    reason: str = ""
    tell: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    duties: tuple[Duty, ...] = ()


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
    asked: Mapping[str, Question] = field(default_factory=dict)  # as questions.toml has them
    decisions: tuple[Decision, ...] = ()
    guidance: tuple[Guidance, ...] = ()

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


def holds(row: Dated, day: date) -> bool:
    """Whether a dated row is in force that day; its last day counts."""
    return row.from_ <= day and (row.until is None or day <= row.until)


def in_force(policy: Policy, day: date) -> Policy:
    """The policy of one day: only the rows dated for it, and a question decided for a later day is open."""
    rows = [row for row in policy.rows if holds(row, day)]
    asked = {name: q if q.decided_on is None or q.decided_on <= day else replace(q, decision="")
             for name, q in (policy.asked or policy.questions).items()}
    that_day = replace(policy, **by_table(rows),
                       questions=as_decided(asked, [made for made in policy.decisions if made.from_ <= day]))
    for question in that_day.questions.values():
        if question.sets and question.decision in question.readings:
            that_day = _set(that_day, question.sets[question.readings.index(question.decision)])
    return that_day


def _set(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """The policy as one reading has it: other readings of rows, other values of policy.toml."""
    actions = {name: replace(row, reading=str(changes[name])) if name in changes else row for name, row in policy.actions.items()}
    more = dict(policy.more)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if name:
            more[section] = dict(more.get(section, {})) | {name: value}
    return replace(policy, actions=actions, more=more)


def as_decided(questions: Mapping[str, Question], decisions: Sequence[Decision]) -> dict[str, Question]:
    """The questions with these answers: of several the one for the latest day, and of one day the last in the file."""
    decided = dict(questions)
    for made in sorted(decisions, key=lambda made: made.from_):
        decided[made.id] = replace(decided[made.id], decision=made.reading, decided_on=made.from_, decided_by=made.who)
    return decided


def by_table(rows: Sequence[AnyRow]) -> dict[str, Any]:
    """The rows as the fields of a policy, by table and id; of one id the latest."""
    ordered = sorted(rows, key=lambda row: row.from_)
    return {"actions": {row.id: row for row in ordered if isinstance(row, ActionRow)},
            "sanctions": {row.id: row for row in ordered if isinstance(row, SanctionRow)},
            "communications": {row.id: row for row in ordered if isinstance(row, CommunicationRow)}}
