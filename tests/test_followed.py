"""What followed, on leaders' and governors' pages: open actions, departures, checks, concerns; nothing small by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_school import line, make, quick, run
from test_lifecycle import POLICY

from pipeline import issuing, periods, schoolfolder
from pipeline.disclosure import Ledger
from pipeline.pages.parts import counted
from pipeline.publishing.followed import Acted, concerns
from pipeline.register import IncidentState, checks, tested
from pipeline.register import concerns as book

DAY = date(2026, 11, 2)
ROW = "IN-12"
DEFINITE = POLICY.sanctions[ROW].definite
BY = {"who": "a.person", "role": "dsl"}


def figures(states: Sequence[IncidentState] = (), ledger: Ledger | None = None, entries: Sequence[Any] = (), until: date = DAY) -> Any:
    """As much of the figures of November as is asked for: incidents, the ledger, the register of concerns."""
    desk = SimpleNamespace(rules=SimpleNamespace(policy=POLICY), registers={"concerns": SimpleNamespace(entries=lambda: entries)})
    return SimpleNamespace(states=lambda: list(states), desk=desk, small=5, ledger=ledger or Ledger([], 5, "leadership/termly"),
                           period=periods.month(DAY), until=until)


def incident(n: int, *done: str, departed: str = "", parents: str = "informed", row: str = ROW) -> IncidentState:
    """A confirmed incident of the n-th pupil, with the actions done and one departed from."""
    return IncidentState(f"I-{n:04}", day=str(DAY), verdict="confirmed", rows=(row,), summary={"subject": f"p{n}"}, parents=parents,
                         actions=tuple({"action": name} for name in done),
                         departures=({"action": departed, "reason": "his mother Mrs Bloggs asked"},) if departed else ())


def whole(states: Sequence[IncidentState]) -> Any:
    """The count of confirmed incidents that stands beside them."""
    return counted("confirmed", len(states))


def outstanding(*states: IncidentState) -> str:
    """What stands for the actions still open."""
    return Acted(figures(states)).outstanding(ROW, whole(states)).shown


def test_an_action_is_open_until_it_is_done_or_departed_from_and_parents_until_somebody_has_said() -> None:
    """Every definite action of the row counts; whatever is open keeps the incident open."""
    others = [name for name in DEFINITE if name != "inform_parents"]
    assert "inform_parents" in DEFINITE and len(others) > 1
    assert outstanding(*(incident(n, *others) for n in range(6))) == "0"
    assert outstanding(*(incident(n, *others, parents="") for n in range(6))) == "6"
    assert outstanding(*(incident(n, *others, parents="held") for n in range(6))) == "0", "held is decided, and looked at again"
    assert outstanding(*(incident(n, *others[1:]) for n in range(6))) == "6"
    assert outstanding(*(incident(n, *others[1:], departed=others[0]) for n in range(6))) == "0"


@pytest.mark.parametrize(("open_", "done", "shown"), [(6, 6, "6"), (6, 0, "6"), (4, 6, "withheld"), (6, 4, "withheld"), (0, 6, "0")])
def test_a_part_stands_beside_its_whole_only_where_the_rest_is_not_small_either(open_: int, done: int, shown: str) -> None:
    """Of ten confirmed six are open: that four are not would tell of four pupils."""
    states = [incident(n, *(DEFINITE if n >= open_ else ())) for n in range(open_ + done)]
    assert outstanding(*states) == shown


def test_a_part_is_withheld_beside_a_whole_that_is_not_told_or_is_of_before() -> None:
    """What the whole hides, the part may not tell; where the part was told before, that stands again."""
    ledger = Ledger([], 5, "leadership/termly")
    states = [incident(n) for n in range(6)]
    assert Acted(figures(states, ledger)).outstanding(ROW, counted("", None)).value is None
    assert Acted(figures(states, ledger)).outstanding(ROW, whole(states)).value == 6
    more = [*states, *(incident(n) for n in range(6, 9))]
    later = Ledger(ledger.fresh, 5, "leadership/termly")
    assert Acted(figures(more, later, until=DAY + timedelta(days=1))).outstanding(ROW, whole(states)).value == 6


def test_what_is_left_of_a_part_cannot_be_had_against_the_page_before_either() -> None:
    """Ten with five open, then sixteen with ten open: that one of six more was done would be told, so the five stand again."""
    ledger = Ledger([], 5, "leadership/termly")
    first = [incident(n, *(DEFINITE if n >= 5 else ())) for n in range(10)]
    assert Acted(figures(first, ledger)).outstanding(ROW, whole(first)).value == 5
    more = [*first, *(incident(n) for n in range(10, 15)), incident(15, *DEFINITE)]
    later = Ledger(ledger.fresh, 5, "leadership/termly")
    assert Acted(figures(more, later, until=DAY + timedelta(days=1))).outstanding(ROW, whole(more)).value == 5
    many = [*more, *(incident(n, *DEFINITE) for n in range(16, 21))]
    assert Acted(figures(many, later, until=DAY + timedelta(days=1))).outstanding(ROW, whole(many)).value == 10


def test_departures_are_told_by_action_and_never_by_their_reasons() -> None:
    """Left out what is definite, or added what is not; only of rows whose number stands; the reason may hold a name."""
    added = next(name for name in POLICY.columns if name not in DEFINITE)
    acted = Acted(figures([incident(n, departed=(DEFINITE[0], added)[n % 2]) for n in range(6)]))
    assert acted.departed(ROW, counted("", 6)).shown == "6"
    assert acted.kinds([ROW]) == tuple(sorted((f"{POLICY.columns[DEFINITE[0]]}, left out", f"{POLICY.columns[added]}, added")))
    assert acted.kinds([]) == ()


def test_concerns_are_counted_by_when_somebody_was_contacted_and_not_where_few() -> None:
    """In time, late, and not yet; of another month none; without a total to subtract from."""
    entries: list[Any] = []

    def write(event: Any) -> None:
        entries.append(SimpleNamespace(kind=event[0], ref=event[1], body=event[2], at="2026-11-05T09:00:00+00:00"))
    for n in range(1, 13):
        month = 10 if n == 12 else 11
        write(book.add(f"P-{n:04}", date(2026, month, 2), "parent", date(2026, month, 5), what="x", owner="HoY", **BY))
        state = book.fold_concerns(entries)[f"P-{n:04}"]
        if n <= 8:
            write(book.contacted(state, date(2026, 11, 4 if n <= 5 else 9), **BY, reason="rang"))
    assert [(count.label, count.shown) for count in concerns(figures(entries=entries))] == [
        ("Contacted in time", "5"), ("Contacted late", "withheld"), ("Not contacted yet", "withheld")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The termly and annual page of a school after a Monday, before and after a check that found something."""
    folder, told = make(tmp_path_factory.mktemp("made") / "school", ("web-proxy",)), {}
    log = folder / "access.log"
    log.write_text("".join(line(60 * n, "hideaway.test") for n in range(8)), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        run(folder, log)
        for when in ("before", "after"):
            for name, reader, period in (("termly", "leadership", "autumn-2026"), ("annual", "governors", "2026-27")):
                issuing.report(folder, name, period)
                told[f"{name} {when}"] = (folder / f"reports/{reader}/{name}-{period}.html").read_text("utf-8")
            if when == "before":
                _checked(folder)
    return told


def _checked(folder: Path) -> None:
    """A check of one of the five places: the child-abuse list failed."""
    log, by = schoolfolder.journal(folder, "checks"), {**BY, "reason": "termly"}
    begins = datetime(2026, 11, 2, 9, tzinfo=UTC)
    log.append(*checks.plan("K-0001", begins, begins + timedelta(hours=1), begins, **by, tester="TSM", device="LT-1", owner="school",
                            device_class="laptop", user_group="students", site="school devices", tool="a page"))
    results = dict.fromkeys(tested.CORE, "pass") | {"illegal_csam_list": "fail"}
    log.append(*checks.record(checks.fold_checks(log.entries())["K-0001"], results, DAY, **by, action="ring the supplier", owner="TSM",
                              due="2026-11-03"))


def test_leaders_and_governors_see_how_the_checks_stand_and_are_asked_for_those_that_lack(pages: dict[str, str]) -> None:
    """None made: a duty is overdue, and governors ask why; one made: what is left, with the result of each test."""
    said = "Checks of the filter: {} made, {} with a failure, 0 planned and not made. Of 5 places to test, {} never tested and 0 due again."
    assert said.format(0, 0, 5) in pages["termly before"] and said.format(1, 1, 4) in pages["termly after"]
    assert "Next check of the filter: due now" in pages["termly before"]
    assert "Decision needed: ask why the filter was not tested." in pages["annual before"]
    after = pages["annual after"]
    assert "Decision needed: ask by when 4 places will be tested." in after and "laptop, students, school devices" in after
    row = after[after.index(">Child-abuse list<"):]
    assert ">failed<" in row[:row.index("</tr>")] and "ring the supplier" not in after


def test_each_block_for_governors_ends_with_a_decision_or_with_none(pages: dict[str, str]) -> None:
    """Twelve blocks; those that ask something are listed first, each with a link to its block."""
    for name in ("annual before", "annual after"):
        page = pages[name]
        blocks = page.split("<section ")[2:]
        assert len(blocks) == 12 and all(block.count('<p class="ends') == 1 for block in blocks)
        asked = [block.split('aria-labelledby="')[1].split('"')[0] for block in blocks if "Decision needed: " in block]
        assert asked and [link.split('"')[0] for link in page.split('<li><a href="#')[1:]] == asked
