"""Measure each reader: a log of N lines read into a lake, against what DuckDB takes for the same file.

    python sample_logs/bench_formats.py --lines 1000000

The log is the busy day (busy.py) as one product of each reader writes it. What it is set against is the least that any reader
must do, with zstd Parquet written in both: for Squid the floor of bench.py; for csv, json and w3c DuckDB's own reading of the
same columns; for pairs DuckDB's reading of the lines as text. Both are run in turn, each in a process of its own; medians.

The start of the process (Python and its imports) is no part of seconds and ratios, for either side; the last column says how
long it is for ours. All that the reading itself needs is: the formats' files, the keys, the vault, the journal.
On a busy machine the seconds of the processor (user and system, all threads) say more than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import bench
import busy

HEAD = {
    "w3c": "#Software: SGOS 7.3\n#Version: 1.0\n#Fields: date time time-taken c-ip cs-username sc-filter-result cs-categories "
           "sc-status cs-method rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query cs(User-Agent) "
           "sc-bytes cs-bytes\n",
    "csv": "",
}
# Each script tells what it took from BEGUN on: seconds of the clock, of the processor, and those of the processor before it.
BEGUN = """
import json, time
clock, spent = time.perf_counter(), time.process_time()
"""
TOLD = """
print(json.dumps([time.perf_counter() - clock, time.process_time() - spent, spent]))
"""
TEXT = """
log, out = sys.argv[1:]
duckdb.sql(f'''COPY (SELECT line FROM read_csv('{log}', columns = {{line: 'VARCHAR'}}, delim = '\\x01', quote = '', escape = '',
    header = false, auto_detect = false)) TO '{out}' (FORMAT parquet, COMPRESSION zstd)''')
"""
CSV = """
log, out = sys.argv[1:]
duckdb.sql(f'''COPY (SELECT * FROM read_csv('{log}', header = false, all_varchar = true)) TO '{out}'
    (FORMAT parquet, COMPRESSION zstd)''')
"""
JSON = """
log, out = sys.argv[1:]
duckdb.sql(f"COPY (SELECT * FROM read_json('{log}', format = 'newline_delimited')) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
"""
W3C = """
log, out = sys.argv[1:]
duckdb.sql(f'''COPY (SELECT * FROM read_csv('{log}', delim = ' ', quote = '"', header = false, all_varchar = true, skip = 3,
    auto_detect = true)) TO '{out}' (FORMAT parquet, COMPRESSION zstd)''')
"""
IMPORTS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from pipeline import logfiles, privacy
from pipeline.ingest import Masks
from pipeline.journal import Journal
from pipeline.lake import Lake
from pipeline.reading import Reader
from pipeline.school import read_school
from pipeline.vault import Vault, load_keys
"""
INGEST = """
log, folder, root, form = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
school, _ = read_school((root / "school.toml").read_text("utf-8"))
keys = load_keys(folder / "keys")
masks = Masks(keys.pseudonym, privacy.fits([(account.pattern, account.actor) for account in school.accounts]),
              privacy.on_network([(network.name, network.cidr) for network in school.networks]))
lake = Lake(folder / "lake", Journal(folder / "ingest.jsonl"), Journal(folder / "days.jsonl"), keys.source)
reader = Reader(lake, Vault(folder / "vault", keys.vault), masks, school, folder / "sealed", keys.sealed)
reading = reader.read(logfiles.measure(log), lambda lines: None, form)
rest = reading.lines - reading.fates["request"] - reading.fates["furniture"]
if rest or reading.problems:
    sys.exit(f"{rest} lines were not understood: {reading.problems}")
"""
Row = tuple[int, str, str, str, bool]


def rows(count: int) -> Iterator[Row]:
    """The busy day: milliseconds, client, login, host, and whether it was blocked."""
    at, person, host, _ = busy.requests(count)
    names = busy.hosts()
    for n, (ms, who, where) in enumerate(zip(at.tolist(), person.tolist(), host.tolist(), strict=True)):
        yield ms, f"10.20.{who // 200 % 256}.{who % 200 + 10}", f"{26 - who % 7}pupil{who}", names[where], n % 50 == 0


def stamp(ms: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime(form)


def csv_line(row: Row) -> str:
    """Umbrella's proxy log."""
    ms, client, login, host, blocked = row
    verdict = "BLOCKED" if blocked else "ALLOWED"
    return (f'"{stamp(ms)}","{login}","{client}","203.0.113.4","198.51.100.20","text/html","{verdict}",'
            f'"https://{host}/page/{ms % 997}","","Mozilla/5.0 (X11; CrOS x86_64)","200","512","{ms % 90_000}","0","","Games"\n')


def json_line(row: Row) -> str:
    """Cloudflare's HTTP log."""
    ms, client, login, host, blocked = row
    return (f'{{"Datetime":"{stamp(ms, "%Y-%m-%dT%H:%M:%SZ")}","Action":"{"block" if blocked else "allow"}",'
            f'"Email":"{login}@example.test","SourceIP":"{client}",'
            f'"HTTPHost":"{host}","URL":"https://{host}/page/{ms % 997}","HTTPMethod":"GET",'
            f'"HTTPStatusCode":{302 if blocked else 200},"CategoryNames":["Games"]}}\n')


def w3c_line(row: Row) -> str:
    """ProxySG's access log."""
    ms, client, login, host, blocked = row
    verdict, status = ("DENIED", 403) if blocked else ("OBSERVED", 200)
    return (f'{stamp(ms)} {ms % 400} {client} {login} {verdict} "Games" {status} GET '
            f'text/html https {host} 443 /page/{ms % 997} - "Mozilla/5.0 (X11; CrOS x86_64)" {ms % 90_000} 512\n')


def pairs_line(row: Row) -> str:
    """FortiGate's web filter log."""
    ms, client, login, host, blocked = row
    return " ".join((
        f'date={stamp(ms, "%Y-%m-%d")} time={stamp(ms, "%H:%M:%S")} devname="FGT-1" devid="FGT60F" eventtime={ms * 1_000_000}',
        'tz="+0000" logid="0317013312" type="utm" subtype="webfilter" eventtype="ftgd_allow" level="notice" vd="root" policyid=1',
        f'sessionid={ms % 1_000_003} user="{login}" srcip={client} srcport={ms % 60_000} srcintf="lan" dstip=203.0.113.9',
        f'dstport=443 proto=6 service="HTTPS" hostname="{host}" profile="Pupils"',
        f'action="{"blocked" if blocked else "passthrough"}" reqtype="direct" url="https://{host}/page/{ms % 997}" sentbyte=517',
        f'rcvdbyte={ms % 9_000} direction="outgoing" msg="URL belongs to an allowed category" cat=20 catdesc="Games"\n'))


READERS: dict[str, tuple[str, Callable[[Row], str], str]] = {
    "csv": ("umbrella-proxy", csv_line, CSV), "json": ("cloudflare-http", json_line, JSON),
    "w3c": ("proxysg", w3c_line, W3C), "pairs": ("fortigate", pairs_line, TEXT)}


def write(path: Path, reader: str, count: int) -> str:
    """Write the log of one reader; the name of its format."""
    if reader == "columns":
        busy.write(path, count)
        return "squid"
    form, line, _ = READERS[reader]
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(HEAD.get(reader, ""))
        out.writelines(line(row) for row in rows(count))
    return form


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds and processor seconds without its start, processor seconds of its start, peak bytes."""

    seconds: float
    cpu: float
    start: float
    peak: int


def cost(script: str, *words: str | Path) -> Cost:
    """Run one script to its end, in a process of its own."""
    with tempfile.TemporaryFile("w+") as told:
        done = subprocess.Popen([sys.executable, "-c", script, *words], stdout=told, cwd=bench.ROOT)
        _, status, used = os.wait4(done.pid, 0)
        told.seek(0)
        said = told.read()
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode:
        sys.exit(f"a run failed ({done.returncode})")
    seconds, cpu, start = json.loads(said.splitlines()[-1])
    return Cost(seconds, cpu, start, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def measured(reader: str, count: int, times: int, folder: Path) -> tuple[Cost, Cost]:
    """Medians of the reader and of what it is set against, run in turn."""
    log = folder / f"{reader}.log"
    form, against = write(log, reader, count), bench.FLOOR if reader == "columns" else READERS[reader][2]
    theirs = "import sys, duckdb\n" + BEGUN + against + TOLD
    runs: list[tuple[Cost, Cost]] = []
    for n in range(times):
        least = cost(theirs, log, folder / "out.parquet")
        runs.append((cost(IMPORTS + BEGUN + INGEST + TOLD, log, folder / f"{reader}-{n}", bench.ROOT, form), least))
    log.unlink()
    return median([ours for ours, _ in runs]), median([least for _, least in runs])


def median(runs: Sequence[Cost]) -> Cost:
    """The medians, each by itself."""
    return Cost(*(statistics.median(getattr(run, f.name) for run in runs) for f in fields(Cost)))


def main() -> None:
    """Measure every reader and print the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--lines", type=int, default=1_000_000, help="lines of each log")
    words.add_argument("--times", type=int, default=3, help="how often each is run")
    words.add_argument("--reader", choices=["columns", *READERS], help="one reader alone")
    asked = words.parse_args()
    print(f"{'reader':10}{'lines/s':>12}{'peak MiB':>11}{'seconds':>10}{'DuckDB':>10}{'ratio':>8}"
          f"{'cpu s':>8}{'DuckDB':>10}{'ratio':>8}{'start':>8}")
    with tempfile.TemporaryDirectory(prefix="schoolgate-bench-") as name:
        for reader in [asked.reader] if asked.reader else ["columns", *READERS]:
            ours, theirs = measured(reader, asked.lines, asked.times, Path(name))
            print(f"{reader:10}{asked.lines / ours.seconds:>12,.0f}{ours.peak / bench.MEBI:>11,.0f}{ours.seconds:>10.2f}"
                  f"{theirs.seconds:>10.2f}{ours.seconds / theirs.seconds:>8.2f}"
                  f"{ours.cpu:>8.2f}{theirs.cpu:>10.2f}{ours.cpu / theirs.cpu:>8.2f}{ours.start:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
