"""Output folders are open to the group of their reader and to nobody else; what is too open stops the night."""

from __future__ import annotations

import grp
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_lines import line
from test_story import ROOT

from pipeline import deciding, folders
from pipeline.problems import RefusedError

NOBODY = 65534
OURS = grp.getgrgid(os.getegid()).gr_name
READERS = ("technical", "safeguarding", "principal", "leadership", "governors")


def modes(folder: Path) -> dict[str, str]:
    """Mode of every folder and file below reports/, by its path."""
    return {str(path.relative_to(folder)): f"{path.stat().st_mode & 0o777:o}" for path in sorted(folder.rglob("*"))}


def test_folders_are_the_owners_alone_where_no_group_is_named(tmp_path: Path) -> None:
    """0700 and 0600, for each of the four readers."""
    assert folders.share(tmp_path, {}) == ({}, [])
    folders.put_page(tmp_path / "reports/technical/page.html", "words", None)
    assert modes(tmp_path / "reports") == dict.fromkeys(READERS, "700") | {"technical/page.html": "600"}


def test_a_named_group_may_read_its_own_folder_only(tmp_path: Path) -> None:
    """0750 and 0640 with that group; reports/ itself lets it pass and shows it nothing."""
    tmp_path.chmod(0o711)
    groups, problems = folders.share(tmp_path, {"safeguarding": OURS})
    assert (groups, problems) == ({"safeguarding": os.getegid()}, [])
    folders.put_page(tmp_path / "reports/safeguarding/page.html", "words", groups["safeguarding"])
    found = modes(tmp_path / "reports")
    assert (found["safeguarding"], found["safeguarding/page.html"], found["principal"]) == ("750", "640", "700")
    assert (tmp_path / "reports").stat().st_mode & 0o777 == 0o711
    assert (tmp_path / "reports/safeguarding/page.html").stat().st_gid == os.getegid()


def test_a_school_folder_that_lets_nobody_pass_is_said(tmp_path: Path) -> None:
    """A group that cannot reach its folder is a problem, with the command; the program leaves the school folder as it is."""
    tmp_path.chmod(0o700)
    _, problems = folders.share(tmp_path, {"safeguarding": OURS})
    assert [problem.try_this for problem in problems] == [f"chmod a+x {tmp_path}"]
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_unknown_readers_and_groups_are_faults_and_open_nothing(tmp_path: Path) -> None:
    """Both lines are told, and the folder stays its owner's."""
    named = {"bursar": OURS, "principal": "no-such-group-here"}
    groups, problems = folders.share(tmp_path, named)
    assert groups == {}
    assert [re.sub(".*, ", "", problem.where) for problem in problems] == ["groups.bursar", "groups.principal"]
    assert problems[1].try_this.startswith("groupadd no-such-group-here")
    assert modes(tmp_path / "reports")["principal"] == "700"


def test_check_says_that_a_group_is_unknown(tmp_path: Path) -> None:
    """A fault like any other, beside the examples that were run."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    settings = (ROOT / "school.toml").read_text("utf-8")
    (tmp_path / "school.toml").write_text(settings.replace("[groups]", '[groups]\nprincipal = "no-such-group-here"'), "utf-8")
    faults, examples = deciding.check(tmp_path)
    assert [fault.where for fault in faults] == ["school.toml, groups.principal"]
    assert examples > 0
    (tmp_path / "rules/policy.toml").write_text("title = [", "utf-8")
    assert {"school.toml, groups.principal", "rules/policy.toml"} <= {fault.where for fault in deciding.check(tmp_path)[0]}


@pytest.mark.parametrize(("place", "mode", "named", "mend"), [
    ("var", 0o755, {}, "chmod 700"),
    ("reports/technical", 0o750, {}, "chmod 700"),
    ("reports/principal", 0o755, {"principal": OURS}, "chmod 750"),
    ("reports/principal", 0o770, {"principal": OURS}, "chmod 750"),
    ("reports/leadership", 0o701, {}, "chmod 700")])
def test_what_is_too_open_is_refused_with_the_command_that_mends_it(
        tmp_path: Path, place: str, mode: int, named: dict[str, str], mend: str) -> None:
    """After that very command it is refused no more."""
    path = tmp_path / place
    path.mkdir(parents=True)
    path.chmod(mode)
    with pytest.raises(RefusedError, match=f"{mend} {path}") as refused:
        folders.check(tmp_path, named)
    command, octal, target = refused.value.problems[0].try_this.split()
    assert command == "chmod"
    Path(target).chmod(int(octal, 8))
    folders.check(tmp_path, named)


def test_folders_that_the_program_did_not_make_are_left_alone(tmp_path: Path) -> None:
    """The school folder, reports/ itself and reports/sample may have any mode."""
    for place in (tmp_path, tmp_path / "reports", tmp_path / "reports/sample", tmp_path / "rules"):
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
    folders.check(tmp_path, {})


def test_a_folder_stays_open_while_its_group_cannot_be_looked_up(tmp_path: Path) -> None:
    """A directory server that is down stops no night: the folder is not refused, and new files are the owner's alone."""
    (tmp_path / "reports/principal").mkdir(parents=True)
    (tmp_path / "reports/principal").chmod(0o750)
    folders.check(tmp_path, {"principal": "no-such-group-here"})
    assert folders.share(tmp_path, {"principal": "no-such-group-here"})[0] == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_or_of_another_group_is_refused(tmp_path: Path) -> None:
    """The commands are chown and chgrp."""
    place = tmp_path / "reports/principal"
    place.mkdir(parents=True)
    place.chmod(0o750)
    os.chown(place, -1, NOBODY)
    with pytest.raises(RefusedError, match=f"chgrp {OURS} {place}"):
        folders.check(tmp_path, {"principal": OURS})
    os.chown(place, NOBODY, 0)
    with pytest.raises(RefusedError, match=f"chown root {place}"):
        folders.check(tmp_path, {"principal": OURS})


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A small school folder that belongs to an account without rights, where root runs the tests; else one of our own."""
    folder = Path(tempfile.mkdtemp(prefix="schoolgate-test-"))
    shutil.copytree(ROOT / "rules", folder / "rules")
    settings = (ROOT / "school.toml").read_text("utf-8")
    (folder / "school.toml").write_text(settings.replace("[groups]", f'[groups]\ntechnical = "{OURS}"\nprincipal = "nogrp"'), "utf-8")
    (folder / "access.log").write_text(line(0, "lessons.fenmarsh.test"))
    (folder / "closed.log").write_text(line(0, "lessons.fenmarsh.test"))
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
    (folder / "closed.log").chmod(0)
    yield folder
    shutil.rmtree(folder)


# Root runs a night first, so that whatever is loaded late is loaded; then gives up its rights and runs the one that counts.
LOWERED = """
import contextlib, io, os, sys
from pipeline import cli
number, groups, warm, *words = sys.argv[1:]
if number:
    sys.argv = ["schoolgate", "--school", warm, "nightly", warm + "/access.log"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        cli.main()
    os.setgroups([int(group) for group in groups.split()])
    os.setgid(int(number))
    os.setuid(int(number))
sys.argv = ["schoolgate", *words]
cli.main()
"""


def night(folder: Path, warm: Path, *logs: Path, groups: str = "") -> subprocess.CompletedProcess[str]:
    """The night as an account without rights runs it, a member of `groups` (numbers)."""
    number = str(NOBODY) if os.geteuid() == 0 else ""
    return subprocess.run([sys.executable, "-B", "-c", LOWERED, number, groups, str(warm), "--school", str(folder), "nightly",
                           *map(str, logs)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_night_without_rights_still_writes_owner_only_pages_and_says_why(theirs: Path, tmp_path: Path) -> None:
    """An unknown group, a group the account is not in, a log it may not read: three problems, exit 5, pages 0600."""
    shutil.copytree(theirs, tmp_path / "warm", ignore=shutil.ignore_patterns("closed.log"))
    page = theirs / "reports/technical/nightly-2026-11-02.html"
    done = night(theirs, tmp_path / "warm", theirs / "access.log", theirs / "closed.log")
    assert done.returncode == 5, done.stderr
    assert "closed.log: could not be read (Permission denied)" in done.stderr
    assert "'nogrp' is no group of this machine" in done.stderr
    assert stat.S_IMODE(page.stat().st_mode) == (0o600 if os.geteuid() == 0 else 0o640)
    assert ("usermod -aG" in done.stderr) == (os.geteuid() == 0)


def test_a_night_without_rights_gives_pages_to_a_group_it_is_in(theirs: Path, tmp_path: Path) -> None:
    """0750 and 0640 as a plain member of the group; a folder that somebody opened further stops the next night."""
    shutil.copytree(theirs, tmp_path / "warm", ignore=shutil.ignore_patterns("closed.log"))
    done = night(theirs, tmp_path / "warm", theirs / "access.log", groups=str(os.getegid()))
    assert "usermod" not in done.stderr
    page = theirs / "reports/technical/nightly-2026-11-02.html"
    assert (stat.S_IMODE(page.parent.stat().st_mode), stat.S_IMODE(page.stat().st_mode)) == (0o750, 0o640)
    assert page.stat().st_gid == os.getegid()
    (theirs / "reports/principal").chmod(0o755)
    refused = night(theirs, tmp_path / "warm", theirs / "access.log")
    assert (refused.returncode, f"chmod 750 {theirs / 'reports/principal'}" in refused.stderr) == (3, True)
