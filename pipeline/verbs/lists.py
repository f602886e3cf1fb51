"""Verbs about imported lists of sites."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline import listing
from pipeline.problems import Exit
from pipeline.verbs.front import end, folder, ran

lists = typer.Typer(no_args_is_help=True, help="Imported lists of sites: add, update, look, and ask why.")
ListName = Annotated[str, typer.Argument(help="Name of the list.", metavar="NAME")]


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
    typer.echo("\n".join(listing.add(folder(), listing.Wanted(name, source, form, category, licence))))


@lists.command("update")
def lists_update(
    names: Annotated[list[str] | None, typer.Argument(help="Lists; all when none is named.", metavar="NAME...")] = None,
) -> None:
    """Import lists anew where their source has changed; one that is torn, empty or less than half stays as it was: 5."""
    with ran("lists") as note:
        said, problems = listing.update(folder(), names or [])
        note.code = Exit.MEND if problems else Exit.DONE
    typer.echo("\n".join(said) or "No list was updated.")
    end(problems)


@lists.command("show")
def lists_show() -> None:
    """Show each imported list: names by category, source, licence, date, and what was left out and why."""
    said, problems = listing.show(folder())
    typer.echo("\n".join(said) or "No list is imported.")
    end(problems)


@lists.command("why")
def lists_why(host: Annotated[str, typer.Argument(help="A host name, or an address with its path.", metavar="HOST")]) -> None:
    """Say which category a host or an address has, by which list and rule, and every line of every list that speaks of it."""
    typer.echo("\n".join(listing.why(folder(), host)))


@lists.command("diff")
def lists_diff(name: ListName) -> None:
    """Say what the last update added and removed, and which hosts of the last fortnight have another category by it."""
    typer.echo("\n".join(listing.diff(folder(), name)))


@lists.command("remove")
def lists_remove(name: ListName) -> None:
    """Remove an imported list."""
    typer.echo(listing.remove(folder(), name))
