"""No sequence of published pages lets a count under the threshold be worked out, by a reader who adds and subtracts anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.disclosure import Fact, Ledger

BEGIN = date(2026, 9, 7)
DAYS = 8
SMALL = 5


def day(n: int) -> date:
    """The n-th day of the made-up time."""
    return BEGIN + timedelta(days=n)


def reader(printed: Sequence[tuple[int, int, int]], spans: int = DAYS) -> dict[tuple[int, int], int]:
    """What a reader can work out: every run of days whose sum is a combination of printed sums, by plain elimination.

    `printed`: first day, last day, sum. A run is known when its vector lies in the span of the printed vectors.
    """
    rows: list[list[Fraction]] = []
    for first, last, total in printed:
        rows.append(reduced([Fraction(first <= n <= last) for n in range(spans)] + [Fraction(total)], rows))
        if not any(rows[-1][:-1]):
            rows.pop()
    known = {}
    for first in range(spans):
        for last in range(first, spans):
            left = reduced([Fraction(first <= n <= last) for n in range(spans)] + [Fraction(0)], rows)
            if not any(left[:-1]):
                known[first, last] = int(-left[-1])
    return known


def reduced(row: list[Fraction], rows: Sequence[list[Fraction]]) -> list[Fraction]:
    """A row less what the rows before explain of it."""
    for other in rows:
        lead = next(n for n, value in enumerate(other) if value)
        if row[lead]:
            by = row[lead] / other[lead]
            row = [a - by * b for a, b in zip(row, other, strict=True)]
    return row


SPANS = st.tuples(st.integers(0, DAYS - 1), st.integers(0, DAYS - 1)).map(lambda ends: (min(ends), max(ends)))


@settings(max_examples=400)
@given(st.lists(st.integers(0, 9), min_size=DAYS, max_size=DAYS), st.lists(SPANS, max_size=14))
def test_no_sequence_of_pages_gives_a_small_count_away(counts: list[int], spans: list[tuple[int, int]]) -> None:
    """Whatever spans are asked for in whatever order, no run of days with 1 to 4 can be worked out of all that was printed."""
    ledger = Ledger([], SMALL)
    for first, last in spans:
        ledger.count("IN-12 confirmed", day(first), day(last), sum(counts[first:last + 1]))
    printed = [((fact.first - BEGIN).days, (fact.last - BEGIN).days, fact.value) for fact in ledger.fresh]
    known = reader(printed)
    assert {run: total for run, total in known.items() if 0 < total < SMALL} == {}
    assert all(total == sum(counts[a:b + 1]) for (a, b), total in known.items())  # the reader of this test can subtract


@settings(max_examples=200)
@given(st.lists(st.lists(st.integers(0, 9), min_size=DAYS, max_size=DAYS), min_size=2, max_size=4), st.lists(SPANS, max_size=10),
       st.integers(0, 2**32))
def test_a_count_that_changes_never_changes_by_a_small_number(states: list[list[int]], spans: list[tuple[int, int]], at: int) -> None:
    """Decisions move incidents from count to count: what one span is printed as twice differs by nothing or by five and more."""
    ledger = Ledger([], SMALL)
    for n, (first, last) in enumerate(spans):
        now = states[(at >> n) % len(states)]
        ledger.count("IN-12 confirmed", day(first), day(last), sum(now[first:last + 1]))
    shown: dict[tuple[date, date], list[int]] = {}
    for fact in ledger.fresh:
        shown.setdefault(fact.ends, []).append(fact.value)
    assert all(abs(a - b) == 0 or abs(a - b) >= SMALL for values in shown.values() for a in values for b in values)


@given(st.lists(st.integers(0, 9), min_size=DAYS, max_size=DAYS), st.lists(SPANS, max_size=8))
def test_a_page_printed_again_prints_the_same(counts: list[int], spans: list[tuple[int, int]]) -> None:
    """With the register as it stands after the last page, each page that is made again is as it was, and adds nothing."""
    told: list[Fact] = []

    def page(first: int, last: int) -> int | None:
        ledger = Ledger(told, SMALL, f"page of {first} to {last}")
        shown = ledger.count("s", day(first), day(last), sum(counts[first:last + 1]))
        told.extend(ledger.fresh)
        return shown
    shown = {span: page(*span) for span in dict.fromkeys(spans)}
    before = list(told)
    assert {span: page(*span) for span in shown} == shown
    assert told == before


def test_a_term_and_its_year_are_never_one_small_term_apart() -> None:
    """Spring 10 and summer 12 are printed, autumn's 3 is withheld; then the year's 25 may not stand."""
    ledger = Ledger([], SMALL)
    autumn, spring, summer = (day(0), day(1)), (day(2), day(4)), (day(5), day(7))
    assert [ledger.count("s", *span, n) for span, n in ((autumn, 3), (spring, 10), (summer, 12))] == [None, 10, 12]
    assert ledger.count("s", day(0), day(7), 25) is None
    assert ledger.count("other", day(0), day(7), 25) == 25


def test_a_running_page_moves_in_steps() -> None:
    """20, then 22 stays 20, then 25 is 25; a count of nothing is nothing, and one that is small itself is withheld."""
    ledger = Ledger([], SMALL)
    told = [ledger.count("s", day(0), day(n), value) for n, value in ((1, 20), (2, 22), (3, 25), (4, 25), (5, 29), (6, 31))]
    assert told == [20, 20, 25, 25, 25, 31]
    assert [fact.last for fact in ledger.fresh] == [day(1), day(3), day(4), day(6)]
    none = Ledger([], SMALL)
    assert [none.count("s", day(0), day(n), value) for n, value in ((1, 0), (2, 1), (3, 4), (4, 5))] == [0, None, None, 5]


def test_many_visits_of_few_people_are_few() -> None:
    """Forty visits of two people are withheld, and so are ten more visits that two more people made."""
    ledger = Ledger([], SMALL)
    assert ledger.count("s", day(0), day(1), 40, people=2) is None
    assert ledger.count("s", day(0), day(2), 80, people=9) == 80
    assert ledger.count("s", day(0), day(3), 90, people=11) == 80
    assert (ledger.most(4), ledger.most(5), ledger.most(0)) == (None, 5, 0)


def test_the_threshold_is_three_at_least() -> None:
    """A setting lower than that is a fault of the program: school.toml does not take it."""
    with pytest.raises(ValueError, match="under 3"):
        Ledger([Fact("p", "s", day(0), day(1), 9, 9)], 2)
