"""What was asked, and the two logs it leaves: with full addresses (TLS inspected), or with host names only.

Both come from the same hits, so that what the two visibilities can show is compared on the same week.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import NamedTuple

from .school import LONDON, Seat

VISIBILITIES = ("full", "host")
BLOCK_PAGE = 3891
IDLE = 30.0       # a browser uses a connection again for about this long; after it a new tunnel is opened
SETUP = 60.0      # with inspection, how long one decrypted connection serves


class Hit(NamedTuple):
    """One thing that a device asked for. `url` without a scheme is a raw tunnel, `host:port`."""

    at: float
    seat: Seat
    url: str
    kind: str = "text/html"
    size: int = 9000
    up: int = 700
    took: float = 0.1
    blocked: bool = False
    referrer: str = ""
    act: int = -1
    status: int = 200
    agent: str = ""

    @property
    def scheme(self) -> str:
        """http, https, wss, or '' of a raw tunnel."""
        return self.url.split("://", 1)[0] if "://" in self.url else ""

    @property
    def host(self) -> str:
        """The host asked for, with its port where that is not the scheme's own; an address inside the address is no host."""
        return self.url.split("://", 1)[-1].split("/")[0].split("?")[0]


@dataclass
class Act:
    """Something that a person or a device did, and how it is labelled.

    truth: true (a rule should find it), innocent (nobody may be named for it) or grey (neither: a matter of taste).
    also: categories that may fairly be said of it too. addresses: it can be seen in full addresses only.
    """

    number: int
    who: str
    kind: str
    truth: str
    category: str
    intent: str = ""
    rows: tuple[str, ...] = ()
    route: str = ""
    also: tuple[str, ...] = ()
    addresses: bool = False
    hits: list[Hit] = field(default_factory=list)
    lines: int = 0

    @property
    def outcome(self) -> str:
        """blocked, allowed or mixed, over its hits."""
        ways = {hit.blocked for hit in self.hits}
        return "mixed" if len(ways) == 2 else "blocked" if ways == {True} else "allowed"


Writer = Callable[..., str]


class Line(NamedTuple):
    """A line of a log, and what the measure keeps of it."""

    ended: float
    text: str
    began: float
    who: str
    host: str
    blocked: bool
    acts: frozenset[int]
    request: bool = True


def lines(hits: Iterable[Hit], visibility: str, rng: Random) -> list[Line]:
    """The log of these hits, in the order in which the proxy wrote it."""
    ordered = sorted(hits, key=lambda hit: hit.at)
    made = _full(ordered, rng) if visibility == "full" else _hosts(ordered, rng, native)
    return sorted(made, key=lambda line: line.ended)


def _full(hits: list[Hit], rng: Random) -> Iterator[Line]:
    """Decrypted devices leave full addresses; people's own devices are not decrypted, and leave host names."""
    served: dict[tuple[str, str], float] = {}
    for hit in hits:
        if hit.seat.closed or not hit.scheme:
            continue
        if hit.scheme != "http" and hit.at - served.get((hit.seat.client, hit.host), 0) > SETUP:
            served[hit.seat.client, hit.host] = hit.at
            setup = hit._replace(url=_port(hit), size=0, up=512, took=0.01, blocked=False, referrer="", kind="", status=200)
            yield Line(hit.at - 0.05, detailed(setup, "NONE_NONE:HIER_NONE", "bump"), hit.at, hit.seat.who, hit.host, False,
                       frozenset(), request=False)
        if hit.blocked:
            yield _line(hit, detailed(hit, "TCP_DENIED:HIER_NONE"))
        else:
            yield _line(hit, detailed(hit, "TCP_MISS:HIER_DIRECT"))
    yield from _hosts([hit for hit in hits if hit.seat.closed or not hit.scheme], rng, detailed)


def _line(hit: Hit, text: str) -> Line:
    return Line(hit.at + hit.took, text, hit.at, hit.seat.who, hit.host.split(":")[0], hit.blocked, frozenset({hit.act} - {-1}))


def _hosts(hits: list[Hit], rng: Random, write: Writer) -> Iterator[Line]:
    """Host names only: what a device asks of one host within half a minute goes through one tunnel."""
    open_: dict[tuple[str, str, str], list[Hit]] = {}
    for hit in hits:
        key = hit.seat.client, hit.seat.user, hit.host
        if hit.blocked or hit.scheme == "http" or not hit.scheme:
            yield _line(hit, _single(hit, write))
        elif key in open_ and hit.at - max(h.at + h.took for h in open_[key][-2:]) <= IDLE:
            open_[key].append(hit)
        else:
            if key in open_:
                yield _tunnel(open_[key], rng, write)
            open_[key] = [hit]
    for group in open_.values():
        yield _tunnel(group, rng, write)


def _single(hit: Hit, write: Writer) -> str:
    if hit.blocked and hit.scheme != "http":
        return write(hit._replace(url=_port(hit), kind="text/html", referrer=""), "TCP_DENIED:HIER_NONE")
    if hit.blocked:
        return write(hit, "TCP_DENIED:HIER_NONE")
    return write(hit, "TCP_MISS:HIER_DIRECT" if hit.scheme else "TCP_TUNNEL:HIER_DIRECT")


def _tunnel(group: list[Hit], rng: Random, write: Writer) -> Line:
    """One tunnel for these hits; the browser closes it a while after the last."""
    first = group[0]
    took = max(hit.at + hit.took for hit in group) - first.at + rng.uniform(0.2, 25)
    whole = first._replace(url=_port(first), kind="", referrer="", took=took, size=sum(hit.size for hit in group) + 4200,
                           up=sum(hit.up for hit in group) + 900, status=200)
    acts = frozenset(hit.act for hit in group) - {-1}
    return Line(first.at + took, write(whole, "TCP_TUNNEL:HIER_DIRECT"), first.at, first.seat.who, first.host.split(":")[0],
                False,
                acts)


def _port(hit: Hit) -> str:
    host = hit.host
    return host if ":" in host else f"{host}:{80 if hit.scheme == 'http' else 443}"


def native(hit: Hit, tag: str, mode: str = "") -> str:
    """A line of Squid's native log."""
    result, peer = tag.split(":")
    status = 403 if hit.blocked else hit.status
    size = BLOCK_PAGE if hit.blocked else hit.size
    method = "GET" if hit.scheme else "CONNECT"
    at = f"{'HIER_DIRECT/203.0.113.20' if peer == 'HIER_DIRECT' else 'HIER_NONE/-'} {hit.kind or '-'}"
    return (f"{hit.at + hit.took:.3f} {int(hit.took * 1000):6d} {hit.seat.client} {result}/{status} {size} {method} {hit.url} "
            f"{hit.seat.user} {at}\n")


def detailed(hit: Hit, tag: str, mode: str = "") -> str:
    """A line of Squid's custom log of the bundled worked example: referrer, browser, bytes both ways, type, server name."""
    at = hit.at + hit.took
    day, zone = stamp(int(at))
    method = "GET" if hit.scheme else "CONNECT"
    status = 403 if hit.blocked else hit.status
    size = BLOCK_PAGE if hit.blocked else hit.size
    agent = "-" if hit.seat.closed and not hit.scheme else hit.agent or hit.seat.agent
    name = "-" if hit.scheme else hit.host.split(":")[0]
    port = 40000 + hash_of(hit.seat.client + hit.url) % 20000
    asked = f'{hit.seat.client}:{port} {hit.seat.user} "{method} {hit.url} HTTP/1.1" {status} {size}/{hit.up}'
    fault = "ERR_ACCESS_DENIED" if hit.blocked else "-"
    return (f'[{day}.{int(at * 1000) % 1000:03d} {zone}] {asked} {int(hit.took * 1000):6d} {tag} {fault} "{hit.referrer or "-"}" '
            f'"{agent}" {hit.kind or "-"} {name} {mode or ("-" if hit.scheme else "splice")} -\n')


@lru_cache(maxsize=200_000)
def stamp(second: int) -> tuple[str, str]:
    """A second as Squid prints it: date and time of the school's clock, and the zone."""
    when = datetime.fromtimestamp(second, LONDON)
    return f"{when:%d/%b/%Y:%H:%M:%S}", f"{when:%z}"


def hash_of(text: str) -> int:
    """A number of a text, the same in every process."""
    return zlib.crc32(text.encode())
