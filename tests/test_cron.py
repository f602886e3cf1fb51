"""The crontab line and the systemd units of the README run the night as they stand."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_lines import line

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROGRAM = "/srv/schoolgate/.venv/bin/schoolgate"


def block(first: str) -> str:
    """The indented text of the README that begins with a line, up to the next file or paragraph."""
    after = README.split(first, 1)[1]
    return re.split(r"\n(?=\S|    # /)", after, maxsplit=1)[0].replace("\n    ", "\n")


def unit(name: str) -> configparser.ConfigParser:
    """One systemd unit of the README."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(block(f"    # /etc/systemd/system/schoolgate.{name}\n"))
    return parsed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What stands below / on a school's server: the program, a school folder, and Squid's logs."""
    program = tmp_path / PROGRAM[1:]
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m pipeline "$@"\n')
    program.chmod(0o755)
    shutil.copytree(ROOT / "rules", tmp_path / "srv/school/rules")
    shutil.copy(ROOT / "school.toml", tmp_path / "srv/school")
    logs = tmp_path / "var/log/squid"
    logs.mkdir(parents=True)
    (logs / "access.log.1").write_text(line(0, "lessons.fenmarsh.test"))
    (logs / "access.log").write_text(line(60, "maths.fenmarsh.test"))
    return tmp_path


def below(place: Path, text: str) -> str:
    """The paths of the README, moved below `place`."""
    return re.sub(r"/(?=srv/|var/log)", f"{place}/", text)


def test_the_crontab_line_runs_the_night(place: Path) -> None:
    """As `sh` runs it, in cron's bare environment: two logs, pages written, nothing but the account on stdout."""
    found = re.search(r"^    (\S+ \S+ \* \* \*)  (.*)$", README, re.MULTILINE)
    assert found
    minute, hour = found[1].split()[:2]
    assert int(minute) in range(60) and int(hour) in range(3, 24), "not in the hour that summer time skips or repeats"
    assert "%" not in found[2], "cron would end the line there"
    done = subprocess.run(["/bin/sh", "-c", below(place, found[2])], env={"PATH": "/usr/bin:/bin", "HOME": str(place)},
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("heard from  2 logs, 2 with something new")
    assert (place / "srv/school/reports/technical/nightly-2026-11-02.html").exists()


def test_the_service_runs_the_same_night_without_a_shell(place: Path) -> None:
    """systemd expands no pattern: the program does. It may write where the night writes, and nowhere else."""
    service = unit("service")["Service"]
    words = shlex.split(below(place, service["ExecStart"]))
    assert words[0] == str(place / PROGRAM[1:])
    assert service["ReadWritePaths"] == "/srv/school"
    done = subprocess.run(words, env={"PATH": "/usr/bin:/bin"}, cwd="/", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("heard from  2 logs, 2 with something new")


def test_the_timer_starts_it_every_night() -> None:
    """At the hour of the crontab line, and after a night on which the machine was off."""
    timer = unit("timer")
    assert re.fullmatch(r"\*-\*-\* 03:\d\d:00", timer["Timer"]["OnCalendar"])
    assert (timer["Timer"]["Persistent"], timer["Install"]["WantedBy"]) == ("true", "timers.target")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units_as_they_stand(place: Path) -> None:
    """`systemd-analyze verify` knows every word of them."""
    for name in ("service", "timer"):
        text = block(f"    # /etc/systemd/system/schoolgate.{name}\n")
        (place / f"schoolgate.{name}").write_text(below(place, text).replace("User=schoolgate\n", "User=root\n"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(place / f"schoolgate.{n}") for n in ("service", "timer"))],
                          capture_output=True, text=True, check=False, timeout=60)
    assert not [said for said in done.stderr.splitlines() if "schoolgate" in said], done.stderr
