"""Writing that outlasts a power cut: the owner's alone, and whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import dying
import pytest

from pipeline.durable import private, replacing


def test_a_file_takes_the_place_of_another_whole(tmp_path: Path) -> None:
    """For the owner alone, whatever the old one was, and without a half beside it."""
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with replacing(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    """The old file stands as it was."""
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write(b"ne")
        raise RuntimeError
    assert path.read_bytes() == b"old"


def test_all_of_it_is_on_the_disk_before_it_is_renamed(tmp_path: Path) -> None:
    """A process that dies at any step leaves the old file or the new: nothing waits in a buffer when the name changes hands."""
    path = tmp_path / "school" / "kept"
    path.parent.mkdir()
    path.write_bytes(b"old")

    def write() -> None:
        with replacing(path) as stream:
            stream.write(b"n" * 10)

    for step in range(1, 4):
        path.write_bytes(b"old")
        assert dying.killed(write, step) < 0
        assert path.read_bytes() == (b"n" * 10 if step == 3 else b"old")
        assert path.with_name(".kept.half").exists() == (step < 3)


def test_a_new_file_takes_no_place(tmp_path: Path) -> None:
    """What is there already is left alone."""
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(FileExistsError), private(tmp_path / "there", new=True):
        pass
    assert (tmp_path / "there").read_bytes() == b"old"
