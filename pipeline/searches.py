"""Searches for what matters, read from the addresses of search engines and video sites.

Only requests for the day's engines are looked at, and each distinct search once. What is kept of a search is the term of
`rules/terms/` that it holds, and nothing where it holds none: the rest of what somebody typed is nobody's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from pipeline.engines import Engine, of_hosts, searched
from pipeline.sql import run
from pipeline.terms import Terms
from pipeline.visits import ADDRESSED

# Of an address only its path and the parameters that an engine may use; a page without one of them is no search.
ASKED = r"""
CREATE OR REPLACE TEMP TABLE search_asked AS
SELECT source, line, host, regexp_extract(url, '^(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*([^?#]*)', 1) AS path,
       regexp_extract_all(url, $parameters, 1) AS given
FROM lines SEMI JOIN search_hosts USING (host)
WHERE fate = 'request' AND kind = 'http' AND action IN ('allowed', 'blocked', 'warned') AND coalesce(setup, '') = ''
  AND coalesce(sealed, '') = '' AND url IS NOT NULL
"""
DISTINCT = "SELECT host, path, given FROM search_asked GROUP BY ALL"
FOUND = """
SELECT a.source, a.line, m.category, m.note, true AS search FROM search_asked a JOIN meant m USING (host, path, given)
"""


def searches(con: duckdb.DuckDBPyConnection, hosts: pa.Table, engines: Sequence[Engine], terms: Terms,
             gravity: Mapping[str, int]) -> pa.Table:
    """ADDRESSED: the searches of the day whose lines `con` calls `lines` that hold a term, with its category.

    `gravity`: a number for each category, 0 the gravest; it says what a search counts for that holds terms of several.
    """
    known = of_hosts(engines, dict(zip(hosts["host"].to_pylist(), hosts["site"].to_pylist(), strict=True)))
    if not known or not terms.terms:
        return ADDRESSED.empty_table()
    names = sorted({engine.parameter for those in known.values() for engine in those if engine.parameter})
    con.register("search_hosts", pa.table({"host": pa.array(list(known), pa.string())}))
    try:
        con.execute(ASKED, {"parameters": f"[?&;]((?:{'|'.join(names)})=[^&;#]*)"})
        rows = con.sql(DISTINCT).to_arrow_table()
        return run(FOUND, con=con, meant=_meant(rows, known, terms, gravity)).cast(ADDRESSED)
    finally:
        con.execute("DROP TABLE IF EXISTS search_asked")
        con.unregister("search_hosts")


def _meant(rows: pa.Table, known: Mapping[str, Sequence[Engine]], terms: Terms, gravity: Mapping[str, int]) -> pa.Table:
    """The addresses that search for a term: host, path, given, category and a sentence that holds the term."""
    told: dict[str, tuple[str, str] | None] = {}
    found = []
    for row in rows.to_pylist():
        text = searched(known[row["host"]], row["path"], row["given"])
        if text and text not in told:
            about = terms.about(text, gravity)
            told[text] = about and (about.category, f'searched with the words "{about.words}"')
        if text and (said := told[text]):
            found.append(row | {"category": said[0], "note": said[1]})
    return pa.Table.from_pylist(found, pa.schema([("host", pa.string()), ("path", pa.string()), ("given", pa.list_(pa.string())),
                                                  ("category", pa.string()), ("note", pa.string())]))
