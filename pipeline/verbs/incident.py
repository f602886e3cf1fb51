"""Verbs about incidents."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Annotated

import typer

from pipeline import asking, casework, returning, telling
from pipeline.problems import Problem, UsageError
from pipeline.verbs.front import DAY, Reason, Ref, folder

incident = typer.Typer(no_args_is_help=True, help="Look at incidents, enter one, and move one on.")
Given = Annotated[str, typer.Option(help="Reference of the record it goes on in.", metavar="REF")]


@incident.command("list")
def incident_list(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose next step should have been made.")] = False,
    state: Annotated[str, typer.Option(help="Only in that state, such as suspected or parents_held.")] = "",
    route: Annotated[str, typer.Option(help="Only on that route, such as student or welfare.")] = "",
    tier: Annotated[str, typer.Option(help="Only of that tier: T0 to T4, TS.")] = "",
    day: Annotated[datetime | None, typer.Option(help="Only of that school day.", formats=[DAY], metavar="DATE")] = None,
) -> None:
    """List the incidents, without names, and when the next step of each is due."""
    only = casework.Filter(overdue, state, route, tier, day and day.date())
    none = "No incident is like that." if only != casework.Filter() else "No incident yet."
    typer.echo("\n".join(casework.incidents(folder(), only)) or none)


@incident.command("show")
def incident_show(ref: Ref) -> None:
    """Show one incident without names: what is held, what the policy asks, its life, and an hour of context on each side.

    The context is for roles that may open the incident, and the look is written down.
    """
    typer.echo("\n".join(telling.incident(folder(), ref)))


@incident.command("add")
def incident_add(
    what: Annotated[str, typer.Option(help="What happened, in a sentence.")],
    source: Annotated[str, typer.Option(help="Who tells of it: staff, self, parent, provider or police.", metavar="SOURCE")],
    day: Annotated[datetime, typer.Option(help="The school day it happened on.", formats=[DAY], metavar="DATE")],
    row: Annotated[list[str] | None, typer.Option(help="Row of table 7.2 it may be; may be repeated.")] = None,
    login: Annotated[str, typer.Option(help="Login of the person it is about, where known.")] = "",
    at: Annotated[str, typer.Option(help="When, on the school's clock, such as 11:20.", metavar="TIME")] = "",
    welfare: Annotated[bool, typer.Option("--welfare", help="A matter of welfare: for the DSL alone, with no row.")] = False,
) -> None:
    """Enter an incident that no log shows; it is suspected until somebody has looked at it."""
    told = casework.Told(what, source, day.date(), () if welfare else tuple(row or ()), login, _clock(at), welfare)
    typer.echo(casework.add(folder(), told))


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(Problem(repr(text), "is no time of the school's clock", "11:20")) from None


@incident.command("triage")
def incident_triage(ref: Ref, reason: Reason) -> None:
    """Take an incident up: somebody is looking at it."""
    typer.echo(casework.act(folder(), ref, "triaged", reason))


@incident.command("confirm")
def incident_confirm(ref: Ref, reason: Reason,
                     row: Annotated[list[str] | None, typer.Option(help="Row of table 7.2; may be repeated.")] = None,
                     intent: Annotated[str, typer.Option(help="deliberate or accidental, as found.")] = "",
                     reported: Annotated[str, typer.Option(help="Whether it was reported: yes, no or unknown.")] = "") -> None:
    """Confirm an incident. Who you are is your computer login; what you may do is your role under [roles]."""
    typer.echo(casework.act(folder(), ref, "confirmed", reason, rows=tuple(row or ()), intent=intent, reported=reported))


@incident.command("dismiss")
def incident_dismiss(ref: Ref, reason: Reason,
                     code: Annotated[str, typer.Option(help="false_positive, background, authorised, duplicate, out_of_scope or "
                                                            "filter_check.")] = "",
                     check: Annotated[str, typer.Option(help="The check it was, for filter_check.", metavar="REF")] = "") -> None:
    """Dismiss an incident."""
    typer.echo(casework.act(folder(), ref, "dismissed", reason, code=code, reference=check))


@incident.command("accident")
def incident_accident(ref: Ref, reason: Reason) -> None:
    """Record an accident that was reported: no row, no sanction; thank the pupil."""
    typer.echo(casework.act(folder(), ref, "accidental_reported", reason))


@incident.command("handover")
def incident_handover(ref: Ref, reason: Reason, record: Given = "") -> None:
    """Hand a matter of welfare over to the child-protection record: for the DSL."""
    typer.echo(casework.act(folder(), ref, "welfare_handover", reason, reference=record))


@incident.command("refer")
def incident_refer(ref: Ref, reason: Reason, record: Given = "") -> None:
    """Refer a staff matter: for the Principal, and for the chair of governors where it is about the Principal."""
    typer.echo(casework.act(folder(), ref, "staff_referral", reason, reference=record))


@incident.command("unknown")
def incident_unknown(ref: Ref, reason: Reason) -> None:
    """Record that who it was has to be found out."""
    typer.echo(casework.act(folder(), ref, "unidentified", reason))


@incident.command("identify")
def incident_identify(ref: Ref, login: Annotated[str, typer.Option(help="Login of the person it was.")], reason: Reason) -> None:
    """Say who it was; what table 7.2 may say of it is asked anew."""
    typer.echo(casework.identify(folder(), ref, login, reason))


@incident.command("act")
def incident_act(
    ref: Ref, reason: Reason,
    done: Annotated[list[str] | None, typer.Option(help="A column of table 7.2 that was done, and when: warning=2026-11-05.",
                                                   metavar="COLUMN=DATE")] = None,
    depart: Annotated[list[str] | None, typer.Option(help="A column left out, or done beyond the table, and why: "
                                                          "police_pcso=\"the DSL decided\".", metavar="COLUMN=WHY")] = None,
) -> None:
    """Record the actions of a confirmed incident: each definite one done, or departed from with a reason."""
    acts = [{"action": name, "on": str(asking.a_day(on))} for name, on in map(_pair, done or ())]
    left = [{"action": name, "reason": why} for name, why in map(_pair, depart or ())]
    typer.echo(casework.act(folder(), ref, "acted", reason, done=acts, departures=left))


def _pair(text: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not equals or not rest.strip():
        raise UsageError(Problem(repr(text), "is not a column and what is said of it", "warning=2026-11-05"))
    return name.strip(), rest.strip()


@incident.command("parents")
def incident_parents(
    ref: Ref, reason: Reason,
    said: Annotated[str, typer.Argument(help="informed, not_required or held.", metavar="STATUS")],
    why: Annotated[str, typer.Option(help="Why it is held: police_advice, dsl_advice, risk_to_child, no_safe_contact, "
                                          "pupil_is_18.")] = "",
    review_on: Annotated[str, typer.Option(help="When what is held is looked at again.", metavar="DATE")] = "",
) -> None:
    """Record that parents or carers were informed, need not be, or that telling them is held."""
    review = str(asking.a_day(review_on)) if review_on else ""
    typer.echo(casework.act(folder(), ref, "parents", reason, parents=said, why=why, review_on=review))


@incident.command("tell")
def incident_tell(
    ref: Ref, reason: Reason, agency: Annotated[str, typer.Option(help="Who was told: police, LADO, social care, provider …")],
    on: Annotated[str, typer.Option(help="When.", metavar="DATE")] = "", record: Given = "",
) -> None:
    """Record that somebody outside the school was told."""
    when = str(asking.a_day(on)) if on else ""
    typer.echo(casework.act(folder(), ref, "told", reason, agency=agency, on=when, reference=record))


@incident.command("return")
def incident_return(
    path: Annotated[Path, typer.Argument(help="The sheet, ticked and saved as CSV.", metavar="FILE.csv")],
) -> None:
    """Read a return sheet back at once: applied whole or not at all, and the same sheet twice is harmless.

    Sheets in `returns/` are read by the next night instead, each for the login whose file it is.
    """
    typer.echo("\n".join(returning.take(folder(), path)) or "Nothing new on this sheet.")


@incident.command("note")
def incident_note(ref: Ref, reason: Reason) -> None:
    """Add a note, without addresses; nothing moves."""
    typer.echo(casework.act(folder(), ref, "noted", reason))


@incident.command("settle")
def incident_settle(ref: Ref, reason: Reason) -> None:
    """Close a technical or guest matter that has been dealt with."""
    typer.echo(casework.act(folder(), ref, "settled", reason))


@incident.command("close")
def incident_close(ref: Ref, reason: Reason) -> None:
    """Close an incident with which nothing is left to do."""
    typer.echo(casework.act(folder(), ref, "closed", reason))


@incident.command("reopen")
def incident_reopen(ref: Ref, reason: Reason) -> None:
    """Open again an incident that a person had decided; it waits anew."""
    typer.echo(casework.act(folder(), ref, "reopened", reason))


@incident.command("correct")
def incident_correct(
    ref: Ref, reason: Reason,
    why: Annotated[str, typer.Option(help="mistaken_identity, new_evidence or challenge_upheld.")],
) -> None:
    """Correct a record that was wrong: it counts no more, and every page issued that named it says so."""
    typer.echo(casework.act(folder(), ref, "corrected", reason, why=why))
    pages = casework.states_of(folder())[ref].correction["pages"]
    typer.echo("Pages that named it, whose readers must be told: " + (", ".join(pages) or "none"))
