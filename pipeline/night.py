"""The whole night, in order.

    rules → lock → clean the lake → read each log exactly once → judge every day that is not whole → registers → change log →
    pages → account

A broken rule file does not stop the night: it runs on the last good rules, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from pipeline import changes, judging, logfiles, publishing, register, rulefiles, sql
from pipeline.formats import bundled
from pipeline.ingest import FATES, Masks
from pipeline.journal import Journal
from pipeline.judging import Rules
from pipeline.lake import Lake, emptied
from pipeline.privacy import fits, on_network
from pipeline.problems import Exit, Problem, RefusedError, UsageError
from pipeline.reading import Reader, Reading
from pipeline.school import School, read_school
from pipeline.schoolday import school_day
from pipeline.tables import BREACHES, INCIDENTS
from pipeline.vault import Keys, Vault, load_keys

Tick = Callable[[str, int], None]
REGISTERS = ("ingest", "days", "incidents", "breaches", "changes", "access", "destruction")
FORM = "squid"


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
    pages: list[str] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)

    @property
    def fates(self) -> Counter[str]:
        """Lines read tonight by fate."""
        return sum((reading.fates for reading in self.readings), Counter())

    @property
    def code(self) -> Exit:
        """5 when something must be mended, else 0."""
        return Exit.MEND if self.problems else Exit.DONE

    def _judged(self) -> list[str]:
        c, names = self.counts, self.counts["named"]
        per = names * 1000 / max(1, c["pupil days"])
        return [f"judged      {_days([str(day) for day in self.judged])}: {c['own']:,} requests in {c['visit rows']:,} visits "
                f"({c['against']:,} against the policy), {c['background']:,} more are background",
                f"found       {c['detections']:,} detections in {c['stories']:,} incidents to read; "
                f"{c['quietened']:,} more point to background and name nobody",
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


def run(folder: Path, logs: Sequence[str], tick: Tick) -> Account:
    """Run the night of one school folder over `logs`. RefusedError, UsageError: nothing was read."""
    rules, account = _rules(folder)
    with rulefiles.locked(folder):
        keys = load_keys(folder / rules.school.keys)
        lake = open_lake(folder, keys)
        account.problems += lake.clean()
        reader = Reader(lake, Vault(folder / "var/vault/names", keys.vault), _masks(rules.school, keys),
                        rules.school.calendar.timezone, folder / "var/sealed", keys.sealed)
        _read_all(logs, rules.school, reader, account, tick)
        touched, purged = {day for reading in account.readings for day in reading.days}, lake.purged()
        account.late = {day: lake.lines_rows([day]) for day in touched & purged}
        for day in [day for day in lake.days_with_lines() if day not in purged]:
            if not lake.whole(day):
                _judge(folder, lake, day, rules, keys, account)
            _register(folder, lake, day)
        _changes(folder)
        _publish(folder, lake, rules, keys, account)
        account.lines = sum(file["rows"] for file in lake.lines_files().values())
        account.heads = {name: journal(folder, name).head() for name in REGISTERS}
    return account


def _rules(folder: Path) -> tuple[Rules, Account]:
    """The rules to judge by: tonight's, or the last good ones under a problem for each fault."""
    settings(folder)
    files = rulefiles.texts(folder)
    rules, faults = judging.read_all(files)
    if rules is not None:
        if not faults:
            rulefiles.keep_good(folder, files)
        return rules, Account(problems=faults, rules=rulefiles.fingerprint(files))
    good = rulefiles.last_good(folder) | {name: text for name, text in files.items() if name == "people.csv"}
    rules, _ = judging.read_all(good)
    if rules is None:
        raise UsageError(*faults)
    said = Problem("rules", "are broken, so the last good ones were used", "mending the faults that follow")
    return rules, Account(problems=[said, *faults], rules=rulefiles.fingerprint(good) + " (last good)")


def _judge(folder: Path, lake: Lake, day: date, rules: Rules, keys: Keys, account: Account) -> None:
    """Judge one day and keep its tables; an equation that does not hold is a problem."""
    con = sql.connect(spill=str(emptied(folder / "var/spill")))
    lake.view(con, day)
    names = {source.source: source.name for source in lake.sources().values()}
    tables, counts = judging.judge(con, day, rules, keys.pseudonym, names)
    account.problems += judging.equations(tables, counts, day)
    lake.write_day(day, tables, {"rules": account.rules, "counts": counts})
    account.judged.append(day)
    account.counts.update(judging.summary(tables, counts, rules.school, day))


def _register(folder: Path, lake: Lake, day: date) -> None:
    """Bring the registers up to the day as it is judged; adds nothing when they are."""
    incidents, breaches = journal(folder, "incidents"), journal(folder, "breaches")
    stories, rows = lake.table(INCIDENTS, [day]), lake.table(BREACHES, [day])
    incidents.append_all(register.match_incidents(stories, register.fold_incidents(incidents.entries()), [day]))
    breaches.append_all(register.match_breaches(rows, register.fold_breaches(breaches.entries()), [day]))


def _changes(folder: Path) -> None:
    """Every difference of rules, lists and settings since the last night goes to the change log."""
    log, before = journal(folder, "changes"), rulefiles.last_seen(folder)
    files = {name: text for name, text in rulefiles.texts(folder).items() if name != "people.csv"}
    if before:
        log.append_all(register.open_changes(changes.differences(before, files), register.fold_changes(log.entries())))
    rulefiles.keep_seen(folder, files)


def _publish(folder: Path, lake: Lake, rules: Rules, keys: Keys, account: Account) -> None:
    """Write the pages of every day judged tonight; a night that heard from no log writes one that says so."""
    names = Vault(folder / "var/vault/names", keys.vault).names()
    heads = {name: journal(folder, name).head()[:16] for name in REGISTERS if name not in ("access", "destruction")}
    today, judged = school_day(datetime.now(UTC), rules.school.calendar.timezone), lake.judged()
    unissued, purged = lake.unissued(), lake.purged()
    desk = publishing.Desk(folder, lake, rules, {name: journal(folder, name) for name in REGISTERS},
                           publishing.who_is(rules, keys.pseudonym, names, max(unissued, default=today)),
                           {"rules": account.rules, "register": heads})
    owed = sorted(day for day in judged if day in unissued or (day not in purged and desk.lacks(day)))
    for day in owed or ([] if account.readings else [today]):
        publishing.nightly_page(desk, day, account.problems, judged.get(day, {}).get("counts", {}))
    for day in owed:
        publishing.named_pages(desk, day)
    if owed:
        publishing.termly_page(desk, owed[-1])
    lake.issue(owed)
    account.pages = [str(path.relative_to(folder)) for path in desk.written]


def _read_all(logs: Sequence[str], school: School, reader: Reader, account: Account, tick: Tick) -> None:
    found, problems = logfiles.find(logs)
    account.problems += problems
    verdicts = tuple(school.sealed.get(FORM, ()))
    for log in found:
        try:
            reading = reader.read(log, bundled()[FORM], verdicts, partial(tick, log.path.name))
        except OSError as error:
            account.problems.append(Problem(str(log.path), f"could not be read ({error.strerror})", "its owner and mode"))
            continue
        account.readings.append(reading)
        account.problems += [*reading.problems, *_equation(reading)]


def _equation(reading: Reading) -> list[Problem]:
    """Lines by fate must be the lines that the night consumed; said loudly when they are not."""
    named = sum(reading.fates[fate] for fate in FATES)
    if named == reading.consumed:
        return []
    return [Problem(reading.name, f"{reading.consumed:,} lines were consumed but {named:,} have a fate", "reporting this fault")]


def settings(folder: Path) -> School:
    """The school of a folder; UsageError with every fault of its settings."""
    files = rulefiles.texts(folder)
    if "school.toml" not in files:
        raise UsageError(Problem(str(folder), "is not a school folder: it has no school.toml", "--school DIR"))
    school, problems = read_school(files["school.toml"], str(folder / "school.toml"))
    if school is None:
        raise UsageError(*problems)
    return school


def journal(folder: Path, name: str) -> Journal:
    """A register of the school folder."""
    return Journal(folder / "var/registers" / f"{name}.jsonl")


def open_lake(folder: Path, keys: Keys) -> Lake:
    """The lake of the school folder."""
    return Lake(folder / "var/lake", journal(folder, "ingest"), journal(folder, "days"), keys.source)


def _masks(school: School, keys: Keys) -> Masks:
    return Masks(keys.pseudonym, fits([(account.pattern, account.actor) for account in school.accounts]),
                 on_network([(network.name, network.cidr) for network in school.networks]))


def verify(folder: Path) -> list[Problem]:
    """A problem for each entry of a register that does not hold, and for each file of the lake that is not as named."""
    school = settings(folder)
    if not (folder / "var").is_dir():
        raise RefusedError(Problem(str(folder), "has no register yet", "schoolgate nightly LOG"))
    faults = [fault for name in REGISTERS for fault in journal(folder, name).verify()]
    return faults + open_lake(folder, load_keys(folder / school.keys)).missing()
