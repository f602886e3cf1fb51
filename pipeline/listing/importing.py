"""One list, imported: fetched, read, checked, and put in the place of the old one only when it is whole and sound."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import listfetch, rulefiles
from pipeline.listfetch import Limits
from pipeline.listing.changelog import change, log
from pipeline.listing.labelling import Tally, mapping_of, parts
from pipeline.listing.telling import told
from pipeline.listing.wanted import Wanted
from pipeline.listsource import pieces
from pipeline.liststore import Lists
from pipeline.problems import FailedError, Problem


def import_list(folder: Path, wanted: Wanted, known: Sequence[str], before: Mapping[str, Any], limits: Limits | None
                ) -> list[str]:
    """Fetch, read, check and put in place; empty when the source is as it was."""
    store = Lists(folder)
    with rulefiles.locked(folder, "list import"):  # a night may run while a list is fetched and read
        try:
            about = _replaced(folder, store, wanted, known, before, limits)
        finally:
            store.clean()
    return told(wanted.name, about) if about else []


def _replaced(folder: Path, store: Lists, wanted: Wanted, known: Sequence[str], before: Mapping[str, Any], limits: Limits | None
              ) -> dict[str, Any]:
    """Put the list in place; what is known of it, or nothing when an update finds all as it was."""
    got, path = _fetched(store, wanted, before, limits)
    if got is None:
        return {}
    tally = Tally()
    half, counts = store.prepare(wanted.name, parts(path, wanted, mapping_of(folder, wanted, known), tally))
    about: dict[str, Any] = {
        **vars(wanted), **got, "at": datetime.now(UTC).isoformat(timespec="seconds"), "hash": _hash(path), **vars(tally),
        "categories": counts}
    _sound(wanted, counts, before or _there_now(store, wanted.name))
    about["change"] = change(store, wanted.name, half, about)
    if before and not about["change"]["size"]:
        return {}
    with rulefiles.locked(folder):  # but all its days are judged by the same lists
        store.commit(wanted.name, half, about)
        log(folder, [about["change"]])
    return about


def _there_now(store: Lists, name: str) -> dict[str, Any]:
    """What is known of the list that stands under this name; nothing where none does, or a damaged one."""
    try:
        return store.about(name)
    except FailedError:
        return {}


def _fetched(store: Lists, wanted: Wanted, before: Mapping[str, Any], limits: Limits | None
             ) -> tuple[dict[str, str] | None, Path]:
    if not listfetch.is_address(wanted.source):
        return {}, Path(wanted.source)
    path = store.download(wanted.name)
    return listfetch.fetch(wanted.source, path, {name: before.get(name, "") for name in ("etag", "modified")}, limits), path


def _sound(wanted: Wanted, counts: Mapping[str, int], old: Mapping[str, Any]) -> None:
    """FailedError when a list holds nothing, or less than half of what it held."""
    names, had = sum(counts.values()), sum(old.get("categories", {}).values())
    if not names:
        raise FailedError(Problem(wanted.name, "holds no name that could be read, so nothing is changed",
                                  f"another format than {wanted.form}, or rules/vendor/{wanted.form}.csv for its categories"))
    if 2 * names < had:
        raise FailedError(Problem(wanted.name, f"holds {names:,} names and held {had:,}: less than half, so the old list stays",
                                  "looking at its source; schoolgate lists remove and add, if it is meant"))


def _hash(path: Path) -> str:
    """SHA-256 over the names and bytes of a source's pieces."""
    digest = hashlib.sha256()
    for piece in pieces(path):
        digest.update(piece.name.encode("utf-8", "surrogateescape") if path.is_dir() else b"")
        for block in piece.blocks:
            digest.update(block)
    return digest.hexdigest()
