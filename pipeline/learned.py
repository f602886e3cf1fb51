"""What one day teaches later days, and its own other logs: proxies proven by their addresses, and apps that check in.

A proxy is proven where a log shows addresses: some requests, and most of those who met the host that day, none of them staff.
On that day and later ones the host alone tells it, also where only names are seen. An app is learned from several days of small
check-ins, some of them out of hours: then a few of them in one day are check-ins too. The history of a day is the tables of the
days before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from pipeline.signals.shapes import Book
from pipeline.sql import run, some
from pipeline.tables import LEARNED, VISITS, conform

PROXY, APP = "proxy", "app"
TOLD_OF = ("student", "shared", "unknown")
OUT_OF_HOURS = ("closed", "before_school", "after_school")

# Notes are of addresses, while nothing else has been weighed. A host that some list knows is judged by that.
PROXIES = """
SELECT $day::DATE AS day, 'proxy' AS what, v.host, v.site, '' AS subject, '' AS network, 0 AS hours, false AS early,
       false AS used, 0 AS devices
FROM visits v JOIN hosts k USING (host) WHERE k.category = 'uncategorised'
GROUP BY v.host, v.site
HAVING 2 * count(DISTINCT v.subject) FILTER (v.category = 'bypass_web_proxy' AND len(v.notes) > 0) >= count(DISTINCT v.subject)
   AND sum(v.requests) FILTER (v.category = 'bypass_web_proxy' AND len(v.notes) > 0) >= $shown
   AND count(*) FILTER (v.actor IN ('staff', 'technical_staff', 'governor')) = 0 ORDER BY v.host
"""

CHECK_INS = """
SELECT $day::DATE AS day, 'app' AS what, '' AS host, site, subject, network,
       count(DISTINCT epoch_us(started) // 3600000000)::BIGINT AS hours,
       bool_or(list_contains($out::VARCHAR[], band)) AS early,
       max(bytes_in + bytes_out) >= $bytes OR max(longest_ms) >= $minutes * 60000 AS used, 0 AS devices
FROM visits WHERE category = 'bypass_vpn_tunnel' AND len(notes) = 0 GROUP BY site, subject, network ORDER BY ALL
"""

KNOWN_PROXIES = "SELECT host, min(day) AS since FROM learned WHERE what = 'proxy' GROUP BY host ORDER BY host"
KNOWN_APPS = """
SELECT site, subject, network FROM learned WHERE what = 'app' GROUP BY ALL
HAVING count(DISTINCT day) >= $days AND count(DISTINCT day) FILTER (early) >= 2 AND sum(hours) >= $days * 2 AND NOT bool_or(used)
ORDER BY ALL
"""
KNOWN_CALLED = "SELECT DISTINCT what, host FROM learned WHERE what = 'called' ORDER BY host"

# Fetched by another page a proxy's host is no choice of anybody's; asked for again it is.
CARRIED = """
SELECT v.visit, 'bypass_web_proxy' AS category, p.since FROM visits v JOIN proxies p USING (host)
WHERE v.category = 'uncategorised' AND list_contains($told::VARCHAR[], v.actor)
  AND (v.after_ms IS NULL OR v.after_ms > 2000 OR v.requests > 3)
UNION ALL
SELECT v.visit, 'bypass_vpn_app_chatter', NULL FROM visits v JOIN apps USING (site, subject, network)
WHERE v.category = 'bypass_vpn_tunnel' AND len(v.notes) = 0
  AND (v.site, v.subject, v.network) NOT IN (SELECT (site, subject, network) FROM today WHERE what = 'app' AND used)
ORDER BY ALL
"""

MERGED = """
SELECT v.* REPLACE (coalesce(t.category, v.category) AS category, list_concat(v.notes, coalesce(t.why, [])) AS notes)
FROM visits v LEFT JOIN told t USING (visit) ORDER BY v.started, v.source, v.line
"""
TOLD = pa.schema([("visit", pa.string()), ("category", pa.string()), ("why", pa.list_(pa.string()))])


def of_day(visits: pa.Table, hosts: pa.Table, book: Book, day: date) -> pa.Table:
    """LEARNED of the VISITS of one day, before anything but their addresses was weighed, and of its HOSTS."""
    numbers = book.numbers
    if not numbers:
        return LEARNED.schema.empty_table()
    found = [LEARNED.schema.empty_table()]
    if some(visits, "category", ["bypass_web_proxy"]):
        found.append(run(PROXIES, {"day": day, "shown": numbers["proof_requests"]}, visits=visits, hosts=hosts))
    if some(visits, "category", ["bypass_vpn_tunnel"]):
        values = {"day": day, "bytes": numbers["chatter_kilobytes"] * 1_000, "minutes": numbers["tunnel_minutes"]}
        found.append(run(CHECK_INS, values | {"out": list(OUT_OF_HOURS)}, visits=visits))
    return pa.concat_tables([conform(table, LEARNED) for table in found])


def carried(visits: pa.Table, today: pa.Table, earlier: pa.Table, book: Book) -> pa.Table:
    """The VISITS, those to a host proven today or earlier as a web proxy, and those that an app known from earlier days makes, in
    that category. `today`, `earlier`: LEARNED of this day and of the days before it."""
    if not book.numbers or not (len(today) or len(earlier)):
        return visits
    proxies = run(KNOWN_PROXIES, learned=pa.concat_tables([earlier, today]))
    apps = run(KNOWN_APPS, {"days": book.numbers["app_days"]}, learned=earlier)
    found = run(CARRIED, {"told": list(TOLD_OF)}, visits=visits, proxies=proxies, apps=apps, today=today).to_pylist()
    if not found:
        return visits
    told = [{"visit": row["visit"], "category": row["category"], "why": _why(row["since"])} for row in found]
    return conform(run(MERGED, visits=visits, told=pa.Table.from_pylist(told, TOLD)), VISITS)


def _why(since: date | None) -> list[str]:
    return [] if since is None else [f"a web proxy, as its addresses showed on {since.day} {since:%B}"]


def lessons(earlier: pa.Table, numbers: Mapping[str, int]) -> Sequence[str]:
    """All that a day's judging can take from the days before it, a line each."""
    if not numbers or not len(earlier):
        return []
    rows: list[dict[str, Any]] = run(KNOWN_PROXIES, learned=earlier).to_pylist()
    rows += run(KNOWN_APPS, {"days": numbers["app_days"]}, learned=earlier).to_pylist()
    rows += run(KNOWN_CALLED, learned=earlier).to_pylist()
    return ["|".join(str(value) for value in row.values()) for row in rows]
