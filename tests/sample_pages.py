"""One sample of every page, from the made-up school's week, as they are committed in reports/sample/.

    python tests/sample_pages.py            makes them anew and says which differ
    python tests/sample_pages.py --accept   and puts them in the place of the committed ones (`make accept`)

The week is judged with fixed keys, four of its incidents are decided and one change is explained on Friday afternoon, so that
every page has something to tell. What differs at every making is scrubbed by name below.
"""

from __future__ import annotations

import difflib
import re
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "sample_logs")]

import generate  # noqa: E402  (the made-up school's own generator)

from pipeline import (  # noqa: E402
    exporting,
    issuing,
    keyboard,
    night,
    periods,
    publishing,
    register,
    schoolfolder,
)
from pipeline.account import Account  # noqa: E402
from pipeline.register import checks, concerns, tested  # noqa: E402

COMMITTED = ROOT / "reports/sample"
FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=UTC)
DECIDED = 6  # incidents of two year groups, so that there are digests
PAGES = {
    "technical/nightly-2026-11-04": "nightly", "technical/breaches-autumn-2026": "breaches", "technical/changes-autumn-2026": "changes",
    "safeguarding/dsl-list-2026-11-04": "dsl-list", "safeguarding/dsl-week-2026-W45": "dsl-week", "principal/principal-2026-11-04": "principal",
    "technical/checks-autumn-2026": "checks", "leadership/termly-autumn-2026": "termly", "governors/annual-2026-27": "annual",
    "access/looks-2026-11": "looks"}
SCRUBS = (  # what hangs on the hour, the keys or the release, and what stands in its place
    (r"<style>.*?</style>", "<style></style>"), (r"sha256-[A-Za-z0-9+/=]+", "sha256-DIGEST"),
    (r"\b[0-9a-f]{16}\b", "HEAD"), (r"\b[0-9a-f]{12}\b( with lists [0-9a-f]+)?( \(last good\))?", "RULES"))


class Stopped(datetime):
    """A clock that stands at the evening of that Friday: registers say when they were written."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """Friday evening."""
        return FRIDAY.replace(hour=19).astimezone(tz)


@patch("pipeline.journal.datetime", Stopped)
def made(folder: Path) -> dict[str, str]:
    """Every sample by its file name in reports/sample/: the pages and the tables beside them."""
    _school(folder)
    night.run(folder, [str(log) for log in _logs(folder / "logs")], lambda name, lines: None, today=date(2026, 11, 7))
    _decide(folder)
    _act(folder)
    _check(folder)
    names = {**PAGES, **_digest(folder)}
    with patch("pipeline.keyboard.login", lambda: "it.lead"):
        exporting.detections(folder, folder / "out.csv", True)
    for name in ("looks", "termly", "annual", "year-digest", "dsl-list", "dsl-week", "principal", "changes", "breaches", "checks"):
        issuing.report(folder, name, _period(name))
    found = {}
    for page, short in names.items():
        place = folder / "reports" / page
        for file in sorted(place.parent.glob(f"{place.name}.*")):
            if file.name[len(place.name)] == ".":
                found[short + file.name.removeprefix(place.name)] = file.read_text("utf-8")
    return found | _evidence(folder)


def _period(name: str) -> str:
    return {"looks": "2026-11", "termly": "autumn-2026", "changes": "autumn-2026", "breaches": "autumn-2026", "checks": "autumn-2026", "annual": "2026-27", "dsl-week": "2026-W45",
            "year-digest": "2026-W45"}.get(name, "2026-11-04")


def _evidence(folder: Path) -> dict[str, str]:
    """The first page of the evidence for inspection, and its table."""
    with issuing.at_desk(folder, Account()) as desk:
        files = publishing.inspection(desk, periods.parse("2026-27", desk.rules.school.calendar), schoolfolder.proven(folder))
    return {f"inspection{name.removeprefix('index')}": files[name].decode() for name in ("index.html", "index.answers.csv")}


def _school(folder: Path) -> None:
    """The repository's own school folder, with a DSL at the keyboard and fixed keys."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    settings = (ROOT / "school.toml").read_text("utf-8")
    (folder / "school.toml").write_text(settings.replace("[roles]", f'[roles]\n{keyboard.login()} = "dsl"'), "utf-8")
    shutil.copy(ROOT / "people.csv", folder)
    (folder / "var").mkdir(mode=0o700)
    (folder / "var/keys").mkdir(mode=0o700)
    for name in ("pseudonym", "vault", "sealed", "source"):  # pseudonyms decide the order of what happened in one minute
        (folder / f"var/keys/{name}.key").write_bytes(name.encode().ljust(32, b"."))
        (folder / f"var/keys/{name}.key").chmod(0o600)


def _logs(place: Path) -> list[Path]:
    """The logs of the made-up week, Monday to Saturday."""
    place.mkdir()
    generate.write_days(place, [generate.WEEK + timedelta(days=n) for n in range(6)])
    return sorted(place.glob("access-*.log"))


def _decide(folder: Path) -> None:
    """The first incidents of pupils that may be IN-12 are confirmed on Friday; one is dismissed."""
    log = schoolfolder.journal(folder, "incidents")
    states = [s for s in register.fold_incidents(log.entries()).values() if s.summary["actor"] == "student" and "IN-12" in s.rows]
    for n, state in enumerate(states[:DECIDED]):
        kind, more = ("dismissed", {"code": "authorised"}) if n == 0 else ("confirmed", {"rows": ["IN-12"], "intent": "deliberate"})
        log.append(*register.decide(state, kind, who="a.person", role="dsl", reason="spoke with the pupil", allowed_roles={"dsl"}, **more),
                   at=FRIDAY)


def _act(folder: Path) -> None:
    """Of those confirmed, one has all its actions and one a departure; seven concerns came, and most were looked after."""
    log, by = schoolfolder.journal(folder, "incidents"), {"who": "a.person", "role": "dsl", "reason": "after speaking with them"}
    ours = [s for s in register.fold_incidents(log.entries()).values() if s.verdict == "confirmed"]
    done = [{"action": each, "on": "2026-11-06"} for each in ("hof_hoh", "tech_support_ban")]
    for state in ours[:2]:
        log.append("acted", state.ref, {**by, "done": done, "departures": [{"action": "confiscation", "reason": "a phone"}] if state is ours[0] else []})
    book, school = schoolfolder.journal(folder, "concerns"), {"who": "a.person", "role": "dsl"}
    for n in range(1, 8):
        book.append(*concerns.add(f"P-{n:04}", FRIDAY.date() - timedelta(days=3), "parent", FRIDAY.date(), what="a game", owner="Head of Year", **school))
        state = concerns.fold_concerns(book.entries())[f"P-{n:04}"]
        book.append(*concerns.contacted(state, FRIDAY.date(), **school, reason="rang"))


def _check(folder: Path) -> None:
    """Two checks of that week, one of which found something, and one that was planned and never made."""
    log, by = schoolfolder.journal(folder, "checks"), {"who": "a.person", "role": "technical_services_manager", "reason": "half-term check"}
    laptop = {"device": "LT-14", "device_class": "laptop", "owner": "school", "site": "school devices", "user_group": "students"}
    phone = {"device": "a test phone", "device_class": "phone", "owner": "byod", "site": "own devices", "user_group": "students"}
    guest = {"device": "a test phone", "device_class": "phone", "owner": "guest", "site": "guests", "user_group": "guests"}
    for n, (place, hour) in enumerate(((laptop, 9), (phone, 10), (guest, 14)), 1):
        begins = FRIDAY.replace(hour=hour, minute=0)
        log.append(*checks.plan(f"K-{n:04}", begins, begins + timedelta(hours=1), FRIDAY - timedelta(days=9), **by, **place,
                                tester="Technical Services Manager, with the DSL", tool="the UK Safer Internet Centre's test page"))
    states = checks.fold_checks(log.entries())
    log.append(*checks.record(states["K-0001"], dict.fromkeys((*tested.CORE, "safe_search", "decryption"), "pass"), FRIDAY.date(), **by))
    log.append(*checks.record(states["K-0002"], {"adult": "pass", "safe_search": "fail"}, FRIDAY.date(), **by, action="lock safe search on own devices",
                              owner="Technical Services Manager", due="2026-11-13"))


def _digest(folder: Path) -> dict[str, str]:
    """The digest of the lowest year group that has a case."""
    log = schoolfolder.journal(folder, "incidents")
    years = sorted((s.summary["year"] for s in register.fold_incidents(log.entries()).values() if s.state == "confirmed"), key=int)
    return {f"year-{years[0]}/year-digest-2026-W45": "year-digest"}


def scrubbed(text: str) -> str:
    """A page without what differs at every making."""
    for pattern, instead in SCRUBS:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text


def differences(found: dict[str, str]) -> list[str]:
    """Every line in which the pages made differ from those committed; a page that only one side has is one line."""
    said = [f"{name} is not committed" for name in found if not (COMMITTED / name).exists()]
    said += [f"{path.name} is no longer made" for path in sorted(COMMITTED.glob("*.*")) if path.suffix in {".html", ".csv"} and path.name not in found]
    for name, text in found.items():
        if (COMMITTED / name).exists():
            old = scrubbed((COMMITTED / name).read_text("utf-8")).splitlines()
            said += difflib.unified_diff(old, scrubbed(text).splitlines(), f"reports/sample/{name}", "as made now", lineterm="", n=1)
    return said


def main(accept: bool) -> int:
    """Say what differs; with `accept` commit to it."""
    with tempfile.TemporaryDirectory() as place:
        found = made(Path(place) / "school")
    said = differences(found)
    print("\n".join(said) or "Every sample is as committed.")
    if accept:
        for path in COMMITTED.glob("*.*"):
            if path.suffix in {".html", ".csv"} and path.name not in found:
                path.unlink()
        for name, text in found.items():
            (COMMITTED / name).write_text(text, "utf-8", newline="")
    return 0 if accept or not said else 1


if __name__ == "__main__":
    sys.exit(main("--accept" in sys.argv[1:]))
