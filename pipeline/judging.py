"""One school day judged: its lines in, its derived tables out, by today's lists and rules and that date's policy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import (
    addresses,
    answers,
    behaviour,
    calling,
    checking,
    classify,
    coverage,
    detect,
    excepted,
    habits,
    incidents,
    learned,
    led,
    listaddresses,
    lists,
    liststore,
    searches,
    spreading,
    sql,
    visits,
)
from pipeline.bursts import Watch
from pipeline.daylines import Parts
from pipeline.heard import Heard
from pipeline.policy import Policy, in_force
from pipeline.privacy import login_key, pseudonym
from pipeline.problems import Problem
from pipeline.ruleset import Rules
from pipeline.school import School, said_of
from pipeline.school.people import Person
from pipeline.schoolday import bands_table, is_open
from pipeline.tables import LEARNED
from pipeline.turned import filtered

ASKED = """
SELECT host, count(who) AS people, sum(n)::BIGINT AS requests
FROM (SELECT host, coalesce(person, client) AS who, count(*) AS n FROM lines
      WHERE fate = 'request' AND host IS NOT NULL GROUP BY ALL)
GROUP BY host ORDER BY host
"""
SEALED = "SELECT * FROM lines WHERE fate = 'request' AND sealed_list <> '' ORDER BY source, line"
FIRST_LINES = "SELECT count(*) AS found FROM lines JOIN named USING (source, line) WHERE fate = 'request'"
CLOSED = ("before_school", "after_school", "closed")


@dataclass(frozen=True)
class Logs:
    """What the rules say of each log, by source: its file name, its rank, and whose names its categories bear."""

    names: Mapping[str, str]
    ranks: Mapping[str, int]
    vendors: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """What was seen on one school day before any rule fires: hosts (and which are new, or nearly), visits, verdicts, where its
    requests went, what later days learn of it, and what was heard from each log."""

    hosts: pa.Table
    new: pa.Table
    visits: pa.Table
    verdicts: pa.Table
    filter_names: pa.Table
    account: Mapping[str, int]
    learned: pa.Table
    lately: pa.Table
    heard: Heard


class Before(Protocol):
    """The history of a day: the HOSTS files of the days before, which know what is new, the sites that those days show to be
    brought along by others, the windows of checks that were registered beforehand, and what those days learned (LEARNED)."""

    @property
    def hosts(self) -> Sequence[str]: ...
    @property
    def brought(self) -> Sequence[str]: ...
    @property
    def checks(self) -> Sequence[checking.Window]: ...
    @property
    def learned(self) -> pa.Table: ...


@dataclass(frozen=True)
class NoDayBefore:
    """The history of a first day."""

    hosts: Sequence[str] = ()
    brought: Sequence[str] = ()
    checks: Sequence[checking.Window] = ()
    learned: pa.Table = field(default_factory=LEARNED.schema.empty_table)


def judge(con: duckdb.DuckDBPyConnection, day: date, rules: Rules, key: bytes, logs: Logs, before: Before = NoDayBefore(),
          parts: Parts | None = None) -> tuple[Seen, dict[str, pa.Table], dict[str, int]]:
    """What was seen on the day whose lines `con` calls `lines`, its derived tables, and where its requests went.

    `parts`: the same lines, part by part; None: all at once.
    """
    seen = see(con, day, rules, key, logs, before, parts)
    found, quiet = fire(con, day, rules, key, seen)
    shown = shown_of(found)
    stories = incidents.stories(shown)
    tables = {"hosts": seen.hosts, "visits": seen.visits, "verdicts": seen.verdicts, "detections": found, "incidents": stories,
              "breaches": incidents.breaches(seen.visits, seen.verdicts, shown, day),
              "tallies": coverage.tallies(seen.visits, seen.verdicts, found, stories, day),
              "coverage": coverage.coverage(seen.heard, day, logs.names, open_hours(_bands(rules, day), rules.school, day)),
              "filter_names": seen.filter_names, "filtered": filtered(seen.visits, taught_bands(rules, day), day),
              "habits": habits.of_day(seen.visits, day), "learned": seen.learned}
    return seen, tables, dict(seen.account) | {"quietened": len(quiet), "hidden": len(found) - len(shown)} | contexts(seen)


def contexts(seen: Seen) -> dict[str, int]:
    """How many visits no rule speaks of, by why."""
    why = seen.verdicts["context"].to_pylist()
    words = {"led": led.CONTEXT, "called": calling.CONTEXT}
    return {name: why.count(word) for name, word in words.items()} | {
        "checked": sum(1 for one in why if one and one not in words.values())}


def see(con: duckdb.DuckDBPyConnection, day: date, rules: Rules, key: bytes, logs: Logs, before: Before = NoDayBefore(),
        parts: Parts | None = None) -> Seen:
    """The visits of the day whose lines `con` calls `lines` (and `parts`, part by part), and what the policy says of them."""
    policy, school = in_force(rules.policy, day), rules.school
    asked = con.sql(ASKED).to_arrow_table()
    spoken = speaking(asked, rules)
    hosts = classified(asked, rules, day, spoken)
    said, filter_names = answers.answers(con, hosts, rules.vendors, logs.vendors, policy.categories, day)
    listed = listaddresses.listed(con, hosts, spoken, rules.lists, lists.live(rules.own, day), said,
                                  partial(answers.weigh, vendors=rules.vendors, of=logs.vendors, categories=policy.categories))
    shown = addresses.addressed(con, hosts, rules.shapes, policy.categories, day, partial(classified, rules=rules, day=day))
    sought = searches.searches(con, hosts, rules.engines, rules.terms, detect.gravity(policy))
    stays, account, ears = visits.fold(con, hosts, people_table(rules.people, day, key), _bands(rules, day), _networks(school),
                                       policy.background, logs.ranks, said, addresses.first_of(listed, shown, sought),
                                       watch(policy, rules.embeds, before.brought), parts)
    new = behaviour.new_hosts(con, hosts, before.hosts, rules.shapes)
    taught = pa.concat_tables([learned.of_day(stays, hosts, rules.shapes, day), calling.of_day(stays, policy, day)])
    calls = calling.calls(stays, pa.concat_tables([before.learned, taught]), policy, personal(school))
    stays = behaviour.weighed(con, learned.carried(stays, taught, before.learned, rules.shapes), hosts, new, rules.shapes,
                              short=len(before.hosts) < rules.shapes.numbers.get("history_days", 0), made=calls)
    nominated = {row: {pseudonym(key, "p", login_key(login)) for login in logins} for row, logins in school.nominated.items()}
    verdicts = in_context(stays, classify.in_context(classify.judge(stays, policy, nominated), calls), before, policy,
                          personal(school))
    return Seen(hosts, new, stays, verdicts, filter_names, account, taught,
                spreading.lately(con, stays, new, before.hosts, rules.shapes), ears)


def in_context(stays: pa.Table, verdicts: pa.Table, before: Before, policy: Policy, own: Sequence[str]) -> pa.Table:
    """The verdicts, with why no rule speaks of some visits: a registered check of the filter, then a class that staff lead."""
    tested = classify.in_context(verdicts, checking.within(stays, before.checks, policy)) if before.checks else verdicts
    return classify.in_context(tested, led.led(stays, tested, policy, own))


def personal(school: School) -> list[str]:
    """The networks of people's own devices."""
    return [one.name for one in school.networks if one.personal]


def fire(con: duckdb.DuckDBPyConnection, day: date, rules: Rules, key: bytes, seen: Seen) -> tuple[pa.Table, pa.Table]:
    """The DETECTIONS of a day that was seen, hidden ones among them, and those left out because they point to background."""
    people = {one.login: pseudonym(key, "p", login_key(one.login)) for one in rules.exceptions if one.login}
    found, quiet = detect.fire(seen.visits, seen.verdicts, rules.rules, in_force(rules.policy, day), day,
                               sealed_rows(con, people_table(rules.people, day, key), _networks(rules.school)),
                               excepted.Hiding(rules.rules, rules.exceptions, people, day),
                               personal(rules.school))
    told = checking.remarked(found, checking.shaped(seen.visits, seen.verdicts, rules.policy))
    return pa.concat_tables([told, spreading.spreads(seen.visits, seen.lately, rules.shapes, day)]), quiet


def taught_bands(rules: Rules, day: date) -> Collection[str]:
    """The bands that are lessons by the policy of a day."""
    bands: Collection[str] = in_force(rules.policy, day).more.get("times", {}).get("lessons", classify.TAUGHT)
    return bands


def shown_of(detections: pa.Table) -> pa.Table:
    """The detections that no exception hides: what incidents and breaches are made of."""
    return detections.filter(pc.equal(detections["hidden"], ""))


def _bands(rules: Rules, day: date) -> pa.Table:
    return bands_table(rules.school.calendar, day, rules.school.years)


def _networks(school: School) -> pa.Table:
    return pa.table({"network": pa.array([n.name for n in school.networks], pa.string()),
                     "actor": pa.array([n.actor for n in school.networks], pa.string())})


def speaking(asked: pa.Table, rules: Rules) -> pa.Table:
    """entry, path, category, list: what the imported lists say of a table of distinct hosts (host); they are not loaded."""
    return liststore.speaking(rules.imported, lists.suffixes_of(asked) if rules.imported else asked)


def watch(policy: Policy, embeds: Sequence[str], brought: Sequence[str]) -> Watch:
    """What is looked at closely: every category that may become an incident. Help is named beside no other visit."""
    return Watch([name for name, category in policy.categories.items() if category.tier != "none"],
                 [name for name, category in policy.categories.items() if category.help_seeking], embeds, brought)


def classified(asked: pa.Table, rules: Rules, day: date, spoken: pa.Table | None = None) -> pa.Table:
    """The HOSTS of a table of distinct hosts (host, people, requests) by every list; `spoken`: what `speaking` says of them."""
    found = speaking(asked, rules) if spoken is None else spoken
    names = found.filter(pc.equal(found["path"], "")).select(lists.LISTS.names).cast(lists.LISTS)
    return lists.classify_hosts(asked, pa.concat_tables([rules.lists, names]), lists.live(rules.own, day))


def overblocked(hosts: pa.Table, rules: Rules, day: date) -> list[tuple[str, str, str]]:
    """site, list, category: where an imported list is probably wrong on help or learning, among these HOSTS and our own lists."""
    ours = pa.concat_tables([rules.lists.select(["entry", "category"]), lists.live(rules.own, day).select(["entry", "category"])])
    names = sorted({row["entry"] for row in ours.to_pylist() if row["category"] in lists.PROTECTED})
    asked = pa.table({"host": pa.array(names, pa.string()), "people": pa.array([0] * len(names), pa.int64()),
                      "requests": pa.array([0] * len(names), pa.int64())})
    return lists.overblocked(pa.concat_tables([hosts, classified(asked, rules, day)])) if rules.imported else []


def logs_of(rules: Rules, sources: Mapping[str, Any]) -> Logs:
    """What the rules say of these logs (name and format by source): the rank of school.toml, else of the format."""
    return Logs({source: log.name for source, log in sources.items()},
                {source: rank_of(rules, log.name, log.format) for source, log in sources.items()},
                {source: vendor_of(rules, log.format) for source, log in sources.items()})


def rank_of(rules: Rules, name: str, form: str) -> int:
    """The rank of a log by its file name and format: school.toml's, else the format's."""
    said = said_of(rules.school, name)
    known = rules.formats.get(form)
    return (said.rank if said else None) or (known.rank if known else 1)


def vendor_of(rules: Rules, form: str) -> str:
    """Whose names the categories of a log of this format bear; '' for a format that is no more."""
    known = rules.formats.get(form)
    return known.vendor if known else ""


def people_table(people: Sequence[Person], day: date, key: bytes) -> pa.Table:
    """person (pseudonym), role, year, house of everyone whose row speaks of that day."""
    on = [person for person in people if person.on(day)]
    return pa.table({"person": pa.array([pseudonym(key, "p", login_key(p.username)) for p in on], pa.string())}
                    | {name: pa.array([getattr(p, name) for p in on], pa.string()) for name in ("role", "year", "house")})


def sealed_rows(con: duckdb.DuckDBPyConnection, people: pa.Table, networks: pa.Table) -> pa.Table:
    """The sealed rows of the day with actor and year."""
    return sql.run("""
        SELECT s.*, coalesce(nullif(p.role, ''), nullif(s.account, ''), nullif(n.actor, ''), 'unknown') AS actor,
               coalesce(p.year, '') AS year
        FROM sealed s LEFT JOIN people p USING (person) LEFT JOIN networks n USING (network)
        """, sealed=con.sql(SEALED).to_arrow_table(), people=people, networks=networks)


def open_hours(bands: pa.Table, school: School, day: date) -> tuple[datetime, datetime] | None:
    """From the first lesson or registration of the day to the end of the last; None on a closed day."""
    if not is_open(school.calendar, day):
        return None
    rows: list[dict[str, Any]] = [row for row in bands.to_pylist() if not row["year"] and row["band"] not in CLOSED]
    return (min(row["starts"] for row in rows), max(row["ends"] for row in rows)) if rows else None


def summary(tables: Mapping[str, pa.Table], account: Mapping[str, int], school: School, day: date) -> dict[str, int]:
    """The day's numbers for the night's account."""
    stories, parts = tables["incidents"].to_pylist(), tables["breaches"]["part"].to_pylist()
    own = sum(tables["visits"]["requests"].to_pylist())
    named = {story["subject"] for story in stories if story["person"] and story["route"] in ("student", "welfare")}
    return {"own": own, "visit rows": len(tables["visits"]), "background": account["requests"] - own,
            "against": sum(row["within"] == "against" and not row["context"]
                           for row in tables["verdicts"].select(["within", "context"]).to_pylist()),
            "detections": len(shown_of(tables["detections"])), "stories": len(stories), "quietened": account["quietened"],
            "hidden": account["hidden"],
            "named": len(named), "pupil days": school.pupils_on_roll * is_open(school.calendar, day),
            "failures": parts.count("failure"), "circumventions": parts.count("circumvention")}


def equations(con: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], account: Mapping[str, int], day: date
              ) -> list[Problem]:
    """A problem, said loudly, for each equation of the day that does not hold; `con` calls the day's lines `lines`."""
    said = [*_requests(tables, account), *_fates(tables), *_verdicts(tables), *_first_lines(con, tables), *_stories(tables)]
    return [Problem(f"the day {day}", what, "reporting this fault; the day's pages cannot be trusted") for what in said]


def _requests(tables: Mapping[str, pa.Table], account: Mapping[str, int]) -> Iterator[str]:
    """Every request went to one place, and there are as many as the log was counted to hold."""
    parts = sum(account[part] for part in ("visits", "background", "auth", "error", "setup", "sealed", "twice"))
    if parts != account["requests"]:
        yield f"{account['requests']:,} requests went to {parts:,} places"
    counted = sum(tables["coverage"]["requests"].to_pylist())
    if counted != account["requests"]:
        yield f"{counted:,} lines are requests but {account['requests']:,} were judged"
    visited = sum(tables["visits"]["requests"].to_pylist()) + sum(tables["visits"]["background"].to_pylist())
    if visited != account["visits"]:
        yield f"{account['visits']:,} requests went to visits that hold {visited:,}"


def _fates(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Every line of every log has one fate."""
    for row in tables["coverage"].to_pylist():
        named = sum(row[fate] for fate in ("requests", "parts", "furniture", "rejects", "repeats"))
        if named != row["lines"]:
            yield f"{row['name']} has {row['lines']:,} lines but {named:,} have a fate"


def _verdicts(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Every visit is one and has one verdict."""
    stays, verdicts = tables["visits"]["visit"].to_pylist(), tables["verdicts"]["visit"].to_pylist()
    if sorted(stays) != sorted(verdicts) or len(set(stays)) != len(stays):
        yield f"{len(stays):,} visits have {len(verdicts):,} verdicts"


def _first_lines(con: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """The first line of every visit and of every detection is one request of the lake."""
    for name in ("visits", "detections"):
        rows = tables[name].select(["source", "line"]).group_by(["source", "line"]).aggregate([])
        found = sql.run(FIRST_LINES, con=con, named=rows)["found"][0].as_py()
        if found != len(rows):
            yield f"{len(rows):,} first lines of {name} are {found:,} requests of the lake"


def _stories(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Incidents are made of visits that are there, and of every detection once."""
    stays = set(tables["visits"]["visit"].to_pylist())
    for name in ("detections", "incidents"):
        if not {key for keys in tables[name]["visit_keys"].to_pylist() for key in keys} <= stays:
            yield f"{name} name a visit that is not there"
    shown = shown_of(tables["detections"])
    keys = sorted(key for keys in tables["incidents"]["keys"].to_pylist() for key in keys)
    if keys != sorted(incidents.key_of(row) for row in shown.to_pylist()):
        yield f"{len(shown):,} detections are told in incidents of {len(keys):,}"
