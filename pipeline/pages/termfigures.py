"""What a term's summary rests on: every figure of the page for senior leaders, before any of it is laid out.

Every type here is `Nameless`. A site may stand in two places alone, as a `Service` of enough people. Counts of people and
incidents come from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.pages.heat import Heat
from pipeline.pages.leaders import Checks, Duty, Failures, Health, Question, Trust, Way
from pipeline.pages.parts import Count, Nameless, Plain, Service


@dataclass(frozen=True)
class Measure(Nameless):
    """One of the five numbers: what it is, its figure, what it means, and what it was last term and the same term last year."""

    label: Plain
    figure: Plain
    note: Plain
    compared: Plain


@dataclass(frozen=True)
class PolicyRow(Nameless):
    """One row of table 7.2 with its counts."""

    id: Plain
    text: Plain
    suspected: Count
    confirmed: Count
    accidental: Count
    dismissed: Count
    outstanding: Count
    departed: Count

    @property
    def counts(self) -> tuple[Count, ...]:
        """Its counts, in the order of the table."""
        return self.suspected, self.confirmed, self.accidental, self.dismissed, self.outstanding, self.departed


@dataclass(frozen=True)
class Week(Nameless):
    """One whole week of pupils' visits: blocked, and let through against the policy."""

    begins: date
    blocked: Count
    against: Count


@dataclass(frozen=True)
class TermFigures(Nameless):
    """Everything the termly summary prints, in figures and plain texts."""

    title: Plain
    school: Plain
    term: Plain
    first: date
    last: date
    until: date
    notice: Plain
    small: int
    trust: Trust
    measures: tuple[Measure, ...]
    rows: tuple[PolicyRow, ...]
    departures: tuple[Plain, ...]
    triage: tuple[Count, ...]
    times: Heat
    networks: tuple[Count, ...]
    weeks: tuple[Week, ...]
    marks: tuple[tuple[date, Plain], ...]
    years: Heat
    themes: tuple[tuple[Plain, Plain], ...]
    repeats: Count
    failures: tuple[Failures, ...]
    ways: tuple[Way, ...]
    fixes: tuple[Count, ...]
    health: Health
    checks: Checks
    over_blocked: tuple[Service, ...]
    help_blocked: int
    fresh: tuple[Service, ...]
    new_since: date | None
    questions: tuple[Question, ...]
    duties: tuple[Duty, ...]
    limits: tuple[Plain, ...]
    versions: tuple[tuple[Plain, Plain], ...]
