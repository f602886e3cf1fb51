"""Signals that speak of several visits together: what their detections say, and of whom. When they fire, their rules' examples say."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tables_text import DAY, said, visits
from test_detect import NOTHING_SEALED

from pipeline import detect
from pipeline.classify import judge
from pipeline.policy import read_policy
from pipeline.rulebook import Rule
from pipeline.rulebook.reading import read_rules

RULES = Path(__file__).parents[1] / "rules"
POLICY, _ = read_policy({f"rules/{path.name}": path.read_text("utf-8") for path in RULES.glob("*.*")})
OWN = ("own devices",)


def rule(name: str) -> Rule:
    """One of the bundled rules."""
    return read_rules({f"rules/detect/{name}.toml": (RULES / f"detect/{name}.toml").read_text("utf-8")})[0][0]


def fired(name: str, text: str | pa.Table) -> pa.Table:
    """The detections of one bundled rule on a text table of visits, judged by the bundled policy."""
    table = visits(text) if isinstance(text, str) else text
    return detect.fire(table, judge(table, POLICY, {}), [rule(name)], POLICY, DAY, NOTHING_SEALED, own=OWN)[0]


def to_and_fro(person: str = "p1", one: str = "d1", two: str = "d2", network: str = "pupils", minutes: int = 4) -> str:
    """An account whose use goes from one device to the other and back, five times."""
    return "".join(f"10:{2 + n * minutes:02d} | 10:{3 + n * minutes:02d} | {person} | {(one, two)[n % 2]} | {network if n % 2 else 'pupils'} | "
                   f"{('atlas', 'poems', 'maths')[n // 2]}.example | learning\n" for n in range(6))


PLACES = "started | ended | person | client | network | site | category\n"


def test_one_account_in_two_places_is_a_question_and_accuses_nobody() -> None:
    """The 7.2 rows of a lent and of a taken account are questions; no site stands beside it, and nothing is said of intent."""
    found = fired("account-in-two-places", PLACES + to_and_fro(network="library"))
    assert said(found, "subject", "category", "tier", "route", "intent", "rows", "site", "visits") == [
        ("p1", "credential_anomaly", "T3", "student", "unclear", ["IN-05", "IN-06"], "", 6)]
    assert found["reasons"][0].as_py() == [
        "one account in use on 2 school devices at once, on 2 networks",
        "its use went from one to the other and back 5 times close together, for 20 minutes in all"]


@pytest.mark.parametrize("innocent", [
    to_and_fro(network="own devices"),                                     # a phone beside a computer
    to_and_fro(minutes=1),                                                 # a machine just left that still loads
    to_and_fro() + to_and_fro("p2") + to_and_fro("p3"),                    # a gateway with two addresses
    to_and_fro(person="-"),                                                # nobody is named
    to_and_fro().replace("atlas", "mail").replace("poems", "mail").replace("maths", "mail")])  # a page that goes on by itself
def test_what_is_ordinary_on_two_devices_names_nobody(innocent: str) -> None:
    """Own phones, closing pages, gateways, machines left logged in."""
    assert len(fired("account-in-two-places", PLACES + innocent)) == 0


def test_help_and_welfare_are_no_evidence_of_a_lent_account() -> None:
    """Such visits stand beside nobody for this, so that nobody who follows it up meets them."""
    for category in ("help_seeking", "self_harm_suicide"):
        assert len(fired("account-in-two-places", PLACES + to_and_fro().replace("learning", category))) == 0


STAFF = """started | ended | person | actor | client | site          | category | requests
           10:02   | 10:10 | p1     | student | d1   | atlas.example | learning | 9
           10:13   | 10:20 | t1     | staff   | d1   | games.example | games    | 12
           10:25   | 10:30 | p1     | student | d1   | atlas.example | learning | 9"""


def test_a_staff_account_on_a_pupils_device_is_the_principals() -> None:
    """Who sat there the log cannot say: no row is proposed, and it goes to the Principal alone."""
    found = fired("staff-account-on-pupil-device", STAFF)
    assert said(found, "subject", "client", "tier", "route", "rows", "clause", "visit_keys") == [
        ("t1", "d1", "TS", "staff", [], "7.2 IN-07", ["s1:2"])]
    assert found["reasons"][0].as_py()[1:] == ["the same pupil's account was in use before it and after it"]


CARRIED = """started | ended | person | actor | client | site         | category | requests | band   | period
             08:50   | 08:58 | p1     | student | d1  | atlas.example | learning | 9       | lesson | Period 1
             11:02   | 11:10 | p1     | student | d1  | news.example  | learning | 9       | break  | Break
             14:10   | 14:18 | p1     | student | d1  | maths.example | learning | 9       | lesson | Period 5
             10:13   | 10:30 | t1     | staff   | d1  | clips.example | learning | 41      | lesson | Period 2
             10:04   | 10:50 | t1     | staff   | d9  | marks.example | learning | 45      | lesson | Period 2"""


def test_a_staff_account_on_the_device_that_a_pupil_carries_needs_work_on_two_devices() -> None:
    """The pupil's own use may lie hours away; a room's computer, a staff laptop lent and one device alone are ordinary."""
    found = fired("staff-account-on-pupil-device", CARRIED)
    assert said(found, "subject", "client", "route", "visit_keys") == [("t1", "d1", "staff", ["s1:4"])]
    assert found["reasons"][0].as_py() == [
        "a staff account, in a lesson, on a device that one pupil's account alone used at other times of the day",
        "the staff account was in use on another school device meanwhile"]
    lines = CARRIED.splitlines()
    for other in (CARRIED.replace("11:02   | 11:10 | p1", "11:02   | 11:10 | p2"), "\n".join(lines[:-1]),
                  "\n".join([*lines[:3], *lines[4:]]), CARRIED.replace("11:02   | 11:10 | p1     | student", "11:02   | 11:10 | t1     | staff  ")):
        assert len(fired("staff-account-on-pupil-device", other)) == 0


def test_a_very_large_transfer_is_the_technicians_whatever_the_host() -> None:
    """Nobody is accused of what a host is, for a list may not know it; background carries its updates unseen."""
    text = "started | ended | person | site | category | requests | bytes_in | band\n10:05 | 10:40 | p1 | far.example | {} | 1 | {} | lesson"
    assert said(fired("large-transfer", text.format("uncategorised", 4_800_000_000)), "category", "route", "rows", "intent") == [
        ("bandwidth", "tech", [], "unclear")]
    assert len(fired("large-transfer", text.format("uncategorised", 900_000_000))) == 0
    assert len(fired("large-transfer", text.format("background", 4_800_000_000))) == 0


def test_each_device_and_person_is_told_once() -> None:
    """Two machines are two detections; the pages of one stay on one machine are one."""
    more = STAFF + "".join(f"\n{line}" for line in STAFF.replace("| d1 ", "| d2 ").splitlines()[1:])
    more += "\n10:15 | 10:16 | t1 | staff | d1 | marks.example | learning | 3"
    found = fired("staff-account-on-pupil-device", more)
    assert sorted(said(found, "client", "visits")) == [("d1", 2), ("d2", 1)]


def test_a_device_that_calls_a_harmful_host_names_nobody() -> None:
    """Whoever was logged in, it is the device's matter, for the technicians."""
    text = "started | site | category | band | person | blocked | requests\n" + "".join(
        f"{hour:02d}:05 | beacon.example | malware_c2_phishing | {'closed' if hour > 17 else 'lesson'} | p{hour} | 2 | 2\n"
        for hour in (9, 10, 11, 14, 19, 20, 22))
    found = fired("calls-home", text)
    assert said(found, "subject", "person", "actor", "route", "rows", "visits") == [("d1", None, "unknown", "tech", [], 7)]
    assert found["reasons"][0].as_py()[0] == ("the device called this host 14 times, 14 of them stopped, in 7 different hours, "
                                              "in lessons and out of hours, as a program does")


def tries(band: str = "lesson", opened: int = 1) -> list[tuple[Any, ...]]:
    """What is told of six blocked tries at three game sites in one lesson."""
    text = "started | site | category | band | blocked | opened\n" + "".join(
        f"10:{n}1 | play{n}.example | games | {band} | 2 | {opened}\n" for n in range(3))
    return said(fired("tries-in-a-lesson", text), "rows", "outcome", "visits", "intent")


def test_tries_at_blocked_games_in_one_lesson_are_an_attempt() -> None:
    """Over all the sites of the kind, and only what somebody tried by hand."""
    assert tries() == [(["IN-02"], "blocked", 3, "deliberate")]
    assert tries(opened=0) == []
    assert tries(band="lunch") == []


def test_tries_at_a_shared_account_name_nobody_and_propose_nothing() -> None:
    """Somebody must say who sat there; a page left open, or two people with one each, is no walk from site to site."""
    def told(sites: int, actor: str = "shared") -> list[tuple[Any, ...]]:
        text = "started | site | category | band | blocked | opened | actor\n" + "".join(
            f"10:{n}1 | play{n % sites}.example | games | lesson | 2 | 1 | {actor}\n" for n in range(4))
        return said(fired("tries-at-a-shared-account", text), "rows", "route")
    assert told(3) == [([], "attribution")]
    assert told(1) == told(2) == told(3, "staff") == told(3, "student") == []


def test_the_order_of_visits_changes_nothing_of_what_is_told_together() -> None:
    """The same visits in any order are told the same."""
    for name, text in (("account-in-two-places", PLACES + to_and_fro()), ("staff-account-on-pupil-device", STAFF)):
        table = visits(text)
        order = list(range(len(table)))
        random.Random(5).shuffle(order)
        assert fired(name, table).equals(fired(name, table.take(order)))
