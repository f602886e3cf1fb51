"""Logged times as microseconds: the SQL that reads them, and what a time without a zone means on the school's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.formats import Format, Layout
from pipeline.formats.lines import source

EARLIEST, LATEST = 946_684_800_000_000, 4_102_444_800_000_000   # 2000 to 2100
NOTHING = "NULL::BIGINT"
HOUR = 3_600_000_000
BACK = 20 * 60_000_000   # a step back by more than this, in the hour that comes twice, is its second coming

# A double holds the microseconds of this century to the half; more digits than six are rounded.
EPOCH = """CASE WHEN strlen({t}) < 9 THEN NULL
            WHEN strlen({t}) = 13 AND NOT contains({t}, '.') THEN TRY_CAST({t} AS BIGINT) * 1000
            WHEN strlen({t}) = 16 AND NOT contains({t}, '.') THEN TRY_CAST({t} AS BIGINT)
            WHEN strlen({t}) = 19 AND NOT contains({t}, '.') THEN TRY_CAST({t} AS BIGINT) // 1000
            ELSE TRY_CAST(round(TRY_CAST({t} AS DOUBLE) * 1e6) AS BIGINT) END"""
SQUID = "TRY_CAST(round(TRY_CAST({t} AS DOUBLE) * 1e6) AS BIGINT)"
# A bare clock would be taken for today's; a number is told without the expression.
DATED = r"((contains({t}, '-') OR contains({t}, '/')) AND regexp_matches({t}, '^\s*\d{{4}}[-/]'))"
ZONED = r"regexp_matches({t}, '([Zz]|[+-]\d\d:?\d\d)$')"
# No more than six digits of a second, and no space before the offset.
FINE = r"regexp_replace(regexp_replace({t}, '([.,]\d{{6}})\d+', '\1'), ' ([+-]\d\d:?\d\d)$', '\1')"
ISO_ZONED = f"CASE WHEN {DATED} AND {ZONED} THEN epoch_us(TRY_CAST({FINE} AS TIMESTAMPTZ)) END"
ISO_CLOCK = f"CASE WHEN {DATED} AND NOT {ZONED} THEN epoch_us(TRY_CAST({FINE} AS TIMESTAMP)) END"
CAST = "epoch_us(TRY_CAST({t} AS TIMESTAMP))"
# How nearly all logs write it, told by where the signs stand: without a zone, and in UTC. Three regular expressions are spared.
# (The length is asked first, for it costs nothing.)
USUAL = "strlen({t}) = 19 AND ({t} LIKE '____-__-__ __:__:__' OR {t} LIKE '____-__-__T__:__:__') AND NOT ends_with({t}, 'Z')"
USUAL_UTC = "strlen({t}) = 20 AND {t} LIKE '____-__-__T__:__:__Z'"
CLOCKS = ("%H:%M:%S", "%I:%M:%S %p", "%H:%M", "%I:%M %p", "%H:%M:%S.%f")
DAYS = {"dmy": ("%d/%m/%y", "%d/%m/%Y"), "mdy": ("%m/%d/%y", "%m/%d/%Y")}


def micros(form: Format, layout: Layout) -> tuple[str, str]:
    """SQL of two numbers of microseconds: since the epoch where the zone is known, and of the local clock where it is not."""
    zoned, local = [], []
    for names in form.times:
        text = " || ' ' || ".join(f"s.{source(name)}" for name in names)
        for way in form.file.time.forms:
            known, unknown = _read(way, text if len(names) == 1 else f"({text})", layout)
            if form.file.time.zone.upper() == "UTC" and unknown != NOTHING:
                known, unknown = unknown if known == NOTHING else f"coalesce({known}, {unknown})", NOTHING
            zoned.append(known)
            local.append(unknown)
    return _first(zoned), _first(local)


def _first(given: list[str]) -> str:
    said = [one for one in given if one != NOTHING] or [NOTHING]
    return said[0] if len(said) == 1 else f"coalesce({', '.join(said)})"


def _read(way: str, text: str, layout: Layout) -> tuple[str, str]:
    """One way to read a time: (zone known, zone not known)."""
    if way == "epoch":
        return EPOCH.format(t=text), NOTHING
    if way == "seconds":
        return SQUID.format(t=text), NOTHING
    if way == "iso":
        return (f"CASE WHEN {USUAL.format(t=text)} THEN NULL WHEN {USUAL_UTC.format(t=text)} THEN {CAST.format(t=text)} "
                f"ELSE {ISO_ZONED.format(t=text)} END",
                f"CASE WHEN {USUAL.format(t=text)} THEN {CAST.format(t=text)} WHEN {USUAL_UTC.format(t=text)} THEN NULL "
                f"ELSE {ISO_CLOCK.format(t=text)} END")
    if way == "dmy":
        return NOTHING, _numeric(text, layout)
    if way == "syslog":
        return NOTHING, _yearless(text, layout)
    sound = way.replace("'", "''")
    read = f"epoch_us(try_strptime({text}, '{sound}'))"
    return (read, NOTHING) if "%z" in way or "%Z" in way else (NOTHING, read)


def _numeric(text: str, layout: Layout) -> str:
    """Day and month as numbers, in the order that the file was found to have."""
    ways = [f"{day} {clock}" for day in DAYS[layout.dates or "dmy"] for clock in CLOCKS] + list(DAYS[layout.dates or "dmy"])
    tidy = rf"regexp_replace(regexp_replace(trim({text}), '^(\d+)[.-](\d+)[.-]', '\1/\2/'), ',? +', ' ')"
    slow = f"try_strptime({tidy}, [{', '.join(repr(way) for way in ways)}])"
    usual = f"try_strptime({text}, {DAYS[layout.dates or 'dmy'][1] + ' ' + CLOCKS[0]!r})"  # a tenth of the cost, where it fits
    return f"epoch_us(CASE WHEN length({text}) = 19 THEN coalesce({usual}, {slow}) ELSE {slow} END)"


def _yearless(text: str, layout: Layout) -> str:
    """The year is that of the file's last line; a later month belongs to the year before."""
    tidy = f"regexp_replace(trim({text}), ' +', ' ', 'g')"
    at = f"try_strptime('{layout.year or 2000:04d} ' || {tidy}, '%Y %b %d %H:%M:%S')"
    month = layout.month or 12
    return f"epoch_us(CASE WHEN month({at}) > {month} THEN {at} - INTERVAL 1 YEAR ELSE {at} END)"


def on_clock(parsed: pa.Table, zone: str, last: int) -> tuple[pa.Table, int]:
    """`parsed` with the times that name no zone read by the clock of `zone`, and how many stand undecided in the hour that
    comes twice. `last`: UTC microseconds of the line before, 0 when there is none. Batches come here in order."""
    clock = coded.whole(parsed["clock"])
    if clock.null_count == len(clock):
        return parsed, 0
    times = pc.cast(coded.whole(parsed["time"]), pa.int64())
    known = pc.and_(pc.is_valid(clock), pc.is_null(times)).to_numpy(zero_copy_only=False)  # a time that names its zone wins
    utc, untold = to_utc(clock.filter(pa.array(known)).to_numpy(zero_copy_only=False).astype(np.int64), zone, last)
    utc_micros = pc.fill_null(times, 0).to_numpy(zero_copy_only=False).copy()
    utc_micros[known] = utc
    made = pa.array(utc_micros, mask=~(known | pc.is_valid(times).to_numpy(zero_copy_only=False)))
    place = parsed.column_names.index("time")
    return parsed.set_column(place, "time", pc.cast(made, pa.timestamp("us"))), untold


def to_utc(local: npt.NDArray[np.int64], zone: str, last: int) -> tuple[npt.NDArray[np.int64], int]:
    """Times of a zone's clock as UTC, and how many stand in the hour that comes twice with nothing to tell which it is.

    That hour is told by the order of the lines: once the clock has gone back while the lines went on, it is the second. `last`
    is the UTC of the line before (0: none). A time that the clock skips in spring is read by the clock of before.
    """
    if not len(local):
        return local, 0
    utc, twice = local.copy(), np.zeros(len(local), bool)
    for begins, offset, until, doubled in _spells(zone, int(local.min()), int(local.max())):
        inside = (local >= begins) & (local < until)
        utc[inside] = local[inside] - offset
        twice |= (local >= until - doubled) & (local < until)
    if twice.any():
        return _ordered(utc, twice, last)
    return utc, 0


def _spells(zone: str, low: int, high: int) -> list[tuple[int, int, int, int]]:
    """Spells of one offset that cover a stretch of local time: from, offset, until, and how much of its end comes again."""
    clock, at, spells = ZoneInfo(zone), _from(low) - timedelta(days=2), []
    begins = low - 2 * 24 * HOUR
    while begins <= high:
        offset = _offset(clock, at)
        change = _change(clock, at, _from(high) + timedelta(days=2))
        after = _offset(clock, change)
        until = int(change.timestamp() * 1e6) + offset
        spells.append((begins, offset, until, max(0, offset - after)))
        begins, at = until, change
        if after == offset:
            break
    return spells


def _from(local: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(local))


def _offset(clock: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(clock).utcoffset() or timedelta()).total_seconds()) * 1_000_000


def _change(clock: ZoneInfo, at: datetime, end: datetime) -> datetime:
    """The next moment, to the minute, at which the zone's offset is another than at `at`; `end` when there is none."""
    here = _offset(clock, at)
    step = at
    while step < end and _offset(clock, step) == here:
        step += timedelta(days=1)
    if step >= end and _offset(clock, end) == here:
        return end
    low, high = step - timedelta(days=1), min(step, end)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(clock, middle) == here else (low, middle)
    return high.replace(second=0, microsecond=0)


def _ordered(utc: npt.NDArray[np.int64], twice: npt.NDArray[np.bool_], last: int) -> tuple[npt.NDArray[np.int64], int]:
    """The hour that comes twice, decided by the order of the lines; what nothing decides stays the first."""
    untold, latest, second = 0, last, False
    for n in np.flatnonzero(twice).tolist():
        before = max(latest, int(utc[max(0, n - 1)]) if n and not twice[n - 1] else 0)
        if not second and before - int(utc[n]) > BACK:
            second = True
        if second:
            utc[n] += HOUR
        else:
            untold += 1
        latest = max(latest, int(utc[n]))
    return utc, 0 if second else untold
