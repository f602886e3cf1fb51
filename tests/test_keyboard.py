"""Who is at the keyboard is what the operating system says, for a role hangs on it."""

from __future__ import annotations

import os
import pwd

import pytest

from pipeline import keyboard

SYSTEM = pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("word", ["LOGNAME", "USER", "LNAME", "USERNAME"])
def test_the_environment_makes_nobody_somebody_else(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """Whoever sets their own LOGNAME is who they were."""
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv(word, "head.teacher")
    assert keyboard.login() == SYSTEM


@pytest.mark.parametrize(("number", "said"), [(0, "it.lead"), (1_000_777, "uid1000777")])
def test_root_through_sudo_is_who_asked_and_nobody_else_is(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    """`sudo` says whose hand it was; an account with no name is its number, whatever SUDO_USER says."""
    monkeypatch.setenv("SUDO_USER", "it.lead")
    monkeypatch.setattr(os, "getuid", lambda: number)
    assert keyboard.login() == said
