"""What holds for every test: repeatable searches, and no time zone or leftover of the machine it runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from hypothesis import settings

from pipeline import ruleset
from pipeline.problems import Problem
from pipeline.ruleset import Rules

_read_all = ruleset.read_all

# The same examples at every run, so that a red test is red again; no deadline, since two workers share the machine.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def foreign_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own zone is far from the school's: whoever leans on it is found out."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")


@pytest.fixture(autouse=True, scope="session")
def closed_to_others() -> Iterator[None]:
    """What tests make is closed to others, as the command makes it."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@cache
def _rules_of(files: tuple[tuple[str, str], ...]) -> tuple[Rules | None, tuple[Problem, ...]]:
    rules, faults = _read_all(dict(files))
    return rules, tuple(faults)


def read_once(files: Mapping[str, str]) -> tuple[Rules | None, list[Problem]]:
    """What `ruleset.read_all` makes of these texts. It hangs on nothing else, so a process reads the same texts once: to read
    them is a third of a small night, and the tests run hundreds."""
    rules, faults = _rules_of(tuple(sorted(files.items())))
    return rules, list(faults)


@pytest.fixture(autouse=True, scope="session")
def rules_read_once() -> Iterator[None]:
    """Nights of one process share the rules that they read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ruleset, "read_all", read_once)
        yield
