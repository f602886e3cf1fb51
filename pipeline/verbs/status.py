"""The verb that says how things stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline import status
from pipeline.verbs.front import end, folder


def status_show(now: Annotated[datetime | None, typer.Option(help="The moment to look from, by UTC; else the clock's.",
                                                             formats=["%Y-%m-%dT%H:%M"], metavar="TIME")] = None) -> None:
    """Say what ran last, what is due, what was missed or is stale, and how much waits for people; no name.

    0: all is as it should be. 5: a job was missed or went wrong, a log is silent, a day is not judged, the calendar has ended.
    """
    said, problems = status.status(folder(), now and now.replace(tzinfo=UTC))
    typer.echo("\n".join(said))
    end(problems)
