"""Log formats as data: one commented `.toml` a make of filter. FORMATS lists the bundled ones, in the order tried."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

BUNDLED = ("squid",)


@dataclass(frozen=True)
class Format:
    """One log format: its name, the reader that compiles it, and all that its file says."""

    name: str
    title: str
    reader: str
    time_basis: str
    sealed: tuple[str, ...]
    says: dict[str, Any] = field(hash=False)


def parse(text: str) -> Format:
    """The format that the TOML `text` describes; KeyError names what it lacks."""
    says = tomllib.loads(text)
    return Format(says["name"], says["title"], says["reader"], says["time_basis"], tuple(says.get("sealed", ())), says)


@cache
def bundled() -> dict[str, Format]:
    """The formats that come with the program, by name."""
    return {name: parse((files(__name__) / f"{name}.toml").read_text("utf-8")) for name in BUNDLED}
