"""What a list holds, where its lines went and what was left out, in lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import schoolfolder
from pipeline.listing.labelling import SHOWN
from pipeline.liststore import Lists
from pipeline.problems import Problem


def show(folder: Path) -> tuple[list[str], list[Problem]]:
    """Every imported list in a few lines, and a problem for each that is damaged."""
    schoolfolder.require_school(folder)
    known, problems = Lists(folder).found()
    return [line for name, about in known.items() for line in told(name, about)], problems


def told(name: str, about: Mapping[str, Any]) -> list[str]:
    """A list in a few lines: its size, where its lines went, and what was left out."""
    left = about["lines"] - about["read"] - about["furniture"]
    licence = f", {about['licence']}" if about["licence"] else ""
    said = [f"{name}: {sum(about['categories'].values()):,} names ({summed(about['categories'])})",
            f"  from {about['source']} as {about['form']}, {about['at'][:16]}{licence}",
            f"  {about['lines']:,} lines: {about['read']:,} read, {about['furniture']:,} comments and blanks, {left:,} left out"]
    said += [f"  left out, {reason}: {many:,}, such as {'; '.join(about['examples'].get(reason, [])[:SHOWN])}"
             for reason, many in sorted(about["reasons"].items())]
    if about["unmapped"]:
        said.append(f"  left out, no category of ours for: {summed(about['unmapped'])} (rules/vendor/{about['form']}.csv)")
    return said


def summed(counts: Mapping[str, int]) -> str:
    """Counts by category in a line, the most first."""
    return ", ".join(f"{category} {many:,}" for category, many in sorted(counts.items(), key=lambda item: -item[1]))
