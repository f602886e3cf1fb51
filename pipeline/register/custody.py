"""The custody log of sealed copies: what was taken into custody, and each opening, by whom, for whom and before which witness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.problems import Problem, UsageError
from pipeline.register.words import Body, Event, Written

TEST_SECONDS = 60  # a person runs a filter test by hand: page after page within the same minute
TEST_PAGES = "filter_check"


def taken(known: Iterable[Written], files: Mapping[str, tuple[int, str]]) -> list[Event]:
    """An entry for each copy that is not in custody yet: its name, its size and the SHA-256 of the encrypted file."""
    there = names(known)
    return [("taken", name, {"size": size, "sha256": digest}) for name, (size, digest) in sorted(files.items())
            if name not in there]


def names(entries: Iterable[Written]) -> set[str]:
    """The copies in custody."""
    return {entry.ref for entry in entries if entry.kind == "taken"}


def opened(copy: str, item: str, *, who: str, role: str, reason: str, to: str, witness: str, holder: str) -> Event:
    """The entry of an opening, written before the copy opens; UsageError says what it lacks."""
    given = (("why", reason), ("who it is for", holder), ("a witness", witness))
    faults = [f"needs {word}" for word, text in given if not text.strip()]
    faults += ["needs a witness who is somebody else"] if witness.strip() == who else []
    if faults:
        raise UsageError(*(Problem(item, fault) for fault in faults))
    return "opened", copy, {"who": who, "role": role, "reason": reason.strip(), "item": item, "for": holder.strip(),
                            "witness": witness.strip(), "to": to}


def altered(entries: Iterable[Written], files: Mapping[str, tuple[int, str]]) -> list[str]:
    """The copies in custody that are gone or no longer what was taken."""
    held: dict[str, Body] = {entry.ref: entry.body for entry in entries if entry.kind == "taken" and entry.body}
    return [name for name, body in sorted(held.items()) if files.get(name) != (body["size"], body["sha256"])]


def looks_like_a_test(item: Mapping[str, Any], others: Sequence[Mapping[str, Any]], visits: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a sealed item has the shape of a filter test: verdicts of two lists and an adult site, or a known test page, of the
    same subject within a minute. It stays sealed; a person links it to a check.

    `item` and `others`: subject, lists (names of verdicts) and started; `visits`: subject, category and started.
    """
    near = [row for row in visits if _near(item, row)]
    lists = {name for row in (item, *others) if _near(item, row) for name in row["lists"]}
    return any(row["category"] == TEST_PAGES for row in near) or (
        len(lists) > 1 and any(row["category"] == "pornography" for row in near))


def _near(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = one["started"], other["started"]
    apart: timedelta = abs(_time(first) - _time(second))
    return bool(one["subject"] == other["subject"]) and apart <= timedelta(seconds=TEST_SECONDS)


def _time(at: Any) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
