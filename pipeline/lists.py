"""Lists of sites, and which category they give to the hosts of a day.

A list is plain text, one name a line, `#` before a comment; a name stands for itself and everything under it. The
school's own list, `own.csv`, beats every other; then the longest entry wins, but for help and learning: what our own lists
call so, no imported list makes into anything bad. Lists may hold millions of names, so the
names never become Python objects: Arrow splits the text and DuckDB tidies, checks and joins it.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.hosts import endings, is_public_suffix, normalise, sites
from pipeline.problems import Problem
from pipeline.schoolday import read_date
from pipeline.sql import run
from pipeline.suggestions import nearest
from pipeline.tables import HOSTS, conform

NEVER_LISTED = frozenset({"illegal_csam", "illegal_terrorism", "extreme_pornography"})
LISTS = pa.schema([("entry", pa.string()), ("category", pa.string()), ("list", pa.string())])
OWN = pa.schema([("entry", pa.string()), ("category", pa.string()), ("reason", pa.string()), ("owner", pa.string()),
                 ("until", pa.date32())])
PAGES = pa.schema([("host", pa.string()), ("entry", pa.string())])
STARTER = "starter"
PROTECTED = ("help_seeking", "learning")
HARMLESS = (*PROTECTED, "background", "filter_check")
MOST_FAULTS = 20
SUFFIX = "is a public suffix, under which anybody may have a site"
# Suffixes under which only one kind of body may have a name: a list of our own that holds one means all of them.
OF_ONE_KIND = frozenset({"ac.uk", "gov.uk", "mod.uk", "nhs.uk", "police.uk", "sch.uk", "edu", "gov", "int", "mil", "onion"})

ENTRIES = """
WITH numbered AS (
    SELECT file, unnest(range(1, len(lines) + 1)) AS line, unnest(lines) AS text FROM texts
), bare AS (
    SELECT file, line, lower(trim(CASE WHEN contains(text, '#') THEN regexp_replace(text, '#.*$', '') ELSE text END,
                                  ' \t\r\ufeff')) AS text
    FROM numbered
), tidy AS (
    SELECT file, line, rtrim(regexp_replace(text, '^(\\*)?\\.', ''), '.') AS entry FROM bare WHERE text <> ''
)
SELECT file, line, entry, regexp_full_match(entry, '[a-z0-9_-]+(\\.[a-z0-9_-]+)*|[0-9a-f:]*:[0-9a-f:]+') AS sound
FROM tidy ORDER BY file, line
"""

BARE = """
SELECT * FROM entries
WHERE sound AND NOT list_contains($meant, entry)
            AND (entry IN (SELECT ending FROM endings WHERE kind IN ('public', 'star'))
                 OR regexp_replace(entry, '^[^.]*\\.', '') IN (SELECT ending FROM endings WHERE kind = 'star')
                    AND entry NOT IN (SELECT ending FROM endings))
ORDER BY file, line
"""

SOUND = "SELECT e.* FROM entries e ANTI JOIN bare USING (file, line) WHERE sound ORDER BY file, line"

SUFFIXES = """
WITH keyed AS (
    SELECT DISTINCT name, string_split(name, '.') AS labels, regexp_full_match(name, '[0-9.]+') OR contains(name, ':') AS address
    FROM hosts
)
SELECT DISTINCT unnest(CASE WHEN address THEN [name]
                            ELSE list_transform(range(1, len(labels) + 1),
                                                lambda i: array_to_string(labels[i:], '.')) END) AS entry
FROM keyed ORDER BY entry
"""

# Only the suffixes of the day's hosts are looked up, so the work grows with the day and not with the lists. An entry without
# a category is an exception: its list is silent on that name and all under it. An address of a page stands in `hosts` as a host
# whose `pages` are the entries with a path that fit it; of two entries the one with the longer name is more specific, then the
# one with the longer path.
CLASSIFIED = """
WITH keyed AS (
    SELECT host, people, requests, site, name, string_split(name, '.') AS labels,
           regexp_full_match(name, '[0-9.]+') OR contains(name, ':') AS address
    FROM hosts
), spread AS (
    SELECT host, unnest(CASE WHEN address THEN [name]
                             ELSE list_transform(range(1, len(labels) + 1),
                                                 lambda i: array_to_string(labels[i:], '.')) END) AS entry
    FROM keyed
    UNION ALL
    SELECT host, entry FROM pages
), listed AS (
    SELECT entry, category, list, CASE WHEN list = 'starter' THEN 2 ELSE 1 END AS rank
    FROM lists SEMI JOIN spread USING (entry)
    UNION ALL
    SELECT entry, category, 'own', 0 FROM own
), found AS (
    SELECT DISTINCT s.host, l.entry, l.category, l.list, l.rank,
           length(split_part(l.entry, '/', 1)) * 1000000 + length(l.entry) AS depth
    FROM spread s JOIN listed l USING (entry)
), silenced AS (
    SELECT host, list, max(depth) AS depth FROM found WHERE category = '' GROUP BY host, list
), spoken AS (
    SELECT f.* FROM found f LEFT JOIN silenced s USING (host, list)
    WHERE f.category <> '' AND f.depth > coalesce(s.depth, 0)
), shielded AS (
    SELECT DISTINCT host FROM spoken WHERE rank IN (0, 2) AND category IN ('help_seeking', 'learning')
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY host
                                 ORDER BY rank > 0,
                                          rank = 1 AND host IN (FROM shielded)
                                              AND category NOT IN ('help_seeking', 'learning', 'background', 'filter_check'),
                                          depth DESC, rank, category <> 'help_seeking', category, list) AS place
    FROM spoken
), best AS (
    SELECT * FROM ranked WHERE place = 1
), others AS (
    SELECT r.host, list_sort(list(DISTINCT r.category || ' (' || r.list || ')')) AS also
    FROM ranked r JOIN best b USING (host) WHERE r.category <> b.category GROUP BY r.host
)
SELECT k.host, k.site, coalesce(b.category, 'uncategorised') AS category, coalesce(b.entry, '') AS entry,
       coalesce(b.list, '') AS list, coalesce(o.also, []) AS also, k.people, k.requests
FROM keyed k LEFT JOIN best b USING (host) LEFT JOIN others o USING (host)
ORDER BY k.host
"""


def read_lists(files: Mapping[str, str], categories: Collection[str] = ()) -> tuple[pa.Table, list[Problem]]:
    """Every name of every `.txt` list, and what is wrong with them.

    The file is named after its category; a folder below `lists/` is the name of an imported list. With `categories`,
    a list of a category that nobody defines is a problem.
    """
    names, problems = [], []
    for where in sorted(name for name in files if name.endswith(".txt")):
        category, _ = _named(where)
        fault = _wrong_category(where, category, categories)
        problems += [fault] if fault else []
        names += [] if fault else [where]
    texts = pa.table({"file": pa.array(range(len(names)), pa.int32()),
                      "lines": pc.split_pattern(pa.array([files[name] for name in names], pa.large_string()), "\n")})
    table = run(ENTRIES, texts=texts)
    odd = table.filter(pc.invert(table["sound"])).to_pylist()
    mended = [(row["file"], normalise(row["entry"]) if not row["entry"].isascii() else "") for row in odd]
    problems += _faults([(names[row["file"]], row["line"], row["entry"]) for row, (_, name) in zip(odd, mended, strict=True)
                         if not _plain(name)])
    bare = [*run(BARE, {"meant": sorted(OF_ONE_KIND)}, entries=table, endings=_endings()).to_pylist(),
            *(row for row, (_, name) in zip(odd, mended, strict=True) if _is_bare(name))]
    problems += [_bare(f"{names[row['file']]}:{row['line']}", row["entry"]) for row in bare]
    good = run(SOUND, entries=table, bare=pa.Table.from_pylist(bare, schema=table.schema))
    extra = [(file, name) for file, name in mended if _plain(name) and not _is_bare(name)]
    mends = pa.table({"file": pa.array([file for file, _ in extra], pa.int32()),
                      "entry": pa.array([name for _, name in extra], pa.string())})
    return _labelled(pa.concat_tables([good.select(["file", "entry"]), mends]), names), problems


@cache
def _endings() -> pa.Table:
    rows = endings()
    return pa.table({"ending": pa.array(list(rows), pa.string()), "kind": pa.array(list(rows.values()), pa.string())})


def _labelled(entries: pa.Table, names: Sequence[str]) -> pa.Table:
    """Entries with the category and the list that their file stands for."""
    labels = [_named(name) for name in names]
    columns = [pa.array([label[n] for label in labels], pa.string()).take(entries["file"].combine_chunks()) for n in (0, 1)]
    return pa.table({"entry": entries["entry"].cast(pa.string()), "category": columns[0], "list": columns[1]}, schema=LISTS)


def _named(where: str) -> tuple[str, str]:
    """Category and list of a file: `lists/gambling.txt`, or `lists/<list>/gambling.txt` for an imported one."""
    *folders, file = where.split("/")
    return file.removesuffix(".txt"), folders[-1] if folders and folders[-1] != "lists" else STARTER


def _wrong_category(where: str, category: str, categories: Collection[str]) -> Problem | None:
    if category in NEVER_LISTED:
        return Problem(where, f"{category} may only come from the filter's own verdict, never from a list",
                       "delete this file; no school should hold such names")
    if categories and category not in categories:
        return Problem(where, f"{category} is not a category of categories.toml", nearest(category, categories))
    return None


def _faults(odd: Sequence[tuple[str, int, str]]) -> list[Problem]:
    """A problem for each line (file, line, text) that is no host name; of one file only the first twenty are told one by one."""
    problems = []
    for where, group in groupby(odd, lambda row: row[0]):
        lines = list(group)
        problems += [Problem(f"{where}:{line}", f"{entry[:60]!r} is not a host name", _hint(entry))
                     for _, line, entry in lines[:MOST_FAULTS]]
        if len(lines) > MOST_FAULTS:
            problems.append(Problem(where, f"{len(lines) - MOST_FAULTS} more lines are not host names"))
    return problems


def _is_bare(name: str) -> bool:
    return is_public_suffix(name) and name not in OF_ONE_KIND


def _bare(where: str, entry: str) -> Problem:
    return Problem(where, f"{entry[:60]!r} {SUFFIX}", "the name of one site under it")


def _plain(name: str) -> bool:
    return bool(name) and name.isascii() and not set(name) & set(" /@?=,;")


def _hint(entry: str) -> str:
    if "/" in entry:
        name = entry.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0]
        return f"{name}: a list holds names of hosts, not addresses of pages" if name else ""
    if " " in entry or "," in entry:
        return "one name a line"
    return ""


def read_own(text: str, where: str = "rules/lists/own.csv",
             categories: Collection[str] = ()) -> tuple[pa.Table, list[Problem]]:
    """The school's own list: entry, category, reason, owner, until (the last day; empty: no end)."""
    rows: list[dict[str, object]] = []
    problems: list[Problem] = []
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines(), skipinitialspace=True)
    missing = [name for name in OWN.names if name not in [(field or "").strip() for field in reader.fieldnames or []]]
    if text.strip() and missing:
        return OWN.empty_table(), [Problem(f"{where}:1", f"has no column {', '.join(missing)}", ",".join(OWN.names))]
    for cells in reader:
        at = f"{where}:{reader.line_num}"
        row = {(name or "").strip(): (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
        faults = _own_faults(row, at, categories)
        problems += faults
        if row.get("entry") and not faults:
            rows.append({**row, "entry": normalise(row["entry"].lstrip("*.")), "until": read_date(row.get("until", ""))})
    return pa.Table.from_pylist(rows, schema=OWN), problems


def _own_faults(row: dict[str, str], at: str, categories: Collection[str]) -> list[Problem]:
    if not any(row.values()):
        return []
    faults = [Problem(at, f"has no {name}", f"fill in {name}")
              for name in ("entry", "category", "reason", "owner") if not row.get(name)]
    category, until = row.get("category", ""), row.get("until", "")
    fault = _wrong_category(at, category, categories) if category else None
    if row.get("entry") and not _plain(normalise(row["entry"].lstrip("*."))):
        faults.append(Problem(at, f"{row['entry'][:60]!r} is not a host name", _hint(row["entry"])))
    elif _is_bare(normalise(row.get("entry", "").lstrip("*."))):
        faults.append(_bare(at, row["entry"]))
    if until and read_date(until) is None:
        faults.append(Problem(at, f"until is {until!r}, which is not a date", "2027-07-31"))
    return [*faults, fault] if fault else faults


def live(own: pa.Table, day: date) -> pa.Table:
    """The rows of the school's own list that still hold on a day."""
    return own.filter(pc.fill_null(pc.greater_equal(own["until"], pa.scalar(day, pa.date32())), True))


def classify_hosts(hosts: pa.Table, lists: pa.Table, own: pa.Table | None = None) -> pa.Table:
    """The HOSTS of a day, from a table of distinct hosts: host, people, requests."""
    names = [name or "" for name in hosts["host"].to_pylist()]
    site = sites(names)
    keyed = hosts.append_column("name", pa.array([normalise(name) for name in names], pa.string()))
    keyed = keyed.append_column("site", pa.array([site[name] for name in names], pa.string()))
    return _classified(keyed, PAGES.empty_table(), lists, own)


def classify_addresses(addresses: pa.Table, pages: pa.Table, lists: pa.Table, own: pa.Table | None = None) -> pa.Table:
    """The HOSTS of addresses of pages (host: the address as text, name: its host's, site); `pages` (host, entry): the entries
    with a path that fit each of them, which stand in `lists` as name and path together."""
    none = pa.array([0] * len(addresses), pa.int64())
    keyed = addresses.select(["host", "name", "site"]).append_column("people", none).append_column("requests", none)
    return _classified(keyed, pages, lists, own)


def _classified(keyed: pa.Table, pages: pa.Table, lists: pa.Table, own: pa.Table | None) -> pa.Table:
    own = OWN.empty_table() if own is None else own
    return conform(run(CLASSIFIED, hosts=keyed, pages=pages.cast(PAGES), lists=lists, own=own), HOSTS)


def suffixes_of(hosts: pa.Table) -> pa.Table:
    """entry: every name under which a list may speak of one of these hosts (host)."""
    names = [normalise(name or "") for name in hosts["host"].to_pylist()]
    return run(SUFFIXES, hosts=pa.table({"name": pa.array(names, pa.string())}))


def overblocked(hosts: pa.Table) -> list[tuple[str, str, str]]:
    """site, list and category wherever an imported list gives a bad category to a site of HOSTS that is help or learning."""
    said = {(row["site"], also) for row in hosts.select(["site", "category", "also"]).to_pylist()
            if row["category"] in PROTECTED for also in row["also"]}
    parted = ((site, *also.removesuffix(")").split(" (", 1)) for site, also in said)
    return sorted((site, name, category) for site, category, name in parted
                  if category not in HARMLESS and name not in (STARTER, "own"))
