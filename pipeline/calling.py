"""Calls that programs make by themselves: small ones, each alone, told from what people do by when and how often they come.

Three things tell a program. A device that asks all day, a request or two each time. The same host on a device that asks seldom:
where most devices that ask for it do so all day, today or on an earlier day, it is an app's own host and nobody's page. And, on
people's own devices, where host names are all that a log has and apps ask for what their makers like, one small call with nothing
of its kind around it: who opens a page there fetches it, and who is stopped tries again. Such a visit is context: no rule speaks
of it. Ways round the filter, torrents and infections have judgements of their own; of sites that no app asks for, at which a
child is at risk or that no shop of apps would sell, one try is told.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pyarrow as pa

from pipeline.intent import number
from pipeline.sql import run, some
from pipeline.tables import LEARNED, conform

CONTEXT = "program"
HOST = "called"  # what a day learns: a host that programs call
STARTED = ("copyright_p2p",)  # a program that somebody started
APPS_AT_RISK = ("stranger_chat_dating", "ai_companion")  # of what may put a child at risk, what comes as an app
NO_APPS = ("pornography", "hate_discrimination", "violence_gore")  # which no shop of apps sells

# A page brings along what several other hosts hold; what comes alone, and is no film, is an answer to a program.
BARE = """
seen AS (
    SELECT *, epoch_us(started) AS since, epoch_us(ended) AS until, len(notes) = 0 AND searched = 0 AND tries > 0
                  AND requests <= $few * tries AND bytes_in <= $few * $most::BIGINT * requests AS brief,
           bytes_in <= $bytes * requests AS small
    FROM visits WHERE list_contains($kinds::VARCHAR[], category)
), accompanied AS (
    SELECT DISTINCT s.visit FROM seen s JOIN visits o ON o.client = s.client AND o.site <> s.site
     AND epoch_us(o.started) BETWEEN s.since - $follow * 1000 AND s.since + $follow * 1000
    WHERE s.brief AND NOT s.small
), bare AS (
    SELECT *, brief AND (small OR bytes_in <= $most * requests AND background <= 1 AND visit NOT IN (FROM accompanied)) AS call
    FROM seen
)"""

# A device is told by four visits of five: two calls fall into one second now and then, or something else beside one. By
# night nobody is up in two different hours for a call each.
PROGRAMS = f"""
WITH {BARE}, devices AS (
    SELECT host, site, client, subject, category, sum(tries) AS tries, count(DISTINCT since // 3600000000) AS hours,
           count(DISTINCT since // 3600000000)
               FILTER (band = 'closed' AND list_contains($night::INTEGER[], hour(started))) AS nights,
           max(since) - min(since) AS span, 5 * count(*) FILTER (call) >= 4 * count(*) AS calls
    FROM bare GROUP BY ALL
), programs AS (
    SELECT *, calls AND (tries >= $tries AND hours >= $hours OR nights >= 2 AND hours >= $far_hours
                         OR span >= $span_hours::BIGINT * 3600000000 AND hours >= $far_hours) AS program FROM devices
)"""

HOSTS = f"""
{PROGRAMS}
SELECT $day::DATE AS day, '{HOST}' AS what, host, any_value(site) AS site, '' AS subject, '' AS network,
       0 AS hours, false AS early, false AS used, count(*) FILTER (program) AS devices
FROM programs GROUP BY host
HAVING count(*) FILTER (program) >= $devices AND 2 * count(*) FILTER (program) >= count(*) ORDER BY host
"""

# Two calls of a program may come close together, or share a connection, so that they look like more than one. What the filter
# stops though no list knows it is looked for too, unless it is asked for all day. What stands alone on a phone in most hours of
# the day is an app that calls seldom.
CALLS = f"""
{PROGRAMS}, known AS (
    SELECT b.*, brief AND p.program OR call AND b.host IN (SELECT host FROM learned WHERE what = '{HOST}') AS made
    FROM bare b JOIN programs p USING (host, site, client, subject, category)
), beside AS (
    SELECT visit, subject, category, since, requests FROM known WHERE NOT made UNION ALL
    SELECT visit, subject, category, epoch_us(started), requests FROM visits
    WHERE category = 'uncategorised' AND blocked = requests AND list_contains($own::VARCHAR[], network)
    QUALIFY count(*) OVER (PARTITION BY host, client, subject) <= $few
), lone AS (
    SELECT k.visit, k.host, k.client, k.subject, k.since
    FROM known k JOIN beside o ON o.subject = k.subject AND o.category IN (k.category, 'uncategorised')
     AND o.since BETWEEN k.since - $gap * 60000000 AND k.until + $gap * 60000000
    WHERE k.call AND list_contains($own::VARCHAR[], k.network) AND NOT list_contains($no_app::VARCHAR[], k.category)
      AND NOT k.made
    GROUP BY ALL HAVING sum(o.requests) <= $few
), often AS (
    SELECT host, client, subject FROM lone GROUP BY ALL HAVING count(DISTINCT since // 3600000000) >= $far_hours - 1
)
SELECT visit FROM known
WHERE made OR call AND (visit IN (SELECT visit FROM lone) OR (host, client, subject) IN (FROM often)) ORDER BY visit
"""

NIGHT = (23, 0, 1, 2, 3, 4)  # hours, UTC: half past five in summer is dawn to nobody either


def of_day(visits: pa.Table, policy: Any, day: date) -> pa.Table:
    """LEARNED of the VISITS of a day: the hosts that programs call, and on how many devices."""
    values = _values(policy) | {"day": day, "devices": number(policy.intent, "app_devices")}
    if not some(visits, "category", values["kinds"]):
        return LEARNED.schema.empty_table()
    return conform(run(HOSTS, values, visits=visits), LEARNED)


def calls(visits: pa.Table, learned: pa.Table, policy: Any, own: Collection[str]) -> pa.Table:
    """visit, context: the VISITS that a program made by itself. `learned`: LEARNED of this day and of the days before it; `own`:
    the networks of people's own devices."""
    no_app = [name for name, category in policy.categories.items()
              if name in NO_APPS or (category.tier == "T1" and name not in APPS_AT_RISK)]
    values = _values(policy) | {"own": sorted(own), "no_app": no_app, "gap": number(policy.intent, "gap_minutes")}
    asked = some(visits, "category", values["kinds"])
    found = run(CALLS, values, visits=visits, learned=learned) if asked else visits.select(["visit"])[:0]
    return found.append_column("context", pa.array([CONTEXT] * len(found), pa.string()))


def _values(policy: Any) -> dict[str, Any]:
    numbers = policy.intent
    return {"kinds": _kinds(policy), "few": number(numbers, "few_requests"), "bytes": number(numbers, "idle_bytes"),
            "most": number(numbers, "app_bytes"), "follow": number(numbers, "follow_ms"), "night": list(NIGHT),
            "tries": number(numbers, "idle_tries"), "hours": number(numbers, "idle_hours"),
            "span_hours": number(numbers, "idle_span_hours"), "far_hours": number(numbers, "idle_far_hours")}


def _kinds(policy: Any) -> list[str]:
    """The categories of which an app may ask by itself."""
    return sorted(name for name, category in policy.categories.items()
                  if category.tier in ("T1", "T2", "T3") and not name.startswith("bypass_") and name not in STARTED)
