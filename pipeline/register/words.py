"""What every register shares: events, what is read of an entry, and the numbers of references. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

Body = dict[str, Any]
UNTOLD = "not told"  # `time` of an incident whose teller named the day alone
Event = tuple[str, str, Body]  # kind, reference, body: what a journal appends
State = TypeVar("State")


class Written(Protocol):
    """What is read of a journal's entry."""

    @property
    def at(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def body(self) -> Body | None: ...


@dataclass(frozen=True)
class Happened:
    """One thing in the life of a reference."""

    at: str
    kind: str
    body: Body


def fold(entries: Iterable[Written], live: Callable[[dict[str, State], Written], None]) -> dict[str, State]:
    """What the entries of a register come to, by reference; `live` takes one entry into the states."""
    states: dict[str, State] = {}
    for entry in entries:
        live(states, entry)
    return states


def changed(state: State, /, **changes: Any) -> State:
    """`state` with some fields changed: `dataclasses.replace` without its checks, for this runs for every entry there is."""
    made = object.__new__(type(state))
    made.__dict__.update(state.__dict__, **changes)
    return made


def number(ref: str) -> int:
    """The number of a reference such as I-0001."""
    return int(ref.rpartition("-")[2])


def numbers(letter: str, states: Iterable[str]) -> Iterator[str]:
    """References never yet allotted."""
    last = max((number(ref) for ref in states), default=0)
    while True:
        last += 1
        yield f"{letter}-{last:04d}"


def kept(row: Mapping[str, Any], names: Iterable[str]) -> Body:
    """What the register keeps of a row, in words that JSON has."""
    return {name: plain(row[name]) for name in names}


def plain(value: Any) -> Any:
    """A value in words that JSON has; times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def signed(body: Body) -> bool:
    """Whether a person stands behind it: who, in what role, and why."""
    return all(isinstance(body.get(word), str) and body[word].strip() for word in ("who", "role", "reason"))
