"""The termly summary is true: each of its numbers is counted again, plainly, from the lake's files and the registers' lines."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_breach_log import DAY_S, PROXY, run, school
from test_lines import line

from pipeline import night, publishing, register
from pipeline.pages.termly import TermlyPage

PUPILS = [f"19made{letter}" for letter in "abcdefghijkl"]
ADULT = [f"adult-{n}.test" for n in ("one", "two", "three", "four")]
SPRING = 65 * DAY_S  # from Mon 2 Nov 2026 to Wed 6 Jan 2027
STATES = ("suspected", "confirmed", "dismissed")
ROLL, SMALL = 300, 3
Pages = dict[str, TermlyPage]


def day_of(start: float, *, blocked: bool) -> str:
    """One day's log: lessons, twelve pupils and adult sites, and a proxy that the filter stops or lets through."""
    tries = [line(start + 14_000 + 40 * n, ADULT[n % 4], user=who, client=f"10.20.1.{k}", verdict="TCP_DENIED/403")
             for k, who in enumerate(PUPILS) for n in range(6)]
    proxy = [line(start + 1_800.12 + 40 * k, PROXY, verdict="TCP_DENIED/403" if blocked else "TCP_TUNNEL/200") for k in range(6)]
    plain = [line(start + 60 * k, "lessons.fenmarsh.test") for k in range(9)]
    chat = [line(start + 12_600 + k, "chatter.test", user=who, client=f"10.20.1.{k}") for k, who in enumerate(PUPILS)]
    nobody = [line(start + 100 + k, "encyclo.test", user="-", method="GET", verdict="TCP_MISS/200") for k in range(4)]
    return "".join([*plain, *nobody, *proxy, *chat, *tries])


def decide(folder: Path) -> None:
    """Of the pupils' incidents of the first day five are confirmed and three dismissed."""
    log = night.journal(folder, "incidents")
    states = [s for s in register.fold_incidents(log.entries()).values()
              if s.day == "2026-11-02" and s.summary["categories"] == ["pornography"]]
    for n, state in enumerate(states[:8]):
        kind, more = ("confirmed", {"rows": ["IN-14"]}) if n < 5 else ("dismissed", {"code": "background"})
        log.append(*register.decide(state, kind, who="A. Person", role="dsl", reason="looked at it", allowed_roles={"dsl"}, **more))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pages]:
    """A school after nights of two terms with decisions and a change between them, and the last summary of each term."""
    root = tmp_path_factory.mktemp("termly")
    folder, pages = school(root / "school"), Pages()
    settings = folder / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace("small_number   = 5", f"small_number   = {SMALL}"), "utf-8")
    build = publishing.termly.build

    def kept(*given: Any, **named: Any) -> TermlyPage:
        page = build(*given, **named)
        pages[page.term] = page
        return page

    logs = []
    for n, (start, blocked) in enumerate([(0, False), (DAY_S, True), (SPRING, False)]):
        logs.append(root / f"access-{n}.log")
        logs[-1].write_text(day_of(start, blocked=blocked), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing.termly, "build", kept)
        run(folder, logs[0])
        decide(folder)
        own = folder / "rules/lists/own.csv"
        own.write_text(own.read_text("utf-8") + "newgame.test,games,asked for,TSM,2027-07-31\n", "utf-8")
        run(folder, logs[1], logs[2])
    return folder, pages


class Recount:
    """The same numbers from the files: Parquet by school day, and the lines of the registers."""

    def __init__(self, folder: Path, first: date, last: date) -> None:
        self.folder, self.first, self.last = folder, first, last
        self.days = sorted(date.fromisoformat(p.name[4:]) for p in (folder / "var/lake/lines").iterdir()
                           if first <= date.fromisoformat(p.name[4:]) <= last)
        self.requests = [row for day in self.days for row in self.rows("lines", day) if row["fate"] == "request"]
        self.incidents = {ref: life for ref, life in self.lives("incidents").items()
                          if first <= date.fromisoformat(life[0]["body"]["day"]) <= last}
        self.breaches = {ref: life for ref, life in self.lives("breaches").items()
                         if {str(day) for day in self.days} & {entry["body"].get("day") for entry in life}}

    def rows(self, table: str, day: date) -> list[dict[str, Any]]:
        """The rows of one table of one day."""
        return [row for file in sorted((self.folder / f"var/lake/{table}/day={day}").glob("*.parquet"))
                for row in pq.read_table(file, partitioning=None).to_pylist()]

    def lives(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The entries of a register by reference, in order."""
        found: dict[str, list[dict[str, Any]]] = {}
        for text in (self.folder / f"var/registers/{name}.jsonl").read_text("utf-8").splitlines():
            entry = json.loads(text)
            found.setdefault(entry["ref"], []).append(entry)
        return found

    def state(self, ref: str) -> str:
        """Where a person has moved an incident, or suspected."""
        return next((entry["kind"] for entry in reversed(self.incidents[ref]) if entry["kind"] in STATES), "suspected")

    def hours(self, ref: str) -> float | None:
        """From the first sighting of a breach to the first block after it, in hours."""
        bodies = [entry["body"] for entry in self.breaches[ref]]
        seen = min(datetime.fromisoformat(body["first_seen"]) for body in bodies if "first_seen" in body)
        blocks = [datetime.fromisoformat(at) for body in bodies for at in (body.get("first_blocked"), body.get("at")) if at]
        later = [at for at in blocks if at > seen]
        return (min(later) - seen).total_seconds() / 3600 if later else None


@pytest.fixture(params=["Autumn term", "Spring term"])
def both(request: pytest.FixtureRequest, made: tuple[Path, Pages]) -> tuple[TermlyPage, Recount]:
    """A summary, and its term counted again."""
    folder, pages = made
    page = pages[request.param]
    return page, Recount(folder, page.first, page.last)


def shown(count: int) -> str:
    """A count as the page prints it, small ones withheld."""
    return f"fewer than {SMALL}" if 0 < count < SMALL else f"{count:,}"


def test_what_was_heard_is_what_the_lake_holds(both: tuple[TermlyPage, Recount]) -> None:
    """School days, days heard, and the shares that name a person and show a page."""
    page, again = both
    span = [again.first + timedelta(days=n) for n in range((again.days[-1] - again.first).days + 1)]
    open_days = [day for day in span if day.weekday() < 5 and not date(2026, 10, 24) <= day <= date(2026, 11, 1)]
    assert (page.trust.school_days, page.trust.days_heard) == (len(open_days), len(again.days))
    assert page.trust.silent_days == tuple(day for day in open_days if day not in again.days)
    total = len(again.requests)
    assert page.trust.attributed == pytest.approx(sum(1 for row in again.requests if row["person"]) / total)
    assert page.trust.paged == pytest.approx(sum(1 for row in again.requests if row["kind"] == "http") / total)


def test_the_five_numbers_are_those_of_the_registers(both: tuple[TermlyPage, Recount]) -> None:
    """Pupils with a confirmed incident, incidents that wait, failures, failures still open, ways round that worked."""
    page, again = both
    figures = {measure.label: measure.figure for measure in page.measures}
    pupils = {life[0]["body"]["subject"] for ref, life in again.incidents.items()
              if again.state(ref) == "confirmed" and life[0]["body"]["actor"] == "student"}
    failures = [ref for ref, life in again.breaches.items() if life[0]["body"]["part"] == "failure"]
    worked = {life[0]["body"]["method"] for life in again.breaches.values() if life[0]["body"]["part"] == "circumvention"
              and any(entry["body"].get("worked", "no") != "no" for entry in life)}
    assert figures["Pupils with a confirmed incident, per 100 on roll"] == f"{100 * len(pupils) / ROLL:.1f}"
    assert figures["Incidents that wait for a person"] == shown(sum(again.state(ref) == "suspected" for ref in again.incidents))
    assert figures["Filter failures"] == str(len(failures))
    assert figures["Failures not blocked yet"] == str(sum(again.hours(ref) is None for ref in failures))
    assert figures["Ways round the filter that worked"] == str(len(worked))


def test_the_rows_of_table_7_2_add_up(both: tuple[TermlyPage, Recount]) -> None:
    """By row and state; where a person confirmed rows, those rows count and no other."""
    page, again = both
    counts: Counter[tuple[str, str]] = Counter()
    for ref, life in again.incidents.items():
        confirmed = [entry["body"]["rows"] for entry in life if entry["kind"] == "confirmed"]
        counts.update((row, again.state(ref)) for row in (confirmed or [life[0]["body"]["rows"]])[-1])
    assert {row.id for row in page.rows} == {f"IN-{n:02d}" for n in range(1, 16)}
    for row in page.rows:
        for state, count in zip(STATES, (row.suspected, row.confirmed, row.dismissed), strict=True):
            assert count.value in (counts[row.id, state], None)
            assert (count.value is None) <= (counts[row.id, state] > 0)
    for n, state in enumerate(STATES):
        assert page.row_totals[n].value in (sum(v for (_, of), v in counts.items() if of == state), None)


def test_breaches_are_those_of_the_term(both: tuple[TermlyPage, Recount]) -> None:
    """By category or method: how many, how many still open, and the median hours to a block."""
    page, again = both
    groups: dict[tuple[str, str], list[float | None]] = {}
    for ref, life in again.breaches.items():
        body = life[0]["body"]
        failed = body["part"] == "failure"
        what = (body["category"] if failed else body["method"]).replace("_", " ").replace("-", " ")
        groups.setdefault(("Filter failure" if failed else "Way round the filter", what), []).append(again.hours(ref))
    expected = {name: (len(hours), sum(h is None for h in hours)) for name, hours in groups.items()}
    assert {(row.part, row.what): (row.count, row.still_open) for row in page.failures} == expected
    for row in page.failures:
        known = [h for h in groups[row.part, row.what] if h is not None]
        assert row.median_hours == (pytest.approx(statistics.median(known)) if known else None)


def test_weeks_and_people_are_those_of_the_verdicts(both: tuple[TermlyPage, Recount]) -> None:
    """Visits against the policy by week, stopped and let through; people by time of day on the busiest day."""
    page, again = both
    weeks: dict[date, Counter[str]] = {}
    people: dict[str, int] = {}
    for day in again.days:
        verdicts = {row["visit"]: row for row in again.rows("verdicts", day)}
        of_week = weeks.setdefault(day - timedelta(days=day.weekday()), Counter())
        of_week.update("blocked" if row["outcome"] == "blocked" else "through" for row in verdicts.values()
                       if row["within"] == "against")
        seen: dict[str, set[str]] = {}
        for visit in again.rows("visits", day):
            seen.setdefault(visit["band"].replace("_", " "), set()).add(visit["subject"])
        people = {band: max(people.get(band, 0), len(seen.get(band, ()))) for band in {*people, *seen}}
    assert [week.begins for week in page.weeks] == sorted(weeks)
    for week in page.weeks:
        assert week.blocked.value in (weeks[week.begins]["blocked"], None)
        assert week.against.value in (weeks[week.begins]["through"], None)
    online = next(tally for tally in page.tallies if "time of day" in tally.heading)
    assert {count.label for count in online.counts} == set(people)
    assert all(count.value in (people[count.label], None) for count in online.counts)


def test_policy_questions_count_the_visits_they_touch(both: tuple[TermlyPage, Recount]) -> None:
    """Only open questions that touched the term, each with its number of visits."""
    page, again = both
    touched = Counter(q for day in again.days for row in again.rows("verdicts", day) for q in row["questions"])
    assert {question.id for question in page.questions} == set(touched)
    assert all(question.effect.shown == shown(touched[question.id]) for question in page.questions)


def test_changes_are_counted_in_the_term_they_came_to_light(made: tuple[Path, Pages]) -> None:
    """One entry was added to a list between the nights: it is in the term of today, if there is one, and in no other."""
    folder, pages = made
    again = Recount(folder, date(2026, 9, 1), date(2027, 7, 31))
    at = [datetime.fromisoformat(life[0]["at"]).astimezone(UTC).date() for life in again.lives("changes").values()]
    assert len(at) == 1
    for page in pages.values():
        assert sum(count for _, count in page.changes) == sum(page.first <= day <= page.last for day in at)
