"""`schoolgate export`: the contract for other programs, and who may not stand in it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from front_door import ROOT, schoolgate, typed
from tables_text import DAY, at, build, rows
from test_lines import line

from pipeline import exporting, keyboard, night, schoolfolder
from pipeline.tables import DERIVED, DETECTIONS, INCIDENTS, empty
from pipeline.vault import Vault, load_keys

PEOPLE = "username,name,role,year,house\n19jbloggs,Jo Bloggs,student,9,Heron\nm.teacher,Mo Teacher,staff,,\n"

JUDGED = """
    rule    | person | client | actor   | category     | route       | outcome | intent     | rows        | started  | ended    | visits
    porn    | p1     | d1     | student | pornography  | student     | blocked | deliberate | IN-14,IN-02 | 10:00    | 10:05:30 | 3
    porn    | p2     | d2     | staff   | pornography  | staff       | blocked | unclear    |             | 10:10    | 10:11    | 1
    virus   | p2     | d2     | staff   | malware      | tech        | blocked | accidental |             | 10:20    | 10:21    | 1
    sealed  | p1     | d1     | student | sealed       | sealed      | blocked | unclear    |             | 10:30    | 10:30    | 0
    games   | -      | d9     | unknown | games        | attribution | allowed | unclear    |             | 11:00    | 11:30    | 2
    care    | p3     | d3     | student | self_harm    | welfare     | mixed   | unclear    |             | 12:00    | 12:01    | 1
    wide    | p3     | d3     | student | help_seeking | welfare     | allowed | unclear    |             | 12:10    | 12:11    | 1
"""


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A school folder in which the detections above are judged, and nothing else; p1 to p3 are in the vault."""
    shutil.copy(ROOT / "school.toml", tmp_path)
    (tmp_path / "var").mkdir(mode=0o700)
    found = build([row | {"day": DAY, "reasons": "counted,=tried again", "source": "s1", "line": str(n),
                          "subject": row["person"] or row["client"]} for n, row in enumerate(rows(JUDGED), 1)], DETECTIONS, {})
    keys = load_keys(tmp_path / "var/keys")
    Vault(tmp_path / "var/vault/names", keys.vault).add({"p1": "19jbloggs", "p2": "m.teacher", "p3": "-2+3", "d9": "10.20.0.9"})
    lake = schoolfolder.open_lake(tmp_path, keys)
    lake.write_day(DAY, {shape.name: empty(shape) for shape in DERIVED} | {"detections": found}, {})
    story = build([{"story": "porn|p1||s1:1", "day": DAY, "started": at("10:00"), "ended": at("10:06"), "subject": "p1",
                    "keys": "porn|p1||s1:1", "route": "student"}], INCIDENTS, {})
    schoolfolder.journal(tmp_path, "incidents").append_all(night.register.match_incidents(story, {}, [DAY]))
    return tmp_path


def exported(folder: Path, named: bool) -> list[dict[str, str]]:
    """The rows of a fresh export."""
    exporting.detections(folder, folder / "out.csv", named)
    return list(csv.DictReader((folder / "out.csv").read_text("utf-8").splitlines()))


def test_the_columns_and_the_words_are_those_of_the_contract(judged: Path) -> None:
    """Exactly the columns of the design, UTC times, rows parted by semicolons, the reference of the incident."""
    first = exported(judged, False)[0]
    assert first == {"date": "2026-11-03", "user": "p1", "category": "pornography", "outcome": "blocked",
                     "intent": "deliberate", "rows": "IN-14;IN-02", "route": "student", "start_utc": "2026-11-03T10:00:00Z",
                     "end_utc": "2026-11-03T10:05:30Z", "visits": "3", "reasons": "counted; =tried again", "ref": "I-0001"}


def test_without_names_everybody_is_a_pseudonym(judged: Path) -> None:
    """Every detection is there, an unnamed device by its own pseudonym; what is written down is an export and no reveal."""
    assert [row["user"] for row in exported(judged, False)] == ["p1", "p2", "p2", "p1", "d9", "p3"]
    (entry,) = schoolfolder.journal(judged, "access").entries()
    assert (entry.kind, entry.body["rows"], entry.body["names"], entry.body["by"]) == ("export", 6, False, keyboard.login())


def test_with_names_sealed_items_and_staff_are_left_out(judged: Path) -> None:
    """A named file never holds a sealed item nor anything of a member of staff, whichever route it takes."""
    found = exported(judged, True)
    assert [(row["user"], row["route"]) for row in found] == [("19jbloggs", "student"), ("d9", "attribution"),
                                                             ("'-2+3", "welfare")]
    text = (judged / "out.csv").read_text("utf-8")
    assert "teacher" not in text and "p2" not in text


def test_help_seeking_never_stands_beside_a_person(judged: Path) -> None:
    """Even were such a detection in the lake, no export holds it."""
    assert all(row["category"] != "help_seeking" for named in (False, True) for row in exported(judged, named))


def test_the_reveal_is_written_down_before_the_file(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails the look is in the register already, with who and which incidents; and no half file is left."""
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(exporting, "put_text", full)
    with pytest.raises(exporting.FailedError, match="No space left"):
        exporting.detections(judged, judged / "out.csv", True, why="the tutor  asks")
    entry = schoolfolder.journal(judged, "access").entries()[-1]
    assert (entry.kind, entry.body["by"], entry.body["refs"]) == ("reveal", keyboard.login(), ["I-0001"])
    assert (entry.body["why"], entry.body["people"]) == ("the tutor asks", 3) and not (judged / "out.csv").exists()


def test_an_export_can_be_narrowed_to_days(judged: Path) -> None:
    """The first and the last day are both included."""
    counts = [exporting.detections(judged, judged / "out.csv", False, first, last)
              for first, last in ((None, DAY), (DAY, None), (DAY.replace(day=4), None), (None, DAY.replace(day=2)))]
    assert counts == [6, 6, 0, 0]


def test_from_the_command_line(tmp_path: Path) -> None:
    """A night, then an export with names: the login, owner only; a folder in the place of the file is refused in a sentence."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "school.toml", tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE, "utf-8")
    log = tmp_path / "access.log"
    log.write_text("".join(line(40 * n, f"adult-{('one', 'two', 'three', 'four')[n % 4]}.test", user=user, verdict="TCP_DENIED/403")
                           for n in range(6) for user in ("FENMARSH\\\\19jbloggs", "m.teacher")))
    out = tmp_path / "out.csv"
    early = schoolgate(tmp_path, "export", "detections", "--to", str(out))
    assert early.returncode == 3
    assert "schoolgate nightly" in early.stderr
    assert schoolgate(tmp_path, "nightly", str(log)).returncode == 0
    done = typed(tmp_path, "export", "detections", "--names", "--to", str(out), "--from", "2026-11-02")
    assert done.returncode == 0, done.stderr
    found = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert {(row["user"], row["category"], row["route"], row["outcome"]) for row in found} == {
        ("19jbloggs", "pornography", "student", "blocked")}
    listed = schoolgate(tmp_path, "incident", "list").stdout
    assert all(f"{row['ref']}  suspected" in listed for row in found)
    assert out.stat().st_mode & 0o777 == 0o600
    access = [json.loads(text) for text in (tmp_path / "var/registers/access.jsonl").read_text("utf-8").splitlines()]
    assert access[-1]["ref"] == "export-detections"
    refused = schoolgate(tmp_path, "export", "detections", "--to", str(tmp_path))
    assert (refused.returncode, "is a folder" in refused.stderr) == (2, True)
