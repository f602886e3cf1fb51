"""Verbs about when things run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline import schedule, schoolfolder
from pipeline.schoolday import school_day
from pipeline.verbs.front import DAY, folder

Today = Annotated[datetime | None, typer.Option(help="The first day to name; else the clock's.", formats=[DAY], metavar="DATE")]


def schedule_print(
    form: Annotated[Literal["cron", "systemd"], typer.Option("--as", help="cron or systemd.", metavar="FORM")] = "cron",
    today: Today = None,
) -> None:
    """Print what has cron or systemd run the school's jobs, by [schedule] and the calendar; it installs nothing.

    Never in an hour that a clock change skips or repeats. Days in term are named until the calendar ends.
    """
    place, school = folder().resolve(), schoolfolder.settings(folder())
    first = today.date() if today else school_day(datetime.now(UTC), school.calendar.timezone)
    words = schedule.command(place)
    if form == "cron":
        typer.echo(schedule.crontab(school, words, first), nl=False)
        return
    keys = (place / Path(school.keys)).resolve()
    writes = [str(place), *([] if keys.is_relative_to(place) else [str(keys)])]
    typer.echo(schedule.units(school, words, first, place.owner(), writes), nl=False)
