"""One web address in its parts, and every other address written inside it, with the place where it stands.

Any text goes in; one that is no address has empty parts. Only the first letters are looked at, so no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_plus

from pipeline.signals.codecs import LONGEST, SHORTEST, Target, decoded, plain

LONGEST_ADDRESS = 8_000  # letters; servers refuse longer ones
MOST_PARTS = 40  # path segments and query values that are looked into; more is no address that a person is sent
SCHEME = re.compile(r"(?:https?|wss?)(?::|%3A|%253A)|uggcf?(?::|%3A)|h..[a-z|}~{\x7f](?:[a-z|}~{\x7f]|%7)", re.IGNORECASE)
ENDING = re.compile(r"\.([a-z0-9]{1,7})(?:$|[?&#;:@!])", re.IGNORECASE)


class Address(NamedTuple):
    """The parts of one address. `upgraded`: it opened a socket. `pictures`: what came back was pictures, films or fonts."""

    text: str
    scheme: str
    host: str
    path: str
    query: str
    upgraded: bool = False
    pictures: bool = False


class Within(NamedTuple):
    """An address inside another: what it is, what stands before it in the path, and the parameter that holds it.

    `name` is None in the path, and '' where the query as a whole is the address.
    """

    target: Target
    before: str
    name: str | None


def parted(text: str, host: str, upgraded: bool = False, pictures: bool = False) -> Address:
    """An address as logged, in its parts; the host is the one that the log names."""
    text = text[:LONGEST_ADDRESS].partition("#")[0]
    scheme, mark, rest = text.partition("://")
    if not mark or "/" in scheme or "?" in scheme:
        scheme, rest = "", text
    front, mark, query = rest.partition("?")
    slash = front.find("/")
    path = front[slash:] if slash >= 0 else "/"
    return Address(text, scheme.lower(), host, path, query if mark else "", upgraded or scheme.lower() in ("ws", "wss"), pictures)


def within(address: Address) -> Iterator[Within]:
    """Every address inside this one."""
    yield from _in_path(address.path)
    yield from _in_query(address.query)


def _in_path(path: str) -> Iterator[Within]:
    """Path segments; one that begins like a scheme goes on to the end, for slashes may stand in it as they are."""
    begin = 1
    for number, segment in enumerate(path[1:].split("/", MOST_PARTS)[:MOST_PARTS]):
        if number == 0 and segment.lower() in ("http", "https"):
            found = plain(f"{segment}://{path[begin + len(segment) + 1:][:LONGEST]}")
            if found:
                yield Within(Target("as folders", *found), "/", None)
        elif len(segment) >= 4:
            text = path[begin:begin + LONGEST] if SCHEME.match(segment) else segment
            target = decoded(text) if len(text) >= SHORTEST - 1 else None
            if target:
                yield Within(target, path[:begin], None)
                if text is not segment:
                    return
        begin += len(segment) + 1


def _in_query(query: str) -> Iterator[Within]:
    """The values of parameters, or the query as a whole."""
    if not query:
        return
    if SCHEME.match(query) and (target := decoded(query)):
        yield Within(target, "", "")
        return
    for pair in query.split("&", MOST_PARTS)[:MOST_PARTS]:
        name, mark, value = pair.partition("=")
        target = decoded(value) if len(value) >= SHORTEST - 1 else decoded(pair) if not mark and len(pair) >= SHORTEST else None
        if target:
            yield Within(target, "", unquote_plus(name[:40]).lower() if mark else "")


def names_of(query: str) -> list[str]:
    """The names of a query's parameters."""
    return [pair.partition("=")[0].lower() for pair in query.split("&", MOST_PARTS)[:MOST_PARTS] if pair]


def last_name(path: str) -> str:
    """The last name of a path, without its ending; '' for a folder at the root."""
    return path.rstrip("/").rsplit("/", 1)[-1].partition(".")[0].lower()


def ending(text: str) -> str:
    """The ending of the file that a path, or the rest of an address, names; '' where it names none."""
    path = re.split(r"[?#]|%3F|%23", text, maxsplit=1, flags=re.IGNORECASE)[0]
    found = ENDING.search(path[-12:])
    return found[1].lower() if found else ""
