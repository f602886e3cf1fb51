"""What others expect of a school beyond its own policy: `rules/guidance/*.toml`, versioned, and switched on or off with a reason.

It is never merged into the policy: pages and commands show it apart, as not in the school's policy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from pipeline.policy.book import Book
from pipeline.policy.values import Duty, Guidance
from pipeline.suggestions import nearest_or_all

HEAD = ("title", "as_at", "on", "reason", "tell")
REPEAT = "repeat"  # beside the rows of table 7.2: who is told of any repeat


def read_guidance(book: Book, file: str, rows: Collection[str]) -> Guidance:
    """The guidance of one file; its faults are in the book."""
    body = book.toml(file)
    as_at = book.day(file, body, "as_at") if body else None
    _switched(book, file, "", body)
    tell = {row: tuple(map(str, who)) for row, who in body.get("tell", {}).items()}
    for row in tell:
        if row not in rows and row != REPEAT:
            book.say(file, book.line(file, "tell", row), f"tell names {row!r}, which is no row", nearest_or_all(row, rows))
    duties = [_duty(book, file, name, each) for name, each in body.items() if name not in HEAD]
    return Guidance(file.removesuffix(".toml"), str(body.get("title", "")), as_at or date.min, body.get("on", True) is True,
                    str(body.get("reason", "")), tell, tuple(duty for duty in duties if duty))


def _duty(book: Book, file: str, name: str, body: Any) -> Duty | None:
    if not book.knows(file, name, body, ("text", "source", "on", "reason"), ("text", "source")):
        return None
    _switched(book, file, name, body)
    return Duty(name, str(body["text"]), str(body["source"]), body.get("on", True) is True, str(body.get("reason", "")))


def _switched(book: Book, file: str, name: str, body: Mapping[str, Any]) -> None:
    """What is switched off says why."""
    if body.get("on", True) is not True and not str(body.get("reason", "")).strip():
        book.say(file, book.line(file, name, "on"), f"{name or 'it'} is switched off without a reason", 'reason = "..."')
