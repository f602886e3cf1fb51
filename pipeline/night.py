"""The whole night, in order.

    settings → lock → clean the lake → read each log exactly once → account

Judging, registers and pages take their places in `run` as they land; each is a step that takes tables and returns them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline import logfiles, rulefiles
from pipeline.formats import bundled
from pipeline.ingest import FATES, Masks
from pipeline.journal import Journal
from pipeline.lake import Lake
from pipeline.privacy import fits, on_network
from pipeline.problems import Exit, Problem, RefusedError, UsageError
from pipeline.reading import Reader, Reading
from pipeline.school import School, read_school
from pipeline.vault import Keys, Vault, load_keys

Tick = Callable[[str, int], None]
REGISTERS = ("ingest", "days")
FORM = "squid"


@dataclass
class Account:
    """What came of a night, for the person who typed the command or reads cron's mail."""

    readings: list[Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0
    heads: dict[str, str] = field(default_factory=dict)

    @property
    def fates(self) -> Counter[str]:
        """Lines read tonight by fate."""
        return sum((reading.fates for reading in self.readings), Counter())

    @property
    def code(self) -> Exit:
        """5 when something must be mended, else 0."""
        return Exit.MEND if self.problems else Exit.DONE

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
        elif not read:
            said.append("nothing has changed")
        said += [f"register    {name} {head[:16]}" for name, head in self.heads.items()]
        return "\n".join(said)


def _days(days: Sequence[str]) -> str:
    if not days:
        return "none touched"
    return days[0] if len(days) == 1 else f"{len(days)}, {days[0]} to {days[-1]}"


def run(folder: Path, logs: Sequence[str], tick: Tick) -> Account:
    """Run the night of one school folder over `logs`. RefusedError, UsageError: nothing was read."""
    school = settings(folder)
    with rulefiles.locked(folder):
        keys = load_keys(folder / school.keys)
        lake = open_lake(folder, keys)
        account = Account(problems=lake.clean())
        reader = Reader(lake, Vault(folder / "var/vault/names", keys.vault), _masks(school, keys), school.calendar.timezone,
                        folder / "var/sealed", keys.sealed)
        _read_all(logs, school, reader, account, tick)
        account.lines = sum(file["rows"] for file in lake.lines_files().values())
        account.heads = {name: journal(folder, name).head() for name in REGISTERS}
    return account


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
