"""Debian's dnsmasq, Unbound and BIND on loopback, each with a name it blocks, and a client that asks them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

PATIENCE = 20.0
TYPES = {"A": 1, "PTR": 12, "AAAA": 28, "HTTPS": 65}
ZONE = """$TTL 60
@ SOA localhost. root.localhost. 1 3600 600 86400 60
@ NS localhost.
"""

UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  logfile: "{folder}/queries.log"
  use-syslog: no
  log-queries: yes
  log-replies: {replies}
  log-tag-queryreply: {replies}
  log-local-actions: yes
  module-config: "respip iterator"
  do-not-query-localhost: no
  outbound-msg-retry: 1
  local-zone: "games.example" always_nxdomain
  local-zone: "proxy.example" always_null
  local-zone: "school.example" static
  local-data: "www.school.example A 192.0.2.80"
  local-zone: "open.example" transparent
  local-data: "www.open.example A 192.0.2.81"
rpz:
  name: rpz.example
  zonefile: "{folder}/rpz.zone"
  rpz-log: yes
  rpz-log-name: "school"
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{shut}
"""

BIND = """
options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion yes;
  pid-file none; session-keyfile none; dnssec-validation no; forwarders {{ 127.0.0.1 port {shut}; }}; forward only;
  response-policy {{ zone "rpz.example" log yes; }} qname-wait-recurse no; }};
controls {{ }};
zone "rpz.example" {{ type primary; file "rpz.zone"; }};
zone "open.example" {{ type primary; file "open.zone"; }};
logging {{ channel all {{ file "{folder}/queries.log"; print-time {times}; print-category yes; print-severity yes; }};
  category default {{ all; }}; category queries {{ all; }}; category rpz {{ all; }}; category query-errors {{ all; }}; }};
"""
RPZ = """games.example CNAME .
proxy.example CNAME *.
quiet.example CNAME rpz-drop.
page.example A 192.0.2.7
fine.example CNAME rpz-passthru.
"""


@dataclass(frozen=True)
class Lookup:
    """What a client asked, and what the resolver is set to make of it; the words are those of `schoolgate read`."""

    client_ip: str
    host: str
    action: str
    qtype: str = "A"


class Resolver:
    """`with Resolver(program, words, files) as it:` starts a resolver and stops it; `it.ask` asks; `it.log` is its log."""

    def __init__(self, program: str, words: list[str], files: dict[str, str], ready: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="schoolgate-dns-"))
        self.log = self.folder / "queries.log"
        self.port, shut = _free_port(), _free_port()
        self._fill = {"folder": str(self.folder), "port": str(self.port), "shut": str(shut),
                      "me": pwd.getpwuid(os.getuid()).pw_name}
        self._ready = ready
        self._files, self._command = files, [program, *(word.format(**self._fill) for word in words)]

    def __enter__(self) -> Resolver:
        for name, text in self._files.items():
            (self.folder / name).write_text(text.format(**self._fill) if name.endswith(".conf") else text)
        self._running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         env={**os.environ, "TZ": "UTC"})
        end = time.monotonic() + PATIENCE
        while not self._said_so():
            if time.monotonic() > end or self._running.poll() is not None:
                self.stop()
                raise RuntimeError(f"{self._command[0]} did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _said_so(self) -> bool:
        """Whether its log says that it is ready: a question to find out would be a line in the log."""
        return self.log.exists() and self._ready in self.log.read_text("utf-8", "replace")

    def ask(self, lookup: Lookup, wait: float = PATIENCE) -> None:
        """Ask from the client's address and wait for an answer, but not for long where none is to come."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind((lookup.client_ip, 0))
            line.settimeout(wait)
            labels = b"".join(bytes([len(part)]) + part.encode() for part in lookup.host.split("."))
            line.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", TYPES[lookup.qtype], 1),
                        ("127.0.0.1", self.port))
            try:
                line.recv(4096)
            except TimeoutError:
                if wait >= PATIENCE:
                    raise

    def stop(self) -> None:
        """Stop it, so that its log is whole."""
        if self._running.poll() is None:
            self._running.terminate()
            try:
                self._running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait()


def dnsmasq(extra: bool) -> Resolver:
    """dnsmasq that answers a few names by itself and has nobody to ask for others."""
    return Resolver("/usr/sbin/dnsmasq", [
        "--keep-in-foreground", "--conf-file=/dev/null", "--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
        "--no-hosts", "--pid-file=", "--user={me}", "--log-facility={folder}/queries.log", "--log-queries" + ("=extra" if extra else ""),
        "--address=/games.example/0.0.0.0", "--address=/games.example/::", "--address=/proxy.example/", "--address=/open.example/192.0.2.81",
        "--addn-hosts={folder}/blocked.hosts", "--cname=search.example,www.open.example"], {"blocked.hosts": "0.0.0.0 ads.example\n"},
        ready="blocked.hosts - ")


def unbound(replies: bool) -> Resolver:
    """Unbound with local zones and a policy zone, with lines for replies or without."""
    return Resolver("/usr/sbin/unbound", ["-d", "-c", "{folder}/unbound.conf"], {
        "unbound.conf": UNBOUND.replace("{replies}", "yes" if replies else "no"),
        "rpz.zone": ZONE + "ads.example CNAME .\npage.example A 192.0.2.7\nfine.example CNAME rpz-passthru.\n"}, ready="start of service")


def bind(times: str) -> Resolver:
    """BIND with a policy zone; `times`: yes or iso8601, how it writes them."""
    return Resolver("/usr/sbin/named", ["-f", "-c", "{folder}/named.conf"], {
        "named.conf": BIND.replace("{times}", times), "rpz.zone": ZONE + RPZ, "open.zone": ZONE + "* A 192.0.2.81\n"},
        ready="reload done: success")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
