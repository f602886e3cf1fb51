"""The school's own list as text: a row put in without touching what is there. Text in, text and problems out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date

from pipeline.hosts import normalise
from pipeline.lists import OWN, read_own
from pipeline.problems import Problem
from pipeline.schoolday import read_date

WHERE = "rules/lists/own.csv"
FORMULA = ("=", "+", "-", "@")
BRITISH = re.compile(r"[0-3][0-9]/[01][0-9]/20[0-9][0-9]")


def put_in(text: str, row: Mapping[str, str], day: date, categories: Collection[str] = ()) -> tuple[str, list[Problem]]:
    """The text with one row more (entry, category, reason, owner, until), and why it cannot be put in; `day`: today.

    Line ends, byte-order mark, the order of columns and the way dates are written stay as the file has them.
    """
    row = {name: " ".join(value.split()) for name, value in row.items()}
    faults = list(_faults(text, row, day))
    whole = _with(text, row)
    before = {problem.what for problem in read_own(text, WHERE, categories)[1]}
    faults += [Problem(row["entry"] or WHERE, fault.what, fault.try_this) for fault in read_own(whole, WHERE, categories)[1]
               if fault.what not in before]
    return (text, faults) if faults else (whole, [])


def _faults(text: str, row: Mapping[str, str], day: date) -> Iterator[Problem]:
    entry, until = _name(row["entry"]), read_date(row["until"]) if row["until"] else None
    for number, other in _rows(text):
        end = read_date(other.get("until", ""))
        if _name(other.get("entry", "")) == entry and (end is None or end >= day):
            yield Problem(f"{WHERE}:{number}", f"{entry} stands there already, as {other.get('category')}"
                          + (f" until {end}" if end else ""), "changing that line")
    if until and until < day:
        yield Problem(row["entry"], f"until is {until}, which is past", "a later day, or never")
    yield from (Problem(row["entry"], f"{name} begins like a formula of a spreadsheet", "beginning with a letter")
                for name in ("reason", "owner") if row[name].startswith(FORMULA))


def _name(entry: str) -> str:
    return normalise(entry.lstrip("*."))


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line it ends on."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), skipinitialspace=True)
    for cells in reader:
        row = {(name or "").strip(): (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
        yield reader.line_num, row


def _with(text: str, row: Mapping[str, str]) -> str:
    """The text with the row as its last line, in the manner of the other lines."""
    end = "\r\n" if "\r\n" in text else "\n"
    head = next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    if not head:
        head = ",".join(OWN.names)
        text = text.rstrip() + head + end
    between = ", " if ", " in head and not re.search(r",\S", head) else ","
    names = [name.strip().strip('"') for name in head.split(",")]
    cells = between.join(_cell(_date(text, row[name]) if name == "until" else row.get(name, "")) for name in names)
    return f"{text}{cells}{end}" if text.endswith("\n") else f"{text}{end}{cells}"


def _date(text: str, until: str) -> str:
    """A date as the file writes its dates."""
    end = read_date(until)
    if end is None:
        return until
    return f"{end:%d/%m/%Y}" if BRITISH.search(text) else str(end)


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"') else value
