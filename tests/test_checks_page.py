"""The page of checks: what was tested where, gaps that say so, what is owed, and the same for both of its readers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from small_school import line, make, run

from pipeline import issuing, schoolfolder
from pipeline.pages import checks as page
from pipeline.pages.logs import LogPage
from pipeline.register import tested
from pipeline.register.checks import CheckState, finish, fold_checks, plan, record

BY = {"who": "a.person", "role": "technical_services_manager", "reason": "termly"}
ABOUT = {"tester": "TSM", "device": "LT-14", "device_class": "laptop", "owner": "school", "site": "main", "user_group": "students",
         "tool": "a test page"}
MONDAY = date(2026, 11, 2)
WANTED = [("laptop", "students", "main"), ("tablet", "students", "main"), ("laptop", "staff", "main")]


class Entry:
    """An entry as a journal gives it."""

    def __init__(self, kind: str, ref: str, body: dict[str, Any], at: str = "2026-10-30T09:00:00+00:00") -> None:
        self.kind, self.ref, self.body, self.at = kind, ref, body, at


def planned(ref: str, day: date, **about: str) -> Entry:
    """A check planned for nine o'clock of a day."""
    begins = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return Entry(*plan(ref, begins, begins + timedelta(hours=1), begins - timedelta(days=3), **BY, **(ABOUT | about)))


def log(*lines: Any) -> list[CheckState]:
    """The states of a log: each line a planned check, with the results, the day and what follows."""
    entries: list[Entry] = []
    for at, results, about, *more in lines:
        ref = f"K-{len({e.ref for e in entries}) + 1:04}"
        entries.append(planned(ref, at, **about))
        if results:
            entries.append(Entry(*record(fold_checks(entries)[ref], results, at, **BY, **(more[0] if more else {}))))
    return list(fold_checks(entries).values())


def of(states: list[CheckState], at: date = date(2026, 11, 6), wanted: Any = WANTED, **more: Any) -> page.Checked:
    """What the page is made of."""
    given = {"places": tested.by_place(states, wanted, at), "tests": tested.by_test(states, at), "checks": tested.recorded(states, at),
             "missed": tested.missed(states, at), "waiting": tested.waiting(states, at), "changed": (), "at": at, "every": 120}
    return page.Checked(**(given | more))


def cells(states: list[CheckState], **more: Any) -> dict[str, tuple[str, ...]]:
    """The matrix: what stands beside each device and site."""
    made = page.build("Autumn term", "A school", of(states, **more), {}, "Europe/London")
    return {row[0]: tuple(cell.replace("\u00a0", " ") for cell in row[1:]) for row in made.tables["places"].rows}


def owed(states: list[CheckState], **more: Any) -> list[str]:
    """What the page says is owed."""
    return [text.replace("\u00a0", " ") for text in page.owed(of(states, **more))]


def a_page(text: str = "") -> LogPage:
    """The page of a failed check and of one that was never made; `text`: in every place that takes a text."""
    about = dict.fromkeys(ABOUT.keys() - {"owner"}, text) if text else {}
    states = log((MONDAY, {"adult": "fail"}, about, {"action": text or "mend it", "owner": text or "TSM", "due": "2026-11-10"}),
                 (MONDAY, {}, about))
    return page.build(text or "Autumn term", text or "A school", of(states), {text: text} if text else {}, "Europe/London")


PASSED = dict.fromkeys(tested.CORE, "pass")


def test_a_place_that_was_never_tested_says_so_and_one_that_need_not_be_is_a_dash() -> None:
    """A cell has the last test and when the next is due; a later test of the place takes its stand."""
    states = log((MONDAY, PASSED, {}), (MONDAY + timedelta(days=1), {"adult": "fail"}, {"device": "LT-2"},
                                        {"action": "mend it", "owner": "TSM", "due": "2026-11-10"}))
    assert cells(states) == {"laptop, main": ("failed 3 Nov 2026; next due 3 Mar 2027", "never tested"),
                             "tablet, main": ("never tested", "–")}
    assert cells(states[:1], at=date(2027, 4, 1))["laptop, main"][0] == "passed 2 Nov 2026; overdue since 2 Mar 2027"
    assert cells(states, at=MONDAY)["laptop, main"][0].startswith("passed 2 Nov"), "as it stood on that day"


def test_where_no_place_is_named_every_device_group_and_site_of_the_log_counts_with_every_other() -> None:
    """Two places that were tested make four, two of them gaps; letters and spaces make no place of their own."""
    states = log((MONDAY, PASSED, {}), (MONDAY, PASSED, {"device_class": "tablet", "user_group": "staff"}),
                 (MONDAY, PASSED, {"device_class": " Laptop"}))
    assert cells(states, wanted=()) == {"laptop, main": ("passed 2 Nov 2026; next due 2 Mar 2027", "never tested"),
                                        "tablet, main": ("never tested", "passed 2 Nov 2026; next due 2 Mar 2027")}


def test_what_is_owed_is_a_sentence_each_and_nothing_is_said_where_nothing_is() -> None:
    """A failure until it is done, a window that nobody used, lists never tested, gaps, what is due again, a changed network."""
    failed = {"action": "mend it", "owner": "TSM", "due": "2026-11-04"}
    states = log((MONDAY, {"adult": "fail"}, {}, failed), (MONDAY, {}, {"device": "LT-3"}))
    assert owed(states, changed=["C-0002"]) == [
        "K-0001: mend it (TSM), overdue since 4 Nov 2026.", "K-0002 was planned for 2 Nov 2026, and nothing was recorded of it.",
        "Never tested, and part of every check: child-abuse list and terrorism list.",
        "Never tested: tablet, students, main; laptop, staff, main.",
        "Networks or accounts were changed after the last check (C-0002): test again."]
    whole = log(*((MONDAY, PASSED, dict(zip(("device_class", "user_group", "site"), place, strict=True))) for place in WANTED))
    assert owed(whole) == []
    assert owed(whole, at=date(2027, 3, 3)) == [
        "To be tested again: laptop, students, main; tablet, students, main; laptop, staff, main."]


def test_a_failure_whose_action_is_done_is_owed_no_more() -> None:
    """From the day on which somebody said so."""
    (state,) = log((MONDAY, {"adult": "fail"}, {}, {"action": "mend it", "owner": "TSM", "due": "2026-11-04"}))
    entries = [Entry(event.kind, state.ref, event.body) for event in state.history] + [Entry(*finish(state, MONDAY + timedelta(days=3), **BY))]
    done = list(fold_checks(entries).values())
    assert [tested.waiting(done, MONDAY + timedelta(days=n)) for n in (2, 3)] == [done, []]


def test_the_page_is_written_for_both_readers_with_its_tables_and_says_that_nothing_was_tested(tmp_path: Path) -> None:
    """With the night of a term and by command, alike to the byte for technical services and the DSL."""
    school = make(tmp_path / "school")
    log_file = school / "access.log"
    log_file.write_text("".join(line(60 * n, "hideaway.test") for n in range(8)), "utf-8")
    run(school, log_file)
    pages = [school / f"reports/{reader}/checks-autumn-2026.html" for reader in ("technical", "safeguarding")]
    assert pages[0].read_text("utf-8") == pages[1].read_text("utf-8")
    text = pages[0].read_text("utf-8")
    assert "0 checks of the filter, none with a failure. 5 places to test, 5 of them never tested." in text
    assert "Never tested, and part of every check: child-abuse list, terrorism list and adult content." in text
    begins = datetime(2026, 11, 2, 9, tzinfo=UTC)
    schoolfolder.journal(school, "checks").append(*plan("K-0001", begins, begins + timedelta(hours=1), begins, **BY, **ABOUT))
    state = fold_checks(schoolfolder.journal(school, "checks").entries())["K-0001"]
    schoolfolder.journal(school, "checks").append(*record(state, PASSED, MONDAY, **BY))
    assert "reports/technical/checks-2026-11.places.csv" in issuing.report(school, "checks", "2026-11").pages
    beside = (school / "reports/safeguarding/checks-2026-11.places.csv").read_text("utf-8")
    assert beside.splitlines()[0] == "\"Device, site\",Students,Staff,Guests" and "passed 2 Nov 2026; next due 2 Mar 2027" in beside
    assert ">passed 2" in (school / "reports/technical/checks-2026-11.html").read_text("utf-8")
