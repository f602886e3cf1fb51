"""Log formats as data: one commented `.toml` a make of filter, and what is learned of one file in it.

A format names a reader, which splits a line into the fields that the product writes; the rest of the file says what those
fields mean to us. `fields.py` is the same for all formats. A school's own formats stand in `rules/formats/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.formats import expressions, logformat, options
from pipeline.problems import Problem

Texts = str | list[str]


@dataclass(frozen=True)
class Layout:
    """What was learned of one log: kept with its journal entry, so that the next night reads on in the same way."""

    format: str
    header: tuple[str, ...] = ()   # names of the columns, from the last header line seen
    delimiter: str = ""
    dates: str = ""                # dmy or mdy, where the file decides
    zone: str = ""                 # for times that say none
    year: int = 0                  # of the last line, for times that say none
    month: int = 0                 # of the last line: a later month belongs to the year before
    wrapped: bool = False          # each line begins with a syslog head
    begins: int = 0                # the first line of data; what stands before is preamble


class _Time(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    of: list[str] | list[list[str]]
    forms: list[str]
    zone: str = ""
    marks: Literal["end", "start"] = "end"   # of the request; where it is the start, the duration is added


class _Case(BaseModel):
    model_config = ConfigDict(extra="forbid")
    when: dict[str, Texts] = {}
    action: str = ""
    setup: str = ""
    kind: str = ""


class _Must(BaseModel):
    model_config = ConfigDict(extra="forbid")
    field: str
    reason: str


class _Sealed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    field: str
    words: list[str]
    action: list[str] = []
    name: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="allow")  # what only one reader reads is checked by that reader
    name: str
    title: str
    reader: str
    vendor: str = ""            # whose names its categories bear: rules/vendor/<vendor>.csv
    time_basis: str
    kind: str = "http"
    examples: list[str] = []
    looks: list[str] = []
    header: str = ""
    beats: list[str] = []       # formats that a line of this one looks like too
    keep: dict[str, Texts] = {}
    time: _Time
    fields: dict[str, Texts]
    duration_unit: str = "ms"
    user_encoding: str = ""
    null: list[str] = []
    maps: dict[str, dict[str, str]] = {}
    must: list[_Must] = []
    verdicts: list[_Case]
    kinds: list[_Case] = []
    sealed: _Sealed | None = None
    overlaps: bool = False
    rank: int = 0


OURS = ("client_ip", "user", "method", "url", "scheme", "host", "port", "path", "query", "status", "bytes_in", "bytes_out",
        "duration", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule")


@dataclass(frozen=True)
class Format:
    """One log format: what its file says, checked, and `says`, all of it as it stands, for the reader."""

    file: _File
    says: Mapping[str, Any] = field(hash=False)

    @property
    def name(self) -> str:
        """Its name, as `--format` takes it."""
        return self.file.name

    @property
    def title(self) -> str:
        """What it is, for people."""
        return self.file.title

    @property
    def time_basis(self) -> str:
        """Where the zone of its times comes from: epoch, utc, offset, local or local-yearless."""
        return self.file.time_basis

    @property
    def vendor(self) -> str:
        """Whose names its categories bear, as the file in rules/vendor is called; its own where it says none."""
        return self.file.vendor or self.file.name

    @property
    def rank(self) -> int:
        """Which log counts when two see one visit: the one of the lower rank. A resolver's look-up is the least."""
        return self.file.rank or (3 if self.file.kind == "dns" else 1)

    def sources(self, ours: str) -> list[str]:
        """The product's fields that may hold one of ours, the first stated one counts."""
        named = self.file.fields.get(ours, [])
        return [named] if isinstance(named, str) else list(named)

    @property
    def times(self) -> list[list[str]]:
        """Alternatives of fields that hold the time, joined by a space each."""
        given = self.file.time.of
        return [[str(one) for one in given]] if given and isinstance(given[0], str) else [list(one) for one in given]

    @property
    def needs(self) -> list[str]:
        """Every field of the product that this format speaks of, in order of first mention."""
        names: list[str] = [name for group in self.times for name in group]
        names += [name for ours in OURS for name in self.sources(ours)]
        names += [name for case in (*self.file.verdicts, *self.file.kinds) for name in case.when]
        names += [*self.file.keep, *([self.file.sealed.field] if self.file.sealed else [])]
        names += [must.field for must in self.file.must if must.field not in (*OURS, "time")]
        return list(dict.fromkeys(names))


def parse(text: str, where: str = "") -> tuple[Format | None, list[Problem]]:
    """The format that the TOML `text` describes, or None; and every fault in it."""
    form, faults = _read(text, where)
    if form is not None:
        found = [*expressions.faults(form.says), *(options.faults(form.says) if form.file.reader == "pairs" else [])]
        faults += [Problem(f"{where}, {key}", fault, "a bundled format as a model") for key, fault in found]
    return form, faults


def _read(text: str, where: str) -> tuple[Format | None, list[Problem]]:
    """The same without its regular expressions tried, which takes longer than all the rest."""
    try:
        says = tomllib.loads(text)
        if says.get("reader") == "logformat":
            says = logformat.expand(says)
        if isinstance(says.get("time"), dict) and "from" in says["time"]:
            time = says["time"]
            said = says | {"time": {"of": time["from"], "forms": time.get("as", [])}
                           | {key: value for key, value in time.items() if key not in ("from", "as")}}
        else:
            said = says
        file = _File.model_validate(said)
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(where, f"is not TOML: {error}", "the line it names, for a quote or bracket left open")]
    except ValidationError as error:
        return None, [Problem(f"{where}, {'.'.join(map(str, fault['loc']))}", str(fault["msg"]), "a bundled format as a model")
                      for fault in error.errors()]
    except logformat.DirectiveError as error:
        return None, [Problem(f"{where}, logformat", str(error), "the whole line of the configuration, as it stands")]
    return Format(file, says), [Problem(f"{where}, fields.{name}", "is none of the fields that requests have", ", ".join(OURS))
                                for name in file.fields if name not in OURS]


@cache
def bundled() -> dict[str, Format]:
    """The formats that come with the program, by name; their regular expressions are tried in the tests, not at every start."""
    found = {}
    for path in sorted(files(__name__).iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            form, faults = _read(path.read_text("utf-8"), path.name)
            if form is None or faults:
                raise ValueError("\n".join(map(str, faults)))
            found[form.name] = form
    return found


def with_own(texts: Iterable[tuple[str, str]]) -> tuple[dict[str, Format], list[Problem]]:
    """The bundled formats and a school's own (file and text of each), which win over bundled ones of the same name."""
    known, problems = dict(bundled()), []
    for where, text in texts:
        form, faults = parse(text, where)
        problems += faults
        if form is not None and not faults:
            known[form.name] = form
    return known, problems
