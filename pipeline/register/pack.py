"""What an evidence pack holds of one incident, breach or period, as files by name: text that opens without this program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.register.words import UNTOLD

NEUTRAL = ("reference", "date", "time_utc", "person", "year_group", "category", "what", "outcome", "policy_rows", "state",
           "intent", "reported", "actions", "parents", "decided_by_role", "decided_on", "source")
SUMS = "SHA256SUMS"
READ_ME = """This pack holds what Schoolgate keeps of {ref}, made on {at} by {who} ({role}): {reason}.

To see that nothing in it was altered since, in this folder: sha256sum -c SHA256SUMS
(Windows: certutil -hashfile FILE SHA256, compared with the line of that file.)

story.txt      the story as the person who decides it sees it; people are pseudonyms unless names were asked for
entries.jsonl  every entry of its register, each with the hash that the next one names
rows.csv       the visits that made it, each with the log, line and byte it came from
policy.txt     the policy as in force on its day, with the readings in use
versions.json  the versions of rules and policy, and the heads of the registers, to compare with heads printed on pages
record.csv     one row for a record system, in plain words

A log shows what a device asked for. Logs can be wrong about who was using it. Nothing here is a finding of guilt.
"""
PERIOD = """Evidence for inspection, {period}, made on {at} by {who} ({role}): {reason}.

Open index.html first: it says what is asked, what is recorded, and in which file.
To see that nothing in it was altered since, in this folder: sha256sum -c SHA256SUMS
(Windows: certutil -hashfile FILE SHA256, compared with the line of that file.)

It names no pupil. A log shows what a device asked for; only what a person has decided is a finding.
"""


def entries(book: Sequence[Any], ref: str) -> str:
    """The entries of one reference as they stand in its register, a line each, with the hash that the next entry names."""
    lines = [json.dumps({"link": entry.link(), **entry.__dict__}, ensure_ascii=False) for entry in book if entry.ref == ref]
    return "".join(line + "\n" for line in lines)


def neutral(state: Any, columns: Mapping[str, str], titles: Mapping[str, str], name: str) -> list[Any]:
    """One incident as a row of NEUTRAL; `columns`: headings of table 7.2, `titles`: of categories and of its rows."""
    body = state.summary
    done = "; ".join(f"{columns.get(act['action'], act['action'])} {act['on']}" for act in state.actions)
    what = "; ".join(titles.get(each, each) for each in body["categories"] or state.rows)
    at = "" if body.get("time") == UNTOLD else body["started"][11:16]
    return [state.ref, state.day, at, name, body["year"], "; ".join(body["categories"]), what,
            body["outcome"], "; ".join(state.rows), state.state, state.intent, state.reported, done, state.parents,
            state.decided_role, state.decided_at[:10], state.source]


def summed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with their sums, as `sha256sum -c` reads them."""
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return {**files, SUMS: lines.encode()}
