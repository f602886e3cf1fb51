"""Requests of one school day become visits: one person's stay, on one device, on one site and category.

The lines of a day may be ten million, so they are read by two plain scans and one GROUP BY; everything after that works
on the small table it leaves: one row per person, device, host and minute (per second for background, whose host no
longer matters), and per category where the filter names its own. Band edges stand on whole minutes, and no pause of ten
minutes fits inside one, so nothing is lost.

A visit ends when ten minutes pass without a request, and at every band edge. Background (adverts, updates) is no visit:
it is folded into the latest-begun visit of the same person and device that it falls in, up to ten seconds after its
end, counted in whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import duckdb
import pyarrow as pa

from pipeline import bursts
from pipeline.bursts import Watch
from pipeline.tables import VISITS, conform

# Each request goes to one part, so the parts add up. Times are microseconds; a duration is held between 0 and one day.
REQUESTS = """
CREATE OR REPLACE TEMP VIEW fold_requests AS
SELECT source, line, client, coalesce(person, '') AS person, coalesce(account, '') AS account,
       coalesce(network, '') AS network, coalesce(host, '') AS host, coalesce(vendor_category, '') AS said, action,
       coalesce(kind, '') AS kind,
       coalesce(bytes_in, 0) AS bytes_in, coalesce(bytes_out, 0) AS bytes_out,
       least(greatest(coalesce(duration_ms, 0), 0), 86400000) AS took_ms,
       epoch_us(time) AS ended,
       greatest(epoch_us(time) - 1000 * least(greatest(coalesce(duration_ms, 0), 0), 86400000), 0) AS started,
       time, setup, sealed,
       CASE WHEN coalesce(sealed, '') <> '' THEN 'sealed'
            WHEN action = 'auth' THEN 'auth'
            WHEN time IS NULL OR coalesce(action, '') NOT IN ('allowed', 'blocked', 'warned') THEN 'error'
            WHEN setup = 'twin' THEN 'twin'
            WHEN coalesce(setup, '') <> '' THEN 'setup'
            ELSE 'own' END AS part
FROM lines WHERE fate = 'request'
"""

# The second line of one decrypted block. Its first line is a blocked tunnel within two seconds: then it is set-up.
# Otherwise it is the only trace of the block, and takes its person from the nearest line of that client and host.
TWINS = """
CREATE OR REPLACE TEMP TABLE fold_twins AS
WITH twins AS (
    SELECT source, line, client, person, host, ended, unnest([-1, 0, 1]) + ended // 2000000 AS bucket
    FROM fold_requests WHERE part = 'twin'
), firsts AS (
    SELECT client, host, person, ended, ended // 2000000 AS bucket, kind = 'tunnel' AND action = 'blocked' AS block
    FROM fold_requests SEMI JOIN twins USING (client, host) WHERE part IN ('own', 'setup')
), met AS (
    SELECT t.source, t.line, coalesce(bool_or(f.block), false) AS paired,
           min({'apart': abs(t.ended - f.ended), 'person': f.person}) FILTER (f.person <> '') AS nearest
    FROM twins t LEFT JOIN firsts f ON f.client = t.client AND f.host = t.host AND f.bucket = t.bucket
                                   AND abs(t.ended - f.ended) <= 2000000
    GROUP BY t.source, t.line
)
SELECT r.* REPLACE (CASE WHEN r.person <> '' THEN r.person ELSE coalesce(met.nearest.person, '') END AS person,
                    'blocked' AS action,
                    CASE WHEN met.paired THEN 'setup' ELSE 'own' END AS part)
FROM fold_requests r JOIN met USING (source, line) WHERE r.part = 'twin'
"""

NO_TWINS = "CREATE OR REPLACE TEMP TABLE fold_twins AS SELECT * FROM fold_requests LIMIT 0"

# Plain words for "part = 'own'": the scan itself can leave rows out by them, which it cannot by a CASE.
OWN = """
CREATE OR REPLACE TEMP VIEW fold_own AS
SELECT * EXCLUDE (time, setup, sealed, part) FROM fold_requests
WHERE time IS NOT NULL AND action IN ('allowed', 'blocked', 'warned') AND (setup IS NULL OR setup = '')
  AND (sealed IS NULL OR sealed = '')
UNION ALL SELECT * EXCLUDE (time, setup, sealed, part) FROM fold_twins WHERE part = 'own'
"""
PARTS = """
WITH others AS (
    SELECT part, count(*) AS n FROM fold_requests
    WHERE (time IS NOT NULL AND action IN ('allowed', 'blocked', 'warned') AND (setup IS NULL OR setup = '')
           AND (sealed IS NULL OR sealed = '')) IS NOT TRUE
    GROUP BY part
), twins AS (
    SELECT part, count(*) AS n FROM fold_twins GROUP BY part
)
SELECT part, n FROM others WHERE part <> 'twin' UNION ALL FROM twins
UNION ALL SELECT 'own', (SELECT count(*) FROM lines WHERE fate = 'request') - (SELECT coalesce(sum(n), 0)::BIGINT FROM others)
"""

SOURCES = """
CREATE OR REPLACE TEMP TABLE fold_sources AS
SELECT source, row_number() OVER (ORDER BY source) AS rank, coalesce(log_rank, 1) AS log_rank
FROM (SELECT DISTINCT source FROM lines WHERE fate = 'request') LEFT JOIN fold_ranks USING (source)
"""

# What a request is about: its host by the lists; where the filter named a category of its own that holds, that; and where its
# address shows more than its host, that.
PLACED = """
CREATE OR REPLACE TEMP VIEW fold_placed AS
SELECT r.*, s.rank, s.log_rank, coalesce(k.background, false) AS background, NULL::INTEGER AS told
FROM fold_own r JOIN fold_sources s USING (source) LEFT JOIN fold_known k USING (host)
"""
PLACED_BY_REQUEST = """
CREATE OR REPLACE TEMP VIEW fold_placed AS
SELECT r.*, s.rank, s.log_rank, coalesce(w.background, a.background, k.background, false) AS background,
       coalesce(w.told, a.told) AS told
FROM fold_own r JOIN fold_sources s USING (source) LEFT JOIN fold_known k USING (host)
LEFT JOIN fold_said a ON a.host = r.host AND a.rank = s.rank AND a.said = r.said
LEFT JOIN fold_shown w ON w.place = s.rank * 281474976710656 + r.line
"""

# What is told of a request is one small number on the way through the millions.
TOLD = """
CREATE OR REPLACE TEMP TABLE fold_told AS
SELECT row_number() OVER ()::INTEGER AS told, *, category IN (SELECT category FROM fold_background) AS background
FROM (SELECT category, note, search FROM fold_addressed UNION SELECT category, NULL, false FROM fold_answers);
CREATE OR REPLACE TEMP TABLE fold_said AS
SELECT a.host, s.rank, a.said, t.told, t.background
FROM fold_answers a JOIN fold_sources s USING (source)
JOIN fold_told t ON t.category = a.category AND t.note IS NULL AND NOT t.search;
CREATE OR REPLACE TEMP TABLE fold_shown AS
SELECT s.rank * 281474976710656 + a.line AS place, t.told, t.background
FROM fold_addressed a JOIN fold_sources s USING (source)
JOIN fold_told t ON t.category IS NOT DISTINCT FROM a.category AND t.note IS NOT DISTINCT FROM a.note
                AND t.search IS NOT DISTINCT FROM a.search
"""

KNOWN = """
CREATE OR REPLACE TEMP TABLE fold_known AS
SELECT host, any_value(site) AS site, any_value(category) AS category,
       any_value(category) IN (SELECT category FROM fold_background) AS background
FROM fold_hosts GROUP BY host
"""

# first = start, source and line of the first request in one number, so that the least one is found without sorting.
MINUTES = """
CREATE OR REPLACE TEMP TABLE fold_minutes AS
WITH grouped AS (  -- background alone has no host
    SELECT client, person, log_rank, CASE WHEN background THEN NULL ELSE host END AS host,
           CASE WHEN background THEN NULL ELSE told END AS told,
           CASE WHEN background THEN started // 1000000 ELSE started // 60000000 * 60 END AS second,
           count(*) AS n, max(ended) AS ended,
           min(started::HUGEINT * 18446744073709551616 + rank * 281474976710656 + line) AS first,
           count(*) FILTER (action = 'blocked') AS blocked, count(*) FILTER (action = 'warned') AS warned,
           count(*) FILTER (kind = 'tunnel') AS tunnels, max(account) AS account, max(network) AS network,
           sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out, max(took_ms) AS longest_ms,
           bit_or(1::BIGINT << (started // 1000000 % 60)::INTEGER) AS seconds
    FROM fold_placed GROUP BY ALL
)
SELECT g.* EXCLUDE (host, told), coalesce(g.host, '') AS host, g.host IS NULL AS background, t.note,
       coalesce(t.search, false) AS search, (first // 18446744073709551616)::BIGINT AS started,
       coalesce(k.site, g.host, '') AS site, coalesce(t.category, k.category, 'uncategorised') AS category
FROM grouped g LEFT JOIN fold_known k ON k.host = g.host LEFT JOIN fold_told t ON t.told = g.told
"""

# A resolver, a firewall and a proxy may all see one visit: what a log of a lower rank has of the same client and site, within
# two minutes of it or while it lasts, counts there alone. Addresses, not people: a resolver knows no login.
# Where the better log names nobody, the one person whom a worse one names there is not lost with its requests.
NAMED = """
UPDATE fold_minutes AS m SET person = n.person, account = n.account
FROM (
    SELECT client, site, log_rank, near AS minute, any_value(person) AS person, any_value(account) AS account
    FROM (SELECT client, site, log_rank, person, account, unnest(range(second // 60 - 2, ended // 60000000 + 3)) AS near
          FROM fold_minutes WHERE NOT background AND person <> '')
    GROUP BY client, site, log_rank, near HAVING count(DISTINCT person) = 1
) n
WHERE m.person = '' AND NOT m.background AND n.client = m.client AND n.site = m.site AND n.minute = m.second // 60
  AND n.log_rank > m.log_rank
"""
TWICE = """
CREATE OR REPLACE TEMP TABLE fold_twice AS
WITH seen AS (
    SELECT client, site, log_rank, second // 60 AS minute, max(ended) // 60000000 AS until
    FROM fold_minutes WHERE NOT background GROUP BY client, site, log_rank, minute
), better AS (
    SELECT client, site, min(log_rank) AS log_rank, near AS minute
    FROM (SELECT client, site, log_rank, unnest(range(minute - 2, until + 3)) AS near FROM seen)
    GROUP BY client, site, near
)
SELECT m.* FROM fold_minutes m JOIN better b ON b.client = m.client AND b.site = m.site AND b.minute = m.second // 60
                                            AND b.log_rank < m.log_rank
WHERE NOT m.background
"""
ONCE = """
DELETE FROM fold_minutes WHERE NOT background AND (client, person, host, second, log_rank) IN (
    SELECT (client, person, host, second, log_rank) FROM fold_twice)
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
    WHERE NOT background
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
    SELECT client, person, second, sum(n) AS n FROM fold_minutes WHERE background GROUP BY client, person, second
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

TABLES_LEFT = (*bursts.TABLES_LEFT, "fold_folded", "fold_company", "fold_twice", "fold_visits", "fold_minutes",
               "fold_shown", "fold_said", "fold_told", "fold_sources", "fold_twins", "fold_known")
VIEWS_LEFT = ("fold_placed", "fold_own", "fold_requests")
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
         answers: pa.Table = NO_ANSWERS, addressed: pa.Table | None = None, watch: Watch = EVERYTHING
         ) -> tuple[pa.Table, dict[str, int]]:
    """The visits of the day whose lines `con` calls `lines`, and where its requests went (they add up).

    `ranks`: the rank of each log by source (1 where it is not named); what two logs saw counts in the one of the lower rank.
    `answers` (host, source, said, category): the category of requests for which it is not the host's, by the log and its category
    field.
    `addressed` (ADDRESSED): the requests whose address shows more than their host, one row each, with category and note.
    `watch`: the visits that are looked at more closely (columns tries to brought; null or empty for the others).
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
        con.execute(REQUESTS)
        has_twins = con.sql("SELECT count(*) FROM lines WHERE setup = 'twin'").fetchall()[0][0] > 0
        placed = PLACED_BY_REQUEST if len(answers) or len(shown) else PLACED
        for step in (TWINS if has_twins else NO_TWINS, SOURCES, KNOWN, TOLD, OWN, placed, MINUTES):
            con.execute(step)
        twice = _once(con)
        for step in (VISITS_OF_DAY, COMPANY, BACKGROUND):
            con.execute(step)
        bursts.look(con, watch)
        visits = conform(con.sql(ANSWER).to_arrow_table(), VISITS)
        return visits, _account(con, visits, twice)
    finally:
        for name in VIEWS_LEFT:
            con.execute(f"DROP VIEW IF EXISTS {name}")
        for name in TABLES_LEFT:
            con.execute(f"DROP TABLE IF EXISTS {name}")
        for name in given:
            con.unregister(name)


def _once(con: duckdb.DuckDBPyConnection) -> int:
    """Take out what a better log saw too, where the logs of the day have several ranks; how many requests that is."""
    if con.sql("SELECT count(DISTINCT log_rank) FROM fold_sources").fetchall()[0][0] < 2:
        return 0
    con.execute(NAMED)
    con.execute(TWICE)
    con.execute(ONCE)
    return int(con.sql("SELECT coalesce(sum(n), 0)::BIGINT FROM fold_twice").fetchall()[0][0])


def _account(con: duckdb.DuckDBPyConnection, visits: pa.Table, twice: int) -> dict[str, int]:
    """How many requests went where: in visits (own and folded), unfolded background, auth, error, set-up, sealed, or seen twice
    (they count in another log)."""
    parts = {"own": 0, "auth": 0, "error": 0, "setup": 0, "sealed": 0}
    for part, n in con.sql(PARTS).fetchall():
        parts[part] += n
    within = sum(visits["requests"].to_pylist()) + sum(visits["background"].to_pylist())
    counted = con.sql("SELECT coalesce(sum(n), 0)::BIGINT FROM fold_minutes").fetchall()[0][0]
    return {"requests": sum(parts.values()), "visits": within, "background": counted - within,
            "auth": parts["auth"], "error": parts["error"], "setup": parts["setup"], "sealed": parts["sealed"], "twice": twice}
