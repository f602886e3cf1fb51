"""Logins as logs write them, and the one key by which a person is known across logs."""

from __future__ import annotations

import pytest

from pipeline.privacy import login_key


@pytest.mark.parametrize(("logged", "key"), [
    ("FENMARSH\\jsmith", "jsmith"),
    ("FENMARSH\\\\JSmith", "jsmith"),
    ("jsmith@fenmarsh.test", "jsmith"),
    (" jsmith ", "jsmith"),
    ("CN=jsmith,OU=Pupils,DC=fenmarsh,DC=test", "jsmith"),
    ("uid=26jsmith,ou=people,dc=fenmarsh,dc=test", "26jsmith"),
    ("cn=jsmith", "jsmith"),
    ("LDAP://dc1 OU=Pupils,DC=fenmarsh/jsmith", "jsmith"),
])
def test_one_person_has_one_key_however_a_log_writes_the_login(logged: str, key: str) -> None:
    assert login_key(logged) == key


@pytest.mark.parametrize(("one", "other"), [
    ("CN=Smith\\, Jo,OU=Year 9,DC=fenmarsh", "CN=Jones\\, Jo,OU=Year 9,DC=fenmarsh"),
    ("CN=Jo Smith,OU=Year 7,DC=fenmarsh", "CN=Jo Smith,OU=Year 9,DC=fenmarsh"),
    ("LDAP://dc1 OU=Year 7,DC=fenmarsh/Jo Smith", "LDAP://dc1 OU=Year 9,DC=fenmarsh/Jo Smith"),
    ("j\\xf6rg", "bj\\xf6rg"),
    ("FENMARSH\\andr\\xe9", "FENMARSH\\ren\\xe9"),
])
def test_two_people_never_share_a_key(one: str, other: str) -> None:
    """One name in two places of a directory; a comma in a name; a letter in an old encoding, which is kept as its byte."""
    assert login_key(one) != login_key(other)
    assert login_key(one.lower()) == login_key(one)
