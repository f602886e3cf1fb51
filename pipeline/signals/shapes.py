"""What one address shows: the marks of a tool, a page sought through another, or a copy of a page.

A `Sight` is what was seen and what it needs to count: a decoded xor counts by itself, a plain address in a parameter only
where the page it names is one that pupils go round a filter for. The shapes themselves are data: `Book`, read from
`rules/addresses.toml`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from pipeline.signals.address import Address, Within, ending, last_name, names_of, within
from pipeline.signals.codecs import Target, decoded, plain

PROXY = "bypass_web_proxy"
COPY = "bypass_mirror_or_remote_desktop"
FETCHES = "a page that fetches another site"
OPEN_TEXT = frozenset({"plain", "as folders"})
QUOTED = frozenset({"hex", "base64"})  # codecs that ordinary sites use for addresses too
SERVED = re.compile(r"\.(php\d?|cgi|pl|aspx?|jsp|cfm|py)$", re.IGNORECASE)
DATA = re.compile(r"(^|[./])api[./]|/v\d/|/graphql|/rest/|[?&](format|f)=(json|xml)", re.IGNORECASE)
HEX_FIGURES = frozenset(b"0123456789abcdef")
FLAGS = frozenset({"b", "f", "hl", "norefer", "frame", "lang", "enc"})


class Need(IntEnum):
    """What a sight needs of the page that is sought, to count."""

    NOTHING = 0  # whatever it is
    NOT_HARMLESS = 1  # unless lists call it learning, help, background
    WORTH = 2  # only if it is what pupils go round a filter for, or the filter blocks it here


@dataclass(frozen=True)
class Sight:
    """One thing that an address shows. `part`, `together`: parts of a tool that count only together in one folder of a host;
    `distinct`: addresses of one host that it needs; `again`: how often one person must ask so."""

    name: str
    category: str
    says: str
    need: Need = Need.NOTHING
    target: Target | None = None
    weak: bool = False
    distinct: int = 0
    part: str = ""
    together: tuple[str, ...] = ()
    when: str = ""
    again: int = 1


@dataclass(frozen=True)
class Mark:
    """The fingerprint of a tool in path and query."""

    name: str
    category: str
    says: str
    holds: tuple[str, ...]
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    not_host: re.Pattern[str] | None = None
    upgraded: bool = False
    test: str = ""
    weak: bool = False
    distinct: int = 0
    together: tuple[str, ...] = ()
    look: str = ""
    again: int = 1

    def sight(self, address: Address) -> Sight | None:
        """What it sees in an address."""
        found = self.path.search(address.path) if self.path else None
        if (self.path and not found) or (self.upgraded and not address.upgraded):
            return None
        if self.query and not self.query.search(address.query):
            return None
        if (self.not_host and self.not_host.search(address.host)) or (self.test and not TESTS[self.test](address.query)):
            return None
        part = found["part"].lower() if self.together and found else ""
        return Sight(self.name, self.category, self.says, weak=self.weak, distinct=self.distinct, part=part,
                     together=self.together,
                     again=self.again)


@dataclass(frozen=True)
class Copy:
    """A service that shows a copy of a page."""

    name: str
    holds: tuple[str, ...]
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    on_host: re.Pattern[str] | None = None
    look: str = ""

    def sight(self, address: Address) -> Sight | None:
        """What it sees in an address."""
        if self.on_host and not self.on_host.search(address.host):
            return None
        found = [(p.search(text) if p else None) for p, text in ((self.path, address.path), (self.query, address.query))]
        if (self.path and not found[0]) or (self.query and not found[1]):
            return None
        told: dict[str, str] = {name: value for match in found if match for name, value in match.groupdict().items() if value}
        text = told.get("target", "")
        bare = plain("http://" + text) if text else None
        target = decoded(text) or (Target("plain", *bare) if bare else None)
        if target is None:
            return None
        return Sight(self.name, COPY, f"{self.name} of a page" if " copy" not in self.name else self.name, Need.WORTH, target,
                     when=told.get("when", ""))


@dataclass(frozen=True)
class Quiet:
    """An ordinary address that holds another address. `of`: query, folders or '', as `rules/addresses.toml` says."""

    name: str
    path: re.Pattern[str] | None = None
    query: re.Pattern[str] | None = None
    host: re.Pattern[str] | None = None
    of: str = ""

    def fits(self, host: str, path: str, query: str) -> bool:
        """Whether an address has this shape."""
        texts = ((self.path, path), (self.query, query), (self.host, host))
        return all(pattern is None or pattern.search(text) is not None for pattern, text in texts)


@dataclass(frozen=True)
class Name:
    """A host whose name says what it is."""

    name: str
    category: str
    says: str
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Book:
    """Every shape that is known."""

    marks: Sequence[Mark] = ()
    names: Sequence[Name] = ()
    copies: Sequence[Copy] = ()
    quiet: Sequence[Quiet] = ()
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    worth: frozenset[str] = frozenset()
    harmless: frozenset[str] = frozenset()

    def has(self, kind: str, word: str) -> bool:
        """Whether a word stands in one of the word lists."""
        return word in self.words.get(kind, ())


def sights(address: Address, book: Book) -> list[Sight]:
    """Everything that an address shows; nothing for nearly all of them."""
    low = address.text.lower()
    marks = [mark.sight(address) for mark in book.marks if any(piece in low for piece in mark.holds)]
    seen = [sight for sight in marks if sight]
    copy = next((sight for copy in book.copies
                 if any(piece in low for piece in copy.holds) and (sight := copy.sight(address))), None)
    if copy:
        return [*seen, *([] if copy.target and _is_data(copy.target, book) else [copy])]
    sought = [(found, _fetching(found, address, book)) for found in within(address)]
    named = next((found.target for found, _ in sought), None)
    seen = [Sight(**(vars(sight) | {"target": named})) if named and sight.target is None else sight for sight in seen]
    return [*seen, *(Sight(FETCHES, PROXY, FETCHES, need, found.target) for found, need in sought if need is not None)]


def _fetching(found: Within, address: Address, book: Book) -> Need | None:
    """What an address inside an address needs to count; None where it never does."""
    if found.name is not None and book.has("lesson", found.name):
        return None
    codec = found.target.codec
    if codec not in OPEN_TEXT | QUOTED:
        return Need.NOTHING
    if address.pictures or _quiet(found, address, book) or _is_picture(found.target, address, book):
        return None
    return _in_path(found, book) if found.name is None else _in_query(found, address, book)


def _quiet(found: Within, address: Address, book: Book) -> bool:
    """Whether the address is of an ordinary shape; of one in the path, only what stands before it is looked at."""
    if found.name is None:
        begin, rest = address.path[:len(found.before) + 8], address.path + "?" + address.query
        near = begin[found.before[:-1].rfind("/"):] if len(found.before) > 1 else begin
        return any(shape.fits(address.host, begin if shape.of == "folders" else near, rest)
                   for shape in book.quiet if (shape.path or shape.host) and shape.of != "query")
    near = "/" + "/".join(address.path.rstrip("/").rsplit("/", 2)[-2:]) if address.path.count("/") > 1 else address.path
    return any(shape.fits(address.host, address.path if shape.of == "folders" else near, address.query) for shape in book.quiet)


def _in_path(found: Within, book: Book) -> Need:
    """An address in the path: pages do not do this, but for services that take any page right after the first slash."""
    if found.target.codec == "plain" and (found.before == "/" or _is_data(found.target, book)):
        return Need.WORTH
    return Need.NOT_HARMLESS


def _in_query(found: Within, address: Address, book: Book) -> Need | None:
    """An address in the query, which half the web has: only behind a script that hands over pages."""
    script = address.path == "/" or book.has("scripts", last_name(address.path))
    served = SERVED.search(address.path) is not None
    others = set(names_of(address.query)) - {found.name}
    if found.name == "" and found.target.codec == "plain":
        if not (served or script):
            return None
        return Need.NOT_HARMLESS if served and not _is_data(found.target, book) else Need.WORTH
    if found.target.codec in QUOTED:
        flagged = served and bool(others & FLAGS)
        return Need.NOT_HARMLESS if (script or flagged) and book.has("params", found.name or "") else Need.WORTH
    if not script or not book.has("params", found.name or ""):
        return None
    if address.path == "/" and (others - FLAGS or found.name == "q"):  # a search engine's front page has q too
        return None
    return Need.NOT_HARMLESS if others & FLAGS - {"lang"} else Need.WORTH


def _is_picture(target: Target, address: Address, book: Book) -> bool:
    """Whether the page sought is a picture or a film, by its ending or that of the whole address."""
    return book.has("pictures", ending(target.rest)) or book.has("pictures", ending(address.path))


def _is_data(target: Target, book: Book) -> bool:
    """Whether the page sought is a document or data, which tools and lessons fetch by their address."""
    known = book.has("papers", ending(target.rest)) or book.has("pictures", ending(target.rest))
    return known or DATA.search(target.host + target.rest) is not None


def _turned(query: str) -> bool:
    """Whether the first value is an address of which every byte was moved on by a hex figure (php-proxy's usual way)."""
    raw = _bytes(query.partition("=")[2].partition("&")[0])
    return any(len(raw) > len(begin) and all((byte - sign) % 256 in HEX_FIGURES for byte, sign in zip(raw, begin, strict=False))
               for begin in (b"https://", b"http://"))


def _dns_message(query: str) -> bool:
    """Whether the value of `dns` is a look-up of a name: a head of twelve bytes with one question, then labels."""
    found = re.search(r"(?:^|&)dns=([\w-]{16,800})", query)
    raw = _bytes(found[1]) if found else b""
    return len(raw) > 16 and raw[4:6] == b"\0\1" and 0 < raw[12] < 64 and len(raw) > 13 + raw[12]


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text[: len(text) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


TESTS: Mapping[str, Callable[[str], bool]] = {"turned": _turned, "dns_message": _dns_message}


def named_for(host: str, book: Book) -> Iterator[Sight]:
    """What the name of a host shows by itself."""
    for name in book.names:
        if name.pattern.search(host):
            yield Sight(name.name, name.category, name.says)
    target = copied_host(host, book)
    if target:
        says = "a translated copy" if host.endswith(".translate.goog") else "a copy under another host's name"
        yield Sight(says, COPY, says, Need.WORTH, Target("name", target, ""))


def copied_host(host: str, book: Book) -> str:
    """The host that another's name holds, as in `www-site-com.translate.goog` or `site.com.stranger.example`; '' for none."""
    for service in (".translate.goog", ".cdn.ampproject.org"):
        if host.endswith(service):
            label = host.removesuffix(service).rsplit(".", 1)[-1]
            return label.replace("--", "\0").replace("-", ".").replace("\0", "-")
    if any(host == gate or host.endswith("." + gate) or f".{gate}." in f".{host}" for gate in book.words.get("gates", ())):
        return ""
    labels = host.split(".")
    left = labels[:-2]
    if len(left) >= 2 and left[-1] in COMMON_ENDINGS:
        return ".".join(left)
    dashed = next((label for label in left if "-" in label and label.rsplit("-", 1)[-1] in COMMON_ENDINGS), "")
    return dashed.replace("-", ".") if dashed.count("-") >= 1 else ""


COMMON_ENDINGS = frozenset({"com", "org", "net", "tv", "gg", "io", "me", "uk", "lol", "co"})
