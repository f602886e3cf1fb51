"""Host and port of an address: the SQL, and what each distinct beginning of an address was found to name."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from pipeline import coded, groups, sql
from pipeline.formats.known import Known

# Small words; `formats.md` rules for hosts: lower case, no port, no user-info, no final dot.
MACROS = r"""
CREATE OR REPLACE MACRO stated(word) AS
    CASE WHEN strlen(word) IN (0, 1, 2, 3, 4, 7, 9, 13, 20)   -- lengths are quicker to compare than words
              AND lower(word) IN ('', '-', '""', 'n/a', 'none', 'unknown', 'anonymous', 'not available', 'unknown (sso failed)')
         THEN NULL ELSE word END;
CREATE OR REPLACE MACRO authority_of(place) AS
    CASE WHEN starts_with(place, '//') THEN split_part(split_part(split_part(place, '/', 3), '?', 1), '#', 1)
         WHEN contains(place, '://') THEN split_part(split_part(split_part(place, '/', 3), '?', 1), '#', 1)
         WHEN starts_with(place, 'error:') OR starts_with(place, '/') THEN NULL
         WHEN regexp_matches(place, '^[^/?#]+:\d{1,5}$') THEN place
         WHEN contains(place, '.') THEN split_part(split_part(place, '/', 1), '?', 1)
    END;
CREATE OR REPLACE MACRO without_user(authority) AS
    CASE WHEN contains(authority, '@') THEN regexp_replace(authority, '^.*@', '') ELSE authority END;
CREATE OR REPLACE MACRO host_of(authority) AS
    nullif(rtrim(lower(
        CASE WHEN starts_with(authority, '[') THEN split_part(ltrim(authority, '['), ']', 1)
             WHEN length(authority) - length(replace(authority, ':', '')) > 1 THEN authority
             WHEN contains(authority, ':') THEN split_part(authority, ':', 1)
             ELSE authority END), '.'), '');
CREATE OR REPLACE MACRO port_of(authority, place) AS
    coalesce(CASE WHEN starts_with(authority, '[') OR length(authority) - length(replace(authority, ':', '')) = 1
                  THEN TRY_CAST(nullif(regexp_extract(authority, ':(\d{1,5})$', 1), '') AS INTEGER) END,
             CASE WHEN starts_with(place, 'https:') OR starts_with(place, 'tunnel:') OR starts_with(place, 'ssl:') THEN 443
                  WHEN starts_with(place, 'http:') THEN 80 WHEN starts_with(place, 'ftp:') THEN 21 END);
"""
# The host that the log names in a field of its own counts; the port is that field's, else the address's.
# (Each step stands by itself: macros inside macros would be written out hundreds of times over.)
PLACES = """
WITH said AS (
    SELECT "our n", place, CASE WHEN contains(named, '://') THEN named ELSE '//' || stated(named) END AS named FROM places
), parts AS (
    SELECT "our n", place, authority_of(place) AS authority, authority_of(named) AS own FROM said
), bare AS (
    SELECT "our n", place, without_user(authority) AS authority, without_user(own) AS own FROM parts
)
SELECT coalesce(host_of(own), host_of(authority)) AS host,
       coalesce(CASE WHEN contains(own, ':') THEN port_of(own, '') END, port_of(authority, place)) AS port
FROM bare ORDER BY "our n"
"""


class Places:
    """Host and port of the places that addresses begin with, on one connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        con.execute(MACROS)
        self.known = Known(sql.Prepared(PLACES, con, "places"), {"place": pa.string(), "named": pa.string()})

    def of(self, place: pa.DictionaryArray, named: pa.DictionaryArray) -> tuple[pa.DictionaryArray, pa.Array]:
        """Host and port, worked out once for each distinct beginning of an address and host named beside it."""
        values, at = groups.cases([place, named])
        found, where = self.known.of(values), pa.array(at.astype(np.int32))
        return coded.at(where, coded.whole(found["host"])), coded.whole(found["port"]).cast(pa.int32()).take(where)
