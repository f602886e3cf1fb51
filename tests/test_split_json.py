"""The reader `json`: an object a line, its values by their paths."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import faults, fields, form, rows, told

EVENT = form("json", ["ts", "event.eurl", "id.orig_h", "queries[0].rrname", "tags", "tagset.username", "who"])


def test_a_value_is_found_by_its_path_through_maps_and_lists() -> None:
    """Nested keys, the first object of a list, numbers and booleans as their text."""
    line = {"ts": 1788854711.087001, "event": {"eurl": "a.test/x"}, "queries": [{"rrname": "b.test"}, {"rrname": "c.test"}], "who": True}
    assert fields(EVENT, json.dumps(line)) == [
        {"ts": "1788854711.087001", "event.eurl": "a.test/x", "queries[0].rrname": "b.test", "who": "true"}]


def test_whole_numbers_keep_all_their_digits() -> None:
    """Nanoseconds since the epoch are more than a double can hold."""
    assert fields(EVENT, '{"ts":1788854711000000123}', '{"ts":12}') == [{"ts": "1788854711000000123"}, {"ts": "12"}]


def test_a_key_that_holds_dots_is_tried_as_it_stands_first() -> None:
    """Zeek writes "id.orig_h"; some shippers nest it; where both stand, the flat one is Zeek's own."""
    assert fields(EVENT, '{"id.orig_h":"192.0.2.1"}', '{"id":{"orig_h":"192.0.2.2"}}',
                  '{"id":{"orig_h":"192.0.2.2"},"id.orig_h":"192.0.2.1"}') == [
        {"id.orig_h": "192.0.2.1"}, {"id.orig_h": "192.0.2.2"}, {"id.orig_h": "192.0.2.1"}]


def test_a_list_is_joined_and_a_map_used_as_a_set_gives_its_keys() -> None:
    """Empty ones state nothing; a text that only begins like a list stays what it is."""
    assert fields(EVENT, '{"tags":["Games","a, b"],"who":"x"}', '{"tagset":{"username":{"CN=Jo,OU=Y9":1,"jo":1}}}',
                  '{"tags":[],"tagset":{"username":{}},"who":"[beta] {x}"}', '{"tags":["\\u00e9","\\"q\\""],"who":null,"ts":"1"}') == [
        {"tags": "Games, a, b", "who": "x"}, {"tagset.username": "CN=Jo,OU=Y9, jo"}, {"who": "[beta] {x}"},
        {"tags": 'é, "q"', "ts": "1"}]


def test_of_a_key_that_stands_twice_the_first_counts() -> None:
    """It is no fault: AdGuard Home's own writer has done it."""
    assert fields(EVENT, '{"who":"first","who":"second"}') == [{"who": "first"}]


def test_an_array_with_an_object_a_line_is_read_as_lines() -> None:
    """Brackets and lone commas are furniture; commas beside an object, CRLF and a byte-order mark are no part of it."""
    assert rows(EVENT, ["\ufeff[\r\n", '  {"who":"a"},\r\n', ',{"who":"b"}\n', ",\n", '[{"who":"c"},\n', '{"who":"d"}]\n', "]\n", "\n"]) == [
        {"line": 1, "fault": "furniture"}, {"line": 2, "who": "a"}, {"line": 3, "who": "b"}, {"line": 4, "fault": "furniture"},
        {"line": 5, "who": "c"}, {"line": 6, "who": "d"}, {"line": 7, "fault": "furniture"}, {"line": 8, "fault": "furniture"}]


def test_what_is_no_object_is_told_in_words() -> None:
    """Torn, several on a line, not JSON, of another product, NUL bytes, and too long."""
    assert faults(EVENT, '{"who":"a","ts":"12', '{"who":"a"}, {"who":"b"}', '{"who":a}', '{"other":1}', "plain text", "5", '{"who":"\0"}',
                  '{"who":"' + "x" * (1 << 20) + '"}') == [
        "ends early: the object is not closed", "holds several objects: write an object a line", "is not valid JSON",
        "holds none of the fields of this format", "is not a JSON object", "is not a JSON object",
        "holds NUL bytes, as after a crash", "a line of more than 1 MiB"]


def test_one_bad_line_spoils_no_other() -> None:
    """Thousands of lines, one in ten torn: the rest are read."""
    lines = ['{"who":"a' if n % 10 == 3 else f'{{"who":"{n}"}}' for n in range(5000)]
    found = rows(EVENT, lines)
    assert sum("fault" in row for row in found) == 500
    assert all(row["who"] == str(row["line"] - 1) for row in found if "fault" not in row)


def test_a_loose_format_is_searched_where_a_quote_is_not_escaped() -> None:
    """Zscaler writes a user agent as it came; the value goes up to the next key."""
    loose = form("json", ["event.ua", "event.url", "event.size"], "loose = true")
    assert fields(loose, '{"event":{"ua":"the "best" one, 2.0","url":"a.test/?q={1}","size":12}}\r\n') == [
        {"event.ua": 'the "best" one, 2.0', "event.url": "a.test/?q={1}", "event.size": "12"}]


def test_fields_that_are_written_encoded_are_decoded() -> None:
    """Once, and a plus stays a plus; what cannot be decoded stays as it is."""
    coded = form("json", ["eurl", "b64"], 'encoded = { eurl = "percent", b64 = "base64" }')
    assert fields(coded, '{"eurl":"a.test%2fx%3fq%3d1%252b+2","b64":"YS50ZXN0"}', '{"eurl":"a.test/%ff","b64":"%"}') == [
        {"eurl": "a.test/x?q=1%2b+2", "b64": "a.test"}, {"eurl": "a.test/%ff", "b64": "%"}]


def test_keys_of_any_letters_can_be_named() -> None:
    """Sign, space, bracket, quote, accent."""
    odd = form("json", ["@timestamp", "cs(User-Agent)", "it's", "a b", "é"])
    line = {"@timestamp": "1", "cs(User-Agent)": "2", "it's": "3", "a b": "4", "é": "5"}
    assert fields(odd, json.dumps(line)) == [line]


JSON_TEXT = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                         lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                             st.sampled_from(["ts", "event", "eurl", "id.orig_h", "queries", "tags", "who"]) | st.text(max_size=4), inner, max_size=4),
                         max_leaves=8).map(json.dumps)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60) | JSON_TEXT | JSON_TEXT.map(lambda text: text[:-1]) | st.sampled_from(["[\n", "{", "}", '{"who":"\\ud800"}', "\0"]),
                max_size=8), st.booleans())
def test_any_text_gives_each_line_one_row_in_order(lines: list[str], loose: bool) -> None:
    """Nothing raises, whatever the line holds."""
    told(form("json", EVENT.needs, "loose = true") if loose else EVENT, lines)


@pytest.mark.parametrize("loose", [False, True])
def test_long_and_deeply_nested_lines_take_no_more_than_their_length(loose: bool) -> None:
    """A mebibyte of brackets, quotes, keys or escapes is read in a moment."""
    size, made = (1 << 20) - 100, form("json", EVENT.needs, "loose = true") if loose else EVENT
    deep = '{"who":' + "[" * (size // 2) + "]" * (size // 2) + "}"
    hostile = ["[" * size, "{" * size, '{"who":' * (size // 7), '"' * size, "{" + '"who":' * (size // 6) + "}", deep,
               '{"who":"' + "\\u0041" * (size // 6) + '"}', "{" + ",".join(f'"k{n}":{n}' for n in range(70_000)) + "}"]
    began = time.monotonic()
    told(made, hostile)
    assert time.monotonic() - began < 30
