"""The policy on a terminal, as the school would recognise it: its tables with their marks, its clauses, and the readings in use.

What is not printed in the policy (a reading that differs, a decision, guidance) stands on lines of its own that say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from textwrap import wrap
from typing import Any

from pipeline.policy.values import COMMUNICATIONS, VERDICTS, Guidance, Policy, Question, SanctionRow

WIDE = 118  # letters of a line: two columns of a printed page, and what a terminal shows


def printed(policy: Policy, day: date) -> list[str]:
    """The policy in force on `day`, in lines: clauses, tables 4.2, 6.1 and 7.2, decisions, and the guidance beside it."""
    said = [f"{policy.title}, issued {policy.issued:%B %Y}. As in force on {day}."]
    if policy.review_due < day:
        said.append(f"Its review has been overdue since {policy.review_due:%B %Y}.")
    parts = {"Introduction": _schedule(policy), "Clauses": _clauses(policy), "Table 4.2": _communications(policy),
             "Table 6.1": _actions(policy), "Table 7.2": _sanctions(policy), "Questions": _questions(policy),
             "Beside the policy": _guidance(policy.guidance)}
    for title, part in parts.items():
        lines = list(part)
        said += ["", title, "=" * len(title), *lines] if lines else []
    return said


def _headings(policy: Policy) -> Mapping[str, str]:
    headings: Mapping[str, str] = policy.more.get("headings", {})
    return headings


def _schedule(policy: Policy) -> Iterator[str]:
    for name, (prompt, value) in policy.more.get("schedule", {}).items():
        yield from _block(f"{name}  ", f"{prompt} {value}")


def _clauses(policy: Policy) -> Iterator[str]:
    for name, text in policy.more.get("clauses", {}).items():
        yield from _block(f"{name:5}  ", text)
    for what in policy.more.get("missing", []):
        yield f"       Not in the text that this was taken from: {what}."


def _communications(policy: Policy) -> Iterator[str]:
    heads = _headings(policy)
    shown = [name for name in COMMUNICATIONS if name in heads or any(name in row.marks for row in policy.communications.values())]
    titles = [f"{heads.get(name.split('_')[0], name.split('_')[0])}: {heads.get(name, name)}" for name in shown]
    rows = [(row.id, row.text, [row.marks.get(name, "") for name in shown], "") for row in policy.communications.values()]
    yield from _table(heads.get("table_4_2", ""), titles, rows)
    if rows and "key" in heads:
        yield f"Key: {heads['key']}"


def _actions(policy: Policy) -> Iterator[str]:
    heads = _headings(policy)
    actions = [row for name, row in policy.actions.items() if name not in policy.communications]
    shown = [name for name in VERDICTS if name in heads or any(row.printed == name for row in actions)]
    rows = []
    for row in actions:
        read = "" if row.reading == row.printed else f"read as: {heads.get(row.reading, row.reading)}. {row.note}".strip()
        rows.append((row.id, row.text, ["✓" if row.printed == name else "" for name in shown], read))
    yield from _table(heads.get("table_6_1", ""), [heads.get(name, name) for name in shown], rows)


def _sanctions(policy: Policy) -> Iterator[str]:
    heads = _headings(policy)
    rows = [(row.id, row.text, [_mark(row, name) for name in policy.columns], "") for row in policy.sanctions.values()]
    yield from _table(heads.get("table_7_2", ""), list(policy.columns.values()), rows)
    if rows and "key" in heads:
        yield f"Key: {heads['key']}"


def _mark(row: SanctionRow, column: str) -> str:
    return "✓" if column in row.definite else "?" if column in row.possible else ""


def _table(title: str, heads: Sequence[str], rows: Sequence[tuple[str, str, Sequence[str], str]]) -> Iterator[str]:
    """A table: its columns numbered and named, then a row a line with its marks before its text."""
    if not rows:
        return
    yield title
    for number, head in enumerate(heads, 1):
        yield f"  {number:2}  {head}"
    wide = max(len(name) for name, *_ in rows)
    yield f"{'':{wide}} {''.join(f'{n:3}' for n in range(1, len(heads) + 1))}"
    for name, text, marks, below in rows:
        start = f"{name:{wide}} {''.join(f'{mark or chr(0xb7):>3}' for mark in marks)}  "
        yield from _block(start, text)
        yield from _block(" " * len(start), below) if below else ()


def _questions(policy: Policy) -> Iterator[str]:
    for question in policy.questions.values():
        if question.decision:
            decided = f"Decided by {question.decided_by} from {question.decided_on}: {question.decision}."
            yield from _block(f"{question.id}  ", f"{question.text}. {decided}")
    waiting = sum(1 for question in policy.questions.values() if not question.decision)
    if waiting:
        yield f"{waiting} questions are open: schoolgate policy questions"


def _guidance(guidance: Sequence[Guidance]) -> Iterator[str]:
    """Each set of guidance with its duties; what is switched off is shown too, with the reason."""
    for each in guidance:
        yield f"{each.title} (as at {each.as_at}): not in your policy." + ("" if each.on else f" Switched off: {each.reason}.")
        for duty in each.duties if each.on else ():
            off = "" if duty.on else f" Switched off: {duty.reason}."
            yield from _block("  - ", f"{duty.text}. [{duty.source}]{off}")
        if each.on and each.tell:
            told = "; ".join(f"{row}: {', '.join(who)}" for row, who in each.tell.items())
            yield from _block("  - ", f"Told as well as whom the printed row names: {told}.")


def asked(question: Question, effect: Sequence[str]) -> Iterator[str]:
    """One open question: both readings, what is done until somebody decides, who decides, and what hangs on it."""
    yield from _block(f"{question.id}  ", f"{question.text}.")
    for number, reading in enumerate(question.readings, 1):
        yield from _block(f"        reading {number}: ", reading)
    yield from _block("        until decided: ", question.default)
    yield from _block("        decides: ", question.owner)
    for line in effect:
        yield from _block("        effect: ", line)


def _block(start: str, text: Any) -> Iterator[str]:
    """A text after its start, wrapped, the next lines indented below it."""
    indent = " " * len(start)
    yield from (f"{start if n == 0 else indent}{line}" for n, line in enumerate(wrap(str(text), WIDE - len(start)) or [""]))
