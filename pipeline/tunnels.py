"""Tunnels to where nobody else goes while the device is otherwise silent, or to a seller's of VPNs: told by how they behave.

Works on the day's VISITS and HOSTS, and on the ports that stand in its lines. Times in microseconds; numbers and their reasons
stand in `rules/addresses.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.signals.shapes import Book
from pipeline.sql import run

# Which port a tunnel led to (the one asked for most) stands in the lines alone; only unusual ones are asked for. Each usual one
# is a condition of its own, so that Parquet leaves the other columns of nearly all lines alone.
PORTS = """
SELECT client, host, max_by(port, (n, port)) AS port FROM (
    SELECT client, coalesce(host, '') AS host, port, count(*) AS n FROM lines
    WHERE fate = 'request' AND kind = 'tunnel' AND action IN ('allowed', 'warned')
      AND {unusual} GROUP BY ALL
) GROUP BY client, host
"""

# Heavy tunnels to hosts that no list knows, or to a seller's of VPNs, with the facts that must agree: one long one, or several
# after one another, each for minutes. The device's other traffic is compared with that of as long a time before; or none is left
# of it, and it comes back after. Of a visit that goes on into the tunnel's time, its share counts there; shares are rounded, so
# that their sum hangs on no order. An address of a private network is no stranger. What comes far faster than a film, or with
# next to nothing the other way (0: the log does not say), is a download. What goes both ways alike is a camera at each end; and
# what begins as a page, with scripts of other hosts in its first seconds, is no tunnel for everything: so a log without the bytes
# sent shows a call.
TUNNELS = """
WITH heavy AS (
    SELECT *, epoch_us(started) AS since, epoch_us(ended) AS until FROM visits
    WHERE category IN ('uncategorised', 'bypass_vpn_site_visit') AND tunnels > 0 AND allowed > 0
      AND (longest_ms >= $minutes * 60000 OR longest_ms >= $minutes * 30000 AND tunnels = requests
           AND epoch_us(ended) - epoch_us(started) >= tunnels * $minutes::BIGINT * 30000000)
      AND (bytes_in >= $bytes OR (bytes_in >= $both AND bytes_out >= $both))
), beside AS (
    SELECT h.visit, h.since, h.until, o.requests + o.background AS n, epoch_us(o.started) AS begun,
           greatest(epoch_us(o.ended), epoch_us(o.started) + 1) AS over
    FROM heavy h JOIN visits o ON o.client = h.client AND o.visit <> h.visit
     AND epoch_us(o.started) <= 2 * h.until - h.since AND epoch_us(o.ended) >= 2 * h.since - h.until
), spread AS (
    SELECT visit, n / (over - begun) AS each, least(over, since) - greatest(begun, 2 * since - until) AS before,
           least(over, until) - greatest(begun, since + 30000000) AS during,
           least(over, 2 * until - since) - greatest(begun, until) AS later,
           begun BETWEEN since + 1 AND since + 3000000 AS follows
    FROM beside
), others AS (
    SELECT visit, round(sum(each * greatest(0, before)), 3) AS before, round(sum(each * greatest(0, during)), 3) AS during,
           round(sum(each * greatest(0, later)), 3) AS later, bool_or(follows) AS follows
    FROM spread GROUP BY visit
)
SELECT h.visit, h.host, h.longest_ms // 60000 AS minutes, (h.bytes_in + h.bytes_out) // 1000000 AS megabytes, p.port,
       h.tunnels, (h.until - h.since) // 60000000 AS lasted, h.category = 'bypass_vpn_site_visit' AS seller,
       h.bytes_out BETWEEN 1 AND h.bytes_in // $answers OR h.bytes_in > $film * greatest(1, (h.until - h.since) // 60000000)
           AS fetched,
       h.bytes_out * 100 >= h.bytes_in * $camera::BIGINT AS camera, h.background > 0 OR coalesce(o.follows, false) AS page,
       coalesce(o.before, 0) >= $busy AND o.during * 100 <= o.before * $silence
           OR coalesce(o.later, 0) >= $busy AND o.during < 1 AS silent,
       regexp_full_match(h.host, '[0-9]+(\\.[0-9]+){3}') AND NOT regexp_matches(h.host, $private) AS literal,
       k.people <= $few AS rare
FROM heavy h LEFT JOIN others o USING (visit) LEFT JOIN ports p ON p.client = h.client AND p.host = h.host
LEFT JOIN hosts k ON k.host = h.host
ORDER BY h.visit
"""

PRIVATE = r"^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."

TOR, MIRROR = "bypass_tor", "bypass_mirror_or_remote_desktop"
PORT_CATEGORIES = dict.fromkeys((9001, 9030), TOR) | dict.fromkeys((3389, 5900, 5901, 6568, 21115, 21116, 21117), MIRROR)


def ports(con: duckdb.DuckDBPyConnection, book: Book) -> pa.Table:
    """client, host, port: where tunnels of the day's `lines` led to an unusual port."""
    usual = sorted(int(port) for port in book.words.get("ports", ()) if port.isdigit())
    return run(PORTS.format(unusual=" AND ".join(f"port <> {port}" for port in usual) or "port IS NOT NULL"), con=con)


def told(visits: pa.Table, hosts: pa.Table, ports: pa.Table, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """visit, category, why: the visits that are a way round the filter by enough facts, whatever their hosts."""
    values = {"minutes": numbers["tunnel_minutes"], "bytes": numbers["tunnel_megabytes"] * 1_000_000,
              "both": numbers["two_way_megabytes"] * 1_000_000, "busy": numbers["busy_requests"],
              "silence": numbers["silence_percent"], "few": numbers["rare_people"], "private": PRIVATE,
              "film": numbers["film_megabytes"] * 1_000_000, "answers": numbers["answered_bytes"],
              "camera": numbers["camera_percent"]}
    facts = run(TUNNELS, values, visits=visits, hosts=hosts, ports=ports).to_pylist()
    return [row for row in (_tunnel(fact, numbers) for fact in facts) if row]


def _tunnel(fact: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any] | None:
    """A heavy tunnel that is no download and no call by video, where enough facts agree."""
    known = fact["seller"] or fact["port"] is not None
    if fact["fetched"] or (fact["camera"] and not known) or (fact["page"] and not known and not fact["literal"]):
        return None
    why = [text for holds, text in (
        (fact["seller"], "a host of somebody who sells VPNs"),
        (fact["literal"], "a tunnel to an address without a name"),
        (fact["port"] is not None, f"a tunnel to the unusual port {fact['port']}"),
        (fact["silent"], "the device's other traffic stopped meanwhile"),
        (fact["rare"], "hardly anybody else asks for this host")) if holds]
    if len(why) < max(2, numbers["weak_kinds"]):
        return None
    one = fact["minutes"] >= numbers["tunnel_minutes"]
    which = f"one tunnel of {fact['minutes']}" if one else f"{fact['tunnels']} tunnels one after the other, for {fact['lasted']}"
    carried = f"{which} minutes carried {fact['megabytes']} MB"
    return {"visit": fact["visit"], "category": PORT_CATEGORIES.get(fact["port"], "bypass_vpn_tunnel"), "why": [carried, *why]}
