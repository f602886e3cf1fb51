"""The select that reads what differs from line to line, the same for all formats, over the split of a format's reader."""

from __future__ import annotations

from pipeline.formats import Format, Layout
from pipeline.formats.expressions import several
from pipeline.formats.lines import literal, renamed, source
from pipeline.formats.readers import READERS
from pipeline.formats.times import EARLIEST, LATEST, micros
from pipeline.formats.verdicts import WORDS, any_fits, fits, same_as, tested

MILLISECONDS = {"s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}
UNREADABLE = "has no readable time"
# A line's time is given in microseconds; `clock` is one that says no zone.
ROWS = r"""
WITH numbered AS (
    SELECT * REPLACE ({text} AS text) FROM {given}
), split AS (
    SELECT {renamed} FROM ({split})
), tried AS (
    SELECT {zoned} AS zoned_time, {clock} AS clock_time, {stated}s.* FROM split s
), timed AS (
    SELECT CASE WHEN zoned_time BETWEEN {earliest} AND {latest} THEN zoned_time END AS micros,
           CASE WHEN clock_time BETWEEN {earliest} AND {latest} THEN clock_time END AS clock,
           {kept} AS kept, {numbers}, s.* FROM tried s
), faulted AS (
    SELECT *, CASE WHEN fault IS NULL AND kept AND NOT long AND NOT contains(text, chr(0)) AND {sound} THEN NULL
                   WHEN trim(text, E' \t\r\n') = '' THEN 'furniture'
                   WHEN long THEN 'a line of more than 1 MiB'
                   WHEN contains(text, chr(0)) THEN 'holds NUL bytes, as after a crash'
                   WHEN {preamble} THEN 'furniture'
                   WHEN fault IS NOT NULL THEN fault
                   WHEN NOT kept THEN 'furniture'
                   {must} ELSE '{unreadable}' END AS wrong
    FROM timed s
)
SELECT line, byte, wrong,
       CASE WHEN wrong NOT IN ('furniture', 'part') THEN
            regexp_replace(regexp_replace(substr(rtrim(text, E'\r\n'), 1, 120), '\d', '9', 'g'), '[^\s[:punct:]0-9]', 'a', 'g')
            END AS shape,
       micros, CASE WHEN micros IS NULL THEN clock END AS clock, bytes_in, bytes_out, duration_ms, {columns}
FROM faulted s
"""
OF_ADDRESSES = ("scheme", "host", "port")
# scheme://host[:port]; the port only where it is stated and not the scheme's own. Nearly all addresses are https.
BASE = """CASE WHEN coalesce("our scheme" = 'https', false) AND coalesce("our port", '443') IN ('443', '0')
                    THEN 'https://' || "our host"
               ELSE coalesce("our scheme", CASE WHEN "our port" = '443' THEN 'https' ELSE 'http' END) || '://' || "our host" ||
                    CASE WHEN "our port" IS NULL OR "our port" = '0' OR contains("our host", ':') OR "our port" =
                              CASE coalesce("our scheme", CASE WHEN "our port" = '443' THEN 'https' ELSE 'http' END)
                              WHEN 'https' THEN '443' WHEN 'ssl' THEN '443' WHEN 'http' THEN '80' ELSE '' END
                    THEN '' ELSE ':' || "our port" END END"""


def compile_rows(form: Format, layout: Layout, quick: str = "") -> str:
    """The select over `given` (line, byte, text, long) that reads what differs from line to line; or over `plain`, of lines cut
    already, by the split `quick`."""
    zoned, clock = micros(form, layout)
    if form.file.time.marks == "start" and form.sources("duration"):
        lasted = f"coalesce({_number(form, 'duration', 1000 * MILLISECONDS[form.file.duration_unit])}, 0)"
        zoned, clock = f"({zoned}) + {lasted}", f"({clock}) + {lasted}"
    fields, flags = tested(form)
    columns = [f"{_of(form, name)} AS {name}" for name in (*WORDS, "port", "referrer") if form.sources(name)]
    columns += [f'{_source(name)} AS "is:{name}"' for name in fields if name not in same_as(form)]
    if flags:
        bits = " + ".join(f"CASE WHEN {fits(_source(name), glob)} THEN {1 << n} ELSE 0 END"
                          for n, (name, glob) in enumerate(flags))
        columns.append(f"({bits})::BIGINT AS flags")
    columns += [f"{_url(form)} AS url", f"{_place(form)} AS place"]
    columns += [f"{_of(form, 'host')} AS named"] if form.sources("host") else []
    numbers = [f"{_number(form, name)} AS {name}" for name in ("bytes_in", "bytes_out")]
    numbers.append(f"{_number(form, 'duration', MILLISECONDS[form.file.duration_unit])} AS duration_ms")
    sound, must = _must(form)
    keep = " AND ".join(any_fits(_source(name), name, several(globs), []) for name, globs in form.file.keep.items())
    return ROWS.format(given="plain" if quick else "given", split=quick or READERS[form.file.reader](form, layout),
                       text="unwrapped(text)" if layout.wrapped else "text",
                       renamed=renamed(form.needs), stated=_stated(form),
                       zoned=zoned, clock=clock, earliest=EARLIEST, latest=LATEST, kept=keep or "true",
                       numbers=", ".join(numbers), sound=sound, must=must, unreadable=UNREADABLE,
                       preamble=f"line < {layout.begins}" if layout.begins else "false", columns=", ".join(columns))


def _source(name: str) -> str:
    return f"s.{source(name)}"


def _of(form: Format, ours: str) -> str:
    """The SQL of one of ours: its source field, or the first of several that states something."""
    names = form.sources(ours)
    if not names:
        return "NULL::VARCHAR"
    return _source(names[0]) if len(names) == 1 else f"coalesce({', '.join(f'stated({_source(name)})' for name in names)})"


def _number(form: Format, ours: str, factor: float = 1.0) -> str:
    if not form.sources(ours):
        return "NULL::BIGINT"
    text = _of(form, ours)
    exact = f"TRY_CAST({text} AS BIGINT)" if factor == 1.0 else "NULL"
    return f"coalesce({exact}, TRY_CAST(round(TRY_CAST({text} AS DOUBLE) * {factor}) AS BIGINT))"


def _must(form: Format) -> tuple[str, str]:
    """What a line must state to be a request, and the reasons of those that do not."""
    tests, reasons = ["(micros IS NOT NULL OR clock IS NOT NULL)"], []
    for must in form.file.must:
        if must.field == "time":
            test = tests[0]
        elif must.field in ("duration", "bytes_in", "bytes_out"):
            test = f"{must.field.replace('duration', 'duration_ms')} IS NOT NULL"
        elif must.field == "status":
            test = f"TRY_CAST({_of(form, 'status')} AS INTEGER) IS NOT NULL"
        else:
            test = f"coalesce({_of(form, must.field) if form.sources(must.field) else _source(must.field)}, '') <> ''"
        tests.append(test)
        reasons.append(f"WHEN NOT {test} THEN {literal(must.reason)}")
    return " AND ".join(dict.fromkeys(tests)), " ".join(reasons)


def _stated(form: Format) -> str:
    """What several columns need of an address, worked out once: the parts that it is put together from, without what says
    nothing, and where the slash behind its authority stands (from the ninth letter on)."""
    made = [f'stated({_of(form, ours)}) AS "our {ours}"' for ours in OF_ADDRESSES] if _put_together(form) else []
    made += [f"strpos(substr({_of(form, 'url')}, 9), '/') AS \"our slash\""] if form.sources("url") else []
    return "".join(f"{one}, " for one in made)


def _put_together(form: Format) -> bool:
    return bool(form.sources("host") and (form.sources("url") or form.sources("path")))


def _url(form: Format) -> str:
    """The address: as logged where it is one, else put together from scheme, host, port, path and query."""
    if form.sources("url"):
        url = _of(form, "url")
        if not form.sources("host"):
            scheme = f"stated({_of(form, 'scheme')})"
            return url if not form.sources("scheme") else (
                f"CASE WHEN contains({url}, '://') OR {scheme} IS NULL THEN {url} ELSE {scheme} || '://' || {url} END")
        return (f"CASE WHEN starts_with({url}, '/') AND \"our host\" IS NOT NULL THEN {BASE} || {url} "
                f"WHEN \"our scheme\" IS NULL OR contains({url}, '://') THEN {url} ELSE \"our scheme\" || '://' || {url} END")
    if not (form.sources("path") and form.sources("host")):
        return "NULL::VARCHAR"
    path, query = f"coalesce(stated({_of(form, 'path')}), '/')", f"stated({_of(form, 'query')})"
    rest = f"{path} || CASE WHEN {query} IS NULL THEN '' ELSE '?' || ltrim({query}, '?') END"
    return f"CASE WHEN \"our host\" IS NOT NULL THEN {BASE} || {rest} END"


def _place(form: Format) -> str:
    """The beginning of the address, as far as the host needs: what has few distinct values."""
    if not form.sources("url"):
        return "NULL::VARCHAR"
    url, method = _of(form, "url"), _of(form, "method")
    return f"CASE WHEN {method} = 'CONNECT' OR \"our slash\" = 0 THEN {url} ELSE substr({url}, 1, \"our slash\" + 8) END"
