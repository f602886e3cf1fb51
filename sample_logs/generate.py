"""The made-up school: its people, and Squid logs of a school week, the same bytes at every run.

    python sample_logs/generate.py --to DIR             the week, one log a day (--days N: the first N of them)
    python sample_logs/generate.py --to DIR --day D     one day alone, such as 2026-10-25 (the clocks go back)
    python sample_logs/generate.py --people FILE        people.csv

All names and sites are invented; sites stand under reserved endings, their categories in world.csv. A log is rotated at
04:00. What is planted is told in DIR/truth.csv; what only looks like it is told in DIR/innocent.csv.
"""

from __future__ import annotations

import argparse
import csv
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
WEEK = date(2026, 11, 2)
FIRST = ("Ada", "Bram", "Cato", "Dilys", "Efa", "Fintan", "Gwen", "Hana", "Idris", "Jola", "Kofi", "Lowri", "Mina", "Noor",
         "Otis", "Pia", "Quill", "Rafe", "Sena", "Tariq", "Una", "Vito", "Wren", "Xanthe", "Yusuf", "Zofia", "Zoë", "D'Arcy")
LAST = ("Ashmarsh", "Bellfen", "Coldwater", "Drovegate", "Eelmere", "Fleetwick", "Gravelsey", "Hollowfen", "Inkpen-Lode",
        "Kettledyke", "Lodebank", "Marshgate", "Nenewater", "Ouseley", "Peatmoor", "Quaveney", "Reedham", "Sluicegate",
        "O'Tidmarsh", "Undercroft", "Van Wicken", "Wellstream")
HOUSES = ("Heron", "Kingfisher", "Lapwing", "Otter")
LESSON = ("lessons.fenmarsh.test", "mail.fenmarsh.test", "maths.learnwell.test", "dictionary.test", "encyclo.test",
          "codeclub.test")
LEISURE = ("friendly.test", "clips.test", "playpark.test", "chatter.test", "shop.test", "news.test", "football.test")
FREE = ("news.test", "football.test", "encyclo.test")  # what the filter lets pupils have at any time
BACKGROUND = ("ads.admarket.test", "px.trackwell.test", "cdn.fastedge.test", "update.devices.test", "telemetry.devices.test",
              "ocsp.certcheck.test")
ADULT = ("adult-one.test", "adult-two.test", "adult-three.test", "adult-four.test")
LESSONS = ("09:02", "10:02", "11:22", "12:22", "14:02")
PAUSES = ("08:15", "11:02", "13:22", "15:10")
TELL = ("day", "user", "category", "outcome", "intent", "story")


@dataclass(frozen=True)
class Pupil:
    """One made-up person."""

    username: str
    name: str
    role: str
    year: str
    house: str

    @property
    def login(self) -> str:
        """The login as Squid writes it: the backslash doubled."""
        return f"FENMARSH\\\\{self.username}"


@cache
def people() -> list[Pupil]:
    """300 pupils and 40 staff."""
    rng, made, taken = random.Random(2026), [], set()
    for n in range(340):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        plain = "".join(c for c in last.lower().replace("ë", "e") if c.isascii() and c.isalpha())
        year = 7 + n % 7
        login = f"{26 - (year - 7):02d}{first[0].lower()}{plain}" if n < 300 else f"{first[0].lower()}.{plain}"
        while login in taken:
            login += rng.choice("abcdefgh")
        taken.add(login)
        role = "student" if n < 300 else "technical_staff" if n < 302 else "staff"
        made.append(Pupil(login, f"{first} {last}", role, str(year) if n < 300 else "", rng.choice(HOUSES) if n < 300 else ""))
    return made


def pupil(year: int, n: int) -> Pupil:
    """The n-th pupil of a year."""
    return next(islice((who for who in people() if who.year == str(year)), n, None))


def client_of(who: Pupil) -> str:
    """The address of the machine a person mostly sits at."""
    n = people().index(who)
    return f"10.{20 if who.role == 'student' else 30}.{n // 200}.{n % 200 + 10}"


@dataclass
class Day:
    """One school day's log in the making: its lines, and what was planted in it."""

    date: date
    rng: random.Random
    lines: list[tuple[float, str]] = field(default_factory=list)
    truth: list[list[str]] = field(default_factory=list)
    innocent: list[list[str]] = field(default_factory=list)

    def at(self, clock: str, days: int = 0) -> float:
        """UTC seconds of a local time of the day (or `days` later)."""
        return datetime.combine(self.date + timedelta(days), time.fromisoformat(clock), LONDON).astimezone(UTC).timestamp()

    def write(self, at: float, elapsed: int, client: str, verdict: str, size: int, request: str, user: str = "-",
              peer: str = "HIER_NONE/-", tail: str = "-") -> None:
        """One line as Squid writes it; `at` is when the transaction ended."""
        self.lines.append((at, f"{at:.3f} {elapsed:6d} {client} {verdict} {size} {request} {user} {peer} {tail}\n"))

    def tunnel(self, at: float, client: str, user: str, host: str, elapsed: int | None = None, size: int | None = None) -> None:
        """A tunnel that was let through; `at` is when it began."""
        took = min(int(self.rng.expovariate(1 / 4000)), 900_000) if elapsed is None else elapsed
        self.write(at + took / 1000, took, client, "TCP_TUNNEL/200", size or self.rng.randrange(900, 90_000),
                   f"CONNECT {host}:443", user, "HIER_DIRECT/203.0.113.9")

    def page(self, at: float, client: str, user: str, url: str, tail: str = "text/html") -> None:
        """A page over plain HTTP that was let through."""
        self.write(at + 0.08, 80, client, "TCP_MISS/200", self.rng.randrange(2_000, 60_000), f"GET {url}", user,
                   "HIER_DIRECT/203.0.113.9", tail)

    def block(self, at: float, client: str, user: str, host: str) -> None:
        """A block: a refused tunnel, or one time in three the two lines of a refused decrypted one."""
        if self.rng.random() < 0.67:
            self.write(at, 1, client, "TCP_DENIED/403", 3912, f"CONNECT {host}:443", user, tail="text/html")
            return
        self.write(at, 0, client, "TCP_DENIED/200", 0, f"CONNECT {host}:443", user)
        self.write(at + 0.02, 0, client, "NONE_NONE/403", 3912, f"GET https://{host}/", tail="text/html")

    def tell(self, user: str, category: str, outcome: str, intent: str, story: str) -> None:
        """Note a true incident."""
        self.truth.append([str(self.date), user, category, outcome, intent, story])

    def excuse(self, user: str, category: str, outcome: str, intent: str, story: str) -> None:
        """Note something that looks like one and is none."""
        self.innocent.append([str(self.date), user, category, outcome, intent, story])


# Ordinary days ------------------------------------------------------------------------------------------------------


def ordinary(day: Day) -> None:
    """What everybody does: lessons, pauses, and devices that talk to themselves at all hours."""
    for who in people():
        client = client_of(who)
        if day.date.weekday() < 5:
            for clock in LESSONS:
                _stays(day, who, client, day.at(clock), LESSON, 2)
            for clock in PAUSES:
                _stays(day, who, client, day.at(clock), LEISURE if clock != "08:15" else FREE, 1)
            _lapse(day, who, client)
        _chatter(day, who, client, 14)
    _phones(day)
    _noise(day)


def _stays(day: Day, who: Pupil, client: str, at: float, sites: tuple[str, ...], most: int) -> None:
    for _ in range(most):
        if day.rng.random() < 0.46:
            _stay(day, who.login, client, at + day.rng.random() * 900, day.rng.choice(sites))
        at += 1200


def _stay(day: Day, user: str, client: str, at: float, host: str) -> None:
    """A stay on a site: a challenge now and then, its own requests, and what its pages bring along."""
    rng = day.rng
    if rng.random() < 0.5:
        day.write(at - 0.3, 0, client, "TCP_DENIED/407", 4012, f"CONNECT {host}:443", tail="text/html")
    for n in range(rng.randrange(4, 15)):
        if host == "news.test" and n % 3 == 0:
            day.page(at, client, user, f"http://news.test/story/{rng.randrange(900)}")
        else:
            day.tunnel(at, client, user, host)
        for _ in range(rng.choice((0, 1, 1, 2))):
            day.tunnel(at + rng.random(), client, user, rng.choice(BACKGROUND))
        at += rng.expovariate(1 / 20)


def _lapse(day: Day, who: Pupil, client: str) -> None:
    """One pupil in twelve tries a leisure site in a lesson, once, and is stopped."""
    if who.role == "student" and day.rng.random() < 1 / 12:
        at = day.at(day.rng.choice(LESSONS)) + day.rng.random() * 3000
        for n in range(day.rng.choice((1, 1, 2))):
            day.block(at + 3 * n, client, who.login, day.rng.choice(LEISURE[:4]))


def _chatter(day: Day, who: Pupil, client: str, count: int) -> None:
    start, length = _hours(day)
    for _ in range(count if day.date.weekday() < 5 else 20):
        day.tunnel(start + day.rng.random() * length, client, who.login, day.rng.choice(BACKGROUND[3:]))


def _hours(day: Day) -> tuple[float, float]:
    """Begin and length of the log in seconds: from 04:00, or from midnight on the day the clocks change."""
    changes = (day.at("04:00") - day.at("00:00")) != 4 * 3600
    start = day.at("00:00" if changes else "04:00")
    return start, day.at("00:00" if changes else "04:00", 1) - start - 30


def _phones(day: Day) -> None:
    """Phones of sixth formers and staff: push messages to messaging hosts all day, and a VPN app that calls home."""
    start, length = _hours(day)
    for n in range(40):
        client = f"10.40.{n // 20}.{n % 20 + 30}"
        for _ in range(45):
            at = start + day.rng.random() * length
            day.tunnel(at, client, "-", day.rng.choice(("push.chatter.test", "push.pingme.test", "telemetry.devices.test")),
                       elapsed=day.rng.randrange(60, 300), size=day.rng.randrange(300, 1500))
    for n in range(3):
        for hour in range(int(length // 900)):
            day.tunnel(start + hour * 900 + n, f"10.40.0.{n + 30}", "-", "api.fastvpn.test", elapsed=70, size=640)
    day.excuse("10.40.0.30", "messaging", "allowed", "background", "phones' push messages, day and night")
    day.excuse("10.40.0.30", "bypass_vpn_app_chatter", "allowed", "background", "a VPN app calls home every 15 minutes")


def _noise(day: Day) -> None:
    """What every real log holds: probes, header tails, spaces in logins, IPv6, failures, decrypted tunnels, searches."""
    rng, (start, length) = day.rng, _hours(day)
    for _ in range(60):
        at = start + rng.random() * length
        day.write(at, 0, f"10.20.9.{rng.randrange(2, 9)}", "NONE_NONE/000", 0, "- error:transaction-end-before-headers")
        day.write(at + 1, 0, "10.20.0.9", "NONE_NONE/503", 0, "CONNECT old.shutdown.test:443", "FENMARSH\\\\library2")
        day.tunnel(at + 2, "2001:db8:20::77", "-", "encyclo.test")
        day.tunnel(at + 3, "10.20.8.4", "FENMARSH\\\\library desk", "encyclo.test")
        day.page(at + 4, "10.20.8.5", "FENMARSH\\\\library1", "http://news.test/?q=a%20b",
                 "text/html [Host:%20news.test%0D%0AAccept: */*%0D%0A] [HTTP/1.1 200 OK%0D%0AServer: made-up%0D%0A]")
    for who in rng.sample(people(), 120 if day.date.weekday() < 5 else 4):
        at, client = day.at("09:10") + rng.random() * 20_000, client_of(who)
        word = rng.choice(("fenland+drainage", "photosynthesis", "peterborough+bus+times", "quadratic+formula", "z%C3%B6e"))
        day.write(at, 0, client, "NONE_NONE/200", 0, "CONNECT seek.test:443", who.login)
        day.page(at + 0.2, client, who.login, f"https://seek.test/search?q={word}")


# What is planted ----------------------------------------------------------------------------------------------------


def hunt_and_bypass(day: Day) -> None:
    """Monday: a pupil tries four adult sites in Period 5, then an unblocker."""
    who, at = pupil(10, 3), day.at("14:18:10")
    for n in range(6):
        day.block(at + 40 * n, client_of(who), who.login, ADULT[n % 4])
    day.write(at + 250, 0, client_of(who), "TCP_DENIED/200", 0, "CONNECT unblockme.test:443", who.login)
    day.write(at + 250.02, 0, client_of(who), "NONE_NONE/403", 3912, "GET https://unblockme.test/", tail="text/html")
    day.tell(who.username, "pornography", "blocked", "deliberate", "four adult sites, six tries in four minutes of Period 5")
    day.tell(who.username, "bypass_web_proxy", "blocked", "deliberate", "an unblocker straight after the blocks")


def new_proxy(day: Day) -> None:
    """A new web proxy spreads through year 9: one pupil, three, nine, and from Thursday it is blocked."""
    step = day.date.weekday()
    for n in range((1, 3, 9, 9)[step]):
        who, at = pupil(9, n), day.at("10:14") + 47 * n
        allowed = step < 3
        for k in range(12 if allowed else 3):
            if allowed:
                day.tunnel(at + 31 * k, client_of(who), who.login, "www.hideaway.test", size=40_000 + 900 * k)
            else:
                day.block(at + 31 * k, client_of(who), who.login, "www.hideaway.test")
        day.tell(who.username, "bypass_web_proxy", "allowed" if allowed else "blocked", "deliberate",
                 "a new web proxy spreads through year 9")


def vpn_tunnel(day: Day) -> None:
    """Tuesday: a sixth former runs a VPN through two lessons; other traffic of the device stops."""
    who = pupil(12, 5)
    for n in range(4):
        day.tunnel(day.at("11:25") + 1500 * n, "10.40.3.12", who.login, "vpn-node1.fastvpn.test", 1_490_000, 46_000_000 + n)
    day.tell(who.username, "bypass_vpn_tunnel", "allowed", "deliberate", "four long tunnels to a VPN node in Periods 3 and 4")
    who = pupil(11, 8)
    for n in range(2):
        day.block(day.at("13:31") + 9 * n, client_of(who), who.login, "www.fastvpn.test")
    day.excuse(who.username, "bypass_vpn_site_visit", "blocked", "unclear", "looked at a VPN seller's page at lunch, once")


def sealed(day: Day, number: int, led: bool) -> None:
    """A block of the filter's illegal-content list; the planted name must never come out again."""
    who, host, at = pupil(8, 10 + number), f"zz-sealed-secret-{number}.invalid", day.at("10:31:07")
    if led:
        day.tunnel(at - 1.09, client_of(who), who.login, host, elapsed=90, size=900)
    day.write(at, 0, client_of(who), "TCP_DENIED/451", 3912, f"GET http://{host}/", who.login, tail="text/html")
    day.tell(who.username, "sealed", "blocked", "unclear", "one sealed item")


def wednesday(day: Day) -> None:
    """An accident from a search; games for most of a lesson, let through; gambling tried in a lesson."""
    who, at = pupil(7, 6), day.at("09:27")
    day.page(at, client_of(who), who.login, "https://seek.test/search?q=fen+beauty")
    day.block(at + 4, client_of(who), who.login, "adult-three.test")
    _stay(day, who.login, client_of(who), at + 11, "lessons.fenmarsh.test")
    day.tell(who.username, "pornography", "blocked", "accidental", "a result of a search, blocked; back at work in seven seconds")
    who = pupil(8, 4)
    for n in range(50):
        day.tunnel(day.at("10:08") + 42 * n, client_of(who), who.login, "play.playpark.test", size=30_000)
    day.tell(who.username, "games", "allowed", "deliberate", "35 minutes of games in Period 2, which the filter let through")
    who = pupil(11, 2)
    for n in range(5):
        day.block(day.at("12:41") + 55 * n, client_of(who), who.login, ("bets.test", "spinroom.test")[n % 2])
    day.tell(who.username, "gambling", "blocked", "deliberate", "two gambling sites, five tries in Period 4")


def thursday(day: Day) -> None:
    """Tor tried; a file put on a sharing site; messaging tried all through a lesson."""
    who = pupil(13, 7)
    for n in range(4):
        day.block(day.at("14:09") + 61 * n, client_of(who), who.login, "onion-entry.test")
    day.tell(who.username, "bypass_tor", "blocked", "deliberate", "an entry to Tor, four tries in Period 5")
    who = pupil(10, 11)
    for n in range(7):
        day.tunnel(day.at("11:40") + 30 * n, client_of(who), who.login, "up.dropbin.test", size=4_000, elapsed=25_000)
    day.tell(who.username, "file_sharing", "allowed", "deliberate", "seven long sends to a sharing site in Period 3")
    who = pupil(9, 20)
    for n in range(10):
        day.block(day.at("09:06") + 290 * n + (0, 41, 13, 57, 8)[n % 5], client_of(who), who.login, "chatter.test")
    day.tell(who.username, "messaging", "blocked", "deliberate", "ten tries at messaging over Period 1")


def friday(day: Day) -> None:
    """Social media let through in a lesson; a welfare matter; a mirror; a shared account; a guest."""
    who = pupil(9, 14)
    for n in range(30):
        day.tunnel(day.at("11:30") + 60 * n, client_of(who), who.login, "www.snapwall.test", size=80_000)
    day.tell(who.username, "social_media", "allowed", "deliberate", "30 minutes of social media in Period 3, let through")
    who = pupil(10, 16)
    for n in range(9):
        day.tunnel(day.at("13:26") + 70 * n, client_of(who), who.login, "thinline.test")
    day.tell(who.username, "eating_disorder", "allowed", "unclear", "nine pages at lunch: for the DSL, no sanction")
    who = pupil(8, 22)
    for n in range(14):
        day.tunnel(day.at("14:12") + 80 * n, client_of(who), who.login, "a7.mirror77.test", size=25_000)
    day.tell(who.username, "bypass_mirror_or_remote_desktop", "allowed", "deliberate", "a mirror of blocked games in Period 5")
    for n in range(5):
        day.block(day.at("10:20") + 30 * n, "10.20.7.3", "FENMARSH\\\\exam2", "playpark.test")
    day.excuse("exam2", "games", "blocked", "unclear", "a shared account: ask who sat there, never a pupil's record")
    day.block(day.at("18:20"), "10.99.0.14", "-", "adult-one.test")
    day.excuse("10.99.0.14", "pornography", "blocked", "unclear", "a guest of an evening letting")


def every_weekday(day: Day) -> None:
    """Look-alikes of every weekday: an advert, a class on one site, lunch, staff, a helpline, the edges of the night."""
    _advert(day)
    for n in range(24):  # the teacher puts a quiz on the board
        who = pupil(7, n)
        for k in range(5):
            day.tunnel(day.at("11:31:05") + day.rng.random() * 40 + 200 * k, client_of(who), who.login, "quizarena.test")
    day.excuse("24 of year 7", "games", "allowed", "background", "a quiz that the teacher put on the board")
    for n in range(12):
        who = pupil(12, n)
        for k in range(8):
            day.tunnel(day.at("13:25") + 120 * k + n, f"10.40.2.{n + 10}", who.login, "chatter.test")
    day.excuse("12 of year 12", "messaging", "allowed", "deliberate", "messaging at lunch")
    staff = people()[320]
    for n in range(4):
        day.tunnel(day.at("12:40") + 50 * n, client_of(staff), staff.login, "bets.test")
    day.excuse(staff.username, "gambling", "allowed", "deliberate", "a member of staff at 12:40: for the Principal only")
    who = pupil(9, 25)
    for n in range(3):
        day.tunnel(day.at("10:44") + 40 * n, client_of(who), who.login, "helpline.test")
    day.excuse("one pupil", "help_seeking", "allowed", "deliberate", "a helpline: never beside a name, not even here")
    for clock, after in (("23:59:59.500", 0), ("00:00:00.500", 1), ("03:59:58", 1), ("04:00:01", 1)):
        day.page(day.at(clock, after), "10.30.0.250", people()[300].login, "http://news.test/night")


def _advert(day: Day) -> None:
    """Forty people read one story in one minute; 300 ms later each page asks for an advert of an adult site."""
    for who in day.rng.sample(people()[:300], 40):
        at = day.at("13:35") + day.rng.random() * 55
        day.page(at, client_of(who), who.login, "http://news.test/story/1")
        day.block(at + 0.38, client_of(who), who.login, "ads.adult-two.test")
    day.excuse("40 pupils", "pornography", "blocked", "background", "an adult advert 300 ms after a news page, one minute")


def planted(day: Day) -> None:
    """All that is planted on the day."""
    step = (day.date - WEEK).days
    if day.date.weekday() < 5:
        every_weekday(day)
    if step in range(4):
        new_proxy(day)
    for story in {0: (hunt_and_bypass,), 1: (vpn_tunnel,), 2: (wednesday,), 3: (thursday,), 4: (friday,)}.get(step, ()):
        story(day)
    if step in (1, 3):
        sealed(day, 1 if step == 1 else 2, step == 1)


# Files --------------------------------------------------------------------------------------------------------------


def make_day(of: date) -> Day:
    """A day's lines, in the order Squid would have written them, three of them torn."""
    day = Day(of, random.Random(of.toordinal()))
    ordinary(day)
    planted(day)
    day.lines.sort()
    for part in (0.31, 0.5, 0.77):
        place = int(len(day.lines) * part)
        while ".invalid" in day.lines[place][1]:
            place += 1
        at, text = day.lines[place]
        day.lines[place] = at, text[:37] + "\n"
    return day


def write_days(folder: Path, days: list[date]) -> None:
    """Write each day's log, and what is planted in them."""
    truth, innocent = [list(TELL)], [list(TELL)]
    for of in days:
        day = make_day(of)
        (folder / f"access-{of}.log").write_text("".join(text for _, text in day.lines), "utf-8", newline="\n")
        truth += day.truth
        innocent += day.innocent
    for name, rows in (("truth.csv", truth), ("innocent.csv", innocent)):
        with (folder / name).open("w", newline="", encoding="utf-8") as out:
            csv.writer(out, lineterminator="\n").writerows(rows)


def write_people(path: Path) -> None:
    """people.csv, as an MIS would export it."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["username", "name", "role", "year", "house", "valid_from", "valid_to"])
        rows.writerows([p.username, p.name, p.role, p.year, p.house, "2026-09-01", ""] for p in people())


def main() -> None:
    """Write what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--to", type=Path, help="folder to write to")
    words.add_argument("--days", type=int, default=6, help="how many days of the week, from Monday")
    words.add_argument("--day", type=date.fromisoformat, help="one day alone")
    words.add_argument("--people", type=Path, help="write people.csv here")
    asked = words.parse_args()
    if asked.people:
        write_people(asked.people)
    if not asked.to:
        return
    asked.to.mkdir(parents=True, exist_ok=True)
    write_days(asked.to, [asked.day] if asked.day else [WEEK + timedelta(days=n) for n in range(asked.days)])


if __name__ == "__main__":
    main()
