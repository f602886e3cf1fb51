"""A rule's TOML as text in, a `Rule` out, and every fault of it at once, with its line and the nearest word."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.problems import Problem
from pipeline.rulebook import Example, Rule
from pipeline.rulebook.stories import FORM, told
from pipeline.rulebook.vocabulary import NUMBERS, SIGNALS, TIMES, VOCABULARY, WORDS, amount, many
from pipeline.suggestions import nearest, offer

NEEDED = ("title", "clause", "why", "mistaken", "category")
KEYS = (*NEEDED, "watch", "when", "signal", "numbers", "fires", "quiet")


def read_rules(files: Mapping[str, str], categories: Collection[str] = ()) -> tuple[list[Rule], list[Problem]]:
    """Every rule of these TOML texts that is sound, in order of name, and every fault of the others.

    With `categories`, a rule may only name those.
    """
    rules, problems = [], []
    for path in sorted(files):
        if path.endswith(".toml"):
            rule, faults = _Reading(path, files[path], categories).rule()
            rules += [rule] if rule else []
            problems += faults
    return rules, problems


class _Reading:
    """Reads one rule and keeps every fault in it."""

    def __init__(self, path: str, text: str, categories: Collection[str]) -> None:
        self.path, self.text, self.categories = path, text, categories
        self.faults: list[Problem] = []

    def rule(self) -> tuple[Rule | None, list[Problem]]:
        """The rule, or none and its faults."""
        try:
            body = tomllib.loads(self.text.lstrip("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            at = f"{self.path}:{found[1]}" if found else self.path
            return None, [Problem(at, f"cannot be read: {error}", "quotes around words")]
        self._keys(body)
        category = tuple(many(body.get("category", [])))
        for name in category:
            if self.categories and name not in (*self.categories, "any"):
                self.say(self.line("category"), f"{name!r} is not a category", nearest(name, self.categories))
        self._when(body.get("when", {}))
        self._signal(str(body.get("signal", "")), body.get("numbers", {}))
        stories = {kind: self._examples(kind, body.get(kind, [])) for kind in ("fires", "quiet")}
        if self.faults:
            return None, self.faults
        name = self.path.rsplit("/", 1)[-1].removesuffix(".toml")
        title, clause, why, mistaken = (str(body[key]).strip() for key in NEEDED[:4])
        return Rule(name, title, clause, why, mistaken, category, body.get("when", {}), body.get("signal", ""),
                    body.get("numbers", {}), stories["fires"], stories["quiet"], self.path, body.get("watch") is True), []

    def say(self, line: int, what: str, try_this: str = "") -> None:
        """Keep one fault."""
        self.faults.append(Problem(f"{self.path}:{line}" if line else self.path, what, try_this))

    def line(self, key: str) -> int:
        """The first line that sets a key or opens its section."""
        pattern = rf"\s*(\[+\s*)?['\"]?{re.escape(key)}['\"]?\s*(=|\])"
        return next((n for n, text in enumerate(self.text.splitlines(), 1) if re.match(pattern, text)), 0)

    def _keys(self, body: Mapping[str, Any]) -> None:
        for key in body:
            if key not in KEYS:
                self.say(self.line(key), f"{key!r} is not a word of a rule", offer(key, KEYS))
        if not isinstance(body.get("watch", False), bool):
            self.say(self.line("watch"), f"watch is {body['watch']!r}", "watch = true")
        for key in NEEDED:
            if not body.get(key):
                self.say(0, f"has no {key}", f'{key} = "..."')
        if not body.get("when") and not body.get("signal"):
            self.say(0, "has neither [when] nor a signal, so it would fire on every visit", "[when]")

    def _when(self, when: Mapping[str, Any]) -> None:
        for word, said in when.items():
            if word == TIMES:
                self._times(said)
            elif word not in VOCABULARY:
                self.say(self.line(word), f"{word!r} is not a word of [when]", offer(word, WORDS))
            elif VOCABULARY[word].holds is None:
                if amount(said) is None:
                    self.say(self.line(word), f"{word} is {said!r}, which is not a number", f"{word} = 10")
            else:
                known = VOCABULARY[word].holds or ()
                for one in many(said):
                    if one not in known:
                        self.say(self.line(word), f"{word} cannot be {one!r}", offer(one, known))

    def _times(self, said: Any) -> None:
        sound = isinstance(said, dict) and not set(said) - {"at_least", "within"}
        if not sound or said.get("within", "1 day") != "1 day" or not isinstance(said.get("at_least"), int):
            self.say(self.line(TIMES), f"times is {said!r}", 'times = { at_least = 3, within = "1 day" }')

    def _signal(self, signal: str, numbers: Mapping[str, Any]) -> None:
        if signal and signal not in SIGNALS:
            self.say(self.line("signal"), f"{signal!r} is not a signal", offer(signal, SIGNALS))
            return
        wanted = NUMBERS.get(signal, ())
        for name in wanted:
            if not isinstance(numbers.get(name), int | float):
                self.say(self.line("numbers"), f"signal {signal} needs the number {name}",
                         f"{name} = 1 under [numbers]")
        for name in numbers:
            if name not in wanted:
                self.say(self.line(name), f"{name!r} is not a number of signal {signal or 'none'}",
                         nearest(name, wanted))

    def _examples(self, kind: str, bodies: Any) -> tuple[Example, ...]:
        if not isinstance(bodies, list) or not bodies:
            self.say(self.line(kind), f"has no example under [[{kind}]]", f"[[{kind}]] with a note and visits")
            return ()
        starts = [n for n, text in enumerate(self.text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{kind}\s*\]\]", text)]
        examples = [Example(str(body.get("note", "")), tuple(many(body.get("visits", []))), line)
                    for body, line in zip(bodies, [*starts, *[0] * len(bodies)], strict=False)]
        for example in examples:
            if not example.visits:
                self.say(example.line, f"an example of [[{kind}]] has no visits", f'visits = ["{FORM}"]')
            for text in example.visits:
                for fault in told(text)[1]:
                    self.say(example.line, f"in {text!r}: {fault[0]}", fault[1])
        return tuple(examples)
