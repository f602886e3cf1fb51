"""Tests of the filter: a registered window takes what was to be tested out of the incidents, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_rules import NO_SEALED, judged, made
from small_school import line, make, run
from tables_text import DAY, at, build, rows
from test_casework import role

from pipeline import casework, checking, classify, coverage, detect, incidents, logbooks, register, schoolfolder
from pipeline.checking import Window
from pipeline.problems import UsageError
from pipeline.register import checks
from pipeline.tables import DETECTIONS, INCIDENTS

TESTER, PUPIL = "p9", "p1"
HEAD = "started | ended | person | client | actor | actor_from | category | site | blocked | allowed\n"


def window(tests: tuple[str, ...] = ("adult",), begins: str = "10:00", ends: str = "10:30", person: str = TESTER, client: str = "") -> Window:
    """A check from ten to half past, of one account unless it says otherwise."""
    return Window("K-0001", at(begins), at(ends), person, client, tests)


def taken(text: str, *windows: Window) -> list[tuple[str, str]]:
    """Visit and check, of each visit that is a check's."""
    seen, _ = judged(HEAD + text)
    return [(row["visit"], row["context"]) for row in checking.within(seen, windows, made().policy).to_pylist()]


def adult(started: str, ended: str = "", person: str = TESTER, client: str = "d9", actor: str = "technical_staff", by: str = "account") -> str:
    """A blocked visit to an adult site."""
    return f"{started} | {ended or started} | {person} | {client} | {actor} | {by} | pornography | bad.test | 1 | 0\n"


@pytest.mark.parametrize(("started", "ended", "inside"), [
    ("09:59:59", "10:00:05", False), ("10:00:00", "10:00:05", True), ("10:29:30", "10:30:00", True), ("10:29:30", "10:30:01", False),
    ("10:30:01", "10:30:01", False)])
def test_a_visit_is_a_checks_from_the_first_second_of_the_window_to_the_last(started: str, ended: str, inside: bool) -> None:
    """The boundary minutes: what begins a second early, or is not over when the window is, is nobody's test."""
    assert taken(adult(started, ended), window()) == ([("s1:1", "K-0001")] if inside else [])


def test_only_the_registered_account_or_address_and_only_what_was_to_be_tested() -> None:
    """Another account, another device and another kind of site stay what they are."""
    other = "10:05 | 10:05 | p9 | d9 | technical_staff | account | gambling | bets.test | 1 | 0\n"
    page = "10:05 | 10:05 | p9 | d9 | technical_staff | account | filter_check | testfiltering.com | 0 | 1\n"
    assert taken(adult("10:05") + adult("10:05", person="p8") + other + page, window()) == [("s1:1", "K-0001"), ("s1:4", "K-0001")]
    by_device = window(person="", client="d9")
    assert taken(adult("10:05", person="-") + adult("10:05", person="-", client="d8"), by_device) == [("s1:1", "K-0001")]
    both = window(client="d9")
    assert taken(adult("10:05") + adult("10:06", client="d8") + adult("10:07", person="p8"), both) == [("s1:1", "K-0001")]


def test_a_check_of_a_place_tests_whatever_the_filter_is_meant_to_block() -> None:
    """A new device is tested with a list of all kinds; a page of learning on the way is none of it."""
    text = (adult("10:05") + "10:06 | 10:06 | p9 | d9 | technical_staff | account | gambling | bets.test | 1 | 0\n"
            "10:07 | 10:07 | p9 | d9 | technical_staff | account | learning | maths.test | 0 | 3\n")
    assert [key for key, _ in taken(text, window(("new_device_default",)))] == ["s1:1", "s1:2"]
    assert [key for key, _ in taken(text, window(()))] == ["s1:1", "s1:2"]
    assert taken(text, window(("illegal_csam_list",))) == []  # a sealed verdict is linked by a person


def test_a_pupil_on_the_registered_device_is_no_tester() -> None:
    """What people.csv says of an account stands; where it says nothing, what looks like a pupil's account: no window hides a child."""
    account = adult("10:05", person="p7", actor="student", by="account")
    assert taken(account, window(person="", client="d9")) == []
    assert taken(account, window(person="p7")) == [("s1:1", "K-0001")]  # an account for tests of the pupils' profile, named beforehand
    assert taken(adult("10:05", person=PUPIL, actor="student", by="people"), window(person="", client="d9")) == []
    assert taken(adult("10:05", person=PUPIL, actor="student", by="people"), window(person=PUPIL)) == []


def test_a_check_names_nobody_is_counted_and_what_got_through_is_a_failure_as_ever() -> None:
    """One adult site blocked and one let through inside the window: no detection, both in the register, one filter failure."""
    text = adult("10:05") + adult("10:06").replace("bad.test | 1 | 0", "worse.test | 0 | 4")
    seen, verdicts = judged(HEAD + text)
    known = classify.in_context(verdicts, checking.within(seen, [window()], made().policy))
    for given, fired in ((verdicts, True), (known, False)):
        found, quiet = detect.fire(seen, given, made().rules, made().policy, DAY, NO_SEALED)
        assert bool(len(found) + len(quiet)) is fired
    (failure,) = incidents.breaches(seen, known, DETECTIONS.schema.empty_table(), DAY).to_pylist()
    assert (failure["part"], failure["site"]) == ("failure", "worse.test")
    assert checking.seen(seen, known, ["K-0001"]) == {"K-0001": {"pornography": {"requests": 5, "blocked": 1, "allowed": 4}}}
    tallies = {(row["measure"], row["of"]): row["count"] for row in coverage.tallies(
        seen, known, DETECTIONS.schema.empty_table(), INCIDENTS.schema.empty_table(), DAY).to_pylist()}
    assert tallies["visits of registered checks", ""] == 2
    assert ("visits against by category", "pornography") not in tallies


KINDS = ("drugs", "gambling", "pornography", "violence_gore", "weapons")


def tried(seconds: list[int], kinds: tuple[str, ...] = KINDS, sites: str = "qzkam", blocked: int = 1) -> str:
    """One account at a site of each kind, so many seconds after ten."""
    begin = at("10:00")
    return "".join(f"{(begin + timedelta(seconds=n)).time().isoformat()} | {(begin + timedelta(seconds=n)).time().isoformat()} | p9 | d9 | "
                   f"technical_staff | account | {kind} | {site}.test | {blocked} | {1 - blocked}\n"
                   for n, kind, site in zip(seconds, kinds, sites, strict=False))


EVEN, UNEVEN = [0, 20, 40, 60, 80], [0, 3, 90, 95, 300]


@pytest.mark.parametrize(("text", "how"), [
    (tried(EVEN, kinds=KINDS[::-1]), "in even steps"), (tried(UNEVEN), "in the order of a list"),
    (tried(UNEVEN, kinds=KINDS[::-1]) + "10:01 | 10:01 | p9 | d9 | technical_staff | account | filter_check | testfiltering.com | 0 | 1\n",
     "beside a page that tests filters")])
def test_the_shape_of_a_test_without_a_window_says_so(text: str, how: str) -> None:
    """Many kinds in a few minutes, all stopped; and its visits are told still."""
    seen, verdicts = judged(HEAD + text)
    why = checking.shaped(seen, verdicts, made().policy)
    assert set(why) == {f"s1:{n}" for n in range(1, 6)}
    assert set(why.values()) == {f"looks like a filter test (5 kinds of sites {how}); no window is registered"}


@pytest.mark.parametrize("text", [
    tried(UNEVEN, kinds=KINDS[::-1]),                                                # neither even nor in order
    tried(EVEN, kinds=KINDS[:3]), tried([0, 20, 40, 60, 80], kinds=(KINDS[0],) * 5),  # few kinds
    tried([0, 300, 600, 900, 1200]), tried(EVEN, blocked=0)])                        # slow; let through
def test_ordinary_tries_have_no_such_shape(text: str) -> None:
    """Somebody who looks for things asks unevenly, for few kinds, and stays where it opens."""
    assert checking.shaped(*judged(HEAD + text), made().policy) == {}


def test_a_test_without_a_window_is_not_left_out() -> None:
    """The reason is added to the detection; no detection goes."""
    found = build(rows("rule | visit_keys | reasons\npornography | s1:1 | 1 blocked request\nvpn-site | s1:9 | a page"), DETECTIONS, {"day": DAY})
    told = checking.remarked(found, {"s1:1": "looks like a filter test"}).to_pylist()
    assert [row["reasons"] for row in told] == [["1 blocked request", "looks like a filter test"], ["a page"]]


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A school with the role of its keyboard."""
    folder = make(tmp_path / "school")
    role(folder, "technical_services_manager")
    return folder


ABOUT: dict[str, Any] = {"tester": "TSM", "device": "LT-14", "device_class": "laptop", "owner": "school", "site": "main",
                         "user_group": "students", "tool": "a list", "tests": ("proxy_sample",)}


def test_by_command_a_pupils_account_is_no_account_for_tests(school: Path) -> None:
    """Refused with a reason; without account and address the command says that nothing can be matched."""
    pupil = next(person.username for person in casework.sit(school).rules.people if person.role == "student")
    with pytest.raises(UsageError, match="a pupil's own account"):
        logbooks.check_plan(school, "2999-11-05 10:00", "2999-11-05 11:00", "termly", pupil, **ABOUT)
    assert "needs --login or --address" in logbooks.check_plan(school, "2999-11-05 10:00", "2999-11-05 11:00", "termly", **ABOUT)


def test_a_night_writes_what_it_saw_of_a_check_into_the_register_once(school: Path) -> None:
    """From the window to `checks list`: the tester's proxy stands in no incident, and a second night adds nothing."""
    log = school / "access.log"
    log.write_text("".join(line(9000 + 30 * n, "hideaway.test", "m.tester") for n in range(8)), "utf-8")
    first = datetime.fromisoformat("2026-11-02T08:00:00+00:00")
    event = checks.plan("K-0001", first, first + timedelta(hours=8), first - timedelta(days=1), who="a", role="dsl", reason="termly",
                        **ABOUT, person=casework.sit(school).key_of("m.tester"))
    schoolfolder.journal(school, "checks").append(*event)
    run(school, log)
    run(school, log)
    assert not casework.states_of(school)
    (entry,) = [entry for entry in schoolfolder.journal(school, "checks").entries() if entry.kind == "seen"]
    assert entry.body == {"day": "2026-11-02", "seen": {"bypass_web_proxy": {"requests": 8, "blocked": 0, "allowed": 8}}}
    assert "seen: bypass web proxy: 0 blocked, 8 let through" in "\n".join(logbooks.check_list(school))
    assert any(state.detected for state in register.fold_breaches(schoolfolder.journal(school, "breaches").entries()).values())
