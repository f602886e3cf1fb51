"""The school's policy: its tables as printed, its questions and decisions, the guidance beside it, and what each category means.

`values` says what there is, `reading` makes it from text, `printed` shows it as the school would recognise it.
"""

from __future__ import annotations

from pipeline.policy.reading import DECISION_COLUMNS, DECISIONS, FILES, read_policy
from pipeline.policy.values import (
    COMMUNICATIONS,
    VERDICTS,
    ActionRow,
    Category,
    CommunicationRow,
    Decision,
    Duty,
    Guidance,
    Number,
    Policy,
    Proposal,
    Question,
    SanctionRow,
    in_force,
)

__all__ = ["COMMUNICATIONS", "DECISIONS", "DECISION_COLUMNS", "FILES", "VERDICTS", "ActionRow", "Category", "CommunicationRow",
           "Decision", "Duty", "Guidance", "Number", "Policy", "Proposal", "Question", "SanctionRow", "in_force",
           "read_policy"]
