"""Verbs about concerns that parents and others report."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import asking, logbooks
from pipeline.verbs.front import Reason, folder

concern = typer.Typer(no_args_is_help=True, help="Concerns that parents and others report: who contacts them, and until when.")
ConcernRef = Annotated[str, typer.Argument(help="Reference, such as P-0002.", metavar="REF")]
On = Annotated[str, typer.Option(help="The day; else today.", metavar="DATE")]


@concern.command("add")
def concern_add(
    what: Annotated[str, typer.Option(help="What they are concerned about.")],
    owner: Annotated[str, typer.Option(help="Who looks after it: a role.")],
    source: Annotated[str, typer.Option(help="Who reports it: parent, pupil, staff or other.")] = "parent",
    on: On = "",
    incident: Annotated[str, typer.Option(help="The incident it is about, where there is one.", metavar="REF")] = "",
) -> None:
    """Take in a concern; whoever reports one is contacted within the school days of `[clocks]`."""
    typer.echo(logbooks.concern_add(folder(), what, source, owner, asking.a_day(on) if on else None, incident))


@concern.command("list")
def concern_list(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those who should have been contacted.")] = False,
) -> None:
    """List the concerns, without what was said."""
    typer.echo("\n".join(logbooks.concern_list(folder(), overdue)) or "No such concern.")


@concern.command("contacted")
def concern_contacted(ref: ConcernRef, reason: Reason, on: On = "") -> None:
    """Say that whoever reported it was contacted."""
    typer.echo(logbooks.concern_contacted(folder(), ref, reason, asking.a_day(on) if on else None))


@concern.command("done")
def concern_done(ref: ConcernRef, reason: Reason) -> None:
    """End a concern with its outcome, once whoever reported it was contacted."""
    typer.echo(logbooks.concern_done(folder(), ref, reason))
