"""How numbers, shares, days and lists of things are worded on a page: the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

NONE = "–"


def number(value: object) -> str:
    """A whole number with commas; a dash where there is none."""
    return NONE if value is None or value != value else f"{int(str(value)):,}"  # noqa: PLR0124  (nan: no number)


def percent(share: float | None) -> str:
    """A share as a whole number of hundredths; a dash for none."""
    return NONE if share is None else f"{100 * share:.0f}%"


def hours(value: float | None) -> str:
    """Hours with one decimal; a dash for none."""
    return NONE if value is None else f"{value:,.1f}"


def several(count: int, one: str, many: str = "") -> str:
    """`1 visit`, `3 visits`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(texts: Iterable[str], none: str = "none") -> str:
    """`a, b and c`."""
    given = list(texts)
    if not given:
        return none
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}"


def titled(text: str) -> str:
    """With a capital first, and the rest as it is; but for VPN, which the names of rules write small."""
    return re.sub(r"\bvpn\b", "VPN", text[:1].upper() + text[1:], flags=re.IGNORECASE)


def long_day(day: date) -> str:
    """Tuesday 10 November 2026."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def short(day: date) -> str:
    """2 Nov."""
    return f"{day.day} {day:%b}"
