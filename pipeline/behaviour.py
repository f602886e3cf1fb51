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

from pipeline import tunnels
from pipeline.hosts import platform_of
from pipeline.onename import alone
from pipeline.signals.shapes import Book
from pipeline.sql import run, some
from pipeline.tables import VISITS, conform

BY_NOBODY = pa.table({"visit": pa.array([], pa.string())})
TOLD = pa.schema([("visit", pa.string()), ("category", pa.string()), ("why", pa.list_(pa.string()))])

SEEN = """
SELECT DISTINCT b.host FROM read_parquet($files, hive_partitioning = false) b SEMI JOIN hosts USING (host)
"""

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
# nobody can tell what is new, a stay in which everything came through one name, or a name that hints at it, stands in for it. An
# advert that a page brought along is no look for a way round, nor is a VPN app that checks in, on their phone perhaps.
FRESH = """
WITH fresh AS (
    SELECT v.*, epoch_us(v.started) AS since, n.host IS NOT NULL AS is_new, a.visit IS NOT NULL AS alone,
           list_has_any(string_split_regex(v.host, '[.-]'), $hints::VARCHAR[]) AS hinted
    FROM visits v JOIN hosts k USING (host) LEFT JOIN new n USING (host) LEFT JOIN alone a USING (visit)
    WHERE v.category = 'uncategorised' AND v.allowed > 0 AND v.actor IN ('student', 'shared', 'unknown') AND k.people <= $few
      AND ((a.visit IS NOT NULL OR hinted) AND ($short OR n.host IS NOT NULL)
           OR n.host IS NOT NULL AND (v.requests >= $requests OR v.bytes_in >= $bytes))
)
SELECT f.visit, f.site, f.is_new, f.alone, f.hinted, f.requests, f.bytes_in // 1000000 AS megabytes, max(p.port) AS port,
       f.tunnels > 0 AND f.slots >= $slots AND f.bytes_in >= $stay AS stayed,
       coalesce(bool_or(o.opened >= 2) FILTER (o.blocked >= 2 AND epoch_us(o.started) >= f.since - $block_minutes * 60000000
                                               AND o.category NOT IN (SELECT unnest($harmless::VARCHAR[]))), false) AS again,
       coalesce(sum(o.blocked) FILTER (epoch_us(o.started) >= f.since - $block_minutes * 60000000
                                       AND o.category NOT IN (SELECT unnest($harmless::VARCHAR[]))), 0)::BIGINT AS blocks,
       coalesce(bool_or(starts_with(o.category, 'bypass_') AND o.category NOT IN
                        ('bypass_default_privacy_feature', 'bypass_vpn_app_chatter')
                        AND coalesce(o.opened, 1) > 0 AND NOT (o.category = 'bypass_vpn_tunnel' AND len(o.notes) = 0
                            AND o.requests <= 2 AND o.bytes_in + o.bytes_out < $chatter)), false) AS looked
FROM fresh f JOIN (SELECT * FROM visits ANTI JOIN made USING (visit)) o
  ON o.subject = f.subject AND o.visit <> f.visit AND o.site <> f.site
 AND epoch_us(o.started) BETWEEN f.since - $look_minutes * 60000000 AND f.since
LEFT JOIN ports p ON p.client = f.client AND p.host = f.host
GROUP BY f.visit, f.site, f.is_new, f.alone, f.hinted, f.requests, f.tunnels, f.slots, f.bytes_in ORDER BY f.visit
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
            short: bool = False, made: pa.Table = BY_NOBODY) -> pa.Table:
    """The VISITS with those that behave like a way round the filter (or like an app that checks in) in that category, and why.
    `short`: too few days are known to say what is new. `made` (visit): those that programs made, whose blocks nobody met."""
    if not book.numbers:
        return visits
    numbers = book.numbers
    ports = tunnels.ports(con, book)
    told = tunnels.told(visits, hosts, ports, numbers)
    told += _chatter(visits, numbers)
    told += _fresh(visits, hosts, new, ports, book, short, made)
    if not told:
        return visits
    once = list({row["visit"]: row for row in reversed(told)}.values())
    return conform(run(MERGED, visits=visits, told=pa.Table.from_pylist(once, TOLD)), VISITS)


def _chatter(visits: pa.Table, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """The tunnels of apps that check in."""
    if not some(visits, "category", ["bypass_vpn_tunnel"]):
        return []
    found = run(CHATTER, {"bytes": numbers["chatter_kilobytes"] * 1_000, "minutes": numbers["tunnel_minutes"],
                          "hours": numbers["chatter_hours"]}, visits=visits)
    return [{"visit": visit, "category": "bypass_vpn_app_chatter", "why": []} for visit in found["visit"].to_pylist()]


def _fresh(visits: pa.Table, hosts: pa.Table, new: pa.Table, ports: pa.Table, book: Book, short: bool, made: pa.Table
           ) -> list[dict[str, Any]]:
    """New hosts opened straight after a look for a way round; or after blocks, where the host stands on a platform for anybody,
    or where its name says what it is for, or where no address is seen and much is fetched for minutes through that one name, or
    all there was. Blocks count where there were several, or where what was blocked was asked for again and nothing else set that
    off. An unusual port, or the name, says what else than a web proxy it is."""
    numbers = book.numbers
    if not len(new) and not short:
        return []
    narrow = alone(visits, numbers)
    found = run(FRESH, {"chatter": numbers["chatter_kilobytes"] * 1_000,
                        "few": numbers["rare_people"], "requests": numbers["used_requests"], "bytes": 1_000_000,
                        "slots": numbers["stay_slots"], "stay": numbers["stay_megabytes"] * 1_000_000, "short": short,
                        "block_minutes": numbers["block_minutes"], "look_minutes": numbers["look_minutes"],
                        "harmless": sorted(book.harmless), "hints": sorted(book.words.get("hints", ()))},
                visits=visits, hosts=hosts, new=new, ports=ports, made=made,
                alone=pa.table({"visit": pa.array(narrow, pa.string())}))
    return [{"visit": fact["visit"], "category": _kind(fact), "why": why}
            for fact in found.to_pylist() if (why := _after(fact, numbers))]


def _kind(fact: Mapping[str, Any]) -> str:
    """A web proxy, where neither the port nor the name says what else it is: sites so named are mirrors of games, mostly."""
    return tunnels.PORT_CATEGORIES.get(fact["port"], tunnels.MIRROR if fact["hinted"] else "bypass_web_proxy")


def _after(fact: Mapping[str, Any], numbers: Mapping[str, int]) -> list[str]:
    """Why a host so opened is a way round the filter; nothing where too few facts agree."""
    blocked = fact["blocks"] >= numbers["blocks"] or fact["again"]
    facts = [(fact["looked"], "opened within minutes of a look for a way round the filter"),
             (blocked, f"opened within minutes of {fact['blocks']} blocks"),
             (blocked and fact["stayed"], f"{fact['megabytes']} MB through that one name, over some minutes"),
             (fact["hinted"], "its name says what it is for"),
             (fact["alone"], "the device asked for next to nothing else meanwhile"),
             (bool(platform_of(fact["site"])), "the host stands on a platform where anybody can put up a page")]
    why = [text for holds, text in facts if holds]
    if not fact["looked"] and not (blocked and len(why) >= max(2, numbers["weak_kinds"])):
        return []
    why += [f"a tunnel to the unusual port {fact['port']}"] if fact["port"] is not None else []
    rare = "a host that this school had not asked for before" if fact["is_new"] else "hardly anybody else asks for this host"
    return [rare, *why]
