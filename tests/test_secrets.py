"""Planted secrets are searched for in a whole school folder, as it stands and unpacked, and in all that a night says."""

from __future__ import annotations

import gzip
import random
import subprocess
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from front_door import schoolgate, typed
from small_school import line, make, names_kept, pages, where_found

from pipeline import night, purging, schoolfolder, sql
from pipeline.formats import bundled
from pipeline.formats.fields import Parser

SEALED_HOSTS = ("zz-first.invalid", "zz-second.invalid", "zz-third.invalid")
NEVER = (*SEALED_HOSTS, "zz-path", "zz-search", "tornsecret", "nulsecret", "endless", "geheim", "tok3n", "p4ssw", "s3ssion",
         "jo.bloggs@mail.test", "jo.bloggs", "quill%40mail", "10.20.0.7", "10.20.0.9", "10.30.0.4", "2001:db8::77")
LOGINS = ("19jbloggs", "20mquill", "j.inkpen", "stray.login", "17nobody")
NAMES = ("Jo Bloggs", "Mo Quill", "Jan Inkpen")


def logs_of(folder: Path) -> list[Path]:
    """Three logs outside the school folder: one plain, one without a last line end, one compressed and cut."""
    folder.mkdir()
    dice = random.Random(4)
    plain, torn, packed = folder / "access.log", folder / "torn.log.1", folder / "old.log.2.gz"
    tries = [line(14_000 + 40 * n, f"adult-{('one', 'two')[n % 2]}.test", verdict="TCP_DENIED/403") for n in range(4)]
    plain.write_bytes("".join([
        line(0, "fenmarsh.test"), *tries,
        line(14_300, f"http://{SEALED_HOSTS[0]}/zz-path?q=zz-search", "20mquill", "10.20.0.9"),
        line(14_310, f"http://{SEALED_HOSTS[0]}/zz-path", "20mquill", "10.20.0.9", "TCP_DENIED/451"),
        line(14_500, SEALED_HOSTS[1], "j.inkpen", "10.30.0.4", "TCP_DENIED/451", "CONNECT"),
        line(14_600, "adult-two.test", "FENMARSH\\\\j.inkpen", "10.30.0.4"), line(14_900, "hideaway.test", "stray.login", "2001:db8::77"),
        line(15_000, "http://u:geheim@letterbox.test/in?token=tok3n&password=p4ssw&sid=s3ssion&to=jo.bloggs@mail.test"),
        line(15_001, "http://letterbox.test/read?m=quill%40mail.test&user=17nobody", "17nobody"),
        line(15_002, "helpline.test", "19jbloggs")]).encode()
        + b"1793613601.000 19jbloggs tornsecret\n" + b"nulsecret \0\0 jo.bloggs\n" + b"endless " * 160_000 + b"\n")
    torn.write_bytes(line(86_400, "fenmarsh.test").encode() + b"\xff\xfe tornsecret 20mquill")
    packed.write_bytes(gzip.compress("".join([line(100, SEALED_HOSTS[2], "20mquill", "10.20.0.9", "TCP_DENIED/451"),
                                              *(line(200 + n, f"{dice.getrandbits(64):x}.test", "20mquill") for n in range(3000))]).encode())[:-4000])
    return [plain, torn, packed]


def said_by(done: subprocess.CompletedProcess[str]) -> str:
    """All that the command says, on both streams."""
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A school after three nights and all its commands, and all that they said."""
    place = tmp_path_factory.mktemp("secrets")
    school, logs = make(place / "school"), logs_of(place / "logs")
    said = [schoolgate(school, "nightly", str(logs[0])), typed(school, "nightly", *map(str, logs), str(place / "no.log"))]
    with logs[0].open("a") as stream:
        stream.write(line(14_320, SEALED_HOSTS[0], "20mquill", "10.20.0.9") + "tornsecret again\n")
    said += [schoolgate(school, "nightly", *map(str, logs)), schoolgate(school, "incident", "list"),
             schoolgate(school, "incident", "confirm", "I-0001", "--reason", "talked", "--row", "IN-14")]
    said += [schoolgate(school, *words, f"I-000{n}") for n in range(1, 6) for words in (("incident", "show"), ("explain",))]
    said += [schoolgate(school, *words) for words in (("verify",), ("check",), ("change", "list"))]
    return school, "\n".join(map(said_by, said))


def opaque(school: Path) -> set[Path]:
    """The encrypted copies of raw bytes, which are not searched: they open with their key alone."""
    return set((school / "var/sealed").glob("*.sealed"))


def test_sealed_addresses_texts_of_rejects_and_credentials_are_nowhere(nights: tuple[Path, str]) -> None:
    """Not in a file, its name, its packed columns or their statistics, nor in anything that was said."""
    school, said = nights
    assert len(opaque(school)) == 2
    assert where_found(school, NEVER, opaque(school)) == {}
    assert [word for word in NEVER if word in said] == []
    assert not {host for host in names_kept(school) if host in SEALED_HOSTS}


def test_logins_and_names_stand_only_with_readers_who_may_see_them(nights: tuple[Path, str]) -> None:
    """In people.csv, on the DSL list and on the Principal's page; the school's staff on the latter alone."""
    school, said = nights
    found = where_found(school, LOGINS + NAMES, opaque(school))
    places = {place for where in found.values() for place in where if place != "people.csv"}
    assert places
    assert {place.split("/")[0] + "/" + place.split("/")[1] for place in places} <= {"reports/safeguarding", "reports/principal"}
    assert [word for word in LOGINS + NAMES if word in said] == []
    assert not [where for where in found["Jan Inkpen"] if "safeguarding" in where]
    assert [where for where in found["Jan Inkpen"] if "principal" in where]
    assert [where for where in found["Jo Bloggs"] if "safeguarding" in where]


def test_the_search_finds_what_stands_in_packed_columns_and_statistics(tmp_path: Path) -> None:
    """The search itself is proved: a word in a zstd column, in a statistic, in gzip and behind JSON escapes is found."""
    pq.write_table(pa.table({"host": ["planted-one.test"] * 9}), tmp_path / "a.parquet", compression="zstd")
    pq.write_table(pa.table({"host": ["x"]}).replace_schema_metadata({"k": "planted-two"}), tmp_path / "b.parquet", compression="zstd")
    (tmp_path / "c").write_bytes(gzip.compress(b"planted-three"))
    (tmp_path / "d.jsonl").write_text('{"a":"planted\\u002dfour"}\n')
    (tmp_path / "planted-five").mkdir()
    assert sorted(where_found(tmp_path, [f"planted-{n}" for n in ("one", "two", "three", "four", "five", "six")])) == [
        "planted-five", "planted-four", "planted-one", "planted-three", "planted-two"]


def test_raw_lines_cannot_spill() -> None:
    """The connection that parses raw lines has no folder to spill to: what does not fit in memory fails, and is not written."""
    con = Parser(bundled()["squid"]).con
    assert con.sql("SELECT current_setting('temp_directory')").fetchall() == [("",)]
    with pytest.raises(Exception, match=r"(?i)memory|temp"):
        con.execute("SET memory_limit = '20MB'")
        con.sql("SELECT repeat('x', 200) || i AS t FROM range(2000000) r(i) ORDER BY t DESC").fetchall()


def test_what_a_judgement_spills_holds_no_secret(nights: tuple[Path, str], tmp_path: Path) -> None:
    """The spill folder is on disk while a day is judged; it is filled from masked lines only, and empty before the next."""
    school, _ = nights
    lake = schoolfolder.open_lake(school, night.load_keys(school / "var/keys"))
    spill = tmp_path / "spill"
    con = sql.connect(threads=1, memory="100MB", spill=str(spill))
    lake.view(con, date(2026, 11, 2))
    rows = con.sql("SELECT l.*, r.i FROM lines l, range(300) r(i) ORDER BY md5(url || i)").to_arrow_reader(1000)
    next(iter(rows))
    assert list(spill.rglob("*")), "the test must spill"
    assert where_found(spill, NEVER + LOGINS + NAMES) == {}
    assert not list((school / "var/spill").rglob("*"))


def test_after_a_purge_nobody_is_named_anywhere(nights: tuple[Path, str]) -> None:
    """Lines, tables, decided incidents, pages and names are gone; of people only what waits for a decision stays."""
    school, _ = nights
    (school / "people.csv").write_text("username,name,role,year,house\n", "utf-8")
    schoolgate(school, "incident", "list")
    waiting = {word for word in LOGINS if word in names_kept(school)}
    purging.purge(school, date(2040, 1, 1))
    assert where_found(school, NEVER + LOGINS + NAMES, opaque(school)) == {}
    assert "19jbloggs" in waiting
    assert "19jbloggs" not in names_kept(school)
    assert not [host for host in SEALED_HOSTS if host in names_kept(school)]
    assert not [page for page in pages(school) if "dsl-list" in page or "principal-" in page]
    assert schoolfolder.verify(school) == []
