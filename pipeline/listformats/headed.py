"""CSV: which column holds the sites, its header says."""

from __future__ import annotations

import pyarrow as pa

NAMED = ("entry", "domain", "host", "hostname", "name", "site", "url")
UNHEADED = "no header that names a column of sites"

# The delimiter is put before the line, so that every cell begins with one and none is an empty match.
CSV = """
WITH cut AS (
    SELECT line, text, CASE WHEN contains(text, '"') THEN regexp_extract_all($delimiter || text, $cell, 1)
                            ELSE string_split(text, $delimiter) END AS cells
    FROM lines
), told AS (
    SELECT line, text, len(cells) AS count, trim(replace(trim(cells[$name], ' "'), '""', '"')) AS site,
           CASE WHEN $category = 0 THEN '' ELSE trim(replace(trim(cells[$category], ' "'), '""', '"')) END AS category
    FROM cut
), parted AS (
    SELECT *,
           regexp_extract(site, '^(?:[A-Za-z][A-Za-z0-9+.-]*://|//)?(?:[^/@?#]*@)?'
                                '(\\[[0-9A-Fa-f:.]+\\]|[^/:?#]+)(?::[0-9]+)?([/?][^#]*)?(?:#.*)?$', ['name', 'path']) AS address
    FROM told
)
SELECT line, trim(address.name, '[]') AS name, coalesce(category, '') AS category,
       CASE WHEN starts_with(address.path, '?') THEN '/' || address.path
            WHEN contains(address.path, '?') THEN address.path ELSE rtrim(address.path, '/') END AS path,
       CASE WHEN text = '' OR starts_with(text, '#') OR line = $head THEN '#'
            WHEN (length(text) - length(replace(text, '"', ''))) % 2 = 1 THEN 'a quote that does not end'
            WHEN count <> $columns THEN 'another number of cells than the header'
            WHEN coalesce(site, '') = '' THEN 'an empty cell'
            ELSE '' END AS mark
FROM parted
"""


def layout(text: pa.Array) -> dict[str, object] | None:
    """How a CSV is laid out, from its first line that is no comment; None when no column holds sites."""
    for number, line in enumerate(text[:100].to_pylist(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        delimiter = max(",;\t", key=line.count)
        cells = [cell.strip(' "').lower() for cell in line.split(delimiter)]
        names = [cells.index(name) + 1 for name in NAMED if name in cells]
        if not names:
            return None
        inside = {"\t": "\\t"}.get(delimiter, delimiter)
        return {"delimiter": delimiter, "cell": f'{inside}\\s*("(?:[^"]|"")*"|[^{inside}]*)', "head": number, "name": names[0],
                "category": cells.index("category") + 1 if "category" in cells else 0, "columns": len(cells)}
    return None
