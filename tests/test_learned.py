"""What earlier days teach: a proxy proven by its addresses is known by its name, and an app that checks in by its habit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_school import derived, line, make, run
from tables_text import DAY, build, rows, visits
from test_addresses import BOOK

from pipeline import learned
from pipeline.tables import HOSTS, LEARNED

SHOWN = "a page that fetches another site: games.example (Games)"
HEAD = "started | person | actor | site | category | notes | requests | after_ms\n"


def hosts(*names: str, category: str = "uncategorised") -> pa.Table:
    """Hosts of which no list speaks, unless it says otherwise."""
    return build([{"host": name, "category": category} for name in names], HOSTS, {})


def taught(text: str, met: pa.Table) -> list[tuple[str, str]]:
    """What a day teaches, and of what."""
    return [(row["what"], row["host"] or row["site"]) for row in learned.of_day(visits(HEAD + text), met, BOOK, DAY).to_pylist()]


def proxy(who: str = "p1", requests: int = 5, actor: str = "student") -> str:
    """A visit whose addresses show a proxy."""
    return f"10:00 | {who} | {actor} | sunny.example | bypass_web_proxy | {SHOWN} | {requests} | -\n"


def plain(who: str, actor: str = "student", requests: int = 5, after: str = "-") -> str:
    """A visit to the same host that shows nothing but its name."""
    return f"11:00 | {who} | {actor} | sunny.example | uncategorised | | {requests} | {after}\n"


@pytest.mark.parametrize(("text", "known"), [
    (proxy(), True), (proxy() + plain("p2"), True),
    (proxy(requests=2), False),                          # a link or two
    (proxy() + plain("p2") + plain("p3"), False),        # most people's visits show nothing
    (proxy() + plain("t1", actor="staff"), False)])      # staff use it
def test_a_host_is_proven_where_its_addresses_show_it_for_most_and_for_no_staff(text: str, known: bool) -> None:
    """One odd link makes no proxy of a host that others use."""
    assert taught(text, hosts("sunny.example")) == ([("proxy", "sunny.example")] if known else [])


def test_a_host_that_a_list_knows_is_judged_by_the_list() -> None:
    """A translator stays a translator on the days after somebody read a blocked page through it."""
    assert taught(proxy(), hosts("sunny.example", category="learning")) == []


def earlier(text: str) -> pa.Table:
    """LEARNED of earlier days as a text table."""
    return build([{name: date.fromisoformat(value) if name == "day" else value for name, value in row.items() if value is not None}
                  for row in rows(text)], LEARNED, {"early": False, "used": False})


def told(text: str, before: pa.Table, today: pa.Table | None = None) -> list[tuple[Any, ...]]:
    """Key, category and notes of the visits that the days before give another category."""
    seen = visits(text)
    after = learned.carried(seen, learned.of_day(seen, hosts(), BOOK, DAY) if today is None else today, before, BOOK)
    old = dict(zip(seen["visit"].to_pylist(), seen["category"].to_pylist(), strict=True))
    return [(row["visit"], row["category"], row["notes"]) for row in after.to_pylist() if row["category"] != old[row["visit"]]]


PROVEN = earlier("day | what | host | site\n2026-10-20 | proxy | sunny.example | sunny.example")


def test_a_proxy_proven_on_an_earlier_day_is_known_by_its_name_alone() -> None:
    """Let through or stopped; not where another page brought it along, and not for staff."""
    text = HEAD + plain("p1") + plain("p2", requests=1) + plain("p3", requests=1, after="300") + plain("t1", actor="staff")
    why = ["a web proxy, as its addresses showed on 20 October"]
    assert told(text, PROVEN) == [("s1:1", "bypass_web_proxy", why), ("s1:2", "bypass_web_proxy", why)]
    assert told(text, LEARNED.schema.empty_table()) == []


def test_a_proxy_proven_by_one_log_is_known_in_the_others_of_the_day() -> None:
    """The school's laptops show addresses, a phone shows a name: the same host on the same day."""
    text = HEAD + proxy("p1") + plain("p2")
    assert told(text, LEARNED.schema.empty_table(), learned.of_day(visits(text), hosts("sunny.example"), BOOK, DAY)) == [
        ("s1:2", "bypass_web_proxy", ["a web proxy, as its addresses showed on 3 November"])]


def habit(days: int, early: int, hours: int = 3, used: str = "no") -> pa.Table:
    """An app that checked in on so many earlier days, some of them out of hours."""
    return earlier("day | what | site | subject | network | hours | early | used\n" + "".join(
        f"2026-10-{20 + n} | app | vpn.example | p1 | own | {hours} | {'yes' if n < early else 'no'} | {used if n == 0 else 'no'}\n" for n in range(days)))


CHECK_IN = ("started | network | site | category | bytes_in\n10:10 | own | vpn.example | bypass_vpn_tunnel | 4000\n"
            "12:10 | own | vpn.example | bypass_vpn_tunnel | {bytes}\n")


@pytest.mark.parametrize(("before", "size", "quiet"), [
    (habit(3, 2), 4000, True), (habit(2, 2), 4000, False), (habit(3, 1), 4000, False), (habit(3, 2, hours=1), 4000, False),
    (habit(3, 2, used="yes"), 4000, False), (habit(3, 2), 40_000_000, False)])
def test_check_ins_are_known_from_earlier_days(before: pa.Table, size: int, quiet: bool) -> None:
    """Three days of small calls, two of them out of hours, and today as small: an app. A film's worth of bytes is a VPN, then or now."""
    assert bool(told(CHECK_IN.format(bytes=size), before)) is quiet


def test_another_device_or_person_has_learned_nothing() -> None:
    """The phone's habit says nothing of a school computer, nor of somebody else."""
    assert told(CHECK_IN.format(bytes=4000).replace("own", "pupils"), habit(3, 2)) == []
    assert told(CHECK_IN.format(bytes=4000).replace("started", "person | started").replace("10:10", "p2 | 10:10").replace("12:10", "p2 | 12:10"), habit(3, 2)) == []


def test_what_can_be_taken_from_the_days_before_is_said_in_full() -> None:
    """A day whose history says something else is judged again: the lines change when what can be taken does, and only then."""
    both = pa.concat_tables([PROVEN, habit(3, 2)])
    assert learned.lessons(both, BOOK.numbers) == ["sunny.example|2026-10-20", "vpn.example|p1|own"]
    assert learned.lessons(pa.concat_tables([PROVEN, habit(2, 2)]), BOOK.numbers) == ["sunny.example|2026-10-20"]


def test_a_log_that_comes_late_teaches_the_days_that_were_judged_before_it(tmp_path: Path) -> None:
    """Tuesday's tunnels say nothing until Monday's addresses, which arrive after them, prove what they led to."""
    folder, late, early = make(tmp_path / "school", rules=("web-proxy-address",)), tmp_path / "monday.log", tmp_path / "tuesday.log"
    early.write_text("".join(line(86_400 + 60 * n, "sunny.test:443", "20mquill", method="CONNECT") for n in range(5)))
    late.write_text("".join(line(60 * n, f"http://sunny.test/uv.{part}.js") for n, part in enumerate(("bundle", "config", "handler", "sw"))))
    run(folder, early)
    assert derived(folder)["detections"] == []
    run(folder, late)
    found = {(str(row["day"]), row["reasons"][-1]) for row in derived(folder)["detections"]}
    assert ("2026-11-03", "a web proxy, as its addresses showed on 2 November") in found
