"""Lines of pairs that are laid out alike are read without SQL, and give the very rows that the select gives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import answer
from test_plain_pairs import MADE, PIECES, WAYS
from test_plain_rows import HARD, agreed
from test_split_pairs import table

from pipeline.formats import Format, Layout, bundled, pairs
from pipeline.formats.fields import Parser
from pipeline.formats.pairlines import ENOUGH, MOST, PairLines
from pipeline.formats.pairtemplates import LONGEST_HEAD, LONGEST_KEY

NAMES = ["fortigate", "fortigate-csv", "sonicwall", "checkpoint-bar"]
BETWEEN = {"fortigate-csv": ",", "checkpoint-bar": "|"}
LINES = {name: re.sub(r"^<\d+>", "", bundled()[name].file.examples[0]) for name in NAMES}
WORDS = [*HARD, "a=b", "x|y", "x,y", "EXAMPLE\\jo", "ends in \\", 'say \\"hi\\"', "x" * 70_000, "[::1]:80:X0", "192.0.2.1:80", "['q.test']", "HTTPS", "53",
         "1788854711", "1788854711000", "1788854711000000", "1788854711999999999", "178885471100000000x", "user=x", "J (jo)/n", "/a?b=c=", "2026-09-08 08:05:11 UTC"]
KEYS = ["", "user", "eventtime", "hostname", "date", "srcip", "url", "x" * LONGEST_KEY, "x" * (LONGEST_KEY + 1), "é", "a b", "action"]
HEADS = ["<13>", "<189>", "<13> ", "<1a>", "\ufeff", "<5>\ufeff", "Sep  8 09:05:11 gw ", "Sep 18 09:05:11 gw2 ", "Sep  8 09:05:11 gwX", " ", "a=b ", '"q" ', "x" * LONGEST_HEAD + " ", "\t"]


def parsers(name: str) -> tuple[Parser, Parser]:
    """The reader of a format as it is, and one that has only the select."""
    both = Parser(bundled()[name]), Parser(bundled()[name])
    both[1].plain = both[1].quick = None
    return both


BOTH = {name: parsers(name) for name in NAMES}


def taken_apart(name: str) -> list[tuple[str, str]]:
    """The keys and values of a format's example, as they stand."""
    return re.findall(rf'([\w/]+)=("[^"]*"|[^"{re.escape(BETWEEN.get(name, " "))}]*)', LINES[name])


def changed(draw: st.DrawFn, name: str) -> str:
    """A line of a format in which a few pairs are gone, doubled, moved, or have another key or value."""
    found = taken_apart(name)
    for _ in range(draw(st.integers(0, 4))):
        place, what = draw(st.integers(0, len(found) - 1)), draw(st.integers(0, 9))
        key, value = found[place]
        if what < 4:
            found[place] = key, draw(st.sampled_from(["{}", '"{}"', '"{}"'])).format(draw(st.sampled_from(WORDS)))
        elif what == 4 and len(found) > 1:
            del found[place]
        elif what < 7:
            found.insert(draw(st.integers(0, len(found))), (key, draw(st.sampled_from([value, "x", '""', '"y"']))))
        elif what == 7:
            found.insert(0, found.pop(place))
        else:
            found[place] = draw(st.sampled_from(KEYS)), value
    line = BETWEEN.get(name, " ").join(f"{key}={value}" for key, value in found)
    line = draw(st.sampled_from(["", "", *HEADS])) + line + draw(st.sampled_from(["", "", "", " ", '"', ",", " word", "|"]))
    return line[:draw(st.integers(0, len(line)))] if draw(st.integers(0, 9)) == 0 else line


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Lines of one format, many of them alike: each kind becomes a template, whatever it holds."""
    name, lines = draw(st.sampled_from(NAMES)), []
    for _ in range(draw(st.integers(1, 4))):
        kind = changed(draw, name).replace("\n", "") + draw(st.sampled_from(["\n", "\n", "\r\n"]))
        lines += [kind] * draw(st.sampled_from([1, ENOUGH, ENOUGH]))
        lines += [LINES[name] + "\n"] * draw(st.sampled_from([0, 1, ENOUGH]))
    order = draw(st.randoms(use_true_random=False)) if draw(st.booleans()) else None
    if order:
        order.shuffle(lines)
    return name, [*lines[:-1], lines[-1].rstrip("\n") or "x"] if draw(st.booleans()) else lines


@settings(max_examples=120, deadline=None)
@given(logs())
def test_whatever_is_read_without_sql_is_what_the_select_reads(case: tuple[str, list[str]]) -> None:
    name, lines = case
    agreed(*BOTH[name], lines)


def cut(made: Format, lines: list[str]) -> list[bool]:
    """Hold the fields that are cut against what the select splits; which lines were cut."""
    way = pairs.plain(made, Layout(made.name))
    assert way is not None
    numbered = table(lines)
    found = way.cutter.cut(numbered["text"].chunk(0), ~numbered["long"].to_numpy(), ())
    slow = answer(pairs.split(made, Layout(made.name)), numbered).to_pylist()
    wanted = [row for row, plain in zip(slow, found.plain.tolist(), strict=True) if plain]
    assert all(row["fault"] is None for row in wanted)
    for name in made.needs:
        column = found.columns.get(name)
        assert [row[name] for row in wanted] == (column.array().to_pylist() if column is not None else [None] * len(wanted))
    return found.plain.tolist()


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(WAYS), st.lists(st.tuples(st.lists(st.sampled_from(PIECES), max_size=7), st.sampled_from([" ", ",", ";", ""]),
                                                 st.sampled_from(["\n", "\r\n", "\r", ""])), min_size=1, max_size=5), st.booleans())
def test_whatever_is_cut_is_what_the_select_splits(says: str, parts: list[tuple[list[str], str, str]], many: bool) -> None:
    """Any words in any order, each line many times over."""
    lines = [between.join(pieces) + end.removesuffix("\n") + "\n" for pieces, between, end in parts for _ in range(ENOUGH if many else 1)]
    last, end = lines[-1], parts[-1][2]
    cut(MADE[says], [*lines[:-1], last if end.endswith("\n") else last.removesuffix("\n") or "x"])


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_that_products_write_are_plain(name: str) -> None:
    """Many of a kind, with one that is broken off among them; with the line ends of Windows, and behind the head of syslog."""
    heads = [""] if name == "checkpoint-bar" else ["", "Sep  8 09:05:11 gw "] if name != "fortigate-csv" else ["", "<189>"]
    for head in heads:
        line = head + LINES[name]
        lines = [line + "\n"] * ENOUGH + [line[:len(line) // 2] + "\n"] + [line + "\r\n"] * ENOUGH
        assert agreed(*BOTH[name], lines) == [True] * ENOUGH + [False] + [True] * ENOUGH


@pytest.mark.parametrize(("old", "new"), [
    ('user="JSMITH"', 'user=""'), ('user="JSMITH"', 'user="EXAMPLE\\JSMITH"'), ('user="JSMITH"', 'user="é=x y"'),
    ('tz="+0100"', 'tz=""'), ('url="https://games.example.net/"', 'url="/"'), ('url="https://games.example.net/"', f'url="https://a.test/{"x" * 90_000}"'),
    ("eventtime=1788854711000000000", "eventtime=1788854711"),
])
def test_values_may_be_of_any_length_and_empty(old: str, new: str) -> None:
    lines = [LINES["fortigate"] + "\n"] * ENOUGH + [LINES["fortigate"].replace(old, new) + "\n"]
    assert lines[-1] != lines[0]
    assert all(agreed(*parsers("fortigate"), lines))


@pytest.mark.parametrize(("old", "new"), [
    ('user="JSMITH"', 'user="J"SMITH'),                          # a quote within a word
    ('user="JSMITH"', 'user="J\\"SMITH"'),                       # an escape
    ('user="JSMITH"', 'user="JSMITH\\"'),                        # one of the quote that ends the value, it seems
    ('catdesc="Games"', 'catdesc="Games"\r'),                    # half an end of a line
    ('user="JSMITH"', 'user="J\x1fSMITH"'),                      # a letter that stands for another in the select
    ("srcip=192.0.2.61", "srcip=192.0.2.61 (a pupil)"),          # an unquoted value that goes on in words
    ("srcip=192.0.2.61", 'srcip="192.0.2.61"'),                  # quotes where the lines before have none
    ("date=2026-09-08", "user=x date=2026-09-08"),               # a pair too many
    ("date=2026-09-08 time", "time"),                            # one too few
    (' catdesc="Games"', ""),                                    # an end too soon
    ("eventtime=1788854711000000000", "eventtime=soon"),         # no time
    ("eventtime=1788854711000000000", "eventtime=178885471100000000x"),
    ("srcip=192.0.2.61", "srcip="),                              # no client: a reject
])
def test_a_line_that_needs_a_second_thought_is_left_to_the_select(old: str, new: str) -> None:
    last = LINES["fortigate"].replace(old, new)
    assert last != LINES["fortigate"]
    lines = [LINES["fortigate"] + "\n"] * ENOUGH + [last if last.endswith("\r") else last + "\n"]
    assert agreed(*parsers("fortigate"), lines) == [True] * ENOUGH + [False]


@pytest.mark.parametrize(("head", "plain"), [
    ("Sep  8 09:05:11 gw ", True), ("Sep 18 09:05:11 gw ", True), ("Sep  8 09:05:11 gwX", False), ("Sep  8 09:05:11 a= ", False),
    ('Sep  8 09:05:11 "" ', False), ("Sep  8 09:05:11 gateway ", False), ("<13>Sep  8 09:05:11 gw ", True),
])
def test_what_stands_before_the_first_key_may_differ_where_it_is_as_long(head: str, plain: bool) -> None:
    """But it holds no pair and no quote, and ends before the key."""
    lines = ["Sep  8 09:05:11 gw " + LINES["fortigate"] + "\n"] * ENOUGH + [head + LINES["fortigate"] + "\n"]
    assert agreed(*parsers("fortigate"), lines) == [True] * ENOUGH + [plain]


def test_an_address_that_is_only_a_path_belongs_to_the_host_beside_it() -> None:
    """Among whole addresses, which stay as they are logged; and one that has no scheme and no slash."""
    line = LINES["fortigate"].replace('user="JSMITH"', 'service="HTTPS" user="JSMITH"')
    lines = [line.replace("https://games.example.net/", url) + "\n" for url in ("/play", "https://a.test/x", "b.test/x?u=http://c.test/")] * ENOUGH
    assert agreed(*BOTH["fortigate"], lines) == [True, True, False] * ENOUGH
    assert BOTH["fortigate"][0].parse(table(lines))["url"].to_pylist()[:2] == ["https://games.example.net/play", "https://a.test/x"]


def test_fields_made_of_others_are_made_once_for_each_row_of_those() -> None:
    """A time of three fields where the one field is missing or empty, and the port of the resolver, which is none."""
    whole = LINES["fortigate"].replace("srcip=", "dstport=53 srcip=")
    without = whole.replace("eventtime=1788854711000000000 ", "").replace("53", "8443")
    empty = whole.replace("1788854711000000000", "")
    lines = [line + "\n" for line in [whole, without, empty] * ENOUGH]
    assert all(agreed(*BOTH["fortigate"], lines))
    assert all(agreed(*BOTH["fortigate"], [line for line in lines if "eventtime" in line]))
    rows = BOTH["fortigate"][0].parse(table(lines))
    assert len(set(rows["time"].to_pylist())) == 1
    assert rows["port"].to_pylist()[:3] == [443, 8443, 443]


def test_a_quote_too_many_before_moves_no_quote_behind() -> None:
    """As many quotes as belong, and each key behind the value before it: but one quote stands within a word."""
    assert cut(MADE[""], ['a=1 user="x" hostname="y"\n'] * ENOUGH + ['a=x"y user=" hostname="z"\n']) == [True] * ENOUGH + [False]


def lines_of(kind: int) -> list[str]:
    return [f'a{"b" * kind}={n} user="x{n}"\n' for n in range(ENOUGH)]


def test_templates_are_kept_from_batch_to_batch() -> None:
    """So a kind that is rare in one batch is known in the next; but no more of them than can be tried."""
    way = pairs.plain(MADE[""], Layout("made"))
    assert way is not None and isinstance(way.cutter, PairLines)

    def plain(lines: list[str]) -> list[bool]:
        numbered = table(lines)
        return way.cutter.cut(numbered["text"].chunk(0), ~numbered["long"].to_numpy(), ()).plain.tolist()
    assert plain(lines_of(0)[:1]) == [False]
    assert all(plain(lines_of(0)))
    assert plain(lines_of(0)[:1]) == [True]
    for kind in range(1, LONGEST_KEY):
        assert all(plain(lines_of(kind)))
    assert len(way.cutter.known) == MOST
    assert plain(lines_of(LONGEST_KEY - 1)[:1]) == [True]
    assert plain(lines_of(LONGEST_KEY)) == [False] * ENOUGH


@pytest.mark.parametrize("name", ["paloalto-cef", "sophos-utm", "checkpoint", "skyhigh-cloud", "sophos-xg"])
def test_a_format_with_more_to_it_has_no_such_way(name: str) -> None:
    assert Parser(bundled()[name]).plain is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.lists(st.text(max_size=30) | st.sampled_from([*WORDS, *HEADS, '"' * 9, "a=b " * 300, "=" * 50]), min_size=1, max_size=4),
       st.booleans(), st.booleans())
def test_any_text_at_all_is_what_the_select_reads(name: str, texts: list[str], first: bool, many: bool) -> None:
    """As the first lines of a batch, and behind lines of the format; alone and many times over."""
    odd = [text.replace("\n", "").encode("utf-8", "replace").decode() + "\n" for text in texts] * (ENOUGH if many else 1)
    agreed(*BOTH[name], odd + [LINES[name] + "\n"] * (0 if first else ENOUGH))


def test_no_lines_are_no_lines() -> None:
    assert cut(MADE[""], []) == []
