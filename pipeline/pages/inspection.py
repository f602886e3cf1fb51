"""The first page of the evidence for inspection: what an inspector asks, what is recorded, in which file; and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.pages.parts import Grid, said, versions_of

ASPECT = "Aspect of 360 degree safe"  # the self-review tool of SWGfL, whose aspects have numbers: a column to fill in


@dataclass(frozen=True)
class Answer:
    """One thing that is asked: the question, what is recorded of it, and the files that hold it."""

    asked: str
    recorded: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class InspectionPage:
    """Everything the first page prints."""

    title: str
    school: str
    day: str
    lede: str
    answers: tuple[Answer, ...]
    lacking: tuple[str, ...]
    verify: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def tables(self) -> dict[str, Grid]:
        """The answers as a table to fill in."""
        return {"answers": Grid("What is asked, and where it is", ("Asked", "Recorded", "File", ASPECT),
                                tuple((it.asked, it.recorded, "; ".join(it.files), "") for it in self.answers))}


VERIFY = ("Nothing in it was altered since it was made: in this folder, sha256sum -c SHA256SUMS (Windows: certutil -hashfile "
          "FILE SHA256, compared with the line of that file).",
          "Nothing in the registers was: each is a chain. The head of each, in registers.csv, is printed on every page since; "
          "schoolgate verify walks them.")


def build(school_name: str, period: str, span: str, answers: Iterable[Answer], lacking: Sequence[str],
          versions: Mapping[str, object]) -> InspectionPage:
    """The first page of a period."""
    told = (f"What is recorded here of filtering and monitoring, {said(span)}. It names no pupil and no login, and holds no "
            "case: what a case needs is packed by itself, for those who may see it.")
    return InspectionPage("Evidence for inspection", said(school_name), said(period), told,
                          tuple(Answer(said(it.asked), said(it.recorded, 300), it.files) for it in answers),
                          tuple(said(text, 300) for text in lacking), VERIFY, versions_of(versions))
