"""What people do that the policy speaks of, other than getting round the filter: each act labelled by what was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from .logs import Act
from .names import dice
from .school import GUEST, SHARED, WINDOWS, Person, moment
from .week import Week
from .world import Site

WELFARE = ("self_harm_suicide", "eating_disorder", "extremism_interest", "stranger_chat_dating", "ai_companion", "ai_nudify",
           "drugs", "weapons")
YOUNGER = (7, 8, 9, 10, 11)
# What is typed before sites of a kind are opened; each is a hunt, reworded when it is stopped.
HUNTS = {
    "pornography": ("naked women", "nude women videos", "porn", "free porn videos", "hot nude pics", "xxx video",
                    "sex videos free"),
    "gambling": ("bet on football online", "online casino no id", "free spins casino", "roulette real money",
                 "betting tips acca"),
    "hate_discrimination": ("why immigrants should be expelled forum", "racist jokes", "white power songs"),
    "violence_gore": ("real gore videos", "execution video uncut", "people dying on camera", "beheading video"),
    "self_harm_suicide": ("how to kill myself", "painless ways to die", "how many paracetamol to die", "how to cut yourself deep",
                          "i want to kill myself", "suicide methods"),
    "eating_disorder": ("thinspo", "how to make yourself sick after eating", "pro ana tips",
                        "how to hide not eating from parents"),
    "extremism_interest": ("how to join isis", "attack manifesto download"),
    "drugs": ("buy weed online uk", "buy ketamine snapchat", "how to make lsd"),
    "weapons": ("buy zombie knife uk next day", "how to make a pipe bomb", "buy bb gun no id", "where to buy a gun uk"),
    "stranger_chat_dating": ("talk to strangers video chat", "omegle alternative"),
    "ai_nudify": ("ai undress app free", "ai remove clothes from photo"),
    "ai_companion": ("ai girlfriend free",),
}


def add(week: Week) -> None:
    """Every act of every day. How many of each a day is set so that a week of 300 pupils holds a few of every kind."""
    plan: tuple[tuple[float, Callable[[Week, Random, date], None]], ...] = (
        (1.2, porn_hunt), (0.8, porn_accident), (0.6, gambling_in_lesson), (0.4, gambling_at_lunch), (1.2, social_in_lesson),
        (1.6, games_in_lesson), (0.8, video_in_lesson), (0.8, messaging_in_lesson), (0.6, shopping_in_lesson),
        (0.6, file_transfer), (0.8, peer_to_peer), (0.8, pirate_stream), (0.8, hate), (0.8, gore), (0.8, welfare_search),
        (5, welfare_sites), (1, beacon), (0.8, two_rooms), (0.4, staff_account), (0.6, staff_misuse), (0.4, shared_account),
        (0.4, guest), (0.3, hog))
    for number in range(week.weeks):
        let_through(week, dice(week.seed, "let through", number), week.measured[5 * number + 2])
    for day in week.measured:
        for each, act in plan:
            rng = dice(week.seed, act.__name__, day)
            for _ in range(int(each) + (rng.random() < each % 1)):
                act(week, rng, day)


def hunt(week: Week, rng: Random, person: Person, at: float, act: Act, sites: list[Site], *, words: bool = True,
         tries: int = 2) -> float:
    """Searches, each reworded, and the sites found opened; a blocked one is tried again before the next."""
    for site in sites:
        link = ""
        if words and (rng.random() < 0.8 or site is sites[0]):
            link = week.search(rng, person.seat, at, rng.choice(HUNTS[act.category]), act if act.addresses else None)
            at += rng.uniform(3, 14)
        blocked = week.stops(site, person, at)
        for _ in range(rng.randrange(1, tries + 1) if blocked else rng.randrange(2, 5)):
            week.page(rng, person.seat, site, at, act, blocked=blocked, referrer=link)
            at += rng.uniform(4, 18) if blocked else rng.uniform(15, 70)
    return at


def when(week: Week, rng: Random, day: date, person: Person) -> float:
    """In a lesson mostly, else in a pause."""
    return week.lesson(rng, day, person) if rng.random() < 0.7 else week.pause(rng, day)


def porn_hunt(week: Week, rng: Random, day: date) -> None:
    """Searches reworded, several adult sites, retries after the block page."""
    who = week.free(rng, week.school.pupils(8, 9, 10, 11), day)
    act = week.act(who.seat, "hunt for pornography", "true", "pornography", intent="deliberate", rows=("IN-14",), route="student")
    hunt(week, rng, who, when(week, rng, day, who), act, week.some(rng, "pornography", rng.randrange(3, 6)), tries=3)


def let_through(week: Week, rng: Random, day: date) -> None:
    """For one day the filter lets through an adult site that it knows and the school lists; three pupils find out."""
    site = next(site for site in week.some(rng, "pornography", 99) if site.known and site.listed)
    week.failures[site.base] = day
    for _ in range(3):
        who = week.free(rng, week.school.pupils(8, 9, 10, 11), day)
        act = week.act(who.seat, "adult site let through", "true", "pornography", intent="deliberate", rows=("IN-14",),
                       route="student")
        hunt(week, rng, who, when(week, rng, day, who), act, [site, *week.some(rng, "pornography", 2)], tries=2)


def porn_accident(week: Week, rng: Random, day: date) -> None:
    """One page reached by a link of a permitted page; back at work within seconds."""
    who = week.free(rng, week.school.pupils(7, 8, 9, 10), day)
    at = week.lesson(rng, day, who)
    act = week.act(who.seat, "one adult page by accident", "true", "pornography", intent="accidental", rows=("IN-13",),
                   route="student")
    link = week.search(rng, who.seat, at, rng.choice(("fenland beauty spots", "teen drama scripts", "free film posters",
                                                      "hot springs")))
    site = week.some(rng, "pornography")[0]
    week.page(rng, who.seat, site, at + 6, act, blocked=week.stops(site, who, at), referrer=link)
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 11, 4)


def gambling_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Betting pages for some minutes of a lesson."""
    who = week.free(rng, week.school.pupils(9, 10, 11, 12, 13), day)
    act = week.act(who.seat, "gambling in a lesson", "true", "gambling", intent="deliberate", rows=("IN-02",), route="student")
    hunt(week, rng, who, week.lesson(rng, day, who), act, week.some(rng, "gambling", 3), tries=3)


def gambling_at_lunch(week: Week, rng: Random, day: date) -> None:
    """The same at lunch: the policy forbids it, and no row of 7.2 speaks of it."""
    who = week.free(rng, week.school.pupils(10, 11), day)
    act = week.act(who.seat, "gambling at lunch", "true", "gambling", intent="deliberate", route="student")
    hunt(week, rng, who, week.pause(rng, day, "lunch"), act, week.some(rng, "gambling", 3), tries=3)


def leisure(week: Week, rng: Random, day: date, kind: str, label: str, *, stay: tuple[int, int], sites: int = 1,
            weight: float = 1.0) -> None:
    """A long stay on leisure sites in a lesson; where the filter stops it, tries all over the lesson."""
    who = week.free(rng, week.school.pupils(), day)
    at = week.lesson(rng, day, who)
    act = week.act(who.seat, label, "true", kind, intent="deliberate", rows=("IN-02",), route="student")
    for site in week.some(rng, kind, sites):
        if week.stops(site, who, at):
            for _ in range(rng.randrange(5, 10)):
                week.page(rng, who.seat, site, at, act, blocked=True)
                at += rng.uniform(20, 140)
        else:
            at = week.browse(rng, who.seat, site, at, rng.randrange(*stay), act, pause=45, weight=weight, until=at + 1500)


def social_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Social media for a good part of a lesson."""
    leisure(week, rng, day, "social_media", "social media in a lesson", stay=(14, 30))


def games_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Games in a lesson, let through or tried again and again."""
    leisure(week, rng, day, "games", "games in a lesson", stay=(12, 26), sites=rng.choice((1, 2, 3)))


def video_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Video for a good part of a lesson, alone, from no link of a teacher's."""
    leisure(week, rng, day, "video_streaming", "video in a lesson", stay=(14, 26), weight=30)


def messaging_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Messaging over a lesson."""
    leisure(week, rng, day, "messaging", "messaging in a lesson", stay=(14, 30), weight=0.2)


def shopping_in_lesson(week: Week, rng: Random, day: date) -> None:
    """Shopping in a lesson, by somebody who is not nominated for it."""
    leisure(week, rng, day, "shopping", "shopping in a lesson", stay=(10, 20))


def file_transfer(week: Week, rng: Random, day: date) -> None:
    """Large files up to and down from a sharing site in a lesson."""
    who = week.free(rng, week.school.pupils(9, 10, 11), day)
    at, site = week.lesson(rng, day, who), week.some(rng, "file_sharing")[0]
    act = week.act(who.seat, "files up and down", "true", "file_sharing", intent="deliberate", rows=("IN-04",), route="student")
    week.page(rng, who.seat, site, at, act)
    for n in range(rng.randrange(4, 9)):
        down = rng.random() < 0.5
        week.hit(who.seat, at + 30 + 50 * n, f"https://{site.host}/{'get' if down else 'put'}/{rng.randrange(9**8)}.zip", act,
                 kind="application/zip" if down else "application/json", took=rng.uniform(3, 20),
                 referrer=f"https://{site.host}/",
                 size=rng.randrange(8_000_000, 160_000_000) if down else 900,
                 up=1_000 if down else rng.randrange(8_000_000, 90_000_000))


def peer_to_peer(week: Week, rng: Random, day: date) -> None:
    """An index of torrents searched, and a tracker asked again and again."""
    who = week.free(rng, week.school.pupils(9, 10, 11, 12), day)
    at, sites = when(week, rng, day, who), week.some(rng, "copyright_p2p", 3)
    act = week.act(who.seat, "torrents", "true", "copyright_p2p", intent="deliberate", rows=("IN-15",), route="student")
    for site in sites[:2]:
        blocked = week.stops(site, who, at)
        for _ in range(rng.randrange(2, 4)):
            week.page(rng, who.seat, site, at, act, blocked=blocked)
            at += rng.uniform(10, 50)
    for n in range(rng.randrange(6, 14)):
        week.hit(who.seat, at + 60 * n,
                 f"http://{sites[-1].host}/announce?info_hash=%{rng.randrange(10, 99)}{rng.randrange(9**9)}&left={n}",
                 act, kind="text/plain", size=300, blocked=week.stops(sites[-1], who, at), agent="torrent-client/2.1")


def pirate_stream(week: Week, rng: Random, day: date) -> None:
    """A film or a match without a licence, in a lesson."""
    who = week.free(rng, week.school.pupils(9, 10, 11, 12, 13), day)
    at = week.lesson(rng, day, who)
    act = week.act(who.seat, "unlicensed stream in a lesson", "true", "copyright_streaming", intent="deliberate", rows=("IN-02",),
                   route="student")
    for site in week.some(rng, "copyright_streaming", rng.choice((2, 3))):
        blocked = week.stops(site, who, at)
        at = week.browse(rng, who.seat, site, at, 3 if blocked else 12, act, pause=40, blocked=blocked, weight=30, until=at + 900)


def hate(week: Week, rng: Random, day: date) -> None:
    """Sites that promote hatred, one after another."""
    who = week.free(rng, week.school.pupils(9, 10, 11), day)
    act = week.act(who.seat, "hate sites", "true", "hate_discrimination", intent="deliberate", rows=("IN-14",), route="student")
    hunt(week, rng, who, when(week, rng, day, who), act, week.some(rng, "hate_discrimination", 3), tries=3)


def gore(week: Week, rng: Random, day: date) -> None:
    """Sites that show violence, one after another."""
    who = week.free(rng, week.school.pupils(8, 9, 10, 11), day)
    act = week.act(who.seat, "gore sites", "true", "violence_gore", intent="deliberate", rows=("IN-14",), route="student")
    hunt(week, rng, who, when(week, rng, day, who), act, week.some(rng, "violence_gore", 3), tries=3)


def welfare_search(week: Week, rng: Random, day: date) -> None:
    """Searches of a child in trouble, several, and no site of a list: seen in addresses only. For the DSL, with no sanction."""
    who, kind = week.free(rng, week.school.pupils(*YOUNGER), day), rng.choice(("self_harm_suicide", "self_harm_suicide",
                                                                               "eating_disorder"))
    act = week.act(who.seat, "searches of a child in trouble", "true", kind, route="welfare", addresses=True)
    at = when(week, rng, day, who)
    for words in rng.sample(HUNTS[kind], 3):
        link = week.search(rng, who.seat, at, words, act)
        week.page(rng, who.seat, week.some(rng, "plain")[0], at + 9, referrer=link)
        at += rng.uniform(25, 120)


def welfare_sites(week: Week, rng: Random, day: date) -> None:
    """Several pages of sites of a welfare category."""
    who, kind = week.free(rng, week.school.pupils(*YOUNGER), day), WELFARE[
        sum(act.kind.startswith("welfare:") for act in week.acts) % len(WELFARE)]
    act = week.act(who.seat, f"welfare: {kind}", "true", kind, route="welfare")
    hunt(week, rng, who, when(week, rng, day, who), act, week.some(rng, kind, rng.choice((2, 3))), tries=3)


def beacon(week: Week, rng: Random, day: date) -> None:
    """An infected device calls a control host every few minutes, the same few bytes, whoever is at it: for technicians."""
    who, site = week.free(rng, week.school.pupils(*YOUNGER), day), week.some(rng, "malware_c2_phishing")[0]
    at, every = moment(day, "08:50", rng.uniform(0, 900)), rng.choice((120, 300, 420))
    act = week.act(who.seat, "malware calls home", "true", "malware_c2_phishing", route="tech")
    for n in range(rng.randrange(30, 60)):
        week.hit(who.seat, at + every * n + rng.uniform(-4, 4), f"https://{site.host}/gate?k={rng.randrange(9**7)}", act,
                 size=420, up=510,
                 kind="application/octet-stream", blocked=week.stops(site, who, at), agent="client/1.0")


def two_rooms(week: Week, rng: Random, day: date) -> None:
    """One account at work in two rooms at once: its owner's device, and a computer of the IT room, each in steady use."""
    who = week.free(rng, week.school.pupils(8, 9, 10, 11), day)
    lent = who.seat.__class__(f"172.20.61.{rng.randrange(10, 40)}", who.login, WINDOWS)
    at = week.lesson(rng, day, who)
    act = week.act(who.seat, "one account in two rooms", "true", "credential_anomaly", rows=("IN-05", "IN-06"), route="student")
    for seat in (who.seat, lent):
        clock = at + rng.uniform(0, 60)
        while clock < at + 1500:
            week.page(rng, seat, week.some(rng, "learning")[0], clock, act)
            clock += rng.uniform(25, 90)


def staff_account(week: Week, rng: Random, day: date) -> None:
    """A member of staff's account on a pupil's device in a lesson, while that member works elsewhere."""
    owner, who = week.free(rng, week.school.staff(), day), week.free(rng, week.school.pupils(*YOUNGER), day)
    seat, at = who.seat.__class__(who.seat.client, owner.login, who.seat.agent), week.lesson(rng, day, who)
    act = week.act(seat, "staff account on a pupil's device", "true", "credential_anomaly", rows=("IN-07",))
    week.browse(rng, owner.seat, week.some(rng, "learning")[0], at, 12)
    week.browse(rng, seat, week.some(rng, "video_streaming")[0], at + 30, 12, act)


def staff_misuse(week: Week, rng: Random, day: date) -> None:
    """A member of staff on gambling or adult sites: for the Principal, with no row of 7.2."""
    who, kind = week.free(rng, week.school.staff(), day), rng.choice(("gambling", "pornography"))
    act = week.act(who.seat, f"staff: {kind}", "true", kind, intent="deliberate", route="staff")
    hunt(week, rng, who, moment(day, "12:40", rng.uniform(0, 900)), act, week.some(rng, kind, 3), tries=3)


def shared_account(week: Week, rng: Random, day: date) -> None:
    """A shared account tries games over a lesson: somebody must say who sat there, and nobody is named."""
    at = week.lesson(rng, day)
    act = week.act(SHARED, "games at a shared account", "true", "games", intent="deliberate", route="attribution")
    for _ in range(2):
        for _ in range(rng.randrange(4, 8)):
            site = week.some(rng, "games")[0]
            week.page(rng, SHARED, site, at, act, blocked=site.known)
            at += rng.uniform(15, 60)


def hog(week: Week, rng: Random, day: date) -> None:
    """One device fetches gigabytes in a lesson, and everybody else's pages take seconds: for technicians."""
    who, site = week.free(rng, week.school.pupils(*YOUNGER), day), week.some(rng, "plain")[0]
    at = week.lesson(rng, day, who)
    act = week.act(who.seat, "a download that hinders others", "true", "bandwidth", route="tech")
    for n in range(48):
        week.hit(who.seat, at + 14 * n, f"https://{site.host}/disc/{n}.bin", act, kind="application/octet-stream", took=13.5,
                 size=rng.randrange(80_000_000, 120_000_000))
    week.slow.append((at, at + 48 * 14))


def guest(week: Week, rng: Random, day: date) -> None:
    """A visitor's device on adult sites in the evening."""
    at = moment(day, "18:20", rng.uniform(0, 3000))
    act = week.act(GUEST, "visitor: pornography", "true", "pornography", intent="deliberate", route="guest")
    for site in week.some(rng, "pornography", 4):
        for _ in range(2):
            week.page(rng, GUEST, site, at, act, blocked=site.known)
            at += rng.uniform(8, 30)
