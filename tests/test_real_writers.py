"""Programs that write these logs, started here, asked a few things, and their logs read back: as asked, none more, none fewer."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from front_door import here
from real_e2guardian import AGENT, BANNED, E2GUARDIAN, TRUSTED, RealE2Guardian
from real_e2guardian import SHUT as DOWN
from real_squid import DENIED, ILLEGAL, SHUT, SQUID, Made, RealSquid

from pipeline.formats import bundled

SHOWN = ("client_ip", "user", "action", "kind", "method", "host", "port", "status")
SQUIDGUARD = Path("/usr/bin/squidGuard")
needs_squid = pytest.mark.skipif(not SQUID.exists(), reason=f"{SQUID} is not installed (apt-get install squid)")
needs_e2guardian = pytest.mark.skipif(not E2GUARDIAN.exists(), reason=f"{E2GUARDIAN} is not installed (apt-get install e2guardian)")
needs_squidguard = pytest.mark.skipif(not SQUIDGUARD.exists(), reason=f"{SQUIDGUARD} is not installed (apt-get install squidguard)")


def read(log: Path, *words: str) -> tuple[list[dict[str, Any]], str]:
    """The requests of `schoolgate read`, the format found by itself, and what it says beside."""
    done = here("read", *words, str(log))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


# Debian's Squid has no OpenSSL and so none of the codes of the handshake: they stand in its directive as a dash.
DETAILED = str(bundled()["squid-detailed"].says["logformat"]).replace("%ssl::>sni %ssl::bump_mode", "- -")
BUILT_IN = ("common", "combined", "referrer", "useragent")
LOGS = DETAILED + "".join(f"\naccess_log stdio:{{folder}}/run/{name}.log logformat={name}" for name in (*BUILT_IN, "detailed"))
HEADERS = 'User-Agent: Odd "browser" 1.0\r\nReferer: http://www.example.org/start?a=1\r\n'


@pytest.fixture(scope="module")
def squid() -> Iterator[RealSquid]:
    """One Squid that writes each request into all its logs at once."""
    with RealSquid(LOGS) as started:
        started.get("news.test", "/front?page=2", headers=HEADERS)
        started.get(DENIED, "/play", client="127.0.0.22", headers=HEADERS)
        started.tunnel("clips.test")
        started.tunnel(DENIED)
        started.get(SHUT)
        started.challenge("lessons.test")
        started.get("lessons.test", user="FENMARSH\\19jbloggs")
        started.get("lessons.test", user="jane smith")
        started.get(ILLEGAL, "/picture", client="127.0.0.66", user="FENMARSH\\19jbloggs")
        started.settle()
        yield started


def asked(made: Made) -> tuple[Any, ...]:
    """The request as `read` says it: as it was made, but for the host of a sealed one."""
    return made.client_ip, made.user, made.action, made.kind, made.method, None if made.sealed else made.host, made.port, made.status


@needs_squid
@pytest.mark.parametrize("name", ["common", "combined", "detailed"])
def test_squid_is_read_in_each_of_its_formats(squid: RealSquid, name: str) -> None:
    """Whichever way it was told to write, the log is known for what it is and gives just the requests made."""
    rows, said = read(squid.log.parent / f"{name}.log")
    assert f"(squid-{name})" in said
    assert Counter(tuple(row[key] for key in SHOWN) for row in rows) == Counter(map(asked, squid.made))


@needs_squid
@pytest.mark.parametrize("name", ["combined", "detailed"])
def test_squids_headers_are_read_as_the_client_sent_them(squid: RealSquid, name: str) -> None:
    """Quotes that Squid escapes are taken out again."""
    rows, _ = read(squid.log.parent / f"{name}.log")
    sent = [(row["user_agent"], row["referrer"]) for row in rows if row["host"] in ("news.test", DENIED) and row["kind"] == "http"]
    assert sent == [('Odd "browser" 1.0', "http://www.example.org/start?a=1")] * 2


@needs_squid
@pytest.mark.parametrize("name", ["referrer", "useragent"])
def test_squids_logs_without_outcomes_are_no_visits(squid: RealSquid, name: str) -> None:
    """They are known for what they are, and all their lines are left aside."""
    rows, said = read(squid.log.parent / f"{name}.log")
    lines = len((squid.log.parent / f"{name}.log").read_text().splitlines())
    assert rows == []
    assert lines and f"(squid-{name}): 0 request, 0 part, {lines} furniture, 0 reject" in said


WROTE = {1: "e2guardian-1", 2: "e2guardian-2", 3: "e2guardian-3", 4: "e2guardian-4", 5: "e2guardian-5", 6: "e2guardian-5"}


@needs_e2guardian
@pytest.mark.parametrize("number", sorted(WROTE))
def test_e2guardian_is_read_in_each_of_its_formats(number: int) -> None:
    """Debian's E2Guardian knows formats 1 to 6: what it let through, blocked, trusted, could not fetch, and sent to log in."""
    with RealE2Guardian(number) as e2g:
        began = datetime.now(UTC)
        e2g.get("news.test", "/front?page=2")
        e2g.get(BANNED, "/play")
        e2g.get(TRUSTED)
        e2g.get(DOWN)
        e2g.get("news.test", "/login")
        e2g.tunnel("clips.test")
        e2g.tunnel(BANNED)
        e2g.cut()
        e2g.get("news.test", "/gone")
        rows, said = read(e2g.log, "--zone", "Europe/London")
    assert f"({WROTE[number]})" in said and " 0 reject" in said
    gone = "blocked" if number == 3 else "error"  # format 3 writes the two alike
    assert [(row["action"], row["kind"], row["host"], row["port"], row["status"]) for row in rows] == [
        ("allowed", "http", "news.test", 80, 200), ("blocked", "http", BANNED, 80, 403), ("allowed", "http", TRUSTED, 80, 200),
        ("error", "http", DOWN, 80, 503), ("auth", "http", "news.test", 80, 407), ("allowed", "tunnel", "clips.test", 443, 200),
        ("blocked", "tunnel", BANNED, 443, 403), (gone, "http", "news.test", 80, 403)]
    assert {row["client_ip"] for row in rows} == {"127.0.0.21"} and {row["user"] for row in rows} == {None}
    assert all(abs((datetime.fromisoformat(row["time"]) - began).total_seconds()) < 60 for row in rows)
    if number != 3:
        assert [row["vendor_category"] for row in rows] == [None, "Games", "Lessons", None, None, None, "Games", None]
        # in format 1 the client program begins at its first word of the shape name/version, and this one has none
        assert {row["user_agent"] for row in rows if row["kind"] == "http"} == ({None} if number == 1 else {AGENT})


@needs_e2guardian
@pytest.mark.parametrize("number", [1, 2, 4])
def test_e2guardians_stamp_is_preferred_to_its_local_time(number: int) -> None:
    """With `logtimestamp` the epoch stands beside the local time, so that a wrong zone does no harm."""
    with RealE2Guardian(number, logtimestamp="on") as e2g:
        began = datetime.now(UTC)
        e2g.get("news.test")
        rows, _ = read(e2g.log, "--zone", "Asia/Tokyo")
    assert [abs((datetime.fromisoformat(row["time"]) - began).total_seconds()) < 60 for row in rows] == [True]


GUARD = """
dbhome {folder}
logdir {folder}
src pupils {{
 ip 192.0.2.0/24
}}
dest games {{
 domainlist games
 log requests.log
}}
rew safe {{
 s@(find.test/search)$@\\1?safe=1@i
 log requests.log
}}
acl {{
 pupils {{
  pass !games all
  rewrite safe
  redirect http://block.test/
 }}
 default {{
  pass none
  redirect http://block.test/
  log requests.log
 }}
}}
"""
QUESTIONS = """http://games.test/play 192.0.2.61/- jsmith GET
games.test:443 192.0.2.61/pc7.test jane%20smith CONNECT
http://find.test/search 192.0.2.61/- EXAMPLE%5cjsmith GET
http://lessons.test/ 192.0.2.61/- jsmith GET
http://games.test/ 2001:db8::61/- - GET
"""


@needs_squidguard
def test_squidguard_is_read_back(tmp_path: Path) -> None:
    """What it redirected is blocked, what it rewrote is not, what it let pass is not in the log; logins come in small letters."""
    (tmp_path / "games").write_text("games.test\n")
    (tmp_path / "guard.conf").write_text(GUARD.format(folder=tmp_path))
    subprocess.run([SQUIDGUARD, "-c", tmp_path / "guard.conf"], input=QUESTIONS, text=True, capture_output=True, timeout=60, check=True)
    rows, said = read(tmp_path / "requests.log", "--zone", "Pacific/Auckland")
    assert "(squidguard)" in said
    assert [(row["action"], row["kind"], row["host"], row["user"], row["client_ip"], row["vendor_category"]) for row in rows] == [
        ("blocked", "http", "games.test", "jsmith", "192.0.2.61", "games"),
        ("blocked", "tunnel", "games.test", "jane smith", "192.0.2.61", "games"),
        ("allowed", "http", "find.test", "example\\jsmith", "192.0.2.61", "all"),
        ("blocked", "http", "games.test", None, "2001:db8::61", None)]
    assert all(abs((datetime.fromisoformat(row["time"]) - datetime.now(UTC)).total_seconds()) < 60 for row in rows)
