"""The front door: plain verbs that turn words into calls, and counts and problems into sentences. It decides nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipeline import deciding, exporting, failing, listing, logfiles, night, progress, purging, readout, rulefiles, trying
from pipeline.formats import with_own
from pipeline.problems import Exit, Problem, SchoolgateError, UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="A school's web-filter logs, judged by its own e-safety policy.")
School = Annotated[Path, typer.Option(help="The school folder; the current folder when not given.", metavar="DIR")]
DAY = "%Y-%m-%d"
_folder = Path()


@app.callback()
def start(school: School = Path()) -> None:
    """Keep the school folder for the verb that follows."""
    global _folder  # noqa: PLW0603 (typer hands options of the command itself to this function alone)
    _folder = school
    os.umask(0o077)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The folder to make.", metavar="DIR")]) -> None:
    """Make a school folder to fill in: commented settings, the policy's tables, rules and lists; nothing personal."""
    made = rulefiles.make_folder(folder)
    typer.echo(f"{len(made)} files made. Fill in {folder / 'school.toml'}, then: schoolgate --school {folder} check")


Form = Annotated[str, typer.Option("--format", help="Name of the log format; found from the lines when not given.",
                                   metavar="NAME")]
Zone = Annotated[str, typer.Option(help="Zone of times that say none.", metavar="ZONE")]
Year = Annotated[int, typer.Option(help="Year of the last line, where times say none.", metavar="YYYY")]
Dates = Annotated[str, typer.Option(help="Order of day and month where no date decides: dmy or mdy.", metavar="ORDER")]


@app.command()
def read(
    files: Annotated[list[str], typer.Argument(help="Logs, folders of logs, or patterns.", metavar="FILE...")],
    form: Form = "", zone: Zone = "Europe/London", year: Year = 0, dates: Dates = "",
) -> None:
    """Print what is understood of a log, without a school folder: one JSON object per request, logins as logged.

    Rejects and counts go to stderr.
    """
    logs, problems = logfiles.find(files)
    for log in logs:
        problems += readout.read(log, _how(form, zone, year, dates))
    _end(problems)


formats = typer.Typer(invoke_without_command=True, help="The log formats, and how a log is understood.")
app.add_typer(formats, name="formats")


@formats.callback()
def formats_list(context: typer.Context) -> None:
    """List the log formats, with an example each."""
    if context.invoked_subcommand is None:
        for form in _how().formats.values():
            typer.echo(f"{form.name:18} {form.title}\n{'':18} {(form.file.examples or [''])[0].splitlines()[0]}")


@formats.command("try")
def formats_try(
    files: Annotated[list[str], typer.Argument(help="Logs, folders of logs, or patterns.", metavar="FILE...")],
    form: Form = "", zone: Zone = "Europe/London", year: Year = 0, dates: Dates = "",
) -> None:
    """Show the first lines of a log with each field labelled, and what would be rejected and why."""
    logs, problems = logfiles.find(files)
    for log in logs:
        lines, more = trying.told(log, _how(form, zone, year, dates))
        typer.echo("\n".join([str(log), *lines]))
        problems += more
    _end(problems)


def _how(form: str = "", zone: str = "Europe/London", year: int = 0, dates: str = "") -> readout.Readout:
    """How to read: with the school's own formats, where there is a school folder."""
    own = [(name, text) for name, text in rulefiles.texts(_folder).items() if name.startswith("rules/formats/")]
    known, faults = with_own(own)
    if faults:
        raise UsageError(*faults)
    return readout.Readout(form, zone, year, dates, known)


@app.command()
def nightly(
    logs: Annotated[list[str] | None, typer.Argument(help="Logs, folders of logs, or patterns.", metavar="LOG...")] = None,
    findings: Annotated[bool, typer.Option("--exit-on-findings", help="End with 1 when an incident waits for a person.")] = False,
    today: Annotated[datetime | None, typer.Option(help="The school day it is for; else the clock's.", formats=[DAY],
                                                   metavar="DATE")] = None,
    form: Form = "",
) -> None:
    """Run the night: read what is new, judge the days it touches, keep the registers, write the pages.

    Logs may be files, folders and patterns, plain or packed (gz, bz2, xz, zst, zip), and Pi-hole's database.
    """
    with progress.shown() as show:
        account = night.run(_folder, logs or [], show.tick, today=today and today.date(), show=show, form=form)
    typer.echo(account.text())
    if findings and account.waiting:
        typer.echo(f"{account.waiting:,} incidents wait for a person.", err=True)
    _end(account.problems, account.code(findings))


@app.command()
def purge(today: Annotated[datetime | None, typer.Option(help="The day to count from; else the clock's.", formats=[DAY],
                                                         metavar="DATE")] = None) -> None:
    """Remove what has been kept as long as [retention] says, and print the destruction record.

    Incidents that wait for a person, and sealed copies, stay.
    """
    typer.echo(purging.purge(_folder, today.date() if today else None).text())


@app.command()
def verify() -> None:
    """Walk the chains of every register, and look for the lake's files."""
    problems = night.verify(_folder)
    typer.echo("Every register holds." if not problems else f"{len(problems)} faults.")
    _end(problems, Exit.FAILED if problems else Exit.DONE)


@app.command()
def check() -> None:
    """List every fault of the settings and rules at once, and run every rule's examples."""
    faults, examples = deciding.check(_folder)
    typer.echo(f"{examples} examples run, {len(faults)} faults.")
    _end(faults, Exit.USAGE if faults else Exit.DONE)


incident = typer.Typer(no_args_is_help=True, help="Look at incidents, and move one on.")
change = typer.Typer(no_args_is_help=True, help="Look at the change log, and say who changed what and why.")
app.add_typer(incident, name="incident")
lists = typer.Typer(no_args_is_help=True, help="Imported lists of sites: add, update, look, and ask why.")
app.add_typer(lists, name="lists")
ListName = Annotated[str, typer.Argument(help="Name of the list.", metavar="NAME")]
export = typer.Typer(no_args_is_help=True, help="Write a file for other programs.")
app.add_typer(change, name="change")
app.add_typer(export, name="export")
Ref = Annotated[str, typer.Argument(help="Reference, such as I-0004.", metavar="REF")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence.")]


@incident.command("list")
def incident_list() -> None:
    """List the incidents, without names."""
    typer.echo("\n".join(deciding.incidents(_folder)) or "No incident yet.")


@incident.command("show")
def incident_show(ref: Ref) -> None:
    """Show one incident and its life, without names."""
    typer.echo("\n".join(deciding.incident(_folder, ref)))


@app.command()
def explain(ref: Ref) -> None:
    """Walk from an incident to its log lines: time, host, log and line of each visit; the look is written down."""
    typer.echo("\n".join(deciding.explain_incident(_folder, ref)) or "The lines of this incident are no longer kept.")


@incident.command("confirm")
def incident_confirm(ref: Ref, reason: Reason,
                     row: Annotated[list[str] | None, typer.Option(help="Row of table 7.2; may be repeated.")] = None,
                     intent: Annotated[str, typer.Option(help="deliberate or accidental, as found.")] = "") -> None:
    """Confirm an incident. Who you are is your computer login; what you may do is your role under [roles]."""
    typer.echo(deciding.decide(_folder, ref, "confirmed", reason, row or [], intent, ""))


@incident.command("dismiss")
def incident_dismiss(ref: Ref, reason: Reason,
                     code: Annotated[str, typer.Option(help="Such as false_positive or authorised.")] = "") -> None:
    """Dismiss an incident."""
    typer.echo(deciding.decide(_folder, ref, "dismissed", reason, [], "", code))


@incident.command("reopen")
def incident_reopen(ref: Ref, reason: Reason) -> None:
    """Open a confirmed or dismissed incident again."""
    typer.echo(deciding.decide(_folder, ref, "reopened", reason, [], "", ""))


@change.command("list")
def change_list() -> None:
    """List every difference of rules, lists and settings."""
    typer.echo("\n".join(deciding.changes(_folder)) or "No change yet.")


@change.command("add")
def change_add(ref: Ref, who: Annotated[str, typer.Option(help="Who made it: a role.")], why: Reason,
               approver: Annotated[str, typer.Option(help="Who approved it: a role.")]) -> None:
    """Say who made a change, why, and who approved it."""
    typer.echo(deciding.explain(_folder, ref, who, why, approver))


@lists.command("add")
def lists_add(
    name: ListName,
    source: Annotated[str, typer.Argument(help="A file, a folder, a tar or zip, or an https address.", metavar="SOURCE")],
    form: Annotated[str, typer.Option("--as", help=f"Its format: {', '.join(listing.FORMATS)}.", metavar="FORMAT")],
    category: Annotated[str, typer.Option(help="The category of all its names; else by rules/vendor/FORMAT.csv (ut1, csv).",
                                          metavar="CATEGORY")] = "",
    licence: Annotated[str, typer.Option(help="Its licence, to be kept with it.")] = "",
) -> None:
    """Import a list of sites, whole, and say where every line of it went; the change log has an entry by itself."""
    typer.echo("\n".join(listing.add(_folder, listing.Wanted(name, source, form, category, licence))))


@lists.command("update")
def lists_update(
    names: Annotated[list[str] | None, typer.Argument(help="Lists; all when none is named.", metavar="NAME...")] = None,
) -> None:
    """Import lists anew where their source has changed; one that is torn, empty or less than half stays as it was: 5."""
    said, problems = listing.update(_folder, names or [])
    typer.echo("\n".join(said) or "No list was updated.")
    _end(problems)


@lists.command("show")
def lists_show() -> None:
    """Show each imported list: names by category, source, licence, date, and what was left out and why."""
    said, problems = listing.show(_folder)
    typer.echo("\n".join(said) or "No list is imported.")
    _end(problems)


@lists.command("why")
def lists_why(host: Annotated[str, typer.Argument(help="A host name.", metavar="HOST")]) -> None:
    """Say which category a host has, by which list and rule, and every line of every list that speaks of it."""
    typer.echo("\n".join(listing.why(_folder, host)))


@lists.command("diff")
def lists_diff(name: ListName) -> None:
    """Say what the last update added and removed, and which hosts of the last fortnight have another category by it."""
    typer.echo("\n".join(listing.diff(_folder, name)))


@lists.command("remove")
def lists_remove(name: ListName) -> None:
    """Remove an imported list."""
    typer.echo(listing.remove(_folder, name))


@export.command("detections")
def export_detections(
    to: Annotated[Path, typer.Option(help="The CSV file to write, for its owner only.", metavar="FILE.csv")],
    names: Annotated[bool, typer.Option("--names", help="Logins in place of pseudonyms.")] = False,
    since: Annotated[datetime | None, typer.Option("--from", help="The first school day.", formats=[DAY], metavar="DATE")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="The last school day.", formats=[DAY], metavar="DATE")] = None,
) -> None:
    """Write every detection of the judged days as CSV, a row each.

    Without names, people are pseudonyms. With --names the look is written down first, and sealed items are left out, and so is
    everything about staff: their matters are on the Principal's page only.
    """
    count = exporting.detections(_folder, to, names, since and since.date(), until and until.date())
    typer.echo(f"{count:,} detections in {to}.")


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
        _stop(error)
    except Exception as error:  # whatever it is, a person reads a sentence
        _stop(failing.failed(_folder, "schoolgate", error))


def _stop(error: SchoolgateError) -> NoReturn:
    typer.echo(str(error), err=True)
    sys.exit(error.code)
