"""A list that comes in blocks, in any of the formats: its entries a part at a time, every line counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.listformats.adblock import ADBLOCK, SETTLED, STANDING
from pipeline.listformats.headed import CSV, UNHEADED, layout
from pipeline.listformats.linewise import DNSMASQ, DOMAINS, HOSTS, SQUID, URLS
from pipeline.listformats.names import tidied
from pipeline.listformats.parsed import ENTRIES, KEPT, Parsed
from pipeline.listformats.rpz import RPZ
from pipeline.sql import run


class Grammar(NamedTuple):
    """How a format is read: its select, and what of it needs more than a line."""

    select: str
    whole: bool = False    # read in one piece, and a line that begins with a space goes on from the one above
    headed: bool = False   # its first line says how the others are laid out
    settled: bool = False  # its entries take each other back, which only the end of the list tells


FORMATS = {"domains": Grammar(DOMAINS), "hosts": Grammar(HOSTS), "adblock": Grammar(ADBLOCK, settled=True),
           "rpz": Grammar(RPZ, whole=True), "dnsmasq": Grammar(DNSMASQ), "urls": Grammar(URLS), "squid": Grammar(SQUID),
           "csv": Grammar(CSV, headed=True)}


def parse(data: bytes, form: str) -> Parsed:
    """The entries of a list in one of FORMATS; a line not understood is counted by reason, never an error."""
    whole = Parsed()
    for part in parsing([data], form):
        whole.add(part)
    return whole


def parsing(blocks: Iterable[bytes], form: str) -> Iterator[Parsed]:
    """The same of a list that comes in blocks, a part at a time. No more than a block is held, but of an AdBlock list its names,
    and of a zone all, for their lines hang on each other."""
    grammar, begin, standing = FORMATS[form], 0, []
    values: dict[str, object] | None = {}
    for number, part in enumerate([b"".join(blocks)] if grammar.whole else _cut(blocks)):
        text = _text(part, number == 0)
        values = layout(text) if grammar.headed and number == 0 else values
        parsed = Parsed(lines=len(text))
        if len(text) and values is None:
            parsed.leave_out(UNHEADED, range(begin + 1, begin + len(text) + 1), text, begin)
        elif len(text) and values is not None:
            tidy = _named(text, begin, grammar, values)
            parsed.count(tidy, text, begin)
            if grammar.settled:
                standing.append(run(STANDING, tidy=tidy))
            else:
                parsed.entries = run(KEPT, tidy=tidy).cast(ENTRIES)
        begin += len(text)
        yield parsed
    if standing:
        yield Parsed(run(SETTLED, tidy=pa.concat_tables(standing)).cast(ENTRIES))


def _cut(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, each ending with a line."""
    rest = b""
    for block in blocks:
        held = rest + block
        at = held.rfind(b"\n") + 1 or held.rfind(b"\r", 0, -1) + 1   # a \r at the very end may be half of a line end
        rest = held[at:]
        if at:
            yield held[:at]
    yield rest


def _text(data: bytes, first: bool) -> pa.Array:
    """The lines of a part of a list; bytes that are no UTF-8 stand as escapes, which no name can hold."""
    text = data.decode("utf-8-sig" if first else "utf-8", "backslashreplace")
    text = text.replace("\0", "\\x00").replace("\r\n", "\n").replace("\r", "\n")
    lines = pc.split_pattern(pa.array([text.removesuffix("\n")], pa.large_string()), "\n").values
    return lines if text else lines.slice(0, 0)


def _named(text: pa.Array, begin: int, grammar: Grammar, values: Mapping[str, object]) -> pa.Table:
    """What some lines name, as `names.tidied` gives it; `begin`: how many lines stand before them."""
    trimmed = pc.utf8_rtrim(text, " \t") if grammar.whole else pc.utf8_trim(text, " \t\ufeff")
    numbers = pa.array(range(begin + 1, begin + len(text) + 1), pa.int64())
    return tidied(run(grammar.select, values or None, lines=pa.table({"line": numbers, "text": trimmed})))
