"""`schoolgate formats try`: the first lines of a log with each field labelled, and what would be rejected and why.

For a log that no format fits, the fields are shown under the names that a mapping file would give them, so that one can be
written beside this output.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline import ingest, logfiles
from pipeline.formats import Layout
from pipeline.formats.syslog import SYSLOG
from pipeline.formats.verdicts import GRAVE
from pipeline.logfiles import LogFile
from pipeline.parsing import WORKERS, Parsing
from pipeline.problems import Problem
from pipeline.readout import KEYS, Readout, rejects, requests

LOOKED = 4096  # letters of a line that are enough to guess by
PAIR = re.compile(r"""([A-Za-z_][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s,;|]*)""")
FEW = 3


def told(log: LogFile, how: Readout) -> tuple[list[str], list[Problem]]:
    """The lines to print, and what is wrong."""
    layouts, problems = how.layouts(log)
    if not layouts:
        return [] if how.form else list(_unknown(logfiles.sample(log))), problems
    return [*_laid_out(log, layouts, how), *_known(log, layouts, how, problems)], problems


def _laid_out(log: LogFile, layouts: list[Layout], how: Readout) -> Iterator[str]:
    """What was learned of the file."""
    if log.array:
        yield "a JSON array: line N is its element N"
    for layout in layouts:
        form = how.formats[layout.format]
        said = [f"times: {form.time_basis}" + (f", read by the clock of {layout.zone}" if "local" in form.time_basis else "")]
        said += [f"columns: {', '.join(layout.header)}"] if layout.header else []
        said += ["each line behind a syslog head"] if layout.wrapped else []
        said += [f"dates: {'day' if layout.dates == 'dmy' else 'month'} first"] if layout.dates else []
        yield f"{form.name}: {form.title}; {'; '.join(said)}"


def _known(log: LogFile, layouts: list[Layout], how: Readout, problems: list[Problem]) -> Iterator[str]:
    """The first requests and the first rejects of the file's first piece, and how many of each there are."""
    parsing = Parsing(logfiles.whole(log), layouts, how.formats, {}, how.zone, problems)
    with ThreadPoolExecutor(WORKERS) as pool:
        piece, near = next(ingest.windows(parsing.pieces(pool)), (None, []))
        if piece is None:
            yield "nothing to read"
            return
        counts = ingest.fates(piece.raw)
        for number, request in enumerate(requests(piece.raw, near, log.name)):
            if number == FEW:
                break
            yield from _labelled(f"line {request['line']}: request", {key: request[key] for key in KEYS})
        for number, reject in enumerate(rejects(piece.raw)):
            if number == FEW:
                break
            yield f"line {reject['line']}: rejected, because it {reject['reason']}: {reject['shape']}"
        yield ", ".join(f"{counts[fate]:,} {fate}" for fate in ingest.FATES)


def _labelled(title: str, fields: dict[str, Any]) -> Iterator[str]:
    yield title
    for name, value in fields.items():
        if value is not None:
            yield f"  {name:16} {_short(value)}"


def _short(value: Any) -> str:
    text = str(value).encode("unicode_escape").decode("ascii") if not str(value).isprintable() else str(value)
    return text if len(text) <= 160 else text[:160] + "…"


def _unknown(lines: list[str]) -> Iterator[str]:
    """The first lines of a log that nothing fits, under the names of the likeliest reader."""
    for number, line in enumerate([line for line in lines if line.strip()][:FEW], 1):
        if GRAVE.search(line):
            yield f"line {number}: speaks of illegal content, so it is not shown"
            continue
        reader, fields = guessed(line.rstrip("\r\n"))
        yield from _labelled(f"line {number}: no format fits; as the reader `{reader}` would name its fields", fields)


def guessed(line: str) -> tuple[str, dict[str, Any]]:
    """The likeliest reader of a line, and its fields by the names that reader gives them."""
    bare = SYSLOG.sub("", line, count=1)
    try:
        read = json.loads(bare)
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        return "json", dict(_leaves(read, ""))
    bare = bare[:LOOKED]
    pairs = PAIR.findall(bare)
    if len(pairs) >= 3:
        return "pairs", {name: value.strip('"') for name, value in pairs}
    for delimiter in ("\t", ",", ";", "|"):
        cells = _cells(bare, delimiter)
        if len(cells) >= 4:
            return "csv", {f"column {n}": cell for n, cell in enumerate(cells, 1)}
    return "pattern", {f"word {n}": word for n, word in enumerate(bare.split(), 1)}


def _cells(line: str, delimiter: str) -> list[str]:
    """The columns of a line; where it is no text that columns are read from, none."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _leaves(table: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value
