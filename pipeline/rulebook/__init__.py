"""The rules in `rules/detect/`: what each says in plain words, as SQL, and as examples that must fire or stay quiet.

A rule is one screen of TOML. Its `[when]` uses the words of the vocabulary, and nothing else; instead of them, or beside
them, it may name a signal with its `[numbers]`. Here is what a rule is once read.

    vocabulary  the words of [when] and the signals
    reading     the TOML of a rule, every fault at once, with its line and the nearest word
    compiling   a rule as one SQL condition over a visit and its verdict, and as phrases
    firing      a rule over the visits of a day
    stories     the grammar of an example's lines
    examples    an example as visits, and whether the rule does with them what it should
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.rulebook.vocabulary import TIMES
from pipeline.signals.acts import ACTS


@dataclass(frozen=True)
class Example:
    """A short story in the manager's words that must make a rule fire, or must not."""

    note: str
    visits: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True)
class Rule:
    """One rule: its words for people, when it fires, and its examples. `name` is its file name without `.toml`."""

    name: str
    title: str
    clause: str
    why: str
    mistaken: str
    category: tuple[str, ...]
    when: Mapping[str, Any] = field(default_factory=dict)
    signal: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    fires: tuple[Example, ...] = ()
    quiet: tuple[Example, ...] = ()
    file: str = ""
    watch: bool = False  # what it finds is counted and not shown

    @property
    def whole(self) -> bool:
        """Whether its signal looks at every visit of the day, so that its category is what it finds."""
        return self.signal in ACTS and ACTS[self.signal].whole

    @property
    def times(self) -> int:
        """How many matching visits of one subject in one school day make it fire; one where the rule does not say."""
        return int(self.when.get(TIMES, {}).get("at_least", 1))
