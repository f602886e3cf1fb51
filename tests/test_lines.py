"""Lines are read exactly once, and nothing sealed or named leaves memory."""

from __future__ import annotations

import gzip
import random
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from dying import child, killed, steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import logfiles
from pipeline.formats import bundled
from pipeline.ingest import Masks
from pipeline.journal import Journal
from pipeline.lake import Lake
from pipeline.privacy import fits, on_network
from pipeline.reading import Reader, Reading
from pipeline.school import read_school
from pipeline.vault import Vault, load_keys

SCHOOL = read_school((Path(__file__).parent.parent / "school.toml").read_text("utf-8"))[0]
T0 = 1_793_613_600  # Mon 2 Nov 2026, 10:00 London


def line(second: float, host: str, user: str = "FENMARSH\\\\19jbloggs", client: str = "10.20.0.7",
         verdict: str = "TCP_TUNNEL/200", method: str = "CONNECT") -> str:
    url = f"{host}:443" if method == "CONNECT" else f"http://{host}/"
    return f"{T0 + second:.3f} {120:6d} {client} {verdict} 4821 {method} {url} {user} HIER_DIRECT/203.0.113.9 -\n"


def reader(root: Path) -> Reader:
    keys = load_keys(root / "keys")
    lake = Lake(root / "lake", Journal(root / "registers/ingest.jsonl"), Journal(root / "registers/days.jsonl"), keys.source)
    lake.clean()
    masks = Masks(keys.pseudonym, fits([("^[0-9]{2}", "student")]), on_network([("school", "10.20.0.0/16")]))
    return Reader(lake, Vault(root / "vault", keys.vault), masks, SCHOOL, root / "sealed", keys.sealed)


def read(root: Path, log: Path) -> Reading:
    return reader(root).read(logfiles.measure(log), lambda lines: None, "squid")


def stored(root: Path, columns: str = "line, host, fate") -> list[tuple]:
    lake = reader(root).lake
    files = [str(lake.folder / path) for path in lake.lines_files()]
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({files!r}) ORDER BY source, line").fetchall() if files else []


def hosts(root: Path) -> list[str]:
    return [row[0] for row in stored(root, "host")]


DAY = [line(n, f"site{n}.test") for n in range(40)]


def test_a_log_read_twice_counts_once(tmp_path: Path) -> None:
    """Reading the same log again finds nothing new."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY))
    assert read(tmp_path, log).lines == 40
    again = read(tmp_path, log)
    assert (again.lines, again.said) == (0, "nothing new")
    assert hosts(tmp_path) == [f"site{n}.test" for n in range(40)]


@pytest.mark.parametrize("first", [1, 2, 30, 39])
def test_a_log_that_grew_is_read_on_from_where_it_ended(tmp_path: Path, first: int) -> None:
    """Only the lines that came since are read, and their numbers go on."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY[:first]))
    read(tmp_path, log)
    log.write_text("".join(DAY))
    assert read(tmp_path, log).lines == 40 - first
    assert [row[0] for row in stored(tmp_path, "line")] == list(range(1, 41))


def test_a_log_rotated_renamed_and_compressed_is_the_same_log(tmp_path: Path) -> None:
    """access.log, then access.log.1 with more lines, then access.log.1.gz: every line once."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY[:25]))
    read(tmp_path, log)
    rotated = tmp_path / "access.log.1"
    rotated.write_text("".join(DAY))
    log.write_text(line(100, "new.test"))
    assert read(tmp_path, rotated).lines == 15
    assert read(tmp_path, log).lines == 1
    packed = tmp_path / "access.log.1.gz"
    packed.write_bytes(gzip.compress(rotated.read_bytes()))
    assert read(tmp_path, packed).lines == 0
    assert len(stored(tmp_path)) == 41


def test_a_log_copied_and_truncated_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """The copy is known by its beginning; what is written after the cut is a log of its own."""
    log, copy = tmp_path / "access.log", tmp_path / "copy.log"
    log.write_text("".join(DAY[:20]))
    read(tmp_path, log)
    shutil.copy(log, copy)
    log.write_text("".join(DAY[20:]))
    assert read(tmp_path, copy).lines == 0
    assert read(tmp_path, log).lines == 20
    assert sorted(hosts(tmp_path)) == sorted(f"site{n}.test" for n in range(40))


ELFF = "#Software: SGOS 7.3\n#Version: 1.0\n#Fields: date time time-taken c-ip cs-username sc-filter-result sc-status cs-method {} sc-bytes\n"
OLD, NEW = "cs-uri-scheme cs-host cs-uri-port cs-uri-path", "cs-host cs-uri-scheme cs-uri-path cs-uri-port"


def elff(second: int, address: str) -> str:
    return f"2026-11-02 10:00:{second:02} 3 10.20.0.7 19jbloggs OBSERVED 200 GET {address} 931\n"


def test_a_log_is_read_on_by_the_last_header_of_the_night_before(tmp_path: Path) -> None:
    """Columns were moved in the middle of a log; what is added on the next night stands under no header of its own."""
    log = tmp_path / "proxysg.log"
    before = [ELFF.format(OLD), *(elff(n, f"http old{n}.test 80 /") for n in range(5)), ELFF.format(NEW), elff(6, "new6.test http / 80")]
    log.write_text("".join(before))
    reader(tmp_path).read(logfiles.measure(log), lambda lines: None)
    log.write_text("".join([*before, *(elff(n, f"new{n}.test http / 80") for n in range(7, 9))]))
    assert reader(tmp_path).read(logfiles.measure(log), lambda lines: None).fates["request"] == 2
    assert [host for host in hosts(tmp_path) if host] == [*(f"old{n}.test" for n in range(5)), "new6.test", "new7.test", "new8.test"]


def test_a_new_log_in_the_place_of_one_that_was_known_is_laid_out_as_that_was(tmp_path: Path) -> None:
    """Rotated in the night, it has no line yet that would tell its format: that is no reason to refuse it."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY))
    reader(tmp_path).read(logfiles.measure(log), lambda lines: None)
    log.write_text("an odd first line\n")
    reading = reader(tmp_path).read(logfiles.measure(log), lambda lines: None)
    assert (reading.format, reading.fates["reject"], reading.problems) == ("squid", 1, [])


def test_a_log_of_a_format_that_is_no_more_is_recognised_anew(tmp_path: Path) -> None:
    """A school took the format out of its folder that last night's log was read by."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY[:30]))
    own = bundled() | {"ours": bundled()["squid"]}
    replace(reader(tmp_path), formats=own).read(logfiles.measure(log), lambda lines: None, "ours")
    log.write_text("".join(DAY))
    reading = reader(tmp_path).read(logfiles.measure(log), lambda lines: None)
    assert (reading.format, reading.lines) == ("squid", 10)


def test_a_shorter_copy_of_a_log_adds_nothing(tmp_path: Path) -> None:
    """A copy taken before the log grew is known, at any length."""
    log, early = tmp_path / "access.log", tmp_path / "early.log"
    log.write_text("".join(DAY))
    read(tmp_path, log)
    for lines in (1, 3, 29, 39):
        early.write_text("".join(DAY[:lines]))
        assert read(tmp_path, early).lines == 0
    assert len(stored(tmp_path)) == 40


def test_a_log_that_differs_after_its_beginning_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Same first 4 KiB, other lines where it was read: neither doubled nor silently dropped."""
    log, other = tmp_path / "access.log", tmp_path / "other.log"
    log.write_text("".join(DAY))
    read(tmp_path, log)
    changed = [*DAY[:36], *(line(n, f"evil{n}.test") for n in range(36, 60))]
    other.write_text("".join(changed))
    said = read(tmp_path, other)
    assert said.lines == 0
    assert "differs" in str(said.problems[0])
    assert len(stored(tmp_path)) == 40


def test_the_last_line_without_its_end_waits(tmp_path: Path) -> None:
    """Half a line is left for the next night; a finished log gives it up."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY[:2]) + DAY[2][:60])
    assert read(tmp_path, log).lines == 2
    log.write_text("".join(DAY[:3]))
    assert read(tmp_path, log).lines == 1
    done = tmp_path / "access.log.7"
    done.write_text("".join(DAY[:4]).rstrip("\n"))
    assert read(tmp_path, done).lines == 1


def test_every_line_has_one_fate_and_a_reject_keeps_its_reason_and_shape(tmp_path: Path) -> None:
    """Blank lines are furniture; a torn line is a reject told by its shape; no text of it is kept."""
    log = tmp_path / "access.log"
    log.write_bytes(DAY[0].encode() + b"\n" + b"1793613601.000 torn Zo\xeb 12\n" + b"a\0b\n" + DAY[1].encode())
    reading = read(tmp_path, log)
    assert dict(reading.fates) == {"request": 2, "part": 0, "furniture": 1, "reject": 2, "repeat": 0}
    rejects = [row for row in stored(tmp_path, "fate, reason, shape, url, person") if row[0] == "reject"]
    assert rejects[0][1].startswith("has no result and status")
    assert rejects[0][2].startswith("9999999999.999 aaaa aa")
    assert rejects[1][1] == "holds NUL bytes, as after a crash"
    assert all(row[3:] == (None, None) for row in rejects)


def test_squid_lines_as_squid_writes_them(tmp_path: Path) -> None:
    """Logins with spaces, IPv6, challenges, set-up of decrypted tunnels, twins, noise, and headers behind the line."""
    log = tmp_path / "access.log"
    log.write_text("".join([
        line(0, "a.test", "FENMARSH\\\\jane smith"),
        line(1, "[2001:db8::9]", "-", "2001:db8::5", "TCP_DENIED/407"),
        line(2, "b.test", verdict="NONE_NONE/200"),
        line(3, "c.test", "-", verdict="NONE_NONE/403", method="GET"),
        line(4, "d.test", verdict="TCP_DENIED_REPLY/403", method="GET"),
        line(5, "e.test", verdict="TCP_MISS/403", method="GET"),
        line(6, "f.test", verdict="TCP_MISS/503", method="GET"),
        line(7, "g.test", verdict="TCP_MISS_ABORTED/000", method="GET"),
        line(8, "h.test", verdict="TCP_MISS/200", method="GET").rstrip("\n") + " [Host:%20h.test X: y] [Server: z]\n",
        line(9, "i.test", verdict="TCP_DENIED/400", method="GET"),
    ]))
    read(tmp_path, log)
    assert stored(tmp_path, "host, action, setup, person IS NOT NULL") == [
        ("a.test", "allowed", "", True), ("2001:db8::9", "auth", "", False), ("b.test", "allowed", "tunnel", True),
        ("c.test", "blocked", "twin", False), ("d.test", "blocked", "", True), ("e.test", "allowed", "", True),
        ("f.test", "error", "", True), ("g.test", "error", "", True), ("h.test", "allowed", "", True),
        ("i.test", "error", "", True)]


def everywhere(root: Path) -> bytes:
    """Every byte of every file below `root` but the logs; Parquet as its values too."""
    parts = []
    for path in root.rglob("*"):
        if path.is_file() and ".log" not in path.name:
            parts.append(path.read_bytes())
            if path.suffix == ".parquet":
                parts.append(str(pq.read_table(path, partitioning=None).to_pydict()).encode())
    return b"\n".join(parts)


def test_a_sealed_address_is_nowhere_and_takes_its_neighbours_with_it(tmp_path: Path) -> None:
    """The verdict's line, and lines of the same client within a minute that name the same host, lose every address."""
    secret = "zz-planted.invalid"
    log = tmp_path / "access.log"
    log.write_text("".join([
        line(0, secret), line(1, secret, verdict="TCP_DENIED/451"), line(40, secret, verdict="TCP_MISS/200", method="GET"),
        line(41, "fine.test"), line(62, secret, client="10.20.0.8"), line(63, "later.test")]))
    read(tmp_path, log)
    rows = stored(tmp_path, "host, sealed <> '', sealed_list <> ''")
    assert rows == [(None, True, False), (None, True, True), (None, True, False), ("fine.test", False, False),
                    (secret, False, False), ("later.test", False, False)]
    assert len({row[0] for row in stored(tmp_path, "sealed") if row[0]}) == 1
    assert len(list((tmp_path / "sealed").glob("*.sealed"))) == 1


def test_a_sealed_verdict_reaches_lines_of_another_night_and_log(tmp_path: Path) -> None:
    """A verdict that comes a night later seals the line stored before it; a line that comes after it loses its host."""
    secret = "zz-planted.invalid"
    log, other = tmp_path / "access.log", tmp_path / "other.log"
    log.write_text(line(0, secret) + line(1, "fine.test"))
    read(tmp_path, log)
    assert secret.encode() in everywhere(tmp_path)
    log.write_text(line(0, secret) + line(1, "fine.test") + line(2, secret, verdict="TCP_DENIED/451"))
    read(tmp_path, log)
    other.write_text(line(30, secret, method="GET", verdict="TCP_MISS/200") + line(90, "fine.test"))
    read(tmp_path, other)
    assert secret.encode() not in everywhere(tmp_path)
    assert sorted(row[0] or "" for row in stored(tmp_path, "host")) == ["", "", "", "fine.test", "fine.test"]


def test_logins_credentials_and_rejected_texts_are_nowhere(tmp_path: Path) -> None:
    """No login, client address, password, token or text of a reject stands in any file."""
    log = tmp_path / "access.log"
    log.write_text(line(0, "a.test") + line(1, "u:geheim@b.test/x?token=tok3n&login=19jbloggs&m=a.b@c.test", method="GET",
                                            verdict="TCP_MISS/200") + "Plaintext-of-a-reject\n")
    read(tmp_path, log)
    found = everywhere(tmp_path)
    for word in (b"jbloggs", b"10.20.0.7", b"geheim", b"tok3n", b"a.b@c", b"Plaintext"):
        assert word not in found


def test_killed_at_any_write_step_the_next_night_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """SIGKILL before each fsync, rename and removal in turn; then a whole night; the lines are those of a calm one."""
    log = tmp_path / "access.log"
    log.write_text("".join(DAY[:5]) + line(50, "zz-planted.invalid", verdict="TCP_DENIED/451"))
    assert child(lambda: read(tmp_path / "calm", log)) == 0
    what = "line, host, fate, epoch_us(time), action, sealed <> ''"
    wanted = stored(tmp_path / "calm", what)
    taken = steps(tmp_path / "watched", lambda: read(tmp_path / "watched", log))
    assert len(taken) > 8
    for step in taken:
        root = tmp_path / f"killed{step.number}"
        assert killed(partial(read, root, log), step.number) == -signal.SIGKILL
        assert b"zz-planted" not in everywhere(root)
        assert child(partial(read, root, log)) == 0
        assert stored(root, what) == wanted
        assert reader(root).lake.ingest.verify() == []
        assert not list(root.rglob("*.half")), "half-written files are left"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([d.encode().rstrip(b"\n") for d in DAY[:4]]),
                          st.sampled_from([b"1793613601.000 1 a", b"\xff\xfe", b"", b"\r", b"\0" * 9])), max_size=12),
       st.booleans())
def test_any_bytes_at_all_give_every_line_one_fate(tmp_path: Path, parts: list[bytes], ends: bool) -> None:
    """Nothing raises, and the fates add up to the newlines consumed."""
    root = tmp_path / str(random.getrandbits(60))
    root.mkdir()
    log = root / "access.log.1"
    data = b"\n".join(parts) + (b"\n" if ends else b"")
    log.write_bytes(data)
    reading = read(root, log)
    assert reading.lines == data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)
    assert len(stored(root)) == reading.lines
    shutil.rmtree(root)


def test_a_line_of_more_than_a_mebibyte_is_a_reject_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless line costs no more memory than its limit, and bytes stay right behind it."""
    monkeypatch.setattr(logfiles, "BLOCK", 1 << 18)
    log = tmp_path / "access.log"
    log.write_bytes(DAY[0].encode() + b"x" * (3 << 20) + b"\n" + DAY[1].encode())
    read(tmp_path, log)
    rows = stored(tmp_path, "line, byte, fate, reason")
    assert [row[2] for row in rows] == ["request", "reject", "request"]
    assert rows[1][3] == "a line of more than 1 MiB"
    data = log.read_bytes()
    assert data[rows[2][1]:].decode() == DAY[1]


def test_a_damaged_archive_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    """A cut .gz is said, its whole lines count, and the mended file goes on from there."""
    packed = tmp_path / "access.log.1.gz"
    rng = random.Random(4)
    lines = [line(n, f"{rng.getrandbits(64):x}.test") for n in range(4000)]
    whole = gzip.compress("".join(lines).encode())
    packed.write_bytes(whole[:len(whole) // 2])
    reading = read(tmp_path, packed)
    assert "damaged" in str(reading.problems[0])
    assert 1500 < reading.lines < 2500
    assert read(tmp_path, packed).lines == 0
    packed.write_bytes(whole)
    assert reading.lines + read(tmp_path, packed).lines == 4000
    assert len(set(hosts(tmp_path))) == 4000


def test_days_are_cut_at_four_and_both_clock_changes_keep_their_hours(tmp_path: Path) -> None:
    """03:59:59.999 belongs to the evening before, 04:00 to the new day, in winter, summer and on the nights of change."""
    moments = {  # UTC epoch -> school day
        1_793_591_999.999: "2026-11-01", 1_793_592_000.0: "2026-11-02",   # 2 Nov, GMT
        1_792_897_199.0: "2026-10-24", 1_792_900_800.0: "2026-10-25",     # 25 Oct: 02:59:59 and 04:00 GMT after the change
        1_806_199_199.0: "2027-03-27", 1_806_202_800.0: "2027-03-28",     # 28 Mar: 03:00 UTC is 04:00 BST
    }
    log = tmp_path / "access.log"
    log.write_text("".join(line(at - T0, "a.test") for at in moments))
    read(tmp_path, log)
    lake = reader(tmp_path).lake
    got = {}
    for path in lake.lines_files():
        for (at,) in duckdb.sql(f"SELECT epoch(time) FROM read_parquet('{lake.folder / path}')").fetchall():
            got[round(at, 3)] = path.split("/")[1][4:]
    assert got == moments
