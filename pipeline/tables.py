"""Every table of the pipeline: its grain, who makes it, and a sentence for each column.

Read this first. Steps take and return `pyarrow.Table`s of these shapes; the data dictionary in the README is printed
from here, and `conform` is the one place where a table is held to its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
WHOLE = pa.int64()
YES_NO = pa.bool_()
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, and a sentence that says what it holds."""

    name: str
    type: pa.DataType
    text: str


@dataclass(frozen=True)
class Table:
    """One table: its name, what one row is, which step makes it, and its columns in order."""

    name: str
    grain: str
    made_by: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the table."""
        return pa.schema([(column.name, column.type) for column in self.columns])


def _columns(*rows: tuple[str, pa.DataType, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


REQUEST = _columns(
    ("time", TIME, "logged time, UTC; proxies log the end of a transaction"),
    ("client", TEXT, "keyed pseudonym of the client address (d and 11 letters)"),
    ("person", TEXT, "keyed pseudonym of the login (p and 11 letters); null when the log names nobody"),
    ("account", TEXT, "what the login looks like by the account patterns of school.toml; empty when it fits none"),
    ("network", TEXT, "name of the network of school.toml that the client address is on; empty when on none"),
    ("action", TEXT, "allowed, blocked, warned, auth or error"),
    ("kind", TEXT, "http, tunnel or dns"),
    ("method", TEXT, "request method as logged"),
    ("url", TEXT, "address without credentials and tokens; null when sealed"),
    ("host", TEXT, "host name, lower case, no port, no final dot; null when sealed"),
    ("port", pa.int32(), "port"),
    ("status", pa.int32(), "status sent to the client; 0 when none was"),
    ("bytes_in", WHOLE, "bytes to the client"),
    ("bytes_out", WHOLE, "bytes from the client"),
    ("duration_ms", WHOLE, "how long the transaction took, in milliseconds"),
    ("content_type", TEXT, "content type of the answer"),
    ("user_agent", TEXT, "the client program's name for itself"),
    ("referrer", TEXT, "the address that led here; null when sealed"),
    ("vendor_category", TEXT, "the filter's own category of this request"),
    ("vendor_rule", TEXT, "the filter's rule or result tag, as logged"),
    ("setup", TEXT, "tunnel: set-up of a decrypted tunnel; twin: the second line of one decrypted block; else empty"),
    ("sealed", TEXT, "random id of the sealed item this row belongs to; empty for every other row"),
    ("sealed_list", TEXT, "name of the illegal-content verdict on a sealed row; empty on neighbours and other rows"),
)

LINES = Table("lines", "one physical line of one log", "ingest", _columns(
    ("source", TEXT, "keyed hash that names the log"),
    ("line", WHOLE, "line number in the log, from 1"),
    ("byte", WHOLE, "where the line begins in the log as it is read (decompressed, an array as lines), in bytes"),
    ("fate", TEXT, "request, part, furniture, reject or repeat"),
    ("reason", TEXT, "why a line was rejected, in words; empty otherwise"),
    ("shape", TEXT, "a reject with letters as a and digits as 9, cut at 120; empty otherwise"),
) + REQUEST)

HOSTS = Table("hosts", "one host on one day", "classify", _columns(
    ("host", TEXT, "host name"),
    ("site", TEXT, "registrable domain; an address, single label or bare suffix is its own site"),
    ("category", TEXT, "the category that wins among the lists; uncategorised when none speaks of the host"),
    ("entry", TEXT, "the list entry that won; empty when none did"),
    ("list", TEXT, "the list that holds the winning entry; empty when none did"),
    ("also", TEXTS, "every other category a list gives, as category (list)"),
    ("people", WHOLE, "people (or clients, where nobody is named) who asked for it"),
    ("requests", WHOLE, "requests for it"),
))

VISITS = Table("visits", "one person's stay, on one device, on the hosts of one site that share a category", "visits", _columns(
    ("visit", TEXT, "source:line of its first request; the key of the visit"),
    ("source", TEXT, "log of its first request"),
    ("line", WHOLE, "line of its first request"),
    ("subject", TEXT, "the person, or the client where nobody is named"),
    ("person", TEXT, "pseudonym of the login; null when nobody is named"),
    ("client", TEXT, "pseudonym of the client address"),
    ("actor", TEXT, "student, staff, technical_staff, governor, guest, shared or unknown"),
    ("actor_from", TEXT, "people, account, network or nothing: where the actor comes from"),
    ("year", TEXT, "year group; empty when not a student or not known"),
    ("network", TEXT, "network of the client; empty when on none"),
    ("site", TEXT, "registrable domain"),
    ("host", TEXT, "host asked for most often in the visit (first by name where equal)"),
    ("category", TEXT, "category of its requests: of the school's list, the filter's own where it holds, else of the lists"),
    ("started", TIME, "start of its first request (logged time less duration)"),
    ("ended", TIME, "logged time of its last request"),
    ("band", TEXT, "calendar band at its start: lesson, registration, break, lunch, before_school, after_school, study, closed"),
    ("period", TEXT, "name of the band for people, such as Period 3"),
    ("requests", WHOLE, "its own requests, without set-up, auth, error and background"),
    ("background", WHOLE, "background requests of the same person and client folded into it"),
    ("blocked", WHOLE, "own requests that the filter blocked"),
    ("allowed", WHOLE, "own requests that went through (warned ones too)"),
    ("warned", WHOLE, "own requests that met a warning page"),
    ("bytes_in", WHOLE, "bytes to the client"),
    ("bytes_out", WHOLE, "bytes from the client"),
    ("longest_ms", WHOLE, "longest single transaction, in milliseconds"),
    ("tunnels", WHOLE, "own requests of kind tunnel"),
    ("slots", WHOLE, "five-minute slots with a request of its own"),
    ("crowd", WHOLE, "people who began a visit to its site within a minute of it, this one too"),
    ("after_ms", WHOLE, "milliseconds since the same person and client began another visit or, where it is watched, asked for another site (the least that the seconds of the log's own table leave); null when none within ten minutes"),
    ("tries", WHOLE, "times its site was asked for anew, after five seconds of none; null where its category is not watched, as below"),
    ("opened", WHOLE, "tries that nothing else set off: no other site was asked for in the two seconds before"),
    ("set_off_by", TEXTS, "the sites that set off the other tries"),
    ("step_s", WHOLE, "seconds between its tries, where four or more come in a row in equal steps; else null"),
    ("even_tries", WHOLE, "tries of that longest row, of which some are its own"),
    ("day_tries", WHOLE, "tries of the same person, client, site and category on that day"),
    ("hours", WHOLE, "different hours of the day in which those fell"),
    ("from_page", TEXT, "site whose page the first request came from, by its referrer; empty when the log has none or it is its own"),
    ("piece", YES_NO, "whether the first request fetched a piece (picture, script, style) of another site's page"),
    ("slip", TEXT, "site of nearly the same name that was asked for within half a minute; else empty"),
    ("brought", TEXT, "list or habit, where other pages bring its host (rules/brought.txt) or site (earlier days) along; else empty"),
    ("searched", WHOLE, "own requests that are a search with words of rules/terms"),
    ("notes", TEXTS, "what the addresses of its requests show beyond their host, a short sentence each"),
))

VERDICTS = Table("verdicts", "one visit judged by the policy of that minute", "classify", _columns(
    ("visit", TEXT, "the visit judged"),
    ("category", TEXT, "category of the visit"),
    ("row", TEXT, "row of table 6.1 or 4.2 that speaks of it; empty when none does"),
    ("verdict", TEXT, "acceptable, certain_times, nominated_users, unacceptable or unacceptable_illegal as the row in use says; no_row"),
    ("within", TEXT, "within, against, conflict (policy contradicts itself) or not_evaluated, for this actor at this minute"),
    ("clause", TEXT, "clause that says so, such as 6.1 UA-05"),
    ("outcome", TEXT, "what the filter did: blocked, allowed or mixed"),
    ("filter", TEXT, "what the filter is meant to do for this category, profile and time: block or allow"),
    ("failure", YES_NO, "allowed where the filter is meant to block"),
    ("tier", TEXT, "T0 to T4, TS for a staff matter, none"),
    ("questions", TEXTS, "policy questions (AMB-nn) that touch the verdict"),
    ("context", TEXT, "why no rule speaks of it: the reference of the registered check of the filter that it was part of, class where it is with the class of a member of staff, or program where a program made it by itself; else empty"),
))

DETECTIONS = Table("detections", "one rule firing on one visit or one person-day", "detect", _columns(
    ("rule", TEXT, "name of the rule: its file name without .toml"),
    ("day", pa.date32(), "school day"),
    ("subject", TEXT, "the person, or the client where nobody is named"),
    ("person", TEXT, "pseudonym of the login; null when nobody is named"),
    ("client", TEXT, "pseudonym of the client address of the first visit"),
    ("actor", TEXT, "as in visits"),
    ("year", TEXT, "year group; empty when not known"),
    ("network", TEXT, "network of the first visit's client"),
    ("site", TEXT, "site of the first visit"),
    ("host", TEXT, "host of the first visit"),
    ("source", TEXT, "log of the first line of the first visit"),
    ("line", WHOLE, "first line of the first visit"),
    ("category", TEXT, "category the rule speaks of"),
    ("tier", TEXT, "T0 to T4, TS"),
    ("route", TEXT, "student, staff, welfare, sealed, tech, guest or attribution: who reads it"),
    ("outcome", TEXT, "blocked, allowed or mixed, over its visits"),
    ("intent", TEXT, "what the log points to: deliberate, accidental, background or unclear; never a decision"),
    ("rows", TEXTS, "7.2 rows it may be, as ids; empty for anyone but students"),
    ("clause", TEXT, "clause the rule rests on"),
    ("questions", TEXTS, "policy questions that touch it"),
    ("started", TIME, "start of the first visit"),
    ("ended", TIME, "end of the last visit"),
    ("band", TEXT, "band of the first visit"),
    ("period", TEXT, "period of the first visit"),
    ("visits", WHOLE, "how many visits made it fire"),
    ("requests", WHOLE, "their own requests"),
    ("reasons", TEXTS, "what the log shows, a short sentence each"),
    ("visit_keys", TEXTS, "the visits"),
    ("hidden", TEXT, "why it is in no incident: the exception of rules/exceptions.csv, or that its rule is on watch; else empty"),
))

INCIDENTS = Table("incidents", "one story for a person to read: one subject's detections on one school day and one route, split by a pause of 60 minutes", "incidents", _columns(
    ("story", TEXT, "key of its first detection: rule|subject|site|source:line"),
    ("day", pa.date32(), "school day"),
    ("subject", TEXT, "the person, or the client where nobody is named"),
    ("person", TEXT, "pseudonym of the login; null when nobody is named"),
    ("client", TEXT, "pseudonym of the client address of the first detection"),
    ("actor", TEXT, "as in visits"),
    ("year", TEXT, "year group; empty when not known"),
    ("network", TEXT, "network of the first visit"),
    ("route", TEXT, "who reads it"),
    ("tier", TEXT, "gravest tier of its detections"),
    ("started", TIME, "start of its first detection"),
    ("ended", TIME, "end of its last detection"),
    ("band", TEXT, "band at its start"),
    ("period", TEXT, "period at its start"),
    ("categories", TEXTS, "categories, in order of first appearance"),
    ("sites", TEXTS, "sites, in order of first appearance"),
    ("outcome", TEXT, "blocked, allowed or mixed, over its detections"),
    ("intent", TEXT, "strongest suggestion of its detections"),
    ("rows", TEXTS, "7.2 rows it may be"),
    ("questions", TEXTS, "policy questions that touch it"),
    ("visits", WHOLE, "visits in it"),
    ("requests", WHOLE, "their own requests"),
    ("reasons", TEXTS, "what the log shows, in order"),
    ("keys", TEXTS, "keys of its detections, rule|subject|site|source:line"),
    ("visit_keys", TEXTS, "its visits"),
))

BREACHES = Table("breaches", "one filter failure (site and profile) or circumvention (method and host) on one day", "incidents", _columns(
    ("key", TEXT, "failure|site|profile or circumvention|method|host"),
    ("day", pa.date32(), "school day"),
    ("part", TEXT, "failure or circumvention"),
    ("site", TEXT, "site (failure) or host (circumvention)"),
    ("profile", TEXT, "actor the filter let through; empty for a circumvention"),
    ("category", TEXT, "category"),
    ("method", TEXT, "rule that saw it; empty for a failure"),
    ("worked", TEXT, "yes, no or mixed: whether the traffic was allowed"),
    ("people", WHOLE, "people (or clients) concerned"),
    ("visits", WHOLE, "visits"),
    ("first_seen", TIME, "first request let through, or first attempt"),
    ("last_seen", TIME, "last one"),
    ("first_blocked", TIME, "first block of the same site after first_seen; null when none that day"),
))

TALLIES = Table("tallies", "one anonymous count of one day", "coverage", _columns(
    ("day", pa.date32(), "school day"),
    ("measure", TEXT, "what is counted, such as requests by category"),
    ("of", TEXT, "the category, band, row or other thing it is counted for; empty for the whole"),
    ("people", WHOLE, "distinct people or clients; null where it makes no sense"),
    ("count", WHOLE, "how many"),
))

COVERAGE = Table("coverage", "one log source for one school day", "coverage", _columns(
    ("day", pa.date32(), "school day"),
    ("source", TEXT, "keyed hash that names the log"),
    ("name", TEXT, "file name it was last seen under"),
    ("lines", WHOLE, "physical lines"),
    ("requests", WHOLE, "lines that are requests"),
    ("parts", WHOLE, "lines that continue a record"),
    ("furniture", WHOLE, "header, comment and blank lines"),
    ("rejects", WHOLE, "lines that could not be read"),
    ("repeats", WHOLE, "lines read before"),
    ("unattributed", WHOLE, "requests that name no person"),
    ("paged", WHOLE, "requests that show a page, not only a host"),
    ("blocked", WHOLE, "requests blocked"),
    ("first", TIME, "first logged time"),
    ("last", TIME, "last logged time"),
    ("gap_minutes", WHOLE, "longest silence inside school hours, in minutes"),
))

FILTER_NAMES = Table("filter_names", "one name among the filter's own categories, of one day, that wants a look", "answers", _columns(
    ("day", pa.date32(), "school day"),
    ("vendor", TEXT, "whose name it is: the file of rules/vendor"),
    ("name", TEXT, "the name as the filter writes it; empty when it was sealed"),
    ("why", TEXT, "unmapped (no line of rules/vendor), sealed (unmapped, and looks illegal) or over-blocking (lists call the site help or learning)"),
    ("site", TEXT, "the site probably over-blocked; empty otherwise"),
    ("category", TEXT, "the category that lists give that site; empty otherwise"),
    ("people", WHOLE, "people (or clients) who met an unmapped name; null otherwise"),
    ("requests", WHOLE, "requests"),
    ("blocked", WHOLE, "requests blocked"),
))

HABITS = Table("habits", "one watched site on one day: how people came to it", "habits", _columns(
    ("day", pa.date32(), "school day"),
    ("site", TEXT, "registrable domain"),
    ("tries", WHOLE, "times it was asked for anew, by anybody; searches left out"),
    ("opened", WHOLE, "tries that nothing else set off"),
    ("by_sites", WHOLE, "different sites that set off the others"),
))

LEARNED = Table("learned", "one fact of one day that later days lean on: a proxy proven, an app that checked in, or a host that apps call", "learned", _columns(
    ("day", pa.date32(), "school day"),
    ("what", TEXT, "proxy, app or called"),
    ("host", TEXT, "the proxy's host, or the one that apps call; empty for an app"),
    ("site", TEXT, "registrable domain"),
    ("subject", TEXT, "whose app it is, as in visits; else empty"),
    ("network", TEXT, "network it was on; else empty"),
    ("hours", WHOLE, "different hours of the day in which the app checked in; else 0"),
    ("early", YES_NO, "whether some check-in was out of school hours"),
    ("used", YES_NO, "whether so much went through that it was no check-in"),
    ("devices", WHOLE, "on how many devices apps call the host; else 0; empty where an earlier version judged the day, which kept it in hours"),
))

FILTERED = Table("filtered", "what the filter did with one site for one profile on one day, in lessons or outside", "inferred", _columns(
    ("day", pa.date32(), "school day"),
    ("site", TEXT, "registrable domain"),
    ("profile", TEXT, "actor, as in visits"),
    ("taught", YES_NO, "in lessons and registration, not outside them"),
    ("category", TEXT, "category of most of the requests"),
    ("requests", WHOLE, "own requests in visits"),
    ("blocked", WHOLE, "requests that the filter blocked"),
    ("allowed", WHOLE, "requests that went through without a warning page"),
))

TABLES = (LINES, HOSTS, VISITS, VERDICTS, DETECTIONS, INCIDENTS, BREACHES, TALLIES, COVERAGE, FILTER_NAMES, FILTERED, HABITS, LEARNED)
DERIVED = (HOSTS, VISITS, VERDICTS, DETECTIONS, INCIDENTS, BREACHES, TALLIES, COVERAGE, FILTER_NAMES, FILTERED, HABITS, LEARNED)


def conform(table: pa.Table, shape: Table) -> pa.Table:
    """`table` with exactly the columns and types of `shape`; KeyError names a missing column, ArrowInvalid a bad value."""
    return table.select([column.name for column in shape.columns]).cast(shape.schema)


def widened(table: pa.Table, shape: Table) -> pa.Table:
    """`conform` for what an earlier version wrote: a column that it did not know yet is empty."""
    for column in shape.columns:
        if column.name not in table.column_names:
            nothing: object = "" if column.type == TEXT else [] if column.type == TEXTS else None
            table = table.append_column(column.name, pa.array([nothing] * len(table), column.type))
    return conform(table, shape)


def empty(shape: Table) -> pa.Table:
    """A table of that shape with no rows."""
    return shape.schema.empty_table()


def dictionary() -> str:
    """The data dictionary as Markdown: a section a table, a row a column."""
    parts = []
    for table in TABLES:
        rows = "\n".join(f"| `{c.name}` | {c.type} | {c.text} |" for c in table.columns)
        parts.append(f"### {table.name}\n\nOne row is {table.grain}. Made by `{table.made_by}`.\n\n"
                     f"| column | type | what it holds |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)
