"""What is said of a failure: one sentence for the user, a page, and a trace for whoever mends the program.

The text of an error may quote a log (DuckDB's do), so neither holds it: only the kind of the error and where it passed.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline import publishing, rulefiles
from pipeline.problems import FailedError, Problem
from pipeline.school import School, read_school
from pipeline.textfiles import put_text

OURS = Path(__file__).parent


def failed(folder: Path, doing: str, error: BaseException) -> FailedError:
    """The failure as a sentence. A trace is kept in var/ of the school folder, where there is one, and the sentence names it."""
    kept = _kept(folder, error)
    tell = f"once more; if it fails again, report {kept}, which holds nothing of a log" if kept else "once more, or reporting it"
    return FailedError(Problem(doing, f"failed ({_kind(error)}, {_last(error)})", tell))


def tell(folder: Path, day: date, causes: Sequence[Problem], met: Sequence[Problem], rules: str) -> list[Problem]:
    """Write the page of the night of `day`: what stopped it, what it had met. A problem when even that cannot be written."""
    try:
        publishing.failed_page(folder, known(folder), day, causes, met, {"rules": rules})
    except OSError as error:
        return [Problem("the page of this night", f"could not be written ({error.strerror})", "free space and its folder's mode")]
    return []


def known(folder: Path) -> School | None:
    """The school by its settings as they are, else by the last good ones, else unknown."""
    try:
        files = rulefiles.texts(folder)
    except OSError:
        files = {}
    read = (read_school(text.get("school.toml", ""))[0] for text in (files, rulefiles.last_good(folder)))
    return next((school for school in read if school), None)


def trace(error: BaseException) -> str:
    """The kinds of the error and of those before it, each with the frames it passed; never a message, never a value."""
    return "".join(f"{type(link).__name__}\n" + "".join(f"  {_place(frame)} in {frame.name}\n" for frame in _frames(link))
                   for link in _links(error))


def _kept(folder: Path, error: BaseException) -> str:
    """The file with the trace, from the school folder on; empty where none could be written."""
    name = f"var/failed-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
    if not (folder / "var").is_dir():
        return ""
    try:
        put_text(folder / name, trace(error), 0o600)
    except OSError:  # the disk may be full: then the sentence is all there is
        return ""
    return name


def _links(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__, limit=None))


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    shown = path.relative_to(OURS.parent) if path.is_relative_to(OURS) else path
    return f"{shown}:{frame.lineno}"


def _last(error: BaseException) -> str:
    """The last place in this program that the error passed."""
    ours = [frame for frame in _frames(error) if Path(frame.filename).is_relative_to(OURS)]
    return f"at {_place(ours[-1])}" if ours else "outside the program"


def _kind(error: BaseException) -> str:
    """The system's own words for an error of the system, with the file it speaks of; else the kind of the error."""
    if not isinstance(error, OSError) or not isinstance(error.errno, int):
        return type(error).__name__
    return os.strerror(error.errno).lower() + (f": {error.filename}" if isinstance(error.filename, str) else "")
