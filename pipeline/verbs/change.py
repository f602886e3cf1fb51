"""Verbs about the change log."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import deciding
from pipeline.verbs.front import Reason, Ref, folder

change = typer.Typer(no_args_is_help=True, help="Look at the change log, and say who changed what and why.")


@change.command("list")
def change_list() -> None:
    """List every difference of rules, lists and settings."""
    typer.echo("\n".join(deciding.changes(folder())) or "No change yet.")


@change.command("add")
def change_add(ref: Ref, who: Annotated[str, typer.Option(help="Who made it: a role.")], why: Reason,
               approver: Annotated[str, typer.Option(help="Who approved it: a role.")]) -> None:
    """Say who made a change, why, and who approved it."""
    typer.echo(deciding.explain(folder(), ref, who, why, approver))
