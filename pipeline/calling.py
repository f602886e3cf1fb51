"""Calls that programs make by themselves: small ones, each alone, told from what people do by when and how often they come.

Three things tell a program. A device that asks all day, a request or two each time. The same host on a device that asks seldom:
where most devices that ask for it do so all day, today or on an earlier day, it is an app's own host and nobody's page. And, on
people's own devices, where host names are all that a log has and apps ask for what their makers like, one small call with nothing
of its kind around it: who opens a page there fetches it, and who is stopped tries again. Such a visit is context: no rule speaks
of it. Ways round the filter, torrents and infections have judgements of their own; of sites that no app asks for, at which a
child is at risk, one try is told.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pyarrow as pa

from pipeline.intent import number
from pipeline.sql import run
from pipeline.tables import LEARNED, conform

CONTEXT = "program"
HOST = "called"  # what a day learns: a host that programs call
STARTED = ("copyright_p2p",)  # a program that somebody started
APPS_AT_RISK = ("stranger_chat_dating", "ai_companion")  # of what may put a child at risk, what comes as an app

SMALL = """
small AS (
    SELECT *, requests <= $few * greatest(1, tries) AND bytes_in <= $bytes * requests AND searched = 0 AND len(notes) = 0 AS small
    FROM visits WHERE list_contains($kinds::VARCHAR[], category) AND tries IS NOT NULL
)"""

# A device is told by nine visits of ten: two calls fall into one second now and then, as one page would.
PROGRAMS = f"""
WITH {SMALL}, devices AS (
    SELECT host, site, client, subject, category, sum(tries) AS tries, count(DISTINCT epoch_us(started) // 3600000000) AS hours,
           max(epoch_us(started)) - min(epoch_us(started)) AS span, 10 * count(*) FILTER (small) >= 9 * count(*) AS small
    FROM small GROUP BY ALL
), programs AS (
    SELECT *, small AND (tries >= $tries AND hours >= $hours
                         OR span >= $span_hours::BIGINT * 3600000000 AND hours >= $far_hours) AS program FROM devices
)"""

HOSTS = f"""
{PROGRAMS}
SELECT $day::DATE AS day, '{HOST}' AS what, host, any_value(site) AS site, '' AS subject, '' AS network,
       count(*) FILTER (program) AS hours, false AS early, false AS used
FROM programs GROUP BY host
HAVING count(*) FILTER (program) >= $devices AND 2 * count(*) FILTER (program) >= count(*) ORDER BY host
"""

CALLS = f"""
{PROGRAMS}, lone AS (
    SELECT s.visit FROM small s JOIN small o ON o.subject = s.subject AND o.category = s.category
     AND epoch_us(o.started) BETWEEN epoch_us(s.started) - $gap * 60000000 AND epoch_us(s.ended) + $gap * 60000000
    WHERE s.small AND list_contains($own::VARCHAR[], s.network) AND NOT list_contains($told::VARCHAR[], s.category)
    GROUP BY s.visit HAVING sum(o.requests) <= $few
)
SELECT s.visit FROM small s LEFT JOIN programs p USING (host, site, client, subject, category)
WHERE s.small AND (p.program OR s.host IN (SELECT host FROM learned WHERE what = '{HOST}') OR s.visit IN (FROM lone))
ORDER BY s.visit
"""


def of_day(visits: pa.Table, policy: Any, day: date) -> pa.Table:
    """LEARNED of the VISITS of a day: the hosts that programs call, and in `hours` of how many devices."""
    values = _values(policy) | {"day": day, "devices": number(policy.intent, "app_devices")}
    return conform(run(HOSTS, values, visits=visits), LEARNED)


def calls(visits: pa.Table, learned: pa.Table, policy: Any, own: Collection[str]) -> pa.Table:
    """visit, context: the VISITS that a program made by itself. `learned`: LEARNED of this day and of the days before it; `own`:
    the networks of people's own devices."""
    told = [name for name, category in policy.categories.items() if category.tier == "T1" and name not in APPS_AT_RISK]
    values = _values(policy) | {"own": sorted(own), "told": told, "gap": number(policy.intent, "gap_minutes")}
    found = run(CALLS, values, visits=visits, learned=learned)
    return found.append_column("context", pa.array([CONTEXT] * len(found), pa.string()))


def _values(policy: Any) -> dict[str, Any]:
    numbers = policy.intent
    return {"kinds": _kinds(policy), "few": number(numbers, "few_requests"), "bytes": number(numbers, "idle_bytes"),
            "tries": number(numbers, "idle_tries"), "hours": number(numbers, "idle_hours"),
            "span_hours": number(numbers, "idle_span_hours"), "far_hours": number(numbers, "idle_far_hours")}


def _kinds(policy: Any) -> list[str]:
    """The categories of which an app may ask by itself."""
    return sorted(name for name, category in policy.categories.items()
                  if category.tier in ("T1", "T2", "T3") and not name.startswith("bypass_") and name not in STARTED)
