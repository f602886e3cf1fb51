"""A JSON array is read as its objects, one a line, however it is laid out: line N is element N."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dying import child, killed
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import form, rows
from test_archives import PACKERS, box
from test_lines import reader, stored

from pipeline import ingest, logfiles, readout, trying
from pipeline.formats import arrays, bundled
from pipeline.parsing import Parsing
from pipeline.problems import Problem
from pipeline.reading import Reading

HEAD = re.compile(r"^<\d+>[^{]*")   # of syslog
EVENT = form("json", ["ts", "event.eurl", "id.orig_h", "queries[0].rrname", "tags", "who"])


def told(text: str, step: int = 1 << 18) -> str:
    """The lines of an array that comes in pieces of `step` bytes."""
    data = text.encode("latin-1")
    return b"".join(arrays.lines(data[at:at + step] for at in range(0, len(data), step))).decode("latin-1")


# --- what becomes a line ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    '[{"a":1},{"a":[2,{"b":"}, {"}]}]',
    '\xef\xbb\xbf [ {"a":1} , {"a":[2,{"b":"}, {"}]} ]\n\n',
    '[\r\n  {\r\n    "a": 1\r\n  },\r\n  {\r\n    "a":\t[\r\n2,\n{"b" : "}, {"}]\n  }\n]\n',
    '{"value":[{"a":1},{"a":[2,{"b":"}, {"}]}]}',
    '{"success": true, "errors": [], "note": {"data": [{"x": 1}]}, "Records": [\n{"a":1},\n{"a":[2,{"b":"}, {"}]}\n], "next": {"a": [1]}}',
    '[{"a":1}]\n[{"a":[2,{"b":"}, {"}]}]',
], ids=["one line", "spaces", "pretty", "under a key", "beside other keys", "two arrays"])
def test_each_object_of_an_array_is_a_line(text: str) -> None:
    """On one line or many, alone or under a usual key; what surrounds the array is no line."""
    assert [json.loads(line) for line in told(text).splitlines()] == [{"a": 1}, {"a": [2, {"b": "}, {"}]}]


@pytest.mark.parametrize(("text", "lines"), [
    ('[{"a":1},2,"x, {",null,[{"b":1}],{"c":1}]', ['{"a":1}', "2", '"x, {"', "null", '[{"b":1}]', '{"c":1}']),
    ('[{"a":1} and more {"b":1}} ,{"c":1}] end', ['{"a":1}', "and more ", '{"b":1}', "} ", '{"c":1}', "end"]),
    ('[{"a":"x" y"},{"b":1},{"c":x}]', ['{"a":"x" y"}', '{"b":1}', '{"c":x}]']),
    ('[{"a":"two\nlines"},\n{"b":1}]', ['{"a":"two lines"}', '{"b":1}']),
    ('[{"a":1},{"b":[1,2', ['{"a":1}', '{"b":[1,2']),
    ('[{"a":1},{"b":"' + "x" * 20, ['{"a":1}', '{"b":"' + "x" * 20]),
    ("[]", []),
], ids=["values", "words between", "broken", "a line break in a string", "unclosed", "unclosed string", "empty"])
def test_what_is_no_object_or_never_closes_is_a_line_and_spoils_no_other(text: str, lines: list[str]) -> None:
    """So the reader can reject it with its reason; a broken object ends where the next begins."""
    assert told(text).splitlines() == lines


@pytest.mark.parametrize(("head", "is_one"), [
    ('[{"a":1', True), (' \n[\n', True), ("[]\n", True), ("[ {}", True), ('{\n"logs":\n[ {"a"', True), ('{"Items":[{}]}', True),
    ('{"a":1}\n{"a":2}\n', False), ('{"data":[{"a":1}]}\n{"data":[{"a":2}]}\n', False), ('{"a":{"data":[{"b":1}]}}', False),
    ('{"data":[1,2]}', False), ('{"others":[{"a":1}]}', False), ("[1788854711] unbound", False), ("[{x}]", False), ("", False)])
def test_an_array_is_known_by_its_first_bytes(head: str, is_one: bool) -> None:
    """Objects a line stay lines, whatever keys they hold, and so do the lines of logs that begin with a bracket."""
    assert arrays.is_array(head.encode()) is is_one


# --- the same as the objects a line -----------------------------------------------------------------------------

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(['},{', '"', "\\", "] ,"]),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                          st.sampled_from(["ts", "event", "eurl", "id.orig_h", "queries", "tags", "who"]) | st.text(max_size=4), inner, max_size=4),
                      max_leaves=8)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["ts", "event", "id.orig_h", "queries", "tags", "who"]), VALUES, min_size=1, max_size=4),
                   max_size=6)
GAPS = st.sampled_from(["", " ", "  ", "\n", " \n\t"])


@settings(max_examples=40, deadline=None)
@given(OBJECTS, st.none() | st.integers(0, 3) | st.just("\t"), GAPS, GAPS, GAPS, GAPS, st.booleans(), st.integers(1, 60))
def test_any_objects_in_any_layout_are_what_they_are_an_object_a_line(
        objects: list[dict[str, Any]], indent: int | str | None, a: str, b: str, c: str, d: str, plain: bool, step: int) -> None:
    """Whatever indent, separators and pieces: the reader finds the same fields."""
    text = json.dumps(objects, indent=indent, separators=(f"{a},{b}", f"{c}:{d}"), ensure_ascii=not plain)
    found = told(text.encode().decode("latin-1"), step).encode("latin-1").decode()
    assert rows(EVENT, found.splitlines()) == rows(EVENT, [json.dumps(each) for each in objects])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=12) | st.sampled_from([b'{"a":', b'"', b"\\", b"},{", b"}", b"]", b"[", b", ", b'{"value":[{', b"1", b"-Infinity", b"\n"]),
                max_size=30), st.integers(1, 30), st.booleans())
def test_any_bytes_are_the_same_lines_in_any_pieces_and_lose_no_letter(parts: list[bytes], step: int, whole: bool) -> None:
    """Nothing raises; but for spaces, commas and the brackets of arrays nothing that stands inside one is left out."""
    text = ('[{"a":1},' if whole else "") + b"".join(parts).decode("latin-1")
    found = told(text, step)
    assert found == told(text)
    if whole and "value" not in text:
        assert "".join(found.split()).translate({ord(c): None for c in ",[]"}) == "".join(text.split()).translate(
            {ord(c): None for c in ",[]"})


def test_hostile_text_takes_time_by_its_length_and_little_memory() -> None:
    """More than a mebibyte of brackets, quotes, escapes, broken or nested objects; one too long object spoils no other."""
    size, piece = arrays.LONGEST + 100_000, 8_192
    began = time.process_time()
    for text in ('[{"a":' + "[" * size, '[{"a":"' + "x" * size, '[{"a":"' + "\\" * size, "[" + '{"a":x},' * (size // 8), "[" + '{"a":x} ' * (size // 8),
                 '[{"a":"x' + '"},{"a":"' * (size // 9), "[" + '{"a":' * (size // 5), "[" + "]x" * (size // 9), '{"value":[{}]}' * (size // 14)):
        pieces = (text[at:at + piece].encode() for at in range(0, len(text), piece))
        assert max(map(len, arrays.lines(pieces))) <= 2 * arrays.LONGEST
    assert time.process_time() - began < 15
    long = '{"a":"' + "{x" * (arrays.LONGEST // 2) + '"}'
    assert told(f'[{{"b":1}},{long},{{"c":1}}]', piece).splitlines() == ['{"b":1}', long, '{"c":1}']


# --- read as a log ----------------------------------------------------------------------------------------------

def visit(n: int) -> dict[str, Any]:
    """A request of Zeek's http.log, which has no overlaps."""
    return {"ts": 1_793_613_600 + n, "uid": f"C{n}", "id.orig_h": "10.20.0.7", "trans_depth": 1, "method": "GET", "host": f"site{n}.test",
            "uri": "/é?q=},{", "user_agent": "x" * 100, "status_code": 200}


def read(root: Path, log: Path) -> Reading:
    return replace(reader(root), formats=bundled()).read(logfiles.measure(log), lambda lines: None)


def test_an_array_counts_once_however_it_comes_and_is_kept(tmp_path: Path) -> None:
    """Read again, renamed, under a key, packed, in a zip, in UTF-16, marked, or its objects a line: nothing new."""
    log, visits = tmp_path / "export.json", [visit(n) for n in range(60)]
    text = json.dumps(visits)
    log.write_text(text, "utf-8")
    first = read(tmp_path, log)
    assert (+first.fates, first.consumed, first.problems) == ({"request": 60}, 60, [])
    assert [row[0] for row in stored(tmp_path, "line")] == list(range(1, 61))
    ways = {"again.json": text.encode(), "keyed.json": f'{{"n": 60, "value": {text}}}'.encode(), "wide.json": text.encode("utf-16"),
            "marked.json": b"\xef\xbb\xbf" + text.encode(), "lines.json": "".join(json.dumps(each) + "\n" for each in visits).encode()}
    ways |= {f"packed.{name}": pack(text.encode()) for name, pack in PACKERS.items()}
    for name, data in ways.items():
        (tmp_path / name).write_bytes(data)
        again = read(tmp_path, tmp_path / name)
        assert (name, again.lines, again.said) == (name, 0, "nothing new")
    [inside] = logfiles.find([str(box(tmp_path / "export.zip", {"export.json": text.encode()}))])[0]
    assert replace(reader(tmp_path), formats=bundled()).read(inside, lambda lines: None).lines == 0
    assert len(stored(tmp_path)) == 60


def test_a_longer_export_that_begins_the_same_is_read_on(tmp_path: Path) -> None:
    """As a log that grew: only the new elements, and their numbers go on; one that is cut off waits for its rest."""
    log, visits = tmp_path / "export.json", [visit(n) for n in range(60)]
    log.write_text(json.dumps(visits[:40]), "utf-8")
    assert read(tmp_path, log).lines == 40
    text = json.dumps(visits)
    log.write_text(text[:-20], "utf-8")
    assert +read(tmp_path, log).fates == {"request": 19}
    log.write_text(text, "utf-8")
    assert +read(tmp_path, log).fates == {"request": 1}
    assert [row[0] for row in stored(tmp_path, "line")] == list(range(1, 61))


def test_an_element_that_never_closes_is_a_reject_once_the_file_is_finished(tmp_path: Path) -> None:
    """Unchanged for a day, nothing more will come."""
    log = tmp_path / "export.json"
    log.write_text(json.dumps([visit(0), visit(1)])[:-20] + "\n", "utf-8")
    os.utime(log, (time.time() - 100_000,) * 2)
    reading = read(tmp_path, log)
    assert (+reading.fates, reading.consumed) == ({"request": 1, "reject": 1}, 2)
    assert stored(tmp_path, "line, reason")[1] == (2, "ends early: the object is not closed")


def test_an_export_that_begins_otherwise_counts_what_it_repeats_once(tmp_path: Path) -> None:
    """Newest first, as consoles export: by its content, where the format says that its exports overlap."""
    rows = [{"Datetime": f"2026-11-02T10:00:{n:02d}Z", "Action": "allow", "SourceIP": "10.20.0.7", "HTTPHost": f"site{n}.test",
             "URL": f"https://site{n}.test/", "HTTPMethod": "GET"} for n in range(12)]
    for name, some, fates in (("one", rows[:8], {"request": 8}), ("two", rows[4:], {"request": 4, "repeat": 4})):
        log = tmp_path / f"{name}.json"
        log.write_text(json.dumps({"result": some[::-1], "success": True}, indent=2), "utf-8")
        assert +read(tmp_path, log).fates == fates


def test_an_array_that_was_read_line_by_line_before_is_read_on_so(tmp_path: Path) -> None:
    """By a version that knew no arrays: its lines keep their numbers, and none counts twice."""
    log, lines = tmp_path / "export.json", [json.dumps(visit(n)) for n in range(9)]
    log.write_text("[\n" + ",\n".join(lines[:5]) + "\n]\n", "utf-8")
    as_before = replace(logfiles.measure(log), array=False)
    assert replace(reader(tmp_path), formats=bundled()).read(as_before, lambda n: None).fates["request"] == 5
    assert read(tmp_path, log).said == "nothing new"
    assert [row[0] for row in stored(tmp_path, "line, fate") if row[1] == "request"] == [2, 3, 4, 5, 6]


def test_what_stands_before_the_damage_of_a_packed_array_is_read(tmp_path: Path) -> None:
    """Cut in half: the elements that are whole, and one sentence; mended, the rest."""
    picks = random.Random(1)
    data = gzip.compress(json.dumps([visit(n) | {"uid": f"C{picks.getrandbits(200)}"} for n in range(3_000)], indent=2).encode())
    log = tmp_path / "export.json.gz"
    log.write_bytes(data[:len(data) // 2])
    first = read(tmp_path, log)
    assert [problem.what.partition(";")[0] for problem in first.problems] == ["is damaged or ends early"]
    log.write_bytes(data)
    rest = read(tmp_path, log)
    assert first.lines > 1_000
    assert (+first.fates, +rest.fates) == ({"request": first.lines}, {"request": 3_000 - first.lines})


def test_killed_before_the_commit_the_next_night_reads_the_array_once(tmp_path: Path) -> None:
    """SIGKILL at a write step in mid-read; then a whole night."""
    log = tmp_path / "export.json"
    log.write_text(json.dumps([visit(n) for n in range(20)], indent=2), "utf-8")
    for step in (9, 14):
        root = tmp_path / f"killed{step}"
        assert killed(partial(read, root, log), step) == -signal.SIGKILL
        assert stored(root) == []
        assert child(partial(read, root, log)) == 0
        assert [row[0] for row in stored(root, "line")] == list(range(1, 21))


def test_read_and_try_number_the_elements_of_an_array(tmp_path: Path) -> None:
    """`read` gives each request its element's number and each reject its reason; `formats try` says what the numbers are."""
    log, out, err = tmp_path / "export.json", io.StringIO(), io.StringIO()
    log.write_text(json.dumps([visit(0), 5, visit(2), {"other": 1}], indent=4)[:-1] + ', {"open": ', "utf-8")
    assert readout.read(logfiles.measure(log), readout.Readout(), out, err) == []
    assert [(row["line"], row["host"]) for row in map(json.loads, out.getvalue().splitlines())] == [(1, "site0.test"), (3, "site2.test")]
    for said in ("line 2: is not a JSON object: ", "line 4: holds none of the fields of this format: ", "line 5: ends early: the object is not closed: "):
        assert said in err.getvalue()
    lines, _ = trying.told(logfiles.measure(log), readout.Readout())
    assert lines[0] == "a JSON array: line N is its element N"
    assert "line 3: request" in lines


@settings(max_examples=12, deadline=None)
@given(st.lists(st.binary(max_size=30) | st.sampled_from([json.dumps(visit(1)).encode(), b"}", b'{"', b"\xff", b",\n", b"]", b"\0" * 9]), max_size=10))
def test_any_bytes_behind_a_bracket_give_every_line_one_fate(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    """Nothing raises, and the fates add up to the lines consumed."""
    log = tmp_path_factory.mktemp("any") / "export.json"
    log.write_bytes(b"[" + json.dumps(visit(0)).encode() + b",".join(parts))
    how, found, problems = readout.Readout("zeek-http-json"), logfiles.whole(logfiles.measure(log)), list[Problem]()
    parsing = Parsing(found, how.layouts(found)[0], how.formats, {}, how.zone, problems)
    with ThreadPoolExecutor(2) as pool:
        fates = [sum(ingest.fates(piece.raw).values()) for piece in parsing.pieces(pool)]
    assert found.array and sum(fates) == parsing.lines >= 1
    assert problems == []


# --- what Elasticsearch found -----------------------------------------------------------------------------------

DOCUMENT = json.loads(HEAD.sub("", bundled()["opnsense-squid"].file.examples[0]))


def hit(n: int) -> dict[str, Any]:
    """A document of OPNsense's Squid as a search finds it."""
    return {"_index": "logs", "_id": str(n), "_score": 1.5, "_source": DOCUMENT | {"url": {"original": f"http://site{n}.test/"}}, "sort": [n]}


def hosts(log: Path) -> list[tuple[int, str, str]]:
    """Line, host and action of each request of a log, as `schoolgate read` tells them; nothing is rejected."""
    out, err = io.StringIO(), io.StringIO()
    assert readout.read(logfiles.measure(log), readout.Readout(), out, err) == []
    assert " 0 reject, " in err.getvalue()
    return [(row["line"], row["host"], row["action"]) for row in map(json.loads, out.getvalue().splitlines())]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_search_of_elasticsearch_is_read_as_its_documents(tmp_path: Path, indent: int | None) -> None:
    """As the search answers it, and a hit a line as its dumps have them; both as the documents alone."""
    hits, found = [hit(n) for n in range(40)], tmp_path / "search.json"
    found.write_text(json.dumps({"took": 3, "_shards": {"total": 1}, "hits": {"total": {"value": 40}, "max_score": None, "hits": hits},
                                 "aggregations": {"hits": [{"a": 1}]}}, indent=indent), "utf-8")
    dump, plain = tmp_path / "dump.json", tmp_path / "plain.json"
    dump.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in hits), "utf-8")
    plain.write_text("".join(json.dumps(each["_source"], separators=(",", ":")) + "\n" for each in hits), "utf-8")
    assert hosts(found) == hosts(dump) == hosts(plain) == [(n + 1, f"site{n}.test", "blocked") for n in range(40)]


def test_two_answers_behind_one_another_are_one_list_of_hits() -> None:
    """As the pages of a scroll; what is no document stays as it is."""
    page = '{"hits":{"total":1,"hits":[{"_source":{"a":%d}}]},"took":1}\n'
    assert told(page % 1 + page % 2).splitlines() == ['{"_source":{"a":1}}', '{"_source":{"a":2}}']
    assert rows(EVENT, ['{"_source":{"who":"jo"},"who":"x"}', '{"_source":"x","who":"jo"}', '{"_source":{"who":"jo"']) == [
        {"line": 1, "who": "jo"}, {"line": 2, "who": "jo"}, {"line": 3, "fault": "ends early: the object is not closed"}]
