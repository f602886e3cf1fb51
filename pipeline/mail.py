"""The way to an SMTP server: certificates are checked, a login is never given in clear, every wait has an end.

It knows nothing of pages: it is handed letters, and says of each whether the server has taken it.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from pipeline.problems import Problem, RefusedError, UsageError

TAKEN, GO_ON, LASTING = 250, 354, 500  # replies of RFC 5321: done, send the letter, and from 500 on: do not try again


@dataclass(frozen=True)
class Server:
    """Where letters are handed over. `security`: starttls, tls or none; `ca`: '' for the authorities the machine trusts."""

    host: str
    port: int
    security: str
    ca: str
    user: str
    password: str
    timeout: float


class NotTakenError(Exception):
    """The server has certainly not taken the letter; `lasting`: the same letter would be refused again."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.lasting = lasting


class UnsureError(Exception):
    """The letter was handed over whole, and the connection ended before the server had answered."""


def secret(path: Path) -> str:
    """The password in a file; RefusedError when others can read it, UsageError when it is not there."""
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            raise RefusedError(Problem(str(path), "can be read by others", f"chmod 600 {path}"))
        return path.read_text("utf-8").strip("\r\n")
    except FileNotFoundError:
        raise UsageError(Problem(str(path), "is not there, and mail.user needs a password",
                                 "a file that holds it (chmod 600)")) from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(Problem(str(path), "cannot be read as a password", "its owner, and UTF-8")) from None


@contextmanager
def connection(server: Server, name: str) -> Iterator[smtplib.SMTP]:
    """A connection that is ready for letters; `name`: what this machine calls itself. NotTakenError when there is none."""
    try:
        smtp = _open(server, name)
    except ssl.SSLCertVerificationError as error:
        raise NotTakenError(f"its certificate is not trusted ({error.verify_message})", lasting=True) from None
    except (ssl.SSLError, smtplib.SMTPNotSupportedError, OSError, ValueError) as error:
        raise _why(error) from None
    try:
        yield smtp
    finally:
        with suppress(smtplib.SMTPException, OSError):  # the letters' fates are known: a farewell changes none
            smtp.quit()
        smtp.close()


def _open(server: Server, name: str) -> smtplib.SMTP:
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.timeout, context=_context(server.ca))
    else:
        smtp = smtplib.SMTP(server.host, server.port, name, timeout=server.timeout)
    try:
        if server.security == "starttls":
            smtp.starttls(context=_context(server.ca))
        if server.user:
            smtp.login(server.user, server.password)
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _context(ca: str) -> ssl.SSLContext:
    """Certificates and host names are checked, by the machine's authorities or by the school's own alone."""
    context = ssl.create_default_context(cafile=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _why(error: Exception) -> NotTakenError:
    """What came of an attempt in words; what the network does may pass, what the server refuses will not."""
    words, lasting = f"it cannot be reached ({getattr(error, 'strerror', None) or error})", False
    if isinstance(error, smtplib.SMTPResponseException):
        login = "it does not take this login: " if isinstance(error, smtplib.SMTPAuthenticationError) else ""
        words, lasting = login + _said(error.smtp_code, error.smtp_error), error.smtp_code >= LASTING
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        words, lasting = f"it does not offer what school.toml asks for ({error})", True
    elif isinstance(error, smtplib.SMTPException):
        words = "it ended the connection"
    elif isinstance(error, ssl.SSLError):
        words, lasting = f"no TLS with it ({error.reason})", True
    elif isinstance(error, FileNotFoundError):
        words, lasting = "the file of mail.ca is not there", True
    return NotTakenError(words, lasting=lasting)


def letter(sender: str, to: str, subject: str, text: str, about: dict[str, str]) -> EmailMessage:
    """A plain letter; `about`: further header lines."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    for name, value in about.items():
        made[name] = value
    made.set_content(text, cte="quoted-printable")
    return made


def hand_over(smtp: smtplib.SMTP, made: EmailMessage) -> None:
    """Hand one letter over. NotTakenError: it was not taken; UnsureError: nobody can say."""
    try:
        _asked(smtp, *smtp.mail(str(made["From"])))
        _asked(smtp, *smtp.rcpt(str(made["To"])))
        smtp.putcmd("data")
        _asked(smtp, *smtp.getreply(), wanted=GO_ON)
        smtp.send(_stuffed(made) + b".\r\n")
    except OSError as error:
        raise _why(error) from None
    try:
        code, reply = smtp.getreply()
    except OSError:
        raise UnsureError from None
    _asked(smtp, code, reply)


def _asked(smtp: smtplib.SMTP, code: int, reply: bytes, wanted: int = TAKEN) -> None:
    """Go on when the server agrees; else the letter is given up, and the connection made ready for another."""
    if code // 10 == wanted // 10:
        return
    with suppress(smtplib.SMTPException, OSError):
        smtp.rset()
    raise NotTakenError(_said(code, reply), lasting=code >= LASTING)


def _stuffed(made: EmailMessage) -> bytes:
    """The letter's bytes with a second dot before each line that begins with one, and its end on a line of its own."""
    data = made.as_bytes(policy=SMTP)
    return re.sub(rb"(?m)^\.", b"..", data if data.endswith(b"\r\n") else data + b"\r\n")


def _said(code: int, reply: bytes | str) -> str:
    return f"it said {code} {reply.decode('ascii', 'replace') if isinstance(reply, bytes) else reply}"
