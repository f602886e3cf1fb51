"""The whole night, in order.

    rules → lock → clean the lake → read each log exactly once → judge every day that is not whole → registers → change log →
    pages → account

A broken rule file does not stop the night: it runs on the last good rules, and says so. A night that cannot be finished
writes a page that says so, and where it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from pipeline import (
    changes,
    failing,
    folders,
    history,
    inbox,
    judging,
    logfiles,
    proving,
    publishing,
    register,
    registers,
    rulefiles,
    sealed,
    sheets,
    silence,
    sql,
)
from pipeline.checking import Window, windows
from pipeline.inferring import entries as inferred
from pipeline.ingest import FATES, Masks
from pipeline.journal import Journal
from pipeline.judging import Rules
from pipeline.lake import Lake, emptied
from pipeline.liststore import Lists
from pipeline.logfiles import LogFile
from pipeline.missed import look_back
from pipeline.privacy import fits, on_network
from pipeline.problems import Exit, Problem, RefusedError, SchoolgateError, UsageError
from pipeline.progress import Show
from pipeline.reading import Reader, Reading
from pipeline.register import custody
from pipeline.registers import Incidents, Registers
from pipeline.runs import Run, noted
from pipeline.runs import known as runs_so_far
from pipeline.school import School, read_school
from pipeline.schoolday import day_bounds, school_day
from pipeline.vault import Keys, Vault, load_keys
from pipeline.version import VERSION

Tick = Callable[[str, int], None]
REGISTERS = ("ingest", "days", "incidents", "breaches", "changes", "decisions", "checks", "concerns", "custody", "access",
             "issued", "pages", "destruction")
ASIDE = ("access", "issued", "pages", "destruction")  # registers whose heads stand on no page: making pages adds to them
UNTOLD = timedelta(days=31)
UNHEARD = Problem("the night", "heard from no log", "the paths given, and whether the filter still writes")


@dataclass
class Account:
    """What came of a night, for the person who typed the command or reads cron's mail."""

    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0
    judged: list[date] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    late: dict[date, int] = field(default_factory=dict)  # lines by day, where tonight's came late for the purge
    rules: str = ""
    policy: str = ""  # the fingerprint of the policy's own files
    pages: list[str] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    waiting: int = 0  # incidents that wait for a person
    ran: dict[str, Run] = field(default_factory=dict)  # the last run of each job before this one
    missed: list[date] = field(default_factory=list)  # the school days whose night was due and did not run
    doing: str = "reading the rules"

    @property
    def fates(self) -> Counter[str]:
        """Lines read tonight by fate."""
        return sum((reading.fates for reading in self.readings), Counter())

    def code(self, on_findings: bool = False) -> Exit:
        """5 when something must be mended; else 1 when findings are asked for and an incident waits; else 0."""
        if self.problems:
            return Exit.MEND
        return Exit.FINDINGS if on_findings and self.waiting else Exit.DONE

    def _judged(self) -> list[str]:
        c, names = self.counts, self.counts["named"]
        per = names * 1000 / max(1, c["pupil days"])
        return [f"judged      {_days([str(day) for day in self.judged])}: {c['own']:,} requests in {c['visit rows']:,} visits "
                f"({c['against']:,} against the policy), {c['background']:,} more are background",
                f"found       {c['detections']:,} detections in {c['stories']:,} incidents to read; "
                f"{c['quietened']:,} more point to background and name nobody"
                + (f"; {c['hidden']:,} hidden by exceptions or watched" if c["hidden"] else ""),
                f"DSL list    {names:,} names, {per:.1f} per 1,000 pupils a school day",
                f"breaches    {c['failures']:,} filter failures, {c['circumventions']:,} circumventions",
                f"rules       {self.rules}"]

    def text(self) -> str:
        """The account in a few plain lines."""
        counts, days = self.fates, sorted({day for reading in self.readings for day in reading.days})
        read = sum(reading.lines for reading in self.readings)
        said = [f"heard from  {len(self.readings)} logs, {sum(1 for r in self.readings if r.lines)} with something new",
                f"read        {read:,} lines: {counts['request']:,} requests, {counts['reject']:,} rejects, "
                f"{counts['repeat']:,} repeats, {counts['furniture'] + counts['part']:,} other",
                f"days        {_days([str(day) for day in days])}",
                f"in the lake {self.lines:,} lines"]
        if not self.readings:
            said.insert(0, "No log was heard from. Silence is not safety: look at the filter and at the paths given.")
        if self.missed:
            said.append(f"missed      the nights of {_days([str(day) for day in self.missed])}: caught up")
        if (before := self.ran.get("night")) and before.ended is None:
            said.append(f"cut short   the night before, which began at {before.began:%Y-%m-%d %H:%M} UTC: gone on from there")
        if self.late:
            said.append(f"late        {sum(self.late.values()):,} lines of days already purged "
                        f"({_days([str(day) for day in sorted(self.late)])}): not judged, and kept until the next purge")
        if self.judged:
            said += self._judged()
        elif not read:
            said.append("nothing has changed")
        if self.pages:
            said.append(f"wrote       {len(self.pages)} pages and tables below reports/, such as {self.pages[0]}")
        said += [f"register    {name} {head[:16]}" for name, head in self.heads.items()]
        return "\n".join(said)


def _days(days: Sequence[str]) -> str:
    if not days:
        return "none touched"
    return days[0] if len(days) == 1 else f"{len(days)}, {days[0]} to {days[-1]}"


def run(folder: Path, logs: Sequence[str], tick: Tick, *, today: date | None = None, show: Show | None = None,
        form: str = "", refused: Sequence[Problem] = ()) -> Account:
    """Run the night of one school folder over `logs`. `today`: the school day it is for; None: the clock's. `form`: the format of
    the logs; '': what their lines look like. `refused`: problems found before it, which its pages say too.

    RefusedError: nothing was read. UsageError, FailedError: a page says what stopped it.
    """
    require_school(folder)
    account = Account(problems=list(refused))
    with rulefiles.locked(folder):
        account.ran = runs_so_far(folder)
        try:
            with noted(folder, "night") as note:
                _night(folder, logs, account, today, tick, show or Show(), form)
                note.code = account.code()
        except RefusedError:
            raise
        except Exception as error:  # whatever it is, the night ends in a page and a sentence
            failure = error if isinstance(error, SchoolgateError) else failing.failed(folder, account.doing, error)
            told = failing.tell(folder, today or _today(failing.known(folder)), failure.problems, account.problems, account.rules)
            raise type(failure)(*failure.problems, *told) from None
    return account


def _night(folder: Path, logs: Sequence[str], account: Account, today: date | None, tick: Tick, show: Show, form: str) -> None:
    """Every step of the night, in order."""
    rules = _with_lists(folder, _rules(folder, account), account)
    folders.check(folder, rules.school.groups)
    keys = load_keys(folder / rules.school.keys)
    books = Registers({name: journal(folder, name) for name in REGISTERS}, lambda: keys.kept)
    lake = Lake(folder / "var/lake", books["ingest"], books["days"], keys.source)
    account.problems += lake.clean()
    reader = Reader(lake, Vault(folder / "var/vault/names", keys.vault), _masks(rules.school, keys),
                    rules.school, folder / "var/sealed", keys.sealed, rules.formats)
    before = _rows(lake)
    _read_all(logs, reader, account, tick, show, form)
    account.problems += _kept(_rows(lake) - before, account)
    touched = {day for reading in account.readings for day in reading.days}
    account.late = {day: lake.lines_rows([day]) for day in touched & lake.purged()}
    _judge_all(folder, lake, rules, keys, account, show, windows(books.checks().values()))
    account.doing = "bringing the registers up to date"
    with rulefiles.entering(folder):
        registers.enter(books, lake, lake.untold())
        held = books["custody"].entries()
        books["custody"].append_all(custody.taken(held, sealed.digests(folder / "var/sealed", custody.names(held))))
    account.doing = "writing the change log"
    _changes(folder, books)
    books["changes"].append_all(register.open_changes(inferred(lake, rules, books, lake.untold()), books.changes()))
    account.doing = "writing the pages"
    _publish(folder, lake, rules, keys, books, account, today)
    account.lines = _rows(lake)
    account.heads = {name: book.head() for name, book in books.items()}
    account.waiting = sum(1 for state in books.incidents().values() if state.waiting and state.detected)


def _judge_all(folder: Path, lake: Lake, rules: Rules, keys: Keys, account: Account, show: Show, tests: Sequence[Window]) -> None:
    """Judge every day that is not whole; what a late line would add to a purged day is gone. `tests`: the windows of checks."""
    purged = lake.purged()
    days = [day for day in lake.days_with_lines() if day not in purged]
    show.begin("judging", len(days))
    for day in days:
        account.doing = f"judging {day}"
        if not lake.whole(day) or history.outlearned(lake, day, rules):
            _judge(folder, lake, day, rules, keys, account, tests)
        show.step(str(day), None)


def _today(school: School | None) -> date:
    """The school day of the clock."""
    return school_day(datetime.now(UTC), school.calendar.timezone if school else "Europe/London")


def _rules(folder: Path, account: Account) -> Rules:
    """The rules to judge by: tonight's, or the last good ones under a problem for each fault."""
    files = rulefiles.texts(folder)
    rules, faults = judging.read_all(files)
    account.problems += faults
    account.rules = rulefiles.fingerprint(files)
    account.policy = rulefiles.policy_mark(files)
    if rules is not None:
        if not faults:
            rulefiles.keep_good(folder, files)
        return rules
    good = rulefiles.last_good(folder) | {name: text for name, text in files.items() if name == "people.csv"}
    rules, _ = judging.read_all(good)
    if rules is None:
        account.problems.clear()
        raise UsageError(*faults)
    account.problems.insert(0, Problem("rules", "are broken, so the last good ones were used", "mending the faults that follow"))
    account.rules, account.policy = rulefiles.fingerprint(good) + " (last good)", rulefiles.policy_mark(good)
    return rules


def _with_lists(folder: Path, rules: Rules, account: Account) -> Rules:
    """The rules with the imported lists; each list is part of the fingerprint, and one that is damaged is left out and said."""
    lists = Lists(folder)
    known, problems = lists.found()
    account.problems += problems
    if known:
        account.rules += f" with lists {rulefiles.fingerprint({name: about['hash'] for name, about in known.items()})}"
    return replace(rules, imported=[str(lists.path(name)) for name in known])


def _judge(folder: Path, lake: Lake, day: date, rules: Rules, keys: Keys, account: Account, tests: Sequence[Window]) -> None:
    """Judge one day and keep its tables; an equation that does not hold is a problem."""
    con = sql.connect(spill=str(emptied(folder / "var/spill")))
    lake.view(con, day)
    known = history.before(lake, day, rules, tests)
    seen, tables, counts = judging.judge(con, day, rules, keys.pseudonym, judging.logs_of(rules, lake.sources()), known)
    account.problems += judging.equations(con, tables, counts, day)
    lake.write_day(day, tables, {"rules": account.rules, "counts": counts} | history.told(known, seen.lately))
    account.judged.append(day)
    account.counts.update(judging.summary(tables, counts, rules.school, day))


def _changes(folder: Path, books: Registers) -> None:
    """Every difference of rules, lists and settings since the last night goes to the change log."""
    before = rulefiles.last_seen(folder)
    files = {name: text for name, text in rulefiles.texts(folder).items() if name != "people.csv"}
    if before:
        books["changes"].append_all(register.open_changes(changes.differences(before, files), books.changes()))
    # An update that was cut short before it could say so is recent; what is older may have been purged from the log.
    since = (datetime.now(UTC) - UNTOLD).isoformat()
    told = [changes.Change(**about["change"]) for about in Lists(folder).found()[0].values() if about["at"] > since]
    books["changes"].append_all(register.open_changes(told, books.changes()))
    rulefiles.keep_seen(folder, files)


def _publish(folder: Path, lake: Lake, rules: Rules, keys: Keys, books: Registers, account: Account, given: date | None) -> None:
    """Write the pages of every day that is untold; a night that heard from no log writes one that says so."""
    today, judged, untold, purged = given or _today(rules.school), lake.judged(), lake.untold(), lake.purged()
    now = day_bounds(given, rules.school.calendar.timezone)[1] if given else datetime.now(UTC)
    if given is None:  # a night that is given its day is not one of the schedule's
        account.missed, late = look_back(account.ran, rules.school, now)
        account.problems += late
    silent = silence.silences(lake, rules.school, {*untold, *account.missed}, today, now)
    account.problems += [*silence.problems(silent), *([] if account.readings else [UNHEARD])]
    desk = _desk(folder, lake, rules, keys, books, account)
    owed = sorted(day for day in judged if day in untold or (day not in purged and desk.lacks(day)))
    unheard = today in silent or not (owed or account.readings)
    unread = {day for day in account.missed if day in silent} | ({today} if unheard else set())
    for day in [*owed, *sorted(unread.difference(owed, purged))]:
        publishing.daily(desk, day, account.problems, sorted(silent.get(day, ())), judged=day in owed)
    publishing.periodic(desk, owed)
    if owed:
        sheets.write(desk, max(owed))
        inbox.made(folder, rules.school.groups.get("safeguarding", ""))
    publishing.indexes(folder, rules.school, desk.groups)
    lake.tell(untold)
    account.pages = [str(path.relative_to(folder)) for path in desk.written]


def _desk(folder: Path, lake: Lake, rules: Rules, keys: Keys, books: Registers, account: Account) -> publishing.Desk:
    """The desk that pages are made at, with the names as people.csv has them on the last judged day."""
    heads = {name: book.head()[:16] for name, book in books.items() if name not in ASIDE}
    groups, problems = folders.share(folder, rules.school.groups)
    account.problems += problems
    names = Vault(folder / "var/vault/names", keys.vault).names()
    who = publishing.who_is(rules, keys.pseudonym, names, max(lake.judged(), default=date.max))
    policy = f"{rules.policy.issued:%B %Y}, {account.policy}"
    versions = {"schoolgate": VERSION, "policy": policy, "rules": account.rules, "register": heads}
    return publishing.Desk(folder, lake, rules, books, who, versions, groups, key=keys.pseudonym)


@contextmanager
def at_desk(folder: Path, account: Account) -> Iterator[publishing.Desk]:
    """The desk of a school folder, under its lock, by the rules as they are; RefusedError, UsageError: none can be had."""
    require_school(folder)
    if not (folder / "var").is_dir():
        raise RefusedError(Problem(str(folder), "has judged no day yet", "schoolgate nightly LOG"))
    with rulefiles.locked(folder):
        rules = _with_lists(folder, _rules(folder, account), account)
        folders.check(folder, rules.school.groups)
        keys = load_keys(folder / rules.school.keys)
        books = Registers({name: journal(folder, name) for name in REGISTERS}, lambda: keys.kept)
        yield _desk(folder, open_lake(folder, keys), rules, keys, books, account)


def report(folder: Path, name: str, period: str = "") -> Account:
    """Issue the pages of a report for a period ('' for the latest there is), as the night does, by the rules as they are.

    RefusedError, UsageError: nothing was written.
    """
    account = Account()
    with at_desk(folder, account) as desk:
        publishing.report(desk, name, period)
        publishing.indexes(folder, desk.rules.school, desk.groups)
    account.pages = [str(path.relative_to(folder)) for path in desk.written]
    return account


def _read_all(logs: Sequence[str], reader: Reader, account: Account, tick: Tick, show: Show, form: str) -> None:
    found, problems = logfiles.find(logs)
    account.problems += problems
    show.begin("reading", len(found))
    for log in found:
        account.doing = f"reading {log.name}"
        try:
            reading = reader.read(log, partial(tick, log.name), form)
        except OSError as error:
            account.problems.append(Problem(str(log), f"could not be read ({error.strerror})", "its owner and mode"))
            continue
        account.readings.append(reading)
        show.step(log.name, reading.lines)
        account.problems += [*reading.problems, *fates_hold(reading), *_damage(log, reading)]


def _damage(log: LogFile, reading: Reading) -> list[Problem]:
    """A log of which nothing could be read is not an empty log."""
    if reading.source or not logfiles.damaged(log):
        return []
    return [Problem(str(log), "is damaged: nothing of it could be read", "copying the log again")]


def fates_hold(reading: Reading) -> list[Problem]:
    """Lines by fate must be the lines that the night consumed; said loudly when they are not."""
    named = sum(reading.fates[fate] for fate in FATES)
    if named == reading.consumed:
        return []
    return [Problem(reading.name, f"{reading.consumed:,} lines were consumed but {named:,} have a fate", "reporting this fault")]


def _rows(lake: Lake) -> int:
    return sum(file["rows"] for file in lake.lines_files().values())


def _kept(added: int, account: Account) -> list[Problem]:
    """The lake must have grown by the lines that the night consumed; said loudly when it has not."""
    consumed = sum(reading.consumed for reading in account.readings)
    if added == consumed:
        return []
    return [Problem("the lake", f"grew by {added:,} lines but {consumed:,} were consumed", "reporting this fault")]


def settings(folder: Path) -> School:
    """The school of a folder; UsageError with every fault of its settings."""
    require_school(folder)
    school, problems = read_school(rulefiles.texts(folder, ["school.toml"])["school.toml"], str(folder / "school.toml"))
    if school is None:
        raise UsageError(*problems)
    return school


def require_school(folder: Path) -> None:
    """UsageError when the folder is no school folder."""
    if not (folder / "school.toml").is_file():
        raise UsageError(Problem(str(folder), "is not a school folder: it has no school.toml", "--school DIR"))


def journal(folder: Path, name: str) -> Journal:
    """A register of the school folder."""
    return Journal(folder / "var/registers" / f"{name}.jsonl")


def incidents(folder: Path) -> register.Standing:
    """Each incident of the school folder by its reference, as it stands."""
    return Incidents(journal(folder, "incidents"), partial(_kept_key, folder)).now()


def _kept_key(folder: Path) -> bytes:
    return load_keys(folder / settings(folder).keys).kept


def open_lake(folder: Path, keys: Keys) -> Lake:
    """The lake of the school folder."""
    return Lake(folder / "var/lake", journal(folder, "ingest"), journal(folder, "days"), keys.source)


def _masks(school: School, keys: Keys) -> Masks:
    return Masks(keys.pseudonym, fits([(account.pattern, account.actor) for account in school.accounts]),
                 on_network([(network.name, network.cidr) for network in school.networks]))


def proven(folder: Path, names: Sequence[str] = REGISTERS, whole: bool = False) -> dict[str, proving.Proven]:
    """What is known of each of these registers of the school folder: its faults, and every head that it had.

    `whole`: walk every line of every register, also those that were walked before.
    """
    if not (folder / "var").is_dir():
        raise RefusedError(Problem(str(folder), "has no register yet", "schoolgate nightly LOG"))
    return {name: proving.prove(journal(folder, name), partial(_kept_key, folder), whole) for name in names}


def verify(folder: Path, known: Mapping[str, proving.Proven] | None = None) -> list[Problem]:
    """A problem for each entry of a register that does not hold, and for each file of the lake that is not as named.

    `known`: what is known of the registers already.
    """
    school = settings(folder)
    faults = [fault for found in (known or proven(folder)).values() for fault in found.faults]
    return faults + open_lake(folder, load_keys(folder / school.keys)).missing()
