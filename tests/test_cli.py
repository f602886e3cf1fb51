"""The front door: every night ends in a report and the exit code that the README names, whatever happened to it."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from front_door import ROOT, schoolgate, typed
from tables_text import build, rows
from test_lines import line

from pipeline import coverage, failing, judging, night, progress
from pipeline.problems import FailedError
from pipeline.tables import COVERAGE

DAY = 86_400
SECRET = "plantedvalue"


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A school folder with the repository's rules, nobody in it, and a log of Monday 2 November with one quiet request."""
    folder = tmp_path / "school"
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copy(ROOT / "school.toml", folder)
    (folder / "access.log").write_text(line(0, "lessons.fenmarsh.test"))
    return folder


def page(folder: Path, day: str) -> str:
    """The nightly page of a day."""
    return (folder / f"reports/technical/nightly-{day}.html").read_text("utf-8")


def test_a_night_without_logs_writes_a_page_and_asks_to_be_mended(school: Path) -> None:
    """Silence is not safety: 5, a page for the day that says so, the account first of all."""
    done = typed(school, "nightly", "--today", "2026-11-02")
    assert done.returncode == 5, done.stderr
    assert done.stdout.startswith("No log was heard from")
    assert "No log was heard from, so nothing can be said" in page(school, "2026-11-02")


def test_an_unreadable_log_is_said_and_the_others_are_read(school: Path) -> None:
    """A damaged log: 5, a problem on the page, and one plain line on stderr for each log; stdout holds the account alone."""
    (school / "broken.log.gz").write_bytes(b"\x1f\x8bnot a compressed log")
    done = schoolgate(school, "nightly", str(school / "access.log"), str(school / "broken.log.gz"), str(school / "none.log"))
    assert done.returncode == 5, done.stderr
    assert {"access.log: 1 new line", "broken.log.gz: 0 new lines"} <= set(done.stderr.splitlines())
    assert "broken.log.gz: is damaged" in done.stderr and "none.log: no log is there" in done.stderr
    assert "nothing of it could be read" in page(school, "2026-11-02")
    assert all(re.match(r"[A-Za-z][A-Za-z ]{11}\S", text) for text in done.stdout.splitlines()), done.stdout


def test_rules_broken_on_the_first_night_end_in_a_page_and_later_in_the_last_good_ones(school: Path) -> None:
    """2 and a page of faults while there is nothing to fall back on; afterwards 5, settings included."""
    policy, settings = school / "rules/policy.toml", school / "school.toml"
    good, ours = policy.read_text("utf-8"), settings.read_text("utf-8")
    policy.write_text("title = [", "utf-8")
    first = schoolgate(school, "nightly", "--today", "2026-11-02", str(school / "access.log"))
    assert first.returncode == 2
    assert "rules/policy.toml" in first.stderr and "Traceback" not in first.stderr
    assert "The night failed" in page(school, "2026-11-02") and "rules/policy.toml" in page(school, "2026-11-02")
    policy.write_text(good, "utf-8")
    assert schoolgate(school, "nightly", "--today", "2026-11-02", str(school / "access.log")).returncode == 0
    assert "The night failed" not in page(school, "2026-11-02")
    settings.write_text(ours.replace("small_number   = 5", "small_number   = many"), "utf-8")
    later = schoolgate(school, "nightly", "--today", "2026-11-02", str(school / "access.log"))
    assert (later.returncode, "the last good ones were used" in later.stderr) == (5, True)


def test_exit_on_findings_ends_with_one_while_an_incident_waits(school: Path) -> None:
    """Only when asked for, and again on the next night: nobody has decided yet."""
    log = school / "access.log"
    assert schoolgate(school, "nightly", "--exit-on-findings", str(log)).returncode == 0
    log.write_text(log.read_text("utf-8") + "".join(
        line(100 + 40 * n, f"adult-{('one', 'two', 'three')[n % 3]}.test", verdict="TCP_DENIED/403") for n in range(6)))
    found = schoolgate(school, "nightly", "--exit-on-findings", str(log))
    assert (found.returncode, "incidents wait for a person" in found.stderr) == (1, True)
    assert schoolgate(school, "nightly", str(log)).returncode == 0
    assert schoolgate(school, "nightly", "--exit-on-findings", str(log)).returncode == 1


def test_a_night_that_fails_says_where_and_the_next_one_mends_its_page(school: Path) -> None:
    """A file of the lake spoilt behind its back: 4, one sentence, a page, a trace for its owner only; mended, all is well."""
    log = school / "access.log"
    assert schoolgate(school, "nightly", "--today", "2026-11-02", str(log)).returncode == 0
    spoilt = next((school / "var/lake/lines").rglob("*.parquet"))
    whole = spoilt.read_bytes()
    spoilt.write_bytes(b"PAR1" + bytes(len(whole) - 4))
    log.write_text(log.read_text("utf-8") + line(60, "lessons.fenmarsh.test"))
    failed = typed(school, "nightly", "--today", "2026-11-02", str(log))
    assert failed.returncode == 4
    assert failed.stdout == "" and "Traceback" not in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("judging 2026-11-02: failed (")
    told = page(school, "2026-11-02")
    assert "The night failed" in told and "judging 2026-11-02" in told
    trace = next((school / "var").glob("failed-*.txt"))
    assert trace.name in failed.stderr and trace.name in told
    assert trace.stat().st_mode & 0o777 == 0o600
    spoilt.write_bytes(whole)
    assert schoolgate(school, "nightly", "--today", "2026-11-02", str(log)).returncode == 0
    assert "The night failed" not in page(school, "2026-11-02")


def test_nothing_of_a_log_is_in_what_is_said_of_a_failure(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB quotes the value it stumbled on: neither sentence, page nor trace holds it, in no link of the chain."""
    def stumble(*_: object) -> None:
        try:
            duckdb.sql(f"SELECT CAST('{SECRET}' AS INTEGER)").fetchall()
        except duckdb.Error as error:
            raise ValueError(f"no good: {SECRET}") from error
    monkeypatch.setattr(judging, "judge", stumble)
    with pytest.raises(FailedError) as failure:
        night.run(school, [str(school / "access.log")], progress.Show().tick, today=date(2026, 11, 2))
    trace = next((school / "var").glob("failed-*.txt")).read_text("utf-8")
    assert "ValueError\n  pipeline/night.py:" in trace and "ConversionException\n" in trace
    assert not any(SECRET in text for text in (trace, str(failure.value), page(school, "2026-11-02")))


def test_a_failure_without_a_school_folder_is_a_sentence_too(tmp_path: Path) -> None:
    """No var/, so no trace is kept, and the kind of the error is told."""
    told = failing.failed(tmp_path, "schoolgate", ZeroDivisionError(SECRET))
    assert str(told) == "schoolgate: failed (ZeroDivisionError, outside the program). Try: once more, or reporting it."


def test_a_log_that_falls_silent_on_a_school_day_is_a_finding(school: Path) -> None:
    """Heard from on Monday, nothing on Tuesday: 5 and on the page, beside a log that speaks or alone; not on a Saturday."""
    logs = [str(school / "access.log"), str(school / "second.log")]
    Path(logs[1]).write_text(line(5, "lessons.fenmarsh.test"))
    assert schoolgate(school, "nightly", "--today", "2026-11-02", *logs).returncode == 0
    with Path(logs[0]).open("a") as log:
        log.write(line(DAY, "lessons.fenmarsh.test"))
    tuesday = schoolgate(school, "nightly", "--today", "2026-11-03", *logs)
    assert (tuesday.returncode, "second.log: said nothing on 2026-11-03" in tuesday.stderr) == (5, True)
    assert "second.log: silence is not safety" in page(school, "2026-11-03")
    wednesday = schoolgate(school, "nightly", "--today", "2026-11-04", *logs)
    assert (wednesday.returncode, wednesday.stderr.count("said nothing on 2026-11-04")) == (5, 2)
    assert "access.log: silence is not safety" in page(school, "2026-11-04")
    assert schoolgate(school, "nightly", "--today", "2026-11-07", *logs).returncode == 0


def test_a_log_is_known_by_its_place_whatever_rotation_adds() -> None:
    """Numbers, dates and endings for compression go; another folder or another proxy is another log."""
    assert {coverage.log_of(f"/logs/{name}") for name in (
        "access.log", "access.log.1", "access.log.12.gz", "access-2026-11-02.log", "access-20261102.log.xz",
        "access.2026-11-02.log", "access.log-20261103", "access.log-20261103-1793613600.gz")} == {"/logs/access.log"}
    assert coverage.log_of("/2026-11-02/proxy2.log") == "/2026-11-02/proxy2.log"
    assert coverage.log_of("/logs/proxy-20269999.log") == "/logs/proxy-20269999.log"


def test_silence_looks_at_requests_and_forgets_no_name() -> None:
    """A log whose day has only rejects is silent; one that never made a request is not expected."""
    heard = build(rows("""
        source | name       | requests
        s1     | access.log | 5
        s2     | second.log | 5
        s3     | noise.log  | 0
    """), COVERAGE, {"day": date(2026, 11, 2)}).to_pylist()
    today = [heard[0] | {"day": date(2026, 11, 3)}, heard[1] | {"day": date(2026, 11, 3), "requests": 0}]
    table = build([*heard, *today], COVERAGE, {})
    assert coverage.silent(table, {"s1": "/l/access.log.1", "s2": "/l/second.log"}, date(2026, 11, 3)) == {
        "/l/second.log": date(2026, 11, 2)}


def test_a_terminal_sees_bars_and_the_account_stays_clean(school: Path) -> None:
    """On a terminal stderr carries a bar for reading and one for judging; stdout is the account and nothing else."""
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-m", "pipeline", "--school", str(school), "nightly", str(school / "access.log")],
                          cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=120,
                          env=os.environ | {"TERM": "xterm", "COLUMNS": "120"})
    os.close(theirs)
    seen = b""
    while chunk := _more(ours):
        seen += chunk
    os.close(ours)
    assert done.returncode == 0
    assert all(word in seen.decode() for word in ("reading", "judging", "1/1", "\x1b["))
    assert done.stdout.startswith(b"heard from") and b"\x1b" not in done.stdout


def _more(terminal: int) -> bytes:
    """What a terminal still holds; nothing once the program has gone."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
