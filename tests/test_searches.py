"""Searches are read from the addresses of search engines and video sites, and nothing but the matching term is kept."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_school import derived, line, make, run
from tables_text import lines, rows

from pipeline.engines import of_hosts, read_engines, result_hosts, searched
from pipeline.hosts import sites
from pipeline.searches import searches
from pipeline.sql import connect
from pipeline.terms import read_terms

ENGINES, FAULTS = read_engines((Path(__file__).parents[1] / "rules/terms/engines.csv").read_text("utf-8"))
ADDRESSES = rows("""
    host                    | path                     | given                          | words
    www.google.co.uk        | /search                  | q=kill+myself                  | kill myself
    www.google.com          | /search                  | hl=en,q=caf%C3%A9%20%26%20bar  | café & bar
    images.google.de        | /search                  | q=a%2Bb                        | a+b
    maps.google.com         | /maps/search/gun+shop/@5 | -                              | gun shop
    www.bing.com            | /images/search           | q=twice%2520over               | twice over
    uk.search.yahoo.com     | /search                  | p=one,q=two                    | one
    duckduckgo.com          | /                        | q=duck                         | duck
    duckduckgo.com          | /y.js                    | q=duck                         | -
    www.youtube.com         | /results                 | search_query=a+clip            | a clip
    m.youtube.com           | /watch                   | search_query=a+clip            | -
    www.tiktok.com          | /tag/two-words           | -                              | two words
    www.reddit.com          | /r/anything/search       | q=x                            | x
    chatgpt.com             | /                        | q=hello                        | hello
    www.google.com          | /complete/search         | q=kill+my                      | -
    www.google.com          | /url                     | q=https://a.example            | -
    www.google.com          | /searching               | q=x                            | -
    www.google.com          | /search                  | q=                             | -
    open.spotify.com        | /search/some%20song      | -                              | some song
    """)


def test_the_engines_are_sound() -> None:
    """Every row of the file can be read."""
    assert FAULTS == [] and len(ENGINES) > 100


@pytest.mark.parametrize("row", ADDRESSES, ids=[f"{row['host']}{row['path']}?{row['given']}" for row in ADDRESSES])
def test_where_the_words_stand(row: dict[str, str]) -> None:
    """Each engine's own path and parameter; completions, links out and empty boxes are no search."""
    engines = of_hosts(ENGINES, sites([row["host"]]))[row["host"]]
    assert (searched(engines, row["path"], (row["given"] or "").split(",") if row["given"] else []) or None) == row["words"]


def test_only_the_engine_itself_is_an_engine() -> None:
    """A name that begins like an engine's, or stands under another site, is none."""
    hosts = ["google.evil.test", "notbing.com", "bing.com.evil.test", "news.example", "www.google.com.au"]
    assert list(of_hosts(ENGINES, sites(hosts))) == ["www.google.com.au"]


def test_faults_of_the_file_are_said() -> None:
    """A host that is none, a path without its slash, and words that stand nowhere or twice."""
    head = "host,path,parameter,what\n"
    _, faults = read_engines(head + "a b,/s,q,search\na.test,s,q,search\na.test,/s,,search\na.test,/s/{words},q,search\n\n")
    assert [fault.where.rpartition(":")[2] for fault in faults] == ["2", "3", "4", "5"]
    assert read_engines("host,path\na.test,/s")[1][0].what.startswith("has no column parameter")


@given(st.text(max_size=40), st.lists(st.text(max_size=20).map(lambda text: f"q={text}"), max_size=3))
def test_any_address_can_be_read(path: str, given: list[str]) -> None:
    """Hostile paths and broken encodings give words or none, never an error."""
    for engines in of_hosts(ENGINES, sites(["www.google.com", "www.tiktok.com", "duckduckgo.com"])).values():
        assert isinstance(searched(engines, path, given), str)


DAY = """
    time     | kind   | action  | host           | url                                              | setup
    10:00:00 | http   | allowed | www.google.com | https://www.google.com/search?q=blue+grass&x=1   | -
    10:00:01 | http   | allowed | www.google.com | https://www.google.com/search?x=1&q=red+grass    | -
    10:00:02 | http   | blocked | www.google.com | https://www.google.com/search?q=red+grass&start=10 | -
    10:00:03 | http   | error   | www.google.com | https://www.google.com/search?q=red+grass        | -
    10:00:04 | tunnel | allowed | www.google.com | www.google.com:443/search?q=red+grass            | tunnel
    10:00:05 | http   | allowed | other.example  | https://other.example/search?q=red+grass         | -
    10:00:06 | http   | allowed | duckduckgo.com | https://duckduckgo.com/?q=RED%20grass&ia=web     | -
    10:00:07 | http   | allowed | www.google.com | -                                                | -
"""


def asked(table: pa.Table, words: str = "red grass") -> list[tuple[int, str, str]]:
    """line, category and note of each search of a table of lines that holds `words`."""
    con = connect(threads=1)
    con.register("lines", table)
    names = sorted({host for host in table["host"].to_pylist() if host})
    hosts = pa.table({"host": names, "site": [sites([name])[name] for name in names]})
    terms, _ = read_terms({"terms/drugs.txt": words})
    found = searches(con, hosts, ENGINES, terms, {"drugs": 0})
    return sorted((row["line"], row["category"], row["note"]) for row in found.to_pylist() if row["search"])


def test_requests_of_engines_that_hold_a_term_take_its_category() -> None:
    """Allowed and blocked searches of engines alone, whatever stands beside the words."""
    note = 'searched with the words "red grass"'
    assert asked(lines(DAY)) == [(2, "drugs", note), (3, "drugs", note), (7, "drugs", note)]


def test_results_are_shown_by_an_engines_own_name_and_by_nothing_else_of_its_site() -> None:
    """Documents, mail and the shop of the same firm, and a site for videos, fetch nothing ahead."""
    shown = ["www.google.com", "google.co.uk", "www.bing.com", "duckduckgo.com", "uk.search.yahoo.com", "search.brave.com"]
    others = ["docs.google.com", "play.google.com", "mail.yahoo.com", "www.brave.com", "www.youtube.com", "google.com.evil.example"]
    assert result_hosts(ENGINES, sites([*shown, *others])) == shown


def test_a_day_without_engines_or_terms_has_no_searches() -> None:
    """Nothing is found where there is no engine, no term, or no line."""
    assert asked(lines("time | host | url\n10:00 | a.example | https://a.example/search?q=red+grass")) == []
    assert asked(lines(DAY), "") == [] and asked(lines(DAY).slice(0, 0)) == []


def test_what_else_was_typed_stays_in_the_lines(tmp_path: Path) -> None:
    """A whole night: the search is a welfare matter with its term; no other word of it is in any derived table, or on a page."""
    folder = make(tmp_path / "school", rules=("welfare",))
    log = tmp_path / "access.log"
    log.write_text(line(0, "https://www.google.com/search?q=zzaunt+how+to+kill+myself+zzmill") +
                   line(90, "https://www.google.com/search?q=zzhelp+childline+kill+myself", user="20mquill") +
                   line(99, "https://www.google.com/search?q=zzplain+homework", user="20mquill"))
    run(folder, log)
    tables = derived(folder)
    told = list(tables["detections"])
    assert [(row["category"], row["intent"], row["route"], row["outcome"]) for row in told] == [
        ("self_harm_suicide", "deliberate", "welfare", "allowed")]
    assert 'searched with the words "kill myself"' in told[0]["reasons"]
    assert not [row for row in tables["breaches"] if row["part"] == "failure"]
    kept = "".join(path.read_text("utf-8", "replace") for path in (folder / "reports").rglob("*") if path.is_file())
    assert "zz" not in str(tables) and "kill myself" in str(tables) and not any(word in kept for word in ("zzaunt", "zzhelp", "zzplain"))
