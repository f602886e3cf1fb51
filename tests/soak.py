"""Random nights that die at random write steps, for as many minutes as are given; a difference ends it with its seed.

`make soak MINUTES=30`, or `python tests/soak.py --minutes 30 --seed 7` to see one seed again (it is then the first).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from dying import child, killed  # noqa: E402  (found by the path above)
from small_school import differences, make, quick, run, standing  # noqa: E402
from small_week import PUPILS, logs  # noqa: E402
from test_orders import states  # noqa: E402

from pipeline import deciding, purging, schoolfolder  # noqa: E402
from pipeline.vault import load_keys  # noqa: E402


def die_often(work: Callable[[], object], dice: random.Random) -> int:
    """Kill `work` at a random step up to three times, then do it whole; how often it died."""
    deaths = sum(killed(work, dice.randrange(1, 160)) == -signal.SIGKILL for _ in range(dice.randrange(1, 4)))
    if child(work) != 0:
        raise SystemExit("a start after the deaths did not end well")
    return deaths


def decide(folder: Path) -> None:
    """Dismiss every second open incident."""
    for ref, state in states(folder).items():
        if state.state == "suspected" and state.summary["route"] != "sealed" and int(ref[2:]) % 2:
            deciding.decide(folder, ref, "dismissed", "looked at it", [], "", "")


def round_of(seed: int, place: Path) -> tuple[int, dict[str, object]]:
    """Three nights and a purge, in two like schools, of which one dies again and again; deaths, and what then differs."""
    dice, given = random.Random(seed), place / "logs"
    given.mkdir()
    calm, hurt = make(place / "calm/school"), place / "hurt/school"
    (calm / "people.csv").write_text("username,name,role,year,house\n" + "".join(
        f"{login},Pupil {n},student,9,Heron\n" for n, login in enumerate(PUPILS)), "utf-8")
    load_keys(calm / "var/keys")
    shutil.copytree(calm, hurt)
    week = logs(dice, plain=20)
    until = [0] * len(week)
    deaths = 0
    for tonight in range(3):
        for day in dice.sample(range(len(week)), dice.randrange(1, 4)):
            until[day] = len(week[day]) if tonight == 2 else dice.randrange(until[day], len(week[day]) + 1)
            (given / f"day{day}.log").write_text("".join(week[day][:until[day]]))
        if dice.random() < 0.5:
            for school in (calm, hurt):
                with (school / "rules/lists/own.csv").open("a", encoding="utf-8") as own:
                    own.write(f"new{tonight}.test,games,asked for,TSM,\n")
        files = sorted(given.iterdir())
        if child(lambda files=files: run(calm, *files)) != 0:
            raise SystemExit("an undisturbed night did not end well")
        deaths += die_often(lambda files=files: run(hurt, *files), dice)
        for school in (calm, hurt):
            decide(school)
    now = date(2026, 11, dice.randrange(3, 8)).replace(year=dice.choice((2027, 2029, 2040)))
    purging.purge(calm, now)
    deaths += die_often(lambda: purging.purge(hurt, now), dice)
    faults = schoolfolder.verify(hurt)
    return deaths, {**differences(standing(hurt), standing(calm)), **({"verify": faults} if faults else {})}


def main() -> None:
    """Rounds until the minutes are over."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=10)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = words.parse_args()
    os.umask(0o077)   # as the command has it
    quick(pytest.MonkeyPatch())
    end, seed, deaths = time.monotonic() + 60 * given.minutes, given.seed, 0
    while True:
        with tempfile.TemporaryDirectory() as place:
            died, differs = round_of(seed, Path(place))
        deaths += died
        print(f"seed {seed}: {died} deaths, {'as if undisturbed' if not differs else 'DIFFERS'}", flush=True)
        if differs:
            raise SystemExit("\n".join(f"{name}: {what}" for name, what in differs.items()))
        seed += 1
        if time.monotonic() > end:
            break
    print(f"{seed - given.seed} rounds, {deaths} deaths, no difference")


if __name__ == "__main__":
    main()
