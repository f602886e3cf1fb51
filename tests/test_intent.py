"""What the log points to, by the school's numbers: small stories as text, and what their words say."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables_text import DAY, build, rows, said, visits

from pipeline import detect
from pipeline.classify import judge
from pipeline.policy import read_policy
from pipeline.rulebook.reading import read_rules
from pipeline.tables import LINES

RULES = Path(__file__).parents[1] / "rules"
POLICY, FAULTS = read_policy({f"rules/{path.name}": path.read_text("utf-8") for path in RULES.glob("*.*")})
WIDE, _ = read_rules({"rules/detect/wide.toml": """
title = "Anything"
clause = "6.1"
why = "A test."
mistaken = "Nothing."
category = "any"
[when]
requests_over = 0
[[fires]]
note = "one"
visits = ["10:00 y9 a.example games allowed"]
[[quiet]]
note = "help"
visits = ["10:00 y9 a.example help_seeking allowed"]
"""})
NOTHING_SEALED = build([], LINES, {})

STORIES = rows("""
    story                                        | visit                                                                   | intent     | named
    one blocked page, typed                      | pornography blocked=1                                                   | accidental | yes
    a page and the browser's own second request  | pornography blocked=4                                                   | accidental | yes
    tried again, and again                       | pornography blocked=3 tries=3                                           | deliberate | yes
    a blocked advert in a page                   | pornography blocked=2 opened=0 after_ms=300                             | background | no
    an advert, as earlier days show              | gambling blocked=6 opened=0 after_ms=300 brought=habit                  | background | no
    an advert that loads late, known by habit    | gambling blocked=1 brought=habit                                        | background | no
    a player in a page, known from the list      | social_media allowed=8 opened=0 after_ms=900 brought=list               | background | no
    a stay on what pages also bring along        | games allowed=60 tries=9 opened=8 slots=4 brought=habit after_ms=300    | deliberate | yes
    a picture in another page                    | pornography allowed=7 opened=0 after_ms=2500 piece=yes                  | background | no
    a blocked page left open                     | pornography blocked=40 tries=40 step_s=30 even_tries=40                 | background | no
    a torrent client at its tracker              | copyright_p2p blocked=10 tries=10 step_s=60 even_tries=10               | deliberate | yes
    tried seven times, evenly                    | pornography blocked=7 tries=7 step_s=30 even_tries=7                    | deliberate | yes
    an allowed page that loads itself again      | gambling allowed=40 tries=40 slots=4 step_s=30 even_tries=40            | deliberate | yes
    an app that checks in all day                | gambling blocked=8 tries=5 day_tries=40 hours=9 bytes_in=20000          | background | no
    an app that fetches much each time           | gambling allowed=8 tries=5 day_tries=40 hours=9 bytes_in=900000 slots=3 | unclear    | yes
    five lessons, two tries in each              | gambling blocked=2 tries=2 day_tries=10 hours=5                         | accidental | yes
    a class on one link                          | pornography allowed=9 crowd=24                                          | background | no
    from page to page                            | gambling allowed=12 tries=6 opened=6                                    | deliberate | yes
    two pages and away                           | gambling allowed=12 tries=2 opened=2                                    | accidental | yes
    three pages                                  | gambling allowed=12 tries=3 opened=3                                    | unclear    | yes
    a page of a proxy that worked                | bypass_web_proxy allowed=12 tries=2 opened=2                            | deliberate | yes
    an hour through a tunnel                     | bypass_vpn_tunnel allowed=1 longest_ms=3600000                          | deliberate | yes
    a look at a proxy, blocked                   | bypass_web_proxy blocked=1                                              | accidental | yes
    a class on one new proxy                     | bypass_web_proxy allowed=40 slots=3 crowd=24                            | deliberate | yes
    a slip of the keyboard                       | pornography blocked=1 slip=word.example                                 | accidental | no
    a slip, to a site where a child is at risk   | self_harm_suicide blocked=1 slip=word.example                           | accidental | yes
    an advert for what puts a child at risk      | stranger_chat_dating blocked=1 opened=0 after_ms=200                    | background | no
    a search for it                              | self_harm_suicide allowed=1 opened=0 after_ms=300 searched=1            | deliberate | yes
    a file fetched, as host names show it        | file_sharing allowed=8 tries=4 opened=4 slots=2 bytes_in=40000000 step_s=50 | deliberate | yes
    a player that fetches a film in a page       | video_streaming allowed=8 tries=4 opened=0 slots=2 bytes_in=40000000    | unclear    | yes
    a long stay                                  | games allowed=60 tries=9 opened=9 slots=5                               | deliberate | yes
    some pages in ten minutes                    | games allowed=9 tries=3 opened=3 slots=2                                | unclear    | yes
    """)


def table(visit: str) -> str:
    """One visit in words as a text table; it opened a burst, alone and once, unless it says otherwise."""
    category, *words = visit.split()
    row = {"started": "10:05", "site": "one.example", "category": category, "opened": "1", "tries": "1", "bytes_in": "4000"}
    row |= dict(word.split("=") for word in words)
    return f"{' | '.join(row)}\n{' | '.join(row.values())}"


@pytest.mark.parametrize("story", STORIES, ids=[str(story["story"]) for story in STORIES])
def test_stories(story: dict[str, str]) -> None:
    """What each points to, and whether anybody is named."""
    assert POLICY is not None and FAULTS == []
    stays = visits(table(story["visit"]))
    loud, quiet = detect.fire(stays, judge(stays, POLICY, {}), WIDE, POLICY, DAY, NOTHING_SEALED)
    assert [*said(loud, "intent"), *said(quiet, "intent")] == [(story["intent"],)]
    assert (len(loud) == 1) == (story["named"] == "yes")


def test_a_way_round_straight_after_a_block_was_meant() -> None:
    """One blocked try at a proxy two minutes after a blocked site; not after a blocked advert, a quarter of an hour, or somebody else's."""
    text = "started | person | site | category | blocked | opened\n{} | {} | {} | {} | 1 | 1\n10:10 | p1 | hide.example | bypass_web_proxy | 1 | 1"
    for before, intent in ((("10:08", "p1", "a.example", "pornography"), "deliberate"), (("10:08", "p1", "a.example", "background"), "accidental"),
                           (("09:55", "p1", "a.example", "pornography"), "accidental"), (("10:08", "p2", "a.example", "games"), "accidental")):
        stays = visits(text.format(*before))
        assert POLICY is not None
        loud, _ = detect.fire(stays, judge(stays, POLICY, {}), WIDE, POLICY, DAY, NOTHING_SEALED)
        assert [row["intent"] for row in loud.to_pylist() if row["site"] == "hide.example"] == [intent]


def reasons(text: str) -> list[str]:
    """The reasons of the only detection of some visits."""
    assert POLICY is not None
    stays = visits(text)
    loud, quiet = detect.fire(stays, judge(stays, POLICY, {}), WIDE, POLICY, DAY, NOTHING_SEALED)
    return [*loud["reasons"].to_pylist(), *quiet["reasons"].to_pylist()][0]


CHECKS_IN = "started | site | category | blocked | bytes_in | day_tries | hours\n"


@pytest.mark.parametrize(("clocks", "hours", "quiet"), [
    ("06:10 09:05 12:40 15:30 17:20", 5, 5),   # an idle phone: before breakfast, in lessons, after the clubs
    ("09:05 10:20 11:30 12:40 14:10", 5, 0),   # a pupil who looks in every lesson
    ("06:10 06:40 17:20 17:30 17:40", 3, 0)])  # a boarder, in the morning and in the evening
def test_a_request_now_and_then_from_dawn_till_night_is_an_app(clocks: str, hours: int, quiet: int) -> None:
    """Few check-ins tell an app too, where they reach further than a day at school."""
    assert POLICY is not None
    stays = visits(CHECKS_IN + "\n".join(f"{clock} | a.example | gambling | 1 | 3900 | 5 | {hours}" for clock in clocks.split()))
    assert len(detect.fire(stays, judge(stays, POLICY, {}), WIDE, POLICY, DAY, NOTHING_SEALED)[1]) == quiet


@pytest.mark.parametrize(("stays", "intent"), [
    ("10:00 | a.example | 2 | 2\n10:01 | b.example | 2 | 1", "deliberate"),   # one twice, then another
    ("10:00 | a.example | 1 | 1\n10:01 | b.example | 1 | 0", "unclear"),      # a link and its redirect
    ("10:00 | a.example | 1 | 1\n10:01 | b.example | 1 | 1", "unclear"),      # two links, one look each
    ("10:00 | a.example | 2 | 2\n10:40 | b.example | 2 | 2", "accidental")])  # much later
def test_from_one_site_to_the_next_of_its_kind_and_back_is_deliberate(stays: str, intent: str) -> None:
    """Two sites are three tries where somebody came back to one."""
    assert POLICY is not None
    made = visits("started | site | category | blocked | tries | opened\n" + "\n".join(
        " | ".join([clock, site, "gambling", tries, tries, opened]) for clock, site, tries, opened
        in (row.split(" | ") for row in stays.splitlines())))
    assert detect.fire(made, judge(made, POLICY, {}), WIDE, POLICY, DAY, NOTHING_SEALED)[0]["intent"][0].as_py() == intent


def test_the_words_say_what_the_log_shows() -> None:
    """Counts, equal steps, what brought it along, where it came from and whose name it is like, a sentence each."""
    assert reasons("started | site | category | blocked | step_s | even_tries\n10:00 | a.example | gambling | 9 | 60 | 9") == [
        "9 blocked requests to 1 site (Gambling) in 1 minute",
        "asked for 9 times in equal steps of 60 seconds, as a page left open does"]
    assert reasons("started | site | category | blocked | day_tries | hours\n10:00 | a.example | gambling | 1 | 30 | 8")[1] == (
        "asked for 30 times that day in 8 different hours, a request or two each, as a program does")
    assert reasons("started | site | category | allowed | from_page | piece | brought | after_ms | slip\n"
                   "10:00 | a.example | gambling | 1 | news.example | yes | habit | 300 | b.example")[1:] == [
        "a piece of a page of news.example", "began 300 ms after another visit",
        "a site that other pages bring along, as earlier days show", "a name like that of b.example, asked for within half a minute"]
    assert reasons("started | site | category | allowed | from_page | searched\n10:00 | a.example | drugs | 3 | news.example | 2")[1:] == [
        "2 searches for it among them", "came from a page of news.example"]
