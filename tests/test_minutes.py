"""Every line of a day is passed once: by the minute, by the kind, and however the day is cut into parts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_text import at, bands, build, lines, rows, texts

from pipeline import daylines, dayminutes, groups, heard, minutes
from pipeline.daylines import Parts
from pipeline.groups import Codes
from pipeline.sql import connect
from pipeline.tables import HOSTS, LINES
from pipeline.visits import as_addressed, fold

KNOWN = minutes.Known({"s1": (1, 1), "s2": (2, 3)}, {"ads.example"}, {("news.example", "s1", "games"): minutes.Told(7, False),
                      ("cdn.example", "s1", "adverts"): minutes.Told(8, True)},
                      {"s1": minutes.Shown(np.array([4, 900]), np.array([9, 9]), np.array([False, False]))})


def cut(table: pa.Table, places: Sequence[int]) -> Parts:
    """A table of lines in parts that end at these places."""
    edges = [0, *sorted(places), len(table)]
    return lambda columns: [partial(daylines.with_codes, table.slice(low, high - low).select(columns))
                            for low, high in pairwise(edges)]


def test_requests_of_one_minute_are_one_row() -> None:
    """A minute has its sums, its first request and its seconds; what is told of a request parts it; background has no host."""
    made = minutes.by_minute(daylines.with_codes(lines("""
        time     | host         | vendor_category | action  | kind   | bytes_in | duration_ms
        10:05:59 | news.example | -               | allowed | http   | 5        | 4000
        10:05:58 | news.example | -               | blocked | tunnel | 7        | 0
        10:06:00 | news.example | games           | warned  | http   | 1        | 0
        10:06:01 | news.example | games           | allowed | http   | 1        | 0
        10:06:02 | ads.example  | -               | allowed | http   | 1        | 0
        10:06:02 | cdn.example  | adverts         | allowed | http   | 1        | 0
    """)), KNOWN)
    own = sorted(made.own.select(["host", "told", "n", "blocked", "warned", "tunnels", "bytes_in", "longest_ms", "place"]).to_pylist(),
                 key=lambda row: row["place"])
    assert [tuple(row.values()) for row in own] == [
        ("news.example", 0, 2, 1, 0, 1, 12, 4000, minutes.LOG + 1), ("news.example", 7, 1, 0, 1, 0, 1, 0, minutes.LOG + 3),
        ("news.example", 9, 1, 0, 0, 0, 1, 0, minutes.LOG + 4)]
    assert made.own["seconds"].to_pylist()[0] == 1 << 55 | 1 << 58
    assert made.background.select(["client", "second", "n"]).to_pylist() == [
        {"client": "d1", "second": int(at("10:06:02").timestamp()), "n": 2}]


@pytest.mark.parametrize(("size", "held"), [(-1, 0), (2**39, 2**39), (2**63 - 1, 2**39)])
def test_a_number_of_bytes_that_cannot_be_is_held(size: int, held: int) -> None:
    """A log that says nine million terabytes does not end the night, nor make a sum that is none."""
    made = minutes.by_minute(daylines.with_codes(lines(f"time | host | bytes_in\n10:05:59 | news.example | {size}")), KNOWN)
    assert made.own["bytes_in"].to_pylist() == [held]


WORDS = {"source": ["s1", "s2"], "client": ["d1", "d2"], "person": ["p1", None], "vendor_category": [None, "games"],
         "host": ["news.example", "cdn.example", "ads.example", None], "kind": ["http", "tunnel"], "network": ["pupils", "pupils", ""],
         "action": [*["allowed"] * 4, "blocked", "warned", "auth", None], "setup": [*[""] * 6, "tunnel", "twin"],
         "sealed": [*[""] * 7, "z1"], "fate": [*["request"] * 7, "reject"], "account": ["", "", "shared"]}
NUMBERS = {"time": ["10:00:00", "10:00:30.250", "10:00:59.999", "10:01:00", "10:14:00", None],
           "duration_ms": ["0", "0", "0", "61000", "-5", "999999999999"], "bytes_in": ["-1", "0", "5"]}
BELLS = bands("year | band | period | starts | ends\n- | lesson | Period 3 | 10:00 | 11:00")
NOBODY = texts("person | role | year | house\np9 | staff | - | -", "person", "role", "year", "house")
NETWORKS = texts("network | actor\npupils | student", "network", "actor")
LISTED = build(rows("""
    host         | site         | category
    news.example | news.example | news
    ads.example  | ads.example  | adverts
"""), HOSTS, {})
ANSWERS = texts("host | source | said | category\nnews.example | s1 | games | games", "host", "source", "said", "category")
SHOWN = pa.table({"source": ["s1", "s2"], "line": [3, 5], "category": ["games", "adverts"], "note": ["one", "two"]})


def visits_of(day: pa.Table, parts: Parts | None) -> tuple[list[object], dict[str, int]]:
    """The visits of a day, and where its requests went."""
    con = connect(threads=1)
    con.register("lines", day)
    found, counts, _ = fold(con, LISTED, NOBODY, BELLS, NETWORKS, ["adverts"], {"s2": 2}, ANSWERS, SHOWN, parts=parts)
    return found.to_pylist(), counts


def some_day(seed: int) -> tuple[pa.Table, Parts]:
    """A hundred and fifty lines of two logs, and the same in four parts."""
    choose = Random(seed)
    items = [{"line": str(n)} | {name: choose.choice(values) for name, values in (WORDS | NUMBERS).items()} for n in range(1, 151)]
    day = build(items, LINES, {})
    return day, cut(day, sorted(choose.sample(range(150), 3)))


@pytest.mark.parametrize("seed", range(3))
def test_however_a_day_is_cut_its_visits_are_the_same(seed: int) -> None:
    """Every request goes to one place, whatever part its line stands in."""
    day, parts = some_day(seed)
    whole, counts = visits_of(day, None)
    assert visits_of(day, parts) == (whole, counts)
    assert counts["requests"] == sum(n for name, n in counts.items() if name != "requests") == day["fate"].to_pylist().count("request")


def minutes_of(day: pa.Table, parts: Parts | None) -> list[tuple[object, ...]]:
    """The rows of all minutes of a day."""
    con = connect(threads=1)
    given_ = {"lines": day, "fold_hosts": LISTED, "fold_answers": ANSWERS, "fold_addressed": as_addressed(SHOWN),
              "fold_ranks": pa.table({"source": ["s2"], "log_rank": [1]}), "fold_background": pa.table({"category": ["adverts"]})}
    for name, table in given_.items():
        con.register(name, table)
    dayminutes.make(con, parts or daylines.of_view(con))
    return con.execute("SELECT * EXCLUDE mark FROM fold_minutes ORDER BY ALL").fetchall()


@pytest.mark.parametrize("seed", range(3, 8))
def test_a_minute_that_lies_in_several_parts_is_one_row(seed: int) -> None:
    """What its first request was, its seconds and its sums are the same as if the day were in one part."""
    day, parts = some_day(seed)
    assert minutes_of(day, parts) == minutes_of(day, None)


def test_two_kinds_of_account_in_one_minute_stay_two_rows() -> None:
    """Whether both of them lie in several parts, or none does."""
    day = lines("""
        time     | person | host         | account
        10:00:01 | p1     | news.example | -
        10:00:02 | p1     | news.example | shared
        10:00:03 | p2     | news.example | -
        10:00:04 | p1     | news.example | -
        10:00:05 | p1     | news.example | shared
    """)
    assert minutes_of(day, cut(day, [2])) == minutes_of(day, None)


@pytest.mark.parametrize("seed", range(8, 12))
def test_what_was_heard_agrees_with_plain_counting(seed: int) -> None:
    """Lines by log and fate, those without a login, and the minutes of requests, by a loop over the lines."""
    day, parts = some_day(seed)
    kinds, minute = heard.of_lines(parts)
    counted, minutes_heard, found = Counter[tuple[str, str, bool]](), set(), Counter[tuple[str, str, bool]]()
    for row in day.to_pylist():
        counted[row["source"], row["fate"], row["person"] is None] += 1
        if row["fate"] == "request" and row["time"]:
            minutes_heard.add((row["source"], int(row["time"].timestamp()) // 60))
    for row in kinds.to_pylist():
        found[row["source"], row["fate"], row["nobody"]] += row["n"]
    assert (found, {(row["source"], row["minute"]) for row in minute.to_pylist()}) == (counted, minutes_heard)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-9, 9), st.integers(0, 99)), min_size=1),
       st.sampled_from([4, 1 << 20, 1 << 40]))
def test_groups_agree_with_a_dictionary(found: list[tuple[int, int, int, int]], size: int) -> None:
    """Rows that agree in all columns are one group, however many codes there might be; its first row is found by two numbers."""
    first, second, by, then = (np.array(column, np.int64) for column in zip(*found, strict=True))
    made = groups.grouped([Codes(first, size), Codes(second, size), Codes(first, size)])
    plain = defaultdict[tuple[int, int], list[int]](list)
    for n, (a, b, *_) in enumerate(found):
        plain[a, b].append(n)
    assert sorted(np.flatnonzero(made.of == n).tolist() for n in range(made.size)) == sorted(plain.values())
    assert made.take(np.add, then).tolist() == [int(then[made.of == n].sum()) for n in range(made.size)]
    least = [(by[row], then[row]) for row in made.first(by, then).tolist()]
    assert least == [min(zip(by[made.of == n], then[made.of == n], strict=True)) for n in range(made.size)]
