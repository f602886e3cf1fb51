"""Addresses written in another alphabet: in-browser and server-side proxies put the page that is sought into their own address,
plain, percent-encoded, base64, base32, hex, rot13, reversed, or mixed by xor.

`decoded` undoes any of them, also one inside another, and gives what it finds only where a whole web address with a host comes
out: chance does not write `https://` and a name. Texts are cut at `LONGEST`, so no text takes long.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

LONGEST = 2_000  # letters of a text that are looked at: the host stands at its beginning
DEEPEST = 3  # codecs one inside another; percent-encoding twice, then base64, is the most that is met
SHORTEST = 12  # letters: 'http://a.bc' has eleven, so anything shorter holds no address

ADDRESS = re.compile(
    r"(?P<scheme>https?|wss?)(?::|%3A)(?:/|%2F){1,2}(?:[^/@?#\s]{0,80}@)?"
    r"(?P<host>(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{1,59}|\d{1,3}))\.?"
    r"(?::(?P<port>\d{1,5}))?(?P<rest>(?:[/?#&%\\]|$).{0,400})", re.IGNORECASE | re.DOTALL)
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
BASE32 = re.compile(r"[A-Za-z2-7]{16,}={0,6}")
HEX = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}){11,})")
REVERSED = re.compile(r"//?:s?ptth$", re.IGNORECASE)


class Target(NamedTuple):
    """An address found inside another: the codec it was written in, its host, and what follows the host."""

    codec: str
    host: str
    rest: str


def plain(text: str) -> tuple[str, str] | None:
    """Host and rest of a text that is a web address as it stands; a slash may be missing, as some proxies merge two."""
    found = ADDRESS.match(text)
    if found is None:
        return None
    host = found["host"].lower()
    if found["host"][-1].isdigit() and not _dotted_quad(host):
        return None
    return host, found["rest"]


def _dotted_quad(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def decoded(text: str, depth: int = 0) -> Target | None:
    """The address that a text is, in whatever codec; None where it is none."""
    text = text[:LONGEST]
    for _ in range(3):
        found = plain(text)
        if found:
            return Target("plain" if depth == 0 else "", *found)
        if len(text) < SHORTEST:
            return None
        mixed = _mixed(text) or (_turned(text, depth) if depth < DEEPEST else None)
        if mixed or "%" not in text:
            return mixed
        bare = unquote(text, errors="replace")
        if bare == text:
            return None
        text = bare
    return None


def _mixed(text: str) -> Target | None:
    """Every second letter mixed by xor with one small number, as Ultraviolet, Dynamic and Corrosion do."""
    if text[0] not in "hH" or text[2] not in "tT":
        return None
    key = ord(text[1]) ^ ord("t")
    if not 1 <= key <= 31 or chr(ord(text[3]) ^ key) != "p":
        return None
    clear = "".join(chr(ord(letter) ^ key) if n % 2 else letter for n, letter in enumerate(text))
    found = plain(clear)
    return Target("xor", *found) if found else None


def _turned(text: str, depth: int) -> Target | None:
    """The codecs of whole texts. Each says at a glance whether it can be it, so most texts cost nothing."""
    for name, looks, turn in CODECS:
        if looks(text):
            clear = turn(text)
            found = decoded(clear, depth + 1) if clear else None
            if found:
                return found._replace(codec=f"{name} of {found.codec}" if found.codec else name)
    return None


def _base64(text: str) -> str:
    bare = text.strip("_").rstrip("=").replace("-", "+").replace("_", "/")
    return _text(lambda: base64.b64decode(bare[: len(bare) // 4 * 4] if len(bare) % 4 == 1 else bare + "=" * (-len(bare) % 4)))


def _base32(text: str) -> str:
    bare = text.rstrip("=").upper()
    return _text(lambda: base64.b32decode(bare[: len(bare) // 8 * 8]))


def _hex(text: str) -> str:
    found = HEX.match(text)
    return _text(lambda: bytes.fromhex(found[1])) if found else ""


def _text(turn: Callable[[], bytes]) -> str:
    """The text of some bytes; '' where they are none, or cannot be turned."""
    try:
        clear = turn().decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return clear if clear[:8].isprintable() else ""


CODECS: tuple[tuple[str, Callable[[str], bool], Callable[[str], str]], ...] = (
    ("hex", lambda text: HEX.fullmatch(text) is not None, _hex),
    ("base32", lambda text: text[:6].upper() == "NB2HI4" and BASE32.fullmatch(text) is not None, _base32),
    ("base64", lambda text: BASE64.fullmatch(text.strip("_")) is not None, _base64),
    ("rot13", lambda text: text[:4].lower() == "uggc", lambda text: codecs.decode(text, "rot13")),
    ("reversed", lambda text: REVERSED.search(text[-9:]) is not None, lambda text: text[::-1]),
)
