"""What this school's own traffic shows of a site: whether people go there, or other pages bring it along.

Each day leaves a small table behind: of each watched site, how often it was asked for anew, how often that opened a burst of its
own, and how many sites set it off. A site that nearly always follows, and follows many, is brought along. The history of a day
is the tables of the days before it, so a late file may change what a later day learned; `fingerprint` tells whether it did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from pipeline.intent import number
from pipeline.lists import read_lists
from pipeline.problems import Problem
from pipeline.sql import run
from pipeline.tables import HABITS, conform

WHERE = "rules/brought.txt"

OF_DAY = """
SELECT $day::DATE AS day, site, sum(tries)::BIGINT AS tries, sum(opened)::BIGINT AS opened,
       len(list_distinct(flatten(list(set_off_by))))::BIGINT AS by_sites
FROM visits WHERE tries > 0 AND searched = 0 GROUP BY site ORDER BY site
"""

BROUGHT = """
SELECT site FROM history GROUP BY site
HAVING sum(tries) >= $tries AND 100 * sum(opened) <= $percent * sum(tries) AND max(by_sites) >= $sites ORDER BY site
"""


def of_day(visits: pa.Table, day: date) -> pa.Table:
    """HABITS of the VISITS of one day."""
    return conform(run(OF_DAY, {"day": day}, visits=visits), HABITS)


def brought(history: pa.Table, numbers: Mapping[str, Any]) -> list[str]:
    """The sites that HABITS of several days show to be brought along by others, by the numbers of intent.toml."""
    found = run(BROUGHT, {"tries": number(numbers, "habit_tries"), "percent": number(numbers, "habit_opened_percent"),
                          "sites": number(numbers, "habit_sites")}, history=history)
    return [str(site) for site in found["site"].to_pylist()]


def window(day: date, numbers: Mapping[str, Any]) -> list[date]:
    """The days that are the history of `day`."""
    return [day - timedelta(days=back) for back in range(number(numbers, "habit_days"), 0, -1)]


def fingerprint(sites: Sequence[str]) -> str:
    """Sixteen letters that change when what was learned does."""
    return hashlib.sha256("\n".join(sites).encode()).hexdigest()[:16]


def read_brought(text: str) -> tuple[list[str], list[Problem]]:
    """The hosts of rules/brought.txt, a name a line, and every fault."""
    table, problems = read_lists({WHERE: text})
    return sorted(set(table["entry"].to_pylist())), problems
