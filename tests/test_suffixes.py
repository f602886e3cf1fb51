"""The public suffix list at its edges: which names are one site, which suffix is nobody's, and what lists do with them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.hosts import endings, is_public_suffix, normalise, platform_of, sites
from pipeline.listformats.parsing import parse
from pipeline.lists import OF_ONE_KIND, read_lists, read_own


@pytest.mark.parametrize(("host", "site"), [
    # public suffixes of one, two and three labels
    ("www.example.com", "example.com"), ("a.b.example.org.uk", "example.org.uk"), ("x.y.example.k12.ma.us", "example.k12.ma.us"),
    # private suffixes: two sites on one platform stay two, and the platform's own name is its own site
    ("a.one.github.io", "one.github.io"), ("two.github.io", "two.github.io"), ("github.io", "github.io"),
    ("shop.blogspot.com", "shop.blogspot.com"), ("www.blogspot.com", "www.blogspot.com"),
    # a star: every name one label under it is a suffix; an exception of the star is a site
    ("a.b.c.kobe.jp", "b.c.kobe.jp"), ("c.kobe.jp", "c.kobe.jp"), ("kobe.jp", "kobe.jp"), ("www.city.kobe.jp", "city.kobe.jp"),
    ("city.kobe.jp", "city.kobe.jp"), ("a.b.sch.uk", "a.b.sch.uk"), ("www.a.b.sch.uk", "a.b.sch.uk"), ("www.www.ck", "www.ck"),
    ("b.test.ck", "b.test.ck"),
    # international suffixes, in either spelling
    ("www.b\u00fccher.\u516c\u53f8.cn", "xn--bcher-kva.xn--55qx5d.cn"), ("a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"),
    ("www.example.\u9999\u6e2f", "example.xn--j6w193g"),
    # single labels and unknown endings
    ("printer", "printer"), ("uk", "uk"), ("localhost", "localhost"), ("a.b.c.test", "c.test"), ("c.test", "c.test"), ("nas.lan", "nas.lan"),
    # addresses are their own site, whatever their spelling
    ("192.0.2.7", "192.0.2.7"), ("[2001:DB8::7]", "2001:db8::7"), ("::ffff:192.0.2.7", "::ffff:192.0.2.7"), ("1.2.3", "2.3"),
    # spelling
    ("WWW.Example.CO.UK.", "example.co.uk"), ("co.uk.", "co.uk"), ("", "")])
def test_the_site_of_a_host_at_the_edges(host: str, site: str) -> None:
    """The registrable domain; where there is none, the name itself."""
    assert sites([host]) == {host: site}


@pytest.mark.parametrize(("name", "suffix"), [
    ("uk", True), ("co.uk", True), ("example.co.uk", False), ("kobe.jp", True), ("x.kobe.jp", True), ("city.kobe.jp", False),
    ("a.x.kobe.jp", False), ("ck", True), ("x.ck", True), ("www.ck", False), ("xn--55qx5d.cn", True), ("github.io", False),
    ("test", False), ("c.test", False), ("192.0.2.7", False), ("", False)])
def test_a_public_suffix_is_known_in_every_list(name: str, suffix: bool) -> None:
    """An entry that is one is refused and shown, for it would speak of everybody: an imported list, a list of ours, the own list."""
    assert is_public_suffix(name) is suffix
    if not name or "." not in name:
        return
    parsed = parse(f"{name}\n".encode(), "domains")
    assert (parsed.reasons == {"a public suffix": 1}) is suffix and (len(parsed.entries) == 0) is suffix
    table, problems = read_lists({"lists/games.txt": f"# one\n*.{name}\n"})
    own, more = read_own(f"entry,category,reason,owner,until\n.{name},games,r,o,\n")
    for found, said, where in ((table, problems, "lists/games.txt:2"), (own, more, "rules/lists/own.csv:2")):
        assert (len(found) == 0) is suffix
        assert [(p.where, "public suffix" in p.what) for p in said] == ([(where, True)] if suffix else [])


def test_our_own_lists_may_name_the_suffix_of_one_kind_of_body() -> None:
    """`nhs.uk` in a list of ours means every such site; an imported list may not say it of anything."""
    for name in sorted(OF_ONE_KIND):
        table, problems = read_lists({"lists/learning.txt": name})
        assert (table["entry"].to_pylist(), problems) == ([name], [])
    assert parse(b"nhs.uk\n", "domains").reasons == {"a public suffix": 1}


def test_a_suffix_in_international_letters_is_refused_in_either_spelling() -> None:
    """Lists spell names as people do."""
    for name in ("\u516c\u53f8.cn", "xn--55qx5d.cn"):
        assert len(read_lists({"lists/games.txt": name})[1]) == 1
        assert parse(f"{name}\n".encode(), "domains").reasons == {"a public suffix": 1}


@pytest.mark.parametrize(("site", "platform"), [
    ("one.github.io", "github.io"), ("github.io", ""), ("example.co.uk", ""), ("example.com", ""), ("one.s3.amazonaws.com", "s3.amazonaws.com"),
    ("x.test", ""), ("192.0.2.7", ""), ("printer", "")])
def test_a_platform_is_a_private_suffix(site: str, platform: str) -> None:
    """Never a public one, and never of its own name."""
    assert platform_of(site) == platform


LABEL = st.sampled_from(["a", "www", "co", "uk", "com", "kobe", "jp", "city", "ck", "github", "io", "test", "xn--55qx5d", "cn"])


def walked(name: str) -> str:
    """The site by the rules of the list itself: the longest rule that fits, an exception before a star, a label more."""
    kinds, labels = endings(), name.split(".")
    longest = 0
    for n in range(len(labels)):
        tail = ".".join(labels[n:])
        if kinds.get(tail) == "not":
            longest = len(labels) - n - 1
            break
        above = ".".join(labels[n + 1:])
        if kinds.get(tail) in ("public", "private", "star") or kinds.get(above) == "star":
            longest = len(labels) - n
            break
    return ".".join(labels[-(longest + 1 if longest else 2):])


@settings(max_examples=150)
@given(st.lists(LABEL, min_size=1, max_size=5).map(".".join))
def test_the_rules_of_the_list_walked_by_hand_agree(name: str) -> None:
    """On names made of the labels that make trouble."""
    assert sites([name])[name] == walked(normalise(name))
