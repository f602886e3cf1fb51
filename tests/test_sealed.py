"""Sealed copies open whole and unchanged, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.problems import FailedError
from pipeline.sealed import open_copy, seal_copy

KEY = bytes(range(32))
CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CALM
@given(chunks=st.lists(st.binary(max_size=80), max_size=5))
def test_what_was_sealed_comes_back(tmp_path: Path, chunks: list[bytes]):
    """Any chunks come back as the same bytes; the file is the owner's alone and no half of it stays."""
    path = tmp_path / "sealed" / "S-0007.log"
    seal_copy(path, KEY, iter(chunks))
    assert b"".join(open_copy(path, KEY)) == b"".join(chunks)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_any_changed_bit_is_found(tmp_path: Path):
    """A copy with one bit changed, whichever, does not open to its end: not even where the contents would be the same."""
    path = tmp_path / "copy"
    seal_copy(path, KEY, [b"one line\n" * 4, b"and another\n", b"end"])
    data = path.read_bytes()
    for at in range(len(data)):
        for bit in range(8):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:])
            with pytest.raises(FailedError):
                list(open_copy(path, KEY))


def test_a_copy_that_was_cut_or_added_to_does_not_open(tmp_path: Path):
    """Every shorter beginning is refused, and so is anything after the last chunk, and another key."""
    path = tmp_path / "copy"
    seal_copy(path, KEY, [b"first", b"second", b"third"])
    whole = path.read_bytes()
    assert b"second" not in whole
    for cut in [*range(len(whole)), None]:
        path.write_bytes(whole + b"x" if cut is None else whole[:cut])
        with pytest.raises(FailedError):
            list(open_copy(path, KEY))
    path.write_bytes(whole)
    with pytest.raises(FailedError):
        list(open_copy(path, bytes(32)))


def test_a_copy_that_fails_half_way_leaves_the_old_one(tmp_path: Path):
    """When reading the log fails, the copy that stood there stays whole."""
    def broken():
        yield b"new"
        raise OSError("the disk went away")
    path = tmp_path / "copy"
    seal_copy(path, KEY, [b"old"])
    with pytest.raises(OSError, match="went away"):
        seal_copy(path, KEY, broken())
    assert list(open_copy(path, KEY)) == [b"old"]
