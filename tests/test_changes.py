"""What the change log says of two versions of the same files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.changes import Change, differences


def said(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str, str, str, int]]:
    """The differences, without their marks."""
    return [(c.object, c.kind, c.before, c.after, c.size) for c in differences(before, after)]


def test_a_csv_is_compared_by_row():
    """A cell that differs is shown alone, and rows come and go by their first column."""
    old = "id,text,reading\nUA-05,Pornography,unacceptable\nUA-09,Games,certain_times\n"
    new = "id,text,reading\nUA-05,Pornography,unacceptable\nUA-09,Games,unacceptable\nUA-10,Film,acceptable\n"
    assert said({"a.csv": old}, {"a.csv": new}) == [
        ("a.csv UA-09", "changed", "reading: certain_times", "reading: unacceptable", 1),
        ("a.csv UA-10", "added", "", "text: Film; reading: acceptable", 1)]


def test_dated_rows_of_one_id_are_one_change():
    """Rows are dated, never overwritten: the old row is closed and a new one stands beside it."""
    old = "id,reading,from,until\nUA-09,a,2021-03-01,\n"
    new = "id,reading,from,until\nUA-09,a,2021-03-01,2026-11-01\nUA-09,b,2026-11-02,\n"
    [change] = differences({"a.csv": old}, {"a.csv": new})
    assert (change.object, change.kind, change.size) == ("a.csv UA-09", "changed", 2)
    assert "2026-11-01" in change.after and "reading: b" in change.after


def test_a_toml_file_is_compared_by_dotted_key():
    """Values are named by their dotted key; of a list only the entries that came or went are shown."""
    old = 'name = "X"\n[retention]\nlines_days = 90\n[sealed]\nsquid = ["451"]\n'
    new = 'name = "X"\n[retention]\nlines_days = 30\n[sealed]\nsquid = ["451", "452"]\n'
    assert said({"school.toml": old}, {"school.toml": new}) == [
        ("school.toml retention.lines_days", "changed", "90", "30", 1), ("school.toml sealed.squid", "added", "", "452", 1)]


def test_a_list_names_ten_at_most():
    """Of a long list the first ten entries are named and all are counted."""
    new = "".join(f"s{n:02d}.example\n" for n in range(40))
    [change] = differences({"l/gambling.txt": "# none\n"}, {"l/gambling.txt": new})
    assert change.size == 40 and change.after.count(".example") == 10
    assert change.after.endswith("and 30 more (40 in all)")


def test_people_are_counted_and_never_quoted():
    """No login, name or role of a person leaves people.csv, the roles, the nominated or the exceptions."""
    old = {"people.csv": "username,name\nsecretlogin,Secret Person\n",
           "school.toml": '[roles]\nsecretadmin = "dsl"\n[nominated]\nUA-05 = ["secretlogin"]\n',
           "rules/exceptions.csv": "rule,site_or_person,reason\nvpn,secretlogin,work\n"}
    new = {"people.csv": "username,name\nsecretlogin,Secret Other\nsecretnew,Secret New\n",
           "school.toml": '[roles]\nsecretadmin = "slt"\n[nominated]\nUA-05 = ["secretnew"]\n',
           "rules/exceptions.csv": "rule,site_or_person,reason\nvpn,secretnew,work\n"}
    changes = differences(old, new)
    assert [c.object for c in changes] == ["people.csv", "rules/exceptions.csv vpn", "school.toml roles", "school.toml nominated"]
    assert "secret" not in repr(changes).lower()
    assert "secret" not in repr(differences({}, new)).lower()


def test_only_spaces_or_comments_changed_is_said_too():
    """Any edit at all leaves a line in the change log."""
    assert [c.size for c in differences({"a.csv": "id,b\n1,2\n"}, {"a.csv": "id,b\n1, 2\n"})] == [0]
    assert [c.after for c in differences({"a.toml": "# x\na=1"}, {"a.toml": "# y\na=1"})] == ["comments"]
    assert [c.after for c in differences({"a.txt": "# x\na.example"}, {"a.txt": "a.example"})] == ["comments"]


def test_a_whole_file_is_one_change_and_a_broken_one_is_said():
    """A new list is one line with its count; TOML that cannot be read is a change of the file."""
    assert said({}, {"l.txt": "a.example\nb.example\n"}) == [("l.txt", "added", "", "", 2)]
    assert said({"l.txt": "a.example\n"}, {}) == [("l.txt", "removed", "", "", 1)]
    assert said({"a.toml": "a = 1"}, {"a.toml": "a = "}) == [("a.toml", "changed", "", "it cannot be read", 0)]


FILES = st.dictionaries(st.sampled_from(["a.csv", "a.toml", "a.txt", "people.csv"]), st.text(max_size=60))


@given(FILES, FILES)
def test_any_text_at_all_is_compared(before: dict[str, str], after: dict[str, str]):
    """Nothing raises, every file that differs is named, and no object is named twice."""
    changes: list[Change] = differences(before, after)
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in differing if any(c.object.startswith(name) for c in changes)} == differing
    assert len({c.object for c in changes}) == len(changes)
