"""What came of a night, for the person who typed the command or reads cron's mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.pages.wording import several
from pipeline.problems import Exit, Problem
from pipeline.reading import Reading
from pipeline.runs import Run


@dataclass
class Account:
    """What came of a night, for the person who typed the command or reads cron's mail."""

    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0
    judged: list[date] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    late: dict[date, int] = field(default_factory=dict)  # lines by day, where tonight's came late for the purge
    rules: str = ""
    policy: str = ""  # the fingerprint of the policy's own files
    pages: list[str] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    waiting: int = 0  # incidents that wait for a person
    ran: dict[str, Run] = field(default_factory=dict)  # the last run of each job before this one
    missed: list[date] = field(default_factory=list)  # the school days whose night was due and did not run
    doing: str = "reading the rules"

    @property
    def fates(self) -> Counter[str]:
        """Lines read tonight by fate."""
        return sum((reading.fates for reading in self.readings), Counter())

    def code(self, on_findings: bool = False) -> Exit:
        """5 when something must be mended; else 1 when findings are asked for and an incident waits; else 0."""
        if self.problems:
            return Exit.MEND
        return Exit.FINDINGS if on_findings and self.waiting else Exit.DONE

    def _judged(self) -> list[str]:
        c, names = self.counts, self.counts["named"]
        per = names * 1000 / max(1, c["pupil days"])
        return [f"judged      {span([str(day) for day in self.judged])}: {c['own']:,} requests in {c['visit rows']:,} visits "
                f"({c['against']:,} against the policy), {c['background']:,} more are background",
                f"found       {c['detections']:,} detections in {c['stories']:,} incidents to read; "
                f"{c['quietened']:,} more point to background and name nobody"
                + (f"; {c['hidden']:,} hidden by exceptions or watched" if c["hidden"] else ""),
                f"DSL list    {names:,} names, {per:.1f} per 1,000 pupils a school day",
                f"breaches    {c['failures']:,} filter failures, {c['circumventions']:,} circumventions",
                f"rules       {self.rules}"]

    def text(self) -> str:
        """The account in a few plain lines."""
        counts, days = self.fates, sorted({day for reading in self.readings for day in reading.days})
        read = sum(reading.lines for reading in self.readings)
        new = sum(1 for reading in self.readings if reading.lines)
        said = [f"heard from  {several(len(self.readings), 'log')}, {new} with something new",
                f"read        {read:,} lines: {counts['request']:,} requests, {counts['reject']:,} rejects, "
                f"{counts['repeat']:,} repeats, {counts['furniture'] + counts['part']:,} other",
                f"days        {span([str(day) for day in days])}",
                f"in the lake {self.lines:,} lines"]
        if not self.readings:
            said.insert(0, "No log was heard from. Silence is not safety: look at the filter and at the paths given.")
        if self.missed:
            said.append(f"missed      the nights of {span([str(day) for day in self.missed])}: caught up")
        if (before := self.ran.get("night")) and before.ended is None:
            said.append(f"cut short   the night before, which began at {before.began:%Y-%m-%d %H:%M} UTC: gone on from there")
        if self.late:
            said.append(f"late        {sum(self.late.values()):,} lines of days already purged "
                        f"({span([str(day) for day in sorted(self.late)])}): not judged, and kept until the next purge")
        if self.judged:
            said += self._judged()
        elif not read:
            said.append("nothing has changed")
        if self.pages:
            said.append(f"wrote       {len(self.pages)} pages and tables below reports/, such as {self.pages[0]}")
        said += [f"register    {name} {head[:16]}" for name, head in self.heads.items()]
        return "\n".join(said)


def span(days: Sequence[str]) -> str:
    """Days in a few words: how many, the first and the last."""
    if not days:
        return "none touched"
    return days[0] if len(days) == 1 else f"{len(days)}, {days[0]} to {days[-1]}"
