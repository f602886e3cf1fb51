"""The verb that says that reports are ready."""

from __future__ import annotations

import typer

from pipeline import mailing
from pipeline.problems import Exit
from pipeline.verbs.front import end, folder, ran


def mail_send() -> None:
    """Tell each reader under [mail] which pages are ready and where, once each; a mail holds nothing else, and no name.

    What the server does not take is said, ends with 5, and is tried again by the next run.
    """
    with ran("mail") as note:
        said, problems = mailing.announce(folder())
        note.code = Exit.MEND if problems else Exit.DONE
    typer.echo("\n".join(said) or "Nobody has anything new to be told.")
    end(problems)
