"""Verbs about who may look at whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline import approving
from pipeline.verbs.front import DAY, Reason, folder

access = typer.Typer(no_args_is_help=True, help="Looks at people: a second person's approval of one that shows many.")


@access.command("approve")
def access_approve(
    login: Annotated[str, typer.Argument(help="The login it is for: another than yours.", metavar="LOGIN")],
    first: Annotated[datetime, typer.Option("--from", help="The first school day it may show.", formats=[DAY], metavar="DATE")],
    last: Annotated[datetime, typer.Option("--to", help="The last school day it may show.", formats=[DAY], metavar="DATE")],
    reason: Reason,
    what: Annotated[str, typer.Option(help="What may be run with names.", metavar="COMMAND")] = approving.EXPORT,
    until: Annotated[datetime | None, typer.Option(help="The last day to use it on; else a week from now.", formats=[DAY],
                                                   metavar="DATE")] = None,
) -> None:
    """Approve that another login shows many people's names, once; for a Principal, an Assistant Principal or the DPO.

    From how many people on this is needed, `[reveals]` of school.toml says. Who looked at whom: `schoolgate report looks`.
    """
    typer.echo(approving.approve(folder(), login, what, (first.date(), last.date()), until and until.date(), reason))
