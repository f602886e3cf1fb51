"""Checks, concerns and the breach log: what people enter, what is refused, and that every register is walked."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import schoolgate, typed
from small_school import line, make, run
from test_casework import role

from pipeline import casework, logbooks, schoolfolder
from pipeline.problems import RefusedError, UsageError
from pipeline.register import breaches, checks, concerns

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
ABOUT = {"tester": "TSM", "device": "LT-14", "device_class": "laptop", "owner": "school", "site": "main building",
         "user_group": "students", "tool": "the supplier's test page", "tests": ("adult", "illegal_csam_list")}
BY = {"who": "a", "role": "technical_services_manager", "reason": "half-term check"}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school after a night that saw a proxy let through, and an illegal-content verdict of the filter at 10:00."""
    folder = make(tmp_path_factory.mktemp("logbooks") / "school")
    log = folder / "access.log"
    log.write_text("".join([line(0, "zz-planted.invalid", "m.tester", verdict="TCP_DENIED/451"),
                            *(line(9000 + 30 * n, "hideaway.test") for n in range(8))]), "utf-8")
    run(folder, log)
    role(folder, "technical_services_manager")
    return folder


@pytest.fixture
def school(night: Path, tmp_path: Path) -> Path:
    """A copy, to write in."""
    return shutil.copytree(night, tmp_path / "school")


def window(begins: datetime = NOW + timedelta(hours=1), **more: Any) -> Any:
    """A check planned for an hour from ten."""
    return checks.plan("K-0001", begins, begins + timedelta(hours=more.pop("hours", 1)), NOW, **BY, **(ABOUT | more))


@pytest.mark.parametrize(("more", "said"), [
    ({"begins": NOW - timedelta(minutes=1)}, "a window must stand before the test"), ({"hours": -1}, "ends before it begins"),
    ({"tests": ("luck",)}, "names 'luck'"), ({"device": " "}, "needs device"), ({"owner": "pupil"}, "needs owner of the device")])
def test_a_window_is_registered_beforehand_and_says_what_where_and_who(more: dict[str, Any], said: str) -> None:
    """A window made up afterwards would excuse anything."""
    with pytest.raises(UsageError, match=said):
        window(**more)


class Entry:
    """An entry as a journal gives it."""

    def __init__(self, kind: str, ref: str, body: dict[str, Any], at: str = "2026-11-05T09:00:00+00:00") -> None:
        self.kind, self.ref, self.body, self.at = kind, ref, body, at


def test_a_failed_test_needs_an_action_and_stands_until_it_is_done() -> None:
    """Planned, recorded with a failure, its action done; the matrix says when each place was last tested."""
    lines = [Entry(*window()), Entry(*checks.plan("K-0002", NOW + timedelta(days=1), NOW + timedelta(days=2), NOW, **BY,
                                                  **(ABOUT | {"device_class": "iPad"})))]
    states = checks.fold_checks(lines)
    with pytest.raises(UsageError, match="needs an action, its owner and a day"):
        checks.record(states["K-0001"], {"adult": "fail"}, date(2026, 11, 5), **BY)
    lines.append(Entry(*checks.record(states["K-0001"], {"adult": "fail", "illegal_csam_list": "pass"}, date(2026, 11, 5), **BY,
                                      action="ask the supplier", owner="TSM", due="2026-11-12")))
    states = checks.fold_checks(lines)
    assert (states["K-0001"].state, states["K-0001"].result) == ("recorded", "fail")
    assert checks.matrix(states.values()) == {("laptop", "students", "main building"): "2026-11-05 fail",
                                              ("iPad", "students", "main building"): ""}
    with pytest.raises(UsageError, match="is recorded already"):
        checks.record(states["K-0001"], {"adult": "pass"}, date(2026, 11, 6), **BY)
    lines.append(Entry(*checks.finish(states["K-0001"], date(2026, 11, 10), **BY)))
    assert checks.fold_checks(lines)["K-0001"].state == "done"
    with pytest.raises(UsageError, match="no action that waits"):
        checks.finish(states["K-0002"], date(2026, 11, 10), **BY)


def test_a_sealed_item_inside_a_window_is_named_and_a_person_links_it(school: Path) -> None:
    """Worked example 7: the tester's device inside a registered window; the check passes, and the Principal links the item to it."""
    event = checks.plan("K-0001", datetime(2026, 11, 2, 9, 50, tzinfo=UTC), datetime(2026, 11, 2, 11, 0, tzinfo=UTC),
                        datetime(2026, 11, 1, tzinfo=UTC), **BY, **ABOUT)
    schoolfolder.journal(school, "checks").append(*event)
    said = logbooks.check_record(school, "K-0001", "as planned", {"illegal_csam_list": "pass"}, date(2026, 11, 2))
    (item,) = (ref for ref, state in casework.states_of(school).items() if state.summary["tier"] == "T0")
    assert said[0] == "K-0001 is recorded: pass." and said[1].startswith(f"{item} is sealed and inside its window.")
    assert casework.states_of(school)[item].state == "suspected"
    with pytest.raises(UsageError, match="may not be dismissed by the role technical_services_manager"):
        casework.act(school, item, "dismissed", "our test", code="filter_check", reference="K-0001")
    role(school, "principal")
    with pytest.raises(UsageError, match="K-0009: is no check here"):
        casework.act(school, item, "dismissed", "our test", code="filter_check", reference="K-0009")
    casework.act(school, item, "dismissed", "our test", code="filter_check", reference="K-0001")
    assert casework.states_of(school)[item].reference == "K-0001"


def test_checks_by_command(school: Path) -> None:
    """Plan, record, list: a window of tomorrow, a result, and the matrix."""
    soon = datetime.now(UTC) + timedelta(days=1)
    options = ["--from", f"{soon:%Y-%m-%d} 10:00", "--until", f"{soon:%Y-%m-%d} 11:00", "--tester", "TSM", "--device", "LT-14",
               "--device-class", "laptop", "--group", "students", "--site", "main", "--tool", "test page", "--reason", "termly"]
    assert typed(school, "checks", "plan", *options, "--test", "adult").stdout.startswith("K-0001 is planned")
    done = schoolgate(school, "checks", "record", "K-0001", "--test", "adult=pass", "--reason", "went well", "--on", "05/11/2026")
    assert done.returncode == 0, done.stderr
    listed = schoolgate(school, "checks", "list").stdout
    assert re.search(r"^K-0001  recorded", listed, re.MULTILINE) and "2026-11-05 pass" in listed
    late = schoolgate(school, "checks", "plan", *options[:1], "2026-11-02 10:00", *options[2:])
    assert late.returncode == 2 and "a window must stand before the test" in late.stderr


def test_whoever_reports_a_concern_is_contacted_in_three_school_days(school: Path) -> None:
    """Taken in on a Thursday, due on Tuesday; overdue until contacted; done only after that. What was said is on no list."""
    role(school, "head_of_year")
    assert logbooks.concern_add(school, "worried about a game", "parent", "Head of Year 9", date(2026, 11, 5)) == (
        "P-0001 is for Head of Year 9, who contacts them by 2026-11-10.")
    state = concerns.fold_concerns(schoolfolder.journal(school, "concerns").entries())["P-0001"]
    assert [state.overdue(date(2026, 11, day)) for day in (10, 11)] == [False, True]
    with pytest.raises(UsageError, match="only after whoever reported it was contacted"):
        logbooks.concern_done(school, "P-0001", "settled")
    with pytest.raises(UsageError, match="before it was reported"):
        logbooks.concern_contacted(school, "P-0001", "rang", date(2026, 11, 4))
    logbooks.concern_contacted(school, "P-0001", "rang the father", date(2026, 11, 9))
    logbooks.concern_done(school, "P-0001", "filter explained, game blocked")
    (text,) = logbooks.concern_list(school)
    assert re.match(r"P-0001  done +2026-11-05  parent +Head of Year 9  contacted 2026-11-09$", text) and "game" not in text
    with pytest.raises(UsageError, match="is no incident here"):
        logbooks.concern_add(school, "x", "parent", "y", incident="I-0099")
    role(school, "dpo")
    with pytest.raises(RefusedError, match="may not take in concerns"):
        logbooks.concern_add(school, "x", "parent", "y")


def test_a_breach_is_completed_by_people_and_verified_by_a_check_that_passed(school: Path) -> None:
    """Cause, fix, supplier and check stand beside what the night saw; a check that failed, or none, verifies nothing."""
    ref = "B-0001"
    for about, said in (({"cause": "gremlins"}, "needs cause"), ({"fixed_on": "2026-11-01"}, "before it was first seen"),
                        ({"verified_by": "K-0009"}, "by a check that passed"), ({}, "needs something to complete")):
        with pytest.raises(UsageError, match=said):
            logbooks.breach_complete(school, ref, "looked into", **about)
    for event in (checks.plan("K-0001", NOW, NOW + timedelta(hours=1), NOW, **BY, **ABOUT),
                  ("recorded", "K-0001", {**BY, "tests": {"adult": "pass"}, "on": "2026-11-05", "result": "pass", "action": "", "owner": "", "due": ""})):
        schoolfolder.journal(school, "checks").append(*event)
    logbooks.breach_complete(school, ref, "supplier had it uncategorised", cause="uncategorised_default_allow", provider_reference="T-77")
    done = typed(school, "breach", "complete", ref, "--fix", "blocked by name", "--fixed-on", "2026-11-05", "--check", "K-0001",
                      "--reason", "tested")
    assert done.returncode == 0 and "fixed in 3 days" in done.stdout, done.stderr
    state = breaches.fold_breaches(schoolfolder.journal(school, "breaches").entries())[ref]
    assert state.completed == {"cause": "uncategorised_default_allow", "provider_reference": "T-77", "fix": "blocked by name",
                               "fixed_on": "2026-11-05", "verified_by": "K-0001"}
    assert state.days_to_fix == 3 and [event.kind for event in state.history] == ["completed", "completed"]
    assert ref not in "\n".join(logbooks.breach_list(school, waiting=True)) and ref in "\n".join(logbooks.breach_list(school))
    before = dict(state.days)
    run(school, school / "access.log")
    after = breaches.fold_breaches(schoolfolder.journal(school, "breaches").entries())[ref]
    assert after.completed == state.completed and dict(after.days) == before


def test_every_register_is_walked(school: Path) -> None:
    """A letter changed in any of the new registers is found by `verify`, with its line."""
    role(school, "dsl")
    logbooks.concern_add(school, "worried", "parent", "DSL", date(2026, 11, 5))
    schoolfolder.journal(school, "checks").append(*checks.plan("K-0001", NOW, NOW + timedelta(hours=1), NOW, **BY, **ABOUT))
    assert schoolfolder.verify(school) == []
    for name, word in (("concerns", "worried"), ("checks", "LT-14")):
        path = school / f"var/registers/{name}.jsonl"
        path.write_text(path.read_text("utf-8").replace(word, word[::-1]), "utf-8")
        assert f"{name}.jsonl, line 1" in str(schoolfolder.verify(school)[0])
        path.write_text(path.read_text("utf-8").replace(word[::-1], word), "utf-8")
