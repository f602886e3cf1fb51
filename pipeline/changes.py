"""What has changed in rules, lists and settings between two nights, said shortly enough to stand in a change log.

CSV files are compared by row (by their first column), TOML by dotted key, lists by entry. One change speaks of one
thing: a row, a key, a list, or a whole file. What names people is counted and never quoted.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMES = 10    # entries of a list that are named
ROWS = 50     # rows of a CSV that are said one by one
SHORT = 300   # letters of a value that are shown
COUNTED_FILES = ("people.csv",)
COUNTED_KEYS = ("nominated", "roles")                   # tables of school.toml that hold logins
COUNTED_COLUMNS = ("site_or_person", "username", "name")
NOT_SHOWN = "(not shown)"


@dataclass(frozen=True)
class Change:
    """One change: of what, `added`, `removed` or `changed`, from what to what, and of how many rows, values or entries."""

    object: str
    kind: str
    before: str
    after: str
    size: int
    mark: str = ""  # of what the file holds now: tells a second change apart from one seen twice


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Every change between two sets of files (text by name), by name of file and place in it."""
    made: list[Change] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        mark = hashlib.sha256((new or "").encode("utf-8", "surrogatepass")).hexdigest()[:16]
        try:
            made += [Change(*parts, mark) for parts in _of_file(name, old, new)]
        except csv.Error:
            made.append(Change(name, "changed", "", "it cannot be read as CSV", 0, mark))
    return made


Parts = tuple[str, str, str, str, int]


def _of_file(name: str, old: str | None, new: str | None) -> Iterator[Parts]:
    if old is None or new is None:
        size = _size(name, old or new or "")
        yield name, "added" if old is None else "removed", "", "", size
    elif name.rpartition("/")[2] in COUNTED_FILES:
        gone, come = _apart(_rows(old)[1], _rows(new)[1])
        yield _many(name, [NOT_SHOWN] * len(gone), [NOT_SHOWN] * len(come), shown=False)
    elif name.endswith(".csv"):
        yield from _of_csv(name, old, new)
    elif name.endswith(".toml"):
        yield from _of_toml(name, old, new)
    else:
        gone, come = _apart(_list(old), _list(new))
        yield _many(name, gone, come) if gone or come else (name, "changed", "comments", "comments", 0)


def _size(name: str, text: str) -> int:
    """How many rows, values or entries a whole file holds."""
    if name.endswith(".csv"):
        return len(_rows(text)[1])
    if name.endswith(".toml"):
        return len(_dotted(text) or ())
    return len(_list(text))


def _many(what: str, gone: list[str], come: list[str], shown: bool = True) -> Parts:
    """One change that takes and gives several entries, the first few of them named."""
    kind = "changed" if gone and come else "removed" if gone else "added" if come else "changed"
    say = _few if shown else _count
    return what, kind, say(gone), say(come), max(len(gone), len(come)) if kind == "changed" else len(gone) + len(come)


def _few(entries: list[str]) -> str:
    named = ", ".join(_short(entry) for entry in entries[:NAMES])
    return named + (f" and {len(entries) - NAMES} more ({len(entries)} in all)" if len(entries) > NAMES else "")


def _count(entries: list[str]) -> str:
    return f"{len(entries)} {NOT_SHOWN}" if entries else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHORT else text[:SHORT] + "…"


def _apart(old: Iterable[Any], new: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """What only `old` holds and what only `new` holds, in order; entries that stand twice count twice."""
    old, new = list(old), list(new)
    had, has = Counter(old), Counter(new)
    return _spare(old, had - has), _spare(new, has - had)


def _spare(entries: Iterable[Any], spare: Counter[Any]) -> list[Any]:
    kept = []
    for entry in entries:
        if spare[entry] > 0:
            spare[entry] -= 1
            kept.append(entry)
    return kept


def _list(text: str) -> list[str]:
    lines = (line.partition("#")[0].strip().lower() for line in text.splitlines())
    return [line.removeprefix(".") for line in lines if line]


Row = tuple[str, ...]


def _rows(text: str) -> tuple[Row, list[Row]]:
    """The heading and the rows, without spaces around the cells and without empty rows."""
    read = [tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))]
    rows = [row for row in read if any(row)]
    return (rows[0], rows[1:]) if rows else ((), [])


def _of_csv(name: str, old: str, new: str) -> Iterator[Parts]:
    (head, was), (heading, now) = _rows(old), _rows(new)
    if head != heading:
        yield f"{name} (columns)", "changed", ", ".join(head), ", ".join(heading), 1
    gone, come = _apart([_named(head, row) for row in was], [_named(heading, row) for row in now])
    keys = list(dict.fromkeys(row[0][1] for row in [*gone, *come]))
    if len(keys) > ROWS:
        yield _many(name, [row[0][1] for row in gone], [row[0][1] for row in come])
        return
    for key in keys:
        yield _row(f"{name} {_short(key)}", [r for r in gone if r[0][1] == key], [r for r in come if r[0][1] == key])
    if head == heading and not gone and not come:
        yield name, "changed", "spacing or order", "spacing or order", 0


Named = tuple[tuple[str, str], ...]


def _named(head: Row, row: Row) -> Named:
    """A row as (column, cell) pairs; the first is the key whatever its column, and later empty cells are left out."""
    names = [*head, *("?" for _ in row[len(head):])]
    pairs = list(zip(names, row, strict=False))
    return tuple(pairs[:1] + [pair for pair in pairs[1:] if pair[1]])


def _row(what: str, gone: list[Named], come: list[Named]) -> Parts:
    """The change of the rows of one key; of a single row only the cells that differ are shown."""
    kind = "changed" if gone and come else "removed" if gone else "added"
    if len(gone) == len(come) == 1:
        was, now = _apart(gone[0], come[0])
        return what, kind, _cells(was), _cells(now), 1
    say = [" / ".join(_cells(row[1:]) for row in rows) for rows in (gone, come)]
    return what, kind, _short(say[0]), _short(say[1]), max(len(gone), len(come))


def _cells(pairs: Iterable[tuple[str, str]]) -> str:
    said = (f"{name}: {NOT_SHOWN if name in COUNTED_COLUMNS else value}" for name, value in pairs)
    return _short("; ".join(said))


def _of_toml(name: str, old: str, new: str) -> Iterator[Parts]:
    was, now = _dotted(old), _dotted(new)
    if was is None or now is None:
        state = ["it cannot be read" if value is None else "" for value in (was, now)]
        yield name, "changed", state[0], state[1], 0
        return
    keys = [key for key in dict.fromkeys([*was, *now]) if was.get(key, ...) != now.get(key, ...)]
    for key in keys:
        yield _value(f"{name} {key}", key, was.get(key), now.get(key))
    if not keys:
        yield name, "changed", "comments", "comments", 0


def _value(what: str, key: str, old: Any, new: Any) -> Parts:
    """The change of one value of a TOML file; lists by their entries, what names people by count."""
    if key in COUNTED_KEYS:
        return _many(what, *_apart(_pairs(old), _pairs(new)), shown=False)
    if isinstance(old, list | None) and isinstance(new, list | None):
        return _many(what, *_apart(map(_said, old or []), map(_said, new or [])))
    kind = "added" if old is None else "removed" if new is None else "changed"
    said = ["" if value is None else _short(_said(value)) for value in (old, new)]
    return what, kind, said[0], said[1], 1


def _pairs(table: Any) -> list[str]:
    """Every key with each of its values, of a table that is counted."""
    if not isinstance(table, dict):
        return [] if table is None else [_said(table)]
    return [f"{key}: {_said(one)}" for key, value in table.items() for one in (value if isinstance(value, list) else [value])]


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _dotted(text: str) -> dict[str, Any] | None:
    """Each value by its dotted key; a list is one value. None when the text is not TOML."""
    try:
        return dict(_leaves(tomllib.loads(text), ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _leaves(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and above + key not in COUNTED_KEYS:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value
