"""A list as a person asks for it, and what is wrong with asking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline import lists
from pipeline.listformats.parsing import FORMATS as PARSED
from pipeline.liststore import NAME
from pipeline.problems import Problem

FORMATS = ("ut1", *PARSED)


@dataclass(frozen=True)
class Wanted:
    """A list as a person asks for it."""

    name: str
    source: str
    form: str
    category: str = ""
    licence: str = ""


def faults(wanted: Wanted, known: Sequence[str]) -> Iterator[Problem]:
    """Every fault of it; `known`: the categories of the school."""
    if not NAME.fullmatch(wanted.name) or wanted.name in (lists.STARTER, "own"):
        yield Problem(wanted.name, "cannot be the name of a list", "small letters, digits, - and _")
    if wanted.form not in FORMATS:
        yield Problem(wanted.form, "is not a format of lists", ", ".join(FORMATS))
    if wanted.category in lists.NEVER_LISTED:
        yield Problem(wanted.category, "may only come from the filter's own verdict, never from a list", "no list for it")
    elif wanted.category and wanted.category not in known:
        yield Problem(wanted.category, "is not a category of categories.toml", "schoolgate lists add --help")
    if not wanted.category and wanted.form not in ("ut1", "csv"):
        yield Problem(wanted.name, "has no category", "--category NAME")
