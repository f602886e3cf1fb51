"""The purge over a whole school folder: one tier after the other, a record of what went, and what must stay stays."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_school import MONDAY, PEOPLE, derived, lake_of, line, lines_of, make, names_kept, pages, run, where_found

from pipeline import deciding, night, periods, proving, publishing, purging, register, registers, rulefiles, ruleset, schoolfolder
from pipeline.disclosure import Ledger
from pipeline.pages.wording import number
from pipeline.publishing.figures import Figures
from pipeline.registers import Registers

TUESDAY = MONDAY + timedelta(days=1)
PLACE = "zz-plain.test"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monday: Jo's incident, dismissed, and Mo's, open. Tuesday: a blocked site in nobody's hands. All is kept."""
    school = make(tmp_path_factory.mktemp("purge") / "school")
    log = school / "access.log"
    log.write_text("".join([*(line(14_000 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(4)),
                            *(line(14_010 + 40 * n, "adult-two.test", "20mquill", "10.20.0.9", "TCP_DENIED/403") for n in range(4)),
                            line(14_500, PLACE), line(86_400, PLACE), "torn\n"]))
    run(school, log)
    own = school / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "newgame.test,games,asked for by year 8,TSM,2027-07-31\n", "utf-8")
    run(school, log)
    deciding.decide(school, ref_of(school, "19jbloggs"), "dismissed", "zz-typed wrongly", [], "", "false_positive")
    return school


@pytest.fixture
def school(nights: Path, tmp_path: Path) -> Path:
    """A copy, to purge."""
    return shutil.copytree(nights, tmp_path / "school")


def states(school: Path) -> dict[str, register.IncidentState]:
    """The incidents as they stand."""
    return register.fold_incidents(schoolfolder.journal(school, "incidents").entries())


def ref_of(school: Path, login: str) -> str:
    """The reference of the incident of this login."""
    names = night.Vault(school / "var/vault/names", night.load_keys(school / "var/keys").vault).names()
    return next(ref for ref, state in states(school).items() if names[state.summary["subject"]] == login)


def record(school: Path) -> list[dict[str, Any]]:
    """The destruction records."""
    return [entry.body or {} for entry in schoolfolder.journal(school, "destruction").entries() if entry.kind == "destroyed"]


def tables_held(school: Path) -> set[str]:
    """The derived tables that have rows."""
    return {name for name, rows in derived(school).items() if rows}


def test_nothing_goes_before_its_time(school: Path) -> None:
    """On the ninetieth day after Monday all is there, and nothing is written down."""
    before = {path: path.read_bytes() for path in school.rglob("*") if path.is_file()}
    assert purging.purge(school, MONDAY + timedelta(days=90)).text() == "nothing was old enough to be destroyed"
    assert record(school) == []
    assert {path: path.read_bytes() for path in before} == before


def test_tiers_are_reached_one_after_the_other(school: Path) -> None:
    """Monday's lines and tables, then Tuesday's, then the decided incident and the pages, then the long registers."""
    assert len(lines_of(school)) == 11
    held = sum(len(rows) for name, rows in derived(school).items() if name not in purging.KEPT_LONG and name != "hosts")
    first = purging.purge(school, MONDAY + timedelta(days=91))
    assert first.counts["lines"] == 9
    assert {row["time"].date() for row in lines_of(school) if row["time"]} == {TUESDAY}
    assert 0 < first.counts["rows of visits and what was made of them"] < held + 6
    second = purging.purge(school, MONDAY + timedelta(days=92))
    assert second.counts["lines"] == 2
    assert lines_of(school) == []
    assert tables_held(school) == {"tallies", "coverage"}
    assert set(names_kept(school)) == {"19jbloggs", "20mquill", "10.20.0.7", "10.20.0.9"}
    third = purging.purge(school, MONDAY + timedelta(days=731))
    assert third.counts["entries of incidents"] == 2
    assert third.counts["pages that name people"] == 2
    assert third.counts["names in the vault"] == 2
    assert third.waiting == 1
    assert set(names_kept(school)) == {"20mquill", "10.20.0.9"}
    assert not [page for page in pages(school) if str(MONDAY) in page and "technical" not in page]
    changed = len(schoolfolder.journal(school, "changes").entries())
    last = purging.purge(school, date(2033, 1, 1))
    assert last.counts["entries of breaches, changes, access and pages"] >= changed > 0
    assert tables_held(school) == {"tallies", "coverage"}
    assert schoolfolder.verify(school) == []
    assert [set(body["counts"]) for body in record(school)] == [set(purging.TIERS)] * 4


def test_the_record_says_who_what_how_much_and_of_days_before_which(school: Path) -> None:
    """The record in the register is the one that was printed."""
    done = purging.purge(school, MONDAY + timedelta(days=731))
    (body,) = record(school)
    assert body["counts"] == done.counts
    assert body["by"]
    assert body["before"]["lines"] == str(MONDAY + timedelta(days=731 - 90))
    assert body["before"]["entries of incidents"] == str(TUESDAY)
    for what, count in done.counts.items():
        assert not count or f"{number(count)} {what}, of days before {body['before'][what]}" in done.text()
    assert purging.purge(school, MONDAY + timedelta(days=731)).counts == dict.fromkeys(done.counts, 0)
    assert len(record(school)) == 1


def test_what_is_kept_beside_a_register_is_made_anew_without_what_went(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was typed stands in the kept file before the purge and in no file after it; the proof is there again, and holds."""
    monkeypatch.setattr(registers, "MANY", 1)
    monkeypatch.setattr(proving, "MANY", 1)
    assert schoolfolder.verify(school) == [] and len(schoolfolder.incidents(school)) == 2
    kept = [schoolfolder.journal(school, "incidents").kept(name) for name in ("fold", "proof")]
    before = [path.read_bytes() for path in kept]
    assert kept[0] in {path for paths in where_found(school, ["zz-typed wrongly"]).values() for path in map(school.joinpath, paths)}
    purging.purge(school, MONDAY + timedelta(days=731))
    assert where_found(school, ["zz-typed wrongly"]) == {}
    assert all(path.read_bytes() != old for path, old in zip(kept, before, strict=True)) and schoolfolder.verify(school) == []


def test_an_incident_that_waits_stays_until_somebody_decides(school: Path) -> None:
    """Mo's open incident outlives every tier, with its name; once dismissed it goes, and then nobody is left."""
    ref = ref_of(school, "20mquill")
    assert purging.purge(school, date(2040, 1, 1)).waiting == 1
    assert states(school)[ref].state == "suspected"
    assert deciding.explain_incident(school, ref) == []
    deciding.decide(school, ref, "dismissed", "too long ago", [], "", "false_positive")
    assert purging.purge(school, date(2040, 1, 1)).counts["names in the vault"] == 2
    assert all(state.purged for state in states(school).values())
    assert names_kept(school) == set()
    (school / "people.csv").unlink()
    (school / "access.log").unlink()
    words = ["19jbloggs", "20mquill", "Jo Bloggs", "Mo Quill", PLACE, "zz-typed", "too long ago"]
    assert where_found(school, words) == {}


def test_a_late_log_of_a_purged_day_is_kept_counted_and_said_but_never_judged(school: Path) -> None:
    """Its lines stand in the lake until the next purge; the account says so; incidents, breaches and pages stay as they were."""
    purging.purge(school, MONDAY + timedelta(days=91))
    was, shown = {ref: s.detected for ref, s in states(school).items()}, pages(school)
    breaches = schoolfolder.journal(school, "breaches").entries()
    late = school / "late.log"
    late.write_text(line(15_000, "adult-three.test", "20mquill", "10.20.0.9", "TCP_DENIED/403") + line(15_100, PLACE))
    account = run(school, late)
    assert account.judged == []
    assert account.fates["request"] == 2
    assert "2 lines of days already purged (2026-11-02)" in account.text()
    assert len(lines_of(school)) == 4
    assert {ref: s.detected for ref, s in states(school).items()} == was
    assert schoolfolder.journal(school, "breaches").entries() == breaches
    assert pages(school) == shown
    assert purging.purge(school, MONDAY + timedelta(days=91)).counts["lines"] == 2
    assert "already purged" not in run(school, late).text()


def test_tables_kept_longer_than_lines_are_not_judged_from_what_comes_late(school: Path) -> None:
    """When a day's lines are gone and its tables are not, a late line must not make a new day of itself alone."""
    settings = school / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace("visits_days     = 90", "visits_days     = 180"), "utf-8")
    run(school)
    assert purging.purge(school, MONDAY + timedelta(days=91)).counts["rows of visits and what was made of them"] == 0
    was = derived(school)
    late = school / "late.log"
    late.write_text(line(15_000, "adult-three.test", "20mquill", "10.20.0.9", "TCP_DENIED/403"))
    account = run(school, late)
    assert (account.judged, account.late) == ([], {MONDAY: 1})
    assert derived(school) == was
    assert all(state.detected for state in states(school).values())


def test_an_old_log_given_again_after_the_purge_adds_nothing(school: Path) -> None:
    """That its lines were read is known for ever, though the lines are gone."""
    purging.purge(school, date(2040, 1, 1))
    shown = pages(school)
    account = run(school, school / "access.log")
    assert (account.fates.total(), account.judged, lines_of(school)) == (0, [], [])
    assert pages(school) == shown
    assert lake_of(school).missing() == []


def test_no_tier_overtakes_the_day_that_it_is_made_of(school: Path) -> None:
    """Incidents kept for less long than lines wait for them: else the next night would open them anew."""
    settings = school / "school.toml"
    settings.write_text(settings.read_text("utf-8").replace("incidents_days  = 730", "incidents_days  = 10"), "utf-8")
    (school / "people.csv").write_text(PEOPLE, "utf-8")
    purging.purge(school, MONDAY + timedelta(days=60))
    known = set(states(school))
    run(school, school / "access.log")
    assert set(states(school)) == known
    assert purging.purge(school, MONDAY + timedelta(days=91)).counts["entries of incidents"] == 2
    run(school, school / "access.log")
    assert set(states(school)) == known


def test_the_weeks_of_the_term_outlive_the_visits(school: Path) -> None:
    """The summary of a term that is longer than visits are kept still counts its first days, as they were."""
    told = []
    for today in (MONDAY + timedelta(days=90), MONDAY + timedelta(days=92)):
        purging.purge(school, today)
        rules, _ = ruleset.read_all(rulefiles.texts(school))
        desk = publishing.Desk(school, lake_of(school), rules, Registers({name: schoolfolder.journal(school, name) for name in schoolfolder.REGISTERS}),
                               {}, {})
        figures = Figures(desk, periods.parse("2026-11-02..2026-11-03", rules.school.calendar), Ledger([], 5))
        told.append((figures.times(), figures.years(), figures.networks(), figures.tallies("pupils against by outcome")))
    assert told[0] == told[1]
    assert any(row["of"] == "blocked" and row["count"] and row["day"] == MONDAY for row in told[0][-1])
