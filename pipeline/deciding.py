"""What people do from the command line: check the rules, explain an incident from its lines, decide, and explain changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import casework, folders, keyboard, register, rulefiles, ruleset, schoolfolder
from pipeline.pages.parts import defanged
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.rulebook.examples import example_faults
from pipeline.school import read_school
from pipeline.tables import INCIDENTS, VISITS
from pipeline.vault import load_keys


def check(folder: Path) -> tuple[list[Problem], int]:
    """Every fault of the rules, and of their examples, at once; and how many examples were run."""
    schoolfolder.require_school(folder)
    files = rulefiles.texts(folder)
    school, _ = read_school(files["school.toml"])
    rules, faults = ruleset.read_all(files)
    faults += folders.group_faults(school.groups) if school else []
    if rules is None:
        return faults, 0
    faults += [fault for rule in rules.rules for fault in example_faults(rule, rules.policy.categories)]
    return list(dict.fromkeys(faults)), sum(len(rule.fires) + len(rule.quiet) for rule in rules.rules)


def explain_incident(folder: Path, ref: str, reason: str = "") -> list[str]:
    """From an incident to its log lines: each visit's first line, by log, line and byte. A reveal, written down first."""
    state, rules = casework.found(casework.states_of(folder), ref), schoolfolder.settings(folder)
    if state.summary.get("tier") == "T0":
        raise RefusedError(Problem(ref, "is a sealed item, and nothing of it is shown", "the sealed protocol on the DSL list"))
    lake = schoolfolder.open_lake(folder, load_keys(folder / rules.keys))
    day = date.fromisoformat(state.day)
    keys = [key for row in lake.table(INCIDENTS, [day]).to_pylist() if row["story"] == state.story for key in row["visit_keys"]]
    visits = {row["visit"]: row for row in lake.table(VISITS, [day]).to_pylist()}
    logs = lake.sources()
    schoolfolder.journal(folder, "access").append("reveal", ref, {
        "by": keyboard.login(), "what": "explain", "day": state.day, "why": " ".join(reason.split())})
    return [_told(visits[key], logs[visits[key]["source"]].path) for key in keys if key in visits]


def _told(visit: Mapping[str, Any], log: str) -> str:
    """One visit in a line: when, what, and where its first line stands."""
    return (f"{visit['started']:%Y-%m-%d %H:%M:%S} UTC  {visit['category']}  {visit['host'].replace('.', '[.]')}  "
            f"{visit['requests']} requests, {visit['blocked']} blocked  {log}, line {visit['line']}")


def decide(folder: Path, ref: str, kind: str, reason: str, rows: Sequence[str], intent: str, code: str) -> str:
    """Move an incident on: the decision of the person at the keyboard, by the role that school.toml gives their login."""
    facts = {"rows": tuple(rows), "intent": intent, "code": code}
    return casework.act(folder, ref, kind, reason, **{name: value for name, value in facts.items() if value})


def changes(folder: Path) -> list[str]:
    """A line a change: reference, day, what, from what to what, and who and why, or that nobody has said."""
    states = register.fold_changes(schoolfolder.journal(folder, "changes").entries()).values()
    return [f"{c.ref}  {c.opened_at[:10]}  {defanged(c.object)}: {defanged(c.before) or 'nothing'} -> "
            f"{defanged(c.after) or 'nothing'}  "
            + (f"{c.who}: {defanged(c.why)} (approved by {c.approver})" if c.explained else "changed without a reason")
            for c in states if not c.purged]


def explain(folder: Path, ref: str, who: str, why: str, approver: str) -> str:
    """Say who made a change, why, and who approved it."""
    log = schoolfolder.journal(folder, "changes")
    states = register.fold_changes(log.entries())
    if ref not in states:
        raise UsageError(Problem(ref, "is no change here", "schoolgate change list"))
    log.append(*register.explain(states[ref], who=who, why=why, approver=approver))
    return f"{ref} has its reason."
