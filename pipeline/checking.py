"""Tests of the filter: what falls in a registered window belongs to that check, and what only looks like a test says so.

A check is registered before it begins, with the account or the address that it is made from. A visit of that account or
address, inside the window from its first request to its last and of a kind that the check is to test, is the check's: no rule
speaks of it, and the register of checks says what was seen. What the filter let through stays a filter failure. An account that
people.csv gives to a pupil is never a tester, nor, on a device registered without an account, one that looks like a pupil's.
Sealed items are no visits, so a person links them.

Without a window nothing is left out: one account that asks for several kinds of blocked sites within minutes, in even steps, in
the order of a list or beside a known test page, is told with that in its reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

import pyarrow as pa

from pipeline.intent import number
from pipeline.register.checks import CheckState
from pipeline.sql import run
from pipeline.tables import DETECTIONS

TEST_PAGES = "filter_check"
EVERYTHING = "*"  # whatever the filter is meant to block
TESTED: Mapping[str, tuple[str, ...]] = {
    "adult": ("pornography", "adult_lite"),
    "proxy_sample": ("bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "bypass_mirror_or_remote_desktop",
                     "bypass_vpn_site_visit"),
    "safe_search": (), "profanity": (),  # searches, below
    "illegal_csam_list": (), "terrorism_list": ()}  # sealed verdicts: a person links them
SEARCHES = ("safe_search", "profanity")

WITHIN = """
SELECT v.visit, min(w.ref) AS context
FROM visits v JOIN windows w
  ON (w.person = '' OR v.person = w.person OR (v.person IS NULL AND w.client <> '')) AND (w.client = '' OR v.client = w.client)
 AND v.started >= w.begins AND v.ended <= w.ends
WHERE NOT (v.actor = 'student' AND (v.actor_from = 'people' OR (v.actor_from = 'account' AND w.person = '')))
  AND (list_contains(w.tested, v.category) OR (w.searches AND v.searched = v.requests)
       OR (w.everything AND list_contains($meant::VARCHAR[], v.category)))
GROUP BY v.visit ORDER BY v.visit
"""

SEEN = """
SELECT d.context AS ref, v.category, sum(v.requests)::BIGINT AS requests, sum(v.blocked)::BIGINT AS blocked,
       sum(v.allowed)::BIGINT AS allowed
FROM visits v JOIN verdicts d USING (visit) JOIN checks c ON c.ref = d.context GROUP BY ALL ORDER BY ALL
"""

# Visits of one slot at what the filter is meant to keep from pupils, of whoever met several kinds of it that day.
TRIED = """
WITH tried AS (
    SELECT v.visit, v.subject, v.category, v.site, v.blocked, v.requests, v.started FROM visits v JOIN verdicts d USING (visit)
    WHERE list_contains($meant::VARCHAR[], v.category) AND d.context = '' AND v.slots <= 1
)
SELECT * FROM tried
WHERE subject IN (SELECT subject FROM tried GROUP BY subject HAVING count(DISTINCT category) >= $categories)
ORDER BY subject, started, visit
"""
PAGES = "SELECT subject, started FROM visits WHERE category = $pages"


@dataclass(frozen=True)
class Window:
    """A registered check: from when until when, and whose traffic: a pseudonym of an account, of an address, or of both."""

    ref: str
    begins: datetime
    ends: datetime
    person: str
    client: str
    tests: tuple[str, ...]


SCHEMA = pa.schema([("ref", pa.string()), ("begins", pa.timestamp("us", tz="UTC")), ("ends", pa.timestamp("us", tz="UTC")),
                    ("person", pa.string()), ("client", pa.string()), ("tested", pa.list_(pa.string())),
                    ("everything", pa.bool_()), ("searches", pa.bool_())])


def windows(states: Iterable[CheckState]) -> list[Window]:
    """The windows of the checks that say whose traffic is theirs."""
    return [Window(state.ref, datetime.fromisoformat(state.plan["begins"]), datetime.fromisoformat(state.plan["ends"]),
                   state.plan.get("person", ""), state.plan.get("client", ""), tuple(state.plan["tests"]))
            for state in states if state.plan.get("person") or state.plan.get("client")]


def within(visits: pa.Table, known: Sequence[Window], policy: Any) -> pa.Table:
    """visit, context: the reference of the check that a visit was part of; of two windows the first."""
    table = pa.Table.from_pylist([_row(one) for one in known], SCHEMA)
    return run(WITHIN, {"meant": _blocked(policy)}, visits=visits, windows=table)


def _blocked(policy: Any) -> list[str]:
    """The categories that the filter is meant to keep from pupils, always or in lessons: what a tester asks for."""
    return sorted(name for name, category in policy.categories.items() if category.filter in ("block", "times"))


def _row(window: Window) -> dict[str, Any]:
    """A window with the categories that it is to test; a check that names no test, or one of a place, tests the filter whole."""
    tested = [category for test in window.tests for category in TESTED.get(test, (EVERYTHING,))]
    return {"ref": window.ref, "begins": window.begins, "ends": window.ends, "person": window.person, "client": window.client,
            "tested": [TEST_PAGES, *tested], "everything": EVERYTHING in tested or not window.tests,
            "searches": any(test in SEARCHES for test in window.tests)}


def seen(visits: pa.Table, verdicts: pa.Table, refs: Iterable[str]) -> dict[str, dict[str, dict[str, int]]]:
    """What was seen of each of these checks on one day: requests, blocked and allowed by category; who made it stands nowhere."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    known = pa.table({"ref": pa.array(list(refs), pa.string())})
    for row in run(SEEN, visits=visits, verdicts=verdicts, checks=known).to_pylist():
        found.setdefault(row["ref"], {})[row["category"]] = {name: row[name] for name in ("requests", "blocked", "allowed")}
    return found


def shaped(visits: pa.Table, verdicts: pa.Table, policy: Any) -> dict[str, str]:
    """Why each of these visits looks like part of a filter test for which no window is registered."""
    numbers = policy.intent
    tried = run(TRIED, {"categories": number(numbers, "test_categories"), "meant": _blocked(policy)}, visits=visits,
                verdicts=verdicts).to_pylist()
    if not tried:
        return {}
    pages = run(PAGES, {"pages": TEST_PAGES}, visits=visits).to_pylist()
    found: dict[str, str] = {}
    for group in _runs(tried, timedelta(minutes=number(numbers, "test_minutes"))):
        why = _shape(group, pages, numbers)
        found |= dict.fromkeys((row["visit"] for row in group), why) if why else {}
    return found


def _runs(rows: Sequence[dict[str, Any]], longest: timedelta) -> list[list[dict[str, Any]]]:
    """The visits of one subject that follow each other, none later than `longest` after the first."""
    groups: list[list[dict[str, Any]]] = []
    for row in rows:
        if groups and groups[-1][0]["subject"] == row["subject"] and row["started"] - groups[-1][0]["started"] <= longest:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _shape(group: Sequence[dict[str, Any]], pages: Sequence[Mapping[str, Any]], numbers: Mapping[str, Any]) -> str:
    """The sentence that tells these visits as a filter test; '' where they do not look like one."""
    kinds, first, last = {row["category"] for row in group}, group[0]["started"], group[-1]["started"]
    asked, blocked = sum(row["requests"] for row in group), sum(row["blocked"] for row in group)
    if len(kinds) < number(numbers, "test_categories") or 100 * blocked < number(numbers, "test_blocked_percent") * asked:
        return ""
    minutes = timedelta(minutes=number(numbers, "test_minutes"))
    page = any(row["subject"] == group[0]["subject"] and first - minutes <= row["started"] <= last + minutes for row in pages)
    how = next((text for holds, text in ((page, "beside a page that tests filters"), (_even(group), "in even steps"),
                                         (_listed(group), "in the order of a list")) if holds), "")
    return f"looks like a filter test ({len(kinds)} kinds of sites {how}); no window is registered" if how else ""


def _even(group: Sequence[Mapping[str, Any]]) -> bool:
    """Equal steps: each within two seconds, or a quarter, of the middle one."""
    steps = [(after["started"] - before["started"]).total_seconds() for before, after in pairwise(group)]
    middle = median(steps)
    return all(abs(step - middle) <= max(2.0, middle / 4) for step in steps)


def _listed(group: Sequence[Mapping[str, Any]]) -> bool:
    """Sites in the order of the alphabet, or kind after kind in that order."""
    names = [row["site"] for row in group]
    by_kind = [(row["category"], row["site"]) for row in group]
    return len(set(names)) > 4 and (names == sorted(names) or by_kind == sorted(by_kind))


def remarked(detections: pa.Table, why: Mapping[str, str]) -> pa.Table:
    """The DETECTIONS, those whose visits look like a filter test with that as their last reason; nothing is left out."""
    if not why:
        return detections
    rows = detections.to_pylist()
    for row in rows:
        row["reasons"] += list(dict.fromkeys(why[key] for key in row["visit_keys"] if key in why))
    return pa.Table.from_pylist(rows, DETECTIONS.schema)
