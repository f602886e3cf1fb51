"""What a word that is not known was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def nearest(word: str, known: Collection[str]) -> str:
    """The word of `known` that is most like `word`; empty when none is."""
    close = difflib.get_close_matches(word, known, 1)
    return close[0] if close else ""


def nearest_or_all(word: str, known: Collection[str], few: int = 8) -> str:
    """The nearest word; else all of them in order, where they are fewer than `few`; else nothing."""
    return nearest(word, known) or (", ".join(sorted(known)) if len(known) < few else "")


def offer(word: str, known: Collection[str]) -> str:
    """The nearest word; else all of them, to choose from."""
    return nearest(word, known) or "one of " + ", ".join(known)
