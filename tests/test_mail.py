"""Mails that say a report is ready: through real servers on loopback, each page once, and nothing in them but what and where."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from front_door import schoolgate, typed
from small_post import LOGIN, Box, authority, free_port, scripted, server
from small_school import line, make, run
from tables_text import rows

from pipeline import mailing, posting, runs, schoolfolder
from pipeline.problems import Problem, RefusedError, UsageError
from pipeline.school import read_school

TUESDAY = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
SETTINGS = """
[mail]
server = "127.0.0.1"
port = {port}
security = "{security}"
sender = "schoolgate@fenmarsh.test"
timeout_seconds = {timeout}
{more}
to = {to}
"""
DSL = '{ safeguarding = ["dsl@fenmarsh.test"] }'
ALL = '{ safeguarding = ["dsl@fenmarsh.test", "deputy@fenmarsh.test"], technical = ["tsm@fenmarsh.test"] }'
School = Callable[..., Path]


@pytest.fixture
def box() -> Box:
    """Where letters arrive."""
    return Box()


@pytest.fixture
def port() -> int:
    """Where the server listens."""
    return free_port()


@pytest.fixture
def school(tmp_path: Path, port: int) -> School:
    """Makes a school folder with pages of Monday and these settings; pages are files with a name, as far as mails go."""
    def made(to: str = DSL, security: str = "none", more: str = "", timeout: int = 5) -> Path:
        folder = tmp_path / "school"
        if not folder.exists():
            make(folder)
            (folder / "var").mkdir(mode=0o700)
            for page in ("safeguarding/dsl-list-2026-11-02.html", "technical/nightly-2026-11-02.html", "leadership/termly-autumn-2026.html"):
                put(folder, page)
        base = (folder / "school.toml").read_text("utf-8").split("\n[mail]")[0]
        (folder / "school.toml").write_text(base + SETTINGS.format(port=port, security=security, timeout=timeout, more=more, to=to), "utf-8")
        return folder
    return made


def put(folder: Path, page: str) -> None:
    """A page of that name."""
    place = folder / "reports" / page
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("Jo Bloggs, adult-one.test", "utf-8")


def announce(folder: Path, at: datetime = TUESDAY) -> tuple[list[str], list[Problem]]:
    """One run, which does not wait between tries."""
    return mailing.announce(folder, at, lambda seconds: None)


def outcomes(folder: Path) -> list[str]:
    """What the register says, attempt by attempt."""
    return [entry.kind for entry in schoolfolder.journal(folder, "issued").entries()]


def test_a_mail_in_full(school: School, box: Box, port: int) -> None:
    """Which page, for which day, and where. The page itself, names, sites and the school's other words stay at home."""
    folder = school(more='where = "https://files.fenmarsh.test/reports/"')
    with server(box, port):
        assert announce(folder) == (["told safeguarding: 1 page"], [])
    ((to, raw),) = box.letters
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert to == "dsl@fenmarsh.test"
    assert {name: str(value) for name, value in letter.items() if name not in ("Message-ID", "X-Peer")} == {
        "From": "schoolgate@fenmarsh.test", "To": "dsl@fenmarsh.test", "Subject": "Schoolgate: a report is ready",
        "Date": "Tue, 03 Nov 2026 07:00:00 +0000", "Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"', "Content-Transfer-Encoding": "quoted-printable"}
    assert letter.get_content().replace("\r\n", "\n") == """A report is ready for you.

DSL list, Monday 2 November 2026:
    https://files.fenmarsh.test/reports/safeguarding/dsl-list-2026-11-02.html

All that are kept: https://files.fenmarsh.test/reports/safeguarding/index.html

This mail comes from Schoolgate, by itself. It names nobody, and nobody reads an answer to it.
"""


def test_no_page_is_announced_twice_and_a_new_one_is(school: School, box: Box, port: int) -> None:
    """By address: somebody who is added is told too, and only they; several pages are one mail."""
    folder = school()
    with server(box, port):
        announce(folder)
        assert announce(folder) == ([], [])
        put(folder, "safeguarding/dsl-list-2026-11-03.html")
        put(folder, "safeguarding/dsl-list-2026-11-04.html")
        assert announce(folder, TUESDAY + timedelta(days=1))[0] == ["told safeguarding: 1 page"], "the day of the other is not over"
        school('{ safeguarding = ["DSL@fenmarsh.test", "deputy@fenmarsh.test"] }')
        assert announce(folder, TUESDAY + timedelta(days=1))[0] == ["told safeguarding: 2 pages"]
    assert [to for to, _ in box.letters] == ["dsl@fenmarsh.test", "dsl@fenmarsh.test", "deputy@fenmarsh.test"]
    assert b"Subject: Schoolgate: 2 reports are ready" in box.letters[-1][1]
    assert len(set(outcomes(folder))) == 2 and schoolfolder.journal(folder, "issued").verify() == []


def test_a_page_is_announced_when_what_it_is_about_is_over_and_for_a_fortnight(school: School, box: Box, port: int) -> None:
    """The day after its last school day; of a term or a year a week later, for people are still deciding. Tables are not."""
    pages = rows("""
        page                                        | first      | last
        safeguarding/dsl-list-2026-11-02.html       | 2026-11-03 | 2026-11-17
        technical/nightly-2026-11-07.html           | 2026-11-08 | 2026-11-22
        safeguarding/dsl-week-2026-W45.html         | 2026-11-07 | 2026-11-21
        year-9/year-digest-2026-W45.html            | 2026-11-07 | 2026-11-21
        technical/changes-2026-11-02-to-2026-11-04.html | 2026-11-05 | 2026-11-19
        leadership/termly-autumn-2026.html          | 2026-12-25 | 2027-01-08
        leadership/termly-autumn-2026-1.html        | 2026-10-30 | 2026-11-13
        governors/annual-2026-27.html               | 2027-07-28 | 2027-08-11
        leadership/termly-autumn-2019.html          | -          | -
        leadership/termly-autumn-2026.rows.csv      | -          | -
        safeguarding/return-2026-11-03.csv          | -          | -
    """)
    settings = schoolfolder.settings(school())
    for row in pages:
        file = str(row["page"]).split("/")[1]
        days = [day for day in (date(2026, 9, 1) + timedelta(days=n) for n in range(364))
                if file.endswith(".html") and mailing._is_ready(settings, file, day)]
        assert (days[0] if days else None, days[-1] if days else None) == tuple(
            date.fromisoformat(row[end]) if row[end] else None for end in ("first", "last")), row
    folder = school('{ leadership = ["head@fenmarsh.test"], governors = ["chair@fenmarsh.test"], year-9 = ["hoy9@fenmarsh.test"] }')
    for row in pages:
        put(folder, str(row["page"]))
    with server(box, port):
        assert announce(folder, datetime(2026, 12, 24, 7, 0, tzinfo=UTC)) == ([], [])
        assert announce(folder, datetime(2026, 12, 25, 7, 0, tzinfo=UTC)) == (["told leadership: 1 page"], [])
        assert announce(folder, datetime(2027, 7, 28, 7, 0, tzinfo=UTC)) == (["told governors: 1 page"], [])
    assert b"Termly summary, Autumn term 2026:" in box.letters[0][1]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for certificates."""
    yield tmp_path_factory.mktemp("certificates")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_tls_and_a_login(school: School, box: Box, port: int, authorities: Path, security: str) -> None:
    """The school's own authority vouches for it; the password stands in a file of its own; the letter travels encrypted."""
    ca, context = authority(authorities, name=security)
    folder = school(security=security, more=f'ca = "{ca}"\nuser = "{LOGIN[0].decode()}"\nsecret = "smtp"')
    (folder / "smtp").write_bytes(LOGIN[1] + b"\n")
    with server(box, port, login=True, **{"tls" if security == "tls" else "starttls": context}):
        assert announce(folder) == (["told safeguarding: 1 page"], [])
    assert box.logins == [LOGIN[0].decode()]
    assert security == "tls" or box.encrypted == [True]


@pytest.mark.parametrize(("host", "trusted", "words"), [
    ("127.0.0.1", False, "its certificate is not trusted (unable to get local issuer certificate)"),
    ("mx.elsewhere.test", True, "its certificate is not trusted (IP address mismatch, certificate is not valid for '127.0.0.1'.)")])
def test_a_certificate_that_does_not_hold_ends_it_before_anything_is_said(
        school: School, box: Box, port: int, authorities: Path, host: str, trusted: bool, words: str) -> None:
    """Neither login nor letter; it is not tried again in this run, and the next run sends it once all is well."""
    ca, context = authority(authorities, host, host)
    other, good = authority(authorities, name="good")
    user = 'user = "schoolgate"\nsecret = "smtp"'
    folder = school(security="starttls", more=f'ca = "{ca if trusted else other}"\n{user}')
    (folder / "smtp").write_bytes(LOGIN[1])
    with server(box, port, context, login=True):
        sent, (problem,) = announce(folder)
        assert (sent, problem.what.removeprefix("was not taken by the server: "), box.letters, outcomes(folder)) == ([], words, [], [])
    school(security="starttls", more=f'ca = "{other}"\n{user}')
    with server(box, port, good, login=True):
        assert announce(folder) == (["told safeguarding: 1 page"], [])


def test_a_server_without_tls_is_not_given_the_password(school: School, box: Box, port: int) -> None:
    """No STARTTLS on offer, as when somebody in the middle takes it away: nothing is sent in clear."""
    folder = school(security="starttls", more='user = "schoolgate"\nsecret = "smtp"')
    (folder / "smtp").write_bytes(LOGIN[1])
    with scripted(port, b"250-here\r\n250 AUTH PLAIN LOGIN") as lines:
        _, (problem,) = announce(folder)
    assert "it does not offer what school.toml asks for (STARTTLS extension not supported by server.)" in problem.what
    assert not [text for text in lines if text.upper().startswith((b"AUTH", b"MAIL"))]


def test_a_wrong_password_is_said_once_and_not_tried_three_times(school: School, box: Box, port: int, authorities: Path) -> None:
    """A server that counts wrong logins would lock the account. The password stands in no message."""
    ca, context = authority(authorities, name="wrong")
    folder = school(security="starttls", more=f'ca = "{ca}"\nuser = "schoolgate"\nsecret = "smtp"')
    (folder / "smtp").write_bytes(b"not the secret")
    waits: list[float] = []
    with server(box, port, context, login=True):
        sent, (problem,) = mailing.announce(folder, TUESDAY, waits.append)
    assert (sent, waits, outcomes(folder)) == ([], [], [])
    assert "it does not take this login: it said 535" in problem.what and "secret" not in str(problem)


@pytest.mark.parametrize(("mode", "error", "words"), [(0o640, RefusedError, "chmod 600"), (None, UsageError, "is not there")])
def test_a_password_that_others_can_read_is_refused(school: School, mode: int | None, error: type[Exception], words: str) -> None:
    """With the command that mends it, before anything is connected to."""
    folder = school(security="starttls", more='user = "schoolgate"\nsecret = "smtp"')
    if mode:
        (folder / "smtp").write_bytes(LOGIN[1])
        (folder / "smtp").chmod(mode)
    with pytest.raises(error, match=words):
        announce(folder)


def test_a_server_that_asks_for_patience_is_tried_again_with_longer_waits(school: School, box: Box, port: int) -> None:
    """Twice 451, then taken: one letter. Three times 451: a problem, and the next run sends it, once."""
    folder, waits = school(ALL), list[float]()
    box.replies = ["451 later"] * 2
    with server(box, port):
        assert mailing.announce(folder, TUESDAY, waits.append)[1] == []
        assert (waits, sorted(to for to, _ in box.letters)) == ([posting.PAUSE], ["deputy@fenmarsh.test", "dsl@fenmarsh.test", "tsm@fenmarsh.test"])
        put(folder, "technical/nightly-2026-11-03.html")
        box.replies, waits[:] = ["451 later"] * 3, []
        sent, (problem,) = mailing.announce(folder, TUESDAY + timedelta(days=1), waits.append)
        assert (sent, waits) == ([], [posting.PAUSE, 2 * posting.PAUSE])
        assert problem == Problem("the mail to tsm@fenmarsh.test", "was not taken by the server: it said 451 later",
                                  "[mail] in school.toml, and the server; the next run sends it")
        assert announce(folder, TUESDAY + timedelta(days=1)) == (["told technical: 1 page"], [])
    assert len(box.letters) == 4


def test_one_address_that_is_refused_does_not_keep_the_others_waiting(school: School, box: Box, port: int) -> None:
    """550 is for good in this run; the others are told; mended, that one alone is."""
    folder = school(ALL)
    box.refuses = {"deputy@fenmarsh.test": "550 no such mailbox \x1b[2J"}
    with server(box, port):
        sent, (problem,) = announce(folder)
        assert (sorted(sent), problem.where) == (["told safeguarding: 1 page", "told technical: 1 page"], "the mail to deputy@fenmarsh.test")
        assert "\x1b" not in problem.what
        box.refuses = {}
        assert announce(folder) == (["told safeguarding: 1 page"], [])
    assert sorted(to for to, _ in box.letters) == ["deputy@fenmarsh.test", "dsl@fenmarsh.test", "tsm@fenmarsh.test"]


def test_a_server_that_is_away_is_tried_as_often_as_settings_say(school: School) -> None:
    """Then it is a problem for each address, and the run ends."""
    folder, waits = school(ALL, more="tries = 2"), list[float]()
    sent, problems = mailing.announce(folder, TUESDAY, waits.append)
    assert (sent, waits, len(problems)) == ([], [posting.PAUSE], 3)
    assert all("it cannot be reached (Connection refused)" in problem.what for problem in problems)


def test_a_server_that_never_answers_is_given_up_in_time(school: School, port: int) -> None:
    """timeout_seconds is an end to every wait."""
    folder = school(more="tries = 1", timeout=1)
    began = time.monotonic()
    with scripted(port, b""):
        _, (problem,) = announce(folder)
    assert "it ended the connection" in problem.what or "cannot be reached" in problem.what
    assert time.monotonic() - began < 8


TAKES = (b"250 here", b"250 OK", b"250 OK", b"354 go on")


def test_a_line_that_breaks_after_the_letter_is_not_sent_again(school: School, box: Box, port: int) -> None:
    """Nobody knows whether the server has it: said, once; the page would be announced twice otherwise."""
    folder = school()
    with scripted(port, *TAKES) as lines:
        sent, (problem,) = announce(folder)
    assert lines[-1].lower() == b"data"
    assert (sent, outcomes(folder)) == ([], ["begun", "unsure"])
    assert problem == Problem("the mail for safeguarding", "may not have gone out: the end of it is not known (safeguarding/dsl-list-2026-11-02.html)",
                              "telling the reader; it is not sent again")
    with server(box, port):
        assert announce(folder) == ([], [])


def test_a_line_that_breaks_before_the_letter_is_tried_again(school: School, box: Box, port: int) -> None:
    """Without the server's leave to go on there was no letter."""
    folder = school(more="tries = 1")
    with scripted(port, *TAKES[:3]):
        assert "it ended the connection" in announce(folder)[1][0].what
    with server(box, port):
        assert announce(folder) == (["told safeguarding: 1 page"], [])
    assert outcomes(folder) == ["begun", "failed", "begun", "sent"]


def test_a_run_that_was_killed_in_the_middle_of_a_letter_is_said_and_not_repeated(school: School, box: Box, port: int) -> None:
    """The register knows that it began; a second run after it knows that this was said."""
    folder = school()
    with server(box, port):
        announce(folder)
        entries = schoolfolder.journal(folder, "issued").entries()
        put(folder, "safeguarding/dsl-list-2026-11-03.html")
        schoolfolder.journal(folder, "issued").append("begun", "", {"to": entries[0].body["to"], "pages": ["safeguarding/dsl-list-2026-11-03.html"]})
        _, (problem,) = announce(folder, TUESDAY + timedelta(days=1))
        assert "the end of it is not known" in problem.what
        assert announce(folder, TUESDAY + timedelta(days=1)) == ([], [])
    assert len(box.letters) == 1


def test_a_line_that_is_a_dot_arrives_as_it_is(school: School, box: Box, port: int) -> None:
    """SMTP ends a letter at such a line; a path may begin with one."""
    folder = school(more='where = ".\\n.\\n.hidden"')
    with server(box, port):
        announce(folder)
    text = email.message_from_bytes(box.letters[0][1], policy=email.policy.default).get_content()
    assert "\n.\n.hidden/safeguarding/dsl-list-2026-11-02.html" in text.replace("\r\n", "\n")


def test_windows_paths_keep_their_way_of_writing(school: School, box: Box, port: int) -> None:
    """Readers find reports/ as they would type it."""
    folder = school(more=r"where = '\\files\safe'")
    with server(box, port):
        announce(folder)
    text = email.message_from_bytes(box.letters[0][1], policy=email.policy.default).get_content()
    assert r"\\files\safe\safeguarding\dsl-list-2026-11-02.html" in text


@pytest.mark.parametrize(("given", "words"), [
    ('server = "mx.test"', "has a server but no sender"),
    ('server = "mx.test"\nsender = "a@b.test"\nsecurity = "none"', "is for a server on this machine, and mx.test is elsewhere"),
    ('server = "localhost"\nsender = "a@b.test"\nsecurity = "none"\nuser = "x"', "would give the password away"),
    ('sender = "a@b.test\\nBcc: c@d.test"', "is not a mail address"),
    ('to = { safeguarding = ["a@b.test, c@d.test"] }', "is not a mail address"),
    ('to = { parents = ["a@b.test"] }', "'parents' is no reader such as safeguarding or year-9")])
def test_settings_that_would_send_wrongly_are_faults(given: str, words: str) -> None:
    """No password in clear, no header through an address, no reader that there is not: families least of all."""
    settings = (Path(__file__).parent.parent / "school.toml").read_text("utf-8").split("\n[mail]")[0]
    read, faults = read_school(f"{settings}\n[mail]\n{given}\n")
    assert read is None
    assert any(words in fault.what for fault in faults), faults


def test_from_a_night_to_a_mail_by_the_command(school: School, box: Box, port: int) -> None:
    """Real pages; 0 and what was told; 5 with a server that is away, which `status` and the next night know; 2 without one."""
    folder = school(ALL)
    log = folder / "access.log"
    log.write_text("".join(line(14_000 + 40 * n, "adult-one.test", verdict="TCP_DENIED/403") for n in range(4)))
    run(folder, log)
    lately = datetime.now(UTC).date() - timedelta(days=2)  # over, wherever the clock is
    put(folder, f"safeguarding/dsl-list-{lately}.html")
    with server(box, port):
        done = schoolgate(folder, "mail")
    assert (done.returncode, "told safeguarding: " in done.stdout, box.letters != []) == (0, True, True), done.stderr
    assert all(word not in raw for _, raw in box.letters for word in (b"Bloggs", b"jbloggs", b"adult", b"I-0001", b"10.20."))
    school('{ principal = ["principal@fenmarsh.test"] }', more="tries = 1")
    put(folder, f"principal/principal-{lately}.html")
    failed = typed(folder, "mail")
    assert (failed.returncode, "cannot be reached" in failed.stderr) == (5, True)
    found = runs.last(folder, "mail")
    assert found and found.code == 5
    assert "the mail job: of " in schoolgate(folder, "status").stderr
    assert [p for p in run(folder, log).problems if p.where == "the mail job" and "asked for something to be mended (exit code 5)" in p.what]
    (folder / "school.toml").write_text((folder / "school.toml").read_text("utf-8").replace('server = "127.0.0.1"', ""), "utf-8")
    assert schoolgate(folder, "mail").returncode == 2
