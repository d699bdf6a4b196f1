"""The cache: PING in Redis' own protocol, or memcached's version, on a connection of its own."""

import socket
import ssl
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from otel_guard.core.dependency import CACHE
from otel_guard.health.checks._base import Check, Found
from otel_guard.runtime.deadline import socket_deadline

TIMEOUT_S: Final = 0.5
EVERY_S: Final = 15.0
PORTS: Final = {"memcached": 11211}
PORT: Final = 6379
SECURE: Final = frozenset({"rediss", "valkeys"})
_LONGEST: Final = 512
_Socket = TypeVar("_Socket", bound=socket.socket)


def check(url: str) -> Check:
    """The check of `[check.cache]`: `redis://[user:password@]host[:port]`, `rediss://`, `unix://`, `memcached://`."""

    def run() -> Found:
        try:
            return _ping(urlsplit(url))
        except (OSError, ValueError) as error:
            return Found("unhealthy", f"{type(error).__name__}: no answer")

    return Check(name=CACHE, run=run, timeout_s=TIMEOUT_S, every_s=EVERY_S)


def _ping(parts: SplitResult) -> Found:
    with _connected(parts) as connection, socket_deadline(connection.fileno(), TIMEOUT_S):
        if parts.scheme == "memcached":
            return Found("healthy") if _said(connection, b"version\r\n") else Found("unhealthy", "no answer")
        if parts.password:
            user = (unquote(parts.username),) if parts.username else ()
            if not (said := _asked(connection, "AUTH", *user, unquote(parts.password))).startswith("+"):
                return Found("unhealthy", "credentials" if said else "no answer")
        said = _asked(connection, "PING")
    if said.startswith("+"):
        return Found("healthy")
    if said.startswith("-LOADING"):
        return Found("degraded", "loading")
    return Found("unhealthy", "credentials" if said.startswith("-NOAUTH") else said[1:80] or "no answer")


def _connected(parts: SplitResult) -> socket.socket:
    if parts.scheme == "unix":
        return _opened(socket.socket(socket.AF_UNIX), lambda local: local.connect(parts.path))
    host = parts.hostname or "localhost"
    plain = socket.create_connection((host, parts.port or PORTS.get(parts.scheme, PORT)), TIMEOUT_S)
    if parts.scheme not in SECURE:
        return plain
    secure = ssl.create_default_context().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    return _opened(secure, ssl.SSLSocket.do_handshake)


def _opened(made: _Socket, begin: Callable[[_Socket], object]) -> _Socket:
    made.settimeout(TIMEOUT_S)
    try:
        begin(made)
    except BaseException:
        made.close()
        raise
    return made


def _asked(connection: socket.socket, *words: str) -> str:
    parts = [word.encode() for word in words]
    return _said(connection, b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))


def _said(connection: socket.socket, question: bytes) -> str:
    """The first line of the answer; empty: there is none."""
    connection.sendall(question)
    said = b""
    while not said.endswith(b"\r\n") and len(said) < _LONGEST:
        piece = connection.recv(_LONGEST)
        if not piece:
            break
        said += piece
    return said.decode("utf-8", "replace").strip()
