"""The pages: hostile text stays text, nobody is named where nobody may be, small counts cannot be worked back."""

import re
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_checks_page import a_page as a_checks

from pipeline import render
from pipeline.pages import annual, digest, dsl, heat, leaders, logs, nightly, parts, principal, termfigures, termly
from pipeline.pages.parts import Plain
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


def counted(label: str, value: int | None, text: str = "") -> parts.Count:
    return parts.shown(text or label, value, 5)


def a_heat(text: str = "") -> heat.Heat:
    """A heat table of two rows."""
    return heat.Heat(Plain(text or "Pupils by part of the day"), Plain("Part"), (Plain(text or "Monday"), Plain("Tuesday")), (
        heat.Line(Plain(text or "Lunch"), (counted("", 41), counted("", None))),
        heat.Line(Plain("Period 1"), (counted("", 0), counted("", 7)))))


def a_term(text: str = "", **more: Any) -> termly.TermlyPage:
    """A termly summary with something in every block; `text`: in every place that takes a text."""
    first = date(2026, 9, 1)
    given_: dict[str, Any] = {
        "title": Plain("Termly summary"), "school": Plain(text or "Alder Vale School"), "term": Plain(text or "Autumn term 2026"),
        "first": first, "last": date(2026, 12, 18), "until": date(2026, 12, 18), "notice": Plain(text or OVERDUE), "small": 5,
        "trust": leaders.Trust(70, 69, 1, 0.95, 0.46, (date(2026, 10, 14),), (date(2026, 11, 5),), (Plain(text or "guests"),)),
        "measures": tuple(termfigures.Measure(Plain(text or label), Plain(text or "1.8"), Plain(text or "Confirmed."), Plain(text or "term before: 2.1"))
                          for label in "abcde"),
        "rows": (termfigures.PolicyRow(Plain("IN-01"), Plain(text or "deliberately"), *[counted("", 0)] * 6),
                 termfigures.PolicyRow(Plain("IN-02"), Plain(text or "unauthorised"), counted("", 22), counted("", 31), counted("", 0), counted("", None),
                                  counted("", 9), counted("", 6))),
        "departures": (Plain(text or "Warning issued, left out"),),
        "triage": (counted("within 1", 20, text), counted("not decided yet", 22)), "times": a_heat(text),
        "networks": (counted("guests", 9, text),),
        "weeks": tuple(termfigures.Week(first + timedelta(days=7 * n - 1), counted("", 40 + n), counted("", 9 if n % 3 else None)) for n in range(15)),
        "marks": ((date(2026, 11, 2), Plain(text or "half-term begins")),), "years": a_heat(text),
        "themes": ((Plain("Year 7"), Plain(text or "games")), (Plain("Year 8"), Plain("–"))), "repeats": counted("Pupils twice", None, text),
        "failures": (leaders.Failures(Plain(text or "games"), 2, 1, 2.4),),
        "ways": (leaders.Way(Plain(text or "web proxy"), 3, 2, counted("", 14, text), 0, 5.25),),
        "fixes": (counted("within 1", 3, text), counted("not blocked yet", 1)),
        "health": leaders.Health(((Plain(text or "list"), 14),), 2, 1), "checks": leaders.Checks(3, 1, 0, 1, 5, 2, 0),
        "over_blocked": (parts.Service(parts.Site(text or "maths.example"), Plain(text or "Learning"), 12, 5),), "help_blocked": 1,
        "fresh": (parts.Service(parts.Site(text or "newtool.example"), Plain(text or "AI chat"), 30, 5),), "new_since": date(2026, 9, 8),
        "questions": (leaders.Question(Plain("AMB-07"), Plain(text or "Is a blocked try a breach?"), (Plain(text or "Yes"), Plain("No")),
                                      Plain(text or "count it apart"), Plain(text or "Principal"), counted("", 84)),),
        "duties": (leaders.Duty(Plain(text or "Policy review"), Plain(text or "due March 2022"), True),),
        "limits": (Plain(text or "Phones on mobile data."),), "versions": ((Plain(text or "rules"), Plain(text or "3f9c1a7be2")),)}
    return termly.TermlyPage(**(given_ | more))


def a_year(text: str = "") -> annual.AnnualPage:
    """An annual report with something in every part."""
    term, few = a_term(text), counted("", None)
    return annual.AnnualPage(
        title=Plain("Annual report to governors"), school=term.school, year=Plain(text or "Academic year 2026-27"), first=term.first,
        last=date(2027, 8, 31), until=date(2027, 7, 21), notice=term.notice, small=5,
        roles=(annual.Fact(Plain(text or "DSL"), Plain(text or "yes")),), duties=term.duties, how=(Plain(text or "It works so."),),
        trust=term.trust, years=(Plain(text or "2026-27"), Plain("2025-26")),
        rows=(annual.YearRow(Plain("IN-12"), Plain(text or "proxies"), Plain(text or "Conduct"), (counted("", 12), few)),),
        decided=(annual.Fact(Plain(text or "Days"), Plain(text or "2")),), waits=True, health=term.health, checks=term.checks,
        places=(annual.PlaceRow(Plain(text or "laptop, students, main"), Plain("5 Nov 2026"), Plain("passed")),),
        tests=(annual.TestRow(Plain(text or "Adult content"), 3, Plain("5 Nov 2026"), Plain("passed")),),
        concerns=(counted("Contacted in time", 7, text), counted("Contacted late", None), counted("Not contacted yet", 0)), failures=term.failures, ways=term.ways,
        learning_blocked=counted("", 9), help_blocked=2, themes=(counted("Games", 61, text),), questions=term.questions,
        decisions=(annual.Fact(Plain("AMB-01"), Plain(text or "Decided.")),), ask=(Plain(text or "Who leads?"),), limits=term.limits,
        versions=term.versions)


def a_digest(text: str = "") -> digest.DigestPage:
    """A digest with a new case and an earlier one."""
    case = {"ref": "I-0142", "who": text or "Jo Bloggs (made up)", "confirmed": DAY, "happened": DAY, "intent": "deliberate",
            "rows": [text or "IN-12 Using proxy sites"], "outcome": "blocked", "actions": [text or "Inform parents / carers"]}
    return digest.build(text or "Year 9", text or "Week of Monday 9 November 2026", DAY - timedelta(days=1), text or "Alder Vale School",
                        [case, case | {"ref": "I-0099", "confirmed": DAY - timedelta(days=8)}], VERSIONS)


def a_log(text: str = "") -> logs.LogPage:
    """A breach log with both parts."""
    rows = [breach(site=text or "games.example"), breach(part="circumvention", method=text or "web-proxy", first_blocked=at(11))]
    return logs.breaches(text or "Autumn term 2026", text or "Alder Vale School", rows, VERSIONS, "Europe/London")


def a_change_log(text: str = "") -> logs.LogPage:
    """A change log with one change."""
    row = {"ref": "C-0003", "at": at(8).isoformat(), "object": text or "own.csv clips.example", "kind": "list", "before": text, "after": text or "games",
           "size": 1, "who": text, "why": text, "approver": text}
    return logs.changes(text or "Autumn term 2026", text or "Alder Vale School", [row], VERSIONS, "Europe/London")


PAGES = {"nightly": a_night, "dsl": a_list, "principal": a_principals, "termly": a_term, "annual": a_year, "digest": a_digest,
         "breaches": a_log, "changes": a_change_log, "checks": a_checks}
NAMELESS = {"termly": termly.TermlyPage, "annual": annual.AnnualPage}


@pytest.mark.parametrize("name", PAGES)
def test_hostile_text_stays_text(name: str) -> None:
    """Whatever stands in any text field, the page holds no element, link or template of the attacker's."""
    page = render.html(PAGES[name](HOSTILE))
    assert "<script" not in page.lower() and "<img" not in page and "onerror=y>" not in page
    assert "&lt;script&gt;" in page and "49" not in re.findall(r"\{\{.*?\}\}", page)
    assert not re.search(r"https?://", page, re.I)
    assert all(link.startswith("#") for link in re.findall(r"""(?:src|href)\s*=\s*["']?([^"'\s>]*)""", re.sub(r"&lt;[^<]*", "", page)))
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


def test_an_option_of_a_command_stays_on_one_line() -> None:
    """A browser would break `--names` after its dashes; a long word of that look, which no column could hold whole, may break."""
    def cell(text: str) -> str:
        page = logs.LogPage("t", "s", "d", "l", (("x", "X", parts.Grid("c", ("A",), ((text,),)), ""),), ())
        return re.findall(r'rowheader"[^>]*>(.*?)</th>', render.html(page))[0]
    assert cell("export detections --names") == 'export detections <span class="at">--names</span>'
    assert cell(f"--{'a' * 40}") == f"--{'a' * 40}"
    assert cell("<b> --names<") == "&lt;b&gt; --names&lt;"


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


@pytest.mark.parametrize("name", NAMELESS)
def test_a_page_for_leaders_has_no_place_for_a_person_or_a_site(name: str) -> None:
    """No type that it is made of has such a field, nor room for any text that has not been through `anonymous`; a site has one type."""
    made = _types(NAMELESS[name], set())
    names = {(kind.__name__, field.name) for kind in made for field in fields(kind)}
    assert {kind for kind, field in names if field in {"name", "who", "person", "subject", "login", "user", "client", "site", "host",
                                                       "url", "address", "search"}} <= {"Service"}
    hints = {hint for kind in made for hint in get_type_hints(kind).values()}
    flat = {part for hint in hints for part in (hint, *get_args(hint), *(p for q in get_args(hint) for p in get_args(q)))}
    assert not flat & {Any, str, object, dict}
    assert all(issubclass(kind, parts.Nameless) for kind in made)
    assert (parts.Service in made) == (name == "termly")


def test_a_text_that_nobody_looked_through_cannot_stand_on_a_page_for_leaders() -> None:
    """A plain str is a TypeError wherever it is put; so is a site anywhere but in a service, and a service of too few a ValueError."""
    for wrong in ("Jo Bloggs", parts.Site("bad.example"), ["x"], {"a": 1}):
        with pytest.raises(TypeError):
            a_term(school=wrong)
        with pytest.raises(TypeError):
            a_term(themes=((Plain("Year 7"), wrong),))
    with pytest.raises(TypeError):
        parts.Service(Plain("bad"), Plain("x"), 9, 5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fewer than 5"):
        parts.Service(parts.Site("rare.example"), Plain("x"), 4, 5)


@pytest.mark.parametrize("name", NAMELESS)
def test_what_looks_like_an_address_or_a_login_is_taken_out(name: str) -> None:
    """Of hosts, addresses, mail and pseudonyms in any text only `(withheld)` is left."""
    plain = "deliberately, professional; row 6.1, e.g. IN-02"
    assert parts.anonymous(plain) == plain
    page = render.html(PAGES[name]("see bad.example or bad[.]example, 10.1.2.3, jo@school.example and pab7defghijk"))
    kept = re.sub(r"<th[^>]*>see bad.*?</th>", "", page)  # the two blocks of services, where a site may stand
    assert not any(word in kept for word in ("bad.example", "bad[.]example", "10.1.2.3", "jo@", "pab7defghijk"))
    assert name == "termly" or kept == page


def test_every_termly_block_ends_with_a_decision_or_none() -> None:
    """Twelve blocks, twelve ends, and each decision once more at the head of the page."""
    page = render.html(a_term())
    ends = re.findall(r'<p class="ends[^"]*">(.*?)</p>', page)
    assert len(ends) == len(termly.BLOCKS) == 12
    assert page.count("<section") == 13
    assert all(end.startswith("Decision needed: ") or end == "No action." for end in ends)
    asked = [end.removeprefix("Decision needed: ") for end in ends if end != "No action."]
    assert re.findall(r"<li><a href=\"#\w+\">[^<]*</a>: (.*?)</li>", page) == asked


def test_a_term_in_which_nothing_happened_asks_for_nothing() -> None:
    """All heard, nothing waiting, nothing open, a change with its reason: no decision anywhere but in no block."""
    calm = a_term(trust=leaders.Trust(70, 70, 0, 0.95, 0.46, (), (), ()), rows=(), triage=(), times=heat.Heat(Plain("x"), Plain("y"), (), ()),
                  networks=(), weeks=(), years=heat.Heat(Plain("x"), Plain("y"), (), ()), themes=(), repeats=counted("Pupils twice", 0),
                  failures=(), ways=(), fixes=(), health=leaders.Health(((Plain("list"), 1),), 0, 0), checks=leaders.Checks(3, 0, 0, 0, 5, 0, 0), over_blocked=(), help_blocked=0,
                  fresh=(), questions=(), duties=())
    assert set(calm.ends.values()) == {"No action."}
    page = render.html(calm)
    assert "No decision is needed." in page
    assert "<svg" not in page


def _words(page: str) -> list[str]:
    """A page as a screen reader goes through headings and figures: headings, table cells with their heads, ends; no chart."""
    body = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)
    found = re.findall(r"<(h[1-3]|caption|th|td|dt|b|li|p class=\"ends[^>]*)[^>]*?>(.*?)</(?:h[1-3]|caption|th|td|dt|b|li|p)>", body, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for _, text in found]


def test_the_termly_page_read_aloud_by_its_headings_and_figures_makes_sense() -> None:
    """Every chart's figures stand in a table under a caption, every figure has its words, and no heading stands over nothing."""
    page = render.html(a_term())
    said = _words(page)
    assert [text for text in said if text in termly.BLOCKS.values()] == list(termly.BLOCKS.values())
    for name, picture in a_term().pictures.items():
        caption = a_term().tables[name].caption
        assert caption in said, name
        assert re.search(rf'<svg role="img" aria-label="{re.escape(picture.alt)}"', page), name
    table = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert all("<caption>" in text and 'scope="col"' in text and 'scope="row"' in text for text in table)
    spoken = " ".join(said)
    for text in ("School days heard from 69 of 70", "Lunch 41 fewer than 5", "Games 2 1 2.4", "Web proxy 3 2 14 0 5.2",
                 "Decision needed: set a date for 1 overdue duty."):
        assert text in spoken, text


def test_a_table_beside_a_page_holds_what_the_page_prints() -> None:
    """As CSV: heads, cells as printed, numbers without commas."""
    grids = render.tables(a_term())
    assert render.grid_csv(grids["times"]) == "Part,Monday,Tuesday\r\nLunch,41,fewer than 5\r\nPeriod 1,0,7\r\n"
    assert render.grid_csv(parts.Grid("c", ("What", "n"), (("=1+1", "1,234"),), frozenset({1}))) == "What,n\r\n'=1+1,1234\r\n"


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
