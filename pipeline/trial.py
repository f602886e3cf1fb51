"""What an edit of the rules would have changed over the last school days, before a night runs by it: incidents gained and lost.

The same steps twice, by the rules of the last night and by the files as they are now, on lines that are still kept. Nothing is
written, and nobody is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline import history, judging, rulefiles, ruleset, schoolfolder, sql
from pipeline.checking import Window, windows
from pipeline.incidents import key_of, stories
from pipeline.lake import Lake
from pipeline.liststore import Lists
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register.checks import fold_checks
from pipeline.ruleset import Rules
from pipeline.vault import Keys, load_keys

DAYS = 14
SHOWN = 20  # incidents gained, and lost, that are said one by one
ONLY_RULES = ("rules/detect/", "rules/exceptions.csv")  # visits and verdicts do not hang on these
Rows = Sequence[Mapping[str, Any]]


@dataclass
class Difference:
    """What differs over the days tried: detections by rule, and incidents."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    incidents: Counter[str] = field(default_factory=Counter)
    told: dict[str, list[str]] = field(default_factory=lambda: {"gained": [], "lost": []})
    days: list[date] = field(default_factory=list)


def trial(folder: Path, days: int = DAYS) -> list[str]:
    """What the files as they are now would have changed over the last `days` school days that still have lines.

    UsageError: they cannot be judged by. RefusedError: no night has run by other rules, or its lines are gone.
    """
    schoolfolder.require_school(folder)
    with rulefiles.locked(folder):
        now, last = rulefiles.texts(folder), rulefiles.last_good(folder)
        last |= {name: text for name, text in now.items() if name == "people.csv"}
        edited = sorted(name for name in now.keys() | last.keys() if now.get(name) != last.get(name))
        if not rulefiles.last_good(folder) or not edited:
            raise RefusedError(Problem(str(folder), "has had no night yet", "schoolgate nightly LOG") if edited else
                               Problem(str(folder), "has no edit since the last night", "an edit below rules/, then again"))
        old, new = _rules(folder, last), _rules(folder, now)
        keys = load_keys(folder / new.school.keys)
        found = compare(schoolfolder.open_lake(folder, keys), old, new, keys, days,
                        same_visits=all(name.startswith(ONLY_RULES) for name in edited),
                        tests=windows(fold_checks(schoolfolder.journal(folder, "checks").entries()).values()))
    if not found.days:
        raise RefusedError(Problem(str(folder), "has no day whose lines are still kept", "schoolgate nightly LOG"))
    return list(_told(found, edited))


def _rules(folder: Path, files: Mapping[str, str]) -> Rules:
    rules, faults = ruleset.read_all(files)
    if rules is None or faults:
        raise UsageError(*faults)
    lists = Lists(folder)
    return with_(rules, imported=[str(lists.path(name)) for name in lists.found()[0]])


def compare(lake: Lake, old: Rules, new: Rules, keys: Keys, days: int, *, same_visits: bool,
            tests: Sequence[Window] = ()) -> Difference:
    """What `new` changes over the last `days` days with lines; `same_visits`: only what fires may differ; `tests`: the windows
    of checks."""
    found = Difference()
    for day in sorted(set(lake.days_with_lines()) - lake.purged())[-days:]:
        con = sql.connect()
        parts = lake.view(con, day)
        logs = judging.logs_of(old, lake.sources())
        seen = judging.see(con, day, old, keys.pseudonym, logs, history.before(lake, day, old, tests), parts)
        was = _fired(con, day, old, keys, seen)
        if not same_visits:
            logs = judging.logs_of(new, lake.sources())
            seen = judging.see(con, day, new, keys.pseudonym, logs, history.before(lake, day, new, tests), parts)
        _add(found, day, was, _fired(con, day, new, keys, seen))
    return found


def _fired(con: duckdb.DuckDBPyConnection, day: date, rules: Rules, keys: Keys, seen: judging.Seen) -> tuple[Rows, Rows]:
    """The detections that are shown, and the incidents they make."""
    shown = judging.shown_of(judging.fire(con, day, rules, keys.pseudonym, seen)[0])
    return shown.to_pylist(), stories(shown).to_pylist()


def _add(found: Difference, day: date, was: tuple[Rows, Rows], now: tuple[Rows, Rows]) -> None:
    """Take one day into the difference."""
    found.days.append(day)
    old, new = ({key_of(dict(row)): str(row["rule"]) for row in rows} for rows in (was[0], now[0]))
    found.before.update(old.values())
    found.after.update(new.values())
    found.gained.update(new[key] for key in new.keys() - old.keys())
    found.lost.update(old[key] for key in old.keys() - new.keys())
    gained, lost = _apart(now[1], was[1]), _apart(was[1], now[1])
    found.incidents.update(before=len(was[1]), after=len(now[1]), gained=len(gained), lost=len(lost))
    found.told["gained"] += map(_incident, gained)
    found.told["lost"] += map(_incident, lost)


def _apart(some: Rows, others: Rows) -> list[Mapping[str, Any]]:
    """The incidents that share no detection with any of the others."""
    known = {key for story in others for key in story["keys"]}
    return [story for story in some if not known.intersection(story["keys"])]


def _incident(story: Mapping[str, Any]) -> str:
    """One incident in a line, without a person: a sealed one says nothing but that it is."""
    sites = ", ".join(site.replace(".", "[.]") for site in story["sites"][:3])
    rules = ", ".join(dict.fromkeys(key.split("|", 1)[0] for key in story["keys"]))
    return (f"{story['day']}  {story['tier']}  {story['route']:11}  {story['outcome']:7}  {story['intent']:10}  "
            f"{', '.join(story['categories'])}: {sites}  ({rules})")


def _told(found: Difference, edited: Sequence[str]) -> Iterator[str]:
    span = str(found.days[0]) if len(found.days) == 1 else f"{found.days[0]} to {found.days[-1]}"
    yield f"tried       {len(found.days)} school days, {span}"
    yield f"edited      {', '.join(edited[:5])}" + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
    i = found.incidents
    yield (f"incidents   {i['before']:,} by the last night's rules, {i['after']:,} by these: "
           f"{i['gained']:,} gained, {i['lost']:,} lost")
    rules = [rule for rule in sorted(found.before | found.after) if found.gained[rule] or found.lost[rule]]
    if not rules:
        yield "rules       none fires otherwise"
        return
    width = max(map(len, rules))
    yield f"{'rule':{width}}  before     now  gained    lost"
    for rule in rules:
        yield (f"{rule:{width}}  {found.before[rule]:6,}  {found.after[rule]:6,}  {found.gained[rule]:6,}  {found.lost[rule]:6,}")
    for what in ("gained", "lost"):
        yield from _listed(what, found.told[what])


def _listed(what: str, lines: Sequence[str]) -> Iterable[str]:
    if lines:
        yield f"{what}:"
        yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN:,} more"
