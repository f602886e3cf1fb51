"""Verbs about incidents."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import deciding
from pipeline.verbs.front import Reason, Ref, folder

incident = typer.Typer(no_args_is_help=True, help="Look at incidents, and move one on.")


@incident.command("list")
def incident_list() -> None:
    """List the incidents, without names."""
    typer.echo("\n".join(deciding.incidents(folder())) or "No incident yet.")


@incident.command("show")
def incident_show(ref: Ref) -> None:
    """Show one incident and its life, without names."""
    typer.echo("\n".join(deciding.incident(folder(), ref)))


@incident.command("confirm")
def incident_confirm(ref: Ref, reason: Reason,
                     row: Annotated[list[str] | None, typer.Option(help="Row of table 7.2; may be repeated.")] = None,
                     intent: Annotated[str, typer.Option(help="deliberate or accidental, as found.")] = "") -> None:
    """Confirm an incident. Who you are is your computer login; what you may do is your role under [roles]."""
    typer.echo(deciding.decide(folder(), ref, "confirmed", reason, row or [], intent, ""))


@incident.command("dismiss")
def incident_dismiss(ref: Ref, reason: Reason,
                     code: Annotated[str, typer.Option(help="Such as false_positive or authorised.")] = "") -> None:
    """Dismiss an incident."""
    typer.echo(deciding.decide(folder(), ref, "dismissed", reason, [], "", code))


@incident.command("reopen")
def incident_reopen(ref: Ref, reason: Reason) -> None:
    """Open a confirmed or dismissed incident again."""
    typer.echo(deciding.decide(folder(), ref, "reopened", reason, [], "", ""))
