"""A JSON array as lines: an element a line, so that line N is element N and what reads NDJSON reads an export too.

The array may stand alone, on one line or over many, or under a usual key of an object (`{"value": [...]}`), or where a search
of Elasticsearch has it (`{"hits": {"hits": [...]}}`). It is read as a stream, a character a byte, and no more than one element of
up to 1 MiB is held. An element that is no object is a line too, and so is what stands between elements and is no JSON: the reader
says what is wrong with each. One that never closes is the last line, without its line end, as the last line of a log that is
still written. All work is in proportion to the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

KEYS = frozenset({"records", "value", "data", "result", "logs", "items", "hits"})   # in small letters
BOM = "\xef\xbb\xbf"    # as a character a byte
HITS = "hits"           # an object that may hold the array one deeper
HEAD = 4096             # where an array must begin to be known
LONGEST = 1 << 20       # a longer element is a line that is too long
ENDING = 12             # a fault this near to the end of what is held may be that end: "-Infinit", "\ud83d\ude0"
MEMBERS = 50            # of an object, before the key that holds the array

SPACE = re.compile(r"[ \t\r\n]*")
GAP = re.compile(r"[ \t\r\n,]*")
ARRAY = re.compile(r'\[[ \t\r\n]*(?:\{[ \t\r\n]*(?:["}]|$)|$|\][ \t\r\n]*$)')
OBJECTS = re.compile(r'\[[ \t\r\n]*\{[ \t\r\n]*["}]')
RUN = re.compile(r"[^,{\]]*")
# Where the element behind a broken one begins; TURN is more than the longest such place.
NEXT = re.compile(r"\}[ \t\r\n]{0,99},[ \t\r\n]{0,99}(?=\{)")
TURN = 256
MARKS = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
INDENT = re.compile(r"\r?\n[ \t\r\n]*+")
SPACED = ("  ", " :", "\t", "\r", "{ ")
SQUEEZED = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|[ \t\r\n]++', re.DOTALL)
DECODER = json.JSONDecoder()


def is_array(head: bytes) -> bool:
    """Whether a file that begins so holds an array of objects, alone or under a usual key, and not an object a line."""
    text = head[:HEAD].decode("latin-1").removeprefix(BOM).lstrip(" \t\r\n")
    if text.startswith("["):
        return bool(ARRAY.match(text))
    return text.startswith("{") and _within(text)[0] > 0 and not _several(text)


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The elements of the array that `pieces` hold, each a line; those before the damage of a file come before its damage."""
    scan = _Scan()
    try:
        for piece in pieces:
            if found := scan.fed(piece):
                yield found
    except Exception:  # whatever the damage is, it is raised again behind what came before it
        yield scan.rest()
        raise
    yield scan.fed(b"", last=True)


def _within(text: str, at: int = 1) -> tuple[int, int]:
    """Where the array begins, behind its bracket, in an object that holds it under a usual key, and how many objects it is in;
    0 where there is none."""
    try:
        for _ in range(MEMBERS):
            key, at = DECODER.raw_decode(text, _past(text, at))
            at = _past(text, at, ":")
            if isinstance(key, str) and key.lower() in KEYS and OBJECTS.match(text, at):
                return at + 1, 1
            if key == HITS and text.startswith("{", at) and (inner := _within(text, at + 1))[0]:
                return inner[0], inner[1] + 1
            at = _past(text, DECODER.raw_decode(text, at)[1], ",")
    except (ValueError, RecursionError):
        pass
    return 0, 0


def _past(text: str, at: int, mark: str = "") -> int:
    """The place of what stands next, behind `mark`; ValueError where another stands there."""
    at = _skipped(SPACE, text, at)
    if not mark:
        return at
    if not text.startswith(mark, at):
        raise ValueError(mark)
    return _past(text, at + 1)


def _skipped(signs: re.Pattern[str], text: str, at: int) -> int:
    """The place behind the signs, none or many, that stand at `at`."""
    found = signs.match(text, at)
    return found.end() if found else at


def _several(text: str) -> bool:
    """Whether the first line is a whole object and another line follows."""
    first, _, more = text.partition("\n")
    try:
        return bool(more.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _end(text: str, at: int, last: bool) -> tuple[int, int]:
    """Where the element that begins at `at` ends, and where its JSON has a fault; -1 for what is not in what is held.

    It is looked for in twice as much each time: json counts the lines of all it was given before it says what is wrong.
    """
    size, whole = HEAD // 2, False
    while not whole and size <= LONGEST:
        size *= 2
        whole = len(text) - at <= size
        part = text[at:at + size]
        try:
            return at + DECODER.raw_decode(part)[1], -1
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Unterminated") and error.pos < len(part) - (0 if last and whole else ENDING):
                return -1, at + error.pos
        except (RecursionError, ValueError):  # too deep, or a number of thousands of digits
            return _closed(text, at, 0, False)[0], -1
    return -1, -1


def _closed(text: str, at: int, depth: int, quoted: bool) -> tuple[int, int, int, bool]:
    """Where what began `depth` brackets ago closes (-1: beyond `text`), how far it was read, and the state there."""
    for found in MARKS.finditer(text, at):
        mark, at = found[0], found.end()
        if mark == '"':
            quoted = not quoted
        elif quoted or mark[0] == "\\":
            continue
        else:
            depth += 1 if mark in "{[" else -1
        if depth <= 0 and not quoted:
            return at, at, depth, quoted
    torn = text.endswith("\\") and at < len(text)  # what it escapes comes with the next piece
    return -1, len(text) - torn, depth, quoted


class _Scan:
    """What is held of a stream, and where in the array it stands."""

    def __init__(self) -> None:
        self._text, self._at, self._wanted, self._last = "", 0, 0, False
        self._out: list[str] = []
        self._step = self._begin
        self._inside, self._wrapped = False, 0
        self._depth, self._quoted = 0, False

    def fed(self, piece: bytes, last: bool = False) -> bytes:
        """The lines that are whole with `piece`; with the `last` one, what never closed as well."""
        self._text, self._at = self._text[self._at:] + piece.decode("latin-1"), 0
        self._last = last
        return self.rest() if last or len(self._text) >= self._wanted else b""

    def rest(self) -> bytes:
        """The lines that are whole in what is held."""
        self._wanted = 0
        while self._at < len(self._text) and self._step():
            pass
        out, self._out = "".join(self._out), []
        return out.encode("latin-1")

    def _put(self, end: int, after: str = "") -> None:
        self._out += [self._text[self._at:end].replace("\n", " "), after]
        self._at = end

    def _more(self, wanted: int = 0) -> bool:
        """Not until as much again is held: what is looked at twice is looked at twice, and not once for each piece."""
        self._wanted = wanted or 2 * (len(self._text) - self._at)
        return False

    def _begin(self) -> bool:
        if len(self._text) < len(BOM) and not self._last:
            return self._more(len(BOM))
        self._at = len(BOM) if self._text.startswith(BOM) else 0
        self._step = self._between
        return True

    def _between(self) -> bool:
        """Before an element, or before an array: some exports are several behind one another."""
        self._at = _skipped(GAP, self._text, self._at)
        mark = self._text[self._at:self._at + 1]
        if not mark:
            return False
        if not self._inside and mark == "{" and len(self._text) - self._at < HEAD and not self._last:
            return self._more(HEAD)
        begun, depth = _within(self._text[self._at:self._at + HEAD]) if mark == "{" and not self._inside else (mark == "[", 0)
        if not self._inside and begun:
            self._at, self._inside, self._wrapped = self._at + begun, True, depth
        elif self._inside and mark == "]":
            self._at, self._inside, self._depth, self._quoted = self._at + 1, False, self._wrapped, False
            self._step = self._tail if self._wrapped else self._between
        elif mark in '{["':
            self._step = self._value
        else:
            self._put(self._at + 1)
            self._step = self._run
        return True

    def _value(self) -> bool:
        """An element: an object, or what else closes."""
        end, fault = _end(self._text, self._at, self._last)
        if end >= 0 and end - self._at <= LONGEST:
            self._whole(end)
        elif fault >= 0 and fault - self._at < LONGEST - ENDING:
            self._put(max(fault, self._at + 1))
            self._step = self._broken
        elif len(self._text) - self._at > LONGEST:
            self._depth, self._quoted, self._step = 0, False, self._long
        elif self._last:
            self._put(len(self._text))
        else:
            return self._more()
        return True

    def _whole(self, end: int) -> None:
        """An element as a line: as it stands, or without the spaces of a layout, which no format's lines have."""
        text = self._text[self._at:end]
        if "\n" in text:
            text = INDENT.sub("", text)
        if any(mark in text for mark in SPACED):
            text = SQUEEZED.sub(r"\1", text)
        self._out += [text, "\n"]
        self._at, self._step = end, self._between

    def _broken(self) -> bool:
        """Behind the fault of an element that is no JSON: it ends where the next one seems to begin."""
        if found := NEXT.search(self._text, self._at):
            self._put(found.start() + 1, "\n")
            self._step = self._between
            return True
        self._put(max(self._at, len(self._text) - (0 if self._last else TURN)))
        return False

    def _run(self) -> bool:
        """Within what is no element: up to a comma, an object or the end of the array."""
        self._put(_skipped(RUN, self._text, self._at))
        if self._at == len(self._text):
            return False
        self._out.append("\n")
        self._step = self._between
        return True

    def _long(self) -> bool:
        """Within an element of more than 1 MiB: handed on as it comes, to be told as too long."""
        end, reached, self._depth, self._quoted = _closed(self._text, self._at, self._depth, self._quoted)
        self._put(len(self._text) if self._last and end < 0 else reached, "\n" if end >= 0 else "")
        self._step = self._between if end >= 0 else self._long
        return end >= 0

    def _tail(self) -> bool:
        """Behind an array, to the end of the object that held it."""
        end, self._at, self._depth, self._quoted = _closed(self._text, self._at, self._depth, self._quoted)
        self._step = self._between if end >= 0 else self._tail
        return end >= 0
