"""Ways round the filter that no address shows: tunnels in silence, check-ins, new hosts after blocks, and what spreads."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tables_text import DAY, build, lines, rows, said, visits
from test_addresses import BOOK

from pipeline import behaviour, spreading
from pipeline.sql import connect
from pipeline.tables import DETECTIONS, HOSTS

MB = 1_000_000


def hosts(text: str) -> pa.Table:
    """A text table as HOSTS: uncategorised hosts that one person asked for, unless it says otherwise."""
    return build([{"people": "1", "category": "uncategorised"} | row for row in rows(text)], HOSTS, {})


def new(*names: str) -> pa.Table:
    """Hosts that no day before knows."""
    return pa.table({"host": pa.array(names, pa.string())})


def lately(*names: str) -> pa.Table:
    """Hosts that are new today."""
    return pa.table({"host": pa.array(names, pa.string()), "is_new": pa.array([True] * len(names), pa.bool_())})


def weighed(text: str, met: str, fresh: tuple[str, ...] = (), asked: str = "host\nx.example") -> list[tuple[Any, ...]]:
    """Key, category and sentences of each visit of a text table that takes another category."""
    con = connect(threads=1)
    con.register("lines", lines(asked))
    before = visits(text)
    after = behaviour.weighed(con, before, hosts(met), new(*fresh), BOOK)
    one, two = (table.drop(["category", "notes"]).sort_by("visit") for table in (before, after))
    assert one.equals(two)
    changed = {row["visit"]: row["category"] for row in before.to_pylist()}
    return [row for row in said(after, "visit", "category", "notes") if row[1] != changed[row[0]]]


LONG = "started | ended | site | host | category | tunnels | allowed | longest_ms | bytes_in\n"
LESSON = "09:50 | 09:58 | encyclo.example | encyclo.example | learning | 9 | 30 | 900 | 90000\n"


def test_a_long_heavy_tunnel_to_a_bare_address_in_silence_is_a_vpn() -> None:
    """One address without a name, twenty megabytes in twenty minutes, and the device asks for nothing else meanwhile."""
    found = weighed(LONG + LESSON + "10:00 | 10:20 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 1 | 1200000 | 24000000", "host\n203.0.113.9")
    assert found == [("s1:2", "bypass_vpn_tunnel", [
        "one tunnel of 20 minutes carried 24 MB", "a tunnel to an address without a name", "the device's other traffic stopped meanwhile",
        "hardly anybody else asks for this host"])]


@pytest.mark.parametrize(("visit", "people"), [
    ("10:00 | 10:20 | films.example | films.example | uncategorised | 1 | 1 | 1200000 | 24000000", 40),   # silence alone
    ("10:00 | 10:20 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 1 | 1200000 | 900000", 1),         # next to no bytes
    ("10:00 | 10:01 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 1 | 60000 | 24000000", 1),         # a download
    ("10:00 | 10:20 | 203.0.113.9 | 203.0.113.9 | learning | 1 | 1 | 1200000 | 24000000", 1),            # a list knows it
    ("10:00 | 10:20 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 0 | 1200000 | 24000000", 1)])      # it was stopped
def test_one_fact_is_not_enough(visit: str, people: int) -> None:
    """A film, a download, a known site and a block each have their innocent reason."""
    assert weighed(LONG + LESSON + visit, f"host | people\n{visit.split(' | ')[3]} | {people}") == []


def test_a_meeting_beside_other_traffic_on_a_busy_host_is_no_vpn() -> None:
    """A call goes both ways for an hour, and the lesson's pages go on beside it."""
    pages = "".join(f"10:{n:02d} | 10:{n:02d} | encyclo.example | encyclo.example | learning | 1 | 10 | 900 | 90000\n" for n in range(2, 50, 5))
    assert weighed(LONG + LESSON + pages + "10:00 | 10:50 | meet.example | meet.example | uncategorised | 1 | 1 | 3000000 | 90000000",
                   "host | people\nmeet.example | 1") == []


@pytest.mark.parametrize(("port", "category"), [(9001, "bypass_tor"), (3389, "bypass_mirror_or_remote_desktop"), (1194, "bypass_vpn_tunnel")])
def test_an_unusual_port_says_what_it_is(port: int, category: str) -> None:
    """Tor, a desktop at home, a VPN: three sub-types that stay apart."""
    asked = f"client | host | kind | port\nd1 | far.example | tunnel | {port}"
    found = weighed(LONG + LESSON + "10:00 | 10:40 | far.example | far.example | uncategorised | 1 | 1 | 2400000 | 60000000", "host\nfar.example", asked=asked)
    assert [(row[1], f"a tunnel to the unusual port {port}" in row[2]) for row in found] == [(category, True)]


def test_an_app_that_checks_in_all_day_is_chatter_and_names_nobody() -> None:
    """A few kilobytes every hour, out of hours too: an app on a phone; one visit with a film's worth of bytes makes it a VPN."""
    day = "started | site | category | band | bytes_in\n" + "".join(
        f"{hour:02d}:10 | vpn.example | bypass_vpn_tunnel | {'closed' if hour in (6, 20) else 'lesson'} | 4000\n" for hour in (6, 9, 10, 12, 14, 20))
    assert {row[1] for row in weighed(day, "host\nvpn.example")} == {"bypass_vpn_app_chatter"}
    assert weighed(day + "15:00 | vpn.example | bypass_vpn_tunnel | lesson | 40000000\n", "host\nvpn.example") == []
    assert weighed(day.replace("closed", "lesson"), "host\nvpn.example") == []  # a pupil who tries in every lesson


FRESH = "started | person | site | category | blocked | allowed | requests\n"


def test_a_new_host_right_after_a_look_for_a_way_round_is_told() -> None:
    """The look, then within minutes a host that the school never asked for, and used."""
    text = FRESH + "10:00 | p1 | fastvpn.example | bypass_vpn_site_visit | 1 | 0 | 1\n10:06 | p1 | sunny.example | uncategorised | 0 | 30 | 30"
    assert weighed(text, "host\nsunny.example", ("sunny.example",)) == [
        ("s1:2", "bypass_web_proxy", ["a host that this school had not asked for before", "opened within minutes of a look for a way round the filter"])]
    assert weighed(text, "host\nsunny.example") == []                                              # the school knows it
    assert weighed(text, "host | people\nsunny.example | 9", ("sunny.example",)) == []             # so do others
    assert weighed(text.replace("10:06", "10:26"), "host\nsunny.example", ("sunny.example",)) == []  # long after
    assert weighed(text.replace("30 | 30", "2 | 2"), "host\nsunny.example", ("sunny.example",)) == []  # a look
    assert weighed(text.replace("p1 | sunny", "p2 | sunny"), "host\nsunny.example", ("sunny.example",)) == []  # somebody else
    assert weighed(text.replace("10:06 | p1", "10:06 | -"), "host\nsunny.example", ("sunny.example",)) == []


@pytest.mark.parametrize("before", ["10:00 | p1 | api.fastvpn.example | bypass_vpn_tunnel | 0 | 1 | 1 | 1",
                                    "10:00 | p1 | fastvpn.example | bypass_vpn_site_visit | 1 | 0 | 1 | 0"])
def test_an_app_that_checks_in_or_an_advert_is_no_look_for_a_way_round(before: str) -> None:
    """The VPN app of the same person's phone asks for its news; a page brings along what a VPN's maker shows."""
    head = "started | person | site | category | blocked | allowed | requests | opened\n"
    text = f"{head}{before}\n10:06 | p1 | sunny.example | uncategorised | 0 | 30 | 30 | 1"
    assert weighed(text, "host\nsunny.example", ("sunny.example",)) == []


def test_blocks_alone_do_not_make_the_next_site_a_proxy() -> None:
    """After blocks most people read something else; on a platform where anybody puts up a page it is more."""
    text = FRESH + "10:00 | p1 | games.example | games | 4 | 0 | 4\n10:02 | p1 | {site} | uncategorised | 0 | 30 | 30"
    assert weighed(text.format(site="reading.example"), "host\nreading.example", ("reading.example",)) == []
    found = weighed(text.format(site="sunny.github.io"), "host\nsunny.github.io", ("sunny.github.io",))
    assert [row[2][1:] for row in found] == [["opened within minutes of 4 blocks", "the host stands on a platform where anybody can put up a page"]]
    advert = text.replace("games.example | games |", "ads.example | background |")
    assert weighed(advert.format(site="sunny.github.io"), "host\nsunny.github.io", ("sunny.github.io",)) == []


STAY = "started | ended | person | site | category | blocked | allowed | requests | opened | tunnels | slots | bytes_in\n"


@pytest.mark.parametrize(("blocks", "opened", "tunnels", "slots", "megabytes", "told"), [
    (2, 2, 6, 2, 8, True),     # tried, tried again, and then ten minutes and eight megabytes through one name
    (3, 1, 6, 2, 8, True),     # three blocks at once
    (2, 1, 6, 2, 8, False),    # one try, with the browser's own second request
    (2, 2, 6, 2, 2, False),    # back to reading, some pages of one site
    (2, 2, 6, 1, 8, False),    # one film, or one large page
    (2, 2, 0, 2, 8, False)])   # the addresses are there, and show nothing
def test_much_through_one_new_name_after_blocks_is_told_by_host_names_alone(
        blocks: int, opened: int, tunnels: int, slots: int, megabytes: int, told: bool) -> None:
    """Where a log has no addresses: blocks that a person came back to, then whole sites under a name that nobody knows."""
    text = (STAY + f"10:00 | 10:01 | p1 | games.example | games | {blocks} | 0 | {blocks} | {opened} | 0 | 1 | 7000\n"
            f"10:02 | 10:10 | p1 | sunny.example | uncategorised | 0 | 6 | 6 | 1 | {tunnels} | {slots} | {megabytes * MB}")
    found = weighed(text, "host\nsunny.example", ("sunny.example",))
    assert found == ([("s1:2", "bypass_web_proxy", [
        "a host that this school had not asked for before", f"opened within minutes of {blocks} blocks",
        f"{megabytes} MB through that one name, over some minutes", "the device asked for next to nothing else meanwhile"])] if told else [])


BLOCKS = "10:00 | 10:01 | p1 | games.example | games | 3 | 0 | 3 | 1 | 0 | 1 | 7000\n"
LONG_STAY = "10:02 | 10:12 | p1 | sunny.example | uncategorised | 0 | 6 | 6 | 1 | 6 | 2 | 8000000\n"
BESIDE = "10:05 | 10:06 | p1 | pictures.example | uncategorised | 0 | 3 | 3 | 1 | 3 | 1 | 90000\n"


@pytest.mark.parametrize(("text", "people", "told"), [
    (BLOCKS + LONG_STAY, 1, True), (LONG_STAY, 1, False), (BLOCKS + LONG_STAY + BESIDE, 1, False), (BLOCKS + LONG_STAY, 9, False),
    (BLOCKS + LONG_STAY.replace("| 6 | 2 | 8000000", "| 6 | 1 | 900000"), 1, False)])
def test_while_nothing_can_be_new_blocks_then_one_name_and_silence_tell_a_proxy(text: str, people: int, told: bool) -> None:
    """In a school's first week: only with blocks before it, much through one name, next to nothing beside it, and a host that is rare."""
    con = connect(threads=1)
    con.register("lines", lines("host\nx.example"))
    met = hosts(f"host | people\nsunny.example | {people}")
    after = behaviour.weighed(con, visits(STAY + text), met, new(), BOOK, short=True)
    found = [row[1] for row in said(after, "category", "notes") if row[0] == "bypass_web_proxy"]
    assert found == ([["hardly anybody else asks for this host", "opened within minutes of 3 blocks",
                       "8 MB through that one name, over some minutes", "the device asked for next to nothing else meanwhile"]] if told else [])
    assert "bypass_web_proxy" not in behaviour.weighed(con, visits(STAY + text), met, new(), BOOK)["category"].to_pylist()  # later it must be new


def test_blocks_that_a_program_met_are_nobodys() -> None:
    """An app of the same pupil's phone was stopped three times by itself, and then a page was read."""
    con = connect(threads=1)
    con.register("lines", lines("host\nx.example"))
    made = pa.table({"visit": pa.array(["s1:1"], pa.string())})
    after = behaviour.weighed(con, visits(STAY + BLOCKS + LONG_STAY), hosts("host\nsunny.example"), new(), BOOK, short=True, made=made)
    assert "bypass_web_proxy" not in after["category"].to_pylist()


def spread(people: int, turned: int, more: str = "", year: str = "Y9") -> list[tuple[Any, ...]]:
    """What is told of one new host that some pupils met, of whom some came from a block."""
    text = "started | person | site | category | blocked | allowed | actor | year | crowd\n"
    for n in range(people):
        text += f"1{n % 5}:{n:02d} | p{n} | games.example | games | {int(n < turned)} | 0 | student | {year} | 1\n"
        text += f"1{n % 5}:{n + 2:02d} | p{n} | sunny.example | uncategorised | 0 | 3 | student | {year} | 1\n"
    found = spreading.spreads(visits(text + more), lately("sunny.example"), BOOK, DAY)
    return said(found, "subject", "person", "route", "tier", "visits", "reasons")


def test_a_new_host_that_goes_round_a_year_is_one_story_that_names_nobody() -> None:
    """Thirty pupils are thirty visits of one host, for the people who run the filter."""
    assert spread(30, 4) == [("sunny.example", None, "tech", "T4", 30, [
        "a host that this school had not asked for before, met by 30 pupils of one year group in one day",
        "4 of them came within minutes of a block"])]


def test_a_teachers_link_a_few_friends_and_an_ordinary_new_site_do_not_spread() -> None:
    """Somebody of the staff was there; four are friends; nobody came from a block."""
    assert spread(30, 4, "09:00 | p99 | sunny.example | uncategorised | 0 | 1 | staff | - | 1\n".replace("| - |", "|  |")) == []
    assert spread(4, 4) == []
    assert spread(30, 1) == []
    assert spread(30, 4, "09:00 | p98 | sunny.example | uncategorised | 0 | 1 | student | Y7 | 30\n") == []  # a class at once


def test_a_new_host_through_which_several_fetch_everything_spreads_though_nobody_was_blocked() -> None:
    """Where only names are seen: three pupils with whole sites under that one name, among five who met it."""
    def met(narrow: int) -> list[tuple[Any, ...]]:
        text = "started | ended | person | client | site | category | allowed | tunnels | slots | bytes_in\n" + "".join(
            f"1{n}:00 | 1{n}:09 | p{n} | d{n} | sunny.example | uncategorised | 4 | 4 | {2 if n < narrow else 1} | 8000000\n" for n in range(5))
        return said(spreading.spreads(visits(text), lately("sunny.example"), BOOK, DAY), "person", "route", "reasons")
    assert met(3) == [(None, "tech", ["a host that this school had not asked for before, met by 5 pupils of one year group in one day",
                                      "3 of them fetched everything through that one name"])]
    assert met(2) == []


def test_nothing_is_new_while_the_school_has_no_week_behind_it(tmp_path: Path) -> None:
    """With five days known, what they do not hold is new; with four, nothing is."""
    files = []
    for n in range(5):
        files.append(str(tmp_path / f"{n}.parquet"))
        pq.write_table(hosts(f"host\nold.example\nday{n}.example"), files[-1])
    met = hosts("host\nold.example\nsunny.example\nday2.example")
    con = connect(threads=1)
    assert behaviour.new_hosts(con, met, files, BOOK)["host"].to_pylist() == ["sunny.example"]
    assert behaviour.new_hosts(con, met, files[:4], BOOK)["host"].to_pylist() == []


def test_a_host_first_met_within_the_last_school_week_still_goes_round(tmp_path: Path) -> None:
    """One pupil on Monday, five on Thursday: nearly new. Met the week before, or by staff, or by four: an ordinary host."""
    def known(first: int, people: int = 5, more: str = "") -> list[tuple[Any, ...]]:
        files = []
        for n in range(10):
            files.append(str(tmp_path / f"{n}.parquet"))
            pq.write_table(hosts("host\nold.example" + ("\nsunny.example" if n >= first else "")), files[-1])
        text = "started | person | site | category | actor\n" + "".join(f"10:0{n} | p{n} | sunny.example | uncategorised | student\n" for n in range(people))
        return said(spreading.lately(connect(threads=1), visits(text + more), new(), files, BOOK), "host", "is_new")
    assert known(5) == known(9) == [("sunny.example", False)]
    assert known(4) == known(5, people=4) == known(5, more="10:30 | t1 | sunny.example | uncategorised | staff") == []


def test_the_order_of_visits_changes_nothing() -> None:
    """The same visits in any order are weighed the same."""
    text = LONG + LESSON + "10:00 | 10:20 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 1 | 1200000 | 24000000"
    table, con, results = visits(text), connect(threads=1), []
    con.register("lines", lines("host\nx.example"))
    for seed in range(3):
        order = list(range(len(table)))
        random.Random(seed).shuffle(order)
        results.append(behaviour.weighed(con, table.take(order), hosts("host\n203.0.113.9"), new(), BOOK))
    assert results[0].equals(results[1]) and results[0].equals(results[2])


def test_a_spread_has_the_shape_of_every_detection() -> None:
    """It goes the way of all detections from there."""
    assert spreading.spreads(visits("started\n10:00"), lately(), BOOK, DAY).schema == DETECTIONS.schema


UP = LONG.replace("bytes_in", "bytes_in | bytes_out | requests")
SILENT = "10:00 | 10:20 | far.example | far.example | uncategorised | 1 | 1 | 1200000 |"


@pytest.mark.parametrize(("tunnel", "told"), [
    (f"{SILENT} 24000000 | 900000 | 1", True),       # what comes in is answered
    (f"{SILENT} 24000000 | 0 | 1", True),            # the log does not say what goes out
    (f"{SILENT} 24000000 | 9000 | 1", False),        # one request, and a file comes
    (f"{SILENT} 4800000000 | 0 | 1", False)])        # 240 MB a minute
def test_a_download_in_silence_is_no_vpn(tunnel: str, told: bool) -> None:
    """A large file from a host that hardly anybody asks for: one way only, or far faster than any film."""
    found = weighed(UP + LESSON.replace("90000", "90000 | 9000 | 30") + tunnel, "host\nfar.example")
    assert [category for _, category, _ in found] == ["bypass_vpn_tunnel"] * told


@pytest.mark.parametrize(("tunnel", "why"), [
    ("10:00 | 10:28 | far.example | far.example | uncategorised | 4 | 4 | 540000 | 90000000 | 9000000 | 4",
     ["4 tunnels one after the other, for 28 minutes carried 99 MB", "the device's other traffic stopped meanwhile",
      "hardly anybody else asks for this host"]),
    ("10:00 | 10:28 | far.example | far.example | uncategorised | 9 | 9 | 240000 | 90000000 | 9000000 | 9", None),
    ("10:00 | 10:28 | far.example | far.example | uncategorised | 4 | 40 | 540000 | 90000000 | 9000000 | 40", None)])
def test_tunnels_that_follow_one_another_are_one(tunnel: str, why: list[str] | None) -> None:
    """Each lasts minutes; a site's own connections are shorter, and are not all that there is of it."""
    found = weighed(UP + LESSON.replace("90000", "90000 | 9000 | 30") + tunnel, "host\nfar.example")
    assert [notes for *_, notes in found] == ([why] if why else [])


def test_a_page_that_is_read_on_beside_a_call_is_no_silence() -> None:
    """A visit that began before the call goes on all through it: its share counts as beside the call."""
    notes = "09:40 | {} | encyclo.example | encyclo.example | learning | 9 | 30 | 900 | 90000\n"
    call = "10:00 | 10:20 | meet.example | meet.example | uncategorised | 1 | 1 | 1200000 | 24000000"
    assert len(weighed(LONG + notes.format("10:00") + call, "host\nmeet.example")) == 1
    assert weighed(LONG + notes.format("10:20") + call, "host\nmeet.example") == []


@pytest.mark.parametrize(("call", "before", "told"), [
    (f"{SILENT} 60000000 | 9000000 | 1", "", True),     # through a tunnel more comes than goes
    (f"{SILENT} 60000000 | 40000000 | 1", "", False),   # a camera at each end
    (f"{SILENT} 60000000 | 0 | 2", "10:00:01 | 10:00:02 | scripts.example | scripts.example | learning | 1 | 1 | 900 | 9000 | 900 | 1\n", False)])
def test_a_call_by_video_with_nothing_beside_it_is_no_vpn(call: str, before: str, told: bool) -> None:
    """It sends as it receives; or where the log has no bytes sent, it began as a page that brought scripts of others along."""
    lesson = LESSON.replace("90000", "90000 | 9000 | 30")
    assert bool(weighed(UP + lesson + lesson.replace("09:5", "10:2") + before + call, "host\nfar.example")) == told


def test_traffic_that_comes_back_when_a_tunnel_ends_was_in_it() -> None:
    """A device that began with the tunnel had no traffic before; nothing may stand beside it then."""
    after = LESSON.replace("09:50 | 09:58", "10:21 | 10:29")
    tunnel = "10:00 | 10:20 | far.example | far.example | uncategorised | 1 | 1 | 1200000 | 24000000"
    mail = "\n10:09 | 10:10 | mail.example | mail.example | learning | 1 | 2 | 900 | 9000"
    assert len(weighed(LONG + after + tunnel, "host\nfar.example")) == 1
    assert weighed(LONG + after + tunnel + mail, "host\nfar.example") == []
    assert weighed(LONG + tunnel, "host\nfar.example") == []


def test_a_heavy_tunnel_to_a_vpn_sellers_host_is_a_vpn_and_a_page_of_it_is_none() -> None:
    """Twenty minutes and megabytes are no page about VPNs; a glance, and a film on it that several see, are."""
    def seller(minutes: int, size: int, people: int = 1) -> list[tuple[Any, ...]]:
        return weighed(f"{LONG}10:00 | 10:{minutes:02d} | sold.example | node9.sold.example | bypass_vpn_site_visit | 1 | 1 | "
                       f"{minutes * 60000} | {size}", f"host | people\nnode9.sold.example | {people}")
    assert [notes for *_, notes in seller(20, 60 * MB)] == [[
        "one tunnel of 20 minutes carried 60 MB", "a host of somebody who sells VPNs", "hardly anybody else asks for this host"]]
    assert seller(20, MB) == seller(2, 60 * MB) == seller(20, 60 * MB, people=9) == []


def test_a_relay_of_tor_met_after_a_look_is_tor_and_no_web_proxy() -> None:
    """The port that the tunnel led to says what it is."""
    text = ("started | site | host | category | requests | allowed | blocked | tunnels | bytes_in\n"
            "10:00 | onion.example | onion.example | bypass_tor | 3 | 0 | 3 | 0 | 0\n"
            "10:03 | 203.0.113.9 | 203.0.113.9 | uncategorised | 1 | 1 | 0 | 1 | 4000000\n")
    port = "host | kind | port\n203.0.113.9 | tunnel | {}"
    told = [weighed(text, "host\n203.0.113.9\nonion.example", ("203.0.113.9",), port.format(number)) for number in (9001, 443)]
    assert [[category for _, category, _ in one] for one in told] == [["bypass_tor"], ["bypass_web_proxy"]]
    assert told[0][0][2][-1] == "a tunnel to the unusual port 9001"


HINTS = "started | site | host | category | requests | allowed | blocked | opened\n"


@pytest.mark.parametrize(("before", "host", "people", "told"), [
    ("10:00 | pranks.example | pranks.example | games | 2 | 0 | 2 | 2", "pebble-unblocked.pages.example", 1, True),
    ("10:00 | search.example | search.example | bypass_vpn_site_visit | 1 | 1 | 0 | 1", "pebble-unblocked.pages.example", 1, True),
    ("10:00 | pranks.example | pranks.example | games | 1 | 0 | 1 | 1", "pebble-unblocked.pages.example", 1, False),    # one block is chance
    ("10:00 | atlas.example | atlas.example | learning | 9 | 9 | 0 | 1", "drains-unblocked.pages.example", 1, False),     # a plumber
    ("10:00 | pranks.example | pranks.example | games | 2 | 0 | 2 | 2", "drainunblockers.pages.example", 1, False),       # no part of its own
    ("10:00 | pranks.example | pranks.example | games | 2 | 0 | 2 | 2", "pebble-unblocked.pages.example", 30, False)])    # half the school
def test_a_name_that_says_unblocked_counts_straight_after_blocks_or_a_look(before: str, host: str, people: int, told: bool) -> None:
    """Also in a school's first week; by itself the name says nothing."""
    con = connect(threads=1)
    con.register("lines", lines("host\nx.example"))
    text = f"{HINTS}{before}\n10:02 | pages.example | {host} | uncategorised | 54 | 54 | 0 | 1"
    found = behaviour.weighed(con, visits(text), hosts(f"host | people\n{host} | {people}"), new(), BOOK, short=True)
    mirrors = [notes for _, category, notes in said(found, "visit", "category", "notes") if category == "bypass_mirror_or_remote_desktop"]
    assert ["its name says what it is for" in notes for notes in mirrors] == [True] * told
