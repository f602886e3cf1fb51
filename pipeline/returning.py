"""Return sheets read back: at once by `schoolgate incident return`, or by the next night from `returns/`.

A sheet is applied whole, in one write, or not at all; what is so already is left alone, so the same sheet twice is harmless.
Who returned it is the login at the keyboard, or whose file it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipeline import casework, inbox, rulefiles, schoolfolder
from pipeline.casework import Desk
from pipeline.problems import Problem, SchoolgateError, UsageError
from pipeline.register import Event, IncidentState
from pipeline.register.proposals import questions
from pipeline.register.returns import MOST, Said, decisions, decoded, rows


def take(folder: Path, path: Path) -> list[str]:
    """Apply one sheet for whoever is at the keyboard; UsageError with every cell that will not do: nothing was applied."""
    return _applied(casework.sit(folder), path)


def collect(folder: Path) -> tuple[list[str], list[Problem]]:
    """Read every sheet in the inbox, each for whose file it is; what came of them, and why some were refused."""
    said: list[str] = []
    problems: list[Problem] = []
    for path in inbox.waiting(folder):
        try:
            lines = _applied(_desk_of(folder, path), path)
        except SchoolgateError as error:
            inbox.answer(path, f"Nothing of this sheet was applied.\n{error}\n")
            problems += error.problems
            continue
        inbox.put_away(path)
        said.append(f"{path.name}: {len(lines)} decisions")
    return said, problems


def _desk_of(folder: Path, path: Path) -> Desk:
    """The desk of whose file it is."""
    desk, who = casework.sit(folder, needs_role=False), inbox.owner(path)
    role = desk.rules.school.roles.get(who, "")
    if not role:
        raise UsageError(Problem(str(path), f"is a file of {who}, who has no role in this school",
                                 f"saving it from the account of who decides, or a line `{who} = \"dsl\"` under [roles]"))
    return replace(desk, who=who, role=role)


def _applied(desk: Desk, path: Path) -> list[str]:
    """One sheet applied for whoever sits at the desk, under the lock of the registers."""
    sheet, faults = rows(decoded(inbox.contents(path, MOST)), str(path))
    if faults:
        raise UsageError(*faults)
    policy = desk.rules.policy
    with rulefiles.entering(desk.folder):
        states = casework.states_of(desk.folder)
        refs = {row.cell("ref").upper() for row in sheet}
        fit = {ref: _fitting(desk, state) for ref, state in states.items() if ref in refs and not state.purged}
        made, faults = decisions(sheet, states, policy.sanctions, fit, desk.today, str(path))
        events: list[Event] = []
        lines = {row.cell("ref").upper(): row.line for row in sheet}
        for said in made:
            try:
                events += _moves(desk, states[said.ref], said)
            except SchoolgateError as error:
                faults += [Problem(f"{path}, line {lines[said.ref]}, {problem.where}", problem.what, problem.try_this)
                           for problem in error.problems]
        if faults:
            raise UsageError(*faults)
        schoolfolder.journal(desk.folder, "incidents").append_all(events)
    return [f"{ref} is {kind.replace('_', ' ')}, by {desk.who} ({desk.role})" for kind, ref, _ in events]


def _fitting(desk: Desk, state: IncidentState) -> list[tuple[str, Mapping[str, str]]]:
    """The rows it may be, with the answers each needs; a row entered by hand needs none."""
    return list(questions(desk.policy(state).categories, state))


def _moves(desk: Desk, state: IncidentState, said: Said) -> list[Event]:
    return [casework.move(desk, state, said.kind, said.reason, **said.facts)]
