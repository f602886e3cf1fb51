"""The index of one reader's pages: newest first, by kind and period. It is made from the names of files alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.pages.parts import long_day, said, several
from pipeline.schoolday import academic_year

READERS = {"technical": "technical services", "safeguarding": "the designated safeguarding lead and deputies",
           "principal": "the Principal", "leadership": "senior leaders"}
KINDS = {"nightly": ("Nightly breach report", "Nightly breach reports"), "dsl-list": ("DSL list", "DSL lists"),
         "principal": ("The Principal’s page", "The Principal’s pages"), "termly": ("Termly summary", "Termly summaries"),
         "return": ("Return sheet", "Return sheets, to tick and hand back"),
         "breaches": ("Breach log", "Breach log"), "changes": ("Change log", "Change log")}
ENDS = {"spring": (4, 30), "summer": (8, 31), "autumn": (12, 31)}  # when a term of that name has ended, in any school


@dataclass(frozen=True)
class Period:
    """What a page is about: the day it is sorted by, the heading it stands under, its short and its whole name."""

    last: date
    under: str
    short: str
    whole: str


@dataclass(frozen=True)
class Entry:
    """One page: its file, beside the index, how it is called, and whether it is that of a night that failed."""

    file: str
    short: str
    whole: str
    failed: bool


@dataclass(frozen=True)
class Shelf:
    """The pages of one month or academic year, newest first."""

    under: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Kind:
    """The pages of one kind, newest first."""

    id: str
    heading: str
    newest: Entry
    shelves: tuple[Shelf, ...]


@dataclass(frozen=True)
class IndexPage:
    """Everything the index prints."""

    title: str
    school: str
    reader: str
    lede: str
    kinds: tuple[Kind, ...]
    tables: tuple[Entry, ...]
    kept: str
    versions: tuple[tuple[str, str], ...] = ()


def build(reader: str, school_name: str, files: Sequence[str], failed: Iterable[str] = (), kept: str = "") -> IndexPage:
    """The index of a reader's folder; `failed`: the pages that say that a night failed; `kept`: how long pages are kept."""
    wrong, found = set(failed), [(file, period) for file in files if (period := period_of(file))]
    groups: dict[str, list[tuple[Period, Entry]]] = {}
    for file, period in sorted(found, key=lambda pair: pair[1].last, reverse=True):
        groups.setdefault(kind_of(file), []).append((period, Entry(file, period.short, period.whole, file in wrong)))
    tables = tuple(Entry(file, title_of(kind_of(file)), "", False) for file in sorted(files)
                   if file.endswith(".csv") and not period_of(file))
    return IndexPage("Pages", said(school_name), READERS[reader], _lede(found), tuple(
        Kind(kind, title_of(kind), rows[0][1], _shelves(rows)) for kind, rows in sorted(groups.items())), tables, said(kept, 300))


def kind_of(file: str) -> str:
    """What a page or table is, from its name: `nightly` of nightly-2026-11-02.html."""
    return re.sub(r"(-\d{4}-(\d\d-\d\d|autumn|spring|summer))?\.\w+$", "", file)


def title_of(kind: str) -> str:
    """What pages of a kind are called."""
    return KINDS[kind][1] if kind in KINDS else one_of(kind)


def one_of(kind: str) -> str:
    """What one page of a kind is called."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("-", " ").capitalize()


def period_of(file: str) -> Period | None:
    """The day or term that a page or sheet is about, from its name; None for what is of no period."""
    if found := re.search(r"-(\d{4}-\d\d-\d\d)\.(html|csv)$", file):
        day = date.fromisoformat(found[1])
        return Period(day, f"{day:%B %Y}", f"{day:%a} {day.day}", long_day(day))
    if found := re.search(r"-(\d{4})-(autumn|spring|summer)\.html$", file):
        last = date(int(found[1]), *ENDS[found[2]])
        return Period(last, academic_year(last), f"{found[2].capitalize()} term", f"{found[2].capitalize()} term {found[1]}")
    return None


def _shelves(rows: Sequence[tuple[Period, Entry]]) -> tuple[Shelf, ...]:
    under = dict.fromkeys(period.under for period, _ in rows)
    return tuple(Shelf(name, tuple(entry for period, entry in rows if period.under == name)) for name in under)


def _lede(found: Sequence[tuple[str, Period]]) -> str:
    if not found:
        return "No page yet. The first night writes one."
    newest = max((period for _, period in found), key=lambda period: period.last)
    return f"{several(len(found), 'page')}, the newest of {newest.whole}."
