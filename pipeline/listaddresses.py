"""Requests whose address a list names: a host and a path, such as `site.example/club`.

A path fits on the borders of its parts: `/a` is `/a` and `/a/b`, and is not `/ab`. What a request asks (`?…`) does not count,
unless the list's own address asks: then every one of its words must be there, and the path be the same. Letters of a host, and
how a path is escaped, do not count. An address speaks for its host and what is under it, but never beyond its site: one on a
hosting platform, or on a public suffix, speaks of that very name.

The rules are those of names: the school's own list, then protected help and learning, then the most specific entry. The filter's
own category of the request stands between, as it does for hosts. Only hosts of a site for which some list has a path are looked
at, and each of their addresses once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.hosts import normalise, sites
from pipeline.lists import LISTS, PROTECTED, classify_addresses
from pipeline.sql import run
from pipeline.visits import ADDRESSED, as_addressed

Weigh = Callable[[pa.Table, pa.Table], tuple[pa.Table, pa.Table]]
KEPT = re.compile(r"%(25|23|2f|3f)", re.IGNORECASE)   # escapes of % # / ?
PAGE = pa.schema([(name, pa.string()) for name in ("name", "way", "query", "entry", "category", "list", "site")])
DEEPEST = 64   # parts of a path that are looked at one by one: addresses people use have a dozen, hostile ones thousands

# Only the addresses of hosts that some list has a path for; what they ask only where a list's own address asks.
WAYS = """
WITH listed AS (
    SELECT host, bool_or(query <> '') AS asks FROM touched GROUP BY host
), found AS (
    SELECT source, line, l.host, coalesce(vendor_category, '') AS said,
           regexp_extract(url, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*(/[^?#]*)', 1) AS path,
           CASE WHEN asks THEN regexp_extract(url, '\\?([^#]*)', 1) ELSE '' END AS query
    FROM lines l JOIN listed USING (host)
    WHERE fate = 'request' AND action IN ('allowed', 'blocked', 'warned') AND kind = 'http' AND url IS NOT NULL
)
SELECT source, line, host, said, path, query FROM found WHERE path <> ''
"""
ASKED = f"SELECT DISTINCT host, path, query, source, said FROM ({WAYS}) ORDER BY ALL"

TOUCHED = """
SELECT h.host, h.name, h.site, p.name AS named, p.way, p.query, p.entry
FROM hosts h JOIN (SELECT DISTINCT site, name, way, query, entry FROM pages) p USING (site)
WHERE h.name = p.name OR ends_with(h.name, '.' || p.name)
"""

FITTING = """
WITH ways AS (
    SELECT DISTINCT host, path, query, way, string_split(way, '/') AS parts FROM asked
), begun AS (
    SELECT host, path, query, way,
           unnest(list_distinct(list_append(list_transform(range(2, least(len(parts), $deepest) + 1),
                                                           lambda i: array_to_string(parts[:i], '/')), way))) AS beginning
    FROM ways
)
SELECT DISTINCT b.host AS real, b.path, b.query, b.host || b.path || '?' || b.query AS host, t.name, t.site, t.entry
FROM begun b JOIN touched t ON t.host = b.host AND t.way = b.beginning
WHERE t.query = '' OR b.way = t.way AND list_has_all(string_split(b.query, '&'), string_split(t.query, '&'))
"""
KEYED = "SELECT DISTINCT host, real, path, query, name, site FROM fitting"
SAID = """
SELECT k.host, a.source, a.said
FROM asked a JOIN keyed k ON k.real = a.host AND k.path = a.path AND k.query = a.query
"""

# A request goes another way than its host where what holds of its address is not what holds of the host.
DIFFERENT = """
SELECT w.category, p.list, p.entry, k.real AS host, k.path, k.query, w.source, w.said
FROM weighed w JOIN keyed k ON k.host = w.host JOIN placed p ON p.host = w.host
JOIN hosts h ON h.host = k.real LEFT JOIN answers s ON s.host = k.real AND s.source = w.source AND s.said = w.said
WHERE w.category <> coalesce(s.category, h.category)
"""

# The address is quoted as the list has it, never as the log does.
ADDRESSES = f"""
SELECT w.source, w.line, d.category,
       CASE WHEN contains(d.entry, '/') AND NOT list_contains($protected, d.category)
            THEN 'the list ' || d.list || ' names this very address: ' || d.entry END AS note
FROM ({WAYS}) w JOIN different d USING (host, path, query, source, said) ORDER BY w.source, w.line
"""


def listed(con: duckdb.DuckDBPyConnection, hosts: pa.Table, spoken: pa.Table, names: pa.Table, own: pa.Table, answers: pa.Table,
           weigh: Weigh) -> pa.Table:
    """ADDRESSED: the requests of the day whose lines `con` calls `lines` that are another category by their address.

    `hosts`: HOSTS; `spoken` (entry, path, category, list): what imported lists say of them; `names`: LISTS that are not imported;
    `own`: the school's; `answers`: ANSWERS of the hosts; `weigh`: the lists' word against the filter's own.
    """
    pages = _pages(spoken)
    if not len(pages):
        return ADDRESSED.empty_table()
    touched = _touched(hosts, pages)
    asked = run(ASKED, con=con, touched=touched)
    keyed, placed = _placed(asked, touched, _entries(names, spoken, pages), own)
    weighed, _ = weigh(run(SAID, asked=asked, keyed=keyed), placed)
    different = run(DIFFERENT, weighed=weighed, keyed=keyed, placed=placed, hosts=hosts, answers=answers)
    if not len(different):
        return ADDRESSED.empty_table()
    only = touched.filter(pc.is_in(touched["host"], different["host"].combine_chunks()))
    return as_addressed(run(ADDRESSES, {"protected": list(PROTECTED)}, con=con, touched=only, different=different))


def address(hosts: pa.Table, path: str, spoken: pa.Table, names: pa.Table, own: pa.Table) -> dict[str, Any]:
    """What the lists alone say of the address with this path (and query) on the one host of HOSTS: a row of HOSTS."""
    row: dict[str, Any] = hosts.to_pylist()[0]
    way, _, query = path.partition("?")
    pages = _pages(spoken)
    asked = pa.table({"host": [row["host"]], "path": pa.array([way]), "query": [query]})
    _, placed = _placed(asked, _touched(hosts, pages), _entries(names, spoken, pages), own)
    return row | next(iter(placed.select(["category", "entry", "list", "also"]).to_pylist()), {})


def _placed(asked: pa.Table, touched: pa.Table, entries: pa.Table, own: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The addresses (host, path, query) that some list's path fits, and their HOSTS, by one key called `host`."""
    ways = asked.append_column("way", _spelt(asked["path"]))
    fitting = run(FITTING, {"deepest": DEEPEST}, asked=ways, touched=touched)
    keyed = run(KEYED, fitting=fitting)
    return keyed, classify_addresses(keyed, fitting.select(["host", "entry"]), entries, own)


def spelt(path: str) -> str:
    """One spelling of a path: what its escapes stand for, but for the signs that would part it anew; no slash at its end."""
    return unquote(KEPT.sub(lambda found: f"%25{found[1].upper()}", path)).rstrip("/")


def _spelt(paths: pa.ChunkedArray) -> pa.Array:
    """Each path in one spelling; those without an escape, nearly all, are never Python objects."""
    odd = pc.match_substring(paths, "%")
    plain = pc.utf8_rtrim(paths, "/").combine_chunks()
    mended = pa.array([spelt(path) for path in paths.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(plain, odd.combine_chunks(), mended)


def _pages(spoken: pa.Table) -> pa.Table:
    """name, way, query, entry (all of them as one text), category, list, site: the entries that have a path."""
    found = spoken.filter(pc.not_equal(spoken["path"], ""))
    site, rows = sites(pc.unique(found["entry"]).to_pylist()), []
    for row in found.to_pylist():
        path, asks, query = row["path"].partition("?")
        way = spelt(path) or "/"
        rows.append({"name": row["entry"], "way": way.rstrip("/"), "query": query, "entry": row["entry"] + way + asks + query,
                     "category": row["category"], "list": row["list"], "site": site[row["entry"]]})
    return pa.Table.from_pylist(rows, schema=PAGE)


def _touched(hosts: pa.Table, pages: pa.Table) -> pa.Table:
    """The hosts for which some list has a path, with each of them."""
    near = hosts.filter(pc.is_in(hosts["site"], pc.unique(pages["site"])))
    names = pa.array([normalise(host or "") for host in near["host"].to_pylist()], pa.string())
    return run(TOUCHED, pages=pages, hosts=near.select(["host", "site"]).append_column("name", names))


def _entries(names: pa.Table, spoken: pa.Table, pages: pa.Table) -> pa.Table:
    """LISTS of every entry: lists that are not imported, imported names, and imported addresses as name and path together."""
    whole = spoken.filter(pc.equal(spoken["path"], ""))
    return pa.concat_tables([names, *(table.select(LISTS.names).cast(LISTS) for table in (whole, pages))])
