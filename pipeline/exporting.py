"""What leaves as a file for other programs. Each export is a contract: its columns and words stay as they are.

Every export is written down before the file is there. Without names every person is a pseudonym. With names it is a reveal:
sealed items are then left out, and so is everything about staff, whose matters are on the Principal's page only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline import approving, keyboard, render, rulefiles, schoolfolder
from pipeline.classify import STAFF
from pipeline.detect import SEALED
from pipeline.incidents import key_of
from pipeline.problems import FailedError, Problem, RefusedError, UsageError
from pipeline.school import School
from pipeline.tables import DETECTIONS
from pipeline.textfiles import put_text
from pipeline.vault import Keys, Vault, load_keys

HEADER = ("date", "user", "category", "outcome", "intent", "rows", "route", "start_utc", "end_utc", "visits", "reasons", "ref")
NOBODYS = "help_seeking"  # never beside a person; no rule speaks of it, and no export does


def detections(folder: Path, to: Path, named: bool, first: date | None = None, last: date | None = None, why: str = "") -> int:
    """Write the detections of every judged day from `first` to `last` to the CSV file `to`, owner only; how many rows.

    Columns as in HEADER: `user` is the login with `named`, else the pseudonym, and the device's where the log names nobody;
    times are UTC; `rows` and `reasons` are parted by `;`. UsageError, RefusedError, FailedError: nothing was written.
    """
    school = schoolfolder.settings(folder)
    _writable(to)
    if not (folder / "var").is_dir():
        raise RefusedError(Problem(str(folder), "has judged no day yet", "schoolgate nightly LOG"))
    with rulefiles.locked(folder):
        keys = load_keys(folder / school.keys)
        rows = _rows(folder, keys, first or date.min, last or date.max)
        if named:
            rows = [row for row in rows if _may_be_named(row)]
        said = {"to": to.name, "from": str(first or ""), "until": str(last or ""), "rows": len(rows),
                "why": " ".join(why.split())}
        (_reveal if named else _export)(folder, school, rows, said)
        _write(to, rows, Vault(folder / "var/vault/names", keys.vault).names() if named else {})
    return len(rows)


def _rows(folder: Path, keys: Keys, first: date, last: date) -> list[dict[str, Any]]:
    """The detections of those days, each with the reference of the incident that holds it."""
    lake = schoolfolder.open_lake(folder, keys)
    refs = _references(folder)
    found = lake.table(DETECTIONS, [day for day in lake.judged() if first <= day <= last]).to_pylist()
    return [row | {"ref": refs.get((str(row["day"]), key_of(row)), "")} for row in found
            if row["category"] != NOBODYS and not row["hidden"]]


def _references(folder: Path) -> dict[tuple[str, str], str]:
    """Reference by day and detection key, of what is detected now."""
    states = schoolfolder.incidents(folder)
    return {(state.day, key): ref for ref, state in states.items() if state.detected and not state.purged for key in state.keys}


def _may_be_named(row: Mapping[str, Any]) -> bool:
    return row["route"] != SEALED and row["actor"] not in STAFF


def _reveal(folder: Path, school: School, rows: list[dict[str, Any]], said: dict[str, Any]) -> None:
    """The reveal, in the register before the file is there, with the second person's approval where one is needed."""
    approving.reveal(folder, school, approving.EXPORT, len({row["subject"] for row in rows}), {row["day"] for row in rows},
                     said | {"refs": sorted({row["ref"] for row in rows if row["ref"]})})


def _export(folder: Path, school: School, rows: list[dict[str, Any]], said: dict[str, Any]) -> None:
    """The export without names, in the register before the file is there."""
    schoolfolder.journal(folder, "access").append("export", "export-detections", {
        "by": keyboard.login(), "what": approving.EXPORT, "names": False, **said})


def _write(to: Path, rows: list[dict[str, Any]], names: Mapping[str, str]) -> None:
    text = render.csv_text(HEADER, (_cells(row, names) for row in rows))
    try:
        put_text(to, text, 0o600)
    except OSError as error:
        raise FailedError(Problem(str(to), f"could not be written ({error.strerror})", "a folder you may write in")) from None


def _cells(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Any, ...]:
    user = names.get(row["person"] or "") or row["subject"]
    return (row["day"], user, row["category"], row["outcome"], row["intent"], ";".join(row["rows"]), row["route"],
            _utc(row["started"]), _utc(row["ended"]), row["visits"], "; ".join(row["reasons"]), row["ref"])


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _writable(to: Path) -> None:
    """A folder in the file's place, or no folder to put it in, is said before anything is looked at or written down."""
    if to.is_dir():
        raise UsageError(Problem(str(to), "is a folder", f"--to {to / 'detections.csv'}"))
    if not to.absolute().parent.is_dir():
        raise UsageError(Problem(str(to.parent), "is no folder", "making it first, or another --to"))
