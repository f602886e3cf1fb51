"""The checks of the filter as a page: where it was tested and where not, what was tested and what not, and what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pipeline.pages.logs import LogPage
from pipeline.pages.parts import Grid, said, versions_of
from pipeline.pages.wording import NONE, sentence, several
from pipeline.register.checks import CheckState
from pipeline.register.tested import CORE, Tested
from pipeline.schoolday import local

# Each test as people say it.
TITLES = {"illegal_csam_list": "child-abuse list", "terrorism_list": "terrorism list", "adult": "adult content",
          "profanity": "profanity", "safe_search": "safe search", "proxy_sample": "proxies and VPNs, a sample",
          "off_site_agent": "school device off site", "new_device_default": "new device as it comes",
          "guest_network": "guest network", "decryption": "decryption", "block_page_wording": "wording of the block page"}
RESULTS = {"pass": "passed", "fail": "failed", "not_tested": "not tested"}


@dataclass(frozen=True)
class Checked:
    """All that the page is made of: places, tests, the checks of the period, what was missed or waits, and changed networks."""

    places: Sequence[Tested]
    tests: Sequence[Tested]
    checks: Sequence[CheckState]
    missed: Sequence[CheckState]
    waiting: Sequence[CheckState]
    changed: Sequence[str]   # references of changes of the networks or accounts since the last check
    at: date
    every: int


def build(period: str, school_name: str, of: Checked, versions: Mapping[str, object], zone: str) -> LogPage:
    """The page of a period; its matrix stands as it was on the period's last judged day."""
    failed = sum(check.result == "fail" for check in of.checks)
    gaps = sum(place.gap for place in of.places)
    lede = (f"{several(len(of.checks), 'check')} of the filter, {failed or 'none'} with a failure. "
            + (f"{several(len(of.places), 'place')} to test, {gaps or 'none'} of them never tested." if of.places else
               "No place is named that must be tested."))
    empty = "No place to test is known: name them under [checks] in school.toml, or plan a check."
    return LogPage("Checks of the filter", said(school_name), said(period), lede, (
        ("places", "Where it was tested", _places(of), empty),
        ("tests", "What was tested", _tests(of), ""),
        ("checks", "The checks", _checks(of, zone), "No check was recorded.")),
        versions_of(versions), tuple(owed(of)), "For technical services and the designated safeguarding lead. It names nobody.")


def owed(of: Checked) -> Iterator[str]:
    """What is to be done, a sentence each: failures first, then windows missed, gaps, and what is due again."""
    for check in of.waiting:
        late = f", overdue since {day(check.due)}" if check.due and check.due < str(of.at) else f" by {day(check.due)}"
        yield f"{check.ref}: {said(check.action)} ({said(check.owner)}){late}."
    for check in of.missed:
        yield f"{check.ref} was planned for {day(check.plan['begins'])}, and nothing was recorded of it."
    core = [title(test.of[0]) for test in of.tests if test.gap and test.of[0] in CORE]
    if core:
        yield f"Never tested, and part of every check: {sentence(core)}."
    never = [where(place.of) for place in of.places if place.gap]
    if never:
        yield f"Never tested: {'; '.join(never)}."
    late_places = [where(place.of) for place in of.places if place.late(of.every, of.at)]
    if late_places:
        yield f"To be tested again: {'; '.join(late_places)}."
    if of.changed:
        yield f"Networks or accounts were changed after the last check ({sentence(of.changed)}): test again."


def _places(of: Checked) -> Grid:
    """A row a device class and site, a column a user group."""
    groups = list(dict.fromkeys(place.of[1] for place in of.places))
    rows = dict.fromkeys((place.of[0], place.of[2]) for place in of.places)
    cells = {place.of: _cell(place, of) for place in of.places}
    return Grid(f"Last test of each place, and when the next is due (every {of.every} days)",
                ("Device, site", *(capital(group) for group in groups)),
                tuple((said(f"{device}, {site}"), *(cells.get((device, group, site), NONE) for group in groups))
                      for device, site in rows))


def _cell(place: Tested, of: Checked) -> str:
    if place.last is None:
        planned = f"; planned for {day(place.planned.plan['begins'])}" if place.planned else ""
        return ("never tested" if place.wanted else "not tested") + planned
    return f"{RESULTS[place.result]} {day(place.on)}; {_due(place, of)}"


def _due(of: Tested, checked: Checked) -> str:
    due = of.due(checked.every)
    return "" if due is None else f"overdue since {day(due)}" if due < checked.at else f"next due {day(due)}"


def _tests(of: Checked) -> Grid:
    """A row a kind of test."""
    return Grid("Last time each was tested, anywhere", ("Test", "Last tested", "Where", "Result", "Next due"),
                tuple((capital(title(test.of[0])), *_told(test, of)) for test in of.tests))


def _told(test: Tested, of: Checked) -> tuple[str, ...]:
    if test.last is None:
        return ("never", NONE, NONE, "now" if test.of[0] in CORE else NONE)
    return (day(test.on), where(tuple(str(test.last.plan[name]) for name in ("device_class", "user_group", "site"))),
            RESULTS[test.result], day(test.due(of.every)))


def _checks(of: Checked, zone: str) -> Grid:
    """A row a check of the period."""
    return Grid("One row a check", ("Ref", "When", "Where", "By, and with", "Result", "What follows"),
                tuple((said(check.ref, 20), _window(check, zone), _where(check),
                       f"{said(check.plan['tester'], 80)}; {said(check.plan['tool'], 80)}", _result(check), _follows(check))
                      for check in of.checks))


def _where(check: CheckState) -> str:
    plan = {name: said(value, 40) for name, value in check.plan.items()}
    return f"{plan['device_class']} {plan['device']} ({plan['owner']}), {plan['user_group']}, {plan['site']}"


def _window(check: CheckState, zone: str) -> str:
    begins, ends = (local(datetime.fromisoformat(check.plan[name]), zone) for name in ("begins", "ends"))
    return f"{day(begins.date())}, {begins:%H:%M} to {ends:%H:%M}"


def _result(check: CheckState) -> str:
    told = [f"{RESULTS[result]}: {sentence(tests)}" for result in RESULTS
            if (tests := [title(test) for test, one in check.tests.items() if one == result])]
    return "; ".join(told)


def _follows(check: CheckState) -> str:
    if not check.action:
        return "nothing"
    done = f"done {day(check.action_done)}" if check.action_done else f"by {day(check.due)}"
    return f"{said(check.action)} ({said(check.owner, 40)}), {done}"


def title(test: str) -> str:
    """A kind of test as people say it."""
    return TITLES.get(test, test.replace("_", " "))


def where(place: Iterable[str]) -> str:
    """A place in words."""
    return ", ".join(said(part, 40) for part in place)


def capital(text: str) -> str:
    """With a capital first, and the rest as it is."""
    return said(text[:1].upper() + text[1:], 60)


def day(of: date | str | None) -> str:
    """5 Nov 2026, on one line; a dash for none."""
    if not of:
        return NONE
    at = of if isinstance(of, date) else date.fromisoformat(of[:10])
    return f"{at.day}\u00a0{at:%b}\u00a0{at.year}"
