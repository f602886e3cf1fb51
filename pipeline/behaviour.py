"""Ways round the filter that no address shows: told by how traffic behaves, and only where several facts agree.

Works on the day's visits, which are few, and on what the HOSTS of the days before say. Three things are told: a tunnel to where
nobody else goes while the device is otherwise silent; an app's check-ins, which are no use of a VPN; and a host that nobody
in the school had asked for, opened straight after blocks or a look for a way round. A visit so told takes another category, and
sentences that say why. Times in microseconds; numbers and their reasons stand in `rules/addresses.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.hosts import platform_of
from pipeline.onename import alone
from pipeline.signals.shapes import Book
from pipeline.sql import run
from pipeline.tables import VISITS, conform

TOLD = pa.schema([("visit", pa.string()), ("category", pa.string()), ("why", pa.list_(pa.string()))])

# Which port a tunnel led to stands in the lines alone; only unusual ones are asked for.
PORTS = """
SELECT client, coalesce(host, '') AS host, max(port) AS port, count(*) AS n FROM lines
WHERE fate = 'request' AND kind = 'tunnel' AND action IN ('allowed', 'warned') AND port NOT IN (SELECT unnest($usual::INTEGER[]))
GROUP BY ALL
"""

SEEN = """
SELECT DISTINCT b.host FROM read_parquet($files, hive_partitioning = false) b SEMI JOIN hosts USING (host)
"""

# Heavy tunnels to hosts that no list knows, with the facts that must agree. The device's other traffic is compared with that
# of as long a time before. An address of a private network is no stranger.
TUNNELS = """
WITH heavy AS (
    SELECT *, epoch_us(started) AS since, epoch_us(ended) AS until FROM visits
    WHERE category = 'uncategorised' AND tunnels > 0 AND allowed > 0 AND longest_ms >= $minutes * 60000
      AND (bytes_in >= $bytes OR (bytes_in >= $both AND bytes_out >= $both))
), others AS (
    SELECT h.visit,
           coalesce(sum(o.requests + o.background) FILTER (epoch_us(o.started) > h.since + 30000000), 0)::BIGINT AS during,
           coalesce(sum(o.requests + o.background) FILTER (epoch_us(o.started) <= h.since), 0)::BIGINT AS before
    FROM heavy h JOIN visits o ON o.client = h.client AND o.visit <> h.visit
     AND epoch_us(o.started) BETWEEN 2 * h.since - h.until AND h.until
    GROUP BY h.visit
)
SELECT h.visit, h.host, h.longest_ms // 60000 AS minutes, (h.bytes_in + h.bytes_out) // 1000000 AS megabytes, p.port,
       coalesce(o.before, 0) >= $busy AND o.during * 100 <= o.before * $silence AS silent,
       regexp_full_match(h.host, '[0-9]+(\\.[0-9]+){3}') AND NOT regexp_matches(h.host, $private) AS literal,
       k.people <= $few AS rare
FROM heavy h LEFT JOIN others o USING (visit) LEFT JOIN ports p ON p.client = h.client AND p.host = h.host
LEFT JOIN hosts k ON k.host = h.host
ORDER BY h.visit
"""

PRIVATE = r"^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."

# An app that checks in does so all day and out of hours, and fetches next to nothing.
CHATTER = """
SELECT v.visit FROM visits v JOIN (
    SELECT client, site FROM visits WHERE category = 'bypass_vpn_tunnel' AND len(notes) = 0
    GROUP BY client, site
    HAVING max(bytes_in + bytes_out) < $bytes AND max(longest_ms) < $minutes * 60000
       AND count(DISTINCT epoch_us(started) // 3600000000) >= $hours
       AND bool_or(band IN ('closed', 'before_school', 'after_school'))
) c ON c.client = v.client AND c.site = v.site
WHERE v.category = 'bypass_vpn_tunnel' ORDER BY v.visit
"""

# A host new to the school and to nearly everybody, used and not only looked at, and what the same person met just before. While
# nobody can tell what is new, a stay in which everything came through one name stands in for it.
FRESH = """
WITH fresh AS (
    SELECT v.*, epoch_us(v.started) AS since, n.host IS NOT NULL AS is_new, a.visit IS NOT NULL AS alone
    FROM visits v JOIN hosts k USING (host) LEFT JOIN new n USING (host) LEFT JOIN alone a USING (visit)
    WHERE v.category = 'uncategorised' AND v.allowed > 0 AND v.actor IN ('student', 'shared', 'unknown') AND k.people <= $few
      AND (a.visit IS NOT NULL AND ($short OR n.host IS NOT NULL)
           OR n.host IS NOT NULL AND (v.requests >= $requests OR v.bytes_in >= $bytes))
)
SELECT f.visit, f.site, f.is_new, f.alone, f.requests, f.bytes_in // 1000000 AS megabytes,
       f.tunnels > 0 AND f.slots >= $slots AND f.bytes_in >= $stay AS stayed,
       coalesce(bool_or(o.opened >= 2) FILTER (o.blocked >= 2 AND epoch_us(o.started) >= f.since - $block_minutes * 60000000
                                               AND o.category NOT IN (SELECT unnest($harmless::VARCHAR[]))), false) AS again,
       coalesce(sum(o.blocked) FILTER (epoch_us(o.started) >= f.since - $block_minutes * 60000000
                                       AND o.category NOT IN (SELECT unnest($harmless::VARCHAR[]))), 0)::BIGINT AS blocks,
       coalesce(bool_or(starts_with(o.category, 'bypass_') AND o.category NOT IN
                        ('bypass_default_privacy_feature', 'bypass_vpn_app_chatter')), false) AS looked
FROM fresh f JOIN visits o ON o.subject = f.subject AND o.visit <> f.visit AND o.site <> f.site
 AND epoch_us(o.started) BETWEEN f.since - $look_minutes * 60000000 AND f.since
GROUP BY f.visit, f.site, f.is_new, f.alone, f.requests, f.tunnels, f.slots, f.bytes_in ORDER BY f.visit
"""

MERGED = """
SELECT v.* REPLACE (coalesce(t.category, v.category) AS category, list_concat(v.notes, coalesce(t.why, [])) AS notes)
FROM visits v LEFT JOIN told t USING (visit) ORDER BY v.started, v.source, v.line
"""


def new_hosts(con: duckdb.DuckDBPyConnection, hosts: pa.Table, earlier: Sequence[str], book: Book) -> pa.Table:
    """host: those of HOSTS that no day before knows. `earlier`: the HOSTS files of the days before; while they are few, nothing
    is new, for everything would be."""
    if len(earlier) < max(1, book.numbers.get("history_days", 5)):
        return pa.table({"host": pa.array([], pa.string())})
    known = run(SEEN, {"files": list(earlier)}, con=con, hosts=hosts)
    return run("SELECT h.host FROM hosts h ANTI JOIN known USING (host) ORDER BY h.host", hosts=hosts, known=known)


def weighed(con: duckdb.DuckDBPyConnection, visits: pa.Table, hosts: pa.Table, new: pa.Table, book: Book,
            short: bool = False) -> pa.Table:
    """The VISITS with those that behave like a way round the filter (or like an app that checks in) in that category, and why.
    `short`: too few days are known to say what is new."""
    if not book.numbers:
        return visits
    numbers = book.numbers
    ports = run(PORTS, {"usual": sorted(int(port) for port in book.words.get("ports", ()) if port.isdigit())}, con=con)
    tunnels = run(TUNNELS, {"minutes": numbers["tunnel_minutes"], "bytes": numbers["tunnel_megabytes"] * 1_000_000,
                            "both": numbers["two_way_megabytes"] * 1_000_000, "busy": numbers["busy_requests"],
                            "silence": numbers["silence_percent"], "few": numbers["rare_people"], "private": PRIVATE},
                  visits=visits, hosts=hosts, ports=ports)
    chatter = run(CHATTER, {"bytes": numbers["chatter_kilobytes"] * 1_000, "minutes": numbers["tunnel_minutes"],
                            "hours": numbers["chatter_hours"]}, visits=visits)
    told = [row for row in (_tunnel(fact, numbers) for fact in tunnels.to_pylist()) if row]
    told += [{"visit": visit, "category": "bypass_vpn_app_chatter", "why": []} for visit in chatter["visit"].to_pylist()]
    told += _fresh(visits, hosts, new, book, short)
    if not told:
        return visits
    once = list({row["visit"]: row for row in reversed(told)}.values())
    return conform(run(MERGED, visits=visits, told=pa.Table.from_pylist(once, TOLD)), VISITS)


def _tunnel(fact: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any] | None:
    """A heavy tunnel, where enough facts agree."""
    why = [text for holds, text in (
        (fact["literal"], "a tunnel to an address without a name"),
        (fact["port"] is not None, f"a tunnel to the unusual port {fact['port']}"),
        (fact["silent"], "the device's other traffic stopped meanwhile"),
        (fact["rare"], "hardly anybody else asks for this host")) if holds]
    if len(why) < max(2, numbers["weak_kinds"]):
        return None
    carried = f"one tunnel of {fact['minutes']} minutes carried {fact['megabytes']} MB"
    return {"visit": fact["visit"], "category": PORT_CATEGORIES.get(fact["port"], "bypass_vpn_tunnel"), "why": [carried, *why]}


TOR, DESKTOP = "bypass_tor", "bypass_mirror_or_remote_desktop"
PORT_CATEGORIES = {9001: TOR, 9030: TOR, 3389: DESKTOP, 5900: DESKTOP, 5901: DESKTOP, 6568: DESKTOP, 21115: DESKTOP,
                   21116: DESKTOP, 21117: DESKTOP}


def _fresh(visits: pa.Table, hosts: pa.Table, new: pa.Table, book: Book, short: bool) -> list[dict[str, Any]]:
    """New hosts opened straight after a look for a way round; or after blocks, where the host stands on a platform for anybody,
    or where no address is seen and much is fetched for minutes through that one name, or all there was. Blocks count where there
    were several, or where what was blocked was asked for again and nothing else set that off."""
    numbers = book.numbers
    narrow = alone(visits, numbers) if len(new) or short else []
    if not len(new) and not narrow:
        return []
    found = run(FRESH, {"few": numbers["rare_people"], "requests": numbers["used_requests"], "bytes": 1_000_000,
                        "slots": numbers["stay_slots"], "stay": numbers["stay_megabytes"] * 1_000_000, "short": short,
                        "block_minutes": numbers["block_minutes"], "look_minutes": numbers["look_minutes"],
                        "harmless": sorted(book.harmless)}, visits=visits, hosts=hosts, new=new,
                alone=pa.table({"visit": pa.array(narrow, pa.string())}))
    return [{"visit": fact["visit"], "category": "bypass_web_proxy", "why": why}
            for fact in found.to_pylist() if (why := _after(fact, numbers))]


def _after(fact: Mapping[str, Any], numbers: Mapping[str, int]) -> list[str]:
    """Why a host so opened is a way round the filter; nothing where too few facts agree."""
    blocked = fact["blocks"] >= numbers["blocks"] or fact["again"]
    facts = [(fact["looked"], "opened within minutes of a look for a way round the filter"),
             (blocked, f"opened within minutes of {fact['blocks']} blocks"),
             (blocked and fact["stayed"], f"{fact['megabytes']} MB through that one name, over some minutes"),
             (fact["alone"], "the device asked for next to nothing else meanwhile"),
             (bool(platform_of(fact["site"])), "the host stands on a platform where anybody can put up a page")]
    why = [text for holds, text in facts if holds]
    if not fact["looked"] and not (blocked and len(why) >= max(2, numbers["weak_kinds"])):
        return []
    rare = "a host that this school had not asked for before" if fact["is_new"] else "hardly anybody else asks for this host"
    return [rare, *why]
