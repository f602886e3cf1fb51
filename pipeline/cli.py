"""The front door: plain verbs that turn words into calls, and counts and problems into sentences. It decides nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline import logfiles, night, readout
from pipeline.formats import Format, bundled
from pipeline.problems import Exit, Problem, SchoolgateError, UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="A school's web-filter logs, judged by its own e-safety policy.")
School = Annotated[Path, typer.Option(help="The school folder.", metavar="DIR")]
_folder = Path()


@app.callback()
def start(school: School = Path()) -> None:
    """Keep the school folder for the verb that follows."""
    global _folder  # noqa: PLW0603 (typer hands options of the command itself to this function alone)
    _folder = school
    os.umask(0o077)


@app.command()
def read(
    files: Annotated[list[str], typer.Argument(help="Logs, folders of logs, or patterns.", metavar="FILE...")],
    form: Annotated[str, typer.Option("--format", help="Name of the log format.", metavar="NAME")] = "squid",
) -> None:
    """Print what is understood of a log: one JSON object per request; rejects and counts go to stderr."""
    logs, problems = logfiles.find(files)
    for log in logs:
        problems += readout.read(log, _format(form), ())
    _end(problems)


@app.command()
def formats() -> None:
    """List the log formats."""
    for form in bundled().values():
        typer.echo(f"{form.name:10} {form.title}")


@app.command()
def nightly(
    logs: Annotated[list[str] | None, typer.Argument(help="Logs, folders of logs, or patterns.", metavar="LOG...")] = None,
) -> None:
    """Run the night: read what is new, judge the days it touches, keep the registers, write the pages."""
    account = night.run(_folder, logs or [], _ticker())
    typer.echo(account.text())
    _end(account.problems, account.code)


@app.command()
def verify() -> None:
    """Walk the chains of every register, and look for the lake's files."""
    problems = night.verify(_folder)
    typer.echo("Every register holds." if not problems else f"{len(problems)} faults.")
    _end(problems, Exit.FAILED if problems else Exit.DONE)


def _format(name: str) -> Format:
    if name not in bundled():
        raise UsageError(Problem(f"--format {name}", "is not a log format", "one of " + ", ".join(bundled())))
    return bundled()[name]


def _ticker() -> night.Tick:
    """Progress: a line that renews itself on a terminal, nothing under cron."""
    done = 0

    def tick(name: str, lines: int) -> None:
        nonlocal done
        done += lines
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name}: {done:,} lines ")
            sys.stderr.flush()
    return tick


def _end(problems: Iterable[Problem], code: Exit | None = None) -> NoReturn:
    said = list(problems)
    for problem in said:
        typer.echo(str(problem), err=True)
    raise typer.Exit(code if code is not None else Exit.MEND if said else Exit.DONE)


def main() -> None:
    """Run the command; a failure a person can act on is a sentence and an exit code, never a traceback."""
    try:
        app(prog_name="schoolgate")
    except SchoolgateError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.code)
