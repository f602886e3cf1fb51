"""Any bytes at all as logs, through the whole night: nothing raises, a page is written, and every line has one fate."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_school import derived, line, lines_of, make, pages, quick, run

from pipeline import schoolfolder
from pipeline.ingest import FATES

WHOLE = [line(n, host, user, client, verdict, method).encode().rstrip(b"\n") for n, (host, user, client, verdict, method) in enumerate([
    ("adult-one.test", "19jbloggs", "10.20.0.7", "TCP_DENIED/403", "GET"), ("hideaway.test", "-", "::1", "TCP_TUNNEL/200", "CONNECT"),
    ("x.invalid", "%00%ff", "not-an-address", "TCP_DENIED/451", "GET"), ("xn--a.test/<script>\u202e", "\u0130", "10.20.0.7", "TCP_MISS/200", "GET"),
    ("[::1]:99999", "a b c", "10.20.0.8", "NONE_NONE/000", "?"), ("..", "=1+1", "10.20.0.8", "TCP_MISS_ABORTED/999", "GET")])]
ODD = [b"", b"\r", b"\0" * 9, b"\xff\xfe", b"1793613601.000 1 a", b"99999999999999.999 1 10.0.0.1 TCP_MISS/200 1 GET http://a.test/ - - -",
       b"-1.000 1 10.0.0.1 TCP_MISS/200 1 GET http://a.test/ - - -", b"1793613601.000 -9 10.0.0.1 TCP_MISS/200 -1 GET http://a.test/ - - -",
       b"0.000 1 10.0.0.1 TCP_MISS/200 1 GET http://a.test/ - - -"]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school that has not had a night yet."""
    return make(tmp_path_factory.mktemp("any") / "school")


def mixed(dice: random.Random, base: bytes) -> bytes:
    """`base` with a byte changed, taken out or put in."""
    at = dice.randrange(len(base) + 1)
    return base[:at] + bytes(dice.randrange(256) for _ in range(dice.randrange(3))) + base[at + dice.randrange(2):]


ANY_LINE = st.one_of(st.sampled_from(WHOLE), st.sampled_from(ODD), st.binary(max_size=80),
                     st.builds(mixed, st.randoms(use_true_random=False), st.sampled_from(WHOLE)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(ANY_LINE, max_size=12), min_size=1, max_size=2), st.booleans())
def test_any_bytes_at_all_go_through_the_whole_night(school: Path, monkeypatch: pytest.MonkeyPatch, logs: list[list[bytes]],
                                                     ends: bool) -> None:
    """Fates add up per log and in the coverage of the days, equations hold, registers verify; a second night adds nothing."""
    quick(monkeypatch)
    for folder in ("var", "reports", "logs"):
        shutil.rmtree(school / folder, ignore_errors=True)
    (school / "logs").mkdir()
    files = []
    for number, parts in enumerate(logs):
        files.append(school / f"logs/access.log.{number + 1}")
        files[-1].write_bytes(b"\n".join([WHOLE[number].rstrip(), *parts]) + (b"\n" if ends else b""))
    account = run(school, *files)
    assert account.problems == []
    lines = sum(path.read_bytes().count(b"\n") + (not path.read_bytes().endswith(b"\n")) for path in files)
    assert account.fates.total() == account.lines == len(lines_of(school)) == lines
    coverage = derived(school)["coverage"]
    assert sum(row["lines"] for row in coverage) == lines
    for row in coverage:
        assert row["lines"] == sum(row[name] for name in ("requests", "parts", "furniture", "rejects", "repeats"))
    assert set(account.fates) <= set(FATES)
    assert any("technical/nightly-" in page for page in pages(school))
    assert schoolfolder.verify(school) == []
    assert run(school, *files).fates.total() == 0
