"""Minutes of one school day become stays: one person, on one device, on one site and category, between two pauses and two bells.

A stay ends when ten minutes pass without a request, and at every band edge. Worked out on the codes of words (`groups`): a busy
day leaves some hundred thousand minutes, and SQL's windows over words take ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.groups import Codes, Groups, Ints, Words, Yes, dense, grouped, whole, words_of

PAUSE = 600_000_000
MINUTE = 60_000_000
SLOT = 5                   # minutes
WORDS = ("client", "person", "account", "network", "host", "site", "category")
SUMS = {"requests": "n", "blocked": "blocked", "warned": "warned", "tunnels": "tunnels", "bytes_in": "bytes_in",
        "bytes_out": "bytes_out"}
NUMBERS = (*SUMS.values(), "second", "started", "ended", "longest_ms", "place")
OF_NO_BAND = ("closed", "Out of school hours")
OF_NOBODY = ("", "")


def of_minutes(minutes: pa.Table, people: pa.Table, bands: pa.Table) -> pa.Table:
    """The stays of a day, in the order of their first requests.

    `minutes`: rows of `dayminutes` (WORDS, NUMBERS, note, search). `people`: person, role, year. `bands`: as of `bands_table`.
    Columns: client, person, subject, role, year (of students), account and network of the first request, site, category, host
    (asked for most often), started, ended, place, band, period, requests, blocked, allowed, warned, tunnels, bytes_in, bytes_out,
    longest_ms, slots, searched, notes.
    """
    words = {name: words_of(minutes[name]) for name in WORDS}
    numbers = {name: whole(minutes[name]) for name in NUMBERS}
    roles, years, bells = _of_people(words["person"], people, set(bands["year"].to_pylist()))
    band = _bands(bells, numbers["second"] // 60, bands)
    first, stay = _cut([words[name].coded() for name in ("client", "person", "site", "category")], band, numbers)
    made: dict[str, pa.Array | Ints] = {name: words[name].at(first).array() for name in WORDS if name != "host"}
    client, person = (words[name].at(first).array().cast(pa.string()) for name in ("client", "person"))
    made["subject"] = pc.if_else(pc.equal(person, ""), client, person)
    made |= {"role": roles.at(first).array(), "year": years.at(first).array()}
    made["host"] = words["host"].at(_favourite(stay, words["host"], numbers["n"])).array()
    made |= {name: numbers[name][first] for name in ("started", "place")}
    made |= {name: stay.take(np.maximum, numbers[name]) for name in ("ended", "longest_ms")}
    made |= {"band": _named(bands["band"], band[first], 0), "period": _named(bands["period"], band[first], 1)}
    made |= {name: stay.take(np.add, numbers[of]) for name, of in SUMS.items()}
    made["allowed"] = made["requests"] - made["blocked"]
    made["slots"] = _distinct(stay, numbers["second"] // 60 // SLOT)
    made["searched"] = stay.take(np.add, np.where(_yes(minutes["search"]), numbers["n"], 0))
    made["notes"] = _notes(stay, minutes["note"])
    return pa.table(made)


def _of_people(person: Words, people: pa.Table, belled: set[str]) -> tuple[Words, Words, Words]:
    """The role of each row's person, the year of those who are students, and whose bells they go by ('': everybody's)."""
    known = {row["person"]: (row["role"] or "", row["year"] or "") for row in reversed(people.to_pylist())}
    told = [known.get(name, OF_NOBODY) for name in person.values.to_pylist()]
    columns = ([role for role, _ in told], [year if role == "student" else "" for role, year in told],
               [year if year in belled else "" for _, year in told])
    roles, years, bells = (_mapped(person, values) for values in columns)
    return roles, years, bells


def _mapped(words: Words, values: Sequence[str]) -> Words:
    """`values`, one for each word, in the place of the words; '' where there is none."""
    coded = pa.array([*values, ""]).dictionary_encode()
    return Words(coded.indices.to_numpy()[words.codes], coded.dictionary)


def _bands(bells: Words, minute: Ints, bands: pa.Table) -> Ints:
    """The row of `bands` that each minute falls in, by whose bells it goes; of several the last to begin; -1: none."""
    both = grouped([bells.coded(), dense(minute)])
    row = both.any_row()
    starts, ends, found = whole(bands["starts"]), whole(bands["ends"]), np.full(both.size, -1)
    at, whose = minute[row] * MINUTE, bells.at(row)
    years = {year: whose.are(year.__eq__) for year in set(bands["year"].to_pylist())}
    for number, year in sorted(enumerate(bands["year"].to_pylist()), key=lambda one: starts[one[0]]):
        found[years[year] & (at >= starts[number]) & (at < ends[number])] = number
    return np.asarray(found[both.of])


def _cut(lane: Sequence[Codes], band: Ints, numbers: Mapping[str, Ints]) -> tuple[Ints, Groups]:
    """The row of each stay's first request, in their order, and the stay of each row: a lane without a pause, inside one band."""
    lanes = grouped([*lane, dense(band)]).of
    order = np.lexsort((numbers["place"], numbers["started"], lanes))
    there, started, ended = lanes[order], numbers["started"][order], numbers["ended"][order]
    begins = np.ones(len(order), bool)
    begins[1:] = (there[1:] != there[:-1]) | (started[1:] - _latest(there, ended)[:-1] > PAUSE)
    first = order[begins]
    rank = np.lexsort((numbers["place"][first], numbers["started"][first]))
    number, stay = np.zeros(len(first), np.int64), np.zeros(len(order), np.int64)
    number[rank] = np.arange(len(first))
    stay[order] = number[np.cumsum(begins) - 1]
    return first[rank], Groups(stay, len(first))


def _latest(lanes: Ints, ended: Ints) -> Ints:
    """The latest end so far in each row's lane, of rows in the order of their lanes. All ends of a day lie within two days, so
    lanes can stand one above the other in one number."""
    if not len(lanes):
        return ended
    least, span = ended.min(), ended.max() - ended.min() + 1
    return np.asarray(np.maximum.accumulate(ended - least + lanes * span) - lanes * span + least)


def _favourite(stay: Groups, host: Words, n: Ints) -> Ints:
    """A row of each stay with the host asked for most often; the first by name where several are."""
    both = grouped([Codes(stay.of, stay.size), host.coded()])
    row, asked = both.any_row(), both.take(np.add, n)
    name = np.zeros(len(host.values) + 1, np.int64)
    name[pc.array_sort_indices(host.values).to_numpy()] = np.arange(len(host.values))
    order = np.lexsort((name[host.codes[row]], -asked, stay.of[row]))
    best = row[order]
    begins = np.ones(len(best), bool)
    begins[1:] = stay.of[best][1:] != stay.of[best][:-1]
    return np.asarray(best[begins])


def _distinct(stay: Groups, values: Ints) -> Ints:
    """How many different values each stay has."""
    row = grouped([Codes(stay.of, stay.size), dense(values)]).any_row()
    return np.bincount(stay.of[row], minlength=stay.size)


def _named(names: pa.ChunkedArray, band: Ints, other: int) -> pa.Array:
    """A column of bands for each stay."""
    values = pa.array([*names.to_pylist(), OF_NO_BAND[other]], pa.string())
    return values.take(pa.array(np.where(band < 0, len(names), band)))


def _notes(stay: Groups, notes: pa.ChunkedArray) -> pa.Array:
    """The different notes of each stay, in order; few have any."""
    made: dict[int, set[str]] = {}
    rows = np.flatnonzero(notes.is_valid().to_numpy())
    for number, note in zip(stay.of[rows].tolist(), notes.take(rows).to_pylist(), strict=True):
        made.setdefault(number, set()).add(note)
    sizes = np.zeros(stay.size + 1, np.int32)
    sizes[[number + 1 for number in made]] = [len(words) for words in made.values()]
    told = [note for number in sorted(made) for note in sorted(made[number])]
    return pa.ListArray.from_arrays(np.cumsum(sizes, dtype=np.int32), pa.array(told, pa.string()))


def _yes(facts: pa.ChunkedArray) -> Yes:
    return np.asarray(pc.fill_null(facts, False).to_numpy())
