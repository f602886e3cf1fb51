"""Two people at the command line, a night and a return sheet at once, as real processes: nothing is lost and nothing is doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from small_school import line, make, run
from test_returns import filled
from test_story import ROOT

from pipeline import casework, schoolfolder

PUPILS = [f"{19 + n % 5}pupil{chr(97 + n)}" for n in range(6)]


def tries(pupil: int, second: float) -> str:
    """Six blocked tries at adult sites."""
    return "".join(line(second + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", PUPILS[pupil], f"10.20.0.{pupil + 20}", "TCP_DENIED/403")
                   for n in range(6))


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command on its own, while others run."""
    return subprocess.Popen([sys.executable, "-m", "pipeline", "--school", str(folder), *words], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_at_once_nothing_is_lost(tmp_path: Path) -> None:
    """Each move, each incident entered and each story of the night is there once, and the chain holds."""
    people = "username,name,role,year,house\n" + "".join(f"{login},{login},student,9,\n" for login in PUPILS)
    folder = make(tmp_path / "school", ("pornography",), people)
    log = folder / "access.log"
    log.write_text("".join(tries(n, 14_000 + 5 * n) for n in range(4)), "utf-8")
    run(folder, log)
    refs = sorted(casework.states_of(folder))
    assert len(refs) == 4
    sheet = filled(folder, tmp_path / "sheet.csv", {refs[0]: {"deliberate": "x"}})
    with log.open("a") as more:
        more.write("".join(tries(n, 20_000 + 5 * n) for n in (4, 5)))
    entered = ("incident", "add", "--what", "a message", "--source", "staff", "--day", "2026-11-02", "--row", "IN-09", "--login")
    works = [started(folder, "nightly", str(log)), started(folder, "incident", "return", str(sheet)),
             started(folder, "incident", "triage", refs[1], "--reason", "one looks"),
             started(folder, "incident", "dismiss", refs[2], "--code", "background", "--reason", "the other looks"),
             started(folder, *entered, PUPILS[1]), started(folder, *entered, PUPILS[2])]
    said = [work.communicate(timeout=240) for work in works]
    assert [work.returncode for work in works] == [0] * len(works), said
    states = casework.states_of(folder)
    assert [states[ref].state for ref in refs] == ["confirmed", "in_triage", "dismissed", "suspected"]
    assert sum(state.source == "staff" for state in states.values()) == 2 and len(states) == 4 + 2 + 2
    assert all(len({event.kind for event in state.history}) == len(state.history) for state in states.values())
    assert schoolfolder.verify(folder) == []
