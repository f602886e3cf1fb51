"""One spelling of each name, whatever the format, and what no list may hold: suffixes, networks, names of the computer itself."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.hosts import endings, normalise
from pipeline.sql import run

FOUND = pa.schema([("line", pa.int64()), ("name", pa.string()), ("path", pa.string()), ("category", pa.string()),
                   ("mark", pa.string())])

# One spelling of each name, and what no list may hold. `www.` goes unless a suffix would be left.
TIDY = """
WITH stripped AS (
    SELECT line, path, category, mark,
           CASE WHEN name[1] IN ('.', '*') OR ends_with(name, '.')
                THEN rtrim(regexp_replace(lower(name), '^(\\*?\\.)+', ''), '.') ELSE lower(name) END AS name
    FROM found
), bare AS (
    SELECT line, path, category, mark,
           CASE WHEN starts_with(name, 'www.') AND contains(name[5:], '.')
                     AND name[5:] NOT IN (SELECT ending FROM endings WHERE kind <> 'not') THEN name[5:] ELSE name END AS entry
    FROM stripped
), parted AS (
    SELECT *, regexp_full_match(entry, '[0-9]+(\\.[0-9]+)*') OR contains(entry, ':') AS numbers,
           regexp_replace(entry, '^[^.]*\\.', '') AS above
    FROM bare
)
SELECT line, entry, path, category, mark,
       CASE WHEN mark NOT IN ('', '@', '!', '~') THEN mark
            WHEN entry IN ('localhost', 'localhost.localdomain', 'local', 'broadcasthost', '0.0.0.0', '127.0.0.1',
                           '255.255.255.255', '::', '::1') OR starts_with(entry, 'ip6-') THEN 'a name of the computer itself'
            WHEN numbers AND contains(entry, '/') THEN 'a network of addresses'
            WHEN numbers AND NOT regexp_full_match(entry, '([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}')
                 OR numbers AND regexp_matches(entry, '(^|\\.)(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2})(\\.|$)')
            THEN 'not a host name'
            WHEN NOT numbers AND (length(entry) > 253 OR NOT regexp_full_match(entry, '[a-z0-9_-]+(\\.[a-z0-9_-]+)*')
                                  OR length(entry) > 63 AND regexp_matches(entry, '[^.]{64}'))
            THEN 'not a host name'
            WHEN NOT numbers AND NOT contains(entry, '.') THEN 'a single label'
            WHEN path = '' AND (entry IN (SELECT ending FROM endings WHERE kind IN ('public', 'star'))
                 OR above IN (SELECT ending FROM endings WHERE kind = 'star')
                    AND entry NOT IN (SELECT ending FROM endings WHERE kind = 'not')) THEN 'a public suffix'
            ELSE '' END AS reason
FROM parted
"""


def tidied(found: pa.Table) -> pa.Table:
    """What a format's select found, in one spelling: line, entry, path, category, mark, reason (empty where it may stand)."""
    return run(TIDY, found=_ascii(found.select(FOUND.names).cast(FOUND)), endings=_endings())


def _ascii(found: pa.Table) -> pa.Table:
    """Names in international letters as `xn--`."""
    odd = pc.invert(pc.string_is_ascii(found["name"]))
    if not pc.any(odd).as_py():
        return found
    names = found["name"].filter(odd)
    spelt = {name: normalise(name.lstrip("*.")) for name in pc.unique(names).to_pylist()}
    mended = pa.array([spelt[name] for name in names.to_pylist()], pa.string())
    column = pc.replace_with_mask(found["name"].combine_chunks(), odd.combine_chunks(), mended)
    return found.set_column(found.column_names.index("name"), "name", column)


@cache
def _endings() -> pa.Table:
    """ending, kind: public, private, star (everything one label under it) or not (an exception of a star)."""
    rows = endings()
    return pa.table({"ending": pa.array(list(rows), pa.string()), "kind": pa.array(list(rows.values()), pa.string())})
