"""What table 7.2 says of an incident: each category's rows as questions, the printed actions of several rows, and the repeat rule."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_school import line, make, run
from test_lifecycle import POLICY, TABLE, done, left
from test_register import Book, story

from pipeline import casework
from pipeline.register import IncidentState, move
from pipeline.register.proposals import Repeat, Rule, actions, asked, repeat

LESSON = "IN-02 if not allowed by a teacher"
# Golden: each category's tier, and its rows with what a person must say, in the order of the reading of the policy.
ASKED = {
    "illegal_csam": ("T0", ["IN-01 if deliberate"]), "illegal_terrorism": ("T0", ["IN-01 if deliberate"]),
    "extreme_pornography": ("T0", ["IN-01 if deliberate"]),
    **{name: ("T1", []) for name in ("self_harm_suicide", "eating_disorder", "extremism_interest", "stranger_chat_dating",
                                     "ai_companion", "ai_nudify", "drugs", "weapons")},
    "pornography": ("T2", ["IN-14 if deliberate", "IN-13 if accidental and not reported",
                           "no row and no sanction if accidental and reported", "no row and no sanction if background only",
                           "IN-01 is not proposed, though its words could be read so"]),
    "adult_lite": ("T3", [LESSON]),
    "hate_discrimination": ("T2", ["IN-14 if deliberate"]), "violence_gore": ("T2", ["IN-14 if deliberate"]),
    "gambling": ("T3", [LESSON, "no row and no sanction", "IN-01 is not proposed, though its words could be read so"]),
    "gambling_like_gaming": ("T3", [LESSON]),
    "copyright_p2p": ("T3", ["IN-15 if deliberate", "IN-04 if not allowed by a teacher"]),
    "copyright_streaming": ("T3", [LESSON, "IN-15 is not proposed, though its words could be read so"]),
    "file_sharing": ("T3", ["IN-04 if not allowed by a teacher"]), "private_business": ("T3", []), "shopping": ("T3", [LESSON]),
    "social_media": ("T3", [LESSON]), "messaging": ("T3", [LESSON]), "video_streaming": ("T3", [LESSON]),
    "live_broadcasting": ("T3", []), "personal_webmail": ("T3", []), "blogs": ("T3", []), "games": ("T3", [LESSON]),
    "ai_chat": ("T3", []), "essay_mills": ("T3", []),
    **{name: ("T2", ["IN-12 if deliberate"]) for name in ("bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor",
                                                          "bypass_mirror_or_remote_desktop")},
    "bypass_vpn_site_visit": ("T3", []), "bypass_vpn_app_chatter": ("T4", []), "bypass_default_privacy_feature": ("T4", []),
    "malware_c2_phishing": ("T4", []), "bandwidth": ("T4", []), "credential_anomaly": ("T3", ["IN-05", "IN-06", "IN-07"]),
    "help_seeking": ("none", []), "filter_check": ("none", []), "background": ("none", []), "uncategorised": ("none", []),
}
RULE = Rule.of(POLICY.more["repeat"])


@pytest.mark.parametrize("name", ASKED)
def test_each_category_asks_what_the_policy_needs_to_know(name: str) -> None:
    """Its tier, its rows in order, and the question that only a person can answer."""
    category = POLICY.categories[name]
    said = asked([(line.row, line.when) for line in category.propose], category.alternatives)
    assert (category.tier, said) == ASKED[name]


def test_no_category_is_without_its_golden_line() -> None:
    """A new category is held to the reading of the policy too; a place to learn is none of its categories."""
    assert set(POLICY.categories) - set(ASKED) == {"learning"}


def test_two_rows_together_are_the_union_of_what_is_definite_and_the_rest_of_what_is_possible() -> None:
    """Worked example 2, confirmed: IN-14 makes the police definite, so IN-12's query falls; the overlay stands apart."""
    assert actions(["IN-14", "IN-12"], TABLE) == [
        "definite: Refer to Head of Faculty / Head of House; Refer to Police/PCSO; Refer to technical support /ban; "
        "Inform parents / carers; Further sanction e.g. detention / exclusion",
        "told as well, by the safeguarding overlay (not in your policy): dsl, dsl_weekly_list"]
    assert actions(["IN-04"], TABLE)[1] == "possible: Removal of network / internet access rights"


class Year:
    """One pupil's incidents over a year, each confirmed and acted on."""

    def __init__(self) -> None:
        self.book = Book()

    def case(self, day: date, row: str, sanction: str = "warning", verdict: str = "confirmed", **more: Any) -> IncidentState:
        """One incident of that day, confirmed as that row with that sanction, or left with another verdict."""
        known = set(self.book.states())
        number = day.toordinal() % 10_000
        self.book.judge(story(number, day=day, **more), days=[day])
        (ref,) = set(self.book.states()) - known
        if verdict:
            self.move(ref, verdict, **({"rows": (row,)} if verdict == "confirmed" else {}))
        if sanction and verdict == "confirmed":
            definite = [name for name in TABLE.definite([row]) if name != "inform_parents"]
            self.move(ref, "acted", done=[{"action": sanction, "on": str(day + timedelta(days=1))}],
                      departures=left(*[name for name in (*definite, sanction) if name != sanction or sanction not in definite]))
        return self.state(ref)

    def move(self, ref: str, kind: str, **facts: Any) -> None:
        """One move by the Principal, who may record every sanction."""
        self.book.write(move(self.state(ref), kind, who="x", role="principal", reason="y", table=TABLE, **facts))

    def state(self, ref: str) -> IncidentState:
        """An incident as it stands."""
        found: IncidentState = self.book.states()[ref]
        return found

    def repeat(self, state: IncidentState, rule: Rule = RULE) -> Repeat | None:
        """What the repeat rule says of it."""
        return repeat(state, self.book.states().values(), rule)


def test_continued_infringements_are_counted_and_explained_in_one_line() -> None:
    """Worked example 10: IN-02 with a warning in October, IN-04 in February: IN-10 beside it, which adds SLT, parents and a sanction."""
    year = Year()
    year.case(date(2026, 10, 14), "IN-02")
    second = year.case(date(2027, 2, 9), "IN-04", sanction="")
    found = year.repeat(second)
    assert found == Repeat("IN-10", "IN-02 confirmed 14 Oct 2026, warning 2026-10-15 (I-0001); IN-04 confirmed 9 Feb 2027 (I-0002) "
                           "-> IN-10 may apply", ("I-0001",))
    alone, both = actions(second.rows, TABLE)[0], actions([*second.rows, "IN-10"], TABLE, found)
    assert {"Refer to Principal/SLT", "Inform parents / carers", "Further sanction e.g. detention / exclusion"} <= set(
        both[0].removeprefix("definite: ").split("; ")) - set(alone.removeprefix("definite: ").split("; "))
    assert both[1] == "possible: Refer to Police/PCSO; Removal of network / internet access rights"
    assert both[2].endswith("dsl_weekly_list")


def test_a_repeat_of_a_row_that_is_not_above_is_marked_and_not_proposed() -> None:
    """Worked example 11: IN-12 twice is a repeat, for which IN-10 is not printed; a decision on AMB-21 would change that."""
    year = Year()
    year.case(date(2026, 10, 14), "IN-12", "further_sanction")
    second = year.case(date(2027, 2, 9), "IN-12", "further_sanction")
    found = year.repeat(second)
    assert found is not None and found.row == "" and found.chain.endswith("-> a repeat, for which IN-10 is not printed")
    wide = year.repeat(second, Rule.of(POLICY.more["repeat"] | {"extend_to_all": True}))
    assert wide is not None and wide.row == "IN-10"


@pytest.mark.parametrize(("before", "why"), [
    ({"sanction": ""}, "no warning or sanction on record"), ({"sanction": "hof_hoh"}, "telling a head is neither"),
    ({"verdict": "accidental_reported"}, "an accident that was reported"), ({"verdict": ""}, "nobody has confirmed it"),
    ({"day": date(2026, 7, 1)}, "another academic year"), ({"subject": "p2"}, "another pupil")])
def test_what_never_counts_as_an_earlier_infringement(before: dict[str, Any], why: str) -> None:
    """Only confirmed, of the same pupil and year, with a warning or sanction."""
    year = Year()
    year.case(**{"day": date(2026, 10, 14), "row": "IN-02"} | before)
    assert year.repeat(year.case(date(2027, 2, 9), "IN-04")) is None, why


def test_two_of_one_day_are_one_and_a_corrected_one_is_none() -> None:
    """Distinct days count; what was corrected later falls out of the chain of what came after it."""
    year = Year()
    year.case(date(2026, 10, 14), "IN-02")
    third = year.case(date(2026, 10, 20), "IN-04")
    assert year.repeat(third) is not None
    year.move("I-0001", "corrected", why="mistaken_identity")
    assert year.repeat(year.state(third.ref)) is None
    two_needed = Rule.of(POLICY.more["repeat"] | {"minimum": 2})
    year.case(date(2026, 11, 3), "IN-02")
    assert year.repeat(year.case(date(2026, 11, 4), "IN-02"), two_needed) is not None


def test_a_fleet_that_hides_its_traffic_is_the_schools_to_mend_and_nobodys_incident(tmp_path: Path) -> None:
    """Worked example 4: many users on a private relay: no detection names a person."""
    school = make(tmp_path / "school", ("pornography", "vpn-tunnel", "web-proxy"))
    own = school / "rules/lists/own.csv"
    own.write_text(own.read_text("utf-8") + "relay.test,bypass_default_privacy_feature,ours,TSM,2027-07-31\n", "utf-8")
    log = school / "access.log"
    log.write_text("".join(line(60 * n + m, "http://relay.test:443", f"20pupil{chr(97 + n)}", f"10.20.0.{n + 20}", "TCP_TUNNEL/200", "CONNECT")
                           .replace("http://relay.test:443/", "relay.test:443") for n in range(12) for m in range(5)), "utf-8")
    run(school, log)
    assert casework.states_of(school) == {}


def test_what_was_acted_on_is_what_the_next_case_counts() -> None:
    """The chain names the day of the sanction, not of the incident."""
    year = Year()
    first = year.case(date(2026, 10, 14), "IN-04", sanction="")
    year.move(first.ref, "acted", done=done("warning"), departures=left("class_teacher", "hof_hoh", "tech_support_ban"))
    found = year.repeat(year.case(date(2026, 11, 9), "IN-02"))
    assert found is not None and "IN-04 confirmed 14 Oct 2026, warning 2026-11-05 (I-0001)" in found.chain
