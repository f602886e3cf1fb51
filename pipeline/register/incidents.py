"""The life of an incident as the fold of its entries. Nothing here reads or writes, and nothing here decides.

Code writes that it saw something (`opened`, `seen`, `gone`); a person enters one by hand (`entered`), and only the moves of
`lifecycle`, which a person makes by name and role, take an incident on. A reference is allotted once, even when what it stood
for has been purged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.register.past import Past
from pipeline.register.words import Body, Happened, Written, changed, fold, signed

CODE_KINDS = ("opened", "seen", "gone", "blocked")
WAITING = ("suspected", "in_triage", "needs_identification")
DONE = ("dismissed", "accidental_reported", "welfare_handover", "staff_referral", "corrected", "closed")

# What the register keeps of a story; its reasons and visits stay in the lake, with the lake's shorter retention.
KEPT = ("day", "story", "keys", "subject", "person", "client", "actor", "year", "route", "tier", "started", "ended",
        "categories", "sites", "outcome", "intent", "rows", "questions", "visits", "requests")


@dataclass(frozen=True)
class IncidentState:
    """An incident as its entries leave it; its states are those of `lifecycle.STATES`, and `purged`."""

    ref: str
    story: str = ""
    day: str = ""
    keys: tuple[str, ...] = ()
    summary: Body = field(default_factory=dict)   # what KEPT names, as last detected
    state: str = "suspected"
    source: str = "log"                           # log, or who told of it: staff, self, parent, provider, police
    opened_at: str = ""
    detected: bool = False                        # False: no longer detected
    verdict: str = ""                             # what triage came to: confirmed, dismissed, …; empty while it waits
    rows: tuple[str, ...] = ()                    # 7.2 rows: those confirmed; until then those it may be
    intent: str = ""                              # what the log points to; what the person decided once confirmed
    reported: str = ""                            # yes, no or unknown: whether it was reported, once a person has said
    code: str = ""                                # why it was dismissed
    decided_by: str = ""
    decided_role: str = ""
    decided_at: str = ""
    reason: str = ""
    touched: bool = False                         # a person has acted on it
    keys_decided: tuple[str, ...] = ()            # what was known when it was decided
    actions: tuple[Body, ...] = ()                # actions done: action, on, who
    departures: tuple[Body, ...] = ()             # actions left out, or done beyond the table: action, reason, who
    parents: str = ""                             # informed, not_required or held
    review_on: str = ""                           # when what is held is looked at again
    agencies: tuple[Body, ...] = ()               # told outside the school: agency, reference, on, who
    reference: str = ""                           # of the record it went on in: child protection, check
    correction: Body = field(default_factory=dict)
    history: Sequence[Happened] = ()

    @property
    def purged(self) -> bool:
        """Whether what it stood for has been erased; the reference stays taken."""
        return self.state == "purged"

    @property
    def tier(self) -> str:
        """How grave it is: T0 to T4, or TS."""
        return str(self.summary.get("tier", ""))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what happened to it, oldest first."""
        return self.history.kinds if isinstance(self.history, Past) else tuple(event.kind for event in self.history)

    @property
    def waiting(self) -> bool:
        """Whether it still waits for a person's verdict."""
        return self.state in WAITING

    @property
    def open(self) -> bool:
        """Whether a person still has something to do about it."""
        return self.state not in DONE and not self.purged

    @property
    def added(self) -> tuple[str, ...]:
        """Detections that came after the decision: a person should look again."""
        return tuple(key for key in self.keys if key not in self.keys_decided) if self.decided_by else ()


def fold_incidents(entries: Iterable[Written]) -> dict[str, IncidentState]:
    """Each incident by its reference, in the order of their opening."""
    return fold(entries, live_incident)


def live_incident(states: MutableMapping[str, IncidentState], entry: Written) -> None:
    """Take one more entry into the incidents."""
    if entry.ref:
        states[entry.ref] = lived(states.get(entry.ref) or IncidentState(entry.ref), entry)


def lived(state: IncidentState, entry: Written) -> IncidentState:
    """The state after one more entry."""
    if entry.body is None or state.purged:
        return IncidentState(state.ref, state="purged")
    now = changed(state, history=(*state.history, Happened(entry.at, entry.kind, entry.body)))
    if entry.kind in {"opened", "seen"}:
        return _seen(now, entry.body, entry.at)
    if entry.kind == "entered" and signed(entry.body):
        return _seen(changed(now, source=entry.body["source"], touched=True), entry.body["story"], entry.at)
    if entry.kind == "gone":
        return changed(now, detected=False)
    if entry.kind in MOVED and signed(entry.body):
        return MOVED[entry.kind](changed(now, touched=True), entry.at, entry.body)
    return now


def _seen(state: IncidentState, body: Body, at: str) -> IncidentState:
    now = changed(state, story=body["story"], day=body["day"], keys=tuple(body["keys"]), summary=body, detected=True,
                  opened_at=state.opened_at or at)
    if "identified" in state.kinds:
        now = changed(now, summary=body | {name: state.summary[name] for name in IDENTITY if name in state.summary})
    return now if state.decided_by else changed(now, rows=tuple(now.summary["rows"]), intent=body["intent"])


IDENTITY = ("subject", "person", "actor", "year", "route", "rows")  # what a person said of who it was outlives a judging


def _triaged(state: IncidentState, at: str, body: Body) -> IncidentState:
    return changed(state, state="in_triage")


def _verdict(kind: str) -> Callable[[IncidentState, str, Body], IncidentState]:
    """The fold of a verdict: who gave it, when and why, and what it says of rows and intent."""
    def step(state: IncidentState, at: str, body: Body) -> IncidentState:
        return changed(state, state=kind, verdict=kind, decided_by=body["who"], decided_role=body["role"], decided_at=at,
                       reason=body["reason"], keys_decided=state.keys, code=body.get("code", ""),
                       rows=tuple(body.get("rows", ())) if kind == "confirmed" else (), intent=body.get("intent") or state.intent,
                       reported=body.get("reported", "") or state.reported, reference=body.get("reference", ""))
    return step


def _unidentified(state: IncidentState, at: str, body: Body) -> IncidentState:
    return changed(state, state="needs_identification")


def _identified(state: IncidentState, at: str, body: Body) -> IncidentState:
    summary = state.summary | {name: body[name] for name in IDENTITY}
    return changed(state, state="in_triage", summary=summary, rows=tuple(body["rows"]))


def _acted(state: IncidentState, at: str, body: Body) -> IncidentState:
    by = {"who": body["who"]}
    return changed(state, state="actions_recorded", actions=(*state.actions, *(done | by for done in body["done"])),
                   departures=(*state.departures, *(left | by for left in body["departures"])))


def _parents(state: IncidentState, at: str, body: Body) -> IncidentState:
    return changed(state, state=f"parents_{body['parents']}", parents=body["parents"], review_on=body.get("review_on", ""))


def _told(state: IncidentState, at: str, body: Body) -> IncidentState:
    told = {name: body.get(name, "") for name in ("agency", "reference", "on", "who")}
    return changed(state, agencies=(*state.agencies, told))


def _noted(state: IncidentState, at: str, body: Body) -> IncidentState:
    return state


def _closed(state: IncidentState, at: str, body: Body) -> IncidentState:
    return changed(state, state="closed", verdict=state.verdict or "settled", decided_by=state.decided_by or body["who"],
                   decided_role=state.decided_role or body["role"], decided_at=state.decided_at or at,
                   reason=state.reason or body["reason"], keys_decided=state.keys_decided or state.keys)


def _reopened(state: IncidentState, at: str, body: Body) -> IncidentState:
    return changed(state, state="suspected", verdict="", decided_by="", decided_role="", decided_at="", reason="", code="",
                   keys_decided=(), reported="", actions=(), departures=(), parents="", review_on="", reference="", correction={},
                   rows=tuple(state.summary.get("rows", ())), intent=state.summary.get("intent", ""))


def _corrected(state: IncidentState, at: str, body: Body) -> IncidentState:
    told: dict[str, Any] = {name: body[name] for name in ("why", "pages")}
    return changed(state, state="corrected", verdict="corrected", rows=(), correction=told, review_on="", decided_by=body["who"],
                   decided_role=body["role"], decided_at=at, reason=body["reason"], keys_decided=state.keys)


MOVED: dict[str, Callable[[IncidentState, str, Body], IncidentState]] = {
    "triaged": _triaged, "confirmed": _verdict("confirmed"), "dismissed": _verdict("dismissed"),
    "accidental_reported": _verdict("accidental_reported"), "welfare_handover": _verdict("welfare_handover"),
    "staff_referral": _verdict("staff_referral"), "sealed_illegal": _verdict("sealed_illegal"), "unidentified": _unidentified,
    "identified": _identified, "acted": _acted, "parents": _parents, "told": _told, "noted": _noted, "settled": _closed,
    "closed": _closed, "reopened": _reopened, "corrected": _corrected}
