"""Incidents at the command line: listed, looked at, entered and moved on by the login at the keyboard."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from front_door import schoolgate
from small_school import MONDAY, PEOPLE, line, make, run

from pipeline import casework, evidence, keyboard, schoolfolder, telling
from pipeline.problems import RefusedError, UsageError

ME = keyboard.login()


NIGHTS: list[Path] = []  # the school after its night, made once for all that import the fixture


@pytest.fixture
def school(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a school after a night: Jo tried adult sites at 13:53, with a helpline, a welfare site, a sealed item and a lesson
    around it; a member of staff and a device without a name tried others."""
    if not NIGHTS:
        NIGHTS.append(a_night(tmp_path_factory.mktemp("casework") / "school"))
    return shutil.copytree(NIGHTS[0], tmp_path / "school")


def a_night(place: Path) -> Path:
    """The school of the fixture above."""
    folder = make(place, ("pornography", "welfare"))
    own = folder / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "lifeline.test,help_seeking,ours,DSL,2027-07-31\nthinning.test,eating_disorder,ours,DSL,"
                   "2027-07-31\n", "utf-8")
    log = folder / "access.log"
    log.write_text("".join([
        line(13_000, "lifeline.test"), line(13_100, "thinning.test", verdict="TCP_DENIED/403"), line(13_200, "fenmarsh.test"),
        *(line(14_000 + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", verdict="TCP_DENIED/403") for n in range(6)),
        line(14_900, "zz-planted.invalid", verdict="TCP_DENIED/451"), line(20_000, "fenmarsh.test"),
        *(line(15_000 + 40 * n, "adult-one.test", "j.inkpen", "10.30.0.4", "TCP_DENIED/403") for n in range(6)),
        *(line(16_000 + 40 * n, "adult-one.test", "library3", "10.20.0.77", "TCP_DENIED/403") for n in range(6))]), "utf-8")
    run(folder, log)
    return folder


def role(folder: Path, named: str) -> None:
    """Whoever is at the keyboard has this role from now on."""
    path = folder / "school.toml"
    path.write_text(re.sub(rf'^{re.escape(ME)} = "\w+"', f'{ME} = "{named}"', path.read_text("utf-8"), flags=re.MULTILINE), "utf-8")


def ref_on(folder: Path, route: str) -> str:
    """The reference of the first incident on a route."""
    return next(ref for ref, state in casework.states_of(folder).items() if state.summary["route"] == route)


def test_a_list_is_filtered_by_state_route_tier_day_and_what_is_overdue(school: Path) -> None:
    """Each filter lets its own through; a due day stands beside what waits, and no name anywhere."""
    lines = casework.incidents(school)
    assert {text.split()[4] for text in lines} == {"student", "welfare", "staff", "attribution", "sealed"}
    assert all(" due " in text or " overdue since " in text for text in lines)
    assert not re.search("bloggs|inkpen|library3", " ".join(lines), re.IGNORECASE)
    for only, count in ((casework.Filter(route="staff"), 1), (casework.Filter(tier="T1"), 1), (casework.Filter(state="confirmed"), 0),
                        (casework.Filter(day=date(2026, 11, 3)), 0), (casework.Filter(day=MONDAY), len(lines))):
        assert len(casework.incidents(school, only)) == count
    shown = schoolgate(school, "incident", "list", "--route", "staff")
    assert shown.returncode == 0 and len(shown.stdout.splitlines()) == 1


def test_the_story_has_its_hour_without_help_welfare_and_sealed_rows(school: Path) -> None:
    """An ordinary site of that hour is there, one of later not; what was left out is only counted, and the look is written down."""
    told = "\n".join(telling.incident(school, ref_on(school, "student")))
    assert "fenmarsh[.]test" in told and "adult-one[.]test" in told
    assert not re.search("lifeline|thinning|zz-planted|Bloggs|jbloggs", told)
    assert "an hour each side; 3 left out" in told
    assert told.count("fenmarsh[.]test") == 1
    assert re.search(r"^ask +IN-14 if deliberate$", told, re.MULTILINE)
    assert re.search(r"^ask +no row and no sanction if accidental and reported$", told, re.MULTILINE)
    assert re.search(r"^IN-14 would be  definite: Refer to Head of Faculty", told, re.MULTILINE)
    assert re.search(r"^IN-14 would be  told as well, by the safeguarding overlay \(not in your policy\): dsl", told, re.MULTILINE)
    looks = [entry for entry in schoolfolder.journal(school, "access").entries() if entry.kind == "look"]
    assert [(entry.ref, (entry.body or {})["by"]) for entry in looks] == [(ref_on(school, "student"), ME)]


def test_no_line_of_the_story_has_a_site_that_can_be_clicked(school: Path) -> None:
    """Sites, the keys of detections, and what people wrote: all are defanged, and nothing of them is lost."""
    ref = ref_on(school, "student")
    casework.act(school, ref, "noted", "seen on bad-place.test too")
    told = "\n".join(telling.incident(school, ref))
    assert not re.search(r"[a-z0-9]\.(test|example)|http", told) and "seen on bad-place[.]test too" in told
    (sites,) = re.findall(r"^sites +(.*)$", told, re.MULTILINE)
    assert sites.replace("[.]", ".").split(", ") == casework.states_of(school)[ref].summary["sites"]


def test_of_a_staff_or_welfare_matter_others_see_only_that_there_is_one(school: Path) -> None:
    """Neither a pseudonym nor a site nor what it is about, in the story and in the list; the Principal and the DSL see theirs."""
    staff, welfare = ref_on(school, "staff"), ref_on(school, "welfare")
    for who, closed, opened in (("technical_services_manager", (staff, welfare), ()), ("dsl", (staff,), (welfare,)),
                                ("principal", (welfare,), (staff,)), ("dpo", (staff, welfare), ())):
        role(school, who)
        lines = {line.split()[0]: line for line in casework.incidents(school)}
        for ref in (*closed, *opened):
            state = casework.states_of(school)[ref]
            told = "\n".join(telling.incident(school, ref))
            shown = [word in told for word in (state.summary["subject"], state.summary["categories"][0], "[.]")]
            assert shown == [ref in opened] * 3 and (state.summary["categories"][0] in lines[ref]) == (ref in opened)
            assert ref in opened or "what it is  is for those who may open it: " in told


def test_who_may_not_open_an_incident_sees_no_context(school: Path) -> None:
    """A technician sees no pupil's hour; nothing is written down, for nothing was seen."""
    role(school, "technical_services_manager")
    assert "context     is for those who may open it" in telling.incident(school, ref_on(school, "student"))
    assert not [entry for entry in schoolfolder.journal(school, "access").entries() if entry.kind == "look"]


def test_entered_by_hand_listed_on_the_next_page_and_moved_on(school: Path) -> None:
    """A parent told of a message: IN-09, serious, with its own words on the DSL list once the day is judged again."""
    said = casework.add(school, casework.Told("rude messages in a group, the mother rang", "parent", MONDAY, ("IN-09",), "19jbloggs",
                                              time(11, 10)))
    ref = said.split()[0]
    state = casework.states_of(school)[ref]
    assert (state.summary["tier"], state.summary["year"], state.summary["route"], state.source) == ("T2", "9", "student", "parent")
    assert state.summary["started"] == "2026-11-02T11:10:00+00:00"
    with (school / "access.log").open("a") as log:
        log.write(line(20_100, "fenmarsh.test"))
    run(school, school / "access.log")
    page = (school / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")
    assert ref in page and "rude messages in a group" in page
    assert "confirmed, by" in casework.act(school, ref, "confirmed", "spoken with both", rows=("IN-09",), reported="yes")


@pytest.mark.parametrize(("told", "said"), [
    ({"rows": ("IN-99",)}, "is no row of table 7.2"), ({"source": "gossip"}, "needs source"), ({"what": " "}, "needs a reason"),
    ({"day": date(2030, 1, 1)}, "has not come yet")])
def test_what_cannot_be_entered_is_said_and_nothing_is(school: Path, told: dict[str, Any], said: str) -> None:
    """No such row, no source, no words, or a day to come."""
    before = len(casework.states_of(school))
    with pytest.raises(UsageError, match=said):
        casework.add(school, casework.Told(**{"what": "a thing", "source": "staff", "day": MONDAY} | told))
    assert len(casework.states_of(school)) == before


def test_a_shared_login_is_identified_and_then_the_table_speaks(school: Path) -> None:
    """Until somebody is named nothing is proposed; then the rows of its categories are asked."""
    ref = ref_on(school, "attribution")
    with pytest.raises(UsageError, match="takes no row of table"):
        casework.act(school, ref, "confirmed", "x", rows=("IN-14",))
    casework.act(school, ref, "unidentified", "who sat there?")
    casework.identify(school, ref, "20mquill", "the librarian's booking sheet")
    state = casework.states_of(school)[ref]
    assert (state.state, state.summary["year"], state.rows) == ("in_triage", "8", ("IN-14", "IN-13"))


def test_what_somebody_told_outlives_who_it_was(school: Path) -> None:
    """The row that a teacher named is still asked once the pupil is known; a day without a time stays one, on page and in tables."""
    ref = casework.add(school, casework.Told("a rude message, in class", "staff", MONDAY, ("IN-09",))).split()[0]
    casework.act(school, ref, "unidentified", "which of the two?")
    casework.identify(school, ref, "20mquill", "said so")
    state = casework.states_of(school)[ref]
    assert state.rows == ("IN-09",) and state.summary["time"] == "not told"
    with (school / "access.log").open("a") as log:
        log.write(line(20_100, "fenmarsh.test"))
    run(school, school / "access.log")
    page = (school / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")
    assert "a rude message" in page and "04:00" not in page
    casework.act(school, ref, "confirmed", "spoken with", rows=("IN-09",))
    evidence.records(school, school / "records.csv", "asked")
    (row,) = csv.DictReader((school / "records.csv").read_text("utf-8").splitlines())
    assert (row["time_utc"], row["policy_rows"]) == ("", "IN-09") and row["what"].startswith("Sending")


def test_nobody_decides_about_themselves(school: Path) -> None:
    """The login at the keyboard is the one the incident is about: refused, and nothing is written."""
    (school / "people.csv").write_text(PEOPLE + f"{ME},Me,student,9,Heron\n", "utf-8")
    ref = casework.add(school, casework.Told("seen on my account", "staff", MONDAY, ("IN-02",), ME)).split()[0]
    with pytest.raises(RefusedError, match="is about you"):
        casework.act(school, ref, "dismissed", "it was nothing", code="false_positive")


def test_a_mistaken_identity_travels_to_every_page_that_named_it(school: Path) -> None:
    """The entry names the pages, each that is still there says so at its top, and the record counts no more."""
    ref = ref_on(school, "student")
    casework.act(school, ref, "confirmed", "spoken with", rows=("IN-14",))
    done = schoolgate(school, "incident", "correct", ref, "--why", "mistaken_identity", "--reason", "his brother had the laptop")
    assert done.returncode == 0 and "dsl-list-2026-11-02" in done.stdout
    page = (school / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")
    assert f"{ref} was wrong and no longer holds" in page
    state = casework.states_of(school)[ref]
    assert (state.state, state.rows, state.correction["why"]) == ("corrected", (), "mistaken_identity")
    assert "Corrected" not in (school / "reports/principal/principal-2026-11-02.html").read_text("utf-8")


def test_the_whole_path_by_command(school: Path) -> None:
    """Triage, confirm, act, parents, tell, close: each a command with its reason; a step out of turn is a sentence and code 2."""
    ref = ref_on(school, "student")
    for words in (("triage",), ("confirm", "--row", "IN-14", "--intent", "deliberate", "--reported", "no"),
                  ("act", "--done", "hof_hoh=05/11/2026", "--done", "tech_support_ban=2026-11-05", "--depart", "police_pcso=DSL decided",
                   "--depart", "further_sanction=first time"),
                  ("tell", "--agency", "social care", "--on", "2026-11-05"), ("parents", "informed"), ("close",)):
        done = schoolgate(school, "incident", words[0], ref, *words[1:], "--reason", "as agreed")
        assert done.returncode == 0, done.stderr
    assert casework.states_of(school)[ref].state == "closed"
    late = schoolgate(school, "incident", "act", ref, "--done", "warning=2026-11-06", "--reason", "x")
    assert late.returncode == 2 and "it can be acted only when it is confirmed, actions_recorded" in late.stderr
