"""Verbs about the rules: try an edit before a night runs by it, and look at what there is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from pipeline import ruling, trial
from pipeline.verbs.front import DAY, folder


def try_out(days: Annotated[int, typer.Option(help="How many school days to try it on.", min=1)] = trial.DAYS) -> None:
    """Say what an edit of the rules would have changed over past days: incidents gained and lost, by rule. Writes nothing."""
    typer.echo("\n".join(trial.trial(folder(), days)))


def rules(until: Annotated[datetime | None, typer.Option(help="The last day of the four weeks; else today.", formats=[DAY],
                                                         metavar="DATE")] = None) -> None:
    """List the rules: what each looks for, how often people confirmed what it found, and which are proposed for watch."""
    last: date = (until or datetime.now(UTC)).date()
    typer.echo("\n".join(ruling.rules(folder(), last)))
