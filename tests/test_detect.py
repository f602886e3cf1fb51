"""Verdicts and detections on small stories: the worked examples of the policy's reading, as tables of text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from tables_text import DAY, build, rows, said, visits

from pipeline import detect
from pipeline.classify import judge
from pipeline.tables import LINES


def category(name: str, row: str, tier: str, orders: str, *propose: tuple[str, dict[str, Any]], staff: str = "",
             questions: tuple[str, ...] = ()) -> SimpleNamespace:
    """A category as the policy files give it."""
    return SimpleNamespace(name=name, title=name.replace("_", " "), row=row, also_row="", tier=tier, filter=orders,
                           help_seeking=name == "help_seeking", background=False, filter_staff=staff or orders, propose=[SimpleNamespace(row=r, when=w) for r, w in propose],
                           questions=list(questions))


LESSON = ("IN-02", {"actor": "student", "band": "lesson", "authorised": "no"})
CATEGORIES = [
    category("pornography", "UA-05", "T2", "block", ("IN-14", {"actor": "student", "intent": "deliberate"}),
             ("IN-13", {"actor": "student", "intent": "accidental"}), ("no_row", {"intent": "background"})),
    category("bypass_web_proxy", "UA-10", "T2", "block", ("IN-12", {"actor": "student", "intent": "deliberate"})),
    category("bypass_vpn_app_chatter", "", "T4", "allow"),
    category("gambling", "UA-15", "T3", "block", LESSON),
    category("messaging", "UA-19", "T3", "allow", LESSON, questions=("AMB-01",)),
    category("video_streaming", "UA-20", "T3", "times", LESSON, staff="allow"),
    category("social_media", "UA-18", "T3", "times", LESSON, staff="allow"),
    category("blogs", "CT-10", "T3", "allow"),
    category("self_harm_suicide", "", "T1", "block"),
    category("help_seeking", "", "none", "allow"),
]
READINGS = {"UA-05": "unacceptable", "UA-10": "unacceptable", "UA-15": "unacceptable", "UA-19": "unacceptable",
            "UA-20": "certain_times", "UA-18": "nominated_users", "CT-10": "acceptable"}
POLICY = SimpleNamespace(
    categories={item.name: item for item in CATEGORIES},
    actions={name: SimpleNamespace(id=name, reading=reading, clause="6.1") for name, reading in READINGS.items()},
    questions={"AMB-01": SimpleNamespace(decision="", contradiction=True)}, more={},
    communications=[name for name in READINGS if name.startswith("CT")], intent={"crowd_people": SimpleNamespace(value=8)})
NOTHING_SEALED = build([], LINES, {}).append_column("actor", pa.array([], pa.string())).append_column(
    "year", pa.array([], pa.string()))


def rule(name: str, condition: str, times: int = 1) -> SimpleNamespace:
    """A rule whose condition is given as it stands."""
    return SimpleNamespace(name=name, clause="", times=times, condition=condition, signal="", whole=False)


AGAINST = rule("against", "d.within = 'against' OR d.tier IN ('T1', 'T4')")


@pytest.fixture(autouse=True)
def _conditions_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "rule_condition", lambda given: given.condition)


def judged(text: str, nominated: dict[str, set[str]] | None = None) -> pa.Table:
    """The verdicts of a text table of visits."""
    return judge(visits(text), POLICY, nominated or {})


def fired(text: str, *rules: SimpleNamespace) -> pa.Table:
    """The detections of a text table of visits."""
    return detect.fire(visits(text), judged(text), rules or [AGAINST], POLICY, DAY, NOTHING_SEALED)[0]


def test_pupils_have_their_own_time_and_staff_are_not_judged_by_it() -> None:
    """Certain times means break and lunch for pupils; for staff it is not evaluated. Let through in a lesson is a failure."""
    table = judged("""
        started | actor   | category        | band         | allowed
        10:00   | student | video_streaming | lesson       | 1
        11:00   | student | video_streaming | lunch        | 1
        11:01   | student | video_streaming | closed       | 1
        11:02   | student | video_streaming | study        | 1
        11:03   | staff   | video_streaming | lesson       | 1
        11:04   | student | blogs           | lesson       | 1
        11:05   | student | unheard_of      | lesson       | 1
        11:06   | staff   | blogs           | lesson       | 1
    """)
    assert said(table, "verdict", "within", "filter", "failure", "clause") == [
        ("certain_times", "against", "block", True, "6.1 UA-20"),
        ("certain_times", "within", "allow", False, "6.1 UA-20"),
        ("certain_times", "within", "allow", False, "6.1 UA-20"),
        ("certain_times", "not_evaluated", "allow", False, "6.1 UA-20"),
        ("certain_times", "not_evaluated", "allow", False, "6.1 UA-20"),
        ("acceptable", "within", "allow", False, "6.1 CT-10"),
        ("no_row", "not_evaluated", "allow", False, ""),
        ("acceptable", "not_evaluated", "allow", False, "6.1 CT-10")]


def test_messaging_is_a_conflict_outside_lessons_and_fires_nothing() -> None:
    """Worked example 9: the policy contradicts itself at lunch, so it is counted and nothing is proposed."""
    text = "started | category | band | allowed\n10:00 | messaging | lesson | 1\n12:00 | messaging | lunch | 1"
    assert judged(text)["within"].to_pylist() == ["against", "conflict"]
    everything = fired(text, rule("any", "true"))
    assert said(everything, "band", "rows") == [("lesson", ["IN-02"])]


def test_nominated_users_need_names() -> None:
    """Without names nothing is evaluated; with names, the others are against it, and a second row changes nothing."""
    text = "started | person | category | allowed\n10:00 | p1 | social_media | 1\n10:01 | p2 | social_media | 1"
    assert judged(text)["within"].to_pylist() == ["not_evaluated", "not_evaluated"]
    assert judged(text, {"UA-18": {"p1"}, "UA-05": {"p1", "p2"}})["within"].to_pylist() == ["within", "against"]


def test_an_allowed_site_that_should_be_blocked_is_a_failure() -> None:
    """Failure is about the filter: allowed where it is meant to block, whoever asked."""
    table = judged("""
        started | category    | allowed | blocked
        10:00   | pornography | 1       | 0
        10:01   | pornography | 0       | 2
        10:02   | pornography | 1       | 2
    """)
    assert said(table, "outcome", "failure") == [("allowed", True), ("blocked", False), ("mixed", True)]


def test_a_blocked_advert_with_a_crowd_is_background() -> None:
    """Worked example 1: one blocked hit 300 ms after a news page, eleven others that minute: nothing, but counted."""
    text = "started | site | category | blocked | crowd | after_ms\n10:00 | adult.example | pornography | 1 | 12 | 300"
    assert fired(text).num_rows == 0
    _, quiet = detect.fire(visits(text), judged(text), [AGAINST], POLICY, DAY, NOTHING_SEALED)
    assert said(quiet, "intent", "rows") == [("background", ["IN-14", "IN-13"])]
    assert "11 other people came to the same site within a minute" in quiet["reasons"][0].as_py()


SPREE = """
    started  | site            | category         | blocked | allowed
    10:00:00 | adult1.example  | pornography      | 1       | 0
    10:01:00 | adult2.example  | pornography      | 2       | 0
    10:02:00 | adult3.example  | pornography      | 3       | 0
    10:04:00 | adult4.example  | pornography      | 1       | 0
    10:05:00 | proxy.example   | bypass_web_proxy | 0       | 4
"""


def test_several_sites_and_a_proxy_point_to_deliberate() -> None:
    """Worked example 2: adult sites, then a web proxy: both rows are proposed as questions, with the reasons."""
    table = fired(SPREE)
    assert set(table["intent"].to_pylist()[:4]) == {"deliberate"}
    assert table["rows"].to_pylist()[3:] == [["IN-14", "IN-13"], ["IN-12"]]
    assert table["reasons"][2].as_py() == [
        "7 blocked requests to 4 sites (pornography) in 4 minutes", "tried again after the block",
        "bypass web proxy in the next minutes"]


AHEAD = """
    started      | site           | category    | blocked | opened | after_ms
    10:00:00.200 | adult1.example | pornography | 1       | 0      | 200
    10:00:00.300 | adult2.example | pornography | 1       | 0      | 100
    10:00:00.900 | adult3.example | pornography | 1       | 0      | 600
"""


def test_what_a_page_of_results_has_fetched_ahead_is_nobodys_and_counts_beside_nothing() -> None:
    """Three sites within a second of a search, and another that was then clicked on: one site was chosen, three would be a spree."""
    assert len(fired(AHEAD)) == 0
    chosen = fired(AHEAD + "10:00:09 | adult4.example | pornography | 1 | 1 | 8100")
    assert said(chosen, "site", "intent", "reasons")[-1] == (
        "adult4.example", "accidental", ["1 blocked request to 1 site (pornography) in 1 minute"])
    assert "deliberate" not in chosen["intent"].to_pylist()
    tried = fired(AHEAD + "".join(f"10:0{n} | adult{n}.example | pornography | 1 | 1 | 9000\n" for n in (4, 5, 6)))
    assert set(tried["intent"].to_pylist()) == {"deliberate"}


def test_app_chatter_is_technical() -> None:
    """Worked example 3: an installed app that calls home is advice for the device, not an incident of a pupil."""
    table = fired("started | site | category | allowed\n10:00 | api.example | bypass_vpn_app_chatter | 400")
    assert said(table, "route", "tier", "rows") == [("tech", "T4", [])]


def test_staff_never_get_rows() -> None:
    """Worked example 5: a staff matter goes to the Principal, with no proposal; guests and shared get none either."""
    table = fired("""
        started | actor   | site        | category    | band  | blocked
        12:40   | staff   | bet.example | gambling    | lunch | 1
        12:41   | guest   | bet.example | gambling    | lesson | 1
        12:42   | shared  | bet.example | gambling    | lesson | 1
        12:43   | student | sad.example | self_harm_suicide | lesson | 1
    """)
    assert said(table, "route", "tier", "rows") == [
        ("staff", "TS", []), ("guest", "T3", []), ("attribution", "T3", []), ("welfare", "T1", [])]


def test_out_of_hours_is_not_a_lesson_matter() -> None:
    """Worked example 12: an adult site allowed on a Saturday night is a failure, and not IN-02."""
    text = "started | site | category | band | allowed\n23:10 | adult.example | pornography | closed | 1"
    assert judged(text)["failure"].to_pylist() == [True]
    assert "IN-02" not in fired(text)["rows"][0].as_py()
    gamble = fired("started | site | category | band | blocked\n23:10 | bet.example | gambling | closed | 1")
    assert gamble["rows"].to_pylist() == [[]]


def test_help_seeking_never_fires() -> None:
    """No rule, however wide, speaks of help-seeking, learning, background or uncategorised visits."""
    text = "started | category | blocked\n10:00 | help_seeking | 1\n10:01 | learning | 1\n10:02 | uncategorised | 1"
    assert fired(text, rule("any", "true")).num_rows == 0


def test_a_rule_may_ask_for_several_visits_of_one_person() -> None:
    """`times` counts a person's visits over the day, and makes one detection of them."""
    table = fired("""
        started | person | site        | category | blocked
        10:00   | p1     | a.example   | gambling | 1
        12:00   | p1     | b.example   | gambling | 1
        14:00   | p1     | c.example   | gambling | 1
        10:00   | p2     | a.example   | gambling | 1
    """, rule("often", "v.category = 'gambling'", times=3))
    assert said(table, "subject", "visits", "visit_keys") == [("p1", 3, ["s1:1", "s1:2", "s1:3"])]


def test_sealed_rows_become_one_item_without_an_address() -> None:
    """Rows of one sealed item are one detection for the sealed route, with no site, host or proposal."""
    table = build(rows("""
        line | time     | person | client | action  | sealed | sealed_list
        8    | 10:14:01 | p1     | d1     | blocked | z1     | watch list
        7    | 10:14:00 | p1     | d1     | blocked | z1     | watch list
    """), LINES, {"source": "s1", "fate": "request", "host": None, "url": None, "referrer": None})
    table = table.append_column("actor", pa.array(["student"] * 2)).append_column("year", pa.array(["Y9"] * 2))
    none = visits("started | category").slice(0, 0)
    found, _ = detect.fire(none, judge(none, POLICY, {}), [], POLICY, DAY, table)
    assert said(found, "rule", "route", "tier", "site", "host", "rows", "line", "requests") == [
        ("sealed", "sealed", "T0", "", "", [], 7, 2)]


def test_a_glance_and_a_stay_point_to_different_things() -> None:
    """One short look is accidental; tries after the block, and a long stay, point to deliberate."""
    table = fired("""
        started | person | site      | category    | allowed | blocked | slots
        10:00   | p1     | a.example | pornography | 1       | 0       | 1
        10:00   | p2     | a.example | pornography | 0       | 3       | 1
        10:00   | p3     | a.example | pornography | 40      | 0       | 3
        10:00   | p4     | a.example | pornography | 4       | 0       | 2
    """)
    assert said(table, "subject", "intent") == [
        ("p1", "accidental"), ("p2", "deliberate"), ("p3", "deliberate"), ("p4", "unclear")]


def test_what_an_address_shows_is_a_reason() -> None:
    """Notes of the visits stand among the reasons, after the counts, each once."""
    text = """started | site | category | blocked | notes
              10:00 | adult.example | pornography | 3 | seen through a copy
              10:02 | adult.example | pornography | 3 | seen through a copy"""
    assert [row["reasons"][-1] for row in fired(text).to_pylist()] == ["seen through a copy"] * 2


HUNT = """
    started | site           | category    | blocked | allowed | searched
    10:00   | finder.example | pornography | 0       | 2       | 2
    10:01   | adult1.example | pornography | 3       | 0       | 0
    10:02   | adult2.example | pornography | 2       | {allowed}       | 0
    14:00   | finder.example | pornography | 0       | 1       | 1
"""


def test_a_permitted_search_leaves_a_fully_blocked_hunt_blocked() -> None:
    """What was looked for was stopped, though the search engine was not; a search alone was allowed; and it says it searched."""
    table = fired(HUNT.format(allowed=0))
    assert table["outcome"].to_pylist() == ["blocked", "blocked", "blocked", "allowed"]
    assert "2 searches for it among them" in table["reasons"][0].as_py()
    assert fired(HUNT.format(allowed=1))["outcome"].to_pylist() == ["mixed", "blocked", "mixed", "allowed"]


def test_a_search_inside_a_visit_is_no_page_that_went_through() -> None:
    """Pages stopped, and the site's own search let through: blocked, as far as pages go."""
    text = "started | category | blocked | allowed | searched\n10:00 | pornography | 3 | 2 | {}"
    assert [judged(text.format(n))["outcome"][0].as_py() for n in (2, 1, 5)] == ["blocked", "mixed", "mixed"]
