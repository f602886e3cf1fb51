"""What `schoolgate lists` does: add, update and remove imported lists, and say what they hold, what they changed and why.

A list takes the place of the old one only when it is whole and sound. Each change of a list goes to the change log by itself.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import (
    changes,
    judging,
    listaddresses,
    listfetch,
    lists,
    liststore,
    register,
    rulefiles,
    ruleset,
    schoolfolder,
    sql,
)
from pipeline.hosts import normalise
from pipeline.journal import Journal
from pipeline.lake import read_texts
from pipeline.listfetch import Limits
from pipeline.listformats.parsed import Parsed
from pipeline.listformats.parsing import FORMATS as PARSED
from pipeline.listformats.parsing import parsing
from pipeline.listsource import pieces
from pipeline.liststore import STORED, Lists
from pipeline.problems import FailedError, Problem, RefusedError, SchoolgateError, UsageError
from pipeline.tables import HOSTS
from pipeline.vault import load_keys

FORMATS = ("ut1", *PARSED)
UT1_FILES = {"domains": "domains", "urls": "urls"}
UT1_NOTES = ("usage", "global_usage", "README", "LICENSE", "LICENSE.pdf", "cc-by-sa-4-0.pdf")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
SHOWN = 5
FORTNIGHT = timedelta(days=14)

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


@dataclass(frozen=True)
class Wanted:
    """A list as a person asks for it."""

    name: str
    source: str
    form: str
    category: str = ""
    licence: str = ""


def add(folder: Path, wanted: Wanted, limits: Limits | None = None) -> list[str]:
    """Import a list, or import it anew; what became of it, in lines. UsageError, RefusedError, FailedError: nothing changed."""
    known = _known(folder)
    faults = list(_faults(wanted, known))
    if faults:
        raise UsageError(*faults)
    return _import(folder, wanted, known, {}, limits)


def _faults(wanted: Wanted, known: Sequence[str]) -> Iterator[Problem]:
    if not NAME.fullmatch(wanted.name) or wanted.name in (lists.STARTER, "own"):
        yield Problem(wanted.name, "cannot be the name of a list", "small letters, digits, - and _")
    if wanted.form not in FORMATS:
        yield Problem(wanted.form, "is not a format of lists", ", ".join(FORMATS))
    if wanted.category in lists.NEVER_LISTED:
        yield Problem(wanted.category, "may only come from the filter's own verdict, never from a list", "no list for it")
    elif wanted.category and wanted.category not in known:
        yield Problem(wanted.category, "is not a category of categories.toml", "schoolgate lists add --help")
    if not wanted.category and wanted.form not in ("ut1", "csv"):
        yield Problem(wanted.name, "has no category", "--category NAME")


def _known(folder: Path) -> list[str]:
    schoolfolder.require_school(folder)
    rules, faults = ruleset.read_all(rulefiles.texts(folder))
    if rules is None:
        raise UsageError(*faults)
    return list(rules.policy.categories)


def _import(folder: Path, wanted: Wanted, known: Sequence[str], before: Mapping[str, Any], limits: Limits | None) -> list[str]:
    """Fetch, read, check and put in place; empty when the source is as it was."""
    store = Lists(folder)
    with rulefiles.locked(folder, "list import"):  # a night may run while a list is fetched and read
        try:
            about = _replaced(folder, store, wanted, known, before, limits)
        finally:
            store.clean()
    return _told(wanted.name, about) if about else []


def _replaced(folder: Path, store: Lists, wanted: Wanted, known: Sequence[str], before: Mapping[str, Any], limits: Limits | None
              ) -> dict[str, Any]:
    """Put the list in place; what is known of it, or nothing when an update finds all as it was."""
    got, path = _fetched(store, wanted, before, limits)
    if got is None:
        return {}
    tally = Tally()
    half, counts = store.prepare(wanted.name, _parts(path, wanted, _mapping(folder, wanted, known), tally))
    about: dict[str, Any] = {
        **vars(wanted), **got, "at": datetime.now(UTC).isoformat(timespec="seconds"), "hash": _hash(path), **vars(tally),
        "categories": counts}
    _sound(wanted, counts, before or _there_now(store, wanted.name))
    about["change"] = _change(store, wanted.name, half, about)
    if before and not about["change"]["size"]:
        return {}
    with rulefiles.locked(folder):  # but all its days are judged by the same lists
        store.commit(wanted.name, half, about)
        _log(folder, [about["change"]])
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


def _parts(path: Path, wanted: Wanted, mapping: pa.Table, tally: Tally) -> Iterator[pa.Table]:
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


MAPPING = pa.schema([("said", pa.string()), ("category", pa.string())])


def _mapping(folder: Path, wanted: Wanted, known: Sequence[str]) -> pa.Table:
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


def _hash(path: Path) -> str:
    """SHA-256 over the names and bytes of a source's pieces."""
    digest = hashlib.sha256()
    for piece in pieces(path):
        digest.update(piece.name.encode("utf-8", "surrogateescape") if path.is_dir() else b"")
        for block in piece.blocks:
            digest.update(block)
    return digest.hexdigest()


def _change(store: Lists, name: str, half: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of the change log for a list that is about to be put in place."""
    total = sum(about["categories"].values())
    body = {"object": f"list {name}", "kind": "added", "before": "", "after": _summed(about["categories"]), "size": total,
            "mark": about["hash"][:16]}
    if not store.path(name).exists():
        return body
    moved = liststore.differing(store.path(name), half)
    return body | {"kind": "changed", "before": _moved(moved, 0, "gone"), "after": _moved(moved, 1, "new"),
                   "size": sum(row["many"] for row in moved)}


def _summed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{category} {many:,}" for category, many in sorted(counts.items(), key=lambda item: -item[1]))


def _moved(rows: Sequence[Mapping[str, Any]], side: int, word: str) -> str:
    return "; ".join(f"{row['many']:,} {word} in {row['category']}: {', '.join(row['first'])}" for row in rows
                     if row["side"] == side) or f"none {word}"


def _log(folder: Path, said: Sequence[Mapping[str, Any]]) -> None:
    """Enter these changes in the change log, unless it ends with them already."""
    book = schoolfolder.journal(folder, "changes")
    book.append_all(register.open_changes([changes.Change(**one) for one in said], _states(book)))


def _states(book: Journal) -> dict[str, register.ChangeState]:
    return register.fold_changes(book.entries())


def _told(name: str, about: Mapping[str, Any]) -> list[str]:
    """A list in a few lines: its size, where its lines went, and what was left out."""
    left = about["lines"] - about["read"] - about["furniture"]
    licence = f", {about['licence']}" if about["licence"] else ""
    said = [f"{name}: {sum(about['categories'].values()):,} names ({_summed(about['categories'])})",
            f"  from {about['source']} as {about['form']}, {about['at'][:16]}{licence}",
            f"  {about['lines']:,} lines: {about['read']:,} read, {about['furniture']:,} comments and blanks, {left:,} left out"]
    said += [f"  left out, {reason}: {many:,}, such as {'; '.join(about['examples'].get(reason, [])[:SHOWN])}"
             for reason, many in sorted(about["reasons"].items())]
    if about["unmapped"]:
        said.append(f"  left out, no category of ours for: {_summed(about['unmapped'])} (rules/vendor/{about['form']}.csv)")
    return said


def show(folder: Path) -> tuple[list[str], list[Problem]]:
    """Every imported list in a few lines, and a problem for each that is damaged."""
    schoolfolder.require_school(folder)
    known, problems = Lists(folder).found()
    return [line for name, about in known.items() for line in _told(name, about)], problems


def remove(folder: Path, name: str) -> str:
    """Remove a list; the change log says so first."""
    schoolfolder.require_school(folder)
    with rulefiles.locked(folder):
        store = Lists(folder)
        _there(store, name)
        size = sum(store.found()[0].get(name, {}).get("categories", {}).values())
        _log(folder, [{"object": f"list {name}", "kind": "removed", "before": f"{size:,} names", "after": "", "size": size,
                       "mark": ""}])
        store.drop(name)
    return f"{name} is removed ({size:,} names)."


def _there(store: Lists, name: str) -> None:
    if not NAME.fullmatch(name) or not store.path(name).exists():
        raise UsageError(Problem(name, "is no imported list here", "schoolgate lists show"))


def update(folder: Path, names: Sequence[str], limits: Limits | None = None) -> tuple[list[str], list[Problem]]:
    """Import lists anew, all where none is named; one that fails keeps what it had, and is a problem."""
    schoolfolder.require_school(folder)
    store, known = Lists(folder), _known(folder)
    for name in names:
        _there(store, name)
    said: list[str] = []
    problems: list[Problem] = []
    for name in names or sorted(path.stem for path in store.folder.glob("*.parquet")):
        try:
            about = store.about(name)
            wanted = Wanted(name, about["source"], about["form"], about["category"], about["licence"])
            said += _import(folder, wanted, known, about, limits) or [f"{name}: as it was"]
        except RefusedError:
            raise
        except SchoolgateError as error:
            problems += [replace(problem, what=f"{problem.what}; list {name} stays as it is") for problem in error.problems]
    return said, problems


def why(folder: Path, asked_for: str) -> list[str]:
    """Every line of every list that speaks of a host, or of the host of an address; which category wins, and by what rule."""
    rules, faults = ruleset.read_all(rulefiles.texts(folder))
    if rules is None:
        raise UsageError(*faults)
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


def diff(folder: Path, name: str) -> list[str]:
    """What the last update of a list added and removed, and which hosts of the last fortnight have another category by it."""
    schoolfolder.require_school(folder)
    store = Lists(folder)
    _there(store, name)
    if not store.before(name).exists():
        return [f"{name} has not been updated since it was added."]
    rows = liststore.differing(store.before(name), store.path(name))
    said = [f"{'+' if row['side'] else '-'} {row['many']:,} in {row['category']}: {', '.join(row['first'])}" for row in rows]
    return [f"{name}: {len(said) or 'no'} differences by category", *said, *_effect(folder, store, name)]


def _effect(folder: Path, store: Lists, name: str) -> list[str]:
    """The hosts of the last fortnight's judged days whose category is another by the new list; nobody is named."""
    rules, faults = ruleset.read_all(rulefiles.texts(folder))
    if rules is None:
        raise UsageError(*faults)
    asked = _asked(folder, rules)
    others = [str(store.path(other)) for other in store.found()[0] if other != name]
    was, now = (judging.classified(asked, replace(rules, imported=[*others, str(file)]), datetime.now(UTC).date()).to_pylist()
                for file in (store.before(name), store.path(name)))
    moved = [f"  {one['host']}: {one['category']} -> {two['category']}" for one, two in zip(was, now, strict=True)
             if one["category"] != two["category"] and "help_seeking" not in (one["category"], two["category"])]
    return [f"of {len(asked):,} hosts of the last fortnight {len(moved):,} have another category", *moved[:50]]


def _asked(folder: Path, rules: ruleset.Rules) -> pa.Table:
    """The distinct hosts of the last fortnight that was judged: host, people, requests."""
    lake = schoolfolder.open_lake(folder, load_keys(folder / rules.school.keys))
    judged = sorted(lake.judged())
    days: list[date] = [day for day in judged if day > judged[-1] - FORTNIGHT]
    hosts = lake.table(HOSTS, days)["host"]
    names = sorted(set(hosts.to_pylist()))
    zeros = pa.array([0] * len(names), pa.int64())
    return pa.table({"host": pa.array(names, pa.string()), "people": zeros, "requests": zeros})
