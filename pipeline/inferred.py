"""Changes that nobody entered: the kinds of their entries in the change log, and those that stand on a row or an entry alone.

    inferred_allowed, inferred_blocked   a site's verdict has turned for a profile (`turned.py`)
    expired                              a row of the school's own list is past its date, and the filter still lets it through
    self_approved                        whoever made a change approved it too

Each is entered once and stays as it was seen; a person explains it as any other change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Protocol

import pyarrow as pa

from pipeline.changes import Change
from pipeline.hosts import sites

ALLOWED, BLOCKED, EXPIRED, SELF_APPROVED = KINDS = ("inferred_allowed", "inferred_blocked", "expired", "self_approved")


class Entered(Protocol):
    """What is read of an entry of the change log."""

    @property
    def ref(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def mark(self) -> str: ...
    @property
    def who(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def approver(self) -> str: ...
    @property
    def opened_at(self) -> str: ...
    @property
    def explained(self) -> bool: ...


def words(name: str) -> str:
    """A name of a profile as people write it."""
    return name.replace("_", " ")


def span(many: int, first: date, last: date) -> str:
    """So many days, from the first to the last."""
    return f"1 day, {first}" if many == 1 else f"{many} days, {first} to {last}"


def self_approved(entries: Iterable[Entered]) -> list[Change]:
    """An entry for each explained change that was approved by whoever made it."""
    return [Change(f"change {entry.ref}", SELF_APPROVED, f"made by {entry.who}", f"approved by {entry.approver}", 1)
            for entry in entries if entry.explained and entry.kind != SELF_APPROVED and _same(entry.who, entry.approver)]


def _same(one: str, two: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(two.casefold().split())


def lapsed(own: pa.Table, day: date, allowing: Collection[str]) -> dict[str, dict[str, Any]]:
    """The rows of the school's own list, by entry, that let a site through until a day before `day` and have no follower.

    `allowing`: the categories that the filter is not meant to block.
    """
    rows = own.to_pylist()
    live = {row["entry"] for row in rows if row["until"] is None or row["until"] >= day}
    past = sorted((row for row in rows if row["until"] is not None and row["until"] < day and row["category"] in allowing),
                  key=lambda row: row["until"])
    return {row["entry"]: row for row in past if not any(f".{row['entry']}".endswith(f".{entry}") for entry in live)}


def expired(rows: Mapping[str, Mapping[str, Any]], visits: pa.Table, entries: Iterable[Entered]) -> list[Change]:
    """An entry for each of these rows past their date whose site is still let through; `visits`: day, host, actor, blocked,
    allowed of their sites."""
    known = {(entry.object, entry.mark) for entry in entries if entry.kind == EXPIRED}
    stays, made = visits.to_pylist(), []
    for entry, row in rows.items():
        mine = [v for v in stays if v["day"] > row["until"] and f".{v['host']}".endswith(f".{entry}")]
        stopped = {v["actor"] for v in mine if v["blocked"]}
        open_to = [v for v in mine if v["allowed"] and v["actor"] not in stopped]
        if open_to and (f"own entry {entry}", str(row["until"])) not in known:
            days, many = sorted({v["day"] for v in open_to}), sum(v["allowed"] for v in open_to)
            profiles = ", ".join(sorted({words(v["actor"]) for v in open_to}))
            made.append(Change(f"own entry {entry}", EXPIRED, f"{row['category']} until {row['until']}",
                               f"still allowed for {profiles}: {many:,} requests on {span(len(days), days[0], days[-1])}", 1,
                               str(row["until"])))
    return made


def sites_of(entries: Iterable[str]) -> set[str]:
    """The sites that these entries are on."""
    return set(sites(entries).values())
