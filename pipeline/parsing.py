"""One log as parsed pieces in order, whatever its format: lines are cut into batches, and two batches are parsed side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from queue import SimpleQueue

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import coded, ingest, logfiles
from pipeline.formats import Format, Layout, recognise
from pipeline.formats.fields import Parser
from pipeline.formats.readers import reach
from pipeline.formats.times import on_clock
from pipeline.ingest import Piece
from pipeline.logfiles import Batch, LogFile
from pipeline.problems import Problem

WORKERS = 2
Bench = dict[Layout, Parser]


def _benches() -> SimpleQueue[Bench]:
    """Parsers for each worker: a connection serves one thread at a time."""
    benches: SimpleQueue[Bench] = SimpleQueue()
    for _ in range(WORKERS):
        benches.put({})
    return benches


@dataclass(frozen=True)
class _Part:
    """A batch, and the layouts of its lines."""

    batch: Batch
    layouts: list[Layout]


def _beside(parts: Iterable[_Part]) -> Iterator[tuple[_Part | None, _Part, _Part | None]]:
    """Each part with the one before and the one behind it."""
    behind: _Part | None = None
    here: _Part | None = None
    for ahead in chain(parts, [None]):
        if here is not None:
            yield behind, here, ahead
        behind, here = here, ahead


def _last(part: _Part | None, here: _Part, far: int) -> list[pa.Table]:
    """The last lines of a part that is laid out as `here` is."""
    alike = part is not None and part.layouts == here.layouts
    return [part.batch.numbered().slice(max(0, len(part.batch.texts) - far))] if part is not None and alike and far else []


def _first(part: _Part | None, here: _Part, far: int) -> list[pa.Table]:
    """The first lines of a part that is laid out as `here` is."""
    alike = part is not None and part.layouts == here.layouts
    return [part.batch.numbered().slice(0, far)] if part is not None and alike and far else []


@dataclass
class Parsing:
    """One log being parsed. `layouts`: the chief one first, as the last lines left them; `end`, `lines`: bytes and lines
    consumed; `undecided`: lines in the hour that comes twice with nothing to tell which it is."""

    log: LogFile
    layouts: list[Layout]
    formats: Mapping[str, Format]
    verdicts: Mapping[str, Sequence[str]]
    zone: str
    problems: list[Problem]
    end: int = 0
    lines: int = 0
    undecided: int = 0
    _benches: SimpleQueue[Bench] = field(default_factory=_benches)

    def pieces(self, pool: ThreadPoolExecutor, start: int = 0, line: int = 0) -> Iterator[Piece]:
        """Parsed batches in order, from byte `start` on, before which stand `line` lines; `pool` parses two at a time.

        Times of the local clock are read here, where the order of the lines is known.
        """
        self.end, self.lines = start, line
        waiting: deque[tuple[Batch, Future[pa.Table]]] = deque()
        last = datetime.fromtimestamp(self.log.changed, UTC)
        heard = 0
        for behind, here, ahead in _beside(self._batches(start, line + 1)):
            waiting.append((here.batch, pool.submit(self._parse, behind, here, ahead)))
            if len(waiting) > WORKERS:
                piece, last, heard = self._placed(*waiting.popleft(), last, heard)
                yield piece
        while waiting:
            piece, last, heard = self._placed(*waiting.popleft(), last, heard)
            yield piece

    def _placed(self, batch: Batch, parsed: Future[pa.Table], last: datetime, heard: int) -> tuple[Piece, datetime, int]:
        raw, untold = on_clock(parsed.result(), self.layouts[0].zone or self.zone, heard)
        self.undecided += untold
        self.end, self.lines = batch.end, batch.first_line + len(batch.texts) - 1
        until = ingest.latest(raw, last)
        return Piece(raw, batch.start, batch.end, last), until, heard if until is last else round(until.timestamp() * 1e6)

    def _batches(self, start: int, first: int) -> Iterator[_Part]:
        """Batches of lines and how they are laid out, cut where a header line gives new names; `layouts` has the last seen."""
        patterns = {n: self.formats[layout.format].file.header for n, layout in enumerate(self.layouts)}
        for batch in logfiles.batches(self.log, start, first, self.problems):
            heads = {n: recognise.headers(batch.texts, pattern) for n, pattern in patterns.items() if pattern}
            for part, texts in batch.cut({row for rows in heads.values() for row in rows}):
                for n, pattern in patterns.items():
                    if pattern and texts:
                        self.layouts[n] = recognise.headed(self.layouts[n], self.formats[self.layouts[n].format], texts)
                yield _Part(part, list(self.layouts))

    def _parse(self, behind: _Part | None, here: _Part, ahead: _Part | None) -> pa.Table:
        """One batch by its format; a file that mixes formats has what the first rejects read by the next.

        A record may have lines beyond an edge of the batch: as many lines of its neighbours are read with it as the format's
        records reach, and what they are is left for their own batch to say.
        """
        bench, numbered = self._benches.get(), here.batch.numbered()
        far = reach(self.formats[here.layouts[0].format])
        before, after = _last(behind, here, far), _first(ahead, here, far)
        try:
            parsed = self._parser(bench, here.layouts[0]).parse(pa.concat_tables([*before, numbered, *after]))
            parsed = coded.part(parsed, sum(map(len, before)), len(numbered))
            for layout in here.layouts[1:]:
                parsed = self._mixed(parsed, numbered, self._parser(bench, layout))
        finally:
            self._benches.put(bench)
        return parsed

    def _parser(self, bench: dict[Layout, Parser], layout: Layout) -> Parser:
        if layout not in bench:
            bench[layout] = Parser(self.formats[layout.format], self.verdicts.get(layout.format, ()), layout)
        return bench[layout]

    def _mixed(self, parsed: pa.Table, numbered: pa.Table, other: Parser) -> pa.Table:
        left = coded.fitting(coded.code(parsed["fate"]), lambda fate: fate != "request")
        if not pc.any(left).as_py():
            return parsed
        again = other.parse(numbered.filter(left))
        won = coded.fitting(coded.code(again["fate"]), lambda fate: fate == "request")
        lines = again["line"].filter(won)
        kept = parsed.filter(pc.invert(pc.is_in(parsed["line"], lines)))
        return coded.together([kept, again.filter(won)]).sort_by("line")
