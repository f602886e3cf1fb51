"""The header-driven importer: any console's export, read by the names in its header line.

School consoles let each school choose its columns and publish no samples, so nothing but the header can say what a column is.
`names.csv` turns a header's words into ours, and the verdicts of `importer.toml` know each console's words for what was done:
to teach the importer a new console, add a row. `learn` looks at the first lines and says which one is the header, what stands
between fields, and in which order the file writes day and month; it refuses, in a sentence, what it would have to guess.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from pipeline.formats import Layout
from pipeline.problems import Problem

TIMES = ("when", "date", "time")
PLACES = ("url", "site", "host")
VERDICTS = ("action", "status", "code")
FURTHEST = 100  # lines that may stand before the header
LIKENESS = 3  # columns that must be known before a line counts as a header
DAY = re.compile(r"\b(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b[,T ]*(?:(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp])?)?")
ZONED = re.compile(r"\b(utc|gmt)$")
TOTALS = (r"(?i)^[\s\"',;|]*(?:(?:grand |sub ?)?totals?\b|gesamt|summe|somme|anzahl|nombre|sum\b|count\b|end of|report\b|"
          r"generated|exported|created by|showing|page \d|[\d., ]+ (?:of [\d., ]+ )?(?:rows|records|results|entries|"
          r"lignes|zeilen|eintr|enregistrements))")


def quoted_word(text: str) -> str:
    """`text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def plain(name: str) -> str:
    """A header's name with only its words: lower case, one space between them."""
    return re.sub(r"[\W_]+", " ", name.strip("\ufeff")).strip().casefold()


@cache
def names() -> dict[str, tuple[str, str]]:
    """Ours and the language of every header name we know."""
    rows = csv.DictReader((files(__package__) / "names.csv").read_text("utf-8").splitlines())
    return {row["name"]: (row["ours"], row["language"]) for row in rows}


def ours(header: Sequence[str]) -> tuple[str, ...]:
    """Our names of a header's columns; '' for one that we do not know."""
    return tuple(names().get(ZONED.sub("", plain(name)).strip(), ("", ""))[0] for name in header)


# ---- what the split asks of the importer

NOTHING = "''"
SAID = "said"   # what the console says was done
# Source fields that are the first of several columns that states something.
FIRST = {SAID: VERDICTS, "who": ("user", "email", "name"), "result": ("code", "status"), "label": ("category", "category_number"),
         "why": ("rule", "reason", "action", "policy")}
MADE = (*FIRST, "moment", "address", "server")
LOOKED_AT = tuple(dict.fromkeys([*TIMES, *PLACES, "hits", *(name for several in FIRST.values() for name in several)]))
LAST = "made"
STEPS = """, tidied AS (
    SELECT line, byte, text, long, part, record, n, way{tidied} FROM celled
), made AS (
    -- a site with a path is an address; where the address names no host, the host's own column does
    SELECT *, {moment} AS "= moment", {firsts},
           coalesce(nullif({url}, ''), CASE WHEN contains({site}, '/') THEN {site} END) AS "= address",
           CASE WHEN coalesce({url}, '') IN ('', '-') OR starts_with({url}, '/') THEN coalesce({host}, {site}) END AS "= server"
    FROM tidied
)"""


def held(name: str) -> str:
    """The column that holds a source field on its way through the select."""
    return '"= ' + name.replace('"', '""') + '"'


def steps(fields: Sequence[str], columns: Sequence[str]) -> str:
    """The steps from cells as written to source fields: what a spreadsheet added comes off, and MADE is made."""
    cells = [f", {tidied(held(name)) if name in columns else held(name)} AS {held(name)}" for name in fields]
    day = f"{held('date')} || ' ' || {held('time')}"
    moment = [held("when")] * ("when" in columns) + [day] * ({"date", "time"} <= set(columns))
    moment += [held(name) for name in ("time", "date") if name in columns]
    firsts = [f"{_first([f'nullif({held(name)}, {NOTHING})' for name in several if name in columns])} AS {held(made)}"
              for made, several in FIRST.items()]
    return STEPS.format(tidied="".join(cells), moment=_first(moment), firsts=", ".join(firsts),
                        **{name: held(name) for name in PLACES})


def _first(values: Sequence[str]) -> str:
    return f"coalesce({', '.join(values)})" if values else "NULL::VARCHAR"


def tidied(value: str) -> str:
    """The SQL of a cell without what a spreadsheet put on it: outer spaces, a leading apostrophe, =HYPERLINK("…"), ="…"."""
    return (f"CASE WHEN ascii({value}) IN (32, 39, 61) OR ends_with({value}, ' ') THEN CASE "
            f"WHEN starts_with(upper(ltrim({value})), '=HYPERLINK(') "
            f"THEN regexp_extract({value}, '^ *=[A-Za-z]+\\(\\s*\"([^\"]*)\"', 1) "
            f"WHEN starts_with({value}, '=\"') THEN trim({value}, '=\" ') "
            f"WHEN starts_with({value}, '''') THEN trim(substr({value}, 2)) ELSE trim({value}) END ELSE {value} END")


def furniture(header: Sequence[str], d: str) -> list[str]:
    """WHEN lines for what stands around the rows: blank rows, totals at the end, all before a header is known."""
    if not header:
        return ["WHEN true THEN 'furniture'"]
    time = f"coalesce({held('moment')}, '')"
    empty = f"trim(record, {quoted_word(d + ' ' + chr(34))}) = ''"
    return [f"WHEN CASE WHEN {time} = '' THEN {empty} ELSE false END THEN 'furniture'",
            f"WHEN CASE WHEN n <= 2 OR ascii({time}) NOT BETWEEN 48 AND 57 THEN regexp_matches(record, {quoted_word(TOTALS)}) "
            "ELSE false END THEN 'furniture'"]


def faults(columns: Sequence[str], verdicts: Sequence[Mapping[str, Any]]) -> list[str]:
    """WHEN lines for rows that have their columns and still are no request; a word that no verdict knows is not guessed at."""
    if not columns:
        return []
    known = [glob for case in verdicts for glob in case.get("when", {}).get(SAID, [])]
    exact = ", ".join(quoted_word(glob) for glob in known if "*" not in glob and ".." not in glob)
    begins = "|".join(re.escape(glob.removesuffix("*")) for glob in known if glob.endswith("*"))
    said = held(SAID)
    lines = [f"WHEN {held('hits')} NOT IN ('', '1') THEN 'stands for several requests (a count of hits), not for one'"]
    return lines * ("hits" in columns) + [
        f"WHEN contains({held('moment')}, 'E+') THEN 'its time was shortened by a spreadsheet'",
        f"WHEN {said} IS NULL THEN 'does not say what was done with the request'",
        f"WHEN CASE WHEN lower({said}) IN ({exact}) OR TRY_CAST({said} AS INTEGER) BETWEEN 0 AND 599 THEN false "
        f"ELSE NOT regexp_matches(lower({said}), {quoted_word(f'^(?:{begins})')}) END "
        "THEN 'says what was done with the request in a word that is not known'",
        f"WHEN coalesce({', '.join(f'''nullif({held(name)}, {quoted_word('')})''' for name in PLACES)}) IS NULL "
        "THEN 'names no address and no host'"]


# ---- what recognition asks of the importer


def learn(sample_lines: Sequence[str], dates: str = "") -> Layout | Problem | None:
    """The layout of an export by its header line, a problem that says why it cannot be read, or None: no such header here.

    `sample_lines`: from the first line of the file on; `dates`: 'dmy' or 'mdy' where a person has said so.
    """
    found = _header(sample_lines)
    if not found:
        return None
    number, delimiter, header = found
    columns = ours(header)
    where = f"the header in line {number + 1}"
    rows = [row for line in sample_lines[number + 1:] if len(row := _cells(line, delimiter)) == len(header) and row != header]
    lacking = _lacking(columns, header, rows, where)
    if lacking:
        return lacking
    order = _order(columns, header, rows, dates)
    if isinstance(order, Problem):
        return order
    zone = "UTC" if any(ZONED.search(plain(name)) and mine in TIMES for name, mine in zip(header, columns, strict=True)) else ""
    return Layout("importer", tuple(header), delimiter, order, zone, begins=number + 2)


def _header(lines: Sequence[str]) -> tuple[int, str, list[str]] | None:
    """Where the header stands, its delimiter and names: the line with most columns that we know, the first of equals."""
    best: tuple[int, int, str, list[str]] | None = None
    for number, line in enumerate(lines[:FURTHEST]):
        if line.startswith("#") or len(line) > 1 << 14:
            continue
        for delimiter in ",\t;|":
            header = _cells(line, delimiter)
            known = set(ours(header)) - {""}
            if len(known) >= LIKENESS and (known & set(TIMES) or known & {"hits", "spent"}) and known & set(PLACES) \
                    and (best is None or len(known) > best[0]):
                best = len(known), number, delimiter, header
    return best[1:] if best else None


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of one physical line; an unclosed quote ends with the line."""
    text = line.rstrip("\r\n").removeprefix("\ufeff")
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []


def _lacking(columns: Sequence[str], header: Sequence[str], rows: list[list[str]], where: str) -> Problem | None:
    """Why this header cannot be read as a log of requests; None where it can."""
    for at, name in enumerate(columns):
        if name == "spent" or (name == "hits" and any(row[at].strip() not in ("", "1") for row in rows)):
            return Problem("", f"is a report of totals and no log: column {header[at]!r} sums up several requests in a row",
                           "exporting the detailed log, one row for each request")
    if not set(columns) & set(TIMES):
        return Problem("", f"{where} has no column that says when", "exporting it with its time column")
    if not set(columns) & set(VERDICTS):
        return Problem("", f"{where} has no column that says whether a request was let through",
                       "exporting it with that column (Action, Verdict or Status), or writing a format of your own for it")
    return None


def _order(columns: Sequence[str], header: Sequence[str], rows: list[list[str]], dates: str) -> str | Problem:
    """'dmy', 'mdy', or '' where no date is written so; a problem where it would be a guess."""
    at = min(columns.index(name) for name in TIMES if name in columns)
    at = columns.index("when") if "when" in columns else columns.index("date") if "date" in columns else at
    clock = columns.index("time") if "date" in columns and "time" in columns and "when" not in columns else None
    texts = [row[at] + (" " + row[clock] if clock is not None else "") for row in rows]
    found = [match for match in map(DAY.search, texts) if match]
    if not found:
        return ""
    day_first, month_first = (any(int(match[part]) > 12 for match in found) for part in (1, 3))
    example = f"{found[0][1]}{found[0][2]}{found[0][3]}{found[0][2]}{found[0][4]}"
    if day_first and month_first:
        return Problem("", f"some dates in column {header[at]!r} put the day first and some the month",
                       "exporting it again without opening it in a spreadsheet")
    proved = "dmy" if day_first else "mdy" if month_first else ""
    if dates and proved and dates != proved:
        return Problem("", f"--dates {dates} does not fit: some dates in column {header[at]!r} can only be {proved}",
                       f"--dates {proved}")
    return proved or dates or _by_custom(header, found) or _by_sequence(found) or Problem(
        "", f"dates such as {example} in column {header[at]!r} may be day first or month first, and nothing in the file decides",
        "--dates dmy (day first, as in Britain) or --dates mdy (month first, as in America)")


def _by_custom(header: Sequence[str], found: list[re.Match[str]]) -> str:
    """Nobody writes month.day.year with dots, nor month first under a French or German header."""
    languages = {names().get(plain(name), ("", ""))[1] for name in header}
    return "dmy" if languages & {"fr", "de"} or all(match[2] == "." for match in found) else ""


def _by_sequence(found: list[re.Match[str]]) -> str:
    """The one reading in which the times only rise, or only fall; '' where both do, or neither."""
    steady = [order for order in ("dmy", "mdy") if _steady([_moment(match, order) for match in found])]
    return steady[0] if len(steady) == 1 else ""


def _moment(match: re.Match[str], order: str) -> tuple[int, ...]:
    day, month = (int(match[1]), int(match[3])) if order == "dmy" else (int(match[3]), int(match[1]))
    hour = int(match[5] or 0) % 12 + (12 if match[8] in ("p", "P") else 0) if match[8] else int(match[5] or 0)
    return int(match[4]), month, day, hour, int(match[6] or 0), int(match[7] or 0)


def _steady(moments: list[tuple[int, ...]]) -> bool:
    return all(a <= b for a, b in pairwise(moments)) or all(a >= b for a, b in pairwise(moments))
