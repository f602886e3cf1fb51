"""What the pages share: text made safe to show, sites that cannot be clicked, small counts withheld, and the grid of a table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from pipeline.pages.wording import NONE, number, several
from pipeline.schoolday import local

LONGEST = 160
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ADDRESS = re.compile(r"""
    \S*://\S* | \S+@\S+                                            # addresses of pages and of people
    | \b\d{1,3}(?:\.\d{1,3}){3}\b | \b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,}\b
    | \b[\w-]+(?:(?:\.|\[\.\])[\w-]+)*(?:\.|\[\.\])[^\W\d_]{2,}\b    # sites, made unclickable or not
    | \b[pd](?=[a-z]*(?:[2-7]|[b-df-hj-np-tv-xz]{5}))[a-z2-7]{11}\b  # pseudonyms, which no English word looks like
    """, re.X | re.I)
SITE = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\w-]+(?:\.[\w-]+)*\.(?!(?:csv|toml|txt|log)\b)[^\W\d_]{2,}\b")
OUTCOMES = {"blocked": "Blocked: the filter let nothing through.",
            "allowed": "Allowed: the filter let it through.",
            "mixed": "Some was blocked and some was let through."}


@dataclass(frozen=True)
class Grid:
    """A table to lay out: caption, column heads, rows of text, and which columns are numbers."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


def visible(text: str) -> str:
    """`text` with control, bidi and other unseen characters written out by their number in Unicode, such as U+202E."""
    if text.isprintable():  # nearly every text of a page: letter by letter this was a tenth of a small night
        return text
    return "".join(f"‹U+{ord(c):04X}›" if unicodedata.category(c) in HIDDEN else c for c in text)


def cut(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, at most `longest` characters, an ellipsis where the rest was."""
    flat = " ".join(text.replace("\r", " ").replace("\n", " ").split(" "))
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def said(value: object, longest: int = LONGEST) -> str:
    """Any value as text for a page: empty for None, unseen characters shown, cut."""
    return "" if value is None else cut(visible(cut(str(value), longest)), longest * 2)


def texts(values: object, longest: int = LONGEST) -> tuple[str, ...]:
    """Each of several values as text for a page; nothing gives none, one text gives one."""
    if values is None or values == "":
        return ()
    several = values if isinstance(values, Iterable) and not isinstance(values, str) else (values,)
    return tuple(said(value, longest) for value in several)


def defang(site: object) -> str:
    """A site or address that nobody can click by accident: bad[.]example, hxxp."""
    text = re.sub(r"(?i)\bhttp", "hxxp", said(site, 80))
    return text.replace(".", "[.]").replace("://", "[://]")


def defanged(text: object, longest: int = 240) -> str:
    """A sentence in which every site or address is made unclickable."""
    return SITE.sub(lambda found: found[0].replace(".", "[.]"), re.sub(r"(?i)\bhttp(?=s?:)", "hxxp", said(text, longest)))


def anonymous(text: object, longest: int = 300) -> str:
    """`text` with whatever looks like an address, login or pseudonym taken out: for pages that may hold none."""
    return ADDRESS.sub("(withheld)", said(text, longest))


def clock(at: object, zone: str) -> str:
    """The local hour and minute of a moment; a dash for none; a text as it stands."""
    if at is None or at != at:  # noqa: PLR0124
        return NONE
    return f"{local(at, zone):%H:%M}" if isinstance(at, datetime) else said(at, 40)


def hidden_of(hidden: Mapping[str, int]) -> str:
    """The sentence that says how much exceptions and rules on watch keep from a page: counts by why; empty for none."""
    many = sum(hidden.values())
    if not many:
        return ""
    what = several(many, "detection is", "detections are")
    return (f"{what} not shown here, by {several(len(hidden), 'decision')} of the school: "
            "exceptions in rules/exceptions.csv and rules on watch. Nothing is deleted; the nightly report lists them.")


def versions_of(versions: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """What made the page, a pair a line; a nested mapping (heads of registers) is laid flat."""
    flat: list[tuple[str, str]] = []
    for name, value in versions.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        flat += [(said(f"{name} {key}".strip().replace("_", " ")), said(text, 80)) for key, text in inner]
    return tuple(flat)


class Plain(str):
    """Text of the program or the policy that has passed `anonymous`: the only text that a nameless page holds."""

    __slots__ = ()

    def __new__(cls, text: object = "", longest: int = 300) -> Plain:
        return super().__new__(cls, anonymous(text, longest))


class Site(str):
    """A site, made unclickable: what a nameless page holds in a `Service` and nowhere else."""

    __slots__ = ()

    def __new__(cls, site: object) -> Site:
        return super().__new__(cls, defang(site))


@dataclass(frozen=True)
class Nameless:
    """Page data for readers who are told of nobody: every text in it is `Plain`, all the way down, else a TypeError."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _hold(getattr(self, field.name), f"{type(self).__name__}.{field.name}")


def _hold(value: Any, where: str) -> None:
    if isinstance(value, tuple):
        for inner in value:
            _hold(inner, where)
    elif not isinstance(value, Plain | Nameless | int | float | date | None):
        raise TypeError(f"{where} may hold no {type(value).__name__}")


@dataclass(frozen=True)
class Count(Nameless):
    """A count as a page may print it: the number, or the words that stand in its place."""

    label: Plain
    shown: Plain
    value: int | None


@dataclass(frozen=True)
class Service(Nameless):
    """A site that enough people asked for to stand on a page for leaders: `people` at least `least`, else a ValueError."""

    site: Site
    what: Plain
    people: int
    least: int

    def __post_init__(self) -> None:
        if not isinstance(self.site, Site) or not isinstance(self.what, Plain):
            raise TypeError("a service is a Site with a Plain text")
        if self.people < self.least:
            raise ValueError(f"a site of fewer than {self.least} people may not be named")


@dataclass(frozen=True)
class Basis(Nameless):
    """What a page rests on: how complete the logs were, which questions of the policy touched it, and what no log can show."""

    heard: Plain
    questions: Plain
    limits: tuple[Plain, ...]


def shown(label: str, value: int | None, small: int) -> Count:
    """The most of any one day, or the words in its place: it is withheld only where it is small."""
    return Count(Plain(label), Plain(f"fewer than {small}" if value is None else number(value)), value)


def counted(label: str, value: int | None) -> Count:
    """A count as the ledger lets it stand, or the word in its place: why it is withheld would tell how many there are."""
    return Count(Plain(label), Plain("withheld" if value is None else number(value)), value)
