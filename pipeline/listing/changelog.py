"""What the change log says of a list that is added, changed or removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import changes, liststore, register, schoolfolder
from pipeline.listing.telling import summed
from pipeline.liststore import Lists


def change(store: Lists, name: str, half: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of the change log for a list that is about to be put in place."""
    total = sum(about["categories"].values())
    body = {"object": f"list {name}", "kind": "added", "before": "", "after": summed(about["categories"]), "size": total,
            "mark": about["hash"][:16]}
    if not store.path(name).exists():
        return body
    moved = liststore.differing(store.path(name), half)
    return body | {"kind": "changed", "before": _moved(moved, 0, "gone"), "after": _moved(moved, 1, "new"),
                   "size": sum(row["many"] for row in moved)}


def _moved(rows: Sequence[Mapping[str, Any]], side: int, word: str) -> str:
    return "; ".join(f"{row['many']:,} {word} in {row['category']}: {', '.join(row['first'])}" for row in rows
                     if row["side"] == side) or f"none {word}"


def log(folder: Path, said: Sequence[Mapping[str, Any]]) -> None:
    """Enter these changes in the change log, unless it ends with them already."""
    book = schoolfolder.journal(folder, "changes")
    book.append_all(register.open_changes([changes.Change(**one) for one in said], register.fold_changes(book.entries())))
