"""The nightly page of a night that could not be finished: it says so, where it stopped, and nothing of the filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.pages.parts import said, versions_of
from pipeline.pages.wording import long_day
from pipeline.problems import Problem

TITLE = "The night failed"


@dataclass(frozen=True)
class FailedPage:
    """Everything the page of a failed night prints."""

    title: str
    school: str
    day: str
    causes: tuple[tuple[str, str, str], ...]
    problems: tuple[tuple[str, str, str], ...]
    versions: tuple[tuple[str, str], ...]


def build(day: date, school_name: str, causes: Sequence[Problem], problems: Sequence[Problem],
          versions: Mapping[str, object]) -> FailedPage:
    """The page of the night of `day`: `causes` is what stopped it, `problems` what it had met before."""
    return FailedPage(TITLE, said(school_name), long_day(day), _rows(causes), _rows(sorted(problems)), versions_of(versions))


def _rows(problems: Sequence[Problem]) -> tuple[tuple[str, str, str], ...]:
    return tuple((said(p.where), said(p.what, 400), said(p.try_this, 300)) for p in problems)
