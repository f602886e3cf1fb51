"""What the product's own words mean: action, kind, set-up and sealing, once for each combination that occurs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, groups, sql
from pipeline.formats import Format
from pipeline.formats.expressions import several
from pipeline.formats.known import Known
from pipeline.formats.lines import literal

WORDS = ("client_ip", "user", "method", "status", "content_type", "user_agent", "vendor_category", "vendor_rule")
# Names of categories that no list of ours maps yet, and that speak of what no one may look at: sealed, and said as unmapped.
GRAVE = re.compile(r"child.{0,3}(abuse|porn|sex)|\bcsa[im]\b|\biwf\b|internet watch|terroris|\bctiru\b|p(a|e|ae)?edophil", re.I)
UNMAPPED = "looks like an illegal-content category"


class Verdicts:
    """What the product's own words mean: action, kind, set-up and sealing, worked out once for each combination that occurs."""

    def __init__(self, form: Format, sealed: Sequence[str], con: duckdb.DuckDBPyConnection) -> None:
        self.form, self.sealed = form, list(sealed)
        self.fields, self.flags = tested(form)
        self.same = same_as(form)
        columns = {name: pa.string() for name in self.fields} | ({"our flags": pa.int64()} if self.flags else {})
        self.seen = Known(sql.Prepared(self._select(), con, "seen"), columns | {"our method": pa.string()})

    def of(self, rows: pa.Table, words: Mapping[str, pa.DictionaryArray],
           method: pa.DictionaryArray) -> dict[str, pa.DictionaryArray]:
        """Columns action, kind, setup and sealed_list of the rows of a batch. `words`: the columns as logged."""
        columns = [words[self.same[name]] if name in self.same else coded.code(rows[f"is:{name}"]) for name in self.fields]
        columns += [coded.code(rows["flags"])] if self.flags else []
        values, place = groups.cases([*columns, method])
        found, at = self.seen.of(values), pa.array(place.astype(np.int32))
        return {name: coded.at(at, coded.whole(found[name])) for name in ("action", "kind", "setup", "sealed_list")}

    def _select(self) -> str:
        file = self.form.file
        decide = partial(_decide, flags=self.flags)
        sealing = "''"
        if file.sealed is not None:
            words = self.sealed or file.sealed.words
            listed = ", ".join(literal(word.strip().lower()) for word in words) or "NULL"
            where = f's."{file.sealed.field}"'
            said = f"list_filter(string_split_regex(lower({where}), ' *[;,|] *'), lambda w: w IN ({listed}))"
            whole = f"(lower(trim({where})) IN ({listed}) OR len({said}) > 0)"
            if file.sealed.action:
                whole += f' AND "our action" IN ({", ".join(map(literal, file.sealed.action))})'
            sealing = f"CASE WHEN {whole} THEN {literal(file.sealed.name) if file.sealed.name else where} ELSE '' END"
        kind = f"CASE WHEN upper(s.\"our method\") = 'CONNECT' THEN 'tunnel' ELSE {literal(file.kind)} END"
        action, setup = decide(file.verdicts, "action", literal("allowed")), decide(file.verdicts, "setup", literal(""))
        # A product may have fields named action, kind or setup itself, so ours have another name beside them.
        return (f'SELECT "our action" AS action, "our kind" AS kind, "our setup" AS setup, {sealing} AS sealed_list '
                f'FROM (SELECT s.*, {action} AS "our action", {setup} AS "our setup", '
                f'{decide(file.kinds, "kind", kind)} AS "our kind" FROM seen s) s ORDER BY "our n"')


def same_as(form: Format) -> dict[str, str]:
    """Fields of the product that one of our words takes as they stand, by field: they are read once."""
    return {form.sources(ours)[0]: ours for ours in WORDS if len(form.sources(ours)) == 1}


def tested(form: Format) -> tuple[list[str], list[tuple[str, str]]]:
    """The fields that verdicts test by their words, and the (field, glob) pairs that are tested line by line, because the
    field is an address and has as many values as there are lines."""
    addresses = {name for ours in ("url", "referrer", "path", "query") for name in form.sources(ours)}
    cases = [*form.file.verdicts, *form.file.kinds]
    fields = [name for case in cases for name in case.when if name not in addresses]
    flags = [(name, glob) for case in cases for name, globs in case.when.items() if name in addresses for glob in several(globs)]
    if form.file.sealed is not None:
        fields.append(form.file.sealed.field)
    return list(dict.fromkeys(fields)), list(dict.fromkeys(flags))


def _decide(given: Sequence[Any], what: str, otherwise: str, flags: list[tuple[str, str]]) -> str:
    lines = []
    for case in given:
        tests = [any_fits(f's."{name}"', name, several(globs), flags) for name, globs in case.when.items()]
        value = getattr(case, what)
        lines.append(f"WHEN {' AND '.join(tests) or 'true'} THEN {literal(value)}")
    return f"CASE {' '.join(lines)} ELSE {otherwise} END" if lines else otherwise


def any_fits(column: str, name: str, globs: list[str], flags: list[tuple[str, str]]) -> str:
    """That one of the globs fits; in a list of nothing but negations, that all do."""
    tests = [f"(\"our flags\" // {1 << flags.index((name, glob))}) % 2 = 1" if (name, glob) in flags else fits(column, glob)
             for glob in globs]
    return "(" + (" AND " if all(glob.startswith("!") for glob in globs) else " OR ").join(tests) + ")"


def fits(column: str, glob: str) -> str:
    """The SQL that a glob fits a column: `*` any run, `450..457` a number in a range, `!` not, '' absent or empty; any case."""
    if glob.startswith("!"):
        return f"NOT {fits(column, glob[1:])}"
    bounds = re.fullmatch(r"(\d+)\.\.(\d+)", glob)
    if bounds:
        return f"coalesce(TRY_CAST({column} AS BIGINT) BETWEEN {bounds[1]} AND {bounds[2]}, false)"
    parts, text = glob.lower().split("*"), f"lower(coalesce({column}, ''))"
    if len(parts) == 1:
        return f"{text} = {literal(parts[0])}"
    if parts[0] == "" and parts[-1] == "" and len(parts) == 3:
        return f"contains({text}, {literal(parts[1])})"
    if len(parts) == 2 and parts[1] == "":
        return f"starts_with({text}, {literal(parts[0])})"
    like = glob.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return f"{text} LIKE {literal(like)} ESCAPE '\\'"


def seal_by_name(made: dict[str, pa.Array]) -> None:
    """A category whose name speaks of illegal content seals too, though no list of ours maps it yet."""
    names = made["vendor_category"]
    grave = [name is not None and bool(GRAVE.search(name)) for name in names.dictionary.to_pylist()]
    if any(grave):
        rows, known = pc.fill_null(coded.spread(names, pa.array(grave)), False), made["sealed_list"].cast(pa.string())
        made["sealed_list"] = coded.code(pc.if_else(pc.and_(rows, pc.equal(known, "")), UNMAPPED, known))
