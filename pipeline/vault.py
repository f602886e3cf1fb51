"""Keys, and the vault: the one encrypted file that leads from a pseudonym back to a login or an address."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.problems import FailedError, Problem, RefusedError


@dataclass(frozen=True)
class Keys:
    """Four keys of 32 bytes, each for one use: pseudonyms, the vault, sealed copies, and naming logs."""

    pseudonym: bytes
    vault: bytes
    sealed: bytes
    source: bytes


def load_keys(folder: Path) -> Keys:
    """The keys in `folder`, made when missing; RefusedError when the folder or a key is open to others."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _closed(folder, 0o700)
    return Keys(**{field.name: _key(folder / f"{field.name}.key") for field in fields(Keys)})


def _key(path: Path) -> bytes:
    if not path.exists():
        half = path.with_suffix(".half")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
            stream.flush()
            os.fsync(stream.fileno())
        half.rename(path)
    _closed(path, 0o600)
    key = path.read_bytes()
    if len(key) != 32:
        raise RefusedError(Problem(str(path), "is not a key of 32 bytes", "putting it back from the place it is kept"))
    return key


def _closed(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o077:
        raise RefusedError(Problem(str(path), "can be read by others", f"chmod {mode:o} {path}"))


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
        known = self.names()
        if not names.items() <= known.items():
            self._write(known | dict(names))

    def forget(self, pseudonyms: set[str]) -> int:
        """Drop these pseudonyms; how many there were."""
        known = self.names()
        kept = {name: raw for name, raw in known.items() if name not in pseudonyms}
        if len(kept) != len(known):
            self._write(kept)
        return len(known) - len(kept)

    def _read(self) -> dict[str, str]:
        data = self.path.read_bytes()
        try:
            names: dict[str, str] = json.loads(self._box.decrypt(data[:12], data[12:], b"vault"))
        except (InvalidTag, ValueError):
            raise FailedError(Problem(str(self.path), "does not open with the vault key",
                                      "the key and the vault of one same backup")) from None
        return names

    def _write(self, names: dict[str, str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        nonce = secrets.token_bytes(12)
        half = self.path.with_suffix(".half")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(nonce + self._box.encrypt(nonce, json.dumps(names, sort_keys=True).encode(), b"vault"))
            stream.flush()
            os.fsync(stream.fileno())
        half.rename(self.path)
        self._names = names
