"""The formats that lists of sites come in: a text in, entries out, and every line accounted for.

A format is one select that gives each line's names with a mark: empty for a name that the list holds, `@` for one that it
excepts, `!` for one that no exception takes back, `~` for one that it takes out again, `#` for a line that says nothing
(blank, comment, header), and otherwise the reason, in words, why the line is left out. Names never become Python objects
one by one, for a list may hold millions; only international ones do, and they are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.hosts import endings, normalise
from pipeline.sql import run

ENTRIES = pa.schema([("entry", pa.string()), ("path", pa.string()), ("category", pa.string()), ("excepted", pa.bool_()),
                     ("line", pa.int64())])
FOUND = pa.schema([("line", pa.int64()), ("name", pa.string()), ("path", pa.string()), ("category", pa.string()),
                   ("mark", pa.string())])
SHOWN = 3          # lines shown of each reason
NAMED = ("entry", "domain", "host", "hostname", "name", "site", "url")

DOMAINS = """
SELECT line, bare AS name, '' AS path, '' AS category,
       CASE WHEN bare = '' OR regexp_matches(text, '^[;!]') THEN '#'
            WHEN contains(bare, '/') THEN 'an address of a page, not a name'
            WHEN regexp_matches(bare, '\\s') THEN 'more than one word'
            ELSE '' END AS mark
FROM (SELECT line, text, CASE WHEN contains(text, '#') THEN trim(regexp_replace(text, '#.*$', ''), ' \t') ELSE text END AS bare
      FROM lines)
"""

# A line that leads somewhere steers (to a safe search, to a printer) and blocks nothing.
HOSTS = """
WITH cut AS (
    SELECT line, string_split_regex(trim(regexp_replace(text, '#.*$', ''), ' \t'), '\\s+') AS words FROM lines
), told AS (
    SELECT line, words, len(words) > 1 AS named,
           regexp_full_match(words[1], '[0-9]+(\\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*(%[a-z0-9]+)?|0') AS address,
           regexp_full_match(words[1], '0|0\\.0\\.0\\.0|127\\.[0-9.]+|::|::1|::ffff:0\\.0\\.0\\.0|(0:){7}[01]') AS nowhere
    FROM cut
)
SELECT line, unnest(CASE WHEN named THEN words[2:] ELSE [words[1]] END) AS name, '' AS path, '' AS category,
       CASE WHEN words[1] = '' THEN '#'
            WHEN NOT address THEN 'no address before the name'
            WHEN NOT named THEN 'no name after the address'
            WHEN NOT nowhere THEN 'leads to an address, so blocks nothing'
            ELSE '' END AS mark
FROM told
"""

# Rules for parts of pages (scripts, pictures, third parties) and for some clients say nothing of the site as a whole.
ADBLOCK = """
WITH cut AS (
    SELECT line, text, starts_with(text, '@@') AS excepted,
           regexp_extract(text, '^(?:@@)?\\|\\|([^/^$|]+)(\\^\\|?|\\||/[^$^*|]*\\^?)?(?:\\$(.+))?$',
                          ['name', 'tail', 'options']) AS rule
    FROM lines
), told AS (
    SELECT line, text, excepted, rule.name AS name, string_split(lower(rule.options), ',') AS options,
           CASE WHEN starts_with(rule.tail, '/') THEN rtrim(rule.tail, '/^') ELSE '' END AS path
    FROM cut
)
SELECT line, name, path, '' AS category,
       CASE WHEN text = '' OR regexp_matches(text, '^!|^\\[.*\\]$|^#($|[^#@?$%])') THEN '#'
            WHEN regexp_matches(text, '#@?[?$%]?#|#@?\\$\\?#|\\$@?\\$') THEN 'cosmetic: hides parts of pages'
            WHEN name = '' OR ends_with(name, '.') OR contains(ltrim(name, '*.'), '*') THEN 'a pattern, not a name'
            WHEN list_contains(options, 'badfilter') THEN '~'
            WHEN len(list_filter(options, lambda o: o NOT IN ('', 'document', 'doc', 'all', 'popup', 'important', '_'))) > 0
            THEN 'only for parts of pages or some clients'
            WHEN excepted THEN '@'
            WHEN list_contains(options, 'important') THEN '!'
            ELSE '' END AS mark
FROM told
"""

# Owners may be left out (the line above's), relative to $ORIGIN, or whole; the zone's own name is cut off.
RPZ = """
WITH bare AS (
    SELECT line, rtrim(regexp_replace(text, ';.*$', ''), ' \t') AS text FROM lines
), nested AS (
    SELECT line, text, sum(length(text) - length(replace(text, '(', '')) - length(text) + length(replace(text, ')', '')))
                       OVER (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > 0 AS inside
    FROM bare
), worded AS (
    SELECT line, text, coalesce(inside, false) OR text = '' OR starts_with(text, '$') AS furniture,
           CASE WHEN coalesce(inside, false) OR text = '' OR regexp_matches(text, '^[ \t$]') THEN NULL
                ELSE lower(regexp_extract(text, '^\\S+')) END AS owner,
           CASE WHEN regexp_matches(text, '(?i)^\\$ORIGIN\\s')
                THEN lower(trim(regexp_extract(text, '^\\S+\\s+(\\S+)', 1), '.')) END AS origin,
           regexp_extract(regexp_replace(text, '^\\S*\\s*', ''), '(?i)^(?:(?:[0-9][0-9smhdw]*|in)\\s+)*([a-z]+[0-9]*)\\s*(.*)$',
                          ['kind', 'target']) AS record
    FROM nested
), carried AS (
    SELECT line, text, furniture, upper(record.kind) AS kind, lower(trim(record.target)) AS target,
           last_value(owner IGNORE NULLS) OVER before AS owner,
           coalesce(last_value(origin IGNORE NULLS) OVER before, '') AS origin
    FROM worded WINDOW before AS (ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), whole AS (
    SELECT *, CASE WHEN owner = '@' THEN origin WHEN ends_with(owner, '.') THEN rtrim(owner, '.')
                   WHEN origin = '' THEN owner ELSE owner || '.' || origin END AS name
    FROM carried
), zone AS (
    SELECT coalesce(nullif(min(name) FILTER (kind = 'SOA'), ''), max(origin), '') AS zone FROM whole
), relative AS (
    SELECT line, text, furniture, kind, target,
           coalesce(CASE WHEN zone <> '' AND ends_with(name, '.' || zone) THEN left(name, length(name) - length(zone) - 1)
                         ELSE name END, '') AS name
    FROM whole, zone
)
SELECT line, name, '' AS path, '' AS category,
       CASE WHEN furniture OR kind IN ('SOA', 'NS') THEN '#'
            WHEN regexp_matches(name, '(^|\\.)rpz-(ip|client-ip|nsip|nsdname)$') THEN 'a trigger on addresses or servers'
            WHEN kind = '' OR target = '' THEN 'no record'
            WHEN kind = 'CNAME' AND target IN ('.', '*.', 'rpz-drop.') THEN ''
            WHEN kind = 'CNAME' AND (target = 'rpz-passthru.' OR rtrim(target, '.') = name) THEN '@'
            WHEN kind IN ('A', 'AAAA') AND regexp_full_match(target, '0\\.0\\.0\\.0|127\\.[0-9.]+|::|::1') THEN ''
            WHEN kind IN ('A', 'AAAA', 'CNAME') THEN 'leads to an address, so blocks nothing'
            ELSE 'a record that blocks nothing' END AS mark
FROM relative
"""

DNSMASQ = """
WITH cut AS (
    SELECT line, text, regexp_extract(trim(regexp_replace(text, '(^|\\s)#.*$', '')),
                                      '^(address|server|local)\\s*=\\s*/(.+)/([^/]*)$', ['key', 'names', 'target']) AS rule
    FROM lines
), told AS (
    SELECT line, text, rule.key AS key, string_split(rule.names, '/') AS names, rule.target AS target FROM cut
)
SELECT line, unnest(names) AS name, '' AS path, '' AS category,
       CASE WHEN text = '' OR starts_with(text, '#') THEN '#'
            WHEN key = '' THEN 'another option of dnsmasq'
            WHEN target = '' THEN ''
            WHEN target = '#' THEN CASE WHEN key = 'address' THEN '' ELSE '@' END
            WHEN key <> 'address' THEN 'sends the question to a server'
            WHEN regexp_full_match(target, '0\\.0\\.0\\.0|127\\.[0-9.]+|::|::1') THEN ''
            ELSE 'leads to an address, so blocks nothing' END AS mark
FROM told
"""

URLS = """
WITH cut AS (
    SELECT line, text,
           regexp_extract(text, '^(?:[A-Za-z][A-Za-z0-9+.-]*://|//)?(?:[^/@?#]*@)?'
                                '(\\[[0-9A-Fa-f:.]+\\]|[^/:?#]+)(?::[0-9]+)?([/?][^#]*)?(?:#.*)?$', ['name', 'path']) AS address
    FROM lines
)
SELECT line, trim(address.name, '[]') AS name, '' AS category,
       CASE WHEN starts_with(address.path, '?') THEN '/' || address.path
            WHEN contains(address.path, '?') THEN address.path ELSE rtrim(address.path, '/') END AS path,
       CASE WHEN text = '' OR starts_with(text, '#') THEN '#'
            WHEN regexp_matches(text, '\\s') THEN 'a space in the address'
            WHEN address.name = '' THEN 'no address'
            ELSE '' END AS mark
FROM cut
"""

SQUID = """
WITH cut AS (
    SELECT line, trim(regexp_replace(text, '(^|\\s)#.*$', ''), ' \t') AS text FROM lines
), told AS (
    SELECT line, text, regexp_extract(text, '^acl\\s+\\S+\\s+dstdomain\\s+(.*)$', 1) AS names FROM cut
)
SELECT line, unnest(CASE WHEN names = '' THEN [text]
                         ELSE list_filter(string_split_regex(names, '\\s+'), lambda w: NOT starts_with(w, '-')) END) AS name,
       '' AS path, '' AS category,
       CASE WHEN text = '' THEN '#'
            WHEN contains(names, '"') THEN 'names another file, which is not read'
            WHEN names = '' AND regexp_matches(text, '\\s') THEN 'another directive of Squid'
            ELSE '' END AS mark
FROM told
"""

# The delimiter is put before the line, so that every cell begins with one and none is an empty match.
CSV = """
WITH cut AS (
    SELECT line, text, CASE WHEN contains(text, '"') THEN regexp_extract_all($delimiter || text, $cell, 1)
                            ELSE string_split(text, $delimiter) END AS cells
    FROM lines
), told AS (
    SELECT line, text, len(cells) AS count, trim(replace(trim(cells[$name], ' "'), '""', '"')) AS site,
           CASE WHEN $category = 0 THEN '' ELSE trim(replace(trim(cells[$category], ' "'), '""', '"')) END AS category
    FROM cut
), parted AS (
    SELECT *,
           regexp_extract(site, '^(?:[A-Za-z][A-Za-z0-9+.-]*://|//)?(?:[^/@?#]*@)?'
                                '(\\[[0-9A-Fa-f:.]+\\]|[^/:?#]+)(?::[0-9]+)?([/?][^#]*)?(?:#.*)?$', ['name', 'path']) AS address
    FROM told
)
SELECT line, trim(address.name, '[]') AS name, coalesce(category, '') AS category,
       CASE WHEN starts_with(address.path, '?') THEN '/' || address.path
            WHEN contains(address.path, '?') THEN address.path ELSE rtrim(address.path, '/') END AS path,
       CASE WHEN text = '' OR starts_with(text, '#') OR line = $head THEN '#'
            WHEN (length(text) - length(replace(text, '"', ''))) % 2 = 1 THEN 'a quote that does not end'
            WHEN count <> $columns THEN 'another number of cells than the header'
            WHEN coalesce(site, '') = '' THEN 'an empty cell'
            ELSE '' END AS mark
FROM parted
"""

FORMATS = {"domains": DOMAINS, "hosts": HOSTS, "adblock": ADBLOCK, "rpz": RPZ, "dnsmasq": DNSMASQ, "urls": URLS,
           "squid": SQUID, "csv": CSV}
UNHEADED = "no header that names a column of sites"

# One spelling of each name, and what no list may hold. `www.` goes unless a suffix would be left.
TIDY = """
WITH stripped AS (
    SELECT line, path, category, mark,
           CASE WHEN name[1] IN ('.', '*') OR ends_with(name, '.')
                THEN rtrim(regexp_replace(lower(name), '^(\\*?\\.)+', ''), '.') ELSE lower(name) END AS name
    FROM found
), bare AS (
    SELECT line, path, category, mark,
           CASE WHEN starts_with(name, 'www.') AND contains(name[5:], '.')
                     AND name[5:] NOT IN (SELECT ending FROM endings WHERE kind <> 'not') THEN name[5:] ELSE name END AS entry
    FROM stripped
), parted AS (
    SELECT *, regexp_full_match(entry, '[0-9]+(\\.[0-9]+)*') OR contains(entry, ':') AS numbers,
           regexp_replace(entry, '^[^.]*\\.', '') AS above
    FROM bare
)
SELECT line, entry, path, category, mark,
       CASE WHEN mark NOT IN ('', '@', '!', '~') THEN mark
            WHEN entry IN ('localhost', 'localhost.localdomain', 'local', 'broadcasthost', '0.0.0.0', '127.0.0.1',
                           '255.255.255.255', '::', '::1') OR starts_with(entry, 'ip6-') THEN 'a name of the computer itself'
            WHEN numbers AND contains(entry, '/') THEN 'a network of addresses'
            WHEN numbers AND NOT regexp_full_match(entry, '([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}')
                 OR numbers AND regexp_matches(entry, '(^|\\.)(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2})(\\.|$)')
            THEN 'not a host name'
            WHEN NOT numbers AND (length(entry) > 253 OR NOT regexp_full_match(entry, '[a-z0-9_-]+(\\.[a-z0-9_-]+)*')
                                  OR length(entry) > 63 AND regexp_matches(entry, '[^.]{64}'))
            THEN 'not a host name'
            WHEN NOT numbers AND NOT contains(entry, '.') THEN 'a single label'
            WHEN path = '' AND (entry IN (SELECT ending FROM endings WHERE kind IN ('public', 'star'))
                 OR above IN (SELECT ending FROM endings WHERE kind = 'star')
                    AND entry NOT IN (SELECT ending FROM endings WHERE kind = 'not')) THEN 'a public suffix'
            ELSE '' END AS reason
FROM parted
"""

FATES = """
WITH lined AS (
    SELECT line, bool_or(reason = '') AS good, bool_and(reason = '#') AS furniture FROM tidy GROUP BY line
)
SELECT count(*) FILTER (good) AS read, count(*) FILTER (NOT good AND furniture) AS furniture FROM lined
"""
REASONS = """
SELECT reason, count(*) AS many, list(line ORDER BY line)[1:3] AS first FROM tidy WHERE reason NOT IN ('', '#')
GROUP BY reason ORDER BY reason
"""
KEPT = """
SELECT entry, path, category, mark = '@' AS excepted, line FROM tidy WHERE reason = '' AND mark <> '~' ORDER BY line
"""

STANDING = "SELECT line, entry, path, category, mark, reason FROM tidy WHERE reason = ''"

# As AdBlock has it: a rule taken out is gone; an exception takes back all under it, but for what is important.
SETTLED = """
WITH alive AS (
    SELECT * FROM tidy t WHERE reason = '' AND mark <> '~'
    AND NOT EXISTS (SELECT 1 FROM tidy o WHERE o.mark = '~' AND o.reason = '' AND o.entry = t.entry AND o.path = t.path)
), spread AS (
    SELECT line, entry, path, category, mark,
           list_transform(range(1, len(string_split(entry, '.')) + 1),
                          lambda i: array_to_string(string_split(entry, '.')[i:], '.')) AS suffixes
    FROM alive
), strong AS (
    SELECT DISTINCT s.line, s.entry FROM (SELECT line, entry, unnest(suffixes) AS suffix FROM spread WHERE mark = '@') s
    JOIN alive a ON a.entry = s.suffix AND a.mark = '!' AND a.path = ''
), held AS (
    SELECT * FROM spread WHERE NOT (mark = '@' AND (line, entry) IN (SELECT (line, entry) FROM strong))
), back AS (
    SELECT DISTINCT s.line, s.entry FROM (SELECT line, entry, unnest(suffixes) AS suffix FROM held WHERE mark = '') s
    JOIN held h ON h.entry = s.suffix AND h.mark = '@' AND h.path = ''
)
SELECT entry, path, category, mark = '@' AS excepted, line FROM held
WHERE NOT (mark = '' AND (line, entry) IN (SELECT (line, entry) FROM back)) ORDER BY line
"""


@dataclass
class Parsed:
    """What a text holds: its entries (ENTRIES), and where its lines went."""

    entries: pa.Table = field(default_factory=ENTRIES.empty_table)
    lines: int = 0
    read: int = 0          # lines that gave an entry
    furniture: int = 0     # blank lines, comments, headers
    reasons: Counter[str] = field(default_factory=Counter)         # names left out, by reason
    examples: dict[str, list[str]] = field(default_factory=dict)   # the first lines of each reason, as `7: text`

    def leave_out(self, reason: str, lines: Sequence[int], text: pa.Array, begin: int, many: int | None = None) -> None:
        """Count what is left out for a reason, and keep its first lines; `text`: the lines after line `begin`."""
        self.reasons[reason] += len(lines) if many is None else many
        self.examples.setdefault(reason, []).extend(f"{n}: {_shown(text[n - begin - 1].as_py())}" for n in lines[:SHOWN])

    def add(self, more: Parsed) -> None:
        """Take in what the next part holds."""
        self.entries = pa.concat_tables([self.entries, more.entries])
        self.lines, self.read, self.furniture = self.lines + more.lines, self.read + more.read, self.furniture + more.furniture
        self.reasons += more.reasons
        for reason, lines in more.examples.items():
            shown = self.examples.setdefault(reason, [])
            shown += lines[:SHOWN - len(shown)]

    @property
    def skipped(self) -> int:
        """Lines that gave nothing and should have."""
        return self.lines - self.read - self.furniture


def parse(data: bytes, form: str) -> Parsed:
    """The entries of a list in one of FORMATS; a line not understood is counted by reason, never an error."""
    whole = Parsed()
    for part in parsing([data], form):
        whole.add(part)
    return whole


def parsing(blocks: Iterable[bytes], form: str) -> Iterator[Parsed]:
    """The same of a list that comes in blocks, a part at a time. No more than a block is held, but of an AdBlock list its names,
    and of a zone all, for their lines hang on each other."""
    begin, tidied = 0, []
    values: dict[str, object] | None = {}
    for number, part in enumerate([b"".join(blocks)] if form == "rpz" else _cut(blocks)):
        text = _text(part, number == 0)
        values = _header(text) if form == "csv" and number == 0 else values
        parsed = Parsed(lines=len(text))
        if len(text) and values is None:
            parsed.leave_out(UNHEADED, range(begin + 1, begin + len(text) + 1), text, begin)
        elif len(text) and values is not None:
            tidy = _tidied(parsed, text, begin, form, values)
            if form == "adblock":
                tidied.append(run(STANDING, tidy=tidy))
            else:
                parsed.entries = run(KEPT, tidy=tidy).cast(ENTRIES)
        begin += len(text)
        yield parsed
    if tidied:
        yield Parsed(run(SETTLED, tidy=pa.concat_tables(tidied)).cast(ENTRIES))


def _cut(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, each ending with a line."""
    rest = b""
    for block in blocks:
        held = rest + block
        at = held.rfind(b"\n") + 1 or held.rfind(b"\r", 0, -1) + 1   # a \r at the very end may be half of a line end
        rest = held[at:]
        if at:
            yield held[:at]
    yield rest


def _text(data: bytes, first: bool) -> pa.Array:
    """The lines of a part of a list; bytes that are no UTF-8 stand as escapes, which no name can hold."""
    text = data.decode("utf-8-sig" if first else "utf-8", "backslashreplace")
    text = text.replace("\0", "\\x00").replace("\r\n", "\n").replace("\r", "\n")
    lines = pc.split_pattern(pa.array([text.removesuffix("\n")], pa.large_string()), "\n").values
    return lines if text else lines.slice(0, 0)


def _tidied(parsed: Parsed, text: pa.Array, begin: int, form: str, values: Mapping[str, object]) -> pa.Table:
    """Parse some lines, count them, and give what each names: line, entry, path, category, mark, reason."""
    trimmed = pc.utf8_rtrim(text, " \t") if form == "rpz" else pc.utf8_trim(text, " \t\ufeff")
    numbers = pa.array(range(begin + 1, begin + len(text) + 1), pa.int64())
    found = run(FORMATS[form], values or None, lines=pa.table({"line": numbers, "text": trimmed}))
    tidy = run(TIDY, found=_ascii(found.select(FOUND.names).cast(FOUND)), endings=_endings())
    fates = run(FATES, tidy=tidy).to_pylist()[0]
    parsed.read, parsed.furniture = parsed.read + fates["read"], parsed.furniture + fates["furniture"]
    for row in run(REASONS, tidy=tidy).to_pylist():
        parsed.leave_out(row["reason"], row["first"], text, begin, row["many"])
    return tidy


def _shown(line: str) -> str:
    return ascii(line.strip()[:80])[1:-1]


def _ascii(found: pa.Table) -> pa.Table:
    """Names in international letters as `xn--`."""
    odd = pc.invert(pc.string_is_ascii(found["name"]))
    if not pc.any(odd).as_py():
        return found
    names = found["name"].filter(odd)
    spelt = {name: normalise(name.lstrip("*.")) for name in pc.unique(names).to_pylist()}
    mended = pa.array([spelt[name] for name in names.to_pylist()], pa.string())
    column = pc.replace_with_mask(found["name"].combine_chunks(), odd.combine_chunks(), mended)
    return found.set_column(found.column_names.index("name"), "name", column)


@cache
def _endings() -> pa.Table:
    """ending, kind: public, private, star (everything one label under it) or not (an exception of a star)."""
    rows = endings()
    return pa.table({"ending": pa.array(list(rows), pa.string()), "kind": pa.array(list(rows.values()), pa.string())})


def _header(text: pa.Array) -> dict[str, object] | None:
    """How a CSV is laid out, from its first line that is no comment; None when no column holds sites."""
    for number, line in enumerate(text[:100].to_pylist(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        delimiter = max(",;\t", key=line.count)
        cells = [cell.strip(' "').lower() for cell in line.split(delimiter)]
        names = [cells.index(name) + 1 for name in NAMED if name in cells]
        if not names:
            return None
        inside = {"\t": "\\t"}.get(delimiter, delimiter)
        return {"delimiter": delimiter, "cell": f'{inside}\\s*("(?:[^"]|"")*"|[^{inside}]*)', "head": number, "name": names[0],
                "category": cells.index("category") + 1 if "category" in cells else 0, "columns": len(cells)}
    return None
