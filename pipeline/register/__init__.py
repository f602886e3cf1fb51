"""The life of incidents, breaches and changes, as folds of the entries of their journals. Nothing here reads or writes."""

from __future__ import annotations

from pipeline.register.breaches import BreachState, fold_breaches, live_breach, match_breaches
from pipeline.register.changes import ChangeState, explain, fold_changes, live_change, open_changes
from pipeline.register.facts import Table
from pipeline.register.incidents import CODE_KINDS, IncidentState, fold_incidents, live_incident
from pipeline.register.lifecycle import APART, MOVES, OPENS, decide, enter, may, move
from pipeline.register.matching import match_incidents, references
from pipeline.register.standing import Card, Standing, card, unpack
from pipeline.register.words import UNTOLD, Body, Event, Written, number, numbers

__all__ = ["APART", "CODE_KINDS", "MOVES", "OPENS", "UNTOLD", "Body", "BreachState", "Card", "ChangeState", "Event",
           "IncidentState", "Standing", "Table", "Written", "card", "decide", "enter", "explain", "fold_breaches", "fold_changes",
           "fold_incidents", "live_breach", "live_change", "live_incident", "match_breaches", "match_incidents", "may", "move",
           "number", "numbers", "open_changes", "references", "unpack"]
