"""A real Squid's log, rotated in mid-run, gives exactly the requests that a client made through it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from front_door import here
from real_squid import DENIED, ILLEGAL, SHUT, SQUID, Made, RealSquid

from pipeline.privacy import client_key, login_key, pseudonym
from pipeline.vault import load_keys

ROOT = Path(__file__).parent.parent
SHOWN = ("client_ip", "user", "action", "kind", "method", "host", "port", "status")
LOGIN = "FENMARSH\\19jbloggs"
SPACED = "jane smith"
ACCENTED = "zoë.inkpen"

pytestmark = pytest.mark.skipif(not SQUID.exists(), reason=f"{SQUID} is not installed (apt-get install squid)")


@pytest.fixture(scope="module")
def squid() -> Iterator[RealSquid]:
    """One Squid for the module: it takes a second to start and stop."""
    with RealSquid() as started:
        yield started


@pytest.fixture(scope="module")
def runs(squid: RealSquid, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A school after four nights: mid-run, after the rotation, after more requests, and once more for nothing."""
    school = tmp_path_factory.mktemp("school")
    shutil.copy(ROOT / "school.toml", school)
    shutil.copytree(ROOT / "rules", school / "rules")
    stored = []
    for step in (lambda: drive(squid), squid.rotate, lambda: drive(squid), lambda: None):
        step()
        squid.settle()
        night = here("--school", str(school), "nightly", *map(str, squid.logs()))
        assert night.returncode in (0, 5), night.stderr
        stored.append(len(lake(school)))
    return school, stored


def drive(squid: RealSquid) -> None:
    """A little of all that a proxy sees: pages, tunnels, blocks, challenges, logins, an error, an illegal-content verdict."""
    for client in ("127.0.0.21", "127.0.0.22"):
        assert squid.get("news.test", client=client) == 200
        assert squid.get(DENIED, "/play?level=1", client=client) == 403
        assert squid.tunnel("clips.test", client=client) == 200
        assert squid.tunnel(DENIED, client=client) == 403
    assert squid.get(SHUT) == 503
    assert squid.challenge("lessons.test") == 407
    assert squid.get("lessons.test", user=LOGIN) == 200
    assert squid.get("lessons.test", user=LOGIN, password="wrong") == 407
    assert squid.tunnel("clips.test", user=SPACED) == 200
    assert squid.get(DENIED, user=SPACED) == 403
    assert squid.get(ILLEGAL, "/picture", client="127.0.0.66", user=LOGIN) == 451
    assert squid.tunnel(ILLEGAL, client="127.0.0.66") == 451


def lake(school: Path) -> list[dict[str, Any]]:
    """The rows of the lake, as any Parquet reader sees them."""
    files = school / "var/lake/lines/day=*/*.parquet"
    rows = duckdb.sql(f"SELECT * FROM read_parquet('{files}', hive_partitioning = false) ORDER BY source, line")
    return rows.to_arrow_table().to_pylist()


def as_read(made: Made) -> tuple[Any, ...]:
    """The request as `schoolgate read` says it: as it was made, but for the host of a sealed one."""
    host = None if made.sealed else made.host
    return made.client_ip, made.user, made.action, made.kind, made.method, host, made.port, made.status


def as_stored(made: Made, key: bytes) -> tuple[Any, ...]:
    """The request as the lake keeps it: pseudonyms, and of a sealed one what was done to whom and no more."""
    method, host, port = (None, None, None) if made.sealed else (made.method, made.host, made.port)
    return (pseudonym(key, "d", client_key(made.client_ip)),
            pseudonym(key, "p", login_key(made.user)) if made.user else None,
            made.action, made.kind, method, host, port, made.status)


def test_squid_logs_each_request_once(runs: tuple[Path, list[int]], squid: RealSquid) -> None:
    """The log itself holds what was asked, so that the comparisons below stand on firm ground."""
    assert len(squid.lines()) == len(squid.made) == 32
    assert len(squid.logs()) == 2


def test_read_gives_exactly_the_requests_made(runs: tuple[Path, list[int]], squid: RealSquid) -> None:
    """`schoolgate read` over the log and the rotated one: no request more, none fewer, each as it was made."""
    said = subprocess.run([sys.executable, "-m", "pipeline", "read", *map(str, squid.logs())], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, check=False)
    assert said.returncode == 0, said.stderr
    rows = [json.loads(text) for text in said.stdout.splitlines()]
    assert Counter(tuple(row[key] for key in SHOWN) for row in rows) == Counter(map(as_read, squid.made))
    assert ILLEGAL not in said.stdout + said.stderr


def test_the_night_stores_exactly_the_requests_made(runs: tuple[Path, list[int]], squid: RealSquid) -> None:
    """Over four nights and a rotation each request is in the lake once, under its person's and client's pseudonym."""
    school, stored = runs
    assert stored == [16, 16, 32, 32]
    key = load_keys(school / "var/keys").pseudonym
    rows = Counter((row["client"], row["person"], *(row[name] for name in SHOWN[2:])) for row in lake(school))
    assert rows == Counter(as_stored(made, key) for made in squid.made)


def test_the_illegal_site_is_nowhere_in_the_school(runs: tuple[Path, list[int]]) -> None:
    """No file of the school folder holds the sealed host, its login or its client's address in the clear."""
    school, _ = runs
    sealed = [row for row in lake(school) if row["sealed_list"]]
    assert len(sealed) == 4
    assert all(row["host"] is row["url"] is row["referrer"] is None and row["sealed"] for row in sealed)
    files = [path for path in (school / "var").rglob("*") if path.is_file()]
    words = (ILLEGAL.split(".")[0], LOGIN.split("\\")[1], "127.0.0.66")
    assert not [path for path in files if any(word.encode() in path.read_bytes() for word in words)]


def test_a_login_beyond_ascii_is_read_as_it_was_typed() -> None:
    """Squid writes zoë.inkpen as zo%c3%ab.inkpen; people.csv has the former."""
    with RealSquid() as squid:
        assert squid.get("news.test", user=ACCENTED) == 200
        squid.settle()
        assert json.loads(here("read", str(squid.log)).stdout)["user"] == ACCENTED
