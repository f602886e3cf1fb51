"""What a school's own traffic shows of a site, learned from the days before, in whatever order they come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from small_school import MONDAY, derived, line, make, quick, run
from tables_text import DAY, build, rows, said, visits

from pipeline.habits import brought, fingerprint, of_day, read_brought, window
from pipeline.intent import NUMBERS
from pipeline.tables import HABITS
from pipeline.vault import load_keys


def history(text: str) -> list[str]:
    """What a text table of HABITS teaches."""
    return brought(build([row | {"day": DAY} for row in rows(text)], HABITS, {}), NUMBERS)


def test_a_day_leaves_a_row_a_site() -> None:
    """Tries, how many opened a burst and how many sites set off the others; searches and what is not watched are left out."""
    table = of_day(visits("""
        started | person | site         | tries | opened | set_off_by  | searched
        10:00   | p1     | bets.example | 3     | 1      | a.test,b.test | 0
        10:05   | p2     | bets.example | 2     | 0      | b.test,c.test | 0
        10:10   | p2     | find.example | 1     | 1      |             | 1
        10:15   | p2     | news.example | 0     | 0      |             | 0
    """), DAY)
    assert said(table, "site", "tries", "opened", "by_sites") == [("bets.example", 5, 1, 3)]


def test_a_site_that_follows_many_and_opens_little_is_brought_along() -> None:
    """Twenty tries, nine in ten set off, by five sites on one day; over all the days together."""
    assert history("""
        site           | tries | opened | by_sites
        adverts.test   | 12    | 1      | 5
        adverts.test   | 8     | 1      | 2
        few.test       | 19    | 0      | 9
        opened.test    | 20    | 3      | 9
        onepage.test   | 90    | 0      | 4
    """) == ["adverts.test"]
    assert history("site | tries | opened | by_sites") == []


def test_the_history_of_a_day_is_the_four_weeks_before_it() -> None:
    """It ends with the day before."""
    assert window(DAY, NUMBERS)[0] == DAY - timedelta(days=28) and window(DAY, NUMBERS)[-1] == DAY - timedelta(days=1)


def test_what_was_learned_has_a_fingerprint() -> None:
    """It changes with what was learned."""
    assert len({fingerprint(sites) for sites in ([], ["a.test"], ["a.test", "b.test"])}) == 3


def test_the_bundled_hosts_are_sound() -> None:
    """Every line is a host; a line that is none is told with its number."""
    names, faults = read_brought((Path(__file__).parents[1] / "rules/brought.txt").read_text("utf-8"))
    assert faults == [] and "player.vimeo.com" in names
    assert [fault.where for fault in read_brought("a.test\nno host\n")[1]] == ["rules/brought.txt:2"]


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """The rules are read once for all nights."""
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        yield


PAGES = ("fenmarsh.test", "learnwell.test", "dictionary.test", "codeclub.test", "shop.test", "encyclo.test")


def week() -> list[list[str]]:
    """Two days on which pages bring an advert of a bad kind along, and a third with one that comes alone; a log a day."""
    days = []
    for day in (0, 1):
        days.append([text for n in range(14) for text in (
            line(day * 86_400 + 60 * n, f"http://{PAGES[n % 6]}/{day}{n}"),
            line(day * 86_400 + 60 * n + 1.5, f"http://adult-one.test/{n}", verdict="TCP_DENIED/403"))])
    return [*days, [line(2 * 86_400 + 60, f"http://adult-one.test/{n}", user, verdict="TCP_DENIED/403")
                    for n, user in enumerate(("19jbloggs", "20mquill"))]]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_later_day_knows_what_the_days_before_taught_whenever_they_came(tmp_path: Path, order: Sequence[int]) -> None:
    """The lone advert names nobody once its habit is known, also where the days that teach it come in after it."""
    folder, logs = make(tmp_path / "school", rules=("pornography",)), week()
    load_keys(folder / "var/keys")
    named = []
    for day in order:
        log = tmp_path / f"{day}.log"
        log.write_text("".join(logs[day]))
        run(folder, log)
        tables = derived(folder)
        named.append([(str(row["day"]), row["intent"]) for row in tables["detections"]])
    assert named[-1] == [] and [len(names) for names in named] == {0: [0, 0, 0], 2: [2, 2, 0], 1: [0, 2, 0]}[order[0]]
    shutil.rmtree(folder)


def test_a_day_that_learned_nothing_new_is_not_judged_again(tmp_path: Path) -> None:
    """A late file of an earlier day has its own day judged, and a later one only if it taught that something else."""
    folder, logs = make(tmp_path / "school", rules=("pornography",)), week()
    nights = []
    for n, lines in enumerate((logs[2], logs[0][:2], logs[1][:2])):
        (tmp_path / f"{n}.log").write_text("".join(lines))
        nights.append([(day - MONDAY).days for day in run(folder, tmp_path / f"{n}.log").judged])
    assert nights == [[2], [0], [1]]
