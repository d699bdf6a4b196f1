"""A small HTTP/1.1 server on 127.0.0.1 around one function from request to response."""

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import msgspec

LARGEST_BODY: Final = 32 * 1024 * 1024
IDLE_S: Final = 30.0


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; header names are in lower case, the body is decompressed."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Response(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


Answer = Callable[[Request], Response]


class Running:
    """A started server; `stop` frees its port."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.port = int(server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="standin", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; safe to call twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(ThreadingHTTPServer):
    """Holds the function that answers."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Exchange)
        self.answer = answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that was killed does not wait for its answer."""


class _Exchange(BaseHTTPRequestHandler):
    """Reads a request, writes its answer."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer any method alike."""
        assert isinstance(self.server, _Server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = _inflated(self._body(headers), headers.get("content-encoding", ""))
            request = Request(method=self.command, path=self.path, headers=headers, body=body)
            response = self.server.answer(request)
        except (ValueError, KeyError, zlib.error, EOFError) as error:
            response = as_json(400, {"error": {"message": f"unreadable request: {error}"}})
        self.send_response(response.status)
        for name, value in {**response.headers, "Content-Length": str(len(response.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_POST = do_GET  # noqa: N815 - the base class looks for these names
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: what was asked is on record."""

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = int(headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            raise ValueError("the body is too large")
        return self.rfile.read(length)

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


def serve(answer: Answer, port: int = 0) -> Running:
    """Start a server whose requests *answer* answers, in a thread each; *port* 0 is a free one."""
    return Running(_Server(answer, port))


def as_json(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Make an answer of JSON."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def _inflated(body: bytes, encoding: str) -> bytes:
    match encoding.lower():
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case _:
            return body
