"""The reader `pattern`: text in, fields out, a row a line, and no text that it falls over."""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import answer

from pipeline.formats import Format, Layout, bundled, parse
from pipeline.formats.pattern import split

MINE = sorted(name for name, form in bundled().items() if form.file.reader in ("pattern", "logformat"))

KEYS = """
name = "made-up"
title = "A made-up filter"
reader = "pattern"
time_basis = "epoch"
examples = []
looks = []
verdicts = [{ action = "allowed" }]
time = { from = ["time"], as = ["epoch"] }
"""
TWO = r"""
pattern = ['^(?P<time>\d+) (?P<user>\w+) (?P<url>\S+)$', '^(?P<time>\d+) (?P<url>[a-z]+:.*) by (?P<user>.*)$']
fields = { user = "user", url = "url", client_ip = "nowhere" }
"""


def form(text: str) -> Format:
    """A format of the usual keys and `text`."""
    made, faults = parse(KEYS + text, "made-up.toml")
    assert made is not None, faults
    return made


def numbered(*lines: str, long: tuple[int, ...] = ()) -> pa.Table:
    """Lines as the reader is given them, each with its newline."""
    count = range(1, len(lines) + 1)
    return pa.table({"line": pa.array(count, pa.int64()), "byte": pa.array([10 * n for n in count], pa.int64()),
                     "text": pa.array([line + "\n" for line in lines], pa.string()), "long": [n in long for n in count]})


def rows(made: Format, *lines: str, long: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """What the split gives of `lines`."""
    return answer(split(made, Layout(made.name)), numbered(*lines, long=long)).to_pylist()


def faults(made: Format, *lines: str, long: tuple[int, ...] = ()) -> list[str | None]:
    """The fault of each line."""
    return [row["fault"] for row in rows(made, *lines, long=long)]


def test_groups_become_fields() -> None:
    """A named group is a source field; a field that no group names is null."""
    row = rows(form(TWO), "1788854711 jsmith http://news.test/")[0]
    assert (row["line"], row["byte"], row["long"], row["fault"]) == (1, 10, False, None)
    assert row["text"] == "1788854711 jsmith http://news.test/\n"
    assert (row["time"], row["user"], row["url"], row["nowhere"]) == ("1788854711", "jsmith", "http://news.test/", None)


def test_the_first_pattern_that_fits_decides() -> None:
    """Patterns are tried in order, and the groups of the one that fitted count."""
    said = rows(form(TWO), "1 jsmith http://a.test/", "2 http://b.test/two words by jane smith")
    assert [(row["user"], row["url"]) for row in said] == [
        ("jsmith", "http://a.test/"), ("jane smith", "http://b.test/two words")]


def test_a_group_that_is_empty_or_takes_no_part_is_null() -> None:
    """Blank and absent are one."""
    made = form(r"""pattern = '^(?P<time>\d+) "(?P<user>[^"]*)"(?: (?P<url>\S+))?$'
                    fields = { user = "user", url = "url" }""")
    said = rows(made, '1 ""', '1 "j" http://a.test/')
    assert [(row["user"], row["url"]) for row in said] == [(None, None), ("j", "http://a.test/")]


def test_a_line_that_does_not_fit_says_so() -> None:
    """A foreign line is a reject; one of more than 1 MiB never meets the expression, whatever it begins with."""
    assert faults(form(TWO), "1 j http://a.test/", "no such line", "1 j http://a.test/", long=(3,)) == [
        None, "is no line of made-up", "is no line of made-up"]


def test_lines_that_the_format_leaves_aside_are_furniture() -> None:
    """`aside` names other lines of the same program; a record never meets it."""
    made = form(TWO + "aside = ['^\\d+ ', '^# ']")
    assert faults(made, "1 jsmith http://a.test/", "1 started with 3 workers", "# note", "torn") == [
        None, "furniture", "furniture", "is no line of made-up"]


def test_a_text_that_every_record_has_is_looked_for_first() -> None:
    """`has` spares other lines the expression; such a line can still be one of those left aside."""
    made = form(TWO + "has = 'http:'\naside = ['started$']")
    assert faults(made, "1 j http://a.test/", "2 j ftp://a.test/", "1 started") == [
        None, "is no line of made-up", "furniture"]


def test_a_log_of_no_visits_is_all_furniture() -> None:
    """With `requests = false` a line that fits is furniture, and one that does not is still a reject."""
    assert faults(form(TWO + "requests = false"), "1 j http://a.test/", "torn") == ["furniture", "is no line of made-up"]


def test_windows_line_ends_are_no_part_of_a_field() -> None:
    """CRLF is the line's end."""
    assert rows(form(TWO), "1 j http://a.test/\r")[0]["url"] == "http://a.test/"


@pytest.mark.parametrize(("logged", "read"), [
    (r'Odd \"one\" 1.0', 'Odd "one" 1.0'), (r"C:\\temp", r"C:\temp"), ("plain", "plain")])
def test_escapes_are_taken_out_where_the_format_says_so(logged: str, read: str) -> None:
    """`escaped`: a backslash before a quote or a backslash is not part of the text."""
    made = form(r"""pattern = '^(?P<time>\d+) (?P<agent>.*)$'
                    escaped = ["agent"]
                    fields = { user_agent = "agent" }""")
    assert rows(made, f"1 {logged}")[0]["agent"] == read


@pytest.mark.parametrize(("logged", "read"), [
    ("EXAMPLE%5cjsmith", "EXAMPLE\\jsmith"), ("zo%c3%ab", "zoë"), ("100%", "100%"), ("bad%ff", "bad%ff"), ("a+b", "a+b")])
def test_percent_codes_are_read_where_the_format_says_so(logged: str, read: str) -> None:
    """`encoded`: what is no good encoding stands as it is."""
    made = form(r"""pattern = '^(?P<time>\d+) (?P<user>.*)$'
                    encoded = ["user"]
                    fields = { user = "user" }""")
    assert rows(made, f"1 {logged}")[0]["user"] == read


@pytest.mark.parametrize(("text", "where", "fault"), [
    ("", "pattern", "is missing"), ("pattern = '(open'", "pattern", "is not a regular expression"),
    ("pattern = 'x'\naside = ['(?=ahead)']", "aside", "is not a regular expression that RE2 and Python both know"),
    ("pattern = [1]", "pattern", "is not text")])
def test_an_expression_that_cannot_be_read_is_a_fault_of_the_file(text: str, where: str, fault: str) -> None:
    """Whoever checks the format is told which key it is, before any log is read."""
    _, found = parse(KEYS + text + "\nfields = { url = \"url\" }", "made-up.toml")
    assert [(problem.where, problem.what[:len(fault)]) for problem in found] == [(f"made-up.toml, {where}", fault)]


PIECES = st.sampled_from(["1788854711.087", "2026.9.8 9:05:11", "2026-09-08 09:05:11 [1] ", "[08/Sep/2026:09:05:11 +0100]", " ", "  ",
                          '"', "\\", "\t", "|", "-", "GET", "http://a.test/", "Request(", "BLOCK", "NXFILTER|", "TCP_MISS/200",
                          "<", ">", "%", "%5c", "'", "\r", "\0", "é", "\u2028", "*DENIED* ", "403"])


@pytest.mark.parametrize("name", MINE)
@settings(max_examples=25)
@given(st.lists(st.one_of(st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"])),
                          st.lists(PIECES, max_size=25).map("".join)), min_size=1, max_size=8))
def test_no_text_is_too_odd(name: str, lines: list[str]) -> None:
    """Any text gives one row a line, in order, with all the fields that the format needs."""
    made = bundled()[name]
    said = rows(made, *lines)
    assert [row["line"] for row in said] == list(range(1, len(lines) + 1))
    assert [row["text"] for row in said] == [line + "\n" for line in lines]
    assert all(set(made.needs) <= row.keys() for row in said)


@pytest.mark.parametrize("name", MINE)
def test_a_line_of_a_mebibyte_is_read_in_moments(name: str) -> None:
    """A long line takes time by its length, not by its square (which would be hours)."""
    made = bundled()[name]
    head = made.says["examples"][0]
    for fill in (" ", '"', '","', "\t", "* ", "/a="):
        began = time.monotonic()
        rows(made, head[:len(head) // 2] + fill * ((1 << 20) // len(fill) - 200))
        assert time.monotonic() - began < 20
