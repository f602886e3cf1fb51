"""Journals keep what was written, show what was changed, and let what must go, go."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.chain import START, Entry
from pipeline.journal import Folded, Journal
from pipeline.problems import FailedError

CALM = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BODY = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=3),
                       max_size=3)


def made(path: Path, purged: bool = True) -> Journal:
    """A small journal with a batch, odd letters and a purge in it."""
    journal = Journal(path)
    journal.append("opened", "I-0001", {"word": "plantedword", "n": 1})
    journal.append_all([("seen", "I-0001", {"naïve": ["\u2028", "\n"]}), ("noted", "I-0001", {"who": "plantedwho"})])
    if purged:
        journal.purge([1], "retention")
        journal.append("opened", "I-0002", {"n": 2})
    return journal


@CALM
@given(at=st.integers(min_value=0), by=st.integers(1, 255))
def test_any_changed_byte_is_found(tmp_path: Path, at: int, by: int):
    """Whatever byte is changed, of any line and to whatever value, verify finds it and names a line."""
    path = tmp_path / "whole.jsonl"
    if not path.exists():
        made(path)
    data = bytearray(path.read_bytes())
    line = data[:at % len(data)].count(b"\n") + 1
    data[at % len(data)] ^= by
    other = tmp_path / "changed.jsonl"
    other.write_bytes(data)
    faults = Journal(other).verify()
    assert faults and faults[0].where in {f"{other}, line {line}", f"{other}, line {line + 1}"}


@CALM
@given(bodies=st.lists(BODY, min_size=1, max_size=5))
def test_what_is_written_is_read_back_and_holds(tmp_path: Path, bodies: list[dict[str, object]]):
    """Any bodies come back as they were, from the journal that wrote them and from a fresh one."""
    path = tmp_path / "any.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.append_all([("kind", "R-1", body) for body in bodies])
    assert journal.verify() == []
    assert [e.body for e in Journal(path).entries()] == [e.body for e in journal.entries()] == bodies
    assert [e.n for e in journal.entries()] == list(range(1, len(bodies) + 1))


def test_keys_that_json_turns_into_text_hold_too(tmp_path: Path):
    """Numbers as keys and tuples are committed to as they will be read back."""
    journal = Journal(tmp_path / "j.jsonl")
    entry = journal.append("kind", "", {10: (1, 2), 9: "x"})  # type: ignore[dict-item]
    assert entry.body == {"10": [1, 2], "9": "x"} and journal.verify() == []


def test_a_crash_at_any_byte_of_the_last_line_leaves_a_chain(tmp_path: Path):
    """The torn rest is cut, said by length and hash and never by its text, and the chain goes on and holds."""
    whole = tmp_path / "whole.jsonl"
    made(whole)
    Journal(whole).append("noted", "I-0002", {"who": "tornwho"})
    data = whole.read_bytes()
    start = data[:-1].rfind(b"\n") + 1
    count = data[:start].count(b"\n")
    for cut in range(start, len(data)):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(data[:cut])
        journal = Journal(path)
        assert len(journal.entries()) == count
        assert journal.append("opened", "I-0003", {}).n == count + 1
        assert journal.verify() == [] and b"tornwho" not in path.read_bytes()
        assert [f"torn last line of {cut - start} bytes" in p.what for p in journal.problems] == [True] * (cut > start)
        assert "tornwho" not in str(journal.problems)


def test_reading_mends_nothing(tmp_path: Path):
    """Only a writer, under the lock, cuts a torn line; a reader sees the whole lines, and verify says it is torn."""
    path = tmp_path / "j.jsonl"
    made(path)
    data = path.read_bytes()
    path.write_bytes(data[:-4])
    journal = Journal(path)
    assert len(journal.entries()) == data.count(b"\n") - 1 and path.read_bytes() == data[:-4]
    assert "torn" in journal.verify()[-1].what


def test_a_purge_leaves_no_word_and_the_chain_holds(tmp_path: Path):
    """Erased words are in no file of the folder; the chain verifies, before and after more is written."""
    path = tmp_path / "registers/j.jsonl"
    journal = made(path, purged=False)
    head = journal.head()
    other = Journal(path)
    assert journal.purge([1, 3, 99], "retention") == [1, 3]
    assert journal.purge([1, 3], "retention") == []
    assert all(b"planted" not in file.read_bytes() for file in path.parent.iterdir())
    assert journal.verify(head) == [] and other.entries()[0].body is None
    assert journal.entries()[-1].kind == "purged" and journal.entries()[-1].body == {"numbers": [1, 3], "why": "retention"}
    other.append("opened", "I-0009", {})
    assert journal.verify(head) == [] and path.stat().st_mode & 0o777 == 0o600


def test_a_purge_that_was_cut_short_leaves_nothing_behind(tmp_path: Path):
    """The half-written file of a crash is removed by the next writer."""
    path = tmp_path / "j.jsonl"
    made(path)
    (tmp_path / ".j.jsonl.half").write_text("plantedhalf")
    Journal(path).append("noted", "I-0001", {})
    assert all("plantedhalf" not in file.read_text() for file in tmp_path.iterdir())


def test_a_body_may_be_null_only_where_a_purge_says_so(tmp_path: Path):
    """Taking body and salt away by hand is found, and a purge refuses to write over the traces."""
    path = tmp_path / "j.jsonl"
    made(path, purged=False)
    lines = path.read_text().split("\n")
    value = json.loads(lines[0]) | {"salt": None, "body": None}
    lines[0] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text("\n".join(lines))
    assert [fault.where for fault in Journal(path).verify()] == [f"{path}, line 1"]
    with pytest.raises(FailedError, match="no purge names it"):
        Journal(path).purge([2], "retention")


def test_order_and_loss_are_found_and_the_end_by_its_head(tmp_path: Path):
    """Lines exchanged or taken from the middle are found; lines cut from the end only by a head that was printed."""
    path = tmp_path / "j.jsonl"
    head = made(path).head()
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in ([lines[1], lines[0], *lines[2:]], lines[:1] + lines[2:], lines[1:], [*lines, lines[-1]]):
        path.write_bytes(b"".join(changed))
        assert Journal(path).verify()
    path.write_bytes(b"".join(lines[:-1]))
    assert Journal(path).verify() == [] and len(Journal(path).verify(head)) == 1
    path.write_bytes(b"".join(lines))
    assert Journal(path).verify(head) == [] == Journal(path).verify(START)


@CALM
@given(data=st.binary(max_size=60) | st.sampled_from([b"[" * 100_000 + b"\n", b"[]\n", b'{"n":1}\n', b"null\n"]))
def test_any_bytes_at_all_are_a_fault_and_never_an_error(tmp_path: Path, data: bytes):
    """A file that was never a journal is read as no entries, and verify says so."""
    path = tmp_path / "odd.jsonl"
    path.write_bytes(data)
    assert Journal(path).entries() == []
    assert bool(Journal(path).verify()) == bool(data)


def _write(path: Path, name: str) -> None:
    journal = Journal(path)
    for number in range(25):
        journal.append_all([(name, str(number), {"half": half}) for half in (1, 2)])


def test_two_processes_never_interleave(tmp_path: Path):
    """Batches of two writers stand whole, in order, in one chain that holds."""
    path = tmp_path / "new/j.jsonl"
    workers = [multiprocessing.get_context("spawn").Process(target=_write, args=(path, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    reader = Journal(path)
    while any(worker.is_alive() for worker in workers):
        numbers = [entry.n for entry in reader.entries()]
        assert numbers == list(range(1, len(numbers) + 1))
        for worker in workers:
            worker.join(0.01)
    assert [worker.exitcode for worker in workers] == [0, 0]
    entries = reader.entries()
    assert reader.verify() == [] and len(entries) == 100
    for first, second in zip(entries[::2], entries[1::2], strict=True):
        assert (first.kind, first.ref) == (second.kind, second.ref) and (first.body, second.body) == ({"half": 1}, {"half": 2})


def test_a_journal_that_is_open_twice_reads_what_the_other_wrote(tmp_path: Path):
    """The kept parse is renewed when the file has grown or was written again."""
    one, two = Journal(tmp_path / "j.jsonl"), Journal(tmp_path / "j.jsonl")
    one.append("a", "", {})
    assert two.append("b", "", {}).n == 2 and [e.kind for e in one.entries()] == ["a", "b"]
    assert one.append_all([]) == [] and one.head() == two.head() == two.entries()[-1].link()


class Counted:
    """A fold that counts what it is given."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, state: list[str], entry: Entry) -> None:
        self.steps += 1
        state.append(entry.kind)


def test_a_fold_takes_each_entry_once(tmp_path: Path) -> None:
    """Asking again costs nothing, an entry added costs one step, and another process's entry is seen."""
    journal, step = Journal(tmp_path / "r.jsonl"), Counted()
    folded = Folded[list[str]](journal, list, step)
    assert folded.now() == []
    journal.append_all([("a", "", {}), ("b", "", {})])
    assert (folded.now(), folded.now(), step.steps) == (["a", "b"], ["a", "b"], 2)
    journal.append("c", "", {})
    assert (folded.now(), step.steps) == (["a", "b", "c"], 3)
    Journal(tmp_path / "r.jsonl").append("d", "", {})
    assert folded.now() == ["a", "b", "c", "d"]


def test_a_purge_is_folded_anew(tmp_path: Path) -> None:
    """What a purge erased is in no state that was folded before it."""
    journal = Journal(tmp_path / "r.jsonl")
    folded = Folded[list[bool]](journal, list, lambda state, entry: state.append(entry.body is None))
    journal.append_all([("a", "", {"x": 1}), ("b", "", {})])
    assert folded.now() == [False, False]
    journal.purge([1], "retention")
    assert folded.now() == [True, False, False]
