"""Renew the figures of the README's section "How good it is" from what `make quality JSON=FILE` wrote.

    python -m sample_logs.quality.readme README.md medium.json hard.json easy.json

The first file's categories are printed in full; of the others only the sums.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from .innocent import KEY_KINDS

OURS, NAIVE = "schoolgate", "host on a list"


def table(head: str, rows: list[list[str]]) -> list[str]:
    """A table of Markdown; columns whose name begins with # hold figures and stand to the right."""
    names = head.split(" | ")
    ruled = "|" + "".join("--:|" if name.startswith("#") else "---|" for name in names)
    return [f"| {' | '.join(name.lstrip('#') for name in names)} |", ruled, *(f"| {' | '.join(row)} |" for row in rows)]


def sums(runs: list[dict[str, Any]]) -> list[str]:
    """A row for each difficulty and visibility: macro F1 of both, intent, those wrongly named, and blocked hits off the list."""
    rows = []
    for run in runs:
        for visibility, name in (("full", "full addresses"), ("host", "host names")):
            one, two = run[visibility][OURS], run[visibility][NAIVE]
            acts = sum(count for _, count in one["innocents"].values())
            wronged = sum(count for count, _ in one["innocents"].values())
            never = sum(one["innocents"].get(kind, (0, 0))[0] for kind in KEY_KINDS)
            hits = one["blocked"]
            rows.append([run["difficulty"], name, figure(one["macro_f1"]), figure(two["macro_f1"]),
                         share(*one["agrees"].get("intent", (0, 0))), f"{wronged} of {acts:,}", str(never),
                         share(hits["hits"] - hits["listed"], hits["hits"])])
    return table("difficulty | the log shows | #macro F1 | #host on a list | #intent agrees | #innocents named | "
                 "#of the five kinds | #blocked hits off the DSL list", rows)


def categories(run: dict[str, Any]) -> list[str]:
    """A row for each category: how many acts, and precision, recall and F1 of both, with full addresses and host names."""
    full, host = (run[visibility][OURS]["categories"] for visibility in ("full", "host"))
    naive, none = run["full"][NAIVE]["categories"], {"precision": None, "recall": None, "f1": 0.0}
    rows = []
    for name in sorted(name for name in full if full[name]["true"]):
        one, other = full[name], host.get(name, none)
        rows.append([f"`{name}`", str(one["true"]), *(figure(one[of]) for of in none), figure(naive[name]["f1"]),
                     *(figure(other[of]) for of in none)])
    return table("category | #acts | #precision | #recall | #F1 | #host on a list, F1 | "
                 "#host names: precision | #recall | #F1", rows)


def figure(value: float | None) -> str:
    """Two places; a dash where nothing was said."""
    return "-" if value is None else f"{value:.2f}"


def share(part: int, whole: int) -> str:
    """A share in percent."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def section(runs: list[dict[str, Any]]) -> str:
    """What stands between the marks."""
    return "\n".join([f"Seed {runs[0]['seed']}, {runs[0]['weeks']} week, {runs[0]['on']}:", "", *sums(runs), "",
                      f"By category, {runs[0]['difficulty']}:", "", *categories(runs[0])])


def main() -> None:
    """Put the figures of the files named into the README named first."""
    readme, *files = (Path(word) for word in sys.argv[1:])
    text = readme.read_text("utf-8")
    told = section([json.loads(path.read_text("utf-8")) for path in files])
    new, count = re.subn(r"<!-- quality -->\n.*<!-- /quality -->", lambda _: f"<!-- quality -->\n{told}\n<!-- /quality -->", text,
                         flags=re.S)
    if not count:
        sys.exit(f"{readme} has no marks <!-- quality --> and <!-- /quality -->")
    readme.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
