"""Keys, and the vault: the one encrypted file that leads from a pseudonym back to a login or an address."""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.durable import replacing
from pipeline.problems import FailedError, Problem, RefusedError


@dataclass(frozen=True)
class Keys:
    """Four keys of 32 bytes, each for one use: pseudonyms, the vault, sealed copies, and naming logs."""

    pseudonym: bytes
    vault: bytes
    sealed: bytes
    source: bytes

    @property
    def kept(self) -> bytes:
        """The key by which files beside the registers are marked, made from that of the logs."""
        return hmac.digest(self.source, b"files beside the registers", "sha256")


def load_keys(folder: Path) -> Keys:
    """The keys in `folder`, made when missing; RefusedError when the folder or a key is open to others."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _closed(folder, 0o700)
    with _locked(folder):
        return Keys(**{field.name: _key(folder / f"{field.name}.key") for field in fields(Keys)})


def _key(path: Path) -> bytes:
    if not path.exists():
        with replacing(path) as stream:
            stream.write(secrets.token_bytes(32))
    _closed(path, 0o600)
    key = path.read_bytes()
    if len(key) != 32:
        raise RefusedError(Problem(str(path), "is not a key of 32 bytes", "putting it back from the place it is kept"))
    return key


def _closed(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o077:
        raise RefusedError(Problem(str(path), "can be read by others", f"chmod {mode:o} {path}"))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold `folder` against other processes that would write in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Vault:
    """The encrypted file at `path`, opened with `key`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._box = AESGCM(key)
        self._names: dict[str, str] | None = None

    def names(self) -> dict[str, str]:
        """Login or address by pseudonym. Whoever shows one to a person records the reveal."""
        if self._names is None:
            self._names = self._read() if self.path.exists() else {}
        return dict(self._names)

    def add(self, names: Mapping[str, str]) -> None:
        """Keep these pseudonyms too; nothing is written when all are known."""
        if names.items() <= self.names().items():
            return
        with self._fresh() as known:
            self._write(known | dict(names))

    def forget(self, pseudonyms: set[str]) -> int:
        """Drop these pseudonyms; how many there were."""
        with self._fresh() as known:
            kept = {name: raw for name, raw in known.items() if name not in pseudonyms}
            if len(kept) != len(known):
                self._write(kept)
        return len(known) - len(kept)

    @contextmanager
    def _fresh(self) -> Iterator[dict[str, str]]:
        """What the file holds now, under a lock: another process may have written since it was read."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self.path.parent):
            self._names = None
            yield self.names()

    def _read(self) -> dict[str, str]:
        data = self.path.read_bytes()
        try:
            names: dict[str, str] = json.loads(self._box.decrypt(data[:12], data[12:], b"vault"))
        except (InvalidTag, ValueError):
            raise FailedError(Problem(str(self.path), "does not open with the vault key",
                                      "the key and the vault of one same backup")) from None
        return names

    def _write(self, names: dict[str, str]) -> None:
        nonce = secrets.token_bytes(12)
        sealed = self._box.encrypt(nonce, json.dumps(names, sort_keys=True).encode(), b"vault")
        with replacing(self.path) as stream:
            stream.write(nonce + sealed)
        self._names = names
