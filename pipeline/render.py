"""Page data to HTML and rows to CSV; the same page always gives the same bytes. Reads only its own templates."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from pipeline.pages.annual import AnnualPage
from pipeline.pages.charts import draw
from pipeline.pages.digest import DigestPage
from pipeline.pages.dsl import DslPage
from pipeline.pages.failed import FailedPage
from pipeline.pages.index import IndexPage
from pipeline.pages.inspection import InspectionPage
from pipeline.pages.logs import LogPage
from pipeline.pages.nightly import NightlyPage
from pipeline.pages.parts import Basis, Grid, visible
from pipeline.pages.principal import PrincipalPage
from pipeline.pages.termly import TermlyPage
from pipeline.pages.wording import long_day, number, short

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = {NightlyPage: "nightly.html", DslPage: "dsl.html", PrincipalPage: "principal.html", TermlyPage: "termly.html",
             FailedPage: "failed.html", LogPage: "log.html", DigestPage: "digest.html", AnnualPage: "annual.html",
             IndexPage: "index.html", InspectionPage: "inspection.html"}
LONGEST_PIECE = 22  # letters without a place to break that a narrow column still holds: longer ones break anywhere
LINK = re.compile(r"(?i)\bhttp(s?)://")
OPTION = re.compile(r"(?<!\S)--[a-z]{1,14}(?!\S)")  # of a command: a browser would break the line after its dashes
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def html(page: object, basis: Basis | None = None) -> str:
    """A page as one HTML document without script or outside resource; only an index links, and only to what stands beside it.

    `basis`: what the page rests on, where it does not say so itself.
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    charts = {name: Markup(draw(picture)) for name, picture in getattr(page, "pictures", {}).items()}  # noqa: S704  (our own drawing)
    made = _environment().get_template(TEMPLATES[type(page)])
    return made.render(page=page, basis=basis, style=Markup(style), digest=digest, charts=charts)  # noqa: S704  (our own style sheet)


def tables(page: object) -> dict[str, Grid]:
    """The tables of a page that have rows, by name."""
    grids: dict[str, Grid] = getattr(page, "tables", {})
    return {name: grid for name, grid in grids.items() if grid.rows}


def grid_csv(grid: Grid) -> str:
    """A table as CSV: its cells as they are printed, numbers without commas."""
    return csv_text(grid.heads, ([_plain(cell) if at in grid.numbers else cell.replace("\u00a0", " ")
                                  for at, cell in enumerate(row)] for row in grid.rows))


def _plain(cell: str) -> str:
    bare = cell.replace(",", "")
    return bare if bare.isdecimal() else cell


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV that a spreadsheet cannot take for formulas, with unseen characters shown."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, int | float):
        return text
    return ("'" if text.lstrip(" \u00a0\ufeff").startswith(FORMULA) else "") + visible(text)


def _shown(value: object) -> object:
    """The last guard before escaping: unseen characters are written out and no text can be a link."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return LINK.sub(r"hxxp\1[://]", visible(value))
    return value


def _breakable(value: object) -> Markup:
    """A cell's text in which a long site may break between its labels, and only there, and an option of a command nowhere."""
    text = str(escape(_shown(value)))
    broken = text.replace("[.]", "[.]<wbr>") if len(text) > LONGEST_PIECE else text
    return Markup(OPTION.sub(r'<span class="at">\g<0></span>', broken))  # noqa: S704  (escaped above)


def _is_unbroken(value: object) -> bool:
    """Whether a text has a piece that no column can be wide enough for."""
    return any(len(piece) > LONGEST_PIECE for piece in re.split(r"\s|\[\.\]|-", str(value)))


def _is_whole(value: object, longest: int) -> bool:
    """Whether a text is a word or a time that stays on one line."""
    text = str(value)
    return len(text) <= longest and (":" in text or " " not in text) and "[.]" not in text


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 (most commands draw no page)

    made = Environment(loader=PackageLoader("pipeline", "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, finalize=_shown, keep_trailing_newline=True)
    filters: dict[str, Callable[..., str]] = {"long_day": long_day, "number": number, "short": short, "breakable": _breakable}
    made.filters.update(filters)
    tests: dict[str, Callable[..., bool]] = {"unbroken": _is_unbroken, "whole": _is_whole}
    made.tests.update(tests)
    return made


@cache
def _style() -> str:
    loader = _environment().loader
    if loader is None:
        raise LookupError("no templates")
    return loader.get_source(_environment(), "style.css")[0].strip()
