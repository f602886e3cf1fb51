"""Reader `csv`: lines of fields between delimiters, with quotes or without.

What a format's file says beside the common keys:

    delimiter   "," (so when left out), "\\t", ";" or "|"; the layout's delimiter wins
    columns     names in order (one list), or a list of lists: the one with as many names as the line has columns is used
    least       with one list: a line may stop after so many columns; the later ones are null
    more        with one list: true where newer releases add columns at the end
    variants    in place of columns: [{ fits = { 4 = "THREAT" }, columns = […], least = 32, more = true }, …]; the first whose
                words stand at their positions (from 1) is used; one with `leave = true` is a kind of line left aside
    header      regular expression of a header line: the names then come from the layout, `columns` serve until one was seen
    aliases     true: header names are people's words, to be read through names.csv (the importer)
    quoted      false: a quote is a letter like any other
    multiline   true: a quoted field may hold line ends, so that a record may take several lines
    escaped     columns whose values are percent-encoded as a whole
    unsaid      { column = 'regular expression' }: a value that fits says nothing
    head        { is = 'regular expression', unless = "1," }: what may stand before the record, and how a line without one begins

Regular expressions cost a hundred times what string_split costs, so how a line is quoted decides the path it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.formats import Format, Layout, importer
from pipeline.formats.importer import held
from pipeline.formats.importer import quoted_word as word
from pipeline.formats.lines import column
from pipeline.formats.plaincells import Columns, ManyCells
from pipeline.formats.plainway import PlainWay

REACH = 20  # physical lines that one record may take: a lone quote must not swallow the file
ENDLESS = 1_000_000

# style: 1 no quotes; 2 every field quoted, no quote inside; 3 well formed, some quoted; 4 begins and ends with a quote but
# holds stray ones; 5 anything else. `f` is the line in pieces; what is still to be taken off a piece, `_cell` takes off.
SPLIT = r"""
WITH whole AS (
{records}
), looked AS (
    SELECT *, {unquoted} AS bare, starts_with(record, '"') AND ends_with(record, '"') AS enclosed FROM whole
), cut AS (
    SELECT *, CASE WHEN long THEN [] WHEN bare THEN string_split(record, '{d}')
                   WHEN enclosed THEN string_split(record, '"{d}"') END AS pieces
    FROM looked
), weighed AS (
    SELECT *, CASE WHEN long THEN 0 WHEN bare THEN 1
                   WHEN enclosed AND strlen(record) - strlen(replace(record, '"', '')) = 2 * len(pieces) THEN 2 END AS easy
    FROM cut
), opened AS (
    SELECT *, CASE WHEN easy IS NULL THEN string_split(record, '"') END AS q FROM weighed
), hid AS (
    SELECT *, CASE WHEN easy IS NULL THEN {hidden} END AS hidden FROM opened
), styled AS (
    SELECT *, CASE WHEN easy IS NOT NULL THEN easy WHEN len(q) % 2 = 1 AND NOT contains(hidden, chr(30)) THEN 3
                   WHEN enclosed THEN 4 ELSE 5 END AS style
    FROM hid
), parted AS (
    SELECT line, byte, text, long, part, record, style,
           CASE WHEN style <= 2 THEN pieces
                WHEN style = 3 THEN string_split(hidden, '{d}')
                WHEN style = 4 THEN string_split(replace(record, '""', '"'), '"{d}"')
                ELSE {loose} END AS f
    FROM styled
), counted AS (
    SELECT *, len(f) AS n FROM parted
), fitted AS (
    SELECT *, {way} AS way FROM counted
), celled AS (
    SELECT line, byte, text, long, part, record, n, way{cells} FROM fitted
){steps}
SELECT line, byte, text, long,
       CASE WHEN part THEN 'part'
            WHEN long THEN 'a line of more than 1 MiB'
            WHEN CASE WHEN n = 1 THEN trim(record, E' \t\r\n') = '' ELSE false END THEN 'furniture'
            {faults}
       END AS fault{needed}
FROM {last}
"""

PLAIN = "    SELECT line, byte, text, long, {record} AS record, false AS part FROM numbered"

# A line that leaves a quote open begins a record; the next such line, not far below, ends it, if together they have just
# the columns that belong. A lone stray quote finds no such partner, and is a letter like any other.
RECORDS = r"""
    SELECT line, byte, text, long, coalesce(opens < line, false) AS part,
           coalesce(CASE WHEN opens < line THEN '' ELSE joined END, {record}) AS record
    FROM numbered LEFT JOIN (
        WITH odd AS (
            SELECT line FROM numbered
            WHERE contains(text, '"') AND NOT long AND (strlen(text) - strlen(replace(text, '"', ''))) % 2 = 1
        ), pairs AS (
            SELECT line AS opens, lead(line) OVER (ORDER BY line) AS closes FROM odd
        ), spans AS (
            SELECT opens, closes, unnest(range(opens, closes + 1)) AS line FROM pairs WHERE closes - opens < {reach}
        ), glued AS (
            SELECT opens, closes, rtrim(string_agg({body}, '' ORDER BY line), E'\r\n') AS record
            FROM spans JOIN numbered USING (line) GROUP BY opens, closes
        ), good AS (
            SELECT opens, closes, record, coalesce(lag(closes) OVER (ORDER BY opens) = opens, false) AS chained
            FROM glued WHERE len({loose}) IN ({counts})
        ), runs AS (
            SELECT *, count(*) FILTER (NOT chained) OVER (ORDER BY opens) AS run FROM good
        ), kept AS (
            SELECT *, row_number() OVER (PARTITION BY run ORDER BY opens) % 2 = 1 AS first FROM runs
        )
        SELECT opens, record AS joined, unnest(range(opens, closes + 1)) AS member FROM kept WHERE first
    ) ON member = line"""


@dataclass(frozen=True)
class Way:
    """One way the columns may run: names in order, fewest and most columns, words that stand at positions, and whether such
    lines are left aside."""

    columns: tuple[str, ...] = ()
    least: int = 0
    most: int = ENDLESS
    fits: tuple[tuple[int, tuple[str, ...]], ...] = ()
    leave: bool = False


def split(form: Format, layout: Layout) -> str:
    """One select over `numbered`: line, byte, text, long, fault, and a text column for each source field of `form.needs`."""
    says, d = form.says, layout.delimiter or form.says.get("delimiter", ",")
    found, aliases = ways(says, layout.header), bool(says.get("aliases"))
    body = "(CASE WHEN line = 1 THEN ltrim(text, chr(65279)) ELSE text END)"
    if head := says.get("head"):
        bare = f"regexp_replace({body}, {word(head['is'])}, '')"
        body = f"(CASE WHEN starts_with(text, {word(head['unless'])}) THEN text ELSE {bare} END)"
    record = f"CASE WHEN ends_with(text, E'\\r\\n') THEN replace({body}, E'\\r\\n', '') ELSE replace({body}, E'\\n', '') END"
    counts = ", ".join(sorted({str(len(way.columns)) for way in found if way.columns}))
    records = RECORDS if says.get("multiline") and counts else PLAIN
    made = importer.MADE if aliases else ()
    names = [*dict.fromkeys([*form.needs, *(importer.LOOKED_AT if aliases else ())])]
    cell = _cell(d, min((way.least for way in found if way.columns), default=0))
    return SPLIT.format(
        records=records.format(record=record, body=body, reach=REACH, loose=_loose(d), counts=counts),
        d=d.replace("'", "''"),
        unquoted="true" if says.get("quoted") is False else "NOT contains(record, '\"')",
        hidden=_hidden(d), loose=_loose(d),
        way=_way(found, _cell(d, 0)),
        cells=_listed(f"{_value(name, found, cell)} AS {held(name)}" for name in names if name not in made),
        steps=importer.steps([name for name in names if name not in made], importer.ours(layout.header)) if aliases else "",
        last=importer.LAST if aliases else "celled",
        faults="\n            ".join(_faults(says, layout.header, found, d)),
        needed=_listed(f"{_needed(name, says)} AS {column(name)}" for name in form.needs))


def plain(form: Format, layout: Layout) -> PlainWay | None:
    """What cuts the plain lines of a format of this kind; none where there is more to its lines than columns."""
    says, found = form.says, [way for way in ways(form.says, layout.header) if not way.leave]
    more = any(says.get(key) for key in ("aliases", "multiline", "head", "unsaid", "escaped"))
    if more or any(len(way.fits) > 1 for way in found) or ("header" in says and not layout.header):
        return None
    needs = [name for name in form.needs if any(name in way.columns for way in found)]
    if any(way.columns.count(name) > 1 for way in found for name in needs):
        return None
    quotes, between = says.get("quoted") is not False, layout.delimiter or says.get("delimiter", ",")
    cells = ManyCells(between, quotes, [_list(way) for way in found], needs)
    return PlainWay(cells, frozenset(needs), lambda name, text: text)


def _list(way: Way) -> Columns:
    """A way as what cuts plain lines knows it."""
    (at, words), = way.fits or ((0, ()),)
    return Columns(way.columns, way.least, way.most, at - 1, frozenset(words))


def ways(says: Mapping[str, Any], header: Sequence[str]) -> list[Way]:
    """The ways of a format's file; where the log has a header, the header line itself and the rows below it."""
    if header:
        names = importer.ours(header) if says.get("aliases") else tuple(header)
        itself = Way(fits=tuple((at, (name,)) for at, name in enumerate(header, 1)), leave=True)
        return [itself, Way(names, len(names), len(names))]
    if "variants" in says:
        return [_variant(way) for way in says["variants"]]
    columns = says.get("columns", [])
    lists = columns if columns and isinstance(columns[0], list) else [columns] if columns else []
    return [_variant({**says, "columns": names}) for names in lists]


def _variant(says: Mapping[str, Any]) -> Way:
    names = tuple(says.get("columns", ()))
    fits = tuple((int(at), (words,) if isinstance(words, str) else tuple(words)) for at, words in says.get("fits", {}).items())
    most = ENDLESS if says.get("more") or not names else len(names)
    return Way(names, says.get("least", len(names)), most, fits, says.get("leave", False))


Cell = Callable[[int], str]


def _cell(d: str, ends: int) -> Cell:
    """The SQL of the value at a position (from 1): the piece without what its style left on it. Lines may end from `ends` on."""
    def cell(at: int) -> str:
        piece = f"replace(f[{at}], chr(31), {word(d)})"
        inner = f"CASE WHEN style = 3 THEN {piece} ELSE f[{at}] END"
        if at == 1:
            inner = f"CASE style WHEN 1 THEN f[1] WHEN 3 THEN {piece} WHEN 5 THEN f[1] ELSE substr(f[1], 2) END"
        if at < ends:
            return f"({inner})"
        return f"(CASE WHEN n = {at} AND style IN (2, 4) THEN rtrim({inner}, '\"') ELSE {inner} END)"
    return cell


def _hidden(d: str) -> str:
    """The line without its quotes and with chr(31) for each delimiter that stood in quotes; `q` is the line cut at quotes.

    Quotes belong around whole fields (a space may stand between) and doubled inside them; chr(30) stands where one does not.
    Most lines have one, two or three quoted fields and nothing odd: those are put together without a loop.
    """
    plain = " ".join(f"WHEN {_apart(d, pieces)} THEN {_together(d, pieces)}" for pieces in (3, 5, 7))
    return (f"CASE {plain} ELSE array_to_string(list_transform(q, lambda s, i: "
            f"CASE WHEN i % 2 = 0 THEN replace(s, {word(d)}, chr(31)) "
            "WHEN s = '' THEN CASE WHEN i > 1 AND i < len(q) THEN '\"' ELSE '' END "
            f"WHEN (i = 1 OR starts_with(s, {word(d)})) AND (i = len(q) OR ends_with(s, {word(d)})) THEN s "
            f"WHEN (i = 1 OR starts_with(ltrim(s, ' '), {word(d)})) AND (i = len(q) OR ends_with(rtrim(s, ' '), {word(d)})) "
            "THEN CASE i WHEN 1 THEN rtrim(s, ' ') WHEN len(q) THEN ltrim(s, ' ') ELSE trim(s, ' ') END "
            "ELSE chr(30) END), '') END")


def _apart(d: str, pieces: int) -> str:
    """Whether so many pieces have a delimiter wherever a quoted field begins or ends."""
    begins = [f"(q[1] = '' OR ends_with(q[1], {word(d)}))"]
    between = [f"starts_with(q[{i}], {word(d)}) AND ends_with(q[{i}], {word(d)})" for i in range(3, pieces, 2)]
    return " AND ".join([f"len(q) = {pieces}", *begins, *between, f"(q[{pieces}] = '' OR starts_with(q[{pieces}], {word(d)}))"])


def _together(d: str, pieces: int) -> str:
    return "concat(" + ", ".join(f"replace(q[{i}], {word(d)}, chr(31))" if i % 2 == 0 else f"q[{i}]"
                                 for i in range(1, pieces + 1)) + ")"


def _loose(d: str) -> str:
    """The fields of a line whose quotes are odd: one that opens a field and is never closed is a letter."""
    mark = f"\\x{ord(d):02x}"
    pattern = f'{mark}((?: *"(?:[^"]|"")*")?[^{mark}]*)'
    return (f"list_transform(regexp_extract_all({word(d)} || record, {word(pattern)}, 1), lambda v: "
            "CASE WHEN starts_with(ltrim(v, ' '), '\"') AND ends_with(rtrim(v, ' '), '\"') AND strlen(trim(v, ' ')) > 1 "
            "THEN replace(array_slice(trim(v, ' '), 2, -2), '\"\"', '\"') ELSE v END)")


def _way(found: list[Way], cell: Cell) -> str:
    """Which way a line goes, from 1; NULL for none."""
    tests = []
    for number, way in enumerate(found, 1):
        fits = [f"{cell(at)} IN ({', '.join(map(word, words))})" for at, words in way.fits]
        tests.append(f"WHEN {' AND '.join(fits) if fits else _count(way)} THEN {number}")
    return f"CASE {' '.join(tests)} END" if tests else "NULL::INTEGER"


def _count(way: Way) -> str:
    """Whether the line has the columns of the way; empty ones after the last do not count."""
    if way.most == ENDLESS:
        return f"n >= {way.least}"
    spare = f"CASE WHEN n > {way.most} THEN trim(array_to_string(f[{way.most + 1}:], ''), '\"') = '' ELSE false END"
    return f"(n BETWEEN {way.least} AND {way.most} OR ({spare}))"


def _value(name: str, found: list[Way], cell: Cell) -> str:
    """The SQL of a column: NULL where the line's way has none of that name."""
    rows = [(number, _first(name, way, cell)) for number, way in enumerate(found, 1) if not way.leave]
    places = {place for _, place in rows}
    if len(places) > 1:
        return f"CASE way {' '.join(f'WHEN {number} THEN {place}' for number, place in rows)} END"
    return places.pop() if places - {"NULL"} else "NULL::VARCHAR"


def _first(name: str, way: Way, cell: Cell) -> str:
    """The first column of that name that is not empty."""
    values = [cell(at) for at, column in enumerate(way.columns, 1) if column == name]
    if len(values) > 1:
        return "coalesce(" + ", ".join(f"nullif({value}, '')" for value in values) + ")"
    return values[0] if values else "NULL"


def _needed(name: str, says: Mapping[str, Any]) -> str:
    value = held(name)
    if name in says.get("unsaid", ()):
        value = f"CASE WHEN NOT regexp_matches({value}, {word(says['unsaid'][name])}) THEN {value} END"
    if name in says.get("escaped", ()):
        value = f"({value})"
        return f"CASE WHEN contains({value}, '%') THEN coalesce(try(url_decode({value})), {value}) ELSE {value} END"
    return value


def _faults(says: Mapping[str, Any], header: Sequence[str], found: list[Way], d: str) -> list[str]:
    """The WHEN lines of what a line is beside a record, in order."""
    said = [f"WHEN way = {number} THEN 'furniture'" for number, way in enumerate(found, 1) if way.leave]
    if "header" in says and not header:
        said.append(f"WHEN regexp_matches(record, {word(says['header'])}) THEN 'furniture'")
    if says.get("aliases"):
        said += importer.furniture(header, d)
    said.append(f"WHEN way IS NULL THEN {_misfit(found)}")
    said += [f"WHEN way = {number} AND NOT {_count(way)} THEN {_misfit([Way(way.columns, way.least, way.most)])}"
             for number, way in enumerate(found, 1) if way.fits and not way.leave]
    return said + (importer.faults(importer.ours(header), says["verdicts"]) if says.get("aliases") else [])


def _misfit(found: list[Way]) -> str:
    """What to say of a line that goes no way."""
    counted = [way for way in found if not way.fits]
    if not found:
        return "'stands before any header line that names its columns'"
    if not counted:
        return "'is of no kind that this format knows'"
    least = " or ".join(sorted({("at least " if way.most == ENDLESS else "") + str(way.least) for way in counted}))
    return f"concat('has ', n, CASE WHEN n = 1 THEN ' column' ELSE ' columns' END, ' where {least} belong')"


def _listed(columns: Iterable[str]) -> str:
    return "".join(f",\n       {column}" for column in columns)
