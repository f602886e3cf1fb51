"""A list from an https address: asked for only when it has changed, whole or not at all, and never for ever.

Plain http is for the loopback address only. A redirect may not lead from https to http.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from pipeline.problems import FailedError, Problem, UsageError

MOST = 1 << 28           # bytes of one download
SILENCE, LONGEST = 30.0, 600.0   # seconds without a byte, and in all
WAITS = (2.0, 10.0)      # seconds before the second and the third try
STEP = 1 << 16


@dataclass(frozen=True)
class Limits:
    """How long and how much; a test makes them small."""

    most: int = MOST
    silence: float = SILENCE
    longest: float = LONGEST
    waits: tuple[float, ...] = WAITS


def is_address(source: str) -> bool:
    """Whether a source is an address and no path."""
    return "://" in source


def fetch(url: str, to: Path, known: Mapping[str, str], limits: Limits | None = None) -> dict[str, str] | None:
    """Write what is at `url` to `to`; its `etag` and `modified`, or None when it is as `known` says.

    UsageError: an address that may not be asked. FailedError: it could not be had whole.
    """
    limits = limits or Limits()
    _allowed(url)
    for wait in (*limits.waits, None):
        try:
            return _try(url, to, known, limits)
        except _AgainError as error:
            if wait is None:
                raise FailedError(Problem(url, str(error), "again later; the list that is here stays in use")) from None
            time.sleep(wait)
    return None


class _AgainError(Exception):
    """What may be better at the next try."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        _allowed(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _allowed(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise UsageError(Problem(url, "is no https address", "https://, a file or a folder"))


def _try(url: str, to: Path, known: Mapping[str, str], limits: Limits) -> dict[str, str] | None:
    asked = {"If-None-Match": known.get("etag", ""), "If-Modified-Since": known.get("modified", ""),
             "User-Agent": "schoolgate", "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers={name: value for name, value in asked.items() if value})  # noqa: S310 (held to https above)
    ends = time.monotonic() + limits.longest
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=limits.silence) as answer:
            _save(url, answer, to, ends, limits)
            return {"etag": answer.headers.get("ETag") or "", "modified": answer.headers.get("Last-Modified") or ""}
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_MODIFIED:
            return None
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _AgainError(f"the server failed ({error.code})") from None
        raise FailedError(Problem(url, f"was refused by the server ({error.code})", "the address of the list")) from None
    except TimeoutError:
        raise _AgainError(f"said nothing for {limits.silence:g} seconds") from None
    except (OSError, HTTPException) as error:
        raise _AgainError(f"could not be reached or broke off ({type(error).__name__})") from None


def _save(url: str, answer: Any, to: Path, ends: float, limits: Limits) -> None:
    """The answer into the file, within its limits and as long as it was said to be."""
    length, taken = answer.headers.get("Content-Length") or "", 0
    with to.open("wb") as stream:
        while piece := answer.read1(STEP):
            taken += len(piece)
            if taken > limits.most:
                raise FailedError(Problem(url, f"is larger than {limits.most:,} bytes", "a smaller list"))
            if time.monotonic() > ends:
                raise _AgainError(f"took longer than {limits.longest:g} seconds")
            stream.write(piece)
    if length.isdecimal() and taken != int(length):
        raise _AgainError(f"broke off after {taken:,} of {int(length):,} bytes")
