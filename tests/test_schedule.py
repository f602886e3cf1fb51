"""The printed schedule: what cron and systemd make of it, over a whole year of the school's calendar."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from front_door import schoolgate, typed
from small_school import line, make, run

from pipeline import deciding, issuing, publishing, schedule
from pipeline.cli import app
from pipeline.problems import UsageError
from pipeline.school import School, read_school
from pipeline.schoolday import is_open

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "school.toml").read_text("utf-8").split("\n[schedule]")[0]
FIRST = date(2026, 9, 1)
YEAR = [FIRST + timedelta(days=n) for n in range(365)]
COMMAND = ["schoolgate", "--school", "/srv/school"]
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MAIL = '\n[mail]\nserver = "mx.fenmarsh.test"\nsender = "schoolgate@fenmarsh.test"\n'


def school(more: str = "", settings: str = SETTINGS) -> School:
    """The made-up school, with more settings."""
    read, problems = read_school(settings + more)
    assert read, problems
    return read


def lines(text: str) -> list[tuple[list[str], str]]:
    """The entries of a crontab as cron(5) has them: five fields, and what `sh` is given. A line that is none fails."""
    entries = []
    for entry in text.splitlines():
        if not entry.strip() or entry.startswith("#") or re.fullmatch(r"[A-Z_]+=\S*", entry):
            continue
        *fields, command = entry.split(None, 5)
        assert len(fields) == 5 and command, entry
        for field, (least, most) in zip(fields, RANGES, strict=True):
            assert field == "*" or all(least <= int(number) <= most for number in field.split(",")), entry
        assert not re.search(r"(?<!\\)%", command), "cron ends a command at a bare %"
        entries.append((fields, command.replace(r"\%", "%")))
    return entries


def fires(fields: list[str], day: date) -> bool:
    """Whether an entry starts on a day; no entry names a weekday, which cron would take as another way to be meant."""
    assert fields[4] == "*"
    return all(field == "*" or value in map(int, field.split(",")) for field, value in zip(fields[2:4], (day.day, day.month), strict=True))


def days_of(text: str, words: str) -> list[date]:
    """The days of the year on which cron starts what ends with these words."""
    return [day for day in YEAR for fields, command in lines(text) if command.endswith(words) and fires(fields, day)]


def test_a_crontab_reads_as_a_morning() -> None:
    """A line a job: what it is, when it starts, the command as it is installed; term by term where days are named."""
    told = schedule.crontab(school(MAIL), COMMAND, date(2027, 6, 14))
    assert [text for text in told.splitlines() if text and not text.startswith("#")] == [
        "CRON_TZ=Europe/London",
        "30 2 * * *  schoolgate --school /srv/school lists update",
        "15 3 * * *  schoolgate --school /srv/school nightly '/var/log/squid/access.log*'",
        "15 5 * * *  schoolgate --school /srv/school purge",
        "45 5 19,26 6 *  schoolgate --school /srv/school verify",
        "45 5 3,10,17,24 7 *  schoolgate --school /srv/school verify",
        "45 5 28 7 *  schoolgate --school /srv/school report termly",
        "45 5 28 7 *  schoolgate --school /srv/school report annual",
        "45 5 25 8 *  schoolgate --school /srv/school check",
        "0 7 * * *  schoolgate --school /srv/school mail"]


def test_over_a_year_each_job_starts_on_its_days_and_never_in_the_hour_of_a_clock_change() -> None:
    """The night every day; the weekly job in every week of term and no other; the termly one a week after each term's end."""
    told = schedule.crontab(school(), COMMAND, FIRST)
    assert days_of(told, "access.log*'") == YEAR
    weekly = days_of(told, "verify")
    in_school = {day - timedelta(days=day.weekday()) for day in YEAR if is_open(school().calendar, day)}
    assert [day - timedelta(days=day.weekday()) for day in weekly] == sorted(in_school)
    assert {day.weekday() for day in weekly} == {5}
    assert days_of(told, "report termly") == [date(2026, 12, 25), date(2027, 4, 1), date(2027, 7, 28)]
    assert days_of(told, "report annual") == [date(2027, 7, 28)]
    assert days_of(told, "check") == [date(2027, 8, 25)]
    assert days_of(told, "mail") == []
    for fields, _ in lines(told):
        for day in YEAR:
            at = datetime(day.year, day.month, day.day, int(fields[1]), int(fields[0]), tzinfo=ZoneInfo("Europe/London"))
            assert at.utcoffset() == at.replace(fold=1).utcoffset(), f"{at} is not one moment"


def test_each_job_is_a_command_that_there_is() -> None:
    """No line may start what the program does not know."""
    for job in schedule.jobs(school(MAIL), FIRST):
        command: Any = typer.main.get_command(app)
        for word in job.words:
            command = getattr(command, "commands", {}).get(word, command)
        assert not hasattr(command, "commands"), job.words
        command.make_context("schoolgate", [word for word in job.words if "/" in word or word in publishing.REPORTS])


@pytest.mark.parametrize(("given", "words"), [
    ('night = "01:00"', "'01:00' is missing on one night of March"),
    ('mail = "1:59"', "'1:59' is missing on one night of March"),
    ('weekday = "someday"', "input should be 'monday'"),
    ('logs = []', "tuple should have at least 1 item"),
    ('purge = "25:00"', "'25:00' is not a time of the school's clock")])
def test_a_schedule_that_cannot_be_kept_is_a_fault_of_the_settings(given: str, words: str) -> None:
    """Said with its place, as any other."""
    _, (fault,) = read_school(f"{SETTINGS}\n[schedule]\n{given}\n")
    assert fault.where.startswith(f"school.toml, schedule.{given.split(' ', maxsplit=1)[0]}") and words in fault.what


def test_a_job_without_a_time_is_left_out_and_another_zone_has_another_hour_to_keep_clear_of() -> None:
    """In Berlin the clocks change from two to three."""
    assert "purge" not in schedule.crontab(school('\n[schedule]\npurge = ""\nlogs = ["/a", "/b c"]\n'), COMMAND, FIRST)
    assert "nightly /a '/b c'" in schedule.crontab(school('\n[schedule]\nlogs = ["/a", "/b c"]\n'), COMMAND, FIRST)
    berlin = SETTINGS.replace("Europe/London", "Europe/Berlin")
    with pytest.raises(UsageError, match="lists: 02:30 is skipped or comes twice on 2026-10-25, by the clock of Europe/Berlin"):
        schedule.crontab(school(settings=berlin), COMMAND, FIRST)
    assert "30 4 " in schedule.crontab(school('\n[schedule]\nlists = "04:30"\n', berlin), COMMAND, FIRST)


def test_a_calendar_that_has_ended_is_said_and_names_no_day() -> None:
    """What runs every day still does; the rest waits for the next year's terms."""
    told = schedule.crontab(school(), COMMAND, date(2027, 10, 1))
    assert "The calendar of school.toml ended on 2027-07-21" in told
    assert [command.split()[3] for _, command in lines(told)] == ["lists", "nightly", "purge", "check"]


ODD = '/srv/a b/100% "my" $HOME\\x/it\'s'


def test_odd_folders_and_names_reach_the_program_as_they_are() -> None:
    """Spaces, quotes, dollars, backslashes and per cent signs, by `sh` and by systemd's rules; a name cannot begin a line."""
    settings = SETTINGS.replace("Fenmarsh Community School", r"Fen\n* * * * * rm\n")
    words = ["printf", "%s\\n", "--school", ODD]
    (_, shell), *_ = [entry for entry in lines(schedule.crontab(school(settings=settings), words, FIRST)) if "nightly" in entry[1]]
    told = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["--school", ODD, "nightly", "/var/log/squid/access.log*"]
    units = schedule.units(school(settings=settings), words, FIRST, "schoolgate", [ODD])
    (starts,) = re.findall(r"^ExecStart=(.*nightly.*)$", units, re.MULTILINE)
    assert [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(starts)] == [*words, "nightly", "/var/log/squid/access.log*"]
    assert all(re.match(r"#|\[|\w+=|$", text) for text in units.splitlines())


@pytest.mark.skipif(not shutil.which("crontab"), reason="cron is not installed")
def test_cron_itself_takes_the_lines(tmp_path: Path) -> None:
    """`crontab -n` checks the whole file."""
    (tmp_path / "crontab").write_text(schedule.crontab(school(MAIL), ["/srv/a b/%/schoolgate"], FIRST))
    done = subprocess.run(["crontab", "-n", str(tmp_path / "crontab")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_itself_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` knows every word of them; every time is one of its calendar."""
    text = schedule.units(school(MAIL), ["/bin/true", "--school", ODD], FIRST, "root", [str(tmp_path)])
    files = dict(re.findall(r"# /etc/systemd/system/(\S+)\n(.*?)(?=# /etc|\Z)", text, re.DOTALL))
    assert len(files) == 16
    for name, unit in files.items():
        (tmp_path / name).write_text(unit)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in files)], capture_output=True,
                          text=True, check=False, timeout=60)
    assert not [said for said in done.stderr.splitlines() if "schoolgate" in said], done.stderr
    times = re.findall(r"^OnCalendar=(.*)$", text, re.MULTILINE)
    checked = subprocess.run(["systemd-analyze", "calendar", *times], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert not [said for said in checked.stdout.splitlines() if re.search(r"Next elapse: .* 01:\d\d:\d\d", said)]


def test_the_command_prints_its_own_path_and_the_folder_s(tmp_path: Path) -> None:
    """What is printed runs from anywhere: the night's line, as cron's `sh` runs it, finds the school folder."""
    folder = make(tmp_path / "a school")
    told = typed(folder, "schedule", "--today", "2026-09-01")
    assert told.returncode == 0, told.stderr
    command = next(command for _, command in lines(told.stdout) if " nightly " in command)
    words = shlex.split(command)
    assert Path(words[0]).is_absolute() and Path(words[0]).is_file()
    assert words[words.index("--school") + 1] == str(folder)
    units = schoolgate(folder, "schedule", "--as", "systemd").stdout
    assert f"ReadWritePaths=\"{folder}\"\n" in units and f"User={folder.owner()}\n" in units


def test_starts_are_those_moments_of_the_school_s_clock() -> None:
    """Over the end of summer time the night stays at a quarter past three: 02:15 UTC before, 03:15 after."""
    job = next(job for job in schedule.jobs(school(), FIRST) if job.name == "night")
    found = schedule.starts(job, "Europe/London", datetime(2026, 10, 24, 2, 15, tzinfo=UTC), datetime(2026, 10, 26, 3, 15, tzinfo=UTC))
    assert [f"{at:%d %H:%M}" for at in found] == ["25 03:15", "26 03:15"]


def test_the_termly_job_tells_what_was_decided_after_the_last_night(tmp_path: Path) -> None:
    """No night touches a day of the term again, yet the summary counts the decision."""
    folder = make(tmp_path / "school")
    log = folder / "access.log"
    log.write_text("".join(line(14_000 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(4)))
    run(folder, log)
    page = folder / "reports/leadership/termly-autumn-2026.html"
    before = page.read_text("utf-8")
    deciding.decide(folder, "I-0001", "dismissed", "typed wrongly", [], "", "false_positive")
    run(folder)
    assert page.read_text("utf-8") == before
    assert "reports/leadership/termly-autumn-2026.html" in issuing.report(folder, "termly").pages
    assert page.read_text("utf-8") != before
