"""The whole night, in order.

    rules → lock → clean the lake → read each log exactly once → judge every day that is not whole → registers → change log →
    pages → account

A broken rule file does not stop the night: it runs on the last good rules, and says so. A night that cannot be finished
writes a page that says so, and where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from pipeline import (
    changes,
    failing,
    folders,
    goodrules,
    history,
    inbox,
    issuing,
    judging,
    logfiles,
    publishing,
    register,
    registers,
    rulefiles,
    schoolfolder,
    sealed,
    sheets,
    silence,
    sql,
)
from pipeline.account import Account
from pipeline.checking import Window, windows
from pipeline.durable import emptied
from pipeline.inferring import entries as inferred
from pipeline.ingest import FATES, Masks
from pipeline.lake import Lake
from pipeline.liststore import Lists
from pipeline.logfiles import LogFile
from pipeline.missed import look_back
from pipeline.privacy import fits, on_network
from pipeline.problems import Problem, RefusedError, SchoolgateError
from pipeline.progress import Show
from pipeline.reading import Reader, Reading
from pipeline.register import custody
from pipeline.registers import Registers
from pipeline.ruleset import Rules
from pipeline.runs import known as runs_so_far
from pipeline.runs import noted
from pipeline.school import School
from pipeline.schoolday import day_bounds, school_day
from pipeline.vault import Keys, Vault, load_keys

Tick = Callable[[str, int], None]
UNTOLD = timedelta(days=31)
UNHEARD = Problem("the night", "heard from no log", "the paths given, and whether the filter still writes")


def run(folder: Path, logs: Sequence[str], tick: Tick, *, today: date | None = None, show: Show | None = None,
        form: str = "", refused: Sequence[Problem] = ()) -> Account:
    """Run the night of one school folder over `logs`. `today`: the school day it is for; None: the clock's. `form`: the format of
    the logs; '': what their lines look like. `refused`: problems found before it, which its pages say too.

    RefusedError: nothing was read. UsageError, FailedError: a page says what stopped it.
    """
    schoolfolder.require_school(folder)
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
    rules = goodrules.read(folder, account)
    folders.check(folder, rules.school.groups)
    keys = load_keys(folder / rules.school.keys)
    books = schoolfolder.registers(folder, keys)
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


def _judge(folder: Path, lake: Lake, day: date, rules: Rules, keys: Keys, account: Account, tests: Sequence[Window]) -> None:
    """Judge one day and keep its tables; an equation that does not hold is a problem."""
    con = sql.connect(spill=str(emptied(folder / "var/spill")))
    parts = lake.view(con, day)
    known = history.before(lake, day, rules, tests)
    seen, tables, counts = judging.judge(con, day, rules, keys.pseudonym, judging.logs_of(rules, lake.sources()), known, parts)
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
    desk = issuing.desk(folder, lake, rules, keys, books, account)
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


def _masks(school: School, keys: Keys) -> Masks:
    return Masks(keys.pseudonym, fits([(account.pattern, account.actor) for account in school.accounts]),
                 on_network([(network.name, network.cidr) for network in school.networks]))
