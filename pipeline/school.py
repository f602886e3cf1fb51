"""`school.toml` and `people.csv`, as text in and values out, every fault at once."""

from __future__ import annotations

import csv
import io
import ipaddress
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from fnmatch import fnmatch
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.problems import Problem
from pipeline.schoolday import Band, Calendar, Term, read_date

Actor = Literal["student", "staff", "technical_staff", "governor", "guest", "shared", ""]
ROLES = ("student", "staff", "technical_staff", "governor", "guest", "shared")


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression ({error})") from None
    return value


def _cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(f"is not a network such as 10.20.0.0/16 ({error})") from None
    return value


def _clock(value: str) -> str:
    try:
        datetime.strptime(value, "%H:%M")
    except ValueError:
        raise ValueError(f"'{value}' is not a time of the school's clock such as 08:40") from None
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # an unknown name, or what is no name at all
        raise ValueError(f"'{value}' is not a time zone such as Europe/London") from None
    return value


def minute(clock: str) -> time:
    """A checked time of school.toml, such as 08:40."""
    return datetime.strptime(clock, "%H:%M").time()


def _steady(value: str) -> str:
    """A time at which a job may start: '' for never, and not in the hour that a clock change skips or repeats."""
    if value and minute(_clock(value)).hour == 1:
        raise ValueError(f"'{value}' is missing on one night of March and comes twice on one of October; take 02:00 or later")
    return value


def _mailbox(value: str) -> str:
    """A mail address that can stand in a header and an envelope as it is."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", value):
        raise ValueError(f"'{value}' is not a mail address such as dsl@school.example")
    return value


def _reader(value: str) -> str:
    """A folder of reports/ that the program writes."""
    if not re.fullmatch(r"technical|safeguarding|principal|leadership|governors|(year|house)-[a-z0-9-]+", value):
        raise ValueError(f"'{value}' is no reader such as safeguarding or year-9")
    return value


Clock = Annotated[str, AfterValidator(_clock)]
Start = Annotated[str, AfterValidator(_steady)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Reader = Annotated[str, AfterValidator(_reader)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(_Part):
    """A network of the school: name, CIDR, and who is on it when the log names nobody."""

    name: str = Field(description="what pages call it")
    cidr: Annotated[str, AfterValidator(_cidr)] = Field(description="its addresses, such as 10.20.0.0/16; the narrowest counts")
    actor: Actor = Field("", description="who is on it when the log names nobody: " + ", ".join(ROLES))
    devices: Literal["", "school", "own"] = Field("", description="whose devices are on it: school, or own (people's own phones "
                                                  "and laptops, where two of one person side by side are ordinary); left out: "
                                                  "own where guests are on it or its name says so")

    @property
    def personal(self) -> bool:
        """Whether people's own devices are on it."""
        said = self.actor == "guest" or bool(re.search(r"\b(own|byod|guests?|visitors?|personal|phones?|mobiles?)\b", self.name,
                                                       re.IGNORECASE))
        return self.devices == "own" or (self.devices == "" and said)


class Account(_Part):
    """What logins of a kind look like: a regular expression, and the actor it means."""

    pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        description="a regular expression on the login without its domain, in lower case; the first that fits counts")
    actor: Actor = Field(description="whose login that is, where people.csv does not say")


class Log(_Part):
    """What a log is, where its lines do not say it."""

    name: str = Field(description="a pattern of file names, such as dns*.log; the first that fits counts")
    format: str = Field("", description="name of its format, where the lines should not decide (`schoolgate formats`)")
    zone: Annotated[str, AfterValidator(_zone)] | Literal[""] = Field("", description="zone of times that say none; "
                                                                                      "left out: the school's")
    dates: Literal["dmy", "mdy", ""] = Field("", description="order of day and month in its dates, where no date decides")
    rank: int | None = Field(None, ge=1, description="a visit seen by two logs counts once, in the one of the lower rank; "
                                                     "left out: 1, 2 for a firewall's or a sensor's, 3 for a resolver's")


class Retention(_Part):
    """How long things are kept, in days (registers in years)."""

    lines_days: int = Field(90, ge=1, description="days that the lines of the logs are kept")
    visits_days: int = Field(90, ge=1, description="days that visits, verdicts and detections are kept; not before their lines")
    incidents_days: int = Field(730, ge=1, description="days that decided incidents are kept, and pages that name people")
    pages_days: int = Field(730, ge=1, description="days that the pages of a day are kept; not after their incidents, where they "
                                                   "name people, and not before their visits")
    summaries_years: int = Field(6, ge=1, description="years that the summaries of a term are kept")
    registers_years: int = Field(6, ge=1, description="years that breaches, changes and looks at names are kept")


class Triage(_Part):
    """When a rule that people find wrong is proposed for watch."""

    precision: float = Field(0.5, gt=0, le=1, description="share of a rule's incidents, looked at, that people should confirm")
    least: int = Field(5, ge=1, description="incidents looked at in four weeks, below which nothing is said of a rule")


class Place(_Part):
    """A place at which the filter must be tested."""

    device_class: str = Field(min_length=1, description="what is tested on, such as laptop, as checks name it")
    user_group: str = Field(min_length=1, description="whose profile, such as students")
    site: str = Field(min_length=1, description="a building or a network")


class Checks(_Part):
    """Where the filter must be tested, and how often."""

    every_days: int = Field(120, ge=1, description="days after which a place is to be tested again: once a term")
    places: tuple[Place, ...] = Field((), description="where it must be tested; none named: each device class, group and site "
                                                      "of the log of checks, with every other")


class Reveals(_Part):
    """When a second person approves that names are shown."""

    second_from: int | None = Field(None, ge=2, description="people in one export with names, from which on another login must "
                                                            "have approved it (`schoolgate access approve`); not given: none "
                                                            "need have, and the monthly list says that nobody did")


class Schedule(_Part):
    """When `schoolgate schedule` has its jobs started, on the school's clock; '' leaves a job out."""

    logs: tuple[str, ...] = Field(("/var/log/squid/access.log*",), min_length=1,
                                  description="the logs, folders of logs or patterns that the night reads")
    lists: Start = Field("02:30", description="when imported lists are updated: before the night that judges by them")
    night: Start = Field("03:15", description="when the night runs: before 04:00, so that it is for the day that ends then")
    purge: Start = Field("05:15", description="when the purge runs: after the night, which must not be at work")
    upkeep: Start = Field("05:45", description="when the weekly, termly and yearly jobs run")
    mail: Start = Field("07:00", description="when mails say that a report is ready: before registration")
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "saturday", description="the day of the weekly job, in weeks with a school day")


class Mail(_Part):
    """The server that takes the mails, and who gets one; without a server there is no mail."""

    server: str = Field("", pattern=r"^[A-Za-z0-9.:_-]*$", description="name of the SMTP server; left out: no mail is sent")
    port: int = Field(587, ge=1, le=65535, description="its port: 587 for starttls, 465 for tls")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls, or none: that only to a server on this machine")
    ca: str = Field("", description="file with the certificate of the school's own authority; left out: those the machine trusts")
    user: str = Field("", description="login at the server; left out: none is needed")
    secret: str = Field("var/keys/smtp", description="file that holds its password, readable by its owner alone (0600)")
    sender: Mailbox | Literal[""] = Field("", description="the address that mails come from")
    where: str = Field("", description="where readers find reports/, as they would type it; left out: its path on this machine")
    timeout_seconds: int = Field(30, ge=1, le=600, description="how long the server may take for an answer")
    tries: int = Field(3, ge=1, le=10, description="how often one run tries, where the server is away or asks for patience")
    to: dict[Reader, tuple[Mailbox, ...]] = Field({}, description="reader = addresses; readers: technical, safeguarding, "
                                                                  "principal, leadership, governors, or a cohort such as year-9")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.server and not self.sender:
            raise ValueError("has a server but no sender")
        if self.security == "none" and self.server not in ("", "localhost", "127.0.0.1", "::1"):
            raise ValueError(f"security = \"none\" is for a server on this machine, and {self.server} is elsewhere")
        if self.security == "none" and self.user:
            raise ValueError("would give the password away: a login needs starttls or tls")
        return self


class _Term(_Part):
    name: str = Field(description="autumn, spring or summer; a half-term is two rows with one name")
    first: date = Field(description="its first day")
    last: date = Field(description="its last day")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        return self


class _Band(_Part):
    band: Literal["before_school", "registration", "lesson", "break", "lunch", "after_school", "study"] = Field(
        description="what it is to the policy: before_school, registration, lesson, break, lunch, after_school or study")
    period: str = Field(description="what people call it, such as Period 3")
    start: Clock = Field(description="when it begins on the school's clock, such as 08:40")
    end: Clock = Field(description="when it ends; bands of the same year groups must not overlap")
    years: tuple[str, ...] = Field((), description="the year groups with bells of their own; none: everybody else")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if minute(self.end) <= minute(self.start):
            raise ValueError(f"{self.period} ends at {self.end}, not after it begins at {self.start}")
        return self


def _apart(bands: tuple[_Band, ...]) -> tuple[_Band, ...]:
    """The bands of one set of year groups must not overlap."""
    said = []
    ordered = sorted(bands, key=lambda band: minute(band.start))
    for n, earlier in enumerate(ordered):
        for later in ordered[n + 1:]:
            shared = set(earlier.years) & set(later.years) or earlier.years == later.years
            if shared and minute(later.start) < minute(earlier.end):
                said.append(f"{later.period} begins at {later.start}, before {earlier.period} ends at {earlier.end}")
    if said:
        raise ValueError("; ".join(said))
    return bands


class _Calendar(_Part):
    timezone: Annotated[str, AfterValidator(_zone)] = Field("Europe/London", description="the zone of the school's clock")
    terms: tuple[_Term, ...] = Field(description="when school is open")
    closed: tuple[date, ...] = Field((), description="days inside a term without pupils: bank holidays, INSET days")
    bands: Annotated[tuple[_Band, ...], AfterValidator(_apart)] = Field(description="the parts of a school day")


class Settings(_Part):
    """`school.toml` as it may be written; the descriptions are the README's."""

    name: str = Field(description="name of the school, as pages print it")
    years: list[str] = Field(description="its year groups, as people.csv writes them")
    pupils_on_roll: int = Field(gt=0, description="how many pupils: what counts are set against")
    triage: Triage = Field(Triage.model_validate({}), description="when a rule is proposed for watch")
    small_number: int = Field(5, ge=3, description="counts below this are withheld from leadership and governors; at least 3")
    keys: str = Field("var/keys", description="folder of the keys; in a real school one that no backup of the data holds")
    calendar: _Calendar = Field(description="when the school is open")
    networks: list[Network] = Field([], description="the school's networks, one `[[networks]]` each")
    accounts: list[Account] = Field([], description="what logins of a kind look like, one `[[accounts]]` each")
    logs: list[Log] = Field([], description="what a log is, where its lines do not say it, one `[[logs]]` each")
    sealed: dict[str, list[str]] = Field({}, description="per log format, the verdicts that the filter gives for its "
                                                         "illegal-content list alone, such as `squid = [\"451\"]`")
    roles: dict[str, str] = Field({}, description="computer login = role, for whoever decides: dsl, deputy_dsl or principal")
    groups: dict[str, str] = Field({}, description="reader = group of the machine that may read that reader's pages; "
                                                   "readers: technical, safeguarding, principal, leadership, "
                                                   "governors, access (who looked at whom), and year-9 or house-heron for "
                                                   "a Head of Year or House")
    retention: Retention = Field(description="how long things are kept")
    checks: Checks = Field(Checks.model_validate({}), description="where the filter must be tested, and how often")
    reveals: Reveals = Field(Reveals.model_validate({}), description="when a second person approves that names are shown")
    schedule: Schedule = Field(Schedule.model_validate({}), description="when jobs run, as `schoolgate schedule` prints them")
    mail: Mail = Field(Mail.model_validate({}), description="who is told that a report is ready, and through which server")
    nominated: dict[str, list[str]] = Field({}, description="row of table 6.1 = logins that the school has nominated for it")


@dataclass(frozen=True)
class School:
    """One school's settings; see the comments of school.toml for each."""

    name: str
    calendar: Calendar
    years: list[str]
    networks: list[Network]
    accounts: list[Account]
    logs: list[Log]
    sealed: dict[str, list[str]]
    roles: dict[str, str]
    groups: dict[str, str]
    retention: Retention
    checks: Checks
    reveals: Reveals
    schedule: Schedule
    mail: Mail
    keys: str
    triage: Triage
    small_number: int
    pupils_on_roll: int
    nominated: dict[str, list[str]]


def said_of(school: School, name: str) -> Log | None:
    """What school.toml says of a log of that file name: the first pattern that fits."""
    return next((log for log in school.logs if fnmatch(name, log.name)), None)


@dataclass(frozen=True)
class Person:
    """One person of people.csv, valid from and until (both included; None: open)."""

    username: str
    name: str
    role: str
    year: str
    house: str
    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, day: date) -> bool:
        """Whether the row speaks of that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def read_school(text: str, where: str = "school.toml") -> tuple[School | None, list[Problem]]:
    """The school that `text` describes, or None and every fault in it."""
    try:
        says = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(where, f"is not TOML: {error}", "the line it names, for a quote or bracket left open")]
    try:
        file = Settings.model_validate(says)
    except ValidationError as error:
        return None, [_fault(where, fault) for fault in error.errors()]
    calendar = Calendar(file.calendar.timezone,
                        tuple(Term(t.name, t.first, t.last) for t in file.calendar.terms), frozenset(file.calendar.closed),
                        tuple(Band(b.band, b.period, minute(b.start), minute(b.end), b.years)
                              for b in file.calendar.bands))
    rest = {name: getattr(file, name) for name in School.__dataclass_fields__ if name != "calendar"}
    return School(calendar=calendar, **rest), []


def _fault(where: str, fault: Any) -> Problem:
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"])
    what = str(fault["msg"]).removeprefix("Value error, ")
    what = what if fault["type"] == "value_error" else what[:1].lower() + what[1:]
    tips = {"missing": f"adding {key}", "extra_forbidden": "the names in the comments of `schoolgate init`"}
    return Problem(f"{where}, {key}", what, tips.get(fault["type"], "the comment beside it in the file"))


def read_people(text: str, where: str = "people.csv") -> tuple[list[Person], list[Problem]]:
    """The people of an MIS export, and a problem for each row that cannot be used; the other rows are kept."""
    people: list[Person] = []
    problems: list[Problem] = []
    earlier: dict[str, list[Person]] = {}
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), skipinitialspace=True)
    lacking = {"username", "name", "role"} - {(name or "").strip().lower() for name in rows.fieldnames or ()}
    if lacking:
        return [], [Problem(where, f"has no column {', '.join(sorted(lacking))}", "a first line with those names")]
    for row in rows:
        clean = {(k or "").strip().lower(): (v or "").strip() for k, v in row.items() if isinstance(v, str) or v is None}
        if not any(clean.values()):
            continue
        try:
            person = _person(clean)
            _alone(person, earlier.setdefault(person.username.lower(), []))
        except ValueError as error:
            problems.append(Problem(f"{where}, line {rows.line_num}", str(error), "mending that cell; the row was left out"))
        else:
            people.append(person)
            earlier[person.username.lower()].append(person)
    return people, problems


def _alone(person: Person, earlier: list[Person]) -> None:
    """One login is one person on one day: a second row for it needs other dates."""
    since, until = person.valid_from or date.min, person.valid_to or date.max
    if until < since:
        raise ValueError(f"valid_to {until} is before valid_from {since}")
    if any(since <= (other.valid_to or date.max) and (other.valid_from or date.min) <= until for other in earlier):
        raise ValueError("stands in an earlier line for the same dates")


def _person(row: dict[str, str]) -> Person:
    if not row["username"]:
        raise ValueError("has no username")
    if row["role"] not in ROLES:
        raise ValueError(f"role '{row['role']}' is not one of {', '.join(ROLES)}")
    return Person(row["username"], row["name"], row["role"], row.get("year", ""), row.get("house", ""),
                  day(row.get("valid_from", "")), day(row.get("valid_to", "")))


def day(text: str) -> date | None:
    """A date as 2026-09-01 or 01/09/2026 (day first); None for an empty cell; ValueError says what else it is."""
    found = read_date(text)
    if text and found is None:
        raise ValueError(f"'{text}' is not a date such as 2026-09-01 or 01/09/2026")
    return found
