"""What a single setting may hold: a type for each kind of value, checked as it is read, with the fault in words."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict

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


Pattern = Annotated[str, AfterValidator(_pattern)]
Cidr = Annotated[str, AfterValidator(_cidr)]
Clock = Annotated[str, AfterValidator(_clock)]
Zone = Annotated[str, AfterValidator(_zone)]
Start = Annotated[str, AfterValidator(_steady)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Reader = Annotated[str, AfterValidator(_reader)]


class Part(BaseModel):
    """A table of `school.toml`: it never changes once read, and a name it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
