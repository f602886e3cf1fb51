"""The head that syslog puts before a line: RFC 3164 (with or without a year or fraction) or RFC 5424, with or without <PRI>."""

from __future__ import annotations

import re

DATE = r"(?:[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)"
TAG = r"(?:[^\s:\[]+(?:\[\d+\])?: ?|\S+ \S+ \S+ (?:-|\[[^\]]*\]) ?)"
HEAD = rf"^\s*(?:<\d{{1,3}}>)?(?:\d{{1,2}} )?{DATE} \S+ {TAG}"
SYSLOG = re.compile(HEAD)
UNWRAPPED = f"CREATE OR REPLACE MACRO unwrapped(text) AS ltrim(regexp_replace(text, '{HEAD}', ''), chr(65279));"
