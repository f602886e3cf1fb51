"""The index of one reader's pages: newest first, by kind and period. It is made from the names of files alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline import periods
from pipeline.pages.parts import said
from pipeline.pages.wording import long_day, several
from pipeline.schoolday import academic_year

READERS = {"technical": "technical services", "safeguarding": "the designated safeguarding lead and deputies",
           "principal": "the Principal", "leadership": "senior leaders", "governors": "the governing body",
           "access": "the Assistant Principal and the data protection officer"}
KINDS = {"nightly": ("Nightly breach report", "Nightly breach reports"), "dsl-list": ("DSL list", "DSL lists"),
         "dsl-week": ("DSL weekly list", "DSL weekly lists"),
         "principal": ("The Principal’s page", "The Principal’s pages"),
         "return": ("Return sheet", "Return sheets, to tick and hand back"),
         "termly": ("Termly summary", "Termly summaries"), "annual": ("Annual report", "Annual reports"),
         "year-digest": ("Weekly digest", "Weekly digests"), "breaches": ("Breach log", "Breach log"),
         "changes": ("Change log", "Change log"), "checks": ("Checks of the filter", "Checks of the filter"),
         "looks": ("Who looked at whom", "Who looked at whom")}
ORDER = {kind: at for at, kind in enumerate(KINDS)}
NAME = re.compile(r"(?P<kind>[a-z-]+?)-(?P<span>\d{4}-\d\d-\d\d(-to-\d{4}-\d\d-\d\d)?|\d{4}-W\d\d|\d{4}-\d\d|[a-z]+-\d{4}(-\d)?)")
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
    wrong = set(failed)
    found = [(file, period) for file in files if (period := period_of(file))]
    groups: dict[str, list[tuple[Period, Entry]]] = {}
    for file, period in sorted(found, key=lambda pair: pair[1].last, reverse=True):
        groups.setdefault(kind_of(file), []).append((period, Entry(file, period.short, period.whole, file in wrong)))
    tables = tuple(Entry(file, title_of(kind_of(file)), "", False) for file in sorted(files)
                   if file.endswith(".csv") and not beside(file) and not period_of(file))
    ordered = sorted(groups.items(), key=lambda group: (ORDER.get(group[0], len(ORDER)), group[0]))
    kinds = tuple(Kind(kind, title_of(kind), rows[0][1], _shelves(rows)) for kind, rows in ordered)
    return IndexPage("Pages", said(school_name), reader_of(reader), _lede(found), kinds, tables, said(kept, 300))


def reader_of(name: str) -> str:
    """Whose folder that is, in words."""
    cohort, _, which = name.partition("-")
    return READERS.get(name) or f"the Head of {cohort.capitalize()} {which.replace('-', ' ').capitalize()}"


def kind_of(file: str) -> str:
    """What a page or table is, from its name: `nightly` of nightly-2026-11-02.html."""
    stem = file.split(".", 1)[0]
    found = NAME.fullmatch(stem)
    return found["kind"] if found else stem


def title_of(kind: str) -> str:
    """What pages of a kind are called."""
    return KINDS[kind][1] if kind in KINDS else one_of(kind)


def one_of(kind: str) -> str:
    """What one page of a kind is called."""
    return KINDS[kind][0] if kind in KINDS else kind.replace("-", " ").capitalize()


def beside(file: str) -> bool:
    """Whether a file is a table beside a page, such as nightly-2026-11-02.counts.csv, and no page or sheet of its own."""
    return file.count(".") > 1


def period_of(file: str) -> Period | None:
    """The span that a page or sheet is about, from its name; None for what is of no span."""
    return span_of(file) if file.endswith(".html") or (file.endswith(".csv") and not beside(file)) else None


def span_of(file: str) -> Period | None:
    """The span that a page, a sheet or a table beside a page is about, from its name; None for what is of no span."""
    found = NAME.fullmatch(file.split(".", 1)[0])
    try:
        return _span(found["span"]) if found else None
    except ValueError:  # such as the 31st of November: no page of ours
        return None


def typed(file: str) -> str:
    """The span of a page as a person types it, such as 2026-11-02..2026-11-20; empty where it is of none."""
    found = NAME.fullmatch(file.split(".", 1)[0])
    return found["span"].replace("-to-", "..") if found else ""


def _span(span: str) -> Period:
    first, _, last = span.partition("-to-")
    if last or re.fullmatch(r"\d{4}-\d\d-\d\d", span):
        day, begin = date.fromisoformat(last or first), date.fromisoformat(first)
        short = f"{day:%a} {day.day}" if not last else f"{begin.day} {begin:%b} to {day.day} {day:%b}"
        return Period(day, f"{day:%B %Y}", short, long_day(day) if not last else f"{long_day(begin)} to {long_day(day)}")
    if found := re.fullmatch(r"(\d{4})-W(\d\d)", span):
        week = periods.week(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        return Period(week.last, f"{week.first:%B %Y}", f"{week.first.day} {week.first:%b}", week.title)
    if found := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", span):
        month = periods.month(date(int(found[1]), int(found[2]), 1))
        return Period(month.last, academic_year(month.last), month.title, month.title)
    if found := re.fullmatch(r"(\d{4})-\d\d", span):
        year = periods.year(date(int(found[1]), 9, 1))
        return Period(year.last, "Academic years", year.name, year.title)
    name, begins, *half = span.split("-")
    last_day = date(int(begins), *ENDS.get(name, (12, 31)))
    title = f"{name.capitalize()} term" + (f", half {half[0]}" if half else "")
    return Period(last_day, academic_year(last_day), title, f"{title} {begins}")


def _shelves(rows: Sequence[tuple[Period, Entry]]) -> tuple[Shelf, ...]:
    under = dict.fromkeys(period.under for period, _ in rows)
    return tuple(Shelf(name, tuple(entry for period, entry in rows if period.under == name)) for name in under)


def _lede(found: Sequence[tuple[str, Period]]) -> str:
    if not found:
        return "No page yet. The first night writes one."
    newest = max((period for _, period in found), key=lambda period: period.last)
    return f"{several(len(found), 'page')}, the newest of {newest.whole}."
