"""The verb that makes a page again, or for another period."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from pipeline import issuing, publishing
from pipeline.runs import Note
from pipeline.verbs.front import end, folder, ran

JOBS = ("termly", "annual")  # what the schedule starts, and `status` tells of


def report(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(publishing.REPORTS)}.", metavar="NAME")],
    period: Annotated[str, typer.Option(help="Such as 2026-11-03, 2026-W45, 2026-11, autumn-2026, autumn-2026-2, 2026-27 or "
                                             "2026-11-02..2026-11-20; the latest when not given.", metavar="PERIOD")] = "",
) -> None:
    """Write a page and the tables beside it for a period, into the folder of its reader; names on it are a logged reveal.

    From the same data the same page comes out, to the byte. Counts on leaders' and governors' pages are held to what was
    printed before: a small number cannot be had by asking for two periods.
    """
    with ran(name) if name in JOBS and not period else nullcontext(Note()) as note:
        account = issuing.report(folder(), name, period)
        note.code = account.code()
    typer.echo("\n".join(f"wrote       {page}" for page in account.pages) or "Nothing was to tell, so no page was written.")
    end(account.problems)
