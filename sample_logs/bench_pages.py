"""How long the long pages take on a year of a big school, and how big they are: `make bench-pages`.

    python sample_logs/bench_pages.py [--pupils 1500] [--visits 60000]

A school year is written straight into a lake and its registers, as nights would leave them: tallies and coverage of every
school day, visits of the last ninety days (what retention keeps), incidents and breaches. Then `schoolgate report termly`
and `report annual` are run as a person runs them: processor seconds, peak memory, and the size of each page.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline import periods, schoolfolder, tables  # noqa: E402  (found by the path above)
from pipeline.register.incidents import KEPT  # noqa: E402
from pipeline.schoolday import is_open  # noqa: E402
from pipeline.vault import load_keys  # noqa: E402

KEPT_DAYS = 90  # [retention] visits_days of the made-up school
CATEGORIES = ("games", "social_media", "pornography", "bypass_web_proxy", "messaging", "video_streaming", "gambling", "learning")
SITES = 4000    # distinct sites of a term
LIMITS = {"termly": (10, "summer-2027"), "annual": (30, "2026-27")}  # seconds, and the period


def days(folder: Path) -> list[date]:
    """The school days of the year."""
    calendar = schoolfolder.settings(folder).calendar
    return [day for day in periods.year(date(2026, 9, 1)).days if is_open(calendar, day)]


def filled(shape: tables.Table, count: int, **given: Any) -> pa.Table:
    """A table of that shape with so many rows: the columns given, and nothing in the others."""
    empty = {pa.string(): "", pa.int64(): 0, pa.bool_(): False}
    return pa.table({column.name: pa.array(given[column.name], column.type) if column.name in given
                     else pa.array([[]] * count, column.type) if pa.types.is_list(column.type)
                     else pa.array([empty.get(column.type)] * count, column.type) for column in shape.columns})


def visits(day: date, count: int, pupils: int, dice: np.random.Generator) -> pa.Table:
    """A day's visits: whose, where, what the filter did."""
    who, site = dice.integers(pupils, size=count), dice.zipf(1.3, size=count) % SITES
    category = np.array(CATEGORIES)[site % len(CATEGORIES)]
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    return filled(tables.VISITS, count, visit=[f"s:{n}" for n in range(count)], subject=[f"p{n:011d}" for n in who],
                  site=[f"site-{n}.test" for n in site], category=category.tolist(), actor=["student"] * count,
                  blocked=(dice.random(count) < 0.03).astype(int).tolist(), started=[start] * count, ended=[start] * count)


def tallies(day: date, pupils: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    """A day's anonymous counts, as many rows as a big school has."""
    def row(measure: str, of: str, most: int) -> dict[str, Any]:
        people = dice.randrange(most)
        return {"day": day, "measure": measure, "of": of, "people": people, "count": people * 3}
    for period in ("Registration", "Period 1", "Period 2", "Break", "Period 3", "Period 4", "Lunch", "Period 5", "After school"):
        yield row("pupils against by period", period, 40)
    for category in CATEGORIES:
        yield row("pupils against by category", category, 60)
        yield row("blocked by category", category, 90)
        for year in range(7, 14):
            yield row("pupils against by year and category", f"{year}|{category}", 20)
    for network in ("school devices", "own devices", "staff rooms"):
        yield row("pupils against by network", network, 80)
        yield row("visits by network", network, pupils)
    for outcome in ("blocked", "allowed", "mixed"):
        yield row("pupils against by outcome", outcome, 90)
    for n in range(1, 30):
        yield row("visits by question", f"AMB-{n:02d}", 200)


def incident(day: date, n: int, pupils: int, dice: random.Random) -> dict[str, Any]:
    """One story as the register keeps it."""
    who = f"p{dice.randrange(pupils):011d}"
    at = datetime(day.year, day.month, day.day, 10, n % 60, tzinfo=UTC).isoformat()
    return dict.fromkeys(KEPT, "") | {
        "day": str(day), "story": f"web-proxy|{who}|s{n}.test|s:{n}", "keys": [f"web-proxy|{who}|s{n}.test|s:{n}"],
        "subject": who,
        "person": who, "actor": "student", "year": str(7 + n % 7), "route": "student", "tier": dice.choice(("T2", "T3")),
        "started": at, "ended": at, "categories": [dice.choice(CATEGORIES)], "sites": [f"s{n}.test"], "outcome": "blocked",
        "intent": "unclear", "rows": [dice.choice(("IN-02", "IN-04", "IN-12", "IN-14"))], "questions": [], "visits": 2,
        "requests": 9}


def breach(day: date, n: int, dice: random.Random) -> dict[str, Any]:
    """One breach of one day."""
    at = datetime(day.year, day.month, day.day, 10, n % 60, tzinfo=UTC)
    part = "failure" if n % 2 == 0 else "circumvention"
    return {"key": f"{part}|s{n}.test|{n}", "part": part,
            "site": f"s{n}.test", "profile": "student", "category": dice.choice(CATEGORIES),
            "method": dice.choice(("web-proxy", "vpn-site", "tor")), "day": str(day), "worked": dice.choice(("yes", "no")),
            "people": dice.randrange(1, 30), "visits": 4, "first_seen": at.isoformat(), "last_seen": at.isoformat(),
            "first_blocked": (at + timedelta(hours=dice.randrange(200))).isoformat()}


def made(folder: Path, pupils: int, per_day: int) -> None:
    """The year in a school folder."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copy(ROOT / "school.toml", folder)
    (folder / "var").mkdir(mode=0o700)
    lake = schoolfolder.open_lake(folder, load_keys(folder / "var/keys"))
    dice, numbers = random.Random(7), np.random.default_rng(7)
    year, events, broken = days(folder), [], []
    for at, day in enumerate(year):
        coverage = filled(tables.COVERAGE, 2, day=[day] * 2, source=["a", "b"], name=["access.log", "dns.log"],
                          lines=[900_000] * 2, requests=[900_000] * 2, unattributed=[40_000] * 2, paged=[300_000] * 2)
        counts = pa.Table.from_pylist(list(tallies(day, pupils, dice)), schema=tables.TALLIES.schema)
        judged = {"tallies": counts, "coverage": coverage}
        if day > year[-1] - timedelta(days=KEPT_DAYS):
            judged["visits"] = visits(day, per_day, pupils, numbers)
        lake.write_day(day, judged, {"rules": "made", "counts": {}})
        for n in range(15):
            ref = f"I-{at * 15 + n + 1:05d}"
            body = incident(day, at * 15 + n, pupils, dice)
            events.append(("opened", ref, body))
            if n < 12:
                kind = "confirmed" if n < 8 else "dismissed"
                events.append((kind, ref, {"who": "a.person", "role": "dsl", "reason": "looked", "rows": body["rows"],
                                           "intent": "", "code": "background"}))
        broken += [("opened", f"B-{at * 3 + n + 1:05d}", breach(day, at * 3 + n, dice)) for n in range(3)]
    schoolfolder.journal(folder, "incidents").append_all(events)
    schoolfolder.journal(folder, "breaches").append_all(broken)


def measured(folder: Path, name: str) -> tuple[float, float, int, int]:
    """Wall and processor seconds, peak memory in MiB, and the size of the page in bytes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-m", "pipeline", "--school", str(folder), "report", name, "--period", LIMITS[name][1]],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    page = next((folder / "reports").glob(f"*/{name}-*.html"))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, after.ru_maxrss // 1024, page.stat().st_size


def main() -> None:
    """Make the year, run the reports, say what they took."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--pupils", type=int, default=1500)
    words.add_argument("--visits", type=int, default=60_000, help="visits a day")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "school"
        made(folder, asked.pupils, asked.visits)
        print(f"{'page':10} {'seconds':>8} {'cpu s':>7} {'MiB':>6} {'page kB':>8}   limit")
        for name, (limit, _) in LIMITS.items():
            wall, cpu, memory, size = measured(folder, name)
            print(f"{name:10} {wall:8.1f} {cpu:7.1f} {memory:6} {size / 1000:8.0f}   {limit} s, 1,024 MiB, 1,000 kB")


if __name__ == "__main__":
    main()
