"""Where the words of a search stand in the addresses of search engines and video sites: `rules/terms/engines.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from pipeline.hosts import suffixes
from pipeline.problems import Problem

COLUMNS = ("host", "path", "parameter", "what")
WORDS = "{words}"
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(\.\*)?")
TWICE = re.compile(r"%[0-9A-Fa-f]{2}")
LONGEST = 2000  # letters of a search that are looked at; what people type has some dozens


class Engine(NamedTuple):
    """One place of one engine: its host (`google.*`: under any ending), its path, the parameter (or {words} in the path)."""

    host: str
    path: tuple[str, ...]
    parameter: str
    what: str


def read_engines(text: str, where: str = "rules/terms/engines.csv") -> tuple[list[Engine], list[Problem]]:
    """Every engine that is sound, and every fault."""
    engines: list[Engine] = []
    problems: list[Problem] = []
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines(), skipinitialspace=True)
    missing = [name for name in COLUMNS if name not in [(head or "").strip() for head in reader.fieldnames or []]]
    if text.strip() and missing:
        return [], [Problem(f"{where}:1", f"has no column {', '.join(missing)}", ",".join(COLUMNS))]
    for cells in reader:
        row = {(name or "").strip(): (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
        if not any(row.values()):
            continue
        fault = _fault(row)
        if fault:
            problems.append(Problem(f"{where}:{reader.line_num}", *fault))
        else:
            engines.append(Engine(row["host"], _parts(row["path"]), row["parameter"], row["what"]))
    return engines, problems


def _fault(row: Mapping[str, str]) -> tuple[str, str] | None:
    if not HOST.fullmatch(row["host"]):
        return f"{row['host']!r} is not a host name", "google.* or bing.com"
    if not row["path"].startswith("/"):
        return f"path {row['path']!r} does not begin with /", "/search"
    if bool(row["parameter"]) == (WORDS in row["path"]):
        return "the words must stand in a parameter or in the path, and in one of them only", f"/search and q, or /search/{WORDS}"
    return None


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def of_hosts(engines: Sequence[Engine], sites: Mapping[str, str]) -> dict[str, list[Engine]]:
    """The engines of each host that is one. `sites`: the site of each host, for those that stand under any ending."""
    named: dict[str, list[Engine]] = {}
    for engine in engines:
        named.setdefault(engine.host, []).append(engine)
    found = {host: [engine for name in (*suffixes(host), f"{site.partition('.')[0]}.*") for engine in named.get(name, ())]
             for host, site in sites.items()}
    return {host: those for host, those in found.items() if those}


def result_hosts(engines: Iterable[Engine], sites: Mapping[str, str]) -> list[str]:
    """The hosts that show the results of a search of the web: an engine's own name, plain or under www or search, and nothing
    else of its site. `sites`: as for `of_hosts`."""
    names = {engine.host for engine in engines if engine.what == "search"}
    return [host for host, site in sites.items()
            if host in names or ((site in names or f"{site.partition('.')[0]}.*" in names)
                                 and (host in (site, f"www.{site}") or host.endswith(f"search.{site}")))]


def searched(engines: Iterable[Engine], path: str, given: Sequence[str]) -> str:
    """What was searched for, in plain words, by an address's path and its parameters (`q=...`); empty where it is no search."""
    said = dict(reversed([part.split("=", 1) for part in given]))
    parts = [part for part in path.split("/") if part]
    for engine in engines:
        raw = said.get(engine.parameter, "") if engine.parameter else _in_path(engine.path, parts)
        if raw and (not engine.parameter or _under(engine.path, parts)):
            return _plain(raw, form=bool(engine.parameter))
    return ""


def _under(path: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether an address stands at a path or under it; the front page is only itself."""
    if not path:
        return not parts
    return len(parts) >= len(path) and all(want in ("*", part) for want, part in zip(path, parts, strict=False))


def _in_path(path: Sequence[str], parts: Sequence[str]) -> str:
    at = path.index(WORDS)
    return parts[at] if len(parts) > at and _under(path[:at], parts[:at]) else ""


def _plain(raw: str, form: bool) -> str:
    """The words as they were typed; what was encoded twice is decoded twice."""
    decode = unquote_plus if form else unquote
    once = decode(raw[:LONGEST])
    text = unquote_plus(once) if TWICE.search(once) else once
    return text if form else re.sub(r"[+_-]", " ", text)
