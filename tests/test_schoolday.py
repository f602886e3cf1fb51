"""The school day: its cut, both clock changes, bells, terms."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from pipeline.schoolday import Band, Calendar, Term, academic_year, bands_table, day_bounds, is_open, local, school_day, term_of

ZONE = "Europe/London"
BANDS = (Band("lesson", "Period 1", time(9), time(10)), Band("break", "Break", time(10), time(10, 20)),
         Band("lesson", "Period 2", time(10, 30), time(11, 30)))
AUTUMN = Term("autumn", date(2026, 9, 1), date(2026, 10, 23))
SPRING = Term("spring", date(2027, 1, 4), date(2027, 4, 1))
OPEN = date(2026, 9, 8)


def calendar(bands=BANDS):
    """A small school's calendar."""
    return Calendar(ZONE, (AUTUMN, SPRING), frozenset({date(2026, 9, 1)}), bands)


def band_at(day, hour, minute=0, year="", bands=BANDS):
    """The one band that holds a local minute."""
    zone = local(day_bounds(day, ZONE)[0], ZONE).tzinfo
    at = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
    held = [row["period"] for row in bands_table(calendar(bands), day, ["7", "12"]).to_pylist()
            if row["year"] == year and row["starts"] <= at < row["ends"]]
    assert len(held) == 1
    return held[0]


@pytest.mark.parametrize(("at", "day"), [
    ("2026-09-08T02:59:59", date(2026, 9, 7)), ("2026-09-08T03:00:00", date(2026, 9, 8)),      # summer: 03:59:59 and 04:00
    ("2026-11-03T03:59:59", date(2026, 11, 2)), ("2026-11-03T04:00:00", date(2026, 11, 3)),    # winter
    ("2026-10-25T00:30:00", date(2026, 10, 24)), ("2026-10-25T01:30:00", date(2026, 10, 24)),  # both half past ones
    ("2026-10-25T03:59:59", date(2026, 10, 24)), ("2026-10-25T04:00:00", date(2026, 10, 25)),
    ("2027-03-28T00:59:59", date(2027, 3, 27)), ("2027-03-28T01:00:00", date(2027, 3, 27)),    # the hour that is not there
    ("2027-03-28T02:59:59", date(2027, 3, 27)), ("2027-03-28T03:00:00", date(2027, 3, 28)),
    ("2026-09-07T23:30:00", date(2026, 9, 7)),                                                # half past midnight in summer
])
def test_a_day_is_cut_at_four_local(at, day):
    """The minute before 04:00 belongs to the day before, in summer, in winter and on both nights of the clocks."""
    assert school_day(datetime.fromisoformat(at).replace(tzinfo=UTC), ZONE) == day


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 24), 25), (date(2027, 3, 27), 23), (date(2026, 10, 25), 24)])
def test_the_night_of_the_clocks_is_longer_or_shorter(day, hours):
    """The school day that holds the change has 25 or 23 hours."""
    starts, ends = day_bounds(day, ZONE)
    assert ends - starts == timedelta(hours=hours)


def test_days_follow_without_gap_over_a_year():
    """Where one day ends the next begins, and its bounds are its own by `school_day`."""
    for n in range(400):
        day = date(2026, 9, 1) + timedelta(n)
        starts, ends = day_bounds(day, ZONE)
        assert ends == day_bounds(day + timedelta(1), ZONE)[0]
        assert school_day(starts, ZONE) == day == school_day(ends - timedelta(microseconds=1), ZONE)


@pytest.mark.parametrize(("hour", "minute", "period"), [
    (8, 59, "Out of school hours"), (9, 0, "Period 1"), (9, 59, "Period 1"), (10, 0, "Break"), (10, 19, "Break"),
    (10, 20, "Out of school hours"), (10, 30, "Period 2"), (11, 29, "Period 2"), (11, 30, "Out of school hours"),
])
def test_a_bell_belongs_to_what_it_begins(hour, minute, period):
    """The minute of a bell is in the band that starts, and gaps are out of school hours."""
    assert band_at(OPEN, hour, minute) == period


@pytest.mark.parametrize("day", [OPEN, date(2026, 9, 12), date(2026, 9, 1), date(2026, 10, 24), date(2027, 3, 27)])
def test_bands_cover_the_whole_day_once(day):
    """For each year group the spans join from cut to cut, on open, closed and odd-length days."""
    rows = bands_table(calendar(), day, ["7", "12"]).to_pylist()
    for year in ("", "7", "12"):
        spans = [row for row in rows if row["year"] == year]
        assert (spans[0]["starts"], spans[-1]["ends"]) == day_bounds(day, ZONE)
        assert all(a["ends"] == b["starts"] for a, b in pairwise(spans))
        assert all(row["starts"] < row["ends"] for row in spans)


def test_a_band_begins_at_its_local_time_in_summer_and_winter():
    """Period 1 begins at nine by the school's clock, which is 08:00 or 09:00 UTC."""
    begins = {day: next(row["starts"].hour for row in bands_table(calendar(), day, []).to_pylist() if row["period"] == "Period 1")
              for day in (OPEN, date(2027, 1, 5))}
    assert begins == {OPEN: 8, date(2027, 1, 5): 9}


def test_a_year_group_may_have_bells_of_its_own():
    """Bands that name a year replace the others for it, and only for it."""
    own = (*BANDS, Band("study", "Study", time(9), time(11), ("12",)))
    assert [band_at(OPEN, 10, 5, year, own) for year in ("", "7", "12")] == ["Break", "Break", "Study"]


def test_open_days_are_weekdays_in_term_that_are_not_closed():
    """A Saturday, a closed day and a holiday are not open; both ends of a term are."""
    asked = {date(2026, 9, 12): False, date(2026, 9, 1): False, date(2026, 9, 2): True, date(2026, 10, 23): True,
             date(2026, 10, 26): False, date(2027, 1, 4): True}
    assert {day: is_open(calendar(), day) for day in asked} == asked


def test_terms_and_academic_years():
    """A day knows its term, and the academic year turns on 1 September."""
    assert term_of(calendar(), date(2026, 9, 5)) == AUTUMN
    assert term_of(calendar(), date(2026, 12, 25)) is None
    assert [academic_year(day) for day in (date(2026, 8, 31), date(2026, 9, 1), date(2099, 9, 1))] == [
        "2025-26", "2026-27", "2099-00"]
