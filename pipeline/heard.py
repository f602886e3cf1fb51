"""What was heard from each log: how many lines of which kind, and the minutes that have a request.

Counted part by part, in the one pass that judging makes over every line. What a day's requests come to (`visits`) and the
coverage of its logs (`coverage`) are sums over these few rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.daylines import Parts, each
from pipeline.groups import Ints, Words, dense, grouped, whole, words_of, yes

WORDS = ("source", "fate", "action", "kind", "setup")
FACTS = ("nobody", "sealed", "timed")
COLUMNS = (*WORDS, "person", "sealed", "time")
KINDS = pa.schema([*((name, pa.string()) for name in WORDS), *((name, pa.bool_()) for name in FACTS), ("n", pa.int64()),
                   ("first", pa.int64()), ("last", pa.int64())])
MINUTES = pa.schema([("source", pa.string()), ("minute", pa.int64())])
MINUTE = 60_000_000
NEVER = np.iinfo(np.int64).max


class Heard(NamedTuple):
    """KINDS: how many lines agree in log, fate, action, kind and setup, have no login, are sealed, have a time, and the first and
    last of their times (microseconds; null where they have none). MINUTES: since 1970, in which a log has a request. A row may
    stand there more than once."""

    kinds: pa.Table
    minutes: pa.Table


def of_lines(parts: Parts) -> Heard:
    """What was heard on a day."""
    return together(each(parts(COLUMNS), of_part))


def together(heard: Iterable[Heard]) -> Heard:
    """What was heard in several parts."""
    kinds, minutes = zip((KINDS.empty_table(), MINUTES.empty_table()), *heard, strict=True)
    return Heard(pa.concat_tables(kinds), pa.concat_tables(minutes))


def of_part(part: pa.Table) -> Heard:
    """What was heard in one part (COLUMNS, words coded)."""
    words = {name: words_of(part[name]) for name in WORDS}
    timed = coded.whole(part["time"]).is_valid().to_numpy(zero_copy_only=False)
    facts = {"nobody": words_of(part["person"]).none(), "sealed": words_of(part["sealed"]).are(bool), "timed": timed}
    time = whole(part["time"])
    kinds = grouped([*(column.coded() for column in words.values()), *(yes(fact) for fact in facts.values())])
    row = kinds.any_row()
    made = {name: _texts(column.at(row)) for name, column in words.items()} | {name: fact[row] for name, fact in facts.items()}
    ends = {"first": kinds.take(np.minimum, time, NEVER), "last": kinds.take(np.maximum, time, -NEVER)}
    made |= {"n": kinds.counts()} | {name: pc.if_else(pa.array(timed[row]), pa.array(end), None) for name, end in ends.items()}
    requests = np.flatnonzero(words["fate"].are("request".__eq__) & timed)
    return Heard(pa.table(made, KINDS), _minutes(words["source"].at(requests), time[requests] // MINUTE))


def _minutes(source: Words, minute: Ints) -> pa.Table:
    """MINUTES of some requests."""
    row = grouped([source.coded(), dense(minute)]).any_row()
    return pa.table([_texts(source.at(row)), minute[row]], schema=MINUTES)


def _texts(words: Words) -> pa.Array:
    return words.array().cast(pa.string())
