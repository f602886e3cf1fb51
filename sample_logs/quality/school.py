"""The measured school: other people, bells, networks and names than the repository's own made-up school."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import rulefiles

from .names import FIRST, LAST, dice

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 9, 21)       # in British Summer Time: the school's clock is not UTC
LEAD_IN = 2                      # school days before it, ordinary and without labels, so that the school has a history
CHROMEBOOK = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/604.1"
BELLS = (("before_school", "Arrival", "07:45", "08:30"), ("registration", "Tutor time", "08:30", "08:45"),
         ("lesson", "Period 1", "08:45", "09:35"), ("lesson", "Period 2", "09:35", "10:25"), ("break", "Break", "10:25", "10:45"),
         ("lesson", "Period 3", "10:45", "11:35"), ("lesson", "Period 4", "11:35", "12:25"), ("lunch", "Lunch", "12:25", "13:10"),
         ("lesson", "Period 5", "13:10", "14:00"), ("lesson", "Period 6", "14:00", "14:50"),
         ("after_school", "Clubs", "14:50", "16:45"))
STUDY = ("Period 2", "Period 5")  # of years 12 and 13: study, not lessons
LESSONS = tuple((name, start) for band, name, start, _ in BELLS if band == "lesson")
PAUSES = (("before_school", "08:00"), ("break", "10:27"), ("lunch", "12:30"), ("after_school", "14:58"))
SIXTH = (12, 13)
NAME = "Wharfside Academy"


@dataclass(frozen=True)
class Seat:
    """A person at a device: the client address, the login in the log ('-': none), the browser, and whether TLS stays closed."""

    client: str
    user: str
    agent: str
    closed: bool = False

    @property
    def who(self) -> str:
        """Whom the log can name: the login, else the address."""
        return self.client if self.user == "-" else self.user


@dataclass(frozen=True)
class Person:
    """One made-up person, at a school device and perhaps with a phone of their own on the school's Wi-Fi."""

    login: str
    name: str
    role: str
    year: int
    seat: Seat
    phone: Seat | None = None


@dataclass
class School:
    """Everybody in the school, by group."""

    people: list[Person] = field(default_factory=list)

    def pupils(self, *years: int) -> list[Person]:
        """Pupils of these year groups; of all when none is named."""
        return [p for p in self.people if p.role == "student" and (not years or p.year in years)]

    def staff(self, role: str = "staff") -> list[Person]:
        """Staff of that role."""
        return [p for p in self.people if p.role == role]


SHARED = Seat("172.20.60.9", "kiosk3", WINDOWS)
GUEST = Seat("172.28.0.44", "-", PHONE, closed=True)


def make(seed: int, per_year: int = 44, staff: int = 42) -> School:
    """The people of the school of that seed: `per_year` pupils in each of seven years, and `staff`, two of them technicians."""
    rng, school, taken = dice(seed, "people"), School(), set[str]()
    roles = [("student", year) for year in range(7, 14) for _ in range(per_year)]
    roles += [("technical_staff" if n < 2 else "staff", 0) for n in range(staff)]
    for n, (role, year) in enumerate(roles):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        stem = f"{last.lower()}{33 - year - 7}" if year else f"{last.lower()}-{first[0].lower()}"
        login = next(name for k in range(99) if (name := f"{first[:2 + k].lower()}.{stem}" if k < 8
                                                 else f"z{k}.{stem}") not in taken)
        taken.add(login)
        block, place = divmod(n, 200)
        agent = CHROMEBOOK if 0 < year < 12 else WINDOWS
        seat = Seat(f"172.{20 if year else 21}.{10 + block}.{place + 20}", login, agent)
        signed = login if rng.random() < 0.5 else "-"   # some sign in on the Wi-Fi, some devices are only an address
        phone = Seat(f"172.24.{block}.{place + 20}", signed, PHONE, closed=True) if year == 0 or year in SIXTH else None
        school.people.append(Person(login, f"{first} {last}", role, year, seat, phone))
    return school


def moment(day: date, clock: str, seconds: float = 0) -> float:
    """UTC seconds of a time of the school's clock on that day, and so many seconds more."""
    return datetime.combine(day, time.fromisoformat(clock), LONDON).timestamp() + seconds


def band_of(at: float, year: int) -> str:
    """The calendar band of a moment for a year group (0: staff, by everybody's bells); closed outside all."""
    local = datetime.fromtimestamp(at, LONDON)
    clock = local.strftime("%H:%M")
    for band, name, start, end in BELLS:
        if start <= clock < end and local.weekday() < 5:
            return "study" if year in SIXTH and name in STUDY else band
    return "closed"


def days(weeks: int) -> list[date]:
    """The school days of the measure: two of lead-in, then the weeks."""
    lead = [MONDAY - timedelta(days=n) for n in range(LEAD_IN + 2, 2, -1)]
    return lead + [MONDAY + timedelta(days=7 * week + n) for week in range(weeks) for n in range(5)]


def settings() -> str:
    """The school's school.toml."""
    def rows(bells: Iterable[tuple[str, str, str, str]], years: str = "") -> str:
        return "".join(f'    {{ band = "{b}", period = "{p}", start = "{s}", end = "{e}"{years} }},\n' for b, p, s, e in bells)
    sixth = [("study" if name in STUDY else band, name, start, end) for band, name, start, end in BELLS]
    return f'''name = "{NAME}"
years = ["7", "8", "9", "10", "11", "12", "13"]
pupils_on_roll = 308
small_number = 5
keys = "var/keys"

[calendar]
timezone = "Europe/London"
terms = [{{ name = "autumn", first = 2026-09-03, last = 2026-10-23 }}]
bands = [
{rows(BELLS)}{rows(sixth, ', years = ["12", "13"]')}]

[[networks]]
name = "classroom devices"
cidr = "172.20.0.0/16"

[[networks]]
name = "staff laptops"
cidr = "172.21.0.0/16"
actor = "staff"

[[networks]]
name = "bring your own"
cidr = "172.24.0.0/16"

[[networks]]
name = "visitors"
cidr = "172.28.0.0/16"
actor = "guest"

[[accounts]]
pattern = "^(kiosk|exam|cover)[0-9]*$"
actor = "shared"

[[accounts]]
pattern = "[0-9]{{2}}$"
actor = "student"

[[accounts]]
pattern = "-[a-z]$"
actor = "staff"

[retention]
lines_days = 90
visits_days = 90
incidents_days = 730
registers_years = 6

[nominated]
UA-16 = ["finance-o"]
'''


def people_csv(school: School) -> str:
    """people.csv, as an MIS would export it."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["username", "name", "role", "year", "house", "valid_from", "valid_to"])
    rows.writerows([p.login, p.name, p.role, p.year or "", "", "2026-09-01", ""] for p in school.people)
    return out.getvalue()


def write_folder(folder: Path, school: School, listed: Mapping[str, Iterable[str]], own: Mapping[str, str]) -> None:
    """Make the school's folder: the repository's rules, its own settings, and its lists with `listed` names by category added.

    `own`: what stands on the school's own list (entry, category).
    """
    rulefiles.make_folder(folder)
    (folder / "school.toml").write_text(settings(), "utf-8")
    (folder / "people.csv").write_text(people_csv(school), "utf-8")
    for category, names in listed.items():
        path = folder / f"rules/lists/{category}.txt"
        before = path.read_text("utf-8") if path.exists() else ""
        path.write_text(before.rstrip("\n") + "\n" + "".join(f"{name}\n" for name in sorted(names)), "utf-8")
    with (folder / "rules/lists/own.csv").open("a", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows([entry, category, "used for lessons", "Network Manager", ""]
                                                       for entry, category in sorted(own.items()))
