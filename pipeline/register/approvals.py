"""A second person's approval of a reveal, as the register of looks has it: for whom, of what, of which days, until when, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from pipeline.register.words import Body, Written

APPROVED = "approved"
APPROVERS = ("principal", "principal_slt", "dpo")  # a Principal or Assistant Principal, and the data protection officer


class Numbered(Written, Protocol):
    """What is read of an entry here: its number too."""

    @property
    def n(self) -> int: ...


@dataclass(frozen=True)
class Approval:
    """One approval. `first`, `last`: the days it lets be shown. `until`: the last day on which it may be used."""

    n: int
    by: str
    login: str
    what: str
    first: date
    last: date
    until: date

    def fits(self, login: str, what: str, days: Iterable[date], today: date) -> bool:
        """Whether it lets that login show those days today: nobody approves for themselves."""
        return (self.by != login == self.login and self.what == what and today <= self.until
                and all(self.first <= day <= self.last for day in days))


def body(approval: Approval, role: str, reason: str) -> Body:
    """What the register keeps of an approval."""
    return {"by": approval.by, "role": role, "for": approval.login, "what": approval.what, "from": str(approval.first),
            "to": str(approval.last), "until": str(approval.until), "why": reason}


def unused(entries: Iterable[Numbered]) -> list[Approval]:
    """The approvals that no reveal has used yet, oldest first; the role that each was given in counts, not the role now."""
    given: dict[int, Approval] = {}
    for entry in entries:
        said = entry.body or {}
        if entry.kind == APPROVED and said.get("role") in APPROVERS:
            first, last, until = (date.fromisoformat(said[name]) for name in ("from", "to", "until"))
            given[entry.n] = Approval(entry.n, said["by"], said["for"], said["what"], first, last, until)
        given.pop(int(said.get("approval") or 0), None)
    return list(given.values())
