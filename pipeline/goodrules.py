"""The rules that a school folder is judged by: its own, or the last good ones where those are broken, with the imported lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline import rulefiles, ruleset
from pipeline.account import Account
from pipeline.liststore import Lists
from pipeline.problems import Problem, UsageError
from pipeline.ruleset import Rules


def read(folder: Path, account: Account) -> Rules:
    """The rules to judge by; the account says by which, and a problem for each fault. UsageError: there are none that hold."""
    return _with_lists(folder, _read(folder, account), account)


def _read(folder: Path, account: Account) -> Rules:
    """The rules of the folder, or the last good ones under a problem for each fault."""
    files = rulefiles.texts(folder)
    rules, faults = ruleset.read_all(files)
    account.problems += faults
    account.rules = rulefiles.fingerprint(files)
    account.policy = rulefiles.policy_mark(files)
    if rules is not None:
        if not faults:
            rulefiles.keep_good(folder, files)
        return rules
    good = rulefiles.last_good(folder) | {name: text for name, text in files.items() if name == "people.csv"}
    rules, _ = ruleset.read_all(good)
    if rules is None:
        account.problems.clear()
        raise UsageError(*faults)
    account.problems.insert(0, Problem("rules", "are broken, so the last good ones were used", "mending the faults that follow"))
    account.rules, account.policy = rulefiles.fingerprint(good) + " (last good)", rulefiles.policy_mark(good)
    return rules


def _with_lists(folder: Path, rules: Rules, account: Account) -> Rules:
    """The rules with the imported lists; each list is part of the fingerprint, and one that is damaged is left out and said."""
    lists = Lists(folder)
    known, problems = lists.found()
    account.problems += problems
    if known:
        account.rules += f" with lists {rulefiles.fingerprint({name: about['hash'] for name, about in known.items()})}"
    return replace(rules, imported=[str(lists.path(name)) for name in known])
