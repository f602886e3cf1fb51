"""People's own phones: what is done on them, and what their apps do by themselves. Both leave host names alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from .innocent import innocent
from .logs import Act
from .misuse import hunt, when
from .names import dice
from .school import SIXTH, Person, Seat, moment
from .week import Week
from .world import Site

APPS = ("messaging", "social_media", "games", "gambling", "stranger_chat_dating", "ai_companion", "shopping", "video_streaming")
FORE = ("push", "api", "edge", "sync", "notify", "gw")


def add(week: Week) -> None:
    """Every act of every measured day."""
    plan: tuple[tuple[float, Callable[[Week, Random, date], None]], ...] = (
        (1.6, looked_up), (0.8, chat), (1.2, leisure), (1, seldom), (1, several_apps), (1, refresh))
    for day in week.measured:
        for each, act in plan:
            rng = dice(week.seed, act.__name__, day)
            for _ in range(int(each) + (rng.random() < each % 1)):
                act(week, rng, day)


def _owner(week: Week, rng: Random, day: date, signed: bool | None = None) -> tuple[Person, Seat]:
    """A sixth former with a phone, and that phone; `signed`: with a login on the Wi-Fi, or without."""
    people = [p for p in week.school.pupils(*SIXTH) if p.phone and signed in (None, p.phone.user != "-")]
    who = week.free(rng, people, day)
    return who, who.phone or who.seat


def _at(who: Person, phone: Seat) -> Person:
    return Person(who.login, who.name, who.role, who.year, phone)


def looked_up(week: Week, rng: Random, day: date) -> None:
    """Betting or adult sites on a phone, one after the other; what is stopped is tried again."""
    who, phone = _owner(week, rng, day)
    kind = rng.choice(("gambling", "pornography"))
    route = "attribution" if phone.user == "-" else "student"
    act = week.act(phone, f"on a phone: {kind}", "true", kind, intent="deliberate", route=route)
    hunt(week, rng, _at(who, phone), when(week, rng, day, who), act, week.some(rng, kind, 3), words=False, tries=3)


def chat(week: Week, rng: Random, day: date) -> None:
    """A chat with strangers on a phone: pages for some minutes, or try after try where it is stopped."""
    who, phone = _owner(week, rng, day)
    at, site = when(week, rng, day, who), week.some(rng, "stranger_chat_dating")[0]
    act = week.act(phone, "on a phone: chat with strangers", "true", site.kind, route="welfare")
    stopped = week.stops(site, who, at)
    week.browse(rng, phone, site, at, rng.randrange(3, 6) if stopped else rng.randrange(6, 14), act, pause=9 if stopped else 40,
                blocked=stopped)


def leisure(week: Week, rng: Random, day: date) -> None:
    """Social media or messages on a phone for a good part of a lesson, by somebody whose login the Wi-Fi knows."""
    who, phone = _owner(week, rng, day, signed=True)
    kind = rng.choice(("social_media", "messaging"))
    at = week.lesson(rng, day, who)
    act = week.act(phone, f"on a phone in a lesson: {kind}", "true", kind, intent="deliberate", rows=("IN-02",), route="student")
    week.browse(rng, phone, week.some(rng, kind)[0], at, rng.randrange(16, 30), act, pause=45, until=at + 1500)


def _calls(week: Week, rng: Random, day: date, phone: Seat, site: Site, act: Act, count: int, size: tuple[int, int]) -> None:
    """Calls at any hour of day and night, to the app's own host."""
    blocked = site.known and rng.random() < 0.8
    host = f"{dice(week.seed, 'app', site.base).choice(FORE)}.{site.base}"
    for _ in range(count):
        week.hit(phone, moment(day, "04:05") + rng.random() * 85_000, f"https://{host}/v2/poll", act, kind="application/json",
                 size=rng.randrange(*size), up=500, took=rng.uniform(0.05, 0.4), blocked=blocked)


def _phones(week: Week, rng: Random, count: int) -> list[Seat]:
    """Some phones of anybody, most of them without a login."""
    phones = [person.phone for person in week.school.people if person.phone]
    return rng.sample([phone for phone in phones if phone.user == "-" or rng.random() < 0.4], count)


def seldom(week: Week, rng: Random, day: date) -> None:
    """Apps that call two to a dozen times a day; some of them are on no other phone of the school."""
    for phone in _phones(week, rng, 16):
        for kind in rng.sample(APPS, 2):
            site = rng.choice(week.world.sites[kind])
            _calls(week, rng, day, phone, site, innocent(week, phone, "app chatter", kind), rng.randrange(2, 12), (200, 9000))


def several_apps(week: Week, rng: Random, day: date) -> None:
    """Phones with three or four chatty apps of one kind."""
    for phone in _phones(week, rng, 8):
        kind = rng.choice(("gambling", "games", "social_media", "stranger_chat_dating"))
        act = innocent(week, phone, "app chatter", kind)
        for site in week.some(rng, kind, rng.choice((3, 4))):
            _calls(week, rng, day, phone, site, act, rng.randrange(6, 50), (200, 2500))


def refresh(week: Week, rng: Random, day: date) -> None:
    """An app that many have fetches news and pictures by itself, day and night, for its owner to find."""
    kind = rng.choice(("gambling", "social_media", "stranger_chat_dating", "shopping"))
    site = week.some(rng, kind)[0]
    for phone in _phones(week, rng, 7):
        act = innocent(week, phone, "app chatter", kind)
        _calls(week, rng, day, phone, site, act, rng.randrange(7, 20), (15_000, 140_000))
