"""Rows of plain lines without SQL: what the select of `compiling.py` reads of a split, read where numpy has cut the lines.

Only what nearly all lines are: times and numbers as nearly all logs write them, addresses that need no second thought. Words
are coded once and looked at once per distinct value. Any other line is left to the select, and would come out the same here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, groups, sql
from pipeline.formats import Format, Layout, amounts, spans
from pipeline.formats.compiling import BASE, MILLISECONDS
from pipeline.formats.expressions import several
from pipeline.formats.known import Known
from pipeline.formats.lines import NOBODY, literal
from pipeline.formats.plainway import UNSURE, Column, Part, PlainWay, code
from pipeline.formats.spans import Ints, Texts, Yes
from pipeline.formats.times import EARLIEST, LATEST
from pipeline.formats.verdicts import WORDS, any_fits, same_as, tested

NUMBERS = ("bytes_in", "bytes_out", "duration")
LARGEST = 10 ** 12       # of a number that is put into another unit
TIMES = {"iso", "epoch", "seconds"}
FEW = 1 << 10            # times that show whether many are the same
MOST_LONGER = 0.5        # of addresses: with more of them to be coded, to write them out costs less
NAMED = 8                # letters of an address that its beginning holds at least


class PlainRows:
    """One format's plain lines as rows."""

    def __init__(self, form: Format, way: PlainWay, con: duckdb.DuckDBPyConnection) -> None:
        self.form, self.way = form, way
        self.url, self.rest = self.only("url"), self.only("url") or (self.only("path") if self.some("host") else None)
        self.together = bool(self.some("host")) and self.rest is not None
        fields, self.flags = tested(form)
        self.asked = [name for name in fields if name not in same_as(form)]
        self.words = [ours for ours in (*WORDS, "port") if form.sources(ours)]
        self.bases = Known(sql.Prepared(f'SELECT {BASE} AS base FROM bases ORDER BY "our n"', con, "bases"),
                           {f"our {name}": pa.string() for name in ("scheme", "host", "port")})
        self.coded_ones = frozenset(self._words())
        self.parts = {name: Known(sql.Prepared(f'SELECT {part.made} AS made FROM part_{n} ORDER BY "our n"', con, f"part_{n}"),
                                  {f"field_{place}": pa.string() for place in range(len(part.sources))})
                      for n, (name, part) in enumerate(way.parts.items())}
        self.coded_times = self.coded_urls = False
        self.keep = Known(sql.Prepared(_kept(form), con, "kept"), {name: pa.string() for name in form.file.keep} or
                          {"none": pa.string()})

    def some(self, ours: str) -> list[str]:
        """The fields that may hold one of ours and that lines can have."""
        return [name for name in self.form.sources(ours) if name in self.way.names]

    def only(self, ours: str) -> str | None:
        return next(iter(self.some(ours)), None)

    def _words(self) -> list[str]:
        """The fields that are wanted coded: what has few distinct values."""
        ours = [*self.words, "scheme", "host", "port"]
        names = [name for one in ours for name in self.some(one)] + self.asked + [*self.form.file.keep, *self.way.checked]
        names += [must.field for must in self.form.file.must if must.field != "time" and not self.form.sources(must.field)]
        return names + (self.form.times[0] if len(self.form.times[0]) > 1 else [])

    def heard(self, micros: Ints, coded_ones: Ints | None) -> None:
        """Whether times are wanted coded of the next batch: where many lines of one second say the same."""
        if len(self.form.times[0]) == 1 and len(micros) >= FEW and coded_ones is None:
            self.coded_times = len(np.unique(micros[:FEW])) < FEW // 4

    def of(self, numbered: pa.Table) -> tuple[pa.Array, pa.Table]:
        """Which of the lines were read, and those as the columns that the select gives; words are coded."""
        words = self.coded_ones | ({self.form.times[0][0]} if self.coded_times else set())
        words |= {self.url} if self.coded_urls and self.url else set()
        try:
            read, columns = self.way.cutter.cut(coded.whole(numbered["text"]), ~numbered["long"].to_numpy(), words)
        except pa.ArrowInvalid:   # the select knows what to say of any text at all
            read, columns = np.zeros(len(numbered), bool), {}
        if not read.any():
            return pa.array(np.zeros(len(numbered), bool)), pa.table({})
        batch = _Batch(self, columns, int(np.count_nonzero(read)))
        made = batch.columns()
        if not batch.sure.all():
            read[np.flatnonzero(read)[~batch.sure]] = False
            sure = pa.array(batch.sure)
            made = {name: column.filter(sure) for name, column in made.items()}
        given = numbered if read.all() else numbered.filter(pa.array(read))
        none = {name: pa.nulls(len(given), pa.string()) for name in ("wrong", "shape")}
        return pa.array(read), pa.table({"line": given["line"], "byte": given["byte"]} | none | made)


class _Batch:
    """The plain lines of one batch: `sure` says which of them are read."""

    def __init__(self, rows: PlainRows, given: Mapping[str, Column], size: int) -> None:
        self.rows, self.form, self.size = rows, rows.form, size
        self.given: Mapping[str, Column] = given
        self.sure = np.ones(size, bool)
        self.known: dict[str, pa.DictionaryArray] = {}
        self.longer = np.zeros(size, bool)   # the addresses that are more than their place
        self.given = {**given, **{name: self._made(name, part) for name, part in rows.way.parts.items()}}

    def columns(self) -> dict[str, pa.Array]:
        """The columns that the select gives, but for the line itself."""
        made = self._time() | {name: self._number(name) for name in ("bytes_in", "bytes_out")}
        made["duration_ms"] = self._number("duration", MILLISECONDS[self.form.file.duration_unit])
        made |= {ours: self.word(ours) for ours in self.rows.words}
        if self.form.sources("referrer"):
            made["referrer"] = self._plain(self.rows.only("referrer"))
        made |= {f"is:{name}": self.coded(name) for name in self.rows.asked}
        made["place"] = self._place()
        if self.rows.flags:
            made["flags"] = self._flags(made["place"])
        made["url"] = self._url(made["place"])
        if self.form.sources("host"):
            made["named"] = self.word("host")
        self._held(made)
        return made

    def _made(self, name: str, part: Part) -> Column:
        """A field made of others, once for each distinct row of those."""
        column = self.given.get(part.sources[0])
        if part.first and isinstance(column, Texts) and (column.end > column.begin).all() and column.begin.min() >= 0:
            return column
        values, at = groups.cases([_coded(self.given.get(source), self.size) for source in part.sources])
        return coded.at(pa.array(at.astype(np.int32)), coded.whole(self.rows.parts[name].of(values)["made"]))

    def _texts(self, name: str | None) -> Texts | None:
        """A field as texts in a block."""
        column = self.given.get(name) if name else None
        return column if column is None or isinstance(column, Texts) else spans.texts(column.cast(pa.string()).fill_null(""))

    def _time(self) -> dict[str, pa.Array]:
        """Microseconds since the epoch, or (no zone said) those of the clock."""
        texts, which = self._logged(self.form.times[0])
        forms = set(self.form.file.time.forms)
        value, zoned, sound = amounts.in_parts(texts, lambda part: amounts.instants(part, forms))
        sound &= (value >= EARLIEST) & (value <= LATEST)
        if self.form.file.time.zone.upper() == "UTC":
            zoned = np.ones(len(zoned), bool)
        if which is not None:
            value, zoned, sound = value[which], zoned[which], sound[which]
        self.sure &= sound
        self.rows.heard(value, which)
        return {"micros": pa.array(value, mask=~zoned), "clock": pa.array(value, mask=zoned)}

    def _logged(self, names: Sequence[str]) -> tuple[Texts, Ints | None]:
        """The texts of times; where they are coded, or stand in several fields, the distinct ones and which each line has."""
        column = self.given.get(names[0])
        if column is None:
            return Texts(np.zeros(spans.PAD, np.uint8), *np.full((2, self.size), -1)), None
        if isinstance(column, Texts):
            return column, None
        values, at = groups.cases([_coded(self.given.get(name), self.size) for name in names])
        joined = [" ".join(parts) if None not in parts else "" for parts in zip(*values, strict=True)]
        return spans.texts(pa.array(joined, pa.string())), at

    def _number(self, ours: str, factor: float = 1.0) -> pa.Array:
        texts = self._texts(self.rows.only(ours))
        if texts is None:
            return pa.nulls(self.size, pa.int64())
        value, said, sound = amounts.in_parts(texts, amounts.numbers)
        if factor != 1.0:
            sound &= value < LARGEST
            value = np.floor(value * factor + 0.5).astype(np.int64)
        self.sure &= sound | ~said
        return pa.array(value, mask=~said)

    def _place(self) -> pa.DictionaryArray:
        """The beginning of the address, to the slash behind its authority."""
        column = self.given.get(self.rows.url or "")
        if column is None:
            return _coded(None, self.size)
        place = code(self._beginnings(column, self._tunnels())) if isinstance(column, Texts) else self._of_coded(column)
        self.rows.coded_urls = not self.rows.together and bool(np.count_nonzero(self.longer) <= MOST_LONGER * self.size)
        return place

    def _of_coded(self, column: pa.DictionaryArray) -> pa.DictionaryArray:
        """The same of coded addresses, looked at once each: a tunnel's that has a slash is left to the select."""
        sure, self.sure = self.sure, np.ones(len(column.dictionary), bool)
        places = self._beginnings(spans.texts(column.dictionary), np.zeros(len(column.dictionary), bool))
        unsure, longer = (coded.spread(column, pa.array(facts)).fill_null(False).to_numpy(zero_copy_only=False)
                          for facts in (~self.sure, self.longer))
        self.sure, self.longer = sure & ~unsure & ~(longer & self._tunnels()), longer
        return coded.put(column, places.array().cast(pa.string()))

    def _tunnels(self) -> Yes:
        """Which lines are of tunnels."""
        if not self.rows.only("method"):
            return np.zeros(self.size, bool)
        return np.asarray(coded.fitting(self.word("method"), "CONNECT".__eq__).to_numpy(zero_copy_only=False))

    def _beginnings(self, texts: Texts, tunnels: Yes) -> Texts:
        """The beginnings of addresses; `longer` says which are more than that."""
        data, begin, end = texts
        slash = spans.following(data, np.maximum(begin, 0) + NAMED, end, ord("/"))
        slash[tunnels] = len(data)
        letters = spans.eights(data)[np.maximum(begin, 0)] & spans.LETTERS   # it is counted in letters there, in bytes here
        self.sure &= (letters == 0) | (end - begin < NAMED)
        self.longer = slash < end - 1
        return Texts(data, begin, np.where(slash < end, slash + 1, end))

    def _plain(self, name: str | None) -> pa.Array:
        """A column of texts that are all different as a rule."""
        column = self.given.get(name) if name else None
        if column is None:
            return pa.nulls(self.size, pa.string())
        return column.strings() if isinstance(column, Texts) else column.cast(pa.string())

    def coded(self, name: str) -> pa.DictionaryArray:
        """A field's words; lines whose word needs a second thought are no more sure."""
        if name not in self.known:
            words = coded.mapped(_coded(self.given.get(name), self.size), lambda text: self.rows.way.read(name, text))
            if pc.is_in(UNSURE_WORD, words.dictionary).as_py():
                self.doubt(coded.fitting(words, UNSURE.__eq__))
            self.known[name] = words
        return self.known[name]

    def doubt(self, lines: pa.Array) -> None:
        """Leave these lines to the select."""
        self.sure &= ~lines.to_numpy(zero_copy_only=False)

    def word(self, ours: str) -> pa.DictionaryArray:
        """The column of one of ours: the field that holds it, or the first of several that states something."""
        names = self.rows.some(ours)
        if len(self.form.sources(ours)) == 1:
            return self.coded(names[0] if names else "")
        columns = [column for column in map(self.coded, names) if column.null_count < self.size]
        if not columns:
            return self.coded("")
        if len(columns) == 1:
            return coded.mapped(columns[0], lambda text: None if text.lower() in NOBODY else text)
        values, at = groups.cases(columns)
        first = [next((text for text in row if text is not None and text.lower() not in NOBODY), None)
                 for row in zip(*values, strict=True)]
        return coded.at(pa.array(at.astype(np.int32)), pa.array(first, pa.string()))

    def _url(self, place: pa.DictionaryArray) -> pa.Array:
        if not self.rows.together:
            return self._address(place)
        rest = self._plain(self.rows.rest)
        rooted = pc.fill_null(pc.starts_with(rest, "/"), False)
        bases = self._bases() if not self.rows.url or pc.any(rooted).as_py() else pa.nulls(self.size, pa.string())
        if self.rows.url:
            whole = pc.or_(pc.invert(rooted), pc.is_null(bases))
            bare = pc.and_(pc.is_valid(rest), pc.invert(coded.fitting(place, lambda text: "://" in text)))
            self.doubt(pc.and_(pc.and_(whole, bare), pc.is_valid(self._stated("scheme").indices)))
            return pc.if_else(whole, rest, pc.binary_join_element_wise(bases, rest, ""))
        self.doubt(pc.invert(pc.or_(rooted, pc.is_null(rest))))
        url = pc.binary_join_element_wise(bases, pc.fill_null(rest, "/"), "")
        query = self._stated("query") if self.form.sources("query") else self.coded("")
        if query.null_count == len(query):
            return url
        asked = coded.mapped(query, lambda text: "?" + text.lstrip("?"))
        return pc.binary_join_element_wise(url, pc.fill_null(asked.cast(pa.string()), ""), "")

    def _stated(self, ours: str) -> pa.DictionaryArray:
        """One of our words without what says nothing."""
        return coded.mapped(self.word(ours), lambda text: None if text.lower() in NOBODY else text)

    def _bases(self) -> pa.Array:
        """What the addresses of lines that log only paths begin with."""
        values, at = groups.cases([self._stated(ours) for ours in ("scheme", "host", "port")])
        return coded.whole(self.rows.bases.of(values)["base"]).take(pa.array(at.astype(np.int32)))

    def _address(self, place: pa.DictionaryArray) -> pa.Array:
        """The address as logged; coded where most are no longer than their place, as those of tunnels are."""
        column = self.given.get(self.rows.url or "")
        if column is None or np.count_nonzero(self.longer) > MOST_LONGER * self.size:
            return self._plain(self.rows.url)
        if not isinstance(column, Texts):
            return column
        rest = code(column.some(self.longer))
        at = place.indices.fill_null(0).to_numpy(zero_copy_only=False).copy()
        at[self.longer] = len(place.dictionary) + rest.indices.to_numpy()
        return coded.at(pa.array(at, mask=column.begin < 0), pa.concat_arrays([place.dictionary, rest.dictionary]))

    def _flags(self, place: pa.DictionaryArray) -> pa.Array:
        """The tests of addresses by how they begin, as bits: their place has as much of them as is needed."""
        bits = pa.array(np.zeros(len(place.dictionary), np.int64))
        for n, (_, glob) in enumerate(self.rows.flags):
            fits = pc.starts_with(place.dictionary, glob.removesuffix("*"), ignore_case=True)
            bits = pc.add(bits, pc.if_else(pc.fill_null(fits, False), 1 << n, 0))
        return pc.fill_null(coded.spread(place, bits), 0)

    def _held(self, made: dict[str, pa.Array]) -> None:
        """Leave to the select the lines that say not enough to be requests, or that the format leaves aside."""
        for name in self.rows.way.checked:
            self.coded(name)
        for must in self.form.file.must:
            ours = must.field
            if ours in ("duration", "bytes_in", "bytes_out"):
                self.doubt(pc.is_null(made[ours.replace("duration", "duration_ms")]))
            elif ours == "status":
                self.doubt(pc.invert(coded.fitting(self.word(ours), _is_number)))
            elif ours != "time":
                words = self.word(ours) if self.form.sources(ours) else self.coded(ours)
                self.doubt(pc.invert(coded.fitting(words, bool)))
        if self.form.file.keep:
            values, at = groups.cases([self.coded(name) for name in self.form.file.keep])
            kept = pc.fill_null(coded.whole(self.rows.keep.of(values)["kept"]), False)
            self.doubt(pc.invert(kept.take(pa.array(at))))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _coded(column: Column | None, size: int) -> pa.DictionaryArray:
    """A column coded; all null where there is none."""
    if column is None:
        return pa.DictionaryArray.from_arrays(pa.nulls(size, pa.int32()), pa.array([], pa.string()))
    return code(column)


UNSURE_WORD = pa.scalar(UNSURE)


def plan(form: Format, layout: Layout, way: PlainWay | None, con: duckdb.DuckDBPyConnection) -> PlainRows | None:
    """What reads the plain lines of a format without SQL; none where the format asks for what only the select does."""
    if way is None or layout.wrapped or len(form.times) != 1 or not set(form.file.time.forms) <= TIMES:
        return None
    if not set(form.times[0]) <= way.names or (form.file.time.marks == "start" and form.sources("duration")):
        return None
    if any(len(form.sources(ours)) > 1 for ours in (*NUMBERS, "method", "url", "path", "query", "referrer")):
        return None
    if form.sources("url") and not form.sources("host") and form.sources("scheme"):
        return None
    _, flags = tested(form)
    begins = [glob.find("*") == len(glob) - 1 and len(glob) <= NAMED and not glob.startswith("!") for _, glob in flags]
    if flags and (not all(begins) or {name for name, _ in flags} != set(form.sources("url"))):
        return None
    return PlainRows(form, way, con)


def _kept(form: Format) -> str:
    tests = " AND ".join(any_fits(f's."{name}"', name, several(globs), []) for name, globs in form.file.keep.items())
    return f'SELECT {tests or literal("")} AS kept FROM kept s ORDER BY "our n"'
