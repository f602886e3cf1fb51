"""The SQL agrees with a slow, plain reading of the same words on made-up nights, in any order of the rows."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from tables_text import at, build
from test_detect import POLICY
from test_visits import BELLS, HOSTS_KNOWN, PEOPLE, folded

from pipeline.classify import judge
from pipeline.tables import LINES

MINUTES_10 = timedelta(minutes=10)
SITES = {row["host"]: (row["site"], row["category"]) for row in HOSTS_KNOWN.to_pylist()}
YEARS = {row["person"]: row["year"] for row in PEOPLE.to_pylist()}


def night(seed: int) -> list[dict[str, Any]]:
    """A made-up night of a few people, with bursts and long pauses."""
    dice = random.Random(seed)
    now, items = at("09:40"), []
    for line in range(1, 250):
        now += timedelta(milliseconds=dice.choice([3, 700, 4000, 30000, 90000, 400000]))
        items.append({"source": dice.choice(["s1", "s2"]), "line": line, "time": now, "fate": "request", "kind": "http",
                      "client": dice.choice(["d1", "d2"]), "person": dice.choice(["p1", "p2", None]),
                      "host": dice.choice([*SITES, "other.example"]), "duration_ms": dice.choice([0, 0, 2500, 61000]),
                      "action": dice.choice(["allowed", "allowed", "blocked", "warned", "auth"])})
    return items


def band_of(item: dict[str, Any]) -> tuple[str, Any]:
    """The band and its beginning at the start of a request, by that person's bells."""
    year = YEARS.get(item["person"], "")
    bells = BELLS.to_pylist()
    year = year if any(bell["year"] == year for bell in bells) else ""
    found = [bell for bell in bells if bell["year"] == year and bell["starts"] <= item["started"] < bell["ends"]]
    return (found[0]["band"], found[0]["starts"]) if found else ("closed", None)


def slowly(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Visits, one request at a time."""
    requests = [item | {"started": item["time"] - timedelta(milliseconds=item["duration_ms"])}
                for item in items if item["action"] != "auth"]
    requests.sort(key=lambda r: (r["started"], r["source"], r["line"]))
    open_visits: dict[Any, dict[str, Any]] = {}
    visits: list[dict[str, Any]] = []
    background = []
    for request in requests:
        site, category = SITES.get(request["host"], (request["host"], "uncategorised"))
        if category == "adverts":
            background.append(request)
            continue
        band, edge = band_of(request)
        stay = (request["client"], request["person"], site, category, edge)
        visit = open_visits.get(stay)
        if visit is None or request["started"] - visit["ended"] > MINUTES_10:
            visit = {"visit": f"{request['source']}:{request['line']}", "client": request["client"],
                     "person": request["person"], "site": site, "band": band, "started": request["started"],
                     "ended": request["time"], "requests": 0, "blocked": 0, "background": 0}
            open_visits[stay] = visit
            visits.append(visit)
        visit["ended"] = max(visit["ended"], request["time"])
        visit["requests"] += 1
        visit["blocked"] += request["action"] == "blocked"
    for request in background:
        second = request["started"].replace(microsecond=0)
        spans = [v for v in visits if (v["client"], v["person"]) == (request["client"], request["person"])
                 and v["started"].replace(microsecond=0) <= second
                 <= v["ended"].replace(microsecond=0) + timedelta(seconds=10)]
        if spans:
            spans[-1]["background"] += 1
    return visits


@pytest.mark.parametrize("seed", range(8))
def test_visits_agree_with_the_slow_reading(seed: int) -> None:
    """Every visit, its person, band, ends and counts are what a plain loop finds."""
    items = night(seed)
    table, counts = folded(build(items, LINES, {}))
    columns = ["visit", "client", "person", "site", "band", "started", "ended", "requests", "blocked", "background"]
    assert table.select(columns).to_pylist() == [{c: v[c] for c in columns} for v in slowly(items)]
    assert counts["requests"] == len(items)


def test_the_order_of_the_rows_changes_nothing() -> None:
    """The same lines in another order make the same table, byte for byte."""
    items = night(99)
    first, counts = folded(build(items, LINES, {}))
    random.Random(1).shuffle(items)
    second, again = folded(build(items, LINES, {}))
    assert isinstance(first, pa.Table) and first.equals(second) and counts == again


def expected(visit: dict[str, Any]) -> tuple[str, str, bool]:
    """The verdict of one visit, read straight from the policy: within, outcome, failure."""
    taught, student = visit["band"] == "lesson", visit["actor"] == "student"
    outcome = "mixed" if visit["blocked"] and visit["allowed"] else "blocked" if visit["blocked"] else "allowed"
    if visit["category"] == "pornography":
        return "against", outcome, visit["allowed"] > 0
    if visit["category"] == "video_streaming" and student:
        return ("against" if taught else "within"), outcome, False
    return "not_evaluated", outcome, False


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_agree_with_the_slow_reading(seed: int) -> None:
    """Every visit has one verdict, in the same order, and it is what a plain reading of the policy says."""
    table, _ = folded(build(night(seed), LINES, {}))
    verdicts = judge(table, POLICY, {}).to_pylist()
    visits = table.to_pylist()
    assert [row["visit"] for row in verdicts] == [row["visit"] for row in visits]
    assert [(row["within"], row["outcome"], row["failure"]) for row in verdicts] == [expected(row) for row in visits]
