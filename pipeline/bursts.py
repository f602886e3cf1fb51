"""What opened a burst, and what only followed: the facts of a visit that tell a person's choice from a page's doing.

Worked out for the visits of watched categories alone, from the small tables that `visits.fold` makes: a row of `fold_minutes`
holds, for one person, device, host and minute, a bit for each second with a request. A **try** begins with the first request for
a site after more than five seconds of none: a page with all it brings along, or an automatic second request, is one try. A try is
**set off** by another site where the same person and device asked for that within the two whole seconds before, or where three or
more requests for background (an advert with what it needs) fell there; otherwise it **opened** a burst of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipeline.hosts import sites


@dataclass(frozen=True)
class Watch:
    """What to look at: the categories that may become an incident (None: all), those that no other visit may name, the
    hosts that pages bring along (and all under them), and the sites that this school's own traffic shows to be brought along."""

    categories: Collection[str] | None = None
    hidden: Collection[str] = ()
    embeds: Collection[str] = ()
    brought: Collection[str] = ()


WATCHED = """
CREATE OR REPLACE TEMP TABLE fold_watched AS
SELECT * FROM fold_visits WHERE (SELECT count(*) FROM fold_categories) = 0 OR category IN (FROM fold_categories)
"""

# Five seconds: a browser's own second and third request come within two, a page's last pieces within some five; nobody who looks
# at a block page and tries again is faster.
TRIES = """
CREATE OR REPLACE TEMP TABLE fold_tries AS
WITH asked AS (
    SELECT v.first, m.client, m.person, m.site, m.category, m.second // 60 AS minute, bit_or(m.seconds)::HUGEINT AS seconds,
           min(m.started) AS started
    FROM (SELECT * FROM fold_minutes WHERE category IN (SELECT category FROM fold_watched)) m
    ASOF JOIN fold_watched v ON v.client = m.client AND v.person = m.person AND v.site = m.site AND v.category = m.category
                            AND m.first >= v.first
    GROUP BY ALL
), beginnings AS (
    SELECT *, (seconds & ~ ((seconds << 1) | (seconds << 2) | (seconds << 3) | (seconds << 4) | (seconds << 5)))::BIGINT AS begun,
           lag(minute * 60 + length(bin(seconds::BIGINT)) - 1)
               OVER (PARTITION BY client, person, site, category ORDER BY minute, first) AS before
    FROM asked
), spread AS (
    SELECT * EXCLUDE (seconds, begun), minute * 60 + unnest(list_filter(range(60), lambda i: ((begun >> i) & 1) = 1)) AS second
    FROM beginnings
)
SELECT first, client, person, site, category, second,
       CASE WHEN started // 1000000 = second THEN started ELSE second * 1000000 END AS started
FROM spread WHERE before IS NULL OR second - before > 5
"""

# What another site was asked for within the two whole seconds before a try, or in its own second and earlier; until: when that
# was, as late as it can have been.
BEFORE = """
CREATE OR REPLACE TEMP TABLE fold_before AS
WITH near AS (
    SELECT first, client, person, site, second, started, unnest([second - 2, second - 1, second]) AS moment FROM fold_tries
), pages AS (
    SELECT n.first, n.second, o.site, CASE WHEN moment = n.second THEN o.started ELSE (moment + 1) * 1000000 END AS until
    FROM near n JOIN fold_minutes o ON o.client = n.client AND o.person = n.person AND o.second = moment // 60 * 60
    WHERE o.site <> n.site
      AND CASE WHEN moment = n.second THEN o.started // 1000000 = moment AND o.started < n.started
               ELSE ((o.seconds >> (moment % 60)) & 1) = 1 END
), adverts AS (
    SELECT n.first, n.second, '' AS site, (max(moment) + 1) * 1000000 AS until
    FROM near n JOIN fold_seconds o ON o.client = n.client AND o.person = n.person AND o.second = moment
    WHERE moment < n.second GROUP BY n.first, n.second HAVING sum(o.n) >= 3
)
SELECT first, second, site, max(until) AS until FROM (FROM pages UNION ALL FROM adverts) GROUP BY ALL
"""

# Equal steps: each within two seconds (or a twentieth, if that is more) of the day's middle one, which is ten seconds or more. A
# person's own tries are nowhere near that even; what counts is how many come in a row.
STEPS = """
CREATE OR REPLACE TEMP TABLE fold_steps AS
WITH paced AS (
    SELECT *, second - lag(second) OVER (PARTITION BY client, person, site, category ORDER BY second) AS step FROM fold_tries
), days AS (
    SELECT client, person, site, category, count(*) AS day_tries, count(DISTINCT second // 3600) AS hours,
           quantile_disc(step, 0.5) AS middle
    FROM paced GROUP BY ALL
), rows AS (
    SELECT p.*, d.middle, sum(CASE WHEN middle >= 10 AND 20 * abs(step - middle) <= greatest(40, middle) THEN 0 ELSE 1 END)
                              OVER (PARTITION BY p.client, p.person, p.site, p.category ORDER BY second) AS row
    FROM paced p JOIN days d USING (client, person, site, category)
), sized AS (
    SELECT first, middle, count(*) OVER (PARTITION BY client, person, site, category, row) AS even_tries FROM rows
), longest AS (
    SELECT first, max(even_tries) AS even_tries, any_value(middle) AS middle FROM sized GROUP BY first
)
SELECT w.first, d.day_tries, d.hours, coalesce(l.even_tries, 0) AS even_tries,
       CASE WHEN l.even_tries >= 4 THEN l.middle END AS step_s
FROM fold_watched w JOIN days d ON d.client = w.client AND d.person = w.person AND d.site = w.site AND d.category = w.category
LEFT JOIN longest l ON l.first = w.first
"""

# A slip: a site of nearly the same name, of another kind, that the same person and device asked for within half a minute.
SLIPS = """
CREATE OR REPLACE TEMP TABLE fold_slips AS
WITH named AS (
    SELECT first, client, person, site, category, started, string_split(site, '.')[1] AS name FROM fold_visits
), near AS (
    SELECT v.first, o.site, abs(o.started - v.started) AS apart
    FROM named v SEMI JOIN fold_watched w ON w.first = v.first
    JOIN named o ON o.client = v.client AND o.person = v.person AND o.site <> v.site AND o.category <> v.category
                AND abs(o.started - v.started) <= 30000000
    WHERE length(v.name) >= 5 AND length(o.name) >= 5 AND levenshtein(v.name, o.name) <= 2
      AND o.category NOT IN (FROM fold_hidden)
)
SELECT first, arg_min(site, (apart, site)) AS slip FROM near GROUP BY first
"""

# A browser says from which page it came, and what it got; a block page is no answer to that.
FIRSTS = r"""
SELECT s.rank, l.line, lower(regexp_extract(l.referrer, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#:]+)', 1)) AS page,
       l.action <> 'blocked' AND regexp_matches(coalesce(l.content_type, ''),
           '^(image|font|audio|video)/|^(text/css|text/javascript|application/(x-)?javascript|application/json)') AS piece
FROM lines l JOIN fold_sources s USING (source)
JOIN fold_watched w ON (w.first // 281474976710656 % 65536)::BIGINT = s.rank AND (w.first % 281474976710656)::BIGINT = l.line
WHERE l.referrer IS NOT NULL OR l.content_type IS NOT NULL
"""

FACTS = """
WITH setting AS (
    SELECT first, second, max(until) AS until,
           list(site) FILTER (site <> ''
                              AND site NOT IN (SELECT site FROM fold_known WHERE category IN (FROM fold_hidden))) AS causes
    FROM fold_before GROUP BY first, second
), counted AS (
    SELECT t.first, count(*) AS tries, count(*) FILTER (s.first IS NULL) AS opened,
           list_sort(list_distinct(coalesce(flatten(list(causes) FILTER (causes IS NOT NULL)), []))) AS set_off_by,
           min((t.started - until) // 1000) FILTER (t.second = w.started // 1000000) AS after_ms
    FROM fold_tries t JOIN fold_watched w ON w.first = t.first LEFT JOIN setting s ON s.first = t.first AND s.second = t.second
    GROUP BY t.first
)
SELECT w.visit, coalesce(tries, 0) AS tries, coalesce(opened, 0) AS opened, coalesce(set_off_by, []) AS set_off_by, c.after_ms,
       step_s, coalesce(even_tries, 0) AS even_tries, coalesce(day_tries, 0) AS day_tries, coalesce(hours, 0) AS hours,
       CASE WHEN p.site <> w.site THEN p.site ELSE '' END AS from_page, coalesce(p.piece AND p.site <> w.site, false) AS piece,
       coalesce(slip, '') AS slip,
       CASE WHEN w.host IN (FROM fold_embeds) THEN 'list' WHEN w.site IN (FROM fold_brought) THEN 'habit' ELSE '' END AS brought
FROM fold_watched w LEFT JOIN counted c ON c.first = w.first
LEFT JOIN fold_pages p ON p.rank = (w.first // 281474976710656 % 65536)::BIGINT AND p.line = (w.first % 281474976710656)::BIGINT
LEFT JOIN fold_slips l ON l.first = w.first LEFT JOIN fold_steps d ON d.first = w.first
"""

TABLES_LEFT = ("fold_slips", "fold_steps", "fold_before", "fold_tries", "fold_watched")
PAGES = pa.schema([("rank", pa.int64()), ("line", pa.int64()), ("site", pa.string()), ("piece", pa.bool_())])


def look(con: duckdb.DuckDBPyConnection, watch: Watch) -> pa.Table:
    """The facts of each visit of `fold_visits` that is watched: visit (its number there), tries, opened, set_off_by, after_ms,
    step_s, even_tries, day_tries, hours, from_page, piece, slip, brought."""
    words = {"fold_categories": watch.categories or (), "fold_hidden": watch.hidden, "fold_brought": watch.brought}
    for name, values in words.items():
        con.register(name, pa.table({"word": pa.array(sorted(values), pa.string())}))
    try:
        con.execute(WATCHED)
        con.register("fold_embeds", _embeds(con, watch.embeds))
        con.register("fold_pages", _pages(con, watch.hidden))
        for step in (TRIES, BEFORE, STEPS, SLIPS):
            con.execute(step)
        return con.sql(FACTS).to_arrow_table()
    finally:
        for name in (*words, "fold_embeds", "fold_pages"):
            con.unregister(name)


def _embeds(con: duckdb.DuckDBPyConnection, names: Collection[str]) -> pa.Table:
    """The hosts of the watched visits that stand at or under one of these names."""
    known = frozenset(names)
    asked = [host for host, in con.sql("SELECT DISTINCT host FROM fold_watched ORDER BY host").fetchall()] if known else []
    return pa.table({"word": pa.array([host for host in asked if _under(host, known)], pa.string())})


def _under(host: str, names: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[at:]) in names for at in range(len(labels)))


def _pages(con: duckdb.DuckDBPyConnection, hidden: Collection[str]) -> pa.Table:
    """From which site's page the first request of a watched visit came, and whether it fetched a piece of it (never of help)."""
    rows: Sequence[tuple[int, int, str, bool]] = con.sql(FIRSTS).fetchall()
    site = sites(sorted({page for *_, page, _ in rows if page}))
    known = dict(con.sql("SELECT site, category FROM fold_known").fetchall())
    named = {page: "" if known.get(name) in hidden else name for page, name in site.items()}
    return pa.table({"rank": [row[0] for row in rows], "line": [row[1] for row in rows],
                     "site": [named.get(row[2], "") for row in rows], "piece": [row[3] for row in rows]}, schema=PAGES)
