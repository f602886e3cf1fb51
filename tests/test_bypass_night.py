"""Ways round the filter through the whole night: what a person reads, what the breach log says, and who is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_school import derived, line, make, pages, run

DAY = 86_400
PUPILS = [f"20p{n}" for n in range(12)]
PEOPLE = "username,name,role,year,house\n" + "".join(f"{login},Pupil {n},student,9,Heron\n" for n, login in enumerate(PUPILS))


def mixed(text: str) -> str:
    """Every second letter by xor, percent-encoded."""
    return "".join(f"%{ord(c):02X}" if c in "/,{}?" else c for c in ("".join(chr(ord(a) ^ 2) if n % 2 else a for n, a in enumerate(text))))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school week, then a Monday on which a new host goes round Year 9, and one pupil opens games through a proxy."""
    folder = make(tmp_path_factory.mktemp("bypass") / "school", ("web-proxy", "web-proxy-address", "copy-address", "vpn-tunnel", "vpn-address"), PEOPLE)
    text = "".join(line(day * DAY + 60 + n, "encyclo.test", PUPILS[n], f"10.20.0.{n + 1}") for day in range(5) for n in range(3))
    monday = []
    for n, login in enumerate(PUPILS[:8]):
        client, at = f"10.20.0.{n + 1}", 7 * DAY + n * 700
        monday += [line(at, "playpark.test:443", login, client, "TCP_DENIED/403", "CONNECT")] if n < 3 else []
        monday += [line(at + 90, "sunny-otters.test:443", login, client, "TCP_TUNNEL/200", "CONNECT")]
    monday += [line(7 * DAY + 9000, "sunny-otters.test:443", PUPILS[9], "10.20.0.40", "TCP_DENIED/403", "CONNECT")]
    url = "https://calm.test/a/" + mixed("https://www.playpark.test/go")
    monday += [line(7 * DAY + 9100, url, PUPILS[10], "10.20.0.50"), line(7 * DAY + 9900, url, PUPILS[10], "10.20.0.50", "TCP_DENIED/403")]
    monday += [line(7 * DAY + 9200, "https://calm.test/login?url=https://www.playpark.test/", PUPILS[11], "10.20.0.51")]
    help_page = "https://calm.test/a/" + mixed("https://helpline.test/")
    monday += [line(7 * DAY + 9300, help_page, PUPILS[11], "10.20.0.51")]
    log = folder / "access.log"
    log.write_text(text + "".join(monday), "utf-8")
    assert run(folder, log).problems == []
    return folder


def of_monday(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a derived table of the last day."""
    return [row for row in derived(folder)[table] if str(row["day"]) == "2026-11-09"]


def test_a_page_through_a_proxy_is_told_with_what_was_sought(night: Path) -> None:
    """One pupil, one incident, the site sought and its category; the gateway and the page of help beside it say nothing."""
    found = [row for row in of_monday(night, "detections") if row["route"] == "student"]
    assert {row["rule"] for row in found} == {"web-proxy-address"} and len({row["person"] for row in found}) == 1
    assert {reason for row in found for reason in row["reasons"]} >= {"a page that fetches another site: www.playpark.test (Games)"}
    assert "helpline" not in str(of_monday(night, "detections")) + str(of_monday(night, "incidents"))


def test_a_new_host_that_goes_round_is_one_story_for_the_people_who_run_the_filter(night: Path) -> None:
    """Nine pupils, one story, no name; no pupil's page holds it."""
    stories = [row for row in of_monday(night, "incidents") if row["route"] == "tech"]
    assert [(row["subject"], row["person"], row["visits"]) for row in stories] == [("sunny-otters.test", None, 9)]
    assert "a host that this school had not asked for before, met by 9 pupils of one year group in one day" in stories[0]["reasons"]


def test_the_breach_log_measures_from_first_sighting_to_block(night: Path) -> None:
    """Both ways round are in it: what worked, how many people, when first seen and when first blocked."""
    rows = {row["site"]: row for row in of_monday(night, "breaches") if row["part"] == "circumvention"}
    assert set(rows) == {"sunny-otters.test", "calm.test"}
    spread, proxy = rows["sunny-otters.test"], rows["calm.test"]
    assert (spread["method"], spread["worked"]) == ("new-host-spreads", "mixed") and spread["people"] == 9
    assert (proxy["method"], proxy["worked"], proxy["people"]) == ("web-proxy-address", "mixed", 1)
    for row in rows.values():
        assert row["first_blocked"] is not None and row["first_blocked"] > row["first_seen"]


def test_the_pages_say_it_without_a_link(night: Path) -> None:
    """The nightly page names the hosts and nobody; the DSL list says what was sought, so that no one can click it."""
    written = pages(night)
    nightly = written["reports/technical/nightly-2026-11-09.html"]
    assert "sunny-otters[.]test" in nightly and "Pupil" not in nightly
    listed = written["reports/safeguarding/dsl-list-2026-11-09.html"]
    assert "Pupil 10" in listed and "another site" in listed and "www.playpark.test" not in listed and "Pupil 3" not in listed
