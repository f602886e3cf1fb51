"""Where the filter names a category itself, the answer of each request: in order the school's own list, the filter's own
category, imported lists, bundled lists.

The filter's category speaks only of the request that carries it: an answer is of one host, log and category field, and never
spreads to the host. Lists hold against it in two cases: a host that they call help or learning is not made bad, which is told as
probable over-blocking; and what they call background stays it, for a page asked for it and no person.

All is worked out once for each host, log and category field that occur; a day whose logs hold none costs one look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import pyarrow as pa

from pipeline.detect import GRAVITY
from pipeline.formats.verdicts import UNMAPPED
from pipeline.policy import Category
from pipeline.sql import run
from pipeline.tables import FILTER_NAMES, conform, empty
from pipeline.vendors import Names, meaning

ANSWERS = pa.schema([("host", pa.string()), ("source", pa.string()), ("said", pa.string()), ("category", pa.string())])
PROTECTED = ("help_seeking", "learning")
LIGHTLY = {"help_seeking": 0.0, "learning": 0.1}  # of two names of one tier: help, then learning, then the rest

ANY = "SELECT 1 FROM lines WHERE vendor_category IS NOT NULL OR sealed_list = $unmapped LIMIT 1"

ASKED = """
SELECT coalesce(host, '') AS host, source, vendor_category AS said, count(*) AS requests,
       count(*) FILTER (action = 'blocked') AS blocked
FROM lines WHERE fate = 'request' AND action IN ('allowed', 'blocked', 'warned') AND vendor_category <> ''
GROUP BY ALL
"""

# Of every host, log and category field: what the lists say, what the filter says, and which of them holds.
WEIGHED = """
SELECT a.*, coalesce(h.site, a.host) AS site, coalesce(h.category, 'uncategorised') AS listed, m.vendor, m.category AS filtered,
       m.bad AND coalesce(p.protected, false) AS contested,
       CASE WHEN m.category IN ('', 'uncategorised') OR h.list = 'own' OR contested OR coalesce(p.background, false)
            THEN coalesce(h.category, 'uncategorised') ELSE m.category END AS category
FROM asked a JOIN meanings m USING (source, said) LEFT JOIN hosts h ON h.host = a.host
LEFT JOIN held p ON p.category = h.category
"""

DIFFERENT = "SELECT host, source, said, category FROM weighed WHERE category <> listed ORDER BY host, source, said"

# Help is told of only where it was blocked; so is learning, for what the filter lets through blocks nobody.
CONTESTED = """
SELECT vendor, said AS name, 'over-blocking' AS why, site, listed AS category, NULL::BIGINT AS people,
       sum(requests)::BIGINT AS requests, sum(blocked)::BIGINT AS blocked
FROM weighed WHERE contested GROUP BY ALL HAVING sum(blocked) > 0
"""

UNKNOWN = """
WITH met AS (
    SELECT source, vendor_category AS said, coalesce(person, client) AS subject, count(*) AS requests,
           count(*) FILTER (action = 'blocked') AS blocked
    FROM lines SEMI JOIN unknown ON unknown.source = lines.source AND unknown.said = lines.vendor_category
    WHERE fate = 'request' AND action IN ('allowed', 'blocked', 'warned') GROUP BY ALL
)
SELECT u.vendor, u.name, 'unmapped' AS why, '' AS site, '' AS category, count(DISTINCT subject) AS people,
       sum(requests)::BIGINT AS requests, sum(blocked)::BIGINT AS blocked
FROM met JOIN unknown u USING (source, said) GROUP BY u.vendor, u.name
"""

# The name itself was dropped with the address when the line was sealed, and who it was is nobody's business here.
SEALED = """
SELECT v.vendor, '' AS name, 'sealed' AS why, '' AS site, '' AS category, NULL::BIGINT AS people,
       count(*) AS requests, count(*) FILTER (action = 'blocked') AS blocked
FROM lines JOIN vendors v USING (source) WHERE fate = 'request' AND sealed_list = $unmapped GROUP BY v.vendor
"""

BY_PEOPLE = """
SELECT $day::DATE AS day, * FROM found ORDER BY why, people DESC NULLS LAST, requests DESC, vendor, name, site
"""


def answers(con: duckdb.DuckDBPyConnection, hosts: pa.Table, vendors: Mapping[str, Names], of: Mapping[str, str],
            categories: Mapping[str, Category], day: date) -> tuple[pa.Table, pa.Table]:
    """ANSWERS, the requests whose answer is another than their host's by the lists, and FILTER_NAMES of the day whose lines `con`
    calls `lines`. `of`: whose names each log's categories bear, by source."""
    if not run(ANY, {"unmapped": UNMAPPED}, con=con).num_rows:
        return ANSWERS.empty_table(), empty(FILTER_NAMES)
    weighed, unknown = weigh(run(ASKED, con=con), hosts, vendors, of, categories)
    sources = pa.table({"source": pa.array(list(of), pa.string()), "vendor": pa.array(list(of.values()), pa.string())})
    found = [run(CONTESTED, weighed=weighed), run(UNKNOWN, con=con, unknown=unknown),
             run(SEALED, {"unmapped": UNMAPPED}, con=con, vendors=sources)]
    names = run(BY_PEOPLE, {"day": day}, found=pa.concat_tables(found, promote_options="permissive"))
    return run(DIFFERENT, weighed=weighed).cast(ANSWERS), conform(names, FILTER_NAMES)


def weigh(asked: pa.Table, hosts: pa.Table, vendors: Mapping[str, Names], of: Mapping[str, str],
          categories: Mapping[str, Category]) -> tuple[pa.Table, pa.Table]:
    """`asked` (host, source, said) with `listed`, what the lists say by HOSTS, and `category`, what holds of that and the
    filter's own; and the filter's names that nobody mapped."""
    meanings, unknown = _meanings(asked, vendors, of, categories)
    return run(WEIGHED, asked=asked, meanings=meanings, hosts=hosts, held=_held(categories)), unknown


def _meanings(asked: pa.Table, vendors: Mapping[str, Names], of: Mapping[str, str],
              categories: Mapping[str, Category]) -> tuple[pa.Table, pa.Table]:
    """What each category field of each log means, and its names that nobody mapped; worked out once for each that occurs."""
    gravity = {name: GRAVITY.index(category.tier) + LIGHTLY.get(name, 0.9) for name, category in categories.items()}
    none = GRAVITY.index("none")
    known, unknown = [], []
    for row in asked.group_by(["source", "said"]).aggregate([]).to_pylist():
        vendor = of.get(row["source"], "")
        category, names = meaning(row["said"], vendors.get(vendor, {}), gravity)
        known.append(row | {"vendor": vendor, "category": category, "bad": gravity.get(category, none) < none})
        unknown += [row | {"vendor": vendor, "name": name} for name in names]
    text = [(name, pa.string()) for name in ("source", "said", "vendor")]
    return (pa.Table.from_pylist(known, pa.schema([*text, ("category", pa.string()), ("bad", pa.bool_())])),
            pa.Table.from_pylist(unknown, pa.schema([*text, ("name", pa.string())])))


def _held(categories: Mapping[str, Category]) -> pa.Table:
    """The categories in which lists hold against the filter."""
    return pa.table({"category": pa.array(list(categories), pa.string()),
                     "protected": [name in PROTECTED or body.help_seeking for name, body in categories.items()],
                     "background": [body.background for body in categories.values()]})
