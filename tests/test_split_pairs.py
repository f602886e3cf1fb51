"""The reader `pairs`: key=value in all the ways that products write it."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import answer

from pipeline.formats import Format, Layout, bundled, pairs, parse

NAMES = [name for name, form in bundled().items() if form.file.reader == "pairs"]


def form(needs: str, says: str = "") -> Format:
    """A format that needs the fields named and says what is given beside."""
    first = needs.split(maxsplit=1)[0]
    text = f"""
name = "made"
title = "made up"
reader = "pairs"
time_basis = "utc"
verdicts = [{{ when = {{ {", ".join(f'"{name}" = "*"' for name in needs.split())} }}, action = "allowed" }}]
{says}
[time]
from = ["{first}"]
as = ["iso"]
[fields]
user = "{first}"
"""
    made, faults = parse(text, "made.toml")
    assert made is not None and not faults, faults
    return made


def table(lines: list[str]) -> pa.Table:
    """Lines as a reader is given them."""
    count = len(lines)
    return pa.table({"line": pa.array(range(1, count + 1), pa.int64()), "byte": pa.array([0] * count, pa.int64()),
                     "text": pa.array(lines, pa.string()), "long": pa.array([len(line) > 1 << 20 for line in lines], pa.bool_())})


def split(made: Format, *lines: str) -> list[dict[str, str | None]]:
    """What each line splits into: its fields that are not null, or its fault."""
    found = answer(pairs.split(made, Layout(made.name)), table([f"{line}\n" for line in lines])).to_pylist()
    assert [row["line"] for row in found] == list(range(1, len(lines) + 1))
    return [{"fault": row["fault"]} if row["fault"] else {name: row[name] for name in made.needs if row[name] is not None}
            for row in found]


def test_a_value_is_what_stands_between_its_key_and_the_next() -> None:
    """Quoted and not, empty and absent, a second "=", two spaces between, and the end of a line from Windows."""
    assert split(form("a b c"), 'a=1 b="two words" c=x=y?z=1', 'b=  a=""\r', "c=3 other=4 a=1") == [
        {"a": "1", "b": "two words", "c": "x=y?z=1"}, {"a": "", "b": ""}, {"a": "1", "c": "3"}]


def test_what_stands_in_quotes_begins_no_pair() -> None:
    """A user agent cannot name another user; of a key that stands twice, the first counts."""
    assert split(form("user agent"), 'agent="x user=admin y" user=jsmith', 'agent="user=admin"', "user=jsmith user=admin") == [
        {"agent": "x user=admin y", "user": "jsmith"}, {"agent": "user=admin"}, {"user": "jsmith"}]


def test_escapes_are_undone_where_the_product_escapes() -> None:
    """A backslash before a quote; a doubled backslash stays as logged; and elsewhere a backslash is only itself."""
    line = r'user="EXAMPLE\\jo" agent="say \"hi\" user=x"'
    assert split(form("user agent", "escapes = true"), line, r'user="C:\\" agent="b"') == [
        {"user": r"EXAMPLE\\jo", "agent": 'say "hi" user=x'}, {"user": r"C:\\", "agent": "b"}]
    assert split(form("user agent"), r'user="EXAMPLE\jo" agent="C:\"') == [{"user": r"EXAMPLE\jo", "agent": "C:\\"}]


def test_a_line_that_ends_inside_quotes_is_torn() -> None:
    """What stands behind the open quote may be anything."""
    assert split(form("a b"), 'a=1 b="two wo') == [{"fault": "ends inside a quoted value"}]


def test_an_unquoted_value_may_hold_spaces() -> None:
    """Words that begin no pair belong to the pair before them, unless the format says that values hold none."""
    line = "head words a=one two b=3 (tail)"
    assert split(form("a b"), line) == [{"a": "one two", "b": "3 (tail)"}]
    assert split(form("a b", "spaces = false"), line) == [{"a": "one", "b": "3"}]


def test_only_known_keys_begin_a_pair_where_the_format_lists_them() -> None:
    """An address with spaces and "=" in it stays whole."""
    assert split(form("host path rule", 'quotes = false\nkeys = ["host", "path", "rule"]'),
                 "host=a.test path=/x y=1, z=2 rule=Block = all") == [
        {"host": "a.test", "path": "/x y=1, z=2", "rule": "Block = all"}]


@pytest.mark.parametrize(("delimiter", "between"), [("\\t", "\t"), (",", ","), ("|", "|"), (";", ";"), ("; ", "; ")])
def test_pairs_stand_apart_by_what_the_format_says(delimiter: str, between: str) -> None:
    """And the same letters inside quotes are part of the value."""
    assert split(form("a b c", f'delimiter = "{delimiter}"'), between.join(["a=1", f'b="x{between}c=9"', "c=two words"])) == [
        {"a": "1", "b": f"x{between}c=9", "c": "two words"}]


def test_a_colon_may_stand_between_key_and_value() -> None:
    """Check Point's list in brackets, with or without a last semicolon."""
    made = form("action src url", 'delimiter = "; "\nassign = ":"\nafter = "["\ncloses = "]"\nspaces = false')
    assert split(made, '1 2026 gw - [action:"Drop"; src:"2001:db8::1"; url:"http://a.test/;x]"]', 'x[src:"192.0.2.1"; action:"Ask"; ]') == [
        {"action": "Drop", "src": "2001:db8::1", "url": "http://a.test/;x]"}, {"action": "Ask", "src": "192.0.2.1"}]


def test_a_cef_line_has_a_head_and_values_with_spaces() -> None:
    """Bars and "=" are escaped with a backslash; what has no head is said."""
    made = form("cef_1 cef_5 act msg suser", 'head = "cef"\nquotes = false')
    assert split(made, r"<13>Sep  8 09:05:11 gw CEF:0|Ven\|dor|P|1|23|Page blocked|7|act=block msg=not \= allowed suser=EXAMPLE\\j smith",
                 r"CEF:0|V|P|1|2|n|3|msg=one\|two|three act=x", "CEF:0|V|P", "act=block") == [
        {"cef_1": "Ven|dor", "cef_5": "Page blocked", "act": "block", "msg": "not = allowed", "suser": r"EXAMPLE\j smith"},
        {"cef_1": "V", "cef_5": "n", "msg": "one|two|three", "act": "x"}, {"fault": "has no CEF head"}, {"fault": "has no CEF head"}]


def test_a_leef_line_has_tabs_or_what_stands_for_them() -> None:
    """LEEF 1 with tabs, tabs that a relay wrote as #011, and LEEF 2 with a delimiter of its own."""
    made = form("leef_1 leef_4 src msg", 'head = "leef"\nquotes = false\ndelimiter = "\\t"')
    told = {"leef_1": "V", "leef_4": "9", "src": "192.0.2.1", "msg": "two words"}
    assert split(made, "LEEF:1.0|V|P|1|9|src=192.0.2.1\tmsg=two words", "LEEF:1.0|V|P|1|9|src=192.0.2.1#011msg=two words",
                 "LEEF:2.0|V|P|1|9|^|src=192.0.2.1^msg=two words", "LEEF:2.0|V|P|1|9|src=192.0.2.1", "src=1") == [
        told, told, told, {"leef_1": "V", "leef_4": "9"}, {"fault": "has no LEEF head"}]


def test_a_record_may_go_on_in_the_next_line() -> None:
    """Only where it lacks what every whole record has, and only in a line that has it and begins no record itself."""
    made = form("act url", 'goes_on = "url"\nbegins = "|S|"\nhead = "cef"\nquotes = false')
    start = "CEF:0|V|S|1|2|n|3|act="
    assert split(made, start + "a OU", r"\=x url=http://a.test/", start + "b url=http://b.test/", "stray url=http://c.test/",
                 start + "c", start + "d url=http://d.test/", start + "e", "of another product") == [
        {"act": "a OU=x", "url": "http://a.test/"}, {"fault": "part"}, {"act": "b", "url": "http://b.test/"},
        {"fault": "has no CEF head"}, {"act": "c"}, {"act": "d", "url": "http://d.test/"}, {"act": "e"}, {"fault": "has no CEF head"}]


def test_keys_that_differ_in_case_are_two() -> None:
    """SonicWall's Category is not another's category."""
    made = form("Category both", '[parts]\nboth = { of = ["Category", "category", "line"], join = " " }')
    assert split(made, "category=a Category=b line=c") == [{"Category": "b", "both": "b a c"}]


def test_fields_are_made_of_others() -> None:
    """The first that is stated, several joined, a piece by pattern, a word for a word, and an address that was escaped whole."""
    made = form("who moment code zone place", """lead = '^(?P<stamp>[0-9-]{10}) '
[parts]
who    = { of = ["user", "guest"] }
moment = { of = ["stamp", "time", "zone"], join = " " }
code   = { of = "status", pattern = '^(\\d+)/' }
zone   = { of = "tz", map = { BST = "+0100" } }
place  = { of = "url", unescape = true }""")
    assert split(made, '2026-09-08 user="" guest=g time=09:05 tz=BST status=403/10 url=a.test%2fx%2520y', "time=09:06 tz=+0000 url=a.test/%2f") == [
        {"who": "g", "moment": "2026-09-08 09:05 +0100", "code": "403", "zone": "+0100", "place": "a.test/x%20y"},
        {"moment": "09:06 +0000", "zone": "+0000", "place": "a.test/%2f"}]


PIECES = ["a=", '"', "\\", "\\\"", " ", "=", "|", "CEF:0|V|S|1|2|n|3|", "LEEF:2.0|a|b|c|d|^|", "\t", ";", "; ", ",", "<13>", "[", "]", "é",
          "\r", "\x1f", "\x1e", "\x00", "%2f", "%", " request=", "'", "x", "src=192.0.2.1", "\ufeff", "|Security|", "2026-09-08 09:05:11"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(lines=st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join), min_size=1, max_size=20))
def test_any_text_gives_one_row_a_line_in_order(name: str, lines: list[str]) -> None:
    """No text raises, loses a line or moves one."""
    lines = [line.replace("\n", " ").encode("utf-8", "replace").decode("utf-8") for line in lines]
    split(bundled()[name], *lines)


@pytest.mark.parametrize("name", ["fortigate", "forcepoint-cef", "watchguard", "watchguard-leef", "checkpoint", "skyhigh-cloud"])
def test_time_grows_with_the_length_of_a_line_only(name: str) -> None:
    """Lines ten times as long take about ten times as long, whatever they repeat."""
    texts = ('a="b c" ', "word ", "=", '"', "\\", "|", "\t", "CEF:0|")

    def taken(length: int) -> float:
        lines = [(text * length)[:length] for text in texts]
        began = time.process_time()
        split(bundled()[name], *lines)
        return time.process_time() - began
    taken(100)
    assert taken(1_000_000) < 40 * taken(100_000) + 0.5
