"""Measure the program on labelled made-up weeks: what was done against what it says.

    python -m sample_logs.quality --seed 7 --weeks 1 --visibility both --difficulty medium

It writes the week of a made-up school, runs the real command over it, exports the detections and holds them against the
labels; beside them stands what a plain look-up in the same lists would say. `--json FILE` writes every figure; `--keep DIR`
keeps logs, labels and the school folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from . import measure, telling
from .logs import VISIBILITIES
from .world import COVER


def main() -> None:
    """Measure what the command line asks for, and print it."""
    words = argparse.ArgumentParser(prog="python -m sample_logs.quality", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--weeks", type=int, default=1, choices=(1, 2, 3, 4))
    words.add_argument("--visibility", default="both", choices=("both", *VISIBILITIES))
    words.add_argument("--difficulty", default="medium", choices=tuple(COVER))
    words.add_argument("--json", type=Path, help="write every figure to this file")
    words.add_argument("--keep", type=Path, help="a new folder for logs, labels and school folders")
    words.add_argument("--missed", action="store_true", help="list the acts that were missed and what was said wrongly")
    asked = words.parse_args()
    told = {}
    with tempfile.TemporaryDirectory(prefix="schoolgate-quality-") as name:
        begun = time.perf_counter()
        week = measure.build(asked.seed, asked.difficulty, asked.weeks)
        acts = sum(act.truth == "true" for act in week.acts)
        print(f"seed {asked.seed}, {asked.weeks} week(s), {asked.difficulty}: {len(week.hits):,} hits of "
              f"{len(week.school.people)} people, {acts} true acts, made in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        for visibility in VISIBILITIES if asked.visibility == "both" else (asked.visibility,):
            begun = time.perf_counter()
            run = measure.run(week, visibility, (asked.keep or Path(name)) / visibility)
            print(f"{visibility}: {run.lines:,} lines, night and export in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
            title = {"full": "full addresses (people's own devices: host names)", "host": "host names only"}[visibility]
            print("\n" + telling.table(run.ours, run.naive, f"== {title} =="))
            if asked.missed:
                print("\n".join(measure.particulars(run.ours)))
            told[visibility] = {"schoolgate": telling.figures(run.ours), "host on a list": telling.figures(run.naive)}
    if asked.json:
        about = {"on": f"{date.today():%-d %B %Y}", "seed": asked.seed, "weeks": asked.weeks, "difficulty": asked.difficulty}
        asked.json.write_text(json.dumps(about | told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
