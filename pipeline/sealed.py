"""Encrypted copies of the bytes in which a filter's illegal-content verdict stands.

AES-256-GCM by chunks. Each chunk is bound to its number and to whether it is the last, so that a copy that was cut,
shuffled or changed does not open. Written whole or not at all, fsynced.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.durable import private, replacing
from pipeline.problems import FailedError, Problem

MAGIC = b"schoolgate sealed 1\n"


def seal_copy(path: Path, key: bytes, chunks: Iterable[bytes]) -> None:
    """Write `chunks` (up to a few MiB each), encrypted, to `path` (0600, its folder 0700)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(path) as out:
        base = secrets.token_bytes(8)
        out.write(MAGIC + base)
        for number, (chunk, last) in enumerate(_marked(chunks)):
            box = AESGCM(key).encrypt(base + struct.pack(">I", number), chunk, b"last" if last else b"more")
            out.write(struct.pack(">I?", len(box), last) + box)


def open_copy(path: Path, key: bytes) -> Iterator[bytes]:
    """The chunks of a sealed copy; FailedError when it was changed, cut, or has another key."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise _spoilt(path)
        base, number, last = stream.read(8), 0, False
        while not last:
            head = stream.read(5)
            if len(head) < 5:
                raise _spoilt(path)
            length, last = struct.unpack(">I?", head)
            if head != struct.pack(">I?", length, last) or length > size - stream.tell():
                raise _spoilt(path)  # what heads a chunk is not encrypted: nothing but what was written may stand there
            try:
                yield AESGCM(key).decrypt(base + struct.pack(">I", number), stream.read(length), b"last" if last else b"more")
            except InvalidTag:
                raise _spoilt(path) from None
            number += 1
        if stream.read(1):
            raise _spoilt(path)


def _spoilt(path: Path) -> FailedError:
    return FailedError(Problem(str(path), "does not open: it was changed, cut, or sealed with another key", "a backup"))


def _marked(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each chunk, and whether it is the last."""
    waiting: bytes | None = None
    for chunk in chunks:
        if waiting is not None:
            yield waiting, False
        waiting = chunk
    yield waiting or b"", True


def copies(folder: Path) -> list[Path]:
    """The sealed copies of a folder, by name."""
    return sorted(folder.glob("*.sealed")) if folder.is_dir() else []


def digests(folder: Path, but: Collection[str] = ()) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of each sealed copy as it stands on the disk, encrypted; but not of those named."""
    found = {}
    for path in [path for path in copies(folder) if path.name not in but]:
        with path.open("rb") as stream:
            found[path.name] = (path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest())
    return found


def write_out(to: Path, chunks: Iterable[bytes]) -> int:
    """Write an opened copy to a new file for its owner alone; how many bytes. FailedError leaves no half of it."""
    size = 0
    try:
        with private(to, new=True) as out:
            for chunk in chunks:
                size += out.write(chunk)
    except FailedError:
        to.unlink()
        raise
    except OSError as error:
        raise FailedError(Problem(str(to), f"could not be written ({error.strerror})", "another place")) from None
    return size
