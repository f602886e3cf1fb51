"""The weekly digest of a Head of Year or House: confirmed incidents of their own pupils that ask something of them.

A line holds a name, a row of the policy and what it asks: no site, no search term, nothing of welfare, of staff or of what
nobody has confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.pages.parts import Grid, said, texts, versions_of
from pipeline.pages.wording import several

DID = {"blocked": "tried to; the filter let nothing through", "allowed": "the filter let it through",
       "mixed": "some was blocked and some was let through"}


@dataclass(frozen=True)
class Case:
    """One confirmed incident: who, when, which rows, what the filter did, and what the policy asks."""

    ref: str
    who: str
    confirmed: str
    happened: str
    what: str
    did: str
    asks: tuple[str, ...]


@dataclass(frozen=True)
class DigestPage:
    """Everything a digest prints."""

    title: str
    cohort: str
    school: str
    day: str
    lede: str
    new: tuple[Case, ...]
    earlier: tuple[Case, ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def tables(self) -> dict[str, Grid]:
        """The cases as a table."""
        heads = ("Ref", "Pupil", "Confirmed", "What", "What the filter did", "The policy asks")
        rows = tuple((case.ref, case.who, case.confirmed, case.what, case.did, "; ".join(case.asks))
                     for case in (*self.new, *self.earlier))
        return {"cases": Grid("Confirmed incidents", heads, rows)}


def build(cohort: str, week: str, begins: date, school_name: str, cases: Sequence[Mapping[str, Any]],
          versions: Mapping[str, object]) -> DigestPage:
    """The digest of one cohort and week; cases confirmed before `begins` stand apart, to see whether they are done."""
    new = tuple(_case(case) for case in cases if case["confirmed"] >= begins)
    earlier = tuple(_case(case) for case in cases if case["confirmed"] < begins)
    lede = f"{several(len(new), 'confirmed incident')} this week for you to act on." if new else \
        "Nothing was confirmed this week that asks something of you."
    return DigestPage("Weekly digest", said(cohort, 60), said(school_name), week, lede, new, earlier, versions_of(versions))


def _case(case: Mapping[str, Any]) -> Case:
    found = f"found {said(case['intent'])}; " if case["intent"] in {"deliberate", "accidental"} else ""
    return Case(said(case["ref"], 20), said(case["who"]), _short(case["confirmed"]), _short(case["happened"]),
                "; ".join(texts(case["rows"], 200)), found + DID.get(str(case["outcome"]), said(case["outcome"])),
                texts(case["actions"]))


def _short(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
