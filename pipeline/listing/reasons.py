"""Why a host or an address has its category: every line of every list that speaks of it, and the rule by which one wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import judging, listaddresses, lists, liststore, schoolfolder
from pipeline.hosts import normalise
from pipeline.liststore import Lists
from pipeline.textfiles import read_texts


def why(folder: Path, asked_for: str) -> list[str]:
    """Every line of every list that speaks of a host, or of the host of an address; which category wins, and by what rule."""
    rules = schoolfolder.rules(folder)
    store = Lists(folder)
    files, today = [str(store.path(name)) for name in store.found()[0]], datetime.now(UTC).date()
    host, path = _address(asked_for)
    asked = pa.table({"host": [host], "people": [0], "requests": [0]})
    names, spoken = lists.suffixes_of(asked), judging.speaking(asked, replace(rules, imported=files))
    hosts = judging.classified(asked, rules, today, spoken)
    answer = listaddresses.address(hosts, path, spoken, rules.lists, lists.live(rules.own, today))
    told = [*_own_lines(folder, set(names["entry"].to_pylist())), *map(_line, liststore.lines_of(files, names))]
    return [f"{host}{path}: {answer['category']}, {_reason(answer)}", *told] if told else [f"{host}: no list speaks of it"]


def _address(text: str) -> tuple[str, str]:
    """Host and path of what a person types: a name, or an address."""
    host, slash, path = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", text.strip()).partition("/")
    return re.sub(r":\d+$", "", host.lower()) if host.count(":") == 1 else host.lower(), (slash + path).partition("#")[0]


def _line(row: Mapping[str, Any]) -> str:
    what = "an exception: the list is silent on it" if row["excepted"] else row["category"]
    page = " (of pages under this path only)" if row["path"] else ""
    return f"  {row['list']}, {row['file']}:{row['line']}  {row['entry']}{row['path']}  {what}{page}"


def _own_lines(folder: Path, names: set[str]) -> Iterator[str]:
    """The lines of the lists in rules/lists that speak of one of these names."""
    for where, text in read_texts(folder, ["rules/lists/*.csv", "rules/lists/*.txt"]).items():
        for number, line in enumerate(text.splitlines(), 1):
            entry, _, rest = line.partition("#")[0].strip().partition(",")
            if entry and normalise(entry.lstrip("*.")) in names:
                yield f"  {where}:{number}  {entry}  {rest.strip() or Path(where).stem}"


def _reason(answer: Mapping[str, Any]) -> str:
    """Why the winning entry wins."""
    if not answer["entry"]:
        return "for every list that names it excepts it"
    by = f"by {answer['entry']} of {answer['list']}: "
    if answer["list"] == "own":
        return by + "the school's own list beats every other"
    others = f"; against it: {', '.join(answer['also'])}" if answer["also"] else ""
    if answer["category"] in lists.PROTECTED and answer["list"] == lists.STARTER and answer["also"]:
        return by + "help and learning are protected against imported lists" + others
    if "/" in answer["entry"]:
        return by + "the most specific entry wins, and this one names the address itself" + others
    return by + ("the longest name wins, and of equals an imported list" + others if others else "no other list differs")
