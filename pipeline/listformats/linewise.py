"""Formats in which every line speaks for itself: names alone, hosts files, dnsmasq, addresses of pages, and Squid's."""

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
