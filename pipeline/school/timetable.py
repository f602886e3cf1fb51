"""`[calendar]` of `school.toml`: when school is open, and the parts of its day, in their order."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.school.validators import Clock, Part, Zone, minute
from pipeline.schoolday import Band, Calendar, Term


class TermDates(Part):
    """A term or half-term: its name, its first day and its last."""

    name: str = Field(description="autumn, spring or summer; a half-term is two rows with one name")
    first: date = Field(description="its first day")
    last: date = Field(description="its last day")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        return self


class BandTimes(Part):
    """A part of the school day: what it is to the policy, what people call it, and when it is."""

    band: Literal["before_school", "registration", "lesson", "break", "lunch", "after_school", "study"] = Field(
        description="what it is to the policy: before_school, registration, lesson, break, lunch, after_school or study")
    period: str = Field(description="what people call it, such as Period 3")
    start: Clock = Field(description="when it begins on the school's clock, such as 08:40")
    end: Clock = Field(description="when it ends; bands of the same year groups must not overlap")
    years: tuple[str, ...] = Field((), description="the year groups with bells of their own; none: everybody else")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if minute(self.end) <= minute(self.start):
            raise ValueError(f"{self.period} ends at {self.end}, not after it begins at {self.start}")
        return self


def _apart(bands: tuple[BandTimes, ...]) -> tuple[BandTimes, ...]:
    """The bands of one set of year groups must not overlap."""
    said = []
    ordered = sorted(bands, key=lambda band: minute(band.start))
    for n, earlier in enumerate(ordered):
        for later in ordered[n + 1:]:
            shared = set(earlier.years) & set(later.years) or earlier.years == later.years
            if shared and minute(later.start) < minute(earlier.end):
                said.append(f"{later.period} begins at {later.start}, before {earlier.period} ends at {earlier.end}")
    if said:
        raise ValueError("; ".join(said))
    return bands


class Timetable(Part):
    """When the school is open."""

    timezone: Zone = Field("Europe/London", description="the zone of the school's clock")
    terms: tuple[TermDates, ...] = Field(description="when school is open")
    closed: tuple[date, ...] = Field((), description="days inside a term without pupils: bank holidays, INSET days")
    bands: Annotated[tuple[BandTimes, ...], AfterValidator(_apart)] = Field(description="the parts of a school day")

    def calendar(self) -> Calendar:
        """The same as the calendar that days are judged by."""
        return Calendar(self.timezone, tuple(Term(term.name, term.first, term.last) for term in self.terms),
                        frozenset(self.closed),
                        tuple(Band(band.band, band.period, minute(band.start), minute(band.end), band.years)
                              for band in self.bands))
