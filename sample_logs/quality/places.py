"""Places and machines that look like somebody's breach: a television, a trip, a library, a browser that opens its tabs again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from .innocent import innocent
from .misuse import YOUNGER
from .names import dice, path
from .school import LESSONS, SIXTH, STUDY, WINDOWS, Seat, moment
from .week import Week, day_of
from .world import Site

TELEVISION = Seat("172.20.63.4", "-", "TV/9 (screen)", closed=True)
LIBRARY = Seat("172.20.60.11", "kiosk5", WINDOWS)
ROUTER = "172.20.62.7"


def add(week: Week) -> None:
    """Every look-alike of every measured day."""
    plan: tuple[tuple[float, Callable[[Week, Random, date], None]], ...] = (
        (1, television), (0.4, trip), (1, library_computer), (2, tabs_again), (0.6, cover_lesson), (1, lone_call))
    for day in week.measured:
        for each, act in plan:
            rng = dice(week.seed, act.__name__, day)
            for _ in range(int(each) + (rng.random() < each % 1)):
                act(week, rng, day)


def television(week: Week, rng: Random, day: date) -> None:
    """A screen in the hall plays from a host that nothing else asks for, all day, and little else."""
    act, at = innocent(week, TELEVISION, "television", "bypass_vpn_tunnel"), moment(day, "08:10", rng.uniform(0, 600))
    host = week.world.sites["plain"][-7].host
    while at < moment(day, "15:30"):
        took = rng.uniform(500, 1500)
        week.hit(TELEVISION, at, f"{host}:443", act, kind="", took=took, size=int(took * 55_000), up=int(took * 90))
        at += took + rng.uniform(1, 40)


def trip(week: Week, rng: Random, day: date) -> None:
    """A dozen pupils and a teacher work from a trip: one router of the school's, so all of them have one address."""
    since, until = moment(day, "09:40"), moment(day, "12:20")
    year = rng.choice(YOUNGER)
    went = [week.free(rng, week.school.pupils(year), day) for _ in range(12)] + [week.free(rng, week.school.staff(), day)]
    sites = week.some(rng, "learning", 4)
    for person in went:
        seat = Seat(ROUTER, person.login, person.seat.agent)
        act = innocent(week, seat, "school trip", "credential_anomaly")
        for _ in range(4):
            week.browse(rng, seat, rng.choice(sites), rng.uniform(since, until - 900), rng.randrange(2, 6), act, pause=50)
        week.silences.append((person.seat.client, since - 600, until + 600))


def library_computer(week: Week, rng: Random, day: date) -> None:
    """Three people after one another at the library's computer in one lesson: research, and a stopped page or two."""
    at = week.lesson(rng, day)
    act = innocent(week, LIBRARY, "library computer", "games")
    for n in range(3):
        clock = week.browse(rng, LIBRARY, week.some(rng, "learning")[0], at + 600 * n, rng.randrange(3, 8), act, pause=40)
        if n:
            site = next(s for s in week.some(rng, "games", 30) if s.known)
            for again in range(rng.choice((1, 2))):
                week.page(rng, LIBRARY, site, clock + 8 * again, act, blocked=True)


def tabs_again(week: Week, rng: Random, day: date) -> None:
    """A browser opens the tabs of lunch again at the start of a lesson, and once more in the night, all in a second or two."""
    at_work = {hit.seat.client for act in week.acts for hit in act.hits if day_of(hit.at) == day}
    who = week.free(rng, [one for one in week.school.pupils(*YOUNGER) if one.seat.client not in at_work], day)
    tabs = [rng.choice(week.world.sites[kind]) for kind in ("games", "social_media", "video_streaming", "shopping", "learning")]
    rng.shuffle(tabs)
    for at in (moment(day, rng.choice(LESSONS)[1], rng.uniform(30, 200)), moment(day, "22:30") + rng.uniform(0, 18_000)):
        clock = at
        for site in tabs:
            act = innocent(week, who.seat, "tabs opened again", site.kind)
            week.page(rng, who.seat, site, clock, act, path=path(rng), blocked=week.stops(site, who, at))
            clock += rng.uniform(0.05, 0.5)
        week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 15, 4)


def cover_lesson(week: Week, rng: Random, day: date) -> None:
    """A class watches what its teacher left for a cover lesson: no member of staff is in the log, and all stay for it."""
    year, at = rng.choice(YOUNGER), week.lesson(rng, day)
    site, clip = rng.choice([s for s in week.world.sites["video_streaming"] if not s.known]
                            or week.world.sites["video_streaming"]), path(rng)
    for person in rng.sample([p for p in week.school.pupils(year) if (p.login, day) not in week.busy], 20):
        act, clock = innocent(week, person.seat, "cover lesson", site.kind), at + rng.uniform(0, 200)
        week.page(rng, person.seat, site, clock, act, path=clip, weight=20)
        for n in range(rng.randrange(14, 34)):
            week.hit(person.seat, clock + 15 + 30 * n, f"https://{site.host}/part/{n}", act, kind="video/mp4", size=1_500_000,
                     referrer=f"https://{site.host}{clip}")


def lone_call(week: Week, rng: Random, day: date) -> None:
    """An interview by video in a study period: a camera sends as it receives, and nothing else is asked for until it is over."""
    who = week.free(rng, week.school.pupils(*SIXTH), day)
    at = moment(day, rng.choice([start for name, start in LESSONS if name in STUDY]), rng.uniform(300, 700))
    act, host = innocent(week, who.seat, "lone video call", "bypass_vpn_tunnel"), week.world.namer.host()
    took = rng.uniform(900, 1500)
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at - 280, 5, pause=40)
    brings = tuple(rng.choice(week.world.sites[kind]).host for kind in ("cdn", "cdn", "tracker", "telemetry"))
    week.page(rng, who.seat, Site(host, "call", brings=brings), at, act)
    week.hit(who.seat, at + 15, f"{host}:443", act, kind="", took=took, size=int(took * 65_000),
             up=int(took * rng.uniform(30_000, 60_000)))
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + took + 30, 8, pause=30)
    week.silences.append((who.seat.client, at + 16, at + took + 16))
