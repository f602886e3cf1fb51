"""What a text holds: its entries, and where each of its lines went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.sql import run

ENTRIES = pa.schema([("entry", pa.string()), ("path", pa.string()), ("category", pa.string()), ("excepted", pa.bool_()),
                     ("line", pa.int64())])
SHOWN = 3          # lines shown of each reason

FATES = """
WITH lined AS (
    SELECT line, bool_or(reason = '') AS good, bool_and(reason = '#') AS furniture FROM tidy GROUP BY line
)
SELECT count(*) FILTER (good) AS read, count(*) FILTER (NOT good AND furniture) AS furniture FROM lined
"""
REASONS = """
SELECT reason, count(*) AS many, list(line ORDER BY line)[1:3] AS first FROM tidy WHERE reason NOT IN ('', '#')
GROUP BY reason ORDER BY reason
"""
KEPT = """
SELECT entry, path, category, mark = '@' AS excepted, line FROM tidy WHERE reason = '' AND mark <> '~' ORDER BY line
"""


@dataclass
class Parsed:
    """What a text holds: its entries (ENTRIES), and where its lines went."""

    entries: pa.Table = field(default_factory=ENTRIES.empty_table)
    lines: int = 0
    read: int = 0          # lines that gave an entry
    furniture: int = 0     # blank lines, comments, headers
    reasons: Counter[str] = field(default_factory=Counter)         # names left out, by reason
    examples: dict[str, list[str]] = field(default_factory=dict)   # the first lines of each reason, as `7: text`

    def leave_out(self, reason: str, lines: Sequence[int], text: pa.Array, begin: int, many: int | None = None) -> None:
        """Count what is left out for a reason, and keep its first lines; `text`: the lines after line `begin`."""
        self.reasons[reason] += len(lines) if many is None else many
        self.examples.setdefault(reason, []).extend(f"{n}: {_shown(text[n - begin - 1].as_py())}" for n in lines[:SHOWN])

    def count(self, tidy: pa.Table, text: pa.Array, begin: int) -> None:
        """Count where the lines of a part went; `tidy`: what they name (`names.tidied`)."""
        fates = run(FATES, tidy=tidy).to_pylist()[0]
        self.read, self.furniture = self.read + fates["read"], self.furniture + fates["furniture"]
        for row in run(REASONS, tidy=tidy).to_pylist():
            self.leave_out(row["reason"], row["first"], text, begin, row["many"])

    def add(self, more: Parsed) -> None:
        """Take in what the next part holds."""
        self.entries = pa.concat_tables([self.entries, more.entries])
        self.lines, self.read, self.furniture = self.lines + more.lines, self.read + more.read, self.furniture + more.furniture
        self.reasons += more.reasons
        for reason, lines in more.examples.items():
            shown = self.examples.setdefault(reason, [])
            shown += lines[:SHOWN - len(shown)]

    @property
    def skipped(self) -> int:
        """Lines that gave nothing and should have."""
        return self.lines - self.read - self.furniture


def _shown(line: str) -> str:
    return ascii(line.strip()[:80])[1:-1]
