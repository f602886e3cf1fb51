"""The command `schoolgate` as a person types it: in a process of its own, or, where that is not what is proven, in this one.

A process of its own loads the program, reads the rules and warms up all that draws pages each time: two thirds of a small night.
Each command that goes through here has a process of its own at least once (`typed`); the other times what it says, leaves and ends
with is what is proven.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pipeline import cli

ROOT = Path(__file__).parent.parent


def typed(school: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "--school", str(school), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def schoolgate(school: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in this process."""
    return here("--school", str(school), *words)


def here(*words: str) -> subprocess.CompletedProcess[str]:
    """Any words of the command in this process: started in the same folder, with streams of its own, ended with the same code."""
    argv, place, mask = sys.argv, Path.cwd(), os.umask(0o077)
    sys.argv = ["schoolgate", *words]
    os.chdir(ROOT)
    code = 0
    try:
        with TemporaryFile() as out, TemporaryFile() as err:
            with _instead_of(out, 1, "stdout"), _instead_of(err, 2, "stderr"):
                try:
                    cli.main()
                except SystemExit as ended:
                    code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            return subprocess.CompletedProcess(sys.argv, code, _text(out), _text(err))
    finally:
        sys.argv = argv
        os.chdir(place)
        os.umask(mask)


@contextmanager
def _instead_of(file: IO[bytes], number: int, name: str) -> Iterator[None]:
    """`file` in the place of a stream, for the libraries below too, which know it by its number."""
    before, kept = getattr(sys, name), os.dup(number)
    before.flush()
    os.dup2(file.fileno(), number)
    stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    setattr(sys, name, stream)
    try:
        yield
    finally:
        stream.flush()
        setattr(sys, name, before)
        os.dup2(kept, number)
        os.close(kept)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
