"""Plain lines are read without SQL, and give the very rows that the select over the reader's split gives."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_text import form

from pipeline import coded
from pipeline.formats import Format, Layout, bundled
from pipeline.formats.fields import Parser
from pipeline.formats.plainobjects import ENOUGH
from pipeline.logfiles import LONGEST

HEAD = re.compile(r"^<\d+>[^{]*")   # of syslog
SQUID = "1757318412.087    143 192.0.2.61 TCP_TUNNEL/200 48213 CONNECT www.example.org:443 EXAMPLE\\\\j.smith HIER_DIRECT/203.0.113.9 -"
ELFF = ("date", "time", "time-taken", "c-ip", "cs-username", "sc-filter-result", "cs-categories", "sc-status", "cs-method",
        "rs(Content-Type)", "cs-uri-scheme", "cs-host", "cs-uri-port", "cs-uri-path", "cs-uri-query", "cs(User-Agent)", "sc-bytes")
PROXYSG = ('2026-09-08 08:05:11 3 192.0.2.61 jsmith DENIED "Games;Web Chat" 403 GET text/html http games.example.net 80 /play ?a=1 '
           '"Mozilla/5.0 (X11)" 931')
ZEEK = ("ts", "uid", "id.orig_h", "id.resp_h", "method", "host", "uri", "user_agent", "status_code", "response_body_len")
ZEEK_LINE = "1757318412.087001\tCAbc\t192.0.2.61\t198.51.100.20\tGET\tgames.example.net\t/play\tMozilla/5.0 (X11)\t200\t931"
LINES: dict[str, tuple[Layout, str]] = {
    "squid": (Layout("squid"), SQUID),
    "proxysg": (Layout("proxysg", header=ELFF), PROXYSG),
    "zeek-http": (Layout("zeek-http", header=ZEEK, delimiter="\t"), ZEEK_LINE),
    **{name: (Layout(name), HEAD.sub("", bundled()[name].file.examples[0]))
       for name in ("umbrella-proxy", "umbrella-dns", "e2guardian-5", "cloudflare-http", "cloudflare-dns", "adguard", "opnsense-squid",
                    "zeek-http-json", "zeek-dns-json", "suricata", "olfeo-saas", "pihole-ftl")},
}
HARD = ["", "-", " ", '"', '""', "x", "0", "00", "-1", "1.50", "1e3", "+5", "0x1F", "12345678901234567890", "é", "\0", "\t", "\r", "\\", "\\x41", "\\u00e9",
        "none", "N/A", "Unknown", "CONNECT", "error:x", "https://a.test/b/c", "/a", "//b.test", "a.test:8443", "écoles.test/a/b", "TCP_MISS/-",
        "2026-09-08 09:05:11", "2026-09-08T09:05:11.123456789+0130", "2026-02-30 00:00:00", "2026-09-08", "24:00:00", "1757318412", "1757318412087",
        "1757318412.0870011", "99999999999", "HIER_NONE/-", "DIRECT/192.0.2.1", "#", "[1]", "{", '["a","b"]', "null", "true", "a,b", "a b", "\ufeff",
        '"a b"', '"a""b"', "x\"y", "\x1f", "a;b"]


def parsers(name: str) -> tuple[Parser, Parser]:
    """The reader of a format as it is, and one that has only the select."""
    layout, _ = LINES[name]
    both = Parser(bundled()[name], (), layout), Parser(bundled()[name], (), layout)
    both[1].plain = both[1].quick = None
    return both


BOTH = {name: parsers(name) for name in LINES}


def table(lines: Sequence[str]) -> pa.Table:
    return pa.table({"line": pa.array(range(1, len(lines) + 1), pa.int64()), "byte": pa.array(range(len(lines)), pa.int64()),
                     "text": pa.array(lines, pa.string()), "long": pa.array([len(line) > LONGEST for line in lines])})


def told(rows: pa.Table) -> list[dict[str, Any]]:
    return rows.cast(pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema])).to_pylist()


def agreed(parser: Parser, select: Parser, lines: Sequence[str]) -> list[bool]:
    """Hold the rows of all lines against those of the select; which lines were read without it."""
    assert told(parser.parse(table(lines))) == told(select.parse(table(lines)))
    assert parser.plain is not None
    return parser.plain.of(table(lines))[0].to_pylist()


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Lines of one format, each with some of its columns or values put out of the way."""
    name = draw(st.sampled_from(sorted(LINES)))
    _, line = LINES[name]
    made = []
    for _ in range(draw(st.integers(1, 6))):
        if line.startswith("{"):
            made.append(json.dumps(changed(draw, json.loads(line)), ensure_ascii=False, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")]))))
        else:
            between = "\t" if "\t" in line else '","' if line.startswith('"') else " "
            parts = line.split(between)
            for place in draw(st.lists(st.integers(0, len(parts) - 1), max_size=3)):
                parts[place] = draw(st.sampled_from(HARD))
            made.append(between.join(parts))
        made[-1] = draw(st.sampled_from(["", "", "", "\ufeff", " "])) + made[-1] if draw(st.booleans()) else made[-1]
    ends = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    lines = [each.replace("\n", "") + ends for each in made]
    return name, [*lines[:-1], lines[-1].rstrip("\r\n") or "x"] if draw(st.booleans()) else lines


def changed(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with some of what is in it put out of the way."""
    if isinstance(value, dict):
        kept = {key: changed(draw, inner) for key, inner in value.items() if draw(st.integers(0, 9))}
        return kept if draw(st.integers(0, 9)) else dict(reversed(kept.items()))
    if draw(st.integers(0, 5)):
        return value
    return draw(st.sampled_from([*HARD, 0, 7, -1, 1.5, 1757318412.087001, 1e30, True, False, None, [], ["a"], ["a", "b"], ["", "[x"], [1, 2], {}, {"a": 1},
                                 {"a": "x", "b": ["y"]}, "302"]))


@settings(max_examples=120, deadline=None)
@given(mangled(), st.integers(0, 2))
def test_whatever_is_read_without_sql_is_what_the_select_reads(case: tuple[str, list[str]], among: int) -> None:
    """Alone, or among many lines of the format, as what is plain is told by its neighbours too."""
    name, lines = case
    plain = [LINES[name][1] + "\n"] * (among * ENOUGH)
    agreed(*BOTH[name], [*plain, *lines[:-1], *plain, lines[-1]])


@pytest.mark.parametrize("name", sorted(LINES))
def test_the_lines_that_products_write_are_plain(name: str) -> None:
    """Many of a kind, and one that is broken off among them: that one alone is left to the select."""
    line = LINES[name][1]
    lines = [line + "\n"] * ENOUGH + [line[:len(line) // 2] + "\n"] + [line + "\r\n"] * ENOUGH
    assert agreed(*BOTH[name], lines) == [True] * ENOUGH + [False] + [True] * ENOUGH


@pytest.mark.parametrize(("name", "old", "new"), [
    ("squid", "EXAMPLE\\\\j.smith", "EXAMPLE\\\\jane smith"),     # a login with a space
    ("squid", "HIER_DIRECT", "NO_SUCH@"),                        # no hierarchy where it belongs
    ("squid", " 48213", "  48213"),                              # a column that is empty
    ("squid", "48213", "-"),                                     # no size: a reject
    ("squid", "12.087", "1x.087"),                               # a time that is none
    ("squid", ".087    143", " 087    143"),                     # a shorter time, and another column that ends where times do
    ("squid", "    143 ", "        "),                           # no duration, but the spaces before it
    ("squid", "    143", " " * 30 + "143"),                      # more spaces than fill up a column
    ("proxysg", '"Games;Web Chat"', 'Ga"mes'),                   # a quote within a word
    ("proxysg", "192.0.2.61", "pupils"),                         # values a column beside their names
    ("umbrella-proxy", '"jsmith"', '"j""smith"'),                # a quote inside quotes
    ("cloudflare-http", "jsmith@", "j\\u0073mith@"),             # an escape
    ("cloudflare-http", "jsmith@", 'js"mi"th@'),                 # quotes within a value, all else as it belongs
    ("cloudflare-http", "jsmith@", "jsmith\t@"),                 # a letter that JSON writes as an escape
    ("cloudflare-http", '["Games"]', '["Games",1]'),             # a list of more than texts
    ("cloudflare-http", ":302", ":0302"),                        # no JSON
    ("zeek-http-json", ":200", ":2e2"),                          # a number that JSON writes otherwise
])
def test_a_line_that_needs_a_second_thought_is_left_to_the_select(name: str, old: str, new: str) -> None:
    line = LINES[name][1]
    assert old in line
    assert agreed(*BOTH[name], [line + "\n"] * ENOUGH + [line.replace(old, new) + "\n"]) == [True] * ENOUGH + [False]


OBJECT = st.dictionaries(st.sampled_from(["t", "url", "who", "a.b", "a", "tags", "size"]), st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10 ** 17) | st.floats(0, 2e9) | st.text(max_size=5) | st.sampled_from(["[a", "{}", "[]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["b", "a.b", "c"]), inner, max_size=3), max_leaves=6), max_size=7)
MADE = form("json", ["t", "a[0].c", "a.c"])
FIELDS = {"vendor_rule": ["a[0].c", "a.c"], "vendor_category": "tags", "user": ["a.b", "who"], "bytes_in": "size", "url": "url"}
MADE_UP = Format(MADE.file.model_copy(update={"fields": FIELDS}), MADE.says)
OBJECTS = Parser(MADE_UP), Parser(MADE_UP)
OBJECTS[1].plain = None


@settings(max_examples=40, deadline=None)
@given(st.lists(OBJECT, min_size=1, max_size=3), st.booleans())
def test_any_objects_are_what_the_select_reads(objects: list[dict[str, Any]], plain: bool) -> None:
    """Lines alike, so that each becomes a template, whatever it holds."""
    kinds = [json.dumps({"t": "2026-09-08T08:05:11Z"} | each, ensure_ascii=plain) + "\n" for each in objects]
    agreed(*OBJECTS, [line for line in kinds for _ in range(ENOUGH)])


WRITTEN = {"Datetime": "2026-09-08T08:05:11Z", "Action": "block", "Email": "jsmith@example.sch.uk", "SourceIP": "192.0.2.61", "URL": "https://a.test/b",
           "HTTPMethod": "GET", "HTTPStatusCode": 302, "CategoryNames": ["Games"], "PolicyName": None}
SAID = st.sampled_from(["", ",", "a,", ":", "écoles.test", "x" * 70_000, "[a", "{", "null", "https://é.test/", "a, b"]) | st.text(max_size=4)


@st.composite
def kinds(draw: st.DrawFn) -> list[str]:
    """Lines of Cloudflare, one kind behind the other or in turn: other values, fewer keys in another order, a key twice, a map."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        keys = draw(st.permutations(list(WRITTEN)))[draw(st.sampled_from([0, 0, 1, 4])):] if draw(st.booleans()) else list(WRITTEN)
        members = [(key, draw(SAID) if isinstance(WRITTEN[key], str) and not draw(st.integers(0, 3)) else WRITTEN[key]) for key in keys]
        members += draw(st.lists(st.sampled_from([("URL", "b.test"), ("HTTPStatusCode", 1.5), ("More", {"URL": "x", "n": -1}), ("Tags", [])]), max_size=2))
        between, colon = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
        line = between.join(f"{json.dumps(key)}{colon}{json.dumps(value, ensure_ascii=False)}" for key, value in members)
        made.append(f"{{{line}}}" + draw(st.sampled_from(["\n", "\n", "\r\n"])))
    return made * ENOUGH if draw(st.booleans()) else [line for line in made for _ in range(ENOUGH)]


@settings(max_examples=60, deadline=None)
@given(kinds(), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 300), st.integers(0, 2), st.sampled_from([*'",:{}[] \\0-.enaé', "\t", '","', '"",""'])), max_size=4))
def test_a_line_with_any_letter_out_of_place_is_what_the_select_reads(lines: list[str], changes: list[tuple[int, int, int, str]]) -> None:
    """In lines of one template letters are put in, put in the place of others, or lost: so quotes that one line has too many
    another may lack. Then come two batches as they would in a log: the template of the first is tried on the next."""
    for number, place, gone, letters in changes:
        line = lines[number % len(lines)].rstrip("\r\n")
        at = place % (len(line) + 1)
        lines[number % len(lines)] = line[:at] + letters + line[at + gone:] + "\n"
    for _ in range(2):
        agreed(*BOTH["cloudflare-http"], lines)


def test_quotes_that_one_line_has_too_many_and_another_lacks_are_seen() -> None:
    """As many quotes in all, and as many commas before quotes, but not in each line."""
    line = json.dumps(WRITTEN, separators=(",", ":")) + "\n"
    more, fewer = line.replace("jsmith", 'js"mi"th'), line.replace('"block"', "7")
    assert agreed(*BOTH["cloudflare-http"], [line] * ENOUGH + [more, fewer] + [line] * ENOUGH) == [True] * ENOUGH + [False] * 2 + [True] * ENOUGH


def test_a_quote_that_ends_one_value_and_begins_the_next_is_seen() -> None:
    """A value is lost with the quote behind it, and another line has that quote: all commas before quotes are where they were."""
    line = json.dumps(WRITTEN, separators=(",", ":")) + "\n"
    torn, more = line.replace('"block"', '"', 1), line.replace("jsmith", 'js"mith')
    assert agreed(*BOTH["cloudflare-http"], [line] * ENOUGH + [torn, more] + [line] * ENOUGH) == [True] * ENOUGH + [False] * 2 + [True] * ENOUGH


def test_rows_of_both_ways_keep_the_order_of_the_lines_and_their_numbers() -> None:
    """A log in which every third line needs a second thought."""
    lines = [(SQUID if n % 3 else SQUID.replace("j.smith", "jo smith")).replace("www", f"www{n}") + "\n" for n in range(900)]
    agreed(*BOTH["squid"], lines)
    rows = BOTH["squid"][0].parse(table(lines))
    assert rows["line"].to_pylist() == list(range(1, 901))
    assert coded.whole(rows["host"]).to_pylist() == [f"www{n}.example.org" for n in range(900)]


@pytest.mark.parametrize(("old", "new"), [(".087    143", " 087    143"), (" 48213", "  48213"), ("    143 ", "        ")])
def test_spaces_where_none_belong_do_not_make_up_for_a_column(old: str, new: str) -> None:
    """A line with a column too many for its spaces, and one too few at its end."""
    broken = SQUID.removesuffix(" -").replace(old, new)
    assert agreed(*BOTH["squid"], [SQUID + "\n"] * ENOUGH + [broken + "\n"]) == [True] * ENOUGH + [False]


@pytest.mark.parametrize(("odd", "plain"), [
    ("GET https://www.example.org/a/b", True), ("GET https://www.example.org/", True), ("GET http://www.example.org:443", True),
    ("GET -", True), ("CONNECT x", True), ("CONNECT https://www.example.org/a/b", False), ("CONNECT www.example.org/a:443", False),
    ("CONNECT é.test:443", False), ("CONNECT écoles.test/a/b", False)])
def test_addresses_of_tunnels_are_coded_and_come_out_the_same(odd: str, plain: bool) -> None:
    """From the second batch on, where most of the first were tunnels; then those of pages, which are not."""
    parser, select = parsers("squid")
    tunnels = [SQUID.replace("www", f"www{n}") + "\n" for n in range(40)] + [SQUID.replace("CONNECT www.example.org:443", odd) + "\n"]
    pages = [SQUID.replace("CONNECT www.example.org:443", f"GET https://www.example.org/{n}") + "\n" for n in range(60)] + tunnels
    for lines in (tunnels, tunnels, pages, pages, tunnels):
        agreed(parser, select, lines)
    assert agreed(parser, select, tunnels)[-1] is plain
    assert pa.types.is_dictionary(parser.parse(table(tunnels))["url"].type)


@pytest.mark.parametrize("name", ["paloalto", "zscaler-json", "zscaler-csv", "smoothwall-json", "importer"])
def test_a_format_with_more_to_it_has_no_such_way(name: str) -> None:
    assert Parser(bundled()[name]).plain is None


ANY = st.lists(st.text(max_size=30) | st.sampled_from([*HARD, "a\rb", '"' * 9, '"a' + "b," * 200_000, "x" * 200_000]), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LINES)), ANY, st.booleans())
def test_any_text_at_all_is_what_the_select_reads(name: str, texts: list[str], first: bool) -> None:
    """As the first lines of a batch, and behind lines of the format."""
    odd = [text.replace("\n", "") + "\n" for text in texts]
    agreed(*BOTH[name], odd + [LINES[name][1] + "\n"] * (0 if first else ENOUGH))
