"""Reader `columns`: space-padded columns from the left, with a login between them that may hold spaces.

Squid does not encode the space in a login, so a plain line has just the columns of the format, and any other is taken apart
by its anchor: the hierarchy code behind the login.
"""

from __future__ import annotations

import re
from functools import partial

from pipeline.formats import Format, Layout
from pipeline.formats.plaincells import Cells
from pipeline.formats.plainway import UNSURE, PlainWay

SPLIT = r"""
WITH parts AS (
    SELECT line, byte, text, long, substr(text, 1, strpos(text, ' ') - 1) AS logged,
           string_split(ltrim(substr(text, strpos(text, ' '))), ' ') AS p
    FROM {lines}
), anchored AS (
    SELECT *, CASE WHEN len(p) <> {plain} THEN false WHEN starts_with(p[{plain} - {after}], 'HIER_') THEN true
                   ELSE regexp_matches(p[{plain} - {after}], '^{anchor_start}') END AS plain
    FROM parts
), apart AS (
    SELECT *, CASE WHEN NOT plain THEN regexp_extract(regexp_replace(rtrim(text, E'\r\n'), '{tail}', ''),
                        '^\S+ +-?\d+ \S+ \S+ \S+ \S+ (\S+)(?: (.*))? {anchor}/\S*(?: (\S*))?$', ['url', 'user', 'type'])
              END AS odd
    FROM anchored
)
SELECT line, byte, text, long, NULL::VARCHAR AS fault,
       logged AS time, p[1] AS duration, p[2] AS client,
       split_part(p[3], '/', 1) AS tag,
       CASE WHEN p[3] LIKE '%/-' THEN '0' ELSE split_part(p[3], '/', 2) END AS status,
       p[4] AS size, p[5] AS method, p[6] AS url,
       CASE WHEN plain THEN p[7] ELSE odd.user END AS user,
       CASE WHEN NOT plain THEN odd.type WHEN ends_with(p[9], E'\r\n') THEN rtrim(p[9], E'\r\n')
            ELSE replace(p[9], E'\n', '') END AS type,
       CASE WHEN plain OR odd.url <> '' OR (length(text) >= {cut_at} AND len(p) >= 6) THEN 'yes' END AS whole
FROM apart
"""


def split(form: Format, layout: Layout) -> str:
    """The split of a format of this kind: time, duration, client, tag, status, size, method, url, user, type, whole."""
    says = form.says
    anchor = says["anchor"]
    return SPLIT.format(
        lines="numbered",
        plain=len(says["leading"]) + 1 + len(says["after"]),
        after=len(says["after"]),
        anchor=anchor.replace("'", "''"),
        anchor_start=_begins(anchor),
        tail=says["tail"].replace("'", "''"),
        cut_at=int(says["cut_at"]))


def plain(form: Format, layout: Layout) -> PlainWay:
    """What cuts the lines that have just the columns of the format."""
    leading, after = len(form.says["leading"]), len(form.says["after"])
    names = ("time", "duration", "client", "tag", "size", "method", "url", "user")
    places = {name: place for place, name in enumerate(names)} | {"status": 3, "whole": leading + 1, "type": leading + 2}
    read = partial(_read, re.compile("HIER_|" + _begins(form.says["anchor"])))
    return PlainWay(Cells(" ", False, True, leading + 2 + after, places), frozenset(places), read)


def _begins(anchor: str) -> str:
    """How a hierarchy code and its slash begin; which code it is does not matter where the columns are as many as belong."""
    return re.sub(r"\(\?:NONE\|.*\)$", "[A-Z][A-Za-z_ ]*/", anchor)


def _read(anchor: re.Pattern[str], name: str, text: str) -> str:
    """What a column says: the fourth says two things."""
    if name == "tag":
        return text.partition("/")[0]
    if name == "status":
        return "0" if text.endswith("/-") else [*text.split("/"), ""][1]
    if name == "whole":
        return "yes" if anchor.match(text) else UNSURE
    return text
