"""What holds for every test: repeatable searches, and no time zone or leftover of the machine it runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

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
