"""What the importer learns from the first lines of an export, and what it refuses to guess."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import sql
from pipeline.formats import Layout, bundled, delimited, importer
from pipeline.formats.importer import learn
from pipeline.problems import Problem

HEAD = "Time,User,URL,Action\n"


def rows(*dates: str) -> list[str]:
    return [HEAD, *(f"{date},jsmith,http://www.example.org/,Allowed\n" for date in dates)]


def order(lines: list[str], dates: str = "") -> str:
    """dmy, mdy, '' or the problem's sentence."""
    found = learn(lines, dates)
    return found.dates if isinstance(found, Layout) else found.what if found else "no export"


@pytest.mark.parametrize(("dates", "want"), [
    (("08/09/2026 09:05", "13/09/2026 09:05"), "dmy"),                                # only a day is above 12
    (("9/8/2026 9:05 AM", "9/13/2026 9:05 AM"), "mdy"),
    (("10/09/2026 09:05", "11/09/2026 09:05", "01/10/2026 09:05"), "dmy"),            # only so do the times rise
    (("01/10/2026 09:05", "11/09/2026 09:05", "10/09/2026 09:05"), "dmy"),            # or only fall: newest first
    (("01/31/26 09:05", "02/01/26 09:05"), "mdy"),
    (("08.09.2026 09:05",), "dmy"),                                                   # nobody writes month.day.year
    (("2026-09-08 09:05",), ""), (("1788854711",), ""), (("Tue Sep  8 09:05:11 2026",), ""),
])
def test_the_order_of_day_and_month_is_decided_once_by_all_dates(dates: tuple[str, ...], want: str) -> None:
    """By a part above 12, then by the order of the lines; dates that say it themselves need no decision."""
    assert order(rows(*dates)) == want


def test_a_file_in_which_nothing_decides_is_refused_until_a_person_does() -> None:
    """Every date may be either, and the lines rise both ways."""
    lines = rows("08/09/2026 09:05", "08/09/2026 09:06")
    assert "08/09/2026" in order(lines) and "nothing in the file decides" in order(lines)
    assert [order(lines, "dmy"), order(lines, "mdy")] == ["dmy", "mdy"]


def test_a_person_who_says_what_cannot_be_is_told() -> None:
    """--dates mdy on a file with a thirteenth of a month."""
    assert "can only be dmy" in order(rows("13/09/2026 09:05"), "mdy")


def test_a_file_with_both_orders_is_refused() -> None:
    """A spreadsheet in the wrong country swaps what it can and leaves the rest."""
    assert "some the month" in order(rows("13/09/2026 09:05", "09/14/2026 09:05"))


@pytest.mark.parametrize(("header", "what"), [
    ("User,Site,Hits,Time spent", "is a report of totals"),
    ("Date,User,Site,Action,Requests", "is a report of totals"),
    ("User,URL,Action,Category", "no export"),
    ("Time,User,URL,Category", "no column that says whether a request was let through"),
])
def test_a_header_that_is_no_log_of_requests_is_refused_in_a_sentence(header: str, what: str) -> None:
    """Totals count several visits in a row; a log without verdicts would be read as if all had been let through."""
    found = learn([header + "\n", ",".join("2026-09-08" if n == 0 else "7" for n in range(len(header.split(",")))) + "\n"])
    assert what in ("no export" if found is None else found.what if isinstance(found, Problem) else "was accepted")


def test_one_hit_a_row_is_a_log() -> None:
    """Some consoles write a count that is always 1."""
    assert isinstance(learn(["Time,User,URL,Action,Hits\n", "2026-09-08 09:05,j,http://www.example.org/,Allowed,1\n"]), Layout)


@pytest.mark.parametrize(("header", "delimiter"), [
    ("TIME_STAMP;User Name;Full URL;Filter-Action", ";"), ("date & time\tlogin\tsite\tverdict", "\t"),
    ("\ufeff\"Event time\"|\"E-mail\"|\"Web address\"|\"Decision\"", "|"), ("Horodatage,Utilisateur,Domaine,Résultat", ","),
])
def test_names_are_known_however_they_are_spelt(header: str, delimiter: str) -> None:
    """Case, spaces, underscores, hyphens and signs do not matter; the delimiter is whichever gives most known names."""
    found = learn(["Report of September\n", "\n", header + "\n"])
    assert isinstance(found, Layout)
    assert (found.delimiter, found.begins) == (delimiter, 4)


def test_a_header_may_name_the_zone() -> None:
    """Time (UTC) is not the school's clock."""
    found = learn(["Time (UTC),User,URL,Action\n", "2026-09-08 08:05,j,http://www.example.org/,Allowed\n"])
    assert isinstance(found, Layout) and found.zone == "UTC"


@pytest.mark.parametrize("line", [
    "#Fields: date time c-ip cs-username cs-host cs-uri-path sc-status", "date=2026-09-08 time=09:05:11 user=j url=x action=blocked",
    "", '{"time": "2026-09-08", "user": "j", "url": "http://www.example.org/", "action": "blocked"}', '"\0"', '"' * 40_000,
])
def test_other_lines_are_no_header(line: str) -> None:
    """What another reader reads is left to it."""
    assert learn([line + "\n"]) is None


def test_the_tables_say_each_thing_once() -> None:
    """A name with two meanings would be read by the last; each is written as names are compared."""
    path = Path(importer.__file__).with_name("names.csv")
    found = [row["name"] for row in csv.DictReader(path.read_text("utf-8").splitlines())]
    assert [name for name, times in Counter(found).items() if times > 1] == []
    assert [name for name in found if importer.plain(name) != name] == []
    words = [word for case in bundled()["importer"].says["verdicts"] for word in case["when"]["said"]]
    assert [word for word, times in Counter(words).items() if times > 1] == []


def test_a_row_below_the_sample_that_counts_several_requests_is_no_request() -> None:
    """The sample said that every row is one request; a row that is not is said to be none."""
    header = ("Time", "User", "URL", "Action", "Hits")
    said = faults(header, ["2026-09-08 09:05,j,http://www.example.org/,Allowed,1", "2026-09-08 09:05,j,http://www.example.org/,Allowed,7"])
    assert said == [None, "stands for several requests (a count of hits), not for one"]


@pytest.mark.parametrize(("row", "fault"), [
    ("2026-09-08 09:05,j,http://www.example.org/,Allowed", None),
    ("2026-09-08 09:05,j,http://www.example.org/,BLOCKED (Games)", None),
    ("2026-09-08 09:05,j,http://www.example.org/,302", None),
    ("2026-09-08 09:05,j,http://www.example.org/,999", "says what was done with the request in a word that is not known"),
    ("2026-09-08 09:05,j,http://www.example.org/,Allowedish", "says what was done with the request in a word that is not known"),
    ("2026-09-08 09:05,j,http://www.example.org/,", "does not say what was done with the request"),
    ("2026-09-08 09:05,j,,Allowed", "names no address and no host"),
    ("1.78885E+09,j,http://www.example.org/,Allowed", "its time was shortened by a spreadsheet"),
    ("2026-09-08 09:05,j", "has 2 columns where 4 belong"),
    ("Grand total,,12,", "furniture"), ("12 of 10,000 records", "furniture"), (",,,", "furniture"), ("Time,User,URL,Action", "furniture"),
])
def test_a_row_that_is_no_request_says_why(row: str, fault: str | None) -> None:
    """Totals and repeated headers are furniture; a word that nobody knows is not guessed at."""
    assert faults(("Time", "User", "URL", "Action"), [row]) == [fault]


def faults(header: tuple[str, ...], lines: list[str]) -> list[str | None]:
    """The faults of rows under a header."""
    size, form = len(lines), bundled()["importer"]
    numbered = pa.table({"line": pa.array(range(5, size + 5), pa.int64()), "byte": pa.array([0] * size, pa.int64()),
                         "text": pa.array([line + "\n" for line in lines], pa.string()), "long": pa.array([False] * size)})
    layout = Layout("importer", header, ",", begins=5)
    return sql.run(delimited.split(form, layout), numbered=numbered, con=sql.connect(threads=1))["fault"].to_pylist()
