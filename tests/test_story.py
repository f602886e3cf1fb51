"""One invented day, from log lines to the page a DSL reads and the decision that is taken. Start here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from front_door import ROOT, schoolgate, typed
from test_lines import T0, line

from pipeline import keyboard


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school folder with the repository's rules, after one night on a small log."""
    folder = tmp_path_factory.mktemp("school")
    shutil.copytree(ROOT / "rules", folder / "rules")
    settings = (ROOT / "school.toml").read_text("utf-8")
    folder.joinpath("school.toml").write_text(settings.replace("[roles]", f'[roles]\n{keyboard.login()} = "dsl"'), "utf-8")
    folder.joinpath("people.csv").write_text("username,name,role,year,house\n19jbloggs,Jo Bloggs,student,9,Heron\n", "utf-8")
    log = folder / "access.log"
    tries = [line(14_000 + 40 * n, f"adult-{('one', 'two', 'three', 'four')[n % 4]}.test", verdict="TCP_DENIED/403") for n in range(6)]
    log.write_text("".join([line(0, "lessons.fenmarsh.test"), *tries]))
    night = typed(folder, "nightly", str(log))
    assert night.returncode == 0, night.stderr
    assert f"{T0}" not in night.stdout
    return folder


def test_six_blocked_tries_are_one_incident_with_the_rows_the_policy_prints(school: Path) -> None:
    """Blocked is not seen: the page says so, proposes IN-14 as a question, and says it is suspected."""
    page = (school / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")
    assert "Jo Bloggs" in page
    assert "IN-14" in page
    assert "the filter let nothing through" in page
    assert "suspected" in page
    assert "accessed" not in page


def test_no_page_for_other_readers_names_the_pupil(school: Path) -> None:
    """The TSM's and the leaders' pages, and every CSV beside them, hold no name and no login."""
    for page in [*(school / "reports/technical").iterdir(), *(school / "reports/leadership").iterdir()]:
        text = page.read_text("utf-8")
        assert "Bloggs" not in text
        assert "jbloggs" not in text


def test_only_a_person_moves_an_incident_on_and_the_night_leaves_it_there(school: Path) -> None:
    """Confirmed by command with a role and a reason; the next night, with more lines of that day, does not touch it."""
    assert "I-0001  suspected" in typed(school, "incident", "list").stdout
    refused = schoolgate(school, "incident", "confirm", "I-0001", "--reason", "spoke with him", "--row", "IN-99")
    assert refused.returncode == 2
    assert "IN-99" in refused.stderr
    done = typed(school, "incident", "confirm", "I-0001", "--reason", "spoke with him", "--row", "IN-14")
    assert done.returncode == 0, done.stderr
    with (school / "access.log").open("a") as log:
        log.write(line(14_300, "adult-one.test", verdict="TCP_DENIED/403"))
    assert schoolgate(school, "nightly", str(school / "access.log")).returncode == 0
    assert "I-0001  confirmed" in schoolgate(school, "incident", "list").stdout
    assert typed(school, "verify").returncode == 0


def test_explain_walks_from_an_incident_to_its_lines_and_writes_the_look_down(school: Path) -> None:
    """The first blocked try is line 2 of the log; the access register grows by one entry."""
    access = school / "var/registers/access.jsonl"
    before = access.read_text("utf-8").count("\n")
    told = typed(school, "explain", "I-0001")
    assert told.returncode == 0, told.stderr
    assert "access.log, line 2" in told.stdout
    assert "adult-one[.]test" in told.stdout
    assert access.read_text("utf-8").count("\n") == before + 1


def test_a_changed_rule_stands_in_the_change_log_until_somebody_says_why(school: Path) -> None:
    """The night sees the edit by itself; `change add` gives it its reason."""
    own = school / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "newgame.test,games,asked for by year 8,TSM,2027-07-31\n", "utf-8")
    schoolgate(school, "nightly", str(school / "access.log"))
    listed = typed(school, "change", "list").stdout
    assert "newgame[.]test" in listed
    assert "changed without a reason" in listed
    ref = listed.split()[0]
    assert schoolgate(school, "change", "add", ref, "--who", "TSM", "--why", "homework club", "--approver", "AP").returncode == 0
    assert "homework club" in schoolgate(school, "change", "list").stdout


def test_a_broken_rule_file_does_not_stop_the_night(school: Path) -> None:
    """It runs on the last good rules, says so, and exits 5."""
    policy = school / "rules/policy.toml"
    good = policy.read_text("utf-8")
    policy.write_text("title = [", "utf-8")
    try:
        night = schoolgate(school, "nightly", str(school / "access.log"))
        assert night.returncode == 5
        assert "last good" in night.stderr
        assert typed(school, "check").returncode == 2
    finally:
        policy.write_text(good, "utf-8")


def test_a_night_without_logs_says_so(school: Path, tmp_path: Path) -> None:
    """Silence is written down, and the account begins with it."""
    night = schoolgate(school, "nightly")
    assert night.stdout.startswith("No log was heard from")
    assert schoolgate(tmp_path, "nightly").returncode == 2


def test_init_makes_a_folder_that_checks_and_holds_nobody(tmp_path: Path) -> None:
    """A new school folder has no fault, no person and none of the made-up school's sites; a second init is refused."""
    folder = tmp_path / "new"
    assert typed(tmp_path, "init", str(folder)).returncode == 0
    assert "0 faults" in schoolgate(folder, "check").stdout
    assert (folder / "people.csv").read_text("utf-8").count("\n") == 1
    assert (folder / "rules/lists/own.csv").read_text("utf-8").count("\n") == 1
    assert "Fenmarsh Community" not in (folder / "school.toml").read_text("utf-8")
    assert schoolgate(tmp_path, "init", str(folder)).returncode == 3
