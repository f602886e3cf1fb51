"""The verb that makes an evidence pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import evidence as making
from pipeline.verbs.front import Reason, folder


def evidence(
    ref: Annotated[str, typer.Argument(help="An incident or a breach, such as I-0004 or B-0002.", metavar="REF")],
    to: Annotated[Path, typer.Option(help="The zip to write, for its owner only.", metavar="FILE.zip")],
    reason: Reason,
    names: Annotated[bool, typer.Option("--names", help="With the person's name: a reveal, written down.")] = False,
) -> None:
    """Pack all that is held of an incident or breach: story, entries, log lines, policy, versions, and sums that verify.

    The zip opens and verifies without this program: sha256sum -c SHA256SUMS.
    """
    typer.echo(making.make(folder(), ref, to, reason, names))
