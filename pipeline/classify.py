"""Each visit judged by the policy of that minute: what the filter did, and what the policy says; two axes kept apart.

What the policy says hangs on category, actor, band and nomination only, so it is worked out once for each of those that
occur, in plain Python that reads like the policy, and joined to the visits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

from pipeline.sql import run
from pipeline.tables import TEXTS, VERDICTS, conform

STAFF = frozenset({"staff", "technical_staff", "governor"})
OWN_TIME = ("break", "lunch", "before_school", "after_school")  # where [times] of policy.toml is silent
TAUGHT = ("lesson", "registration")
OUT_OF_HOURS = "closed"  # nights, weekends and holidays are before or after school

CASES = """
SELECT DISTINCT category, actor, band, coalesce(n.row, '') AS named_row
FROM visits LEFT JOIN nominated n USING (person)
ORDER BY ALL
"""

VERDICTS_OF_DAY = """
WITH best AS (
    SELECT v.visit, v.category, v.started, v.source, v.line, j.* EXCLUDE (category, actor, band, named_row),
           -- beside pages that were asked for, a permitted search for them is no page that went through
           CASE WHEN v.blocked > 0 AND v.allowed > CASE WHEN v.searched < v.requests THEN v.searched ELSE 0 END THEN 'mixed'
                WHEN v.blocked > 0 THEN 'blocked' ELSE 'allowed' END AS outcome,
           v.allowed > v.searched AND j.blocks AS failure,  -- a page of results is not what it lists
           '' AS context
    FROM visits v LEFT JOIN nominated n ON n.person = v.person
    JOIN judged j ON j.category = v.category AND j.actor = v.actor AND j.band = v.band
                 AND j.named_row = coalesce(n.row, '')
    QUALIFY row_number() OVER (PARTITION BY v.visit ORDER BY (j.row = coalesce(n.row, '')) DESC, n.row) = 1
)
SELECT * FROM best ORDER BY started, source, line
"""

IN_CONTEXT = """
SELECT d.* REPLACE (CASE WHEN d.context = '' THEN coalesce(f.context, '') ELSE d.context END AS context)
FROM (SELECT *, row_number() OVER () AS place FROM verdicts) d LEFT JOIN found f USING (visit) ORDER BY place
"""


def judge(visits: pa.Table, policy: Any, nominated: Mapping[str, Collection[str]]) -> pa.Table:
    """One verdict for every visit. `nominated`: the people a row of the policy names, by row id."""
    names = sorted((row, person) for row, people in nominated.items() for person in people)
    people = pa.table({"row": pa.array([row for row, _ in names], pa.string()),
                       "person": pa.array([person for _, person in names], pa.string())})
    cases = run(CASES, visits=visits, nominated=people).to_pylist()
    judged = [_judge(case, policy, nominated) for case in cases]
    table = pa.Table.from_pylist(judged, schema=JUDGED)
    return conform(run(VERDICTS_OF_DAY, visits=visits, nominated=people, judged=table), VERDICTS)


JUDGED = pa.schema([("category", pa.string()), ("actor", pa.string()), ("band", pa.string()),
                    ("named_row", pa.string()), ("row", pa.string()), ("verdict", pa.string()), ("within", pa.string()),
                    ("clause", pa.string()),
                    ("filter", pa.string()), ("blocks", pa.bool_()), ("tier", pa.string()), ("questions", TEXTS)])


def in_context(verdicts: pa.Table, found: pa.Table) -> pa.Table:
    """The VERDICTS with why no rule speaks of some visits; `found`: visit, context; the first word on a visit stands."""
    return conform(run(IN_CONTEXT, verdicts=verdicts, found=found), VERDICTS) if len(found) else verdicts


def _judge(case: dict[str, Any], policy: Any, nominated: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """What the policy and the filter's orders say of one case: category, actor, band, the row that names the person."""
    actor, band = case["actor"], case["band"]
    key = {name: case[name] for name in ("category", "actor", "band", "named_row")}
    category = policy.categories.get(case["category"])
    if category is None:
        return key | {"row": "", "verdict": "no_row", "within": "not_evaluated", "clause": "", "filter": "allow",
                      "blocks": False, "tier": "none", "questions": []}
    name = _row_in_use(category, policy)
    row, taught = policy.actions.get(name), actor == "student" and band in _bands(policy, "lessons", TAUGHT)
    verdict = row.reading if row else "no_row"
    of_students = name in policy.communications and actor != "student"  # 4.2 is read for students only
    own_time = band == OUT_OF_HOURS or band in _bands(policy, "student", OWN_TIME)
    within = "not_evaluated" if of_students else _within(
        verdict, actor == "student", taught, own_time, case["named_row"] == name, bool(nominated.get(name)))
    if within == "against" and _contradicts(category, policy) and not taught:
        within = "conflict"
    orders = category.filter_staff if actor in STAFF else category.filter
    meant = "block" if orders == "block" or (orders == "times" and taught) else "allow"
    tier = "TS" if actor in STAFF and within == "against" and category.tier in ("T2", "T3") else category.tier
    return key | {"row": row.id if row else "", "verdict": verdict, "within": within, "clause": _clause(row),
                  "filter": meant, "blocks": meant == "block", "tier": tier, "questions": list(category.questions)}


def _row_in_use(category: Any, policy: Any) -> str:
    """The row that judges it: the other one where the decision on a contradiction names that first."""
    decision = next((question.decision for question in _contradictions(category, policy) if question.decision), "")
    named: list[str] = [row for row in (category.row, category.also_row) if row and row in decision]
    return min(named or [category.row], key=decision.find)


def _contradictions(category: Any, policy: Any) -> list[Any]:
    """The questions that touch this category and say that two rows of the policy contradict each other."""
    asked = [policy.questions.get(name) for name in category.questions]
    return [question for question in asked if question is not None and question.contradiction]


def _bands(policy: Any, word: str, otherwise: Collection[str]) -> Collection[str]:
    """The bands that policy.toml means by "certain times" (`student`) and by `lessons`."""
    bands: Collection[str] = policy.more.get("times", {}).get(word, otherwise)
    return bands


def _within(verdict: str, student: bool, taught: bool, own_time: bool, named: bool, anyone_named: bool) -> str:
    """Whether that verdict lets this actor at this time: within, against or not_evaluated."""
    if verdict.startswith("unacceptable"):
        return "against"
    if verdict == "acceptable":
        return "within"
    if verdict == "certain_times" and student:
        return "against" if taught else "within" if own_time else "not_evaluated"
    if verdict == "nominated_users" and anyone_named:
        return "within" if named else "against"
    return "not_evaluated"


def _contradicts(category: Any, policy: Any) -> bool:
    """The policy contradicts itself on it, and nobody has decided which clause holds."""
    return any(not question.decision for question in _contradictions(category, policy))


def _clause(row: Any) -> str:
    """The clause as people cite it, such as 6.1 UA-05."""
    if row is None:
        return ""
    return row.clause if row.id in row.clause else f"{row.clause} {row.id}".strip()
