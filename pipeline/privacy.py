"""Pseudonyms, and the words that must not stand in an address.

People, devices and client addresses are keyed pseudonyms from ingest on (HMAC-SHA-256; 55 of its bits, which keeps the
chance that two of ten thousand people meet below one in a hundred million). A plain hash would be guessable.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

LETTERS = 11


# A backslash before the digits of a byte that is no letter of UTF-8 is our own (`logfiles`), and divides nothing.
DOMAIN = re.compile(r"\\(?!x[89a-f][0-9a-f])")
# The entry of a directory: its name is what it begins with, or (`LDAP://server OU=…,DC=…/name`) what it ends with.
ENTRY = re.compile(r"(?:CN|UID)=((?:\\.|[^,\\])+)(?:,.*)?|LDAP://[^/]*/(.+)", re.IGNORECASE)


def login_key(raw: str) -> str:
    """The join key of a login: no DOMAIN\\ (once or doubled) before it, no @realm behind it, lower case.

    A directory entry is known by its name where that looks like a login; a person's name, with a space, may stand in two places
    of the directory for two people, so the whole entry is the key then.
    """
    text = raw.strip()
    if entry := ENTRY.fullmatch(text):
        name = re.sub(r"\\(.)", r"\1", entry[1] or entry[2]).strip().lower()
        return " ".join(text.lower().split()) if " " in name else name
    return DOMAIN.split(text)[-1].split("@", 1)[0].strip().lower()


def client_key(raw: str) -> str:
    """The join key of a client address: IPv4-mapped IPv6 as IPv4, no zone, lower case."""
    try:
        address = ipaddress.ip_address(raw.strip("[]").split("%", 1)[0])
    except ValueError:
        return raw.lower()
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def pseudonym(key: bytes, letter: str, text: str) -> str:
    """The keyed pseudonym of `text`: `letter` (p person, d device, s source) and eleven letters."""
    digest = hmac.digest(key, f"{letter}:{text}".encode("utf-8", "surrogateescape"), "sha256")
    return letter + base64.b32encode(digest)[:LETTERS].decode().lower()


def fits(patterns: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """A function from login key to the actor of the first of `patterns` (regular expression, actor) that fits; else ''."""
    compiled = [(re.compile(pattern), actor) for pattern, actor in patterns]

    def of(login: str) -> str:
        return next((actor for pattern, actor in compiled if pattern.search(login)), "")
    return of


def on_network(networks: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """A function from client key to the name of the narrowest of `networks` (name, CIDR) that holds it; else ''."""
    nets = sorted(((ipaddress.ip_network(cidr), name) for name, cidr in networks), key=lambda n: -n[0].prefixlen)

    def of(client: str) -> str:
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return ""
        return next((name for net, name in nets if address.version == net.version and address in net), "")
    return of


# Parameters of an address whose values are credentials, or name a person; the parameter stays, the value goes.
TELLING = (r"(?i)([?&;#](?:[^=&;#]*(?:token|passw|pwd|secret|auth|session|credential|jwt|signature|api_?key|e?mail|phone|login"
          r"|user|account)[^=&;#]*|key|sid|sig|code|state|name|upn|uid))=[^&;#]*")
USER_INFO = r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@"
MAIL = r"[A-Za-z0-9._+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
