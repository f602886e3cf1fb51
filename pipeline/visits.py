"""Requests of one school day become visits: one person's stay, on one device, on one site and category.

The lines of a day may be ten million, so they are passed once (`dayminutes`); everything after that works on the small table it
leaves: one row per person, device, host and minute (per second for background, whose host no longer matters), and per category
where the filter names its own. Band edges stand on whole minutes, and no pause of ten minutes fits inside one: nothing is lost.

A visit ends when ten minutes pass without a request, and at every band edge. Background (adverts, updates) is no visit:
it is folded into the latest-begun visit of the same person and device that it falls in, up to ten seconds after its
end, counted in whole seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import bursts, company, daylines, dayminutes, sql, stays
from pipeline.bursts import Watch
from pipeline.daylines import Parts
from pipeline.dayminutes import PART
from pipeline.groups import Ints, cases, whole
from pipeline.heard import Heard
from pipeline.minutes import LOG
from pipeline.tables import VISITS, conform

# Where requests went: by their kinds, and of twins by what was found of them.
PARTS = f"""
SELECT part, sum(n)::BIGINT AS n
FROM (SELECT {PART.format(sealed="sealed", timeless="NOT timed")} AS part, n FROM kinds WHERE fate = 'request')
WHERE part <> 'twin' GROUP BY part
UNION ALL SELECT part, count(*) FROM fold_twins GROUP BY part
"""

# What `stays` needs of each minute; its first request without the time, which stands beside it.
MINUTES = """
SELECT client, person, account, network, host, site, category, note, search, second, started, ended, n, blocked, warned, tunnels,
       bytes_in, bytes_out, longest_ms, (first % 18446744073709551616)::BIGINT AS place
FROM fold_minutes
"""
# What `bursts` needs of each visit; first as in `dayminutes`.
VISITS_OF_DAY = """
CREATE OR REPLACE TEMP TABLE fold_visits AS
SELECT started::HUGEINT * 18446744073709551616 + place AS first, visit, client, person, site, category, host, started, bytes_in
FROM fold_stays
"""
LATE = 600_000             # milliseconds: what was asked for longer ago has nothing to do with a visit
NOTHING = {"set_off_by": [], "from_page": "", "slip": "", "brought": ""}   # said of a visit that was not looked at; else null

COUNTED = "SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT n FROM fold_minutes UNION ALL SELECT n FROM fold_seconds)"
LOGS = "SELECT source FROM fold_sources ORDER BY rank"
TABLES_LEFT = (*bursts.TABLES_LEFT, "fold_visits", *dayminutes.TABLES_LEFT)
NO_ANSWERS = pa.Table.from_batches([], pa.schema([(name, pa.string()) for name in ("host", "source", "said", "category")]))
EVERYTHING = Watch()
ADDRESSED = pa.schema([("source", pa.string()), ("line", pa.int64()), ("category", pa.string()), ("note", pa.string()),
                       ("search", pa.bool_())])


def as_addressed(table: pa.Table) -> pa.Table:
    """A table of source, line, category and note as ADDRESSED: no search, where it does not say that it is one."""
    told = table if "search" in table.column_names else table.append_column("search", pa.array([False] * len(table), pa.bool_()))
    return told.select(ADDRESSED.names).cast(ADDRESSED)


def fold(con: duckdb.DuckDBPyConnection, hosts: pa.Table, people: pa.Table, bands: pa.Table, networks: pa.Table,
         background: Sequence[str], ranks: Mapping[str, int] = MappingProxyType({}),
         answers: pa.Table = NO_ANSWERS, addressed: pa.Table | None = None, watch: Watch = EVERYTHING,
         parts: Parts | None = None) -> tuple[pa.Table, dict[str, int], Heard]:
    """The visits of the day whose lines `con` calls `lines`, where its requests went (they add up), and what was heard.

    `ranks`: the rank of each log by source (1 where it is not named); what two logs saw counts in the one of the lower rank.
    `answers` (host, source, said, category): the category of requests for which it is not the host's, by the log and its category
    field.
    `addressed` (ADDRESSED): the requests whose address shows more than their host, one row each, with category and note.
    `watch`: the visits that are looked at more closely (columns tries to brought; null or empty for the others).
    `parts`: the same lines, part by part; None: all at once.
    """
    shown = ADDRESSED.empty_table() if addressed is None else pa.concat_tables([ADDRESSED.empty_table(), addressed],
                                                                                promote_options="default")
    given = {"fold_answers": answers, "fold_addressed": shown,
             "fold_hosts": hosts, "fold_people": people, "fold_bands": bands, "fold_networks": networks,
             "fold_ranks": pa.table({"source": pa.array(list(ranks), pa.string()),
                                     "log_rank": pa.array(list(ranks.values()), pa.int64())}),
             "fold_background": pa.table({"category": pa.array(list(background), pa.string())})}
    for name, table in given.items():
        con.register(name, table)
    try:
        twice, heard = dayminutes.make(con, parts or daylines.of_view(con))
        found = stays.of_minutes(con.sql(MINUTES).to_arrow_table(), people, bands)
        con.register("fold_stays", found.append_column("visit", pa.array(np.arange(len(found)))))
        con.execute(VISITS_OF_DAY)
        behind = company.background(found, con.sql("FROM fold_seconds").to_arrow_table())
        visits = _told(found, behind, bursts.look(con, watch), networks, con.sql(LOGS).fetchall())
        return visits, _account(con, visits, twice, heard), heard
    finally:
        for name in dayminutes.VIEWS_LEFT:
            con.execute(f"DROP VIEW IF EXISTS {name}")
        for name in TABLES_LEFT:
            con.execute(f"DROP TABLE IF EXISTS {name}")
        for name in (*given, "fold_stays"):
            con.unregister(name)


def _told(found: pa.Table, background: Ints, facts: pa.Table, networks: pa.Table, logs: Sequence[tuple[str]]) -> pa.Table:
    """VISITS: the stays with what came with them, who it was, and the facts of those that were looked at."""
    place, sources = whole(found["place"]), pa.array([source for source, in logs], pa.string())
    made = {name: found[name] for name in found.column_names}
    made |= {"source": sources.take(pa.array(place // LOG - 1)), "line": pa.array(place % LOG)}
    made["visit"] = pc.binary_join_element_wise(made["source"], made["line"].cast(pa.string()), ":")
    made["person"] = pc.if_else(pc.equal(found["person"], ""), None, found["person"].cast(pa.string()))
    made["actor"], made["actor_from"] = _actors(found, networks)
    made |= {name: whole(found[name]).view("M8[us]") for name in ("started", "ended")}
    looked = _beside(facts, len(found))
    made |= {name: looked[name] for name in looked.column_names if name not in ("visit", "after_ms")}
    made |= {"background": background, "crowd": company.crowds(found)}
    made["after_ms"] = _after(company.since(found), looked["after_ms"])
    return conform(pa.table(made), VISITS)


def _actors(found: pa.Table, networks: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Who each stay is of, and what says so: people.csv, else the look of the account, else the network."""
    of = {row["network"]: row["actor"] or "" for row in reversed(networks.to_pylist())}
    values, at = cases([found[name] for name in ("role", "account", "network")])
    told = [_actor((role, "people"), (account, "account"), (of.get(network, ""), "network"))
            for role, account, network in zip(*values, strict=True)]
    actor, said = (pa.array([one[n] for one in told], pa.string()).take(pa.array(at)) for n in (0, 1))
    return actor, said


def _actor(*told: tuple[str, str]) -> tuple[str, str]:
    """The first of these that says something."""
    return next((one for one in told if one[0]), ("unknown", "nothing"))


def _beside(facts: pa.Table, size: int) -> pa.Table:
    """The facts as a row for each stay, of which most have none."""
    at = np.full(size, -1)
    at[whole(facts["visit"])] = np.arange(len(facts))
    rows = facts.take(pa.array(at, mask=at < 0))
    for name, nothing in NOTHING.items():
        rows = rows.set_column(rows.column_names.index(name), name, pc.fill_null(rows[name], pa.scalar(nothing, rows[name].type)))
    return rows


def _after(since: Ints, asked: pa.ChunkedArray) -> pa.Array:
    """Milliseconds since another site was asked for, by stays or by tries, whichever is less; null where that is long ago."""
    tried = pc.fill_null(asked, company.NEVER).to_numpy()
    least = np.minimum(since, tried)
    return pa.array(np.maximum(least, 0), mask=least > LATE)


def _account(con: duckdb.DuckDBPyConnection, visits: pa.Table, twice: int, heard: Heard) -> dict[str, int]:
    """How many requests went where: in visits (own and folded), unfolded background, auth, error, set-up, sealed, or seen twice
    (they count in another log)."""
    parts = {"own": 0, "auth": 0, "error": 0, "setup": 0, "sealed": 0}
    for row in sql.run(PARTS, con=con, kinds=heard.kinds).to_pylist():
        parts[row["part"]] += row["n"]
    within = sum(visits["requests"].to_pylist()) + sum(visits["background"].to_pylist())
    counted = con.sql(COUNTED).fetchall()[0][0]
    return {"requests": sum(parts.values()), "visits": within, "background": counted - within,
            "auth": parts["auth"], "error": parts["error"], "setup": parts["setup"], "sealed": parts["sealed"], "twice": twice}
