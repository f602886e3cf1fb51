"""Lines of plain pairs are cut without SQL, and come out as the reader `pairs` reads them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import answer
from test_split_pairs import form, table

from pipeline.formats import Format, Layout, pairs
from pipeline.formats.plainpairs import Cutter
from pipeline.formats.spans import PIECE

NEEDS = "a user hostname referralurl_16ch"
WAYS = ["", "escapes = true", "spaces = false", "quotes = false", 'delimiter = ","', 'assign = ":"\ndelimiter = ";"']
MADE = {says: form(NEEDS, says) for says in WAYS}
PIECES = ['a=1', 'user=', 'user="jo smith"', 'user="jo"', 'hostname=games.example.net', 'hostname="a=b user=x"', 'a="', '"', '=', ' ',
          'other="longer than twelve letters"', 'referralurl_16ch=https://example.test/a?b=c', 'word', '\\', '\\"', 'a=é', '\x1f', '\0',
          '<13>', '<13>a=2', '<13> a=2', '<13>\ra=2', '<13>\r', 'user="x"y', 'a=\r', ',', ';', 'a:1', 'user:"x;y"', '\ufeff', 'a_key_of_more_than_sixteen=1']


def cut(made: Format, lines: list[str]) -> tuple[list[bool], list[dict[str, object]]]:
    """Which lines are plain, and what those are read as."""
    found = pairs.quick(made, Layout(made.name))
    assert found is not None
    plain, taken = found[0].cut(table(lines))
    return plain.to_pylist(), answer(found[1], taken).to_pylist()


def agreed(made: Format, lines: list[str]) -> list[bool]:
    """Hold what is cut against what the select reads; which lines were cut."""
    plain, quick = cut(made, lines)
    slow = answer(pairs.split(made, Layout(made.name)), table(lines)).to_pylist()
    assert quick == [row for row, is_plain in zip(slow, plain, strict=True) if is_plain]
    return plain


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WAYS), st.lists(st.tuples(st.lists(st.sampled_from(PIECES), max_size=7), st.sampled_from([" ", ",", ";", ""]),
                                                 st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=12), st.booleans())
def test_whatever_is_cut_is_what_the_select_reads(says: str, parts: list[tuple[list[str], str, str]], ends: bool) -> None:
    lines = [between.join(pieces) + end for pieces, between, end in parts]
    agreed(MADE[says], lines if ends else [*lines[:-1], lines[-1].rstrip("\n") or "a=1"])


@pytest.mark.parametrize("line", [
    'a=1 user="jo smith" hostname=games.example.net\n',
    '<189>a=1 user="" hostname="x.test"\r\n',
    "Sep  8 09:05:11 gw a=1 user=jo\n",
    'user=first a=x=y user="second" hostname=a-name-of-more-than-twelve-letters.test',
])
def test_the_lines_that_products_write_are_plain(line: str) -> None:
    assert agreed(MADE[""], [line]) == [True]


@pytest.mark.parametrize("line", ['a=1 b two words\n', 'a="x\n', 'a="x"y\n', 'a=1 \n', "a=\x1f\n"])
def test_a_line_that_needs_a_second_thought_is_left_to_the_select(line: str) -> None:
    assert cut(MADE[""], [line]) == ([False], [])


def test_escapes_are_left_to_the_select_where_the_format_has_them() -> None:
    lines = ['user="EXAMPLE\\jo"\n', 'user="jo"\n']
    assert agreed(MADE["escapes = true"], lines) == [False, True]
    assert agreed(MADE[""], lines) == [True, True]


def test_a_log_of_more_than_one_piece_keeps_its_lines_in_order() -> None:
    lines = [f'user="pupil{n}" hostname=site{n}.test a={"x" * (n % 50)}\n' for n in range(2 * PIECE // 60)]
    assert all(agreed(MADE[""], lines))


@pytest.mark.parametrize("says", ['head = "cef"\nquotes = false', 'delimiter = "; "', 'keys = ["a"]', "lead = '(?P<x>.)'"])
def test_a_format_with_more_to_it_than_pairs_has_no_such_way(says: str) -> None:
    assert pairs.quick(form(NEEDS, says), Layout("made")) is None
    assert pairs.quick(MADE[""], Layout("made", wrapped=True)) is None


def test_no_lines_are_no_lines() -> None:
    plain, rows = Cutter(32, 61, True, True, True, ("a",)).cut(table([]))
    assert len(plain) == len(rows) == 0
    assert rows.schema.field("field_0").type == pa.string_view()
