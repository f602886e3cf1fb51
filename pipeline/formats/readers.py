"""Each reader turns a format's description into one vectorised DuckDB select over numbered lines.

The select reads a table `numbered` (line, byte, text, long) and gives, for every line, its fate, why it was rejected,
and the raw columns of a request (RAW below). Logins and addresses are still as logged: ingest masks them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import duckdb

from pipeline.formats import Format

RAW = ("time", "client_ip", "user", "action", "kind", "method", "url", "host", "port", "status", "bytes_in", "bytes_out",
       "duration_ms", "content_type", "user_agent", "referrer", "vendor_category", "vendor_rule", "setup", "sealed_list")

# Small words for addresses; `formats.md` rules for hosts: lower case, no port, no user-info, no final dot.
MACROS = """
CREATE OR REPLACE MACRO authority_of(method, url) AS
    CASE WHEN method = 'CONNECT' AND NOT contains(url, '://') THEN url
         WHEN contains(url, '://') THEN split_part(split_part(split_part(url, '/', 3), '?', 1), '#', 1)
         WHEN starts_with(url, 'error:') OR starts_with(url, '/') THEN NULL
         WHEN contains(url, '.') THEN split_part(url, '/', 1)
    END;
CREATE OR REPLACE MACRO without_user(authority) AS
    CASE WHEN contains(authority, '@') THEN regexp_replace(authority, '^.*@', '') ELSE authority END;
CREATE OR REPLACE MACRO host_of(place) AS
    nullif(rtrim(lower(
        CASE WHEN starts_with(place, '[') THEN split_part(ltrim(place, '['), ']', 1)
             WHEN contains(place, ':') THEN split_part(place, ':', 1)
             ELSE place END), '.'), '');
CREATE OR REPLACE MACRO port_of(place, method, url) AS
    coalesce(TRY_CAST(nullif(regexp_extract(place, ':(\\d{1,5})$', 1), '') AS INTEGER),
             CASE WHEN method = 'CONNECT' OR starts_with(url, 'https:') THEN 443
                  WHEN starts_with(url, 'http:') THEN 80 WHEN starts_with(url, 'ftp:') THEN 21 END);
CREATE OR REPLACE MACRO stated(word) AS
    CASE WHEN lower(word) IN ('', '-', '""', 'n/a', 'none', 'unknown', 'anonymous', 'not available', 'unknown (sso failed)')
         THEN NULL ELSE word END;
"""

COLUMNS = r"""
WITH parts AS (
    SELECT line, byte, text, long,
           substr(text, 1, strpos(text, ' ') - 1) AS logged,
           string_split(ltrim(substr(text, strpos(text, ' '))), ' ') AS p
    FROM numbered
), anchored AS (
    -- the plain line has just the columns of the format; any other is taken apart by its anchor
    SELECT line, byte, text, long, logged, p,
           len(p) = {plain} AND regexp_matches(p[{plain} - {after}], '^{anchor_start}') AS plain,
           CASE WHEN len(p) <> {plain} OR NOT regexp_matches(p[{plain} - {after}], '^{anchor_start}')
                THEN regexp_extract(regexp_replace(rtrim(text, E'\r\n'), '{tail}', ''),
                     '^\S+ +-?\d+ \S+ \S+ \S+ \S+ (\S+)(?: (.*))? {anchor}/\S*(?: (\S*))?$',
                     ['url', 'user', 'type'])
           END AS odd
    FROM parts
), named AS (
    SELECT line, byte, text, long,
           TRY_CAST(logged AS DECIMAL(18, 3)) AS seconds,
           TRY_CAST(p[1] AS BIGINT) AS duration_ms,
           p[2] AS client_ip,
           split_part(p[3], '/', 1) AS tag,
           coalesce(TRY_CAST(split_part(p[3], '/', 2) AS INTEGER), CASE WHEN p[3] LIKE '%/-' THEN 0 END) AS status,
           TRY_CAST(p[4] AS BIGINT) AS bytes_in,
           p[5] AS method,
           p[6] AS url,
           CASE WHEN plain THEN p[7] ELSE odd.user END AS login,
           CASE WHEN plain THEN rtrim(p[9], E'\r\n') ELSE odd.type END AS type,
           plain OR odd.url <> '' OR (length(text) >= {cut_at} AND len(p) >= 6) AS whole
    FROM anchored
), judged AS (
    SELECT *,
           CASE WHEN trim(text, E' \t\r\n') = '' THEN 'furniture'
                WHEN long THEN 'a line of more than 1 MiB'
                WHEN contains(text, chr(0)) THEN 'holds NUL bytes, as after a crash'
                WHEN seconds IS NULL OR NOT seconds BETWEEN 946684800 AND 4102444800
                    THEN 'does not begin with a time in seconds and milliseconds'
                WHEN status IS NULL THEN 'has no result and status such as TCP_MISS/200 in column 4'
                WHEN duration_ms IS NULL OR bytes_in IS NULL THEN 'has no number where the duration or the size stands'
                WHEN NOT coalesce(whole, false) THEN 'ends early: the hierarchy column is missing'
           END AS fault
    FROM named
)
SELECT line, byte,
       CASE WHEN fault IS NULL THEN 'request' WHEN fault = 'furniture' THEN 'furniture' ELSE 'reject' END AS fate,
       CASE WHEN fault IS NULL OR fault = 'furniture' THEN '' ELSE fault END AS reason,
       CASE WHEN fault IS NOT NULL AND fault <> 'furniture' THEN
            regexp_replace(regexp_replace(substr(rtrim(text, E'\r\n'), 1, 120), '\d', '9', 'g'), '[^\s[:punct:]0-9]', 'a', 'g')
            ELSE '' END AS shape,
       CASE WHEN seconds BETWEEN 946684800 AND 4102444800 THEN make_timestamp((seconds * 1000)::BIGINT * 1000) END AS time,
       stated(client_ip) AS client_ip,
       stated(replace(CASE WHEN contains(login, '%') THEN coalesce(try(url_decode(login)), login) ELSE login END, '\\', '\'))
           AS user,
       {action} AS action,
       CASE WHEN method = 'CONNECT' THEN 'tunnel' ELSE 'http' END AS kind,
       stated(method) AS method,
       url,
       host_of(without_user(authority_of(method, url))) AS host,
       port_of(without_user(authority_of(method, url)), method, url) AS port,
       status, bytes_in, NULL::BIGINT AS bytes_out, duration_ms,
       stated(type) AS content_type,
       NULL::VARCHAR AS user_agent, NULL::VARCHAR AS referrer, NULL::VARCHAR AS vendor_category,
       tag AS vendor_rule,
       {setup} AS setup,
       CASE WHEN {action} = 'blocked' AND status::VARCHAR IN ({sealed}) THEN 'illegal-content list' ELSE '' END AS sealed_list
FROM judged
ORDER BY line
"""


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Give `con` the small words that every select uses."""
    con.execute(MACROS)


def compile_select(form: Format, sealed: tuple[str, ...] = ()) -> str:
    """The select of a format. `sealed`: the school's own verdicts that mean sealed, beside the format's."""
    return READERS[form.reader](form, sealed or form.sealed)


def _columns(form: Format, sealed: tuple[str, ...]) -> str:
    says = form.says
    anchor = says["anchor"]
    return COLUMNS.format(
        plain=len(says["leading"]) + 1 + len(says["after"]),
        after=len(says["after"]),
        anchor=anchor.replace("'", "''"),
        anchor_start=re.sub(r"\(\?:NONE\|.*\)$", "[A-Z][A-Za-z_ ]*/", anchor),
        tail=says["tail"].replace("'", "''"),
        cut_at=int(says["cut_at"]),
        action=_decide(says["verdicts"], "action"),
        setup=_decide(says["verdicts"], "setup"),
        sealed=", ".join(f"'{re.sub(r'[^A-Za-z0-9_.-]', '', verdict)}'" for verdict in sealed) or "NULL",
    )


def _decide(verdicts: list[dict[str, Any]], what: str) -> str:
    lines = [f"WHEN {_condition(verdict)} THEN '{verdict.get(what, '')}'" for verdict in verdicts]
    return "CASE " + " ".join(lines) + " END"


def _condition(verdict: dict[str, Any]) -> str:
    """The SQL of one line of a format's verdicts; every word of it must hold."""
    tests: dict[str, Callable[[Any], str]] = {
        "url_starts": lambda v: f"starts_with(url, '{v}')",
        "tag": lambda v: f"contains(tag, '{v}')",
        "tag_starts": lambda v: "(" + " OR ".join(f"starts_with(tag, '{t}')" for t in v) + ")",
        "status": lambda v: f"status IN ({', '.join(map(str, v))})",
        "method": lambda v: f"method = '{v}'",
        "untunnelled": lambda v: "method <> 'CONNECT'" if v else "true",
    }
    return " AND ".join(test(verdict[word]) for word, test in tests.items() if word in verdict) or "true"


READERS = {"columns": _columns}
