"""Lines in, rows of the table `lines` out: parsed, sealed and masked before anything is stored.

Two passes over each batch. `Parser.parse` turns text into raw columns in one DuckDB select. `finish` then seals (it is
given the sealed items of the batches around it, for the lines of the same client within 60 seconds that name the same
host), puts pseudonyms for logins and addresses, and takes credentials out of addresses. Nothing leaves memory before that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import sql, tables
from pipeline.formats import Format, readers
from pipeline.privacy import MAIL, TELLING, USER_INFO, client_key, login_key, pseudonym
from pipeline.schoolday import day_bounds, school_day

NEAR = 60_000_000  # microseconds: lines of one client this near to a sealed one, naming the same host, are sealed with it
WITHHELD = ("url", "host", "port", "referrer", "method", "user_agent", "content_type", "vendor_category", "vendor_rule")
FATES = ("request", "part", "furniture", "reject", "repeat")


class Seal(NamedTuple):
    """One sealed request, kept in memory only: who asked, for what, when (microseconds), and the item's random id."""

    client: str
    host: str
    at: int
    item: str


@dataclass
class Masks:
    """How to mask: the key, and what to tell of each login and address. Every login and address met is kept in `met`."""

    key: bytes
    account: Callable[[str], str]
    network: Callable[[str], str]
    met: dict[str, str] = field(default_factory=dict)

    def person(self, raw: str | None) -> tuple[str | None, str]:
        """Pseudonym and account class of a raw login."""
        return self._mask("p", login_key(raw), self.account) if raw else (None, "")

    def client(self, raw: str | None) -> tuple[str | None, str]:
        """Pseudonym and network of a raw client address."""
        return self._mask("d", client_key(raw), self.network) if raw else (None, "")

    def _mask(self, letter: str, known: str, tell: Callable[[str], str]) -> tuple[str, str]:
        name = pseudonym(self.key, letter, known)
        self.met[name] = known
        return name, tell(known)


class Parser:
    """One format's select on a connection of its own, so that two batches can be parsed side by side."""

    def __init__(self, form: Format, sealed: tuple[str, ...] = ()) -> None:
        self.con = sql.connect(threads=1, memory="1GB")
        readers.prepare(self.con)
        self.select = readers.compile_select(form, sealed)

    def parse(self, numbered: pa.Table) -> pa.Table:
        """Raw columns of `numbered` (line, byte, text, long): line, byte, fate, reason, shape and RAW."""
        return sql.run(self.select, con=self.con, numbered=numbered)


def seals(raw: pa.Table) -> list[Seal]:
    """The sealed requests of a parsed batch; those of one client and host within a minute share one item."""
    rows = raw.filter(pc.and_(pc.equal(raw["fate"], "request"), pc.not_equal(raw["sealed_list"], "")))
    found: list[Seal] = []
    for row in rows.select(["client_ip", "host", "time"]).to_pylist():
        at = _micros(row["time"])
        found.append(Seal(row["client_ip"] or "", row["host"] or "", at, "s" + secrets.token_hex(8)))
    return one_item(found)


def _micros(time: datetime) -> int:
    return round(time.replace(tzinfo=UTC).timestamp() * 1_000_000)


def finish(raw: pa.Table, source: str, near: Sequence[Seal], masks: Masks) -> pa.Table:
    """Rows of `lines` from a parsed batch, sealed and masked. `near`: the sealed requests of this batch and its neighbours."""
    is_request = pc.equal(raw["fate"], "request")
    cols: dict[str, pa.ChunkedArray | pa.Array] = {name: raw[name] for name in raw.column_names}
    cols["sealed"] = sealed_items(raw, near)
    hidden = pc.or_(pc.not_equal(cols["sealed"], ""), pc.invert(is_request))
    if pc.any(hidden).as_py():
        for name in WITHHELD:
            cols[name] = pc.if_else(hidden, pa.scalar(None, raw.schema.field(name).type), cols[name])
    cols["url"] = _scrubbed(cols["url"])
    cols["person"], cols["account"] = _masked(pc.if_else(is_request, raw["user"], None), masks.person)
    cols["client"], cols["network"] = _masked(pc.if_else(is_request, raw["client_ip"], None), masks.client)
    if not pc.all(is_request).as_py():
        for name in ("action", "kind", "setup", "sealed_list", "status", "bytes_in", "bytes_out", "duration_ms"):
            cols[name] = pc.if_else(is_request, cols[name], pa.scalar(None, raw.schema.field(name).type))
    cols["source"] = pa.repeat(source, len(raw))
    return tables.conform(pa.table({c.name: cols[c.name] for c in tables.LINES.columns}), tables.LINES)


def withheld(rows: pa.Table, items: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Rows of `lines` with `items` as their sealed items, and nothing that names an address where there is one."""
    hidden = pc.not_equal(items, "")
    cols = {name: rows[name] for name in rows.column_names} | {"sealed": items}
    for name in WITHHELD:
        cols[name] = pc.if_else(hidden, pa.scalar(None, rows.schema.field(name).type), cols[name])
    return tables.conform(pa.table({c.name: cols[c.name] for c in tables.LINES.columns}), tables.LINES)


def sealed_items(raw: pa.Table, near: Sequence[Seal]) -> pa.Array | pa.ChunkedArray:
    """The sealed item of each row, or ''."""
    items = pa.repeat("", len(raw))
    micros = pc.cast(raw["time"], pa.int64())
    for seal in near:
        close = pc.and_(pc.equal(raw["client_ip"], seal.client),
                        pc.less_equal(pc.abs(pc.subtract(micros, seal.at)), NEAR))
        named = pc.equal(raw["host"], seal.host) if seal.host else pc.not_equal(raw["sealed_list"], "")
        items = pc.if_else(pc.fill_null(pc.and_(close, named), False), seal.item, items)
    return items


def _masked(column: pa.ChunkedArray, mask: Callable[[str | None], tuple[str | None, str]]) -> tuple[pa.Array, pa.Array]:
    """Two columns in place of one: mask(value) for each distinct value, spread back over the rows."""
    coded = pc.dictionary_encode(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    masked = [mask(value) for value in coded.dictionary.to_pylist()]
    names = pa.array([name for name, _ in masked], pa.string()).take(coded.indices)
    told = pc.fill_null(pa.array([text for _, text in masked], pa.string()).take(coded.indices), "")
    return names, told


def _scrubbed(urls: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Addresses without user-info, mail addresses and the values of telling parameters; the rest is not touched."""
    tell = pc.fill_null(pc.match_substring_regex(urls, "[?@#]|%40"), False)
    if not pc.any(tell).as_py():
        return urls
    some = pc.filter(urls, tell)
    for pattern, put in ((USER_INFO, r"\1"), (TELLING, r"\1="), (MAIL, "(mail)")):
        some = pc.replace_substring_regex(some, pattern, put)
    whole = urls.combine_chunks() if isinstance(urls, pa.ChunkedArray) else urls
    mask = tell.combine_chunks() if isinstance(tell, pa.ChunkedArray) else tell
    return pc.replace_with_mask(whole, mask, some.combine_chunks() if isinstance(some, pa.ChunkedArray) else some)


def fates(rows: pa.Table) -> dict[str, int]:
    """How many lines had each fate, every fate named."""
    counted = {row["values"]: row["counts"] for row in pc.value_counts(rows["fate"]).to_pylist()}
    return {fate: counted.get(fate, 0) for fate in FATES}


def by_day(rows: pa.Table, zone: str, last: datetime) -> Iterator[tuple[date, pa.Table]]:
    """The rows of each school day. A row without a time belongs to the day of the row before it (before the first: `last`)."""
    micros = pc.cast(rows["time"], pa.int64()).to_numpy(zero_copy_only=False).astype("float64")
    filled = _filled(micros, _micros(last.astimezone(UTC)))
    low = school_day(datetime.fromtimestamp(filled.min() / 1e6, UTC), zone) if len(filled) else None
    while low is not None and len(rows):
        starts, ends = (bound.timestamp() * 1e6 for bound in day_bounds(low, zone))
        inside = (filled >= starts) & (filled < ends)
        if inside.any():
            yield low, rows if inside.all() else rows.filter(pa.array(inside))
        rest = filled[filled >= ends]
        low = school_day(datetime.fromtimestamp(rest.min() / 1e6, UTC), zone) if len(rest) else None


def _filled(values: npt.NDArray[np.float64], first: float) -> npt.NDArray[np.float64]:
    known = ~np.isnan(values)
    if known.all():
        return values
    at = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(at >= 0, values[np.maximum(at, 0)], first)


def latest(raw: pa.Table, before: datetime) -> datetime:
    """The time of the last row that has one; else `before`."""
    times = raw["time"].drop_null()
    return times[-1].as_py().replace(tzinfo=UTC) if len(times) else before


def windows(batches: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, list[Seal]]]:
    """Each parsed batch with the sealed requests of itself and the batches beside it; looks one batch ahead."""
    behind: list[Seal] = []
    here: tuple[pa.Table, list[Seal]] | None = None
    for batch in batches:
        ahead = seals(batch)
        if here:
            yield here[0], one_item(behind + here[1] + ahead)
            behind = here[1]
        here = batch, ahead
    if here:
        yield here[0], one_item(behind + here[1])


def one_item(found: Sequence[Seal]) -> list[Seal]:
    """The same seals, with one item id for a client and host within a minute, also across batches."""
    kept: list[Seal] = []
    for seal in found:
        same = (k.item for k in kept if (k.client, k.host) == (seal.client, seal.host) and abs(k.at - seal.at) <= NEAR)
        kept.append(seal._replace(item=next(same, seal.item)))
    return kept


def span(found: Sequence[Seal]) -> tuple[datetime, datetime]:
    """From a minute before the first seal to a minute after the last, UTC."""
    times = [datetime.fromtimestamp(seal.at / 1e6, UTC) for seal in found]
    return min(times) - timedelta(seconds=60), max(times) + timedelta(seconds=60)
