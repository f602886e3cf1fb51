"""Calls that programs make by themselves: an app on several devices, and one small call of somebody's own phone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tables_text import DAY, visits
from test_addresses import BOOK
from test_intent import NOTHING_SEALED, POLICY, WIDE

from pipeline import calling, classify, detect, learned
from pipeline.tables import LEARNED, widened

HEAD = "started | client | person | network | site | host | category | requests | tries | bytes_in | blocked | band\n"
NO_DAY_BEFORE = LEARNED.schema.empty_table()
APP = "push.bets.example"


def call(at: str, client: str, host: str = APP, *, category: str = "gambling", requests: int = 1, bytes_in: int = 900,
         blocked: int = 0, network: str = "pupils", person: str = "-", band: str = "lesson") -> str:
    """One visit, small unless it says otherwise."""
    site = ".".join(host.split(".")[-2:])
    return (f"{at} | {client} | {person} | {network} | {site} | {host} | {category} | {requests} | {requests} | {bytes_in} "
            f"| {blocked} | {band}\n")


def all_day(client: str, host: str = APP, category: str = "gambling") -> str:
    """A program that calls every half hour."""
    return "".join(call(f"{hour:02}:{minute:02}", client, host, category=category) for hour in range(8, 15) for minute in (3, 33))


CDN = "09:10:01 | d9 | - | pupils | scripts.example | scripts.example | uncategorised | 1 | 1 | 9000 | 0 | lesson\n"
PHONES = all_day("d1") + all_day("d2") + all_day("d3")


def called(text: str, before: pa.Table = NO_DAY_BEFORE) -> list[str]:
    """The visits, by client and time, that a program made."""
    seen = visits(HEAD + text)
    taught = pa.concat_tables([before, calling.of_day(seen, POLICY, DAY)])
    keys = set(calling.calls(seen, taught, POLICY, ["own"])["visit"].to_pylist())
    return [f"{row['client']} {row['started']:%H:%M}" for row in seen.to_pylist() if row["visit"] in keys]


def test_a_few_calls_to_a_host_that_other_devices_call_all_day_are_the_same_apps() -> None:
    """Stopped or let through, whatever the hour."""
    assert [one for one in called(PHONES + call("09:10", "d9") + call("16:20", "d9", blocked=1)) if one.startswith("d9")] \
        == ["d9 09:10", "d9 16:20"]


@pytest.mark.parametrize(("why", "text"), [
    ("two devices may be friends with a tab left open", all_day("d1") + all_day("d2") + call("09:10", "d9")),
    ("another host of the site is its page", PHONES + call("09:10", "d9", "www.bets.example")),
    ("who fetches a page opened it", PHONES + call("09:10:00", "d9", bytes_in=60_000) + CDN),
    ("an answer to a program is no film", PHONES + call("09:10", "d9", bytes_in=900_000)),
    ("most who ask for it do so once or twice",
     PHONES + "".join(call("09:10", f"d{n}") for n in range(5, 9)) + call("09:10", "d9"))])
def test_it_is_no_apps_call_where(why: str, text: str) -> None:
    """Each of these is for a rule to judge."""
    assert not [one for one in called(text) if one.startswith("d9")]


def test_a_host_that_programs_called_on_an_earlier_day_is_an_apps_today() -> None:
    """The first call of a morning is known too."""
    before = calling.of_day(visits(HEAD + PHONES), POLICY, DAY)
    assert [(row["what"], row["host"], row["devices"], row["hours"]) for row in before.to_pylist()] == [("called", APP, 3, 0)]
    assert called(call("09:10", "d9"), before) == ["d9 09:10"]
    assert called(call("09:10", "d9")) == []


def test_what_an_earlier_version_learned_of_a_host_holds_still() -> None:
    """It had no column for devices and kept their number in `hours`: the number is history, the host an app's."""
    now = calling.of_day(visits(HEAD + PHONES), POLICY, DAY)
    then = now.set_column(now.column_names.index("hours"), "hours", now["devices"]).drop_columns(["devices"])
    read = widened(then, LEARNED)
    assert [(row["host"], row["devices"], row["hours"]) for row in read.to_pylist()] == [(APP, None, 3)]
    assert called(call("09:10", "d9"), read) == ["d9 09:10"]
    assert learned.lessons(read, BOOK.numbers) == learned.lessons(now, BOOK.numbers), "no later day is judged again for it"


@pytest.mark.parametrize(("story", "text", "by_itself"), [
    ("once, and nothing around it", call("10:05", "d9", network="own"), True),
    ("once, stopped", call("10:05", "d9", network="own", blocked=1), True),
    ("on a computer of the school", call("10:05", "d9"), False),
    ("fetched much, and nothing beside it, as an app does for its owner to find", call("09:10", "d9", network="own", bytes_in=60_000), True),
    ("a page, with the scripts that it brings along", call("09:10:00", "d9", network="own", bytes_in=60_000) + CDN, False),
    ("tried again, and again", call("10:05", "d9", network="own", requests=3, blocked=3), False),
    ("three sites in some minutes", "".join(call(f"10:0{n}", "d9", f"www.bets{n}.example", network="own") for n in (1, 3, 5)), False),
    ("chat with strangers comes as an app", call("10:05", "d9", network="own", category="stranger_chat_dating"), True),
    ("no app asks for it, and a child may be at risk", call("10:05", "d9", network="own", category="self_harm_suicide"), False),
    ("no shop of apps sells it", call("10:05", "d9", network="own", category="pornography"), False),
    ("a way round the filter is judged elsewhere", call("10:05", "d9", network="own", category="bypass_web_proxy"), False)])
def test_a_small_call_of_somebodys_own_phone_is_nobodys_act_while_it_stands_alone(story: str, text: str, by_itself: bool) -> None:
    """Who opens a page there fetches it, and who is stopped tries again."""
    assert bool(called(text)) == by_itself, story


@pytest.mark.parametrize(("day", "night", "by_itself"), [((5, 6, 7), (3, 4), True), ((5, 6, 7, 8), (4,), False),
                                                         ((8, 9, 10, 11, 13), (), False)])
def test_who_asks_in_two_hours_of_the_night_too_is_a_program(day: tuple[int, ...], night: tuple[int, ...], by_itself: bool) -> None:
    """On a computer of the school as well, though it fetches something for its owner to find; five lessons of a day are no night."""
    text = [call(f"{hour:02}:20", "d9", bytes_in=150_000) for hour in day]
    text += [call(f"{hour:02}:20", "d9", bytes_in=150_000, band="closed") for hour in night]
    assert bool(called("".join(text))) == by_itself


def test_two_calls_of_a_program_may_share_a_connection() -> None:
    """What is told of a device holds for its next call, though twice as much comes through it; not for a stay."""
    told = called(all_day("d1") + call("16:10", "d1", bytes_in=300_000) + call("16:40", "d1", bytes_in=900_000))
    assert "d1 16:10" in told
    assert "d1 16:40" not in told


def test_no_rule_speaks_of_a_programs_call_and_it_stands_beside_nothing_else() -> None:
    """Three chatty apps of one kind are no three sites that somebody went through."""
    text = "".join(all_day(f"d{n}", f"push.bets{n}.example") for n in (1, 2, 3)) + call("10:00", "d9", "www.bets9.example")
    seen = visits(HEAD + "".join(line.replace("d1 |", "d9 |").replace("d2 |", "d9 |").replace("d3 |", "d9 |") + "\n"
                                 for line in text.splitlines()))
    verdicts = classify.in_context(classify.judge(seen, POLICY, {}), calling.calls(seen, NO_DAY_BEFORE, POLICY, []))
    fired, quiet = detect.fire(seen, verdicts, WIDE, POLICY, DAY, NOTHING_SEALED)
    assert (fired["host"].to_pylist(), len(quiet)) == (["www.bets9.example"], 0)
    assert fired["reasons"].to_pylist()[0][0].startswith("1 request to 1 site")
