"""Exports that overlap by nature: each request counts once, and one that happened twice counts twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_lines import line, reader, stored

from pipeline import logfiles
from pipeline.formats import Format, bundled
from pipeline.reading import Reading


@pytest.fixture
def overlapping() -> dict[str, Format]:
    """Squid's format, said to be a console's export."""
    squid = bundled()["squid"]
    return {"squid": Format(squid.file.model_copy(update={"overlaps": True}), squid.says)}


def read(root: Path, formats: dict[str, Format], name: str, lines: list[str]) -> Reading:
    """One export read."""
    log = root / name
    log.write_text("".join(lines))
    return replace(reader(root), formats=formats).read(logfiles.measure(log), lambda n: None, "squid")


HOURS = [line(60 * n, f"site{n}.test") for n in range(12)]


def test_what_an_earlier_export_held_is_a_repeat(tmp_path: Path, overlapping: dict[str, Format]) -> None:
    """Rows 0 to 7, then rows 4 to 11: eight requests, then four and four repeats, whose lines keep only their place."""
    read(tmp_path, overlapping, "one.csv", HOURS[:8])
    second = read(tmp_path, overlapping, "two.csv", HOURS[4:])
    assert +second.fates == {"request": 4, "repeat": 4}
    assert second.consumed == 8
    asked = stored(tmp_path, "host, fate")
    assert sorted(host for host, fate in asked if fate == "request") == sorted(f"site{n}.test" for n in range(12))
    assert {host for host, fate in asked if fate == "repeat"} == {None}


def test_what_happened_twice_counts_twice(tmp_path: Path, overlapping: dict[str, Format]) -> None:
    """One same row twice in the first export and three times in the second: three requests in all, however often it is told."""
    same = line(5, "site.test")
    read(tmp_path, overlapping, "one.csv", [HOURS[1], same, same])
    assert +read(tmp_path, overlapping, "two.csv", [HOURS[2], same, same, same]).fates == {"request": 2, "repeat": 2}
    assert +read(tmp_path, overlapping, "three.csv", [HOURS[3], same, same]).fates == {"request": 1, "repeat": 2}
    assert [host for host, fate in stored(tmp_path, "host, fate") if fate == "request"].count("site.test") == 3


def test_another_person_at_the_same_second_is_no_repeat(tmp_path: Path, overlapping: dict[str, Format]) -> None:
    """The content is all of the row."""
    read(tmp_path, overlapping, "one.csv", [line(5, "site.test")])
    assert read(tmp_path, overlapping, "two.csv", [line(5, "site.test", "FENMARSH\\\\19other")]).fates["request"] == 1


def test_a_log_that_does_not_overlap_has_no_repeats(tmp_path: Path) -> None:
    """Two servers may well write the same line in the same second."""
    plain = dict(bundled())
    read(tmp_path, plain, "one.log", HOURS[:8])
    assert read(tmp_path, plain, "two.log", HOURS[4:]).fates["request"] == 8
