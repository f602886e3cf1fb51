"""The spans of time that a page may be of, and what a person types for them."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import periods
from pipeline.problems import UsageError
from pipeline.school import read_school
from pipeline.schoolday import Calendar

TEXT = (Path(__file__).parent.parent / "school.toml").read_text("utf-8")


def calendar() -> Calendar:
    """The made-up school's."""
    school, _ = read_school(TEXT)
    assert school
    return school.calendar


@pytest.mark.parametrize(("typed", "first", "last", "title"), [
    ("2026-11-03", "2026-11-03", "2026-11-03", "Tuesday 3 November 2026"),
    ("2026-W45", "2026-11-02", "2026-11-08", "Week of Monday 2 November 2026"),
    ("2026-W01", "2025-12-29", "2026-01-04", "Week of Monday 29 December 2025"),
    ("2026-11", "2026-11-01", "2026-11-30", "November 2026"),
    ("2028-02", "2028-02-01", "2028-02-29", "February 2028"),
    ("autumn-2026", "2026-09-01", "2026-12-18", "Autumn term 2026"),
    ("autumn-2026-2", "2026-11-02", "2026-12-18", "Second half of the autumn term 2026"),
    ("spring-2027-1", "2027-01-04", "2027-02-12", "First half of the spring term 2027"),
    ("2026-27", "2026-09-01", "2027-08-31", "Academic year 2026-27"),
    ("2026-11-02..2026-11-20", "2026-11-02", "2026-11-20", "2 November 2026 to 20 November 2026"),
])
def test_what_a_person_types_is_a_span_of_days(typed: str, first: str, last: str, title: str) -> None:
    """Both ends are included; the name is what was typed."""
    found = periods.parse(typed, calendar())
    assert (found.name, str(found.first), str(found.last), found.title) == (typed, first, last, title)


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-13", "2026-28", "2026-11-31", "2026-W54", "autumn-2025", "autumn-2026-3",
                                   "2026-11-20..2026-11-02", "../../etc/passwd", "2026-11-02/..", "AUTUMN-2026"])
def test_anything_else_is_refused_with_what_may_be_typed(typed: str) -> None:
    """The message shows each form and names the terms that the calendar has."""
    with pytest.raises(UsageError, match=r"2026-W45.*autumn-2026, spring-2027, summer-2027"):
        periods.parse(typed, calendar())


def test_a_term_or_half_is_compared_with_the_one_before_and_the_same_of_last_year() -> None:
    """By the calendar; where it does not go back so far there is none."""
    old = tomllib.loads(TEXT)["calendar"]["terms"]
    rows = "".join(f'    {{ name = "{t["name"]}", first = {t["first"].replace(year=t["first"].year - 1)}, '
                   f'last = {t["last"].replace(year=t["last"].year - 1)} }},\n' for t in old)
    school, _ = read_school(TEXT.replace("terms = [", "terms = [\n" + rows + "#"))
    assert school
    now = periods.parse("spring-2027", school.calendar)
    before, year = periods.before(now, school.calendar), periods.year_before(now, school.calendar)
    assert before and year and (before.name, year.name) == ("autumn-2026", "spring-2026")
    half = periods.parse("spring-2027-1", school.calendar)
    before, year = periods.before(half, school.calendar), periods.year_before(half, school.calendar)
    assert before and year and (before.name, year.name) == ("autumn-2026-2", "spring-2026-1")
    assert periods.before(periods.terms(school.calendar)[0], school.calendar) is None
    assert periods.year_before(periods.terms(calendar())[0], calendar()) is None
    assert (found := periods.before(periods.parse("2026-27", calendar()), calendar())) and found.name == "2025-26"


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)))
def test_every_day_is_in_its_week_month_and_year_and_they_read_back(at: date) -> None:
    """What a page is named after can be typed to have it again."""
    for made in (periods.day(at), periods.week(at), periods.month(at), periods.year(at)):
        assert made.holds(at)
        assert periods.parse(made.name, calendar()) == made


def test_the_last_school_day_of_a_week_is_not_always_friday() -> None:
    """A week with a holiday at its end ends sooner; a week of holiday has none."""
    assert periods.last_open(periods.week(date(2026, 12, 16)), calendar()) == date(2026, 12, 18)
    assert periods.last_open(periods.week(date(2027, 3, 24)), calendar()) == date(2027, 3, 25)
    assert periods.last_open(periods.week(date(2026, 10, 28)), calendar()) is None
    half = periods.term(date(2026, 10, 28), calendar())
    assert half and half.name == "autumn-2026"
    assert periods.term(date(2026, 12, 18) + timedelta(days=1), calendar()) is None
