"""Who is told that a report is ready: never the same page twice, and nothing in a mail but which page it is and where.

Each attempt is written down in the register `issued` before it is made and after, by a pseudonym of the address. An attempt
whose end nobody knows (the machine stopped, the line broke after the letter) is said, and is not made again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from pipeline import folders, mail, periods, rulefiles, schoolfolder
from pipeline.journal import Journal
from pipeline.mail import Server
from pipeline.pages.index import Period, kind_of, one_of, period_of, typed
from pipeline.pages.wording import several
from pipeline.posting import Letter, Post, told, unknown_ends
from pipeline.privacy import pseudonym
from pipeline.problems import Problem, UsageError
from pipeline.schedule import SETTLED
from pipeline.school import School
from pipeline.school.settings import Mail
from pipeline.schoolday import school_day
from pipeline.vault import load_keys

FRESH = timedelta(days=14)  # older pages are found in the index: a school that begins with mails is not sent a year of them
NEVER_AGAIN = ("sent", "unsure")


def announce(folder: Path, now: datetime | None = None, pause: Callable[[float], None] = time.sleep
             ) -> tuple[list[str], list[Problem]]:
    """Tell each reader of the pages that are ready and that nobody was told of; what was sent, and a problem for what was not.

    UsageError without a server, RefusedError when its password can be read by others.
    """
    school, at = schoolfolder.settings(folder), now or datetime.now(UTC)
    if not school.mail.server:
        raise UsageError(Problem("school.toml, mail.server", "is not set, so nobody can be told",
                                 "the name of the school's server"))
    with rulefiles.locked(folder, "mail"):
        keys = load_keys(folder / school.keys)
        book = schoolfolder.journal(folder, "issued")
        post = Post(_server(folder, school.mail), book, unknown_ends(book))
        post.deliver(list(_letters(folder, school, book, keys.pseudonym, at)), school.mail.tries, pause)
    return [f"told {one.reader}: {several(len(one.pages), 'page')}" for one in post.sent], post.problems


def _server(folder: Path, by: Mail) -> Server:
    password = mail.secret(folder / by.secret) if by.user else ""
    return Server(by.server, by.port, by.security, str(folder / by.ca) if by.ca else "", by.user, password, by.timeout_seconds)


def _letters(folder: Path, school: School, book: Journal, key: bytes, now: datetime) -> Iterator[Letter]:
    """A letter for each address that has something new to be told."""
    today = school_day(now, school.calendar.timezone)
    done = {pair for pair, outcome in told(book).items() if outcome in NEVER_AGAIN}
    for reader, addresses in school.mail.to.items():
        ready = {f"{reader}/{file}": period for file in folders.pages(folder, reader)
                 if file.endswith(".html") and (period := period_of(file)) and _is_ready(school, file, today)}
        for to in dict.fromkeys(address.lower() for address in addresses):
            mark = pseudonym(key, "m", to)
            new = [page for page in sorted(ready, key=lambda page: (ready[page].last, page)) if (mark, page) not in done]
            if new:
                made = _made(folder, school.mail, to, mark, [(page, ready[page]) for page in new], now)
                yield Letter(reader, to, mark, tuple(new), made)


def _is_ready(school: School, file: str, today: date) -> bool:
    """Whether what a page is about is over, and not long since: for a fortnight from the day after its last school day.

    What is told of a term or a year is still being decided in the week after it, so that week passes first.
    """
    try:
        about = periods.parse(typed(file), school.calendar)
    except UsageError:  # of a term that the calendar no longer has
        return False
    wait = SETTLED if about.kind in ("half", "term", "year") else timedelta(days=1)
    since = (periods.last_open(about, school.calendar) or about.last) + wait
    return since <= today <= since + FRESH


def _made(folder: Path, by: Mail, to: str, mark: str, pages: Sequence[tuple[str, Period]], now: datetime) -> EmailMessage:
    """The mail: which pages, and where. Nothing else may stand in it."""
    where = by.where or str(folder.resolve() / "reports")
    between = "\\" if "\\" in where and "/" not in where else "/"
    reader, many = pages[0][0].split("/")[0], len(pages)
    lines = [f"{one_of(kind_of(page.split('/')[1]))}, {period.whole}:\n    {_joined(where, between, page)}\n"
             for page, period in pages]
    text = "\n".join([f"{'A report is' if many == 1 else f'{many} reports are'} ready for you.\n", *lines,
                      f"All that are kept: {_joined(where, between, f'{reader}/{folders.INDEX}')}\n",
                      "This mail comes from Schoolgate, by itself. It names nobody, and nobody reads an answer to it.\n"])
    digest = hashlib.sha256("\n".join([mark, *(page for page, _ in pages)]).encode()).hexdigest()[:24]
    about = {"Date": format_datetime(now), "Message-ID": f"<{digest}@{by.sender.rsplit('@', maxsplit=1)[-1]}>",
             "Auto-Submitted": "auto-generated"}
    subject = "Schoolgate: a report is ready" if many == 1 else f"Schoolgate: {many} reports are ready"
    return mail.letter(by.sender, to, subject, text, about)


def _joined(where: str, between: str, page: str) -> str:
    return between.join([where.rstrip(between), *page.split("/")])
