"""From the fields that a product writes to the columns that every log gives: the same for all formats.

A format's reader splits each line into the product's own fields. One select over that split reads what differs from line to
line: time, numbers, address. What has few distinct values (hosts, logins, verdicts) is worked out once per distinct value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import unquote

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, sql
from pipeline.formats import Format, Layout
from pipeline.formats.lines import renamed, source
from pipeline.formats.plainpairs import Cutter
from pipeline.formats.readers import QUICK, READERS
from pipeline.formats.syslog import UNWRAPPED
from pipeline.formats.times import EARLIEST, LATEST, micros, to_utc

RAW = ("time", "client_ip", "user", "action", "kind", "method", "url", "host", "port", "status", "bytes_in", "bytes_out",
       "duration_ms", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule", "setup", "sealed_list")
WORDS = ("client_ip", "user", "method", "status", "content_type", "user_agent", "vendor_category", "vendor_rule")
NOBODY = frozenset({"", "-", '""', "n/a", "none", "unknown", "anonymous", "not available", "unknown (sso failed)"})
MILLISECONDS = {"s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 0.000001}
# Names of categories that no list of ours maps yet, and that speak of what no one may look at: sealed, and said as unmapped.
GRAVE = re.compile(r"child.{0,3}(abuse|porn|sex)|\bcsa[im]\b|\biwf\b|internet watch|terroris|\bctiru\b|p(a|e|ae)?edophil", re.I)
UNMAPPED = "looks like an illegal-content category"
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

# Small words; `formats.md` rules for hosts: lower case, no port, no user-info, no final dot.
MACROS = r"""
CREATE OR REPLACE MACRO stated(word) AS
    CASE WHEN strlen(word) IN (0, 1, 2, 3, 4, 7, 9, 13, 20)   -- lengths are quicker to compare than words
              AND lower(word) IN ('', '-', '""', 'n/a', 'none', 'unknown', 'anonymous', 'not available', 'unknown (sso failed)')
         THEN NULL ELSE word END;
CREATE OR REPLACE MACRO authority_of(place) AS
    CASE WHEN starts_with(place, '//') THEN split_part(split_part(split_part(place, '/', 3), '?', 1), '#', 1)
         WHEN contains(place, '://') THEN split_part(split_part(split_part(place, '/', 3), '?', 1), '#', 1)
         WHEN starts_with(place, 'error:') OR starts_with(place, '/') THEN NULL
         WHEN regexp_matches(place, '^[^/?#]+:\d{1,5}$') THEN place
         WHEN contains(place, '.') THEN split_part(split_part(place, '/', 1), '?', 1)
    END;
CREATE OR REPLACE MACRO without_user(authority) AS
    CASE WHEN contains(authority, '@') THEN regexp_replace(authority, '^.*@', '') ELSE authority END;
CREATE OR REPLACE MACRO host_of(authority) AS
    nullif(rtrim(lower(
        CASE WHEN starts_with(authority, '[') THEN split_part(ltrim(authority, '['), ']', 1)
             WHEN length(authority) - length(replace(authority, ':', '')) > 1 THEN authority
             WHEN contains(authority, ':') THEN split_part(authority, ':', 1)
             ELSE authority END), '.'), '');
CREATE OR REPLACE MACRO port_of(authority, place) AS
    coalesce(CASE WHEN starts_with(authority, '[') OR length(authority) - length(replace(authority, ':', '')) = 1
                  THEN TRY_CAST(nullif(regexp_extract(authority, ':(\d{1,5})$', 1), '') AS INTEGER) END,
             CASE WHEN starts_with(place, 'https:') OR starts_with(place, 'tunnel:') OR starts_with(place, 'ssl:') THEN 443
                  WHEN starts_with(place, 'http:') THEN 80 WHEN starts_with(place, 'ftp:') THEN 21 END);
"""
# The host that the log names in a field of its own counts; the port is that field's, else the address's.
# (Each step stands by itself: macros inside macros would be written out hundreds of times over.)
PLACES = """
WITH said AS (
    SELECT "our n", place, CASE WHEN contains(named, '://') THEN named ELSE '//' || stated(named) END AS named FROM places
), parts AS (
    SELECT "our n", place, authority_of(place) AS authority, authority_of(named) AS own FROM said
), bare AS (
    SELECT "our n", place, without_user(authority) AS authority, without_user(own) AS own FROM parts
)
SELECT coalesce(host_of(own), host_of(authority)) AS host,
       coalesce(CASE WHEN contains(own, ':') THEN port_of(own, '') END, port_of(authority, place)) AS port
FROM bare ORDER BY "our n"
"""


class Parser:
    """One format, as one file is laid out, on a connection of its own, so that two batches can be parsed side by side."""

    def __init__(self, form: Format, sealed: Sequence[str] = (), layout: Layout | None = None) -> None:
        self.form = form
        self.layout = layout or Layout(form.name)
        self.con = sql.connect(threads=1, memory="1GB")
        self.verdicts = _Verdicts(form, sealed, self.con)
        self.con.execute(MACROS + UNWRAPPED)
        self.rows = sql.Prepared(compile_rows(form, self.layout), self.con, "given")
        self.quick = _quick(form, self.layout, self.con)
        self.places = _Known(sql.Prepared(PLACES, self.con, "places"), {"place": pa.string(), "named": pa.string()})

    def parse(self, numbered: pa.Table) -> pa.Table:
        """`numbered` (line, byte, text, long) as line, byte, fate, reason, shape, clock and RAW: words are coded columns.

        `time` is null, and `clock` its local microseconds, where the line names no zone (see `on_clock`).
        """
        rows = self._rows(_unmarked(numbered)).combine_chunks()
        raw = {name: _coded(rows, name) for name in WORDS}
        words = {name: self._word(column, name) for name, column in raw.items()}
        made = {name: rows[name] for name in ("line", "byte", "clock", "bytes_in", "bytes_out", "duration_ms")}
        made["fate"], made["reason"], made["shape"] = _fates(rows)
        made |= {name: words[name] for name in WORDS if name != "status"}
        made |= self.verdicts.of(rows, raw, words["method"])
        made["status"] = _numbers(words["status"])
        made["host"], ports = self._places(rows)
        made["port"] = _port(ports, rows, made["kind"], made["host"])
        made["time"] = pc.cast(rows["micros"], pa.timestamp("us"))
        made |= {name: _address(rows, name) for name in ("url", "referrer")}
        if self.form.file.kind == "dns":
            made["url"] = pa.nulls(len(rows), pa.string())
        _seal_by_name(made)
        return pa.table({name: made[name] for name in ("line", "byte", "fate", "reason", "shape", "clock", *RAW)})

    def _rows(self, numbered: pa.Table) -> pa.Table:
        """What differs from line to line: of plain lines the quick way, where the format has one."""
        if self.quick is None:
            return self.rows.run(numbered)
        cutter, select = self.quick
        plain, cut = cutter.cut(numbered)
        if not len(cut):
            return self.rows.run(numbered)
        rows = select.run(cut)
        if len(cut) == len(numbered):
            return rows
        return pa.concat_tables([rows, self.rows.run(numbered.filter(pc.invert(plain)))]).sort_by("line")

    def _word(self, column: pa.DictionaryArray, name: str) -> pa.DictionaryArray:
        """A column of words without those that only say that nothing is known."""
        nothing = NOBODY | {word.lower() for word in self.form.file.null}
        maps = self.form.file.maps.get(name, {})

        def said(value: str) -> str | None:
            value = maps.get(value, value)
            return None if value.strip().lower() in nothing else value
        column = coded.mapped(column, said)
        if name == "user":
            return coded.mapped(column, partial(_login, percent=self.form.file.user_encoding == "percent"))
        return column

    def _places(self, rows: pa.Table) -> tuple[pa.DictionaryArray, pa.Array]:
        """Host and port, worked out once for each distinct beginning of an address and host named beside it."""
        values, at = coded.cases([_coded(rows, "place"), _coded(rows, "named")])
        found, where = self.places.of(values), pa.array(at.astype(np.int32))
        return coded.at(where, coded.whole(found["host"])), coded.whole(found["port"]).cast(pa.int32()).take(where)


class _Known:
    """The answers of one select over distinct rows, kept from batch to batch: most of a batch's hosts and verdicts stood in
    the one before, and the start of a select costs as much as thousands of rows."""

    MOST = 100_000

    def __init__(self, select: sql.Prepared, types: Mapping[str, pa.DataType]) -> None:
        self.select, self.types = select, types
        self.place: dict[tuple[Any, ...], int] = {}
        self.answers = pa.table({})

    def of(self, values: Sequence[Sequence[Any]]) -> pa.Table:
        """The answer for each row, in order. `values`: a list of values a column, as `types` has the columns."""
        rows = list(zip(*values, strict=True))
        if len(self.place) > self.MOST:
            self.place, self.answers = {}, pa.table({})
        new = [row for row in rows if row not in self.place]
        if new or not self.place:
            self._learn(new)
        return self.answers.take(pa.array([self.place[row] for row in rows], pa.int64()))

    def _learn(self, rows: Sequence[tuple[Any, ...]]) -> None:
        columns = {name: pa.array([row[n] for row in rows], kind) for n, (name, kind) in enumerate(self.types.items())}
        found = self.select.run(pa.table({"our n": pa.array(range(len(rows)), pa.int64())} | columns))
        self.place |= {row: len(self.place) + n for n, row in enumerate(rows)}
        self.answers = (pa.concat_tables([self.answers, found]) if len(self.answers) else found).combine_chunks()


def _quick(form: Format, layout: Layout, con: duckdb.DuckDBPyConnection) -> tuple[Cutter, sql.Prepared] | None:
    """What cuts plain lines, and the select over them; none where the reader or the format has no such way."""
    found = QUICK[form.file.reader](form, layout) if form.file.reader in QUICK else None
    return None if found is None else (found[0], sql.Prepared(compile_rows(form, layout, found[1]), con, "plain"))


def _unmarked(numbered: pa.Table) -> pa.Table:
    """The lines without the byte-order mark that may stand before the first of the file."""
    first = numbered["text"][0].as_py() if len(numbered) and numbered["line"][0].as_py() == 1 else ""
    if not first.startswith("\ufeff"):
        return numbered
    texts = pa.chunked_array([pa.array([first.lstrip("\ufeff")]), *numbered["text"].slice(1).chunks])
    return numbered.set_column(numbered.column_names.index("text"), "text", texts)


def _login(value: str, percent: bool) -> str | None:
    """A login as the product knows it: one backslash where the log doubles it, and no percent encoding where it has one."""
    if percent and "%" in value:
        with suppress(UnicodeDecodeError):  # no encoding after all: the login stands as it is logged
            value = unquote(value, errors="strict")
    return value.replace("\\\\", "\\") or None


def _numbers(words: pa.DictionaryArray) -> pa.Array:
    """Whole numbers of a column of words; null where a word is none."""
    values = [int(word) if word is not None and re.fullmatch(r"\d{1,9}", word) else None for word in words.dictionary.to_pylist()]
    return coded.spread(words, pa.array(values, pa.int32()))


def _coded(rows: pa.Table, name: str) -> pa.DictionaryArray:
    """A column of words coded; all null where the format has no such field."""
    if name in rows.column_names:
        return coded.code(rows[name])
    return pa.DictionaryArray.from_arrays(pa.nulls(len(rows), pa.int32()), pa.array([], pa.string()))


def _address(rows: pa.Table, name: str) -> pa.Array:
    """A column of addresses, null where none is said."""
    if name not in rows.column_names:
        return pa.nulls(len(rows), pa.string())
    texts = coded.whole(rows[name])
    unsaid = pc.is_in(texts, pa.array(["", "-"]))
    return pc.if_else(unsaid, None, texts) if pc.any(unsaid).as_py() else texts


def _fates(rows: pa.Table) -> tuple[pa.DictionaryArray, pa.DictionaryArray, pa.Array]:
    """Fate, reason and shape of each line; nearly always every line is a request."""
    size = len(rows)
    if rows["wrong"].null_count == size:
        return coded.constant("request", size), coded.constant("", size), coded.constant("", size)
    wrong = coded.code(pc.fill_null(rows["wrong"], ""))
    fate = coded.mapped(wrong, lambda what: what if what in ("furniture", "part") else "reject" if what else "request")
    reason = coded.mapped(wrong, lambda what: "" if what in ("furniture", "part") else what)
    return fate, reason, coded.code(pc.fill_null(rows["shape"], ""))


def _port(ports: pa.Array, rows: pa.Table, kind: pa.DictionaryArray, host: pa.DictionaryArray) -> pa.Array:
    """The port that the log states, else that of the address, else 443 for a tunnel."""
    if "port" in rows.column_names:
        ports = pc.coalesce(_numbers(coded.code(rows["port"])), ports)
    if ports.null_count:
        tunnels = coded.spread(kind, pc.equal(kind.dictionary, "tunnel"))
        placed = pc.and_(tunnels, pc.is_valid(host.indices))
        ports = pc.if_else(pc.and_(pc.is_null(ports), pc.fill_null(placed, False)), pa.scalar(443, pa.int32()), ports)
    return ports


def _seal_by_name(made: dict[str, pa.Array]) -> None:
    """A category whose name speaks of illegal content seals too, though no list of ours maps it yet."""
    names = made["vendor_category"]
    grave = [name is not None and bool(GRAVE.search(name)) for name in names.dictionary.to_pylist()]
    if any(grave):
        rows, known = pc.fill_null(coded.spread(names, pa.array(grave)), False), made["sealed_list"].cast(pa.string())
        made["sealed_list"] = coded.code(pc.if_else(pc.and_(rows, pc.equal(known, "")), UNMAPPED, known))


def on_clock(parsed: pa.Table, zone: str, last: int) -> tuple[pa.Table, int]:
    """`parsed` with the times that name no zone read by the clock of `zone`, and how many stand undecided in the hour that
    comes twice. `last`: UTC microseconds of the line before, 0 when there is none. Batches come here in order."""
    clock = coded.whole(parsed["clock"])
    if clock.null_count == len(clock):
        return parsed, 0
    times = pc.cast(coded.whole(parsed["time"]), pa.int64())
    known = pc.and_(pc.is_valid(clock), pc.is_null(times)).to_numpy(zero_copy_only=False)  # a time that names its zone wins
    utc, untold = to_utc(clock.filter(pa.array(known)).to_numpy(zero_copy_only=False).astype(np.int64), zone, last)
    micros_utc = pc.fill_null(times, 0).to_numpy(zero_copy_only=False).copy()
    micros_utc[known] = utc
    made = pa.array(micros_utc, mask=~(known | pc.is_valid(times).to_numpy(zero_copy_only=False)))
    place = parsed.column_names.index("time")
    return parsed.set_column(place, "time", pc.cast(made, pa.timestamp("us"))), untold


class _Verdicts:
    """What the product's own words mean: action, kind, set-up and sealing, worked out once for each combination that occurs."""

    def __init__(self, form: Format, sealed: Sequence[str], con: duckdb.DuckDBPyConnection) -> None:
        self.form, self.sealed = form, list(sealed)
        self.fields, self.flags = tested(form)
        self.same = same_as(form)
        columns = {name: pa.string() for name in self.fields} | ({"our flags": pa.int64()} if self.flags else {})
        self.seen = _Known(sql.Prepared(self._select(), con, "seen"), columns | {"our method": pa.string()})

    def of(self, rows: pa.Table, words: Mapping[str, pa.DictionaryArray],
           method: pa.DictionaryArray) -> dict[str, pa.DictionaryArray]:
        """Columns action, kind, setup and sealed_list of the rows of a batch. `words`: the columns as logged."""
        columns = [words[self.same[name]] if name in self.same else coded.code(rows[f"is:{name}"]) for name in self.fields]
        columns += [coded.code(rows["flags"])] if self.flags else []
        values, place = coded.cases([*columns, method])
        found, at = self.seen.of(values), pa.array(place.astype(np.int32))
        return {name: coded.at(at, coded.whole(found[name])) for name in ("action", "kind", "setup", "sealed_list")}

    def _select(self) -> str:
        file = self.form.file
        decide = partial(_decide, flags=self.flags)
        sealing = "''"
        if file.sealed is not None:
            words = self.sealed or file.sealed.words
            listed = ", ".join(_quoted(word.strip().lower()) for word in words) or "NULL"
            where = f's."{file.sealed.field}"'
            said = f"list_filter(string_split_regex(lower({where}), ' *[;,|] *'), lambda w: w IN ({listed}))"
            whole = f"(lower(trim({where})) IN ({listed}) OR len({said}) > 0)"
            if file.sealed.action:
                whole += f' AND "our action" IN ({", ".join(map(_quoted, file.sealed.action))})'
            sealing = f"CASE WHEN {whole} THEN {_quoted(file.sealed.name) if file.sealed.name else where} ELSE '' END"
        kind = f"CASE WHEN upper(s.\"our method\") = 'CONNECT' THEN 'tunnel' ELSE {_quoted(file.kind)} END"
        action, setup = decide(file.verdicts, "action", _quoted("allowed")), decide(file.verdicts, "setup", _quoted(""))
        # A product may have fields named action, kind or setup itself, so ours have another name beside them.
        return (f'SELECT "our action" AS action, "our kind" AS kind, "our setup" AS setup, {sealing} AS sealed_list '
                f'FROM (SELECT s.*, {action} AS "our action", {setup} AS "our setup", '
                f'{decide(file.kinds, "kind", kind)} AS "our kind" FROM seen s) s ORDER BY "our n"')


def same_as(form: Format) -> dict[str, str]:
    """Fields of the product that one of our words takes as they stand, by field: they are read once."""
    return {form.sources(ours)[0]: ours for ours in WORDS if len(form.sources(ours)) == 1}


def tested(form: Format) -> tuple[list[str], list[tuple[str, str]]]:
    """The fields that verdicts test by their words, and the (field, glob) pairs that are tested line by line, because the
    field is an address and has as many values as there are lines."""
    addresses = {name for ours in ("url", "referrer", "path", "query") for name in form.sources(ours)}
    cases = [*form.file.verdicts, *form.file.kinds]
    fields = [name for case in cases for name in case.when if name not in addresses]
    flags = [(name, glob) for case in cases for name, globs in case.when.items() if name in addresses for glob in _texts(globs)]
    if form.file.sealed is not None:
        fields.append(form.file.sealed.field)
    return list(dict.fromkeys(fields)), list(dict.fromkeys(flags))


def _texts(globs: str | list[str]) -> list[str]:
    return [globs] if isinstance(globs, str) else list(globs)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _decide(given: Sequence[Any], what: str, otherwise: str, flags: list[tuple[str, str]]) -> str:
    lines = []
    for case in given:
        tests = [_any(f's."{name}"', name, _texts(globs), flags) for name, globs in case.when.items()]
        value = getattr(case, what)
        lines.append(f"WHEN {' AND '.join(tests) or 'true'} THEN {_quoted(value)}")
    return f"CASE {' '.join(lines)} ELSE {otherwise} END" if lines else otherwise


def _any(column: str, name: str, globs: list[str], flags: list[tuple[str, str]]) -> str:
    """That one of the globs fits; in a list of nothing but negations, that all do."""
    tests = [f"(\"our flags\" // {1 << flags.index((name, glob))}) % 2 = 1" if (name, glob) in flags else fits(column, glob)
             for glob in globs]
    return "(" + (" AND " if all(glob.startswith("!") for glob in globs) else " OR ").join(tests) + ")"


def fits(column: str, glob: str) -> str:
    """The SQL that a glob fits a column: `*` any run, `450..457` a number in a range, `!` not, '' absent or empty; any case."""
    if glob.startswith("!"):
        return f"NOT {fits(column, glob[1:])}"
    bounds = re.fullmatch(r"(\d+)\.\.(\d+)", glob)
    if bounds:
        return f"coalesce(TRY_CAST({column} AS BIGINT) BETWEEN {bounds[1]} AND {bounds[2]}, false)"
    parts, text = glob.lower().split("*"), f"lower(coalesce({column}, ''))"
    if len(parts) == 1:
        return f"{text} = {_quoted(parts[0])}"
    if parts[0] == "" and parts[-1] == "" and len(parts) == 3:
        return f"contains({text}, {_quoted(parts[1])})"
    if len(parts) == 2 and parts[1] == "":
        return f"starts_with({text}, {_quoted(parts[0])})"
    like = glob.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return f"{text} LIKE {_quoted(like)} ESCAPE '\\'"


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
    keep = " AND ".join(_any(_source(name), name, _texts(globs), []) for name, globs in form.file.keep.items())
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
        reasons.append(f"WHEN NOT {test} THEN {_quoted(must.reason)}")
    return " AND ".join(dict.fromkeys(tests)), " ".join(reasons)


OF_ADDRESSES = ("scheme", "host", "port")


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


# scheme://host[:port]; the port only where it is stated and not the scheme's own. Nearly all addresses are https.
BASE = """CASE WHEN coalesce("our scheme" = 'https', false) AND coalesce("our port", '443') IN ('443', '0')
                    THEN 'https://' || "our host"
               ELSE coalesce("our scheme", CASE WHEN "our port" = '443' THEN 'https' ELSE 'http' END) || '://' || "our host" ||
                    CASE WHEN "our port" IS NULL OR "our port" = '0' OR contains("our host", ':') OR "our port" =
                              CASE coalesce("our scheme", CASE WHEN "our port" = '443' THEN 'https' ELSE 'http' END)
                              WHEN 'https' THEN '443' WHEN 'ssl' THEN '443' WHEN 'http' THEN '80' ELSE '' END
                    THEN '' ELSE ':' || "our port" END END"""


def _place(form: Format) -> str:
    """The beginning of the address, as far as the host needs: what has few distinct values."""
    if not form.sources("url"):
        return "NULL::VARCHAR"
    url, method = _of(form, "url"), _of(form, "method")
    return f"CASE WHEN {method} = 'CONNECT' OR \"our slash\" = 0 THEN {url} ELSE substr({url}, 1, \"our slash\" + 8) END"
