"""Detections become stories for a person to read, and breaches of the filter for the person who runs it.

A story is one subject's detections on one school day and one route, split where 60 minutes pass between the end of one
and the start of the next. Its key is the key of its first detection: nothing a late line elsewhere can change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.detect import GRAVITY, joined
from pipeline.sql import run, some
from pipeline.tables import BREACHES, INCIDENTS, conform

PAUSE = timedelta(minutes=60)
INTENTS = ("deliberate", "unclear", "accidental", "background")

# A filter failure is a matter of the filter: only sites and how many people, and no welfare or sealed site's people.
FAILURES = """
WITH let AS (
    SELECT v.* FROM visits v JOIN verdicts d USING (visit) WHERE d.failure
), groups AS (
    SELECT site, actor, min(started) AS first_seen, max(ended) AS last_seen, min(category) AS category,
           count(DISTINCT subject) AS people, count(*) AS visits,
           sum(blocked) > 0 AS some_blocked
    FROM let GROUP BY site, actor
), welfare AS (
    SELECT DISTINCT v.site FROM visits v JOIN verdicts d USING (visit) WHERE d.tier IN ('T0', 'T1')
)
SELECT 'failure|' || g.site || '|' || g.actor AS key, $day::DATE AS day, 'failure' AS part, g.site, g.actor AS profile,
       g.category, '' AS method, CASE WHEN g.some_blocked THEN 'mixed' ELSE 'yes' END AS worked,
       CASE WHEN g.site IN (SELECT site FROM welfare) THEN NULL ELSE g.people END AS people,
       g.visits, g.first_seen, g.last_seen,
       (SELECT min(v.started) FROM visits v WHERE v.site = g.site AND v.blocked > 0 AND v.started > g.first_seen
       ) AS first_blocked
FROM groups g ORDER BY key
"""

CIRCUMVENTIONS = """
WITH seen AS (
    SELECT d.rule AS method, d.host, d.category, v.*  EXCLUDE (host, category)
    FROM (SELECT rule, host, category, unnest(visit_keys) AS visit FROM detections
          WHERE starts_with(category, 'bypass_')) d
    JOIN visits v USING (visit)
), own AS (
    SELECT s.* EXCLUDE (host), v.host FROM seen s JOIN visits v USING (visit)
), groups AS (
    SELECT method, host, min(category) AS category, min(started) AS first_seen, max(ended) AS last_seen,
           count(DISTINCT subject) AS people, count(DISTINCT visit) AS visits,
           sum(allowed) > 0 AS some_allowed, sum(blocked) > 0 AS some_blocked, any_value(site) AS site
    FROM own GROUP BY method, host
)
SELECT 'circumvention|' || g.method || '|' || g.host AS key, $day::DATE AS day, 'circumvention' AS part, g.host AS site,
       '' AS profile, g.category, g.method,
       CASE WHEN g.some_allowed AND g.some_blocked THEN 'mixed' WHEN g.some_allowed THEN 'yes' ELSE 'no' END AS worked,
       g.people, g.visits, g.first_seen, g.last_seen,
       (SELECT min(v.started) FROM visits v WHERE v.site = g.site AND v.blocked > 0 AND v.started > g.first_seen
       ) AS first_blocked
FROM groups g ORDER BY key
"""

# Illegal content that was let through is the gravest failure there is: only that it was, for whom by kind, and when.
SEALED_LET_THROUGH = """
SELECT 'failure|sealed|' || actor AS key, $day::DATE AS day, 'failure' AS part, 'sealed' AS site, actor AS profile,
       'sealed' AS category, '' AS method, CASE WHEN bool_or(outcome = 'mixed') THEN 'mixed' ELSE 'yes' END AS worked,
       NULL::BIGINT AS people, count(*) AS visits, min(started) AS first_seen, max(ended) AS last_seen,
       NULL::TIMESTAMPTZ AS first_blocked
FROM detections WHERE tier = 'T0' AND outcome <> 'blocked' GROUP BY actor ORDER BY key
"""


def key_of(detection: dict[str, Any]) -> str:
    """The key of a detection: rule|subject|site|source:line."""
    return f"{detection['rule']}|{detection['subject']}|{detection['site']}|{detection['source']}:{detection['line']}"


def stories(detections: pa.Table) -> pa.Table:
    """The incidents of the day, each one story; the same whatever the order of the rows given."""
    ordered = sorted(detections.to_pylist(), key=lambda d: (d["subject"], d["route"], d["started"], key_of(d)))
    groups: list[list[dict[str, Any]]] = []
    until = None
    for detection in ordered:
        same = bool(groups) and all(groups[-1][0][name] == detection[name] for name in ("subject", "route", "day"))
        if same and until is not None and detection["started"] - until <= PAUSE:
            groups[-1].append(detection)
            until = max(until, detection["ended"])
        else:
            groups.append([detection])
            until = detection["ended"]
    made = sorted((_story(group) for group in groups), key=lambda row: (row["started"], row["story"]))
    return pa.Table.from_pylist(made, schema=INCIDENTS.schema)


COPIED = ("day", "subject", "person", "client", "actor", "year", "network", "route", "started", "band", "period")


def _story(group: list[dict[str, Any]]) -> dict[str, Any]:
    """One story, from its detections in order."""
    first = group[0]
    visits = _once(key for detection in group for key in detection["visit_keys"])
    return {name: first[name] for name in COPIED} | {
        "story": key_of(first), "tier": min((d["tier"] for d in group), key=GRAVITY.index),
        "ended": max(d["ended"] for d in group), "categories": _once(d["category"] for d in group),
        "sites": _once(d["site"] for d in group if d["site"]), "outcome": joined(d["outcome"] for d in group),
        "intent": min((d["intent"] for d in group), key=INTENTS.index),
        "rows": _once(row for d in group for row in d["rows"]),
        "questions": _once(question for d in group for question in d["questions"]),
        "visits": len(visits), "requests": _requests(group),
        "reasons": _once(reason for d in group for reason in d["reasons"]),
        "keys": [key_of(d) for d in group], "visit_keys": visits}


def _once(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _requests(group: list[dict[str, Any]]) -> int:
    """Requests of the story, a visit counted once though several rules fired on it (the widest detection is taken)."""
    counted: set[str] = set()
    total = 0
    for detection in sorted(group, key=lambda d: (-len(d["visit_keys"]), key_of(d))):
        keys = set(detection["visit_keys"])
        if not keys or not keys <= counted:
            total += detection["requests"]
            counted |= keys
    return total


def breaches(visits: pa.Table, verdicts: pa.Table, detections: pa.Table, day: date) -> pa.Table:
    """The day's filter failures (site and profile), illegal content let through, and circumventions (method and host)."""
    found = [BREACHES.schema.empty_table()]
    if pc.any(verdicts["failure"]).as_py():
        found.append(run(FAILURES, {"day": day}, visits=visits, verdicts=verdicts))
    if some(detections, "tier", ["T0"]):
        found.append(run(SEALED_LET_THROUGH, {"day": day}, detections=detections))
    if pc.any(pc.starts_with(detections["category"], "bypass_")).as_py():
        found.append(run(CIRCUMVENTIONS, {"day": day}, visits=visits, detections=detections))
    return pa.concat_tables([conform(each, BREACHES) for each in found])
