import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_guard.demo.standins import smtp
from otel_guard.demo.standins._http import Request, Response, Running, as_json, serve
from otel_guard.health.checks import ai, cache, database, email, payment, storage
from otel_guard.health.checks._base import Check

KEY = "key" + "-1"
Serve = Callable[[Response], str]


@pytest.fixture
def seen() -> list[Request]:
    """What the provider was asked."""
    return []


@pytest.fixture
def provider(seen: list[Request]) -> Iterator[Serve]:
    """A provider that gives one answer to all."""
    running: list[Running] = []

    def start(response: Response) -> str:
        def answer(request: Request) -> Response:
            seen.append(request)
            return response

        running.append(serve(answer))
        return running[-1].url

    yield start
    for server in running:
        server.stop()


class Lines:
    """A server that answers each message with the next of its lines, or never."""

    def __init__(self, *lines: bytes) -> None:
        self.heard: list[bytes] = []
        self._lines = list(lines)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while heard := connection.recv(4096):
                self.heard.append(heard)
                if self._lines:
                    connection.sendall(self._lines.pop(0))

    def close(self) -> None:
        """Free the port."""
        self._listener.close()
        self._thread.join(5)


def found(check: Check) -> tuple[str, str | None]:
    answer = check.run()
    return answer.status, answer.message


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, ("healthy", None)),
        (403, ("healthy", None)),  # a restricted key: Stripe answered
        (401, ("unhealthy", "credentials")),
        (429, ("degraded", "rate limited")),
        (500, ("unhealthy", "HTTP 500")),
        (503, ("unhealthy", "HTTP 503")),
        (404, ("degraded", "HTTP 404")),
    ],
)
def test_payment_asks_for_the_balance(
    provider: Serve, seen: list[Request], status: int, expected: tuple[str, str | None]
) -> None:
    assert found(payment.check(KEY, provider(as_json(status, {})))) == expected
    assert (seen[0].method, seen[0].path, seen[0].headers["authorization"]) == ("GET", "/v1/balance", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("name", "header", "value", "path", "row"),
    [
        ("openai", "authorization", f"Bearer {KEY}", "/v1/models", "ai.openai"),
        ("anthropic", "x-api-key", KEY, "/v1/models?limit=1", "ai.anthropic"),
        ("gemini", "x-goog-api-key", KEY, "/v1beta/models?pageSize=1", "ai.gcp.gemini"),
    ],
)
def test_ai_lists_models(
    provider: Serve, seen: list[Request], name: str, header: str, value: str, path: str, row: str
) -> None:
    url = provider(as_json(200, {"data": []}))
    checks = [ai.check(name, KEY, url), ai.check(name, KEY, f"{url}/{path.split('/')[1]}/")]

    assert [found(check) for check in checks] == [("healthy", None)] * 2
    assert {(request.path, request.headers[header]) for request in seen} == {(path, value)}
    assert (checks[0].name, checks[0].is_deciding) == (row, False)


@pytest.mark.parametrize(
    ("status", "environ", "expected"),
    [
        (200, {}, ("healthy", None)),
        (403, {}, ("healthy", None)),  # unsigned: refused by a service that works
        (403, {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"}, ("degraded", "credentials")),
        (301, {}, ("healthy", None)),
        (404, {}, ("unhealthy", "no such bucket")),
        (503, {}, ("unhealthy", "HTTP 503")),
    ],
)
def test_storage_heads_the_bucket(status: int, environ: dict[str, str], expected: tuple[str, str | None]) -> None:
    server = Lines(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
    try:
        assert found(storage.check("shop-files", f"http://127.0.0.1:{server.port}", environ=environ)) == expected
    finally:
        server.close()
    assert server.heard[0].startswith(b"HEAD /shop-files HTTP/1.1\r\n")
    assert (b"Authorization: AWS4-HMAC-SHA256 " in server.heard[0]) == bool(environ)


@pytest.mark.parametrize(
    ("name", "path", "status", "body", "expected"),
    [
        ("resend", "/domains", 200, {}, ("healthy", None)),
        ("resend", "/domains", 401, {"name": "restricted_api_key"}, ("healthy", None)),
        ("resend", "/domains", 401, {"name": "missing_api_key"}, ("unhealthy", "credentials")),
        ("sendgrid", "/v3/scopes", 200, {}, ("healthy", None)),
        ("sendgrid", "/v3/scopes", 403, {}, ("healthy", None)),
        ("sendgrid", "/v3/scopes", 401, {}, ("unhealthy", "credentials")),
    ],
)
def test_email_asks_its_provider(
    provider: Serve,
    seen: list[Request],
    name: str,
    path: str,
    status: int,
    body: dict[str, str],
    expected: tuple[str, str | None],
) -> None:
    assert found(email.check_api(name, KEY, provider(as_json(status, body)))) == expected
    assert seen[0].path == path


def test_email_greets_a_mail_server_without_logging_in() -> None:
    server = smtp.start()
    try:
        assert found(email.check_host(f"127.0.0.1:{server.port}")) == ("healthy", None)
    finally:
        server.stop()
    status, message = found(email.check_host(f"127.0.0.1:{server.port}"))
    assert (status, message) == ("unhealthy", f"127.0.0.1:{server.port}: ConnectionRefusedError")


@pytest.mark.parametrize(
    ("lines", "login", "expected"),
    [
        ([b"+PONG\r\n"], "", ("healthy", None)),
        ([b"+OK\r\n", b"+PONG\r\n"], ":p%40ss@", ("healthy", None)),
        ([b"-WRONGPASS nope\r\n"], "app:x@", ("unhealthy", "credentials")),
        ([b"-NOAUTH Authentication required.\r\n"], "", ("unhealthy", "credentials")),
        ([b"-LOADING Redis is loading\r\n"], "", ("degraded", "loading")),
        ([b"-ERR odd\r\n"], "", ("unhealthy", "ERR odd")),
        ([], "", ("unhealthy", "no answer")),
    ],
)
def test_cache_is_pinged(lines: list[bytes], login: str, expected: tuple[str, str | None]) -> None:
    server = Lines(*lines)
    try:
        status, message = found(cache.check(f"redis://{login}127.0.0.1:{server.port}/0"))
    finally:
        server.close()

    assert (status, message if lines else "no answer") == expected
    assert server.heard[-1].endswith(b"PING\r\n") or len(lines) == 1
    if "%40" in login:
        assert b"AUTH\r\n$4\r\np@ss\r\n" in server.heard[0]


def test_memcached_is_asked_for_its_version() -> None:
    server = Lines(b"VERSION 1.6.21\r\n")
    try:
        assert found(cache.check(f"memcached://127.0.0.1:{server.port}")) == ("healthy", None)
    finally:
        server.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere.sock", "rediss://127.0.0.1:1"])
def test_a_cache_that_is_not_there_is_unhealthy(url: str) -> None:
    status, message = found(cache.check(url))

    assert status == "unhealthy"
    assert message is not None
    assert message.endswith(": no answer")


def test_a_peer_that_is_not_there_is_unhealthy() -> None:
    checks = [
        payment.check(KEY, "http://127.0.0.1:1"),
        ai.check("openai", KEY, "http://127.0.0.1:1"),
        storage.check("b", "http://127.0.0.1:1", environ={}),
        database.check("postgresql://x@127.0.0.1:1/x"),
    ]

    assert {check.name: found(check)[0] for check in checks} == dict.fromkeys(
        (check.name for check in checks), "unhealthy"
    )


def test_database_runs_select_1(dsn: str, postgres: Any) -> None:
    assert found(database.check(dsn)) == ("healthy", None)
    status, message = found(database.check(postgres.dsn("nowhere")))
    assert (status, message and message.partition(": ")[2]) == ("unhealthy", 'FATAL: database "nowhere" does not exist')
