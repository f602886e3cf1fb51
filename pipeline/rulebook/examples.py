"""The examples of a rule as the tables that rules run on, and which of them do not do what they should."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from pipeline.problems import Problem
from pipeline.rulebook import Example, Rule
from pipeline.rulebook.firing import firings
from pipeline.rulebook.stories import told
from pipeline.tables import VERDICTS, VISITS


def example_visits(example: Example, categories: Mapping[str, Any] | None = None) -> tuple[pa.Table, pa.Table]:
    """An example as the tables a rule runs on: VISITS and VERDICTS. A line that cannot be understood is left out.

    Times are taken as they stand, and no calendar is asked: without a band the visit is in lesson 3. With the policy's
    `categories` the verdict takes its tier and what the filter is meant to do from there; a test may equally judge the visits
    by the policy itself.
    """
    stories = [said for said, faults in map(told, example.visits) if not faults]
    rows = [_visit(n, said) for n, said in enumerate(stories, 1)]
    known = categories or {}
    verdicts = [_verdict(row, said, known.get(said["category"])) for row, said in zip(rows, stories, strict=True)]
    return (pa.Table.from_pylist(rows, schema=VISITS.schema), pa.Table.from_pylist(verdicts, schema=VERDICTS.schema))


def _visit(n: int, said: Mapping[str, Any]) -> dict[str, Any]:
    plain = said["who"].split("/")[0]
    student = plain.startswith("y")
    requests, minutes = said.get("requests", 1), said.get("minutes", 0)
    blocked = requests if said["outcome"] == "blocked" else requests // 2 if said["outcome"] == "mixed" else 0
    return {"visit": f"example:{n}", "source": "example", "line": n, "subject": said["who"], "person": said["who"],
            "client": said.get("client", "device"), "actor": "student" if student else plain, "actor_from": "people",
            "year": plain[1:] if student else "", "network": said.get("network", "school"),
            "site": ".".join(said["host"].split(".")[-2:]),
            "host": said["host"], "category": said["category"], "started": said["started"],
            "ended": said["started"] + timedelta(minutes=minutes, seconds=requests > 1),
            "band": said.get("band", "lesson"), "period": said.get("period", "Period 3"), "requests": requests,
            "background": 0, "blocked": blocked, "allowed": requests - blocked,
            "warned": requests if said["outcome"] == "warned" else 0,
            "bytes_in": said.get("bytes_in", 20_000 * requests),
            "bytes_out": said.get("bytes_out", 1_000 * requests), "longest_ms": minutes * 60_000,
            "tunnels": requests if said.get("kind") == "tunnel" else 0,
            "slots": said.get("slots", min(requests, minutes // 5 + 1)), "crowd": said.get("crowd", 1),
            "after_ms": said.get("after_ms"), "tries": min(requests, minutes + 1), "opened": 1 if "after_ms" not in said else 0,
            "set_off_by": [], "step_s": said.get("step_s"), "even_tries": requests if "step_s" in said else 0, "from_page": "",
            "slip": "", "brought": "", "searched": 0, "notes": said.get("notes", [])}


def _verdict(row: Mapping[str, Any], said: Mapping[str, Any], category: Any) -> dict[str, Any]:
    student = row["actor"] == "student"
    meant = "allow" if category is None else category.filter if student else category.filter_staff
    blocks = meant == "block" or (meant == "times" and row["band"] in ("lesson", "registration"))
    return {"visit": row["visit"], "category": row["category"], "row": category.row if category else "",
            "verdict": "unacceptable", "within": said.get("within", "against"), "clause": "",
            "outcome": "allowed" if said["outcome"] == "warned" else said["outcome"],
            "filter": "block" if blocks else "allow",
            "failure": blocks and row["allowed"] > row["searched"],
            "tier": category.tier if category else "none", "questions": [], "context": ""}


def example_faults(rule: Rule, categories: Mapping[str, Any] | None = None) -> list[Problem]:
    """The examples of a rule that do not do what they should."""
    problems = []
    for kind, examples in (("fires", rule.fires), ("quiet", rule.quiet)):
        for example in examples:
            fired = firings(rule, *example_visits(example, categories)).num_rows > 0
            if fired != (kind == "fires"):
                must = "fire" if kind == "fires" else "stay quiet"
                problems.append(Problem(f"{rule.file}:{example.line}", f"must {must} but does not: {example.note}",
                                        "mend [when] or the example"))
    return problems
