"""Who looked at whom, month by month: for the Assistant Principal and the data protection officer.

It names those who looked, by login; of those who were looked at it has references only, which open for whoever may open them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.pages.logs import LogPage
from pipeline.pages.parts import Grid, defanged, said, versions_of
from pipeline.pages.wording import number, sentence, several

SHOWN = 6  # references in one cell; more than that are the first and the last
ALONE = "nobody approved"
READER = "For the Assistant Principal and the data protection officer. It names those who looked, and nobody they looked at."


@dataclass(frozen=True)
class Look:
    """One look at people, by a person: when and at what, of which incidents, how many people, why, and who approved it.

    `second` is empty where nobody did, and None where one person or nobody was shown, which needs no second.
    """

    when: str
    who: str
    what: str
    refs: Sequence[str]
    people: int
    why: str
    second: str | None


@dataclass(frozen=True)
class Looks:
    """What the register of looks says of a month: by people, by pages (page, reader, times, incidents), and approvals given."""

    looks: Sequence[Look] = ()
    pages: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    approvals: Sequence[tuple[str, ...]] = ()  # when, by, role, for, what, days, until, why


def build(month: str, school_name: str, of: Looks, versions: Mapping[str, Any]) -> LogPage:
    """The list of one month."""
    who = sorted({look.who for look in of.looks})
    alone = [look for look in of.looks if look.second == ""]
    lede = (f"{several(len(of.looks), 'look')} by {several(len(who), 'login')}." if of.looks else
            "Nobody looked at anybody by name or by context; pages for readers are below.")
    logins = sentence(sorted({said(look.who, 40) for look in alone}))
    owed = (f"{logins} showed several people's names at once, and no second person had approved it "
            f"({several(len(alone), 'time')}): ask why. The settings can refuse it (second_from of reveals).",) if alone else ()
    return LogPage("Who looked at whom", said(school_name), said(month), lede, (
        ("looks", "Looks by people", _looks(of.looks), "None."),
        ("approvals", "Approvals given", _approvals(of.approvals), "None."),
        ("pages", "Pages and sheets with names, made for their readers", _pages(of.pages), "None.")),
        versions_of(versions), owed, READER)


def _looks(looks: Sequence[Look]) -> Grid:
    return Grid("One row a look", ("When", "Who", "What", "Of which incidents", "People", "Why", "Second person"),
                tuple((said(look.when, 40), said(look.who, 40), said(look.what, 60), _refs(look.refs), number(look.people),
                       defanged(look.why) or "not asked", _second(look)) for look in looks), frozenset({4}))


def _second(look: Look) -> str:
    return "not needed" if look.second is None else said(look.second, 40) or ALONE


def _refs(refs: Sequence[str]) -> str:
    names = [said(ref, 20) for ref in refs]
    if len(names) > SHOWN:
        return f"{len(names):,}, from {min(names, key=_place)} to {max(names, key=_place)}"
    return ", ".join(names) or "none on record"


def _place(ref: str) -> tuple[int, str]:
    """References in the order in which they were allotted: I-9999 before I-10000."""
    return len(ref), ref


def _approvals(rows: Sequence[tuple[str, ...]]) -> Grid:
    return Grid("One row an approval", ("When", "By", "Role", "For", "What", "Days", "Until", "Why"),
                tuple(tuple(defanged(cell) if n == 7 else said(cell, 60) for n, cell in enumerate(row)) for row in rows))


def _pages(pages: Mapping[tuple[str, str], tuple[int, int]]) -> Grid:
    return Grid("One row a kind of page", ("Page", "For", "Times", "Incidents named"),
                tuple((said(page, 40), said(reader, 60), number(times), number(named)) for (page, reader), (times, named)
                      in pages.items()), frozenset({2, 3}))
