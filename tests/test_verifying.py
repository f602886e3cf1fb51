"""Verify holds the registers against what was printed: pages below reports/, and heads typed from paper."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_school import line, make, run
from typer.testing import CliRunner

from pipeline import runs, schoolfolder, verifying
from pipeline.cli import app
from pipeline.journal import Journal
from pipeline.problems import UsageError

DAY = 86_400


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monday and Tuesday, a night each, with an incident each."""
    school = make(tmp_path_factory.mktemp("verifying") / "school", ("pornography",))
    log = school / "access.log"
    for day in range(2):
        with log.open("a") as more:
            more.write("".join(line(14_000 + day * DAY + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", verdict="TCP_DENIED/403")
                               for n in range(6)))
        run(school, log)
    return school


@pytest.fixture
def school(nights: Path, tmp_path: Path) -> Path:
    """A copy, to spoil."""
    return shutil.copytree(nights, tmp_path / "school")


def heads(school: Path, name: str) -> list[str]:
    """The heads that a register had."""
    return [entry.link() for entry in schoolfolder.journal(school, name).entries()]


def test_pages_that_print_heads_the_registers_had_agree(nights: Path) -> None:
    """The pages of Monday print heads of Monday, which later entries followed: they are heads that the registers had."""
    said, problems = verifying.verify(nights)
    printing = [page for page in (nights / "reports").rglob("*.html") if "register incidents" in page.read_text("utf-8")]
    assert problems == [] and said == [f"The heads printed on {len(printing)} pages are heads that the registers had."]
    assert {page.stem for page in printing} > {"nightly-2026-11-02", "nightly-2026-11-03", "dsl-list-2026-11-02"}


def test_a_register_cut_short_holds_in_itself_and_the_pages_after_disagree(school: Path) -> None:
    """Tuesday's incident is cut off: Monday's pages agree, Tuesday's are named, with the head and what to do."""
    path = school / "var/registers/incidents.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    last = heads(school, "incidents")[-1][:16]
    path.write_bytes(b"".join(lines[:-1]))
    assert schoolfolder.verify(school) == []
    (problem,) = verifying.verify(school)[1]
    assert problem.where == "the register incidents" and "a backup of the registers of that day" in str(problem)
    for page in ("technical/nightly-2026-11-03.html", "safeguarding/dsl-list-2026-11-03.html", "principal/principal-2026-11-03.html"):
        assert f"reports/{page} ({last})" in problem.what
    assert "the last page that agrees is reports/technical/nightly-2026-11-02.html" in problem.what


def test_a_register_written_anew_holds_in_itself_and_no_page_agrees(school: Path) -> None:
    """Somebody made the chain again, entry for entry, with one incident's tier changed."""
    path = school / "var/registers/incidents.jsonl"
    events = [(entry.kind, entry.ref, (entry.body or {}) | {"tier": "T3"}) for entry in Journal(path).entries()]
    path.unlink()
    Journal(path).append_all(events)
    (problem,) = verifying.verify(school)[1]
    assert "never had the head that is printed on reports/" in problem.what and "no page agrees" in problem.what
    assert "2026-11-02" in problem.what and "2026-11-03" in problem.what


def test_a_page_of_nobody_here_is_not_asked(school: Path) -> None:
    """Samples and copies in folders that are no reader's print heads of other registers."""
    (school / "reports/sample").mkdir()
    page = (school / "reports/technical/nightly-2026-11-02.html").read_text("utf-8")
    (school / "reports/sample/nightly.html").write_text(page.replace(heads(school, "incidents")[0][:16], "f" * 16), "utf-8")
    assert verifying.verify(school)[1] == []


def test_a_head_typed_from_paper_is_found_however_much_of_it_was_typed(nights: Path) -> None:
    """With capitals and spaces too; the answer says which entry left it; an empty register's is zeros."""
    head = heads(nights, "incidents")[0]
    typed = [f"incidents={head[:13]}", f"Incidents = {head[:8].upper()} {head[8:16]}", f"incidents={head}", "checks=0000000000000000"]
    said, problems = verifying.verify(nights, typed=typed)
    assert problems == [] and said[1:] == [
        f"incidents had the head {head[:13]} after entry 1.", f"incidents had the head {head[:16]} after entry 1.",
        f"incidents had the head {head} after entry 1.", "checks had the head 0000000000000000 while it was empty."]


def test_a_head_that_never_was_is_a_fault_and_exits_4(nights: Path) -> None:
    """One letter off, the last of all or the last that was typed, or another register's."""
    head = heads(nights, "incidents")[0]
    other = {True: "1", False: "0"}
    for typed in (f"incidents={head[:12]}{other[head[12] == '0']}", f"incidents={head[:-1]}{other[head[-1] == '0']}",
                  f"breaches={head[:13]}"):
        done = CliRunner().invoke(app, ["--school", str(nights), "verify", "--head", typed])
        assert done.exit_code == 4 and "never had the head" in done.output and "reading it again from the paper" in done.output


@pytest.mark.parametrize("typed", ["incidents", "nothing=020a4b43cd50f", "incidents=020a4b4", "incidents=020a4b43cd50g", "incidents="])
def test_what_is_no_head_is_said_before_anything_is_walked(nights: Path, typed: str) -> None:
    """A word that is no register, too few letters, a letter that no head has."""
    with pytest.raises(UsageError, match=r"incidents=020a4b43cd50f"):
        verifying.verify(nights, typed=[typed])


def test_whole_finds_what_the_proof_finds(school: Path) -> None:
    """A changed entry is named, with the proof and without."""
    path = school / "var/registers/incidents.jsonl"
    assert verifying.verify(school)[1] == []
    path.write_bytes(path.read_bytes().replace(b'"tier":"T2"', b'"tier":"T3"', 1))
    found = [[fault.where for fault in verifying.verify(school, whole)[1]] for whole in (False, True)]
    assert found[0] == found[1] == [f"{path}, line 1"]


def test_a_head_from_paper_is_a_question_and_no_run_of_the_weekly_job(school: Path) -> None:
    """Whoever mistypes it does not make the status say that the week's verify failed; without one, the run is the job's."""
    asked = CliRunner().invoke(app, ["--school", str(school), "verify", "--head", "incidents=deadbeef99"])
    assert (asked.exit_code, asked.stdout.splitlines()[0], "weekly" in runs.known(school)) == (4, "1 fault.", False)
    assert CliRunner().invoke(app, ["--school", str(school), "verify"]).exit_code == 0
    assert runs.known(school)["weekly"].code == 0
