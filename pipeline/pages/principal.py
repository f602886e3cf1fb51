"""The Principal's page: staff matters, and sealed items whose subject is staff. Nobody else has it; it proposes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from pipeline.pages.dsl import SEALED_RULES, STAFF, Item, Sealed, item_of, kind, sealed_of
from pipeline.pages.parts import hidden_of, said, versions_of
from pipeline.pages.wording import long_day

STAFF_SEALED = (*SEALED_RULES[:2], "Do not question or tell the person until advised.", *SEALED_RULES[3:],
                "Ring the local authority designated officer (LADO) before anything else is said to the person.",
                "If the subject is you, hand this page to the chair of governors.")


@dataclass(frozen=True)
class PrincipalPage:
    """Everything the Principal's page prints."""

    title: str
    school: str
    day: str
    items: tuple[Item, ...]
    sealed: tuple[Sealed, ...]
    sealed_rules: tuple[str, ...]
    hidden: str
    versions: tuple[tuple[str, str], ...]


def build(day: date, school_name: str, items: Sequence[Mapping[str, Any]], sealed: Sequence[Mapping[str, Any]],
          versions: Mapping[str, object], hidden: Mapping[str, int] = MappingProxyType({})) -> PrincipalPage:
    """Staff matters of one school day, without any proposal; pupils' items given by mistake are left out. `hidden`: how many
    detections are not shown, by why."""
    seals = sealed_of(row for row in sealed if str(row.get("subject type", row.get("subject"))) in STAFF)
    return PrincipalPage("The Principal's page", said(school_name), long_day(day),
                         tuple(item_of(item, proposes=False) for item in items if kind(item) == "staff"),
                         seals, STAFF_SEALED if seals else (), hidden_of(hidden), versions_of(versions))
