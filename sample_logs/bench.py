"""Measure the night against the floor, on one made-up log: lines a second, peak memory, and the ratio.

    python sample_logs/bench.py --lines 1000000

The floor is the least that any reader of the log must do: DuckDB reads the lines, splits them at spaces and writes
zstd Parquet. It is one fixed script (FLOOR), run in turn with the night, each in a process and a folder of its own; what
is printed are the medians. GoAccess and SARG are run once each where they are installed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEBI = 1024 * 1024
# The delimiter is a character that no log holds, so that a row is a line.
FLOOR = r"""
import sys, duckdb
log, out = sys.argv[1:]
duckdb.sql(f'''
    COPY (SELECT string_split(line, ' ') AS words
          FROM read_csv('{log}', columns = {{line: 'VARCHAR'}}, delim = '\x01', quote = '', escape = '', header = false,
                        auto_detect = false))
    TO '{out}' (FORMAT parquet, COMPRESSION zstd)''')
"""


@dataclass(frozen=True)
class Run:
    """One run of a command: how long it took, the most memory that its process held, and its processor seconds."""

    seconds: float
    peak: int
    cpu: float = 0.0


def run(words: Sequence[str | Path], good: Sequence[int] = (0,)) -> Run:
    """Run a command to its end and measure it; its words are shown only when it fails."""
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in good:
            said.seek(0)
            sys.exit(f"{words[0]} failed ({process.returncode}):\n{said.read()[-4000:].decode('utf-8', 'replace')}")
    return Run(seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), used.ru_utime + used.ru_stime)


def floor(log: Path, folder: Path) -> Run:
    """The bare parse of the log."""
    return run([sys.executable, "-c", FLOOR, log, folder / "floor.parquet"])


def night(log: Path, folder: Path) -> Run:
    """The whole night on the log, in a new school folder. It may say that something is to be mended (5)."""
    school = folder / "school"
    shutil.rmtree(school, ignore_errors=True)
    school.mkdir()
    for name in ("school.toml", "people.csv"):
        shutil.copy(ROOT / name, school)
    shutil.copytree(ROOT / "rules", school / "rules")
    return run([sys.executable, "-m", "pipeline", "--school", school, "nightly", log], (0, 5))


def others(log: Path, folder: Path) -> dict[str, Run]:
    """The programs that people use today, where they are installed."""
    known = {"goaccess": ["goaccess", log, "--log-format=%x.%^ %~%L %h %^/%s %b %m %U", "--datetime-format=%s",
                          "--no-global-config", "-o", folder / "goaccess.html"],
             "sarg": ["sarg", "-l", log, "-o", folder / "sarg"]}
    return {name: run(words) for name, words in known.items() if shutil.which(name)}


def median(runs: Sequence[Run]) -> Run:
    """The medians of times and peaks, each by itself."""
    return Run(statistics.median(r.seconds for r in runs), int(statistics.median(r.peak for r in runs)),
               statistics.median(r.cpu for r in runs))


def table(results: dict[str, Run], lines: int) -> str:
    """A row for each program: seconds, lines a second, peak memory, and how many times the floor it takes."""
    rows = [f"{'':10}{'seconds':>10}{'lines/s':>14}{'peak MiB':>11}{'x floor':>10}"]
    rows += [f"{name:10}{r.seconds:>10.2f}{lines / r.seconds:>14,.0f}{r.peak / MEBI:>11,.0f}"
             f"{r.seconds / results['floor'].seconds:>10.2f}" for name, r in results.items()]
    return "\n".join(rows)


def main() -> None:
    """Write the log, run floor and night in turn, print the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of the log")
    words.add_argument("--times", type=int, default=5, help="how often each is run")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="schoolgate-bench-") as name:
        folder = Path(name)
        log = folder / "access.log"
        run([sys.executable, ROOT / "sample_logs/busy.py", "--to", log, "--lines", str(asked.lines)])
        runs: dict[str, list[Run]] = {"floor": [], "night": []}
        for turn in range(asked.times):
            runs["floor"].append(floor(log, folder))
            runs["night"].append(night(log, folder))
            print(f"run {turn + 1} of {asked.times}: floor {runs['floor'][-1].seconds:.2f} s, "
                  f"night {runs['night'][-1].seconds:.2f} s", file=sys.stderr, flush=True)
        results = {name: median(each) for name, each in runs.items()} | others(log, folder)
        print(f"{asked.lines:,} lines, {log.stat().st_size / MEBI:,.0f} MiB; {os.cpu_count()} cores, "
              f"Python {platform.python_version()}; medians of {asked.times}, cold process, warm file cache\n")
        print(table(results, asked.lines))


if __name__ == "__main__":
    main()
