"""Regular expressions of a format's file: the groups they have, and whether both engines that meet them can read them.

Python recognises logs by them and DuckDB (RE2) reads lines, so an expression keeps to what both know: no look-around, no
references back to a group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

KEYS = ("pattern", "aside", "looks", "header")


def several(said: str | Sequence[str]) -> list[str]:
    """A text or a list of texts, as a list."""
    return [said] if isinstance(said, str) else list(said)


def groups(pattern: str) -> list[str]:
    """A name for each group of the pattern in order; a group without a name gets its number."""
    made = re.compile(pattern)
    named = {number: name for name, number in made.groupindex.items()}
    return [named.get(number, f"_{number}") for number in range(1, made.groups + 1)]


def faults(says: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The keys of a format's file that hold no good expression, each with what is wrong in words."""
    found = [("pattern", "is missing: the reader `pattern` needs one")] if (
        says.get("reader") == "pattern" and not says.get("pattern")) else []
    for key in KEYS:
        for text in several(says.get(key, ())):
            fault = wrong(text)
            found += [(key, fault)] if fault else []
    return found


def wrong(text: object) -> str:
    """What is wrong with a regular expression, in words; '' where nothing is."""
    if not isinstance(text, str):
        return "is not text"
    try:
        re.compile(text)
        pc.match_substring_regex(pa.array([""]), text)
    except (re.error, pa.ArrowInvalid) as error:
        return f"is not a regular expression that RE2 and Python both know: {str(error).splitlines()[0]}"
    return ""
