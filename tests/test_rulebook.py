"""The rules: each does what its own examples say, and a broken one is told everything at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.policy import read_policy
from pipeline.problems import Problem
from pipeline.rulebook import Example, Rule
from pipeline.rulebook.compiling import rule_condition, rule_sentences
from pipeline.rulebook.examples import example_faults, example_visits
from pipeline.rulebook.firing import firings
from pipeline.rulebook.reading import read_rules
from pipeline.rulebook.vocabulary import VOCABULARY, amount
from pipeline.tables import VERDICTS, VISITS

RULES = Path(__file__).parents[1] / "rules"
FILES = {f"rules/detect/{path.name}": path.read_text("utf-8") for path in (RULES / "detect").glob("*.toml")}
POLICY, _ = read_policy({path.name: path.read_text("utf-8") for path in RULES.glob("*.*")})
CATEGORIES = POLICY.categories if POLICY else {}
BROKEN = """title = "Games"
clause = "7.2 IN-02"
why = "because"
category = "gamse"
colour = "red"

[when]
actor = "pupil"
request_over = 9
crowd_under = "few"

[[fires]]
note = "no host"
visits = ["10:05 y9 games allowed", "25:00 y9 a.example games alowed x3 sideways"]
"""


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_rule_does_what_its_examples_say(name: str) -> None:
    """Every example that must fire does, and every one that must stay quiet is."""
    rules, problems = read_rules({name: FILES[name]}, CATEGORIES)
    assert problems == []
    assert example_faults(rules[0], CATEGORIES) == []


def test_no_rule_speaks_of_what_is_never_an_incident() -> None:
    """Help-seeking, background and learning stand in no rule."""
    named = {category for rule in read_rules(FILES)[0] for category in rule.category}
    assert not named & {"help_seeking", "background", "learning", "illegal_csam", "illegal_terrorism"}


def test_every_fault_is_said_at_once() -> None:
    """A broken rule is told of each fault, with its line and the nearest word."""
    rules, problems = read_rules({"rules/detect/games.toml": BROKEN}, ["games", "gambling"])
    assert rules == []
    places = {(p.where.rpartition(":")[2], p.try_this) for p in problems}
    assert {("4", "games"), ("9", "requests_over"), ("10", "crowd_under = 10"), ("12", "10:05"),
            ("12", "allowed")} <= places
    assert any(p.where.endswith(":5") and "colour" in p.what for p in problems)
    assert any(p.where.endswith(":8") and "pupil" in p.what for p in problems)
    assert any("no mistaken" in p.what for p in problems)
    assert any("[[quiet]]" in p.what for p in problems)
    assert any("sideways" in p.what for p in problems)


def test_toml_that_cannot_be_read_is_a_problem() -> None:
    """A slip of the pen is said with its line, and the other rules still stand."""
    rules, problems = read_rules({"detect/a.toml": 'title = "a"\nwhy = b', "detect/b.toml": FILES["rules/detect/tor.toml"]})
    assert [rule.name for rule in rules] == ["b"]
    assert isinstance(problems[0], Problem)
    assert problems[0].where == "detect/a.toml:2"


def test_an_example_becomes_a_visit() -> None:
    """The words of an example fill the tables that rules run on."""
    story = Example("", ("Tue 10:05 y9/b www.playpark.example games mixed x12 lesson 4 for 20min 50MB crowd 3 after 90ms tunnel",))
    visits, verdicts = example_visits(story)
    row, verdict = visits.to_pylist()[0], verdicts.to_pylist()[0]
    assert (visits.schema, verdicts.schema) == (VISITS.schema, VERDICTS.schema)
    assert (row["year"], row["actor"], row["site"], row["band"], row["period"]) == (
        "9", "student", "playpark.example", "lesson", "Period 4")
    assert (row["requests"], row["blocked"], row["allowed"], row["bytes_in"]) == (12, 6, 6, 50_000_000)
    assert (row["slots"], row["crowd"], row["after_ms"], row["tunnels"], verdict["outcome"]) == (5, 3, 90, 12, "mixed")


def test_several_times_are_of_one_person() -> None:
    """A rule that asks for three visits in a day counts each person's own."""
    rule = Rule("r", "t", "c", "w", "m", ("games",), {"times": {"at_least": 3, "within": "1 day"}})
    visits = tuple(f"1{n}:00 y9 a.example games allowed" for n in range(3))
    assert firings(rule, *example_visits(Example("", visits))).num_rows == 3
    assert firings(rule, *example_visits(Example("", visits[:2]))).num_rows == 0


def test_every_word_has_sql_and_a_sentence() -> None:
    """A rule of every word compiles to one condition that runs, and says each of them."""
    when = {word: list(entry.holds)[:1] if entry.holds else 1 for word, entry in VOCABULARY.items()}
    rule = Rule("r", "t", "c", "w", "m", ("it's",), when)
    assert "'it''s'" in rule_condition(rule)
    assert len(rule_sentences(rule)) == len(VOCABULARY)
    assert firings(rule, *example_visits(Example("", ("10:05 y9 a.example games allowed",)))).num_rows == 0


def test_sizes_are_read() -> None:
    """A number, or a number with its unit; anything else is neither."""
    assert [amount(said) for said in (9, "50MB", "1.5 GB", "lots", True)] == [9, 50_000_000, 1_500_000_000, None, None]
