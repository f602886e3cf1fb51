"""A night, a purge and a decision that die at any write step: the next start ends as if nothing had happened."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dying import Step, child, killed, kinds, steps
from small_school import differences, line, make, quick, run, standing

from pipeline import deciding, judging, purging, register, schoolfolder
from pipeline.problems import UsageError

SEALED = "zz-planted.invalid"


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """Rules are read once, and the same lines are judged once, for every child: what is proved here is the writing."""
    judged: dict[str, Any] = {}
    judge = judging.judge

    def judge_once(con: Any, day: date, *others: Any) -> Any:
        lines = con.sql("SELECT * REPLACE (sealed <> '' AS sealed) FROM lines ORDER BY source, line").to_arrow_table()
        key = f"{day} {lines.to_pylist()}"
        if key not in judged:
            judged[key] = judge(con, day, *others)
        return judged[key]

    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        patch.setattr(judging, "judge", judge_once)
        yield


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school after one night with an incident that was confirmed; tonight's log is there, and a rule was changed."""
    school = make(tmp_path_factory.mktemp("before") / "school")
    log = school / "access.log"
    tries = [line(14_000 + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", verdict="TCP_DENIED/403") for n in range(4)]
    log.write_text("".join([line(0, "fenmarsh.test"), *tries, line(14_300, SEALED, client="10.20.0.9"), "torn line\n"]))
    run(school, log)
    deciding.decide(school, "I-0001", "confirmed", "spoke with him", ["IN-14"], "deliberate", "")
    with log.open("a") as stream:
        stream.write(line(14_310, SEALED, "20mquill", "10.20.0.9", "TCP_DENIED/451") + line(14_400, "adult-two.test", "20mquill")
                     + line(14_410, "hideaway.test", "j.inkpen", "10.30.0.4"))
    own = school / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "newgame.test,games,asked for by year 8,TSM,2027-07-31\n", "utf-8")
    return school


def each_step(before: Path, place: Path, work: Callable[[Path], object]) -> Iterator[tuple[Step, Path, Path]]:
    """`work` whole in one copy of the school; then, for each kind of write step, another copy in which it died there."""
    calm, hurt = place / "calm/school", place / "hurt/school"
    shutil.copytree(before, calm)
    work(calm)  # here, so that every child knows what this night judges
    shutil.rmtree(calm)
    shutil.copytree(before, calm)
    for step in kinds(steps(calm, lambda: work(calm))):
        shutil.rmtree(hurt, ignore_errors=True)
        shutil.copytree(before, hurt)
        assert killed(lambda: work(hurt), step.number) == -signal.SIGKILL, step
        yield step, hurt, calm


def tonight(school: Path) -> None:
    """The night under test."""
    run(school, school / "access.log")


def dies_everywhere(before: Path, place: Path, work: Callable[[Path], object]) -> list[str]:
    """After each death `work` is started again, and all that stands is as after `work` undisturbed; what the steps were."""
    seen, wanted = [], None
    for step, hurt, calm in each_step(before, place, work):
        wanted = wanted or standing(calm)
        assert child(lambda hurt=hurt: work(hurt)) == 0, step
        assert differences(standing(hurt), wanted) == {}, f"killed before {step.what}"
        assert schoolfolder.verify(hurt) == [], step
        seen.append(step.what)
    return seen


def never_written(seen: list[str], *parts: str) -> list[str]:
    """Which of these no step was about."""
    return [part for part in parts if not any(part in what for what in seen)]


def test_a_night_killed_at_any_write_step_ends_as_if_nothing_had_happened(before: Path, tmp_path: Path) -> None:
    """Lines, derived tables, registers, names, pages and files are those of an undisturbed night; no half file is left."""
    seen = dies_everywhere(before, tmp_path, tonight)
    assert never_written(seen, "lake/lines", "lake/hosts", "lake/learned", "ingest", "days", "incidents.", "breaches.", "changes.",
                         "access.", "vault", "sealed", "rules.last", "rules.seen", "nightly-", "dsl-list", "principal-", "termly-") == []


def test_a_purge_killed_at_any_write_step_is_carried_out_by_the_next(before: Path, tmp_path: Path) -> None:
    """What was to go is gone, the record counts all of it once, and what waits for a person is still there."""
    later = tmp_path / "later/school"
    shutil.copytree(before, later)
    tonight(later)
    seen = dies_everywhere(later, tmp_path, lambda school: purging.purge(school, date(2036, 1, 1)))
    assert never_written(seen, "lake/lines", "lake/incidents", "ingest", "days", "incidents.", "breaches.", "changes.", "access.",
                         "vault", "principal-", "destruction") == []


def test_a_decision_killed_at_any_write_step_is_taken_once_or_not_at_all(before: Path, tmp_path: Path) -> None:
    """The person who tries again decides it, or is told that it is decided; it stands in the register once."""
    later = tmp_path / "later/school"
    shutil.copytree(before, later)
    tonight(later)
    waiting = register.fold_incidents(schoolfolder.journal(later, "incidents").entries())
    ref = next(ref for ref, state in waiting.items() if state.waiting and state.summary["route"] == "student")

    def confirm(school: Path) -> None:
        try:
            deciding.decide(school, ref, "confirmed", "spoke with her", ["IN-14"], "", "")
        except UsageError as error:
            assert "is confirmed already" in str(error)
    assert never_written(dies_everywhere(later, tmp_path, confirm), "incidents.jsonl") == []
