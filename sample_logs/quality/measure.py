"""One measure: build the weeks, write their log, run the real command over it, and hold its export against the labels."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.privacy import login_key, pseudonym
from pipeline.register import checks
from pipeline.schoolfolder import journal
from pipeline.vault import Vault, load_keys

from . import bypass, innocent, misuse, ordinary, phones, places, school, scores, world
from .logs import Act, Line, lines
from .names import dice
from .scores import Found, Label, Score
from .week import Week, day_of

ROOT = Path(__file__).parent.parent.parent
HARMLESS = ("learning", "help_seeking", "background", "filter_check")   # even the naive comparator says nothing of these lists
PAUSE = 3600.0    # a pause of an hour parts two detections of the naive comparator, as it parts two incidents
TOLD = ("day", "who", "category", "truth", "kind", "intent", "outcome", "rows", "route", "also", "lines", "began", "ended")


@dataclass
class Run:
    """One visibility measured: the program and the naive comparator."""

    ours: Score
    naive: Score
    lines: int


def build(seed: int, difficulty: str, weeks: int, quiet: bool = False) -> Week:
    """The weeks of a seed, planted; `quiet` leaves ordinary traffic out."""
    week = Week(seed, difficulty, weeks, school.make(seed), world.make(seed, difficulty))
    if not quiet:
        ordinary.add(week)
    misuse.add(week)
    bypass.add(week)
    innocent.add(week)
    phones.add(week)
    places.add(week)
    ordinary.lapses(week, week.school.pupils())
    week.hush()
    return week


def write(week: Week, visibility: str, folder: Path) -> list[Line]:
    """Write the log of each day; every act is told how many lines show it."""
    folder.mkdir(parents=True)
    for act in week.acts:
        act.lines = 0
    made: list[Line] = []
    for day, hits in week.by_day():
        log = lines(hits, visibility, dice(week.seed, "log", day))
        (folder / f"access-{day}.log").write_text("".join(line.text for line in log), "utf-8", newline="\n")
        made += log
    for line in made:
        for number in line.acts:
            week.acts[number].lines += line.request
    return made


def labels(week: Week, visibility: str) -> list[Label]:
    """The labels of all acts that this visibility can show."""
    return [_label(act) for act in week.acts if act.hits and not (act.addresses
                                                                  and (visibility == "host" or act.hits[0].seat.closed))]


def _label(act: Act) -> Label:
    began, ended = min(hit.at for hit in act.hits), max(hit.at + hit.took for hit in act.hits)
    return Label(str(day_of(began)), act.who, act.category, began, ended, act.truth, act.kind, act.intent, act.outcome, act.rows,
                 act.route,
                 act.also, act.lines, act.hits[0].seat.client)


def run(week: Week, visibility: str, folder: Path) -> Run:
    """Measure one visibility in `folder`."""
    log = write(week, visibility, folder / "logs")
    done = labels(week, visibility)
    _tell(folder / "labels.csv", done)
    home = folder / "school"
    school.write_folder(home, week.school, week.world.entries(), week.world.own())
    register_checks(home, week)
    night(home, folder / "logs", str(week.days[-1]))
    said, listed = detections(home, folder), by_list(log, home / "rules")
    ours, naive = scores.score(done, said), scores.score(done, listed)
    blocked = [(str(day_of(line.began)), line.who, line.began, any(week.acts[n].truth == "true" for n in line.acts))
               for line in log if line.blocked]
    ours.blocked, naive.blocked = scores.on_list(blocked, said), scores.on_list(blocked, listed)
    ours.failures = failures(week, home)
    return Run(ours, naive, len(log))


def register_checks(home: Path, week: Week) -> None:
    """Register each window of a check in the school's log of checks, a day before it begins."""
    os.umask(0o077)  # as the command does: what it writes is closed to others
    key = load_keys(home / "var/keys").pseudonym
    about = dict.fromkeys(checks.PLAN, "as planned") | {"owner": "school", "tests": ("new_device_default",), "who": "technician",
                                                        "role": "technical_services_manager", "reason": "weekly check"}
    for number, (login, *span) in enumerate(week.windows, 1):
        begins, ends = (datetime.fromtimestamp(at, UTC) for at in span)
        journal(home, "checks").append(*checks.plan(f"K-{number:04d}", begins, ends, begins - timedelta(days=1),
                                                    person=pseudonym(key, "p", login_key(login)), **about))


def _tell(path: Path, done: Sequence[Label]) -> None:
    """labels.csv, for whoever wants to look."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(TOLD)
        rows.writerows([";".join(value) if isinstance(value := getattr(label, name), tuple) else value for name in TOLD]
                       for label in done)


def schoolgate(home: Path, *words: str | Path, good: Sequence[int] = (0,)) -> str:
    """The command as a person types it; what it printed."""
    done = subprocess.run([sys.executable, "-m", "pipeline", "--school", home, *words], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    if done.returncode not in good:
        sys.exit(f"schoolgate {words[0]} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    if done.returncode:
        print(done.stderr[:1000], file=sys.stderr)
    return done.stdout


def night(home: Path, logs: Path, today: str) -> None:
    """The nights of all days, in order; 5 (something is to be mended) is shown and goes on."""
    schoolgate(home, "nightly", "--today", today, logs, good=(0, 5))


def detections(home: Path, folder: Path) -> list[Found]:
    """The export with names; matters of staff, which it leaves out, from the one without, led back to a login by the vault."""
    schoolgate(home, "export", "detections", "--names", "--to", folder / "named.csv")
    schoolgate(home, "export", "detections", "--to", folder / "nameless.csv")
    names = Vault(home / "var/vault/names", load_keys(home / "var/keys").vault).names()
    named = dict.fromkeys(read(folder / "named.csv", names))
    return list(named | dict.fromkeys(read(folder / "nameless.csv", names)))


def read(path: Path, names: Mapping[str, str]) -> Iterator[Found]:
    """The rows of an export, pseudonyms led back by `names`."""
    with path.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            began, ended = (datetime.fromisoformat(row[name]).timestamp() for name in ("start_utc", "end_utc"))
            yield Found(row["date"], names.get(row["user"], row["user"]), row["category"], began, ended, row["ref"],
                        row["outcome"],
                        row["intent"], tuple(row["rows"].split(";")) if row["rows"] else (), row["route"])


def by_list(log: Sequence[Line], rules: Path) -> list[Found]:
    """What a plain look-up says of the same log: a host on a list is a detection of its user, day and category."""
    known, found, open_ = world.starter(rules), list[Found](), dict[tuple[str, str, str], tuple[float, float]]()
    category = {host: _listed(host, known) for host in {line.host for line in log}}
    for line in sorted(log, key=lambda line: line.began):
        kind = category[line.host]
        if not line.request or not kind or kind in HARMLESS:
            continue
        key = str(day_of(line.began)), line.who, kind
        began, ended = open_.get(key, (line.began, line.ended))
        if line.began - ended > PAUSE:
            found.append(Found(*key, began, ended, f"L{len(found)}"))
            began = line.began
        open_[key] = began, max(ended, line.ended)
    return found + [Found(*key, *span, f"L{len(found) + n}") for n, (key, span) in enumerate(open_.items())]


def _listed(host: str, known: Mapping[str, str]) -> str:
    """The category of the longest listed name that holds the host."""
    labels_ = host.split(".")
    return next((known[name] for n in range(len(labels_)) if (name := ".".join(labels_[n:])) in known), "")


def failures(week: Week, home: Path) -> tuple[int, int]:
    """Filter failures planted, and those of them that the breach log has."""
    with (home / "reports/technical/breaches.csv").open(encoding="utf-8", newline="") as rows:
        told = {row["site"].replace("[.]", ".") for row in csv.DictReader(rows) if row["part"] == "failure"}
    return len(week.failures), sum(site in told for site in week.failures)


def particulars(score: Score) -> list[str]:
    """What was missed, and what was said wrongly, a line each."""
    return [f"missed  {label.day} {label.category:32} {label.kind:34} {label.outcome:8} {label.lines} lines"
            for label in score.missed] + [
        f"wrong   {one.day} {one.category:32} {one.route:12} {one.who}" for one in score.false]
