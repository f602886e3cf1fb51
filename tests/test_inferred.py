"""Changes of the filter that nobody entered: what is inferred from traffic, what is not, and that nothing is told twice."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from small_school import line, make, run
from tables_text import build, rows, visits

from pipeline import deciding, inferred, register, schoolfolder, turned
from pipeline.lists import OWN
from pipeline.register import ChangeState
from pipeline.tables import FILTERED

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 2)


def days(text: str, profile: str = "student", taught: bool = True) -> list[dict[str, object]]:
    """Rows of FILTERED of one site: `day of the month | requests | blocked | allowed`, allowed the rest where `-`."""
    found = []
    for row in rows(text):
        requests, blocked = int(row["requests"]), int(row["blocked"])
        allowed = requests - blocked if row.get("allowed") is None else int(row["allowed"])
        found.append({"day": date(2026, 11, int(row["day"])), "site": row.get("site") or "x.example", "profile": profile, "taught": taught,
                      "category": "games", "requests": requests, "blocked": blocked, "allowed": allowed})
    return found


def turns(items: list[dict[str, object]]) -> list[tuple[str, str, int]]:
    """Site, new state and first day of every turn in these days."""
    return [(t.site, t.state, t.first.day) for t in turned.turns(build(items, FILTERED, {}))]


BLOCKED_THEN_OPEN = "day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n5 | 7 | 0\n"


@pytest.mark.parametrize(("text", "found"), [
    (BLOCKED_THEN_OPEN, [("x.example", "allowed", 5)]),
    ("day | requests | blocked\n2 | 6 | 0\n3 | 8 | 0\n5 | 7 | 7\n", [("x.example", "blocked", 5)]),
    ("day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n4 | 9 | 3\n5 | 7 | 0\n", [("x.example", "allowed", 5)]),
    ("day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n4 | 9 | 3\n5 | 7 | 2\n6 | 9 | 0\n", []),
    ("day | requests | blocked\n2 | 3 | 3\n3 | 6 | 6\n5 | 7 | 0\n", []),
    ("day | requests | blocked\n3 | 60 | 60\n5 | 7 | 0\n", []),
    ("day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n5 | 2 | 0\n", []),
    ("day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n5 | 2 | 0\n9 | 3 | 0\n", [("x.example", "allowed", 5)]),
    ("day | requests | blocked | allowed\n2 | 6 | 6 | 0\n3 | 8 | 8 | 0\n5 | 7 | 0 | 2\n", []),
], ids=["let through", "blocked", "turned at noon", "by page", "too few before", "one day before", "too few now", "a few a day", "warned"])
def test_a_verdict_has_turned_where_all_went_one_way_and_all_go_the_other(text: str, found: list[tuple[str, str, int]]) -> None:
    """On enough requests of two days at least; one day of both is the day of the change, more of them are a site blocked by page."""
    assert turns(days(text)) == found


def test_a_filter_that_opens_at_lunch_has_not_turned() -> None:
    """Lessons are compared with lessons: blocked in them and open outside them is one rule of the filter."""
    lessons = "day | requests | blocked\n2 | 6 | 6\n3 | 8 | 8\n"
    lunch = "day | requests | blocked\n4 | 9 | 0\n5 | 9 | 0\n"
    assert turns([*days(lessons), *days(lunch, taught=False)]) == []


def test_two_people_must_have_met_both() -> None:
    """A profile of the filter may be finer than ours: pupils who were never blocked say nothing of a change."""
    stays = """
        site      | subject | blocked | allowed | requests
        x.example | p1      | 7       | 0       | 7
        x.example | p2      | 7       | 0       | 7
        x.example | p1      | 0       | 4       | 4
        x.example | {}      | 0       | 3       | 3
    """
    found = turned.turns(build(days(BLOCKED_THEN_OPEN), FILTERED, {}))
    when = pa.array([MONDAY, MONDAY + DAY, MONDAY + 3 * DAY, MONDAY + 3 * DAY], pa.date32())
    for last, kept in (("p2", 1), ("p3", 0)):
        table = visits(stays.format(last)).append_column("day", when)
        assert len(turned.met_by_the_same(found, table, ["lesson"])) == kept


def entry(ref: str = "C-0001", **more: str) -> ChangeState:
    """An entry of the change log."""
    return ChangeState(ref, **({"opened_at": "2026-11-06T03:00:00+00:00", "kind": "changed"} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("entries", "told"), [
    ([], True),
    ([entry(object="rules/lists/own.csv x.example")], False),
    ([entry(object="list vpns", after="2 new in games: www.x.example, y.example")], False),
    ([entry(object="school.toml name", why="x.example was opened for Year 9")], False),
    ([entry(object="rules/lists/own.csv notx.example")], True),
    ([entry(object="rules/lists/own.csv x.example", opened_at="2026-11-01T03:00:00+00:00")], True),
    ([entry(object="filter verdict of x.example for student", kind="inferred_allowed", mark="2026-11-05 games")], False),
    ([entry(object="filter verdict of x.example for student", kind="inferred_allowed", mark="2026-11-04 games")], False),
    ([entry(object="filter verdict of many sites for student", kind="inferred_allowed", mark="2026-11-05 many")], False),
    ([entry(object="filter verdict of x.example for staff", kind="inferred_allowed", mark="2026-11-05 games")], True),
    ([entry(object="filter verdict of x.example for student", kind="inferred_blocked", mark="2026-11-05 games")], True),
    ([entry(object="filter verdict of x.example for student", kind="inferred_allowed", mark="2026-10-20 games")], True),
], ids=["none", "own list", "list update", "reason", "another site", "long before", "itself", "its first day moved", "many at once",
        "another profile", "the other way", "the time before"])
def test_a_turn_that_the_change_log_speaks_of_is_not_told(entries: list[ChangeState], told: bool) -> None:
    """Neither what a person or an edit entered since the old answer was last seen, nor what was inferred already."""
    assert bool(turned.fresh(turned.turns(build(days(BLOCKED_THEN_OPEN), FILTERED, {})), entries)) is told


def test_many_sites_that_turn_on_one_day_are_one_entry() -> None:
    """A new policy of the filter, or a filter that fell open, is one thing to explain and not forty."""
    for many, entries in ((turned.MANY, turned.MANY), (turned.MANY + 1, 1)):
        items = [row | {"site": f"s{n:02}.example"} for n in range(many) for row in days(BLOCKED_THEN_OPEN)]
        made = turned.entries_of(turned.turns(build(items, FILTERED, {})))
        assert len(made) == entries
    assert (made[0].size, made[0].mark) == (21, "2026-11-05 many")
    assert made[0].after == ("allowed since 2026-11-05: " + ", ".join(f"s{n:02}.example" for n in range(10)) + " and 11 more, 147 requests")


OWN_ROWS = [("maths.x.example", "learning", date(2026, 11, 3)), ("old.example", "learning", date(2026, 10, 1)),
            ("old.example", "learning", None), ("bad.example", "gambling", date(2026, 11, 3)), ("ahead.example", "learning", date(2026, 12, 1))]


def test_a_row_past_its_date_whose_site_is_still_let_through_is_an_entry() -> None:
    """Only a row that let something through, that nothing follows, and where nothing is blocked for that profile any more."""
    own = pa.Table.from_pylist([{"entry": e, "category": c, "until": u} for e, c, u in OWN_ROWS], schema=OWN)
    past = inferred.lapsed(own, date(2026, 11, 5), ["learning", "uncategorised"])
    assert list(past) == ["maths.x.example"]
    stays = """
        host                | actor   | blocked | allowed
        a.maths.x.example   | student | 0       | 4
        maths.x.example     | staff   | 0       | 2
        maths.x.example     | guest   | 3       | 1
        notmaths.x.example  | student | 0       | 9
        maths.x.example     | student | 0       | 5
    """
    when = pa.array([date(2026, 11, 5)] * 4 + [date(2026, 11, 3)], pa.date32())
    table = visits(stays).append_column("day", when)
    [made] = inferred.expired(past, table, [])
    assert (made.object, made.kind, made.before) == ("own entry maths.x.example", "expired", "learning until 2026-11-03")
    assert made.after == "still allowed for staff, student: 6 requests on 1 day, 2026-11-05"
    assert inferred.expired(past, table, [entry(object=made.object, kind="expired", mark=made.mark)]) == []


def test_whoever_approves_their_own_change_is_an_entry() -> None:
    """However they spell themselves; not of an entry that says just that."""
    states = [entry("C-0001", who="TSM", approver=" tsm ", explained_at="2026-11-06"), entry("C-0002", who="TSM", approver="SLT", explained_at="x"),
              entry("C-0003", kind="self_approved", who="TSM", approver="TSM", explained_at="x"), entry("C-0004")]
    assert [(c.object, c.before, c.after) for c in inferred.self_approved(states)] == [("change C-0001", "made by TSM", "approved by  tsm ")]


def log(folder: Path, day: int, verdict: str, name: str = "access", pupils: int = 3) -> Path:
    """A day's log: pupils who ask for one site in lessons, all blocked or all let through."""
    path = folder / f"{name}-{day}.log"
    path.write_text("".join(line(day * 86_400 + 5400 + n * 40, f"http://turned.test/{n}", f"19pupil{chr(97 + n % pupils)}", verdict=verdict) for n in range(9)))
    return path


def changes(folder: Path) -> list[tuple[str, str, str]]:
    """Every entry of the change log: of what, its kind, and what holds now."""
    states = register.fold_changes(schoolfolder.journal(folder, "changes").entries()).values()
    return [(state.object, state.kind, state.after) for state in states]


def test_the_night_enters_a_turn_once_and_shows_it(tmp_path: Path) -> None:
    """Three days blocked, then open: one entry with its evidence in counts, on the page, and never a second, late log or not."""
    school = make(tmp_path / "school")
    for day in range(3):
        run(school, log(school, day, "TCP_DENIED/403"))
    assert changes(school) == []
    run(school, log(school, 3, "TCP_MISS/200"))
    told = [("filter verdict of turned.test for student", "inferred_allowed",
             "allowed: all 9 requests in lessons on 1 day, 2026-11-05, by people who had met the other too")]
    assert changes(school) == told
    page = (school / "reports/technical/nightly-2026-11-05.html").read_text("utf-8").replace("<wbr>", "")
    assert "filter verdict of turned[.]test for student" in page and "blocked: all 27 requests in lessons on 3 days, 2026-11-02 to 2026-11-04" in page
    assert "pupila" not in page
    run(school, log(school, 4, "TCP_MISS/200"))
    run(school, log(school, 3, "TCP_MISS/200", "late"), log(school, 1, "TCP_DENIED/403", "late"))
    run(school)
    assert changes(school) == told
    deciding.explain(school, "C-0001", "TSM", "opened for the club", "TSM")
    run(school)
    assert changes(school)[1:] == [("change C-0001", "self_approved", "approved by TSM")]
