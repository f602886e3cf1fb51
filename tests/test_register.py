"""References stay with their stories, and only a person moves an incident on."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.problems import UsageError
from pipeline.register import (
    CODE_KINDS,
    decide,
    explain,
    fold_breaches,
    fold_changes,
    fold_incidents,
    match_breaches,
    match_incidents,
    open_changes,
    references,
)
from pipeline.tables import BREACHES, INCIDENTS

DAY = date(2026, 11, 2)
NINE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """An entry as a journal gives it."""

    at: str
    kind: str
    ref: str
    body: dict[str, Any] | None


class Book:
    """A register in memory."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, *events: tuple[str, str, dict[str, Any]]) -> list[tuple[str, str]]:
        """Append events; their kinds and references."""
        self.lines += [Line(f"t{len(self.lines)}", *event) for event in events]
        return [(kind, ref) for kind, ref, _ in events]

    def judge(self, *stories: dict[str, Any], days: Iterable[date] = (DAY,)) -> list[tuple[str, str]]:
        """Judge a day with these stories."""
        return self.write(*match_incidents(table(*stories), self.states(), days))

    def states(self) -> Any:
        """The incidents as they stand."""
        return fold_incidents(self.lines)

    def move(self, ref: str, kind: str, **more: Any) -> None:
        """A person's decision."""
        self.write(decide(self.states()[ref], kind, who="A. Person", role="dsl", reason="looked at it",
                          allowed_roles={"dsl"}, **more))


def story(*numbers: int, subject: str = "p1", rule: str = "porn", site: str = "x.example", at: int = 0,
          **more: Any) -> dict[str, Any]:
    """A story whose detections begin on these lines, `at` minutes past nine."""
    keys = [f"{rule}|{subject}|{site}|s1:{number}" for number in numbers]
    return {"story": keys[0], "keys": keys, "day": DAY, "subject": subject, "person": subject, "client": "d1", "actor": "student",
            "year": "9", "network": "", "route": "student", "tier": "T2", "started": NINE + timedelta(minutes=at),
            "ended": NINE + timedelta(minutes=at + 5), "band": "", "period": "", "categories": ["pornography"], "sites": [site],
            "outcome": "blocked", "intent": "unclear", "rows": ["IN-14"], "questions": [], "visits": 1, "requests": len(numbers),
            "reasons": ["plantedreason"], "visit_keys": ["s1:1"]} | more


def table(*stories: dict[str, Any]) -> pa.Table:
    """Stories as the incidents step gives them."""
    return pa.Table.from_pylist(list(stories), schema=INCIDENTS.schema)


def test_a_story_is_opened_once_and_seen_only_when_it_changes():
    """Judging again writes nothing; a new detection writes `seen`; reasons stay out of the register."""
    book = Book()
    assert book.judge(story(1), story(9, subject="p2")) == [("opened", "I-0001"), ("opened", "I-0002")]
    assert book.judge(story(1), story(9, subject="p2")) == []
    assert book.judge(story(1, 4), story(9, subject="p2")) == [("seen", "I-0001")]
    assert book.states()["I-0001"].keys == ("porn|p1|x.example|s1:1", "porn|p1|x.example|s1:4")
    assert "planted" not in repr(book.lines)
    assert references(book.states())["2026-11-02", "porn|p1|x.example|s1:1"] == "I-0001"


def test_what_is_no_longer_detected_is_said_once_and_may_return():
    """A story that vanishes keeps its reference and decision; `gone` once, `seen` when it is back."""
    book = Book()
    book.judge(story(1))
    book.move("I-0001", "dismissed", code="background")
    assert book.judge() == [("gone", "I-0001")]
    assert book.judge() == []
    gone = book.states()["I-0001"]
    assert not gone.detected and gone.state == "dismissed" and references(book.states()) == {}
    assert book.judge(story(1)) == [("seen", "I-0001")]
    assert book.states()["I-0001"].detected and book.states()["I-0001"].state == "dismissed"


def test_other_days_are_left_alone():
    """Judging one day says nothing of another."""
    book = Book()
    book.judge(story(1))
    assert book.judge(days=[DAY + timedelta(days=1)]) == []


def test_most_shared_detections_win_and_the_lower_reference_on_a_tie():
    """A story that splits leaves its reference with the larger part; of two that merge the lower goes on."""
    split = Book()
    split.judge(story(1, 2, 3))
    assert split.judge(story(1), story(2, 3)) == [("opened", "I-0002"), ("seen", "I-0001")]
    assert split.states()["I-0001"].story.endswith(":2")
    assert split.judge(story(1), story(2, 3)) == []
    merge = Book()
    merge.judge(story(1), story(2))
    assert merge.judge(story(1, 2)) == [("seen", "I-0001"), ("gone", "I-0002")]
    assert merge.lines[-1].body == {"why": "no longer detected", "day": "2026-11-02", "into": "I-0001"}
    assert merge.judge(story(1, 2)) == []


def test_a_reference_with_a_decision_wins():
    """Of two references that match one story, the one that a person has acted on keeps it."""
    book = Book()
    book.judge(story(1, 2, 3), story(4))
    book.move("I-0002", "confirmed", rows=["IN-14"])
    assert book.judge(story(1, 2, 3, 4)) == [("seen", "I-0002"), ("gone", "I-0001")]
    state = book.states()["I-0002"]
    assert state.state == "confirmed" and state.rows == ("IN-14",) and len(state.added) == 3
    assert book.judge(story(1, 2, 3, 4)) == []


def test_without_a_shared_key_the_same_subject_route_rule_site_and_hour_match():
    """A late line that moves the first line keeps the reference; another afternoon, subject or route does not take it."""
    book = Book()
    book.judge(story(5))
    book.move("I-0001", "dismissed")
    assert book.judge(story(2, at=-3)) == [("seen", "I-0001")]
    assert book.judge(story(77, at=300)) == [("opened", "I-0002"), ("gone", "I-0001")]
    for other in (story(3, subject="p7"), story(3, route="welfare"), story(3, rule="vpn"), story(3, site="y.example")):
        fresh = Book()
        fresh.judge(story(5))
        assert fresh.judge(other) == [("opened", "I-0002"), ("gone", "I-0001")]


def test_a_purged_reference_is_never_given_again():
    """Its number stays taken, it matches nothing and nothing moves it."""
    book = Book()
    book.judge(story(1))
    book.lines = [Line(line.at, line.kind, line.ref, None) for line in book.lines]
    assert book.judge(story(1)) == [("opened", "I-0002")]
    state = book.states()["I-0001"]
    assert state.purged and state.keys == () and state.summary == {}
    with pytest.raises(UsageError, match="purged"):
        book.move("I-0001", "noted")


def test_the_life_of_an_incident_in_a_persons_hands():
    """Confirm, reopen, dismiss: each signed, with its rows, and the whole history kept."""
    book = Book()
    book.judge(story(1))
    book.move("I-0001", "confirmed", rows=["IN-12", "IN-14"], known_rows={"IN-12", "IN-14"}, intent="deliberate")
    state = book.states()["I-0001"]
    assert (state.state, state.rows, state.intent) == ("confirmed", ("IN-12", "IN-14"), "deliberate")
    assert (state.decided_by, state.decided_role, state.reason) == ("A. Person", "dsl", "looked at it")
    book.move("I-0001", "reopened")
    state = book.states()["I-0001"]
    assert (state.state, state.rows, state.decided_by) == ("suspected", ("IN-14",), "")
    book.move("I-0001", "noted")
    book.move("I-0001", "dismissed", code="false_positive")
    state = book.states()["I-0001"]
    assert state.state == "dismissed" and state.rows == ()
    assert [event.kind for event in state.history] == ["opened", "confirmed", "reopened", "noted", "dismissed"]


@pytest.mark.parametrize(("kind", "more", "said"), [
    ("confirmed", {}, "needs the rows"), ("confirmed", {"rows": ["IN-99"]}, "does not have"),
    ("dismissed", {"rows": ["IN-14"]}, "takes no row"), ("dismissed", {"code": "bored"}, "does not take the code"),
    ("dismissed", {"reason": " "}, "needs a reason"), ("noted", {"who": ""}, "needs a person"),
    ("noted", {"role": ""}, "needs a role"), ("noted", {"role": "governor"}, "may not be noted by the role governor"),
    ("reopened", {}, "is open"), *[(kind, {}, "a person's decisions are") for kind in CODE_KINDS]])
def test_a_decision_that_cannot_be_taken_is_refused_in_words(kind: str, more: dict[str, Any], said: str):
    """Nothing is decided unsigned, out of turn, by the wrong role or on rows that do not exist."""
    book = Book()
    book.judge(story(1))
    whole = {"who": "A", "role": "dsl", "reason": "r", "allowed_roles": {"dsl"}, "known_rows": {"IN-14"}} | more
    with pytest.raises(UsageError, match=said):
        decide(book.states()["I-0001"], kind, **whole)


def test_nobody_but_a_student_gets_a_row_and_nothing_is_decided_twice():
    """A staff matter is confirmed without rows of 7.2; a decision stands until it is reopened."""
    book = Book()
    book.judge(story(1, actor="staff", route="staff"))
    with pytest.raises(UsageError, match="takes no row"):
        book.move("I-0001", "confirmed", rows=["IN-14"])
    book.move("I-0001", "confirmed")
    with pytest.raises(UsageError, match="reopen it first"):
        book.move("I-0001", "dismissed")


STORIES = st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True), max_size=4)


def parted(groups: list[list[int]]) -> list[dict[str, Any]]:
    """Stories that share no detection, as one judging gives them."""
    seen: set[int] = set()
    made = []
    for group in groups:
        own = [number for number in group if number not in seen]
        seen |= set(own)
        made += [story(*own, at=own[0] * 20)] if own else []
    return made


@given(st.lists(STORIES, max_size=8))
def test_code_never_moves_an_incident(nights: list[list[list[int]]]):
    """Whatever is judged in whatever order: code's events only, all stay suspected, one reference a story, and again is quiet."""
    book = Book()
    for groups in nights:
        stories = parted(groups)
        written = book.judge(*stories)
        assert {kind for kind, _ in written} <= set(CODE_KINDS)
        assert book.judge(*stories) == []
        states = book.states()
        assert {state.state for state in states.values()} <= {"suspected"}
        assert sorted(s.story for s in states.values() if s.detected) == sorted(s["story"] for s in stories)


EVENTS = st.lists(st.tuples(st.sampled_from([*CODE_KINDS, "confirmed", "dismissed", "reopened", "anything"]), st.booleans()))


@given(EVENTS)
def test_no_unsigned_event_moves_an_incident(events: list[tuple[str, bool]]):
    """Even a people's event in the file moves nothing when no person, role and reason stand in it."""
    book = Book()
    book.judge(story(1))
    full = book.lines[0].body or {}
    for kind, half in events:
        book.write((kind, "I-0001", full | ({"who": "x", "role": "y"} if half else {})))
    assert book.states()["I-0001"].state == "suspected"


@given(st.lists(STORIES, min_size=1, max_size=6), st.sampled_from(["confirmed", "dismissed"]), st.integers(0, 9))
def test_code_never_changes_a_decision(nights: list[list[list[int]]], kind: str, pick: int):
    """After a decision any judging leaves state, person, reason and rows as they were."""
    book = Book()
    book.judge(story(1, 2), story(5, at=100), story(9, at=180))
    ref = f"I-000{pick % 3 + 1}"
    book.move(ref, kind, rows=["IN-14"] if kind == "confirmed" else [])
    before = book.states()[ref]
    for groups in nights:
        book.judge(*parted(groups))
        assert book.judge(*parted(groups)) == []
    after = book.states()[ref]
    for name in ("state", "decided_by", "decided_role", "decided_at", "reason", "rows", "intent"):
        assert getattr(after, name) == getattr(before, name)


def test_twenty_orders_end_alike():
    """Detections that arrive in any order and any portions end as the same stories, each decision on its own."""
    ends = set()
    for seed in range(20):
        dice, book, here = random.Random(seed), Book(), set[int]()
        numbers = [1, 2, 3, 21, 22, 41]
        dice.shuffle(numbers)
        decided = False
        for number in numbers:
            here.add(number)
            groups = [sorted(n for n in here if n // 20 == part) for part in range(3)]
            book.judge(*(story(*group, at=group[0] // 20 * 100) for group in groups if group))
            mine = next((s for s in book.states().values() if any(":2" in k and len(k.rsplit(":", 1)[1]) == 2 for k in s.keys)), None)
            if mine and not decided:
                book.move(mine.ref, "dismissed")
                decided = True
        ends.add(frozenset((s.keys, s.state, s.detected) for s in book.states().values()))
    assert len(ends) == 1


def breach(day: date = DAY, key: str = "failure|x.example|student", people: int | None = 3, at: int = 0,
           blocked: int | None = None) -> dict[str, Any]:
    """A breach of one day, first seen `at` minutes past nine of that day."""
    start = NINE + (day - DAY) + timedelta(minutes=at)
    return {"key": key, "day": day, "part": "failure", "site": key.split("|")[1], "profile": "student", "category": "pornography",
            "method": "", "worked": "yes", "people": people, "visits": 4, "first_seen": start,
            "last_seen": start + timedelta(minutes=9),
            "first_blocked": None if blocked is None else start + timedelta(minutes=blocked)}


def breached(lines: list[Line], *rows: dict[str, Any], days: Iterable[date] = (), blocks: Any = None) -> list[tuple[str, str]]:
    """Judge breaches and append what comes of it."""
    found = pa.Table.from_pylist(list(rows), schema=BREACHES.schema)
    events = match_breaches(found, fold_breaches(lines), days, blocks)
    lines += [Line("t", *event) for event in events]
    return [(kind, ref) for kind, ref, _ in events]


def test_a_breach_has_one_reference_over_its_days():
    """First seen is the earliest of any order of days, spread the most people; judging again writes nothing."""
    lines: list[Line] = []
    later, monday = breach(DAY + timedelta(days=1), people=7, at=5), breach(people=3)
    assert breached(lines, later) == [("opened", "B-0001")]
    assert breached(lines, monday, breach(key="failure|y.example|staff", people=None)) == [("seen", "B-0001"), ("opened", "B-0002")]
    assert breached(lines, monday, later, breach(key="failure|y.example|staff", people=None)) == []
    first, second = fold_breaches(lines).values()
    assert (first.first_seen, first.people, first.blocked_at) == ("2026-11-02T09:00:00+00:00", 7, None)
    assert second.people is None and len(first.days) == 2


def test_a_breach_is_blocked_once_it_is_blocked():
    """The block of the same day counts, and so does one of a later day on which nothing got through."""
    same: list[Line] = []
    breached(same, breach(blocked=7))
    assert fold_breaches(same)["B-0001"].blocked_at == "2026-11-02T09:07:00+00:00"
    lines: list[Line] = []
    breached(lines, breach())
    blocks = {"x.example": [NINE - timedelta(days=3), NINE + timedelta(days=1), NINE + timedelta(days=2)]}
    assert breached(lines, days=[DAY + timedelta(days=1)], blocks=blocks) == [("blocked", "B-0001")]
    assert breached(lines, days=[DAY + timedelta(days=1)], blocks=blocks) == []
    assert fold_breaches(lines)["B-0001"].blocked_at == "2026-11-03T09:00:00+00:00"


def test_a_breach_that_vanishes_keeps_its_reference():
    """A day that no longer shows it is taken off once; the same key takes the same reference again."""
    lines: list[Line] = []
    breached(lines, breach())
    assert breached(lines, days=[DAY]) == [("gone", "B-0001")]
    assert breached(lines, days=[DAY]) == [] and not fold_breaches(lines)["B-0001"].detected
    assert breached(lines, breach()) == [("seen", "B-0001")]


@dataclass(frozen=True)
class Made:
    """A change as the changes step gives it."""

    object: str
    kind: str = "changed"
    before: str = "90"
    after: str = "30"
    size: int = 1
    mark: str = "m1"


def test_a_change_stands_unexplained_until_a_person_explains_it():
    """Opened by the night, once; then who, why and with whose approval."""
    lines: list[Line] = []

    def night(*changes: Made) -> list[str]:
        events = open_changes(changes, fold_changes(lines))
        lines.extend(Line("t1", *event) for event in events)
        return [ref for _, ref, _ in events]
    assert night(Made("school.toml lines_days"), Made("l.txt")) == ["C-0001", "C-0002"]
    assert night(Made("school.toml lines_days")) == []
    assert night(Made("school.toml lines_days", mark="m2")) == ["C-0003"]
    state = fold_changes(lines)["C-0001"]
    assert not state.explained and (state.before, state.after) == ("90", "30")
    with pytest.raises(UsageError, match="who approved it"):
        explain(state, who="T. Manager", why="asked by governors", approver="")
    lines.append(Line("t2", *explain(state, who="T. Manager", why="asked by governors", approver="H. Head")))
    state = fold_changes(lines)["C-0001"]
    assert state.explained and (state.who, state.approver, state.explained_at) == ("T. Manager", "H. Head", "t2")
