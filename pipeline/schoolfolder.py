"""What stands in a school folder: its settings, its registers, its lake; and whether they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeline import proving, register, rulefiles
from pipeline.journal import Journal
from pipeline.lake import Lake
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.registers import Incidents, Registers
from pipeline.ruleset import Rules, read_all
from pipeline.school import School, read_school
from pipeline.vault import Keys, load_keys

REGISTERS = ("ingest", "days", "incidents", "breaches", "changes", "decisions", "checks", "concerns", "custody", "access",
             "issued", "pages", "destruction")
ASIDE = ("access", "issued", "pages", "destruction")  # registers whose heads stand on no page: making pages adds to them


def settings(folder: Path) -> School:
    """The school of a folder; UsageError with every fault of its settings."""
    require_school(folder)
    school, problems = read_school(rulefiles.texts(folder, ["school.toml"])["school.toml"], str(folder / "school.toml"))
    if school is None:
        raise UsageError(*problems)
    return school


def rules(folder: Path) -> Rules:
    """All that a school folder judges by; UsageError with every fault when it cannot be judged by."""
    require_school(folder)
    read, problems = read_all(rulefiles.texts(folder))
    if read is None:
        raise UsageError(*problems)
    return read


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


def registers(folder: Path, keys: Keys) -> Registers:
    """All registers of the school folder."""
    return Registers({name: journal(folder, name) for name in REGISTERS}, lambda: keys.kept)


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
