"""Verbs about the breach log."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import asking, logbooks
from pipeline.register.breaches import CAUSES
from pipeline.verbs.front import Reason, folder

breach = typer.Typer(no_args_is_help=True, help="The breach log: what the night saw, completed by people.")
BreachRef = Annotated[str, typer.Argument(help="Reference, such as B-0002.", metavar="REF")]


@breach.command("list")
def breach_list(waiting: Annotated[bool, typer.Option("--waiting", help="Only those without a day of the fix.")] = False) -> None:
    """List filter failures and ways round the filter, with what people have said of each."""
    typer.echo("\n".join(logbooks.breach_list(folder(), waiting)) or "No such breach.")


@breach.command("show")
def breach_show(ref: BreachRef) -> None:
    """Show one breach, its days and what people have said of it."""
    typer.echo("\n".join(logbooks.breach_show(folder(), ref)))


@breach.command("complete")
def breach_complete(
    ref: BreachRef, reason: Reason,
    cause: Annotated[str, typer.Option(help=f"Root cause: {', '.join(CAUSES)}.")] = "",
    fix: Annotated[str, typer.Option(help="What was done.")] = "",
    fixed_on: Annotated[str, typer.Option(help="The day it was fixed.", metavar="DATE")] = "",
    provider: Annotated[str, typer.Option(help="The supplier's reference.", metavar="REF")] = "",
    reported_on: Annotated[str, typer.Option(help="The day it was reported to the supplier.", metavar="DATE")] = "",
    check: Annotated[str, typer.Option(help="The check that verified the fix.", metavar="REF")] = "",
    change: Annotated[str, typer.Option(help="The change that fixed it.", metavar="REF")] = "",
) -> None:
    """Complete a breach: cause, fix and its day, the supplier's reference, the check that verified it; what is left out stays."""
    days = {"fixed_on": fixed_on, "reported_on": reported_on}
    said = {name: str(asking.a_day(day)) if day else "" for name, day in days.items()}
    typer.echo(logbooks.breach_complete(folder(), ref, reason, cause=cause, fix=fix, provider_reference=provider,
                                        verified_by=check, change=change, **said))
