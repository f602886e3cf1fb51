"""A made-up week of a small school: a log a day, some hundred lines each, a handful of incidents; every line differs."""

from __future__ import annotations

import random
from collections.abc import Sequence

from small_school import line

DAY = 86_400
PUPILS = tuple(f"{19 + n % 5}pupil{chr(97 + n)}" for n in range(12))
PLAIN = ("fenmarsh.test", "learnwell.test", "dictionary.test", "codeclub.test", "shop.test", "zz-plain.test", "trackwell.test")
DAYS = 5
QUIET = 11       # the last pupil asks for one sealed address and nothing else

# day, seconds after ten, pupil, site, how often, seconds between, what the filter did
STORIES = (
    (0, 600, 0, "adult-one.test", 4, 40, "TCP_DENIED/403"),
    (0, 4000, 1, "hideaway.test", 12, 25, "TCP_MISS/200"),
    (1, 300, 2, "playpark.test", 40, 35, "TCP_MISS/200"),
    (1, 9000, 0, "adult-two.test", 3, 60, "TCP_DENIED/403"),
    (2, 500, 3, "thinline.test", 6, 50, "TCP_MISS/200"),
    (2, 520, 4, "unblockme.test", 3, 30, "TCP_DENIED/403"),
    (3, 700, 5, "adult-three.test", 5, 40, "TCP_MISS/200"),
    (3, 1900, 5, "hideaway.test", 5, 40, "TCP_MISS/200"),      # the middle of one long story:
    (3, 4900, 5, "adult-three.test", 5, 40, "TCP_MISS/200"),   # without it the first and the last are two
    (4, 1000, 6, "adult-four.test", 4, 40, "TCP_DENIED/403"),
    (4, 20_000, 6, "adult-four.test", 4, 40, "TCP_DENIED/403"),
)


def logs(dice: random.Random, plain: int = 160, stories: Sequence[tuple[int, int, int, str, int, int, str]] = STORIES) -> list[list[str]]:
    """The lines of each day's log, in order of time, no two at one time."""
    made: list[list[tuple[float, str]]] = [[] for _ in range(DAYS)]

    def add(day: int, second: float, pupil: int, site: str, verdict: str) -> None:
        at = day * DAY + second + dice.random()
        made[day].append((at, line(at, f"http://{site}/{len(made[day])}", PUPILS[pupil], f"10.20.0.{20 + pupil}", verdict)))
    for day in range(DAYS):
        for _ in range(plain):
            add(day, dice.randrange(-3000, 24_000), dice.randrange(QUIET), dice.choice(PLAIN), "TCP_MISS/200")
    for day, second, pupil, site, times, apart, verdict in stories:
        for n in range(times):
            add(day, second + n * apart, pupil, site, verdict)
    add(2, 12_000, QUIET, "zz-week.invalid", "TCP_DENIED/451")
    for day in range(DAYS):
        made[day].append((made[day][-1][0], f"torn line {day}\n"))
    return [[text for _, text in sorted(lines)] for lines in made]
