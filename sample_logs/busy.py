"""One Squid log of exactly N lines over one busy school day, for measuring: the same bytes at every run.

    python sample_logs/busy.py --lines 1000000 --to FILE

It has the shape of a school's traffic. A person makes some 4,000 requests a day in stays of several pages on one site; a
page brings its own requests and as many of adverts, trackers and content networks within three seconds; a few of 20,000 sites
take most of the visits; two lines in a hundred are blocks, four in a hundred challenges. Everybody and everything is invented.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

OPENS, CLOSES = (int(datetime(2026, 11, 2, hour, tzinfo=UTC).timestamp() * 1000) for hour in (8, 16))
PER_PERSON = 4_000
SITES = 20_000
KNOWN = ("lessons.fenmarsh.test", "mail.fenmarsh.test", "maths.learnwell.test", "dictionary.test", "encyclo.test", "news.test",
         "clips.test", "friendly.test", "playpark.test", "chatter.test", "shop.test", "football.test")
SIDE = ("ads.admarket.test", "px.trackwell.test", "cdn.fastedge.test", "update.devices.test", "telemetry.devices.test",
        "ocsp.certcheck.test", *(f"e{n}.fastedge.test" for n in range(60)))
CHUNK = 250_000
Ints = npt.NDArray[np.int64]


def hosts() -> list[str]:
    """Every host: sites first (some with two names of their own), then what their pages bring along."""
    own = [*KNOWN, *(f"{('www', 'm', 'app')[n % 3]}.site{n}.test" for n in range(SITES - len(KNOWN)))]
    return own + list(SIDE)


def requests(count: int) -> tuple[Ints, Ints, Ints, npt.NDArray[np.bool_]]:
    """Time (ms), person, host and whether it is the page's own, of `count` requests in order of time."""
    rng = np.random.default_rng(2026)
    stays = count // 100 + 1                                     # about four pages of 30 requests each
    person, opened = rng.integers(0, max(1, count // PER_PERSON), stays), rng.integers(OPENS, CLOSES, stays)
    site = (SITES * rng.random(stays) ** 4).astype(np.int64)     # the first thousand take half of the visits
    pages = rng.geometric(0.25, stays)
    stay = np.repeat(np.arange(stays), pages)
    begun = opened[stay] + (rng.exponential(30_000, len(stay)) * _place(pages)).astype(np.int64)
    size = rng.poisson(30, len(stay)) + 1
    page = np.repeat(np.arange(len(stay)), size)[:count]
    own = rng.random(len(page)) < 0.5
    host = np.where(own, site[stay[page]], SITES + rng.integers(0, len(SIDE), len(page)))
    at = begun[page] + rng.integers(0, 3_000, len(page))
    order = np.argsort(at, kind="stable")
    return at[order], person[stay[page]][order], host[order], own[order]


def _place(sizes: Ints) -> Ints:
    """0, 1, 2 … within each group of these sizes."""
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.arange(int(sizes.sum())) - starts


def lines(count: int) -> Iterator[str]:
    """The log, a chunk of lines at a time."""
    at, person, host, own = requests(count)
    if len(at) != count:
        raise ValueError(f"{len(at)} requests were made of {count}")
    rng, names = np.random.default_rng(7), hosts()
    roll, took = rng.integers(0, 1_000, count), rng.exponential(400, count).astype(np.int64)
    people = [(f"10.20.{n // 200 % 256}.{n % 200 + 10}", f"FENMARSH\\\\{26 - n % 7}pupil{n}")
              for n in range(int(person.max()) + 1)]
    for first in range(0, count, CHUNK):
        part = slice(first, first + CHUNK)
        rows = zip(at[part].tolist(), person[part].tolist(), host[part].tolist(), own[part].tolist(), roll[part].tolist(),
                   took[part].tolist(), strict=True)
        yield "".join([_line(ms, *people[who], names[where], mine, dice, long) for ms, who, where, mine, dice, long in rows])


def _line(ms: int, client: str, login: str, host: str, own: bool, dice: int, took: int) -> str:
    """One line: a challenge, a block, a page over plain HTTP, or (mostly) a tunnel."""
    begin = f"{ms // 1000}.{ms % 1000:03d} {took:6d} {client}"
    if dice < 40:
        return f"{begin} TCP_DENIED/407 4012 CONNECT {host}:443 - HIER_NONE/- text/html\n"
    if dice < 60:
        return f"{begin} TCP_DENIED/403 3912 CONNECT {host}:443 {login} HIER_NONE/- text/html\n"
    size = dice * took % 90_000 + 400
    if own and dice < 260:
        kind = ("text/html", "image/webp", "application/javascript", "text/css")[dice % 4]
        url = f"http://{host}/page/{dice * 7}/{took}?q={ms % 997}"
        return f"{begin} TCP_MISS/200 {size} GET {url} {login} HIER_DIRECT/203.0.113.9 {kind}\n"
    return f"{begin} TCP_TUNNEL/200 {size} CONNECT {host}:443 {login} HIER_DIRECT/203.0.113.9 -\n"


def write(path: Path, count: int) -> None:
    """Write the log of `count` lines to `path`."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines(count))


def main() -> None:
    """Write what the command line asks for."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of the log")
    words.add_argument("--to", type=Path, required=True, help="file to write")
    asked = words.parse_args()
    write(asked.to, asked.lines)


if __name__ == "__main__":
    main()
