"""Requests of one school day by the minute: what all parts of the day have, with what is told of each, counted in one log only.

Makes the tables fold_minutes (one row for each person, device, host and minute, and for what is told of it), fold_seconds (how
many requests for background a person and device made in a second), fold_twins and fold_sources; and hears the logs on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import daylines, heard, minutes
from pipeline.daylines import Parts
from pipeline.heard import Heard
from pipeline.minutes import Minutes

# Each request goes to one part, so the parts add up. Times are microseconds; a duration is held between 0 and one day.
PART = """CASE WHEN {sealed} THEN 'sealed'
            WHEN action = 'auth' THEN 'auth'
            WHEN {timeless} OR coalesce(action, '') NOT IN ('allowed', 'blocked', 'warned') THEN 'error'
            WHEN setup = 'twin' THEN 'twin'
            WHEN coalesce(setup, '') <> '' THEN 'setup'
            ELSE 'own' END"""
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
       {part} AS part
FROM lines WHERE fate = 'request'
""".format(part=PART.format(sealed="coalesce(sealed, '') <> ''", timeless="time IS NULL"))

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
OWN_TWINS = """
SELECT source, line, 'request' AS fate, client, person, account, network, host, said AS vendor_category, action, kind,
       bytes_in, bytes_out, took_ms AS duration_ms, time, '' AS setup, '' AS sealed
FROM fold_twins WHERE part = 'own'
"""
SOURCES = """
CREATE OR REPLACE TEMP TABLE fold_sources AS
SELECT source, row_number() OVER (ORDER BY source) AS rank, coalesce(log_rank, 1) AS log_rank
FROM (SELECT DISTINCT source FROM lines WHERE fate = 'request') LEFT JOIN fold_ranks USING (source)
"""

# What is told of a request is one small number on the way through the millions.
TOLD = """
CREATE OR REPLACE TEMP TABLE fold_told AS
SELECT row_number() OVER ()::INTEGER AS told, *, category IN (SELECT category FROM fold_background) AS background
FROM (SELECT category, note, search FROM fold_addressed UNION SELECT category, NULL, false FROM fold_answers);
CREATE OR REPLACE TEMP TABLE fold_said AS
SELECT a.host, a.source, a.said, t.told, t.background
FROM fold_answers a
JOIN fold_told t ON t.category = a.category AND t.note IS NULL AND NOT t.search;
CREATE OR REPLACE TEMP TABLE fold_shown AS
SELECT a.source, a.line, t.told, t.background
FROM fold_addressed a
JOIN fold_told t ON t.category IS NOT DISTINCT FROM a.category AND t.note IS NOT DISTINCT FROM a.note
                AND t.search IS NOT DISTINCT FROM a.search
"""

KNOWN = """
CREATE OR REPLACE TEMP TABLE fold_known AS
SELECT host, any_value(site) AS site, any_value(category) AS category,
       any_value(category) IN (SELECT category FROM fold_background) AS background
FROM fold_hosts GROUP BY host
"""

# What a minute is about: its host by the lists; where the filter named a category of its own that holds, that; and where its
# addresses show more than their host, that. first = start, source and line of the first request in one number, so that the least
# one is found without sorting.
MINUTES = """
SELECT p.* EXCLUDE (person, account, network, host, told, place),
       started::HUGEINT * 18446744073709551616 + place AS first,
       coalesce(person, '') AS person, coalesce(account, '') AS account, coalesce(network, '') AS network,
       coalesce(p.host, '') AS host, t.note, coalesce(t.search, false) AS search,
       coalesce(k.site, p.host, '') AS site,
       coalesce(t.category, k.category, 'uncategorised') AS category
FROM fold_part p LEFT JOIN fold_known k ON k.host = p.host LEFT JOIN fold_told t ON t.told = p.told
"""
SECONDS = "SELECT client, coalesce(person, '') AS person, second, n FROM fold_part"
# What several parts of the day have of one minute is one row. Marks only find such rows: what they agree in tells which are one.
TORN = """
CREATE OR REPLACE TEMP TABLE fold_torn AS
SELECT * FROM fold_minutes WHERE mark IN (SELECT mark FROM fold_minutes GROUP BY mark HAVING count(*) > 1)
"""
MENDED = """
DELETE FROM fold_minutes WHERE mark IN (SELECT mark FROM fold_torn);
INSERT INTO fold_minutes BY NAME
SELECT client, person, account, network, log_rank, host, note, search, site, category, second, any_value(mark) AS mark,
       sum(n) AS n, max(ended) AS ended, min(first) AS first, min(started) AS started, sum(blocked) AS blocked,
       sum(warned) AS warned, sum(tunnels) AS tunnels, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out,
       max(longest_ms) AS longest_ms, bit_or(seconds) AS seconds
FROM fold_torn GROUP BY ALL
"""

# A resolver, a firewall and a proxy may all see one visit: what a log of a lower rank has of the same client and site, within
# two minutes of it or while it lasts, counts there alone. Addresses, not people: a resolver knows no login.
# Where the better log names nobody, the person whom a worse one names there, if all logs name no other, is not lost.
NAMED = """
UPDATE fold_minutes AS m SET person = n.person, account = n.account
FROM (
    SELECT client, site, near AS minute, max(person) AS person, max(account) AS account, max(log_rank) AS log_rank
    FROM (SELECT client, site, log_rank, person, account, unnest(range(second // 60 - 2, ended // 60000000 + 3)) AS near
          FROM fold_minutes WHERE person <> '')
    GROUP BY client, site, near HAVING count(DISTINCT person) = 1
) n
WHERE m.person = '' AND n.client = m.client AND n.site = m.site AND n.minute = m.second // 60 AND n.log_rank > m.log_rank
"""
TWICE = """
CREATE OR REPLACE TEMP TABLE fold_twice AS
WITH seen AS (
    SELECT client, site, log_rank, second // 60 AS minute, max(ended) // 60000000 AS until
    FROM fold_minutes GROUP BY client, site, log_rank, minute
), better AS (
    SELECT client, site, min(log_rank) AS log_rank, near AS minute
    FROM (SELECT client, site, log_rank, unnest(range(minute - 2, until + 3)) AS near FROM seen)
    GROUP BY client, site, near
)
SELECT m.* FROM fold_minutes m JOIN better b ON b.client = m.client AND b.site = m.site AND b.minute = m.second // 60
                                            AND b.log_rank < m.log_rank
"""
ONCE = """
DELETE FROM fold_minutes WHERE (client, person, host, second, log_rank) IN (
    SELECT (client, person, host, second, log_rank) FROM fold_twice)
"""

TABLES_LEFT = ("fold_torn", "fold_twice", "fold_minutes", "fold_seconds", "fold_shown", "fold_said", "fold_told", "fold_sources",
               "fold_twins", "fold_known")
VIEWS_LEFT = ("fold_requests",)
COLUMNS = tuple(dict.fromkeys((*minutes.COLUMNS, *heard.COLUMNS)))
TOGETHER = 16  # parts
Both = tuple[Minutes, Heard]


def make(con: duckdb.DuckDBPyConnection, parts: Parts) -> tuple[int, Heard]:
    """Make the tables from `parts`, the lines that `con` calls `lines`; how many requests were seen by a better log too, and what
    was heard."""
    con.execute(REQUESTS)
    has_twins = con.sql("SELECT count(*) FROM lines WHERE setup = 'twin'").fetchall()[0][0] > 0
    for step in (TWINS if has_twins else NO_TWINS, SOURCES, KNOWN, TOLD):
        con.execute(step)
    known, ears = _known(con), list[Heard]()
    twins = daylines.with_codes(con.sql(OWN_TWINS).to_arrow_table())
    _put(con, minutes.by_minute(twins, known), "CREATE OR REPLACE TEMP TABLE {} AS")
    for made, listened in _together(daylines.each(parts(COLUMNS), partial(_of_part, known=known))):
        ears += listened
        _put(con, made, "INSERT INTO {} BY NAME")
    con.execute(TORN)
    con.execute(MENDED)
    return _once(con), heard.together(ears)


def _of_part(part: pa.Table, known: minutes.Known) -> Both:
    return minutes.by_minute(part, known), heard.of_part(part)


def _put(con: duckdb.DuckDBPyConnection, made: Minutes, how: str) -> None:
    """Put what some parts come to into the tables."""
    for table, step, rows in (("fold_minutes", MINUTES, made.own), ("fold_seconds", SECONDS, made.background)):
        con.register("fold_part", rows)
        con.execute(f"{how.format(table)} {step}")
        con.unregister("fold_part")


def _together(made: Iterable[Both]) -> Iterator[tuple[Minutes, list[Heard]]]:
    """What a few parts come to in one: to put anything into a table costs as much as thousands of its rows."""
    held: list[Both] = []
    for both in made:
        held.append(both)
        if len(held) == TOGETHER:
            yield _as_one(held)
            held = []
    if held:
        yield _as_one(held)


def _as_one(parts: Sequence[Both]) -> tuple[Minutes, list[Heard]]:
    own, background = (pa.concat_tables(tables) for tables in zip(*(made for made, _ in parts), strict=True))
    return Minutes(own, background), [listened for _, listened in parts]


def _known(con: duckdb.DuckDBPyConnection) -> minutes.Known:
    """What the tables made so far know of single requests."""
    shown = con.sql("SELECT source, line, told, background FROM fold_shown ORDER BY source, line").to_arrow_table()
    of = {source: shown.filter(pc.equal(shown["source"], source)) for source in pc.unique(shown["source"]).to_pylist()}
    logs = con.sql("SELECT source, rank, log_rank FROM fold_sources").fetchall()
    return minutes.Known(
        {source: (number, rank) for source, number, rank in logs},
        {host for host, in con.sql("SELECT host FROM fold_known WHERE background").fetchall()},
        {(host, source, said): minutes.Told(told, background) for host, source, said, told, background in
         con.sql("SELECT host, source, said, told, background FROM fold_said").fetchall()},
        {source: minutes.Shown(rows["line"].to_numpy(), rows["told"].to_numpy(), rows["background"].to_numpy())
         for source, rows in of.items()})


def _once(con: duckdb.DuckDBPyConnection) -> int:
    """Take out what a better log saw too, where the logs of the day have several ranks; how many requests that is."""
    if con.sql("SELECT count(DISTINCT log_rank) FROM fold_sources").fetchall()[0][0] < 2:
        return 0
    con.execute(NAMED)
    con.execute(TWICE)
    con.execute(ONCE)
    return int(con.sql("SELECT coalesce(sum(n), 0)::BIGINT FROM fold_twice").fetchall()[0][0])
