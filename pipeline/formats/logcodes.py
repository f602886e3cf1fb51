"""The codes of Squid's `logformat` and Apache's `LogFormat`: what each means, and what the text it writes is like.

Facts: squid-cache/squid src/format/Token.cc, src/format/Quoting.cc and src/cf.data.pre; Apache's mod_log_config and mod_logio.
A meaning is one of ours (client_ip, url …) or a word for the time and the verdict; of several codes with one meaning the
lowest rank wins.
"""

from __future__ import annotations

import re
from typing import Any

NUMBER, WORD, FREE = "number", "word", "free"  # free: may hold spaces

SQUID: dict[str, tuple[str, str, int]] = {
    ">a": ("client_ip", WORD, 0), ">A": ("client_ip", WORD, 1), "proxy_protocol::>h{:src_addr}": ("client_ip", WORD, 2),
    ">h{x-forwarded-for}": ("client_ip", FREE, 3), ">ha{x-forwarded-for}": ("client_ip", FREE, 4),
    "un": ("user", FREE, 0), "ul": ("user", FREE, 1), "ue": ("user", FREE, 2), "us": ("user", FREE, 3), "ui": ("user", FREE, 4),
    ">rm": ("method", WORD, 0), "rm": ("method", WORD, 1), "<rm": ("method", WORD, 2),
    ">ru": ("url", FREE, 0), "ru": ("url", FREE, 1), "<ru": ("url", FREE, 2),
    ">rs": ("scheme", WORD, 0), "<rs": ("scheme", WORD, 1),
    "ssl::>sni": ("host", WORD, 0), "tls::>sni": ("host", WORD, 1), ">rd": ("host", WORD, 2), "<rd": ("host", WORD, 3),
    ">h{host}": ("host", FREE, 4),
    ">rP": ("port", NUMBER, 0), "<rP": ("port", NUMBER, 1),
    ">rp": ("path", FREE, 0), "rp": ("path", FREE, 1), "<rp": ("path", FREE, 2),
    ">Hs": ("status", NUMBER, 0), "Hs": ("status", NUMBER, 1), "<Hs": ("status", NUMBER, 2),
    "Ss": ("result", WORD, 0), "Sh": ("hierarchy", WORD, 0), "err_code": ("error", WORD, 0),
    "<st": ("bytes_in", NUMBER, 0), ">st": ("bytes_out", NUMBER, 0), "tr": ("duration", NUMBER, 0),
    "mt": ("content_type", WORD, 0), "<h{content-type}": ("content_type", FREE, 1),
    ">h{user-agent}": ("user_agent", FREE, 0), ">ha{user-agent}": ("user_agent", FREE, 1),
    ">h{referer}": ("referrer", FREE, 0), ">ha{referer}": ("referrer", FREE, 1),
    "ts.tu": ("seconds", NUMBER, 0), "ts": ("seconds", NUMBER, 1), "tS": ("start", NUMBER, 0), "tu": ("fraction", NUMBER, 0),
    "tl": ("local", FREE, 0), "tg": ("gmt", FREE, 0),
}
# Codes that say nothing of a request: ports, sizes and times are numbers; headers, notes and certificates may hold spaces.
SQUID_NUMBERS = (">p", ">lp", "lp", "<p", "<lp", "st", ">sh", "<sh", "<sH", "<sS", "<bs", "<pt", "<tt", "dt", "sn",
                 "icap::tt", "icap::tr", "icap::tio", "icap::>st", "icap::<st", "icap::<bs", "icap::Hs")
SQUID_FREE = (">h", "<h", ">ha", "ea", "et", "note", "err_detail", "credentials", "proxy_protocol::>h", "icap::>h", "icap::<h",
              "adapt::<last_h", "adapt::all_trs", "adapt::sum_trs",
              *(f"{space}::{code}" for space in ("ssl", "tls")
                for code in (">cert_subject", ">cert_issuer", "<cert_subject", "<cert_issuer", "<cert_errors", "<cert")))
SQUID_WORDS = ("la", ">la", "oa", "<a", "<A", "<la", ">v", "rv", ">rv", "<rv", ">eui", ">qos", "<qos", ">nfmark", "<nfmark",
               ">handshake", "master_xaction", "transport::>connection_id", "rG", "byte", "ssl::bump_mode",
               "icap::<A", "icap::<service_name", "icap::ru", "icap::rm", "icap::to")
_KNOWN = {code.partition("{")[0] for code in SQUID} | {*SQUID_NUMBERS, *SQUID_FREE, *SQUID_WORDS}
SQUID_CODE = re.compile(
    r"""%(?P<encoding>["'\[\#/])?(?P<left>-)?(?P<zero>0)?(?P<width>\d+)?(?:\.\d+)?(?:\{(?P<arg>[^}]*)\})?(?:http::)?"""
    rf"""(?P<code>{"|".join(map(re.escape, sorted(_KNOWN, key=len, reverse=True)))}|[a-z_]+::[<>]?\w+|[<>]?[A-Za-z_]+)"""
    r"""(?:\{(?P<later>[^}]*)\})?|%%""")

APACHE: dict[str, tuple[str, str, int]] = {
    "a": ("client_ip", WORD, 0), "h": ("client_ip", WORD, 1), "a{c}": ("client_ip", WORD, 2),
    "i{x-forwarded-for}": ("client_ip", FREE, 3),
    "u": ("user", FREE, 0), "l": ("user", FREE, 1), "m": ("method", WORD, 0),
    "U": ("path", FREE, 0), "q": ("query", FREE, 0),
    "i{host}": ("host", FREE, 0), "v": ("host", WORD, 1), "V": ("host", WORD, 2),
    "p": ("port", NUMBER, 0), "p{canonical}": ("port", NUMBER, 1), "p{local}": ("port", NUMBER, 2),
    ">s": ("status", NUMBER, 0), "s": ("status", NUMBER, 1), "<s": ("status", NUMBER, 2),
    "O": ("bytes_in", NUMBER, 0), "B": ("bytes_in", NUMBER, 1), "b": ("bytes_in", NUMBER, 2), "I": ("bytes_out", NUMBER, 0),
    "D": ("duration", NUMBER, 0), "T{us}": ("duration", NUMBER, 1), "T{ms}": ("duration", NUMBER, 2),
    "T{s}": ("duration", NUMBER, 3), "T": ("duration", NUMBER, 4),
    "i{user-agent}": ("user_agent", FREE, 0), "i{referer}": ("referrer", FREE, 0), "o{content-type}": ("content_type", FREE, 0),
    "t": ("local", FREE, 0), "t{usec}": ("seconds", NUMBER, 0), "t{msec}": ("seconds", NUMBER, 1),
    "t{sec}": ("seconds", NUMBER, 2),
    "t{usec_frac}": ("fraction", NUMBER, 0), "t{msec_frac}": ("fraction", NUMBER, 1),
}
APACHE_UNITS = {"D": "us", "T{us}": "us", "T{ms}": "ms", "T{s}": "s", "T": "s"}
APACHE_CODE = re.compile(r"%!?[\d,]*(?P<which>[<>])?(?:\{(?P<arg>[^}]*)\})?(?P<code>\^[A-Za-z]{2}|[A-Za-z])|%%")

_FAILED = ["0", "000", "500..511"]
# Matched by containing DENIED, never by being equal: TCP_DENIED_REPLY and TCP_DENIED_ABORTED are written too.
BY_RESULT: list[dict[str, Any]] = [
    {"when": {"url": "error:*"}, "action": "error"},
    {"when": {"result": "*DENIED*", "status": "400"}, "action": "error"},
    {"when": {"result": "*DENIED*", "status": ["401", "407"]}, "action": "auth"},
    {"when": {"result": "*DENIED*"}, "action": "blocked"},
    {"when": {"result": ["NONE*", "TAG_NONE*"], "status": "200", "method": "CONNECT"}, "action": "allowed", "setup": "tunnel"},
    {"when": {"result": ["NONE*", "TAG_NONE*"], "status": ["403", "451"], "method": "!CONNECT"},
     "action": "blocked", "setup": "twin"},
    {"when": {"result": ["NONE*", "TAG_NONE*"]}, "action": "error"},
    {"when": {"status": _FAILED}, "action": "error"},
    {"action": "allowed"},
]
BY_ERROR: list[dict[str, Any]] = [
    {"when": {"error": "ERR_CACHE_*DENIED"}, "action": "auth"},
    {"when": {"error": "*DENIED*"}, "action": "blocked"},
    {"when": {"error": "ERR_*"}, "action": "error"},
]
BY_STATUS: list[dict[str, Any]] = [
    {"when": {"status": ["401", "407"]}, "action": "auth"},
    {"when": {"status": ["403", "451"]}, "action": "blocked"},
    {"when": {"status": ["400", "408", *_FAILED]}, "action": "error"},
    {"action": "allowed"},
]


def squid_kind(code: str) -> str:
    """What the text of a Squid code without a meaning for us is like; one that is not known is a word."""
    return NUMBER if code in SQUID_NUMBERS else FREE if code in SQUID_FREE else WORD


def apache_kind(letter: str) -> str:
    """The same of an Apache code."""
    return NUMBER if letter in "kPS" else FREE if letter in ("i", "o", "n", "e", "C", "f", "R", "^ti", "^to") else WORD
