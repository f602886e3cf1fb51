"""How an incident moves: each path of the policy, what each step must be given, who may make it, and that nothing else can happen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_policy import FILES
from test_register import DAY, Book, story
from test_story import ROOT

from pipeline import casework
from pipeline.policy import read_policy
from pipeline.problems import UsageError
from pipeline.register import IncidentState, enter, may, move
from pipeline.register.clocks import after, due, overdue
from pipeline.register.facts import CORRECTIONS, DISMISSALS, HOLDS, PARENTS
from pipeline.register.incidents import KEPT
from pipeline.register.lifecycle import MOVES, OPENS, ROLES, STATES
from pipeline.school import read_school

POLICY = read_policy(FILES)[0]
assert POLICY is not None
TABLE = casework.table_of(POLICY)
SCHOOL = read_school((ROOT / "school.toml").read_text("utf-8"))[0]
assert SCHOOL is not None
CALENDAR, CLOCKS = SCHOOL.calendar, POLICY.more["clocks"]


class Case(Book):
    """One incident in a register in memory, moved by people."""

    def __init__(self, **more: Any) -> None:
        super().__init__()
        self.judge(story(1, **more))

    @property
    def state(self) -> IncidentState:
        """The incident as it stands."""
        found: IncidentState = self.states()["I-0001"]
        return found

    def by(self, role: str, kind: str, **facts: Any) -> str:
        """One move; the state it ends in."""
        self.write(move(self.state, kind, who=f"a {role}", role=role, reason="as said", table=TABLE, **facts))
        return self.state.state


def done(*actions: str) -> list[dict[str, str]]:
    """Actions done on the fifth."""
    return [{"action": action, "on": "2026-11-05"} for action in actions]


def left(*actions: str) -> list[dict[str, str]]:
    """Actions departed from."""
    return [{"action": action, "reason": "the DSL decided so"} for action in actions]


def test_from_suspicion_to_close_as_the_policy_prints_it() -> None:
    """IN-04: tutor, head, technicians and a warning are definite; parents are not, so they need not be told; then it is closed."""
    case = Case(rows=["IN-04"])
    path = [case.by("dsl", "triaged"), case.by("dsl", "confirmed", rows=("IN-04",), intent="deliberate", reported="no"),
            case.by("head_of_year", "acted", done=done("class_teacher", "hof_hoh", "tech_support_ban", "warning")),
            case.by("dsl", "parents", parents="not_required"), case.by("principal_slt", "closed")]
    assert path == ["in_triage", "confirmed", "actions_recorded", "parents_not_required", "closed"]
    state = case.state
    assert (state.verdict, state.rows, state.intent, state.reported, len(state.actions)) == (
        "confirmed", ("IN-04",), "deliberate", "no", 4)
    assert not state.open and [event.kind for event in state.history][1:] == ["triaged", "confirmed", "acted", "parents", "closed"]


def test_what_is_definite_is_done_or_departed_from_with_a_reason() -> None:
    """IN-14 prints the police: without them and without a reason nothing is recorded; only the DSL records that they were told."""
    case = Case()
    case.by("dsl", "confirmed", rows=("IN-14",))
    with pytest.raises(UsageError, match=r"Refer to Police/PCSO \(police_pcso\) is definite: done, or a departure with a reason"):
        case.by("dsl", "acted", done=done("hof_hoh", "tech_support_ban"), departures=left("further_sanction"))
    with pytest.raises(UsageError, match=r"Refer to Police/PCSO \(police_pcso\) is recorded by dsl or deputy_dsl or principal, not by head_of_year"):
        case.by("head_of_year", "acted", done=done("police_pcso"), departures=left("hof_hoh", "tech_support_ban", "further_sanction"))
    with pytest.raises(UsageError, match=r"Confiscation \(confiscation\) goes beyond what its rows print"):
        case.by("principal", "acted", done=done("confiscation"), departures=left("hof_hoh", "tech_support_ban", "further_sanction",
                                                                                 "police_pcso"))
    assert case.by("dsl", "acted", done=done("hof_hoh", "tech_support_ban"),
                   departures=left("police_pcso", "further_sanction")) == "actions_recorded"
    assert [body["action"] for body in case.state.departures] == ["police_pcso", "further_sanction"]


def test_parents_are_informed_held_or_excused_with_a_reason() -> None:
    """IN-12 prints parents: excused only after a departure; held by the DSL with a day of review, and not closed while held."""
    case = Case(rows=["IN-12"])
    case.by("dsl", "confirmed", rows=("IN-12",))
    case.by("dsl", "acted", done=done("hof_hoh", "tech_support_ban"), departures=left("further_sanction"))
    with pytest.raises(UsageError, match="definite for its rows"):
        case.by("dsl", "parents", parents="not_required")
    with pytest.raises(UsageError, match="needs why: police_advice"):
        case.by("dsl", "parents", parents="held", review_on="2026-11-09")
    with pytest.raises(UsageError, match="needs review_on"):
        case.by("dsl", "parents", parents="held", why="police_advice")
    with pytest.raises(UsageError, match="is held by dsl"):
        case.by("head_of_year", "parents", parents="held", why="dsl_advice", review_on="2026-11-09")
    assert case.by("dsl", "parents", parents="held", why="police_advice", review_on="2026-11-09") == "parents_held"
    with pytest.raises(UsageError, match="while telling the parents is held"):
        case.by("dsl", "closed")
    assert due(case.state, CALENDAR, CLOCKS) == date(2026, 11, 9)
    assert case.by("head_of_year", "parents", parents="informed") == "parents_informed"
    assert case.by("dsl", "closed") == "closed"


@pytest.mark.parametrize(("story_is", "steps", "ends"), [
    ({}, [("dsl", "accidental_reported", {}), ("dsl", "closed", {})], ["accidental_reported", "closed"]),
    ({"route": "welfare", "tier": "T1", "rows": []}, [("deputy_dsl", "welfare_handover", {"reference": "CP-12"}),
                                                      ("deputy_dsl", "closed", {})], ["welfare_handover", "closed"]),
    ({"route": "staff", "tier": "TS", "actor": "staff", "rows": []}, [("principal", "staff_referral", {}), ("principal", "closed", {})],
     ["staff_referral", "closed"]),
    ({"route": "sealed", "tier": "T0", "rows": []}, [("dsl", "sealed_illegal", {}), ("dsl", "told", {"agency": "police 101"}),
                                                     ("principal", "closed", {})], ["sealed_illegal", "sealed_illegal", "closed"]),
    ({"route": "tech", "tier": "T4", "rows": []}, [("technical_services_manager", "settled", {})], ["closed"]),
    ({"route": "guest", "actor": "guest", "rows": []}, [("dsl", "settled", {})], ["closed"]),
    ({"route": "attribution", "actor": "shared", "person": None, "rows": []},
     [("dsl", "unidentified", {}), ("dsl", "identified", {"person": "p9", "subject": "p9", "actor": "student", "year": "8",
                                                          "route": "student", "rows": ["IN-14"]}),
      ("dsl", "confirmed", {"rows": ("IN-14",)})], ["needs_identification", "in_triage", "confirmed"]),
    ({}, [("dsl", "dismissed", {"code": "authorised"}), ("dsl", "reopened", {}), ("dsl", "confirmed", {"rows": ("IN-14",)}),
          ("dsl", "corrected", {"why": "mistaken_identity", "pages": ["dsl-list-2026-11-02"]})],
     ["dismissed", "suspected", "confirmed", "corrected"]),
])
def test_every_other_path(story_is: dict[str, Any], steps: list[tuple[str, str, dict[str, Any]]], ends: list[str]) -> None:
    """Accident, welfare, staff, sealed, technical, guest, unknown, dismissed and opened again, corrected."""
    case = Case(**story_is)
    assert [case.by(role, kind, **facts) for role, kind, facts in steps] == ends


@pytest.mark.parametrize(("story_is", "role", "kind"), [
    ({}, "technical_services_manager", "confirmed"), ({}, "head_of_year", "confirmed"), ({}, "principal_slt", "confirmed"),
    ({"route": "welfare", "tier": "T1"}, "principal", "welfare_handover"), ({"route": "welfare", "tier": "T1"}, "principal_slt", "dismissed"),
    ({"route": "staff", "tier": "TS", "actor": "staff"}, "dsl", "confirmed"), ({"route": "staff", "tier": "TS", "actor": "staff"}, "dsl", "noted"),
    ({"route": "staff", "tier": "TS", "actor": "staff"}, "technical_services_manager", "dismissed"),
    ({"route": "sealed", "tier": "T0", "actor": "staff"}, "dsl", "sealed_illegal"),
    ({"route": "sealed", "tier": "T0"}, "technical_services_manager", "noted"), ({}, "dpo", "noted"), ({}, "chair_of_governors", "noted")])
def test_a_role_moves_only_what_it_may_open(story_is: dict[str, Any], role: str, kind: str) -> None:
    """Welfare is the DSL's, staff matters the Principal's, sealed items never a technician's, and confirming a triager's."""
    with pytest.raises(UsageError, match=f"may not be {kind} by the role {role}"):
        Case(**story_is).by(role, kind)


def test_what_is_about_the_principal_is_for_the_chair_of_governors() -> None:
    """The Principal does not decide about the Principal."""
    state = Case(route="staff", tier="TS", actor="staff", rows=[]).state
    assert may("staff_referral", state, "principal") == ("chair_of_governors",)
    assert "principal" not in may("sealed_illegal", state, "principal")


def test_a_sealed_item_is_dismissed_only_as_a_check_that_is_named() -> None:
    """Looking like a test of the filter is not enough: a person links it to the check."""
    case = Case(route="sealed", tier="T0", rows=[])
    for facts in ({"code": "false_positive"}, {"code": "filter_check"}):
        with pytest.raises(UsageError, match="only as a filter_check, with the reference of the check"):
            case.by("dsl", "dismissed", **facts)
    assert case.by("dsl", "dismissed", code="filter_check", reference="K-0031") == "dismissed"
    assert case.state.reference == "K-0031"


def test_no_address_stands_in_a_reason() -> None:
    """Addresses stay in the log."""
    with pytest.raises(UsageError, match="holds an address"):
        move(Case().state, "noted", who="x", role="dsl", reason="he went to https://x.example/", table=TABLE)


def test_who_it_was_outlives_a_later_judging_of_the_day() -> None:
    """A late line changes what was seen, not what a person said of who it was."""
    case = Case(route="attribution", actor="shared", person=None, rows=[])
    case.by("dsl", "identified", person="p9", subject="p9", actor="student", year="8", route="student", rows=["IN-14"])
    case.judge(story(1, 4, route="attribution", actor="shared", person=None, rows=[]))
    state = case.state
    assert (state.summary["person"], state.summary["route"], state.rows, len(state.keys)) == ("p9", "student", ("IN-14",), 2)


@pytest.mark.parametrize("row", [f"IN-{n:02}" for n in range(1, 16)])
def test_every_row_can_be_entered_by_hand_and_a_night_leaves_it_alone(row: str) -> None:
    """Told by somebody, suspected, with the row as a question; judging its day neither ends nor changes it."""
    book = Book()
    told = {name: story(1)[name] for name in KEPT} | {"day": str(DAY), "story": "", "keys": [], "rows": [row], "sites": [], "categories": []}
    told |= {name: told[name].isoformat() for name in ("started", "ended")}
    book.write(enter("I-0001", told, "parent", who="a dsl", role="dsl", reason="the mother rang"))
    assert book.judge(story(1)) == [("opened", "I-0002")] and book.judge() == [("gone", "I-0002")]
    state = book.states()["I-0001"]
    assert (state.state, state.source, state.rows, state.detected) == ("suspected", "parent", (row,), True)
    book.write(move(state, "confirmed", who="a dsl", role="dsl", reason="spoken with", table=TABLE, rows=(row,)))
    assert book.states()["I-0001"].rows == (row,)


@pytest.mark.parametrize(("day", "count", "found"), [
    (date(2026, 11, 2), 2, date(2026, 11, 4)), (date(2026, 11, 6), 2, date(2026, 11, 10)), (date(2026, 11, 7), 0, date(2026, 11, 9)),
    (date(2026, 10, 22), 2, date(2026, 11, 2)), (date(2026, 12, 18), 5, date(2027, 1, 8)), (date(2027, 7, 20), 5, None)])
def test_clocks_run_on_school_days(day: date, count: int, found: date | None) -> None:
    """Weekends and holidays do not count; where the calendar has run out nothing is said."""
    assert after(CALENDAR, day, count) == found


def test_a_serious_incident_is_overdue_after_two_school_days() -> None:
    """Come to light on Monday: due on Wednesday, overdue on Thursday; once decided no clock runs."""
    book = Case()
    book.lines = [line.__class__("2026-11-02T20:00:00+00:00", line.kind, line.ref, line.body) for line in book.lines]
    assert due(book.state, CALENDAR, CLOCKS) == date(2026, 11, 4)
    assert [overdue(book.state, CALENDAR, CLOCKS, date(2026, 11, day)) for day in (3, 4, 5)] == [False, False, True]
    book.by("dsl", "dismissed", code="background")
    assert due(book.state, CALENDAR, CLOCKS) is None


ROUTES = {"student": ("T2", "student"), "welfare": ("T1", "student"), "staff": ("TS", "staff"), "sealed": ("T0", "student"),
          "tech": ("T4", "unknown"), "guest": ("T3", "guest"), "attribution": ("T2", "shared")}
ACTIONS = st.lists(st.sampled_from([*TABLE.columns, "tickling"]), max_size=6, unique=True)
FACTS = st.fixed_dictionaries({}, optional={
    "rows": st.lists(st.sampled_from(["IN-04", "IN-12", "IN-14", "IN-99"]), max_size=2), "code": st.sampled_from([*DISMISSALS, "bored"]),
    "intent": st.sampled_from(["deliberate", "odd"]), "done": ACTIONS.map(lambda names: done(*names)),
    "departures": ACTIONS.map(lambda names: left(*names)), "parents": st.sampled_from([*PARENTS, "cross"]),
    "why": st.sampled_from([*HOLDS, *CORRECTIONS]), "review_on": st.sampled_from(["2026-11-09", "soon"]),
    "agency": st.just("police"), "reference": st.just("K-0001"), "pages": st.just(["dsl-list-2026-11-02"])})
FITTING = {"dismissed": {"code": "background"}, "parents": {"parents": "informed"}, "told": {"agency": "police"},
           "corrected": {"why": "new_evidence"}, "confirmed": {"rows": ("IN-04",)},
           "acted": {"done": done("class_teacher", "hof_hoh", "tech_support_ban", "warning")}}


class Life(RuleBasedStateMachine):
    """Any people, any moves, any nights: what is allowed is declared, and nothing is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.stories = [story(n * 10, subject=f"p{n}", at=0, route=route, tier=tier, actor=actor,
                              rows=["IN-14"] if route == "student" else [])
                        for n, (route, (tier, actor)) in enumerate(ROUTES.items(), 1)]
        self.book.judge(*self.stories)
        self.count = len(self.book.lines)

    @rule(ref=st.integers(1, len(ROUTES)), kind=st.sampled_from([*MOVES, "erased"]), role=st.sampled_from([*ROLES, "caretaker", ""]),
          facts=FACTS, fitting=st.booleans())
    def somebody_moves(self, ref: int, kind: str, role: str, facts: dict[str, Any], fitting: bool) -> None:
        """A move is made only as declared, by a role that may; else a sentence, and nothing is written."""
        before = self.book.states()[f"I-{ref:04d}"]
        try:
            event = move(before, kind, who="x", role=role, reason="y", table=TABLE, **(FITTING.get(kind, {}) if fitting else facts))
        except UsageError as error:
            assert str(error)
            return
        self.book.write(event)
        self.count += 1
        now = self.book.states()[before.ref]
        declared = MOVES[kind]
        assert before.state in declared.sources
        assert role in declared.roles and role in (OPENS["TS"] if before.summary["actor"] == "staff" else OPENS[before.summary["tier"]])
        assert not declared.routes or before.summary["route"] in declared.routes
        assert now.state == (before.state if not declared.target else now.state if declared.target == "parents_" else declared.target)
        assert now.history[:-1] == before.history

    @precondition(lambda self: self.count < 60)
    @rule(late=st.booleans(), gone=st.integers(0, 3))
    def a_night_judges_again(self, late: bool, gone: int) -> None:
        """A night, with another line or without a story: whatever people decided stands."""
        before = self.book.states()
        rows = [row | ({"requests": row["requests"] + 1} if late else {}) for row in self.stories[gone:]]
        self.count += len(self.book.judge(*rows))
        for ref, state in self.book.states().items():
            for name in ("state", "verdict", "actions", "departures", "parents", "decided_by", "reason", "agencies"):
                assert getattr(state, name) == getattr(before[ref], name)

    @invariant()
    def nothing_is_lost_and_no_state_is_forbidden(self) -> None:
        """Every entry is there, every state is one of those declared, and only students' confirmed cases have rows."""
        states = self.book.states()
        assert len(self.book.lines) == self.count == sum(len(state.history) for state in states.values())
        for state in states.values():
            assert state.state in STATES
            assert not (state.rows and state.verdict and state.summary["actor"] != "student")
            assert state.verdict or not state.decided_by
            if state.verdict == "confirmed" and state.summary["route"] == "student":
                assert state.rows


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
