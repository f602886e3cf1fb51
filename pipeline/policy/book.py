"""The policy's files as they are read: CSV that forgives what spreadsheets add, TOML, and every fault with its line."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from pipeline.policy.values import AnyRow, holds
from pipeline.problems import Problem
from pipeline.schoolday import read_date
from pipeline.suggestions import nearest_or_all

Made = TypeVar("Made")
Span = tuple[date, date | None]


class FaultError(Exception):
    """What is wrong with a row, and what to try."""


def must(sound: bool, what: str, try_this: str = "") -> None:
    """FaultError unless `sound`."""
    if not sound:
        raise FaultError(what, try_this)


class Book:
    """The files of a policy by name (path and text); reads them one by one and keeps every fault."""

    def __init__(self, files: Mapping[str, tuple[str, str]]) -> None:
        self.files = files
        self.faults: list[Problem] = []

    def say(self, name: str, line: int, what: str, try_this: str = "") -> None:
        """Keep one fault."""
        path = self.files[name][0]
        self.faults.append(Problem(f"{path}:{line}" if line else path, what, try_this))

    def table(self, name: str, make: Callable[[dict[str, str], Span], Made], needed: Sequence[str],
              optional: Sequence[str] = ()) -> list[Made]:
        """The rows of a CSV file; a column of `optional` that is not there is empty."""
        reader = csv.reader(self.files[name][1].lstrip("\ufeff").splitlines(), skipinitialspace=True)
        heads: list[str] = [head.strip() for head in next(reader, [])]
        self._heads(name, heads, needed, optional)
        if set(needed) - set(heads):
            return []
        rows: list[Made] = []
        line: list[str]
        for line in reader:
            stripped: list[str] = [value.strip() for value in line]
            cells = dict.fromkeys(optional, "") | dict(zip(heads, stripped + [""] * len(heads), strict=False))
            if any(cells.values()):
                rows += self._row(name, reader.line_num, cells, make)
        return rows

    def _heads(self, name: str, heads: Sequence[str], needed: Sequence[str], optional: Sequence[str]) -> None:
        for head in needed:
            if head not in heads:
                self.say(name, 1, f"has no column {head}", f"{head} in the first line")
        for head in heads:
            if head and head not in (*needed, *optional):
                self.say(name, 1, f"has a column {head!r} that means nothing here", nearest_or_all(head, (*needed, *optional)))

    def _row(self, name: str, line: int, cells: dict[str, str], make: Callable[[dict[str, str], Span], Made]) -> list[Made]:
        first, last = read_date(cells["from"]), read_date(cells.get("until", ""))
        for head, value in (("from", first), ("until", last)):
            if value is None and (cells.get(head) or head == "from"):
                self.say(name, line, f"{head} is {cells[head]!r}, which is not a date", "2026-09-01 or 01/09/2026")
        try:
            must(bool(cells["id"]), "has no id")
            row = make(cells, (first or date.min, last))
        except FaultError as fault:
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

    def knows(self, file: str, name: str, body: Any, known: Sequence[str], needed: Sequence[str]) -> bool:
        """Whether a section has the keys it needs; says every key missing or unknown."""
        if not isinstance(body, dict):
            self.say(file, self.line(file, "", name), f"{name} is not a section", f"[{name}]")
            return False
        odd, missing = [key for key in body if key not in known], [key for key in needed if key not in body]
        for key in odd:
            self.say(file, self.line(file, name, key), f"{name}: {key} is not a word of this file", nearest_or_all(key, known))
        for key in missing:
            self.say(file, self.line(file, name), f"{name} has no {key}", f"{key} = ...")
        return not odd and not missing
