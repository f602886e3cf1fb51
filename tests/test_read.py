"""`schoolgate read` and `formats try` on files that are not quite logs: nothing is lost in silence."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from pipeline import logfiles, readout, trying

LINE = "1757318412.087    143 192.0.2.61 TCP_TUNNEL/200 48213 CONNECT www.example.org:443 - HIER_DIRECT/203.0.113.9 -"


def hosts(path: Path) -> tuple[list[str], str, list[str]]:
    """The hosts that `read` prints, what it says beside them, and its problems."""
    out, err = io.StringIO(), io.StringIO()
    problems = readout.read(logfiles.measure(path), readout.Readout(), out, err)
    return [json.loads(line)["host"] for line in out.getvalue().splitlines()], err.getvalue(), [str(each) for each in problems]


@pytest.mark.parametrize("text", [f"{LINE}\n{LINE}", f"{LINE}\n{LINE}\n", f"{LINE}\r\n{LINE}"])
def test_the_last_line_is_read_with_a_line_end_or_without(tmp_path: Path, text: str) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(text.encode())
    assert hosts(path)[0] == ["www.example.org"] * 2


def test_what_read_makes_of_the_last_line_try_makes_too(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(LINE, "utf-8")
    lines, _ = trying.told(logfiles.measure(path), readout.Readout())
    assert lines[-1].startswith("1 request, ")


@pytest.mark.parametrize(("text", "said"), [
    (b"", "holds no lines"),
    (b"\n \r\n\n", "holds no lines"),
    (bytes(5_000), "is no text"),
    (b'{\n "a": 1\n}\n{\n "a": 2\n}\n', "is JSON that does not stand one object a line. Try: jq -c . "),
    (b'{"requests": [\n{"a": 1}\n]}', "is JSON that does not stand one object a line"),
    (b'[{"a": 1}, {"a": 2}]', "fits no log format"),
    (b'[\n {\n  "a": 1\n },\n', "fits no log format"),
    (b"[]", "holds no lines"),
    (b'[\n{"a": 1},\n{"a": 2}\n]', "fits no log format"),
    (b"[2026-11-03 09:05:11] hello", "fits no log format"),
])
def test_a_file_that_is_no_log_is_told_in_a_sentence(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "some.log"
    path.write_bytes(text)
    os.utime(path)
    read, _, problems = hosts(path)
    assert read == []
    assert [said in problem for problem in problems] == [True], problems
