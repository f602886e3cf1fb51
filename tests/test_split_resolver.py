"""The reader `resolver`: a lookup is told in several lines; the query's line gets what became of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import faults, fields, form, rows, told

NEEDS = ["time", "client", "name", "type", "outcome", "rule"]
MADE = {dialect: form("resolver", NEEDS, f'dialect = "{dialect}"\nkind = "dns"') for dialect in ("dnsmasq", "unbound", "bind", "windows")}
AT = "Sep  8 09:05:11"


def lookups(dialect: str, *lines: str) -> list[tuple[object, ...]]:
    """Line, client, name and outcome of each request."""
    return [(row["line"], row.get("client"), row.get("name"), row.get("outcome")) for row in rows(MADE[dialect], lines) if "fault" not in row]


def test_dnsmasq_says_the_outcome_on_a_line_that_names_no_client() -> None:
    """The last query of that name was meant, in any case of its letters; other lines of the lookup are its parts."""
    lines = [f"{AT} dnsmasq[8]: {words}\n" for words in (
        "query[A] Games.test from 192.0.2.1", "query[AAAA] news.test from 192.0.2.2", "gravity blocked games.test is 0.0.0.0",
        "forwarded news.test to 198.51.100.53", "reply news.test is 2001:db8::7")]
    assert lookups("dnsmasq", *lines) == [(1, "192.0.2.1", "Games.test", "gravity blocked"), (2, "192.0.2.2", "news.test", None)]
    assert faults(MADE["dnsmasq"], *lines) == [None, None, "part", "part", "part"]


def test_dnsmasq_with_serial_numbers_tells_two_clients_of_one_name_apart() -> None:
    """Their lines may stand in any order."""
    assert lookups("dnsmasq", *[f"{AT} dnsmasq[8]: {words}" for words in (
        "1 192.0.2.1/501 query[A] x.test from 192.0.2.1", "2 192.0.2.2/502 query[A] x.test from 192.0.2.2",
        "1 192.0.2.1/501 config x.test is NXDOMAIN", "2 192.0.2.2/502 reply x.test is 203.0.113.7")]) == [
        (1, "192.0.2.1", "x.test", "config"), (2, "192.0.2.2", "x.test", None)]


def test_a_block_whose_query_is_not_there_is_a_request_of_its_own() -> None:
    """At the head of a batch its query was read before: no block is lost."""
    assert lookups("dnsmasq", f"{AT} dnsmasq[8]: gravity blocked x.test is ::", f"{AT} dnsmasq[8]: query[A] x.test from 192.0.2.1") == [
        (1, None, "x.test", "gravity blocked"), (2, "192.0.2.1", "x.test", None)]


def test_an_own_address_is_no_block_and_a_null_address_is() -> None:
    """`address=/intranet/` answers with a real one; a block list with 0.0.0.0."""
    assert [row[3] for row in lookups("dnsmasq", *[f"{AT} dnsmasq[8]: {words}" for words in (
        "query[A] a.test from 192.0.2.1", "config a.test is 192.0.2.9", "query[A] b.test from 192.0.2.1", "config b.test is 0.0.0.0",
        "query[A] c.test from 192.0.2.1", "/etc/blocked.hosts c.test is 127.0.0.1",
        "query[A] localhost from 192.0.2.1", "/etc/hosts localhost is 127.0.0.1")])] == [None, "config", "/etc/blocked.hosts", None]


@pytest.mark.parametrize(("head", "stamp"), [
    ("Sep  8 09:05:11 dnsmasq[8]: ", "Sep  8 09:05:11"), ("<30>Sep  8 09:05:11 ns1 dnsmasq[8]: ", "Sep  8 09:05:11"),
    ("2026-09-08T09:05:11.25+01:00 ns1 dnsmasq[8]: ", "2026-09-08T09:05:11.25+01:00"),
    ("<30>1 2026-09-08T09:05:11Z ns1 dnsmasq[8]: ", "2026-09-08T09:05:11Z")])
def test_the_time_is_taken_from_any_head(head: str, stamp: str) -> None:
    """The log's own file, syslog of both kinds, with and without a priority."""
    assert fields(MADE["dnsmasq"], head + "query[A] x.test from 192.0.2.1")[0]["time"] == stamp


def test_unbound_joins_by_client_name_and_type() -> None:
    """Local zones and policies; a zone that is transparent or built in decides nothing; a failed reply is what is left."""
    assert lookups("unbound", *[f"[1788854711] unbound[8:0] info: {words}" for words in (
        "192.0.2.1 x.test. A IN", "192.0.2.1 x.test. AAAA IN", "x.test. always_null 192.0.2.1@501 x.test. A IN",
        "192.0.2.1 x.test. A IN NOERROR 0.0 1 35", "192.0.2.2 y.test. A IN", "y.test. transparent 192.0.2.2@502 y.test. A IN",
        "192.0.2.2 y.test. A IN SERVFAIL 0.0 0 35", "192.0.2.3 z.test. A IN", "rpz: applied [school] z.test. rpz-nodata 192.0.2.3@503 z.test. A IN")]) == [
        (1, "192.0.2.1", "x.test.", "always_null"), (2, "192.0.2.1", "x.test.", None), (5, "192.0.2.2", "y.test.", "SERVFAIL"),
        (8, "192.0.2.3", "z.test.", "rpz-nodata")]


def test_unbound_that_logs_replies_only_is_read_by_its_replies() -> None:
    """Where queries are logged too, a reply is a part of one."""
    reply = "[1788854711] unbound[8:0] info: 192.0.2.1 x.test. A IN NOERROR 0.0 1 35"
    assert lookups("unbound", reply) == [(1, "192.0.2.1", "x.test.", "NOERROR")]
    assert faults(MADE["unbound"], "[1788854711] unbound[8:0] info: 192.0.2.1 x.test. A IN", reply) == [None, "part"]


def test_bind_joins_by_client_port_and_name() -> None:
    """Two lookups of one client at one time are told apart by their ports."""
    assert lookups("bind", *[f"08-Sep-2026 09:05:11.201 {words}" for words in (
        "queries: info: client @0x7f 192.0.2.1#501 (x.test): query: x.test IN A + (192.0.2.53)",
        "queries: info: client @0x7f 192.0.2.1#502 (x.test): view v: query: x.test IN A + (192.0.2.53)",
        "rpz: info: client @0x7f 192.0.2.1#502 (x.test): rpz QNAME NXDOMAIN rewrite x.test/A/IN via x.test.rpz.test",
        "query-errors: info: client @0x7f 192.0.2.1#501 (x.test): query failed (SERVFAIL) for x.test/IN/A at query.c:1")]) == [
        (1, "192.0.2.1", "x.test", "failed (SERVFAIL)"), (2, "192.0.2.1", "x.test", "NXDOMAIN")]


def test_windows_names_are_read_by_the_length_of_their_labels() -> None:
    """A label may hold a bracket with a number itself; the root has no label; a name cut off is read as far as it goes."""
    packet = "08/09/2026 09:05:11 0D14 PACKET  000001AB UDP Rcv 192.0.2.1  1a2b   Q [0001   D   NOERROR] A      "
    assert [row.get("name") for row in rows(MADE["windows"], [packet + name for name in (
        "(5)games(7)example(3)net(0)", "(6)odd(3)(7)example(3)net(0)", "(3)a)b(3)net(0)", "(0)", "(63)cut(3)off")])] == [
        "games.example.net.", "odd(3).example.net.", "a)b.net.", "", "cut(3)off."]


def test_windows_replies_and_forwarded_packets_are_parts_of_the_lookup() -> None:
    """The packet that a client sent is the request; EVENT lines, headings and detail blocks are furniture."""
    def packet(way: str, reply: str) -> str:
        return f"9/8/2026 9:05:11 AM 0D14 PACKET  000001AB UDP {way} 192.0.2.1  1a2b {reply} Q [0001   D   NOERROR] A      (1)x(4)test(0)"
    assert faults(MADE["windows"], packet("Rcv", " "), packet("Snd", " "), packet("Rcv", "R"), packet("Snd", "R"), "  Socket = 512",
                  "9/8/2026 9:05:11 AM 0D14 EVENT   started", "UDP question info at 000001AB", "another program") == [
        None, "part", "part", "part", "furniture", "furniture", "furniture", "is not a packet of the DNS server"]
    assert fields(MADE["windows"], packet("Rcv", " "))[0]["time"] == "9/8/2026 9:05:11 AM"


PIECES = st.lists(st.sampled_from([
    "dnsmasq[8]: ", "query[A] ", "x.test ", "from ", "is ", "gravity blocked ", "config ", "1 192.0.2.1/5 ", "[1788854711] unbound[8:0] ", "info: ",
    "192.0.2.1 ", "A IN", "a.test. always_null ", "192.0.2.1@5 ", "rpz: applied ", "client ", "@0x7 192.0.2.1#5 ", "(x): ", "query: ", " rpz ",
    "QNAME NXDOMAIN rewrite x/A/IN via z", " PACKET ", "UDP Rcv ", "[0001] A ", "(3)abc", "(0)", "(", ")", "<30>", "08-Sep-2026 ", "\0", "é", "\t", "'"]),
    max_size=9).map("".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES | st.text(max_size=40), max_size=8), st.sampled_from(sorted(MADE)))
def test_any_text_gives_each_line_one_row_in_order(lines: list[str], dialect: str) -> None:
    """Nothing raises, whatever the line holds."""
    told(MADE[dialect], lines)


@pytest.mark.parametrize("dialect", sorted(MADE))
def test_long_lines_take_no_more_than_their_length(dialect: str) -> None:
    """A mebibyte of labels, spaces or verbs is read in a moment."""
    size = (1 << 20) - 200
    heads = {"dnsmasq": f"{AT} dnsmasq[8]: query[A] ", "unbound": "[1] unbound[8:0] info: ", "bind": "08-Sep-2026 09:05:11.2 client 192.0.2.1#5 (x): query: ",
             "windows": "08/09/2026 09:05:11 0D14 PACKET  000001AB UDP Rcv 192.0.2.1  1a2b   Q [0001] A      "}
    began = time.monotonic()
    told(MADE[dialect], [heads[dialect] + piece * (size // len(piece)) for piece in ("(1)a", " ", "a ", "(9)", "is ", "from ", "x")])
    assert time.monotonic() - began < 30
