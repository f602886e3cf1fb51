"""Squid's `logformat` and Apache's `LogFormat`, pasted as they stand in the configuration, turned into a pattern.

A format's file that says `reader = "logformat"`, `logformat = '…'` and `dialect = "squid"` (or `"apache"`) is filled in by
`expand`: pattern, [time], [fields], verdicts, and by what its lines are known. Whatever the file says itself stands.

Literal text is the anchor between codes. A code of one word ends at a space; one that may hold spaces (a login, an address,
a header) ends where the text that follows it stands. Each directive gives two patterns: a strict one that trusts the
escapes of the product, then a loose one for lines that do not keep to them (an address with a space, an odd quote).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.formats import logcodes
from pipeline.formats.logcodes import FREE, NUMBER, WORD

COMMON_DATE = "%d/%b/%Y:%H:%M:%S %z"
LONG_DATES = {"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%R": "%H:%M", "%h": "%b", "%e": "%d"}
DATE_PARTS = {"%Y": r"\d{4}", "%b": r"[^\W\d_]+\.?", "%B": r"[^\W\d_]+", "%a": r"[^\W\d_]+\.?", "%A": r"[^\W\d_]+",
              "%z": r"[+-]\d{2}:?\d{2}", "%Z": r"[A-Za-z0-9+-]+", "%p": r"[A-Za-z.]+", "%j": r"\d{3}", "%s": r"\d+", "%%": "%"}
OURS = ("client_ip", "user", "method", "url", "scheme", "host", "port", "path", "query", "status", "bytes_in", "bytes_out",
        "content_type", "user_agent", "referrer", "duration")


class DirectiveError(ValueError):
    """A directive that cannot do, and why."""


@dataclass(frozen=True)
class Code:
    """One code of a directive: its name, what it means, what its text is like, how it is written, and the group it gets."""

    name: str
    sense: str = ""
    kind: str = WORD
    rank: int = 0
    date: str = ""
    encoding: str = ""
    padded: str = ""  # "before" or "after": filled up to a width with spaces
    zeros: bool = False
    ended: bool = False  # a time of Apache's that says it is the end of the request
    group: str = ""


@dataclass(frozen=True)
class Glue:
    """A stretch between codes that the strict and the loose pattern write in their own ways."""

    strict: str
    loose: str


Piece = str | Code | Glue


def expand(says: Mapping[str, Any]) -> dict[str, Any]:
    """What a format's file says, with all that its directive tells filled in. DirectiveError: what the directive lacks."""
    if not isinstance(says.get("logformat"), str):
        raise DirectiveError("is missing")
    dialects = {"squid": _squid, "apache": _apache}
    dialect = says.get("dialect", "squid")
    if dialect not in dialects:
        raise DirectiveError(f"dialect is squid or apache, not {dialect}")
    pieces = _grouped(list(dialects[dialect](says["logformat"])))
    codes = _by_sense(pieces)
    if not {"seconds", "start", "local", "gmt"} & codes.keys():
        raise DirectiveError("the directive has no code for the time, such as %ts.%03tu or %tl (Apache: %t)")
    if not {"url", "host"} & codes.keys():
        raise DirectiveError("the directive has no code for the address, such as %ru or %>rd (Apache: %r)")
    patterns = [_pattern(pieces, strict) for strict in (True, False)]
    written = [piece for piece in pieces if isinstance(piece, Code) and piece.group]
    made = {"pattern": patterns,
            "looks": [re.sub(r"\(\?P<\w+>", "(?:", patterns[0]).removesuffix("$") + r"\s*$"],
            "escaped": [code.group for code in written if code.encoding == "quotes" and code.sense in ("user_agent", "referrer")],
            "encoded": [code.group for code in written if code.encoding == "percent" and code.sense == "user_agent"],
            "user_encoding": "percent" if any(code.encoding == "percent" for code in codes.get("user", [])) else "",
            "duration_unit": logcodes.APACHE_UNITS.get(codes["duration"][0].name, "ms") if "duration" in codes else "ms",
            "verdicts": _verdicts(codes),
            "time_basis": _basis(codes),
            "sealed": {"field": "status", "words": ["451"], "action": ["blocked"], "name": "illegal-content list"}}
    sections = {"time": _time(codes) | _marks(codes, dialect), "fields": _fields(codes)}
    return made | dict(says) | {name: section | says[name] if isinstance(says.get(name), dict) else says.get(name, section)
                                for name, section in sections.items()}


def _squid(directive: str) -> Iterator[Piece]:
    """The pieces of a Squid directive, with `logformat NAME` before it or not."""
    text = re.sub(r"^\s*logformat\s+\S+\s+", "", directive).strip()
    text = re.sub(r"%\d*ts\.%03tu", "%ts.tu", text)
    at, quoting = 0, ""
    for found in logcodes.SQUID_CODE.finditer(text):
        plain = text[at:found.start()]
        quoting = _quoting(plain, quoting)
        yield plain
        at = found.end()
        byte = re.fullmatch(r"\d{1,3}", found["arg"] or found["later"] or "") if found["code"] == "byte" else None
        yield chr(int(byte[0])) if byte else _squid_code(found, quoting) if found["code"] else "%"
    yield text[at:]


def _quoting(plain: str, quoting: str) -> str:
    """Squid escapes a code without an encoding of its own by the quote or bracket that is open around it."""
    for letter in plain:
        if letter == '"':
            quoting = {"": "quotes", "quotes": ""}.get(quoting, quoting)
        elif letter == "[":
            quoting = quoting or "percent"
        elif letter == "]":
            quoting = "" if quoting == "percent" else quoting
    return quoting


def _squid_code(found: re.Match[str], quoting: str) -> Code:
    name, arg = found["code"], found["arg"] or found["later"] or ""
    sense, kind, rank = (logcodes.SQUID.get(f"{name}{{{arg.lower()}}}") or logcodes.SQUID.get(name)
                         or ("", logcodes.squid_kind(name), 0))
    # a header or a login outside quotes is written with % whether the directive says so or not
    encoding = {'"': "quotes", "'": "", "/": "quotes"}.get(found["encoding"] or "", "percent") if found["encoding"] else \
        quoting or ("percent" if kind == FREE else "")
    date = arg or {"tl": COMMON_DATE, "tg": "%d/%b/%Y:%H:%M:%S"}.get(name, "") if name in ("tl", "tg") else ""
    padded = "" if found["zero"] or not found["width"] else "after" if found["left"] else "before"
    return Code(name, sense, kind, rank, _long(date), encoding, padded, bool(found["zero"]))


def _apache(directive: str) -> Iterator[Piece]:
    """The pieces of an Apache directive, with `LogFormat "…" name` around it or not."""
    whole = re.match(r'^\s*(?:LogFormat|CustomLog\s+\S+|TransferLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"', directive)
    text = re.sub(r'\\(["\\])', r"\1", whole[1] if whole else directive.strip()).replace(r"\t", "\t")
    at = 0
    for found in logcodes.APACHE_CODE.finditer(text):
        yield text[at:found.start()]
        at = found.end()
        yield from _apache_code(found) if found["code"] else "%"
    yield text[at:]


def _apache_code(found: re.Match[str]) -> Iterator[Piece]:
    letter, arg = found["code"], re.sub("^(begin|end):", "", found["arg"] or "")
    ended = (found["arg"] or "").startswith("end:")
    name = (found["which"] or "") + letter if letter == "s" else letter
    name += f"{{{arg.lower()}}}" if arg else ""
    if letter == "r":  # a garbled request has fewer words than three
        yield from (Code("r", "method", WORD, 1), Glue(" ", " ?"), Code("r", "url", FREE, 0, encoding="quotes"),
                    Glue(r" HTTP/[\d.]+", r"(?: HTTP/[\d.]+)?"))
    elif name in logcodes.APACHE:
        sense, kind, rank = logcodes.APACHE[name]
        date = COMMON_DATE if name == "t" else ""
        code = Code(name, sense, kind, rank, date, "quotes" if kind == FREE else "", zeros=name.endswith("_frac}"), ended=ended)
        yield from ("[", code, "]") if name == "t" else [code]
    elif letter == "t":
        yield Code("t", "local", FREE, date=_long(arg), ended=ended)
    else:
        yield Code(name, kind=logcodes.apache_kind(letter))


def _long(date: str) -> str:
    """A date's short forms (%T, %F) written out, as DuckDB wants them."""
    return re.sub(r"%[A-Za-z]", lambda part: LONG_DATES.get(part[0], part[0]), date)


def _grouped(pieces: list[Piece]) -> list[Piece]:
    """The pieces without empty ones, and with a group for each code that means something: the best of a sense has its name."""
    made = [piece for piece in pieces if piece != ""]
    codes = [(at, piece) for at, piece in enumerate(made) if isinstance(piece, Code) and piece.sense]
    met: dict[str, int] = {}
    for at, code in sorted(codes, key=lambda found: found[1].rank):
        met[code.sense] = met.get(code.sense, 0) + 1
        made[at] = replace(code, group=code.sense + (f"_{met[code.sense]}" if met[code.sense] > 1 else ""))
    return made


def _by_sense(pieces: list[Piece]) -> dict[str, list[Code]]:
    """The codes of each sense, the best first."""
    codes: dict[str, list[Code]] = {}
    for code in sorted((p for p in pieces if isinstance(p, Code) and p.sense), key=lambda p: p.rank):
        codes.setdefault(code.sense, []).append(code)
    return codes


def _pattern(pieces: list[Piece], strict: bool) -> str:
    parts, quotes = [], 0
    for at, piece in enumerate(pieces):
        if isinstance(piece, Glue):
            parts.append(piece.strict if strict else piece.loose)
        elif isinstance(piece, Code):
            before, after = pieces[at - 1] if at else "", pieces[at + 1] if at + 1 < len(pieces) else ""
            place = ("last" if at + 1 == len(pieces) else "plain" if quotes % 2 == 0 else
                     "alone" if str(before).endswith('"') and str(after).startswith('"') else "quoted")
            parts.append(_code(piece, strict, place))
        else:
            quotes += piece.count('"')
            parts.append(re.escape(piece))
    return "^" + "".join(parts) + "$"


def _code(code: Code, strict: bool, place: str) -> str:
    """The expression of one code. `place`: alone between quotes, with others between quotes (quoted), plain, or last."""
    text = _date(code.date) if code.date else _text(code, strict, place)
    group = f"(?P<{code.group}>{text})" if code.group else f"(?:{text})"
    if code.sense == "client_ip" and code.kind == FREE:  # X-Forwarded-For: the client is the first of the list
        group = f"(?P<{code.group}>[^\\s,\"]*)(?:, ?[^\\s,\"]+)*"
    return {"before": f" *{group}", "after": f"{group} *"}.get(code.padded, group)


def _text(code: Code, strict: bool, place: str) -> str:
    if code.kind == NUMBER:
        return r"\d{3}|0|-" if code.sense == "status" else r"-?\d[\d.]*|-"
    if code.kind == WORD:
        own = {"result": r"[A-Z_]+", "hierarchy": r"[A-Z_]+(?: CODE)?|-", "method": r'[^\s"]*'}
        return own.get(code.sense, r'[^\s"]*?' if place in ("alone", "quoted") else r"\S+?")
    if place == "last":
        return ".*"
    if not strict:
        return ".*?"
    return {"alone": r'(?:[^"\\]|\\.)*', "quoted": r'[^\s"]*', "plain": r"\S+?"}[place]


def _date(date: str) -> str:
    """The expression of a date written by strftime; a code that is not in the table is a number of one or two digits."""
    parts = re.split(r"(%[A-Za-z%])", date)
    return "".join(DATE_PARTS.get(part, r" ?\d{1,2}") if re.fullmatch("%[A-Za-z%]", part) else re.escape(part) for part in parts)


def _time(codes: dict[str, list[Code]]) -> dict[str, Any]:
    """[time] of a directive: seconds since 1970 where it has them, else its dates as they are written."""
    if "seconds" in codes:
        return {"from": [codes["seconds"][0].group], "as": ["epoch"]}
    for sense, zone in (("gmt", {"zone": "UTC"}), ("local", {})):
        if sense in codes:
            fractions = [code for code in codes.get("fraction", []) if code.zeros][:1]
            dates = [code.date for code in codes[sense]] + ["%f" if "usec" in code.name else "%g" for code in fractions]
            return {"from": [code.group for code in codes[sense] + fractions],
                    "as": ["epoch" if dates == ["%s"] else " ".join(dates)]} | zone
    return {"from": [codes["start"][0].group], "as": ["epoch"]}


def _marks(codes: dict[str, list[Code]], dialect: str) -> dict[str, Any]:
    """Apache logs when a request came, unless its %t says `end:`; Squid when it ended, but for %tS."""
    apart = {"seconds", "gmt", "local"} & codes.keys()
    came = not apart if dialect == "squid" else not any(code.ended for sense in apart for code in codes[sense])
    return {"marks": "start"} if came else {}


def _basis(codes: dict[str, list[Code]]) -> str:
    if "seconds" in codes or not {"gmt", "local"} & codes.keys():
        return "epoch"
    if "gmt" in codes:
        return "utc"
    return "offset" if any("%z" in code.date for code in codes["local"]) else "local"


def _fields(codes: dict[str, list[Code]]) -> dict[str, Any]:
    """[fields] of a directive: each of ours that one of its codes means."""
    fields: dict[str, Any] = {name: [code.group for code in codes[name]] for name in OURS if name in codes}
    rule = [code.group for sense in ("result", "error") for code in codes.get(sense, [])]
    return fields | ({"vendor_rule": rule} if rule else {})


def _verdicts(codes: dict[str, list[Code]]) -> list[dict[str, Any]]:
    """Squid's result decides; where no code gives it, the error page; last the status."""
    lines = logcodes.BY_RESULT if "result" in codes else [*logcodes.BY_ERROR, *logcodes.BY_STATUS]
    return [line for line in lines if set(line.get("when", {})) <= codes.keys()]
