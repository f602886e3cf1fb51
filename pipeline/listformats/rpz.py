"""Response policy zones, the lists of name servers: lines that take the owner and the origin from those above."""

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
