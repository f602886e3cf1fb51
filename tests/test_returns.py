"""The return sheet: written by the night, ticked in a spreadsheet, read back whole or not at all."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from front_door import schoolgate
from hypothesis import given
from hypothesis import strategies as st
from small_school import line, run
from test_casework import ME, ref_on, role, school
from test_register import Book, story

from pipeline import casework, inbox, returning, schoolfolder
from pipeline.problems import UsageError
from pipeline.register.returns import COLUMNS, decisions, decoded, mark, rows

__all__ = ["school"]
TODAY = date(2026, 11, 10)


def sheet_of(folder: Path, reader: str = "safeguarding") -> Path:
    """The sheet the night wrote."""
    return folder / f"reports/{reader}/return-2026-11-02.csv"


def filled(folder: Path, to: Path, ticks: dict[str, dict[str, str]], form: str = "plain") -> Path:
    """The sheet with these boxes filled in by reference, saved as a spreadsheet would."""
    with sheet_of(folder).open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(COLUMNS), delimiter=";" if form == "semicolons" else ",")
    writer.writeheader()
    writer.writerows([row | ticks.get(row["ref"], {}) for row in found])
    data = out.getvalue()
    codings = {"plain": "utf-8", "semicolons": "cp1252", "mark": "utf-8-sig", "wide": "utf-16"}
    to.write_bytes(data.encode(codings[form], "replace"))
    return to


def states(folder: Path) -> dict[str, str]:
    """Route and state of each incident."""
    return {state.summary["route"]: state.state for state in casework.states_of(folder).values()}


def test_the_night_writes_a_row_an_incident_for_each_reader(school: Path) -> None:
    """The DSL's sheet has pupils, welfare and unknowns with names and questions; staff stand on the Principal's, sealed on none."""
    with sheet_of(school).open(newline="", encoding="utf-8") as file:
        found = {row["ref"]: row for row in csv.DictReader(file)}
    assert set(found) == {ref_on(school, route) for route in ("student", "welfare", "attribution")}
    mine = found[ref_on(school, "student")]
    assert (mine["who"], mine["year"], mine["deliberate"]) == ("Jo Bloggs", "9", "")
    assert mine["may_be"].startswith("IN-14 if deliberate; IN-13 if accidental and not reported")
    with sheet_of(school, "principal").open(newline="", encoding="utf-8") as file:
        assert [row["ref"] for row in csv.DictReader(file)] == [ref_on(school, "staff")]
    looks = [entry.body or {} for entry in schoolfolder.journal(school, "access").entries() if entry.ref.endswith("/return-2026-11-02")]
    assert {body["for"] for body in looks} == {"safeguarding", "principal"}


@pytest.mark.parametrize("form", ["plain", "semicolons", "mark", "wide"])
def test_a_ticked_sheet_is_applied_and_twice_is_once(school: Path, tmp_path: Path, form: str) -> None:
    """Deliberate, welfare and unknown: three decisions, whatever the spreadsheet made of the file; again: nothing new."""
    mine, care, who = (ref_on(school, route) for route in ("student", "welfare", "attribution"))
    ticks = {mine: {"deliberate": "X", "on": "03/11/2026", "note": "spoke with him"}, care: {"welfare": "✓" if form != "semicolons" else "y"},
             who: {"unknown": "1"}}
    sheet = filled(school, tmp_path / "sheet.csv", ticks, form)
    assert len(returning.take(school, sheet)) == 3
    assert (states(school)["student"], states(school)["welfare"], states(school)["attribution"]) == (
        "confirmed", "welfare_handover", "needs_identification")
    state = casework.states_of(school)[mine]
    assert (state.rows, state.intent, state.reason, state.decided_by) == (("IN-14",), "deliberate", "spoke with him, on 2026-11-03", ME)
    count = len(schoolfolder.journal(school, "incidents").entries())
    assert returning.take(school, sheet) == [] and len(schoolfolder.journal(school, "incidents").entries()) == count


def test_one_cell_that_will_not_do_leaves_the_whole_sheet(school: Path, tmp_path: Path) -> None:
    """Each refused cell has its line, its column and what to try; nothing of the sheet is applied."""
    mine, care = ref_on(school, "student"), ref_on(school, "welfare")
    before = schoolfolder.journal(school, "incidents").head()
    sheet = filled(school, tmp_path / "sheet.csv", {mine: {"dismiss": "boring"}, care: {"welfare": "x"},
                                                    ref_on(school, "attribution"): {"deliberate": "perhaps"}})
    done = schoolgate(school, "incident", "return", str(sheet))
    assert done.returncode == 2
    assert "dismiss: 'boring' is no reason to dismiss. Try: false_positive, background" in done.stderr
    assert "deliberate: 'perhaps' is neither a tick nor empty. Try: x, or nothing" in done.stderr
    assert schoolfolder.journal(school, "incidents").head() == before


def test_a_role_returns_only_what_it_may(school: Path, tmp_path: Path) -> None:
    """A head of year may not confirm, on paper or off."""
    role(school, "head_of_year")
    sheet = filled(school, tmp_path / "sheet.csv", {ref_on(school, "student"): {"deliberate": "x"}})
    with pytest.raises(UsageError, match="may not be confirmed by the role head_of_year"):
        returning.take(school, sheet)


def test_what_has_grown_since_it_was_printed_is_looked_at_again(school: Path, tmp_path: Path) -> None:
    """Another try that came with a late log: the old sheet is refused for that incident."""
    mine = ref_on(school, "student")
    sheet = filled(school, tmp_path / "sheet.csv", {mine: {"deliberate": "x"}})
    with (school / "access.log").open("a") as log:
        log.writelines(line(14_500 + 40 * n, "adult-three.test", verdict="TCP_DENIED/403") for n in range(6))
    run(school, school / "access.log")
    with pytest.raises(UsageError, match="has grown since this sheet was printed"):
        returning.take(school, sheet)
    assert casework.states_of(school)[mine].state == "suspected"


def test_the_next_night_reads_the_inbox(school: Path) -> None:
    """A good sheet is applied in the name of whose file it is and put away; a bad one stays, with an answer and exit code 5."""
    place = inbox.made(school)
    filled(school, place / "monday.csv", {ref_on(school, "student"): {"accidental": "x", "reported": "Y"}})
    (place / "other.csv").write_text("name,mark\nx,y\n", "utf-8")
    done = schoolgate(school, "nightly", "--today", "2026-11-02", str(school / "access.log"))
    assert done.returncode == 5 and "returned    monday.csv: 1 decisions" in done.stdout
    assert "other.csv, line 1: has no column ref" in done.stderr
    assert states(school)["student"] == "accidental_reported"
    assert sorted(path.name for path in place.iterdir()) == ["other.csv", "other.csv.answer.txt", "read"]
    assert [path.name for path in (place / "read").iterdir()] == ["monday.csv"]
    assert "Nothing of this sheet was applied." in (place / "other.csv.answer.txt").read_text("utf-8")


def test_a_sheet_of_somebody_without_a_role_is_refused(school: Path) -> None:
    """Whose file it is says who decided: no role, no decision."""
    settings = school / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace(f'{ME} = "dsl"', 'somebody_else = "dsl"'), "utf-8")
    filled(school, inbox.made(school) / "monday.csv", {ref_on(school, "student"): {"deliberate": "x"}})
    said, problems = returning.collect(school)
    assert said == [] and f"is a file of {ME}, who has no role" in str(problems[0])


HEAD = "ref,deliberate,accidental,reported,rows,dismiss,welfare,unknown,note,on"
FIT = {"I-0001": [("IN-14", {"intent": "deliberate"}), ("IN-12", {"intent": "deliberate"}),
                  ("IN-13", {"intent": "accidental", "reported": "no"})]}


@pytest.mark.parametrize(("cells", "said"), [
    ("I-0001,x,,,IN-14 + in-12,,,,,", ("confirmed", {"intent": "deliberate", "reported": "", "rows": ("IN-14", "IN-12")})),
    ("i-0001,,x,n,,,,,,", ("confirmed", {"intent": "accidental", "reported": "no", "rows": ("IN-13",)})),
    ("'I-0001,,x,Yes,,,,,,", ("accidental_reported", {})),
    ("I-0001,,,,,False Positive,,,,", ("dismissed", {"code": "false_positive"})),
    ("I-0001,,,,,,TRUE,,,", ("welfare_handover", {})), ("I-0001,no,,,,,,,,", None), ("I-0001,,,,,,,,later perhaps,", None),
    ("I-0001,x,,,,,,,,", "rows: does not say which rows of table 7.2 are confirmed. Try: IN-14 or IN-12"),
    ("I-0001,x,x,,,,,,,", "accidental: deliberate and accidental are both given"), ("I-0001,,x,,,,,,,", "reported: nothing does not say"),
    ("I-0001,x,,,IN-44,,,,,", "rows: IN-44 is no row"), ("I-0009,x,,,IN-14,,,,,", "ref: I-0009 is no incident here"),
    ("I-0001,,,,IN-14,,,,,", "rows: 'IN-14' stands there without a verdict"), ("I-0001,,,,,,x,,,11/11/2026", "on: 2026-11-11 has not come"),
    ("I-0001,,,,,,x,,,last week", "on: 'last week' is not a date")])
def test_each_box_means_what_it_says(cells: str, said: object) -> None:
    """One row, one verdict: what it decides, or the cell that will not do, and what to try."""
    book = Book()
    book.judge(story(1, rows=["IN-14", "IN-12", "IN-13"]))
    found, faults = rows(f"sep=,\n{HEAD}\n{cells}\n", "s.csv")
    assert faults == []
    made, faults = decisions(found, book.states(), {"IN-12", "IN-13", "IN-14"}, FIT, TODAY, "s.csv")
    if isinstance(said, str):
        assert [f"{fault.where.rsplit(', ', 1)[1]}: {fault.what}. Try: {fault.try_this}".startswith(said) for fault in faults] == [True], faults
    else:
        assert faults == [] and [(one.kind, dict(one.facts)) for one in made] == ([said] if said else [])


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + "\n" + text).encode("utf-8", "replace")))
def test_any_file_is_a_sheet_or_a_sentence(data: bytes) -> None:
    """Whatever a file holds, it is read or refused in words, and decides nothing by itself."""
    book = Book()
    book.judge(story(1))
    found, faults = rows(decoded(data), "s.csv")
    assert all(str(fault) for fault in faults)
    made, faults = decisions(found, book.states(), {"IN-14"}, FIT, TODAY, "s.csv")
    assert {one.ref for one in made} <= {"I-0001"} and all(fault.where.startswith("s.csv, line ") for fault in faults)


def test_a_mark_tells_what_was_known() -> None:
    """Another detection makes another mark; a count that changes does not."""
    one, two, three = Book(), Book(), Book()
    one.judge(story(1))
    two.judge(story(1, 4))
    three.judge(story(1) | {"requests": 9})
    marks = [mark(book.states()["I-0001"]) for book in (one, two, three)]
    assert marks[0] == marks[2] != marks[1]
