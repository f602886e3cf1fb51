"""The corpus of ways round the filter: the same for one seed, hosts swapped, and judged by the real command."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "sample_logs"))
import bypass_corpus as corpus


def test_one_seed_makes_one_corpus() -> None:
    """The same seed gives the same addresses, another gives others."""
    assert corpus.corpus(5, 3)[0] == corpus.corpus(5, 3)[0] != corpus.corpus(6, 3)[0]


def test_good_and_bad_draw_their_hosts_from_one_bag() -> None:
    """No ending, place or address of a host leans to one side, so none can give an address away."""
    made, _ = corpus.corpus(1, 40)
    plain = [one for one in made if one.kind not in {*corpus.BAD_HOSTS, *corpus.GOOD_HOSTS}]
    ends = {bad: Counter(one.url.split("/")[2].rsplit(".", 1)[-1].rstrip("0123456789") for one in plain if one.bad == bad) for bad in (True, False)}
    for end in ends[True] | ends[False]:
        assert abs(ends[True][end] / ends[True].total() - ends[False][end] / ends[False].total()) < 0.06


def test_less_than_half_of_the_bad_hold_a_name_of_a_tool() -> None:
    """The measure is of structure and decoding, not of names that a rule could quote."""
    made, _ = corpus.corpus(1, 20)
    bad = [one for one in made if one.bad]
    words = ("/uv.", "scramjet", "networking.", "dynamic.", "baremux", "epoxy", "libcurl", "rammerhead.js", "titaniumnetwork", "mercuryworkshop",
             "_astro", "unblock", "wisp", "ws-meta", "v3/?cache", "nph-proxy", "__cp", "miniProxy", "_proxurl", "process.php", "psiphon",
             "client_cgi", "crx", "dns-query", "classroom6x", "encrypt_key", "translate.goog")
    assert sum(any(word in one.url for word in words) for one in bad) < 0.5 * len(bad)


def test_the_real_night_tells_ways_round_from_look_alikes(tmp_path: Path) -> None:
    """A small corpus through `nightly` and `export`: nearly all found, none of the look-alikes named; and a corpus whose
    labels are turned round scores nothing, so the measure can fail."""
    made, maker = corpus.corpus(11, 3)
    folder = tmp_path / "school"
    folder.mkdir()
    found = {n for n, category in corpus.raised(folder, corpus.school(folder, made, maker)).items() if category.startswith("bypass_")}
    bad = {n for n, one in enumerate(made) if one.bad}
    assert len(found & bad) >= 0.9 * len(bad) and found <= bad
    turned = [corpus.Made(one.kind, not one.bad, one.url) for one in made]
    assert "| Schoolgate | 0.0% |" in corpus.table(turned, found, {})


@pytest.mark.parametrize("name", ["the lists alone", "keywords"])
def test_the_comparators_find_what_they_name(name: str) -> None:
    """They are real: each finds an address made for it."""
    made = [corpus.Made("x", True, "https://a.croxyproxy.com/"), corpus.Made("x", True, "https://a.example/my-proxy"), corpus.Made("x", False, "https://a.example/")]
    assert corpus.comparators(made)[name] == {"the lists alone": {0}, "keywords": {0, 1}}[name]
