"""Ways round the filter, by what each leaves in a log: proxies listed and new, VPN, Tor, remote desktops, mirrors, copies."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from datetime import date
from random import Random

from . import shapes
from .logs import Act
from .misuse import YOUNGER, when
from .names import STEMS, dice, path
from .school import SIXTH, Person, Seat, moment
from .week import Week
from .world import Site

ASKED = ("how to get past school filter", "unblocked games at school", "free proxy for school chromebook",
         "bypass school wifi block",
         "how to unblock websites at school", "vpn that works on school wifi")
WANTED = ("games", "social_media", "video_streaming", "pornography")
MEGA = 1_000_000
FAMILY = ("bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "bypass_mirror_or_remote_desktop")


def add(week: Week) -> None:
    """Every act of every day, and one new proxy that spreads through a year group over the week."""
    plan: tuple[tuple[float, Callable[[Week, Random, date], None]], ...] = (
        (0.8, listed_proxy), (1.0, new_browser_proxy), (1.0, new_rewriting_proxy), (0.8, vpn_listed), (0.8, vpn_unknown),
        (0.6, tor), (0.6, remote_desktop), (0.8, mirror_listed), (0.8, mirror_on_a_platform), (0.8, copy_of_a_blocked_site))
    for day in week.measured:
        for each, act in plan:
            rng = dice(week.seed, act.__name__, day)
            for _ in range(int(each) + (rng.random() < each % 1)):
                act(week, rng, day)
    for number in range(week.weeks):
        spread(week, dice(week.seed, "spread", number), week.measured[5 * number:5 * number + 4])


def target(week: Week, rng: Random) -> tuple[Site, str]:
    """What is wanted behind the filter: a site, and an address on it."""
    site = rng.choice(week.world.sites[rng.choice(WANTED)])
    return site, f"https://{site.host}{path(rng)}"


def stopped(week: Week, rng: Random, person: Person, at: float, kind: str = "games") -> float:
    """Two or three blocks on one site, as they come before most tries to get round them. They are no act of their own."""
    site = next((s for s in week.some(rng, kind, 30) if s.known), week.world.sites[kind][0])
    act = week.act(person.seat, "stopped before a bypass", "grey", kind)
    for _ in range(rng.choice((2, 3))):
        week.page(rng, person.seat, site, at, act, blocked=True)
        at += rng.uniform(5, 30)
    return at


def begin(week: Week, rng: Random, day: date, kind: str, category: str, *, people: tuple[int, ...] = YOUNGER,
          also: tuple[str, ...] = ()
          ) -> tuple[Person, float, Act]:
    """Somebody, stopped by the filter mostly, who asks how to get round it now and then; and the act that follows."""
    who = week.free(rng, week.school.pupils(*people), day)
    at = when(week, rng, day, who)
    act = week.act(who.seat, kind, "true", category, intent="deliberate", rows=("IN-12",), route="student", also=also)
    if rng.random() < 0.7:
        at = stopped(week, rng, who, at)
    if rng.random() < 0.5:
        ask = week.act(who.seat, "asked how to get round it", "grey", "bypass_vpn_site_visit", also=FAMILY, addresses=True)
        week.search(rng, who.seat, at, rng.choice(ASKED), ask)
        at += rng.uniform(8, 40)
    return who, at, act


def listed_proxy(week: Week, rng: Random, day: date) -> None:
    """Proxy sites tried one after another; those the filter knows are blocked."""
    who, at, act = begin(week, rng, day, "web proxies, known kind", "bypass_web_proxy")
    for site in week.some(rng, "bypass_web_proxy", 3):
        blocked = week.stops(site, who, at)
        for _ in range(2 if blocked else 8):
            week.page(rng, who.seat, site, at, act, blocked=blocked)
            at += rng.uniform(6, 40)


def through(week: Week, rng: Random, seat: Seat, host: str, act: Act, at: float,
            tool: tuple[list[str], Callable[[str], str]]) -> None:
    """A session through a web proxy on `host`: its files, then pages of what is wanted, or the long exchange that it keeps."""
    files, page = tool
    for n, name in enumerate(files):
        week.hit(seat, at + 0.3 * n, f"https://{host}{name}", act, size=60_000,
                 kind="text/html" if name == "/" else "application/javascript")
    site, wanted = target(week, rng)
    at += 5
    for n in range(rng.randrange(14, 40)):
        kind = rng.choice(("text/html", "image/webp", "application/javascript", "video/mp4", "text/css", "application/json"))
        url = wanted if n == 0 else f"https://{site.host}{path(rng)}"
        made = f"https://{host}{page(url)}"
        lasting = made.endswith("/wisp/")
        week.hit(seat, at, made, act, kind="" if lasting else kind, size=rng.randrange(5_000, 700_000),
                 up=rng.randrange(500, 6000),
                 took=rng.uniform(200, 900) if lasting else rng.uniform(0.1, 2), status=101 if lasting else 200)
        at += rng.uniform(60, 300) if lasting else rng.uniform(0.5, 40)
        if lasting and n >= 2:
            break


def new_browser_proxy(week: Week, rng: Random, day: date) -> None:
    """A proxy in the browser on a host of yesterday."""
    who, at, act = begin(week, rng, day, "new in-browser proxy", "bypass_web_proxy", also=("bypass_mirror_or_remote_desktop",))
    through(week, rng, who.seat, week.world.namer.host(), act, at, shapes.in_browser(rng))


def new_rewriting_proxy(week: Week, rng: Random, day: date) -> None:
    """A proxy that rewrites pages on a host of yesterday."""
    who, at, act = begin(week, rng, day, "new rewriting proxy", "bypass_web_proxy", also=("bypass_mirror_or_remote_desktop",))
    through(week, rng, who.seat, week.world.namer.host(), act, at, shapes.rewriting(rng))


def tunnel(week: Week, rng: Random, seat: Seat, target: str, act: Act, at: float, minutes: float) -> None:
    """Long tunnels to one endpoint, bytes both ways, and nothing else from the device."""
    end = at + minutes * 60
    while at < end:
        took = min(rng.uniform(240, 1100), end - at + 20)
        week.hit(seat, at, target, act, kind="", took=took, size=int(took * rng.uniform(30_000, 120_000)),
                 up=int(took * rng.uniform(4_000, 20_000)))
        at += took + rng.uniform(0.5, 4)


def vpn_listed(week: Week, rng: Random, day: date) -> None:
    """A VPN of a known make: its control name, then a server; on a phone of a sixth former, or a laptop."""
    who = week.free(rng, week.school.pupils(*SIXTH), day)
    seat, at = who.phone or who.seat, week.lesson(rng, day, who)
    act = week.act(seat, "VPN of a known make", "true", "bypass_vpn_tunnel", intent="deliberate", rows=("IN-12",),
                   route="student")
    site = week.some(rng, "bypass_vpn_tunnel")[0]
    minutes = rng.uniform(18, 45)
    for n in range(3):
        week.hit(seat, at + n, f"https://{site.host}/v1/{rng.choice(('session', 'servers', 'config'))}", act,
                 kind="application/json", size=3000)
    tunnel(week, rng, seat, f"node{rng.randrange(90)}.{site.base}:443" if site.host != site.base else f"{site.host}:443", act,
           at + 6, minutes)
    week.silences.append((seat.client, at + 6, at + minutes * 60))


def vpn_unknown(week: Week, rng: Random, day: date) -> None:
    """A VPN server that nobody lists: one endpoint, long-lived, both ways, while everything else of the device stops."""
    who = week.free(rng, week.school.pupils(9, 10, 11, *SIXTH), day)
    seat, at, minutes = who.seat, week.lesson(rng, day, who), rng.uniform(20, 45)
    act = week.act(seat, "VPN server of nobody's list", "true", "bypass_vpn_tunnel", intent="deliberate", rows=("IN-12",),
                   route="student")
    address = f"198.51.100.{rng.randrange(2, 250)}:{rng.choice((443, 443, 1194, 8443, 51820))}"
    tunnel(week, rng, seat, rng.choice((address, f"{week.world.namer.host()}:443")), act, at, minutes)
    week.silences.append((seat.client, at, at + minutes * 60))


def tor(week: Week, rng: Random, day: date) -> None:
    """Tor fetched and used: its distribution, its brokers and relays."""
    who, at, act = begin(week, rng, day, "Tor", "bypass_tor", people=(9, 10, 11))
    for site in week.some(rng, "bypass_tor", 3):
        blocked = week.stops(site, who, at)
        for _ in range(3):
            week.page(rng, who.seat, site, at, act, blocked=blocked)
            at += rng.uniform(5, 30)
    for n in range(3):
        week.hit(who.seat, at + n, f"198.51.100.{rng.randrange(2, 250)}:{rng.choice((9001, 9030))}", act, kind="",
                 took=rng.uniform(60, 500),
                 size=rng.randrange(MEGA, 9 * MEGA), up=300_000)


def remote_desktop(week: Week, rng: Random, day: date) -> None:
    """A remote desktop to a computer at home."""
    who, at, act = begin(week, rng, day, "remote desktop to home", "bypass_mirror_or_remote_desktop", people=(9, 10, 11))
    host = rng.choice(("remotedesktop.google.com", "relay.net.anydesk.com", "www.splashtop.com"))
    for n in range(3):
        week.hit(who.seat, at + n * 4, f"https://{host}/access", act, size=90_000)
    week.hit(who.seat, at + 15, f"{host}:443", act, kind="", took=rng.uniform(600, 1500), size=rng.randrange(40, 200) * MEGA,
             up=6 * MEGA)


def mirror_listed(week: Week, rng: Random, day: date) -> None:
    """Mirrors of blocked games that lists know."""
    who, at, act = begin(week, rng, day, "mirror of games, known kind", "bypass_mirror_or_remote_desktop", also=("games",))
    for site in week.some(rng, "bypass_mirror_or_remote_desktop", 2):
        blocked = week.stops(site, who, at)
        at = week.browse(rng, who.seat, site, at, 3 if blocked else 14, act, pause=25, blocked=blocked)


def mirror_on_a_platform(week: Week, rng: Random, day: date) -> None:
    """A mirror of blocked games under a platform that hosts anybody's pages; the name says what it is, as they mostly do."""
    who, at, act = begin(week, rng, day, "mirror on an app platform", "bypass_mirror_or_remote_desktop",
                         also=("games", "bypass_web_proxy"))
    label = rng.choice((f"unblocked-games-{rng.randrange(60, 99)}", f"{rng.choice(STEMS)}-unblocked",
                        f"{rng.choice(STEMS)}-{rng.choice(STEMS)}",
                        f"classroom-{rng.choice(STEMS)}"))
    host = f"{label}.{rng.choice(('trycloudflare.com', 'ngrok-free.app', week.world.sites['plain'][3].base))}"
    week.browse(rng, who.seat, Site(host, "mirror"), at, rng.randrange(10, 24), act, pause=30, weight=3)


def copy_of_a_blocked_site(week: Week, rng: Random, day: date) -> None:
    """A blocked site asked for directly, then through translation, an archive or a page fetcher."""
    who = week.free(rng, week.school.pupils(*YOUNGER), day)
    at = week.lesson(rng, day, who)
    site = next(s for s in week.some(rng, rng.choice(("games", "pornography", "gambling")), 30) if s.known)
    ask = week.act(who.seat, "stopped before a copy", "grey", site.kind)
    for _ in range(2):
        week.page(rng, who.seat, site, at, ask, blocked=True)
        at += rng.uniform(5, 20)
    act = week.act(who.seat, "copy of a blocked site", "true", "bypass_mirror_or_remote_desktop", intent="deliberate",
                   rows=("IN-12",),
                   route="student", also=("bypass_web_proxy", site.kind))
    dashed = site.host.replace("-", "--").replace(".", "-")
    fetcher = "https://translate.google.com/website?sl=fr&tl=en&u="
    made = rng.choice((lambda p: f"https://{dashed}.translate.goog{p}?_x_tr_sl=auto&_x_tr_tl=en&_x_tr_pto=wapp",
                       lambda p: f"https://web.archive.org/web/20260801120000/https://{site.host}{p}",
                       lambda p: fetcher + urllib.parse.quote(f"https://{site.host}{p}", "")))
    act.addresses = dashed not in made("/")   # of the three the first alone shows in the host's name what is copied
    for _ in range(rng.randrange(5, 12)):
        week.hit(who.seat, at, made(f"/{rng.choice(STEMS)}"), act, size=rng.randrange(20_000, 200_000), took=0.6)
        at += rng.uniform(8, 50)


def spread(week: Week, rng: Random, days: list[date]) -> None:
    """A new proxy of nobody's list passes through year 9: one pupil, three, six, and on the fourth day the filter has it."""
    host, tool = week.world.namer.host(), shapes.in_browser(rng)
    for day, count in zip(days, (1, 3, 6, 3), strict=True):
        last = day == days[-1]
        base = moment(day, "10:50", rng.uniform(0, 300))
        for n in range(count):
            who = week.free(rng, week.school.pupils(9), day)
            act = week.act(who.seat, "a new proxy spreads", "true", "bypass_web_proxy", intent="deliberate", rows=("IN-12",),
                           route="student",
                           also=("bypass_mirror_or_remote_desktop",))
            if last:
                for k in range(3):
                    week.page(rng, who.seat, Site(host, "proxy"), base + 40 * n + 12 * k, act, blocked=True)
            else:
                through(week, rng, who.seat, host, act, base + 90 * n, tool)
