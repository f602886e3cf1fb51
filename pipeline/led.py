"""A class that a member of staff leads: pupils in a lesson on the site that a teacher uses with them.

A log knows no timetable, so two things stand for one. A member of staff was on the same site, not on a device of their own, when
the pupil came to it or until shortly before, and either the network is no more than a room or several pupils of one year came by
the same visit. Or half a class of one year came to one site within minutes, and hardly any of that year otherwise in that lesson.
Such a visit is context: no rule of what pupils may not do in lessons speaks of it. It counts only for what table 7.2 calls
non-educational (IN-02), never for what is illegal, welfare or a way round the filter.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.intent import number
from pipeline.sql import run, some

CONTEXT = "class"
ROW = "IN-02"
TAUGHT = ("lesson", "registration")

# Who goes on from before the bell, or came back, did not come with the class.
LESSONS = """
lessons AS (
    SELECT v.*, epoch_us(v.started) AS since, epoch_us(v.ended) AS until, d.context, d.verdict
    FROM visits v JOIN verdicts d USING (visit)
    WHERE v.band IN ('lesson', 'registration')
), pupils AS (
    SELECT p.* FROM lessons p WHERE p.actor = 'student' AND p.context = '' AND p.verdict <> 'unacceptable_illegal'
      AND list_contains($leisure::VARCHAR[], p.category)
)"""

WITH_STAFF = f"""
WITH {LESSONS}, rooms AS (
    SELECT network, band, period FROM lessons WHERE network <> ''
    GROUP BY ALL HAVING count(DISTINCT subject) <= $room
), met AS (
    SELECT p.visit, p.subject, p.year, s.visit AS leader, p.network = s.network AND r.network IS NOT NULL AS in_room
    FROM pupils p JOIN lessons s ON s.site = p.site AND s.category = p.category
     AND p.since BETWEEN s.since - $slack * 60000000 AND s.until + $minutes::BIGINT * 60000000
    LEFT JOIN rooms r ON r.network = s.network AND r.band = s.band AND r.period = s.period
    WHERE s.actor = 'staff' AND s.person IS NOT NULL AND s.allowed > 0 AND coalesce(s.opened, 1) > 0
      AND NOT list_contains($own::VARCHAR[], s.network)
), classes AS (
    SELECT leader, year FROM met GROUP BY ALL HAVING count(DISTINCT subject) >= $pupils
)
SELECT DISTINCT m.visit FROM met m LEFT JOIN classes c ON c.leader = m.leader AND c.year = m.year
WHERE m.in_room OR c.leader IS NOT NULL ORDER BY m.visit
"""

TOGETHER = f"""
WITH {LESSONS}, came AS (
    SELECT p.* FROM pupils p WHERE p.year <> '' AND NOT EXISTS (
        FROM visits e WHERE e.subject = p.subject AND e.site = p.site AND e.visit <> p.visit
         AND epoch_us(e.started) < p.since AND epoch_us(e.ended) >= p.since - 600000000)
), pairs AS (
    SELECT a.visit AS first, b.visit, b.subject, b.site, b.year, b.band, b.period
    FROM came a JOIN came b ON b.site = a.site AND b.category = a.category AND b.year = a.year AND b.band = a.band
     AND b.period = a.period AND b.since - a.since BETWEEN 0 AND $within::BIGINT * 60000000
), classes AS (
    SELECT first, count(DISTINCT subject) AS together FROM pairs GROUP BY first HAVING together >= $class
), near AS (  -- whoever came in the minutes that began with some pupil's coming, in which so many came
    SELECT visit, site, year, band, period, max(together) AS together FROM pairs JOIN classes USING (first)
    GROUP BY visit, site, year, band, period
), whole AS (
    SELECT site, year, band, period, count(DISTINCT subject) AS pupils FROM pupils GROUP BY ALL
)
SELECT n.visit FROM near n JOIN whole w USING (site, year, band, period) WHERE 4 * n.together >= 3 * w.pupils ORDER BY n.visit
"""

SLACK = 2  # minutes by which a pupil may be before the teacher: the quickest opens the link while the teacher still speaks


def leisure(policy: Any) -> list[str]:
    """The categories of which table 7.2 says no more than that they are not educational."""
    return sorted(name for name, category in policy.categories.items() if category.tier == "T3"
                  and {line.row for line in category.propose} | {"no_row"} == {ROW, "no_row"})


def led(visits: pa.Table, verdicts: pa.Table, policy: Any, own: Collection[str]) -> pa.Table:
    """visit, context: the visits of pupils that are with the class of a member of staff. `own`: the networks of people's own
    devices."""
    numbers, kinds = policy.intent, leisure(policy)
    taught = visits.select(["category"]).filter(pc.is_in(visits["band"], pa.array(TAUGHT)))
    if not some(taught, "category", kinds):
        return _context([])
    with_staff = run(WITH_STAFF, {"leisure": kinds, "own": sorted(own), "slack": SLACK, "minutes": number(numbers, "led_minutes"),
                                  "pupils": number(numbers, "led_pupils"), "room": number(numbers, "room_people")},
                     visits=visits, verdicts=verdicts)
    together = run(TOGETHER, {"leisure": kinds, "within": number(numbers, "class_minutes"),
                              "class": number(numbers, "class_pupils")}, visits=visits, verdicts=verdicts)
    return _context(sorted({*with_staff["visit"].to_pylist(), *together["visit"].to_pylist()}))


def _context(found: list[str]) -> pa.Table:
    return pa.table({"visit": pa.array(found, pa.string()), "context": pa.array([CONTEXT] * len(found), pa.string())})
