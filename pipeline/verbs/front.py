"""What every verb shares: the school folder, the options that many take, and how a command ends."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline.problems import Exit, Problem
from pipeline.runs import Note, noted

DAY = "%Y-%m-%d"
Form = Annotated[str, typer.Option("--format", help="Name of the log format; found from the lines when not given.",
                                   metavar="NAME")]
Zone = Annotated[str, typer.Option(help="Zone of times that say none.", metavar="ZONE")]
Year = Annotated[int, typer.Option(help="Year of the last line, where times say none.", metavar="YYYY")]
Dates = Annotated[str, typer.Option(help="Order of day and month where no date decides: dmy or mdy.", metavar="ORDER")]
Files = Annotated[list[str], typer.Argument(help="Logs, folders of logs, or patterns.", metavar="FILE...")]
Ref = Annotated[str, typer.Argument(help="Reference, such as I-0004.", metavar="REF")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in a sentence: the monthly list of looks has it.")]
_folder = Path()


def begin(school: Path) -> None:
    """Keep the school folder for the verb that follows; what it writes is for its owner alone."""
    global _folder  # noqa: PLW0603 (typer hands options of the command itself to one function alone)
    _folder = school
    os.umask(0o077)


def folder() -> Path:
    """The school folder."""
    return _folder


@contextmanager
def ran(job: str) -> Iterator[Note]:
    """Write down that a job of the schedule runs in the school folder, and its exit code; not where no night ever ran."""
    if not (folder() / "var").is_dir():
        yield Note()
        return
    with noted(folder(), job) as note:
        yield note


def end(problems: Iterable[Problem], code: int | None = None) -> NoReturn:
    """Say each problem, and leave with `code`; without one, 5 where there is a problem, else 0."""
    said = list(problems)
    for problem in said:
        typer.echo(str(problem), err=True)
    raise typer.Exit(code if code is not None else Exit.MEND if said else Exit.DONE)
