"""The filter's own category of a request: where it counts, where lists hold against it, and what is told of its names."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tables_text import DAY, build, lines, rows, said
from test_oracle import night, slowly
from test_visits import BELLS, NETWORKS, PEOPLE

from pipeline.answers import answers
from pipeline.formats.verdicts import UNMAPPED
from pipeline.night import run as run_night
from pipeline.policy import Category
from pipeline.schoolfolder import open_lake, settings
from pipeline.sql import connect
from pipeline.tables import HOSTS, LINES, VISITS
from pipeline.vault import load_keys
from pipeline.vendors import Names
from pipeline.visits import ADDRESSED, fold

LISTED = build(rows("""
    host            | site          | category        | list
    own.example     | own.example   | learning        | own
    own2.example    | own2.example  | gambling        | own
    help.example    | help.example  | help_seeking    | starter
    maths.example   | maths.example | learning        | ut1
    video.example   | video.example | video_streaming | ut1
    news.example    | news.example  | games           | starter
    ads.example     | ads.example   | background      | starter
    plain.example   | plain.example | uncategorised   | -
"""), HOSTS, {})
CATEGORIES = {row["name"]: Category(row["name"], "", "", tier=row["tier"], help_seeking=row["name"] == "help_seeking",
                                    background=row["name"] == "background") for row in rows("""
    name            | tier
    help_seeking    | none
    learning        | none
    background      | none
    uncategorised   | none
    drugs           | T1
    pornography     | T2
    gambling        | T3
    games           | T3
    video_streaming | T3
    malware_c2_phishing | T4
""")}
VENDORS: dict[str, Names] = {
    "alpha": {"betting": "gambling", "play": "games", "sex": "pornography", "drugs": "drugs", "news": "uncategorised",
              "school": "learning", "adverts": "background", "clinic": "help_seeking", "virus": "malware_c2_phishing"},
    "beta": {"play": "gambling"}}
OF = {"s1": "alpha", "s2": "beta"}


def answered(text: str | pa.Table) -> tuple[pa.Table, pa.Table, dict[str, int]]:
    """The visits of a table of lines, what is told of the filter's names, and the counts."""
    con = connect(threads=1)
    con.register("lines", lines(text) if isinstance(text, str) else text)
    found, names = answers(con, LISTED, VENDORS, OF, CATEGORIES, DAY)
    visits, counts, _ = fold(con, LISTED, PEOPLE, BELLS, NETWORKS, ["background"], answers=found)
    assert counts["requests"] == sum(n for name, n in counts.items() if name != "requests")
    return visits, names, counts


@pytest.mark.parametrize(("host", "filter_says", "category"), [
    ("own2.example", "play", "gambling"),       # the school's own list wins
    ("video.example", "betting", "gambling"),   # the filter beats an imported list
    ("news.example", "drugs", "drugs"),         # and a bundled one
    ("plain.example", "play", "games"),         # and speaks where no list does
    ("unheard.example", "play", "games"),
    ("video.example", "news", "video_streaming"),    # a name without a counterpart says nothing
    ("video.example", "Our Own", "video_streaming"),  # nor does a name that nobody mapped
    ("video.example", "-", "video_streaming"),
    ("news.example", "school", "learning"),
    ("help.example", "sex", "help_seeking"),    # help and learning of any list are not made bad
    ("maths.example", "play", "learning"),
    ("help.example", "school", "learning"),     # what is not bad may take their place
])
def test_the_order_of_who_says_what_a_request_is(host: str, filter_says: str, category: str) -> None:
    """The school's own list, then the filter, then imported lists, then bundled ones."""
    visits, _, _ = answered(f"time | person | host | vendor_category\n10:00:00 | p2 | {host} | {filter_says}")
    assert visits["category"].to_pylist() == [category]


@pytest.mark.parametrize(("filter_says", "category"), [
    ("play, sex", "pornography"), ("virus;betting", "gambling"), ("news;play", "games"), ("play, betting", "games"),
    ("school,clinic", "help_seeking"), ("Our Own, virus", "malware_c2_phishing"), ("drugs,sex", "drugs")])
def test_of_several_names_the_gravest_counts(filter_says: str, category: str) -> None:
    """By tier; of two equal ones the first, and help before anything else that is no matter."""
    visits, _, _ = answered(f"time | person | host | vendor_category\n10:00:00 | p2 | plain.example | {filter_says}")
    assert visits["category"].to_pylist() == [category]


def test_it_never_spreads_to_the_host() -> None:
    """Two requests of one host in one minute are two visits where the filter calls only one of them gambling."""
    visits, _, _ = answered("""
        time     | person | host          | vendor_category
        10:00:00 | p2     | video.example | betting
        10:00:01 | p2     | video.example | -
        10:00:02 | p2     | video.example | BETTING
        10:00:03 | p1     | video.example | -
    """)
    assert sorted(said(visits, "person", "category", "requests")) == [
        ("p1", "video_streaming", 1), ("p2", "gambling", 2), ("p2", "video_streaming", 1)]


def test_each_log_is_read_by_its_own_vendor_s_names() -> None:
    """The same word is games in one vendor's log and gambling in another's."""
    visits, _, _ = answered("""
        source | time     | person | host          | vendor_category
        s1     | 10:00:00 | p2     | plain.example | play
        s2     | 10:20:00 | p2     | plain.example | play
    """)
    assert visits["category"].to_pylist() == ["games", "gambling"]


def test_background_is_folded_by_either_and_a_host_called_background_stays_it() -> None:
    """An advert by the filter's word is no visit; a tracker by the lists is none, though the filter calls it gambling."""
    visits, _, counts = answered("""
        time     | person | host          | vendor_category
        10:00:00 | p2     | video.example | -
        10:00:01 | p2     | plain.example | adverts
        10:00:02 | p2     | ads.example   | betting
    """)
    assert said(visits, "site", "category", "requests", "background") == [("video.example", "video_streaming", 1, 2)]
    assert counts["visits"] == 3


def test_probable_over_blocking_is_told_without_a_person() -> None:
    """A help site that the filter calls pornography and blocks is told with its numbers; what goes through is not."""
    _, names, _ = answered("""
        time     | person | host          | vendor_category | action
        10:00:00 | p2     | help.example  | sex             | blocked
        10:00:01 | p1     | help.example  | sex             | allowed
        10:00:02 | p2     | maths.example | play            | allowed
        10:00:03 | p2     | own.example   | play, Our Own   | blocked
        10:00:04 | p2     | video.example | sex             | blocked
    """)
    assert said(names, "why", "vendor", "name", "site", "category", "people", "requests", "blocked") == [
        ("over-blocking", "alpha", "sex", "help.example", "help_seeking", None, 2, 1),
        ("over-blocking", "alpha", "play, Our Own", "own.example", "learning", None, 1, 1),
        ("unmapped", "alpha", "Our Own", "", "", 1, 1, 1)]
    assert "person" not in names.column_names and "client" not in names.column_names


def test_unmapped_names_are_counted_by_the_people_who_met_them() -> None:
    """The name that most people met stands first; clients count where nobody is named; sign-ins and errors do not."""
    _, names, _ = answered("""
        source | time     | client | person | host          | vendor_category | action
        s1     | 10:00:00 | d1     | p1     | plain.example | Rare            | allowed
        s1     | 10:00:01 | d1     | p1     | plain.example | Rare            | allowed
        s1     | 10:00:02 | d1     | p1     | video.example | Often, play     | blocked
        s1     | 10:00:03 | d2     | p2     | plain.example | Often           | allowed
        s1     | 10:00:04 | d3     | -      | plain.example | Often           | allowed
        s1     | 10:00:05 | d3     | -      | plain.example | Never           | auth
        s2     | 10:00:06 | d3     | -      | plain.example | Often           | allowed
    """)
    assert said(names, "vendor", "name", "why", "people", "requests", "blocked") == [
        ("alpha", "Often", "unmapped", 3, 3, 1), ("alpha", "Rare", "unmapped", 1, 2, 0), ("beta", "Often", "unmapped", 1, 1, 0)]


def test_a_name_that_was_sealed_unmapped_is_told_without_the_name() -> None:
    """Only that there was one, whose, and on how many requests."""
    table = lines("""
        time     | person | host | action  | sealed | sealed_list
        10:00:00 | p2     | -    | blocked | z1     | {unmapped}
        10:00:01 | p2     | -    | blocked | z1     | watch list
    """.replace("{unmapped}", UNMAPPED))
    table = table.set_column(table.column_names.index("vendor_category"), "vendor_category", pa.nulls(2, pa.string()))
    _, names, _ = answered(table)
    assert said(names, "vendor", "name", "why", "people", "requests", "blocked") == [("alpha", "", "sealed", None, 1, 1)]


def test_a_day_without_categories_tells_nothing() -> None:
    """No log names one: there is no answer beside the hosts' own, and nothing is told."""
    visits, names, _ = answered("time | person | host | vendor_category\n10:00:00 | p2 | news.example | -")
    assert (visits["category"].to_pylist(), names.num_rows) == (["games"], 0)


TIER = {name: category.tier for name, category in CATEGORIES.items()}
GRAVEST_FIRST = ("T0", "T1", "T2", "TS", "T3", "T4", "none")


def slow_answer(request: dict[str, Any], listed: str) -> str:
    """The category of one request, read off DESIGN 6.2 in plain steps."""
    lists = {row["host"]: row for row in LISTED.to_pylist()}
    row = lists.get(request["host"], {"category": "uncategorised", "list": ""})
    if row["list"] == "own":
        return str(row["category"])
    words = [word.lower() for word in re.split(r"\s*[,;|]\s*", request["vendor_category"] or "")]
    known = [VENDORS[OF[request["source"]]].get(word, "uncategorised") for word in words]
    telling = [category for category in known if category != "uncategorised"]
    if not telling:
        return str(row["category"])
    gravest = min(telling, key=lambda category: (GRAVEST_FIRST.index(TIER[category]), category != "help_seeking",
                                                      category != "learning"))
    if row["category"] == "background":
        return "background"
    if row["category"] in ("help_seeking", "learning") and TIER[gravest] != "none":
        return str(row["category"])
    return gravest


def told_night(seed: int) -> list[dict[str, Any]]:
    """A made-up night whose filters name categories, known and unknown, one or several."""
    dice = random.Random(seed)
    words = [*VENDORS["alpha"], "Our Own", "Play"]
    hosts = [*LISTED["host"].to_pylist(), "unheard.example"]
    return [item | {"host": dice.choice(hosts), "vendor_category": dice.choice([None, dice.choice(words), dice.choice(words),
                    dice.choice([", ", ";", "|"]).join(dice.sample(words, dice.choice([2, 3])))])} for item in night(seed)]


@pytest.mark.parametrize("seed", range(12))
def test_visits_agree_with_the_slow_reading(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every visit of a night with categories of the filter is what a plain loop over its requests finds."""
    monkeypatch.setattr("test_oracle.SITES", {row["host"]: (row["site"], row["category"]) for row in LISTED.to_pylist()})
    items = told_night(seed)
    visits, _, counts = answered(build(items, LINES, {}))
    slow = slowly(items, lambda request, listed: slow_answer(request, listed).replace("background", "adverts"))
    columns = ["visit", "client", "person", "site", "category", "band", "started", "ended", "requests", "blocked", "background"]
    by_visit = {row["visit"]: row for row in visits.select(columns).to_pylist()}
    assert by_visit == {row["visit"]: {name: row[name] for name in columns} for row in slow}
    assert counts["requests"] == len(items)


def test_the_order_of_the_rows_changes_nothing() -> None:
    """The same lines in another order make the same tables."""
    items = told_night(99)
    first = answered(build(items, LINES, {}))
    random.Random(1).shuffle(items)
    again = answered(build(items, LINES, {}))
    assert first[0].equals(again[0]) and first[1].equals(again[1]) and first[2] == again[2]


ROOT = Path(__file__).parent.parent
NIGHT = rows("""
    time  | user | host              | catdesc            | action
    10:05 | u101 | one.test          | Gambling           | blocked
    10:06 | u102 | two.test          | House Rules        | passthrough
    10:07 | u103 | three.test        | House Rules        | passthrough
    10:08 | u101 | four.test         | Attic              | passthrough
    10:09 | u102 | talkline.test     | Pornography        | blocked
    10:10 | u103 | five.test         | Terrorist Webs     | blocked
""")


def fortigate(row: dict[str, Any]) -> str:
    """One line of a FortiGate's web filter log."""
    return (f'date=2026-11-03 time={row["time"]}:00 devname="FGT-1" tz="+0000" type="utm" subtype="webfilter" srcip=10.20.4.7 '
            f'user="{row["user"]}" hostname="{row["host"]}" action="{row["action"]}" url="/" catdesc="{row["catdesc"]}"\n')


def test_a_night_says_what_it_made_of_the_filter_s_names(tmp_path: Path) -> None:
    """The visit is gambling by the filter's word alone; the page has the unmapped names by people, the help site that was blocked,
    and a sealed name without the name; no login stands beside any of them."""
    school, log = tmp_path / "school", tmp_path / "fortigate.log"
    school.mkdir()
    shutil.copytree(ROOT / "rules", school / "rules")
    for name in ("school.toml", "people.csv"):
        shutil.copy(ROOT / name, school / name)
    (school / "rules/lists/help_seeking.txt").write_text("talkline.test\n", "utf-8")
    log.write_text("".join(map(fortigate, NIGHT)), "utf-8")
    account = run_night(school, [str(log)], lambda name, lines: None)
    assert [fault for fault in account.problems if "rules" in fault.where] == []
    lake = open_lake(school, load_keys(school / settings(school).keys))
    categories = {row["host"]: row["category"] for row in lake.table(VISITS, [DAY]).to_pylist()}
    assert (categories["one.test"], categories["two.test"], categories["talkline.test"]) == (
        "gambling", "uncategorised", "help_seeking")
    page = (school / f"reports/technical/nightly-{DAY}.html").read_text("utf-8")
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "fortinet unmapped, sealed – 1 fortinet House Rules 2 2 fortinet Attic 1 1" in words
    assert "fortinet Pornography talkline[.]test help seeking 1 1" in words
    assert "Terrorist Webs" not in page and not re.search(r"u10[123]", page)


def test_an_address_may_say_more_than_its_host() -> None:
    """A request whose address shows something is a visit of that category, with the sentence; its neighbours stay as they are."""
    con = connect(threads=1)
    con.register("lines", lines("""
        time  | person | host          | vendor_category
        10:00 | p1     | plain.example | -
        10:01 | p1     | plain.example | -
        10:02 | p1     | plain.example | betting
        10:03 | p1     | ads.example   | -
    """))
    found, _ = answers(con, LISTED, VENDORS, OF, CATEGORIES, DAY)
    shown = pa.Table.from_pylist([
        {"source": "s1", "line": 2, "category": "drugs", "note": "a list names this address"},
        {"source": "s1", "line": 3, "category": "drugs", "note": "a list names this address"},
        {"source": "s1", "line": 4, "category": "games", "note": "a game in a frame"}], ADDRESSED)
    visits, _, _ = fold(con, LISTED, PEOPLE, BELLS, NETWORKS, ["background"], answers=found, addressed=shown)
    told = [(row["host"], row["category"], row["requests"], row["notes"]) for row in visits.to_pylist()]
    assert told == [("plain.example", "uncategorised", 1, []),
                    ("plain.example", "drugs", 2, ["a list names this address"]),
                    ("ads.example", "games", 1, ["a game in a frame"])]
