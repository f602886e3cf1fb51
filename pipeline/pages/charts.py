"""Static charts: SVG without script or outside resource, told apart in greyscale by shape, dash and number as well as by tone.

A chart stands beside the table of its figures and never instead of it; `alt` says in a sentence what it shows. Altair and
vl-convert are loaded only when one is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

INK, GREY, LIGHT, GRID = "#111111", "#767676", "#c9c9c9", "#dddddd"
WIDTH = 600  # of the drawing, in the units of a page's column; CSS scales it
DARK = 0.6  # of the darkest tone: from there on white words have the better contrast
SPARE = {"left": 24, "right": 8, "top": 6, "bottom": 6}  # round a drawing: another machine's letters may be wider


@dataclass(frozen=True)
class Trend:
    """Lines over weeks: the weeks' names in order, one value a week and line (none: withheld), and weeks before which to mark."""

    alt: str
    weeks: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int | None, ...]], ...]
    marks: tuple[tuple[str, str], ...] = ()
    unit: str = "Visits"


@dataclass(frozen=True)
class Shades:
    """A heat table: its rows and columns, and in each cell the words and the number that gives the tone (none: no tone)."""

    alt: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[tuple[str, int | None], ...], ...]


@dataclass(frozen=True)
class Bars:
    """Level bars, one a thing, with its words at the end; a bar without a number (withheld) has its words alone."""

    alt: str
    bars: tuple[tuple[str, int | None, str], ...]
    unit: str


Picture = Trend | Shades | Bars


@lru_cache(maxsize=64)  # a page made again in one run has its pictures already
def draw(picture: Picture) -> str:
    """The picture as SVG, to stand inside a page."""
    import vl_convert  # noqa: PLC0415  (slow to load, and few pages draw)

    made = _made(picture)
    styled = made.configure(font="sans-serif", background="white", padding=SPARE).configure_view(stroke=None).configure_axis(
        labelFontSize=12, titleFontSize=12, titleFontWeight="normal", gridColor=GRID, domainColor=GREY, tickColor=GREY,
        labelLimit=220).configure_legend(labelFontSize=12)
    return _inline(vl_convert.vegalite_to_svg(styled.to_dict()), picture.alt)


def _made(picture: Picture) -> Any:
    if isinstance(picture, Trend):
        return _trend(picture)
    return _shades(picture) if isinstance(picture, Shades) else _bars(picture)


def _rows(rows: Sequence[dict[str, Any]]) -> Any:
    return {"values": list(rows)}


def _trend(of: Trend) -> Any:
    import altair as alt  # noqa: PLC0415

    kinds, order = [name for name, _ in of.lines], list(of.weeks)
    rows = [{"week": week, "visits": value, "kind": kind} for kind, values in of.lines
            for week, value in zip(of.weeks, values, strict=True) if value is not None]
    x = alt.X("week:N", sort=order, scale=alt.Scale(domain=order, padding=0.4), title="Week beginning",
              axis=alt.Axis(labelAngle=0, labelOverlap=True))
    dashes, shapes = [[1, 0], [6, 4], [2, 3]][:len(kinds)], ["circle", "square", "triangle-up"][:len(kinds)]
    line = alt.Chart(_rows(rows)).mark_line(point={"size": 55, "filled": True}, strokeWidth=2).encode(
        x=x, y=alt.Y("visits:Q", title=of.unit, axis=alt.Axis(tickCount=5, format=",d"), scale=alt.Scale(zero=True)),
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[INK, GREY, GREY][:len(kinds)]),
                        legend=alt.Legend(orient="top", title=None)),
        strokeDash=alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=dashes), legend=None),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes)))
    marks = [{"week": week, "text": text} for week, text in of.marks]
    rule = alt.Chart(_rows(marks)).mark_rule(color=GREY, strokeDash=[1, 3]).encode(x=x)
    text = alt.Chart(_rows(marks)).mark_text(align="left", dx=4, baseline="top", fontSize=11, color=INK).encode(
        x=x, y=alt.value(0), text="text:N")
    return alt.layer(line, *((rule, text) if marks else ())).properties(width=WIDTH - 60, height=220)


def _shades(of: Shades) -> Any:
    import altair as alt  # noqa: PLC0415

    most = max((value or 0 for row in of.cells for _, value in row), default=0) or 1
    rows = [{"row": row, "column": column, "text": words, "tone": (value or 0) / most, "dark": (value or 0) / most > DARK}
            for row, cells in zip(of.rows, of.cells, strict=True)
            for column, (words, value) in zip(of.columns, cells, strict=True)]
    across = alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False, labelLimit=0)
    base = alt.Chart(_rows(rows)).encode(
        x=alt.X("column:N", sort=list(of.columns), title=None, axis=across),
        y=alt.Y("row:N", sort=list(of.rows), title=None, axis=alt.Axis(domain=False, ticks=False)))
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("tone:Q", scale=alt.Scale(domain=[0, 1], range=["#f4f4f4", "#222222"], interpolate="rgb"), legend=None))
    ink = alt.condition("datum.dark", alt.value("white"), alt.value(INK))
    words = base.mark_text(fontSize=12).encode(text="text:N", color=ink)
    return (cells + words).properties(width=WIDTH - 120, height=28 * len(of.rows))


def _bars(of: Bars) -> Any:
    import altair as alt  # noqa: PLC0415

    rows = [{"what": what, "value": value or 0, "words": words} for what, value, words in of.bars]
    most = max((value or 0 for _, value, _ in of.bars), default=0) or 1
    base = alt.Chart(_rows(rows)).encode(
        y=alt.Y("what:N", sort=[what for what, _, _ in of.bars], title=None, axis=alt.Axis(domain=False, ticks=False)),
        x=alt.X("value:Q", title=of.unit, axis=alt.Axis(tickCount=5, format=",d", tickMinStep=1),
                scale=alt.Scale(domain=[0, most * 1.18])))
    bars = base.mark_bar(color=GREY, height=14)
    words = base.mark_text(align="left", dx=5, fontSize=12, color=INK).encode(text="words:N")
    return (bars + words).properties(width=WIDTH // 2 - 60, height=26 * len(rows))


def _inline(svg: str, alt_text: str) -> str:
    """The picture to stand inside a page: no namespace addresses, no scripts, no styles, one sentence for who cannot see it."""
    bare = re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", svg)
    bare = re.sub(r'(<svg\b[^>]*?)\swidth="[^"]*"\sheight="[^"]*"', r"\1", bare, count=1)
    bare = re.sub(r'\s(?:role|aria-[\w]+|style|tabindex|class)="[^"]*"', "", bare)
    bare = re.sub(r"(\d+\.\d\d)\d+", r"\1", bare)  # a hundredth of a unit cannot be seen
    return bare.replace("<svg", f'<svg role="img" aria-label="{escape(alt_text)}" focusable="false"', 1)
