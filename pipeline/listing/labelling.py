"""The entries of a source with our categories: the one that was asked for, or what the list's own categories are to us.

What has no category of ours, and what no list may name, is left out and counted.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import lists, sql
from pipeline.listformats.parsed import Parsed
from pipeline.listformats.parsing import parsing
from pipeline.listing.wanted import Wanted
from pipeline.listsource import pieces
from pipeline.liststore import STORED
from pipeline.problems import Problem, UsageError
from pipeline.textfiles import read_texts

UT1_FILES = {"domains": "domains", "urls": "urls"}
UT1_NOTES = ("usage", "global_usage", "README", "LICENSE", "LICENSE.pdf", "cc-by-sa-4-0.pdf")
SHOWN = 5
MAPPING = pa.schema([("said", pa.string()), ("category", pa.string())])

LABELLED = """
SELECT e.entry, e.path, CASE WHEN e.excepted THEN '' ELSE m.category END AS category, e.excepted, e.line, e.category AS said
FROM entries e LEFT JOIN mapping m ON m.said = e.category
"""
UNMAPPED = """
SELECT said, category, count(*) AS many FROM labelled WHERE NOT excepted AND (category IS NULL OR list_contains($never, category))
GROUP BY said, category ORDER BY many DESC, said
"""


@dataclass
class Tally:
    """Where the lines of a source went, over all its pieces."""

    lines: int = 0
    read: int = 0
    furniture: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)   # names by the list's own category, where we have none for it

    def take(self, parsed: Parsed, name: str) -> None:
        """Count what a part of the piece of that name holds."""
        self.lines += parsed.lines
        self.read += parsed.read
        self.furniture += parsed.furniture
        for reason, many in parsed.reasons.items():
            self.reasons[reason] += many
            self.examples.setdefault(reason, []).extend(f"{ascii(name)[1:-1]}:{text}" for text in parsed.examples[reason])
            del self.examples[reason][SHOWN:]

    def leave_out(self, reason: str, many: int, example: str) -> None:
        """Count what is left out, and keep the first few examples."""
        self.reasons[reason] += many
        shown = self.examples.setdefault(reason, [])
        shown += [example] if len(shown) < SHOWN else []


def parts(path: Path, wanted: Wanted, mapping: pa.Table, tally: Tally) -> Iterator[pa.Table]:
    """The entries of every piece of a source as STORED, with the tally kept."""
    for piece in pieces(path):
        form, said = _form_of(piece.name, wanted.form)
        if piece.why or not form:
            tally.leave_out(piece.why or said, 1, ascii(piece.name)[1:-1])
            continue
        if form == "note":
            continue
        for parsed in parsing(piece.blocks, form):
            tally.take(parsed, piece.name)
            yield _labelled(_said(parsed.entries, said), mapping, wanted.category, piece.name, tally)


def _form_of(name: str, form: str) -> tuple[str, str]:
    """The format of a piece and the category it stands for; no format and the reason, when it is not read."""
    if form != "ut1":
        return form, ""
    *folders, file = name.removeprefix("./").split("/")
    if file in UT1_NOTES:
        return "note", ""
    if file == "expressions":
        return "", "patterns, which are not read"
    if not folders or file not in UT1_FILES:
        return "", "a file that UT1 does not have"
    return UT1_FILES[file], folders[-1]


def _said(entries: pa.Table, category: str) -> pa.Table:
    if not category:
        return entries
    return entries.set_column(entries.column_names.index("category"), "category", _same(category, len(entries)))


def _labelled(entries: pa.Table, mapping: pa.Table, category: str, file: str, tally: Tally) -> pa.Table:
    """Entries with our category: the one given, else the mapped one; what has none is left out and counted."""
    if category:
        ours = pc.if_else(entries["excepted"], "", category)
        return entries.set_column(entries.column_names.index("category"), "category", ours).append_column(
            "file", _same(file, len(entries))).select(STORED.names)
    labelled = sql.run(LABELLED, entries=entries, mapping=mapping)
    for row in sql.run(UNMAPPED, {"never": sorted(lists.NEVER_LISTED)}, labelled=labelled).to_pylist():
        said = ascii(row["said"] or "(empty)")[1:-1]
        if row["category"]:
            tally.leave_out("illegal content, which no list may name", row["many"], said)
        else:
            tally.unmapped[said] += row["many"]
    fit = pc.is_in(labelled["category"], pa.array([c for c in pc.unique(mapping["category"]).to_pylist()
                                                   if c not in lists.NEVER_LISTED], pa.string()))
    kept = labelled.filter(pc.or_(fit, labelled["excepted"])).drop_columns(["said"])
    return kept.append_column("file", _same(file, len(kept))).select(STORED.names)


def _same(text: str, many: int) -> pa.Array:
    return pa.array([text], pa.string()).take(pa.array([0] * many, pa.int32()))


def mapping_of(folder: Path, wanted: Wanted, known: Sequence[str]) -> pa.Table:
    """What a list's own category names are to us: rules/vendor/<format or list>.csv, and our own names as they are."""
    named = {name: name for name in [*known, *sorted(lists.NEVER_LISTED)]}
    texts = read_texts(folder, [f"rules/vendor/{name}.csv" for name in dict.fromkeys((wanted.form, wanted.name))])
    for where, text in texts.items():
        rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
        if not {"vendor_category", "category"} <= set(rows.fieldnames or ()):
            raise UsageError(Problem(where, "has no columns vendor_category and category", "vendor_category,category"))
        named |= {row["vendor_category"].strip(): row["category"].strip() for row in rows
                  if row["category"] and row["category"].strip() in {*known, *lists.NEVER_LISTED}}
    return pa.table({"said": list(named), "category": list(named.values())}, schema=MAPPING)
