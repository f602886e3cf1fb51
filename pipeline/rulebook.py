"""The rules in `rules/detect/`: what each says in plain words, as SQL, and as examples that must fire or stay quiet.

A rule is one screen of TOML. Its `[when]` uses the words of `VOCABULARY`, and nothing else; instead of them, or beside
them, it may name a signal with its `[numbers]`. `rule_condition` turns a rule into one SQL condition over a visit `v`
and its verdict `d`; `firings` runs it. Reading finds every fault at once, with its line and the nearest word.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.problems import Problem
from pipeline.signals.acts import ACTS
from pipeline.sql import run
from pipeline.tables import VERDICTS, VISITS

FOLDER = "detect"
ACTORS = ("student", "staff", "technical_staff", "governor", "guest", "shared", "unknown")
BANDS = ("lesson", "registration", "break", "lunch", "before_school", "after_school", "study", "closed")
OUTCOMES = ("blocked", "allowed", "mixed")
WITHIN = ("within", "against", "conflict", "not_evaluated")
KINDS = ("tunnel", "page")
ADDRESSES = ("shows", "plain")
TIERS = ("T0", "T1", "T2", "T3", "T4", "TS", "none")
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
NEEDED = ("title", "clause", "why", "mistaken", "category")
KEYS = (*NEEDED, "watch", "when", "signal", "numbers", "fires", "quiet")


class Word(NamedTuple):
    """A word of `[when]`: the SQL it stands for, a sentence about it, and what it may hold (none: a number)."""

    condition: str
    sentence: str
    holds: tuple[str, ...] | None = None


VOCABULARY: dict[str, Word] = {
    "actor": Word("v.actor IN ({})", "by {}", ACTORS),
    "band": Word("v.band IN ({})", "in {}", BANDS),
    "outcome": Word("d.outcome IN ({})", "the filter: {}", OUTCOMES),
    "within": Word("d.within IN ({})", "against the policy at that time: {}", WITHIN),
    "tier": Word("d.tier IN ({})", "of tier {}", TIERS),
    "kind": Word("CASE WHEN v.tunnels > 0 THEN 'tunnel' ELSE 'page' END IN ({})", "as {}", KINDS),
    "address": Word("CASE WHEN len(v.notes) > 0 THEN 'shows' ELSE 'plain' END IN ({})", "an address that {} more than its host",
                    ADDRESSES),
    "bytes_in_over": Word("v.bytes_in > {}", "more than {} came in"),
    "bytes_out_over": Word("v.bytes_out > {}", "more than {} went out"),
    "minutes_over": Word("epoch_us(v.ended) - epoch_us(v.started) > {} * 60000000", "for more than {} minutes"),
    "requests_over": Word("v.requests > {}", "more than {} requests of its own"),
    "slots_over": Word("v.slots > {}", "in more than {} five-minute slots"),
    "crowd_under": Word("v.crowd < {}", "fewer than {} people on it in one minute"),
    "chosen_ms": Word("(v.after_ms IS NULL OR v.after_ms > {} OR v.opened > 0 OR v.searched > 0 OR v.requests > 3)",
                      "not set off by another page within {} milliseconds, or asked for again later, or searched for, or more "
                      "than 3 requests of its own"),
}
TIMES = "times"
WORDS = (*VOCABULARY, TIMES)

SIGNALS: dict[str, Word] = {
    "filter_failure": Word("d.failure AND v.allowed >= {requests}", "let through where the filter is meant to block"),
}
SIGNALS |= {name: Word("true", act.sentence) for name, act in ACTS.items()}  # these are told of several visits together
NUMBERS = {"filter_failure": ("requests",)} | {name: act.numbers for name, act in ACTS.items()}

FIRING = """
WITH matching AS (
    SELECT v.visit, v.subject FROM visits v JOIN verdicts d USING (visit)
    WHERE {condition}
)
SELECT visit, subject FROM matching QUALIFY count(*) OVER (PARTITION BY subject) >= $at_least ORDER BY visit
"""

# What an act looks at. Whole acts meet no welfare visit, and none beside which nobody is ever named.
PICKED = """
SELECT v.*, d.outcome FROM visits v JOIN verdicts d USING (visit)
WHERE {condition} AND v.category NOT IN (SELECT unnest($never::VARCHAR[]))
  AND CASE WHEN $whole THEN d.tier NOT IN ('T0', 'T1') ELSE d.tier <> 'none' AND d.within <> 'conflict' END
  AND (d.context = '' OR ($whole AND d.context = 'class'))
"""


@dataclass(frozen=True)
class Example:
    """A short story in the manager's words that must make a rule fire, or must not."""

    note: str
    visits: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True)
class Rule:
    """One rule: its words for people, when it fires, and its examples. `name` is its file name without `.toml`."""

    name: str
    title: str
    clause: str
    why: str
    mistaken: str
    category: tuple[str, ...]
    when: Mapping[str, Any] = field(default_factory=dict)
    signal: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    fires: tuple[Example, ...] = ()
    quiet: tuple[Example, ...] = ()
    file: str = ""
    watch: bool = False  # what it finds is counted and not shown

    @property
    def whole(self) -> bool:
        """Whether its signal looks at every visit of the day, so that its category is what it finds."""
        return self.signal in ACTS and ACTS[self.signal].whole

    @property
    def times(self) -> int:
        """How many matching visits of one subject in one school day make it fire; one where the rule does not say."""
        return int(self.when.get(TIMES, {}).get("at_least", 1))


def rule_condition(rule: Rule) -> str:
    """The rule as one SQL condition over `v` (a row of visits) and `d` (its verdict, joined on `visit`).

    It holds for one visit. Where `rule.times` is more than one, the rule fires only for a subject with that
    many such visits in one school day; group by `v.subject` and count them.
    """
    parts = [] if rule.whole or rule.category == ("any",) else [f"v.category IN ({_quoted(rule.category)})"]
    parts += [VOCABULARY[word].condition.format(_sql(word, said)) for word, said in rule.when.items() if word != TIMES]
    if rule.signal:
        parts.append(SIGNALS[rule.signal].condition.format(**{name: repr(n) for name, n in rule.numbers.items()}))
    return " AND ".join(parts) or "true"


def rule_sentences(rule: Rule) -> list[str]:
    """What the rule looks for, a short phrase for each of its words."""
    said = [VOCABULARY[word].sentence.format(" or ".join(_many(value)).replace("_", " "))
            for word, value in rule.when.items() if word != TIMES]
    said += [SIGNALS[rule.signal].sentence] if rule.signal else []
    return said + ([f"at least {rule.times} times in one school day"] if rule.times > 1 else [])


def firings(rule: Rule, visits: pa.Table, verdicts: pa.Table) -> pa.Table:
    """The visits of one school day that make a rule fire: visit, subject."""
    if rule.signal in ACTS:
        found = [visit for act in acted(rule, visits, verdicts, PERSONAL, NEVER) for visit in act["visits"]]
        named = dict(zip(visits["visit"].to_pylist(), visits["subject"].to_pylist(), strict=True))
        return pa.table({"visit": pa.array(found, pa.string()), "subject": pa.array([named[v] for v in found], pa.string())})
    text = FIRING.format(condition=rule_condition(rule))
    return run(text, {"at_least": rule.times}, visits=visits, verdicts=verdicts)


PERSONAL = ("own", "guests")  # in examples
NEVER = ("help_seeking", "background")


def acted(rule: Rule, visits: pa.Table, verdicts: pa.Table, own: Collection[str], never: Collection[str]) -> list[dict[str, Any]]:
    """Each time the signal of a rule holds that speaks of several visits: visits (keys, in order), why (sentences), device.

    `own`: the networks of people's own devices and of guests; `never`: the categories that are no evidence of anything.
    """
    act = ACTS[rule.signal]
    picked = run(PICKED.format(condition=rule_condition(rule)), {"never": sorted(never), "whole": act.whole}, visits=visits,
                 verdicts=verdicts)
    if not len(picked):
        return []
    values = {name: rule.numbers[name] for name in act.numbers} | ({"own": sorted(own)} if "$own::" in act.text else {})
    found: list[dict[str, Any]] = run(act.text, values, picked=picked).to_pylist()
    return found


def _quoted(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _many(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _sql(word: str, said: Any) -> str:
    return repr(amount(said)) if VOCABULARY[word].holds is None else _quoted(_many(said))


def amount(said: Any) -> float | None:
    """A number, or a size such as "50MB"; None where it is neither."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return said
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(KB|MB|GB)", str(said))
    return int(float(found[1]) * UNITS[found[2]]) if found else None


def nearest(word: str, known: Collection[str]) -> str:
    """The word of `known` that is most like `word`; empty when none is."""
    close = difflib.get_close_matches(word, list(known), 1)
    return close[0] if close else ""


def _offer(word: str, known: Collection[str]) -> str:
    return nearest(word, known) or "one of " + ", ".join(known)


def read_rules(files: Mapping[str, str], categories: Collection[str] = ()) -> tuple[list[Rule], list[Problem]]:
    """Every rule of these TOML texts that is sound, in order of name, and every fault of the others.

    With `categories`, a rule may only name those.
    """
    rules, problems = [], []
    for path in sorted(files):
        if path.endswith(".toml"):
            rule, faults = _Reading(path, files[path], categories).rule()
            rules += [rule] if rule else []
            problems += faults
    return rules, problems


class _Reading:
    """Reads one rule and keeps every fault in it."""

    def __init__(self, path: str, text: str, categories: Collection[str]) -> None:
        self.path, self.text, self.categories = path, text, categories
        self.faults: list[Problem] = []

    def rule(self) -> tuple[Rule | None, list[Problem]]:
        """The rule, or none and its faults."""
        try:
            body = tomllib.loads(self.text.lstrip("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            at = f"{self.path}:{found[1]}" if found else self.path
            return None, [Problem(at, f"cannot be read: {error}", "quotes around words")]
        self._keys(body)
        category = tuple(_many(body.get("category", [])))
        for name in category:
            if self.categories and name not in (*self.categories, "any"):
                self.say(self.line("category"), f"{name!r} is not a category", nearest(name, self.categories))
        self._when(body.get("when", {}))
        self._signal(str(body.get("signal", "")), body.get("numbers", {}))
        stories = {kind: self._examples(kind, body.get(kind, [])) for kind in ("fires", "quiet")}
        if self.faults:
            return None, self.faults
        name = self.path.rsplit("/", 1)[-1].removesuffix(".toml")
        title, clause, why, mistaken = (str(body[key]).strip() for key in NEEDED[:4])
        return Rule(name, title, clause, why, mistaken, category, body.get("when", {}), body.get("signal", ""),
                    body.get("numbers", {}), stories["fires"], stories["quiet"], self.path, body.get("watch") is True), []

    def say(self, line: int, what: str, try_this: str = "") -> None:
        """Keep one fault."""
        self.faults.append(Problem(f"{self.path}:{line}" if line else self.path, what, try_this))

    def line(self, key: str) -> int:
        """The first line that sets a key or opens its section."""
        pattern = rf"\s*(\[+\s*)?['\"]?{re.escape(key)}['\"]?\s*(=|\])"
        return next((n for n, text in enumerate(self.text.splitlines(), 1) if re.match(pattern, text)), 0)

    def _keys(self, body: Mapping[str, Any]) -> None:
        for key in body:
            if key not in KEYS:
                self.say(self.line(key), f"{key!r} is not a word of a rule", _offer(key, KEYS))
        if not isinstance(body.get("watch", False), bool):
            self.say(self.line("watch"), f"watch is {body['watch']!r}", "watch = true")
        for key in NEEDED:
            if not body.get(key):
                self.say(0, f"has no {key}", f'{key} = "..."')
        if not body.get("when") and not body.get("signal"):
            self.say(0, "has neither [when] nor a signal, so it would fire on every visit", "[when]")

    def _when(self, when: Mapping[str, Any]) -> None:
        for word, said in when.items():
            if word == TIMES:
                self._times(said)
            elif word not in VOCABULARY:
                self.say(self.line(word), f"{word!r} is not a word of [when]", _offer(word, WORDS))
            elif VOCABULARY[word].holds is None:
                if amount(said) is None:
                    self.say(self.line(word), f"{word} is {said!r}, which is not a number", f"{word} = 10")
            else:
                known = VOCABULARY[word].holds or ()
                for one in _many(said):
                    if one not in known:
                        self.say(self.line(word), f"{word} cannot be {one!r}", _offer(one, known))

    def _times(self, said: Any) -> None:
        sound = isinstance(said, dict) and not set(said) - {"at_least", "within"}
        if not sound or said.get("within", "1 day") != "1 day" or not isinstance(said.get("at_least"), int):
            self.say(self.line(TIMES), f"times is {said!r}", 'times = { at_least = 3, within = "1 day" }')

    def _signal(self, signal: str, numbers: Mapping[str, Any]) -> None:
        if signal and signal not in SIGNALS:
            self.say(self.line("signal"), f"{signal!r} is not a signal", _offer(signal, SIGNALS))
            return
        wanted = NUMBERS.get(signal, ())
        for name in wanted:
            if not isinstance(numbers.get(name), int | float):
                self.say(self.line("numbers"), f"signal {signal} needs the number {name}",
                         f"{name} = 1 under [numbers]")
        for name in numbers:
            if name not in wanted:
                self.say(self.line(name), f"{name!r} is not a number of signal {signal or 'none'}",
                         nearest(name, wanted))

    def _examples(self, kind: str, bodies: Any) -> tuple[Example, ...]:
        if not isinstance(bodies, list) or not bodies:
            self.say(self.line(kind), f"has no example under [[{kind}]]", f"[[{kind}]] with a note and visits")
            return ()
        starts = [n for n, text in enumerate(self.text.splitlines(), 1) if re.match(rf"\s*\[\[\s*{kind}\s*\]\]", text)]
        examples = [Example(str(body.get("note", "")), tuple(_many(body.get("visits", []))), line)
                    for body, line in zip(bodies, [*starts, *[0] * len(bodies)], strict=False)]
        for example in examples:
            if not example.visits:
                self.say(example.line, f"an example of [[{kind}]] has no visits", f'visits = ["{FORM}"]')
            for text in example.visits:
                for fault in _told(text)[1]:
                    self.say(example.line, f"in {text!r}: {fault[0]}", fault[1])
        return tuple(examples)


# A visit in words: 10:05 y9 playpark.example games allowed x12 lesson 3 for 20min 50MB
# Time, who (y7 to y13, or an actor; y9/b is somebody else), host, category, outcome; then, in any order, what is below.
# `at pc2` is another device; `on own` another network than the school's (own and guests are of people's own devices).
MORE: tuple[tuple[str, Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (r"x(\d+)", lambda m: {"requests": int(m[1])}),
    (r"for (\d+)min", lambda m: {"minutes": int(m[1])}),
    (r"(\d+)(KB|MB|GB) up", lambda m: {"bytes_out": int(m[1]) * UNITS[m[2]]}),
    (r"(\d+)(KB|MB|GB)", lambda m: {"bytes_in": int(m[1]) * UNITS[m[2]]}),
    (r"crowd (\d+)", lambda m: {"crowd": int(m[1])}),
    (r"slots (\d+)", lambda m: {"slots": int(m[1])}),
    (r"every (\d+)s", lambda m: {"step_s": int(m[1])}),
    (r"after (\d+)ms", lambda m: {"after_ms": int(m[1])}),
    (r"shows '([^']*)'", lambda m: {"notes": [m[1]]}),
    (r"at (\w+)", lambda m: {"client": m[1]}),
    (r"on (\w+)", lambda m: {"network": m[1]}),
    (r"tunnel", lambda m: {"kind": "tunnel"}),
    (r"(lesson|period) (\d)", lambda m: {"band": "lesson", "period": f"Period {m[2]}"}),
    (r"(before|after) school", lambda m: {"band": f"{m[1]}_school", "period": f"{m[1].title()} school"}),
    (r"(registration|break|lunch|study|closed)", lambda m: {"band": m[1], "period": m[1].title()}),
    (r"(within|against|conflict|not_evaluated)", lambda m: {"within": m[1]}),
)
START = re.compile(r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w* )?(\d\d?):(\d\d) ([\w/]+) (\S+) (\w+) (\w+)(?: (.*))?")
DAY = datetime(2026, 11, 3, tzinfo=UTC)
FORM = "10:05 y9 playpark.example games allowed x12"


def _told(text: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What one line of an example says, and what in it cannot be understood."""
    found = START.fullmatch(" ".join(text.split()))
    if found is None:
        return {}, [("is not time, who, host, category, outcome", FORM)]
    hour, minute, who, host, category, outcome, rest = found.groups()
    said: dict[str, Any] = {"host": host, "category": category, "outcome": outcome, "who": who}
    faults = []
    if int(hour) > 23 or int(minute) > 59:
        faults.append((f"{hour}:{minute} is no time", "10:05"))
    else:
        said["started"] = DAY.replace(hour=int(hour), minute=int(minute))
    plain = who.split("/")[0]
    if not re.fullmatch(r"y\d{1,2}", plain) and plain not in ACTORS:
        faults.append((f"{plain!r} is nobody", _offer(plain, ("y9", *ACTORS))))
    if outcome not in (*OUTCOMES, "warned"):
        faults.append((f"{outcome!r} is not an outcome", _offer(outcome, OUTCOMES)))
    rest = (rest or "").strip()
    while rest:
        part = next(((m, make) for form, make in MORE if (m := re.match(form + r"(?: |$)", rest))), None)
        if part is None:
            faults.append((f"{rest!r} cannot be understood", "x12, for 20min, every 60s, 50MB, crowd 30, tunnel, lesson 3"))
            break
        said |= part[1](part[0])
        rest = rest[part[0].end():].strip()
    return said, faults


def example_visits(example: Example, categories: Mapping[str, Any] | None = None) -> tuple[pa.Table, pa.Table]:
    """An example as the tables a rule runs on: VISITS and VERDICTS. A line that cannot be understood is left out.

    The grammar of a line: `10:05 y9 playpark.example games allowed x12 lesson 3 for 20min 50MB crowd 2 after 300ms
    tunnel`; what comes after the outcome may be left out. Times are taken as they stand, and no calendar is asked:
    without a band the visit is in lesson 3. With the policy's `categories` the verdict takes its tier and what the filter is
    meant to do from there; `shows '...'` is a note on its address; a test may equally judge the visits by the policy itself.
    """
    told = [(text, said) for text in example.visits for said, faults in [_told(text)] if not faults]
    rows = [_visit(n, said) for n, (_, said) in enumerate(told, 1)]
    known = categories or {}
    verdicts = [_verdict(row, said, known.get(said["category"])) for row, (_, said) in zip(rows, told, strict=True)]
    return (pa.Table.from_pylist(rows, schema=VISITS.schema), pa.Table.from_pylist(verdicts, schema=VERDICTS.schema))


def _visit(n: int, said: Mapping[str, Any]) -> dict[str, Any]:
    plain = said["who"].split("/")[0]
    student = plain.startswith("y")
    requests, minutes = said.get("requests", 1), said.get("minutes", 0)
    blocked = requests if said["outcome"] == "blocked" else requests // 2 if said["outcome"] == "mixed" else 0
    return {"visit": f"example:{n}", "source": "example", "line": n, "subject": said["who"], "person": said["who"],
            "client": said.get("client", "device"), "actor": "student" if student else plain, "actor_from": "people",
            "year": plain[1:] if student else "", "network": said.get("network", "school"),
            "site": ".".join(said["host"].split(".")[-2:]),
            "host": said["host"], "category": said["category"], "started": said["started"],
            "ended": said["started"] + timedelta(minutes=minutes, seconds=requests > 1),
            "band": said.get("band", "lesson"), "period": said.get("period", "Period 3"), "requests": requests,
            "background": 0, "blocked": blocked, "allowed": requests - blocked,
            "warned": requests if said["outcome"] == "warned" else 0,
            "bytes_in": said.get("bytes_in", 20_000 * requests),
            "bytes_out": said.get("bytes_out", 1_000 * requests), "longest_ms": minutes * 60_000,
            "tunnels": requests if said.get("kind") == "tunnel" else 0,
            "slots": said.get("slots", min(requests, minutes // 5 + 1)), "crowd": said.get("crowd", 1),
            "after_ms": said.get("after_ms"), "tries": min(requests, minutes + 1), "opened": 1 if "after_ms" not in said else 0,
            "set_off_by": [], "step_s": said.get("step_s"), "even_tries": requests if "step_s" in said else 0, "from_page": "",
            "slip": "", "brought": "", "searched": 0, "notes": said.get("notes", [])}


def _verdict(row: Mapping[str, Any], said: Mapping[str, Any], category: Any) -> dict[str, Any]:
    student = row["actor"] == "student"
    meant = "allow" if category is None else category.filter if student else category.filter_staff
    blocks = meant == "block" or (meant == "times" and row["band"] in ("lesson", "registration"))
    return {"visit": row["visit"], "category": row["category"], "row": category.row if category else "",
            "verdict": "unacceptable", "within": said.get("within", "against"), "clause": "",
            "outcome": "allowed" if said["outcome"] == "warned" else said["outcome"],
            "filter": "block" if blocks else "allow",
            "failure": blocks and row["allowed"] > row["searched"],
            "tier": category.tier if category else "none", "questions": [], "context": ""}


def example_faults(rule: Rule, categories: Mapping[str, Any] | None = None) -> list[Problem]:
    """The examples of a rule that do not do what they should."""
    problems = []
    for kind, examples in (("fires", rule.fires), ("quiet", rule.quiet)):
        for example in examples:
            fired = firings(rule, *example_visits(example, categories)).num_rows > 0
            if fired != (kind == "fires"):
                must = "fire" if kind == "fires" else "stay quiet"
                problems.append(Problem(f"{rule.file}:{example.line}", f"must {must} but does not: {example.note}",
                                        "mend [when] or the example"))
    return problems
