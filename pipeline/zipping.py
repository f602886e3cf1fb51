"""Packs written as one zip, whole or not at all, for their owner alone; the same files always give the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.durable import private
from pipeline.problems import FailedError, Problem, UsageError
from pipeline.textfiles import put_text

BEGAN = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can say: the time of making stands inside, not on the files


def writable(to: Path) -> None:
    """UsageError when a pack cannot be written there."""
    if not to.parent.is_dir():
        raise UsageError(Problem(str(to), "is in a folder that is not there", "a folder that is"))
    if to.exists():
        raise UsageError(Problem(str(to), "is there already", "another name: a pack is never written over"))


def write(to: Path, inside: str, files: Mapping[str, bytes]) -> None:
    """Write `files` below the folder `inside` of a zip; FailedError when the disk will not."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in files.items():
            about = zipfile.ZipInfo(f"{inside}/{name}", BEGAN)
            about.external_attr = 0o600 << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            box.writestr(about, data)
    half = to.with_name(f".{to.name}.half")
    try:
        with private(half) as stream:
            stream.write(out.getvalue())
        half.rename(to)
    except OSError as error:
        raise FailedError(Problem(str(to), f"could not be written ({error.strerror})", "another place")) from None


def text(to: Path, said: str) -> None:
    """Write a text whole or not at all; FailedError when the disk will not."""
    try:
        put_text(to, said)
    except OSError as error:
        raise FailedError(Problem(str(to), f"could not be written ({error.strerror})", "another place")) from None
