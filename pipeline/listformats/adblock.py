"""AdBlock's rules: which of them name a site, and which take another back."""

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
