"""A visit that a resolver, a firewall and a proxy all saw counts once, in the log of the lowest rank; every line is kept."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from small_school import derived, line, lines_of, make, run
from tables_text import said
from test_lines import T0
from test_visits import folded

from pipeline import casework, deciding
from pipeline.formats import bundled

RANKS = {"proxy": 1, "firewall": 2, "dns": 3}
SEEN = """
    time     | source   | kind | person | client | host         | action
    10:05:00 | dns      | dns  | -      | d1     | news.example | allowed
    10:05:00 | firewall | http | -      | d1     | news.example | allowed
    10:05:01 | proxy    | http | p1     | d1     | news.example | blocked
    10:06:30 | firewall | http | -      | d1     | news.example | allowed
"""


@pytest.mark.parametrize(("ranks", "counted"), [
    (RANKS, ("proxy", "p1", 1, 1)),
    ({"proxy": 3, "firewall": 2, "dns": 1}, ("dns", "p1", 1, 0)),
    ({"proxy": 2, "firewall": 1, "dns": 3}, ("firewall", "p1", 2, 0)),
], ids=["as they come", "turned round", "the firewall first"])
def test_what_three_logs_saw_counts_in_the_first_of_them(ranks: dict[str, int], counted: tuple[str, str | None, int, int]) -> None:
    """However the ranks stand: one visit, and the others' requests told as seen twice."""
    visits, counts = folded(SEEN, ranks)
    assert said(visits, "source", "person", "requests", "blocked") == [counted]
    assert (counts["requests"], counts["visits"], counts["twice"]) == (4, counted[2], 4 - counted[2])


def test_what_one_log_alone_saw_is_a_visit_of_its_own() -> None:
    """A device that only the resolver knows, a site that only the firewall knows, and the same site an hour later."""
    visits, counts = folded(SEEN + """
    10:05:00 | dns      | dns  | -      | d2     | news.example  | allowed
    10:05:00 | firewall | http | -      | d1     | video.example | allowed
    11:05:00 | dns      | dns  | -      | d1     | news.example  | allowed
    """.lstrip("\n"), RANKS)
    assert sorted(said(visits, "source", "client", "site")) == [
        ("dns", "d1", "news.example"), ("dns", "d2", "news.example"), ("firewall", "d1", "video.example"), ("proxy", "d1", "news.example")]
    assert counts["twice"] == 3


def test_two_logs_of_one_rank_both_count() -> None:
    """Two proxies share the work: neither repeats what the other wrote."""
    visits, counts = folded("""
        time     | source | person | client | host
        10:05:00 | one    | p1     | d1     | news.example
        10:05:10 | two    | p1     | d1     | news.example
    """, {"one": 1, "two": 1})
    assert said(visits, "person", "requests") == [("p1", 2)]
    assert counts["twice"] == 0


def test_a_name_that_only_a_worse_log_has_is_kept() -> None:
    """A proxy without logins, and a firewall that knows who it is: the proxy's visit, and the person's; of two it stays nobody's."""
    named = """
        time     | source   | person | client | host         | action
        10:05:00 | proxy    | -      | d1     | news.example | blocked
        10:05:01 | firewall | p1     | d1     | news.example | allowed
    """
    assert said(folded(named, RANKS)[0], "source", "person", "requests", "blocked") == [("proxy", "p1", 1, 1)]
    both = named + "10:05:02 | firewall | p2     | d1     | news.example | allowed"
    assert said(folded(both, RANKS)[0], "source", "person", "requests") == [("proxy", None, 1)]


def test_what_a_resolver_looks_up_while_a_tunnel_lasts_is_that_tunnel() -> None:
    """A proxy writes one line for a video of an hour; the look-ups of that hour are no visits of a device beside it."""
    visits, counts = folded("""
        time     | source | kind   | person | host          | duration_ms
        10:05:00 | dns    | dns    | -      | video.example | 0
        10:30:00 | dns    | dns    | -      | video.example | 0
        11:00:00 | proxy  | tunnel | p1     | video.example | 3300000
        11:30:00 | dns    | dns    | -      | video.example | 0
    """, RANKS)
    assert said(visits, "source", "person", "requests") == [("proxy", "p1", 1), ("dns", None, 1)]
    assert counts["twice"] == 2


@pytest.mark.parametrize(("name", "rank"), [("squid", 1), ("e2guardian-5", 1), ("fortigate", 2), ("zeek-http", 2), ("unbound", 3)])
def test_a_log_of_which_nobody_says_the_rank_has_that_of_its_format(name: str, rank: int) -> None:
    """A proxy knows most of a visit, a firewall or a sensor less, a resolver least."""
    assert bundled()[name].rank == rank


# --- as a person types it: one night, four logs ------------------------------------------------------------------

def array(*hosts: str) -> str:
    """A console's JSON export: an array of requests that the filter blocked, a minute apart from half past ten."""
    return json.dumps([{"Datetime": f"2026-11-02T10:{30 + n}:00Z", "Action": "block", "Email": "20mquill", "SourceIP": "10.20.0.9",
                        "HTTPHost": host, "URL": f"https://{host}/", "HTTPMethod": "GET", "HTTPStatusCode": 302, "CategoryNames": []}
                       for n, host in enumerate(hosts)], indent=2)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school whose proxy names the pupil, whose firewall and resolver see the same minutes, and one export."""
    folder = make(tmp_path_factory.mktemp("seen") / "school", ("pornography",))
    sites = [f"adult-{name}.test" for name in ("one", "two", "one", "two", "one", "two")]
    settings = folder / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace("[[logs]]", '[[logs]]\nname = "firewall*"\nrank = 2\n\n[[logs]]', 1), "utf-8")
    logs = {
        "access.log": "".join(line(40 * n, site, verdict="TCP_DENIED/403") for n, site in enumerate(sites)),
        "firewall.log": "".join(
            f'date=2026-11-02 time={10 + (40 * n) // 3600}:{40 * n // 60 % 60:02d}:{40 * n % 60:02d} devname="FGT-1" eventtime={T0 + 40 * n}000000000 '
            f'tz="+0000" type="utm" subtype="webfilter" srcip=10.20.0.7 hostname="{site}" action="passthrough" url="http://{site}/" '
            'sentbyte=517 rcvdbyte=0 catdesc="Games"\n' for n, site in enumerate(sites)),
        "resolver.log": "".join(f"[{T0 + 40 * n}] unbound[81:0] info: {client} {site}. A IN\n"
                                for n, site in enumerate(sites) for client in ("10.20.0.7", "10.20.0.8")),
        "export.json": array("adult-one.test", "news.test", "adult-two.test", "adult-one.test", "adult-two.test"),
    }
    for name, text in logs.items():
        (folder / name).write_text(text, "utf-8")
    run(folder, *(folder / name for name in logs))
    return folder


def test_the_visits_of_a_night_with_a_proxy_a_firewall_and_a_resolver_are_the_proxys(school: Path) -> None:
    """Each line is in the lake; the pupil's visits are counted once, and so is the device that only the resolver saw."""
    names = {row["source"] for row in lines_of(school)}
    assert len(names) == 4 and Counter(row["fate"] for row in lines_of(school)) == {"request": 6 + 6 + 12 + 5}
    visits = derived(school)["visits"]
    adult = [row for row in visits if row["category"] == "pornography"]
    by_client: Counter[str] = Counter()
    for row in adult:
        by_client[row["client"]] += row["requests"]
    assert sorted(by_client.values()) == [4, 6, 6]   # the export's pupil, the proxy's, and the device of the resolver
    assert sum(row["requests"] for row in adult if row["person"] is None) == 6


def test_an_incident_of_an_array_leads_back_to_its_elements(school: Path) -> None:
    """`schoolgate explain` names the export and the number of the element of each visit."""
    told = [deciding.explain_incident(school, ref, "a question of the DSL") for ref in casework.states_of(school)]
    [found] = [lines for lines in told if any("export.json" in each for each in lines)]
    hosts = [each["HTTPHost"].replace(".", "[.]") for each in json.loads((school / "export.json").read_text("utf-8"))]
    assert [(each.split("  ")[2], each.rsplit("/", 1)[1]) for each in found] == [
        (hosts[0], "export.json, line 1"), (hosts[2], "export.json, line 3")]
