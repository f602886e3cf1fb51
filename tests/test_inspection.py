"""The evidence for inspection: it verifies by itself, says where everything is and what is not there, and names no pupil."""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_school import PEOPLE, line, make, quick, run
from test_casework import role
from test_evidence import unpacked, verified

from pipeline import casework, deciding, inspecting, schoolfolder
from pipeline.problems import RefusedError, UsageError
from pipeline.register import checks

WHO = "Jo Bloggs (19jbloggs)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school after a Monday, with a change whose reason and a check whose action name a pupil."""
    folder = make(tmp_path_factory.mktemp("made") / "school", ("pornography", "web-proxy"))
    log = folder / "access.log"
    log.write_text("".join([*(line(60 * n, "hideaway.test") for n in range(8)),
                            *(line(900 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(6))]), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        run(folder, log)
        (folder / "rules/lists/own.csv").open("a", encoding="utf-8").write("newgame.test,games,ours,TSM,2027-07-31\n")
        run(folder, log)
    deciding.explain(folder, "C-0001", "TSM", f"asked for by {WHO}", "Principal")
    by = {"who": "x", "role": "technical_services_manager", "reason": "termly"}
    begins = datetime(2026, 11, 2, 9, tzinfo=UTC)
    book = schoolfolder.journal(folder, "checks")
    book.append(*checks.plan("K-0001", begins, begins + timedelta(hours=1), begins, **by, tester="TSM", device="LT-1", device_class="laptop",
                             owner="school", site="main", user_group="students", tool="a test page"))
    book.append(*checks.record(checks.fold_checks(book.entries())["K-0001"], {"adult": "fail"}, begins.date(), **by,
                               action="speak with Jo Bloggs", owner="TSM", due="2026-11-09"))
    return folder


@pytest.fixture
def school(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(made, tmp_path / "school")


@pytest.fixture(scope="module")
def pack(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of its term, unpacked."""
    place = tmp_path_factory.mktemp("pack")
    said = inspecting.make(made, "autumn-2026", place / "pack.zip", "a visit")
    assert "read index.html first" in said
    assert (place / "pack.zip").stat().st_mode & 0o777 == 0o600
    return unpacked(place / "pack.zip", place / "out")


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table of the pack."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_it_verifies_with_standard_tools_and_its_first_page_leads_to_every_file(pack: Path) -> None:
    """Each file is named on the first page or stands beside a page that is; each link of it leads to a file that is there."""
    assert verified(pack)
    linked = set(re.findall(r'href="([^"#]+)"', (pack / "index.html").read_text("utf-8")))
    assert all((pack / name).is_file() for name in linked)
    tables = {path.name for path in pack.glob("*.csv") if path.name.count(".") > 1}
    own = {"index.html", "README.txt", "SHA256SUMS"}
    assert {path.name for path in pack.iterdir()} == linked | own | tables
    assert {name.partition(".")[0] for name in tables} <= {name.partition(".")[0] for name in linked | own}


def test_it_answers_what_an_inspector_asks_and_says_what_it_does_not_hold(pack: Path) -> None:
    """Policy, questions, roles, checks, breaches, changes, coverage; training and impact assessment are said to be missing."""
    text = (pack / "index.html").read_text("utf-8")
    for said in ("overdue since March 2022", "33 questions, none of them decided", "1 check of the filter, 1 with a failure", "1 filter failure",
                 "1 change, none without a reason", "1 termly summary, as issued", "No annual report has been issued yet", "Every register holds",
                 "Training of staff", "data protection impact assessment", "360 degree safe: ________"):
        assert said in text, said
    assert "Table 7.2" in (pack / "policy.txt").read_text("utf-8")
    assert {row["role"]: row["people"] for row in rows(pack / "roles.csv")}["Designated safeguarding lead"] == "1"
    days = {row["day"]: row["lines"] for row in rows(pack / "coverage.csv")}
    assert (days["2026-11-02"], days["2026-10-23"]) == ("14", "0"), "a silent school day is a row"


def test_it_names_no_pupil_though_somebody_typed_a_name(made: Path, pack: Path) -> None:
    """A name in a reason or an action is taken out, and the first page says how many; no login, no site of a case, no pseudonym."""
    whole = "\n".join(path.read_text("utf-8") for path in pack.iterdir())
    for row in csv.DictReader(io.StringIO(PEOPLE)):
        assert row["role"] != "student" or not re.search(f"{row['name']}|{row['username']}", whole, re.IGNORECASE)
    assert "asked for by (name withheld) ((name withheld))" in (pack / "changes.changes.csv").read_text("utf-8")
    assert "names of pupils that somebody had typed" in whole
    people = {state.summary["person"] for state in casework.states_of(made).values()}
    assert people and not any(word in whole for word in (*people, "adult-one"))


def test_leaders_pages_are_those_that_were_issued_and_one_that_was_altered_shows(made: Path, pack: Path, school: Path, tmp_path: Path) -> None:
    """To the byte, and the register of pages has their sums; nothing is added to it by the pack."""
    name = "termly-autumn-2026.html"
    assert (pack / name).read_bytes() == (made / "reports/leadership" / name).read_bytes()
    assert [(row["page"], row["as_in_the_register"]) for row in rows(pack / "issued.csv")] == [(name, "yes")]
    before = len(schoolfolder.journal(school, "pages").entries())
    page = school / "reports/leadership" / name
    page.write_text(page.read_text("utf-8").replace("No action.", "All is well."), "utf-8")
    inspecting.make(school, "2026-11", tmp_path / "altered.zip", "a visit")
    assert [row["as_in_the_register"] for row in rows(unpacked(tmp_path / "altered.zip", tmp_path / "out") / "issued.csv")] == ["no"]
    assert len(schoolfolder.journal(school, "pages").entries()) == before


def test_making_one_is_written_down_and_what_may_not_be_made_is_refused(school: Path, tmp_path: Path) -> None:
    """Who, why and how much; a role that may not, no reason, a period without a judged day: nothing is written."""
    inspecting.make(school, "2026-27", tmp_path / "pack.zip", "Ofsted is here")
    entry = schoolfolder.journal(school, "access").entries()[-1]
    assert (entry.kind, entry.ref, (entry.body or {})["why"], (entry.body or {})["names"]) == ("export", "inspection 2026-27", "Ofsted is here", False)
    told = len(schoolfolder.journal(school, "access").entries())
    for period, reason, said in (("2026-27", " ", "needs a reason"), ("spring-2027", "x", "no day that has been judged"), ("soon", "x", "is no period")):
        with pytest.raises(UsageError, match=said):
            inspecting.make(school, period, tmp_path / "none.zip", reason)
    role(school, "head_of_year")
    with pytest.raises(RefusedError, match="may not pack evidence for inspection"):
        inspecting.make(school, "2026-27", tmp_path / "none.zip", "x")
    assert not (tmp_path / "none.zip").exists() and len(schoolfolder.journal(school, "access").entries()) == told
    with zipfile.ZipFile(tmp_path / "pack.zip") as box:
        assert box.namelist()[0].startswith("inspection-2026-27/")
