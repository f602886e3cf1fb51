"""Sites that no list and no filter's category speaks of, and what helps a person to say what they are: how many people met them,
when, what words their names hold, and whose platform they stand on. Nobody is named, and no site with help on it stands here."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import idna
import pyarrow as pa

from pipeline.hosts import endings, is_address, platform_of
from pipeline.sql import run

MOST = 20       # sites shown: as many as a person can look at in a quarter of an hour
WORDS = 6       # words of a name that are shown: more are those of machines
WORD = re.compile(r"[^\W\d_]{3,}")   # shorter runs of letters are abbreviations, which help nobody
MACHINES = frozenset({"www", "web", "app", "apps", "api", "cdn", "static", "assets", "img", "images", "media", "mail", "login",
                      "auth", "account", "accounts", "edge", "data"})

MET = """
WITH met AS (
    SELECT * FROM visits ANTI JOIN (SELECT DISTINCT site FROM visits WHERE list_contains($help, category)) USING (site)
    WHERE category = 'uncategorised' AND contains(site, '.') AND NOT regexp_matches(site, '\\.(local|lan|internal|home|arpa)$')
)
SELECT site, count(DISTINCT subject) AS people, count(DISTINCT day) AS days, sum(requests)::BIGINT AS requests,
       sum(blocked)::BIGINT AS blocked, coalesce(sum(requests) FILTER (list_contains($taught, band)), 0)::BIGINT AS taught,
       list_sort(list(DISTINCT host)) AS hosts
FROM met GROUP BY site HAVING people >= $least ORDER BY people DESC, requests DESC, site
"""


@dataclass(frozen=True)
class Unknown:
    """One site on no list over some days: what it is met by and when; `taught`: requests in lessons."""

    site: str
    people: int
    days: int
    requests: int
    blocked: int
    taught: int
    words: tuple[str, ...]
    platform: str
    first: date | None = None   # the first day it was met on, of those kept

    @property
    def share(self) -> str:
        """The share of its requests in lessons."""
        return f"{100 * self.taught / self.requests:.0f}%"


def unknown(visits: pa.Table, taught: Collection[str], help_seeking: Collection[str], least: int, most: int = MOST
            ) -> list[Unknown]:
    """The sites without a category that most people met, in the VISITS of some days (and `day`); of `least` people or more.

    Names of the school's own network (without a dot, of private addresses, or under endings such as .local) are left out.
    """
    values = {"taught": sorted(taught), "help": sorted(help_seeking), "least": least}
    found = [row for row in run(MET, values, visits=visits).to_pylist() if not _at_home(row["site"])]
    return [Unknown(words=words_of(row.pop("hosts")), platform=platform_of(row["site"]), **row) for row in found[:most]]


def words_of(hosts: Collection[str]) -> tuple[str, ...]:
    """The words in some host names, the commonest first: no ending, no names that machines have, no single letters."""
    found: Counter[str] = Counter()
    for host in hosts:
        labels = [] if is_address(host) else host.split(".")
        ends = (n for n in range(1, len(labels)) if endings().get(".".join(labels[n:]), "not") != "not")
        own = labels[:next(ends, -1)]
        words = dict.fromkeys(word for label in own for word in WORD.findall(_readable(label)))
        found.update(word for word in words if word not in MACHINES)
    return tuple(word for word, _ in found.most_common(WORDS))


def _readable(label: str) -> str:
    """A label in the letters that people see."""
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except idna.IDNAError:
        return ""


def _at_home(site: str) -> bool:
    return is_address(site) and ipaddress.ip_address(site).is_private


def dated(found: Collection[Unknown], first: Mapping[str, date]) -> list[Unknown]:
    """These sites with the first day on which each was met."""
    return [Unknown(**(vars(one) | {"first": first.get(one.site)})) for one in found]
