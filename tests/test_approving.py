"""Names of many people are shown by two: the approval, what it lets, and the monthly list of who looked at whom."""

from __future__ import annotations

import csv
import html
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from small_school import MONDAY, line, make, run
from typer.testing import CliRunner

from pipeline import approving, casework, exporting, issuing, keyboard, schoolfolder
from pipeline.cli import app
from pipeline.pages import looks as page
from pipeline.problems import RefusedError, UsageError
from pipeline.publishing import looking

ME = keyboard.login()
PEOPLE = "username,name,role,year,house\n19jbloggs,Jo Bloggs,student,9,\n20mquill,Mo Quill,student,8,\n"


class November(datetime):
    """A clock that stands in November."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """The evening of the fifth."""
        return datetime(2026, 11, 5, 19, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def clock() -> Iterator[None]:
    """The registers are written in November."""
    with patch("pipeline.journal.datetime", November):
        yield


@pytest.fixture(scope="module")
def nights(clock: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monday: an incident each of two pupils. Two people must be approved by a second person; a.head, a.dpo and it.lead have roles."""
    school = make(tmp_path_factory.mktemp("approving") / "school", ("pornography",), PEOPLE)
    log = school / "access.log"
    log.write_text("".join(line(14_000 + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", who, f"10.20.0.{at}", "TCP_DENIED/403")
                           for at, who in ((7, "19jbloggs"), (9, "20mquill")) for n in range(6)))
    run(school, log)
    toml = school / "school.toml"
    text = toml.read_text("utf-8").replace("[roles]", '[roles]\n"a.head" = "principal_slt"\n"a.dpo" = "dpo"\n"it.lead" = "technical_services_manager"')
    toml.write_text(text.replace("\n[reveals]", "\n[reveals]\nsecond_from = 2\n#", 1), "utf-8")
    return school


@pytest.fixture
def school(nights: Path, tmp_path: Path) -> Path:
    """A copy, to look in."""
    return shutil.copytree(nights, tmp_path / "school")


def by(login: str) -> Any:
    """Somebody at the keyboard."""
    return patch("pipeline.keyboard.login", lambda: login)


def approve(school: Path, who: str = "a.head", login: str = ME, days: tuple[date, date] = (MONDAY, MONDAY), until: date | None = None,
            reason: str = "the inspector asks", what: str = approving.EXPORT) -> str:
    """One approval."""
    with by(who):
        return approving.approve(school, login, what, days, until, reason)


def export(school: Path) -> int:
    """The export with names, by me: how many people it shows."""
    exporting.detections(school, school / "out.csv", True)
    return len({row["user"] for row in csv.DictReader((school / "out.csv").read_text("utf-8").splitlines())})


def looks(school: Path, kind: str = "reveal") -> list[dict[str, Any]]:
    """What the register of looks has of exports, or of approvals."""
    return [entry.body or {} for entry in schoolfolder.journal(school, "access").entries()
            if entry.ref == "export-detections" and entry.kind == kind]


def settings(school: Path, old: str, new: str) -> None:
    """Another setting."""
    toml = school / "school.toml"
    toml.write_text(toml.read_text("utf-8").replace(old, new), "utf-8")


def test_without_an_approval_many_names_are_refused_and_nothing_is_written(school: Path) -> None:
    """It says how many, and the command that somebody else must give; no file is there and no reveal in the register."""
    with pytest.raises(RefusedError, match="shows 2 people: from 2 on a second person approves it first") as refused:
        export(school)
    assert f"`schoolgate access approve {ME} --from {MONDAY} --to {MONDAY}`" in str(refused.value)
    assert not (school / "out.csv").exists() and looks(school) == []


def test_an_approval_lets_one_export_go_ahead_once_and_both_are_on_record(school: Path) -> None:
    """The reveal names who approved it and the entry of the approval; the second time there is none."""
    assert "may once run `export detections --names`" in approve(school)
    assert export(school) == 2
    (reveal,) = looks(school)
    (entry,) = (entry for entry in schoolfolder.journal(school, "access").entries() if entry.kind == "approved")
    assert (reveal["by"], reveal["second"], reveal["approval"], reveal["people"]) == (ME, "a.head", entry.n, 2)
    assert entry.body == {"by": "a.head", "role": "principal_slt", "for": ME, "what": "export detections", "from": "2026-11-02",
                          "to": "2026-11-02", "until": (entry.body or {})["until"], "why": "the inspector asks"}
    with pytest.raises(RefusedError, match="a second person approves it first"):
        export(school)


@pytest.mark.parametrize("given", [
    {"login": "somebody.else"}, {"days": (MONDAY + timedelta(days=1), MONDAY + timedelta(days=9))},
    {"days": (MONDAY - timedelta(days=9), MONDAY - timedelta(days=1))}])
def test_an_approval_of_something_else_lets_nothing(school: Path, given: dict[str, Any]) -> None:
    """For another login, or of other days than those that would be shown."""
    approve(school, **given)
    with pytest.raises(RefusedError, match="a second person"):
        export(school)


def test_an_approval_ends_after_its_last_day(school: Path) -> None:
    """On that day it holds, the day after it does not."""
    today = casework.today(schoolfolder.settings(school))
    approve(school, until=today)
    with patch("pipeline.approving.casework.today", lambda _: today + timedelta(days=1)), pytest.raises(RefusedError):
        export(school)
    assert export(school) == 2


@pytest.mark.parametrize(("given", "why"), [
    ({"who": "it.lead"}, "may not approve: the role is technical_services_manager"), ({"who": ME}, "may not approve: the role is dsl"),
    ({"who": "nobody.here"}, "has no role"), ({"who": "a.dpo", "login": "a.dpo"}, "may not approve for themselves")])
def test_who_may_not_approve_is_refused(school: Path, given: dict[str, Any], why: str) -> None:
    """A role that may not, no role, and whoever asks for themselves; nothing is written down."""
    with pytest.raises(RefusedError, match=why):
        approve(school, **given)
    assert looks(school, "approved") == []


@pytest.mark.parametrize(("given", "why"), [
    ({"reason": " "}, "needs a reason"), ({"login": " "}, "needs the login"), ({"what": "explain"}, "needs no approval"),
    ({"until": date(2020, 1, 1)}, "has passed"), ({"days": (MONDAY, MONDAY - timedelta(days=1))}, "lies before the first day")])
def test_an_approval_says_what_for_how_long_and_why(school: Path, given: dict[str, Any], why: str) -> None:
    """What is missing or makes no sense is said, and nothing is written down."""
    with pytest.raises(UsageError, match=why):
        approve(school, **given)
    assert looks(school, "approved") == []


def test_fewer_people_than_the_setting_need_no_second_person(school: Path) -> None:
    """From three on: two go ahead, and the register says that nobody approved it."""
    settings(school, "second_from = 2", "second_from = 3")
    assert export(school) == 2
    assert [(look["people"], look["second"], "approval" in look) for look in looks(school)] == [(2, "", False)]


def test_a_school_that_sets_nothing_exports_as_ever_and_the_list_says_so(school: Path) -> None:
    """The contract holds; an approval that was given is used all the same."""
    settings(school, "second_from = 2\n", "")
    assert export(school) == 2
    approve(school)
    assert export(school) == 2
    assert [look["second"] for look in looks(school)] == ["", "a.head"]


def listed(school: Path, month: str) -> str:
    """The list of a month, as text."""
    issuing.report(school, "looks", month)
    text = (school / f"reports/access/looks-{month}.html").read_text("utf-8")
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text[text.index("<main"):]).split()))


def test_the_monthly_list_says_who_looked_at_whom_and_who_approved(school: Path) -> None:
    """Each look of a person with references, never a name; approvals; the pages that the night made; who had no second person."""
    settings(school, "second_from = 2\n", "")
    export(school)
    approve(school)
    export(school)
    found = listed(school, "2026-11")
    assert f"{ME} showed several people's names at once, and no second person had approved it (1 time)" in found
    row = f"{ME} export detections --names I-0001, I-0002 2 not asked"
    assert f"{row} nobody approved" in found and f"{row} a.head" in found
    assert f"a.head principal_slt {ME} export detections 2026-11-02 to 2026-11-02" in found and "the inspector asks" in found
    assert "DSL list the designated safeguarding lead and deputies 1 2" in found
    assert not any(word in found for word in ("Bloggs", "Quill", "19jbloggs", "20mquill"))
    assert (school / "reports/access").stat().st_mode & 0o777 == 0o700


def test_the_list_comes_with_the_first_day_judged_after_the_month(school: Path) -> None:
    """Not in the month itself, and not for a month in which nobody was shown, such as October."""
    log, place = school / "access.log", school / "reports/access"

    def nightly(second: float) -> list[str]:
        with log.open("a") as more:
            more.write(line(second, "wiki.test"))
        run(school, log)
        return sorted(path.name for path in place.glob("*.html"))
    assert nightly(86_400) == []
    assert nightly(29 * 86_400) == ["index.html", "looks-2026-11.html"]


def test_from_the_command_line(school: Path) -> None:
    """A refusal is a sentence and exit code 3; the command that it names mends it."""
    refused = CliRunner().invoke(app, ["--school", str(school), "export", "detections", "--names", "--to", str(school / "out.csv")])
    assert isinstance(refused.exception, RefusedError) and refused.exception.code == 3
    with by("a.dpo"):
        words = ["access", "approve", ME, "--from", str(MONDAY), "--to", str(MONDAY), "--reason", "asked by the governors"]
        done = CliRunner().invoke(app, ["--school", str(school), *words])
    assert done.exit_code == 0 and "approved by a.dpo (dpo)" in done.output
    assert CliRunner().invoke(app, ["--school", str(school), "export", "detections", "--names", "--to", str(school / "out.csv")]).exit_code == 0


def test_long_lists_and_odd_words_are_safe_on_the_page() -> None:
    """Ten references are a number, the first and the last; an address in a reason cannot be followed; nobody is said as nobody."""
    look = page.Look("Mon", "a.head", "evidence", [f"I-{n:04}" for n in reversed(range(9_995, 10_005))], 10, "see https://odd.test/x", "")
    made = page.build("November 2026", "Fen", page.Looks([look]), {})
    (row,) = made.tables["looks"].rows
    assert row[3] == "10, from I-9995 to I-10004" and "https://odd.test" not in row[5]
    assert page.build("November 2026", "Fen", page.Looks(), {}).owed == () and looking.KIND == "looks"
