"""Which category a host has, and which site it belongs to."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.hosts import normalise, sites, suffixes
from pipeline.lists import NEVER_LISTED, classify_hosts, live, read_lists, read_own

RULES = Path(__file__).parents[1] / "rules"
HEAD = "entry,category,reason,owner,until\n"


def categories(hosts: list[str], lists: dict[str, str], own: str = "") -> list[str]:
    """The category of each host, by these lists and this own list."""
    asked = pa.table({"host": hosts, "people": [1] * len(hosts), "requests": [2] * len(hosts)})
    answer = classify_hosts(asked, read_lists(lists)[0], read_own(HEAD + own)[0]).to_pylist()
    found = {row["host"]: row["category"] for row in answer}
    return [found[host] for host in hosts]


def test_names_match_on_label_boundaries() -> None:
    """A name stands for itself and what is under it, never for a name that merely ends alike."""
    hosts = ["example.com", "a.b.example.com", "notexample.com", "example.com.test", "com"]
    assert categories(hosts, {"lists/games.txt": ".example.com"}) == ["games", "games"] + ["uncategorised"] * 3


def test_the_most_specific_entry_wins() -> None:
    """A longer entry beats a shorter one, whichever list holds it."""
    lists = {"lists/ut1/gambling.txt": "example.com", "lists/learning.txt": "maths.example.com"}
    assert categories(["maths.example.com", "www.example.com"], lists) == ["learning", "gambling"]


def test_the_schools_own_list_beats_all() -> None:
    """An own entry wins even against a longer one."""
    lists = {"lists/games.txt": "play.maths.example.com"}
    assert categories(["play.maths.example.com"], lists, "example.com,learning,maths,Head of Maths,") == ["learning"]


def test_every_other_source_is_kept() -> None:
    """What another list says of a host stands beside the answer, with the list that says it."""
    asked = pa.table({"host": ["a.example.com"], "people": [3], "requests": [9]})
    lists, _ = read_lists({"lists/games.txt": "a.example.com", "lists/ut1/gambling.txt": "example.com"})
    row = classify_hosts(asked, lists).to_pylist()[0]
    assert (row["category"], row["entry"], row["list"]) == ("games", "a.example.com", "starter")
    assert (row["also"], row["people"], row["requests"]) == (["gambling (ut1)"], 3, 9)


def test_an_own_entry_ends() -> None:
    """An entry of the own list holds on its last day and not after it."""
    own, problems = read_own(HEAD + "example.com,learning,trial,TSM,31/12/2026")
    assert problems == []
    assert [live(own, day).num_rows for day in (date(2026, 12, 31), date(2027, 1, 1))] == [1, 0]


def test_spelling_does_not_matter() -> None:
    """Case, a final dot, international letters, stars, comments and Windows line ends."""
    lists = {"lists/games.txt": "\ufeff# a list\r\n*.Pl\u00e4y.Example. # once\r\n\r\nb\u00fccher.test\r\n"}
    hosts = ["www.xn--ply-rla.example", "B\u00dcCHER.test.", "xn--bcher-kva.test"]
    assert categories(hosts, lists) == ["games"] * 3


@pytest.mark.parametrize(("host", "site"), [
    ("a.b.example.co.uk", "example.co.uk"), ("one.github.io", "one.github.io"), ("www.two.github.io", "two.github.io"),
    ("github.io", "github.io"), ("co.uk", "co.uk"), ("a.b.c.test", "c.test"), ("10.1.2.3", "10.1.2.3"),
    ("2001:db8::1", "2001:db8::1"), ("printer", "printer"), ("WWW.Example.COM.", "example.com"), ("", "")])
def test_the_site_of_a_host(host: str, site: str) -> None:
    """Private suffixes stay apart; addresses, single labels and suffixes are their own site."""
    assert sites([host]) == {host: site}


def test_suffixes_end_on_labels() -> None:
    """The longest comes first, and an address has only itself."""
    assert suffixes("A.b.example.") == ["a.b.example", "b.example", "example"]
    assert suffixes("10.1.2.3") == ["10.1.2.3"]
    assert normalise("[2001:DB8::1]") == "2001:db8::1"


def test_an_address_matches_whole() -> None:
    """Part of an address is no suffix of it."""
    assert categories(["10.1.2.3", "3.2.3"], {"lists/games.txt": "2.3"}) == ["uncategorised", "uncategorised"]


def test_every_fault_of_a_list_is_said() -> None:
    """A line that is no host name is said with its number and what to try; the others still count."""
    table, problems = read_lists({"lists/games.txt": "good.example\nhttp://bad.example/x\ntwo names.example"})
    assert table["entry"].to_pylist() == ["good.example"]
    assert [problem.where for problem in problems] == ["lists/games.txt:2", "lists/games.txt:3"]
    assert problems[0].try_this.startswith("bad.example")


@pytest.mark.parametrize("category", sorted(NEVER_LISTED))
def test_no_list_may_raise_illegal_content(category: str) -> None:
    """Only the filter's own verdict may; such a list is refused whole, in either file."""
    table, problems = read_lists({f"lists/{category}.txt": "anything.example"})
    own, more = read_own(HEAD + f"anything.example,{category},r,o,")
    assert (table.num_rows, own.num_rows, len(problems), len(more)) == (0, 0, 1, 1)


def test_an_own_entry_needs_its_reasons() -> None:
    """Every missing cell, a bad date and an unknown category are said, with the nearest word."""
    own, problems = read_own(HEAD + "a.example,gamse,,,soon", categories=["games", "gambling"])
    assert own.num_rows == 0
    assert len(problems) == 4
    assert any(problem.try_this == "games" for problem in problems)


def test_the_starter_lists_are_sound() -> None:
    """Every bundled list can be read, names no illegal category, and no name stands in two."""
    files = {f"rules/lists/{path.name}": path.read_text("utf-8") for path in (RULES / "lists").glob("*.txt")}
    table, problems = read_lists(files)
    entries = table["entry"].to_pylist()
    assert problems == []
    assert len(entries) == len(set(entries)) > 500
    assert not {path.stem for path in (RULES / "lists").glob("*.txt")} & NEVER_LISTED
