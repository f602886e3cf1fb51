"""Who is at the keyboard: the login of the operating system, whatever the environment says.

`LOGNAME` and `USER` are anybody's to set, and a role, a look and a second person's approval hang on the answer.
"""

from __future__ import annotations

import os
import pwd


def login() -> str:
    """The login that this process runs as; of root through `sudo`, who asked for it. An account without a name is `uid` and its
    number."""
    number = os.getuid()
    if number == 0 and (asked := os.environ.get("SUDO_USER")):  # only root can be here, so only sudo or root has set it
        return asked
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid{number}"
