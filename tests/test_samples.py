"""Every page of the made-up school is as committed in reports/sample/, comes out the same twice, and tells nobody's name to leaders.

To accept a change, look at it (`python tests/sample_pages.py` prints the difference) and run `make accept`.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import sample_pages
from small_school import names_kept

from pipeline import issuing, render, schoolfolder
from pipeline.periods import parse
from pipeline.problems import UsageError

ROOT = Path(__file__).parent.parent
NAMELESS = ("leadership", "governors")
# Where a site may stand (DESIGN: over-blocking and new services); nowhere else on a page for leaders.
SITES = re.compile(r"<caption>(?:Learning sites that the filter blocked|Services not seen before this term)</caption>.*?</table>", re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The made-up school after its week, and its pages."""
    folder = tmp_path_factory.mktemp("sample") / "school"
    return folder, sample_pages.made(folder)


def test_every_page_is_as_committed(made: tuple[Path, dict[str, str]]) -> None:
    """Dates and versions apart, which are scrubbed by name in sample_pages.py."""
    assert sample_pages.differences(made[1]) == []


def pages(folder: Path) -> dict[str, bytes]:
    """Every file of the reports, by its place."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted((folder / "reports").rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("name", "period"), [("nightly", "2026-11-04"), ("dsl-list", "2026-11-04"), ("dsl-week", "2026-W45"),
                                              ("year-digest", ""), ("termly", ""), ("annual", "2026-27"), ("principal", "2026-11-05"),
                                              ("changes", "autumn-2026"), ("breaches", "2026-11"), ("checks", "2026-11")])
def test_the_same_page_twice_is_the_same_to_the_byte(made: tuple[Path, dict[str, str]], name: str, period: str) -> None:
    """And nothing is added to the registers of pages and of looks the second time."""
    folder = made[0]
    first = issuing.report(folder, name, period)
    before, told = pages(folder), [len(schoolfolder.journal(folder, book).entries()) for book in ("pages", "access")]
    assert issuing.report(folder, name, period).pages == first.pages != []
    assert pages(folder) == before
    assert [len(schoolfolder.journal(folder, book).entries()) for book in ("pages", "access")] == told


def test_the_night_and_the_command_write_the_same_page(made: tuple[Path, dict[str, str]]) -> None:
    """What the night had met is in the register of pages, so the page of a past night still says it."""
    folder = made[0]
    page = folder / "reports/technical/nightly-2026-11-03.html"
    before = page.read_bytes()
    page.unlink()
    issuing.report(folder, "nightly", "2026-11-03")
    scrubbed = [sample_pages.scrubbed(text.decode("utf-8")) for text in (before, page.read_bytes())]
    waiting = re.compile(r'<section aria-labelledby="queue">.*?</section>', re.DOTALL)  # some was decided since
    assert waiting.sub("", scrubbed[0]) == waiting.sub("", scrubbed[1])


def test_beside_every_table_of_every_page_stands_a_csv_with_its_cells(made: tuple[Path, dict[str, str]]) -> None:
    """As many rows under the same heads; where a page leaves rows of nothing out, the CSV has them."""
    checked = 0
    for name, text in made[1].items():
        if not name.endswith(".html"):
            continue
        beside = [list(csv.reader(io.StringIO(body))) for other, body in made[1].items()
                  if other.startswith(name.removesuffix("html")) and other.endswith(".csv")]
        for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
            heads = [re.sub("<.*?>", "", head) for head in re.findall(r"<th scope=\"col\".*?</th>", table)]
            rows = len(re.findall(r"<tr role=\"row\"", table)) - 1
            assert any([cell.lstrip("'") for cell in rows_[0]] == heads and len(rows_) - 1 >= rows for rows_ in beside), (name, heads)
            checked += 1
    assert checked > 15


def secrets(folder: Path) -> set[str]:
    """Every name, login, host, address, search term and pseudonym of the made-up school."""
    people = list(csv.DictReader(io.StringIO((ROOT / "people.csv").read_text("utf-8"))))
    words = {row["username"] for row in people} | {row["name"] for row in people} | {row["name"].split()[-1] for row in people}
    words |= names_kept(folder)
    for log in (folder / "logs").glob("*.log"):
        for line in log.read_text("utf-8").splitlines()[::7]:
            words |= set(re.findall(r"[\w-]+(?:\.[\w-]+)*\.(?:test|example|invalid)\b", line)) | set(re.findall(r"\b10\.\d+\.\d+\.\d+", line))
            words |= set(re.findall(r"[?&]q=([^&\s]{4,})", line))
    for file in (folder / "var/registers").glob("*.jsonl"):
        words |= set(re.findall(r"\b[pd][a-z2-7]{11}\b", file.read_text("utf-8")))
    return {word.lower() for word in words if len(word) > 3}


def test_no_word_that_tells_of_anybody_is_in_what_leaders_and_governors_get(made: tuple[Path, dict[str, str]]) -> None:
    """Names, logins, hosts, addresses, terms, pseudonyms: in no page, drawing, table or file name, defanged or not."""
    folder, _ = made
    issuing.report(folder, "termly", "2026-11-02..2026-11-06")
    words = secrets(folder)
    assert {"zofia o'tidmarsh", "playpark.test", "10.20.0.10"} <= words
    found = {}
    for reader in NAMELESS:
        for path in sorted((folder / "reports" / reader).iterdir()):
            text = SITES.sub("", path.read_text("utf-8"))
            if re.search(r"\.(overblocked|new)\.csv$", path.name):
                continue
            text = f"{path.name}\n{text}".lower().replace("&#39;", "'").replace("[.]", ".")
            found[path.name] = [word for word in words if word in text]
    assert {name: hits for name, hits in found.items() if hits} == {}
    assert any(name.endswith(".html") for name in found)
    assert any(name.endswith(".csv") for name in found)


def test_a_site_stands_on_a_page_for_leaders_only_with_enough_people(made: tuple[Path, dict[str, str]]) -> None:
    """Every row of the two blocks of sites has its number of people, at least five."""
    for path in (made[0] / "reports/leadership").glob("*.html"):
        for table in SITES.findall(path.read_text("utf-8")):
            people = [int(cell.replace(",", "")) for cell in re.findall(r'data-head="People"[^>]*>([\d,]+)<', table)]
            assert people
            assert min(people) >= 5


def test_staff_are_on_the_principals_page_alone(made: tuple[Path, dict[str, str]]) -> None:
    """No name or login of staff stands on any other page."""
    people = csv.DictReader(io.StringIO((ROOT / "people.csv").read_text("utf-8")))
    rows = list(people)
    pupils = {row["name"] for row in rows if row["role"] == "student"}
    staff = {word for row in rows if row["role"] != "student" for word in (row["username"], row["name"])} - pupils
    for path in (made[0] / "reports").rglob("*"):
        if path.is_file() and path.parent.name != "principal":
            text = path.read_text("utf-8").replace("&#39;", "'")
            assert [word for word in staff if word in text] == [], path.name


def test_a_digest_holds_confirmed_incidents_of_its_own_year_and_no_site(made: tuple[Path, dict[str, str]]) -> None:
    """Each name on it is a pupil of that year; no host, no reason of the log, no welfare."""
    rows = list(csv.DictReader(io.StringIO((ROOT / "people.csv").read_text("utf-8"))))
    digests = list((made[0] / "reports").glob("year-*/year-digest-*.html"))
    assert len(digests) >= 2
    for path in digests:
        text = path.read_text("utf-8").replace("&#39;", "'").split('class="rests"')[0]
        named = {row["year"] for row in rows if f"</span> {row['name']}</h3>" in text and row["role"] == "student"}
        assert path.parent.name.removeprefix("year-") in named
        assert not re.search(r"\[\.\]|\.test\b|requests|elfare", text)
        assert "confirmed Fri 6 Nov" in text


def test_what_cannot_be_made_is_said(made: tuple[Path, dict[str, str]]) -> None:
    """An unknown report, a period without a judged day, an annual report of a month: one sentence each, nothing written."""
    folder = made[0]
    before = pages(folder)
    for name, period, message in (("weekly", "", "is no report"), ("termly", "spring-2027", "no day of it has been judged"),
                                  ("annual", "2026-11", "is made of a whole year"), ("termly", "soon", "is no period")):
        with pytest.raises(UsageError, match=message):
            issuing.report(folder, name, period)
    assert pages(folder) == before


def test_two_periods_do_not_give_a_small_number_away(made: tuple[Path, dict[str, str]]) -> None:
    """Asked for two ranges that differ by one day, the second prints nothing that the first would turn into a small count."""
    folder = made[0]
    issuing.report(folder, "termly", "2026-11-02..2026-11-04")
    issuing.report(folder, "termly", "2026-11-02..2026-11-05")
    facts: dict[tuple[str, date], dict[date, int]] = {}
    for entry in schoolfolder.journal(folder, "pages").entries():
        for series, first, last, value, _ in (entry.body or {}).get("facts", ()):
            facts.setdefault((series, date.fromisoformat(first)), {})[date.fromisoformat(last)] = value
    assert len(facts) > 20
    for printed in facts.values():
        values = [value for _, value in sorted(printed.items())]
        assert all(b - a == 0 or abs(b - a) >= 5 for a, b in pairwise(values))
        assert all(value == 0 or value >= 5 for value in values)


def test_a_range_has_a_file_name_that_every_system_takes(made: tuple[Path, dict[str, str]]) -> None:
    """No two dots in it, and it is listed in the index of its reader."""
    folder = made[0]
    written = issuing.report(folder, "breaches", "2026-11-02..2026-11-03").pages
    assert "reports/technical/breaches-2026-11-02-to-2026-11-03.html" in written
    assert "breaches-2026-11-02-to-2026-11-03.html" in (folder / "reports/technical/index.html").read_text("utf-8")
    assert parse("2026-11-02..2026-11-03", schoolfolder.settings(folder).calendar).first == date(2026, 11, 2)
    assert render.csv_text(["a"], [["=1"]]).endswith("'=1\r\n")
