"""Small SQL that the readers share. DuckDB's trim looks at every letter of a line, so it is only let at lines that need it."""

from __future__ import annotations

# The line without its end.
BARE = r"CASE WHEN ends_with(text, E'\r\n') THEN left(text, -2) WHEN ends_with(text, E'\n') THEN left(text, -1) ELSE text END"
# Whether there is nothing on the line.
BLANK = r"CASE WHEN contains(E' \t\r\n', left(text, 1)) THEN trim(text, E' \t\r\n') = '' ELSE false END"


# Columns of the selects that are no fields of a product.
OURS = frozenset({"line", "byte", "text", "long", "fault", "zoned_time", "clock_time", "micros", "clock", "kept", "bytes_in",
                  "bytes_out", "duration_ms", "wrong"})


def literal(text: str) -> str:
    """`text` as a text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as the name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def column(name: str) -> str:
    """The column in which a split gives a source field: one that is called as a column of ours is has another name there."""
    return quoted(f"= {name}" if name.lower() in OURS else name)
