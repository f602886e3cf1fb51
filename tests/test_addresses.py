"""What an address shows: pages sought through others, tools by their marks, copies; and their innocent twins."""

from __future__ import annotations

import base64
import codecs
import random
import time
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_text import DAY, lines, rows

from pipeline import addresses
from pipeline.addressbook import WHERE, of_example, read_shapes
from pipeline.lists import LISTS, classify_hosts
from pipeline.policy import read_policy
from pipeline.signals.address import parted
from pipeline.signals.codecs import decoded
from pipeline.signals.shapes import sights
from pipeline.sql import connect, run
from pipeline.visits import ADDRESSED

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / WHERE).read_text("utf-8")
POLICY, _ = read_policy({path.name: path.read_text("utf-8") for path in (ROOT / "rules").glob("*.*")})
CATEGORIES = POLICY.categories if POLICY else {}
BOOK, FAULTS = read_shapes(TEXT, CATEGORIES)
LISTED = pa.Table.from_pylist(
    [{"entry": row["entry"], "category": row["category"], "list": row["list"]} for row in rows("""
    entry             | category         | list
    arcade.example    | games            | starter
    clips.example     | video_streaming  | starter
    journal.example   | learning         | starter
    helpline.example  | help_seeking     | starter
    harm.example      | self_harm_suicide| starter
    arcade.com        | games            | starter
    resolver.example  | bypass_default_privacy_feature | starter
""")], LISTS)
OWN = pa.table({"entry": ["vle.example"], "category": ["learning"], "reason": ["ours"], "owner": ["TSM"],
                "until": pa.array([None], pa.date32())})


def listed(asked: pa.Table) -> pa.Table:
    """HOSTS by the lists of this test."""
    return classify_hosts(asked, LISTED, OWN)


def shown(table: pa.Table, day: date = DAY) -> pa.Table:
    """ADDRESSED of a table of lines."""
    con = connect(threads=1)
    con.register("lines", table)
    hosts = run("SELECT host, 1::BIGINT AS people, count(*)::BIGINT AS requests FROM lines GROUP BY host", con=con)
    return addresses.addressed(con, listed(hosts), BOOK, CATEGORIES, day, listed)


def of(*urls: str, action: str = "allowed", status: int = 200, content_type: str = "text/html") -> dict[str, tuple[str, str]]:
    """Category and note of each of some addresses that shows something, asked for in one day."""
    text = "host | url | action | status | content_type\n" + "\n".join(
        f"{url.split('/')[2]} | {url.replace('|', '%7C')} | {action} | {status} | {content_type}" for url in urls)
    found = {row["line"]: (row["category"], row["note"]) for row in shown(lines(text)).to_pylist()}
    return {url: found[n] for n, url in enumerate(urls, 1) if n in found}


def mixed(text: str, key: int) -> str:
    """Every second letter by xor."""
    return "".join(chr(ord(letter) ^ key) if n % 2 else letter for n, letter in enumerate(text))


def b64(text: str) -> str:
    """base64 for addresses."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_the_file_does_what_its_own_examples_say() -> None:
    """Every shape sees its examples and none of the ordinary ones beside them."""
    assert FAULTS == [] and len(BOOK.marks) > 40 and len(BOOK.quiet) > 10


PAGE = "https://www.arcade.example/play?x=1"
GAMES = ("bypass_web_proxy", "a page that fetches another site: www.arcade.example (Games)")


@pytest.mark.parametrize("path", [
    "/any/" + quote(mixed(PAGE, 2), safe=""), "/a/b/" + quote(mixed(PAGE, 5), safe=""), "/x?k=" + quote(mixed(PAGE, 3), safe=""),
    "/folder/" + PAGE, "/folder/" + quote(PAGE, safe=""), "/folder/" + quote(quote(PAGE, safe=""), safe=""), "/" + PAGE,
    "/f/" + b64(PAGE), "/f/" + b64(quote(PAGE, safe="")), "/f/" + b64(b64(PAGE)), "/f/" + b64(mixed(PAGE, 2)), f"/f/_{b64(PAGE)}_/",
    "/f/" + PAGE.encode().hex(), "/f/" + quote(codecs.encode(PAGE, "rot13"), safe=""), "/f/" + quote(PAGE[::-1], safe=""),
    "/f/" + base64.b32encode(PAGE.encode()).decode().rstrip("="), "/" + PAGE.replace("://", "/"),
    "/tool.php?" + PAGE, "/browse.php?u=" + quote(PAGE, safe=""), "/surf.php?u=" + b64(PAGE), "/look.php?q=" + b64(PAGE) + "&hl=3ed"])
def test_a_page_inside_an_address_is_found_in_any_codec(path: str) -> None:
    """Whatever the host and the folder, the page sought is read out of it and put into its category."""
    url = "https://sunny.example" + path
    assert of(url) == {url: GAMES}


def test_a_page_on_no_list_is_named_without_a_category() -> None:
    """What is decoded counts though nobody listed it."""
    url = "https://sunny.example/a/" + quote(mixed("https://nobody.example/", 2), safe="")
    assert of(url) == {url: ("bypass_web_proxy", "a page that fetches another site: nobody.example")}


@pytest.mark.parametrize("url", [
    "https://lib.example/login?url=https://www.arcade.example/", "https://a.example/menu?qurl=https%3A%2F%2Fjournal.example",
    "https://a.example/oauth2/authorize?client_id=3&redirect_uri=https%3A%2F%2Fwww.arcade.example",
    "https://a.example/?url=https%3A%2F%2Fwww.arcade.example&data=05&sdata=x&reserved=0",
    "https://a.example/url?q=https://www.arcade.example/&sa=U", "https://a.example/ck/a?p=1&u=a1" + b64(PAGE),
    "https://a.example/L0/" + quote(PAGE, safe="") + "/1/0100/x", "https://a.example/lnk/Av/1/Zz/" + b64(PAGE),
    "https://a.example/sharer.php?u=https%3A%2F%2Fwww.arcade.example", "https://a.example/oembed?url=https%3A%2F%2Fclips.example%2F1",
    "https://a.example/g/collect?v=2&dl=https%3A%2F%2Fwww.arcade.example", "https://a.example/getuid?https://www.arcade.example/",
    "https://a.example/cdn-cgi/image/width=80/https://www.arcade.example/a", "https://a.example/pic/https://www.arcade.example/a.png",
    "https://a.example/sig/rs:fit:80:80/g:ce/" + b64(PAGE), "https://a.example/0123456789abcdef0123456789abcdef01234567/" + PAGE.encode().hex(),
    "https://a.example/proxy.ashx?https://maps.example/arcgis/rest/services/x/MapServer", "https://a.example/blocked?url=" + b64(PAGE),
    "https://a.example/login.html?redirect=http://www.arcade.example/", "https://a.example/f5-w-" + PAGE.encode().hex() + "$$/",
    "https://a.example/raw?url=https://api.weather.example/v1/today.json", "https://a.example/translate?sl=fr&tl=en&u=https://press.example/",
    "https://press-example.translate.goog/?_x_tr_sl=fr", "https://a.example/web/19990401000000/http://www.arcade.example/",
    "https://a.example/web/20260401000000/http://press.example/", "https://a.example/rot13?text=" + quote(codecs.encode(PAGE, "rot13"), safe=""),
    "https://a.example/f/" + b64("https://journal.example/paper"), "https://a.example/f/https://www.a.example/again",
    "https://www-journal-example.ezproxy.uni.example/x", "https://a.example/?q=https://www.arcade.example", "https://vle.example/f/" + PAGE])
def test_innocent_twins_stay_quiet(url: str) -> None:
    """Gateways, shields, sign-ins, stores of pictures, archives, translators and telemetry hold addresses all day."""
    assert of(url) == {}


def test_pictures_and_upgrades_are_told_by_the_answer() -> None:
    """A store of pictures gives itself away by what it sends; a socket that carries others by being one."""
    url = "https://a.example/f/" + b64(PAGE)
    assert of(url, content_type="image/webp") == {}
    socket = "https://sunny.example/x/wisp/"
    assert of(socket) == {}
    assert of(socket, status=101) == {socket: ("bypass_web_proxy", "a socket that carries other sites (wisp)")}


@pytest.mark.parametrize(("url", "note"), [
    ("https://t.example/translate?sl=auto&tl=en&u=https://www.arcade.example/", "a translated copy: www.arcade.example (Games)"),
    ("https://www-arcade-example.translate.goog/?_x_tr_sl=auto", "a translated copy: www.arcade.example (Games)"),
    ("https://w.example/web/20260401000000if_/https://clips.example/1", "an archived copy: clips.example (Video)"),
    ("https://c.example/search?q=cache:www.arcade.example/x&hl=en", "a cached copy: www.arcade.example (Games)"),
    ("https://f.example/raw?url=https%3A%2F%2Fclips.example", "a page through a fetcher of a page: clips.example (Video)"),
    ("https://arcade.com.stranger.example/", "a copy under another host's name: arcade.com (Games)")])
def test_copies_count_by_the_page_that_is_copied(url: str, note: str) -> None:
    """A translator, an archive, a cache or a mirror of a site that pupils go round a filter for."""
    assert of(url) == {url: ("bypass_mirror_or_remote_desktop", note)}


def test_a_copy_of_what_the_filter_blocked_that_day_counts_though_no_list_names_it() -> None:
    """The filter's own answer is evidence; without it the same copy is a lesson."""
    text = """
        host        | url                                             | action
        b.example   | https://b.example/                              | blocked
        t.example   | https://t.example/translate?tl=en&u=https://b.example/ | allowed
        t.example   | https://t.example/translate?tl=en&u=https://c.example/ | allowed
    """
    assert shown(lines(text)).to_pylist() == [{"source": "s1", "line": 2, "category": "bypass_mirror_or_remote_desktop",
                                               "note": "a translated copy: b.example (blocked here that day)",
                                               "search": False}]


@pytest.mark.parametrize(("referrer", "before", "seen"), [
    ("-", "10:00 | d2 | clips.example | allowed", True),                  # somebody else read it
    ("-", "10:00 | d1 | www.clips.example | blocked", True),              # tried, blocked, then sought through another
    ("-", "10:00 | d1 | www.clips.example | allowed", False),             # open in this browser: the page tells its address
    ("-", "09:55 | d1 | www.clips.example | allowed", True),              # but not minutes later
    ("https://www.clips.example/watch/1", "10:00 | d2 | clips.example | allowed", False),   # the page itself led here
    ("https://unblock.example/", "10:00 | d2 | clips.example | allowed", True)])
def test_a_page_that_tells_its_own_address_was_not_sought_through_another(referrer: str, before: str, seen: bool) -> None:
    """Statistics, adverts and embeds: the referrer says so, or the same device was let straight through to the site just then."""
    at, client, host, action = before.split(" | ")
    text = f"""
        time  | client   | host         | url                                                    | action   | referrer
        {at}  | {client} | {host}       | https://{host}/                                        | {action} | -
        10:01 | d1       | pixel.example| https://pixel.example/p?u=https%3A%2F%2Fwww.clips.example%2Fwatch | allowed | {referrer}
    """
    direct = of("https://pixel.example/p?u=https%3A%2F%2Fwww.clips.example%2Fwatch")
    assert direct, "the address by itself shows a page sought through another"
    assert bool(shown(lines(text)).num_rows) == seen


def test_help_names_nobody_and_welfare_goes_to_the_safeguarding_lead() -> None:
    """Whoever seeks help through a proxy is not told of; what harms is told as what it is, not as a way round."""
    help_page, harm = ("https://sunny.example/a/" + quote(mixed(f"https://{host}/", 2), safe="") for host in ("helpline.example", "harm.example"))
    assert of(help_page, "https://helpline.example/uv.bundle.js") == {}
    assert of(harm) == {harm: ("self_harm_suicide", f"a page that fetches another site: harm.example ({CATEGORIES['self_harm_suicide'].title})")}


def test_a_browsers_own_resolver_is_no_choice() -> None:
    """Names asked of a resolver that devices use by themselves stay a default feature; of any other, they are a choice."""
    query = "/dns-query?dns=AAABAAABAAAAAAAABG5ld3MHZXhhbXBsZQAAAQAB"
    assert list(of("https://resolver.example" + query, "https://sunny.example" + query)) == ["https://sunny.example" + query]


def test_weak_marks_count_together_only() -> None:
    """One is an ordinary name of a script; two kinds on one host, or the parts of one tool in one folder, are a tool."""
    one, two = "https://a.example/hammerhead.js", "https://a.example/newsession"
    assert of(one) == {} and of(one, one) == {} and set(of(one, two)) == {one, two}
    assert of(one, two.replace("a.example", "b.example")) == {}
    parts = [f"https://a.example/assets/maths/{name}.js" for name in ("handler", "config", "sw")]
    assert of(*parts[1:]) == {} and len(of(*parts)) == 3
    assert of(parts[0], parts[1].replace("maths", "music")) == {}


def test_safe_search_turned_off_counts_where_one_person_does_so_again() -> None:
    """Once may be a link from abroad; the words in a search are no setting."""
    text = """
        person | host         | url
        p1     | find.example | https://find.example/search?q=otters&safe=off
        p2     | find.example | https://find.example/search?q=otters&safe=off
        p2     | find.example | https://find.example/search?q=stoats&safe=off
        p3     | find.example | https://find.example/search?q=safe%3Doff&hl=en
    """
    assert [(row["line"], row["note"]) for row in shown(lines(text)).to_pylist()] == [
        (n, "safe search turned off in a search engine") for n in (2, 3)]


def test_enough_unreadable_pages_of_one_shape_on_one_host_count() -> None:
    """One may be a signed link."""
    made = [f"https://a.example/index.php?url=z1y2x3w4z5y6x7w8z9y1x2w{n}z4" for n in range(3)]
    assert of(*made[:2]) == {} and set(of(*made)) == set(made)


def test_lists_do_not_excuse_a_tool_but_own_lists_excuse_doubt() -> None:
    """A proxy hides behind lesson words; on the school's own server a plain address in a path is the school's affair."""
    tool, page = "https://vle.example/a/uv.bundle.js", "https://vle.example/a/" + PAGE
    assert set(of(tool, page)) == {tool}


def test_no_host_is_needed_and_none_excuses() -> None:
    """The same shapes on swapped hosts say the same."""
    for host in ("accounts.example", "www.translate.example", "203.0.113.7", "eur01.shield.example"):
        url = f"https://{host}/f/" + quote(mixed(PAGE, 2), safe="")
        assert of(url) == {url: GAMES}
    assert of("https://sunny-unknown.example/login?url=" + PAGE) == {}


def test_every_example_of_the_file_passes_the_first_look() -> None:
    """The one expression that DuckDB runs lets through all that the shapes see."""
    con, look = connect(threads=1), addresses.first_look(BOOK)
    body = __import__("tomllib").loads(TEXT)
    examples = [of_example(example).text for kind in ("mark", "copy") for entry in body[kind] for example in entry["fires"]]
    assert len(examples) > 60
    passed = con.execute("SELECT url FROM (SELECT unnest($urls) AS url) WHERE NOT regexp_matches(url, $look)",
                         {"urls": examples, "look": look}).fetchall()
    assert passed == []


HOST = st.from_regex(r"[a-z][a-z0-9-]{0,9}[a-z0-9](\.[a-z]{2,8}){1,2}", fullmatch=True)
TAIL = st.from_regex(r"(/[A-Za-z0-9_.-]{0,12}){0,3}(\?[a-z]=[0-9]{1,3})?", fullmatch=True)
TURNS = st.sampled_from([b64, lambda text: text.encode().hex(), lambda text: quote(text, safe=""), lambda text: codecs.encode(text, "rot13"),
                         *(partial(mixed, key=key) for key in (1, 2, 3, 5, 7, 11))])


@settings(max_examples=300, deadline=None)
@given(HOST, TAIL, TURNS)
def test_whatever_is_encoded_is_decoded(host: str, tail: str, turn: object) -> None:
    """Any host and page, in any codec: the host comes out."""
    found = decoded(turn(f"https://{host}{tail}"))  # type: ignore[operator]
    assert found is not None and found.host == host


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_at_all_is_read_without_a_word(path: str, query: str) -> None:
    """Logs are hostile: whatever stands in an address, nothing raises, and what is shown is fit to be shown."""
    for text in (path, f"https://a.example/{path}?{query}", f"http://[{path}", f"https://a.example/a/{quote(path)}"):
        for sight in sights(parted(text, "a.example"), BOOK):
            assert sight.says and (sight.target is None or sight.target.host)


@pytest.mark.parametrize("piece", ["/", "a", "http:/", "https://a.b/", "%25", "&u=", "a.", "hvtrs8/", "/aHR0cHM6Ly9", "=", "68747470", "-.", "uggc://", "/b1"])
def test_no_address_takes_long(piece: str) -> None:
    """Four times the letters take about four times as long at most, and nothing takes a tenth of a second."""
    def cost(size: int) -> float:
        text = "https://a.example/x.php/" + piece * (size // len(piece)) + "?u=" + piece * (size // len(piece)) + "&b=1"
        begun = time.process_time()
        for _ in range(3):
            list(sights(parted(text, "a.example"), BOOK))
        return (time.process_time() - begun) / 3
    assert cost(200_000) < 0.2 and cost(8_000) < 0.2


def test_the_order_of_lines_changes_nothing() -> None:
    """The same lines in any order show the same of each."""
    urls = ["https://a.example/hammerhead.js", "https://a.example/newsession", "https://sunny.example/f/" + PAGE, "https://b.example/",
            "https://t.example/translate?tl=en&u=https://b.example/"]
    items = [{"line": n, "url": url, "host": url.split("/")[2], "action": "blocked" if n == 4 else "allowed"} for n, url in enumerate(urls, 1)]
    said = []
    for seed in range(4):
        random.Random(seed).shuffle(items)
        text = "line | host | url | action\n" + "\n".join(f"{row['line']} | {row['host']} | {row['url']} | {row['action']}" for row in items)
        said.append(sorted(shown(lines(text)).to_pylist(), key=lambda row: row["line"]))
    assert [row["line"] for row in said[0]] == [1, 2, 3, 5] and all(one == said[0] for one in said)


def test_of_what_two_steps_say_of_one_request_the_first_counts() -> None:
    """A line is one request and goes to one visit."""
    one, two = (pa.Table.from_pylist([{"source": "s1", "line": n, "category": name, "note": name} for n in places], ADDRESSED)
                for name, places in (("a", (1, 2)), ("b", (2, 3))))
    assert sorted((row["line"], row["note"]) for row in addresses.first_of(one, two).to_pylist()) == [(1, "a"), (2, "a"), (3, "b")]


def test_a_broken_file_is_told_everything_at_once() -> None:
    """Every fault with its line and what to try; the sound entries still work."""
    text = """
[[mark]]
name = "one"
says = "x"
category = "bypass_web_prox"
holds = ["/a"]
path = '/a'
reason = "r"
fires = ["/a"]
quiet = ["/b"]

[[mark]]
name = "two"
says = "x"
category = "bypass_web_proxy"
holds = ["/a"]
path = '(/a'
reason = "r"
fires = ["/a"]
quiet = ["/b"]

[[mark]]
name = "three"
says = "x"
category = "bypass_web_proxy"
holds = ["/c"]
path = '/a'
colour = "red"
fires = ["/a"]
quiet = ["/b"]

[[quiet]]
name = "four"
path = '/d$'
reason = "r"
fires = ["/e"]
"""
    book, faults = read_shapes(text, CATEGORIES)
    said = "\n".join(map(str, faults))
    assert book.marks == [] and book.quiet == []
    for part in ("'bypass_web_prox' is not a category", "path of two is no expression", "three has no reason", "'colour' is not a word",
                 "four must see /e", "numbers.weak_kinds is missing", "words.params is missing"):
        assert part in said
    assert all(fault.where.startswith(WHERE) for fault in faults)


def test_a_file_that_cannot_be_read_is_told_with_its_line_and_none_at_all_reads_nothing() -> None:
    """A school folder from before has no such file: its days are judged without."""
    _, faults = read_shapes("[[mark]]\nname = one\n")
    assert [str(fault).startswith(f"{WHERE}:2") for fault in faults] == [True]
    assert read_shapes("") == (addresses.Book(), [])
