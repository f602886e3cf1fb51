"""Measure imported lists: an import, an update, and a night of many hosts with the list and without it.

    python sample_logs/bench_lists.py --names 5000000 --hosts 500000 --lines 1000000

Every name is made up, and the same at every run. Each step is a process of its own: seconds, seconds of the processor, and
the most memory it held. What the lists make of the hosts is compared with a walk over suffixes in plain Python on a sample.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEBI = 1024 * 1024
WORDS = ("play", "bet", "shop", "free", "win", "club", "zone", "hub", "live", "star", "go", "best", "top", "net", "mega", "blue")
ENDS = ("example", "test", "invalid", "example.org", "co.uk", "xn--bcher-kva.test")
CATEGORY = "blogs"  # one that no rule looks for, so that a night with the list has no more to tell than one without
SAMPLE = 20_000     # hosts that are walked by hand
OPENS = 1_793_606_400   # Monday 2 November 2026, 08:00 UTC
HOURS = 7 * 3600

# What the night asks of the lists, alone: the hosts in, their categories out.
CLASSIFY = """
import json, sys, time
import pyarrow as pa
import pyarrow.compute as pc
from datetime import date
from pathlib import Path
from dataclasses import replace
from pipeline import judging, rulefiles, ruleset
from pipeline.liststore import Lists
folder, hosts, sample, out = map(Path, sys.argv[1:])
rules = ruleset.read_all(rulefiles.texts(folder))[0]
lists = Lists(folder)
rules = replace(rules, imported=[str(lists.path(name)) for name in lists.found()[0]])
names = hosts.read_text().splitlines()
asked = pa.table({"host": names, "people": [1] * len(names), "requests": [1] * len(names)})
begun, spent = time.perf_counter(), time.process_time()
found = judging.classified(asked, rules, date(2026, 11, 2))
took = time.perf_counter() - begun, time.process_time() - spent
wanted = pa.array(sample.read_text().splitlines())
found = found.filter(pc.is_in(found["host"], wanted))
out.write_text(json.dumps({"took": took, "categories": dict(zip(*(found[c].to_pylist() for c in ("host", "category"))))}))
"""


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds, seconds of the processor, most memory."""

    seconds: float
    cpu: float
    peak: int


def run(*words: str | Path, good: tuple[int, ...] = (0,)) -> Run:
    """Run a command to its end and measure it; its words are shown only when it fails."""
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds, process.returncode = time.perf_counter() - begun, os.waitstatus_to_exitcode(status)
        if process.returncode not in good:
            said.seek(0)
            sys.exit(f"{words[0]} failed ({process.returncode}):\n{said.read()[-4000:].decode('utf-8', 'replace')}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def names(many: int, turn: int = 0) -> Iterator[str]:
    """The names of the list, in no order; at a later `turn` one in ten is another."""
    dice = random.Random(5)
    step = 7_368_787   # a prime: each number comes once, out of order
    for n in range(many):
        number = n * step % many
        word = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}{number}"
        yield f"{'new' * (turn and number % 10 == 0)}{word}.{ENDS[number % len(ENDS)]}"


def hosts(listed: Path, many: int) -> list[str]:
    """Distinct hosts of a night: one in five is a listed name or stands under one, the rest are on no list or nearly so."""
    dice, found = random.Random(6), dict[str, None]()
    with listed.open() as lines:
        for number, line in enumerate(lines):
            if number * 5 > many:
                break
            name = line.strip()
            found[(name, f"www.{name}", f"a.b.{name}", f"not{name}", name.upper())[number % 5].lower()] = None
    while len(found) < many:
        number = dice.randrange(1 << 40)
        address = f"10.{number >> 8 & 255}.{number >> 16 & 255}.{number & 255}"
        found[f"h{number}.{dice.choice(WORDS)}{number % 100_000}.test" if number % 50 else address] = None
    return list(found)


def write_log(path: Path, known: list[str], lines: int) -> None:
    """A log of a school day in which every host is asked for, by one of a thousand people, a few lines one after the other."""
    dice = random.Random(7)
    with path.open("w") as out:
        for n in range(lines):
            place = n * len(known) // lines
            host, person = known[place], place * 7_919 % 1_000
            client, size = f"10.20.{person // 250}.{person % 250 + 1}", dice.randrange(400, 90_000)
            out.write(f"{OPENS + n * HOURS / lines:.3f} 120 {client} TCP_TUNNEL/200 {size} CONNECT {host}:443 26pupil{person} "
                      "HIER_DIRECT/203.0.113.9 -\n")


def write(path: Path, texts: Iterable[str]) -> None:
    """A line a text. Never held whole: what this process holds counts for those it starts."""
    with path.open("w") as out:
        out.writelines(f"{text}\n" for text in texts)


def walked(sample: list[str], listed: Path) -> dict[str, str]:
    """Of each host whether the list holds it or a name that it stands under, looked for one suffix after the other."""
    of = {host: [host[host.index(part, at):] for at, part in _labels(host)] for host in sample}
    wanted, there = {name for suffixes in of.values() for name in suffixes}, set[str]()
    with listed.open() as lines:
        there.update(name for line in lines if (name := line.strip()) in wanted)
    return {host: CATEGORY if any(name in there for name in suffixes) else "other" for host, suffixes in of.items()}


def _labels(host: str) -> Iterator[tuple[int, str]]:
    at = 0
    for part in host.split("."):
        yield at, part
        at += len(part) + 1


def school(folder: Path) -> Path:
    """A new school folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("school.toml", "people.csv"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "rules", folder / "rules")
    return folder


def main() -> None:
    """Write names, hosts and log; run each step; print a row for each, and whether the walk agrees."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--names", type=int, default=5_000_000, help="names of the list")
    words.add_argument("--hosts", type=int, default=500_000, help="distinct hosts of the night")
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of the night's log; 0: no night")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="schoolgate-lists-") as name:
        measure(Path(name), asked.names, asked.hosts, asked.lines)


def measure(folder: Path, many: int, distinct: int, lines: int) -> None:
    """Every step in `folder`, a printed row each."""
    listed, wanted, walk, log = (folder / name for name in ("names.txt", "hosts.txt", "sample.txt", "access.log"))
    write(listed, names(many))
    known = hosts(listed, distinct)
    sample = random.Random(8).sample(known, min(SAMPLE, len(known)))
    write(wanted, known)
    write(walk, sample)
    plain, full = school(folder / "plain"), school(folder / "full")
    print(f"{many:,} names, {distinct:,} hosts, {lines:,} lines\n\n{'':26}{'seconds':>9}{'cpu s':>9}{'peak MiB':>10}")
    command = ("-m", "pipeline", "--school", full, "lists")
    row("import", run(*command, "add", "big", listed, "--as", "domains", "--category", CATEGORY))
    answers = {}
    for title, where in (("hosts, without the list", plain), ("hosts, with the list", full)):
        measured = run("-c", CLASSIFY, where, wanted, walk, folder / "out.json")
        told = json.loads((folder / "out.json").read_text())
        row(title, Run(*told["took"], measured.peak))
        answers[title] = told["categories"]
    if lines:
        write_log(log, known, lines)
        for title, where in (("night, without the list", plain), ("night, with the list", full)):
            row(title, run("-m", "pipeline", "--school", where, "nightly", log, good=(0, 5)))
    agree(walked(sample, listed), answers["hosts, with the list"])
    write(listed, names(many, turn=1))
    row("update, one in ten new", run(*command, "update", "big"))


def row(title: str, measured: Run) -> None:
    """One row of the table."""
    print(f"{title:26}{measured.seconds:>9.1f}{measured.cpu:>9.1f}{measured.peak / MEBI:>10,.0f}", flush=True)


def agree(by_hand: dict[str, str], answered: dict[str, str]) -> None:
    """Say that the walk agrees, or end with the hosts where it does not."""
    other = [host for host, category in by_hand.items() if (answered[host] == CATEGORY) != (category == CATEGORY)]
    if other:
        sys.exit(f"{len(other):,} of {len(by_hand):,} hosts are something else by hand, such as {', '.join(other[:5])}")
    held = sum(category == CATEGORY for category in by_hand.values())
    print(f"{'':26}{len(by_hand):,} hosts walked by hand agree, {held:,} of them on the list")


if __name__ == "__main__":
    main()
