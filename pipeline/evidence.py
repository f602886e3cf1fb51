"""The evidence pack of one incident or breach: one zip that verifies by itself with standard tools.

Making one is an export: it is written down first, with who, why and how much. With names it is a reveal too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline import casework, logbooks, publishing, render, rulefiles, schoolfolder, telling, zipping
from pipeline.casework import Desk
from pipeline.lake import Lake
from pipeline.policy import Policy
from pipeline.policy.printed import printed
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register import IncidentState, may, pack
from pipeline.sql import connect
from pipeline.tables import INCIDENTS, VISITS
from pipeline.vault import Vault, load_keys

ROWS = ("visit", "started_utc", "ended_utc", "category", "site", "requests", "blocked", "log", "line", "byte")
BYTES = "SELECT source, line, byte FROM lines WHERE fate = 'request' AND source || ':' || line IN (SELECT unnest($keys))"


@dataclass(frozen=True)
class Asked:
    """Who asks for a pack, of what, and why."""

    ref: str
    reason: str
    names: bool = False


def make(folder: Path, ref: str, to: Path, reason: str, names: bool = False) -> str:
    """Write the pack of one incident or breach; UsageError or RefusedError: nothing was written."""
    desk, asked = casework.sit(folder), Asked(ref, reason.strip(), names)
    if not asked.reason:
        raise UsageError(Problem(ref, "needs a reason", "--reason"))
    zipping.writable(to)
    files = _of_breach(desk, asked) if ref.startswith("B") else _of_incident(desk, asked)
    about = {"by": desk.who, "role": desk.role, "why": asked.reason, "what": "evidence pack", "files": len(files), "names": names,
             "refs": [ref] if names else []}
    schoolfolder.journal(folder, "access").append("reveal" if names else "export", f"evidence {ref}", about)
    zipping.write(to, ref, pack.summed({name: text.encode("utf-8") for name, text in files.items()}))
    return f"{ref}: {len(files)} files and their sums in {to}. In the unpacked folder: sha256sum -c {pack.SUMS}"


def _of_incident(desk: Desk, asked: Asked) -> dict[str, str]:
    states = casework.states_of(desk.folder)
    state = casework.found(states, asked.ref)
    if state.purged:
        raise UsageError(Problem(asked.ref, "has been purged"))
    if state.summary["tier"] == "T0":
        raise RefusedError(Problem(asked.ref, "is a sealed item: nothing of it leaves but by the sealed protocol", "sealed open"))
    if desk.role not in may("noted", state):
        raise RefusedError(Problem(asked.ref, f"is not for the role {desk.role}", "a role that may open it"))
    policy = desk.policy(state)
    titles = _titles(policy)
    name = _name(desk, state) if asked.names else str(state.summary["person"] or "unnamed")
    record = render.csv_text(pack.NEUTRAL, [pack.neutral(state, policy.columns, titles, name)])
    return _common(desk, asked, "incidents") | {
        "story.txt": _lines(([f"person      {name}"] if asked.names else []) + telling.incident(desk.folder, asked.ref)),
        "rows.csv": render.csv_text(ROWS, _visits(desk, state)),
        "policy.txt": _lines(printed(policy, date.fromisoformat(state.day))), "record.csv": record}


def _of_breach(desk: Desk, asked: Asked) -> dict[str, str]:
    day = desk.today
    return _common(desk, asked, "breaches") | {"story.txt": _lines(logbooks.breach_show(desk.folder, asked.ref)),
                                               "policy.txt": _lines(printed(desk.rules.policy, day))}


def _common(desk: Desk, asked: Asked, book: str) -> dict[str, str]:
    """What every pack holds: what it is, the entries, and the versions."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    files = rulefiles.texts(desk.folder)
    heads = {name: schoolfolder.journal(desk.folder, name).head() for name in schoolfolder.REGISTERS}
    versions = {"made": at, "rules": rulefiles.fingerprint(files), "policy issued": str(desk.rules.policy.issued),
                "policy files": {name: rulefiles.fingerprint({name: text}) for name, text in sorted(files.items())
                                 if name.startswith("rules/") and name.count("/") == 1}, "registers": heads}
    return {"README.txt": pack.READ_ME.format(ref=asked.ref, at=at, who=desk.who, role=desk.role, reason=asked.reason),
            "entries.jsonl": pack.entries(schoolfolder.journal(desk.folder, book).entries(), asked.ref),
            "versions.json": json.dumps(versions, indent=2, ensure_ascii=False) + "\n"}


def _visits(desk: Desk, state: IncidentState) -> list[list[Any]]:
    """The visits of an incident with the place in the log where each begins; none once they have been purged."""
    lake = _lake(desk)
    day = date.fromisoformat(state.day)
    keys = [key for row in lake.table(INCIDENTS, [day]).to_pylist() if row["story"] == state.story for key in row["visit_keys"]]
    visits = {row["visit"]: row for row in lake.table(VISITS, [day]).to_pylist()}
    at, logs = _bytes(lake, day, keys), lake.sources()
    return [_visit(visits[key], logs[visits[key]["source"]].name, at.get(key)) for key in keys if key in visits]


def _visit(row: Mapping[str, Any], log: str, byte: int | None) -> list[Any]:
    return [row["visit"], row["started"].isoformat(), row["ended"].isoformat(), row["category"], row["site"].replace(".", "[.]"),
            row["requests"], row["blocked"], log, row["line"], byte]


def _bytes(lake: Lake, day: date, keys: list[str]) -> dict[str, int]:
    if not lake.files_of(day):
        return {}
    con = connect()
    lake.view(con, day)
    return {f"{source}:{line}": byte for source, line, byte in con.execute(BYTES, {"keys": keys}).fetchall()}


def _lake(desk: Desk) -> Lake:
    return schoolfolder.open_lake(desk.folder, load_keys(desk.folder / desk.rules.school.keys))


def _name(desk: Desk, state: IncidentState) -> str:
    """The name of the person it is about."""
    keys = load_keys(desk.folder / desk.rules.school.keys)
    known = Vault(desk.folder / "var/vault/names", keys.vault).names()
    who = publishing.who_is(desk.rules, keys.pseudonym, known, date.fromisoformat(state.day))
    return who.get(str(state.summary["person"] or ""), "an unnamed device")


def _titles(policy: Policy) -> dict[str, str]:
    """What its categories and the rows of table 7.2 are called."""
    return {name: category.title for name, category in policy.categories.items()} | {
        row.id: row.text for row in policy.sanctions.values()}


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def records(folder: Path, to: Path, reason: str) -> int:
    """Write the confirmed incidents that whoever is at the keyboard may open as one neutral CSV, without names; how many."""
    desk = casework.sit(folder)
    if not reason.strip():
        raise UsageError(Problem("export", "needs a reason", "--reason"))
    zipping.writable(to)
    states = [state for state in casework.states_of(folder).values() if state.verdict == "confirmed"
              and state.summary["tier"] != "T0" and desk.role in may("noted", state)]
    schoolfolder.journal(folder, "access").append("export", "records", {"by": desk.who, "role": desk.role, "why": reason.strip(),
                                                                 "what": "neutral CSV", "rows": len(states)})
    rows = []
    for state in states:
        policy = desk.policy(state)
        titles = _titles(policy)
        rows.append(pack.neutral(state, policy.columns, titles, str(state.summary["person"] or "unnamed")))
    zipping.text(to, render.csv_text(pack.NEUTRAL, rows))
    return len(rows)
