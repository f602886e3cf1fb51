"""Real SMTP servers on loopback: aiosmtpd with certificates made here, and one that keeps to a script, line by line."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOGIN = (b"schoolgate", b"a secret, with spaces")


class Box:
    """What a server does with letters, and the letters it took: one (recipient, text) each. `replies`: instead of taking one."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, bytes]] = []
        self.replies: list[str] = []
        self.refuses: dict[str, str] = {}
        self.encrypted: list[bool] = []
        self.logins: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Sequence[str]) -> str:
        """Refuse a recipient, or take it."""
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        """The next reply that is set, else take the letter."""
        if self.replies:
            return self.replies.pop(0)
        self.encrypted.append(session.ssl is not None)
        self.logins.append(session.auth_data.decode() if session.auth_data else "")
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.letters += [(to, content) for to in envelope.rcpt_tos]
        return "250 taken"


def authority(folder: Path, host: str = "127.0.0.1", name: str = "ca") -> tuple[Path, ssl.SSLContext]:
    """The file of a new authority's certificate, and the TLS of a server at `host` that it vouches for."""
    at = datetime.datetime.now(datetime.UTC)
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> x509.Certificate:
        made = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(f"authority {name}")).public_key(key.public_key()).serial_number(
            x509.random_serial_number()).not_valid_before(at - datetime.timedelta(days=1)).not_valid_after(at + datetime.timedelta(days=1))
        for extension in extensions:
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return made.sign(root, hashes.SHA256())
    top = certificate(f"authority {name}", root, x509.BasicConstraints(ca=True, path_length=None), x509.SubjectKeyIdentifier.from_public_key(root.public_key()),
                      x509.KeyUsage(True, False, False, False, False, True, True, False, False))
    names = [x509.DNSName(host)] if host[0].isalpha() else [x509.IPAddress(ipaddress.ip_address(host))]
    leaf = certificate(host, own, x509.SubjectAlternativeName(names), x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()))
    (folder / f"{name}.pem").write_bytes(top.public_bytes(serialization.Encoding.PEM))
    chain = folder / f"{name}-server.pem"
    chain.write_bytes(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                      + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return folder / f"{name}.pem", context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(box: Box, port: int, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False) -> Iterator[None]:
    """A server that hands letters to the box; `login`: only to who knows LOGIN."""
    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == LOGIN
        return AuthResult(success=right, auth_data=data.login if right else None, handled=False)
    more: dict[str, Any] = {"authenticator": known, "auth_required": True, "auth_require_tls": tls is None} if login else {}
    control = Controller(box, hostname="127.0.0.1", port=port, tls_context=starttls, require_starttls=starttls is not None,
                         ssl_context=tls, **more)
    control.start()
    try:
        yield
    finally:
        control.stop()


@contextmanager
def scripted(port: int, *replies: bytes) -> Iterator[list[bytes]]:
    """A server that greets, answers each line with the next reply, and then hangs up; `b""`: no answer to that line, for ever.

    Gives the lines it was sent.
    """
    lines: list[bytes] = []
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(10)

    def serve() -> None:
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as stream:
                peer.sendall(b"220 here\r\n")
                for reply in replies:
                    lines.append(_asked(stream, after_go_on=bool(lines) and lines[-1].lower().startswith(b"data")))
                    if not reply:
                        over.wait(10)
                        break
                    peer.sendall(reply + b"\r\n")
                else:
                    _asked(stream, after_go_on=lines[-1].lower().startswith(b"data"))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _asked(stream: Any, after_go_on: bool) -> bytes:
    """The next line of a client; of a letter, its last."""
    line: bytes = stream.readline()
    while after_go_on and line not in (b".\r\n", b""):
        line = stream.readline()
    return line.strip()
