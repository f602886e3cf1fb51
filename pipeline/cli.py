"""The front door: plain verbs that turn words into calls, and counts and problems into sentences. It decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline import deciding, failing, logfiles, night, progress, purging, readout, returning, rulefiles, verifying
from pipeline.pages.wording import several
from pipeline.problems import Exit, Problem, SchoolgateError
from pipeline.verbs.access import access
from pipeline.verbs.breach import breach
from pipeline.verbs.change import change
from pipeline.verbs.checks import checks
from pipeline.verbs.concern import concern
from pipeline.verbs.evidence import evidence
from pipeline.verbs.export import export
from pipeline.verbs.formats import formats, how
from pipeline.verbs.front import DAY, Dates, Files, Form, Ref, Why, Year, Zone, begin, end, folder, ran
from pipeline.verbs.incident import incident
from pipeline.verbs.lists import lists
from pipeline.verbs.mail import mail_send
from pipeline.verbs.policy import policy
from pipeline.verbs.report import report
from pipeline.verbs.rules import rules, try_out
from pipeline.verbs.schedule import schedule_print
from pipeline.verbs.sealed import sealed
from pipeline.verbs.status import status_show

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="A school's web-filter logs, judged by its own e-safety policy.")
FAMILIES = {
    "formats": formats,
    "policy": policy,
    "incident": incident,
    "lists": lists,
    "change": change,
    "breach": breach,
    "checks": checks,
    "concern": concern,
    "sealed": sealed,
    "export": export,
    "access": access,
}
for name, family in FAMILIES.items():
    app.add_typer(family, name=name)
app.command("report")(report)
app.command("evidence")(evidence)
app.command("trial")(try_out)
app.command("rules")(rules)
app.command("mail")(mail_send)
app.command("schedule")(schedule_print)
app.command("status")(status_show)
School = Annotated[Path, typer.Option(help="The school folder; the current folder when not given.", metavar="DIR")]


@app.callback()
def start(school: School = Path()) -> None:
    """Keep the school folder for the verb that follows."""
    begin(school)


@app.command()
def init(made_in: Annotated[Path, typer.Argument(help="The folder to make.", metavar="DIR")]) -> None:
    """Make a school folder to fill in: commented settings, the policy's tables, rules and lists; nothing personal."""
    made = rulefiles.make_folder(made_in)
    typer.echo(f"{len(made)} files made. Fill in {made_in / 'school.toml'}, then: schoolgate --school {made_in} check")


@app.command()
def read(files: Files, form: Form = "", zone: Zone = "Europe/London", year: Year = 0, dates: Dates = "") -> None:
    """Print what is understood of a log, without a school folder: one JSON object per request, logins as logged.

    Rejects and counts go to stderr.
    """
    logs, problems = logfiles.find(files)
    for log in logs:
        problems += readout.read(log, how(form, zone, year, dates))
    end(problems)


@app.command()
def nightly(
    logs: Annotated[list[str] | None, typer.Argument(help="Logs, folders of logs, or patterns.", metavar="LOG...")] = None,
    findings: Annotated[bool, typer.Option("--exit-on-findings", help="End with 1 when an incident waits for a person.")] = False,
    today: Annotated[datetime | None, typer.Option(help="The school day it is for; else the clock's.", formats=[DAY],
                                                   metavar="DATE")] = None,
    form: Form = "",
) -> None:
    """Run the night: read what is new, judge the days it touches, keep the registers, write the pages.

    Sheets in `returns/` are read first. Logs may be files, folders and patterns, plain or packed (gz, bz2, xz, zst, zip), and
    Pi-hole's database.
    """
    returned, refused = returning.collect(folder())
    with progress.shown() as show:
        account = night.run(folder(), logs or [], show.tick, today=today and today.date(), show=show, form=form, refused=refused)
    typer.echo("\n".join([*(f"returned    {each}" for each in returned), account.text()]))
    if findings and account.waiting:
        typer.echo(f"{account.waiting:,} incidents wait for a person.", err=True)
    end(account.problems, account.code(findings))


@app.command()
def purge(today: Annotated[datetime | None, typer.Option(help="The day to count from; else the clock's.", formats=[DAY],
                                                         metavar="DATE")] = None) -> None:
    """Remove what has been kept as long as [retention] says, and print the destruction record.

    Incidents that wait for a person, and sealed copies, stay.
    """
    with ran("purge"):
        typer.echo(purging.purge(folder(), today.date() if today else None).text())


@app.command()
def verify(
    whole: Annotated[bool, typer.Option("--whole", help="Walk every line, also those proven before.")] = False,
    head: Annotated[list[str] | None, typer.Option(help="A head from paper, such as incidents=020a4b43cd50f; may be repeated.",
                                                   metavar="REGISTER=HEAD")] = None,
) -> None:
    """Prove every register, look for the lake's files, and hold the heads printed on pages against the registers.

    Lines that an earlier run has walked are proven by their SHA-256, under the school's key; only those after them are walked.
    A register that was written anew or cut short holds in itself, and disagrees with pages already printed.
    """
    if head:  # somebody with paper in their hand asks: this is no run of the weekly job
        _verified(*verifying.verify(folder(), whole, head))
    with ran("weekly") as note:
        said, problems = verifying.verify(folder(), whole)
        note.code = Exit.FAILED if problems else Exit.DONE
    _verified(said, problems)


def _verified(said: Sequence[str], problems: Sequence[Problem]) -> NoReturn:
    """Say what holds and what does not, and leave."""
    typer.echo("\n".join(["Every register holds." if not problems else f"{several(len(problems), 'fault')}.", *said]))
    end(problems, Exit.FAILED if problems else Exit.DONE)


@app.command()
def check() -> None:
    """List every fault of the settings and rules at once, and run every rule's examples."""
    with ran("yearly") as note:
        faults, examples = deciding.check(folder())
        note.code = Exit.USAGE if faults else Exit.DONE
    typer.echo(f"{examples} examples run, {several(len(faults), 'fault')}.")
    end(faults, note.code)


@app.command()
def explain(ref: Ref, reason: Why = "") -> None:
    """Walk from an incident to its log lines: time, host, log and line of each visit; the look is written down."""
    typer.echo("\n".join(deciding.explain_incident(folder(), ref, reason)) or "The lines of this incident are no longer kept.")


def main() -> None:
    """Run the command; a failure a person can act on is a sentence and an exit code, never a traceback."""
    try:
        app(prog_name="schoolgate")
    except SchoolgateError as error:
        _stop(error)
    except Exception as error:  # whatever it is, a person reads a sentence
        _stop(failing.failed(folder(), "schoolgate", error))


def _stop(error: SchoolgateError) -> NoReturn:
    typer.echo(str(error), err=True)
    sys.exit(error.code)
