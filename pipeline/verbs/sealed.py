"""Verbs about sealed items."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import casework, sealing
from pipeline.pages.dsl import SEALED_RULES
from pipeline.verbs.front import Reason, Ref, folder

sealed = typer.Typer(no_args_is_help=True, help="Sealed items, for the DSL and the Principal: list, take up, open.")


@sealed.command("list")
def sealed_list() -> None:
    """List the sealed items you may open, without names or addresses, and the copies in custody; and what not to do."""
    lines = sealing.listed(folder())
    typer.echo("\n".join([*lines, "", *SEALED_RULES]) if lines else "No sealed item.")


@sealed.command("take-up")
def sealed_take_up(ref: Ref, reason: Reason) -> None:
    """Record that a sealed item is taken up under the sealed protocol."""
    typer.echo(casework.act(folder(), ref, "sealed_illegal", reason))


@sealed.command("open")
def sealed_open(
    ref: Ref, reason: Reason,
    to: Annotated[Path, typer.Option(help="The new file, outside the school folder.", metavar="FILE")],
    holder: Annotated[str, typer.Option("--for", help="Whom it is opened for: police force and number.")],
    witness: Annotated[str, typer.Option(help="Who witnesses it: somebody else.")],
) -> None:
    """Open the encrypted copy of the log of a sealed item for whom the law sends; the custody log says so first.

    Do not look into the file: hand it over.
    """
    typer.echo(sealing.open_copy(folder(), ref, to, reason, holder, witness))
