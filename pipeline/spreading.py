"""A host that goes round among pupils: one story, of the host and not of thirty people, for those who run the filter.

Such a host stands on no list, is new to the school or was first met within its last week, and is met in one day by several pupils
of few years, by none of the staff, and not by all in one minute (that is a link for a class). More must agree: some came to it
from a block, or several fetched everything through its one name, or it stands where anybody puts up a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.behaviour import SEEN
from pipeline.hosts import platform_of
from pipeline.onename import alone
from pipeline.signals.shapes import Book
from pipeline.sql import run
from pipeline.tables import DETECTIONS

SPREAD = "new-host-spreads"

# Few hosts are met by several pupils and stand on no list: only they are looked for in the days before.
MET = """
SELECT host FROM visits WHERE category = 'uncategorised' GROUP BY host
HAVING count(DISTINCT subject) FILTER (actor = 'student') >= $pupils
   AND count(*) FILTER (actor IN ('staff', 'technical_staff', 'governor')) = 0 ORDER BY host
"""
LATELY = """
SELECT host, true AS is_new FROM new UNION ALL
SELECT host, false FROM met WHERE host NOT IN (FROM known) AND host NOT IN (FROM new) ORDER BY host
"""

# One host, new to the school or nearly, many pupils of few years, none of the staff, not all in one minute (that is a link for a
# class).
SPREADS = """
WITH met AS (
    SELECT v.* FROM visits v JOIN lately USING (host) WHERE v.category = 'uncategorised'
), groups AS (
    SELECT host, any_value(site) AS site, count(DISTINCT subject) FILTER (actor = 'student') AS pupils,
           bool_or(actor IN ('staff', 'technical_staff', 'governor')) AS led, max(crowd) AS crowd,
           count(DISTINCT year) FILTER (actor = 'student') AS years,
           count(DISTINCT epoch_us(started) // 600000000) AS moments,
           count(DISTINCT subject) FILTER (actor = 'student' AND visit IN (FROM alone)) AS narrowed,
           sum(blocked)::BIGINT AS blocked, sum(allowed)::BIGINT AS allowed
    FROM met GROUP BY host
), upset AS (
    SELECT m.host, count(DISTINCT m.subject) AS turned FROM met m JOIN visits o ON o.subject = m.subject AND o.site <> m.site
       AND o.blocked > 0 AND o.category NOT IN (SELECT unnest($harmless::VARCHAR[]))
       AND epoch_us(o.started) BETWEEN epoch_us(m.started) - $block_minutes * 60000000 AND epoch_us(m.started)
    GROUP BY m.host
)
SELECT g.*, l.is_new, coalesce(u.turned, 0) AS turned FROM groups g JOIN lately l USING (host) LEFT JOIN upset u USING (host)
WHERE g.pupils >= $pupils AND NOT g.led AND g.crowd < $crowd AND g.years <= $years AND g.moments >= 3
ORDER BY g.host
"""
OF_HOST = "SELECT * FROM visits WHERE host = $host AND category = 'uncategorised' ORDER BY started, source, line"


def lately(con: duckdb.DuckDBPyConnection, visits: pa.Table, new: pa.Table, earlier: Sequence[str], book: Book) -> pa.Table:
    """host, is_new: the hosts that no day before knows, and those that several pupils met and only the last school week knows.
    `earlier`: the HOSTS files of the days before."""
    week = max(1, book.numbers.get("history_days", 5))
    met = known = pa.table({"host": pa.array([], pa.string())})
    if book.numbers and len(earlier) >= 2 * week:
        met = run(MET, {"pupils": book.numbers["spread_pupils"]}, visits=visits)
        known = run(SEEN, {"files": list(earlier[:-week])}, con=con, hosts=met) if len(met) else known
    return run(LATELY, new=new, met=met, known=known)


def spreads(visits: pa.Table, lately: pa.Table, book: Book, day: date) -> pa.Table:
    """DETECTIONS: one for each host of `lately` that spreads among pupils, whoever they are; for those who run the filter."""
    numbers = book.numbers
    if not len(lately) or not numbers:
        return DETECTIONS.schema.empty_table()
    found = run(SPREADS, {"pupils": numbers["spread_pupils"], "crowd": numbers["spread_crowd"], "years": numbers["spread_years"],
                          "block_minutes": numbers["block_minutes"], "harmless": sorted(book.harmless)}, visits=visits,
                lately=lately, alone=pa.table({"visit": pa.array(alone(visits, numbers), pa.string())}))
    rows = [_spread(fact, run(OF_HOST, {"host": fact["host"]}, visits=visits).to_pylist(), day, numbers)
            for fact in found.to_pylist() if fact["turned"] >= numbers["spread_turned"]
            or fact["narrowed"] >= numbers["spread_alone"] or platform_of(fact["site"])]
    return pa.Table.from_pylist(rows, DETECTIONS.schema)


def _spread(fact: Mapping[str, Any], visits: Sequence[Mapping[str, Any]], day: date, numbers: Mapping[str, int]
            ) -> dict[str, Any]:
    """The one story of a host that spreads: of a host, not of a person."""
    first = visits[0]
    years = "one year group" if fact["years"] == 1 else f"{fact['years']} year groups"
    first_met = "that this school had not asked for before" if fact["is_new"] else "first met within the last school week"
    reasons = [f"a host {first_met}, met by {fact['pupils']} pupils of {years} in one day"]
    reasons += [f"{fact['turned']} of them came within minutes of a block"] if fact["turned"] >= numbers["spread_turned"] else []
    reasons += [f"{fact['narrowed']} of them fetched everything through that one name"] \
        if fact["narrowed"] >= numbers["spread_alone"] else []
    reasons += ["it stands on a platform where anybody can put up a page"] if platform_of(fact["site"]) else []
    outcome = "mixed" if fact["blocked"] and fact["allowed"] else "blocked" if fact["blocked"] else "allowed"
    return {"rule": SPREAD, "day": day, "subject": fact["host"], "person": None, "client": "", "actor": "unknown", "year": "",
            "network": "", "site": fact["site"], "host": fact["host"], "source": first["source"], "line": first["line"],
            "category": "bypass_web_proxy", "tier": "T4", "route": "tech", "outcome": outcome, "intent": "unclear", "rows": [],
            "clause": "6.1 UA-10", "questions": [], "started": first["started"], "ended": max(v["ended"] for v in visits),
            "band": first["band"], "period": first["period"], "visits": len(visits),
            "requests": sum(v["requests"] for v in visits), "reasons": reasons, "hidden": "",
            "visit_keys": [v["visit"] for v in visits]}
