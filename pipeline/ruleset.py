"""All that a school judges by, read from the texts of its school folder: settings, policy, rules, lists and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline import excepted, habits, lists
from pipeline.addressbook import WHERE, read_shapes
from pipeline.engines import Engine, read_engines
from pipeline.formats import Format, with_own
from pipeline.policy import Policy, read_policy
from pipeline.privacy import login_key
from pipeline.problems import Problem
from pipeline.rulebook import Rule
from pipeline.rulebook.reading import read_rules
from pipeline.school import School, read_school
from pipeline.school.people import Person, read_people
from pipeline.signals.shapes import Book
from pipeline.terms import Terms, read_terms
from pipeline.vendors import Names, read_vendors


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
    exceptions: Sequence[excepted.Excepted] = ()
    shapes: Book = field(default_factory=Book)
    terms: Terms = field(default_factory=Terms)
    engines: Sequence[Engine] = ()
    embeds: Sequence[str] = ()  # hosts that other pages bring along
    imported: Sequence[str] = ()  # the Parquet files of the imported lists


def read_all(files: Mapping[str, str]) -> tuple[Rules | None, list[Problem]]:
    """The rules of these texts (by path in the school folder), or None when they cannot be judged by; every fault."""
    school, faults = read_school(files.get("school.toml", ""))
    policy, more = read_policy({name: text for name, text in files.items() if name.startswith("rules/guidance/")
                                or (name.startswith("rules/") and name.count("/") == 1)})
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
    shapes, more = read_shapes(files.get(WHERE, ""), known)
    faults += more
    terms, more = read_terms({n: t for n, t in files.items() if n.startswith("rules/terms/")}, known)
    faults += more
    engines, more = read_engines(files.get("rules/terms/engines.csv", ""))
    faults += more
    embeds, more = habits.read_brought(files.get(habits.WHERE, ""))
    faults += more
    people, more = read_people(files["people.csv"]) if "people.csv" in files else ([], [])
    faults += more
    exceptions, more = excepted.read_exceptions(files.get(excepted.WHERE, ""), [rule.name for rule in rules],
                                                {login_key(person.username) for person in people})
    faults += more
    if school is None or policy is None or not rules:
        return None, faults
    return Rules(school, policy, rules, entries, own, people, known_formats, vendors, exceptions, shapes, terms, engines,
                 embeds), faults
