"""Every row of tables 6.1 and 7.2 that a log can show has a rule at work, and rows that it cannot show have none."""

from __future__ import annotations

import pytest
from made_rules import fired, made
from tables_text import visits

from pipeline import classify
from pipeline.rulebook.examples import example_faults

# 6.1: illegal images and extreme pornography are sealed; grooming cannot be seen; the catch-all would let a program invent offences.
SHOWN = ("UA-05", "UA-06", "UA-07", "UA-09", "UA-10", "UA-11", "UA-12", "UA-13", "UA-14", "UA-15", "UA-16", "UA-17", "UA-18", "UA-19", "UA-20")
NEVER = ("UA-02", "UA-08")
# 7.2: IN-01 is sealed; phones, others' data, messages and disrepute are entered by hand; IN-10 is computed from confirmed incidents.
PROPOSED = ("IN-02", "IN-04", "IN-05", "IN-06", "IN-07", "IN-12", "IN-13", "IN-14", "IN-15")
BY_HAND = ("IN-03", "IN-08", "IN-09", "IN-11")


def named(row: str) -> set[str]:
    """The rules that speak of a category judged by a row of 6.1, or that may propose a row of 7.2."""
    of = {name for name, category in made().policy.categories.items()
          if category.row == row or row in {line.row for line in category.propose}}
    return {rule.name for rule in made().rules if of.intersection(rule.category)}


@pytest.mark.parametrize("row", [*SHOWN, *PROPOSED])
def test_each_row_that_a_log_can_show_has_a_rule_with_examples_that_hold(row: str) -> None:
    """Its stories that must fire do, and those that must stay quiet do."""
    rules = [rule for rule in made().rules if rule.name in named(row)]
    assert rules
    for rule in rules:
        assert rule.fires and rule.quiet
        assert example_faults(rule, made().policy.categories) == []


@pytest.mark.parametrize("row", [*NEVER, *BY_HAND])
def test_a_row_that_no_log_shows_has_no_rule(row: str) -> None:
    """The machine would invent what it cannot see."""
    assert named(row) == set()


LUNCH = ("started | ended | person | actor | actor_from | band | category | site | allowed | requests | slots\n"
         "13:00 | 13:20 | {who} | {actor} | people | lunch | shopping | shoes.test | 40 | 40 | 4\n")


@pytest.mark.parametrize(("who", "actor", "nominated", "told"), [
    ("p1", "student", {}, False), ("p1", "student", {"UA-16": {"p9"}}, True), ("p9", "student", {"UA-16": {"p9"}}, False),
    ("p1", "staff", {"UA-16": {"p9"}}, True), ("p9", "staff", {"UA-16": {"p9"}}, False)])
def test_shopping_is_for_nominated_users_once_there_are_any(who: str, actor: str, nominated: dict[str, set[str]], told: bool) -> None:
    """With nobody nominated it is not judged; with somebody, everybody else is, at lunch too."""
    seen = visits(LUNCH.format(who=who, actor=actor))
    assert ("shopping-not-nominated" in fired(seen, classify.judge(seen, made().policy, nominated))) is told
