"""The school folder on disk: settings and rules as text with a fingerprint, the last good copy of them, and a lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.textfiles import put_text, read_texts

PATTERNS = ("school.toml", "people.csv", "rules/*.csv", "rules/*.toml", "rules/*.txt", "rules/detect/*.toml",
            "rules/formats/*.toml", "rules/guidance/*.toml", "rules/lists/*.txt", "rules/lists/*.csv", "rules/terms/*.txt",
            "rules/terms/*.csv",
            "rules/vendor/*.csv")

POLICY = tuple(f"rules/{name}" for name in ("acceptable_use.csv", "communications.csv", "sanctions.csv", "policy.toml",
                                            "questions.toml", "decisions.csv"))  # what the policy says, and how it is read


def texts(folder: Path, patterns: Sequence[str] = PATTERNS) -> dict[str, str]:
    """Every settings and rule file of a school folder (or those that fit these patterns), by its path inside it."""
    return read_texts(folder, patterns)


def fingerprint(files: Mapping[str, str]) -> str:
    """Twelve letters that change when any rule or setting does."""
    text = "\0".join(f"{name}\0{files[name]}" for name in sorted(files))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def last_good(folder: Path) -> dict[str, str]:
    """The rules of the last night on which they held; none before the first."""
    path = folder / "var/rules.last.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def keep_good(folder: Path, files: Mapping[str, str]) -> None:
    """Keep these rules as the last good ones; not people.csv, whose names stand in one place only."""
    kept = {name: text for name, text in files.items() if name != "people.csv"}
    put_text(folder / "var/rules.last.json", json.dumps(kept, ensure_ascii=False, sort_keys=True))


def last_seen(folder: Path) -> dict[str, str]:
    """The rules and settings as the last night found them, broken or not; none before the first."""
    path = folder / "var/rules.seen.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def keep_seen(folder: Path, files: Mapping[str, str]) -> None:
    """Keep the rules as tonight found them; not people.csv, for its names stand in one place."""
    kept = {name: text for name, text in files.items() if name != "people.csv"}
    put_text(folder / "var/rules.seen.json", json.dumps(kept, ensure_ascii=False, sort_keys=True))


def policy_mark(files: Mapping[str, str]) -> str:
    """The fingerprint of the policy alone, of these files: it stays when a rule or a list changes."""
    return fingerprint({name: text for name, text in files.items() if name in POLICY})


def make_folder(folder: Path) -> list[str]:
    """Make a school folder to fill in, from the made-up school's: settings and rules, no person and no own list.

    Gives the files made. RefusedError when a file of a school folder is there already.
    """
    if (folder / "school.toml").exists():
        raise RefusedError(Problem(str(folder), "is a school folder already", "another folder"))
    files = {name: text for name, text in texts(Path(__file__).parent.parent).items() if name != "people.csv"}
    files["school.toml"] = files["school.toml"].replace("Fenmarsh Community School", "Name of the school").replace(
        "This one is made up: no such school, network or person exists.", "Everything below is an example: put your own.")
    own = files["rules/lists/own.csv"]
    files["rules/lists/own.csv"] = own[:own.find("\n") + 1]
    files["people.csv"] = "username,name,role,year,house,valid_from,valid_to\n"
    for name, text in files.items():
        put_text(folder / name, text)
    return sorted(files)


def exact(folder: Path, name: str) -> str:
    """The text of one rule file to its last sign: byte-order mark and line ends as they are; empty when it is not there."""
    path = folder / name
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except UnicodeDecodeError:
        raise UsageError(Problem(str(path), "is not UTF-8, so nothing is put into it", "saving it as CSV UTF-8")) from None


def put(folder: Path, name: str, text: str) -> None:
    """Put a text in the place of one rule file, whole or not at all; its mode stays."""
    path = folder / name
    put_text(path, text, path.stat().st_mode & 0o777 if path.exists() else 0o600)


def remove(paths: Sequence[Path]) -> int:
    """Remove these files; how many there were."""
    for path in paths:
        path.unlink()
    return len(paths)


@contextmanager
def locked(folder: Path, work: str = "night", patience: float = 0) -> Iterator[None]:
    """Hold the school folder for one night, or for other `work`; RefusedError while another of the same is at work in it.

    `patience`: how many seconds to wait for the other.
    """
    (folder / "var").mkdir(exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / f"var/.{work.replace(' ', '-')}.lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        until = time.monotonic() + patience
        while not _held(lock.fileno()):
            if time.monotonic() >= until:
                raise RefusedError(Problem(str(folder), f"another {work} is at work in this school folder",
                                           "waiting until it has ended"))
            time.sleep(0.02)
        yield


def _held(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def entering(folder: Path) -> AbstractContextManager[None]:
    """Hold the registers while what is entered hangs on what they say; a night does so for seconds, so others wait for it."""
    return locked(folder, "entry in the registers", patience=60)
