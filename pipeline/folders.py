"""The folders the program writes in, and who may open them.

`var/` is its owner's alone. `reports/<reader>/` is open to the group that school.toml names for that reader (0750, files
0640), and to its owner alone where none is named (0700, files 0600). Only these folders, which the program makes, are
checked; the school folder itself is the school's, and is only looked at for whether a named group can pass through it.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.problems import Problem, RefusedError
from pipeline.textfiles import put_text

READERS = ("technical", "safeguarding", "principal", "leadership", "governors")
LATER = re.compile(r"(year|house)-[a-z0-9-]+|access")  # Heads of Year and House, and who audits looks: made when there is
# something for them, or a group
INDEX = "index.html"
HEAD = re.compile(rb"<dt>register ([a-z]+)</dt>\s*<dd>([0-9a-f]{8,64})</dd>")  # as parts.html lays them out


def group_faults(named: Mapping[str, str], where: str = "school.toml") -> list[Problem]:
    """A problem for each line of [groups] whose reader or whose group there is not."""
    return [*(Problem(f"{where}, groups.{reader}", "is no reader", f"one of {', '.join(READERS)}, access, year-9 or house-heron")
              for reader in named if not _is_reader(reader)),
            *(Problem(f"{where}, groups.{reader}", f"'{group}' is no group of this machine", f"groupadd {group}, or another name")
              for reader, group in named.items() if _is_reader(reader) and _number(group) is None)]


def _is_reader(name: str) -> bool:
    return name in READERS or LATER.fullmatch(name) is not None


def readers(reports: Path, named: Mapping[str, str]) -> list[str]:
    """The readers, with those of later that have a group or a folder."""
    there = sorted(place.name for place in reports.glob("*") if place.is_dir() and LATER.fullmatch(place.name))
    return list(dict.fromkeys([*READERS, *(name for name in named if LATER.fullmatch(name)), *there]))


def check(folder: Path, named: Mapping[str, str]) -> None:
    """RefusedError, with the command that mends it, for each folder of the program's that is open to others."""
    mine = {os.geteuid()} if os.geteuid() else {0, folder.stat().st_uid}
    faults = list(_open(folder / "var", 0o700, None, mine))
    for reader in readers(folder / "reports", named):
        place = folder / "reports" / reader
        faults += _open(place, 0o750 if reader in named else 0o700, _number(named.get(reader, "")), mine)
    if faults:
        raise RefusedError(*faults)


def _open(place: Path, mode: int, group: int | None, mine: set[int]) -> Iterator[Problem]:
    """What lets others into a folder; nothing where it is not there yet."""
    if not place.is_dir():
        return
    found = place.stat()
    if found.st_uid not in mine:
        yield Problem(str(place), "belongs to somebody else", f"chown {_me()} {place}")
    if found.st_mode & 0o777 & ~mode:
        yield Problem(str(place), "is open to others", f"chmod {mode:o} {place}")
    elif found.st_mode & 0o070 and group not in (None, found.st_gid):
        yield Problem(str(place), "is open to another group than school.toml names", f"chgrp {_called(group)} {place}")


def share(folder: Path, named: Mapping[str, str]) -> tuple[dict[str, int], list[Problem]]:
    """Make each reader's folder and open it to its group; the group's number by reader, and a problem where it could not be.

    A reader whose group is not known, or may not be given files by this account, keeps a folder for its owner only.
    """
    problems = group_faults(named, str(folder / "school.toml"))
    groups = {}
    (folder / "reports").mkdir(exist_ok=True, mode=0o700)
    for reader in readers(folder / "reports", named):
        place = folder / "reports" / reader
        place.mkdir(exist_ok=True, mode=0o700)
        group = _number(named.get(reader, ""))
        if group is None:
            continue
        try:
            os.chown(place, -1, group)
            place.chmod(0o750)
        except OSError:  # not its owner, not a member of the group, or a disk without groups
            problems.append(Problem(str(place), f"could not be opened to the group {named[reader]}: only its owner can read it",
                                    f"usermod -aG {named[reader]} {_me()}"))
        else:
            groups[reader] = group
    return groups, problems + (_passable(folder) if groups else [])


def _passable(folder: Path) -> list[Problem]:
    """Let named groups pass through reports/; a problem where the school folder does not let them reach it."""
    reports = folder / "reports"
    if not reports.stat().st_mode & 0o001 and reports.stat().st_uid == os.geteuid():
        reports.chmod(reports.stat().st_mode & 0o777 | 0o011)
    return [Problem(str(place), "lets no group pass to its reports", f"chmod a+x {place}")
            for place in (folder, reports) if not place.stat().st_mode & 0o011]


def put_tables(page: Path, tables: Mapping[str, str], group: int | None) -> list[Path]:
    """Write the tables that stand beside a page, `stem.name.csv` each; one of an earlier making that it has no more goes."""
    wanted = {page.with_suffix(f".{name}.csv"): text for name, text in tables.items()}
    for place, text in wanted.items():
        put_page(place, text, group)
    for place in page.parent.glob(f"{page.stem}.*.csv"):
        if place not in wanted:
            place.unlink()
    return list(wanted)


def put_page(place: Path, text: str, group: int | None) -> None:
    """Write one page whole or not at all: 0640 for its group, 0600 where there is none."""
    put_text(place, text, 0o600 if group is None else 0o640, group)


def pages(folder: Path, reader: str) -> list[str]:
    """The names of a reader's pages and tables, but for the index."""
    found = (path.name for kind in ("*.html", "*.csv") for path in (folder / "reports" / reader).glob(kind))
    return sorted(name for name in found if name != INDEX)


def as_issued(folder: Path, reader: str, stem: str) -> dict[str, bytes]:
    """A reader's page and the tables beside it as they stand there, by file name; none where it was never issued."""
    place = folder / "reports" / reader
    return {path.name: path.read_bytes() for path in sorted(place.glob(f"{stem}.*")) if path.suffix in (".html", ".csv")}


def renew(place: Path, text: str, group: int | None) -> None:
    """Write a page unless it stands there already, word for word and as open as it should be."""
    mode = 0o600 if group is None else 0o640
    if place.exists() and place.stat().st_mode & 0o777 == mode and place.read_text("utf-8") == text:
        return
    put_page(place, text, group)


def says(page: Path, title: str) -> bool:
    """Whether a page is there and has that title."""
    if not page.exists():
        return False
    with page.open(encoding="utf-8") as stream:
        return f"<title>{title}" in stream.read(2000)


def _number(group: str) -> int | None:
    """The number of a group of this machine; None when there is none of that name."""
    try:
        return grp.getgrnam(group).gr_gid if group else None
    except KeyError:
        return None


def _me() -> str:
    """The account that runs this, by its name where it has one."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _called(group: int | None) -> str:
    return grp.getgrgid(group).gr_name if group is not None else ""


def heads(folder: Path, named: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Page, register and head (as much of it as was printed), for each head of a register that a reader's page prints."""
    for reader in readers(folder / "reports", named):
        for page in sorted((folder / "reports" / reader).glob("*.html")):
            for register, head in HEAD.findall(page.read_bytes()):
                yield f"reports/{reader}/{page.name}", register.decode(), head.decode()
