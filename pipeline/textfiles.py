"""Text files: written whole or not at all, and read by pattern."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.durable import sync


def put_text(path: Path, text: str, mode: int = 0o600, group: int | None = None) -> None:
    """Write a text file whole or not at all, fsynced; `group`: number of the group it is given to before `mode` opens it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_name(path.name + ".half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if group is not None:
        os.chown(half, -1, group)
    half.chmod(mode)
    half.rename(path)
    sync(path.parent)


def read_texts(folder: Path, patterns: Sequence[str]) -> dict[str, str]:
    """The texts of the files in `folder` that fit `patterns`, by their path inside it; a byte-order mark is dropped."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8-sig", errors="replace")
            for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()}
