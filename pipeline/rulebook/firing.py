"""A rule over the visits of one school day: which of them make it fire."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from pipeline.rulebook import Rule
from pipeline.rulebook.compiling import rule_condition
from pipeline.signals.acts import ACTS
from pipeline.sql import run

PERSONAL = ("own", "guests")  # in examples
NEVER = ("help_seeking", "background")

FIRING = """
WITH matching AS (
    SELECT v.visit, v.subject FROM visits v JOIN verdicts d USING (visit)
    WHERE {condition}
)
SELECT visit, subject FROM matching QUALIFY count(*) OVER (PARTITION BY subject) >= $at_least ORDER BY visit
"""

# What an act looks at. Whole acts meet no welfare visit, and none beside which nobody is ever named.
PICKED = """
SELECT v.*, d.outcome FROM visits v JOIN verdicts d USING (visit)
WHERE {condition} AND v.category NOT IN (SELECT unnest($never::VARCHAR[]))
  AND CASE WHEN $whole THEN d.tier NOT IN ('T0', 'T1') ELSE d.tier <> 'none' AND d.within <> 'conflict' END
  AND (d.context = '' OR ($whole AND d.context = 'class'))
"""


def firings(rule: Rule, visits: pa.Table, verdicts: pa.Table) -> pa.Table:
    """The visits of one school day that make a rule fire: visit, subject."""
    if rule.signal in ACTS:
        found = [visit for act in acted(rule, visits, verdicts, PERSONAL, NEVER) for visit in act["visits"]]
        named = dict(zip(visits["visit"].to_pylist(), visits["subject"].to_pylist(), strict=True))
        return pa.table({"visit": pa.array(found, pa.string()), "subject": pa.array([named[v] for v in found], pa.string())})
    text = FIRING.format(condition=rule_condition(rule))
    return run(text, {"at_least": rule.times}, visits=visits, verdicts=verdicts)


def acted(rule: Rule, visits: pa.Table, verdicts: pa.Table, own: Collection[str], never: Collection[str]) -> list[dict[str, Any]]:
    """Each time the signal of a rule holds that speaks of several visits: visits (keys, in order), why (sentences), device.

    `own`: the networks of people's own devices and of guests; `never`: the categories that are no evidence of anything.
    """
    act = ACTS[rule.signal]
    picked = run(PICKED.format(condition=rule_condition(rule)), {"never": sorted(never), "whole": act.whole}, visits=visits,
                 verdicts=verdicts)
    if not len(picked):
        return []
    values = {name: rule.numbers[name] for name in act.numbers} | ({"own": sorted(own)} if "$own::" in act.text else {})
    found: list[dict[str, Any]] = run(act.text, values, picked=picked).to_pylist()
    return found
