"""Letters to a server, each attempt written down before it is made and after, so that no page is announced twice.

The register `issued` holds, for each attempt, `begun` and then `sent`, `failed` or `unsure`, with the pseudonym of the address
and the pages. `begun` without an end is an attempt in whose middle the machine stopped.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from pipeline import mail
from pipeline.journal import Journal
from pipeline.mail import NotTakenError, Server, UnsureError
from pipeline.pages.parts import said
from pipeline.problems import Problem

PAUSE = 5  # seconds before the second try, twice as long before each further one; what takes longer is for the next run


@dataclass(frozen=True, eq=False)
class Letter:
    """One mail to be: the reader, the address and its pseudonym, the pages it speaks of, and the mail itself."""

    reader: str
    to: str
    key: str
    pages: tuple[str, ...]
    made: EmailMessage


def told(book: Journal) -> dict[tuple[str, str], str]:
    """The last outcome for each address (its pseudonym) and page: begun, sent, failed or unsure."""
    return {(body["to"], page): entry.kind for entry in book.entries()
            if (body := entry.body) is not None and entry.kind != "purged" for page in body["pages"]}


def unknown_ends(book: Journal) -> list[Problem]:
    """A problem for each attempt that was begun and has no end; it is said once, and from then on counts as unsure."""
    stopped: dict[str, list[str]] = {}
    for (key, page), outcome in told(book).items():
        if outcome == "begun":
            stopped.setdefault(key, []).append(page)
    for key, pages in stopped.items():
        book.append("unsure", "", {"to": key, "pages": pages})
    return [_unsure(pages[0].split("/")[0], pages) for pages in stopped.values()]


@dataclass
class Post:
    """A run's letters on their way: those the server took, and a problem for each other."""

    server: Server
    book: Journal
    problems: list[Problem] = field(default_factory=list)
    sent: list[Letter] = field(default_factory=list)

    def deliver(self, letters: Sequence[Letter], tries: int, pause: Callable[[float], None]) -> None:
        """Hand the letters over, in at most so many tries; between them `pause` waits the seconds it is given."""
        left = dict.fromkeys(letters, "")
        for attempt in range(tries):
            if left and attempt:
                pause(PAUSE * 2 ** (attempt - 1))
            if left:
                left = self._round(left)
        self.problems += [_failed(letter, why) for letter, why in left.items()]

    def _round(self, letters: dict[Letter, str]) -> dict[Letter, str]:
        """One connection; the letters that are worth another, each with what stood in its way."""
        left = dict(letters)
        try:
            with mail.connection(self.server, str(next(iter(letters)).made["From"]).rsplit("@", maxsplit=1)[-1]) as smtp:
                for letter in letters:
                    error = self._hand_over(smtp, letter)
                    if error and not error.lasting:
                        left[letter] = str(error)
                        continue
                    del left[letter]
                    self.problems += [_failed(letter, str(error))] if error else []
        except NotTakenError as error:
            if not error.lasting:
                return dict.fromkeys(left, str(error))
            self.problems += [_failed(letter, str(error)) for letter in left]
            return {}
        return left

    def _hand_over(self, smtp: smtplib.SMTP, letter: Letter) -> NotTakenError | None:
        """Hand one letter over; why it was not taken, None where it was, or nobody knows."""
        body = {"to": letter.key, "pages": list(letter.pages)}
        self.book.append("begun", "", body)
        try:
            mail.hand_over(smtp, letter.made)
        except UnsureError:
            self.book.append("unsure", "", body)
            self.problems.append(_unsure(letter.reader, letter.pages))
            return None
        except NotTakenError as error:
            self.book.append("failed", "", body)
            return error
        self.book.append("sent", "", body)
        self.sent.append(letter)
        return None


def _unsure(reader: str, pages: Sequence[str]) -> Problem:
    return Problem(f"the mail for {reader}", f"may not have gone out: the end of it is not known ({', '.join(pages)})",
                   "telling the reader; it is not sent again")


def _failed(letter: Letter, why: str) -> Problem:
    return Problem(f"the mail to {letter.to}", f"was not taken by the server: {said(why, 200)}",
                   "[mail] in school.toml, and the server; the next run sends it")
