"""What looks like a breach and is none: nobody may be named for it. Each act says which kind of look-alike it is, and of what."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Callable
from datetime import date
from random import Random

from .logs import Act
from .misuse import YOUNGER
from .names import STEMS, dice, path
from .school import BELLS, SIXTH, STUDY, WINDOWS, Person, Seat, moment
from .shapes import digest
from .week import Week
from .world import REMOTE, Site

KEY_KINDS = ("help-seeking", "filter check", "app chatter", "crowd", "advert")  # of which nobody may ever be named
LEARNING = {  # searches of lessons that hold a word of another matter, and what they look like
    "pornography": ("breast cancer symptoms gcse biology", "middlesex county cricket", "scunthorpe steelworks history",
                    "sextant navigation",
                    "how to cook chicken breast", "male and female anatomy diagram biology", "essex coast erosion",
                    "dick whittington pantomime script"),
    "self_harm_suicide": ("killing a python process", "romeo and juliet suicide scene analysis",
                          "how to kill weeds in the school garden",
                          "charge of the light brigade suicide mission", "suicide prevention poster pshe"),
    "drugs": ("cocktail recipes mocktails", "drugs and the nervous system gcse", "pot plants care",
              "speed distance time questions"),
    "weapons": ("guns germs and steel summary", "weapons of the first world war", "magnum opus meaning",
                "shotgun sequencing biology"),
    "extremism_interest": ("rise of the nazi party gcse history", "ira and the troubles timeline", "what is extremism re lesson"),
    "bypass_web_proxy": ("proxy war cold war examples", "heart bypass surgery", "carpal tunnel",
                         "what is a proxy server gcse computing",
                         "unblock a sink", "ultraviolet light uses", "how does a vpn work a level computing"),
    "gambling": ("probability of rolling two dice", "betting odds maths lesson", "casino royale novel study",
                 "bingo card template maths"),
    "hate_discrimination": ("jim crow laws racism essay", "to kill a mockingbird racism quotes")}


def add(week: Week) -> None:
    """Every look-alike of every measured day."""
    plan: tuple[tuple[float, Callable[[Week, Random, date], None]], ...] = (
        (3, help_seeking), (1, filter_check), (1, app_chatter), (1, crowd), (1, advert), (1, embeds), (2, refresh_loop),
        (2, prefetch), (2, bounce), (8, learning_search), (2, library), (1, archive), (1, translation), (3, signed),
        (2, documents), (1, coding), (2, captive_portal), (2, school_remote), (0.6, teacher_with_class), (1, relay), (3, study),
        (3, lunch), (2, moved_rooms), (1, two_devices), (1, staff_lunch), (1, big_download), (1, video_call), (2, vendor_page))
    for day in week.measured:
        for each, act in plan:
            rng = dice(week.seed, act.__name__, day)
            for _ in range(int(each) + (rng.random() < each % 1)):
                act(week, rng, day)


def innocent(week: Week, seat: Seat, kind: str, category: str, *also: str) -> Act:
    """An act for which nobody may be named; `also`: what may be said where nobody is, such as advice to technicians."""
    return week.act(seat, kind, "innocent", category, also=also)


def pupil(week: Week, rng: Random, day: date, *years: int) -> tuple[Person, float]:
    """Somebody free on the day, and a moment of a lesson."""
    who = week.free(rng, week.school.pupils(*(years or YOUNGER)), day)
    return who, week.lesson(rng, day, who)


def help_seeking(week: Week, rng: Random, day: date) -> None:
    """A child looks for help: a helpline's pages, and a search in its own words."""
    who, at = pupil(week, rng, day)
    act = innocent(week, who.seat, "help-seeking", "self_harm_suicide")
    link = week.search(rng, who.seat, at, rng.choice(("childline number", "who can i talk to about feeling sad",
                                                      "help for a friend who self harms",
                                                      "lgbt support young people", "bullying advice")), act)
    week.browse(rng, who.seat, week.some(rng, "help_seeking")[0], at + 8, rng.randrange(3, 9), act, referrer=link)


def filter_check(week: Week, rng: Random, day: date) -> None:
    """A technician tests the filter on the test site; and then with one name of each category within seconds.

    On every second day a window is registered for it, and nobody may be named. On the others the latter is grey: the policy's
    owner asks that such a test be told, not hidden.
    """
    who = rng.choice(week.school.staff("technical_staff"))
    at = moment(day, "08:02", rng.uniform(0, 600))
    act = innocent(week, who.seat, "filter check", "pornography")
    for n, page in enumerate(("", "test/adult", "test/gambling", "test/proxies")):
        week.hit(who.seat, at + n, f"http://testfiltering.com/{page}", act, blocked=n > 0)
    kinds = ("pornography", "gambling", "bypass_web_proxy", "violence_gore", "drugs")
    if week.measured.index(day) % 2:
        week.windows.append((who.login, at - 60, at + 1200))
        tested = innocent(week, who.seat, "filter check", kinds[0])
    else:
        tested = week.act(who.seat, "filter test without a window", "grey", kinds[0], also=kinds)
    for n, kind in enumerate(kinds):
        week.page(rng, who.seat, next(s for s in week.some(rng, kind, 99) if s.known), at + 600 + n, tested, blocked=True)


def app_chatter(week: Week, rng: Random, day: date) -> None:
    """Phones talk to themselves all day and night: push messages, feeds, a VPN app that calls home; much of it is blocked."""
    phones = [person.phone for person in week.school.people if person.phone]
    for phone in rng.sample(phones, 60):
        kinds = rng.sample(("messaging", "social_media", "games", "gambling", "stranger_chat_dating"), 2)
        for kind in kinds:
            site, act = rng.choice(week.world.sites[kind][:6]), innocent(week, phone, "app chatter", kind)
            blocked = site.known and rng.random() < 0.8
            for _ in range(rng.randrange(8, 40)):
                week.hit(phone, moment(day, "04:05") + rng.random() * 85_000, f"https://push.{site.base}/poll", act,
                         kind="application/json",
                         size=rng.randrange(200, 1500), up=400, took=rng.uniform(0.05, 0.3), blocked=blocked)
    for phone in rng.sample(phones, 6):
        site, act = rng.choice(week.world.sites["bypass_vpn_tunnel"]), innocent(week, phone, "app chatter", "bypass_vpn_tunnel",
                                                                                "bypass_vpn_app_chatter")
        for n in range(0, 85_000, 900):
            week.hit(phone, moment(day, "04:10") + n + rng.uniform(0, 20), f"https://{site.host}/status", act,
                     kind="application/json", size=640,
                     up=420)


def crowd(week: Week, rng: Random, day: date) -> None:
    """A class is sent to one link in one minute: a quiz under games, or a clip."""
    year, kind = rng.choice(YOUNGER), rng.choice(("games", "video_streaming"))
    site = rng.choice([s for s in week.world.sites[kind] if not s.known] or week.world.sites["video_streaming"])
    at, clip = week.lesson(rng, day), path(rng)
    for person in rng.sample([p for p in week.school.pupils(year) if (p.login, day) not in week.busy], 20):
        act = innocent(week, person.seat, "crowd", site.kind)
        clock = at + rng.uniform(0, 50)
        week.page(rng, person.seat, site, clock, act, path=clip, weight=8)
        for n in range(rng.randrange(3, 8)):
            week.hit(person.seat, clock + 20 + 70 * n, f"https://{site.host}/next", act, kind="application/json", size=40_000)


def advert(week: Week, rng: Random, day: date) -> None:
    """Ordinary pages bring along adverts of bad sites: in the middle of reading, blocked or let through."""
    news, at = week.some(rng, "news")[0], week.pause(rng, day, "lunch")
    bad = next(site for site in week.some(rng, rng.choice(("pornography", "gambling", "stranger_chat_dating")),
                                          99) if site.listed)
    for person in rng.sample(week.school.pupils(), 30):
        clock = at + rng.uniform(0, 1200)
        story = path(rng)
        week.page(rng, person.seat, news, clock, path=story)
        act = innocent(week, person.seat, "advert", bad.kind)
        for n in range(rng.choice((1, 1, 2))):
            week.hit(person.seat, clock + rng.uniform(0.3, 1.4), f"https://ads.{bad.base}/banner{n}.webp", act, kind="image/webp",
                     size=20_000,
                     referrer=f"https://{news.host}{story}", blocked=bad.known)


def embeds(week: Week, rng: Random, day: date) -> None:
    """Share buttons and players of social and video sites inside pages of lessons."""
    learn, at = week.some(rng, "learning")[0], week.lesson(rng, day)
    social, video = week.some(rng, "social_media")[0], week.some(rng, "video_streaming")[0]
    for person in rng.sample(week.school.pupils(*YOUNGER), 30):
        clock = at + rng.uniform(0, 1500)
        for n in range(rng.randrange(1, 5)):
            story = path(rng)
            week.page(rng, person.seat, learn, clock + 50 * n, path=story)
            for other, end in ((social, "plugins/like"), (video, "embed/player.js")):
                act = innocent(week, person.seat, "embed", other.kind)
                week.hit(person.seat, clock + 50 * n + rng.uniform(0.3, 1.5), f"https://{other.host}/{end}", act,
                         kind="application/javascript",
                         size=12_000, referrer=f"https://{learn.host}{story}")


def refresh_loop(week: Week, rng: Random, day: date) -> None:
    """A tab left open asks for a blocked page again at one steady beat, while its owner works on."""
    who, at = pupil(week, rng, day)
    kind = rng.choice(("games", "bypass_mirror_or_remote_desktop", "gambling_like_gaming", "copyright_streaming"))
    site = next(s for s in week.some(rng, kind, 99) if s.known)
    act, every = innocent(week, who.seat, "refresh loop", kind), rng.choice((15, 30, 60))
    for n in range(rng.randrange(30, 70)):
        week.hit(who.seat, at + n * every + rng.uniform(0, 0.2), f"https://{site.host}/feed", act, blocked=True, took=0.003)
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 20, 10)


def prefetch(week: Week, rng: Random, day: date) -> None:
    """A search page fetches the first results before anybody chooses; the person opens another."""
    who, at = pupil(week, rng, day)
    link = week.search(rng, who.seat, at, rng.choice(("beach photos", "teen fashion", "poker face lyrics", "free stuff uk",
                                                      "live football")))
    kind = rng.choice(("pornography", "gambling", "shopping"))
    site, act = week.some(rng, kind)[0], innocent(week, who.seat, "prefetch", kind)
    week.hit(who.seat, at + rng.uniform(0.2, 0.7), f"https://{site.host}/", act, size=6_000, referrer=link,
             blocked=week.stops(site, who, at))
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 9, 4, referrer=link)


def bounce(week: Week, rng: Random, day: date) -> None:
    """A mistyped address bounces through two strangers, one of them of a bad kind, and ends on a parked page; left at once."""
    who, at = pupil(week, rng, day)
    kind = rng.choice(("pornography", "gambling", "malware_c2_phishing", "stranger_chat_dating"))
    site, act = week.some(rng, kind)[0], innocent(week, who.seat, "typing slip", kind,
                                                  *(() if kind != "malware_c2_phishing" else (kind,)))
    wrong, parked = week.some(rng, "plain", 2)
    week.hit(who.seat, at, f"http://{wrong.host}/", status=302, size=300)
    week.hit(who.seat, at + 0.3, f"https://{site.host}/in?src={rng.randrange(9**6)}", act, status=302, size=300,
             blocked=week.stops(site, who, at),
             referrer=f"http://{wrong.host}/")
    week.hit(who.seat, at + 0.7, f"https://{parked.host}/", size=5_000)
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 5, 4)


def learning_search(week: Week, rng: Random, day: date) -> None:
    """A search for a lesson that holds a word of another matter, and a page of the answer."""
    who, at = pupil(week, rng, day)
    kind = rng.choice(sorted(LEARNING))
    act = innocent(week, who.seat, "learning", kind)
    for words in rng.sample(LEARNING[kind], 2):
        link = week.search(rng, who.seat, at, words, act)
        week.page(rng, who.seat, week.some(rng, rng.choice(("learning", "plain")))[0], at + 8, act, referrer=link,
                  path="/wiki/" + words.title().replace(" ", "_"))
        at += rng.uniform(60, 200)


def library(week: Week, rng: Random, day: date) -> None:
    """Journals through a university library's proxy: hosts rewritten, and the word proxy in the address."""
    who, at = pupil(week, rng, day, *SIXTH)
    act, home = innocent(week, who.seat, "library proxy", "bypass_web_proxy"), week.world.sites["plain"][5].base
    target = f"https://www.{week.world.sites['plain'][9].base}/stable/{rng.randrange(9**7)}"
    week.hit(who.seat, at, f"https://login.ezproxy.{home}/login?url={urllib.parse.quote(target, '')}", act)
    for n in range(6):
        dashed = "www-" + week.world.sites["plain"][9].base.replace(".", "-")
        week.hit(who.seat, at + 12 + 30 * n, f"https://{dashed}.ezproxy.{home}/stable/{rng.randrange(9**7)}", act, size=300_000,
                 kind="application/pdf" if n % 2 else "text/html")


def archive(week: Week, rng: Random, day: date) -> None:
    """History: old pages in a web archive."""
    who, at = pupil(week, rng, day)
    act, old = innocent(week, who.seat, "web archive", "bypass_mirror_or_remote_desktop"), week.some(rng, "news")[0]
    for n in range(6):
        week.hit(who.seat, at + 40 * n,
                 f"https://web.archive.org/web/{rng.randrange(2001, 2015)}0911120000/http://{old.host}:80{path(rng)}", act,
                 size=80_000)


def translation(week: Week, rng: Random, day: date) -> None:
    """Languages: a class reads a foreign newspaper through a translator."""
    paper, at = week.some(rng, "news")[0], week.lesson(rng, day)
    dashed = paper.host.replace("-", "--").replace(".", "-")
    for person in rng.sample(week.school.pupils(8, 9), 12):
        act = innocent(week, person.seat, "translation", "bypass_mirror_or_remote_desktop")
        for n in range(4):
            week.hit(person.seat, at + rng.uniform(0, 200) + 60 * n,
                     f"https://{dashed}.translate.goog{path(rng).split('?')[0]}?_x_tr_sl=fr&_x_tr_tl=en"
                     "&_x_tr_hl=en", act, size=60_000)


def signed(week: Week, rng: Random, day: date) -> None:
    """Sign-in and signed addresses: base64, nested addresses and long tokens in the query."""
    who, at = pupil(week, rng, day)
    act, app = innocent(week, who.seat, "signed address", "bypass_web_proxy"), week.some(rng, "learning")[0]
    back = f"https://{app.host}/callback?next={path(rng)}"
    state = base64.urlsafe_b64encode(json.dumps({"r": back, "n": digest(str(at))}).encode()).decode()
    idp, nested = week.world.sites["plain"][2].host, urllib.parse.quote(back, "")
    asked = f"client_id={digest(app.host, 20)}&redirect_uri={nested}&state={state}"
    saml = f"SAMLRequest={base64.b64encode(state.encode()).decode()}&RelayState={nested}"
    week.hit(who.seat, at, f"https://{idp}/oauth2/authorize?{asked}", act)
    week.hit(who.seat, at + 2, f"https://{idp}/saml?{saml}", act)
    for n in range(5):
        token = base64.urlsafe_b64encode(f"{back}{n}{at}".encode()).decode()
        week.hit(who.seat, at + 5 + n,
                 f"https://{rng.choice(week.world.sites['cdn']).host}/{digest(token)}/{token}?Signature={digest(back, 64)}", act,
                 kind="image/webp", referrer=f"https://{app.host}/")


def documents(week: Week, rng: Random, day: date) -> None:
    """Computing: documentation about proxies and VPNs."""
    who, at = pupil(week, rng, day, 10, 11, *SIXTH)
    act, docs = innocent(week, who.seat, "documentation", "bypass_web_proxy"), week.some(rng,
                                                                                         rng.choice(("learning", "plain")))[0]
    link = week.search(rng, who.seat, at, rng.choice(("nginx proxy_pass example", "what is a reverse proxy",
                                                      "openvpn protocol explained a level",
                                                      "tor onion routing explained")), act)
    for n, page in enumerate(("docs/http/proxy_pass", "wiki/Virtual_private_network", "guide/reverse-proxy",
                              "wiki/Onion_routing")):
        week.page(rng, who.seat, docs, at + 10 + 60 * n, act, path=f"/{page}", referrer=link)


def coding(week: Week, rng: Random, day: date) -> None:
    """Coding club: a program of one's own behind a workspace's port, at /proxy/8080/, with a long socket."""
    who, _ = pupil(week, rng, day, 10, 11, *SIXTH)
    at = moment(day, "15:00", rng.uniform(0, 900))
    act, space = innocent(week, who.seat, "coding workspace", "bypass_web_proxy"), week.world.sites["plain"][3].base
    host = f"{rng.choice(STEMS)}-{rng.choice(STEMS)}.{space}"
    for n in range(12):
        week.hit(who.seat, at + 25 * n, f"https://{host}/proxy/8080/{rng.choice(STEMS)}", act, size=40_000)
    week.hit(who.seat, at + 20, f"https://{host}/socket/?id={digest(host)}", act, kind="", status=101, took=900, size=4_000_000,
             up=900_000)


def captive_portal(week: Week, rng: Random, day: date) -> None:
    """A phone asks whether it is online, and is sent to the Wi-Fi's own sign-in page."""
    phone = rng.choice([person.phone for person in week.school.people if person.phone])
    at, act = moment(day, "08:05", rng.uniform(0, 3000)), innocent(week, phone, "captive portal",
                                                                   "bypass_default_privacy_feature")
    week.hit(phone, at, "http://connectivitycheck.gstatic.com/generate_204", act, status=302, size=0)
    week.hit(phone, at + 0.5, "http://192.0.2.1/login.html?redirect=http%3A%2F%2Fconnectivitycheck.gstatic.com%2Fgenerate_204",
             act)


def school_remote(week: Week, rng: Random, day: date) -> None:
    """The school's own way to its desktops: a long session at its gateway."""
    who, at = pupil(week, rng, day, *SIXTH)
    act = innocent(week, who.seat, "school remote access", "bypass_mirror_or_remote_desktop")
    week.hit(who.seat, at, f"https://{REMOTE}/RDWeb/Pages/en-GB/login.aspx", act)
    week.hit(who.seat, at + 12, f"{REMOTE}:443", act, kind="", took=1400, size=60_000_000, up=5_000_000)


def teacher_with_class(week: Week, rng: Random, day: date) -> None:
    """A teacher shows a clip of a video or social site; some of the class open the same page on their own."""
    teacher, at = week.free(rng, week.school.staff(), day), week.lesson(rng, day)
    site, clip = rng.choice(week.world.sites["video_streaming"]), path(rng)
    week.browse(rng, teacher.seat, site, at, 14, innocent(week, teacher.seat, "teacher's use", site.kind), weight=20)
    for person in rng.sample([p for p in week.school.pupils(rng.choice(YOUNGER)) if (p.login, day) not in week.busy], 9):
        act, clock = innocent(week, person.seat, "teacher's use", site.kind), at + rng.uniform(60, 500)
        week.page(rng, person.seat, site, clock, act, path=clip, weight=20)
        for n in range(10):
            week.hit(person.seat, clock + 40 * n, f"https://{site.host}/segment/{n}", act, kind="video/mp4", size=900_000,
                     referrer=f"https://{site.host}{clip}")


def relay(week: Week, rng: Random, day: date) -> None:
    """Privacy features that phones and browsers switch on by themselves: a private relay, and lookups over HTTPS."""
    phones = [person.phone for person in week.school.people if person.phone]
    for phone in rng.sample(phones, 25):
        act = innocent(week, phone, "default privacy feature", "bypass_vpn_tunnel", "bypass_default_privacy_feature")
        host = rng.choice(("mask.icloud.com", "mask-h2.icloud.com", "dns.google", "chrome.cloudflare-dns.com"))
        for _ in range(rng.randrange(2, 9)):
            week.hit(phone, moment(day, "07:50") + rng.random() * 30_000, f"{host}:443", act, kind="", took=rng.uniform(5, 600),
                     size=rng.randrange(4_000, 9_000_000), up=rng.randrange(2_000, 300_000))


def study(week: Week, rng: Random, day: date) -> None:
    """Sixth formers in a study period: no lesson, so no lesson's rule."""
    who = week.free(rng, week.school.pupils(*SIXTH), day)
    seat, kind = rng.choice((who.seat, who.phone or who.seat)), rng.choice(("social_media", "video_streaming", "messaging"))
    at = moment(day, rng.choice([start for _, name, start, _ in BELLS if name in STUDY]), rng.uniform(60, 600))
    week.browse(rng, seat, week.some(rng, kind)[0], at, 14, innocent(week, seat, "study period", kind), until=at + 1500)


def lunch(week: Week, rng: Random, day: date) -> None:
    """Social media and video at lunch, as the policy allows at certain times."""
    who, kind = week.free(rng, week.school.pupils(), day), rng.choice(("social_media", "video_streaming"))
    at = week.pause(rng, day, "lunch")
    week.browse(rng, who.seat, week.some(rng, kind)[0], at, 14, innocent(week, who.seat, "lunch", kind),
                until=moment(day, "13:06"))


def moved_rooms(week: Week, rng: Random, day: date) -> None:
    """A pupil moves to the IT room at the bell: one account on two devices, one after the other.

    The device left behind is shut until the lesson ends: in use there, the account would be in two places.
    """
    since, until = moment(day, "11:35"), moment(day, "12:25")
    at_work = {hit.seat.client for act in week.acts for hit in act.hits if since < hit.at < until}
    who = week.free(rng, [p for p in week.school.pupils(8, 9, 10, 11) if p.seat.client not in at_work], day)
    there = Seat(f"172.20.61.{rng.randrange(50, 90)}", who.login, WINDOWS)
    act = innocent(week, who.seat, "moved rooms", "credential_anomaly")
    week.browse(rng, who.seat, week.some(rng, "learning")[0], moment(day, "11:20", 0), 8, act, until=moment(day, "11:34"))
    week.browse(rng, there, week.some(rng, "learning")[0], moment(day, "11:37", rng.uniform(0, 200)), 14, act)
    week.silences.append((who.seat.client, since, until))


def two_devices(week: Week, rng: Random, day: date) -> None:
    """A sixth former's own phone and a school computer at once: two devices, one person, one room."""
    who = week.free(rng, [p for p in week.school.pupils(*SIXTH) if p.phone and p.phone.user != "-"], day)
    at, act = week.lesson(rng, day, who), innocent(week, who.seat, "phone and computer", "credential_anomaly")
    for seat in (who.seat, who.phone):
        if seat:
            week.browse(rng, seat, week.some(rng, "learning")[0], at + rng.uniform(0, 60), 14, act)


def staff_lunch(week: Week, rng: Random, day: date) -> None:
    """Staff on social media and video at lunch: nothing of the policy's tables is broken."""
    who, kind = week.free(rng, week.school.staff(), day), rng.choice(("social_media", "video_streaming"))
    week.browse(rng, who.seat, week.some(rng, kind)[0], moment(day, "12:40", rng.uniform(0, 600)), 8,
                innocent(week, who.seat, "staff at lunch", kind))


def big_download(week: Week, rng: Random, day: date) -> None:
    """An update or a set of pictures of a lesson: many bytes from one host, and little else, for a quarter of an hour."""
    who, at = pupil(week, rng, day)
    act, site = innocent(week, who.seat, "big download", "bypass_vpn_tunnel"), rng.choice(week.world.sites["learning"])
    for n in range(14):
        week.hit(who.seat, at + 60 * n, f"https://{site.host}/pack/{n}.mp4", act, kind="video/mp4", size=6_000_000, took=40)


def video_call(week: Week, rng: Random, day: date) -> None:
    """A careers interview by video: one long exchange, many bytes both ways, on a host that few ever see; notes beside it."""
    who, at = pupil(week, rng, day, *SIXTH)
    act, host = innocent(week, who.seat, "video call", "bypass_vpn_tunnel"), week.world.namer.host()
    week.page(rng, who.seat, Site(host, "call"), at, act)
    week.hit(who.seat, at + 15, f"{host}:443", act, kind="", took=rng.uniform(900, 1500), size=90_000_000, up=40_000_000)
    week.browse(rng, who.seat, week.some(rng, "learning")[0], at + 60, 10, pause=90)


def vendor_page(week: Week, rng: Random, day: date) -> None:
    """Somebody reads a VPN seller's page: curiosity, a pattern at most, so grey."""
    who = week.free(rng, week.school.pupils(*YOUNGER), day)
    at, site = week.pause(rng, day), week.some(rng, "bypass_vpn_site_visit")[0]
    act = week.act(who.seat, "looked at a VPN seller's page", "grey", "bypass_vpn_site_visit")
    for n in range(rng.randrange(1, 4)):
        week.page(rng, who.seat, site, at + 20 * n, act, blocked=week.stops(site, who, at))
