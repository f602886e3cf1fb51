"""The made-up school: its people, and Squid logs of a school week, the same bytes at every run.

    python sample_logs/generate.py --to DIR             the week, one log a day
    python sample_logs/generate.py --to DIR --day D     one day alone, such as 2026-10-25 (the clocks go back)
    python sample_logs/generate.py --to DIR --lines N   one log of N lines, for measuring
    python sample_logs/generate.py --people FILE        people.csv

All names and sites are invented; sites stand under reserved endings. What is planted is told in DIR/truth.csv.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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
LESSON = ("lessons.fenmarsh.test", "maths.learnwell.test", "dictionary.test", "encyclo.test", "mail.fenmarsh.test")
LEISURE = ("friendly.test", "clips.test", "playpark.test", "chatter.test", "news.test", "shop.test", "football.test")
BACKGROUND = ("ads.admarket.test", "px.trackwell.test", "cdn.fastedge.test", "update.devices.test", "telemetry.devices.test")


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


@dataclass(frozen=True)
class Logged:
    """One line to be: when (UTC seconds), and the line's own parts."""

    at: float
    elapsed: int
    client: str
    verdict: str
    size: int
    method: str
    url: str
    user: str
    type: str = "-"

    def text(self) -> str:
        """The line as Squid writes it."""
        peer = "HIER_NONE/-" if self.size == 0 or "DENIED" in self.verdict else "HIER_DIRECT/203.0.113.9"
        return (f"{self.at:.3f} {self.elapsed:6d} {self.client} {self.verdict} {self.size} {self.method} {self.url} "
                f"{self.user} {peer} {self.type}\n")


def _tunnel(rng: random.Random, at: float, who: Pupil, client: str, host: str, verdict: str = "TCP_TUNNEL/200") -> Logged:
    elapsed = min(int(rng.expovariate(1 / 4000)), 900_000)
    return Logged(at + elapsed / 1000, elapsed, client, verdict, 0 if "DENIED" in verdict else rng.randrange(900, 90_000),
                  "CONNECT", f"{host}:443", who.login)


def _stay(rng: random.Random, at: float, who: Pupil, client: str, host: str) -> Iterator[Logged]:
    """A stay on a site: its own requests, and what its pages bring along."""
    for _ in range(rng.randrange(3, 14)):
        yield _tunnel(rng, at, who, client, host)
        if rng.random() < 0.6:
            yield _tunnel(rng, at + rng.random(), who, client, rng.choice(BACKGROUND))
        at += rng.expovariate(1 / 20)


def ordinary(rng: random.Random, day: date, everyone: list[Pupil]) -> Iterator[Logged]:
    """An ordinary day: lessons, breaks, and devices that talk to themselves at all hours."""
    for number, who in enumerate(everyone):
        client = f"10.{20 if who.role == 'student' else 30}.{number // 200}.{number % 200 + 10}"
        for hour in (9.1, 10.2, 11.05, 11.5, 12.5, 13.4, 14.2, 15.3):
            if day.weekday() < 5 and rng.random() < 0.75:
                sites = LEISURE if hour in (11.05, 13.4, 15.3) else LESSON
                yield from _stay(rng, _at(day, hour + rng.random() * 0.5), who, client, rng.choice(sites))
        for _ in range(10):
            yield _tunnel(rng, _at(day, 4 + rng.random() * 23.9), who, client, rng.choice(BACKGROUND[3:]))
        if rng.random() < 0.5:
            yield Logged(_at(day, 8 + rng.random() * 7), 0, client, "TCP_DENIED/407", 4012, "CONNECT", "mail.fenmarsh.test:443",
                         "-", "text/html")


def planted(rng: random.Random, day: date, everyone: list[Pupil]) -> Iterator[tuple[Logged, str]]:
    """What is planted on a day, each with the story it belongs to ('' for oddities of the log)."""
    who, other, staff = everyone[17 + day.day], everyone[60 + day.day], everyone[320]
    at = _at(day, 14.3)
    for n in range(6):
        yield (Logged(at + 40 * n, 1, "10.20.0.27", "TCP_DENIED/403", 3900, "GET", f"http://adult-{n % 4 + 1}.test/", who.login,
                      "text/html"), f"{who.username},pornography,blocked,deliberate")
    yield (Logged(at + 250, 1, "10.20.0.27", "TCP_DENIED/200", 0, "CONNECT", "unblockme.test:443", who.login),
           f"{who.username},bypass_web_proxy,blocked,deliberate")
    yield (Logged(at + 250.02, 0, "10.20.0.27", "NONE_NONE/403", 3900, "GET", "https://unblockme.test/", "-", "text/html"), "")
    yield (_tunnel(rng, _at(day, 12.67), staff, "10.30.1.20", "bets.test"), f"{staff.username},gambling,allowed,unclear")
    yield (_tunnel(rng, _at(day, 10.1), other, "10.20.0.70", "helpline.test"), "")
    midnight = _at(day, 23.999)
    yield (Logged(midnight, 0, "2001:db8::77", "TCP_MISS/200", 812, "GET", "http://news.test/?q=a%20b", "-", "text/html"), "")
    yield (Logged(_at(day, 9.7), 0, "10.20.0.9", "NONE_NONE/000", 0, "-", "error:transaction-end-before-headers", "-"), "")
    if day == WEEK + timedelta(days=1):
        secret = "zz-sealed-secret-1.invalid"
        yield (Logged(_at(day, 10.5), 90, "10.20.0.80", "TCP_TUNNEL/200", 900, "CONNECT", f"{secret}:443", other.login), "")
        yield (Logged(_at(day, 10.5) + 1, 0, "10.20.0.80", "TCP_DENIED/451", 3900, "GET", f"http://{secret}/", other.login,
                      "text/html"), f"{other.username},illegal_csam,blocked,sealed")


def _at(day: date, hour: float) -> float:
    """UTC seconds of a local hour of the day; 27.5 is half past three on the next."""
    start = datetime.combine(day, time(0), LONDON).astimezone(UTC)
    noon = datetime.combine(day, time(12), LONDON).astimezone(UTC)
    return (noon.timestamp() - 43_200 + hour * 3600) if hour >= 4 else start.timestamp() + hour * 3600


def write_day(folder: Path, day: date) -> list[list[str]]:
    """Write one day's log, in the order Squid would have written it; the truth planted in it."""
    rng, everyone = random.Random(day.toordinal()), people()
    told = list(planted(rng, day, everyone))
    lines = sorted([*ordinary(rng, day, everyone), *(line for line, _ in told)], key=lambda line: line.at)
    texts = [line.text() for line in lines]
    texts[len(texts) // 2] = texts[len(texts) // 2][:37] + "\n"  # torn by a full disk
    (folder / f"access-{day}.log").write_text("".join(texts), "utf-8")
    return [[str(day), *story.split(",")] for story in dict.fromkeys(story for _, story in told if story)]


def write_lines(folder: Path, count: int) -> None:
    """One log of exactly `count` lines over one school day, quickly: for measuring."""
    rng, everyone = random.Random(1), people()
    hosts = [f"www.site{n}.test" for n in range(20_000)] + list(LESSON + LEISURE + BACKGROUND) * 400
    start = int(_at(WEEK, 8) * 1000)
    with (folder / f"bench-{count}.log").open("w") as out:
        for first in range(0, count, 50_000):
            block = min(50_000, count - first)
            picks = rng.choices(range(len(everyone)), k=block)
            wheres = rng.choices(hosts, k=block)
            rolls = rng.choices(range(90_000), k=block)
            out.writelines(_bench_line(start + (first + n) * 28_800_000 // count, everyone[who].login, who, host, roll)
                           for n, (who, host, roll) in enumerate(zip(picks, wheres, rolls, strict=True)))


def _bench_line(ms: int, login: str, who: int, host: str, roll: int) -> str:
    begin = f"{ms // 1000}.{ms % 1000:03d} {roll // 9:6d} 10.20.{who // 200}.{who % 200}"
    if roll % 10 < 7:
        return f"{begin} TCP_TUNNEL/200 {roll} CONNECT {host}:443 {login} HIER_DIRECT/203.0.113.9 -\n"
    verdict = "TCP_DENIED/403" if roll % 100 == 7 else "TCP_MISS/200"
    return f"{begin} {verdict} {roll} GET http://{host}/page/{roll}?q={roll % 77} {login} HIER_DIRECT/203.0.113.9 text/html\n"


def write_people(path: Path) -> None:
    """people.csv, as an MIS would export it."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["username", "name", "role", "year", "house", "valid_from", "valid_to"])
        rows.writerows([p.username, p.name, p.role, p.year, p.house, "2026-09-01", ""] for p in people())


def main() -> None:
    """Write what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--to", type=Path)
    words.add_argument("--day", type=date.fromisoformat)
    words.add_argument("--lines", type=int)
    words.add_argument("--people", type=Path)
    asked = words.parse_args()
    if asked.people:
        write_people(asked.people)
    if not asked.to:
        return
    asked.to.mkdir(parents=True, exist_ok=True)
    if asked.lines:
        write_lines(asked.to, asked.lines)
        return
    days = [asked.day] if asked.day else [WEEK + timedelta(days=n) for n in range(6)]
    truth = [row for day in days for row in write_day(asked.to, day)]
    with (asked.to / "truth.csv").open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([["day", "user", "category", "outcome", "intent"], *truth])


if __name__ == "__main__":
    main()
