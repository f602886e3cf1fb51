"""Whole numbers and times of a block of bytes, read by numpy as nearly all logs write them.

`sound` says which of the texts are written so; what the others hold is for the select of the format to say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from pipeline.formats.spans import FIRST, Bytes, Ints, Texts, Words, Yes, eights

ROWS = 1 << 14           # texts that are read at a time
MOST_DATES = 16          # among those; a log of more is in no order, and read otherwise
ZEROS, HIGH, SIX = (np.uint64(int.from_bytes(bytes([byte] * 8))) for byte in (0x30, 0xF0, 0x06))
TENS = np.array([10 ** n for n in range(7)], np.int64)
DAY, EPOCH = 86_400_000_000, date(1970, 1, 1).toordinal()


def in_parts(texts: Texts, read: Callable[[Texts], tuple[Ints, Yes, Yes]]) -> tuple[Ints, Yes, Yes]:
    """What `read` says of the texts, some at a time: so what is made of them stays in the processor's cache."""
    parts = [read(texts.part(first, first + ROWS)) for first in range(0, len(texts.begin), ROWS)]
    value, one, other = (np.concatenate([part[n] for part in parts]) for n in range(3))
    return value, one, other


def instants(texts: Texts, forms: set[str]) -> tuple[Ints, Yes, Yes]:
    """Microseconds of times, whether they say their zone, and which are sound."""
    data, begin, end = texts
    known, begin, end = begin >= 0, np.maximum(begin, 0), np.maximum(end, 0)
    value, zoned, sound = np.zeros(len(begin), np.int64), np.zeros(len(begin), bool), np.zeros(len(begin), bool)
    if "iso" in forms and (data[begin + 4] == ord("-")).any():
        value, zoned, sound = clocks(data, begin, end)
    if forms - {"iso"} and not sound.all():
        epoch, fits = epochs(data, begin, end, "epoch" in forms)
        value, zoned, sound = np.where(sound, value, epoch), zoned | (fits & ~sound), sound | fits
    return value, zoned, sound & known


def numbers(texts: Texts) -> tuple[Ints, Yes, Yes]:
    """Whole numbers, whether anything is said, and which are sound."""
    data, begin, end = texts
    said = (begin >= 0) & (end > begin) & ~((end == begin + 1) & (data[begin] == ord("-")))
    value, sound = whole(data, np.maximum(begin, 0), np.maximum(end, 0))
    return value, said, sound


def whole(data: Bytes, begin: Ints, end: Ints) -> tuple[Ints, Yes]:
    """Whole numbers of up to sixteen digits, and which texts are such."""
    size = end - begin
    value, sound = _digits(data, begin, np.minimum(size, 8))
    sound &= (size > 0) & (size <= 16)
    long = np.flatnonzero(sound & (size > 8))
    if len(long):
        rest, digits = size[long] - 8, _digits(data, begin[long] + 8, size[long] - 8)
        value[long] = value[long] * 10 ** rest + digits[0]
        sound[long] &= digits[1]
    return value, sound


def _digits(data: Bytes, begin: Ints, size: Ints) -> tuple[Ints, Yes]:
    """Numbers of up to eight digits: the eight bytes, with zeros before them, are added up in pairs, fours and eights."""
    few = np.clip(size, 0, 8)
    empty = (8 - few).astype(np.uint64) * np.uint64(8)
    return _added_up(np.where(few == 0, ZEROS, eights(data)[begin] << np.minimum(empty, np.uint64(63)) | ZEROS & FIRST[8 - few]))


def _just(data: Bytes, begin: Ints, size: int) -> tuple[Ints, Yes]:
    """Numbers of just that many digits, 1 to 8."""
    eight = eights(data)[begin]
    return _added_up(eight if size == 8 else eight << np.uint64(8 * (8 - size)) | ZEROS & FIRST[8 - size])


def _added_up(x: Words) -> tuple[Ints, Yes]:
    """Eight digits each, the first in the lowest byte, as numbers, and which are such."""
    sound = (x & HIGH == ZEROS) & ((x + SIX) & HIGH == ZEROS)
    x = x - ZEROS
    x = x * np.uint64(10) + (x >> np.uint64(8))
    x = ((x & np.uint64(0x000000FF000000FF)) * np.uint64(0x000F424000000064)
         + ((x >> np.uint64(16)) & np.uint64(0x000000FF000000FF)) * np.uint64(0x0000271000000001)) >> np.uint64(32)
    return (x & np.uint64(0xFFFFFFFF)).astype(np.int64), sound


def epochs(data: Bytes, begin: Ints, end: Ints, fine: bool) -> tuple[Ints, Yes]:
    """Microseconds of times in seconds, with up to six digits behind the dot; where `fine`, in smaller units too."""
    size = end - begin
    if len(size) and 11 < size[0] < 18 and data[begin[0] + 10] == ord(".") and (size == size[0]).all():
        return _parted(data, begin, int(size[0]) - 11)
    value, sound = whole(data, begin, np.where(size > 10, begin + 10, end))
    value *= 1_000_000
    sound &= size >= 10
    parted = (size > 11) & (size <= 17) & (data[begin + 10] == ord("."))
    places = np.where(parted, size - 11, 0)
    more, digits = _digits(data, np.minimum(begin + 11, len(data) - 9), places)
    value += more * TENS[6 - places]
    sound &= (size == 10) | (parted & digits)
    for digits_of, by in ((13, 1_000), (16, 1)) if fine else ():
        these = np.flatnonzero((size == digits_of) & ~parted)
        if len(these):
            value[these], sound[these] = whole(data, begin[these], end[these])
            value[these] *= by
    if fine and (nano := (size == 19) & ~parted).any():
        these = np.flatnonzero(nano)
        value[these], sound[these] = whole(data, begin[these], end[these] - 3)
        sound[these] &= whole(data, end[these] - 3, end[these])[1]
    return value, sound


def _parted(data: Bytes, begin: Ints, places: int) -> tuple[Ints, Yes]:
    """The same of times that all have ten digits, and so many behind the dot."""
    value, sound = _just(data, begin, 8)
    for place in (8, 9):
        digit = data[begin + place] - np.uint8(ord("0"))
        sound &= digit < 10
        value = value * 10 + digit
    more, digits = _just(data, begin + 11, places)
    sound &= digits & (data[begin + 10] == ord("."))
    return value * 1_000_000 + more * 10 ** (6 - places), sound


def clocks(data: Bytes, begin: Ints, end: Ints) -> tuple[Ints, Yes, Yes]:
    """Microseconds of ISO times (2026-09-08 09:05:11, T between, a fraction, Z or an offset), which say their zone, and which
    texts are such."""
    size, zoned = end - begin, np.zeros(len(begin), bool)
    value, sound = _seconds(data, begin)
    sound &= size >= 19
    for length in np.unique(size[(size > 19) & sound]).tolist():
        these = np.flatnonzero((size == length) & sound)
        east, width = _offset(data, end[these])
        places = length - 20 - width
        more, fits = np.zeros(len(these), np.int64), places == -1
        fraction = (places > 0) & (places <= 9) & (data[begin[these] + 19] == ord("."))
        if fraction.any():
            last, digits = whole(data, begin[these] + 20, begin[these] + 20 + np.where(fraction, places, 0))
            fits |= fraction & digits
            more = np.where(fraction, last * 10 ** np.maximum(6 - places, 0) // 10 ** np.maximum(places - 6, 0), 0)
        value[these] += more - east
        zoned[these], sound[these] = width > 0, fits
    return value, zoned, sound


def _offset(data: Bytes, end: Ints) -> tuple[Ints, Ints]:
    """What stands at the end of times: Z, +01:00 or +0100 (a space may stand before those), as microseconds east, and its width;
    0 where none does."""
    east, width = np.zeros(len(end), np.int64), np.where(data[end - 1] == ord("Z"), 1, 0)
    for wide, minutes in ((6, 2), (5, 2)):
        sign = data[end - wide]
        these = np.flatnonzero((width == 0) & ((sign == ord("+")) | (sign == ord("-"))))
        at = end[these]
        hours, sound = _digits(data, at - wide + 1, np.full(len(these), 2))
        rest, also = _digits(data, at - minutes, np.full(len(these), 2))
        sound &= also & (hours < 15) & (rest < 60)
        if wide == 6:
            sound &= data[at - 3] == ord(":")
        width[these[sound]] = wide + (data[at[sound] - wide - 1] == ord(" "))
        east[these] = np.where(sound, np.where(sign[these] == ord("-"), -1, 1) * (hours * 60 + rest) * 60_000_000, 0)
    return east, width


def _seconds(data: Bytes, begin: Ints) -> tuple[Ints, Yes]:
    """Microseconds of the nineteen bytes of a date and a clock. Few days stand in a piece: each is read once."""
    eight = eights(data)
    month, rest = eight[begin], eight[begin + 8]
    day = rest & FIRST[2]
    value, sound = np.zeros(len(begin), np.int64), np.zeros(len(begin), bool)
    left = np.arange(len(begin))
    for _ in range(MOST_DATES):
        if not len(left):
            break
        one = left[0]
        same = (month[left] == month[one]) & (day[left] == day[one])
        these = left if same.all() else left[same]
        midnight = _midnight(bytes(data[begin[one]:begin[one] + 10]))
        if midnight is not None:
            value[these], sound[these] = midnight, True
        left = left[~same]
    between = data[begin + 10]
    sound &= (between == ord(" ")) | (between == ord("T"))
    sound &= (data[begin + 13] == ord(":")) & (data[begin + 16] == ord(":"))
    for place, most, by in ((11, 24, 3_600_000_000), (14, 60, 60_000_000), (17, 60, 1_000_000)):
        tens, ones = data[begin + place] - np.uint8(48), data[begin + place + 1] - np.uint8(48)
        sound &= (tens < 10) & (ones < 10)
        number = tens.astype(np.int64) * 10 + ones
        sound &= number < most
        value += number * by
    return value, sound


def _midnight(text: bytes) -> int | None:
    """Microseconds of the midnight of a day such as 2026-09-08."""
    try:
        known = text[4:5] == text[7:8] == b"-" and text.replace(b"-", b"").isdigit()
        return (date(int(text[:4]), int(text[5:7]), int(text[8:])).toordinal() - EPOCH) * DAY if known else None
    except ValueError:
        return None
