"""HTTP of everything the guard itself posts and asks: one try, no redirect, a short answer, a hard deadline."""

import os
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.deadline import socket_deadline
from otel_guard.runtime.suppression import sending

CONNECT_S: Final = 5.0
TOTAL_S: Final = 10.0
BODY_LIMIT: Final = 4096


class NoAnswerError(OtelGuardError):
    """The server did not answer."""


class Response(Struct, frozen=True):
    """What came back; header names are lower-case, the body is cut (at 4 KiB, if nothing else was asked)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Connections that are kept between posts; a forked child opens its own."""

    def __init__(self, *, proxy: str | None = None, ca_certs: str | None = None) -> None:
        self._proxy = proxy
        self._ca_certs = ca_certs
        self._pools: PoolManager | None = None
        self._pid = os.getpid()

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float = TOTAL_S) -> Response:
        """Post *body* once; as `request`."""
        return self.request("POST", url, headers, timeout, body=body)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        timeout: float = TOTAL_S,
        *,
        body: bytes | None = None,
        limit_bytes: int = BODY_LIMIT,
    ) -> Response:
        """Ask once; *timeout* is in seconds, for the whole exchange; of the answer *limit_bytes* are read.

        Raises:
            NoAnswerError: no connection, no answer in time, not HTTP.
        """
        began = SYSTEM.monotonic()
        with sending():
            try:
                answer = self._managed().request(
                    method,
                    url,
                    body=body,
                    headers=dict(headers),
                    timeout=Timeout(connect=min(CONNECT_S, timeout), total=timeout),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                )
                response = _read(answer, timeout, limit_bytes)
            except (
                HTTPError,
                OSError,
                ValueError,
                AttributeError,
            ) as error:  # AttributeError: urllib3, cut off amid it
                raise NoAnswerError(f"{type(error).__name__}: the server did not answer") from error
        if SYSTEM.monotonic() - began >= timeout:  # cut off amid headers or body, which reads like their end
            raise NoAnswerError(f"the server did not answer within {timeout:g} s")
        return response

    def close(self) -> None:
        """Close the kept connections."""
        pools, self._pools = self._pools, None
        if pools is not None:
            pools.clear()

    def _managed(self) -> PoolManager:
        if self._pools is None or self._pid != os.getpid():
            options: dict[str, Any] = {"ca_certs": self._ca_certs} if self._ca_certs else {}
            pools = ProxyManager(self._proxy, **options) if self._proxy else PoolManager(**options)
            pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
            self._pools, self._pid = pools, os.getpid()
        return self._pools


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float = TOTAL_S) -> Response:
    """Post *body* once on a connection of its own; as `Http.post`."""
    http = Http()
    try:
        return http.post(url, body, headers, timeout)
    finally:
        http.close()


def request(
    method: str, url: str, headers: Mapping[str, str], timeout: float = TOTAL_S, *, limit_bytes: int = BODY_LIMIT
) -> Response:
    """Ask once, without a body, on a connection of its own; as `Http.request`."""
    http = Http()
    try:
        return http.request(method, url, headers, timeout, limit_bytes=limit_bytes)
    finally:
        http.close()


# urllib3's time-outs are per read: a peer that drips a byte at a time is stopped by the deadline alone.
class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with socket_deadline(self.sock.fileno(), self.timeout or TOTAL_S):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with socket_deadline(self.sock.fileno(), self.timeout or TOTAL_S):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _read(answer: object, timeout: float, limit_bytes: int) -> Response:
    if not isinstance(answer, HTTPResponse):
        raise NoAnswerError
    body = b""
    try:
        if answer.length_remaining != 0 and not answer.closed:
            with socket_deadline(answer.fileno(), timeout):
                body = answer.read(limit_bytes)
    finally:
        if answer.length_remaining == 0:
            answer.release_conn()
        else:
            answer.close()
    return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
