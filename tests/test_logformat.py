"""Directives of Squid and Apache, pasted as they stand: every code has its meaning, and a line written by them is read back."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import answer

from pipeline import sql
from pipeline.formats import Format, Layout, parse
from pipeline.formats.fields import Parser
from pipeline.formats.logformat import DirectiveError, expand
from pipeline.formats.pattern import split

COMMON = '%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st %Ss:%Sh'
APACHE = r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined'


def form(directive: str, dialect: str = "squid", more: str = "") -> Format:
    """The format that a pasted directive makes."""
    assert "'''" not in directive
    made, faults = parse(f"""name = "mine"\ntitle = "Mine"\nreader = "logformat"\ndialect = "{dialect}"\nexamples = []
                     logformat = '''{directive}'''\n{more}""", "mine.toml")
    assert made is not None and not faults, faults
    return made


def rows(made: Format, *lines: str) -> list[dict[str, Any]]:
    """The fields of each line."""
    count = range(1, len(lines) + 1)
    numbered = pa.table({"line": pa.array(count, pa.int64()), "byte": pa.array(count, pa.int64()),
                         "text": pa.array([line + "\n" for line in lines], pa.string()), "long": [False] * len(lines)})
    return answer(split(made, Layout(made.name)), numbered).to_pylist()


def field(made: Format, row: dict[str, Any], ours: str) -> str | None:
    """One of ours as the format's own [fields] finds it: the first source field that has a text other than -."""
    return next((row[name] for name in made.says["fields"][ours] if row[name] not in (None, "-")), None)


CODES = """
%>a                     client_ip     192.0.2.61
%>a                     client_ip     2001:db8::61
%>A                     client_ip     pc7.example.org
%{X-Forwarded-For}>h    client_ip     192.0.2.61
%>h{X-Forwarded-For}    client_ip     192.0.2.61
%un                     user          EXAMPLE\\\\jsmith
%ul                     user          jsmith
%ue                     user          jsmith
%us                     user          jsmith
%ui                     user          jsmith
%rm                     method        PROPFIND
%>rm                    method        GET
%<rm                    method        GET
%>rs                    scheme        https
%>rd                    host          games.example.net
%>rP                    port          8443
%>rp                    path          /play?level=1
%rp                     path          /play
%>Hs                    status        403
%03>Hs                  status        000
%<Hs                    status        502
%<st                    bytes_in      48213
%>st                    bytes_out     512
%tr                     duration      -3
%6tr                    duration      143
%mt                     content_type  text/html
%{User-Agent}>h         user_agent    Mozilla/5.0%20(X11)
%{Referer}>h            referrer      http://www.example.org/
%ssl::>sni              host          games.example.net
%tls::>sni              host          games.example.net
%Ss                     vendor_rule   TCP_DENIED_REPLY
%err_code               vendor_rule   ERR_ACCESS_DENIED
%http::>rm              method        GET
"""


@pytest.mark.parametrize("row", CODES.strip().splitlines(), ids=lambda row: " ".join(row.split()[:2]))
def test_a_code_of_squid_has_its_meaning(row: str) -> None:
    """The code's text comes out as the field of ours that it means."""
    code, ours, text = row.split()
    made = form(f"logformat mine %ts.%03tu {code} %ru end")
    shown = text.rjust(6) if "%6" in code else text
    said = rows(made, f"1788854711.087 {shown} http://a.test/ end")[0]
    assert said["fault"] is None
    assert field(made, said, ours) == text.replace("%20", " ")


OTHERS = """%>p %la %lp %>la %>lp %>eui %ea %et %{tag}note %<ru %>ru %rv %<a %<A %<p %<la %<lp %<pt %<tt
    %dt %st %>sh %<sh %<bs %sn %err_detail %master_xaction %transport::>connection_id %proxy_protocol::>h{:src_addr}
    %{Cookie}>h %{Server}<h %{X}>ha %ssl::bump_mode %ssl::<cert_subject %ssl::<cert_errors %ssl::>negotiated_version
    %icap::tt %adapt::all_trs %tS %newer_code"""


@pytest.mark.parametrize("code", OTHERS.split())
def test_a_code_that_says_nothing_for_us_is_passed_over(code: str) -> None:
    """Every code of the manual, and one that is not in it yet, leaves the others where they are."""
    made = form(f"%ts.%03tu {code} %>Hs %ru")
    said = rows(made, "1788854711.087 7 403 http://a.test/")[0]
    assert (said["fault"], field(made, said, "status")) == (None, "403")


TIMES = r"""
%ts.%03tu                                    | 1788854711.087                  | epoch                     | epoch
%ts                                          | 1788854711                      | epoch                     | epoch
%tS                                          | 1788854711.087                  | epoch                     | epoch
[%tl]                                        | [08/Sep/2026:09:05:11 +0100]    | %d/%b/%Y:%H:%M:%S %z      | offset
[%tg]                                        | [08/Sep/2026:08:05:11]          | %d/%b/%Y:%H:%M:%S         | utc
%{%Y-%m-%dT%H:%M:%S}tl.%03tu                 | 2026-09-08T09:05:11.087         | %Y-%m-%dT%H:%M:%S %g      | local
%tl{%F %T}                                   | 2026-09-08 09:05:11             | %Y-%m-%d %H:%M:%S         | local
[%{%d/%b/%Y:%H:%M:%S}tl.%03tu %{%z}tl]       | [08/Sep/2026:09:05:11.087 +0100]| %d/%b/%Y:%H:%M:%S %z %g   | offset
%{%e %B %Y %I:%M %p}tl                       | 8 September 2026 09:05 AM       | %d %B %Y %I:%M %p         | local
%{%s}tl                                      | 1788854711                      | epoch                     | local
"""


@pytest.mark.parametrize("row", TIMES.strip().splitlines())
def test_a_time_is_read_as_it_was_written(row: str) -> None:
    """[time] names the pieces of the date in order, with what DuckDB calls their parts, and the basis."""
    code, text, wanted, basis = (cell.strip() for cell in row.split("|"))
    made = form(f"{code} %>a %ru")
    said = rows(made, f"{text} 192.0.2.61 http://a.test/")[0]
    assert said["fault"] is None
    assert (made.says["time"]["as"], made.says["time_basis"]) == ([wanted], basis)
    pieces = [said[name] for name in made.says["time"]["from"]]
    assert all(pieces)
    if wanted != "epoch":
        read = sql.run("SELECT strftime(strptime($text, $as), '%H:%M') AS t", {"text": " ".join(pieces), "as": wanted})
        assert read["t"][0].as_py() in ("09:05", "08:05")


def test_an_address_and_its_port_may_be_glued() -> None:
    """A colon in an address is not the one before the port."""
    made = form("%ts.%03tu %>a:%>p %ru")
    said = rows(made, "1788854711.087 192.0.2.61:52100 http://a.test/", "1788854711.087 2001:db8::61:52100 http://a.test/")
    assert [row["client_ip"] for row in said] == ["192.0.2.61", "2001:db8::61"]


def test_quoted_and_bracketed_codes_may_hold_spaces() -> None:
    """Between quotes or brackets the text ends where the mark does; escapes of quotes are taken out."""
    made = form('%ts.%03tu [%{User-Agent}>h] "%{Referer}>h" "%un" %ru')
    said = rows(made, r'1788854711.087 [Odd %5bone%5d 1.0] "http://a.test/\"x\" y" "jane smith" http://a.test/')[0]
    assert (said["user_agent"], said["referrer"], said["user"]) == ("Odd [one] 1.0", 'http://a.test/"x" y', "jane smith")


def test_the_last_code_takes_the_rest() -> None:
    """A client program at the end of the line needs no quotes."""
    made = form("%ts.%03tu %ru %'{User-Agent}>h")
    assert rows(made, "1788854711.087 http://a.test/ Mozilla/5.0 (X11; CrOS)")[0]["user_agent"] == "Mozilla/5.0 (X11; CrOS)"


def test_a_line_that_breaks_the_rules_is_read_loosely() -> None:
    """Spaces in an address and a stray quote in a header do not lose the line."""
    made = form(COMMON.replace("%Ss", '"%{User-Agent}>h" %Ss'))
    said = rows(made, '192.0.2.61 - jane smith [08/Sep/2026:09:05:11 +0100] "GET http://a.test/two words HTTP/1.1" 200 9 "a "b" c" TCP_MISS:HIER_DIRECT')[0]
    assert (said["user"], said["url"], said["user_agent"], said["result"]) == (
        "jane smith", "http://a.test/two words", 'a "b" c', "TCP_MISS")


def test_percent_and_byte_are_plain_text() -> None:
    """%% and %byte{n} write one character."""
    made = form("%ts.%03tu 100%%%byte{124}%>Hs|%ru")
    assert rows(made, "1788854711.087 100%|403|http://a.test/")[0]["status"] == "403"


def test_columns_filled_up_with_spaces_are_trimmed() -> None:
    """A width puts spaces before, or after with a minus; both are no part of the text."""
    made = form("%ts.%03tu %8>Hs %-10rm %ru")
    said = rows(made, "1788854711.087      403 GET        http://a.test/")[0]
    assert (said["status"], said["method"], said["url"]) == ("403", "GET", "http://a.test/")


def test_of_several_codes_with_one_meaning_the_best_wins() -> None:
    """The client of the connection before the one that a proxy passed on; the name of the handshake before the address."""
    made = form("%ts.%03tu %{X-Forwarded-For}>h %>a %ru %ssl::>sni")
    one, two = rows(made, "1788854711.087 192.0.2.7, 10.0.0.3 - 203.0.113.9:443 games.test",
                    "1788854711.087 - 192.0.2.61 http://a.test/ -")
    assert [field(made, row, "client_ip") for row in (one, two)] == ["192.0.2.7", "192.0.2.61"]
    assert [field(made, row, "host") for row in (one, two)] == ["games.test", None]


APACHE_LINES = r"""
192.0.2.61 - jsmith [08/Sep/2026:09:05:11 +0100] "GET http://a.test/ HTTP/1.1" 200 931 "-" "Odd \"one\" 1.0"  | GET     | http://a.test/ | 200 | Odd "one" 1.0
192.0.2.61 - jane smith [08/Sep/2026:09:05:11 +0100] "CONNECT a.test:443 HTTP/1.1" 403 - "-" "M"              | CONNECT | a.test:443     | 403 | M
192.0.2.61 - - [08/Sep/2026:09:05:11 +0100] "GET /two words HTTP/1.0" 404 12 "http://b.test/ x" "M"           | GET     | /two words     | 404 | M
192.0.2.61 - - [08/Sep/2026:09:05:11 +0100] "-" 408 - "-" "-"                                                 | -       | None           | 408 | -
"""


@pytest.mark.parametrize("row", APACHE_LINES.strip().splitlines())
def test_apache_is_read_by_its_own_codes(row: str) -> None:
    """The request line is taken apart; a garbled request still is a line."""
    line, method, url, status, agent = (cell.strip() for cell in row.split("|"))
    said = rows(form(APACHE, "apache"), line)[0]
    assert said["fault"] is None
    assert [str(said[name]) for name in ("method", "url", "status", "user_agent")] == [method, url, status, agent]


@pytest.mark.parametrize(("code", "unit"), [("%D", "us"), ("%T", "s"), ("%{ms}T", "ms"), ("%{us}T", "us")])
def test_apache_says_the_unit_of_a_duration(code: str, unit: str) -> None:
    """A duration is in microseconds, milliseconds or seconds by its code."""
    made = form(f"%h %t %v %U%q {code}", "apache")
    assert (made.file.duration_unit, made.sources("duration"), made.sources("path"), made.sources("query")) == (
        unit, ["duration"], ["path"], ["query"])


APACHE_CODES = """%A %B %{c}a %{X}C %{X}e %f %H %{X}i %k %L %m %{X}n %{X}o %p %{local}p %P %{tid}P %R %s %<s %>s
    %400,501{Referer}i %!200{Referer}i %v %V %X %I %O %S %{X}^ti %{sec}t %{usec_frac}t"""


@pytest.mark.parametrize(("dialect", "directive", "line"), [
    ("apache", "%h %t %v %U %D", "192.0.2.61 [08/Sep/2026:09:05:11 +0100] a.test /play 90000000"),
    ("apache", "%h %{end:%d/%b/%Y:%H:%M:%S %z}t %v %U %T", "192.0.2.61 08/Sep/2026:09:06:41 +0100 a.test /play 90"),
    ("apache", "%h %{sec}t %v %U %{ms}T", "192.0.2.61 1788854711 a.test /play 90000"),
    ("squid", "%tS %>a %6tr %ru", "1788854711.000 192.0.2.61  90000 http://a.test/play"),
    ("squid", "%ts.%03tu %>a %6tr %ru", "1788854801.000 192.0.2.61  90000 http://a.test/play")])
def test_a_time_is_the_end_of_a_request(dialect: str, directive: str, line: str) -> None:
    """Where the log says when a request came, its duration is added: all logs give its end."""
    numbered = pa.table({"line": [1], "byte": [0], "text": [line + "\n"], "long": [False]})
    parsed = Parser(form(directive, dialect)).parse(numbered)
    assert [at.isoformat() for at in parsed["time"].to_pylist()] == ["2026-09-08T08:06:41"]
    assert parsed["duration_ms"].to_pylist() == [90_000]


@pytest.mark.parametrize("code", APACHE_CODES.split())
def test_every_code_of_apache_is_known(code: str) -> None:
    """Each leaves the others where they are."""
    made = form(f"%h %t {code} %v %U", "apache")
    said = rows(made, "192.0.2.61 [08/Sep/2026:09:05:11 +0100] 200 a.test /play")[0]
    assert (said["fault"], field(made, said, "path")) == (None, "/play")


def test_verdicts_come_from_the_best_that_the_directive_has() -> None:
    """Squid's result, else its error page, else the status."""
    def told(directive: str) -> set[str]:
        return {word for line in expand({"logformat": directive})["verdicts"] for word in line.get("when", {})}
    assert told(COMMON) == {"result", "status", "url", "method"}
    assert told("%ts %ru %err_code %>Hs") == {"error", "status"}
    assert told("%ts %ru %>Hs") == {"status"}


def test_what_the_file_says_itself_stands() -> None:
    """A school may put in what it knows better."""
    made = form("%ts.%03tu %>a %ru %{X-Category}<h", more='verdicts = [{ action = "blocked" }]\n[fields]\nuser = "client_ip"')
    assert made.says["verdicts"] == [{"action": "blocked"}]
    assert (made.says["fields"]["user"], made.says["fields"]["url"]) == ("client_ip", ["url"])


@pytest.mark.parametrize(("says", "fault"), [
    ({"logformat": "%>a %ru"}, "no code for the time"), ({"logformat": "%ts %>a"}, "no code for the address"),
    ({"logformat": "%ts %ru", "dialect": "nginx"}, "dialect is squid or apache, not nginx")])
def test_a_directive_that_cannot_do_says_what_it_lacks(says: dict[str, str], fault: str) -> None:
    """Without a time or an address there is nothing to read."""
    with pytest.raises(DirectiveError, match=fault):
        expand(says)


def test_a_bad_directive_is_a_fault_of_the_file() -> None:
    """Whoever checks the format is told, in a sentence and with the file's name."""
    made, faults = parse('name = "mine"\nreader = "logformat"\nlogformat = "%>a"', "mine.toml")
    assert made is None
    assert [str(fault.where) for fault in faults] == ["mine.toml, logformat"]


NUMBERS, WORDS = ("%>st", "%<st", "%>p", "%03>Hs"), ("%>a", "%rm", "%mt", "%Ss", "%<A")
SAFE = st.text(st.characters(min_codepoint=33, max_codepoint=1500, blacklist_characters='"\\[]%', blacklist_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=9)
RESULT = st.sampled_from(["TCP_MISS", "TCP_DENIED", "NONE_NONE"])
TEXT = {"%03>Hs": st.sampled_from(["200", "403", "000"]), "%Ss": RESULT} | {
    code: st.integers(0, 10**6).map(str) for code in ("%>st", "%<st", "%>p")}


@settings(max_examples=80)
@given(st.permutations([*NUMBERS, *WORDS, '"%{User-Agent}>h"', "[%{Referer}>h]"]), st.data())
def test_what_a_directive_writes_is_read_back(codes: list[str], data: st.DataObject) -> None:
    """Codes in any order, with texts that their kind allows, come back as they went in."""
    made = form("%ts.%03tu " + " ".join(codes) + " %ru")
    spaced = st.lists(SAFE, min_size=1, max_size=3).map(" ".join)
    texts = [data.draw(spaced if code[0] in '"[' else TEXT.get(code, SAFE)) for code in codes]
    marks = [(code[0], code[-1]) if code[0] in '"[' else ("", "") for code in codes]
    line = " ".join(before + text + after for text, (before, after) in zip(texts, marks, strict=True))
    said = rows(made, f"1788854711.087 {line} http://a.test/")[0]
    wrote = dict(zip(codes, texts, strict=True))
    assert said["fault"] is None
    assert (said["client_ip"], said["result"], said["bytes_out"], said["status"]) == (
        wrote["%>a"], wrote["%Ss"], wrote["%>st"], wrote["%03>Hs"])
    assert (said["user_agent"], said["referrer"]) == (wrote['"%{User-Agent}>h"'], wrote["[%{Referer}>h]"])
