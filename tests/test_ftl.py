"""Pi-hole's database as lines: the SELECT over SQLite and the format that reads its rows."""

from __future__ import annotations

import json
import sqlite3

from split_text import rows

from pipeline.formats import bundled, ftl

# As FTL makes them: linked tables under a view of the name and columns that the table had in older versions.
LINKED = """
CREATE TABLE query_storage (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp REAL NOT NULL, type INTEGER NOT NULL, status INTEGER NOT NULL,
                            domain INTEGER NOT NULL, client INTEGER NOT NULL, forward INTEGER, additional_info INTEGER);
CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT NOT NULL);
CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT NOT NULL, name TEXT);
CREATE VIEW queries AS SELECT q.id, q.timestamp, q.type, q.status, d.domain, c.ip AS client, q.forward, q.additional_info
FROM query_storage q JOIN domain_by_id d ON d.id = q.domain JOIN client_by_id c ON c.id = q.client;
INSERT INTO domain_by_id VALUES (1, 'games.example.net'), (2, 'news."odd".example');
INSERT INTO client_by_id VALUES (1, '192.0.2.61', 'pc61'), (2, '2001:db8::61', NULL);
INSERT INTO query_storage VALUES (7, 1788854711.25, 1, 1, 1, 1, NULL, 12), (8, 1788854712.5, 2, 3, 2, 2, NULL, NULL), (5, 1788854710.0, 1, 2, 1, 1, 1, NULL);
"""
OLD = """
CREATE TABLE queries (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, type INTEGER NOT NULL, status INTEGER NOT NULL,
                      domain TEXT NOT NULL, client TEXT NOT NULL, forward TEXT, additional_info TEXT);
INSERT INTO queries VALUES (1, 1788854711, 1, 5, 'games.example.net', '192.0.2.61', NULL, NULL);
"""


def database(script: str) -> sqlite3.Connection:
    """A made-up database in memory."""
    con = sqlite3.connect(":memory:")
    con.executescript(script)
    return con


def lines(con: sqlite3.Connection, after: int = 0) -> list[str]:
    """Its rows behind `after`, as lines."""
    return [text + "\n" for (text,) in con.execute(ftl.ROWS, (after,))]


def test_the_rows_are_lines_in_order_of_their_id() -> None:
    """Whatever order they are stored in, and with quotes in a name."""
    found = [json.loads(line) for line in lines(database(LINKED))]
    assert [(row["id"], row["timestamp"], row["status"], row["domain"], row["client"]) for row in found] == [
        (5, 1788854710.0, 2, "games.example.net", "192.0.2.61"), (7, 1788854711.25, 1, "games.example.net", "192.0.2.61"),
        (8, 1788854712.5, 3, 'news."odd".example', "2001:db8::61")]


def test_a_later_reading_goes_on_behind_the_last_row() -> None:
    """Rows are only ever added."""
    assert [json.loads(line)["id"] for line in lines(database(LINKED), 7)] == [8]


def test_old_databases_have_the_same_columns() -> None:
    """A plain table with whole seconds."""
    assert [json.loads(line)["status"] for line in lines(database(OLD))] == [5]


def test_a_database_of_pi_hole_is_known_by_its_columns() -> None:
    """Any other SQLite file is not read as one."""
    for script, known in ((LINKED, True), (OLD, True), ("CREATE TABLE queries (id, words)", False), ("", False)):
        assert (database(script).execute(ftl.KNOWS).fetchone()[0] == ftl.COLUMNS) is known


def test_the_format_reads_the_rows() -> None:
    """The lines go through the format as they come."""
    form = bundled()["pihole-ftl"]
    assert rows(form, lines(database(OLD))) == [
        {"line": 1, "timestamp": "1788854711", "client": "192.0.2.61", "domain": "games.example.net", "status": "5"}]
    assert all(line.startswith('{"id":') for line in lines(database(LINKED)))
