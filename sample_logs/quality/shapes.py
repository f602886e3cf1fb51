"""Addresses as web proxies leave them in a log: the prefixes, codecs and helper files of the tools that pupils use.

The codecs are described in the literature of those tools; prefixes and hosts here are invented.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import urllib.parse
from collections.abc import Callable
from random import Random

from .names import STEMS


def xor(url: str, key: int = 2) -> str:
    """Every second character turned over by a small key, as the common in-browser proxies do."""
    turned = "".join(chr(ord(letter) ^ key) if n % 2 else letter for n, letter in enumerate(url))
    return urllib.parse.quote(turned, "")


def b64(text: str) -> str:
    """Base64 for addresses, without its padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def quoted(text: str) -> str:
    """Percent-encoded whole."""
    return urllib.parse.quote(text, "")


def rot13(text: str) -> str:
    """Letters thirteen places on."""
    return codecs.encode(text, "rot13")


def digest(text: str, length: int = 32) -> str:
    """A hexadecimal digest, as in names of sessions and caches."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def in_browser(rng: Random) -> tuple[list[str], Callable[[str], str]]:
    """A service-worker proxy: the files that it loads, and the address a wanted page leaves."""
    folder = "/" + rng.choice(STEMS)
    kind = rng.choice(("uv", "uv", "scramjet", "dynamic", "bare", "wisp"))
    files = {"uv": [f"{folder}/uv.{part}.js" for part in ("bundle", "config", "handler", "sw")],
             "scramjet": [f"{folder}/scramjet.{part}" for part in ("all.js", "sync.js", "wasm.wasm")],
             "dynamic": [f"{folder}/dynamic.{part}.js" for part in ("config", "worker", "handler")],
             "bare": [f"{folder}/baremux/index.js", f"{folder}/baremux/worker.js"],
             "wisp": [f"{folder}/epoxy/index.mjs", f"{folder}/libcurl/index.mjs"]}[kind]
    key = rng.choice((2, 2, 2, 3))
    page = {"uv": lambda url: f"{folder}/{rng.choice(('go', 'service', 'lesson'))}/{xor(url, key)}",
            "scramjet": lambda url: f"{folder}/{quoted(url)}", "dynamic": lambda url: f"{folder}/{xor(url, key)}",
            "bare": lambda url: f"{folder}/v3/?cache={digest(url)}", "wisp": lambda url: f"{folder}/wisp/"}[kind]
    return files, page


def rewriting(rng: Random) -> tuple[list[str], Callable[[str], str]]:
    """A proxy that fetches pages itself: every page is an address of its own."""
    session = digest(str(rng.random()))
    shapes: tuple[tuple[list[str], Callable[[str], str]], ...] = (
        (["/newsession", f"/editsession?id={session}"], lambda url: f"/{session}/{url}"),
        (["/"], lambda url: f"/browse.php?u={quoted(url[url.index(':'):])}&b=28"),
        (["/"], lambda url: f"/?__cpo={b64('/'.join(url.split('/')[:3]))}"),
        (["/"], lambda url: f"/index.php?q={quoted(rot13(url))}&hl=2ed"),
        (["/"], lambda url: f"/nph-proxy.cgi/000100A/{url.replace('://', '/')}"),
        (["/client/unblocker-client.js"], lambda url: f"/{rng.choice(STEMS)}/{url}"),
        (["/"], lambda url: f"/web/_{b64('/'.join(url.split('/')[:3]))}_/{url.split('/', 3)[-1]}"),
        (["/"], lambda url: f"/main/{url}"))
    return rng.choice(shapes)
