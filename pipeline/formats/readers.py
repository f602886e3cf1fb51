"""The readers by name: each makes, of a format and what was learned of a file, one select that splits lines into fields.

A split reads the table `numbered` (line, byte, text with its line end, long) and gives, for every line, exactly one row: line,
byte, text, long, `fault`, and a text column for each field that the format needs, null where the line has none. `fault` is
null for a record; furniture (header, comment); part (goes on with a record begun above); or why it cannot be read, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.formats import Format, Layout, columns, delimited, headed, importer, objects, pairs, pattern, resolvers
from pipeline.formats.plainpairs import Cutter
from pipeline.formats.plainway import PlainWay
from pipeline.problems import Problem

Split = Callable[[Format, Layout], str]
Learner = Callable[[Sequence[str], str], Layout | Problem | None]

READERS: dict[str, Split] = {
    "columns": columns.split,
    "csv": delimited.split,
    "json": objects.split,
    "logformat": pattern.split,
    "pairs": pairs.split,
    "pattern": pattern.split,
    "resolver": resolvers.split,
    "w3c": headed.split,
}

# Readers that cut most lines of some formats without SQL: what cuts them, and the split over what it has cut.
QUICK: dict[str, Callable[[Format, Layout], tuple[Cutter, str] | None]] = {"pairs": pairs.quick}

# Readers that cut most lines of most formats, and read them, with no SQL at all.
PLAIN: dict[str, Callable[[Format, Layout], PlainWay | None]] = {
    "columns": columns.plain, "csv": delimited.plain, "json": objects.plain, "pairs": pairs.plain,
    "w3c": headed.plain}

# What no pattern of single lines can tell: each is given a sample of a file that no format's lines fit, and the order of dates
# where a person has said it ('' where not); it says how the file is laid out, or why that cannot be known, or nothing.
LEARNERS: list[Learner] = [importer.learn]


def reach(form: Format) -> int:
    """How many lines before it and after it may have a say in what a line is; 0 where each line stands alone."""
    if form.file.reader == "resolver":
        return resolvers.REACH
    if form.says.get("multiline"):
        return delimited.REACH
    return 1 if form.says.get("goes_on") else 0
