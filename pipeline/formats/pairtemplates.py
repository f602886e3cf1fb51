"""A line of key=value taken apart as a template, and lines followed along it: one key, one value, the next key.

Programs write the pairs of their lines in one order: where a line before had its keys, this one has them too, a few bytes on.
Each key is compared where it must stand, and a value is all up to the sign that ends it; a line that has anything else anywhere
is not of the template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.formats import spans
from pipeline.formats.spans import FIRST, Bytes, Ints, Yes

QUOTE = 34
LONGEST_KEY, LONGEST_HEAD, MOST_PAIRS = 64, 64, 200
ROOM = LONGEST_KEY + LONGEST_HEAD + spans.PAD    # bytes that a template may look at behind the last line
PRIORITY = re.compile(rb"<\d{1,3}>[ \t\f]*")     # of syslog

Places = dict[int, tuple[Ints, Ints]]            # where the values of a field begin and end, by its number


@dataclass(frozen=True)
class Signs:
    """The bytes that stand between pairs and in a pair, and whether quotes may stand around values."""

    between: int
    assign: int
    quotes: bool

    @property
    def counted(self) -> int:
        """The byte that ends the values of which no byte is looked at: all its places in a block are found at once."""
        return QUOTE if self.quotes else self.between


class Lines(NamedTuple):
    """Lines of a block: their numbers, where each begins and ends (without its line end), and which of the places of the counted
    byte is its first."""

    data: Bytes
    counted: Ints
    number: Ints
    begin: Ints
    end: Ints
    first: Ints

    def some(self, which: Yes | Ints) -> Lines:
        """Only those that `which` says."""
        return self._replace(number=self.number[which], begin=self.begin[which], end=self.end[which], first=self.first[which])


class Pair(NamedTuple):
    """All that stands between the value before and this one; whether this one stands in quotes; the number of its field (-1: it
    is not asked for)."""

    before: bytes
    quoted: bool
    field: int


@dataclass(frozen=True)
class Template:
    """One kind of line: its pairs, how many bytes stand before the first, and how many of the counted byte are in all."""

    signs: Signs
    head: int
    pairs: Sequence[Pair]
    count: int

    def follow(self, lines: Lines) -> tuple[Ints, Places]:
        """The numbers of the lines that are of this kind, and the places of their fields."""
        told: Places = {}
        lines, at, told = _only(self._headed(lines), lines, lines.begin + self.head, told)
        nth = 0
        for place, pair in enumerate(self.pairs):
            fits = _stands(lines.data, at, pair.before)
            at = at + len(pair.before)
            if pair.quoted:
                fits &= lines.counted[lines.first + nth] == at - 1
            lines, at, told = _only(fits, lines, at, told)
            if not len(at):
                break
            if pair.quoted or not self.signs.quotes:
                last = not pair.quoted and place == len(self.pairs) - 1
                end = lines.end if last else lines.counted[lines.first + nth + pair.quoted]
                nth += 1 + pair.quoted
            else:
                end = np.minimum(spans.following(lines.data, at, lines.end, self.signs.between), lines.end)
            if pair.field >= 0:
                told[pair.field] = at, end
            at = end + pair.quoted
        lines, _, told = _only(at == lines.end, lines, at, told)
        return lines.number, told

    def _headed(self, lines: Lines) -> Yes:
        """Which lines have no pair in what stands before the first one here."""
        key = lines.begin + self.head
        fits = key < lines.end
        if self.head:
            fits &= spans.following(lines.data, lines.begin, np.minimum(key, lines.end), self.signs.assign) >= key
        return fits


def template_of(line: bytes, signs: Signs, fields: Mapping[bytes, int]) -> Template | None:
    """The template that a line without its end makes, for the `fields` (their numbers by key); none where it is more than words,
    and then pairs up to its end."""
    priority = PRIORITY.match(line)
    body = line[priority.end():] if priority else line
    between, assign = bytes([signs.between]), bytes([signs.assign])
    value = re.compile(rb'"[^"]*"|[^"%s]*' % re.escape(between) if signs.quotes else rb"[^%s]*" % re.escape(between))
    gap = body.rfind(between, 0, max(0, body.find(assign)))      # before the first key; -1: there is none
    if gap > LONGEST_HEAD or (gap >= 0 and not signs.quotes) or b'"' in body[:max(0, gap)]:
        return None
    pairs: list[Pair] = []
    asked, at = dict(fields), gap + 1
    while at <= len(body):
        key, sign, _ = body[at:].partition(assign)
        ends = value.match(body, at + len(key) + 1)
        if not sign or not 0 < len(key) <= LONGEST_KEY or between in key or b'"' in key or ends is None:
            return None
        if ends.end() < len(body) and body[ends.end()] != signs.between:
            return None
        quoted = signs.quotes and ends[0][:1] == b'"'
        before = between if pairs or gap >= 0 else b""
        pairs.append(Pair(before + key + assign + b'"' * quoted, quoted, asked.pop(key, -1)))
        at = ends.end() + 1
    return Template(signs, max(0, gap), pairs, body.count(bytes([signs.counted]))) if len(pairs) <= MOST_PAIRS else None


def _only(which: Yes, lines: Lines, at: Ints, told: Places) -> tuple[Lines, Ints, Places]:
    """Only those of the lines, and of what is known of them."""
    if which.all():
        return lines, at, told
    return lines.some(which), at[which], {field: (begin[which], end[which]) for field, (begin, end) in told.items()}


def _stands(data: Bytes, at: Ints, text: bytes) -> Yes:
    """At which places just these bytes stand. There is room behind each place."""
    eight = spans.eights(data)
    if len(text) < 8:
        return np.asarray(eight[at] & FIRST[len(text)] == np.uint64(int.from_bytes(text, "little")))
    fits = eight[at] == np.uint64(int.from_bytes(text[:8], "little"))
    for first in (*range(8, len(text) - 8, 8), len(text) - 8) if len(text) > 8 else ():
        fits &= eight[at + first] == np.uint64(int.from_bytes(text[first:first + 8], "little"))
    return np.asarray(fits)
