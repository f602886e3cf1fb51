"""What was heard from each log on one school day, and the anonymous counts that outlive the requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

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
VISIT = ("subject", "actor", "category", "band", "period", "network", "year", "requests", "background", "blocked")
VERDICT = ("within", "context", "outcome", "tier", "failure", "questions")
TOLD = pa.schema([field for field in TALLIES.schema if field.name != "day"])
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
    """The anonymous counts of the day: no person, client, site or host in them. Each visit has one of the verdicts."""
    told = verdicts.take(pc.index_in(visits["visit"], verdicts["visit"])).select(VERDICT)
    found = [*_of_visits(pa.table({name: visits[name] for name in VISIT} | {name: told[name] for name in VERDICT})),
             *_of_detections(detections), *_of_incidents(incidents)]
    table = pa.concat_tables(found).sort_by([("measure", "ascending"), ("of", "ascending")])
    return conform(table.append_column("day", pa.array([day] * len(table), pa.date32())), TALLIES)


def _of_visits(judged: pa.Table) -> Iterator[pa.Table]:
    """What is counted of visits with their verdicts; what leaders' pages count leaves out staff, and all of welfare and of the
    illegal-content list."""
    in_class, by_program, bare = (pc.equal(judged["context"], why) for why in ("class", "program", ""))
    blocked = judged.filter(pc.greater(judged["blocked"], 0))
    against = judged.filter(pc.and_(pc.equal(judged["within"], "against"), bare))
    pupils = against.filter(pc.and_(pc.equal(against["actor"], "student"),
                                    pc.invert(pc.is_in(against["tier"], pa.array(["T0", "T1"])))))
    years = pupils.filter(pc.not_equal(pupils["year"], ""))
    years = years.append_column("of", pc.binary_join_element_wise(years["year"], years["category"], "|"))
    yield _whole("visits", judged)
    yield _whole("requests in visits", judged, "requests")
    yield _whole("background requests", judged, "background", people=False)
    yield _whole("blocked requests", blocked, "blocked")
    yield _by("requests by category", _unnamed(judged), "category", "requests")
    yield _by("blocked by category", _unnamed(blocked), "category", "blocked")
    yield _by("visits by band", judged, "band")
    yield _by("visits by actor", judged, "actor")
    yield _by("visits by network", judged, "network")
    yield _by("visits by question", _each(judged, "questions"), "questions", people=False)
    yield _some("visits of registered checks", judged.filter(pc.invert(pc.or_(bare, pc.or_(in_class, by_program)))))
    yield _some("visits with a class of staff", judged.filter(in_class))
    yield _some("visits made by programs", judged.filter(by_program))
    yield _by("visits against by category", against, "category")
    yield _by("visits against by outcome", against, "outcome")
    yield _by("policy conflicts by category", judged.filter(pc.and_(pc.equal(judged["within"], "conflict"), bare)), "category")
    yield _by("filter failures by category", judged.filter(judged["failure"]), "category")
    yield from (_by(f"pupils against by {name}", pupils, name) for name in ("outcome", "period", "network", "category"))
    yield _by("pupils against by year and category", years, "of")


def _of_detections(detections: pa.Table) -> Iterator[pa.Table]:
    is_shown = pc.equal(detections["hidden"], "")
    shown = detections.filter(is_shown)
    yield _by("detections by rule", shown, "rule")
    yield _by("detections by tier", shown, "tier")
    yield _by("hidden detections", detections.filter(pc.invert(is_shown)), "hidden", people=False)


def _of_incidents(incidents: pa.Table) -> Iterator[pa.Table]:
    pupils = incidents.filter(pc.and_(pc.not_equal(incidents["year"], ""), pc.equal(incidents["route"], "student")))
    yield _by("incidents by route", incidents, "route")
    yield _by("incidents by tier", incidents, "tier")
    yield _by("incidents by row", _each(incidents, "rows"), "rows")
    yield _by("incidents by year", pupils, "year")


def _unnamed(judged: pa.Table) -> pa.Table:
    """The same visits without the people of those for help, who are not even counted."""
    asked = pc.equal(judged["category"], "help_seeking")
    return judged.set_column(judged.column_names.index("subject"), "subject", pc.if_else(asked, None, judged["subject"]))


def _each(rows: pa.Table, name: str) -> pa.Table:
    """subject and one item of the list `name`: a row an item."""
    return pa.table({"subject": rows["subject"].take(pc.list_parent_indices(rows[name])), name: pc.list_flatten(rows[name])})


def _whole(measure: str, rows: pa.Table, count: str = "", people: bool = True) -> pa.Table:
    """One count over all rows, at zero too: of rows, or of the numbers in `count`."""
    many = pc.sum(rows[count]).as_py() or 0 if count else len(rows)
    return _said(measure, pa.array([""]), [pc.count_distinct(rows["subject"]).as_py() if people else None], [many])


def _some(measure: str, rows: pa.Table) -> pa.Table:
    """How many rows, without people; nothing where there are none."""
    return _whole(measure, rows, people=False)[:len(rows)]


def _by(measure: str, rows: pa.Table, of: str, count: str = "", people: bool = True) -> pa.Table:
    """A count for each value of the column `of`: of rows, or of the numbers in `count`; nobody counted is null."""
    found = rows.group_by(of, use_threads=False).aggregate(
        [("subject", "count_distinct"), (count, "sum") if count else ([], "count_all")])
    many, who = found[f"{count}_sum" if count else "count_all"], found["subject_count_distinct"]
    return _said(measure, found[of], pc.if_else(pc.and_(pc.greater(who, 0), people), who, None), many)


def _said(measure: str, of: Any, people: Any, count: Any) -> pa.Table:
    measures = pa.array([measure] * len(of), pa.string())
    return pa.table({"measure": measures, "of": of, "people": people, "count": count}).cast(TOLD)
