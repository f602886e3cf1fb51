"""Stories, breaches, tallies and coverage from small tables."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tables_text import DAY, at, build, lines, rows, said, visits
from test_detect import AGAINST, POLICY, SPREE, _conditions_as_given, fired, judged

from pipeline.coverage import coverage, tallies
from pipeline.daylines import of_view
from pipeline.heard import of_lines
from pipeline.incidents import breaches, stories
from pipeline.sql import connect
from pipeline.tables import DETECTIONS, INCIDENTS, conform

__all__ = ["AGAINST", "_conditions_as_given"]


def detections(text: str) -> pa.Table:
    """A text table as DETECTIONS of one pupil unless it says otherwise."""
    defaults = {"day": DAY, "rule": "r", "subject": "p1", "person": "p1", "client": "d1", "actor": "student",
                "route": "student", "tier": "T3", "outcome": "blocked", "intent": "unclear", "source": "s1",
                "requests": 1}
    items = [{"line": str(n), "visit_keys": f"s1:{n}", "ended": row["started"]} | row
             for n, row in enumerate(rows(text), 1)]
    return build(items, DETECTIONS, defaults)


@pytest.mark.parametrize(("second", "count"), [("11:00:00", 1), ("11:00:00.001", 2)])
def test_a_pause_of_an_hour_splits_a_story(second: str, count: int) -> None:
    """Sixty minutes belong together; a moment more is another story."""
    assert stories(detections(f"started | site\n10:00:00 | a\n{second} | b")).num_rows == count


def test_routes_and_people_are_never_mixed() -> None:
    """A welfare matter and a conduct matter of one pupil are two stories, and so are two people."""
    table = stories(detections("""
        started | site | subject | route   | tier
        10:00   | a    | p1      | student | T3
        10:01   | b    | p1      | welfare | T1
        10:02   | a    | p2      | student | T2
    """))
    assert said(table, "story", "route") == [("r|p1|a|s1:1", "student"), ("r|p1|b|s1:2", "welfare"),
                                             ("r|p2|a|s1:3", "student")]


def test_a_spree_is_one_story_with_both_rows() -> None:
    """Worked example 2: one story, two categories, three rows as questions, gravest tier, strongest suggestion."""
    table = stories(fired(SPREE))
    assert said(table, "categories", "rows", "tier", "intent", "outcome", "visits", "requests") == [
        (["pornography", "bypass_web_proxy"], ["IN-14", "IN-13", "IN-12"], "T2", "deliberate", "mixed", 5, 11)]
    assert conform(table, INCIDENTS).equals(table)


def test_two_rules_on_one_visit_count_its_requests_once() -> None:
    """The numbers of a story are those of its visits, whatever the number of rules."""
    table = stories(detections("""
        started | rule | site | visit_keys | line | requests
        10:00   | r1   | a    | s1:1       | 1    | 5
        10:00   | r2   | a    | s1:1       | 1    | 5
    """))
    assert said(table, "visits", "requests", "keys") == [(1, 5, ["r1|p1|a|s1:1", "r2|p1|a|s1:1"])]


def test_the_order_of_detections_changes_nothing() -> None:
    """Stories are the same from the last row to the first."""
    table = fired(SPREE)
    assert stories(table).equals(stories(table.take(list(reversed(range(table.num_rows))))))


FAILING = """
    started | person | actor   | site          | category    | allowed | blocked
    10:00   | p1     | student | adult.example | pornography | 2       | 0
    10:10   | p2     | student | adult.example | pornography | 1       | 0
    10:20   | t1     | staff   | adult.example | pornography | 1       | 0
    10:30   | p1     | student | adult.example | pornography | 0       | 1
    10:40   | p3     | student | sad.example   | self_harm_suicide | 1 | 0
"""


def test_a_failure_is_a_site_and_a_profile() -> None:
    """How many people, when first let through, when first blocked; no number of people on a welfare site."""
    table = breaches(visits(FAILING), judged(FAILING), fired(FAILING), DAY)
    assert said(table, "key", "worked", "people", "visits", "first_blocked") == [
        ("failure|adult.example|staff", "yes", 1, 1, at("10:30")),
        ("failure|adult.example|student", "yes", 2, 2, at("10:30")),
        ("failure|sad.example|student", "yes", None, 1, None)]


def test_a_circumvention_is_a_method_and_a_host() -> None:
    """A proxy that let traffic through is said to have worked."""
    table = breaches(visits(SPREE), judged(SPREE), fired(SPREE), DAY).to_pylist()
    assert [(row["key"], row["worked"], row["people"]) for row in table if row["part"] == "circumvention"] == [
        ("circumvention|against|proxy.example", "yes", 1)]


def test_tallies_count_and_name_nobody() -> None:
    """Counts by category, tier and row; help-seeking has no number of people; no person or client anywhere."""
    text = SPREE + "    10:06:00 | help.example | help_seeking | 0 | 1\n"
    found = fired(text)
    table = tallies(visits(text), judged(text), found, stories(found), DAY)
    counts = {(row["measure"], row["of"]): (row["people"], row["count"]) for row in table.to_pylist()}
    assert counts["visits", ""] == (1, 6)
    assert counts["requests by category", "pornography"] == (1, 7)
    assert counts["requests by category", "help_seeking"] == (None, 1)
    assert counts["incidents by row", "IN-12"] == (1, 1)
    assert not {"p1", "d1"} & {of for _, of in counts}
    assert POLICY.categories.keys() >= {of for measure, of in counts if measure == "requests by category"}


def test_coverage_says_fates_and_the_longest_silence() -> None:
    """Fates add up to lines, and a silent stretch inside school hours is a number, to closing time."""
    con = connect(threads=1)
    con.register("lines", lines("""
        time  | fate    | action  | person | kind
        09:00 | request | allowed | p1     | http
        09:30 | request | blocked | -      | tunnel
        -     | reject  | -       | -      | -
        -     | furniture | -     | -      | -
    """))
    heard = of_lines(of_view(con))
    table = coverage(heard, DAY, {"s1": "access.log"}, (at("09:00"), at("11:00")))
    assert said(table, "name", "lines", "requests", "rejects", "furniture", "unattributed", "paged", "blocked",
                "gap_minutes") == [("access.log", 4, 2, 1, 1, 1, 1, 1, 90)]
    assert coverage(heard, DAY, {}, None)["gap_minutes"].to_pylist() == [0]
