"""What the filter's own category names mean here: `rules/vendor/<vendor>.csv` as text in, names and problems out.

A line gives one name of the vendor one category of categories.toml, or `-` where ours have no counterpart: such a name is known
and says nothing. Case, spaces and signs do not count, so `Peer-to-Peer`, `peer to peer` and `PEER_TO_PEER` are one name. Names of
illegal content are never here: they seal (the formats' `[sealed]` words).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pipeline.formats import Format
from pipeline.formats.verdicts import GRAVE
from pipeline.lists import NEVER_LISTED
from pipeline.problems import Problem
from pipeline.suggestions import nearest_or_all

COLUMNS = ("vendor_category", "category", "note")
NOTHING = "uncategorised"  # what `-` stands for: known, and without a counterpart
BETWEEN = re.compile(r" *[;,|] *")
Names = Mapping[str, str]  # one vendor's names, each as `spelling` writes it, and the category of each


class Meaning(NamedTuple):
    """What one category field says: the gravest category of its names ('' or uncategorised: nothing), and the names that nobody
    has mapped."""

    category: str
    unknown: tuple[str, ...]


def spelling(name: str) -> str:
    """One spelling of a vendor's name: lower case, words of letters and digits with one space between them."""
    return " ".join(re.findall(r"[^\W_]+", name.lower().replace("&", " and ")))


def meaning(said: str, names: Names, gravity: Mapping[str, float]) -> Meaning:
    """What a category field means. A name may hold a comma itself, so the whole is looked up before its parts.

    `gravity`: a number for each category, the gravest least. Of two that are equal the first one named counts.
    """
    if spelling(said) in names:
        return Meaning(names[spelling(said)], ())
    parts = [part for part in BETWEEN.split(said.strip()) if spelling(part)]
    found = [names[spelling(part)] for part in parts if spelling(part) in names]
    telling = [category for category in found if category != NOTHING]
    return Meaning(min(telling, key=lambda category: gravity.get(category, len(gravity)), default=NOTHING if found else ""),
                   tuple(dict.fromkeys(part for part in parts if spelling(part) not in names)))


def read_vendors(files: Mapping[str, str], categories: Collection[str],
                 formats: Mapping[str, Format]) -> tuple[dict[str, Names], list[Problem]]:
    """The names of every vendor, and every fault. `files`: texts of rules/vendor by path; `categories`: none, none is checked."""
    sealed = _sealed(formats)
    found, problems = {}, []
    for where in sorted(files):
        vendor = where.rsplit("/", maxsplit=1)[-1].removesuffix(".csv")
        if vendor not in sealed:
            problems.append(Problem(where, f"no log format names the vendor {vendor!r}", _close(vendor, sealed)))
        names, faults = _read(files[where], where, categories, sealed.get(vendor, frozenset()))
        found[vendor] = names
        problems += faults
    return found, problems


def _sealed(formats: Mapping[str, Format]) -> dict[str, frozenset[str]]:
    """The names that seal, of every vendor whose categories some format reads."""
    words: dict[str, frozenset[str]] = {}
    for form in formats.values():
        if form.sources("vendor_category"):
            mine = map(spelling, form.file.sealed.words if form.file.sealed else ())
            words[form.vendor] = words.get(form.vendor, frozenset()) | frozenset(mine)
    return words


def _read(text: str, where: str, categories: Collection[str], sealed: Collection[str]) -> tuple[Names, list[Problem]]:
    """One vendor's file; a line with a fault maps nothing."""
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines(), skipinitialspace=True)
    heads = [(head or "").strip() for head in reader.fieldnames or []]
    missing = [name for name in COLUMNS[:2] if name not in heads]
    if missing:
        return {}, [Problem(f"{where}:1", f"has no column {', '.join(missing)}", ",".join(COLUMNS))]
    names: dict[str, str] = {}
    problems = []
    for cells in reader:
        row = {(name or "").strip(): (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
        name, category = row.get("vendor_category", ""), row.get("category", "")
        faults = list(_faults(name, category, names, categories, sealed)) if any(row.values()) else []
        problems += [Problem(f"{where}:{reader.line_num}", what, hint) for what, hint in faults]
        if name and not faults:
            names[spelling(name)] = NOTHING if category == "-" else category
    return names, problems


def _faults(name: str, category: str, known: Names, categories: Collection[str],
            sealed: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with one line, and what to try."""
    if not spelling(name):
        yield "has no vendor_category", "the name as the log writes it"
    elif spelling(name) in sealed or GRAVE.search(name):
        yield f"{name!r} is an illegal-content verdict, which seals and is never a category", "taking this line out"
    elif spelling(name) in known:
        yield f"{name!r} stands twice", "one line for each name; case, spaces and signs do not count"
    if not category:
        yield f"{name!r} has no category", "a category of categories.toml, or - where none fits"
    elif category in NEVER_LISTED:
        yield f"{category} may only come from a sealed verdict, never from a list of names", "taking this line out"
    elif category != "-" and categories and category not in categories:
        yield f"{category} is not a category of categories.toml", _close(category, categories)


def _close(word: str, known: Collection[str]) -> str:
    return nearest_or_all(word, known, 30) or "-"
