"""The reader `w3c`: columns that a header names, as W3C extended logs and Zeek write them."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import faults, fields, form, told

ELFF = form("w3c", ["date", "c-ip", "cs(User-Agent)", "sc-status"], 'columns = ["date", "c-ip", "cs(User-Agent)", "sc-status"]')
NAMES = ("date", "sc-status", "c-ip", "cs(user-agent)", "x-more")
ZEEK = form("w3c", ["ts", "host", "uri"], 'delimiter = "\\t"\nnull = ["-", "(empty)"]\nescapes = true')
ZEEK_NAMES = ("ts", "host", "uri")
CHECKED = form("w3c", ["date", "c-ip", "sc-status"],
               'columns = ["date", "x", "c-ip", "sc-status"]\nsteady = 1\nchecks = { c-ip = "address", sc-status = "number" }')


def test_the_header_names_the_columns_in_any_case() -> None:
    """Quotes go where a value holds a space; a dash is nothing; a column that the format does not need is passed over."""
    assert fields(ELFF, '2026-09-08 403 192.0.2.1 "Mozilla/5.0 (X11; Linux)" -\r\n', "2026-09-08 - 192.0.2.2 - x\n", header=NAMES) == [
        {"date": "2026-09-08", "sc-status": "403", "c-ip": "192.0.2.1", "cs(User-Agent)": "Mozilla/5.0 (X11; Linux)"},
        {"date": "2026-09-08", "c-ip": "192.0.2.2"}]


def test_without_a_header_the_usual_order_is_taken_and_more_columns_are_welcome() -> None:
    """A log that came through syslog has no header."""
    assert fields(ELFF, '2026-09-08 192.0.2.1 "a b" 200', "2026-09-08 192.0.2.1 a 200 more columns") == [
        {"date": "2026-09-08", "c-ip": "192.0.2.1", "cs(User-Agent)": "a b", "sc-status": "200"},
        {"date": "2026-09-08", "c-ip": "192.0.2.1", "cs(User-Agent)": "a", "sc-status": "200"}]


def test_comments_and_blank_lines_are_furniture_and_the_rest_is_told() -> None:
    """Too few columns, an open quote, NUL bytes; also the header itself, behind a byte-order mark."""
    assert faults(ELFF, "\ufeff#Software: x\r\n", "#Fields: date\n", "\r\n", "  \n", "2026-09-08 403", '2026-09-08 403 192.0.2.1 "torn', "a\0b",
                  header=NAMES) == [
        "furniture", "furniture", "furniture", "furniture", "has 2 columns where 5 belong", "ends early: a quote is not closed",
        "holds NUL bytes, as after a crash"]


def test_a_field_that_the_header_does_not_name_is_not_there() -> None:
    """No column is guessed."""
    assert fields(ELFF, "2026-09-08 192.0.2.1", header=("date", "c-ip")) == [{"date": "2026-09-08", "c-ip": "192.0.2.1"}]


def test_zeek_writes_bytes_as_escapes_and_two_words_for_nothing() -> None:
    r"""\xHH are bytes of UTF-8; a literal dash is escaped; a percent sign stays; what is no UTF-8 stays as written."""
    assert fields(ZEEK, "1\tcaf\\xc3\\xa9.test\t/a%20b\\x09c", "2\t-\t(empty)", "3\t\\x2d\t\\xff\\xzz", header=ZEEK_NAMES) == [
        {"ts": "1", "host": "café.test", "uri": "/a%20b\tc"}, {"ts": "2"}, {"ts": "3", "host": "-", "uri": "\\xff\\xzz"}]


def test_quotes_mean_nothing_between_tabs() -> None:
    """A user agent may hold one."""
    assert fields(ZEEK, '1\ta.test\t/"x', header=ZEEK_NAMES) == [{"ts": "1", "host": "a.test", "uri": '/"x'}]


def test_a_header_wrong_by_one_column_is_put_right_or_the_line_is_told() -> None:
    """Address and status must look like what they are; the date before them does not move."""
    assert fields(CHECKED, "2026-09-08 x 192.0.2.1 200", "2026-09-08 192.0.2.2 403 x", "2026-09-08 x y 192.0.2.3 200",
                  "2026-09-08 x 2001:db8::1 -") == [
        {"date": "2026-09-08", "c-ip": "192.0.2.1", "sc-status": "200"}, {"date": "2026-09-08", "c-ip": "192.0.2.2", "sc-status": "403"},
        {"date": "2026-09-08", "c-ip": "192.0.2.3", "sc-status": "200"}, {"date": "2026-09-08", "c-ip": "2001:db8::1"}]
    assert faults(CHECKED, "2026-09-08 a b c") == ["its columns are not those that the header names"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60) | st.text("ab \t\"#\\x-0", max_size=40), max_size=8), st.sampled_from(["elff", "bare", "zeek", "checked"]))
def test_any_text_gives_each_line_one_row_in_order(lines: list[str], which: str) -> None:
    """Nothing raises, whatever the line holds."""
    made, header = {"elff": (ELFF, NAMES), "bare": (ELFF, ()), "zeek": (ZEEK, ZEEK_NAMES), "checked": (CHECKED, ())}[which]
    told(made, lines, header=header)


def test_long_lines_take_no_more_than_their_length() -> None:
    """A mebibyte of spaces, quotes, tabs or escapes is read in a moment."""
    size = (1 << 20) - 10
    began = time.monotonic()
    told(ELFF, [" " * size, '"' * size, '" ' * (size // 2), "a " * (size // 2), "#" * size], header=NAMES)
    told(ZEEK, ["\t" * size, "\t\t" + "\\xc3" * (size // 4), "\t" + "\\x" * (size // 2) + "\t"], header=ZEEK_NAMES)
    assert time.monotonic() - began < 30
