"""What ran, what was missed, what waits: said by the next night, which catches up, and by `schoolgate status` at any time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from front_door import schoolgate, typed
from small_school import line, make, run

from pipeline import journal, night, runs, status
from pipeline.problems import Exit, Problem, RefusedError
from pipeline.runs import Note

DAY = 86_400
TUESDAY = datetime(2026, 11, 3, 3, 15, 4, tzinfo=UTC)   # the night of Monday 2 November, in winter time
SetClock = Callable[[datetime], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock of nights and of what is written down of them."""
    return clock_in(monkeypatch)


def clock_in(patch: pytest.MonkeyPatch) -> SetClock:
    """Such a clock, until the patch is undone."""
    class Clock(datetime):
        moment = TUESDAY

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return cls.moment

    for module in (night, runs, journal):
        patch.setattr(module, "datetime", Clock)
    return lambda at: setattr(Clock, "moment", at)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school folder before its first night, with a log of Monday that holds an incident, a sealed item and a quiet line."""
    folder = make(tmp_path_factory.mktemp("status") / "school")
    tries = [line(14_000 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(4)]
    folder.joinpath("access.log").write_text("".join([line(0, "fenmarsh.test"), *tries, line(14_500, "zz-plain.invalid", "20mquill",
                                                                                         "10.20.0.9", "TCP_DENIED/451")]))
    return folder


@pytest.fixture(scope="module")
def first(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That folder after the night of Monday, which ran when it was due."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("first") / "school")
    with pytest.MonkeyPatch.context() as patch:
        clock_in(patch)(TUESDAY)
        run(folder, folder / "access.log")
    return folder


@pytest.fixture
def school(first: Path, tmp_path: Path, clock: SetClock) -> Path:
    """A copy, when that night is over."""
    clock(TUESDAY)
    return shutil.copytree(first, tmp_path / "school")


def page(folder: Path, day: str) -> str:
    """The nightly page of a day."""
    return (folder / f"reports/technical/nightly-{day}.html").read_text("utf-8")


def also(folder: Path, job: str, at: datetime, code: int = 0, **more: object) -> None:
    """Write down that a job ran."""
    said = {"first": at, "began": at, "ended": at, "good": at, "code": code, "process": 1} | more
    place = folder / f"var/runs/{job}.json"
    place.write_text(json.dumps({name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}))


def test_a_night_that_follows_on_time_says_nothing(school: Path, clock: SetClock) -> None:
    """A quarter of an hour late is on time; so is a second night on one day."""
    for at in (TUESDAY + timedelta(days=1, minutes=15), TUESDAY + timedelta(days=1, hours=9)):
        also(school, "purge", at)
        clock(at)
        account = run(school, school / "access.log")
        assert (account.missed, [p for p in account.problems if "job" in p.where]) == ([], [])


def test_the_next_night_says_which_nights_were_missed_and_catches_up(school: Path, clock: SetClock) -> None:
    """Off from Tuesday on, started on Friday: two nights missed, said on stderr, in the account and on the page; each school
    day has its page, and a log that was silent on one is a finding, though no line of that day ever came."""
    friday = TUESDAY + timedelta(days=3)
    with (school / "access.log").open("a") as log:
        log.write(line(2 * DAY, "fenmarsh.test"))  # Wednesday spoke, Tuesday did not
    also(school, "purge", friday)
    clock(friday)
    account = run(school, school / "access.log")
    assert account.missed == [date(2026, 11, 3), date(2026, 11, 4)]
    assert "missed      the nights of 2, 2026-11-03 to 2026-11-04: caught up" in account.text()
    told = "was due 2 times, first at Wed 4 Nov 2026, 03:15, and did not run; this one has caught up"
    assert (account.code(), [p.what for p in account.problems if "night job" in p.where]) == (Exit.MEND, [told])
    assert told in page(school, "2026-11-04")
    assert "access.log" in page(school, "2026-11-03") and "Nothing was heard" in page(school, "2026-11-03")
    assert not (school / "reports/safeguarding/dsl-list-2026-11-03.html").exists()
    clock(friday + timedelta(days=1))
    assert run(school, school / "access.log").missed == []


def test_a_night_that_is_given_its_day_is_not_one_of_the_schedule_s(school: Path) -> None:
    """Running an old day again misses nothing."""
    account = night.run(school, [str(school / "access.log")], lambda name, lines: None, today=date(2027, 1, 11))
    assert account.missed == []
    assert not [problem for problem in account.problems if "job" in problem.where]


def test_the_night_speaks_of_a_purge_that_does_not_run_or_fails(school: Path, clock: SetClock) -> None:
    """Never since the first night; then refused by exit code; a list update only where lists are imported."""
    clock(TUESDAY + timedelta(days=1))
    assert [str(p) for p in run(school, school / "access.log").problems if "job" in p.where] == [
        "the purge job: is due, and has never run. Try: `schoolgate schedule`, and whether this machine was on."]
    also(school, "purge", TUESDAY + timedelta(days=1, hours=2), 3)
    clock(TUESDAY + timedelta(days=2))
    assert [str(p) for p in run(school, school / "access.log").problems if "job" in p.where] == [
        "the purge job: of Wed 4 Nov 2026, 05:15 did not do its work (exit code 3). Try: schoolgate purge."]


def test_status_in_full(school: Path) -> None:
    """On Friday morning: each job, the days, what waits and what of it is overdue. Nobody is named."""
    friday = datetime(2026, 11, 6, 8, 0, tzinfo=UTC)
    for job, at in (("night", datetime(2026, 11, 6, 3, 15, tzinfo=UTC)), ("purge", datetime(2026, 11, 6, 5, 15, tzinfo=UTC))):
        also(school, job, at)
    said, problems = status.status(school, friday)
    assert said == [
        "lists       never ran; next Sat 7 Nov 2026, 02:30",
        "night       Fri 6 Nov 2026, 03:15, done; next Sat 7 Nov 2026, 03:15",
        "purge       Fri 6 Nov 2026, 05:15, done; next Sat 7 Nov 2026, 05:15",
        "weekly      never ran; next Sat 7 Nov 2026, 05:45",
        "termly      never ran; next Fri 25 Dec 2026, 05:45",
        "annual      never ran; next Wed 28 Jul 2027, 05:45",
        "yearly      never ran; next Wed 25 Aug 2027, 05:45",
        "days        1 kept, 2026-11-02 to 2026-11-02",
        "lists       0 imported",
        "waiting     1 incident for a person, 1 of them overdue, the oldest of 2026-11-02",
        "sealed      1 item for the DSL or the Principal, 1 of them overdue",
        "calendar    152 school days to come, the last 2027-07-21"]
    assert problems == []
    assert not [word for word in ("bloggs", "quill", "adult", "invalid", "10.20") if word in "\n".join(said).lower()]


def test_status_says_what_is_missed_torn_silent_or_at_an_end(school: Path) -> None:
    """A week later with nothing run: night, purge and the weekly job; a run that was cut short; the log; then the calendar."""
    (school / "var/registers/days.jsonl").unlink()
    also(school, "night", TUESDAY, ended=None, process=2 ** 30)
    _, problems = status.status(school, datetime(2026, 11, 10, 20, 0, tzinfo=UTC))
    assert [f"{p.where}: {p.what}" for p in problems] == [
        "the night job: was due 7 times, first at Wed 4 Nov 2026, 03:15, and did not run",
        "the night job: began at Tue 3 Nov 2026, 03:15 and was cut short",
        "the purge job: is due, and has never run",
        "the weekly job: is due, and has never run",
        "the lake: has 1 day that is not judged or not told, the first 2026-11-02"]
    last = status.status(school, datetime(2027, 8, 1, 12, 0, tzinfo=UTC))
    assert last[1][-1].what == "has no day to come, so nothing counts as school hours"
    assert last[0][-1] == "calendar    no school day to come"


def test_a_silent_log_stands_in_the_status_until_it_speaks(school: Path) -> None:
    """On the evening of a school day without a line of it."""
    _, problems = status.status(school, datetime(2026, 11, 3, 20, 0, tzinfo=UTC))
    assert "access.log" in problems[-1].where and "said nothing on 2026-11-03" in problems[-1].what


def test_a_night_after_one_that_was_cut_short_says_so_in_its_account(school: Path, clock: SetClock) -> None:
    """It goes on from there; at work is another thing."""
    also(school, "night", TUESDAY, ended=None, process=2 ** 30)
    clock(TUESDAY + timedelta(hours=2))
    assert "cut short   the night before, which began at 2026-11-03 03:15 UTC: gone on from there" in run(school).text()
    with runs.noted(school, "night", TUESDAY):
        assert "at work since Tue 3 Nov 2026, 03:15" in status.status(school, TUESDAY)[0][1]


def test_a_run_is_written_down_however_it_ends(tmp_path: Path) -> None:
    """Its exit code, and when the job last did its work; a file that is damaged is no run."""
    def ends(code: int, error: Exception | None = None) -> tuple[int | None, bool]:
        before = runs.last(tmp_path, "purge")
        try:
            with runs.noted(tmp_path, "purge", before.began + timedelta(hours=1) if before else TUESDAY) as note:
                note.code = code
                if error:
                    raise error
        except (RefusedError, ZeroDivisionError):
            pass
        found = runs.last(tmp_path, "purge")
        assert found and found.ended
        return found.code, found.good == found.began
    assert ends(Exit.MEND) == (5, True)
    assert ends(Exit.DONE, RefusedError(Problem("a", "b"))) == (3, False)
    assert ends(Exit.DONE, ZeroDivisionError("no")) == (4, False)
    assert (tmp_path / "var/runs/purge.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "var/runs/purge.json").write_text("{")
    assert (runs.last(tmp_path, "purge"), runs.known(tmp_path), Note().code) == (None, {}, 0)


def test_the_command_s_exit_codes(school: Path, tmp_path: Path) -> None:
    """0 when all is as it should be, 5 when something is not, 2 without a school folder; jobs write themselves down."""
    assert schoolgate(tmp_path, "status").returncode == 2
    purged = typed(school, "purge", "--today", "2026-11-03")
    assert purged.returncode == 0, purged.stderr
    found = runs.last(school, "purge")
    assert found and found.code == 0
    assert schoolgate(school, "verify").returncode == 0
    assert {"night", "purge", "weekly"} == set(runs.known(school))
    for job in ("night", "purge"):
        also(school, job, TUESDAY)
    assert schoolgate(school, "status", "--now", "2026-11-03T06:00").returncode == 0
    late = typed(school, "status", "--now", "2026-11-09T06:00")
    assert (late.returncode, "the night job: was due 6 times" in late.stderr) == (5, True)
