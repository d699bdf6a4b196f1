import contextlib
import threading
import time
from collections.abc import Iterator
from socket import create_server, socket

import pytest

from otel_guard.runtime.http import BODY_LIMIT, Http, NoAnswerError, post, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: Yes\r\n\r\nok"


class Raw:
    """A server that sends given bytes, one piece a pause, whatever it is asked."""

    def __init__(self, *pieces: bytes, pause_s: float = 0.0) -> None:
        self.connections = 0
        self._pieces = pieces
        self._pause_s = pause_s
        self._done = threading.Event()
        self._listener = create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/x"
        self._listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self._thread.join()  # before the close: a blocked accept would take the next listener of the same number
        self._listener.close()

    def _serve(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                connection.settimeout(None)
                self.connections += 1
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(65536):
                for piece in self._pieces:
                    connection.sendall(piece)
                    self._done.wait(self._pause_s)


@pytest.fixture
def raw() -> Iterator[list[Raw]]:
    servers: list[Raw] = []
    yield servers
    for server in servers:
        server.close()


def test_an_answer_has_status_headers_and_body(raw: list[Raw]) -> None:
    raw.append(Raw(OK))

    answer = post(raw[0].url, b"body", {"A": "b"})

    assert (answer.status, answer.headers["x-seen"], answer.body) == (200, "Yes", b"ok")


def test_connections_are_kept(raw: list[Raw]) -> None:
    raw.append(Raw(OK))
    http = Http()

    for _ in range(3):
        http.post(raw[0].url, b"body", {})
    http.close()

    assert raw[0].connections == 1


def test_a_redirect_is_an_answer(raw: list[Raw]) -> None:
    raw.append(Raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))

    assert post(raw[0].url, b"", {}).status == 302


def test_a_long_body_is_cut(raw: list[Raw]) -> None:
    size = BODY_LIMIT * 4
    raw.append(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size))

    assert len(post(raw[0].url, b"", {}).body) == BODY_LIMIT


@pytest.mark.parametrize(
    ("pieces", "pause_s"),
    [
        ([], 0.0),
        ([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 100], 0.1),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 100], 0.1),
        ([b"no http at all\r\n\r\n"], 5.0),
    ],
)
def test_a_silent_or_dripping_peer_is_left_at_the_deadline(raw: list[Raw], pieces: list[bytes], pause_s: float) -> None:
    raw.append(Raw(*pieces, pause_s=pause_s))
    began = time.monotonic()

    with pytest.raises(NoAnswerError):
        post(raw[0].url, b"", {}, timeout=0.6)

    assert time.monotonic() - began < 3


def test_a_refused_connection_is_no_answer() -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(NoAnswerError, match="did not answer"):
        post(f"http://127.0.0.1:{port}/", b"", {})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_without_a_body(raw: list[Raw], method: str) -> None:
    raw.append(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"ok" if method == "GET" else b"")))

    answer = request(method, raw[0].url, {"A": "b"})

    assert (answer.status, answer.body) == (200, b"ok" if method == "GET" else b"")


def test_more_of_a_body_is_read_where_it_is_asked_for(raw: list[Raw]) -> None:
    raw.append(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000))

    assert len(request("GET", raw[0].url, {}, limit_bytes=8000).body) == 8000
