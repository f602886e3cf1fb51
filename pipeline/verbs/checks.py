"""Verbs about checks of the filter."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import asking, logbooks
from pipeline.problems import Problem, UsageError
from pipeline.register.checks import RESULTS, TESTS
from pipeline.verbs.front import Reason, folder

checks = typer.Typer(no_args_is_help=True, help="Checks of the filter: planned beforehand, recorded, and what was tested when.")
CheckRef = Annotated[str, typer.Argument(help="Reference, such as K-0003.", metavar="REF")]
On = Annotated[str, typer.Option(help="The day; else today.", metavar="DATE")]


@checks.command("plan")
def checks_plan(
    reason: Reason,
    begins: Annotated[str, typer.Option("--from", help="When it begins, as 2026-11-05 10:00 by the school's clock.",
                                        metavar="TIME")],
    ends: Annotated[str, typer.Option("--until", help="When it ends.", metavar="TIME")],
    tester: Annotated[str, typer.Option(help="Who tests: a role.")],
    device: Annotated[str, typer.Option(help="The device, by its label.")],
    device_class: Annotated[str, typer.Option(help="Its class, such as laptop, iPad, phone.")],
    group: Annotated[str, typer.Option(help="Whose profile: students, staff, guests.")],
    site: Annotated[str, typer.Option(help="Where: a building or a network.")],
    tool: Annotated[str, typer.Option(help="What it is tested with.")],
    owner: Annotated[str, typer.Option(help="Whose device: school, byod or guest.")] = "school",
    login: Annotated[str, typer.Option(help="The account it is made with; no pupil's own.")] = "",
    address: Annotated[str, typer.Option(help="The device's address in the log.")] = "",
    test: Annotated[list[str] | None, typer.Option(help=f"What is to be tested: {', '.join(TESTS)}. May be repeated.")] = None,
) -> None:
    """Register the window of a check before it begins: what that account or address then meets is known to be a test."""
    typer.echo(logbooks.check_plan(folder(), begins, ends, reason, login, address, tester=tester, device=device,
                                   device_class=device_class, user_group=group, site=site, tool=tool, owner=owner,
                                   tests=tuple(test or ())))


@checks.command("record")
def checks_record(
    ref: CheckRef, reason: Reason,
    test: Annotated[list[str], typer.Option(help=f"A test and how it went ({', '.join(RESULTS)}): adult=pass.",
                                            metavar="TEST=RESULT")],
    on: On = "",
    action: Annotated[str, typer.Option(help="What is done about a failure.")] = "",
    owner: Annotated[str, typer.Option(help="Who does it.")] = "",
    due: Annotated[str, typer.Option(help="Until when.", metavar="DATE")] = "",
) -> None:
    """Record how a check went; a failed test needs an action, its owner and a day."""
    results = dict(_pair(text) for text in test)
    day = asking.a_day(on) if on else None
    typer.echo("\n".join(logbooks.check_record(folder(), ref, reason, results, day, action=action, owner=owner,
                                               due=str(asking.a_day(due)) if due else "")))


def _pair(text: str) -> tuple[str, str]:
    name, equals, result = text.partition("=")
    if not equals:
        raise UsageError(Problem(repr(text), "is no test and its result", "adult=pass"))
    return name.strip(), result.strip()


@checks.command("done")
def checks_done(ref: CheckRef, reason: Reason, on: On = "") -> None:
    """Say that the action of a check is done."""
    typer.echo(logbooks.check_done(folder(), ref, reason, asking.a_day(on) if on else None))


@checks.command("list")
def checks_list() -> None:
    """List the checks, and when each device class, user group and site was last tested."""
    typer.echo("\n".join(logbooks.check_list(folder())) or "No check yet.")
