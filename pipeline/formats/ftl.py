"""Pi-hole's database, pihole-FTL.db, as the lines of a log: one JSON object a lookup, in order of `id`.

The rows are only ever added to, so a later reading goes on behind the last `id`. Whoever opens the file copies it first,
with the write-ahead log beside it (pihole-FTL.db-wal), and opens the copy read-only: FTL writes to it all day.
"""

from __future__ import annotations

MAGIC = b"SQLite format 3\0"
# `queries` is a table in old versions and a view over linked tables in newer ones, with the same names.
KNOWS = "SELECT count(*) FROM pragma_table_info('queries') WHERE name IN ('id', 'timestamp', 'status', 'domain', 'client')"
ROWS = """
SELECT json_object('id', id, 'timestamp', timestamp, 'type', type, 'status', status, 'domain', domain,
                   'client', client, 'forward', forward, 'additional_info', additional_info)
FROM queries WHERE id > ? ORDER BY id
"""
COLUMNS = 5  # what KNOWS counts in a database of Pi-hole
