"""Verbs about the school's policy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline import asking
from pipeline.verbs.front import DAY, folder

policy = typer.Typer(invoke_without_command=True, help="The policy as printed, its open questions, and what was decided.")
On = Annotated[datetime | None, typer.Option("--on", help="As in force on that day; else today.", formats=[DAY], metavar="DATE")]


@policy.callback()
def policy_show(context: typer.Context, on: On = None) -> None:
    """Print the policy: its tables and clauses, the readings in use, decisions, and the guidance beside it."""
    if context.invoked_subcommand is None:
        typer.echo("\n".join(asking.policy(folder(), on and on.date())))


@policy.command("questions")
def policy_questions(on: On = None) -> None:
    """List the open questions: both readings, what is done meanwhile, who decides, and what hangs on it."""
    typer.echo("\n".join(asking.questions(folder(), on and on.date())))


@policy.command("decide")
def policy_decide(
    ref: Annotated[str, typer.Argument(help="Number of the question, such as AMB-01.", metavar="QUESTION")],
    reading: Annotated[str, typer.Option(help="1 or 2, or the reading in full.", metavar="READING")],
    who: Annotated[str, typer.Option(help="Who decided: a role or a meeting.")],
    why: Annotated[str, typer.Option(help="Why, in a sentence.")],
    since: Annotated[datetime | None, typer.Option("--from", help="The first day it holds for; else today.", formats=[DAY],
                                                   metavar="DATE")] = None,
) -> None:
    """Record which reading of the policy holds, from when, who decided and why; a day is judged by what held on it."""
    typer.echo(asking.decide(folder(), ref, reading, who, why, since and since.date()))
