"""The log of checks of the filter: windows registered beforehand, what was tested, how it went, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pipeline.problems import Problem, UsageError
from pipeline.register.words import Body, Event, Happened, Written, changed, fold, signed

TESTS = ("illegal_csam_list", "terrorism_list", "adult", "profanity", "safe_search", "proxy_sample", "off_site_agent",
         "new_device_default", "guest_network", "decryption", "block_page_wording")
RESULTS = ("pass", "fail", "not_tested")
PLAN = ("tester", "device", "device_class", "owner", "site", "user_group", "tool")
TRAFFIC = ("person", "client")  # pseudonyms of the account and the address that it is made from, by which its traffic is known
OWNERS = ("school", "byod", "guest")
PLACE = ("device_class", "user_group", "site")  # what the matrix of checks is by


@dataclass(frozen=True)
class CheckState:
    """A check as its entries leave it: planned, recorded, done (its action is), or purged."""

    ref: str
    state: str = "planned"
    plan: Body = field(default_factory=dict)      # what PLAN names, begins and ends (UTC, ISO), tests wanted
    planned_at: str = ""
    tests: Mapping[str, str] = field(default_factory=dict)  # result by test
    done_on: str = ""
    result: str = ""
    action: str = ""
    owner: str = ""
    due: str = ""
    action_done: str = ""
    seen: Mapping[str, Body] = field(default_factory=dict)  # by day: requests, blocked and allowed by category
    history: tuple[Happened, ...] = ()

    def holds(self, at: datetime) -> bool:
        """Whether a time is inside its window."""
        return datetime.fromisoformat(self.plan["begins"]) <= at <= datetime.fromisoformat(self.plan["ends"])


def fold_checks(entries: Iterable[Written]) -> dict[str, CheckState]:
    """Each check by its reference."""
    return fold(entries, live_check)


def live_check(states: dict[str, CheckState], entry: Written) -> None:
    """Take one entry into the states."""
    if entry.ref:
        states[entry.ref] = _lived(states.get(entry.ref) or CheckState(entry.ref), entry)


def _lived(state: CheckState, entry: Written) -> CheckState:
    if entry.body is None or state.state == "purged":
        return CheckState(state.ref, state="purged")
    now, body = changed(state, history=(*state.history, Happened(entry.at, entry.kind, entry.body))), entry.body
    if entry.kind == "seen":  # by the night: what the log shows, which nobody signs
        return changed(now, seen={**state.seen, body["day"]: body["seen"]})
    return _signed(now, entry, body) if signed(body) else now


def _signed(now: CheckState, entry: Written, body: Body) -> CheckState:
    """What a person entered."""
    if entry.kind == "planned":
        return changed(now, plan=body["plan"], planned_at=entry.at)
    if entry.kind == "recorded":
        return changed(now, state="recorded", tests=body["tests"], done_on=body["on"], result=body["result"],
                       action=body["action"], owner=body["owner"], due=body["due"])
    if entry.kind == "done":
        return changed(now, state="done", action_done=body["on"])
    return now


def plan(ref: str, begins: datetime, ends: datetime, now: datetime, *, who: str, role: str, reason: str, **about: Any) -> Event:
    """The entry of a check planned before it begins; UsageError says why not."""
    faults = [f"needs {name.replace('_', ' ')}" for name in PLAN if not str(about.get(name) or "").strip()]
    faults += ["ends before it begins"] if ends <= begins else []
    faults += ["is registered after it has begun: a window must stand before the test"] if begins < now else []
    faults += [] if about.get("owner") in (None, "", *OWNERS) else [f"needs owner of the device: {', '.join(OWNERS)}"]
    faults += _unknown(about.get("tests") or ())
    faults += [] if reason.strip() else ["needs a reason"]
    _must(ref, faults)
    said = {name: str(about[name]).strip() for name in PLAN} | {name: about[name] for name in TRAFFIC if about.get(name)}
    return "planned", ref, {"who": who, "role": role, "reason": reason.strip(), "plan": said | {
        "begins": begins.isoformat(), "ends": ends.isoformat(), "tests": list(about.get("tests") or ())}}


def record(state: CheckState, tests: Mapping[str, str], on: date, *, who: str, role: str, reason: str, action: str = "",
           owner: str = "", due: str = "") -> Event:
    """The entry of how a check went; a failure needs what is done about it, by whom and until when."""
    faults = _unknown(tests) + [f"{test} is {result}: it is {' or '.join(RESULTS)}" for test, result in tests.items()
                                if result not in RESULTS]
    failed = [test for test, result in tests.items() if result == "fail"]
    faults += [] if tests else [f"needs at least one test: {', '.join(TESTS)}"]
    if failed and not (action and owner and due):
        faults.append("has a failed test: it needs an action, its owner and a day it is due")
    faults += [f"is {state.state} already"] if state.state != "planned" else []
    faults += [] if reason.strip() else ["needs a reason"]
    _must(state.ref, faults)
    result = "fail" if failed else "pass" if "pass" in tests.values() else "not_tested"
    return "recorded", state.ref, {"who": who, "role": role, "reason": reason.strip(), "tests": dict(tests), "on": str(on),
                                   "result": result, "action": action.strip(), "owner": owner.strip(), "due": due}


def finish(state: CheckState, on: date, *, who: str, role: str, reason: str) -> Event:
    """The entry that says the action of a check is done."""
    faults = [] if state.state == "recorded" and state.action else [f"is {state.state} and has no action that waits"]
    _must(state.ref, faults + ([] if reason.strip() else ["needs a reason"]))
    return "done", state.ref, {"who": who, "role": role, "reason": reason.strip(), "on": str(on)}


def saw(state: CheckState, day: date, seen: Mapping[str, Any]) -> list[Event]:
    """The entry of what a day's traffic shows of a check (requests, blocked and allowed by category); none where it is known."""
    known = state.seen.get(str(day), {})
    return [] if known == seen else [("seen", state.ref, {"day": str(day), "seen": dict(seen)})]


def outcome(state: CheckState) -> str:
    """What was seen of a check, in words; empty where nothing was."""
    total: dict[str, list[int]] = {}
    for kinds in state.seen.values():
        for category, counts in kinds.items():
            before = total.get(category, [0, 0])
            total[category] = [before[0] + counts["blocked"], before[1] + counts["allowed"]]
    return "; ".join(f"{category.replace('_', ' ')}: {blocked} blocked, {allowed} let through"
                     for category, (blocked, allowed) in sorted(total.items()))


def _unknown(tests: Iterable[str]) -> list[str]:
    return [f"names {test!r}, which is no test here ({', '.join(TESTS)})" for test in tests if test not in TESTS]


def _must(ref: str, faults: Iterable[str]) -> None:
    problems = [Problem(ref, fault) for fault in faults]
    if problems:
        raise UsageError(*problems)


def matrix(states: Iterable[CheckState]) -> dict[tuple[str, str, str], str]:
    """The last day each device class, user group and site was tested, and how it went; planned places that never were: empty."""
    last: dict[tuple[str, str, str], str] = {}
    for state in states:
        if state.state == "purged" or not state.plan:
            continue
        place = (state.plan["device_class"], state.plan["user_group"], state.plan["site"])
        said = f"{state.done_on} {state.result}".strip()
        last[place] = max(last.get(place, ""), said)
    return last
