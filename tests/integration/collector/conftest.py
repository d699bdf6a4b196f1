"""A real Collector on free ports, OTLP sent to it raw, and a sink behind it whose answer a test sets."""

import gzip
import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_guard.demo import collector
from otel_guard.runtime.clock import SYSTEM

QUICK = {
    "processors": {"tail_sampling": {"decision_wait": "1s", "decision_wait_after_root_received": "500ms"}},
    "connectors": {"span_metrics": {"metrics_flush_interval": "500ms"}},
    "exporters": {"otlp_http/upstream": {"sending_queue": {"batch": {"flush_timeout": "200ms"}}}},
}
Values = Mapping[str, object]


class Request(Protocol):
    """An OTLP request."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802


def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until *condition* holds; the test fails naming *what* after *seconds*."""
    deadline = SYSTEM.monotonic() + seconds
    while not condition():
        assert SYSTEM.monotonic() < deadline, f"not within {seconds} s: {what}"
        SYSTEM.sleep(0.05)


def any_value(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            made = AnyValue()
            made.array_value.values.extend(any_value(each) for each in value)
            return made
        case dict():
            made = AnyValue()
            made.kvlist_value.values.extend(pairs(value))
            return made
        case _:
            return AnyValue(string_value=str(value))


def pairs(values: Values) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def span(
    name: str = "work",
    attributes: Values | None = None,
    *,
    trace: bytes | None = None,
    parent: bytes = b"",
    kind: Span.SpanKind.ValueType = Span.SPAN_KIND_INTERNAL,
    error: str | None = None,
    ms: float = 5.0,
    events: Sequence[tuple[str, Values]] = (),
) -> Span:
    """One span that ended just now."""
    end = SYSTEM.now_ms() * 1_000_000
    made = Span(trace_id=trace or os.urandom(16), span_id=os.urandom(8), parent_span_id=parent, name=name, kind=kind)
    made.start_time_unix_nano, made.end_time_unix_nano = end - int(ms * 1e6), end
    made.attributes.extend(pairs(attributes or {}))
    made.events.extend(Span.Event(name=each, time_unix_nano=end, attributes=pairs(of)) for each, of in events)
    if error is not None:
        made.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=error))
    return made


def traces(spans: Sequence[Span], resource: Values | None = None, scope: str = "test") -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": "shop", "service.namespace": "ns"} | dict(resource or {})))
    inner = group.scope_spans.add()
    inner.scope.name = scope
    inner.spans.extend(spans)
    return request


def send(port: int, signal: str, request: Request) -> int:
    """POST *request* as protobuf; the HTTP status."""
    url = f"http://127.0.0.1:{port}/v1/{signal}"
    headers = {"Content-Type": "application/x-protobuf"}
    try:
        post = urllib.request.Request(url, request.SerializeToString(), headers)
        with urllib.request.urlopen(post, timeout=30.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def scrape(port: int, accept: str = "text/plain") -> str:
    get = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(get, timeout=10.0) as answer:
        return str(answer.read().decode())


def total(text: str, name: str) -> float:
    """The sum of all series of *name* in a scrape."""
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)", text, re.MULTILINE))


def warnings(log_path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log_path.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["level"] not in {"info", "debug"}]


class Sink:
    """An OTLP/HTTP server that keeps what it took; `status` is its answer."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[tuple[str, bytes]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                if sink.status == 200:
                    sink.bodies.append((self.path, body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def spans(self) -> list[Span]:
        taken = [ExportTraceServiceRequest.FromString(body) for path, body in list(self.bodies) if path == "/v1/traces"]
        return [
            each for one in taken for group in one.resource_spans for part in group.scope_spans for each in part.spans
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Start:
    """Starts Collectors in a folder of the test's own, and ends those that still run."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.running: list[collector.RunningCollector] = []

    def __call__(self, overlay: Mapping[str, Any] | None = None, **env: str) -> collector.RunningCollector:
        own = {
            "OTEL_GUARD_COLLECTOR_DIR": str(self.folder),
            "OTEL_GUARD_COLLECTOR_FILE": str(self.folder / "out.jsonl"),
        }
        overlays = [f"yaml:{json.dumps(each)}" for each in (QUICK, overlay) if each]
        made = collector.start(
            self.binary,
            collector.files() / "otel-config.yaml",
            env=own | env,
            log_path=self.folder / f"log-{len(self.running)}",
            overlays=overlays,
        )
        self.running.append(made)
        return made

    def written(self) -> str:
        """What `file/demo` wrote."""
        path = self.folder / "out.jsonl"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        for each in self.running:
            each.stop()


@pytest.fixture(scope="session")
def binary() -> Path:
    said: list[str] = []
    if found := collector.find(build=False, say=said.append):
        return found
    reason = "no Collector: " + "; ".join(said)
    if os.environ.get("OTEL_GUARD_REQUIRE_COLLECTOR") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def start(binary: Path, tmp_path: Path) -> Iterator[Start]:
    made = Start(binary, tmp_path)
    yield made
    made.close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()
