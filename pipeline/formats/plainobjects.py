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
from pipeline.formats.plainway import Column, Cut, code, some
from pipeline.formats.quoted import BACKSLASH, QUOTE, Lines, Quoted
from pipeline.formats.spans import Ints, Texts, Yes
from pipeline.formats.templates import Path, Spot, Template, template_of

ENOUGH = 24              # lines of a kind in one batch that are worth a template
TRIES = 12               # templates in one batch


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
        if self.usual is not None and sound.all():
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
        wanted = {template.column(item) for name, spot in template.fields.items() if name in words
                  if spot.kind != "container" or spot.items for item in (spot.items or (spot,))}
        exact = {template.column(spot) for spot in template.fields.values() if spot.kind == "literal"}
        literals = {template.column(spot): spot for spot in template.varies if spot.kind == "literal"}
        needed = {template.column(item) for spot in template.fields.values() if spot.kind != "container" or spot.items
                  for item in (spot.items or (spot,))} | {*literals}
        cut, columns = Quoted.of(template).cut(Lines.of(texts), wanted, needed - wanted)
        fits = np.ones(int(np.count_nonzero(cut)), bool)
        for number, spot in literals.items():
            columns[number], sound = _literals(columns[number], *template.around(spot), number in exact)
            fits &= sound
        made = {name: _field(template, spot, columns, len(fits)) for name, spot in template.fields.items()}
        for name, column in made.items():
            if name not in self.scalar and template.fields[name].kind == "text":
                fits &= ~_bracketed(column)
        told = {name: some(code(column) if name in words else column, fits)
                for name, column in made.items() if column is not None}
        cut[cut] = fits
        return cut, told


def _field(template: Template, spot: Spot, columns: Mapping[int, Column], size: int) -> Column | None:
    """The column of a value: of a list its items, of a map its keys; none where it says nothing."""
    if spot.kind != "container":
        return columns[template.column(spot)]
    if spot.keys:
        return coded.constant(", ".join(spot.keys), size)
    if not spot.items:
        return None
    items = [code(columns[template.column(item)]) for item in spot.items]
    if len(items) == 1:
        return coded.mapped(items[0], lambda text: text or None)
    return coded.code(pc.binary_join_element_wise(*(item.cast(pa.string()) for item in items), ", "))


def _bracketed(column: Column | None) -> Yes:
    """Which texts begin as a list or a map does."""
    if isinstance(column, Texts):
        first = column.data[column.begin]
        return np.asarray(((first == ord("[")) | (first == ord("{"))) & (column.end > column.begin))
    return np.asarray(coded.fitting(column, lambda text: text.startswith(("[", "{"))))


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
            texts = [pa.nulls(len(rows), pa.string()) if kind is None else kind.strings()
                     if isinstance(kind, Texts) else kind.cast(pa.string()) for (rows, _), kind in zip(found, kinds, strict=True)]
            made[name] = spans.texts(pa.concat_arrays(texts).take(order))
        else:
            words = [pa.DictionaryArray.from_arrays(pa.nulls(len(rows), pa.int32()), pa.array([], pa.string())) if kind is None
                     else kind for (rows, _), kind in zip(found, kinds, strict=True)]
            made[name] = pa.chunked_array(words).unify_dictionaries().combine_chunks().take(order)
    return Cut(plain, made)


def _literals(pieces: Column, before: bytes, behind: bytes, short: bool) -> tuple[Column, Yes]:
    """What `_literal` says; of coded pieces it is asked once for each distinct one."""
    if isinstance(pieces, Texts):
        return _literal(pieces, before, behind, short)
    texts, sound = _literal(spans.texts(pieces.dictionary), before, behind, short)
    return coded.put(pieces, texts.strings()), sound[pieces.indices.to_numpy()]


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
