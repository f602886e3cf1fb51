"""How long the registers of ten years of a large school take to list and to prove: `make bench-registers`.

    python sample_logs/bench_registers.py [--incidents 50000] [--entries 500000] [--keep DIR]

Ten years are written straight into the register of incidents, as nights and people would leave them: each incident is opened,
seen again, taken up, and most are carried to their end. Then the commands are run as a person runs them, once to have kept what
they keep and three times to be timed, and folds in this process: processor seconds and seconds by the clock, the median of each.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline import schoolfolder  # noqa: E402  (found by the path above)
from pipeline.vault import load_keys  # noqa: E402

FIRST = date(2017, 9, 1)
YEARS = 10
CATEGORIES = (("games", "T3", "IN-02"), ("social_media", "T3", "IN-04"), ("pornography", "T2", "IN-14"),
              ("bypass_web_proxy", "T2", "IN-12"), ("gambling", "T2", "IN-13"))
WHO = {"who": "a.person", "role": "dsl", "reason": "looked at it with the tutor; agreed with what the log shows"}
Said = tuple[str, str, dict[str, Any]]


def story(day: date, n: int, dice: random.Random) -> dict[str, Any]:
    """One story as the register keeps it."""
    who, site = f"p{dice.randrange(1500):011d}", f"s{dice.randrange(4000)}.test"
    category, tier, row = dice.choice(CATEGORIES)
    key = f"{category}|{who}|{site}|s{dice.randrange(16 ** 15):015x}:{dice.randrange(40_000_000)}"
    at = datetime(day.year, day.month, day.day, 8 + n % 8, n % 60, tzinfo=UTC)
    return {"day": str(day), "story": key, "keys": [key], "subject": who, "person": who, "client": f"d{dice.randrange(900):011d}",
            "actor": "student", "year": str(7 + n % 7), "route": "student", "tier": tier, "started": at.isoformat(),
            "ended": (at + timedelta(minutes=4)).isoformat(), "categories": [category], "sites": [site], "outcome": "blocked",
            "intent": "unclear", "rows": [row], "questions": ["AMB-08", "AMB-16"], "visits": 2, "requests": 9}


def life(ref: str, body: dict[str, Any], n: int, length: int) -> Iterator[Said]:
    """The entries of one incident: one in fifty still waits, one in four was dismissed, the others were carried to their end."""
    yield "opened", ref, body
    ends = ([] if n % 50 == 0 else [("dismissed", {"code": "background"})] if n % 4 == 0 else [
        ("triaged", {}), ("confirmed", {"rows": body["rows"], "intent": "accidental", "reported": "no"}),
        ("acted", {"done": [{"action": "warning", "on": body["day"]}], "departures": []}),
        ("parents", {"parents": "informed", "why": "", "review_on": ""}), ("closed", {})])
    for again in range(length - 1 - len(ends)):
        yield "seen", ref, body | {"visits": body["visits"] + again + 1, "requests": body["requests"] + 3 * again}
    for kind, facts in ends:
        yield kind, ref, WHO | facts


def write(folder: Path, incidents: int, entries: int) -> None:
    """The ten years in a school folder."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copy(ROOT / "school.toml", folder)
    (folder / "var").mkdir(mode=0o700)
    load_keys(folder / "var/keys")
    dice, book, batch = random.Random(7), schoolfolder.journal(folder, "incidents"), list[Said]()
    for n in range(1, incidents + 1):
        day = FIRST + timedelta(days=n * 365 * YEARS // incidents)
        batch += life(f"I-{n:05d}", story(day, n, dice), n, entries // incidents)
        if len(batch) >= 100_000 or n == incidents:
            book.append_all(batch, datetime(day.year, day.month, day.day, 23, tzinfo=UTC))
            batch = []


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Processor seconds, of this process and of what it started, and seconds by the clock."""
    def spent() -> float:
        return sum(getattr(resource.getrusage(who), name) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
                   for name in ("ru_utime", "ru_stime"))
    before, at = spent(), time.perf_counter()
    work()
    return spent() - before, time.perf_counter() - at


def command(folder: Path, *words: str) -> Callable[[], Any]:
    """One command of a person."""
    return lambda: subprocess.run([sys.executable, "-m", "pipeline", "--school", str(folder), *words], cwd=ROOT, check=True,
                                  stdout=subprocess.DEVNULL)


def tell(what: str, work: Callable[[], Any], times: int = 3) -> None:
    """One line: the medians of so many runs."""
    runs = [timed(work) for _ in range(times)]
    cpu, wall = (statistics.median(each) for each in zip(*runs, strict=True))
    print(f"{what:44} {cpu:6.2f} {wall:6.2f}", flush=True)


def main() -> None:
    """Write, run, tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    given.add_argument("--incidents", type=int, default=50_000)
    given.add_argument("--entries", type=int, default=500_000)
    given.add_argument("--keep", type=Path, help="a folder for the made-up school, kept and used again")
    asked = given.parse_args()
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch) / "school"
        if not (folder / "school.toml").exists():
            write(folder, asked.incidents, asked.entries)
        size = (folder / "var/registers/incidents.jsonl").stat().st_size
        print(f"{asked.incidents:,} incidents, {asked.entries:,} entries, {size / 1e6:,.0f} MB")
        print(f"{'':44} {'cpu s':>6} {'clock':>6}")
        tell("the first list", command(folder, "incident", "list"), times=1)
        tell("the first verify", command(folder, "verify"), times=1)
        tell("schoolgate, no command", command(folder, "--help"))
        tell("incident list", command(folder, "incident", "list"))
        some = ("--state", "suspected", "--tier", "T2")
        tell(f"incident list {' '.join(some)}", command(folder, "incident", "list", *some))
        tell("incident list --overdue", command(folder, "incident", "list", "--overdue"))
        tell("verify", command(folder, "verify"))
        tell("verify --whole", command(folder, "verify", "--whole"), times=1)
        tell("one fold, in a process that runs", lambda: schoolfolder.incidents(folder))
        tell("... and every incident put together", lambda: list(schoolfolder.incidents(folder).values()))
        for made in (folder / "var/registers").glob(".*.kept"):
            made.unlink()
        tell("one fold with nothing kept, which it keeps", lambda: schoolfolder.incidents(folder), times=1)


if __name__ == "__main__":
    main()
