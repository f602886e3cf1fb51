"""Pages made by hand, as the night makes them: the desk they are made at, and a report for a period."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pipeline import folders, goodrules, publishing, rulefiles, schoolfolder
from pipeline.account import Account
from pipeline.lake import Lake
from pipeline.problems import Problem, RefusedError
from pipeline.registers import Registers
from pipeline.ruleset import Rules
from pipeline.vault import Keys, Vault, load_keys
from pipeline.version import VERSION


def desk(folder: Path, lake: Lake, rules: Rules, keys: Keys, books: Registers, account: Account) -> publishing.Desk:
    """The desk that pages are made at, with the names as people.csv has them on the last judged day."""
    heads = {name: book.head()[:16] for name, book in books.items() if name not in schoolfolder.ASIDE}
    groups, problems = folders.share(folder, rules.school.groups)
    account.problems += problems
    names = Vault(folder / "var/vault/names", keys.vault).names()
    who = publishing.who_is(rules, keys.pseudonym, names, max(lake.judged(), default=date.max))
    policy = f"{rules.policy.issued:%B %Y}, {account.policy}"
    versions = {"schoolgate": VERSION, "policy": policy, "rules": account.rules, "register": heads}
    return publishing.Desk(folder, lake, rules, books, who, versions, groups, key=keys.pseudonym)


@contextmanager
def at_desk(folder: Path, account: Account) -> Iterator[publishing.Desk]:
    """The desk of a school folder, under its lock, by the rules as they are; RefusedError, UsageError: none can be had."""
    schoolfolder.require_school(folder)
    if not (folder / "var").is_dir():
        raise RefusedError(Problem(str(folder), "has judged no day yet", "schoolgate nightly LOG"))
    with rulefiles.locked(folder):
        rules = goodrules.read(folder, account)
        folders.check(folder, rules.school.groups)
        keys = load_keys(folder / rules.school.keys)
        books = schoolfolder.registers(folder, keys)
        yield desk(folder, schoolfolder.open_lake(folder, keys), rules, keys, books, account)


def report(folder: Path, name: str, period: str = "") -> Account:
    """Issue the pages of a report for a period ('' for the latest there is), as the night does, by the rules as they are.

    RefusedError, UsageError: nothing was written.
    """
    account = Account()
    with at_desk(folder, account) as place:
        publishing.report(place, name, period)
        publishing.indexes(folder, place.rules.school, place.groups)
    account.pages = [str(path.relative_to(folder)) for path in place.written]
    return account
