"""Verbs that write a file for other programs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline import evidence, exporting, inspecting
from pipeline.verbs.front import DAY, Reason, Why, folder

export = typer.Typer(no_args_is_help=True, help="Write a file for other programs.")


@export.command("records")
def export_records(to: Annotated[Path, typer.Option(help="The CSV file to write, for its owner only.", metavar="FILE.csv")],
                   reason: Reason) -> None:
    """Write the confirmed incidents you may open as one neutral CSV for a record system, without names; written down first."""
    typer.echo(f"{evidence.records(folder(), to, reason):,} incidents in {to}.")


@export.command("inspection")
def export_inspection(
    to: Annotated[Path, typer.Option(help="The zip to write, for its owner only.", metavar="FILE.zip")],
    period: Annotated[str, typer.Option(help="Such as 2026-27, autumn-2026 or 2026-11-02..2026-11-20.", metavar="PERIOD")],
    reason: Reason,
) -> None:
    """Pack what an inspector asks of a period: policy, questions decided, checks, breaches, changes, coverage, termly and annual
    pages as issued, looks at names, destruction, register heads, versions. No name, no case; index.html is to be read first.

    The zip opens and verifies without this program: sha256sum -c SHA256SUMS.
    """
    typer.echo(inspecting.make(folder(), period, to, reason))


@export.command("detections")
def export_detections(
    to: Annotated[Path, typer.Option(help="The CSV file to write, for its owner only.", metavar="FILE.csv")],
    names: Annotated[bool, typer.Option("--names", help="Logins in place of pseudonyms.")] = False,
    since: Annotated[datetime | None, typer.Option("--from", help="The first school day.", formats=[DAY], metavar="DATE")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="The last school day.", formats=[DAY], metavar="DATE")] = None,
    reason: Why = "",
) -> None:
    """Write every detection of the judged days as CSV, a row each.

    It is written down first. Without names, people are pseudonyms. With --names it is a look at people: sealed items are left
    out, and so is everything about staff, whose matters are on the Principal's page only.
    """
    count = exporting.detections(folder(), to, names, since and since.date(), until and until.date(), reason)
    typer.echo(f"{count:,} detections in {to}.")
