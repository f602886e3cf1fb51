"""What a search is about: hard pairs of matter and no matter, in the words of the school's own files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_text import rows

from pipeline.policy import read_policy
from pipeline.terms import HELP, read_terms
from pipeline.words import joined, spellings, stem, words

RULES = Path(__file__).parents[1] / "rules"
POLICY, _ = read_policy({f"rules/{path.name}": path.read_text("utf-8") for path in RULES.glob("*.*")})
CATEGORIES = list(POLICY.categories) if POLICY else []
FILES = {f"rules/terms/{path.name}": path.read_text("utf-8") for path in (RULES / "terms").glob("*.txt")}
TERMS, FAULTS = read_terms(FILES, CATEGORIES)
GRAVITY = {"self_harm_suicide": 0, "weapons": 1, "pornography": 2, "gambling": 3}
PAIRS = rows("""
    search                                        | about
    scunthorpe united fixtures                    | -
    middlesex county cricket                      | -
    university of sussex open day                 | -
    essex wildlife                                | -
    breast cancer research                        | -
    cocktail recipes for a party                  | -
    killing a Python process                      | -
    how to kill myself                            | self_harm_suicide
    K1LLING MYSELF                                | self_harm_suicide
    to kill a mockingbird themes                  | -
    shoot for GCSE photography                    | -
    how to shoot up my school                     | weapons
    how to tie a noose                            | self_harm_suicide
    how to tie a noose knot                       | self_harm_suicide
    noose knot for climbing                       | -
    how to tie a tie                              | -
    painless way to die                           | self_harm_suicide
    dumb ways to die song                         | -
    romeo and juliet suicide scene                | -
    suicide squad cast                            | -
    i dont want to live                           | self_harm_suicide
    I don’t want to live in a city                | -
    cut myself                                    | self_harm_suicide
    cut myself shaving what now                   | -
    paracetamol overdose how many                 | self_harm_suicide
    paracetamol overdose symptoms first aid       | -
    p o r n                                       | pornography
    pr0n videos                                   | pornography
    pornnnn                                       | pornography
    pornic campsites                              | -
    teacher resources -porn                       | -
    big tits                                      | pornography
    great tits and blue tits nesting              | -
    naked women                                   | pornography
    naked mole rat facts                          | -
    nude lipstick                                 | -
    send nudes                                    | pornography
    buy weed                                      | drugs
    buy weed killer                               | -
    effects of cannabis on the brain              | -
    how to roll a joint                           | drugs
    roll of lamb joint                            | -
    how to make a pipe bomb                       | weapons
    how to make a bath bomb                       | -
    bomb calorimeter practical                    | -
    atomic bomb hiroshima how to make a bomb      | -
    buy a knife no id                             | weapons
    best kitchen knife                            | -
    pro-ana tips                                  | eating_disorder
    anorexia nervosa a level psychology           | -
    how to stop eating                            | eating_disorder
    how to stop eating sweets                     | -
    join ISIS                                     | extremism_interest
    isis and osiris myth                          | -
    white power ranger toy                        | -
    i hate jews                                   | hate_discrimination
    why did hitler hate the jews                  | -
    watch beheading video                         | violence_gore
    anne boleyn beheading                         | -
    chat with strangers                           | stranger_chat_dating
    carbon dating site stonehenge                 | -
    undress ai app                                | ai_nudify
    online casino                                 | gambling
    probability of winning at roulette online     | -
    how to get round the school filter            | bypass_vpn_site_visit
    retro bowl unblocked                          | bypass_vpn_site_visit
    unblock a sink                                | -
    free proxy for school                         | bypass_vpn_site_visit
    proxy wars of the cold war                    | -
    heart bypass surgery                          | -
    how does a vpn work gcse                      | -
    vpn for school wifi                           | bypass_vpn_site_visit
    the tutor who factors                         | -
    """)
SEEKS_HELP = ("childline number i want to die", "how to get help for self harm", "how to stop cutting myself", "suicidal friend what do i do",
              "my friend is self harming how to help", "someone leaked my nudes what should i do if", "how to quit porn addiction help",
              "samaritans suicide", "coping with suicidal thoughts", "support for eating disorder anorexia tips")


def test_every_line_of_the_files_is_sound() -> None:
    """No fault, a file for each category that matters, and no term that stands twice in its file."""
    assert FAULTS == []
    assert {HELP, "self_harm_suicide", "pornography", "drugs", "weapons", "bypass_vpn_site_visit"} <= {t.category for t in TERMS.terms}
    assert len({(term.category, term.words) for term in TERMS.terms}) == len(TERMS.terms)


@pytest.mark.parametrize("pair", PAIRS, ids=[str(pair["search"]) for pair in PAIRS])
def test_hard_pairs(pair: dict[str, str]) -> None:
    """What matters is found, and what only looks like it is not."""
    about = TERMS.about(pair["search"], GRAVITY)
    assert (about.category if about else None) == pair["about"]


@pytest.mark.parametrize("search", SEEKS_HELP)
def test_who_looks_for_help_is_named_nowhere(search: str) -> None:
    """A word of help silences every other."""
    assert TERMS.about(search, GRAVITY) is None


def test_the_gravest_category_counts_and_only_the_files_words_are_kept() -> None:
    """Of a search that is about two things, the graver; what is kept is the term and what it needed, not what was typed."""
    about = TERMS.about("jo bloggs porn how to kill myself", GRAVITY)
    assert about == ("self_harm_suicide", "kill myself")
    assert TERMS.about("jo bloggs buy weed peterborough", GRAVITY) == ("drugs", "buy … weed")


def test_a_term_is_whole_words_in_order() -> None:
    """Words apart, in another order or inside other words are no match; endings, capitals and accents do not matter."""
    terms, _ = read_terms({"terms/drugs.txt": "red line | with: café | not: never ever\n=lines\npre*fix\nstar*"})
    said = {text: [one.words for one in terms.found(text)] for text in (
        "Red LINES cafe", "red and line café", "line red café", "redline café", "red line", "red line café never", "red line café never ever",
        "lines", "line", "starling", "mustard")}
    assert said == {"Red LINES cafe": ["red line … café", "=lines"], "red and line café": [], "line red café": [], "redline café": [],
                    "red line": [], "red line café never": ["red line … café"], "red line café never ever": [],
                    "lines": ["=lines"], "line": [], "starling": ["star*"], "mustard": []}


def test_faults_are_said_with_their_line() -> None:
    """An unknown part, an empty term, a category that nobody has, and one that no file may give."""
    _, faults = read_terms({"terms/drugs.txt": "# fine\nweed | if: buy\n | with: x\nweed | with:\nnot: gcse", "terms/drogs.txt": "a",
                            "terms/illegal_csam.txt": "a"}, ["drugs", "illegal_csam"])
    assert [fault.where for fault in faults] == ["terms/drogs.txt", "terms/drugs.txt:2", "terms/drugs.txt:3", "terms/drugs.txt:4",
                                                 "terms/illegal_csam.txt"]
    assert faults[0].try_this == "drugs"


def test_stems() -> None:
    """Forms of one word are one; words that only look alike are not."""
    for group in ("kill kills killed killing", "make makes making made", "cut cuts cutting", "die dies dying died", "nude nudes",
                  "knife knives", "party parties", "bypass bypasses bypassed bypassing", "bus", "weed weeds"):
        assert len({stem(word) for word in group.split()}) == 1, group
    assert len({stem(word) for word in ["kill", "skill", "weed", "wed", "glass", "gas", "sex", "sect", "bomb", "bob"]}) == 10
    assert spellings("p0rnnn") == ["p0rnnn", "pornnn", "p0rn", "porn"] and joined(["a", "p", "o", "r", "n", "b"]) == ["apornb"]


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Whatever somebody types, it is words or none, and the answer does not change when it is asked twice."""
    assert all(word == word.casefold() and " " not in word for word in words(text))
    assert TERMS.found(text) == TERMS.found(text)
