"""What a format's file may say for the reader `pairs` alone, checked before a line is read: every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.formats import expressions

Mark = Annotated[str, Field(min_length=1)]


class _Made(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    of: str | list[str]
    join: str = ""
    pattern: str = ""
    map: dict[str, str] = {}
    only: bool = False
    swap: dict[str, str] = {}
    unescape: bool = False


class _Pairs(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    delimiter: Mark = " "
    assign: Mark = "="
    quotes: bool = True
    escapes: bool = False
    spaces: bool = True
    keys: list[Mark] = []
    head: Literal["", "cef", "leef"] = ""
    after: str = ""
    closes: str = ""
    lead: str = ""
    goes_on: str = ""
    begins: str = ""
    parts: dict[str, _Made] = {}


def faults(says: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options of a `pairs` format that cannot be, each with what is wrong in words."""
    try:
        pairs = _Pairs.model_validate(dict(says))
    except ValidationError as error:
        return [(".".join(map(str, fault["loc"])), str(fault["msg"])) for fault in error.errors()]
    found = [("lead", expressions.wrong(pairs.lead))]
    for name, part in pairs.parts.items():
        found.append((f"parts.{name}.pattern", _one_group(part.pattern) if part.pattern else ""))
        found.append((f"parts.{name}.of", "is made of itself" if _circular(name, pairs.parts) else ""))
    return [(key, fault) for key, fault in found if fault]


def _one_group(pattern: str) -> str:
    return expressions.wrong(pattern) or ("" if expressions.groups(pattern) else "has no group (…) to take")


def _circular(name: str, parts: Mapping[str, _Made], above: tuple[str, ...] = ()) -> bool:
    """Whether a part needs itself, however far down."""
    if name in above:
        return True
    if name not in parts:
        return False
    of = parts[name].of
    return any(_circular(one, parts, (*above, name)) for one in ([of] if isinstance(of, str) else of))
