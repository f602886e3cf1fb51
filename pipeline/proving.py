"""Whether a register holds: every line of its chain walked, now or before.

A walk costs some thirty millionths of a second a line, and ten years of a large school are half a million lines. So a walk that
found no fault leaves a proof beside the register (`kept`): how many bytes it walked, their SHA-256, and the head that each line
left. The next one hashes those bytes and walks only the lines after them. Bytes of that SHA-256 are the bytes that were walked,
so the answer is the same; a byte that was changed since makes another SHA-256, and then every line is walked and the one at fault
is named. Trusted, beside SHA-256, is the school's key, by which the proof is marked: whoever has it could write a false proof, as
whoever can write the register could make a false chain anew, which no walk finds. Only paper does: compare the heads on pages
already handed out. `whole` leaves the proof aside and walks every line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from pipeline.chain import START, Walk, uncollected
from pipeline.journal import Journal
from pipeline.kept import Key, Kind, Tape, load, save, version
from pipeline.problems import Problem

KIND = Kind("proof", version("pipeline.chain", "pipeline.proving"))
MANY = 2000  # lines walked in a tenth of a second: fewer need no proof


@dataclass(frozen=True)
class Proven:
    """What is known of a register now: its faults, and every head that it ever had."""

    faults: list[Problem] = field(default_factory=list)
    heads: bytes = b""  # 32 bytes a line

    @property
    def entries(self) -> int:
        """How many entries it holds."""
        return len(self.heads) // 32

    @property
    def head(self) -> str:
        """The head now: what its last entry left."""
        return self.heads[-32:].hex() or START

    def had(self, said: Iterable[str]) -> dict[str, int]:
        """The number of the entry that left each of these heads (hex, as much of each as was printed); 0: of none, the start.

        A head that the register never had is not in it.
        """
        words = np.frombuffer(self.heads, ">u8")[::4]
        order = np.argsort(words, kind="stable")
        found = {}
        for head in set(said):
            first = np.searchsorted(words, _edge(head, "0"), "left", sorter=order)
            last = np.searchsorted(words, _edge(head, "f"), "right", sorter=order)
            left = [0] if START.startswith(head) else sorted(int(n) + 1 for n in order[first:last] if self._begins(int(n), head))
            if left:
                found[head] = left[0]
        return found

    def _begins(self, at: int, head: str) -> bool:
        return self.heads[32 * at:32 * at + 32].hex().startswith(head)


def _edge(head: str, digit: str) -> np.uint64:
    """The first 64 bits of the least (0) or greatest (f) head that begins so."""
    return np.uint64(int(head[:16].ljust(16, digit), 16))


def prove(journal: Journal, key: Key, whole: bool = False) -> Proven:
    """Prove a register; `whole`: by walking every line. A register that is not there has no fault and no head."""
    tape = Tape(journal)
    known = None if whole else load(tape, KIND, key)
    old = known[0] if known else b""
    walk = Walk(len(old) // 32, old[-32:].hex() if old else START)
    with uncollected():
        faults = _walked(tape, walk)
        if tape.more():  # a line that somebody is writing just now, or one that was torn
            with journal.locked():
                faults += _walked(tape, walk)
                faults += [journal.fault(walk.number + 1, "is torn: the last line has no end")] if tape.more() else []
    faults += [journal.fault(*said) for said in walk.end()]
    heads = old + bytes.fromhex("".join(walk.heads))
    if not faults and len(walk.heads) >= MANY:
        save(tape, KIND, key, [heads])
    return Proven(faults, heads)


def _walked(tape: Tape, walk: Walk) -> list[Problem]:
    return [tape.journal.fault(*said) for _, line in tape.lines() for said in walk.step(line)]
