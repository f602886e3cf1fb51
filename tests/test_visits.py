"""Requests fold into visits: pauses, bells, background, twins, and counts that add up."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest
from tables_text import bands, build, lines, rows, said, texts

from pipeline.sql import connect
from pipeline.tables import HOSTS
from pipeline.visits import fold

BELLS = bands("""
    year | band    | period   | starts | ends
    -    | lesson  | Period 3 | 10:00  | 11:00
    -    | lunch   | Lunch    | 11:00  | 12:00
    Y9   | lesson  | Period 3 | 10:00  | 11:30
""")
PEOPLE = texts("""
    person | role    | year | house
    p1     | student | Y9   | Ash
    p2     | student | Y7   | Oak
    t1     | staff   | -    | -
""", "person", "role", "year", "house")
NETWORKS = texts("network | actor\npupils | student\nguests | guest", "network", "actor")
HOSTS_KNOWN = build(rows("""
    host            | site          | category
    video.example   | video.example | video_streaming
    cdn.video.example | video.example | video_streaming
    news.example    | news.example  | news
    ads.example     | ads.example   | adverts
    adult.example   | adult.example | pornography
"""), HOSTS, {})


def folded(text: str | pa.Table, ranks: Mapping[str, int] = {}) -> tuple[pa.Table, dict[str, int]]:
    """The visits and counts of a text table of lines."""
    con = connect(threads=1)
    con.register("lines", lines(text) if isinstance(text, str) else text)
    visits, counts, _ = fold(con, HOSTS_KNOWN, PEOPLE, BELLS, NETWORKS, ["adverts"], ranks)
    assert counts["requests"] == sum(n for name, n in counts.items() if name != "requests")
    return visits, counts


def test_a_video_and_its_fetches_are_one_visit() -> None:
    """One page, its media host and its adverts fold into one visit with a number for the background."""
    visits, counts = folded("""
        time     | person | host              | bytes_in | duration_ms
        10:05:01 | p2     | video.example     | 1000     | 1000
        10:05:02 | p2     | cdn.video.example | 5000     | 0
        10:05:02 | p2     | ads.example       | 10       | 0
        10:06:30 | p2     | cdn.video.example | 7000     | 90000
        10:20:00 | p2     | ads.example       | 10       | 0
    """)
    assert said(visits, "visit", "site", "host", "requests", "background", "bytes_in", "longest_ms", "slots") == [
        ("s1:1", "video.example", "cdn.video.example", 3, 1, 13000, 90000, 1)]
    assert visits["started"][0].as_py().isoformat() == "2026-11-03T10:05:00+00:00"
    assert (counts["visits"], counts["background"]) == (4, 1)


@pytest.mark.parametrize(("second", "visits"), [("10:15:00", 1), ("10:15:00.001", 2)])
def test_a_pause_of_ten_minutes_is_one_visit_and_a_moment_more_is_two(second: str, visits: int) -> None:
    """The pause that ends a visit is longer than ten minutes, to the millisecond."""
    table, _ = folded(f"time | person | host\n10:05:00 | p2 | news.example\n{second} | p2 | news.example")
    assert table.num_rows == visits


@pytest.mark.parametrize(("second", "bands_seen"), [
    ("10:59:00", ["lesson"]), ("11:00:00", ["lesson", "lunch"]), ("11:01:00", ["lesson", "lunch"])])
def test_a_visit_is_cut_at_the_bell(second: str, bands_seen: list[str]) -> None:
    """A request a minute before the bell stays; at the bell and after it begins a new visit."""
    table, _ = folded(f"time | person | host\n10:58:00 | p2 | news.example\n{second} | p2 | news.example")
    assert table["band"].to_pylist() == bands_seen


def test_each_year_has_its_own_bells() -> None:
    """Year 9 is still in a lesson when the default bands say lunch."""
    table, _ = folded("time | person | host\n11:05:00 | p1 | news.example\n11:05:01 | p2 | news.example")
    assert said(table, "year", "band") == [("Y9", "lesson"), ("Y7", "lunch")]


def test_the_actor_comes_from_people_then_account_then_network() -> None:
    """The first that knows says who it is, and the visit says which it was."""
    table, _ = folded("""
        time     | client | person | account | network | host
        10:00:01 | d1     | t1     | student | pupils  | news.example
        10:00:02 | d2     | x      | shared  | pupils  | news.example
        10:00:03 | d3     | -      | -       | guests  | news.example
        10:00:04 | d4     | -      | -       | -       | news.example
    """)
    assert said(table, "subject", "actor", "actor_from") == [
        ("t1", "staff", "people"), ("x", "shared", "account"), ("d3", "guest", "network"), ("d4", "unknown", "nothing")]


def test_a_twin_is_counted_once() -> None:
    """The second line of one decrypted block is set-up; without its first line it is the block, with its person."""
    table, counts = folded("""
        time     | client | person | host          | action  | kind   | setup
        10:01:00 | d1     | p2     | adult.example | blocked | tunnel | -
        10:01:02 | d1     | -      | adult.example | blocked | http   | twin
        10:30:00 | d1     | p2     | adult.example | allowed | tunnel | tunnel
        10:30:01 | d1     | -      | adult.example | blocked | http   | twin
        10:45:00 | d9     | -      | adult.example | blocked | http   | twin
    """)
    assert said(table, "subject", "requests", "blocked") == [("p2", 1, 1), ("p2", 1, 1), ("d9", 1, 1)]
    assert (counts["visits"], counts["setup"]) == (3, 2)


def test_every_request_is_counted_somewhere() -> None:
    """Sign-ins, errors, set-up, sealed rows and unfolded background are counted; other fates are not requests."""
    _, counts = folded("""
        time     | person | host         | action  | setup  | sealed | fate
        10:00:00 | p2     | news.example | allowed | -      | -      | request
        10:00:00 | p2     | news.example | auth    | -      | -      | request
        10:00:00 | p2     | news.example | error   | -      | -      | request
        10:00:00 | p2     | news.example | allowed | tunnel | -      | request
        10:00:00 | p2     | -            | blocked | -      | z1     | request
        09:00:00 | p2     | ads.example  | allowed | -      | -      | request
        10:00:00 | p2     | -            | allowed | -      | -      | reject
    """)
    assert counts == {"requests": 6, "visits": 1, "background": 1, "auth": 1, "error": 1, "setup": 1, "sealed": 1, "twice": 0}


def test_the_crowd_and_what_came_before_are_seen() -> None:
    """A visit knows how many asked in its minute, and how long after another visit of that person it began."""
    table, _ = folded("""
        time         | client | person | host
        10:00:00     | d1     | p1     | news.example
        10:00:00.300 | d1     | p1     | adult.example
        10:00:10     | d2     | p2     | adult.example
    """)
    assert said(table, "site", "crowd", "after_ms") == [
        ("news.example", 1, None), ("adult.example", 2, 300), ("adult.example", 2, None)]


def test_a_day_without_lines_has_no_visits() -> None:
    """Zero lines make an empty table and zero counts."""
    table, counts = folded(lines("time | host\n10:00 | a").slice(0, 0))
    assert table.num_rows == 0 and set(counts.values()) == {0}


def test_a_visit_that_two_logs_saw_counts_in_the_better_one() -> None:
    """The resolver's look-ups of a site that the proxy saw count there; what the resolver alone saw is a visit; both lines stay."""
    table = lines("""
        time     | source | kind | person | host         | action
        10:05:00 | dns    | dns  | -      | games.test   | allowed
        10:05:01 | proxy  | http | p1     | games.test   | blocked
        10:05:02 | proxy  | http | p1     | games.test   | blocked
        10:06:30 | dns    | dns  | -      | games.test   | allowed
        10:30:00 | dns    | dns  | -      | games.test   | allowed
        10:05:00 | dns    | dns  | -      | alone.test   | allowed
    """)
    visits, counts = folded(table, {"proxy": 1, "dns": 3})
    assert said(visits, "source", "site", "requests", "blocked") == [
        ("dns", "alone.test", 1, 0), ("proxy", "games.test", 2, 2), ("dns", "games.test", 1, 0)]
    assert (counts["requests"], counts["visits"], counts["twice"]) == (6, 4, 2)
    assert len(folded(table)[0]) == 4
