"""Sealed items for the DSL and the Principal: what there is, whether it looks like a filter test, and each opening of a copy.

Nothing here shows an address. A copy opens for those whom the law sends, before a witness, and the custody log says so first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline import casework, rulefiles, schoolfolder, sealed
from pipeline.casework import Desk
from pipeline.problems import FailedError, Problem, RefusedError, UsageError
from pipeline.register import IncidentState, custody, may
from pipeline.schoolday import local
from pipeline.sql import connect
from pipeline.tables import VISITS
from pipeline.vault import load_keys

LISTS = """
SELECT coalesce(person, client) AS subject, list(DISTINCT sealed_list ORDER BY sealed_list) AS lists, min(time) AS started
FROM lines WHERE sealed <> '' AND sealed_list <> '' GROUP BY sealed, coalesce(person, client)
"""
WHERE = "SELECT byte FROM lines WHERE source = $source AND line = $line"


def listed(folder: Path) -> list[str]:
    """A line a sealed item that whoever is at the keyboard may open, without name and address; and the copies in custody."""
    desk = casework.sit(folder)
    states = [state for state in casework.states_of(folder).values() if _mine(desk, state)]
    shapes = shaped(desk, states)
    lines = [_line(desk, state, shapes) for state in states]
    book = schoolfolder.journal(folder, "custody").entries()
    opened = [entry.ref for entry in book if entry.kind == "opened"]
    copies = [f"copy  {entry.ref}  taken {entry.at[:16]}  opened {opened.count(entry.ref)} times" for entry in book
              if entry.kind == "taken"]
    return [*lines, *copies] if lines else []


def _mine(desk: Desk, state: IncidentState) -> bool:
    return state.summary.get("tier") == "T0" and not state.purged and desk.role in may("noted", state)


def _line(desk: Desk, state: IncidentState, shapes: set[str]) -> str:
    at = local(datetime.fromisoformat(state.summary["started"]), desk.rules.school.calendar.timezone)
    shape = "  shape matches a filter test: confirm with the tester" if state.ref in shapes else ""
    return (f"{state.ref}  {state.state}  raised {at:%Y-%m-%d %H:%M}  subject: {state.summary['actor'].replace('_', ' ')}  "
            f"{state.summary['outcome']}{shape}")


def shaped(desk: Desk, states: list[IncidentState]) -> set[str]:
    """Those of these sealed items that look like a filter test."""
    if not states or not (desk.folder / "var/lake").is_dir():
        return set()
    lake = schoolfolder.open_lake(desk.folder, load_keys(desk.folder / desk.rules.school.keys))
    found = set()
    for day in {date.fromisoformat(state.day) for state in states}:
        con = connect()
        if not lake.files_of(day):
            continue
        lake.view(con, day)
        items = con.sql(LISTS).to_arrow_table().to_pylist()
        visits = lake.table(VISITS, [day]).to_pylist()
        mine = [(state, _item(state, items)) for state in states if state.day == str(day)]
        found |= {state.ref for state, item in mine if custody.looks_like_a_test(item, items, visits)}
    return found


def _item(state: IncidentState, items: list[dict[str, Any]]) -> Mapping[str, Any]:
    """A sealed incident with the names of the lists whose verdicts it holds."""
    begin, end = (datetime.fromisoformat(state.summary[name]) for name in ("started", "ended"))
    own = [row for row in items if row["subject"] == state.summary["subject"] and begin <= row["started"] <= end]
    return {"subject": state.summary["subject"], "started": begin, "lists": [name for row in own for name in row["lists"]]}


def open_copy(folder: Path, ref: str, to: Path, reason: str, holder: str, witness: str) -> str:
    """Open the encrypted copy of the log of a sealed item into the file `to`, for whom the law sends; written down first."""
    desk = casework.sit(folder)
    state = casework.found(casework.states_of(folder), ref)
    if state.summary.get("tier") != "T0":
        raise UsageError(Problem(ref, "is not sealed", "schoolgate explain"))
    if not _mine(desk, state):
        raise RefusedError(Problem(ref, f"is not for the role {desk.role}", "the Principal, or the DSL for a pupil's"))
    if folder.resolve() in to.resolve().parents or to.exists():
        raise UsageError(Problem(str(to), "is inside the school folder, or there already", "a new file on the disk handed over"))
    keys = load_keys(folder / desk.rules.school.keys)
    copy = _copy_of(desk, state)
    with rulefiles.entering(folder):
        event = custody.opened(copy.name, ref, who=desk.who, role=desk.role, reason=reason, to=to.name, witness=witness,
                               holder=holder)
        schoolfolder.journal(folder, "custody").append(*event)
    size = sealed.write_out(to, sealed.open_copy(copy, keys.sealed))
    return f"{copy.name} is opened into {to}, {size:,} bytes, for {holder}, before {witness}. It is on record."


def _copy_of(desk: Desk, state: IncidentState) -> Path:
    """The copy whose bytes hold the first line of the item; where lines are no longer kept, the only copy of its log."""
    source, _, line = state.keys[0].rsplit("|", 1)[1].partition(":")
    copies = {_span(path): path for path in sealed.copies(desk.folder / "var/sealed") if path.name.startswith(f"{source}-")}
    lake = schoolfolder.open_lake(desk.folder, load_keys(desk.folder / desk.rules.school.keys))
    day = date.fromisoformat(state.day)
    at = -1
    if lake.files_of(day):
        con = connect()
        lake.view(con, day)
        found = con.execute(WHERE, {"source": source, "line": int(line)}).fetchone()
        at = found[0] if found else -1
    fit = [path for (begin, end), path in copies.items() if begin <= at < end]
    fit = fit or (list(copies.values()) if len(copies) == 1 else [])
    if not fit:
        raise FailedError(Problem(state.ref, "has no copy here that holds it", "the filter's own log, preserved by its supplier"))
    return fit[0]


def _span(path: Path) -> tuple[int, int]:
    begin, end = path.stem.rsplit("-", 2)[1:]
    return int(begin), int(end)


def faults(folder: Path) -> list[Problem]:
    """A problem for each copy in custody that is gone or altered; for `verify`."""
    changed = custody.altered(schoolfolder.journal(folder, "custody").entries(), sealed.digests(folder / "var/sealed"))
    return [Problem(str(folder / "var/sealed" / name), "is gone, or not what was taken into custody", "a backup of that date")
            for name in changed]
