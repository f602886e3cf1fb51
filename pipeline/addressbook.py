"""`rules/addresses.toml`: the shapes of addresses, read and tried out.

Every mark, copy and quiet shape stands there with addresses that it must see, and some that it must not; an entry that does not
do what it says is a problem and is left out, so that the rest still works.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import duckdb

from pipeline.problems import Problem
from pipeline.signals.address import Address, parted
from pipeline.signals.shapes import TESTS, Book, Copy, Mark, Name, Quiet
from pipeline.sql import run

WHERE = "rules/addresses.toml"
KEYS = {
    "mark": ("name", "says", "category", "holds", "look", "path", "query", "not_host", "upgraded", "test", "weak", "distinct",
             "again", "together", "reason", "fires", "quiet"),
    "host": ("name", "says", "category", "pattern", "reason", "fires", "quiet"),
    "copy": ("name", "holds", "look", "path", "query", "on_host", "reason", "fires", "quiet"),
    "quiet": ("name", "of", "host", "path", "query", "reason", "fires"),
}
NEEDED = {"mark": ("name", "says", "category", "holds", "reason", "fires", "quiet"),
          "host": ("name", "says", "category", "pattern", "reason", "fires", "quiet"),
          "copy": ("name", "holds", "reason", "fires", "quiet"), "quiet": ("name", "reason", "fires")}
# Used where the file is silent; their reasons stand there.
NUMBERS: Mapping[str, int] = {
    "archive_years": 3, "weak_kinds": 2, "tunnel_minutes": 10, "tunnel_megabytes": 20, "two_way_megabytes": 5,
    "film_megabytes": 60, "answered_bytes": 200, "camera_percent": 40, "silence_percent": 20, "busy_requests": 10,
    "rare_people": 2, "chatter_kilobytes": 500, "chatter_hours": 5,
    "history_days": 5, "used_requests": 20, "stay_slots": 2, "stay_megabytes": 3, "blocks": 3, "block_minutes": 5,
    "look_minutes": 15, "beside_requests": 2, "proof_requests": 3, "app_days": 3,
    "spread_pupils": 5, "spread_years": 2, "spread_crowd": 8, "spread_turned": 2, "spread_alone": 3,
}
TEXTS = ("name", "says", "category", "look", "path", "query", "host", "not_host", "on_host", "pattern", "test", "of", "reason")
LISTS = ("holds", "together", "fires", "quiet")
WORDS = ("scripts", "params", "lesson", "pictures", "papers", "gates", "ports", "extensions", "hints")


def read_shapes(text: str, categories: Collection[str] = (), where: str = WHERE) -> tuple[Book, list[Problem]]:
    """The shapes of a text and every fault in it. Without the file nothing is read of addresses: no text, no shape."""
    if not text.strip():
        return Book(), []
    try:
        body = tomllib.loads(text.lstrip("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        return Book(), [Problem(f"{where}:{found[1]}" if found else where, f"cannot be read: {error}", "quotes around words")]
    return _Reading(text, where, categories).book(body)


class _Reading:
    """Reads the file and keeps every fault in it."""

    def __init__(self, text: str, where: str, categories: Collection[str]) -> None:
        self.text, self.where, self.categories = text, where, categories
        self.faults: list[Problem] = []

    def book(self, body: Mapping[str, Any]) -> tuple[Book, list[Problem]]:
        """The book, without the entries at fault."""
        words = {name: frozenset(map(str, _many(about.get("words")))) for name, about in self._named(body, "words", WORDS)}
        numbers = dict(NUMBERS) | {name: value for name, about in self._named(body, "numbers", NUMBERS)
                                   if (value := self._whole(name, about)) is not None}
        ids = "|".join(map(re.escape, sorted(words.get("extensions", ())))) or "(?!)"
        made: dict[str, list[Any]] = {kind: [] for kind in KEYS}
        for kind in KEYS:
            for entry in self._entries(body, kind):
                made[kind] += self._made(kind, {name: value.replace("EXTENSIONS", ids) if isinstance(value, str) else value
                                                for name, value in entry.items()})
        given = body.get("targets")
        targets = {name: [str(one) for one in _many((given if isinstance(given, dict) else {}).get(name))]
                   for name in ("worth", "harmless")}
        for name in (*targets["worth"], *targets["harmless"]):
            self._category(name, name)
        return Book(made["mark"], made["host"], made["copy"], made["quiet"], words, numbers, frozenset(targets["worth"]),
                    frozenset(targets["harmless"])), sorted(set(self.faults))

    def say(self, near: str, what: str, try_this: str = "") -> None:
        """Keep one fault, at the line that holds `near`."""
        line = next((n for n, text in enumerate(self.text.splitlines(), 1) if near and near in text), 0)
        self.faults.append(Problem(f"{self.where}:{line}" if line else self.where, what, try_this))

    def _named(self, body: Mapping[str, Any], kind: str, known: Collection[str]) -> list[tuple[str, Mapping[str, Any]]]:
        """The tables under [words] or [numbers]: each must be known, and have a reason."""
        given = body.get(kind)
        tables = {name: about for name, about in (given if isinstance(given, dict) else {}).items() if isinstance(about, dict)}
        for name in sorted(set(known) ^ set(tables)):
            self.say(f"[{kind}.{name}]", f"{kind}.{name} is {'not known' if name in tables else 'missing'}", ", ".join(known))
        for name, about in tables.items():
            if not about.get("reason"):
                self.say(f"[{kind}.{name}]", f"{kind}.{name} has no reason", 'reason = "..."')
        return [(name, about) for name, about in tables.items() if name in known]

    def _entries(self, body: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
        """The entries of one kind that have what they need."""
        sound: list[Mapping[str, Any]] = []
        for entry in _many(body.get(kind)):
            if not isinstance(entry, dict):
                self.say(kind, f"{kind} is not a list of entries", f"[[{kind}]]")
                continue
            name = str(entry.get("name", ""))
            odd = [key for key, value in entry.items() if (key in TEXTS and not isinstance(value, str)) or (
                key in LISTS and not (isinstance(value, list) and all(isinstance(one, str) for one in value)))]
            if odd:
                self.say(name, f"{odd[0]} of {name or kind} is {entry[odd[0]]!r}", "text in quotes, or a list of such")
                continue
            missing = [key for key in NEEDED[kind] if not entry.get(key)]
            unknown = [key for key in entry if key not in KEYS[kind]]
            if missing:
                self.say(name, f"[[{kind}]] {name or 'without a name'} has no {', '.join(missing)}", f"{missing[0]} = ...")
            for key in unknown:
                self.say(key, f"{key!r} is not a word of [[{kind}]]", ", ".join(KEYS[kind]))
            if entry.get("of", "query") not in ("query", "folders"):
                self.say(name, f"of is {entry['of']!r}", "query or folders")
                continue
            if entry.get("test") and entry["test"] not in TESTS:
                self.say(entry["test"], f"{entry['test']!r} is not a test", ", ".join(TESTS))
                continue
            if not missing and not unknown and self._category(entry.get("category", ""), name):
                sound.append(entry)
        return sound

    def _whole(self, name: str, about: Mapping[str, Any]) -> int | None:
        """The value of a number; None, and a fault, where it is none."""
        value = about.get("value")
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.say(f"[numbers.{name}]", f"numbers.{name} is {value!r}, which is not a whole number", f"value = {NUMBERS[name]}")
        return None

    def _category(self, category: str, near: str) -> bool:
        if not category or not self.categories or category in self.categories:
            return True
        self.say(near, f"{category!r} is not a category", "one of categories.toml")
        return False

    def _made(self, kind: str, entry: Mapping[str, Any]) -> list[Any]:
        """The entry as what it stands for; none where an expression is broken or an example does not do what it should."""
        patterns = {}
        for key in ("path", "query", "host", "not_host", "on_host", "pattern", "look"):
            if key in entry:
                try:
                    patterns[key] = re.compile(entry[key], re.IGNORECASE)
                    if key in ("look", "pattern"):
                        run("SELECT regexp_matches('', $look)", {"look": entry[key]})  # DuckDB reads these too
                except (re.error, duckdb.Error) as error:
                    self.say(entry["name"], f"{key} of {entry['name']} is no expression: {error}", "a bracket that is not closed")
                    return []
        made = _make(kind, entry, patterns)
        wrong = [(example, True) for example in entry["fires"] if not sees(made, example)]
        wrong += [(example, False) for example in entry.get("quiet", ()) if sees(made, example)]
        for example, must in wrong:
            self.say(example, f"{entry['name']} must {'see' if must else 'not see'} {example}",
                     "mend the expression or the example")
        return [] if wrong else [made]


def _many(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _make(kind: str, entry: Mapping[str, Any], patterns: Mapping[str, re.Pattern[str]]) -> Mark | Name | Copy | Quiet:
    if kind == "mark":
        return Mark(entry["name"], entry["category"], entry["says"], tuple(piece.lower() for piece in entry["holds"]),
                    patterns.get("path"), patterns.get("query"), patterns.get("not_host"), bool(entry.get("upgraded")),
                    entry.get("test", ""), bool(entry.get("weak")), int(entry.get("distinct", 0)),
                    tuple(entry.get("together", ())), entry.get("look", ""), int(entry.get("again", 1)))
    if kind == "host":
        return Name(entry["name"], entry["category"], entry["says"], patterns["pattern"])
    if kind == "copy":
        return Copy(entry["name"], tuple(entry["holds"]), patterns.get("path"), patterns.get("query"), patterns.get("on_host"),
                    entry.get("look", ""))
    return Quiet(entry["name"], patterns.get("path"), patterns.get("query"), patterns.get("host"), str(entry.get("of", "")))


def sees(made: Mark | Name | Copy | Quiet, example: str) -> bool:
    """Whether an entry sees an example: a host, or an address from its first slash (`wss:` before it: an upgraded one)."""
    if isinstance(made, Name):
        return made.pattern.search(example) is not None
    address = of_example(example)
    if isinstance(made, Quiet):
        return any(made.fits(address.host, address.path, text) for text in (address.query, address.path + "?" + address.query))
    if isinstance(made, Mark | Copy) and not any(piece in address.text.lower() for piece in made.holds):
        return False
    return made.sight(address) is not None


def of_example(example: str) -> Address:
    """An example as an address on an ordinary host."""
    if example.startswith("wss:"):
        return parted("wss://plain.example" + example[4:], "plain.example")
    if example.startswith("/"):
        return parted("https://plain.example" + example, "plain.example")
    return parted("https://" + example, example.partition("/")[0])


def pieces(book: Book) -> Iterable[str]:
    """The expressions (RE2) of which every shape's addresses fit one, each once, in order."""
    shapes = [*((mark.look, mark.holds) for mark in book.marks), *((copy.look, copy.holds) for copy in book.copies)]
    return sorted({piece for look, holds in shapes for piece in ([f"(?:{look})"] if look else map(re.escape, holds))})
