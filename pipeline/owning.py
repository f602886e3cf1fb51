"""What is on no list, and the school's own list: what there is to add, and adding it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline import ownlist, rulefiles, schoolfolder, unlisted
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.uncategorised import Unknown
from pipeline.vault import load_keys

SHOWN = 100  # sites that the command prints: more than a week's page has, and still one screenful to page through


def add(folder: Path, entry: str, category: str, reason: str, owner: str, until: str) -> str:
    """Put a row into the school's own list, whole or not at all; UsageError says why it cannot be."""
    rules, today = schoolfolder.rules(folder), datetime.now(UTC).date()
    row = {"entry": entry.strip().lower(), "category": category, "reason": reason, "owner": owner, "until": until}
    with rulefiles.locked(folder):
        text = rulefiles.exact(folder, ownlist.WHERE)
        whole, faults = ownlist.put_in(text, row, today, list(rules.policy.categories))
        if faults:
            raise UsageError(*faults)
        rulefiles.put(folder, ownlist.WHERE, whole)
    return (f"{row['entry']} is {category} from the next night on{f', until {until}' if until else ''}. "
            "That night's change log has it, and `schoolgate change add` who approved it.")


def unknown(folder: Path, first: date | None, last: date | None, least: int | None) -> list[str]:
    """The sites on no list that most people met, a line each; by default of the last week that was judged."""
    rules = schoolfolder.rules(folder)
    lake = schoolfolder.open_lake(folder, load_keys(folder / rules.school.keys))
    judged = sorted(lake.judged())
    if not judged:
        raise RefusedError(Problem(str(folder), "has no judged day yet", "schoolgate nightly LOG"))
    until = last or judged[-1]
    since = first or until - timedelta(days=unlisted.WEEK - 1)
    few = rules.school.small_number if least is None else least
    found = unlisted.of_days(lake, rules, [day for day in judged if since <= day <= until], few, SHOWN)
    return [f"{since} to {until}: {len(found) or 'no'} sites on no list that {few:,} people or more met", *_table(found)]


def _table(found: Sequence[Unknown]) -> list[str]:
    """A heading and a line a site, in columns."""
    head = ("people", "days", "requests", "blocked", "in lessons", "first seen", "site", "words", "hosted on")
    rows = [(f"{one.people:,}", str(one.days), f"{one.requests:,}", f"{one.blocked:,}", one.share, str(one.first or ""), one.site,
             " ".join(one.words), one.platform) for one in found]
    wide = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    return ["  ".join(cell.rjust(wide[n]) if n < 5 else cell.ljust(wide[n]) for n, cell in enumerate(row)).rstrip()
            for row in (head, *rows)] if rows else []
