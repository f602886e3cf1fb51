"""What table 7.2 says of an incident, as questions until a person has answered them, and the rule of repeats.

Nothing here decides: the rows are questions for whoever triages, the actions are those printed for the rows, and "continued
infringements" is counted from confirmed incidents with a warning or sanction on record, each named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.register.facts import Table
from pipeline.register.incidents import IncidentState
from pipeline.schoolday import academic_year

NOT_AFTER = ("", "dismissed", "accidental_reported", "corrected")  # verdicts that never count as an earlier infringement


@dataclass(frozen=True)
class Repeat:
    """How often before: the row proposed beside the others (empty: only marked as a repeat), and the chain in one line."""

    row: str
    chain: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """The rule of repeats as policy.toml has it: the row, which rows count, how far back, and how many before."""

    row: str = ""
    counts: tuple[str, ...] = ()
    window: str = "academic_year"  # or always
    minimum: int = 1
    extend_to_all: bool = False
    sanctions: tuple[str, ...] = ()  # the columns of table 7.2 that are a warning or a sanction

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Rule:
        """The rule of a [repeat] section."""
        return cls(str(said.get("row", "")), tuple(said.get("counts", ())), str(said.get("window", "academic_year")),
                   int(said.get("minimum", 1)), said.get("extend_to_all", False) is True, tuple(said.get("sanctions", ())))


def asked(lines: Sequence[tuple[str, Mapping[str, str]]], alternatives: Iterable[str] = ()) -> list[str]:
    """The rows that a category may be, each with what a person must say of it: `lines` are (row or no_row, when)."""
    words = {"deliberate": "deliberate", "accidental": "accidental", "background": "background only"}
    said = []
    for row, when in lines:
        asks = [words.get(when["intent"], when["intent"])] if "intent" in when else []
        asks += [{"yes": "reported", "no": "not reported"}[when["reported"]]] if "reported" in when else []
        asks += [f"{'' if when['authorised'] == 'yes' else 'not '}allowed by a teacher"] if "authorised" in when else []
        name = "no row and no sanction" if row == "no_row" else row
        said.append(f"{name} if {' and '.join(asks)}" if asks else name)
    return said + [f"{row} is not proposed, though its words could be read so" for row in alternatives]


def questions(categories: Mapping[str, Any], state: IncidentState) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The rows of table 7.2 an incident may be, each with the answers that a person must give."""
    asked: Sequence[str] = state.summary.get("rows", ())
    found = set()
    for name in state.summary["categories"]:
        category = categories.get(name)
        for line in category.propose if category else ():
            if line.row in asked:
                found.add(line.row)
                yield line.row, line.when
    yield from ((row, {}) for row in asked if row not in found)


def actions(rows: Iterable[str], table: Table, repeat: Repeat | None = None) -> list[str]:
    """The printed actions of these rows together, definite and possible, and who else is told, each on a line of its own."""
    rows = tuple(rows)
    said = []
    for word, columns in (("definite", table.definite(rows)), ("possible", table.possible(rows))):
        if columns:
            said.append(f"{word}: {'; '.join(table.named(column) for column in columns)}")
    told = list(dict.fromkeys(who for row in rows for who in table.overlay.get(row, ())))
    told += [who for who in table.overlay.get("repeat", ()) if repeat and who not in told]
    if told:
        said.append(f"told as well, by the safeguarding overlay (not in your policy): {', '.join(told)}")
    return said


def sanctioned(state: IncidentState, rule: Rule) -> str:
    """The first warning or sanction on record of a confirmed incident, as `action on date`; empty where there is none."""
    if state.verdict in NOT_AFTER or "confirmed" not in state.kinds:
        return ""
    done = [body for body in state.actions if body["action"] in rule.sanctions]
    return f"{done[0]['action'].replace('_', ' ')} {done[0]['on']}" if done else ""


def repeat(state: IncidentState, others: Iterable[IncidentState], rule: Rule) -> Repeat | None:
    """The earlier confirmed incidents of the same person, on other days of the window, with a warning or sanction; or None.

    The row of the rule is proposed when what is confirmed now and what was before are rows that count; otherwise a repeat of
    the same row is only marked.
    """
    if state.verdict in NOT_AFTER or not rule.row or not state.summary.get("person") or not state.rows:
        return None
    earlier = [other for other in others if _counts(other, state, rule)]
    days: dict[str, IncidentState] = {}
    for other in sorted(earlier, key=lambda other: (other.day, other.ref)):
        days.setdefault(other.day, other)
    wide = rule.extend_to_all
    above = [other for other in days.values() if wide or set(other.rows) & set(rule.counts)]
    if len(above) >= rule.minimum and (wide or set(state.rows) & set(rule.counts)):
        return Repeat(rule.row, f"{_chain([*above, state], rule)} -> {rule.row} may apply", tuple(other.ref for other in above))
    same = [other for other in days.values() if set(other.rows) & set(state.rows)]
    if len(same) >= rule.minimum:
        said = f"{_chain([*same, state], rule)} -> a repeat, for which {rule.row} is not printed"
        return Repeat("", said, tuple(other.ref for other in same))
    return None


def _counts(other: IncidentState, state: IncidentState, rule: Rule) -> bool:
    if other.ref == state.ref or other.purged or other.summary.get("person") != state.summary["person"] or other.day >= state.day:
        return False
    year = rule.window != "academic_year" or academic_year(date.fromisoformat(other.day)) == academic_year(
        date.fromisoformat(state.day))
    return year and bool(sanctioned(other, rule))


def _chain(states: Sequence[IncidentState], rule: Rule) -> str:
    """Each confirmed incident with its row, day, reference and sanction."""
    said = []
    for state in states:
        on = date.fromisoformat(state.day)
        sanction = sanctioned(state, rule)
        said.append(f"{'+'.join(state.rows)} confirmed {on.day} {on:%b %Y}{', ' + sanction if sanction else ''} ({state.ref})")
    return "; ".join(said)
