"""Exceptions and rules on watch hide what is found, are counted, and never delete."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from small_school import MONDAY, lake_of, line, make, run

from pipeline.excepted import Hiding, read_exceptions
from pipeline.rulebook.reading import read_rules
from pipeline.tables import DETECTIONS, INCIDENTS, TALLIES

HEAD = "rule,site_or_person,reason,owner,approver,until\n"
LAST = "2026-11-30"


@pytest.mark.parametrize(("row", "fault", "try_this"), [
    ("web-proxy,a.example,why,tsm,dsl,", "has no until", "fill in until"),
    ("web-proxy,a.example,,tsm,dsl,2026-12-01", "has no reason", "fill in reason"),
    ("web-prxy,a.example,why,tsm,dsl,2026-12-01", "'web-prxy' is no rule", "web-proxy"),
    ("web-proxy,a.example,why,tsm,dsl,soon", "until is 'soon', which is not a date", "2027-07-31"),
    ("web-proxy,a.example,why,tsm,tsm,2026-12-01", "is approved by its own owner", "an approver who is somebody else"),
])
def test_a_row_that_cannot_be_used_is_said_and_the_others_hold(row: str, fault: str, try_this: str) -> None:
    """What, where, and what to try; the sound row below it still counts."""
    kept, problems = read_exceptions(f"{HEAD}{row}\nweb-proxy,b.example,why,tsm,dsl,30/11/2026\n", ["web-proxy"])
    assert [(p.where, p.what, p.try_this) for p in problems] == [("rules/exceptions.csv:2", fault, try_this)]
    assert [(one.host, one.until) for one in kept] == [("b.example", date(2026, 11, 30))]


@pytest.mark.parametrize(("cell", "rule", "host", "person", "tier", "day", "hidden"), [
    ("hideaway.example", "web-proxy", "hideaway.example", "p1", "T2", "2026-11-30", True),
    ("hideaway.example", "web-proxy", "www.hideaway.example", "p1", "T2", "2026-11-30", True),   # and all under it
    ("hideaway.example", "web-proxy", "nothideaway.example", "p1", "T2", "2026-11-30", False),  # on label boundaries
    ("hideaway.example", "web-proxy", "hideaway.example", "p1", "T2", "2026-12-01", False),     # until, and no longer
    ("hideaway.example", "games", "hideaway.example", "p1", "T3", "2026-11-30", False),         # of its rule only
    ("j.smith", "web-proxy", "other.example", "p1", "T2", "2026-11-30", True),                  # a login of people.csv
    ("login:new.one", "web-proxy", "other.example", "p2", "T2", "2026-11-30", True),            # or said to be one
    ("j.smith", "web-proxy", "other.example", "p3", "T2", "2026-11-30", False),
    ("hideaway.example", "web-proxy", "hideaway.example", "p1", "T1", "2026-11-30", False),     # welfare is never hidden
    ("hideaway.example", "web-proxy", "hideaway.example", "p1", "T0", "2026-11-30", False),
])
def test_what_an_exception_hides(cell: str, rule: str, host: str, person: str, tier: str, day: str, hidden: bool) -> None:
    """One rule, one host with all under it or one person, up to its last day, and never a matter of welfare."""
    kept, problems = read_exceptions(f"{HEAD}web-proxy,{cell},the reason,tsm,dsl,{LAST}\n", ["web-proxy", "games"], {"j.smith"})
    assert not problems
    hiding = Hiding((), kept, {"j.smith": "p1", "new.one": "p2"}, date.fromisoformat(day))
    told = hiding.why(rule, host, person, tier)
    assert bool(told) == hidden
    assert not hidden or (told.endswith(f"until {LAST}: the reason") and "smith" not in told)


def a_night(folder: Path, row: str = "", watch: str = "") -> Path:
    """A school in which a pupil spends a lesson on a proxy and another asks for a casino, with one exception or rule on watch."""
    make(folder, ("web-proxy", "gambling"))
    (folder / "rules/exceptions.csv").write_text(HEAD + row, "utf-8")
    (folder / "rules/lists/own.csv").write_text(
        "entry,category,reason,owner,until\nhideaway.test,bypass_web_proxy,a proxy,tsm,\nbet.test,gambling,a casino,tsm,\n", "utf-8")
    if watch:
        path = folder / f"rules/detect/{watch}.toml"
        path.write_text("watch = true\n" + path.read_text("utf-8"), "utf-8")
    log = folder / "access.log"
    log.write_text("".join([*(line(60 + 30 * n, "www.hideaway.test") for n in range(6)),
                            *(line(63 + 30 * n, "bet.test", "20mquill", "10.20.0.8") for n in range(6))]), "utf-8")
    assert not run(folder, log).problems
    return folder


@pytest.mark.parametrize(("row", "watch", "why"), [
    (f"web-proxy,hideaway.test,the county's own,tsm,dsl,{LAST}\n", "", f"web-proxy on hideaway.test, until {LAST}: the county's own"),
    (f"web-proxy,19jbloggs,tests it,tsm,dsl,{LAST}\n", "", f"web-proxy on one person, until {LAST}: tests it"),
    ("", "web-proxy", "the rule is on watch"),
])
def test_what_is_hidden_is_kept_and_counted(tmp_path: Path, row: str, watch: str, why: str) -> None:
    """The detection stays with its reason, no incident tells it, the tallies count it, and each page says so."""
    folder = a_night(tmp_path / "school", row, watch)
    lake = lake_of(folder)
    assert {(r["rule"], r["hidden"]) for r in lake.table(DETECTIONS, [MONDAY]).to_pylist()} == {("web-proxy", why), ("gambling", "")}
    assert [r["categories"] for r in lake.table(INCIDENTS, [MONDAY]).to_pylist()] == [["gambling"]]
    tallies = lake.table(TALLIES, [MONDAY]).to_pylist()
    assert [(r["of"], r["count"]) for r in tallies if r["measure"] == "hidden detections"] == [(why, 1)]
    pages = {name: (folder / f"reports/{name}-2026-11-02.html").read_text("utf-8")
             for name in ("technical/nightly", "safeguarding/dsl-list", "principal/principal")}
    assert all("1 detection is not shown here, by 1 decision" in text for text in pages.values())
    assert "19jbloggs" not in pages["technical/nightly"]
    assert "fewer than 5 detections" in next((folder / "reports/leadership").glob("termly*.html")).read_text("utf-8")


def test_an_exception_that_has_ended_hides_nothing(tmp_path: Path) -> None:
    """From the day after its last, both are incidents again."""
    folder = a_night(tmp_path / "school", "web-proxy,hideaway.test,the county's own,tsm,dsl,2026-11-01\n")
    assert len(lake_of(folder).table(INCIDENTS, [MONDAY])) == 2
    assert "not shown here" not in (folder / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")


def test_an_exception_for_one_site_leaves_the_others_of_a_persons_day(tmp_path: Path) -> None:
    """A rule that wants three visits of a day does not count the hidden one among them."""
    kept, _ = read_exceptions(f"{HEAD}often,a.example,why,tsm,dsl,{LAST}\n", ["often"])
    hiding = Hiding((), kept, {}, MONDAY)
    assert [bool(hiding.why("often", host, "p1", "T3")) for host in ("a.example", "b.example")] == [True, False]


def test_watch_is_yes_or_no() -> None:
    """Anything else is a fault with its line."""
    text = Path(__file__).parent.parent.joinpath("rules/detect/tor.toml").read_text("utf-8")
    _, problems = read_rules({"rules/detect/tor.toml": 'watch = "maybe"\n' + text})
    assert [(p.where, p.try_this) for p in problems] == [("rules/detect/tor.toml:1", "watch = true")]
