"""Reader `json`: an object a line (NDJSON), also where brackets and commas of an array still stand around it.

A file that is an array, in any layout, comes here as an object a line too (`formats/arrays.py`). What Elasticsearch found is
read as the document that it is: what stands under `_source`.

A source field is the path to a value: "event.eurl", "queries[0].rrname". A key that holds dots itself, such as Zeek's
"id.orig_h", is tried as it stands first. Numbers and booleans come as their text, a list as its items joined by ", ",
and a map that is used as a set (Smoothwall's `tagset`) as its keys joined by ", ". Of a key that stands twice the first
counts. All paths of a line are looked up in one pass over its text.

    loose   = true                    a line that is no JSON because a quote inside a value is not escaped is searched for
                                      its keys instead
    encoded = { eurl = "percent" }    fields that are written encoded: percent or base64
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.formats import Format, Layout
from pipeline.formats.lines import column, literal
from pipeline.formats.plainobjects import Objects
from pipeline.formats.plainway import PlainWay
from pipeline.formats.templates import Path

SELECT = r"""
WITH bare AS (
    -- a line is nearly always an object and no more; else it may have brackets and commas of an array around it
    SELECT line, byte, text, long,
           CASE WHEN starts_with(text, '{{') AND (ends_with(text, E'}}\n') OR ends_with(text, E'}}\r\n')) THEN text
                ELSE trim(text, chr(65279) || E'[], \t\r\n') END AS body
    FROM numbered
), looked AS (
    SELECT line, byte, text, long, body,
           CASE WHEN NOT long AND starts_with(body, '{{') THEN try(json_extract_string({document}, [{paths}])) END AS v
    FROM bare
), judged AS (
    SELECT line, byte, text, long, body, v,
           CASE WHEN v IS NOT NULL THEN NULL
                WHEN body = '' THEN 'furniture'
                WHEN long THEN 'a line of more than 1 MiB'
                WHEN contains(body, chr(0)) THEN 'holds NUL bytes, as after a crash'
                WHEN NOT starts_with(body, '{{') THEN 'is not a JSON object'
                WHEN NOT ends_with(rtrim(body, E'\r\n'), '}}') THEN 'ends early: the object is not closed'
                WHEN try(json_valid('[' || body || ']')) THEN 'holds several objects: write an object a line'
                WHEN {loose} THEN NULL
                ELSE 'is not valid JSON'
           END AS fault
    FROM looked
), taken AS (
    SELECT line, byte, text, long, fault{taken}
    FROM judged
), fields AS (
    SELECT line, byte, text, long, fault{values}
    FROM taken
)
SELECT line, byte, text, long,
       CASE WHEN fault IS NULL AND {nothing} THEN 'holds none of the fields of this format' ELSE fault END AS fault{names}
FROM fields
"""

DOCUMENT = r"""CASE WHEN NOT contains(body, '"_source"') THEN body
                WHEN json_type(body, '$._source') = 'OBJECT' THEN json_extract(body, '$._source')::VARCHAR ELSE body END"""

# A list and a map are JSON text here; only a value that begins like one is looked at again. Most lists hold one plain text,
# nearly all others plain texts. (Comparing is quicker than `starts_with`: '[' and '\' follow each other, '{' and '|' too.)
VALUE = r""",
           CASE WHEN {it} >= '[' AND {it} < '\' THEN CASE
                     WHEN starts_with({it}, '["') AND ends_with({it}, '"]') AND NOT contains({it}, '\')
                          AND strlen({it}) - strlen(replace({it}, '"', '')) = 2
                     THEN nullif(substr({it}, 3, length({it}) - 4), '')
                     WHEN regexp_full_match({it}, '{texts}')
                     THEN nullif(replace(substr({it}, 3, length({it}) - 4), '","', ', '), '')
                     WHEN json_valid({it})
                     THEN nullif(array_to_string(json_extract_string({it}, '$[*]'), ', '), '') ELSE {it} END
                WHEN {it} >= '{{' AND {it} < '|' THEN CASE WHEN json_valid({it})
                     THEN nullif(array_to_string(json_keys({it}), ', '), '') ELSE {it} END
                ELSE {it} END AS {name}"""
TEXTS = r'\["[^"\\\x00-\x1f]*"(?:,"[^"\\\x00-\x1f]*")*\]'
SCALAR = ("url", "port", "status", "bytes_in", "bytes_out", "duration", "referrer")   # these are never a list or a map

ENCODED = {
    "percent": "CASE WHEN contains({it}, '%') THEN coalesce(try(url_decode({it})), {it}) ELSE {it} END",
    "base64": "coalesce(try(decode(from_base64({it}))), {it})",
}

# The value of one key on a line that is no JSON: up to the comma before the next key, or to the end of the object.
LOOSE = """CASE WHEN v IS NOT NULL THEN {it} ELSE nullif(nullif(regexp_extract(body,
                '"{key}" ?: ?"?(.*?)"? ?(?:, ?"[A-Za-z][A-Za-z0-9_]*" ?:|\\}}*\\s*$)', 1), ''), 'null') END"""


def split(form: Format, layout: Layout) -> str:
    """The select that gives each line of `numbered` its fault and the fields that `form` needs; a layout changes nothing."""
    paths = dict.fromkeys(path for name in form.needs for path in _paths(name))
    place = {path: number for number, path in enumerate(paths, 1)}
    loose, encoded = bool(form.says.get("loose")), form.says.get("encoded", {})
    scalar = _scalar(form)
    return SELECT.format(
        paths=", ".join(literal(path) for path in paths) or "'$.none'",
        document=DOCUMENT,
        loose="true" if loose else "false",
        taken="".join(f", {_taken(name, place, loose, encoded.get(name))} AS {column(name)}" for name in form.needs),
        values="".join(f", {column(name)}" if name in scalar else VALUE.format(it=column(name), name=column(name), texts=TEXTS)
                       for name in form.needs),
        nothing=f"coalesce({', '.join(column(name) for name in form.needs)}) IS NULL" if form.needs else "false",
        names="".join(f", {column(name)}" for name in form.needs),
    )


def plain(form: Format, layout: Layout) -> PlainWay | None:
    """What cuts the plain lines of a format of this kind; none where its fields are written encoded."""
    if form.says.get("encoded"):
        return None
    ways = {name: [(name,), _keys(name)] if "." in name else [_keys(name)] for name in form.needs}
    return PlainWay(Objects(ways, _scalar(form)), frozenset(form.needs), lambda name, text: text)


def _scalar(form: Format) -> frozenset[str]:
    """The fields that are never a list or a map."""
    return frozenset({name for group in form.times for name in group} | {name for ours in SCALAR for name in form.sources(ours)})


def _keys(name: str) -> Path:
    """The keys and places from the object to a field."""
    return tuple(step for part in name.split(".") for step in _split(part))


def _split(part: str) -> tuple[str | int, ...]:
    key, places = _parts(part)
    return (key, *(int(place) for place in re.findall(r"\d+", places)))


def _taken(name: str, place: Mapping[str, int], loose: bool, encoded: str | None) -> str:
    """The SQL of the text that stands at the first of a field's paths that has one."""
    found = [f"v[{place[path]}]" for path in _paths(name)]
    it = f"coalesce({', '.join(found)})" if len(found) > 1 else found[0]
    if loose:
        it = LOOSE.format(it=it, key=re.sub(r"\W", ".", name.rsplit(".", maxsplit=1)[-1]))
    return it if encoded is None else ENCODED[encoded].format(it=it)


def _paths(name: str) -> list[str]:
    """The JSON paths of a source field: its dotted key as it stands, then from key to key."""
    steps = "".join(_step(part) for part in name.split("."))
    return [f'$."{_key(name)}"', f"${steps}"] if "." in name else [f"${steps}"]


def _step(part: str) -> str:
    key, places = _parts(part)
    return f'."{_key(key)}"{places}'


def _parts(part: str) -> tuple[str, str]:
    """A key, and the places behind it in brackets."""
    key, places = re.fullmatch(r"(.*?)((?:\[\d+\])*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
    return key, places


def _key(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')
