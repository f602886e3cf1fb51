"""The reader `csv`, by itself: lines in, fields out; whatever the lines hold, each comes out once and in order."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from split_text import answer

from pipeline.formats import Format, Layout, delimited, parse

WIDE = "\n".join(["name = 'wide'", "title = 'three columns'", "reader = 'csv'", "time_basis = 'utc'", "verdicts = [{ action = 'allowed' }]",
                  "fields = { url = 'b', user = 'c' }", "time = { from = ['a'], as = ['iso'] }"])


def form(says: str) -> Format:
    """A format with fields a, b and c, and what `says` adds."""
    made, faults = parse(WIDE + "\n" + says)
    assert made is not None and not faults, faults
    return made


def split(lines: list[str], says: str = "columns = ['a', 'b', 'c']", layout: Layout = Layout("wide")) -> list[dict[str, Any]]:  # noqa: B008
    """What the split makes of the lines, in the order it gives them."""
    size = len(lines)
    numbered = pa.table({"line": pa.array(range(1, size + 1), pa.int64()), "byte": pa.array([0] * size, pa.int64()),
                         "text": pa.array(lines, pa.string()), "long": pa.array([len(line) > 1 << 20 for line in lines])})
    return answer(delimited.split(form(says), layout), numbered).to_pylist()


def fields(line: str, **how: Any) -> list[str | None] | str:
    """The fields of one line, or its fault."""
    row = split([line], **how)[0]
    return row["fault"] or [row["a"], row["b"], row["c"]]


@pytest.mark.parametrize(("line", "want"), [
    ("1,2,3\n", ["1", "2", "3"]),
    ("1,,\r\n", ["1", "", ""]),
    ('"1","2","3"\r\n', ["1", "2", "3"]),
    ('"1","","3"', ["1", "", "3"]),
    ('"1","2",""\n', ["1", "2", ""]),
    ('1,"2,x",3\n', ["1", "2,x", "3"]),
    ('"1","say ""2"", please","3"\n', ["1", 'say "2", please', "3"]),
    ('"1","""2""","3"\n', ["1", '"2"', "3"]),
    ('"1","a"",""b","3"\n', ["1", 'a","b', "3"]),
    ('"1", "2, x", "3"\n', ["1", "2, x", "3"]),
    ('1,"2" ,"3"\n', ["1", "2", "3"]),
    ("\ufeff1,2,3\n", ["1", "2", "3"]),
    ("1,zoë,Łódź\n", ["1", "zoë", "Łódź"]),
])
def test_quoted_fields_come_out_as_they_went_in(line: str, want: list[str]) -> None:
    """Commas and doubled quotes inside, empties, a space before a quote (Umbrella), a byte-order mark, either line end."""
    assert fields(line) == want


@pytest.mark.parametrize(("line", "want"), [
    ('1,"2,3\n', ["1", '"2', "3"]),
    ('1,2" screen,3\n', ["1", '2" screen', "3"]),
    ('"1","Mozilla "odd" agent","3"\n', ["1", 'Mozilla "odd" agent', "3"]),
    ('1,"2"x,3\n', ["1", '"2"x', "3"]),
])
def test_a_stray_quote_is_a_letter(line: str, want: list[str]) -> None:
    """Products that do not escape quotes in a user agent must not lose the line."""
    assert fields(line) == want


@pytest.mark.parametrize(("line", "want"), [
    ("\n", "furniture"), (" \t\r\n", "furniture"), ("1,2\n", "has 2 columns where 3 belong"),
    ("one\n", "has 1 column where 3 belong"), ("1,2,3,4\n", "has 4 columns where 3 belong"), ("1,2,3,,\n", ["1", "2", "3"]),
    ('"1","2","3","",""\n', ["1", "2", "3"]),
])
def test_a_line_with_other_columns_says_how_many(line: str, want: str | list[str]) -> None:
    """Empty columns after the last do not count: spreadsheets add them."""
    assert fields(line) == want


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
def test_any_delimiter(delimiter: str) -> None:
    """The layout's delimiter wins over the format's."""
    assert fields(delimiter.join(["1", f'"2{delimiter}x"', "3"]) + "\n", layout=Layout("wide", delimiter=delimiter)) == [
        "1", f"2{delimiter}x", "3"]


def test_columns_by_their_count() -> None:
    """E2Guardian leaves a column out by a setting: the list with as many names as the line has columns is used."""
    says = "columns = [['a', 'b', 'c'], ['a', 'x', 'b', 'c']]"
    assert [fields(line, says=says) for line in ("1,2,3\n", "1,x,2,3\n", "1\n")] == [
        ["1", "2", "3"], ["1", "2", "3"], "has 1 column where 3 or 4 belong"]


def test_columns_by_a_word_at_its_place() -> None:
    """A firewall writes several kinds of record into one log: some are read, some are left aside, the rest is said."""
    says = ("[[variants]]\nfits = { 2 = 'url' }\ncolumns = ['a', 'kind', 'b', 'c']\nleast = 3\nmore = true\n"
            "[[variants]]\nfits = { 2 = ['traffic', 'system'] }\nleave = true\n")
    said = split(["1,url,2,3,new\n", '"1","url","2"\n', "1,url\n", "1,traffic,x\n", "1,other,2,3\n"],
                 says)
    assert [row["fault"] for row in said] == [None, None, "has 2 columns where at least 3 belong", "furniture",
                                              "is of no kind that this format knows"]
    assert [(row["a"], row["b"], row["c"]) for row in said[:2]] == [("1", "2", "3"), ("1", "2", None)]


def test_a_value_that_says_nothing_is_null_and_an_encoded_one_is_read() -> None:
    """`unsaid` and `escaped`: x-fwd-for in place of a login; hex-escaped addresses; no encoding after all stands as it is."""
    says = "columns = ['a', 'b', 'c']\nescaped = ['b']\nunsaid = { c = '^x-fwd-for:' }"
    assert fields("1,g.example%2fplay,x-fwd-for: 192.0.2.1\n", says=says) == ["1", "g.example/play", None]
    assert fields("1,100%,jsmith\n", says=says) == ["1", "100%", "jsmith"]


def test_a_head_is_taken_off() -> None:
    """A syslog head without a program name."""
    says = "columns = ['a', 'b', 'c']\nhead = { unless = '1,', is = '^<\\d+>\\S+ ' }"
    assert [fields(line, says=says) for line in ("<14>fw1 1,2,3\n", "1,2,3\n")] == [["1", "2", "3"]] * 2


MANY = "columns = ['a', 'b', 'c']\nmultiline = true"


def test_a_record_takes_the_lines_it_needs() -> None:
    """Titles of pages hold line ends: the first line has the record, the others are parts of it."""
    said = split(['1,"two\r\n', 'and\n', 'more",3\n', "4,5,6\n"], MANY)
    assert [row["fault"] for row in said] == [None, "part", "part", None]
    assert [said[0][name] for name in "abc"] == ["1", "two\r\nand\nmore", "3"]
    assert [said[1][name] or None for name in "abc"] == [None, None, None]


def test_a_lone_quote_swallows_nothing() -> None:
    """Not the rest of the file, not the good lines below it, and not the record over two lines that follows."""
    lines = ["1,2,3\n", '4,"5,6\n', "7,8,9\n", '10,"11\n', 'x",12\n', "13,14,15\n"]
    assert [row["fault"] for row in split(lines, MANY)] == [None, None, None, None, "part", None]
    far = ['1,"2,3\n', *["4,5,6\n"] * 30, '7,8",9\n']
    assert {row["fault"] for row in split(far, MANY)} == {None}


def test_a_record_is_never_longer_than_twenty_lines() -> None:
    """Twenty lines make a record; one more and its lines are said to be none."""
    def lines(middle: int) -> list[str]:
        return ['1,"2\n', *["x\n"] * middle, 'y",3\n']
    assert [row["fault"] for row in split(lines(18), MANY)] == [None, *["part"] * 19]
    assert split(lines(19), MANY)[0]["fault"] == "has 2 columns where 3 belong"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
ODD = st.text(st.sampled_from(list('",; \t|=\'\r\\ab1')), max_size=30)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(TEXT, ODD), min_size=1, max_size=12), st.sampled_from(["columns = ['a', 'b', 'c']", MANY]),
       st.sampled_from([",", "\t", ";", "|"]))
def test_any_text_comes_out_once_and_in_order(texts: list[str], says: str, delimiter: str) -> None:
    """No line raises, is lost, doubled or moved."""
    said = split([text + "\n" for text in texts], says, Layout("wide", delimiter=delimiter))
    assert [row["line"] for row in said] == list(range(1, len(texts) + 1))
    assert [row["text"] for row in said] == [text + "\n" for text in texts]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x00\x1f\ufeff"), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str, str]], quoting: int) -> None:
    """Python's own writer as the oracle, with every field quoted and with few."""
    lines = []
    for row in rows:
        out = io.StringIO()
        csv.writer(out, quoting=quoting, lineterminator="\n").writerow(("x" + row[0], *row[1:]))  # type: ignore[arg-type]
        lines.append(out.getvalue())
    assert [[row["a"], row["b"], row["c"]] for row in split(lines)] == [["x" + row[0], *row[1:]] for row in rows]


@pytest.mark.parametrize("line", ['"' * 900_000, "," * 900_000, '",' * 450_000, 'a,"' + "b" * 900_000, '" "' * 300_000])
def test_a_huge_line_costs_no_more_than_its_length(line: str) -> None:
    """No path is quadratic: nearly a mebibyte of quotes or commas is over in a moment."""
    began = time.process_time()
    assert len(split([line + "\n"] * 2, MANY)) == 2
    assert time.process_time() - began < 10
