"""Reader `resolver`: the text logs of dnsmasq and Pi-hole, Unbound, BIND and Windows DNS, one request a lookup.

Such a log tells a lookup in several lines: who asked for what, then, on a line of its own, what became of it. A dialect
says what each line is; the join after it gives a query the outcome of its lookup. What an outcome line names a query by:

    dnsmasq   the serial number of `log-queries=extra`, else the name: the last query of that name was meant
    unbound   client, name and type          bind   client, port and name          windows   nothing: it logs no verdict

The join is within a batch of lines and the REACH lines on either side of it. A block whose query stands further off is a
request of its own, so that no block is lost; the query has then been counted as allowed. The join takes about a third of the
split's time, which stays
between 150,000 and 300,000 lines a second on one core. Fields: time, client, name, type, outcome, rule.
"""

from __future__ import annotations

from pipeline.formats import Format, Layout
from pipeline.formats.lines import BARE, BLANK, column

REACH = 1000   # lines: a lookup is answered within a second or two, and a thousand lines are a second of a very busy resolver
FIELDS = ("time", "client", "name", "type", "outcome", "rule")

# told: what each line is. `role`: query, outcome (it decides), failure (it decides unless there is an outcome),
# answer (decides nothing) or NULL where `fault` says what the line is instead.
SELECT = """
WITH {dialect}, marked AS MATERIALIZED (
    SELECT * REPLACE (CASE WHEN long THEN 'a line of more than 1 MiB' ELSE fault END AS fault,
                      CASE WHEN NOT long AND fault IS NULL THEN role END AS role)
    FROM told
), met AS (
    SELECT o.line, q.line AS query, o.role, o.outcome, o.rule
    FROM (FROM marked WHERE role IN ('outcome', 'failure')) AS o
    ASOF LEFT JOIN (SELECT line, key FROM marked WHERE role = 'query') AS q ON q.key = o.key AND q.line <= o.line
), decided AS (
    SELECT query AS line, min_by({{'outcome': outcome, 'rule': rule}}, (role <> 'outcome', line)) AS d
    FROM met WHERE query IS NOT NULL GROUP BY query
    UNION ALL
    SELECT line, {{'outcome': outcome, 'rule': rule}} FROM met WHERE query IS NULL AND role = 'outcome'
), asked AS (
    SELECT count(*) > 0 AS known FROM marked WHERE role = 'query'
)
SELECT line, byte, text, long,
       CASE WHEN fault IS NOT NULL THEN fault
            WHEN role = 'query' OR (role = 'outcome' AND d IS NOT NULL) THEN NULL
            WHEN role IN ('answer', 'failure') AND type IS NOT NULL AND NOT known THEN NULL
            ELSE 'part' END AS fault{fields}
FROM marked LEFT JOIN decided USING (line) CROSS JOIN asked
ORDER BY line
"""

# When the line was written: an RFC 3339 time, or the 15 characters of a syslog time, behind a priority or not.
STAMP = r"""CASE WHEN starts_with({head}, '<')
            THEN CASE WHEN contains('0123456789', substr(split_part({head}, '>', 2), 1, 1))
                      THEN split_part(regexp_replace(split_part({head}, '>', 2), '^\d ', ''), ' ', 1)
                      ELSE substr(split_part({head}, '>', 2), 1, 15) END
            WHEN contains('0123456789', substr({head}, 1, 1)) THEN split_part({head}, ' ', 1)
            ELSE substr({head}, 1, 15) END"""

DNSMASQ = r"""cut AS (
    SELECT line, byte, text, long, strpos(text, 'dnsmasq[') AS begun, substr(text, 1, strpos(text, 'dnsmasq[') - 1) AS head,
           substr({bare}, strpos(text, ']: ') + 3) AS said
    FROM numbered
), plain AS (
    -- newer builds say UDP or TCP first; log-queries=extra has a serial number and the client before every verb
    SELECT *, CASE WHEN starts_with(said, 'UDP ') OR starts_with(said, 'TCP ') THEN substr(said, 5) ELSE said END AS extra
    FROM cut
), worded AS (
    SELECT *, CASE WHEN contains('0123456789', substr(extra, 1, 1)) AND contains(split_part(extra, ' ', 2), '/')
                   THEN split_part(extra, ' ', 1) || ' ' || split_part(extra, ' ', 2) END AS serial,
              CASE WHEN contains('0123456789', substr(extra, 1, 1)) AND contains(split_part(extra, ' ', 2), '/')
                   THEN substr(extra, strpos(extra, split_part(extra, ' ', 2)) + length(split_part(extra, ' ', 2)) + 1)
                   ELSE extra END AS words
    FROM plain
), parts AS (
    SELECT *, starts_with(words, 'query[') AS asks,
           CASE WHEN contains(words, ' is ') THEN string_split(split_part(words, ' is ', 1), ' ') END AS left_of,
           split_part(words, ' is ', 2) AS answer
    FROM worded
), told AS (
    SELECT line, byte, text, long,
           CASE WHEN {blank} THEN 'furniture'
                WHEN begun = 0 AND contains(text, 'dnsmasq') THEN 'furniture'
                WHEN begun = 0 THEN 'does not name dnsmasq as its writer'
                WHEN asks AND (NOT contains(words, ' from ') OR NOT contains(words, ']')) THEN 'ends early: the client is missing'
                WHEN asks OR left_of IS NOT NULL OR starts_with(words, 'forwarded ') OR starts_with(words, 'dnssec-') THEN NULL
                ELSE 'furniture' END AS fault,
           CASE WHEN asks THEN 'query'
                WHEN left_of IS NULL OR starts_with(words, 'Rate-limiting') THEN 'answer'
                WHEN contains(left_of[1], 'blocked') OR contains(words, ' blocked ') OR contains(left_of[2], 'denied')
                     OR contains(left_of[2], 'blacklisted') OR starts_with(words, 'special domain')
                     OR contains(left_of[1], 'gravity.list') OR contains(left_of[1], 'black.list') THEN 'outcome'
                WHEN (left_of[1] = 'config' OR starts_with(words, '/'))
                     AND answer IN ('0.0.0.0', '::', '127.0.0.1', '::1', 'NXDOMAIN') AND left_of[-1] <> 'localhost' THEN 'outcome'
                WHEN left_of[-1] = 'error' THEN 'failure'
                ELSE 'answer' END AS role,
           coalesce(serial, lower(CASE WHEN asks THEN rtrim(split_part(substr(words, strpos(words, ']') + 2), ' from ', 1))
                                       ELSE left_of[-1] END)) AS key,
           {stamp} AS time,
           CASE WHEN asks THEN split_part(words, ' from ', -1) WHEN serial IS NOT NULL
                THEN regexp_replace(split_part(serial, ' ', 2), '/\d+$', '') END AS client,
           CASE WHEN asks THEN split_part(substr(words, strpos(words, ']') + 2), ' from ', 1) ELSE left_of[-1] END AS name,
           CASE WHEN asks THEN substr(split_part(words, ']', 1), 7) END AS type,
           CASE WHEN left_of IS NULL THEN NULL
                WHEN contains(answer, 'blocked ') THEN answer
                WHEN left_of[-1] = 'error' THEN 'error ' || split_part(answer, ' ', 1)
                ELSE array_to_string(left_of[:-2], ' ') END AS outcome,
           nullif(answer, '') AS rule
    FROM parts
)"""

UNBOUND = r"""cut AS (
    SELECT line, byte, text, long, {bare} AS body,
           CASE WHEN contains(text, '] info: ') THEN '] info: ' WHEN contains(text, '] query: ') THEN '] query: '
                WHEN contains(text, '] reply: ') THEN '] reply: ' END AS tag
    FROM numbered
), worded AS (
    SELECT *, string_split(substr(body, strpos(body, tag) + length(tag)), ' ') AS w
    FROM cut
), parts AS (
    SELECT *, len(w) AS n,
           -- a reply is the query again, with how it ended; a local zone or policy names the client with its port
           CASE WHEN len(w) >= 8 AND w[4] IN ('IN', 'CH', 'ANY') AND NOT contains(w[3], '@') THEN 'answer'
                WHEN len(w) = 4 AND w[4] IN ('IN', 'CH', 'ANY') THEN 'query'
                WHEN len(w) >= 6 AND w[-1] IN ('IN', 'CH', 'ANY') AND contains(w[-4], '@') THEN 'outcome' END AS kind
    FROM worded
), told AS (
    SELECT line, byte, text, long,
           CASE WHEN {blank} THEN 'furniture'
                WHEN NOT contains(body, 'unbound') THEN 'does not name unbound as its writer'
                WHEN contains(body, '] query: ') AND kind IS NULL THEN 'ends early: a query has a client, name, type and class'
                WHEN kind IS NULL THEN 'furniture' END AS fault,
           CASE WHEN kind = 'outcome' AND (
                     w[-5] IN ('transparent', 'typetransparent', 'inform', 'nodefault', 'rpz-passthru', 'rpz-disabled',
                               'rpz-tcp-only')
                     OR (w[-5] = 'static' AND (w[1] IN ('test.', 'onion.', 'invalid.', 'localhost.', 'home.arpa.', 'local.')
                                               OR ends_with(w[1], '.in-addr.arpa.') OR ends_with(w[1], '.ip6.arpa.'))))
                THEN 'note'
                WHEN kind = 'answer' AND w[5] IN ('SERVFAIL', 'REFUSED', 'FORMERR', 'NOTIMPL') THEN 'failure'
                ELSE kind END AS role,
           lower(CASE WHEN kind = 'outcome' THEN split_part(w[-4], '@', 1) || ' ' || w[-3] || ' ' || w[-2]
                      ELSE split_part(w[1], '@', 1) || ' ' || w[2] || ' ' || w[3] END) AS key,
           CASE WHEN starts_with(text, '[') THEN split_part(substr(text, 2), ']', 1) ELSE {stamp} END AS time,
           CASE WHEN kind = 'outcome' THEN split_part(w[-4], '@', 1) ELSE split_part(w[1], '@', 1) END AS client,
           CASE WHEN kind = 'outcome' THEN w[-3] ELSE w[2] END AS name,
           CASE WHEN kind = 'outcome' THEN w[-2] ELSE w[3] END AS type,
           CASE WHEN kind = 'outcome' THEN w[-5] WHEN kind = 'answer' THEN w[5] END AS outcome,
           CASE WHEN kind = 'outcome' THEN rtrim(replace(array_to_string(w[:-6], ' '), 'rpz: applied ', ''), '.') END AS rule
    FROM parts
)"""

BIND = r"""cut AS (
    SELECT line, byte, text, long, {bare} AS body, strpos(text, 'client ') AS begun,
           CASE WHEN contains(text, ' query: ') THEN ' query: ' WHEN contains(text, ' disabled rpz ') THEN ' disabled rpz '
                WHEN contains(text, ' rpz ') THEN ' rpz ' WHEN contains(text, ' query failed ') THEN ' query failed ' END AS tag
    FROM numbered
), worded AS (
    SELECT *, string_split(substr(body, begun + 7, strpos(body, tag) - begun - 7), ' ') AS who,
              string_split(substr(body, strpos(body, tag) + length(tag)), ' ') AS w
    FROM cut
), parts AS (
    SELECT *, CASE WHEN starts_with(who[1], '@') THEN who[2] ELSE who[1] END AS place,
           CASE WHEN tag = ' query: ' THEN w[1] WHEN tag IN (' rpz ', ' disabled rpz ') THEN w[4]
                WHEN tag = ' query failed ' THEN w[3] END AS asked
    FROM worded
), told AS (
    SELECT line, byte, text, long,
           CASE WHEN {blank} THEN 'furniture'
                WHEN NOT regexp_matches(text, '{writer}') THEN 'does not begin as a line of BIND'
                WHEN begun = 0 OR tag IS NULL THEN 'furniture'
                WHEN NOT contains(place, '#') OR coalesce(asked, '') = '' OR (tag = ' query: ' AND len(w) < 3)
                     THEN 'ends early: a query has a client, name, class and type' END AS fault,
           CASE tag WHEN ' query: ' THEN 'query' WHEN ' query failed ' THEN 'failure' ELSE 'outcome' END AS role,
           -- the port tells two lookups of one client apart, the name two of one port
           lower(rtrim(place, ':') || ' ' || split_part(asked, '/', 1)) AS key,
           CASE WHEN contains('0123456789', substr(text, 1, 1)) AND substr(text, 3, 1) = '-'
                THEN split_part(text, ' ', 1) || ' ' || split_part(text, ' ', 2) ELSE {stamp} END AS time,
           split_part(place, '#', 1) AS client,
           CASE WHEN tag = ' query: ' THEN asked ELSE split_part(asked, '/', 1) END AS name,
           CASE WHEN tag = ' query: ' THEN w[3] WHEN tag <> ' query failed ' THEN nullif(split_part(asked, '/', 2), '')
                END AS type,
           CASE tag WHEN ' query failed ' THEN 'failed ' || w[1] WHEN ' disabled rpz ' THEN 'disabled ' || w[2]
                    WHEN ' rpz ' THEN w[2] END AS outcome,
           CASE WHEN tag IN (' rpz ', ' disabled rpz ') THEN w[6] END AS rule
    FROM parts
)"""
BIND_WRITER = r"named\[|^\d\d-[A-Z][a-z][a-z]-\d{4} |^\d{4}-\d\d-\d\dT|^[a-z-]+: |^client "

WINDOWS = r"""cut AS (
    SELECT line, byte, text, long, {bare} AS body, strpos(text, ' PACKET ') AS begun
    FROM numbered
), worded AS (
    SELECT *, CASE WHEN begun > 0 THEN string_split(rtrim(substr(body, 1, begun - 1)), ' ') END AS before,
           CASE WHEN begun > 0 THEN list_filter(string_split(split_part(substr(body, begun + 8), '[', 1), ' '),
                                                lambda x: x <> '') END AS w,
           split_part(body, '] ', 2) AS tail
    FROM cut
), parts AS (
    SELECT *, rtrim(split_part(tail, ' ', 1)) AS kind, trim(substr(tail, strpos(tail, ' '))) AS coded
    FROM worded
), told AS (
    SELECT line, byte, text, long,
           CASE WHEN {blank} THEN 'furniture'
                WHEN starts_with(text, ' ') OR starts_with(text, E'\t') THEN 'furniture'
                WHEN begun = 0 AND regexp_matches(text, '{writer}') THEN 'furniture'
                WHEN begun = 0 THEN 'is not a packet of the DNS server'
                WHEN len(before) < 3 OR NOT contains(before[2], ':') THEN 'does not begin with a date and a time'
                WHEN w[3] <> 'Rcv' OR w[6] = 'R' THEN 'part'
                WHEN len(w) < 6 OR NOT starts_with(coded, '(') THEN 'ends early: the name is missing' END AS fault,
           'query' AS role, NULL::VARCHAR AS key,
           array_to_string(before[:-2], ' ') AS time, w[4] AS client, {labels} AS name, kind AS type,
           NULL::VARCHAR AS outcome, NULL::VARCHAR AS rule
    FROM parts
)"""
WINDOWS_WRITER = (
    r"^[^A-Za-z0-9]?(DNS Server log|Log file wrap|Message logging key|(UDP|TCP) (question|response) info|Field #|-+ +-+)"
    r"|^\S+ \S+( [AP]M)? [0-9A-F]{3,8} (EVENT|CONTEXT|DSPOLL|INIT|LOOKUP|RECURSE|REMOTE|TOMBSTN|UPDATE|Note)")

# (5)games(7)example(3)net(0): a label is as long as it says. Where the pieces between brackets are not, a label holds a bracket
# itself: then labels are taken off one by one, from what is `left` to what is `done`.
LABELS = r"""CASE WHEN len(list_filter(string_split(substr(coded, 2), '('), lambda x:
                      TRY_CAST(split_part(x, ')', 1) AS INTEGER) IS DISTINCT FROM length(x) - strpos(x, ')'))) = 0
             THEN array_to_string(list_transform(string_split(substr(coded, 2), '('),
                                                 lambda x: substr(x, strpos(x, ')') + 1)), '.')
             ELSE list_reduce(range(127), lambda name, n:
                  CASE WHEN regexp_matches(name.left, '^\(\d{1,2}\).') THEN {
                       'done': name.done || substr(name.left, strpos(name.left, ')') + 1,
                                                   regexp_extract(name.left, '^\((\d{1,2})', 1)::INTEGER) || '.',
                       'left': substr(name.left, strpos(name.left, ')') + 1
                                                 + regexp_extract(name.left, '^\((\d{1,2})', 1)::INTEGER)}
                  ELSE name END, {'done': '', 'left': coded}).done END"""


def _dialect(text: str, head: str, **words: str) -> str:
    for word, sql in ({"stamp": STAMP.format(head=head), "bare": BARE, "blank": BLANK} | words).items():
        text = text.replace("{" + word + "}", sql)
    return text


DIALECTS = {
    "dnsmasq": _dialect(DNSMASQ, "head"),
    "unbound": _dialect(UNBOUND, "text"),
    "bind": _dialect(BIND, "text", writer=BIND_WRITER),
    "windows": _dialect(WINDOWS, "text", writer=WINDOWS_WRITER, labels=LABELS),
}


def split(form: Format, layout: Layout) -> str:
    """The select that gives each line of `numbered` its fault and the fields that `form` needs.

    The dialect reads the syslog head itself, for the time stands in it: `layout.wrapped` changes nothing.
    """
    fields = "".join(f",\n       {_field(name)} AS {column(name)}" for name in form.needs)
    return SELECT.format(dialect=DIALECTS[form.says["dialect"]], fields=fields)


def _field(name: str) -> str:
    if name in {"outcome", "rule"}:
        return f"CASE WHEN role = 'query' OR d IS NOT NULL THEN d.{name} ELSE {name} END"
    return name if name in FIELDS else "NULL::VARCHAR"
