"""Reader `w3c`: lines whose columns are named by a header line, as W3C extended logs (`#Fields:`) and Zeek (`#fields`) have.

The names come from the header (`layout.header`), else from the format's `columns`, as a log sent through syslog has none.

    delimiter = " "               what stands between columns; with a space, values that hold one stand in quotes
    null      = ["-"]             values that mean nothing is stated; the first also stands for a column cut off at the end
    escapes   = true              bytes written as \\xHH (Zeek)
    checks    = { c-ip = "address", sc-status = "number" }   columns that show whether names and values stand in step:
                                  a header that is wrong by one column is put right by one, or the line is a reject
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pipeline.formats import Format, Layout
from pipeline.formats.lines import BARE, BLANK, column, literal
from pipeline.formats.plaincells import Cells
from pipeline.formats.plainway import UNSURE, PlainWay
from pipeline.formats.verdicts import WORDS

SELECT = r"""
WITH bare AS (
    SELECT line, byte, text, long, {bare} AS body FROM numbered
), cut AS (
    SELECT line, byte, text, long, body, {cut} AS q FROM bare
), judged AS (
    SELECT line, byte, text, long, body, q,
           CASE WHEN {blank} OR starts_with(text, '#') OR starts_with(text, chr(65279) || '#') THEN 'furniture'
                WHEN long THEN 'a line of more than 1 MiB'
                WHEN contains(body, chr(0)) THEN 'holds NUL bytes, as after a crash'
                {quoting}
           END AS unfit
    FROM cut
), parted AS (
    SELECT line, byte, text, long, unfit, CASE WHEN unfit IS NULL THEN {pieces} END AS p
    FROM judged
), stepped AS (
    SELECT line, byte, text, long, unfit, p, {shift} AS shift
    FROM parted
), taken AS (
    SELECT line, byte, text, long,
           CASE WHEN unfit IS NOT NULL THEN unfit
                WHEN {misfit} THEN 'has ' || len(p) || ' columns where {count} belong'
                WHEN shift IS NULL THEN 'its columns are not those that the header names'
           END AS fault{taken}
    FROM stepped
)
SELECT line, byte, text, long, fault{values}
FROM taken
"""

# Every second piece between quotes is inside them: its spaces are not ends of columns, and chr(31) stands for them meanwhile.
# Lines have one, two or three quoted values as a rule: those are put together without a loop.
CUT = r"""CASE WHEN NOT long AND contains(body, '"') THEN string_split(body, '"') END"""
QUOTED = r"""string_split(CASE WHEN q IS NULL THEN body
                WHEN len(q) = 3 THEN concat(q[1], {q2}, q[3])
                WHEN len(q) = 5 THEN concat(q[1], {q2}, q[3], {q4}, q[5])
                WHEN len(q) = 7 THEN concat(q[1], {q2}, q[3], {q4}, q[5], {q6}, q[7])
                ELSE array_to_string(list_transform(q, lambda x, n: CASE WHEN n % 2 = 0 THEN {x} ELSE x END), '') END, ' ')"""
HIDDEN = "CASE WHEN contains({x}, ' ') THEN replace({x}, ' ', chr(31)) ELSE {x} END"
OPEN_QUOTE = """WHEN len(q) % 2 = 0
                    THEN 'ends early: a quote is not closed'"""

CHECKS = {
    "number": "coalesce(TRY_CAST({it} AS INTEGER) IS NOT NULL OR {it} = '-', false)",
    "address": "coalesce((contains({it}, '.') OR contains({it}, ':')) "
               "AND NOT contains({it}, '/') AND NOT contains({it}, ' ') AND NOT contains({it}, chr(31)), false)",
}

# \xHH is a byte: as %HH it can be decoded with its neighbours, once every % that was there is safe.
DECODED = r"""CASE WHEN contains({it}, '\x') THEN
           coalesce(try(url_decode(regexp_replace(replace({it}, '%', '%25'), '\\x([0-9A-Fa-f]{{2}})', '%\1', 'g'))), {it})
           ELSE {it} END"""


def split(form: Format, layout: Layout) -> str:
    """The select that gives each line of `numbered` its fault and the fields that `form` needs."""
    says = form.says
    names = [name.lower() for name in layout.header or says.get("columns", ())]
    delimiter = layout.delimiter or says.get("delimiter", " ")
    needs = {name: names.index(name.lower()) + 1 for name in form.needs if name.lower() in names}
    checks = [(needs[name], kind) for name, kind in says.get("checks", {}).items() if name in needs]
    headed, absent = bool(layout.header), "NULL::VARCHAR"
    values = {name: _value(form, column(name), delimiter == " ") if name in needs else absent for name in form.needs}
    return SELECT.format(
        bare=BARE,
        blank=BLANK,
        cut=CUT if delimiter == " " else "NULL::VARCHAR[]",
        quoting=OPEN_QUOTE if delimiter == " " else "",
        pieces=_pieces() if delimiter == " " else f"string_split(body, {literal(delimiter)})",
        shift=_shift(checks) if checks else "0",
        misfit=f"len(p) <> {len(names)}" if headed else f"len(p) < {max(needs.values(), default=1)}",
        count=len(names) if headed else f"{max(needs.values(), default=1)} or more",
        taken="".join(f", {_taken(form, place, bool(checks))} AS {column(name)}" for name, place in needs.items()),
        values="".join(f",\n       {value} AS {column(name)}" for name, value in values.items()),
    )


def plain(form: Format, layout: Layout) -> PlainWay | None:
    """What cuts the plain lines of a format of this kind; none where a column that shows the step is no word."""
    says = form.says
    names = [name.lower() for name in layout.header or says.get("columns", ())]
    delimiter = layout.delimiter or says.get("delimiter", " ")
    places = {name: names.index(name.lower()) for name in form.needs if name.lower() in names}
    checks = {name: kind for name, kind in says.get("checks", {}).items() if name in places}
    if len(delimiter) != 1 or not checks.keys() <= {source for ours in WORDS for source in form.sources(ours)}:
        return None
    nulls = says.get("null", ["-"])
    stated = {name: nulls for name in places if name not in checks}
    cells = Cells(delimiter, delimiter == " ", False, len(names), places, stated, bool(says.get("escapes")))
    return PlainWay(cells, frozenset(places), partial(_read, checks, nulls), tuple(checks))


def _read(checks: Mapping[str, str], nulls: Sequence[str], name: str, text: str) -> str | None:
    """What a column says; one that shows whether names and values stand in step must be what it is."""
    if name not in checks:
        return text
    address = ("." in text or ":" in text) and "/" not in text and " " not in text
    number = text == "-" or (text.isascii() and text.isdigit() and len(text) < 10)
    if not (number if checks[name] == "number" else address):
        return UNSURE
    return None if text in nulls else text


def _shift(checks: list[tuple[int, str]]) -> str:
    """By how many columns the values stand beside their names: 0, 1 or -1; NULL when the checks hold nowhere."""
    def hold(by: int) -> str:
        return " AND ".join(CHECKS[kind].format(it=f"p[{place + by}]") for place, kind in checks)
    return f"CASE WHEN {hold(0)} THEN 0 WHEN {hold(1)} THEN 1 WHEN {hold(-1)} THEN -1 END"


def _pieces() -> str:
    return QUOTED.format(x=HIDDEN.format(x="x"), **{f"q{n}": HIDDEN.format(x=f"q[{n}]") for n in (2, 4, 6)})


def _taken(form: Format, place: int, checked: bool) -> str:
    """The SQL of the column at a place: beside it where the line's values stand beside their names."""
    if not checked or place <= int(form.says.get("steady", 0)):
        return f"p[{place}]"
    return f"CASE WHEN shift = 0 THEN p[{place}] ELSE p[{place} + shift] END"


def _value(form: Format, it: str, hidden: bool) -> str:
    """The SQL of what a column says; null where it says nothing."""
    nulls = ", ".join(literal(null) for null in form.says.get("null", ["-"]))
    read = DECODED.format(it=it) if form.says.get("escapes") else it
    if hidden:
        read = f"CASE WHEN contains({it}, chr(31)) THEN replace({read}, chr(31), ' ') ELSE {read} END"
    return f"CASE WHEN {it} NOT IN ({nulls}) THEN {read} END"
