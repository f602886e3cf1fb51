"""The DSL list: each suspected incident in four lines and a row of boxes, to be finished before registration.

Staff matters are the Principal's and help-seeking is nobody's: neither is ever laid out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from pipeline.pages.parts import OUTCOMES, defanged, hidden_of, said, texts, versions_of
from pipeline.pages.wording import long_day, several

TIERS = {"T1": "Welfare", "T2": "Serious", "T3": "Routine", "TS": "Staff matter"}
SEALED_RULES = (
    "Do not visit, search for or test the address, and do not open the raw log.",
    "Keep the device unused and off the network; take police advice before powering it on or off.",
    "Do not question the pupil about detail, and do not tell parents or carers until advised.",
    "Call 101, or 999 if a child is at immediate risk. Ask the supplier of the filter to preserve its own log.",
    "Write down who did what, and when.",
    "An advert, a hijacked site or a mistyped address can do this: a single verdict is not guilt.",
)
BOXES = {
    "student": ("deliberate", "accidental: reported? Y / N", "not this pupil / other: ________"),
    "welfare": ("taken up as a welfare matter", "no concern", "not this pupil / other: ________"),
    "attribution": ("it was: ________", "cannot be told", "nothing to look into"),
    "staff": ("taken up", "nothing to take up", "not this person / other: ________"),
}
HELP = {"help_seeking", "help seeking", "help-seeking"}


@dataclass(frozen=True)
class Row:
    """A row of table 7.2 that an incident may be: a question for the reader, with what the policy prints for it."""

    id: str
    text: str
    definite: tuple[str, ...]
    possible: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One suspected incident, as its reader sees it."""

    ref: str
    tier: str
    who: str
    when: str
    what: str
    shows: tuple[str, ...]
    rows: tuple[Row, ...]
    also: tuple[str, ...]
    questions: tuple[str, ...]
    state: str
    first_time: bool
    boxes: tuple[str, ...]


@dataclass(frozen=True)
class Sealed:
    """A sealed item: its reference, when it was raised, whose kind of account, and which list the filter named."""

    ref: str
    raised: str
    subject: str
    list: str


@dataclass(frozen=True)
class Group:
    """Items of one heading, with the sentence that says what to do with them."""

    id: str
    heading: str
    text: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class DslPage:
    """Everything the DSL list prints."""

    title: str
    school: str
    day: str
    sealed: tuple[Sealed, ...]
    sealed_rules: tuple[str, ...]
    groups: tuple[Group, ...]
    waiting: int
    cut: str
    hidden: str
    versions: tuple[tuple[str, str], ...]

    @property
    def rows_named(self) -> tuple[Row, ...]:
        """The rows of table 7.2 that items name, each once: what the policy prints for them stands below the items."""
        found = {row.id: row for group in self.groups for item in group.items for row in item.rows}
        return tuple(found[name] for name in sorted(found))

    @property
    def questions_named(self) -> tuple[str, ...]:
        """The open questions of the policy that items name, each once."""
        return tuple(sorted({text for group in self.groups for item in group.items for text in item.questions}))


def build(day: date, school_name: str, items: Sequence[Mapping[str, Any]], sealed: Sequence[Mapping[str, Any]],
          cut: str, versions: Mapping[str, object], hidden: Mapping[str, int] = MappingProxyType({})) -> DslPage:
    """The list of one school day; `cut` says what was left out of it and where it is, empty when nothing was; `hidden`: how many
    detections are not shown, by why."""
    kept = [item for item in items if kind(item) in {"student", "welfare", "attribution"} and _shown(item)]
    chosen = {name: tuple(item_of(item) for item in kept if _group(item) == name)
              for name in ("welfare", "serious", "routine", "attribution")}
    groups = (
        Group("welfare", "Welfare", "For you alone. No sanction follows from these.", chosen["welfare"]),
        Group("serious", "Serious: look within two school days", "Suspected, until you say.", chosen["serious"]),
        Group("routine", "Routine: look within the week", "Suspected, until you say.", chosen["routine"]),
        Group("attribution", "Who was it?", "The log names nobody. Nothing is proposed until somebody is identified.",
              chosen["attribution"]),
    )
    seals = sealed_of(row for row in sealed if str(row.get("subject type", row.get("subject"))) not in STAFF)
    return DslPage("DSL list", said(school_name), long_day(day), seals, SEALED_RULES if seals else (),
                   tuple(group for group in groups if group.items), len(seals) + sum(len(g.items) for g in groups),
                   said(cut, 400), hidden_of(hidden), versions_of(versions))


def week(title: str, begins: date, school_name: str, items: Sequence[Mapping[str, Any]], sealed: Sequence[Mapping[str, Any]],
         versions: Mapping[str, object], hidden: Mapping[str, int] = MappingProxyType({})) -> DslPage:
    """The list of one week and of what it found waiting, the oldest first; `begins`: its Monday; `hidden` as above."""
    kept = sorted((item for item in items if kind(item) in {"student", "welfare", "attribution"} and _shown(item)),
                  key=lambda item: (item["day"], item["ref"]))
    carried = tuple(item_of(item) for item in kept if item["day"] < str(begins))
    new = {name: tuple(item_of(item) for item in kept if item["day"] >= str(begins) and _group(item) == name)
           for name in ("welfare", "serious", "routine", "attribution")}
    groups = (
        Group("carried", "Carried over from earlier weeks", "The oldest first. Each still waits for your decision.", carried),
        Group("welfare", "Welfare", "For you alone. No sanction follows from these.", new["welfare"]),
        Group("serious", "Serious", "Suspected, until you say. Due within two school days.", new["serious"]),
        Group("routine", "Routine", "Suspected, until you say.", new["routine"]),
        Group("attribution", "Who was it?", "The log names nobody. Nothing is proposed until somebody is identified.",
              new["attribution"]))
    seals = sealed_of(row for row in sealed if str(row.get("subject type", row.get("subject"))) not in STAFF)
    return DslPage("DSL weekly list", said(school_name), title, seals, SEALED_RULES if seals else (),
                   tuple(group for group in groups if group.items), len(seals) + sum(len(g.items) for g in groups), "",
                   hidden_of(hidden), versions_of(versions))


STAFF = {"staff", "technical_staff", "governor", "principal"}


def kind(item: Mapping[str, Any]) -> str:
    """Which kind of item it is: student, welfare, attribution, staff or other; by its route, else by its tier."""
    route, tier = str(item.get("route", "")), str(item["tier"])
    if route == "staff" or tier == "TS":
        return "staff"
    if route in {"sealed", "tech"} or tier in {"T0", "T4"}:
        return "other"
    if route == "welfare" or tier == "T1":
        return "welfare"
    return "attribution" if route in {"attribution", "guest"} else "student"


def _shown(item: Mapping[str, Any]) -> bool:
    return not texts(item.get("categories")) or bool(_categories(item))


def _categories(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(title for title in texts(item.get("categories")) if title.lower() not in HELP)


def _group(item: Mapping[str, Any]) -> str:
    found = kind(item)
    if found != "student":
        return found
    return "serious" if item["tier"] == "T2" else "routine"


def item_of(item: Mapping[str, Any], *, proposes: bool = True) -> Item:
    """An item in four lines, visits and never raw requests; rows of 7.2 only for a named pupil, and with `proposes`."""
    found = kind(item)
    propose = proposes and found == "student"
    year = said(item.get("year"), 20)
    if year and not year.lower().startswith("year"):
        year = "Year " + year.lstrip("yY")
    who = ", ".join(part for part in (said(item["who"]), year) if part)
    when = ", ".join(part for part in (said(item["when"]), said(item.get("period")), said(item.get("network"))) if part)
    what = f"{'; '.join(_categories(item)) or 'Not said'}: {several(int(item['visits']), 'visit')}. " \
           f"{OUTCOMES.get(str(item['outcome']), said(item['outcome']))}"
    rows = tuple(_row(row) for row in item.get("rows", ())) if propose else ()
    return Item(said(item["ref"], 20), TIERS.get(str(item["tier"]), said(item["tier"], 20)), who, when, what,
                tuple(_sentence(text) for text in item.get("reasons") or ()), rows,
                texts(item.get("overlay"), 240) if found != "attribution" else (),
                tuple(defanged(text, 300) for text in item.get("questions") or ()),
                said(item.get("state")), bool(item.get("first_time")), BOXES[found])


def _row(row: Mapping[str, Any]) -> Row:
    return Row(said(row["id"], 20), said(row["text"], 240), texts(row.get("definite")), texts(row.get("possible")))


def _sentence(text: str) -> str:
    """A reason as the detections wrote it, its sites made unclickable, as a sentence."""
    line = defanged(text).strip()
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?", "…")) else ".")


def sealed_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Sealed, ...]:
    """Sealed items as facts only: no name, site or person."""
    return tuple(Sealed(said(row["ref"], 20), said(row["raised"], 60),
                        said(row.get("subject type", row.get("subject")), 40).replace("_", " "), said(row["list"], 60))
                 for row in rows)
