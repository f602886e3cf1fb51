"""The breach log over several nights: a site blocked overnight gets its first block, whatever night says so."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from test_lines import line

from pipeline import night, schoolfolder
from pipeline.account import Account

ROOT = Path(__file__).parent.parent
DAY_S = 86_400
PROXY = "www.hideaway.test"  # on the made-up school's own list as a web proxy


def school(folder: Path) -> Path:
    """A school folder with the repository's rules and settings."""
    folder.mkdir()
    shutil.copytree(ROOT / "rules", folder / "rules")
    for name in ("school.toml", "people.csv"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def logs(folder: Path) -> list[Path]:
    """Monday to Thursday: a new proxy let through for three days, then blocked at 10:30."""
    made = []
    for n, verdict in enumerate(["TCP_TUNNEL/200"] * 3 + ["TCP_DENIED/403"]):
        log = folder / f"access-2026-11-{n + 2:02d}.log"
        log.write_text("".join([line(n * DAY_S + k, "lessons.fenmarsh.test") for k in range(5)] + [
            line(n * DAY_S + 1_800.12 + 40 * k, PROXY, verdict=verdict) for k in range(6)]), "utf-8")
        made.append(log)
    return made


def run(folder: Path, *given: Path) -> Account:
    """One night."""
    return night.run(folder, [str(log) for log in given], lambda name, lines: None)


def breach_log(folder: Path) -> dict[str, dict[str, str]]:
    """breaches.csv by part and site."""
    with (folder / "reports/technical/breaches.csv").open(newline="", encoding="utf-8-sig") as file:
        return {f"{row['part']} {row['site']}": row for row in csv.DictReader(file)}


@pytest.mark.parametrize("order", ["0132", "3120"], ids=["Wednesday comes last", "Monday comes last"])
def test_a_proxy_blocked_overnight_has_its_first_block(tmp_path: Path, order: str) -> None:
    """Let through Monday to Wednesday, blocked on Thursday: both parts of the breach log say when, though a log comes late."""
    folder, given = school(tmp_path / "school"), logs(tmp_path)
    for n in order:
        assert not run(folder, given[int(n)]).problems
    found = breach_log(folder)
    for name in (f"failure {PROXY.removeprefix('www.')}", f"circumvention {PROXY}"):
        assert found[name]["first_seen"].startswith("2026-11-02 10:30:00")
        assert found[name]["first_blocked"].startswith("2026-11-05 10:30:00")


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with the school after the logs of Monday to Wednesday."""
    place = tmp_path_factory.mktemp("three")
    run(school(place / "school"), *logs(place)[:3])
    return place


@pytest.fixture
def wednesday(three_days: Path, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A copy of that school, and the logs of all four days."""
    return shutil.copytree(three_days / "school", tmp_path / "school"), logs(tmp_path)


def test_it_is_open_until_the_block_and_said_once(wednesday: tuple[Path, list[Path]]) -> None:
    """On Wednesday the breach is open; Thursday's night adds one block to each, and a second run adds nothing."""
    folder, given = wednesday
    assert {row["first_blocked"] for row in breach_log(folder).values()} == {""}
    heads = run(folder, *given).heads
    kinds = [entry.kind for entry in schoolfolder.journal(folder, "breaches").entries()]
    assert kinds.count("blocked") == 2
    assert run(folder, *given).heads == heads


def test_a_night_cut_short_after_judging_enters_the_day_next_time(wednesday: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Thursday is judged, then the machine stops before the registers: the next night has the block all the same."""
    folder, given = wednesday

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.registers.enter", stop)
        with pytest.raises(KeyboardInterrupt):
            run(folder, *given)
    assert run(folder, *given).lines == 44
    assert breach_log(folder)[f"circumvention {PROXY}"]["first_blocked"].startswith("2026-11-05 10:30:00")
    assert "blocked" in (folder / "reports/technical/nightly-2026-11-05.html").read_text("utf-8")


def test_the_made_up_school_s_proxy_has_its_first_block(tmp_path: Path) -> None:
    """The generator's proxy spreads from Monday and is blocked from Thursday; a thin sample of the other lines keeps this quick."""
    subprocess.run([sys.executable, "sample_logs/generate.py", "--to", str(tmp_path / "made"), "--days", "4"], cwd=ROOT, check=True,
                   capture_output=True)
    folder, given = school(tmp_path / "school"), []
    for log in sorted((tmp_path / "made").glob("*.log")):
        lines = log.read_text("utf-8").splitlines(keepends=True)
        kept = [*(text for text in lines if "hideaway.test" in text), *islice(lines, 0, None, 200)]
        given.append(tmp_path / log.name)
        given[-1].write_text("".join(kept), "utf-8")
    run(folder, *given[:3])
    run(folder, given[3])
    found = breach_log(folder)
    for name in ("failure hideaway.test", f"circumvention {PROXY}"):
        assert found[name]["opened_day"] == "2026-11-02"
        assert found[name]["first_blocked"].startswith("2026-11-05 10:14")


def test_a_way_that_never_worked_is_not_open(tmp_path: Path) -> None:
    """Every try was stopped: it was blocked from the first, nothing waits, and no later night says it again."""
    folder, given = school(tmp_path / "school"), []
    for n, host in enumerate((PROXY, "lessons.fenmarsh.test")):
        given.append(tmp_path / f"access-{n}.log")
        given[n].write_text("".join(line(n * DAY_S + 1_800.12 + 40 * k, host, verdict="TCP_DENIED/403" if n == 0 else "TCP_MISS/200")
                                    for k in range(6)), "utf-8")
    run(folder, *given)
    row = breach_log(folder)[f"circumvention {PROXY}"]
    assert (row["worked"], row["first_blocked"]) == ("no", row["first_seen"])
    pages = [(folder / f"reports/technical/nightly-2026-11-0{day}.html").read_text("utf-8") for day in (2, 3)]
    assert "1 way round the filter, 1 new, none not blocked yet." in pages[0]
    assert "hideaway" not in pages[1]
