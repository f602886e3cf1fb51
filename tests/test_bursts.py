"""What opened a burst and what only followed it: tries, who set them off, equal steps, slips, crowds, and where a page came from."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from tables_text import at, bands, build, lines, rows, said, texts

from pipeline.bursts import Watch
from pipeline.sql import connect
from pipeline.tables import HOSTS, LINES
from pipeline.visits import fold

HOSTS_KNOWN = build(rows("""
    host                | site                | category
    news.example        | news.example        | news
    cdn.news.example    | news.example        | news
    ads.example         | ads.example         | adverts
    adult.example       | adult.example       | pornography
    bets.example        | bets.example        | gambling
    clips.example       | clips.example       | video_streaming
    player.tube.example | tube.example        | video_streaming
    encyclo.example     | encyclo.example     | learning
    enciclo.example     | enciclo.example     | pornography
    helpline.example    | helpline.example    | help_seeking
"""), HOSTS, {})
BELLS = bands("year | band | period | starts | ends\n- | lesson | Period 3 | 10:00 | 11:00\n- | lunch | Lunch | 11:00 | 12:00")
PEOPLE = texts("person | role | year | house\np1 | student | 9 | Ash\np2 | student | 9 | Ash", "person", "role", "year", "house")
NETWORKS = texts("network | actor\npupils | student", "network", "actor")
WATCH = Watch(("pornography", "gambling", "video_streaming"), ("help_seeking",), ("player.tube.example",), ("bets.example",),
              ("find.example",))


def folded(text: str | pa.Table, watch: Watch = WATCH) -> pa.Table:
    """The visits of a text table of lines."""
    con = connect(threads=1)
    con.register("lines", lines(text) if isinstance(text, str) else text)
    visits, counts, _ = fold(con, HOSTS_KNOWN, PEOPLE, BELLS, NETWORKS, ["adverts"], watch=watch)
    assert counts["requests"] == sum(n for name, n in counts.items() if name != "requests")
    return visits


def of(table: pa.Table, site: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of the visits of one site."""
    return [tuple(row[name] for name in columns) for row in table.to_pylist() if row["site"] == site]


PAGE = """
    time         | person | host          | action
    10:00:00     | p1     | news.example  | allowed
    10:04:10     | p1     | news.example  | allowed
    10:04:11.300 | p1     | adult.example | blocked
    10:04:11.900 | p1     | adult.example | blocked
"""


def test_an_advert_in_the_middle_of_a_visit_was_set_off_by_it() -> None:
    """Four minutes into the news a page brings an advert along: one try, that opened nothing, and the site that set it off."""
    table = folded(PAGE)
    assert of(table, "adult.example", "tries", "opened", "set_off_by", "after_ms") == [(1, 0, ["news.example"], 300)]
    assert of(table, "news.example", "tries", "opened", "set_off_by", "brought") == [(None, None, [], "")]


SEARCHED = """
    time         | person | host          | action  | referrer
    10:16:02.100 | p1     | find.example  | allowed | -
    10:16:27.200 | p1     | find.example  | allowed | -
"""


@pytest.mark.parametrize(("why", "then", "opened"), [
    ("in the second of a second search", "10:16:27.900 | p1 | adult.example | blocked | -", 0),
    ("as early as it may be, for a minute's later requests have no time", "10:16:27.000 | p1 | adult.example | blocked | -", 0),
    ("the second after", "10:16:28.900 | p1 | adult.example | allowed | -", 0),
    ("two seconds after", "10:16:29.999 | p1 | adult.example | blocked | -", 0),
    ("three seconds after, when results have been shown and read", "10:16:30.000 | p1 | adult.example | blocked | -", 1),
    ("before any search of that second", "10:16:26.900 | p1 | adult.example | blocked | -", 1),
    ("fetched ahead, and the browser's own second request",
     "10:16:27.900 | p1 | adult.example | blocked | -\n10:16:29.900 | p1 | adult.example | blocked | -", 0),
    ("fetched ahead, and clicked on three seconds later",
     "10:16:27.900 | p1 | adult.example | blocked | -\n10:16:30.000 | p1 | adult.example | blocked | -", 1),
    ("fetched ahead, and clicked on five seconds later",
     "10:16:27.900 | p1 | adult.example | blocked | -\n10:16:32.900 | p1 | adult.example | blocked | -", 1),
    ("fetched ahead, and opened later: a try of its own",
     "10:16:27.900 | p1 | adult.example | blocked | -\n10:16:40.000 | p1 | adult.example | blocked | -", 1)])
def test_what_a_page_of_results_has_fetched_ahead_opened_nothing(why: str, then: str, opened: int) -> None:
    """Nobody reads results and clicks within two seconds; whoever asks for the site again chose it."""
    assert of(folded(SEARCHED + then), "adult.example", "opened") == [(opened,)], why


@pytest.mark.parametrize(("size", "opened"), [(1_000_000, 0), (1_000_001, 1)])
def test_more_than_a_document_is_not_fetched_ahead(size: int, opened: int) -> None:
    """Where a log has names alone, the click goes through the connection that the browser opened ahead: the bytes tell."""
    table = folded(f"""
        time         | person | host          | action  | bytes_in
        10:16:27.200 | p1     | find.example  | allowed | 90000
        10:16:27.900 | p1     | adult.example | allowed | {size}
    """)
    assert of(table, "adult.example", "opened") == [(opened,)]


@pytest.mark.parametrize(("other", "referrer", "opened"), [
    ("find.example", "-", 0), ("news.example", "-", 1), ("news.example", "https://www.news.example/a", 0),
    ("news.example", "https://other.example/", 1)])
def test_in_one_second_results_come_first_and_so_does_the_page_that_the_browser_names(other: str, referrer: str, opened: int) -> None:
    """Of any other page whole seconds do not tell whether it came first."""
    table = folded(f"""
        time         | person | host          | action  | referrer
        10:16:02.100 | p1     | {other}       | allowed | -
        10:16:27.200 | p1     | {other}       | allowed | -
        10:16:27.900 | p1     | adult.example | blocked | {referrer}
    """)
    assert of(table, "adult.example", "opened", "after_ms") == [(opened, 25_800 if opened else 0)]


def test_what_was_asked_for_after_a_pause_opened_a_burst() -> None:
    """Reading for three seconds and then asking for something is a choice; so is asking again later."""
    table = folded("""
        time     | person | host          | action
        10:00:00 | p1     | news.example  | allowed
        10:00:03 | p1     | adult.example | blocked
        10:00:20 | p1     | adult.example | blocked
        10:00:25 | p1     | adult.example | blocked
    """)
    assert of(table, "adult.example", "tries", "opened", "set_off_by") == [(2, 2, [])]


def test_three_requests_for_background_set_off_what_comes_with_them() -> None:
    """A slot for adverts that loads late opens nothing; one beacon before a page proves nothing."""
    slot = "10:04:10.{} | p1 | ads.example | allowed\n"
    head = "time | person | host | action\n"
    for adverts, opened in ((1, 1), (3, 0)):
        text = head + "".join(slot.format(n) for n in range(adverts)) + "10:04:11 | p1 | adult.example | blocked"
        assert of(folded(text), "adult.example", "opened", "set_off_by") == [(opened, [])]


def test_another_device_or_person_sets_nothing_off() -> None:
    """Only what the same person did on the same device counts."""
    table = folded("""
        time     | client | person | host          | action
        10:00:00 | d1     | p2     | news.example  | allowed
        10:00:00 | d2     | p1     | news.example  | allowed
        10:00:01 | d1     | p1     | adult.example | blocked
    """)
    assert of(table, "adult.example", "opened", "after_ms") == [(1, None)]


def test_a_visit_cut_at_the_bell_is_no_new_try() -> None:
    """A page that goes on across the bell was not asked for again; after a pause it was."""
    table = folded("""
        time     | person | host          | action
        10:59:58 | p1     | clips.example | allowed
        11:00:01 | p1     | clips.example | allowed
        11:05:00 | p1     | clips.example | allowed
    """)
    assert of(table, "clips.example", "band", "tries", "day_tries") == [("lesson", 1, 2), ("lunch", 1, 2)]


@pytest.mark.parametrize(("seconds", "step", "tries"), [
    ([0, 30, 60, 90, 120], 30, 5), ([0, 30, 61, 91, 121], 30, 5), ([0, 300, 600, 900], 300, 4), ([0, 30, 60], None, 3),
    ([0, 7, 14, 21, 28], None, 1), ([0, 30, 75, 90, 160], None, 2), ([0, 12, 25, 70, 200], None, 3),
    ([0, 40, 80, 120, 500, 540, 580, 620], 40, 4), ([0, 610, 1220, 1830, 2440], 610, 5)])
def test_equal_steps(seconds: list[int], step: int | None, tries: int) -> None:
    """A page left open asks in equal steps, also over several visits; what people do is not that even, or too quick to tell."""
    begin = at("10:00:00")
    items = [{"source": "s1", "line": n, "time": begin + timedelta(seconds=second), "fate": "request", "kind": "http", "client": "d1",
              "person": "p1", "host": "adult.example", "action": "blocked"} for n, second in enumerate(seconds, 1)]
    assert set(of(folded(build(items, LINES, {})), "adult.example", "step_s", "even_tries")) == {(step, tries)}


def test_tries_by_hand_are_none_of_a_loop_on_the_same_day() -> None:
    """Each visit has the longest row that its own tries are part of."""
    by_hand = "".join(f"10:0{n} | p1 | adult.example\n" for n in (0, 1, 5))
    loop = "".join(f"10:3{n} | p1 | adult.example\n" for n in range(9))
    assert of(folded(f"time | person | host\n{by_hand}{loop}"), "adult.example", "even_tries", "step_s") == [(2, None), (9, 60)]


def test_a_slip_is_told_by_the_name_beside_it() -> None:
    """A mistyped name and the right one within half a minute; help is never the name that is told, nor is a site of the same kind."""
    table = folded("""
        time     | person | host            | action
        10:00:00 | p1     | enciclo.example | blocked
        10:00:09 | p1     | encyclo.example | allowed
        10:30:00 | p2     | enciclo.example | blocked
        10:30:31 | p2     | encyclo.example | allowed
    """)
    assert of(table, "enciclo.example", "subject", "slip") == [("p1", "encyclo.example"), ("p2", "")]


def test_a_crowd_comes_within_a_minute() -> None:
    """Who begins a visit a minute earlier or later is of the crowd; who has been there for long is not."""
    table = folded("""
        time     | client | person | host          | action
        10:00:30 | d1     | p1     | bets.example  | blocked
        10:01:10 | d2     | p2     | bets.example  | blocked
        10:02:50 | d3     | -      | bets.example  | blocked
        10:03:59 | d1     | p1     | bets.example  | blocked
    """)
    assert of(table, "bets.example", "subject", "crowd") == [("p1", 2), ("p2", 3), ("d3", 2)]


def test_a_referrer_tells_from_which_page_it_came() -> None:
    """The page that led there, and whether a piece of it was fetched; its own page, help and block pages tell nothing."""
    table = folded("""
        time     | person | host          | action  | referrer                     | content_type
        10:00:00 | p1     | adult.example | allowed | https://www.news.example/a   | image/png
        10:20:00 | p1     | adult.example | blocked | http://news.example          | image/png
        10:40:00 | p1     | adult.example | allowed | https://adult.example/       | text/css
        10:52:00 | p1     | bets.example  | allowed | https://helpline.example/x   | text/html
    """)
    assert of(table, "adult.example", "from_page", "piece") == [("news.example", True), ("news.example", False), ("", False)]
    assert of(table, "bets.example", "from_page", "piece") == [("", False)]


def test_what_is_brought_along_is_known_or_learned() -> None:
    """A host of rules/brought.txt, with what is under it, and a site that earlier days showed."""
    table = folded("""
        time     | person | host                | action
        10:00:00 | p1     | player.tube.example | allowed
        10:10:00 | p1     | bets.example        | blocked
        10:20:00 | p1     | clips.example       | allowed
    """)
    assert said(table, "site", "brought") == [("tube.example", "list"), ("bets.example", "habit"), ("clips.example", "")]


def night(seed: int) -> list[dict[str, Any]]:
    """A made-up hour and a half of two people in bursts, loops and pauses, from two logs, across a bell."""
    dice = random.Random(seed)
    now, items = at("09:50"), []
    for line in range(1, 400):
        now += timedelta(milliseconds=dice.choice([0, 40, 300, 900, 1100, 2000, 3000, 5000, 6000, 12_000, 30_000, 30_000, 90_000]))
        items.append({"source": dice.choice(["s1", "s2"]), "line": line, "time": now, "fate": "request", "kind": "http",
                      "client": dice.choice(["d1", "d1", "d2"]), "person": dice.choice(["p1", "p1", "p2", None]),
                      "host": dice.choice([*HOSTS_KNOWN["host"].to_pylist(), "ads.example", "news.example", "find.example", "find.example"]),
                      "duration_ms": dice.choice([0, 0, 0, 700]), "action": dice.choice(["allowed", "blocked"])})
    return items


SITES = {row["host"]: (row["site"], row["category"]) for row in HOSTS_KNOWN.to_pylist()}
SECOND = timedelta(seconds=1)


def whole(time: datetime) -> datetime:
    """The second that a time falls in."""
    return time.replace(microsecond=0)


def exact(times: Sequence[datetime]) -> dict[datetime, datetime]:
    """Of each minute's first request of one host, the second and when it was."""
    firsts: dict[datetime, datetime] = {}
    for time in sorted(times):
        firsts.setdefault(time.replace(second=0, microsecond=0), time)
    return {whole(time): time for time in firsts.values()}


def beginnings(times: Sequence[datetime]) -> list[datetime]:
    """The seconds in which a try begins."""
    seconds = sorted({whole(time) for time in times})
    return [second for n, second in enumerate(seconds) if n == 0 or second - seconds[n - 1] > 5 * SECOND]


def earlier(there: Sequence[datetime], second: datetime, began: datetime, results: bool) -> bool:
    """Whether a host was asked for in this second before a try began there, as far as a minute's first request tells; results did."""
    first = min((time for time in there if time.replace(second=0, microsecond=0) == second.replace(second=0)), default=began)
    return second in map(whole, there) and first < began and (results or whole(first) == second)


def slowly(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every try of a watched category, one at a time: who, what, when, and which sites set it off."""
    asked: dict[Any, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        asked[item["client"], item["person"]][item["host"]].append(item["time"] - timedelta(milliseconds=item["duration_ms"]))
    tries = []
    for who, of_hosts in asked.items():
        kinds = {host: SITES.get(host, (host, "uncategorised")) for host in of_hosts}
        adverts = [whole(time) for host, times in of_hosts.items() if kinds[host][1] == "adverts" for time in times]
        for host, times in of_hosts.items():
            site, category = kinds[host]
            if category not in (WATCH.categories or ()):
                continue
            for second in beginnings(times):
                began = exact(times).get(second, second)
                others = {other for other, there in of_hosts.items() if kinds[other][0] != site and kinds[other][1] != "adverts"
                          and (not {second - SECOND, second - 2 * SECOND}.isdisjoint(map(whole, there))
                               or earlier(there, second, began, other in WATCH.results))}
                slot = sum(second - 2 * SECOND <= time < second for time in adverts) >= 3
                again = {second + n * SECOND for n in (3, 4, 5)} & {whole(time) for time in times if time.minute == second.minute}
                ahead = others and others <= set(WATCH.results)
                tries.append({"who": who, "site": site, "by": {kinds[one][0] for one in others if kinds[one][1] != "help_seeking"},
                              "opened": (not others and not slot) or bool(ahead and again)})
    return tries


@pytest.mark.parametrize("seed", range(8))
def test_tries_agree_with_the_slow_reading(seed: int) -> None:
    """By person, device and site: how many tries, how many of them opened a burst, and which sites set off the others."""
    items = night(seed)
    wanted: dict[Any, Any] = defaultdict(lambda: [0, 0, set()])
    for one in slowly(items):
        total = wanted[*one["who"], one["site"]]
        total[0], total[1], total[2] = total[0] + 1, total[1] + one["opened"], total[2] | one["by"]
    found: dict[Any, Any] = defaultdict(lambda: [0, 0, set()])
    for row in folded(build(items, LINES, {})).to_pylist():
        if row["tries"] is not None:
            total = found[row["client"], row["person"], row["site"]]
            total[0], total[1], total[2] = total[0] + row["tries"], total[1] + row["opened"], total[2] | set(row["set_off_by"])
            assert row["day_tries"] == wanted[row["client"], row["person"], row["site"]][0]
    assert found == wanted and sum(total[0] - total[1] for total in wanted.values()) > 5


@pytest.mark.parametrize("seed", range(3))
def test_order_threads_and_files_change_nothing(seed: int) -> None:
    """The same lines in another order and on more threads, and cut into more logs, come to the same facts."""
    items = night(seed)
    first = folded(build(items, LINES, {}))
    random.Random(seed).shuffle(items)
    con = connect(threads=4)
    con.register("lines", build(items, LINES, {}))
    assert fold(con, HOSTS_KNOWN, PEOPLE, BELLS, NETWORKS, ["adverts"], watch=WATCH)[0].equals(first)
    cut = [item | {"source": f"{item['source']}{item['line'] // 100}"} for item in items]
    assert unnamed(folded(build(cut, LINES, {}))).equals(unnamed(first))


def unnamed(table: pa.Table) -> pa.Table:
    """Visits without what names their logs and lines, in an order that does not hang on it."""
    return table.drop_columns(["visit", "source", "line"]).sort_by([(name, "ascending") for name in ("started", "client", "subject", "site")])
