"""Verbs about log formats."""

from __future__ import annotations

import typer

from pipeline import logfiles, readout, rulefiles, trying
from pipeline.formats import with_own
from pipeline.problems import UsageError
from pipeline.verbs.front import Dates, Files, Form, Year, Zone, end, folder

formats = typer.Typer(invoke_without_command=True, help="The log formats, and how a log is understood.")


@formats.callback()
def formats_list(context: typer.Context) -> None:
    """List the log formats, with an example each."""
    if context.invoked_subcommand is None:
        for form in how().formats.values():
            typer.echo(f"{form.name:18} {form.title}\n{'':18} {(form.file.examples or [''])[0].splitlines()[0]}")


@formats.command("try")
def formats_try(files: Files, form: Form = "", zone: Zone = "Europe/London", year: Year = 0, dates: Dates = "") -> None:
    """Show the first lines of a log with each field labelled, and what would be rejected and why.

    Line N of a JSON array is its element N.
    """
    logs, problems = logfiles.find(files)
    for log in logs:
        lines, more = trying.told(log, how(form, zone, year, dates))
        typer.echo("\n".join([str(log), *lines]))
        problems += more
    end(problems)


def how(form: str = "", zone: str = "Europe/London", year: int = 0, dates: str = "") -> readout.Readout:
    """How to read: with the school's own formats, where there is a school folder."""
    own = [(name, text) for name, text in rulefiles.texts(folder()).items() if name.startswith("rules/formats/")]
    known, faults = with_own(own)
    if faults:
        raise UsageError(*faults)
    return readout.Readout(form, zone, year, dates, known)
