"""Lines of plain objects: for the reader `json`, since programs write one object like another.

The first line of a kind is taken apart as JSON and becomes a template. A line of as many quotes is cut at its quotes; it is of
the kind where its values, put back into the template, give the line again, letter by letter. Its texts have no escapes, and its
numbers are written the short way. What fits no template is left to `objects.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded
from pipeline.formats import amounts, spans
from pipeline.formats.plainway import Column, Cut, code, contents, delimited, some
from pipeline.formats.spans import Ints, Texts, Yes
from pipeline.formats.templates import Path, Spot, Template, template_of

QUOTE, BACKSLASH, SPACE = 34, 92, 32
ENOUGH = 24              # lines of a kind in one batch that are worth a template
TRIES = 12               # templates in one batch
FEW = 20                 # of so many lines no more than one may have another number of quotes


@dataclass
class Objects:
    """How the lines of one format are cut: the paths of its fields by name, and which of them are never a list or a map; and the
    template of most lines of the batch before."""

    paths: Mapping[str, Sequence[Path]]
    scalar: frozenset[str]
    usual: Template | None = None
    tries: int = 0

    def cut(self, texts: pa.StringArray, sound: Yes, words: Collection[str]) -> Cut:
        """The plain ones among the `sound` lines."""
        self.tries = TRIES
        found: list[tuple[Ints, dict[str, Column]]] = []
        if self.usual is not None and sound.all() and _no_escape(texts):
            fits, columns = self._fitting(self.usual, texts, words)
            found.append((np.flatnonzero(fits), columns))
            sound = ~fits
        if sound.any():
            self._by_quotes(texts, sound, words, found)
        return _joined([(rows, columns) for rows, columns in found if len(rows)], len(texts))

    def _by_quotes(self, texts: pa.StringArray, sound: Yes, words: Collection[str],
                   found: list[tuple[Ints, dict[str, Column]]]) -> None:
        """Add to what is `found` what else is plain: lines of one number of quotes are looked at together."""
        count = np.zeros(len(sound), np.int64)
        count[sound] = _quotes(texts if sound.all() else texts.filter(pa.array(sound)))
        for number in np.unique(count[count > 0]).tolist():
            left, many = np.flatnonzero(count == number), ENOUGH
            while many >= ENOUGH and len(left) >= ENOUGH and self.tries:
                self.tries -= 1
                template = template_of(texts[left[0]].as_py().encode(), self.paths, self.scalar)
                if template is None:
                    break
                fits, columns = self._fitting(template, texts if len(left) == len(texts) else texts.take(pa.array(left)), words)
                found.append((left[fits], columns))
                left, many = left[~fits], int(np.count_nonzero(fits))
                self.usual = template if many > len(texts) // 2 else self.usual

    def _fitting(self, template: Template, texts: pa.StringArray, words: Collection[str]) -> tuple[Yes, dict[str, Column]]:
        """Which lines are of a kind, and the fields of those."""
        literals = {template.column(spot): spot for spot in template.varies if spot.kind == "literal"}
        wanted = {template.column(item) for name, spot in template.fields.items() if name in words
                  for item in (spot.items or (spot,)) if item.kind == "text"}
        varies = {template.column(spot) for spot in template.varies}
        columns, odd = delimited(contents(texts), '"', False, len(template.quotes) + 1, wanted, varies - wanted)
        if len(odd) > len(texts) // FEW or len(odd) + len(next(iter(columns.values()))) != len(texts):
            return np.zeros(len(texts), bool), {}
        cut = np.ones(len(texts), bool)
        cut[np.array(odd, np.int64)] = False
        given = texts.filter(pa.array(cut)) if odd else texts
        fits = pc.equal(template.put_back(columns), given).to_numpy(zero_copy_only=False)
        exact = {template.column(spot) for spot in template.fields.values() if spot.kind == "literal"}
        inner: dict[int, Texts] = {}
        for number, spot in literals.items():
            inner[number], sound = _literal(spans.texts(columns[number]), *template.around(spot), number in exact)
            fits &= sound
        made = {name: _field(template, spot, columns, inner) for name, spot in template.fields.items()}
        for name, column in made.items():
            if name not in self.scalar and template.fields[name].kind == "text":
                fits &= ~_bracketed(column)
        told = {name: some(code(column) if name in words else column, fits)
                for name, column in made.items() if column is not None}
        cut[cut] = fits
        return cut, told


def _field(template: Template, spot: Spot, columns: Mapping[int, pa.Array], inner: Mapping[int, Texts]) -> Column | None:
    """The column of a value: of a list its items, of a map its keys; none where it says nothing."""
    number = template.column(spot)
    if spot.kind == "literal":
        return inner[number]
    if spot.kind == "text":
        column = columns[number]
        return column if pa.types.is_dictionary(column.type) else spans.texts(column)
    size = len(next(iter(columns.values())))
    if spot.keys:
        return coded.constant(", ".join(spot.keys), size)
    if not spot.items:
        return None
    items = [columns[template.column(item)] for item in spot.items]
    if len(items) == 1:
        return coded.mapped(coded.code(items[0]), lambda text: text or None)
    return coded.code(pc.binary_join_element_wise(*(item.cast(pa.string()) for item in items), ", "))


def _bracketed(column: Column | None) -> Yes:
    """Which texts begin as a list or a map does."""
    if isinstance(column, Texts):
        first = column.data[column.begin]
        return np.asarray(((first == ord("[")) | (first == ord("{"))) & (column.end > column.begin))
    return np.asarray(coded.fitting(column, lambda text: text.startswith(("[", "{"))))


def _no_escape(texts: pa.StringArray) -> bool:
    """Whether no line has an escape or a control character but for the line end."""
    data, low = contents(texts), 0
    for part in np.split(data, range(spans.PIECE, len(data), spans.PIECE)):
        low += int(np.count_nonzero(part < SPACE))
        if (part == BACKSLASH).any():
            return False
    return low == len(texts)


def _quotes(texts: pa.StringArray) -> Ints:
    """How many quotes each line has; 0 where it has an escape or a control character, or is no object and no more."""
    made = [np.zeros(0, np.int64)]
    for first, size in spans.pieces(texts):
        data, starts = spans.block(texts.slice(first, size))
        odd = spans.unlike(data, starts) | (data[starts] != ord("{"))
        odd[spans.lines_of(np.flatnonzero(data == BACKSLASH), starts)] = True
        quotes = np.flatnonzero(data == QUOTE)
        made.append(np.where(odd, 0, np.diff(np.searchsorted(quotes, starts), append=len(quotes))))
    return np.concatenate(made)


def _joined(found: Sequence[tuple[Ints, dict[str, Column]]], size: int) -> Cut:
    """The fields of all kinds of lines, in the order of the lines."""
    plain = np.zeros(size, bool)
    for rows, _ in found:
        plain[rows] = True
    if len(found) == 1:
        return Cut(plain, found[0][1])
    places = np.concatenate([rows for rows, _ in found]) if found else np.zeros(0, np.int64)
    order = pa.array(np.argsort(places, kind="stable"))
    made: dict[str, Column] = {}
    for name in dict.fromkeys(name for _, columns in found for name in columns):
        kinds = [columns.get(name) for _, columns in found]
        if any(isinstance(kind, Texts) for kind in kinds):
            texts = [pa.nulls(len(rows), pa.string()) if kind is None else kind.array().cast(pa.string())
                     if isinstance(kind, Texts) else kind.cast(pa.string()) for (rows, _), kind in zip(found, kinds, strict=True)]
            made[name] = spans.texts(pa.concat_arrays(texts).take(order))
        else:
            words = [pa.DictionaryArray.from_arrays(pa.nulls(len(rows), pa.int32()), pa.array([], pa.string())) if kind is None
                     else kind for (rows, _), kind in zip(found, kinds, strict=True)]
            made[name] = pa.chunked_array(words).unify_dictionaries().combine_chunks().take(order)
    return Cut(plain, made)


def _literal(texts: Texts, before: bytes, behind: bytes, short: bool) -> tuple[Texts, Yes]:
    """The literals within pieces (null: null), and which pieces hold one that is good JSON and the template's own around it;
    where `short`, also written as a reader of JSON would write the number again."""
    data, begin, end = texts
    sound = (end - begin > len(before) + len(behind)) & spans.says(data, begin, before)
    sound &= spans.says(data, np.maximum(end - len(behind), 0), behind)
    begin, end = np.where(sound, begin + len(before), 0), np.where(sound, end - len(behind), 0)
    size = end - begin
    _, digits = amounts.whole(data, begin, end)
    good = digits & ((size == 1) | (data[begin] != ord("0")))
    left = np.flatnonzero(sound & ~good)
    if len(left):
        at, over = begin[left], end[left]
        good[left] = _decimal(Texts(data, at, over), short)
        for word in (b"null", b"true", b"false"):
            good[left] |= (over - at == len(word)) & spans.says(data, at, word)
        nothing = left[data[at] == ord("n")]
        begin[nothing], end[nothing] = -1, -1
    return Texts(data, begin, end), sound & good


def _decimal(texts: Texts, short: bool) -> Yes:
    """Which are digits, a dot and digits: no more in all than a double holds exactly."""
    data, begin, end = texts
    dots = np.append(np.flatnonzero(data == ord(".")), len(data))
    dot = dots[np.searchsorted(dots, begin)]
    inside = (dot > begin) & (dot + 1 < end)
    dot = np.where(inside, dot, begin)
    left, right = amounts.whole(data, begin, dot), amounts.whole(data, np.minimum(dot + 1, end), end)
    sound = inside & left[1] & right[1] & ((dot - begin == 1) | (data[begin] != ord("0")))
    if short:
        exact = (end - begin - 1 <= 15) | ((end - begin - 1 == 16) & (data[begin] < ord("9")))
        sound &= exact & (data[end - 1] != ord("0")) & (left[0] > 0)
    return np.asarray(sound)
