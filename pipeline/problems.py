"""What can be wrong, said the same way everywhere: where, what, and what to try.

    SchoolgateError        shown to the user as one sentence, never as a traceback
    ├── UsageError         exit 2: the command or the rules cannot be used as they stand
    ├── RefusedError       exit 3: refused for safety
    └── FailedError        exit 4: the work failed
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    REFUSED = 3
    FAILED = 4
    MEND = 5


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong: where (file, line or thing), what, and what to try."""

    where: str
    what: str
    try_this: str = ""

    def __str__(self) -> str:
        tail = f" Try: {self.try_this}." if self.try_this else ""
        return f"{self.where}: {self.what}.{tail}"


class SchoolgateError(Exception):
    """A failure that a person can act on; carries its problems and its exit code."""

    code = Exit.FAILED

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UsageError(SchoolgateError):
    """The command, or the rules, cannot be used as they stand."""

    code = Exit.USAGE


class RefusedError(SchoolgateError):
    """Refused for safety: a secret or folder that is too open, another night at work."""

    code = Exit.REFUSED


class FailedError(SchoolgateError):
    """The work could not be finished."""

    code = Exit.FAILED
