"""What the school's rules are, and how often people found each of them right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from pipeline import precision, schoolfolder
from pipeline.rulebook.compiling import rule_sentences
from pipeline.ruleset import Rules


def rules(folder: Path, until: date) -> list[str]:
    """Each rule in a few lines: its title, what it looks for, how often it was right, and what is proposed; UsageError."""
    known = schoolfolder.rules(folder)
    states = schoolfolder.incidents(folder)
    triage = known.school.triage
    found = precision.records(precision.decisions(states.values()), until, triage.precision)
    proposed = precision.proposals(found, [rule.name for rule in known.rules if rule.watch], triage.precision, triage.least)
    return [*_each(known, {one.rule: one for one in found}), *(f"proposed for watch: {text}" for text in proposed)]


def _each(known: Rules, found: Mapping[str, precision.Record]) -> Iterator[str]:
    for rule in known.rules:
        one = found.get(rule.name)
        right = f"{one.confirmed} of {one.looked_at} confirmed in four weeks" if one else "not looked at in four weeks"
        yield f"{rule.name}{' (on watch)' if rule.watch else ''}: {rule.title}. {right}."
        yield f"    {', '.join(rule.category)}: {'; '.join(rule_sentences(rule)) or 'every visit'}"
