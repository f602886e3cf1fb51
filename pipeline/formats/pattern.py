"""The reader `pattern`: a regular expression with named groups takes a line apart. The last resort, and the slowest reader.

Keys of the format's file:
    pattern    a regular expression (RE2) that fits a whole line, or a list of them: the first that fits decides
    has        text that every record holds (or a list, all of them); a line without it never meets the expression
    aside      regular expressions of other lines that the same program writes: furniture, not rejects
    requests   false: no line is a visit, so a line that fits is furniture too
    escaped    groups in which a quote and a backslash have a backslash before them
    encoded    groups written with % and two digits
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.formats import Format, Layout
from pipeline.formats.expressions import groups, several
from pipeline.formats.lines import column

# Blank lines and lines with NULs are told apart for all formats alike, in `fields`.
SPLIT = """
WITH bare AS (
    SELECT line, byte, text, long, rtrim(text, E'\\r\\n') AS body FROM numbered
){tries}
SELECT line, byte, text, long,
       CASE {fitted}
            WHEN NOT long AND ({aside}) THEN 'furniture'
            ELSE '{unlike}'
       END AS fault{fields}
FROM {last}
"""

TRY = """, {name} AS (
    SELECT *, CASE WHEN {when} THEN regexp_extract(body, '({pattern})', [{groups}]) END AS {name}_of
    FROM {before}
)"""


def split(form: Format, layout: Layout) -> str:
    """The select over `numbered` that gives line, byte, text, long, fault and a text column for each name in `form.needs`."""
    says = form.says
    patterns = [_kept(pattern, form.needs) for pattern in several(says["pattern"])]
    names = [f"try{number}" for number in range(1, len(patterns) + 1)]
    return SPLIT.format(
        unlike=f"is no line of {form.name}".replace("'", "''"),
        tries="".join(_try(name, pattern, names[:number], several(says.get("has", ())))
                      for number, (name, pattern) in enumerate(zip(names, patterns, strict=True))),
        fitted=" ".join(f"WHEN {name}_of._line <> '' THEN {'NULL' if says.get('requests', True) else literal('furniture')}"
                        for name in names),
        aside=" OR ".join(f"regexp_matches(body, {literal(text)})" for text in several(says.get("aside", ()))) or "false",
        fields="".join(f",\n       {_field(need, patterns, names, says)} AS {column(need)}" for need in form.needs),
        last=names[-1])


def _try(name: str, pattern: str, before: Sequence[str], has: Sequence[str]) -> str:
    """One pattern tried on the lines that none before it fitted; a line that cannot fit never meets it."""
    when = [f"{other}_of._line = ''" for other in before] or ["NOT long", *(f"contains(body, {literal(text)})" for text in has)]
    return TRY.format(name=name, before=before[-1] if before else "bare", when=" AND ".join(when),
                      pattern=pattern.replace("'", "''"), groups=", ".join(map(literal, ["_line", *groups(pattern)])))


def _field(need: str, patterns: Sequence[str], names: Sequence[str], says: Mapping[str, Any]) -> str:
    """The SQL of one source field: the group of that name in the pattern that fitted; NULL when it is empty or in none."""
    found = [f"nullif({name}_of.{_quoted(need)}, '')" for name, pattern in zip(names, patterns, strict=True)
             if need in groups(pattern)]
    if not found:
        return "NULL::VARCHAR"
    value = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
    if need in says.get("escaped", ()):
        value = f"""CASE WHEN contains({value}, '\\') THEN replace(replace({value}, '\\"', '"'), '\\\\', '\\') ELSE {value} END"""
    if need in says.get("encoded", ()):
        value = f"CASE WHEN contains({value}, '%') THEN coalesce(try(url_decode({value})), {value}) ELSE {value} END"
    return value


def _kept(pattern: str, needs: Sequence[str]) -> str:
    """The pattern with groups that nobody asks for made plain: RE2 is quicker the fewer it has to remember."""
    return re.sub(r"\(\?P<(\w+)>", lambda group: group[0] if group[1] in needs else "(?:", pattern)


def literal(text: str) -> str:
    """The text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
