"""The return sheet: a row an incident with boxes to tick, as text in and decisions out, every cell that will not do explained.

A spreadsheet may have put a byte-order mark before it, semicolons or tabs between its cells, other dates, other cases and an
apostrophe before a reference; none of that matters. A row without a tick is left for later.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.problems import Problem
from pipeline.register.facts import DISMISSALS
from pipeline.register.incidents import IncidentState
from pipeline.schoolday import read_date

SHOWN = ("ref", "day", "who", "year", "what", "outcome", "may_be")
BOXES = ("deliberate", "accidental", "reported", "rows", "dismiss", "welfare", "unknown", "note", "on")
COLUMNS = (*SHOWN, *BOXES, "mark")
VERDICTS = ("deliberate", "accidental", "dismiss", "welfare", "unknown")
TICKS = {"x", "✓", "✔", "y", "yes", "1", "true", "tick", "ticked"}
NO = {"", "n", "no", "0", "false", "-"}
MOST = 5_000_000  # bytes of a sheet: some fifty thousand rows, more than any school's open incidents


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its line and its cells by column."""

    line: int
    cells: Mapping[str, str]

    def cell(self, name: str) -> str:
        """One cell, stripped of what spreadsheets add."""
        return self.cells.get(name, "").strip().lstrip("'").strip()

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.cell(name).lower() in TICKS


@dataclass(frozen=True)
class Said:
    """What one row decides: the move, its facts, and the reason."""

    ref: str
    kind: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def mark(state: IncidentState) -> str:
    """A mark of what was known of an incident when the sheet was printed: it tells when more has come since."""
    return hashlib.sha256("\n".join(state.keys).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def decoded(data: bytes) -> str:
    """The text of a sheet, in whatever encoding a spreadsheet saves."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def rows(text: str, where: str) -> tuple[list[Row], list[Problem]]:
    """The rows of a sheet, and why it cannot be read as one."""
    lines = text.lstrip("\ufeff").splitlines()
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    first = lines[0] if lines else ""
    comma = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO("\n".join(lines) + "\n"), delimiter=comma)
        heads = [re.sub(r"[\s-]+", "_", head.strip().lower()) for head in next(reader, [])]
        missing = [name for name in ("ref", *VERDICTS) if name not in heads]
        if missing:
            return [], [Problem(f"{where}, line 1", f"has no column {', '.join(missing)}", "the sheet as the night wrote it")]
        found = [Row(reader.line_num, dict(zip(heads, line, strict=False))) for line in reader]
        return [row for row in found if any(cell.strip() for cell in row.cells.values())], []
    except csv.Error as error:
        return [], [Problem(where, f"cannot be read as CSV ({error})", "saving it as CSV again")]


class RowError(Exception):
    """Why a cell will not do: its column, what is wrong, and what to try."""


def _refuse(column: str, what: str, try_this: str = "") -> RowError:
    return RowError(column, what, try_this)


def decisions(sheet: Sequence[Row], states: Mapping[str, IncidentState], known_rows: Collection[str], fitting: Mapping[str, Any],
              today: date, where: str) -> tuple[list[Said], list[Problem]]:
    """What a sheet decides, without what is so already, and a problem for each cell that will not do.

    `fitting`: by incident, the rows of table 7.2 it may be with the answers each needs, as (row, when).
    """
    made: list[Said] = []
    faults: list[Problem] = []
    seen: set[str] = set()
    for row in sheet:
        try:
            said = _said(row, states, known_rows, fitting, today, where.rsplit("/", 1)[-1])
            if said and said.ref in seen:
                raise _refuse("ref", f"{said.ref} is decided twice on this sheet", "one row an incident")
        except RowError as fault:
            column, what, try_this = fault.args
            faults.append(Problem(f"{where}, line {row.line}, {column}", what, try_this))
            continue
        if said:
            seen.add(said.ref)
            made += [] if _is_so(states[said.ref], said) else [said]
    return made, faults


def _said(row: Row, states: Mapping[str, IncidentState], known_rows: Collection[str], fitting: Mapping[str, Any], today: date,
          sheet: str) -> Said | None:
    """What one row decides; None where no box is ticked."""
    boxes = [name for name in VERDICTS if _given(row, name)]
    ref = row.cell("ref").upper()
    if not boxes:
        _nothing_loose(row)
        return None
    if ref not in states:
        raise _refuse("ref", f"{ref or 'nothing'} is no incident here", "the reference as printed, such as I-0004")
    if len(boxes) > 1:
        raise _refuse(boxes[1], f"{' and '.join(boxes)} are both given", "one of them")
    reason = row.cell("note") or f"ticked {boxes[0]} on {sheet}"
    reason += f", on {_day(row, today)}" if row.cell("on") else ""
    kind, facts = _verdict(row, boxes[0], known_rows, fitting.get(ref, ()))
    said = Said(ref, kind, reason, facts)
    if row.cell("mark") and row.cell("mark") != mark(states[ref]) and not _is_so(states[ref], said):
        raise _refuse("mark", f"{ref} has grown since this sheet was printed", "looking at it again, on a new sheet")
    return said


def _given(row: Row, name: str) -> bool:
    """Whether a verdict's box holds something; what is neither a tick nor nothing will not do."""
    text = row.cell(name).lower()
    if name == "dismiss":
        return text not in NO
    if text not in TICKS | NO:
        raise _refuse(name, f"{row.cell(name)!r} is neither a tick nor empty", "x, or nothing")
    return text in TICKS


def _nothing_loose(row: Row) -> None:
    """Rows or an answer without a verdict are a box forgotten."""
    for name in ("rows", "reported"):
        if row.cell(name).lower() not in NO:
            raise _refuse(name, f"{row.cell(name)!r} stands there without a verdict", f"a tick in {', '.join(VERDICTS)}")


def _day(row: Row, today: date) -> date:
    day = read_date(row.cell("on").split(" ")[0].replace(".", "/"))
    if day is None:
        raise _refuse("on", f"{row.cell('on')!r} is not a date", "2026-11-05 or 05/11/2026")
    if day > today:
        raise _refuse("on", f"{day} has not come yet", "the day it was decided")
    return day


def _verdict(row: Row, box: str, known: Collection[str], fitting: Iterable[Any]) -> tuple[str, dict[str, Any]]:
    """The move of a box, and its facts."""
    if box == "dismiss":
        code = re.sub(r"[\s-]+", "_", row.cell("dismiss").lower())
        if code not in DISMISSALS:
            raise _refuse("dismiss", f"{row.cell('dismiss')!r} is no reason to dismiss", ", ".join(DISMISSALS))
        return "dismissed", {"code": code}
    if box in {"welfare", "unknown"}:
        return {"welfare": "welfare_handover", "unknown": "unidentified"}[box], {}
    reported = _reported(row, needed=box == "accidental")
    if box == "accidental" and reported == "yes":
        return "accidental_reported", {}
    facts = {"intent": box, "reported": reported}
    return "confirmed", facts | {"rows": _rows(row, known, fitting, facts)}


def _reported(row: Row, needed: bool) -> str:
    text = row.cell("reported").lower()
    if text in TICKS:
        return "yes"
    if text in NO and (text or not needed):
        return "no" if text else ""
    raise _refuse("reported", f"{row.cell('reported') or 'nothing'} does not say whether it was reported", "Y or N")


def _rows(row: Row, known: Collection[str], fitting: Iterable[Any], answers: Mapping[str, str]) -> tuple[str, ...]:
    """The rows of table 7.2 that are confirmed: those given, else the one that fits the ticks, where there is just one."""
    given = [name.upper() for name in re.split(r"[\s,;+/]+", row.cell("rows")) if name]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise _refuse("rows", f"{', '.join(unknown)} is no row of table 7.2", "the rows as printed, such as IN-14")
    if given:
        return tuple(dict.fromkeys(given))
    fit = [name for name, when in fitting if name != "no_row"
           and all(when.get(word) in (None, answers[word]) for word in ("intent", "reported"))]
    if len(set(fit)) != 1:
        raise _refuse("rows", "does not say which rows of table 7.2 are confirmed", " or ".join(dict.fromkeys(fit)) or "the row")
    return (fit[0],)


def _is_so(state: IncidentState, said: Said) -> bool:
    """Whether the incident stands so already: the same sheet read twice."""
    if said.kind == "unidentified":
        return state.state == "needs_identification"
    held: dict[str, Any] = {"rows": state.rows, "intent": state.intent, "reported": state.reported, "code": state.code}
    return state.verdict == said.kind and all(held[name] == value for name, value in said.facts.items() if value != "")
