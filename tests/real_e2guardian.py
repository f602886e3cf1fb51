"""A real E2Guardian on loopback, a proxy behind it that is all the web there is, and a client that remembers its requests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

E2GUARDIAN = Path("/usr/sbin/e2guardian")
SETTINGS = Path("/etc/e2guardian")
AGENT = 'Odd "browser" 1.0 (X11; CrOS x86_64)'
BANNED, TRUSTED, SHUT = "games.test", "lessons.test", "shut.test"
PATIENCE = 20.0


class _Web(BaseHTTPRequestHandler):
    """The proxy behind: every site there is, one that fails, and one that wants a login."""

    def do_GET(self) -> None:
        """Answer with 64 bytes."""
        self.send_response(503 if SHUT in self.path else 407 if "/login" in self.path else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "64")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"." * 64)

    def do_CONNECT(self) -> None:
        """Open the tunnel, and shut it."""
        self.send_response(200)
        self.end_headers()
        self.close_connection = True

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class RealE2Guardian:
    """`with RealE2Guardian(6) as e2g:` starts E2Guardian with that `logfileformat`, and the web behind it, and stops both."""

    def __init__(self, logformat: int, **more: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="schoolgate-e2guardian-"))
        self.log = self.folder / "access.log"
        self.settings = {"logfileformat": str(logformat)} | more
        self.asked = 0

    def __enter__(self) -> RealE2Guardian:
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        with socket.socket() as line:
            line.bind(("127.0.0.1", 0))
            self.port = int(line.getsockname()[1])
        self._write_settings()
        self._said = (self.folder / "said").open("wb")
        self._daemon = subprocess.Popen([E2GUARDIAN, "-N", "-c", self.folder / "e2guardian.conf"], stdout=self._said,
                                        stderr=subprocess.STDOUT, env={**os.environ, "TZ": "Europe/London"})
        try:
            self._wait(self._listens, "E2Guardian did not start")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _write_settings(self) -> None:
        owner = "root" if os.geteuid() == 0 else "e2guardian"
        settings = {
            "filterip": "127.0.0.1", "checkip": "127.0.0.1", "filterports": str(self.port), "transparenthttpsport": "0",
            "proxyip": "127.0.0.1", "proxyport": str(self._web.server_address[1]), "httpworkers": "20", "nodaemon": "on",
            "loglocation": f"'{self.log}'", "pidfilename": f"'{self.folder}/pid'", "filecachedir": f"'{self.folder}'",
            "loguseragent": "on", "daemonuser": f"'{owner}'", "daemongroup": f"'{owner}'"} | self.settings
        text = (SETTINGS / "e2guardian.conf").read_text("utf-8", "replace")
        for key, value in settings.items():
            text = re.sub(rf"(?m)^#?\s*{key}\s*=.*\n", "", text) + f"{key} = {value}\n"
        (self.folder / "e2guardian.conf").write_text(text)
        group = (SETTINGS / "e2guardianf1.conf").read_text("utf-8", "replace")
        for name, number, host, category in (("banned", 500, BANNED, "Games"), ("exception", 602, TRUSTED, "Lessons")):
            (self.folder / name).write_text(f'#listcategory: "{category}"\n{host}\n')
            group = re.sub(rf"(?m)^(sitelist = 'name={name},messageno={number},path=).*'", rf"\1{self.folder}/{name}'", group)
        (self.folder / "e2guardianf1.conf").write_text(re.sub(r"(?m)^groupname = .*", "groupname = 'Year 9'", group))

    def _listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def _stop(self) -> None:
        self._daemon.kill()  # told to end, it waits a minute for its workers
        self._daemon.wait()
        self._said.close()
        self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cut(self) -> None:
        """Take the web away: what is asked from now on cannot be fetched."""
        self._web.shutdown()
        self._web.server_close()

    def get(self, host: str, path: str = "/") -> None:
        """Ask for a page."""
        self._ask(f"GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: {AGENT}\r\n\r\n")

    def tunnel(self, host: str) -> None:
        """Ask for a tunnel."""
        self._ask(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\nUser-Agent: {AGENT}\r\n\r\n")

    def _ask(self, words: str) -> None:
        self.asked += 1
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE, ("127.0.0.21", 0)) as line:
            line.sendall(words.encode())
            while line.recv(65536):
                pass
        # one at a time, so that the log is in the order of the asking
        self._wait(lambda: self.log.exists() and self.log.read_bytes().count(b"\n") >= self.asked, "a request is missing from the log")

    def _wait(self, ready: object, otherwise: str) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():  # type: ignore[operator]
            if time.monotonic() > end or self._daemon.poll() is not None:
                raise RuntimeError(f"{otherwise}:\n{(self.folder / 'said').read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.02)
