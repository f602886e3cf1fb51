"""Verbs that write a page of a longer span again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline import night, publishing
from pipeline.verbs.front import DAY, end, folder, ran

report = typer.Typer(no_args_is_help=True, help="Write a page of a longer span, as things stand now.")


@report.command("termly")
def report_termly(today: Annotated[datetime | None, typer.Option(help="A day of the term, or after it; else the clock's.",
                                                                 formats=[DAY], metavar="DATE")] = None) -> None:
    """Write the summary of the term, or of the last one that has ended, with what people have decided since its last night."""
    with ran("termly") as note:
        account = night.report(folder(), publishing.last_term, today and today.date())
        note.code = account.code()
    typer.echo("\n".join(f"wrote       {page}" for page in account.pages) or "No term has begun by then.")
    end(account.problems)
