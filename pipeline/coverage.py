"""What was heard from each log on one school day, and the anonymous counts that outlive the requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

import pyarrow as pa

from pipeline.heard import Heard
from pipeline.sql import run
from pipeline.tables import COVERAGE, TALLIES, conform

REMEMBERED = 10  # school days after which a log that stays silent is taken for one that the school has given up
ROTATED = re.compile(r"(\.\d{1,4})?(\.(gz|bz2|xz))?$")
TURNED = re.compile(r"[-_.]?(?<!\d)20\d\d([-_.]?)[01]\d\1[0-3]\d(?!\d)([-_.T]?\d{2,10})?(?=[^/]*$)")

COUNTED = {
    **{name: f"fate = '{fate}'" for name, fate in (("requests", "request"), ("parts", "part"), ("furniture", "furniture"),
                                                   ("rejects", "reject"), ("repeats", "repeat"))},
    "unattributed": "fate = 'request' AND nobody",
    "paged": "fate = 'request' AND kind = 'http' AND NOT sealed",
    "blocked": "fate = 'request' AND action = 'blocked'",
}
# Silences are found between minutes that have a request, inside school hours, from opening to closing.
SOURCES = """
WITH counts AS (
    SELECT source, sum(n)::BIGINT AS lines, {counted},
           make_timestamptz(min(first) FILTER (fate = 'request')) AS first,
           make_timestamptz(max(last) FILTER (fate = 'request')) AS last
    FROM kinds GROUP BY source
), heard AS (
    SELECT DISTINCT source, minute FROM minutes WHERE minute BETWEEN $opens // 60000000 AND $closes // 60000000
    UNION SELECT source, unnest([$opens, $closes]) // 60000000 FROM counts  -- not of a log that ended before school began
    WHERE $opens > 0 AND epoch_us(last) >= $opens AND epoch_us(first) <= $closes
), gaps AS (
    SELECT source, minute - lag(minute) OVER (PARTITION BY source ORDER BY minute) AS gap FROM heard
), longest AS (
    SELECT source, max(gap) AS gap_minutes FROM gaps GROUP BY source
)
SELECT $day::DATE AS day, c.source, coalesce(n.name, '') AS name, c.* EXCLUDE (source),
       coalesce(gap_minutes, 0) AS gap_minutes
FROM counts c LEFT JOIN longest USING (source) LEFT JOIN names n ON n.source = c.source
ORDER BY name, c.source
""".format(counted=", ".join(f"coalesce(sum(n) FILTER ({which}), 0)::BIGINT AS {name}" for name, which in COUNTED.items()))
MEASURES = """
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


def coverage(heard: Heard, day: date, names: Mapping[str, str], open_hours: tuple[datetime, datetime] | None) -> pa.Table:
    """One row for each log that was heard on the day; closed days have no silences."""
    opens, closes = (int(at.timestamp() * 1_000_000) for at in open_hours) if open_hours else (0, -1)
    named = pa.table({"source": pa.array(list(names), pa.string()),
                      "name": pa.array(list(names.values()), pa.string())})
    return conform(run(SOURCES, {"day": day, "opens": opens, "closes": closes}, kinds=heard.kinds, minutes=heard.minutes,
                       names=named), COVERAGE)


def silent(heard: pa.Table, paths: Mapping[str, str], day: date) -> dict[str, date]:
    """The logs that made requests on an earlier day of `heard` and none on `day`, with the last day of each.

    `heard`: rows of coverage; `paths`: where each source stands. A log rotated, dated or compressed is one log.
    """
    last: dict[str, date] = {}
    for row in heard.to_pylist():
        if row["requests"]:
            log = log_of(paths.get(row["source"], row["name"]))
            last[log] = max(row["day"], last.get(log, row["day"]))
    return {log: at for log, at in last.items() if at < day}


def log_of(path: str) -> str:
    """The path of a log without what rotation adds to it: a number, a date, an ending for compression."""
    return TURNED.sub("", ROTATED.sub("", path))


def tallies(visits: pa.Table, verdicts: pa.Table, detections: pa.Table, incidents: pa.Table, day: date) -> pa.Table:
    """The anonymous counts of the day: no person, client, site or host in them."""
    return conform(run(MEASURES, {"day": day}, visits=visits, verdicts=verdicts, detections=detections,
                       incidents=incidents), TALLIES)
