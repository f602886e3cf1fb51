"""Imported lists in a school folder: stored whole or not at all, looked up without being loaded, every change accounted for."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import stat
import tarfile
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dying
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_school import line, make, run

from pipeline import judging, listsource, liststore, register, rulefiles, ruleset, schoolfolder
from pipeline.listfetch import Limits
from pipeline.listing import comparing, reasons, upkeep
from pipeline.listing.wanted import Wanted
from pipeline.liststore import STORED, Lists
from pipeline.problems import FailedError, RefusedError, UsageError

QUICK = Limits(most=100_000, silence=0.3, longest=1.0, waits=(0.0,))
DAY = date(2026, 11, 2)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A school folder with one starter list each of help, learning and games."""
    folder = make(tmp_path / "school")
    for name, entry in (("help_seeking", "help.example"), ("learning", "maths.example"), ("games", "play.example")):
        (folder / f"rules/lists/{name}.txt").write_text(f"# made up\n{entry}\n")
    return folder


def add(folder: Path, text: str, name: str = "made", form: str = "domains", category: str = "gambling") -> list[str]:
    """Import a text as a list."""
    path = folder / f"{name}.txt"
    path.write_text(text)
    return upkeep.add(folder, Wanted(name, str(path), form, category))


def classified(folder: Path, *hosts: str) -> list[str]:
    """The category of each host."""
    rules, _ = ruleset.read_all(rulefiles.texts(folder))
    assert rules
    files = [str(Lists(folder).path(name)) for name in Lists(folder).found()[0]]
    asked = pa.table({"host": list(hosts), "people": [1] * len(hosts), "requests": [1] * len(hosts)})
    rows = judging.classified(asked, ruleset.Rules(**{**vars(rules), "imported": files}), DAY).to_pylist()
    found = {row["host"]: row["category"] for row in rows}
    return [found[host] for host in hosts]


def changes(folder: Path) -> list[tuple[str, str, int]]:
    """Every change in the log: of what, its kind and its size."""
    states = register.fold_changes(schoolfolder.journal(folder, "changes").entries()).values()
    return [(state.object, state.kind, state.size) for state in states]


def test_an_imported_list_gives_its_category_to_what_is_under_its_names(school: Path) -> None:
    """On label boundaries; what it leaves out is said with the reason; a page's address says nothing of its host."""
    told = add(school, "https://bad.example\npage.example/a/b\nco.uk\n", form="urls")
    assert classified(school, "www.bad.example", "notbad.example", "page.example", "shop.co.uk") == [
        "gambling", "uncategorised", "uncategorised", "uncategorised"]
    assert any("a public suffix: 1, such as made.txt:3: co.uk" in text for text in told)


def test_an_exception_silences_its_own_list_only(school: Path) -> None:
    """What the list blocks above is not blocked under its exception; another list may still say so."""
    add(school, "||bad.example^\n@@||good.bad.example^\n", form="adblock")
    assert classified(school, "bad.example", "a.good.bad.example") == ["gambling", "uncategorised"]
    add(school, "good.bad.example\n", name="other", category="shopping")
    assert classified(school, "a.good.bad.example") == ["shopping"]


def test_help_and_learning_are_protected(school: Path) -> None:
    """An imported list never makes them into anything bad, however long its name; each such name is reported, with nobody."""
    add(school, "chat.help.example\nmaths.example\nplay.example\n")
    assert classified(school, "chat.help.example", "maths.example", "play.example") == ["help_seeking", "learning", "gambling"]
    log = school / "access.log"
    log.write_text(line(0, "chat.help.example"))
    run(school, log)
    page = (school / f"reports/technical/nightly-{DAY}.html").read_text("utf-8")
    assert "imported list calls something else" in page and "maths[.]example" in page and "help[.]example" in page
    assert "play[.]example" not in page and "jbloggs" not in page


def test_no_list_may_name_illegal_content(school: Path) -> None:
    """Neither as its category nor in a column nor by a mapping: refused and counted."""
    with pytest.raises(UsageError, match="never from a list"):
        add(school, "a.example", category="illegal_csam")
    told = add(school, "domain,category\na.example,illegal_csam\nb.example,games\nc.example,other\n", form="csv", category="")
    assert classified(school, "a.example", "b.example", "c.example") == ["uncategorised", "games", "uncategorised"]
    assert any("illegal content, which no list may name: 1" in text for text in told)
    assert any("no category of ours for: other 1" in text for text in told)
    assert "illegal_csam" not in Lists(school).about("made")["categories"]


def ut1(path: Path) -> None:
    """An archive laid out as UT1's, with a link, patterns, and a link that leads out."""
    with tarfile.open(path, "w:gz") as box:
        for name, text in (("blacklists/games/domains", "one.example\nb\u00fccher.test\n"), ("blacklists/games/urls", "two.example/play\n"),
                           ("blacklists/jeux/domains", "three.example\n"), ("blacklists/games/usage", "black\n"),
                           ("blacklists/rest/domains", "four.example\n"), ("blacklists/games/expressions", "ga+mes\n")):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            box.addfile(info, io.BytesIO(text.encode()))
        for name, to in (("blacklists/play", "games"), ("blacklists/out", "/etc")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            box.addfile(info)


def test_an_archive_of_ut1_maps_its_own_categories(school: Path) -> None:
    """By rules/vendor/ut1.csv, and names that are ours as they are; links are never followed; everything left out is counted."""
    (school / "rules/vendor").mkdir(exist_ok=True)
    (school / "rules/vendor/ut1.csv").write_text("vendor_category,category\njeux,games\n")
    ut1(school / "ut1.tar.gz")
    told = "\n".join(upkeep.add(school, Wanted("ut1", str(school / "ut1.tar.gz"), "ut1")))
    assert classified(school, "one.example", "b\u00fccher.test", "three.example", "four.example") == ["games"] * 3 + ["uncategorised"]
    for text in ("a link, which is not followed: 2", "no category of ours for: rest 1 (rules/vendor/ut1.csv)", "patterns, which are not read: 1"):
        assert text in told
    assert "5 lines: 5 read" in told


def test_why_names_every_line_and_the_rule_that_decides(school: Path) -> None:
    """The own list, then protection, then the longest name; a line of each list that speaks of the host."""
    add(school, "# head\nplay.example\nwww.deep.play.example/x\n", form="urls")
    add(school, "deep.play.example\n", name="other", category="shopping")
    told = "\n".join(reasons.why(school, "www.deep.play.example"))
    assert told.startswith("www.deep.play.example: shopping, by deep.play.example of other: the longest name wins")
    assert "made, made.txt:2  play.example  gambling" in told and "of pages under this path only" in told
    assert "rules/lists/games.txt:2  play.example  games" in told
    with (school / "rules/lists/own.csv").open("a") as stream:
        stream.write("play.example,learning,coding club,TSM,\n")
    assert "the school's own list beats every other" in reasons.why(school, "www.deep.play.example")[0]
    assert reasons.why(school, "nowhere.example") == ["nowhere.example: no list speaks of it"]


def test_why_is_asked_in_a_school_folder(tmp_path: Path) -> None:
    """Anywhere else the one fault is that it is none, not every setting that is missing there."""
    with pytest.raises(UsageError, match="is not a school folder"):
        reasons.why(tmp_path, "play.example")


def test_every_import_is_in_the_change_log_by_itself(school: Path) -> None:
    """Added, changed with the names that moved, removed; an update that finds nothing new is no change."""
    add(school, "a.example\nb.example\nc.example\n")
    assert upkeep.update(school, []) == (["made: as it was"], [])
    (school / "made.txt").write_text("a.example\nb.example\nd.example\n")
    upkeep.update(school, ["made"])
    assert Lists(school).about("made")["change"]["after"] == "1 new in gambling: d.example"
    upkeep.remove(school, "made")
    assert changes(school) == [("list made", "added", 3), ("list made", "changed", 2), ("list made", "removed", 3)]
    assert classified(school, "a.example") == ["uncategorised"]


def test_diff_says_what_moved_and_whom_nobody(school: Path) -> None:
    """Names by category, and the hosts of the last fortnight that change with them."""
    log = school / "access.log"
    log.write_text(line(0, "d.example") + line(9, "b.example"))
    add(school, "a.example\nb.example\nc.example\n")
    assert comparing.diff(school, "made") == ["made has not been updated since it was added."]
    run(school, log)
    (school / "made.txt").write_text("a.example\nb.example\nd.example\n")
    upkeep.update(school, ["made"])
    assert comparing.diff(school, "made") == [
        "made: 2 differences by category", "+ 1 in gambling: d.example", "- 1 in gambling: c.example",
        "of 2 hosts of the last fortnight 1 have another category", "  d.example: uncategorised -> gambling"]


Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """An address on loopback at which every request gets this answer."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/list.txt"
    finally:
        server.shutdown()
        server.server_close()


def give(body: bytes, length: int | None = None, code: int = 200, **headers: str) -> Answer:
    """An answer with this body, said to be `length` long."""
    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(304 if headers.get("ETag") and to.headers.get("If-None-Match") == headers["ETag"] else code)
        to.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(body)
    return answer


def slow(to: BaseHTTPRequestHandler) -> None:
    """Begin, and say no more."""
    to.send_response(200)
    to.end_headers()
    to.wfile.write(b"a.example\n")
    to.wfile.flush()
    time.sleep(1)


GOOD = b"a.example\nb.example\nc.example\nd.example\n"


def test_a_list_that_is_added_over_another_must_hold_half_of_it(school: Path) -> None:
    """A name typed twice, or a torn download, must not empty a list in use: remove it first, if it is meant."""
    add(school, "a.example\nb.example\nc.example\n")
    with pytest.raises(FailedError, match="less than half"):
        add(school, "d.example\n")
    assert classified(school, "a.example", "d.example") == ["gambling", "uncategorised"]
    assert changes(school) == [("list made", "added", 3)]
    upkeep.remove(school, "made")
    add(school, "d.example\n")
    assert classified(school, "a.example", "d.example") == ["uncategorised", "gambling"]


ROW = st.tuples(st.text("ab.", min_size=1, max_size=4), st.sampled_from(["", "/p"]), st.sampled_from(["games", "shopping"]), st.booleans(),
                st.sampled_from(["one", "two"]), st.integers(1, 9))


@settings(max_examples=25)
@given(parts=st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=4), later=st.lists(ROW, max_size=12))
def test_a_list_is_stored_sorted_once_each_whatever_order_it_comes_in(parts: list[list[tuple[object, ...]]], later: list[tuple[object, ...]]) -> None:
    """Each entry with the first line that holds it, by file and line; and what two lists differ in is what only one of them holds."""
    def table(rows: list[tuple[object, ...]]) -> pa.Table:
        return pa.Table.from_pylist([dict(zip(STORED.names, row, strict=True)) for row in rows], schema=STORED)

    def one(rows: list[tuple[object, ...]]) -> dict[tuple[object, ...], tuple[object, ...]]:
        found: dict[tuple[object, ...], tuple[object, ...]] = {}
        for row in rows:
            found[row[:4]] = min(found.get(row[:4], row[4:]), row[4:])
        return found
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(liststore, "RUN", 5)
        patch.setattr(liststore, "FINE", 3)
        store, rows = Lists(Path(folder)), [row for part in parts for row in part]
        half, counts = store.prepare("new", map(table, parts))
        other, _ = store.prepare("old", [table(later)])
        kept = pq.read_table(half).to_pylist()
        assert [tuple(row.values()) for row in kept] == [(*key, *at) for key, at in sorted(one(rows).items())]
        names = [{(e, p, c) for e, p, c, x, *_ in some if not x} for some in (later, rows)]
        assert counts == dict(Counter(sorted(c for *_, c in names[1])))
        for path in (half, other):
            store.commit(path.stem, path, {})
        told = {(row["side"], row["category"]): row["many"] for row in liststore.differing(store.path("old"), store.path("new"))}
    assert told == {**Counter((1, c) for *_, c in names[1] - names[0]), **Counter((0, c) for *_, c in names[0] - names[1])}


@pytest.mark.parametrize(("answer", "said"), [
    (give(GOOD, length=400), "broke off after 40 of 400 bytes"),
    (give(b""), "holds no name"),
    (give(b"a.example\n"), "less than half"),
    (give(b"<html>\n<p>Sorry, try later.</p>\n"), "holds no name"),
    (give(b"\x1f\x8b torn"), "torn or damaged"),
    (give(GOOD, code=404), r"refused by the server \(404\)"),
    (give(GOOD, code=503), r"the server failed \(503\)"),
    (give(b"a.example\n" * 20_000), "larger than 100,000 bytes"),
    (give(b"", code=302, Location="http://lists.example/a"), "no https address"),
    (slow, "said nothing for 0.3 seconds"),
], ids=["torn", "empty", "less than half", "garbage", "torn archive", "404", "503", "too large", "redirect", "slow"])
def test_a_bad_update_leaves_the_list_as_it_was(school: Path, answer: Answer, said: str) -> None:
    """And says what was wrong; nothing of it stays in the folder and nothing goes to the change log."""
    answers = iter([give(GOOD)])

    def first_good(to: BaseHTTPRequestHandler) -> None:
        next(answers, answer)(to)
    with served(first_good) as url:
        upkeep.add(school, Wanted("net", url, "domains", "gambling"), QUICK)
        before = Lists(school).path("net").read_bytes()
        _, problems = upkeep.update(school, ["net"], QUICK)
    assert len(problems) == 1
    assert re.search(said, str(problems[0]))
    assert Lists(school).path("net").read_bytes() == before
    assert [path.name for path in Lists(school).folder.glob("*") if path.is_file()] == ["net.parquet"]
    assert changes(school) == [("list net", "added", 4)]


def test_a_list_is_fetched_only_when_it_has_changed(school: Path) -> None:
    """The server is told what is here, and 304 is no update; an address that is not https is not asked."""
    with served(give(GOOD, ETag='"one"')) as url:
        upkeep.add(school, Wanted("net", url, "domains", "gambling"), QUICK)
        assert upkeep.update(school, ["net"], QUICK) == (["net: as it was"], [])
    with pytest.raises(UsageError, match="no https address"):
        upkeep.add(school, Wanted("plain", "http://lists.example/a", "domains", "gambling"), QUICK)


def test_an_update_killed_at_any_step_leaves_the_old_list_or_the_new(school: Path, tmp_path: Path) -> None:
    """Never half a list; the next night tidies up nothing it needs, and the change stands in the log once."""
    add(school, "a.example\nb.example\n")
    (school / "made.txt").write_text("a.example\nc.example\n")
    steps = dying.steps(_copy(school, tmp_path / "whole"), lambda: upkeep.update(tmp_path / "whole", []))
    assert any("rename" in step.what for step in steps)
    seen = set()
    for step in steps:
        folder = _copy(school, tmp_path / f"at{step.number}")
        dying.killed(partial(upkeep.update, folder, []), step.number)
        seen.add(tuple(classified(folder, "b.example", "c.example")))
        run(folder)
        upkeep.update(folder, [])
        assert classified(folder, "b.example", "c.example") == ["uncategorised", "gambling"]
        assert changes(folder) == [("list made", "added", 2), ("list made", "changed", 2)]
    assert seen == {("gambling", "uncategorised"), ("uncategorised", "gambling")}


def _copy(school: Path, to: Path) -> Path:
    return Path(shutil.copytree(school, to))


def test_a_zip_is_read_without_its_links_and_locked_files(school: Path) -> None:
    """Every file of an archive is part of the list; what cannot be read is counted by name."""
    with zipfile.ZipFile(school / "lists.zip", "w") as box:
        box.writestr("one.txt", "a.example\n")
        box.writestr("two.txt", "b.example\n")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        box.writestr(link, "one.txt")
    told = upkeep.add(school, Wanted("zipped", str(school / "lists.zip"), "domains", "games"))
    assert classified(school, "a.example", "b.example") == ["games", "games"]
    assert any("a link, which is not followed: 1, such as link.txt" in text for text in told)


def test_an_archive_that_swells_is_refused(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a small file would unpack to, no more than the limit is ever held, and the list is not taken."""
    monkeypatch.setattr(listsource, "MOST", 100_000)
    (school / "bomb.gz").write_bytes(gzip.compress(b"a" * 10_000_000))
    with pytest.raises(FailedError, match="is larger than"):
        upkeep.add(school, Wanted("bomb", str(school / "bomb.gz"), "domains", "games"))
    assert not Lists(school).path("bomb").exists() and changes(school) == []


def test_a_list_is_not_replaced_under_a_night(school: Path) -> None:
    """All days of a night are judged by the same lists: an update that would fall into one is refused, and the old list stays."""
    add(school, "a.example\nb.example\n")
    (school / "made.txt").write_text("a.example\nc.example\n")
    with rulefiles.locked(school), pytest.raises(RefusedError, match="another night is at work"):
        upkeep.update(school, [])
    assert classified(school, "b.example", "c.example") == ["gambling", "uncategorised"]


def test_a_damaged_list_is_left_out_and_said(school: Path) -> None:
    """The night judges by the others, says which one, and what to try."""
    add(school, "a.example\n")
    Lists(school).path("made").write_bytes(b"PAR1 torn")
    account = run(school)
    assert any("is damaged, so this list is not used" in str(problem) for problem in account.problems)
    assert upkeep.remove(school, "made") == "made is removed (0 names)."
