"""Requests of one school day become visits: one person's stay, on one device, on one site and category.

The lines of a day may be ten million, so they are passed once (`dayminutes`); everything after that works on the small table it
leaves: one row per person, device, host and minute (per second for background, whose host no longer matters), and per category
where the filter names its own. Band edges stand on whole minutes, and no pause of ten minutes fits inside one: nothing is lost.

A visit ends when ten minutes pass without a request, and at every band edge. Background (adverts, updates) is no visit:
it is folded into the latest-begun visit of the same person and device that it falls in, up to ten seconds after its
end, counted in whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import duckdb
import pyarrow as pa

from pipeline import bursts, daylines, dayminutes, sql
from pipeline.bursts import Watch
from pipeline.daylines import Parts
from pipeline.dayminutes import PART
from pipeline.heard import Heard
from pipeline.tables import VISITS, conform

# Where requests went: by their kinds, and of twins by what was found of them.
PARTS = f"""
SELECT part, sum(n)::BIGINT AS n
FROM (SELECT {PART.format(sealed="sealed", timeless="NOT timed")} AS part, n FROM kinds WHERE fate = 'request')
WHERE part <> 'twin' GROUP BY part
UNION ALL SELECT part, count(*) FROM fold_twins GROUP BY part
"""

VISITS_OF_DAY = """
CREATE OR REPLACE TEMP TABLE fold_visits AS
WITH people AS (
    SELECT person, any_value(role) AS role, any_value(year) AS year FROM fold_people GROUP BY person
), own AS (
    SELECT m.*, second // 60 AS minute, CASE WHEN m.person <> '' THEN m.person ELSE m.client END AS subject,
           coalesce(p.role, '') AS role, CASE WHEN p.role = 'student' THEN coalesce(p.year, '') ELSE '' END AS year,
           CASE WHEN p.year IN (SELECT year FROM fold_bands) THEN p.year ELSE '' END AS bells
    FROM fold_minutes m LEFT JOIN people p ON p.person = m.person
), banded AS (
    SELECT o.bells, o.minute, arg_max(b.band, b.starts) AS band, arg_max(b.period, b.starts) AS period,
           max(epoch_us(b.starts)) AS edge
    FROM (SELECT DISTINCT bells, minute FROM own) o
    LEFT JOIN fold_bands b ON b.year = o.bells AND o.minute * 60000000 >= epoch_us(b.starts)
                                              AND o.minute * 60000000 < epoch_us(b.ends)
    GROUP BY o.bells, o.minute
), ordered AS (
    SELECT own.*, coalesce(band, 'closed') AS band, coalesce(period, 'Out of school hours') AS period,
           coalesce(edge, 0) AS edge,
           max(ended) OVER (PARTITION BY client, person, site, category, coalesce(edge, 0) ORDER BY first
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS quiet_since
    FROM own JOIN banded USING (bells, minute)
), stays AS (
    SELECT *, count(*) FILTER (quiet_since IS NULL OR started - quiet_since > 600000000)
                  OVER (PARTITION BY client, person, site, category, edge ORDER BY first
                        ROWS UNBOUNDED PRECEDING) AS stay
    FROM ordered
), asked AS (
    SELECT client, person, site, category, edge, stay, host, sum(n) AS n FROM stays GROUP BY ALL
), favourite AS (
    SELECT client, person, site, category, edge, stay, arg_min(host, {'fewer': -n, 'host': host}) AS host
    FROM asked GROUP BY ALL
), visits AS (
    SELECT client, person, site, category, edge, stay,
           any_value(subject) AS subject, any_value(role) AS role, any_value(year) AS year,
           any_value(band) AS band, any_value(period) AS period,
           min(first) AS first, min(started) AS started, max(ended) AS ended,
           arg_min(account, first) AS account, arg_min(network, first) AS network,
           sum(n) AS requests, sum(blocked) AS blocked, sum(n) - sum(blocked) AS allowed, sum(warned) AS warned,
           sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out, max(longest_ms) AS longest_ms,
           sum(tunnels) AS tunnels, count(DISTINCT minute // 5) AS slots,
           coalesce(sum(n) FILTER (search), 0) AS searched,
           list_sort(coalesce(list(DISTINCT note) FILTER (note IS NOT NULL), [])) AS notes
    FROM stays GROUP BY client, person, site, category, edge, stay
)
SELECT v.*, f.host FROM visits v JOIN favourite f USING (client, person, site, category, edge, stay)
"""

# A crowd comes: those who begin a visit within a minute of each other. Who is there already, or comes all day, is none.
COMPANY = """
CREATE OR REPLACE TEMP TABLE fold_company AS
WITH arrivals AS (
    SELECT site, category, minute, count(DISTINCT subject) AS crowd
    FROM (SELECT site, category, subject, started // 60000000 + unnest([-1, 0, 1]) AS minute FROM fold_visits)
    GROUP BY ALL
), ordered AS (
    SELECT first, client, person, site, category, started,
           lag(site) OVER stays AS site_before, lag(started) OVER stays AS started_before
    FROM fold_visits WINDOW stays AS (PARTITION BY client, person ORDER BY first)
)
SELECT o.first, a.crowd,
       (started - last_value(CASE WHEN site_before <> o.site THEN started_before END IGNORE NULLS)
                      OVER (PARTITION BY client, person ORDER BY o.first ROWS UNBOUNDED PRECEDING)) // 1000 AS since_ms
FROM ordered o JOIN arrivals a ON a.site = o.site AND a.category = o.category AND a.minute = o.started // 60000000
"""

# The minutes that a visit touches make the join with background an equal one; whole seconds then decide.
BACKGROUND = """
CREATE OR REPLACE TEMP TABLE fold_folded AS
WITH background AS (
    SELECT client, person, second, sum(n) AS n FROM fold_seconds GROUP BY client, person, second
), touched AS (
    SELECT client, person, first, started // 1000000 AS since, ended // 1000000 + 10 AS until,
           unnest(range(started // 60000000, (ended + 10000000) // 60000000 + 1)) AS minute
    FROM fold_visits SEMI JOIN background USING (client, person)
), chosen AS (
    SELECT b.client, b.person, b.second, any_value(b.n) AS n, max(t.first) AS first
    FROM background b JOIN touched t ON t.client = b.client AND t.person = b.person AND t.minute = b.second // 60
                                    AND b.second BETWEEN t.since AND t.until
    GROUP BY b.client, b.person, b.second
)
SELECT first, sum(n) AS background FROM chosen GROUP BY first
"""

ANSWER = """
SELECT s.source || ':' || (v.first % 281474976710656)::VARCHAR AS visit,
       s.source, (v.first % 281474976710656)::BIGINT AS line,
       v.subject, nullif(v.person, '') AS person, v.client,
       CASE WHEN v.role <> '' THEN v.role WHEN v.account <> '' THEN v.account
            WHEN coalesce(n.actor, '') <> '' THEN n.actor ELSE 'unknown' END AS actor,
       CASE WHEN v.role <> '' THEN 'people' WHEN v.account <> '' THEN 'account'
            WHEN coalesce(n.actor, '') <> '' THEN 'network' ELSE 'nothing' END AS actor_from,
       v.year, v.network, v.site, v.host, v.category, v.started, v.ended, v.band, v.period,
       v.requests::BIGINT AS requests, coalesce(f.background, 0)::BIGINT AS background,
       coalesce(v.blocked, 0)::BIGINT AS blocked, coalesce(v.allowed, 0)::BIGINT AS allowed,
       coalesce(v.warned, 0)::BIGINT AS warned, v.bytes_in::BIGINT AS bytes_in, v.bytes_out::BIGINT AS bytes_out,
       v.longest_ms::BIGINT AS longest_ms, coalesce(v.tunnels, 0)::BIGINT AS tunnels, v.slots, c.crowd,
       CASE WHEN least(c.since_ms, b.after_ms) <= 600000 THEN greatest(least(c.since_ms, b.after_ms), 0) END AS after_ms,
       b.tries, b.opened, coalesce(b.set_off_by, []) AS set_off_by, b.step_s, b.even_tries, b.day_tries, b.hours,
       coalesce(b.from_page, '') AS from_page, b.piece, coalesce(b.slip, '') AS slip, coalesce(b.brought, '') AS brought,
       v.searched::BIGINT AS searched, v.notes
FROM fold_visits v
JOIN fold_sources s ON s.rank = ((v.first // 281474976710656) % 65536)::BIGINT
JOIN fold_company c ON c.first = v.first
LEFT JOIN fold_folded f ON f.first = v.first
LEFT JOIN fold_facts b ON b.first = v.first
LEFT JOIN (SELECT network, any_value(actor) AS actor FROM fold_networks GROUP BY network) n ON n.network = v.network
ORDER BY v.started, s.source, line
"""

COUNTED = "SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT n FROM fold_minutes UNION ALL SELECT n FROM fold_seconds)"
TABLES_LEFT = (*bursts.TABLES_LEFT, "fold_folded", "fold_company", "fold_visits", *dayminutes.TABLES_LEFT)
NO_ANSWERS = pa.Table.from_batches([], pa.schema([(name, pa.string()) for name in ("host", "source", "said", "category")]))
EVERYTHING = Watch()
ADDRESSED = pa.schema([("source", pa.string()), ("line", pa.int64()), ("category", pa.string()), ("note", pa.string()),
                       ("search", pa.bool_())])


def as_addressed(table: pa.Table) -> pa.Table:
    """A table of source, line, category and note as ADDRESSED: no search, where it does not say that it is one."""
    told = table if "search" in table.column_names else table.append_column("search", pa.array([False] * len(table), pa.bool_()))
    return told.select(ADDRESSED.names).cast(ADDRESSED)


def fold(con: duckdb.DuckDBPyConnection, hosts: pa.Table, people: pa.Table, bands: pa.Table, networks: pa.Table,
         background: Sequence[str], ranks: Mapping[str, int] = MappingProxyType({}),
         answers: pa.Table = NO_ANSWERS, addressed: pa.Table | None = None, watch: Watch = EVERYTHING,
         parts: Parts | None = None) -> tuple[pa.Table, dict[str, int], Heard]:
    """The visits of the day whose lines `con` calls `lines`, where its requests went (they add up), and what was heard.

    `ranks`: the rank of each log by source (1 where it is not named); what two logs saw counts in the one of the lower rank.
    `answers` (host, source, said, category): the category of requests for which it is not the host's, by the log and its category
    field.
    `addressed` (ADDRESSED): the requests whose address shows more than their host, one row each, with category and note.
    `watch`: the visits that are looked at more closely (columns tries to brought; null or empty for the others).
    `parts`: the same lines, part by part; None: all at once.
    """
    shown = ADDRESSED.empty_table() if addressed is None else pa.concat_tables([ADDRESSED.empty_table(), addressed],
                                                                                promote_options="default")
    given = {"fold_answers": answers, "fold_addressed": shown,
             "fold_hosts": hosts, "fold_people": people, "fold_bands": bands, "fold_networks": networks,
             "fold_ranks": pa.table({"source": pa.array(list(ranks), pa.string()),
                                     "log_rank": pa.array(list(ranks.values()), pa.int64())}),
             "fold_background": pa.table({"category": pa.array(list(background), pa.string())})}
    for name, table in given.items():
        con.register(name, table)
    try:
        twice, heard = dayminutes.make(con, parts or daylines.of_view(con))
        for step in (VISITS_OF_DAY, COMPANY, BACKGROUND):
            con.execute(step)
        bursts.look(con, watch)
        visits = conform(con.sql(ANSWER).to_arrow_table(), VISITS)
        return visits, _account(con, visits, twice, heard), heard
    finally:
        for name in dayminutes.VIEWS_LEFT:
            con.execute(f"DROP VIEW IF EXISTS {name}")
        for name in TABLES_LEFT:
            con.execute(f"DROP TABLE IF EXISTS {name}")
        for name in given:
            con.unregister(name)


def _account(con: duckdb.DuckDBPyConnection, visits: pa.Table, twice: int, heard: Heard) -> dict[str, int]:
    """How many requests went where: in visits (own and folded), unfolded background, auth, error, set-up, sealed, or seen twice
    (they count in another log)."""
    parts = {"own": 0, "auth": 0, "error": 0, "setup": 0, "sealed": 0}
    for row in sql.run(PARTS, con=con, kinds=heard.kinds).to_pylist():
        parts[row["part"]] += row["n"]
    within = sum(visits["requests"].to_pylist()) + sum(visits["background"].to_pylist())
    counted = con.sql(COUNTED).fetchall()[0][0]
    return {"requests": sum(parts.values()), "visits": within, "background": counted - within,
            "auth": parts["auth"], "error": parts["error"], "setup": parts["setup"], "sealed": parts["sealed"], "twice": twice}
