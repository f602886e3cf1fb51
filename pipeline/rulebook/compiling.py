"""A rule as one SQL condition over a visit `v` and its verdict `d`, and as phrases for people: both from the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.rulebook import Rule
from pipeline.rulebook.vocabulary import SIGNALS, TIMES, VOCABULARY, amount, many


def rule_condition(rule: Rule) -> str:
    """The rule as one SQL condition over `v` (a row of visits) and `d` (its verdict, joined on `visit`).

    It holds for one visit. Where `rule.times` is more than one, the rule fires only for a subject with that
    many such visits in one school day; group by `v.subject` and count them.
    """
    parts = [] if rule.whole or rule.category == ("any",) else [f"v.category IN ({_quoted(rule.category)})"]
    parts += [VOCABULARY[word].condition.format(_sql(word, said)) for word, said in rule.when.items() if word != TIMES]
    if rule.signal:
        parts.append(SIGNALS[rule.signal].condition.format(**{name: repr(n) for name, n in rule.numbers.items()}))
    return " AND ".join(parts) or "true"


def rule_sentences(rule: Rule) -> list[str]:
    """What the rule looks for, a short phrase for each of its words."""
    said = [VOCABULARY[word].sentence.format(" or ".join(many(value)).replace("_", " "))
            for word, value in rule.when.items() if word != TIMES]
    said += [SIGNALS[rule.signal].sentence] if rule.signal else []
    return said + ([f"at least {rule.times} times in one school day"] if rule.times > 1 else [])


def _quoted(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _sql(word: str, said: Any) -> str:
    return repr(amount(said)) if VOCABULARY[word].holds is None else _quoted(many(said))
