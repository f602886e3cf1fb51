"""Add, update and remove imported lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline import rulefiles, schoolfolder
from pipeline.listfetch import Limits
from pipeline.listing.changelog import log
from pipeline.listing.importing import import_list
from pipeline.listing.wanted import Wanted, faults
from pipeline.liststore import Lists
from pipeline.problems import Problem, RefusedError, SchoolgateError, UsageError


def add(folder: Path, wanted: Wanted, limits: Limits | None = None) -> list[str]:
    """Import a list, or import it anew; what became of it, in lines. UsageError, RefusedError, FailedError: nothing changed."""
    known = _categories(folder)
    found = list(faults(wanted, known))
    if found:
        raise UsageError(*found)
    return import_list(folder, wanted, known, {}, limits)


def update(folder: Path, names: Sequence[str], limits: Limits | None = None) -> tuple[list[str], list[Problem]]:
    """Import lists anew, all where none is named; one that fails keeps what it had, and is a problem."""
    schoolfolder.require_school(folder)
    store, known = Lists(folder), _categories(folder)
    for name in names:
        store.require(name)
    said: list[str] = []
    problems: list[Problem] = []
    for name in names or sorted(path.stem for path in store.folder.glob("*.parquet")):
        try:
            about = store.about(name)
            wanted = Wanted(name, about["source"], about["form"], about["category"], about["licence"])
            said += import_list(folder, wanted, known, about, limits) or [f"{name}: as it was"]
        except RefusedError:
            raise
        except SchoolgateError as error:
            problems += [replace(problem, what=f"{problem.what}; list {name} stays as it is") for problem in error.problems]
    return said, problems


def remove(folder: Path, name: str) -> str:
    """Remove a list; the change log says so first."""
    schoolfolder.require_school(folder)
    with rulefiles.locked(folder):
        store = Lists(folder)
        store.require(name)
        size = sum(store.found()[0].get(name, {}).get("categories", {}).values())
        log(folder, [{"object": f"list {name}", "kind": "removed", "before": f"{size:,} names", "after": "", "size": size,
                      "mark": ""}])
        store.drop(name)
    return f"{name} is removed ({size:,} names)."


def _categories(folder: Path) -> list[str]:
    return list(schoolfolder.rules(folder).policy.categories)
