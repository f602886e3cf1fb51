"""A line of JSON taken apart as a template: the bytes that lines of its kind share, and where between its quotes values stand."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

QUOTE = 34
DEEPEST = 40             # objects within objects
TOKEN = re.compile(rb'"[^"]*"|[^\s{}\[\],:"]+|[{}\[\],:]')

Path = tuple[str | int, ...]
SOURCE: Path = ("_source",)   # the document of what Elasticsearch found


class Spot(NamedTuple):
    """A value of a line: what it is (text, literal or container), where it begins and ends, and (of a list) its items."""

    kind: str
    begin: int
    end: int
    items: tuple[Spot, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Template:
    """One kind of line: its bytes, the places of its quotes, the values that vary, and the fields asked for."""

    line: bytes
    quotes: Sequence[int]
    varies: Sequence[Spot]
    fields: Mapping[str, Spot]

    def column(self, spot: Spot) -> int:
        """The number of the piece, between quotes, that a value is in."""
        return bisect_left(self.quotes, spot.begin)

    def around(self, spot: Spot) -> tuple[bytes, bytes]:
        """What stands in its piece before a value and behind it."""
        bounds = [-1, *self.quotes, len(self.line.rstrip(b"\r\n"))]
        number = self.column(spot)
        return self.line[bounds[number] + 1:spot.begin], self.line[spot.end:bounds[number + 1]]


def template_of(line: bytes, paths: Mapping[str, Sequence[Path]], scalar: frozenset[str]) -> Template | None:
    """The template that a line without escapes makes; none where it is no JSON, or where what it holds is not that plain."""
    try:
        json.loads(line)
        walk = _Walk(line.rstrip(b"\r\n"))
    except (ValueError, RecursionError):
        return None
    quotes = [at for at, byte in enumerate(line) if byte == QUOTE]
    gaps = [bisect_left(quotes, spot.begin) for spot in walk.varies if spot.kind == "literal"]
    if len(set(gaps)) < len(gaps) or not walk.varies:   # two literals between the same quotes
        return None
    fields: dict[str, Spot] = {}
    within = walk.values.get(SOURCE)
    above = SOURCE if within is not None and line[within.begin:within.begin + 1] == b"{" else ()
    for name, ways in paths.items():
        spots = [walk.values[(*above, *path)] for path in ways if (*above, *path) in walk.values]
        if not spots:
            continue
        if (len(spots) > 1 and spots[0].kind == "literal") or spots[0].kind == "odd":
            return None
        if spots[0].kind == "container" and name in scalar:
            return None
        fields[name] = spots[0]
    return Template(line, quotes, walk.varies, fields)


class _Walk:
    """A line taken apart: its values by path (of a key that stands twice the first), and those that vary in order."""

    def __init__(self, line: bytes) -> None:
        self.tokens = [(found.start(), found[0]) for found in TOKEN.finditer(line)]
        self.next = 0
        self.varies: list[Spot] = []
        self.values: dict[Path, Spot] = {}
        self._value((), self.values, 0)

    def _value(self, path: Path, known: dict[Path, Spot], depth: int) -> Spot:
        at, token = self.tokens[self.next]
        self.next += 1
        if depth > DEEPEST:
            raise ValueError("too deep")
        if token == b"{":
            made = self._members(path, known, depth, at)
        elif token == b"[":
            made = self._items(path, known, depth, at)
        elif token[:1] == b'"':
            made = Spot("text", at + 1, at + len(token) - 1)
        else:
            made = Spot("literal", at, at + len(token))
        if made.kind in ("text", "literal"):
            self.varies.append(made)
        known[path] = made
        return made

    def _members(self, path: Path, known: dict[Path, Spot], depth: int, at: int) -> Spot:
        keys: list[str] = []
        while self.tokens[self.next][1] != b"}":
            key = self.tokens[self.next][1][1:-1].decode()
            self.next += 2   # the key and its colon
            self._value((*path, key), {} if key in keys else known, depth + 1)
            keys.append(key)
            self.next += self.tokens[self.next][1] == b","
        self.next += 1
        return Spot("container" if len(set(keys)) == len(keys) else "odd", at, self._over(), keys=tuple(keys))

    def _items(self, path: Path, known: dict[Path, Spot], depth: int, at: int) -> Spot:
        items: list[Spot] = []
        while self.tokens[self.next][1] != b"]":
            items.append(self._value((*path, len(items)), known, depth + 1))
            self.next += self.tokens[self.next][1] == b","
        self.next += 1
        texts = all(item.kind == "text" for item in items)
        return Spot("container" if texts else "odd", at, self._over(), items=tuple(items))

    def _over(self) -> int:
        return self.tokens[self.next - 1][0] + 1
