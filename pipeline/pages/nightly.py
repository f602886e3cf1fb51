"""The nightly breach report for technical services: what was heard from, what got through, what got round, what changed.

It holds no name, no address of a person and nothing of a welfare or sealed item but its reference. A night without logs
reads too: silence is not safety.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from pipeline.pages.parts import Grid, clock, defang, defanged, hidden_of, said, versions_of
from pipeline.pages.wording import long_day, number, several
from pipeline.problems import Problem
from pipeline.uncategorised import Unknown

ROUTES = {"student": "the DSL", "welfare": "the DSL", "sealed": "the DSL", "dsl": "the DSL", "staff": "the Principal",
          "principal": "the Principal", "attribution": "someone to say who it was", "tech": "technical services",
          "guest": "the DSL"}
WORKED = {"yes": "worked: it was allowed", "no": "did not work: it was blocked", "mixed": "worked at times"}
LABELS = {"lines": "Lines read", "requests": "Requests", "rejects": "Rejects: lines that could not be read",
          "repeats": "Repeats: lines read before", "visits": "Visits", "background": "Background requests",
          "auth": "Sign-in exchanges", "error": "Errors", "setup": "Set-up of tunnels", "sealed": "Sealed requests",
          "twice": "Requests that two logs saw, counted once", "quietened": "Detections that point to background, not shown",
          "hidden": "Detections that exceptions hide",
          "checked": "Visits of registered checks of the filter, not shown",
          "called": "Visits that a program made by itself, not shown",
          "led": "Visits with the class of a member of staff, not shown",
          "against": "Visits against the policy", "incidents": "Suspected incidents"}
APART = "kept for the DSL"
SEALED_NAME = "unmapped, sealed"
MOST_NAMES = 50


@dataclass(frozen=True)
class NightlyPage:
    """Everything the nightly breach report prints."""

    title: str
    school: str
    day: str
    notice: str
    heard: bool
    summary: tuple[str, ...]
    silences: tuple[str, ...]
    coverage: Grid
    problems: tuple[tuple[str, str, str], ...]
    failures: Grid
    circumventions: Grid
    changes: Grid
    inferred: Grid
    filter_names: Grid
    over_blocked: Grid
    misplaced: Grid
    unknown: Grid
    exceptions: Grid
    hidden: str
    proposals: tuple[str, ...]
    queue: tuple[tuple[str, str], ...]
    sealed: tuple[str, ...]
    counts: Grid
    versions: tuple[tuple[str, str], ...]

    @property
    def tables(self) -> dict[str, Grid]:
        """Its tables by name."""
        return {"coverage": self.coverage, "failures": self.failures, "rounds": self.circumventions, "changes": self.changes,
                "inferred": self.inferred, "exceptions": self.exceptions,
                "names": self.filter_names, "overblocked": self.over_blocked, "misplaced": self.misplaced,
                "unknown": self.unknown, "counts": self.counts}


def build(day: date, school_name: str, coverage: pa.Table, problems: Sequence[Problem],
          breaches: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]], counts: Mapping[str, int],
          queue: Mapping[str, int], sealed: Sequence[str], policy_overdue: str, versions: Mapping[str, object],
          *, filter_names: Sequence[Mapping[str, Any]] = (), misplaced: Sequence[tuple[str, str, str]] = (),
          unknown: Sequence[Unknown] = (),
          exceptions: Sequence[Mapping[str, Any]] = (), hidden: Mapping[str, int] = MappingProxyType({}),
          proposals: Sequence[str] = (), expected: Sequence[str] = (), zone: str = "Europe/London") -> NightlyPage:
    """The report of one school day; `expected` names logs that should have been heard from; `filter_names`: rows of
    FILTER_NAMES; `misplaced`: site, list and category of what an imported list puts wrongly; `unknown`: the week's
    sites on no list; `exceptions`: label, owner,
    approver and last day of each in force; `hidden`: how many detections are not shown, by why;
    `proposals`: a sentence for each rule that people keep finding wrong."""
    failures = [row for row in breaches if row["part"] == "failure"]
    rounds = [row for row in breaches if row["part"] != "failure"]
    heard = coverage.to_pylist()
    silent = _silent(heard, expected)
    return NightlyPage(
        title="Nightly breach report", school=said(school_name), day=long_day(day), notice=said(policy_overdue, 300),
        heard=any(row["requests"] for row in heard),
        summary=_summary(heard, silent, problems, failures, rounds, changes), silences=silent,
        coverage=_coverage(heard, zone),
        problems=tuple((said(p.where), said(p.what, 400), said(p.try_this, 300)) for p in sorted(problems)),
        failures=_failures(failures, zone), circumventions=_rounds(rounds, zone),
        changes=_changes([row for row in changes if not row.get("inferred")]),
        inferred=_inferred([row for row in changes if row.get("inferred")]),
        filter_names=_unmapped(filter_names), over_blocked=_over_blocked(filter_names), misplaced=_misplaced(misplaced),
        unknown=_unknown(unknown),
        exceptions=_exceptions(exceptions, hidden), hidden=hidden_of(hidden),
        proposals=tuple(said(text, 300) for text in proposals),
        queue=_queue(queue), sealed=tuple(said(ref, 40) for ref in sorted(sealed)),
        counts=Grid("What the night counted", ("What", "How many"),
                    tuple((LABELS.get(name, said(name.replace("_", " ")).capitalize()), number(value))
                          for name, value in counts.items()), frozenset({1})),
        versions=versions_of(versions))


def _exceptions(rows: Sequence[Mapping[str, Any]], hidden: Mapping[str, int]) -> Grid:
    """Each exception in force, and whatever else hides a detection, with how many it hides."""
    known = [(row["label"], row["owner"], row["approver"], str(row["until"])) for row in rows]
    others = [(why, "–", "–", "–") for why in sorted(hidden.keys() - {row[0] for row in known})]
    return Grid("What the school has decided not to be shown", ("What", "Owner", "Approver", "Last day", "Hidden this day"),
                tuple((defanged(what, 300), said(owner, 60), said(approver, 60), until, number(hidden.get(what, 0)))
                      for what, owner, approver, until in [*known, *others]), frozenset({4}))


def _silent(heard: Sequence[Mapping[str, Any]], expected: Sequence[str]) -> tuple[str, ...]:
    spoke = {row["name"] for row in heard if row["requests"]}
    names = sorted({row["name"] or "a log without a name" for row in heard if not row["requests"]} | set(expected) - spoke)
    if not heard and not names:
        names = ["any log"]
    return tuple(f"Nothing was heard from {said(name)}: silence is not safety." for name in names)


def _summary(heard: Sequence[Mapping[str, Any]], silent: Sequence[str], problems: Sequence[Problem],
             failures: Sequence[Mapping[str, Any]], rounds: Sequence[Mapping[str, Any]],
             changes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The night in a few short sentences, the ones that ask for work first."""
    logs = sum(1 for row in heard if row["requests"])
    if logs:
        lines = [f"{several(logs, 'log')} heard from" + (f", {len(silent)} silent." if silent else ".")]
    else:
        lines = ["No log was heard from, so nothing can be said of what the filter did."]
    if problems:
        lines.append(f"{several(len(problems), 'thing')} to mend.")
    if logs or failures or rounds:
        lines.append(_new(failures, "filter failure", "No filter failure seen"))
        lines.append(_new(rounds, "way round the filter", "No way round the filter seen", "ways round the filter"))
    lines.append(f"{several(len(changes), 'change')} of which nobody has said who made it and why." if changes else
                 "No change waits for its reason.")
    return tuple(lines)


def _new(rows: Sequence[Mapping[str, Any]], one: str, none: str, many: str = "") -> str:
    if not rows:
        return f"{none}."
    new = sum(1 for row in rows if row.get("is_new"))
    still = sum(1 for row in rows if row["first_blocked"] is None)
    return f"{several(len(rows), one, many)}, {new or 'none'} new, {still or 'none'} not blocked yet."


def _coverage(heard: Sequence[Mapping[str, Any]], zone: str) -> Grid:
    rows = tuple((said(row["name"] or row["source"], 60), number(row["lines"]), number(row["requests"]),
                  number(row["rejects"]), _share(row["unattributed"], row["requests"]),
                  f"{clock(row['first'], zone)}\u00a0to\u00a0{clock(row['last'], zone)}" if row["first"] else "–",
                  number(row["gap_minutes"])) for row in heard)
    return Grid("Logs of this school day; times are local, the day is cut at 04:00",
                ("Log", "Lines", "Requests", "Rejects", "No person named", "From, to", "Longest silence, min"),
                rows, frozenset({1, 2, 3, 4, 6}))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"


def _apart(row: Mapping[str, Any]) -> bool:
    """Whether a row touches a welfare or illegal category, of which this page says nothing."""
    return row.get("tier") in {"T0", "T1"} or row.get("people", 0) is None


def _opened(row: Mapping[str, Any]) -> str:
    if row.get("is_new"):
        return "new"
    opened = row.get("opened_day")
    return f"since {opened.day}\u00a0{opened:%b}" if isinstance(opened, date) else f"since {said(opened, 20)}"


def _site(row: Mapping[str, Any]) -> str:
    return APART if _apart(row) else defang(row["site"])


def _category(row: Mapping[str, Any]) -> str:
    return APART if _apart(row) else said(row["category"]).replace("_", " ")


def _failures(rows: Sequence[Mapping[str, Any]], zone: str) -> Grid:
    return Grid("Sites that the filter let through where it is meant to block, one row a site and profile",
                ("Ref", "Site", "Category", "Let through for", "People", "First seen", "First blocked", "Open"),
                tuple((said(row["ref"], 20), _site(row), _category(row), said(row["profile"]).replace("_", " "),
                       number(row["people"]), clock(row["first_seen"], zone), _until(row, zone), _opened(row))
                      for row in rows), frozenset({4}))


def _until(row: Mapping[str, Any], zone: str) -> str:
    blocked = clock(row["first_blocked"], zone)
    return "not yet" if blocked == "–" else blocked


def _rounds(rows: Sequence[Mapping[str, Any]], zone: str) -> Grid:
    return Grid("Ways round the filter, tried or used, one row a method and host",
                ("Ref", "Host", "Method", "Outcome", "People", "First seen", "First blocked", "Open"),
                tuple((said(row["ref"], 20), _site(row), said(row["method"]).replace("_", " ").replace("-", " "),
                       WORKED.get(str(row["worked"]), said(row["worked"])), number(row["people"]),
                       clock(row["first_seen"], zone), _until(row, zone), _opened(row)) for row in rows), frozenset({4}))


def _changes(rows: Sequence[Mapping[str, Any]]) -> Grid:
    return Grid("Changes recorded since the last night", ("Ref", "What", "Before", "After", "By", "Why"),
                tuple((said(row["ref"], 20), defanged(row["object"]), defanged(row["before"]) or "nothing",
                       defanged(row["after"]) or "removed", said(row.get("who")) or "not said",
                       defanged(row.get("why")) or "not said") for row in rows))


def _inferred(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """What nobody entered; the site of a welfare category is the DSL's matter."""
    return Grid("Nobody entered these: they are inferred from the traffic and from the change log",
                ("Ref", "What", "Before", "Now"),
                tuple((said(row["ref"], 20), APART if row.get("apart") else defanged(row["object"]), defanged(row["before"]),
                       defanged(row["after"])) for row in rows))


def _unmapped(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """The names of the filter's categories that nobody mapped. One that looked illegal was sealed: only that there was one."""
    wanted = [row for row in rows if row["why"] in ("unmapped", "sealed")]
    return Grid("Category names of the filter that have no line in rules/vendor, by how many people met them",
                ("Filter", "Name", "People", "Requests"),
                tuple((said(row["vendor"], 40) or "–", said(row["name"], 60) if row["why"] == "unmapped" else SEALED_NAME,
                       "–" if row["people"] is None else number(row["people"]), number(row["requests"]))
                      for row in wanted[:MOST_NAMES]), frozenset({2, 3}))


def _over_blocked(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Sites of help and learning that the filter calls something bad; no person stands beside one, and no number of people."""
    return Grid("Sites of help or learning that the filter puts in a bad category and blocks: probably over-blocking",
                ("Filter", "Its category", "Site", "Ours", "Requests", "Blocked"),
                tuple((said(row["vendor"], 40), said(row["name"], 60), defang(row["site"]),
                       said(row["category"]).replace("_", " "), number(row["requests"]), number(row["blocked"]))
                      for row in rows if row["why"] == "over-blocking"), frozenset({4, 5}))


def _misplaced(rows: Sequence[tuple[str, str, str]]) -> Grid:
    return Grid("Sites of help or learning that an imported list calls something else; the list does not win",
                ("Site", "List", "Its category"),
                tuple((defang(site), said(name), said(category).replace("_", " ")) for site, name, category in rows))


def _unknown(rows: Sequence[Unknown]) -> Grid:
    return Grid("Sites on no list that most people met in the seven days up to this one",
                ("Site", "People", "Days", "Requests", "Blocked", "In lessons", "First seen", "Words in its names", "Hosted on"),
                tuple((defang(row.site), number(row.people), number(row.days), number(row.requests), number(row.blocked),
                       row.share, f"{row.first.day}\u00a0{row.first:%b}" if row.first else "–",
                       said(" ".join(row.words), 80) or "–", defang(row.platform) or "–") for row in rows),
                frozenset({1, 2, 3, 4, 5}))


def _queue(queue: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    """How many wait for whom; welfare and other matters are never told apart here."""
    waiting: dict[str, int] = {}
    for route, count in queue.items():
        if count:
            reader = ROUTES.get(route, said(route))
            waiting[reader] = waiting.get(reader, 0) + count
    return tuple((reader, several(count, "item")) for reader, count in waiting.items())
