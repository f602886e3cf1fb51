"""When each job last ran and how it ended: a small file a job, var/runs/<job>.json. It holds no name and nothing of a log."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.problems import Exit, SchoolgateError
from pipeline.textfiles import put_text

TIMES = ("first", "began", "ended", "good")
DONE = (Exit.DONE, Exit.FINDINGS, Exit.MEND)


@dataclass(frozen=True)
class Run:
    """A job's last run: when it began, when it ended and with which exit code (None: not yet, or cut short), and its process.

    `first`: when the job ran for the first time. `good`: when the last run began that did its work (0, 1 or 5), if any did.
    """

    first: datetime
    began: datetime
    ended: datetime | None
    code: int | None
    good: datetime | None
    process: int

    @property
    def at_work(self) -> bool:
        """Whether the run has not ended and its process is there."""
        return self.ended is None and Path(f"/proc/{self.process}").exists()


@dataclass
class Note:
    """What a run says of itself before it ends."""

    code: int = Exit.DONE


def last(folder: Path, job: str) -> Run | None:
    """The last run of a job; None when it never ran, or its file cannot be read."""
    try:
        said: dict[str, Any] = json.loads(_place(folder, job).read_text("utf-8"))
        return Run(**said | {name: datetime.fromisoformat(said[name]) if said[name] else None for name in TIMES})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def known(folder: Path) -> dict[str, Run]:
    """The last run of every job that ran."""
    found = {path.stem: last(folder, path.stem) for path in sorted((folder / "var/runs").glob("*.json"))}
    return {job: run for job, run in found.items() if run}


@contextmanager
def noted(folder: Path, job: str, began: datetime | None = None) -> Iterator[Note]:
    """Write down that a job of a school folder begins, and, however it ends, its exit code."""
    at, before, note = began or datetime.now(UTC), last(folder, job), Note()
    run = Run(before.first if before else at, at, None, None, before.good if before else None, os.getpid())
    _keep(folder, job, run)
    code: int = Exit.FAILED
    try:
        yield note
        code = note.code
    except SchoolgateError as error:
        code = error.code
        raise
    finally:
        with suppress(OSError):  # a full disk has its own sentence, which this one must not take the place of
            _keep(folder, job, replace(run, ended=datetime.now(UTC), code=int(code), good=at if code in DONE else run.good))


def _keep(folder: Path, job: str, run: Run) -> None:
    said = run.__dict__ | {name: value.isoformat(timespec="seconds") if (value := getattr(run, name)) else None for name in TIMES}
    put_text(_place(folder, job), json.dumps(said, sort_keys=True))


def _place(folder: Path, job: str) -> Path:
    return folder / "var/runs" / f"{job}.json"
