"""The school's settings and people: what is read, what is forgiven, and that every fault is said at once."""

import csv
import importlib.util
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from pipeline.school import read_school
from pipeline.school.people import read_people

ROOT = Path(__file__).parent.parent
TOML = (ROOT / "school.toml").read_text("utf-8")


def sample(name: str):
    """A program of sample_logs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "sample_logs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate():
    return sample("generate")


def whats(problems):
    """Where each problem is, and what."""
    return {problem.where: problem.what for problem in problems}


def test_the_made_up_school_reads_whole():
    """The school folder's own school.toml has no fault, and its bells and lists arrive."""
    school, problems = read_school(TOML)
    assert problems == []
    assert school.sealed == {"squid": ["451"]}
    assert school.calendar.timezone == "Europe/London"
    assert [band.period for band in school.calendar.bands if band.band == "lesson"] == [f"Period {n}" for n in range(1, 6)]


def test_every_fault_of_school_toml_is_said_at_once():
    """Nine unlike faults give nine problems, each with file, key and what to try."""
    faulty = (TOML.replace('"Europe/London"', '"Europe/Fenmarsh"').replace("2026-10-23", "2026-08-23")
              .replace('start = "08:40", end = "09:00"', 'start = "8.40", end = "09:00"')
              .replace('start = "13:20", end = "14:00"', 'start = "14:20", end = "14:00"')
              .replace("10.20.0.0/16", "10.20.0.1/16").replace('"^(exam|library|supply)[0-9]*$"', '"^(exam"')
              .replace('actor = "guest"', 'actor = "visitor"').replace("small_number   = 5 ", "small_number   = 1 ")
              .replace("lines_days      = 90", "lines_day       = 90"))
    school, problems = read_school(faulty, "folder/school.toml")
    assert school is None
    assert sorted(whats(problems)) == sorted(f"folder/school.toml, {key}" for key in (
        "calendar.timezone", "calendar.terms.1", "calendar.bands.2.start", "calendar.bands.8", "networks.1.cidr",
        "accounts.1.pattern", "networks.4.actor", "small_number", "retention.lines_day"))
    assert all(problem.what and problem.try_this for problem in problems)


def test_missing_settings_are_all_named():
    """An empty file is told of each setting that it must have."""
    school, problems = read_school("")
    assert school is None
    assert {"name", "years", "pupils_on_roll", "calendar", "retention"} <= {p.where.rsplit(" ", 1)[-1] for p in problems}


def test_text_that_is_not_toml_is_said_in_one_sentence():
    """A bracket left open is a problem, never an exception."""
    school, problems = read_school("years = [")
    assert school is None
    assert len(problems) == 1
    assert "not TOML" in problems[0].what


def test_bells_that_overlap_are_refused():
    """Two bands of the same year groups cannot both hold a minute."""
    _, problems = read_school(TOML.replace('start = "11:00", end = "11:20"', 'start = "10:50", end = "11:20"'))
    assert whats(problems) == {"school.toml, calendar.bands": "Break begins at 10:50, before Period 2 ends at 11:00"}


def test_people_forgive_what_spreadsheets_do():
    """A byte-order mark, stray spaces, capital headings, UK dates, CRLF and empty lines are all read."""
    text = ("\ufeffUsername, Name ,role,year,house,valid_from,valid_to\r\n"
            " 24zo , Zoë O'Tidmarsh ,student,9,,01/09/2026,2027-07-21\r\n,,,,,,\r\n")
    people, problems = read_people(text)
    assert problems == []
    assert [(p.username, p.name, p.valid_from, p.valid_to) for p in people] == [
        ("24zo", "Zoë O'Tidmarsh", date(2026, 9, 1), date(2027, 7, 21))]


def test_a_bad_row_is_left_out_and_the_rest_kept():
    """Each unusable row gives its own problem with its line; good rows on both sides stay."""
    text = ("username,name,role,year,house,valid_from,valid_to\na,A,student,7,,,\nb,B,wizard,7,,,\n,C,student,7,,,\n"
            "d,D,student,7,,31/31/2026,\ne,E,student,7,,2026-09-02,2026-09-01\nA,A again,staff,,,,\ng,G,staff,,,,\n")
    people, problems = read_people(text)
    assert [person.username for person in people] == ["a", "g"]
    assert [problem.where for problem in problems] == [f"people.csv, line {n}" for n in (3, 4, 5, 6, 7)]


def test_a_login_given_on_to_another_person_keeps_its_dates():
    """Two rows of one login are two people when their dates do not meet, and each speaks of its own days."""
    people, problems = read_people("username,name,role,valid_from,valid_to\nx,Old,staff,,2026-08-31\nx,New,staff,2026-09-01,\n")
    assert problems == []
    assert [person.name for person in people if person.on(date(2026, 9, 1))] == ["New"]
    assert [person.name for person in people if person.on(date(2026, 8, 31))] == ["Old"]


def test_a_file_without_the_columns_says_which():
    """A file of another kind is refused in one sentence."""
    people, problems = read_people("login;name\n")
    assert people == []
    assert "name, role, username" in problems[0].what


def test_people_csv_is_what_the_generator_writes(generate, tmp_path):
    """The committed people.csv is the generator's, reads without a fault, and fits the account patterns."""
    generate.write_people(tmp_path / "people.csv")
    text = (ROOT / "people.csv").read_text("utf-8")
    assert (tmp_path / "people.csv").read_text("utf-8") == text
    people, problems = read_people(text)
    assert problems == []
    assert [sum(person.role == role for person in people) for role in ("student", "staff", "technical_staff")] == [300, 38, 2]
    school, _ = read_school(TOML)
    for person in people:
        actor = next(account.actor for account in school.accounts if re.search(account.pattern, person.username))
        assert actor == ("student" if person.role == "student" else "staff")


def test_a_made_day_is_the_same_at_every_run_and_holds_what_it_promises(generate, tmp_path):
    """Tuesday: the same bytes twice, oddities of real logs, and one sealed item with its neighbour a second before."""
    texts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        generate.write_days(tmp_path / name, [date(2026, 11, 3)])
        texts.append((tmp_path / name / "access-2026-11-03.log").read_text("utf-8"))
    assert texts[0] == texts[1]
    for odd in (" TCP_DENIED/407 ", " NONE_NONE/000 ", " NONE_NONE/403 ", "FENMARSH\\\\library desk ", " 2001:db8:"):
        assert odd in texts[0]
    secret = [line.split() for line in texts[0].splitlines() if ".invalid" in line]
    assert [parts[3] for parts in secret] == ["TCP_TUNNEL/200", "TCP_DENIED/451"]
    assert round(float(secret[1][0]) - float(secret[0][0])) == 1
    told = list(csv.DictReader((tmp_path / "a" / "truth.csv").open(encoding="utf-8")))
    assert {row["category"] for row in told} == {"bypass_web_proxy", "bypass_vpn_tunnel", "sealed"}


def test_the_sites_of_the_made_up_world_are_reserved_names():
    """Every entry of world.csv stands under an ending that nobody can own, once."""
    rows = list(csv.DictReader((ROOT / "sample_logs" / "world.csv").open(encoding="utf-8")))
    assert all(row["entry"].endswith((".test", ".example")) for row in rows)
    assert len({row["entry"] for row in rows}) == len(rows)


def test_the_night_the_clocks_go_back_has_both_hours(generate):
    """The log of 25 October 2026 has lines in both of its half past ones."""
    times = [at for at, _ in generate.make_day(date(2026, 10, 25)).lines]
    begin = 1792886400  # 01:00 summer time
    assert all(any(begin + n * 3600 <= at < begin + (n + 1) * 3600 for at in times) for n in (0, 1))


def test_a_log_for_measuring_has_exactly_its_lines(tmp_path):
    """The busy day of N lines has N lines, in order of time, the same at every run, and the shape of a school's traffic."""
    busy = sample("busy")
    for name in ("one", "two"):
        busy.write(tmp_path / name, 50_001)
    text = (tmp_path / "one").read_text("utf-8")
    rows = [line.split() for line in text.splitlines()]
    assert len(rows) == 50_001
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert text == (tmp_path / "two").read_text("utf-8")
    assert 300 < len({row[6].rpartition(":")[0] for row in rows if row[5] == "CONNECT"}) < 3_000
