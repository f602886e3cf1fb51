"""The desk that pages are made at: the lake, the rules, the registers and the names, and the one way to issue a page.

A page is in the register of pages before its file is there: what it printed of counts that anyone may see must be known to
every page after it. A page that is made again and comes out the same adds nothing to the register.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import folders, render
from pipeline.disclosure import Fact, Ledger
from pipeline.lake import Lake
from pipeline.pages import failed
from pipeline.pages.parts import Basis, Plain
from pipeline.pages.wording import sentence
from pipeline.periods import Period
from pipeline.privacy import login_key, pseudonym
from pipeline.registers import Registers
from pipeline.ruleset import Rules
from pipeline.schoolday import is_open, local
from pipeline.tables import COVERAGE, TALLIES, Table

LIMITS = tuple(Plain(text) for text in (
    "Phones on mobile data, apps, messages, and what is said inside permitted platforms are not in the filter's log.",
    "Without decryption the log names a host, not a page.",
    "This is made after the event and does not replace the filter's own live alerts."))


@dataclass(frozen=True)
class Sheet:
    """One page ready to be issued: its reader, its kind and period, the page, what it rests on, and what the register keeps."""

    reader: str
    kind: str
    period: Period
    page: Any
    basis: Basis | None = None
    facts: Sequence[Fact] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The file name without its ending."""
        return stem(self.kind, self.period)

    @property
    def ref(self) -> str:
        """What the register calls the page."""
        return ref(self.reader, self.kind, self.period)


def stem(kind: str, period: Period) -> str:
    """The file name of a page, without its ending."""
    return f"{kind}-{period.name.replace('..', '-to-')}"


def ref(reader: str, kind: str, period: Period) -> str:
    """What the register calls a page."""
    return f"{reader}/{stem(kind, period)}"


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
    key: bytes = b""
    read: dict[tuple[str, tuple[date, ...]], list[dict[str, Any]]] = field(default_factory=dict)

    def rows(self, shape: Table, days: Sequence[date]) -> list[dict[str, Any]]:
        """The rows of a derived table on these days, not to be changed: read once, for every page of a period rests on them."""
        asked = (shape.name, tuple(days))
        if asked not in self.read:
            self.read[asked] = self.lake.table(shape, days).to_pylist()
        return self.read[asked]

    @property
    def zone(self) -> str:
        """The school's time zone."""
        return self.rules.school.calendar.timezone

    def lacks(self, day: date) -> bool:
        """Whether a page of a judged day is not there, or says only that a night failed."""
        pages = (f"technical/nightly-{day}.html", f"safeguarding/dsl-list-{day}.html", f"principal/principal-{day}.html")
        there = all((self.folder / "reports" / page).exists() for page in pages)
        return not there or folders.says(self.folder / "reports" / pages[0], failed.TITLE)

    def has(self, reader: str, name: str) -> bool:
        """Whether a page is there."""
        return (self.folder / "reports" / reader / f"{name}.html").exists()

    def issue(self, *sheets: Sheet) -> None:
        """Enter these pages in the register, then write each with the tables beside it, for the group that reads it."""
        made = [(sheet, render.html(sheet.page, sheet.basis)) for sheet in sheets]
        known = self.registers.issued().pages
        entries = []
        for sheet, text in made:
            body = {"page": sheet.kind, "period": sheet.period.name, "reader": sheet.reader, **sheet.about,
                    "sha256": hashlib.sha256(text.encode()).hexdigest()}
            facts = [[fact.series, str(fact.first), str(fact.last), *fact.both] for fact in sheet.facts]
            if facts or known.get(sheet.ref) != body:
                entries.append(("issued", sheet.ref, body | ({"facts": facts} if facts else {})))
        self.registers["pages"].append_all(entries)
        for sheet, text in made:
            self.write(sheet.reader, f"{sheet.stem}.html", text)
            tables = {name: render.grid_csv(grid) for name, grid in render.tables(sheet.page).items()}
            place = self.folder / "reports" / sheet.reader / f"{sheet.stem}.html"
            self.written.extend(folders.put_tables(place, tables, self.groups.get(sheet.reader)))

    def write(self, reader: str, name: str, text: str) -> None:
        """Write one file of one reader, for the group that reads it."""
        place = self.folder / "reports" / reader / name
        folders.put_page(place, text, self.groups.get(reader))
        self.written.append(place)

    def reveal(self, page: str, body: Mapping[str, Any]) -> None:
        """Write a reveal down, once for each judging of the day: a night cut short prints the same page again."""
        access = self.registers["access"]
        last = [entry.body for entry in access.entries() if entry.ref == page][-1:]
        if last != [body]:
            access.append("reveal", page, dict(body))

    def ledger(self, reader: str, kind: str, period: Period) -> Ledger:
        """What may be printed of counts on a page that anyone may see, next to all that was printed before."""
        return Ledger(self.registers.issued().facts, self.rules.school.small_number, ref(reader, kind, period))

    def judged(self, period: Period) -> list[date]:
        """The judged days of a period."""
        return [day for day in sorted(self.lake.judged()) if period.holds(day)]

    def open_days(self, period: Period) -> list[date]:
        """The school days of a period up to its last judged day."""
        until = max(self.judged(period), default=period.last)
        return [day for day in period.days if day <= until and is_open(self.rules.school.calendar, day)]

    def basis(self, period: Period) -> Basis:
        """What a page of a period rests on."""
        heard = self.rows(COVERAGE, self.judged(period))
        requests, nobody = (sum(row[name] for row in heard) for name in ("requests", "unattributed"))
        days, wanted = {row["day"] for row in heard if row["requests"]}, self.open_days(period)
        told = f"Heard from on {len(days & set(wanted))} of {len(wanted)} school days" + (
            f"; {100 * (requests - nobody) / requests:.0f}% of requests name a person." if requests else ".")
        return Basis(Plain(told), Plain(self._questions(period)), LIMITS)

    def _questions(self, period: Period) -> str:
        touched = {row["of"] for row in self.rows(TALLIES, self.judged(period)) if row["measure"] == "visits by question"}
        open_ = [q.id for q in self.rules.policy.questions.values() if q.id in touched and not q.decision]
        return f"Open questions of the policy that touched it: {sentence(open_)}."

    def clock(self, moment: str) -> str:
        """A moment of a register on the school's clock, in words."""
        at = local(datetime.fromisoformat(moment), self.zone)
        return f"{at:%a} {at.day} {at:%b %Y}, {at:%H:%M}"

    def date(self, moment: str) -> date:
        """The date of a moment of a register on the school's clock."""
        return local(datetime.fromisoformat(moment), self.zone).date()


def who_is(rules: Rules, key: bytes, vault: Mapping[str, str], day: date) -> dict[str, str]:
    """A name for each pseudonym: from people.csv, else the login itself."""
    named = {pseudonym(key, "p", login_key(person.username)): person.name for person in rules.people if person.on(day)}
    return {name: raw for name, raw in vault.items() if name.startswith("p")} | named


def houses(rules: Rules, key: bytes, day: date) -> dict[str, str]:
    """The house of each pseudonym, as people.csv has it that day."""
    return {pseudonym(key, "p", login_key(person.username)): person.house for person in rules.people if person.on(day)}


def overdue(rules: Rules, day: date) -> str:
    """The sentence that says the policy's review is overdue; empty when it is not."""
    due = rules.policy.review_due
    return f"The e-safety policy's review has been overdue since {due:%B %Y}." if due < day else ""
