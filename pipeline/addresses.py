"""Requests whose address shows more than their host: a page sought through another, the marks of a tool, a copy of a page.

Millions of lines are passed by one expression that DuckDB runs; what it lets through (a few in a thousand) is looked at once
per distinct address. The pages sought are then given categories by the school's own lists, as if they had been asked for, so
that a sentence can say what was sought. A page of help names nobody: such an address shows nothing.

Nothing here depends on the order of lines: an address shows the same wherever it stands, and weak marks are counted by host.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.addressbook import pieces
from pipeline.hosts import normalise, sites
from pipeline.policy import Category
from pipeline.signals.address import parted
from pipeline.signals.shapes import Book, Need, Sight, named_for, sights
from pipeline.sql import run
from pipeline.visits import ADDRESSED, as_addressed

WELFARE = "T1"
DEFAULT = "bypass_default_privacy_feature"

# Tunnels and look-ups show a host alone, so they cost no more than their kind. $pattern is written from the shapes.
SHOWING = """
CREATE OR REPLACE TEMP TABLE address_rows AS
SELECT source, line, url, host, client, coalesce(person, client) AS subject, epoch_us(time) // 60000000 AS minute,
       coalesce(status = 101, false) AS upgraded,
       coalesce(regexp_extract(referrer, '^[A-Za-z][A-Za-z0-9+.-]*://([^/:?#]+)', 1), '') AS led,
       coalesce(regexp_matches(content_type, '^(image|video|audio|font)/'), false) AS pictures
FROM lines
WHERE fate = 'request' AND kind = 'http' AND url IS NOT NULL AND regexp_matches(url, $pattern)
"""
DISTINCT = """
SELECT url, coalesce(host, '') AS host, bool_or(upgraded) AS upgraded, bool_and(pictures) AS pictures
FROM address_rows GROUP BY ALL ORDER BY url, host
"""
NAMED = "SELECT host FROM hosts WHERE regexp_matches(host, $pattern) ORDER BY host"
BLOCKED = "SELECT DISTINCT host FROM lines WHERE fate = 'request' AND action = 'blocked' AND host IS NOT NULL"
TOLD = """
CREATE OR REPLACE TEMP TABLE address_told AS
SELECT r.source, r.line, r.client, r.subject, r.minute, r.led, f.category, f.note, f.site, f.again
FROM address_rows r JOIN found f ON f.url = r.url AND f.host = coalesce(r.host, '')
"""
LED = "SELECT DISTINCT led FROM address_told WHERE site <> '' AND led <> ''"
# A page that tells somebody else its own address (statistics, adverts, embeds) was sought through nobody: it led to the request
# itself, or the same device was let straight through to its site at that time.
ITSELF = """
CREATE OR REPLACE TEMP TABLE address_itself AS
WITH sought AS (SELECT DISTINCT client, site, minute FROM address_told WHERE site <> ''),
straight AS (
    SELECT DISTINCT l.client, h.site, epoch_us(l.time) // 60000000 AS minute
    FROM lines l JOIN (SELECT host, site FROM hosts SEMI JOIN sought USING (site)) h USING (host)
    SEMI JOIN sought ON sought.client = l.client AND sought.site = h.site
    WHERE l.fate = 'request' AND l.action = 'allowed'
)
SELECT source, line FROM address_told t JOIN led_from g USING (led) WHERE g.site = t.site
UNION
SELECT source, line FROM address_told t
JOIN straight s ON s.client = t.client AND s.site = t.site AND s.minute BETWEEN t.minute - $near AND t.minute + $near
"""
ROWS = """
WITH told AS (
    SELECT source, line, category, note FROM address_told ANTI JOIN address_itself USING (source, line)
    QUALIFY again <= 1 OR count(*) OVER (PARTITION BY subject, note) >= again
)
SELECT source, line, category, note FROM told
UNION ALL
SELECT l.source, l.line, n.category, n.note FROM lines l JOIN named n ON n.host = l.host
LEFT JOIN told ON told.source = l.source AND told.line = l.line
WHERE l.fate = 'request' AND told.line IS NULL
"""
FOUND = pa.schema([*((name, pa.string()) for name in ("url", "host", "category", "note", "site")), ("again", pa.int64())])
NEAR = 2  # minutes around a request in which its own page counts as open: what a page tells of itself it tells while it is read


class Seen(NamedTuple):
    """One thing that one distinct address shows; the address is '' where the host's name shows it."""

    url: str
    host: str
    sight: Sight


@dataclass(frozen=True)
class Known:
    """What the lists and the day say of hosts, for judging what was sought."""

    categories: Mapping[str, str]  # of the pages sought and of the hosts asked for
    titles: Mapping[str, Category]
    blocked: Collection[str]  # sites that the filter blocked on this day
    own: Collection[str]  # hosts that stand on the school's own list
    site: Mapping[str, str]


def addressed(con: duckdb.DuckDBPyConnection, hosts: pa.Table, book: Book, categories: Mapping[str, Category], day: date,
              listed: Callable[[pa.Table], pa.Table]) -> pa.Table:
    """ADDRESSED: the requests of the day whose lines `con` calls `lines` that show more than their host.

    `hosts`: the HOSTS of the day. `listed`: the HOSTS of other hosts (host, people, requests), by the same lists.
    """
    if not book.marks:
        return ADDRESSED.empty_table()
    con.execute(SHOWING, {"pattern": first_look(book)})
    try:
        seen = [*_by_address(con, book), *_by_name(hosts, book)]
        if not seen:
            return ADDRESSED.empty_table()
        found = told(strong(seen, book), _known(con, seen, hosts, categories, listed), book, day)
        return as_addressed(_rows(con, hosts, found))
    finally:
        for table in ("address_rows", "address_told", "address_itself"):
            con.execute(f"DROP TABLE IF EXISTS {table}")


def _rows(con: duckdb.DuckDBPyConnection, hosts: pa.Table, found: Sequence[Mapping[str, str]]) -> pa.Table:
    """source, line, category, note of every request whose address, or whose host's name, shows what was found; but for the
    pages that told their own address."""
    given = {"found": pa.Table.from_pylist([row for row in found if row["url"]], FOUND), "hosts": hosts,
             "named": pa.Table.from_pylist([row for row in found if not row["url"]], FOUND)}
    for name, table in given.items():
        con.register(name, table)
    try:
        con.execute(TOLD)
        led = sites(con.sql(LED).to_arrow_table()["led"].to_pylist())
        con.register("led_from", pa.table([pa.array(list(led), pa.string()), pa.array(list(led.values()), pa.string())],
                                         ["led", "site"]))
        con.execute(ITSELF, {"near": NEAR})
        return con.sql(ROWS).to_arrow_table()
    finally:
        for name in (*given, "led_from"):
            con.unregister(name)


def first_look(book: Book) -> str:
    """The one expression (RE2) that every address worth a closer look fits: a piece of a mark, or the beginning of an address
    inside the address in any codec. A plain address in a parameter is looked at only behind a script that hands over pages."""
    words, params = ("|".join(sorted(map(re.escape, book.words.get(name, ())))) for name in ("scripts", "params"))
    mixed = "|".join(_letter(chr(ord("t") ^ key)) + "t" + _letter(chr(ord("p") ^ key)) for key in range(1, 32))
    scheme = "(?:https?|wss?)(?::|%3a|%253a)"
    return "(?i)" + "|".join([
        *pieces(book),
        f"/{scheme}", "uggcf?(?::|%3a)", f"[/=?]h(?:{mixed})", r"://[^/]*/https?/[\w-]+\.",
        "(?-i:aHR0c|YUhSMG|aH[A-Z]0[a-z])", "nb2hi4", "687474", r"(?:/|%2f)(?::|%3a)s?ptth",
        rf"\.(?:php\d?|cgi|pl|aspx?|jsp|cfm)\?{scheme}",
        rf"/(?:(?:{words})(?:\.\w{{2,5}})?/?)?\?(?:[^#]*&)?(?:(?:{params})=)?{scheme}"])


def _letter(sign: str) -> str:
    """A letter as it may stand in an address: itself, or percent-encoded."""
    encoded = f"%{ord(sign):02x}"
    return f"(?:{re.escape(sign)}|{encoded})" if sign.isprintable() else encoded


def _by_address(con: duckdb.DuckDBPyConnection, book: Book) -> Iterable[Seen]:
    """What each distinct address shows."""
    for row in con.sql(DISTINCT).to_arrow_table().to_pylist():
        for sight in sights(parted(row["url"], row["host"], row["upgraded"], row["pictures"]), book):
            yield Seen(row["url"], row["host"], sight)


def _by_name(hosts: pa.Table, book: Book) -> Iterable[Seen]:
    """What the names of the day's hosts show."""
    pattern = "(?i)" + "|".join([*(f"(?:{name.pattern.pattern})" for name in book.names),
                                 r"\.translate\.goog$", r"\.cdn\.ampproject\.org$", r"[.-](com|org|net|tv|gg|io|me|uk|lol|co)\."])
    for host in run(NAMED, {"pattern": pattern}, hosts=hosts)["host"].to_pylist():
        for sight in named_for(host, book):
            yield Seen("", host, sight)


def strong(seen: Sequence[Seen], book: Book) -> list[Seen]:
    """What counts: strong sights, and weak ones where several kinds, all parts of one tool, or enough addresses of one kind are
    seen on one host."""
    kinds: dict[str, set[str]] = defaultdict(set)
    parts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    many: dict[tuple[str, str], set[str]] = defaultdict(set)
    for url, host, sight in seen:
        if sight.together:
            parts[host, _folder(url), sight.name].add(sight.part)
        elif sight.distinct:
            many[host, sight.name].add(url)
        else:
            kinds[host].add(sight.name)

    def counts(one: Seen) -> bool:
        url, host, sight = one
        if not sight.weak:
            return True
        if sight.together:
            return set(sight.together) <= parts[host, _folder(url), sight.name]
        if sight.distinct:
            return len(many[host, sight.name]) >= sight.distinct
        return len(kinds[host]) >= max(2, book.numbers.get("weak_kinds", 2))

    return [one for one in seen if counts(one)]


def _folder(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[0]


def _known(con: duckdb.DuckDBPyConnection, seen: Sequence[Seen], hosts: pa.Table, categories: Mapping[str, Category],
           listed: Callable[[pa.Table], pa.Table]) -> Known:
    """Categories of all that was sought and asked for, and what the filter blocked on this day."""
    names = sorted({name for one in seen if one.sight.target and (name := _plain(one.sight.target.host))})
    nobody = pa.array([0] * len(names), pa.int64())
    asked = listed(pa.table({"host": pa.array(names, pa.string()), "people": nobody, "requests": nobody}))
    rows = [row for table in (hosts, asked) for row in table.select(["host", "category", "list"]).to_pylist()]
    waits = any(one.sight.need is Need.WORTH for one in seen)
    blocked = con.sql(BLOCKED).to_arrow_table()["host"].to_pylist() if waits else []
    site = sites({*names, *(one.host for one in seen)})
    return Known({row["host"]: row["category"] for row in rows}, categories, set(sites(blocked).values()),
                 {row["host"] for row in rows if row["list"] == "own"}, site)


def _plain(host: str) -> str:
    """A host sought, in its one spelling; '' where it has none that is fit to be shown."""
    name = normalise(host)
    return name if re.fullmatch(r"[a-z0-9._-]{3,253}", name) else ""


def told(seen: Sequence[Seen], known: Known, book: Book, day: date) -> list[dict[str, Any]]:
    """One row (FOUND) for each address that shows something that counts: the gravest of what it shows."""
    found: dict[tuple[str, str], tuple[int, str, str, str, int]] = {}
    for url, host, sight in seen:
        answer = judged(sight, host, known, book, day)
        if answer:
            whole = (*answer, _site_sought(sight, known), sight.again)
            found[url, host] = min(found.get((url, host), whole), whole)
    helped = {(one.url, one.host) for one in seen if _helps(one, known)}
    return [{"url": url, "host": host, "category": category, "note": note, "site": site, "again": again}
            for (url, host), (_, category, note, site, again) in sorted(found.items()) if (url, host) not in helped]


def _site_sought(sight: Sight, known: Known) -> str:
    """The site that is sought, where a page might only have told its own address: not where that was veiled by a tool's codec."""
    open_to_all = sight.target is not None and sight.need is not Need.NOTHING
    name = _plain(sight.target.host) if sight.target and open_to_all else ""
    return known.site.get(name, name)


def _helps(one: Seen, known: Known) -> bool:
    """Whether the page sought, or the host asked for, is one of help: then the address names nobody, whatever else it shows."""
    names = [one.host, *([_plain(one.sight.target.host)] if one.sight.target else [])]
    return any(_is_help(known.categories.get(name, ""), known) for name in names)


def _is_help(category: str, known: Known) -> bool:
    return category == "help_seeking" or (category in known.titles and known.titles[category].help_seeking)


def judged(sight: Sight, host: str, known: Known, book: Book, day: date) -> tuple[int, str, str] | None:
    """Rank, category and sentence of a sight on a host, or None where it does not count."""
    ours = known.categories.get(host, "")
    if (ours == DEFAULT and sight.category != DEFAULT) or (host in known.own and ours == "learning" and
                                                           (sight.weak or sight.need is not Need.NOTHING)):
        return None
    name = _plain(sight.target.host) if sight.target else ""
    if sight.need is not Need.NOTHING and (not name or known.site.get(name) == known.site.get(host)):
        return None
    sought = known.categories.get(name, "") if name else ""
    stopped = bool(name) and known.site.get(name, name) in known.blocked and sought not in book.harmless
    if not _counts(sight, sought, stopped, book, day):
        return None
    title = known.titles[sought].title if sought in known.titles and sought != "uncategorised" else ""
    about = ", ".join([*([title] if title else []), *(["blocked here that day"] if stopped else [])])
    note = f"{sight.says}{f': {name}' if name else ''}{f' ({about})' if name and about else ''}"
    if sought in known.titles and known.titles[sought].tier == WELFARE:
        return 0, sought, note  # what was sought is a matter for the safeguarding lead, whatever way was taken
    return (1 if name else 2), sight.category, note


def _counts(sight: Sight, sought: str, stopped: bool, book: Book, day: date) -> bool:
    """Whether what was sought is enough for this sight."""
    if sight.need is Need.NOTHING:
        return True
    if sight.need is Need.NOT_HARMLESS:
        return sought not in book.harmless
    old = sight.when and not _is_new(sight.when, day, book.numbers.get("archive_years", 3))
    return stopped or (sought in book.worth and not old)


def _is_new(when: str, day: date, years: int) -> bool:
    """Whether a copy made at `when` (year, month, day, as far as it goes) is younger than some years."""
    made = (when + "0101")[:8] if len(when) < 6 else (when + "01")[:8]
    return int(made) > int(f"{day.year - years:04d}{day:%m%d}")


def first_of(*tables: pa.Table) -> pa.Table:
    """Several ADDRESSED as one: of what two say of one request, the first table's counts."""
    several = pa.concat_tables([as_addressed(table).append_column("place", pa.array([n] * len(table), pa.int64()))
                                for n, table in enumerate(tables)])
    return run("""SELECT source, line, category, note, search FROM several
                  QUALIFY row_number() OVER (PARTITION BY source, line ORDER BY place, category, note, search) = 1""",
               several=several).cast(ADDRESSED)
