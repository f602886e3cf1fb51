"""Lines in, rows of the table `lines` out: parsed, sealed and masked before anything is stored.

A format's parser (`formats/fields.py`) has turned text into raw columns. `finish` then seals (it is
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

from pipeline import coded, tables
from pipeline.privacy import MAIL, TELLING, USER_INFO, client_key, login_key, pseudonym
from pipeline.schoolday import day_bounds, school_day

NEAR = 60_000_000  # microseconds: lines of one client this near to a sealed one, naming the same host, are sealed with it
WITHHELD = ("url", "host", "port", "referrer", "method", "user_agent", "content_type", "vendor_category", "vendor_rule")
OF_REQUESTS = ("user", "client_ip", "action", "kind", "setup", "sealed_list", "status", "bytes_in", "bytes_out", "duration_ms")
FATES = ("request", "part", "furniture", "reject", "repeat")


class Seal(NamedTuple):
    """One sealed request, kept in memory only: who asked, for what, when (microseconds), and the item's random id."""

    client: str
    host: str
    at: int
    item: str


@dataclass
class Masks:
    """How to mask: the key, and what to tell of each login and address. Every login and address met is kept in `met`, and what
    each is told as for the batches that come."""

    key: bytes
    account: Callable[[str], str]
    network: Callable[[str], str]
    met: dict[str, str] = field(default_factory=dict)
    _people: dict[str, tuple[str, str]] = field(default_factory=dict)
    _clients: dict[str, tuple[str, str]] = field(default_factory=dict)

    def person(self, raw: str | None) -> tuple[str | None, str]:
        """Pseudonym and account class of a raw login."""
        if not raw:
            return None, ""
        if raw not in self._people:
            self._people[raw] = self._mask("p", login_key(raw), self.account)
        return self._people[raw]

    def client(self, raw: str | None) -> tuple[str | None, str]:
        """Pseudonym and network of a raw client address."""
        if not raw:
            return None, ""
        if raw not in self._clients:
            self._clients[raw] = self._mask("d", client_key(raw), self.network)
        return self._clients[raw]

    def _mask(self, letter: str, known: str, tell: Callable[[str], str]) -> tuple[str, str]:
        name = pseudonym(self.key, letter, known)
        self.met[name] = known
        return name, tell(known)


def seals(raw: pa.Table) -> list[Seal]:
    """The sealed requests of a parsed batch; those of one client and host within a minute share one item."""
    named = coded.fitting(coded.code(raw["sealed_list"]), bool)
    if not pc.any(named).as_py():
        return []
    rows = raw.select(["client_ip", "host", "time", "fate"]).filter(named).to_pylist()
    return one_item([Seal(row["client_ip"] or "", row["host"] or "", _micros(row["time"]), "s" + secrets.token_hex(8))
                     for row in rows if row["fate"] == "request"])


def _micros(time: datetime) -> int:
    return round(time.replace(tzinfo=UTC).timestamp() * 1_000_000)


def finish(raw: pa.Table, source: str, near: Sequence[Seal], masks: Masks) -> pa.Table:
    """Rows of `lines` from a parsed batch, sealed and masked. `near`: the sealed requests of this batch and its neighbours.

    Columns of words are coded (Arrow dictionaries), as Parquet takes them.
    """
    cols: dict[str, pa.Array] = {name: coded.whole(raw[name]) for name in raw.column_names}
    cols["sealed"] = sealed_items(raw, near)
    other = coded.fitting(coded.code(raw["fate"]), lambda fate: fate != "request")
    hidden = pc.or_(coded.fitting(cols["sealed"], bool), other)
    if pc.any(hidden).as_py():
        cols |= {name: coded.without(cols[name], hidden) for name in WITHHELD}
    if pc.any(other).as_py():
        cols |= {name: coded.without(cols[name], other) for name in OF_REQUESTS}
    cols["url"], cols["referrer"] = _scrubbed(cols["url"]), _scrubbed(cols["referrer"])
    cols["person"], cols["account"] = _masked(cols["user"], masks.person)
    cols["client"], cols["network"] = _masked(cols["client_ip"], masks.client)
    cols["source"] = coded.constant(source, len(raw))
    cols["time"] = pc.cast(cols["time"], tables.TIME)
    return pa.table({c.name: cols[c.name] for c in tables.LINES.columns})


def withheld(rows: pa.Table, items: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Rows of `lines` with `items` as their sealed items, and nothing that names an address where there is one."""
    cols = {name: rows[name] for name in rows.column_names} | {"sealed": coded.code(items)}
    hidden = coded.fitting(cols["sealed"], bool)
    return pa.table(cols | {name: coded.without(cols[name], hidden) for name in WITHHELD})


def sealed_items(raw: pa.Table, near: Sequence[Seal]) -> pa.DictionaryArray:
    """The sealed item of each row, or ''."""
    if not near:
        return coded.constant("", len(raw))
    known: dict[tuple[str, str], list[Seal]] = {}
    for seal in near:
        known.setdefault((seal.client, seal.host), []).append(seal)
    clients = coded.fitting(coded.code(raw["client_ip"]), {client for client, _ in known}.__contains__)
    named = coded.fitting(coded.code(raw["host"]), {host for _, host in known}.__contains__)
    itself = coded.fitting(coded.code(raw["sealed_list"]), bool)
    places = np.flatnonzero(pc.or_(itself, pc.and_(clients, named)).to_numpy(zero_copy_only=False))
    items = np.full(len(raw), "", object)
    for place, row in zip(places.tolist(), raw.select(["client_ip", "host", "time"]).take(places).to_pylist(), strict=True):
        items[place] = _item_of(known.get((row["client_ip"] or "", row["host"] or ""), ()), row["time"])
    return coded.code(pa.array(items, pa.string()))


def _item_of(seals_there: Sequence[Seal], time: datetime | None) -> str:
    """The item of the last of the seals of one client and host that is near in time, or ''."""
    at = None if time is None else _micros(time)
    return next((seal.item for seal in reversed(seals_there) if at is not None and abs(seal.at - at) <= NEAR), "")


Mask = Callable[[str | None], tuple[str | None, str]]


def _masked(column: pa.Array, mask: Mask) -> tuple[pa.DictionaryArray, pa.DictionaryArray]:
    """Two columns in place of one: mask(value) for each distinct value, spread back over the rows."""
    words = coded.code(column)
    indices = pc.fill_null(words.indices, len(words.dictionary))          # one more, for nobody
    told = [mask(value) for value in [*words.dictionary.to_pylist(), None]]
    return (coded.at(indices, pa.array([name for name, _ in told], pa.string())),
            coded.at(indices, pa.array([text for _, text in told], pa.string())))


def _scrubbed(urls: pa.Array) -> pa.Array:
    """Addresses without user-info, mail addresses and the values of telling parameters; the rest is not touched."""
    if pa.types.is_dictionary(urls.type):
        return coded.changed(urls, _scrubbed)
    if urls.null_count == len(urls):
        return urls
    tell = _may_tell(urls)
    if not pc.any(tell).as_py():
        return urls
    some = pc.filter(urls, tell)
    for pattern, put in ((USER_INFO, r"\1"), (TELLING, r"\1="), (MAIL, "(mail)")):
        some = pc.replace_substring_regex(some, pattern, put)
    return pc.replace_with_mask(urls, tell, some)


def _may_tell(urls: pa.StringArray) -> pa.BooleanArray:
    """Which texts hold a sign of user-info, a parameter or a mail address; a regular expression takes four times as long."""
    offsets = np.frombuffer(urls.buffers()[1], np.int32)[urls.offset:urls.offset + len(urls) + 1]
    letters = np.frombuffer(urls.buffers()[2] or b"", np.uint8)[offsets[0]:offsets[-1]]
    signs = np.zeros(len(letters), bool)
    for sign in b"?@#;%":
        signs |= letters == sign
    tell = np.zeros(len(urls), bool)
    tell[np.searchsorted(offsets, np.flatnonzero(signs) + offsets[0], side="right") - 1] = True
    return pa.array(tell)


def fates(rows: pa.Table) -> dict[str, int]:
    """How many lines had each fate, every fate named."""
    counted = {row["values"]: row["counts"] for row in pc.value_counts(coded.whole(rows["fate"])).to_pylist()}
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


class Piece(NamedTuple):
    """One parsed batch of a log: its raw columns, the bytes it holds, and the time of the line before it."""

    raw: pa.Table
    start: int
    end: int
    after: datetime


def windows(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, list[Seal]]]:
    """Each piece with the sealed requests of itself and the pieces beside it; looks one piece ahead."""
    behind: list[Seal] = []
    here: tuple[Piece, list[Seal]] | None = None
    for piece in pieces:
        ahead = seals(piece.raw)
        if here:
            yield here[0], one_item(behind + here[1] + ahead)
            behind = here[1]
        here = piece, ahead
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
