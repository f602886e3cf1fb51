r"""Reader `pairs`: lines of key=value, as firewalls and proxies write them to syslog.

What a format may say beside the common words, with what holds when it does not:

    delimiter = " "          what stands between two pairs: a space, "\t", ",", "|", "; "
    assign    = "="          what stands between key and value; ":" for Check Point
    quotes    = true         values may stand in double quotes, and then hold anything
    escapes   = false        \" inside quotes is a quote and \\ a backslash (which stays doubled, as logged)
    spaces    = true         unquoted values may hold spaces; false: a word that begins no pair is left out
    keys      = []           all keys the product writes, where unquoted values hold spaces and "=": only these begin a pair
    head      = ""           "cef": fields cef_0 … cef_6 from the |-parted head; "leef": leef_0 … leef_4
    after     = ""           what stands before the first of this is no part of the pairs
    closes    = ""           what stands behind the last pair, such as "]"
    lead      = ''           a regular expression with named groups (?P<name>…) over the line: fields that are no pairs
    goes_on   = ""           a key that every whole record has: a record without it goes on in the next line, if that has it
    begins    = ""           where a record may go on: what stands in the first line of each
    [parts]                  fields made of others, each { of = "field" } or { of = ["first", "second"] }: the first that is
                             not empty, or with join = " " all that are not; then, where said, one of
        pattern = '…(…)'     its first group
        map = { a = "b" }    another word for a word; only = true: null for any other
        swap = { a = "b" }   another text for each part of it
        unescape = true      percent escapes undone, where the whole address is escaped and so has no slash

A key without a value is an empty text; where a key comes twice, the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.formats import Format, Layout
from pipeline.formats.lines import column
from pipeline.formats.pairlines import PairLines
from pipeline.formats.pairtemplates import Signs
from pipeline.formats.plainpairs import LONGEST_KEY, Cutter
from pipeline.formats.plainway import Part, PlainWay

# Stand-ins that no log line holds: a delimiter inside quotes, an escaped backslash, quote, = and |, and the start of a pair.
INSIDE, BACKSLASH, QUOTE, EQUALS, BAR, PAIR = (f"chr({code})" for code in (31, 29, 28, 27, 26, 30))

# Functions over the whole line cost what the line is long, so each line meets few of them (`rtrim`, which walks every letter,
# is left out). DuckDB does a CASE only by its first branch where that holds for all rows: so the common case comes first.
SPLIT = r"""
WITH bare AS (
    SELECT line, byte, text, long,
           CASE WHEN NOT long AND NOT ends_with(text, E'\r\n') THEN replace(text, E'\n', '')
                WHEN NOT long THEN replace(text, E'\r\n', '') ELSE '' END AS body
    FROM numbered
), whole AS (
    SELECT line, byte, text, long, {part} AS part,
           CASE WHEN NOT starts_with(body, '<') AND NOT starts_with(body, chr(65279)) THEN body
                ELSE regexp_replace(body, '^\x{{FEFF}}?(?:<\d{{1,3}}>)?\s*', '') END AS record
    FROM {records}
), headed AS (
    SELECT *, {head} AS head FROM whole
), cut AS (
    SELECT *, {lead} AS lead, {rest} AS rest FROM headed
), quoted AS (
    SELECT *, contains(rest, '\') AS escaped, {pieces} AS q FROM cut
), plain AS (
    SELECT *, {masked} AS masked FROM quoted
), words AS (
    SELECT *, string_split(masked, {delimiter}) AS w FROM plain
), keyed AS (
    SELECT *, list_transform(w, lambda x: {key}) AS wk FROM words
), pairs AS (
    {pairs}
), found AS (
    SELECT line, byte, text, long, head, escaped, {fault} AS fault{values} FROM pairs
), named AS (
    SELECT line, byte, text, long, head, fault{fields} FROM found
)
SELECT line, byte, text, long, fault{given}
FROM named
"""

PLAIN = "SELECT *, w AS v, wk AS k FROM keyed"
# An unquoted value with spaces: words that begin no pair belong to the pair before them.
RUNS = """SELECT *, CASE WHEN {plain} THEN wk ELSE list_transform(v, lambda x: {key}) END AS k
    FROM (SELECT *, CASE WHEN {plain} THEN w ELSE string_split(
               {delimiter} || array_to_string(list_transform(
                   CASE WHEN NOT contains(masked || {delimiter}, {delimiter} || {delimiter}) THEN w
                        ELSE list_filter(w, lambda x: x <> '') END,
                   lambda x: CASE WHEN {begins} THEN {pair} || x ELSE x END), {delimiter}), {delimiter} || {pair})
               END AS v FROM keyed)"""

ONE_LINE = "bare"
# A record that breaks off before a key that every whole one has goes on in the next line, if that line has the key.
TWO_LINES = r"""(
        SELECT *, coalesce(lag(open) OVER (ORDER BY line), false) AS part FROM (
            SELECT line, byte, text, long, CASE WHEN opens AND beyond THEN body || next ELSE body END AS body,
                   opens AND beyond AS open
            FROM (SELECT *, contains(body, {mark}) AND NOT contains(body, {key}) AS opens,
                         coalesce(NOT contains(next, {mark}) AND contains(next, {key}), false) AS beyond
                  FROM (SELECT *, lead(body) OVER (ORDER BY line) AS next FROM bare)))
    )"""

HEADS = {
    "": "NULL::VARCHAR[]",
    "cef": rf"string_split(CASE WHEN NOT contains(record, '\|') THEN record ELSE replace(record, '\|', {BAR}) END, '|')",
    "leef": "string_split(record, '|')",
}
RESTS = {
    "cef": rf"""CASE WHEN NOT contains(record, '\|') THEN array_to_string(head[8:], '|')
                    ELSE replace(array_to_string(head[8:], '|'), {BAR}, '|') END""",
    # LEEF 2 names its own delimiter; a relay may have written each tab as #011
    "leef": """CASE WHEN contains(record, '#011') THEN replace(array_to_string(head[6:], '|'), '#011', chr(9))
                    WHEN contains(head[1], 'LEEF:2') AND head[6] NOT IN ('', 'x09', '0x09')
                    THEN replace(array_to_string(head[7:], '|'), head[6], chr(9))
                    WHEN contains(head[1], 'LEEF:2') THEN array_to_string(head[7:], '|')
                    ELSE array_to_string(head[6:], '|') END""",
}
HEAD_FAULTS = {"cef": "WHEN len(head) < 8 OR NOT (contains(head[1], 'CEF:') OR trim(head[1]) = '0') THEN 'has no CEF head'",
               "leef": "WHEN len(head) < 6 OR NOT contains(head[1], 'LEEF:') THEN 'has no LEEF head'"}
HEAD_FIELD = re.compile(r"(?:cef|leef)_(\d)")

# What stands in quotes: its delimiters are no delimiters.
MASKED = """array_to_string(list_transform(q, lambda x, i:
           CASE WHEN i % 2 = 0 AND contains(x, {delimiter}) THEN replace(x, {delimiter}, {inside}) ELSE x END), '')"""


@dataclass(frozen=True)
class Says:
    """What a format of this kind says for its reader, with the defaults."""

    delimiter: str = " "
    assign: str = "="
    quotes: bool = True
    escapes: bool = False
    spaces: bool = True
    keys: Sequence[str] = ()
    head: str = ""
    after: str = ""
    closes: str = ""
    lead: str = ""
    goes_on: str = ""
    begins: str = ""
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def split(form: Format, layout: Layout) -> str:
    """The split of a format of this kind: the pairs that the format speaks of, its head fields, and its parts."""
    says = _says(form)
    delimiter, groups = _text(says.delimiter), list(re.compile(says.lead).groupindex) if says.lead else []
    columns = {name: f"field_{n}" for n, name in enumerate(_read_of(form, says))}   # names of SQL know no case, keys do
    key = f"substr(x, 1, strpos(x, {_text(says.assign)}))"
    return SPLIT.format(
        records=TWO_LINES.format(mark=_text(says.begins), key=_text(f" {says.goes_on}=")) if says.goes_on else ONE_LINE,
        part="part" if says.goes_on else "false",
        head=HEADS[says.head],
        lead=f"regexp_extract(record, {_text(says.lead)}, {groups})" if groups else "NULL",
        rest=_rest(says),
        pieces=f"string_split({_escaped(says)}, '\"')" if says.quotes else f"[{_escaped(says)}]",
        masked=MASKED.format(delimiter=delimiter, inside=INSIDE) if says.quotes else "q[1]",
        delimiter=delimiter, key=key,
        pairs=_runs(says, key) if says.spaces else PLAIN,
        fault=_fault(says),
        values="".join(f", {_value(name, says, groups)} AS {place}" for name, place in columns.items()),
        fields="".join(f", {_read(name, place, says, groups)} AS {place}" for name, place in columns.items()),
        given="".join(f", {_unless_torn(name, form, says, columns)} AS {column(name)}" for name in form.needs))


def quick(form: Format, layout: Layout) -> tuple[Cutter, str] | None:
    """What cuts the plain lines of a format of this kind, and the split over what it has cut; none where the format has more to
    it than pairs."""
    says = _says(form)
    read = _read_of(form, says)
    if layout.wrapped or not _just_pairs(says):
        return None
    if not all(0 < len(name.encode()) <= LONGEST_KEY for name in read):
        return None
    columns = {name: f"field_{n}" for n, name in enumerate(read)}
    given = "".join(f", {_given(name, says, columns)} AS {column(name)}" for name in form.needs)
    cutter = Cutter(ord(says.delimiter), ord(says.assign), says.quotes, says.escapes, says.spaces, tuple(read))
    return cutter, f"SELECT line, byte, text, long, NULL::VARCHAR AS fault{given} FROM numbered"


def plain(form: Format, layout: Layout) -> PlainWay | None:
    """What cuts the plain lines of a format of this kind without SQL; none where the format has more to it than pairs."""
    says = _says(form)
    if not _just_pairs(says):
        return None
    cutter = PairLines(Signs(ord(says.delimiter), ord(says.assign), says.quotes), says.escapes, tuple(_read_of(form, says)))
    parts = {name: _part(name, says) for name in form.needs if name in says.parts}
    return PlainWay(cutter, frozenset(form.needs), lambda name, text: text, parts=parts)


def _just_pairs(says: Says) -> bool:
    """Whether lines are pairs and no more, with one byte between them and one in them."""
    more = says.keys or says.head or says.after or says.closes or says.lead or says.goes_on
    return not more and all(len(sign.encode()) == 1 for sign in (says.delimiter, says.assign))


def _part(name: str, says: Says) -> Part:
    """How a field is made of those of a plain line."""
    sources, part = _sources(name, says), says.parts[name]
    made = _given(name, says, {source: f"field_{n}" for n, source in enumerate(sources)})
    first = sources[0] in _of(part)[:1] and not set(part) - {"of"}
    return Part(tuple(sources), made, first and len(_of(part)) > 1)


def _says(form: Format) -> Says:
    return Says(**{name: form.says[name] for name in Says.__dataclass_fields__ if name in form.says})


def _read_of(form: Format, says: Says) -> list[str]:
    """The fields of the line that are read, each once."""
    return list(dict.fromkeys(source for name in form.needs for source in _sources(name, says)))


def _sources(name: str, says: Says) -> list[str]:
    """The fields of the line that a field is, or is made of."""
    if name not in says.parts:
        return [name]
    return [source for one in _of(says.parts[name]) for source in _sources(one, says)]


def _of(part: Mapping[str, Any]) -> list[str]:
    return [part["of"]] if isinstance(part["of"], str) else list(part["of"])


def _rest(says: Says) -> str:
    """The SQL of the text that holds the pairs."""
    rest = RESTS.get(says.head, "record")
    if says.after:
        at = f"strpos({rest}, {_text(says.after)})"
        rest = f"CASE WHEN {at} > 0 THEN substr({rest}, {at} + {len(says.after)}) ELSE {rest} END"
    if says.closes:
        rest = f"replace(replace({rest} || {PAIR}, {_text(says.closes)} || {PAIR}, ''), {PAIR}, '')"
    return rest


def _escaped(says: Says) -> str:
    """The SQL of `rest` with escaped letters as stand-ins."""
    if says.head == "cef":
        return rf"CASE WHEN NOT contains(rest, '\') THEN rest ELSE replace(replace(rest, '\\', {BACKSLASH}), '\=', {EQUALS}) END"
    if says.escapes:
        return rf"CASE WHEN NOT contains(rest, '\') THEN rest ELSE replace(replace(rest, '\\', {BACKSLASH}), '\"', {QUOTE}) END"
    return "rest"


def _runs(says: Says, key: str) -> str:
    """The SQL that gives a value the words behind it. Where the keys are named, no other word begins a pair."""
    named = ", ".join(_text(name + says.assign) for name in says.keys)
    return RUNS.format(
        delimiter=_text(says.delimiter), key=key, pair=PAIR,
        plain="false" if named else "NOT list_contains(wk, '')",
        begins=f"list_contains([{named}], {key})" if named else f"contains(x, {_text(says.assign)})")


def _fault(says: Says) -> str:
    """The SQL of what is wrong with a line: null for a record."""
    return "\n".join((
        "CASE WHEN part THEN 'part'",
        HEAD_FAULTS.get(says.head, ""),
        "WHEN len(q) % 2 = 0 THEN 'ends inside a quoted value'" if says.quotes else "",
        "END"))


def _value(name: str, says: Says, groups: Sequence[str]) -> str:
    """The SQL of a field as the line has it, with its stand-ins."""
    if name in groups:
        return f'lead."{name}"'
    numbered = HEAD_FIELD.fullmatch(name)
    if says.head and numbered:
        return f"head[{int(numbered[1]) + 1}]"
    return f"substr(v[list_position(k, {_text(name + says.assign)})], {len(name) + len(says.assign) + 1})"


def _read(name: str, found: str, says: Says, groups: Sequence[str]) -> str:
    """The SQL of a field with what its stand-ins stand for; few have any."""
    if name in groups:
        return found
    if says.head and HEAD_FIELD.fullmatch(name):
        return f"replace({found}, {BAR}, '|')"
    value = f"replace({found}, {INSIDE}, {_text(says.delimiter)})" if says.quotes else found
    plain = f"NOT contains({found}, {INSIDE})" if says.quotes else "true"
    if says.head == "cef":
        written = rf"replace(replace({value}, {EQUALS}, '='), {BACKSLASH}, '\')"
    elif says.escapes:
        written = rf"replace(replace({value}, {QUOTE}, chr(34)), {BACKSLASH}, '\\')"
    else:
        return f"CASE WHEN {plain} THEN {found} ELSE {value} END" if says.quotes else found
    return f"CASE WHEN NOT escaped AND {plain} THEN {found} WHEN NOT escaped THEN {value} ELSE {written} END"


def _unless_torn(name: str, form: Format, says: Says, columns: Mapping[str, str]) -> str:
    """The SQL of a field; null on a line with a fault where the field says which lines to leave aside: it may be cut."""
    value = _given(name, says, columns)
    return f"CASE WHEN fault IS NULL THEN {value} END" if name in form.says.get("keep", {}) else value


def _given(name: str, says: Says, columns: Mapping[str, str]) -> str:
    """The SQL of a field: as the line has it, or made of others."""
    if name not in says.parts:
        return columns[name]
    part = says.parts[name]
    made = [_given(one, says, columns) for one in _of(part)]
    stated = ", ".join(f"nullif({one}, '')" for one in made)
    if "join" in part:
        value = f"concat_ws({_text(part['join'])}, {stated})"
    else:
        value = f"coalesce({stated})" if len(made) > 1 else made[0]
    if "pattern" in part:
        return f"nullif(regexp_extract({value}, {_text(part['pattern'])}, 1), '')"
    if "map" in part:
        cases = " ".join(f"WHEN {_text(word)} THEN {_text(meant)}" for word, meant in part["map"].items())
        return f"CASE {value} {cases} ELSE {'NULL' if part.get('only') else value} END"
    for word, meant in part.get("swap", {}).items():
        value = f"replace({value}, {_text(word)}, {_text(meant)})"
    if part.get("unescape"):
        whole = f"contains({value}, '%') AND NOT contains({value}, '/')"
        return f"CASE WHEN {whole} THEN coalesce(try(url_decode({value})), {value}) ELSE {value} END"
    return value


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
