"""Small SQL that the readers share. DuckDB's trim looks at every letter of a line, so it is only let at lines that need it."""

from __future__ import annotations

# The line without its end.
BARE = r"CASE WHEN ends_with(text, E'\r\n') THEN left(text, -2) WHEN ends_with(text, E'\n') THEN left(text, -1) ELSE text END"
# Whether there is nothing on the line.
BLANK = r"CASE WHEN contains(E' \t\r\n', left(text, 1)) THEN trim(text, E' \t\r\n') = '' ELSE false END"


def literal(text: str) -> str:
    """`text` as a text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as the name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'
