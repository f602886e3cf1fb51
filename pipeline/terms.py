"""The words of `rules/terms/`: what a search is about, where it is about something that matters.

A term is whole words, one after the other, and may need other words in the search (`with`) or none of some (`not`). Who looks
for help is named nowhere: a term of `help_seeking.txt` silences every other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.lists import NEVER_LISTED
from pipeline.problems import Problem
from pipeline.suggestions import nearest
from pipeline.words import joined, spellings, stem, words

HELP = "help_seeking"
PARTS = ("with", "not")
Phrase = tuple[str, ...]  # the stems of its words; `porn*` is every word that begins so, `=nudes` that word as it stands


class Term(NamedTuple):
    """A term: its category, as it stands in the file, its words, and of what one must (as it stands too) or none may be in the
    search."""

    category: str
    text: str
    words: Phrase
    needs: tuple[tuple[Phrase, str], ...] = ()
    unless: tuple[Phrase, ...] = ()


class Meaning(NamedTuple):
    """What a search is about: a category, and the words of the file that say so."""

    category: str
    words: str


@dataclass(frozen=True)
class Terms:
    """All terms, found by their first words."""

    terms: Sequence[Term] = ()
    by_word: Mapping[str, list[Term]] = field(default_factory=dict)
    by_start: Mapping[str, list[Term]] = field(default_factory=dict)

    def about(self, text: str, gravity: Mapping[str, int]) -> Meaning | None:
        """What a search is about: of the gravest category by `gravity` (0 the gravest), by the longest of its terms; None
        where no term holds, or where somebody looks for help."""
        found = self.found(text)
        if not found or any(one.category == HELP for one in found):
            return None
        return min(found, key=lambda one: (gravity.get(one.category, len(gravity)), -len(one.words), one))

    def found(self, text: str) -> list[Meaning]:
        """Every term that holds of a search, with the word it needed."""
        said = _Said(words(text), self)
        found = []
        for term in filter(lambda term: said.has(term.words), said.begun()):
            need = next((text for phrase, text in term.needs if said.has(phrase)), None)
            if (need or not term.needs) and not any(map(said.has, term.unless)):
                found.append(Meaning(term.category, f"{term.text} … {need}" if need else term.text))
        return found


class _Said:
    """A search in comparable words: each in every spelling it may be meant in."""

    def __init__(self, given: list[str], terms: Terms) -> None:
        self.raw = [spellings(word) for word in given] + [[word] for word in joined(given)]
        self.stems = [{stem(word) for word in each} for each in self.raw]
        self.bag = {word for each in self.stems for word in each}
        self.terms = terms

    def begun(self) -> list[Term]:
        """The terms whose first word is in the search, each once."""
        starts = tuple(self.terms.by_start)
        found = {id(term): term for each in self.stems for word in each for term in self.terms.by_word.get(word, ())}
        for word in (word for each in self.raw for word in each if word.startswith(starts)):
            found |= {id(term): term for start, terms in self.terms.by_start.items() if word.startswith(start) for term in terms}
        return list(found.values())

    def has(self, phrase: Phrase) -> bool:
        """Whether these words stand in the search, one after the other."""
        if not all(word in self.bag or word.endswith("*") or word.startswith("=") for word in phrase):
            return False
        return any(all(self._is(at + n, word) for n, word in enumerate(phrase))
                   for at in range(len(self.stems) - len(phrase) + 1))

    def _is(self, at: int, word: str) -> bool:
        if word.endswith("*"):
            return any(one.startswith(word[:-1]) for one in self.raw[at])
        return word[1:] in self.raw[at] if word.startswith("=") else word in self.stems[at]


def read_terms(files: Mapping[str, str], categories: Collection[str] = ()) -> tuple[Terms, list[Problem]]:
    """Every term of the `.txt` files of `rules/terms/` that is sound, and every fault."""
    terms: list[Term] = []
    problems: list[Problem] = []
    for where in sorted(name for name in files if name.endswith(".txt")):
        category = where.rsplit("/", 1)[-1].removesuffix(".txt")
        if category in NEVER_LISTED or (categories and category not in categories):
            problems.append(Problem(where, f"{category} is not a category that words may give", nearest(category, categories)))
            continue
        for term, fault in _lines(where, category, files[where]):
            terms += [term] if term else []
            problems += [fault] if fault else []
    return _indexed(terms), problems


def _indexed(terms: Sequence[Term]) -> Terms:
    by_word: dict[str, list[Term]] = {}
    by_start: dict[str, list[Term]] = {}
    for term in terms:
        first = term.words[0]
        home = by_start if first.endswith("*") else by_word
        key = first[:-1] if first.endswith("*") else stem(first[1:]) if first.startswith("=") else first
        home.setdefault(key, []).append(term)
    return Terms(terms, by_word, by_start)


def _lines(where: str, category: str, text: str) -> Iterator[tuple[Term | None, Problem | None]]:
    """The term of each line, or what is wrong with it; a line that begins with `not:` goes into every term of the file."""
    lines = [(n, line.partition("#")[0].strip()) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1)]
    common = tuple(phrase for _, line in lines if line.startswith("not:") for phrase in _phrases(line[4:]))
    for n, line in lines:
        if line and not line.startswith("not:"):
            term, wrong = _term(category, line, common)
            yield term, Problem(f"{where}:{n}", wrong, "noose | with: tie, make | not: sailing") if wrong else None


def _term(category: str, line: str, common: tuple[Phrase, ...]) -> tuple[Term | None, str]:
    head, *rest = line.split("|")
    text = " ".join(head.split())
    named: dict[str, str] = {}
    for part in rest:
        name, colon, said = part.partition(":")
        if name.strip() not in PARTS or not colon or not _phrases(said):
            return None, f"{part.strip()!r} is neither `with: words` nor `not: words`"
        named[name.strip()] = said
    phrase = _phrase(text)
    if not phrase:
        return None, f"{text!r} holds no word"
    needs = tuple((found, part.strip()) for part in named.get("with", "").split(",") if (found := _phrase(part)))
    return Term(category, text, phrase, needs, _phrases(named.get("not", "")) + common), ""


def _phrases(text: str) -> tuple[Phrase, ...]:
    return tuple(phrase for part in text.split(",") if (phrase := _phrase(part)))


def _phrase(text: str) -> Phrase:
    """The words of a phrase as they are compared."""
    if not set(text) & set("*="):
        return tuple(map(stem, words(text)))
    return tuple(part for word in text.split() for part in _parts(word))


def _parts(word: str) -> Iterator[str]:
    """A word as it is compared: with its star, as it stands after an equals sign, else its stem."""
    for one in words(word):
        yield f"{one}*" if word.endswith("*") else f"={one}" if word.startswith("=") else stem(one)
