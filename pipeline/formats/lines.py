"""Small SQL that the readers share. DuckDB's trim looks at every letter of a line, so it is only let at lines that need it."""

from __future__ import annotations

from collections.abc import Iterable

# The line without its end (`left` would count its letters, `replace` looks for one).
BARE = r"CASE WHEN NOT ends_with(text, E'\r\n') THEN replace(text, E'\n', '') ELSE replace(text, E'\r\n', '') END"
# Whether there is nothing on the line.
BLANK = r"CASE WHEN contains(E' \t\r\n', left(text, 1)) THEN trim(text, E' \t\r\n') = '' ELSE false END"


# Words that only say that nothing is known, in small letters.
NOBODY = frozenset({"", "-", '""', "n/a", "none", "unknown", "anonymous", "not available", "unknown (sso failed)"})
# Columns that every split gives, and those that the select over it makes: a product may call its own fields so.
GIVEN = frozenset({"line", "byte", "text", "long", "fault"})
MADE = frozenset({"zoned_time", "clock_time", "micros", "clock", "kept", "bytes_in", "bytes_out", "duration_ms", "wrong"})


def literal(text: str) -> str:
    """`text` as a text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as the name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def column(name: str) -> str:
    """The column in which a split gives a source field."""
    return quoted(f"= {name}" if name.lower() in GIVEN else name)


def source(name: str) -> str:
    """The column of a source field in the select over a split."""
    return quoted(f"= {name}" if name.lower() in GIVEN | MADE else name)


def renamed(names: Iterable[str]) -> str:
    """All columns of a split under the names that they have in the select over it."""
    clashes = [f"{column(name)} AS {source(name)}" for name in names if column(name) != source(name)]
    return f"* RENAME ({', '.join(clashes)})" if clashes else "*"
