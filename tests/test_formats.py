"""Every bundled format against its file pairs: a log as the product writes it, beside the requests that it holds.

`formats/<format>/<case>.log` beside `<case>.jsonl`: first the options and the lines by fate, then a line a request (a key that is
absent is null) or a reject (a part of its reason).
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline import coded, ingest, logfiles
from pipeline.formats import bundled, parse, recognise
from pipeline.formats.readers import reach
from pipeline.parsing import Parsing
from pipeline.readout import KEYS, Readout, rejects, requests

PAIRS = sorted(path for path in (Path(__file__).parent / "formats").rglob("*.jsonl"))
NEUTRAL = {f"{word}.{ending}" for word in ("withheld", "sealed", "listed") for ending in ("invalid", "test", "example", "example.net")}
NAMES = [f"{path.parent.name}-{path.stem}" for path in PAIRS]


def log_of(pair: Path) -> Path:
    """The log beside the expected requests, however it is packed."""
    return next(path for path in pair.parent.iterdir() if path.name.startswith(pair.stem + ".log"))


@cache
def expected(pair: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The options, and what stands on each line."""
    options, *rows = [json.loads(line) for line in pair.read_text("utf-8").splitlines() if line.strip()]
    return options, rows


@cache
def parsed(pair: Path, block: int) -> list[tuple[pa.Table, list[ingest.Seal]]]:
    """The log of a pair, read by its format in blocks of so many bytes, with the sealed lines near each piece."""
    options, log = expected(pair)[0], logfiles.measure(log_of(pair))
    how = Readout(pair.parent.name, options.get("zone", "Europe/London"), options.get("year", 0), options.get("dates", ""))
    layouts, problems = how.layouts(log)
    assert layouts, problems
    with ThreadPoolExecutor(2) as pool:
        pieces = Parsing(log, layouts, how.formats, {}, how.zone, problems).pieces(pool)
        return [(piece.raw, near) for piece, near in ingest.windows(pieces)]


def understood(pair: Path) -> tuple[Counter[str], list[dict[str, Any]]]:
    """The lines by fate, and the requests and rejects in order of lines, as `schoolgate read` finds them."""
    fates, found = Counter[str](), []
    for raw, near in parsed(pair, logfiles.BLOCK):
        fates.update(ingest.fates(raw))
        found += list(requests(raw, near, log_of(pair).name)) + rejects(raw)
    return +fates, sorted(found, key=lambda row: row["line"])


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_a_format_reads_what_its_product_writes(pair: Path) -> None:
    """Every line has the fate that the facts give it, every request the values that stand in it."""
    options, rows = expected(pair)
    fates, found = understood(pair)
    for want, got in zip(rows, found, strict=False):
        if "reject" in want:
            assert got["line"] == want["line"] and want["reject"] in got.get("reason", ""), (want, got)
        else:
            assert {"line": got["line"]} | {key: got.get(key) for key in KEYS} == {"line": want["line"]} | {
                key: want.get(key) for key in KEYS}
    assert len(found) == len(rows)
    assert fates == +Counter(options["fates"])


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if reach(bundled()[pair.parent.name])], ids=str)
@pytest.mark.parametrize("size", [500, 1000])
def test_a_record_that_a_batch_cuts_in_two_is_read_whole(pair: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches end anywhere: between a query and its block, inside a quoted field that holds line ends, before a second line."""
    monkeypatch.setattr(logfiles, "BLOCK", size)
    test_a_format_reads_what_its_product_writes(pair)


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_a_log_is_recognised_as_its_format_and_no_other(pair: Path) -> None:
    """Found from its lines, it is laid out just as when its format is named; a log taken for another's is read wrongly in silence."""
    options, log = expected(pair)[0], logfiles.measure(log_of(pair))
    found, named = (Readout(form, options.get("zone", "Europe/London"), options.get("year", 0), options.get("dates", ""))
                    .layouts(log) for form in ("", pair.parent.name))
    assert found[0][:1] == named[0][:1], found[1]
    assert found[0][0].format == pair.parent.name


@pytest.mark.parametrize("name", sorted(bundled()))
def test_a_bundled_format_has_no_fault(name: str) -> None:
    """Its regular expressions too are such as both engines know: at the start of the program they are not tried."""
    assert parse((files("pipeline.formats") / f"{name}.toml").read_text("utf-8"))[1] == []


@pytest.mark.parametrize("name", sorted(bundled()))
def test_a_format_has_pairs_for_all_it_can_say(name: str) -> None:
    """Allowed and blocked where it writes them, and every other verdict of its file, stand in its pairs."""
    said = {row["action"] for pair in PAIRS if pair.parent.name == name for row in expected(pair)[1] if "action" in row}
    assert {case.action for case in bundled()[name].file.verdicts if case.action} <= said


def requests_of(name: str) -> list[dict[str, Any]]:
    """All requests of a format's pairs, before anything is withheld."""
    return [row for pair in PAIRS if pair.parent.name == name for raw, _ in parsed(pair, logfiles.BLOCK) for row in raw.to_pylist()
            if row["fate"] == "request"]


@pytest.mark.parametrize("name", [name for name, form in sorted(bundled().items()) if form.says.get("requests", True)])
def test_a_format_has_pairs_for_each_special_verdict(name: str) -> None:
    """Every kind and set-up that its file can say stands in its pairs, and a sealed line where it knows a verdict that seals.

    A sealed line names a host that nobody can take for a real one, nor for a site of that sort.
    """
    file, rows = bundled()[name].file, requests_of(name)
    assert {case.kind for case in file.kinds if case.kind} <= {row["kind"] for row in rows}
    assert {case.setup for case in file.verdicts if case.setup} <= {row["setup"] for row in rows}
    hosts = {row["host"] for row in rows if row["sealed_list"]}
    assert bool(hosts) == (file.sealed is not None)
    assert hosts <= NEUTRAL


@pytest.mark.parametrize("name", sorted(bundled()))
def test_a_format_reads_its_own_examples(name: str, tmp_path: Path) -> None:
    """`schoolgate formats` shows examples: each must look like the format."""
    form = bundled()[name]
    assert form.file.examples
    log = tmp_path / "example.log"
    log.write_text("\n".join(form.file.examples) + "\n", "utf-8")
    layouts, problems = Readout(name).layouts(logfiles.measure(log))
    with ThreadPoolExecutor(2) as pool:
        pieces = list(Parsing(log=logfiles.measure(log), layouts=layouts, formats=bundled(), verdicts={},
                              zone="Europe/London", problems=problems).pieces(pool))
    fates = Counter(coded.whole(pieces[0].raw["fate"]).to_pylist())
    # a log that holds no visits (`requests = false`) is furniture, every line
    assert fates["request" if form.says.get("requests", True) else "furniture"] and not fates["reject"]


OWN = """
name = "own"
title = "A school's own"
reader = "{reader}"
time_basis = "utc"
verdicts = [{{ action = "blocked", when = {{ fault = "yes", n = "7", flags = "f" }} }}, {{ action = "allowed" }}]
must = [{{ field = "long", reason = "says no long" }}]
{more}
[time]
from = ["micros"]
as = ["iso"]
[fields]
client_ip = "line"
user = "byte"
host = "text"
bytes_in = "bytes_out"
bytes_out = "bytes_in"
vendor_rule = "kept"
"""
ITS = ("micros", "line", "byte", "text", "fault", "long", "bytes_in", "bytes_out", "kept", "n", "flags")
VALUES = ("2026-09-08T09:05:11Z", "192.0.2.61", "jsmith", "games.example.net", "yes", "1", "512", "931", "Pupils", "7", "f")


@pytest.mark.parametrize(("reader", "more", "lines"), [
    ("csv", f"columns = {json.dumps(ITS)}", [",".join(VALUES)]),
    ("json", "", [json.dumps(dict(zip(ITS, VALUES, strict=True)))]),
    ("pairs", "", [" ".join(f'{name}="{value}"' for name, value in zip(ITS, VALUES, strict=True))]),
    ("w3c", "header = '^#Fields: (.*)$'", ["#Fields: " + " ".join(ITS), " ".join(VALUES)]),
    ("pattern", "pattern = '^" + " ".join(rf"(?P<{name}>\S+)" for name in ITS) + "$'", [" ".join(VALUES)]),
])
def test_a_log_may_name_its_fields_as_we_name_our_columns(reader: str, more: str, lines: list[str], tmp_path: Path) -> None:
    """A school's log has fields called line, text or fault: each is read as what it is there."""
    form, faults = parse(OWN.format(reader=reader, more=more), "own.toml")
    assert form is not None and not faults
    log = tmp_path / "own.log"
    log.write_text("\n".join(lines) + "\n", "utf-8")
    how = Readout("own", formats={"own": form})
    layouts, problems = how.layouts(logfiles.measure(log))
    with ThreadPoolExecutor(2) as pool:
        rows = [row for piece in Parsing(logfiles.measure(log), layouts, how.formats, {}, how.zone, problems).pieces(pool)
                for row in piece.raw.to_pylist()]
    assert [(row["fate"], row["reason"], row["client_ip"], row["user"], row["host"], row["bytes_in"], row["bytes_out"], row["vendor_rule"],
             row["action"]) for row in rows if row["fate"] != "furniture"] == [
        ("request", "", "192.0.2.61", "jsmith", "games.example.net", 931, 512, "Pupils", "blocked")]


def test_a_header_in_the_middle_of_a_file_ends_with_its_line() -> None:
    """`$` in a format's `header` is the end of the line, with or without its line end."""
    lines = pa.array(["#Fields: a b\n", "1 2\n", "#Fields: b a\r\n", "3 4"])
    assert recognise.headers(lines, "^#Fields: (.*)$") == [0, 2]
    assert recognise.headers(lines, "^#Fields: (.*)") == [0, 2]
    assert recognise.headers(lines, r"^#Fields: (\w \w)$") == [0, 2]


@pytest.mark.parametrize(("option", "key", "said"), [
    ("head = 'xml'", "head", "should be"), ("delimiter = 7", "delimiter", "string"), ("delimiter = ''", "delimiter", "at least 1"),
    ("keys = 'src'", "keys", "list"), ("lead = '(?P<a>'", "lead", "regular expression"),
    ("[parts]\na = { from = 'b' }", "parts.a.of", "required"), ("[parts]\na = { of = 'b', pattern = '(' }", "parts.a.pattern", "regular"),
    ("[parts]\na = { of = 'b', pattern = 'x' }", "parts.a.pattern", "group"), ("[parts]\na = { of = 'b' }\nb = { of = ['a'] }", "parts.a.of", "itself"),
])
def test_a_bad_option_of_a_schools_own_pairs_is_said_and_not_raised(option: str, key: str, said: str) -> None:
    """The file, the option and what is wrong with it: a TSM can mend it."""
    made = OWN.format(reader="pairs", more="MORE")
    text = made.replace("MORE", "") + option if option.startswith("[") else made.replace("MORE", option)
    found = [problem for problem in parse(text, "rules/formats/own.toml")[1] if problem.where == f"rules/formats/own.toml, {key}"]
    assert len(found) == 1 and said in found[0].what and found[0].try_this
