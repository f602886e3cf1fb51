"""Where a list is taken from: a file, a folder, or an archive of several. Nothing is unpacked on disk, no link is followed.

A piece is one file of it, by its name inside. What would swell beyond all measure is refused before it is read.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import archives
from pipeline.problems import FailedError, Problem, UsageError

MOST = 1 << 29        # bytes of one piece
BLOCK = 1 << 22       # bytes read at once: a list is never held whole, and a block is some 200,000 names
TOTAL = 1 << 32       # bytes of all pieces
PIECES = 10_000
LINK = "a link, which is not followed"


@dataclass(frozen=True)
class Piece:
    """One file of a source: its name inside, and its bytes in blocks, to be read before the next piece; `why` it is not read,
    when it is not."""

    name: str
    blocks: Iterable[bytes] = ()
    why: str = ""


def pieces(path: Path) -> Iterator[Piece]:
    """Every file of a source, a folder's in order of names. UsageError: nothing is there. FailedError: it is damaged."""
    if not path.exists():
        raise UsageError(Problem(str(path), "is not there", "the path of a file, a folder or an archive, or an https address"))
    measure = Measure(path)
    with _whole(path):
        for number, piece in enumerate(_folder(path) if path.is_dir() else _file(path)):
            measure.hold(pieces=number + 1)
            yield replace(piece, blocks=measure.held(piece))


@dataclass
class Measure:
    """How much of a source has been read; FailedError when it is more than anybody's list."""

    path: Path
    total: int = 0

    def hold(self, pieces: int = 0, more: int = 0) -> None:
        """Count what has come."""
        self.total += more
        if pieces > PIECES or self.total > TOTAL:
            raise FailedError(Problem(str(self.path), f"holds more than {PIECES:,} files or {TOTAL >> 30} GiB", "a smaller one"))

    def held(self, piece: Piece) -> Iterator[bytes]:
        """The blocks of a piece, each counted."""
        size = 0
        with _whole(self.path):
            for block in piece.blocks:
                size += len(block)
                if size > MOST:
                    raise FailedError(Problem(piece.name, f"is larger than {MOST >> 20} MiB", "a list in several files"))
                self.hold(more=len(block))
                yield block


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What reading a damaged archive raises, as FailedError."""
    try:
        yield
    except (*archives.TORN, tarfile.TarError, NotImplementedError) as error:
        raise FailedError(Problem(str(path), f"is torn or damaged ({type(error).__name__})", "getting it again")) from None


def _folder(top: Path) -> Iterator[Piece]:
    for folder, below, names in os.walk(top):
        below.sort()
        inside = Path(folder).relative_to(top)
        yield from (Piece((inside / name).as_posix(), why=LINK) for name in below if (Path(folder) / name).is_symlink())
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_symlink() or not file.is_file():
                yield Piece((inside / name).as_posix(), why=LINK if file.is_symlink() else "no plain file")
                continue
            with file.open("rb") as stream:
                yield _piece((inside / name).as_posix(), stream)


def _file(path: Path) -> Iterator[Piece]:
    packed = archives.packing(path)
    if packed == "zip":
        with zipfile.ZipFile(path) as box:
            for info in box.infolist():
                if why := _refused(info):
                    yield Piece(info.filename, why=why)
                elif not info.is_dir():
                    with box.open(info) as stream:
                        yield _piece(info.filename, stream)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as box:
            for member in box:
                if member.isfile():
                    yield _piece(member.name, box.extractfile(member))
                elif not member.isdir():
                    yield Piece(member.name, why=LINK)
    else:
        with archives.opened(path, packed) as stream:
            yield _piece(path.name, stream)


def _refused(info: zipfile.ZipInfo) -> str:
    """Why a member of a zip is not read; '' when it is."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    return "locked by a password" if info.flag_bits & 1 else ""


def _piece(name: str, stream: Any) -> Piece:
    return Piece(name, iter(partial(stream.read, BLOCK), b""))
