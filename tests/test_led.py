"""A class that a member of staff leads: its pupils' visits are context, and what somebody does alone is not."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from made_rules import fired, judged, made
from tables_text import DAY, at

from pipeline import classify, coverage, led
from pipeline.tables import DETECTIONS, INCIDENTS

HEAD = "started | ended | person | client | band | actor | year | network | category | site | allowed | requests | slots\n"


def clip(minute: str, who: str = "p1", year: str = "8", network: str = "pupils", site: str = "clips.test", category: str = "video_streaming",
         actor: str = "student", minutes: int = 15) -> str:
    """A visit to a clip in the lesson that begins at ten, let through, of some minutes."""
    over = (at(f"10:{minute}") + timedelta(minutes=minutes)).time().isoformat()
    return f"10:{minute} | {over} | {who} | {who} | lesson | {actor} | {year} | {network} | {category} | {site} | 40 | 40 | 4\n"


def teacher(minute: str, network: str = "staff", **more: str) -> str:
    """A teacher on the same clip."""
    return clip(minute, who="t1", actor="staff", year="-", network=network, **more)


def context(text: str) -> list[str]:
    """Which visits of a text table are with a class."""
    seen, verdicts = judged(HEAD + text)
    return [row["visit"] for row in led.led(seen, verdicts, made().policy, ["own"]).to_pylist()]


def three(minute: str = "07", **more: str) -> str:
    """Three pupils of one year on the clip."""
    return "".join(clip(minute, who=f"p{n}", **more) for n in (1, 2, 3))


def test_three_pupils_of_a_year_who_come_by_a_teachers_visit_are_a_class() -> None:
    """The teacher at five past, three of year 8 two minutes later; the same three without the teacher are three pupils."""
    assert context(teacher("05") + three()) == ["s1:2", "s1:3", "s1:4"]
    assert context(three()) == []


@pytest.mark.parametrize("text", [
    teacher("05", site="other.test") + three(),                                     # another site
    teacher("05", category="games") + three(),                                      # another kind of page of it
    teacher("05", network="own") + three(),                                         # the teacher's own phone
    teacher("10") + three(),                                                        # the pupils were there first
    teacher("05", minutes=1) + three("17"),                                         # long after
    teacher("05") + clip("07", who="p1", year="7") + clip("07", who="p2", year="9") + clip("07", who="p3", year="11")])
def test_a_teacher_elsewhere_leads_nobody(text: str) -> None:
    """Some teacher is always watching something: site, kind, time, device and year must agree."""
    crowd = "".join(clip("40", who=f"x{n}", network="pupils", site="maths.test", category="learning") for n in range(50))
    assert context(text + crowd) == []


@pytest.mark.parametrize(("minute", "inside"), [("02", False), ("03", True), ("30", True), ("31", False)])
def test_a_pupil_comes_from_two_minutes_before_the_teacher_to_ten_minutes_after(minute: str, inside: bool) -> None:
    """The boundary minutes of a teacher's visit from five past to twenty past."""
    assert bool(context(teacher("05") + three(minute))) is inside


def test_where_a_network_is_a_room_one_pupil_beside_the_teacher_is_with_the_class() -> None:
    """Twenty people on the network of one room; on a network of the whole school one pupil is one pupil."""
    room = "".join(clip("01", who=f"x{n}", network="room 12", site="maths.test", category="learning") for n in range(20))
    one = teacher("05", network="room 12") + clip("07", network="room 12")
    assert context(one + room) == ["s1:2"]
    assert context(one + room + room.replace("x", "z") + room.replace("x", "y")) == []


def test_half_a_class_at_once_is_a_class_though_no_teacher_is_in_the_log() -> None:
    """Fifteen of a year within five minutes; fourteen are not, nor fifteen over the lesson, nor those who go on from break."""
    def arrive(count: int, step: int = 0) -> str:
        return "".join(clip(f"{5 + step * n:02d}", who=f"p{n}", minutes=2) for n in range(count))
    assert len(context(arrive(15))) == 15
    assert context(arrive(14)) == []
    assert context(arrive(15, step=3)) == []
    before = "".join(f"09:58 | 10:04 | p{n} | p{n} | break | student | 8 | pupils | video_streaming | clips.test | 5 | 5 | 1\n" for n in range(15))
    assert context(arrive(15) + before) == []


def test_the_first_and_the_last_of_half_a_class_came_with_it() -> None:
    """Fifteen spread over four minutes and a half: those at the ends as well as those in the middle."""
    spread = "".join(clip(f"{5 + 18 * n // 60:02d}:{18 * n % 60:02d}", who=f"p{n}") for n in range(16) if n != 8)
    assert len(context(spread)) == 15


@pytest.mark.parametrize("category", ["pornography", "self_harm_suicide", "bypass_web_proxy", "gambling", "file_sharing"])
def test_no_teacher_makes_a_class_of_what_is_more_than_not_educational(category: str) -> None:
    """Harm, welfare, ways round the filter and what the policy calls illegal are told whoever was there."""
    assert context(teacher("05", category=category) + three(category=category)) == []


def test_a_class_names_nobody_and_is_counted() -> None:
    """The same three visits: detections without the context, none with it, and no tally of them as against the policy."""
    seen, verdicts = judged(HEAD + teacher("05") + three())
    known = classify.in_context(verdicts, led.led(seen, verdicts, made().policy, []))
    assert fired(seen, verdicts) == {"video-in-lessons"}
    assert fired(seen, known) == set()
    told = coverage.tallies(seen, known, DETECTIONS.schema.empty_table(), INCIDENTS.schema.empty_table(), DAY).to_pylist()
    assert {(row["measure"], row["count"]) for row in told} >= {("visits with a class of staff", 3)}
    assert not [row for row in told if row["measure"].startswith("pupils against")]


def test_what_a_program_made_is_counted_apart() -> None:
    """No rule speaks of it, it is no visit of a check, and the day's numbers say how many there were."""
    seen, verdicts = judged(HEAD + three())
    made_by = [{"visit": visit, "context": "program"} for visit in seen["visit"].to_pylist()[:2]]
    known = classify.in_context(verdicts, pa.Table.from_pylist(made_by))
    told = coverage.tallies(seen, known, DETECTIONS.schema.empty_table(), INCIDENTS.schema.empty_table(), DAY).to_pylist()
    counts = {row["measure"]: row["count"] for row in told}
    assert counts["visits made by programs"] == 2
    assert not {"visits of registered checks", "visits with a class of staff"} & set(counts)
