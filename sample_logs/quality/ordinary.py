"""What everybody does all day: lessons with set sites, pauses, and devices that talk to themselves day and night."""

from __future__ import annotations

from datetime import date
from random import Random

from .names import STEMS, dice
from .school import LESSONS, Person, Seat, band_of, moment
from .week import Week
from .world import MAIL, PORTAL, Site

TOPICS = ("photosynthesis", "quadratic formula", "macbeth act 2 summary", "treaty of versailles", "electrolysis gcse",
          "volcano diagram",
          "french past tense", "ww2 evacuation", "pythagoras theorem", "python for loop", "an inspector calls quotes",
          "river erosion",
          "bus times", "football scores", "weather tomorrow", "capital of peru", "how to draw hands", "periodic table",
          "translate bonjour", "simple harmonic motion", "tectonic plates", "who was boudica", "osmosis practical")
# What pupils do in pauses, as the policy lets them, and how often.
PAUSE_KINDS = ("news", "plain", "plain", "plain", "social_media", "video_streaming", "games", "learning")
ASKS = 0.25      # share of pupils whose class works online in a lesson
LAPSE = 0.03     # pupils a day who try a leisure site in a lesson, once, and stop


def add(week: Week) -> None:
    """All ordinary traffic of all days."""
    for day in week.days:
        lessons(week, day)
        pauses(week, day)
        staff(week, day)
        devices(week, day)


def lessons(week: Week, day: date) -> None:
    """Each class has set sites for the lesson; some pupils look something up besides."""
    for number, (_, start) in enumerate(LESSONS):
        for year in range(7, 14):
            rng = dice(week.seed, "lesson", day, number, year)
            classes = [week.some(rng, "learning", 3) for _ in range(2)]
            for n, pupil in enumerate(week.school.pupils(year)):
                at = moment(day, start, rng.uniform(60, 300))
                if band_of(at, year) == "study" or rng.random() < ASKS:
                    _work(week, rng, pupil.seat, classes[n % 2], at)


def _work(week: Week, rng: Random, seat: Seat, sites: list[Site], at: float) -> None:
    end = at + rng.uniform(400, 1900)
    while at < end:
        dice_ = rng.random()
        if dice_ < 0.2:
            link = week.search(rng, seat, at, rng.choice(TOPICS))
            at = week.browse(rng, seat, plain(week, rng), at + rng.uniform(4, 20), rng.randrange(1, 3), referrer=link)
        elif dice_ < 0.3:
            for n in range(2):
                week.hit(seat, at + n, f"https://{rng.choice((PORTAL, MAIL))}/{rng.choice(STEMS)}", size=12_000)
            at += rng.uniform(20, 60)
        else:
            at = week.browse(rng, seat, rng.choice(sites), at, rng.randrange(1, 4), pause=70)
        at += rng.uniform(20, 240)


def plain(week: Week, rng: Random) -> Site:
    """A site that no list speaks of: a few take most visits, most are seen by one or two people ever."""
    sites = week.world.sites["plain"]
    return sites[int(len(sites) * rng.random() ** 3)]


def pauses(week: Week, day: date) -> None:
    """Before school, at break, at lunch and after: what the policy allows then."""
    for band, share, last in (("before_school", 0.15, "08:27"), ("break", 0.25, "10:42"), ("lunch", 0.4, "13:07"),
                              ("after_school", 0.12, "16:00")):
        rng, until = dice(week.seed, "pause", day, band), moment(day, last)
        for pupil in week.school.pupils():
            if rng.random() > share:
                continue
            seat = pupil.phone if pupil.phone and rng.random() < 0.6 else pupil.seat
            at = week.pause(rng, day, band)
            for _ in range(rng.randrange(1, 3)):
                kind = rng.choice(PAUSE_KINDS)
                site = plain(week, rng) if kind == "plain" else rng.choice(week.world.sites[kind])
                at = week.browse(rng, seat, site, at, rng.randrange(1, 5), pause=30, until=until) + 5


def staff(week: Week, day: date) -> None:
    """Staff prepare lessons, read the news, and shop at lunch."""
    rng = dice(week.seed, "staff", day)
    for person in week.school.staff() + week.school.staff("technical_staff"):
        for clock in ("08:05", "09:50", "11:40", "13:20", "15:10"):
            if rng.random() < 0.5:
                site = plain(week, rng) if rng.random() < 0.4 else rng.choice(week.world.sites["learning"])
                week.browse(rng, person.seat, site, moment(day, clock, rng.uniform(0, 900)), rng.randrange(1, 6))
        if rng.random() < 0.3:
            week.browse(rng, person.seat, rng.choice(week.world.sites["news"]), moment(day, "12:35", rng.uniform(0, 600)), 3)


def devices(week: Week, day: date) -> None:
    """Updates, telemetry and certificate checks of every device, busiest in the night."""
    rng = dice(week.seed, "devices", day)
    seats = [seat for person in week.school.people for seat in (person.seat, person.phone) if seat]
    for seat in seats:
        for _ in range(rng.randrange(8, 22)):
            at = moment(day, "04:02") + rng.random() * 86_000
            side = rng.choice(week.world.sites["telemetry"])
            week.hit(seat, at, f"https://{side.host}/v1/{rng.choice(STEMS)}", kind="application/json",
                     size=rng.randrange(300, 4000),
                     agent="device-agent/4.2")
        if rng.random() < 0.3:
            at = moment(day, "23:30") + rng.random() * 14_000
            for n in range(rng.randrange(3, 9)):
                week.hit(seat, at + n * 20, f"http://{week.world.sites['telemetry'][0].host}/pack/{rng.randrange(999)}.bin",
                         kind="application/octet-stream", size=rng.randrange(200_000, 9_000_000), agent="device-agent/4.2")


def lapses(week: Week, people: list[Person]) -> None:
    """A pupil tries a leisure site in a lesson, once, and stops: a matter of taste, so grey."""
    for day in week.measured:
        rng = dice(week.seed, "lapse", day)
        for pupil in people:
            if rng.random() < LAPSE and (pupil.login, day) not in week.busy:
                week.busy.add((pupil.login, day))
                at, kind = week.lesson(rng, day, pupil), rng.choice(("games", "social_media", "video_streaming", "messaging"))
                site = rng.choice(week.world.sites[kind])
                act = week.act(pupil.seat, "one look in a lesson", "grey", kind)
                blocked = site.known and rng.random() < 0.7
                week.page(rng, pupil.seat, site, at, act, blocked=blocked)
