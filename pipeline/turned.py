"""Sites whose verdict has turned for a profile with no entry in the change log: what the filter did, day by day, and since when
it does otherwise.

A verdict has turned where every request of some days went one way and every request since goes the other, in lessons or outside
them (a filter may open at lunch), and the same people met both (profiles of a filter may be finer than ours). A turn is known by
its site, profile and direction, between the day the old answer began and the day the new one was last seen, so a late log that
moves its first day finds its entry again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from pipeline.changes import Change
from pipeline.inferred import ALLOWED, BLOCKED, KINDS, Entered, span, words
from pipeline.sql import run
from pipeline.tables import FILTERED, conform

WINDOW = timedelta(days=28)  # a site that a class needs once a week shows on four days of it; a long holiday falls out of it
BEFORE = 10        # requests that went the old way: a blocked page is tried some three times, so this is several tries
BEFORE_DAYS = 2    # and on how many days: one day may be an outage
NOW = 5            # requests that go the new way: one may be a filter that failed for a moment
PEOPLE = 2         # people who met both: one may have been moved to another group of the filter
MANY = 20          # more sites of one profile that turn on one day are one change (a new policy, a filter that fell open)
NAMED = 10         # of which this many are named

NAME = re.compile(r"[\w-]+(?:\.[\w-]+)+")

FILTERED_OF_DAY = """
SELECT $day::DATE AS day, site, actor AS profile, list_contains($taught, band) AS taught,
       arg_max(category, {'requests': requests, 'category': category}) AS category,
       sum(requests)::BIGINT AS requests, sum(blocked)::BIGINT AS blocked, sum(allowed - warned)::BIGINT AS allowed
FROM visits GROUP BY site, actor, taught ORDER BY site, profile, taught
"""

# Runs of days on which all went one way. One day of both between two runs is the day of the change itself.
TURNS = """
WITH judged AS (
    SELECT *, CASE WHEN blocked = requests THEN 'blocked' WHEN allowed = requests THEN 'allowed' ELSE 'mixed' END AS state
    FROM filtered SEMI JOIN (SELECT DISTINCT site, profile FROM filtered WHERE blocked > 0) USING (site, profile)
), turned AS (
    SELECT *, state IS DISTINCT FROM lag(state) OVER days AS turns FROM judged
    WINDOW days AS (PARTITION BY site, profile, taught ORDER BY day)
), numbered AS (
    SELECT *, count(*) FILTER (turns) OVER (PARTITION BY site, profile, taught ORDER BY day) AS run FROM turned
), runs AS (
    SELECT site, profile, taught, run, any_value(state) AS state, arg_max(category, day) AS category,
           min(day) AS first, max(day) AS last, count(*) AS days, sum(requests)::BIGINT AS requests
    FROM numbered GROUP BY site, profile, taught, run
)
SELECT n.* EXCLUDE (run), o.first AS old_first, o.last AS old_last, o.days AS old_days, o.requests AS old_requests
FROM runs n JOIN runs o ON o.site = n.site AND o.profile = n.profile AND o.taught = n.taught AND o.run IN (n.run - 1, n.run - 2)
LEFT JOIN runs m ON m.site = n.site AND m.profile = n.profile AND m.taught = n.taught AND m.run = n.run - 1
WHERE n.state <> 'mixed' AND o.state <> 'mixed' AND o.state <> n.state AND (o.run = n.run - 1 OR m.state = 'mixed' AND m.days = 1)
  AND n.requests >= $now AND o.requests >= $before AND o.days >= $before_days
ORDER BY n.first, n.site, n.profile, n.requests DESC, n.taught
"""

# In the visits of these sites: who met the old answer while it held, and the new one since.
SAME_PEOPLE = """
SELECT t.site, t.profile, t.taught, t.state, t.first
FROM turns t JOIN (
    SELECT site, actor AS profile, list_contains($taught, band) AS taught, subject, day, blocked > 0 AS was_blocked FROM visits
) v USING (site, profile, taught)
GROUP BY t.site, t.profile, t.taught, t.state, t.first, v.subject
HAVING bool_or(v.day BETWEEN t.old_first AND t.old_last AND v.was_blocked = (t.state = 'allowed'))
   AND bool_or(v.day BETWEEN t.first AND t.last AND v.was_blocked = (t.state = 'blocked'))
"""


@dataclass(frozen=True)
class Turn:
    """A site whose verdict turned for a profile: what held since `first` and until then, in days and requests."""

    site: str
    profile: str
    taught: bool
    state: str
    category: str
    first: date
    last: date
    days: int
    requests: int
    old_first: date
    old_last: date
    old_days: int
    old_requests: int

    @property
    def kind(self) -> str:
        """The kind of its entry."""
        return ALLOWED if self.state == "allowed" else BLOCKED

    @property
    def object(self) -> str:
        """What its entry calls it."""
        return f"filter verdict of {self.site} for {words(self.profile)}"

    def is_entry(self, entry: Entered) -> bool:
        """Whether an entry of the change log is this very turn."""
        return (entry.kind == self.kind and entry.object in (self.object, _many(self.profile))
                and str(self.old_first) < entry.mark[:10] <= str(self.last))

    def is_named(self, entry: Entered) -> bool:
        """Whether an entry made by a person's hand, or by an edit, since the old answer was last seen names the site."""
        names = NAME.findall(f"{entry.object} {entry.before} {entry.after} {entry.why}".lower())
        return (entry.kind not in KINDS and entry.opened_at[:10] >= str(self.old_last)
                and any(f".{name}".endswith(f".{self.site}") for name in names))


def filtered(visits: pa.Table, taught: Collection[str], day: date) -> pa.Table:
    """FILTERED of a day's VISITS: what the filter did, by site and profile, in lessons (bands of `taught`) and outside."""
    return conform(run(FILTERED_OF_DAY, {"day": day, "taught": sorted(taught)}, visits=visits), FILTERED)


def turns(days: pa.Table) -> list[Turn]:
    """The verdicts that turned within some days of FILTERED, the strongest evidence of each first."""
    rows = run(TURNS, {"now": NOW, "before": BEFORE, "before_days": BEFORE_DAYS}, filtered=days).to_pylist()
    return [Turn(**row) for row in rows]


def fresh(found: Iterable[Turn], entries: Collection[Entered]) -> list[Turn]:
    """The turns that no entry of the change log speaks of."""
    return [turn for turn in found if not any(turn.is_entry(entry) or turn.is_named(entry) for entry in entries)]


def met_by_the_same(found: Sequence[Turn], visits: pa.Table, taught: Collection[str]) -> list[Turn]:
    """Those of these turns that the same people met; `visits`: day, site, actor, band, subject, blocked of their sites."""
    if not found:
        return []
    table = pa.Table.from_pylist([vars(turn) for turn in found])
    met: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in run(SAME_PEOPLE, {"taught": sorted(taught)}, turns=table, visits=visits).to_pylist():
        met[tuple(row.values())] += 1
    return _apart(turn for turn in found if met[turn.site, turn.profile, turn.taught, turn.state, turn.first] >= PEOPLE)


def _apart(found: Iterable[Turn]) -> list[Turn]:
    """These turns, but one that shows both in lessons and outside them once."""
    kept: list[Turn] = []
    for turn in found:
        same = (one for one in kept if (one.object, one.kind) == (turn.object, turn.kind))
        if not any(turn.old_first < one.first <= turn.last for one in same):
            kept.append(turn)
    return kept


def entries_of(found: Sequence[Turn]) -> list[Change]:
    """The entries of some turns; many of one profile, day and direction are one."""
    groups: dict[tuple[str, str, date], list[Turn]] = defaultdict(list)
    for turn in found:
        groups[turn.profile, turn.kind, turn.first].append(turn)
    return [entry for group in groups.values() for entry in ([_at_once(group)] if len(group) > MANY else map(_entry, group))]


def _entry(turn: Turn) -> Change:
    where = "in lessons" if turn.taught else "outside lessons"
    old = "blocked" if turn.state == "allowed" else "allowed"
    return Change(turn.object, turn.kind,
                  f"{old}: all {turn.old_requests:,} requests {where} on {span(turn.old_days, turn.old_first, turn.old_last)}",
                  f"{turn.state}: all {turn.requests:,} requests {where} on {span(turn.days, turn.first, turn.last)}, "
                  "by people who had met the other too", 1, f"{turn.first} {turn.category}")


def _at_once(group: Sequence[Turn]) -> Change:
    """One entry for many sites that turned on one day."""
    one = group[0]
    old = "blocked" if one.state == "allowed" else "allowed"
    named = ", ".join(sorted(turn.site for turn in group)[:NAMED])
    return Change(_many(one.profile), one.kind,
                  f"{old}: {len(group):,} sites, {sum(turn.old_requests for turn in group):,} requests",
                  f"{one.state} since {one.first}: {named} and {len(group) - NAMED:,} more, "
                  f"{sum(turn.requests for turn in group):,} requests", len(group), f"{one.first} many")


def _many(profile: str) -> str:
    return f"filter verdict of many sites for {words(profile)}"
