"""The evidence of a period for inspection, as one zip that verifies by itself: no name, no case, and written down first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pipeline import casework, issuing, periods, publishing, schoolfolder, zipping
from pipeline.account import Account
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.register import pack
from pipeline.register.lifecycle import LEADERS, MANAGER

MAKERS = (*LEADERS, *MANAGER, "chair_of_governors", "dpo")


def make(folder: Path, period: str, to: Path, reason: str) -> str:
    """Write the pack of a period as typed; UsageError or RefusedError: nothing was written."""
    who = casework.sit(folder)
    if who.role not in MAKERS:
        raise RefusedError(Problem(who.who, f"may not pack evidence for inspection: the role is {who.role}",
                                   f"one of {', '.join(MAKERS)}"))
    if not reason.strip():
        raise UsageError(Problem("inspection", "needs a reason", "--reason"))
    zipping.writable(to)
    with issuing.at_desk(folder, Account()) as desk:
        span = periods.parse(period, desk.rules.school.calendar)
        if not desk.judged(span):
            raise UsageError(Problem(f"--period {period}", "holds no day that has been judged", "a period with nights in it"))
        files = publishing.inspection(desk, span, schoolfolder.proven(folder))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        head = pack.PERIOD.format(period=span.title, at=at, who=who.who, role=who.role, reason=reason.strip())
        desk.registers["access"].append("export", f"inspection {span.name}", {
            "by": who.who, "role": who.role, "why": reason.strip(), "what": "evidence for inspection", "files": len(files),
            "names": False})
    zipping.write(to, f"inspection-{span.name}", pack.summed({"README.txt": head.encode(), **files}))
    return f"{len(files)} files and their sums in {to}; read index.html first. In the unpacked folder: sha256sum -c {pack.SUMS}"
