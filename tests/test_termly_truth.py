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

from pipeline import issuing, publishing, register, schoolfolder
from pipeline.pages.parts import Count
from pipeline.pages.termly import TermlyPage

PUPILS = [f"19made{letter}" for letter in "abcdefghijkl"]
ADULT = [f"adult-{n}.test" for n in ("one", "two", "three", "four")]
SPRING = 65 * DAY_S  # from Mon 2 Nov 2026 to Wed 6 Jan 2027
STATES = ("suspected", "confirmed", "accidental_reported", "dismissed")
ROLL, SMALL = 300, 3
TITLES = {"bypass_web_proxy": "Web proxies"}
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
    log = schoolfolder.journal(folder, "incidents")
    states = [s for s in register.fold_incidents(log.entries()).values()
              if s.day == "2026-11-02" and s.summary["categories"] == ["pornography"]]
    for n, state in enumerate(states[:8]):
        kind, more = ("confirmed", {"rows": ["IN-14"]}) if n < 5 else ("dismissed", {"code": "background"})
        log.append(*register.decide(state, kind, who="A. Person", role="dsl", reason="looked at it", allowed_roles={"dsl"}, **more))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Pages]:
    """A school after nights of two terms with decisions and a change between them, and the summary of each term."""
    root = tmp_path_factory.mktemp("termly")
    folder, pages = school(root / "school"), Pages()
    settings = folder / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace("small_number   = 5", f"small_number   = {SMALL}"), "utf-8")
    logs = []
    for n, (start, blocked) in enumerate([(0, False), (DAY_S, True), (SPRING, False)]):
        logs.append(root / f"access-{n}.log")
        logs[-1].write_text(day_of(start, blocked=blocked), "utf-8")
    run(folder, logs[0])
    decide(folder)
    own = folder / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "newgame.test,games,asked for,TSM,2027-07-31\n", "utf-8")
    run(folder, logs[1], logs[2])
    # Each term as if it had never been told of: what was printed before would hold its counts back by a few.
    for term in ("autumn-2026", "spring-2027"):
        (folder / "var/registers/pages.jsonl").unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(publishing.Desk, "issue", lambda desk, *sheets: pages.update({sheet.page.term: sheet.page for sheet in sheets}))
            issuing.report(folder, "termly", term)
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


@pytest.fixture(params=["Autumn term 2026", "Spring term 2027"])
def both(request: pytest.FixtureRequest, made: tuple[Path, Pages]) -> tuple[TermlyPage, Recount]:
    """A summary, and its term counted again."""
    folder, pages = made
    page = pages[request.param]
    return page, Recount(folder, page.first, page.last)


def holds(count: Count, truth: int, people: int | None = None, word: str = "withheld") -> bool:
    """Whether a count is what it says: the truth, or withheld where the truth or its people are few."""
    few = 0 < truth < SMALL or 0 < (truth if people is None else people) < SMALL
    return count.value == (None if few else truth) and count.shown == (word if few else f"{truth:,}")


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


def pupils(again: Recount) -> dict[str, list[dict[str, Any]]]:
    """The lives of pupils' incidents: no staff, no welfare, nothing sealed."""
    return {ref: life for ref, life in again.incidents.items()
            if life[0]["body"]["actor"] == "student" and life[0]["body"]["route"] == "student"}


def test_the_five_numbers_are_those_of_the_registers(both: tuple[TermlyPage, Recount]) -> None:
    """Pupils with a confirmed incident, days to a decision, open too long, failures with hours to a block, methods that worked."""
    page, again = both
    figures = {measure.label: measure.figure for measure in page.measures}
    confirmed = {life[0]["body"]["subject"] for ref, life in pupils(again).items() if again.state(ref) == "confirmed"}
    failures = [ref for ref, life in again.breaches.items() if life[0]["body"]["part"] == "failure"]
    fixed = [hours for ref in failures if (hours := again.hours(ref)) is not None]
    worked = {life[0]["body"]["method"] for life in again.breaches.values() if life[0]["body"]["part"] == "circumvention"
              and any(entry["body"].get("worked", "no") != "no" for entry in life)}
    assert figures["Pupils with a confirmed incident, per 100 on roll"] == f"{100 * len(confirmed) / ROLL:.1f}"
    assert figures["Incidents open over ten school days"] == "0"  # nothing is older than a day
    told = f"{len(failures)}" + (f"; {statistics.median(fixed):,.1f} hours to a block" if fixed else "")
    assert figures["Filter failures"] == told
    assert figures["Ways round the filter that worked"] == str(len(worked))


def test_each_of_the_five_numbers_stands_beside_that_of_the_term_before(made: tuple[Path, Pages]) -> None:
    """Spring says what autumn said; autumn has nothing before it."""
    autumn, spring = (made[1][name].measures for name in ("Autumn term 2026", "Spring term 2027"))
    assert [measure.compared for measure in spring] == [f"term before: {measure.figure}" for measure in autumn]
    assert {measure.compared for measure in autumn} == {"Nothing earlier is kept to compare with."}


def test_the_rows_of_table_7_2_add_up(both: tuple[TermlyPage, Recount]) -> None:
    """By row and state; where a person confirmed rows, those rows count and no other."""
    page, again = both
    found: dict[tuple[str, str], list[str]] = {}
    for ref, life in pupils(again).items():
        confirmed = [entry["body"]["rows"] for entry in life if entry["kind"] == "confirmed"]
        for row in (confirmed or [life[0]["body"]["rows"]])[-1]:
            found.setdefault((row, again.state(ref)), []).append(life[0]["body"]["subject"])
    assert {row.id for row in page.rows} == {f"IN-{n:02d}" for n in range(1, 16)}
    for row in page.rows:
        for state, count in zip(STATES, row.counts[:4], strict=True):
            who = found.get((row.id, state), [])
            assert holds(count, len(who), len(set(who))), (row.id, state)
    waiting = [ref for ref in pupils(again) if again.state(ref) == "suspected"]
    assert page.triage[-1].value in (len(waiting), None)


def test_breaches_are_those_of_the_term(both: tuple[TermlyPage, Recount]) -> None:
    """By category or method: how many, how many still open, and the median hours to a block."""
    page, again = both
    groups: dict[tuple[str, str], list[float | None]] = {}
    for ref, life in again.breaches.items():
        body = life[0]["body"]
        failed = body["part"] == "failure"
        what = TITLES[body["category"]] if failed else body["method"].replace("-", " ")
        groups.setdefault(("failure" if failed else "way", what), []).append(again.hours(ref))
    told = {("failure", row.what): (row.count, row.still_open, row.median_hours) for row in page.failures}
    told |= {("way", way.method): (way.hosts, way.still_open, way.median_hours) for way in page.ways}
    assert told.keys() == groups.keys()
    for name, took in groups.items():
        known = [h for h in took if h is not None]
        assert told[name] == (len(took), took.count(None), pytest.approx(statistics.median(known)) if known else None)


def test_weeks_and_people_are_those_of_the_verdicts(both: tuple[TermlyPage, Recount]) -> None:
    """Pupils' visits against the policy by week; pupils by part of the day and weekday on the busiest such day."""
    page, again = both
    weeks: dict[date, Counter[str]] = {}
    most: dict[tuple[str, int], int] = {}
    for day in again.days:
        verdicts = {row["visit"]: row for row in again.rows("verdicts", day)}
        visits = [visit for visit in again.rows("visits", day) if visit["actor"] == "student"
                  and verdicts[visit["visit"]]["within"] == "against" and verdicts[visit["visit"]]["tier"] not in ("T0", "T1")]
        weeks.setdefault(day - timedelta(days=day.weekday()), Counter()).update(
            "blocked" if verdicts[visit["visit"]]["outcome"] == "blocked" else "through" for visit in visits)
        people = {period: {v["subject"] for v in visits if v["period"] == period} for period in {v["period"] for v in visits}}
        for period, who in people.items():
            most[period, day.weekday()] = max(most.get((period, day.weekday()), 0), len(who))
    whole = [week for week in sorted(weeks) if week + timedelta(days=4) <= max(again.days)]
    assert [week.begins for week in page.weeks] == whole
    told = {(line.label, n): cell for line in page.times.lines for n, cell in enumerate(line.cells)}
    assert {label for label, _ in told} == {period for period, _ in most}
    assert all(holds(cell, most.get(key, 0), word=f"fewer than {SMALL}") for key, cell in told.items())


def test_policy_questions_count_the_visits_they_touch(both: tuple[TermlyPage, Recount]) -> None:
    """Only open questions that touched the term, each with its number of visits."""
    page, again = both
    touched = Counter(q for day in again.days for row in again.rows("verdicts", day) for q in row["questions"])
    assert {question.id for question in page.questions} == set(touched)
    assert all(holds(question.effect, touched[question.id]) for question in page.questions)


def test_changes_are_counted_in_the_term_they_came_to_light(made: tuple[Path, Pages]) -> None:
    """One entry was added to a list between the nights: it is in the term of today, if there is one, and in no other."""
    folder, pages = made
    again = Recount(folder, date(2026, 9, 1), date(2027, 7, 31))
    at = [datetime.fromisoformat(life[0]["at"]).astimezone(UTC).date() for life in again.lives("changes").values()]
    assert len(at) == 1
    for page in pages.values():
        assert sum(count for _, count in page.health.changes) == sum(page.first <= day <= page.last for day in at)
