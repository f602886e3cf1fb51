"""The classification by lists against a walk over suffixes in plain Python, on random hosts and lists."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.hosts import normalise, suffixes
from pipeline.lists import HARMLESS, LISTS, OWN, PROTECTED, classify_hosts

LABEL = st.sampled_from(["a", "b", "www", "xn--bcher-kva", "co", "example"])
NAME = st.one_of(st.lists(LABEL, min_size=1, max_size=4).map(".".join), st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"]))
SPELT = st.one_of(NAME, NAME.map(str.upper), NAME.map(lambda name: name + "."), st.just("b\u00fccher.example"))
ENTRY = st.tuples(NAME, st.sampled_from(["games", "gambling", "learning", "help_seeking", "background", ""]),
                  st.sampled_from(["starter", "one", "two"])).filter(lambda row: row[1] or row[2] != "starter")
OURS = st.tuples(NAME, st.sampled_from(["games", "learning"]))
Row = tuple[str, str, str]


def walked(host: str, entries: list[Row], own: list[tuple[str, str]]) -> Row:
    """Category, entry and list of a host: the suffixes one by one, with the rules as the manual has them."""
    names = suffixes(host)
    found = [(entry, category, "own") for entry, category in own if entry in names]
    for name in {row[2] for row in entries}:
        mine = [row for row in entries if row[2] == name and row[0] in names]
        excepted = max([len(row[0]) for row in mine if not row[1]], default=0)
        found += [row for row in mine if row[1] and len(row[0]) > excepted]
    shielded = any(row[2] in ("own", "starter") and row[1] in PROTECTED for row in found)

    def place(row: Row) -> tuple[object, ...]:
        entry, category, name = row
        imported = name not in ("own", "starter")
        rank = {"own": 0, "starter": 2}.get(name, 1)
        return (name != "own", shielded and imported and category not in HARMLESS, -len(entry), rank,
                category != "help_seeking", category, name)
    return min(((e, c, n) for e, c, n in found), key=place, default=("", "uncategorised", ""))


@settings(max_examples=60)
@given(hosts=st.lists(SPELT, min_size=1, max_size=12, unique=True), entries=st.lists(ENTRY, max_size=12), own=st.lists(OURS, max_size=2))
def test_a_walk_over_suffixes_agrees(hosts: list[str], entries: list[Row], own: list[tuple[str, str]]) -> None:
    """Category, entry and list are the same for exceptions, protected sites, addresses, international names and any spelling."""
    asked = pa.table({"host": hosts, "people": [1] * len(hosts), "requests": [1] * len(hosts)})
    table = pa.Table.from_pylist([dict(zip(LISTS.names, row, strict=True)) for row in entries], schema=LISTS)
    ours = pa.Table.from_pylist([{"entry": entry, "category": category} for entry, category in own], schema=OWN)
    for row in classify_hosts(asked, table, ours).to_pylist():
        assert (row["entry"], row["category"], row["list"]) == walked(normalise(row["host"]), entries, own)
