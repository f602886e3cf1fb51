"""Which format a log has, from its lines and never from its name; and what else one file tells: header, dates, year.

A format says in `looks` what its lines look like. The sample is lines from the head, the middle and the tail of the file,
for formats change at upgrades and one syslog file may mix products.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.formats import Format, Layout
from pipeline.formats.readers import LEARNERS
from pipeline.formats.syslog import SYSLOG
from pipeline.problems import Problem

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH = re.compile(r"(?:^|[\s>])(" + "|".join(MONTHS) + r") [ \d]\d \d\d:\d\d:\d\d")
JSON = re.compile(r"\ufeff?\s*(\[\s*(\{|$)|\{\s*(\"|$))")
SOME = 0.25
FEW = 0.02    # of the lines: fewer than these do not make a file a mixed one


def recognise(lines: Sequence[str], formats: Mapping[str, Format], where: str, zone: str, changed: float,
              forced: str = "", year: int = 0, dates: str = "") -> tuple[list[Layout], list[Problem]]:
    """The layouts of a file, the chief one first (others are mixed in), or none and a problem that says what was seen.

    `lines`: a sample; `zone`, `year`, `dates`: for times that do not say; `changed`: when the file was last written; `forced`: a
    format's name.
    """
    said = [line for line in lines if line.strip()]
    found, problems = _found(said, lines, formats, where, zone, changed, forced, dates)
    return [replace(layout, year=year or layout.year, dates=dates or layout.dates) for layout in found], problems


def _found(said: Sequence[str], lines: Sequence[str], formats: Mapping[str, Format], where: str, zone: str, changed: float,
           forced: str, dates: str) -> tuple[list[Layout], list[Problem]]:
    if forced:
        return _forced(said, lines, formats, where, zone, changed, forced, dates)
    bare = _bare(said)
    hits = {name: found for name, form in formats.items() if any(found := _hits(form, said, bare))}
    names = _ranked(hits, formats, len(said))
    best = [max(hits[name]) for name in names[:2]]
    # Where few lines fit, the file may be an export with an alien line in it.
    learned = _learned(lines, dates) if not best or best[0] < SOME * len(said) else None
    if isinstance(learned, Layout):
        return dated([replace(learned, zone=learned.zone or zone)], said, changed), []
    if len(best) == 2 and best[0] == best[1] and _both(formats[names[0]], formats[names[1]], said):
        return [], [Problem(where, f"fits two formats, {names[0]} and {names[1]}", f"--format {names[0]}")]
    if names:
        return dated([_layout(formats[name], said, hits[name], zone) for name in names], said, changed), []
    if isinstance(learned, Problem):
        return [], [replace(learned, where=where)]
    return [], [_unfit(said, formats, where)]


def _unfit(said: Sequence[str], formats: Mapping[str, Format], where: str) -> Problem:
    """What is wrong with a file that no format fits, in the words that help most."""
    if not said:
        return Problem(where, "holds no lines, or blank ones only", "another log, or this one when something is in it")
    if "\0" in said[0]:
        return Problem(where, "is no text: it holds NUL bytes", "the log itself, as the product writes or exports it")
    if JSON.match(said[0]) and not any(_is_object(line.strip("\ufeff[], \t\r\n")) for line in said[:2]):
        return Problem(where, "is JSON that does not stand one object a line",
                       f"jq -c . {where} > requests.json (or '.NAME[]' where they stand in a list of that name), and that file")
    return Problem(where, f"fits no log format; it begins {_seen(said)}",
                   f"--format NAME, such as {', '.join(_closest(said, formats))}; `schoolgate formats` lists them")


def _is_object(line: str) -> bool:
    """Whether a line is one JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _learned(lines: Sequence[str], dates: str) -> Layout | Problem | None:
    """What the first learner that knows the file says of it."""
    return next((found for learn in LEARNERS if (found := learn(lines, dates)) is not None), None)


def _forced(said: Sequence[str], lines: Sequence[str], formats: Mapping[str, Format], where: str, zone: str, changed: float,
            name: str, dates: str) -> tuple[list[Layout], list[Problem]]:
    if name not in formats:
        return [], [Problem(f"--format {name}", "is not a log format", "one of " + ", ".join(sorted(formats)))]
    learned = [learn(lines, dates) for learn in LEARNERS] if formats[name].says.get("aliases") else []
    fits = next((found for found in learned if isinstance(found, Layout) and found.format == name), None)
    if fits is not None:
        return dated([replace(fits, zone=fits.zone or zone)], said, changed), []
    if formats[name].says.get("aliases"):  # only its header can say what its columns are
        refused = [replace(found, where=where) for found in learned if isinstance(found, Problem)]
        return [], refused or [Problem(where, "has no header line that names time, address and what was done",
                                       "exporting it with its header, or --format with another name")]
    return dated([_layout(formats[name], said, _hits(formats[name], said, _bare(said)), zone)], said, changed), []


@cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def _bare(lines: Sequence[str]) -> list[str]:
    """The lines without a syslog head."""
    return [SYSLOG.sub("", line, count=1) for line in lines]


def _hits(form: Format, lines: Sequence[str], bare: Sequence[str]) -> tuple[int, int]:
    """How many lines look like the format: as they stand, and `bare` of a syslog head."""
    patterns = _compiled(tuple(form.file.looks))
    plain = [any(p.search(line) for p in patterns) for line in lines]
    return sum(plain), sum(fits if line == whole else any(p.search(line) for p in patterns)
                           for line, whole, fits in zip(bare, lines, plain, strict=True))


def _both(one: Format, other: Format, lines: Sequence[str]) -> bool:
    """Whether some line looks like both; else as many lines look like the one as like the other, and the file is a mixed one."""
    return any(max(_hits(one, [line], [bare])) and max(_hits(other, [line], [bare]))
               for line, bare in zip(lines, _bare(lines), strict=True))


def _ranked(hits: Mapping[str, tuple[int, int]], formats: Mapping[str, Format], size: int) -> list[str]:
    """The formats that fit, most lines first; one that another fitting one is a special case of is left out."""
    beaten = {other for name in hits for other in formats[name].file.beats
              if other in hits and max(hits[name]) >= 0.5 * max(hits[other])}
    left = [name for name in hits if name not in beaten and max(hits[name]) >= max(1, FEW * size)]
    return sorted(left, key=lambda name: (-max(hits[name]), name))


def _layout(form: Format, lines: Sequence[str], hits: tuple[int, int], zone: str) -> Layout:
    layout = Layout(form.name, zone=zone, wrapped=hits[1] > hits[0])
    heads = [line for line in lines if form.file.header and re.search(form.file.header, line)]
    return headed(layout, form, heads[0]) if heads else layout


def headers(texts: pa.Array, pattern: str) -> list[int]:
    """The rows of `texts` that are header lines."""
    bare = pc.utf8_rtrim(texts, "\r\n") if "$" in pattern else texts   # an end is that of the line without its line end
    found = pc.match_substring_regex(bare, pattern)
    return [n for n, is_header in enumerate(found.to_pylist()) if is_header] if pc.any(found).as_py() else []


def headed(layout: Layout, form: Format, line: str) -> Layout:
    """The layout under a header line, whose first group names the columns; as it was where the line is no header."""
    found = re.search(form.file.header, line.rstrip("\r\n"))
    if not found:
        return layout
    text, delimiter = found[1] if found.re.groups else found[0], str(form.says.get("delimiter", "")) or layout.delimiter
    try:
        names = next(csv.reader([text], delimiter=delimiter)) if delimiter else text.split()
    except csv.Error:   # a line end within it, or a name longer than names are
        return layout
    return replace(layout, header=tuple(names))


def dated(layouts: Sequence[Layout], lines: Sequence[str], changed: float) -> list[Layout]:
    """The layouts with year and month of the file's last line, for times that say no year."""
    months = [MONTHS.index(found[1]) + 1 for line in lines if (found := MONTH.search(line))]
    end = datetime.fromtimestamp(changed, UTC)
    month = months[-1] if months else end.month
    year = end.year if month <= end.month else end.year - 1
    return [replace(layout, year=year, month=month) for layout in layouts]


def _seen(lines: Sequence[str]) -> str:
    """The shape of the first line: letters as a, digits as 9."""
    first = lines[0].rstrip("\r\n")[:60] if lines else ""
    return repr(re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", first))) if first else "with nothing"


def _closest(lines: Sequence[str], formats: Mapping[str, Format]) -> list[str]:
    """The formats whose examples have the most like shape to the sample's lines."""
    def marks(text: str) -> Counter[str]:
        return Counter(re.findall(r"[^\w\s.]", text))
    mine = marks("".join(lines[:5]))
    scored = [(sum((mine & marks(example)).values()), name) for name, form in formats.items() for example in form.file.examples]
    return [name for _, name in sorted(scored, reverse=True)[:3]] or sorted(formats)[:3]
