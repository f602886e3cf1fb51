"""The anonymous counts of a day, against one SQL text that says the same measure by measure."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest
from tables_text import DAY

from pipeline.coverage import tallies
from pipeline.sql import run
from pipeline.tables import DETECTIONS, INCIDENTS, TALLIES, VERDICTS, VISITS, Table, conform

BY_SQL = """
WITH judged AS (
    SELECT v.*, CASE WHEN d.context = '' THEN d.within ELSE 'not_evaluated' END AS within, d.context,
           d.outcome, d.tier, d.failure, d.questions FROM visits v JOIN verdicts d USING (visit)
), pupils AS (  -- what pages for leaders count: no staff, and nothing of welfare or of the illegal-content list
    SELECT * FROM judged WHERE actor = 'student' AND within = 'against' AND tier NOT IN ('T0', 'T1')
), counted AS (
    SELECT 'visits' AS measure, '' AS of, count(DISTINCT subject) AS people, count(*) AS count FROM judged
    UNION ALL SELECT 'requests in visits', '', count(DISTINCT subject), coalesce(sum(requests), 0) FROM judged
    UNION ALL SELECT 'background requests', '', NULL, coalesce(sum(background), 0) FROM judged
    UNION ALL SELECT 'blocked requests', '', count(DISTINCT subject) FILTER (blocked > 0), coalesce(sum(blocked), 0)
              FROM judged
    UNION ALL SELECT 'requests by category', category, CASE WHEN category = 'help_seeking' THEN NULL
                     ELSE count(DISTINCT subject) END, sum(requests) FROM judged GROUP BY category
    UNION ALL SELECT 'blocked by category', category, CASE WHEN category = 'help_seeking' THEN NULL
                     ELSE count(DISTINCT subject) END, sum(blocked) FROM judged WHERE blocked > 0 GROUP BY category
    UNION ALL SELECT 'visits by band', band, count(DISTINCT subject), count(*) FROM judged GROUP BY band
    UNION ALL SELECT 'visits by actor', actor, count(DISTINCT subject), count(*) FROM judged GROUP BY actor
    UNION ALL SELECT 'visits against by category', category, count(DISTINCT subject), count(*) FROM judged
              WHERE within = 'against' GROUP BY category
    UNION ALL SELECT 'visits of registered checks', '', NULL, count(*) FROM judged WHERE context NOT IN ('', 'class', 'program')
              HAVING count(*) > 0
    UNION ALL SELECT 'visits with a class of staff', '', NULL, count(*) FROM judged WHERE context = 'class' HAVING count(*) > 0
    UNION ALL SELECT 'visits made by programs', '', NULL, count(*) FROM judged WHERE context = 'program' HAVING count(*) > 0
    UNION ALL SELECT 'visits against by outcome', outcome, count(DISTINCT subject), count(*) FROM judged
              WHERE within = 'against' GROUP BY outcome
    UNION ALL SELECT 'visits by network', network, count(DISTINCT subject), count(*) FROM judged GROUP BY network
    UNION ALL SELECT 'pupils against by outcome', outcome, count(DISTINCT subject), count(*) FROM pupils GROUP BY outcome
    UNION ALL SELECT 'pupils against by period', period, count(DISTINCT subject), count(*) FROM pupils GROUP BY period
    UNION ALL SELECT 'pupils against by network', network, count(DISTINCT subject), count(*) FROM pupils GROUP BY network
    UNION ALL SELECT 'pupils against by category', category, count(DISTINCT subject), count(*) FROM pupils GROUP BY category
    UNION ALL SELECT 'pupils against by year and category', year || '|' || category, count(DISTINCT subject), count(*)
              FROM pupils WHERE year <> '' GROUP BY ALL
    UNION ALL SELECT 'visits by question', question, NULL, count(*) FROM (SELECT unnest(questions) AS question FROM judged)
              GROUP BY question
    UNION ALL SELECT 'policy conflicts by category', category, count(DISTINCT subject), count(*) FROM judged
              WHERE within = 'conflict' GROUP BY category
    UNION ALL SELECT 'filter failures by category', category, count(DISTINCT subject), count(*) FROM judged
              WHERE failure GROUP BY category
    UNION ALL SELECT 'detections by rule', rule, count(DISTINCT subject), count(*) FROM detections WHERE hidden = ''
              GROUP BY rule
    UNION ALL SELECT 'detections by tier', tier, count(DISTINCT subject), count(*) FROM detections WHERE hidden = ''
              GROUP BY tier
    UNION ALL SELECT 'hidden detections', hidden, NULL, count(*) FROM detections WHERE hidden <> '' GROUP BY hidden
    UNION ALL SELECT 'incidents by route', route, count(DISTINCT subject), count(*) FROM incidents GROUP BY route
    UNION ALL SELECT 'incidents by tier', tier, count(DISTINCT subject), count(*) FROM incidents GROUP BY tier
    UNION ALL SELECT 'incidents by row', row, count(DISTINCT subject), count(*)
              FROM (SELECT subject, unnest(rows) AS row FROM incidents) GROUP BY row
    UNION ALL SELECT 'incidents by year', year, count(DISTINCT subject), count(*) FROM incidents
              WHERE year <> '' AND route = 'student' GROUP BY year
)
SELECT $day::DATE AS day, measure, of, people, count::BIGINT AS count FROM counted ORDER BY measure, of
"""
WORDS = {"subject": ("p1", "p2", "p3", "d1"), "actor": ("student", "student", "staff"), "category": ("games", "help_seeking", "news"),
         "context": ("", "", "", "class", "program", "C-1"), "within": ("within", "against", "conflict", "not_evaluated"),
         "outcome": ("blocked", "allowed", "mixed"), "tier": ("T0", "T1", "T2", "none"), "year": ("", "8", "9"), "hidden": ("", "", "x"),
         "route": ("student", "staff"), "network": ("", "pupils"), "questions": ("AMB-01", "AMB-02"), "rows": ("IN-01", "IN-02")}


def any_rows(shape: Table, size: int, dice: random.Random) -> pa.Table:
    """Rows whose words are drawn, in an order of their own; `visit` is a key."""
    def drawn(name: str, type_: pa.DataType) -> Any:
        words = WORDS.get(name, ("one", "two"))
        if pa.types.is_list(type_):
            return dice.sample(words, dice.randrange(3))
        if pa.types.is_boolean(type_):
            return dice.random() < 0.3
        return dice.choice(words) if type_ == pa.string() else dice.randrange(4) if type_ == pa.int64() else None
    keys = dice.sample(range(size), size)
    return pa.table({field.name: pa.array([f"s1:{key}" if field.name == "visit" else drawn(field.name, field.type) for key in keys], field.type)
                     for field in shape.schema})


@pytest.mark.parametrize("size", [0, 1, 2, 5, 30, 300])
def test_every_measure_is_what_the_sql_counts(size: int) -> None:
    """The same rows in the same order, whatever the tables hold; a day without a visit says its four whole counts at zero."""
    for seed in range(5):
        dice = random.Random(size * 5 + seed)
        tables = {"visits": any_rows(VISITS, size, dice), "verdicts": any_rows(VERDICTS, size, dice),
                  "detections": any_rows(DETECTIONS, size // 2, dice), "incidents": any_rows(INCIDENTS, size // 4, dice)}
        counted = tallies(**tables, day=DAY)
        assert counted.to_pylist() == conform(run(BY_SQL, {"day": DAY}, **tables), TALLIES).to_pylist()
        assert {row["measure"] for row in counted.to_pylist()} >= {"visits", "requests in visits", "background requests", "blocked requests"}
