"""Verdicts, detections, stories and breaches in slow, plain Python: what the SQL is compared with.

Written from the design's section 6, the policy and the words of the rule files, one visit at a time and with no SQL, so
that a mistake would have to be made twice, in two manners, to go unseen. Rows are dictionaries of the columns of
`pipeline/tables.py`; the policy and the rules are read from `rules/` by the program's own readers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pipeline.policy import Category, Policy
from pipeline.rulebook import Rule

Row = dict[str, Any]
STAFF = ("staff", "technical_staff", "governor")
LESSONS = ("lesson", "registration")
OWN_TIME = ("before_school", "break", "lunch", "after_school", "closed")
GRAVEST_FIRST = ("T0", "T1", "T2", "TS", "T3", "T4", "none")
STRONGEST_FIRST = ("deliberate", "unclear", "accidental", "background")
TOOLS = ("bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "bypass_mirror_or_remote_desktop")
SIZES = {"KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
HOUR = timedelta(minutes=60)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Visits by their beginning, then by their first line."""
    return sorted(rows, key=lambda v: (v["started"], v["source"], v["line"]))


# --- verdicts -------------------------------------------------------------------------------------------------------


def outcome_of(blocked: int, allowed: int) -> str:
    """What the filter did."""
    if blocked and allowed:
        return "mixed"
    return "blocked" if blocked else "allowed"


def pages_let_through(visit: Row) -> int:
    """What went through and is no search, where anything else was asked for."""
    allowed: int = visit["allowed"]
    return allowed if visit["searched"] == visit["requests"] else max(0, allowed - visit["searched"])


def verdict(visit: Row, policy: Policy, nominated: Mapping[str, Collection[str]]) -> Row:
    """What the policy says of one visit, and what the filter was meant to do."""
    category = policy.categories.get(visit["category"])
    said = {"visit": visit["visit"], "category": visit["category"],
            "outcome": outcome_of(visit["blocked"], pages_let_through(visit))}
    if category is None:
        return said | {"row": "", "verdict": "no_row", "within": "not_evaluated", "clause": "", "filter": "allow",
                       "failure": False, "tier": "none", "questions": [], "context": ""}
    in_lesson = visit["actor"] == "student" and visit["band"] in LESSONS
    row = row_of(category, policy)
    reading = policy.actions[row].reading if row else "no_row"
    within = allows(reading, row, visit, nominated)
    if "AMB-01" in category.questions and not policy.questions["AMB-01"].decision and within == "against" and not in_lesson:
        within = "conflict"  # UA-19 says never, CT-08 says sometimes
    orders = category.filter_staff if visit["actor"] in STAFF else category.filter
    meant = "block" if orders == "block" or (orders == "times" and in_lesson) else "allow"
    staff_matter = visit["actor"] in STAFF and within == "against" and category.tier in ("T2", "T3")
    table = "4.2" if row.startswith("CT") else "6.1"
    return said | {"row": row, "verdict": reading, "within": within, "clause": f"{table} {row}" if row else "",
                   "filter": meant, "failure": meant == "block" and visit["allowed"] > visit["searched"],
                   "tier": "TS" if staff_matter else category.tier, "questions": list(category.questions), "context": ""}


def row_of(category: Category, policy: Policy) -> str:
    """The row that speaks of a category; a decision that table 4.2 holds for messaging makes it that table's row."""
    if category.name == "messaging" and policy.questions["AMB-01"].decision.startswith("CT-08"):
        return "CT-08"
    return category.row


def allows(reading: str, row: str, visit: Row, nominated: Mapping[str, Collection[str]]) -> str:
    """Whether one reading of one row lets this person do this now."""
    student = visit["actor"] == "student"
    if row.startswith("CT") and not student:
        return "not_evaluated"  # table 4.2 gives staff times of their own, which nobody has defined
    said = {"acceptable": "within", "unacceptable": "against", "unacceptable_illegal": "against"}.get(reading, "not_evaluated")
    people = nominated.get(row, ())
    if reading == "nominated_users" and people:  # AMB-14: an empty list is nobody's breach
        said = "within" if visit["person"] in people else "against"
    if reading == "certain_times" and student:
        said = dict.fromkeys(LESSONS, "against").get(visit["band"]) or dict.fromkeys(OWN_TIME, "within").get(visit["band"], said)
    return said


# --- rules ----------------------------------------------------------------------------------------------------------


def many(said: Any) -> list[Any]:
    """One word or several."""
    return said if isinstance(said, list) else [said]


def size(said: Any) -> float:
    """A number, or a size such as 5MB."""
    return float(said[:-2]) * SIZES[said[-2:]] if isinstance(said, str) else float(said)


WORDS: dict[str, Callable[[Row, Row, Any], bool]] = {
    "actor": lambda visit, said, wanted: visit["actor"] in many(wanted),
    "band": lambda visit, said, wanted: visit["band"] in many(wanted),
    "outcome": lambda visit, said, wanted: said["outcome"] in many(wanted),
    "within": lambda visit, said, wanted: said["within"] in many(wanted),
    "tier": lambda visit, said, wanted: said["tier"] in many(wanted),
    "kind": lambda visit, said, wanted: ("tunnel" if visit["tunnels"] else "page") in many(wanted),
    "address": lambda visit, said, wanted: ("shows" if visit["notes"] else "plain") in many(wanted),
    "bytes_in_over": lambda visit, said, wanted: visit["bytes_in"] > size(wanted),
    "bytes_out_over": lambda visit, said, wanted: visit["bytes_out"] > size(wanted),
    "minutes_over": lambda visit, said, wanted: visit["ended"] - visit["started"] > timedelta(minutes=wanted),
    "requests_over": lambda visit, said, wanted: visit["requests"] > wanted,
    "slots_over": lambda visit, said, wanted: visit["slots"] > wanted,
    "crowd_under": lambda visit, said, wanted: visit["crowd"] < wanted,
    "chosen_ms": lambda visit, said, wanted: (visit["after_ms"] is None or visit["after_ms"] > wanted or visit["requests"] > 3
                                              or visit["opened"] > 0 or visit["searched"] > 0),
    "times": lambda visit, said, wanted: True,  # of a person's day, not of one visit
}


def fits(rule: Rule, visit: Row, said: Row, policy: Policy) -> bool:
    """Whether one visit makes a rule fire, or counts towards it."""
    category = policy.categories.get(visit["category"])
    if category is None or category.tier == "none" or category.help_seeking or category.background:
        return False
    if said["within"] == "conflict":  # counted and shown, nothing is proposed
        return False
    if rule.category != ("any",) and visit["category"] not in rule.category:
        return False
    if rule.signal == "filter_failure" and not (said["failure"] and visit["allowed"] >= rule.numbers["requests"]):
        return False
    return all(WORDS[word](visit, said, wanted) for word, wanted in rule.when.items())


def groups(rule: Rule, visits: Sequence[Row], said: Mapping[str, Row], policy: Policy) -> list[list[Row]]:
    """The visits of each firing: one visit, or a person's day where the rule asks for several."""
    hits = [visit for visit in in_order(visits) if fits(rule, visit, said[visit["visit"]], policy)]
    least = rule.when.get("times", {}).get("at_least", 1)
    if least == 1:
        return [[visit] for visit in hits]
    days: dict[str, list[Row]] = defaultdict(list)
    for visit in hits:
        days[visit["subject"]].append(visit)
    return [day for day in days.values() if len(day) >= least]


def around(visit: Row, visits: Sequence[Row], minutes: float) -> list[Row]:
    """What the same person did of the same category from some minutes before a visit to some minutes after."""
    reach = timedelta(minutes=minutes)
    return [other for other in visits if other["subject"] == visit["subject"] and other["category"] == visit["category"]
            and visit["started"] - reach <= other["started"] <= visit["ended"] + reach]


def day_of_it(visit: Row, visits: Sequence[Row]) -> timedelta:
    """From the beginning of the first visit of a day to a site, by the same person and device, to that of the last."""
    began = [other["started"] for other in visits
             if all(other[name] == visit[name] for name in ("client", "subject", "site", "category"))]
    return max(began) - min(began)


def tool_after(visit: Row, visits: Sequence[Row], minutes: float) -> str:
    """The first way round the filter that the same person turned to during a visit or soon after; empty for none."""
    until = visit["ended"] + timedelta(minutes=minutes)
    found = [other for other in visits if other["subject"] == visit["subject"] and other["category"] in TOOLS
             and other["category"] != visit["category"] and visit["started"] <= other["started"] <= until]
    return min(found, key=lambda other: (other["started"], other["visit"]))["category"] if found else ""


def blocks_before(visit: Row, visits: Sequence[Row], policy: Policy, minutes: float) -> int:
    """Blocked requests of the same person in the minutes before, for what may be an incident and is no way round the filter."""
    since = visit["started"] - timedelta(minutes=minutes)
    return sum(other["blocked"] for other in visits if other["subject"] == visit["subject"] and since <= other["started"] <= visit["started"]
               and not other["category"].startswith("bypass_")
               and other["category"] in policy.categories and policy.categories[other["category"]].tier != "none")


def plural(count: int, word: str) -> str:
    """1 site, 2 sites."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def intent_and_reasons(group: list[Row], visits: Sequence[Row], policy: Policy) -> tuple[str, list[str]]:
    """What the log points to, and why, by the numbers of intent.toml."""
    numbers = {name: number.value for name, number in policy.intent.items()}
    near = max((around(visit, visits, numbers["gap_minutes"]) for visit in group),
               key=lambda rows: (len({row["site"] for row in rows}), sum(row["requests"] for row in rows)))
    sites, asked = len({row["site"] for row in near}), sum(row["requests"] for row in near)
    stopped = sum(row["blocked"] for row in near)
    tools = [tool for visit in group if (tool := tool_after(visit, visits, numbers["bypass_then_same_minutes"]))]
    requests, allowed = sum(v["requests"] for v in group), sum(v["allowed"] for v in group)
    slots, crowd, after = sum(v["slots"] for v in group), max(v["crowd"] for v in group), group[0]["after_ms"]
    retried = any(v["blocked"] >= numbers["retries"] and v["tries"] >= numbers["retries"] for v in group)
    stayed = slots >= numbers["dwell_slots"] and allowed >= numbers["dwell_requests"]
    alone = len(group) == 1 and sites == 1
    glance, follows = requests <= numbers["few_requests"], after is not None and after <= numbers["follow_ms"]

    first, tries = group[0], sum(v["tries"] for v in group)
    loops = first["step_s"] is not None and not allowed and first["even_tries"] >= numbers["loop_tries"]
    often = first["day_tries"] >= numbers["idle_tries"] and first["hours"] >= numbers["idle_hours"]
    far = first["hours"] >= numbers["idle_far_hours"] and day_of_it(first, visits) >= numbers["idle_span_hours"] * HOUR
    idles = ((often or far)
             and requests <= numbers["few_requests"] * tries
             and sum(v["bytes_in"] for v in group) <= numbers["idle_bytes"] * requests)
    if first["category"] == "copyright_p2p":  # a program that somebody started
        loops = idles = False
    brought = alone and brought_along(first, glance, follows, numbers)
    started = first["category"] == "copyright_p2p"
    moved = sum(v["bytes_in"] + v["bytes_out"] for v in group)
    fetched = (allowed > 0 and sum(v["opened"] for v in group) > 0 and slots >= numbers["dwell_slots"]
               and moved >= numbers["dwell_bytes"])
    own = sum(row["opened"] for row in near)
    turned = sites > 1 and own >= numbers["sites_tries"]
    went_on = allowed > 0 and (first["step_s"] is None or started) and sum(v["opened"] for v in group) >= numbers["own_tries"]
    before = max(blocks_before(visit, visits, policy, numbers["bypass_then_same_minutes"]) for visit in group)
    got_round = first["category"] in TOOLS and (
        allowed >= numbers["tool_requests"] or before > 0
        or (allowed > 0 and max(v["longest_ms"] for v in group) >= 60_000 * numbers["tool_minutes"]))
    sought = sum(row["searched"] for row in near)
    if sites >= numbers["several_sites"] or tools or sought:
        intent = "deliberate"
    elif (crowd >= numbers["crowd_people"] and not group[0]["category"].startswith("bypass_")) or loops or idles or brought:
        intent = "background"
    elif retried or stayed or fetched or went_on or turned or got_round:
        intent = "deliberate"
    else:
        left = alone and tries <= numbers["few_tries"] and (glance or slots == 1)
        intent = "accidental" if left else "unclear"

    took = max(row["ended"] for row in near) - min(row["started"] for row in near)
    title = policy.categories[group[0]["category"]].title
    minutes = max(1, -(-took // timedelta(minutes=1)))
    said = [plural(asked, "blocked request" if stopped == asked else "request")
            + f" to {plural(sites, 'site')} ({title}) in {plural(minutes, 'minute')}"
            + (f", {stopped} of them blocked" if 0 < stopped < asked else "")]
    said += [f"{'1 search' if sought == 1 else f'{sought} searches'} for it among them"] if sought else []
    if loops:
        said += [f"asked for {first['even_tries']} times in equal steps of {first['step_s']} seconds, as a page left open does"]
    elif idles:
        said += [f"asked for {first['day_tries']} times that day in {first['hours']} different hours, a request or two each, "
                 "as a program does"]
    elif retried:
        said += ["tried again after the block"]
    said += [f"within minutes of {plural(before, 'blocked request')} for something else"] * (first["category"] in TOOLS and before > 0)
    said += [f"went on from page to page: {sum(v['opened'] for v in group)} tries that nothing else set off"] * (went_on and not stayed)
    said += [f"{own} tries at {sites} sites that nothing else set off"] * (turned and sites < numbers["several_sites"])
    said += [f"{policy.categories[tools[0]].title} in the next minutes"] if tools else []
    said += [f"{allowed} requests went through, spread over {slots} five-minute slots"] * stayed
    said += [f"{moved // 1_000_000} MB came and went, spread over {slots} five-minute slots"] * (fetched and not stayed)
    others = "1 other person" if crowd == 2 else f"{crowd - 1} other people"
    said += [f"{others} came to the same site within a minute"] * (crowd > 1)
    said += [f"{'a piece of' if first['piece'] else 'came from'} a page of {first['from_page']}"] * bool(first["from_page"])
    said += [f"began {after} ms after another visit"] * follows
    said += {"": [], "list": ["a site that other pages bring along"],
             "habit": ["a site that other pages bring along, as earlier days show"]}[first["brought"]]
    said += [f"a name like that of {first['slip']}, asked for within half a minute"] * bool(first["slip"] and alone and glance)
    said += dict.fromkeys(note for visit in group for note in visit["notes"])
    return intent, said


def brought_along(visit: Row, glance: bool, follows: bool, numbers: Mapping[str, float]) -> bool:
    """Whether another page asked for the only visit: it never opened a burst, or is a glance at what is always brought along."""
    if visit["opened"] > 0:
        return visit["brought"] != "" and glance
    if visit["piece"] or (follows and glance):
        return True
    return visit["brought"] != "" and visit["requests"] <= numbers["piece_requests"]


def rows_it_may_be(category: Category, first: Row, outcome: str) -> list[str]:
    """7.2 rows whose facts that a log can hold are there; intent, reporting and permission stay questions."""
    if first["actor"] != "student" or category.tier not in ("T2", "T3"):
        return []
    known = {"actor": first["actor"], "band": first["band"], "outcome": outcome}
    found = [line.row for line in category.propose if line.row != "no_row"
             and all(known[word] in many(wanted) for word, wanted in line.when.items() if word in known)]
    return list(dict.fromkeys(found))


def route(actor: str, tier: str) -> str:
    """Who reads it."""
    if tier == "T0":
        return "sealed"
    if tier == "T4":
        return "tech"
    if actor in STAFF:
        return "staff"
    if tier == "T1":
        return "welfare"
    return {"student": "student", "guest": "guest"}.get(actor, "attribution")


def detections(visits: Sequence[Row], said: Mapping[str, Row], rules: Sequence[Rule], policy: Policy,
               day: date) -> list[Row]:
    """Every firing of every rule on the visits of a day; what points to background is among them."""
    return [detection(rule, group, visits, said, policy, day) for rule in rules for group in groups(rule, visits, said, policy)]


def detection(rule: Rule, group: list[Row], visits: Sequence[Row], said: Mapping[str, Row], policy: Policy,
              day: date) -> Row:
    """One firing of one rule."""
    first, verdicts = group[0], [said[visit["visit"]] for visit in group]
    tier = min((v["tier"] for v in verdicts), key=GRAVEST_FIRST.index)
    outcome = outcomes(done_to(visit, visits, said) for visit in group)
    intent, reasons = intent_and_reasons(group, visits, policy)
    copied = ("subject", "person", "client", "actor", "year", "network", "site", "host", "source", "line", "category",
              "started", "band", "period")
    return {name: first[name] for name in copied} | {
        "rule": rule.name, "day": day, "tier": tier, "route": route(first["actor"], tier), "outcome": outcome,
        "intent": intent, "rows": rows_it_may_be(policy.categories[first["category"]], first, outcome),
        "clause": rule.clause, "questions": sorted({q for v in verdicts for q in v["questions"]}),
        "ended": max(v["ended"] for v in group), "visits": len(group), "requests": sum(v["requests"] for v in group),
        "reasons": reasons, "visit_keys": [v["visit"] for v in group], "hidden": ""}


def done_to(visit: Row, visits: Sequence[Row], said: Mapping[str, Row]) -> str:
    """What the filter did to a visit; to permitted searches, what it did to the pages of that kind within the hour."""
    own: str = said[visit["visit"]]["outcome"]
    if visit["searched"] < visit["requests"] or visit["blocked"]:
        return own
    pages = [said[other["visit"]]["outcome"] for other in around(visit, visits, 60) if other["searched"] < other["requests"]]
    return outcomes(pages) if pages else own


def outcomes(all_of: Any) -> str:
    """Several outcomes as one."""
    seen = set(all_of)
    return seen.pop() if len(seen) == 1 else "mixed"


def is_background(row: Row) -> bool:
    """Never a misconduct: counted only. Technical matters stay; so does a welfare matter that began with a slip of the keyboard."""
    slip = any(reason.startswith("a name like that of ") for reason in row["reasons"])
    return (row["intent"] == "background" and row["tier"] in ("T1", "T2", "T3", "TS")) or (
        row["intent"] == "accidental" and slip and row["tier"] in ("T2", "T3", "TS"))


def sealed_items(rows: Sequence[Row], day: date) -> list[Row]:
    """One detection a sealed item: when, who, and what the filter did; never a site."""
    items: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (r["time"], r["source"], r["line"])):
        items[row["sealed"]].append(row)
    found = []
    for item in items.values():
        who = next((row for row in item if row["person"]), item[0])
        found.append({name: who[name] for name in ("person", "client", "actor", "year", "network")} | {
            "rule": "sealed", "day": day, "subject": who["person"] or who["client"], "site": "", "host": "",
            "source": item[0]["source"], "line": item[0]["line"], "category": "sealed", "tier": "T0", "route": "sealed",
            "outcome": outcomes("blocked" if row["action"] == "blocked" else "allowed" for row in item),
            "intent": "unclear", "rows": [], "clause": "", "questions": [], "started": item[0]["time"],
            "ended": item[-1]["time"], "band": "", "period": "", "visits": 0, "requests": len(item), "visit_keys": [], "hidden": "",
            "reasons": ["the filter's own verdict sealed this item: follow the sealed protocol"]})
    return found


# --- stories and breaches -------------------------------------------------------------------------------------------


def key(row: Row) -> str:
    """The key of a detection."""
    return f"{row['rule']}|{row['subject']}|{row['site']}|{row['source']}:{row['line']}"


def once(items: Any) -> list[Any]:
    """Each once, in order of first appearance."""
    return list(dict.fromkeys(items))


def stories(found: Sequence[Row], visits: Sequence[Row]) -> dict[str, Row]:
    """One subject's detections on one route, split by a pause of more than sixty minutes; by the key of the first."""
    sizes = {visit["visit"]: visit["requests"] for visit in visits}
    open_stories: dict[tuple[str, str], list[Row]] = {}
    told: list[list[Row]] = []
    for row in sorted(found, key=lambda r: (r["started"], key(r))):
        home = row["subject"], row["route"]
        last = open_stories.get(home)
        if last is None or row["started"] - max(r["ended"] for r in last) > HOUR:
            last = open_stories[home] = []
            told.append(last)
        last.append(row)
    return {key(rows[0]): story(rows, sizes) for rows in told}


def story(rows: list[Row], sizes: Mapping[str, int]) -> Row:
    """What one story says."""
    keys = once(visit for row in rows for visit in row["visit_keys"])
    requests = sum(sizes[visit] for visit in keys) + sum(row["requests"] for row in rows if not row["visit_keys"])
    return {"story": key(rows[0]), "subject": rows[0]["subject"], "person": rows[0]["person"], "client": rows[0]["client"],
            "actor": rows[0]["actor"], "route": rows[0]["route"], "started": rows[0]["started"],
            "ended": max(row["ended"] for row in rows), "tier": min((row["tier"] for row in rows), key=GRAVEST_FIRST.index),
            "categories": once(row["category"] for row in rows), "sites": once(row["site"] for row in rows if row["site"]),
            "outcome": outcomes(row["outcome"] for row in rows),
            "intent": min((row["intent"] for row in rows), key=STRONGEST_FIRST.index),
            "rows": once(r for row in rows for r in row["rows"]), "questions": once(q for row in rows for q in row["questions"]),
            "visits": len(keys), "requests": requests, "reasons": once(r for row in rows for r in row["reasons"]),
            "keys": [key(row) for row in rows], "visit_keys": keys}


def breaches(visits: Sequence[Row], said: Mapping[str, Row], found: Sequence[Row]) -> dict[str, Row]:
    """Filter failures by site and profile, circumventions by method and host."""
    let: dict[str, list[Row]] = defaultdict(list)
    tricks: dict[str, list[Row]] = defaultdict(list)
    by_key = {visit["visit"]: visit for visit in visits}
    for visit in visits:
        if said[visit["visit"]]["failure"]:
            let[f"failure|{visit['site']}|{visit['actor']}"].append(visit)
    for row in found:
        if row["category"].startswith("bypass_"):
            for visit in row["visit_keys"]:
                tricks[f"circumvention|{row['rule']}|{by_key[visit]['host']}"].append(by_key[visit])
    welfare = {visit["site"] for visit in visits if said[visit["visit"]]["tier"] in ("T0", "T1")}
    made = {name: breach(rows, visits, name) for name, rows in (*let.items(), *tricks.items())}
    made |= illegal_let_through(found)
    for name, row in made.items():
        if name.startswith("failure") and row["of"] in welfare:
            row["people"] = None  # how many people looked for help or harm is nobody's number
    return made


def illegal_let_through(found: Sequence[Row]) -> dict[str, Row]:
    """By kind of account, the sealed items that were not stopped: how many, and when; never how many people."""
    items: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        if row["tier"] == "T0" and row["outcome"] != "blocked":
            items[row["actor"]].append(row)
    return {f"failure|sealed|{actor}": {"worked": "mixed" if any(row["outcome"] == "mixed" for row in rows) else "yes",
                                        "people": None, "visits": len(rows), "first_seen": min(row["started"] for row in rows),
                                        "last_seen": max(row["ended"] for row in rows), "first_blocked": None, "of": "sealed"}
            for actor, rows in items.items()}


def breach(rows: list[Row], visits: Sequence[Row], name: str) -> Row:
    """One breach, from the visits that make it."""
    worked = {outcome_of(row["blocked"], row["allowed"]) for row in rows}
    first = min(row["started"] for row in rows)
    later = [v["started"] for v in visits if v["site"] == rows[0]["site"] and v["blocked"] and v["started"] > first]
    return {"key": name, "of": rows[0]["site"], "people": len({row["subject"] for row in rows}),
            "visits": len({row["visit"] for row in rows}), "first_seen": first, "last_seen": max(row["ended"] for row in rows),
            "worked": {"allowed": "yes", "blocked": "no", "mixed": "mixed"}[outcomes(worked)],
            "first_blocked": min(later, default=None)}
