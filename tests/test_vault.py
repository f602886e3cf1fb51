"""Keys are the owner's alone, and the vault shows nothing without its key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.problems import FailedError, RefusedError
from pipeline.vault import Vault, load_keys

KEY = bytes(range(32))


def test_keys_are_made_once_and_closed(tmp_path: Path):
    """Four different keys, 0600 in a folder 0700, the same the next time."""
    keys = load_keys(tmp_path / "keys")
    assert keys == load_keys(tmp_path / "keys")
    assert len({keys.pseudonym, keys.vault, keys.sealed, keys.source}) == 4
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_two_processes_make_the_same_keys(tmp_path: Path):
    """Whoever comes second reads what the first has made."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: load_keys(tmp_path / "keys"), range(8)))) == 1


@pytest.mark.parametrize(("what", "mode", "mend"), [("keys", 0o750, "chmod 700"), ("keys/vault.key", 0o640, "chmod 600")])
def test_open_keys_are_refused_with_the_command_that_mends_it(tmp_path: Path, what: str, mode: int, mend: str):
    """The refusal names the exact chmod; after it the keys load."""
    load_keys(tmp_path / "keys")
    path = tmp_path / what
    path.chmod(mode)
    with pytest.raises(RefusedError, match=f"{mend} {path}"):
        load_keys(tmp_path / "keys")
    path.chmod(int(mend.split()[1], 8))
    load_keys(tmp_path / "keys")


def test_a_key_of_another_length_is_refused(tmp_path: Path):
    """A key that was cut short is never used."""
    load_keys(tmp_path / "keys")
    (tmp_path / "keys/source.key").write_bytes(b"short")
    with pytest.raises(RefusedError, match="32 bytes"):
        load_keys(tmp_path / "keys")


def test_the_vault_keeps_names_and_shows_none(tmp_path: Path):
    """Names come back with the key; the file is 0600 and holds no login, not even after a merge."""
    path = tmp_path / "vault/names"
    Vault(path, KEY).add({"paaa": "j.plantedlogin"})
    Vault(path, KEY).add({"pbbb": "other.plantedlogin"})
    assert Vault(path, KEY).names() == {"paaa": "j.plantedlogin", "pbbb": "other.plantedlogin"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["names"]
    assert b"planted" not in path.read_bytes() and b"paaa" not in path.read_bytes()


def test_two_open_vaults_merge(tmp_path: Path):
    """What another process has added since is kept."""
    one, two = Vault(tmp_path / "v", KEY), Vault(tmp_path / "v", KEY)
    assert one.names() == two.names() == {}
    one.add({"pa": "a"})
    two.add({"pb": "b"})
    one.add({"pc": "c"})
    assert Vault(tmp_path / "v", KEY).names() == {"pa": "a", "pb": "b", "pc": "c"}


def test_nothing_is_written_when_all_are_known(tmp_path: Path):
    """A night that meets nobody new leaves the vault as it was."""
    vault = Vault(tmp_path / "v", KEY)
    vault.add({"pa": "a"})
    before = (tmp_path / "v").read_bytes()
    vault.add({"pa": "a"})
    assert (tmp_path / "v").read_bytes() == before


def test_what_is_forgotten_is_gone(tmp_path: Path):
    """Forgetting counts what there was and leaves the rest."""
    vault = Vault(tmp_path / "v", KEY)
    vault.add({"pa": "a", "pb": "b"})
    assert vault.forget({"pa", "pz"}) == 1
    assert Vault(tmp_path / "v", KEY).names() == {"pb": "b"}


def test_another_key_or_a_changed_file_does_not_open(tmp_path: Path):
    """It is said in a sentence, and the contents are in no message."""
    Vault(tmp_path / "v", KEY).add({"pa": "a.plantedlogin"})
    with pytest.raises(FailedError, match="vault key"):
        Vault(tmp_path / "v", bytes(32)).names()
    data = (tmp_path / "v").read_bytes()
    for at in range(len(data)):
        (tmp_path / "v").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        with pytest.raises(FailedError):
            Vault(tmp_path / "v", KEY).names()
    (tmp_path / "v").write_bytes(b"")
    with pytest.raises(FailedError):
        Vault(tmp_path / "v", KEY).names()
