"""What holds for every test: repeatable searches, and no time zone or leftover of the machine it runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from queue import Empty, SimpleQueue

import pyarrow as pa
import pytest
from hypothesis import settings

from pipeline import parsing, ruleset
from pipeline.formats import Format, Layout
from pipeline.formats.fields import Parser
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


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """A night asks a hundred times that its bytes be safe from a power cut, and waits each time; no test cuts the power, so here
    the asking stays and the waiting goes. What dies in `dying.py` and every command in a process of its own still waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which refuses what is no open file, as the other does
        yield


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


class KeptParser:
    """A parser that is used again for the next log of the same format and layout, as a night uses it for batch after batch of one.

    To plan a format's select takes fifty times as long as to run it over the few lines of a test."""

    def __init__(self, form: Format, sealed: Sequence[str] = (), layout: Layout | None = None) -> None:
        self.made = (form, tuple(sealed), layout)

    def parse(self, numbered: pa.Table) -> pa.Table:
        """The lines parsed, by a parser that nobody else uses at the time."""
        idle = _kept[-1].of(id(self.made[0]), *self.made[1:])
        try:
            parser = idle.get_nowait()
        except Empty:
            parser = Parser(*self.made)
        try:
            return parser.parse(numbered)
        finally:
            idle.put(parser)


class Idle:
    """The parsers of one process that wait for lines: of one format (by the number of its object, which they hold), its verdicts
    and layout. As many kinds as a file of tests goes through again and again."""

    def __init__(self) -> None:
        self.of = lru_cache(maxsize=128)(self._none)

    def _none(self, form: int, sealed: tuple[str, ...], layout: Layout | None) -> SimpleQueue[Parser]:
        return SimpleQueue()


# A child makes parsers of its own and never lets go of its parent's: to end one there waits for threads that did not come along.
_kept = [Idle()]
os.register_at_fork(after_in_child=lambda: _kept.append(Idle()))


@pytest.fixture(autouse=True, scope="session")
def parsers_kept() -> Iterator[None]:
    """Logs of one process share their parsers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "Parser", KeptParser)
        yield
