"""The index of each reader's pages, and how long pages are kept."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from small_school import MONDAY, line, make, run

from pipeline import failing, folders, purging, render, schoolfolder
from pipeline.pages import index
from pipeline.problems import Problem

DAY = 86_400
FILES = ("nightly-2026-10-30.html", "nightly-2026-11-02.html", "nightly-2026-11-03.html", "breaches.csv", "changes.csv", "notes.html")


def shown(page: index.IndexPage) -> list[str]:
    """What the index says, a line each: kinds, their shelves with the short names, failed ones with a mark."""
    return [text for kind in page.kinds for text in (
        f"{kind.heading}, newest {kind.newest.whole}",
        *(f"  {shelf.under}: " + ", ".join(entry.short + "!" * entry.failed for entry in shelf.entries) for shelf in kind.shelves))]


def links(folder: Path, reader: str) -> list[str]:
    """The files that a reader's index links to, each once, in its order."""
    text = (folder / "reports" / reader / "index.html").read_text("utf-8")
    return list(dict.fromkeys(link for link in re.findall(r'href="([^"]*)"', text) if not link.startswith("#")))


def test_pages_stand_newest_first_by_kind_and_month() -> None:
    """A night that failed is marked; what is no page of a period is left out; tables have their own list."""
    page = index.build("technical", "Alder Vale School", FILES, ["nightly-2026-11-02.html"])
    assert shown(page) == ["Nightly breach reports, newest Tuesday 3 November 2026", "  November 2026: Tue 3, Mon 2!", "  October 2026: Fri 30"]
    assert [(table.short, table.file) for table in page.tables] == [("Breach log", "breaches.csv"), ("Change log", "changes.csv")]
    assert page.lede == "3 pages, the newest of Tuesday 3 November 2026."


def test_terms_stand_by_academic_year() -> None:
    """Autumn begins a year, summer ends it."""
    page = index.build("leadership", "A school", [f"termly-{term}.html" for term in ("autumn-2026", "spring-2027", "summer-2026", "summer-2027")])
    assert shown(page) == ["Termly summaries, newest Summer term 2027", "  2026-27: Summer term, Spring term, Autumn term",
                           "  2025-26: Summer term"]


def test_a_folder_without_pages_says_so_and_a_kind_it_does_not_know_still_stands() -> None:
    """Pages that come later need no word here."""
    assert index.build("principal", "A school", []).lede == "No page yet. The first night writes one."
    assert shown(index.build("safeguarding", "A school", ["return-2026-11-02.csv"]))[1] == "  November 2026: Mon 2"
    assert shown(index.build("safeguarding", "A school", ["year-digest-2026-11-06.html"]))[0] == "Weekly digests, newest Friday 6 November 2026"


def test_an_index_links_to_pages_beside_it_and_to_nothing_else() -> None:
    """No scheme, no path, no script; each link says its whole date to who cannot see the month."""
    text = render.html(index.build("technical", "<b>A school</b>", FILES))
    found = re.findall(r'href="([^"]*)"', text)
    assert set(found) == {"#main", *FILES[:5]}
    assert "<b>A school" not in text
    assert '<a href="nightly-2026-11-03.html">Tue 3<span class="unseen"> (Tuesday 3 November 2026)</span></a>' in text


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two judged days, with one decided incident."""
    folder = make(tmp_path_factory.mktemp("index") / "school")
    log = folder / "access.log"
    log.write_text("".join([*(line(14_000 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(4)),
                            line(DAY, "fenmarsh.test")]))
    run(folder, log)
    return folder


@pytest.fixture
def school(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(made, tmp_path / "school")


def test_each_reader_has_an_index_for_its_owner_alone_and_a_night_without_news_leaves_it(school: Path) -> None:
    """It links to every page and whole log of the folder, and is written again only when they change."""
    for reader in folders.READERS:
        place = school / "reports" / reader
        own = [name for name in folders.pages(school, reader) if not index.beside(name)]
        assert sorted(links(school, reader)) == own
        assert (place / "index.html").stat().st_mode & 0o777 == 0o600
    before = (school / "reports/technical/index.html").stat().st_mtime_ns
    run(school, school / "access.log")
    assert (school / "reports/technical/index.html").stat().st_mtime_ns == before
    (school / "reports/technical/index.html").chmod(0o644)
    run(school, school / "access.log")
    assert (school / "reports/technical/index.html").stat().st_mode & 0o777 == 0o600


def test_no_index_names_anybody(school: Path) -> None:
    """Not even the DSL's: it is of dates alone."""
    for reader in folders.READERS:
        text = (school / "reports" / reader / "index.html").read_text("utf-8")
        assert not [word for word in ("Bloggs", "jbloggs", "adult", "I-0001") if word in text]


def test_a_night_that_failed_stands_in_the_index_as_that(school: Path) -> None:
    """It has a page, and the page is not a breach report."""
    failing.tell(school, date(2026, 11, 4), [Problem("judging", "failed")], [], "")
    assert links(school, "technical")[0] == "nightly-2026-11-04.html"
    assert (school / "reports/technical/index.html").read_text("utf-8").count('<span class="soft">failed</span>') == 1


def set_retention(school: Path, **days: int) -> None:
    """Other figures in school.toml."""
    settings = school / "school.toml"
    text = settings.read_text("utf-8")
    for name, value in days.items():
        text = re.sub(rf"^{name}\s*=.*\n", "", text, flags=re.MULTILINE).replace("[retention]", f"[retention]\n{name} = {value}")
    settings.write_text(text, "utf-8")


def test_pages_go_when_their_days_are_over_and_the_indexes_follow(school: Path) -> None:
    """Monday's 200 days after it, of every reader; the record counts them; nothing comes back with the next night."""
    set_retention(school, pages_days=200)
    assert purging.purge(school, date.fromordinal(MONDAY.toordinal() + 200)).counts["pages that name nobody"] == 0
    done = purging.purge(school, date.fromordinal(MONDAY.toordinal() + 201))
    assert {what: count for what, count in done.counts.items() if what.startswith("pages") or "summar" in what} == {
        "pages that name people": 2, "pages that name nobody": 1, "summaries of a term": 0}
    assert schoolfolder.journal(school, "destruction").entries()[-1].body["before"]["pages that name nobody"] == "2026-11-03"
    for reader, left in (("technical", ["nightly-2026-11-03.html", "breaches-autumn-2026.html", "changes-autumn-2026.html", "checks-autumn-2026.html",
                                        "breaches.csv", "changes.csv"]),
                         ("safeguarding", ["dsl-list-2026-11-03.html", "return-2026-11-03.csv", "checks-autumn-2026.html"]),
                         ("principal", ["principal-2026-11-03.html", "return-2026-11-03.csv"]), ("leadership", ["termly-autumn-2026.html"])):
        assert links(school, reader) == left
    run(school, school / "access.log")
    assert links(school, "safeguarding") == ["dsl-list-2026-11-03.html", "return-2026-11-03.csv", "checks-autumn-2026.html"]


def test_pages_with_names_go_with_their_incidents_and_none_before_its_visits(school: Path) -> None:
    """The shorter of two times holds for pages that name people; no page goes while its day can be judged again."""
    set_retention(school, pages_days=700, incidents_days=100)
    counts = purging.purge(school, date.fromordinal(MONDAY.toordinal() + 102)).counts
    assert (counts["pages that name people"], counts["pages that name nobody"]) == (6, 0), "the return sheets name people too"
    set_retention(school, pages_days=1, incidents_days=1)
    assert purging.purge(school, MONDAY.replace(month=12)).counts["pages that name nobody"] == 0


def test_summaries_are_kept_by_the_year_from_the_term_s_end(school: Path) -> None:
    """Six years after the autumn of 2026 has ended it goes."""
    assert purging.purge(school, date(2032, 12, 31)).counts["summaries of a term"] == 0
    assert purging.purge(school, date(2033, 1, 1)).counts["summaries of a term"] == 1
    assert links(school, "leadership") == []


def test_a_purge_that_an_older_version_began_is_carried_out(school: Path) -> None:
    """Its record knows fewer kinds of pages; what it had not begun to destroy stays for this one's own limits."""
    before = dict.fromkeys(("lines", "rows of visits and what was made of them", "entries of incidents", "pages that name people",
                            "entries of breaches, changes and access", "names in the vault"), "2026-11-03")
    schoolfolder.journal(school, "destruction").append("begun", "", {"by": "an older version", "counts": dict.fromkeys(before, 1), "before": before})
    purging.purge(school, date(2026, 11, 4))
    assert [entry.kind for entry in schoolfolder.journal(school, "destruction").entries()] == ["begun", "destroyed"]
    assert "nightly-2026-11-02.html" in links(school, "technical")
    assert "dsl-list-2026-11-02.html" not in links(school, "safeguarding")
