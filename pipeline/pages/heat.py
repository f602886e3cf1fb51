"""A heat table: the counts of two things crossed, as a table and as a picture."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.pages.charts import Shades
from pipeline.pages.parts import Count, Grid, Nameless, Plain


@dataclass(frozen=True)
class Line(Nameless):
    """A row of a heat table."""

    label: Plain
    cells: tuple[Count, ...]


@dataclass(frozen=True)
class Heat(Nameless):
    """A heat table: what it shows, the heads of its columns, and its rows."""

    caption: Plain
    corner: Plain
    columns: tuple[Plain, ...]
    lines: tuple[Line, ...]

    @property
    def grid(self) -> Grid:
        """The same as a table."""
        return Grid(self.caption, (self.corner, *self.columns),
                    tuple((line.label, *(cell.shown for cell in line.cells)) for line in self.lines),
                    frozenset(range(1, len(self.columns) + 1)))

    def picture(self, alt: str) -> Shades:
        """The same as a picture."""
        return Shades(alt, tuple(line.label for line in self.lines), tuple(self.columns),
                      tuple(tuple((_short_words(cell), cell.value) for cell in line.cells) for line in self.lines))

    @property
    def seen(self) -> bool:
        """Whether any cell holds something."""
        return any(cell.value != 0 for line in self.lines for cell in line.cells)


def _short_words(cell: Count) -> str:
    """A withheld cell in a picture, where there is no room for words: below the threshold."""
    return cell.shown.replace("fewer than ", "<")
