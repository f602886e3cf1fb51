"""A real Squid on loopback, the made-up sites behind it, and a client that remembers every request it made."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

SQUID = Path("/usr/sbin/squid")
PASSWORD = "made-up"
ALLOWED = ("news.test", "lessons.test", "clips.test")
DENIED = "games.test"
ILLEGAL = "plantedsecret.invalid"
SHUT = "shut.test"  # its machine is there, but nothing listens: an error, not a block
PATIENCE = 20.0

CONF = """
http_port 127.0.0.1:{open_port} name=open
http_port 127.0.0.1:{login_port} name=login
pid_filename {folder}/run/squid.pid
cache_log {folder}/run/cache.log
access_log stdio:{folder}/run/access.log logformat=squid
{more}
logfile_rotate 3
cache deny all
cache_mem 8 MB
coredump_dir none
netdb_filename none
pinger_enable off
visible_hostname gate.test
hosts_file {folder}/hosts
dns_nameservers 127.0.0.1
connect_retries 0
shutdown_lifetime 1 second
{effective}
auth_param basic program {folder}/ask_login
auth_param basic children 1 startup=1
auth_param basic realm made-up school
auth_param basic casesensitive on
acl at_login myportname login
acl known proxy_auth REQUIRED
acl iwf dstdomain .{illegal}
acl refused dstdomain .{denied}
deny_info 451:ERR_ACCESS_DENIED iwf
http_access deny at_login !known
http_access deny iwf
http_access deny refused
http_access allow all
"""
ASK_LOGIN = f'#!/bin/sh\nwhile read -r user word; do [ "$word" = {PASSWORD} ] && echo OK || echo ERR; done\n'


@dataclass(frozen=True)
class Made:
    """One request that the client made and what Squid answered; the words are those of `schoolgate read`."""

    client_ip: str
    user: str | None
    action: str
    kind: str
    method: str
    host: str
    port: int
    status: int
    sealed: bool = False


class _Origin(BaseHTTPRequestHandler):
    """Every made-up site: a short page for any address."""

    def do_GET(self) -> None:
        """Answer with 64 bytes."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "64")
        self.end_headers()
        self.wfile.write(b"." * 64)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class RealSquid:
    """`with RealSquid() as squid:` starts Squid and the sites, and stops both; `squid.made` is what was asked."""

    def __init__(self, more: str = "") -> None:
        self.more = more  # settings to add; {folder}/run is where Squid may write
        self.made: list[Made] = []
        # Not under pytest's folder, which is closed to the user that a Squid started by root changes to.
        self.folder = Path(tempfile.mkdtemp(prefix="schoolgate-squid-"))
        self.log = self.folder / "run/access.log"
        self.open_port, self.login_port, self.shut = _free_port(), _free_port(), _free_port()
        self._conf = self.folder / "squid.conf"

    def __enter__(self) -> RealSquid:
        self._sites = ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
        self.port = self._sites.server_address[1]
        threading.Thread(target=self._sites.serve_forever, daemon=True).start()
        try:
            self._write_settings()
            self._squid = subprocess.Popen([SQUID, "-N", "-f", self._conf], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
            # A look at the port would be a line in the log, so Squid's own word is waited for.
            self._wait(lambda: self._said().count("Accepting HTTP Socket connections") == 2, "Squid did not start")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _write_settings(self) -> None:
        run = self.folder / "run"
        run.mkdir()
        self.folder.chmod(0o755)
        run.chmod(0o777)
        (self.folder / "hosts").write_text("".join(f"127.0.0.1 {host}\n" for host in (*ALLOWED, SHUT, DENIED, ILLEGAL)))
        (self.folder / "ask_login").write_text(ASK_LOGIN)
        for name, mode in (("hosts", 0o644), ("ask_login", 0o755)):
            (self.folder / name).chmod(mode)
        self._conf.write_text(CONF.format(
            folder=self.folder, more=self.more.replace("{folder}", str(self.folder)), open_port=self.open_port, login_port=self.login_port, illegal=ILLEGAL, denied=DENIED,
            effective="cache_effective_user proxy" if os.geteuid() == 0 else ""))

    def _stop(self) -> None:
        squid = getattr(self, "_squid", None)
        if squid and squid.poll() is None:
            squid.terminate()
            try:
                squid.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                squid.kill()
                squid.wait()
        self._sites.shutdown()
        self._sites.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, host: str, path: str = "/", *, client: str = "127.0.0.21", user: str | None = None,
            password: str | None = PASSWORD, headers: str = "") -> int:
        """Ask for a page, through the port that wants a login when `user` is given; the status."""
        to = f"{host}:{self._port(host)}"
        status = self._ask(f"GET http://{to}{path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{headers}", client, user, password)
        self._remember("http", "GET", host, client, user, status)
        return status

    def tunnel(self, host: str, *, client: str = "127.0.0.21", user: str | None = None,
               password: str | None = PASSWORD) -> int:
        """Open a tunnel, and when it is opened fetch a page through it; the status of the CONNECT."""
        to = f"{host}:{self._port(host)}"
        status = self._ask(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n", client, user, password,
                           f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        self._remember("tunnel", "CONNECT", host, client, user, status)
        return status

    def challenge(self, host: str, *, client: str = "127.0.0.21") -> int:
        """Ask at the port that wants a login, with none: how every browser begins."""
        return self.get(host, client=client, user="", password=None)

    def _port(self, host: str) -> int:
        return self.shut if host == SHUT else self.port

    def _remember(self, kind: str, method: str, host: str, client: str, user: str | None, status: int) -> None:
        action = "auth" if status == 407 else "blocked" if host in (DENIED, ILLEGAL) else "error" if host == SHUT else "allowed"
        self.made.append(Made(client, user or None, action, kind, method, host, self._port(host), status, status == 451))

    def _ask(self, words: str, client: str, user: str | None, password: str | None, then: str = "") -> int:
        port = self.open_port if user is None else self.login_port
        with socket.create_connection(("127.0.0.1", port), PATIENCE, (client, 0)) as line:
            if user and password is not None:
                words += f"Proxy-Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\r\n"
            line.sendall((words + "\r\n").encode())
            answer = b""
            while b"\r\n\r\n" not in answer and (part := line.recv(65536)):
                answer += part
            status = int(answer.split(b" ", 2)[1])
            if then and status == 200:
                line.sendall(then.encode())
            elif then:
                line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
        return status

    def lines(self) -> list[str]:
        """Every line logged so far, the oldest first, over the rotated logs."""
        return [line for log in self.logs() for line in log.read_text("ascii").splitlines(keepends=True)]

    def logs(self) -> list[Path]:
        """The logs, the oldest first: access.log.1, access.log.0, access.log."""
        rotated = sorted(self.log.parent.glob("access.log.[0-9]"), reverse=True)
        return [*rotated, *([self.log] if self.log.exists() else [])]

    def settle(self) -> None:
        """Wait until the log has a line for each request made: Squid writes it when a transaction has ended."""
        self._wait(lambda: len(self.lines()) >= len(self.made), "requests are missing from the log")
        time.sleep(0.3)  # for a line that nobody asked for

    def rotate(self) -> None:
        """Have Squid rotate its log, as logrotate does, and wait until the new one stands."""
        before = len(self.logs())
        subprocess.run([SQUID, "-f", self._conf, "-k", "rotate"], check=True, capture_output=True, timeout=PATIENCE)
        self._wait(lambda: self.log.exists() and len(self.logs()) > before, "the log was not rotated")

    def _said(self) -> str:
        with suppress(OSError):
            return (self.folder / "run/cache.log").read_text("utf-8", "replace")
        return ""

    def _wait(self, ready: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > end or self._squid.poll() is not None:
                raise RuntimeError(f"{otherwise}:\n{self._said()[-2000:]}")
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
