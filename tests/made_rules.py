"""The rules of the repository's made-up school, read once, and what they make of a text table of visits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
from tables_text import DAY, visits

from pipeline import classify, detect
from pipeline.rulefiles import texts
from pipeline.ruleset import Rules, read_all

NO_SEALED = pa.table({"sealed": pa.array([], pa.string())})


@cache
def made() -> Rules:
    """The rules of the made-up school."""
    rules, _ = read_all(texts(Path(__file__).parent.parent))
    assert rules is not None
    return rules


def judged(text: str) -> tuple[pa.Table, pa.Table]:
    """The VISITS of a text table, and their VERDICTS by the made-up school's policy."""
    seen = visits(text)
    return seen, classify.judge(seen, made().policy, {})


def fired(seen: pa.Table, verdicts: pa.Table) -> set[str]:
    """The rules that fire on visits so judged, those that point to background left out."""
    found, _ = detect.fire(seen, verdicts, made().rules, made().policy, DAY, NO_SEALED)
    return set(found["rule"].to_pylist())
