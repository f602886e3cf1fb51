"""The filter's own category names: what each means here, which may never mean anything, and what a school may say of them."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from tables_text import rows
from typer.testing import CliRunner

from pipeline import changes, cli, rulefiles, ruleset
from pipeline.formats import Format, bundled
from pipeline.formats.verdicts import GRAVE
from pipeline.lists import NEVER_LISTED
from pipeline.vendors import Meaning, Names, meaning, read_vendors, spelling

ROOT = Path(__file__).parent.parent
FILES = {f"rules/vendor/{path.name}": path.read_text("utf-8") for path in (ROOT / "rules/vendor").glob("*.csv")}
CATEGORIES = tomllib.loads((ROOT / "rules/categories.toml").read_text("utf-8"))
GRAVITY = {name: ("T0", "T1", "T2", "T3", "T4", "none").index(body["tier"]) for name, body in CATEGORIES.items()}
VENDORS, FAULTS = read_vendors(FILES, CATEGORIES, bundled())
HEAD = "vendor_category,category,note\n"

# The names under which each vendor's own list keeps what is unlawful to look at.
ILLEGAL = rows("""
    vendor     | name
    fortinet   | Child Abuse
    fortinet   | Child Sexual Abuse
    fortinet   | Terrorism
    fortinet   | Extremist Groups
    paloalto   | child-abuse
    paloalto   | extremism
    paloalto   | terrorism
    cisco      | Child Abuse Content
    cisco      | Terrorism and Violent Extremism
    zscaler    | Child Abuse
    zscaler    | Terrorism
    sophos     | Child Abuse
    sophos     | Terrorism
    symantec   | Child Pornography
    symantec   | IWF-Restricted
    smoothwall | Child Abuse
    smoothwall | Terrorism
    smoothwall | IWF
    e2guardian | IWF
    e2guardian | CTIRU
    e2guardian | childabuse
    watchguard | Child Abuse
    watchguard | Terrorism
    sonicwall  | Internet Watch Foundation CAIC
    sonicwall  | Radicalization and Extremism
    sonicwall  | Terrorism
    cloudflare | Child Abuse
    cloudflare | Terrorism
    skyhigh    | Child Abuse
    skyhigh    | Terrorism
    checkpoint | Child Abuse
    checkpoint | Terrorism
    ut1        | childabuse
    ut1        | terrorism
""")


def said(vendor: str, category: str) -> Meaning:
    """What a category field of a vendor's log means, and the names in it that nobody has mapped."""
    return meaning(category, VENDORS[vendor], GRAVITY)


def faults(text: str, name: str = "fortinet") -> list[tuple[str, str, str]]:
    """Each fault of one file: where, what, what to try."""
    _, found = read_vendors({f"rules/vendor/{name}.csv": text}, CATEGORIES, bundled())
    return [(fault.where.removeprefix("rules/vendor/"), fault.what, fault.try_this) for fault in found]


def test_the_files_have_no_fault() -> None:
    """Every line names a category of categories.toml or -, once, and every file a vendor of some format."""
    assert FAULTS == []


@pytest.mark.parametrize("form", [form for form in bundled().values() if form.sources("vendor_category")], ids=lambda form: form.name)
def test_every_format_with_categories_says_whose_they_are(form: Format) -> None:
    """A bundled format says its vendor; a vendor without a file waits for a school's."""
    assert form.file.vendor


def test_the_vendors_of_the_usual_filters_have_a_file() -> None:
    """Fifteen makers and collections are mapped, each with more than fifty names."""
    assert {vendor for vendor, names in VENDORS.items() if len(names) > 50} == {
        "fortinet", "paloalto", "cisco", "zscaler", "sophos", "symantec", "forcepoint", "smoothwall", "e2guardian", "watchguard",
        "sonicwall", "cloudflare", "skyhigh", "checkpoint", "ut1"}


@pytest.mark.parametrize("row", ILLEGAL, ids=lambda row: f"{row['vendor']} {row['name']}")
def test_a_name_of_illegal_content_seals_in_every_format_of_its_vendor(row: dict[str, str]) -> None:
    """It is among the format's sealed words, so that the verdict carries its own name, and it is mapped to nothing."""
    formats = [form for form in bundled().values() if form.vendor == row["vendor"] and form.sources("vendor_category")]
    for form in formats:
        assert form.file.sealed is not None, form.name
        assert spelling(row["name"]) in {spelling(word) for word in form.file.sealed.words}, form.name
    assert formats and spelling(row["name"]) not in VENDORS[row["vendor"]]


def test_no_line_maps_illegal_content_or_to_a_sealed_category() -> None:
    """Neither a name that looks illegal nor one that a format of that vendor seals is mapped, and nothing is mapped to T0."""
    for vendor, names in VENDORS.items():
        words = {spelling(word) for form in bundled().values() if form.vendor == vendor and form.file.sealed
                 for word in form.file.sealed.words}
        assert not [name for name in names if GRAVE.search(name)]
        assert not words & set(names) and not NEVER_LISTED & set(names.values())


@pytest.mark.parametrize(("vendor", "category", "ours"), [
    ("fortinet", "Proxy Avoidance", "bypass_web_proxy"),
    ("fortinet", "Health and Wellness", "help_seeking"),
    ("paloalto", "games,low-risk", "games"),
    ("cisco", "IW_gamb", "gambling"),
    ("cisco", "Conventions, Conferences and Trade Shows", "uncategorised"),
    ("zscaler", "Militancy/Hate and Extremism", "extremism_interest"),
    ("symantec", "Chat (IM)/SMS;Social Networking", "messaging"),
    ("smoothwall", "Games, Self Harm", "self_harm_suicide"),
    ("cloudflare", "Militancy, Hate & Extremism", "extremism_interest"),
    ("skyhigh", "peer-to-peer, P2P_FILE_SHARING", "copyright_p2p"),
    ("ut1", "strict_redirector", "bypass_web_proxy"),
    ("fortinet", "News and Media", "uncategorised"),
])
def test_what_a_category_field_means(vendor: str, category: str, ours: str) -> None:
    """One name, several names with the gravest counting, a name that holds a comma, and one without a counterpart."""
    assert said(vendor, category)[0] == ours


@pytest.mark.parametrize("category", ["GAMES", "games ", "  Games", "Games;"])
def test_spelling_does_not_matter(category: str) -> None:
    """Case, spaces and signs do not count."""
    assert said("fortinet", category) == ("games", ())


def test_names_that_nobody_mapped_are_told() -> None:
    """A name of the school's own stands beside one that is known; alone it says nothing."""
    assert said("fortinet", "Games, Our Own List") == ("games", ("Our Own List",))
    assert said("fortinet", "Our Own List") == ("", ("Our Own List",))


@pytest.mark.parametrize(("line", "fault"), [
    ("Games,gmes,", "gmes is not a category of categories.toml"),
    ("Games,,", "'Games' has no category"),
    (",games,", "has no vendor_category"),
    ("Arcades,games,\nARCADES,-,", "'ARCADES' stands twice"),
    ("Internet Watch,-,", "'Internet Watch' is an illegal-content verdict, which seals and is never a category"),
    ("extremist-groups,extremism_interest,", "'extremist-groups' is an illegal-content verdict, which seals and is never a category"),
    ("Games,illegal_csam,", "illegal_csam may only come from a sealed verdict, never from a list of names"),
])
def test_a_fault_is_told_with_its_line_and_a_suggestion(line: str, fault: str) -> None:
    """Each fault says the file, the line, what is wrong and what to try."""
    where, what, hint = faults(HEAD + line)[-1]
    assert (where, what) == (f"fortinet.csv:{2 + line.count(chr(10))}", fault)
    assert hint


def test_a_file_of_no_vendor_is_a_fault() -> None:
    """A slip in a file's name would leave a whole vendor unmapped, so it is told with the name meant."""
    assert faults(HEAD + "Games,games,", "fortinett") == [
        ("fortinett.csv", "no log format names the vendor 'fortinett'", "fortinet")]


def test_a_spreadsheet_s_file_is_read() -> None:
    """A byte-order mark, other columns and empty lines do no harm; a file without the columns says which."""
    assert faults("\ufeffcategory, vendor_category\ngames, Games\n,\n") == []
    assert faults("name,ours\n")[0][1] == "has no column vendor_category, category"


def own(text: str) -> Names:
    """Fortinet's names with one line put in another's place."""
    edited = FILES | {"rules/vendor/fortinet.csv": FILES["rules/vendor/fortinet.csv"].replace("Hacking,-,", text)}
    assert edited != FILES
    return read_vendors(edited, CATEGORIES, bundled())[0]["fortinet"]


def test_a_school_may_override_a_line() -> None:
    """A line that the school edits is what counts, it changes the fingerprint, and the change log says from what to what."""
    assert own("Hacking,bypass_web_proxy,")["hacking"] == "bypass_web_proxy"
    before = rulefiles.texts(ROOT)
    after = before | {"rules/vendor/fortinet.csv": before["rules/vendor/fortinet.csv"].replace("Hacking,-,", "Hacking,drugs,")}
    assert rulefiles.fingerprint(before) != rulefiles.fingerprint(after)
    change, = changes.differences(before, after)
    assert (change.object, change.kind) == ("rules/vendor/fortinet.csv Hacking", "changed")
    assert ("category: -" in change.before, "category: drugs" in change.after) == (True, True)


def test_the_check_names_a_fault_of_a_vendor_s_file(tmp_path: Path) -> None:
    """`schoolgate check` says file, line, fault and what to try."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copy(ROOT / "school.toml", tmp_path)
    path = tmp_path / "rules/vendor/fortinet.csv"
    path.write_text(HEAD + "Games,gamess,\n", "utf-8")
    answer = CliRunner().invoke(cli.app, ["--school", str(tmp_path), "check"])
    words = " ".join(answer.output.split())
    assert "rules/vendor/fortinet.csv:2" in words and "gamess is not a category of categories.toml" in words and "games." in words


def test_the_night_s_rules_hold_the_vendors() -> None:
    """What the repository's files say is what a night judges by."""
    rules, problems = ruleset.read_all(rulefiles.texts(ROOT))
    assert rules is not None and not problems
    assert rules.vendors["ut1"]["dating"] == "stranger_chat_dating"
