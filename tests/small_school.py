"""A small school folder for the proofs, what stands in it, and every word that can be found in it."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import re
import shutil
from collections.abc import Collection, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_lines import T0

from pipeline import keyboard, night, reading, schoolfolder, sql
from pipeline.account import Account
from pipeline.lake import Lake
from pipeline.school import School
from pipeline.tables import DERIVED
from pipeline.vault import Vault, load_keys

ROOT = Path(__file__).parent.parent
RULES = ("pornography", "web-proxy", "games-in-lessons", "welfare")
MONDAY = date(2026, 11, 2)
PEOPLE = """username,name,role,year,house
19jbloggs,Jo Bloggs,student,9,Heron
20mquill,Mo Quill,student,8,Otter
j.inkpen,Jan Inkpen,staff,,
"""
DRAWN = {"sha256", "size", "sealed", "inputs", "before_inputs"}  # they hang on random ids, or on bytes that do


def make(folder: Path, rules: Collection[str] = RULES, people: str = PEOPLE, lists: bool = False) -> Path:
    """A school folder with some of the repository's rules, its own list (all of them: `lists`), and a DSL at the keyboard."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "rules", folder / "rules", dirs_exist_ok=True)
    for path in (folder / "rules/detect").glob("*.toml"):
        if path.stem not in rules:
            path.unlink()
    for path in (folder / "rules/lists").glob("*.txt"):
        if not lists:
            path.unlink()
    settings = (ROOT / "school.toml").read_text("utf-8")
    (folder / "school.toml").write_text(settings.replace("[roles]", f'[roles]\n{keyboard.login()} = "dsl"'), "utf-8")
    (folder / "people.csv").write_text(people, "utf-8")
    return folder


def line(second: float, url: str, user: str = "19jbloggs", client: str = "10.20.0.7", verdict: str = "TCP_MISS/200",
         method: str = "GET") -> str:
    """A line of Squid's log, `second` after ten on Monday."""
    whole = url if method == "CONNECT" or "://" in url else f"http://{url}/"
    return f"{T0 + second:.3f} {120:6d} {client} {verdict} 4821 {method} {whole} {user} HIER_DIRECT/203.0.113.9 text/html\n"


def run(folder: Path, *logs: Path) -> Account:
    """One night on these logs."""
    return night.run(folder, [str(log) for log in logs], lambda name, lines: None)


def lake_of(folder: Path) -> Lake:
    """The lake of a school folder."""
    return schoolfolder.open_lake(folder, load_keys(folder / settings_of(folder).keys))


def settings_of(folder: Path) -> School:
    """Its settings."""
    return schoolfolder.settings(folder)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """Every committed line of the lake, in order of logs and lines; of a sealed item's random id only that there is one."""
    lake = lake_of(folder)
    rows = [row for path in lake.lines_files() for row in pq.read_table(lake.folder / path, partitioning=None).to_pylist()]
    return sorted((row | {"sealed": row["sealed"] != ""} for row in rows), key=lambda row: (row["source"], row["line"]))


def derived(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every derived table over all days."""
    lake = lake_of(folder)
    return {shape.name: lake.table(shape, lake.judged()).to_pylist() for shape in DERIVED}


def registers(folder: Path) -> dict[str, list[Any]]:
    """Every register without times, salts and what hangs on random ids."""
    return {name: [(entry.n, entry.kind, entry.ref, _settled(entry.body, folder)) for entry in schoolfolder.journal(folder, name).entries()]
            for name in schoolfolder.REGISTERS}


def _settled(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _settled(each, folder) for key, each in value.items() if key not in DRAWN}
    if isinstance(value, list):
        return [_settled(each, folder) for each in value]
    return value.replace(str(folder), "FOLDER") if isinstance(value, str) else value


def pages(folder: Path) -> dict[str, str]:
    """Every page without hashes of registers and moments of writing."""
    return {path.relative_to(folder).as_posix(): re.sub(r"\b[0-9a-f]{16}\b|\d{4}-\d\d-\d\dT[0-9:.]+\+00:00", "#", path.read_text("utf-8"))
            for path in sorted((folder / "reports").rglob("*")) if path.is_file()}


def standing(folder: Path) -> dict[str, Any]:
    """All that a night leaves which must not hang on how often it was started."""
    keys = load_keys(folder / settings_of(folder).keys)
    return {"lines": lines_of(folder), **derived(folder), **registers(folder), "pages": pages(folder),
            "names": Vault(folder / "var/vault/names", keys.vault).names(),
            "files": sorted(path.relative_to(folder).as_posix() for path in (folder / "var").rglob("*") if path.is_file()),
            "good": (folder / "var/rules.last.json").read_text("utf-8"), "seen": (folder / "var/rules.seen.json").read_text("utf-8")}


def differences(one: dict[str, Any], two: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not alike in both, by name: what only the one has, and what only the other."""
    return {name: (_only(one[name], two[name]), _only(two[name], one[name])) for name in one if one[name] != two[name]}


def _only(one: Any, two: Any) -> Any:
    if isinstance(one, dict):
        return {name: one[name] for name in one if one[name] != two.get(name)}
    return [row for row in one if row not in two] if isinstance(one, list) else one


def contents(folder: Path, leave_out: Collection[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Every file of a school folder as its bytes and as what can be unpacked from them, with the file's name as a text too."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        yield f"the name of {name}", name.encode()
        if path.is_file() and path not in leave_out:
            data = path.read_bytes()
            yield name, data
            yield from ((f"{name}, unpacked", text) for text in _unpacked(path, data))


def _unpacked(path: Path, data: bytes) -> Iterator[bytes]:
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress):
        try:
            yield unpack(data)
        except (OSError, EOFError, ValueError, lzma.LZMAError):
            continue
    if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        file = pq.ParquetFile(path)
        yield str(file.read().to_pydict()).encode()
        yield f"{file.schema_arrow.metadata} {file.metadata.metadata} {file.metadata.to_dict()}".encode()
    elif path.suffix in {".json", ".jsonl"}:  # what a text says behind its escapes
        yield str([json.loads(text) for text in data.decode("utf-8").splitlines() if _is_json(text)]).encode("utf-8", "replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def where_found(folder: Path, words: Collection[str], leave_out: Collection[Path] = ()) -> dict[str, list[str]]:
    """The places in which each word stands, in any case; words that stand nowhere are left out."""
    small = {word: word.lower().encode() for word in words}
    found: dict[str, list[str]] = {}
    for place, data in contents(folder, leave_out):
        text = data.lower()
        for word, raw in small.items():
            if raw in text:
                found.setdefault(word, []).append(place)
    return found


def names_kept(folder: Path) -> set[str]:
    """What the vault holds, decrypted: logins and addresses."""
    return set(Vault(folder / "var/vault/names", load_keys(folder / settings_of(folder).keys).vault).names().values())


def quick(patch: pytest.MonkeyPatch) -> None:
    """A process keeps its one connection, and one thread parses: as right, and done sooner."""
    connect = sql.connect

    @cache
    def connected(process: int) -> object:
        return connect()
    patch.setattr(sql, "connect", lambda **more: connect(**more) if more.get("threads") else connected(os.getpid()))
    patch.setattr(reading, "WORKERS", 1)
