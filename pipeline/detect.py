"""Rules fire on visits and person-days; every detection says why in words and suggests, never decides, intent.

A rule's `[when]` is one SQL condition over a visit (v) and its verdict (d). Visits of tier none (help-seeking, background,
learning, tests of the filter, uncategorised) never reach a rule, whatever tier the school's files give help-seeking; nor do
visits on which the policy contradicts itself: those are only counted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from pipeline.classify import STAFF
from pipeline.excepted import HIDES_NOTHING, Hiding
from pipeline.intent import Facts, is_slip, number, reasons, suggest
from pipeline.rulebook.compiling import rule_condition
from pipeline.rulebook.firing import acted
from pipeline.signals.acts import ACTS
from pipeline.sql import aside, run
from pipeline.tables import DETECTIONS

GRAVITY = ("T0", "T1", "T2", "TS", "T3", "T4", "none")
QUIET_TIERS = frozenset({"T1", "T2", "T3", "TS"})
SEALED = "sealed"
TOOLS = ("bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "bypass_mirror_or_remote_desktop")
# A torrent client asks its tracker in even steps by itself, once somebody has given it a file to fetch.
STARTED = ("copyright_p2p",)
ASKED_OF_A_PERSON = frozenset({"intent", "reported", "authorised"})

# Every rule looks at the few visits that any rule may look at.
VERDICTS_SEEN = """
CREATE OR REPLACE TEMP TABLE verdicts_seen AS
SELECT d.* FROM verdicts d SEMI JOIN (
    SELECT visit FROM visits WHERE category NOT IN ('help_seeking', 'background', 'learning', 'uncategorised')
                               AND category NOT IN (SELECT category FROM never)) v USING (visit)
WHERE d.tier <> 'none' AND d.within <> 'conflict' AND d.context = ''
"""
VISITS_SEEN = "CREATE OR REPLACE TEMP TABLE visits_seen AS SELECT * FROM visits SEMI JOIN verdicts_seen USING (visit)"
# What a program asks for by itself says nothing of what its owner did meanwhile.
CHOSEN = """
CREATE OR REPLACE TEMP VIEW chosen AS
SELECT * FROM visits ANTI JOIN (SELECT visit FROM verdicts WHERE context = 'program') p USING (visit)
"""

# Every visit is asked once which rules it fits. {fits}, the one place where the rules' own SQL is put in, is a list of their
# numbers, null where the rule's condition does not hold.
HITS = """
WITH asked AS (
    SELECT v.visit, v.subject, v.host, d.tier, v.started, v.source, v.line, unnest([{fits}]) AS rule
    FROM visits_seen v JOIN verdicts_seen d USING (visit)
)
SELECT rule, subject, visit, host, tier FROM asked WHERE rule IS NOT NULL ORDER BY rule, started, source, line
"""

STORY_MINUTES = 60  # the pause that ends a story: pages further off belong to another

# What the filter did to a search that it let through is what it did to the pages that were then asked for, where there are any.
FACTS = """
WITH hit AS (
    SELECT v.*, d.tier, d.outcome, d.clause, d.questions, epoch_us(v.started) AS since, epoch_us(v.ended) AS until
    FROM visits v SEMI JOIN hits USING (visit) JOIN verdicts d USING (visit)
), near AS (
    SELECT h.visit, count(DISTINCT o.site) AS near_sites, sum(o.requests)::BIGINT AS near_requests,
           sum(o.blocked)::BIGINT AS near_blocked, sum(o.searched)::BIGINT AS near_searched,
           sum(coalesce(o.opened, 1))::BIGINT AS near_opened,
           (max(epoch_us(o.ended)) - min(epoch_us(o.started))) // 1000 AS near_ms
    FROM hit h JOIN chosen o ON o.subject = h.subject AND o.category = h.category
     AND epoch_us(o.started) BETWEEN h.since - $window * 60000000 AND h.until + $window * 60000000
    GROUP BY h.visit
), pages AS (
    SELECT h.visit, bool_or(d.outcome <> 'allowed') AS some_blocked, bool_or(d.outcome <> 'blocked') AS some_allowed
    FROM hit h JOIN visits o ON o.subject = h.subject AND o.category = h.category AND o.searched < o.requests
     AND epoch_us(o.started) BETWEEN h.since - $story::BIGINT * 60000000 AND h.until + $story::BIGINT * 60000000
    JOIN verdicts d ON d.visit = o.visit
    WHERE h.searched = h.requests AND h.blocked = 0 GROUP BY h.visit
), days AS (
    SELECT h.visit, (max(epoch_us(o.started)) - min(epoch_us(o.started))) // 3600000000 AS span_hours
    FROM hit h JOIN visits o ON o.client = h.client AND o.subject = h.subject AND o.site = h.site AND o.category = h.category
    GROUP BY h.visit
), tools AS (
    SELECT h.visit, arg_min(o.category, (epoch_us(o.started), o.visit)) AS bypass
    FROM hit h JOIN visits o ON o.subject = h.subject AND o.category <> h.category
     AND epoch_us(o.started) BETWEEN h.since AND h.until + $bypass * 60000000
    WHERE o.category IN (SELECT category FROM tool_categories)
    GROUP BY h.visit
), stopped AS (
    SELECT h.visit, sum(o.blocked)::BIGINT AS blocks_before
    FROM hit h JOIN chosen o ON o.subject = h.subject AND epoch_us(o.started) BETWEEN h.since - $bypass * 60000000 AND h.since
    JOIN verdicts d ON d.visit = o.visit
    WHERE NOT starts_with(o.category, 'bypass_') AND d.tier <> 'none' GROUP BY h.visit
)
SELECT hit.* EXCLUDE (since, until) REPLACE (
           CASE WHEN some_blocked AND some_allowed THEN 'mixed' WHEN some_blocked THEN 'blocked' ELSE outcome END AS outcome),
       near.* EXCLUDE (visit), span_hours, coalesce(bypass, '') AS bypass, coalesce(blocks_before, 0) AS blocks_before
FROM hit JOIN near USING (visit) JOIN days USING (visit) LEFT JOIN pages USING (visit) LEFT JOIN tools USING (visit)
LEFT JOIN stopped USING (visit)
ORDER BY hit.started, hit.source, hit.line
"""

FIRST_OF_ACTS = "SELECT visit, host, subject, tier FROM visits SEMI JOIN first USING (visit) JOIN verdicts USING (visit)"

# Who it was stands on the first row that names somebody; where nobody is named, on the first row.
SEALED_ITEMS = """
SELECT sealed, min(who).person AS person, min(who).client AS client, coalesce(min(who).person, min(who).client) AS subject,
       min(who).actor AS actor, min(who).year AS year, min(who).network AS network,
       min(first).source AS source, min(first).line AS line, min(time) AS started, max(time) AS ended, count(*) AS requests,
       CASE WHEN bool_and(action = 'blocked') THEN 'blocked' WHEN bool_or(action = 'blocked') THEN 'mixed'
            ELSE 'allowed' END AS outcome
FROM (SELECT *, {'time': time, 'source': source, 'line': line} AS first,
             {'nobody': person IS NULL, 'time': time, 'source': source, 'line': line, 'person': person, 'client': client,
              'actor': actor, 'year': year, 'network': network} AS who FROM sealed)
GROUP BY sealed ORDER BY started, source, line
"""


class Group(NamedTuple):
    """The visits that make a rule fire once: why they are hidden, their keys, and what a signal says of them together."""

    hidden: str
    visits: Sequence[str]
    why: Sequence[str] = ()
    device: bool = False


def fire(visits: pa.Table, verdicts: pa.Table, rules: Sequence[Any], policy: Any, day: date,
         sealed: pa.Table, hiding: Hiding = HIDES_NOTHING, own: Collection[str] = ()) -> tuple[pa.Table, pa.Table]:
    """The DETECTIONS of the day, and those left out because they point to background: counted, never an incident. `own`: the
    networks of people's own devices."""
    fired = _fired(visits, verdicts, rules, policy, day, hiding, own)
    kept = [row for row in fired if not _is_quiet(row)]
    return _table(kept + _sealed(sealed, day)), _table([row for row in fired if _is_quiet(row)])


def gravity(policy: Any) -> dict[str, int]:
    """The categories, 0 the gravest: by their tier, then as they stand in the file."""
    ordered = sorted(policy.categories.values(), key=lambda category: GRAVITY.index(category.tier))
    return {category.name: place for place, category in enumerate(ordered)}


def _is_quiet(row: dict[str, Any]) -> bool:
    """Background, or a slip of the keyboard: the page did it, or nobody meant it."""
    slipped = row["intent"] == "accidental" and row["slip"] and row["tier"] != "T1"  # a child may be at risk by a slip too
    return row["tier"] in QUIET_TIERS and (row["intent"] == "background" or slipped)


def _table(items: list[dict[str, Any]]) -> pa.Table:
    ordered = sorted(items, key=lambda row: (row["started"], row["rule"], row["source"], row["line"], row["subject"]))
    return pa.Table.from_pylist(ordered, schema=DETECTIONS.schema)


def _fired(visits: pa.Table, verdicts: pa.Table, rules: Sequence[Any], policy: Any, day: date,
           hiding: Hiding, own: Collection[str]) -> list[dict[str, Any]]:
    """Every firing of every rule, background too."""
    con = aside()
    con.register("visits", visits)
    con.register("verdicts", verdicts)
    con.register("tool_categories", pa.table({"category": pa.array(TOOLS, pa.string())}))
    con.register("never", pa.table({"category": pa.array(_never(policy), pa.string())}))
    con.execute(VERDICTS_SEEN)
    con.execute(VISITS_SEEN)
    con.execute(CHOSEN)
    ordered = sorted(rules, key=lambda rule: rule.name)
    groups = _groups(con, [rule for rule in ordered if rule.signal not in ACTS], hiding)
    groups += [(rule, group) for rule in ordered if rule.signal in ACTS
               for group in _acts(rule, visits, verdicts, hiding, own, _never(policy))]
    if not groups:
        return []
    hits = pa.table({"visit": pa.array(sorted({key for _, group in groups for key in group.visits}), pa.string())})
    facts = run(FACTS, {"story": STORY_MINUTES, "window": number(policy.intent, "gap_minutes"),
                        "bypass": number(policy.intent, "bypass_then_same_minutes")}, con=con, hits=hits)
    by_key = {row["visit"]: row for row in facts.to_pylist()}
    return [_told(rule, group, [by_key[key] for key in group.visits], policy, day) for rule, group in groups]


def _never(policy: Any) -> list[str]:
    """The categories that policy files mark as help-seeking or background, by whatever name."""
    return [name for name, category in policy.categories.items() if category.help_seeking or category.background]


def _groups(con: duckdb.DuckDBPyConnection, rules: Sequence[Any], hiding: Hiding) -> list[tuple[Any, Group]]:
    """The visits that make each rule fire: each on its own, or a person's day when the rule asks for several. What is hidden
    makes a group of its own, under why it is."""
    fits = ", ".join(f"CASE WHEN {rule_condition(rule)} THEN {n} END" for n, rule in enumerate(rules))
    days: dict[tuple[int, str, str], list[str]] = {}
    for n, subject, visit, host, tier in con.sql(HITS.replace("{fits}", fits)).fetchall() if rules else ():
        one = rules[n]
        days.setdefault((n, hiding.why(one.name, host, subject, tier), subject if one.times > 1 else visit), []).append(visit)
    return [(rules[n], Group(why, keys)) for (n, why, _), keys in days.items() if len(keys) >= max(1, rules[n].times)]


def _acts(rule: Any, visits: pa.Table, verdicts: pa.Table, hiding: Hiding, own: Collection[str], never: Sequence[str]
          ) -> list[Group]:
    """The visits of which a signal tells together; an exception for the first one's host or person hides them all."""
    found = acted(rule, visits, verdicts, own, never)
    if not found:
        return []
    first = pa.table({"visit": pa.array([act["visits"][0] for act in found], pa.string())})
    known = {row["visit"]: row for row in run(FIRST_OF_ACTS, visits=visits, verdicts=verdicts, first=first).to_pylist()}
    return [Group(hiding.why(rule.name, *(known[act["visits"][0]][name] for name in ("host", "subject", "tier"))), act["visits"],
                  act["why"], act["device"]) for act in found]


def _told(rule: Any, group: Group, visits: list[dict[str, Any]], policy: Any, day: date) -> dict[str, Any]:
    """One detection of a group of visits."""
    row = _whole(rule, visits, policy, day) if rule.whole else _detection(rule, visits, policy, day)
    row |= {"hidden": group.hidden, "reasons": [*group.why, *row["reasons"]]}
    return row | (OF_A_DEVICE | {"subject": row["client"], "rows": []} if group.device else {})


# A matter of a device names nobody, though somebody was logged in on it.
OF_A_DEVICE: dict[str, Any] = {"person": None, "actor": "unknown", "year": "", "route": "tech"}


def _whole(rule: Any, visits: list[dict[str, Any]], policy: Any, day: date) -> dict[str, Any]:
    """One detection of what somebody's visits show together, whatever their sites: it names no site, for none is at fault, and
    gives no intent, for that is the question."""
    first, category = visits[0], policy.categories[rule.category[0]]
    staff = first["actor"] in STAFF and category.tier in ("T2", "T3")
    tier = "TS" if staff else category.tier
    outcome = joined(visit["outcome"] for visit in visits)
    return {name: first[name] for name in COPIED} | {
        "rule": rule.name, "day": day, "site": "", "host": "", "category": category.name, "tier": tier,
        "route": route(first["actor"], tier), "outcome": outcome, "intent": "unclear", "slip": False,
        "rows": [row for row in _rows(category, first, outcome) if row in rule.clause], "clause": rule.clause, "reasons": [],
        "questions": sorted(category.questions), "ended": max(visit["ended"] for visit in visits), "visits": len(visits),
        "requests": sum(visit["requests"] for visit in visits), "visit_keys": [visit["visit"] for visit in visits]}


def _detection(rule: Any, visits: list[dict[str, Any]], policy: Any, day: date) -> dict[str, Any]:
    """One detection, from its visits in order."""
    first = visits[0]
    category = policy.categories.get(first["category"])
    facts = _facts(visits, policy)
    tier = min((visit["tier"] for visit in visits), key=GRAVITY.index)
    outcome = joined(visit["outcome"] for visit in visits)
    title = getattr(category, "title", "") or first["category"]
    return {name: first[name] for name in COPIED} | {
        "rule": rule.name, "day": day, "tier": tier, "route": route(first["actor"], tier), "outcome": outcome,
        "intent": suggest(facts, policy.intent), "slip": is_slip(facts, policy.intent), "rows": _rows(category, first, outcome),
        "clause": rule.clause or first["clause"], "reasons": [*reasons(facts, title, policy.intent), *_notes(visits)],
        "questions": sorted({question for visit in visits for question in visit["questions"]}),
        "ended": max(visit["ended"] for visit in visits), "visits": len(visits), "requests": facts.requests,
        "visit_keys": [visit["visit"] for visit in visits]}


def _notes(visits: list[dict[str, Any]]) -> list[str]:
    """What the addresses of these visits show, each once."""
    return list(dict.fromkeys(note for visit in visits for note in visit["notes"]))


COPIED = ("subject", "person", "client", "actor", "year", "network", "site", "host", "source", "line", "category",
          "started", "band", "period")


def _facts(visits: list[dict[str, Any]], policy: Any) -> Facts:
    """What the log shows of these visits together: the widest of what each shows."""
    tool = next((visit["bypass"] for visit in visits if visit["bypass"]), "")
    known = policy.categories.get(tool)
    widest = max(visits, key=lambda visit: (visit["near_sites"], visit["near_requests"]))
    return Facts(
        requests=sum(visit["requests"] for visit in visits), allowed=sum(visit["allowed"] for visit in visits),
        slots=sum(visit["slots"] for visit in visits),
        visits=len(visits), crowd=max(visit["crowd"] for visit in visits), after_ms=visits[0]["after_ms"],
        near_sites=widest["near_sites"], near_requests=widest["near_requests"], near_blocked=widest["near_blocked"],
        near_ms=widest["near_ms"], near_searched=widest["near_searched"], near_opened=widest["near_opened"],
        spreads=visits[0]["category"].startswith("bypass_"), tool=visits[0]["category"] in TOOLS,
        started=visits[0]["category"] in STARTED,
        blocks_before=max(visit["blocks_before"] for visit in visits), longest_ms=max(visit["longest_ms"] for visit in visits),
        tries=sum(_tries(visit) for visit in visits),
        most_tries=max(min(_tries(visit), visit["blocked"]) for visit in visits),
        opened=sum(1 if visit["opened"] is None else visit["opened"] for visit in visits),
        after_page=visits[0]["from_page"], piece=bool(visits[0]["piece"]),
        brought=visits[0]["brought"], slip=visits[0]["slip"], step_s=visits[0]["step_s"],
        even_tries=visits[0]["even_tries"] or 0, day_tries=visits[0]["day_tries"] or 0,
        hours=visits[0]["hours"] or 0, span_hours=visits[0]["span_hours"], bytes_in=sum(visit["bytes_in"] for visit in visits),
        bytes_out=sum(visit["bytes_out"] for visit in visits),
        bypass=(getattr(known, "title", "") or tool) if tool else "")


def _tries(visit: dict[str, Any]) -> int:
    """The tries of a visit; where nobody looked closely, each request is one."""
    return int(visit["requests"] if visit["tries"] is None else visit["tries"])


def joined(outcomes: Any) -> str:
    """Several outcomes as one: blocked, allowed or mixed."""
    seen = set(outcomes)
    return seen.pop() if len(seen) == 1 else "mixed"


def route(actor: str, tier: str) -> str:
    """Who reads it. Staff matters go to the Principal whatever the tier, sealed and technical ones apart."""
    if tier in ("T0", "T4"):
        return "sealed" if tier == "T0" else "tech"
    if actor in STAFF:
        return "staff"
    if tier == "T1":
        return "welfare"
    return actor if actor in ("student", "guest") else "attribution"


def _rows(category: Any, visit: dict[str, Any], outcome: str) -> list[str]:
    """The 7.2 rows it may be: students only; what only a person can know stays a question."""
    if category is None or visit["actor"] != "student" or category.tier not in ("T2", "T3"):
        return []
    log = {"actor": "student", "band": visit["band"], "outcome": outcome}
    fit = [line.row for line in category.propose if line.row != "no_row" and all(
        _holds(log.get(word), value) for word, value in line.when.items() if word not in ASKED_OF_A_PERSON)]
    return list(dict.fromkeys(fit))


def _holds(seen: str | None, wanted: Any) -> bool:
    return seen in ([wanted] if isinstance(wanted, str) else list(wanted))


def _sealed(sealed: pa.Table, day: date) -> list[dict[str, Any]]:
    """One detection for each sealed item: never a site, a host, a row or a proposal."""
    if not sealed.num_rows:
        return []
    fixed: dict[str, Any] = {"rule": SEALED, "day": day, "site": "", "host": "", "category": SEALED, "tier": "T0",
                             "route": "sealed", "intent": "unclear", "rows": [], "clause": "", "questions": [],
                             "band": "", "period": "", "visits": 0, "visit_keys": [], "hidden": "",
                             "reasons": ["the filter's own verdict sealed this item: follow the sealed protocol"]}
    return [{name: value for name, value in row.items() if name != "sealed"} | fixed
            for row in run(SEALED_ITEMS, sealed=sealed).to_pylist()]
