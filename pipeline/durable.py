"""Writing that outlasts a power cut: for the owner alone, whole or not at all, and on the disk before it is said to be there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def sync(path: Path) -> None:
    """Have a file, or what a folder names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def private(path: Path, *, new: bool = False) -> Iterator[BinaryIO]:
    """A file for its owner alone (0600), emptied to be written, and on the disk when the block ends well.

    `new`: it must not be there yet, else FileExistsError.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC), 0o600)
    with os.fdopen(handle, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A private file that stands in the place of `path` when the block ends well; else `path` is as it was."""
    half = path.with_name(f".{path.name}.half")
    with private(half) as stream:
        yield stream
    half.rename(path)
    sync(path.parent)


def emptied(folder: Path) -> Path:
    """`folder`, made 0700 and empty: for spilling."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder
