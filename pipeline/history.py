"""What the days before one know, for judging it: the hosts they met, and the sites that other pages bring along.

The history of a day is the summaries of the days before it. Where one of those is judged again later (a late log), a day whose
history then says something else is judged again too, so that nothing hangs on the order in which logs arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from pipeline import behaviour, habits, learned, spreading, sql
from pipeline.checking import Window
from pipeline.lake import Lake
from pipeline.ruleset import Rules
from pipeline.tables import HABITS, HOSTS, LEARNED, VISITS

DAYS = 28  # judged days that a host must be unheard of to be new: a month and a half of school


@dataclass(frozen=True)
class History:
    """The HOSTS files of the days before, the sites that those days show to be brought along by others, the windows of checks of
    the filter, and the LEARNED of those days."""

    hosts: Sequence[str]
    brought: Sequence[str]
    checks: Sequence[Window]
    learned: pa.Table
    lessons: Sequence[str]  # all that can be taken from it


def before(lake: Lake, day: date, rules: Rules, checks: Sequence[Window] = ()) -> History:
    """The history of a day, as it is known now. `checks`: the windows registered beforehand."""
    window = habits.window(day, rules.policy.intent)
    taught = lake.table(LEARNED, window)
    return History(lake.hosts_before(day, DAYS), habits.brought(lake.table(HABITS, window), rules.policy.intent), checks, taught,
                   learned.lessons(taught, rules.shapes.numbers))


def told(history: History, lately: pa.Table) -> dict[str, str]:
    """What a day keeps of the history that it was judged by; `lately`: its hosts that are new, or nearly."""
    fresh = [f"{row['host']}|{row['is_new']}" for row in lately.to_pylist()]
    return {"habits": habits.fingerprint(history.brought), "new": habits.fingerprint(fresh),
            "learned": habits.fingerprint(history.lessons)}


def outlearned(lake: Lake, day: date, rules: Rules) -> bool:
    """Whether an earlier day was judged after this one, and teaches otherwise than what this one was judged by."""
    earlier = [one for one in lake.judged() if one < day]
    if not lake.judged_after(day, earlier) or lake.purged() & set(earlier):
        return False
    history = before(lake, day, rules)
    con = sql.aside()
    new = behaviour.new_hosts(con, lake.table(HOSTS, [day]), history.hosts, rules.shapes)
    fresh = spreading.lately(con, lake.table(VISITS, [day]), new, history.hosts, rules.shapes)
    known = lake.judged()[day]
    return any(known.get(name) != value for name, value in told(history, fresh).items())
