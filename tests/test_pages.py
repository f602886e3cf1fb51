"""The pages: hostile text stays text, nobody is named where nobody may be, small counts cannot be worked back."""

import re
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import render
from pipeline.pages import dsl, nightly, parts, principal, termly
from pipeline.problems import Problem
from pipeline.tables import COVERAGE, empty

DAY = date(2026, 11, 10)
OVERDUE = "The policy's own review has been overdue since March 2022."
VERSIONS = {"rules": "3f9c1a7be2", "tool": "0.1.0", "heads": {"incidents": "91bc07de", "breaches": "5512ab90"}}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y> http://evil.example/ \u202egpj.exe\x1b[2J {{ 7*7 }}"


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 10, hour, minute, tzinfo=UTC)


def coverage(*rows: dict[str, Any]) -> pa.Table:
    base = {"day": DAY, "source": "s", "name": "access.log", "lines": 412003, "requests": 411870, "parts": 0,
        "furniture": 12,
            "rejects": 121, "repeats": 0, "unattributed": 20300, "paged": 190022, "blocked": 3110,
            "first": at(7, 2), "last": at(18, 44), "gap_minutes": 6}
    return pa.Table.from_pylist([base | row for row in rows], schema=COVERAGE.schema)


def breach(**more: Any) -> dict[str, Any]:
    return {"ref": "B-0004", "part": "failure", "site": "games.example", "profile": "student", "category": "games",
        "method": "",
            "worked": "yes", "people": 14, "first_seen": at(9, 12), "last_seen": at(14, 40), "first_blocked": None,
            "opened_day": DAY, "is_new": True} | more


def a_night(text: str = "", **more: Any) -> nightly.NightlyPage:
    given_: dict[str, Any] = {
        "day": DAY, "school_name": text or "Alder Vale School", "coverage": coverage({"name": text or "access.log"}, {
            "name": "library.log", "requests": 0, "lines": 0, "rejects": 0, "unattributed": 0, "first": None,
                "last": None,
            "gap_minutes": 0}),
        "problems": [Problem(text or "rules/lists/own.csv:14", text or "the entry has no owner",
            text or "naming who asked for it")],
        "breaches": [breach(site=text or "games.example"),
                     breach(ref="B-0002", part="circumvention", site="unblock-me.example",
                         method=text or "web-proxy-page", profile="",
                            worked="mixed", people=6, first_blocked=at(13, 5), is_new=False, opened_day=date(2026,
                                11, 6)),
                     breach(ref="B-0005", site="support.example", category="self_harm", people=None)],
        "changes": [{"ref": "C-0003", "at": at(8), "object": text or "own.csv clips.example", "before": text,
            "after": text or "games",
                     "size": 1, "who": text or "TSM", "why": text or "asked for by Year 9"}],
        "counts": {"lines": 412003, "requests": 411870, "rejects": 121, "visits": 9310, "background": 260114,
            "sealed": 1,
                   "against": 84, "incidents": 9},
        "queue": {"student": 7, "welfare": 1, "staff": 1, "attribution": 2}, "sealed": ["S-0001"],
            "policy_overdue": text or OVERDUE,
        "filter_names": [{"vendor": text or "fortinet", "name": text or "House Rules", "why": "unmapped", "site": "", "category": "",
                          "people": 12, "requests": 40, "blocked": 0},
                         {"vendor": "fortinet", "name": "", "why": "sealed", "site": "", "category": "", "people": None,
                          "requests": 2, "blocked": 2},
                         {"vendor": text or "fortinet", "name": text or "Pornography", "why": "over-blocking",
                          "site": text or "talkline.example", "category": "help_seeking", "people": None, "requests": 3,
                          "blocked": 3}],
        "versions": {"rules": text, "heads": {text: text}} if text else VERSIONS}
    return nightly.build(**(given_ | more))


def an_item(text: str = "", **more: Any) -> dict[str, Any]:
    return {"ref": "I-0142", "tier": "T2", "who": text or "Jo Bloggs (made up)", "year": text or "9",
            "when": text or "Tue 10 Nov 2026, 14:21 to 14:25", "period": text or "Period 5",
                "network": text or "curriculum",
            "categories": [text or "Adult sites", text or "Web proxies"], "outcome": "blocked", "visits": 6,
                "requests": 19,
            "reasons": [text or "a search for it in the same minutes",
                text or "3 tries at adult.example after the block page"],
            "rows": [{"id": "IN-14", "text": text or "deliberately accessing or trying to access offensive material",
                      "definite": [text or "refer to Head of Year", "inform parents or carers"],
                          "possible": [text or "removal of network access"]},
                     {"id": "IN-12", "text": "using proxy sites or other means to get round the filter",
                      "definite": ["refer to technical support"], "possible": ["warning", "exclusion"]}],
            "overlay": [text or "the DSL is told (safeguarding overlay)"],
                "questions": [text or "AMB-07: is a blocked try a breach?"],
            "state": text or "suspected", "first_time": True} | more


SEALED = {"ref": "S-0001", "raised": "10:42", "subject type": "student", "list": "child-abuse"}


def a_list(text: str = "") -> dsl.DslPage:
    items = [an_item(text), an_item(text, ref="I-0143", tier="T1", who="Sam Made-Up", categories=["Self-harm"],
        rows=[]),
             an_item(text, ref="I-0144", tier="T3", categories=["Games"], outcome="allowed", first_time=False),
             an_item(text, ref="I-0145", tier="T3", route="attribution", who="an unnamed device", year="", rows=[])]
    return dsl.build(DAY, text or "Alder Vale School", items, [SEALED | ({"list": text,
        "raised": text} if text else {})],
                     text or "4 routine items are left for Friday's list.", VERSIONS)


def a_principals(text: str = "") -> principal.PrincipalPage:
    return principal.build(DAY, text or "Alder Vale School", [an_item(text, tier="TS", route="staff", year="")],
                           [SEALED | {"ref": "S-0002", "subject type": "staff"}], VERSIONS)


def a_term(text: str = "") -> termly.TermlyPage:
    days = [date(2026, 9, 7) + timedelta(days=n) for n in range(96) if (date(2026, 9,
        7) + timedelta(days=n)).weekday() < 5]
    heard = coverage(*({"day": day, "requests": 400000 + 900 * n, "gap_minutes": 75 if n == 12 else 4} for n,
        day in enumerate(days) if n != 30))
    return termly.build(
        text or "Autumn term 2026", days[0], days[-1], text or "Alder Vale School", heard,
        [(text or "Pupils with a confirmed incident, per 100 on roll", text or "1.8", text or "16 of 890 pupils",
         text or "last term 2.1; autumn 2025 2.4"),
         ("School days to triage, median", "1.5", "half are looked at within this", "last term 3"),
         ("Open over 10 school days", "fewer than 5", "the DSL holds the list", "last term 9"),
         ("Filter failures", "31", "median 2.4 hours to a block", "last term 44"),
         ("Ways round the filter that worked", "6", "in 3 methods", "last term 5")],
        [("IN-01", text or "deliberately accessing or trying to access illegal material", 0, 0, 0),
         ("IN-02", "unauthorised use of non-educational sites in lessons", 22, 31, 14),
         ("IN-04", "unauthorised use of social media or messaging", 9, 12, 3),
         ("IN-12", "using proxy sites or other means to get round the filter", 7, 4, 9)],
        [breach(category=text or "games"), breach(first_blocked=at(11)),
         breach(part="circumvention", method=text or "web-proxy-page", first_blocked=at(10, 2))],
        {text or "list": 14, "policy": 2},
        [("AMB-07", text or "Is a blocked try a breach of 7.2?", [text or "Yes: “trying to access”.",
         "No: the filter did its work."],
          text or "count it apart", text or "Principal", 84)],
        [(text or "Policy review", text or "due March 2022", True), ("Annual review of filtering", "due May 2027", False)],
        [text or "Phones on mobile data, messages inside apps, and what a page showed."], 5,
        [(text or "People by category, visits against the policy", text or "games", 61),
         ("People by category, visits against the policy", "adult", 3),
         ("People by category, visits against the policy", "social media", 22), ("People by time of day", "lesson", 40),
         ("People by time of day", "lunch", 33)],
        school_days=days, by_day=[(day, 40 + (n * 7) % 23, 12 + (n * 5) % 9) for n, day in enumerate(days) if n != 30],
        policy_overdue=text or OVERDUE, versions=VERSIONS)


PAGES = {"nightly": a_night, "dsl": a_list, "principal": a_principals, "termly": a_term}


@pytest.mark.parametrize("name", PAGES)
def test_hostile_text_stays_text(name: str) -> None:
    """Whatever stands in any text field, the page holds no element, link or template of the attacker's."""
    page = render.html(PAGES[name](HOSTILE))
    assert "<script" not in page.lower() and "<img" not in page and "onerror=y>" not in page
    assert "&lt;script&gt;" in page and "49" not in re.findall(r"\{\{.*?\}\}", page)
    assert not re.search(r"https?://", page, re.I)
    assert all(link.startswith("#") for link in re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]*)""", re.sub(r"&lt;.*?&gt;", "", page)))
    assert "\u202e" not in page and "\x1b" not in page and "‹U+202E›" in page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_repeatable(name: str) -> None:
    """One h1, one language, a policy that allows only its own style, and the same bytes every time."""
    page = render.html(PAGES[name]())
    assert page == render.html(PAGES[name]())
    assert page.count("<h1") == 1 and 'lang="en-GB"' in page and "default-src 'none'; style-src 'sha256-" in page
    assert not re.search(r"\sstyle=|javascript:|\son\w+=", page)
    assert all(f'id="{anchor}"' in page for anchor in re.findall(r'href="#([^"]+)"', page))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_blocked_is_never_called_accessed() -> None:
    """No page of ours says accessed of its own accord."""
    for make in PAGES.values():
        assert "accessed" not in render.html(make()).lower()


def test_the_nightly_report_names_nobody() -> None:
    """Columns that a row may carry by mistake never reach the page, nor does a welfare site."""
    rows = [breach(person="pab7defghijk", name="Jo Bloggs", login="jbloggs"), breach(site="support.example",
        people=None, category="self_harm")]
    page = render.html(a_night(breaches=rows))
    assert not any(word in page for word in ("pab7defghijk", "Bloggs", "support[.]example", "self harm", "elfare"))
    assert "games[.]example" in page and "kept for the DSL" in page


def test_a_night_without_logs_says_so() -> None:
    """Nothing at all still gives a report, and it does not call silence good."""
    page = nightly.build(DAY, "A school", empty(COVERAGE), [], [], [], {}, {}, [], OVERDUE, {})
    text = render.html(page)
    assert "Nothing was heard from any log: silence is not safety." in text and "Nothing can be said" in text
    assert text.index("overdue since March 2022") < text.index("Nothing was heard")
    assert "No filter failure" not in text and "No way round" not in text
    assert "Nothing was heard from b.log" in render.html(a_night(expected=["access.log", "b.log"]))


def test_the_lists_keep_what_is_not_theirs_out() -> None:
    """Help-seeking stands on no list, staff matters only on the Principal's, pupils never there; welfare proposes nothing."""
    items = [an_item(ref="I-1", tier="TS", route="staff"), an_item(ref="I-2", categories=["Help-seeking"]),
        an_item(ref="I-3", tier="T1"),
             an_item(ref="I-4", categories=["Help-seeking", "Games"])]
    page = dsl.build(DAY, "A school", items, [SEALED, SEALED | {"ref": "S-9", "subject type": "staff"}], "", {})
    text = render.html(page)
    assert "I-1<" not in text and "I-2<" not in text and "elp-seeking" not in text and "S-9" not in text and "S-0001" in text
    assert [item.rows for group in page.groups if group.id == "welfare" for item in group.items] == [()]
    theirs = principal.build(DAY, "A school", items, [SEALED, SEALED | {"ref": "S-9", "subject type": "staff"}], {})
    assert [item.ref for item in theirs.items] == ["I-1"] and theirs.items[0].rows == () and [s.ref for s in theirs.sealed] == ["S-9"]
    assert "LADO" in render.html(theirs)


def _types(kind: Any, seen: set[type]) -> set[type]:
    for part in get_args(kind):
        _types(part, seen)
    if is_dataclass(kind) and isinstance(kind, type) and kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            _types(hint, seen)
    return seen


def test_the_termly_page_has_no_place_for_a_person_or_a_site() -> None:
    """No type that it is made of has such a field, nor room for anything at all; and a site in a text is taken out."""
    names = {field.name for kind in _types(termly.TermlyPage, set()) for field in fields(kind)}
    assert not names & {"name", "who", "person", "subject", "login", "user", "client", "site", "host", "url",
        "address", "search"}
    assert Any not in {hint for kind in _types(termly.TermlyPage, set()) for hint in get_type_hints(kind).values()}
    plain = "deliberately, professional; row 6.1, e.g. IN-02"
    assert parts.anonymous(plain) == plain
    page = render.html(a_term("see bad.example or bad[.]example, 10.1.2.3, jo@school.example and pab7defghijk"))
    assert not any(word in page for word in ("bad.example", "bad[.]example", "10.1.2.3", "jo@", "pab7defghijk",
        "games.example"))


def test_every_termly_block_ends_with_a_decision_or_none() -> None:
    """Eight blocks, eight ends."""
    page = render.html(a_term())
    ends = re.findall(r'<p class="ends[^"]*">(.*?)</p>', page)
    assert len(ends) == page.count("<section") == 8
    assert all(end.startswith("Decision needed: ") or end == "No action." for end in ends)


def _printed(values: list[int], small: int) -> tuple[str, ...]:
    counts, total = parts.withhold([("", value) for value in values], small)
    return (*(count.shown for count in counts), total.shown)


@cache
def _readings(length: int, small: int) -> dict[tuple[str, ...], list[tuple[int, ...]]]:
    """Every table of that many counts under 10, by what it prints: all that a reader who knows the rule can think of."""
    tables: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for values in product(range(10), repeat=length):
        tables.setdefault(_printed(list(values), small), []).append(values)
    return tables


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=4), st.integers(3, 5))
def test_no_withheld_count_can_be_worked_back(values: list[int], small: int) -> None:
    """Whoever knows the rule and the total is left, for each withheld count, with two values at least that fit."""
    shown = _printed(values, small)
    assert not any(text.isdigit() and 0 < int(text) < small for text in shown[:-1])
    fitting = _readings(len(values), small)[shown]
    for place, text in enumerate(shown[:-1]):
        assert text.isdigit() or len({table[place] for table in fitting}) > 1, (values, shown)


def test_one_small_count_takes_another_with_it() -> None:
    """The next smallest goes with a single small count; two that are in doubt go alone; nothing small, nothing withheld."""
    assert _printed([3, 40, 12], 5) == ("withheld", "40", "withheld", "55")
    assert _printed([3, 4, 40], 5) == ("fewer than 5", "fewer than 5", "40", "47")
    assert _printed([0, 9, 40], 5) == ("0", "9", "40", "49")
    assert _printed([0, 3], 5) == ("0", "fewer than 5", "withheld")
    with pytest.raises(ValueError, match="under 3"):
        parts.withhold([], 2)


@given(st.text())
def test_no_csv_cell_can_start_a_formula(text: str) -> None:
    """However a cell begins, a spreadsheet reads it as text."""
    body = render.csv_text(["a"], [[text]]).split("\r\n", 1)[1].lstrip('"')
    assert not body.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))
    assert "\u202e" not in body


def test_csv_shows_what_is_unseen() -> None:
    """A formula, a bidi override and a number, as they are written."""
    assert render.csv_text(["who", "n"], [["=1+1", -3], ["a\u202eb", None]]) == "who,n\r\n'=1+1,-3\r\na‹U+202E›b,\r\n"


def test_sites_cannot_be_clicked() -> None:
    """Sites and addresses lose their dots and schemes."""
    assert parts.defang("http://bad.example/a") == "hxxp[://]bad[.]example/a"
    assert parts.defang("bad.example") == "bad[.]example"
    assert parts.defanged("3 tries at bad.example, 2.5 minutes.") == "3 tries at bad[.]example, 2.5 minutes."
