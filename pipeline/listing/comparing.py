"""What the last update of a list moved: the names it added and removed, and the hosts that have another category by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from pipeline import judging, liststore, schoolfolder
from pipeline.liststore import Lists
from pipeline.ruleset import Rules
from pipeline.tables import HOSTS
from pipeline.vault import load_keys

FORTNIGHT = timedelta(days=14)


def diff(folder: Path, name: str) -> list[str]:
    """What the last update of a list added and removed, and which hosts of the last fortnight have another category by it."""
    schoolfolder.require_school(folder)
    store = Lists(folder)
    store.require(name)
    if not store.before(name).exists():
        return [f"{name} has not been updated since it was added."]
    rows = liststore.differing(store.before(name), store.path(name))
    said = [f"{'+' if row['side'] else '-'} {row['many']:,} in {row['category']}: {', '.join(row['first'])}" for row in rows]
    return [f"{name}: {len(said) or 'no'} differences by category", *said, *_effect(folder, store, name)]


def _effect(folder: Path, store: Lists, name: str) -> list[str]:
    """The hosts of the last fortnight's judged days whose category is another by the new list; nobody is named."""
    rules = schoolfolder.rules(folder)
    asked = _asked(folder, rules)
    others = [str(store.path(other)) for other in store.found()[0] if other != name]
    was, now = (judging.classified(asked, replace(rules, imported=[*others, str(file)]), datetime.now(UTC).date()).to_pylist()
                for file in (store.before(name), store.path(name)))
    moved = [f"  {one['host']}: {one['category']} -> {two['category']}" for one, two in zip(was, now, strict=True)
             if one["category"] != two["category"] and "help_seeking" not in (one["category"], two["category"])]
    return [f"of {len(asked):,} hosts of the last fortnight {len(moved):,} have another category", *moved[:50]]


def _asked(folder: Path, rules: Rules) -> pa.Table:
    """The distinct hosts of the last fortnight that was judged: host, people, requests."""
    lake = schoolfolder.open_lake(folder, load_keys(folder / rules.school.keys))
    judged = sorted(lake.judged())
    days: list[date] = [day for day in judged if day > judged[-1] - FORTNIGHT]
    hosts = lake.table(HOSTS, days)["host"]
    names = sorted(set(hosts.to_pylist()))
    zeros = pa.array([0] * len(names), pa.int64())
    return pa.table({"host": pa.array(names, pa.string()), "people": zeros, "requests": zeros})
