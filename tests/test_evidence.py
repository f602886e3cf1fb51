"""The evidence pack: it verifies with standard tools, holds what it should and nobody else, and is written down."""

from __future__ import annotations

import csv
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from front_door import schoolgate, typed
from test_casework import ref_on, role, school

from pipeline import casework, evidence, schoolfolder
from pipeline.chain import Entry
from pipeline.problems import RefusedError, UsageError
from pipeline.register.pack import NEUTRAL

__all__ = ["school"]


def unpacked(pack: Path, to: Path) -> Path:
    """A pack unpacked by a standard tool; the folder inside it."""
    subprocess.run(["python3", "-m", "zipfile", "-e", str(pack), str(to)], check=True)
    (inside,) = to.iterdir()
    return inside


def verified(folder: Path) -> bool:
    """Whether `sha256sum -c` finds every file as it was."""
    return subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=False,
                          capture_output=True).returncode == 0


def test_a_pack_verifies_by_itself_and_a_changed_letter_shows(school: Path, tmp_path: Path) -> None:
    """Made by command, unpacked and verified by standard tools; its entries are those of the register, link by link."""
    ref, pack = ref_on(school, "student"), tmp_path / "pack.zip"
    casework.act(school, ref, "confirmed", "spoken with", rows=("IN-14",), intent="deliberate")
    done = typed(school, "evidence", ref, "--to", str(pack), "--reason", "the parents asked for it")
    assert done.returncode == 0, done.stderr
    assert pack.stat().st_mode & 0o777 == 0o600
    inside = unpacked(pack, tmp_path / "out")
    assert inside.name == ref and verified(inside)
    assert {path.name for path in inside.iterdir()} == {"README.txt", "SHA256SUMS", "story.txt", "entries.jsonl", "rows.csv",
                                                        "policy.txt", "versions.json", "record.csv"}
    written = [json.loads(text) for text in (inside / "entries.jsonl").read_text("utf-8").splitlines()]
    assert [line["kind"] for line in written] == ["opened", "confirmed"]
    assert all(Entry(**{name: line[name] for name in Entry.__dataclass_fields__}).link() == line["link"] for line in written)
    heads = json.loads((inside / "versions.json").read_text("utf-8"))["registers"]
    assert heads["incidents"] == schoolfolder.journal(school, "incidents").head()
    (inside / "story.txt").write_text((inside / "story.txt").read_text("utf-8").replace("deliberate", "accidental"), "utf-8")
    assert not verified(inside)


def test_its_rows_lead_to_the_lines_of_the_log(school: Path, tmp_path: Path) -> None:
    """Each visit's log, line and byte: at that byte of the log the visit's first line stands."""
    evidence.make(school, ref_on(school, "student"), tmp_path / "pack.zip", "asked")
    inside = unpacked(tmp_path / "pack.zip", tmp_path / "out")
    with (inside / "rows.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    data = (school / "access.log").read_bytes()
    assert len(found) == 2
    for row in found:
        text = data[int(row["byte"]):].split(b"\n")[0].decode()
        assert row["site"].replace("[.]", ".") in text and data[:int(row["byte"])].count(b"\n") + 1 == int(row["line"])


def test_it_names_nobody_unless_asked_and_never_another_person(school: Path, tmp_path: Path) -> None:
    """Without names there is none; with --names there is one, and the look is on record; no other person, help or welfare site."""
    ref = ref_on(school, "student")
    evidence.make(school, ref, tmp_path / "plain.zip", "asked")
    evidence.make(school, ref, tmp_path / "named.zip", "asked by the court", names=True)
    texts = {}
    for name in ("plain", "named"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as box:
            texts[name] = "\n".join(box.read(each).decode() for each in box.namelist())
    assert "Bloggs" not in texts["plain"] and "Jo Bloggs" in texts["named"]
    assert not any(word in text for text in texts.values() for word in ("Inkpen", "lifeline", "thinning", "zz-planted", "19jbloggs"))
    looks = [(entry.kind, entry.ref, (entry.body or {})["why"]) for entry in schoolfolder.journal(school, "access").entries()
             if entry.ref.startswith("evidence")]
    assert looks == [("export", f"evidence {ref}", "asked"), ("reveal", f"evidence {ref}", "asked by the court")]
    casework.act(school, ref, "confirmed", "x", rows=("IN-14",))
    casework.act(school, ref, "corrected", "it was his brother", why="mistaken_identity")
    assert f"evidence {ref}" in casework.states_of(school)[ref].correction["pages"]


def test_what_may_not_leave_is_refused_and_nothing_is_written(school: Path, tmp_path: Path) -> None:
    """A sealed item, a staff matter for the DSL, no reason, a file that is there."""
    pack = tmp_path / "pack.zip"
    with pytest.raises(RefusedError, match="is a sealed item"):
        evidence.make(school, ref_on(school, "sealed"), pack, "asked")
    with pytest.raises(RefusedError, match="is not for the role dsl"):
        evidence.make(school, ref_on(school, "staff"), pack, "asked")
    with pytest.raises(UsageError, match="needs a reason"):
        evidence.make(school, ref_on(school, "student"), pack, " ")
    assert not pack.exists()
    pack.write_text("older", "utf-8")
    with pytest.raises(UsageError, match="is there already"):
        evidence.make(school, ref_on(school, "student"), pack, "asked")
    assert pack.read_text("utf-8") == "older"


def test_a_neutral_table_for_a_record_system(school: Path, tmp_path: Path) -> None:
    """Confirmed incidents that the role may open, in plain columns, without names; written down with how many."""
    casework.act(school, ref_on(school, "student"), "confirmed", "spoken with", rows=("IN-14",), intent="deliberate")
    done = schoolgate(school, "export", "records", "--to", str(tmp_path / "records.csv"), "--reason", "into the record system")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "records.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == NEUTRAL
    assert (row["policy_rows"], row["state"], row["year_group"], row["what"]) == ("IN-14", "confirmed", "9", "Pornography")
    assert row["person"].startswith("p") and "Bloggs" not in str(row)
    assert (schoolfolder.journal(school, "access").entries()[-1].body or {})["rows"] == 1
    role(school, "dpo")
    assert evidence.records(school, tmp_path / "none.csv", "x") == 0
