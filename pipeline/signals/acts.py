"""Signals that no single visit shows, for they speak of several visits together: what each looks for, as SQL over the visits of
one school day that a rule picks (`picked`; columns of VISITS and the verdict's outcome).

Each text gives a row for each time the signal holds: `visits`, their keys in order; `why`, a short sentence each; and `device`,
whether it is a matter of the device and not of whoever was logged in. `$own` names the networks of people's own devices, where
one person's phone and laptop side by side are ordinary; the other values are the numbers of the rule, which stand with their
reasons in its file.
"""

from __future__ import annotations

from typing import NamedTuple


class Act(NamedTuple):
    """A signal over several visits. `whole`: it looks at every visit, whatever its category, and gives the rule's category."""

    text: str
    sentence: str
    numbers: tuple[str, ...]
    whole: bool = False


# So many pupils' accounts in one lesson are at no device: they share a router's address, as on a trip, or a server's.
GATEWAYS = """gateways AS (
    SELECT DISTINCT client FROM (
        SELECT client FROM picked WHERE actor = 'student' AND person IS NOT NULL AND band IN ('lesson', 'registration')
        GROUP BY client, band, period HAVING count(DISTINCT person) >= $gateway)
)"""

# One person changes machine at a bell, and once; somebody who seems to change to and fro for minutes is two people. A pair of
# clients between which several people seem to change is one gateway with two addresses. The end of a visit is a sign of life too.
TWO_PLACES = f"""
WITH {GATEWAYS}, school AS (
    SELECT * FROM picked ANTI JOIN gateways USING (client)
    WHERE actor = 'student' AND person IS NOT NULL AND network <> '' AND NOT list_contains($own::VARCHAR[], network)
), events AS (
    SELECT person, client, visit, site, network, epoch_us(started) AS moment FROM school
    UNION ALL
    SELECT person, client, visit, site, network, epoch_us(ended) FROM school WHERE ended > started
), steps AS (
    SELECT *, client <> lag(client) OVER times AS changed,
           greatest(lag(moment) OVER times, moment - $minutes::BIGINT * 60000000) AS left_at
    FROM events SEMI JOIN (SELECT person FROM events GROUP BY person HAVING count(DISTINCT client) > 1) USING (person)
    WINDOW times AS (PARTITION BY person ORDER BY moment, client, visit)
), counted AS (
    SELECT *, count(*) FILTER (changed) OVER near AS changes, min(moment) FILTER (changed) OVER near AS first,
           min(left_at) FILTER (changed) OVER near AS since
    FROM steps
    WINDOW near AS (PARTITION BY person ORDER BY moment
                    RANGE BETWEEN $within_minutes::BIGINT * 60000000 PRECEDING AND CURRENT ROW)
), sustained AS (
    SELECT person, min(since) AS since, max(moment) AS until, max(changes) AS changes
    FROM counted WHERE changes >= $changes AND moment - first >= $minutes::BIGINT * 60000000 GROUP BY person
), used AS (
    SELECT s.person, e.client, any_value(e.network) AS network, count(DISTINCT e.site) AS sites
    FROM sustained s JOIN events e ON e.person = s.person AND e.moment BETWEEN s.since AND s.until GROUP BY s.person, e.client
), pairs AS (
    SELECT person, list(client ORDER BY client) AS clients, count(DISTINCT network) AS networks
    FROM used WHERE sites >= $sites GROUP BY person HAVING count(*) > 1
), told AS (
    SELECT p.*, s.since, s.until, s.changes FROM pairs p JOIN sustained s USING (person)
    QUALIFY count(*) OVER (PARTITION BY p.clients) < $people
)
SELECT list(v.visit ORDER BY v.started, v.source, v.line) AS visits, false AS device,
       ['one account in use on ' || len(t.clients) || ' school devices at once' ||
        CASE WHEN t.networks > 1 THEN ', on ' || t.networks || ' networks' ELSE '' END,
        'its use went from one to the other and back ' || t.changes || ' times close together, for ' ||
        (t.until - t.since) // 60000000 || ' minutes in all'] AS why
FROM told t JOIN picked v ON v.person = t.person AND list_contains(t.clients, v.client)
 AND epoch_us(v.started) <= t.until AND epoch_us(v.ended) >= t.since
GROUP BY t.person, t.clients, t.networks, t.changes, t.since, t.until ORDER BY t.person
"""

# A trolley's laptop goes back to staff between lessons: only use in the same lesson counts, with a pupil's account minutes away.
# But a device that one pupil carries from lesson to lesson, and nobody else uses, is that pupil's all day; there the staff
# account must be at work on another school device meanwhile, on both with several pages.
STAFF_ACCOUNT = f"""
WITH {GATEWAYS}, school AS (
    SELECT * FROM picked ANTI JOIN gateways USING (client)
    WHERE person IS NOT NULL AND NOT list_contains($own::VARCHAR[], network)
), stays AS (
    SELECT client, person, band, period, min(started) AS since, max(ended) AS until, sum(requests)::BIGINT AS requests,
           list(visit ORDER BY started, source, line) AS visits, epoch_us(min(started)) AS begun, epoch_us(max(ended)) AS over
    FROM school WHERE actor = 'staff' AND band IN ('lesson', 'registration') GROUP BY client, person, band, period
), beside AS (
    SELECT s.client, s.person, s.period, p.person AS pupil,
           bool_or(p.started < s.since AND epoch_us(p.ended) >= s.begun - $minutes::BIGINT * 60000000) AS before,
           bool_or(p.ended > s.until AND epoch_us(p.started) <= s.over + $minutes::BIGINT * 60000000) AS after
    FROM stays s JOIN school p ON p.client = s.client AND p.band = s.band AND p.period = s.period AND p.actor = 'student'
    GROUP BY s.client, s.person, s.period, p.person
), near AS (
    SELECT client, person, period, bool_or(before AND after) AS around FROM beside WHERE before OR after GROUP BY ALL
), away AS (
    SELECT s.client, s.person, s.period, count(*) > 0 AS elsewhere, sum(o.requests)::BIGINT AS requests
    FROM stays s JOIN school o ON o.person = s.person AND o.client <> s.client AND o.started <= s.until AND o.ended >= s.since
    GROUP BY ALL
), owners AS (
    SELECT client, count(DISTINCT person) FILTER (actor = 'student') AS pupils,
           count(DISTINCT period) FILTER (actor IN ('staff', 'technical_staff', 'governor')) AS staff_periods,
           count(DISTINCT person) FILTER (actor <> 'student') AS others,
           count(DISTINCT (band, period)) FILTER (actor = 'student') AS pupil_periods
    FROM school GROUP BY client
), told AS (
    SELECT s.*, coalesce(n.around, false) AS around, coalesce(a.elsewhere, false) AS elsewhere,
           n.client IS NOT NULL AS minutes_away, o.pupils >= $pupils AND o.staff_periods = 1 AS pupils_only,
           o.pupils = 1 AND o.others = 1 AND o.staff_periods = 1 AND o.pupil_periods >= $carried
               AND s.requests >= $pages AND a.requests >= $pages AS carried
    FROM stays s LEFT JOIN near n USING (client, person, period) LEFT JOIN away a USING (client, person, period)
    JOIN owners o USING (client)
    WHERE s.requests >= $requests
)
SELECT visits, false AS device, list_filter([
        CASE WHEN minutes_away THEN 'a staff account on a device that a pupil''s account used within minutes, in the same lesson'
             ELSE 'a staff account, in a lesson, on a device that one pupil''s account alone used at other times of the day' END,
        CASE WHEN around THEN 'the same pupil''s account was in use before it and after it' END,
        CASE WHEN elsewhere THEN 'the staff account was in use on another school device meanwhile' END,
        CASE WHEN minutes_away AND pupils_only THEN 'every other use of the device that day was by pupils'' accounts' END],
        lambda one: one IS NOT NULL) AS why
FROM told WHERE minutes_away AND (around OR elsewhere OR pupils_only) OR carried ORDER BY since, client, person
"""

# Somebody at a keyboard goes home, asks in no equal steps, and gives up; a program does none of these.
CALLS_HOME = """
WITH called AS (
    SELECT list(visit ORDER BY started, source, line) AS visits, min(started) AS since, client, host, max(step_s) AS step,
           sum(requests)::BIGINT AS calls, sum(blocked)::BIGINT AS stopped, max(coalesce(even_tries, 0)) >= $even AS even,
           sum(coalesce(tries, requests)) >= $often AND sum(requests) <= 2 * sum(coalesce(tries, requests)) AS often,
           greatest(count(DISTINCT epoch_us(started) // 3600000000), max(coalesce(hours, 0))) AS hours,
           count(DISTINCT band IN ('closed', 'before_school', 'after_school')) = 2 AS in_and_out
    FROM picked GROUP BY client, host
)
SELECT visits, true AS device,
       ['the device called this host ' || calls || ' times, ' || stopped || ' of them stopped, in ' ||
        CASE WHEN even THEN 'equal steps of ' || step || ' seconds'
             WHEN often AND NOT (in_and_out AND hours >= $hours) THEN 'unequal steps, a request or two each'
             ELSE hours || ' different hours, in lessons and out of hours' END || ', as a program does'] AS why
FROM called WHERE calls >= $calls AND (even OR often OR in_and_out AND hours >= $hours) ORDER BY since, client, host
"""

# Tries at one kind of site in one lesson, whatever their sites. What nothing else set off is somebody's own.
TRIES_IN_A_LESSON = """
SELECT list(visit ORDER BY started, source, line) AS visits, false AS device,
       [sum(least(coalesce(tries, requests), blocked))::BIGINT || ' tries in one lesson, all stopped'] AS why
FROM picked WHERE blocked > 0 AND allowed = 0 GROUP BY subject, client, category, band, period
HAVING sum(least(coalesce(tries, requests), blocked)) >= $tries AND sum(coalesce(opened, 1)) >= $own_tries
   AND count(DISTINCT site) >= $sites
ORDER BY min(started), subject, client, category
"""

# Pages of other people on the same network while it lasted, beside those of the same network at other times of the day's lessons.
HINDERS = """
WITH lessons AS (
    SELECT *, bytes_in + bytes_out AS carried FROM picked WHERE band IN ('lesson', 'registration')
), heavy AS (
    SELECT * FROM lessons WHERE actor = 'student' AND carried >= $megabytes::BIGINT * 1000000
), others AS (
    SELECT h.visit, o.longest_ms, o.started BETWEEN h.started AND h.ended AS during
    FROM heavy h JOIN lessons o ON o.network = h.network AND o.subject <> h.subject AND o.tunnels = 0 AND o.longest_ms > 0
     AND o.carried < 2000000
), slowed AS (
    SELECT visit, median(longest_ms) FILTER (during) AS then, median(longest_ms) FILTER (NOT during) AS usual
    FROM others GROUP BY visit
    HAVING count(*) FILTER (during) >= $pages AND count(*) FILTER (NOT during) >= $pages
)
SELECT [h.visit] AS visits, false AS device,
       ['one stay carried ' || h.carried // 1000000 || ' MB', 'meanwhile the pages of others on the same network took ' ||
        s.then::BIGINT || ' ms at their longest, and ' || s.usual::BIGINT || ' ms in the day''s other lessons'] AS why
FROM heavy h JOIN slowed s USING (visit) WHERE s.then >= $times_slower * s.usual ORDER BY h.visit
"""

# Whatever the host: what a list knows of it is not the matter.
CARRIES_MUCH = """
SELECT [visit] AS visits, false AS device, ['one stay carried ' || (bytes_in + bytes_out) // 1000000 || ' MB'] AS why
FROM picked WHERE bytes_in + bytes_out >= $megabytes::BIGINT * 1000000 ORDER BY started, source, line
"""

ACTS = {
    "two_places": Act(TWO_PLACES, "one pupil's account in use on two school devices at once, to and fro",
                      ("changes", "within_minutes", "minutes", "sites", "people", "gateway"), whole=True),
    "staff_account": Act(STAFF_ACCOUNT, "a staff account on a pupil's device, in the same lesson",
                         ("minutes", "requests", "pupils", "carried", "pages", "gateway"), whole=True),
    "hinders": Act(HINDERS, "so large a transfer that pages of others slowed down", ("megabytes", "pages", "times_slower"),
                   whole=True),
    "carries_much": Act(CARRIES_MUCH, "a very large transfer", ("megabytes",), whole=True),
    "calls_home": Act(CALLS_HOME, "one device calls one host in and out of lessons, in equal steps, or more often than people do",
                      ("calls", "hours", "even", "often")),
    "tries_in_a_lesson": Act(TRIES_IN_A_LESSON, "tries at such sites in one lesson, all stopped",
                             ("tries", "own_tries", "sites")),
}
