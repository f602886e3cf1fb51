"""How far the night has come: bars on a terminal, one plain line for each log read under cron. All of it on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.pages.wording import several

if TYPE_CHECKING:
    from rich.progress import Progress


class Show:
    """Where progress is told, and shown to nobody."""

    def begin(self, what: str, total: int) -> None:
        """A stage of the night begins, with so many steps."""

    def tick(self, name: str, lines: int) -> None:
        """So many more lines of a log were read."""

    def step(self, name: str, lines: int | None) -> None:
        """One step of the stage is done: a log with its new lines, or a day (None)."""


class Lines(Show):
    """A plain line for each log read, for cron's mail."""

    def step(self, name: str, lines: int | None) -> None:
        """One line for a log; nothing for a day."""
        if lines is not None:
            sys.stderr.write(f"{name}: {several(lines, 'new line')}\n")


class Bars(Show):
    """A bar for each stage, which renews itself on the terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._lines = 0

    def begin(self, what: str, total: int) -> None:
        """A new bar below the ones that are done."""
        self._task = self._bars.add_task(what, total=total, said="")

    def tick(self, name: str, lines: int) -> None:
        """The log and the lines so far, beside the bar."""
        self._lines += lines
        self._bars.update(self._task, said=f"{self._lines:,} lines, {name}")

    def step(self, name: str, lines: int | None) -> None:
        """The bar grows by one."""
        self._bars.update(self._task, advance=1, said=f"{self._lines:,} lines" if lines is not None else name)


@contextmanager
def shown() -> Iterator[Show]:
    """Bars where stderr is a terminal, plain lines where it is none."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console  # noqa: PLC0415 (drawn on a terminal only)
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[said]}", markup=False))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield Bars(bars)
