"""Some school weeks in the making: everybody's hits, and the acts that are labelled."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from random import Random

from . import names
from .logs import Act, Hit
from .school import LESSONS, LONDON, PAUSES, Person, School, Seat, band_of, moment
from .school import days as school_days
from .world import BLOCKED, FROM_STAFF, LESSON_ONLY, SEARCH, Site, World

PARTS = (("text/css", "css", 6000), ("application/javascript", "js", 30000), ("image/webp", "webp", 24000),
         ("image/png", "png", 9000),
         ("application/json", "json", 1500), ("font/woff2", "woff2", 18000))


@dataclass
class Week:
    """The weeks of one seed and difficulty: hits of everybody, acts with labels, and who is free to act on which day."""

    seed: int
    difficulty: str
    weeks: int
    school: School
    world: World
    hits: list[Hit] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    busy: set[tuple[str, date]] = field(default_factory=set)
    failures: dict[str, date] = field(default_factory=dict)    # sites it knows that the filter lets through for a day
    slow: list[tuple[float, float]] = field(default_factory=list)             # spans in which everybody's line is slow
    silences: list[tuple[str, float, float]] = field(default_factory=list)    # devices inside a tunnel, or shut
    windows: list[tuple[str, float, float]] = field(default_factory=list)     # registered checks: whose account, since and until

    @property
    def days(self) -> list[date]:
        """Every school day, lead-in too."""
        return school_days(self.weeks)

    @property
    def measured(self) -> list[date]:
        """The days on which something is planted."""
        return self.days[-5 * self.weeks:]

    def act(self, who: Seat, kind: str, truth: str, category: str, **more: object) -> Act:
        """Begin an act of this person or device."""
        self.acts.append(Act(len(self.acts), who.who, kind, truth, category, **more))  # type: ignore[arg-type]
        return self.acts[-1]

    def free(self, rng: Random, people: Sequence[Person], day: date) -> Person:
        """Somebody of these who does nothing else of note on that day."""
        left = [person for person in people if (person.login, day) not in self.busy]
        chosen = rng.choice(left)
        self.busy.add((chosen.login, day))
        return chosen

    def hit(self, seat: Seat, at: float, url: str, act: Act | None = None, **more: object) -> float:
        """One hit; it belongs to `act` where one is given. Gives the moment it was over."""
        made = Hit(at, seat, url, act=act.number if act else -1, **more)  # type: ignore[arg-type]
        self.hits.append(made)
        if act:
            act.hits.append(made)
        return made.at + made.took

    def stops(self, site: Site, person: Person, at: float) -> bool:
        """Whether the filter blocks this site for this person then."""
        if self.failures.get(site.base) == day_of(at):
            return False
        if person.role != "student":
            return site.known and site.kind in FROM_STAFF
        in_lesson = band_of(at, person.year) in ("lesson", "registration")
        return site.known and site.kind in BLOCKED and (in_lesson or site.kind not in LESSON_ONLY)

    def page(self, rng: Random, seat: Seat, site: Site, at: float, act: Act | None = None, *, path: str = "", referrer: str = "",
             blocked: bool = False, weight: float = 1.0) -> float:
        """A page of a site with all it brings along, or the block page. Gives the moment the person has it."""
        url = f"https://{site.host}{path or names.path(rng)}"
        self.hit(seat, at, url, act, blocked=blocked, referrer=referrer, size=int(rng.uniform(4_000, 90_000) * weight),
                 took=0.003 if blocked else rng.uniform(0.05, 0.6))
        if blocked:
            return at + 0.1
        for _ in range(rng.randrange(1, 5)):
            kind, end, size = rng.choice(PARTS)
            host = rng.choice((site.host, *site.own))
            self.hit(seat, at + rng.uniform(0.1, 2.2),
                     f"https://{host}/{rng.choice(('a', 's', 'assets'))}/{rng.choice(names.STEMS)}.{end}",
                     act, kind=kind, size=int(size * rng.uniform(0.3, 2) * weight), referrer=url, took=rng.uniform(0.02, 0.3))
        self.bring(rng, seat, site, at, url)
        return at + 2

    def bring(self, rng: Random, seat: Seat, site: Site, at: float, url: str) -> None:
        """The adverts, trackers and scripts of other hosts that a page brings along: nobody asked for them."""
        for host in site.brings:
            for _ in range(rng.choice((1, 1, 1, 2))):
                kind, end, size = rng.choice(PARTS)
                told = f"{beacon(host)}{urllib.parse.quote(url, '')}&r={rng.randrange(10**6)}"
                tail = rng.choice((f"/{rng.choice(names.STEMS)}.{end}", told))
                self.hit(seat, at + rng.uniform(0.2, 2.6), f"https://{host}{tail}", kind=kind, referrer=url,
                         size=int(size * rng.uniform(0.1, 1)), took=rng.uniform(0.02, 0.3))

    def browse(self, rng: Random, seat: Seat, site: Site, at: float, pages: int, act: Act | None = None, *, pause: float = 40,
               blocked: bool = False, referrer: str = "", weight: float = 1.0, until: float = float("inf")) -> float:
        """Some pages of one site, one after another; none begins after `until`."""
        for _ in range(pages):
            if at > until:
                break
            self.page(rng, seat, site, at, act, referrer=referrer, blocked=blocked, weight=weight)
            referrer = f"https://{site.host}/"
            at += max(3.0, rng.expovariate(1 / pause))
        return at

    def search(self, rng: Random, seat: Seat, at: float, words: str, act: Act | None = None) -> str:
        """A search on a search engine. Gives its address, the referrer of what is opened from it."""
        engine = rng.choice(SEARCH)
        url = f"https://{engine}/search?q={urllib.parse.quote_plus(words)}"
        self.hit(seat, at, url, act, size=90_000, took=0.4)
        for n in range(2):
            self.hit(seat, at + 0.3 + n * 0.2, f"https://{engine}/xjs/{rng.choice(names.STEMS)}.js",
                     kind="application/javascript",
                     referrer=url, size=30_000)
        return url

    def lesson(self, rng: Random, day: date, person: Person | None = None) -> float:
        """A moment early in a lesson of the day; for a sixth former one that is no study period."""
        while True:
            at = moment(day, rng.choice(LESSONS)[1], rng.uniform(240, 1200))
            if person is None or band_of(at, person.year) == "lesson":
                return at

    def pause(self, rng: Random, day: date, which: str = "") -> float:
        """A moment in a pause of the day."""
        starts = [start for band, start in PAUSES if band == which or (not which and band in ("break", "lunch"))]
        return moment(day, rng.choice(starts), rng.uniform(20, 500))

    def some(self, rng: Random, kind: str, count: int = 1) -> list[Site]:
        """Some sites of a kind."""
        return rng.sample(self.world.sites[kind], min(count, len(self.world.sites[kind])))

    def hush(self) -> None:
        """Beside its tunnel, or shut, a device asks for nothing that is no act; in a slow span everything takes its time."""
        by_client: dict[str, list[tuple[float, float]]] = {}
        for client, since, until in self.silences:
            by_client.setdefault(client, []).append((since, until))
        self.hits = [self._slowed(hit) for hit in self.hits if hit.act >= 0
                     or not any(since < hit.at < until for since, until in by_client.get(hit.seat.client, ()))]

    def _slowed(self, hit: Hit) -> Hit:
        if hit.act < 0 and any(since < hit.at < until for since, until in self.slow):
            return hit._replace(took=hit.took * 8 + 1)
        return hit

    def by_day(self) -> Iterator[tuple[date, list[Hit]]]:
        """The hits of each day on which there are any, cut where the log is rotated: at 04:00."""
        days: dict[date, list[Hit]] = {}
        for hit in self.hits:
            days.setdefault(day_of(hit.at), []).append(hit)
        yield from sorted(days.items())


@cache
def beacon(host: str) -> str:
    """How a tracker is told the page that it stands on: a script and a parameter of its own, then the page's address."""
    rng = names.dice("beacon", host)
    script = rng.choice(("p", "b", "collect", "pixel", "i", "track", "g/collect"))
    return f"/{script}?{rng.choice(('u', 'url', 'dl', 'ref', 'page'))}="


def day_of(at: float) -> date:
    """The school day of a moment: a local day cut at 04:00."""
    return datetime.fromtimestamp(at - 4 * 3600, LONDON).date()
