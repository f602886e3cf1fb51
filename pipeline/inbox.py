"""`returns/`: where people put sheets that the next night reads. Whose file a sheet is says who returned it.

A sheet that was read goes to `returns/read/`; one that was refused stays, and beside it stands an answer that says why.
"""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from pipeline.problems import Problem, UsageError
from pipeline.textfiles import put_text

FOLDER = "returns"
ANSWER = ".answer.txt"


def made(folder: Path, group: str = "") -> Path:
    """The inbox, made where it is missing: open to its group where there is one, else to its owner alone."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True, mode=0o700)
    try:
        number = grp.getgrnam(group).gr_gid if group else None
        if number is not None and place.stat().st_uid == os.geteuid():
            os.chown(place, -1, number)
            place.chmod(0o770)
    except (KeyError, OSError):  # no such group, or not ours to give: the owner's alone, as `schoolgate check` says of [groups]
        return place
    return place


def waiting(folder: Path) -> list[Path]:
    """The sheets in the inbox, by name; links and folders are no sheets."""
    place = folder / FOLDER
    found = place.glob("*.csv") if place.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def contents(path: Path, most: int) -> bytes:
    """What a sheet holds; UsageError when it is not there, or larger than any sheet."""
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise UsageError(Problem(str(path), f"could not be read ({error.strerror})", "its path and mode")) from None
    if len(data) > most:
        raise UsageError(Problem(str(path), f"is larger than {most:,} bytes", "the sheet as the night wrote it"))
    return data


def owner(path: Path) -> str:
    """The login whose file it is; its number where the machine knows no name."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def answer(path: Path, text: str) -> None:
    """Put an answer beside a sheet, for whoever may read the sheet."""
    put_text(path.with_name(path.name + ANSWER), text, path.stat().st_mode & 0o660)


def put_away(path: Path) -> None:
    """Move a sheet that was read out of the inbox; an earlier one of its name keeps its place under a number."""
    place = path.parent / "read"
    place.mkdir(exist_ok=True, mode=0o700)
    number, to = 1, place / path.name
    while to.exists():
        number, to = number + 1, place / f"{path.stem}-{number}{path.suffix}"
    path.rename(to)
    path.with_name(path.name + ANSWER).unlink(missing_ok=True)
