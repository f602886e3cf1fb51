"""What real resolvers log is read back as exactly the lookups that were made, each with what became of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from front_door import here
from real_resolvers import Lookup, Resolver, bind, dnsmasq, unbound

ONE, TWO = "127.0.0.21", "127.0.0.22"


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skip where the program is missing."""
    return pytest.mark.skipif(not Path(program).exists(), reason=f"{program} is not installed (apt-get install {package})")


def read_back(resolver: Resolver, lookups: Sequence[Lookup], unanswered: Sequence[str] = ()) -> None:
    """Ask, stop the resolver, and hold what `schoolgate read` recognises and says against what was asked."""
    with resolver as running:
        for lookup in lookups:
            running.ask(lookup, 0.3 if lookup.host in unanswered else 20.0)
        running.stop()
        said = here("read", "--zone", "UTC", str(running.log))
    assert said.returncode == 0, said.stderr
    rows = [json.loads(text) for text in said.stdout.splitlines()]
    assert Counter((row["client_ip"], row["host"], row["action"]) for row in rows) == Counter(
        (lookup.client_ip, lookup.host, lookup.action) for lookup in lookups), said.stderr
    assert {row["kind"] for row in rows} == {"dns"} and {row["url"] for row in rows} == {None}
    assert " 0 reject" in said.stderr
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=10) < datetime.fromisoformat(row["time"]) < now + timedelta(minutes=1) for row in rows)


@needs("/usr/sbin/dnsmasq", "dnsmasq-base")
@pytest.mark.parametrize("extra", [False, True])
def test_dnsmasq_says_what_was_asked_and_blocked(extra: bool) -> None:
    """With serial numbers it also tells whose lookup failed; without, a name nobody knows is an allowed lookup."""
    read_back(dnsmasq(extra), [
        Lookup(ONE, "games.example", "blocked"), Lookup(ONE, "games.example", "blocked", "AAAA"), Lookup(TWO, "www.open.example", "allowed"),
        Lookup(TWO, "proxy.example", "blocked"), Lookup(ONE, "ads.example", "blocked"), Lookup(ONE, "search.example", "allowed"),
        Lookup(TWO, "elsewhere.example", "error" if extra else "allowed", "HTTPS")])


@needs("/usr/sbin/unbound", "unbound")
@pytest.mark.parametrize("replies", [False, True])
def test_unbound_says_what_was_asked_and_blocked(replies: bool) -> None:
    """Local zones and a policy zone; a lookup that fails is told by its reply alone."""
    read_back(unbound(replies), [
        Lookup(ONE, "games.example", "blocked"), Lookup(ONE, "games.example", "blocked", "AAAA"), Lookup(TWO, "www.open.example", "allowed"),
        Lookup(TWO, "proxy.example", "blocked"), Lookup(ONE, "ads.example", "blocked"), Lookup(TWO, "page.example", "blocked"),
        Lookup(ONE, "21.0.0.127.in-addr.arpa", "allowed", "PTR"), Lookup(TWO, "elsewhere.example", "error" if replies else "allowed")])


@needs("/usr/sbin/named", "bind9")
@pytest.mark.parametrize("times", ["yes", "iso8601", "iso8601-utc"])
def test_bind_says_what_was_asked_and_blocked(times: str) -> None:
    """A policy zone with each of its answers, a dropped query among them; a lookup that fails is an error."""
    read_back(bind(times), [
        Lookup(ONE, "games.example", "blocked"), Lookup(ONE, "games.example", "blocked", "AAAA"), Lookup(TWO, "www.open.example", "allowed"),
        Lookup(TWO, "proxy.example", "blocked"), Lookup(ONE, "quiet.example", "blocked"), Lookup(TWO, "page.example", "blocked"),
        Lookup(ONE, "fine.example", "allowed"), Lookup(TWO, "elsewhere.example", "error", "HTTPS")], unanswered=["quiet.example"])
