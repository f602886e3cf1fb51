"""The measure itself: the same week for the same seed, labels that agree with the log, and scores that can be bad."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tables_text import rows

from sample_logs.quality import innocent, measure, misuse, ordinary, readme, school, scores, telling, world
from sample_logs.quality.logs import VISIBILITIES, Hit, lines
from sample_logs.quality.names import STEMS, dice
from sample_logs.quality.school import Seat
from sample_logs.quality.scores import Found, Label, Score
from sample_logs.quality.week import Week

DETAILED = re.compile(r'\[(?P<time>[^\]]+)\] (?P<client>[\d.]+):\d+ (?P<user>\S+) "(?P<method>\S+) (?P<url>\S+) HTTP/1.1" '
                      r'(?P<status>\d+) \d+/\d+ +(?P<took>\d+) (?P<tag>[A-Z_]+):')
NATIVE = re.compile(r"(?P<time>[\d.]+) +(?P<took>\d+) (?P<client>\S+) (?P<tag>[A-Z_]+)/(?P<status>\d+) \d+ (?P<method>\S+) "
                    r"(?P<url>\S+) (?P<user>\S+) ")


STEM = "|".join(STEMS)


@pytest.fixture(scope="module", params=VISIBILITIES)
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Week, Path]:
    """A week's acts without ordinary traffic, in full addresses and in host names only, and the folder of its logs."""
    week, folder = measure.build(5, "hard", 1, quiet=True), tmp_path_factory.mktemp("week") / "logs"
    measure.write(week, request.param, folder)
    return request.param, week, folder


def seen(folder: Path) -> Iterator[tuple[str, float, float, str, bool]]:
    """who, begin, end, host and blocked of every request of the logs, read by patterns of this test's own."""
    for path in sorted(folder.iterdir()):
        for text in path.read_text("utf-8").splitlines():
            found = DETAILED.match(text) or NATIVE.match(text)
            assert found, text
            line = found.groupdict()
            if line["tag"] == "NONE_NONE":
                continue
            at = (float(line["time"]) if "." in line["time"] and ":" not in line["time"]
                  else datetime.strptime(line["time"], "%d/%b/%Y:%H:%M:%S.%f %z").timestamp())
            host = line["url"].split("://", 1)[-1].split("/")[0].split(":")[0]
            who = line["client"] if line["user"] == "-" else line["user"]
            yield who, at - int(line["took"]) / 1000, at, host, line["tag"] == "TCP_DENIED"


def test_a_seed_makes_one_week_and_another_seed_another() -> None:
    """The same lines and labels for the same seed; hosts, people and acts all differ for the next one."""
    made = []
    for seed in (5, 5, 6):
        week = measure.build(seed, "medium", 1, quiet=True)
        hits = dict(week.by_day())[week.measured[2]]
        made.append(([line.text for line in lines(hits, "full", dice(seed))], measure.labels(week, "full")))
    assert made[0] == made[1]
    assert not set(made[0][0]) & set(made[2][0])
    assert not set(made[0][1]) & set(made[2][1])


def test_every_label_has_its_lines_and_they_agree(planted: tuple[str, Week, Path]) -> None:
    """Who, when, which hosts and what the filter did: the log, read anew, shows each label as it is told."""
    visibility, week, folder = planted
    log = defaultdict(list)
    for who, began, ended, host, blocked in seen(folder):
        log[who, host].append((began, ended, blocked))
    told = {(label.who, label.kind, round(label.began, 3)): label for label in measure.labels(week, visibility)}
    checked = 0
    for act in week.acts:
        label = told.get((act.who, act.kind, round(min(hit.at for hit in act.hits), 3))) if act.hits else None
        if label is None:
            assert act.addresses
            continue
        for host in {hit.host.split(":")[0] for hit in act.hits}:
            near = [line for line in log[act.who, host] if line[0] <= label.ended + 1 and line[1] >= label.began - 1]
            assert near, (visibility, label.kind, host)
            assert {blocked for *_, blocked in near} >= {hit.blocked for hit in act.hits if hit.host.split(":")[0] == host}
        assert label.lines > 0
        assert label.ended >= label.began
        checked += 1
    assert checked > 1500


def test_every_kind_is_there_and_host_names_lose_only_what_addresses_alone_show() -> None:
    """A week holds every true kind and every look-alike that the page of the domain names; searches are not seen in host names."""
    week = measure.build(5, "medium", 1, quiet=True)
    kinds = {visibility: {label.kind for label in measure.labels(week, visibility)} for visibility in VISIBILITIES}
    assert kinds["full"] - kinds["host"] == {"searches of a child in trouble", "asked how to get round it"}
    for visibility, services in (("full", {"translate.goog", "web.archive.org", "translate.google.com"}), ("host", {"translate.goog"})):
        copies = {label.began for label in measure.labels(week, visibility) if label.kind == "copy of a blocked site"}
        hosts = {act.hits[0].host for act in week.acts if act.kind == "copy of a blocked site" and act.hits[0].at in copies}
        assert {"translate.goog" if host.endswith(".translate.goog") else host for host in hosts} <= services
        assert any(host.endswith(".translate.goog") for host in hosts)
    assert set(innocent.KEY_KINDS) <= kinds["host"]
    true = {label.category for label in measure.labels(week, "full") if label.truth == "true"}
    assert {"pornography", "gambling", "bypass_web_proxy", "bypass_vpn_tunnel", "bypass_tor", "bypass_mirror_or_remote_desktop",
            "malware_c2_phishing", "credential_anomaly", "copyright_p2p", *misuse.WELFARE} <= true


def test_no_name_tells_good_from_bad() -> None:
    """Every invented host fits one grammar, and good and bad ones use the same words and endings, a number as often."""
    made, parts = world.make(5, "hard"), {}
    for kinds in (world.BAD, world.GOOD | world.SIDE):
        hosts = [site.host for kind in kinds for site in made.sites[kind] if not world.real(site.host)]
        found = [re.fullmatch(rf"(?:(?:www|app|m|go|web)\.)?({STEM})-?({STEM})(\d*)\.(test|example|invalid)", host) for host in hosts]
        assert all(found)
        groups = [match.groups() for match in found if match]
        parts[len(parts)] = ({word for one in groups for word in one[:2]}, {one[3] for one in groups},
                             round(sum(bool(one[2]) for one in groups) / len(groups), 1))
    assert parts[0] == parts[1]


def label(row: dict[str, str | None]) -> Label:
    """A label of a text table; times are minutes of the day."""
    return Label("d", row["who"] or "", row["category"] or "", 60 * float(row["from"] or 0), 60 * float(row["to"] or 0),
                 row["truth"] or "", row.get("kind") or "", row.get("intent") or "", also=tuple((row.get("also") or "").split()))


def found(row: dict[str, str | None]) -> Found:
    """A detection of a text table."""
    return Found("d", row["who"] or "", row["category"] or "", 60 * float(row["from"] or 0), 60 * float(row["to"] or 0),
                 row["ref"] or "", intent=row.get("intent") or "", route=row.get("route") or "student")


def matched(labels: str, detections: str) -> Score:
    """Two text tables, scored."""
    return scores.score([label(row) for row in rows(labels)], [found(row) for row in rows(detections)])


def said(score: Score) -> str:
    """The tallies as a text table."""
    return "\n".join(f"{name} | {t.true} | {t.found} | {t.right} | {t.false}" for name, t in sorted(score.tallies.items()))


def test_a_detection_is_right_for_its_person_category_and_time() -> None:
    """Another person, another category, another hour: each is false, and the act is missed."""
    score = matched("""
        truth | who | category    | from | to
        true  | ann | pornography | 600  | 610
        true  | ben | pornography | 600  | 610
        true  | cal | pornography | 600  | 610
        true  | dot | pornography | 600  | 610
        """, """
        who | category    | from | to  | ref
        ann | pornography | 604  | 620 | I-1
        ann | pornography | 600  | 602 | I-1
        eve | pornography | 600  | 610 | I-2
        cal | games       | 600  | 610 | I-3
        dot | pornography | 700  | 710 | I-4
        ben | pornography | 600  | 610 | -
        """)
    assert said(score) == "games | 0 | 0 | 0 | 1\npornography | 4 | 1 | 1 | 2"
    assert (score.tallies["pornography"].precision, score.tallies["pornography"].recall) == (1 / 3, 1 / 4)
    assert score.ordinary == 3
    assert [one.who for one in score.missed] == ["ben", "cal", "dot"]


def test_what_is_told_of_a_device_is_told_of_whoever_was_at_it() -> None:
    """A detection for the technicians names the device alone; one that names a person is of that person, whatever the device."""
    act = Label("d", "ann", "malware_c2_phishing", 600, 610, device="10.0.0.1")
    device = Found("d", "10.0.0.1", "malware_c2_phishing", 600, 610, "I-1", route="tech")
    for one, right in ((device, 1), (replace(device, who="10.0.0.2"), 0), (replace(device, route="student"), 0)):
        tally = scores.score([act], [one]).tallies["malware_c2_phishing"]
        assert (tally.found, tally.false) == (right, 1 - right)


def test_an_address_inside_an_address_is_no_host() -> None:
    """A page through a proxy is asked of the proxy: the log of host names shows the proxy alone."""
    hit = Hit(0, Seat("10.0.0.1", "ann", ""), "https://relay.example/main/https://wanted.example/page")
    assert (hit.scheme, hit.host) == ("https", "relay.example")


def test_somebody_who_moved_rooms_left_the_device_shut() -> None:
    """From the bell until the lesson ends nothing is asked for at the device left behind."""
    week = Week(5, "medium", 1, school.make(5), world.make(5, "medium"))
    day, rng = week.measured[0], dice(5)
    ordinary.lessons(week, day)
    for _ in range(20):
        innocent.moved_rooms(week, rng, day)
    since, until = school.moment(day, "11:35"), school.moment(day, "12:25")
    left = {act.hits[0].seat.client for act in week.acts}
    assert [hit for hit in week.hits if hit.seat.client in left and since < hit.at < until]
    week.hush()
    assert not [hit for hit in week.hits if hit.seat.client in left and since < hit.at < until]
    assert all({hit.at > since for hit in act.hits} == {False, True} for act in week.acts)


def test_an_innocent_is_wronged_when_a_person_is_named_for_its_act() -> None:
    """Named on a student's, welfare or staff incident: wronged. Told to technicians, or of another hour: not."""
    score = matched("""
        truth    | who | category          | kind        | from | to   | also
        innocent | ann | pornography       | advert      | 600  | 601  | -
        innocent | ben | self_harm_suicide | helpline    | 600  | 601  | -
        innocent | cal | bypass_vpn_tunnel | app chatter | 240  | 1600 | bypass_vpn_app_chatter
        innocent | dot | bypass_vpn_tunnel | app chatter | 240  | 1600 | bypass_vpn_app_chatter
        innocent | eve | games             | crowd       | 600  | 601  | -
        """, """
        who | category               | from | to   | ref | route
        ann | pornography            | 600  | 601  | I-1 | attribution
        ben | eating_disorder        | 600  | 601  | I-2 | welfare
        cal | bypass_vpn_app_chatter | 240  | 1600 | I-3 | tech
        dot | bypass_web_proxy       | 300  | 310  | I-4 | student
        eve | games                  | 900  | 901  | I-5 | student
        """)
    assert score.wronged == Counter({"helpline": 1, "app chatter": 1})
    assert score.ordinary == 1
    assert sum(tally.false for tally in score.tallies.values()) == 4


def test_grey_acts_and_fair_other_words_count_neither_way() -> None:
    """What is a matter of taste is no miss when nothing is said of it, and no fault when something is."""
    score = matched("""
        truth | who | category         | from | to  | also
        grey  | ann | games            | 600  | 601 | -
        grey  | ben | games            | 600  | 601 | -
        true  | cal | bypass_web_proxy | 600  | 610 | games
        """, """
        who | category         | from | to  | ref
        ann | games            | 600  | 601 | I-1
        cal | games            | 602  | 603 | I-2
        cal | bypass_web_proxy | 600  | 609 | I-2
        """)
    assert said(score) == "bypass_web_proxy | 1 | 1 | 1 | 0"
    assert score.macro_f1 == 1


def test_intent_counts_over_what_was_found_and_macro_f1_over_what_was_done() -> None:
    """A missed act says nothing of intent; a category in which nothing was done does not weigh, one that was missed weighs nought."""
    score = matched("""
        truth | who | category    | from | to  | intent
        true  | ann | pornography | 600  | 610 | deliberate
        true  | ben | pornography | 600  | 610 | accidental
        true  | cal | gambling    | 600  | 610 | deliberate
        """, """
        who | category    | from | to  | ref | intent
        ann | pornography | 600  | 610 | I-1 | deliberate
        ben | pornography | 600  | 610 | I-2 | unclear
        dot | games       | 600  | 610 | I-3 | deliberate
        """)
    assert (score.agreed["intent"], score.said["intent"]) == (1, 2)
    assert score.macro_f1 == 0.5


def test_blocked_hits_stand_on_the_list_only_inside_an_incident_of_the_dsl() -> None:
    """Of four blocked hits one stands in a student's incident; technicians' and nobody's incidents are not the DSL's."""
    one = Found("d", "ann", "games", 600, 660, "I-1")
    others = [Found("d", "ben", "games", 600, 660, "I-2", route="tech"), Found("d", "cal", "games", 600, 660, "")]
    hits = [("d", "ann", 630.0, True), ("d", "ann", 9000.0, False), ("d", "ben", 630.0, False), ("d", "cal", 630.0, False)]
    assert scores.on_list(hits, [one, *others]) == {"hits": 4, "listed": 1, "idle hits": 3, "idle listed": 0}


@pytest.fixture(scope="module")
def easy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Week, Path, list[Label], list[Found]]:
    """A tiny school in which the filter and the lists know everything: hunts, gambling and help sought; judged by the command."""
    week = Week(5, "easy", 1, school.make(5, per_year=6, staff=6), world.make(5, "easy"))
    for act in (misuse.porn_hunt, misuse.porn_hunt, misuse.gambling_in_lesson, misuse.staff_misuse, innocent.help_seeking,
                innocent.learning_search):
        for day in week.measured[:2]:
            act(week, dice(5, act.__name__, day, len(week.acts)), day)
    folder = tmp_path_factory.mktemp("easy")
    measure.write(week, "full", folder / "logs")
    school.write_folder(folder / "school", week.school, week.world.entries(), week.world.own())
    measure.night(folder / "school", folder / "logs", str(week.days[-1]))
    return week, folder, measure.labels(week, "full"), measure.detections(folder / "school", folder)


def test_the_command_is_right_on_trivially_easy_acts(easy: tuple[Week, Path, list[Label], list[Found]]) -> None:
    """All found, nothing false, nobody wronged; staff matters too, which the export with names leaves out."""
    _, _, labels, detections = easy
    score = scores.score(labels, detections)
    assert Counter(label.truth for label in labels) == {"true": 8, "innocent": 4}
    assert score.macro_f1 == 1
    assert score.false == []
    assert not score.wronged
    assert score.agreed["route"] == score.said["route"] == 8


def test_a_planted_wrong_answer_lowers_the_score(easy: tuple[Week, Path, list[Label], list[Found]]) -> None:
    """One detection lost, one put on the wrong pupil, one on a child who sought help: each shows."""
    _, _, labels, detections = easy
    helped = next(label for label in labels if label.kind == "help-seeking")
    lost = scores.score(labels, [one for one in detections if one.unit != detections[0].unit])
    assert lost.macro_f1 < 1
    swapped = scores.score(labels, [Found(**(vars(one) | {"who": "nobody"})) if one is detections[0] else one for one in detections])
    assert swapped.macro_f1 < 1
    assert swapped.ordinary == 1
    named = Found(helped.day, helped.who, helped.category, helped.began, helped.ended, "I-9999", route="welfare")
    wrong = scores.score(labels, [*detections, named])
    assert wrong.wronged == {"help-seeking": 1}
    assert wrong.tallies["self_harm_suicide"].false == 1


def test_the_table_says_what_was_counted(easy: tuple[Week, Path, list[Label], list[Found]]) -> None:
    """A row for each category and each look-alike, for people and for the README, the naive comparator beside it."""
    week, folder, labels, detections = easy
    naive = scores.score(labels, measure.by_list(measure.write(week, "full", folder / "again"), folder / "school/rules"))
    ours = scores.score(labels, detections)
    for score in (ours, naive):
        score.blocked = scores.on_list([("d", "ann", 1.0, False)], [])
    told = telling.table(ours, naive, "== full ==")
    assert re.search(r"pornography +\d+ +\d+ +0 +1\.00 +1\.00 +1\.00", told)
    assert re.search(r"help-seeking \(never\) +2 +0 +0", told)
    figures = {"schoolgate": telling.figures(ours), "host on a list": telling.figures(naive)}
    assert figures["schoolgate"]["macro_f1"] == 1
    page = readme.section([{"seed": 5, "weeks": 1, "on": "1 May 2026", "difficulty": "easy", "full": figures, "host": figures}])
    assert page.startswith("Seed 5, 1 week, 1 May 2026:")
    assert "| easy | host names | 1.00 |" in page
    assert re.search(r"\| `gambling` \| \d+ \| 1\.00 \| 1\.00 \| 1\.00 \|", page)
