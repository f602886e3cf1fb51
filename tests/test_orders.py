"""One made-up week, fed in any order and any portions over any nights, ends as the same incidents and the same decisions."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from small_school import MONDAY, derived, lake_of, lines_of, make, names_kept, quick, run, where_found
from small_week import PUPILS, QUIET, logs

from pipeline import casework, deciding, purging, register, schoolfolder
from pipeline.knownlogs import heads
from pipeline.privacy import pseudonym
from pipeline.vault import load_keys

WEEK = logs(random.Random(2026))
NIGHTS = 3
WAITING = PUPILS[6]  # nobody decides on this one


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """The rules are read once for all nights."""
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        yield


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The school that every order begins with: the same keys, so that people have the same pseudonyms."""
    folder = make(tmp_path_factory.mktemp("orders") / "school", people="username,name,role,year,house\n" + "".join(
        f"{login},Pupil {n},student,{7 + n % 5},Heron\n" for n, login in enumerate(PUPILS)))
    load_keys(folder / "var/keys")
    return folder


class Delivery(NamedTuple):
    """A portion of one day's log: how it comes, which of the day's portions it is, and what gives the files to read."""

    day: int
    how: str
    number: int
    give: Callable[[], list[Path]]


def deliveries(day: int, place: Path, dice: random.Random) -> list[Delivery]:
    """How the log of one day arrives: portions in their order."""
    lines = WEEK[day]
    cuts = [0, *sorted(dice.sample(range(1, len(lines)), dice.randrange(3))), len(lines)]
    live = place / f"day{day}.log"

    def grown(to: int, torn: int) -> list[Path]:
        live.write_text("".join(lines[:to]) + "".join(lines[to:to + 1])[:torn])
        return [live]

    def packed(how: str) -> list[Path]:
        live.write_text("".join(lines))
        rotated = live.rename(live.with_name(live.name + ".1"))
        if how == "gz":
            rotated.with_name(rotated.name + ".gz").write_bytes(gzip.compress(rotated.read_bytes()))
        return [rotated, *place.glob(f"{rotated.name}.gz")]

    def part(number: int, since: int, to: int) -> list[Path]:
        own = place / f"day{day}-{number}.log"
        own.write_text("".join(lines[since:to]))
        return [own]
    if dice.random() < 0.4:  # cut into logs of their own, which may come in any order
        parts = [Delivery(day, "cut", n, lambda n=n, a=a, b=b: part(n, a, b)) for n, (a, b) in enumerate(pairwise(cuts))]
        dice.shuffle(parts)
        return parts
    end = dice.choice(("gz", "plain", "live"))
    torn = dice.randrange(30)  # bytes of the next line that stand there already
    grows = [Delivery(day, end, n, lambda to=to: grown(to, torn)) for n, to in enumerate(cuts[1:-1])]
    return [*grows, Delivery(day, end, len(grows), lambda: grown(len(lines), 0) if end == "live" else packed(end))]


def nights_of(place: Path, dice: random.Random) -> list[list[Delivery]]:
    """All deliveries in nights: each day's in their order, the days among each other in any."""
    waiting = [deliveries(day, place, dice) for day in range(len(WEEK))]
    nights: list[list[Delivery]] = [[] for _ in range(NIGHTS)]
    for parts in waiting:
        for at, one in zip(sorted(dice.choices(range(NIGHTS), k=len(parts))), parts, strict=True):
            nights[at].append(one)
    return nights


def ways(nights: list[list[Delivery]]) -> set[tuple[Any, ...]]:
    """What one order shows: how each day comes and in how many portions, on how many nights, and each two days' order of nights."""
    on = {day: [night for night, given in enumerate(nights) for one in given if one.day == day] for day in range(len(WEEK))}
    of = {day: [one for given in nights for one in given if one.day == day] for day in range(len(WEEK))}
    numbers = {day: [one.number for one in of[day]] for day in of}
    return {*((of[day][0].how, len(of[day]), numbers[day] == sorted(numbers[day])) for day in of),
            *((day, "cut" if of[day][0].how == "cut" else "grown") for day in of), *((day, "nights", len(set(on[day]))) for day in of),
            *((one, two, _order(on[one], on[two])) for one in of for two in of if one < two)}


def _order(one: list[int], two: list[int]) -> str:
    return "first" if max(one) < min(two) else "last" if max(two) < min(one) else "mixed"


DAYS = range(len(WEEK))
EVERY_WAY = {*((how, portions, True) for how in ("cut", "gz", "plain", "live") for portions in (1, 2, 3)), ("cut", 2, False), ("cut", 3, False),
             *((day, come) for day in DAYS for come in ("cut", "grown")), *((day, "nights", count) for day in DAYS for count in (1, 2, 3)),
             *((one, two, order) for one in DAYS for two in DAYS if one < two for order in ("first", "last", "mixed"))}
ORDERS = (5565, 14100, 17351, 30454, 40686)  # sought so that between them they show every way; of random orders it takes some thirty


def feed(folder: Path, seed: int) -> None:
    """The whole week into the school folder, a person deciding between the nights."""
    dice, place = random.Random(seed), folder / "logs"
    place.mkdir()
    given: list[Path] = []
    for deliver in nights_of(place, dice):
        files = [path for one in deliver for path in one.give()]
        again = [path for path in given if dice.random() < 0.3]
        account = run(folder, *(path for path in dict.fromkeys([*files, *again]) if path.exists()))  # rotated the same night
        assert [problem for problem in account.problems if "said nothing" not in problem.what] == []  # a log may come late
        given += files
        decide_some(folder, dice, 0.5)
    decide_some(folder, dice, 1)


def decide_some(folder: Path, dice: random.Random, share: float) -> None:
    """A person confirms or dismisses some of what is open; the reason names whose, which day's and which route's it was."""
    waits = pseudonym(load_keys(folder / "var/keys").pseudonym, "p", WAITING)
    for ref, state in states(folder).items():
        if state.state != "suspected" or not state.detected or state.summary["subject"] == waits or dice.random() > share:
            continue
        about = state.summary
        if about["route"] == "sealed":  # never dismissed but as the check that it was
            casework.act(folder, ref, "sealed_illegal", meant(about))
            continue
        confirmed = about["route"] == "student" and about["subject"] < "pm"
        deciding.decide(folder, ref, "confirmed" if confirmed else "dismissed", meant(about),
                        [about["rows"][0]] if confirmed and about["rows"] else [], "", "")


def meant(about: dict[str, Any]) -> str:
    """What a decision says that it is about."""
    return f"{about['day']} {about['subject']} {about['route']}"


def states(folder: Path) -> dict[str, register.IncidentState]:
    """The incidents as they stand."""
    return register.fold_incidents(schoolfolder.journal(folder, "incidents").entries())


def places(folder: Path) -> dict[str, tuple[int, int]]:
    """By source: the day's log that it is of, and how many lines stand before its first."""
    key = load_keys(folder / "var/keys").source
    firsts = {next(iter(heads(key, text.encode()).items())): (day, n) for day, lines in enumerate(WEEK) for n, text in enumerate(lines)}
    return {name: firsts[min(source.heads.items())] for name, source in lake_of(folder).sources().items()}


def ends(folder: Path) -> dict[str, Any]:
    """What must be the same in every order; detections by the line of the week on which they begin."""
    where = places(folder)

    def settled(key: str) -> str:
        stem, _, at = key.rpartition("|")
        source, _, number = at.rpartition(":")
        day, before = where[source]
        return f"{stem}|day {day}, line {before + int(number)}"
    tables = derived(folder)
    return {
        "incidents": sorted((s.day, s.summary["route"], s.summary["subject"], sorted(map(settled, s.keys)), s.state, s.reason)
                            for s in states(folder).values() if s.detected),
        "breaches": tables["breaches"], "tallies": tables["tallies"],
        "breach register": sorted((s.key, sorted(s.days.items())) for s in register.fold_breaches(
            schoolfolder.journal(folder, "breaches").entries()).values() if s.detected),
        "fates": sorted((row["fate"], str(row["time"]), row["host"] or "", row["sealed"]) for row in lines_of(folder))}


@pytest.fixture(scope="module")
def calm(school: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The week, a day a night."""
    folder = tmp_path_factory.mktemp("calm") / "school"
    shutil.copytree(school, folder)
    for day, lines in enumerate(WEEK):
        log = folder / f"whole{day}.log"
        log.write_text("".join(lines))
        run(folder, log)
    decide_some(folder, random.Random(0), 1)
    return ends(folder)


def test_the_week_holds_what_the_proof_needs(calm: dict[str, Any]) -> None:
    """Ten incidents on all days and more than one route, decided both ways and open; breaches; every line once."""
    assert len(calm["incidents"]) == 10
    assert len({row[0] for row in calm["incidents"]}) == 5
    assert {row[1] for row in calm["incidents"]} == {"student", "welfare", "sealed"}
    assert {row[4] for row in calm["incidents"]} == {"confirmed", "dismissed", "suspected", "sealed_illegal"}
    assert len(calm["fates"]) == sum(map(len, WEEK))
    assert calm["breaches"]


def test_the_orders_show_every_way_in_which_a_week_can_come() -> None:
    """Every kind of log in one to three portions, every day on one to three nights, and of each two days either first, or both mixed."""
    shown = [ways(nights_of(Path(), random.Random(seed))) for seed in ORDERS]
    assert EVERY_WAY - set().union(*shown) == set()


@pytest.mark.parametrize("seed", ORDERS)
def test_any_order_ends_with_the_same_incidents_and_each_decision_on_its_own(school: Path, calm: dict[str, Any], tmp_path: Path,
                                                                             seed: int) -> None:
    """Cut, late, twice, rotated, packed: the same detections, incidents, decisions, breaches and tallies; then all can be purged."""
    folder = tmp_path / "school"
    shutil.copytree(school, folder)
    feed(folder, seed)
    now = ends(folder)
    for name, wanted in calm.items():
        assert now[name] == wanted, name
    decided = [s for s in states(folder).values() if s.decided_by]
    assert [s.ref for s in decided if s.reason != meant(s.summary)] == []
    assert schoolfolder.verify(folder) == []
    purge_leaves_no_word(folder)


def purge_leaves_no_word(folder: Path) -> None:
    """After the last tier only what waits is left: chains hold, and no login, address or site of the others is anywhere."""
    purging.purge(folder, date(2040, 1, 1))
    assert schoolfolder.verify(folder) == []
    assert {s.summary["day"] for s in states(folder).values() if not s.purged} == {str(MONDAY.replace(day=6))}
    key = load_keys(folder / "var/keys").pseudonym
    others = [login for n, login in enumerate(PUPILS) if login != WAITING and n != QUIET]
    words = [*others, *(pseudonym(key, "p", login) for login in others), "zz-plain.test", "zz-week.invalid"]
    shutil.rmtree(folder / "logs")
    (folder / "people.csv").unlink()
    assert where_found(folder, words, set((folder / "var/sealed").iterdir())) == {}
    assert not names_kept(folder) & set(others)
