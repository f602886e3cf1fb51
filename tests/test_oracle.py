"""The SQL agrees with a slow, plain reading of the same words on made-up nights, in any order of the rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import slow_judgement as slow
from tables_text import DAY, at, build
from test_visits import BELLS, HOSTS_KNOWN, PEOPLE, folded

from pipeline import company, detect
from pipeline.classify import judge
from pipeline.incidents import breaches, stories
from pipeline.intent import NUMBERS
from pipeline.policy import Policy, in_force, read_policy
from pipeline.rulebook.reading import read_rules
from pipeline.rulebook.vocabulary import BANDS
from pipeline.signals.acts import ACTS
from pipeline.tables import LINES, VISITS

MINUTES_10 = timedelta(minutes=10)
SITES = {row["host"]: (row["site"], row["category"]) for row in HOSTS_KNOWN.to_pylist()}
YEARS = {row["person"]: row["year"] for row in PEOPLE.to_pylist()}


def night(seed: int) -> list[dict[str, Any]]:
    """A made-up night of a few people, with bursts and long pauses."""
    dice = random.Random(seed)
    now, items = at("09:40"), []
    for line in range(1, 250):
        now += timedelta(milliseconds=dice.choice([3, 700, 4000, 30000, 90000, 400000]))
        items.append({"source": dice.choice(["s1", "s2"]), "line": line, "time": now, "fate": "request", "kind": "http",
                      "client": dice.choice(["d1", "d2"]), "person": dice.choice(["p1", "p2", None]),
                      "host": dice.choice([*SITES, "other.example"]), "duration_ms": dice.choice([0, 0, 2500, 61000, 1_500_000]),
                      "action": dice.choice(["allowed", "allowed", "blocked", "warned", "auth"])})
    return items


def band_of(item: dict[str, Any]) -> tuple[str, Any]:
    """The band and its beginning at the start of a request, by that person's bells."""
    year = YEARS.get(item["person"], "")
    bells = BELLS.to_pylist()
    year = year if any(bell["year"] == year for bell in bells) else ""
    found = [bell for bell in bells if bell["year"] == year and bell["starts"] <= item["started"] < bell["ends"]]
    return (found[0]["band"], found[0]["starts"]) if found else ("closed", None)


def slowly(items: list[dict[str, Any]], answer: Callable[[dict[str, Any], str], str] = lambda request, listed: listed
           ) -> list[dict[str, Any]]:
    """Visits, one request at a time. `answer`: the category of a request, by what the lists say of its host."""
    requests = [item | {"started": item["time"] - timedelta(milliseconds=item["duration_ms"])}
                for item in items if item["action"] != "auth"]
    requests.sort(key=lambda r: (r["started"], r["source"], r["line"]))
    open_visits: dict[Any, dict[str, Any]] = {}
    visits: list[dict[str, Any]] = []
    background = []
    for request in requests:
        site, category = SITES.get(request["host"], (request["host"], "uncategorised"))
        category = answer(request, category)
        if category == "adverts":
            background.append(request)
            continue
        band, edge = band_of(request)
        stay = (request["client"], request["person"], site, category, edge)
        visit = open_visits.get(stay)
        if visit is None or request["started"] - visit["ended"] > MINUTES_10:
            visit = {"visit": f"{request['source']}:{request['line']}", "client": request["client"],
                     "person": request["person"], "site": site, "band": band, "started": request["started"],
                     "ended": request["time"], "category": category, "requests": 0, "blocked": 0, "background": 0, "asked": [], "subject": request["person"] or request["client"]}
            open_visits[stay] = visit
            visits.append(visit)
        visit["ended"] = max(visit["ended"], request["time"])
        visit["requests"] += 1
        visit["asked"].append(request)
        visit["blocked"] += request["action"] == "blocked"
    for request in background:
        second = request["started"].replace(microsecond=0)
        spans = [v for v in visits if (v["client"], v["person"]) == (request["client"], request["person"])
                 and v["started"].replace(microsecond=0) <= second
                 <= v["ended"].replace(microsecond=0) + timedelta(seconds=10)]
        if spans:
            spans[-1]["background"] += 1
    return [visit | more(visit, visits) for visit in visits]


def minute(time: datetime) -> datetime:
    """The whole minute of a time."""
    return time.replace(second=0, microsecond=0)


def more(visit: dict[str, Any], visits: list[dict[str, Any]]) -> dict[str, Any]:
    """What else is said of a visit: its host, five-minute slots, longest request, people who came with it, and what was before."""
    hosts = Counter(request["host"] for request in visit["asked"])
    slots = {minute(request["started"]).timestamp() // 300 for request in visit["asked"]}
    came = {other["subject"] for other in visits if (other["site"], other["category"]) == (visit["site"], visit["category"])
            and abs(minute(other["started"]) - minute(visit["started"])) <= timedelta(minutes=1)}
    return {"host": min(hosts, key=lambda host: (-hosts[host], host)), "slots": len(slots), "crowd": len(came),
            "longest_ms": max(request["duration_ms"] for request in visit["asked"]), "since_ms": since(visit, visits)}


def since(visit: dict[str, Any], visits: list[dict[str, Any]]) -> int | None:
    """Milliseconds since the last visit of the same person and device to another site, before those to this one in a row."""
    before = [other for other in visits[:visits.index(visit) + 1]
              if (other["client"], other["person"]) == (visit["client"], visit["person"])]
    others = [other for other in before if other["site"] != visit["site"]]
    return (visit["started"] - others[-1]["started"]) // timedelta(milliseconds=1) if others else None


@pytest.mark.parametrize("seed", range(8))
def test_visits_agree_with_the_slow_reading(seed: int) -> None:
    """Every visit, its person, band, ends and counts are what a plain loop finds."""
    items = night(seed)
    table, counts = folded(build(items, LINES, {}))
    columns = ["visit", "client", "person", "subject", "site", "host", "category", "band", "started", "ended", "requests",
               "blocked", "background", "slots", "crowd", "longest_ms"]
    assert table.select(columns).to_pylist() == [{c: v[c] for c in columns} for v in slowly(items)]
    assert counts["requests"] == len(items)


@pytest.mark.parametrize("seed", range(8, 16))
def test_what_was_before_a_visit_agrees_with_the_slow_reading(seed: int) -> None:
    """The time since the last other site of the same person and device is what a plain loop finds."""
    items = night(seed)
    table, _ = folded(build(items, LINES, {}))
    found = company.since(table.set_column(4, "person", pc.fill_null(table["person"], ""))).tolist()
    assert found == [company.NEVER if v["since_ms"] is None else v["since_ms"] for v in slowly(items)]


def test_the_order_of_the_rows_changes_nothing() -> None:
    """The same lines in another order make the same table, byte for byte."""
    items = night(99)
    first, counts = folded(build(items, LINES, {}))
    random.Random(1).shuffle(items)
    second, again = folded(build(items, LINES, {}))
    assert isinstance(first, pa.Table) and first.equals(second) and counts == again


RULES_ON_DISK = Path(__file__).parent.parent / "rules"
FILES = {f"rules/{path.relative_to(RULES_ON_DISK).as_posix()}": path.read_text("utf-8")
         for path in (*RULES_ON_DISK.glob("*.*"), *RULES_ON_DISK.glob("detect/*.toml"))}
OFTEN = """
title = "Gambling, again and again"
clause = "6.1 UA-15"
why = "A habit is another matter than a look."
mistaken = "Adverts."
category = "gambling"
[when]
times = { at_least = 2, within = "1 day" }
[[fires]]
note = "twice in a day"
visits = ["10:00 y9 bets.example gambling blocked", "12:00 y9 bets.example gambling blocked"]
[[quiet]]
note = "once"
visits = ["10:00 y9 bets.example gambling blocked"]
"""
ALL_RULES, RULE_FAULTS = read_rules({n: t for n, t in FILES.items() if "/detect/" in n} | {"rules/detect/often.toml": OFTEN})
RULES = [rule for rule in ALL_RULES if rule.signal not in ACTS]  # signals over several visits: tests/test_acts.py
PEOPLE_OF = {"student": ("p1", "p2", "p3"), "staff": ("p4",), "technical_staff": ("p5",), "governor": ("p6",),
             "guest": (None,), "shared": ("p7",), "unknown": (None,)}
ACTORS = (*("student",) * 6, *PEOPLE_OF)
NEVER_NAMED = ("help_seeking", "background", "learning", "uncategorised", "filter_check", "unheard_of")


def policy_of(**edits: tuple[str, str]) -> Policy:
    """The school's policy, with words of its files changed: file without its ending = (old, new)."""
    files = {name: text for name, text in FILES.items() if "/detect/" not in name}
    for stem, (old, new) in edits.items():
        name = next(name for name in files if name.startswith(f"rules/{stem}."))
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    policy, faults = read_policy(files)
    assert policy is not None, faults
    return in_force(policy, DAY)


def decided(text: str) -> tuple[str, str]:
    """AMB-01 with a decision."""
    return ("[AMB-01]\n", f'[AMB-01]\ndecision = "{text}"\ndecided_on = 2026-09-01\ndecided_by = "SLT"\n')


PRINTED = (",unacceptable,6.1 UA-09", ",nominated_users,6.1 UA-09")
AS_IT_STANDS = policy_of()
POLICIES = {
    "as it stands": AS_IT_STANDS,
    "UA-09 as printed": policy_of(acceptable_use=PRINTED),
    "UA-10 as printed": policy_of(acceptable_use=(",unacceptable,6.1 UA-10", ",nominated_users,6.1 UA-10")),
    "UA-11 as printed": policy_of(acceptable_use=(",unacceptable,6.1 UA-11", ",nominated_users,6.1 UA-11")),
    "CT-08 holds": policy_of(questions=decided("CT-08 holds: allowed at certain times")),
    "UA-19 holds": policy_of(questions=decided("UA-19 holds, not CT-08")),
}
NOMINATED = {"UA-09": {"p4"}, "UA-10": {"p1", "p5"}, "UA-11": {"p1"}, "UA-16": {"p2", "p5"}, "CT-06": {"p1", "p3"}}
COMMON = ["gambling", "pornography", "bypass_web_proxy", "shopping", "personal_webmail", "messaging"]
NOBODY: dict[str, set[str]] = {}


def stay(dice: random.Random, line: int, now: datetime, category: str) -> dict[str, Any]:
    """A made-up visit: anyone, any band, any size."""
    long = dice.random() < 0.2  # most of a lesson: what many rules look for
    actor = "student" if long else dice.choice(ACTORS)
    person, client = dice.choice(PEOPLE_OF[actor]), f"d{dice.randint(1, 3)}"
    more = random.Random(f"{line} {now}")
    requests = 60 if long else dice.choice([1, 2, 3, 4, 8, 12, 35, 60])
    blocked = dice.choice([0, 0, requests, requests // 2, min(requests, 3)])
    site = f"{category.replace('_', '-')}{dice.randint(1, 4)}.example"
    minutes = 40 if long else dice.choice([0, 0, 1, 4, 11, 40]) if requests > 1 else 0
    source = dice.choice(["s1", "s2"])
    return {"visit": f"{source}:{line}", "source": source, "line": line, "subject": person or client, "person": person,
            "client": client, "actor": actor, "actor_from": "people", "year": "9" if actor == "student" else "",
            "network": "", "site": site, "host": dice.choice(["", "www."]) + site, "category": category, "started": now,
            "ended": now + timedelta(minutes=minutes, milliseconds=dice.randint(0, 900)),
            "band": "lesson" if long else dice.choice(["lesson", "lesson", *BANDS]), "period": "Period 3", "requests": requests,
            "blocked": blocked, "allowed": requests - blocked, "bytes_in": dice.choice([900, 6_000_000, 3_000_000_000]), "bytes_out": more.choice([0, 700, 4_999_100, 60_000_000]),
            "tunnels": dice.choice([0, requests]), "slots": min(requests, minutes // 5 + 1),
            "crowd": 1 if long else dice.choice([1, 1, 2, 7, 8, 25]), "after_ms": dice.choice([None, None, 300, 2000, 2001, 90_000]),
            "tries": min(more.choice([1, 1, 2, 3, 5]), requests), "opened": more.choice([0, 1, 1, 2]), "set_off_by": [],
            "step_s": more.choice([None, None, None, 30]), "even_tries": more.choice([4, 7, 8, 20]), "day_tries": more.choice([1, 7, 8, 12, 40]), "hours": more.choice([1, 4, 5, 6, 9]),
            "from_page": more.choice(["", "", "news.example"]), "piece": more.random() < 0.2,
            "slip": more.choice(["", "", "", "like.example"]), "brought": more.choice(["", "", "", "list", "habit"]),
            "longest_ms": more.choice([0, 0, 599_999, 600_000]), "searched": more.choice([*[0] * 9, requests]), "notes": dice.choice([[], [], ["one"], ["one", "two"]])}


SELDOM = ("private_business", "bypass_mirror_or_remote_desktop")  # whose rules ask for so much at once that chance alone is rare


def stays(seed: int) -> list[dict[str, Any]]:
    """A made-up night of visits: every category, in bursts and long pauses, in no order of subject."""
    dice = random.Random(seed)
    kinds = [name for name, category in AS_IT_STANDS.categories.items() if category.tier != "T0"] + ["unheard_of"]
    fired = sorted({name for rule in RULES for name in rule.category} - {"any"})
    now, made = at("07:30"), []
    for line in range(1, 221):
        now += timedelta(milliseconds=dice.choice([0, 700, 20_000, 90_000, 400_000, 900_000]))
        made.append(stay(dice, line, now, dice.choice(dice.choice([kinds, fired, COMMON]) if line <= 200 else SELDOM)))
    return made


def sealed(seed: int) -> pa.Table:
    """Made-up sealed rows: some items of several rows, with and without a person, stopped and let through."""
    dice, items = random.Random(seed), []
    for line in range(1, 25):
        actor = dice.choice(ACTORS)
        items.append({"source": dice.choice(["s1", "s2"]), "line": line, "fate": "request", "client": "d1",
                      "time": at("09:00") + timedelta(seconds=dice.randint(0, 40)), "person": dice.choice(PEOPLE_OF[actor]),
                      "action": dice.choice(["blocked", "blocked", "allowed"]), "sealed": f"z{dice.randint(1, 9)}",
                      "sealed_list": "watch list", "host": None, "url": None, "referrer": None, "actor": actor})
    table = build([{k: v for k, v in item.items() if k != "actor"} for item in items], LINES, {})
    return (table.append_column("actor", pa.array([item["actor"] for item in items], pa.string()))
            .append_column("year", pa.array(["9" if item["actor"] == "student" else "" for item in items], pa.string())))


class Judged(NamedTuple):
    """A night judged by the program, and slowly."""

    visits: list[dict[str, Any]]
    table: pa.Table
    verdicts: pa.Table
    detections: pa.Table
    quiet: pa.Table
    slow_verdicts: dict[str, dict[str, Any]]
    slow_detections: list[dict[str, Any]]


@cache
def both(seed: int, reading: str) -> Judged:
    """One night under one reading of the policy; people are nominated on the later nights."""
    policy, nominated = POLICIES[reading], NOMINATED if seed >= len(POLICIES) else NOBODY
    visits = slow.in_order(stays(seed))
    table, sealed_rows = build(visits, VISITS, {}), sealed(seed)
    verdicts = judge(table, policy, nominated)
    said = {visit["visit"]: slow.verdict(visit, policy, nominated) for visit in visits}
    return Judged(visits, table, verdicts, *detect.fire(table, verdicts, RULES, policy, DAY, sealed_rows), said,
                  slow.detections(visits, said, RULES, policy, DAY) + slow.sealed_items(sealed_rows.to_pylist(), DAY))


def by_key(found: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by the key of a detection."""
    return {slow.key(row): row for row in found}


NIGHTS = [(seed, reading) for seed, reading in enumerate([*POLICIES, *POLICIES, "as it stands", "as it stands"])]


def test_the_intent_file_names_every_number_in_use_and_no_other() -> None:
    """A number that a school can edit is one that counts."""
    assert {name: number.value for name, number in AS_IT_STANDS.intent.items()} == NUMBERS


def test_every_rule_is_read() -> None:
    """The rules that the nights are judged by have no fault, the one of this file among them."""
    assert RULE_FAULTS == []


@pytest.mark.parametrize(("seed", "reading"), NIGHTS)
def test_verdicts_agree_with_the_slow_reading(seed: int, reading: str) -> None:
    """Every visit has one verdict, in the same order, and it is what a plain reading of the policy says."""
    night_ = both(seed, reading)
    assert night_.verdicts.to_pylist() == [night_.slow_verdicts[visit["visit"]] for visit in night_.visits]


@pytest.mark.parametrize(("seed", "reading"), NIGHTS)
def test_detections_agree_with_the_slow_reading(seed: int, reading: str) -> None:
    """Every detection, its readers, intent, rows and reasons are what the words of the rules and of intent.toml say."""
    night_ = both(seed, reading)
    loud = [row for row in night_.slow_detections if not slow.is_background(row)]
    quiet = [row for row in night_.slow_detections if slow.is_background(row)]
    assert by_key(night_.detections.to_pylist()) == by_key(loud)
    assert by_key(night_.quiet.to_pylist()) == by_key(quiet)
    assert len(night_.detections) == len(loud)


@pytest.mark.parametrize(("seed", "reading"), NIGHTS)
def test_stories_agree_with_the_slow_reading(seed: int, reading: str) -> None:
    """Who, when and what belongs to one story is what a plain loop over the detections finds."""
    night_ = both(seed, reading)
    found = night_.detections.to_pylist()
    slowly_told = slow.stories(found, night_.visits)
    told = {row["story"]: row for row in stories(night_.detections).to_pylist()}
    assert told.keys() == slowly_told.keys()
    assert [{name: told[key][name] for name in row} for key, row in slowly_told.items()] == list(slowly_told.values())


@pytest.mark.parametrize(("seed", "reading"), NIGHTS)
def test_breaches_agree_with_the_slow_reading(seed: int, reading: str) -> None:
    """Each site let through for a profile, and each way round with its host: how many, when, and when first stopped."""
    night_ = both(seed, reading)
    slowly_found = slow.breaches(night_.visits, night_.slow_verdicts, night_.detections.to_pylist())
    found = {row["key"]: row for row in breaches(night_.table, night_.verdicts, night_.detections, DAY).to_pylist()}
    assert found.keys() == slowly_found.keys()
    assert [{name: found[key][name] for name in row if name != "of"} for key, row in slowly_found.items()] == [
        {name: value for name, value in row.items() if name != "of"} for row in slowly_found.values()]


@pytest.mark.parametrize(("seed", "reading"), NIGHTS)
def test_help_background_and_learning_never_make_a_detection(seed: int, reading: str) -> None:
    """However wide a rule is, no detection, loud or quiet, speaks of such a visit or names its site."""
    night_ = both(seed, reading)
    policy = POLICIES[reading]
    wide, _ = read_rules({"rules/detect/wide.toml": OFTEN.replace('"gambling"', '"any"').replace("at_least = 2", "at_least = 1")})
    by_visit = {visit["visit"]: visit for visit in night_.visits}
    for rules in (RULES, wide):
        loud, quiet = detect.fire(night_.table, night_.verdicts, rules, policy, DAY, sealed(seed))
        for row in (*loud.to_pylist(), *quiet.to_pylist()):
            assert row["category"] not in NEVER_NAMED
            assert not {by_visit[visit]["category"] for visit in row["visit_keys"]} & set(NEVER_NAMED)
    assert {visit["category"] for visit in night_.visits} & set(NEVER_NAMED)


def test_help_under_another_name_never_makes_a_detection() -> None:
    """A school's own help-seeking category counts by its mark, whatever tier somebody gave it."""
    policy = policy_of(categories=("[learning]", '[quiet_room]\ntitle = "Quiet room"\ntext = "help"\ntier = "T2"\nfilter = "allow"\n'
                                                 'filter_staff = "allow"\nhelp_seeking = true\n[learning]'))
    wide, _ = read_rules({"rules/detect/wide.toml": OFTEN.replace('"gambling"', '"any"').replace("at_least = 2", "at_least = 1")})
    table = build([stay(random.Random(1), 1, at("10:00"), "quiet_room")], VISITS, {})
    assert detect.fire(table, judge(table, policy, {}), wide, policy, DAY, sealed(1).slice(0, 0))[0].num_rows == 0


def test_the_nights_hit_everything() -> None:
    """All actors, bands, categories, answers of the policy and of the filter, and every rule, loud or quiet, occur."""
    nights = [both(seed, reading) for seed, reading in NIGHTS]
    visits = [visit for night_ in nights for visit in night_.visits]
    verdicts = [said for night_ in nights for said in night_.slow_verdicts.values()]
    found = [row for night_ in nights for row in night_.slow_detections]
    assert {visit["actor"] for visit in visits} == set(PEOPLE_OF)
    assert {visit["band"] for visit in visits} == set(BANDS)
    assert {visit["category"] for visit in visits} >= {n for n, c in AS_IT_STANDS.categories.items() if c.tier != "T0"}
    assert {said["within"] for said in verdicts} == {"within", "against", "conflict", "not_evaluated"}
    assert {said["outcome"] for said in verdicts} == {"blocked", "allowed", "mixed"}
    assert {(said["row"], said["verdict"]) for said in verdicts} >= {
        (row, reading) for row in ("UA-09", "UA-10", "UA-11") for reading in ("unacceptable", "nominated_users")}
    assert {(said["row"], said["within"]) for said in verdicts} >= {("UA-16", "within"), ("UA-16", "against"), ("CT-06", "within"),
                                                                     ("UA-10", "within"), ("CT-08", "within"), ("UA-19", "conflict")}
    assert {row["rule"] for row in found} == {rule.name for rule in RULES} | {"sealed"}
    assert {row["intent"] for row in found} == set(slow.STRONGEST_FIRST)
    assert {row["route"] for row in found} == {"student", "staff", "welfare", "sealed", "tech", "guest", "attribution"}
    assert any(slow.is_background(row) for row in found) and any(row["visits"] > 2 for row in found)
    assert any(len(row["keys"]) > 3 for night_ in nights for row in stories(night_.detections).to_pylist())


def test_a_decision_holds_from_its_day_on() -> None:
    """Messaging at lunch before the school decided stays a contradiction, whatever was decided later."""
    policy, _ = read_policy({n: t.replace(*decided("UA-19 holds")) for n, t in FILES.items() if "/detect/" not in n})
    assert policy is not None
    lunch = build([stay(random.Random(1), 1, at("13:30"), "messaging") | {"actor": "student", "band": "lunch"}], VISITS, {})
    said = {day: judge(lunch, in_force(policy, day), {})["within"].to_pylist() for day in (date(2026, 8, 31), date(2026, 9, 1))}
    assert said == {date(2026, 8, 31): ["conflict"], date(2026, 9, 1): ["against"]}


def test_certain_times_are_those_of_the_policy_file() -> None:
    """A school that takes lunch out of `[times]` no longer permits it; lessons are what the file calls lessons."""
    policy = policy_of(policy=('student = ["before_school", "break", "lunch", "after_school"]', 'student = ["break"]'))
    rows = [stay(random.Random(1), n, at("12:00"), "social_media") | {"actor": "student", "band": band}
            for n, band in enumerate(("break", "lunch", "closed", "lesson"), 1)]
    assert judge(build(rows, VISITS, {}), policy, {})["within"].to_pylist() == ["within", "not_evaluated", "within", "against"]
