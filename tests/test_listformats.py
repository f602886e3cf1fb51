"""Lists in the formats they come in: what is read of each, what is left out and why, and that no line is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.listformats.parsed import Parsed
from pipeline.listformats.parsing import FORMATS, parse, parsing

DOMAINS = """\ufeff# a list
Games.Example.
*.play.example   # and all under it
.dotted.example

www.shop.example
b\u00fccher.test
www.co.uk
co.uk
uk
x.kobe.jp
city.kobe.jp
github.io
203.0.113.7
203.0.113.0/24
300.0.113.7
two words.example
page.example/path
under_score.example
-
"""
HOSTS = """127.0.0.1 localhost
0.0.0.0 ads.example tracker.example # two
::1 ip6-loopback
::  v6.example
203.0.113.9 www.search.example
0.0.0.0
ads.example
# comment
"""
ADBLOCK = """[Adblock Plus 2.0]
! Title: made up
||bad.example^
||doc.example^$document,important
||third.example^$third-party
||part.example^$script,domain=other.example
@@||good.bad.example^
||deep.good.bad.example^
@@||taken.doc.example^
||gone.example^
||gone.example^$badfilter
||page.example/adverts/
||*.star.example^
||a*b.example^
||prefix.
/banner[0-9]+/
example.com##.advert
##.advert
"""
RPZ = """$TTL 300
$ORIGIN rpz.invalid.
@ SOA ns.rpz.invalid. host.rpz.invalid. (
    1 ; serial
    300 60 60 60 )
  IN NS ns.rpz.invalid.
bad.example CNAME .
*.bad.example 300 IN CNAME .
nodata.example IN CNAME *.
drop.example CNAME rpz-drop.
good.bad.example CNAME rpz-passthru.
whole.example.rpz.invalid. CNAME .
null.example A 0.0.0.0
      AAAA ::
safe.example CNAME strict.search.example.
32.7.113.0.203.rpz-ip CNAME .
word.example TXT "hello"
$ORIGIN test.rpz.invalid.
inner CNAME .
"""
DNSMASQ = """# made up
address=/bad.example/0.0.0.0
address=/one.example/two.example/
address=/six.example/::
local=/local.example/
server=/forward.example/192.0.2.1
server=/good.bad.example/#
address=/printer.example/192.0.2.7
address=/#/0.0.0.0
cache-size=1000
"""
URLS = """# made up
Host.example/Path/To/
https://user:word@www.Page.example:8443/a/b?id=3#part
whole.example
whole.example:8080/
[2001:db8::1]/x
co.uk/path
a space.example/x
/only/path
"""
SQUID = """# made up
.bad.example
acl games dstdomain -n .play.example pong.example # two
acl slow dstdom_regex ads
acl more dstdomain "/etc/more"
http_access deny games
"""
CSV = """Domain;Category;Note
bad.example;gambling;"a; b"
"quoted.example";games;
https://www.page.example/x;games;
;games;
short.example
torn.example;"games;
"""


def entries(parsed: Parsed) -> list[str]:
    """Each entry with its path and category, `@` before an exception, in order of lines."""
    return [("@" if row["excepted"] else "") + row["entry"] + row["path"] + (f" {row['category']}" if row["category"] else "")
            for row in parsed.entries.to_pylist()]


@pytest.mark.parametrize(("form", "text", "read", "left_out"), [
    ("domains", DOMAINS,
     "games.example play.example dotted.example shop.example xn--bcher-kva.test www.co.uk city.kobe.jp github.io 203.0.113.7 under_score.example",
     {"a public suffix": 2, "a single label": 2, "not a host name": 1,
      "an address of a page, not a name": 2, "more than one word": 1}),
    ("hosts", HOSTS, "ads.example tracker.example v6.example",
     {"a name of the computer itself": 2, "leads to an address, so blocks nothing": 1, "no name after the address": 1,
      "no address before the name": 1}),
    ("adblock", ADBLOCK, "bad.example doc.example @good.bad.example page.example/adverts star.example",
     {"only for parts of pages or some clients": 2, "a pattern, not a name": 3, "cosmetic: hides parts of pages": 2}),
    ("rpz", RPZ,
     "bad.example bad.example nodata.example drop.example @good.bad.example whole.example null.example null.example inner.test",
     {"leads to an address, so blocks nothing": 1, "a trigger on addresses or servers": 1, "a record that blocks nothing": 1}),
    ("dnsmasq", DNSMASQ, "bad.example one.example two.example six.example local.example @good.bad.example",
     {"sends the question to a server": 1, "leads to an address, so blocks nothing": 1, "not a host name": 1,
      "another option of dnsmasq": 1}),
    ("urls", URLS, "host.example/Path/To page.example/a/b?id=3 whole.example whole.example 2001:db8::1/x co.uk/path",
     {"a space in the address": 1, "no address": 1}),
    ("squid", SQUID, "bad.example play.example pong.example",
     {"another directive of Squid": 2, "names another file, which is not read": 1}),
    ("csv", CSV, "bad.example gambling|quoted.example games|page.example/x games",
     {"an empty cell": 1, "another number of cells than the header": 1, "a quote that does not end": 1}),
])
def test_each_format_is_read_and_what_is_left_out_has_its_reason(form: str, text: str, read: str, left_out: dict[str, int]) -> None:
    """Names in one spelling, and a count for each reason why a line gave none."""
    parsed = parse(text.encode(), form)
    assert entries(parsed) == read.split("|" if "|" in read else " ")
    assert dict(parsed.reasons) == {reason: many for reason, many in left_out.items() if many}
    assert parsed.read + parsed.furniture + parsed.skipped == parsed.lines == len(text.splitlines())


def test_what_is_left_out_is_shown_with_its_line() -> None:
    """The first three lines of each reason, as they stand, for a person to look up."""
    parsed = parse(b"good.example\nuk\nfr\nde\nes\n", "domains")
    assert parsed.examples == {"a single label": ["2: uk", "3: fr", "4: de"]}


def test_a_csv_without_a_column_of_sites_gives_nothing() -> None:
    """Guessing which column holds the names would fill a list with rubbish."""
    parsed = parse(b"when,who\nmonday,someone.example\n", "csv")
    assert (len(parsed.entries), parsed.skipped, list(parsed.reasons)) == (0, 2, ["no header that names a column of sites"])


def test_a_torn_byte_leaves_out_its_line_only() -> None:
    """Bytes that are no UTF-8, and NULs, are no part of a name; the other lines count."""
    parsed = parse(b"one.example\nt\xffwo.example\nthr\0ee.example\r\nfour.example", "domains")
    assert entries(parsed) == ["one.example", "four.example"]
    assert parsed.reasons == {"not a host name": 2}


@pytest.mark.parametrize("size", [1, 7, 200])
@pytest.mark.parametrize(("form", "text"), [("domains", DOMAINS), ("hosts", HOSTS), ("adblock", ADBLOCK), ("rpz", RPZ), ("dnsmasq", DNSMASQ),
                                            ("urls", URLS), ("squid", SQUID), ("csv", CSV)])
def test_a_list_that_comes_in_blocks_is_the_same_list(form: str, text: str, size: int) -> None:
    """Wherever a block ends: in a line, in a letter, between the two signs of a line end."""
    data = text.replace("\n", "\r\n").encode() if size == 7 else text.replace("\n", "\r").encode() if size == 200 else text.encode()
    whole, parts = parse(data, form), Parsed()
    for part in parsing([data[n:n + size] for n in range(0, len(data), size)], form):
        parts.add(part)
    assert parts == whole
    assert whole.lines == len(text.splitlines())


PIECES = st.one_of(st.text(), st.sampled_from([
    "||", "@@", "^", "$third-party", "$badfilter", "##", "#", "!", ".", "..", "*.", "bad.example", "good.bad.example", "co.uk", "/",
    "/a?b", " ", "\t", "\n", "\r\n", "0.0.0.0 ", "::1 ", "CNAME .", "CNAME rpz-passthru.", "$ORIGIN x.", "@ SOA (", ")", "address=/",
    "server=/", "acl x dstdomain ", '"', ",", ";", "domain,category\n", "b\u00fccher.test", "\u200b", "\0", "%"]))


@pytest.mark.parametrize("form", sorted(FORMATS))
@settings(max_examples=30)
@given(data=st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=25).map(lambda parts: "".join(parts).encode("utf-8", "replace"))))
def test_no_text_breaks_a_parser_or_loses_a_line(form: str, data: bytes) -> None:
    """Whatever the bytes: every line has one fate, a line left out has a reason, and every entry is a name in its one spelling."""
    parsed = parse(data, form)
    assert parsed.skipped >= 0 and sum(parsed.reasons.values()) >= parsed.skipped
    assert set(parsed.examples) == set(parsed.reasons)
    for row in parsed.entries.to_pylist():
        assert re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+|[0-9a-f:]+", row["entry"])
        assert row["path"] == "" or row["path"].startswith("/")
        assert 1 <= row["line"] <= parsed.lines
