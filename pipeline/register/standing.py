"""Every incident as it stands, so kept that a list of ten years need not read ten years of entries.

A `Standing` is the fold of `incidents` with two savings: what a list shows of each incident (its card) is kept apart, and an
incident that was kept is put together only when somebody asks for it. `pack` and `unpack` turn it into bytes and back; what comes
back is the same, entry for entry (its test folds both ways).
"""

from __future__ import annotations

import json
from array import array
from collections.abc import ItemsView, Iterator, MutableMapping, Sequence, ValuesView
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from pipeline.chain import Entry, uncollected
from pipeline.register.incidents import WAITING, IncidentState, live_incident
from pipeline.register.past import Line, Past, Row
from pipeline.register.words import changed

DEFAULTS = {field.name: field.default_factory() if field.default_factory is not MISSING else field.default
            for field in fields(IncidentState)}
TUPLES = tuple(name for name, value in DEFAULTS.items() if value == () and name != "history")
KEYS = ("keys", "keys_decided")  # mostly those of the summary: kept once


class Card(NamedTuple):
    """What a list shows of an incident, and all that its clocks go by."""

    ref: str
    state: str
    source: str
    day: str
    tier: str
    route: str
    what: str
    opened_at: str
    review_on: str
    detected: bool

    @property
    def waiting(self) -> bool:
        """Whether it still waits for a person's verdict."""
        return self.state in WAITING

    @property
    def purged(self) -> bool:
        """Whether what it stood for has been erased."""
        return self.state == "purged"


def card(state: IncidentState) -> Card:
    """The card of an incident."""
    body = state.summary
    what = ", ".join(body.get("categories") or body.get("rows") or ())
    return Card(state.ref, state.state, state.source, state.day, state.tier, str(body.get("route", "")), what, state.opened_at,
                state.review_on, state.detected)


class Standing(MutableMapping[str, IncidentState]):
    """Each incident by its reference, in the order of their opening."""

    def __init__(self, cards: Sequence[Card] = (), kept: Sequence[bytes | memoryview] = (),
                 line: Line = lambda begin, length: b"") -> None:
        self._at = {each.ref: n for n, each in enumerate(cards)}
        self._cards, self._kept, self._line = cards, kept, line
        self._states: dict[str, IncidentState] = {}  # put together so far
        self._rows: dict[str, list[Row]] = {}        # the lines of those that are not as they were kept

    def step(self, entry: Entry, begin: int, length: int) -> None:
        """Take one more entry in, which stands in the register at byte `begin` with so many bytes."""
        if not entry.ref:
            return
        if entry.ref not in self._rows:
            self._rows[entry.ref] = list(self._raw(entry.ref)["past"]) if entry.ref in self._at else []
        self._rows[entry.ref].append((entry.at, entry.kind, begin, length))
        live_incident(self, entry)

    def cards(self) -> Iterator[Card]:
        """What a list shows, in order."""
        for each in self._cards:
            yield card(self._states[each.ref]) if each.ref in self._rows else each
        yield from (card(state) for ref, state in self._states.items() if ref not in self._at)

    def pack(self) -> list[bytes]:
        """The cards, where each incident begins, and the incidents."""
        cards = list(self.cards())
        kept = [self._dumped(each.ref) if each.ref in self._rows else bytes(self._kept[self._at[each.ref]]) for each in cards]
        begins = array("Q", [0])
        for text in kept:
            begins.append(begins[-1] + len(text))
        return [json.dumps([list(column) for column in zip(*cards, strict=True)]).encode(), begins.tobytes(), b"".join(kept)]

    def _dumped(self, ref: str) -> bytes:
        state = self._states[ref]
        held: dict[str, Any] = {name: value for name, value in state.__dict__.items()
                                if name not in ("ref", "history") and value != DEFAULTS[name]}
        same = tuple(state.summary.get("keys", ()))
        held |= {name: None for name in KEYS if name in held and held[name] == same}
        return json.dumps({"state": held, "past": [] if state.purged else self._rows[ref]}, separators=(",", ":")).encode()

    def _raw(self, ref: str) -> dict[str, Any]:
        raw: dict[str, Any] = json.loads(str(self._kept[self._at[ref]], "ascii"))
        return raw

    def _loaded(self, ref: str) -> IncidentState:
        raw = self._raw(ref)
        held = DEFAULTS | raw["state"]
        for name in KEYS:
            if held[name] is None:
                held[name] = held["summary"]["keys"]
        for name in TUPLES:
            if held[name]:
                held[name] = tuple(held[name])
        held["history"] = Past(raw["past"], self._line) if raw["past"] else ()
        return changed(IncidentState(ref), **held | {"ref": ref})

    def values(self) -> ValuesView[IncidentState]:
        """Every incident, put together at one go."""
        self._load_all()
        return super().values()

    def items(self) -> ItemsView[str, IncidentState]:
        """Every reference and its incident, put together at one go."""
        self._load_all()
        return super().items()

    def _load_all(self) -> None:
        with uncollected():
            self._states |= {ref: self._loaded(ref) for ref in self._at if ref not in self._states}

    def __getitem__(self, ref: str) -> IncidentState:
        if ref not in self._states:
            if ref not in self._at:
                raise KeyError(ref)
            self._states[ref] = self._loaded(ref)
        return self._states[ref]

    def __setitem__(self, ref: str, state: IncidentState) -> None:
        self._states[ref] = state

    def __delitem__(self, ref: str) -> None:
        raise TypeError("a reference is never taken back")

    def __contains__(self, ref: object) -> bool:
        return ref in self._at or ref in self._states

    def __iter__(self) -> Iterator[str]:
        yield from self._at
        yield from [ref for ref in self._states if ref not in self._at]

    def __len__(self) -> int:
        return len(self._at) + sum(1 for ref in self._states if ref not in self._at)


def unpack(parts: Sequence[bytes], line: Line) -> Standing:
    """What `pack` packed; `line` reads a line of the register."""
    columns, begins, text = json.loads(parts[0]), array("Q", parts[1]), memoryview(parts[2])
    kept = [text[begins[n]:begins[n + 1]] for n in range(len(begins) - 1)]
    return Standing([Card(*row) for row in zip(*columns, strict=True)], kept, line)
