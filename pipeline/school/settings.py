"""`school.toml` as it may be written: every table and every setting, with the sentence that the README has of it."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.school.timetable import Timetable
from pipeline.school.validators import ROLES, Actor, Cidr, Mailbox, Part, Pattern, Reader, Start, Zone


class Network(Part):
    """A network of the school: name, CIDR, and who is on it when the log names nobody."""

    name: str = Field(description="what pages call it")
    cidr: Cidr = Field(description="its addresses, such as 10.20.0.0/16; the narrowest counts")
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


class Account(Part):
    """What logins of a kind look like: a regular expression, and the actor it means."""

    pattern: Pattern = Field(
        description="a regular expression on the login without its domain, in lower case; the first that fits counts")
    actor: Actor = Field(description="whose login that is, where people.csv does not say")


class Log(Part):
    """What a log is, where its lines do not say it."""

    name: str = Field(description="a pattern of file names, such as dns*.log; the first that fits counts")
    format: str = Field("", description="name of its format, where the lines should not decide (`schoolgate formats`)")
    zone: Zone | Literal[""] = Field("", description="zone of times that say none; left out: the school's")
    dates: Literal["dmy", "mdy", ""] = Field("", description="order of day and month in its dates, where no date decides")
    rank: int | None = Field(None, ge=1, description="a visit seen by two logs counts once, in the one of the lower rank; "
                                                     "left out: 1, 2 for a firewall's or a sensor's, 3 for a resolver's")


class Retention(Part):
    """How long things are kept, in days (registers in years)."""

    lines_days: int = Field(90, ge=1, description="days that the lines of the logs are kept")
    visits_days: int = Field(90, ge=1, description="days that visits, verdicts and detections are kept; not before their lines")
    incidents_days: int = Field(730, ge=1, description="days that decided incidents are kept, and pages that name people")
    pages_days: int = Field(730, ge=1, description="days that the pages of a day are kept; not after their incidents, where they "
                                                   "name people, and not before their visits")
    summaries_years: int = Field(6, ge=1, description="years that the summaries of a term are kept")
    registers_years: int = Field(6, ge=1, description="years that breaches, changes and looks at names are kept")


class Triage(Part):
    """When a rule that people find wrong is proposed for watch."""

    precision: float = Field(0.5, gt=0, le=1, description="share of a rule's incidents, looked at, that people should confirm")
    least: int = Field(5, ge=1, description="incidents looked at in four weeks, below which nothing is said of a rule")


class Place(Part):
    """A place at which the filter must be tested."""

    device_class: str = Field(min_length=1, description="what is tested on, such as laptop, as checks name it")
    user_group: str = Field(min_length=1, description="whose profile, such as students")
    site: str = Field(min_length=1, description="a building or a network")


class Checks(Part):
    """Where the filter must be tested, and how often."""

    every_days: int = Field(120, ge=1, description="days after which a place is to be tested again: once a term")
    places: tuple[Place, ...] = Field((), description="where it must be tested; none named: each device class, group and site "
                                                      "of the log of checks, with every other")


class Reveals(Part):
    """When a second person approves that names are shown."""

    second_from: int | None = Field(None, ge=2, description="people in one export with names, from which on another login must "
                                                            "have approved it (`schoolgate access approve`); not given: none "
                                                            "need have, and the monthly list says that nobody did")


class Schedule(Part):
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


class Mail(Part):
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


class Settings(Part):
    """`school.toml` as it may be written; the descriptions are the README's."""

    name: str = Field(description="name of the school, as pages print it")
    years: list[str] = Field(description="its year groups, as people.csv writes them")
    pupils_on_roll: int = Field(gt=0, description="how many pupils: what counts are set against")
    triage: Triage = Field(Triage.model_validate({}), description="when a rule is proposed for watch")
    small_number: int = Field(5, ge=3, description="counts below this are withheld from leadership and governors; at least 3")
    keys: str = Field("var/keys", description="folder of the keys; in a real school one that no backup of the data holds")
    calendar: Timetable = Field(description="when the school is open")
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
