"""The equations checked on every run: each holds on a judged day, and each is said loudly when something breaks it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tables_text import DAY, lines

from pipeline import ingest, judging, night, rulefiles, ruleset
from pipeline.reading import Reading
from pipeline.sql import connect

ROOT = Path(__file__).parent.parent
LINES = """
    time     | person | host             | action  | setup  | fate    | sealed | sealed_list
    10:05:00 | p1     | adult-one.test   | blocked | -      | request | -      | -
    10:05:09 | p1     | adult-two.test   | blocked | -      | request | -      | -
    10:05:20 | p1     | adult-three.test | blocked | -      | request | -      | -
    10:05:21 | p1     | ads.admarket.test | allowed | -     | request | -      | -
    10:06:00 | p1     | encyclo.test     | allowed | tunnel | request | -      | -
    10:06:01 | p2     | encyclo.test     | allowed | -      | request | -      | -
    10:06:02 | p2     | encyclo.test     | auth    | -      | request | -      | -
    10:06:03 | p2     | encyclo.test     | error   | -      | request | -      | -
    10:07:00 | p2     | -                | blocked | -      | request | z1     | watch list
    -        | -      | -                | -       | -      | reject  | -      | -
    -        | -      | -                | -       | -      | furniture | -    | -
"""
Tables = dict[str, pa.Table]
Break = Callable[[Tables, dict[str, int]], None]


@cache
def rules() -> ruleset.Rules:
    """The repository's rules."""
    found, faults = ruleset.read_all(rulefiles.texts(ROOT))
    assert found is not None and not faults
    return found


def opened() -> duckdb.DuckDBPyConnection:
    """A connection that has the day of LINES."""
    con = connect(threads=1)
    con.register("lines", lines(LINES))
    return con


@cache
def judgement() -> tuple[Tables, dict[str, int]]:
    """That day, judged once for all that is then changed of it."""
    return judging.judge(opened(), DAY, rules(), b"key", judging.Logs({"s1": "access.log"}, {}, {}))[1:]


def judged() -> tuple[duckdb.DuckDBPyConnection, Tables, dict[str, int]]:
    """The day of LINES, and its tables and counts to change."""
    tables, counts = judgement()
    return opened(), dict(tables), dict(counts)


def said(change: Break) -> str:
    """What the equations say of that day after a change."""
    con, tables, counts = judged()
    change(tables, counts)
    return "\n".join(str(problem) for problem in judging.equations(con, tables, counts, DAY))


def first_cell(name: str, column: str, value: Any) -> Break:
    """A change of one cell: the first of a column of a table."""
    def change(tables: Tables, counts: dict[str, int]) -> None:
        rows = tables[name].to_pylist()
        rows[0][column] = value
        tables[name] = pa.Table.from_pylist(rows, schema=tables[name].schema)
    return change


def without_last(name: str) -> Break:
    """A change that loses the last row of a table."""
    def change(tables: Tables, counts: dict[str, int]) -> None:
        tables[name] = tables[name].slice(0, len(tables[name]) - 1)
    return change


def counted(name: str, more: int) -> Break:
    """A change that miscounts where requests went."""
    def change(tables: Tables, counts: dict[str, int]) -> None:
        counts[name] += more
    return change


def test_all_hold_on_a_day_with_every_kind_of_line() -> None:
    """Visits, background, set-up, auth, errors and sealed rows are there, and nothing is said."""
    _, tables, counts = judged()
    assert {name: counts[name] for name in ("requests", "visits", "background", "auth", "error", "setup", "sealed", "twice")} == {
        "requests": 9, "visits": 5, "background": 0, "auth": 1, "error": 1, "setup": 1, "sealed": 1, "twice": 0}
    assert {"pornography", "sealed"} <= set(tables["detections"]["rule"].to_pylist())
    assert said(lambda tables, counts: None) == ""


@pytest.mark.parametrize(("change", "words"), [
    (counted("auth", 1), "9 requests went to 10 places"),
    (first_cell("coverage", "requests", 8), "8 lines are requests but 9 were judged"),
    (first_cell("coverage", "rejects", 3), "access.log has 11 lines but 13 have a fate"),
    (first_cell("visits", "requests", 7), "5 requests went to visits that hold 11"),
    (without_last("verdicts"), "4 visits have 3 verdicts"),
    (first_cell("visits", "line", 10), "4 first lines of visits are 3 requests of the lake"),
    (first_cell("visits", "source", "s9"), "4 first lines of visits are 3 requests of the lake"),
    (first_cell("detections", "line", 99), "first lines of detections are"),
    (first_cell("detections", "visit_keys", ["s1:99"]), "detections name a visit that is not there"),
    (first_cell("incidents", "visit_keys", ["s1:99"]), "incidents name a visit that is not there"),
    (first_cell("incidents", "keys", []), "detections are told in incidents of"),
], ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "")
def test_what_breaks_an_equation_is_said(change: Break, words: str) -> None:
    """One cell or row wrong, and a sentence names the day, both numbers, and that the pages cannot be trusted."""
    text = said(change)
    assert words in text
    assert str(DAY) in text and "cannot be trusted" in text


def test_a_line_that_is_in_the_lake_twice_is_said() -> None:
    """The first line of a visit is one line: a doubled commit shows."""
    con, tables, counts = judged()
    con.register("lines", pa.concat_tables([lines(LINES), lines(LINES).filter(pc.equal(lines(LINES)["line"], 1))]))
    assert "4 first lines of visits are 5 requests of the lake" in str(judging.equations(con, tables, counts, DAY)[0])


def test_a_line_without_a_fate_is_said() -> None:
    """Lines by fate must be the lines consumed, file by file."""
    reading = Reading("access.log", consumed=4)
    reading.fates.update({"request": 2, "reject": 1})
    assert "access.log" in str(night.fates_hold(reading)[0]) and "4 lines were consumed but 3 have a fate" in str(night.fates_hold(reading)[0])
    reading.fates["part"] += 1
    assert night.fates_hold(reading) == []


def test_a_lake_that_lost_lines_makes_the_night_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night whose files hold fewer lines than it consumed ends with a problem and exit code 5."""
    (tmp_path / "school.toml").write_text((ROOT / "school.toml").read_text("utf-8"), "utf-8")
    for path, text in rulefiles.texts(ROOT).items():
        if path.startswith("rules/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")
    log = tmp_path / "access.log"
    log.write_text("".join(f"1793613600.{n:03d} 5 10.20.0.7 TCP_MISS/200 900 GET http://encyclo.test/ - HIER_NONE/- -\n"
                           for n in range(9)), "utf-8")
    by_day = ingest.by_day
    monkeypatch.setattr("pipeline.ingest.by_day", lambda *given: [(day, rows.slice(1)) for day, rows in by_day(*given)])
    account = night.run(tmp_path, [str(log)], lambda name, lines: None)
    assert any("grew by 8 lines but 9 were consumed" in str(problem) for problem in account.problems)
    assert account.code() == 5
