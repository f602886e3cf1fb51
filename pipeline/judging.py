"""One school day judged: its lines in, its derived tables out, by today's lists and rules and that date's policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from pipeline import answers, classify, coverage, detect, habits, incidents, lists, liststore, searches, sql, visits
from pipeline.bursts import Watch
from pipeline.engines import Engine, read_engines
from pipeline.formats import Format, with_own
from pipeline.policy import Policy, in_force, read_policy
from pipeline.privacy import login_key, pseudonym
from pipeline.problems import Problem
from pipeline.rulebook import Rule, read_rules
from pipeline.school import Person, School, read_people, read_school, said_of
from pipeline.schoolday import bands_table, is_open
from pipeline.terms import Terms, read_terms
from pipeline.vendors import Names, read_vendors

ASKED = """
SELECT host, count(DISTINCT coalesce(person, client)) AS people, count(*) AS requests
FROM lines WHERE fate = 'request' AND host IS NOT NULL GROUP BY host ORDER BY host
"""
SEALED = "SELECT * FROM lines WHERE fate = 'request' AND sealed_list <> '' ORDER BY source, line"
FIRST_LINES = "SELECT count(*) AS found FROM lines JOIN named USING (source, line) WHERE fate = 'request'"
CLOSED = ("before_school", "after_school", "closed")


@dataclass(frozen=True)
class Rules:
    """All that a night judges by: settings, policy, rules, lists and people."""

    school: School
    policy: Policy
    rules: Sequence[Rule]
    lists: pa.Table
    own: pa.Table
    people: Sequence[Person]
    formats: Mapping[str, Format]
    vendors: Mapping[str, Names]
    imported: Sequence[str] = ()  # the Parquet files of the imported lists
    terms: Terms = field(default_factory=Terms)
    engines: Sequence[Engine] = ()
    embeds: Sequence[str] = ()  # hosts that other pages bring along


def read_all(files: Mapping[str, str]) -> tuple[Rules | None, list[Problem]]:
    """The rules of these texts (by path in the school folder), or None when they cannot be judged by; every fault."""
    school, faults = read_school(files.get("school.toml", ""))
    policy, more = read_policy({name: text for name, text in files.items() if name.startswith("rules/") and name.count("/") == 1})
    faults += more
    known = list(policy.categories) if policy else []
    rules, more = read_rules({name: text for name, text in files.items() if name.startswith("rules/detect/")})
    faults += more or ([] if rules else [Problem("rules/detect", "holds no rule", "the starter rules of the repository")])
    entries, more = lists.read_lists({n: text for n, text in files.items() if n.startswith("rules/lists/")}, known)
    faults += more
    own, more = lists.read_own(files.get("rules/lists/own.csv", ""), categories=known)
    faults += more
    known_formats, more = with_own([(n, t) for n, t in files.items() if n.startswith("rules/formats/") and n.endswith(".toml")])
    faults += more
    vendors, more = read_vendors({n: t for n, t in files.items() if n.startswith("rules/vendor/")}, known, known_formats)
    faults += more
    faults += [Problem(f"school.toml, logs.{n}.format", f"'{log.format}' is not a log format", "schoolgate formats")
               for n, log in enumerate(school.logs if school else (), 1) if log.format and log.format not in known_formats]
    terms, more = read_terms({n: t for n, t in files.items() if n.startswith("rules/terms/")}, known)
    faults += more
    engines, more = read_engines(files.get("rules/terms/engines.csv", ""))
    faults += more
    embeds, more = habits.read_brought(files.get(habits.WHERE, ""))
    faults += more
    people, more = read_people(files["people.csv"]) if "people.csv" in files else ([], [])
    faults += more
    if school is None or policy is None or not rules:
        return None, faults
    return Rules(school, policy, rules, entries, own, people, known_formats, vendors, (), terms, engines, embeds), faults


def judge(con: duckdb.DuckDBPyConnection, day: date, rules: Rules, key: bytes, names: Mapping[str, str],
          ranks: Mapping[str, int] = MappingProxyType({}), vendors: Mapping[str, str] = MappingProxyType({}),
          brought: Sequence[str] = ()) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """The derived tables of the day whose lines `con` calls `lines`, and where its requests went.

    `names`, `ranks`, `vendors`: file name and rank of each log, and whose names its categories bear, by source. `brought`: the
    sites that earlier days show to be brought along by others.
    """
    policy, school = in_force(rules.policy, day), rules.school
    people = people_table(rules.people, day, key)
    hosts = classified(con.sql(ASKED).to_arrow_table(), rules, day)
    bands = bands_table(school.calendar, day, school.years)
    networks = pa.table({"network": pa.array([n.name for n in school.networks], pa.string()),
                         "actor": pa.array([n.actor for n in school.networks], pa.string())})
    said, filter_names = answers.answers(con, hosts, rules.vendors, vendors, policy.categories, day)
    sought = searches.searches(con, hosts, rules.engines, rules.terms, detect.gravity(policy))
    stays, account = visits.fold(con, hosts, people, bands, networks, policy.background, ranks, said, sought,
                                 watch(policy, rules.embeds, brought))
    nominated = {row: {pseudonym(key, "p", login_key(login)) for login in logins} for row, logins in school.nominated.items()}
    verdicts = classify.judge(stays, policy, nominated)
    found, quiet = detect.fire(stays, verdicts, rules.rules, policy, day, sealed_rows(con, people, networks))
    stories = incidents.stories(found)
    tables = {"hosts": hosts, "visits": stays, "verdicts": verdicts, "detections": found, "incidents": stories,
              "breaches": incidents.breaches(stays, verdicts, found, day),
              "tallies": coverage.tallies(stays, verdicts, found, stories, day),
              "coverage": coverage.coverage(con, day, names, open_hours(bands, school, day)),
              "filter_names": filter_names, "habits": habits.of_day(stays, day)}
    return tables, account | {"quietened": len(quiet)}


def watch(policy: Policy, embeds: Sequence[str], brought: Sequence[str]) -> Watch:
    """What is looked at closely: every category that may become an incident. Help is named beside no other visit."""
    return Watch([name for name, category in policy.categories.items() if category.tier != "none"],
                 [name for name, category in policy.categories.items() if category.help_seeking], embeds, brought)


def classified(asked: pa.Table, rules: Rules, day: date) -> pa.Table:
    """The HOSTS of a table of distinct hosts (host, people, requests) by every list; imported ones are not loaded."""
    found = liststore.speaking(rules.imported, lists.suffixes_of(asked)) if rules.imported else lists.LISTS.empty_table()
    return lists.classify_hosts(asked, pa.concat_tables([rules.lists, found.cast(lists.LISTS)]), lists.live(rules.own, day))


def overblocked(hosts: pa.Table, rules: Rules, day: date) -> list[tuple[str, str, str]]:
    """site, list, category: where an imported list is probably wrong on help or learning, among these HOSTS and our own lists."""
    ours = pa.concat_tables([rules.lists.select(["entry", "category"]), lists.live(rules.own, day).select(["entry", "category"])])
    names = sorted({row["entry"] for row in ours.to_pylist() if row["category"] in lists.PROTECTED})
    asked = pa.table({"host": pa.array(names, pa.string()), "people": pa.array([0] * len(names), pa.int64()),
                      "requests": pa.array([0] * len(names), pa.int64())})
    return lists.overblocked(pa.concat_tables([hosts, classified(asked, rules, day)])) if rules.imported else []


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
            "against": tables["verdicts"]["within"].to_pylist().count("against"),
            "detections": len(tables["detections"]), "stories": len(stories), "quietened": account["quietened"],
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
    keys = sorted(key for keys in tables["incidents"]["keys"].to_pylist() for key in keys)
    if keys != sorted(incidents.key_of(row) for row in tables["detections"].to_pylist()):
        yield f"{len(tables['detections']):,} detections are told in incidents of {len(keys):,}"
