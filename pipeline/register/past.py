"""What happened to an incident, left in the register until somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from pipeline.chain import parsed
from pipeline.register.words import Happened

Line = Callable[[int, int], bytes]  # the line of the register that begins at a byte and has so many
Row = Sequence[Any]                 # when, what kind, and the line: its first byte and its length


class Past(Sequence[Happened]):
    """A history whose kinds are known, and whose bodies are read from the register when they are asked for."""

    def __init__(self, rows: Sequence[Row], line: Line) -> None:
        self._rows, self._line = rows, line

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what happened, oldest first."""
        return tuple(row[1] for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Happened: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Happened]: ...
    def __getitem__(self, at: int | slice) -> Happened | Sequence[Happened]:
        if isinstance(at, slice):
            return tuple(map(self._told, self._rows[at]))
        return self._told(self._rows[at])

    def __iter__(self) -> Iterator[Happened]:
        return map(self._told, self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # it is like any sequence of the same, and those have other hashes or none

    def _told(self, row: Row) -> Happened:
        when, kind, begin, length = row
        entry = parsed(self._line(begin, length))
        return Happened(when, kind, (entry.body if entry else None) or {})
