"""`schoolgate verify`: every register proven, the lake's files looked for, and what was printed held against the registers.

A chain that somebody has written anew, or cut short, holds in itself. But pages print the heads that the registers had when they
were made, and paper is out of reach: a head that no entry of the register left says that it is not the register of that day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline import asking, folders, schoolfolder, sealing
from pipeline.pages.index import span_of
from pipeline.pages.wording import several
from pipeline.problems import Problem, UsageError
from pipeline.proving import Proven

SHORTEST = 8   # letters of a head: by chance one in four thousand million fits
NAMED = 10     # pages named in one sentence
BACKUP = ("a backup of the registers of that day: entries were cut from the end or written anew since, or the page is "
          "another school's")


def verify(folder: Path, whole: bool = False, typed: Sequence[str] = ()) -> tuple[list[str], list[Problem]]:
    """What holds, in lines, and a problem for each thing that does not.

    `whole`: walk every line, also those proven before. `typed`: heads from paper, such as incidents=020a4b43cd50f.
    """
    asked = [_typed(each) for each in typed]
    known = schoolfolder.proven(folder, whole=whole)
    faults = schoolfolder.verify(folder, known) + asking.faults(folder) + sealing.faults(folder)
    printed = list(folders.heads(folder, schoolfolder.settings(folder).groups))
    said, wrong = _asked(asked, known)
    pages = {page for page, _, _ in printed}
    off = list(_disagree(folder, known, printed))
    agree = [f"The heads printed on {several(len(pages), 'page')} are heads that the registers had."] if pages and not off else []
    return [*agree, *said], [*faults, *off, *wrong]


def _typed(text: str) -> tuple[str, str]:
    """Register and head, as somebody typed them from paper; UsageError when they are neither."""
    name, _, head = (part.strip().lower() for part in text.partition("="))
    if name not in schoolfolder.REGISTERS:
        raise UsageError(Problem(repr(text), "names no register",
                                 f"incidents=020a4b43cd50f, or {', '.join(schoolfolder.REGISTERS)}"))
    head = "".join(head.split())
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}", head):
        raise UsageError(Problem(repr(text), f"is no head: at least {SHORTEST} of the letters 0-9 and a-f as printed",
                                 "--head incidents=020a4b43cd50f"))
    return name, head


def _asked(asked: Iterable[tuple[str, str]], known: Mapping[str, Proven]) -> tuple[list[str], list[Problem]]:
    said, wrong = [], []
    for name, head in asked:
        entry = known[name].had([head]).get(head)
        if entry is None:
            wrong.append(Problem(f"the register {name}", f"never had the head {head}",
                                 f"reading it again from the paper; else {BACKUP}"))
        else:
            said.append(f"{name} had the head {head} " + (f"after entry {entry:,}." if entry else "while it was empty."))
    return said, wrong


def _disagree(folder: Path, known: Mapping[str, Proven], printed: Iterable[tuple[str, str, str]]) -> Iterable[Problem]:
    """One problem for each register that never had what some pages print: which pages, and the last that agrees."""
    of: dict[str, dict[str, str]] = defaultdict(dict)
    for page, name, head in printed:
        if name in known:
            of[name][page] = head
    for name, heads in of.items():
        had = known[name].had(heads.values())
        off = sorted((page for page, head in heads.items() if head not in had), key=_when)
        if off:
            good = max((page for page, head in heads.items() if head in had), key=_when, default="")
            told = ", ".join(f"{page} ({heads[page]})" for page in off[:NAMED])
            more = f" and {len(off) - NAMED:,} more" if len(off) > NAMED else ""
            agrees = f"; the last page that agrees is {good}" if good else "; no page agrees"
            yield Problem(f"the register {name}", f"never had the head that is printed on {told}{more}{agrees}", BACKUP)


def _when(page: str) -> tuple[str, str]:
    """Pages by the last day they are of."""
    period = span_of(page.rpartition("/")[2])
    return str(period.last) if period else "", page
