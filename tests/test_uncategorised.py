"""Sites on no list: which of them are shown, with what facts, and that nobody and no help-seeking stands among them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from front_door import schoolgate
from small_school import lake_of, line, make, run
from tables_text import visits

from pipeline.hosts import platform_of
from pipeline.school import read_school
from pipeline.uncategorised import unknown, words_of
from pipeline.unlisted import ends_week

STAYS = """
    site           | host                  | subject | category      | requests | blocked | band
    hub.example    | play.hub.example      | p1      | uncategorised | 3        | 0       | lesson
    hub.example    | hub.example           | p2      | uncategorised | 1        | 1       | lunch
    hub.example    | hub.example           | p2      | uncategorised | 4        | 0       | lesson
    one.example    | one.example           | p1      | uncategorised | 90       | 0       | lesson
    games.example  | games.example         | p1      | games         | 9        | 0       | lesson
    games.example  | games.example         | p2      | games         | 9        | 0       | lesson
    talk.example   | talk.example          | p1      | uncategorised | 9        | 0       | lesson
    talk.example   | help.talk.example     | p2      | help_seeking  | 9        | 0       | lesson
    talk.example   | talk.example          | p2      | uncategorised | 9        | 0       | lesson
    printer        | printer               | p1      | uncategorised | 9        | 0       | lesson
    printer        | printer               | p2      | uncategorised | 9        | 0       | lesson
    10.1.2.3       | 10.1.2.3              | p1      | uncategorised | 9        | 0       | lesson
    10.1.2.3       | 10.1.2.3              | p2      | uncategorised | 9        | 0       | lesson
    server.local   | nas.server.local      | p1      | uncategorised | 9        | 0       | lesson
    server.local   | nas.server.local      | p2      | uncategorised | 9        | 0       | lesson
"""


def test_sites_on_no_list_are_counted_by_people() -> None:
    """Those of enough people, without the school's own network and without any site that has help on it."""
    table = visits(STAYS)
    when = pa.array([date(2026, 11, 2 + (n == 2)) for n in range(len(table))], pa.date32())
    [one] = unknown(table.append_column("day", when), ["lesson"], ["help_seeking"], least=2)
    assert (one.site, one.people, one.days, one.requests, one.blocked, one.share) == ("hub.example", 2, 2, 8, 1, "88%")
    assert [each.site for each in unknown(table.append_column("day", when), ["lesson"], ["help_seeking"], least=1)] == ["hub.example", "one.example"]


@pytest.mark.parametrize(("hosts", "words"), [
    (["free-games66.example.co.uk", "cdn.free-games66.example.co.uk"], ("free", "games", "example")),
    (["www.hub.github.io"], ("hub",)), (["198.51.100.7"], ()), (["xn--bcher-kva.test"], ("b\u00fccher",)), (["xn--0.test"], ()),
    (["a.b2.cd.test"], ())])
def test_the_words_in_a_name_help_to_say_what_it_is(hosts: list[str], words: tuple[str, ...]) -> None:
    """Runs of three letters and more, the commonest first; no endings, no names of machines."""
    assert words_of(hosts) == words


@pytest.mark.parametrize(("site", "platform"), [("one.github.io", "github.io"), ("one.example.co.uk", ""), ("github.io", ""), ("x.test", "")])
def test_the_hosting_platform_is_its_private_suffix(site: str, platform: str) -> None:
    """A site there is anybody's: the platform says nothing of what it is, and the site does not speak for the platform."""
    assert platform_of(site) == platform


def test_a_week_ends_on_its_last_day_with_pupils() -> None:
    """Friday, or the day before the holidays begin; never on a closed day."""
    school, _ = read_school((Path(__file__).parent.parent / "school.toml").read_text("utf-8"))
    assert school
    days = [date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7), date(2027, 3, 25), date(2027, 3, 24), date(2026, 10, 27)]
    assert [ends_week(school.calendar, day) for day in days] == [False, True, False, True, False, False]


def test_the_page_of_the_last_day_of_the_week_shows_them_and_the_command_at_any_time(tmp_path: Path) -> None:
    """With the first day of each, across the days kept; of five people or more unless a number is given; nobody is named."""
    school = make(tmp_path / "school")
    for day, sites in ((0, ["early.test"]), (3, ["late.test"]), (4, ["early.test", "late.test"])):
        (school / f"access-{day}.log").write_text("".join(
            line(day * 86_400 + n * 30, f"http://{site}/{n}", f"19pupil{chr(97 + n % 6)}") for site in sites for n in range(6 + (site == "early.test"))))
        run(school, school / f"access-{day}.log")
    assert len(lake_of(school).judged()) == 3
    pages = {day: (school / f"reports/technical/nightly-2026-11-0{day}.html").read_text("utf-8") for day in (5, 6)}
    assert "On no list" not in pages[5]
    assert "early[.]test" in pages[6] and "2\u00a0Nov" in pages[6] and "5\u00a0Nov" in pages[6]
    assert "pupila" not in pages[6]
    said = schoolgate(school, "lists", "unknown").stdout.splitlines()
    assert said[0] == "2026-10-31 to 2026-11-06: 2 sites on no list that 5 people or more met"
    assert [row.split()[0:4] + row.split()[-3:] for row in said[2:]] == [
        ["6", "2", "14", "0", "2026-11-02", "early.test", "early"], ["6", "2", "12", "0", "2026-11-05", "late.test", "late"]]
    assert schoolgate(school, "lists", "unknown", "--from", "2026-11-05", "--until", "2026-11-05", "--least", "7").stdout.startswith("2026-11-05 to 2026-11-05: no sites")
