"""Verbs about imported lists of sites."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipeline import owning
from pipeline.listing import comparing, reasons, telling, upkeep
from pipeline.listing.wanted import FORMATS, Wanted
from pipeline.problems import Exit
from pipeline.verbs.front import DAY, end, folder, ran

lists = typer.Typer(no_args_is_help=True, help="Imported lists of sites: add, update, look, and ask why.")
ListName = Annotated[str, typer.Argument(help="Name of the list.", metavar="NAME")]


@lists.command("add")
def lists_add(
    name: ListName,
    source: Annotated[str, typer.Argument(help="A file, a folder, a tar or zip, or an https address.", metavar="SOURCE")],
    form: Annotated[str, typer.Option("--as", help=f"Its format: {', '.join(FORMATS)}.", metavar="FORMAT")],
    category: Annotated[str, typer.Option(help="The category of all its names; else by rules/vendor/FORMAT.csv (ut1, csv).",
                                          metavar="CATEGORY")] = "",
    licence: Annotated[str, typer.Option(help="Its licence, to be kept with it.")] = "",
) -> None:
    """Import a list of sites, whole, and say where every line of it went; the change log has an entry by itself."""
    typer.echo("\n".join(upkeep.add(folder(), Wanted(name, source, form, category, licence))))


@lists.command("update")
def lists_update(
    names: Annotated[list[str] | None, typer.Argument(help="Lists; all when none is named.", metavar="NAME...")] = None,
) -> None:
    """Import lists anew where their source has changed; one that is torn, empty or less than half stays as it was: 5."""
    with ran("lists") as note:
        said, problems = upkeep.update(folder(), names or [])
        note.code = Exit.MEND if problems else Exit.DONE
    typer.echo("\n".join(said) or "No list was updated.")
    end(problems)


@lists.command("show")
def lists_show() -> None:
    """Show each imported list: names by category, source, licence, date, and what was left out and why."""
    said, problems = telling.show(folder())
    typer.echo("\n".join(said) or "No list is imported.")
    end(problems)


@lists.command("why")
def lists_why(host: Annotated[str, typer.Argument(help="A host name, or an address with its path.", metavar="HOST")]) -> None:
    """Say which category a host or an address has, by which list and rule, and every line of every list that speaks of it."""
    typer.echo("\n".join(reasons.why(folder(), host)))


@lists.command("diff")
def lists_diff(name: ListName) -> None:
    """Say what the last update added and removed, and which hosts of the last fortnight have another category by it."""
    typer.echo("\n".join(comparing.diff(folder(), name)))


@lists.command("unknown")
def lists_unknown(
    first: Annotated[datetime | None, typer.Option("--from", help="The first school day; else a week before the last.",
                                                   formats=[DAY], metavar="DATE")] = None,
    last: Annotated[datetime | None, typer.Option("--until", help="The last school day; else the last that was judged.",
                                                  formats=[DAY], metavar="DATE")] = None,
    least: Annotated[int | None, typer.Option(help="Only sites that so many people met; else the school's small number.", min=1,
                                              metavar="N")] = None,
) -> None:
    """List the sites on no list that most people met, with what helps to say what they are; nobody is named.

    No site with help on it is among them, and no name of the school's own network.
    """
    typer.echo("\n".join(owning.unknown(folder(), first and first.date(), last and last.date(), least)))


own = typer.Typer(no_args_is_help=True, help="The school's own list, which wins over all.")
lists.add_typer(own, name="own")


@own.command("add")
def lists_own_add(
    host: Annotated[str, typer.Argument(help="A host name; it stands for all under it.", metavar="HOST")],
    category: Annotated[str, typer.Option(help="What it is: a category of categories.toml.", metavar="CATEGORY")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    owner: Annotated[str, typer.Option(help="Who answers for it: a role.")],
    until: Annotated[str, typer.Option(help="The last day it holds, such as 2027-07-31; or never.", metavar="DATE")],
) -> None:
    """Put a site into rules/lists/own.csv; the next night goes by it, and the change log has its entry."""
    typer.echo(owning.add(folder(), host, category, reason, owner, "" if until.strip().lower() == "never" else until))


@lists.command("remove")
def lists_remove(name: ListName) -> None:
    """Remove an imported list."""
    typer.echo(upkeep.remove(folder(), name))
