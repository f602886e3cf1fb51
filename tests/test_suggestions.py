"""What a mistyped word was probably meant to be: one answer, however the known words are held."""

from __future__ import annotations

from pipeline.suggestions import nearest, nearest_or_all, offer

KNOWN = ["gambling", "games", "gaming_news"]


def test_the_most_like_word_is_named() -> None:
    """Whatever the order or kind of the collection."""
    assert nearest("gamse", KNOWN) == nearest("gamse", set(KNOWN)) == nearest("gamse", dict.fromkeys(reversed(KNOWN))) == "games"


def test_a_word_like_none_is_answered_with_nothing_or_with_what_there_is() -> None:
    """All are named in order where they are few; `offer` names them as they come."""
    assert nearest("zzz", KNOWN) == ""
    assert nearest_or_all("zzz", KNOWN[::-1]) == "gambling, games, gaming_news"
    assert nearest_or_all("zzz", KNOWN, few=3) == ""
    assert offer("zzz", KNOWN[::-1]) == "one of gaming_news, games, gambling"
