"""The sealed protocol, rule by rule: what is sealed, what is never kept, who is told, what a page says, and who opens a copy."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import ROOT, schoolgate, typed
from small_school import line, make, run, where_found
from tables_text import DAY, at, build, rows
from test_casework import ME, ref_on, role

from pipeline import casework, schoolfolder, sealing
from pipeline.incidents import breaches
from pipeline.policy import read_policy
from pipeline.problems import RefusedError, UsageError
from pipeline.register import custody
from pipeline.register.incidents import IncidentState
from pipeline.tables import DETECTIONS, VERDICTS, VISITS, empty
from pipeline.vault import load_keys

HOSTS = ("zz-pupil.invalid", "zz-staff.invalid", "zz-mixed.invalid")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night: a pupil stopped at a listed address, a member of staff stopped, and a pupil who was stopped once and let through
    a moment later at the same address."""
    folder = make(tmp_path_factory.mktemp("sealed") / "school")
    log = folder / "access.log"
    log.write_text("".join([
        line(0, "fenmarsh.test"), line(100, f"http://{HOSTS[0]}/zz-path?q=zz-search", verdict="TCP_DENIED/451"),
        line(4000, HOSTS[1], "j.inkpen", "10.30.0.4", "TCP_DENIED/451"),
        line(9000, HOSTS[2], "20mquill", "10.20.0.9", "TCP_DENIED/451"),
        line(9020, f"http://{HOSTS[2]}/zz-again", "20mquill", "10.20.0.9"), line(9900, "fenmarsh.test", "20mquill", "10.20.0.9")]), "utf-8")
    run(folder, log)
    return folder


@pytest.fixture
def school(judged: Path) -> Path:
    """The same school, with the DSL at the keyboard."""
    role(judged, "dsl")
    return judged


def sealed_of(folder: Path, actor: str) -> IncidentState:
    """The sealed incident of the first subject of a kind."""
    return next(state for state in casework.states_of(folder).values()
                if state.summary["tier"] == "T0" and state.summary["actor"] == actor)


def test_1_only_the_filters_own_verdict_seals(school: Path, tmp_path: Path) -> None:
    """A list that names a sealed category is a fault of the rules: no list may ever raise it."""
    assert len([s for s in casework.states_of(school).values() if s.summary["tier"] == "T0"]) == 3
    folder = make(tmp_path / "other")
    own = folder / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "somewhere.test,illegal_csam,mine,TSM,2027-07-31\n", "utf-8")
    assert "illegal_csam" in schoolgate(folder, "check").stderr


def test_2_and_3_no_address_path_search_or_digest_of_them_is_kept(school: Path) -> None:
    """Not in any file but the encrypted copies; also not of the line of the same client that followed within the minute."""
    copies = set((school / "var/sealed").glob("*.sealed"))
    digests = {hashlib.sha256(host.encode()).hexdigest() for host in HOSTS}
    found = where_found(school, [*HOSTS, "zz-path", "zz-again", "zz-search", *digests], {*copies, school / "access.log"})
    assert copies and found == {}


def test_4_the_copy_is_in_custody_apart_from_its_key_and_every_opening_is_on_record(school: Path, tmp_path: Path) -> None:
    """Taken with its hash; opened for the police, before a witness, into a file of its owner alone; the entry stands first."""
    (copy,) = (school / "var/sealed").glob("*.sealed")
    (taken,) = schoolfolder.journal(school, "custody").entries()[:1]
    assert (taken.kind, taken.ref) == ("taken", copy.name) and sealing.faults(school) == []
    assert load_keys(school / "var/keys").sealed not in copy.read_bytes()
    ref, to = sealed_of(school, "student").ref, tmp_path / "handed-over"
    for more, said in (({"witness": ""}, "needs a witness"), ({"witness": ME}, "somebody else"), ({"holder": " "}, "needs who it is for")):
        with pytest.raises(UsageError, match=said):
            sealing.open_copy(school, ref, to, "asked by letter", **{"holder": "police 44/1", "witness": "Principal"} | more)
    with pytest.raises(UsageError, match="inside the school folder"):
        sealing.open_copy(school, ref, school / "reports/x", "asked by letter", "police 44/1", "Principal")
    assert not to.exists() and len(schoolfolder.journal(school, "custody").entries()) == 1
    done = typed(school, "sealed", "open", ref, "--to", str(to), "--for", "police 44/1", "--witness", "Principal", "--reason", "by letter")
    assert done.returncode == 0, done.stderr
    assert to.read_bytes() == (school / "access.log").read_bytes() and to.stat().st_mode & 0o777 == 0o600
    opened = schoolfolder.journal(school, "custody").entries()[-1]
    assert opened.body is not None and (opened.kind, opened.ref, opened.body["for"], opened.body["witness"], opened.body["who"]) == (
        "opened", copy.name, "police 44/1", "Principal", ME)
    assert f"copy  {copy.name}" in "\n".join(sealing.listed(school)) and "opened 1 times" in "\n".join(sealing.listed(school))


def test_4_a_copy_that_was_altered_is_found(school: Path) -> None:
    """One byte more, and `verify` names the copy."""
    (copy,) = (school / "var/sealed").glob("*.sealed")
    whole = copy.read_bytes()
    copy.write_bytes(whole + b"x")
    assert copy.name in str(sealing.faults(school)[0])
    copy.write_bytes(whole)
    assert sealing.faults(school) == []


def test_5_nothing_here_can_look_an_address_up() -> None:
    """No module of the program speaks to a network but the one that fetches lists, and those that hand mails to the school's server."""
    words = re.compile(r"^\s*(import|from) (socket|http|urllib\.request|requests|ftplib|smtplib)\b", re.MULTILINE)
    speaking = {path.name for path in (ROOT / "pipeline").rglob("*.py") if words.search(path.read_text("utf-8"))}
    assert speaking <= {"listfetch.py", "mail.py", "posting.py"}


def test_6_and_7_a_page_says_a_reference_and_facts_to_those_who_must_know(school: Path) -> None:
    """The DSL's page has the pupils' items, the Principal's the member of staff's; no name, no address, no link, nowhere else."""
    pages = {path.relative_to(school / "reports").as_posix(): path.read_text("utf-8") for path in (school / "reports").rglob("*.html")}
    staff, pupil = sealed_of(school, "staff").ref, sealed_of(school, "student").ref
    dsl, head = (pages[name] for name in ("safeguarding/dsl-list-2026-11-02.html", "principal/principal-2026-11-02.html"))
    assert pupil in dsl and staff not in dsl and staff in head
    assert "Inkpen" not in head and "Quill" not in dsl and "<a href=\"http" not in dsl + head
    assert not any(pupil in text or staff in text for name, text in pages.items() if name.startswith("leadership"))


def test_7_what_is_about_staff_is_the_principals_and_about_the_principal_the_chairs(school: Path) -> None:
    """The DSL does not see the staff item, a technician none; the Principal takes the staff item up."""
    staff, pupil = sealed_of(school, "staff").ref, sealed_of(school, "student").ref
    listed = "\n".join(sealing.listed(school))
    assert pupil in listed and staff not in listed
    role(school, "technical_services_manager")
    assert sealing.listed(school) == []
    with pytest.raises(RefusedError, match="is not for the role technical_services_manager"):
        sealing.open_copy(school, pupil, school.parent / "x", "y", "z", "w")
    role(school, "principal")
    assert staff in "\n".join(sealing.listed(school))


def test_8_what_to_do_and_not_to_do_stands_beside_it(school: Path) -> None:
    """Do not visit, search, open, question or tell; the device; 101 and 999; who did what: on the page and at the command line."""
    page = (school / "reports/safeguarding/dsl-list-2026-11-02.html").read_text("utf-8")
    said = schoolgate(school, "sealed", "list").stdout
    for words in ("Do not visit, search for or test the address", "do not open the raw log", "take police advice before powering it",
                  "Do not question the pupil", "do not tell parents", "Call 101, or 999", "Write down who did what"):
        assert words in said and words in re.sub(r"\s+", " ", page)


AT = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(("others", "visits", "shaped"), [
    ([("p1", ["terror"], 3)], [("p1", "pornography", 5)], True), ([], [("p1", "filter_check", 9)], True),
    ([("p1", ["terror"], 3)], [], False), ([], [("p1", "pornography", 5)], False),
    ([("p1", ["terror"], 300)], [("p1", "pornography", 5)], False), ([("p2", ["terror"], 3)], [("p2", "pornography", 5)], False)])
def test_9_the_shape_of_a_filter_test_is_said_and_nothing_more(others: Any, visits: Any, shaped: bool) -> None:
    """Two lists and an adult site within the minute, or a known test page: by the same person, or it is not that shape."""
    item = {"subject": "p1", "lists": ["abuse"], "started": AT}
    rest = [{"subject": who, "lists": lists, "started": AT + timedelta(seconds=after)} for who, lists, after in others]
    near = [{"subject": who, "category": what, "started": AT + timedelta(seconds=after)} for who, what, after in visits]
    assert custody.looks_like_a_test(item, rest, near) is shaped


def test_9_without_a_window_it_stays_sealed_under_a_banner(tmp_path: Path) -> None:
    """Worked example 8: a test page and a verdict within seconds, no check registered: sealed, suspected, the shape is said."""
    folder = make(tmp_path / "school", lists=True)
    log = folder / "access.log"
    log.write_text(line(0, "testfiltering.com") + line(5, "zz-test.invalid", verdict="TCP_DENIED/451") + line(900, "fenmarsh.test"), "utf-8")
    run(folder, log)
    (text,) = [text for text in sealing.listed(folder) if text.startswith("I-")]
    assert "suspected" in text and text.endswith("shape matches a filter test: confirm with the tester")


def test_10_the_wording_accuses_nobody(school: Path) -> None:
    """The filter returned a verdict: no page says that anybody saw, viewed or accessed anything."""
    for path in (school / "reports").rglob("*.html"):
        assert not re.search(r"accessed|viewed|child abuse image", path.read_text("utf-8"), re.IGNORECASE)
    policy, _ = read_policy({path.name: path.read_text("utf-8") for path in (school / "rules").glob("*.*")})
    assert policy is not None
    assert "the filter returned its illegal-content verdict" in policy.categories["illegal_csam"].text


LET_THROUGH = """
    subject | actor   | tier | category | outcome | started  | ended
    p1      | student | T0   | sealed   | allowed | 10:00:00 | 10:00:00
    p2      | student | T0   | sealed   | blocked | 10:05:00 | 10:05:00
    p3      | student | T0   | sealed   | mixed   | 10:09:00 | 10:10:00
    p4      | staff   | T0   | sealed   | blocked | 11:00:00 | 11:00:00
"""


def test_11_what_was_let_through_is_a_filter_failure_without_people_or_place() -> None:
    """One breach for the kind of account, open until somebody completes it; what was stopped is the filter working."""
    found = build(rows(LET_THROUGH), DETECTIONS, {"rule": "sealed", "route": "sealed", "day": DAY, "source": "s1", "line": 1})
    made = breaches(empty(VISITS), empty(VERDICTS), found, DAY).to_pylist()
    assert [(row["key"], row["part"], row["site"], row["worked"], row["people"], row["visits"]) for row in made] == [
        ("failure|sealed|student", "failure", "sealed", "mixed", None, 2)]
    assert (made[0]["first_seen"], made[0]["last_seen"], made[0]["first_blocked"]) == (at("10:00"), at("10:10"), None)


def test_11_the_leaders_do_not_read_of_it(school: Path) -> None:
    """Not one word of a sealed item on the page of the leaders."""
    page = (school / "reports/leadership/termly-autumn-2026.html").read_text("utf-8")
    always = "Welfare, sealed and staff matters are with those who may see them"  # stands there whatever the term held
    assert always in page
    assert "sealed" not in page.partition("<body>")[2].replace(always, "").lower()


def test_12_nothing_of_this_repository_names_such_an_address() -> None:
    """Lists, samples and rules have no entry of a sealed category: such a category stands in no list at all."""
    names = ("illegal_csam", "illegal_terrorism", "extreme_pornography")
    assert not [path for path in (ROOT / "rules/lists").glob("*.txt") if path.stem in names]
    own = (ROOT / "rules/lists/own.csv").read_text("utf-8")
    assert not any(name in own for name in names)


def test_a_sealed_item_shows_no_line_and_no_context(school: Path) -> None:
    """`explain` refuses, `show` says nothing of the hour around it."""
    role(school, "dsl")
    ref = ref_on(school, "sealed")
    refused = schoolgate(school, "explain", ref)
    assert refused.returncode == 3 and "sealed" in refused.stderr
    assert "context     " not in schoolgate(school, "incident", "show", sealed_of(school, "student").ref).stdout
