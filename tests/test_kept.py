"""What is kept beside a register saves time and never changes an answer; a purge takes it away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import kept, proving, registers
from pipeline.chain import START, Walk
from pipeline.journal import Journal
from pipeline.register import IncidentState, card, fold_incidents
from pipeline.register.incidents import MOVED
from pipeline.registers import Incidents

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHO = {"who": "a.lead", "role": "dsl", "reason": "looked, and agreed"}
FACTS = {"identified": {"subject": "p2", "person": "p2", "actor": "student", "year": "8", "route": "student", "rows": ["IN-02"]},
         "acted": {"done": [{"action": "warning", "on": "2026-11-03"}], "departures": [{"action": "police", "reason": "the DSL's"}]},
         "parents": {"parents": "held", "review_on": "2026-12-01"}, "told": {"agency": "police"},
         "confirmed": {"rows": ["IN-02"], "intent": "deliberate"}, "corrected": {"why": "new_evidence", "pages": ["a/b"]}}
KINDS = ("opened", "seen", "gone", *MOVED)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep after every entry, where a school keeps after thousands."""
    monkeypatch.setattr(registers, "MANY", 1)
    monkeypatch.setattr(proving, "MANY", 1)


def key() -> bytes:
    """The school's key."""
    return b"k" * 32


def story(keys: list[str]) -> dict[str, Any]:
    """What code says of an incident."""
    return {"day": "2026-11-02", "story": keys[0], "keys": keys, "subject": "p1", "person": "p1", "client": "d1", "actor": "student",
            "year": "9", "route": "student", "tier": "T2", "started": "2026-11-02T10:00:00+00:00", "categories": ["games"],
            "ended": "2026-11-02T10:04:00+00:00", "sites": ["plantedsite.test"], "outcome": "blocked", "intent": "unclear",
            "rows": ["IN-02"], "questions": [], "visits": 1, "requests": 3}


def said(kind: str, n: int) -> dict[str, Any]:
    """The body of an entry of that kind."""
    return story([f"key-{n}", "\u2028é"]) if kind in ("opened", "seen") else {} if kind == "gone" else WHO | FACTS.get(kind, {})


def made(path: Path) -> Journal:
    """A register of two incidents, one of them confirmed."""
    journal = Journal(path)
    journal.append_all([("opened", "I-0001", story(["a", "b"])), ("opened", "I-0002", story(["c"])),
                        ("confirmed", "I-0002", WHO | FACTS["confirmed"] | {"reason": "plantedreason"})])
    return journal


def folded(journal: Journal) -> dict[str, IncidentState]:
    """What the register says, with nothing kept."""
    return fold_incidents(Journal(journal.path).entries())


def agrees(journal: Journal) -> None:
    """What a new process says of the register is what its entries say: states, their order, histories and cards."""
    wanted, found = folded(journal), Incidents(journal, key).now()
    assert list(found) == list(wanted) and len(found) == len(wanted)
    assert [each.ref for each in found.cards()] == list(wanted)
    assert list(found.cards()) == [card(state) for state in wanted.values()]
    for ref, state in wanted.items():
        assert found[ref].kinds == state.kinds and found[ref] == state


@CALM
@given(lives=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 3)), max_size=12), cut=st.integers(0, 12),
       purged=st.sets(st.integers(1, 12), max_size=2))
def test_what_is_kept_and_folded_on_is_what_all_entries_fold_to(tmp_path: Path, lives: list[tuple[str, int]], cut: int,
                                                                purged: set[int]) -> None:
    """Whatever happened to three incidents, and wherever the kept part ends, and after a purge too."""
    folder = tmp_path / "any"
    shutil.rmtree(folder, ignore_errors=True)
    journal = Journal(folder / "incidents.jsonl")
    events = [("opened", f"I-{ref}", said("opened", ref)) for ref in (1, 2, 3)]
    events += [(kind, f"I-{ref}", said(kind, n)) for n, (kind, ref) in enumerate(lives)]
    journal.append_all(events[:3 + cut])
    Incidents(journal, key).now()
    for event in events[3 + cut:]:
        journal.append(*event)
        agrees(journal)
    journal.purge(purged, "retention")
    agrees(journal)
    agrees(journal)


def test_a_new_process_reads_only_what_came_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept part is not read again, entry by entry."""
    journal = made(tmp_path / "incidents.jsonl")
    Incidents(journal, key).now()
    journal.append("noted", "I-0001", WHO)
    read: list[bytes] = []
    parsed = registers.parsed
    monkeypatch.setattr(registers, "parsed", lambda line: read.append(line) or parsed(line))
    assert Incidents(journal, key).now()["I-0001"].kinds == ("opened", "noted") and len(read) == 1
    assert Incidents(journal, None).now()["I-0001"].kinds == ("opened", "noted") and len(read) == 1 + 4


def wrong(journal: Journal, name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Ways in which a kept file can be wrong."""
    path = journal.kept(name)
    good = path.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 90)):
        yield f"byte {at} changed", lambda at=at: path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
    for length in (0, 1, 64, 65, len(good) // 2, len(good) - 1):
        yield f"cut after {length}", lambda length=length: path.write_bytes(good[:length])
    yield "longer", lambda: path.write_bytes(good + b"x")
    yield "not text", lambda: path.write_bytes(b"\xff\n\xff\n")
    yield "a folder", lambda: (path.unlink(missing_ok=True), path.mkdir())


def test_a_kept_file_that_is_wrong_in_any_way_changes_no_answer(tmp_path: Path) -> None:
    """It is as if there were none, and the next reader makes it anew."""
    journal = made(tmp_path / "incidents.jsonl")
    Incidents(journal, key).now()
    proving.prove(journal, key)
    for _, spoil in [*wrong(journal, "fold"), *wrong(journal, "proof")]:
        spoil()
        agrees(journal)
        assert proving.prove(journal, key).faults == []


def test_a_kept_file_of_another_key_version_or_register_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older program's, another school's, and one of another register of the same length."""
    journal, other = made(tmp_path / "incidents.jsonl"), made(tmp_path / "other.jsonl")
    for name, change in (("another key", lambda: Incidents(other, lambda: b"x" * 32).now()),
                         ("another register", lambda: Incidents(other, key).now())):
        change()
        shutil.copy(other.kept("fold"), journal.kept("fold"))
        tape = kept.Tape(journal)
        assert kept.load(tape, registers.FOLD, key) is None and tape.at == 0, name
        agrees(journal)
    Incidents(journal, key).now()
    monkeypatch.setattr(registers, "FOLD", kept.Kind("fold", "newer"))
    assert kept.load(kept.Tape(journal), registers.FOLD, key) is None
    agrees(journal)
    assert kept.load(kept.Tape(journal), registers.FOLD, key) is not None


def test_a_register_that_was_changed_is_read_as_it_is(tmp_path: Path) -> None:
    """What is kept of other bytes says nothing of these; a register that was cut short neither."""
    journal = made(tmp_path / "incidents.jsonl")
    Incidents(journal, key).now()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole.replace(b'"year":"9"', b'"year":"8"', 1))
    assert Incidents(journal, key).now()["I-0001"].summary["year"] == "8"
    journal.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:1]))
    assert list(Incidents(journal, key).now()) == ["I-0001"]
    journal.path.unlink()
    assert list(Incidents(journal, key).now()) == []


def test_what_a_purge_erased_is_in_no_file_and_cannot_come_back(tmp_path: Path) -> None:
    """Not in what was kept, and not by a process that read the register before the purge and keeps it after."""
    journal = made(tmp_path / "registers/incidents.jsonl")
    early, late = Incidents(journal, key), Incidents(journal, None)
    early.now()
    proving.prove(journal, key)
    standing, tape = late.now(), kept.Tape(journal)
    list(tape.lines())
    assert b"plantedreason" in journal.kept("fold").read_bytes() and journal.kept("proof").exists()
    assert journal.kept("fold").stat().st_mode & 0o777 == 0o600
    journal.purge([1, 2, 3], "retention")
    names = [path.name for path in journal.path.parent.iterdir()]
    assert sorted(names) == [".incidents.jsonl.lock", "incidents.jsonl"]
    assert standing["I-0002"].reason == "plantedreason" and not kept.save(tape, registers.FOLD, key, standing.pack())
    agrees(journal)
    assert early.now()["I-0002"].purged
    assert not [path for path in journal.path.parent.iterdir() if b"planted" in path.read_bytes()]


def test_a_kept_file_that_was_cut_short_in_the_writing_goes_with_the_next_entry(tmp_path: Path) -> None:
    """Half a kept file may hold what a later purge erases."""
    journal = made(tmp_path / "incidents.jsonl")
    half = journal.kept("fold").with_name(journal.kept("fold").name + ".half")
    half.write_text("plantedhalf")
    journal.append("noted", "I-0001", WHO)
    assert not half.exists()


def test_where_nothing_can_be_kept_the_answer_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a folder that is only to be read."""
    journal = made(tmp_path / "incidents.jsonl")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(kept, "private", full)
    agrees(journal)
    assert proving.prove(journal, key).faults == [] and not list(tmp_path.glob(".*.kept"))


@CALM
@given(at=st.integers(min_value=0), by=st.integers(1, 255), whole=st.booleans())
def test_a_changed_byte_is_found_and_its_line_named_with_a_proof_too(tmp_path: Path, at: int, by: int, whole: bool) -> None:
    """Whatever byte is changed after the register was proven, before or after the proof's end."""
    path = tmp_path / "r.jsonl"
    journal = Journal(path)
    if not path.exists():
        made(path)
        assert proving.prove(journal, key).faults == []
        journal.append("noted", "I-0001", WHO)
        (tmp_path / "good").write_bytes(path.read_bytes())
        shutil.copy(journal.kept("proof"), tmp_path / "proof")
    data = bytearray((tmp_path / "good").read_bytes())
    line = data[:at % len(data)].count(b"\n") + 1
    data[at % len(data)] ^= by
    path.write_bytes(data)
    shutil.copy(tmp_path / "proof", journal.kept("proof"))
    proven = proving.prove(journal, key, whole)
    faults = proven.faults
    assert (proven.entries, proven.head) == (len(journal.entries()), journal.head())
    assert faults and faults[0].where in {f"{path}, line {line}", f"{path}, line {line + 1}"}
    assert {fault.where for fault in faults} == {fault.where for fault in journal.verify()}


def test_a_proof_saves_the_walk_and_whole_walks_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines walked: all at first, none the second time, the new one after an entry, all when all are asked for."""
    journal, walked, step = made(tmp_path / "r.jsonl"), [], Walk.step
    monkeypatch.setattr(Walk, "step", lambda self, line: walked.append(line) or step(self, line))

    def lines(whole: bool = False) -> int:
        walked.clear()
        assert proving.prove(journal, key, whole).faults == []
        return len(walked)
    assert [lines(), lines()] == [3, 0]
    journal.append("noted", "I-0001", WHO)
    assert [lines(), lines(), lines(whole=True)] == [1, 0, 4]


def test_a_body_taken_away_after_the_proof_is_found(tmp_path: Path) -> None:
    """Only a purge may take a body, and it takes the proof too."""
    journal = made(tmp_path / "r.jsonl")
    proving.prove(journal, key)
    journal.purge([1], "retention")
    assert proving.prove(journal, key).faults == [] == proving.prove(journal, key).faults
    text = journal.path.read_text().split("\n")
    body, salt = text[1].index('"body":'), text[1].index('"salt":')
    text[1] = text[1][:salt] + '"salt":null,"body":null}'
    assert body > salt
    journal.path.write_text("\n".join(text))
    assert [fault.where for fault in proving.prove(journal, key).faults] == [f"{journal.path}, line 2"]


def test_a_torn_line_is_a_fault_and_a_register_that_is_not_there_is_none(tmp_path: Path) -> None:
    """As a walk of every line says it."""
    journal = made(tmp_path / "r.jsonl")
    with journal.path.open("ab") as stream:
        stream.write(b'{"n":4')
    assert [str(fault) for fault in proving.prove(journal, key).faults] == [str(fault) for fault in journal.verify()]
    assert proving.prove(Journal(tmp_path / "none.jsonl"), key) == proving.Proven()


def test_every_head_that_a_register_had_is_known_by_as_much_as_was_printed(tmp_path: Path) -> None:
    """The start, each entry's head, whole or its first letters; a head that never was is not."""
    journal = made(tmp_path / "r.jsonl")
    heads = [entry.link() for entry in journal.entries()]
    for _ in range(2):  # walked, then proven
        proven = proving.prove(journal, key)
        asked = {START[:16], *heads, *(head[:16] for head in heads), heads[0][:13]}
        never = {"f" * 16, heads[0][:16] + "0" * 48, "0" * 15 + "1"}
        found = proven.had(asked | never)
        assert set(found) == asked and [found[head] for head in (START[:16], *heads)] == [0, 1, 2, 3]
