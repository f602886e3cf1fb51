"""Addresses on lists: which requests an entry with a path speaks of, and what wins when several lists speak."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_school import derived, line, make, run
from tables_text import DAY
from tables_text import lines as text_lines

from pipeline import answers, listaddresses, sql
from pipeline.answers import ANSWERS
from pipeline.hosts import sites
from pipeline.listing import reasons, upkeep
from pipeline.listing.wanted import Wanted
from pipeline.lists import LISTS, OWN, classify_hosts
from pipeline.policy import Category
from pipeline.tables import LINES, conform
from pipeline.visits import ADDRESSED

SPOKEN = pa.schema([(name, pa.string()) for name in ("entry", "path", "category", "list")])
TIERS = {"games": "T3", "gambling": "T3", "learning": "none", "help_seeking": "none", "background": "none", "social_media": "T3",
         "uncategorised": "none"}
CATEGORIES = {name: Category(name, name, "", tier=tier, background=name == "background") for name, tier in TIERS.items()}


@cache
def connected() -> duckdb.DuckDBPyConnection:
    """One connection for all."""
    return sql.connect()


def listed(urls: list[str], entries: list[str], ours: Mapping[str, str] | None = None, own: Mapping[str, str] | None = None,
           said: str = "", vendor: Mapping[str, str] | None = None) -> list[str]:
    """The category of each request: `entries` are `list: site/path category` (no category: an exception), `ours` the starter list."""
    rows = []
    for entry in entries:
        name, _, rest = entry.partition(": ")
        address, _, category = rest.partition(" ")
        host, slash, path = address.partition("/")
        rows.append({"entry": host, "path": slash + path, "category": category, "list": name})
    spoken = pa.Table.from_pylist(rows, schema=SPOKEN)
    hosts = [url.partition("://")[2].partition("/")[0].lower() for url in urls]
    table = text_lines("\n".join(["url | host | vendor_category", *(f"{u} | {h} | {said or '-'}" for u, h in zip(urls, hosts, strict=True))]))
    asked = pa.table({"host": sorted(set(hosts)), "people": [1] * len(set(hosts)), "requests": [1] * len(set(hosts))})
    names = pa.Table.from_pylist([{"entry": e, "category": c, "list": "starter"} for e, c in (ours or {}).items()], schema=LISTS)
    school = pa.Table.from_pylist([{"entry": e, "category": c} for e, c in (own or {}).items()], schema=OWN)
    whole = pa.Table.from_pylist([{name: row[name] for name in LISTS.names} for row in rows if not row["path"]], schema=LISTS)
    of_hosts = classify_hosts(asked, pa.concat_tables([names, whole]), school)
    con = connected()
    con.register("lines", conform(table, LINES))
    given_names, of = {"s": dict(vendor or {})}, {"s1": "s"}
    by_filter, _ = answers.answers(con, of_hosts, given_names, of, CATEGORIES, DAY)
    weigh = partial(answers.weigh, vendors=given_names, of=of, categories=CATEGORIES)
    found = listaddresses.listed(con, of_hosts, spoken, names, school, by_filter, weigh)
    assert found.schema == ADDRESSED and by_filter.schema == ANSWERS
    told = {row["line"]: row["category"] for row in found.to_pylist()}
    host_says = {row["host"]: row["category"] for row in of_hosts.to_pylist()}
    filter_says = {row["host"]: row["category"] for row in by_filter.to_pylist()}
    return [told.get(n, filter_says.get(host, host_says[host])) for n, host in enumerate(hosts, 1)]


@pytest.mark.parametrize(("url", "fits"), [
    ("http://x.example/a", True), ("http://x.example/a/", True), ("http://x.example/a/b", True), ("http://x.example/a/b/c.html", True),
    ("http://x.example/ab", False), ("http://x.example/", False), ("http://x.example/b/a", False), ("http://x.example/A", False),
    ("http://x.example/a?page=2", True), ("http://x.example/?go=/a", False), ("http://x.example/%61/b", True),
    ("http://x.example/a%2Fb", False), ("http://x.example/a%", False), ("http://x.example/a/%ff%00", True),
    ("http://www.x.example/a", True), ("http://notx.example/a", False), ("https://x.example:8443/a", True)])
def test_an_address_fits_on_the_borders_of_its_parts(url: str, fits: bool) -> None:
    """`x.example/a` is `/a` and what is under it; queries and escapes do not count, letters of the path do."""
    assert listed([url.replace(":8443", "")], ["one: x.example/a games"]) == ["games" if fits else "uncategorised"]


def test_an_address_that_asks_speaks_of_that_question_only() -> None:
    """With a query, every word of it must be there and the path be the same: one page of a site that has one path for all."""
    urls = ["http://x.example/watch?v=1", "http://x.example/watch?t=9&v=1", "http://x.example/watch?v=12", "http://x.example/watch",
            "http://x.example/watch/more?v=1"]
    assert listed(urls, ["one: x.example/watch?v=1 games"]) == ["games", "games", *["uncategorised"] * 3]


def test_escapes_of_the_list_do_not_count_either() -> None:
    """What the list escapes and the log does not, and the other way about, is one address; an escaped slash stays part of its part."""
    assert listed(["http://x.example/~jo/caf\u00e9", "http://x.example/%7Ejo/caf%C3%A9/1"], ["one: x.example/%7ejo/caf%c3%a9 games"]) == ["games"] * 2
    assert listed(["http://x.example/a%2fb", "http://x.example/a/b"], ["one: x.example/a%2Fb games"]) == ["games", "uncategorised"]


def test_an_address_never_speaks_beyond_its_site() -> None:
    """On a hosting platform and on a public suffix each name is another's; under a site its names are the site's own."""
    urls = ["http://two.github.io/a", "http://shop.co.uk/a", "http://forum.x.example/a"]
    assert listed(urls, ["one: github.io/a games", "one: co.uk/a games", "one: x.example/a games"]) == ["uncategorised"] * 2 + ["games"]


def test_the_most_specific_entry_wins() -> None:
    """The longer path, then the entry of the longer name; a whole name of another list says what is outside the path."""
    entries = ["one: x.example social_media", "two: x.example/a games", "one: x.example/a/b gambling", "two: deep.x.example learning"]
    urls = ["http://x.example/z", "http://x.example/a/z", "http://x.example/a/b", "http://deep.x.example/a"]
    assert listed(urls, entries) == ["social_media", "games", "gambling", "learning"]


def test_the_schools_own_list_wins_over_every_address() -> None:
    """Even a shorter name of it."""
    assert listed(["http://www.x.example/a"], ["one: www.x.example/a games"], own={"x.example": "learning"}) == ["learning"]


def test_what_our_lists_call_help_or_learning_stays_it() -> None:
    """No imported address makes a page of it into anything bad; an address that is help or learning stays so against the filter."""
    assert listed(["http://help.example/a"], ["one: help.example/a games"], ours={"help.example": "help_seeking"}) == ["help_seeking"]
    for kind in ("help_seeking", "learning"):
        assert listed(["http://x.example/a", "http://x.example/b"], [f"one: x.example/a {kind}"], said="Gambling",
                      vendor={"gambling": "gambling"}) == [kind, "gambling"]


def test_the_filters_own_category_goes_before_an_imported_address() -> None:
    """As before an imported name; where the filter says nothing that we know, the address counts."""
    assert listed(["http://x.example/a"], ["one: x.example/a games"], said="Casino", vendor={"casino": "gambling"}) == ["gambling"]
    assert listed(["http://x.example/a"], ["one: x.example/a games"], said="Odd", vendor={}) == ["games"]


def test_an_exception_silences_its_list_under_its_path() -> None:
    """What the list says of the whole site it does not say there; another list may."""
    urls = ["http://x.example/good/1", "http://x.example/other"]
    entries = ["one: x.example games", "one: x.example/good "]
    assert listed(urls, entries) == ["uncategorised", "games"]
    assert listed(urls, [*entries, "two: x.example social_media"]) == ["social_media", "games"]


SEGMENT = st.sampled_from(["a", "b", "ab", "%61", "%2f", "a%2Fb", "", "..", "\u00fc", "%c3%bc", "%"])
WAY = st.lists(SEGMENT, max_size=4).map(lambda parts: "/" + "/".join(parts))
HOST = st.sampled_from(["x.example", "www.x.example", "y.x.example", "one.github.io", "github.io"])
NAMES = {"help.example": "help_seeking", "x.example": "social_media"}


def plain(path: str) -> str:
    """The path without its escapes, but for those of % # / ?."""
    parts = path.split("%")
    kept = [f"%25{p[:2].upper()}{p[2:]}" if p[:2].upper() in ("25", "23", "2F", "3F") else f"%{p}" for p in parts[1:]]
    return unquote(parts[0] + "".join(kept)).rstrip("/")


def walked(url: str, entries: list[str]) -> str:
    """The category of a request by looking at every entry, one after the other: the longer name, then the longer path."""
    host, _, path = url.partition("://")[2].partition("/")
    way, site = plain("/" + path), sites([host])[host]
    found = [(-len(name), -len(name), category) for name, category in NAMES.items() if f".{host}".endswith(f".{name}")]
    for entry in entries:
        address, _, category = entry.partition(": ")[2].rpartition(" ")
        named, _, at = address.partition("/")
        start = plain("/" + at)
        if sites([named])[named] == site and f".{host}".endswith(f".{named}") and f"{way}/".startswith(f"{start}/"):
            found.append((-len(named), -len(named) - len(start), category))
    return min(found, default=(0, 0, "uncategorised"))[2]


@settings(max_examples=15)
@given(urls=st.lists(st.tuples(HOST, WAY), min_size=1, max_size=6, unique=True),
       entries=st.lists(st.tuples(st.sampled_from(["one", "two"]), HOST, WAY.filter(lambda way: way.strip("/")), st.sampled_from(["gambling", "games"])), max_size=5))
def test_a_look_at_every_entry_agrees(urls: list[tuple[str, str]], entries: list[tuple[str, str, str, str]]) -> None:
    """Whatever the paths and names: the same category as entry by entry in plain Python."""
    said = [f"{name}: {host.removeprefix('www.')}{way} {category}" for name, host, way, category in entries]
    asked = [f"http://{host}{way}" for host, way in urls]
    assert listed(asked, said, ours=NAMES) == [walked(url, said) for url in asked]


def test_a_path_of_ten_thousand_parts_is_looked_at_in_no_time() -> None:
    """A hostile address costs what its first parts cost."""
    assert listed(["http://x.example" + "/a" * 10_000], ["one: x.example/a/a games"]) == ["games"]


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A school folder without starter lists, and an imported list of addresses."""
    folder = make(tmp_path / "school", rules=["games-in-lessons"])
    (folder / "made.txt").write_text("big.example/arcade\nhttps://big.example/watch?v=7\n")
    upkeep.add(folder, Wanted("made", str(folder / "made.txt"), "urls", "games"))
    return folder


def test_the_night_goes_by_listed_addresses(school: Path) -> None:
    """The visit of a listed address has its category, and the list says so in words without the address of the log."""
    (school / "access.log").write_text("".join(line(60 + n * 20, f"http://big.example/{'arcade/secretpage' if n % 2 else 'news'}/{n}") for n in range(40)))
    run(school, school / "access.log")
    found = {(row["category"], row["requests"], tuple(row["notes"])) for row in derived(school)["visits"]}
    assert found == {("uncategorised", 20, ()), ("games", 20, ("the list made names this very address: big.example/arcade",))}
    assert "secretpage" not in str(derived(school))


def test_why_takes_an_address(school: Path) -> None:
    """The answer for the page, and each line that speaks of its host."""
    told = reasons.why(school, "https://www.big.example/arcade/1?x=2")
    assert told[0] == "www.big.example/arcade/1?x=2: games, by big.example/arcade of made: the most specific entry wins, and this one names the address itself"
    assert reasons.why(school, "www.big.example")[0].startswith("www.big.example: uncategorised")
    assert reasons.why(school, "big.example/watch?v=7")[0].startswith("big.example/watch?v=7: games")
