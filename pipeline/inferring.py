"""The night's inferred changes: what the lake and the change log come to, as entries to open."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pyarrow as pa

from pipeline import inferred, turned
from pipeline.changes import Change
from pipeline.judging import taught_bands
from pipeline.lake import Lake
from pipeline.registers import Registers
from pipeline.ruleset import Rules
from pipeline.tables import FILTERED, VISITS


def entries(lake: Lake, rules: Rules, books: Registers, days: Collection[date]) -> list[Change]:
    """The entries to open when `days` have been judged; none of them stands in the change log yet."""
    known = [state for state in books.changes().values() if not state.purged]
    if not days:
        return inferred.self_approved(known)
    judged = sorted(lake.judged())
    window = [day for day in judged if min(days) - turned.WINDOW <= day]
    taught = taught_bands(rules, max(days))
    recent = [state for state in known if state.opened_at >= str(window[0])]
    found = turned.fresh(turned.turns(lake.table(FILTERED, window)), recent)
    visits = _visits(lake, {turn.site for turn in found}, window)
    found = turned.met_by_the_same(found, visits, taught)
    allowing = [name for name, category in rules.policy.categories.items() if category.filter == "allow"]
    past = inferred.lapsed(rules.own, max(days), allowing)
    still = _visits(lake, inferred.sites_of(past), sorted(days))
    return [*turned.entries_of(found), *inferred.expired(past, still, known), *inferred.self_approved(known)]


def _visits(lake: Lake, sites: Collection[str], days: Collection[date]) -> pa.Table:
    """The VISITS of these sites on these days, with their day."""
    parts = [lake.table(VISITS, [day], sites) for day in days] if sites else []
    dated = [part.append_column("day", pa.array([day] * len(part), pa.date32())) for day, part in zip(days, parts, strict=False)]
    return pa.concat_tables(dated) if dated else VISITS.schema.empty_table().append_column("day", pa.array([], pa.date32()))
