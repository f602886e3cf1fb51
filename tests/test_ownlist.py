"""A row put into the school's own list: the file stays as its people wrote it, and what cannot hold is refused."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest
from front_door import schoolgate, typed
from small_school import line, make, run

from pipeline import owning, rulefiles
from pipeline.lists import read_own
from pipeline.ownlist import put_in
from pipeline.problems import RefusedError, UsageError

TODAY = date(2026, 11, 24)
HEAD = "entry,category,reason,owner,until\n"
ROW = {"entry": "club.example", "category": "learning", "reason": "coding club", "owner": "TSM", "until": "2027-07-31"}
KNOWN = ["learning", "games", "gambling"]


@pytest.mark.parametrize(("text", "added"), [
    (HEAD, "club.example,learning,coding club,TSM,2027-07-31\n"),
    (HEAD + "a.example,games,r,o,", "\nclub.example,learning,coding club,TSM,2027-07-31"),
    ("\ufeff" + HEAD.replace("\n", "\r\n") + "a.example,games,r,o,31/12/2026\r\n", "club.example,learning,coding club,TSM,31/07/2027\r\n"),
    ("entry, category, reason, owner, until\n", "club.example, learning, coding club, TSM, 2027-07-31\n"),
    ("until,owner,note,entry,category,reason\n", "2027-07-31,TSM,,club.example,learning,coding club\n"),
    (HEAD + 'a.example,games,"one, two",o,\n\n', "club.example,learning,coding club,TSM,2027-07-31\n"),
], ids=["plain", "no last line end", "spreadsheet", "spaces", "columns", "quotes"])
def test_the_row_is_written_in_the_manner_of_the_file(text: str, added: str) -> None:
    """Byte-order mark, line ends, order of columns, spaces and dates stay; nothing that was there is touched."""
    assert put_in(text, ROW, TODAY, KNOWN) == (text + added, [])


def test_a_file_that_is_empty_gets_its_heading() -> None:
    """The first row of a list."""
    assert put_in("", ROW, TODAY, KNOWN)[0] == HEAD + "club.example,learning,coding club,TSM,2027-07-31\n"


def test_a_comma_or_a_quote_in_the_reason_stays_in_its_cell() -> None:
    """And lines are made one."""
    text, problems = put_in(HEAD, ROW | {"reason": 'asked for by "maths",\nsee mail'}, TODAY, KNOWN)
    assert problems == []
    assert read_own(text)[0]["reason"].to_pylist() == ['asked for by "maths", see mail']


@pytest.mark.parametrize(("more", "said"), [
    ({"entry": "a.example"}, "stands there already, as games"), ({"entry": "*.A.Example."}, "stands there already"),
    ({"entry": "co.uk"}, "is a public suffix"), ({"entry": "x.kobe.jp"}, "is a public suffix"), ({"entry": "https://b.example/x"}, "is not a host name"),
    ({"entry": ""}, "has no entry"), ({"category": "gamse"}, "is not a category"), ({"category": "illegal_csam"}, "never from a list"),
    ({"reason": " "}, "has no reason"), ({"owner": ""}, "has no owner"), ({"until": "soon"}, "which is not a date"),
    ({"until": "2026-11-23"}, "which is past"), ({"reason": "=1+1"}, "like a formula")])
def test_what_cannot_hold_is_refused_in_a_sentence(more: dict[str, str], said: str) -> None:
    """The text stays as it was."""
    text = HEAD + "a.example,games,r,o,\n"
    whole, problems = put_in(text, ROW | more, TODAY, KNOWN)
    assert whole == text and len(problems) == 1
    assert said in str(problems[0])


def test_a_row_past_its_date_may_be_followed_by_another() -> None:
    """Rows are dated and never overwritten; a fault in another row does not stand in the way."""
    text = HEAD + "club.example,learning,trial,TSM,2026-11-23\nodd.example,,,,\n"
    assert put_in(text, ROW, TODAY, KNOWN)[1] == []
    assert len(put_in(text, ROW, date(2026, 11, 23), KNOWN)[1]) == 1


def test_the_next_night_goes_by_it_and_logs_it(tmp_path: Path) -> None:
    """One command, with the file's mode as it was; refused while a night is at work."""
    school = make(tmp_path / "school")
    path = school / "rules/lists/own.csv"
    path.chmod(0o640)
    run(school)
    done = schoolgate(school, "lists", "own", "add", "Play.example", "--category", "games", "--reason", "asked by Year 9", "--owner", "TSM",
                      "--until", "never")
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text("utf-8").endswith("\nplay.example,games,asked by Year 9,TSM,\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with rulefiles.locked(school), pytest.raises(RefusedError):
        owning.add(school, "other.example", "games", "r", "o", "")
    (school / "access.log").write_text(line(0, "play.example"))
    run(school, school / "access.log")
    told = schoolgate(school, "change", "list").stdout
    assert "rules/lists/own.csv play[.]example" in told and "asked by Year 9" in told
    assert "play.example: games, by play.example of own" in typed(school, "lists", "why", "play.example").stdout


def test_a_file_in_another_encoding_is_not_written_over(tmp_path: Path) -> None:
    """Its other rows would be lost."""
    school = make(tmp_path / "school")
    path = school / "rules/lists/own.csv"
    path.write_bytes(HEAD.encode() + "a.example,games,caf\u00e9,o,\n".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        owning.add(school, "b.example", "games", "r", "o", "")
    assert b"b.example" not in path.read_bytes()
