"""The return sheet that the night writes beside the DSL list and the Principal's page: every incident that waits, a row each.

The columns before the boxes are for the reader; whoever fills it in ticks one box a row and puts the file into `returns/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pipeline import publishing, render
from pipeline.pages.dsl import HELP
from pipeline.policy import in_force
from pipeline.publishing import Desk
from pipeline.register import IncidentState
from pipeline.register.proposals import asked, questions
from pipeline.register.returns import BOXES, COLUMNS, mark

READERS: Mapping[str, tuple[str, ...]] = {"safeguarding": ("student", "welfare", "attribution", "guest"), "principal": ("staff",)}


def write(desk: Desk, day: date) -> None:
    """Write the sheet of each reader as of `day`, with names: a look that is written down first."""
    for reader, routes in READERS.items():
        states = [state for state in desk.registers.incidents().values()
                  if state.waiting and state.detected and state.summary["route"] in routes and not _helps(state)]
        named = [state.ref for state in states if state.summary["person"]]
        if named:
            desk.reveal(f"{reader}/return-{day}", {"page": "return", "day": str(day), "refs": named, "by": "the night",
                                                      "for": reader, "judged": desk.lake.generation(day)})
        desk.write(reader, f"return-{day}.csv", render.csv_text(COLUMNS, [_row(desk, state) for state in states]))


def _helps(state: IncidentState) -> bool:
    return bool(HELP & set(state.summary["categories"]))


def _row(desk: Desk, state: IncidentState) -> list[Any]:
    policy, body = in_force(desk.rules.policy, date.fromisoformat(state.day)), state.summary
    what = ", ".join(policy.categories[name].title if name in policy.categories else name for name in body["categories"])
    shown = [state.ref, state.day, desk.names.get(body["person"] or "", "an unnamed device"), body["year"],
             what or publishing.told(state), body["outcome"], "; ".join(asked(list(questions(policy.categories, state))))]
    return [*shown, *("" for _ in BOXES), mark(state)]
