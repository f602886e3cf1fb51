"""The policy's printed tables, held to what the policy prints, and how its files are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.policy import COMMUNICATIONS, Policy, in_force, read_policy

RULES = Path(__file__).parents[1] / "rules"
FILES = {path.relative_to(RULES.parent).as_posix(): path.read_text("utf-8")
         for pattern in ("*.*", "guidance/*.toml") for path in RULES.glob(pattern)}

# Golden: the cells of the policy's own tables, row by row (`.` is an empty cell).
TABLE_7_2 = (
    ("Deliberately accessing or trying to access material that could be considered illegal", ".✓.✓......"),
    ("Unauthorised use of non-educational sites during lessons", "✓✓..✓....."),
    ("Unauthorised use of mobile phone / digital camera / other mobile device", "✓✓...✓...."),
    ("Unauthorised downloading or uploading of files", "✓✓..✓.?✓.."),
    ("Allowing others to access school network by sharing username and passwords", ".✓..✓✓.✓.."),
    ("Attempting to access or accessing the school network, using another student's account", ".✓..✓✓.✓✓."),
    ("Attempting to access or accessing the school network, using the account of a member o"
     "f staff", ".✓..✓✓..✓."),
    ("Corrupting or destroying the data of other users", ".✓..✓✓..✓."),
    ("Sending an email, text or message that is regarded as offensive, harassment or of a b"
     "ullying nature", "✓✓✓✓.✓..✓."),
    ("Continued infringements of the above, following previous warnings or sanctions", ".✓✓?.✓..✓."),
    ("Actions which could bring the school into disrepute or breach the integrity of the et"
     "hos of the school", ".✓✓?.✓..✓."),
    ("Using proxy sites or other means to overthrow the school's filtering system", ".✓.?✓✓..✓."),
    ("Accidentally accessing offensive or pornographic material and failing to report the i"
     "ncident", "✓...✓✓.✓.."),
    ("Deliberately accessing or trying to access offensive or pornographic material", ".✓.✓✓✓..✓."),
    ("Receipt or transmission of material that infringes the copyright of another person or"
     " the Data Protection Act", "✓...✓✓.✓✓."),
)

TABLE_6_1 = (
    ("Child sexual abuse images –The making, production or distribution of indecent images "
     "of children. Contrary to The Protection of Children Act 1978", "unacceptable_illegal"),
    ("Grooming, incitement, arrangement or facilitation of sexual acts against children Con"
     "trary to the Sexual Offences Act 2003.", "unacceptable_illegal"),
    ("Possession of an extreme pornographic image (grossly offensive, disgusting or otherwi"
     "se of an obscene character) Contrary to the Criminal Justice and Immigration Act 2008", "unacceptable_illegal"),
    ("Criminally racist material in UK – to stir up religious hatred (or hatred on the grou"
     "nds of sexual orientation) - contrary to the Public Order Act 1986", "unacceptable_illegal"),
    ("Pornography", "unacceptable_illegal"),
    ("Promotion of any kind of discrimination", "unacceptable_illegal"),
    ("Threatening behaviour, including promotion of physical violence or mental harm", "unacceptable_illegal"),
    ("Any other information which may be offensive to colleagues or breaches the integrity "
     "of the ethos of the school or brings the school into disrepute", "unacceptable"),
    ("Using school systems to run a private business", "nominated_users"),
    ("Using systems, applications, websites or other mechanisms that bypass the filtering o"
     "r other safeguards employed by the school / academy", "nominated_users"),
    ("Infringing Copyright", "nominated_users"),
    ("Revealing or publicising confidential or proprietary information (e.g. financial / pe"
     "rsonal information, databases, computer / network access codes and passwords)", "unacceptable"),
    ("Creating or propagating computer viruses or other harmful files", "unacceptable"),
    ("Unfair usage (downloading / uploading large files that hinders others in their use of"
     " the internet)", "unacceptable"),
    ("On-line gambling", "unacceptable_illegal"),
    ("On-line shopping / commerce", "nominated_users"),
    ("File sharing", "certain_times"),
    ("Use of social media", "certain_times"),
    ("Use of messaging apps", "unacceptable"),
    ("Use of video broadcasting e.g. YouTube", "certain_times"),
)

TABLE_4_2 = (
    ("Mobile phones may be brought to school", "✓....✓.."),
    ("Use of mobile phones in lessons", ".✓✓?..✓."),
    ("Use of mobile phones in social time", "✓...✓..."),
    ("Taking photos on mobile phones / cameras", ".✓.?..✓."),
    ("Use of other mobile devices e.g. tablets, gaming devices", ".✓....✓."),
    ("Use of personal email addresses in school, or on school network", "✓.....✓."),
    ("Use of school email for personal emails", "...✓..✓."),
    ("Use of messaging apps", ".✓...✓.."),
    ("Use of social media", ".✓...✓.."),
    ("Use of blogs", "✓....✓.."),
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The school's policy."""
    policy, problems = read_policy(FILES)
    assert problems == []
    assert policy is not None
    return policy


def marks(row: object, columns: tuple[str, ...]) -> str:
    """The marks of a sanctions row, a character a column."""
    return "".join("✓" if name in row.definite else "?" if name in row.possible else "." for name in columns)  # type: ignore[attr-defined]


def test_table_7_2_is_as_printed(policy: Policy) -> None:
    """Every text and each of the 150 cells of table 7.2 equals the policy's."""
    assert [(row.text, marks(row, tuple(policy.columns))) for row in policy.sanctions.values()] == list(TABLE_7_2)
    assert list(policy.sanctions) == [f"IN-{n:02}" for n in range(1, 16)]


def test_table_6_1_is_as_printed(policy: Policy) -> None:
    """Every text and tick of table 6.1 equals the policy's, read under its own header."""
    rows = [row for name, row in policy.actions.items() if name.startswith("UA")]
    assert [(row.text, row.printed) for row in rows] == list(TABLE_6_1)
    assert [row.id for row in rows] == [f"UA-{n:02}" for n in range(1, 21)]


def test_exactly_three_readings_differ(policy: Policy) -> None:
    """The tick of UA-09 to UA-11 fell one column left; every other row is read as printed."""
    differ = {row.id: (row.printed, row.reading) for row in policy.actions.values() if row.printed != row.reading}
    assert differ == dict.fromkeys(("UA-09", "UA-10", "UA-11"), ("nominated_users", "unacceptable"))
    assert all(policy.actions[row].note for row in differ)


def test_table_4_2_is_as_printed(policy: Policy) -> None:
    """Every text and mark of table 4.2 equals the policy's."""
    rows = policy.communications.values()
    printed = [(row.text, "".join(row.marks.get(name, ".") for name in COMMUNICATIONS)) for row in rows]
    assert printed == list(TABLE_4_2)


def test_what_table_7_2_never_says(policy: Policy) -> None:
    """No mark is both definite and possible, confiscation stands nowhere, and SLT and removal only where printed."""
    rows = policy.sanctions.values()
    assert not any(set(row.definite) & set(row.possible) for row in rows)
    assert not any("confiscation" in (*row.definite, *row.possible) for row in rows)
    assert [row.id for row in rows if "remove_access" in (*row.definite, *row.possible)] == ["IN-04"]
    assert policy.sanctions["IN-04"].possible == ("remove_access",)
    assert [row.id for row in rows if "principal_slt" in row.definite] == ["IN-09", "IN-10", "IN-11"]


def test_every_category_has_a_place_in_the_policy(policy: Policy) -> None:
    """A category has a row, a stated gap, or is technical or no incident at all."""
    assert [c.name for c in policy.categories.values() if not (c.row or c.gap or c.tier in ("T4", "none"))] == []


def test_welfare_proposes_nothing(policy: Policy) -> None:
    """A welfare category never proposes a sanction, and nobody is proposed for a row that enters by hand."""
    welfare = [c for c in policy.categories.values() if c.tier == "T1"]
    assert len(welfare) == 8
    assert all(c.propose == () for c in welfare)
    proposed = {p.row for c in policy.categories.values() for p in c.propose}
    assert not proposed & {"IN-03", "IN-08", "IN-09", "IN-10", "IN-11"}


def test_certain_times_are_not_meant_to_be_blocked(policy: Policy) -> None:
    """The rows from UA-16 to UA-20 are not blocked by default, so that letting them through is no failure."""
    late = {f"UA-{n}" for n in range(16, 21)}
    assert {c.filter for c in policy.categories.values() if c.row in late} == {"allow"}


def test_thirty_three_questions_are_open(policy: Policy) -> None:
    """Each ambiguity has two different readings, a default and somebody who decides; none is decided yet."""
    assert list(policy.questions) == [f"AMB-{n:02}" for n in range(1, 34)]
    assert all(q.readings[0] != q.readings[1] and q.default and q.owner and not q.decision
               for q in policy.questions.values())


def test_a_day_is_judged_by_its_own_rows() -> None:
    """A row with an end and its successor: each day sees the one that held then."""
    table = FILES["rules/acceptable_use.csv"]
    old = next(line for line in table.splitlines() if line.startswith("UA-19"))
    ended = old.replace("2021-03-01,,", "2021-03-01,31/12/2026,")
    new = ended.replace("2021-03-01,31/12/2026", "2027-01-01,").replace(",unacceptable,", ",certain_times,")
    policy, problems = read_policy(FILES | {"rules/acceptable_use.csv": table.replace(old, f"{ended}\n{new}")})
    assert problems == []
    assert policy is not None
    readings = [in_force(policy, day).actions["UA-19"].reading for day in (date(2026, 12, 31), date(2027, 1, 1))]
    assert readings == ["unacceptable", "certain_times"]


def test_spreadsheets_are_forgiven() -> None:
    """A byte-order mark, stray spaces, Windows line ends and British dates change nothing."""
    table = FILES["rules/sanctions.csv"].replace("2021-03-01", " 01/03/2021 ").replace("\n", "\r\n")
    policy, problems = read_policy(FILES | {"rules/sanctions.csv": "\ufeff" + table})
    assert problems == []
    assert policy is not None
    assert policy.sanctions["IN-02"].from_ == date(2021, 3, 1)


def test_every_fault_is_said_at_once() -> None:
    """Faults of different files come together, each with its line and the nearest word."""
    broken = FILES | {
        "rules/sanctions.csv": FILES["rules/sanctions.csv"].replace("✓", "maybe", 1),
        "rules/categories.toml": FILES["rules/categories.toml"].replace('row = "UA-15"', 'row = "UA-51"'),
        "rules/intent.toml": FILES["rules/intent.toml"].replace("\nvalue ", "\nvaleu ", 1)}
    wrong = broken["rules/intent.toml"].split("\n").index(next(t for t in broken["rules/intent.toml"].split("\n") if "valeu" in t)) + 1
    policy, problems = read_policy(broken)
    said = [str(problem) for problem in problems]
    assert policy is None
    assert any(text.startswith("rules/sanctions.csv:2: IN-01") for text in said)
    assert any("rules/categories.toml:" in text and "UA-51" in text and "Try: UA-" in text for text in said)
    assert any(f"rules/intent.toml:{wrong}: " in text and "Try: value" in text for text in said)
