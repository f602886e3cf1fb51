"""Processes that die by SIGKILL just before a write step, as a night does when the power of its scheduler ends.

A write step is a call that makes bytes last, or that renames or removes a file. What a killed process has written stays
in the system's hands, so two steps between which the folder does not change are one step, and one of them is enough.
"""

from __future__ import annotations

import os
import re
import signal
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CALLS = ("fsync", "rename", "replace", "unlink", "rmdir", "mkdir", "truncate")
FIGURES = re.compile(r"[0-9a-f]{8,}|\d+|s[a-z2-7]{11}")  # numbers, hashes, and pseudonyms of sources
FSYNC = os.fsync  # the system's own, which `conftest.py` leaves out elsewhere
TOO_LONG = 120  # seconds after which a child that hangs is ended


@dataclass(frozen=True)
class Step:
    """The number of a write step in its night, and what it is about to do."""

    number: int
    what: str


def _watched(before: Callable[[str], None]) -> None:
    """From here on `before` is told of each write step of this process just before it is taken."""
    for name in CALLS:
        setattr(os, name, _told(before, name, getattr(os, name)))


def _told(before: Callable[[str], None], name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        before(f"{name} {_named(args[0])}")
        return real(*args, **more)
    return call


def _named(place: Any) -> str:
    return Path(f"/proc/self/fd/{place}").readlink().as_posix() if isinstance(place, int) else str(place)


def child(work: Callable[[], object]) -> int:
    """Do `work` in a process of its own, with all that is loaded here; its exit code, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(TOO_LONG)
            work()
            code = 0
        except BaseException:  # a child must never come back into the tests of its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed(work: Callable[[], object], step: int) -> int:
    """Do `work` in a process of its own that is killed just before this write step; how it ended."""
    taken = 0

    def before(what: str) -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def doomed() -> None:
        os.fsync = FSYNC
        _watched(before)
        work()
    return child(doomed)


def steps(folder: Path, work: Callable[[], object]) -> list[Step]:
    """The write steps of `work`, done whole in a process of its own: those before which `folder` is not as at the step before."""
    note = folder.with_name(folder.name + ".steps")

    def watched() -> None:
        taken, seen = 0, None
        with note.open("w", encoding="utf-8") as stream:
            def before(what: str) -> None:
                nonlocal taken, seen
                taken += 1
                if (shows := _shown(folder)) != seen:
                    seen = shows
                    stream.write(f"{taken} {what.replace(str(folder), '')}\n")
            _watched(before)
            work()
    assert child(watched) == 0
    found = [text.split(" ", 1) for text in note.read_text("utf-8").splitlines()]
    note.unlink()
    return [Step(int(number), what) for number, what in found]


def kinds(found: Iterable[Step]) -> list[Step]:
    """The first and the last step of each kind (of pages the first): a day, a generation and a source differ in figures, tables beside a page in their
    names, and one is written as the other. The derived tables of a day are one kind, but for the incidents, which a purge writes anew: one loop writes them, another removes what they replace, and nobody
    reads any before the day's entry. `make soak` kills at any."""
    ends: dict[str, list[Step]] = {}
    for step in found:
        ends.setdefault(_kind(step.what), []).append(step)
    return sorted({step for same in ends.values() for step in (same[0], same[-1] if "/reports/" not in same[0].what else same[0])},
                  key=lambda step: step.number)


def _kind(what: str) -> str:
    return re.sub(r"/lake/(?!lines/|incidents/)[a-z_]+/", "/lake/*/", re.sub(r"/[^/]*\.csv", "/*.csv", FIGURES.sub("#", what)))


def _shown(folder: Path) -> list[tuple[Any, ...]]:
    """Every file and folder as another process finds it."""
    found = [(str(path), path.stat()) for path in folder.rglob("*")]
    return sorted((name, is_.st_ino, is_.st_size if not Path(name).is_dir() else 0, is_.st_mtime_ns) for name, is_ in found)
