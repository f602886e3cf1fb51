"""A log may come packed or in another encoding: it is read as the plain one, and no archive can do harm."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from test_lines import DAY, hosts, read, stored

from pipeline import archives, logfiles

TEXT = "".join(DAY)


def zst(data: bytes) -> bytes:
    """Packed with zstd."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return bytes(sink.getvalue())


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zst}


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_a_packed_log_is_the_same_log(tmp_path: Path, name: str) -> None:
    """Known by its first bytes, whatever it is called; read after the plain log, it has nothing new."""
    plain, packed = tmp_path / "access.log", tmp_path / "yesterday.log"
    packed.write_bytes(PACKERS[name](TEXT.encode()))
    assert read(tmp_path, packed).lines == 40
    plain.write_text(TEXT)
    assert read(tmp_path, plain).lines == 0
    assert len(stored(tmp_path)) == 40


@pytest.mark.parametrize("name", sorted(PACKERS))
def test_what_stands_before_the_damage_of_an_archive_is_read_and_the_damage_said(tmp_path: Path, name: str) -> None:
    """An archive cut in half gives its first lines and one sentence; mended, the rest of it."""
    whole = PACKERS[name]("".join(f"{line[:-1]}{n:09d}\n" for n in range(30_000) for line in DAY[n % 40:n % 40 + 1]).encode())
    log = tmp_path / "access.log.1"
    log.write_bytes(whole[:len(whole) // 2])
    first = read(tmp_path, log)
    assert [problem.what.partition(";")[0] for problem in first.problems] == ["is damaged or ends early"]
    log.write_bytes(whole)
    assert first.lines + read(tmp_path, log).lines == 30_000


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["marked", "unmarked"])
def test_utf_16_is_read_as_utf_8(tmp_path: Path, encoding: str, mark: str) -> None:
    """Windows writes UTF-16, with its mark or without."""
    log = tmp_path / "access.log"
    log.write_bytes((mark + TEXT.replace("\n", "\r\n")).encode(encoding))
    assert read(tmp_path, log).fates["request"] == 40
    assert hosts(tmp_path)[0] == "site0.test"


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """UTF-8 with its mark: all forty lines are requests."""
    log = tmp_path / "access.log"
    log.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read(tmp_path, log).fates["request"] == 40


def box(path: Path, files: dict[str, bytes], **more: int) -> Path:
    """A zip of these files; `more` gives the mode of a file that is a link."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = more.get(name, stat.S_IFREG | 0o600) << 16
            out.writestr(info, data)
    return path


def test_every_log_in_a_zip_is_read_and_nothing_is_unpacked(tmp_path: Path) -> None:
    """Two logs in one zip, one below a path that climbs out: both are streams, and no file appears."""
    path = box(tmp_path / "logs.zip", {"a.log": "".join(DAY[:10]).encode(), "../../out.log": "".join(DAY[10:]).encode()})
    before = sorted(tmp_path.rglob("*"))
    logs, problems = logfiles.find([str(path)])
    assert ([log.name for log in logs], problems) == (["logs.zip:../../out.log", "logs.zip:a.log"], [])
    assert sum(len(list(logfiles.sample(log))) for log in logs) == 40
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent.parent / "out.log").exists()


def test_links_locked_and_nested_archives_in_a_zip_are_left_out_and_said(tmp_path: Path) -> None:
    """Each is named with the reason."""
    path = box(tmp_path / "logs.zip", {"a.log": b"x\n", "link.log": b"/etc/passwd", "more.zip": b"PK"}, **{"link.log": stat.S_IFLNK | 0o777})
    logs, problems = logfiles.find([str(path)])
    assert [log.member for log in logs] == ["a.log"]
    assert [problem.what for problem in problems] == ["is a link, which is not followed",
                                                      "is an archive inside an archive, which is not opened"]


def test_a_bomb_is_cut_off_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve kilobytes that swell to twelve megabytes: reading stops at the measure, and says so."""
    monkeypatch.setattr(archives, "FROM", 1 << 20)
    log = tmp_path / "access.log.gz"
    log.write_bytes(gzip.compress(TEXT.encode() + b"0" * 12_000_000))
    reading = read(tmp_path, log)
    assert [problem.what.partition(";")[0] for problem in reading.problems] == ["swells beyond what a log can be"]
    assert reading.fates["request"] == 40


def test_a_pi_hole_database_is_read_from_a_copy(tmp_path: Path) -> None:
    """The rows come in order, with the write-ahead log beside the file, and the file is not touched."""
    path = tmp_path / "pihole-FTL.db"
    con = sqlite3.connect(path)
    con.execute("PRAGMA journal_mode=WAL")
    con.execute("CREATE TABLE queries (id INTEGER PRIMARY KEY, timestamp INTEGER, type INTEGER, status INTEGER, domain TEXT, "
                "client TEXT, forward TEXT, additional_info TEXT)")
    con.execute("INSERT INTO queries VALUES (1, 1793613600, 1, 2, 'lessons.fenmarsh.test', '10.20.0.7', '', '')")
    con.commit()
    before = path.read_bytes()
    log = logfiles.measure(path)
    assert [line.partition(",")[0] for line in logfiles.sample(log)] == ['{"id":1']
    assert path.read_bytes() == before
    con.close()
