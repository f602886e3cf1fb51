"""The words of a text, in one spelling, so that what people type can be compared with what a school wrote down.

Capitals, accents, apostrophes and endings do not count (kill, kills, killing are one word); `a` and `the` are left out. The
endings are taken off by a few rules and not by a dictionary: what matters is that both sides lose the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

STOPS = frozenset({"a", "an", "the", "some", "any"})
A_LEVEL = re.compile(r"\ba[- ]?levels?\b")  # the examination: without this, `a level` would be the word level
WORD = re.compile(r"[^\W_]+")
APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc`]")
LEFT_OUT = re.compile(r"(?:^|\s)-\w+")  # what a search engine is told to leave out
IRREGULAR = {"dying": "die", "died": "die", "dies": "die", "lying": "lie", "tying": "tie", "tied": "tie", "ties": "tie",
             "hung": "hang", "knives": "knife", "bought": "buy", "made": "make", "got": "get", "getting": "get",
             "sexes": "sex", "movies": "movie", "wolves": "wolf"}
VOWEL = re.compile(r"[aeiouy]")
DIGITS = str.maketrans("013457", "oieast")
THRICE = re.compile(r"(.)\1{2,}")


def words(text: str) -> list[str]:
    """The words of a text as they stand, in small letters without accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf")
    plain = A_LEVEL.sub("alevel", APOSTROPHES.sub("", LEFT_OUT.sub(" ", plain)))
    return [word for word in WORD.findall(plain) if word not in STOPS]


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A word without its ending: killing, killed and kills are kill."""
    if word in IRREGULAR:
        return _bare(IRREGULAR[word])
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return _bare(word[:-1])
    for ending, least in (("ing", 6), ("ed", 5)):
        rest = word.removesuffix(ending)
        if rest != word and len(word) >= least and not word.endswith("eed") and VOWEL.search(rest):
            return _bare(_single(rest))
    return _bare(word)


def _single(word: str) -> str:
    """cutt is cut, but kill stays: which letters double before an ending."""
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lszf" else word


def _bare(word: str) -> str:
    """make and mak(ing) are one."""
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def spellings(word: str) -> list[str]:
    """A word as it stands, then as it may be meant: digits put for letters, letters held down."""
    found = [word]
    if not word.isalpha() and not word.isdigit():
        found.append(word.translate(DIGITS))
    return found + [short for other in found if (short := THRICE.sub(r"\1", other)) != other]


def joined(found: list[str]) -> list[str]:
    """The words that letters set apart make: `p o r n` is porn."""
    made, run = [], ""
    for word in [*found, ""]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        made += [run] if len(run) > 2 else []
        run = ""
    return made
