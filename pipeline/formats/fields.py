"""From the fields that a product writes to the columns that every log gives: the same for all formats.

A format's reader splits each line into the product's own fields. One select over that split reads what differs from line to
line: time, numbers, address. What has few distinct values (hosts, logins, verdicts) is worked out once per distinct value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import unquote

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, sql
from pipeline.formats import Format, Layout, plainrows
from pipeline.formats.compiling import compile_rows
from pipeline.formats.lines import NOBODY
from pipeline.formats.places import Places
from pipeline.formats.plainpairs import Cutter
from pipeline.formats.plainway import PlainWay
from pipeline.formats.readers import PLAIN, QUICK
from pipeline.formats.syslog import UNWRAPPED
from pipeline.formats.verdicts import WORDS, Verdicts, seal_by_name

RAW = ("time", "client_ip", "user", "action", "kind", "method", "url", "host", "port", "status", "bytes_in", "bytes_out",
       "duration_ms", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule", "setup", "sealed_list")


class Parser:
    """One format, as one file is laid out, on a connection of its own, so that two batches can be parsed side by side."""

    def __init__(self, form: Format, sealed: Sequence[str] = (), layout: Layout | None = None) -> None:
        self.form = form
        self.layout = layout or Layout(form.name)
        self.con = sql.connect(threads=1, memory="1GB")
        self.verdicts = Verdicts(form, sealed, self.con)
        self.places = Places(self.con)
        self.con.execute(UNWRAPPED)
        self.rows = sql.Prepared(compile_rows(form, self.layout), self.con, "given")
        self.plain = plainrows.plan(form, self.layout, _plain(form, self.layout), self.con)
        self.quick = _quick(form, self.layout, self.con)

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
        made["host"], ports = self.places.of(_coded(rows, "place"), _coded(rows, "named"))
        made["port"] = _port(ports, rows, made["kind"], made["host"])
        made["time"] = pc.cast(rows["micros"], pa.timestamp("us"))
        made |= {name: _address(rows, name) for name in ("url", "referrer")}
        if self.form.file.kind == "dns":
            made["url"] = pa.nulls(len(rows), pa.string())
        seal_by_name(made)
        return pa.table({name: made[name] for name in ("line", "byte", "fate", "reason", "shape", "clock", *RAW)})

    def _rows(self, numbered: pa.Table) -> pa.Table:
        """What differs from line to line: of plain lines the quick way, where the format has one."""
        if self.plain is not None:
            plain, rows = self.plain.of(numbered)
            return rows if len(rows) == len(numbered) else self._both(numbered, plain, rows)
        return self._selected(numbered)

    def _selected(self, numbered: pa.Table) -> pa.Table:
        """The same by a select: over fields cut already, where the reader has such a way."""
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

    def _both(self, numbered: pa.Table, plain: pa.Array, rows: pa.Table) -> pa.Table:
        """The rows of plain lines, and those that the select makes of the others, in the order of the lines."""
        others = self._selected(numbered.filter(pc.invert(plain)))
        if not len(rows):
            return others
        return coded.together([rows, others]).sort_by("line")

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


def _plain(form: Format, layout: Layout) -> PlainWay | None:
    return PLAIN[form.file.reader](form, layout) if form.file.reader in PLAIN else None


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
    return coded.changed(texts, _said) if pa.types.is_dictionary(texts.type) else _said(texts)


def _said(texts: pa.Array) -> pa.Array:
    """Addresses, null where a text says that there is none."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset:texts.offset + len(texts) + 1]
    if texts.null_count == len(texts) or int(np.diff(offsets).min()) > 1:   # two letters say something
        return texts
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
